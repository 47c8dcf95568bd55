"""What became of the cases of a theme where prevention activities against it were held.

A difference in differences: districts with an activity are compared with districts that had none
near it, four weeks before and after. `docs/explanation/prevention-effect.md` has the assumptions,
and how often the method is wrong.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import psycopg

from lumbung import database
from lumbung.errors import ConfigurationError

SPAN = 4
"""Weeks before the week of an activity, and after it, that are compared."""
MIN_ACTIVITIES = 5
MIN_CASES = 10
"""Below these an interval was too seldom right (`benchmarks/judge_effects.py`)."""
LEVEL = 0.95
ASSUMPTIONS = (
    "without the activities, cases in these districts would have changed as in the others; no"
    " activity answered a sudden rise, which would have fallen by itself; and activities changed"
    " what happens, not how much of it is reported."
)


class Counts(NamedTuple):
    """Cases in the four weeks before and in the four weeks after."""

    before: int
    after: int


class Comparison(NamedTuple):
    """Districts of one week: those with an activity in it, and those with none within four weeks.

    Both are counts by district code.
    """

    treated: Mapping[str, Counts]
    control: Mapping[str, Counts]


class Effect(NamedTuple):
    """How the cases changed with an activity, compared with how they changed without.

    Attributes:
        activity_count: activities that are compared: the first of its district in four weeks, with
            four whole weeks before and after.
        treated: cases in districts with an activity.
        control: cases in districts without; a district is counted for each week that it serves.
        ratio: change with an activity divided by change without; 1 is no difference, below 1 is
            fewer cases. None where the counts are too small for an interval.
        low: lower bound of the 95 % interval of the ratio; None as `ratio`.
        high: upper bound; None as `ratio`.

    """

    activity_count: int
    treated: Counts
    control: Counts
    ratio: float | None
    low: float | None
    high: float | None


def measure(database_url: str, issue_code: str) -> Effect:
    """Compare the districts with an activity against a theme with those without.

    Args:
        database_url: the warehouse; an account sees the districts of its own regencies.
        issue_code: a theme of `marts.dim_issue`.

    Raises:
        ConfigurationError: when there is no such theme.

    """
    with database.connect(database_url, application="lumbung prevention effect") as connection:
        found = effects(connection)
    if issue_code not in found:
        raise ConfigurationError(
            f"there is no theme {issue_code!r}",
            where="marts.dim_issue",
            remediation=f"choose one of {', '.join(found)}",
        )
    return found[issue_code]


def effects(
    connection: psycopg.Connection, *, until: str = "", marts: str = "marts", province: str = ""
) -> dict[str, Effect]:
    """Compare, for each theme, the districts with an activity against it with those without.

    Cases count in the week of their receipt, like everywhere. Cases and activities without a
    district are left out, and so are weeks that have not ended.

    Args:
        connection: to the warehouse.
        until: the last week that is read; empty: all.
        marts: the schema that is read.
        province: the code of the province whose districts are compared; empty: every district that
            the account may read.

    """

    def read(query: str) -> list[tuple[Any, ...]]:
        return connection.execute(
            query.replace("marts.", f"{marts}.").encode(), {"province": province}
        ).fetchall()

    issues = read("select issue_code from marts.dim_issue order by 1")
    weeks = [
        week_id
        for (week_id,) in read("select distinct week_id from marts.agg_prevention_need order by 1")
        if not until or week_id <= until
    ]
    districts = [
        code
        for (code,) in read(
            "select district_code from marts.dim_district"
            " where starts_with(district_code, %(province)s)"
        )
    ]
    cases = read(
        "select issue_code, district_code, week_id, count(*) from marts.fct_report"
        " inner join marts.bridge_report_issue using (report_id)"
        " where starts_with(district_code, %(province)s) group by 1, 2, 3"
    )
    activities = read(
        "select distinct issue_code, district_code, week_id from marts.fct_prevention"
        " inner join marts.bridge_prevention_issue using (prevention_id)"
        " where starts_with(district_code, %(province)s)"
    )
    number = {week_id: place for place, week_id in enumerate(weeks)}
    found = {}
    for (issue,) in issues:
        weekly = {district: [0] * len(weeks) for district in districts}
        held: defaultdict[str, set[int]] = defaultdict(set)
        for theme, district, week_id, count in cases:
            if theme == issue and week_id in number:
                weekly[district][number[week_id]] = count
        for theme, district, week_id in activities:
            if theme == issue and week_id in number:
                held[district].add(number[week_id])
        found[issue] = estimate(comparisons(weekly, held))
    return found


def comparisons(
    cases: Mapping[str, Sequence[int]], activities: Mapping[str, Collection[int]]
) -> list[Comparison]:
    """The districts to compare, for each week in which an activity was held.

    Args:
        cases: by district, the number of each week, the first week first.
        activities: by district, the numbers of the weeks with an activity, from 0.

    """
    found = []
    for week in range(SPAN, min(map(len, cases.values()), default=0) - SPAN):
        treated, control = {}, {}
        for district, counts in cases.items():
            near = {
                each - week for each in activities.get(district, ()) if abs(each - week) <= SPAN
            }
            pair = Counts(sum(counts[week - SPAN : week]), sum(counts[week + 1 : week + 1 + SPAN]))
            if not near:
                control[district] = pair
            elif min(near) == 0:
                treated[district] = pair
        if treated and control:
            found.append(Comparison(treated, control))
    return found


def estimate(found: Sequence[Comparison]) -> Effect:
    """The ratio of the changes over all weeks (Mantel-Haenszel), and its interval.

    Its standard error comes from leaving out one district at a time (jackknife): weeks and
    districts are compared more than once, and cases come in clusters. The interval is Student's,
    with as many degrees of freedom as there are activities less one.
    """
    totals = [(_sum(each.treated.values()), _sum(each.control.values())) for each in found]
    activity_count = sum(len(each.treated) for each in found)
    treated, control = _sum(each for each, _ in totals), _sum(each for _, each in totals)
    ratios = [_ratio(totals)]
    for district in {name for each in found for name in (*each.treated, *each.control)}:
        without = [
            (
                _less(total[0], each.treated.get(district)),
                _less(total[1], each.control.get(district)),
            )
            for each, total in zip(found, totals, strict=True)
        ]
        ratios.append(_ratio(without))
    logs = [math.log(ratio) for ratio in ratios if ratio is not None]
    if activity_count < MIN_ACTIVITIES or sum(treated) < MIN_CASES or len(logs) < len(ratios):
        return Effect(activity_count, treated, control, None, None, None)
    from scipy.stats import t as student

    centre, *others = logs
    error = math.sqrt(
        (len(others) - 1) / len(others) * sum((each - centre) ** 2 for each in others)
    )
    margin = float(student.ppf((1 + LEVEL) / 2, activity_count - 1)) * error
    return Effect(
        *(activity_count, treated, control),
        *(math.exp(centre), math.exp(centre - margin), math.exp(centre + margin)),
    )


def _sum(counts: Iterable[Counts]) -> Counts:
    before = after = 0
    for each in counts:
        before, after = before + each.before, after + each.after
    return Counts(before, after)


def _less(total: Counts, part: Counts | None) -> Counts:
    return Counts(total.before - part.before, total.after - part.after) if part else total


def _ratio(totals: Sequence[tuple[Counts, Counts]]) -> float | None:
    """The Mantel-Haenszel ratio of the changes; None where the counts are too small for one."""
    more = less = 0.0
    for treated, control in totals:
        whole = sum(treated) + sum(control)
        if whole:
            more += treated.after * control.before / whole
            less += treated.before * control.after / whole
    return more / less if more and less else None
