"""One whole installation for the end-to-end tests: real scheduler, database, dbt and GX."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from rich.console import Console

from lumbung.demo.run import Demo
from lumbung.local.airflow import AirflowClient
from lumbung.local.stack import Stack
from lumbung.settings import Settings
from tests.support.killed_demo import interrupt

ROOT = Path(__file__).parents[2]
WEEKS = 2
SEED = 11
REMINDER = ("remind_after_hours: 20", "remind_after_hours: 0.0001")
OWNER = ("channel_owners: {}", "channel_owners: {koordinator: penanganan@babel.example.id}")
"""What tests of this package change in `people.yaml`, which would have every DAG file parsed
again: reminders that are due at once, and an account that owns a channel."""


@dataclass
class Installation:
    """A running Lumbung that has made one demo, which was killed twice on its way.

    Attributes:
        said: what the last run of the demo, the one that finished, printed.
        interrupted_batches: `raw.batch` up to this id was landed by the runs that were killed.

    """

    settings: Settings
    url: str
    client: AirflowClient
    stack: Stack
    said: str
    interrupted_batches: int

    def query(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(sql.encode(), parameters or None).fetchall()

    def execute(self, sql: str, *parameters: object) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(sql.encode(), parameters or None)

    def lumbung(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command, as a person runs it in this home."""
        return subprocess.run(
            [Path(sys.executable).with_name("lumbung"), *arguments],
            env={
                **{name: value for name, value in os.environ.items() if "AIRFLOW" not in name},
                "LUMBUNG_HOME": str(self.settings.home),
                "LUMBUNG_PROJECT": str(self.settings.project),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def run(
        self,
        dag_id: str,
        conf: dict[str, object] | None = None,
        react: Callable[[str, dict[str, str | None]], None] | None = None,
        seconds: float = 240,
    ) -> tuple[str, dict[str, str | None]]:
        """Run a DAG through the scheduler; its final state and the states of its tasks."""
        run_id = self.client.trigger(dag_id, conf)
        for states in self.client.follow(dag_id, run_id, seconds):
            if react is not None:
                react(run_id, states)
        self.last_run_id = run_id
        return str(self.client.run(dag_id, run_id)["state"]), self.client.tasks(dag_id, run_id)


def copy_project(folder: Path) -> Path:
    """A copy of what an installation and the guides read, so that a test can break it."""
    for name in ("channels", "config", "dags", "dbt_project", "docker", "expectations", "plugins"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "docker-compose.yml", folder)
    people = folder / "config" / "people.yaml"
    people.write_text(people.read_text().replace(*REMINDER).replace(*OWNER))
    return folder


def run_demo(settings: Settings, seed: int, weeks: int, overrides: dict[str, str]) -> Demo:
    """One demo that leaves everything running; what it said is in `demo.console.file`."""
    console = Console(file=io.StringIO(), width=200, highlight=False)
    demo = Demo(settings, console, weeks=weeks, seed=seed, keep=True)
    demo.stack = Stack(settings, overrides)
    demo.run()
    return demo


RETRY_AT_ONCE = {"AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "1"}


@contextlib.contextmanager
def held(port: int) -> Iterator[None]:
    """Listen on a port, unless someone does."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            other.bind(("127.0.0.1", port))
            other.listen()
        yield


@pytest.fixture(scope="package")
def installation(scratch: Path) -> Iterator[Installation]:
    """An installation after its first demo, on ports that others left.

    The demo was killed while a channel was landed, everything was killed while dbt built, and then
    it was run to its end. So the tests of the demo also hold for one that was interrupted.
    It is stopped after the last test of this package: its loops would slow down all others.
    """
    settings = Settings(
        home=scratch / "home",
        project=copy_project(scratch / "project"),
        database_url=None,
    )
    try:
        with held(8080), held(8090):
            interrupt(
                settings,
                scratch / "interrupted.log",
                *("--weeks", f"{WEEKS}", "--seed", f"{SEED}", "--keep"),
            )
            interrupted = Stack(settings).start_database()
            with psycopg.connect(interrupted) as connection:
                row = connection.execute("select max(batch_id) from raw.batch").fetchone()
            demo = run_demo(settings, SEED, WEEKS, RETRY_AT_ONCE)
        url = demo.stack.start_database()
        said = demo.console.file
        assert isinstance(said, io.StringIO)
        assert row is not None
        yield Installation(
            settings,
            url,
            demo.stack.airflow(url).client(),
            demo.stack,
            said.getvalue(),
            row[0],
        )
    finally:
        Stack(settings).stop()
