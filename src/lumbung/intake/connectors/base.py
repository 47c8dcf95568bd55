"""Connectors: each turns a source into a stream of deliveries, and knows nothing of Airflow.

A connector is a generator `read(source: Source) -> Iterator[Item]`. It holds no more than a page of
its source in memory and writes nothing but evidence; `landing` makes what it yields durable.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from lumbung.intake.channel.types import Place, StrictModel
from lumbung.intake.evidence import Evidence

if TYPE_CHECKING:
    from upath import UPath

    from lumbung.intake.channel.models import Channel
    from lumbung.intake.connectors.shared.proposal import Proposal


CLOCK_TOLERANCE = timedelta(hours=1)
"""How far ahead of this machine's clock a source's may be (as in `expectations/raw.yaml`)."""


class MessageKey(NamedTuple):
    """What a message is known by whose source gives it no id, and may give it again edited.

    Attributes:
        slot: a keyed hash of what an edit leaves as it is: the minute and the sender.
        text_id: the id that this version would have as a message of its own.
        source_id: the id of the message that it is a version of.
        is_edited: whether it carries the mark of an edit.
        place: its place among the messages of its slot (0 first).
        as_of: how new the export is that has it: the moment of its last message.
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
        source_id: what stays the same when the source gives it again, edited or not.
        received_at: when the channel received it, as the source tells; with a zone.
        fields: label -> value (JSON-like), personal and undeclared ones included.
        evidence: sha256 of the file or page it came from.
        locator: where in it.
        is_repeat: it comes from bytes that a former pull landed completely, so that an older
            version in it is no news.
        file: the file that gave it, where people keep several files that may hold one row: what
            counts then is which of them changed the row last (`Landing`).
        is_outdated: a newer version of it was given before: a duplicate, whatever it holds.
        key: what it is known by, if it must be remembered.
        labels: the columns of the file, also those in which it has no value; None: its fields.
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


class Unreadable(NamedTuple):
    """A delivery that cannot be landed, kept whole.

    Attributes:
        reason_code: `required_field_missing`, `key_repeated`, `unreadable_date`,
            `header_not_found`, `unreadable_file`, `unsafe_archive`, `not_a_chat`, `too_large`,
            `unusable_source_id`, `bad_signature`, `unreadable_message`, `not_a_form`, `encrypted`,
            `blurred_time`, `implausible_date`, `doubtful_message`, `stray_cells`, `cut_off`,
            `broken_row`.
        reason: what is wrong and what its owner should do, in Indonesian; it is published, so it
            holds no value and no file's name.
        content: the delivery as given (JSON-like).
        received_at, evidence, locator: as for `Delivery`.
        source_id: the id it claims, if it has one: an unreadable row has not vanished.
        is_part: it stands for a whole file or sheet, whose deliveries are not known.
    """

    reason_code: str
    reason: str
    content: Any
    received_at: datetime
    evidence: bytes | None = None
    locator: str | None = None
    source_id: str | None = None
    is_part: bool = False


class Reading(NamedTuple):
    """The bytes in which a listing was given.

    Attributes:
        sha256: of them.
        may_be_cut: they and those of the reading before are alike to the end of one of the two, as
            those of a file that is being written are.
    """

    sha256: bytes
    may_be_cut: bool


class Checkpoint(NamedTuple):
    """All that was yielded before it may be committed with this cursor.

    Attributes:
        cursor: where the next pull begins.
        complete: the beginning of the locators of a listing that was given in full (a file, or
            `""` for the whole channel): what it no longer has was withdrawn, unless something in
            it is unreadable and has no source id. None: nothing is. The cursor of a whole
            channel's moves when its withdrawals are there.
        withdrawn: source ids of which the source itself says that they were withdrawn.
        reading: `complete` was given in a file, which may have been read while somebody wrote it:
            what it no longer has is withdrawn when that is confirmed (`Landing.withdraw`).
        unsettled: how many files were left for the next pull, because somebody is still writing
            them. Nothing is withdrawn then: what is gone may be in one of them.
    """

    cursor: dict[str, Any]
    complete: str | None = None
    withdrawn: tuple[str, ...] = ()
    reading: Reading | None = None
    unsettled: int = 0


Item = Delivery | Unreadable | Checkpoint


class SeenIds:
    """Which texts were met: 8 bytes of hash each, in 12 to 24 bytes of memory, for millions of ids.

    That two of five million texts have one hash is as likely as 1 in a million.
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
        """Note a text; returns whether it is new."""
        return not self.update((text,))

    def update(self, texts: Collection[str]) -> list[int]:
        """Note texts; returns the places of those that were met before, also among themselves."""
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
        """The places of the texts that were not met."""
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
        """Where a hash lies, or would."""
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
    """Address and credential of a source; made from an Airflow Connection.

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


def _accepts_nothing(content: Any) -> bool:
    return False


def _nothing(slots: Collection[bytes]) -> Sequence[MessageKey]:
    return ()


@dataclass(frozen=True)
class Source:
    """What a connector is given.

    Attributes:
        channel: the channel.
        folder: where its files are, for the kinds that read files.
        connection: address and credential, for the kinds that call a server.
        evidence: the store for what is delivered.
        digest: a keyed hash (16 bytes), for source ids made of personal text.
        cursor: what the last `Checkpoint` said, or an empty dict.
        settle_seconds: how long a file must be unchanged before it is read.
        dry_run: nothing may be left behind but evidence (whose store is then a passing one).
        met: the source ids that this pull gave. A connector adds those that it must tell from one
            another; whoever takes its items adds all.
        recall: the keys of messages that former pulls gave, in their order: those of some slots,
            and of every slot that holds an edited one.
        accepts: whether a person accepted what would be quarantined with this content.
    """

    channel: Channel
    folder: UPath
    connection: SourceConnection | None
    evidence: Evidence
    digest: Callable[[bytes], bytes]
    cursor: Mapping[str, Any]
    dry_run: bool = False
    met: SeenIds = field(default_factory=SeenIds)
    recall: Callable[[Collection[bytes]], Sequence[MessageKey]] = _nothing
    accepts: Callable[[Any], bool] = _accepts_nothing
    settle_seconds: float = 0


PLACE_LABELS = frozenset(
    {"no", "no.", "no urut", "no. urut", "nomor urut", "urut", "urutan", "nr", "nr.", "#"}
)
"""Labels (normalised) of a row's place in its list: it moves when a row above comes or goes."""


class SourceConfig(StrictModel):
    """The options of a kind of source, under `source:` in a channel file."""

    kind: str

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the source that the options name: known, and kept in the vault."""
        return ()

    def contradictions(self) -> Iterator[tuple[Place, str]]:
        """Options that do not go together: the place below `source`, and what to correct."""
        yield from ()

    def contradictions_among(
        self, channels: Mapping[str, Channel], mistaken: Collection[str]
    ) -> Iterator[tuple[Place, str]]:
        """As `contradictions`, where an option names another channel.

        Args:
            channels: the channels whose own files are right, by name.
            mistaken: the channels whose files have mistakes.
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
        connection: what a connection must hold, if a channel cannot do without one.
        connection_with: the option that makes the connection necessary; every channel needs one,
            if left out.
        has_receipt_time: whether each delivery says when the channel received it. Where it does
            not, `received_at` is the time of the file or of the pull, and decides no day.
        has_key: whether the channel's `key` makes the source ids; the source does, if not.
        system_labels: labels that the source's own software adds: they go to the vault without a
            drift notice.
        message_labels: personal labels of a message, if deliveries are messages, whose text may
            follow a template.
    """

    name: str
    config: type[SourceConfig]
    connection: str | None = None
    connection_with: str | None = None
    has_receipt_time: bool = True
    has_key: bool = False
    system_labels: frozenset[str] = frozenset()
    message_labels: tuple[str, ...] = ()

    def needed_of_connection(self, options: SourceConfig) -> str | None:
        """What a connection must hold for a channel with these options; None: it needs none."""
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
        """What a sample (its file or address, and its content) lets propose for a channel file."""
        found: Callable[[str, bytes], Proposal] = self._module("scaffold").propose
        return found

    def _module(self, name: str) -> Any:
        return import_module(f"{__package__}.{self.name}.{name}")
