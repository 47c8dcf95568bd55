"""Large libraries run with a garbage collector that looks seldom, and only they do."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import dbt.cli.main
import pytest

from lumbung.errors import BuildError
from lumbung.settings import Settings
from lumbung.warehouse.build import run_dbt


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
