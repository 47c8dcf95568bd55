"""A campaign week in which nobody delivered is published: leadership must see '0 of 47' then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from lumbung.publication.chapters.assemble import document
from lumbung.publication.editions import freezing
from lumbung.publication.model import store
from lumbung.settings import Settings
from lumbung.warehouse.build import build
from lumbung.warehouse.raw_checkpoint import check_raw
from tests.warehouse.conftest import Raw, query
from tests.warehouse.test_history import Office
from tests.warehouse.test_raw_checkpoint import good, now

WEEKS = [f"2024-W{week}" for week in range(39, 48)]
"""From Monday 23 September to Sunday 24 November: the campaign, 25 September to 23 November."""


@pytest.fixture(scope="module")
def silent(new_warehouse: Callable[[], str], office: Settings) -> str:
    """Cases of the first three weeks, of which a channel's new rows are held back."""
    url = new_warehouse()
    raw = Raw(url)
    raw.land("buku", [good(n, Diterima="2024-10-09") for n in range(1, 31)], landed_at=now())
    build(settings=office, database_url=url)
    raw.land("buku", [good(n, Diterima=None) for n in range(31, 51)], landed_at=now())
    check_raw(settings=office, database_url=url)
    build(settings=office, database_url=url)
    return url


def test_every_campaign_week_that_has_come_has_metrics(silent: str) -> None:
    assert query(silent, "select distinct week_id from reporting.rpt_metric order by 1") == [
        (week,) for week in WEEKS
    ]
    assert query(
        silent,
        "select distinct week_id, count(*), count(*) filter (where is_submitted)"
        " from marts.fct_submission group by 1 order by 1",
    ) == [(week, 47, 0) for week in WEEKS]


def test_a_week_in_which_nobody_delivered_is_frozen(silent: str, office: Settings) -> None:
    edition_id = freezing.freeze("2024-W44", settings=office, database_url=silent)
    found = store.load(edition_id, database_url=silent)
    expected, submitted = found.metric("district_expected"), found.metric("district_submitted")
    assert (expected.week, submitted.week) == (47, 0)
    assert (expected.to_date, submitted.to_date) == (47 * 6, 0)  # W39 to W44
    cases = found.metric("suspected_violation")
    assert (cases.week, cases.to_date) == (0, 30)
    (section,) = [s for s in document(found).sections if s.id == "kelengkapan"]
    assert section.tables[0].caption == "Sebanyak 0 dari 47 kecamatan menyampaikan rekap pekan ini"
    # and what it cannot know is said beside
    (sentence,) = section.lead
    assert sentence.startswith("Kanal rekaan: 20 kiriman (baru, berubah, atau ditarik) sejak")
    assert "karena kolom yang biasanya terisi kini kosong" in sentence
    # frozen again it is the same edition
    assert freezing.freeze("2024-W44", settings=office, database_url=silent) == edition_id


@pytest.mark.slow
def test_a_week_that_passes_in_silence_comes_with_an_increment(
    database_url: str, office: Settings
) -> None:
    here = Office(database_url, office, 1)
    here.today = date(2024, 10, 30)  # a Wednesday of W44
    received = datetime(2024, 10, 15, tzinfo=UTC)
    Raw(database_url).land(
        "buku", [good(1, Diterima="2024-10-15")], landed_at=received + timedelta(days=1)
    )
    assert here.build()
    weeks = "select max(week_id), max(week_id) filter (where is_ended)"
    weeks += " from intermediate.int_weeks__spanned"
    assert query(database_url, weeks) == [("2024-W44", "2024-W43")]
    here.today = date(2024, 11, 11)  # the Monday after W45
    assert not here.build()
    assert query(database_url, weeks) == [("2024-W45", "2024-W45")]
