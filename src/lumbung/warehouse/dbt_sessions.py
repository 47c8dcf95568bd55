"""Database sessions that dbt uses for one node after the other.

dbt opens a connection for each node. The handshake and the empty caches of a new session take
longer than most models of an increment. Here a session that a node gave back is reset and serves
the next.

Each session holds the lock `build_lock.NODES`, shared. When the session of a build ends before its
nodes do, as by a kill, the next build waits for that lock, so the two never change one table.

Readers come first: where PostgreSQL runs on this machine, a build's sessions and threads have a
lower priority than theirs. Importing this module imports dbt.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psutil
import psycopg2
import psycopg2.extensions
from dbt.adapters.contracts.connection import Connection, ConnectionState
from dbt.adapters.postgres import PostgresAdapter
from dbt.adapters.postgres.connections import PostgresConnectionManager

from lumbung.warehouse.build_lock import NODES

NICE = 10
"""The scheduling priority of a build's sessions and threads, as of `nice`; others have 0."""

_idle: list[Any] = []
"""Sessions that serve no node; `append` and `pop` are atomic."""

_opened: list[Any] = []
"""Every session of this run: one that dbt forgets would hold the next build off."""


class KeptSessions(PostgresConnectionManager):  # type: ignore[misc]  # dbt has no types here
    """dbt's connection manager, but a session that is given back is kept for the next node."""

    @classmethod
    def open(cls, connection: Connection) -> Connection:
        """Take a kept session, else connect."""
        while connection.state != ConnectionState.OPEN:
            try:
                handle = _idle.pop()
            except IndexError:
                break
            with suppress(psycopg2.Error):  # its server has gone
                _reset(handle)
                connection.handle = handle
                connection.state = ConnectionState.OPEN
        if connection.state != ConnectionState.OPEN:
            super().open(connection)
            _opened.append(connection.handle)
            _hold(connection.handle)
            _lower_priority_of_server(connection.handle)
        if threading.current_thread() is not threading.main_thread():  # which outlives the build
            _lower_priority(threading.get_native_id())
        return connection

    @classmethod
    def _close_handle(cls, connection: Connection) -> None:
        """Keep the session, unless it is broken or a transaction of it is open."""
        handle = connection.handle
        status = handle.info.transaction_status
        if handle.closed or status != psycopg2.extensions.TRANSACTION_STATUS_IDLE:
            super()._close_handle(connection)
        else:
            _idle.append(handle)


def _reset(handle: Any) -> None:
    """Drop the temporary tables, settings and locks of a session."""
    handle.rollback()  # dbt commits by SQL, after which psycopg2 still takes one as begun
    handle.autocommit = True  # no transaction may be open
    with handle.cursor() as cursor:
        cursor.execute("discard all")
    _hold(handle)


def _hold(handle: Any) -> None:
    """Take the lock `NODES` until the session is reset or ends."""
    handle.autocommit = True
    with handle.cursor() as cursor:
        cursor.execute(f"select pg_advisory_lock_shared({NODES})")
    handle.autocommit = False


def _lower_priority(number: int) -> None:
    """Lower the priority of a process or thread to `NICE`, unless it is lower already."""
    nice = max(os.getpriority(os.PRIO_PROCESS, number), NICE)
    os.setpriority(os.PRIO_PROCESS, number, nice)


def _lower_priority_of_server(handle: Any) -> None:
    """Lower the priority of the process of PostgreSQL that serves a session, if it is of here.

    On another machine, in another container or behind a pooler, the number that the server gives is
    none of here, or that of another process. PostgreSQL's process names the client's port.
    """
    with socket.socket(fileno=os.dup(handle.fileno())) as connected:
        if connected.family not in (socket.AF_INET, socket.AF_INET6):
            return
        host, port = connected.getsockname()[:2]
    server = handle.info.backend_pid
    with suppress(psutil.Error, OSError):  # it is not of here, or another account's
        if f" {host}({port}) " in " ".join(psutil.Process(server).cmdline()):
            _lower_priority(server)


@contextmanager
def kept_sessions() -> Iterator[None]:
    """Let dbt keep its sessions inside this block; its end closes them."""
    before = PostgresAdapter.ConnectionManager
    PostgresAdapter.ConnectionManager = KeptSessions
    try:
        yield
    finally:
        PostgresAdapter.ConnectionManager = before
        _idle.clear()
        while _opened:
            _opened.pop().close()
