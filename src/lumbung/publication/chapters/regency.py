"""The page of a regency: a summary, its main metrics, its districts by group of themes."""

from __future__ import annotations

from fractions import Fraction

from lumbung import registry
from lumbung.publication.chapters import profile
from lumbung.publication.chapters.builder import FEW, PERIODS, ChapterBuilder, lower
from lumbung.publication.model.document import Cell, Section, Table
from lumbung.publication.model.edition import QUOTIENT_PLACES, DistrictMetric, Profile, Regency


def title(b: ChapterBuilder, regency: Regency) -> str:
    """Return a regency's full name: `Kabupaten Bangka`, `Bangka Regency`."""
    for kind in ("kabupaten", "kota"):
        if regency.name.lower().startswith(f"{kind} "):
            return b.m(kind, name=b.place[regency.code])
    return regency.name


def regency(b: ChapterBuilder, regency: Regency) -> Section:
    """Return the page of a regency."""
    m = b.m
    name = b.place[regency.code]
    metrics = Table(
        *b.number_table("metrics", regency.code),
        m("regency_caption", name=name),
        [m["metric"], *b.period_heads],
        [
            [
                Cell(b.full_name(code, category)),
                *(b.cell(code, category, regency.code, p) for p in PERIODS),
            ]
            for code, metric in registry.metrics().items()
            if "wilayah" in metric.sections
            for category in registry.categories(code)
        ],
        b.source("source_all", regency.code),
        notes=b.zeros_unknown([regency] if not regency.is_unknown else []),
        sheet="regency",
        subject=name,
        sheet_source=b.source("source_all"),
    )
    by_district, paragraphs = districts(b, regency)
    return Section(
        f"kab-{regency.code.replace('.', '-')}",
        m("regency_detail", name=title(b, regency)),
        *([], [metrics, *themes(b, regency), *by_district]),
        paragraphs,
        lead=narrative(b, regency),
    )


def districts(b: ChapterBuilder, regency: Regency) -> tuple[list[Table], list[str]]:
    """Return the table of districts; where it has no number above 0, a sentence in its place."""
    m, name = b.m, b.place[regency.code]
    if not b.e.district_weeks:
        return [], []
    cells = {(d.district_code, d.group_code): d for d in b.district_cells[regency.code]}
    (first, _), (_, last) = map(b.e.days_of, b.e.district_weeks)
    threshold, range_ = b.e.district_threshold, m.week_range(first, last)
    counts = {cell.count for cell in cells.values()}
    if counts <= {0, None} and None in counts:
        return [], [m("district_none", range=range_, threshold=threshold)]
    names = {code: cell.district_name for (code, _), cell in cells.items()}
    # The edition may be older than a group.
    frozen = {d.group_code for d in b.e.district_metrics}
    groups = {code: text for code, text in m.terms("issue_group").items() if code in frozen}
    notes = [m[f"group_counts_{b.e.district_unit}"], m("district_note", threshold=threshold)]
    table = Table(
        *b.number_table("districts", regency.code),
        m("district_caption", name=name, range=range_),
        [m["district"], *groups.values()],
        [
            [
                Cell(names[code] or m["unknown_place"]),
                *(district_cell(b, cells[code, group]) for group in groups),
            ]
            for code in sorted(names, key=lambda code: (not code, code))
        ],
        b.source("source_register", regency.code),
        notes=notes,
        sheet="districts",
        subject=name,
        sheet_source=b.source("source_register"),
    )
    return [table], []


def themes(b: ChapterBuilder, regency: Regency) -> list[Table]:
    """Compare the themes of a regency's cases with the province."""
    m = b.m
    profiles = [p for p in b.profiles_of[regency.code] if p.cases or p.is_marked]
    if not profiles:
        return []
    heads = ("cases", "share", "province", "quotient", "judgement", "trend")
    notes = [m["regency_themes_note"], *profile.trend_weeks(b)]
    return [
        Table(
            *b.number_table("themes", regency.code),
            m("regency_themes", name=b.place[regency.code]),
            [m["theme"], *(m[f"profile_{head}"] for head in heads)],
            [theme_row(b, p) for p in sorted(profiles, key=lambda p: (-p.cases, p.issue_code))],
            b.source("source_all", regency.code),
            notes=notes,
            sheet="themes",
            subject=b.place[regency.code],
            sheet_source=b.source("source_all"),
        )
    ]


def theme_row(b: ChapterBuilder, p: Profile) -> list[Cell]:
    """Return the row of a theme, with whether it stands out in the regency."""
    _, *cells, trend, _ = profile.profile_row(b, p)
    return [*cells, Cell(b.m["stands_out" if p.is_marked else "stands_out_not"]), trend]


def narrative(b: ChapterBuilder, regency: Regency) -> list[str]:
    """Return sentences that summarise a regency's week from its metrics."""
    m = b.m
    code = regency.code
    cases = b.e.metric("suspected_violation", "ALL", code)
    sentences = [
        m(
            "regency_violation",
            value=m.number(cases.week),
            change=b.moved(cases),
            to_date=m.number(cases.to_date),
        )
    ]
    voters = sum(r.voters for r in b.known)
    if regency.voters:
        province = b.e.metric("suspected_violation").to_date
        rate = m(
            "regency_rate",
            rate=m.decimal(Fraction(100_000 * cases.to_date, regency.voters)),
            province=m.decimal(Fraction(100_000 * province, voters)),
        )
        few = f" {m('regency_few', bound=FEW)}" if cases.to_date < FEW else ""
        sentences.append(rate + few)
    profiles = b.profiles_of[code]
    if profiles:
        themes = [
            m(
                "regency_theme_tips" if p.is_by_tips else "regency_theme",
                issue=lower(b.e.issues[p.issue_code]),
                times=m.decimal(p.quotient, QUOTIENT_PLACES),
                trend=m[p.trend_code],
            )
            for p in b.marked
            if p.regency_code == code
        ]
        sentences.append(
            m(
                "regency_profile" if themes else "regency_profile_none",
                themes=m.listing(themes),
                prevention=m.number(profiles[0].last_4_prevention),
            )
        )
    missing = [
        m("missing_since", district=s.district_name, week=b.recap(s.last_week))
        if s.last_week
        else m("missing_never", district=s.district_name)
        for s in b.missing[code]
    ]
    sentences.append(
        m("regency_missing", districts=m.listing(missing))
        if missing
        else b.of_recaps("point_complete_all")
    )
    return sentences


def district_cell(b: ChapterBuilder, cell: DistrictMetric) -> Cell:
    """Return the cell of a count below regency level, or of its suppression."""
    text = b.m["suppressed"] if cell.count is None else b.m.number(cell.count)
    reference = f"district/{cell.district_code or cell.regency_code}/{cell.group_code}/weeks"
    explanation = b.explanation(cell.count, reference) or b.m["explanation_district"]
    return Cell(text, True, reference, cell.count, explanation)
