"""The raw checkpoint: decides whose new rows the next build reads.

No row stops a build, and no channel stops another one. Where a channel fails a check of severity
`fail`, its new rows are held back (`ops.channel_hold`): builds leave them out, and readers keep the
channel's earlier rows. The hold ends at the next checkpoint at which the check passes, or when a
person releases the channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import class_row

from lumbung import database
from lumbung.errors import ConfigurationError
from lumbung.intake.landing.batch import first_record_id
from lumbung.intake.landing.landed import renew
from lumbung.settings import Settings
from lumbung.warehouse import checkpoints
from lumbung.warehouse.inputs import require_seeds, watermark
from lumbung.warehouse.roles import role_url


@dataclass(frozen=True)
class Hold:
    """An open hold on a channel: one row of `ops.channel_hold`.

    Attributes:
        channel: whose new rows are held back.
        check_name: the check that failed.
        reason: why, in Indonesian.
        reason_en: the same in English.
        held_at: when the hold began.
        held_count: deliveries landed or withdrawn that no build has read.
        is_new: whether this checkpoint set the hold.
        hold_id: its id.
        judged_batch_id: the last batch that the check has judged.

    """

    channel: str
    check_name: str
    reason: str
    reason_en: str
    held_at: datetime
    held_count: int
    is_new: bool
    hold_id: int
    judged_batch_id: int

    def __str__(self) -> str:
        """One line for an engineer."""
        return (
            f"channel {self.channel}: {self.held_count:,} deliveries are held back since"
            f" {self.held_at:%Y-%m-%d}: {self.reason_en} ({self.check_name})"
        )


@dataclass(frozen=True)
class RawResult(checkpoints.SuiteResult):
    """What the raw checkpoint found.

    Attributes:
        holds: the open holds, by channel.
        released: the channels whose hold ended at this checkpoint, because the check passes again.
        judged_batch_id: the last batch that it has judged; a build reads no later one.

    """

    holds: tuple[Hold, ...] = ()
    released: tuple[str, ...] = ()
    judged_batch_id: int = 0

    def summary(self) -> dict[str, Any]:
        """Plain values, for Airflow and JSON."""
        return super().summary() | {
            "held": [str(hold) for hold in self.holds],
            "released": list(self.released),
            "judged_batch_id": self.judged_batch_id,
        }


def check_raw(*, settings: Settings, database_url: str) -> RawResult:
    """Check what each channel landed since it was last built; hold back the channels that fail.

    The checks, their severities, owners and remediations are in `expectations/raw.yaml`; results go
    to `ops.check_result` and to Data Docs under `LUMBUNG_HOME/docs/checks/raw/`. A channel whose
    file has mistakes is checked by the last valid version of its file.

    Raises:
        ConfigurationError: when the suite is wrong, or a file of the seeds is missing.

    """
    from lumbung.intake.channel import load
    from lumbung.intake.channel.sync import sync

    require_seeds(settings)
    file = settings.expectations / "raw.yaml"
    reasons = _reasons(file)
    channels, mistakes = load.read_channels(settings.channels)
    for stopped in load.stopped(mistakes):
        print(f"warn     {stopped}")
    transformer, custodian = (role_url(database_url, role) for role in ("transformer", "custodian"))
    with database.connect(transformer, application="lumbung checkpoint raw") as connection:
        absent = sync(connection, channels, mistakes)
        connection.commit()
        renew(custodian, channels, settings)
        judged = watermark(connection).max_batch_id
        row = connection.execute(
            "select coalesce(min(after_batch_id), 0) from ops.channel_window"
        ).fetchone()
        connection.commit()
        result = checkpoints.run_suite(
            file,
            connection=connection,
            settings=settings,
            parameters={
                "from_record": first_record_id(int(row[0] if row else 0) + 1),
                "absent": absent,
            },
        )
        holds, released = _hold(connection, result, reasons, judged)
    for warning in result.warnings:
        print(f"warn     {warning}. {warning.remediation} (owner: {warning.owner})")
    failures = {failure.name: failure for failure in result.failures}
    for hold in holds:
        failure = failures.get(hold.check_name)
        action = f". {failure.remediation} (owner: {failure.owner})" if failure else ""
        print(f"held     {hold}{action}")
    for channel in released:
        print(f"released channel {channel}: the check holds again, the next build brings its rows")
    return RawResult(
        result.suite, result.run_id, result.results, result.data_docs, holds, released, judged
    )


def release(
    database_url: str,
    channel: str,
    *,
    by: str,
    reason: str,
    seen: tuple[Sequence[int], int] | None = None,
) -> int:
    """End the holds on a channel: the next build reads the batches that the checkpoint has checked.

    The decision is kept with its author and reason. Those batches are not checked again; batches
    landed later are, and the accepted rows count as usual for the channel from then on.

    Args:
        database_url: the warehouse.
        channel: a channel that is held.
        by: the account of the operating system that decides.
        reason: why the rows are right, without the name of any person.
        seen: ids of the holds that the person saw, and the last batch that they then held back;
            holds that came or grew later stay. None: all open holds.

    Returns:
        the number of holds released.

    Raises:
        ConfigurationError: when the channel is not held, or no reason is given.

    """
    if not reason.strip():
        raise ConfigurationError(
            "a release without a reason", where="--reason", remediation="say why the rows are right"
        )
    hold_ids, last_batch = (list(seen[0]), seen[1]) if seen else (None, None)
    with database.connect(database_url) as connection:
        done = connection.execute(
            "update ops.channel_hold set released_at = ops.now(), released_by = %s,"
            " release_reason = %s where channel = %s and released_at is null"
            " and (%s::bigint[] is null or hold_id = any(%s) and judged_batch_id <= %s)",
            (by, reason.strip(), channel, hold_ids, hold_ids, last_batch),
        )
        if not done.rowcount:
            raise ConfigurationError(
                f"channel {channel} is not held",
                where="ops.channel_hold",
                remediation="'lumbung channel list' shows which channels are",
            )
        return done.rowcount


def is_released(database_url: str, hold_ids: Sequence[int], *, by: str, reason: str) -> bool:
    """Return whether all of these holds, at least one, were released by an account for a reason."""
    with database.connect(database_url) as connection:
        found = connection.execute(
            "select count(*) from ops.channel_hold where hold_id = any(%s) and released_by = %s"
            " and release_reason = %s",
            (list(hold_ids), by, reason.strip()),
        ).fetchone()
    return bool(hold_ids) and found == (len({*hold_ids}),)


def open_holds(connection: psycopg.Connection, new: Sequence[int] = ()) -> tuple[Hold, ...]:
    """The open holds, by channel; `is_new` is true for those whose id is in `new`.

    Those of a removed channel are left out until it is restored: no row of it counts.
    """
    return tuple(
        connection.cursor(row_factory=class_row(Hold)).execute(
            "select h.channel, h.check_name, h.reason, h.reason_en, h.held_at,"
            " (select coalesce(sum(b.landed_count + b.tombstone_count), 0)::bigint"
            " from raw.batch as b where b.channel = h.channel and b.batch_id > h.after_batch_id)"
            " as held_count, h.hold_id = any(%s::bigint[]) as is_new, h.hold_id, h.judged_batch_id"
            " from ops.channel_hold as h left join ops.channel_state as s using (channel)"
            " where h.released_at is null and s.state is distinct from 'removed'"
            " order by h.channel, h.hold_id",
            (list(new),),
        )
    )


def _reasons(file: Path) -> dict[str, tuple[str, str]]:
    """The reason, in two languages, that an edition gives for a hold, by check.

    Raises:
        ConfigurationError: when such a check does not say which channel, or why.

    """
    found = {}
    for batch in checkpoints.load_suite(file).batches:
        for check in batch.checks:
            if check.severity != "fail":
                continue
            if "channel" not in batch.key or not (check.reason and check.reason_en):
                raise ConfigurationError(
                    f"check {check.name} holds channels back without naming a channel and a reason",
                    where=str(file),
                    remediation="name channel in its batch's key, and give it reason and reason_en",
                )
            found[check.name] = (check.reason, check.reason_en)
    return found


def _hold(
    connection: psycopg.Connection,
    result: checkpoints.SuiteResult,
    reasons: dict[str, tuple[str, str]],
    judged_batch_id: int,
) -> tuple[tuple[Hold, ...], tuple[str, ...]]:
    """Hold back the channels that failed and release those that pass again, in one transaction."""
    failed = sorted({(row["channel"], r.name) for r in result.failures for row in r.failing})
    with connection.transaction():
        # A concurrent build would read rows that a new hold records as not built.
        connection.execute("select pg_advisory_xact_lock_shared(hashtext('lumbung.build'))")
        released = connection.execute(
            "update ops.channel_hold as h set released_at = ops.now()"
            " where released_at is null"
            " and channel in (select channel from reference.channel where state <> 'removed')"
            " and (channel, check_name) not in"
            " (select * from unnest(%s::text[], %s::text[])) returning channel",
            ([channel for channel, _ in failed], [name for _, name in failed]),
        ).fetchall()
        new = []
        for channel, name in failed:
            row = connection.execute(
                "insert into ops.channel_hold"
                " (channel, check_name, after_batch_id, judged_batch_id, reason, reason_en)"
                " select channel, %s, after_batch_id, %s, %s, %s from ops.channel_window"
                " where channel = %s on conflict (channel, check_name) where released_at is null"
                " do update set judged_batch_id = excluded.judged_batch_id"
                " returning hold_id, xmax = 0",
                (name, judged_batch_id, *reasons[name], channel),
            ).fetchone()
            if row and row[1]:
                new.append(row[0])
        holds = open_holds(connection, new)
    still = {hold.channel for hold in holds}
    return holds, tuple(sorted({str(channel) for (channel,) in released} - still))
