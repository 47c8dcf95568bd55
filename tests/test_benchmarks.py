"""How the measures of the benchmarks are judged; the benchmarks themselves are no tests."""

from __future__ import annotations

from pathlib import Path

import pytest

import benchmarks
from benchmarks.goals import GOALS, verdicts

FOLDER = Path(benchmarks.__path__[0])


def test_each_goal_gets_its_verdict() -> None:
    lines = list(verdicts("day", {"one_tip_s": 5.0, "day_5000_s": 8.1, "work_share": 0.5, "x": 1}))
    assert [line.split()[1] for line in lines] == list(GOALS["day"])
    assert [line.rpartition(": ")[2] for line in lines] == [
        "reached",
        "NOT reached",
        "reached",
        "NOT measured",
    ]


@pytest.mark.parametrize("bench", sorted(GOALS.keys() - {"judgements"}))
def test_a_benchmark_prints_what_it_has_a_goal_for(bench: str) -> None:
    source = (FOLDER / f"{bench}.py").read_text(encoding="utf-8")
    peers = {"landing_to_sling", "landing_to_dlt", "landing_to_singer"}
    assert [name for name in GOALS[bench].keys() - peers if f'f"{name}={{' not in source] == []
