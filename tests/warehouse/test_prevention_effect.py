"""Cases before and after prevention activities, compared with districts that had none."""

from __future__ import annotations

import psycopg
import pytest

from lumbung import database
from lumbung.errors import ConfigurationError
from lumbung.warehouse.prevention_effect import (
    Comparison,
    Counts,
    Effect,
    comparisons,
    estimate,
    measure,
)
from tests.support.contracts import create_tables

NINE = [1, 2, 0, 1, 7, 0, 1, 0, 1]
"""Cases of nine weeks: four before week 4 and two after it."""


def test_weeks_before_and_after_are_whole_and_the_week_itself_is_left_out() -> None:
    cases = {"a": NINE, "b": NINE[::-1], "early": NINE, "late": NINE}
    found = comparisons(cases, {"a": [4], "early": [3], "late": [5]})
    # "early" and "late" had an activity within four weeks of week 4, so they are no control of it,
    # and have no four weeks of their own on both sides
    assert found == [Comparison({"a": Counts(4, 2)}, {"b": Counts(2, 4)})]


def test_only_the_first_activity_of_a_series_is_compared() -> None:
    weeks = [1] * 20
    found = comparisons({"a": weeks, "b": weeks}, {"a": [5, 7, 15]})
    assert [(sorted(each.treated), sorted(each.control)) for each in found] == [
        (["a"], ["b"]),
        (["a"], ["b"]),
    ]


def test_the_ratio_is_that_of_mantel_and_haenszel() -> None:
    first = Comparison(
        {f"t{n}": Counts(8, 4) for n in range(5)}, {f"c{n}": Counts(4, 4) for n in range(10)}
    )
    second = Comparison({"u": Counts(10, 2)}, {f"d{n}": Counts(3, 6) for n in range(4)})
    found = estimate([first, second])
    # by hand: 20 * 40 / 140 + 2 * 12 / 48 = 6.2143, and 40 * 40 / 140 + 10 * 24 / 48 = 16.4286
    assert found.ratio == pytest.approx(6.2143 / 16.4286, abs=1e-4)
    assert found.activity_count == 6
    assert (found.treated, found.control) == (Counts(50, 22), Counts(52, 64))


def test_before_and_after_exchanged_turn_the_ratio_over() -> None:
    def turned(each: Counts) -> Counts:
        return Counts(each.after, each.before)

    treated = {f"t{n}": Counts(6 - n, 1 + n) for n in range(6)}
    control = {f"c{n}": Counts(2 + n % 3, 3) for n in range(9)}
    found = estimate([Comparison(treated, control)])
    other = estimate(
        [
            Comparison(
                {name: turned(each) for name, each in treated.items()},
                {name: turned(each) for name, each in control.items()},
            )
        ]
    )
    assert _three(other) == pytest.approx([1 / each for each in _three(found)][::-1])


@pytest.mark.parametrize(
    "treated",
    [
        {f"t{n}": Counts(9, 1) for n in range(4)},  # four activities
        {f"t{n}": Counts(1, 0) for n in range(9)},  # nine cases
        {f"t{n}": Counts(3, 0) for n in range(9)},  # none after: no ratio
    ],
)
def test_too_few_have_no_ratio(treated: dict[str, Counts]) -> None:
    found = estimate([Comparison(treated, {f"c{n}": Counts(5, 5) for n in range(20)})])
    assert (found.ratio, found.low, found.high) == (None, None, None)


def test_clusters_widen_the_interval() -> None:
    """All cases of the treated districts in one of them are less sure than evenly spread ones."""
    control = {f"c{n}": Counts(5, 5) for n in range(20)}
    even = estimate([Comparison({f"t{n}": Counts(4, 2) for n in range(6)}, control)])
    one = {f"t{n}": Counts(1, 1) for n in range(1, 6)} | {"t0": Counts(19, 7)}
    clustered = estimate([Comparison(one, control)])
    assert even.ratio == pytest.approx(clustered.ratio)
    assert _three(clustered)[2] / _three(clustered)[0] > 2 * _three(even)[2] / _three(even)[0]


def _three(found: Effect) -> list[float]:
    """Bounds and ratio, the smallest first."""
    return [each for each in (found.low, found.ratio, found.high) if each is not None]


@pytest.fixture
def marts(database_url: str) -> str:
    """Nine weeks; six districts of 19.71 with an activity against PU in week 4 and fewer cases."""
    with database.connect(database_url) as connection:
        create_tables(connection)
        districts = [f"19.71.{n:02}" for n in range(1, 17)]
        weeks = [f"2024-W{n}" for n in range(39, 48)]
        connection.execute("insert into marts.dim_issue (issue_code) values ('PU'), ('ASN')")
        for place, district in enumerate(districts):
            connection.execute(
                "insert into marts.dim_district (district_code) values (%s)", (district,)
            )
            for number, week in enumerate(weeks):
                fewer = place < 6 and number > 4
                _cases(connection, district, week, 1 if fewer else 2)
            if place < 6:
                _activity(connection, district, weeks[4])
        _cases(connection, None, weeks[1], 50)  # no district: nowhere to compare
        _cases(connection, districts[0], "2024-W48", 9)  # a week that has not ended
        for week in weeks:
            connection.execute(
                "insert into marts.agg_prevention_need (regency_code, issue_code, week_id)"
                " values ('19.71', 'PU', %s)",
                (week,),
            )
    return database_url


def _cases(connection: psycopg.Connection, district: str | None, week: str, count: int) -> None:
    for number in range(count):
        report = f"{district}/{week}/{number}"
        connection.execute(
            "insert into marts.fct_report (report_id, regency_code, district_code, week_id)"
            " values (%s, '19.71', %s, %s)",
            (report, district, week),
        )
        connection.execute(
            "insert into marts.bridge_report_issue"
            " (report_id, issue_code, regency_code, case_weight) values (%s, 'PU', '19.71', 1)",
            (report,),
        )


def _activity(connection: psycopg.Connection, district: str, week: str) -> None:
    connection.execute(
        "insert into marts.fct_prevention (prevention_id, regency_code, district_code, week_id)"
        " values (%s, '19.71', %s, %s)",
        (district, district, week),
    )
    connection.execute(
        "insert into marts.bridge_prevention_issue"
        " (prevention_id, issue_code, regency_code, activity_weight) values (%s, 'PU', '19.71', 1)",
        (district,),
    )


def test_the_marts_are_compared(marts: str) -> None:
    found = measure(marts, "PU")
    assert (found.treated, found.control) == (Counts(48, 24), Counts(80, 80))
    assert found.ratio == pytest.approx(0.5)


def test_a_theme_without_activities_has_no_ratio(marts: str) -> None:
    assert measure(marts, "ASN").ratio is None


def test_an_unknown_theme_is_named(marts: str) -> None:
    with pytest.raises(ConfigurationError, match="ASN, PU"):
        measure(marts, "pu")
