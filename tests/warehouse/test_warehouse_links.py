"""Cases that two channels told of one event: found, measured, decided on, never merged."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from lumbung.errors import ConfigurationError
from lumbung.settings import Settings
from lumbung.warehouse.build import build
from lumbung.warehouse.links import decide
from warehouse.conftest import query

Demo = tuple[str, Settings, dict[str, Any]]
KEY = (
    "channel", "record_kind", "register_number", "regency_code", "district_code",
    "occurred_date", "received_date", "issues",
)  # fmt: skip
PAIRS = "select report_id_a, report_id_b, state_code from marts.mart_report_pair"


def measure(url: str, truth: dict[str, Any]) -> tuple[int, int, int]:
    """Pairs found rightly, found, and true; cases alike in every fact stand for each other."""
    rows = query(
        url,
        "select report_id, channel, record_kind, lower(register_number), regency_code,"
        " district_code, occurred_date::text, received_date::text,"
        " array(select issue_code from marts.bridge_report_issue as b"
        "  where b.report_id = r.report_id order by 1) from marts.fct_report as r",
    )
    keys = {row[0]: (*row[1:-1], tuple(row[-1])) for row in rows}

    def key(report: dict[str, Any]) -> tuple[Any, ...]:
        values = [report[name] for name in KEY[:-1]]
        values[2] = values[2] and values[2].lower()
        return (*values, tuple(report["issues"]))

    true = defaultdict(int)
    for first, second in truth["links"]:
        true[frozenset((key(truth["reports"][first]), key(truth["reports"][second])))] += 1
    found = [frozenset((keys[a], keys[b])) for a, b, _ in query(url, PAIRS)]
    right = sum(min(count, found.count(pair)) for pair, count in true.items())
    return right, len(found), len(truth["links"])


def test_most_pairs_are_found_and_most_found_are_pairs(demo: Demo) -> None:
    right, found, true = measure(demo[0], demo[2])
    assert true == 18
    assert right / true >= 0.95
    assert right / found >= 0.8


def test_people_decide_and_nothing_is_merged(demo: Demo) -> None:
    url, settings, _ = demo
    before = query(url, "select * from marts.fct_report order by report_id")
    figures = query(url, "select * from reporting.rpt_figure order by 1, 2, 3, 4, 5")
    (a, b, _), (c, d, _), *_ = query(url, PAIRS + " where score = 1 order by 1, 2")
    (stranger,) = query(
        url,
        "select report_id from marts.fct_report where report_id not in (%s, %s)"
        " and regency_code <> (select regency_code from marts.fct_report where report_id = %s)"
        " order by 1 limit 1",
        a, b, a,
    )[0]  # fmt: skip

    def states() -> dict[frozenset[str], str]:
        build(settings=settings, database_url=url)
        return {frozenset((a, b)): state for a, b, state in query(url, PAIRS)}

    decide(url, b, a, "same_event", by="analis rekaan")
    decide(url, c, d, "different", by="analis rekaan", note="dua kejadian")
    decide(url, a, stranger, "same_event", by="analis rekaan")
    found = states()
    assert found[frozenset((a, b))] == "same_event"
    assert found[frozenset((c, d))] == "different"
    assert found[frozenset((a, stranger))] == "same_event"  # no candidate: a person says so

    decide(url, a, b, "undone", by="analis rekaan")
    decide(url, a, stranger, "undone", by="analis rekaan")
    found = states()
    assert found[frozenset((a, b))] == "candidate"
    assert found[frozenset((c, d))] == "different"
    assert frozenset((a, stranger)) not in found
    assert query(url, "select * from marts.fct_report order by report_id") == before
    assert query(url, "select * from reporting.rpt_figure order by 1, 2, 3, 4, 5") == figures
    assert query(url, "select count(*), count(distinct decided_by) from ops.link_decision") == [
        (5, 1)
    ]


def test_only_two_cases_that_exist_are_linked(demo: Demo) -> None:
    (known,) = query(demo[0], "select min(report_id) from marts.fct_report")[0]
    for other in (known, "0" * 32):
        with pytest.raises(ConfigurationError, match="two different cases"):
            decide(demo[0], known, other, "same_event", by="analis rekaan")
