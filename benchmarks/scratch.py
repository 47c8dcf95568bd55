"""A PostgreSQL of its own for what measures with the warehouse's SQL."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lumbung.embedded.postgres import EmbeddedPostgres


@contextmanager
def scratch_server() -> Iterator[EmbeddedPostgres]:
    """An embedded server, gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="lumbung-scratch-"))
    folder.chmod(0o755)  # PostgreSQL's own account has to reach it
    server = EmbeddedPostgres(folder / "postgres")
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
