"""How good the warehouse's judgements are: marks, links, dates, places and effects.

    make bench-judgements

Each is measured on data that nothing was tuned on: simulated editions of other seeds than those
with which the rule was chosen, and lists in `corpus/` whose authors knew neither the code nor the
lists that it was tuned on. The last lines are `name=value`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from pathlib import Path

from benchmarks import judge_dates, judge_effects, judge_links, judge_marks, judge_places
from lumbung import database

CORPUS = Path(__file__).parent / "corpus"

GOALS: dict[str, tuple[str, float]] = {
    "false_marks_per_edition": ("<=", 0.1),
    "link_recall": (">=", 0.8),
    "link_precision": (">=", 0.5),
    "link_top_precision": (">=", 0.95),
    "date_wrong": ("<=", 0),
    "date_recall": (">=", 0.95),
    "regency_precision": (">=", 1),
    "regency_recall": (">=", 0.92),
    "district_precision": (">=", 0.99),
    "effect_false": ("<=", 0.05),
    "effect_coverage": (">=", 0.95),
}
"""What has a goal; the others are printed without one."""

_HOLDS: dict[str, Callable[[float, float], bool]] = {"<=": operator.le, ">=": operator.ge}


def measure() -> dict[str, float]:
    """Every measure by its name; several minutes on two cores."""
    found = judge_effects.measure() | judge_marks.measure()
    with judge_links.scratch_server() as server:

        def empty(name: str) -> str:
            url = server.ensure_database(name)
            database.migrate(url)
            return url

        found |= judge_links.measure(
            CORPUS / "links_held_out.jsonl", CORPUS / "links_held_out.csv", empty("links")
        )
        found |= judge_dates.measure(CORPUS / "dates_held_out.csv", empty("dates"))
        found |= judge_places.measure(CORPUS / "places_held_out.csv", server.url("postgres"))
    return found


def main() -> None:
    """Print each goal with its verdict, then every measure."""
    found = measure()
    for name, (relation, goal) in GOALS.items():
        verdict = "reached" if _HOLDS[relation](found[name], goal) else "NOT reached"
        print(f"{name:24} {found[name]:7.3f}  goal {relation} {goal:g}: {verdict}")
    for name, value in found.items():
        print(f"{name}={value:.4g}")


if __name__ == "__main__":
    main()
