"""How well places are read: precision and recall over a list of spellings.

    python -m benchmarks.judge_places LIST.csv

The list has the columns `regency`, `district` and `village`, as a clerk filled them in, and
`expected_regency` and `expected_district`, empty where a careful person cannot know. The spellings
are landed in a scratch database and resolved by the warehouse's own models.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path

import psycopg
import yaml
from psycopg.types.json import Jsonb

from lumbung import database
from lumbung.intake.channel import load
from lumbung.intake.channel.sync import sync
from lumbung.intake.landing.batch import first_record_id
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.settings import Settings
from lumbung.warehouse.dbt_runner import raise_failed, run_dbt

PROJECT = Path(__file__).parents[1]
WRITTEN = ("regency", "district", "village")
CHANNEL = {
    "title": "Daftar ejaan",
    "owner": {"name": "Pengukuran", "email": "pengukuran@example.id"},
    "schedule": "0 5 * * *",
    "expected_every": "1 day",
    "source": {"kind": "kobo", "asset": "aRekaan"},
    "connection": "rekaan",
    "record_kind": "IA",
    "fields": {name: {"from": name} for name in WRITTEN},
}


def main() -> None:
    """Print the four measures, and with `--rows` each row that was read otherwise than expected."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("list", type=Path)
    parser.add_argument("--database-url", help="a server; without it an embedded one is started")
    parser.add_argument("--rows", action="store_true", help="also print what was read otherwise")
    arguments = parser.parse_args()
    if arguments.database_url:
        _report(arguments.list, arguments.database_url, arguments.rows)
        return
    with tempfile.TemporaryDirectory(prefix="lumbung-places-") as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres")
        server.start()
        try:
            _report(arguments.list, server.url("postgres"), arguments.rows)
        finally:
            server.stop()


def measure(path: Path, database_url: str) -> dict[str, float]:
    """Precision and recall of regencies and districts.

    Args:
        path: the list.
        database_url: any database of a server on which databases may be created.

    """
    rows = _rows(path)
    return _measures(rows, read(rows, database_url))


def read(rows: list[dict[str, str]], database_url: str) -> list[tuple[str, str, str]]:
    """Return what the warehouse finds for each row: regency, district, method; empty for none."""
    with _scratch(database_url) as url, tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "office"
        (project / "channels").mkdir(parents=True)
        (project / "dbt_project").symlink_to(PROJECT / "dbt_project")
        (project / "channels" / "ejaan.yaml").write_text(yaml.safe_dump(CHANNEL), encoding="utf-8")
        settings = Settings(Path(folder) / "home", project, None)
        with database.connect(url) as connection:
            channels, mistakes = load.read_channels(settings.channels)
            sync(connection, channels, mistakes)
            _land(rows, connection)
        with redirect_stdout(StringIO()):
            raise_failed(
                run_dbt(
                    ["build", "--select", "+int_places__resolved",
                     "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"],
                    settings=settings,
                    database_url=url,
                    target="target",
                )
            )  # fmt: skip
        with database.connect(url) as connection:
            found = connection.execute(FOUND).fetchall()
    if len(found) != len(rows):
        raise RuntimeError(f"{len(rows)} rows were landed and {len(found)} read")
    return found


def _measures(rows: list[dict[str, str]], found: list[tuple[str, str, str]]) -> dict[str, float]:
    measures = {}
    for position, level in enumerate(("regency", "district")):
        pairs = [
            (row[f"expected_{level}"], answer[position])
            for row, answer in zip(rows, found, strict=True)
        ]
        right = sum(expected == answer != "" for expected, answer in pairs)
        measures[f"{level}_precision"] = right / max(1, sum(answer != "" for _, answer in pairs))
        measures[f"{level}_recall"] = right / max(1, sum(expected != "" for expected, _ in pairs))
    return measures


def _report(path: Path, database_url: str, shows_rows: bool) -> None:
    rows = _rows(path)
    found = read(rows, database_url)
    for row, (regency, district, method) in zip(rows, found, strict=True):
        expected = (row["expected_regency"], row["expected_district"])
        if shows_rows and (regency, district) != expected:
            written = " | ".join(row[name] for name in WRITTEN)
            print(f"{written}: {expected}, read {(regency, district)} by {method}")
    for name, value in _measures(rows, found).items():
        print(f"{name}={value:.3f}")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {name: value.strip() for name, value in row.items()} for row in csv.DictReader(file)
        ]


def _land(rows: list[dict[str, str]], connection: psycopg.Connection) -> None:
    batch = connection.execute(
        "insert into raw.batch (channel, run_key, started_at, landed_at, read_count, landed_count,"
        " duplicate_count, quarantined_count)"
        " values ('ejaan', 'ejaan', now(), now(), %(n)s, %(n)s, 0, 0) returning batch_id",
        {"n": len(rows)},
    ).fetchone()
    assert batch is not None
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into raw.record (record_id, channel, source_id, content_hash, batch_id,"
            " received_at, is_tombstone, payload) overriding system value"
            " values (%s, 'ejaan', %s, %s, %s, now(), false, %s)",
            [
                (
                    *(
                        first_record_id(batch[0]) + position,
                        str(position),
                        position.to_bytes(16),
                        batch[0],
                    ),
                    Jsonb({name: row[name] for name in WRITTEN if row[name]}),
                )
                for position, row in enumerate(rows)
            ],
        )


FOUND = """
    select
        coalesce(nullif(places.regency_code, (
            select regency.regency_code from reference_next.regency where regency.is_unknown
        )), ''),
        coalesce(places.district_code, ''),
        places.location_method
    from staging.stg_intake__records as records
    inner join intermediate.int_places__resolved as places
        on (places.regency_raw, places.district_raw, places.village_raw)
        is not distinct from (records.regency_raw, records.district_raw, records.village_raw)
    order by records.source_id::integer
"""


@contextmanager
def _scratch(database_url: str) -> Iterator[str]:
    """A migrated database of its own, dropped at the end."""
    name = f"judge_{uuid.uuid4().hex[:12]}"
    url = database.ensure(database_url, name)
    try:
        database.migrate(url)
        yield url
    finally:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(f'drop database if exists "{name}" with (force)'.encode())


if __name__ == "__main__":
    main()
