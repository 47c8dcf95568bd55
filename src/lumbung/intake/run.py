"""Pull one channel: read its source, land what it gives."""

from __future__ import annotations

import gc
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lumbung.errors import ServiceError, SourceError
from lumbung.intake.channel.load import load_channel
from lumbung.intake.connectors.base import Checkpoint, Item, Reading, Source, SourceConnection
from lumbung.intake.evidence import Evidence
from lumbung.intake.landing import CHUNK, IntakeCounts, Landing, Prepared
from lumbung.intake.nameless import Nameless
from lumbung.settings import Settings

if TYPE_CHECKING:
    import psycopg

__all__ = ["IntakeCounts", "SourceConnection", "has_news", "land_all", "lock", "pull"]

POSITIONS = frozenset({"since", "full_at", "folders"})
"""Keys of cursors that say how far a source was read; others say how its ids are made."""
CHUNK_BYTES = 16 << 20
"""Of content in a transaction's deliveries: mails and answers with long lists are few."""
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
    accept_withdrawals: bool = False,
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
            was read now (`Landing.settle`).
        accept_withdrawals: read also what former pulls read, and withdraw what the source no longer
            has at once, and even if that is more than half.
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
    from lumbung.intake.connectors import kind
    from lumbung.intake.connectors.shared.files import open_folder
    from lumbung.intake.vault import Vault

    channel = load_channel(settings.channels, channel_name)
    vault = Vault.load(settings.home)
    with ExitStack() as stack:
        db = stack.enter_context(database.connect(database_url, application="lumbung intake"))
        db.autocommit = True
        lock(db, channel_name)
        evidence = settings.evidence
        if dry_run:
            evidence = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            stack.enter_context(db.transaction(force_rollback=True))
        landing = Landing(db, channel, vault, run_key)
        ((before,),) = db.execute("select coalesce(max(batch_id), 0) from raw.batch").fetchall()
        row = db.execute(
            "select cursor from ops.channel_cursor where channel = %s", (channel_name,)
        ).fetchone()
        forgotten = POSITIONS if from_start or accept_withdrawals else frozenset()
        source = Source(
            channel,
            open_folder(settings.inbox / channel_name, connection),
            connection,
            Evidence(evidence, known=settings.evidence if dry_run else None),
            vault.content_hash,
            {k: v for k, v in row[0].items() if k not in forgotten} if row else {},
            dry_run,
            recall=landing.recall,
            accepts=landing.accepts,
            settle_seconds=settings.settle_seconds,
        )
        counts, complete = land_all(
            source, landing, kind(channel.kind).read(source), accept_withdrawals
        )
        if from_start:
            landing.settle(source.met, complete)
        if inspect is not None:
            inspect(db, before)
        return counts


def has_news(channel_name: str, *, database_url: str) -> bool:
    """Whether something of a channel was landed or withdrawn since the warehouse last looked.

    A pull that is tried again after a crash finds only duplicates of what its first attempt landed.
    """
    from lumbung import database

    with database.connect(database_url, application="lumbung intake") as db:
        row = db.execute(
            "select exists (select from raw.batch where channel = %s"
            " and landed_count + tombstone_count > 0"
            " and batch_id > (select coalesce(max(max_batch_id), 0) from ops.build)"
            " and landed_at > (select coalesce(max(checked_at), '-infinity')"
            "   from ops.check_result where suite = 'raw'))",
            (channel_name,),
        ).fetchone()
    return row is not None and bool(row[0])


def land_all(
    source: Source, landing: Landing, items: Iterable[Item], accept_withdrawals: bool = False
) -> tuple[IntakeCounts, list[str]]:
    """Land what a connector yields, chunk by chunk, and withdraw what is gone.

    Args:
        source: what the connector was given; `met` is filled.
        landing: of its channel.
        items: what the connector yields.
        accept_withdrawals: see `pull`.

    Returns:
        the counts, and what was given in full (`Checkpoint.complete`).

    Raises:
        SourceError: what the connector raised, when all before it was landed; or that it shrank.
        LandingError: when the database refuses a chunk.
    """
    counts = IntakeCounts()
    chunk = Prepared()
    met = source.met
    add = landing.add
    complete: list[str] = []
    files: dict[str, Reading] = {}  # listings of which what is gone waits to be confirmed
    nameless = Nameless()
    unsettled = 0
    landed = moved = source.cursor
    last: dict[str, Any] | None = None
    is_first = True
    with _Writer(landing, source.evidence) as writer:

        def flush() -> None:
            """Hand over what is there; a pull that met nothing is known to have looked."""
            nonlocal chunk, landed, is_first
            met.update(chunk.source_ids())
            nameless.add(chunk.nameless)
            if chunk.count or moved != landed or is_first:
                writer.put(chunk, None if moved == landed else dict(moved))
            chunk, landed, is_first = Prepared(), moved, False

        try:
            for item in items:
                if not isinstance(item, Checkpoint):
                    add(chunk, item)
                else:
                    if item.withdrawn:  # after what came before, before the cursor moves past it
                        flush()
                        counts += writer.wait()
                        counts += landing.bury(item.withdrawn)
                    if item.complete is not None:
                        complete.append(item.complete)
                        if item.reading is not None:
                            files[item.complete] = item.reading
                    unsettled = max(unsettled, item.unsettled)
                    if item.complete == "":
                        last = item.cursor
                    else:
                        moved = item.cursor
                if chunk.count >= CHUNK or chunk.size >= CHUNK_BYTES:
                    flush()
        except SourceError:
            flush()  # what came before an outage is there: the next pull begins behind it
            counts += writer.wait()
            raise
        flush()
        counts += writer.wait()
    if unsettled:
        complete.clear()
        counts += IntakeCounts(unsettled=unsettled)
    if complete:
        counts += landing.withdraw(
            () if landing.is_first else complete,
            met,
            None if last == landed else last,
            files=files,
            nameless=nameless,
            accept=accept_withdrawals,
        )
    landing.finish()
    return counts, complete


class _Writer:
    """Writes one chunk in a thread while the next one is read and prepared.

    Two chunks are in memory at most: `put` waits until the former one is written.
    """

    def __init__(self, landing: Landing, evidence: Evidence) -> None:
        self._landing = landing
        self._evidence = evidence
        self._threads = ThreadPoolExecutor(2, "landing")
        self._written: Future[IntakeCounts] | None = None
        self._counts = IntakeCounts()
        self._threshold = gc.get_threshold()
        self._interval = sys.getswitchinterval()

    def __enter__(self) -> Self:
        # Deliveries are many and in no cycles: looking through all modules for some is in vain.
        gc.freeze()
        gc.set_threshold(100_000, *self._threshold[1:])
        # The thread that writes waits for the server a dozen times a chunk, and each time for the
        # one that prepares: so long, instead of the ordinary 5 ms.
        sys.setswitchinterval(0.0005)
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown()
        sys.setswitchinterval(self._interval)
        gc.set_threshold(*self._threshold)
        gc.unfreeze()

    def put(self, chunk: Prepared, cursor: dict[str, Any] | None) -> None:
        """Begin to write a chunk.

        Raises:
            LandingError: when the database refused the chunk before.
        """
        self._counts = self.wait()
        flushed = self._threads.submit(self._evidence.flush)  # before a row refers to it
        write = self._landing.write
        self._written = self._threads.submit(write, chunk, cursor, flushed.result)

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


def lock(db: psycopg.Connection, channel: str) -> None:
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
