"""A published edition as the portal shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lumbung.publication.model.edition import Edition


@dataclass(frozen=True)
class StoredFile:
    """An artefact of a published edition: its name, size in bytes and sha256 (hex)."""

    name: str
    byte_count: int
    sha256: str


@dataclass(frozen=True)
class Published:
    """A published edition, its files, and the bytes of its files in `QUOTED`."""

    edition: Edition
    files: tuple[StoredFile, ...]
    quoted: Mapping[str, bytes]
