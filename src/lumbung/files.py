"""Write private files atomically, know when files have changed, and reach folders elsewhere."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PRIVATE_UMASK = 0o077
"""Other accounts have no rights to files and folders created with this umask."""

DRAFTS = (".draft-", ".upload-")
"""How names begin of files that are being written; a killed process leaves them, in clear."""

FETCHED = ".fetched"
"""Folder in the home of a backup that is being restored from elsewhere."""


REMOTE_SECONDS = 60
"""How long a folder on another machine may leave a request unanswered."""


def remote_options(scheme: str) -> dict[str, Any]:
    """Return the options with which fsspec notices that a server no longer answers.

    Args:
        scheme: `sftp` or `s3`.

    """
    if scheme == "s3":
        timeouts = {"connect_timeout": REMOTE_SECONDS, "read_timeout": REMOTE_SECONDS}
        return {"config_kwargs": timeouts}
    return {
        # Where the option is absent, sshfs takes any server; empty, the account's file decides.
        "known_hosts": (),
        "connect_timeout": REMOTE_SECONDS,
        # A server that stopped without a word has left three of these unanswered.
        "keepalive_interval": REMOTE_SECONDS / 4,
    }


def write_private(path: Path, content: str | bytes) -> None:
    """Write a file that only its owner can read: to a draft that is then renamed."""
    data = content.encode() if isinstance(content, str) else content
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def keep_private(folder: Path) -> None:
    """Remove all rights of other accounts to a folder and everything in it; skip symbolic links.

    Raises:
        OSError: when another account owns something in it.
    """
    for path in (folder, *folder.rglob("*")):
        with contextlib.suppress(FileNotFoundError):  # a running process removed the file
            mode = path.lstat().st_mode
            if not stat.S_ISLNK(mode) and mode & PRIVATE_UMASK:
                path.chmod(stat.S_IMODE(mode) & ~PRIVATE_UMASK)


def versions(paths: Iterable[Path]) -> tuple[tuple[str, int, int, int], ...]:
    """Return what changes when one of the files is written, replaced, added or removed."""
    found = []
    for path in sorted(paths):
        with contextlib.suppress(OSError):  # its reader says what is wrong with it
            at = path.stat()
            found.append((path.name, at.st_ino, at.st_size, at.st_mtime_ns))
    return tuple(found)
