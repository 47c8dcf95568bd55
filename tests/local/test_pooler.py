"""A connection pooler in transaction mode between Lumbung and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from lumbung import database
from lumbung.errors import ConfigurationError, ServiceError
from lumbung.intake.run import lock
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.warehouse.dbt_runner import dbt_variables
from lumbung.warehouse.roles import role_url
from tests.support.pooler import pgbouncer, through


@pytest.fixture
def owner(database_url: str) -> str:
    """The warehouse, by its owner."""
    return database_url


@pytest.fixture
def publisher(owner: str) -> str:
    """The same database, by the role that publishes."""
    return role_url(owner, "publisher")


@pytest.fixture
def accounts(owner: str, publisher: str) -> dict[str, str]:
    return {str(urlsplit(url).username): str(urlsplit(url).password) for url in (owner, publisher)}


@pytest.fixture
def port(scratch: Path, server: EmbeddedPostgres, accounts: dict[str, str]) -> Iterator[int]:
    """The port of a pooler that logs in as each client."""
    folder = scratch / "pooler"
    folder.mkdir(exist_ok=True)
    with pgbouncer(folder, server.url(), accounts) as number:
        yield number


def server_of(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def test_a_pooler_keeps_account_and_time_zone(publisher: str, port: int) -> None:
    with database.connect(through(publisher, port)) as connection:
        found = connection.execute("select current_user, current_setting('timezone')").fetchone()
    assert found == ("publisher", "UTC")


def test_a_pooler_that_makes_the_publisher_the_owner_is_refused(
    scratch: Path, server: EmbeddedPostgres, owner: str, publisher: str, accounts: dict[str, str]
) -> None:
    folder = scratch / "forcing-pooler"
    folder.mkdir()
    known = urlsplit(owner)
    forced = f"user={known.username} password={known.password}"
    with pgbouncer(folder, server.url(), accounts, forced) as port:
        behind = through(publisher, port)
        with psycopg.connect(behind) as connection:  # what a reader of the docs would not expect
            assert connection.execute("select current_user").fetchone() == (known.username,)
        with pytest.raises(ConfigurationError) as refused:
            database.connect(behind)
    assert "session_authorization 'lumbung' instead of 'publisher'" in refused.value.what
    assert "without 'user='" in refused.value.remediation


def test_a_session_behind_a_pooler_is_refused(owner: str, port: int) -> None:
    with pytest.raises(ConfigurationError) as refused:
        database.session(through(owner, port))
    assert "pooler" in refused.value.what
    assert "LUMBUNG_DATABASE_DIRECT" in refused.value.remediation


def test_a_lock_is_one_servers_session_past_the_pooler(
    owner: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pooled = through(owner, port)
    monkeypatch.setenv("LUMBUNG_DATABASE_URL", pooled)
    monkeypatch.setenv("LUMBUNG_DATABASE_DIRECT", server_of(owner))
    monkeypatch.setattr("lumbung.intake.run.LOCK_SECONDS", 1)
    with database.session(pooled) as first, database.session(pooled) as second:
        lock(first, "kobo")
        with pytest.raises(ServiceError, match="another pull"):
            lock(second, "kobo")
        first.close()
        lock(second, "kobo")
    assert dbt_variables(pooled)["LUMBUNG_DATABASE_PORT"] == str(urlsplit(owner).port)


def test_another_server_is_not_replaced_by_the_direct_one(
    owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMBUNG_DATABASE_URL", "postgresql://lumbung:x@pooler:6432/lumbung")
    monkeypatch.setenv("LUMBUNG_DATABASE_DIRECT", "db:5432")
    assert database.direct(owner) == owner
    of_role = "postgresql://publisher:y@pooler:6432/airflow?sslmode=require"
    assert database.direct(of_role) == ("postgresql://publisher:y@db:5432/airflow?sslmode=require")
