"""What became of reports and findings: registration, results, legal clocks; and tips."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from lumbung.publication.chapters import violations
from lumbung.publication.chapters.formatting import FUNNEL, PERIODS, Wording
from lumbung.publication.model.document import Cell, Section, Table


def funnel(w: Wording) -> Section:
    """Received, registered, refused and undecided cases; why refused, and with what result."""
    m = w.m
    rows = [
        [
            Cell(name),
            *(
                w.cell(f"report_{step}", kind, w.e.province, period)
                for period in ("week", "to_date")
                for step in FUNNEL
            ),
        ]
        for kind, name in w.kinds.items()
    ]
    to_date = {step: w.total(f"report_{step}", [*w.kinds]).to_date for step in FUNNEL}
    heads = [m[step] for step in FUNNEL]
    by_reason, by_result = "report_not_registered_by_reason", "report_registered_by_result"
    reasons, results = w.named(by_reason), w.named(by_result)
    tables = [
        Table(
            *w.number_table(),
            m(
                "funnel_caption",
                received=m.number(to_date["received"]),
                registered=m.number(to_date["registered"]),
            ),
            [m["kind"], *heads, *heads],
            rows,
            w.source("source_register"),
            groups=[("", 1), (m["this_week"], 4), (m["to_date"], 4)],
            notes=[m["funnel_note"]],
        ),
        Table(
            *w.number_table(),
            m(
                "reason_caption",
                count=m.number(to_date["not_registered"]),
                most=w.most_of(by_reason, reasons),
            ),
            [m["reason"], *w.period_heads],
            w.by_category(by_reason, reasons.items()),
            w.source("source_register"),
        ),
        Table(
            *w.number_table(),
            m(
                "result_caption",
                registered=m.number(to_date["registered"]),
                **{code.lower(): m.number(w.e.figure(by_result, code).to_date) for code in results},
            ),
            [m["result"], *w.period_heads],
            w.by_category(by_result, results.items()),
            w.source("source_register"),
            notes=[m["result_note"]],
        ),
        violations.by_type(w, "report_registered_by_type", "registered_type_caption"),
        forwarded(w),
    ]
    return Section("registrasi", m["funnel_title"], [], tables)


def forwarded(w: Wording) -> Table:
    """To whom cases were forwarded, and what came of it."""
    m = w.m
    code, closed_code = "report_forwarded_by_target", "report_follow_up_closed_by_target"
    targets = w.named(code)

    def cells(categories: Sequence[str]) -> list[Cell]:
        to_date = w.sum_cell(code, categories, w.e.province, "to_date")
        closed = w.sum_cell(closed_code, categories, w.e.province, "to_date")
        left = w.total(code, categories).to_date - w.total(closed_code, categories).to_date
        behind = m("behind_less", whole=to_date.text, part=closed.text)
        return [
            *(w.sum_cell(code, categories, w.e.province, period) for period in PERIODS),
            closed,
            w.count(left, f"less {to_date.figure} {closed.figure}", behind),
        ]

    total = cells(list(targets))
    return Table(
        *w.number_table(),
        m("forwarded_caption", count=total[3].text, closed=total[4].text),
        [m["forwarded_to"], *w.period_heads, m["follow_up_closed"], m["follow_up_open"]],
        [[Cell(name), *cells([target])] for target, name in targets.items()],
        w.source("source_register"),
        total=[Cell(m["total"]), *total],
        notes=[m["forwarded_note"]],
    )


def deadlines(w: Wording) -> Section:
    """Legal clocks by rule, and by regency those that run and those that perhaps ended late."""
    m = w.m
    states = [*w.running_states, *w.ended_states]
    in_doubt = w.ended_states[-1]
    rules, labels = w.names["deadline_rule"], m.terms("deadline_state")
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for d in w.e.deadlines:
        counts[d.rule_code, d.state_code] += d.count

    def row(label: str, values: Callable[[str], int], rule: str) -> list[Cell]:
        return [
            Cell(label),
            *(w.clock(values(state), w.e.province, state, rule) for state in states),
        ]

    sources = "; ".join(w.e.legal_sources)
    day = m.day(w.e.judged_on)
    note = m("deadline_note", day=day, sources=sources)
    days_left = m("deadline_running", day=day), len(w.running_states)
    before = w.clocks_before(w.e.province, [*w.running_states, *w.ended_states])
    of_before = [
        m(
            "deadline_before_note",
            count=m.number(before),
            open=m.number(w.clocks_before(w.e.province)),
            chapter=m["not_counted_title"],
        )
    ] * bool(before)
    caption = m("deadline_caption", **w.running(w.e.province))
    province = w.clocks
    by_rule = Table(
        *w.number_table(),
        caption,
        [m["deadline"], *(labels[state] for state in states)],
        [
            row(name, lambda state, rule=rule: counts[rule, state], rule)  # type: ignore[misc]
            for rule, name in rules.items()
        ],
        w.source("source_register"),
        groups=[
            *[("", 1), days_left],
            *[(m["deadline_ended"], len(w.ended_states) - 1), ("", 1)],
        ],
        total=row(m["total"], lambda state: province[w.e.province, state], "ALL"),
        notes=[note, *of_before],
    )

    def running(place: str) -> list[Cell]:
        cells = [w.clock(province[place, state], place, state) for state in w.running_states]
        total = sum(province[place, state] for state in w.running_states)
        return [
            *(*cells, w.clock(total, place, "running")),
            w.clock(province[place, in_doubt], place, in_doubt),
        ]

    rows, last = w.by_regency(running)
    by_regency = Table(
        *w.number_table(),
        m["deadline_regency"],
        [
            m["regency"],
            *(labels[state] for state in w.running_states),
            m["total"],
            labels[in_doubt],
        ],
        rows,
        w.source("source_register"),
        groups=[("", 1), days_left, ("", 2)],
        total=last,
        notes=of_before,
    )
    return Section("tenggat", m["deadline_title"], [], [by_rule, by_regency])


def tips(w: Wording) -> Section:
    """Tips by regency, over the periods."""
    m = w.m
    rows, last = w.by_regency(lambda r: [w.cell("tip", "ALL", r, p) for p in PERIODS])
    table = Table(
        *w.number_table(),
        m("tip_caption", change=w.moved(w.e.figure("tip"))),
        [m["regency"], *w.period_heads],
        rows,
        w.source("source_tip"),
        total=last,
        notes=[m["tip_note"]],
    )
    return Section("tip", m["tip_title"], [], [table])
