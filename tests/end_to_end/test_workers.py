"""The services of docker-compose.yml with the CeleryExecutor, as processes on this machine.

A scheduler and the DAG processor share the home of `init`, as the containers do. The API server,
the second scheduler and two workers share no folder with anything, as on machines of their own. The
database is an office's, whose account is no superuser; all but `init` reach it through PgBouncer.
Logs and evidence are in an object store. What is not here: several machines and API servers.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx
import psutil
import psycopg
import pytest

from lumbung import database
from lumbung.demo import kobo_server, reckoning, writers
from lumbung.demo import world as invented
from lumbung.intake.evidence import Evidence
from lumbung.intake.vault import EvidenceKeys, Vault
from lumbung.local.airflow import AirflowClient
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.local.processes import hold_port
from lumbung.warehouse.roles import role_url
from tests.support.against_truth import cases_equal_truth
from tests.support.compose import compose_services
from tests.support.evidence import content_of
from tests.support.object_store import object_store
from tests.support.pooler import pgbouncer, through

pytestmark = pytest.mark.slow

CHANNEL = "kobo_pemantau"
KEYS = "rahasia"
OFFICE = "kantor"
PASSWORD = "r@hasia/100%:#"
VAULT_KEY = b64encode(bytes(32)).decode()
PATIENCE_SECONDS = 180


@dataclass
class Cluster:
    """Services of Compose.

    Attributes:
        folder: has a home of each service, and its log.
        services: as Compose understands them.
        here: what their settings name, by the name in Compose's network.
        url: the warehouse as a superuser.
        environment: variables that the containers do not have.
        apart: variables of services that share no folder with `init`.

    """

    folder: Path
    services: dict[str, Any]
    here: dict[str, str]
    url: str
    environment: dict[str, str]
    apart: dict[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def settings(self, service: str) -> dict[str, str]:
        """A service's variables, with this machine's names in the place of the network's."""
        found = {}
        for variable, value in self.services[service]["environment"].items():
            found[variable] = self.translated(str(value))
        return found

    def translated(self, value: str) -> str:
        for name, ours in self.here.items():
            value = value.replace(name, ours)
        return value

    def start(
        self, name: str, service: str, home: str, *options: str, **variables: str
    ) -> subprocess.Popen[bytes]:
        """Run a service's command in a session of its own, in a home that may be another's."""
        folder = self.folder / home
        folder.mkdir(exist_ok=True)
        (folder / "demo.json").touch()  # no cron schedule
        given = {**self.settings(service), **self.environment, **variables}
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "lumbung.cli", *self.services[service]["command"], *options],
                env={**os.environ, **given, "LUMBUNG_HOME": str(folder)},
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
            time.sleep(1)  # each question takes CPU time of the API server


class Broker:
    """A Redis server that keeps nothing when it ends, as that of Compose."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with hold_port() as held:
            self.port = held.number
            self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it on its port, and wait until it answers."""
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
        )
        for _ in range(100):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        pytest.fail("Redis does not answer")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    started = Broker(tmp_path)
    yield started
    started.kill()


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


def office_url(server: EmbeddedPostgres) -> str:
    """A server as an office may have it: no superuser, a password to be quoted, parameters."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        # another test's, whose owner is another account
        connection.execute("drop database if exists airflow with (force)")
        connection.execute(f"create role {OFFICE} login createdb createrole password '{PASSWORD}'")
        connection.execute(f"create database {OFFICE} owner {OFFICE}")
        # Another account made the roles of this server.
        for (role,) in connection.execute(
            r"select rolname from pg_roles where not rolsuper and rolname !~ '^pg_'"
            " and rolname <> %s",
            (OFFICE,),
        ).fetchall():
            connection.execute(f'grant "{role}" to {OFFICE} with admin option')
    address = server.url(OFFICE).rsplit("@", 1)[1]
    return (
        f"postgresql://{OFFICE}:{quote(PASSWORD, safe='')}@{address}"
        "?sslmode=prefer&application_name=kantor"
    )


@pytest.fixture
def cluster(
    tmp_path: Path,
    scratch: Path,
    server: EmbeddedPostgres,
    template: str,
    broker: Broker,
    store: dict[str, str],
    kobo: str,
) -> Iterator[Cluster]:
    """An API server, two schedulers, a DAG processor, a worker; PostgreSQL behind a pooler."""
    assert template  # its migrations made the roles of the server
    office, url = office_url(server), server.url(OFFICE)
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
        secrets = tmp_path / "secrets"
        secrets.mkdir()
        (secrets / "database_url").write_text(office + "\n")
        (secrets / "vault_key").write_text(VAULT_KEY + "\n")
        (secrets / "smtp_publication").write_text("")
        variables = {"EXECUTOR": "CeleryExecutor", "BASE_URL": address}
        made = Cluster(tmp_path / "homes", compose_services(**variables), {
            "http://api-server:8080": address,
            "redis://redis:6379/0": broker.url,
            "/run/secrets": str(secrets),
            "postgresql://postgres:5432/lumbung": through(database.without_account(office), pooled),
        }, url, {
            "LUMBUNG_DATABASE_DIRECT": f"127.0.0.1:{owner.port}",
            "LUMBUNG_AIRFLOW_SECRET": "kunci untuk uji saja, tidak rahasia",
            "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "1",
            "AIRFLOW__CELERY__WORKER_CONCURRENCY": "1",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
            "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "30",
            "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "2",
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
            assert made.start("init", "init", "home").wait(180) == 0, made.log("init")
            del made.processes["init"]
            made.apart["LUMBUNG_DATABASE_URL"] = through(office, pooled)
            assert made.settings("api-server")["AIRFLOW__API__HOST"] == "0.0.0.0"
            listen = {"AIRFLOW__API__HOST": "127.0.0.1", "AIRFLOW__API__PORT": str(held.number)}
            made.start("api-server", "api-server", "api-server", **made.apart, **listen)
            made.start("scheduler", "scheduler", "home")
            made.start("scheduler-2", "scheduler", "scheduler-2", **made.apart)
            made.start("dag-processor", "dag-processor", "home")
            made.start("worker-1", "worker", "worker-1", **made.apart)
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


def test_worker_scheduler_and_broker_die_in_a_pull_and_the_facts_are_the_truth(
    cluster: Cluster, broker: Broker, truth_and_inbox: tuple[reckoning.Record, Path]
) -> None:
    truth, _ = truth_and_inbox
    passwords = json.loads((cluster.folder / "api-server" / "airflow/passwords.json").read_text())
    client = AirflowClient(cluster.here["http://api-server:8080"], "admin", passwords["admin"])
    pull, dags = f"intake__{CHANNEL}", {f"intake__{CHANNEL}", "warehouse"}
    cluster.wait("the DAGs", lambda: dags <= client.dag_ids())
    client.unpause(pull)
    with psycopg.connect(cluster.url) as blocking:
        # Landing waits for this lock in the middle of its first transaction.
        blocking.execute("select pg_advisory_xact_lock(hashtext('lumbung.watermark'))")
        run_id = client.trigger(pull)
        cluster.wait("the pull", lambda: _waits(cluster.url))
        for name in ("worker-1", "scheduler"):
            cluster.signal(name, signal.SIGKILL)
            cluster.processes[name].wait(10)
        broker.kill()
        broker.start()
        queues = ("--queues", "intake,build")
        cluster.start("worker-2", "worker", "worker-2", *queues, **cluster.apart)
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
    vault = Vault(b64decode(VAULT_KEY))
    custodian = role_url(cluster.apart["LUMBUNG_DATABASE_URL"], "custodian")
    with closing(EvidenceKeys(custodian, vault)) as keys:
        store = Evidence(cluster.folder / "elsewhere", keys, shared="s3://lumbung/evidence")
        assert all(sha256(content_of(store, digest)).digest() == digest for digest in named)
    worker = f"celery@{socket.gethostname()}"
    ping = ["celery", "--broker", broker.url, "inspect", "ping", "--destination", worker]
    subprocess.run([sys.executable, "-m", *ping], check=True, capture_output=True, timeout=60)
    _are_healthy_and_know_no_password(cluster)


def _are_healthy_and_know_no_password(cluster: Cluster) -> None:
    """The health checks of Compose pass, and nobody but `init` has the owner's password."""
    page = cluster.folder / "home" / "portals" / "current" / "index.html"
    assert "Belum ada edisi terbit" in page.read_text(encoding="utf-8")
    running = {name for name, process in cluster.processes.items() if process.poll() is None}
    assert running == {"api-server", "scheduler-2", "dag-processor", "worker-2"}
    for name in running:
        process = psutil.Process(cluster.processes[name].pid)
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):  # a task's that has ended
                assert "r@hasia" not in unquote(str(each.environ())), name
    for service in ("scheduler", "dag-processor", "api-server"):
        *command, script = cluster.services[service]["healthcheck"]["test"][1:]
        assert command == ["python", "-c"]
        part = {"PART": cluster.settings(service)["PART"]}
        script = cluster.translated(script)
        subprocess.run([sys.executable, "-c", script], env=part, check=True, timeout=30)


def _waits(url: str) -> bool:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select exists (select from pg_stat_activity where datname = current_database()"
            " and application_name = 'lumbung intake' and wait_event = 'advisory')"
        ).fetchone()
    return row == (True,)
