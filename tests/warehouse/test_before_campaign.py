"""What came before the campaign's first day is in no metric, and an edition says so by place.

The campaign began on Wednesday, 25 September 2024, in week 39. Deadlines run by law, whenever a
case came: a reader must be able to find the cases whose deadlines are listed and nothing counts.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from lumbung.publication import trace
from lumbung.publication.chapters.assemble import document
from lumbung.publication.editions import freezing
from lumbung.publication.formats import opendata
from lumbung.publication.formats.render import render
from lumbung.publication.model import store
from lumbung.publication.model.document import Section, Table
from lumbung.publication.model.edition import Edition
from lumbung.settings import Settings
from lumbung.warehouse.build import build
from lumbung.warehouse.roles import role_url
from tests.warehouse.conftest import Raw, query
from tests.warehouse.test_raw_checkpoint import good


def case(number: int, received: str, **changes: object) -> dict[str, Any]:
    """A report that nobody has decided on: its preliminary study goes on."""
    known = {"Diterima": received, "Diketahui": received, "Kejadian": received}
    return good(number, **known, Status="Kajian awal", **changes)


CASES = [
    case(1, "2024-09-20"),
    case(2, "2024-09-24"),
    case(3, "2024-09-24", **{"Kab/Kota": "Belitung", "Kecamatan": "Sijuk", "Desa": "Sijuk"}),
    case(4, "2024-09-25"),
    case(5, "2024-11-06"),
    {**case(6, "2024-09-18"), "Nomor": "006/TM/PB/Kab/09.01/IX/2024"},
    case(7, "2024-09-19", Uraian="tes", Isu="tes", Desa="tes"),  # a test row, and nothing else
]
ACTIVITIES = [
    {"No": n, "Tanggal": day, "Kode": "19.05", "Kecamatan": "Mentok", "Kegiatan": kind}
    | {"Bentuk": form, "Keterangan": "x"}
    for n, (day, kind, form) in enumerate(
        [
            ("2024-09-24", "Pencegahan", "Imbauan lisan"),
            ("2024-09-24", "Nihil", ""),
            ("2024-09-25", "Pencegahan", "Imbauan lisan"),
            ("2024-09-10", "Pengawasan kampanye", "Tatap muka"),
        ],
        1,
    )
]
TIP = {"Tanggal": "2024-09-22", "Lokasi": "Bangka", "Isu": "politik uang", "Uraian": "beras"}


@pytest.fixture(scope="module")
def early(new_warehouse: Callable[[], str], office: Settings) -> str:
    """Three reports, a finding, a tip and two activities of before, and some of after."""
    url = new_warehouse()
    raw = Raw(url)
    raw.land("buku", CASES)
    raw.land("rekap", ACTIVITIES)
    raw.land("grup", [TIP], received_at="2024-09-23T02:00:00Z")
    build(settings=office, database_url=url)
    return url


def frozen(url: str, office: Settings, week: str) -> Edition:
    edition_id = freezing.freeze(week, settings=office, database_url=role_url(url, "publisher"))
    return store.load(edition_id, database_url=url)


def test_each_fact_is_in_the_metrics_or_before_the_campaign(early: str, office: Settings) -> None:
    assert query(
        early,
        "select channel, record_kind, regency_code, week_id from reporting.rpt_before_campaign"
        " order by 1, 2, 3, 4",
    ) == [
        ("buku", "LP", "19.01", "2024-W38"),
        ("buku", "LP", "19.01", "2024-W39"),
        ("buku", "LP", "19.02", "2024-W39"),
        ("buku", "TM", "19.01", "2024-W38"),
        ("grup", "IA", "19.01", "2024-W39"),
        ("rekap", "LHP", "19.05", "2024-W37"),
        ("rekap", "PREV", "19.05", "2024-W39"),
    ]
    assert query(
        early,
        "select channel, reason_code, week_id, record_count, reason from reporting.rpt_not_counted"
        " where reason_code = 'before_campaign' order by 1, 3",
    ) == [
        ("buku", "before_campaign", "2024-W38", 2, BEFORE),
        ("buku", "before_campaign", "2024-W39", 2, BEFORE),
        ("grup", "before_campaign", "2024-W39", 1, BEFORE),
        ("rekap", "before_campaign", "2024-W37", 1, BEFORE),
        ("rekap", "before_campaign", "2024-W39", 1, BEFORE),
    ]
    # a regency's analyst sees those of that regency
    seen = "select count(*) from reporting.rpt_before_campaign"
    assert query(role_url(early, "analyst_19_02"), seen) == [(1,)]


BEFORE = "Diterima atau dilakukan sebelum hari pertama masa kampanye"


def section(found: Edition, identifier: str) -> Section:
    return next(s for s in document(found).sections if s.id == identifier)


def cells(table: Table) -> dict[str, str]:
    return {c.metric: c.text for row in table.rows for c in row if c.metric}


def test_an_edition_counts_them_and_says_whose_deadlines_they_are(
    early: str, office: Settings
) -> None:
    found = frozen(early, office, "2024-W45")
    apart, by_place = section(found, "tidak-dihitung").tables
    assert (
        apart.caption == "Kiriman hingga pekan ini yang tidak dihitung: 8, di antaranya pekan ini 0"
    )
    assert (BEFORE, "4") in [(row[1].text, row[4].text) for row in apart.rows]
    shown = cells(by_place)
    assert shown == {  # of the province alone: a regency's would be single cases with their origin
        "before_campaign/LP/19": "3",
        "before_campaign/TM/19": "1",
        "before_campaign/IA/19": "1",
        "before_campaign/LHP/19": "1",
        "before_campaign/PREV/19": "1",
        "before_campaign/ALL/19": "7",
        "deadline/ALL/19/BEFORE_CAMPAIGN": "3",
    }
    # what is in metrics and what is before them are all the cases
    assert found.metric("suspected_violation").to_date == 2
    # and the deadlines of those cases are listed wherever deadlines are
    (point,) = [f"{a} {b}" for a, b in document(found).points if a.startswith("Batas waktu")]
    assert "dari 5 batas waktu yang berjalan atau mungkin berjalan" in point
    assert point.endswith(
        "Sebanyak 3 di antaranya berasal dari kasus yang diterima sebelum masa kampanye dan tidak "
        "dihitung dalam angka lain."
    )
    for table in section(found, "tenggat").tables:
        assert any(
            "sebelum masa kampanye (7 batas waktu, 3 di antaranya berjalan atau mungkin berjalan)"
            in note
            for note in table.notes
        )


def test_the_first_week_s_edition_counts_the_two_days_before_it(
    early: str, office: Settings
) -> None:
    found = frozen(early, office, "2024-W39")
    (row,) = [n for n in found.not_counted if (n.channel, n.reason_code) == ("buku", CODE)]
    assert (row.week, row.to_date) == (2, 4)
    assert found.metric("suspected_violation").to_date == 1


CODE = "before_campaign"


def test_every_one_of_them_leads_to_its_record(early: str, office: Settings) -> None:
    found = frozen(early, office, "2024-W45")
    _, by_place = section(found, "tidak-dihitung").tables
    numbers = cells(by_place) | {
        f"not_counted/{channel}/before_campaign/to_date": count
        for channel, count in (("buku", "4"), ("grup", "1"), ("rekap", "2"))
    }
    for reference, text in numbers.items():
        traced = trace.trace(f"{reference}@{found.edition_id}", database_url=early)
        assert len(traced.contributors) == traced.value == int(text), reference
        assert all(len(each.records) == 1 for each in traced.contributors)
        assert all(r.now == "current" for each in traced.contributors for r in each.records)
        (first, *_) = trace.lines(f"{reference}@{found.edition_id}", database_url=early)
        assert first == f"{reference}@{found.edition_id} = {text}"
    traced = trace.trace(f"before_campaign/TM/19@{found.edition_id}", database_url=early)
    (finding,) = traced.contributors
    lines = trace.lines(str(finding.records[0].record_id), database_url=early)
    assert any(f"counted in before_campaign/TM/19.01@{found.edition_id}" in s for s in lines)


def test_the_open_data_hold_them(early: str, office: Settings) -> None:
    found = frozen(early, office, "2024-W45")
    files = opendata.files(found)
    rows = [*csv.DictReader(io.StringIO(files["data/sebelum-kampanye.csv"].decode()))]
    assert Counter({(r["kode_kemendagri"], r["kode_jenis"]): int(r["jumlah"]) for r in rows}) == {
        ("kemendagri:19", "LP"): 3,
        ("kemendagri:19", "TM"): 1,
        ("kemendagri:19", "IA"): 1,
        ("kemendagri:19", "LHP"): 1,
        ("kemendagri:19", "PREV"): 1,
    }
    assert json.loads(files["data.json"])["sebelum-kampanye"] == [
        row | {"jumlah": int(row["jumlah"])} for row in rows
    ]
    deadlines = [*csv.DictReader(io.StringIO(files["data/tenggat.csv"].decode()))]
    assert {r["kode_kemendagri"] for r in deadlines} == {"kemendagri:19"}
    open_ones = [r for r in deadlines if r["kode_keadaan"] in ("OVERDUE", "MAYBE_OVERDUE")]
    assert sum(int(r["sebelum_kampanye"]) for r in open_ones) == 3
    assert sum(int(r["jumlah"]) for r in open_ones) == 5
    assert any("tidak-dihitung" in p or "Data yang tidak dihitung" in p for p in _method(files))
    english = render(dataclasses.replace(found, language="en"))
    assert english["edisi.html"]


def _method(files: dict[str, bytes]) -> list[str]:
    method: list[str] = json.loads(files["metadata.json"])["metode"]
    return method
