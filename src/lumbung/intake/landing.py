"""Landing: deliveries become rows, exactly once.

A chunk is one transaction: records, vault, quarantine, batch and cursor are committed together or
not at all, so a crash anywhere leaves the state before the chunk and the next pull repeats it.

Versions: what equals the latest version of its source id is a duplicate; another content is a new
version, also when it returns after something else (A, B, A: `recurrence`). The hash covers what is
stored, the public and the private part apart: a field that is declared later, or becomes personal,
makes new versions at the next pull, which is how it moves out of the vault or into it.

The common case has no conflict: a chunk is copied straight into the tables. Only when one of a few
probed source ids is known, or the copy meets a unique violation, are the stored versions looked up.

Text that PostgreSQL's jsonb cannot hold (NUL characters, lone surrogates) is replaced by U+FFFD in
the payload; the untouched field is kept in the vault under `lumbung:original`.
"""

from __future__ import annotations

import json
import os
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from struct import Struct
from typing import Any, NamedTuple

import orjson
import psycopg
from psycopg.types.json import Jsonb

from lumbung.errors import ConfigurationError, LandingError, SourceError
from lumbung.intake.connectors import SYSTEM_LABELS, Delivery, Unreadable
from lumbung.intake.contract import Channel, normalise
from lumbung.intake.vault import NONCE_BYTES, Vault, associate

CHUNK = 5_000
"""Deliveries per transaction: enough to amortise it, few enough to hold in memory."""

ORIGINAL = "lumbung:original"
"""Key in the vault under which fields lie whose text had to be changed to be stored."""

_MAX_PAYLOAD = 64 << 20  # jsonb refuses strings of 256 MB; a report is a few kilobytes
_PROBES = 8
_PIECE = 500  # rows handed to libpq at once
_MAX_LABELS = 10_000
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_TOMBSTONE = b"tombstone"


@dataclass(frozen=True)
class IntakeCounts:
    """What became of what was read: `read == landed + duplicate + quarantined`."""

    read: int = 0
    landed: int = 0
    duplicate: int = 0
    quarantined: int = 0
    tombstones: int = 0

    def __add__(self, other: IntakeCounts) -> IntakeCounts:
        return IntakeCounts(
            self.read + other.read,
            self.landed + other.landed,
            self.duplicate + other.duplicate,
            self.quarantined + other.quarantined,
            self.tombstones + other.tombstones,
        )


class _Version(NamedTuple):
    """A delivery, split, serialised and hashed."""

    source_id: str
    content_hash: bytes
    received: int  # microseconds since 2000-01-01 UTC
    token: bytes | None
    evidence: bytes | None
    locator: bytes | None
    payload: bytes
    private: bytes
    is_repeat: bool


class _Routes(dict[str, str | None]):
    """Label as met -> the channel file's spelling if it is public, else None."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._public = channel.public
        self._private = channel.private
        self._system = SYSTEM_LABELS.get(channel.kind, frozenset())
        self.names: dict[str, str] = {}
        self.appeared: set[str] = set()

    def __missing__(self, label: str) -> str | None:
        plain = normalise(label)
        spelling = self._public.get(plain)
        if spelling is None and plain in self._private:
            self.names[label] = self._private[plain]
        elif spelling is None and label not in self._system and len(self.appeared) < _MAX_LABELS:
            self.appeared.add(_storable(label))
        if len(self) < _MAX_LABELS:
            self[label] = spelling
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
        self._channel = channel
        self._vault = vault
        self._run_key = run_key
        self._routes = _Routes(channel)
        _hold_to_one_key(connection, vault)

    def land(
        self, items: Sequence[Delivery | Unreadable], cursor: dict[str, Any] | None = None
    ) -> IntakeCounts:
        """Land one chunk in one transaction.

        Args:
            items: in the order of the source.
            cursor: where the next pull begins once this chunk is there; None: not moved.

        Raises:
            LandingError: when the database refuses it: nothing of the chunk was kept.
        """
        started = datetime.now(UTC)
        versions, unreadable = self._prepare(items)
        try:
            with self._connection.transaction(), self._connection.cursor(binary=True) as db:
                _lock(db, self._channel.name)
                batch_id = _next_batch(db)
                landed = self._land_versions(db, batch_id, versions)
                quarantined = self._quarantine(db, batch_id, unreadable)
                counts = IntakeCounts(
                    len(items), landed, len(items) - landed - quarantined, quarantined
                )
                self._close(db, batch_id, started, counts, cursor)
        except psycopg.Error as error:
            raise _refused(error, self._channel.name) from None
        self._routes.appeared.clear()
        return counts

    def withdraw(self, complete: Collection[str], seen: array[int]) -> IntakeCounts:
        """Write tombstones for what complete listings no longer have, in one transaction.

        Args:
            complete: beginnings of locators (see `Mark.complete`).
            seen: `hash()` of every source id that this pull met, in any order.

        Raises:
            SourceError: when a listing shrank to nothing or below half of what it had: that is
                rather a broken source than as many withdrawals, so there are none.
            LandingError: when the database refuses it.
        """
        started = datetime.now(UTC)
        present = array("q", sorted(seen))
        alive = dict.fromkeys(complete, 0)
        vanished: dict[str, list[str]] = {part: [] for part in complete}
        try:
            with self._connection.transaction(), self._connection.cursor(binary=True) as db:
                _lock(db, self._channel.name)
                for source_id, locator in self._current(complete):
                    part = next(p for p in complete if locator.startswith(p))
                    alive[part] += 1
                    key = hash(source_id)
                    place = bisect_left(present, key)
                    if place == len(present) or present[place] != key:
                        vanished[part].append(source_id)
                for part, gone in vanished.items():
                    if gone and (alive[part] - len(gone)) * 2 < alive[part]:
                        raise SourceError(
                            f"of {alive[part]} deliveries the source no longer has {len(gone)};"
                            " none was withdrawn",
                            where=f"channel {self._channel.name}, {part or 'all'}",
                            cure="look whether the file or form is whole, and have it sent anew",
                        )
                gone = [source_id for part in vanished.values() for source_id in part]
                return self._bury(db, gone, started)
        except psycopg.Error as error:
            raise _refused(error, self._channel.name) from None

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
                    "select source_id from (select distinct on (source_id) source_id, is_tombstone"
                    "   from raw.record where channel = %s and source_id = any(%s)"
                    "   order by source_id, record_id desc) as latest where not is_tombstone",
                    (self._channel.name, [each for each in source_ids if _is_storable(each)]),
                )
                return self._bury(db, [row[0] for row in db], started)
        except psycopg.Error as error:
            raise _refused(error, self._channel.name) from None

    def _bury(self, db: psycopg.Cursor[Any], gone: list[str], started: datetime) -> IntakeCounts:
        """Write tombstones for these source ids, which are there and not withdrawn."""
        if not gone:
            return IntakeCounts()
        batch_id = _next_batch(db)
        db.execute(
            "insert into raw.record (channel, source_id, content_hash, recurrence,"
            " batch_id, received_at, is_tombstone, payload)"
            " select %(channel)s, source_id, %(hash)s, coalesce((select max(r.recurrence)"
            "   from raw.record r where r.channel = %(channel)s"
            "   and r.source_id = gone.source_id and r.content_hash = %(hash)s), -1) + 1,"
            " %(batch)s, %(now)s, true, '{}'"
            " from unnest(%(gone)s::text[]) as gone (source_id)",
            {
                "channel": self._channel.name,
                "hash": self._vault.content_hash(_TOMBSTONE),
                "batch": batch_id,
                "now": started,
                "gone": gone,
            },
        )
        counts = IntakeCounts(tombstones=len(gone))
        self._close(db, batch_id, started, counts, None)
        return counts

    # -- preparing, without the database -----------------------------------------------------

    def _prepare(
        self, items: Iterable[Delivery | Unreadable]
    ) -> tuple[list[_Version], list[Unreadable]]:
        versions: list[_Version] = []
        unreadable: list[Unreadable] = []
        routes = self._routes
        names = routes.names
        subject = self._channel.subject
        vault = self._vault
        content_hash = vault.content_hash
        dumps = orjson.dumps
        sorted_keys = orjson.OPT_SORT_KEYS
        moment: datetime | None = None
        received = 0
        for item in items:
            if isinstance(item, Unreadable):
                unreadable.append(item)
                continue
            source_id, received_at, fields, evidence, locator, is_repeat = item
            public: dict[str, Any] = {}
            private: dict[str, Any] = {}
            for label, value in fields.items():
                spelling = routes[label]
                if spelling is not None:
                    public[spelling] = value
                else:
                    private[names.get(label, label)] = value
            try:
                payload = dumps(public, option=sorted_keys)
                hidden = dumps(private, option=sorted_keys) if private else b""
                if b"\\u0000" in payload:
                    payload, hidden = _mend(public, private)
            except TypeError:  # orjson: a lone surrogate, an integer beyond 64 bits
                try:
                    payload, hidden = _mend(public, private)
                except (TypeError, ValueError, RecursionError):
                    payload = b""
            if not 0 < len(payload) <= _MAX_PAYLOAD or not _is_storable(source_id):
                unreadable.append(_refuse(item))
                continue
            if received_at is not moment:
                moment = received_at
                delta = received_at - _EPOCH
                received = (delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds
            token = None
            for label in subject:
                if who := private.get(label):
                    token = vault.subject_token(_storable(str(who)))
                    break
            versions.append(
                _Version(
                    source_id,
                    content_hash(payload + b"\n" + hidden),
                    received,
                    token,
                    evidence,
                    None if locator is None else _storable(locator).encode(),
                    payload,
                    hidden,
                    is_repeat,
                )
            )
        return versions, unreadable

    # -- writing ------------------------------------------------------------------------------

    def _land_versions(
        self, db: psycopg.Cursor[Any], batch_id: int, versions: list[_Version]
    ) -> int:
        """Write what is new; returns how many."""
        latest: dict[str, bytes] = {}
        fresh: list[tuple[_Version, int]] = []
        is_plain = True
        for version in versions:
            known = latest.setdefault(version.source_id, version.content_hash)
            if known is not version.content_hash:  # this source id came before in the chunk
                if known == version.content_hash:
                    continue
                is_plain = False
                latest[version.source_id] = version.content_hash
            fresh.append((version, 0))
        if is_plain and not self._knows_one_of(db, versions):
            with suppress(psycopg.errors.UniqueViolation), self._connection.transaction():
                self._copy(db, batch_id, fresh)
                return len(fresh)
        fresh = self._resolve(db, versions)
        self._copy(db, batch_id, fresh)
        return len(fresh)

    def _knows_one_of(self, db: psycopg.Cursor[Any], versions: list[_Version]) -> bool:
        """Whether one of a few source ids, spread over the chunk, was landed before."""
        probes = [version.source_id for version in versions[:: len(versions) // _PROBES + 1]]
        db.execute(
            "select exists (select from raw.record where channel = %s and source_id = any(%s))",
            (self._channel.name, probes),
        )
        row = db.fetchone()
        return row is not None and bool(row[0])

    def _resolve(
        self, db: psycopg.Cursor[Any], versions: list[_Version]
    ) -> list[tuple[_Version, int]]:
        """What is new against the stored versions, each with its recurrence."""
        latest: dict[str, bytes] = {}
        recurrences: dict[tuple[str, bytes], int] = {}
        db.execute(
            "select source_id, content_hash, recurrence from raw.record"
            " where channel = %s and source_id = any(%s) order by record_id",
            (self._channel.name, list({version.source_id for version in versions})),
        )
        for source_id, content_hash, recurrence in db:
            latest[source_id] = content_hash
            recurrences[source_id, content_hash] = recurrence
        fresh: list[tuple[_Version, int]] = []
        for version in versions:
            source_id, content_hash = version[:2]
            if latest.get(source_id) == content_hash:
                continue
            before = recurrences.get((source_id, content_hash))
            if before is not None and version.is_repeat:
                continue
            recurrence = 0 if before is None else before + 1
            latest[source_id] = content_hash
            recurrences[source_id, content_hash] = recurrence
            fresh.append((version, recurrence))
        return fresh

    def _copy(
        self, db: psycopg.Cursor[Any], batch_id: int, fresh: list[tuple[_Version, int]]
    ) -> None:
        """COPY records and vault in PostgreSQL's binary format, built here in bulk."""
        if not fresh:
            return
        name = self._channel.name.encode()
        channel = _LENGTH.pack(len(name)) + name
        batch = _LONG.pack(8, batch_id)
        with db.copy(
            "copy raw.record (channel, source_id, content_hash, recurrence, batch_id, received_at,"
            " is_tombstone, subject_token, evidence_sha256, locator, payload)"
            " from stdin (format binary)"
        ) as copy:
            head = _SIGNATURE
            for start in range(0, len(fresh), _PIECE):
                rows = [head]
                for version, recurrence in fresh[start : start + _PIECE]:
                    source_id = version.source_id.encode()
                    token, evidence, locator = version.token, version.evidence, version.locator
                    rows += (
                        _ELEVEN + channel,
                        _LENGTH.pack(len(source_id)),
                        source_id,
                        _SIXTEEN,
                        version.content_hash,
                        _SHORT.pack(2, recurrence),
                        batch,
                        _LONG.pack(8, version.received),
                        _FALSE,
                        _NULL if token is None else _LENGTH.pack(len(token)) + token,
                        _NULL if evidence is None else _LENGTH.pack(len(evidence)) + evidence,
                        _NULL if locator is None else _LENGTH.pack(len(locator)) + locator,
                        _JSONB.pack(len(version.payload) + 1, 1),
                        version.payload,
                    )
                copy.write(b"".join(rows))
                head = b""
            copy.write(_TRAILER)
        hidden = [each for each in fresh if each[0].private]
        if not hidden:
            return
        nonces = os.urandom(NONCE_BYTES * len(hidden))
        with db.copy(
            "copy vault.identity (channel, source_id, content_hash, recurrence, batch_id,"
            " ciphertext) from stdin (format binary)"
        ) as copy:
            rows = [_SIGNATURE]
            for index, (version, recurrence) in enumerate(hidden):
                source_id = version.source_id.encode()
                sealed = self._vault.seal(
                    version.private,
                    name + b"\0" + source_id,
                    nonces[index * NONCE_BYTES : (index + 1) * NONCE_BYTES],
                )
                rows += (
                    _SIX + channel,
                    _LENGTH.pack(len(source_id)),
                    source_id,
                    _SIXTEEN,
                    version.content_hash,
                    _SHORT.pack(2, recurrence),
                    batch,
                    _LENGTH.pack(len(sealed)),
                    sealed,
                )
                if len(rows) > 9 * _PIECE:
                    copy.write(b"".join(rows))
                    rows = []
            copy.write(b"".join(rows) + _TRAILER)

    def _quarantine(
        self, db: psycopg.Cursor[Any], batch_id: int, unreadable: list[Unreadable]
    ) -> int:
        """Keep what could not be read; returns how many were not kept before."""
        count = 0
        for item in unreadable:
            try:
                content = json.dumps(item.content, sort_keys=True, default=repr).encode()
            except (RecursionError, ValueError):  # nested beyond measure: the evidence has it
                content = repr((item.source_id, item.locator, item.evidence)).encode()
            content_hash = self._vault.content_hash(content)
            db.execute(
                "insert into quarantine.record (channel, batch_id, content_hash, reason_code,"
                " reason, received_at, evidence_sha256, locator, ciphertext)"
                " values (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
                " on conflict (channel, content_hash) do nothing",
                (
                    self._channel.name,
                    batch_id,
                    content_hash,
                    item.reason_code,
                    _storable(item.reason),
                    item.received_at,
                    item.evidence,
                    None if item.locator is None else _storable(item.locator),
                    self._vault.seal(
                        content,
                        associate(self._channel.name, content_hash.hex()),
                        os.urandom(NONCE_BYTES),
                    ),
                ),
            )
            count += db.rowcount
        return count

    def _close(
        self,
        db: psycopg.Cursor[Any],
        batch_id: int,
        started: datetime,
        counts: IntakeCounts,
        cursor: dict[str, Any] | None,
    ) -> None:
        """The batch row, the drift notices and the cursor."""
        channel = self._channel.name
        after = None if cursor is None else Jsonb(cursor)
        db.execute(
            "insert into raw.batch (batch_id, channel, run_key, started_at, read_count,"
            " landed_count, duplicate_count, quarantined_count, tombstone_count, cursor_after)"
            " overriding system value values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                *(batch_id, channel, self._run_key, started, counts.read, counts.landed),
                *(counts.duplicate, counts.quarantined, counts.tombstones, after),
            ),
        )
        if self._routes.appeared:
            db.execute(
                "insert into ops.drift_notice (channel, field, notice, first_batch_id)"
                " select %s, field, 'appeared', %s from unnest(%s::text[]) as field"
                " on conflict do nothing",
                (channel, batch_id, sorted(self._routes.appeared)),
            )
        if after is not None:
            db.execute(
                "insert into ops.channel_cursor (channel, cursor, batch_id) values (%s, %s, %s)"
                " on conflict (channel) do update set cursor = excluded.cursor,"
                " batch_id = excluded.batch_id, updated_at = clock_timestamp()",
                (channel, after, batch_id),
            )

    def _current(self, complete: Collection[str]) -> Iterable[tuple[str, str]]:
        """Source id and locator of what is there and not withdrawn, of these listings."""
        with self._connection.cursor(name="current", binary=True) as db:
            db.itersize = 10_000
            db.execute(
                "select source_id, locator from (select distinct on (source_id) source_id,"
                "   coalesce(locator, '') as locator, is_tombstone from raw.record"
                "   where channel = %s order by source_id, record_id desc) as latest"
                " where not is_tombstone and exists"
                " (select from unnest(%s::text[]) as part where starts_with(locator, part))",
                (self._channel.name, list(complete)),
            )
            yield from db


# -- PostgreSQL's binary COPY format (documentation, "COPY", "Binary Format") -------------------

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_ELEVEN = b"\0\x0b"
_SIX = b"\0\x06"
_NULL = b"\xff\xff\xff\xff"
_FALSE = b"\0\0\0\x01\0"
_SIXTEEN = b"\0\0\0\x10"
_LENGTH = Struct("!i")
_SHORT = Struct("!ih")
_LONG = Struct("!iq")
_JSONB = Struct("!ib")


# -- helpers --------------------------------------------------------------------------------------


def _lock(db: psycopg.Cursor[Any], channel: str) -> None:
    """One landing of a channel at a time; released with the transaction."""
    db.execute("select pg_advisory_xact_lock(hashtext('lumbung.intake'), hashtext(%s))", (channel,))


def _next_batch(db: psycopg.Cursor[Any]) -> int:
    db.execute("select nextval(pg_get_serial_sequence('raw.batch', 'batch_id'))")
    row = db.fetchone()
    assert row is not None  # noqa: S101 - a sequence always answers
    return int(row[0])


def _hold_to_one_key(connection: psycopg.Connection, vault: Vault) -> None:
    with connection.transaction():
        connection.execute(
            "insert into vault.key (fingerprint) values (%s) on conflict do nothing",
            (vault.fingerprint,),
        )
        row = connection.execute("select fingerprint from vault.key").fetchone()
    if row is None or bytes(row[0]) != vault.fingerprint:
        raise ConfigurationError(
            "this warehouse was written with another vault key",
            where="LUMBUNG_VAULT_KEY or keys/vault.key",
            cure="restore that key: with another one nothing landed before would be recognised",
        )


def _refused(error: psycopg.Error, channel: str) -> LandingError:
    """The error without the row it is about: logs are read by more people than the vault."""
    is_resource = (error.sqlstate or "08")[:2] in ("08", "53", "57", "58")
    told = (error.diag.message_primary or str(error)).strip() if is_resource else ""
    return LandingError(
        f"the database refused a chunk: {type(error).__name__} {told}".rstrip(),
        where=f"channel {channel}",
        cure="correct the cause and pull again; nothing of the chunk was kept",
    )


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
        if _is_storable(item.source_id)
        else ("unusable_source_id", "nomornya memuat karakter yang tidak dapat disimpan")
    )
    return Unreadable(
        code,
        f"{what}; perbaiki di sumbernya dan kirim kembali",
        [item.source_id, item.fields],
        item.received_at,
        item.evidence,
        item.locator,
        item.source_id,
    )
