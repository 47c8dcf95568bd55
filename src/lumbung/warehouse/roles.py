"""Read the warehouse as one of its roles (migration 0010), not as its owner."""

from __future__ import annotations

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from lumbung import database
from lumbung.errors import ConfigurationError

KNOWN = r"^(loader|transformer|publisher|auditor|analyst_province|analyst_\d\d_\d\d)$"


def role_url(url: str, role: str) -> str:
    """The URL of the same database, whose sessions start as `role`.

    The URL holds the owner's password, and `reset role` restores the owner's rights: use it for
    tests and for people who may have those rights. Others get a login of their own.

    Raises:
        ConfigurationError: when there is no such role, or the account may not act as it.

    """
    with database.connect(url) as connection:
        rows = connection.execute(
            "select rolname from pg_roles where rolname ~ %s order by rolname", (KNOWN,)
        )
        roles = [str(name) for (name,) in rows]
    if role not in roles:
        raise ConfigurationError(
            f"there is no role {role!r}",
            where="--role",
            remediation=f"choose one of {', '.join(roles)}; those of the regencies are made by the"
            " first build ('lumbung build')",
        )
    with database.connect(url) as connection:
        if connection.execute("select pg_has_role(%s, 'set')", (role,)).fetchone() != (True,):
            # An account that created a role, without being a superuser, may grant it to itself.
            grant = sql.SQL("grant {} to current_user with inherit false, set true")
            try:
                connection.execute(grant.format(sql.Identifier(role)))
            except psycopg.errors.InsufficientPrivilege as error:
                raise ConfigurationError(
                    f"the account {connection.info.user!r} may not act as {role!r}",
                    where="LUMBUNG_DATABASE_URL",
                    remediation=f'let a superuser run: grant {role} to "{connection.info.user}"',
                ) from error
    given = conninfo_to_dict(url).get("options")
    if given:
        raise ConfigurationError(
            "the database URL has options of its own",
            where="LUMBUNG_DATABASE_URL",
            remediation="remove 'options' from it to read as a role",
        )
    return f"{url}{'&' if '?' in url else '?'}options=-c%20role%3D{role}"
