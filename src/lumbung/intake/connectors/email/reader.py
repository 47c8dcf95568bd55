"""E-mail: the folders of a mailbox, read over IMAP (RFC 3501) without leaving a trace in it.

A mail is identified by a hash of its Message-ID and everything that its sender wrote (`_identity`);
what mail servers add does not count. A mail without a Message-ID is identified by the hash of its
bytes. Anybody who knows a Message-ID can send another mail with it. That mail is a delivery of its
own; the first such mail is also quarantined as `key_repeated`, so that a person looks at it.

The cursor holds UIDVALIDITY and the last UID of each folder. If UIDVALIDITY changes, the folder is
read again from its beginning, and known mails count as duplicates. A mail that has left the mailbox
was filed or deleted by its reader, so nothing is withdrawn.

`received_at` is the server's INTERNALDATE, because the Date header is only the sender's claim. A
mail that was forwarded as an attachment is a delivery of its own, whose id contains the id of the
outer mail. Mails inside it are not opened. Bounces and automatic replies are landed without mapped
fields, so that the warehouse excludes them. Attachments go to the evidence store and are not
opened.

Fields: `Pengirim`, `Nama pengirim`, `Kepada`, `Subjek`, `Tanggal surat` (of the Date header),
`Teks` (without personal lines, signature and quoted mails), `Teks (utuh)`, `Tanda`, `Lampiran`, and
the labels of the channel's template.
"""

from __future__ import annotations

import codecs
import imaplib
import os
import re
import secrets
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32
from email.utils import getaddresses, parseaddr, parsedate_to_datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from imap_tools.imap_utf7 import utf7_encode

from lumbung.errors import SourceError
from lumbung.intake.channel.labels import distinct
from lumbung.intake.connectors.base import (
    Checkpoint,
    Delivery,
    Item,
    MessageKey,
    SeenIds,
    Source,
    SourceConnection,
    Unreadable,
)
from lumbung.intake.connectors.email.config import SPREADSHEETS, EmailSource
from lumbung.intake.connectors.shared.markup import plain
from lumbung.intake.connectors.shared.template import Template
from lumbung.intake.evidence import Evidence, Kept

FROM, NAME, TO, SUBJECT, DATE = "Pengirim", "Nama pengirim", "Kepada", "Subjek", "Tanggal surat"
TEXT, WHOLE, MARK, ATTACHMENTS = "Teks", "Teks (utuh)", "Tanda", "Lampiran"
"""Labels that this connector creates."""

BOUNCE, AUTOMATIC = "laporan pengiriman", "balasan otomatis"
"""Values of `Tanda` for mails that no person wrote."""

TIMEOUT_SECONDS = 60
WINDOW = 100
"""Mails between two checkpoints, unless they reach `_WINDOW_BYTES` earlier."""

MAX_PARSED = 36 << 20
"""The largest mail that is opened: providers take 25 MB, which base64 makes 34 MB."""
MAX_FETCHED = 256 << 20
"""The largest mail that is kept."""

_WINDOW_BYTES = 16 << 20
_PIECE = 1 << 20
_MAX_TEXT = 1 << 20
_MAX_PAGE = 4 << 20  # a longer one is refused as text
_MAX_PARTS = 500
_MAX_ALL_PARTS = 10_000  # including mails that are not opened
_MAX_CONTAINERS = 100  # each line is compared with the boundaries of all open levels
_MAX_HEADERS = 50_000
_MAX_HEADER = 64 << 10  # characters; the standard library's parsers take quadratic time over them
_MAX_CONTENT_HEADER = 2 << 10
_MAX_DEPTH = 30
_LAST_UID = 2**32 - 1

_BROKEN = (RecursionError, ValueError, TypeError, LookupError, AttributeError)
"""Errors that the standard library's parser raises for malformed mails."""

_AUTOMATIC_SUBJECT = re.compile(
    r"(automatic reply|auto(matic)?[- ]?(reply|response)|out of (the )?office|balasan otomatis"
    r"|jawaban otomatis|di luar kantor)\s*:",
    re.IGNORECASE,
)
_EARLIER = re.compile(
    r"^(-- ?|On .{1,300} wrote:|Pada .{1,300} menulis:"
    # Gmail wraps the line; a time of day distinguishes it from a sentence
    r"|(?:On|Pada) (?=.{0,99}\d[.:]\d\d).{1,300}\n.{0,200}\b(?:wrote|menulis):"
    r"|-{2,} ?(Original Message|Pesan Asli) ?-{2,}"
    r"|_{20,}(?=\n(?:From|Dari):))$",
    re.MULTILINE,
)
"""The line at which a signature (RFC 3676) or a quoted mail begins."""


def read(source: Source) -> Iterator[Item]:
    """Every mail since the cursor, folder by folder in the order of UIDs."""
    options = source.channel.source
    assert isinstance(options, EmailSource)  # noqa: S101 - the kind says so
    where = f"channel {source.channel.name}"
    connection = source.connection
    if connection is None or not (connection.host and connection.login and connection.password):
        raise SourceError(
            "the mail server's address, login or password is not known",
            where=where,
            remediation=f"set them in the connection {source.channel.connection!r}",
        )
    own = (FROM, NAME, TO, SUBJECT, DATE, TEXT, WHOLE, MARK, ATTACHMENTS)
    template = Template(source.channel, options.marker, own)
    folders = source.cursor.get("folders", {})
    is_former = "folders" in source.cursor and "contents" not in source.cursor
    """Whether ids of earlier pulls were made of headers alone, so that all mails are read again."""
    cursor = {} if is_former else dict(folders)
    withdrawn: list[str] = []
    ids = _MessageIds(source)

    def checkpoint(*, is_last: bool = False) -> Checkpoint:
        now = {"folders": dict(cursor)}
        if is_last or not is_former:
            return Checkpoint({**now, "contents": True}, None, tuple(withdrawn))
        return Checkpoint(dict(source.cursor), None, tuple(withdrawn))

    with Mailbox(connection, where) as mailbox:
        for folder in options.folders:
            account = f"{connection.host}\0{connection.login}\0{folder}"
            key = source.digest(account.encode()).hex()
            validity, top = mailbox.open(folder)
            before = cursor.get(key, [None, 0])
            last = before[1] if validity is not None and validity == before[0] else 0
            count = size = 0
            for uid in mailbox.uids(last + 1, top):
                locator = f"{folder} | {validity} | {uid}"
                mail = mailbox.fetch(uid, source.evidence)
                if mail is not None:
                    yield from deliveries(source, options, template, mail, locator, ids)
                    if "contents" not in source.cursor:
                        withdrawn += _former_ids(source, mail)
                    size += mail.kept.size if mail.kept else 0
                count += 1
                last = uid
                if count >= WINDOW or size >= _WINDOW_BYTES:
                    count = size = 0
                    cursor[key] = [validity, last]
                    yield checkpoint()
                    withdrawn.clear()
            if count:
                cursor[key] = [validity, last]
                yield checkpoint()
                withdrawn.clear()
    if is_former:
        yield checkpoint(is_last=True)


class _Bounded(Compat32):
    """Reads headers up to a length that no mail program exceeds.

    A sender chooses the length of headers, and the standard library takes quadratic time for
    parameters, addresses and encoded words.
    """

    _counted: list[int]  # headers, containers

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "_counted", [0, 0])  # a policy is frozen; a list in it is not

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        counted = self._counted
        counted[0] += 1
        is_content = name.casefold().startswith("content-")
        if is_content and "multipart" in value[:_MAX_CONTENT_HEADER].casefold():
            counted[1] += 1
        if counted[0] > _MAX_HEADERS or counted[1] > _MAX_CONTAINERS:
            raise ValueError("more headers than a mail has")
        return name, value[: _MAX_CONTENT_HEADER if is_content else _MAX_HEADER]


# -- the mailbox -----------------------------------------------------------------------------------


class Mail(NamedTuple):
    """A mail on the server; `kept` is None if it is gone or too large."""

    received_at: datetime
    kept: Kept | None
    is_too_large: bool = False


class Mailbox:
    """A mail account, opened for reading only."""

    def __init__(self, connection: SourceConnection, where: str) -> None:
        self._connection = connection
        self._where = where

    def __enter__(self) -> Mailbox:
        given = self._connection
        security = str(given.extra.get("ssl", True)).casefold()
        with self._telling():
            if security in ("false", "starttls"):
                self._imap = imaplib.IMAP4(given.host, given.port or 143, TIMEOUT_SECONDS)
                if security == "starttls":
                    self._imap.starttls(self._trust())
            else:
                self._imap = imaplib.IMAP4_SSL(
                    given.host,
                    given.port or 993,
                    ssl_context=self._trust(),
                    timeout=TIMEOUT_SECONDS,
                )
            self._login(given.login or "", given.password or "")
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(imaplib.IMAP4.error, OSError):
            self._imap.logout()

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._connection.extra.get("ca_file"))

    def _login(self, login: str, password: str) -> None:
        try:
            if "AUTH=PLAIN" in self._imap.capabilities:
                secret = f"\0{login}\0{password}".encode()
                self._imap.authenticate("PLAIN", lambda _: secret)
            else:
                self._imap.login(login, password)
        except imaplib.IMAP4.abort:
            raise
        except (imaplib.IMAP4.error, UnicodeEncodeError) as error:
            raise SourceError(
                "the mail server refuses login and password",
                where=self._where,
                remediation="correct them in the connection (an app password where the provider "
                "asks"
                " for one)",
            ) from error

    def open(self, folder: str) -> tuple[int | None, int]:
        """Open a folder without marking mails as seen; returns UIDVALIDITY and the highest UID.

        UIDVALIDITY is None if the server does not send it: UIDs then mean nothing to a later pull.
        """
        name = utf7_encode(folder).replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        with self._telling():
            # typeshed wants text; bytes are sent as they are
            kind, _ = self._imap.select(b'"' + name + b'"', readonly=True)  # type: ignore[arg-type]
            if kind != "OK":
                raise SourceError(
                    f"the mailbox has no folder {folder!r}",
                    where=self._where,
                    remediation="write the folder as the mail program shows it; the first is INBOX",
                )
            validity = self._number("UIDVALIDITY")
            following = self._number("UIDNEXT")
        return validity, _LAST_UID if following is None else following - 1

    def _number(self, name: str) -> int | None:
        found = self._imap.response(name)[1]
        text = found[-1] if found else None
        return int(text) if isinstance(text, bytes) and text.isdigit() else None

    def uids(self, first: int, top: int) -> Iterator[int]:
        """The UIDs of a folder from the first to the top one, ascending.

        They are asked for in ranges. `n:*` would return the last mail even if its UID is below n,
        and an answer with all UIDs of a large mailbox is longer than imaplib accepts.
        """
        span = 10_000
        while first <= top:
            high = min(first + span - 1, top)
            with self._telling():
                kind, data = self._imap.uid("SEARCH", f"UID {first}:{high}")
                if kind != "OK":
                    raise imaplib.IMAP4.error(f"SEARCH: {data!r}")
            found = {int(each) for each in (data[0] or b"").split()}
            inside = sorted(uid for uid in found if first <= uid <= high)
            yield from inside
            span = 10_000 if inside else span * 2
            first = high + 1

    def fetch(self, uid: int, evidence: Evidence) -> Mail | None:
        """A mail's bytes, kept as evidence; None if the mail is gone."""
        received_at: datetime | None = None
        with tempfile.SpooledTemporaryFile(_WINDOW_BYTES) as file:
            while True:
                with self._telling():
                    kind, data = self._imap.uid(
                        "FETCH",
                        str(uid),
                        f"(UID INTERNALDATE BODY.PEEK[]<{file.tell()}.{_PIECE}>)",
                    )
                envelope = b" ".join(
                    each[0] if isinstance(each, tuple) else each for each in data if each
                )
                pieces = [each[1] for each in data if isinstance(each, tuple)]
                received_at = received_at or _internal_date(envelope)
                if kind != "OK":
                    return Mail(received_at or datetime.now(UTC), None)
                if b"BODY[]" not in envelope.upper():
                    return None
                file.write(b"".join(pieces))
                if file.tell() > MAX_FETCHED:
                    return Mail(received_at or datetime.now(UTC), None, is_too_large=True)
                if sum(map(len, pieces)) < _PIECE:
                    break
            file.seek(0)
            kept = evidence.keep(file)
        return Mail(received_at or datetime.now(UTC), kept)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turn failures of the network and the server into an error with a next step."""
        try:
            yield
        except ssl.SSLError as error:
            raise SourceError(
                f"no safe connection to the mail server: {error}",
                where=self._where,
                remediation="correct host and port, or the connection's extra: "
                '{"ssl": "starttls"}',
            ) from error
        except (imaplib.IMAP4.error, OSError) as error:
            # without what the server sent, which imaplib quotes as bytes: it may be a mail
            text = re.sub(r"\bb['\"].*", "", str(error), flags=re.DOTALL)
            raise SourceError(
                f"the mail server does not answer as it should: {type(error).__name__} {text}",
                where=self._where,
                remediation="look whether it is up and reachable, then pull again: the pull goes on"
                " behind the last mail that was landed",
            ) from None


def _internal_date(envelope: bytes) -> datetime | None:
    found = re.search(rb'INTERNALDATE "([^"]+)"', envelope, re.IGNORECASE)
    if found is None:
        return None
    try:
        return datetime.strptime(found[1].decode("ascii", "replace"), "%d-%b-%Y %H:%M:%S %z")
    except ValueError:
        return None


# -- from mails to deliveries ----------------------------------------------------------------------


def deliveries(
    source: Source,
    options: EmailSource,
    template: Template,
    mail: Mail,
    locator: str,
    ids: _MessageIds | None = None,
) -> list[Delivery | Unreadable]:
    """A mail, and the mails that were forwarded with it."""
    kept = mail.kept
    if kept is None:
        content = {"locator": locator}
        code, reason = (
            ("too_large", "surat terlalu besar; minta lampirannya dikirim terpisah")
            if mail.is_too_large
            else (
                "unreadable_message",
                "server surat tidak dapat memberikan surat ini; buka surat itu dan teruskan ulang",
            )
        )
        return [Unreadable(code, reason, content, mail.received_at, None, locator)]

    def refused(code: str, reason: str) -> list[Delivery | Unreadable]:
        content = {"sha256": kept.sha256.hex(), "bytes": kept.size}
        return [Unreadable(code, reason, content, mail.received_at, kept.sha256, locator)]

    if kept.size > MAX_PARSED:
        return refused("too_large", "surat terlalu besar; minta lampirannya dikirim terpisah")
    try:
        message = _parsed(kept)
        outer = _opened(source.evidence, message)
        identity = _identity(message)
        source_id = source.digest(identity or kept.sha256).hex()
        letters = [(source_id, locator, outer, identity)]
        for number, inner in enumerate(outer.letters, 1):
            place = f"{locator} | surat terlampir {number}"
            opened = _opened(source.evidence, inner)
            letters.append((f"{source_id}-{number}", place, opened, _identity(inner)))
        ids = ids or _MessageIds(source)
        found: list[Delivery | Unreadable] = []
        for own_id, place, letter, identity in letters:
            fields = _fields(template, letter)
            if len(fields.get(TEXT, "")) > _MAX_TEXT:
                found += refused("too_large", "teks surat terlalu panjang; minta dikirim ringkas")
                continue
            key = None
            if identity is not None:
                message_id = _header(letter.message, "Message-ID")
                slot = source.digest(b"message-id\0" + _bytes(message_id))
                text_id = source.digest(identity).hex()
                key = MessageKey(slot, text_id, own_id, False, 0, mail.received_at)
                if ids.is_second(key):
                    reason = (
                        "nomor surat (Message-ID) ini sudah dipakai surat lain yang isi atau"
                        " pengirimnya berbeda; keduanya dimuat, bandingkan: mungkin salah satunya"
                        " palsu"
                    )
                    content = {"message_id": message_id, "source_id": own_id}
                    where = f"{place} | nomor surat"
                    found.append(
                        Unreadable(
                            *("key_repeated", reason, content, mail.received_at, kept.sha256),
                            where,
                        )
                    )
            # a mail never changes, so a known content of it is no change back, in any folder
            found.append(
                Delivery(own_id, mail.received_at, fields, kept.sha256, place, True, key=key)
            )
    except _BROKEN:
        return refused(
            "unreadable_message", "susunan surat rusak; buka surat itu dan teruskan ulang"
        )
    if options.spreadsheets_to and any(
        _address(message) == each or _is_host(_address(message), each) for each in _trusted(options)
    ):
        for name, attached, place in _spreadsheets(source, message, letters):
            if not options.takes(name):
                reason = (
                    f"lembar kerja lampiran ini tidak dibaca kanal {options.spreadsheets_to}"
                    f" (berkas {options.taken}); minta dikirim ulang dalam bentuk itu"
                )
                content = {"sha256": sha256(attached).hexdigest(), "file": name}
                found.append(
                    Unreadable(
                        *("unreadable_file", reason, content, mail.received_at, kept.sha256),
                        f"{place} | lampiran",
                    )
                )
            elif not source.dry_run:
                inbox = Path(str(source.folder.parent)) / options.spreadsheets_to
                _hand_over(inbox / name, attached, mail.received_at)
    return found


def _spreadsheets(
    source: Source, outer: Message, letters: list[tuple[str, str, _Letter, bytes | None]]
) -> Iterator[tuple[str, bytes, str]]:
    """Spreadsheets of a mail: the name in the inbox, the bytes, and the place in the mail.

    A spreadsheet with the same sender and name replaces the one that was sent before. Two
    spreadsheets of one mail never have the same name in the inbox.
    """
    names: set[str] = set()
    for _, place, letter, _ in letters:
        who = source.digest(f"{_address(outer)}\0{_address(letter.message)}".encode()).hex()[:12]
        for name, attached in letter.spreadsheets:
            path = Path(name.replace("\\", "/"))
            stem = re.sub(r"[^\w \-]+", "_", path.stem).strip(" _")[:80] or "lampiran"
            stem = distinct(f"{stem} {who}", names)
            names.add(stem)
            yield f"{stem}{path.suffix.casefold()}", attached, place


class _Letter(NamedTuple):
    """A mail, opened: its texts, what was attached, and the mails within."""

    message: Message
    automatic: str | None
    text: str
    attachments: list[dict[str, Any]]
    spreadsheets: list[tuple[str, bytes]]
    letters: list[Message]


def _opened(evidence: Evidence, message: Message) -> _Letter:
    automatic = _automatic(message)
    texts: list[str] = []
    attachments: list[dict[str, Any]] = []
    spreadsheets: list[tuple[str, bytes]] = []
    letters: list[Message] = []
    for number, (role, part) in enumerate(_parts(message), 1):
        if number > _MAX_PARTS:
            raise ValueError("too many parts")
        kind = part.get_content_type()
        if role == "text":
            text = _text(part)
            is_page = kind == "text/html" and len(text) <= _MAX_PAGE
            texts.append(plain(text) if is_page else text)
        elif automatic:
            continue  # a bounce contains the mail that this office sent
        elif role == "letter":
            payload = part.get_payload()
            letters += [each for each in payload if isinstance(each, Message)]
        else:
            content = _content(part)
            name = _filename(part)
            kept = evidence.keep(BytesIO(content))
            entry = {"nama": name, "jenis": kind, "isi": kept.media_type, "ukuran": kept.size}
            attachments.append({**entry, "sha256": kept.sha256.hex()})
            if Path(name).suffix.casefold() in SPREADSHEETS:
                spreadsheets.append((name, content))
    text = "\n".join(texts).replace("\r\n", "\n").strip()
    return _Letter(message, automatic, text, attachments, spreadsheets, letters)


def _fields(template: Template, letter: _Letter) -> dict[str, Any]:
    message, text = letter.message, letter.text
    name, address = parseaddr(_header(message, "From"))
    subject = _header(message, "Subject")
    fields: dict[str, Any] = {FROM: address.casefold() or name, NAME: _decoded(name)}
    if letter.automatic:
        return {**fields, MARK: letter.automatic, WHOLE: f"{_decoded(subject)}\n\n{text}"}
    earlier = _EARLIER.search(text)
    written = text[: earlier.start()].rstrip() if earlier else text
    shown, values, is_tip = template.read(written)
    if shown != text:
        fields[WHOLE] = text
    recipients = getaddresses([_header(message, "To"), _header(message, "Cc")])
    fields[TO] = ", ".join(address for _, address in recipients if address)
    fields[SUBJECT] = _decoded(subject)
    fields[DATE] = _date(_header(message, "Date"))
    if letter.attachments:
        fields[ATTACHMENTS] = letter.attachments
    fields = {label: value for label, value in fields.items() if value}
    return {**fields, TEXT: shown, MARK: "templat" if is_tip else "surat", **values}


def _identity(message: Message) -> bytes | None:
    """The content that identifies a mail, however it was transported; None without a Message-ID.

    It covers everything of which the delivery is made, so no other mail can replace it: texts,
    attachments, their nesting, and whether the mail is automatic.
    """
    if not _header(message, "Message-ID"):
        return None
    whole = sha256()
    for part in message.walk():
        content = b""
        if not part.is_multipart():
            content = _content(part)
            if part.get_content_maintype() == "text":
                content = content.replace(b"\r\n", b"\n").strip()
        compared = (
            *(
                _header(part, name)
                for name in ("Message-ID", "From", "To", "Cc", "Subject", "Date")
            ),
            *(_automatic(part), part.get_content_type(), part.get_content_charset() or "us-ascii"),
            *(part.get_content_disposition(), _filename(part)),
            len(part.get_payload()) if part.is_multipart() else None,
            sha256(content).hexdigest(),
        )
        whole.update(_bytes(repr(compared)))
    return whole.digest()


def _bytes(text: str) -> bytes:
    return text.encode(errors="backslashreplace")


class _MessageIds:
    """The Message-IDs of this pull and of earlier ones."""

    def __init__(self, source: Source) -> None:
        self._message_keys = source.message_keys
        self._seen = SeenIds()

    def is_second(self, key: MessageKey) -> bool:
        """Note a mail; returns whether it is the first other mail with a known Message-ID."""
        slot = key.slot.hex()
        known: list[str] = []
        is_first = self._seen.add(slot)
        if is_first:
            known = [f"{slot} {each.text_id}" for each in self._message_keys((key.slot,))]
            self._seen.update(known)
        is_other = self._seen.add(f"{slot} {key.text_id}")
        if len(known) > 1:  # quarantined when the second one was read
            self._seen.add(f"{slot} listed")
        is_reused = is_other and (bool(known) or not is_first)
        return is_reused and self._seen.add(f"{slot} listed")


def _former_ids(source: Source, mail: Mail) -> list[str]:
    """The ids that a mail and its forwarded mails had in versions whose ids left out the content.

    Anybody who knew a mail's Message-ID, sender and date could overwrite its delivery then.
    """
    if mail.kept is None or mail.kept.size > MAX_PARSED:
        return []
    with suppress(*_BROKEN):
        message = _parsed(mail.kept)
        letters = [message, *_opened(source.evidence, message).letters]
        return [
            source.digest(
                _bytes("\0".join((message_id, _address(letter), _header(letter, "Date"))))
            ).hex()
            for letter in letters
            if (message_id := _header(letter, "Message-ID"))
        ]
    return []


def _parsed(kept: Kept) -> Message:
    count = 0

    def part(policy: Compat32) -> Message:
        nonlocal count
        count += 1
        if count > _MAX_ALL_PARTS:
            raise ValueError("more parts than a mail has")
        return Message(policy)

    with kept.open("rb") as stream:
        # typeshed knows no factory that takes the policy
        return BytesParser(part, policy=_Bounded()).parse(stream)  # type: ignore[arg-type]


def _automatic(message: Message) -> str | None:
    """Whether a program wrote it: a bounce or receipt (RFC 3464, 8098), or a reply (RFC 3834).

    Forms on web sites send `auto-generated` mails, which are reports.
    """
    if message.get_content_type() == "multipart/report":
        return BOUNCE
    local = _address(message).partition("@")[0]
    submitted = _header(message, "Auto-Submitted").casefold()
    returns_nowhere = _header(message, "Return-Path") == "<>" or submitted.startswith("auto-")
    if local in ("mailer-daemon", "postmaster") and (
        returns_nowhere or _header(message, "X-Failed-Recipients")
    ):
        return BOUNCE
    if (
        submitted.startswith("auto-replied")
        or any(_header(message, name) for name in ("X-Autoreply", "X-Autorespond"))
        or _header(message, "Precedence").casefold() == "auto_reply"
        or _AUTOMATIC_SUBJECT.match(_decoded(_header(message, "Subject")))
    ):
        return AUTOMATIC
    return None


def _trusted(options: EmailSource) -> list[str]:
    return [each.casefold() for each in options.spreadsheets_from]


def _is_host(address: str, trusted: str) -> bool:
    return trusted.startswith("@") and address.endswith(trusted)


def _hand_over(path: Path, content: bytes, moment: datetime) -> None:
    """Put a spreadsheet into a register channel's inbox, unless a newer file is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_mtime > moment.timestamp():
        return  # an earlier mail, read again
    draft = path.with_name(f".draft-{secrets.token_hex(8)}")
    try:
        draft.write_bytes(content)
        os.utime(draft, (moment.timestamp(),) * 2)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


# -- MIME ------------------------------------------------------------------------------------------


def _parts(
    part: Message, depth: int = 0, *, has_plain_text: bool = False
) -> Iterator[tuple[str, Message]]:
    """The parts of a mail with their role: `text`, `attachment` or `letter` (a forwarded mail).

    Of alternative texts only one counts: the plain one, unless it is empty.
    """
    if depth > _MAX_DEPTH:
        raise ValueError("nested too deep")
    kind = part.get_content_type()
    if kind == "message/rfc822" and part.is_multipart():
        yield "letter", part
    elif part.is_multipart() and part.get_content_maintype() == "multipart":
        children = [each for each in part.get_payload() if isinstance(each, Message)]
        if kind == "multipart/alternative" and not has_plain_text:
            has_plain_text = any(
                each.get_content_type() == "text/plain" and _text(each).strip() for each in children
            )
            for each in children:
                if has_plain_text and each.get_content_type() == "text/plain":
                    yield from _parts(each, depth + 1)
                else:
                    yield from _parts(each, depth + 1, has_plain_text=has_plain_text)
            return
        for each in children:
            yield from _parts(each, depth + 1, has_plain_text=has_plain_text)
    elif part.get_content_disposition() == "attachment" or _filename(part):
        yield "attachment", part
    elif part.get_content_maintype() in ("text", "multipart"):
        if not has_plain_text:
            yield "text", part
    else:
        yield "attachment", part


def _header(message: Message, name: str) -> str:
    """A header's raw value, unfolded; bytes beyond ASCII are read as UTF-8 or Latin-1."""
    found = next((v for k, v in message.raw_items() if k.casefold() == name.casefold()), "")
    raw = str(found).encode("utf-8", "surrogateescape")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return " ".join(filter(None, (line.strip() for line in re.split(r"[\r\n]+", text))))


def _decoded(text: str) -> str:
    """RFC 2047 words as text."""
    if "=?" not in text:
        return text
    with suppress(HeaderParseError, ValueError):
        return "".join(
            part if isinstance(part, str) else _in_charset(part, charset)
            for part, charset in decode_header(text)
        )
    return text


def _address(message: Message) -> str:
    return parseaddr(_header(message, "From"))[1].casefold()


def _date(text: str) -> str:
    """The Date header as ISO 8601 if it is a date, else its text."""
    try:
        return parsedate_to_datetime(text).isoformat() if text else ""
    except (ValueError, TypeError, OverflowError):
        return text


def _filename(part: Message) -> str:
    """An attachment's name (RFC 2231, or RFC 2047 as many programs write it), without a path."""
    name = part.get_filename() or ""
    return _decoded(" ".join(str(name).split()))


def _content(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _text(part: Message) -> str:
    if (
        part.get_content_maintype() == "multipart"
    ):  # its boundary is wrong, so the parser found no parts
        return _in_charset(_content(part), None)
    return _in_charset(_content(part), part.get_content_charset())


def _in_charset(content: bytes, charset: str | None) -> str:
    """Bytes decoded in the declared charset, else in UTF-8, else in Windows-1252."""
    claimed = (charset or "").casefold()
    # gb2312 is read as its superset, ASCII as unknown; the last two are slow on long input
    name = {"gb2312": "gb18030", "us-ascii": "", "idna": "", "punycode": ""}.get(claimed, claimed)
    for each in filter(None, (name, "utf-8")):
        with suppress(LookupError, ValueError):
            if codecs.lookup(each).name not in ("idna", "punycode"):
                return content.decode(each)
    return content.decode("cp1252", "replace")
