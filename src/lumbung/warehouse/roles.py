"""Logins of the warehouse's roles (migrations 0010 and 0067): none of them can become the owner.

`lumbung migrate` writes the password of each of `LOGINS` into a file of its own. A process that is
given the warehouse's address without an account logs in by these files and never learns the
owner's password.
"""

from __future__ import annotations

import functools
import hashlib
import re
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from lumbung import database
from lumbung.errors import ConfigurationError
from lumbung.files import write_private
from lumbung.settings import home_folder

METADATA = "airflow_metadata"
"""The role that owns Airflow's database, and can do nothing in the warehouse."""

LOGINS = (
    "loader", "transformer", "custodian", "steward", "publisher", "approver", "auditor", "desk",
    "backup", METADATA,
)  # fmt: skip
"""The roles that processes of the product log in as."""

KNOWN = rf"^({'|'.join(LOGINS)}|analyst_province|analyst_\d\d(_\d\d)?)$"

READER = r"^(auditor|desk|analyst_.*)$"

READER_SETTINGS = {
    "timezone": "Asia/Jakarta",
    "statement_timeout": "5min",
    # An idle transaction keeps old rows from being vacuumed.
    "idle_in_transaction_session_timeout": "5min",
}
"""What a reader's session starts with. They prevent accidents: a session may set them otherwise."""


def role_url(url: str, role: str) -> str:
    """Return the URL of the same database for a session that logs in as `role`.

    Where `url` names no account, the password is the one that `lumbung migrate` has written. A
    reader, such as `analyst_province`, has none: `desk` logs in and begins in that role.

    Where `url` is the owner's, the password is derived from the owner's, so that every process that
    knows it finds the same one. It changes with the owner's.

    Raises:
        ConfigurationError: when there is no such role, or the account of `url` has no password or
            may not give the role one, or no password was written.

    """
    if not database.has_account(url):
        if role not in LOGINS:
            return acting_as(role_url(url, "desk"), role)
        return database.with_account(url, role, _stored(role))
    with database.connect(url, application="lumbung roles") as connection:
        _require_known(connection, role)
        if not connection.info.password:
            raise ConfigurationError(
                f"the account {connection.info.user!r} logs in without a password",
                where="LUMBUNG_DATABASE_URL",
                remediation="give it one, from which those of the roles are derived, or make a"
                " login with 'lumbung user add'",
            )
        password = _derived(connection.info.password, role)
        login = database.with_account(url, role, password)
        if not _opens(login):
            _enable_login(connection, role, password)
    return login


def login_url(url: str, role: str) -> str:
    """Return `role_url`; where `url` is a person's own login, which has its rights, return `url`.

    Raises:
        ConfigurationError: as `role_url`.

    """
    if database.has_account(url):
        with database.connect(url, application="lumbung roles") as connection:
            row = connection.execute(
                "select pg_has_role(datdba, 'usage') from pg_database"
                " where datname = current_database()"
            ).fetchone()
        if row == (False,):
            return url
    return role_url(url, role)


def acting_as(login: str, role: str) -> str:
    """Return the URL of a login's session that begins in another role, such as `analyst_19_05`.

    Raises:
        ConfigurationError: when there is no such role.

    """
    with database.connect(login, application="lumbung roles") as connection:
        _require_known(connection, role)
    setting = quote(f"-c role={role}", safe="")
    return f"{login}{'&' if '?' in login else '?'}options={setting}"


def write_logins(warehouse: str, metadata: str, home: Path) -> None:
    """Give each of `LOGINS` a password, and write it into `LUMBUNG_HOME/logins/<role>`.

    A password that was written before and still opens the database stays.

    Args:
        warehouse: the warehouse, as its owner.
        metadata: Airflow's database, as the same account.
        home: `LUMBUNG_HOME`.

    Raises:
        ConfigurationError: as `role_url`.

    """
    folder = home / "logins"
    folder.mkdir(mode=0o700, exist_ok=True)
    for role in LOGINS:
        url = metadata if role == METADATA else warehouse
        file = folder / role
        if file.exists() and _opens(database.with_account(url, role, file.read_text())):
            continue
        login = role_url(url, role)
        write_private(file, str(psycopg.conninfo.conninfo_to_dict(login)["password"]))


def _stored(role: str) -> str:
    file = home_folder() / "logins" / role
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"the password of {role!r} cannot be read: {error.strerror}",
            where=str(file),
            remediation="run 'lumbung migrate' as the account that runs Lumbung, which writes it",
        ) from error


def _opens(login: str) -> bool:
    try:
        psycopg.connect(login, connect_timeout=database.CONNECT_SECONDS).close()
    except psycopg.OperationalError:
        return False
    return True


def known_roles(connection: psycopg.Connection) -> list[str]:
    """Return the roles that this server has, sorted."""
    rows = connection.execute(
        "select rolname::text from pg_roles where rolname ~ %s order by rolname", (KNOWN,)
    )
    return [name for (name,) in rows]


def _require_known(connection: psycopg.Connection, role: str) -> None:
    roles = known_roles(connection)
    if role not in roles:
        raise ConfigurationError(
            f"there is no role {role!r}",
            where="--role",
            remediation=f"choose one of {', '.join(roles)}; those of the regencies are made by"
            " the first build ('lumbung build')",
        )


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
            connection.execute(f"set local lock_timeout = '{database.MIGRATE_WAIT}'".encode())
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
        if _is_readers(connection):
            raise ConfigurationError(
                f"this works as {role!r}, and {account!r} is the login of a person who reads",
                where="LUMBUNG_DATABASE_URL",
                remediation="let whoever runs Lumbung do it",
            ) from error
        raise ConfigurationError(
            f"the account {account!r} may not give {role!r} a password",
            where="LUMBUNG_DATABASE_URL",
            remediation=f'let a superuser run: alter role "{account}" createrole; '
            f'grant {role} to "{account}" with admin option',
        ) from error


def _is_readers(connection: psycopg.Connection) -> bool:
    """Whether the account belongs to a role of readers, as `lumbung user add` makes it."""
    row = connection.execute(
        "select coalesce(bool_or(pg_has_role(oid, 'member')), false) from pg_roles"
        " where rolname ~ '^(analyst_|auditor$)'"
    ).fetchone()
    return row == (True,)
