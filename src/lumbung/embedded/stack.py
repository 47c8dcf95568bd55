"""Everything that has to run, as one thing to start, look at and stop."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg.conninfo import conninfo_to_dict

from lumbung import database
from lumbung.embedded import portal
from lumbung.embedded.airflow import COMPONENTS, Airflow
from lumbung.embedded.postgres import EmbeddedPostgres
from lumbung.embedded.processes import Processes, family_memory
from lumbung.errors import ServiceError
from lumbung.settings import Settings

AIRFLOW_DATABASE = "airflow"


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
        airflow_overrides: variables that win over Lumbung's own for Airflow's processes.
    """

    def __init__(
        self, settings: Settings, airflow_overrides: Mapping[str, str] | None = None
    ) -> None:
        self.settings = settings
        self.airflow_overrides = airflow_overrides or {}
        self.postgres = EmbeddedPostgres(settings.home / "postgres")
        self.processes = Processes(settings.home / "run", settings.home / "logs")
        self.portal = portal.PortalServer(settings.portal, self.processes)

    def start_database(self) -> str:
        """Start the embedded server unless another is configured, migrate, and return the URL.

        Raises:
            ServiceError: when the server cannot be started or does not answer.

        """
        url = self.settings.database_url or self.postgres.start()
        database.migrate(url)
        return url

    def start(self) -> Airflow:
        """Start everything that does not run.

        Raises:
            ServiceError: when a part does not come up.

        """
        airflow = self.airflow(self.start_database())
        self.portal.start()
        airflow.start()
        return airflow

    def airflow(self, url: str) -> Airflow:
        """Airflow beside the warehouse at `url`, its metadata in the same server."""
        if self.settings.database_url is None:
            metadata_url = self.postgres.ensure_database(AIRFLOW_DATABASE)
        else:
            metadata_url = _beside(url, AIRFLOW_DATABASE)
        return Airflow(self.settings, self.processes, url, metadata_url, self.airflow_overrides)

    def let_airflow_answer(self, connection_id: str, url: str) -> None:
        """Let this process, no task of Airflow's, look up a Connection.

        In the environment, or in Airflow's metadata; called before Airflow is imported.
        """
        if f"AIRFLOW_CONN_{connection_id.upper()}" in os.environ:
            os.environ.setdefault("AIRFLOW_HOME", str(self.settings.home / "airflow"))
        else:
            os.environ.update(self.airflow(url).environment())
            # Only its servers look into Airflow's metadata; tasks ask one of them.
            os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"

    def stop(self) -> None:
        """Stop whatever runs, the database last."""
        running = sorted(path.name for path in self.processes.folder.glob("*"))
        self.processes.stop(*running)
        self.postgres.stop()

    def status(self) -> list[Part]:
        """Every part, running or not."""
        parts = []
        if self.settings.database_url is None:
            server = self.postgres.process
            parts.append(Part("postgres", server.pid if server else None, family_memory(server)))
        started = {path.name for path in self.processes.folder.glob("*")}
        known = [*COMPONENTS, portal.NAME]
        for name in [*known, *sorted(started - set(known))]:
            process = self.processes.find(name)
            pid = process.pid if process else None
            parts.append(Part(name, pid, self.processes.memory(name)))
        return parts


def _beside(url: str, name: str) -> str:
    """Make sure a database of that name exists in the server of `url`; its URL."""
    with database.connect(url) as connection:
        connection.autocommit = True
        found = connection.execute("select 1 from pg_database where datname = %s", (name,))
        if found.fetchone() is None:
            try:
                connection.execute(
                    psycopg.sql.SQL("create database {}").format(psycopg.sql.Identifier(name))
                )
            except psycopg.Error as error:
                raise ServiceError(
                    f"Airflow's database could not be made: {error}",
                    where=name,
                    cure="create it, or let this account create databases",
                ) from error
    parts = conninfo_to_dict(url)
    return (
        f"postgresql://{parts['user']}:{parts.get('password', '')}"
        f"@{parts['host']}:{parts.get('port', 5432)}/{name}"
    )
