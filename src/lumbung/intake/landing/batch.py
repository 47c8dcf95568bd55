"""Batches: the transactions, batch ids and cursor of a pull.

A record id is the id of its batch and, in the lowest `PLACE_BITS` bits, its place in the batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.types.json import Jsonb

from lumbung.errors import LandingError
from lumbung.intake.landing.counts import IntakeCounts

PLACE_BITS = 20


def first_record_id(batch_id: int) -> int:
    """The id of a batch's first record, as `ops.first_record_id` in SQL."""
    return batch_id << PLACE_BITS


class Batches:
    """The batches of one pull of a channel.

    Args:
        connection: to the warehouse. Inside a transaction, each batch is a savepoint: that is how
            a dry run works.
        channel: the channel's name.
        run_key: the pull's name in `raw.batch`.

    Attributes:
        last_id: the last batch that was closed; 0 before the first one.
    """

    def __init__(self, connection: psycopg.Connection, channel: str, run_key: str) -> None:
        self.connection = connection
        self.channel = channel
        self._is_dry_run = connection.info.transaction_status is not TransactionStatus.IDLE
        self._run_key = run_key
        self.last_id = 0

    @contextmanager
    def transaction(self, *, is_durable: bool = True) -> Iterator[psycopg.Cursor[Any]]:
        """A transaction in which no other process lands deliveries of this channel.

        Args:
            is_durable: whether the commit waits until its data would survive a power cut. The next
                durable commit makes all earlier ones durable.

        Raises:
            LandingError: when the database refuses it.
        """
        with (
            self.refusals(),
            self.connection.transaction(),
            self.connection.cursor(binary=True) as db,
        ):
            self.lock(db, is_durable=is_durable)
            yield db

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Turn the database's errors into `LandingError`.

        The message leaves out the row: more people read logs than may read the vault.

        Raises:
            LandingError: when the database refuses something.
        """
        try:
            yield
        except psycopg.Error as error:
            is_resource = (error.sqlstate or "08")[:2] in ("08", "53", "57", "58")
            detail = (error.diag.message_primary or str(error)).strip() if is_resource else ""
            raise LandingError(
                f"the database refused a chunk: {type(error).__name__} {detail}".rstrip(),
                where=f"channel {self.channel}",
                remediation="correct the cause and pull again; nothing of the chunk was kept",
            ) from None

    def lock(self, db: psycopg.Cursor[Any], *, is_durable: bool = True) -> None:
        """Let no other process land deliveries of this channel until the transaction ends."""
        db.execute(
            "select pg_advisory_xact_lock(hashtext('lumbung.intake'), hashtext(%s)),"
            " case when not %s then set_config('synchronous_commit', 'off', true) end",
            (self.channel, is_durable),
        )

    def next_id(self, db: psycopg.Cursor[Any]) -> int:
        """The next batch id."""
        return next_batch_id(db, is_dry_run=self._is_dry_run)

    def close(
        self,
        db: psycopg.Cursor[Any],
        batch_id: int,
        started: datetime,
        counts: IntakeCounts,
        cursor: dict[str, Any] | None,
        *,
        is_accepted: bool = False,
    ) -> None:
        """Write the batch's row, and move the channel's cursor.

        Args:
            db: in the batch's transaction.
            batch_id: the batch.
            started: when it was begun.
            counts: of its deliveries.
            cursor: where the next pull begins; None: the cursor stays.
            is_accepted: a person accepted the batch's withdrawals, so no check holds them back.
        """
        db.execute(
            "insert into raw.batch (batch_id, channel, run_key, started_at, read_count,"
            " landed_count, duplicate_count, quarantined_count, tombstone_count, cursor_after,"
            " is_accepted)"
            " overriding system value values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                *(batch_id, self.channel, self._run_key, started, counts.read, counts.landed),
                *(counts.duplicate, counts.quarantined, counts.tombstones),
                None if cursor is None else Jsonb(cursor),
                is_accepted,
            ),
        )
        self.last_id = batch_id
        if cursor is not None:
            self.move_cursor(db, cursor)

    def move_cursor(self, db: psycopg.Cursor[Any], cursor: dict[str, Any]) -> None:
        """Let the next pull begin at a cursor."""
        db.execute(
            "insert into ops.channel_cursor (channel, cursor, batch_id) values (%s, %s, %s)"
            " on conflict (channel) do update set cursor = excluded.cursor,"
            " batch_id = excluded.batch_id, updated_at = clock_timestamp()",
            (self.channel, Jsonb(cursor), self.last_id),
        )


def next_batch_id(db: psycopg.Cursor[Any], *, is_dry_run: bool) -> int:
    """The next batch id.

    A batch's id is taken before the batch is committed, so batches may be committed out of order.
    Every landing therefore holds a shared lock until its transaction ends, and a build waits for
    that lock: no batch with a smaller id than the build's last one can appear afterwards
    (`lumbung.warehouse.build`). A dry run commits no batch, and would hold the lock for a whole
    pull, so it does not take it.
    """
    if not is_dry_run:
        db.execute("select pg_advisory_xact_lock_shared(hashtext('lumbung.watermark'))")
    db.execute("select nextval(pg_get_serial_sequence('raw.batch', 'batch_id'))")
    row = db.fetchone()
    assert row is not None  # noqa: S101 - a sequence always answers
    return int(row[0])
