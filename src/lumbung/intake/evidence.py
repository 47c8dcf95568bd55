"""The evidence store: what was delivered, byte for byte, named by its sha256.

It may hold personal data, so its folders and files are readable by the owner only. It never looks
into what it keeps.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from lumbung.errors import ServiceError

_PIECE = 1 << 20


@dataclass(frozen=True)
class Kept:
    """Something in the store: its sha256 (32 bytes), its size in bytes and where it lies."""

    sha256: bytes
    size: int
    path: Path


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
            cure="free space on the disk or correct LUMBUNG_HOME",
        )

    def remember(self, name: str, kept: Kept) -> None:
        """Note what something that never changes is called at its source (an attachment's id)."""
        label = self.folder / _label(name)
        label.parent.mkdir(exist_ok=True, mode=0o700)
        draft = label.with_name(f".draft-{secrets.token_hex(8)}")
        draft.write_text(f"{kept.sha256.hex()} {kept.size}")
        draft.replace(label)

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
