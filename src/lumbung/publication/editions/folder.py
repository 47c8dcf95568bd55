"""An edition's files on disk: a folder appears whole, by one rename, or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from lumbung.errors import ServiceError


def hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    """The sha256 (hex) of each file by its name."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def read(folder: Path) -> dict[str, bytes] | None:
    """The files of a folder by name, None where they cannot be read."""
    try:
        files = [file for file in folder.rglob("*") if file.is_file()]
        return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}
    except OSError:
        return None


def write_beside(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write the files, safely on disk, into a hidden folder beside the one they will become.

    Raises:
        ServiceError: when they cannot be written.

    """
    beside = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        for name, content in files.items():
            (beside / name).parent.mkdir(exist_ok=True)
            with (beside / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        raise _unwritable(beside, error) from error
    return beside


def reveal(beside: Path, folder: Path) -> None:
    """Give the files their place: by one rename, or file by file where the folder exists.

    What else lies in that folder is removed: it holds what was rendered and nothing more.

    Raises:
        ServiceError: when they cannot be written.

    """
    try:
        if folder.exists():
            wanted = {f.relative_to(beside) for f in beside.rglob("*") if f.is_file()}
            for file in [f for f in folder.rglob("*") if not f.is_dir()]:
                if file.relative_to(folder) not in wanted:
                    file.unlink()
            for name in sorted(wanted):
                (folder / name).parent.mkdir(exist_ok=True)
                (beside / name).replace(folder / name)
            shutil.rmtree(beside)
        else:
            beside.rename(folder)
        for left in folder.parent.glob(f".{folder.name}.*"):  # of a publication that was killed
            shutil.rmtree(left, ignore_errors=True)
        descriptor = os.open(folder.parent, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(path: Path, error: OSError) -> ServiceError:
    return ServiceError(
        f"the edition's files cannot be written: {error.strerror}",
        where=str(path),
        remediation="free space or correct the permissions, then run it again",
    )
