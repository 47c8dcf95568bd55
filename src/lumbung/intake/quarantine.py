"""What could not be read, as people see it: list it, open it, dismiss it, take a dismissal back.

`landing.quarantine` puts deliveries there and resolves those that a later pull reads.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

from psycopg.rows import class_row

from lumbung import database
from lumbung.errors import ConfigurationError
from lumbung.intake.connectors.base import FILTERED
from lumbung.intake.connectors.shared import chat_export
from lumbung.intake.landing.prepare import LOCATOR_FOLLOWS
from lumbung.intake.vault import Keyring, Vault, associate

DOUBTFUL = "doubtful_message"
"""Why a line of a chat export waits that may be a message, or a part of one."""

DISMISSED_BY_ERASURE = "erased"
"""The reason of a dismissal that an erasure made (`lumbung.intake.erasure`)."""

State = Literal["open", "dismissed", "accepted", "resolved", "removed"]

_ROWS = (
    " from quarantine.record as q inner join raw.batch as b on q.batch_id = b.batch_id"
    " left join ops.channel_state as s on q.channel = s.channel"
)
_IS_OPEN = "q.resolved_at is null and s.state is distinct from 'removed'"
_IN_CHANNELS = "(%(channels)s::text[] is null or q.channel = any(%(channels)s))"


class Quarantined(NamedTuple):
    """A delivery that could not be read; nothing of it names a person.

    Attributes:
        received_at: when the channel received it, according to the source.
        since: when it came into quarantine.
        reason: what is wrong and what its owner should do, in Indonesian.
        locator: where it lies; names of files and sheets are hashes.
        state: `open`, `dismissed`, `accepted`, `resolved`, or `removed` with its channel.
        dismissed_by: who dismissed it, and `dismissed_reason` why.

    """

    quarantine_id: int
    channel: str
    received_at: datetime
    since: datetime
    reason_code: str
    reason: str
    locator: str
    state: State
    dismissed_by: str | None
    dismissed_reason: str | None


@dataclass(frozen=True)
class Group:
    """The open deliveries of a channel that have one reason.

    Attributes:
        open_count: how many of them nobody has accepted.
        last: the highest of their ids.

    """

    channel: str
    reason_code: str
    count: int
    open_count: int
    last: int
    since: datetime


class Dismissal(NamedTuple):
    """Deliveries of a channel that were dismissed together."""

    channel: str
    at: datetime
    by: str
    reason: str
    numbers: list[int]


class Original(NamedTuple):
    """A delivery as it was given, and where it lies, with the names of file and sheet."""

    content: str
    locator: str


def listed(
    database_url: str,
    *,
    channels: Collection[str] | None = None,
    reason_code: str | None = None,
    numbers: Collection[int] | None = None,
    include_closed: bool = False,
    after: int = 0,
    limit: int | None = None,
) -> list[Quarantined]:
    """Return what is in quarantine, by id.

    Args:
        database_url: the warehouse, as its owner or `auditor`.
        channels: only of these channels, by the name of their records.
        reason_code: only with this reason.
        numbers: only those with these ids.
        include_closed: also what is resolved, dismissed or of a removed channel.
        after: only those with a higher id.
        limit: how many at most; None: all.

    """
    with database.connect(database_url, application="lumbung quarantine") as connection:
        return (
            connection.cursor(row_factory=class_row(Quarantined))
            .execute(
                "select q.quarantine_id, q.channel, q.received_at, b.landed_at as since,"
                " q.reason_code, q.reason, coalesce(q.locator, '') as locator,"
                " case when q.dismissed_by is not null then 'dismissed'"
                "   when q.accepted_by is not null then 'accepted'"
                "   when q.resolved_at is not null then 'resolved'"
                "   when s.state = 'removed' then 'removed' else 'open' end as state,"
                f" q.dismissed_by, q.dismissed_reason {_ROWS} where {_IN_CHANNELS}"
                " and (%(reason_code)s::text is null or q.reason_code = %(reason_code)s)"
                " and (%(numbers)s::bigint[] is null or q.quarantine_id = any(%(numbers)s))"
                f" and (({_IS_OPEN}) or %(include_closed)s) and q.quarantine_id > %(after)s"
                " order by q.quarantine_id limit %(limit)s",
                {
                    "channels": None if channels is None else list(channels),
                    "reason_code": reason_code,
                    "numbers": None if numbers is None else list(numbers),
                    "include_closed": include_closed,
                    "after": after,
                    "limit": limit,
                },
            )
            .fetchall()
        )


def groups(
    database_url: str,
    *,
    channels: Collection[str] | None = None,
    reason_code: str | None = None,
) -> list[Group]:
    """Return what is open, counted by channel and reason; the arguments are those of `listed`."""
    with database.connect(database_url, application="lumbung quarantine") as connection:
        return (
            connection.cursor(row_factory=class_row(Group))
            .execute(
                "select q.channel, q.reason_code, count(*) as count,"
                " count(*) filter (where q.accepted_by is null) as open_count,"
                " max(q.quarantine_id) as last, min(b.landed_at) as since"
                f" {_ROWS} where {_IN_CHANNELS} and {_IS_OPEN}"
                " and (%(reason_code)s::text is null or q.reason_code = %(reason_code)s)"
                " group by q.channel, q.reason_code order by q.channel, count(*) desc, 2",
                {
                    "channels": None if channels is None else list(channels),
                    "reason_code": reason_code,
                },
            )
            .fetchall()
        )


def open_numbers(database_url: str, group: Group, *, last: int) -> list[int]:
    """Return the ids of a group that nobody has accepted, up to the id `last`."""
    with database.connect(database_url, application="lumbung quarantine") as connection:
        found = connection.execute(
            "select quarantine_id from quarantine.record where channel = %s and reason_code = %s"
            " and resolved_at is null and accepted_by is null and quarantine_id <= %s",
            (group.channel, group.reason_code, last),
        )
        return [number for (number,) in found]


def dismissals(
    database_url: str, *, channels: Collection[str] | None = None, limit: int | None
) -> list[Dismissal]:
    """Return the last dismissals by people, the newest first; see `listed` for the arguments.

    `limit` is how many; None: all.
    """
    with database.connect(database_url, application="lumbung quarantine") as connection:
        return (
            connection.cursor(row_factory=class_row(Dismissal))
            .execute(
                'select q.channel, q.resolved_at as at, q.dismissed_by as "by",'  # noqa: S608
                " q.dismissed_reason as reason,"
                " array_agg(q.quarantine_id order by q.quarantine_id) as numbers"
                f" {_ROWS} where {_IN_CHANNELS} and q.dismissed_by is not null"
                " and q.reason_code <> %(filtered)s"
                " and q.dismissed_reason is distinct from %(erased)s group by 1, 2, 3, 4"
                " order by q.resolved_at desc, q.channel limit %(limit)s",
                {
                    "channels": None if channels is None else list(channels),
                    "filtered": FILTERED,
                    "erased": DISMISSED_BY_ERASURE,
                    "limit": limit,
                },
            )
            .fetchall()
        )


def open_original(database_url: str, number: int, *, by: str, reason: str, home: Path) -> Original:
    """Return a delivery as it was given; who opens it, and why, is logged before.

    Args:
        database_url: the warehouse, as its owner or `custodian`.
        number: its id in quarantine.
        by: the account that opens it.
        reason: why, without the name of any person.
        home: where the vault key is (`Settings.home`).

    Raises:
        ConfigurationError: when there is no such delivery, or no reason.
        LumbungError: when it does not open with this key.

    """
    _require(reason, "it is not opened without a reason", "say what you have to decide")
    with database.connect(database_url, application="lumbung quarantine") as connection:
        row = connection.execute(
            "select channel, content_hash, ciphertext from quarantine.record"
            " where quarantine_id = %s",
            (number,),
        ).fetchone()
        if row is None:
            raise unknown(number)
        connection.execute(
            "insert into ops.opening (opened_by, quarantine_id, reason) values (%s, %s, %s)",
            (by, number, reason.strip()),
        )
        connection.commit()  # before anything is shown
        channel, content_hash, sealed = row
        keys = Keyring(connection, Vault.load(home))
        plain = keys.open(sealed, associate(channel, content_hash.hex()))
    content, _, locator = plain.partition(LOCATOR_FOLLOWS)
    try:
        text = json.dumps(json.loads(content), indent=1, ensure_ascii=False)
    except ValueError:  # not JSON, or nested too deeply to parse
        text = content.decode(errors="replace")
    # a lone surrogate can be written in JSON, and nowhere else
    return Original(text.encode(errors="replace").decode(), locator.decode(errors="replace"))


def dismiss(database_url: str, numbers: Collection[int], *, by: str, reason: str) -> int:
    """Close deliveries that will never be records; they are kept as they are.

    What is not open any more stays as it is.

    Args:
        database_url: the warehouse, as its owner or `loader`.
        numbers: their ids in quarantine.
        by: the account that decides.
        reason: why, without the name of any person.

    Returns:
        how many were dismissed.

    Raises:
        ConfigurationError: when no reason is given, or that of erasures.

    """
    _require(reason, "the dismissal has no reason", "say why it is no record")
    if reason.strip() == DISMISSED_BY_ERASURE:  # nobody could reopen it
        raise ConfigurationError(
            f"the reason {DISMISSED_BY_ERASURE!r} is that of erasures",
            where="quarantine.record",
            remediation="say why it is no record",
        )
    with database.connect(database_url, application="lumbung quarantine") as connection:
        return connection.execute(
            # one time for all of them, by which they can be reopened together
            "update quarantine.record set resolved_at = now(), dismissed_by = %s,"
            " dismissed_reason = %s where quarantine_id = any(%s) and resolved_at is null",
            (by, reason.strip(), list(numbers)),
        ).rowcount


def accept(
    database_url: str, numbers: Collection[int], *, by: str, reason: str, home: Path
) -> None:
    """Confirm that doubtful chat messages are messages: the next pull that reads them lands them.

    Nothing is accepted if one of them cannot be.

    Args:
        database_url: the warehouse, as its owner or `custodian`: each message's content is opened
            to see whether it can be landed, and shown to nobody.
        numbers: their ids in quarantine.
        by: the account that decides.
        reason: why, without the name of any person.
        home: where the vault key is (`Settings.home`).

    Raises:
        ConfigurationError: when no reason is given, or one of them is not open or no such message.

    """
    _require(reason, "the acceptance has no reason", "say why they are messages")
    with database.connect(database_url, application="lumbung quarantine") as connection:
        keys = Keyring(connection, Vault.load(home))
        for number in numbers:
            row = connection.execute(
                "update quarantine.record set accepted_by = %s, accepted_reason = %s"
                " where quarantine_id = %s and resolved_at is null"
                " returning channel, reason_code, content_hash, ciphertext",
                (by, reason.strip(), number),
            ).fetchone()
            if row is None:
                raise ConfigurationError(
                    f"no open delivery in quarantine has the id {number}",
                    where="quarantine.record",
                    remediation="use an id of 'lumbung quarantine list'",
                )
            channel, code, content_hash, sealed = row
            content: dict[str, str] = {}
            if code == DOUBTFUL:
                plain = keys.open(sealed, associate(channel, content_hash.hex()))
                content = json.loads(plain.partition(LOCATOR_FOLLOWS)[0])
            if "a" not in content or chat_export.sender(content["text"]) is None:
                raise ConfigurationError(
                    f"{number} is not a doubtful message with a date and a sender",
                    where="quarantine.record",
                    remediation="correct its source, then run 'lumbung quarantine retry'",
                )


def reopen(database_url: str, numbers: Collection[int], *, by: str, reason: str = "") -> int:
    """Take dismissals back: the deliveries are open again.

    What the channel file leaves out stays dismissed as long as the file does so. What was erased
    with a person stays dismissed: nothing is left of it that anybody could decide on.

    Args:
        database_url: the warehouse, as its owner or `loader`.
        numbers: their ids in quarantine.
        by: the account that decides.
        reason: why, without the name of any person.

    Returns:
        how many were reopened.

    """
    with database.connect(database_url, application="lumbung quarantine") as connection:
        return connection.execute(
            "update quarantine.record set resolved_at = null, dismissed_by = null,"
            " dismissed_reason = null, reopened_by = %s, reopened_at = now(),"
            " reopened_reason = nullif(%s, '')"
            " where quarantine_id = any(%s) and dismissed_by is not null and reason_code <> %s"
            " and dismissed_reason is distinct from %s",
            (by, reason, list(numbers), FILTERED, DISMISSED_BY_ERASURE),
        ).rowcount


def unknown(number: int) -> ConfigurationError:
    """Return the error that nothing in quarantine has this id."""
    return ConfigurationError(
        f"no quarantined delivery has the id {number}",
        where="quarantine.record",
        remediation="use an id of 'lumbung quarantine list'",
    )


def _require(reason: str, what: str, remediation: str) -> None:
    if not reason.strip():
        raise ConfigurationError(what, where="--reason", remediation=remediation)
