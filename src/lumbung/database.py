"""Connections to the warehouse and its migrations."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from lumbung.errors import ServiceError

MIGRATIONS = Path(__file__).parent / "migrations"


def connect(url: str, *, application: str = "lumbung") -> psycopg.Connection:
    """Open a connection (UTC session time zone, no autocommit), with the URL's own options.

    Raises:
        ServiceError: when the server cannot be reached or refuses.

    """
    shown = psycopg.conninfo.conninfo_to_dict(url)
    # an argument would replace the URL's options, and with them the role of roles.role_url
    options = f"{shown.get('options') or ''} -c timezone=UTC".strip()
    try:
        return psycopg.connect(url, application_name=application, options=options)
    except psycopg.OperationalError as error:
        raise ServiceError(
            f"the database does not answer: {str(error).strip().splitlines()[0]}",
            where=f"{shown.get('host')}:{shown.get('port')}/{shown.get('dbname')}",
            cure="start it with 'lumbung up', or correct LUMBUNG_DATABASE_URL",
        ) from error


def ensure(url: str, name: str) -> str:
    """Make a database in the server of `url` unless it exists; its URL, else like `url`.

    Raises:
        ServiceError: when the server cannot be reached, or this account may not create it.

    """
    with connect(url) as connection:
        connection.autocommit = True
        found = connection.execute("select 1 from pg_database where datname = %s", (name,))
        if found.fetchone() is None:
            try:
                connection.execute(
                    psycopg.sql.SQL("create database {}").format(psycopg.sql.Identifier(name))
                )
            except psycopg.errors.DuplicateDatabase:
                pass  # by someone else, just now
            except psycopg.errors.InsufficientPrivilege as error:
                raise ServiceError(
                    f"the database {name} could not be made: {str(error).strip()}",
                    where=f"{connection.info.host}:{connection.info.port}",
                    cure="create it, or let this account create databases",
                ) from error
    parts = urlsplit(url)  # geturl() loses the slashes of a URL without a host
    return f"{parts.scheme}://{parts.netloc}/{name}" + f"?{parts.query}" * bool(parts.query)


def migrate(url: str) -> list[str]:
    """Apply the migrations that this database has not seen, each in a transaction of its own.

    Returns:
        the names of the files applied now, in order.

    """
    applied = []
    with connect(url, application="lumbung migrate") as connection:
        connection.execute("select pg_advisory_lock(hashtext('lumbung.migrate'))")
        connection.execute("create schema if not exists ops")
        connection.execute(
            "create table if not exists ops.migration"
            " (name text primary key, applied_at timestamptz not null default clock_timestamp())"
        )
        connection.commit()
        known = {row[0] for row in connection.execute("select name from ops.migration")}
        for file in sorted(MIGRATIONS.glob("*.sql")):
            if file.name in known:
                continue
            with connection.transaction():
                connection.execute(file.read_text(encoding="utf-8").encode())
                connection.execute("insert into ops.migration (name) values (%s)", (file.name,))
            applied.append(file.name)
        connection.execute("select pg_advisory_unlock(hashtext('lumbung.migrate'))")
    return applied
