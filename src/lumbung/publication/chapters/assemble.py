"""Build the document of an edition: sentences, tables and charts, the same for every format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lumbung import registry
from lumbung.publication.chapters import (
    activity,
    bulletin,
    front,
    handling,
    profile,
    record,
    regency,
    violations,
)
from lumbung.publication.chapters.builder import PERIODS, ChapterBuilder
from lumbung.publication.model.document import Cell, Document, Section, Table
from lumbung.publication.model.edition import BEFORE_CAMPAIGN, Edition


def document(edition: Edition) -> Document:
    """Return the edition's document in its language, in the order of the page."""
    b = ChapterBuilder(edition)
    e, m = b.e, b.m
    decision = e.decision
    is_final = decision is not None and decision.decision == "approved"
    status = m.status(decision)
    as_of = m("as_of", as_of=m.moment(e.data_at))
    named = m("edition", edition_id=e.edition_id)
    points = front.points(b)
    return Document(
        language=e.language,
        publisher=e.office.name,
        contact=m("contact", name=e.office.contact_name, url=e.office.contact_url),
        title=m["title"],
        subtitle=m.subtitle(e),
        status=status,
        is_final=is_final,
        meta=[named, as_of, m[f"known_{e.as_known_at}"]],
        points_title=m["points"],
        points=points[: front.POINTS],
        decisions_title=m["decide_title"],
        decisions=bulletin.decisions(b),
        needs=bulletin.needs(b),
        charts=front.front_charts(b),
        glance=front.glance(b),
        bulletin=[
            *(_defined(bulletin.brief(b, known), b) for known in b.known),
            bulletin.handling(b),
            *([record.waivers(b)] if e.waivers else []),
            bulletin.colophon(b),
        ],
        annex_title=m["annex_title"],
        others_title=m["others_title"],
        others=points[front.POINTS :],
        contents_title=m["contents"],
        sections=[_defined(_complete(section, b), b) for section in _sections(b)],
        press_title=m["press_title" if is_final else "press_draft"],
        press_note=m["press_note"],
        definitions_title=m["definitions"],
        definitions_how=m["definitions_how"],
        definitions_codes=m["definitions_codes"],
        definition_categories=m["definition_categories"],
        example=f"suspected_violation/ALL/{e.area_code}/week@{e.edition_id}",
        footer=[f"{e.office.name} · {named}", f"{as_of} · {status}"],
        page=m["page"],
        next_edition=m("next_edition", day=m.weekday(e.next_day)),
        portal=m("colophon_portal", url=e.office.portal_url) if e.office.portal_url else "",
        files=m("files_at", url=f"{e.office.portal_url}edisi/{e.edition_id}/")
        if e.office.portal_url
        else "",
        card=_card(e) if is_final else "",
    )


def _card(e: Edition) -> str:
    """Return the address at which the portal keeps the edition's picture; empty without one."""
    folder = "" if e.language == registry.LANGUAGES[0] else f"{e.language}/"
    base = e.office.portal_url
    return f"{base}{folder}kartu/{e.edition_id}.png" if base else ""


def _sections(b: ChapterBuilder) -> Iterator[Section]:
    """Yield the sections in order; each is built when requested, which numbers its tables."""
    yield violations.violations(b)
    yield violations.issues(b)
    yield profile.profile(b)
    yield handling.funnel(b)
    yield handling.deadlines(b)
    yield handling.tips(b)
    yield activity.campaign(b)
    yield activity.prevention(b)
    yield activity.completeness(b)
    yield record.restatements(b)
    yield record.not_counted(b)
    yield record.method(b)
    for known in b.known:
        yield regency.regency(b, known)


def _complete(section: Section, b: ChapterBuilder) -> Section:
    """Add a plain table for each metric of the section that its chapter does not print."""
    printed = _codes(section)
    tables = [
        _plain(b, code)
        for code, metric in registry.metrics().items()
        if section.id in metric.sections and code not in printed and b.e.has(code)
    ]
    return replace(section, tables=[*section.tables, *tables]) if tables else section


def _plain(b: ChapterBuilder, code: str) -> Table:
    """Return a metric's table over the periods: by category, or by regency if it has none.

    A detail of cases without categories has the province's row alone.
    """
    head, names, definition = "category", b.named(code), b.m.metrics[code]
    rows, total = b.by_category(code, names.items()), list[Cell]()
    if not names and registry.metrics()[code].is_detail:
        total = [Cell(b.m["province"]), *(b.cell(code, registry.WHOLE, "", p) for p in PERIODS)]
    elif not names:
        head = "regency"
        rows, total = b.by_regency(lambda r: [b.cell(code, registry.WHOLE, r, p) for p in PERIODS])
    return Table(
        *b.number_table(code),
        definition.name,
        [b.m[head], *b.period_heads],
        rows,
        b.source(definition.source),
        total=total,
        notes=[f"{definition.definition}."],
    )


def _codes(section: Section) -> set[str]:
    """Return the codes of the metrics in the section's tables."""
    return {
        reference.split("/")[0]
        for table in section.tables
        for cells in [*table.rows, table.total]
        for cell in cells
        for reference in cell.metric.split()
    }


def _defined(section: Section, b: ChapterBuilder) -> Section:
    """Add the definitions of the section's metrics, and notes on shorter weeks."""
    section = replace(section, tables=[b.compared(table) for table in section.tables])
    codes = _codes(section)
    categories: dict[str, list[tuple[str, str]]] = {code: [] for code in codes}
    for (code, category), name in b.categories.items():
        if code in codes:
            categories[code].append((category, name))
    definitions = [
        (f.name, f.definition, code, categories[code])
        for code, f in b.m.metrics.items()
        if code in codes
    ]
    if "deadline" in codes:
        labels = b.m.terms("deadline_state")
        states = [(state, labels[state]) for state in (*b.running_states, *b.ended_states)]
        if b.e.before_campaign is not None:
            states.append((BEFORE_CAMPAIGN, b.m["before_deadlines"]))
        definitions.append((b.m["deadline"], b.m["deadline_definition"], "deadline", states))
    if "profile" in codes:
        name = b.m["profile_title"]
        definitions.append((name, b.m["profile_definition"], "profile", [*b.e.issues.items()]))
    if "need" in codes:
        name = b.m["need_title"]
        definitions.append((name, b.m["need_definition"], "need", [*b.e.issues.items()]))
    if "district" in codes:
        groups = [*b.m.terms("issue_group").items()]
        definitions.append((b.m["district"], b.m["district_definition"], "district", groups))
    if "not_counted" in codes:
        name = b.m["not_counted_title"]
        definitions.append((name, b.m["not_counted_definition"], "not_counted", []))
    if "before_campaign" in codes:
        kinds = [*record.before_kinds(b.m).items()]
        name, definition = b.m["before_campaign"], b.m["before_campaign_definition"]
        definitions.append((name, definition, "before_campaign", kinds))
    return replace(section, definitions=definitions)
