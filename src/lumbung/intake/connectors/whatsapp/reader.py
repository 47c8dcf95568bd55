"""WhatsApp: exports of one chat (zip or txt), Android and iOS, Indonesian and English.

Every message of a sender is a delivery; notices of the app are not. A message with an impossible
date is quarantined, and no other message with it. An export has no message ids, no time zone and,
on Android, no seconds. A message is therefore identified by its minute (in the channel's zone), its
sender, its text and its ordinal among equal messages, hashed with the vault key. A later export of
the chat gives the same ids.

All files of the folder count as exports of one chat. A message that was edited between two exports
is a new version, marked `diedit`, in whatever order the exports are read. A deleted message stays
landed, and the notice of its deletion is a delivery too, marked `dihapus`. If `date_order` was
wrong, the pull that reads the dates correctly withdraws what was landed before. `chat_export`
decides which lines are messages.

Fields: `Pengirim`, `Teks` (the message without lines that have a personal label), `Tanda` (the kind
of message) and, if the message follows the channel's template, the template's labels.
"""

from __future__ import annotations

import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from io import BufferedIOBase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, NamedTuple, cast
from zoneinfo import ZoneInfo

from lumbung.intake.connectors.base import (
    CLOCK_TOLERANCE,
    Checkpoint,
    Delivery,
    Item,
    MessageKey,
    SeenIds,
    Source,
    Unreadable,
)
from lumbung.intake.connectors.shared import chat_export
from lumbung.intake.connectors.shared.chat_export import Outline, moment
from lumbung.intake.connectors.shared.files import File, Folder, guarded
from lumbung.intake.connectors.shared.parser_process import ParserError, ParserProcess
from lumbung.intake.connectors.shared.template import Template
from lumbung.intake.connectors.whatsapp.config import WhatsappSource

SENDER, TEXT, MARK, WHOLE = "Pengirim", "Teks", "Tanda", "Teks (utuh)"
"""Labels that this connector creates; the last one only if personal lines were removed."""

_DELETED = re.compile(
    r"(?:pesan ini (?:telah )?dihapus|anda (?:telah )?menghapus pesan ini"
    r"|this message was deleted|you deleted this message)\.?",
    re.IGNORECASE,
)
_MEDIA = re.compile(
    r"<media tidak disertakan>|<media omitted>"
    r"|(?:gambar|video|audio|stiker|dokumen|gif|kartu kontak) tidak disertakan"
    r"|(?:image|video|audio|sticker|document|gif|contact card) omitted"
    r"|\S[^\n]*\.\w{1,5} \((?:file terlampir|berkas terlampir|file attached)\)"
    r"|<(?:terlampir|attached): [^>\n]+>",
    re.IGNORECASE,
)
_MEDIA_LINE = re.compile(rf"(?:{_MEDIA.pattern})\s*\n", re.IGNORECASE)
"""The line above a caption."""

_DAMAGE = (zipfile.BadZipFile, chat_export.OversizedError)
"""Errors that reading the text of a damaged archive raises."""

_REFUSALS = {
    chat_export.DOUBTFUL: (
        "doubtful_message",
        "baris ini mirip awal pesan, tetapi urutan ekspornya tidak mendukung; cocokkan dengan"
        " ponsel: mungkin bagian dari pesan sebelumnya",
    ),
    chat_export.LATE: (
        "implausible_date",
        "pesan bertanggal setelah saat ini; cocokkan dengan ponsel: mungkin bagian dari pesan"
        " sebelumnya, atau jam ponselnya salah",
    ),
    chat_export.STRAY: (
        "doubtful_message",
        "teks sebelum pesan pertama; ekspornya terpotong, ekspor ulang obrolannya",
    ),
}


class _Sent(NamedTuple):
    """A message of a sender, with what identifies it."""

    slot: bytes
    text_id: str
    is_edited: bool
    is_deleted: bool
    place: int
    received_at: datetime
    fields: dict[str, str]
    locator: str


def read(source: Source) -> Iterator[Item]:
    """Every message of every export in the channel's folder, the oldest file first."""
    options = source.channel.source
    assert isinstance(options, WhatsappSource)  # noqa: S101 - the kind says so
    with ParserProcess() as child:
        yield from _Pull(source, options, child).items()


class _Pull:
    """One pull of a folder of exports.

    Each export is read twice. The first reading judges its lines, which needs the whole export, and
    notes the minutes and senders of edited messages in all exports.
    """

    def __init__(self, source: Source, options: WhatsappSource, child: ParserProcess) -> None:
        self._source = source
        self._child = child
        self._options = options
        self._zone = ZoneInfo(source.channel.timezone)
        self._latest = (datetime.now(self._zone) + CLOCK_TOLERANCE).replace(tzinfo=None)
        self._template = Template(source.channel, options.marker, (SENDER, TEXT, MARK, WHOLE))
        self._is_corrected = (
            bool(source.cursor.get("files"))
            and source.cursor.get("date_order") != options.date_order
        )
        """Whether earlier pulls read dates in another order, and so landed other ids."""
        self._other_ids: list[str] = []
        """The ids of this pull's messages in the other order."""
        self._given = SeenIds()
        self._edits = self._former_edits = _Edits(())

    def items(self) -> Iterator[Item]:
        folder = Folder(self._source, self._options.files)
        files = [*folder]
        outlines = {
            at: self._survey(file)
            for at, file in enumerate(files)
            if not isinstance(file, Unreadable)
        }
        edits = {each for outline in outlines.values() for each in outline.edited}
        edited = {self._slot(minute, _who(sender)) for minute, sender in edits}
        former = {
            self._slot(was, _who(sender))
            for minute, sender in edits
            if self._is_corrected and (was := _swapped(minute))
        }
        keys = self._source.message_keys(edited | former)
        self._edits = _Edits(keys, edited)
        self._former_edits = _Edits(keys, former)
        before = dict(self._source.cursor)
        for at, file in enumerate(files):
            if at:
                yield Checkpoint(
                    before
                )  # if this pull does not finish, the next one reads all files again
            if isinstance(file, Unreadable):
                yield file
            else:
                yield from guarded(file, self._file(file, outlines[at]))
        checkpoint = folder.checkpoint()
        if not files:
            yield checkpoint._replace(cursor=before)
            return
        cursor = {**checkpoint.cursor, "date_order": self._options.date_order, "keys": True}
        others = {*self._other_ids, *self._former_edits.displaced}
        gone = sorted(each for each in others if each not in self._given)
        yield checkpoint._replace(cursor=cursor, withdrawn=(*gone, *self._edits.displaced))

    def _survey(self, file: File) -> Outline:
        """Read a file for the first time; its failures are reported by the second reading."""
        with ExitStack() as stack:
            try:
                opened = _open(file, self._child, stack)
                if not isinstance(opened, Unreadable):
                    order = self._options.date_order
                    return chat_export.survey(opened, order, self._latest, _DAMAGE)
            except Exception:
                return Outline(is_damaged=True)
        return Outline()

    def _file(self, file: File, outline: Outline) -> Iterator[Item]:
        with ExitStack() as stack:
            try:
                opened = _open(file, self._child, stack)
                if isinstance(opened, Unreadable):
                    yield opened
                elif outline.dialect is None and not outline.is_damaged:
                    reason = "tidak ada pesan WhatsApp di dalamnya; kirim hasil menu Ekspor obrolan"
                    yield file.unreadable("not_a_chat", reason)
                else:
                    yield from self._chat(file, outline, opened)
            except _DAMAGE:
                reason = "arsip rusak, dikunci atau terlalu besar; ekspor ulang obrolannya"
                yield file.unreadable("unreadable_file", reason)

    def _chat(self, file: File, outline: Outline, stream: BinaryIO) -> Iterator[Item]:
        order = self._options.date_order
        other = "mdy" if order == "dmy" else "dmy"
        ids, other_ids = _Ids(self._source.digest), _Ids(self._source.digest)
        places: Counter[bytes] = Counter()
        former_places: Counter[bytes] = Counter()
        waiting: list[_Sent] = []
        former: list[_Sent] = []
        before: datetime | None = None
        minute: datetime | None = None
        received_at = file.changed_at
        as_of = outline.ends_at.replace(tzinfo=self._zone) if outline.ends_at else file.changed_at
        is_remembered = (
            file.is_repeat and bool(self._source.cursor.get("keys")) and not self._is_corrected
        )

        def given(sent: _Sent, source_id: str, *, is_outdated: bool = False) -> Delivery:
            self._given.add(source_id)
            key = MessageKey(sent.slot, sent.text_id, source_id, sent.is_edited, sent.place, as_of)
            return Delivery(
                *(source_id, sent.received_at, sent.fields, file.sha256, sent.locator),
                is_repeat=file.is_repeat,
                is_outdated=is_outdated,
                key=None if is_remembered else key,
            )

        def decided() -> Iterator[Delivery]:
            """The messages of a minute, which waited for all messages of their senders in it."""
            for slot, messages in _by_slot(waiting).items():
                found = self._edits.resolve(slot, messages, as_of)
                for sent, (source_id, is_outdated) in zip(messages, found, strict=True):
                    yield given(sent, source_id, is_outdated=is_outdated)
            waiting.clear()

        for message in chat_export.messages(stream, outline):
            locator = f"baris {message.number}"
            found = chat_export.sender(message.text)
            verdict = message.verdict
            at = moment(message.parts, order) if message.parts else None
            if verdict == chat_export.MESSAGE and found is None:
                is_first = message.number == outline.first and "\n" not in message.text
                if is_first or chat_export.is_notice(message.text):
                    continue
                verdict = chat_export.DOUBTFUL
            content = {**message.parts, "text": message.text[: chat_export.MAX_MESSAGE]}
            if verdict == chat_export.DOUBTFUL and at and found and self._source.accepts(content):
                verdict = chat_export.MESSAGE
            if verdict != chat_export.MESSAGE or at is None or found is None:
                refusal = _REFUSALS.get(verdict) or (
                    "unreadable_date",
                    "tanggal pesan tidak ada di kalender; cocokkan dengan ponsel",
                )
            elif len(found[1]) > chat_export.MAX_MESSAGE:
                refusal = ("too_large", "pesan terlalu panjang; periksa berkas ekspornya")
            else:
                refusal = None
            if found is not None and self._is_corrected and message.parts:
                was = moment(message.parts, other)
                if was is not None and was != at:
                    if was != before:
                        self._note_former(former, as_of)
                        former_places.clear()
                        before = was
                    slot = self._slot(was, _who(found[0]))
                    place = former_places[slot]
                    former_places[slot] += 1
                    edit, deletion = bool(chat_export.edited(found[1])[1]), _is_deleted(found[1])
                    text_id = other_ids.next(was, *found)
                    former.append(_Sent(slot, text_id, edit, deletion, place, as_of, {}, locator))
            if refusal is not None:
                yield Unreadable(*refusal, content, received_at, file.sha256, locator)
                continue
            assert at is not None  # noqa: S101 - judged above
            assert found is not None  # noqa: S101
            if minute is None or at > minute:
                yield from decided()
                places.clear()
                minute = at
                if outline.is_disordered:
                    minute += chat_export.DISORDER
            received_at = at.replace(tzinfo=self._zone)
            sender, text = found
            text_id = ids.next(at, sender, text)
            slot = self._slot(at, _who(sender))
            fields = _fields(self._template, sender, text)
            sent = _Sent(
                *(slot, text_id, bool(chat_export.edited(text)[1]), _is_deleted(text)),
                *(places[slot], received_at, fields, locator),
            )
            places[slot] += 1
            if slot in self._edits:
                waiting.append(sent)
            else:
                yield given(sent, text_id)
        yield from decided()
        self._note_former(former, as_of)

    def _note_former(self, sent: list[_Sent], as_of: datetime) -> None:
        """Note the ids under which a minute's messages were landed with the other date order."""
        self._other_ids += [each.text_id for each in sent]
        for slot, messages in _by_slot(sent).items():
            if slot in self._former_edits:
                found = self._former_edits.resolve(slot, messages, as_of)
                self._other_ids += [source_id for source_id, _ in found]
        sent.clear()

    def _slot(self, minute: datetime, who: str) -> bytes:
        return self._source.digest(f"{minute:%Y%m%dT%H%M}\0{who}".encode(errors="backslashreplace"))


class _Ids:
    """The ids of messages: minute, keyed hash of sender and text, and ordinal among equal ones."""

    def __init__(self, digest: Callable[[bytes], bytes]) -> None:
        self._digest = digest
        self._end: datetime | None = None
        # kept for the current minute and the ones before, because messages may be out of order
        self._ordinals: Counter[bytes] = Counter()
        self._earlier: Counter[bytes] = Counter()

    def next(self, at: datetime, sender: str, text: str) -> str:
        if self._end is None or at > self._end:
            self._end = at + min(chat_export.DISORDER, datetime.max - at)  # noqa: DTZ901
            self._ordinals, self._earlier = Counter(), self._ordinals
        minute = f"{at:%Y%m%dT%H%M}"
        digest = self._digest(f"{minute}\0{_who(sender)}\0{text}".encode(errors="backslashreplace"))
        self._ordinals[digest] += 1
        return f"{minute}-{digest.hex()}-{self._ordinals[digest] + self._earlier[digest] - 1}"


@dataclass
class _Known:
    """A message of a slot with edits, and its known versions."""

    source_id: str
    place: int
    versions: dict[str, tuple[bool, datetime]] = field(default_factory=dict)
    """Text id -> whether it is marked as edited, and the age of the first export with it."""

    @property
    def current(self) -> str:
        """The newest version: edited before original, then by export, then by order of reading."""
        newest = max(self.versions.values())
        return next(each for each in reversed(self.versions) if self.versions[each] == newest)

    @property
    def is_without_original(self) -> bool:
        return all(is_edited for is_edited, _ in self.versions.values())


class _Edits:
    """Which texts are versions of one message, in slots with edits.

    An edit changes the text, but not the minute and the sender. An unknown text is therefore taken
    for a version of a message of its slot of which the export holds no known version. An edited
    text may belong to any such message, another text only to one whose original was never read.

    Args:
        keys: of earlier pulls.
        slots: those in which the exports of this pull have edited messages.
    """

    def __init__(self, keys: Iterable[MessageKey], slots: Iterable[bytes] = ()) -> None:
        self._slots: dict[bytes, dict[str, _Known]] = {slot: {} for slot in slots}
        self.displaced: list[str] = []
        """The ids that versions of other messages would have if they were new messages."""
        for key in keys:
            self._add(key)

    def __contains__(self, slot: bytes) -> bool:
        return slot in self._slots

    def _add(self, key: MessageKey) -> _Known:
        slot = self._slots.setdefault(key.slot, {})
        known = slot.setdefault(key.source_id, _Known(key.source_id, key.place))
        known.versions.setdefault(key.text_id, (key.is_edited, key.as_of))
        return known

    def resolve(
        self, slot: bytes, messages: Sequence[_Sent], as_of: datetime
    ) -> list[tuple[str, bool]]:
        """For each message of a slot, in one export: its source id, and whether it is outdated."""
        there = self._slots[slot]
        by_text = {text: known for known in there.values() for text in known.versions}
        found = {sent.text_id: by_text.get(sent.text_id) for sent in messages}
        free = [each for each in there.values() if each not in found.values()]
        for sent in messages:
            known = found[sent.text_id]
            if known is None and not sent.is_deleted:
                fit = [each for each in free if sent.is_edited or each.is_without_original]
                known = next((each for each in fit if each.place == sent.place), None)
                known = known or next(iter(fit), None)
                if known is not None:
                    free.remove(known)
                    self.displaced.append(sent.text_id)
            source_id = sent.text_id if known is None else known.source_id
            key = MessageKey(slot, sent.text_id, source_id, sent.is_edited, sent.place, as_of)
            found[sent.text_id] = self._add(key)
        return [
            (known.source_id, known.current != sent.text_id)
            for sent in messages
            if (known := found[sent.text_id]) is not None
        ]


class _Cut(BufferedIOBase):
    """The readable beginning of a damaged archive's text; reading further fails."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        piece = self._stream.read(-1 if size is None else size)
        if not piece:
            raise zipfile.BadZipFile
        return piece

    read1 = read


_UNOPENED = {
    "unsafe_archive": "isi arsip mengembang tidak wajar atau memuat nama berkas berbahaya; ekspor"
    " ulang obrolan dari WhatsApp",
    "not_a_chat": "arsip tidak memuat tepat satu teks obrolan; ekspor ulang obrolan dari WhatsApp",
}
"""Why an archive is refused as a whole."""


def _open(file: File, child: ParserProcess, stack: ExitStack) -> BinaryIO | Unreadable:
    """The chat's text, or the reason why it cannot be read."""
    with file.content.open("rb") as stream:
        is_archive = zipfile.is_zipfile(stream)
    if not is_archive:
        if file.name.casefold().endswith(".txt"):
            return stack.enter_context(file.content.open("rb"))
        reason = "bukan arsip zip atau teks, atau terpotong; ekspor ulang obrolan dari WhatsApp"
        return file.unreadable("unreadable_file", reason)
    text = Path(stack.enter_context(TemporaryDirectory())) / "chat.txt"
    text.touch()
    code = None
    try:
        child.chat(file.content, text, 4 * chat_export.MAX_TEXT)
    except ParserError as error:
        code = error.code
    if code in _UNOPENED:
        return file.unreadable(code, _UNOPENED[code])
    stream = stack.enter_context(text.open("rb"))
    text.unlink()  # it is open: a process that is killed leaves no text in clear
    return stream if code is None else cast(BinaryIO, _Cut(stream))


def _by_slot(sent: Iterable[_Sent]) -> dict[bytes, list[_Sent]]:
    found: dict[bytes, list[_Sent]] = {}
    for each in sent:
        found.setdefault(each.slot, []).append(each)
    return found


def _swapped(minute: datetime) -> datetime | None:
    """A minute with day and month exchanged; None if there is no such date."""
    try:
        return minute.replace(day=minute.month, month=minute.day)
    except ValueError:
        return None


def _who(sender: str) -> str:
    """A sender in one spelling: the digits of a number, or the letters of a name without case."""
    digits = re.sub(r"[\s().+\-]", "", sender)
    if digits.isdecimal():
        return re.sub(r"^0", "62", digits)
    return " ".join(unicodedata.normalize("NFC", sender).split()).casefold()


def _is_deleted(text: str) -> bool:
    return _DELETED.fullmatch(text.strip()) is not None


def _fields(template: Template, sender: str, text: str) -> dict[str, str]:
    """A message's fields."""
    fields = {SENDER: sender}
    written, note = chat_export.edited(text)
    media = _MEDIA_LINE.match(written)
    caption = media.end() if media else 0
    shown, values, is_tip = template.read(written[caption:])
    shown = written[:caption] + shown
    if shown != written:
        fields[WHOLE] = text
    if _is_deleted(text):
        kind = "dihapus"
    elif is_tip:
        kind = "templat"
    elif _MEDIA.match(text.strip()):
        kind = "media"
    else:
        kind = "obrolan"
    if note:
        kind += ", diedit"
    return {**fields, TEXT: shown + note, MARK: kind, **values}
