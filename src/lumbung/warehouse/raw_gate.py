"""The raw door: whether what came in is fit to be built from."""

from __future__ import annotations

import csv
import json

from lumbung import database
from lumbung.settings import Settings
from lumbung.warehouse import checks

VOCABULARIES = ("status", "issue", "violation_type")


def check_raw(*, settings: Settings, database_url: str) -> checks.GateResult:
    """Judge what was landed since the last successful build, channel by channel.

    The checks, their severities, owners and cures are in `expectations/raw.yaml`; results go to
    `ops.check_result` and to Data Docs under `LUMBUNG_HOME/docs/checks/raw/`.

    Raises:
        GateError: when a check of severity `fail` does not hold; its message names the check, the
            channel, counts and the owner. Nothing is built then.
        ConfigurationError: when a channel file or the suite is wrong.

    """
    from lumbung.intake import contract

    channels = contract.load_channels(settings.channels)
    with database.connect(database_url, application="lumbung gate raw") as connection:
        contract.sync(connection, channels)
        row = connection.execute(
            "select coalesce(max(max_batch_id), 0) from ops.build where state = 'success'"
        ).fetchone()
        connection.commit()
        result = checks.run_suite(
            settings.expectations / "raw.yaml",
            connection=connection,
            settings=settings,
            parameters={"since": row[0] if row else 0, "known": _known_words(settings)},
        )
    for warning in result.warnings:
        print(f"warn     {warning}. {warning.cure} (owner: {warning.owner})")
    result.require()
    return result


def _known_words(settings: Settings) -> str:
    """The words of the seeds as JSON: before the first build they are not in the database."""
    words = []
    for vocabulary in VOCABULARIES:
        file = settings.dbt_project / "seeds" / f"map_{vocabulary}.csv"
        with file.open(encoding="utf-8", newline="") as lines:
            words += [{"vocabulary": vocabulary, "term": r["term"]} for r in csv.DictReader(lines)]
    return json.dumps(words)
