"""The whole main job under faults at random moments, without Airflow.

A run begins from a warehouse without deliveries. The job pulls every channel, checks, builds,
publishes an edition and writes the portal, in a process forked from one that has imported dbt and
Great Expectations. Something breaks at a random moment; then everything is repaired and the job
runs again, as its DAGs do.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import psycopg

from lumbung.demo import reckoning, run, world, writers
from lumbung.demo.kobo_server import StandIn
from lumbung.errors import SourceError, explained
from lumbung.intake.connectors.base import SourceConnection
from lumbung.intake.run import pull
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.publication.checks import checkpoint
from lumbung.publication.editions import freezing, publishing, review
from lumbung.publication.model import store
from lumbung.publication.portal import publish as portal
from lumbung.settings import Settings
from lumbung.warehouse.build import build
from lumbung.warehouse.raw_checkpoint import check_raw
from tests.support.databases import fresh_database
from tests.support.homes import demo_home

PROJECT = Path(__file__).parents[2]
SECONDS = 240
"""A job that has not ended by then hangs."""
TOKEN = "rahasia"


class Source(StandIn):
    """The observers' server, which can misbehave.

    Attributes:
        fault: `cut` (it closes in the middle of an answer), `refuses` (500), `slow` (it answers
            after five seconds), `lies` (a page of HTML instead of JSON); empty: it behaves.

    """

    fault = ""

    def answer(self, url: str, authorization: str | None) -> tuple[int, dict[str, Any]]:
        if self.fault == "slow":
            time.sleep(5)
        if self.fault == "refuses":
            return 500, {}
        if self.fault == "cut":
            raise ConnectionAbortedError  # its handler closes the connection
        status, content = super().answer(url, authorization)
        if self.fault == "lies":  # whole by its own words, and half of it
            half = content["results"][: len(content["results"]) // 2]
            content |= {"results": half, "count": len(half), "next": None}
        return status, content

    def handle_error(self, *_: object) -> None:
        """Print nothing."""


@dataclass
class Office:
    """What a run of the chaos has: an own world, home and database, and a source."""

    settings: Settings
    server: EmbeddedPostgres
    source: Source
    truth: dict[str, Any]
    log: Path

    @property
    def url(self) -> str:
        return self.server.url("chaos")

    def stage(self) -> str:
        return last_stage(self.log)

    def message(self) -> str:
        return last_error(self.log)


def last_stage(log: Path) -> str:
    """The stage in which a job is, or ended."""
    return _last("==", log) or "beginning"


def last_error(log: Path) -> str:
    """The error with which a job ended."""
    return _last("!!", log)


def _last(mark: str, log: Path) -> str:
    text = log.read_text(errors="replace") if log.exists() else ""
    found: list[str] = re.findall(rf"^{mark} (.*)$", text, re.MULTILINE)
    return found[-1] if found else ""


def job(office: Office) -> None:
    """The main job, stage after stage; a source that fails stops its own channel alone."""
    settings, url = office.settings, office.url

    def stage(name: str) -> None:
        print(f"== {name}", flush=True)

    for channel in run.CHANNELS:
        stage(f"intake {channel}")
        is_remote = channel == "kobo_pemantau"
        connection = SourceConnection(office.source.address, password=TOKEN) if is_remote else None
        try:
            pull(channel, settings=settings, database_url=url, connection=connection, run_key="x")
        except SourceError as error:
            print(f"source: {error}", flush=True)
    stage("raw checkpoint")
    check_raw(settings=settings, database_url=url)
    stage("build")
    build(settings=settings, database_url=url, resume=True)
    stage("freeze")
    edition_id = freezing.freeze(office.truth["edition_week"], settings=settings, database_url=url)
    if store.load(edition_id, database_url=url).state == "draft":
        stage("render")
        review.write_draft(edition_id, settings=settings, database_url=url)
        stage("checkpoint")
        checkpoint.check(edition_id, settings=settings, database_url=url)
        stage("approve")
        review.approve(edition_id, by="demo", how="demo", database_url=url)
    stage("publish")
    publishing.publish(edition_id, settings=settings, database_url=url)
    stage("portal")
    portal.build(settings=settings, database_url=url)
    stage("done")


def start(office: Office) -> psutil.Process:
    """Run the job in a fork of this process."""
    return forked(office.log, lambda: job(office), office.settings.home)


def forked(log: Path, work: Callable[[], object], home: Path) -> psutil.Process:
    """Work in an installation in a fork, which adds to a log what it prints and its error."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return psutil.Process(pid)
    code = 1
    try:
        os.setsid()
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.stdout = os.fdopen(1, "w", buffering=1)
        sys.stderr = os.fdopen(2, "w", buffering=1)
        work()
        code = 0
    except BaseException as error:
        with suppress(BaseException):
            known = explained(error, home) if isinstance(error, Exception) else error
            print("!! " + " ".join(str(known).split()), flush=True)
    finally:
        os._exit(code)
    raise AssertionError  # never reached


def wait(process: psutil.Process, seconds: float = SECONDS) -> int:
    """The exit code of a job, negative if it was killed.

    Raises:
        psutil.TimeoutExpired: when it hangs.

    """
    code = process.wait(seconds)
    return -1 if code is None else int(code)


def kill_family(root: psutil.Process) -> None:
    """Kill a process and its children."""
    family = [root]
    with suppress(psutil.NoSuchProcess):
        family += root.children(recursive=True)
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()


# -- faults: each takes the office, the running job, and what is random --------------------------


def kill_job(office: Office, process: psutil.Process, rng: random.Random) -> None:
    kill_family(process)


def kill_server(office: Office, process: psutil.Process, rng: random.Random) -> None:
    if found := office.server.process:
        kill_family(found)


def kill_all(office: Office, process: psutil.Process, rng: random.Random) -> None:
    kill_family(process)
    kill_server(office, process, rng)


def kill_backend(office: Office, process: psutil.Process, rng: random.Random) -> None:
    """Kill one session's process: PostgreSQL then ends all sessions and recovers."""
    if sessions := _sessions(office):
        with suppress(psutil.NoSuchProcess):
            psutil.Process(rng.choice(sessions)).kill()


def cut_connections(office: Office, process: psutil.Process, rng: random.Random) -> None:
    """End every session of the job, or one."""
    sessions = _sessions(office)
    ended = sessions if rng.random() < 0.5 else rng.sample(sessions, min(1, len(sessions)))
    with psycopg.connect(office.server.url("postgres"), autocommit=True) as connection:
        for pid in ended:
            connection.execute("select pg_terminate_backend(%s)", (pid,))


def run_twice(office: Office, process: psutil.Process, rng: random.Random) -> None:
    """Start the whole job a second time beside the first one."""
    wait(start(office))


def _sessions(office: Office) -> list[int]:
    with psycopg.connect(office.server.url("postgres"), autocommit=True) as connection:
        rows = connection.execute(
            "select pid from pg_stat_activity where datname = 'chaos' and pid <> pg_backend_pid()"
        ).fetchall()
    return [pid for (pid,) in rows]


Fault = Callable[[Office, psutil.Process, random.Random], None]

FAULTS: dict[str, Fault] = {
    "job killed": kill_job,
    "everything killed": kill_all,
    "PostgreSQL killed": kill_server,
    "one backend killed": kill_backend,
    "connections cut": cut_connections,
    "two at once": run_twice,
}
SOURCES = ("cut", "refuses", "slow", "lies")
KINDS = (*FAULTS, "disk full", "idle reader", *(f"source {fault}" for fault in SOURCES))


@dataclass
class Outcome:
    """What one run showed."""

    seed: int
    kind: str
    stage: str = ""
    ended: str = ""
    message: str = ""
    recovery: float = 0.0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        said = f"{self.seed} | {self.kind} | {self.stage} | {self.ended} | {self.recovery:.1f} s"
        return f"{said} | {'; '.join(self.problems) or 'well'} | {self.message}"


class Chaos:
    """Makes runs on one server.

    Args:
        folder: a file system that `resize` changes.
        resize: sets its size, such as `900m`.

    """

    def __init__(self, folder: Path, resize: Callable[[str], Path]) -> None:
        self.folder = folder
        self.resize = resize
        self.server = EmbeddedPostgres(folder / "postgres")
        self.base = folder / "base"
        self.took = 16.0  # seconds of a whole job on two cores

    def prepare(self, template: Callable[[EmbeddedPostgres, Settings], None]) -> None:
        """Make what every run begins from: a warehouse that was built before any delivery."""
        self.server.start()
        template(self.server, demo_home(self.base, PROJECT))

    @contextmanager
    def office(self, seed: int) -> Iterator[Office]:
        """A world that nothing was pulled of."""
        home = self.folder / f"home-{seed}"
        shutil.copytree(self.base, home)
        settings = Settings(home, PROJECT, None, settle_seconds=0)
        invented = world.generate(seed, 1)
        writers.write(invented, settings.inbox)
        fresh_database(self.server, "template_chaos", "chaos")
        with psycopg.connect(self.server.url("postgres"), autocommit=True) as connection:
            # a copy of a sequence would go back by a crash before the next checkpoint
            connection.execute("checkpoint")
        with Source(settings.inbox / "kobo_pemantau.json", 0, TOKEN) as source:
            threading.Thread(target=source.serve_forever, daemon=True).start()
            truth = reckoning.truth_of(invented)
            # Elsewhere, as a terminal is: a full disk takes no message.
            with TemporaryDirectory() as elsewhere:
                yield Office(settings, self.server, source, truth, Path(elsewhere) / "job.log")
            source.shutdown()
        shutil.rmtree(home)

    def run(self, seed: int, kind: str | None = None) -> Outcome:
        """Break one run and see whether the next one recovers."""
        rng = random.Random(seed)
        kind = kind or KINDS[seed % len(KINDS)]
        outcome = Outcome(seed, kind)
        moment = rng.uniform(0, self.took)
        with self.office(seed) as office:
            self._break(office, kind, moment, rng, outcome)
            self.resize("1500m")
            office.source.fault = ""
            self.server.start()
            # what a killed process left holds locks for a moment
            office.log.unlink(missing_ok=True)
            office.log.touch()
            began = time.monotonic()
            try:
                code = wait(start(office))
            except psutil.TimeoutExpired:
                outcome.problems.append(f"the second job hangs in {office.stage()}")
                return outcome
            outcome.recovery = time.monotonic() - began
            if code:
                outcome.problems.append(f"the second job failed: {office.message()}")
            else:
                outcome.problems += differences(office.settings, office.url, office.truth)
        return outcome

    def _break(
        self, office: Office, kind: str, moment: float, rng: random.Random, outcome: Outcome
    ) -> None:
        with ExitStack() as stack:
            if kind.startswith("source "):
                office.source.fault = kind.removeprefix("source ")
            process = start(office)
            if kind == "idle reader":
                reader = psycopg.connect(self.server.url("chaos"))
                stack.callback(reader.close)
                with suppress(psycopg.Error):
                    reader.execute("select count(*) from marts.fct_report")
            deadline = time.monotonic() + moment
            while process.is_running() and time.monotonic() < deadline:
                if process.status() == psutil.STATUS_ZOMBIE:
                    break
                time.sleep(0.02)
            outcome.stage = office.stage()
            with suppress(psycopg.OperationalError):
                if kind == "disk full":
                    self._fill(rng.choice((0, 64, 2048)))
                elif kind in FAULTS:
                    FAULTS[kind](office, process, rng)
            try:
                code = wait(process)
            except psutil.TimeoutExpired:
                outcome.problems.append(f"the job hangs in {office.stage()}")
                kill_family(process)
                return
        outcome.ended = "went on" if code == 0 else "killed" if code < 0 else "failed"
        if code > 0:
            outcome.message = office.message()
            if outcome.message.startswith("unexpected") or not outcome.message:
                outcome.problems.append("the message names no cause")

    def _fill(self, left_kb: int) -> None:
        """Leave so much space on the disk; again where the job has written more meanwhile."""
        for _ in range(100):
            used = shutil.disk_usage(self.folder).used
            with suppress(OSError):
                self.resize(f"{used // 1024 + left_kb}k")
                return
        raise AssertionError("the disk cannot be filled")


def differences(settings: Settings, url: str, truth: dict[str, Any]) -> list[str]:
    """What differs from the world's truth, and what is left behind."""
    from lumbung.demo.truth import metric_differences
    from lumbung.publication.proof import verify
    from lumbung.publication.proof.keys import trusted_keys

    found = metric_differences(truth, url)[:3]
    with psycopg.connect(url) as connection:
        landed: dict[str, int] = dict(
            connection.execute(
                "select channel, count(*) from raw.record where not is_tombstone group by channel"
            ).fetchall()
        )
        doubled = connection.execute(
            "select channel, count(*) from raw.record group by channel, source_id,"
            " content_hash having count(*) > 1"
        ).fetchall()
        editions = [
            edition_id
            for (edition_id,) in connection.execute(
                "select edition_id from published.edition where state = 'published'"
                " order by revision"
            )
        ]
        unlike = connection.execute(
            "select count(*) from published.metric as m inner join reporting.rpt_metric as r"
            " using (metric_code, category_code, regency_code) where m.edition_id = %s"
            " and r.week_id = %s and r.period = 'week' and r.value <> m.week_value",
            (editions[-1] if editions else "", truth["edition_week"]),
        ).fetchone()
    wanted = {name: counts["landed"] for name, counts in truth["channels"].items()}
    if landed != wanted:
        found.append(f"landed {landed} instead of {wanted}")
    found += [f"{channel} has {n} alike" for channel, n in doubled]
    if not editions or unlike != (0,):
        found.append(f"the edition {editions} has other numbers: {unlike}")
    for proof in verify.verify_all(settings.editions, trusted_keys(settings)):
        found += [f"{proof.edition_id}: {problem}" for problem in proof.problems]
    shown = {path.name for path in (settings.portal / "edisi").iterdir() if path.is_dir()}
    if shown != set(editions) or {p.name for p in settings.editions.iterdir()} != shown:
        found.append(f"the portal has {shown} instead of {editions}")
    left = [
        path.relative_to(settings.home).as_posix()
        for path in settings.home.rglob("*")
        if re.match(r"\.(new|upload|.*\.\d+$)", path.name)
    ]
    return found + [f"{name} was left" for name in left]
