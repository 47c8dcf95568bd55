"""The manifest of a backup: what makes it whole."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

from lumbung import database
from lumbung.errors import ConfigurationError, ServiceError, without_path
from lumbung.files import write_private

MANIFEST = "manifest.json"
NAME = re.compile(r"\d{8}T\d{6}Z")
"""The name of a whole backup: when it was begun (UTC), as `TIME`."""
TIME = "%Y%m%dT%H%M%SZ"
FORMAT = 1

Tables = dict[str, list[str]]
"""Table -> number of rows and checksum of their content."""


@dataclass
class Manifest:
    """What a backup holds.

    Attributes:
        version: of Lumbung.
        migrations: those that the warehouse had.
        tables: the tables of `warehouse` and of `airflow`.
        files: path -> SHA-256 (hex) of every file but the manifest.

    """

    version: str
    migrations: list[str]
    tables: dict[str, Tables]
    files: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        """Write it into a backup."""
        write_private(folder / MANIFEST, json.dumps(asdict(self), indent=1))


def backups(folder: Path) -> list[Path]:
    """Return the whole backups in a folder, oldest first."""
    return sorted(each for each in folder.glob("*") if NAME.fullmatch(each.name))


def newest(folder: Path) -> Path:
    """Return the newest backup in a folder; the folder itself where it is a backup.

    Raises:
        ConfigurationError: when there is none.

    """
    if (folder / MANIFEST).exists() or NAME.fullmatch(folder.name):
        return folder
    if found := backups(folder):
        return found[-1]
    raise ConfigurationError(
        "no backup is in this folder",
        where=str(folder),
        remediation="give the folder of 'lumbung backup', or one of the backups in it",
    )


def verified(backup: Path) -> Manifest:
    """Return the manifest of a backup after every file was compared with it.

    Raises:
        ServiceError: when a file is missing, changed or not of the backup.
        ConfigurationError: when a newer version of Lumbung wrote it.

    """
    try:
        content = json.loads((backup / MANIFEST).read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise _newer(backup, f"its format is {content['format']}")
        manifest = Manifest(**content)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(backup, f"{MANIFEST} cannot be read: {without_path(error)}") from error
    known = {file.name for file in database.MIGRATIONS.glob("*.sql")}
    if unknown := set(manifest.migrations) - known:
        raise _newer(backup, f"it has {min(unknown)}")
    found = {
        file.relative_to(backup).as_posix()
        for file in backup.rglob("*")
        if file.is_symlink() or not file.is_dir()
    } - {MANIFEST}
    if missing := manifest.files.keys() - found:
        raise _damaged(backup, f"{_shown(min(missing))} is missing")
    if strange := found - manifest.files.keys():
        raise _damaged(backup, f"{_shown(min(strange))} is not part of it")
    for name, expected in manifest.files.items():
        if (backup / name).is_symlink() or file_hash(backup / name) != expected:
            raise _damaged(backup, f"{_shown(name)} was changed")
    return manifest


def file_hash(path: Path) -> str:
    """Return the SHA-256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy(source: Path, target: Path) -> str:
    """Copy a file with its times, and return the SHA-256 (hex) of what was copied.

    Raises:
        OSError: when the source is a symbolic link, or cannot be read.

    """
    digest = hashlib.sha256()
    with (
        os.fdopen(os.open(source, os.O_RDONLY | os.O_NOFOLLOW), "rb") as read,
        target.open("xb") as written,
    ):
        _pump(read, written, digest)
        stat = os.fstat(read.fileno())
    os.utime(target, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    return digest.hexdigest()


def _pump(read: BinaryIO, written: BinaryIO, digest: hashlib._Hash) -> None:
    while piece := read.read(1 << 20):
        digest.update(piece)
        written.write(piece)


def _shown(name: str) -> str:
    """A file of the backup; of the inbox only its folder, as people name files after persons."""
    return f"a file in {Path(name).parent}" if name.startswith("home/inbox/") else name


def _damaged(backup: Path, what: str) -> ServiceError:
    return ServiceError(
        f"the backup is not whole: {what}",
        where=str(backup),
        remediation="nothing was restored; use another backup",
    )


def _newer(backup: Path, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"a newer version of Lumbung wrote the backup: {what}",
        where=str(backup),
        remediation="nothing was restored; use that version or a later one",
    )
