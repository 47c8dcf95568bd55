"""An edition's files on disk: a new folder appears complete, by one rename, or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from lumbung.errors import ServiceError


def hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the sha256 (hex) of each file by its name."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def read(folder: Path) -> dict[str, bytes] | None:
    """Return the files of a folder by name, None when they cannot be read."""
    try:
        files = [file for file in folder.rglob("*") if file.is_file()]
        return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}
    except OSError:
        return None


def write_staged(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write and fsync the files into a hidden folder next to `folder`; return the hidden folder.

    Raises:
        ServiceError: when they cannot be written.

    """
    staged = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)
        for name, content in files.items():
            (staged / name).parent.mkdir(exist_ok=True)
            with (staged / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        raise _unwritable(staged, error) from error
    return staged


def move_into_place(staged: Path, folder: Path) -> None:
    """Move the staged files to `folder`: by one rename, or file by file where it exists already.

    Other files in an existing folder are removed, so that it holds exactly the staged files.

    Raises:
        ServiceError: when they cannot be written.

    """
    try:
        if folder.exists():
            wanted = {f.relative_to(staged) for f in staged.rglob("*") if f.is_file()}
            for file in [f for f in folder.rglob("*") if not f.is_dir()]:
                if file.relative_to(folder) not in wanted:
                    file.unlink()
            for name in sorted(wanted):
                (folder / name).parent.mkdir(exist_ok=True)
                (staged / name).replace(folder / name)
            shutil.rmtree(staged)
        else:
            staged.rename(folder)
        for leftover in folder.parent.glob(f".{folder.name}.*"):  # of a killed publication
            shutil.rmtree(leftover, ignore_errors=True)
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
