"""A database session that serves one node of dbt after the other."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import psycopg
import pytest
from dbt.adapters.contracts.connection import Connection
from dbt.adapters.postgres.connections import PostgresCredentials

from lumbung.local.postgres import EmbeddedPostgres
from lumbung.warehouse.build_lock import lock_builds
from lumbung.warehouse.dbt_sessions import NICE, KeptSessions, kept_sessions


@pytest.fixture
def credentials(server: EmbeddedPostgres) -> PostgresCredentials:
    parts = psycopg.conninfo.conninfo_to_dict(server.url("postgres"))
    names = {"host": "host", "port": "port", "user": "user", "password": "password"}
    given: dict[str, Any] = {name: parts[part] for name, part in names.items()}
    return PostgresCredentials(
        **given | {"port": int(given["port"])}, database="postgres", schema="public"
    )


def test_a_node_gets_the_session_of_another_and_holds_the_next_build_off(
    server: EmbeddedPostgres, credentials: PostgresCredentials
) -> None:
    def node(statements: str) -> tuple[Any, ...]:
        """The pid and what its session has: planner setting, temporary tables, advisory locks."""
        connection = Connection(type="postgres", name="node", credentials=credentials)
        cursor = KeptSessions.open(connection).handle.cursor()
        cursor.execute(
            "select pg_backend_pid(), current_setting('enable_mergejoin'),"
            " (select count(*) from pg_class where relpersistence = 't'),"
            " (select count(*) from pg_locks where locktype = 'advisory')"
        )
        found: tuple[Any, ...] = cursor.fetchone()
        cursor.execute(statements)
        if "commit" not in statements:
            connection.handle.commit()
        KeptSessions.close(connection)
        return found

    with kept_sessions(), psycopg.connect(server.url("postgres"), autocommit=True) as next_build:
        (pid, *clean) = node(
            "set enable_mergejoin = off; create temporary table left_over (id int);"
            " select pg_advisory_lock(7)"
        )
        assert clean == ["on", 0, 1]
        with pytest.raises(psycopg.errors.LockNotAvailable):
            lock_builds(next_build, "100ms")
        next_build.execute("select pg_advisory_unlock_all()")
        assert node("select 1; commit") == (pid, *clean)
        assert node("select 1") == (pid, *clean), "dbt ended its transaction by SQL"
        with psycopg.connect(server.url("postgres")) as db:
            db.execute("select pg_terminate_backend(%s, 5000)", (pid,))
        (other, *rest) = node("select 1")
        assert other != pid, "a session that is gone is replaced"
        assert rest == clean
    with psycopg.connect(server.url("postgres")) as db:
        lock_builds(db, "10s")
        row = db.execute(
            "select count(*) from pg_stat_activity where pid = %s", (other,)
        ).fetchone()
    assert row == (0,), "the end of the run closes what was kept"


def test_readers_have_a_higher_priority_than_nodes(
    server: EmbeddedPostgres, credentials: PostgresCredentials
) -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)

    def node() -> tuple[int, int]:
        """The priorities of a node's session and of its thread, as numbers of `nice`."""
        connection = Connection(type="postgres", name="node", credentials=credentials)
        pid = KeptSessions.open(connection).handle.info.backend_pid
        return psutil.Process(pid).nice(), os.getpriority(os.PRIO_PROCESS, 0)

    with kept_sessions(), psycopg.connect(server.url("postgres")) as reader:
        with ThreadPoolExecutor(1) as threads:
            session, thread = threads.submit(node).result()
        first = psutil.Process(reader.info.backend_pid).nice()
        assert (first, session, thread) == (before, max(before, NICE), max(before, NICE))
        assert node() == (session, before), "the main thread goes on after the build"
