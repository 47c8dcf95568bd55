"""Locks of files and folders, for which processes of one machine wait with a bound."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lumbung.errors import ServiceError


@contextmanager
def locked(path: Path, *, seconds: float, what: str) -> Iterator[None]:
    """Hold the lock of a folder, or of a file, which is created.

    Args:
        path: the folder or file; nothing is written to it.
        seconds: how long to wait for another process that holds it; 0: not at all.
        what: what that process does, as the beginning of the error's message.

    Raises:
        ServiceError: when the other process does not release it in time.
        OSError: when the file cannot be created.

    """
    deadline = time.monotonic() + seconds
    flags = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT
    descriptor = os.open(path, flags, 0o600)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    raise ServiceError(
                        f"{what} for more than {seconds:.0f} s" if seconds else what,
                        where=str(path),
                        remediation="wait until it has ended, or end it, then run the same again",
                    ) from error
                time.sleep(0.2)
            else:
                break
        yield
    finally:
        os.close(descriptor)
