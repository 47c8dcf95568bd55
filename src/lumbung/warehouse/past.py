"""What was known at a moment: the warehouse built once more, beside the one that readers see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import psycopg
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

    """

    schema_suffix: str
    max_batch_id: int


@contextmanager
def known_at(moment: datetime, *, settings: Settings, database_url: str) -> Iterator[Past]:
    """Build what had been landed by a moment, by today's maps, vocabularies and links.

    Every model and test runs as in any build, but in schemas of its own, which are dropped at the
    end (or, after a kill, by the next call). The marts and `ops.build` are not touched.

    Args:
        moment: aware; batches landed later are left out.
        settings: where the project and `LUMBUNG_HOME` are.
        database_url: the warehouse, as a role that may make schemas.

    Raises:
        BuildError: when a model or a test fails.

    """
    with database.connect(database_url, application="lumbung past") as connection:
        connection.autocommit = True
        connection.execute("select pg_advisory_lock(hashtext('lumbung.past'))")
        row = connection.execute(
            "select coalesce(max(batch_id), 0) from raw.batch where landed_at <= %s", (moment,)
        ).fetchone()
        found = Past(SUFFIX, int(row[0]) if row else 0)
        _drop(connection)
        try:
            _build(found, moment, settings, database_url)
            yield found
        finally:
            if not connection.closed:
                _drop(connection)


def _build(found: Past, moment: datetime, settings: Settings, database_url: str) -> None:
    folder = settings.home / "dbt" / "then"
    values = {
        "schema_suffix": found.schema_suffix,
        "max_batch_id": found.max_batch_id,
        "as_of_date": moment.astimezone(JAKARTA).date().isoformat(),
    }
    with warehouse_build.dbt_environment(database_url):
        from dbt.cli.main import dbtRunner

        outcome = dbtRunner().invoke([
            "--log-level", "none", "--log-level-file", "info",
            "--log-path", str(folder / "logs"), "--no-use-colors", "--no-write-json",
            "build", "--full-refresh",
            "--project-dir", str(settings.dbt_project),
            "--profiles-dir", str(settings.dbt_project),
            "--target-path", str(folder / "target"),
            "--exclude-resource-type", "unit_test", "--exclude-resource-type", "exposure",
            "--vars", json.dumps(values),
        ])  # fmt: skip
    if outcome.success:
        return
    results = [] if outcome.result is None else list(outcome.result.results)
    failed = [r for r in results if str(r.status) in ("error", "fail", "runtime error")]
    what = f"{failed[0].node.name}: {failed[0].message}" if failed else str(outcome.exception)
    raise BuildError(
        f"what was known on {moment:%Y-%m-%d} cannot be built: {' '.join(what.split())}",
        where=str(settings.dbt_project),
        cure=f"read {folder / 'logs' / 'dbt.log'}; an edition of what is known now needs no such "
        "build",
    )


def _drop(connection: psycopg.Connection) -> None:
    for layer in ("staging", "intermediate", "marts", "reporting", "reference", "checks"):
        name = sql.Identifier(layer + SUFFIX)
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(name))
