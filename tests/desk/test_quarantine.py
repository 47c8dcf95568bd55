"""Owners and stewards look after what could not be read, each of their own channels."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from httpx import Response
from starlette.testclient import TestClient

from lumbung import audit
from lumbung.desk import scope
from lumbung.intake import quarantine as records
from tests.desk.conftest import Desk, quarantine
from tests.support.inert import faults

OWN, CODE = "register_laporan", "required_field_missing"
OTHER = "wa_aduan"
GROUP = f"/karantina/{OWN}/{CODE}"


@pytest.fixture(autouse=True)
def _empty(desk: Desk) -> None:
    desk.execute("delete from quarantine.record")


def token(client: TestClient, path: str = "/karantina") -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
    assert found, path
    return found[1]


def seen(client: TestClient, path: str) -> str:
    """The id of the decision that a page shows."""
    found = re.search(r'name="seen" value="(\d+)"', client.get(path).text)
    assert found, path
    return found[1]


TESTING = "Memeriksa sambungan ke sumber"
"""The reason that `send` chooses."""


def send(client: TestClient, path: str, csrf: str, **values: Any) -> Response:
    return cast("Response", client.post(path, data={"why": "test", "csrf": csrf, **values}))


def state(desk: Desk) -> list[tuple[Any, ...]]:
    with psycopg.connect(desk.url) as connection:
        return connection.execute(
            "select channel, resolved_at is null, dismissed_by, dismissed_reason, count(*)"
            " from quarantine.record group by 1, 2, 3, 4 order by 1, 2"
        ).fetchall()


def openings(desk: Desk) -> list[tuple[Any, ...]]:
    with psycopg.connect(desk.url) as connection:
        return connection.execute(
            "select opened_by, quarantine_id, reason from ops.opening"
        ).fetchall()


def test_an_owner_dismisses_160_rows_at_once_and_undoes_it(desk: Desk) -> None:
    numbers = quarantine(desk, OWN, CODE, 160)
    quarantine(desk, OWN, "header_not_found", 1)
    quarantine(desk, OTHER, "doubtful_message", 2)
    owner = desk.client("penangan")
    assert "161 kiriman tidak terbaca menunggu tindakan" in owner.get("/").text
    page = owner.get("/karantina").text
    assert "Buku Register Laporan dan Temuan" in page
    assert "Isian wajib tidak ada" in page
    assert OTHER not in page
    page = owner.get(GROUP).text
    assert "Ditampilkan 50 dari 160 butir" in page
    assert len(page.encode()) < 60_000
    assert f"?after={numbers[49]}" in page
    csrf, why = token(owner, GROUP), "coretan di samping tabel"
    assert send(owner, f"{GROUP}/tutup", csrf, which="all", last=numbers[-1]).status_code == 422
    answer = send(owner, f"{GROUP}/tutup", csrf, which="all", last=numbers[-1], reason=why)
    assert answer.headers["location"] == "/karantina?closed=160"
    page = owner.get(answer.headers["location"]).text
    assert "160 kiriman ditutup" in page
    assert why in page
    assert state(desk) == [
        (OWN, False, "penangan", why, 160),
        (OWN, True, None, None, 1),
        (OTHER, True, None, None, 2),
    ]
    found = audit.entries(desk.url, limit=160)
    assert {(entry.event, entry.person) for entry in found} == {("quarantine.record", "penangan")}
    at = re.search(r'name="at" value="([^"]+)"', page)
    assert at
    answer = send(owner, f"/karantina/{OWN}/batal", csrf, at=at[1])
    assert answer.headers["location"] == "/karantina?opened=160"
    assert state(desk) == [(OWN, True, None, None, 161), (OTHER, True, None, None, 2)]
    assert audit.entries(desk.url, limit=1)[0].person == "penangan"


def test_only_what_was_shown_or_chosen_is_dismissed(desk: Desk) -> None:
    numbers = quarantine(desk, OWN, CODE, 3)
    (other,) = quarantine(desk, OTHER, CODE, 1)
    owner = desk.client("penangan")
    csrf, path = token(owner, GROUP), f"{GROUP}/tutup"
    given = {"which": "chosen", "last": numbers[2], "reason": "x"}
    assert "Pilih sedikitnya satu" in send(owner, path, csrf, **given).text
    assert "Pilih sedikitnya satu" in send(owner, path, csrf, **given, number=[other]).text
    answer = send(owner, path, csrf, **given, number=[numbers[0], other])
    assert answer.headers["location"] == "/karantina?closed=1"
    # what came after the page was shown stays open
    answer = send(owner, path, csrf, which="all", last=numbers[1], reason="x")
    assert answer.headers["location"] == "/karantina?closed=1"
    with psycopg.connect(desk.url) as connection:
        left = connection.execute(
            "select quarantine_id from quarantine.record where resolved_at is null order by 1"
        ).fetchall()
    assert left == [(numbers[2],), (other,)]


def test_a_channels_title_changes_no_direction(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    read = scope.channel_files

    def hostile(folder: Path) -> Any:
        channels, mistaken = read(folder)
        title = "Kanal <b>\u202egnirts\u2066"
        found = {name: each.model_copy(update={"title": title}) for name, each in channels.items()}
        return found, mistaken

    monkeypatch.setattr(scope, "channel_files", hostile)
    (number, *_) = quarantine(desk, OWN, CODE, 2)
    owner = desk.client("penangan")
    given = {"which": "chosen", "number": number, "last": number, "reason": "x"}
    assert send(owner, f"{GROUP}/tutup", token(owner, GROUP), **given).status_code == 303
    for path in ("/kanal", f"/kanal/{OWN}", "/karantina", GROUP, f"/karantina/{number}"):
        page = owner.get(path)
        assert (page.status_code, faults(page.text)) == (200, []), path


def test_no_page_reads_a_whole_group(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = quarantine(desk, OWN, CODE, 120)
    read = records.listed
    counts: list[int] = []

    def counted(*given: Any, **named: Any) -> Any:
        found = read(*given, **named)
        counts.append(len(found))
        return found

    monkeypatch.setattr(records, "listed", counted)
    owner = desk.client("penangan")
    for after, shown in ((0, numbers[:50]), (numbers[99], numbers[100:]), (numbers[-1], numbers)):
        page = owner.get(f"{GROUP}?after={after}").text
        assert re.findall(r'name="number" value="(\d+)"', page) == [str(n) for n in shown[:50]]
        assert f"Ditampilkan {len(shown[:50])} dari 120 butir" in page
        assert (f"?after={shown[:50][-1]}" in page) == (after != numbers[99])
    given = {"which": "chosen", "number": numbers[3], "last": numbers[-1], "reason": "x"}
    send(owner, f"{GROUP}/tutup", token(owner, GROUP), **given)
    send(owner, f"{GROUP}/tutup", token(owner, GROUP), **{**given, "which": "all"})
    assert state(desk) == [(OWN, False, "penangan", "x", 120)]
    assert max(counts) <= 51


def test_choices_and_the_reason_are_kept_when_they_are_refused(desk: Desk) -> None:
    numbers = quarantine(desk, OWN, CODE, 60)
    owner = desk.client("penangan")
    csrf, path = token(owner, GROUP), f"{GROUP}/tutup"
    given = {"which": "chosen", "last": numbers[-1], "after": numbers[49]}
    page = send(owner, path, csrf, **given, number=numbers[52:54], reason=" ").text
    assert re.findall(r'value="(\d+)" checked', page) == [str(each) for each in numbers[52:54]]
    assert (
        f'value="{numbers[49]}"' not in page.partition("rows choices")[2]
    )  # still the second page
    page = send(owner, path, csrf, **given, reason="coretan").text
    assert "Pilih sedikitnya satu" in page
    assert ">coretan</textarea>" in page
    # a page behind the last delivery is the first one
    assert f'value="{numbers[0]}"' in owner.get(f"{GROUP}?after={2**60}").text


def test_the_content_is_opened_for_a_reason_that_is_logged_first(desk: Desk) -> None:
    (number,) = quarantine(desk, OWN, CODE, 1)
    owner = desk.client("penangan")
    page = owner.get(f"/karantina/{number}").text
    assert "baris" not in page.split("<h2>")[1]
    csrf, path = token(owner, f"/karantina/{number}"), f"/karantina/{number}/isi"
    assert send(owner, path, csrf, reason=" ").status_code == 422
    assert openings(desk) == []
    page = send(owner, path, csrf, reason="cari nomornya").text
    assert "&#34;baris&#34;: 0" in page or "karakter" in page
    assert "alert(1)" in page
    assert openings(desk) == [("penangan", number, "cari nomornya")]
    entry = audit.entries(desk.url)[0]
    assert (entry.event, entry.person) == ("ops.opening", "penangan")
    assert entry.content == {
        "quarantine_id": number,
        "record_id": None,
        "evidence_sha256": None,
        "labels_of": None,
        "reason": "cari nomornya",
        "consented_by": None,
        "enrolment_id": None,
        "totp_step": None,
        "seal": None,
    }
    for shown in (page, owner.get("/karantina").text, owner.get(GROUP).text):
        assert "<script" not in shown
        assert "<img" not in shown
        assert len(shown.encode()) < 60_000
    assert page.count("<bdi>&lt;script&gt;") == 3  # cause, place, place with names


def test_a_channel_is_read_again_by_airflow(desk: Desk) -> None:
    quarantine(desk, OWN, CODE, 1)
    owner = desk.client("penangan")
    csrf, path = token(owner), f"/karantina/{OWN}/baca-ulang"
    desk.airflow.paused[f"intake__{OWN}"] = True  # Airflow queues the run until then
    answer = send(owner, path, csrf)
    assert desk.airflow.started == [(f"intake__{OWN}", {"from_start": True})]
    page = owner.get(answer.headers["location"]).text
    assert "Pembacaan ulang telah diminta" in page
    assert "telah dimulai" not in page
    entry = audit.entries(desk.url)[0]
    assert (entry.event, entry.person) == ("ops.channel_request", "penangan")
    assert entry.content == {"channel": OWN, "request": "retry", "reason": TESTING}


def test_doubtful_messages_are_accepted(desk: Desk) -> None:
    said = {"a": "2024-11-06T19:33", "text": "06/11/24 19.33 - Warga A: dua"}
    good = quarantine(desk, OTHER, "doubtful_message", 2, said)
    (bad,) = quarantine(desk, OTHER, "doubtful_message", 1, {"a": "", "text": "dua"})
    province = desk.client("provinsi")
    group = f"/karantina/{OTHER}/doubtful_message"
    csrf = token(province, group)
    assert "Terima yang dipilih sebagai pesan" in province.get(group).text
    for numbers, reason, reported in (
        ([good[0]], " ", "Tuliskan alasannya"),
        ([], "x", "Pilih sedikitnya satu"),
        ([999_999], "x", "Pilih sedikitnya satu"),
        ([good[0], bad], "x", "tidak memuat tanggal dan pengirim"),
    ):
        answer = send(province, f"{group}/terima", csrf, number=numbers, reason=reason)
        assert (answer.status_code, reported in answer.text) == (422, True)
    owner = desk.client("penangan")  # of another channel
    own = token(owner, "/kanal/register_laporan")
    answer = send(owner, f"{group}/terima", own, number=good, reason="x")
    assert answer.status_code == 404
    accepted = "select quarantine_id, accepted_by, accepted_reason from quarantine.record where"
    accepted += " accepted_by is not null order by 1"
    with psycopg.connect(desk.url) as connection:
        assert connection.execute(accepted.encode()).fetchall() == []
        answer = send(province, f"{group}/terima", csrf, number=good, reason="ada di ponsel")
        assert "2 kiriman diterima" in province.get(answer.headers["location"]).text
        assert connection.execute(accepted.encode()).fetchall() == [
            (number, "provinsi", "ada di ponsel") for number in good
        ]
    assert province.get(group).text.count("Diterima, dibaca pada penarikan berikutnya") == 2
    assert openings(desk) == []  # nobody has seen them
    assert audit.entries(desk.url)[0].person == "provinsi"


def test_what_a_colleague_has_accepted_is_not_dismissed_with_all(desk: Desk) -> None:
    said = {"a": "2024-11-06T19:33", "text": "06/11/24 19.33 - Warga A: dua"}
    accepted, left = quarantine(desk, OTHER, "doubtful_message", 2, said)
    province, group = desk.client("provinsi"), f"/karantina/{OTHER}/doubtful_message"
    csrf, given = token(province, group), {"which": "all", "last": left, "reason": "coretan"}
    assert "Tutup semua (2)" in province.get(group).text
    colleague = desk.client("insinyur")
    send(colleague, f"{group}/terima", token(colleague, group), number=[accepted], reason="x")
    assert "Tutup semua (1)" in province.get(group).text
    answer = send(province, f"{group}/tutup", csrf, **given)
    assert answer.headers["location"] == "/karantina?closed=1"
    with psycopg.connect(desk.url) as connection:
        found = connection.execute(
            "select accepted_by, dismissed_by from quarantine.record order by quarantine_id"
        ).fetchall()
    assert found == [("insinyur", None), (None, "provinsi")]
    assert "Tutup semua" not in province.get(group).text
    assert "Pilih sedikitnya satu" in send(province, f"{group}/tutup", csrf, **given).text


@pytest.mark.parametrize("account", ["orang", "ketua", "sekretaris", "pemeriksa", "sari"])
def test_nobody_else_sees_or_changes_anything(stewarded: Desk, account: str) -> None:
    (number,) = quarantine(stewarded, OWN, CODE, 1)
    refused(stewarded, account, OWN, number, {404})


def test_an_owner_sees_and_changes_nothing_of_another_channel(stewarded: Desk) -> None:
    (number,) = quarantine(stewarded, OTHER, CODE, 1)
    quarantine(stewarded, OWN, CODE, 1)
    refused(stewarded, "penangan", OTHER, number, {404})
    province = stewarded.client("provinsi")
    assert f"/karantina/{OTHER}/{CODE}" in province.get("/karantina").text
    assert province.get(f"/karantina/{number}").status_code == 200


def refused(desk: Desk, account: str, channel: str, number: int, answers: set[int]) -> None:
    """Neither pages nor forms about a channel's quarantine exist for an account."""
    client = desk.client(account)
    own = token(desk.client("penangan")) if account != "penangan" else token(client)
    before = state(desk)
    pages = [f"/karantina/{channel}/{CODE}", f"/karantina/{number}"]
    if account != "penangan":
        assert "Karantina" not in client.get("/").text
        pages.append("/karantina")
    for path in pages:
        assert client.get(path).status_code == 404
    forms: dict[str, dict[str, Any]] = {
        f"/karantina/{channel}/{CODE}/tutup": {"which": "all", "last": number, "reason": "x"},
        f"/karantina/{number}/isi": {"reason": "x"},
        f"/karantina/{channel}/batal": {"at": "2026-01-01T00:00:00+00:00"},
        f"/karantina/{channel}/baca-ulang": {},
    }
    for path, values in forms.items():
        # another's token, none, and for an owner of other channels the own one
        assert send(client, path, "", **values).status_code == 403
        status = send(client, path, own, **values).status_code
        assert status in (answers if account == "penangan" else {403})
    assert state(desk) == before
    assert openings(desk) == []
    assert desk.airflow.started == []


def test_odd_addresses_find_nothing(desk: Desk) -> None:
    (number,) = quarantine(desk, OWN, CODE, 1)
    owner = desk.client("penangan")
    for path in ("/karantina/0", "/karantina/999", f"/karantina/{'9' * 30}",
                 f"/karantina/{OWN}/{CODE}'", "/karantina/%2e%2e/x", "/karantina/x/y",
                 f"/karantina/{OWN}/cut_off"):  # fmt: skip
        assert owner.get(path).status_code in (404, 422), path
    assert owner.get(f"/karantina/{number}").status_code == 200


def test_a_number_of_5000_digits_is_refused(desk: Desk) -> None:
    path = "/karantina/" + "9" * 5_000
    assert desk.client("penangan").get(path).status_code == 422
    assert desk.client().get(path).status_code == 303
