"""Whether `raw.record` should be partitioned: plain, by hash of the source id, and by time.

    python -m benchmarks.partitions --rows 2000000

The same records are laid into three tables with the columns and keys of `raw.record`: one without
partitions, one with 16 by hash of `source_id` (a generated column such as `source_key` cannot
divide a table), one with 16 ranges of `record_id`, which grows with time. Measured are appending
chunks of a pull, looking up the stored versions of source ids, reading what came last, and removing
the oldest sixteenth. ADR 37 has what was found.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import psycopg

from benchmarks import warehouse_world
from lumbung import database
from lumbung.local.postgres import EmbeddedPostgres

PARTS = 16
CHUNK = 5_000
CHUNKS = 60
SEEDS = Path(__file__).parents[1] / "dbt_project" / "seeds"
COLUMNS = (
    "record_id, channel, source_id, content_hash, recurrence, batch_id, received_at, is_tombstone,"
    " subject_token, evidence_sha256, locator, payload"
)


def main() -> None:
    """Measure each way, and print its numbers."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=2_000_000)
    rows = options.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="lumbung-bench-") as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres")
        server.start()
        try:
            with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
                connection.execute("create database partitions")
            url = server.url("partitions")
            database.migrate(url)
            places = warehouse_world.districts(SEEDS)
            warehouse_world.land(url, 1, rows, places=places)
            with psycopg.connect(url, autocommit=True) as connection:
                for way in ("plain", "hash", "time"):
                    _measure(connection, way)
        finally:
            server.stop()


def _measure(connection: psycopg.Connection, way: str) -> None:
    table = f"raw.by_{way}"
    (most,) = connection.execute("select max(record_id) from raw.record").fetchone() or (0,)
    _create(connection, table, way, most)
    last = CHUNK * CHUNKS
    held = "select * from raw.record order by record_id desc limit %s"
    before = time.monotonic()
    connection.execute(
        f"insert into {table} ({COLUMNS}) overriding system value"
        f" select {COLUMNS} from raw.record where record_id not in"
        f" (select record_id from ({held}) as last)".encode(),
        (last,),
    )
    filled = time.monotonic() - before
    connection.execute(f"vacuum analyze {table}".encode())
    connection.execute(f"create temp table last_{way} as {held}".encode(), (last,))
    connection.execute(f"create index on last_{way} (record_id)".encode())
    ids = [
        key
        for (key,) in connection.execute(
            f"select record_id from last_{way} order by record_id".encode()
        )
    ]
    appended, looked_up = [], []
    for first in range(0, last, CHUNK):
        chunk = ids[first : first + CHUNK]
        before = time.monotonic()
        connection.execute(
            f"insert into {table} ({COLUMNS}) overriding system value select {COLUMNS}"
            f" from last_{way} where record_id between %s and %s".encode(),
            (chunk[0], chunk[-1]),
        )
        appended.append(time.monotonic() - before)
        known = [
            key
            for (key,) in connection.execute(
                f"select source_id from {table} where record_id <= %s"
                " order by hashtext(source_id || %s) limit 500".encode(),
                (ids[0] // 2, str(first)),
            )
        ] if first % (20 * CHUNK) == 0 else []  # fmt: skip
        if known:
            before = time.monotonic()
            connection.execute(
                "select count(r.content_hash) from unnest(%s::text[]) as wanted (source_id)"
                f" cross join lateral (select * from {table} as stored where stored.source_key ="
                " hashtextextended(wanted.source_id, 0) and stored.source_id = wanted.source_id"
                " offset 0) as r".encode(),
                (known,),
            )
            looked_up.append(time.monotonic() - before)
    before = time.monotonic()
    connection.execute(
        f"select sum(length(payload::text)) from {table} where record_id > %s".encode(),
        (ids[-2 * CHUNK],),
    )
    newest = time.monotonic() - before
    (size,) = connection.execute(
        "select sum(pg_total_relation_size(relid))::bigint from pg_partition_tree(%s::regclass)"
        if way != "plain" else "select pg_total_relation_size(%s::regclass)", (table,)
    ).fetchone() or (0,)  # fmt: skip
    before = time.monotonic()
    if way == "time":
        connection.execute(f"drop table {table}_0".encode())
    else:
        connection.execute(f"delete from {table} where record_id < %s".encode(), (most // PARTS,))
        connection.execute(f"vacuum {table}".encode())
    removed = time.monotonic() - before
    print(f"{way}_fill_s={filled:.1f}")
    print(f"{way}_append_ms={1000 * statistics.median(appended):.0f}")
    print(f"{way}_lookup_500_ms={1000 * statistics.median(looked_up):.0f}")
    print(f"{way}_newest_ms={1000 * newest:.0f}")
    print(f"{way}_remove_s={removed:.2f}")
    print(f"{way}_gb={size / 1e9:.2f}")
    connection.execute(f"drop table {table}".encode())


def _create(connection: psycopg.Connection, table: str, way: str, most: int) -> None:
    """Create the table with what `raw.record` has; a key that is not the partition's is no key."""
    like = "like raw.record including defaults including generated including identity"
    by = {"plain": "", "hash": "partition by hash (source_id)",
          "time": "partition by range (record_id)"}[way]  # fmt: skip
    connection.execute(f"create table {table} ({like}) {by}".encode())
    for part in range(PARTS if by else 0):
        bound = f"with (modulus {PARTS}, remainder {part})"
        if way == "time":
            low = "minvalue" if part == 0 else str(most // PARTS * part)
            high = "maxvalue" if part == PARTS - 1 else str(most // PARTS * (part + 1))
            bound = f"from ({low}) to ({high})"
        connection.execute(
            f"create table {table}_{part} partition of {table} for values {bound}".encode()
        )
    version = "source_key, content_hash, recurrence" + ", source_id" * (way == "hash")
    unique = {"plain": ("unique", "unique"), "hash": ("", "unique"), "time": ("unique", "")}[way]
    for kind, columns in zip(unique, ("record_id", version), strict=True):
        connection.execute(f"create {kind} index on {table} ({columns})".encode())


if __name__ == "__main__":
    main()
