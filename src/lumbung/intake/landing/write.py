"""Writing a chunk: one transaction for records, vault, quarantine, batch and cursor.

A delivery that equals the latest version of its source id is a duplicate. A delivery with another
content is a new version, also if an earlier version had this content (A, B, A: `recurrence`).

Most chunks hold only new source ids, so they are copied straight into the tables. The stored
versions are looked up only if one of a few probed source ids is known, or if the copy meets a
unique violation.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from struct import Struct
from threading import Lock
from typing import Any

import psycopg

from lumbung.intake import pgcopy
from lumbung.intake.connectors.base import MessageKey
from lumbung.intake.features import Features
from lumbung.intake.landing.batch import Batches, first_record_id
from lumbung.intake.landing.counts import IntakeCounts
from lumbung.intake.landing.drift import Drift
from lumbung.intake.landing.file_history import FileHistories, Version
from lumbung.intake.landing.prepare import PreparedChunk, PreparedVersion
from lumbung.intake.landing.quarantine import Quarantine
from lumbung.intake.landing.text_features import TABLE, feature_row
from lumbung.intake.vault import ADD_DATA_KEY, Vault

_PROBES = 8
_TWELVE_COLUMNS = b"\0\x0c"
_RECORD_AND_RECURRENCE = Struct("!iqih")
_SEALED_HEAD = Struct("!hiqi")

STORED_VERSIONS = (
    "from unnest(%s::text[]) as wanted (source_id) cross join lateral"
    " (select * from raw.record as stored"
    "   where stored.source_key = hashtextextended(wanted.source_id, 0)"
    "   and stored.source_id = wanted.source_id and stored.channel = %s offset 0) as r"
)
"""The stored versions of a list of source ids, in a channel.

`offset 0` makes PostgreSQL look up each id in the index. Without it, the planner may scan the whole
table, because it has no statistics of a table that was just filled.
"""
_CELLS_OF_VERSIONS = (
    "left join lateral (select * from ops.row_version as stored"
    "   where stored.record_id = r.record_id offset 0) as v on true"
)


class ChunkWriter:
    """Writes the chunks of one pull of a channel.

    Args:
        batches: of the pull.
        vault: encrypts the data keys of the chunks.
        quarantine: of the channel.
        drift: of the channel.
        split_id: identifies which labels are public (`Preparer.split_id`).
        feature_version: of the features in the chunks; None: the channel has no features.
    """

    def __init__(
        self,
        batches: Batches,
        vault: Vault,
        quarantine: Quarantine,
        drift: Drift,
        split_id: int,
        feature_version: int | None,
    ) -> None:
        self._batches = batches
        self._channel = batches.channel
        self._encoded_channel = batches.channel.encode()
        self._vault = vault
        self._quarantine = quarantine
        self._drift = drift
        self._split_id = split_id
        self._feature_version = feature_version
        self._connection_lock = Lock()  # a connector may recall message keys from another thread

    def write(
        self,
        chunk: PreparedChunk,
        cursor: dict[str, Any] | None = None,
        before_commit: Callable[[], object] = lambda: None,
    ) -> IntakeCounts:
        """Write one chunk in one transaction.

        The chunk survives a power cut once `Landing.finish` was called. Until then, a power cut
        may lose the last chunks, each as a whole and with its cursor.

        Args:
            chunk: chunks must come in the order of the source.
            cursor: where the next pull begins once the chunk is written; None: the cursor stays.
            before_commit: waits until everything that the chunk refers to is stored.

        Raises:
            LandingError: when the database refuses the chunk: nothing of it was kept.
        """
        self._drift.delivery_count += len(chunk.versions)
        distinct = _distinct(chunk.versions)
        with self._batches.refusals(), self._connection_lock:
            if distinct is not None:
                try:
                    return self._write(chunk, distinct, cursor, before_commit)
                except psycopg.errors.UniqueViolation:
                    pass  # a source id is known: rolled back, and written again with a look-up
            return self._write(chunk, None, cursor, before_commit)

    def _write(
        self,
        chunk: PreparedChunk,
        distinct: list[PreparedVersion] | None,
        cursor: dict[str, Any] | None,
        before_commit: Callable[[], object],
    ) -> IntakeCounts:
        connection = self._batches.connection
        with connection.transaction(), connection.cursor(binary=True) as db:
            self._batches.lock(db, is_durable=False)
            batch_id = self._batches.next_id(db)
            files = FileHistories(self._split_id)
            origins: set[tuple[bytes | None, str]] = set()
            if distinct is None or self._knows_one_of(db, distinct):
                new = self._new_versions(db, batch_id, chunk.versions, files, origins)
            else:
                new = [(version, 0) for version in distinct]
                _set_positions(files, batch_id, chunk.versions, distinct)
            db.execute(ADD_DATA_KEY, (chunk.data_key.key_id, self._vault.wrap(*chunk.data_key)))
            self._copy(db, batch_id, new)
            files.write(db, self._channel)
            self._insert_message_keys(db, chunk.message_keys)
            quarantined, repeated = self._quarantine.insert(db, batch_id, chunk.unreadable)
            self._note_repeated(db, chunk, new, origins, repeated)
            counts = IntakeCounts(
                chunk.count, len(new), chunk.count - len(new) - quarantined, quarantined
            )
            self._drift.note_chunk(db, batch_id, chunk)
            self._batches.close(db, batch_id, chunk.started, counts, cursor)
            before_commit()
        return counts

    def _knows_one_of(self, db: psycopg.Cursor[Any], versions: list[PreparedVersion]) -> bool:
        """Whether one of a few source ids, spread over the chunk, was landed before."""
        # A new version of a file's row may raise no unique violation, so all ids are probed then.
        step = 1 if any(v.file_row for v in versions) else len(versions) // _PROBES + 1
        probes = [version.source_id for version in versions[::step]]
        db.execute(f"select exists (select {STORED_VERSIONS})", (probes, self._channel))
        row = db.fetchone()
        return row is not None and bool(row[0])

    def _new_versions(
        self,
        db: psycopg.Cursor[Any],
        batch_id: int,
        versions: list[PreparedVersion],
        files: FileHistories,
        origins: set[tuple[bytes | None, str]],
    ) -> list[tuple[PreparedVersion, int]]:
        """The versions that are not stored yet, each with its recurrence.

        The evidence and source id of each stored version are added to `origins`.
        """
        histories: dict[str, list[Version]] = {}
        recurrences: dict[tuple[str, bytes], int] = {}
        source_ids = list({version.source_id for version in versions})
        has_rows = any(version.file_row for version in versions)
        db.execute(
            "select r.source_id, r.recurrence, r.evidence_sha256,"
            " r.record_id, r.content_hash, r.is_tombstone"
            f"{', v.cells, v.split' if has_rows else ''} {STORED_VERSIONS}"
            f" {_CELLS_OF_VERSIONS if has_rows else ''} order by r.record_id",
            (source_ids, self._channel),
        )
        for source_id, recurrence, evidence, *columns in db:
            origins.add((evidence, source_id))
            stored = Version(*columns)
            histories.setdefault(source_id, []).append(stored)
            recurrences[source_id, stored.content_hash] = recurrence
        if has_rows:
            files.load(db, source_ids)
        new: list[tuple[PreparedVersion, int]] = []
        first_id = first_record_id(batch_id)
        for place, version in enumerate(versions):
            source_id, content_hash, row = (
                version.source_id,
                version.content_hash,
                version.file_row,
            )
            history = histories.setdefault(source_id, [])
            recurrence = recurrences.get((source_id, content_hash))
            if not history:
                is_known = False
            elif row is not None:
                is_known = files.is_repetition(
                    source_id,
                    row,
                    content_hash,
                    history,
                    first_id + place,
                    is_repeat=version.is_repeat,
                )
            else:
                is_current = history[-1].content_hash == content_hash
                is_known = is_current or (version.is_repeat and recurrence is not None)
            if is_known:
                continue
            record_id = first_id + len(new)
            if row is None:
                history.append(Version(record_id, content_hash, False))
            else:
                files.set_position(source_id, row, record_id, first_id + place)
                history.append(files.add_version(row, record_id, content_hash))
            recurrence = 0 if recurrence is None else recurrence + 1
            recurrences[source_id, content_hash] = recurrence
            new.append((version, recurrence))
        return new

    def _copy(
        self, db: psycopg.Cursor[Any], batch_id: int, new: list[tuple[PreparedVersion, int]]
    ) -> None:
        """COPY records, private parts and features."""
        constant = (
            _TWELVE_COLUMNS
            + pgcopy.column(self._encoded_channel)
            + pgcopy.int8(batch_id)
            + pgcopy.FALSE
        )
        number, head = _RECORD_AND_RECURRENCE.pack, _SEALED_HEAD.pack
        records: list[bytes] = []
        private: list[bytes] = []
        features: list[tuple[int, Features]] = []
        for record_id, (version, recurrence) in enumerate(new, first_record_id(batch_id)):
            records += (constant, number(8, record_id, 2, recurrence), version.columns)
            if sealed := version.private:
                private += (head(2, 8, record_id, len(sealed)), sealed)
            if version.features is not None:
                features.append((record_id, version.features))
        pgcopy.copy_rows(
            db,
            "raw.record (channel, batch_id, is_tombstone, record_id, recurrence, content_hash,"
            " received_at, subject_token, evidence_sha256, locator, source_id, payload)",
            records,
        )
        pgcopy.copy_rows(db, "vault.identity (record_id, ciphertext)", private)
        if self._feature_version is not None:
            pgcopy.copy_rows(
                db,
                TABLE,
                (
                    feature_row(record_id, self._feature_version, found)
                    for record_id, found in features
                ),
            )

    def _note_repeated(
        self,
        db: psycopg.Cursor[Any],
        chunk: PreparedChunk,
        new: list[tuple[PreparedVersion, int]],
        origins: set[tuple[bytes | None, str]],
        quarantined: list[tuple[bytes, str]],
    ) -> None:
        """Note which files hold deliveries that no row says are in them (migration 0120).

        Args:
            db: in the chunk's transaction.
            chunk: what was read.
            new: the versions that were stored now.
            origins: evidence and source id of the versions that were stored before.
            quarantined: evidence and content hash of deliveries that were quarantined before.
        """
        repeated = chunk.outdated_evidence + quarantined
        if len(new) != len(chunk.versions):
            origins.update((version.evidence, version.source_id) for version, _ in new)
            repeated += [
                (version.evidence, version.source_id)
                for version in chunk.versions
                if version.evidence is not None
                and (version.evidence, version.source_id) not in origins
            ]
        if repeated:
            db.execute(
                "insert into ops.repeated_delivery (channel, sha256, delivery_keys)"
                " select %s, sha256, array_agg(distinct hashtextextended(name, 0))"
                " from unnest(%s::bytea[], %s::text[]) as given (sha256, name) group by sha256"
                " having not exists (select from ops.repeated_delivery as known"
                "   where known.sha256 = given.sha256 and known.delivery_keys"
                "     @> array_agg(distinct hashtextextended(given.name, 0)))",
                (self._channel, *map(list, zip(*repeated, strict=True))),
            )

    def _insert_message_keys(self, db: psycopg.Cursor[Any], keys: Sequence[MessageKey]) -> None:
        """Store the keys of messages that have no id; a key that is stored already stays."""
        if keys:
            db.execute(
                "insert into ops.message_key"
                " (channel, slot, text_id, source_id, is_edited, place, as_of)"
                " select %s, * from unnest(%s::bytea[], %s::text[], %s::text[], %s::boolean[],"
                "   %s::integer[], %s::timestamptz[]) on conflict do nothing",
                (self._channel, *map(list, zip(*keys, strict=True))),
            )

    def message_keys(self, slots: Collection[bytes]) -> list[MessageKey]:
        """The stored keys of messages (see `Source.message_keys`)."""
        with self._connection_lock:
            rows = self._batches.connection.execute(
                "select slot, text_id, source_id, is_edited, place, as_of from ops.message_key"
                " where channel = %(channel)s and (slot = any(%(slots)s) or slot in"
                "   (select slot from ops.message_key where channel = %(channel)s and is_edited))"
                " order by key_id",
                {"channel": self._channel, "slots": list(slots)},
            ).fetchall()
        return [MessageKey(*row) for row in rows]


def _distinct(versions: list[PreparedVersion]) -> list[PreparedVersion] | None:
    """The chunk without its repetitions; None if a source id has two contents in it."""
    hashes: dict[str, bytes] = {}
    distinct = []
    for version in versions:
        known = hashes.setdefault(version.source_id, version.content_hash)
        if known is version.content_hash:
            distinct.append(version)
        elif known != version.content_hash:
            return None
    return distinct


def _set_positions(
    files: FileHistories,
    batch_id: int,
    versions: list[PreparedVersion],
    distinct: list[PreparedVersion],
) -> None:
    """Note at which version each file is, for a chunk whose source ids are all new."""
    if not any(version.file_row for version in versions):
        return
    first_id = first_record_id(batch_id)
    record_ids = {version.source_id: first_id + place for place, version in enumerate(distinct)}
    for place, version in enumerate(versions):
        if version.file_row is not None:
            record_id = record_ids[version.source_id]
            files.set_position(version.source_id, version.file_row, record_id, first_id + place)
            files.add_version(version.file_row, record_id, version.content_hash)
