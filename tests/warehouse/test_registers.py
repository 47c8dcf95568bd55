"""What a register implies by what it leaves out: days of receipt, registration."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from unittest.mock import patch

import pytest

from lumbung.settings import Settings
from lumbung.warehouse import build as warehouse_build
from lumbung.warehouse.build import build
from tests.warehouse.conftest import CHANNELS, Raw, query, write_channel
from tests.warehouse.test_history import differences, rows_of_readers

# Files whose rows have no time of their own: received_at is when the file was saved.
DESK = {
    "meja": {
        "source": {"kind": "register"},
        "key": "No",
        "record_kind": "IA",
        "fields": {"received_date": {"from": "Diterima"}, "regency": {"from": "Kab/Kota"}},
    },
    "buku": CHANNELS["buku"],
    "grup": CHANNELS["grup"],
}
FILE = "ab" * 32
A, B, C, D, E, F, G = (f"00{n}/LP/PB/Kab/09.01/XI/2024" for n in range(1, 8))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, office: Settings) -> Settings:
    """An office with a register of tips, one of cases and a chat."""
    project = tmp_path_factory.mktemp("registers")
    for name in ("config", "dbt_project", "expectations"):
        (project / name).symlink_to((office.project / name).resolve())
    (project / "channels").mkdir()
    for name, document in DESK.items():
        write_channel(project / "channels" / f"{name}.yaml", document)
    return Settings(tmp_path_factory.mktemp("home"), project, None)


def build_on(day: str, *, settings: Settings, url: str, **options: Any) -> None:
    variables = ("--vars", json.dumps({"as_of_date": day}))
    with patch.object(warehouse_build, "BUILD", (*warehouse_build.BUILD, *variables)):
        build(settings=settings, database_url=url, **options)


def registered(number: str) -> str:
    return number.replace("/LP", "/Reg/LP")


def case(number: str, status: str | None, **fields: Any) -> dict[str, Any]:
    return {
        "Nomor": number, "Diterima": "2024-11-05", "Kab/Kota": "Bangka", "Status": status, **fields,
    }  # fmt: skip


@pytest.fixture(scope="module")
def url(new_warehouse: Callable[[], str], desk: Settings) -> str:
    """Tips of which one has a day; cases read on three days, the last two by an increment."""
    url = new_warehouse()
    raw = Raw(url)
    days = ["2024-11-06", None, "-", "31 September 2024", "minggu lalu", ""]
    tips = [{"No": str(n), "Diterima": day, "Kab/Kota": "Bangka"} for n, day in enumerate(days)]
    # the file was saved two years later
    raw.land(
        "meja", tips, ids=[str(n) for n in range(len(days))], received_at="2026-11-20T05:00Z",
        landed_at=datetime(2026, 11, 21, tzinfo=UTC), run_key="tips",
    )  # fmt: skip
    raw.land("grup", [{"Tanggal": "-", "Lokasi": "Bangka", "Uraian": "amplop"}],
             received_at="2024-11-06T05:00Z")  # fmt: skip
    # one file lies in both folders, each of which calls it by a name of its own
    query(
        url,
        "update raw.record set evidence_sha256 = decode(%s, 'hex'), locator = channel || ' | S | '"
        " || case channel when 'grup' then '0' else source_id end"
        " where channel in ('meja', 'grup')",
        FILE,
    )
    query(
        url,
        "insert into ops.channel_cursor (channel, cursor, batch_id) select channel,"
        " jsonb_build_object('files', jsonb_build_object(channel, %s::text)), 1"
        " from unnest('{meja,grup}'::text[]) as channel",
        FILE,
    )
    versions: dict[int, list[tuple[str, dict[str, Any]]]] = {
        6: [
            (A, case(A, "Kajian awal")),
            (B, case(registered(B), "Kajian awal")),
            (C, case(C, "Kajian awal")),
            *((number, case(registered(number), "Kajian awal")) for number in (E, F, G)),
        ],
        # the number is all that says it; C's row only gained a theme
        8: [(A, case(registered(A), "Kajian awal")), (C, case(C, "Kajian awal", Isu="isu SARA"))],
        # A keeps its deadline, whatever else changes; D comes without a status
        9: [
            (A, case(registered(A), "Kajian awal", Isu="politik uang")),
            (B, case(registered(B), "Terbukti pelanggaran")),
            (D, case(registered(D), None)),
            # Reg is gone: for no reason, beside another open status, beside a decision
            (E, case(E, "Kajian awal")),
            (F, case(F, "Menunggu perbaikan")),
            (G, case(G, "Tidak diregistrasi", Alasan="formil")),
        ],
    }
    for day, rows in versions.items():
        raw.land(
            "buku", [row for _, row in rows], ids=[number for number, _ in rows],
            landed_at=datetime(2024, 11, day, 5, tzinfo=UTC), run_key=f"day {day}",
        )  # fmt: skip
        build_on(f"2024-11-{day:02}", settings=desk, url=url)
    return url


def test_a_row_without_a_day_of_receipt_counts_nowhere(url: str) -> None:
    counted = query(
        url, "select channel, received_date::text from marts.fct_report where record_kind = 'IA'"
    )
    assert sorted(counted) == [("grup", "2024-11-06"), ("meja", "2024-11-06")]
    excluded = query(
        url,
        "select source_id, reason_code, reason, week_id from intermediate.int_records__excluded"
        " order by 1",
    )
    reason = "Tanggal yang menentukan pekannya kosong atau tidak terbaca"
    assert excluded == [(n, "date_missing", reason, None) for n in "12345"]


def test_a_row_that_counts_in_two_channels_is_on_the_review_list(url: str) -> None:
    """The rows of a file that lies in two folders; those that count once are none of them."""
    found = query(
        url,
        "select channel, detail, record_count, severity from marts.fct_review_item"
        " where check_code = 'rows_in_two_channels' order by 1",
    )
    assert found == [("grup", "meja", 1, "warn"), ("meja", "grup", 1, "warn")]


def test_it_waits_on_the_review_list_since_it_was_landed(url: str) -> None:
    found = query(
        url,
        "select d.source_id, i.check_code, i.owner, i.detail, i.since_date"
        " from marts.fct_review_item as i inner join raw.record as d using (record_id)"
        " where d.channel = 'meja' order by 1",
    )
    day = date(2026, 11, 21)
    assert found == [(n, "date_missing", "channel owner", "not_counted", day) for n in "12345"]


def test_it_stretches_nothing(url: str) -> None:
    assert query(url, "select max(date_day)::text, max(week_id) from marts.fct_regency_day") == [
        ("2024-11-10", "2024-W45")
    ]


DEADLINES = (
    "select left(replace(register_number, '/Reg', ''), 3), rule_code, start_from_date::text,"
    " start_to_date::text, due_date::text, extended_due_date::text, latest_due_date::text,"
    " end_from_date::text, end_to_date::text, state_code from marts.fct_deadline"
    " inner join marts.fct_report using (report_id) where rule_code <> 'LAPOR' order by 1, 2"
)


def test_registration_starts_the_deadline_whatever_reports_it(url: str) -> None:
    """Three days and two, from between the pull without Reg and the one with it."""
    day = "2024-11-{:02}".format
    assert query(url, DEADLINES) == [
        ("001", "KAJIAN_AWAL", *map(day, (5, 5, 7, 7, 7, 6, 8)), "MAYBE_MISSED"),
        ("001", "PENANGANAN", *map(day, (6, 8, 9, 11, 13)), None, None, "DAYS_2"),
        ("002", "KAJIAN_AWAL", *map(day, (5, 5, 7, 7, 7, 5, 6)), "MET"),
        ("002", "PENANGANAN", *map(day, (5, 6, 8, 10, 11, 8, 9)), "MET"),
        ("003", "KAJIAN_AWAL", *map(day, (5, 5, 7, 7, 7)), None, None, "OVERDUE"),
        ("004", "KAJIAN_AWAL", *map(day, (5, 5, 7, 7, 7, 5, 9)), "MAYBE_MISSED"),
        ("004", "PENANGANAN", *map(day, (5, 9, 8, 10, 14)), None, None, "DAYS_1"),
        ("005", "KAJIAN_AWAL", *map(day, (5, 5, 7, 7, 7, 5, 6)), "MET"),
        ("005", "PENANGANAN", *map(day, (5, 6, 8, 10, 11)), None, None, "DAYS_1"),
        ("006", "KAJIAN_AWAL", *map(day, (5, 5, 7, 7, 7, 5, 6)), "MET"),
        ("006", "PENANGANAN", *map(day, (5, 6, 8, 10, 11, 8, 9)), "UNCERTAIN"),
        ("006", "PERBAIKAN", *map(day, (8, 9, 10, 10, 11)), None, None, "DAYS_1"),
        ("007", "KAJIAN_AWAL", *map(day, (5, 5, 7, 7, 7, 5, 6)), "MET"),
        ("007", "PENANGANAN", *map(day, (5, 6, 8, 10, 11, 8, 9)), "UNCERTAIN"),
    ]


def test_a_registration_stands_until_the_source_says_another_status(url: str) -> None:
    outcomes = query(
        url,
        "select left(replace(register_number, '/Reg', ''), 3), registration_outcome"
        " from marts.fct_report where record_kind = 'LP' order by 1",
    )
    assert outcomes == [
        ("001", "registered"), ("002", "registered"), ("003", "pending"), ("004", "registered"),
        ("005", "registered"), ("006", "pending"), ("007", "not_registered"),
    ]  # fmt: skip
    listed = query(
        url,
        "select left(d.source_id, 3), i.check_code, i.detail from marts.fct_review_item as i"
        " inner join raw.record as d using (record_id) where d.channel = 'buku' order by 1, 2",
    )
    assert listed == [
        ("005", "registration_vanished", "number"),
        ("006", "status_change_illegal", "diregistrasi_to_perbaikan"),
        ("007", "status_change_illegal", "diregistrasi_to_tidak_diregistrasi"),
    ]


def test_registration_by_the_number_is_a_change_of_status(url: str) -> None:
    found = query(
        url,
        "select left(replace(register_number, '/Reg', ''), 3), from_status_code, to_status_code,"
        " seen_date::text, is_illegal from marts.fct_status_event"
        " inner join marts.fct_report using (report_id) order by 1, event_number",
    )
    assert found == [
        ("001", None, "kajian_awal", "2024-11-06", False),
        ("001", "kajian_awal", "diregistrasi", "2024-11-08", False),
        ("002", None, "diregistrasi", "2024-11-06", False),
        ("002", "diregistrasi", "pelanggaran", "2024-11-09", False),
        ("003", None, "kajian_awal", "2024-11-06", False),
        ("004", None, "diregistrasi", "2024-11-09", False),
        ("005", None, "diregistrasi", "2024-11-06", False),
        ("006", None, "diregistrasi", "2024-11-06", False),
        ("006", "diregistrasi", "perbaikan", "2024-11-09", True),
        ("007", None, "diregistrasi", "2024-11-06", False),
        ("007", "diregistrasi", "tidak_diregistrasi", "2024-11-09", True),
    ]


def test_the_increments_give_what_a_full_build_gives(url: str, desk: Settings) -> None:
    found = rows_of_readers(url)
    build_on("2024-11-09", settings=desk, url=url, full_refresh=True)
    assert differences(found, rows_of_readers(url)) == {}
