"""What the workers of the scheduler begin with."""

from __future__ import annotations

import sys

import pytest
from airflow.executors.local_executor import LocalExecutor

from lumbung.local import executor


def test_the_packages_are_imported_before_the_workers_are_forked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    imported_at_fork: list[bool] = []
    monkeypatch.setattr(executor, "PRELOADED", ("no_such_package", "sndhdr", "this_is_absent.too"))
    monkeypatch.delitem(sys.modules, "sndhdr", raising=False)
    monkeypatch.setattr(
        LocalExecutor, "start", lambda _: imported_at_fork.append("sndhdr" in sys.modules)
    )
    executor.PreloadingExecutor(parallelism=1).start()
    assert imported_at_fork == [True], "and a package that cannot be imported stops nothing"
