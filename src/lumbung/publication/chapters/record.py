"""Restatements, waivers, uncounted records and the method of an edition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lumbung.publication.chapters.builder import PERIODS, SHOWN, ChapterBuilder
from lumbung.publication.model.document import Cell, Section, Table
from lumbung.publication.model.edition import BEFORE_CAMPAIGN, Edition, Restatement
from lumbung.publication.translations.formatting import Messages


def restatements(b: ChapterBuilder) -> Section:
    """List each metric of an earlier edition that has changed and was not yet restated."""
    m = b.m
    section = Section("perubahan", m["restatement_title"], [], [], lead=b.changed_needs(SHOWN))
    if not b.e.restatements:
        return replace(section, paragraphs=[b.nothing_restated(), m["restatement_states"]])
    new = b.e.new_restatements
    published_count = len(b.e.published_restatements)
    notes = [m["restatement_note"], m["restatement_states"]]
    if published_count:
        notes.append(m("restatement_published", count=m.number(published_count)))
    if len(new) > SHOWN:
        notes.append(m("restatement_rest", count=m.number(len(new) - SHOWN)))
    if not new:
        return replace(section, paragraphs=[b.nothing_restated(), *notes])
    heads, rows = revisions(b, by_edition(b, new))
    table = Table(
        *b.number_table("restatement"),
        m("restatement_caption", count=m.number(len(new))),
        heads,
        rows[:SHOWN],
        b.source("source_all"),
        notes=notes,
        is_text=True,
    )
    return replace(section, tables=[table])


def revisions(
    b: ChapterBuilder, restatements: Sequence[Restatement]
) -> tuple[list[str], list[list[Cell]]]:
    """Return the headings and rows of restatements in their order."""
    m = b.m
    places = b.place | {b.e.area_code: m["province"]}
    heads = ("edition", "metric", "place", "old", "new", "why")
    return [m["metric" if head == "metric" else f"restatement_{head}"] for head in heads], [
        [
            Cell(r.of_edition_id),
            Cell(m.of_period(b.full_name(r.metric_code, r.category_code), r.period)),
            Cell(places.get(r.regency_code, r.regency_code)),
            *(restated(b, r, at) for at in ("old", "new")),
            Cell(m.reasons(r)),
        ]
        for r in restatements
    ]


def by_edition(b: ChapterBuilder, restatements: Sequence[Restatement]) -> list[Restatement]:
    """Sort restatements by edition; the province precedes its regencies."""
    return sorted(restatements, key=lambda r: (r.of_edition_id, r.regency_code != b.e.area_code))


def restated(b: ChapterBuilder, restatement: Restatement, at: str) -> Cell:
    """Return a cell of a restated metric: its `old` or its `new` value."""
    r, value = restatement, getattr(restatement, at)
    key = f"{r.metric_code}/{r.category_code}/{r.regency_code}/{r.period}@{r.of_edition_id}"
    edition = r.of_edition_id if at == "old" else b.e.edition_id
    return b.count(value, f"restatement/{at}/{key}", b.m("explanation_edition", edition=edition))


def waivers(b: ChapterBuilder) -> Section:
    """List the failing checks that a person has waived, and why."""
    m = b.m
    return Section(
        "pengecualian",
        m["waiver_title"],
        [],
        [],
        [
            m(
                "waiver",
                found=m.text.get(f"failed.{waiver.check_name}", m["waiver_found"]),
                check=waiver.check_name,
                by=waiver.waived_by,
                at=m.moment(waiver.granted_at),
                until=m.weekday(waiver.until),
                reason=waiver.reason,
            )
            for waiver in b.e.waivers
        ],
    )


def not_counted(b: ChapterBuilder) -> Section:
    """List what channels delivered that no metric counts, and why."""
    m = b.m
    entries = b.e.not_counted
    count = sum(channel.count for channel in b.e.held)
    chapter = m["complete_title"]
    held = [m("not_counted_held", count=m.number(count), chapter=chapter)] * bool(count)
    section = Section("tidak-dihitung", m["not_counted_title"], [], [], held)
    if not entries:
        return replace(section, paragraphs=[m["not_counted_none"], *held])
    table = Table(
        *b.number_table("not_counted"),
        m(
            "not_counted_caption",
            count=m.number(sum(n.to_date for n in entries)),
            week=m.number(sum(n.week for n in entries)),
        ),
        [m["channel"], m["reason"], m["owner"], m["this_week"], m["until_week"]],
        [
            [
                Cell(n.channel_title),
                Cell(reason_text(b.e, m, n.reason_code)),
                Cell(n.owner_name),
                *(
                    b.traced(value, f"not_counted/{n.channel}/{n.reason_code}/{period}")
                    for period, value in (("week", n.week), ("to_date", n.to_date))
                ),
            ]
            for n in entries
        ],
        b.source("source_all"),
        notes=[m["not_counted_note"]],
        is_text=True,
    )
    return replace(section, tables=[table, *before_campaign(b)])


def before_kinds(m: Messages) -> dict[str, str]:
    """Return the kinds of records from before the campaign, each with its column heading."""
    others = {"IA": "tip_title", "LHP": "before_events", "PREV": "prevention_title"}
    return m.terms("case_kind") | {kind: m[key] for kind, key in others.items()}


def before_campaign(b: ChapterBuilder) -> list[Table]:
    """Count what the province received before the campaign, and its running deadlines."""
    e, m = b.e, b.m
    if not e.before_campaign or e.campaign_start is None:
        return []
    kinds = before_kinds(m)
    counts = {kind: e.before_campaign.get(kind, 0) for kind in kinds}
    counts["ALL"] = sum(counts.values())
    cells = [
        b.traced(count, f"before_campaign/{kind}/{e.area_code}") for kind, count in counts.items()
    ]
    return [
        Table(
            *b.number_table("before_campaign"),
            m("before_caption", count=m.number(counts["ALL"])),
            [m["restatement_place"], *kinds.values(), m["total"], m["before_deadlines"]],
            [[Cell(m["province"]), *cells, b.deadline(b.deadlines_before(), BEFORE_CAMPAIGN)]],
            b.source("source_all"),
            notes=[
                m("before_note", first=m.weekday(e.campaign_start), chapter=m["deadline_title"])
            ],
        )
    ]


def reason_text(e: Edition, m: Messages, code: str) -> str:
    """Return why something is not counted, for readers: without the channel's hints for clerks."""
    key = f"reason_{code}" if f"reason_{code}" in m else "reason_other"
    reason = e.names[m.language]["exclusion_reason"].get(code) or m[key]
    return reason[:1].upper() + reason[1:]


def method(b: ChapterBuilder) -> Section:
    """Say how the edition counts, when it was frozen, and the hash of its content."""
    e, m = b.e, b.m
    paragraphs = m.method(e)
    paragraphs.append(m("about_frozen", frozen_at=m.moment(e.frozen_at)))
    paragraphs.append(m("about_hash", content_hash=e.content_hash))
    if e.decision:
        paragraphs.append(m("about_reviewed", count=m.number(len(e.decision.reviewed))))
    places = [*b.place.items(), (b.e.area_code, m["province"])]
    periods = [*zip(PERIODS, b.period_heads, strict=True)]
    codes = [(m["restatement_place"], places), (m["period"], periods)]
    return Section("metode", m["method_title"], [], [], paragraphs, codes=codes)
