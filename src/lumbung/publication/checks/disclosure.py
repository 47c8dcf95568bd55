"""Small cells: a count of one or two below regency level can be a person, and is not published.

Districts by groups of themes, in cases: one with three themes of a group is one case. The regency's
metrics bound the sum of a group over its districts, or are that sum, so a hidden cell is hidden
together with others: nobody can subtract it back, not even who knows this rule. A case in two
groups ties their columns: where all three cases of the one lie in a district, so does the case of
the other. Columns that leave one district for a case are therefore hidden together
(tests/publication/test_disclosure.py tries both).

**Across editions.** A table that grew from week to week would give away by its differences what
each one hides: where a regency's sum rose by one and a hidden cell comes into sight as 3, it was 2.
So districts are told in periods of `WEEKS` weeks that do not overlap, each when it is over, and a
period that was published once is repeated unchanged, whatever becomes known later. Every case is
in one table, and all editions together tell of a district no more than the table of its period.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lumbung import registry

WEEKS = 4
"""How many weeks are told together: a month's cases leave fewer cells hidden than a week's."""

OTHER = "LAIN"
"""The group of a theme that the seed `issue` does not list any more."""


def groups() -> list[str]:
    """The groups of themes, in their order."""
    return [*registry.vocabulary("issue_group")]


def groups_of_issues() -> dict[str, str]:
    """The group of each theme."""
    return registry.attribute("issue", "issue_group_code")


def group_of(code: str) -> str:
    """The group of a theme; a group is its own."""
    return code if code in groups() else groups_of_issues().get(code, OTHER)


def suppress(values: Sequence[int], threshold: int) -> list[int | None]:
    """The cells of one column whose sum is public, with None for those that are not published.

    Counts from 1 to `threshold - 1` are hidden. Are they all the same, the smallest other count
    is hidden with them, with all its equals; is there no other count, the whole column is hidden,
    zeros too. What is hidden depends on values alone, never on places: exchange two hidden cells
    and the same is shown, so that each of them might be either.

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
    """The first and last week of the newest period that is over, None before the first one is.

    Args:
        weeks: every counted week up to the edition's, in order.

    """
    over = len(weeks) // WEEKS * WEEKS
    return (weeks[over - WEEKS], weeks[over - 1]) if over else None


def district_metrics(
    cases: Iterable[tuple[str, str, str, str]],
    districts: Iterable[tuple[str, str, str]],
    threshold: int,
) -> list[tuple[str, str, str, str, int | None]]:
    """Every district of every regency by group of themes, small cells suppressed.

    Args:
        cases: regency, district (empty where it is not known), group of themes and case; a case
            once in each group of its themes.
        districts: regency, code and name of each district.
        threshold: as `suppress`.

    Returns:
        regency, district, its name, group and count; None where it is not published. Cases whose
        district is not known have a row of their own where a regency has any.

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
    """Hide a case's columns where they leave one district for it and one of them hides a cell."""
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
