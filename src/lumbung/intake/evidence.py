"""The evidence store: what was delivered, byte for byte, named by its sha256.

It may hold personal data, so its folders and files are readable by the owner only. Nothing in it is
ever opened: of what it keeps it looks at the first bytes, which tell what kind of file it is.
"""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from lumbung.errors import LumbungError, ServiceError
from lumbung.files import write_private

MAX_BYTES = 4 << 30
"""The largest thing that is kept."""

_PIECE = 1 << 20
_HEAD = 512
_TYPES = (  # what the first bytes say, as a pattern: the first that fits
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
    # WHATWG MIME Sniffing, 7.1: a page for people
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
    """Something in the store: its sha256 (32 bytes), its size in bytes and where it lies."""

    sha256: bytes
    size: int
    path: Path

    @property
    def media_type(self) -> str:
        """What its first bytes say it is (IANA), whatever it was called."""
        with self.path.open("rb") as file:
            head = file.read(_HEAD)
        found = (kind for pattern, kind in _SNIFFED if pattern.match(head))
        return next(found, "application/octet-stream")

    def is_page_for(self, claimed: str | None) -> bool:
        """Whether it is a page for people (a login, an error) that came in a file's place.

        Args:
            claimed: the media type the file should have; None: it is not known.
        """
        is_text = claimed is None or claimed.startswith(("text/", "application/xhtml"))
        return not is_text and self.media_type == "text/html"


class TooLargeError(LumbungError):
    """A stream goes on for longer than anything that is kept."""


class Evidence:
    """A store in a folder (`LUMBUNG_HOME/evidence`): `ab/cdef...`.

    Args:
        folder: where it lies.
        known: another store that `recall` looks into as well; a trial's store has one.
    """

    def __init__(self, folder: Path, known: Path | None = None) -> None:
        self.folder = folder
        self._stores = (folder,) if known is None else (folder, known)
        self._unflushed: list[Path] = []

    def path(self, digest: bytes) -> Path:
        """Where the bytes of this sha256 lie, if they are kept."""
        name = digest.hex()
        return self.folder / name[:2] / name[2:]

    def keep(self, stream: BinaryIO) -> Kept:
        """Store a stream, holding a megabyte of it at a time; what is there already stays.

        Whoever refers to it in the database has it flushed before.

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
            # What a power cut left before it was flushed is shorter than it was.
            if not path.exists() or path.stat().st_size != size:
                draft.replace(path)
                self._unflushed.append(path)
        except OSError as error:
            raise self._failed(error) from error
        finally:
            draft.unlink(missing_ok=True)
        return Kept(digest.digest(), size, path)

    def flush(self) -> None:
        """Let what was kept so far outlast a power cut. Any thread may do it.

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
        """Note what something that never changes is called at its source (an attachment's id)."""
        label = self.folder / _label(name)
        label.parent.mkdir(exist_ok=True, mode=0o700)
        write_private(label, f"{kept.sha256.hex()} {kept.size}")

    def recall(self, name: str) -> Kept | None:
        """What was remembered under a name and is still here."""
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
