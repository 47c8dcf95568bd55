"""How the measures of the benchmarks are judged; the benchmarks themselves are no tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import benchmarks
from benchmarks import plots
from benchmarks.goals import GOALS, verdicts

FOLDER = Path(benchmarks.__path__[0])
PICTURES = FOLDER.parent / "docs" / "pictures"


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


def test_the_pictures_show_what_was_measured() -> None:
    kept = {path.name: path.read_text(encoding="utf-8") for path in PICTURES.glob("cost-*.svg")}
    assert kept == plots.drawn()


def test_a_plot_places_values_on_logarithmic_scales() -> None:
    picture = plots.plot("records", {"a": [(10, 1), (1_000, 100)], "b": [(100, 10)]})
    found = [
        (float(x), float(y)) for x, y in re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', picture)
    ]
    (left, low), (right, high), middle = found
    assert (left, low, right, high) == (64, 316, 450, 16)
    assert middle == ((left + right) / 2, (low + high) / 2)
