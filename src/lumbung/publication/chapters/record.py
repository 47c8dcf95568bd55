"""What the edition answers for: restatements, waivers, what is not counted, its method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lumbung.publication.chapters.formatting import PERIODS, SHOWN, Wording
from lumbung.publication.model.document import Cell, Section, Table
from lumbung.publication.model.edition import BEFORE_CAMPAIGN, Restatement
from lumbung.publication.translations.messages import INDONESIAN, Messages


def restatements(w: Wording) -> Section:
    """Each figure of an earlier edition that is different now, told once."""
    m = w.m
    section = Section("perubahan", m["restatement_title"], [], [])
    if not w.e.restatements:
        return replace(section, paragraphs=[w.nothing_restated(), m["restatement_states"]])
    new = w.e.new_restatements
    told = len(w.e.told_restatements)
    notes = [m["restatement_note"], m["restatement_states"]]
    if told:
        notes.append(m("restatement_told", count=m.number(told)))
    if len(new) > SHOWN:
        notes.append(m("restatement_rest", count=m.number(len(new) - SHOWN)))
    if not new:
        return replace(section, paragraphs=[m["restatement_caption_told"], *notes])
    heads, rows = revisions(w, new)
    table = Table(
        *w.number_table(),
        m("restatement_caption", count=m.number(len(new))),
        heads,
        rows[:SHOWN],
        w.source("source_all"),
        notes=notes,
        is_text=True,
    )
    return replace(section, tables=[table])


def revisions(
    w: Wording, restatements: Sequence[Restatement]
) -> tuple[list[str], list[list[Cell]]]:
    """Heads and rows of restatements, the province first: one line says what others are about."""
    m = w.m
    places = w.place | {w.e.province: m["province"]}
    heads = ("edition", "figure", "place", "old", "new", "why")
    return [m["figure" if head == "figure" else f"restatement_{head}"] for head in heads], [
        [
            Cell(r.of_edition_id),
            Cell(m.of_period(w.full_name(r.figure_code, r.category_code), r.period)),
            Cell(places.get(r.regency_code, r.regency_code)),
            *(restated(w, r, at) for at in ("old", "new")),
            Cell(m.reasons(r)),
        ]
        for r in sorted(
            restatements, key=lambda r: (r.of_edition_id, r.regency_code != w.e.province)
        )
    ]


def restated(w: Wording, restatement: Restatement, at: str) -> Cell:
    """An earlier edition's figure, `at` `old` or `new`."""
    r, value = restatement, getattr(restatement, at)
    key = f"{r.figure_code}/{r.category_code}/{r.regency_code}/{r.period}@{r.of_edition_id}"
    edition = r.of_edition_id if at == "old" else w.e.edition_id
    return w.count(value, f"restatement/{at}/{key}", w.m("behind_edition", edition=edition))


def waivers(w: Wording) -> Section:
    """Which checks a person lets fail, and why."""
    m = w.m
    return Section(
        "pengecualian",
        m["waiver_title"],
        [],
        [],
        [
            m(
                "waiver",
                check=w.check_name,
                by=w.waived_by,
                at=m.moment(w.granted_at),
                until=m.weekday(w.until),
                reason=w.reason,
            )
            for w in w.e.waivers
        ],
    )


def not_counted(w: Wording) -> Section:
    """What channels delivered that no figure counts, and why."""
    m = w.m
    entries = w.e.not_counted
    count = sum(channel.count for channel in w.e.held)
    chapter = m["complete_title"]
    held = [m("not_counted_held", count=m.number(count), chapter=chapter)] * bool(count)
    section = Section("tidak-dihitung", m["not_counted_title"], [], [], held)
    if not entries:
        return replace(section, paragraphs=[m["not_counted_none"], *held])
    table = Table(
        *w.number_table(),
        m(
            "not_counted_caption",
            count=m.number(sum(n.to_date for n in entries)),
            week=m.number(sum(n.week for n in entries)),
        ),
        [m["channel"], m["reason"], m["owner"], m["this_week"], m["until_week"]],
        [
            [
                Cell(n.channel_title),
                Cell(why_not(w, n.reason_code, n.reason)),
                Cell(n.owner_name),
                *(
                    w.traced(value, f"not_counted/{n.channel}/{n.reason_code}/{period}")
                    for period, value in (("week", n.week), ("to_date", n.to_date))
                ),
            ]
            for n in entries
        ],
        w.source("source_all"),
        notes=[m["not_counted_note"]],
        is_text=True,
    )
    return replace(section, tables=[table, *before_campaign(w)])


def before_kinds(m: Messages) -> dict[str, str]:
    """The kinds of what came before the campaign, each with what its column is called."""
    others = {"IA": "tip_title", "LHP": "before_events", "PREV": "prevention_title"}
    return m.terms("case_kind") | {kind: m[key] for kind, key in others.items()}


def before_campaign(w: Wording) -> list[Table]:
    """By regency what came before the campaign's first day, and how many deadlines of it run."""
    e, m = w.e, w.m
    if not e.before_campaign or e.campaign_start is None:
        return []
    kinds = before_kinds(m)

    def cells(place: str) -> list[Cell]:
        return [
            *(
                w.traced(w.before[place, kind], f"before_campaign/{kind}/{place}")
                for kind in (*kinds, "ALL")
            ),
            w.clock(w.clocks_before(place), place, BEFORE_CAMPAIGN),
        ]

    rows, last = w.by_regency(cells)
    heads = [m["regency"], *kinds.values(), m["total"], m["before_deadlines"]]
    return [
        Table(
            *w.number_table(),
            m("before_caption", count=m.number(w.before[e.province, "ALL"])),
            heads,
            rows,
            w.source("source_all"),
            total=last,
            notes=[
                m("before_note", first=m.weekday(e.campaign_start), chapter=m["deadline_title"])
            ],
        )
    ]


def why_not(w: Wording, code: str, reason: str) -> str:
    """The frozen reason, which is in Indonesian; in another language the code's own words."""
    if w.m is not INDONESIAN:
        known = w.names["set_apart_reason"].get(code)
        key = f"reason_{code}" if f"reason_{code}" in w.m else "reason_other"
        reason = known or w.m[key]
    return reason[:1].upper() + reason[1:]


def method(w: Wording) -> Section:
    """How the edition counts, when it was frozen, the hash of its content."""
    e, m = w.e, w.m
    paragraphs = m.method(e)
    paragraphs.append(m("about_frozen", frozen_at=m.moment(e.frozen_at)))
    paragraphs.append(m("about_hash", content_hash=e.content_hash))
    if e.decision:
        paragraphs.append(m("about_reviewed", count=m.number(len(e.decision.reviewed))))
    places = [*w.place.items(), (w.e.province, m["province"])]
    periods = [*zip(PERIODS, w.period_heads, strict=True)]
    codes = [(m["restatement_place"], places), (m["period"], periods)]
    return Section("metode", m["method_title"], [], [], paragraphs, codes=codes)
