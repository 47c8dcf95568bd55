"""The CeleryExecutor: two workers and the other parts as processes that share no folder.

Tasks reach PostgreSQL through PgBouncer; logs and evidence are in an object store. What is not
here: several machines, schedulers and API servers, and a broker that dies.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from lumbung.demo import kobo_server, reckoning, writers
from lumbung.demo import world as invented
from lumbung.intake.evidence import Evidence
from lumbung.intake.vault import EvidenceKeys, Vault
from lumbung.local.airflow import AirflowClient
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.local.processes import hold_port
from lumbung.warehouse.roles import role_url
from tests.support.against_truth import cases_equal_truth
from tests.support.databases import fresh_database
from tests.support.evidence import content_of
from tests.support.object_store import object_store
from tests.support.pooler import pgbouncer, through

CHANNEL = "kobo_pemantau"
KEYS = "rahasia"
PATIENCE_SECONDS = 180


@dataclass
class Cluster:
    """Airflow's parts, each with a home of its own."""

    folder: Path
    environment: dict[str, str]
    url: str
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        """Start `lumbung run` in a session of its own, with a home of its own."""
        home = self.folder / name
        home.mkdir()
        (home / "demo.json").touch()  # no cron schedule
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "lumbung.cli", "run", *command],
                env={**os.environ, **self.environment, "LUMBUNG_HOME": str(home)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self.processes[name]

    def signal(self, name: str, number: signal.Signals) -> None:
        os.killpg(self.processes[name].pid, number)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")[-3000:]

    def wait(self, what: str, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            for name, process in self.processes.items():
                if process.poll() not in (None, -signal.SIGKILL):
                    pytest.fail(f"{name} ended\n{self.log(name)}")
            if time.monotonic() > deadline:
                logs = "\n".join(f"--- {name}\n{self.log(name)}" for name in self.processes)
                pytest.fail(f"{what}: not in time\n{logs}")
            time.sleep(0.3)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """The URL of a Redis server."""
    with hold_port() as port:
        process = subprocess.Popen(
            ["redis-server", "--port", str(port.number), "--bind", "127.0.0.1", "--save", ""],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
        )
        for _ in range(100):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port.number)) == 0:
                    break
            time.sleep(0.1)
    try:
        yield f"redis://127.0.0.1:{port.number}/0"
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """An object store with the bucket `lumbung`, which this process reaches too."""
    with object_store("lumbung") as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield environment


@pytest.fixture
def kobo(tmp_path: Path, truth_and_inbox: tuple[reckoning.Record, Path]) -> Iterator[str]:
    """The address of KoboToolbox's stand-in, as an Airflow Connection."""
    from threading import Thread

    server = kobo_server.StandIn(truth_and_inbox[1] / writers.KOBO_FILE, 0, KEYS, max_limit=15)
    Thread(target=server.serve_forever, daemon=True).start()
    yield json.dumps({"conn_type": "http", "host": server.address, "password": KEYS})
    server.shutdown()


@pytest.fixture
def truth_and_inbox(tmp_path: Path) -> tuple[reckoning.Record, Path]:
    """What an invented world must become, and its deliveries."""
    world = invented.generate(11, 4)
    writers.write(world, tmp_path / "inbox")
    return reckoning.truth_of(world), tmp_path / "inbox"


@pytest.fixture
def cluster(
    tmp_path: Path,
    scratch: Path,
    server: EmbeddedPostgres,
    redis: str,
    store: dict[str, str],
    kobo: str,
) -> Iterator[Cluster]:
    """An API server, a scheduler, a DAG processor and two workers; PostgreSQL behind a pooler."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("drop database if exists airflow with (force)")
    url = fresh_database(server, "template0", "celery")
    owner = urlsplit(url)
    pooler = scratch / "celery-pooler"
    pooler.mkdir()
    with ExitStack() as stack:
        accounts = {str(owner.username): str(owner.password)}
        # It asks the server for the passwords of the other logins (auth_query).
        asking = f"auth_user={owner.username}"
        pooled = stack.enter_context(pgbouncer(pooler, url, accounts, asking))
        held, logs = stack.enter_context(hold_port()), stack.enter_context(hold_port())
        address = f"http://127.0.0.1:{held.number}"
        made = Cluster(tmp_path / "homes", url=url, environment={
            "LUMBUNG_DATABASE_URL": through(url, pooled),
            "LUMBUNG_DATABASE_DIRECT": f"127.0.0.1:{owner.port}",
            "LUMBUNG_AIRFLOW_SECRET": "kunci untuk uji saja, tidak rahasia",
            "LUMBUNG_VAULT_KEY": "A" * 43 + "=",
            "AIRFLOW__API__PORT": str(held.number),
            "AIRFLOW__API__BASE_URL": address,
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "1",
            "AIRFLOW__CELERY__BROKER_URL": redis,
            "AIRFLOW__CELERY__WORKER_CONCURRENCY": "1",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(logs.number),
            "AIRFLOW__LOGGING__REMOTE_LOGGING": "True",
            "AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER": "s3://lumbung/logs",
            "AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID": "object_store",
            "AIRFLOW_CONN_OBJECT_STORE": "aws://",
            f"AIRFLOW_CONN_{CHANNEL.upper()}": kobo,
            "LUMBUNG_EVIDENCE": "s3://lumbung/evidence",
            **store,
        })  # fmt: skip
        made.folder.mkdir()
        try:
            assert made.start("init", "init").wait(180) == 0, made.log("init")
            del made.processes["init"]
            for name in ("api-server", "scheduler", "dag-processor"):
                made.start(name, name)
            made.start("worker-1", "worker")
            made.wait("the API server", lambda: _answers(address))
            yield made
        finally:
            for name, process in made.processes.items():
                if process.poll() is None:
                    made.signal(name, signal.SIGKILL)
                process.wait(10)


def _answers(address: str) -> bool:
    try:
        health = httpx.get(f"{address}/api/v2/monitor/health", timeout=5).json()
    except (httpx.HTTPError, ValueError):
        return False
    return all(health[part]["status"] == "healthy" for part in ("scheduler", "dag_processor"))


def test_a_worker_dies_in_a_pull_and_the_facts_are_the_truth(
    cluster: Cluster, truth_and_inbox: tuple[reckoning.Record, Path]
) -> None:
    truth, _ = truth_and_inbox
    passwords = json.loads((cluster.folder / "api-server" / "airflow/passwords.json").read_text())
    client = AirflowClient(
        cluster.environment["AIRFLOW__API__BASE_URL"], "admin", passwords["admin"]
    )
    pull, dags = f"intake__{CHANNEL}", {f"intake__{CHANNEL}", "warehouse"}
    cluster.wait("the DAGs", lambda: dags <= client.dag_ids())
    client.unpause(pull)
    with psycopg.connect(cluster.url) as blocking:
        # Landing waits for this lock in the middle of its first transaction.
        blocking.execute("select pg_advisory_xact_lock(hashtext('lumbung.watermark'))")
        run_id = client.trigger(pull)
        cluster.wait("the pull", lambda: _waits(cluster.url))
        cluster.signal("worker-1", signal.SIGKILL)
        cluster.processes["worker-1"].wait(10)
        cluster.start("worker-2", "worker", "--queues", "intake,build")
    client.unpause("warehouse")

    for _ in client.follow(pull, run_id, PATIENCE_SECONDS):
        pass
    assert client.tasks(pull, run_id) == {"pull": "success"}
    task = client.call("GET", f"/dags/{pull}/dagRuns/{run_id}/taskInstances/pull")
    assert task["try_number"] == 2
    said = str(client.log(pull, run_id, "pull", 2))
    assert "landed" in said
    assert not list(cluster.folder.glob("api-server/airflow/logs/dag_id=*"))

    cluster.wait("a build", lambda: bool(client.runs("warehouse")))
    (build,) = client.runs("warehouse")
    for _ in client.follow("warehouse", build["dag_run_id"], PATIENCE_SECONDS):
        pass
    states = client.tasks("warehouse", build["dag_run_id"])
    assert states == {"raw_checkpoint": "success", "build": "success"}
    with psycopg.connect(cluster.url) as connection:
        landed = connection.execute(
            "select sum(landed_count), sum(quarantined_count) from raw.batch"
        ).fetchone()
    counted = truth["channels"][CHANNEL]
    # What the first attempt had sent may be committed: the second then reads known duplicates.
    assert landed == (counted["landed"], counted["quarantined"])
    cases_equal_truth(
        cluster.url, [each for each in truth["reports"] if each["channel"] == CHANNEL]
    )
    with psycopg.connect(cluster.url) as connection:
        named = {
            bytes(row[0]) for row in connection.execute("select evidence_sha256 from raw.record")
        }
    assert named
    vault = Vault(b64decode(cluster.environment["LUMBUNG_VAULT_KEY"]))
    with closing(EvidenceKeys(role_url(cluster.url, "custodian"), vault)) as keys:
        store = Evidence(cluster.folder / "elsewhere", keys, shared="s3://lumbung/evidence")
        assert all(sha256(content_of(store, digest)).digest() == digest for digest in named)
    broker = cluster.environment["AIRFLOW__CELERY__BROKER_URL"]
    worker = f"celery@{socket.gethostname()}"
    ping = ["celery", "--broker", broker, "inspect", "ping", "--destination", worker]
    subprocess.run([sys.executable, "-m", *ping], check=True, capture_output=True, timeout=60)


def _waits(url: str) -> bool:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select exists (select from pg_stat_activity where datname = current_database()"
            " and application_name = 'lumbung intake' and wait_event = 'advisory')"
        ).fetchone()
    return row == (True,)
