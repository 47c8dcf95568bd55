"""Estimate the seed `link_weight` from labelled pairs: `python -m benchmarks.link_weights`.

The warehouse itself compares the cases and gives each pair's levels. Weights are those of a
logistic regression over the levels, in bits: unlike log2(m/u) of each field alone they allow for
fields that agree together. A small penalty keeps them near 0 where pairs are few, and no weight may
have the sign that its level forbids: to agree never speaks against a pair. The shares of a level
among pairs of one event (m) and of two (u) are printed beside its weight.

How well the weights do on cases that they were not estimated from is measured by leaving one
cluster after the other out. The seed is printed, the measures are the last lines.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from benchmarks.judge_links import (
    CORPUS,
    PROJECT,
    Listed,
    judge,
    labels,
    land_and_list,
    read_cases,
    scratch_server,
)
from lumbung import database

PENALTY = 1.0

FIXED = {
    ("register_number", "same"): 15.0,
    ("district", "unsaid"): -0.7,
    ("theme", "other"): -2.0,
}
"""What labelled pairs do not show: none has a number, nearly all share a theme and a district."""

ESTIMATED: dict[str, tuple[int, tuple[tuple[str, str], ...]]] = {
    "village same": (1, (("village", "same"),)),
    "village other": (-1, (("village", "other"),)),
    "day same": (1, (("day", "same"),)),
    "day next": (-1, (("day", "next"),)),
    "theme same": (1, (("theme", "same"),)),
    # each step adds to the one before
    "text near": (1, (("text", "near"), ("text", "close"), ("text", "alike"))),
    "text close": (1, (("text", "close"), ("text", "alike"))),
    "text alike": (1, (("text", "alike"),)),
    "actor rare": (1, (("actor", "rare"),)),
    "action rare": (1, (("action", "rare"),)),
    "object rare": (1, (("object", "rare"),)),
    "object other": (-1, (("object", "other"),)),
    "venue shared": (1, (("venue", "rare"), ("venue", "shared"))),
    "venue other": (-1, (("venue", "other"),)),
    "number shared": (1, (("number", "rare"), ("number", "shared"))),
    "name rare": (1, (("name", "rare"),)),
}
"""Parameter -> the sign it may have, and the levels that it adds to."""

Levels = frozenset[tuple[str, str]]
Weights = dict[tuple[str, str], float]


def levels_of(listed: Listed) -> Levels:
    """The levels that a pair's evidence shows."""
    parts = [line.split() for line in listed.evidence]
    return frozenset((field.rstrip(":"), level) for field, level, *_ in parts)


def estimate(pairs: list[tuple[Levels, bool]]) -> Weights:
    """Weights in bits, of one decimal, from the levels of labelled pairs."""
    same = np.array([float(is_same) for _, is_same in pairs])
    fixed = np.array([sum(FIXED.get(each, 0.0) for each in levels) for levels, _ in pairs])
    names = list(ESTIMATED)
    columns = np.array(
        [[float(bool(levels & set(ESTIMATED[name][1]))) for name in names] for levels, _ in pairs]
    )
    while True:
        found = _regress(columns, fixed * np.log(2), same)
        wrong = [
            name
            for name, value in zip(names, found[1:], strict=True)
            if value * ESTIMATED[name][0] < 0
        ]
        if not wrong:
            break
        kept = [place for place, name in enumerate(names) if name not in wrong]
        names, columns = [names[place] for place in kept], columns[:, kept]
    weights = {("prior", ""): float(found[0]), **dict.fromkeys(_all_levels(), 0.0)}
    for name, value in zip(names, found[1:], strict=True):
        for level in ESTIMATED[name][1]:
            weights[level] += float(value)
    return {
        **{level: round(value / np.log(2), 1) for level, value in weights.items()},
        **FIXED,
    }


def _all_levels() -> list[tuple[str, str]]:
    return [level for _, levels in ESTIMATED.values() for level in levels]


def _regress(columns: Any, offset: Any, same: Any) -> Any:
    """Penalised logistic regression by Newton's steps; the first coefficient is the intercept."""
    design = np.hstack([np.ones((len(columns), 1)), columns])
    penalty = np.eye(design.shape[1]) * PENALTY
    penalty[0, 0] = 1e-3
    found = np.zeros(design.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-(design @ found + offset)))
        slope = design.T @ (chance - same) + penalty @ found
        curve = (design * (chance * (1 - chance))[:, None]).T @ design + penalty
        step = np.linalg.solve(curve, slope)
        found -= step
        if np.abs(step).max() < 1e-9:
            break
    return found


def weigh(levels: Levels, weights: Weights) -> float:
    """The sum of a pair's evidence."""
    return round(weights["prior", ""] + sum(weights.get(each, 0.0) for each in levels), 1)


def main() -> None:
    """Estimate, print the seed, and cross-validate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, default=CORPUS / "links_tune.jsonl")
    parser.add_argument("--pairs", type=Path, default=CORPUS / "links_tune.csv")
    options = parser.parse_args()
    variables = yaml.safe_load((PROJECT / "dbt_project" / "dbt_project.yml").read_text())["vars"]
    listed_from, certain_from = variables["link_listed_weight"], variables["link_certain_weight"]

    compared = {each.pair: each for each in _compare_all(options.cases)}
    labelled = labels(options.pairs)
    cases = {case["case_id"]: case for case in read_cases(options.cases)}
    clusters = {pair: cases[min(pair)]["cluster"] for pair in labelled}
    pairs = {pair: levels_of(compared[pair]) for pair in labelled if pair in compared}
    weights = estimate([(levels, labelled[pair]) for pair, levels in pairs.items()])
    _print_seed(weights, [(levels, labelled[pair]) for pair, levels in pairs.items()])

    unseen: list[Listed] = []
    for left_out in sorted(set(clusters.values())):
        others = estimate(
            [
                (levels, labelled[pair])
                for pair, levels in pairs.items()
                if clusters[pair] != left_out
            ]
        )
        for pair, levels in pairs.items():
            if clusters[pair] == left_out:
                weight = weigh(levels, others)
                if weight >= listed_from:
                    unseen.append(
                        compared[pair]._replace(weight=weight, is_certain=weight >= certain_from)
                    )
    for name, value in judge(unseen, labelled, len(cases)).items():
        if "first" not in name and "unlabelled" not in name:
            print(f"cross_validated_{name}={value:.3f}")


def _compare_all(cases: Path) -> list[Listed]:
    """Every candidate, whatever its weight."""
    with tempfile.TemporaryDirectory() as folder, scratch_server() as server:
        project = Path(folder) / "dbt_project"
        shutil.copytree(PROJECT / "dbt_project", project)
        path = project / "dbt_project.yml"
        document = yaml.safe_load(path.read_text())
        document["vars"]["link_listed_weight"] = -1000
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        url = server.ensure_database("links")
        database.migrate(url)
        return land_and_list(cases, url, project)


def _print_seed(weights: Weights, pairs: list[tuple[Levels, bool]]) -> None:
    same = [levels for levels, is_same in pairs if is_same]
    different = [levels for levels, is_same in pairs if not is_same]
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["field", "level", "weight", "same_share", "different_share"])
    found = {level for levels, _ in pairs for level in levels}
    for level in sorted({*weights, *found}, key=lambda each: (each[0] != "prior", each)):
        shares = [
            f"{sum(level in one for one in part) / len(part):.3f}" for part in (same, different)
        ]
        writer.writerow([*level, weights.get(level, 0.0), *(shares if level[1] else ("", ""))])


if __name__ == "__main__":
    main()
