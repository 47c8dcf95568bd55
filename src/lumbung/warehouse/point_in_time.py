"""The warehouse as known at a moment, built in schemas of its own beside the current ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
import yaml
from psycopg import sql

from lumbung import database
from lumbung.errors import BuildError
from lumbung.settings import JAKARTA, Settings
from lumbung.warehouse import build as warehouse_build
from lumbung.warehouse import dbt_runner
from lumbung.warehouse.roles import role_url

SUFFIX = "_point_in_time"
"""Suffix of every schema of such a build (`marts_point_in_time`). `transformer` makes
them, and `publisher` may read marts and reporting."""


WAIT = "1h"
"""How long such a build waits for another one."""


@dataclass(frozen=True)
class PointInTime:
    """The warehouse as known at a moment.

    Attributes:
        schema_suffix: suffix of the names of its schemas.
        max_batch_id: the last batch of `raw` that it holds; 0 when there was none.
        hold_ids: the holds on channels that it applies.

    """

    schema_suffix: str
    max_batch_id: int
    hold_ids: tuple[int, ...] = ()


@contextmanager
def as_known_at(
    moment: datetime, *, settings: Settings, database_url: str
) -> Iterator[PointInTime]:
    """Build the warehouse from what had been landed by a moment.

    Field maps, vocabularies and link decisions are the current ones. Every model and test runs as
    in any build, but in schemas of its own. They are dropped at the end or, after a kill, by the
    next call. The marts and `ops.build` do not change.

    Args:
        moment: with a time zone. What was landed later is left out; what was in quarantine at that
            moment is counted as quarantined.
        settings: name the project and `LUMBUNG_HOME`.
        database_url: the warehouse, as `roles.role_url` takes it; the build is of `transformer`.

    Raises:
        BuildError: when a model or a test fails.

    """
    transformer = role_url(database_url, "transformer")
    with database.session(transformer, application="lumbung point in time") as connection:
        connection.execute(f"set lock_timeout = '{WAIT}'".encode())
        try:
            connection.execute("select pg_advisory_lock(hashtext('lumbung.point_in_time'))")
        except psycopg.errors.LockNotAvailable as error:
            raise BuildError(
                f"another build as known at a moment has not finished within {WAIT}",
                where="schemas *_point_in_time",
                remediation="wait for it, or end its process, then run the same again",
            ) from error
        found = PointInTime(SUFFIX, last_known(connection, moment), holds(connection, moment))
        _drop(connection, settings)
        try:
            _build(found, moment, settings, transformer)
            for schema in ("marts", "reporting"):
                connection.execute(
                    f"grant usage on schema {schema}{SUFFIX} to publisher;"
                    f" grant select on all tables in schema {schema}{SUFFIX} to publisher".encode()
                )
            yield found
        finally:
            if not connection.closed:
                _drop(connection, settings)


def last_known(connection: psycopg.Connection, moment: datetime) -> int:
    """The last batch of which it and all batches before it were landed by a moment, or 0.

    A batch takes its id before it is landed, so ids need not be in the order of landing: where a
    batch was landed after the moment, every batch with a higher id is left out too.
    """
    row = connection.execute(
        "select coalesce((select min(batch_id) - 1 from raw.batch where landed_at > %s),"
        " (select max(batch_id) from raw.batch), 0)",
        (moment,),
    ).fetchone()
    return int(row[0]) if row else 0


def holds(connection: psycopg.Connection, moment: datetime) -> tuple[int, ...]:
    """The holds that were not released by a moment, also those that were set after it.

    Rows that fail a check are left out even if the check ran only after the moment.
    """
    return tuple(
        hold_id
        for (hold_id,) in connection.execute(
            "select hold_id from ops.channel_hold where coalesce(released_at > %s, true)"
            " order by hold_id",
            (moment,),
        )
    )


def _build(found: PointInTime, moment: datetime, settings: Settings, database_url: str) -> None:
    values = {
        "schema_suffix": found.schema_suffix,
        "max_batch_id": found.max_batch_id,
        "hold_ids": list(found.hold_ids),
        "as_known_at": moment.isoformat(),
        "as_of_date": moment.astimezone(JAKARTA).date().isoformat(),
    }
    where: dict[str, Any] = {
        "settings": settings, "database_url": database_url, "target": "point_in_time",
    }  # fmt: skip
    # Parsing the project depends on this variable alone. With the moment among the variables, dbt
    # would parse all of it again for each moment.
    named = json.dumps({"schema_suffix": found.schema_suffix})
    arguments = [*warehouse_build.BUILD, "--full-refresh", "--vars", json.dumps(values)]
    try:
        manifest = dbt_runner.invoke_dbt(["--no-write-json", "parse", "--vars", named], **where)
        dbt_runner.raise_failed(dbt_runner.run_dbt(arguments, **where, manifest=manifest))
    except BuildError as error:
        raise BuildError(
            f"the warehouse as known on {moment:%Y-%m-%d} cannot be built: {error.what}",
            where=error.where,
            remediation=f"read {settings.home / 'dbt' / 'logs' / 'dbt.log'}; an edition as known"
            " now needs no such build",
        ) from error


def schemas(settings: Settings) -> list[str]:
    """The schemas that dbt fills: `+schema` in `dbt_project.yml`."""
    file = settings.dbt_project / "dbt_project.yml"
    found = []

    def collect(options: dict[str, Any]) -> None:
        for name, value in options.items():
            if name == "+schema":
                found.append(value)
            elif isinstance(value, dict):
                collect(value)

    collect(yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader))
    return found


def _drop(connection: psycopg.Connection, settings: Settings) -> None:
    for schema in schemas(settings):
        name = sql.Identifier(schema + SUFFIX)
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(name))
