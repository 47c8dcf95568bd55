"""Killing the demo at any moment and running it again gives the same facts.

Every run of the suite kills it while dbt builds. The long form kills it also while a channel is
landed and at twenty more moments:
`LUMBUNG_KILLS=20 make test TEST=tests/end_to_end/test_killed.py`. Landing and publishing are killed
between any two statements by tests of their own (`tests/intake/test_intake_killed.py`,
`tests/publication/test_publication_killed.py`).
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest

from end_to_end.conftest import ROOT
from lumbung.demo.truth import figure_differences
from lumbung.embedded.stack import Stack
from lumbung.errors import ServiceError
from lumbung.settings import Settings

SECONDS = 900  # a guard against hanging, not a limit


def kill_everything(settings: Settings, demo: subprocess.Popen[bytes]) -> None:
    """Kill the demo, Airflow and PostgreSQL at once, as a power cut does."""
    stack = Stack(settings)
    roots = [psutil.Process(demo.pid)] if demo.poll() is None else []
    roots += [p for f in stack.processes.folder.glob("*") if (p := stack.processes.find(f.name))]
    roots += [stack.postgres.process] if stack.postgres.process else []
    for process in [c for root in roots for c in (*root.children(recursive=True), root)]:
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
    demo.wait(30)
    psutil.wait_procs(roots, timeout=30)


def demo_process(settings: Settings, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "lumbung.cli", "demo", "--weeks", "1", "--seed", "7"],
            env={**os.environ, "LUMBUNG_HOME": str(settings.home)},
            stdout=output,
            stderr=output,
            cwd=ROOT,
        )  # fmt: skip


def landed_something(settings: Settings) -> bool:
    return count(settings, "select count(*) from raw.batch") > 0


def building(settings: Settings) -> bool:
    return count(settings, "select count(*) from ops.model_run") > 0


def count(settings: Settings, query: str) -> int:
    try:
        with psycopg.connect(Stack(settings).postgres.url(), connect_timeout=2) as connection:
            row = connection.execute(query.encode()).fetchone()
            return int(row[0]) if row else 0
    except (psycopg.Error, ServiceError):
        return 0


@pytest.mark.timeout(3600)  # the long form is some forty demos
def test_killed_demo_finishes_with_the_same_facts(scratch: Path) -> None:
    settings = Settings(home=scratch / "killed", project=ROOT, database_url=None)
    log = scratch / "demo.log"
    rng = random.Random(19)
    moments: list[Callable[[Settings], bool]] = [building]
    if kills := int(os.environ.get("LUMBUNG_KILLS", "0")):
        moments.insert(0, landed_something)
        for _ in range(kills):
            after = rng.uniform(1, 120)
            moments.append(lambda _, after=after: time.monotonic() - began > after)
    try:
        for moment in moments:
            began = time.monotonic()
            demo = demo_process(settings, log)
            while not moment(settings):
                assert demo.poll() in (None, 0), log.read_text()[-2000:]
                assert time.monotonic() - began < SECONDS, log.read_text()[-2000:]
                if demo.poll() == 0:
                    break
                time.sleep(0.05)
            kill_everything(settings, demo)
        demo = demo_process(settings, log)
        assert demo.wait(SECONDS) == 0, log.read_text()[-3000:]
        truth = json.loads((settings.home / "truth.json").read_text())
        stack = Stack(settings)
        url = stack.start_database()
        assert figure_differences(truth, url) == []
        with psycopg.connect(url) as connection:
            rows = connection.execute(
                "select channel, count(*) from raw.record where not is_tombstone group by channel"
            ).fetchall()
            editions = connection.execute(
                "select count(*) from published.edition where state = 'published'"
            ).fetchone()
        assert dict(rows) == {name: c["landed"] for name, c in truth["channels"].items()}
        assert editions == (1,)
    finally:
        Stack(settings).stop()
