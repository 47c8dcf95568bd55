"""Pull one channel: read its source, land what it gives."""

from __future__ import annotations

import gc
import tempfile
from array import array
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lumbung.errors import ConfigurationError, ServiceError, SourceError
from lumbung.intake.connectors import Delivery, Item, Mark, Source, SourceConnection, Unreadable
from lumbung.intake.contract import load_channels
from lumbung.intake.evidence import Evidence
from lumbung.intake.landing import CHUNK, IntakeCounts, Landing, Prepared
from lumbung.settings import Settings

if TYPE_CHECKING:
    import psycopg

__all__ = ["IntakeCounts", "SourceConnection", "pull"]

POSITIONS = frozenset({"since", "full_at", "folders"})
"""Keys of cursors that say how far a source was read; others say how its ids are made."""
CHUNK_TEXT = 16 << 20
"""Characters of text in a transaction's deliveries: mails and answers with long lists are few."""
LOCK_SECONDS = 60
"""How long a pull waits for another one of the same channel (one that was killed lingers)."""


def pull(
    channel_name: str,
    *,
    settings: Settings,
    database_url: str,
    connection: SourceConnection | None = None,
    run_key: str,
    dry_run: bool = False,
    from_start: bool = False,
    inspect: Callable[[psycopg.Connection, int], None] | None = None,
) -> IntakeCounts:
    """Read a channel since its cursor and land every delivery exactly once.

    May be repeated at any time, also after a crash: what was landed is counted as duplicate.

    Args:
        channel_name: the channel, a file of `settings.channels`.
        settings: folders of the installation.
        database_url: the warehouse, migrated.
        connection: address and credential of the source; None for the channel's inbox.
        run_key: names this pull in `raw.batch`.
        dry_run: count what would happen and leave nothing behind.
        from_start: read also what former pulls read, and call resolved what is in quarantine and
            does not come unreadable again.
        inspect: called when all is landed, before a dry run is rolled back, with the connection and
            the last batch before this pull.

    Returns:
        the sum of the pull's batches.

    Raises:
        ConfigurationError: for a wrong channel file, channel name or vault key.
        SourceError: when the source does not answer, does not speak as it should, or shrank.
        LandingError: when the database refuses a chunk; what was committed before stays.
        ServiceError: when the database, the disk or another pull is in the way.
    """
    from lumbung import database
    from lumbung.intake.connectors import reader
    from lumbung.intake.connectors.files import open_folder
    from lumbung.intake.vault import Vault

    channels = load_channels(settings.channels)
    if channel_name not in channels:
        raise ConfigurationError(
            f"there is no channel {channel_name!r}",
            where=str(settings.channels),
            cure=f"use one of {', '.join(channels) or 'the channels you add'}",
        )
    channel = channels[channel_name]
    vault = Vault.load(settings.home)
    with ExitStack() as stack:
        db = stack.enter_context(database.connect(database_url, application="lumbung intake"))
        db.autocommit = True
        _lock(db, channel_name)
        evidence = settings.evidence
        if dry_run:
            evidence = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            stack.enter_context(db.transaction(force_rollback=True))
        landing = Landing(db, channel, vault, run_key)
        ((before,),) = db.execute("select coalesce(max(batch_id), 0) from raw.batch").fetchall()
        row = db.execute(
            "select cursor from ops.channel_cursor where channel = %s", (channel_name,)
        ).fetchone()
        source = Source(
            channel,
            open_folder(settings.inbox / channel_name, connection),
            connection,
            Evidence(evidence, known=settings.evidence if dry_run else None),
            vault.content_hash,
            {k: v for k, v in row[0].items() if not (from_start and k in POSITIONS)} if row else {},
            dry_run,
        )
        counts = _land_all(source, landing, reader(channel.kind)(source))
        if from_start:
            landing.settle()
        if inspect is not None:
            inspect(db, before)
        return counts


def _land_all(source: Source, landing: Landing, items: Iterable[Item]) -> IntakeCounts:
    counts = IntakeCounts()
    chunk: list[Delivery | Unreadable] = []
    seen = array("q")
    complete: list[str] = []
    nameless: set[str] = set()  # files and listings that hold something of which no id is known
    landed = moved = source.cursor
    size = 0
    is_first = True
    with _Writer(landing, source.evidence) as writer:

        def flush() -> None:
            """Hand over what is there; a pull that met nothing is known to have looked."""
            nonlocal chunk, size, landed, is_first
            if chunk or moved != landed or is_first:
                writer.put(chunk, None if moved == landed else dict(moved))
            chunk, size, landed, is_first = [], 0, moved, False

        try:
            for item in items:
                if not isinstance(item, Mark):
                    chunk.append(item)
                    size += _text(item)
                    if item.source_id is not None:
                        seen.append(hash(item.source_id))
                    else:
                        nameless.add((item.locator or "").partition(" | ")[0])
                elif item.withdrawn:  # after what came before, and before the cursor moves past it
                    flush()
                    counts += writer.wait()
                    counts += landing.bury(item.withdrawn)
                if isinstance(item, Mark):
                    moved = item.cursor
                    if item.complete is not None:
                        complete.append(item.complete)
                if len(chunk) >= CHUNK or size >= CHUNK_TEXT:
                    flush()
        except SourceError:
            flush()  # what came before an outage is there: the next pull begins behind it
            counts += writer.wait()
            raise
        flush()
        counts += writer.wait()
    # What is there under no id cannot be told from what is gone.
    complete = [each for each in complete if not _holds(each, nameless)]
    if complete:
        counts += landing.withdraw(complete, seen)
    landing.finish()
    return counts


def _holds(complete: str, nameless: set[str]) -> bool:
    """Whether one of these files or listings belongs to what is called complete."""
    if not complete:
        return bool(nameless)
    return any(complete.startswith(f"{each} | ") for each in nameless)


def _text(item: Delivery | Unreadable) -> int:
    """How many characters of text a delivery holds, at whatever depth."""
    size = 0
    parts: list[Any] = [item.fields if isinstance(item, Delivery) else [item.content]]
    for part in parts:
        for value in part.values() if isinstance(part, dict) else part:
            if value.__class__ is str:
                size += len(value)
            elif isinstance(value, dict | list | tuple):
                parts.append(value)
    return size


class _Writer:
    """Writes one chunk in a thread while the next one is read and prepared.

    Two chunks are in memory at most: `put` waits until the former one is written.
    """

    def __init__(self, landing: Landing, evidence: Evidence) -> None:
        self._landing = landing
        self._evidence = evidence
        self._thread = ThreadPoolExecutor(1, "landing")
        self._written: Future[IntakeCounts] | None = None
        self._counts = IntakeCounts()
        self._threshold = gc.get_threshold()

    def __enter__(self) -> Self:
        # Deliveries are many and in no cycles: looking through all modules for some is in vain.
        gc.freeze()
        gc.set_threshold(100_000, *self._threshold[1:])
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()
        gc.set_threshold(*self._threshold)
        gc.unfreeze()

    def put(self, chunk: list[Delivery | Unreadable], cursor: dict[str, Any] | None) -> None:
        """Begin to write a chunk.

        Raises:
            LandingError: when the database refused the chunk before.
        """
        prepared = self._landing.prepare(chunk)
        self._counts = self.wait()
        self._written = self._thread.submit(self._write, prepared, cursor)

    def _write(self, prepared: Prepared, cursor: dict[str, Any] | None) -> IntakeCounts:
        self._evidence.flush()  # before a row refers to it
        return self._landing.write(prepared, cursor)

    def wait(self) -> IntakeCounts:
        """Counts of what was written since the last wait.

        Raises:
            LandingError: when the database refused a chunk.
        """
        counts, self._counts = self._counts, IntakeCounts()
        if self._written is not None:
            written, self._written = self._written, None
            counts += written.result()
        return counts


def _lock(db: psycopg.Connection, channel: str) -> None:
    """One pull of a channel at a time; released with the connection."""
    import psycopg

    key = "hashtext('lumbung.intake'), hashtext(%s)"
    db.execute(f"set lock_timeout = '{LOCK_SECONDS}s'")
    try:
        db.execute(f"select pg_advisory_lock({key})", (channel,))
    except psycopg.errors.LockNotAvailable as error:
        raise ServiceError(
            "another pull of this channel is running",
            where=f"channel {channel}",
            cure="wait until it has ended and pull again",
        ) from error
    db.execute("set lock_timeout = 0")
