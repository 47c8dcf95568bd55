"""The evidence store: the delivered bytes, each file named by its sha256.

The store may hold personal data, so only its owner may read its folders and files. It looks at the
first bytes of a file to identify the type, and opens no file otherwise.
"""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from lumbung.errors import LumbungError, ServiceError
from lumbung.files import write_private

MAX_BYTES = 4 << 30
"""The largest file that is kept."""

_PIECE = 1 << 20
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
    """

    def __init__(self, folder: Path, known: Path | None = None) -> None:
        self.folder = folder
        self._stores = (folder,) if known is None else (folder, known)
        self._unflushed: list[Path] = []

    def path(self, digest: bytes) -> Path:
        """The path of a file with this sha256; it exists if the file is kept."""
        name = digest.hex()
        return self.folder / name[:2] / name[2:]

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
            path = self.path(digest.digest())
            path.parent.mkdir(exist_ok=True, mode=0o700)
            # A power cut before the flush may have left a file that is shorter.
            if not path.exists() or path.stat().st_size != size:
                draft.replace(path)
                self._unflushed.append(path)
        except OSError as error:
            raise self._failed(error) from error
        finally:
            draft.unlink(missing_ok=True)
        return Kept(digest.digest(), size, path)

    def flush(self) -> None:
        """Make the files that were kept so far survive a power cut; callable from any thread.

        Raises:
            ServiceError: when the disk refuses it.
        """
        try:
            while self._unflushed:
                descriptor = os.open(self._unflushed.pop(), os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> ServiceError:
        return ServiceError(
            f"a delivery could not be kept as evidence: {error}",
            where=str(self.folder),
            remediation="free space on the disk or correct LUMBUNG_HOME",
        )

    def remember(self, name: str, kept: Kept) -> None:
        """Remember a file under its name at the source, where it never changes (an attachment)."""
        label = self.folder / _label(name)
        label.parent.mkdir(exist_ok=True, mode=0o700)
        write_private(label, f"{kept.sha256.hex()} {kept.size}")

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
        return None


def _label(name: str) -> Path:
    return Path("names") / sha256(name.encode(errors="surrogateescape")).hexdigest()
