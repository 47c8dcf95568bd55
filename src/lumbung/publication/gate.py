"""The publication door: judges a frozen draft before a person is asked to approve it."""

from __future__ import annotations

import json
from typing import Any

from lumbung import database
from lumbung.errors import LumbungError
from lumbung.publication.content import Edition, load
from lumbung.publication.personal import find_personal_data
from lumbung.publication.render import render
from lumbung.settings import Settings
from lumbung.warehouse import checks


def check(edition_id: str, *, settings: Settings, database_url: str) -> checks.GateResult:
    """Judge a frozen edition and the files it renders to; one that passes may be approved.

    The checks, their severities, owners and cures are in `expectations/publication.yaml`; results
    go to `ops.check_result`, a pass to `published.gate_pass`, and a page for people to Data Docs
    under `LUMBUNG_HOME/data_docs/publication/`.

    Raises:
        GateError: when a check of severity `fail` does not hold; its message names the check, the
            figures, counts and the owner. The edition cannot be approved then.
        PublicationError: when there is no such edition.
        ConfigurationError: when the suite is wrong.

    """
    edition = load(edition_id, database_url=database_url)
    with database.connect(database_url, application="lumbung gate publication") as connection:
        result = checks.run_suite(
            settings.expectations / "publication.yaml",
            connection=connection,
            settings=settings,
            parameters={"edition_id": edition_id, "artefacts": json.dumps(_artefacts(edition))},
        )
        if not result.failures:
            connection.execute(
                "insert into published.gate_pass (edition_id, run_id) values (%s, %s)",
                (edition_id, result.run_id),
            )
    for warning in result.warnings:
        print(f"warn     {warning}. {warning.cure} (owner: {warning.owner})")
    result.require()
    return result


def _artefacts(edition: Edition) -> list[dict[str, Any]]:
    """One row per file: whether it can be read, and what personal data it seems to hold."""
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
