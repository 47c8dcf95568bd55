"""Databases that SQLAlchemy reads: PostgreSQL, MySQL, MariaDB, and SQLite files in a folder.

A row's source id is made of the channel's key columns. Without a `cursor` column, every pull reads
all rows, and missing rows are withdrawn. With one, a pull reads the rows whose value is not less
than the greatest known value minus `overlap`, and the rows without a value; all rows are read once
in `full_every`. One statement reads all rows, so they are the rows of one moment.

`received_at` is the time of the pull, or of the file, because a database does not record when it
received a row. Values that JSON does not have become text: times in ISO 8601, decimals with all
digits, up to 64 bytes in hexadecimal. Longer bytes go to the evidence store.

Each SQLite file is a separate listing, like a workbook of a register.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import (
    URL,
    ColumnClause,
    Connection,
    Select,
    column,
    create_engine,
    false,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from lumbung.database import DEAD_PEER
from lumbung.errors import SourceError
from lumbung.intake.channel.labels import distinct, normalise
from lumbung.intake.connectors.base import (
    Checkpoint,
    Delivery,
    Item,
    SeenIds,
    Source,
    SourceConnection,
    Unreadable,
)
from lumbung.intake.connectors.shared.files import File, Folder
from lumbung.intake.connectors.shared.http import received
from lumbung.intake.connectors.sql.config import SqlSource
from lumbung.intake.evidence import Evidence, TooLargeError

PAGE = 1_000
"""Rows that are fetched at once, and kept as one file of evidence."""

SQLITE = b"SQLite format 3\0"
"""The first bytes of an SQLite file (https://www.sqlite.org/fileformat.html)."""

MAX_STEPS = 500
"""Millions of instructions that reading an SQLite file may take, enough for 10 million rows."""

MAX_SECONDS = 600
"""Seconds that the next rows of a file or a server may take."""

MAX_VALUE = 16 << 20
"""Bytes of a value or row of an SQLite file."""

_STEP = 10_000
_FILE_PAGE = 16  # rows of a file that are fetched at once
_HARMLESS = frozenset(
    {
        *("abs", "avg", "coalesce", "count", "date", "datetime", "ifnull", "iif", "julianday"),
        *("length", "lower", "max", "min", "nullif", "round", "strftime", "substr", "substring"),
        *("sum", "time", "total", "unixepoch", "upper"),
    }
)
"""Functions that a view of a file may call: none takes longer than its arguments are."""
_VIRTUAL = 2  # in SQLite's pragma table_xinfo: a column that is computed when it is read
_DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
}
"""Airflow's type of a connection -> SQLAlchemy's dialect and driver that are installed."""

_TIMEOUT_SECONDS = 60
_SHORT = 64  # bytes: an id or a hash, not a document
_OVERLAP = timedelta(hours=1)
_OVERLAP_NUMBERS = 1_000
_SAFE_INTEGER = 1 << 63


class _UnknownColumnError(Exception):
    """The table or query lacks a column."""


def read(source: Source) -> Iterator[Item]:
    """The rows since the last pull, or all; a `Checkpoint` at the end, or after each file."""
    options = source.channel.source
    assert isinstance(options, SqlSource)  # noqa: S101 - the kind says so
    if source.connection is None:
        folder = Folder(source, options.files)
        yield from folder.items(partial(_file, source, options), is_listing=True)
    else:
        yield from _server(source, options, source.connection)


# -- servers ---------------------------------------------------------------------------------------


def _server(source: Source, options: SqlSource, connection: SourceConnection) -> Iterator[Item]:
    where = f"channel {source.channel.name}, connection {source.channel.connection}"
    began = datetime.now(UTC)
    full_at = received(source.cursor.get("full_at"))
    known = source.cursor.get("since") or {}
    is_full = (
        options.cursor is None
        or known.get("column") != options.cursor
        or full_at is None
        or began - full_at >= options.full_every
    )
    greatest = _Greatest(known)
    is_connected = False
    try:
        with _connect(connection) as database:
            is_connected = True
            if database.dialect.name in ("mysql", "mariadb"):
                database.exec_driver_sql("set session transaction read only")
                database.rollback()
            relation = _Relation.of(database, options, source.channel.key)
            since = None
            if is_full:
                greatest = _Greatest({})
            else:
                since = greatest.less(options.overlap, source, began, where)
            pages = relation.pages(database, since, source.evidence)
            items = _Items(source, relation, began)
            for rows in pages:
                kept = source.evidence.keep(BytesIO(orjson.dumps([fields for fields, _ in rows])))
                for number, (fields, value) in enumerate(rows, 1):
                    greatest.note(value, where)
                    yield items.item(fields, kept.sha256, f"baris {number}")
    except _UnknownColumnError as error:
        raise SourceError(
            str(error),
            where=where,
            remediation="correct key or cursor in the channel file, or add the column to its query",
        ) from error
    except (SQLAlchemyError, ImportError) as error:
        cause = getattr(error, "orig", None) or error
        text = _code(cause) if is_connected else str(cause)
        raise SourceError(
            f"the database cannot be read: {type(cause).__name__} {text}".rstrip(),
            where=where,
            remediation="check type, host, port, schema (the database), login and password of the"
            " connection, its right to select, and table or query in the channel file",
        ) from None
    if options.cursor is None:
        yield Checkpoint({}, "")
        return
    since_now = (
        {"column": options.cursor, **greatest.kept(source, began)} if greatest.is_known else {}
    )
    last_full = began.isoformat() if is_full else source.cursor["full_at"]
    yield Checkpoint({"since": since_now, "full_at": last_full}, "" if is_full else None)


def _code(error: BaseException) -> str:
    """PostgreSQL's SQLSTATE or MySQL's number: the text of an error may quote a row's values."""
    state = getattr(error, "sqlstate", None)
    number = error.args[0] if error.args and isinstance(error.args[0], int) else ""
    return str(state or number)


def _connect(given: SourceConnection) -> Connection:
    kind = given.conn_type or ""
    driver = _DRIVERS.get(kind, kind)
    address = URL.create(
        driver, given.login, given.password, given.host, given.port, given.schema or None
    )
    patience: dict[str, object] = {}
    if driver == _DRIVERS["postgres"]:
        patience = {
            "connect_timeout": _TIMEOUT_SECONDS,
            "options": f"-c statement_timeout={MAX_SECONDS}s",
            **DEAD_PEER,
        }
    elif driver == _DRIVERS["mysql"]:
        patience = {"connect_timeout": _TIMEOUT_SECONDS, "read_timeout": MAX_SECONDS}
    engine = create_engine(
        address,
        poolclass=NullPool,
        connect_args={**patience, **given.extra},
        execution_options={"postgresql_readonly": True} if "postgresql" in driver else {},
    )
    try:
        return engine.connect()
    except TypeError as error:  # the driver does not know a key of `extra`
        raise ArgumentError(str(error)) from error


class _Greatest:
    """The greatest value of the cursor column."""

    def __init__(self, kept: Mapping[str, Any]) -> None:
        self._value: Any = kept.get("value")
        if kept.get("type") == "datetime":
            self._value = datetime.fromisoformat(kept["value"])
        elif kept.get("type") == "date":
            self._value = date.fromisoformat(kept["value"])

    @property
    def is_known(self) -> bool:
        """Whether a row had a value."""
        return self._value is not None

    def note(self, value: Any, where: str) -> None:
        """Note a row's value.

        Raises:
            SourceError: when values of this type have no order.
        """
        if isinstance(value, Decimal) and value == value.to_integral_value():
            value = int(value)
        if value is None or (isinstance(value, str) and not value.strip()):
            return
        if isinstance(value, str):
            try:
                datetime.fromisoformat(value)
            except ValueError:
                raise _no_cursor(where) from None
        if isinstance(value, bool) or not isinstance(value, int | str | date):
            raise _no_cursor(where)
        try:
            if self._value is None or value > self._value:
                self._value = value
        except TypeError:  # the column's type was changed
            self._value = value

    def less(self, overlap: Any, source: Source, now: datetime, where: str) -> Any:
        """Where the next pull begins; never after now, so a row dated in the future hides nothing.

        Raises:
            SourceError: when the overlap does not fit the column.
        """
        value = self._value
        is_number = isinstance(value, int)
        if overlap is not None and is_number != isinstance(overlap, int):
            fitting = "a whole number, e.g. 1000" if is_number else "a duration, e.g. '1 hour'"
            raise SourceError(
                "the cursor column and its overlap do not fit",
                where=where,
                remediation=f"write {fitting} as source.overlap",
            )
        if isinstance(value, int):
            return value - (_OVERLAP_NUMBERS if overlap is None else overlap)
        step = _OVERLAP if overlap is None else overlap
        value = _bounded(value, source, now)
        if isinstance(value, str):
            return _as_text(datetime.fromisoformat(value) - step, value)
        if isinstance(value, datetime):
            return value - step
        return (datetime.combine(value, time()) - step).date()

    def kept(self, source: Source, now: datetime) -> dict[str, Any]:
        """The value as JSON, for the channel's cursor; never after now.

        The next pull would bound a later value by its own time, and so pass over what changed
        between the two.
        """
        value = _bounded(self._value, source, now)
        if isinstance(value, date):
            kind = "datetime" if isinstance(value, datetime) else "date"
            return {"type": kind, "value": value.isoformat()}
        return {"type": "", "value": value}


def _bounded(value: Any, source: Source, now: datetime) -> Any:
    """A value of the cursor column, or now in its form if it is a time after now."""
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
        bounded = _bounded(moment, source, now)
        return value if bounded == moment else _as_text(bounded, value)
    local = now.astimezone(ZoneInfo(source.channel.timezone)).replace(tzinfo=None)
    if isinstance(value, datetime):
        return min(value, now.astimezone(value.tzinfo) if value.tzinfo else local)
    return min(value, local.date()) if isinstance(value, date) else value


def _as_text(value: datetime, form: str) -> str:
    """A time as text in the form of another: a date, or with its separator."""
    return value.isoformat(form[10:11]) if len(form) > 10 else f"{value:%Y-%m-%d}"


def _no_cursor(where: str) -> SourceError:
    return SourceError(
        "the cursor column holds neither times, nor dates, nor whole numbers",
        where=where,
        remediation="name another column as source.cursor, or remove it: every pull then reads "
        "all rows",
    )


# -- SQLite files ----------------------------------------------------------------------------------


def _file(source: Source, options: SqlSource, file: File) -> Iterator[Delivery | Unreadable]:
    with file.content.open("rb") as stream:
        if stream.read(len(SQLITE)) != SQLITE:
            reason = "berkas ini bukan basis data SQLite; kirim basis datanya sendiri"
            yield file.unreadable("unreadable_file", reason)
            return
    limits = _Limits()
    try:
        with (
            _in_clear(file) as path,
            create_engine(
                "sqlite://", creator=partial(_opened, path, options, limits), poolclass=NullPool
            ).connect() as database,
        ):
            relation = _Relation.of(database, options, source.channel.key)
            items = _Items(source, relation, file.changed_at, file)
            number = 0
            for rows in relation.pages(database, None, source.evidence, _FILE_PAGE):
                for fields, _ in rows:
                    number += 1
                    yield items.item(fields, file.sha256, file.locator(f"baris {number}"))
                limits.begin()
    except _UnknownColumnError:
        reason = "kolom kunci tidak ada dalam basis data ini; periksa berkas saluran"
        yield file.unreadable("header_not_found", reason)
    except SQLAlchemyError:
        reason = (
            "basis data ini rusak, belum terkirim utuh, atau tidak berisi tabel yang diminta;"
            " tutup aplikasinya, salin ulang dan kirim kembali"
        )
        yield file.unreadable("unreadable_file", reason)


@contextmanager
def _in_clear(file: File) -> Iterator[Path]:
    """A copy of a file for SQLite, which opens a path and deletes it then."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "basis-data"
        with file.content.open("rb") as stream, path.open("wb") as copy:
            shutil.copyfileobj(stream, copy, 1 << 20)
        yield path


class _Limits:
    """Stops a query that takes too many instructions, or too long for its next rows."""

    def __init__(self) -> None:
        self._steps = 0
        self.begin()

    def begin(self) -> None:
        """Measure the time from now on: the next rows are fetched."""
        self._until = monotonic() + MAX_SECONDS

    def __call__(self) -> bool:
        """Whether to stop; called after each `_STEP` instructions."""
        self._steps += _STEP
        return self._steps >= MAX_STEPS * 1_000_000 or monotonic() > self._until


def _opened(path: Path, options: SqlSource, limits: _Limits) -> sqlite3.Connection:
    """A database, opened for reading only, with limits.

    Its sender also wrote its schema: a view instead of a table, or a column, may call functions
    that need much memory or time in one instruction, or compute without end. A view may call
    `_HARMLESS` functions only, and a table may have no column that is computed when it is read.

    Raises:
        sqlite3.DatabaseError: when a table has such a column.
    """
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)
    path.unlink()  # it is open: a process that is killed leaves no copy in clear
    connection.execute("pragma trusted_schema = off")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE)
    connection.set_progress_handler(limits, _STEP)
    views = {
        name.casefold()
        for (name,) in connection.execute("select name from sqlite_schema where type = 'view'")
    }
    computed = connection.execute(
        "select 1 from sqlite_schema as t, pragma_table_xinfo(t.name) as c"
        " where t.type = 'table' and t.sql not like 'create virtual %' and c.hidden = ?",
        (_VIRTUAL,),
    )
    if computed.fetchone():
        raise sqlite3.DatabaseError("a column is computed when it is read")
    ours = {*re.findall(r"\w+", (options.query or "").casefold())} - views

    def judge(action: int, _: object, function: str | None, __: object, within: str | None) -> int:
        """Refuse a function in a view; `within` may also name a part of the channel's own query."""
        if action == sqlite3.SQLITE_FUNCTION and within and within.casefold() not in ours:
            return sqlite3.SQLITE_OK if function in _HARMLESS else sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK

    connection.set_authorizer(judge)
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    return connection


# -- rows ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Relation:
    """A table or query, and its columns.

    Attributes:
        statement: selects all rows.
        names: all columns in their order; two may have the same name.
        key: the columns of the key.
        cursor: the column that grows.
    """

    statement: Select[Any]
    names: Sequence[str]
    key: Sequence[str]
    cursor: str | None

    @classmethod
    def of(cls, database: Connection, options: SqlSource, key: Sequence[str]) -> _Relation:
        """Read which columns there are.

        Raises:
            _UnknownColumnError: when the key or cursor column is missing.
        """
        statement = select(text("*")).select_from(_from(options))
        names = list(database.execute(statement.where(false())).keys())
        known = {normalise(name): name for name in reversed(names)}
        cursor = options.cursor if database.dialect.name != "sqlite" else None
        for name in (*key, *((cursor,) if cursor else ())):
            if normalise(name) not in known:
                raise _UnknownColumnError(
                    f"there is no column {name!r}; there are {', '.join(names)}"
                )
        return cls(
            statement,
            names,
            [known[normalise(name)] for name in key],
            known[normalise(cursor)] if cursor else None,
        )

    def pages(
        self, database: Connection, since: Any, evidence: Evidence, size: int = PAGE
    ) -> Iterator[list[tuple[dict[str, Any], Any]]]:
        """The rows in the order of their keys, each with its value of the cursor column.

        Args:
            database: the database.
            since: the least value of the cursor column; None for all rows.
            evidence: stores long bytes.
            size: how many rows are fetched at once.
        """
        statement = self.statement
        if since is not None and self.cursor is not None:
            grown: ColumnClause[Any] = column(self.cursor)
            statement = statement.where(or_(grown >= since, grown.is_(None)))
        labels: list[str] = []
        reached: dict[str, int] = {}
        for name in self.names:
            labels.append(distinct(name, {*labels}, reached))
        at = None if self.cursor is None else list(self.names).index(self.cursor)
        ordered = statement.order_by(*(column(name) for name in self.key))
        options = {"stream_results": True, "yield_per": size}
        with database.execute(ordered, execution_options=options) as result:
            for rows in result.partitions(size):
                yield [
                    (
                        {
                            label: _value(value, evidence)
                            for label, value in zip(labels, row, strict=True)
                            if value is not None
                        },
                        None if at is None else row[at],
                    )
                    for row in rows
                ]


def _from(options: SqlSource) -> Any:
    if options.query is not None:
        query = options.query.strip().rstrip(";").replace(":", "\\:")  # a colon begins no parameter
        return text(f"({query}) as lumbung_rows")
    schema, _, name = (options.table or "").rpartition(".")
    return table(name, schema=schema or None)


class _Items:
    """Turns rows into items; if two rows with one key differ, the first one counts."""

    def __init__(
        self, source: Source, relation: _Relation, received_at: datetime, file: File | None = None
    ) -> None:
        self._key = relation.key
        self._received_at = received_at
        self._file = file
        self._seen = SeenIds()
        self._labels = tuple(dict.fromkeys(relation.names))
        known = {normalise(name): name for name in relation.names}
        self._required = [(name,) for name in relation.key] + [
            tuple(known.get(normalise(label), label) for label in field.labels)
            for field in source.channel.fields.values()
            if field.required
        ]

    def item(self, fields: dict[str, Any], evidence: bytes, locator: str) -> Delivery | Unreadable:
        """A row as a delivery, or as an unreadable one."""
        missing = [
            names[0] for names in self._required if not any(_is_filled(fields, n) for n in names)
        ]
        has_key = all(_is_filled(fields, name) for name in self._key)
        source_id = _source_id(fields, self._key) if has_key else None
        rest = (fields, self._received_at, evidence, locator, source_id)
        if missing or source_id is None:
            names = ", ".join(dict.fromkeys(missing))
            reason = f"kolom {names} kosong; lengkapi di basis data sumbernya"
            return Unreadable("required_field_missing", reason, *rest)
        is_first = self._seen.add(source_id)
        content = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS).decode()
        if self._seen.add(f"{source_id}\0{content}") and not is_first:
            reason = (
                f"{', '.join(self._key)} baris ini sudah dipakai baris lain yang isinya berbeda;"
                " pilih kolom kunci yang berbeda di setiap baris"
            )
            return Unreadable("key_repeated", reason, *rest)
        file = self._file
        return Delivery(
            *(source_id, self._received_at, fields, evidence, locator),
            is_repeat=file is not None and file.is_repeat,
            file=None if file is None else file.name,
            labels=self._labels,
        )


def _is_filled(fields: Mapping[str, Any], name: str) -> bool:
    return str(fields.get(name, "")).strip() != ""


def _source_id(fields: Mapping[str, Any], key: Sequence[str]) -> str:
    """The value of the key's column; of several columns a JSON list, which is unambiguous."""
    values = [str(fields[name]) for name in key]
    return values[0] if len(values) == 1 else orjson.dumps(values).decode()


def _value(value: Any, evidence: Evidence) -> Any:
    """A value as JSON."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if -_SAFE_INTEGER <= value < _SAFE_INTEGER else str(value)
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return _bytes(bytes(value), evidence)
    if isinstance(value, Mapping):
        return {str(name): _value(each, evidence) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_value(each, evidence) for each in value]
    return str(value)


def _bytes(value: bytes, evidence: Evidence) -> Any:
    if len(value) <= _SHORT:
        return value.hex()
    try:
        kept = evidence.keep(BytesIO(value))
    except TooLargeError:
        return {"not_kept": "too large", "size": len(value)}
    return {"sha256": kept.sha256.hex(), "size": kept.size, "type": kept.media_type}
