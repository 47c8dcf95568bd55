"""The page of all themes, and one for each."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from lumbung.publication.chapters import activity
from lumbung.publication.model.document import Cell, Table
from lumbung.publication.portal import counts
from lumbung.publication.portal.site import Measure, Site


def of_theme(site: Site, code: str) -> Measure:
    """Return the measure of a theme's suspected violations."""
    name = site.violation.name
    return Measure(f"tema-{code}", name, "suspected_violation_by_issue", (code,))


def ranked(site: Site) -> list[str]:
    """Return the codes of themes, the most frequent since the first week first."""
    return [code for code, _, _ in site.b.ranked_issues("to_date")]


def theme_table(site: Site, home: str) -> tuple[Table, list[str]]:
    """Return the table of the province's themes, and the links to their pages."""
    m, codes = site.m, ranked(site)
    table = Table(
        *("", "", m["themes_caption"]),
        [m["theme"], *site.b.period_heads],
        [
            [Cell(site.e.issues[c]), *counts.cells(site, of_theme(site, c), site.e.area_code)]
            for c in codes
        ],
        site.b.source("source_register"),
        notes=[m["issue_note"]],
    )
    return site.b.compared(table), [f"{home}tema/{code}.html" for code in codes]


def pages(site: Site) -> Iterator[tuple[str, bytes]]:
    """Yield a page of all themes, and one for each."""
    m = site.m
    table, links = theme_table(site, "")
    tables, paragraphs = activity.effects(site.b)
    yield site.page(
        *("tema.html", "tema"),
        themes=table,
        theme_links=links,
        effects=tables,
        effects_absent=paragraphs,
    )
    codes = ranked(site)
    near = [(site.e.issues[code], f"{code}.html") for code in codes]
    for n, code in enumerate(codes):
        rows, total = site.b.by_regency(partial(counts.cells, site, of_theme(site, code)))
        yield site.page(
            f"tema/{code}.html",
            "satu-tema",
            "tema.html",
            name=site.e.issues[code],
            stats=counts.stats(site, [of_theme(site, code)], site.b),
            series=counts.series(site, of_theme(site, code), site.e.area_code),
            places=site.b.compared(
                Table(
                    *("", "", m("theme_caption", name=site.e.issues[code])),
                    [m["regency"], *site.b.period_heads],
                    rows,
                    site.b.source("source_register"),
                    total=total,
                    notes=[m["issue_note"]],
                )
            ),
            place_links=site.place_links("../"),
            before=near[n - 1] if n else None,
            after=near[n + 1] if n + 1 < len(near) else None,
        )
