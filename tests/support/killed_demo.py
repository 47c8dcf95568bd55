"""Demos that are killed: the command alone, or everything at once as by a power cut."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg

from lumbung.errors import ServiceError
from lumbung.local.stack import Stack
from lumbung.settings import Settings

SECONDS = 900  # a guard against hanging, not a limit


def start_demo(settings: Settings, log: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Run `lumbung demo` in a process of its own, which adds to a log."""
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "lumbung.cli", "demo", *arguments],
            env={
                **os.environ,
                "LUMBUNG_HOME": str(settings.home),
                "LUMBUNG_PROJECT": str(settings.project),
            },
            stdout=output,
            stderr=output,
        )


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


def interrupt(settings: Settings, log: Path, *arguments: str) -> None:
    """Kill a demo alone while a channel is landed, and everything of the next while dbt builds."""
    moments: list[tuple[Callable[[Settings], bool], Callable[..., None]]] = [
        (landed_something, kill_demo),
        (building, kill_everything),
    ]
    for has_come, kill in moments:
        assert not has_come(settings)
        demo = start_demo(settings, log, *arguments)
        began = time.monotonic()
        while not has_come(settings):
            assert demo.poll() is None, f"over before its moment: {log.read_text()[-2000:]}"
            assert time.monotonic() - began < SECONDS, log.read_text()[-2000:]
            time.sleep(0.5)
        kill(settings, demo)
