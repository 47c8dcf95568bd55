"""Fixtures that every kind of test shares: one embedded server, a database of its own per test."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from xdist.scheduler import LoadScopeScheduling

from lumbung import database
from lumbung.embedded.postgres import EmbeddedPostgres

# Airflow reads its folder when it is imported; without this it would make one in the home folder.
os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="lumbung-airflow-"))
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
# No test looks at the checkout's own home: it may hold a demo, whose clocks stand still.
os.environ["LUMBUNG_HOME"] = tempfile.mkdtemp(prefix="lumbung-no-home-")

# A worker has no terminal: tables keep their columns all the same.
os.environ["COLUMNS"] = "200"

SHARED = Path(__file__).parents[2] / "shared"
"""Samples by others, beside the checkout; absent on an ordinary machine."""


class _ByWorld(LoadScopeScheduling):
    """With several workers, what shares an installation or a world stays with one of them."""

    def _split_scope(self, nodeid: str) -> str:
        folder, file = Path(nodeid.split("::")[0]).parts[-2:]
        shared = {"embedded": "airflow", "end_to_end": "airflow", "warehouse": "warehouse"}
        return shared.get(folder, file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return _ByWorld(config, log)


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of real payloads by others."""
    folder = SHARED / "samples"
    if not folder.is_dir():
        pytest.skip("no ../shared/samples beside this checkout: real payloads are tried only there")
    return folder


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A folder that PostgreSQL's own account can reach as long as the session lasts.

    pytest's temporary folders cannot be: another session, as root, shuts the way to them.
    """
    folder = Path(tempfile.mkdtemp(prefix="lumbung-test-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server(scratch: Path) -> Iterator[EmbeddedPostgres]:
    """A running embedded PostgreSQL, stopped at the end of the session."""
    postgres = EmbeddedPostgres(scratch / "postgres")
    postgres.start()
    yield postgres
    postgres.stop()


@pytest.fixture(scope="session")
def template(server: EmbeddedPostgres) -> str:
    """The name of a migrated database to copy."""
    database.migrate(server.ensure_database("template_lumbung"))
    return "template_lumbung"


@pytest.fixture
def database_url(server: EmbeddedPostgres, template: str) -> Iterator[str]:
    """The URL of a fresh, migrated database."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f'create database "{name}" template "{template}"')
    yield server.url(name)
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f'drop database "{name}" with (force)')
