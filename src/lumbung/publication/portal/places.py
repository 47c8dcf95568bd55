"""The page of all regencies, and one for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lumbung import registry
from lumbung.publication.chapters import handling, profile, regency
from lumbung.publication.model.document import Cell, Section, Table
from lumbung.publication.model.edition import Regency
from lumbung.publication.portal import archive, counts, themes
from lumbung.publication.portal.site import Site, place_path


def _section(site: Site, identifier: str) -> Section:
    """Return a chapter of the latest edition."""
    return next(s for s in site.d.sections if s.id == identifier)


def place_table(site: Site) -> Table:
    """Return the table of suspected violations and completeness by regency."""
    rows, total = site.b.by_regency(
        lambda code: [*counts.cells(site, site.violation, code), site.b.recaps(code)]
    )
    m = site.m
    return site.b.compared(
        Table(
            *("", "", m["places_caption"]),
            [m["regency"], *site.b.period_heads, m["places_recaps"]],
            rows,
            site.b.source("source_register"),
            total=total,
        )
    )


def pages(site: Site) -> Iterator[tuple[str, bytes]]:
    """Yield a page of all regencies, and one for each."""
    m, known = site.m, site.b.known
    gaps = _gaps(site)
    highest = max(
        (p.value or 0 for r in known for p in counts.by_week(site, site.violation, r.code)),
        default=0,
    )
    yield site.page(
        "wilayah.html",
        "wilayah",
        places=place_table(site),
        place_links=site.place_links(""),
        beside=[*handling.participation(site.b), *profile.vulnerability(site.b)],
        gaps=gaps,
        source=counts.source(site, site.violation),
        series=[
            counts.series(
                site,
                *(site.violation, r.code),
                name=site.b.place[r.code],
                identifier=f"w-{r.code}",
                top=highest,
            )
            for r in known
        ],
    )
    near = [(site.b.place[r.code], f"{r.code}.html") for r in known]
    for n, r in enumerate(known):
        theme_table, links = _regency_themes(site, r)
        identifier = r.code.replace(".", "-")
        section = _section(site, f"kab-{identifier}")
        brief = next(s for s in site.d.bulletin if s.id == f"ringkas-{identifier}")
        restated = [
            s for s in site.e.restatements if s.period != "to_date" and s.regency_code == r.code
        ]
        caption = m("regency_restated", count=m.number(len(restated)))
        table = archive.revisions(site, caption, restated)
        yield site.page(
            place_path(r),
            "satu-wilayah",
            "wilayah.html",
            name=regency.title(site.b, r),
            stats=counts.stats(site, site.key_measures, site.b, r.code),
            gaps=gaps,
            series=[
                counts.series(site, measure, r.code)
                for measure in site.measures
                if not registry.metrics()[measure.code].is_detail
            ],
            brief=brief.lead,
            # the note of the printed table is of the PDF
            needs=[replace(t, notes=[m["need_note"]]) for t in brief.tables],
            tables=section.tables,
            said=section.paragraphs,
            themes=theme_table,
            theme_links=links,
            restated=table,
            before=near[n - 1] if n else None,
            after=near[n + 1] if n + 1 < len(near) else None,
        )


def _gaps(site: Site) -> str:
    """Say since when editions hold weeks by regency, and which weeks are shorter."""
    points = counts.by_week(site, site.violation, site.b.known[0].code)
    text = site.m("gaps_since", day=points[0].day)
    if any(point.value is None for point in points):
        text += f" {site.m['gaps_line']}"
    return " ".join([text, *site.m.short_weeks(site.e, (point.week_id for point in points))])


def _regency_themes(site: Site, regency: Regency) -> tuple[Table, list[str]]:
    """Return a regency's themes with at least one case, and the links to their pages."""
    m = site.m
    codes = [
        code
        for code in themes.ranked(site)
        if site.e.metric("suspected_violation_by_issue", code, regency.code).to_date
    ]
    table = Table(
        *("", "", m("regency_themes_caption", name=site.b.place[regency.code])),
        [m["theme"], *site.b.period_heads],
        [
            [Cell(site.e.issues[c]), *counts.cells(site, themes.of_theme(site, c), regency.code)]
            for c in codes
        ],
        site.b.source("source_register", regency.code),
        notes=[m["issue_note"]],
    )
    return site.b.compared(table), [f"../tema/{code}.html" for code in codes]
