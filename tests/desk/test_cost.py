"""What a page costs once it was shown: no login to the database, no file and no edition again."""

from __future__ import annotations

from typing import Any, NoReturn

import psycopg
import pytest
import yaml

from lumbung import database
from lumbung.publication.model import store
from tests.desk.conftest import DRAFT, PUBLISHED, Desk

PAGES = [
    *(("ketua", "/"), ("ketua", f"/edisi/{DRAFT}"), ("orang", f"/edisi/{PUBLISHED}")),
    *(("orang", f"/edisi/{PUBLISHED}/berkas/siaran-pers.txt"), ("provinsi", "/")),
    *(("penangan", "/kanal"), ("penangan", "/karantina"), ("sari", "/tinjauan")),
]


def test_a_page_that_was_shown_is_shown_again_without_logins_and_parsing(
    pulls: Desk, stewarded: Desk
) -> None:
    before = [pulls.client(account).get(path).status_code for account, path in PAGES]
    assert before == [200] * len(PAGES)

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("a page does again what it has done before")

    with pytest.MonkeyPatch.context() as patch:
        for where, name in (
            *((psycopg.Connection, "connect"), (psycopg, "connect")),
            *((store, "load"), (store, "artefacts"), (store, "draft_files")),
            *((yaml, "safe_load"), (yaml, "compose"), (yaml, "load")),
        ):
            patch.setattr(where, name, refuse)
        again = [pulls.client(account).get(path).status_code for account, path in PAGES]
    assert again == before


def test_a_connection_that_the_server_has_ended_is_replaced(desk: Desk) -> None:
    client = desk.client("orang")
    assert client.get("/edisi").status_code == 200
    desk.execute(
        "select pg_terminate_backend(pid, 60000) from pg_stat_activity where usename = 'desk'"
        " and datname = current_database()"
    )
    assert client.get("/edisi").status_code == 200


def test_a_password_that_was_changed_needs_no_restart(desk: Desk) -> None:
    client = desk.client("orang")
    assert client.get("/edisi").status_code == 200
    desk.execute("alter role desk password 'lain'")
    desk.execute(
        "select pg_terminate_backend(pid, 60000) from pg_stat_activity where usename = 'desk'"
        " and datname = current_database()"
    )
    # the page that finds out says so; the next one logs in by the password that is right
    assert [client.get("/edisi").status_code for _ in range(2)] == [503, 200]


def test_connections_that_wait_are_few_and_hold_no_transaction(desk: Desk) -> None:
    url = f"{desk.url}?application_name=uji"
    database.keep_open(url)
    opened = [database.connect(url) for _ in range(database.KEPT + 3)]
    for place, connection in enumerate(opened):
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        if place == 0:  # what fails is not kept
            connection.execute("select 1")
            connection.close()
            continue
        with connection:
            connection.execute("select 1")
    assert opened[0].closed
    assert sum(not each.closed for each in opened) == database.KEPT
    with database.connect(url) as again:
        assert again in opened
        assert again.isolation_level is None


def test_who_may_do_what_follows_the_file(desk: Desk) -> None:
    file = desk.settings.config / "people.yaml"
    original = file.read_text()
    client = desk.client("orang")
    assert client.get("/catatan").status_code == 404
    try:
        file.write_text(original.replace("- pemeriksa", "- pemeriksa\n- orang"))
        assert client.get("/catatan").status_code == 200
    finally:
        file.write_text(original)
    assert client.get("/catatan").status_code == 404
