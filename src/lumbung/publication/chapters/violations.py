"""Suspected violations by regency, theme and type, against the edition before, as rates."""

from __future__ import annotations

from fractions import Fraction

from lumbung import registry
from lumbung.publication.chapters import charts
from lumbung.publication.chapters.formatting import FEW, PERIODS, Wording
from lumbung.publication.model.document import Cell, Chart, Section, Table


def violations(w: Wording) -> Section:
    """Cases by regency and kind; against the edition before; as rates."""
    m = w.m
    code = "suspected_violation"
    rows, last = w.by_regency(
        lambda r: [
            *(w.cell("suspected_violation_by_kind", kind, r, "week") for kind in w.kinds),
            *(w.cell(code, "ALL", r, p) for p in PERIODS),
        ]
    )
    table = Table(
        *w.number_table(),
        m("violation_caption", change=w.moved(w.e.figure(code))),
        [m["regency"], *w.kinds.values(), m["total"], *w.period_heads[1:]],
        rows,
        w.source("source_register"),
        groups=[("", 1), (m["this_week"], len(w.kinds) + 1), ("", 3)],
        total=last,
    )
    return Section(
        "pelanggaran",
        m["violation_title"],
        [],
        [
            table,
            contexts(w, "context_week", "week"),
            contexts(w, "context_to_date", "to_date"),
            *since_previous(w),
            rates(w),
        ],
        [] if w.e.previous_id else [m["delta_none"]],
    )


def contexts(w: Wording, caption: str, period: str) -> Table:
    """Reports and findings by regency, during and outside campaign events."""
    m = w.m
    code = "suspected_violation_by_context"
    names = m.terms("campaign_context")
    rows, last = w.by_regency(
        lambda r: [
            *(
                w.cell(code, f"{kind}_{context}", r, period)
                for kind in w.kinds
                for context in names
            ),
            w.cell("suspected_violation", "ALL", r, period),
        ]
    )
    counts = {
        context: m.number(getattr(w.total(code, [f"{kind}_{context}" for kind in w.kinds]), period))
        for context in names
    }
    heads = [*names.values()]
    return Table(
        *w.number_table(),
        m(caption, **counts),
        [m["regency"], *heads, *heads, m["total"]],
        rows,
        w.source("source_register"),
        groups=[("", 1), *((kind, len(heads)) for kind in w.kinds.values()), ("", 1)],
        total=last,
        notes=[m["context_note"]],
    )


def since_previous(w: Wording) -> list[Table]:
    """Counts to date against the edition before: earlier + this week + other weeks = now."""
    e, m = w.e, w.m
    if e.previous_id is None:
        return []
    rows = []
    for code, metric in registry.metrics().items():
        if "perbandingan" not in metric.sections:
            continue
        categories = [*registry.categories(code)]
        now = w.total(code, categories)
        keys = [(code, category, w.e.province) for category in categories]
        was = sum(e.previous.get(key, 0) for key in keys)
        if any(key not in e.previous for key in keys):
            continue  # the edition before did not have the figure
        before = " ".join(f"{'/'.join(key)}/to_date@{e.previous_id}" for key in keys)
        rows.append(
            [
                Cell(m.figures[code].name),
                w.count(was, f"since/{before}", m("behind_edition", edition=e.previous_id)),
                w.sum_cell(code, categories, w.e.province, "week"),
                Cell(
                    m.signed(now.to_date - was - now.week),
                    True,
                    f"since/other/{before}",
                    now.to_date - was - now.week,
                    m["behind_other"],
                ),
                w.sum_cell(code, categories, w.e.province, "to_date"),
            ]
        )
    heads = ("delta_previous", "delta_week", "delta_other", "delta_now")
    return [
        Table(
            *w.number_table(),
            m(
                "delta_caption",
                previous=rows[0][1].text,
                now=rows[0][4].text,
                edition=e.previous_id,
            ),
            [m["figure"], *(m[head] for head in heads)],
            rows,
            w.source("source_all"),
            notes=[m["delta_note"]],
        )
    ]


def rates(w: Wording) -> Table:
    """Cases to date per 100,000 voters and per 100 polling stations."""
    m = w.m
    cases = dict(w.places("suspected_violation", "to_date"))
    rated = [
        (w.place[r.code], Fraction(100_000 * cases[w.place[r.code]], r.voters))
        for r in w.known
        if r.voters and cases[w.place[r.code]]
    ]
    most = sorted(rated, key=lambda pair: -pair[1])[:2]
    is_ranked = bool(most) and all(cases[name] >= FEW for name, _ in most)
    listed = [m("of_each", places=name, value=m.decimal(rate)) for name, rate in most]
    return Table(
        *w.number_table(),
        m("rate_caption", places=m.listing(listed)) if is_ranked else m["rate_caption_unranked"],
        [
            m["regency"],
            *(m[head] for head in ("voters", "stations", "to_date")),
            *(m[head] for head in ("per_voters", "per_stations", "rate_mark")),
        ],
        [[Cell(w.place[r.code]), *rate_cells(w, r.code, r.voters, r.stations)] for r in w.known],
        w.source("source_register"),
        total=[
            Cell(m["province"]),
            *rate_cells(
                w,
                w.e.province,
                sum(r.voters for r in w.known),
                sum(r.stations for r in w.known),
            ),
        ],
        notes=[m("rate_note", bound=FEW)],
    )


def rate_cells(w: Wording, place: str, voters: int, stations: int) -> list[Cell]:
    """Voters, stations, cases to date, both rates, and a mark below `FEW` cases."""
    m, code = w.m, "suspected_violation"
    cases = w.e.figure(code, "ALL", place).to_date
    key = f"{code}/ALL/{place}/to_date"
    behind = w.behind(cases, key)
    return [
        w.count(voters, f"reference/voters/{place}", m["column.pemilih"]),
        w.count(stations, f"reference/stations/{place}", m["column.tps"]),
        w.cell(code, "ALL", place, "to_date"),
        w.measure(
            Fraction(100_000 * cases, voters) if voters else None, f"rate/voters {key}", behind
        ),
        w.measure(
            Fraction(100 * cases, stations) if stations else None, f"rate/stations {key}", behind
        ),
        Cell("†" if cases < FEW else ""),
    ]


def issues(w: Wording) -> Section:
    """Cases by type and theme; themes by regency."""
    m = w.m
    code = "suspected_violation_by_issue"
    ranked = w.ranked_issues("to_date")
    # A few words are enough beside a bar; the tables have the name whole.
    labels = w.names["issue_label"]
    shown = [(labels[issue], value) for issue, _, value in ranked if value][:10]
    pictures = []
    if shown:
        floor = shown[min(1, len(shown) - 1)][1]
        said = [f"{name} {m.number(value)}" for name, value in shown]
        pictures.append(
            Chart(
                *w.number_chart(),
                m("issue_chart", issues=w.top_issues("to_date")),
                charts.bars(
                    [
                        charts.Bar(name, value, m.number(value), words)
                        for (name, value), words in zip(shown, said, strict=True)
                    ],
                    accented=sum(value >= floor for _, value in shown),
                ),
                m("issue_alt", values="; ".join(said)),
                w.source("source_register"),
                [m["issue_note"]],
            )
        )
    week_top = w.top_issues("week")
    tables = [
        by_type(w, "suspected_violation_by_type", "type_caption"),
        Table(
            *w.number_table(),
            m("issue_caption", issues=week_top) if week_top else m["issue_caption_zero"],
            [m["theme"], *w.period_heads],
            w.by_category(code, [(issue, name) for issue, name, _ in ranked]),
            w.source("source_register"),
            notes=[m["issue_note"]],
        ),
        *matrix(w, "matrix_week", "week"),
        *matrix(w, "matrix_to_date", "to_date"),
    ]
    return Section("tema", m["issue_title"], pictures, tables)


def by_type(w: Wording, code: str, caption: str) -> Table:
    """Cases by type of violation: the types of `code`, over the periods."""
    m = w.m
    names = w.named(code)
    return Table(
        *w.number_table(),
        m(caption, most=w.most_of(code, names)),
        [m["type"], *w.period_heads],
        w.by_category(code, names.items()),
        w.source("source_register"),
        notes=[m["type_note"]],
    )


def matrix(w: Wording, caption: str, period: str) -> list[Table]:
    """Themes by regency; themes that are zero everywhere are left out.

    No table where every theme is zero: the table of themes before it says so.
    """
    m = w.m
    code = "suspected_violation_by_issue"
    ranked = w.ranked_issues(period)
    shown = [issue for issue in ranked if issue[2]]
    if not shown:
        return []
    notes = [m["issue_note"], *([m["matrix_rest"]] if len(shown) < len(ranked) else [])]
    if len(w.known) <= 8:  # themes down, regencies across: names of themes are long
        heads = [m["theme"], *(w.place[r.code] for r in w.known)]
        heads += [m["unknown_head"] for r in w.e.regencies if r.is_unknown]
        rows = [
            [
                Cell(name),
                *(w.cell(code, issue, r.code, period) for r in w.e.regencies),
                w.cell(code, issue, w.e.province, period),
            ]
            for issue, name, _ in shown
        ]
        return [
            Table(
                *w.number_table(),
                m[caption],
                [*heads, m["province"]],
                rows,
                w.source("source_register"),
                notes=notes,
            )
        ]
    labels = w.names["issue_label"]
    rows, last = w.by_regency(lambda r: [w.cell(code, issue, r, period) for issue, _, _ in shown])
    return [
        Table(
            *w.number_table(),
            m[caption],
            [m["regency"], *(labels[issue] for issue, _, _ in shown)],
            rows,
            w.source("source_register"),
            total=last,
            notes=notes,
        )
    ]
