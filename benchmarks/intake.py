"""How fast deliveries are landed, beside a plain COPY of the same bytes: `make bench-intake`."""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import psutil
import psycopg

from lumbung import database
from lumbung.embedded.postgres import EmbeddedPostgres
from lumbung.intake import run
from lumbung.intake.connectors import Delivery, Mark, Source, kobo
from lumbung.intake.contract import Channel
from lumbung.intake.evidence import Evidence
from lumbung.intake.landing import IntakeCounts, Landing
from lumbung.intake.vault import Vault

CHANNEL = Channel.model_validate(
    {
        "name": "kobo_ukur",
        "title": "Formulir ukur",
        "owner": {"name": "Kantor Contoh", "email": "kantor@contoh.example.id"},
        "connection": "kobo_ukur",
        "schedule": "0 5 * * *",
        "record_kind": "IA",
        "source": {"kind": "kobo", "asset": "aUkur"},
        "personal": ["pemantau/nama", "pemantau/telepon"],
        "subject": ["pemantau/telepon"],
        "fields": {
            "occurred_date": {"from": "kejadian/tanggal"},
            "regency_code": {"from": "kejadian/kode_kab", "scheme": "bps"},
            "district": {"from": "kejadian/kecamatan"},
            "issue": {"from": "kejadian/isu", "separator": " "},
            "narrative": {"from": "kejadian/uraian"},
        },
    }
)
PAGE = 1_000
_ISSUES = ("politik_uang", "netralitas_asn politik_uang", "apk", "hoaks sara")
_DISTRICTS = ("Rangkui", "Gerunggang", "Mentok", "Koba", "Toboali", "Manggar", "Tanjung Pandan")


def records(first: int, count: int) -> Iterator[bytes]:
    """Kobo-like submissions as JSON lines, about 540 bytes each, the same every time."""
    for number in range(first, first + count):
        digest = blake2b(number.to_bytes(8), digest_size=16).hexdigest()
        uuid = f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"
        yield (
            f'{{"_id":{number},"meta/rootUuid":"uuid:{uuid}",'
            f'"start":"2024-11-{number % 28 + 1:02}T07:13:40.976+07:00",'
            f'"pemantau/nama":"Warga Contoh {number % 4999}",'
            f'"pemantau/telepon":"08{number:010}",'
            f'"kejadian/tanggal":"2024-11-{number % 28 + 1:02}",'
            f'"kejadian/kode_kab":"190{number % 6 + 1}",'
            f'"kejadian/kecamatan":"{_DISTRICTS[number % 7]}",'
            f'"kejadian/isu":"{_ISSUES[number % 4]}",'
            f'"kejadian/uraian":"Pembagian sembako di warung nomor {number % 977}, dilihat beberapa'
            f' warga pada sore hari","_status":"submitted_via_web","_attachments":[],'
            f'"_submission_time":"2024-11-{number % 28 + 1:02}T00:14:{number % 60:02}"}}\n'
        ).encode()


def write(path: Path, rows: int) -> None:
    with path.open("wb") as file:
        for start in range(0, rows, 10_000):
            file.write(b"".join(records(start, min(10_000, rows - start))))


def pages(path: Path, evidence: Evidence) -> Iterator[Delivery | Mark]:
    """What the connector `kobo` yields, without the server."""
    with path.open("rb") as file:
        while lines := file.readlines(PAGE * 500):
            kept = evidence.keep(BytesIO(b"".join(lines))).sha256
            for line in lines:
                yield kobo._delivery(orjson.loads(line), "rootUuid", kept, "benchmark")
            yield Mark({"key_by": "rootUuid"})


class Meter:
    """Wall time, and CPU time of this process and of the database's backends."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self.server = server

    def _server_cpu(self) -> float:
        root = self.server.process
        assert root is not None
        total = 0.0
        for process in root.children():
            times = process.cpu_times()
            total += times.user + times.system
        return total

    @contextmanager
    def __call__(self, db: psycopg.Connection, name: str, rows: int) -> Iterator[dict[str, float]]:
        backend = psutil.Process(db.info.backend_pid)
        def cpu(p): t = p.cpu_times(); return t.user + t.system
        me = psutil.Process()
        before = (time.perf_counter(), cpu(me), cpu(backend))
        got: dict[str, float] = {}
        yield got
        wall, mine, its = (a - b for a, b in zip((time.perf_counter(), cpu(me), cpu(backend)), before))
        got["rows_s"] = rows / wall
        print(f"{name:28} {rows / wall:9,.0f} rows/s  python {mine / rows * 1e6:5.1f} us/row"
              f"  backend {its / rows * 1e6:5.1f} us/row", flush=True)


def land(url, path, rows, meter, home, name):
    evidence = Evidence(home / "evidence")
    vault = Vault(bytes(range(32)))
    with psycopg.connect(url, autocommit=True) as db:
        source = Source(CHANNEL, None, None, evidence, vault.content_hash, {})
        with meter(db, name, rows) as got:
            counts = run._land_all(source, Landing(db, CHANNEL, vault, "bench"), pages(path, evidence))
        print(counts)
    return got["rows_s"]


def ceiling(url, path, rows, meter):
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("drop table if exists ceiling; create table ceiling (payload jsonb)")
        with meter(db, "ceiling", rows) as got, db.cursor().copy("copy ceiling from stdin") as copy, path.open("rb") as file:
            while piece := file.read(1 << 20):
                copy.write(piece)
        db.execute("drop table ceiling")
    return got["rows_s"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    a = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lumbung-bench-") as name:
        home = Path(name)
        home.chmod(0o755)
        server = EmbeddedPostgres(home / "postgres")
        server.start()
        try:
            url = server.ensure_database("bench")
            database.migrate(url)
            path = home / "records.jsonl"
            write(path, a.rows)
            print(path.stat().st_size / a.rows)
            meter = Meter(server)
            ceiling(url, path, a.rows, meter)
            land(url, path, a.rows, meter, home, "first landing")
            ceiling(url, path, a.rows, meter)
            land(url, path, a.rows, meter, home, "replay")
        finally:
            server.stop()

main()
