"""The task that pulls a channel: what it says in its log and in the event of its asset."""

from __future__ import annotations

import runpy
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lumbung.settings import Settings
from tests.support.channel_samples import HEADER, REGISTER, header_merges, workbook

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run_task(
    settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Run the task of channel register_contoh; its result and the extras of its asset events."""
    monkeypatch.setenv("LUMBUNG_HOME", str(settings.home))
    monkeypatch.setenv("LUMBUNG_PROJECT", str(settings.project))
    monkeypatch.setenv("AIRFLOW_CONN_LUMBUNG_WAREHOUSE", database_url)

    def act(run_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        dag = runpy.run_path(str(ROOT / "dags" / "intake.py"))["DAGS"]["intake__register_contoh"]
        extras: list[dict[str, Any]] = []
        event = SimpleNamespace(add=lambda _, extra: extras.append(extra))
        result = dag.task_dict["pull"].python_callable(
            outlet_events=defaultdict(lambda: event),
            run_id=run_id,
            params={"accept_withdrawals": False, "most_withdrawals": None, "from_start": False},
        )
        return result, extras

    return act


def test_a_run_says_what_it_landed_and_why_deliveries_are_in_quarantine(
    run_task: Callable[[str], tuple[dict[str, Any], list[dict[str, Any]]]],
    add_channel: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [
        [1, "1/LP", "06/11/2024", "", "Warga A", "", "Bangka", "a"],
        [2, "", "06/11/2024", "", "Warga B", "", "Bangka", "tanpa nomor"],
    ]
    inbox = add_channel(REGISTER)
    (inbox / "a.xlsx").write_bytes(
        workbook({"S": [*HEADER, *rows]}, merges={"S": header_merges(0)})
    )
    result, extras = run_task("pertama")
    assert (result["read"], result["landed"], result["quarantined"]) == (2, 1, 1)
    ((reason, count),) = result["quarantine_reasons"].items()
    assert count == 1
    assert extras == [result]
    said = capsys.readouterr().out
    assert "2 read: 1 landed" in said
    assert f"quarantined 1 x {reason}" in said
    assert "NOTHING NEW" not in said

    result, _ = run_task("kedua")
    assert (result["read"], result["landed"], result["quarantine_reasons"]) == (2, 0, {})
    assert "NOTHING NEW was landed: all 2 deliveries are known" in capsys.readouterr().out
