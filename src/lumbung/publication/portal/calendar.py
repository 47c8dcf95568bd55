"""When editions appear: the release calendar of the portal (iCalendar)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from urllib.parse import urlsplit

from icalendar import Calendar, Event

from lumbung.publication.model.edition import Edition
from lumbung.publication.translations.formatting import Messages
from lumbung.settings import JAKARTA

AHEAD = 4
"""How many coming editions the calendar announces."""


def due(latest: Edition, number: int) -> datetime:
    """Return when the edition that many weeks after this one is due: a Monday, 06:00 WIB."""
    return latest.as_of.astimezone(JAKARTA) + timedelta(weeks=number)


def late_after(latest: Edition) -> datetime:
    """Return when the edition after this one is late: when its Monday has passed (WIB)."""
    return datetime.combine(latest.next_day + timedelta(days=1), time(0), JAKARTA)


def releases(editions: Sequence[Edition], m: Messages) -> bytes:
    """Return the calendar: when each edition appeared, and the Mondays of the next `AHEAD`.

    Args:
        editions: published ones, by week and revision, at least one.
        m: the language of its texts.

    """
    latest = editions[-1]
    calendar = Calendar()
    calendar.add("prodid", "-//Lumbung//portal//")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", m["title"])
    stamp = max(edition.decision.decided_at for edition in editions if edition.decision)
    for edition in editions:
        if edition.decision:
            summary = m("calendar_published", edition=edition.edition_id)
            _add(calendar, latest, edition.edition_id, summary, edition.decision.decided_at, stamp)
    for number in range(1, AHEAD + 1):
        begin = due(latest, number)
        monday = begin.date() - timedelta(days=7)
        week = m.week_range(monday, monday + timedelta(days=6))
        _add(calendar, latest, f"{monday:%G-W%V}", m("calendar_due", week=week), begin, stamp)
    content: bytes = calendar.to_ical()
    return content


def _add(
    calendar: Calendar, latest: Edition, name: str, summary: str, begin: datetime, stamp: datetime
) -> None:
    office = latest.office
    event = Event()
    event.add("uid", f"{name}@{urlsplit(office.contact_url).hostname}")
    event.add("dtstamp", stamp.astimezone(UTC))
    event.add("dtstart", begin.astimezone(UTC))  # a zone by name would need its rules beside it
    event.add("duration", timedelta(hours=1))
    event.add("summary", summary)
    if office.portal_url:
        event.add("url", office.portal_url)
    calendar.add_component(event)
