"""WhatsApp: exports of one chat (zip or txt), Android and iOS, Indonesian and English.

Every message of a sender is a delivery; a notice of the app itself is none. A message whose date
does not exist is quarantined, alone. An export has no message ids, no seconds on Android and no
zone: a message is known by its minute (in the channel's zone), sender, text and ordinal among
equals, hashed with the vault's key. Exporting a chat again gives the same ids for what was there.

All files of the folder count as exports of one chat. A message that was edited between two exports
comes as a second delivery, marked `diedit`; one that was deleted stays, and its notice comes
beside it, marked `dihapus`: what was delivered is not taken back.

Fields: `Pengirim`, `Teks` (the whole message but for lines with a personal label), `Tanda` (what
kind of message it is) and, where the message follows the channel's template, its labels.
"""

from __future__ import annotations

import re
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime
from io import TextIOWrapper
from pathlib import PurePosixPath
from typing import BinaryIO, NamedTuple, cast
from zoneinfo import ZoneInfo

from lumbung.intake.connectors import Delivery, Item, Source, Unreadable
from lumbung.intake.connectors.files import File, Folder, is_bomb
from lumbung.intake.connectors.template import Template
from lumbung.intake.contract import WhatsappSource

SENDER, TEXT, MARK, WHOLE = "Pengirim", "Teks", "Tanda", "Teks (utuh)"
"""Labels that this connector makes; the last one only where personal lines were taken out."""

_MAX_TEXT = 256 << 20
_MAX_MESSAGE = 1 << 20  # WhatsApp itself ends at 65,536 characters

_INVISIBLE = re.compile("[\u200e\u200f\u202a-\u202c\u2066-\u2069\ufeff]")
_MOMENT = (
    r"(?P<a>\d{1,4})[/.\-](?P<b>\d{1,2})[/.\-](?P<c>\d{2,4}),?\s+(?:pukul\s+|at\s+)?"
    r"(?P<hour>\d{1,2})[.:](?P<minute>\d{2})(?:[.:]\d{2})?(?:\s*(?P<half>[AaPp])\.?\s?[Mm]\.?)?"
)
_LINES = (  # Android; iOS
    re.compile(_MOMENT + r"\s+[-–]\s(?P<rest>.*)", re.DOTALL),
    re.compile(r"\[" + _MOMENT + r"\]\s(?P<rest>.*)", re.DOTALL),
)
_SENDER = re.compile(r"(?P<sender>[^\n]{1,100}?):(?: (?P<text>.*)|\s*)", re.DOTALL)
_NOTICES = re.compile(
    r"pesan dan panggilan terenkripsi|messages and calls are end-to-end encrypted"
    r"|messages to this (?:chat|group) (?:and calls )?are now secured",
    re.IGNORECASE,
)
_GROUP = re.compile(
    r" (?:membuat grup|menambahkan|mengeluarkan|mengubah (?:subjek|nama|deskripsi|ikon|setelan)"
    r"|created group|changed the (?:subject|group)|added|removed)\b",
    re.IGNORECASE,
)
_DELETED = re.compile(
    r"(?:pesan ini (?:telah )?dihapus|anda (?:telah )?menghapus pesan ini"
    r"|this message was deleted|you deleted this message)\.?",
    re.IGNORECASE,
)
_EDITED = re.compile(
    r"\s*<(?:pesan ini (?:telah )?diedit|this message was edited)>\s*$", re.IGNORECASE
)
_MEDIA = re.compile(
    r"<media tidak disertakan>|<media omitted>"
    r"|(?:gambar|video|audio|stiker|dokumen|gif|kartu kontak) tidak disertakan"
    r"|(?:image|video|audio|sticker|document|gif|contact card) omitted"
    r"|\S[^\n]*\.\w{1,5} \((?:file terlampir|berkas terlampir|file attached)\)"
    r"|<(?:terlampir|attached): [^>\n]+>",
    re.IGNORECASE,
)
_CHAT_FILE = re.compile(r"_chat\.txt|(?:chat whatsapp|whatsapp chat).*\.txt", re.IGNORECASE)


class _Message(NamedTuple):
    """One message or notice: the line it begins on (1 first), its date and time, its text."""

    number: int
    moment: dict[str, str | None]
    text: str


class _OversizedError(Exception):
    """An archive's text goes on for longer than any chat does."""


def read(source: Source) -> Iterator[Item]:
    """Every message of every export in the channel's folder, the oldest file first."""
    options = source.channel.source
    assert isinstance(options, WhatsappSource)  # noqa: S101 - the kind says so

    def read_file(file: File) -> Iterator[Item]:
        with ExitStack() as stack:
            try:
                opened = _open(file, stack)
                if isinstance(opened, Unreadable):
                    yield opened
                else:
                    yield from _chat(source, options, file, opened)
            except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, _OversizedError):
                reason = "arsip rusak, dikunci atau terlalu besar; ekspor ulang obrolannya"
                yield file.unreadable("unreadable_file", reason)

    yield from Folder(source, options.files).items(read_file)


def _open(file: File, stack: ExitStack) -> BinaryIO | Unreadable:
    """The chat's text, or why it cannot be had."""
    if not zipfile.is_zipfile(file.path):
        if file.name.casefold().endswith(".txt"):
            return stack.enter_context(file.path.open("rb"))
        reason = "bukan arsip zip atau teks, atau terpotong; ekspor ulang obrolan dari WhatsApp"
        return file.unreadable("unreadable_file", reason)
    archive = stack.enter_context(zipfile.ZipFile(file.path))
    names = [name.replace("\\", "/") for name in archive.namelist()]
    if any(name.startswith("/") or ".." in name.split("/") for name in names):
        reason = "arsip memuat nama berkas berbahaya; ekspor ulang obrolan dari WhatsApp"
        return file.unreadable("unsafe_archive", reason)
    if is_bomb(archive):
        reason = "isi arsip mengembang tidak wajar; ekspor ulang obrolan dari WhatsApp"
        return file.unreadable("unsafe_archive", reason)
    texts = [name for name in archive.namelist() if name.casefold().endswith(".txt")]
    chats = [name for name in texts if _CHAT_FILE.fullmatch(PurePosixPath(name).name)] or texts
    if len(chats) != 1:
        reason = "arsip tidak memuat tepat satu teks obrolan; ekspor ulang obrolan dari WhatsApp"
        return file.unreadable("not_a_chat", reason)
    return cast(BinaryIO, stack.enter_context(archive.open(chats[0])))


def _chat(source: Source, options: WhatsappSource, file: File, stream: BinaryIO) -> Iterator[Item]:
    zone = ZoneInfo(source.channel.timezone)
    template = Template(source.channel, options.marker, (SENDER, TEXT, MARK, WHOLE))
    minute, last = "", None
    ordinals: Counter[bytes] = Counter()
    received_at = file.changed_at
    is_chat = False
    for message in _messages(stream):
        is_chat = True
        found = _sender(message.text)
        if found is None:
            continue
        sender, text = found
        locator = f"baris {message.number}"
        moment = _moment(message.moment, options.date_order)
        if moment is None or len(text) > _MAX_MESSAGE:
            code, reason = (
                ("unreadable_date", "tanggal pesan tidak ada di kalender; cocokkan dengan ponsel")
                if moment is None
                else ("too_large", "pesan terlalu panjang; periksa berkas ekspornya")
            )
            content = {**message.moment, "text": message.text[:_MAX_MESSAGE]}
            yield Unreadable(code, reason, content, received_at, file.sha256, locator)
            continue
        received_at = moment.replace(tzinfo=zone)
        if moment != last:
            last = moment
            minute = f"{moment:%Y%m%dT%H%M}"
            ordinals.clear()
        digest = source.digest(
            f"{minute}\0{_who(sender)}\0{text}".encode(errors="backslashreplace")
        )
        source_id = f"{minute}-{digest.hex()}-{ordinals[digest]}"
        ordinals[digest] += 1
        fields = _fields(template, sender, text)
        yield Delivery(source_id, received_at, fields, file.sha256, locator, file.is_repeat)
    if not is_chat:
        reason = "tidak ada baris pesan WhatsApp di dalamnya; kirim hasil menu Ekspor obrolan"
        yield file.unreadable("not_a_chat", reason)


def _messages(stream: BinaryIO) -> Iterator[_Message]:
    """The lines of an export put together to messages, without invisible direction marks."""
    text = TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape")
    moment: dict[str, str | None] | None = None
    began = total = size = 0
    lines: list[str] = []
    for number, line in enumerate(iter(lambda: text.readline(_MAX_MESSAGE), ""), 1):
        total += len(line)
        if total > _MAX_TEXT:
            raise _OversizedError
        plain = line if line.isascii() else _INVISIBLE.sub("", line)
        found = _LINES[plain.startswith("[")].fullmatch(plain)
        if found is not None:
            if moment is not None:
                yield _Message(began, moment, "".join(lines).rstrip("\n"))
            moment = found.groupdict()
            lines = [str(moment.pop("rest"))]
            began, size = number, 0
        elif size <= _MAX_MESSAGE:
            lines.append(plain)
        size += len(plain)
    if moment is not None:
        yield _Message(began, moment, "".join(lines).rstrip("\n"))


def _sender(whole: str) -> tuple[str, str] | None:
    """Sender and text; None for the app's own notices."""
    found = _SENDER.fullmatch(whole)
    if found is None or _NOTICES.match(whole) or _NOTICES.match(found["text"] or ""):
        return None
    if _GROUP.search(found["sender"]):
        return None
    return found["sender"].removeprefix("~").strip(), found["text"] or ""


def _who(sender: str) -> str:
    """A sender however the phone spells it: digits of a number, letters without case."""
    digits = re.sub(r"[\s().+\-]", "", sender)
    if digits.isdecimal():
        return re.sub(r"^0", "62", digits)
    return " ".join(unicodedata.normalize("NFC", sender).split()).casefold()


def _moment(parts: Mapping[str, str | None], order: str) -> datetime | None:
    """The minute as written, without a zone; None if the calendar or the clock has none such."""
    a, b, c, hour, minute = (int(parts[name] or 0) for name in ("a", "b", "c", "hour", "minute"))
    if len(parts["a"] or "") == 4:
        year, month, day = a, b, c
    else:
        day, month, year = (a, b, c) if order == "dmy" else (b, a, c)
    half = (parts["half"] or "").casefold()
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        return datetime(year + 2000 if year < 100 else year, month, day, hour, minute)  # noqa: DTZ001
    except ValueError:
        return None


def _fields(template: Template, sender: str, text: str) -> dict[str, str]:
    """A message's fields."""
    fields = {SENDER: sender}
    written = _EDITED.sub("", text)
    note = text[len(written) :]
    shown, values, is_tip = template.read(written)
    if shown != written:
        fields[WHOLE] = text
    if _DELETED.fullmatch(text.strip()):
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
