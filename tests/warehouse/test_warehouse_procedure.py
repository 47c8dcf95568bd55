"""What the versions of a register tell of a case's way: changes of status, legal clocks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from lumbung.settings import Settings
from lumbung.warehouse.build import build
from warehouse.conftest import Raw, query

A, B, C = (f"00{n}/LP/PB/Kab/09.01/XI/2024" for n in (1, 2, 3))


def row(number: str, status: str, **fields: Any) -> dict[str, Any]:
    return {
        "Nomor": number, "Diterima": "2024-11-06", "Diketahui": "2024-11-01",
        "Kab/Kota": "Bangka", "Status": status, **fields,
    }  # fmt: skip


@pytest.fixture(scope="module")
def url(new_database: Callable[[], str], office: Settings) -> str:
    """A register read on four days; each day's pull is a run of its own."""
    url = new_database()
    raw = Raw(url)
    days = {
        6: [row(A, "Diterima"), row(B, "Diterima"), row(C, "Selesai")],
        8: [row(A, "Kajian awal"), row(B, "Tidak diregistrasi", Alasan="formil")],
        # the same status in other words, with another field changed: a version, no event
        9: [row(A, "KAJIAN  AWAL", Isu="politik uang"), row(C, "Diterima")],
        # several steps in one pull are allowed; a refused case that is suddenly proved is not
        12: [row(A, "Terbukti pelanggaran"), row(B, "Terbukti pelanggaran")],
    }
    for day, rows in days.items():
        # 18.30 UTC is already the next day in Jakarta
        landed = datetime(2024, 11, day - 1, 18, 30, tzinfo=UTC)
        raw.land("buku", rows, landed_at=landed, run_key=f"day {day}")
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


def test_illegal_changes_are_rows_for_review(url: str) -> None:
    rows = query(url, "select to_status_code from checks.status_changes_are_allowed order by 1")
    assert rows == [("diterima",), ("pelanggaran",)]


def test_clocks_say_only_what_is_certain(url: str) -> None:
    found = query(
        url,
        "select substr(register_number, 1, 3), rule_code, state_code, due_date::text, legal_source"
        " from marts.fct_deadline inner join marts.fct_report using (report_id) order by 1, 2",
    )
    law = "UU 1/2015 jo. UU 10/2016 Pasal 134 ayat (4)"
    rule = "Perbawaslu 8/2020 jo. Perbawaslu 9/2024"
    assert found == [
        # two days end on the 8th; the decision fell between the 9th and the 12th
        ("001", "KAJIAN_AWAL", "missed", "2024-11-08", rule),
        ("001", "LAPOR", "met", "2024-11-08", law),
        ("002", "KAJIAN_AWAL", "met", "2024-11-08", rule),
        ("002", "LAPOR", "met", "2024-11-08", law),
        ("003", "KAJIAN_AWAL", "met", "2024-11-08", rule),
        ("003", "LAPOR", "met", "2024-11-08", law),
    ]
