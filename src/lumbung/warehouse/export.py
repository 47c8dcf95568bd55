"""Write a table that readers see to a file, with the rights of who asks."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from lumbung import database
from lumbung.errors import ConfigurationError
from lumbung.settings import JAKARTA

T = TypeVar("T")

SCHEMAS = ("marts", "reporting")
"""Where a table is looked for that is named without its schema."""

CHUNK = 5000
"""Rows that are fetched at once."""

MAX_ROWS = 1_048_575
"""Rows of a sheet below its heads."""

MAX_CELL = 32_767
"""Characters of a cell of a sheet."""

MAX_EXACT = 10**15
"""A spreadsheet's number has 15 digits; a longer one is written as text."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def guarded(value: T) -> T | str:
    """Return a text that a spreadsheet would evaluate with an apostrophe before it.

    Spreadsheets evaluate a cell of a CSV file that begins with one of `FORMULA` (OWASP, "CSV
    Injection"). Numbers are not changed.
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def export(
    url: str,
    table: str,
    path: Path,
    *,
    by: str | None = None,
    bom: bool = False,
    polygons: Mapping[str, list[Any]] | None = None,
) -> int:
    """Write the rows of a table that the account of `url` may read, and return how many.

    The audit log says who exported which table; where it cannot, no file is left.

    After each column `x_code` comes `x_name` where `marts.dim_x` has one. Rows are in the order of
    the primary key. Moments are in WIB. The file replaces an earlier one only when it is complete.

    Args:
        url: the warehouse, as a reader.
        table: a table or view with or without its schema, such as `fct_report`.
        path: the file; its ending says the format: `.csv`, `.xlsx`, `.parquet`, `.geojson`.
        by: who exports it, an account; None: the program.
        bom: begin a CSV file with a byte order mark, without which Excel takes it for Latin-1.
        polygons: of each regency by its code, in degrees, for GeoJSON.

    Raises:
        ConfigurationError: when the table, the format or the folder is unknown, the workbook cannot
            hold the table, or the format needs what is not there: polygons, pyarrow.

    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    writers: dict[str, Callable[[Path, list[str], Any], int]] = {
        ".csv": partial(_write_csv, bom=bom),
        ".xlsx": _write_workbook,
        ".parquet": _write_parquet,
        ".geojson": partial(_write_geojson, polygons=polygons or {}),
    }
    if path.suffix not in writers:
        raise ConfigurationError(
            f"a table cannot be written as {path.suffix or 'a file without ending'!r}",
            where=str(path),
            remediation=f"end the file's name with one of {', '.join(writers)}",
        )
    if not path.parent.is_dir():
        raise ConfigurationError(
            f"there is no folder {path.parent}",
            where=str(path),
            remediation="make the folder, or name another one",
        )
    try:
        with database.connect(url, application="lumbung export") as connection:
            relation = _find(connection, table)
            heads, statement = _select(connection, relation)
            with connection.cursor("export") as cursor:
                cursor.itersize = CHUNK
                cursor.execute(statement)
                count = writers[path.suffix](draft, heads, cursor)
            record(connection, by, {"table": ".".join(relation), "row_count": count})
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return count


def record(connection: psycopg.Connection, by: str | None, content: Mapping[str, object]) -> None:
    """Write into the audit log what somebody takes out of the warehouse.

    Raises:
        ConfigurationError: when the role is not one that exports.

    """
    try:
        connection.execute("select editions.record_export(%s, %s)", (by, Jsonb(dict(content))))
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigurationError(
            "this role exports nothing",
            where="--role",
            remediation="use the role of a reader, such as analyst_province",
        ) from error


def _find(connection: psycopg.Connection, table: str) -> tuple[str, str]:
    """Return schema and name of a table that the account may read."""
    rows = connection.execute(
        "select nspname::text, relname::text from pg_class"
        " inner join pg_namespace on relnamespace = pg_namespace.oid"
        " where relkind in ('r', 'p', 'v', 'm') and nspname !~ '^(pg_|information_schema$)'"
        " and has_schema_privilege(pg_namespace.oid, 'usage')"
        " and has_table_privilege(pg_class.oid, 'select') order by 1, 2"
    ).fetchall()
    for schema, name in rows:
        if table == f"{schema}.{name}" or (schema in SCHEMAS and table == name):
            return schema, name
    known = ", ".join(f"{schema}.{name}" for schema, name in rows if schema in SCHEMAS)
    raise ConfigurationError(
        f"there is no table {table!r} that {connection.info.user!r} may read",
        where="export",
        remediation=f"choose one of {known}" if known else "run 'lumbung build' first",
    )


def _columns(connection: psycopg.Connection, schema: str, table: str) -> list[str]:
    rows = connection.execute(
        "select attname::text from pg_attribute where attrelid = to_regclass(%s)"
        " and attnum > 0 and not attisdropped order by attnum",
        (sql.Identifier(schema, table).as_string(connection),),
    )
    return [name for (name,) in rows]


def _key(connection: psycopg.Connection, schema: str, table: str) -> list[str]:
    """Return the columns of the primary key, in the order of the table."""
    rows = connection.execute(
        "select attname::text from pg_attribute inner join pg_index on attrelid = indrelid"
        " where indisprimary and attrelid = to_regclass(%s) and attnum = any(indkey::smallint[])"
        " order by attnum",
        (sql.Identifier(schema, table).as_string(connection),),
    )
    return [name for (name,) in rows]


def _select(
    connection: psycopg.Connection, relation: tuple[str, str]
) -> tuple[list[str], sql.Composed]:
    """Return the heads and the query, with a name after each code that has one."""
    own = _columns(connection, *relation)
    heads: list[str] = []
    selected: list[sql.Composed] = []
    joins: list[sql.Composed] = []
    for column in own:
        heads.append(column)
        selected.append(sql.SQL("t.{}").format(sql.Identifier(column)))
        subject = column.removesuffix("_code")
        name = f"{subject}_name"
        dimension = ("marts", f"dim_{subject}")
        if column == subject or name in own or dimension == relation:
            continue
        if {column, name} <= set(_columns(connection, *dimension)):
            parts = {
                "dimension": sql.Identifier(*dimension),
                "alias": sql.Identifier(dimension[1]),
                "code": sql.Identifier(column),
                "name": sql.Identifier(name),
            }
            heads.append(name)
            selected.append(sql.SQL("{alias}.{name}").format(**parts))
            joins.append(
                sql.SQL("left join {dimension} as {alias} on t.{code} = {alias}.{code}").format(
                    **parts
                )
            )
    statement = sql.SQL("select {} from {} as t {}").format(
        sql.SQL(", ").join(selected), sql.Identifier(*relation), sql.SQL(" ").join(joins)
    )
    if key := _key(connection, *relation):
        statement += sql.SQL(" order by {}").format(
            sql.SQL(", ").join(sql.Identifier("t", column) for column in key)
        )
    return heads, statement


def _write_csv(
    path: Path, heads: Sequence[str], rows: Iterable[Sequence[Any]], *, bom: bool
) -> int:
    """RFC 4180 in UTF-8; true and false in lower case, null as nothing."""
    count = 0
    with path.open("w", encoding="utf-8-sig" if bom else "utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(heads)
        for row in rows:
            writer.writerow([_text(value) for value in row])
            count += 1
    return count


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.astimezone(JAKARTA).isoformat()
    if isinstance(value, list | dict):
        return guarded(_as_json(value))
    return guarded(value)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _write_workbook(path: Path, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """One sheet, row by row; texts stay texts, days and moments are dates."""
    import xlsxwriter

    count = 0
    book = xlsxwriter.Workbook(
        path, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    sheet = book.add_worksheet("data")
    bold = book.add_format({"bold": True})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, heads, bold)
    for count, row in enumerate(rows, start=1):
        if count > MAX_ROWS:
            raise _too_large(f"more than {MAX_ROWS} rows")
        for place, value in enumerate(row):
            if value is None:
                continue
            if isinstance(value, bool):
                sheet.write_boolean(count, place, value)
            elif isinstance(value, datetime):
                local = value.astimezone(JAKARTA).replace(tzinfo=None)
                sheet.write_datetime(count, place, local, moment)
            elif isinstance(value, date):
                sheet.write_datetime(count, place, value, day)
            elif isinstance(value, int | float | Decimal) and -MAX_EXACT < value < MAX_EXACT:
                sheet.write_number(count, place, value)
            else:
                text = value if isinstance(value, str) else str(_text(value))
                if len(text) > MAX_CELL:
                    raise _too_large(f"a cell of more than {MAX_CELL} characters in {heads[place]}")
                sheet.write_string(count, place, text)
    book.close()
    return count


def _write_parquet(
    path: Path, heads: Sequence[str], rows: psycopg.ServerCursor[tuple[Any, ...]]
) -> int:
    """Typed columns: codes are text, days dates, moments in WIB, numbers with decimals doubles.

    JSON is text.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise ConfigurationError(
            "Parquet needs the package pyarrow, which is not installed",
            where="export",
            remediation="run 'pip install pyarrow', or end the file's name with .csv",
        ) from error
    kinds = {
        "bool": pyarrow.bool_(),
        "int2": pyarrow.int16(),
        "int4": pyarrow.int32(),
        "int8": pyarrow.int64(),
        "numeric": pyarrow.float64(),
        "float8": pyarrow.float64(),
        "date": pyarrow.date32(),
        "timestamptz": pyarrow.timestamp("us", tz=str(JAKARTA)),
    }
    fields: list[Any] = []
    casts: list[Callable[[Any], Any] | None] = []
    for name, column in zip(heads, rows.description or (), strict=True):
        known = psycopg.adapters.types.get(column.type_code)
        is_list = known is not None and column.type_code == known.array_oid
        kind = kinds.get(known.name if known else "", pyarrow.string())
        fields.append(pyarrow.field(name, pyarrow.list_(kind) if is_list else kind))
        is_json = known is not None and known.name == "jsonb"
        casts.append(
            float if kind == pyarrow.float64() and not is_list else _as_json if is_json else None
        )
    schema = pyarrow.schema(fields)
    count = 0
    with parquet.ParquetWriter(path, schema) as writer:
        while chunk := rows.fetchmany(CHUNK):
            columns = [
                [None if value is None else cast(value) for value in column] if cast else column
                for cast, column in zip(casts, zip(*chunk, strict=True), strict=True)
            ]
            writer.write_table(pyarrow.table(columns, schema=schema))
            count += len(chunk)
    return count


def _write_geojson(
    path: Path,
    heads: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    polygons: Mapping[str, list[Any]],
) -> int:
    """RFC 7946: a feature per row with the polygons of its regency; null where it has none."""
    if "regency_code" not in heads:
        raise ConfigurationError(
            "only a table with the column regency_code can be drawn on a map",
            where="export",
            remediation="choose such a table, or end the file's name with .csv",
        )
    if not polygons:
        raise ConfigurationError(
            "the boundaries of the regencies are not known",
            where="config/edition.yaml",
            remediation="set boundary_file to the office's GeoJSON of its regencies",
        )
    place = list(heads).index("regency_code")
    count = 0
    with path.open("w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        for count, row in enumerate(rows, start=1):
            found = polygons.get(row[place])
            feature = {
                "type": "Feature",
                "geometry": {"type": "MultiPolygon", "coordinates": found} if found else None,
                "properties": {head: _plain(value) for head, value in zip(heads, row, strict=True)},
            }
            file.write(",\n" if count > 1 else "\n")
            json.dump(feature, file, ensure_ascii=False)
        file.write("\n]}\n")
    return count


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.astimezone(JAKARTA).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def _too_large(what: str) -> ConfigurationError:
    return ConfigurationError(
        f"a workbook cannot hold the table: it has {what}",
        where="export",
        remediation="write a .csv file instead",
    )
