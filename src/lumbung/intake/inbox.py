"""Files that a person uploads into the inbox of a channel, which the next pull reads.

Only the connector opens them. It keeps their bytes as evidence.

Where machines share no disk (`Settings.shared_evidence`), the bytes go to the evidence of all
machines at once, `ops.inbox_file` lists them, and each pull writes them into the inbox of its own
machine. The list has their names encrypted, because a name may be that of a person.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import unicodedata
from contextlib import closing, suppress
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import BinaryIO, NamedTuple

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from lumbung import database
from lumbung.errors import DISK, FULL, LumbungError
from lumbung.intake.channel.models import Channel
from lumbung.intake.evidence import Evidence, FileKeys
from lumbung.intake.vault import EvidenceKeys, Vault, associate, hold_to_one_key
from lumbung.locks import locked
from lumbung.settings import Settings

MAX_BYTES = 100 << 20
"""The largest file that is taken. A larger one is put into the folder on the server."""
MAX_NAME = 120
"""Bytes of a file's name."""
LOCK_SECONDS = 60
"""How long an upload waits for another one into the same inbox."""
_PIECE = 1 << 20


class UploadError(LumbungError):
    """A file that was not taken; nothing has changed."""


class NoInboxError(UploadError):
    """The channel reads no files from an inbox."""


class FileNameError(UploadError):
    """The channel reads no file with this name."""


class EmptyFileError(UploadError):
    """The file holds nothing."""


class TooLargeFileError(UploadError):
    """The file has more than `MAX_BYTES`."""


class UnreadFileError(UploadError):
    """Another file with this name waits for the next pull."""


class FullDiskError(UploadError):
    """The disk of the inbox is full."""


def pattern(channel: Channel) -> str | None:
    """Return which files a channel reads from its inbox, a glob; None: it reads from a server."""
    if channel.connection is not None:
        return None
    found: str | None = getattr(channel.source, "files", None)
    return found


def receive(
    stream: BinaryIO,
    name: str,
    channel: Channel,
    *,
    by: str,
    reason: str = "",
    settings: Settings,
    database_url: str,
) -> str:
    """Put a file into a channel's inbox; the audit log says who, how large and which bytes.

    A file that has the same name and that a pull has read is replaced: its bytes are in the
    evidence store. One that waits to be read is never replaced. A pull never sees half a file.

    Args:
        stream: the file's bytes.
        name: its name as the person's browser gave it.
        channel: the channel.
        by: the account that uploads it.
        reason: why, without the name of any person.
        settings: where the inbox is.
        database_url: the warehouse, as `steward`.

    Returns:
        the name that the file has in the inbox.

    Raises:
        UploadError: when the file is not taken; nothing has changed then.
        ServiceError: when another upload into the inbox does not end within `LOCK_SECONDS`, or the
            database does not answer; likewise.

    """
    folder = settings.inbox / channel.name
    where = f"the inbox of {channel.name}"
    files = pattern(channel)
    if files is None:
        raise NoInboxError(
            "the channel has no inbox", where=where, remediation="send the file to its source"
        )
    name = safe_name(name)
    if not name or not fnmatch(name.casefold(), files.casefold()):
        raise FileNameError(
            "the channel reads no file with this name",
            where=where,
            remediation=f"give it a name like {files}",
        )
    draft = folder / f".upload-{secrets.token_hex(8)}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        sha256, size = _write(stream, draft, where)
        what = "another upload into this inbox is running"
        with locked(folder, seconds=LOCK_SECONDS, what=what):
            target = folder / name
            before = _sha256(target)
            with database.connect(database_url, application="lumbung upload") as connection:
                if settings.shared_evidence:
                    vault = Vault.load(settings.home)
                    name_hash = _name_hash(vault, name)
                    connection.execute("select pg_advisory_xact_lock(hashtext('lumbung.inbox'))")
                    before = {
                        each.name_hash: each.sha256 for each in _uploaded(connection, channel)
                    }.get(name_hash)
                if before not in (None, sha256) and not _is_read(connection, channel, before):
                    raise UnreadFileError(
                        "another file with this name waits to be read",
                        where=where,
                        remediation="have the channel pulled, then upload the file again",
                    )
                if settings.shared_evidence:
                    with (
                        closing(EvidenceKeys(database_url, vault)) as keys,
                        draft.open("rb") as file,
                    ):
                        store = Evidence(settings.evidence, keys, shared=settings.shared_evidence)
                        store.keep(file)
                        store.flush()
                    connection.execute(
                        "insert into ops.inbox_file"
                        " (channel, name_hash, sealed_name, sha256, uploaded_by)"
                        " values (%s, %s, %s, %s, %s)",
                        (channel.name, name_hash, _sealed(vault, channel.name, name), sha256, by),
                    )
                # Last: until the commit it lets nobody else write into the audit log.
                content = {"channel": channel.name, "bytes": size, "sha256": sha256.hex()}
                content |= {"reason": reason} if reason else {}
                connection.execute("select ops.record_upload(%s, %s)", (by, Jsonb(content)))
            if settings.shared_evidence is None and before != sha256:
                draft.replace(target)
                _flush(folder)
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise FullDiskError(
            f"{DISK} ({error.strerror})", where=where, remediation="free space, then upload again"
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    return name


class _Uploaded(NamedTuple):
    """A file that the desk took where machines share no disk."""

    name_hash: bytes
    sealed_name: bytes
    sha256: bytes
    uploaded_at: datetime


def _uploaded(connection: psycopg.Connection, channel: Channel) -> list[_Uploaded]:
    """The newest file of each name."""
    return (
        connection.cursor(row_factory=class_row(_Uploaded))
        .execute(
            "select distinct on (name_hash) name_hash, sealed_name, sha256, uploaded_at"
            " from ops.inbox_file where channel = %s order by name_hash, inbox_file_id desc",
            (channel.name,),
        )
        .fetchall()
    )


def _name_hash(vault: Vault, name: str) -> bytes:
    """A keyed hash by which uploads of one name are found."""
    return vault.content_hash(b"inbox\n" + name.encode())


def _sealed(vault: Vault, channel: str, name: str) -> bytes:
    return vault.seal(name.encode(), associate(channel, "inbox"))


def seal_names(connection: psycopg.Connection, vault: Vault) -> int:
    """Encrypt the names that an earlier version kept in clear, or with an earlier vault key.

    Args:
        connection: to the warehouse, as `custodian`, in autocommit.
        vault: of the installation.

    Returns:
        the number of names.

    """
    rows: list[tuple[int, str, str | None, bytes | None]] = connection.execute(
        "select inbox_file_id, channel, name, sealed_name from ops.inbox_file"
    ).fetchall()
    changed = []
    for number, channel, clear, sealed in rows:
        if sealed is not None and vault.is_newest(sealed[1:]):
            continue
        place = associate(channel, "inbox")
        name = clear if sealed is None else vault.unseal(sealed, place).decode()
        assert name is not None  # noqa: S101 - a row has one of the two
        changed.append((_name_hash(vault, name), _sealed(vault, channel, name), number))
    if changed:
        with connection.transaction():
            hold_to_one_key(connection, vault)
            connection.cursor().executemany(
                "update ops.inbox_file set name = null, name_hash = %s, sealed_name = %s"
                " where inbox_file_id = %s",
                changed,
            )
        connection.execute("vacuum (full) ops.inbox_file")
    return len(changed)


def fetch(
    connection: psycopg.Connection,
    channel: Channel,
    settings: Settings,
    keys: FileKeys,
    vault: Vault,
) -> None:
    """Write what the desk took, on whatever machine, into this machine's inbox of a channel.

    Where machines share a disk, there is nothing to do. A file that was erased since stays away.

    Args:
        connection: to the warehouse, as `loader`.
        channel: the channel that is about to be pulled.
        settings: where the inbox and the evidence are.
        keys: of the evidence.
        vault: opens the files' names.

    Raises:
        ServiceError: when the object store does not answer.

    """
    if settings.shared_evidence is None or pattern(channel) is None:
        return
    folder = settings.inbox / channel.name
    store = Evidence(settings.evidence, keys, shared=settings.shared_evidence)
    for each in _uploaded(connection, channel):
        name = vault.unseal(each.sealed_name, associate(channel.name, "inbox")).decode()
        target = folder / name
        if _sha256(target) == each.sha256 or (kept := store.find(each.sha256)) is None:
            continue
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = folder / f".upload-{secrets.token_hex(8)}"
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with kept.open("rb") as stream, os.fdopen(descriptor, "wb") as copy:
                shutil.copyfileobj(stream, copy, 1 << 20)
            # The same moment on every machine; a file of just now would have to settle first.
            moment = each.uploaded_at.timestamp()
            os.utime(draft, (moment, moment))
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)


def safe_name(given: str) -> str:
    """Return a name for a file without folders and without characters that nobody sees.

    Args:
        given: what a browser sent; empty where nothing of it can be kept.

    """
    last = given.replace("\\", "/").rpartition("/")[2]
    shown = "".join(
        " " if each.isspace() else each
        for each in unicodedata.normalize("NFC", last)
        if each.isspace() or unicodedata.category(each)[0] != "C"
    )
    # a connector reads no name that begins so
    name = " ".join(shown.split()).lstrip(".~$ ")
    stem, dot, ending = name.rpartition(".")
    if not stem:
        stem, dot, ending = name, "", ""
    room = MAX_NAME - len(f"{dot}{ending}".encode())
    if room <= 0:
        return ""
    return stem.encode()[:room].decode(errors="ignore").strip() + dot + ending


def _write(stream: BinaryIO, draft: Path, where: str) -> tuple[bytes, int]:
    """Copy a stream to a new private file; return its sha256 and size."""
    digest, size = hashlib.sha256(), 0
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while piece := stream.read(_PIECE):
            size += len(piece)
            if size > MAX_BYTES:
                raise TooLargeFileError(
                    f"the file has more than {MAX_BYTES} bytes",
                    where=where,
                    remediation="have it put into the folder on the server",
                )
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    if not size:
        raise EmptyFileError("the file is empty", where=where, remediation="choose another file")
    return digest.digest(), size


def _sha256(path: Path) -> bytes | None:
    """The hash of a file; None: there is none. A link is not followed: its own name is hashed."""
    with suppress(FileNotFoundError):
        if path.is_symlink():
            return hashlib.sha256(os.fsencode(path)).digest()
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    return None


def _is_read(connection: psycopg.Connection, channel: Channel, sha256: bytes | None) -> bool:
    """Whether a pull has read a file with these bytes to its end."""
    row = connection.execute(
        "select exists (select from ops.channel_cursor, jsonb_each_text(cursor -> 'files')"
        " where channel = %s and value = %s)",
        (channel.name, sha256 and sha256.hex()),
    ).fetchone()
    return row == (True,)


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
