"""How good the warehouse's judgements are: marks, links, dates, places and effects.

    make bench-judgements

Each is measured on data that nothing was tuned on: simulated editions of other seeds than those
with which the rule was chosen, and lists in `corpus/` whose authors knew neither the code nor the
lists that it was tuned on. The last lines are `name=value`.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks import judge_dates, judge_effects, judge_links, judge_marks, judge_places
from benchmarks.goals import verdicts
from lumbung import database

CORPUS = Path(__file__).parent / "corpus"


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
    print(*verdicts("judgements", found), sep="\n")
    for name, value in found.items():
        print(f"{name}={value:.4g}")


if __name__ == "__main__":
    main()
