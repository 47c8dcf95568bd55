"""Who is notified when a task fails, and what a running build shows."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from lumbung import orchestration
from lumbung.errors import ServiceError, without_path
from lumbung.warehouse.roles import role_url
from tests.support.post import Post, post_office

OWNER, PEOPLE = "wa@babel.example.id", "data@babel.example.id"


@pytest.fixture
def post(tmp_path: Any, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    monkeypatch.setenv("LUMBUNG_HOME", str(tmp_path))
    monkeypatch.setattr(orchestration, "warehouse_url", lambda role: role_url(database_url, role))
    with post_office() as opened:
        monkeypatch.setattr(orchestration, "mail_server", lambda: opened.address)
        yield opened


def fail(why: str, name: str = "Aduan WhatsApp") -> None:
    task = SimpleNamespace(dag_id="intake__wa", task_id="pull", run_id="scheduled__1")
    orchestration.report_failure(name, OWNER)({"task_instance": task, "exception": why})


def test_the_owner_of_a_channel_and_the_owners_are_notified(post: Post) -> None:
    fail("the server does not answer [channel wa]. look whether it is up.")
    assert post.addresses == [PEOPLE, OWNER]
    text = post.got[0][1].get_content()
    assert post.got[0][1]["Subject"] == "Gagal: Aduan WhatsApp"
    assert "look whether it is up" in text
    assert "intake__wa.pull, scheduled__1" in text
    assert "pilih Tarik sekarang di halaman kanal" in text
    assert "jalankan ulang tugas" not in text, "owners of channels have no right to"


def test_failures_that_differ_in_numbers_are_one_mail(post: Post) -> None:
    for minutes in (0, 15, 19 * 60):
        fail(f"the server does not answer after {minutes} s")
    assert len(post.got) == 2, "one mail to two addresses"
    fail("the server refuses the password")
    fail("the server does not answer after 3 s", name="Another channel")
    assert len(post.got) == 6


def test_a_mail_that_was_not_sent_is_tried_with_the_next_failure(post: Post) -> None:
    post.die_at = "DATA"
    fail("the server does not answer")
    post.die_at = ""
    fail("the server does not answer")
    assert post.addresses == [PEOPLE, OWNER]


def test_the_models_of_a_build_share_an_entry_written_once_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = iter((100.0, 100.0, 100.4, 101.1, 101.1, 101.2, 101.2))  # a write reads the clock too
    monkeypatch.setattr("lumbung.orchestration.time.monotonic", lambda: next(now))
    written: list[tuple[str, list[str]]] = []
    states = orchestration.ModelStates(lambda key, value: written.append((key, sorted(value))))
    for name in ("stg_a", "int_b", "fct_c", "fct_d"):
        states(name, {"state": "success"})
    states.write()
    everything = ["fct_c", "fct_d", "int_b", "stg_a"]
    assert [names for _, names in written] == [
        ["stg_a"],
        ["fct_c", "int_b", "stg_a"],
        everything,
    ]
    assert {key for key, _ in written} == {"models"}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (psycopg.errors.CheckViolation("row (Zqvor)"), "PostgreSQL: CheckViolation 23514"),
        (psycopg.OperationalError("refused: port 5432"), "OperationalError refused: port 5432"),
    ],
)
def test_what_a_row_holds_is_not_in_the_failure(error: psycopg.Error, said: str) -> None:
    @orchestration.fail_without_retry
    def work() -> None:
        raise error

    with pytest.raises(ServiceError, match=said) as caught:
        work()
    assert "Zqvor" not in "".join(traceback.format_exception(caught.value))


def test_the_path_of_an_error_is_not_shown() -> None:
    error = PermissionError(13, "Permission denied", "/inbox/Zqvor.csv")
    assert without_path(error) == "PermissionError Permission denied"
