"""Metrics that others published: those that reconcile pass, the others are caught by name."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from lumbung.settings import Settings
from lumbung.warehouse.build import build
from tests.warehouse.conftest import query

# domain.md 6, read by a person
WRONG = {
    "babel_campaign_events_by_method_2024_11_06",  # 772 + 38 + 7 = 817, not 832
    "babel_preventions_2024_11_06",  # 455 or 445
    "babel_campaign_events_by_election_2024_11_25",  # 1,310 + 337 = 1,647, not 1,649
    "babel_suspected_violations_by_regency_2024_11_25",  # 11, not 12
    "babel_suspected_violations_growth_laspela_2024_11_25",  # 9 + 9 is not 12
    "national_money_politics_first_restated_2024_12_05",  # 71, then 59
    "national_violations_by_type_2024_12_04",  # 902 types of 803 violations
    "national_village_heads_2024_12_05",  # parts of 158, total 147
}
Demo = tuple[str, Settings, dict[str, Any]]
TEST = "claims_reconcile_as_stated"


def caught(demo: Demo) -> set[str]:
    """The claims that the check names now."""
    url, settings, _ = demo
    build(settings=settings, database_url=url, select=TEST)
    return {name for (name,) in query(url, f"select claim_code from checks.{TEST}")}


@pytest.fixture(scope="module")
def claims(demo: Demo) -> set[str]:
    rows = query(demo[0], "select distinct claim_code from reference.published_metric")
    assert len(rows) >= 20
    return {name for (name,) in rows}


def test_every_claim_is_as_stated(demo: Demo, claims: set[str]) -> None:
    assert caught(demo) == set()
    wrong = query(
        demo[0], "select distinct claim_code from reference.published_metric where not reconciles"
    )
    assert {name for (name,) in wrong} == WRONG


def test_what_does_not_reconcile_is_caught_by_name(demo: Demo, claims: set[str]) -> None:
    with psycopg.connect(demo[0]) as connection:
        connection.execute("create table public.kept as select * from reference.published_metric")
        connection.execute("update reference_next.published_metric set reconciles = true")
    try:
        assert caught(demo) == WRONG
        with psycopg.connect(demo[0]) as connection:
            connection.execute(
                "update reference_next.published_metric set value = value + 1 where role = 'total'"
            )
        # 803 + 1 is still not 902, nor 12 + 1 = 9 + 9; nothing agrees by chance
        assert caught(demo) == claims
    finally:
        with psycopg.connect(demo[0]) as connection:
            connection.execute("truncate reference_next.published_metric")
            connection.execute("insert into reference_next.published_metric table public.kept")
            connection.execute("drop table public.kept")
