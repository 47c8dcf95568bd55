"""The leadership sheet at the desk: for those named, and each opening is in the audit log."""

from __future__ import annotations

import pytest

from lumbung import audit
from tests.desk.conftest import DRAFT, HOSTILE, Desk
from tests.desk.test_editions import form

READERS = ("ketua", "koordinator", "sekretaris")
OTHERS = ("orang", "pemeriksa", "sari", "provinsi", "analis")


def openings(desk: Desk) -> list[tuple[str | None, object]]:
    found = audit.entries(desk.url)
    return [
        (each.person, each.content["edition_id"])
        for each in reversed(found)
        if each.event == "published.sheet"
    ]


def test_those_named_open_it_and_each_opening_is_logged(desk: Desk) -> None:
    desk.execute(
        "insert into marts.fct_report (report_id, regency_code, register_number)"
        " select distinct on (report_id) report_id, regency_code, %s from marts.fct_deadline"
        " on conflict do nothing",
        HOSTILE[:300],
    )
    for account in READERS:
        client = desk.client(account)
        of_draft = client.get(f"/edisi/{DRAFT}").text
        assert (f'action="/lembar/{DRAFT}"' in of_draft) == (account != "koordinator")
        page = client.get("/lembar")
        assert DRAFT in page.text
        assert f"atas nama akun {account}." in page.text
        opened = client.post(f"/lembar/{DRAFT}", data=form(client, "/lembar"))
        assert opened.status_code == 200
        assert "<bdi>Berakhir besok</bdi>" in opened.text
        assert "pangkalpinang@babel.example.id" in opened.text
        assert "&lt;script&gt;alert(1)" in opened.text
        assert "<script" not in opened.text
        assert "<img" not in opened.text
        assert opened.headers["cache-control"] == "no-store"
        assert len(opened.content) < 60_000
    assert openings(desk) == [(account, DRAFT) for account in READERS]


@pytest.mark.parametrize("account", OTHERS)
def test_nobody_else_opens_it(stewarded: Desk, account: str) -> None:
    client = stewarded.client(account)
    assert "/lembar" not in client.get("/").text
    assert client.get("/lembar").status_code == 404
    assert client.post(f"/lembar/{DRAFT}", data={}).status_code == 404
    assert openings(stewarded) == []


def test_a_link_opens_nothing(desk: Desk) -> None:
    chair = desk.client("ketua")
    assert chair.get(f"/lembar/{DRAFT}").status_code == 405
    assert chair.post(f"/lembar/{DRAFT}", data={"csrf": "x"}).status_code == 403
    token = form(chair, "/lembar")
    assert chair.post("/lembar/2024-W47-r9", data=token).status_code == 404
    assert openings(desk) == []
