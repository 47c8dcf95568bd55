"""Fixtures of the tests of the warehouse: an office of its own, with rows laid into raw by hand."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg.types.json import Jsonb

from lumbung.demo import reckoning, run, world, writers
from lumbung.demo.kobo_server import StandIn
from lumbung.intake.connectors.base import SourceConnection
from lumbung.intake.landing.batch import first_record_id
from lumbung.intake.run import pull
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.settings import JAKARTA, Settings
from lumbung.warehouse import build as warehouse_build
from lumbung.warehouse.build import build
from tests.support.builds import artifacts, data_docs, folder_of_all_workers, parsed_once
from tests.support.databases import fresh_database, the_row

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def one_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every build of a test judge by one day: Jakarta's midnight may pass between two."""
    day = json.dumps({"as_of_date": datetime.now(JAKARTA).date().isoformat()})
    monkeypatch.setattr(warehouse_build, "BUILD", (*warehouse_build.BUILD, "--vars", day))


CHANNELS: dict[str, dict[str, Any]] = {
    "buku": {
        "source": {"kind": "register"},
        "key": "Nomor",
        "fields": {
            "register_number": {"from": "Nomor"},
            "received_date": {"from": "Diterima"},
            "known_date": {"from": "Diketahui"},
            "occurred_date": {"from": "Kejadian"},
            "regency": {"from": "Kab/Kota"},
            "district": {"from": "Kecamatan"},
            "village": {"from": "Desa"},
            # the second label is an older layout's; the quote must survive into the SQL
            "issue": {"from": ["Isu", "Isu '23"], "separator": ";"},
            "violation_type": {"from": "Jenis", "separator": ","},
            "accused_role": {"from": "Jabatan"},
            "status": {"from": "Status"},
            "status_reason": {"from": "Alasan"},
            "forwarded_to": {"from": "Diteruskan Ke"},
            "follow_up": {"from": "Tindak Lanjut"},
            "during_campaign_event": {"from": "Saat Kampanye"},
            "narrative": {"from": "Uraian"},
        },
    },
    "rekap": {
        "source": {"kind": "register"},
        "key": "No",
        "kept": "No",
        "fields": {
            "activity_date": {"from": "Tanggal"},
            "regency_code": {"from": "Kode", "scheme": "kemendagri"},
            "district": {"from": "Kecamatan"},
            "activity_kind": {"from": "Kegiatan"},
            "election": {"from": "Pemilihan"},
            "method": {"from": "Bentuk"},
            "prevention_type": {"from": "Bentuk"},
            "narrative": {"from": "Keterangan"},
        },
    },
    "grup": {
        "source": {"kind": "whatsapp", "marker": "ADUAN"},
        "record_kind": "IA",
        "fields": {
            "occurred_date": {"from": "Tanggal"},
            "regency": {"from": "Lokasi"},
            "district": {"from": "Lokasi"},
            "issue": {"from": "Isu", "separator": ";"},
            "narrative": {"from": ["Uraian", "Teks"]},
        },
    },
    "formulir": {
        "source": {"kind": "kobo", "asset": "aRekaan"},
        "connection": "rekaan",
        "record_kind": "IA",
        "fields": {
            "occurred_date": {"from": "tanggal"},
            "regency_code": {"from": "kode", "scheme": "bps"},
            "district": {"from": "kecamatan"},
            "issue": {"from": "isu", "separator": " "},
        },
    },
    "tanpa_skema": {
        "source": {"kind": "kobo", "asset": "aTanpaSkema"},
        "connection": "rekaan",
        "record_kind": "IA",
        "fields": {
            "regency_code": {"from": "kode"},
            "regency": {"from": "nama"},
            "district": {"from": "kecamatan"},
        },
    },
}

COMMON = {
    "title": "Kanal rekaan",
    "owner": {"name": "Kantor Rekaan", "email": "rekaan@example.id"},
    "schedule": "0 5 * * *",
    "expected_every": "1 day",
}


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The real dbt project and suites with channels of our own; one home, so dbt parses once."""
    project = tmp_path_factory.mktemp("office")
    (project / "dbt_project").symlink_to(PROJECT / "dbt_project")
    for name in ("config", "expectations"):
        (project / name).symlink_to(PROJECT / name)
    (project / "channels").mkdir()
    for name, document in CHANNELS.items():
        write_channel(project / "channels" / f"{name}.yaml", document)
    return Settings(tmp_path_factory.mktemp("home"), project, None)


def write_channel(path: Path, document: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump({**COMMON, **document}, sort_keys=False, allow_unicode=True))


class Raw:
    """Lays deliveries into raw as the landing does, one batch a call."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._hashes = itertools.count(1)

    def land(
        self,
        channel: str,
        rows: list[dict[str, Any]],
        *,
        received_at: str = "2024-12-01T00:00:00Z",
        ids: list[str] | None = None,
        tombstone: bool = False,
        landed_at: datetime = datetime(2024, 12, 20, tzinfo=UTC),
        quarantined: int = 0,
        run_key: str = "test",
    ) -> None:
        with psycopg.connect(self.url) as connection:
            inserted = connection.execute(
                "insert into raw.batch (channel, run_key, started_at, landed_at, read_count,"
                " landed_count, duplicate_count, quarantined_count)"
                " values (%s, %s, %s, %s, %s, %s, 0, %s) returning batch_id",
                (
                    channel,
                    run_key,
                    landed_at,
                    landed_at,
                    len(rows) + quarantined,
                    len(rows),
                    quarantined,
                ),
            )
            (batch,) = the_row(inserted)
            for position, row in enumerate(rows):
                number = next(self._hashes)
                source_id = ids[position] if ids else str(row.get("Nomor") or f"baris {number}")
                connection.execute(
                    "insert into raw.record (record_id, channel, source_id, content_hash, batch_id,"
                    " received_at, is_tombstone, payload) overriding system value"
                    " values (%s, %s, %s, %s, %s, %s, %s, %s)",
                    (
                        *(
                            first_record_id(batch) + position,
                            channel,
                            source_id,
                            number.to_bytes(16),
                            batch,
                            received_at,
                        ),
                        *(tombstone, Jsonb(row)),
                    ),
                )


@contextmanager
def cheaper(factory: pytest.TempPathFactory, *, are_kept: bool = False) -> Iterator[None]:
    """Let builds share what they parse of the project; keep no artefacts, write no Data Docs."""
    parsed = parsed_once(folder_of_all_workers(factory, "parsed"))
    with artifacts(are_kept=are_kept), data_docs(are_written=False), parsed:
        yield


@pytest.fixture(scope="package", autouse=True)
def cheaper_builds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let the builds of these tests be cheaper. Fixtures of the session come before, and say so."""
    with cheaper(tmp_path_factory):
        yield


@pytest.fixture(scope="module")
def database_names() -> Iterator[str]:
    """The names of a module's databases.

    The next module's have the same names: for another name dbt would parse the project again.
    """
    return (f"module_{number}" for number in itertools.count(1))


@pytest.fixture(scope="module")
def new_database(
    server: EmbeddedPostgres, template: str, database_names: Iterator[str]
) -> Callable[[], str]:
    """Make fresh, migrated databases of this module."""
    return lambda: fresh_database(server, template, next(database_names))


@pytest.fixture(scope="session")
def empty_warehouse(
    server: EmbeddedPostgres,
    template: str,
    office: Settings,
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """The name of a database to copy: migrated, and built by the office before any delivery.

    The office's first build in a copy is an increment, for a third of the CPU time of a full build.
    """
    # The name of `database_url`, which no test has yet: dbt need not parse the project for another.
    url = fresh_database(server, template, "test")
    with cheaper(tmp_path_factory):
        build(settings=office, database_url=url)
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("alter database test rename to template_warehouse")
    return "template_warehouse"


@pytest.fixture(scope="module")
def new_warehouse(
    server: EmbeddedPostgres, empty_warehouse: str, database_names: Iterator[str]
) -> Callable[[], str]:
    """As `new_database`, with an empty warehouse of the office (`empty_warehouse`)."""
    return lambda: fresh_database(server, empty_warehouse, next(database_names))


@pytest.fixture
def warehouse_url(server: EmbeddedPostgres, empty_warehouse: str) -> str:
    """As `database_url`, with an empty warehouse of the office (`empty_warehouse`)."""
    return fresh_database(server, empty_warehouse, "test")


def land_world(seed: int, home: Path, url: str) -> tuple[Settings, dict[str, Any]]:
    """Invent a world and pull its channels as their DAGs do; the settings and its truth."""
    settings = Settings(home, PROJECT, None)
    invented = world.generate(seed)
    writers.write(invented, settings.inbox)
    with StandIn(settings.inbox / "kobo_pemantau.json", 0, "rahasia") as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for channel in run.CHANNELS:
            connection = SourceConnection(server.address, password="rahasia")
            pull(
                channel,
                settings=settings,
                database_url=url,
                connection=connection if channel == "kobo_pemantau" else None,
                run_key="test",
            )
        server.shutdown()
    return settings, reckoning.truth_of(invented)


@pytest.fixture(scope="session")
def demo(
    server: EmbeddedPostgres, empty_warehouse: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Settings, dict[str, Any]]:
    """The demo's world of seed 1, landed and built: database, settings, truth."""
    url = fresh_database(server, empty_warehouse, "demo")
    settings, truth = land_world(1, tmp_path_factory.mktemp("demo"), url)
    with cheaper(tmp_path_factory):
        build(settings=settings, database_url=url)
    return url, settings, truth


REPORT = {"Nomor": "001/LP/PB/Kab/09.01/XI/2024", "Diterima": "2024-11-06", "Kab/Kota": "Bangka"}


@pytest.fixture(scope="session")
def built(
    server: EmbeddedPostgres,
    template: str,
    office: Settings,
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """A database with one report and one successful build, shared by the tests that break it.

    `test_tools` looks at the artefacts of that build.
    """
    url = fresh_database(server, template, "built")
    Raw(url).land("buku", [REPORT])
    with cheaper(tmp_path_factory, are_kept=True):
        build(settings=office, database_url=url)
    return url


def query(url: str, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        cursor = connection.execute(statement.encode(), parameters)
        return cursor.fetchall() if cursor.description else []
