"""Run a suite of checks: SQL aggregates, and Great Expectations validates the few resulting rows.

A suite is a YAML file. Each of its batches is a query that gives one row per thing that is checked
(a channel, a field, a metric). The query does the work on millions of records; Great Expectations
reads only its result (docs/explanation/adr/0006-gx-judges-small-tables.md).

```
suite: raw
batches:
  - name: channels
    key: [channel]              # columns that name a row in messages; never a person
    query: select ... {since}   # parameters in braces
    checks:
      - name: channel_is_not_empty
        expectation: expect_column_values_to_be_between
        arguments: {column: record_count, min_value: 1}
        severity: fail          # fail stops the channel or edition, warn is shown
        reason: tidak ada kirimannya     # at the raw checkpoint, why a channel is held back
        reason_en: it delivered nothing  # the same in English
        owner: data engineer
        remediation: what to do, one sentence
```

Great Expectations takes seconds to import: it is imported when a suite is run, not before.
"""

from __future__ import annotations

import json
import logging
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psycopg
import yaml
from psycopg import sql
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lumbung.errors import CheckpointError, ConfigurationError
from lumbung.memory import rare_garbage_collection
from lumbung.settings import Settings

SHOWN = 20
"""Failing rows that `ops.check_result` keeps of each check."""


class Check(BaseModel):
    """One expectation about a batch, with its owner and what the owner does when it fails."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    expectation: str = Field(pattern=r"^expect_[a-z_]+$")
    arguments: dict[str, Any] = {}
    severity: Literal["fail", "warn"]
    reason: str = ""
    reason_en: str = ""
    owner: str = Field(min_length=1)
    remediation: str = Field(min_length=1)


class Batch(BaseModel):
    """A query and the checks on its rows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    key: list[str] = Field(min_length=1)
    query: str = Field(min_length=1)
    checks: list[Check] = Field(min_length=1)


class Suite(BaseModel):
    """The checks of one checkpoint."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    suite: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    batches: list[Batch] = Field(min_length=1)


@dataclass(frozen=True)
class CheckResult:
    """The result of one check.

    Attributes:
        batch: the batch that was checked.
        name: the check.
        severity: `fail` or `warn`.
        is_passed: whether every row passed.
        checked_count: rows checked.
        failing_count: rows that failed (1 where the check is about the batch as a whole).
        failing: keys of the failing rows.
        owner: who corrects the cause.
        remediation: what the owner does.

    """

    batch: str
    name: str
    severity: Literal["fail", "warn"]
    is_passed: bool
    checked_count: int
    failing_count: int
    failing: list[dict[str, Any]]
    owner: str
    remediation: str

    def __str__(self) -> str:
        """One line for a person."""
        shown = "; ".join(
            ", ".join(f"{key} {value}" for key, value in row.items()) for row in self.failing[:5]
        )
        more = f" and {self.failing_count - 5} more" if self.failing_count > 5 else ""
        state = "holds" if self.is_passed else f"does not hold for {shown or self.batch}{more}"
        return f"{self.name} {state} ({self.failing_count} of {self.checked_count} rows)"


@dataclass(frozen=True)
class SuiteResult:
    """The results of a checkpoint.

    Attributes:
        suite: the checkpoint.
        run_id: identifies its rows in `ops.check_result`.
        results: one per check, in the order of the file.
        data_docs: the page of the Data Docs.

    """

    suite: str
    run_id: uuid.UUID
    results: list[CheckResult]
    data_docs: Path

    @property
    def failures(self) -> list[CheckResult]:
        """The checks of severity `fail` that did not pass."""
        return [r for r in self.results if not r.is_passed and r.severity == "fail"]

    @property
    def warnings(self) -> list[CheckResult]:
        """The checks of severity `warn` that did not pass."""
        return [r for r in self.results if not r.is_passed and r.severity == "warn"]

    def summary(self) -> dict[str, Any]:
        """Plain values, for Airflow and JSON."""
        return {
            "suite": self.suite,
            "checks": len(self.results),
            "failures": [str(r) for r in self.failures],
            "warnings": [str(r) for r in self.warnings],
            "data_docs": str(self.data_docs),
        }

    def require(self) -> None:
        """Raise unless every check of severity `fail` passed.

        Raises:
            CheckpointError: with the first failed check, its failing rows, counts and owner.

        """
        if not self.failures:
            return
        first = self.failures[0]
        others = len(self.failures) - 1
        raise CheckpointError(
            f"{first}" + (f"; {others} more checks failed" if others else ""),
            where=f"checkpoint {self.suite}, {first.batch}; {self.data_docs}",
            remediation=f"{first.remediation} (owner: {first.owner})",
        )


def load_suite(file: Path) -> Suite:
    """Read a suite.

    Raises:
        ConfigurationError: when the file is absent or is not a suite.

    """
    try:
        return Suite.model_validate(yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise ConfigurationError(
            f"the suite cannot be read: {' '.join(str(error).split())}",
            where=str(file),
            remediation="correct the file; lumbung.warehouse.checkpoints documents its keys",
        ) from error


def run_suite(
    file: Path,
    *,
    connection: psycopg.Connection,
    settings: Settings,
    parameters: Mapping[str, object] | None = None,
    edition_id: str | None = None,
) -> SuiteResult:
    """Check every batch of a suite, write the results to `ops.check_result` and build Data Docs.

    A failed check raises nothing: see `SuiteResult.require`. The results are committed, so that
    they are kept whatever the caller does next.

    Args:
        file: the suite.
        connection: to the warehouse. The caller decides whether the queries share a snapshot.
        settings: Data Docs go to `LUMBUNG_HOME/docs/checks/<suite>/`.
        parameters: values for the braces in the queries; all but composed SQL become literals.
        edition_id: the edition that the suite judges; None: it judges none.

    Raises:
        ConfigurationError: when the file, a query or a check is wrong.

    """
    suite = load_suite(file)
    tables = [_rows(connection, file, batch, parameters or {}) for batch in suite.batches]
    with rare_garbage_collection():
        results, data_docs = _judge(suite, tables, settings.docs / "checks" / suite.suite)
    result = SuiteResult(suite.suite, uuid.uuid4(), results, data_docs)
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.check_result (run_id, suite, batch, check_name, severity, is_passed,"
            " checked_count, failing_count, failing, owner, remediation, edition_id)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    *(result.run_id, suite.suite, r.batch, r.name, r.severity, r.is_passed),
                    *(r.checked_count, r.failing_count, json.dumps(r.failing[:SHOWN])),
                    *(r.owner, r.remediation, edition_id),
                )
                for r in results
            ],
        )
    connection.commit()
    return result


def _rows(
    connection: psycopg.Connection, file: Path, batch: Batch, parameters: Mapping[str, object]
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The columns and rows of a batch."""
    literals = {
        name: value if isinstance(value, sql.Composable) else sql.Literal(value)
        for name, value in parameters.items()
    }
    try:
        query = sql.SQL(batch.query).format(**literals)
        cursor = connection.execute(query)
        rows = cursor.fetchall()
    except (psycopg.Error, KeyError, ValueError) as error:
        raise ConfigurationError(
            f"the query of batch {batch.name} cannot be run: {' '.join(str(error).split())}",
            where=str(file),
            remediation="correct the query or give it the parameters it names",
        ) from error
    assert cursor.description is not None  # noqa: S101 - a select has a description
    columns = [column.name for column in cursor.description]
    if missing := set(batch.key) - set(columns):
        raise ConfigurationError(
            f"batch {batch.name} has no column {sorted(missing)[0]}, a column of its key",
            where=str(file),
            remediation=f"use one of {', '.join(columns)}",
        )
    return columns, rows


def _judge(
    suite: Suite, tables: list[tuple[list[str], list[tuple[Any, ...]]]], site: Path
) -> tuple[list[CheckResult], Path]:
    """The results of Great Expectations for every check, and the page that it wrote."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read at the import below
    os.environ.setdefault("TQDM_DISABLE", "1")
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    import great_expectations as gx
    import pandas as pd  # type: ignore[import-untyped]
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
    )

    # The defaults would also write every page to a temporary folder and leave it there.
    context = gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
        ),
    )
    context.variables.progress_bars = {"globally": False}
    context.add_data_docs_site(
        "lumbung",
        {
            "class_name": "SiteBuilder",
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": str(site),
            },
        },
    )
    source = context.data_sources.add_pandas("warehouse")
    results = []
    for batch, (columns, rows) in zip(suite.batches, tables, strict=True):
        frame = pd.DataFrame(rows, columns=columns)
        definition = context.validation_definitions.add(
            gx.ValidationDefinition(
                name=f"{suite.suite}: {batch.name}",
                data=source.add_dataframe_asset(batch.name).add_batch_definition_whole_dataframe(
                    "rows"
                ),
                suite=context.suites.add(
                    gx.ExpectationSuite(
                        name=f"{suite.suite}.{batch.name}",
                        expectations=[_expectation(gx, check) for check in batch.checks],
                    )
                ),
            )
        )
        outcome = definition.run(
            batch_parameters={"dataframe": frame},
            result_format={
                "result_format": "COMPLETE",
                "unexpected_index_column_names": batch.key,
                "include_unexpected_rows": False,
            },
        )
        by_name = {each.expectation_config.meta["check"]: each for each in outcome.results}
        results += [
            _result(suite, batch, check, by_name[check.name], len(frame)) for check in batch.checks
        ]
    _write_docs(context)
    return results, site / "index.html"


def _write_docs(context: Any) -> None:
    """Write Data Docs, a third of a checkpoint's time; tests that do not read them replace this."""
    context.build_data_docs()


def _expectation(gx: Any, check: Check) -> Any:
    """The expectation object of a check."""
    kind = getattr(gx.expectations, "".join(p.title() for p in check.expectation.split("_")), None)
    if kind is None:
        raise ConfigurationError(
            f"Great Expectations has no {check.expectation}",
            where=f"check {check.name}",
            remediation="use an expectation of its gallery",
        )
    try:
        return kind(
            **check.arguments,
            severity="critical" if check.severity == "fail" else "warning",
            notes=f"{check.name} · {check.severity} · {check.owner} · {check.remediation}",
            meta={"check": check.name, "owner": check.owner},
        )
    except Exception as error:  # its bundled pydantic has exception classes of its own
        raise ConfigurationError(
            f"{check.expectation} does not take these arguments: {' '.join(str(error).split())}",
            where=f"check {check.name}",
            remediation="correct the arguments",
        ) from error


def _result(suite: Suite, batch: Batch, check: Check, outcome: Any, row_count: int) -> CheckResult:
    if any(info.get("raised_exception") for info in _exceptions(outcome.exception_info)):
        message = next(i["exception_message"] for i in _exceptions(outcome.exception_info))
        raise ConfigurationError(
            f"check {check.name} could not be evaluated: {' '.join(str(message).split())}",
            where=f"suite {suite.suite}, batch {batch.name}",
            remediation="correct its arguments or the query",
        )
    found = outcome.result
    failing = [
        {name: _plain(row.get(name)) for name in batch.key}
        for row in found.get("unexpected_index_list") or []
    ]
    is_passed = bool(outcome.success)
    return CheckResult(
        batch.name,
        check.name,
        check.severity,
        is_passed,
        int(found.get("element_count", row_count)),
        0 if is_passed else int(found.get("unexpected_count", 1)),
        [] if is_passed else failing,
        check.owner,
        check.remediation,
    )


def _exceptions(info: Any) -> list[dict[str, Any]]:
    """The exceptions of an outcome: Great Expectations gives one, or one per metric."""
    return [info] if "raised_exception" in info else list(info.values())


def _plain(value: Any) -> Any:
    """A value that JSON can hold: NumPy's scalars become Python's, other types become text."""
    value = value.item() if hasattr(value, "item") else value
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
