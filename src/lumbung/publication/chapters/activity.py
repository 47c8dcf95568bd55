"""Campaign events, prevention, and which districts delivered their recap of both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from lumbung.publication.chapters.builder import ChapterBuilder
from lumbung.publication.model.document import Cell, Section, Table
from lumbung.publication.model.edition import Submission
from lumbung.warehouse import prevention_effect


def parts(
    b: ChapterBuilder,
    name: str,
    caption: str,
    whole: str,
    code: str,
    notes: Sequence[str] = (),
) -> Table:
    """A table of the parts of a whole by regency, this week and to date."""
    m = b.m
    categories = b.named(code)
    heads = [*categories.values(), m["total"]]
    rows, last = b.by_regency(
        lambda r: [
            cell
            for period in ("week", "to_date")
            for cell in [
                *(b.cell(code, category, r, period) for category in categories),
                b.cell(whole, "ALL", r, period),
            ]
        ]
    )
    return Table(
        *b.number_table(name),
        caption,
        [m["regency"], *heads, *heads],
        rows,
        b.source("source_recap"),
        groups=[("", 1), (m["this_week"], len(heads)), (m["to_date"], len(heads))],
        total=last,
        notes=[*notes, *b.zeros_unknown(b.known)],
    )


def spread(b: ChapterBuilder, caption: str, code: str) -> str:
    """Describe how a count has changed, and which regencies have the most and fewest to date."""
    values = b.places(code, "to_date")
    differ = len({value for _, value in values}) > 1
    most, least = b.leaders(values), b.leaders(values, lowest=True)
    return b.m(
        caption,
        change=b.moved_by_recaps(code),
        spread=b.m("spread", most=most, least=least) if differ else "",
    )


def campaign(b: ChapterBuilder) -> Section:
    """Supervised campaign events by election and by method, by regency."""
    m = b.m
    whole = "campaign_event"
    elections, methods = "campaign_event_by_election", "campaign_event_by_method"
    most = b.most_of(methods, b.named(methods))
    tables = [
        parts(
            b,
            "campaign_election",
            spread(b, "campaign_election", whole),
            whole,
            elections,
        ),
        parts(
            b,
            "campaign_method",
            m("campaign_method", most=most),
            whole,
            methods,
            [m["campaign_note"]],
        ),
    ]
    return Section("kampanye", m["campaign_title"], [], tables)


def prevention(b: ChapterBuilder) -> Section:
    """Prevention actions by kind, by regency."""
    code = "prevention_by_type"
    caption = spread(b, "prevention_caption", "prevention")
    table = parts(b, "prevention_caption", caption, "prevention", code)
    tables, paragraphs = effects(b)
    return Section("prevention", b.m["prevention_title"], [], [table, *tables], paragraphs)


def effects(b: ChapterBuilder) -> tuple[list[Table], list[str]]:
    """Compare cases before and after activities, as a table; or say that there are too few."""
    m, found = b.m, b.e.effects
    if not found:
        too_few = {
            "activities": prevention_effect.MIN_ACTIVITIES,
            "cases": prevention_effect.MIN_CASES,
        }
        return [], [] if found is None else [m("effect_none", **too_few)]
    heads = ("activities", "ratio", "interval")
    table = Table(
        *b.number_table("effect"),
        m["effect_caption"],
        [m["theme"], *(m[f"effect_{head}"] for head in heads)],
        [
            [
                Cell(b.e.issues[each.issue_code]),
                b.count(each.activities, f"effect/{each.issue_code}", m["effect_activities_said"]),
                b.measure(each.ratio, f"effect/{each.issue_code}", m["effect_ratio_said"], 2),
                Cell(m("interval", lower=m.decimal(each.low, 2), upper=m.decimal(each.high, 2))),
            ]
            for each in found
        ],
        b.source("source_need"),
        notes=[m["effect_note"], m["effect_not_proof"]],
    )
    return [table], []


def completeness(b: ChapterBuilder) -> Section:
    """Channels held back; districts that delivered, when they did last, and those missing."""
    e, m = b.e, b.m
    held = [
        m(
            "channel_held",
            channel=m.channel(channel.title),
            count=m.number(channel.count),
            since=m.day(channel.since),
            reason=channel.reason_en if m.language == "en" else channel.reason,
        )
        for channel in e.held
    ]
    last: dict[str, list[Submission]] = defaultdict(list)
    for submission in e.submissions:
        for place in (submission.regency_code, b.e.area_code):
            last[place].append(submission)

    def cells(place: str) -> list[Cell]:
        weeks = [s.last_week for s in last[place] if s.last_week]
        return [
            b.cell("district_expected", "ALL", place, "week"),
            b.cell("district_submitted", "ALL", place, "week"),
            b.recaps(place),
            Cell(b.recap(max(weeks, default=None))),
        ]

    submitted, expected = b.submitted()
    heads = ("regency", "districts", "submitted", "share", "last_delivery")
    tables = [
        Table(
            *b.number_table("complete"),
            b.of_recaps(
                "complete_caption",
                submitted=m.number(submitted),
                expected=m.number(expected),
            ).rstrip("."),
            [m[head] for head in heads],
            [[Cell(b.place[r.code]), *cells(r.code)] for r in b.known],
            b.source("source_recap"),
            total=[Cell(m["province"]), *cells(b.e.area_code)],
            notes=[m["complete_note"]],
        )
    ]
    missing = [s for s in e.submissions if not s.is_submitted]
    if not missing:
        return Section(
            *("kelengkapan", m["complete_title"], [], tables, [b.of_recaps("missing_none")]),
            lead=held,
        )
    tables.append(
        Table(
            *b.number_table("missing"),
            m("missing_caption", count=m.number(len(missing))),
            [m["district"], m["regency"], m["last_delivery"]],
            [
                [
                    Cell(s.district_name),
                    Cell(b.place.get(s.regency_code, s.regency_code)),
                    Cell(b.recap(s.last_week)),
                ]
                for s in missing
            ],
            b.source("source_recap"),
            is_text=True,
        )
    )
    return Section("kelengkapan", m["complete_title"], [], tables, lead=held)
