"""Logins of the warehouse's roles (migration 0010): whoever uses one cannot become the owner."""

from __future__ import annotations

import functools
import hashlib
import re

import psycopg
from psycopg import sql

from lumbung import database
from lumbung.errors import ConfigurationError

KNOWN = r"^(loader|transformer|publisher|approver|auditor|analyst_province|analyst_\d\d_\d\d)$"

READER = r"^(auditor|analyst_.*)$"

READER_SETTINGS = {
    "timezone": "Asia/Jakarta",
    "statement_timeout": "5min",
    # An idle transaction keeps old rows from being vacuumed.
    "idle_in_transaction_session_timeout": "5min",
}
"""What a reader's session starts with. They prevent accidents: a session may set them otherwise."""


def role_url(url: str, role: str) -> str:
    """Return the URL of the same database for a session that logs in as `role`.

    The role gets a password that is derived from the owner's, so that every process that knows the
    owner's password finds the same one and none has to be stored. It changes with the owner's.

    Raises:
        ConfigurationError: when there is no such role, or the account of `url` has no password or
            may not give the role one.

    """
    with database.connect(url, application="lumbung roles") as connection:
        roles = known_roles(connection)
        if role not in roles:
            raise ConfigurationError(
                f"there is no role {role!r}",
                where="--role",
                remediation=f"choose one of {', '.join(roles)}; those of the regencies are made by"
                " the first build ('lumbung build')",
            )
        if not connection.info.password:
            raise ConfigurationError(
                f"the account {connection.info.user!r} logs in without a password",
                where="LUMBUNG_DATABASE_URL",
                remediation="give it one, from which those of the roles are derived, or make a"
                " login with 'lumbung user add'",
            )
        password = _derived(connection.info.password, role)
        login = database.with_account(url, role, password)
        try:
            psycopg.connect(login).close()
        except psycopg.OperationalError:
            _enable_login(connection, role, password)
    return login


def known_roles(connection: psycopg.Connection) -> list[str]:
    """Return the roles that this server has, sorted."""
    rows = connection.execute(
        "select rolname::text from pg_roles where rolname ~ %s order by rolname", (KNOWN,)
    )
    return [name for (name,) in rows]


def set_for_readers(connection: psycopg.Connection, role: str) -> None:
    """Let the sessions of a login start with `READER_SETTINGS`."""
    for name, value in READER_SETTINGS.items():
        connection.execute(
            sql.SQL("alter role {} set {} = {}").format(
                sql.Identifier(role), sql.Identifier(name), sql.Literal(value)
            )
        )


def scram(connection: psycopg.Connection, role: str, password: str) -> sql.Literal:
    """Return a password's SCRAM verifier, so that the password itself reaches no server log."""
    verifier = connection.pgconn.encrypt_password(
        password.encode(), role.encode(), b"scram-sha-256"
    )
    return sql.Literal(verifier.decode())


@functools.cache
def _derived(secret: str, role: str) -> str:
    """A role's password; the slow hash keeps its holder from guessing the owner's."""
    return hashlib.scrypt(
        secret.encode(), salt=f"lumbung role {role}".encode(), n=2**14, r=8, p=1, dklen=24
    ).hex()


def _enable_login(connection: psycopg.Connection, role: str, password: str) -> None:
    try:
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(hashtext('lumbung.roles'))")
            connection.execute(
                sql.SQL("alter role {} login password {}").format(
                    sql.Identifier(role), scram(connection, role, password)
                )
            )
            if re.match(READER, role):
                set_for_readers(connection, role)
    except psycopg.errors.InsufficientPrivilege as error:
        account = connection.info.user
        raise ConfigurationError(
            f"the account {account!r} may not give {role!r} a password",
            where="LUMBUNG_DATABASE_URL",
            remediation=f'let a superuser run: alter role "{account}" createrole; '
            f'grant {role} to "{account}" with admin option',
        ) from error
