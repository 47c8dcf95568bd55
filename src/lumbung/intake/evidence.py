"""The evidence store: the delivered bytes, each file named by its sha256.

The store may hold personal data, so only its owner may read its folders and files. It looks at the
first bytes of a file to identify the type, and opens no file otherwise.

Where pulls run on several machines, an object store holds every file, and each machine's folder is
a cache of it. A file is named by its content and never changes, so no copy can be outdated.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lumbung.errors import ConfigurationError, LumbungError, ServiceError
from lumbung.files import write_private

if TYPE_CHECKING:
    from upath import UPath

MAX_BYTES = 4 << 30
"""The largest file that is kept."""

_PIECE = 1 << 20
_TIMEOUT_SECONDS = 60
_HEAD = 512
_TYPES = (  # a pattern of the first bytes, and the type; the first pattern that matches decides
    (rb"\x89PNG\r\n\x1a\n", "image/png"),
    (rb"\xff\xd8\xff", "image/jpeg"),
    (rb"GIF8[79]a", "image/gif"),
    (rb"RIFF....WEBP", "image/webp"),
    (rb"RIFF....WAVE", "audio/wav"),
    (rb"II\*\0|MM\0\*", "image/tiff"),
    (rb"....ftyp(?:heic|heix|mif1|msf1)", "image/heic"),
    (rb"....ftypM4A", "audio/mp4"),
    (rb"....ftyp3g", "video/3gpp"),
    (rb"....ftypqt", "video/quicktime"),
    (rb"....ftyp", "video/mp4"),
    (rb"\x1a\x45\xdf\xa3", "video/webm"),
    (rb"OggS", "audio/ogg"),
    (rb"#!AMR", "audio/amr"),
    (rb"ID3[\x02-\x04]|\xff[\xfb\xf3\xf2]", "audio/mpeg"),
    (rb"%PDF-", "application/pdf"),
    (rb"PK(?:\x03\x04|\x05\x06)", "application/zip"),  # also docx, xlsx, ods
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),  # doc, xls, encrypted xlsx
    (rb"\x1f\x8b", "application/gzip"),
    (rb"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (rb"Rar!\x1a\x07", "application/vnd.rar"),
    (rb"MZ.{,510}\0|\x7fELF", "application/x-executable"),
    (rb"\{\\rtf", "application/rtf"),
    # HTML: WHATWG MIME Sniffing, 7.1
    (
        rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*"
        rb"<(?:!doctype html|html|head|body|script|iframe|title|style|table|div|form|h1|font|br|p"
        rb"|a|b)[\s>]",
        "text/html",
    ),
    (rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml|!doctype|[a-z])", "text/xml"),
    (rb"BEGIN:VCARD", "text/vcard"),
    (rb"[^\x00-\x08\x0e-\x1a\x1c-\x1f]+\Z", "text/plain"),
)
_SNIFFED = [(re.compile(pattern, re.DOTALL | re.IGNORECASE), kind) for pattern, kind in _TYPES]


@dataclass(frozen=True)
class Kept:
    """A file in the store: its sha256 (32 bytes), its size in bytes and its path."""

    sha256: bytes
    size: int
    path: Path

    @property
    def media_type(self) -> str:
        """The media type (IANA) according to its first bytes, whatever the file was called."""
        with self.path.open("rb") as file:
            head = file.read(_HEAD)
        found = (kind for pattern, kind in _SNIFFED if pattern.match(head))
        return next(found, "application/octet-stream")

    def is_page_for(self, claimed: str | None) -> bool:
        """Whether it is an HTML page (a login, an error) that was sent instead of the file.

        Args:
            claimed: the media type that the file should have; None if it is not known.
        """
        is_text = claimed is None or claimed.startswith(("text/", "application/xhtml"))
        return not is_text and self.media_type == "text/html"


class Readable(Protocol):
    """What gives its bytes piece by piece, such as a file."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""


class TooLargeError(LumbungError):
    """A stream is larger than any file that is kept."""


class Evidence:
    """A store in a folder (`LUMBUNG_HOME/evidence`): `ab/cdef...`.

    Args:
        folder: of the store.
        known: another store in which `recall` searches too; a dry run's temporary store has one.
        shared: the address of an object store (`s3://bucket/prefix`) that has the files of all
            machines.

    Raises:
        ConfigurationError: when `shared` is not such an address.
    """

    def __init__(self, folder: Path, known: Path | None = None, shared: str | None = None) -> None:
        self.folder = folder
        self._stores = (folder,) if known is None else (folder, known)
        self._shared = None if shared is None else _open(shared)
        self._unflushed: list[Path] = []

    def path(self, digest: bytes) -> Path:
        """The path of a file with this sha256; it exists if the file is kept.

        A file that another machine has kept is copied from the object store.

        Raises:
            ServiceError: when the object store does not answer, or its file is another one.
        """
        path = self._place(digest)
        if self._shared is not None and digest and not path.exists():
            self._fetch(self._shared / path.parent.name / path.name, path, digest)
        return path

    def _place(self, digest: bytes) -> Path:
        name = digest.hex()
        return self.folder / name[:2] / name[2:]

    def _fetch(self, source: UPath, path: Path, digest: bytes) -> None:
        draft = self.folder / f".draft-{secrets.token_hex(8)}"
        try:
            with self._reaching():
                if not source.exists():
                    return
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
                source.fs.get_file(source.path, str(draft))
            with draft.open("rb") as file:
                if file_digest(file, "sha256").digest() != digest:
                    raise ServiceError(
                        "a file of the evidence is not the bytes that were delivered",
                        where=str(source),
                        remediation="restore its earlier version, or a backup",
                    )
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    def keep(self, stream: Readable) -> Kept:
        """Store a stream, of which a megabyte at a time is in memory; a known file stays as it is.

        Call `flush` before a row that refers to the file is committed.

        Raises:
            TooLargeError: when it has more than `MAX_BYTES`: nothing of it is kept.
            ServiceError: when the store cannot be written.
        """
        digest = sha256()
        size = 0
        draft = self.folder / f".draft-{secrets.token_hex(8)}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                while piece := stream.read(_PIECE):
                    digest.update(piece)
                    size += len(piece)
                    if size > MAX_BYTES:
                        raise TooLargeError(
                            f"it has more than {MAX_BYTES} bytes",
                            where="what the source gives",
                            remediation="have it sent in parts",
                        )
                    file.write(piece)
            path = self._place(digest.digest())
            path.parent.mkdir(exist_ok=True, mode=0o700)
            # A power cut before the flush may have left a file that is shorter.
            is_new = not path.exists() or path.stat().st_size != size
            if is_new:
                draft.replace(path)
            if is_new or self._shared is not None:  # a flush that failed has not uploaded it
                self._unflushed.append(path)
        except OSError as error:
            raise self._failed(error) from error
        finally:
            draft.unlink(missing_ok=True)
        return Kept(digest.digest(), size, path)

    def flush(self) -> None:
        """Make the files that were kept so far survive a power cut; callable from any thread.

        They are then in the object store too, where there is one.

        Raises:
            ServiceError: when the disk or the object store refuses it.
        """
        while self._unflushed:
            path = self._unflushed.pop()
            try:
                descriptor = os.open(path, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
            except OSError as error:
                raise self._failed(error) from error
            if self._shared is not None:
                target = self._shared / path.parent.name / path.name
                with self._reaching():
                    if not target.exists():
                        target.fs.put_file(str(path), target.path)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Report an object store that does not answer or refuses."""
        from botocore.exceptions import BotoCoreError

        try:
            yield
        except (OSError, BotoCoreError) as error:
            raise ServiceError(
                f"the evidence cannot be shared: {error}",
                where=str(self._shared),
                remediation="correct LUMBUNG_EVIDENCE or the keys in AWS_..., then pull again",
            ) from error

    def _failed(self, error: OSError) -> ServiceError:
        return ServiceError(
            f"a delivery could not be kept as evidence: {error}",
            where=str(self.folder),
            remediation="free space on the disk or correct LUMBUNG_HOME",
        )

    def erase(self, digest: bytes) -> None:
        """Delete a file, also from the object store; other machines' copies stay.

        Raises:
            ServiceError: when the object store refuses it.
        """
        path = self._place(digest)
        path.unlink(missing_ok=True)
        if self._shared is not None:
            with self._reaching():
                (self._shared / path.parent.name / path.name).unlink(missing_ok=True)

    def remember(self, name: str, kept: Kept) -> None:
        """Remember a file under its name at the source, where it never changes (an attachment)."""
        label, text = self.folder / _label(name), f"{kept.sha256.hex()} {kept.size}"
        label.parent.mkdir(exist_ok=True, mode=0o700)
        write_private(label, text)
        if self._shared is not None:
            with self._reaching():
                (self._shared / _label(name).as_posix()).write_text(text)

    def recall(self, name: str) -> Kept | None:
        """The file that was remembered under a name, if it is still in the store."""
        for store in self._stores:
            try:
                digest, size = (store / _label(name)).read_text().split()
            except (OSError, ValueError):
                continue
            path = store / digest[:2] / digest[2:]
            if path.exists():
                return Kept(bytes.fromhex(digest), int(size), path)
        if self._shared is None:
            return None
        with self._reaching():
            try:
                digest, size = (self._shared / _label(name).as_posix()).read_text().split()
            except FileNotFoundError:
                return None
        path = self.path(bytes.fromhex(digest))
        return Kept(bytes.fromhex(digest), int(size), path) if path.exists() else None


def _open(shared: str) -> UPath:
    """Open an object store by its address, with the keys of the environment (`AWS_...`)."""
    if not shared.startswith("s3://"):
        raise ConfigurationError(
            f"{shared!r} is not the address of an object store",
            where="LUMBUNG_EVIDENCE",
            remediation="write it as s3://bucket/prefix, or leave it out",
        )
    from upath import UPath

    timeouts = {"connect_timeout": _TIMEOUT_SECONDS, "read_timeout": _TIMEOUT_SECONDS}
    return UPath(shared, skip_instance_cache=True, use_listings_cache=False, config_kwargs=timeouts)


def _label(name: str) -> Path:
    return Path("names") / sha256(name.encode(errors="surrogatepass")).hexdigest()
