"""The whole main job under faults at random moments, as an installation runs it: by Airflow.

A run begins from an installation that was set up, built its warehouse once and was stopped. The
demo starts it, and has Airflow pull every channel, check, build, freeze, ask, publish and write the
portal. Something breaks at a random moment. Then a person gives up waiting, starts everything with
the same command and lets it run to its end.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from rich.console import Console

from lumbung import database
from lumbung.demo import reckoning, world
from lumbung.demo.run import CHANNELS, Demo
from lumbung.errors import LumbungError
from lumbung.local import processes
from lumbung.local.stack import Stack
from lumbung.settings import Settings
from lumbung.warehouse.build import build
from tests.support.chaos import (
    PROJECT,
    Outcome,
    differences,
    forked,
    kill_family,
    last_error,
    last_stage,
    wait,
)

OVERRIDES = {"AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "1"}
PATIENCE = 45
"""Seconds that a person waits at least after the fault before starting everything again."""
UP_AGAIN = 260
"""Seconds after which, at the earliest, `lumbung up` is run beside the second job: a task queued
for three minutes makes it start the scheduler again."""
SECONDS = 1800
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")


class Staged(Demo):
    """A demo that prints each stage when it begins."""

    @contextmanager
    def _staged(self, name: str) -> Iterator[list[str]]:
        print(f"== {name}", flush=True)
        with super()._staged(name) as note:
            yield note


@dataclass
class Running:
    """An installation whose job is running.

    Attributes:
        stack: its parts.
        job: the process of the demo, which asks Airflow and waits.
        clock: the file with what the parts' clock is ahead, in seconds.

    """

    stack: Stack
    job: psutil.Process
    clock: Path

    def part(self, name: str) -> psutil.Process | None:
        return self.stack.processes.find(name)

    def workers(self) -> list[psutil.Process]:
        """The processes of tasks that are running, else the workers that wait for one."""
        found: list[psutil.Process] = []
        with suppress(psutil.Error):
            if scheduler := self.part("scheduler"):
                idle = scheduler.children()
                for worker in idle:
                    if tasks := worker.children(recursive=True):
                        found += [worker, *tasks]
                return found or idle
        return found

    def roots(self) -> list[psutil.Process]:
        parts = [self.part(name) for name in self.stack.processes.names()]
        return [each for each in (*parts, self.stack.postgres.process) if each]


# -- faults --------------------------------------------------------------------------------------


def kill(*processes: psutil.Process | None) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            if process:
                process.kill()


def kill_scheduler(running: Running, rng: random.Random) -> None:
    """Its workers stay and go on."""
    kill(running.part("scheduler"))


def kill_scheduler_and_workers(running: Running, rng: random.Random) -> None:
    if found := running.part("scheduler"):
        kill_family(found)


def kill_api_server(running: Running, rng: random.Random) -> None:
    if found := running.part("api-server"):
        kill_family(found)


def kill_dag_processor(running: Running, rng: random.Random) -> None:
    if found := running.part("dag-processor"):
        kill_family(found)


def kill_worker(running: Running, rng: random.Random) -> None:
    if found := running.workers():
        kill(rng.choice(found))


def kill_server(running: Running, rng: random.Random) -> None:
    if found := running.stack.postgres.process:
        kill_family(found)


def kill_everything(running: Running, rng: random.Random) -> None:
    """Kill the command and every part, as a power cut does."""
    for root in (running.job, *running.roots()):
        kill_family(root)


def cut_connections(running: Running, rng: random.Random) -> None:
    """End every session of the server."""
    with psycopg.connect(running.stack.postgres.url("postgres"), autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where backend_type = 'client backend' and pid <> pg_backend_pid()"
        )


def lose_metadata(running: Running, rng: random.Random) -> None:
    with psycopg.connect(running.stack.postgres.url("postgres"), autocommit=True) as connection:
        connection.execute("drop database if exists airflow with (force)")


def run_twice(running: Running, rng: random.Random) -> None:
    """Start the whole job a second time beside the first one."""
    second = forked(
        running.clock.with_name("second.log"),
        lambda: job(running.stack.settings),
        running.stack.settings.home,
    )
    with suppress(psutil.TimeoutExpired):
        wait(second, PATIENCE)
    kill_family(second)


def _set_clock(running: Running, seconds: int) -> None:
    running.clock.write_text(f"{seconds:+d}\n")


def set_clock_forward(running: Running, rng: random.Random) -> None:
    _set_clock(running, rng.choice((2, 90, 3600, 86400)))


def set_clock_back(running: Running, rng: random.Random) -> None:
    _set_clock(running, -rng.choice((2, 90, 3600, 86400)))


CLOCKS = {"clock set forward": set_clock_forward, "clock set back": set_clock_back}
FAULTS: dict[str, Callable[[Running, random.Random], None]] = {
    "everything killed": kill_everything,
    "scheduler killed": kill_scheduler,
    "task or its worker killed": kill_worker,
    "API server killed": kill_api_server,
    "metadata lost": lose_metadata,
    **CLOCKS,
    "PostgreSQL killed": kill_server,
    "scheduler and workers killed": kill_scheduler_and_workers,
    "DAG processor killed": kill_dag_processor,
    "connections cut": cut_connections,
    "two at once": run_twice,
}


# -- runs ----------------------------------------------------------------------------------------


def job(settings: Settings) -> None:
    """Start what does not run, and let Airflow do everything; the parts stay."""
    seed = int(settings.demo_claim.read_text().split('"seed": ')[1].split(",")[0])
    demo = Staged(settings, Console(width=200, highlight=False), weeks=1, seed=seed, keep=True)
    demo.stack = Stack(settings, OVERRIDES)
    demo.run()


class AirflowChaos:
    """Makes runs, each in a copy of one installation in the same place.

    Args:
        folder: has the installation and the one it is copied from.

    """

    def __init__(self, folder: Path) -> None:
        self.base = folder / "base"
        self.home = folder / "home"
        self.settings = Settings(self.home, PROJECT, None, settle_seconds=0)
        self.log = folder / "job.log"
        self.clock = folder / "clock"
        self.took = 60.0  # seconds of a whole job, measured by `prepare`

    def prepare(self) -> None:
        """Set the installation up, build once, stop it, and measure an unbroken job."""
        self.home.mkdir()
        self._claim(0)
        stack = Stack(self.settings, OVERRIDES)
        demo = Demo(self.settings, Console(quiet=True), weeks=1, seed=0, keep=True)
        url = stack.migrate()
        with psycopg.connect(stack.postgres.url("postgres"), autocommit=True) as connection:
            connection.execute("alter system set fsync = off")
            connection.execute("select pg_reload_conf()")
        demo._set_clock(url)
        airflow = stack.start()
        demo._wait_for_dags(airflow.client())
        build(settings=self.settings, database_url=url)
        stack.stop()
        shutil.move(self.home, self.base)
        with self.installation(0):
            began = time.monotonic()
            code = wait(forked(self.log, lambda: job(self.settings), self.home), SECONDS)
            assert code == 0, self.log.read_text()[-3000:]
            self.took = time.monotonic() - began
        print(f"chaos with Airflow: unbroken {self.took:.0f} s", flush=True)

    def _claim(self, seed: int) -> None:
        self.settings.demo_claim.write_text(f'{{"seed": {seed}, "weeks": 1}}')

    @contextmanager
    def installation(self, seed: int) -> Iterator[Stack]:
        """A copy of the prepared installation, stopped and removed at the end."""
        if self.base.exists():
            shutil.copytree(self.base, self.home, symlinks=True)
            _copy_owners(self.base, self.home)
        self._claim(seed)
        self.log.unlink(missing_ok=True)
        self.clock.write_text("+0\n")
        self.clock.chmod(0o644)
        stack = Stack(self.settings, OVERRIDES)
        try:
            yield stack
        finally:
            stack.stop()
            shutil.rmtree(self.home)

    def run(self, seed: int, kind: str | None = None) -> Outcome:
        """Break one run and see whether the next one recovers."""
        rng = random.Random(seed)
        kind = kind or [*FAULTS][seed % len(FAULTS)]
        outcome = Outcome(seed, kind)
        truth = reckoning.truth_of(world.generate(seed, 1))
        with self.installation(seed) as stack, _clock_seen(self.clock, is_moved=kind in CLOCKS):
            self._break(stack, kind, rng, outcome)
            self.log.unlink(missing_ok=True)
            began = time.monotonic()
            code = self._again(stack, outcome)
            outcome.recovery = time.monotonic() - began
            if code is None:
                outcome.problems.append(f"the second job hangs in {last_stage(self.log)}")
            elif code:
                outcome.problems.append(f"the second job failed: {last_error(self.log)}")
            else:
                url = stack.postgres.url()
                outcome.problems += differences(self.settings, url, truth)
                outcome.problems += _left_over(stack)
            if outcome.problems:
                shutil.copytree(
                    self.home / "logs", self.base.with_name(f"logs-{seed}"), dirs_exist_ok=True
                )
                shutil.copy(self.log, self.base.with_name(f"job-{seed}.log"))
            stack.stop()
            outcome.problems += [
                f"{process.info['name']} was left" for process in _processes_of(self.home)
            ]
        return outcome

    def _break(self, stack: Stack, kind: str, rng: random.Random, outcome: Outcome) -> None:
        moment = rng.uniform(0, self.took)
        process = forked(self.log, lambda: job(self.settings), self.home)
        with suppress(psutil.TimeoutExpired):
            wait(process, moment)
        outcome.stage = f"{last_stage(self.log)} {_running_tasks(stack)}".strip()
        with suppress(psycopg.OperationalError, LumbungError):
            FAULTS[kind](Running(stack, process, self.clock), rng)
        try:
            code = wait(process, max(PATIENCE, self.took))
        except psutil.TimeoutExpired:
            kill(process)
            wait(process, 30)
            outcome.ended = "was waited for"
            return
        outcome.ended = "went on" if code == 0 else "killed" if code < 0 else "failed"
        if code > 0:
            outcome.message = last_error(self.log)
            # A part that "ended unexpectedly" is a cause, an error that nobody expected is none.
            if ": unexpected" in f": {outcome.message}" or not outcome.message:
                outcome.problems.append("the message names no cause")

    def _again(self, stack: Stack, outcome: Outcome) -> int | None:
        """The exit code of the second job; None: it hangs."""
        process = forked(self.log, lambda: job(self.settings), self.home)
        try:
            return wait(process, max(UP_AGAIN, 3 * self.took))
        except psutil.TimeoutExpired:
            outcome.ended += ", up again"
        up = forked(
            self.log.with_name("up.log"), lambda: Stack(self.settings, OVERRIDES).start(), self.home
        )
        try:
            wait(up, SECONDS)
            return wait(process, SECONDS)
        except psutil.TimeoutExpired:
            for each in (up, process):
                kill_family(each)
            return None


def _copy_owners(source: Path, target: Path) -> None:
    """Give a copy's files the owners of the source's: PostgreSQL runs as an account of its own."""
    for path in (source, *source.rglob("*")):
        found = path.lstat()
        os.chown(
            target / path.relative_to(source), found.st_uid, found.st_gid, follow_symlinks=False
        )


@contextmanager
def _clock_seen(file: Path, *, is_moved: bool) -> Iterator[None]:
    """Let what this process starts, PostgreSQL included, see the clock of a file."""
    if not is_moved:
        yield
        return
    assert FAKETIME.exists(), "apt-get install libfaketime"
    seen = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    passed = processes.PASSED
    processes.PASSED = (*passed, *seen)  # type: ignore[assignment]
    os.environ.update(seen)
    try:
        yield
    finally:
        processes.PASSED = passed
        for name in seen:
            del os.environ[name]


def _running_tasks(stack: Stack) -> str:
    with suppress(psycopg.Error, LumbungError):
        url = stack.postgres.url("airflow")
        with psycopg.connect(url, connect_timeout=2) as connection:
            rows = connection.execute(
                "select dag_id || '.' || task_id from task_instance where state = 'running'"
                " order by 1"
            )
            return ", ".join(name for (name,) in rows)
    return ""


def _left_over(stack: Stack) -> list[str]:
    """Runs and tasks that are not over, and DAGs of the job that are paused."""
    with database.connect(stack.postgres.url("airflow")) as connection:
        runs = connection.execute(
            "select dag_id || ' is ' || state from dag_run where state in ('queued', 'running')"
            " union all select dag_id || '.' || task_id || ' is ' || state from task_instance"
            " where state in ('queued', 'running', 'restarting', 'up_for_retry', 'scheduled')"
        ).fetchall()
        wanted = [*(f"intake__{channel}" for channel in CHANNELS), "warehouse", "publication"]
        paused = connection.execute(
            "select dag_id || ' is paused' from dag where is_paused and dag_id = any(%s)",
            (wanted,),
        ).fetchall()
    return [text for (text,) in (*runs, *paused)]


def _processes_of(home: Path) -> list[psutil.Process]:
    """What still runs of an installation."""
    found = []
    for process in psutil.process_iter(["name"]):
        with suppress(psutil.Error, OSError):
            if process.environ().get("LUMBUNG_HOME") == str(home) or Path(
                process.cwd()
            ).is_relative_to(home):
                found.append(process)
    return found
