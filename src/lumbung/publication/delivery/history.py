"""Which notices were found and sent, on whichever machine: `ops.notice`.

A way of sending is claimed before it is used, in a transaction of its own. A unique index lets one
of two workers claim it. A claim without a result is of a process that was killed, or that lost the
database: after `CLAIM` it can be claimed again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from lumbung import database
from lumbung.errors import LumbungError

FORGOTTEN = timedelta(days=3)
"""A cause that was not found for this long begins again when it is found again."""
CLAIM = timedelta(minutes=15)
"""How long an attempt to send may take; a mail takes a few commands of at most a minute each."""

FIND = """
insert into ops.notice (event, cause, step)
select %(event)s, %(cause)s, 'found'
where not exists (
    select from ops.notice
    where cause = %(cause)s and happened_at > clock_timestamp() - interval '1 hour'
)
"""

SINCE = """
select max(happened_at) from (
    select happened_at, lag(happened_at) over (order by happened_at, notice_id) as before
    from ops.notice where cause = %(cause)s
) as found where before is null or happened_at > before + %(forgotten)s
"""

TRY = """
insert into ops.notice (event, cause, way, attempt, step)
select
    %(event)s, %(cause)s, %(way)s, coalesce(last.attempt, 0) + 1,
    case last.step when 'claimed' then 'reclaimed' when 'reclaimed' then 'reclaimed'
        else 'claimed' end
from (values (1)) as one
left join (
    select attempt, case when happened_at >= %(since)s then step end as step, happened_at
    from ops.notice where cause = %(cause)s and way = %(way)s
    order by attempt desc, notice_id desc limit 1
) as last on true
where last.step is null or last.step = 'failed' or last.happened_at < clock_timestamp()
    - case last.step when 'sent' then %(pause)s else %(claim)s end
on conflict do nothing
returning attempt, step = 'reclaimed'
"""

END = """
insert into ops.notice (event, cause, way, attempt, step)
values (%(event)s, %(cause)s, %(way)s, %(attempt)s, %(step)s)
on conflict do nothing
"""


@dataclass(frozen=True)
class Attempt:
    """One attempt to send by one way.

    Attributes:
        is_repeated: whether an earlier one has no result: it may have been received.

    """

    way: str
    number: int
    is_repeated: bool


class History:
    """What was done about one cause.

    Attributes:
        since: when the cause was first found.

    """

    def __init__(self, connection: psycopg.Connection | None, event: str, key: str) -> None:
        """Note that the cause was found.

        Args:
            connection: of the role `publisher`, in autocommit; None: the database does not answer,
                and everything is sent.
            event: the kind of notice.
            key: what it is about.

        """
        self._connection = connection
        cause = hashlib.sha256(f"{event}\n{key}".encode()).hexdigest()
        self._values = {"event": event, "cause": cause}
        self._execute(FIND)
        found = self._execute(SINCE, forgotten=FORGOTTEN)
        self.since: datetime = found[0] if found and found[0] else datetime.now(UTC)

    def attempt(self, way: str, pause: timedelta) -> Attempt | None:
        """Claim a way of sending.

        Returns:
            None when it was sent that way within `pause`, or another worker is sending it.

        """
        claimed = self._execute(TRY, way=way, pause=pause, claim=CLAIM, since=self.since)
        if claimed:
            return Attempt(way, *claimed)
        return Attempt(way, 0, is_repeated=False) if self._connection is None else None

    def end(self, attempt: Attempt, *, is_sent: bool) -> None:
        """Note the result of an attempt."""
        step = "sent" if is_sent else "failed"
        self._execute(END, way=attempt.way, attempt=attempt.number, step=step)

    def _execute(self, query: str, **values: object) -> tuple[Any, ...] | None:
        if self._connection is None:
            return None
        given: Mapping[str, object] = {**self._values, **values}
        try:
            cursor = self._connection.execute(query.encode(), given)
            return cursor.fetchone() if cursor.description else None
        except psycopg.Error as error:
            self._connection = None
            print(f"a notice may be sent again, for its history cannot be written: {error}")
            return None


@contextmanager
def opened(database_url: Callable[[], str], event: str, key: str) -> Iterator[History]:
    """Yield the history of a cause; without a database, one in which nothing was sent."""
    try:
        connection = database.connect(database_url(), application="lumbung notices")
    except LumbungError as error:
        print(f"a notice may be sent again, for its history cannot be read: {error}")
        yield History(None, event, key)
        return
    with closing(connection):
        connection.autocommit = True
        yield History(connection, event, key)
