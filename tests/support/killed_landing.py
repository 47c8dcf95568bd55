"""Lands a generated stream, killing itself at a given point; run by tests/intake/test_killed.py."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lumbung.intake import landing, run
from lumbung.intake.connectors.base import Checkpoint, Delivery, Item, Source, Unreadable
from lumbung.intake.vault import Vault
from tests.support.channel_samples import FORM, channel
from tests.support.evidence import evidence_store

AT = datetime(2024, 11, 6, tzinfo=UTC)
COUNT = 600
PAGE = 35
CHUNK = 80


def stream(seed: int) -> list[tuple[str, str | None]]:
    """Source id and content in the order of the source; the id `?` cannot be read.

    A content of None: the source says that it was withdrawn. Seed 0: every id once.
    """
    if seed == 0:
        return [(f"id {number}", "isi") for number in range(COUNT)]
    chance = random.Random(seed)
    items: list[tuple[str, str | None]] = []
    for number in range(COUNT):
        kind = chance.random()
        if kind < 0.05:
            items.append(("?", f"rusak {chance.randrange(20)}"))
        elif kind < 0.30 and items:  # seen before: the same, or an edit, or an older content again
            items.append((chance.choice(items)[0], f"isi {chance.randrange(4)}"))
        elif kind < 0.40 and items:
            items.append((chance.choice(items)[0], None))
        else:
            items.append((f"id {number}", f"isi {chance.randrange(4)}"))
    return items


def read(source: Source, seed: int) -> Iterator[Item]:
    items = stream(seed)
    for start in range(source.cursor.get("at", 0), COUNT, PAGE):
        page = items[start : start + PAGE]
        for source_id, content in page:
            if content is None:
                continue
            fields = {"kejadian/uraian": content, "pemantau/nama": f"Warga {source_id}"}
            if source_id == "?":
                yield Unreadable("unreadable_message", "x", content, AT)
            else:
                yield Delivery(source_id, AT, fields, locator="x" * 2_000)
        withdrawn = [source_id for source_id, content in page if content is None]
        yield Checkpoint({"at": start + PAGE}, None, tuple(withdrawn))


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def plan(where: str, at: int) -> None:
    """Die in the `at`-th COPY write, before the `at`-th COMMIT, or when it has just been sent."""
    left = [at]

    def is_time() -> bool:
        left[0] -= 1
        return left[0] < 0

    if where == "copy":
        write = psycopg.Copy.write

        def dying_write(self: Any, buffer: Any) -> None:
            if not is_time():
                write(self, buffer)
                return
            write(self, buffer[: len(buffer) // 2])
            die()

        psycopg.Copy.write = dying_write  # type: ignore[method-assign]
    elif where in ("commit", "sent"):
        leave = psycopg.Transaction.__exit__

        def dying_exit(self: Any, *error: Any) -> Any:
            if error[0] is None and is_time():
                if where == "sent":
                    self.connection.pgconn.send_query(b"commit")
                    self.connection.pgconn.flush()
                die()
            return leave(self, *error)

        psycopg.Transaction.__exit__ = dying_exit  # type: ignore[method-assign]


def main(url: str, home: Path, name: str, seed: int, where: str, at: int) -> None:
    pytest.MonkeyPatch().setattr(run, "CHUNK_DELIVERIES", CHUNK)
    each = channel(FORM, name=name)
    vault = Vault(bytes(range(32)))
    with psycopg.connect(url, autocommit=True, options="-c synchronous_commit=off") as db:
        run.lock(db, name)  # a killed process's backend may still be at work
        row = db.execute(
            "select cursor from ops.channel_cursor where channel = %s", (name,)
        ).fetchone()
        source = Source(
            each,
            home,  # type: ignore[arg-type]
            None,
            evidence_store(home),
            vault.content_hash,
            row[0] if row else {},
        )
        lander = landing.Landing(db, each, vault, "killed")
        print("ready", flush=True)
        plan(where, at)
        run.land_all(source, lander, read(source, seed))


if __name__ == "__main__":
    main(
        sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5], int(sys.argv[6])
    )
