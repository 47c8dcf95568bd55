"""A build ends with the cause when the database goes away or a disk is full; it never hangs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from lumbung.errors import BuildError
from lumbung.settings import Settings
from lumbung.warehouse import build as module
from lumbung.warehouse import dbt_runner

ROOT = Path(__file__).parents[2]
NODE = SimpleNamespace(unique_id="model.lumbung.x", node_name="x", resource_type="model")


def event(name: str) -> Any:
    return SimpleNamespace(
        info=SimpleNamespace(name=name), data=SimpleNamespace(node_info=NODE, run_result=None)
    )


def test_no_node_runs_after_a_report_failed_and_the_cause_is_raised(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dbt waits for ever for a node whose first event raises."""
    connection = psycopg.connect(database_url)
    run = module._Run(connection, Settings(tmp_path, ROOT, None), database_url, None)
    nodes_that_run = []

    def dbt(arguments: list[str], *, callbacks: list[Callable[[Any], None]] = [], **_: Any) -> None:  # noqa: B006
        for callback in callbacks:
            connection.close()
            for node in ("first", "second"):
                try:
                    callback(event("NodeStart"))
                except psycopg.OperationalError:
                    pytest.fail("dbt would wait for ever for this node")
                try:
                    callback(event("LogStartLine"))
                except psycopg.OperationalError:
                    continue
                nodes_that_run.append(node)

    monkeypatch.setattr(dbt_runner, "invoke_dbt", dbt)
    with pytest.raises(psycopg.OperationalError, match="the connection is closed"):
        run._invoke(["build"])
    assert nodes_that_run == []


def test_a_full_disk_of_the_database_is_named(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise psycopg.errors.DiskFull("could not extend file: No space left on device")

    monkeypatch.setattr(module._Run, "build", full)
    with pytest.raises(BuildError, match=r"the disk is full \(could not extend.*free disk space"):
        module.build(settings=Settings(tmp_path, ROOT, None), database_url=database_url)
