"""Campaign events, prevention, and which districts delivered their recap of both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from lumbung.publication.chapters.formatting import Wording
from lumbung.publication.model.document import Cell, Section, Table
from lumbung.publication.model.edition import Submission


def parts(
    w: Wording,
    caption: str,
    whole: str,
    code: str,
    notes: Sequence[str] = (),
) -> Table:
    """A table of the parts of a whole by regency, this week and to date."""
    m = w.m
    categories = w.named(code)
    heads = [*categories.values(), m["total"]]
    rows, last = w.by_regency(
        lambda r: [
            cell
            for period in ("week", "to_date")
            for cell in [
                *(w.cell(code, category, r, period) for category in categories),
                w.cell(whole, "ALL", r, period),
            ]
        ]
    )
    return Table(
        *w.number_table(),
        caption,
        [m["regency"], *heads, *heads],
        rows,
        w.source("source_recap"),
        groups=[("", 1), (m["this_week"], len(heads)), (m["to_date"], len(heads))],
        total=last,
        notes=[*notes, *w.zeros_unknown(w.known)],
    )


def spread(w: Wording, caption: str, code: str) -> str:
    """How the count moved, and which regencies have most and least to date, if they differ."""
    values = w.places(code, "to_date")
    differ = len({value for _, value in values}) > 1
    most, least = w.leaders(values), w.leaders(values, lowest=True)
    return w.m(
        caption,
        change=w.moved_by_recaps(code),
        spread=w.m("spread", most=most, least=least) if differ else "",
    )


def campaign(w: Wording) -> Section:
    """Supervised campaign events by election and by method, by regency."""
    m = w.m
    whole = "campaign_event"
    elections, methods = "campaign_event_by_election", "campaign_event_by_method"
    most = w.most_of(methods, w.named(methods))
    tables = [
        parts(w, spread(w, "campaign_election", whole), whole, elections),
        parts(w, m("campaign_method", most=most), whole, methods, [m["campaign_note"]]),
    ]
    return Section("kampanye", m["campaign_title"], [], tables)


def prevention(w: Wording) -> Section:
    """Prevention actions by kind, by regency."""
    code = "prevention_by_type"
    caption = spread(w, "prevention_caption", "prevention")
    table = parts(w, caption, "prevention", code)
    return Section("prevention", w.m["prevention_title"], [], [table])


def completeness(w: Wording) -> Section:
    """Which channels are held back; how many districts delivered, when last, and who has not."""
    e, m = w.e, w.m
    held = [
        m(
            "channel_held",
            title=channel.title,
            count=m.number(channel.count),
            since=m.day(channel.since),
            reason=channel.reason_en if m.language == "en" else channel.reason,
        )
        for channel in e.held
    ]
    last: dict[str, list[Submission]] = defaultdict(list)
    for submission in e.submissions:
        for place in (submission.regency_code, w.e.province):
            last[place].append(submission)

    def cells(place: str) -> list[Cell]:
        weeks = [s.last_week for s in last[place] if s.last_week]
        return [
            w.cell("district_expected", "ALL", place, "week"),
            w.cell("district_submitted", "ALL", place, "week"),
            w.recaps(place),
            Cell(w.recap(max(weeks, default=None))),
        ]

    submitted, expected = w.submitted()
    heads = ("regency", "districts", "submitted", "share", "last_delivery")
    tables = [
        Table(
            *w.number_table(),
            m(
                "complete_caption",
                submitted=m.number(submitted),
                expected=m.number(expected),
            ),
            [m[head] for head in heads],
            [[Cell(w.place[r.code]), *cells(r.code)] for r in w.known],
            w.source("source_recap"),
            total=[Cell(m["province"]), *cells(w.e.province)],
            notes=[m["complete_note"]],
        )
    ]
    missing = [s for s in e.submissions if not s.is_submitted]
    if not missing:
        return Section(
            "kelengkapan", m["complete_title"], [], tables, [m["missing_none"]], lead=held
        )
    tables.append(
        Table(
            *w.number_table(),
            m("missing_caption", count=m.number(len(missing))),
            [m["district"], m["regency"], m["last_delivery"]],
            [
                [
                    Cell(s.district_name),
                    Cell(w.place.get(s.regency_code, s.regency_code)),
                    Cell(w.recap(s.last_week)),
                ]
                for s in missing
            ],
            w.source("source_recap"),
            is_text=True,
        )
    )
    return Section("kelengkapan", m["complete_title"], [], tables, lead=held)
