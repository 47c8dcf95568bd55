"""Landing: deliveries become rows of the warehouse, each exactly once.

A pull lands its deliveries in chunks. A chunk is one transaction: its records, private parts,
quarantined deliveries, batch row and cursor are committed together or not at all. After a crash,
the next pull begins at the last cursor and repeats the chunk.

A chunk passes these modules in this order:

1. `prepare` splits each delivery into payload and private part (`split`), hashes both (`hashes`),
   replaces what may name a person in the payload (`pseudonyms`), encrypts the private part and
   serialises the row (`pgcopy`). A delivery that cannot be stored
   becomes unreadable: it is too large, its id is unusable, or its time of receipt is in the future
   (the source's clock is wrong or the time is forged; the first pull after that time lands it).
2. `write` looks up the stored versions, copies the new ones and closes the batch (`batch`).
   `quarantine` stores what is unreadable, and `drift` what changed in the source's fields.
3. `withdraw` writes tombstones for records that the source no longer has.

Payload and private part are hashed apart, so a field that the channel file declares later, or
declares personal later, makes new versions at the next pull. That is how the field moves out of the
vault or into it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import psycopg

from lumbung.intake.channel.models import Channel
from lumbung.intake.connectors.base import (
    Delivery,
    FileReading,
    MessageKey,
    SeenIds,
    Unreadable,
)
from lumbung.intake.landing.batch import Batches
from lumbung.intake.landing.counts import IntakeCounts
from lumbung.intake.landing.drift import Drift
from lumbung.intake.landing.prepare import ORIGINAL, PreparedChunk, Preparer
from lumbung.intake.landing.pseudonyms import pseudonym_version
from lumbung.intake.landing.quarantine import Quarantine
from lumbung.intake.landing.rows_without_id import RowsWithoutId
from lumbung.intake.landing.withdraw import Withdrawals
from lumbung.intake.landing.write import ChunkWriter
from lumbung.intake.vault import Vault, hold_to_one_key

__all__ = ["ORIGINAL", "IntakeCounts", "Landing", "PreparedChunk", "RowsWithoutId"]


class Landing:
    """Lands the deliveries of one pull of a channel.

    Args:
        connection: to the warehouse, not inside a transaction; inside one, nothing is committed
            (a dry run).
        channel: the channel.
        vault: encrypts and hashes.
        run_key: the pull's name in `raw.batch`.

    Attributes:
        is_first_pull: whether the channel had no record before this pull.

    Raises:
        ConfigurationError: when the warehouse was written with another vault key.
    """

    def __init__(
        self, connection: psycopg.Connection, channel: Channel, vault: Vault, run_key: str
    ) -> None:
        hold_to_one_key(connection, vault)
        self.is_first_pull = _has_no_record(connection, channel.name)
        connection.execute(
            "insert into ops.pseudonym (channel, version, has_keyed_ids) values (%s, %s, %s)"
            " on conflict do nothing",
            (channel.name, pseudonym_version(channel), self.is_first_pull),
        )
        has_keyed_ids = connection.execute(
            "select from ops.pseudonym where channel = %s and has_keyed_ids", (channel.name,)
        ).fetchone()
        self._batches = Batches(connection, channel.name, run_key)
        self._drift = Drift(connection, channel.name, vault)
        self._preparer = preparer = Preparer(
            channel, vault, self._drift.known_types, has_keyed_ids=has_keyed_ids is not None
        )
        self._quarantine = Quarantine(self._batches, vault, preparer.pseudonyms)
        self._writer = ChunkWriter(
            self._batches,
            vault,
            self._quarantine,
            self._drift,
            preparer.split_id,
            preparer.features.version if preparer.features else None,
        )
        self._withdrawals = Withdrawals(
            self._batches, channel, preparer.hasher, preparer.file_keys, preparer.pseudonyms
        )

    def land(
        self, items: Sequence[Delivery | Unreadable], cursor: dict[str, Any] | None = None
    ) -> IntakeCounts:
        """Prepare and write one chunk (see `write`)."""
        return self.write(self.prepare(items), cursor)

    def prepare(self, items: Iterable[Delivery | Unreadable]) -> PreparedChunk:
        """Prepare one chunk of deliveries, in the order of the source; nothing is written."""
        return self._preparer.prepare(items)

    def add(self, chunk: PreparedChunk, item: Delivery | Unreadable) -> None:
        """Prepare one delivery and append it to a chunk."""
        self._preparer.add(chunk, item)

    def write(
        self,
        chunk: PreparedChunk,
        cursor: dict[str, Any] | None = None,
        before_commit: Callable[[], object] = lambda: None,
    ) -> IntakeCounts:
        """Write one chunk in one transaction (see `ChunkWriter.write`)."""
        return self._writer.write(chunk, cursor, before_commit)

    def write_tombstones(self, source_ids: Sequence[str]) -> IntakeCounts:
        """Withdraw what the source says was withdrawn (see `Withdrawals.write_tombstones`)."""
        return self._withdrawals.write_tombstones([*map(self.stored_id, source_ids)])

    def withdraw_missing(
        self,
        complete: Collection[str],
        seen: SeenIds,
        cursor: dict[str, Any] | None = None,
        *,
        files: Mapping[str, FileReading] | None = None,
        rows_without_id: RowsWithoutId | None = None,
        accept: bool = False,
        most: int | None = None,
    ) -> IntakeCounts:
        """Withdraw what complete listings no longer hold (see `Withdrawals.withdraw_missing`)."""
        return self._withdrawals.withdraw_missing(
            complete,
            seen,
            cursor,
            files=files,
            rows_without_id=rows_without_id,
            accept=accept,
            most=most,
        )

    def stored_id(self, source_id: str) -> str:
        """The id under which a delivery is stored (see `Preparer.stored_id`)."""
        return self._preparer.stored_id(source_id)

    def finish(self) -> None:
        """Make all chunks durable, note vanished fields and resolve accepted deliveries.

        Raises:
            LandingError: when the database refuses it.
        """
        with self._batches.transaction() as db:
            # A commit waits for the write-ahead log only if its transaction has an id.
            db.execute("select pg_current_xact_id()::text")
            self._drift.note_vanished(db, self._preparer.seen_labels)
            self._quarantine.resolve_accepted(db)

    def resolve_quarantine(self, seen: SeenIds, complete: Collection[str]) -> int:
        """Resolve what this pull could read, or what is gone (see `Quarantine.resolve`)."""
        return self._quarantine.resolve(seen, complete, self._preparer.unreadable_hashes)

    def accepts(self, content: Any) -> bool:
        """Whether a person accepted a doubtful delivery (see `Quarantine.accepts`)."""
        return self._quarantine.accepts(content)

    def message_keys(self, slots: Collection[bytes]) -> list[MessageKey]:
        """The keys of messages that earlier pulls read (see `Source.message_keys`)."""
        return self._writer.message_keys(slots)


def _has_no_record(connection: psycopg.Connection, channel: str) -> bool:
    query = "select not exists (select from raw.batch where channel = %s and landed_count > 0)"
    row = connection.execute(query, (channel,)).fetchone()
    return row is not None and bool(row[0])
