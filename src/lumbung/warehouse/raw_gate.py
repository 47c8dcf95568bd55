"""The raw door: whether what came in is fit to be built from."""

from __future__ import annotations

import csv
import json
import re
from typing import Any

import yaml
from psycopg import sql

from lumbung import database
from lumbung.settings import Settings
from lumbung.warehouse import checks


def check_raw(*, settings: Settings, database_url: str) -> checks.GateResult:
    """Judge what was landed since the last successful build, channel by channel.

    The checks, their severities, owners and cures are in `expectations/raw.yaml`; results go to
    `ops.check_result` and to Data Docs under `LUMBUNG_HOME/docs/checks/raw/`. A channel whose file
    has mistakes is judged by what its file said before.

    Raises:
        GateError: when a check of severity `fail` does not hold; its message names the check, the
            channel, counts and the owner. Nothing is built then.
        ConfigurationError: when the suite is wrong.

    """
    from lumbung.intake import contract

    channels, mistakes = contract.read_channels(settings.channels)
    for stopped in contract.stopped(mistakes):
        print(f"warn     {stopped}")
    with database.connect(database_url, application="lumbung gate raw") as connection:
        contract.sync(connection, channels, mistakes)
        row = connection.execute(
            "select coalesce(max(max_batch_id), 0) from ops.build where state = 'success'"
        ).fetchone()
        connection.commit()
        since = int(row[0]) if row else 0
        variables = _variables(settings)
        result = checks.run_suite(
            settings.expectations / "raw.yaml",
            connection=connection,
            settings=settings,
            parameters={
                "since": since,
                "from_record": (since + 1) << 20,
                "known": _known_words(settings),
                "term_key": _macro(settings, "term_key", "part"),
                "names_nobody": _macro(settings, "names_nobody", "word"),
                "blank": json.dumps(variables["blank_words"]),
                "max_value_bytes": variables["max_value_bytes"],
            },
        )
    for warning in result.warnings:
        print(f"warn     {warning}. {warning.cure} (owner: {warning.owner})")
    result.require()
    return result


def _known_words(settings: Settings) -> str:
    """The words of the seeds as JSON: before the first build they are not in the database."""
    words = []
    for file in sorted((settings.dbt_project / "seeds").glob("map_*.csv")):
        with file.open(encoding="utf-8", newline="") as lines:
            words += [
                {"vocabulary": file.stem.removeprefix("map_"), "term": row["term"]}
                for row in csv.DictReader(lines)
            ]
    return json.dumps(words)


def _variables(settings: Settings) -> dict[str, Any]:
    """The variables of the dbt project, so that the gate reads values as the build does."""
    project = yaml.safe_load((settings.dbt_project / "dbt_project.yml").read_text(encoding="utf-8"))
    variables: dict[str, Any] = project["vars"]
    return variables


def _macro(settings: Settings, name: str, column: str) -> sql.SQL:
    """A macro of the dbt project over a column, so that the door reads words as the build does."""
    macros = (settings.dbt_project / "macros" / "text.sql").read_text(encoding="utf-8")
    found = re.search(rf"macro {name}\(text\).*?-#\}}(.*?)\{{%- endmacro", macros, re.DOTALL)
    assert found, f"macros/text.sql has no {name}"  # noqa: S101 - every run of the door needs it
    return sql.SQL(found[1].replace("{{ text }}", column))
