"""How fast deliveries are landed, beside what others make of the same bytes: `make bench-intake`.

In one run and on one input: a plain COPY of the bytes into a jsonb column (the ceiling), the
landing with everything on (evidence, vault, hashing, drift), the same once more, a register of
100,000 rows, and the peers that can be installed. The last lines are `name=value`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from io import BytesIO
from pathlib import Path

import orjson
import psutil
import psycopg
import xlsxwriter
import yaml

from lumbung import database
from lumbung.intake import run
from lumbung.intake.channel.models import Channel
from lumbung.intake.connectors.base import Checkpoint, Item, SeenIds, Source
from lumbung.intake.connectors.kobo import reader as kobo
from lumbung.intake.evidence import Evidence
from lumbung.intake.landing import IntakeCounts, Landing
from lumbung.intake.vault import EvidenceKeys, Vault
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.settings import Settings

HERE = Path(__file__).parent
PEERS = HERE / ".venv" / "bin"
PAGE = 1_000
REGISTER_ROWS = 100_000

COMMON = {
    "owner": {"name": "Kantor Contoh", "email": "kantor@contoh.example.id"},
    "schedule": "0 5 * * *",
}
KOBO = {
    **COMMON,
    "title": "Formulir ukur",
    "connection": "kobo_ukur",
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
REGISTER = {
    **COMMON,
    "title": "Register ukur",
    "source": {"kind": "register"},
    "key": "Nomor Register",
    "personal": ["Pelapor", "No. HP"],
    "subject": ["No. HP"],
    "kept": ["No"],
    "fields": {
        "register_number": {"from": "Nomor Register", "required": True},
        "received_date": {"from": "Tanggal"},
        "regency": {"from": "Kab/Kota"},
        "issue": {"from": "Isu", "separator": ";"},
        "narrative": {"from": "Uraian"},
    },
}
ISSUES = ("politik_uang", "netralitas_asn politik_uang", "apk", "hoaks sara")
DISTRICTS = ("Rangkui", "Gerunggang", "Mentok", "Koba", "Toboali", "Manggar", "Tanjung Pandan")


# -- the input ------------------------------------------------------------------------------------


def records(first: int, count: int) -> Iterator[bytes]:
    """Kobo-like submissions as JSON lines, about 540 bytes each, the same every time."""
    for number in range(first, first + count):
        digest = blake2b(number.to_bytes(8), digest_size=16).hexdigest()
        uuid = f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"
        day = number % 28 + 1
        yield (
            f'{{"_id":{number},"meta/rootUuid":"uuid:{uuid}","_uuid":"{uuid}",'
            f'"start":"2024-11-{day:02}T07:13:40.976+07:00",'
            f'"pemantau/nama":"Warga Contoh {number % 4999}",'
            f'"pemantau/telepon":"08{number:010}",'
            f'"kejadian/tanggal":"2024-11-{day:02}","kejadian/kode_kab":"190{number % 6 + 1}",'
            f'"kejadian/kecamatan":"{DISTRICTS[number % 7]}",'
            f'"kejadian/isu":"{ISSUES[number % 4]}",'
            f'"kejadian/uraian":"Pembagian sembako di warung nomor {number % 977}, dilihat beberapa'
            f' warga pada sore hari","_status":"submitted_via_web","_attachments":[],'
            f'"_submission_time":"2024-11-{day:02}T00:14:{number % 60:02}"}}\n'
        ).encode()


def write_records(path: Path, first: int, count: int) -> None:
    with path.open("wb") as file:
        for start in range(first, first + count, 10_000):
            file.write(b"".join(records(start, min(10_000, first + count - start))))


def write_singer(path: Path, source: Path) -> None:
    """The same records as Singer messages."""
    with source.open("rb") as lines, path.open("wb") as file:
        names = list(orjson.loads(next(lines)))
        kinds = {"_id": {"type": "integer"}, "_attachments": {"type": ["array", "null"]}}
        schema = {"properties": {name: kinds.get(name, {"type": ["string"]}) for name in names}}
        head = {"type": "SCHEMA", "stream": "ukur", "schema": schema, "key_properties": []}
        file.write(orjson.dumps(head) + b"\n")
        lines.seek(0)
        for line in lines:
            file.write(b'{"type":"RECORD","stream":"ukur","record":' + line.rstrip() + b"}\n")


def write_register(path: Path) -> None:
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("November")
        sheet.write_row(0, 0, ["BUKU REGISTER LAPORAN"])
        sheet.write_row(
            2,
            0,
            ["No", "Nomor Register", "Tanggal", "Pelapor", "No. HP", "Kab/Kota", "Isu", "Uraian"],
        )
        for number in range(REGISTER_ROWS):
            sheet.write_row(
                number + 3,
                0,
                [
                    number + 1,
                    f"{number:06}/LP/PB/Kab/09.05/XI/2024",
                    f"{number % 28 + 1:02}/11/2024",
                    f"Warga Contoh {number}",
                    f"08{number:010}",
                    "Kab. Bangka Barat",
                    "politik uang; netralitas ASN",
                    f"Pembagian sembako di warung nomor {number % 977}, dilihat beberapa warga",
                ],
            )


# -- measuring ------------------------------------------------------------------------------------


class Memory:
    """The largest resident memory of this process while it is watched, in MB."""

    def __enter__(self) -> Memory:
        self.most = 0.0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        process = psutil.Process()
        while not self._end.wait(0.1):
            self.most = max(self.most, process.memory_info().rss / 1e6)


@contextmanager
def timed(
    server: EmbeddedPostgres, name: str, rows: int, results: dict[str, float]
) -> Iterator[None]:
    """Note rows a second, and under `<name>, CPU` the microseconds of CPU time a row."""
    start, used = time.perf_counter(), cpu_seconds(server)
    yield
    results[name] = rows / (time.perf_counter() - start)
    results[f"{name}, CPU"] = (cpu_seconds(server) - used) / rows * 1e6
    print(
        f"{name:28} {results[name]:10,.0f} rows/s {results[f'{name}, CPU']:8.1f} us of CPU a row",
        flush=True,
    )


def cpu_seconds(server: EmbeddedPostgres) -> float:
    """The CPU time that this process and the server have used, ended backends included."""
    assert server.process is not None
    while True:
        family = [server.process, *server.process.children(recursive=True)]
        try:
            times = [each.cpu_times() for each in family]
        except psutil.NoSuchProcess:
            continue  # a backend ended meanwhile: its time is the server's now
        return time.process_time() + sum(
            each.user + each.system + each.children_user + each.children_system for each in times
        )


class Bench:
    def __init__(self, home: Path, server: EmbeddedPostgres) -> None:
        self.settings = Settings(home / "home", home, None)
        (home / "channels").mkdir()
        (home / "channels" / "register_ukur.yaml").write_text(yaml.safe_dump(REGISTER))
        self.server = server
        self.url = server.ensure_database("bench")
        database.migrate(self.url)
        self.vault = Vault.load(self.settings.home)

    def ceiling(self, path: Path) -> None:
        """COPY of the lines into one jsonb column, a megabyte at a time."""
        with psycopg.connect(self.url, autocommit=True) as db:
            db.execute("drop table if exists ceiling")
            db.execute("create table ceiling (payload jsonb)")
            with path.open("rb") as file, db.cursor().copy("copy ceiling from stdin") as copy:
                while piece := file.read(1 << 20):
                    copy.write(piece)
            db.execute("drop table ceiling")

    def pages(self, path: Path, evidence: Evidence, met: SeenIds, is_whole: bool) -> Iterator[Item]:
        """What the connector `kobo` yields, from a file instead of a server."""
        with path.open("rb") as file:
            while lines := [line for _, line in zip(range(PAGE), file, strict=False)]:
                kept = evidence.keep(BytesIO(b"".join(lines))).sha256
                rows = orjson.loads(b"[" + b",".join(lines) + b"]")
                yield from kobo.deliver(rows, "rootUuid", kept, met)
                yield Checkpoint({"key_by": "rootUuid"})
        if is_whole:
            yield Checkpoint({"key_by": "rootUuid"}, "")

    def land(self, path: Path, name: str = "kobo_ukur", is_whole: bool = False) -> IntakeCounts:
        """All of a pull but the network.

        Args:
            path: the records.
            name: of the channel.
            is_whole: they are all of the form: what else was landed is looked for.
        """
        channel = Channel.model_validate({**KOBO, "name": name})
        evidence = Evidence(self.settings.evidence, EvidenceKeys(self.url, self.vault))
        with database.connect(self.url) as db:
            db.autocommit = True
            source = Source(
                channel,
                self.settings.inbox,  # type: ignore[arg-type]
                None,
                evidence,
                self.vault.content_hash,
                {},
            )
            landing = Landing(db, channel, self.vault, "benchmark")
            pages = self.pages(path, evidence, source.seen_ids, is_whole)
            return run.land_all(source, landing, pages)[0]

    def fill(self, rows: int) -> None:
        """Bring the table to so many rows of the same channel, as earlier pulls would have."""
        with psycopg.connect(self.url, autocommit=True) as db:
            ((there,),) = db.execute("select count(*) from raw.record").fetchall()
            for first in range(there, rows, 500_000):
                numbers = (first, min(first + 500_000, rows) - 1)
                db.execute(
                    "insert into raw.record (record_id, channel, source_id, content_hash, batch_id,"
                    " received_at, payload) overriding system value"
                    " select -n, 'kobo_ukur', 'isian ' || n, decode(md5(n::text), 'hex'), 0, now(),"
                    " '{}' from generate_series(%s::bigint, %s) as n",
                    numbers,
                )
                db.execute(
                    "insert into vault.identity select -n, decode(md5(n::text), 'hex')"
                    " from generate_series(%s::bigint, %s) as n",
                    numbers,
                )
            db.execute("vacuum analyze raw.record")
            db.execute("checkpoint")

    def register(self) -> IntakeCounts:
        return run.pull(
            "register_ukur", settings=self.settings, database_url=self.url, run_key="benchmark"
        )


# -- peers ----------------------------------------------------------------------------------------


def sling(url: str, path: Path, home: Path) -> list[str] | None:
    found = sorted(PEERS.parent.glob("lib/*/site-packages/sling_*/bin/sling-*"))
    if not found:
        return None
    return [
        *(str(found[0]), "run", "--src-stream", f"file://{path}", "--tgt-conn"),
        f"{url}?sslmode=disable",
        *("--tgt-object", "public.peer_sling", "--mode", "full-refresh"),
    ]


def dlt(url: str, path: Path, home: Path) -> list[str] | None:
    return [str(PEERS / "python"), str(HERE / "peer_dlt.py"), url, str(path)]


def singer(url: str, path: Path, home: Path) -> list[str] | None:
    config = home / "singer.json"
    config.write_text(json.dumps({"sqlalchemy_url": url, "use_copy": True}))
    messages = home / "messages.jsonl"
    if not messages.exists():
        write_singer(messages, path)
    return [str(PEERS / "target-postgres"), "--config", str(config), "--input", str(messages)]


def peer(
    make: Callable[[str, Path, Path], list[str] | None], bench: Bench, path: Path, home: Path
) -> float | str:
    """Seconds, or why it did not run."""
    command = make(bench.server.url("peers"), path, home)
    if command is None or not Path(command[0]).exists():
        return "not installed (benchmarks/requirements.txt)"
    environment = {
        **os.environ,
        **{"HOME": str(home), "SLING_DISABLE_TELEMETRY": "TRUE", "RUNTIME__DLTHUB_TELEMETRY": "0"},
    }
    start = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        return "failed: " + " ".join((done.stdout + done.stderr).split())[-300:]
    return time.perf_counter() - start


# -- all together ---------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--full", type=int, help="rows of the full table; else five times --rows")
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    rows = options.rows
    rates: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="lumbung-benchmark-") as name:
        home = Path(name)
        home.chmod(0o755)
        server = EmbeddedPostgres(home / "postgres")
        server.start()
        try:
            bench = Bench(home, server)
            path, early, late = (home / f"{each}.jsonl" for each in ("all", "early", "late"))
            write_records(path, 0, rows)
            write_records(early, rows, rows // 10)
            write_records(late, 2 * rows, rows // 10)
            print(f"{rows} records of {path.stat().st_size / rows:.0f} bytes")
            with Memory() as small, timed(server, "landing, table empty", rows // 10, rates):
                bench.land(early, "kobo_awal")
            ceilings = []
            for part in ("before", "after"):
                with timed(server, f"ceiling, {part}", rows, rates):
                    bench.ceiling(path)
                ceilings.append(rates[f"ceiling, {part}"])
                if part == "before":
                    with Memory() as large, timed(server, "landing", rows, rates):
                        counts = bench.land(path, is_whole=True)
                    assert counts.landed == rows, counts
                    with timed(server, "replay", rows, rates):
                        counts = bench.land(path, is_whole=True)
                    assert counts.duplicate == rows, counts
            with timed(server, "filling the table", options.full or 5 * rows, rates):
                bench.fill(options.full or 5 * rows)
            with timed(server, "landing, table full", rows // 10, rates):
                bench.land(late)
            bench.settings.inbox.joinpath("register_ukur").mkdir(parents=True)
            write_register(bench.settings.inbox / "register_ukur" / "register.xlsx")
            with timed(server, "register", REGISTER_ROWS, rates):
                counts = bench.register()
            assert counts.landed == REGISTER_ROWS, counts
            server.ensure_database("peers")
            ratios = {}
            for label, make in (
                {} if options.no_peers else {"sling": sling, "dlt": dlt, "singer": singer}
            ).items():
                got = peer(make, bench, path, home)
                if isinstance(got, str):
                    print(f"{label:28} did not run: {got}", flush=True)
                else:
                    ratios[label] = rates["landing"] * got / rows
                    print(f"{label:28} {rows / got:10,.0f} rows/s", flush=True)
        finally:
            server.stop()
            shutil.rmtree(home / "postgres", ignore_errors=True)
    ceiling = statistics.mean(ceilings)
    print(f"landing_rows_s={rates['landing']:.0f}")
    print(f"ceiling_rows_s={ceiling:.0f}")
    print(f"landing_to_ceiling={rates['landing'] / ceiling:.2f}")
    print(f"landing_cpu_us={rates['landing, CPU']:.1f}")
    print(f"ceiling_cpu_us={rates['ceiling, before, CPU']:.1f}")
    print(f"replay_to_first={rates['replay'] / rates['landing']:.2f}")
    print(f"full_to_empty={rates['landing, table full'] / rates['landing, table empty']:.2f}")
    print(f"rss_mb={large.most:.0f}")
    print(f"rss_growth_mb={large.most - small.most:.0f}")
    print(f"register_100k_s={REGISTER_ROWS / rates['register']:.1f}")
    for label, ratio in ratios.items():
        print(f"landing_to_{label}={ratio:.1f}")


if __name__ == "__main__":
    main()
