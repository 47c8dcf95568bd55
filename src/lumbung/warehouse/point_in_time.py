"""What was known at a moment: the warehouse built once more, beside the one that readers see."""

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

SUFFIX = "_then"
"""Of every schema that dbt fills: `marts_then`. Nobody but the owner may look into them."""


@dataclass(frozen=True)
class Past:
    """A warehouse of the past.

    Attributes:
        schema_suffix: what its schemas' names end with.
        max_batch_id: the last batch of `raw` that is in it; 0 when there was none.
        hold_ids: the holds on channels that it respects.

    """

    schema_suffix: str
    max_batch_id: int
    hold_ids: tuple[int, ...] = ()


@contextmanager
def known_at(moment: datetime, *, settings: Settings, database_url: str) -> Iterator[Past]:
    """Build what had been landed by a moment, by today's maps, vocabularies and links.

    Every model and test runs as in any build, but in schemas of its own, which are dropped at the
    end (or, after a kill, by the next call). The marts and `ops.build` are not touched.

    Args:
        moment: aware; what was landed later is left out, and what was in quarantine then is there.
        settings: where the project and `LUMBUNG_HOME` are.
        database_url: the warehouse, as a role that may make schemas.

    Raises:
        BuildError: when a model or a test fails.

    """
    with database.connect(database_url, application="lumbung past") as connection:
        connection.autocommit = True
        connection.execute("select pg_advisory_lock(hashtext('lumbung.past'))")
        found = Past(SUFFIX, last_known(connection, moment), holds(connection, moment))
        _drop(connection, settings)
        try:
            _build(found, moment, settings, database_url)
            yield found
        finally:
            if not connection.closed:
                _drop(connection, settings)


def last_known(connection: psycopg.Connection, moment: datetime) -> int:
    """The batch up to which everything had been landed at a moment; 0 when nothing had.

    Ids are taken before they are landed: a batch above one that came later is left out with it.
    """
    row = connection.execute(
        "select coalesce((select min(batch_id) - 1 from raw.batch where landed_at > %s),"
        " (select max(batch_id) from raw.batch), 0)",
        (moment,),
    ).fetchone()
    return int(row[0]) if row else 0


def holds(connection: psycopg.Connection, moment: datetime) -> tuple[int, ...]:
    """The holds that were not released by a moment, whenever they were noticed.

    What a check did not trust once it was looked at was not trusted before either.
    """
    return tuple(
        hold_id
        for (hold_id,) in connection.execute(
            "select hold_id from ops.channel_hold where coalesce(released_at > %s, true)"
            " order by hold_id",
            (moment,),
        )
    )


def _build(found: Past, moment: datetime, settings: Settings, database_url: str) -> None:
    values = {
        "schema_suffix": found.schema_suffix,
        "max_batch_id": found.max_batch_id,
        "hold_ids": list(found.hold_ids),
        "known_at": moment.isoformat(),
        "as_of_date": moment.astimezone(JAKARTA).date().isoformat(),
    }
    try:
        warehouse_build.raise_failed(
            warehouse_build.run_dbt(
                [
                    "--no-write-json",
                    *warehouse_build.BUILD,
                    "--full-refresh",
                    "--vars",
                    json.dumps(values),
                ],
                settings=settings,
                database_url=database_url,
                target="then",
            )
        )
    except BuildError as error:
        raise BuildError(
            f"what was known on {moment:%Y-%m-%d} cannot be built: {error.what}",
            where=error.where,
            remediation=f"read {settings.home / 'dbt' / 'logs' / 'dbt.log'}; an edition of what "
            f"is known"
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

    collect(yaml.safe_load(file.read_text(encoding="utf-8")))
    return found


def _drop(connection: psycopg.Connection, settings: Settings) -> None:
    for schema in schemas(settings):
        name = sql.Identifier(schema + SUFFIX)
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(name))
