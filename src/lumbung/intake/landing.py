"""Landing: deliveries become rows, exactly once.

A chunk is one transaction: records, vault, quarantine, batch and cursor are committed together or
not at all, so a crash anywhere leaves the state before the chunk and the next pull repeats it.

Versions: what equals the latest version of its source id is a duplicate; another content is a new
version, also when it returns after something else (A, B, A: `recurrence`). The hash covers what is
stored, the public and the private part apart: a field that is declared later, or becomes personal,
makes new versions at the next pull, which is how it moves out of the vault or into it.

A delivery that was received after now (`CLOCK_TOLERANCE`) is quarantined: its own clock is wrong or
its time forged, and what the warehouse holds must not come from the future. It is landed by the
first pull after that time.

Where people keep several files that may hold one row (`Delivery.file`), the file that changed the
row last decides: a row that a file repeats unchanged is a duplicate, though another file has given
another content since (`lumbung.intake.file_rows`).

The common case has no conflict: a chunk is copied straight into the tables. Only when one of a few
probed source ids is known, or the copy meets a unique violation, are the stored versions looked up.

Preparing a chunk (`prepare`) and writing it (`write`) are apart, so that a pull prepares the next
chunk while the server takes the last one.

Text that PostgreSQL's jsonb cannot hold (NUL characters, lone surrogates) is replaced by U+FFFD in
the payload; the untouched field is kept in the vault under `lumbung:original`.
"""

from __future__ import annotations

import json
import os
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime, timedelta
from operator import add
from struct import Struct
from threading import Lock
from typing import Any, NamedTuple

import orjson
import psycopg
from psycopg.pq import TransactionStatus
from psycopg.types.json import Jsonb

from lumbung.errors import LandingError, SourceError
from lumbung.intake.channel.labels import normalise
from lumbung.intake.channel.models import Channel
from lumbung.intake.connectors.base import (
    CLOCK_TOLERANCE,
    PLACE_LABELS,
    Delivery,
    MessageKey,
    Reading,
    SeenIds,
    Unreadable,
)
from lumbung.intake.features import FIELDS, Features, TextFeatures, copied, copy_features
from lumbung.intake.file_rows import FileKeys, FileRow, FileRows, Headers, Version
from lumbung.intake.nameless import Nameless, NamelessRow, cell_hashes
from lumbung.intake.vault import NONCE_BYTES, Vault, associate, hold_to_one_key, is_cut

CHUNK = 5_000
"""Deliveries per transaction: enough to amortise it, few enough to hold two of them in memory."""

ORIGINAL = "lumbung:original"
"""Key in the vault under which fields lie whose text had to be changed to be stored."""

_MAX_PAYLOAD = 64 << 20  # jsonb refuses strings of 256 MB; a report is a few kilobytes
_PROBES = 8
_MAX_KNOWN = 10_000  # labels, and sets of them, that are remembered
_MAX_LABEL = 500  # characters of a label that a notice tells; an index holds 2,700 bytes
_MAX_ID = 2_000  # bytes; whoever indexes source ids can hold 2,700
_SORTED = orjson.OPT_SORT_KEYS
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PLACE_BITS = 20  # of a record_id: the place in its batch
_SAMPLED = 100  # deliveries of a chunk, and every hundredth after them, are looked at for types
_CADENCE = timedelta(weeks=1)
_ENOUGH = 50  # a field that fewer deliveries lack may have had no occasion


@dataclass(frozen=True)
class IntakeCounts:
    """What became of what was read: `read == landed + duplicate + quarantined`.

    Attributes:
        read, landed, duplicate, quarantined: deliveries.
        tombstones: deliveries that the source withdrew.
        missing: rows that a file read in full has no longer, until that is confirmed.
        withheld: those that a row without a key may be, or that a file that was taken away held
            last: nothing withdraws them.
        unsettled: files that were left for the next pull, because somebody is still writing them.
    """

    read: int = 0
    landed: int = 0
    duplicate: int = 0
    quarantined: int = 0
    tombstones: int = 0
    missing: int = 0
    withheld: int = 0
    unsettled: int = 0

    def __add__(self, other: IntakeCounts) -> IntakeCounts:
        return IntakeCounts(*map(add, astuple(self), astuple(other)))

    def notes(self) -> list[str]:
        """What a person should know of the counts."""
        return [
            note.format(count)
            for note, count in (
                (
                    "{} rows are gone from their file; they are withdrawn when it is sent anew"
                    " without them, or after one cadence; --accept-withdrawals does so now",
                    self.missing,
                ),
                (
                    "{} rows are gone from their file and not withdrawn, because rows without a"
                    " number may be them or a file that was taken away had them last; fill in the"
                    " numbers, or use --accept-withdrawals",
                    self.withheld,
                ),
                (
                    "{} files are still being written and were left for the next pull",
                    self.unsettled,
                ),
            )
            if count
        ]


_Version = tuple[
    str,  # source id
    bytes,  # content hash
    bytes,  # the columns of its row that are known before its batch, in COPY's binary format
    bytes,  # private part, sealed; or nothing
    bool,  # is_repeat
    FileRow | None,  # the row of the file that gave it
    Features | None,  # of its narrative
]
"""A delivery, split, hashed, sealed and serialised; a plain tuple because there are millions."""

_Kept = tuple[Unreadable, bytes, bytes]
"""What could not be read, without its content; that content's hash, and the content, sealed."""


@dataclass
class Prepared:
    """A chunk that is ready to be written; the order of the source is kept."""

    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    latest: datetime = field(init=False)
    """The latest moment at which a delivery may have been received."""
    versions: list[_Version] = field(default_factory=list)
    unreadable: list[_Kept] = field(default_factory=list)
    appeared: set[str] = field(default_factory=set)
    types: set[tuple[str, str]] = field(default_factory=set)
    outdated: list[str] = field(default_factory=list)
    """Source ids of what is older than what is there."""
    keys: list[MessageKey] = field(default_factory=list)
    nameless: list[NamelessRow] = field(default_factory=list)
    count: int = 0
    """Deliveries in it."""
    size: int = 0
    """Bytes of content in it."""

    def __post_init__(self) -> None:
        self.latest = self.started + CLOCK_TOLERANCE

    def source_ids(self) -> list[str]:
        """Those that its deliveries have or claim."""
        claimed = [item.source_id for item, _, _ in self.unreadable if item.source_id is not None]
        return [version[0] for version in self.versions] + claimed + self.outdated


class _Plan(NamedTuple):
    """How deliveries with the same labels are split: label as met -> the channel file's spelling.

    What is in neither part is private and keeps its label.
    """

    public: tuple[tuple[str, str], ...]
    renamed: tuple[tuple[str, str], ...]
    """Of personal labels, those that the file spells in another way."""


class _Plans(dict[tuple[str, ...], _Plan]):
    """The labels of a delivery -> its plan, made when they are met for the first time."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._spelled = {**channel.private, **channel.public}
        self._public = set(channel.public.values())
        self._technical = channel.technical
        self._labels: dict[str, str | None] = {}
        self.appeared: set[str] = set()
        self.met: set[str] = set()
        """Public labels, as the file spells them, that some delivery had."""

    def __missing__(self, labels: tuple[str, ...]) -> _Plan:
        # Of two labels that are one to the file (`Isu`, `ISU`) that in its own spelling counts,
        # else the first; the other one is kept in the vault as it was met.
        owners: dict[str, str] = {}
        for label in labels:
            spelling = self._spelling(label)
            if spelling is not None and (spelling == label or spelling not in owners):
                owners[spelling] = label
        self.met |= owners.keys() & self._public
        plan = _Plan(
            tuple((label, name) for name, label in owners.items() if name in self._public),
            tuple(
                (label, name)
                for name, label in owners.items()
                if name not in self._public and name != label
            ),
        )
        if len(self) < _MAX_KNOWN:
            self[labels] = plan
        return plan

    def _spelling(self, label: str) -> str | None:
        """The file's spelling of a label that it names."""
        if label in self._labels:
            return self._labels[label]
        plain = normalise(label)
        spelling = self._spelled.get(plain)
        if len(self._labels) < _MAX_KNOWN:
            self._labels[label] = spelling
            if spelling is None and plain not in self._technical:
                self.appeared.add(_storable(label[:_MAX_LABEL]))
        return spelling


class Landing:
    """Lands the deliveries of one channel in one pull.

    Args:
        connection: to the warehouse, not inside a transaction (inside one, each chunk is a
            savepoint: that is how a dry run works).
        channel: the channel.
        vault: seals and hashes.
        run_key: names the pull in `raw.batch`.

    Raises:
        ConfigurationError: when the warehouse was written with another vault key.
    """

    def __init__(
        self, connection: psycopg.Connection, channel: Channel, vault: Vault, run_key: str
    ) -> None:
        self._connection = connection
        self._is_dry = connection.info.transaction_status is not TransactionStatus.IDLE
        self._channel = channel
        self._name = channel.name.encode()
        self._associated = associate(channel.name, "")
        self._subject = channel.subject
        self._hasher = vault.hasher(self._name)
        self._vault = vault
        self._features = (
            TextFeatures(channel, vault.feature_key) if FIELDS[0] in channel.fields else None
        )
        self._run_key = run_key
        self._plans = _Plans(channel)
        self._file_keys = FileKeys(self._short_hash)
        self._headers = Headers(channel, self._short_hash)
        self._split = self._short_hash(
            b"split\n" + orjson.dumps([channel.public, channel.private], None, _SORTED)
        )
        self._untold = PLACE_LABELS.union(map(normalise, channel.key))
        """Labels (normalised) that tell nothing of a row whose key is empty."""
        self._types = _known_types(connection, channel.name)
        self.is_first = _is_first(connection, channel.name)
        """Whether nothing of the channel was landed before this pull."""
        self._batch_id = 0
        self._read = 0
        self._turn = Lock()
        """Held while a chunk is written: a connector may ask meanwhile what was landed."""
        self.unreadable: set[bytes] = set()
        """Content hashes of what this pull could not read."""
        self._accepted = {
            row[0]
            for row in connection.execute(
                "select content_hash from quarantine.record"
                " where channel = %s and accepted_by is not null and dismissed_by is null",
                (channel.name,),
            )
        }
        self._admitted: set[bytes] = set()
        """Content hashes of what was quarantined and a person accepted, as far as it was met."""
        hold_to_one_key(connection, vault)

    def land(
        self, items: Sequence[Delivery | Unreadable], cursor: dict[str, Any] | None = None
    ) -> IntakeCounts:
        """Prepare and write one chunk: see there."""
        return self.write(self.prepare(items), cursor)

    def write(
        self,
        chunk: Prepared,
        cursor: dict[str, Any] | None = None,
        before_commit: Callable[[], object] = lambda: None,
    ) -> IntakeCounts:
        """Land one chunk in one transaction.

        It outlasts a power cut once `finish` was called; until then what is lost with one are the
        last chunks as wholes, with their cursor.

        Args:
            chunk: what `prepare` gave, chunks in the order of the source.
            cursor: where the next pull begins once this chunk is there; None: not moved.
            before_commit: waits for what must be there before the chunk is.

        Raises:
            LandingError: when the database refuses it: nothing of the chunk was kept.
        """
        self._read += len(chunk.versions)
        plain = _without_conflicts(chunk.versions)
        try:
            with self._turn:
                if plain is not None:
                    try:
                        return self._write(chunk, plain, cursor, before_commit)
                    except psycopg.errors.UniqueViolation:
                        pass  # something is known: rolled back, and once more with looking up
                return self._write(chunk, None, cursor, before_commit)
        except psycopg.Error as error:
            raise _refused(error, self._channel.name) from None

    def _write(
        self,
        chunk: Prepared,
        plain: list[_Version] | None,
        cursor: dict[str, Any] | None,
        before_commit: Callable[[], object],
    ) -> IntakeCounts:
        with self._connection.transaction(), self._connection.cursor(binary=True) as db:
            _lock(db, self._channel.name, is_lasting=False)
            batch_id = _next_batch(db, is_dry=self._is_dry)
            rows = FileRows(self._split)
            if plain is None or self._knows_one_of(db, plain):
                fresh = self._resolve(db, batch_id, chunk.versions, rows)
            else:
                fresh = [(version, 0) for version in plain]
                _give_all(rows, batch_id, chunk.versions, plain)
            self._copy(db, batch_id, fresh)
            rows.write(db, self._channel.name)
            self._remember(db, chunk.keys)
            quarantined = self._quarantine(db, batch_id, chunk.unreadable)
            landed = len(fresh)
            counts = IntakeCounts(
                chunk.count, landed, chunk.count - landed - quarantined, quarantined
            )
            self._notice(db, batch_id, chunk)
            self._close(db, batch_id, chunk.started, counts, cursor)
            before_commit()
        return counts

    def withdraw(
        self,
        complete: Collection[str],
        met: SeenIds,
        cursor: dict[str, Any] | None = None,
        *,
        files: Mapping[str, Reading] | None = None,
        nameless: Nameless | None = None,
        accept: bool = False,
    ) -> IntakeCounts:
        """Write tombstones for what complete listings no longer have, in one transaction.

        A file may be cut off. What it no longer has is noted by the first reading that misses it,
        and withdrawn by a later one if every reading between misses it too and either its bytes
        have changed, in more than that one of them goes on where the other ends, or one cadence of
        the channel (`expected_every`, else a week) has gone by.

        A row is gone from a file if the file once gave it and now no file does. One that was last
        given by a file that is not read completely now (it was taken away, it is broken) is held.

        Args:
            complete: beginnings of locators (see `Checkpoint.complete`).
            met: every source id that this pull met.
            cursor: where the next pull begins once the withdrawals are there; None: not moved.
            files: those that are files, with the bytes that were read.
            nameless: what this pull met without a source id.
            accept: a person has looked: nothing waits, and a listing that shrank is no alarm.

        Raises:
            SourceError: when a listing shrank to nothing or below half of what it had: that is
                rather a broken source than as many withdrawals, so there are none.
            LandingError: when the database refuses it.
        """
        started = datetime.now(UTC)
        unnamed = nameless or Nameless()
        files = files or {}
        listings = [
            each
            for each in complete
            if not unnamed.leaves_unknown(each) and (each in files or not unnamed.count(each))
        ]
        parts = [_storable(each) for each in listings]  # as locators are stored
        keys = [
            self._file_keys[each.removesuffix(" | ")].file_key if each and each in files else None
            for each in listings
        ]
        file_keys = [key for key in keys if key is not None]
        alive: Counter[int] = Counter()
        vanished = [array("q") for _ in parts]
        try:
            with self._connection.transaction(), self._connection.cursor(binary=True) as db:
                _lock(db, self._channel.name)
                for rows in self._current(parts, keys) if parts else ():
                    alive.update(row[2] for row in rows)
                    for place in met.missing([row[1] for row in rows]):
                        record_id, _, number = rows[place]
                        vanished[number - 1].append(record_id)
                counts = IntakeCounts()
                gone: list[int] = []
                for number, (listing, missing) in enumerate(
                    zip(listings, vanished, strict=True), 1
                ):
                    held = set() if accept else self._held(db, unnamed, listing, missing)
                    if file_keys and not accept:
                        held |= self._held_elsewhere(db, file_keys, missing)
                    lost, there = len(missing) - len(held), alive[number]
                    if lost and (there - lost) * 2 < there and not accept:
                        raise SourceError(
                            f"of {there} deliveries the source no longer has {lost};"
                            " none was withdrawn",
                            where=f"channel {self._channel.name}, {parts[number - 1] or 'all'}",
                            cure="look whether the file or form is whole, and have it sent anew;"
                            " where they were withdrawn indeed, run 'lumbung intake"
                            f" {self._channel.name} --accept-withdrawals', or trigger the channel's"
                            " DAG with accept_withdrawals",
                        )
                    reading = None if accept else files.get(listing)
                    due = self._miss(db, parts[number - 1], missing, held, reading)
                    gone += due
                    counts += IntakeCounts(missing=lost - len(due), withheld=len(held))
                counts += self._bury(db, gone, started, file_keys, is_accepted=accept)
                if cursor is not None:
                    self._move(db, self._batch_id, Jsonb(cursor))
                return counts
        except psycopg.Error as error:
            raise _refused(error, self._channel.name) from None

    def _held(
        self, db: psycopg.Cursor[Any], nameless: Nameless, listing: str, missing: Sequence[int]
    ) -> set[int]:
        """Of the records that a listing no longer has those that a row without a key may be."""
        if not missing or not nameless.count(listing):
            return set()
        db.execute(
            "select record_id, payload from raw.record where record_id = any(%s)", (list(missing),)
        )
        return nameless.held(
            listing, {record_id: self._comparable(payload) for record_id, payload in db}
        )

    def _held_elsewhere(
        self, db: psycopg.Cursor[Any], file_keys: list[int], missing: Sequence[int]
    ) -> set[int]:
        """Of the records that files no longer have those that another file gave after them."""
        db.execute(
            "select r.record_id from raw.record as r where r.record_id = any(%(missing)s) and"
            " (select max(f.last_given_id) from ops.file_row as f"
            "   where f.source_key = r.source_key and f.channel = %(channel)s"
            "   and f.file_key <> all(%(keys)s))"
            " > (select max(f.last_given_id) from ops.file_row as f"
            "   where f.source_key = r.source_key and f.file_key = any(%(keys)s))",
            {"missing": list(missing), "channel": self._channel.name, "keys": file_keys},
        )
        return {row[0] for row in db}

    def _comparable(self, payload: Mapping[str, Any]) -> frozenset[int]:
        """The public cells that tell rows without a key apart."""
        return cell_hashes({k: v for k, v in payload.items() if normalise(k) not in self._untold})

    def _miss(
        self,
        db: psycopg.Cursor[Any],
        listing: str,
        missing: Sequence[int],
        held: set[int],
        reading: Reading | None,
    ) -> list[int]:
        """Note what a listing no longer has; returns what is due to be withdrawn."""
        due = [record_id for record_id in missing if record_id not in held]
        if reading is not None:
            db.execute(
                "select record_id from ops.missing_record"
                " where channel = %s and listing = %s and not is_held"
                " and (missed_at <= clock_timestamp() - %s"
                "   or (evidence_sha256 is distinct from %s and not %s))",
                (
                    *(self._channel.name, listing, self._channel.expected_every or _CADENCE),
                    *reading,
                ),
            )
            noted = {row[0] for row in db}
            due = [record_id for record_id in due if record_id in noted]
        stays = {*missing}.difference(due)
        db.execute(
            "delete from ops.missing_record where channel = %s and listing = %s"
            " and record_id <> all(%s::bigint[])",
            (self._channel.name, listing, list(stays)),
        )
        db.execute(
            "insert into ops.missing_record (record_id, channel, listing, is_held, batch_id,"
            " evidence_sha256)"
            " select record_id, %s, %s, record_id = any(%s::bigint[]), %s, %s"
            " from unnest(%s::bigint[]) as missing (record_id)"
            " on conflict (record_id) do update set is_held = excluded.is_held,"
            " listing = excluded.listing, evidence_sha256 = excluded.evidence_sha256",
            (
                *(self._channel.name, listing, list(held), self._batch_id),
                *(reading and reading.sha256, list(stays)),
            ),
        )
        return due

    def bury(self, source_ids: Sequence[str]) -> IntakeCounts:
        """Write tombstones for what the source itself says was withdrawn, in one transaction.

        Args:
            source_ids: those that are not there, or withdrawn already, are passed over.

        Raises:
            LandingError: when the database refuses it.
        """
        started = datetime.now(UTC)
        try:
            with self._connection.transaction(), self._connection.cursor(binary=True) as db:
                _lock(db, self._channel.name)
                db.execute(
                    "select record_id from (select distinct on (r.source_id) r.record_id,"  # noqa: S608
                    f"   r.is_tombstone {_STORED}"
                    "   order by r.source_id, r.record_id desc) as latest where not is_tombstone",
                    ([each for each in source_ids if _is_storable(each)], self._channel.name),
                )
                return self._bury(db, [row[0] for row in db], started)
        except psycopg.Error as error:
            raise _refused(error, self._channel.name) from None

    def _bury(
        self,
        db: psycopg.Cursor[Any],
        gone: Sequence[int],
        started: datetime,
        file_keys: Sequence[int] = (),
        *,
        is_accepted: bool = False,
    ) -> IntakeCounts:
        """Write tombstones for these records, which are the current ones of their source ids.

        Args:
            db: in the transaction.
            gone: the records.
            started: when it began.
            file_keys: the files that no longer have them: what they say of them next is news.
            is_accepted: a person has looked: no check holds the channel back for it.
        """
        counts = IntakeCounts()
        for first in range(0, len(gone), CHUNK):
            db.execute(
                "select source_id from raw.record where record_id = any(%s) order by record_id",
                (list(gone[first : first + CHUNK]),),
            )
            part = [row[0] for row in db]
            batch_id = _next_batch(db, is_dry=self._is_dry)
            db.execute(
                "insert into raw.record (record_id, channel, source_id, content_hash,"
                " recurrence, batch_id, received_at, is_tombstone, payload)"
                " overriding system value"
                " select (%(batch)s::bigint << %(bits)s) + place, %(channel)s, source_id, hash,"
                " coalesce((select max(r.recurrence) from raw.record as r"
                "   where r.source_key = hashtextextended(gone.source_id, 0)"
                "   and r.content_hash = gone.hash), -1) + 1, %(batch)s, %(now)s, true, '{}'"
                " from unnest(%(gone)s::text[], %(hashes)s::bytea[]) with ordinality"
                "   as gone (source_id, hash, place)",
                {
                    "channel": self._channel.name,
                    "batch": batch_id,
                    "bits": _PLACE_BITS,
                    "now": started,
                    "gone": part,
                    "hashes": [self._tombstone(each) for each in part],
                },
            )
            if file_keys:
                db.execute(
                    "update ops.file_row as f set first_record_id = r.record_id,"
                    " record_id = r.record_id, cells = null from raw.record as r"
                    " where r.record_id > %(first)s and r.record_id <= %(first)s + %(count)s"
                    " and f.source_key = r.source_key and f.file_key = any(%(keys)s)",
                    {
                        "first": batch_id << _PLACE_BITS,
                        "count": len(part),
                        "keys": list(file_keys),
                    },
                )
            buried = IntakeCounts(tombstones=len(part))
            self._close(db, batch_id, started, buried, None, is_accepted=is_accepted)
            counts += buried
        return counts

    def _tombstone(self, source_id: str) -> bytes:
        content_hash = self._hasher.copy()
        content_hash.update(b"\n" + source_id.encode() + b"\ntombstone")
        return content_hash.digest()

    def accepts(self, content: Any) -> bool:
        """Whether a person accepted what would be quarantined with this content."""
        content_hash = self._vault.content_hash(_as_kept(content))
        if content_hash in self._accepted:
            self._admitted.add(content_hash)
        return content_hash in self._accepted

    def finish(self) -> None:
        """Let what was landed outlast a power cut, and notice the mapped fields that are missing.

        What was quarantined, accepted by a person and landed by this pull is resolved.

        Missing is what no delivery of this pull had, though earlier ones did.

        Raises:
            LandingError: when the database refuses it.
        """
        vanished: list[str] = []
        if self._read >= _ENOUGH:
            vanished = sorted({field for field, _ in self._types} - self._plans.met)
        try:
            with self._connection.transaction(), self._connection.cursor(binary=True) as db:
                db.execute("select pg_current_xact_id()::text")  # makes the commit wait for the log
                db.execute(
                    "insert into ops.drift_notice (channel, field, notice, first_batch_id)"
                    " select %(channel)s, field, 'vanished',"
                    "   (select max(batch_id) from raw.batch where channel = %(channel)s)"
                    " from unnest(%(fields)s::text[]) as field on conflict do nothing",
                    {"channel": self._channel.name, "fields": vanished},
                )
                db.execute(
                    "update quarantine.record set resolved_at = clock_timestamp()"
                    " where channel = %s and content_hash = any(%s) and resolved_at is null",
                    (self._channel.name, list(self._admitted)),
                )
        except psycopg.Error as error:
            raise _refused(error, self._channel.name) from None

    def settle(self, met: SeenIds, complete: Collection[str]) -> int:
        """Call resolved what is in quarantine and came readable in this pull, or is gone for sure.

        That is, of what did not come unreadable again: what this pull met under the same source
        id, what was landed from the same place of the same bytes, what a listing that was given in
        full no longer has, and a file in whose place another one was read. Anything else (a mail
        that was deleted, a file that was taken away) stays open: nobody has read it. Returns how
        many were resolved.

        Args:
            met: every source id that this pull met.
            complete: beginnings of locators (see `Checkpoint.complete`).

        Raises:
            LandingError: when the database refuses it.
        """
        try:
            with self._connection.transaction():
                row = self._connection.execute(
                    "select cursor -> 'files' from ops.channel_cursor where channel = %s",
                    (self._channel.name,),
                ).fetchone()
                files = (row and row[0]) or {}
                read = [
                    number
                    for number, source_id, locator, evidence in self._connection.execute(
                        "select quarantine_id, source_id, coalesce(locator, ''), evidence_sha256"
                        " from quarantine.record where channel = %s and resolved_at is null",
                        (self._channel.name,),
                    )
                    if (source_id is not None and source_id in met)
                    or (
                        evidence
                        and files.get(self._hidden(locator), evidence.hex()) != evidence.hex()
                    )
                ]
                return self._connection.execute(
                    "update quarantine.record as q set resolved_at = clock_timestamp()"
                    " where q.channel = %(channel)s and q.resolved_at is null"
                    " and q.content_hash <> all(%(again)s) and (q.quarantine_id = any(%(read)s)"
                    "   or exists (select from unnest(%(complete)s::text[]) as part"
                    "     where starts_with(coalesce(q.locator, '') || ' | ', part))"
                    "   or exists (select from raw.record as r where r.channel = q.channel"
                    "     and r.locator = q.locator and r.evidence_sha256"
                    "       = coalesce(q.evidence_sha256, r.evidence_sha256)))",
                    {
                        "channel": self._channel.name,
                        "again": list(self.unreadable),
                        "read": read,
                        "complete": [_storable(part) for part in complete],
                    },
                ).rowcount
        except psycopg.Error as error:
            raise _refused(error, self._channel.name) from None

    def _hidden(self, name: str) -> str:
        """A file's name as the cursor of a folder has it."""
        return self._vault.content_hash(name.encode()).hex()

    # -- preparing, without the database -----------------------------------------------------

    def prepare(self, items: Iterable[Delivery | Unreadable]) -> Prepared:
        """Prepare one chunk; nothing is written.

        Args:
            items: in the order of the source.
        """
        chunk = Prepared()
        for item in items:
            self.add(chunk, item)
        return chunk

    def add(self, chunk: Prepared, item: Delivery | Unreadable) -> None:
        """Split, hash, seal and serialise a delivery behind those that a chunk has.

        One at a time, as they come: what was parsed is still in the processor's cache, and gone
        when the next one comes.
        """
        if isinstance(item, Unreadable):
            self._keep(chunk, item)
            return
        (
            source_id,
            received_at,
            fields,
            evidence,
            locator,
            is_repeat,
            file,
            is_outdated,
            key,
            labels,
        ) = item
        if key is not None:
            chunk.keys.append(key)
        if is_outdated:
            chunk.outdated.append(source_id)
            chunk.count += 1
            return
        plans = self._plans
        plan = plans[tuple(fields)]
        if plans.appeared:
            chunk.appeared |= plans.appeared
            plans.appeared = set()
        private = fields.copy()
        take = private.pop
        public = {spelling: take(label) for label, spelling in plan.public}
        for label, spelling in plan.renamed:
            private[spelling] = take(label)
        try:
            payload = orjson.dumps(public, None, _SORTED)
            hidden = orjson.dumps(private, None, _SORTED) if private else b""
            if b"\\u0000" in payload:
                payload, hidden = _mend(public, private)
        except TypeError:  # orjson: a lone surrogate, an integer beyond 64 bits
            try:
                payload, hidden = _mend(public, private)
            except (TypeError, ValueError, RecursionError):
                payload = b""
        if not 0 < len(payload) <= _MAX_PAYLOAD or not _is_usable(source_id):
            self._keep(chunk, _refuse(item))
            return
        if received_at > chunk.latest:
            self._keep(chunk, _refuse_time(item))
            return
        token = _NULL
        for label in self._subject:
            if (identity := private.get(label)) and not is_cut(identity):
                token = _SIXTEEN + self._vault.subject_token(_storable(str(identity)))
                break
        identifier = source_id.encode()
        hasher = self._hasher.copy()
        hasher.update(b"\n%b\n%b\n%b" % (identifier, payload, hidden))
        content_hash = hasher.digest()
        row = (
            _FIXED.pack(16, content_hash, 8, (received_at - _EPOCH) // _MICROSECOND),
            token,
            _NULL if evidence is None else _value(evidence),
            _NULL if locator is None else _value(_storable(locator).encode()),
            _LENGTH.pack(len(identifier)),
            identifier,
            _JSONB.pack(len(payload) + 1, 1),
            payload,
        )
        size = len(payload) + len(hidden)
        if hidden:
            nonce = os.urandom(NONCE_BYTES)
            hidden = self._vault.seal(hidden, self._associated + identifier, nonce)
        if chunk.count < _SAMPLED or not chunk.count % _SAMPLED:
            self._look_at_types(chunk, fields, plan)
        file_row = None
        if file is not None:
            columns = self._headers[tuple(fields) if labels is None else labels]
            file_row = FileRow(
                self._file_keys[file], received_at, source_id, columns, fields, self._short_hash
            )
        features = self._features.of_payload(public) if self._features else None
        chunk.versions.append(
            (source_id, content_hash, b"".join(row), hidden, is_repeat, file_row, features)
        )
        chunk.count += 1
        chunk.size += size

    def _short_hash(self, content: bytes) -> int:
        """A keyed hash of 8 bytes."""
        hasher = self._hasher.copy()
        hasher.update(b"\n\n" + content)
        return int.from_bytes(hasher.digest()[:8], signed=True)

    def _keep(self, chunk: Prepared, item: Unreadable) -> None:
        """Seal what cannot be landed."""
        try:
            content = _as_kept(item.content)
        except (RecursionError, ValueError):  # nested beyond measure: the evidence has it
            content = repr((item.source_id, item.locator, item.evidence)).encode()
        content_hash = self._vault.content_hash(content)
        associated = associate(self._channel.name, content_hash.hex())
        sealed = self._vault.seal(content, associated, os.urandom(NONCE_BYTES))
        self.unreadable.add(content_hash)
        if item.source_id is None:
            place = (item.locator or "").partition(" | ")[0]
            chunk.nameless.append(NamelessRow(place, self._nameless_cells(item)))
        received_at = min(item.received_at, chunk.started)
        kept = item._replace(content=None, received_at=received_at)
        chunk.unreadable.append((kept, content_hash, sealed))
        chunk.count += 1
        chunk.size += len(content)

    def _nameless_cells(self, item: Unreadable) -> frozenset[int] | None:
        """What can be compared of a row without a source id."""
        if item.is_part or not isinstance(item.content, dict):
            return None
        public = self._channel.public
        told = {public.get(normalise(str(k))): v for k, v in item.content.items()}
        try:
            return self._comparable({k: v for k, v in told.items() if k is not None})
        except TypeError:  # what JSON cannot say
            return None

    def _look_at_types(self, chunk: Prepared, fields: dict[str, Any], plan: _Plan) -> None:
        """Note field and type, of what is mapped and was not met in this type before."""
        for label, spelling in plan.public:
            kind = _TYPES.get(type(fields[label]))
            if kind is not None and (spelling, kind) not in self._types:
                chunk.types.add((spelling, kind))

    # -- writing ------------------------------------------------------------------------------

    def _knows_one_of(self, db: psycopg.Cursor[Any], versions: list[_Version]) -> bool:
        """Whether a source id was landed before: of a few that are spread over the chunk."""
        # One content replaces another without a conflict: of rows of files each is looked up.
        step = 1 if any(version[5] for version in versions) else len(versions) // _PROBES + 1
        probes = [version[0] for version in versions[::step]]
        db.execute(
            f"select exists (select {_STORED})",
            (probes, self._channel.name),
        )
        row = db.fetchone()
        return row is not None and bool(row[0])

    def _resolve(
        self, db: psycopg.Cursor[Any], batch_id: int, versions: list[_Version], rows: FileRows
    ) -> list[tuple[_Version, int]]:
        """What is new against the stored versions, each with its recurrence."""
        histories: dict[str, list[Version]] = {}
        recurrences: dict[tuple[str, bytes], int] = {}
        source_ids = list({version[0] for version in versions})
        has_rows = any(version[5] for version in versions)
        db.execute(
            "select r.source_id, r.recurrence, r.record_id, r.content_hash, r.is_tombstone"
            f"{', v.cells, v.split' if has_rows else ''} {_STORED} {_SAID if has_rows else ''}"
            " order by r.record_id",
            (source_ids, self._channel.name),
        )
        for source_id, recurrence, *version in db:
            stored = Version(*version)
            histories.setdefault(source_id, []).append(stored)
            recurrences[source_id, stored.content_hash] = recurrence
        if has_rows:
            rows.load(db, source_ids)
        fresh: list[tuple[_Version, int]] = []
        first_id = batch_id << _PLACE_BITS
        for place, (source_id, content_hash, *_, is_repeat, row, _) in enumerate(versions):
            history = histories.setdefault(source_id, [])
            before = recurrences.get((source_id, content_hash))
            if not history:
                is_known = False
            elif row is not None:
                is_known = rows.is_repetition(
                    source_id, row, content_hash, history, first_id + place, is_repeat=is_repeat
                )
            else:
                is_current = history[-1].content_hash == content_hash
                is_known = is_current or (is_repeat and before is not None)
            if is_known:
                continue
            record_id = first_id + len(fresh)
            if row is None:
                history.append(Version(record_id, content_hash, False))
            else:
                rows.give(source_id, row, record_id, first_id + place)
                history.append(rows.add(row, record_id, content_hash))
            recurrences[source_id, content_hash] = recurrence = 0 if before is None else before + 1
            fresh.append((versions[place], recurrence))
        return fresh

    def _copy(
        self, db: psycopg.Cursor[Any], batch_id: int, fresh: list[tuple[_Version, int]]
    ) -> None:
        """COPY records and vault in PostgreSQL's binary format."""
        if not fresh:
            return
        constant = _TWELVE + _value(self._name) + _LONG.pack(8, batch_id) + _FALSE
        number, head = _NUMBER.pack, _SEALED.pack
        records = [_SIGNATURE]
        hidden = [_SIGNATURE]
        for record_id, (version, recurrence) in enumerate(fresh, batch_id << _PLACE_BITS):
            records += (constant, number(8, record_id, 2, recurrence), version[2])
            if sealed := version[3]:
                hidden += (head(2, 8, record_id, len(sealed)), sealed)
        with db.copy(
            "copy raw.record (channel, batch_id, is_tombstone, record_id, recurrence, content_hash,"
            " received_at, subject_token, evidence_sha256, locator, source_id, payload)"
            " from stdin (format binary)"
        ) as copy:
            copy.write(b"".join(records) + _TRAILER)
        if len(hidden) > 1:
            with db.copy(
                "copy vault.identity (record_id, ciphertext) from stdin (format binary)"
            ) as copy:
                copy.write(b"".join(hidden) + _TRAILER)
        if self._features is not None:
            version_of_features = self._features.version
            copy_features(
                db,
                (
                    copied(record_id, version_of_features, features)
                    for record_id, (version, _) in enumerate(fresh, batch_id << _PLACE_BITS)
                    if (features := version[6]) is not None
                ),
            )

    def _remember(self, db: psycopg.Cursor[Any], keys: Sequence[MessageKey]) -> None:
        """Keep what messages without an id are known by; what is kept already stays."""
        if keys:
            db.execute(
                "insert into ops.message_key"
                " (channel, slot, text_id, source_id, is_edited, place, as_of)"
                " select %s, * from unnest(%s::bytea[], %s::text[], %s::text[], %s::boolean[],"
                "   %s::integer[], %s::timestamptz[]) on conflict do nothing",
                (self._channel.name, *map(list, zip(*keys, strict=True))),
            )

    def recall(self, slots: Collection[bytes]) -> list[MessageKey]:
        """The keys of messages that former pulls gave (see `Source.recall`)."""
        with self._turn:
            rows = self._connection.execute(
                "select slot, text_id, source_id, is_edited, place, as_of from ops.message_key"
                " where channel = %(channel)s and (slot = any(%(slots)s) or slot in"
                "   (select slot from ops.message_key where channel = %(channel)s and is_edited))"
                " order by key_id",
                {"channel": self._channel.name, "slots": list(slots)},
            ).fetchall()
        return [MessageKey(*row) for row in rows]

    def _quarantine(self, db: psycopg.Cursor[Any], batch_id: int, unreadable: list[_Kept]) -> int:
        """Keep what could not be read; returns how many were not kept before."""
        count = 0
        for item, content_hash, sealed in unreadable:
            db.execute(
                "insert into quarantine.record as q (channel, batch_id, content_hash, reason_code,"
                " reason, received_at, evidence_sha256, locator, source_id, ciphertext)"
                " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
                " on conflict (channel, content_hash) do update set resolved_at = null,"
                "   reason_code = excluded.reason_code, reason = excluded.reason"
                "   where q.dismissed_by is null and (q.resolved_at is not null"
                "     or (q.reason_code, q.reason) <> (excluded.reason_code, excluded.reason))"
                " returning xmax = 0",  # true of what is new
                (
                    self._channel.name,
                    batch_id,
                    content_hash,
                    item.reason_code,
                    _storable(item.reason),
                    item.received_at,
                    item.evidence,
                    None if item.locator is None else _storable(item.locator),
                    item.source_id if item.source_id and _is_usable(item.source_id) else None,
                    sealed,
                ),
            )
            row = db.fetchone()
            count += row is not None and row[0]
        return count

    def _notice(self, db: psycopg.Cursor[Any], batch_id: int, chunk: Prepared) -> None:
        """Fields that appeared, and mapped ones that came in a type they never had."""
        channel = self._channel.name
        notices = [(name, "appeared") for name in sorted(chunk.appeared)]
        new = sorted(chunk.types - self._types)
        if new:
            typed = {field for field, _ in self._types}
            notices += [(field, "changed") for field, _ in new if field in typed]
            db.execute(
                "insert into ops.field_type (channel, field, json_type, first_batch_id)"
                " select %s, field, json_type, %s from unnest(%s::text[], %s::text[])"
                " as new (field, json_type) on conflict do nothing",
                (channel, batch_id, [field for field, _ in new], [kind for _, kind in new]),
            )
            self._types |= chunk.types
        if notices:
            db.execute(
                "insert into ops.drift_notice (channel, field, notice, first_batch_id)"
                " select %s, field, notice, %s from unnest(%s::text[], %s::text[])"
                " as new (field, notice) on conflict do nothing",
                (channel, batch_id, [field for field, _ in notices], [kind for _, kind in notices]),
            )

    def _close(
        self,
        db: psycopg.Cursor[Any],
        batch_id: int,
        started: datetime,
        counts: IntakeCounts,
        cursor: dict[str, Any] | None,
        *,
        is_accepted: bool = False,
    ) -> None:
        """The batch row and the cursor."""
        channel = self._channel.name
        after = None if cursor is None else Jsonb(cursor)
        db.execute(
            "insert into raw.batch (batch_id, channel, run_key, started_at, read_count,"
            " landed_count, duplicate_count, quarantined_count, tombstone_count, cursor_after,"
            " is_accepted)"
            " overriding system value values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                *(batch_id, channel, self._run_key, started, counts.read, counts.landed),
                *(counts.duplicate, counts.quarantined, counts.tombstones, after),
                is_accepted,
            ),
        )
        self._batch_id = batch_id
        if after is not None:
            self._move(db, batch_id, after)

    def _move(self, db: psycopg.Cursor[Any], batch_id: int, cursor: Jsonb) -> None:
        db.execute(
            "insert into ops.channel_cursor (channel, cursor, batch_id) values (%s, %s, %s)"
            " on conflict (channel) do update set cursor = excluded.cursor,"
            " batch_id = excluded.batch_id, updated_at = clock_timestamp()",
            (self._channel.name, cursor, batch_id),
        )

    def _current(
        self, complete: Collection[str], file_keys: Collection[int | None]
    ) -> Iterable[list[tuple[int, str, int]]]:
        """Record, source id and listing (1, 2 ...) of what is there and not withdrawn.

        A row of a file is in the listing of the last one of these files that gave it, anything
        else in the one that its locator names.
        """
        with self._connection.cursor(name="current", binary=True) as db:
            db.execute(
                "with listing as (select * from unnest(%(parts)s::text[], %(keys)s::bigint[])"
                "   with ordinality as listing (beginning, file_key, number)),"
                " given as (select distinct on (f.source_key) f.source_key, listing.number"
                "   from ops.file_row as f left join listing using (file_key)"
                "   where f.channel = %(channel)s"
                "   order by f.source_key, listing.number is null, f.last_given_id desc)"
                " select latest.record_id, latest.source_id, coalesce(given.number, part.number)"
                " from (select distinct on (source_key, source_id) record_id, source_id,"
                "   source_key, coalesce(locator, '') as locator, is_tombstone from raw.record"
                "   where channel = %(channel)s"
                "   order by source_key, source_id, record_id desc) as latest"
                " left join given using (source_key)"
                " left join lateral (select number from listing where given.source_key is null"
                "   and starts_with(latest.locator, beginning) limit 1) as part on true"
                " where not is_tombstone and coalesce(given.number, part.number) is not null",
                {
                    "channel": self._channel.name,
                    "parts": list(complete),
                    "keys": list(file_keys),
                },
            )
            while rows := db.fetchmany(10_000):
                yield rows


# -- PostgreSQL's binary COPY format (documentation, "COPY", "Binary Format") -------------------

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_TWELVE = b"\0\x0c"
_NULL = b"\xff\xff\xff\xff"
_FALSE = b"\0\0\0\x01\0"
_SIXTEEN = b"\0\0\0\x10"
_LENGTH = Struct("!i")
_LONG = Struct("!iq")
_FIXED = Struct("!i16siq")
_NUMBER = Struct("!iqih")
_SEALED = Struct("!hiqi")
_JSONB = Struct("!ib")


def _value(content: bytes) -> bytes:
    return _LENGTH.pack(len(content)) + content


_STORED = (
    "from unnest(%s::text[]) as wanted (source_id) cross join lateral"
    " (select * from raw.record as stored"
    "   where stored.source_key = hashtextextended(wanted.source_id, 0)"
    "   and stored.source_id = wanted.source_id and stored.channel = %s offset 0) as r"
)
"""The stored versions of some source ids, each looked up in the index: the planner, who knows
nothing of a table that was just filled, would read all of it (`offset 0` keeps him from that)."""
_SAID = (
    "left join lateral (select * from ops.row_version as stored"
    "   where stored.record_id = r.record_id offset 0) as v on true"
)
"""What they say, where they are rows of files."""

# -- helpers --------------------------------------------------------------------------------------


_TYPES: dict[type, str] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    list: "array",
    dict: "object",
}


def _without_conflicts(versions: list[_Version]) -> list[_Version] | None:
    """The chunk without its repetitions; None where it holds two contents of one source id."""
    met: dict[str, bytes] = {}
    plain = []
    for version in versions:
        known = met.setdefault(version[0], version[1])
        if known is version[1]:
            plain.append(version)
        elif known != version[1]:
            return None
    return plain


def _give_all(
    rows: FileRows, batch_id: int, versions: list[_Version], plain: list[_Version]
) -> None:
    """Note what files gave in a chunk of which nothing was known before."""
    if not any(version[5] for version in versions):
        return
    first_id = batch_id << _PLACE_BITS
    record_ids = {version[0]: first_id + place for place, version in enumerate(plain)}
    for place, (source_id, content_hash, *_, row, _) in enumerate(versions):
        if row is not None:
            record_id = record_ids[source_id]
            rows.give(source_id, row, record_id, first_id + place)
            rows.add(row, record_id, content_hash)


def _known_types(connection: psycopg.Connection, channel: str) -> set[tuple[str, str]]:
    query = "select field, json_type from ops.field_type where channel = %s"
    return {(field, json_type) for field, json_type in connection.execute(query, (channel,))}


def _is_first(connection: psycopg.Connection, channel: str) -> bool:
    """Whether nothing of a channel was landed yet."""
    query = "select not exists (select from raw.batch where channel = %s and landed_count > 0)"
    row = connection.execute(query, (channel,)).fetchone()
    return row is not None and bool(row[0])


def _lock(db: psycopg.Cursor[Any], channel: str, *, is_lasting: bool = True) -> None:
    """One landing of a channel at a time; released with the transaction.

    Args:
        db: in the transaction.
        channel: the channel.
        is_lasting: whether the commit waits until it outlasts a power cut.
    """
    db.execute(
        "select pg_advisory_xact_lock(hashtext('lumbung.intake'), hashtext(%s)),"
        " case when not %s then set_config('synchronous_commit', 'off', true) end",
        (channel, is_lasting),
    )


def _next_batch(db: psycopg.Cursor[Any], *, is_dry: bool) -> int:
    """The next batch id, which no build overtakes.

    Ids are given before they are committed. The lock, shared by all landings and released with the
    transaction, lets a build wait until no smaller id than the last committed one can still appear
    (`lumbung.warehouse.build`). A dry run commits none, and would hold it for a whole pull.
    """
    if not is_dry:
        db.execute("select pg_advisory_xact_lock_shared(hashtext('lumbung.watermark'))")
    db.execute("select nextval(pg_get_serial_sequence('raw.batch', 'batch_id'))")
    row = db.fetchone()
    assert row is not None  # noqa: S101 - a sequence always answers
    return int(row[0])


def _refused(error: psycopg.Error, channel: str) -> LandingError:
    """The error without the row it is about: logs are read by more people than the vault."""
    is_resource = (error.sqlstate or "08")[:2] in ("08", "53", "57", "58")
    told = (error.diag.message_primary or str(error)).strip() if is_resource else ""
    return LandingError(
        f"the database refused a chunk: {type(error).__name__} {told}".rstrip(),
        where=f"channel {channel}",
        cure="correct the cause and pull again; nothing of the chunk was kept",
    )


def _as_kept(content: Any) -> bytes:
    """What could not be read, as it lies in quarantine."""
    return json.dumps(content, sort_keys=True, default=repr).encode()


def _is_usable(source_id: str) -> bool:
    return _is_storable(source_id) and len(source_id.encode()) <= _MAX_ID


def _is_storable(text: str) -> bool:
    return "\0" not in text and (text.isascii() or text == _storable(text))


def _storable(text: str) -> str:
    """Without NUL and lone surrogates, which PostgreSQL's text cannot hold."""
    if text.isascii() and "\0" not in text:
        return text
    return (
        text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, list):
        return [_mended(each) for each in value]
    if isinstance(value, dict):
        return {_storable(str(key)): _mended(each) for key, each in value.items()}
    return value


def _mend(public: dict[str, Any], private: dict[str, Any]) -> tuple[bytes, bytes]:
    """Payload and private part where the plain way is closed."""
    payload = _mended(public)
    changed = {label: value for label, value in public.items() if payload[label] != value}
    if changed:
        private = {**private, ORIGINAL: changed}
    return _ascii(payload), _ascii(private) if private else b""


def _ascii(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, allow_nan=False, separators=(",", ":")).encode()


def _refuse(item: Delivery) -> Unreadable:
    code, what = (
        ("too_large", "isinya terlalu besar atau terlalu dalam bersarang untuk disimpan")
        if _is_usable(item.source_id)
        else (
            "unusable_source_id",
            f"nomornya lebih panjang dari {_MAX_ID} bita atau memuat karakter yang tidak dapat"
            " disimpan",
        )
    )
    return _as_unreadable(item, code, f"{what}; perbaiki di sumbernya dan kirim kembali")


def _refuse_time(item: Delivery) -> Unreadable:
    reason = "waktu terimanya belum tiba; periksa jam dan zona waktu sumbernya, atau keasliannya"
    return _as_unreadable(item, "implausible_date", reason)


def _as_unreadable(item: Delivery, code: str, reason: str) -> Unreadable:
    content = [item.source_id, item.fields]
    return Unreadable(
        code, reason, content, item.received_at, item.evidence, item.locator, item.source_id
    )
