"""How often the issue profile marks a theme by chance, and how often it finds one that is there.

`measure()` invents editions and lets the product judge them: the SQL of the model
`int_issue_profiles__measured`, compiled by dbt, runs once over all of them in a PostgreSQL of its
own. Seeds are fixed, and differ from those with which the rule was chosen (ADR 13).

- Chance: the cases of an edition are dealt out again over the regencies. Each regency keeps its
  number of cases and each theme its total, so that every mark is a false one.
- Power: one regency has 10, 20 or 50 cases, a seventh of the province, and names one theme twice as
  often as the province does; all others are alike.
"""

from __future__ import annotations

import csv
import random
import shutil
import statistics
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psycopg

from lumbung.demo import reckoning, world
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.settings import Settings
from lumbung.warehouse.dbt_runner import run_dbt

PROJECT = Path(__file__).parents[1]
MODEL = "int_issue_profiles__measured"
WORLDS = range(7000, 7040)
WEEKS = (1, 3, 5, 7, 9)
LAID = 400
"""Editions of each kind."""
UNKNOWN = "19.00"
PLACES = {
    # cases by regency in the invented world; in the 36 reports of December 2024 (belitongekspres)
    "invented": {"19.00": 6, "19.01": 12, "19.02": 22, "19.03": 9, "19.04": 20, "19.05": 17,
                 "19.06": 21, "19.71": 25},
    "december": {"19.01": 2, "19.02": 5, "19.04": 1, "19.05": 7, "19.06": 12, "19.71": 9},
}  # fmt: skip
SIZES = (
    (10, "invented"),
    (36, "december"),
    (100, "december"),
    (200, "invented"),
    (500, "invented"),
)
PLANTED = ("19.71", "PU")
SHARES = (0.1, 0.2, 0.3)
HEADLINE_SHARE = 0.2
"""Of the planted theme in the province: about that of the invented world's commonest theme."""
BASES = (10, 20, 50)

Case = tuple[str, tuple[str, ...]]
Edition = list[Case]
"""A case is its regency and the themes that it names."""


def measure() -> dict[str, float]:
    """False marks per edition under shuffling, and the share of planted themes that are marked."""
    return {name: round(value, 3) for name, value in _measure().items() if not name.startswith("_")}


def main() -> None:
    """Print every measure, the published ones last."""
    values = _measure()
    for name, value in values.items():
        if name.startswith("_"):
            print(f"{name[1:]}: {value:.3f}")
    for name, value in values.items():
        if not name.startswith("_"):
            print(f"{name}={value:.3f}")


def _measure() -> dict[str, float]:
    editions: dict[str, tuple[str, Edition]] = {}
    for kind, make in _kinds().items():
        for number in range(LAID):
            rng = random.Random(f"marks/{kind}/{number}")
            editions[f"{kind}/{number:03}"] = kind, make(rng, number)
    marks: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for edition, regency, issue in _marked({name: cases for name, (_, cases) in editions.items()}):
        marks[edition].add((regency, issue))
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for name, (kind, _) in editions.items():
        planted = int(PLANTED in marks[name])
        found[kind].append((planted, len(marks[name]) - planted))
    values: dict[str, float] = {}
    for kind, counts in found.items():
        if kind.startswith("chance"):
            values[f"_false marks, {kind}"] = statistics.mean(a + b for a, b in counts)
        else:
            values[f"_power, {kind}"] = statistics.mean(a for a, _ in counts)
    values["false_marks_per_edition"] = statistics.mean(
        value for name, value in values.items() if name.startswith("_false")
    )
    for base in BASES:
        values[f"mark_power_{base}"] = values[f"_power, {_planted(base, HEADLINE_SHARE)}"]
    return values


def _kinds() -> dict[str, Callable[[random.Random, int], Edition]]:
    """How an edition of each kind is made."""
    worlds = [_cases(seed) for seed in WORLDS]
    pool = [themes for each in worlds for _, _, themes in each]

    def shuffled(edition: Sequence[Case], rng: random.Random) -> Edition:
        themes = [themes for _, themes in edition]
        rng.shuffle(themes)
        return [(regency, each) for (regency, _), each in zip(edition, themes, strict=True)]

    def of_week(week: int) -> Callable[[random.Random, int], Edition]:
        last = world.WEEKS[week - 1]
        return lambda rng, number: shuffled(
            [
                (regency, themes)
                for regency, case_week, themes in worlds[number % len(worlds)]
                if case_week <= last
            ],
            rng,
        )

    def of_size(size: int, places: str) -> Callable[[random.Random, int], Edition]:
        regencies, weights = list(PLACES[places]), list(PLACES[places].values())
        return lambda rng, _: [
            (regency, rng.choice(pool)) for regency in rng.choices(regencies, weights, k=size)
        ]

    def of_planted(base: int, share: float) -> Callable[[random.Random, int], Edition]:
        return lambda rng, _: _plant(rng, pool, base, share)

    return {
        **{f"chance, invented world to week {week}": of_week(week) for week in WEEKS},
        **{f"chance, {size} cases, {places}": of_size(size, places) for size, places in SIZES},
        **{_planted(base, share): of_planted(base, share) for base in BASES for share in SHARES},
    }


def _planted(base: int, share: float) -> str:
    return f"{base} cases, theme in {share:.0%} of the province's"


def _plant(rng: random.Random, pool: Sequence[tuple[str, ...]], base: int, share: float) -> Edition:
    """An edition in which the planted regency names the theme at twice the province's share."""
    regency, theme = PLANTED
    size = 7 * base
    # so that all cases together name it at `share`
    elsewhere = share * (size - 2 * base) / (size - base)
    others = {code: n for code, n in PLACES["invented"].items() if code != regency}
    places = [regency] * base + rng.choices(list(others), list(others.values()), k=size - base)
    edition = []
    for place in places:
        rest = tuple(each for each in rng.choice(pool) if each != theme)
        chance = 2 * share if place == regency else elsewhere
        named = (theme,) if rng.random() < chance else ()
        edition.append((place, (*named, *rest) or ("LAIN",)))
    return edition


def _cases(seed: int) -> list[tuple[str, str, tuple[str, ...]]]:
    """Regency, week and themes of an invented world's cases that name a theme."""
    reports = reckoning.truth_of(world.generate(seed))["reports"]
    return [(r["regency_code"], r["week_id"], tuple(r["issues"])) for r in reports if r["issues"]]


def _marked(editions: dict[str, Edition]) -> list[tuple[str, str, str]]:
    """What the product's own model marks: edition, regency and theme."""
    folder = Path(tempfile.mkdtemp(prefix="lumbung-marks-"))
    folder.chmod(0o755)  # PostgreSQL's own account has to reach it
    server = EmbeddedPostgres(folder / "postgres")
    try:
        server.start()
        url = server.ensure_database("marks")
        settings = Settings(folder / "home", PROJECT, None)
        run_dbt(
            ["compile", "--select", MODEL],
            settings=settings,
            database_url=url,
            target="marks",
        )
        (compiled,) = (settings.home / "dbt").rglob(f"compiled/**/{MODEL}.sql")
        with psycopg.connect(url) as connection:
            connection.execute(
                "create schema intermediate;"
                "create table intermediate.int_issue_profiles__counted (week_id text,"
                " regency_code text, issue_code text, is_unknown boolean, has_trend boolean,"
                " case_count bigint, base_count bigint, suspected_violation_count bigint,"
                " tip_count bigint, last_4_weeks_count bigint, previous_4_weeks_count bigint,"
                " prevention_count bigint, last_4_weeks_prevention_count bigint)"
            )
            with connection.cursor().copy(
                "copy intermediate.int_issue_profiles__counted from stdin"
            ) as copy:
                for row in _cells(editions):
                    copy.write_row((*row, *[0] * 6))
            connection.execute("analyze intermediate.int_issue_profiles__counted")
            return connection.execute(
                f"select week_id, regency_code, issue_code from ({compiled.read_text()}) as judged"
                " where is_marked order by 1, 2, 3".encode()
            ).fetchall()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _cells(
    editions: dict[str, Edition],
) -> Iterator[tuple[str, str, str, bool, bool, int, int]]:
    """Every regency and theme of every edition, zeros included, as the model before has them."""
    regencies, issues = (
        [row[f"{name}_code"] for row in csv.DictReader(file)]
        for name in ("regency", "issue")
        for file in [(PROJECT / "dbt_project/seeds" / f"{name}.csv").read_text().splitlines()]
    )
    for name, cases in editions.items():
        bases = Counter(regency for regency, _ in cases)
        counts = Counter((regency, issue) for regency, issues in cases for issue in issues)
        for regency in regencies:
            for issue in issues:
                yield (
                    *(name, regency, issue, regency == UNKNOWN, True),
                    *(counts[regency, issue], bases[regency]),
                )


if __name__ == "__main__":
    main()
