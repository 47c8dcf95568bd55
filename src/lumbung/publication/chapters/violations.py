"""Suspected violations by regency, theme and type, since the previous edition, and as rates."""

from __future__ import annotations

from fractions import Fraction

from lumbung import registry
from lumbung.publication.chapters import charts
from lumbung.publication.chapters.builder import FEW, PERIODS, ChapterBuilder
from lumbung.publication.model.document import Cell, Chart, Section, Table


def violations(b: ChapterBuilder) -> Section:
    """Cases by regency and kind, since the previous edition, and as rates."""
    m = b.m
    code = "suspected_violation"
    rows, last = b.by_regency(lambda r: [b.cell(code, "ALL", r, p) for p in PERIODS])
    table = Table(
        *b.number_table("violation"),
        m("violation_caption", change=b.moved(b.e.metric(code))),
        [m["regency"], *b.period_heads],
        rows,
        b.source("source_register"),
        total=last,
    )
    return Section(
        "pelanggaran",
        m["violation_title"],
        [],
        [table, contexts(b), *contexts_by_regency(b), *since_previous(b), rates(b)],
        [] if b.e.previous_id else [m["delta_none"]],
    )


def contexts(b: ChapterBuilder) -> Table:
    """Reports and findings of the province, during and outside campaign events."""
    m, place = b.m, b.e.area_code
    code = "suspected_violation_by_context"
    names = m.terms("campaign_context")
    periods = ("week", "to_date")
    counts = {
        context: m.number(b.total(code, [f"{kind}_{context}" for kind in b.kinds]).week)
        for context in names
    }

    def cells(context: str, period: str) -> list[Cell]:
        codes = [f"{kind}_{context}" for kind in b.kinds]
        of_kinds = [b.cell(code, each, place, period) for each in codes]
        return [*of_kinds, b.sum_cell(code, codes, place, period)]

    rows = [
        [Cell(name), *(cell for period in periods for cell in cells(context, period))]
        for context, name in names.items()
    ]
    total = [
        cell
        for period in periods
        for cell in (
            *(b.cell("suspected_violation_by_kind", kind, place, period) for kind in b.kinds),
            b.cell("suspected_violation", "ALL", place, period),
        )
    ]
    heads = [*b.kinds.values(), m["total"]]
    return Table(
        *b.number_table("context_week"),
        m("context_week", **counts),
        [m["context"], *heads, *heads],
        rows,
        b.source("source_register"),
        groups=[("", 1), (m["this_week"], len(heads)), (m["to_date"], len(heads))],
        total=[Cell(m["total"]), *total],
        notes=[m["context_note"]],
    )


def contexts_by_regency(b: ChapterBuilder) -> list[Table]:
    """Reports and findings by regency, during and outside campaign events, in the last period."""
    m, e = b.m, b.e
    if not e.details or not e.district_weeks:
        return []
    code = "suspected_violation_by_context"
    names = m.terms("campaign_context")
    (first, _), (_, last) = map(e.days_of, e.district_weeks)
    rows, total = b.by_regency(
        lambda r: [
            *(b.detail(code, f"{kind}_{context}", r) for kind in b.kinds for context in names),
            b.detail("suspected_violation", "ALL", r),
        ]
    )
    heads = [*names.values()]
    return [
        Table(
            *b.number_table("context_to_date"),
            m("context_to_date", range=m.week_range(first, last)),
            [m["regency"], *heads, *heads, m["total"]],
            rows,
            b.source("source_register"),
            groups=[("", 1), *((kind, len(heads)) for kind in b.kinds.values()), ("", 1)],
            total=total,
            notes=[m["context_note"], m("detail_note", threshold=e.district_threshold)],
        )
    ]


def since_previous(b: ChapterBuilder) -> list[Table]:
    """Counts to date: those of the previous edition + this week + changes of other weeks."""
    e, m = b.e, b.m
    if e.previous_id is None:
        return []
    rows = []
    for code, metric in registry.metrics().items():
        if "perbandingan" not in metric.sections:
            continue
        categories = [*registry.categories(code)]
        now = b.total(code, categories)
        keys = [(code, category, b.e.area_code) for category in categories]
        was = sum(e.previous.get(key, 0) for key in keys)
        if any(key not in e.previous for key in keys):
            continue  # the previous edition does not have the metric
        before = " ".join(f"{'/'.join(key)}/to_date@{e.previous_id}" for key in keys)
        rows.append(
            [
                Cell(m.metrics[code].name),
                b.count(was, f"since/{before}", m("explanation_edition", edition=e.previous_id)),
                b.sum_cell(code, categories, b.e.area_code, "week"),
                Cell(
                    m.signed(now.to_date - was - now.week),
                    True,
                    f"since/other/{before}",
                    now.to_date - was - now.week,
                    m["explanation_other"],
                ),
                b.sum_cell(code, categories, b.e.area_code, "to_date"),
            ]
        )
    heads = ("delta_previous", "delta_week", "delta_other", "delta_now")
    return [
        Table(
            *b.number_table("since_previous"),
            m(
                "delta_caption",
                previous=rows[0][1].text,
                now=rows[0][4].text,
                edition=e.previous_id,
            ),
            [m["metric"], *(m[head] for head in heads)],
            rows,
            b.source("source_all"),
            notes=[m["delta_note"]],
        )
    ]


def rates(b: ChapterBuilder) -> Table:
    """Cases to date per 100,000 voters and per 100 polling stations."""
    m = b.m
    cases = dict(b.places("suspected_violation", "to_date"))
    rated = [
        (b.place[r.code], Fraction(100_000 * cases[b.place[r.code]], r.voters))
        for r in b.known
        if r.voters and cases[b.place[r.code]]
    ]
    most = sorted(rated, key=lambda pair: -pair[1])[:2]
    is_ranked = bool(most) and all(cases[name] >= FEW for name, _ in most)
    listed = [m("of_each", places=name, value=m.decimal(rate)) for name, rate in most]
    return Table(
        *b.number_table("rate"),
        m("rate_caption", places=m.listing(listed)) if is_ranked else m["rate_caption_unranked"],
        [
            m["regency"],
            *(m[head] for head in ("voters", "stations", "to_date")),
            *(m[head] for head in ("per_voters", "per_stations", "rate_mark")),
        ],
        [[Cell(b.place[r.code]), *rate_cells(b, r.code, r.voters, r.stations)] for r in b.known],
        b.source("source_register"),
        total=[
            Cell(m["province"]),
            *rate_cells(
                b,
                b.e.area_code,
                sum(r.voters for r in b.known),
                sum(r.stations for r in b.known),
            ),
        ],
        notes=[m("rate_note", bound=FEW)],
    )


def rate_cells(b: ChapterBuilder, place: str, voters: int, stations: int) -> list[Cell]:
    """Return voters, stations, cases to date, both rates, and a mark below `FEW` cases."""
    m, code = b.m, "suspected_violation"
    cases = b.e.metric(code, "ALL", place).to_date
    key = f"{code}/ALL/{place}/to_date"
    explanation = b.explanation(cases, key)
    return [
        b.count(voters, f"reference/voters/{place}", m["column.pemilih"]),
        b.count(stations, f"reference/stations/{place}", m["column.tps"]),
        b.cell(code, "ALL", place, "to_date"),
        b.measure(
            Fraction(100_000 * cases, voters) if voters else None, f"rate/voters {key}", explanation
        ),
        b.measure(
            Fraction(100 * cases, stations) if stations else None,
            f"rate/stations {key}",
            explanation,
        ),
        Cell("†" if cases < FEW else ""),
    ]


def issues(b: ChapterBuilder) -> Section:
    """Cases by type and theme; themes by regency."""
    m = b.m
    code = "suspected_violation_by_issue"
    ranked = b.ranked_issues("to_date")
    # Short names beside the bars; the tables have the full names.
    labels = b.names["issue_label"]
    shown = [(labels[issue], value) for issue, _, value in ranked if value][:10]
    pictures = []
    if shown:
        floor = shown[min(1, len(shown) - 1)][1]
        descriptions = [f"{name} {m.number(value)}" for name, value in shown]
        pictures.append(
            Chart(
                *b.number_chart("issue"),
                m("issue_chart", issues=b.top_issues("to_date")),
                charts.bars(
                    [
                        charts.Bar(name, value, m.number(value), description)
                        for (name, value), description in zip(shown, descriptions, strict=True)
                    ],
                    accented=sum(value >= floor for _, value in shown),
                ),
                m("issue_alt", values="; ".join(descriptions)),
                b.source("source_register"),
                [m["issue_note"]],
            )
        )
    week_top = b.top_issues("week")
    tables = [
        by_type(b, "suspected_violation_by_type", "type_caption"),
        Table(
            *b.number_table("issue"),
            m("issue_caption", issues=week_top) if week_top else m["issue_caption_zero"],
            [m["theme"], *b.period_heads],
            b.by_category(code, [(issue, name) for issue, name, _ in ranked]),
            b.source("source_register"),
            notes=[m["issue_note"]],
        ),
        *matrix(b, "matrix_week", "week"),
        *matrix(b, "matrix_to_date", "to_date"),
    ]
    return Section("tema", m["issue_title"], pictures, tables)


def by_type(b: ChapterBuilder, code: str, caption: str) -> Table:
    """Cases by type of violation: the types of `code`, over the periods."""
    m = b.m
    names = b.named(code)
    return Table(
        *b.number_table(caption),
        m(caption, most=b.most_of(code, names)),
        [m["type"], *b.period_heads],
        b.by_category(code, names.items()),
        b.source("source_register"),
        notes=[m["type_note"]],
    )


def matrix(b: ChapterBuilder, caption: str, period: str) -> list[Table]:
    """Themes by regency; themes that are zero everywhere are left out.

    No table where every theme is zero: the table of themes before it says so.
    """
    m = b.m
    code = "suspected_violation_by_issue"
    ranked = b.ranked_issues(period)
    shown = [issue for issue in ranked if issue[2]]
    if not shown:
        return []
    notes = [m["issue_note"], *([m["matrix_rest"]] if len(shown) < len(ranked) else [])]
    if len(b.known) <= 8:  # themes down, regencies across: names of themes are long
        heads = [m["theme"], *(b.place[r.code] for r in b.known)]
        heads += [m["unknown_head"] for r in b.e.regencies if r.is_unknown]
        rows = [
            [
                Cell(name),
                *(b.cell(code, issue, r.code, period) for r in b.e.regencies),
                b.cell(code, issue, b.e.area_code, period),
            ]
            for issue, name, _ in shown
        ]
        return [
            Table(
                *b.number_table(caption),
                m[caption],
                [*heads, m["province"]],
                rows,
                b.source("source_register"),
                notes=notes,
            )
        ]
    labels = b.names["issue_label"]
    rows, last = b.by_regency(lambda r: [b.cell(code, issue, r, period) for issue, _, _ in shown])
    return [
        Table(
            *b.number_table(caption),
            m[caption],
            [m["regency"], *(labels[issue] for issue, _, _ in shown)],
            rows,
            b.source("source_register"),
            total=last,
            notes=notes,
        )
    ]
