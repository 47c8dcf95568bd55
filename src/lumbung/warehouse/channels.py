"""What the pulls of channels brought, day by day, and what is wrong with a channel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from psycopg.types.json import Jsonb

from lumbung import database
from lumbung.settings import JAKARTA
from lumbung.warehouse.checkpoints import load_suite
from lumbung.warehouse.raw_checkpoint import Hold, open_holds

DAYS = 14
"""Days of `Status.days`."""


class Day(NamedTuple):
    """What the pulls of a day read; `read` is the sum of the other three."""

    day: date
    read: int
    landed: int
    duplicate: int
    quarantined: int


class Drift(NamedTuple):
    """A field that is not as before: it `appeared`, `vanished` or `changed` its type."""

    field: str
    notice: Literal["appeared", "vanished", "changed"]
    noticed_at: datetime


@dataclass(frozen=True)
class Status:
    """The state of a channel.

    Attributes:
        days: the last `DAYS` days in Asia/Jakarta, the oldest first, also those without a pull.
        pulled_at: when something of it was pulled last, also if nothing was there; None: never.
        new_at: when a delivery was landed last; None: never.
        is_late: whether `new_at` is further back than the raw checkpoint allows.
        quarantined: how many deliveries wait in quarantine.

    """

    days: list[Day]
    pulled_at: datetime | None = None
    new_at: datetime | None = None
    is_late: bool = False
    quarantined: int = 0
    drift: list[Drift] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)


def statuses(
    database_url: str, cadences: Mapping[str, timedelta | None], *, allowed: float
) -> dict[str, Status]:
    """Return the state of channels by the name of their records.

    Args:
        database_url: the warehouse, as its owner or `auditor`.
        cadences: how often something new should come (`Channel.expected_every`), by channel.
        allowed: how many cadences late a channel may be: `allowed_cadences`.

    """
    names = list(cadences)
    counts: dict[str, dict[date, Day]] = defaultdict(dict)
    drift: dict[str, list[Drift]] = defaultdict(list)
    holds: dict[str, list[Hold]] = defaultdict(list)
    with database.connect(database_url, application="lumbung channels") as connection:
        now = database.now(connection)
        for channel, *day in connection.execute(
            "select channel, (landed_at at time zone 'Asia/Jakarta')::date as day,"
            " sum(read_count)::bigint, sum(landed_count)::bigint, sum(duplicate_count)::bigint,"
            " sum(quarantined_count)::bigint from raw.batch where channel = any(%s)"
            " and landed_at > %s - make_interval(days => %s) group by 1, 2",
            (names, now, DAYS + 1),
        ):
            counts[channel][day[0]] = Day(*day)
        pulls = {
            channel: (pulled_at, new_at)
            for channel, pulled_at, new_at in connection.execute(
                "select channel, max(landed_at), max(landed_at) filter (where landed_count > 0)"
                " from raw.batch where channel = any(%s) group by channel",
                (names,),
            )
        }
        quarantined: dict[str, int] = dict(
            connection.execute(
                "select channel, count(*) from quarantine.record"
                " where resolved_at is null and channel = any(%s) group by channel",
                (names,),
            ).fetchall()
        )
        for channel, *notice in connection.execute(
            "select channel, field, notice, noticed_at from ops.drift_notice"
            " where channel = any(%s) order by noticed_at desc, field",
            (names,),
        ):
            drift[channel].append(Drift(*notice))
        for hold in open_holds(connection):
            holds[hold.channel].append(hold)
    today = now.astimezone(JAKARTA).date()
    days = [today - timedelta(days=each) for each in reversed(range(DAYS))]
    found = {}
    for name, cadence in cadences.items():
        pulled_at, new_at = pulls.get(name, (None, None))
        found[name] = Status(
            days=[counts[name].get(day, Day(day, 0, 0, 0, 0)) for day in days],
            pulled_at=pulled_at,
            new_at=new_at,
            is_late=bool(cadence and new_at and now - new_at > allowed * cadence),
            quarantined=quarantined.get(name, 0),
            drift=drift[name],
            holds=holds[name],
        )
    return found


def allowed_cadences(suite: Path) -> float:
    """Return how many cadences late a channel may be before the raw checkpoint warns.

    Raises:
        ConfigurationError: when its suite cannot be read.

    """
    (allowed,) = (
        check.arguments["max_value"]
        for batch in load_suite(suite).batches
        for check in batch.checks
        if check.name == "channel_is_fresh"
    )
    return float(allowed)


def record_request(
    database_url: str, channel: str, request: str, *, by: str, reason: str = "", count: int = 0
) -> None:
    """Write into the audit log what a person has asked Airflow to do with a channel.

    Args:
        database_url: the warehouse, as `steward`.
        channel: the name of its records.
        request: `pull`, `retry`, `pause`, `resume` or `accept_withdrawals`.
        by: the person's account.
        reason: why, without the name of any person.
        count: how many withdrawals are accepted; 0 where the request accepts none.

    """
    content: dict[str, object] = {
        "channel": channel,
        "request": request,
        "reason": reason.strip() or None,
    }
    if count:
        content["count"] = count
    with database.connect(database_url, application="lumbung channels") as connection:
        connection.execute("select ops.record_channel_request(%s, %s)", (by, Jsonb(content)))
