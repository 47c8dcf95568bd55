"""Which week's edition is due, and when a week is closed for publication."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from lumbung import database
from lumbung.errors import ServiceError
from lumbung.publication.editions.queries import statement
from lumbung.publication.model.edition import week_start
from lumbung.settings import JAKARTA


def week_before(moment: datetime) -> str:
    """Return the ISO week that had ended last at a moment (aware, any zone), in Jakarta's time."""
    last = moment.astimezone(JAKARTA).date() - timedelta(days=7)
    year, week, _ = last.isocalendar()
    return f"{year}-W{week:02}"


def as_of(week_id: str) -> datetime:
    """Return when a week is closed for publication: the Monday after it, 06:00 WIB."""
    return datetime.combine(week_start(week_id) + timedelta(days=7), time(6), JAKARTA)


def is_due(week_id: str, *, latest: str, office: str, database_url: str) -> bool:
    """Return whether the scheduled run for a week has something to publish.

    The week that ended last is always due. An earlier week, whose Monday was missed, is due when it
    has no edition yet and an edition of a week before it exists. An office that begins to publish
    in the middle of a campaign is therefore not asked about older weeks.

    Args:
        week_id: the week the run is for.
        latest: the week that has ended last.
        office: the code of the office; empty: the installation's own.
        database_url: the warehouse.

    Raises:
        ServiceError: when no complete build of the marts has begun since the week ended, or none
            includes everything landed by the Monday after it, 06:00 WIB; try again later.

    """
    closed = as_of(week_id)
    with database.connect(database_url, application="lumbung publication") as connection:
        has_begun, is_published, is_built = connection.execute(
            statement("is_due").encode(),
            {
                "office": office,
                "week": week_id,
                "ended": closed.replace(hour=0),
                "closed": closed,
            },
        ).fetchone() or (False, False, False)
    if week_id < latest and (is_published or not has_begun):
        return False
    if not is_built:
        raise ServiceError(
            "the marts have not been built with all that was landed before the week was closed",
            where=f"week {week_id}",
            remediation="run the DAG 'warehouse', then clear this task",
        )
    return True
