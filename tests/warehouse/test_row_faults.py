"""No fault of a row stops a build: each is excluded, listed or kept within bounds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from lumbung.settings import Settings
from lumbung.warehouse.build import build
from lumbung.warehouse.raw_checkpoint import check_raw
from tests.warehouse.conftest import Raw, query
from tests.warehouse.test_raw_checkpoint import good


@pytest.fixture(scope="module")
def url(new_warehouse: Callable[[], str], office: Settings) -> str:
    """The faults of both tests, past a checkpoint that holds nothing, built."""
    url = new_warehouse()
    raw = Raw(url)
    for day, received in ((2, "2024-11-01"), (10, "2024-11-08")):
        row = good(1, Diterima=received, Diketahui="2024-11-01", Status="Diregistrasi")
        raw.land("buku", [row], landed_at=datetime(2024, 11, day, 3, tzinfo=UTC), run_key=str(day))
    raw.land("buku", [good(2)], landed_at=datetime(2024, 11, 10, 3, tzinfo=UTC), run_key="10")
    tips = [good(n) | {"Nomor": None} for n in range(20)]
    raw.land("buku", [good(3, **{"Kab/Kota": None, "Kecamatan": None, "Desa": None}), *tips])
    assert check_raw(settings=office, database_url=url).holds == ()
    build(settings=office, database_url=url)
    return url


def test_a_receipt_corrected_to_after_the_first_delivery(url: str) -> None:
    """The register told the case on 2 November, and on the 10th that it was received on the 8th."""
    # what was seen on the 2nd cannot lie after the 2nd
    assert query(
        url,
        "select not_before_date, seen_date from marts.fct_status_event"
        " where to_status_code = 'diregistrasi'",
    ) == [(date(2024, 11, 2), date(2024, 11, 2))]
    assert query(
        url,
        "select count(*) from marts.fct_deadline where start_from_date > start_to_date"
        " or end_from_date > end_to_date",
    ) == [(0,)]


def test_one_blank_cell_and_a_register_of_tips_are_built(url: str) -> None:
    """A blank Kab/Kota counts in no regency; rows without a number or kind are excluded."""
    assert query(
        url,
        "select record_kind, regency_code, count(*) from marts.fct_report group by 1, 2 order by 2",
    ) == [("LP", "19.00", 1), ("LP", "19.01", 2)]
    assert query(url, "select reason_code, record_count from reporting.rpt_not_counted") == [
        ("unknown_kind", 20)
    ]
