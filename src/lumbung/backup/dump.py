"""Dump and restore the two databases with PostgreSQL's own programs."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg import sql

from lumbung import database
from lumbung.backup.manifest import Tables
from lumbung.errors import DISK, ServiceError
from lumbung.local.postgres import BINARIES
from lumbung.local.stack import AIRFLOW_DATABASE
from lumbung.warehouse.roles import KNOWN

PASSWORDS = """
select format('alter role %%I password %%L', rolname, rolpassword) from pg_authid
where oid = any (%s) and rolpassword is not null
"""

WANTED = """
with recursive wanted as (
    select oid from pg_roles where rolname ~ %s or rolname = 'analyst_regency'
    union
    select member from pg_auth_members inner join wanted on roleid = wanted.oid
)
select oid from wanted inner join pg_roles using (oid)
where not rolsuper
    and oid <> (select datdba from pg_database where datname = current_database())
"""

ROLES = """
select format('create role %%I', rolname), 1 as step from pg_roles where oid = any (%(wanted)s)
union all
select format(
    'alter role %%I with %%s connection limit %%s', rolname,
    case when rolcanlogin then 'login' else 'nologin' end, rolconnlimit
), 2 from pg_roles where oid = any (%(wanted)s)
union all
select format(
    'alter role %%I set %%I = %%L', rolname, split_part(setting, '=', 1),
    substr(setting, strpos(setting, '=') + 1)
), 2 from pg_roles, unnest(rolconfig) as setting where oid = any (%(wanted)s)
union all
select format(
    'grant %%I to %%I with inherit %%s, set %%s', pg_get_userbyid(roleid),
    pg_get_userbyid(member), inherit_option::text, set_option::text
), 3
from pg_auth_members where roleid = any (%(wanted)s) and member = any (%(wanted)s)
order by 2, 1
"""

PROGRAM_SECONDS = 4 * 60 * 60
"""How long `pg_dump` or `pg_restore` may take."""

WITHHELD = ("vault.data_key", "vault.item_key", "vault.evidence_key")
"""Tables whose rows are among a backup's encrypted keys instead of in its dump."""


def dump(url: str, file: Path) -> Tables:
    """Dump a database, and return the tables that the dump holds.

    Raises:
        ServiceError: when the dump fails.

    """
    url = database.direct(url)
    with database.connect(url, application="lumbung backup") as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        row = connection.execute("select pg_export_snapshot()").fetchone()
        assert row is not None  # noqa: S101 - a select without from gives one row
        run(
            "pg_dump", url, "--format=custom", "--compress=1", f"--snapshot={row[0]}",
            *(f"--exclude-table-data={table}" for table in WITHHELD),
            f"--lock-wait-timeout={60_000}", f"--file={file}",
        )  # fmt: skip
        return tables(connection)


def evidence(connection: psycopg.Connection) -> list[bytes]:
    """Return the sha256 of every file that a row of the warehouse came from."""
    rows = connection.execute(
        "select evidence_sha256 from raw.record where evidence_sha256 is not null"
        " union select evidence_sha256 from quarantine.record where evidence_sha256 is not null"
    )
    return [bytes(sha256) for (sha256,) in rows]


def tables(connection: psycopg.Connection) -> Tables:
    """Return the number of rows and a checksum of every table of a database but `WITHHELD`.

    The checksum is the sum of a hash of each row: the order of the rows does not matter.
    """
    found = {}
    for schema, name in connection.execute(
        "select nspname, relname from pg_class inner join pg_namespace"
        " on pg_namespace.oid = relnamespace where relkind = 'r' and relpersistence <> 't'"
        " and nspname !~ '^pg_' and nspname <> 'information_schema' order by 1, 2"
    ).fetchall():
        if f"{schema}.{name}" in WITHHELD:
            continue
        row = connection.execute(
            sql.SQL(
                "select count(*)::text,"
                " coalesce(sum(hashtextextended(whole_row::text, 0)), 0)::text"
                " from {} as whole_row"
            ).format(sql.Identifier(schema, name))
        ).fetchone()
        assert row is not None  # noqa: S101 - an aggregate gives one row
        found[f"{schema}.{name}"] = list(row)
    return found


def data_keys(connection: psycopg.Connection) -> bytes:
    """Return the rows of `WITHHELD`, as JSON."""
    return json.dumps(
        {
            table: [
                [value.hex() for value in row]
                for row in connection.execute(f"select * from {table}".encode())  # noqa: S608
            ]
            for table in WITHHELD
        }
    ).encode()


def load_data_keys(connection: psycopg.Connection, content: bytes) -> None:
    """Store what `data_keys` returned."""
    for table, rows in json.loads(content).items():
        if rows and table in WITHHELD:
            connection.cursor().executemany(
                f"insert into {table} values ({', '.join(['%s'] * len(rows[0]))})".encode(),  # noqa: S608
                [[bytes.fromhex(value) for value in row] for row in rows],
            )


def roles(connection: psycopg.Connection) -> str:
    """Return statements that make the roles of the warehouse and the logins that belong to them.

    Passwords (as SCRAM verifiers) are among them where this account may read them.
    """
    wanted = [oid for (oid,) in connection.execute(WANTED, (KNOWN,))]
    statements = [text for text, _ in connection.execute(ROLES, {"wanted": wanted})]
    row = connection.execute("select has_table_privilege('pg_authid', 'select')").fetchone()
    if row == (True,):
        statements += [text for (text,) in connection.execute(PASSWORDS, (wanted,))]
    return json.dumps(statements, indent=1)


def load(backup: Path, url: str, expected: dict[str, Tables]) -> None:
    """Restore both databases into the server of `url`, and compare their tables.

    Raises:
        ServiceError: when a dump does not restore, or a table differs.

    """
    with database.connect(url, application="lumbung restore") as connection:
        for statement in json.loads((backup / "roles.json").read_text(encoding="utf-8")):
            with suppress(psycopg.errors.DuplicateObject), connection.transaction():
                connection.execute(statement.encode())
    targets = {"warehouse": url, "airflow": database.ensure(url, AIRFLOW_DATABASE)}
    for name, target in targets.items():
        run("pg_restore", target, "--exit-on-error", str(backup / f"{name}.dump"))
        with database.connect(target, application="lumbung restore") as connection:
            found = tables(connection)
        if found != expected[name]:
            table = min(
                each
                for each in found.keys() | expected[name].keys()
                if found.get(each) != expected[name].get(each)
            )
            raise ServiceError(
                f"the table {table} was restored with other rows: {found.get(table)} instead of"
                f" {expected[name].get(table)} (number, checksum)",
                where=f"{backup}, {name}.dump",
                remediation="use another backup",
            )


def run(program: str, url: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on a database; no password is in its arguments.

    Raises:
        ServiceError: when it fails, with the end of what it printed, or has not ended within
            `PROGRAM_SECONDS`.

    """
    address, password = database.without_password(url)
    place = arguments[-1].removeprefix("--file=")
    try:
        done = subprocess.run(
            [str(BINARIES / program), f"--dbname={address}", *arguments],
            env={**os.environ, "PGPASSWORD": password} if password else None,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=PROGRAM_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ServiceError(
            f"{program} has not ended within {PROGRAM_SECONDS // 3600} hours",
            where=place,
            remediation="check that the disk and the database answer, then run the same again",
        ) from error
    if done.returncode:
        printed = " / ".join(done.stderr.strip().splitlines()[-3:])
        is_full = "No space left on device" in printed
        raise ServiceError(
            f"{DISK} ({printed})" if is_full else f"{program} failed: {printed}",
            where=place,
            remediation="free space there, then run the same again"
            if is_full
            else "correct the cause, then run the same again",
        )
