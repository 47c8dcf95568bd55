"""Copies of backups elsewhere: in an object store (`s3://`) or on a server (`sftp://`).

They mirror the folder of backups, what a backup follows later (an erasure, its deletion) included.
The manifest of a copy is deleted first and written last, so a copy that has one is whole.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lumbung.backup.manifest import MANIFEST, NAME, backups
from lumbung.errors import ConfigurationError, LumbungError, ServiceError, without_path
from lumbung.files import FETCHED, remote_options

if TYPE_CHECKING:
    from upath import UPath

COPY = "LUMBUNG_BACKUP_COPY"
FAILED = "the backup in the folder is whole; correct the cause, then back up again"


def address() -> str | None:
    """Return where copies go; None: nowhere."""
    return os.environ.get(COPY) or None


def mirror(folder: Path, to: str, keep: int) -> list[str]:
    """Copy the backups of a folder, and delete copies of backups that it no longer has.

    A folder with fewer than `keep` backups has deleted none because of its age: its disk may be
    absent or replaced, and the copies are then the only backups. None of them is deleted.

    Args:
        folder: the folder of backups.
        to: an address such as `s3://bucket/prefix` or `sftp://user@host/folder`.
        keep: how many backups the folder keeps.

    Returns:
        the names of the backups whose copy was written.

    Raises:
        ConfigurationError: when it is no such address.
        ServiceError: when the store or server does not answer, or refuses; or when it has copies of
            backups that the folder lacks for another reason than its age.

    """
    place, written = _open(to), []
    with _reaching(to):
        here = {backup.name: backup for backup in backups(folder)}
        for name, backup in sorted(here.items()):
            content = (backup / MANIFEST).read_text(encoding="utf-8")
            copied = _manifest(place / name)
            if copied != content:
                _copy(backup, place / name, content, copied)
                written.append(name)
        gone = _names(place) - here.keys()
        if len(here) >= keep:
            for name in gone:
                _delete(place / name)
            gone = set()
    if gone:
        raise ServiceError(
            f"the folder lacks {len(gone)} of the backups that were copied, so no copy was deleted",
            where=str(folder),
            remediation="mount its disk, then back up again; if they were deleted on purpose,"
            f" delete the copies too: {', '.join(sorted(gone))}",
        )
    return written


@contextmanager
def fetched(source: str, home: Path) -> Iterator[Path]:
    """Give the folder of a backup; of an address, that of a copy in the home (`FETCHED`).

    The copy is deleted at the end. The next call, or housekeeping, deletes that of a killed one.

    Raises:
        ConfigurationError, ServiceError: as `fetch`.

    """
    if "://" not in source:
        yield Path(source)
        return
    folder = home / FETCHED
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700)
    try:
        yield fetch(source, folder)
    finally:
        shutil.rmtree(folder)


def fetch(source: str, folder: Path) -> Path:
    """Fetch the newest whole copy, or the one that the address names, into a folder.

    Raises:
        ConfigurationError: when it is no such address, or no whole copy is there.
        ServiceError: when the store or server does not answer, a file is missing, or the manifest
            names a file that is not in the backup.

    """
    place = _open(source)
    with _reaching(source):
        if not NAME.fullmatch(place.name):
            whole = [name for name in sorted(_names(place)) if _manifest(place / name)]
            if not whole:
                raise ConfigurationError(
                    "no whole backup is there",
                    where=_shown(source),
                    remediation=f"give the address that {COPY} had, or that of one backup in it",
                )
            place /= whole[-1]
        target = folder / place.name
        for name in (*json.loads((place / MANIFEST).read_text())["files"], MANIFEST):
            if Path(name).is_absolute() or ".." in Path(name).parts:  # by whoever writes there
                raise ServiceError(
                    "the manifest names a file outside of the backup",
                    where=f"{_shown(source)}, {place.name}",
                    remediation="restore another copy, and find out who writes to this place",
                )
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            with (place / name).open("rb") as read, (target / name).open("xb") as write:
                shutil.copyfileobj(read, write)
    return target


def _copy(backup: Path, place: UPath, content: str, copied: str | None) -> None:
    """Write the files of a backup that the copy lacks or has otherwise, then the manifest."""
    wanted: dict[str, str] = json.loads(content)["files"]
    found: dict[str, str] = json.loads(copied)["files"] if copied else {}
    if copied:
        (place / MANIFEST).unlink()
    for name in found.keys() - wanted.keys():
        with suppress(FileNotFoundError):
            (place / name).unlink()
    for name, sha256 in wanted.items():
        if found.get(name) != sha256:
            _write(backup / name, place / name)
    _write(backup / MANIFEST, place / MANIFEST)


def _write(source: Path, target: UPath) -> None:
    if target.protocol == "sftp":  # closed to other accounts of the server
        target.fs.makedirs(target.parent.path, exist_ok=True, permissions=0o700)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as read, target.open("wb") as write:
        shutil.copyfileobj(read, write)


def _manifest(place: UPath) -> str | None:
    try:
        return str((place / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def _names(place: UPath) -> set[str]:
    with suppress(FileNotFoundError, NotADirectoryError):  # S3 has no empty folders
        return {each.name for each in place.iterdir() if NAME.fullmatch(each.name)}
    return set()


def _delete(place: UPath) -> None:
    with suppress(FileNotFoundError):
        (place / MANIFEST).unlink()
    place.fs.rm(place.path, recursive=True)


def _open(where: str) -> UPath:
    import upath

    scheme = urlsplit(where).scheme
    if scheme not in ("s3", "sftp"):
        raise ConfigurationError(
            "backups can be copied to s3:// and sftp:// only",
            where=COPY,
            remediation="write it as s3://bucket/prefix or sftp://user@host/folder",
        )
    options = {"skip_instance_cache": True, **remote_options(scheme)}
    if scheme == "s3":
        options["use_listings_cache"] = False
    place: UPath = upath.UPath(where, **options)
    return place


@contextmanager
def _reaching(where: str) -> Iterator[None]:
    try:
        yield
    except LumbungError:
        raise
    except Exception as error:  # of any library and network
        raise ServiceError(
            f"copies of backups cannot be reached: {without_path(error)}",
            where=_shown(where),
            remediation=FAILED,
        ) from None


def _shown(where: str) -> str:
    """An address without a password."""
    parts = urlsplit(where)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
