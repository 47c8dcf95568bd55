"""How often `lumbung prevention effect` finds an effect that is there, or one that is not.

`measure()` invents provinces of 47 districts. Cases come as a gamma-Poisson process: each district
has its level, each week of a district its own chance, the province a trend. Activities go rather to
districts with many cases. Where one was held, the cases after it are multiplied by the effect. Half
of the provinces have a campaign of nine weeks, half one of sixteen. Seeds differ from those with
which the method was chosen.
"""

from __future__ import annotations

import math
import random
from statistics import mean

from lumbung.warehouse.prevention_effect import comparisons, estimate

DISTRICTS = 47
PROVINCES = 400
"""Of each kind: a length of the campaign, a level, and an effect."""
KINDS = tuple((weeks, *size) for weeks in (9, 16) for size in ((0.5, 8), (1, 15), (3, 20)))
"""Weeks of the campaign, mean cases of a district in four weeks, and districts with an activity."""


def measure() -> dict[str, float]:
    """Share of provinces in which the interval leaves out 1, and in which it holds the effect."""
    none, half = _measure(1.0), _measure(0.5)
    sudden = _measure(1.0, rise=3.0)
    return {
        "effect_false": round(mean(found for found, _ in none), 3),
        "effect_power_half": round(mean(found for found, _ in half), 3),
        "effect_coverage": round(mean(held for _, held in none + half), 3),
        "effect_false_after_rise": round(mean(found for found, _ in sudden), 3),
    }


def _measure(effect: float, *, rise: float = 1.0) -> list[tuple[bool, bool]]:
    """Whether 1 lies outside the interval and the effect inside, for each that is shown."""
    found = []
    for weeks, level, activities in KINDS:
        for number in range(PROVINCES):
            rng = random.Random(f"effects/{weeks}/{level}/{effect}/{rise}/{number}")
            shown = estimate(
                comparisons(*_province(rng, weeks, level, activities, effect=effect, rise=rise))
            )
            if shown.low is not None and shown.high is not None:
                found.append((not shown.low <= 1 <= shown.high, shown.low <= effect <= shown.high))
    return found


def _province(
    rng: random.Random, weeks: int, level: float, activities: int, *, effect: float, rise: float
) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Cases of each week and weeks with an activity, by district.

    Args:
        rng: source of chance.
        weeks: of the campaign.
        level: mean cases of a district in four weeks.
        activities: districts with one.
        effect: factor of the cases after an activity.
        rise: factor of the cases in the week before it.

    """
    levels = {f"{number:02}": rng.gammavariate(2, level / 2) for number in range(DISTRICTS)}
    trend = rng.uniform(-0.6, 0.6)
    chosen = sorted(levels, key=lambda each: -levels[each] * rng.random())[:activities]
    held = {district: rng.randrange(4, weeks - 4) for district in chosen}
    cases = {}
    for district, rate in levels.items():
        cases[district] = [
            _poisson(
                rng,
                rate
                / 4
                * math.exp(trend * (week / weeks - 0.5))
                * rng.gammavariate(3, 1 / 3)
                * (effect if week > held.get(district, weeks) else 1)
                * (rise if week + 1 == held.get(district) else 1),
            )
            for week in range(weeks)
        ]
    return cases, {district: [week] for district, week in held.items()}


def _poisson(rng: random.Random, rate: float) -> int:
    """The number of events of a unit of time, by the waiting times between them."""
    count, passed = 0, rng.expovariate(1.0)
    while passed < rate:
        count, passed = count + 1, passed + rng.expovariate(1.0)
    return count
