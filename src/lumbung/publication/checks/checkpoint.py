"""The publication checkpoint: checks a frozen draft before a person is asked to approve it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from lumbung import database
from lumbung.errors import LumbungError
from lumbung.publication.checks.disclosure import group_of
from lumbung.publication.checks.pii import find_personal_data
from lumbung.publication.checks.waiver import in_force
from lumbung.publication.formats.render import render
from lumbung.publication.model.edition import Edition
from lumbung.publication.model.store import load
from lumbung.settings import Settings
from lumbung.warehouse import checkpoints


def check(
    edition_id: str, *, settings: Settings, database_url: str, asks: bool = False
) -> checkpoints.SuiteResult:
    """Check a frozen edition and the files it renders to; an edition that passes may be approved.

    The checks, their severities, owners and remediations are in `expectations/publication.yaml`.
    Results are written to `ops.check_result`, a pass to `published.checkpoint_pass`, and a page to
    Data Docs in `LUMBUNG_HOME/docs/checks/publication/`. Waived failures do not prevent a pass.

    Args:
        edition_id: a draft.
        settings: where the suite is.
        database_url: the warehouse.
        asks: whether Airflow then asks for approval, so that reminders are sent (`notify.remind`).

    Raises:
        CheckpointError: when a check of severity `fail` fails and is not waived; the message names
            the check, metrics, counts and the owner. The edition cannot be approved then.
        PublicationError: when there is no such edition.
        ConfigurationError: when the suite is wrong.

    """
    edition = load(edition_id, database_url=database_url)
    with database.connect(database_url, application="lumbung checkpoint publication") as connection:
        result = checkpoints.run_suite(
            settings.expectations / "publication.yaml",
            connection=connection,
            settings=settings,
            parameters={
                "edition_id": edition_id,
                "artefacts": json.dumps(_artefacts(edition)),
                "groups": json.dumps({issue: group_of(issue) for issue in edition.issues}),
            },
            edition_id=edition_id,
        )
        waived = in_force(connection, edition_id)
        used = [waived[r.name] for r in result.failures if r.name in waived]
        if len(used) == len(result.failures):
            connection.execute(
                "insert into published.checkpoint_pass (edition_id, run_id, until_date, is_asked)"
                " values (%s, %s, %s, %s)",
                (edition_id, result.run_id, min(used, default=None), asks),
            )
    for warning in result.warnings:
        print(f"warn     {warning}. {warning.remediation} (owner: {warning.owner})")
    for failure in result.failures:
        if failure.name in waived:
            print(f"waived   {failure}, until {waived[failure.name]}")
    unwaived = [r for r in result.results if r.name not in waived]
    replace(result, results=unwaived).require()
    return result


def _artefacts(edition: Edition) -> list[dict[str, Any]]:
    """Return one row per file: whether it can be read, and what personal data it seems to hold."""
    try:
        files = render(edition)
    except LumbungError as error:
        return [{"name": "edisi", "problem": error.what, "personal_data": None}]
    rows = []
    for name, content in files.items():
        try:
            found = ", ".join(find_personal_data(name, content))
            rows.append({"name": name, "problem": None, "personal_data": found or None})
        except ValueError as error:
            rows.append({"name": name, "problem": str(error), "personal_data": None})
    return rows
