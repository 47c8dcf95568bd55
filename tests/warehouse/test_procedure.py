"""What the versions of a register show of a case: changes of status, legal deadlines."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lumbung import stewardship
from lumbung.cli import app
from lumbung.errors import ConfigurationError
from lumbung.settings import Settings
from lumbung.warehouse import links, places
from lumbung.warehouse.build import build
from lumbung.warehouse.roles import role_url
from tests.support.homes import demo_home
from tests.support.post import notifier, post_office
from tests.warehouse.conftest import Raw, query

A, B, C, D = (f"00{n}/LP/PB/Kab/09.01/XI/2024" for n in (1, 2, 3, 4))
EVENT = {"Kejadian": "2024-11-05", "Isu": "politik uang", "Uraian": "beras dibagikan di posko"}
TIPS = [
    {"Tanggal": "2024-11-05", "Lokasi": "Bangka", "Isu": "politik uang", "Uraian": EVENT["Uraian"]},
    {"Tanggal": "2024-11-20", "Lokasi": "Belitung", "Isu": "Bagi  bagi ayam; politik uang"},
    {"Tanggal": "2024-11-09", "Lokasi": "rumah entah siapa", "Isu": "bagi bagi AYAM"},
    {"Tanggal": "2024-11-09", "Lokasi": "Belitung",
     "Isu": "Pak Fulan membagi amplop; hubungi 081200000001", "Uraian": "[red]kaus\x1b[2J putih"},
]  # fmt: skip


def row(number: str, status: str, **fields: Any) -> dict[str, Any]:
    return {
        "Nomor": number, "Diterima": "2024-11-06", "Diketahui": "2024-11-01",
        "Kab/Kota": "Bangka", "Status": status, **fields,
    }  # fmt: skip


@pytest.fixture(scope="module")
def url(new_warehouse: Callable[[], str], office: Settings) -> str:
    """A register read on four days; each day's pull is a run of its own."""
    url = new_warehouse()
    raw = Raw(url)
    days = {
        6: [row(A, "Diterima"), row(B, "Diterima"), row(C, "Selesai")],
        8: [row(A, "Kajian awal"), row(B, "Tidak diregistrasi", Alasan="formil")],
        # the same status in other words, with another field changed: a version, no event
        9: [row(A, "KAJIAN  AWAL", Isu="politik uang"), row(C, "Diterima")],
        # several steps in one pull are allowed; a refused case that is suddenly proved is not
        12: [
            row(A, "Terbukti pelanggaran", **EVENT, Jabatan="Kades Rekaan Pak Fulan"),
            row(B, "Terbukti pelanggaran", Kejadian="31 September 2024"),
        ],
    }
    for day, rows in days.items():
        # 18.30 UTC is already the next day in Jakarta
        landed = datetime(2024, 11, day - 1, 18, 30, tzinfo=UTC)
        raw.land("buku", rows, landed_at=landed, run_key=f"day {day}")
    # what is not counted, and tips: none of it starts a deadline
    raw.land("buku", [row("12/ngawur", ""), row(D, "", Diterima="2031-01-01")], landed_at=landed)
    raw.land("grup", TIPS, received_at="2024-11-10T00:00Z", ids=[*"1234"], quarantined=2)
    query(
        url,
        "insert into quarantine.record (channel, batch_id, content_hash, reason_code, reason,"
        " received_at, ciphertext) select 'grup', max(batch_id), hash, 'unreadable_date', 'x',"
        " ('2024-11-0' || n || 'T20:00Z')::timestamptz, '' from raw.batch,"
        " (values (3, '\\x01'::bytea), (4, '\\x02')) as bad (n, hash) group by n, hash",
    )
    build(settings=office, database_url=url)
    return url


def test_a_change_between_versions_is_an_event(url: str) -> None:
    found = query(
        url,
        "select substr(register_number, 1, 3), event_number, from_status_code, to_status_code,"
        " not_before_date, seen_date, is_illegal from marts.fct_status_event"
        " inner join marts.fct_report using (report_id) order by 1, 2",
    )

    def day(number: int) -> date:
        return date(2024, 11, number)

    assert found == [
        ("001", 1, None, "diterima", day(6), day(6), False),
        ("001", 2, "diterima", "kajian_awal", day(6), day(8), False),
        ("001", 3, "kajian_awal", "pelanggaran", day(9), day(12), False),
        ("002", 1, None, "diterima", day(6), day(6), False),
        ("002", 2, "diterima", "tidak_diregistrasi", day(6), day(8), False),
        ("002", 3, "tidak_diregistrasi", "pelanggaran", day(9), day(12), True),
        ("003", 1, None, "selesai", day(6), day(6), False),
        ("003", 2, "selesai", "diterima", day(8), day(9), True),
    ]


ITEMS = (
    "select i.check_code, i.regency_code, i.owner, i.channel, i.detail, i.record_count,"
    " i.since_date::text, coalesce(d.source_id, '') from marts.fct_review_item as i"
    " left join raw.record as d using (record_id) order by 1, 2, 4, 5"
)


def test_what_a_person_should_look_at_is_a_list_with_owners(url: str) -> None:
    """Every kind of planted fault once, by regency; no text of a delivery, nobody's name."""
    today = "2024-11-12"  # the register's last pull landed these rows then
    found = query(url, ITEMS)
    assert found == [
        ("date_implausible", "19.01", "channel owner", "buku", "not_counted", 1, today, D),
        ("date_order_impossible", "19.01", "channel owner", "buku", "occurred_after_known", 1,
         today, A),
        ("date_order_impossible", "19.02", "channel owner", "grup", "occurred_after_received", 1,
         "2024-11-10", "2"),
        ("date_unreadable", "19.01", "channel owner", "buku", "occurred_date", 1, today, B),
        ("delivery_quarantined", "19.00", "channel owner", "grup", "unreadable_date", 2,
         "2024-12-20", ""),
        ("number_unreadable", "19.01", "channel owner", "buku", "not_counted", 1, today,
         "12/ngawur"),
        ("pair_undecided", "19.01", "analyst", "buku",
         "possible 0.94, district: unsaid -0.7, day: same +2.2, theme: same +0.7,"
         " text: alike +3.2, venue: rare +0.3",
         2, "2024-11-10", A),
        ("place_unresolved", "19.00", "analyst", "grup", "unresolved", 1, "2024-11-10", "3"),
        ("status_change_illegal", "19.01", "channel owner", "buku", "selesai_to_diterima", 1,
         "2024-11-09", C),
        ("status_change_illegal", "19.01", "channel owner", "buku",
         "tidak_diregistrasi_to_pelanggaran", 1, "2024-11-12", B),
        # the same word in other spellings is one word, a row for each regency
        ("word_unknown", "19.00", "data engineer", "grup", "issue: bagi bagi ayam", 1,
         "2024-11-10", "3"),
        ("word_unknown", "19.01", "data engineer", "buku", "role", 1, today, A),
        ("word_unknown", "19.02", "data engineer", "grup", "issue", 1, "2024-11-10", "4"),
        ("word_unknown", "19.02", "data engineer", "grup", "issue: bagi bagi ayam", 1,
         "2024-11-10", "2"),
    ]  # fmt: skip
    (place,) = places.unresolved(url)
    assert (place.method, place.record_count, f"{place.since}") == ("unresolved", 1, "2024-11-10")
    assert re.fullmatch(r"[^,]+", place.written)  # one cell, read for district and regency


def test_both_cases_of_a_pair_are_shown(url: str) -> None:
    """What identifies each, the evidence, and how to reveal a narrative."""
    (pair,) = query(
        url, "select item_id from marts.fct_review_item where check_code = 'pair_undecided'"
    )
    (other,) = query(url, "select md5('grup/4')")
    runner = CliRunner(env={"LUMBUNG_DATABASE_URL": url, "COLUMNS": "160"})

    def shown(*arguments: str) -> list[list[str]]:
        said = runner.invoke(app, ["link", "show", *arguments])
        assert said.exit_code == 0, said.output
        assert "\x1b" not in said.output
        return [re.split(r"\s{2,}", line.strip()) for line in said.output.splitlines()]

    a, b = pair[0].split("/")
    if query(url, "select channel from marts.fct_report where report_id = %s", a) != [("buku",)]:
        a, b = b, a
    found = shown(a, b)
    assert found[0] == [a, b]
    assert found[2:4] == [["channel", "buku", "grup"], ["record kind", "LP", "IA"]]
    for line in (
        ["register number", A],
        ["received date", "2024-11-06", "2024-11-10"],
        ["occurred date", "2024-11-05", "2024-11-05"],
        ["regency", "Bangka", "Bangka"],
        ["themes", "Politik uang", "Politik uang"],
        ["status", "Terbukti pelanggaran"],
    ):
        assert line in found
    assert found[-6:] == [
        ["candidate, 3.9 bits"], ["district: unsaid -0.7"], ["day: same +2.2"],
        ["theme: same +0.7"], ["text: alike +3.2"], ["venue: rare +0.3"],
    ]  # fmt: skip
    records = query(url, "select record_id from marts.fct_report where report_id = any(%s)", [a, b])
    for (record,) in records:
        assert [f"narrative: lumbung record reveal {record} --reason '...'"] in found
    assert not any(EVENT["Uraian"] in line for line in found)
    assert ["not a listed pair"] in shown(a, other[0])

    for role in ("analyst_19_01", "analyst_province", "auditor"):
        found = shown(a, b, "--role", role)
        assert ["themes", "Politik uang", "Politik uang"] in found
        assert found[-1] == ["venue: rare +0.3"]
    with pytest.raises(ConfigurationError, match="may see"):
        links.read(role_url(url, "analyst_19_02"), a, b)
    with pytest.raises(ConfigurationError, match="two different"):
        links.read(url, a, a)


def test_what_was_corrected_or_decided_is_off_the_list(
    url: str, office: Settings, tmp_path: Path
) -> None:
    (pair,) = query(
        url, "select item_id from marts.fct_review_item where check_code = 'pair_undecided'"
    )
    home = demo_home(tmp_path / "demo", office.project).home  # nobody is asked for a code
    runner = CliRunner(env={"LUMBUNG_DATABASE_URL": url, "LUMBUNG_HOME": str(home)})
    said = runner.invoke(
        app, ["link", "decide", *pair[0].split("/"), "same", "--by", "analis", "--reason", "sama"]
    )
    assert said.exit_code == 0, said.output
    Raw(url).land("grup", [{**TIPS[1], "Tanggal": "2024-11-09"}], ids=["2"],
                  received_at="2024-11-10T00:00Z")  # fmt: skip
    query(url, "update quarantine.record set resolved_at = now()")
    before = query(url, ITEMS)
    query(
        url,
        "insert into ops.missing_record (record_id, channel, listing, is_held, batch_id, missed_at)"
        " select record_id, channel, 'buku.xlsx | ', record_id <> min(record_id) over (), batch_id,"
        " '2024-11-30T18:00Z' from raw.record where channel = 'buku' order by record_id limit 3",
    )
    build(settings=office, database_url=url)
    held = ("withdrawal_held", "19.00", "channel owner", "buku", "row_without_number", 2,
            "2024-12-01", "")  # fmt: skip
    gone = {("pair_undecided", "19.01"), ("date_order_impossible", "19.02"),
            ("delivery_quarantined", "19.00")}  # fmt: skip
    kept = [row for row in before if row[:2] not in gone]
    assert sorted([*kept, held], key=lambda row: row[:2]) == query(url, ITEMS)
    assert len(before) == len(kept) + 3

    said = runner.invoke(app, ["link", "undo", *pair[0].split("/"), "--by", "analis"])
    assert said.exit_code == 0, said.output
    decisions = "select decision_code, decided_by, note from ops.link_decision order by decision_id"
    assert query(url, decisions) == [("same_event", "analis", "sama"), ("undone", "analis", None)]


def test_the_list_is_shown_and_mailed(
    url: str, office: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    runner = CliRunner(env={"LUMBUNG_DATABASE_URL": url})
    shown = runner.invoke(app, ["review", "--regency", "belitung", "--check", "word_unknown"])
    assert shown.exit_code == 0, shown.output
    assert "issue: bagi bagi ayam" in shown.output
    assert "map_<vocabulary>" in shown.output
    assert shown.output.endswith("\n2 items\n")
    listed = runner.invoke(app, ["review", "--check", "word_unknown", "--json"])
    assert {item["check_code"] for item in json.loads(listed.output)} == {"word_unknown"}
    with pytest.raises(ConfigurationError, match=r"no 'Atlantis'.*19\.02 Belitung"):
        stewardship.items(url, regency="Atlantis")

    # Two pairs of one regency and channel may have the same evidence: each is one thing to do.
    names = query(
        url,
        "select column_name from information_schema.columns where table_schema = 'marts'"
        " and table_name = 'fct_review_item' order by ordinal_position",
    )
    given = {"item_id": "copy.id", "detail": "'day: same +2.2'"}
    columns = ", ".join(given.get(name, name) for (name,) in names)
    query(
        url,
        f"insert into marts.fct_review_item select {columns} from"
        " (select * from marts.fct_review_item where check_code = 'status_change_illegal' limit 1)"
        " as item, (values ('x/y'), ('x/z')) as copy (id)",
    )
    item_ids = [item.item_id for item in stewardship.items(url, check="status_change_illegal")]
    query(url, "delete from marts.fct_review_item where item_id in ('x/y', 'x/z')")
    assert len(item_ids) == 4
    assert {"x/y", "x/z"} < {*item_ids}

    with post_office() as post:
        way = notifier(office, post, url)
        counts = stewardship.notify_owners(notifier=way, database_url=url)
    ((address, mail),) = post.got
    assert address == "data@babel.example.id"
    assert mail["Subject"].startswith("Daftar tinjauan: ")
    assert "Kata di luar kosakata: 4" in mail.get_content()
    assert counts["data engineer"] == {"word_unknown": 4}
    assert counts["channel owner"]["status_change_illegal"] == 2
    assert "channel owner: Perubahan status tidak sah: 2 (sejak 09-11-2024)" in (
        capsys.readouterr().out
    )


def test_before_the_first_build_no_item_is_reported(
    database_url: str, office: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    way = notifier(office, None, database_url)
    assert stewardship.notify_owners(notifier=way, database_url=database_url) == {}
    assert "lumbung build" in capsys.readouterr().out


def test_deadlines_say_only_what_is_certain(url: str) -> None:
    found = query(
        url,
        "select substr(register_number, 1, 3), rule_code, state_code, due_date::text, legal_source"
        " from marts.fct_deadline inner join marts.fct_report using (report_id) order by 1, 2",
    )
    law = "UU 1/2015 jo. UU 10/2016 Pasal 134 ayat (4)"
    rule = "Perbawaslu 8/2020 jo. Perbawaslu 9/2024"
    assert found == [
        # two days end on the 8th; the decision fell between the 9th and the 12th
        ("001", "KAJIAN_AWAL", "MISSED", "2024-11-08", rule),
        ("001", "LAPOR", "MET", "2024-11-08", law),
        ("002", "KAJIAN_AWAL", "MET", "2024-11-08", rule),
        ("002", "LAPOR", "MET", "2024-11-08", law),
        # its register took the end back: the case waits, and the study runs on
        ("003", "KAJIAN_AWAL", "OVERDUE", "2024-11-08", rule),
        ("003", "LAPOR", "MET", "2024-11-08", law),
    ]
