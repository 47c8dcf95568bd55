"""What a build of the warehouse costs: `make bench-warehouse`.

A nation of invented records is laid into raw by SQL (`warehouse_world.py`: 514 regencies).
Measured: the full build and the share of its publishing, the same statements run by psql alone, the
build of one more day (the median of three; 0.1 %: new records of that day, every 20th of them late,
and three in ten edits of the history's last week), that of such days on a tenth of the history, and
the analysts' twenty questions. The last lines are `name=value`.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import psycopg

from benchmarks import warehouse_world
from lumbung import database
from lumbung.intake.channel.load import load_channels
from lumbung.intake.landing.text_features import derive_missing
from lumbung.local.postgres import BINARIES, EmbeddedPostgres
from lumbung.local.processes import family_memory
from lumbung.settings import Settings
from lumbung.warehouse import build as warehouse_build
from lumbung.warehouse import publish
from lumbung.warehouse.roles import role_url

PROJECT = Path(__file__).parents[1]
REGENCIES = 514
DISTRICTS = 14  # of an invented regency; the country has some 7,280
DAYS = 330
FIRST_DAY = date(2024, 1, 1)
MORE_DAYS = 3  # one after the other; their median counts
THREADS = 4  # as in dbt_project/profiles.yml
SECONDS_BETWEEN_LOOKS = 0.5


@dataclass(frozen=True)
class Built:
    """A build: its seconds, those of them for publishing, and what its nodes sent to the server."""

    seconds: float
    publish_seconds: float
    nodes: dict[str, Node]


@dataclass
class Node:
    """A model or test: what it sent to the server, and which nodes had ended when it began."""

    after: frozenset[str]
    statements: list[str] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="records of the history")
    parser.add_argument("--folder", type=Path, help="where to work (45 GB for the default)")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="lumbung-bench-", dir=arguments.folder))
    folder.chmod(0o755)  # PostgreSQL's own account has to reach it
    server = EmbeddedPostgres(folder / "postgres")
    try:
        with _watched_memory(server) as seen:
            _measure(server, _nation(folder / "project"), folder, arguments.rows, seen)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _measure(
    server: EmbeddedPostgres, project: Path, folder: Path, rows: int, seen: list[float]
) -> None:
    server.start()
    increment: dict[int, float] = {}
    for history, days in ((rows // 10, DAYS // 10), (rows, DAYS)):
        name = f"rows_{history}"
        url = server.ensure_database(name)
        settings = Settings(folder / name, project, None)
        _lay_history(settings, url, history, days)
        if history == rows:
            _execute(server, f'create database bare template "{name}"')
        full = _build(settings, url)
        print(f"full build {full.seconds:.0f} s", flush=True)
        # A day comes a day later: by then the server has vacuumed what was built whole.
        vacuum = _timed(partial(_vacuum, url))
        print(f"vacuumed in {vacuum:.0f} s", flush=True)
        before = warehouse_world.History(history, FIRST_DAY + timedelta(days=DAYS - days), days)
        increment[history] = statistics.median(
            _one_more_day(settings, url, before, max(rows // 1000, 2), day)
            for day in range(MORE_DAYS)
        )
        if history == rows:
            questions = _questions(role_url(url, "analyst_province"))
            size, scan = _limit(url)
        # Two warehouses of ten million records do not lie side by side.
        _execute(server, f'drop database "{name}"')
    bare = _replay(server.url("bare"), full.nodes, folder / "bare", built_in=name)
    print(f"the same statements by psql {bare:.0f} s", flush=True)
    slowest = max(questions, key=lambda q: questions[q])
    print(f"slowest question: {slowest}")
    print(f"raw holds {size / 1e9:.1f} GB, a bare scan of it takes {scan:.1f} s")
    print(f"rows={rows}")
    print(f"full_s={full.seconds:.0f}")
    print(f"publish_to_full={full.publish_seconds / full.seconds:.3f}")
    print(f"bare_sql_s={bare:.0f}")
    print(f"bare_scan_s={scan:.1f}")
    print(f"increment_s={increment[rows]:.1f}")
    print(f"dbt_to_bare_sql={full.seconds / bare:.2f}")
    print(f"increment_to_full={increment[rows] / full.seconds:.3f}")
    print(f"increment_history_x10={increment[rows] / increment[rows // 10]:.2f}")
    print(f"slowest_question_s={questions[slowest]:.2f}")
    print(f"rss_gb={max(seen) / 1e9:.1f}")


def _lay_history(settings: Settings, url: str, count: int, days: int) -> None:
    """Lay `count` records of the last `days` days of the year into raw, and load the seeds."""
    database.migrate(url)
    _build(settings, url, select="resource_type:seed")
    seconds = _timed(
        lambda: warehouse_world.land(
            url,
            1,
            count,
            places=_places(settings),
            from_day=FIRST_DAY + timedelta(days=DAYS - days),
            days=days,
        )
    )
    _derive(settings, url)
    print(f"{count:,} records of {days} days laid into raw in {seconds:.0f} s", flush=True)


def _derive(settings: Settings, url: str) -> None:
    """Lay the text features beside the records, as the landing does: no part of a build's time."""
    with database.connect(url) as connection:
        connection.autocommit = True
        derive_missing(connection, load_channels(settings.channels), settings)


def _one_more_day(
    settings: Settings, url: str, before: warehouse_world.History, count: int, day: int
) -> float:
    """Lay the records of a day after a history, and return the seconds of building them."""
    warehouse_world.land(
        url,
        before.count + day * count + 1,
        count,
        places=_places(settings),
        from_day=before.from_day + timedelta(days=before.days + day),
        days=1,
        edited=0.3,
        history=before,
    )
    _derive(settings, url)
    built = _build(settings, url)
    print(
        f"one more day, {count:,} records: {built.seconds:.1f} s,"
        f" publishing {built.publish_seconds:.1f} s, {len(built.nodes)} nodes",
        flush=True,
    )
    return built.seconds


def _places(settings: Settings) -> list[tuple[str, str, str]]:
    return warehouse_world.districts(settings.dbt_project / "seeds")


def _nation(project: Path) -> Path:
    """A copy of the project with this province and nine invented ones, of 514 regencies."""
    shutil.copytree(PROJECT / "dbt_project", project / "dbt_project")
    (project / "expectations").symlink_to(PROJECT / "expectations")
    seeds = project / "dbt_project" / "seeds"
    with (seeds / "regency.csv").open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        codes = [f"{20 + n // 60}.{1 + n % 60:02}" for n in range(REGENCIES - 7)]
        provinces = sorted({code[:2] for code in codes})
        for province in provinces:
            unknown = "Lokasi belum diketahui"
            writer.writerow(
                [f"{province}.00", "", unknown, unknown, *("", 0, 0, 0, 0, "", "", "true")]
            )
        for n, code in enumerate(codes):
            names = (f"Kabupaten Ukur {n:03}", f"Ukur {n:03}", "kabupaten")
            writer.writerow(
                [code, code.replace(".", ""), *names, DISTRICTS, 0, 300, 150000, *("", ""), "false"]
            )
    with (seeds / "district.csv").open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for code in codes:
            for n in range(1, DISTRICTS + 1):
                bps = f"{code.replace('.', '')}{n:02}0"
                writer.writerow([f"{code}.{n:02}", code, f"Petak {code.replace('.', '')} {n}", bps])
    warehouse_world.write_channels(project / "channels", ["19", *provinces])
    return project


def _build(settings: Settings, url: str, select: str | None = None) -> Built:
    """Build, and record what models and tests sent to the server and how long publishing took."""
    nodes: dict[str, Node] = {}
    ended: set[str] = set()
    publishing: list[float] = []
    own = warehouse_build._Run._on_event
    own_publish = publish.publish

    def timed_publish(*arguments: Any, **named: Any) -> Any:
        began = time.monotonic()
        try:
            return own_publish(*arguments, **named)
        finally:
            publishing.append(time.monotonic() - began)

    def listen(self: warehouse_build._Run, event: Any) -> None:
        name = event.info.name
        if name in ("NodeStart", "SQLQuery", "NodeFinished"):
            node = event.data.node_info.unique_id
            if name == "NodeFinished":
                ended.add(node)
            elif node.startswith(("model.", "test.")):
                nodes.setdefault(node, Node(frozenset(ended)))
                if name == "SQLQuery":
                    nodes[node].statements.append(event.data.sql)
        own(self, event)

    warehouse_build._Run._on_event = listen  # type: ignore[method-assign]
    publish.publish = timed_publish
    try:
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
            seconds = _timed(
                lambda: warehouse_build.build(settings=settings, database_url=url, select=select)
            )
    finally:
        warehouse_build._Run._on_event = own  # type: ignore[method-assign]
        publish.publish = own_publish
    return Built(seconds, sum(publishing), nodes)


def _replay(url: str, nodes: dict[str, Node], folder: Path, *, built_in: str) -> float:
    """Seconds that psql takes for the same statements, as many nodes at once as dbt runs.

    A node begins when those have ended that dbt had ended before it: no dependency is broken.
    dbt writes the database's name, `built_in`, before each relation: here it is another one's.
    """
    folder.mkdir()
    own = f'"{url.rsplit("/", 1)[1]}".'

    def run(name: str) -> str:
        file = folder / f"{name}.sql"
        text = ";\n".join(nodes[name].statements) + ";\n"
        file.write_text(text.replace(f'"{built_in}".', own), encoding="utf-8")
        command = [
            str(BINARIES / "psql"),
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-f",
            str(file),
            url,
        ]
        # dbt's own hooks end transactions that psql never began: it would say so for each node.
        quiet = os.environ | {"PGOPTIONS": "-c client_min_messages=error"}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=quiet)
        return name

    began = time.monotonic()
    waiting = {name: node.after & nodes.keys() for name, node in nodes.items()}
    done: set[str] = set()
    with ThreadPoolExecutor(THREADS) as pool:
        running: set[Future[str]] = set()
        while waiting or running:
            for name in [n for n, after in waiting.items() if after <= done]:
                del waiting[name]
                running.add(pool.submit(run, name))
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            done |= {each.result() for each in ended}
    return time.monotonic() - began


def _vacuum(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")


def _execute(server: EmbeddedPostgres, statement: str) -> None:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(statement.encode())


def _questions(url: str) -> dict[str, float]:
    """The analysts' questions and the seconds each takes (the median of three)."""
    text = (PROJECT / "docs" / "how-to" / "query-the-marts.md").read_text(encoding="utf-8")
    found = re.findall(r"^### (\d+\. .+?)$.*?^```sql\n(.+?)^```$", text, re.M | re.S)
    with psycopg.connect(url) as connection:
        return {
            title: statistics.median(_timed(partial(_answer, connection, sql)) for _ in range(3))
            for title, sql in found
        }


def _answer(connection: psycopg.Connection, sql: str) -> None:
    connection.execute(sql.encode()).fetchall()


def _limit(url: str) -> tuple[int, float]:
    """Bytes of raw, and the seconds in which the server reads all of its payloads once."""
    with psycopg.connect(url) as connection:
        row = connection.execute("select pg_total_relation_size('raw.record')").fetchone()
        assert row is not None
        query = b"select sum(pg_column_size(payload)) from raw.record"
        return int(row[0]), _timed(lambda: connection.execute(query).fetchone())


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


@contextmanager
def _watched_memory(server: EmbeddedPostgres) -> Iterator[list[float]]:
    """The proportional memory of this process and the server, looked at now and then, in bytes."""
    seen = [0.0]
    done = threading.Event()

    def look() -> None:
        while not done.wait(SECONDS_BETWEEN_LOOKS):
            seen.append(family_memory(psutil.Process()) + family_memory(server.process))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()


if __name__ == "__main__":
    main()
