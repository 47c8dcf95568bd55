"""Pull one channel: read its source and land what the source gives."""

from __future__ import annotations

import gc
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lumbung import lineage
from lumbung.errors import ConfigurationError, ServiceError, SourceError
from lumbung.intake import inbox
from lumbung.intake.channel.load import load_channel
from lumbung.intake.connectors.base import Checkpoint, FileReading, Item, Source, SourceConnection
from lumbung.intake.evidence import Evidence
from lumbung.intake.landing import IntakeCounts, Landing, PreparedChunk, RowsWithoutId
from lumbung.settings import Settings

if TYPE_CHECKING:
    import psycopg

    from lumbung.intake.channel.models import Channel

__all__ = ["IntakeCounts", "SourceConnection", "has_news", "land_all", "lock", "pull"]

CHUNK_DELIVERIES = 5_000
"""Deliveries in a transaction: enough to amortise its cost, few enough to hold two in memory."""
CHUNK_BYTES = 16 << 20
"""Bytes of content in a transaction, where deliveries are large, as mails are."""
POSITIONS = frozenset({"since", "full_at", "folders"})
"""Keys of a cursor that say how far a source was read; its other keys say how ids are made."""
LOCK_SECONDS = 60
"""How long a pull waits for another one of the same channel, which may just have been killed."""


LANDED_IN = ("raw.batch", "raw.record", "raw.text_feature", "quarantine.record", "vault.identity")
"""The tables that a pull writes deliveries into."""


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
    most_withdrawals: int | None = None,
    inspect: Callable[[psycopg.Connection, int], None] | None = None,
) -> IntakeCounts:
    """Read a channel from its cursor on and land every delivery exactly once.

    A pull can be repeated at any time, also after a crash: what was landed before is counted as
    duplicate.

    Args:
        channel_name: the channel, a file of `settings.channels`.
        settings: folders of the installation.
        database_url: the warehouse, migrated.
        connection: address and credential of the source; None for the channel's inbox.
        run_key: the pull's name in `raw.batch`.
        dry_run: count what a pull would do, and change nothing.
        from_start: read the source from its beginning, and resolve the quarantined deliveries that
            were read now (`Landing.resolve_quarantine`).
        accept_withdrawals: read the source from its beginning, and withdraw what it no longer has
            at once, even if that is more than half.
        most_withdrawals: with `accept_withdrawals`, withdraw nothing where more are missing.
        inspect: called after everything was landed, and before a dry run is rolled back, with the
            connection and the last batch before this pull.

    Returns:
        the sum of the pull's batches.

    Raises:
        ConfigurationError: for a wrong channel file, channel name or vault key, or a channel that
            was retired or removed.
        SourceError: when the source does not answer, breaks its protocol, or lost too many records.
        LandingError: when the database refuses a chunk; earlier chunks stay committed.
        ServiceError: when the database, the disk or another pull prevents this one.
    """
    from lumbung import database
    from lumbung.intake.connectors import kind
    from lumbung.intake.connectors.shared.files import open_folder
    from lumbung.intake.vault import EvidenceKeys, Vault

    channel = load_channel(settings.channels, channel_name)
    vault = Vault.load(settings.home)
    with ExitStack() as stack:
        db = stack.enter_context(database.session(database_url, application="lumbung intake"))
        lock(db, channel.name)
        if state := ended(db, channel.name):
            raise ConfigurationError(
                f"channel {channel_name} is {state}",
                where=f"channels/{channel_name}.yaml",
                remediation=f"run 'lumbung channel restore {channel_name}', or delete the file",
            )
        evidence = settings.evidence
        if dry_run:
            evidence = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            stack.enter_context(db.transaction(force_rollback=True))
        keys = stack.enter_context(closing(EvidenceKeys(database_url, vault, is_dry_run=dry_run)))
        if connection is not None:
            claim(db, channel, channel.source.place(connection))
        if not dry_run:
            inbox.fetch(db, channel, settings, keys, vault)
        landing = Landing(db, channel, vault, run_key)
        ((last_batch_id,),) = db.execute(
            "select coalesce(max(batch_id), 0) from raw.batch"
        ).fetchall()
        row = db.execute(
            "select cursor from ops.channel_cursor where channel = %s", (channel.name,)
        ).fetchone()
        dropped_keys = POSITIONS if from_start or accept_withdrawals else frozenset()
        source = Source(
            channel,
            open_folder(settings.inbox / channel.name, connection),
            connection,
            Evidence(evidence, keys, known=settings.evidence)
            if dry_run
            else Evidence(evidence, keys, shared=settings.shared_evidence),
            vault.content_hash,
            {k: v for k, v in row[0].items() if k not in dropped_keys} if row else {},
            dry_run,
            message_keys=landing.message_keys,
            stored_id=landing.stored_id,
            accepts=landing.accepts,
            settle_seconds=settings.settle_seconds,
        )
        counts, complete = land_all(
            source, landing, kind(channel.kind).read(source), accept_withdrawals, most_withdrawals
        )
        if from_start:
            landing.resolve_quarantine(source.seen_ids, complete)
        if inspect is not None:
            inspect(db, last_batch_id)
    if not dry_run:
        written = lineage.tables(database_url, *LANDED_IN)
        read = [lineage.source(channel.name)]
        lineage.emit([lineage.Job(f"intake.{channel.name}", read, written)])
    return counts


def claim(db: psycopg.Connection, channel: Channel, place: str) -> None:
    """Note where a channel reads, so that no other channel reads the same deliveries from there.

    Whichever of two channels was pulled first keeps the source, also once it is retired: its
    records count. A removed channel keeps nothing.

    Args:
        db: to the warehouse.
        channel: the channel.
        place: where it reads (`SourceConfig.place`).

    Raises:
        ConfigurationError: when another channel has the source.
    """
    from lumbung.intake.connectors import KINDS

    with db.transaction():
        db.execute(
            "select pg_advisory_xact_lock(hashtext('lumbung.source'), hashtext(%s))", (place,)
        )
        for other, options in db.execute(
            "select channel, options from ops.channel_source left join ops.channel_state"
            " using (channel) where place = %s and channel <> %s"
            " and state is distinct from 'removed'",
            (place, channel.name),
        ).fetchall():
            # Not validated: an older version may have had other options.
            known = KINDS[options["kind"]].config.model_construct(**options)
            if channel.source.overlaps(known) and known.overlaps(channel.source):
                raise ConfigurationError(
                    f"channel {other} reads the same source, so everything would count twice",
                    where=f"channel {channel.name}",
                    remediation="delete this channel's file, or, if the other one is the mistake,"
                    f" run 'lumbung channel remove {other}'",
                )
        db.execute(
            "insert into ops.channel_source (channel, place, options) values (%s, %s, %s)"
            " on conflict (channel) do update"
            " set place = excluded.place, options = excluded.options",
            (channel.name, place, channel.source.model_dump_json()),
        )


def has_news(channel_name: str, *, database_url: str) -> bool:
    """Whether a channel has batches with records or tombstones that no build has read yet.

    The counts of a pull do not answer this: a pull that is repeated after a crash may count only
    duplicates of what its first attempt landed.

    Args:
        channel_name: the name of its records (`Channel.name`).
        database_url: the warehouse.
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
    source: Source,
    landing: Landing,
    items: Iterable[Item],
    accept_withdrawals: bool = False,
    most_withdrawals: int | None = None,
) -> tuple[IntakeCounts, list[str]]:
    """Land what a connector yields, chunk by chunk, then withdraw what the source no longer has.

    Args:
        source: what the connector was given; all source ids are added to its `seen_ids`.
        landing: of the channel.
        items: what the connector yields.
        accept_withdrawals: see `pull`.
        most_withdrawals: see `pull`.

    Returns:
        the counts, and the listings that were given in full (`Checkpoint.complete`).

    Raises:
        SourceError: what the connector raised, after all earlier deliveries were landed; or when a
            listing lost too many records.
        LandingError: when the database refuses a chunk.
    """
    counts = IntakeCounts()
    chunk = PreparedChunk()
    seen = source.seen_ids
    add = landing.add
    complete: list[str] = []
    files: dict[str, FileReading] = {}
    rows_without_id = RowsWithoutId()
    unsettled = 0
    written_cursor = cursor = source.cursor
    final_cursor: dict[str, Any] | None = None  # of the whole channel: moves with its withdrawals
    is_first_chunk = True
    with _ChunkThread(landing, source.evidence) as thread:

        def flush() -> None:
            """Hand over the chunk; the first one also if it is empty, as a sign of the pull."""
            nonlocal chunk, written_cursor, is_first_chunk
            seen.update(chunk.source_ids())
            rows_without_id.add(chunk.rows_without_id)
            if chunk.count or cursor != written_cursor or is_first_chunk:
                thread.write(chunk, None if cursor == written_cursor else dict(cursor))
            chunk, written_cursor, is_first_chunk = PreparedChunk(), cursor, False

        try:
            for item in items:
                if not isinstance(item, Checkpoint):
                    add(chunk, item)
                else:
                    if item.withdrawn:  # after the deliveries before it, before its cursor
                        flush()
                        counts += thread.wait()
                        counts += landing.write_tombstones(item.withdrawn)
                    if item.complete is not None:
                        complete.append(item.complete)
                        if item.reading is not None:
                            files[item.complete] = item.reading
                    unsettled = max(unsettled, item.unsettled)
                    if item.complete == "":
                        final_cursor = item.cursor
                    else:
                        cursor = item.cursor
                if chunk.count >= CHUNK_DELIVERIES or chunk.size >= CHUNK_BYTES:
                    flush()
        except SourceError:
            flush()  # the next pull begins behind what came before the failure
            counts += thread.wait()
            raise
        flush()
        counts += thread.wait()
    if unsettled:
        complete.clear()
        counts += IntakeCounts(unsettled=unsettled)
    if complete:
        counts += landing.withdraw_missing(
            () if landing.is_first_pull else complete,
            seen,
            None if final_cursor == written_cursor else final_cursor,
            files=files,
            rows_without_id=rows_without_id,
            accept=accept_withdrawals,
            most=most_withdrawals,
        )
    landing.finish()
    return counts, complete


class _ChunkThread:
    """Writes one chunk in a thread while the next one is read and prepared.

    At most two chunks are in memory: `write` waits until the one before is written.
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
        # Deliveries are many and form no cycles, so garbage collection is made rare.
        gc.freeze()
        gc.set_threshold(100_000, *self._threshold[1:])
        # The writing thread waits for the server a dozen times a chunk. Each time, it must wait for
        # the preparing thread too: for half a millisecond, not for the default of five.
        sys.setswitchinterval(0.0005)
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown()
        sys.setswitchinterval(self._interval)
        gc.set_threshold(*self._threshold)
        gc.unfreeze()

    def write(self, chunk: PreparedChunk, cursor: dict[str, Any] | None) -> None:
        """Begin to write a chunk.

        Raises:
            LandingError: when the database refused the chunk before.
        """
        self._counts = self.wait()
        flushed = self._threads.submit(self._evidence.flush)  # before a row refers to it
        write = self._landing.write
        self._written = self._threads.submit(write, chunk, cursor, flushed.result)

    def wait(self) -> IntakeCounts:
        """The counts of the chunks that were written since the last call.

        Raises:
            LandingError: when the database refused a chunk.
        """
        counts, self._counts = self._counts, IntakeCounts()
        if self._written is not None:
            written, self._written = self._written, None
            counts += written.result()
        return counts


def ended(db: psycopg.Connection, channel: str) -> str | None:
    """Whether a channel is `retired` or `removed` (`lumbung.intake.life`)."""
    row = db.execute(
        "select state from ops.channel_state where channel = %s and state <> 'active'", (channel,)
    ).fetchone()
    return None if row is None else str(row[0])


def lock(db: psycopg.Connection, channel: str) -> None:
    """Let no other pull of a channel run until the connection is closed.

    Args:
        db: of `database.session`; its `lock_timeout` is afterwards what it was.
        channel: the channel.

    Raises:
        ServiceError: when another pull still runs after `LOCK_SECONDS`.
    """
    import psycopg

    from lumbung import database

    key = "hashtext('lumbung.intake'), hashtext(%s)"
    try:
        with database.lock_timeout(db, f"{LOCK_SECONDS}s"):
            db.execute(f"select pg_advisory_lock({key})", (channel,))
    except psycopg.errors.LockNotAvailable as error:
        raise ServiceError(
            "another pull of this channel is running",
            where=f"channel {channel}",
            remediation="wait until it has ended and pull again",
        ) from error
