"""Which week's edition is due, and when a week is closed for publication."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from lumbung import database
from lumbung.errors import ServiceError
from lumbung.publication.editions.queries import statement
from lumbung.publication.model.edition import week_start
from lumbung.settings import JAKARTA


def week_before(moment: datetime) -> str:
    """The ISO week that had ended at a moment (aware, any zone), by the calendar of Jakarta."""
    last = moment.astimezone(JAKARTA).date() - timedelta(days=7)
    year, week, _ = last.isocalendar()
    return f"{year}-W{week:02}"


def as_of(week_id: str) -> datetime:
    """When a week is closed for publication: the Monday after it, 06:00 WIB."""
    return datetime.combine(week_start(week_id) + timedelta(days=7), time(6), JAKARTA)


def is_due(week_id: str, *, latest: str, database_url: str) -> bool:
    """Whether the scheduled run for a week has something to publish.

    The week that has just ended always; an earlier one, whose Monday was missed, when editions
    began before it and it has none yet. So an office that starts late is not asked for old weeks.

    Args:
        week_id: the week the run is for.
        latest: the week that has ended last.
        database_url: the warehouse.

    Raises:
        ServiceError: when no whole build of the marts has begun since the week ended, or what had
            been landed by its Monday, 06:00 WIB, is in none; worth another try.

    """
    closed = as_of(week_id)
    with database.connect(database_url, application="lumbung publication") as connection:
        has_begun, is_published, is_built = connection.execute(
            statement("is_due").encode(),
            {"week": week_id, "ended": closed.replace(hour=0), "closed": closed},
        ).fetchone() or (False, False, False)
    if week_id < latest and (is_published or not has_begun):
        return False
    if not is_built:
        raise ServiceError(
            "the marts have not been built since the week ended, with all that had come by then",
            where=f"week {week_id}",
            remediation="run the DAG 'warehouse', then clear this task",
        )
    return True
