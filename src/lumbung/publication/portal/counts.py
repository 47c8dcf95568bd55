"""What the pages say of a count: its cells, key metrics, and how it went over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lumbung.publication.chapters import charts
from lumbung.publication.chapters.builder import OF_RECAPS, PERIODS, ChapterBuilder
from lumbung.publication.model.document import Cell
from lumbung.publication.portal.site import Measure, Site


@dataclass(frozen=True)
class Point:
    """A week of a series; `edition_id` says which edition holds the value (None: not known)."""

    week_id: str
    day: str
    value: int | None
    text: str
    edition_id: str | None
    reference: str


@dataclass(frozen=True)
class Series:
    """A metric over time: a chart and its numbers."""

    id: str
    name: str
    title: str
    svg: str
    alt: str
    source: str
    points: list[Point]
    has_editions: bool


def cells(site: Site, measure: Measure, regency: str) -> list[Cell]:
    """Return a metric's cells: week, previous week, difference, and since the first week."""
    return [site.b.sum_cell(measure.code, measure.categories, regency, p) for p in PERIODS]


def stats(
    site: Site, measures: Sequence[Measure], b: ChapterBuilder, regency: str = ""
) -> list[dict[str, str]]:
    """Return key metrics: the week's count, its change, and the count since the first week.

    Args:
        site: whose words it uses.
        measures: what is counted.
        b: the builder of the edition that counts.
        regency: its code; empty: the province.

    """
    m, regency = site.m, regency or b.e.area_code
    stats = []
    for measure in measures:
        week, previous, difference, to_date = (
            b.sum_cell(measure.code, measure.categories, regency, p) for p in PERIODS
        )
        change = m("stat_previous", previous=previous.text, difference=difference.text)
        since = m("stat_to_date", to_date=to_date.text)
        if difference.value is None:
            change = m["change_unknown"]
        if measure.code in OF_RECAPS and not b.has_recaps(regency):
            change = m["stat_no_recap"] if b.is_due else m["recaps_not_due"]
        if measure.code == "district_submitted":
            done, of = b.submitted(regency)
            change = b.of_recaps("stat_of", of=m.number(of), percent=m.percent(done, of))
            since = ""
        stats.append(
            {
                "name": measure.name,
                "text": week.text,
                "change": change,
                "to_date": since,
                "reference": week.metric,
            }
        )
    return stats


def by_week(site: Site, measure: Measure, regency: str) -> list[Point]:
    """Return a count by week, as in the latest edition.

    Of the province an edition holds every week. Of a regency it holds its own week and the one
    before: the others are those of the editions of their weeks, corrected by what the latest
    edition restates; a week that no edition holds is not known.
    """
    points = []
    for week in site.weeks:
        found: list[tuple[int | None, str | None]] = [
            _value(site, measure.code, category, regency, week) for category in measure.categories
        ]
        values = [value for value, _ in found if value is not None]
        value = sum(values) if len(values) == len(found) else None
        references = (f"{measure.code}/{c}/{regency}/week@{week}" for c in measure.categories)
        points.append(
            Point(
                week,
                site.m.day(site.e.days_of(week)[0]),
                *(value, site.m.number(value)),
                found[0][1] if value is not None else None,
                " ".join(references) if value is not None else "",
            )
        )
    first = next((n for n, point in enumerate(points) if point.value is not None), 0)
    return points[first:]


def _value(
    site: Site, code: str, category: str, regency: str, week: str
) -> tuple[int | None, str | None]:
    """Return a week's count of one metric and the edition that holds it."""
    if regency == site.e.area_code:
        return dict(site.e.trend.get((code, category), ())).get(week), site.e.edition_id
    key = code, category, regency
    own = site.newest.get(week)
    if own and key in own.metrics:
        if (own.edition_id, *key, "week") in site.restated:
            return site.restated[own.edition_id, *key, "week"], site.e.edition_id
        return own.metrics[key].week, own.edition_id
    after = site.weeks[site.weeks.index(week) + 1 :][:1]
    later = site.newest.get(after[0]) if after else None
    if later and key in later.metrics:
        if (later.edition_id, *key, week) in site.restated:
            return site.restated[later.edition_id, *key, week], site.e.edition_id
        return later.metrics[key].previous, later.edition_id
    return None, None


def series(
    site: Site,
    measure: Measure,
    regency: str,
    *,
    name: str = "",
    identifier: str = "",
    top: int = 0,
) -> Series:
    """Return a count over time; `top` as in `charts.columns`, where charts share a scale."""
    m = site.m
    points = by_week(site, measure, regency)
    metric = site.b.total(measure.code, measure.categories, regency)
    known = [point.value for point in points if point.value is not None]
    bars = [
        charts.Bar(
            m.short_day(site.e.days_of(p.week_id)[0]),
            *(p.value, p.text),
            m("series_said", week=int(p.week_id[-2:]), day=p.day, value=p.text),
        )
        for p in points
    ]
    return Series(
        identifier or measure.id,
        name or measure.name,
        m(
            "series_title",
            week=int(site.e.week_id[-2:]),
            value=m.number(metric.week),
            change=site.b.moved_by_recaps(measure.code, regency)
            if measure.code in OF_RECAPS
            else site.b.moved(metric),
        ),
        charts.columns(bars, top=top),
        m(
            "series_alt",
            name=name or measure.name,
            lowest=m.number(min(known)),
            highest=m.number(max(known)),
            value=m.number(metric.week),
        ),
        "" if top else source(site, measure, regency),
        points,
        regency != site.e.area_code,
    )


def source(site: Site, measure: Measure, place: str = "") -> str:
    """Return the line below a chart."""
    return site.b.source(site.m.metrics[measure.code].source, place)
