"""The main points in the order of what matters, the map, the weeks, and a row per regency."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from enum import IntEnum

from lumbung.publication.chapters import bulletin, charts
from lumbung.publication.chapters.builder import (
    FUNNEL,
    HEADLINE,
    NAMED,
    OF_RECAPS,
    ChapterBuilder,
    lower,
)
from lumbung.publication.model.document import Cell, Chart, Table
from lumbung.publication.model.edition import QUOTIENT_PLACES, MetricValue

NAMED_NEEDS = 3
"""Needs that the point on prevention names."""


class Rank(IntEnum):
    """How much a point matters; within a rank, points keep the order in which they are written.

    A deadline that the law sets, and what makes the numbers uncertain, come before every change; a
    change that chance alone would rarely give comes before every other number; that something is
    absent comes last.
    """

    HEADLINE = 0
    URGENT = 1
    CHANGED = 2
    OTHER = 3
    NOTHING = 4


POINTS = 6
"""Main points at most, as in the bulletins of the ONS; the annex has the others."""


def points(b: ChapterBuilder) -> list[tuple[str, str]]:
    """Return every point, the most important first, each as a lead in bold and the rest."""
    ranked = sorted(_points(b), key=lambda point: point[0])
    return [(lead, rest) for _, lead, rest in ranked]


def _has_changed(metric: MetricValue) -> bool:
    """Return whether a count differs from the previous week by more than two standard errors.

    The difference of two Poisson counts has their sum as variance.
    """
    if metric.previous is None:
        return False
    return (metric.week - metric.previous) ** 2 > 4 * (metric.week + metric.previous)


def _rank(*metrics: MetricValue) -> Rank:
    return Rank.CHANGED if any(map(_has_changed, metrics)) else Rank.OTHER


def _points(b: ChapterBuilder) -> Iterator[tuple[Rank, str, str]]:
    """Yield every point with its rank."""
    e, m = b.e, b.m
    violation = e.metric("suspected_violation")
    kinds = {k: e.metric("suspected_violation_by_kind", k).week for k in b.kinds}
    more = m(
        "point_violation_more",
        lp=m.number(kinds["LP"]),
        tm=m.number(kinds["TM"]),
        change=b.moved(violation),
        to_date=m.number(violation.to_date),
    )
    short = m.short_weeks(e, e.weeks[-2:])
    lead = m("point_violation", value=m.number(violation.week))
    yield Rank.HEADLINE, lead, " ".join([more, *short])
    if e.held:
        channels = [
            m(
                "point_held_channel",
                title=channel.title,
                count=m.number(channel.count),
                since=m.day(channel.since),
            )
            for channel in e.held
        ]
        lead = m("point_held", channels=m.listing(channels))
        yield Rank.URGENT, lead, m("point_held_more", chapter=m["complete_title"])
    yield _deadlines(b)
    yield _needs(b)
    if e.profiles:
        yield _profiles(b)
    new = e.new_restatements
    headline = (*HEADLINE, e.area_code)
    if new:
        changed = {(r.metric_code, r.category_code, r.regency_code) for r in new}
        rank = Rank.URGENT if headline in changed else Rank.OTHER
        yield rank, m("point_restatement", count=m.number(len(new))), m["point_restatement_more"]
    else:
        yield Rank.NOTHING, b.nothing_restated(), ""
    if e.waivers:
        count = len({waiver.check_name for waiver in e.waivers})
        yield Rank.URGENT, m("point_waiver", count=m.number(count)), m["point_waiver_more"]
    yield from _places(b)
    yield from _activities(b)
    funnel = {k: e.metric(f"report_{k}", "LP") for k in FUNNEL}
    counts = {k: m.number(metric.week) for k, metric in funnel.items()}
    lead = m("point_funnel", received=counts["received"])
    yield _rank(funnel["received"]), lead, m("point_funnel_more", **counts)
    yield _complete(b)


def _deadlines(b: ChapterBuilder) -> tuple[Rank, str, str]:
    """Return the point on legal deadlines."""
    m = b.m
    running, about = b.running(), b.about_deadlines()
    if not any(b.deadlines[state] for state in (*b.running_states, "UNCERTAIN")):
        return Rank.NOTHING, m["point_deadline_none"], about
    passed = any(b.deadlines[state] for state in ("OVERDUE", "MAYBE_OVERDUE"))
    rest = f"{m('point_deadline_more', **running)} {about}".rstrip()
    return Rank.URGENT if passed else Rank.OTHER, m("point_deadline", **running), rest


def _needs(b: ChapterBuilder) -> tuple[Rank, str, str]:
    """Return the point on the most pressing prevention."""
    m = b.m
    needs = [
        m(
            ("point_need_theme" if need.fulfilled else "point_need_undone")
            if need.planned
            else "point_need_unplanned",
            issue=lower(b.e.issues[need.issue_code]),
            place=b.place[need.regency_code],
            done=m.number(need.done),
            planned=m.number(need.planned),
            fulfilled=m.number(need.fulfilled),
        )
        for need in bulletin.pressing(b.needs)[:NAMED_NEEDS]
    ]
    if not needs:
        return Rank.NOTHING, m["point_need_none"], ""
    return Rank.CHANGED, m["point_need"], f"{m.listing(needs)}."


def _profiles(b: ChapterBuilder) -> tuple[Rank, str, str]:
    """Return the point on the themes that stand out."""
    m = b.m
    themes = [
        m(
            "point_profile_tips" if p.is_by_tips else "point_profile_theme",
            issue=lower(b.e.issues[p.issue_code]),
            place=b.place[p.regency_code],
            times=m.decimal(p.quotient, QUOTIENT_PLACES),
        )
        for p in b.marked
    ]
    if not themes:
        return Rank.NOTHING, m["point_profile_none"], ""
    return Rank.CHANGED, m["point_profile"], f"{m.listing(themes, most=3)}."


def _places(b: ChapterBuilder) -> Iterator[tuple[Rank, str, str]]:
    """Yield the points on where this week's cases are, and on their themes."""
    m = b.m
    week = b.places("suspected_violation", "week")
    none = [name for name, value in week if value == 0]
    if not any(value for _, value in week):
        return
    is_even = len({value for _, value in week if value}) == 1
    nowhere = m("point_place_none", places=m.listing(none)) if none else ""
    yield (
        Rank.OTHER,
        m("point_place_even" if is_even else "point_place", places=b.leaders(week)),
        m(
            "point_place_more",
            none=nowhere if len(none) <= NAMED else "",
            places=b.leaders(b.places("suspected_violation", "to_date")),
        ),
    )
    issues = b.top_issues("week")
    if issues:
        yield Rank.OTHER, m("point_issue", issues=issues), m["point_issue_more"]
    else:
        yield Rank.NOTHING, m["point_issue_zero"], ""


def _activities(b: ChapterBuilder) -> Iterator[tuple[Rank, str, str]]:
    """Yield the points on campaign events, prevention and tips."""
    m = b.m
    total, prevention, tip = map(b.e.metric, (*OF_RECAPS, "tip"))
    if not b.has_recaps():
        if b.is_due:
            yield Rank.URGENT, m["point_no_recap"], m["point_no_recap_more"]
        else:
            yield Rank.OTHER, m["point_no_recap"], lower(m["recaps_not_due"])
        yield _rank(tip), m("point_tip", tip=m.number(tip.week)), f"{b.moved(tip)}."
        return
    events = b.places("campaign_event", "week")
    change = b.moved_by_recaps("campaign_event")
    spread = m(
        "point_campaign_spread",
        change=change,
        most=b.leaders(events),
        least=b.leaders(events, lowest=True),
    )
    yield (
        _rank(total) if b.is_comparable("campaign_event", "") else Rank.OTHER,
        m("point_campaign", value=m.number(total.week)),
        spread if total.week else f"{change}.",
    )
    yield (
        _rank(tip, *([prevention] if b.is_comparable("prevention", "") else [])),
        m("point_other", prevention=m.number(prevention.week), tip=m.number(tip.week)),
        m(
            "point_other_more",
            prevention_change=b.moved_by_recaps("prevention"),
            tip_change=b.moved(tip),
        ),
    )


def _complete(b: ChapterBuilder) -> tuple[Rank, str, str]:
    """Return the point on recaps; urgent where fewer than half of the districts returned one."""
    m = b.m
    submitted, expected = b.submitted()
    if not b.is_due:
        return Rank.NOTHING, m["recaps_not_due"], ""
    missing = [
        f"{s.district_name} ({b.place[s.regency_code]})" if b.e.is_of_country else s.district_name
        for s in b.e.submissions
        if not s.is_submitted
    ]
    lead = m(
        "point_complete",
        submitted=m.number(submitted),
        expected=m.number(expected),
        percent=m.percent(submitted, expected),
    )
    if not missing:
        return Rank.OTHER, lead, m["point_complete_all"]
    named = m.listing(missing, most=NAMED) if submitted else m["every_district"]
    rank = Rank.URGENT if 2 * submitted < expected else Rank.OTHER
    return rank, lead, m("point_complete_missing", districts=named)


def front_charts(b: ChapterBuilder) -> list[Chart]:
    """Return the two charts: the map and the weeks."""
    e, m = b.e, b.m
    code = "suspected_violation"
    to_date = b.places(code, "to_date")
    most = max((value for _, value in to_date), default=0)
    values = []
    places = []
    for r, (name, value) in zip(b.known, to_date, strict=True):
        week = m.number(e.metric(code, "ALL", r.code).week)
        description = m("map_value", place=name, to_date=m.number(value), week=week)
        values.append(description)
        places.append(
            charts.Place(
                *(name, r.tile_row, r.tile_col, r.outline, value / most if most else 0),
                *(m.number(value), m("map_tile", value=week), description),
            )
        )
    unknown = sum(e.metric(code, "ALL", r.code).to_date for r in e.regencies if r.is_unknown)
    note = m("map_note", unknown=m.number(unknown))
    if not charts.is_outlined(places):
        note = m["map_note_tiles"] + note
    total = e.metric(code)
    weeks = e.trend.get((code, "ALL"), ())[-16:]
    descriptions = [
        m("trend_value", week=int(week[-2:]), value=m.number(value)) for week, value in weeks
    ]
    return [
        Chart(
            *b.number_chart("map"),
            m("map_title", places=b.leaders(to_date)) if most else m["map_title_zero"],
            charts.region_map(places),
            m("map_alt", count=m.number(len(places)), values="; ".join(values)),
            b.source("source_register"),
            [note],
        ),
        Chart(
            *b.number_chart("weeks"),
            m("trend_title", value=m.number(total.week), change=b.moved(total)),
            charts.columns(
                [
                    charts.Bar(m.short_day(e.days_of(week)[0]), value, m.number(value), description)
                    for (week, value), description in zip(weeks, descriptions, strict=True)
                ]
            ),
            m("trend_alt", values="; ".join(descriptions)),
            b.source("source_register"),
            [m["trend_note"], *m.short_weeks(e, (week for week, _ in weeks))],
        ),
    ]


def glance(b: ChapterBuilder) -> list[Table]:
    """Return the table with a row per place; none above 12 regencies, for lack of space.

    The country's edition has every province, and no themes, which are the provinces' to compare.
    """
    m = b.m
    if len(b.known) > 12 and not b.e.is_of_country:
        return []
    labels = b.names["issue_label"]
    themes: dict[str, list[str]] = defaultdict(list)
    for p in b.marked:
        themes[p.regency_code].append(lower(labels[p.issue_code]))

    def cells(place: str) -> list[Cell]:
        return [
            b.cell("suspected_violation", "ALL", place, "week"),
            b.cell("suspected_violation", "ALL", place, "to_date"),
            b.cell("campaign_event", "ALL", place, "week"),
            b.cell("prevention", "ALL", place, "week"),
            b.recaps(place),
            *([] if b.e.is_of_country else [Cell(m.listing(themes[place]) or "–")]),
        ]

    rows, last = b.by_regency(cells)
    heads = ["week", "to_date", "events", "prevention", "recaps", "themes"]
    if b.e.is_of_country:
        heads.remove("themes")
    return [
        Table(
            *b.number_table("glance"),
            m["glance_caption"],
            [m["regency"], *(m[f"glance_{head}"] for head in heads)],
            rows,
            b.source("source_all"),
            total=last,
            notes=b.zeros_unknown(b.known),
        )
    ]
