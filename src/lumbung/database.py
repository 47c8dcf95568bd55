"""Connections to the warehouse and its migrations."""

from __future__ import annotations

import hashlib
import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql

from lumbung.errors import ConfigurationError, ServiceError

CONNECT_SECONDS = 10
"""How long a connection may take, unless the URL has a `connect_timeout`."""

DEAD_PEER = {
    "keepalives_idle": 60, "keepalives_interval": 15, "keepalives_count": 4,
    "tcp_user_timeout": 120_000,
}  # fmt: skip
"""Options of libpq, unless the URL has them: a server that left the network without a word is
noticed after two minutes, not after the kernel's two hours."""

LOCK_WAIT = "2h"
"""How long a statement of a `session` waits for a lock, as those of every login (rights.sql)."""

MIGRATIONS = Path(__file__).parent / "migrations"
RIGHTS = Path(__file__).parent / "rights.sql"

ROLES = (
    "loader", "transformer", "custodian", "steward", "publisher", "approver", "auditor", "desk",
    "backup", "analyst_province", "analyst_regency",
)  # fmt: skip
"""The roles of migrations 0010, 0067 and 0072 that may connect to the warehouse."""

MIGRATE_WAIT = "10min"
"""How long a migration waits for another one, and for sessions that hold a table it changes."""


KEPT = 8
"""How many connections of `keep_open` wait for their next use, of all URLs together.

One more closes the one that waits for the longest time.
"""


class _Kept(psycopg.Connection):
    """A connection that waits for its next use instead of being closed."""

    url = ""

    def close(self) -> None:
        if self.closed or self.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            super().close()
            return
        self.autocommit, self.isolation_level = False, None
        with _waiting_lock:
            _waiting.append(self)
            unused = _waiting.pop(0) if len(_waiting) > KEPT else None
        if unused is not None:
            psycopg.Connection.close(unused)

    def is_usable(self) -> bool:
        """Whether the server has sent nothing since the last use: it also says when it closes."""
        if self.closed:
            return False
        waiting = select.poll()
        waiting.register(self.fileno(), select.POLLIN)
        return not waiting.poll(0)


_kept_urls: set[str] = set()
_waiting: list[_Kept] = []
_waiting_lock = threading.Lock()


def keep_open(url: str) -> None:
    """Let `connect` use connections with this URL again, which spares a login for each.

    It suits sessions that only read: settings and temporary tables of one use reach the next.
    """
    _kept_urls.add(url)


def _take(url: str) -> psycopg.Connection | None:
    """Return the connection that was used last with a URL, None where none waits."""
    while True:
        with _waiting_lock:
            found = next((each for each in reversed(_waiting) if each.url == url), None)
            if found is None:
                return None
            _waiting.remove(found)
        if found.is_usable():
            return found
        psycopg.Connection.close(found)


def connect(url: str, *, application: str = "lumbung") -> psycopg.Connection:
    """Open a connection with the options of the URL, session time zone UTC and no autocommit.

    Behind a pooler in transaction mode each transaction may run in another session of the server,
    so what outlives a transaction needs `session`: locks, settings and temporary tables.

    Raises:
        ConfigurationError: when the URL is malformed, or a pooler gave the session another account
            or time zone. The message leaves the URL out: it may hold a password.
        ServiceError: when the server cannot be reached or refuses the connection.

    """
    is_kept = url in _kept_urls
    if is_kept and (waiting := _take(url)):
        return waiting
    shown = _parts(url)
    # the argument replaces the URL's options
    options = f"{shown.get('options') or ''} -c timezone=UTC".strip()
    patience: dict[str, Any] = {name: shown.get(name) or DEAD_PEER[name] for name in DEAD_PEER}
    try:
        connection = (_Kept if is_kept else psycopg.Connection).connect(
            url,
            application_name=application,
            options=options,
            connect_timeout=shown.get("connect_timeout") or CONNECT_SECONDS,
            **patience,
        )
    except psycopg.OperationalError as error:
        if "too many clients" in str(error) or "remaining connection slots" in str(error):
            raise ServiceError(
                "the database has no connection left",
                where=f"{shown.get('host')}:{shown.get('port')}/{shown.get('dbname')}",
                remediation="end sessions that are not needed ('select * from pg_stat_activity'),"
                " then run the same again",
            ) from error
        raise ServiceError(
            f"the database does not answer: {str(error).strip().splitlines()[0]}",
            where=f"{shown.get('host')}:{shown.get('port')}/{shown.get('dbname')}",
            remediation="start it with 'lumbung up', or correct LUMBUNG_DATABASE_URL",
        ) from error
    # Reported by the server; a pooler may have replaced them.
    for name, asked in {"session_authorization": connection.info.user, "TimeZone": "UTC"}.items():
        if (given := connection.info.parameter_status(name)) != asked:
            raise _refused(
                connection,
                f"the session has {name} {given!r} instead of {asked!r}",
                "let the pooler there log in as each client and pass on its startup options"
                " (PgBouncer 1.20 or later, without 'user=' for this database), or name the server"
                " itself in LUMBUNG_DATABASE_URL",
            )
    if isinstance(connection, _Kept):
        connection.url = url
        connection.prepare_threshold = None  # the tables may be others at the next use
    return connection


def _parts(url: str) -> dict[str, str | int | None]:
    with suppress(psycopg.ProgrammingError):
        if url.startswith(("postgresql://", "postgres://")):  # `host=...` is no URL
            return psycopg.conninfo.conninfo_to_dict(url)
    raise ConfigurationError(
        "the database's address is not one of PostgreSQL",
        where="LUMBUNG_DATABASE_URL",
        remediation="write it as postgresql://user:password@host:5432/lumbung",
    )


def _refused(connection: psycopg.Connection, what: str, remediation: str) -> ConfigurationError:
    """Close a connection, and return the error that says why it is not used."""
    info = connection.info
    where = f"{info.host}:{info.port}/{info.dbname}"
    psycopg.Connection.close(connection)  # also one that `close` would keep
    return ConfigurationError(what, where=where, remediation=remediation)


@contextmanager
def lock_timeout(connection: psycopg.Connection, wait: str) -> Iterator[None]:
    """Let statements wait at most so long for a lock, then set back what the session had.

    `reset` would give that of the login, which is none where it is the owner's.

    Args:
        connection: of `session`, in autocommit.
        wait: in PostgreSQL's units.

    """
    before = connection.execute("show lock_timeout").fetchone()
    connection.execute(f"set lock_timeout = '{wait}'".encode())
    try:
        yield
    finally:
        connection.execute("select set_config('lock_timeout', %s, false)", before)


def session(url: str, *, application: str = "lumbung") -> psycopg.Connection:
    """Open a connection that is one session of the server until it is closed, in autocommit.

    It goes to the server that `LUMBUNG_DATABASE_DIRECT` names, past a pooler.

    Raises:
        ConfigurationError: as `connect`, or when a pooler is between: the server may then give a
            session's lock to another client.
        ServiceError: as `connect`.

    """
    connection = connect(direct(url), application=application)
    connection.autocommit = True
    connection.execute(f"set lock_timeout = '{LOCK_WAIT}'".encode())
    # A pooler invents the process id that it gives its client.
    pid = connection.info.backend_pid
    if connection.execute("select pg_backend_pid()").fetchone() != (pid,):
        raise _refused(
            connection,
            "a connection pooler is between, which cannot hold a lock for a whole run",
            "name PostgreSQL's own address in LUMBUNG_DATABASE_DIRECT, as host:port; what needs no"
            " lock still uses the pooler",
        )
    return connection


def now(connection: psycopg.Connection) -> datetime:
    """Return the time by the installation's clock, which is the real one except in a demo."""
    row = connection.execute("select ops.now()").fetchone()
    assert row is not None  # noqa: S101 - a select without from gives one row
    found: datetime = row[0]
    return found


def direct(url: str) -> str:
    """Return the URL of the same database and account past a pooler.

    Only where `url` is on the server of `LUMBUNG_DATABASE_URL` and `LUMBUNG_DATABASE_DIRECT` is
    set: there is no pooler before the scratch server of a restore drill.
    """
    server = os.environ.get("LUMBUNG_DATABASE_DIRECT")
    parts = urlsplit(url)
    pooler = urlsplit(os.environ.get("LUMBUNG_DATABASE_URL", ""))
    if not server or (parts.hostname, parts.port) != (pooler.hostname, pooler.port):
        return url
    account, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{account}{at}{server}").geturl()


def ensure(url: str, name: str) -> str:
    """Create a database on the server of `url` unless it exists, and return its URL.

    Raises:
        ServiceError: when the server cannot be reached, or this account may not create it.

    """
    with session(url) as connection:
        found = connection.execute("select 1 from pg_database where datname = %s", (name,))
        if found.fetchone() is None:
            try:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                pass  # another process created it in between
            except psycopg.errors.InsufficientPrivilege as error:
                raise ServiceError(
                    f"the database {name} could not be made: {str(error).strip()}",
                    where=f"{connection.info.host}:{connection.info.port}",
                    remediation="create it, or let this account create databases",
                ) from error
    return named(url, name)


def named(url: str, name: str) -> str:
    """Return the URL of another database of the same server."""
    parts = urlsplit(url)  # geturl() drops the slashes of a URL without a host
    return f"{parts.scheme}://{parts.netloc}/{name}" + f"?{parts.query}" * bool(parts.query)


def has_account(url: str) -> bool:
    """Whether a URL names the account to log in with; `without_account` leaves it out.

    Raises:
        ConfigurationError: when the URL is malformed.

    """
    return "user" in _parts(url)


def without_account(url: str) -> str:
    """Return the URL of the same database that names no account and holds no password."""
    parts = urlsplit(url)
    query = _without_account_options(parts.query)
    server = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{server}{parts.path}" + f"?{query}" * bool(query)


def with_account(url: str, user: str, password: str) -> str:
    """Return the URL of the same database for another account."""
    parts = urlsplit(url)
    server = parts.netloc.rpartition("@")[2]
    query = _without_account_options(parts.query)
    account = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return f"{parts.scheme}://{account}@{server}{parts.path}" + f"?{query}" * bool(query)


def _without_account_options(query: str) -> str:
    return "&".join(
        option
        for option in query.split("&")
        if option.partition("=")[0] not in ("", "user", "password")
    )


def without_password(url: str) -> tuple[str, str]:
    """Return the URL without its password, and the password; empty where it has none."""
    given = {name: str(value) for name, value in psycopg.conninfo.conninfo_to_dict(url).items()}
    password = given.pop("password", "")
    return psycopg.conninfo.make_conninfo(**given), password


def migrate(url: str) -> list[str]:
    """Apply the migrations that this database lacks, each in a transaction of its own.

    Concurrent calls wait for the first one, which applies them. `ops.migration` holds the SHA-256
    of each file; a migration applied by a version that stored none gets the hash of the present
    file.

    Returns:
        the names of the files applied by this call, in order.

    Raises:
        ConfigurationError: when a file that was applied has been edited since, the database was
            migrated by another version of Lumbung, or its encoding is not UTF8.

    """
    applied = []
    with session(url, application="lumbung migrate") as connection:
        if (encoding := connection.info.parameter_status("server_encoding")) != "UTF8":
            raise ConfigurationError(
                f"its encoding is {encoding}, and names need UTF8",
                where=f"database {connection.info.dbname}",
                remediation="make the database again: create database NAME encoding 'UTF8'"
                " template template0",
            )
        connection.execute(f"set lock_timeout = '{MIGRATE_WAIT}'".encode())
        try:
            connection.execute("select pg_advisory_lock(hashtext('lumbung.migrate'))")
        except psycopg.errors.LockNotAvailable as error:
            raise ServiceError(
                f"another migration has not finished within {MIGRATE_WAIT}",
                where="ops.migration",
                remediation="wait for it, or end its session, then run the same again",
            ) from error
        connection.execute("create schema if not exists ops")
        connection.execute(
            "create table if not exists ops.migration"
            " (name text primary key, applied_at timestamptz not null default clock_timestamp())"
        )
        connection.execute("alter table ops.migration add column if not exists file_hash text")
        for file in _pending(connection):
            with connection.transaction():
                connection.execute(file.read_text(encoding="utf-8").encode())
                connection.execute(
                    "insert into ops.migration (name, file_hash) values (%s, %s)",
                    (file.name, _hash(file)),
                )
            applied.append(file.name)
        for file in _files():
            connection.execute(
                "update ops.migration set file_hash = %s where name = %s and file_hash is null",
                (_hash(file), file.name),
            )
        # Not in a migration: neither a dump nor a copy of the database holds these rights.
        _restrict_connections(connection, *ROLES)
        # The schemas of a build as known at a moment are made and dropped by the transformer.
        connection.execute(
            sql.SQL("grant create on database {} to transformer").format(
                sql.Identifier(connection.info.dbname)
            )
        )
        _set_rights(connection)
    return applied


def _set_rights(connection: psycopg.Connection) -> None:
    """Run `rights.sql`."""
    try:
        with connection.transaction():
            # Two databases of a server may be migrated at once.
            _lock_rights(connection)
            connection.execute(RIGHTS.read_text(encoding="utf-8").encode())
    except psycopg.errors.InsufficientPrivilege as error:
        account = connection.info.user
        raise ConfigurationError(
            f"the account {account!r} may not give away the warehouse's roles: {_line(error)}",
            where="LUMBUNG_DATABASE_URL",
            remediation="let a superuser run: grant transformer, steward, desk, auditor,"
            f' analyst_province to "{account}" with admin option',
        ) from error
    except psycopg.errors.LockNotAvailable as error:
        raise ServiceError(
            f"a session holds a table of the marts for more than {MIGRATE_WAIT}: {_line(error)}",
            where="pg_stat_activity",
            remediation="end that session, then run the same again",
        ) from error


def _line(error: psycopg.Error) -> str:
    return str(error).strip().splitlines()[0]


def give(url: str, role: str) -> None:
    """Make a role the owner of a database and of everything in its schema `public`.

    Raises:
        ConfigurationError: when this account may not give it away.

    """
    with connect(url) as connection:
        name = sql.Identifier(connection.info.dbname)
        _lock_rights(connection)
        owner = sql.Identifier(role)
        try:
            if connection.execute("select pg_has_role(%s, 'set')", (role,)).fetchone() == (False,):
                connection.execute(
                    sql.SQL("grant {} to current_user with inherit true, set true").format(owner)
                )
            connection.execute(sql.SQL("alter database {} owner to {}").format(name, owner))
            for kind, thing in connection.execute(
                "select 'table', oid::regclass::text from pg_class"
                " where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm')"
                " and relowner <> %(role)s::regrole"
                " union all select 'type', oid::regtype::text from pg_type"
                " where typnamespace = 'public'::regnamespace and typtype = 'e'"
                " and typowner <> %(role)s::regrole",
                {"role": role},
            ).fetchall():
                connection.execute(
                    sql.SQL("alter {} {} owner to {}").format(sql.SQL(kind), sql.SQL(thing), owner)
                )
        except psycopg.errors.InsufficientPrivilege as error:
            account = connection.info.user
            raise ConfigurationError(
                f"the account {account!r} may not give {connection.info.dbname!r} to {role!r}:"
                f" {_line(error)}",
                where="LUMBUNG_DATABASE_URL",
                remediation=f'let a superuser run: grant {role} to "{account}" with admin option;'
                f' alter role "{account}" createdb',
            ) from error


def deny_connections(url: str) -> None:
    """Let nobody but its owner connect to a database; do nothing where another account owns it."""
    with connect(url) as connection, suppress(psycopg.errors.InsufficientPrivilege):
        _lock_rights(connection)
        _restrict_connections(connection)


def _lock_rights(connection: psycopg.Connection) -> None:
    """Let one session at a time change rights that all databases of the server share."""
    connection.execute(f"set local lock_timeout = '{MIGRATE_WAIT}'".encode())
    connection.execute("select pg_advisory_xact_lock(hashtext('lumbung.rights'))")


def _restrict_connections(connection: psycopg.Connection, *roles: str) -> None:
    """Let only the owner and these roles connect to the database of a connection."""
    name = sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("revoke all on database {} from public").format(name))
    for role in roles:
        connection.execute(
            sql.SQL("grant connect, temporary on database {} to {}").format(
                name, sql.Identifier(role)
            )
        )


def require_migrated(url: str) -> None:
    """Require that a database has every migration of this version; write nothing.

    Nothing is required of a login that may not see the migrations, such as a reader's.

    Raises:
        ServiceError: when it lacks one.
        ConfigurationError: as `migrate`.

    """
    with connect(url, application="lumbung migrate") as connection:
        may_read = connection.execute(
            "select has_schema_privilege(pg_namespace.oid, 'usage')"
            " and has_table_privilege(pg_class.oid, 'select') from pg_class"
            " inner join pg_namespace on relnamespace = pg_namespace.oid"
            " where nspname = 'ops' and relname = 'migration'"
        ).fetchone()
        if may_read == (False,):
            return
        pending = _pending(connection)
        place = f"{connection.info.host}:{connection.info.port}/{connection.info.dbname}"
    if pending:
        raise ServiceError(
            f"the database lacks {len(pending)} migrations, the first is {pending[0].name}",
            where=place,
            remediation="run 'lumbung migrate' (or 'lumbung up', which does it too), then the "
            "same again",
        )


def _pending(connection: psycopg.Connection) -> list[Path]:
    """The files to apply, after a check that the applied ones are unchanged."""
    applied = _applied(connection)
    files = _files()
    if unknown := applied.keys() - {file.name for file in files}:
        raise ConfigurationError(
            f"another version of Lumbung migrated the database: it has {min(unknown)}",
            where="ops.migration",
            remediation="use that version or a later one",
        )
    for file in files:
        if applied.get(file.name) not in (None, _hash(file)):
            raise ConfigurationError(
                "the migration was edited after it was applied",
                where=f"{file.parent.name}/{file.name}",
                remediation="restore the file from version control and write a new migration "
                "instead",
            )
    return [file for file in files if file.name not in applied]


def _applied(connection: psycopg.Connection) -> dict[str, str | None]:
    """The applied migrations with the hashes of their files, None where none is stored."""
    if connection.execute("select to_regclass('ops.migration')").fetchone() == (None,):
        return {}
    return dict(
        # the column is missing if an earlier version migrated last
        connection.execute(
            "select name, to_jsonb(migration) ->> 'file_hash' from ops.migration as migration"
        ).fetchall()
    )


def _files() -> list[Path]:
    return sorted(MIGRATIONS.glob("*.sql"))


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
