"""The bulletin that is printed: what must be decided, prevention by theme, half a page a regency.

Everything else of an edition is the annex: on screen, in the workbook and in the open data.
"""

from __future__ import annotations

from collections.abc import Sequence

from lumbung import registry
from lumbung.publication.chapters import profile, record
from lumbung.publication.chapters.builder import (
    FUNNEL,
    HEADLINE,
    NAMED,
    OF_RECAPS,
    SOON,
    ChapterBuilder,
    lower,
)
from lumbung.publication.chapters.regency import title
from lumbung.publication.model.document import Cell, Section, Table
from lumbung.publication.model.edition import QUOTIENT_PLACES, Need, Regency, Restatement

NEEDS = 7
"""Needs of the table for the whole province; each regency's page has all of its own."""
PRINTED = 5
"""Needs of a regency that the PDF prints, so that it has half a page."""
CHANGED = 3
"""Changes of prevention since the revision before that are printed; the annex names more."""
REVISIONS = 8
"""Revisions that are printed; the annex and the open data have all."""


def pressing(needs: Sequence[Need]) -> list[Need]:
    """Return the needs that call for a step, the most pressing first.

    They are those for which a rule suggests one, those whose plan is not fulfilled, and themes that
    stand out without a plan: a rule that the office has switched off takes away the suggestion, not
    the need.

    Cases that rise come before others, then themes that stand out, then the larger gap between plan
    and activities, then more cases in the last four weeks, then the codes.
    """
    return sorted(
        (n for n in needs if n.rule_code or n.gap > 0 or (n.is_marked and not n.planned)),
        key=lambda need: (
            need.trend_code != "rising",
            not need.is_marked,
            *(-need.gap, -need.last_4, need.regency_code, need.issue_code),
        ),
    )


def decisions(b: ChapterBuilder) -> list[str]:
    """Return what must be decided this week, as counts; one sentence where nothing must."""
    e, m = b.e, b.m
    running = b.running()
    counts = {
        "decide_overdue": sum(b.deadlines[state] for state in ("OVERDUE", "MAYBE_OVERDUE")),
        "decide_soon": sum(b.deadlines[state] for state in SOON),
        "decide_pending": b.total("report_pending", [*b.kinds]).to_date,
        "decide_gap": sum(need.gap > 0 for need in b.needs),
        "decide_unplanned": sum(n.is_marked and not n.planned and n.last_4 > 0 for n in b.needs),
        "decide_held": len(e.held),
    }
    said = [m(key, **running | {"count": m.number(n)}) for key, n in counts.items() if n]
    return said or [m["decide_none"]]


def need_heads(b: ChapterBuilder) -> list[str]:
    """Return the heads of a need's columns, from its theme on."""
    heads = ("cases", "trend", "done", "planned", "gap", "step")
    return [b.m["theme"], *(b.m[f"need_{head}"] for head in heads)]


def need_cells(b: ChapterBuilder, need: Need) -> list[Cell]:
    """Return the cells of a need, from its theme on."""
    m = b.m
    key = f"{need.regency_code}/{need.issue_code}"
    step = need.suggestion_en if m.language == "en" else need.suggestion
    gap = m("explanation_less", whole=m.number(need.planned), part=m.number(need.fulfilled))
    return [
        Cell(b.e.issues[need.issue_code]),
        b.cell(registry.BY_THEME, need.issue_code, need.regency_code, "to_date"),
        Cell(profile.trend(b, need)),
        b.traced(need.done, f"need/done/{key}"),
        b.count(need.planned, f"need/planned/{key}", m["need_planned_definition"]),
        b.count(need.gap, f"need/gap/{key}", gap),
        Cell(step or "–"),
    ]


def needs(b: ChapterBuilder) -> list[Table]:
    """Return the table of the most pressing needs; none without needs."""
    found = pressing(b.needs)[:NEEDS]
    if not found:
        return []
    return [
        Table(
            *b.number_table("need"),
            b.m["need_caption"],
            [b.m["regency"], *need_heads(b)],
            [[Cell(b.place[need.regency_code]), *need_cells(b, need)] for need in found],
            b.source("source_need"),
            notes=[b.m["need_note"], *profile.trend_weeks(b)],
            is_text=True,
        )
    ]


def brief(b: ChapterBuilder, regency: Regency) -> Section:
    """Return half a page on a regency: the problem, what was done, what is planned, recaps."""
    m, code = b.m, regency.code
    cases = b.e.metric("suspected_violation", "ALL", code)
    found = [need for need in b.needs if need.regency_code == code]
    marked = [
        m(
            "brief_theme_tips" if p.is_by_tips else "brief_theme",
            issue=lower(b.e.issues[p.issue_code]),
            times=m.decimal(p.quotient, QUOTIENT_PLACES),
        )
        for p in b.marked
        if p.regency_code == code
    ]
    profiles = b.profiles_of[code]
    planned = [need for need in found if need.planned]
    short = sum(need.gap > 0 for need in planned)
    of_plans = {"count": m.number(len(planned)), "short": m.number(short)}
    missing = m.listing(
        [s.district_name for s in b.missing[code]],
        most=NAMED if b.e.is_of_country else 0,  # a province has up to 600 districts
    )
    submitted, expected = b.submitted(code)
    lead = [
        m(
            "brief_problem" if cases.week else "brief_problem_none",
            value=m.number(cases.week),
            change=b.moved(cases),
            to_date=m.number(cases.to_date),
            themes=m("brief_themes", themes=m.listing(marked)) if marked else m["brief_no_theme"],
        ).rstrip(),
        m(
            "brief_done",
            week=m.number(b.e.metric("prevention", "ALL", code).week),
            four=m.number(profiles[0].last_4_prevention if profiles else None),
        )
        if b.is_delivered(OF_RECAPS[1], code, "week")
        else m["brief_done_unknown" if b.is_due else "brief_done_not_due"],
        m("brief_planned" if short else "brief_fulfilled", **of_plans)
        if planned
        else m["brief_unplanned"],
        m(
            "brief_recaps" if b.is_due else "brief_recaps_not_due",
            submitted=m.number(submitted),
            expected=m.number(expected),
            missing=m("brief_missing", districts=missing) if missing else "",
        ).rstrip(),
    ]
    ranked = pressing(found)
    rest = sorted((n for n in found if n not in ranked), key=lambda n: (-n.last_4, n.issue_code))
    tables = []
    if found:
        # the province's table of needs explains the columns, where the edition has one
        columns = m("brief_columns", number=b.number_table("need")[0])
        tables.append(
            Table(
                *b.number_table("brief", code),
                m("brief_caption", name=b.place[code]),
                need_heads(b),
                [need_cells(b, need) for need in [*ranked, *rest]],
                b.source("source_need", code),
                notes=[columns if pressing(b.needs) else m["need_note"]],
                is_text=True,
                printed=PRINTED,
                print_note=m("brief_printed", count=PRINTED),
                sheet="need",
                subject=b.place[code],
                sheet_source=b.source("source_need"),
            )
        )
    id_ = f"ringkas-{code.replace('.', '-')}"
    return Section(id_, title(b, regency), [], tables, lead=lead)


def handling(b: ChapterBuilder) -> Section:
    """Return registration, results and deadlines in sentences, and the revisions that matter."""
    e, m = b.e, b.m
    to_date = {step: b.total(f"report_{step}", [*b.kinds]).to_date for step in FUNNEL}
    by_result = "report_registered_by_result"
    results = {
        code.lower(): m.number(e.metric(by_result, code).to_date) for code in b.named(by_result)
    }
    numbers = {step: m.number(count) for step, count in to_date.items()}
    sentences = [
        m("funnel_caption", **numbers),
        m("result_caption", registered=numbers["registered"], **results),
        m("deadline_caption", **b.running()),
    ]
    about = b.about_deadlines()
    lead = [*(f"{sentence}." for sentence in sentences), *filter(None, [about])]
    new = sorted(e.new_restatements, key=lambda r: _matters(r, e.area_code))
    if not new:
        lead += [b.nothing_restated(), *b.changed_needs(CHANGED)]
        return Section("penanganan", m["handling_title"], [], [], lead=lead)
    heads, rows = record.revisions(b, new[:REVISIONS])
    table = Table(
        *b.number_table("revision"),
        m("revision_caption", count=m.number(len(new))),
        heads,
        rows,
        b.source("source_all"),
        notes=[m("revision_note", count=m.number(REVISIONS))],
        is_text=True,
    )
    lead += b.changed_needs(CHANGED)
    return Section("penanganan", m["handling_title"], [], [table], lead=lead)


def _matters(r: Restatement, province: str) -> tuple[bool, bool, int, str, str, str, str, str]:
    """Rank a revision: the headline number, then the province, then the larger change."""
    return (
        (r.metric_code, r.category_code, r.regency_code) != (*HEADLINE, province),
        r.regency_code != province,
        -abs(r.change),
        *(r.metric_code, r.category_code, r.regency_code, r.of_edition_id, r.period),
    )


def colophon(b: ChapterBuilder) -> Section:
    """Return the method in short, the policy of corrections, contact, licence and next date."""
    e, m = b.e, b.m
    office = e.office
    first = m.weekday(e.first_day)
    paragraphs = [
        m("method_week", first=first),
        *(m[f"method_{part}"] for part in ("case", "several", "recap", "zero", "names")),
        m["colophon_marks"],
        m["colophon_corrections"],
        m["colophon_annex"],
        m("colophon_licence", licence=office.licence, url=office.licence_url),
        m("contact", name=office.contact_name, url=office.contact_url) + ".",
    ]
    if office.portal_url:
        paragraphs.append(m("colophon_portal", url=office.portal_url))
    paragraphs += [
        m("next_edition", day=m.weekday(e.next_day)),
        m("about_frozen", frozen_at=m.moment(e.frozen_at)),
        m("about_hash", content_hash=e.content_hash),
    ]
    return Section("kolofon", m["colophon_title"], [], [], paragraphs)
