"""Logins of people who read the warehouse: made, listed and removed by its owner."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import Literal, NamedTuple

import psycopg
from psycopg import sql

from lumbung import database
from lumbung.errors import ConfigurationError
from lumbung.warehouse.roles import LOGINS, known_roles, scram, set_for_readers

ReaderRole = Literal["analyst", "analyst_province", "auditor"]

SESSIONS = 8
"""How many sessions a login may have at once by default: a person's tool opens a few."""

MAX_SESSIONS = 40
"""A third of the embedded server's connections: a login leaves room for builds and others."""

NAME = r"[a-z][a-z0-9_]{1,30}"


class User(NamedTuple):
    """One login: its roles, its open sessions and their limit, and its schema's size in bytes."""

    name: str
    roles: list[str]
    sessions: int
    session_limit: int
    schema_bytes: int


def add(
    url: str,
    name: str,
    role: ReaderRole,
    regencies: Sequence[str] = (),
    *,
    sessions: int = SESSIONS,
) -> str:
    """Make a login with a schema of its own, and return its password, which is not stored.

    Args:
        url: the warehouse, as its owner.
        name: of the login and of its schema.
        role: `analyst` reads the rows of `regencies`, the others those of the whole province.
        regencies: Kemendagri codes, such as `19.02`.
        sessions: how many the login may have at once, 1 to `MAX_SESSIONS`.

    Raises:
        ConfigurationError: when the name is taken or unsuitable, a regency is unknown, there are
            too many sessions, or the account may not make logins.

    """
    if not re.fullmatch(NAME, name) or name.startswith(("pg_", "analyst_", "dev_")):
        raise ConfigurationError(
            f"{name!r} cannot be the name of a login",
            where="user add",
            remediation="use 2 to 31 small letters, digits and _, beginning with a letter, but not"
            " with pg_, dev_ or analyst_",
        )
    if (role == "analyst") != bool(regencies):
        raise ConfigurationError(
            "an analyst needs a regency, and no other role has one",
            where="--regency",
            remediation="name one as in '--role analyst --regency 19.02', or use"
            " '--role analyst_province' for all rows",
        )
    if not 1 <= sessions <= MAX_SESSIONS:
        raise ConfigurationError(
            f"a login cannot have {sessions} sessions at once",
            where="--sessions",
            remediation=f"choose 1 to {MAX_SESSIONS}; without the option there are {SESSIONS}",
        )
    password = secrets.token_urlsafe(18)
    with database.connect(url, application="lumbung user") as connection:
        roles = _roles(connection, role, regencies)
        _require_free(connection, name)
        try:
            _create(connection, name, password, roles, sessions)
        except psycopg.errors.InsufficientPrivilege as error:
            raise ConfigurationError(
                f"the account {connection.info.user!r} may not make this login:"
                f" {str(error).splitlines()[0]}",
                where="LUMBUNG_DATABASE_URL",
                remediation="let a superuser give it CREATEROLE, and ADMIN OPTION for "
                + ", ".join(roles),
            ) from error
    return password


def users(url: str) -> list[User]:
    """Return every login that belongs to a role of readers, sorted by name."""
    with database.connect(url, application="lumbung user") as connection:
        rows = connection.execute(
            """
            select
                login.rolname::text,
                array_agg(distinct role.rolname::text order by role.rolname::text),
                (select count(*) from pg_stat_activity where usesysid = login.oid),
                login.rolconnlimit,
                (
                    select coalesce(sum(pg_total_relation_size(oid)), 0)
                    from pg_class
                    where relnamespace = to_regnamespace(quote_ident(login.rolname))
                        and relkind in ('r', 'm')
                )::bigint
            from pg_roles as login
            inner join pg_auth_members as membership on login.oid = membership.member
            inner join pg_roles as role on membership.roleid = role.oid
            where login.rolcanlogin and not login.rolsuper and not login.rolcreaterole
                and login.rolname !~ '^analyst_' and login.rolname <> all (%s)
                and role.rolname ~ '^(analyst_|auditor$)'
            group by login.oid, login.rolname, login.rolconnlimit
            order by login.rolname
            """,
            (list(LOGINS),),
        )
        return [User(*row) for row in rows]


def remove(url: str, name: str, *, drop_tables: bool = False) -> None:
    """End a login's sessions and remove it with its schema.

    Args:
        url: the warehouse, as its owner.
        name: the login.
        drop_tables: drop what is in its schema too.

    Raises:
        ConfigurationError: when there is no such login, or its schema holds tables and
            `drop_tables` is not given.

    """
    known = users(url)
    if name not in {user.name for user in known}:
        raise ConfigurationError(
            f"there is no login {name!r}",
            where="user remove",
            remediation=f"choose one of {', '.join(user.name for user in known) or 'none'}",
        )
    login = sql.Identifier(name)
    with database.connect(url, application="lumbung user") as connection:
        own = connection.execute(
            "select relname::text from pg_class where relkind in ('r', 'p', 'v', 'm', 'f')"
            " and relnamespace = to_regnamespace(quote_ident(%s)) order by relname",
            (name,),
        ).fetchall()
        if own and not drop_tables:
            raise ConfigurationError(
                f"the schema of {name!r} holds {', '.join(table for (table,) in own)}",
                where="user remove",
                remediation="copy what is needed ('lumbung export'), then repeat with"
                " --drop-tables",
            )
        connection.execute(sql.SQL("alter role {} nologin").format(login))
        # An owner that is no superuser may end and drop only what belongs to a role of its own.
        connection.execute(sql.SQL("grant {} to current_user").format(login))
        connection.commit()  # no new session from here on
        connection.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = %s",
            (name,),
        )
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(login))
        connection.execute(sql.SQL("drop owned by {}").format(login))
        connection.execute(sql.SQL("drop role {}").format(login))


def _roles(connection: psycopg.Connection, role: ReaderRole, regencies: Sequence[str]) -> list[str]:
    if role != "analyst":
        return [role]
    places = re.compile(r"analyst_\d\d(_\d\d)?")
    known = [name for name in known_roles(connection) if places.fullmatch(name)]
    wanted = [f"analyst_{code.replace('.', '_')}" for code in regencies]
    for code, name in zip(regencies, wanted, strict=True):
        if name not in known:
            codes = ", ".join(each.removeprefix("analyst_").replace("_", ".") for each in known)
            raise ConfigurationError(
                f"there is no regency or province {code!r}",
                where="--regency",
                remediation=f"choose one of {codes}"
                if known
                else "run 'lumbung build' first, which makes the roles of the regencies",
            )
    return wanted


def _require_free(connection: psycopg.Connection, name: str) -> None:
    taken = connection.execute(
        "select exists (select from pg_roles where rolname = %(name)s)"
        " or exists (select from pg_namespace where nspname = %(name)s)",
        {"name": name},
    ).fetchone()
    if taken != (False,):
        raise ConfigurationError(
            f"a login or a schema is called {name!r} already",
            where="user add",
            remediation="choose another name; 'lumbung user list' shows the logins",
        )


def _create(
    connection: psycopg.Connection, name: str, password: str, roles: Sequence[str], sessions: int
) -> None:
    login = sql.Identifier(name)
    connection.execute(
        sql.SQL("create role {} login connection limit {} password {} in role {}").format(
            login,
            sql.Literal(sessions),
            scram(connection, name, password),
            sql.SQL(", ").join(map(sql.Identifier, roles)),
        )
    )
    set_for_readers(connection, name)
    # The owner's, so that its user may let nobody else in. `search_path` begins with it by default.
    connection.execute(sql.SQL("create schema {}").format(login))
    connection.execute(sql.SQL("grant usage, create on schema {} to {}").format(login, login))
