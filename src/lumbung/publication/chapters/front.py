"""The first page: the main points, a map, a trend, and a table with a row per regency."""

from __future__ import annotations

from collections import defaultdict

from lumbung.publication.chapters import charts
from lumbung.publication.chapters.builder import FUNNEL, NAMED, OF_RECAPS, ChapterBuilder, lower
from lumbung.publication.model.document import Cell, Chart, Table
from lumbung.publication.model.edition import QUOTIENT_PLACES


def points(b: ChapterBuilder) -> list[tuple[str, str]]:
    """Return the main points, each as a lead in bold and the rest of the sentence."""
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
    points = [(m("point_violation", value=m.number(violation.week)), " ".join([more, *short]))]
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
        points.append(
            (
                m("point_held", channels=m.listing(channels)),
                m("point_held_more", chapter=m["complete_title"]),
            )
        )
    week = b.places("suspected_violation", "week")
    to_date = b.places("suspected_violation", "to_date")
    none = [name for name, value in week if value == 0]
    if any(value for _, value in week):
        is_even = len({value for _, value in week if value}) == 1
        nowhere = m("point_place_none", places=m.listing(none)) if none else ""
        points.append(
            (
                m(
                    "point_place_even" if is_even else "point_place",
                    places=b.leaders(week),
                ),
                m(
                    "point_place_more",
                    none=nowhere if len(none) <= NAMED else "",
                    places=b.leaders(to_date),
                ),
            )
        )
        issues = b.top_issues("week")
        points.append(
            (m("point_issue", issues=issues), m["point_issue_more"])
            if issues
            else (m["point_issue_zero"], "")
        )
    if e.profiles:
        themes = [
            m(
                "point_profile_theme",
                issue=lower(e.issues[p.issue_code]),
                place=b.place[p.regency_code],
                times=m.decimal(p.quotient, QUOTIENT_PLACES),
            )
            for p in b.marked
        ]
        points.append(
            (m("point_profile", themes=m.listing(themes, most=3)), "")
            if themes
            else (m["point_profile_none"], "")
        )
    funnel = {k: e.metric(f"report_{k}", "LP").week for k in FUNNEL}
    points.append(
        (
            m("point_funnel", received=m.number(funnel["received"])),
            m("point_funnel_more", **{k: m.number(v) for k, v in funnel.items()}),
        )
    )
    running, about = b.running(e.province), b.about_deadlines(e.province)
    points.append(
        (
            m("point_deadline", **running),
            f"{m('point_deadline_more', **running)} {about}".rstrip(),
        )
        if any(b.deadlines[e.province, state] for state in (*b.running_states, "UNCERTAIN"))
        else (m["point_deadline_none"], about)
    )
    points.extend(activities(b))
    submitted, expected = b.submitted()
    missing = [s.district_name for s in e.submissions if not s.is_submitted]
    points.append(
        (
            m(
                "point_complete",
                submitted=m.number(submitted),
                expected=m.number(expected),
                percent=m.percent(submitted, expected),
            ),
            m(
                "point_complete_missing",
                districts=m.listing(missing, most=NAMED) if submitted else m["every_district"],
            )
            if missing
            else m["point_complete_all"],
        )
    )
    new = len(b.e.new_restatements)
    points.append(
        (m("point_restatement", count=m.number(new)), m["point_restatement_more"])
        if new
        else (m["restatement_caption_published"] if e.restatements else b.nothing_restated(), "")
    )
    if e.waivers:
        count = len({b.check_name for b in e.waivers})
        points.append((m("point_waiver", count=m.number(count)), m["point_waiver_more"]))
    return points


def activities(b: ChapterBuilder) -> list[tuple[str, str]]:
    """Return the points on campaign events, prevention and tips."""
    m = b.m
    total, prevention, tip = map(b.e.metric, (*OF_RECAPS, "tip"))
    if not b.has_recaps():
        return [
            (m["point_no_recap"], m["point_no_recap_more"]),
            (m("point_tip", tip=m.number(tip.week)), f"{b.moved(tip)}."),
        ]
    events = b.places("campaign_event", "week")
    change = b.moved_by_recaps("campaign_event")
    return [
        (
            m("point_campaign", value=m.number(total.week)),
            m(
                "point_campaign_spread",
                change=change,
                most=b.leaders(events),
                least=b.leaders(events, lowest=True),
            )
            if total.week
            else f"{change}.",
        ),
        (
            m("point_other", prevention=m.number(prevention.week), tip=m.number(tip.week)),
            m(
                "point_other_more",
                prevention_change=b.moved_by_recaps("prevention"),
                tip_change=b.moved(tip),
            ),
        ),
    ]


def front_charts(b: ChapterBuilder) -> list[Chart]:
    """Return the two charts of the first page: the map and the trend."""
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
            *b.number_chart(),
            m("map_title", places=b.leaders(to_date)) if most else m["map_title_zero"],
            charts.region_map(places),
            m("map_alt", count=m.number(len(places)), values="; ".join(values)),
            b.source("source_register"),
            [note],
        ),
        Chart(
            *b.number_chart(),
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
    """Return the table with a row per regency; none above 12 regencies, for lack of space."""
    m = b.m
    if len(b.known) > 12:
        return []
    labels = b.names["issue_label"]
    themes: dict[str, list[str]] = defaultdict(list)
    for p in b.marked:
        themes[p.regency_code].append(lower(labels[p.issue_code]))

    def cells(place: str) -> list[Cell]:
        return [
            b.cell("suspected_violation", "ALL", place, "week"),
            b.cell("suspected_violation", "ALL", place, "to_date"),
            b.deadline(b.deadlines[place, "OVERDUE"], place, "OVERDUE"),
            b.deadline(b.deadlines[place, "MAYBE_OVERDUE"], place, "MAYBE_OVERDUE"),
            b.cell("campaign_event", "ALL", place, "week"),
            b.cell("prevention", "ALL", place, "week"),
            b.recaps(place),
            Cell(m.listing(themes[place]) or "–"),
        ]

    rows, last = b.by_regency(cells)
    heads = ("week", "to_date", "overdue", "maybe", "events", "prevention", "recaps", "themes")
    return [
        Table(
            *b.number_table(),
            m["glance_caption"],
            [m["regency"], *(m[f"glance_{head}"] for head in heads)],
            rows,
            b.source("source_all"),
            total=last,
            notes=b.zeros_unknown(b.known),
        )
    ]
