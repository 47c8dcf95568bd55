"""Publish the rows of a build to its readers: all marts change in one transaction.

dbt builds marts, reporting and seeds in schemas of their own (`marts_next`, `reporting_next`,
`reference_next`), where every test runs. `publish` then makes the tables of `marts`, `reporting`
and `reference` equal to them. It inserts, updates and deletes rows in existing tables, so readers
see all of the previous build or all of the new one, never wait, and keep their views, grants and
snapshots (docs/explanation/adr/0015-marts-are-published-row-by-row.md).

Only a change of columns needs a lock that blocks readers. The build requests it briefly and
repeatedly, and its error names the session that holds the table.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from lumbung import database
from lumbung.errors import BuildError, ServiceError
from lumbung.warehouse.dbt_runner import STATEMENT_TIMEOUT, one_line

NEXT = "_next"
"""Suffix of the schemas in which dbt builds published tables (`next_suffix`, dbt_project.yml)."""

LOCK_TIMEOUT = "800ms"
"""Less than `deadlock_timeout`: in a deadlock the build is cancelled, not the reader."""

ATTEMPTS = 20
SECONDS_BETWEEN_ATTEMPTS = 3.0

READERS = sql.SQL("analyst_regency, analyst_province, publisher, auditor")


@dataclass(frozen=True)
class Published:
    """A published mart: the number of rows inserted, updated or deleted, and the seconds taken."""

    node: Any
    rows: int
    seconds: float


def is_published(node: Any) -> bool:
    """Whether a node of dbt's manifest is published to readers."""
    return node.resource_type in ("model", "seed") and node.schema.endswith(NEXT)


def publish(
    connection: psycopg.Connection,
    nodes: Sequence[Any],
    *,
    is_increment: bool,
    finish: Callable[[list[Published]], None],
) -> tuple[list[Published], list[str]]:
    """Publish nodes that dbt has built, all in one transaction.

    Args:
        connection: as `transformer`, autocommit, under the lock of the build.
        nodes: of dbt's manifest (`is_published`).
        is_increment: compare only the affected keys of a mart that has some (macros/affected.sql).
        finish: called in the transaction with the published marts, to record the build as
            successful.

    Returns:
        the published marts, and a warning for each object of others that was dropped together with
        a removed column.

    Raises:
        BuildError: when another session held a table whose columns must change or rows that must
            go, or when a foreign key refers to such rows.

    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with _notices(connection) as notices, connection.transaction():
                published = _publish(connection, nodes, is_increment)
                finish(published)
        except psycopg.errors.LockNotAvailable as error:
            if attempt == ATTEMPTS:
                raise BuildError(
                    "the marts could not be published: another session holds one that must change;"
                    " readers keep the previous build",
                    where=one_line(error),
                    remediation="end that session, or wait for it, then build again",
                ) from error
            time.sleep(SECONDS_BETWEEN_ATTEMPTS)
        except psycopg.errors.ForeignKeyViolation as error:
            raise BuildError(
                "the marts could not be published: a table of others refers to rows that are gone;"
                " readers keep the previous build",
                where=one_line(error),
                remediation="delete the rows that refer to them, or make it ON DELETE CASCADE",
            ) from error
        else:
            return published, notices
    raise AssertionError  # the last attempt returned or raised


def _publish(
    connection: psycopg.Connection, nodes: Sequence[Any], is_increment: bool
) -> list[Published]:
    connection.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'".encode())
    connection.execute(f"set local statement_timeout = '{STATEMENT_TIMEOUT}'".encode())
    # Also writes the commits of dbt's sessions to the disk, which did not wait for it.
    connection.execute("set local synchronous_commit = on")
    # As in the models (macros/tables.sql)
    connection.execute("set local enable_mergejoin = off")
    connection.execute("set local random_page_cost = 1.1")
    views = {
        node.unique_id: node for node in nodes if node.config.meta.get("published_as") == "view"
    }
    tables = [_Table(connection, node) for node in nodes if node.unique_id not in views]
    for table in tables:  # first the locks that may have to be waited for
        table.shape()
    published = []
    for table in tables:
        began = time.monotonic()
        rows = table.write(is_increment)
        table.complete()
        published.append(Published(table.node, rows, time.monotonic() - began))
    _relate(connection, [table for table in tables if table.foreign_keys])
    while views:  # a view after the views that it reads
        for name in [n for n, v in views.items() if not views.keys() & set(v.depends_on.nodes)]:
            _define(connection, views.pop(name))
    return published


class _Table:
    """A published table, and the relation built by dbt whose rows it gets."""

    def __init__(self, connection: psycopg.Connection, node: Any) -> None:
        self.connection = connection
        self.node = node
        self.schema = node.schema.removesuffix(NEXT)
        self.next = sql.Identifier(node.schema, node.alias)
        self.shown = sql.Identifier(self.schema, node.alias)
        self.key: list[str] = [
            column
            for constraint in getattr(node, "constraints", [])
            if constraint.type == "primary_key"
            for column in constraint.columns
        ]
        # columns, the table whose key they hold, and that key
        self.foreign_keys: list[tuple[list[str], str, list[str]]] = [
            (constraint.columns, re.findall(r"\w+", constraint.to)[-1], constraint.to_columns)
            for constraint in getattr(node, "constraints", [])
            if constraint.type == "foreign_key"
        ]
        self.not_null = {
            name
            for name, column in node.columns.items()
            if any(constraint.type == "not_null" for constraint in column.constraints)
        }
        self.columns = _columns(connection, self.next)
        self.is_new = not _columns(connection, self.shown)

    def shape(self) -> None:
        """Create the table, or change its columns to those of the relation."""
        if self.is_new:
            columns = sql.SQL(", ").join(self._column(name) for name in self.columns)
            self._execute("create table {shown} ({columns})", columns=columns)
            return
        found = _columns(self.connection, self.shown)
        for name in found.keys() | self.columns.keys():
            if name in found and found[name] != self.columns.get(name):
                self._execute(
                    "alter table {shown} drop column {name} cascade", name=sql.Identifier(name)
                )
            if name in self.columns and found.get(name) != self.columns[name]:
                self._execute(
                    "alter table {shown} add column {column}",
                    column=sql.SQL("{} {}").format(
                        sql.Identifier(name), sql.SQL(self.columns[name])
                    ),
                )
        constraint, key = self._primary_key()
        if constraint and key != self.key:
            self._execute(
                "alter table {shown} drop constraint {name} cascade",
                name=sql.Identifier(constraint),
            )
        for name in self._required() - self.not_null - set(self.key):
            self._execute(
                "alter table {shown} alter column {name} drop not null", name=sql.Identifier(name)
            )

    def write(self, is_increment: bool) -> int:
        """Change the rows to those of the relation, and return the number of changed rows."""
        if self.is_new:
            return self._execute("insert into {shown} ({columns}) select {columns} from {next}")
        if not self.key:
            return self._replace()
        if is_increment and "affected_keys" in self.node.config.meta:
            return self._merge_affected()
        return self._execute(
            "merge into {shown} as shown using {next} as next on {same_key}"
            " when matched and ({shown_rest}) is distinct from ({next_rest}) then update set {set}"
            " when not matched by target then insert ({columns}) values ({next_columns})"
            " when not matched by source then delete"
        )

    def complete(self) -> None:
        """Create missing keys, indexes, comments and the grants of a new table."""
        if self.key and not self._primary_key()[0]:
            self._execute("alter table {shown} add primary key ({key})")
        for name in (self.not_null & self.columns.keys()) - self._required():
            self._execute(
                "alter table {shown} alter column {name} set not null", name=sql.Identifier(name)
            )
        wanted = self._indexes()
        found = {
            name
            for (name,) in self.connection.execute(
                "select relname from pg_index inner join pg_class on oid = indexrelid"
                " where indrelid = %s::regclass and relname like %s",
                (self._name(), self.node.alias.replace("_", r"\_") + r"\_\_%"),
            )
        }
        for name in wanted.keys() - found:
            self._execute(
                "create index {name} on {shown} {definition}",
                name=sql.Identifier(name),
                definition=sql.SQL(wanted[name]),
            )
        for name in found - wanted.keys():
            self._execute("drop index {name}", name=sql.Identifier(self.schema, name))
        _comment(self.connection, self.node, self.shown, "table")
        if self.is_new:
            if self.node.resource_type == "seed":
                self._execute("grant select on {shown} to {readers}", readers=READERS)
            else:
                self.connection.execute("select ops.open_to_readers(%s::regclass)", (self._name(),))

    # -- rows --------------------------------------------------------------------------------

    def _merge_affected(self) -> int:
        """As `write`, for the affected keys only: those of the new rows and of the published."""
        affected = sql.Identifier(self.node.schema, f"{self.node.alias}__affected")
        keys = sql.SQL(", ").join(map(sql.Identifier, _columns(self.connection, affected)))
        where = sql.SQL("({}) in (select {} from {} union {})").format(
            keys, keys, affected, _definition(self.connection, affected)
        )
        self._execute(
            "create temporary table changed on commit drop as"
            " select {columns} from {next} where {where}",
            where=where,
        )
        gone = self._execute(
            "delete from {shown} as shown where {where}"
            " and not exists (select from changed as next where {same_key})",
            where=where,
        )
        merged = self._execute(
            "merge into {shown} as shown using changed as next on {same_key}"
            " when matched and ({shown_rest}) is distinct from ({next_rest}) then update set {set}"
            " when not matched then insert ({columns}) values ({next_columns})"
        )
        self._execute("drop table changed")
        return gone + merged

    def _replace(self) -> int:
        """Replace all rows of a small table without a key if any row differs."""
        cursor = self.connection.execute(
            self._sql(
                "select exists ((select {columns} from {shown} except all"
                " select {columns} from {next}) union all (select {columns} from {next}"
                " except all select {columns} from {shown}))"
            )
        )
        if cursor.fetchone() == (False,):
            return 0
        self._execute("delete from {shown}")
        return self._execute("insert into {shown} ({columns}) select {columns} from {next}")

    # -- shape -------------------------------------------------------------------------------

    def _column(self, name: str) -> sql.Composed:
        return sql.SQL("{} {}{}").format(
            sql.Identifier(name),
            sql.SQL(self.columns[name]),
            sql.SQL(" not null" if name in self.not_null else ""),
        )

    def _required(self) -> set[str]:
        rows = self.connection.execute(
            "select attname from pg_attribute"
            " where attrelid = %s::regclass and attnum > 0 and attnotnull and not attisdropped",
            (self._name(),),
        )
        return {name for (name,) in rows}

    def _primary_key(self) -> tuple[str, list[str]]:
        """Name and columns of its primary key; empty if it has none."""
        row = self.connection.execute(
            "select conname, array(select attname::text from unnest(conkey) with ordinality"
            " as k (number, place) inner join pg_attribute on attrelid = conrelid"
            " and attnum = number order by place) from pg_constraint"
            " where conrelid = %s::regclass and contype = 'p'",
            (self._name(),),
        ).fetchone()
        return ("", []) if row is None else (row[0], row[1])

    def _indexes(self) -> dict[str, str]:
        """Name -> definition; the name ends in a hash of the definition."""
        definitions = self.node.config.meta.get("indexes", [])
        return {
            f"{self.node.alias}__{hashlib.sha256(text.encode()).hexdigest()[:8]}": text
            for text in definitions
        }

    def _name(self) -> str:
        return self.shown.as_string(self.connection)

    def _execute(self, statement: str, **parts: sql.Composable) -> int:
        return self.connection.execute(self._sql(statement, **parts)).rowcount

    def _sql(self, statement: str, **parts: sql.Composable) -> sql.Composed:
        rest = [name for name in self.columns if name not in self.key] or self.key

        def columns(names: Sequence[str], *of: str) -> sql.Composed:
            return sql.SQL(", ").join(sql.Identifier(*of, name) for name in names)

        return sql.SQL(statement).format(
            shown=self.shown,
            next=self.next,
            key=columns(self.key),
            columns=parts.pop("columns", columns(list(self.columns))),
            next_columns=columns(list(self.columns), "next"),
            shown_rest=columns(rest, "shown"),
            next_rest=columns(rest, "next"),
            same_key=sql.SQL(" and ").join(
                sql.SQL("{} = {}").format(
                    sql.Identifier("shown", name), sql.Identifier("next", name)
                )
                for name in self.key
            ),
            set=sql.SQL(", ").join(
                sql.SQL("{} = {}").format(sql.Identifier(name), sql.Identifier("next", name))
                for name in rest
            ),
            **parts,
        )


def _relate(connection: psycopg.Connection, tables: Sequence[_Table]) -> None:
    """Declare missing foreign keys. Tools read them; PostgreSQL does not enforce them.

    A build replaces the rows of one table after the other, and an enforced key costs a lookup per
    row.
    """
    found = {
        (table, name)
        for table, name in connection.execute(
            "select relname, case contype when 'p' then 'key' else conname end from pg_constraint"
            " inner join pg_class on conrelid = pg_class.oid"
            " where contype in ('p', 'f') and relnamespace = 'marts'::regnamespace"
        )
    }
    for table in tables:
        for columns, target, key in table.foreign_keys:
            name = "_".join([table.node.alias, *columns, "fkey"])
            # a build of selected models may come before the table that is referred to
            if (table.node.alias, name) in found or (target, "key") not in found:
                continue
            connection.execute(
                sql.SQL(
                    "alter table {} add constraint {} foreign key ({}) references {} ({})"
                    " not enforced"
                ).format(
                    table.shown,
                    sql.Identifier(name),
                    sql.SQL(", ").join(map(sql.Identifier, columns)),
                    sql.Identifier(table.schema, target),
                    sql.SQL(", ").join(map(sql.Identifier, key)),
                )
            )


def _define(connection: psycopg.Connection, node: Any) -> None:
    """Create or replace a published view: dbt's view, over the published tables."""
    shown = sql.Identifier(node.schema.removesuffix(NEXT), node.alias)
    wanted = _definition(connection, sql.Identifier(node.schema, node.alias))
    # PostgreSQL normalises the text of a view, so both texts are compared after that.
    connection.execute(sql.SQL("create temporary view wanted as {}").format(wanted))
    same = connection.execute(
        "select pg_get_viewdef('pg_temp.wanted'::regclass) = pg_get_viewdef(to_regclass(%s))",
        (shown.as_string(connection),),
    ).fetchone()
    connection.execute("drop view pg_temp.wanted")
    if same != (True,):
        _replace_view(connection, node, shown, wanted)
    _comment(connection, node, shown, "view")


def _replace_view(
    connection: psycopg.Connection, node: Any, shown: sql.Identifier, wanted: sql.SQL
) -> None:
    columns = _columns(connection, shown)
    kept = list(_columns(connection, sql.Identifier(node.schema, node.alias)).items())
    if list(columns.items()) != kept[: len(columns)]:
        connection.execute(sql.SQL("drop view {} cascade").format(shown))
    # The view reads with the rights of its user, so the policies of the tables apply.
    connection.execute(
        sql.SQL("create or replace view {} with (security_invoker = true) as {}").format(
            shown, wanted
        )
    )
    connection.execute("select ops.open_to_readers(%s::regclass)", (shown.as_string(connection),))


def _definition(connection: psycopg.Connection, view: sql.Identifier) -> sql.SQL:
    """The select of a view, of the published tables instead of those in which they are built."""
    (text,) = connection.execute(
        "select regexp_replace(pg_get_viewdef(%s::regclass),"
        " '\\m(marts|reporting|reference)_next\\.', '\\1.', 'g')",
        (view.as_string(connection),),
    ).fetchone() or ("",)
    return sql.SQL(text.rstrip(";"))


def _comment(connection: psycopg.Connection, node: Any, shown: sql.Identifier, kind: str) -> None:
    """Set the descriptions of the YAML file as comments, where they differ."""
    name = shown.as_string(connection)
    described = connection.execute(
        "select null, obj_description(%(name)s::regclass, 'pg_class') union all"
        " select attname, col_description(attrelid, attnum) from pg_attribute"
        " where attrelid = %(name)s::regclass and attnum > 0 and not attisdropped",
        {"name": name},
    ).fetchall()
    for column, known in described:
        if column is None:
            text, what = node.description, sql.SQL(kind + " {}").format(shown)
        elif column in node.columns:
            text = node.columns[column].description
            what = sql.SQL("column {}.{}").format(shown, sql.Identifier(column))
        else:
            continue
        if text and text != known:
            connection.execute(sql.SQL("comment on {} is {}").format(what, sql.Literal(text)))


def vacuum(connection: psycopg.Connection, nodes: Sequence[Any]) -> None:
    """Vacuum and analyze published tables after a full build, without blocking readers."""
    for node in nodes:
        table = sql.Identifier(node.schema.removesuffix(NEXT), node.alias)
        connection.execute(
            sql.SQL("vacuum (analyze, truncate false, skip_locked) {}").format(table)
        )


class Blockers:
    """Records which sessions a build last waited for, for the error of a build that times out."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._done = threading.Event()
        self._found: list[str] = []
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Blockers:
        """Begin to watch."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop watching."""
        self._done.set()
        self._thread.join(timeout=10)  # its query may hang with the server

    def __str__(self) -> str:
        """`pid 812 (user ana, application psql, query began ...)`, one per session."""
        return ", ".join(self._found)

    def _watch(self) -> None:
        # If the database is gone, the build itself reports it.
        with (
            suppress(psycopg.Error, ServiceError),
            database.connect(self._url, application="lumbung watch") as connection,
        ):
            connection.autocommit = True
            while not self._done.wait(0.2):
                rows = connection.execute(
                    "with waiting as materialized (select pid from pg_stat_activity"
                    " where datname = current_database() and wait_event_type = 'Lock'"
                    " and application_name in ('dbt', 'lumbung build'))"
                    " select distinct b.pid, b.usename, b.application_name,"
                    " coalesce(to_char(b.query_start at time zone 'Asia/Jakarta',"
                    " 'YYYY-MM-DD HH24:MI:SS'), 'unknown')"  # hidden where rights.sql may not show
                    " from waiting cross join unnest(pg_blocking_pids(waiting.pid)) as blocker"
                    " inner join pg_stat_activity as b on b.pid = blocker"
                    " where b.application_name not in ('dbt') order by 1"
                ).fetchall()
                if rows:
                    self._found = [
                        f"pid {pid} (user {user}, application {application or 'unnamed'},"
                        f" query began {began} WIB)"
                        for pid, user, application, began in rows
                    ]


@contextmanager
def _notices(connection: psycopg.Connection) -> Iterator[list[str]]:
    """Collect the server's notices of objects that are dropped together with a column."""
    found: list[str] = []

    def keep(notice: psycopg.errors.Diagnostic) -> None:
        if notice.message_primary and notice.message_primary.startswith("drop cascades"):
            detail = f" ({notice.message_detail})" if notice.message_detail else ""
            found.append(one_line(f"{notice.message_primary}{detail}"))

    connection.add_notice_handler(keep)
    try:
        yield found
    finally:
        connection.remove_notice_handler(keep)


def _columns(connection: psycopg.Connection, relation: sql.Identifier) -> dict[str, str]:
    """Name -> type, in order; empty if there is no such relation."""
    rows = connection.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute"
        " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum",
        (relation.as_string(connection),),
    )
    return dict(rows.fetchall())
