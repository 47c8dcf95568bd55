"""Airflow's LocalExecutor, with workers that begin at once and a scheduler that waits when idle.

The scheduler forks its workers, and each worker forks a process for each task. What the scheduler
has imported before is there in all of them, and its memory is shared. Lumbung's own modules are not
imported here: a task runs them as they are on disk.

A loop of the scheduler takes 15 to 20 ms of CPU time, whether it finds work or not. So the executor
ends each loop with a wait for what makes the next one useful: a task that has ended, or a change of
what the scheduler reads, for which it asks with one cheap statement. Airflow's own wait
(`scheduler_idle_sleep_time`) has to be 0.
"""

from __future__ import annotations

import importlib
import logging
import os
import time
from contextlib import suppress
from multiprocessing.connection import wait
from pathlib import Path

import psycopg2
from airflow import settings
from airflow.executors.local_executor import LocalExecutor
from sqlalchemy.exc import OperationalError

PRELOADED = (
    *("dbt.cli.main", "dbt.task.build", "dbt.adapters.postgres"),
    *("great_expectations", "pandas"),
)
"""What builds and checkpoints import: 1.4 and 2.1 s of CPU time."""

IDLE_SECONDS = 10.0
"""The longest wait. What only the clock brings about, such as the run of a cron schedule or a
retry, comes so much later at most. Airflow takes a scheduler for dead after 30 s."""

ASK_SECONDS, ASK_SECONDS_IN_A_RUN = 0.5, 0.1
"""How often the database is asked, and how often while a task runs, whose end starts the next."""

WORK = (
    "select (select max(id) from dag_run),"
    " (select count(*) from dag_run where state = 'queued'),"
    " (select count(*) from task_instance where state in"
    "   ('scheduled', 'queued', 'running', 'restarting', 'deferred', 'awaiting_input')),"
    " (select count(*) from asset_dag_run_queue)"
)
"""What changes with everything that gives the scheduler work: a run that was triggered or cleared,
a task that has ended or whose question was answered, and an asset that was updated."""


class PreloadingExecutor(LocalExecutor):  # type: ignore[misc]  # Airflow has no types here
    """LocalExecutor that imports `PRELOADED` before it forks its workers, and waits when idle."""

    _seen: object = None

    def start(self) -> None:
        """Import the packages, then start the workers."""
        # It logs a line for each method that its documentation lacks.
        logging.getLogger("great_expectations").setLevel(logging.WARNING)
        for name in PRELOADED:
            try:
                importlib.import_module(name)
            except Exception:  # the task that needs it reports this
                self.log.exception("%s cannot be imported", name)
        try:
            _compile_dbt(Path(os.environ["LUMBUNG_HOME"]))
        except Exception:  # a build compiles them itself, and parses the project again
            self.log.exception("dbt's classes cannot be compiled")
        super().start()

    def heartbeat(self) -> None:
        """Start and end tasks, then wait for work."""
        super().heartbeat()
        # A database that is away is reported by the scheduler's own next statement.
        with suppress(OperationalError, psycopg2.OperationalError):
            self._wait()
        self.sync()

    def _wait(self) -> None:
        """Wait until a task has ended, the answer to `WORK` has changed, or `IDLE_SECONDS`.

        The answer is compared with that of the loop before, which was given before this loop read
        the same tables. So no change between the two is missed.
        """
        until = time.monotonic() + IDLE_SECONDS
        pause = ASK_SECONDS_IN_A_RUN if self.running else ASK_SECONDS
        with settings.get_engine().connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            cursor = connection.connection.cursor()  # SQLAlchemy's own costs as much as a loop
            while time.monotonic() < until:
                cursor.execute(WORK)
                found = cursor.fetchone()
                if found != self._seen:
                    self._seen = found
                    return
                if wait([self.result_queue._reader], pause):
                    return


def _compile_dbt(home: Path) -> None:
    """Let dbt compile what it compiles at first use: the readers and schemas of its classes.

    It takes 0.4 s of CPU time. The project as the last build parsed it has nodes of every class.
    """
    from dbt.adapters.postgres import PostgresCredentials
    from dbt.contracts.graph.manifest import Manifest
    from dbt.contracts.project import PackageConfig, Project, ProjectFlags
    from dbt.contracts.selection import SelectorFile

    for each in (Project, PackageConfig, ProjectFlags, SelectorFile, PostgresCredentials):
        each.json_schema()
    parsed = home / "dbt" / "target" / "partial_parse.msgpack"
    if parsed.exists():
        Manifest.from_msgpack(parsed.read_bytes()).build_flat_graph()
