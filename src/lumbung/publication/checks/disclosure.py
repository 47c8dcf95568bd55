"""Suppress what could identify a person: small cells of districts, and details of few cases.

The table has districts as rows and groups of themes as columns, and counts cases: a case with three
themes of a group counts once. The sum of a column is known or bounded by the regency's metrics. So
a hidden cell is always hidden together with another one, and cannot be computed by subtraction,
even with knowledge of this rule.

A case in two groups connects their columns: when all three cases of one group are in one district,
the case that it shares with the other group is in that district too. Columns that leave only one
possible district for a case are therefore hidden together. tests/publication/test_disclosure.py
attacks both rules.

**Across editions.** A table that is extended every week would disclose hidden cells by its changes:
when a regency's sum rises by one and a hidden cell appears as 3, it was 2. So districts are
published in periods of `WEEKS` weeks that do not overlap, each after its end. A published period is
repeated unchanged, whatever becomes known later. Each case is in one table, and all editions
together disclose no more about a district than the table of its period.

**Details by regency.** How many cases a regency has of each theme is published every week. What
else is known of them (`Metric.is_detail`: origin, type, context, registration, result, forwarding)
would describe the one case of a week completely. It is published for the same periods as the
districts, and not at all for a regency with `few_cases`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lumbung import registry

WEEKS = 4
"""Weeks of one period. The larger counts of four weeks leave fewer cells hidden than one week's."""

MORE_ACTIVITIES = 3
"""How many activities a published comparison of before and after needs more to be replaced."""

OTHER = "LAIN"
"""The group of a theme that the seed `issue` no longer lists."""


def groups() -> list[str]:
    """Return the groups of themes, in order."""
    return [*registry.vocabulary("issue_group")]


def groups_of_issues() -> dict[str, str]:
    """Return the group of each theme."""
    return registry.attribute("issue", "issue_group_code")


def group_of(code: str) -> str:
    """Return the group of a theme; for a group, the group itself."""
    return code if code in groups() else groups_of_issues().get(code, OTHER)


def suppress(values: Sequence[int], threshold: int) -> list[int | None]:
    """Return the cells of one column whose sum is public, with None for hidden ones.

    Counts from 1 to `threshold - 1` are hidden. If these are all equal, every cell with the next
    higher count is hidden too. If no count is at or above the threshold, the whole column is
    hidden, zeros included. What is hidden depends on the values only, never on the districts:
    exchanging two hidden cells gives the same output, so neither can be identified.

    Args:
        values: counts, none negative.
        threshold: the lowest count above zero that may be published, at least 3.

    """
    hidden = {value for value in values if 0 < value < threshold}
    others = [value for value in values if value >= threshold]
    if hidden and not others:
        return [None] * len(values)
    if len(hidden) == 1:
        hidden.add(min(others))
    return [None if value in hidden else value for value in values]


def period(weeks: Sequence[str]) -> tuple[str, str] | None:
    """Return the first and last week of the newest period that has ended, None before that.

    Args:
        weeks: every counted week up to the edition's, in order.

    """
    ended = len(weeks) // WEEKS * WEEKS
    return (weeks[ended - WEEKS], weeks[ended - 1]) if ended else None


def few_cases(cases: Mapping[str, int], threshold: int) -> list[str]:
    """Return the regencies whose cases of a period are too few for their details to be published.

    These are the regencies with 1 to `threshold - 1` cases. The province's details less those of
    the other regencies are theirs together, so regencies with more cases are added, the fewest
    first, until there are two regencies and `threshold` cases. Nothing is hidden by what the
    details are: how many cases a regency has is public.

    Args:
        cases: how many cases each regency has.
        threshold: the lowest number of cases whose details may be published, at least 3.

    """
    ranked = sorted((count, regency) for regency, count in cases.items() if count)
    hidden = [regency for count, regency in ranked if count < threshold]
    total = sum(count for count, _ in ranked[: len(hidden)])
    for count, regency in ranked[len(hidden) :]:
        if not hidden or (len(hidden) > 1 and total >= threshold):
            break
        hidden.append(regency)
        total += count
    return sorted(hidden)


def district_metrics(
    cases: Iterable[tuple[str, str, str, str]],
    districts: Iterable[tuple[str, str, str]],
    threshold: int,
) -> list[tuple[str, str, str, str, int | None]]:
    """Return every district of every regency by group of themes, with small cells suppressed.

    Args:
        cases: regency, district (empty where it is not known), group of themes and case; one row
            per case and group.
        districts: regency, code and name of each district.
        threshold: as `suppress`.

    Returns:
        regency, district, its name, group and count, None where the count is hidden. Regencies with
        cases of unknown district have a row for them.

    """
    found: dict[tuple[str, str, str], set[str]] = {}
    of_cases: dict[str, dict[str, set[str]]] = {}
    for regency, district, group, case in cases:
        found.setdefault((regency, district, group), set()).add(case)
        of_cases.setdefault(regency, {}).setdefault(case, set()).add(group)
    rows: dict[str, list[tuple[str, str]]] = {}
    for regency, district, name in sorted(districts):
        rows.setdefault(regency, []).append((district, name))
    for regency, known in rows.items():
        if any(r == regency and not d for r, d, _ in found):
            known.append(("", ""))
    result: list[tuple[str, str, str, str, int | None]] = []
    for regency, known in rows.items():
        columns = {
            group: suppress([len(found.get((regency, d, group), ())) for d, _ in known], threshold)
            for group in groups()
        }
        _hide_located(columns, of_cases.get(regency, {}).values())
        result += [
            (regency, district, name, group, value)
            for group, column in columns.items()
            for (district, name), value in zip(known, column, strict=True)
        ]
    return result


def _hide_located(
    columns: dict[str, list[int | None]], groups_of_cases: Iterable[set[str]]
) -> None:
    """Hide the columns of a case when they leave one possible district and one hides a cell."""
    several = {frozenset(groups) for groups in groups_of_cases if len(groups) > 1}
    while True:
        located: set[str] = set()
        for groups in several:
            cells = [*zip(*(columns[group] for group in groups), strict=True)]
            possible = sum(0 not in row for row in cells)
            if possible == 1 and any(None in row for row in cells):
                located |= groups
        visible = {g for g in located if any(value is not None for value in columns[g])}
        if not visible:
            return
        columns |= {group: [None] * len(columns[group]) for group in visible}
