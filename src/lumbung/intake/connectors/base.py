"""What connectors and landing exchange: sources, deliveries and checkpoints.

A connector is a generator `read(source: Source) -> Iterator[Item]`. It reads a source, holds at
most one page of it in memory, and writes only to the evidence store. `lumbung.intake.landing`
stores what the connector yields. A connector does not know Airflow.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from lumbung.intake.channel.types import Place, StrictModel
from lumbung.intake.connectors.shared import globs
from lumbung.intake.evidence import Evidence

if TYPE_CHECKING:
    from upath import UPath

    from lumbung.intake.channel.models import Channel
    from lumbung.intake.connectors.shared.proposal import Proposal


CLOCK_TOLERANCE = timedelta(hours=1)
"""How far a source's clock may be ahead of this machine's (as in `expectations/raw.yaml`)."""


class MessageKey(NamedTuple):
    """Identifies a message that has no id at its source and may be exported again after an edit.

    Attributes:
        slot: a keyed hash of what an edit does not change: the minute and the sender.
        text_id: the id that this version would have if it were a new message.
        source_id: the id of the message of which this is a version.
        is_edited: whether the message is marked as edited.
        place: its place among the messages of its slot, from 0.
        as_of: the time of the last message of its export: the later, the newer the export.
    """

    slot: bytes
    text_id: str
    source_id: str
    is_edited: bool
    place: int
    as_of: datetime


class Delivery(NamedTuple):
    """One report, row, message or submission.

    Attributes:
        source_id: the same for every version of one delivery.
        received_at: when the channel received it, according to the source; with a time zone.
        fields: label -> value (JSON-like), personal and undeclared ones included.
        evidence: sha256 of the file or page it came from.
        locator: its place in the file or page.
        is_repeat: it comes from bytes that an earlier pull landed completely, so an older version
            of a delivery is not a change back.
        file: the file that gave it, if several files may hold one row. The file that changed the
            row last decides then (`lumbung.intake.landing.file_rows`).
        is_outdated: the source gave a newer version before, so this one is a duplicate.
        key: identifies a message without an id; stored for later pulls.
        labels: the columns of the file, also those without a value; None: the labels of `fields`.
    """

    source_id: str
    received_at: datetime
    fields: dict[str, Any]
    evidence: bytes | None = None
    locator: str | None = None
    is_repeat: bool = False
    file: str | None = None
    is_outdated: bool = False
    key: MessageKey | None = None
    labels: tuple[str, ...] | None = None


FILTERED = "filtered"
"""Reason code of a row that the channel file leaves out: it is kept, and nobody has to act."""


class Unreadable(NamedTuple):
    """A delivery that cannot be landed; it is quarantined as a whole.

    Attributes:
        reason_code: `required_field_missing`, `key_repeated`, `unreadable_date`,
            `header_not_found`, `unreadable_file`, `unsafe_archive`, `not_a_chat`, `too_large`,
            `unusable_source_id`, `bad_signature`, `unreadable_message`, `not_a_form`, `encrypted`,
            `blurred_time`, `implausible_date`, `doubtful_message`, `stray_cells`, `cut_off`,
            `broken_row`, `filtered`.
        reason: what is wrong and what its owner should do, in Indonesian. It is published, so it
            holds no value and no file name.
        content: the delivery as given (JSON-like).
        received_at, evidence, locator: as for `Delivery`.
        source_id: its id, if it has one: a record with this id is not withdrawn.
        is_part: it stands for a whole file or sheet, whose deliveries are unknown.
    """

    reason_code: str
    reason: str
    content: Any
    received_at: datetime
    evidence: bytes | None = None
    locator: str | None = None
    source_id: str | None = None
    is_part: bool = False


class FileReading(NamedTuple):
    """The bytes of a file in which a listing was read.

    Attributes:
        sha256: of the bytes.
        may_be_cut: one of these bytes and those of the reading before begins with the other, so
            one of the two files may have been cut off, or read while somebody wrote it.
    """

    sha256: bytes
    may_be_cut: bool


class Checkpoint(NamedTuple):
    """A point in the stream at which everything yielded before can be committed with a cursor.

    Attributes:
        cursor: where the next pull begins.
        complete: the beginning of the locators of a listing that was read in full: a file, or `""`
            for the whole channel, whose cursor moves together with its withdrawals. Records that
            the listing no longer holds are withdrawn, unless the listing holds an unreadable
            delivery without a source id. None: no listing was read in full.
        withdrawn: source ids of records of which the source itself says that they were withdrawn.
        reading: the file in which `complete` was read. It may have been read while somebody wrote
            it, so a later reading must confirm withdrawals (`Withdrawals.withdraw_missing`).
        unsettled: how many files were left for the next pull, because somebody is still writing
            them. Nothing is withdrawn then: a missing record may be in one of these files.
    """

    cursor: dict[str, Any]
    complete: str | None = None
    withdrawn: tuple[str, ...] = ()
    reading: FileReading | None = None
    unsettled: int = 0


Item = Delivery | Unreadable | Checkpoint


class SeenIds:
    """A set of millions of texts that keeps only a hash of 8 bytes of each.

    A text takes 12 to 24 bytes of memory. Of five million texts, two have the same hash with a
    probability of one in a million.
    """

    def __init__(self, *texts: str) -> None:
        self._slots = array("q", bytes(8 << 10))
        self._mask = len(self._slots) - 1
        self._count = 0
        self.update(texts)

    def __len__(self) -> int:
        return self._count

    def __contains__(self, text: str) -> bool:
        key = hash(text) or 1
        return self._slots[self._place(key)] == key

    def add(self, text: str) -> bool:
        """Add a text; returns whether it is new."""
        return not self.update((text,))

    def update(self, texts: Collection[str]) -> list[int]:
        """Add texts; returns the places of those that were there before, or earlier in `texts`."""
        while (self._count + len(texts)) * 3 > self._mask * 2:
            self._grow()
        slots, mask = self._slots, self._mask
        known = []
        for at, text in enumerate(texts):
            key = hash(text) or 1
            place = key & mask
            while found := slots[place]:
                if found == key:
                    known.append(at)
                    break
                place = (place + 1) & mask
            else:
                slots[place] = key
        self._count += len(texts) - len(known)
        return known

    def missing(self, texts: Collection[str]) -> list[int]:
        """The places of the texts that are not in the set."""
        slots, mask = self._slots, self._mask
        absent = []
        for at, text in enumerate(texts):
            key = hash(text) or 1
            place = key & mask
            while (found := slots[place]) != key:
                if not found:
                    absent.append(at)
                    break
                place = (place + 1) & mask
        return absent

    def _place(self, key: int) -> int:
        """The slot of a hash, or the free slot where it belongs."""
        slots, mask = self._slots, self._mask
        place = key & mask
        while slots[place] not in (0, key):
            place = (place + 1) & mask
        return place

    def _grow(self) -> None:
        before = self._slots
        self._slots = array("q", bytes(16 * len(before)))
        self._mask = len(self._slots) - 1
        for key in before:
            if key:
                self._slots[self._place(key)] = key


@dataclass(frozen=True)
class SourceConnection:
    """Address and credential of a source, made from an Airflow Connection.

    Attributes:
        host: a host name, or a whole address (`https://kobo.example.org`).
        port: TCP port, if not the scheme's.
        schema: `http` or `https` (default) where the host has no scheme; a database's name.
        login: user name.
        password: password, or the token of an API.
        extra: whatever else the Connection holds.
        conn_type: Airflow's name of the kind of server, e.g. `postgres`.
    """

    host: str
    port: int | None = None
    schema: str | None = None
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)
    conn_type: str | None = None

    @property
    def base_url(self) -> str:
        """The address without a slash at its end."""
        address = self.host if "://" in self.host else f"{self.schema or 'https'}://{self.host}"
        return address.rstrip("/") + (f":{self.port}" if self.port else "")

    @property
    def place(self) -> str:
        """Where the source is, without account and password, in one spelling."""
        store = str(self.extra.get("endpoint_url", ""))
        try:
            parts = urlsplit(self.base_url)
            port = "" if parts.port in (None, _PORTS.get(parts.scheme)) else f":{parts.port}"
        except ValueError:  # no address; the connector says so
            return self.base_url
        return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path} {store}".rstrip()


_PORTS = {"http": 80, "https": 443, "sftp": 22}


def _accepts_nothing(content: Any) -> bool:
    return False


def _no_keys(slots: Collection[bytes]) -> Sequence[MessageKey]:
    return ()


@dataclass(frozen=True)
class Source:
    """What a connector is given.

    Attributes:
        channel: the channel.
        folder: where its files are, for kinds that read files.
        connection: address and credential, for kinds that call a server.
        evidence: the store for what is delivered.
        digest: a keyed hash (16 bytes), for source ids made of personal text.
        cursor: the cursor of the last `Checkpoint`, or an empty dict.
        dry_run: the connector may write only to `evidence`, which is then a temporary store.
        seen_ids: the source ids of this pull. A connector adds those that it must distinguish
            itself; the caller adds the ids of all items.
        message_keys: the keys of messages of earlier pulls, in their order: those of the given
            slots, and those of every slot that holds an edited message.
        stored_id: gives the id under which a delivery is stored: `seen_ids` of what is no item.
        accepts: whether a person accepted a doubtful delivery with this content, so that the
            connector yields it instead of quarantining it.
        settle_seconds: how long a file must be unchanged before it is read.
    """

    channel: Channel
    folder: UPath
    connection: SourceConnection | None
    evidence: Evidence
    digest: Callable[[bytes], bytes]
    cursor: Mapping[str, Any]
    dry_run: bool = False
    seen_ids: SeenIds = field(default_factory=SeenIds)
    message_keys: Callable[[Collection[bytes]], Sequence[MessageKey]] = _no_keys
    stored_id: Callable[[str], str] = str
    accepts: Callable[[Any], bool] = _accepts_nothing
    settle_seconds: float = 0


PLACE_LABELS = frozenset(
    {"no", "no.", "no urut", "no. urut", "nomor urut", "urut", "urutan", "nr", "nr.", "#"}
)
"""Labels (normalised) of a row's position, which changes when a row above is added or removed."""


class SourceConfig(StrictModel):
    """The options of a kind of source, under `source:` in a channel file."""

    kind: str

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels that the options name: they cause no drift notice, and are kept in the vault."""
        return ()

    def contradictions(self, key: Collection[str]) -> Iterator[tuple[Place, str]]:
        """Options that contradict each other: the place below `source`, and what to correct.

        Args:
            key: the channel's key.
        """
        yield from ()

    def place(self, connection: SourceConnection) -> str:
        """Where a channel with these options reads: equal for two that read from one place."""
        return connection.place

    def overlaps(self, other: SourceConfig) -> bool:
        """Whether a channel with other options, in the same place, may read the same deliveries.

        Two channels do if each of them says so. A kind that reads files: the same names.
        """
        files = [getattr(each, "files", None) for each in (self, other)]
        return None not in files and globs.overlap(*map(str, files))

    def contradictions_among(
        self, channels: Mapping[str, Channel], mistaken: Collection[str]
    ) -> Iterator[tuple[Place, str]]:
        """As `contradictions`, for options that name another channel.

        Args:
            channels: the channels whose files are valid, by name.
            mistaken: the channels whose files are not.
        """
        yield from ()


@dataclass(frozen=True)
class Kind:
    """A kind of source: the package `lumbung.intake.connectors.<name>`.

    Channel files are read whenever Airflow parses a DAG, so `reader.py` and `scaffold.py` of the
    package are imported only when they are used.

    Attributes:
        name: the name in channel files and of the package.
        config: the model of its options.
        connection: what a connection must hold; None if the kind needs no connection.
        connection_with: the option that makes a connection necessary; None: it always is.
        has_receipt_time: whether each delivery says when the channel received it. If not,
            `received_at` is the time of the file or of the pull, and decides no day.
        has_key: whether source ids are made of the channel's `key`; if not, the source has ids.
        system_labels: labels that the source's software adds: they go to the vault without a
            drift notice.
        message_labels: personal labels of a message, for kinds whose deliveries are messages, and
            whose text may follow a template.
        has_editable_times: whether people can type the times of deliveries, as in an exported chat.
    """

    name: str
    config: type[SourceConfig]
    connection: str | None = None
    connection_with: str | None = None
    has_receipt_time: bool = True
    has_key: bool = False
    system_labels: frozenset[str] = frozenset()
    message_labels: tuple[str, ...] = ()
    has_editable_times: bool = False

    def needed_of_connection(self, options: SourceConfig) -> str | None:
        """What a connection must hold for a channel with these options; None if it needs none."""
        if self.connection_with and getattr(options, self.connection_with) is None:
            return None
        return self.connection

    @property
    def read(self) -> Callable[[Source], Iterator[Item]]:
        """The connector."""
        found: Callable[[Source], Iterator[Item]] = self._module("reader").read
        return found

    @property
    def propose(self) -> Callable[[str, bytes], Proposal]:
        """Proposes parts of a channel file from a sample (its file or address, and its content)."""
        found: Callable[[str, bytes], Proposal] = self._module("scaffold").propose
        return found

    def _module(self, name: str) -> Any:
        return import_module(f"{__package__}.{self.name}.{name}")
