"""Stopping the demo at any moment and running it again gives the same facts.

Every run of the suite fills its disk, kills the demo alone while a channel is landed, and kills
everything while dbt builds. The long form kills everything at that many moments of whole demos:
`LUMBUNG_DEMO_KILLS=20 make test TEST=tests/end_to_end/test_killed.py`.
Landing and publishing are killed between any two statements by tests of their own
(`tests/intake/test_killed.py`, `tests/publication/test_killed.py`).
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from lumbung.demo.truth import metric_differences
from lumbung.errors import ServiceError
from lumbung.local.stack import Stack
from lumbung.settings import Settings
from tests.end_to_end.conftest import ROOT

SECONDS = 900  # a guard against hanging, not a limit
KILLS = int(os.environ.get("LUMBUNG_DEMO_KILLS", "0"))


def at(home: Path) -> Settings:
    return Settings(home=home, project=ROOT, database_url=None)


@pytest.fixture(scope="module")
def home(scratch: Path, small_disk: object) -> Iterator[Path]:
    """Where the demo is filled up, killed and finished; stopped before its disk is taken away."""
    folder = scratch / "killed"
    yield folder
    Stack(at(folder)).stop()


def demo_process(settings: Settings, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "lumbung.cli", "demo", "--weeks", "1", "--seed", "7"],
            env={**os.environ, "LUMBUNG_HOME": str(settings.home)},
            stdout=output,
            stderr=output,
            cwd=ROOT,
        )  # fmt: skip


def kill_demo(settings: Settings, demo: subprocess.Popen[bytes]) -> None:
    """Kill the command alone; Airflow and PostgreSQL go on."""
    demo.kill()
    demo.wait(30)
    assert all(part.pid for part in Stack(settings).status())


def kill_everything(settings: Settings, demo: subprocess.Popen[bytes]) -> None:
    """Kill the demo, Airflow and PostgreSQL at once, as a power cut does."""
    stack = Stack(settings)
    roots = [psutil.Process(demo.pid)]
    roots += [p for name in stack.processes.names() if (p := stack.processes.find(name))]
    roots += [server] if (server := stack.postgres.process) else []
    family = []
    for root in roots:
        with contextlib.suppress(psutil.NoSuchProcess):  # one that ended by itself meanwhile
            family += [*root.children(recursive=True), root]
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    assert demo.wait(30) == -signal.SIGKILL
    psutil.wait_procs(roots, timeout=30)


def count(settings: Settings, query: str) -> int:
    """What a query counts; 0 as long as there is no server, database or table."""
    try:
        with psycopg.connect(Stack(settings).postgres.url(), connect_timeout=2) as connection:
            row = connection.execute(query.encode()).fetchone()
            return int(row[0]) if row else 0
    except (ServiceError, psycopg.OperationalError, psycopg.errors.UndefinedTable):
        return 0


def landed_something(settings: Settings) -> bool:
    return count(settings, "select count(*) from raw.batch") > 0


def building(settings: Settings) -> bool:
    return count(settings, "select count(*) from ops.model_run") > 0


def wait_for(moment: Callable[[], bool], demo: subprocess.Popen[bytes], log: Path) -> None:
    began = time.monotonic()
    while not moment():
        assert demo.poll() is None, f"over before its moment: {log.read_text()[-2000:]}"
        assert time.monotonic() - began < SECONDS, log.read_text()[-2000:]
        time.sleep(0.05)


def finish(settings: Settings, log: Path) -> None:
    """Run it to its end: everything is the world's, once, and everything is stopped again."""
    demo = demo_process(settings, log)
    assert demo.wait(SECONDS) == 0, log.read_text()[-3000:]
    stack = Stack(settings)
    assert [part.name for part in stack.status() if part.pid] == []
    truth = json.loads((settings.home / "truth.json").read_text())
    url = stack.start_database()
    try:
        assert metric_differences(truth, url) == []
        with psycopg.connect(url) as connection:
            rows = connection.execute(
                "select channel, count(*) from raw.record where not is_tombstone group by channel"
            ).fetchall()
            editions = connection.execute(
                "select count(*) from published.edition where state = 'published'"
            ).fetchone()
    finally:
        stack.stop()
    assert dict(rows) == {name: c["landed"] for name, c in truth["channels"].items()}
    assert editions == (1,)


def test_a_disk_that_fills_up_is_named_and_more_space_is_the_remediation(
    home: Path, small_disk: Callable[[str], Path], scratch: Path
) -> None:
    """It is full while the database or Airflow is set up; the next test goes on."""
    disk, log = small_disk("56m"), scratch / "full.log"
    home.symlink_to(disk)
    demo = demo_process(at(disk), log)
    assert demo.wait(SECONDS) == 3
    said = log.read_text()
    assert re.search("stage '(PostgreSQL|Airflow)': the disk is full", said)
    assert "free disk space, then run the same again" in said
    small_disk("2g")


def test_killed_demo_finishes_with_the_same_facts(home: Path, scratch: Path) -> None:
    settings, log = at(home.resolve()), scratch / "demo.log"
    for moment, kill in ((landed_something, kill_demo), (building, kill_everything)):
        assert not moment(settings)
        demo = demo_process(settings, log)
        wait_for(lambda moment=moment: moment(settings), demo, log)  # type: ignore[misc]
        kill(settings, demo)
    finish(settings, log)


@pytest.mark.skipif(not KILLS, reason="the long form: LUMBUNG_DEMO_KILLS=20")
@pytest.mark.timeout(3600)
def test_killed_at_random_moments_of_a_whole_demo(scratch: Path) -> None:
    log, rng = scratch / "random.log", random.Random(19)
    began = time.monotonic()
    finish(at(scratch / "unkilled"), log)
    took = time.monotonic() - began
    kills = 0
    while kills < KILLS:
        settings, after = at(scratch / f"random-{kills}"), rng.uniform(0, took)
        began = time.monotonic()
        demo = demo_process(settings, log)
        while demo.poll() is None and time.monotonic() - began < after:
            time.sleep(0.05)
        if demo.poll() is None:  # else it was quicker this time: not a kill, again
            kill_everything(settings, demo)
            kills += 1
            finish(settings, log)
