"""Airflow on one small machine: its three processes, its environment and its REST interface.

All ports are on loopback. Airflow's metadata is a database of its own in the warehouse's PostgreSQL
server.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

import httpx

from lumbung import database, lineage
from lumbung.errors import ConfigurationError, ServiceError
from lumbung.files import write_private
from lumbung.local.processes import Processes, hold_port, prepared_alone
from lumbung.publication.delivery.recipients import load_people
from lumbung.settings import Settings

API_SERVER = "api-server"
COMMAND = "lumbung.local.airflow_command"
COMPONENTS: dict[str, list[str]] = {
    API_SERVER: [COMMAND, "api-server"],
    "scheduler": [COMMAND, "scheduler", "--skip-serve-logs"],
    "dag-processor": ["lumbung.local.dag_processor", "dag-processor"],
}
"""The processes, by name, with their Python module and its arguments. Only the API server opens a
port; the log servers are off because all logs are on this machine. There is no triggerer: none of
the DAGs defers a task, and a task that waits for a person (`awaiting_input`) needs none."""

QUEUES = ("default", "intake", "build", "publication")
"""The queues of the DAGs' tasks. The LocalExecutor ignores them."""

KEYS = {"fernet_key": "sha256", "secret_key": "sha256", "jwt_secret": "sha512"}
"""Airflow's keys, with the hash by which each is derived: it signs tokens with HMAC-SHA-512."""
SECRET = "LUMBUNG_AIRFLOW_SECRET"  # noqa: S105 - the name of a variable
"""The variable from which keys and passwords are derived where processes share no home."""

AUTH = "LUMBUNG_AUTH"
"""The variable that chooses the auth manager: `fab`, or `simple` (the default)."""
FAB = "lumbung.local.fab.AuthManager"
SIMPLE = "lumbung.local.simple.AuthManager"

POOLS = {
    "intake": (2, "pulls of channels"),
    "warehouse": (1, "builds, checks by Great Expectations: each takes a core and its memory"),
}
"""Airflow's pools: slots and description. Two cores do not serve more tasks at once."""

OWNERS = ("LUMBUNG_DATABASE_URL_FILE", "LUMBUNG_DATABASE_PASSWORD", "PGPASSWORD")
"""Variables of a shell or container that may lead to the owner's password."""

QUEUED_MINUTES = 3
"""How long a task may be queued; where a worker is free it takes seconds."""

LOCAL_EXECUTOR = "lumbung.local.executor.PreloadingExecutor"
"""Runs tasks on the machine of the scheduler."""

COMMAND_SECONDS = 1800
"""How long a command of Airflow that changes its metadata may take."""

PREFERRED_PORT = 8080
START_SECONDS = 180


def accounts(settings: Settings) -> dict[str, str]:
    """Return Airflow's accounts of all offices: `admin`, approvers of editions, other readers.

    An approver is a reader who answers the tasks that are assigned to them (`approver`); an
    engineer edits Connections (`op`). Nobody is Airflow's `user`, who may start, pause and delete
    every DAG: the desk pulls and pauses for owners of channels. A demo's home also has `demo`,
    which approves for the demo. An edition prints whether a person or the demo approved it.

    Raises:
        ConfigurationError: when the `people.yaml` of the installation's own office cannot be read.
            The people of another office whose file cannot be read have no account meanwhile.

    """
    offices = [load_people(settings)]
    for office in settings.offices[1:]:
        try:
            offices.append(load_people(office))
        except ConfigurationError as error:
            print(f"no accounts of the office {office.office}: {error}", file=sys.stderr)
    demo = ["demo"] * settings.demo_claim.exists()
    readers = dict.fromkeys([name for people in offices for name in people.accounts], "viewer")
    engineers = dict.fromkeys([name for people in offices for name in people.engineers], "op")
    deciding = [name for people in offices for name in people.approval.users]
    approvers = dict.fromkeys([*deciding, *demo], "approver")
    return {**readers, **engineers, **approvers, "admin": "admin"}


def _is_fab() -> bool:
    """Return whether the accounts are those of FAB.

    Raises:
        ConfigurationError: when the variable names another auth manager.

    """
    chosen = os.environ.get(AUTH) or "simple"
    if chosen not in ("simple", "fab"):
        raise ConfigurationError(
            f"there is no auth manager '{chosen}'",
            where=AUTH,
            remediation="choose simple or fab; another one is Airflow's setting AUTH_MANAGER",
        )
    return chosen == "fab"


def address(settings: Settings) -> str:
    """Return the address of Airflow's page, whether Airflow runs or not.

    Raises:
        ConfigurationError: when `SECRET` is too short.
        ServiceError: when Airflow was never started.

    """
    return f"http://127.0.0.1:{_state(settings)['port']}"


def _state_file(settings: Settings) -> Path:
    return settings.home / "airflow" / "state.json"


def require_set_up(settings: Settings) -> None:
    """Refuse where Airflow has not been set up, before its database is looked for.

    Raises:
        ServiceError: when it has no keys.

    """
    _state(settings)


def _state(settings: Settings) -> dict[str, str]:
    derived = {name: found for name, how in KEYS.items() if (found := _derived(name, how))}
    try:
        state: dict[str, str] = json.loads(_state_file(settings).read_text())
    except (OSError, ValueError) as error:
        if derived:
            return {"port": str(PREFERRED_PORT), **derived}
        raise ServiceError(
            "Airflow has not been set up",
            where=str(_state_file(settings)),
            remediation="run 'lumbung up', or 'lumbung migrate' to use its command line alone",
        ) from error
    return state | derived


def _derived(purpose: str, digest: str = "sha256") -> str | None:
    """A key or password derived from `SECRET`, the same on every machine; None without it."""
    secret = os.environ.get(SECRET)
    if not secret:
        return None
    if len(secret) < 32:
        raise ConfigurationError(
            "the secret has fewer than 32 characters",
            where=SECRET,
            remediation="make one with 'openssl rand -base64 32', the same for all processes",
        )
    found = hmac.digest(secret.encode(), f"lumbung airflow {purpose}".encode(), digest)
    return base64.urlsafe_b64encode(found).decode()


def worker(queues: str) -> list[str]:
    """Return the module and arguments of a worker of the CeleryExecutor.

    It serves the logs of its tasks to the API server on port 8793.

    Args:
        queues: those that it takes tasks from, separated by commas.

    """
    return [COMMAND, "celery", "worker", "--queues", queues]


class Airflow:
    """The Airflow of one installation.

    Args:
        settings: the installation; Airflow's state is in `LUMBUNG_HOME/airflow`.
        processes: where its processes are registered.
        warehouse_url: the warehouse's address without an account, given to every task as
            `LUMBUNG_DATABASE_URL`: tasks log in by the files of `roles.write_logins`.
        metadata_url: Airflow's own database (`postgresql://…`), as its owner.
        overrides: variables that replace Lumbung's own (containers, tests).
    """

    def __init__(
        self,
        settings: Settings,
        processes: Processes,
        warehouse_url: str,
        metadata_url: str,
        overrides: Mapping[str, str],
    ) -> None:
        self.settings = settings
        self.processes = processes
        self.overrides = overrides
        self.folder = settings.home / "airflow"
        self._warehouse_url = warehouse_url
        self._metadata_url = metadata_url

    # -- environment -------------------------------------------------------------------------

    def environment(self) -> dict[str, str]:
        """Return the whole environment of an Airflow process, without the owner's password."""
        given = {name: value for name, value in os.environ.items() if name not in OWNERS}
        return {**given, **self.variables()}

    def variables(self) -> dict[str, str]:
        """Return the variables that Lumbung sets for Airflow."""
        state = _state(self.settings)
        port = state["port"]
        metadata = urlsplit(self._metadata_url)
        # asyncpg calls sslmode `ssl` and rejects libpq's other parameters.
        executor = self.overrides.get("AIRFLOW__CORE__EXECUTOR", LOCAL_EXECUTOR)
        ssl = parse_qs(metadata.query).get("sslmode", [])[:1]
        target = lineage.transport()
        asynchronous = metadata._replace(query=f"ssl={ssl[0]}" if ssl else "")
        own = {
            "LUMBUNG_HOME": str(self.settings.home),
            "LUMBUNG_PROJECT": str(self.settings.project),
            "LUMBUNG_DATABASE_URL": self._warehouse_url,
            # Tasks look this Connection up, so that a secrets backend can replace it.
            "AIRFLOW_CONN_LUMBUNG_WAREHOUSE": self._warehouse_url,
            "AIRFLOW_HOME": str(self.folder),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.settings.project / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(self.settings.project / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": executor,
            "OPENBLAS_NUM_THREADS": "1",  # the executor forks after NumPy has been imported
            # On two cores a third task only slows down the other two.
            "AIRFLOW__CORE__PARALLELISM": "2" if executor == LOCAL_EXECUTOR else "32",
            "AIRFLOW__CELERY__WORKER_CONCURRENCY": "2",
            "AIRFLOW__CORE__DEFAULT_TIMEZONE": "Asia/Jakarta",
            "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",  # needs no name resolution
            "AIRFLOW__CORE__FERNET_KEY": state["fernet_key"],
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(
                # It has no role of its own for approvers (`lumbung.local.simple`).
                f"{user}:{'viewer' if role == 'approver' else role}"
                for user, role in accounts(self.settings).items()
            ),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self._passwords_file),
            # The API server listens on every interface by default.
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": port,
            "AIRFLOW__API__WORKERS": "1",  # each worker costs 250 MB
            # The address that people open, where a proxy serves Airflow elsewhere.
            "AIRFLOW__API__BASE_URL": os.environ.get("LUMBUNG_AIRFLOW_URL")
            or f"http://127.0.0.1:{port}",
            "AIRFLOW__API__SECRET_KEY": state["secret_key"],
            "AIRFLOW__API__INSTANCE_NAME": "Lumbung",
            "AIRFLOW__API_AUTH__JWT_SECRET": state["jwt_secret"],
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": _sqlalchemy_url("psycopg2", metadata),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": _sqlalchemy_url("asyncpg", asynchronous),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE": "3",
            "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
            # What a DAG file reads is parsed again when it changes (lumbung.local.dag_processor).
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
            # The local executor waits itself (lumbung.local.executor).
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": (
                "0" if executor == LOCAL_EXECUTOR else "0.5"
            ),
            "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
            # By default Airflow lets every account read its logs, whatever the umask is.
            "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
            "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
            "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "60",
            # A worker notices the end of its task's process after this time, where the process did
            # not end in the moment in which it closed its pipes: by default up to five seconds, in
            # which the next task may lack a worker.
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
            # After a power cut, interrupted tasks are rescheduled within a minute instead of five.
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
            "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30",
            # dbt's process pool ends with the task; Python would warn about it at exit.
            "PYTHONWARNINGS": "ignore::UserWarning:multiprocessing.resource_tracker",
            # The provider of the extra `lineage`; without a target it costs an import.
            "AIRFLOW__OPENLINEAGE__DISABLED": str(target is None),
            "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(target) if target else "",
            "AIRFLOW__OPENLINEAGE__NAMESPACE": lineage.NAMESPACE,
            # No telemetry from any tool.
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "SCARF_ANALYTICS": "false",
            "DO_NOT_TRACK": "1",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "GX_ANALYTICS_ENABLED": "false",
        }
        own["AIRFLOW__CORE__AUTH_MANAGER"] = FAB if _is_fab() else SIMPLE
        return {**own, **self.overrides}

    @property
    def url(self) -> str:
        """The address of Airflow's page."""
        return address(self.settings)

    def password(self, user: str) -> str:
        """Return the generated password of one of the `accounts`."""
        return str(json.loads(self._passwords_file.read_text())[user])

    # -- life --------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the components that do not run, and wait until all are healthy.

        A scheduler whose workers begin no task is started again, and so is a component that ran
        before and ends meanwhile.

        Raises:
            ServiceError: when the metadata cannot be migrated or a component does not come up;
                the message names its log.

        """
        self.prepare()
        self._follow_database()
        if queued_too_long(self._metadata_url):
            self.processes.stop("scheduler")
        self.processes.stop("triggerer")  # that of an earlier version
        older = {name for name in COMPONENTS if self.processes.find(name)}
        self._start_components()
        self._wait_until_healthy(older)

    def prepare(self) -> None:
        """Create what the processes share: secrets, passwords, migrated metadata, pools.

        Raises:
            ServiceError: when the metadata cannot be migrated.

        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with prepared_alone(self.folder / "lock"):  # two commands may start at the same time
            self.prepare_secrets()
            self._migrate()
            self._make_pools()
            self._write_accounts()

    def stop(self) -> None:
        """Stop every component and wait."""
        self.processes.stop(*COMPONENTS)

    def client(self, user: str = "admin") -> AirflowClient:
        """Return a client of the REST interface, logged in as one of the `accounts`.

        Raises:
            ServiceError: when the API server does not answer or refuses the password, or another
                program listens on its port; that program is not sent the password.

        """
        if not self.processes.is_listening(API_SERVER, int(_state(self.settings)["port"])):
            raise ServiceError(
                "Airflow's API server does not listen on its port",
                where=self.url,
                remediation="run 'lumbung up'; it chooses another port where a program holds "
                "this one",
            )
        return AirflowClient(self.url, user, self.password(user))

    # -- the parts ---------------------------------------------------------------------------

    def _start_components(self) -> None:
        """Start the components that do not run."""
        if self.processes.find(API_SERVER) is None:
            self._start_api_server()
        if self.processes.find("scheduler") is None:
            self._release_tasks_of_dead_scheduler()
        self._spawn(*COMPONENTS)

    def _start_api_server(self) -> None:
        """Start the API server on a port that is held until it listens there.

        The DAG processor starts at the same time: it sends nothing to that port. The scheduler's
        workers do, so the scheduler starts later.
        """
        state = _state(self.settings)
        with hold_port(int(state["port"])) as port:
            if state["port"] != str(port.number):
                self.stop()  # the other components still have the former port
                self.use_port(port.number)
            self._spawn(API_SERVER, "dag-processor")
            self.processes.wait_until_listening(API_SERVER, port.number, START_SECONDS)

    def _follow_database(self) -> None:
        """Stop the components that were started while PostgreSQL listened elsewhere.

        The embedded server takes another port when a program has taken its own meanwhile.
        """
        place = urlsplit(self._metadata_url).netloc.rpartition("@")[2]
        state = _state(self.settings)
        if state.get("database") == place:
            return
        if "database" in state:
            self.stop()
        write_private(_state_file(self.settings), json.dumps({**state, "database": place}))

    def use_port(self, number: int) -> None:
        """Let the API server listen on another port from its next start on."""
        state = {**_state(self.settings), "port": str(number)}
        write_private(_state_file(self.settings), json.dumps(state))

    def _spawn(self, *names: str) -> None:
        """Start the named components that do not run."""
        for name in names:
            if self.processes.find(name) is None:
                self.processes.spawn(
                    name, [sys.executable, "-m", *COMPONENTS[name]], self.environment()
                )

    @property
    def _passwords_file(self) -> Path:
        return self.folder / "passwords.json"

    def prepare_secrets(self) -> None:
        """Create the keys and passwords that this home lacks."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not _state_file(self.settings).exists():
            state = {
                "port": str(PREFERRED_PORT),
                "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
                "secret_key": secrets.token_urlsafe(32),
                "jwt_secret": secrets.token_urlsafe(48),
            }
            write_private(_state_file(self.settings), json.dumps(state))
        known: dict[str, str] = {}
        if self._passwords_file.exists():
            known = json.loads(self._passwords_file.read_text())
        wanted = accounts(self.settings)
        passwords = {
            user: _derived(f"password of {user}") or known.get(user) or secrets.token_urlsafe(12)
            for user in wanted  # a former approver loses the account
        }
        if passwords != known:
            write_private(self._passwords_file, json.dumps(passwords))

    def _migrate(self) -> None:
        """Migrate the metadata to this version, unless the stamp file shows that it is done."""
        stamp = self.folder / "migrated"

        def current() -> str:
            parts = (version("apache-airflow-core"), self._revision(), "fab" * _is_fab())
            return " ".join(map(str, parts)).rstrip()

        if stamp.exists() and stamp.read_text() == current():
            return
        self.change_metadata("migrate")
        stamp.write_text(current())

    def change_metadata(self, verb: str, *options: str) -> None:
        """Run `airflow db VERB`.

        Raises:
            ServiceError: when it fails, or has not ended within `COMMAND_SECONDS`.

        """
        try:
            done = subprocess.run(
                [sys.executable, "-m", COMMAND, "db", verb, *options],
                env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                check=False, timeout=COMMAND_SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise ServiceError(
                f"it has not ended within {COMMAND_SECONDS} s",
                where=f"airflow db {verb}",
                remediation="find the session that holds a lock in the database airflow ('select *"
                " from pg_stat_activity'), end it, then run the same again",
            ) from error
        if done.returncode:
            raise ServiceError(
                f"Airflow's metadata could not be changed: {done.stderr.strip()[-400:]}",
                where=f"airflow db {verb}",
                remediation="check the database's free space and rights, then run the same again",
            )

    def _write_accounts(self) -> None:
        """Create the accounts of FAB; the other auth manager reads them from the environment."""
        if not _is_fab():
            return
        roles = accounts(self.settings)
        done = subprocess.run(
            [sys.executable, "-m", "lumbung.local.fab"],
            input=json.dumps({name: [role, self.password(name)] for name, role in roles.items()}),
            env=self.environment(), capture_output=True, text=True, check=False,
            timeout=COMMAND_SECONDS,
        )  # fmt: skip
        if done.returncode:
            raise ServiceError(
                f"the accounts could not be created: {done.stderr.strip()[-400:]}",
                where="lumbung.local.fab",
                remediation="check Airflow's metadata database, then run the same again",
            )

    def _make_pools(self) -> None:
        """Create the pools that the DAGs name; existing pools keep the slots an office set."""
        with database.connect(self._metadata_url) as connection:
            for name, (slots, description) in POOLS.items():
                connection.execute(
                    "insert into slot_pool (pool, slots, description, include_deferred)"
                    " values (%s, %s, %s, false) on conflict (pool) do nothing",
                    (name, slots, description),
                )

    def _release_tasks_of_dead_scheduler(self) -> None:
        """Let a new scheduler adopt the tasks of one that was killed on this machine, at once.

        Airflow itself would wait until the dead scheduler's heartbeat is half a minute old.
        """
        with database.connect(self._metadata_url) as connection:
            connection.execute(
                "update job set state = 'failed' where job_type = 'SchedulerJob'"
                " and state = 'running' and hostname = %s",
                (socket.gethostname(),),
            )

    def _revision(self) -> str | None:
        """Return Alembic's revision of the metadata database, None when the database is empty."""
        with database.connect(self._metadata_url) as connection:
            if connection.execute("select to_regclass('alembic_version')").fetchone() == (None,):
                return None
            row = connection.execute("select version_num from alembic_version").fetchone()
            return row[0] if row else None

    def _wait_until_healthy(self, older: set[str]) -> None:
        """Wait for all components; `older` are those that ran before this start."""
        deadline = time.monotonic() + START_SECONDS
        unhealthy: list[str] = []
        while time.monotonic() < deadline:
            if ended := {name for name in older if self.processes.find(name) is None}:
                # Of what it met before this start, such as a database that was away.
                older = older - ended
                self._start_components()
            for name in COMPONENTS:
                self.processes.require(name)
            if not (unhealthy := unhealthy_parts(self.url)):
                return
            time.sleep(0.5)
        raise ServiceError(
            f"Airflow's {', '.join(unhealthy)} did not become healthy in {START_SECONDS} s",
            where=str(self.folder),
            remediation="read the logs there; run 'lumbung down' and the same command again",
        )


def service_address() -> str | None:
    """Return the API server's address where Compose or the like runs the parts, else None.

    `lumbung env` sets the same variable, to an address on 127.0.0.1.
    """
    url = os.environ.get("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "")
    if urlsplit(url).hostname in (None, "127.0.0.1"):
        return None
    return url.removesuffix("/").removesuffix("/execution")


def unhealthy_parts(address: str) -> list[str]:
    """Return the parts of Airflow that do not answer, or have given no sign of life for too long.

    Args:
        address: of the API server.

    """
    try:
        health = httpx.get(f"{address}/api/v2/monitor/health", timeout=5).json()
        health.pop("triggerer")  # says of an earlier version's that it is dead
    except (httpx.HTTPError, ValueError):
        return ["api-server"]
    return sorted(part for part, it in health.items() if it["status"] != "healthy")


def queued_too_long(metadata_url: str) -> list[str]:
    """Return the tasks that no worker has begun within `QUEUED_MINUTES`, as `dag.task`.

    A task is queued when a worker is free. When a worker that waits for work is killed, it keeps
    the lock of the queue, and no other worker can read a task until the scheduler starts again.
    """
    with database.connect(metadata_url) as connection:
        if connection.execute("select to_regclass('task_instance')").fetchone() == (None,):
            return []
        rows = connection.execute(
            "select dag_id || '.' || task_id from task_instance where state = 'queued'"
            " and queued_dttm < now() - make_interval(mins => %s) order by 1",
            (QUEUED_MINUTES,),
        ).fetchall()
    return [name for (name,) in rows]


def _sqlalchemy_url(driver: str, url: SplitResult) -> str:
    """Return the URL in SQLAlchemy's form."""
    query = f"?{url.query}" if url.query else ""
    return f"postgresql+{driver}://{url.netloc}{url.path}{query}"


class AirflowClient:
    """The part of Airflow's REST interface (v2) that Lumbung uses.

    Args:
        url: the API server's address.
        user: an account.
        password: its password.

    """

    FINAL = ("success", "failed")
    ACTIVE = (
        *("scheduled", "queued", "running", "restarting"),
        *("up_for_retry", "up_for_reschedule", "deferred", "awaiting_input"),
    )
    """States of a task in which its run has not ended."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=30)
        token = self._request("POST", "/auth/token", json={"username": user, "password": password})
        self._http.headers["Authorization"] = f"Bearer {token['access_token']}"

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        """Send one request below `/api/v2` and return its JSON answer.

        Raises:
            ServiceError: when Airflow refuses, or does not answer within six attempts.

        """
        return self._request(method, f"/api/v2{path}", **arguments)

    def _request(self, method: str, path: str, **arguments: Any) -> Any:
        for attempt in range(6):
            try:
                answer = self._http.request(method, path, **arguments)
                answer.raise_for_status()
                return answer.json() if answer.content else None
            except httpx.HTTPStatusError as error:
                if error.response.status_code < 500 or attempt == 5:
                    said = error.response.text[:99]
                    if '"Database error"' in said:  # Airflow hides which
                        raise ServiceError(
                            "Airflow's API server cannot use its database",
                            where=f"{method} {path}",
                            remediation="run 'lumbung up', then the same again; if it fails again,"
                            " read the API server's log ('lumbung status')",
                        ) from error
                    raise ServiceError(
                        f"Airflow refused: {error.response.status_code} {said}",
                        where=f"{method} {path}",
                        remediation="look at the API server's log with 'lumbung status'",
                    ) from error
            except httpx.TransportError as error:
                if attempt == 5:
                    raise ServiceError(
                        f"Airflow does not answer: {error}",
                        where=f"{method} {path}",
                        remediation="run 'lumbung status', then 'lumbung up'",
                    ) from error
            time.sleep(attempt + 1)
        raise AssertionError("unreachable")

    def dag_ids(self) -> set[str]:
        """Return the ids of the DAGs that Airflow has parsed."""
        return {dag["dag_id"] for dag in self.call("GET", "/dags?limit=100")["dags"]}

    def import_errors(self) -> list[str]:
        """Return one message for each DAG file that Airflow could not parse."""
        return [
            f"{error['filename']}: {error['stack_trace'].strip().splitlines()[-1]}"
            for error in self.call("GET", "/importErrors")["import_errors"]
        ]

    def unpause(self, dag_id: str) -> None:
        """Let the scheduler run a DAG."""
        self.call("PATCH", f"/dags/{dag_id}", json={"is_paused": False})

    def pause(self, dag_id: str) -> None:
        """Keep the scheduler from starting runs of a DAG; asset events do not queue runs either."""
        self.call("PATCH", f"/dags/{dag_id}", json={"is_paused": True})

    def set_connection(self, connection_id: str, **fields: Any) -> None:
        """Create an Airflow Connection, or overwrite the one of that id."""
        body = {"connection_id": connection_id, **fields}
        known = self.call("GET", f"/connections?connection_id_pattern={connection_id}&limit=100")
        if any(item["connection_id"] == connection_id for item in known["connections"]):
            self.call("PATCH", f"/connections/{connection_id}", json=body)
        else:
            self.call("POST", "/connections", json=body)

    def trigger(self, dag_id: str, conf: dict[str, Any] | None = None) -> str:
        """Start a run now and return its id."""
        run = self.call(
            "POST", f"/dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": conf or {}}
        )
        return str(run["dag_run_id"])

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """Return the runs of a DAG, newest first."""
        answer = self.call("GET", f"/dags/{dag_id}/dagRuns?order_by=-run_after&limit=20")
        return list(answer["dag_runs"])

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """Return one run."""
        return dict(self.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}"))

    def tasks(self, dag_id: str, run_id: str) -> dict[str, str | None]:
        """Return the state of every task of a run, by task id."""
        answer = self.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=100")
        return {task["task_id"]: task["state"] for task in answer["task_instances"]}

    def log(self, dag_id: str, run_id: str, task_id: str, attempt: int = 1) -> list[dict[str, Any]]:
        """Return the log of one attempt of a task as a list of events."""
        answer = self.call(
            "GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{attempt}"
        )
        return [event for event in answer["content"] if isinstance(event, dict)]

    def reason(self, dag_id: str, run_id: str, task_id: str) -> str:
        """Return why a task's last attempt failed: its exception's message, else its last event."""
        task = self.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}")
        events = self.log(dag_id, run_id, task_id, task["try_number"])
        for event in reversed(events):
            if details := event.get("error_detail"):
                return f"{details[0]['exc_value']}"  # the error itself; its causes follow
        return str(events[-1].get("event", "")) if events else f"state {task['state']}, no log"

    def follow(self, dag_id: str, run_id: str, seconds: float) -> Iterator[dict[str, str | None]]:
        """Yield the states of a run's tasks whenever one changes, until the run has ended.

        Raises:
            ServiceError: when the run has not ended in time.

        """
        deadline, seen = time.monotonic() + seconds, None
        while time.monotonic() < deadline:
            states = self.tasks(dag_id, run_id)
            if states != seen:
                yield states
                seen = states
            # A request costs Airflow more CPU time than a second of an idle scheduler.
            is_active = any(state in self.ACTIVE for state in states.values())
            if not is_active and self.run(dag_id, run_id)["state"] in self.FINAL:
                return
            time.sleep(1)
        raise ServiceError(
            f"the run {run_id} is not over after {seconds:.0f} s; its tasks are {seen}",
            where=dag_id,
            remediation="look at the run in Airflow; 'lumbung status' shows whether the "
            "scheduler runs",
        )

    def respond(self, dag_id: str, run_id: str, task_id: str, option: str, **given: str) -> None:
        """Answer a task that waits for a person (human in the loop); `given` fills its form.

        The call waits six seconds first. An earlier answer can arrive before the executor reports
        that the task is deferred, and Airflow 3.3 then treats the task as lost.
        """
        time.sleep(6)
        self.call(
            "PATCH",
            f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/-1/hitlDetails",
            json={"chosen_options": [option], "params_input": given},
        )
