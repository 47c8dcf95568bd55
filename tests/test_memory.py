"""Large libraries run with a garbage collector that looks seldom, and only they do."""

from __future__ import annotations

import gc
import os
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import dbt.cli.main
import pytest

from lumbung import cli
from lumbung.errors import BuildError
from lumbung.intake.vault import Vault
from lumbung.local import airflow_command
from lumbung.local.airflow import COMPONENTS, worker
from lumbung.settings import Settings
from lumbung.warehouse.dbt_runner import run_dbt


def test_dbt_runs_with_rare_garbage_collection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    class Broken:
        def __init__(self, _manifest: Any, callbacks: list[Any]) -> None:
            pass

        def invoke(self, _arguments: list[str]) -> Any:
            seen.append((gc.isenabled(), gc.get_threshold()[0]))
            return dbt.cli.main.dbtRunnerResult(success=False, exception=OSError("broken"))

    monkeypatch.setattr(dbt.cli.main, "dbtRunner", Broken)
    before = gc.get_threshold()
    try:
        gc.set_threshold(700, 10, 10)
        with pytest.raises(BuildError, match="dbt could not run: broken"):
            run_dbt(
                ["build"],
                settings=Settings(tmp_path, tmp_path, None),
                database_url="postgresql://nobody@localhost/none",
                target="target",
            )
        assert gc.get_threshold() == (700, 10, 10)
    finally:
        gc.set_threshold(*before)
    ((is_enabled, threshold),) = seen
    assert is_enabled
    assert threshold >= 10_000


@pytest.mark.parametrize("program", [cli, airflow_command])
def test_the_processes_of_lumbung_and_airflow_collect_garbage_rarely(
    program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def work(**_: object) -> None:
        seen.append(gc.get_threshold()[0])

    monkeypatch.setattr(cli, "app", work)
    monkeypatch.setattr("airflow.__main__.main", work)
    monkeypatch.setattr(sys, "argv", ["program"])
    threshold, umask = gc.get_threshold(), os.umask(0o022)
    try:
        gc.set_threshold(700, 10, 10)
        with suppress(SystemExit):
            program.main()
    finally:
        gc.set_threshold(*threshold)
        os.umask(umask)
    assert len(seen) == 1
    assert seen[0] >= 10_000
    modules = {module for module, *_ in (*COMPONENTS.values(), worker("intake"))}
    assert modules == {airflow_command.__name__, "lumbung.local.dag_processor"}


@pytest.mark.parametrize("work", [Vault.load, lambda _: cli.main()])
def test_a_process_with_keys_leaves_no_core_dump(
    work: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash would write the vault key to the disk."""
    given = []
    monkeypatch.setattr(resource, "setrlimit", lambda *limit: given.append(limit))
    monkeypatch.setattr(cli, "app", lambda **_: None)
    threshold, umask = gc.get_threshold(), os.umask(0o077)
    try:
        with suppress(SystemExit):
            work(tmp_path)
    finally:
        gc.set_threshold(*threshold)
        os.umask(umask)
    assert given == [(resource.RLIMIT_CORE, (0, 0))]
