"""What each benchmark has to reach: benchmark -> measure -> relation and number."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping

GOALS: dict[str, dict[str, tuple[str, float]]] = {
    "judgements": {
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
    },
    "intake": {
        "landing_to_ceiling": (">=", 0.4),
        "landing_to_sling": (">=", 1.3),
        "landing_to_dlt": (">=", 4),
        "landing_to_singer": (">=", 4),
        "replay_to_first": (">=", 1),
        "full_to_empty": (">=", 0.9),
        "rss_mb": ("<=", 300),
        "register_100k_s": ("<=", 15),
    },
    "publication": {
        "edition_7_s": ("<=", 10),
        "edition_514_s": ("<=", 180),
        "rss_mb": ("<=", 1024),
    },
    "day": {
        "one_tip_s": ("<=", 5),
        "day_5000_s": ("<=", 8),
        "work_share": (">=", 0.5),
        "idle_hour_cpu_s": ("<=", 30),
    },
    "desk": {
        "page_p95_ms": ("<=", 300),
        "failed": ("<=", 0),
        "desk_mb": ("<=", 150),
    },
    "warehouse": {
        "dbt_to_bare_sql": ("<=", 1.2),
        "increment_to_full": ("<=", 0.05),
        "increment_history_x10": ("<=", 1.3),
        "slowest_question_s": ("<=", 1),
        "rss_gb": ("<=", 24),
    },
}

_HOLDS: dict[str, Callable[[float, float], bool]] = {"<=": operator.le, ">=": operator.ge}


def verdicts(bench: str, found: Mapping[str, float]) -> Iterator[str]:
    """A line for each goal of a benchmark: what was measured, the goal, whether it is reached."""
    for name, (relation, goal) in GOALS[bench].items():
        if name not in found:
            yield f"{bench:12}{name:24} {'':>8}  goal {relation} {goal:g}: NOT measured"
            continue
        verdict = "reached" if _HOLDS[relation](found[name], goal) else "NOT reached"
        yield f"{bench:12}{name:24} {found[name]:8.3f}  goal {relation} {goal:g}: {verdict}"
