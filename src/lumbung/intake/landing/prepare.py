"""Preparing a chunk: deliveries are split, hashed, encrypted and serialised.

Nothing here needs the database, so a pull prepares the next chunk while the server writes the last
one. `write` and `quarantine` store what is prepared here.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from struct import Struct
from typing import Any, NamedTuple

import orjson

from lumbung.intake import pgcopy
from lumbung.intake.channel.models import Channel
from lumbung.intake.connectors.base import (
    CLOCK_TOLERANCE,
    FILTERED,
    Delivery,
    MessageKey,
    Unreadable,
)
from lumbung.intake.features import FIELDS, Features, TextFeatures
from lumbung.intake.landing.file_rows import FileKeys, FileRow, Headers
from lumbung.intake.landing.hashes import ChannelHasher
from lumbung.intake.landing.pseudonyms import LOCATOR, SOURCE_ID, Pseudonyms
from lumbung.intake.landing.rows_without_id import ComparableCells, RowWithoutId
from lumbung.intake.landing.split import Split, Splits
from lumbung.intake.landing.storable import (
    MAX_ID_BYTES,
    ascii_json,
    is_usable_id,
    storable,
    storable_json,
)
from lumbung.intake.vault import DataKey, Vault, associate, is_cut

ORIGINAL = "lumbung:original"
"""Key in the private part under which fields are kept whose text had to be changed (`storable`)."""

LOCATOR_FOLLOWS = b"\0"
"""Between the content of an unreadable delivery, which is ASCII, and its locator."""

_MAX_PAYLOAD = 64 << 20  # jsonb refuses strings of 256 MB; a report is a few kilobytes
_SORTED = orjson.OPT_SORT_KEYS
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # of timestamptz
_MICROSECOND = timedelta(microseconds=1)
_MAX_LABELS = 10_000
_SAMPLED = 100
"""The types of fields are looked at in so many first deliveries of a chunk, then in every so many
deliveries."""

_HASH_AND_TIME = Struct("!i16siq")
_LENGTH = Struct("!i")
_JSONB = Struct("!ib")
_TOKEN_LENGTH = b"\0\0\0\x10"

_JSON_TYPES: dict[type, str] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    list: "array",
    dict: "object",
}


class PreparedVersion(NamedTuple):
    """A delivery, ready to be written.

    Attributes:
        source_id: of the delivery.
        content_hash: see `ChannelHasher.version`.
        columns: the columns of `raw.record` that do not depend on the batch, in binary COPY format.
        private: the private part, encrypted; empty if there is none.
        is_repeat: see `Delivery.is_repeat`.
        file_row: the row of the file that held the delivery.
        features: of its narrative.
        evidence: sha256 of the file or page that it came from.
    """

    source_id: str
    content_hash: bytes
    columns: bytes
    private: bytes
    is_repeat: bool
    file_row: FileRow | None
    features: Features | None
    evidence: bytes | None


class SealedUnreadable(NamedTuple):
    """A delivery that cannot be landed, ready to be quarantined.

    Attributes:
        item: the delivery without its content.
        content_hash: of the content.
        ciphertext: the content, encrypted.
    """

    item: Unreadable
    content_hash: bytes
    ciphertext: bytes


@dataclass
class PreparedChunk:
    """Deliveries that are ready to be written in one transaction, in the order of the source.

    Attributes:
        started: when the chunk was begun.
        latest: the latest plausible time of receipt (`CLOCK_TOLERANCE` after `started`).
        data_key: encrypts what is private in it.
        versions, unreadable: what is to be written.
        new_labels: labels that the channel file does not declare, each after its pseudonym, which
            equals a label that names nobody.
        new_types: (field, JSON type) of declared fields that never had this type before.
        outdated_ids: source ids of deliveries that are older than the stored version.
        outdated_evidence: (evidence, source id) of these deliveries.
        message_keys: keys of messages that their source gives no id.
        rows_without_id: rows that were quarantined because they have no id.
        count: deliveries in the chunk.
        size: bytes of content in the chunk.
    """

    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    latest: datetime = field(init=False)
    data_key: DataKey = field(default_factory=DataKey.new)
    versions: list[PreparedVersion] = field(default_factory=list)
    unreadable: list[SealedUnreadable] = field(default_factory=list)
    new_labels: set[tuple[str, str]] = field(default_factory=set)
    new_types: set[tuple[str, str]] = field(default_factory=set)
    outdated_ids: list[str] = field(default_factory=list)
    outdated_evidence: list[tuple[bytes, str]] = field(default_factory=list)
    message_keys: list[MessageKey] = field(default_factory=list)
    rows_without_id: list[RowWithoutId] = field(default_factory=list)
    count: int = 0
    size: int = 0

    def __post_init__(self) -> None:
        self.latest = self.started + CLOCK_TOLERANCE

    def source_ids(self) -> list[str]:
        """All source ids of the chunk, those of unreadable and outdated deliveries included."""
        claimed = [
            each.item.source_id for each in self.unreadable if each.item.source_id is not None
        ]
        return [version.source_id for version in self.versions] + claimed + self.outdated_ids


class Preparer:
    """Prepares the chunks of one pull of a channel.

    Args:
        channel: the channel.
        vault: encrypts and hashes.
        known_types: (field, JSON type) that were met before; the caller adds to it.
        has_keyed_ids: whether source ids that may name somebody are replaced.

    Attributes:
        features: derives the features of narratives; None if the channel maps no narrative.
        hasher: hashes the channel's content.
        file_keys: the keys of the channel's files.
        pseudonyms: replace what may name a person.
        split_id: identifies which labels are public and which are private.
        seen_labels: public labels that at least one delivery of this pull had.
        unreadable_hashes: content hashes of all deliveries that this pull could not read.
    """

    def __init__(
        self,
        channel: Channel,
        vault: Vault,
        known_types: Collection[tuple[str, str]],
        *,
        has_keyed_ids: bool,
    ) -> None:
        self._channel = channel.name
        self._associated = associate(channel.name, "")
        self._subject = channel.subject
        self._vault = vault
        self._known_types = known_types
        self._splits = Splits(channel)
        self.pseudonyms = Pseudonyms(channel, vault)
        self._has_keyed_ids = has_keyed_ids
        self._comparable = ComparableCells(channel, self.pseudonyms.of_payload)
        self.features = (
            TextFeatures(channel, vault.feature_key) if FIELDS[0] in channel.fields else None
        )
        self.hasher = ChannelHasher(vault, channel.name)
        self.file_keys = FileKeys(self.hasher.short)
        self._headers = Headers(channel, self.hasher.short)
        self.split_id = self.hasher.short(
            b"split\n" + orjson.dumps([channel.public, channel.private], None, _SORTED)
        )
        self.seen_labels = self._splits.seen
        self.unreadable_hashes: set[bytes] = set()

    def stored_id(self, source_id: str) -> str:
        """The id under which a delivery is stored."""
        return self.pseudonyms.of_id(source_id) if self._has_keyed_ids else source_id

    def prepare(self, items: Iterable[Delivery | Unreadable]) -> PreparedChunk:
        """Prepare one chunk.

        Args:
            items: in the order of the source.
        """
        chunk = PreparedChunk()
        for item in items:
            self.add(chunk, item)
        return chunk

    def add(self, chunk: PreparedChunk, item: Delivery | Unreadable) -> None:
        """Prepare one delivery and append it to a chunk.

        Calling this while the source is read is faster than preparing a whole chunk at once: the
        parsed delivery is still in the processor's cache.
        """
        if isinstance(item, Unreadable):
            self._seal(chunk, item)
            return
        (
            given_id,
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
        source_id = self.stored_id(given_id)
        if key is not None:
            chunk.message_keys.append(key)
        if is_outdated:
            chunk.outdated_ids.append(source_id)
            if evidence is not None:
                chunk.outdated_evidence.append((evidence, source_id))
            chunk.count += 1
            return
        splits = self._splits
        split = splits[tuple(fields)]
        if splits.new_labels:
            chunk.new_labels |= {
                (self.pseudonyms.of_label(label), label) for label in splits.new_labels
            }
            splits.new_labels = set()
        private = fields.copy()
        take = private.pop
        public = {spelling: take(label) for label, spelling in split.public}
        for label, spelling in split.renamed:
            private[spelling] = take(label)
        payload, hidden = _serialised(public, private)
        if not 0 < len(payload) <= _MAX_PAYLOAD or not is_usable_id(given_id):
            self._seal(chunk, _too_large_or_unusable_id(item))
            return
        if received_at > chunk.latest:
            self._seal(chunk, _from_the_future(item))
            return
        token = pgcopy.NULL
        for label in self._subject:
            if (identity := private.get(label)) and not is_cut(identity):
                token = _TOKEN_LENGTH + self._vault.subject_token(storable(str(identity)))
                break
        identifier = source_id.encode()
        content_hash = self.hasher.version(given_id.encode(), payload, hidden)
        features = self.features.of_payload(public) if self.features else None
        if replaced := self.pseudonyms.of_payload(public):
            payload, hidden = _replaced(payload, hidden, public, replaced)
        if locator is not None:
            place = self.pseudonyms.of_locator(locator)
            if place != locator:
                hidden = _with(hidden, _member_key(LOCATOR) + _json(locator))
            locator = place
        if source_id != given_id:
            hidden = _with(hidden, _member_key(SOURCE_ID) + _json(given_id))
        columns = (
            _HASH_AND_TIME.pack(16, content_hash, 8, (received_at - _EPOCH) // _MICROSECOND),
            token,
            pgcopy.NULL if evidence is None else pgcopy.column(evidence),
            pgcopy.NULL if locator is None else pgcopy.column(storable(locator).encode()),
            _LENGTH.pack(len(identifier)),
            identifier,
            _JSONB.pack(len(payload) + 1, 1),
            payload,
        )
        size = len(payload) + len(hidden)
        if hidden:
            hidden = chunk.data_key.seal(hidden, self._associated + identifier)
        if chunk.count < _SAMPLED or not chunk.count % _SAMPLED:
            self._note_types(chunk, fields, split)
        file_row = None
        if file is not None:
            header = self._headers[tuple(fields) if labels is None else labels]
            file_row = FileRow(
                self.file_keys[file], received_at, source_id, header, fields, self.hasher.short
            )
        chunk.versions.append(
            PreparedVersion(
                *(source_id, content_hash, b"".join(columns), hidden, is_repeat, file_row),
                *(features, evidence),
            )
        )
        chunk.count += 1
        chunk.size += size

    def _seal(self, chunk: PreparedChunk, item: Unreadable) -> None:
        """Encrypt a delivery that cannot be landed and append it to a chunk."""
        try:
            content = serialised_unreadable(item.content)
        except (RecursionError, ValueError):  # nested too deeply; the evidence store has the bytes
            content = repr((item.source_id, item.locator, item.evidence)).encode()
        content_hash = self._vault.content_hash(content)
        associated = associate(self._channel, content_hash.hex())
        locator = None
        if item.locator is not None:
            locator = self.pseudonyms.of_locator(item.locator)
            content += LOCATOR_FOLLOWS + item.locator.encode(errors="surrogatepass")
        ciphertext = chunk.data_key.seal(content, associated)
        self.unreadable_hashes.add(content_hash)
        if item.source_id is None and item.reason_code != FILTERED:
            is_row = isinstance(item.content, dict) and not item.is_part
            cells = self._comparable.of_row(item.content) if is_row else None
            file = (item.locator or "").partition(" | ")[0]
            chunk.rows_without_id.append(RowWithoutId(file, cells))
        received_at = min(item.received_at, chunk.started)
        without_content = item._replace(
            content=None,
            received_at=received_at,
            locator=locator,
            source_id=None if item.source_id is None else self.stored_id(item.source_id),
        )
        chunk.unreadable.append(SealedUnreadable(without_content, content_hash, ciphertext))
        chunk.count += 1
        chunk.size += len(content)

    def _note_types(self, chunk: PreparedChunk, fields: dict[str, Any], split: Split) -> None:
        """Note the JSON types of declared fields that never had this type before."""
        for label, spelling in split.public:
            json_type = _JSON_TYPES.get(type(fields[label]))
            if json_type is not None and (spelling, json_type) not in self._known_types:
                chunk.new_types.add((spelling, json_type))


def serialised_unreadable(content: Any) -> bytes:
    """The content of an unreadable delivery, as it is hashed and encrypted.

    Raises:
        RecursionError, ValueError: when it is nested too deeply.
    """
    return json.dumps(content, sort_keys=True, default=repr).encode()


def _replaced(
    payload: bytes, hidden: bytes, public: dict[str, Any], replaced: dict[str, Any]
) -> tuple[bytes, bytes]:
    """Payload and private part after values were replaced by pseudonyms.

    A member of a flat object stands in its bytes once, so the bytes are exchanged: that is faster
    than to serialise the whole again.
    """
    is_flat = payload.find(b"{", 1) < 0 and b"[" not in payload
    for label, stored in replaced.items():
        key = _member_key(label)
        member = key + _json(public[label])
        hidden = _with(hidden, member)
        if is_flat := is_flat and member in payload:
            payload = payload.replace(member, key + _json(stored), 1)
    if not is_flat:
        payload, _ = _serialised({**public, **replaced}, {})
    return payload, hidden


def _with(hidden: bytes, member: bytes) -> bytes:
    """A private part as JSON with one more member."""
    return b"%b,%b}" % (hidden[:-1], member) if hidden else b"{%b}" % member


@lru_cache(_MAX_LABELS)
def _member_key(label: str) -> bytes:
    return _json(label) + b":"


def _json(value: Any) -> bytes:
    """A value as JSON."""
    try:
        return orjson.dumps(value)
    except TypeError:  # as in `_serialised`
        return ascii_json(value)


def _serialised(public: dict[str, Any], private: dict[str, Any]) -> tuple[bytes, bytes]:
    """Payload and private part as JSON; an empty payload means that there is no such JSON."""
    try:
        payload = orjson.dumps(public, None, _SORTED)
        hidden = orjson.dumps(private, None, _SORTED) if private else b""
        return _made_storable(public, private) if b"\\u0000" in payload else (payload, hidden)
    except TypeError:  # orjson refuses lone surrogates and integers of more than 64 bits
        try:
            return _made_storable(public, private)
        except (TypeError, ValueError, RecursionError):
            return b"", b""


def _made_storable(public: dict[str, Any], private: dict[str, Any]) -> tuple[bytes, bytes]:
    """Payload and private part as JSON, with text that PostgreSQL cannot hold replaced."""
    payload = storable_json(public)
    changed = {label: value for label, value in public.items() if payload[label] != value}
    if changed:
        private = {**private, ORIGINAL: changed}
    return ascii_json(payload), ascii_json(private) if private else b""


def _too_large_or_unusable_id(item: Delivery) -> Unreadable:
    code, what = (
        ("too_large", "isinya terlalu besar atau terlalu dalam bersarang untuk disimpan")
        if is_usable_id(item.source_id)
        else (
            "unusable_source_id",
            f"nomornya lebih panjang dari {MAX_ID_BYTES} bita atau memuat karakter yang tidak dapat"
            " disimpan",
        )
    )
    return _unreadable(item, code, f"{what}; perbaiki di sumbernya dan kirim kembali")


def _from_the_future(item: Delivery) -> Unreadable:
    reason = "waktu terimanya belum tiba; periksa jam dan zona waktu sumbernya, atau keasliannya"
    return _unreadable(item, "implausible_date", reason)


def _unreadable(item: Delivery, code: str, reason: str) -> Unreadable:
    content = [item.source_id, item.fields]
    return Unreadable(
        code, reason, content, item.received_at, item.evidence, item.locator, item.source_id
    )
