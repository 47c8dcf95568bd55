"""How the measures of the benchmarks are judged; the benchmarks themselves are no tests."""

from __future__ import annotations

from benchmarks.goals import GOALS, verdicts


def test_each_goal_gets_its_verdict() -> None:
    lines = list(verdicts("day", {"one_tip_s": 5.0, "day_5000_s": 8.1, "work_share": 0.5, "x": 1}))
    assert [line.split()[1] for line in lines] == list(GOALS["day"])
    assert [line.rpartition(": ")[2] for line in lines] == [
        "reached",
        "NOT reached",
        "reached",
        "NOT measured",
    ]
