"""What an ordinary day costs: `make bench-day`.

On the history of a demo, with Airflow as it is started for an office: one tip, then 5,000, from the
trigger of their pull to their rows in `marts.fct_report`; and the CPU time of every process of the
installation while nothing happens. The last lines are `name=value`.
"""

from __future__ import annotations

import argparse
import copy
import csv
import json
import secrets
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

import psutil
import psycopg
from rich.console import Console

from lumbung.demo.kobo_server import StandIn
from lumbung.demo.run import Demo
from lumbung.local.airflow import AirflowClient
from lumbung.local.stack import Stack
from lumbung.settings import Settings

CHANNEL = "kobo_pemantau"
MANY = 5_000
PAGE = 1_000  # KoboToolbox's own largest page
SECONDS_BETWEEN_SAMPLES = 0.01
WAIT_SECONDS = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--home",
        type=Path,
        help="of a demo that runs, whose kobo_pemantau.json grows (default: a new one)",
    )
    parser.add_argument("--runs", type=int, default=3, help="of one tip; the least counts")
    parser.add_argument("--idle", type=int, default=120, help="seconds of the idle window")
    arguments = parser.parse_args()
    if arguments.home:
        _measure(arguments, arguments.home.resolve())
        return
    with tempfile.TemporaryDirectory(prefix="lumbung-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # PostgreSQL's own account has to reach it
        try:
            _measure(arguments, home)
        finally:
            Stack(replace(Settings.load(), home=home)).stop()


def _measure(arguments: argparse.Namespace, home: Path) -> None:
    settings = replace(Settings.load(), home=home)
    stack = Stack(settings)
    if not settings.demo_claim.exists():
        Demo(settings, Console(quiet=True), weeks=9, seed=1, keep=True).run()
    airflow = stack.airflow(stack.start_database())
    with _source(settings, airflow.client()) as source:
        seeds = settings.dbt_project / "seeds"
        office = _Office(airflow.client(), stack.start_database(), source, seeds)
        office.day(1)  # the first one after the demo vacuums what the demo built
        ones = [office.day(1) for _ in range(arguments.runs)]
        one, day = min(ones), office.day(MANY)  # once: later pulls would compare 5,000 more rows
    time.sleep(10)  # what the last run left to do
    used = _cpu_seconds(stack, arguments.idle)
    print(f"one_tip_s={one.seconds:.1f}")
    print(f"day_5000_s={day.seconds:.1f}")
    print(f"work_share={day.work / day.seconds:.2f}")
    print(f"one_tip_work_share={one.work / one.seconds:.2f}")
    print(f"idle_hour_cpu_s={used * 3600 / arguments.idle:.0f}")


@dataclass(frozen=True, order=True)
class _Day:
    """Seconds from the trigger to the rows, and how many of them were work."""

    seconds: float
    work: float


class _Office:
    """The demo's office, to which tips are reported."""

    def __init__(self, client: AirflowClient, url: str, source: Path, seeds: Path) -> None:
        self.client = client
        self.url = url
        self.source = source
        self.seeds = seeds

    def day(self, count: int) -> _Day:
        """Report tips, trigger their pull, and wait for their rows."""
        with psycopg.connect(self.url, autocommit=True) as db:
            before = _reports(db)
            _report(self.source, self.seeds, count)
            with _sampled(self.url) as samples:
                began = time.monotonic()
                at = datetime.now().astimezone()
                run_id = self.client.trigger(f"intake__{CHANNEL}")
                while _reports(db) < before + count:
                    if time.monotonic() > began + WAIT_SECONDS:
                        raise SystemExit(f"{count} tips are not in fct_report")
                    time.sleep(0.02)
                seconds = time.monotonic() - began
        work = sum(samples) / len(samples) * seconds
        (build,) = self._ended("warehouse")
        print(f"{count:,} tips: {seconds:.2f} s, work {work:.2f} s", flush=True)
        for dag, run in (f"intake__{CHANNEL}", run_id), ("warehouse", build):
            tasks = self.client.call("GET", f"/dags/{dag}/dagRuns/{run}/taskInstances")
            for task in sorted(tasks["task_instances"], key=lambda t: str(t["start_date"])):
                start, end = (datetime.fromisoformat(task[k]) for k in ("start_date", "end_date"))
                print(
                    f"  {task['task_id']:15} {(start - at) / timedelta(seconds=1):6.2f} to"
                    f" {(end - at) / timedelta(seconds=1):6.2f} s"
                )
        return _Day(seconds, work)

    def _ended(self, dag_id: str) -> Iterator[str]:
        """The id of the newest run of a DAG, once no run of it is left."""
        while any(run["state"] not in AirflowClient.FINAL for run in self.client.runs(dag_id)):
            time.sleep(0.2)
        yield str(self.client.runs(dag_id)[0]["dag_run_id"])


@contextmanager
def _source(settings: Settings, client: AirflowClient) -> Iterator[Path]:
    """The demo's form, served with the pages of a real server; its file."""
    file = settings.inbox / f"{CHANNEL}.json"
    token = secrets.token_hex(20)
    with StandIn(file, 0, token, max_limit=PAGE) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client.set_connection(CHANNEL, conn_type="http", host=server.address, password=token)
        yield file
        server.shutdown()


def _report(file: Path, seeds: Path, count: int) -> None:
    """Add submissions after the last one, from every district, on every theme, of a week's days."""
    content = json.loads(file.read_text(encoding="utf-8"))
    rows: list[dict[str, Any]] = content["results"]
    last = max(rows, key=itemgetter("_id"))
    at = datetime.fromisoformat(last["_submission_time"])
    with (seeds / "district.csv").open(encoding="utf-8", newline="") as districts:
        places = [
            (each["bps_code"][:4], each["district_name"]) for each in csv.DictReader(districts)
        ]
    themes = sorted({row["kejadian/isu"] for row in rows})
    # a narrative of a word or two is taken for a test
    patterns = [row for row in rows[:40] if len(row["kejadian/uraian"].split()) > 4]
    for number in range(1, count + 1):
        row = copy.deepcopy(patterns[number % len(patterns)])
        row["_id"] = last["_id"] + number
        row["_uuid"] = str(uuid.uuid4())
        row["meta/rootUuid"] = row["meta/instanceID"] = f"uuid:{row['_uuid']}"
        row["_submission_time"] = (at + timedelta(seconds=number)).isoformat(timespec="seconds")
        row["kejadian/tanggal"] = (at - timedelta(days=number % 7)).date().isoformat()
        row["kejadian/kode_kab"], row["kejadian/kecamatan"] = places[number % len(places)]
        row["kejadian/isu"] = themes[number // len(places) % len(themes)]
        row["kejadian/uraian"] += f" di lokasi {number}"
        rows.append(row)
    file.write_text(json.dumps(content), encoding="utf-8")


def _reports(db: psycopg.Connection) -> int:
    row = db.execute("select count(*) from marts.fct_report").fetchone()
    return int(row[0]) if row else 0


@contextmanager
def _sampled(url: str) -> Iterator[list[bool]]:
    """Whether a pull was landing, or a statement of a build was running, moment by moment."""
    samples: list[bool] = []
    done = threading.Event()

    def look() -> None:
        with psycopg.connect(url, autocommit=True) as db:
            while not done.wait(SECONDS_BETWEEN_SAMPLES):
                row = db.execute(
                    "select exists (select from pg_stat_activity where datname = current_database()"
                    " and (application_name = 'lumbung intake' or state = 'active' and"
                    " application_name in ('dbt', 'lumbung build', 'lumbung checkpoint raw')))"
                ).fetchone()
                samples.append(row == (True,))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield samples
    finally:
        done.set()
        watcher.join()


def _cpu_seconds(stack: Stack, seconds: int) -> float:
    """CPU seconds that the processes of an installation use in a time, ended children included."""

    def used() -> dict[int, float]:
        found = {}
        for part in stack.status():
            if part.pid is None:
                continue
            process = psutil.Process(part.pid)
            for each in (process, *process.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):  # it ended: its parent has its time
                    times = each.cpu_times()
                    found[each.pid] = (
                        times.user + times.system + times.children_user + times.children_system
                    )
        return found

    before = used()
    time.sleep(seconds)
    return sum(value - before.get(pid, 0.0) for pid, value in used().items())


if __name__ == "__main__":
    main()
