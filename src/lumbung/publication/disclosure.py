"""Small cells: a count of one or two below regency level can be a person, and is not published.

Districts by groups of themes. The sum of a group over a regency's districts is public (the
regency's figures), so a hidden cell is hidden together with others: nobody can subtract it back,
not even who knows this rule (tests/publication/test_publication_disclosure.py tries).

**Across editions.** A table that grew from week to week would give away by its differences what
each one hides: where a regency's sum rose by one and a hidden cell comes into sight as 3, it was 2.
So districts are told in periods of `WEEKS` weeks that do not overlap, each when it is over, and a
period that was published once is repeated unchanged, whatever becomes known later. Every case is
in one table, and all editions together tell of a district no more than the table of its period.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

GROUPS = {
    "UANG": ("PU",),
    "NETRAL": ("ASN", "KADES", "TNIPOL", "PENY"),
    "ISI": ("SARA", "KH"),
    "SARANA": ("APK", "FAS"),
    "LAIN": (),
}
"""The themes of each group; every other theme is in the last."""

WEEKS = 4
"""How many weeks are told together: a month's cases leave fewer cells hidden than a week's."""

GROUP_OF = {issue: group for group, issues in GROUPS.items() for issue in issues}
OTHER = "LAIN"
"""The group of every theme that is not named there."""


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


def district_figures(
    counts: Iterable[tuple[str, str, str, int]],
    districts: Iterable[tuple[str, str, str]],
    threshold: int,
) -> list[tuple[str, str, str, str, int | None]]:
    """Every district of every regency by group of themes, small cells suppressed.

    Args:
        counts: regency, district (empty where it is not known), theme and how many cases have it.
        districts: regency, code and name of each district.
        threshold: as `suppress`.

    Returns:
        regency, district, its name, group and count; None where it is not published. Cases whose
        district is not known have a row of their own where a regency has any, so that the rows sum
        to the regency's published figures.

    """
    found: dict[tuple[str, str, str], int] = {}
    for regency, district, issue, count in counts:
        key = regency, district, GROUP_OF.get(issue, OTHER)
        found[key] = found.get(key, 0) + count
    rows: dict[str, list[tuple[str, str]]] = {}
    for regency, district, name in sorted(districts):
        rows.setdefault(regency, []).append((district, name))
    for regency, known in rows.items():
        if any(r == regency and not d for r, d, _ in found):
            known.append(("", ""))
    return [
        (regency, district, name, group, value)
        for regency, known in rows.items()
        for group in GROUPS
        for (district, name), value in zip(
            known,
            suppress([found.get((regency, d, group), 0) for d, _ in known], threshold),
            strict=True,
        )
    ]
