"""Start, show and stop all parts of an installation: PostgreSQL, Airflow and the portal."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from lumbung import database
from lumbung.errors import ConfigurationError, LumbungError, ServiceError
from lumbung.files import keep_private
from lumbung.intake.erasure import encrypt_evidence, seal_inbox_names
from lumbung.local import airflow as embedded_airflow
from lumbung.local import portal
from lumbung.local.airflow import COMPONENTS, Airflow, require_set_up
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.local.processes import Processes, family_memory, prepared_alone
from lumbung.settings import Settings
from lumbung.warehouse.roles import METADATA, role_url, write_logins

AIRFLOW_DATABASE = "airflow"
POSTGRES = "postgres"
"""The embedded server's name among the parts."""
NOT_CLOSED = ("inbox", "portal", "portals", "postgres")
"""Folders of the home whose content other accounts may write, read or own, so `migrate` does not
restrict them. The inbox itself is created with mode 0700."""

RESTORING = "restoring"
"""A file in the home as long as a restore has not ended."""


@dataclass(frozen=True)
class Part:
    """One running part: its name, its process id when alive, its proportional memory in bytes."""

    name: str
    pid: int | None
    memory: int


class Stack:
    """PostgreSQL (embedded, unless `LUMBUNG_DATABASE_URL` names another), Airflow and the portal.

    Args:
        settings: the installation.
        airflow_overrides: variables that replace Lumbung's own for Airflow's processes.
    """

    def __init__(
        self, settings: Settings, airflow_overrides: Mapping[str, str] | None = None
    ) -> None:
        self.settings = settings
        self.airflow_overrides = airflow_overrides or {}
        self.postgres = EmbeddedPostgres(settings.home / "postgres")
        self.processes = Processes(settings.home / "run", settings.home / "logs")
        self.portal = portal.PortalServer(settings.portal, self.processes)

    @property
    def has_database(self) -> bool:
        """Whether another server is configured, or the embedded one was ever migrated."""
        return self.settings.database_url is not None or (self.settings.home / "logins").exists()

    def start_database(self) -> str:
        """Start the embedded server unless another one is configured; return the warehouse's URL.

        Raises:
            ServiceError: when the server cannot be started or does not answer, or when its database
                lacks migrations of this version.
            ConfigurationError: when a migration was edited after it was applied.

        """
        return _migrated(self._start_server())

    def address(self) -> str:
        """Start the server as `start_database` does; return the URL as `roles.role_url` takes it.

        Raises:
            ServiceError, ConfigurationError: as `start_database`.

        """
        return _migrated(self.for_roles(self._start_server()))

    def for_roles(self, url: str) -> str:
        """Return the URL without the owner's account where `migrate` has written the logins.

        A URL that `LUMBUNG_DATABASE_URL` gives stays as it is: its server may be another one than
        that of the passwords in this home.
        """
        if self.settings.database_url is None and (self.settings.home / "logins").exists():
            return database.without_account(url)
        return url

    def log_in(self) -> str:
        """Start the database, and return the warehouse's address without an account.

        Where the owner's is given, the logins' passwords are written into this home, which need not
        be the one of the process that migrated.

        Raises:
            ServiceError, ConfigurationError: as `start_database`, or as `roles.write_logins`.

        """
        url = self.start_database()
        if database.has_account(url):
            write_logins(url, _metadata(url), self.settings.home)
        return database.without_account(url)

    def migrate(self) -> str:
        """Start the server, migrate the warehouse, and return its URL.

        Files of the home that an earlier version left readable to other accounts are made private.
        No role of the warehouse may connect to the server's other databases. Airflow's database is
        given to a role of its own, and the logins' passwords are written (`roles.write_logins`).

        Raises:
            ServiceError: when the server cannot be started or does not answer.
            ConfigurationError: when a migration was edited after it was applied, or the account is
                not given or may not do it.

        """
        url = self._start_server()
        if not database.has_account(url):
            raise ConfigurationError(
                "only the owner of the warehouse can migrate it, and no account is given",
                where="LUMBUNG_DATABASE_URL",
                remediation="give the owner's URL, with its password, to the process that migrates",
            )
        for path in self.settings.home.iterdir():
            if path.name not in NOT_CLOSED:
                keep_private(path)
        database.migrate(url)
        metadata = database.ensure(url, AIRFLOW_DATABASE)
        database.give(metadata, METADATA)
        database.deny_connections(metadata)
        write_logins(url, database.direct(metadata), self.settings.home)
        self._encrypt_evidence(url)
        seal_inbox_names(self.settings, role_url(url, "custodian"))
        if self.settings.database_url is None:
            for name in ("postgres", "template1"):
                database.deny_connections(self.postgres.url(name))
        return url

    def _encrypt_evidence(self, url: str) -> None:
        """Encrypt once what an earlier version kept in clear."""
        done = self.settings.evidence / ".encrypted"
        if not self.settings.evidence.exists() or done.exists():
            return
        encrypt_evidence(self.settings, role_url(url, "custodian"))
        done.touch(mode=0o600)

    def _start_server(self) -> str:
        if (self.settings.home / RESTORING).exists():
            raise ServiceError(
                "a restore into this home has not ended",
                where=str(self.settings.home),
                remediation="wait for it; if it was stopped, delete this folder and restore again",
            )
        url = self.settings.database_url or self.postgres.start()
        # Deliveries hold personal data, and under root other accounts may traverse the home.
        self.settings.inbox.mkdir(mode=0o700, parents=True, exist_ok=True)
        return url

    def start(self) -> Airflow:
        """Start every part that does not run, and return Airflow.

        Two commands that start an installation at once wait for each other: both would find a part
        that does not run, and each would start it.

        Raises:
            ServiceError: when a part does not come up, or another command does not end.

        """
        airflow = self.airflow(self.migrate())
        self.processes.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with prepared_alone(self.processes.folder / ".lock"):
            self.portal.start()
            airflow.start()
        return airflow

    def airflow(self, url: str) -> Airflow:
        """Return the Airflow whose metadata is in the same server as the warehouse at `url`."""
        # Airflow opens few connections, and its migrations hold a session's lock.
        metadata_url = role_url(_metadata(url), METADATA)
        address = database.without_account(url)
        return Airflow(self.settings, self.processes, address, metadata_url, self.airflow_overrides)

    def use_airflow_connection(self, connection_id: str, url: str) -> None:
        """Let this process, which is not an Airflow task, look up an Airflow Connection.

        The Connection is read from the environment, else from Airflow's metadata. Call this before
        Airflow is imported.
        """
        if f"AIRFLOW_CONN_{connection_id.upper()}" in os.environ:
            os.environ.setdefault("AIRFLOW_HOME", str(self.settings.home / "airflow"))
        else:
            require_set_up(self.settings)
            os.environ.update(self.airflow(url).environment())
            # Airflow only lets its servers read the metadata; tasks ask a server.
            os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"

    def queued_too_long(self) -> list[str]:
        """Return the tasks that wait for a worker for too long; none while no scheduler runs."""
        if self.processes.find("scheduler") is None:
            return []
        url = self.settings.database_url or self.postgres.url()
        try:
            return embedded_airflow.queued_too_long(role_url(_metadata(url), METADATA))
        except LumbungError:  # the database is down, which `status` shows
            return []

    @property
    def airflow_url(self) -> str | None:
        """The address of Airflow's page, None while its API server does not run."""
        running = self.processes.find("api-server")
        return embedded_airflow.address(self.settings) if running else None

    def stop(self, *, but: Collection[str] = ()) -> None:
        """Stop all running parts, the database last, except those named in `but`."""
        self.processes.stop(*(name for name in self.processes.names() if name not in but))
        if POSTGRES not in but:
            self.postgres.stop()

    def status(self) -> list[Part]:
        """Return every part, running or not."""
        parts = []
        if self.settings.database_url is None:
            server = self.postgres.process
            parts.append(Part(POSTGRES, server.pid if server else None, family_memory(server)))
        for name in dict.fromkeys([*COMPONENTS, portal.NAME, *self.processes.names()]):
            process = self.processes.find(name)
            pid = process.pid if process else None
            parts.append(Part(name, pid, self.processes.memory(name)))
        return parts


def _migrated(url: str) -> str:
    """Return the URL after `database.require_migrated`."""
    has_account = database.has_account(url)
    database.require_migrated(url if has_account else role_url(url, "transformer"))
    return url


def _metadata(url: str) -> str:
    """Airflow's database, with the account of `url`."""
    return database.direct(database.named(url, AIRFLOW_DATABASE))
