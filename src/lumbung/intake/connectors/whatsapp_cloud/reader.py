"""WhatsApp Cloud API: webhook requests as a gateway archived them.

Specification: Meta, "WhatsApp Business Platform, Webhooks" (payload) and "Validating payloads"
(signature). A request is accepted only if `X-Hub-Signature-256` fits its raw bytes and the app
secret; any other request is quarantined. Requests may come twice, in any order and in batches. A
message is identified by its `wamid`, which is hashed because it holds the sender's number.

An edit is a new version of the edited message. It is yielded after that message, in whatever order
they arrived, and has the same time of receipt: an edit does not move a report to another week. A
revoked message is withdrawn. Revocations, statuses and errors are no deliveries. In memory are one
request, and the edits and revocations of the whole archive.

Fields: `Pengirim` (number, else the business-scoped user id), `Nama profil`, `Teks` (text, caption
or chosen answer, without personal lines), `Tanda`, `Jenis`, `Media` (ids, no files), the template's
labels, and `Pesan (utuh)`: the whole message without media addresses, which expire.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import PurePath
from typing import Any, NamedTuple

from lumbung.errors import SourceError
from lumbung.intake.connectors.base import Delivery, Item, Source, Unreadable
from lumbung.intake.connectors.shared.files import File, Folder
from lumbung.intake.connectors.shared.jsontext import parse_json
from lumbung.intake.connectors.shared.template import Template
from lumbung.intake.connectors.whatsapp_cloud.config import WhatsappCloudSource

SENDER, PROFILE, TEXT, MARK = "Pengirim", "Nama profil", "Teks", "Tanda"
TYPE, MEDIA, WHOLE = "Jenis", "Media", "Pesan (utuh)"
"""Labels that this connector creates."""

_SIGNATURE = "x-hub-signature-256"
_MAX_LINE = 32 << 20  # Meta sends at most 3 MB, and a gateway's escaping makes it longer
_MAX_TEXT = 1 << 20
_MEDIA_TYPES = ("image", "video", "audio", "document", "sticker")


class _Request(NamedTuple):
    """A request of the archive, not yet verified."""

    body: bytes
    signature: str
    file: File
    locator: str

    def refused(self, code: str, reason: str) -> Unreadable:
        content = {"body": self.body.decode(errors="replace"), "signature": self.signature}
        return Unreadable(
            code, reason, content, self.file.changed_at, self.file.sha256, self.locator
        )


class _Message(NamedTuple):
    """A message of a verified request."""

    wamid: str
    sent_at: datetime
    content: Mapping[str, Any]
    contact: Mapping[str, Any]
    request: _Request


def read(source: Source) -> Iterator[Item]:
    """Every message of every archived request, each followed by its edits."""
    options = source.channel.source
    assert isinstance(options, WhatsappCloudSource)  # noqa: S101 - the kind says so
    secrets = _secrets(source)
    own = (SENDER, PROFILE, TEXT, MARK, TYPE, MEDIA, WHOLE)
    give = partial(_delivery, source, Template(source.channel, options.marker, own))
    folder = Folder(source, options.files)
    files: dict[str, File] = {}
    for file in folder:
        if isinstance(file, Unreadable):
            yield file
        else:
            files[file.name] = file
    edits: dict[str, list[_Message]] = {}
    revoked: dict[str, None] = {}
    for message in _messages(files, secrets):
        if isinstance(message, _Message) and (original := _original(message)):
            if message.content["type"] == "edit":
                edits.setdefault(original, []).append(message)
            else:
                revoked[original] = None
    for message in _messages(files, secrets):
        if isinstance(message, Unreadable):
            yield message
        elif _original(message) is None:
            # a message changes only by an edit, so a known content of it is no change back
            yield give(message, message.wamid, message.sent_at, is_repeat=True)
            for change, is_last in _ordered(edits.pop(message.wamid, ())):
                is_repeat = not is_last or message.wamid in revoked
                yield give(change, message.wamid, message.sent_at, is_repeat=is_repeat)
    for original, changes in edits.items():
        for change, is_last in _ordered(changes):
            is_repeat = not is_last or original in revoked
            yield give(change, original, min(map(_when, changes)), is_repeat=is_repeat)
    yield folder.checkpoint()._replace(
        withdrawn=tuple(_source_id(source, each) for each in revoked)
    )


def _secrets(source: Source) -> list[bytes]:
    """The app secrets, current and earlier, with which requests may be signed."""
    connection = source.connection
    former = connection.extra.get("former_secrets", []) if connection else []
    secrets = [connection.password if connection else None, *former]
    if not secrets[0] or not all(isinstance(secret, str) for secret in secrets):
        raise SourceError(
            "the app secret that requests are signed with is not known",
            where=f"channel {source.channel.name}",
            remediation=f"set it as password of the connection {source.channel.connection!r}",
        )
    return [str(secret).encode() for secret in secrets]


# -- from files to messages ------------------------------------------------------------------------


def _messages(files: Mapping[str, File], secrets: list[bytes]) -> Iterator[_Message | Unreadable]:
    for file in files.values():
        suffix = PurePath(file.name).suffix.casefold()
        if suffix == ".headers":
            continue
        for request in _lines(file) if suffix in (".jsonl", ".ndjson") else _single(file, files):
            if isinstance(request, Unreadable):
                yield request
            elif _is_signed(request, secrets):
                yield from _unpacked(request)
            else:
                yield request.refused(
                    "bad_signature",
                    "tanda tangan permintaan tidak ada atau salah; periksa rahasia aplikasi di"
                    " koneksi, atau abaikan bila tidak dikirim oleh WhatsApp",
                )


def _lines(file: File) -> Iterator[_Request | Unreadable]:
    """The requests of a JSON lines file: `{"headers": {...}, "body": "..."}` a line."""
    with file.content.open("rb") as stream:
        for number, line in enumerate(iter(lambda: stream.readline(_MAX_LINE), b""), 1):
            locator = file.locator(f"baris {number}")
            if len(line) == _MAX_LINE and not line.endswith(b"\n"):
                while (rest := stream.readline(_MAX_LINE)) and not rest.endswith(b"\n"):
                    pass
                yield _too_large(file, locator)
                continue
            if not line.strip():
                continue
            try:
                entry = parse_json(line)
                if "body_base64" in entry:
                    body = base64.b64decode(entry["body_base64"], validate=True)
                else:
                    body = entry["body"].encode()
                headers = entry.get("headers") or {}
                found = {str(name).casefold(): value for name, value in headers.items()}
            except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
                yield Unreadable(
                    "unreadable_message",
                    "baris arsip bukan permintaan yang utuh; salin ulang dari gerbang penerimanya",
                    {"line": line.decode(errors="replace")},
                    file.changed_at,
                    file.sha256,
                    locator,
                )
                continue
            signature = found.get(_SIGNATURE, "")
            if isinstance(signature, list):
                signature = signature[0] if signature else ""
            yield _Request(body, str(signature), file, locator)


def _single(file: File, files: Mapping[str, File]) -> Iterator[_Request | Unreadable]:
    """A file that is one raw body; its headers are in the file `<name>.headers` beside it."""
    with file.content.open("rb") as stream:
        body = stream.read(_MAX_LINE + 1)
    if len(body) > _MAX_LINE:
        yield _too_large(file, file.name)
        return
    beside = files.get(f"{PurePath(file.name).stem}.headers") or files.get(f"{file.name}.headers")
    signature = ""
    if beside:
        with beside.content.open(encoding="latin-1") as text:
            for line in islice(text, 200):
                name, _, value = line[:1000].partition(":")
                if name.strip().casefold() == _SIGNATURE:
                    signature = value.strip()
    yield _Request(body, signature, file, file.name)


def _too_large(file: File, locator: str) -> Unreadable:
    return Unreadable(
        "too_large",
        "permintaan jauh lebih besar daripada yang dikirim WhatsApp; periksa berkas arsipnya",
        {"sha256": file.sha256.hex(), "locator": locator},
        file.changed_at,
        file.sha256,
        locator,
    )


def _is_signed(request: _Request, secrets: list[bytes]) -> bool:
    given = request.signature.encode(errors="replace")
    signed = [
        b"sha256=" + hmac.new(secret, request.body, sha256).hexdigest().encode()
        for secret in secrets
    ]
    return any([hmac.compare_digest(given, each) for each in signed])  # noqa: C419 - constant time


def _unpacked(request: _Request) -> Iterator[_Message | Unreadable]:
    """The messages of a verified request; nothing for statuses and errors."""
    damaged = "isi permintaan bukan data pesan WhatsApp; periksa langganan webhook aplikasinya"
    try:
        body = parse_json(request.body)
        values = [
            change["value"]
            for entry in body["entry"]
            for change in entry["changes"]
            if change["field"] == "messages"
        ]
        # a gateway may write what is absent as null
        batches = [
            ([*(value.get("messages") or ())], [*(value.get("contacts") or ())]) for value in values
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        yield request.refused("unreadable_message", damaged)
        return
    for messages, contacts in batches:
        for content in messages:
            if not isinstance(content, dict):
                refused = request.refused("unreadable_message", damaged)
                yield refused._replace(content={"message": content})
                continue
            wamid, sent_at = content.get("id"), _moment(content.get("timestamp"))
            if not isinstance(wamid, str) or not wamid or sent_at is None:
                code, reason = (
                    ("unusable_source_id", "pesan tidak memiliki id; laporkan ke pengelola gerbang")
                    if sent_at
                    else ("unreadable_date", "waktu pesan tidak ada; laporkan ke pengelola gerbang")
                )
                refused = request.refused(code, reason)
                yield refused._replace(content={"message": content})
                continue
            yield _Message(wamid, sent_at, content, _contact(content, contacts), request)


def _moment(stamp: object) -> datetime | None:
    """The moment of a Unix time, which is sent as text."""
    try:
        return datetime.fromtimestamp(int(str(stamp)), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _contact(message: Mapping[str, Any], contacts: Sequence[Any]) -> dict[str, Any]:
    """The sender among a batch's contacts."""
    known = [contact for contact in contacts if isinstance(contact, dict)]
    given = (message.get("from"), message.get("from_user_id"))
    senders = [sender for sender in given if isinstance(sender, str)]
    for contact in known:
        if contact.get("wa_id") in senders or contact.get("user_id") in senders:
            return contact
    return known[0] if len(known) == 1 and not senders else {}


# -- from messages to deliveries -------------------------------------------------------------------


def _original(message: _Message) -> str | None:
    """The id of the message that this one edits or revokes; None for any other message."""
    kind = message.content.get("type")
    change = _part(message.content, kind) if kind in ("edit", "revoke") else {}
    original = change.get("original_message_id")
    return original if isinstance(original, str) and original else None


def _when(message: _Message) -> datetime:
    return message.sent_at


def _ordered(edits: Sequence[_Message]) -> Iterator[tuple[_Message, bool]]:
    """Edits in the order in which they were made, each with whether it is the last one.

    Only the last edit may be landed again: if the message arrived after its edit, the message has
    become the latest version, and the edit must become it again.
    """
    ordered = sorted(edits, key=_when)
    return ((edit, edit is ordered[-1]) for edit in ordered)


def _source_id(source: Source, wamid: str) -> str:
    return source.digest(wamid.encode(errors="backslashreplace")).hex()


def _delivery(
    source: Source,
    template: Template,
    message: _Message,
    wamid: str,
    received_at: datetime,
    *,
    is_repeat: bool,
) -> Delivery | Unreadable:
    fields = _fields(template, message)
    request = message.request
    source_id = _source_id(source, wamid)
    if len(str(fields[TEXT])) > _MAX_TEXT:
        reason = "pesan terlalu panjang; periksa berkas arsipnya"
        refused = request.refused("too_large", reason)
        return refused._replace(received_at=received_at, source_id=source_id)
    return Delivery(source_id, received_at, fields, request.file.sha256, request.locator, is_repeat)


def _fields(template: Template, message: _Message) -> dict[str, Any]:
    content, contact = message.content, message.contact
    kind = str(content.get("type"))
    sender = next(
        filter(
            None,
            (
                *(content.get("from"), contact.get("wa_id")),
                *(content.get("from_user_id"), contact.get("user_id")),
            ),
        ),
        "",
    )
    profile = _part(contact, "profile").get("name")
    fields: dict[str, Any] = {SENDER: sender, TYPE: kind, WHOLE: _lasting(content)}
    if profile:
        fields[PROFILE] = profile
    edited = ""
    if kind == "edit":
        content = _part(_part(content, "edit"), "message")
        fields[TYPE] = kind = str(content.get("type"))
        edited = ", diedit"
    text = _text(kind, content)
    shown, values, is_tip = template.read(text)
    mark = "obrolan"
    if kind in _MEDIA_TYPES:
        mark = "media"
        fields[MEDIA] = {
            name: value
            for name, value in _part(content, kind).items()
            if name in ("id", "mime_type", "sha256", "voice", "animated")
        }
    elif kind in ("reaction", "system", "unsupported"):
        mark = {"reaction": "reaksi", "system": "sistem"}.get(kind, "tidak didukung")
    if is_tip:
        mark = "templat"
    return {**fields, TEXT: shown, MARK: mark + edited, **values}


def _text(kind: str, content: Mapping[str, Any]) -> str:
    """What the sender wrote or chose; vCards and changes of numbers are not the sender's words."""
    part = _part(content, kind)
    answer = _part(part, "button_reply") or _part(part, "list_reply")
    names = {"text": "body", "button": "text", "reaction": "emoji"}
    text = answer.get("title") if answer else part.get(names.get(kind, "caption"))
    return text if isinstance(text, str) else ""


def _part(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = content.get(name)
    return value if isinstance(value, dict) else {}


def _lasting(value: Any) -> Any:
    """A message without media addresses, which are signed for each request and expire."""
    if not isinstance(value, dict):
        return value
    kept = {name: _lasting(each) for name, each in value.items()}
    if "mime_type" in kept:
        kept.pop("url", None)
    return kept
