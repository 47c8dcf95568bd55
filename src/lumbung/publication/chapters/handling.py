"""The handling of reports and findings: registration, results, legal deadlines; and tips."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from lumbung.publication.chapters import violations
from lumbung.publication.chapters.builder import FUNNEL, PERIODS, ChapterBuilder
from lumbung.publication.model.document import Cell, Section, Table
from lumbung.publication.model.edition import Edition


def funnel(b: ChapterBuilder) -> Section:
    """Received, registered, refused and undecided cases; reasons of refusal and results."""
    m = b.m
    rows = [
        [
            Cell(name),
            *(
                b.cell(f"report_{step}", kind, b.e.area_code, period)
                for period in ("week", "to_date")
                for step in FUNNEL
            ),
        ]
        for kind, name in b.kinds.items()
    ]
    to_date = {step: b.total(f"report_{step}", [*b.kinds]).to_date for step in FUNNEL}
    heads = [m[step] for step in FUNNEL]
    by_reason, by_result = "report_not_registered_by_reason", "report_registered_by_result"
    reasons, results = b.named(by_reason), b.named(by_result)
    tables = [
        Table(
            *b.number_table("funnel"),
            m("funnel_caption", **{step: m.number(count) for step, count in to_date.items()}),
            [m["kind"], *heads, *heads],
            rows,
            b.source("source_register"),
            groups=[("", 1), (m["this_week"], 4), (m["to_date"], 4)],
            notes=[m["funnel_note"]],
        ),
        Table(
            *b.number_table("reason"),
            m(
                "reason_caption",
                count=m.number(to_date["not_registered"]),
                most=b.most_of(by_reason, reasons),
            ),
            [m["reason"], *b.period_heads],
            b.by_category(by_reason, reasons.items()),
            b.source("source_register"),
        ),
        Table(
            *b.number_table("result"),
            m(
                "result_caption",
                registered=m.number(to_date["registered"]),
                **{code.lower(): m.number(b.e.metric(by_result, code).to_date) for code in results},
            ),
            [m["result"], *b.period_heads],
            b.by_category(by_result, results.items()),
            b.source("source_register"),
            notes=[m["result_note"]],
        ),
        violations.by_type(b, "report_registered_by_type", "registered_type_caption"),
        forwarded(b),
    ]
    return Section("registrasi", m["funnel_title"], [], tables)


def forwarded(b: ChapterBuilder) -> Table:
    """To whom cases were forwarded, and how many follow-ups are closed."""
    m = b.m
    code, closed_code = "report_forwarded_by_target", "report_follow_up_closed_by_target"
    targets = b.named(code)

    def cells(categories: Sequence[str]) -> list[Cell]:
        to_date = b.sum_cell(code, categories, b.e.area_code, "to_date")
        closed = b.sum_cell(closed_code, categories, b.e.area_code, "to_date")
        left = b.total(code, categories).to_date - b.total(closed_code, categories).to_date
        explanation = m("explanation_less", whole=to_date.text, part=closed.text)
        return [
            *(b.sum_cell(code, categories, b.e.area_code, period) for period in PERIODS),
            closed,
            b.count(left, f"less {to_date.metric} {closed.metric}", explanation),
        ]

    total = cells(list(targets))
    return Table(
        *b.number_table("forwarded"),
        m("forwarded_caption", count=total[3].text, closed=total[4].text),
        [m["forwarded_to"], *b.period_heads, m["follow_up_closed"], m["follow_up_open"]],
        [[Cell(name), *cells([target])] for target, name in targets.items()],
        b.source("source_register"),
        total=[Cell(m["total"]), *total],
        notes=[m["forwarded_note"]],
    )


def deadlines(b: ChapterBuilder) -> Section:
    """Legal deadlines of the province by rule and state."""
    m = b.m
    states = [*b.running_states, *b.ended_states]
    rules, labels = b.names["deadline_rule"], m.terms("deadline_state")
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for d in b.e.deadlines:
        counts[d.rule_code, d.state_code] += d.count

    def row(label: str, values: Callable[[str], int], rule: str) -> list[Cell]:
        return [
            Cell(label),
            *(b.deadline(values(state), state, rule) for state in states),
        ]

    sources = "; ".join(b.e.legal_sources)
    day = m.day(b.e.judged_on)
    note = m("deadline_note", day=day, sources=sources)
    days_left = m("deadline_running", day=day), len(b.running_states)
    before = b.deadlines_before(states)
    of_before = [
        m(
            "deadline_before_note",
            count=m.number(before),
            open=m.number(b.deadlines_before()),
            chapter=m["not_counted_title"],
        )
    ] * bool(before)
    by_rule = Table(
        *b.number_table("deadline"),
        m("deadline_caption", **b.running()),
        [m["deadline"], *(labels[state] for state in states)],
        [
            row(name, lambda state, rule=rule: counts[rule, state], rule)  # type: ignore[misc]
            for rule, name in rules.items()
        ],
        b.source("source_register"),
        groups=[
            *[("", 1), days_left],
            *[(m["deadline_ended"], len(b.ended_states) - 1), ("", 1)],
        ],
        total=row(m["total"], lambda state: b.deadlines[state], "ALL"),
        notes=[note, *of_before],
    )
    return Section("tenggat", m["deadline_title"], [], [by_rule])


def tips(b: ChapterBuilder) -> Section:
    """Tips by regency, over the periods."""
    m = b.m
    rows, last = b.by_regency(lambda r: [b.cell("tip", "ALL", r, p) for p in PERIODS])
    table = Table(
        *b.number_table("tip"),
        m("tip_caption", change=b.moved(b.e.metric("tip"))),
        [m["regency"], *b.period_heads],
        rows,
        b.source("source_tip"),
        total=last,
        notes=[m["tip_note"]],
    )
    return Section("tip", m["tip_title"], [], [table, *participation(b)])


def participation(b: ChapterBuilder) -> list[Table]:
    """Citizens' reports and tips by regency per 10,000 voters, in the last period."""
    m, e = b.m, b.e
    if not e.details or not e.district_weeks:
        return []
    (first, _), (_, last) = map(e.days_of, e.district_weeks)
    voters = {r.code: r.voters for r in e.regencies} | {e.area_code: sum(r.voters for r in b.known)}

    def cells(place: str) -> list[Cell]:
        parts = [b.detail("report_received", "LP", place), b.detail("tip", "ALL", place)]
        count = participants(e, place)
        references = " ".join(part.metric for part in parts)
        explanation = m("explanation_sum", parts=" + ".join(part.text for part in parts))
        if count is None:
            hidden = Cell(m["suppressed"], True, references, None, m["explanation_district"])
            return [*parts, hidden, replace(hidden, metric=f"rate/participation {references}")]
        rate = Fraction(10_000 * count, voters[place]) if voters[place] else None
        return [
            *parts,
            b.count(count, references, explanation),
            b.measure(rate, f"rate/participation {references}", explanation),
        ]

    rows, total = b.by_regency(cells)
    heads = ("reports", "tips", "both", "rate")
    return [
        Table(
            *b.number_table("participation"),
            m("participation_caption", range=m.week_range(first, last)),
            [m["regency"], *(m[f"participation_{head}"] for head in heads)],
            rows,
            b.source("source_register"),
            total=total,
            notes=[
                m["participation_note"],
                m("detail_note", threshold=e.district_threshold),
            ],
        )
    ]


def participants(edition: Edition, place: str) -> int | None:
    """Count the reports and tips of the period; None where the reports are not published."""
    reports = edition.details.get(("report_received", "LP", place))
    tips = edition.details.get(("tip", "ALL", place))
    return None if reports is None or tips is None else reports + tips
