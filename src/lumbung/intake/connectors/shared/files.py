"""Reading a folder of files: which files, in what order, and which of them were read before.

The folder is the channel's inbox. If the channel's connection names one, it is a folder of an SFTP
server (`sftp://host/folder`) or a prefix of an S3 bucket (`s3://bucket/prefix`).

Every file is first copied to the evidence store and then read from there, so the bytes that were
read are the bytes that were hashed.

A symbolic link is never followed: whoever may write to the folder could make the pull read any file
of this machine, for example the vault key.
"""

from __future__ import annotations

import codecs
import errno
import logging
import os
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, TypeAlias, TypeVar, cast
from urllib.parse import urlsplit

from lumbung.errors import BARRED, FULL, LumbungError, SourceError, without_path
from lumbung.files import remote_options
from lumbung.intake.connectors.base import (
    Checkpoint,
    FileReading,
    Item,
    Source,
    SourceConnection,
    Unreadable,
)
from lumbung.intake.evidence import Kept, TooLargeError
from lumbung.intake.parsers.archives import is_bomb as is_bomb

if TYPE_CHECKING:
    from upath import UPath

log = logging.getLogger(__name__)

T = TypeVar("T")
Content: TypeAlias = Path | Kept
"""A file that is opened for reading: a sample, or one of the evidence store."""


def open_folder(inbox: Path, connection: SourceConnection | None) -> UPath:
    """The folder that a channel reads: its inbox, or the one of an SFTP or S3 connection.

    Args:
        inbox: the channel's inbox.
        connection: host `sftp://host/folder` (login, password or extra `private_key`; extra
            `host_key`, the server's public key, else the account's known_hosts decides) or
            `s3://bucket/prefix` (login and password are the access key; extra `endpoint_url`,
            `region_name`). Any other connection leaves the inbox.

    Raises:
        SourceError: when a key of the connection cannot be read.
    """
    from upath import UPath

    if connection is None or not _is_remote(connection):
        return UPath(inbox)
    address, extra = connection.host, connection.extra
    # A cached file system may hold an old listing or a dead connection.
    scheme = urlsplit(address).scheme
    options: dict[str, Any] = {"skip_instance_cache": True, **remote_options(scheme)}
    if scheme == "s3":
        options |= {"key": connection.login, "secret": connection.password}
        client = {name: extra[name] for name in ("endpoint_url", "region_name") if name in extra}
        return cast("UPath", UPath(address, client_kwargs=client, **options))
    import asyncssh

    options |= {"username": connection.login}
    options |= {"password": connection.password} if connection.password else {}
    options |= {"port": connection.port} if connection.port else {}
    try:
        if "private_key" in extra:
            options["client_keys"] = [asyncssh.import_private_key(extra["private_key"])]
        if "host_key" in extra:
            options["known_hosts"] = ([asyncssh.import_public_key(extra["host_key"])], [], [])
    except asyncssh.KeyImportError as error:
        raise SourceError(
            "a key of the connection cannot be read",
            where=_shown(address),
            remediation="put the keys in OpenSSH's format into its extra (private_key, host_key)",
        ) from error
    return cast("UPath", UPath(address, **options))


def _is_remote(connection: SourceConnection) -> bool:
    return urlsplit(connection.host).scheme in ("sftp", "s3")


def _shown(address: str) -> str:
    """An address without login and password."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.hostname}{parts.path}" if parts.scheme else address


@dataclass(frozen=True)
class File:
    """A file of a channel's folder.

    Attributes:
        name: its name in the folder.
        content: its bytes, in the evidence store.
        sha256: their hash.
        changed_at: when it was last changed (UTC), which counts as the time of receipt. Never later
            than now, although another machine's clock may be ahead.
        is_repeat: whether an earlier pull read exactly these bytes under this name to the end.
    """

    name: str
    content: Content
    sha256: bytes
    changed_at: datetime
    is_repeat: bool

    def locator(self, *places: object) -> str:
        """A locator in this file: file, sheet and row, or file and line."""
        return " | ".join(str(place) for place in (self.name, *places))

    def unreadable(self, code: str, reason: str, *places: object) -> Unreadable:
        """The whole file, or a part of it, as one unreadable delivery."""
        content = {"file": self.name, "sha256": self.sha256.hex(), "code": code, "at": places}
        locator = self.locator(*places)
        return Unreadable(
            code, reason, content, self.changed_at, self.sha256, locator, is_part=True
        )


class _Seen(NamedTuple):
    """A file in a listing of the folder."""

    changed: float
    name: str
    size: int
    path: UPath


class Folder:
    """The files of a channel's folder, the oldest first, so that a newer file overrides an older.

    A file that somebody is still writing is left for the next pull. That is a file which was
    changed less than `Source.settle_seconds` ago and changes within this time, or changes while it
    is read. The clock of an SFTP server may be wrong, so each of its files is looked at twice. An
    object of S3 is complete when it appears.

    Attributes:
        unsettled: how many files were left.
    """

    def __init__(self, source: Source, pattern: str) -> None:
        self._source = source
        self._pattern = pattern.casefold()
        self._where = str(source.folder)
        if source.connection is not None and _is_remote(source.connection):
            self._where = _shown(source.connection.host)
        self._before: dict[str, str] = dict(source.cursor.get("files", {}))
        self._read: dict[str, str] = {}
        self.unsettled = 0

    def __iter__(self) -> Iterator[File | Unreadable]:
        """Each file, kept; a link, or a file that is too large, as an unreadable delivery."""
        folder = self._source.folder
        try:
            links = _links(folder)
            paths = [
                path
                for path in folder.iterdir()
                if not path.name.startswith((".", "~$"))
                and fnmatch(path.name.casefold(), self._pattern)
            ]
            found = self._settled(
                [_seen(path) for path in paths if path.name not in links and path.is_file()]
            )
        except (FileNotFoundError, NotADirectoryError):
            raise SourceError(
                "the channel's folder does not exist",
                where=self._where,
                remediation="make it and put the files there, or correct the channel's file",
            ) from None
        except Exception as error:
            raise self._failed(error) from None
        for path in sorted(paths, key=lambda each: each.name):
            if path.name in links:
                yield _link(path.name)
        now = time.time()
        for seen in sorted(found, key=lambda each: each[:2]):
            name, changed = seen.name, min(seen.changed, now)
            try:
                with _open(seen.path) as stream:
                    kept = self._source.evidence.keep(cast("BinaryIO", _Stream(stream)))
                if not self._is_atomic and self._is_unsettled(seen):
                    continue
            except TooLargeError:
                yield _too_large(name, datetime.fromtimestamp(changed, UTC))
                continue
            except LumbungError:
                raise
            except Exception as error:
                if isinstance(error, OSError) and error.errno == errno.ELOOP:
                    yield _link(name)
                    continue
                raise self._failed(error) from None
            hashed_name = self._hashed(name)
            self._read[hashed_name] = kept.sha256.hex()
            is_repeat = self._before.get(hashed_name) == kept.sha256.hex()
            changed_at = datetime.fromtimestamp(changed, UTC)
            yield File(name, kept, kept.sha256, changed_at, is_repeat)

    @property
    def _is_atomic(self) -> bool:
        return not self._source.settle_seconds or self._source.folder.protocol == "s3"

    def _settled(self, found: list[_Seen]) -> list[_Seen]:
        """The files that nobody is writing."""
        wait = self._source.settle_seconds
        if self._source.folder.protocol in ("", "file"):  # by this machine's clock
            age = time.time() - max((seen.changed for seen in found), default=0)
            wait = min(max(wait - age, 0), wait)
        if self._is_atomic or not found or not wait:
            return found
        time.sleep(wait)
        return [seen for seen in found if not self._is_unsettled(seen)]

    def _is_unsettled(self, seen: _Seen) -> bool:
        """Whether a file changed since it was listed."""
        try:
            is_unsettled = _seen(seen.path) != seen
        except FileNotFoundError:
            is_unsettled = True
        self.unsettled += is_unsettled
        return is_unsettled

    def _failed(self, error: Exception) -> SourceError:
        """The folder's failure, with the message of the library that read it."""
        cause = error.__cause__ if isinstance(error, _BrokenError) else error
        assert isinstance(cause, Exception)  # noqa: S101 - a _BrokenError has a cause
        return SourceError(
            f"the folder cannot be read: {without_path(cause)}",
            where=self._where,
            remediation="check address, account, keys and rights of the connection, then pull "
            "again",
        )

    def _hashed(self, name: str) -> str:
        """A file's name in the cursor, hashed: a chat's export is named after a person."""
        return self._source.digest(name.encode(errors="surrogatepass")).hex()

    def before(self, file: File) -> bytes | None:
        """The sha256 of other bytes that an earlier pull read under a file's name."""
        known = self._before.get(self._hashed(file.name))
        return None if known is None or file.is_repeat else bytes.fromhex(known)

    def leave(self, file: File) -> None:
        """Keep in the cursor what was read under a file's name before: it cannot be read now."""
        del self._read[self._hashed(file.name)]

    def items(
        self, read_file: Callable[[File], Iterable[Item]], *, is_listing: bool = False
    ) -> Iterator[Item]:
        """The deliveries of each file, and a checkpoint after it.

        Args:
            read_file: reads one file.
            is_listing: whether a file is a complete list, so that rows it no longer holds were
                withdrawn.
        """
        for file in self:
            if isinstance(file, Unreadable):
                yield file
                yield self.checkpoint()
            else:
                yield from guarded(file, read_file(file))
                yield self.checkpoint(file if is_listing else None)
        if self.unsettled:
            yield self.checkpoint()

    def checkpoint(self, listing: File | None = None) -> Checkpoint:
        """A checkpoint after a file, which may be a complete list."""
        return Checkpoint(
            {"files": {**self._before, **self._read}},
            None if listing is None else listing.locator(""),
            reading=None if listing is None else self.reading(listing),
            unsettled=self.unsettled,
        )

    def reading(self, file: File) -> FileReading:
        """The bytes of a file, and whether they may be cut off."""
        digest = self.before(file)
        before = None if digest is None else self._source.evidence.find(digest)
        return FileReading(file.sha256, before is not None and begin_alike(before, file.content))


def begin_alike(one: Content, other: Content) -> bool:
    """Whether the longer of two files begins with the shorter one."""
    with one.open("rb") as first, other.open("rb") as second:
        while True:
            pieces = first.read(1 << 20), second.read(1 << 20)
            length = min(map(len, pieces))
            if pieces[0][:length] != pieces[1][:length]:
                return False
            if length < 1 << 20:
                return True


def _seen(path: UPath) -> _Seen:
    status = path.stat()
    return _Seen(status.st_mtime, path.name, status.st_size, path)


def guarded(file: File, items: Iterable[T]) -> Iterator[T | Unreadable]:
    """The deliveries of a file; if its reader fails, the file is quarantined and the pull goes on.

    Raises:
        LumbungError: what the reader raises for a person to act on.
        OSError, MemoryError: when this machine is at fault.
    """
    try:
        yield from items
    except (LumbungError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL | BARRED | {errno.EIO, errno.ENOMEM}:
            raise
        place = traceback.extract_tb(error.__traceback__)[-1]
        log.warning(  # without the error's text, which may hold what was read
            "a file was quarantined: %s in %s:%s", type(error).__name__, place.name, place.lineno
        )
        reason = "berkas ini tidak dapat dibaca; simpan ulang dan kirim kembali"
        yield file.unreadable("unreadable_file", reason)


def _too_large(name: str, changed_at: datetime) -> Unreadable:
    reason = "berkas terlalu besar untuk disimpan; kirim dalam beberapa bagian"
    content = {"file": name, "changed_at": changed_at.isoformat()}
    return Unreadable("too_large", reason, content, changed_at, None, name, is_part=True)


def _links(folder: UPath) -> set[str]:
    """Names of the symbolic links in a folder."""
    if folder.protocol in ("", "file"):
        return {path.name for path in Path(str(folder)).iterdir() if path.is_symlink()}
    if folder.protocol == "s3":
        return set()
    entries = folder.fs.ls(folder.path, detail=True)
    return {Path(each["name"]).name for each in entries if each["type"] == "link"}


def _link(name: str) -> Unreadable:
    reason = "ini tautan ke berkas lain, bukan berkas; salin berkasnya sendiri ke folder ini"
    content = {"file": name, "is_link": True}
    return Unreadable(
        "unreadable_file", reason, content, datetime.now(UTC), None, name, is_part=True
    )


def _open(path: UPath) -> BinaryIO:
    """Open a file, but no symbolic link.

    Raises:
        OSError: ELOOP, when a local file has become a link since it was listed.
    """
    if path.protocol in ("", "file"):
        return os.fdopen(os.open(str(path), os.O_RDONLY | os.O_NOFOLLOW), "rb")
    return path.open("rb")


class _BrokenError(Exception):
    """Reading a file of the folder failed: no failure of the evidence store."""


class _Stream:
    """A file of the folder, whose failures are a `_BrokenError`."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        try:
            return bytes(self._stream.read(size))
        except Exception as error:
            raise _BrokenError from error


def text_encoding(content: Content) -> str:
    """The encoding of a text file.

    UTF-16 if the file begins with its byte order mark, UTF-8 if most characters beyond ASCII are
    valid UTF-8, else Windows-1252. One row in another encoding does not change how the other rows
    are read.
    """
    with content.open("rb") as stream:
        start = stream.read(2)
        if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return "utf-16"
        stream.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        broken = beyond = 0
        while piece := stream.read(1 << 20):
            text = decoder.decode(piece)
            if not text.isascii():
                broken += text.count("\ufffd")
                beyond += len(text) - len(text.encode("ascii", "ignore"))
        broken += len(decoder.decode(b"", final=True))
    return "cp1252" if 2 * broken > beyond else "utf-8-sig"
