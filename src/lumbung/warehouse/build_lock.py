"""The lock of a build: one build at a time in a database, and none beside a backup or a freeze."""

from __future__ import annotations

import psycopg

from lumbung.errors import ServiceError

NODES = "hashtext('lumbung.dbt')"
"""The advisory lock that each session of dbt shares (`lumbung.warehouse.dbt_sessions`)."""


def lock_builds(connection: psycopg.Connection, wait: str, *, is_shared: bool = False) -> None:
    """Take the lock of a build until the connection ends or releases it.

    The session of a build that was killed may have ended before the statement of a node has. So
    unless the lock is shared, this waits for the sessions of its nodes too.

    Args:
        connection: of `database.session`; its `lock_timeout` becomes `wait`.
        wait: how long, in PostgreSQL's units.
        is_shared: hold off builds only, and not others that share the lock.

    Raises:
        LockNotAvailable: when a build does not end in time.

    """
    connection.execute(f"set lock_timeout = '{wait}'".encode())
    kind = "_shared" if is_shared else ""
    connection.execute(f"select pg_advisory_lock{kind}(hashtext('lumbung.build'))".encode())
    if not is_shared:
        connection.execute(f"select pg_advisory_lock({NODES})".encode())
        connection.execute(f"select pg_advisory_unlock({NODES})".encode())


def hold_builds_off(
    connection: psycopg.Connection, wait: str, *, command: str, is_shared: bool = True
) -> None:
    """Let no build run until the connection is closed, for a command that reads what builds write.

    Args:
        connection: of `database.session`; its `lock_timeout` becomes `wait`.
        wait: how long a running build may take to end, in PostgreSQL's units.
        command: the command, for the message.
        is_shared: hold off builds only, and not others that share the lock.

    Raises:
        ServiceError: when a build does not end in time.

    """
    try:
        lock_builds(connection, wait, is_shared=is_shared)
    except psycopg.errors.LockNotAvailable as error:
        raise ServiceError(
            f"a build has not finished within {wait}",
            where=command,
            remediation="wait for it, or end its process, then run the same again",
        ) from error
