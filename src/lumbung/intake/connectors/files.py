"""Reading a folder of files: which ones, in what order, and whether they are news.

Every file is first kept as evidence and then read from there, so that the bytes that were read are
the bytes that were hashed.
"""

from __future__ import annotations

import codecs
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path

from lumbung.errors import SourceError
from lumbung.intake.connectors import Mark, Source, Unreadable

_MAX_UNPACKED = 2 << 30
_MAX_RATIO = 200
_HARMLESS = 64 << 20


@dataclass(frozen=True)
class File:
    """A file of a channel's folder.

    Attributes:
        name: its name in the folder.
        path: its bytes, in the evidence store.
        sha256: their hash.
        changed_at: when it was last changed (UTC): the moment the channel received it.
        is_repeat: whether a former pull read exactly these bytes under this name to the end.
    """

    name: str
    path: Path
    sha256: bytes
    changed_at: datetime
    is_repeat: bool

    def locator(self, *places: object) -> str:
        """Where in this file: file, sheet and row, or line."""
        return " | ".join(str(place) for place in (self.name, *places))

    def unreadable(self, code: str, reason: str, *places: object) -> Unreadable:
        """The whole file, or a part of it, as one delivery that cannot be read."""
        content = {"file": self.name, "sha256": self.sha256.hex(), "code": code, "at": places}
        locator = self.locator(*places)
        return Unreadable(
            code, reason, content, self.changed_at, self.sha256, locator, is_part=True
        )


class Folder:
    """The files of a channel's folder, the oldest first: of two with one key the newer stands."""

    def __init__(self, source: Source, pattern: str) -> None:
        self._source = source
        self._pattern = pattern.casefold()
        self._before: dict[str, str] = dict(source.cursor.get("files", {}))
        self._read: dict[str, str] = {}

    def __iter__(self) -> Iterator[File]:
        folder = self._source.folder
        try:
            found = [
                (path.stat().st_mtime, path.name, path)
                for path in folder.iterdir()
                if path.is_file()
                and not path.name.startswith((".", "~$"))
                and fnmatch(path.name.casefold(), self._pattern)
            ]
        except FileNotFoundError:
            raise SourceError(
                "the channel's folder does not exist",
                where=str(folder),
                cure="make it and put the files there, or correct the channel's file",
            ) from None
        for changed, name, path in sorted(found, key=lambda each: each[:2]):
            with path.open("rb") as stream:
                kept = self._source.evidence.keep(stream)
            # Hashed: the name of a chat's export is a person's name.
            hidden = self._source.digest(name.encode(errors="surrogateescape")).hex()
            self._read[hidden] = kept.sha256.hex()
            is_repeat = self._before.get(hidden) == kept.sha256.hex()
            changed_at = datetime.fromtimestamp(changed, UTC)
            yield File(name, kept.path, kept.sha256, changed_at, is_repeat)

    def mark(self, complete: str | None = None) -> Mark:
        """All files so far were read to their end."""
        return Mark({"files": {**self._before, **self._read}}, complete)


def is_bomb(archive: zipfile.ZipFile) -> bool:
    """Whether an archive claims to unpack to more than any delivery is."""
    unpacked = sum(member.file_size for member in archive.infolist())
    packed = sum(member.compress_size for member in archive.infolist())
    return unpacked > _MAX_UNPACKED or unpacked > max(_HARMLESS, _MAX_RATIO * packed)


def text_encoding(path: Path) -> str:
    """UTF-8 if it is that throughout, UTF-16 if it says so, else what Windows writes."""
    with path.open("rb") as stream:
        start = stream.read(2)
        if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return "utf-16"
        stream.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while piece := stream.read(1 << 20):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig"
