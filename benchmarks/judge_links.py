"""How well pairs of cases reported in different words are found: part of `make bench-judgements`.

Cases are landed through channels of a register's kind, with the product's own features, and the
warehouse is built; then the pairs that are labelled are compared with those that are listed. What
two labels do not name (`cluster`, `incident`) is not landed.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import yaml

from lumbung import database
from lumbung.intake.channel.load import load_channels
from lumbung.intake.connectors.base import Delivery
from lumbung.intake.landing import Landing
from lumbung.intake.vault import Vault
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.settings import Settings
from lumbung.warehouse.build import build

PROJECT = Path(__file__).parents[1]
CORPUS = Path(__file__).parent / "corpus"
FIRST = 20
"""Pairs of a regency and week that a person looks at first."""

FIELDS: dict[str, dict[str, str]] = {
    "received_date": {"from": "Diterima"},
    "occurred_date": {"from": "Kejadian"},
    "regency_code": {"from": "Kode Kab", "scheme": "kemendagri"},
    "district_code": {"from": "Kode Kec", "scheme": "kemendagri"},
    "village_code": {"from": "Kode Desa", "scheme": "kemendagri"},
    "issue": {"from": "Isu", "separator": ";"},
    "accused_role": {"from": "Jabatan"},
    "narrative": {"from": "Uraian"},
}


class Listed(NamedTuple):
    """A pair that the warehouse lists.

    Attributes:
        pair: the ids of its two cases.
        weight: its evidence in bits.
        is_certain: whether it is of the top class.
        place_and_week: regency and week of the later of the two, as it is shown to a person.
        evidence: a line per field.
    """

    pair: frozenset[str]
    weight: float
    is_certain: bool
    place_and_week: tuple[str, str]
    evidence: tuple[str, ...]


def measure(cases: Path, pairs: Path, database_url: str) -> dict[str, float]:
    """Land the cases, build, and judge the listed pairs by the labelled ones.

    Args:
        cases: a JSON line per case (`case_id`, `channel`, its fields, `narrative`).
        pairs: CSV with `case_a`, `case_b` and `label` (`same` or `different`).
        database_url: an empty, migrated database.

    Returns:
        `link_recall`, `link_precision` and `link_top_precision` over labelled pairs,
        `link_average_precision` of their ranking, `link_recall_first_20` (within the first 20 of a
        regency and week, unlabelled ones included), and `link_unlabelled_per_case`.
    """
    return judge(land_and_list(cases, database_url), labels(pairs), len(read_cases(cases)))


def read_cases(path: Path) -> list[dict[str, Any]]:
    """The cases of a corpus."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def labels(path: Path) -> dict[frozenset[str], bool]:
    """Labelled pair -> whether it is of one event."""
    with path.open(encoding="utf-8") as file:
        return {
            frozenset((row["case_a"], row["case_b"])): row["label"] == "same"
            for row in csv.DictReader(file)
        }


def judge(
    listed: list[Listed], labelled: dict[frozenset[str], bool], case_count: int
) -> dict[str, float]:
    """The measures of `measure`, of pairs that are listed.

    Args:
        listed: the pairs.
        labelled: what they are judged by.
        case_count: how many cases there are.
    """
    true = sum(labelled.values())
    ranked = sorted(listed, key=lambda each: (-each.weight, sorted(each.pair)))
    judged = [(each, labelled[each.pair]) for each in ranked if each.pair in labelled]
    right = sum(is_same for _, is_same in judged)
    top = [is_same for each, is_same in judged if each.is_certain]
    found, precisions = 0, []
    for place, (_, is_same) in enumerate(judged, 1):
        if is_same:
            found += 1
            precisions.append(found / place)
    first: dict[tuple[str, str], list[Listed]] = defaultdict(list)
    for each in ranked:
        first[each.place_and_week].append(each)
    seen = sum(labelled.get(each.pair, False) for group in first.values() for each in group[:FIRST])
    return {
        "link_recall": right / true,
        "link_precision": right / len(judged) if judged else 0.0,
        "link_top_precision": sum(top) / len(top) if top else 0.0,
        "link_top_recall": sum(top) / true,
        "link_average_precision": sum(precisions) / true,
        "link_recall_first_20": seen / true,
        "link_unlabelled_per_case": (len(listed) - len(judged)) / case_count,
    }


def land_and_list(
    cases: Path, database_url: str, dbt_project: Path = PROJECT / "dbt_project"
) -> list[Listed]:
    """Land the cases by their channels, build the warehouse and list its pairs.

    Args:
        cases: see `measure`.
        database_url: an empty, migrated database.
        dbt_project: the project that is built.
    """
    records = read_cases(cases)
    with _office(sorted({case["channel"] for case in records}), dbt_project) as settings:
        channels = load_channels(settings.channels)
        vault = Vault.load(settings.home)
        issues = _issue_names()
        with psycopg.connect(database_url, autocommit=True) as connection:
            for name, channel in channels.items():
                deliveries = [
                    _delivery(case, issues) for case in records if case["channel"] == name
                ]
                Landing(connection, channel, vault, "ukur").land(deliveries)
        build(settings=settings, database_url=database_url)
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "select one.source_id, other.source_id, p.weight, p.class_code, p.regency_code,"
            " greatest(a.week_id, b.week_id), p.evidence from marts.fct_report_pair as p"
            " inner join marts.fct_report as a on p.report_id_a = a.report_id"
            " inner join marts.fct_report as b on p.report_id_b = b.report_id"
            " inner join raw.record as one on a.record_id = one.record_id"
            " inner join raw.record as other on b.record_id = other.record_id"
            " where p.class_code is not null"
        ).fetchall()
    return [
        Listed(
            frozenset((a, b)), float(weight), kind == "almost_certain", (place, week), tuple(why)
        )
        for a, b, weight, kind, place, week, why in rows
    ]


@contextmanager
def _office(channels: list[str], dbt_project: Path) -> Iterator[Settings]:
    folder = Path(tempfile.mkdtemp(prefix="lumbung-links-"))
    try:
        (folder / "dbt_project").symlink_to(dbt_project.resolve())
        (folder / "channels").mkdir()
        for name in channels:
            document = {
                "title": f"Kanal rekaan {name}",
                "owner": {"name": "Kantor Rekaan", "email": "rekaan@example.id"},
                "schedule": "0 5 * * *",
                "record_kind": "IA",  # none has a register number
                "source": {"kind": "register"},
                "key": "ID",
                "fields": FIELDS,
            }
            (folder / "channels" / f"{name}.yaml").write_text(yaml.safe_dump(document))
        yield Settings(folder / "home", folder, None)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _issue_names() -> dict[str, str]:
    with (PROJECT / "dbt_project" / "seeds" / "issue.csv").open(encoding="utf-8") as file:
        return {row["issue_code"]: row["issue_name"] for row in csv.DictReader(file)}


def _delivery(case: dict[str, Any], issues: dict[str, str]) -> Delivery:
    received = date.fromisoformat(case["received_date"])
    return Delivery(
        case["case_id"],
        datetime(received.year, received.month, received.day, 5, tzinfo=UTC),
        {
            "ID": case["case_id"],
            "Diterima": case["received_date"],
            "Kejadian": case["occurred_date"],
            "Kode Kab": case["regency_code"],
            "Kode Kec": case["district_code"],
            "Kode Desa": case["village_code"],
            "Isu": ";".join(issues[code] for code in case["issues"]),
            "Jabatan": case["accused_role"],
            "Uraian": case["narrative"],
        },
    )


@contextmanager
def scratch_server() -> Iterator[EmbeddedPostgres]:
    """A server of its own, gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="lumbung-links-"))
    folder.chmod(0o755)  # PostgreSQL's own account has to reach it
    server = EmbeddedPostgres(folder / "postgres")
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Measure a corpus and print its lines, and the evidence of what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, default=CORPUS / "links_tune.jsonl")
    parser.add_argument("--pairs", type=Path, default=CORPUS / "links_tune.csv")
    parser.add_argument("--explain", action="store_true", help="show what was found and missed")
    options = parser.parse_args()
    with scratch_server() as server:
        url = server.ensure_database("links")
        database.migrate(url)
        listed = land_and_list(options.cases, url)
    labelled = labels(options.pairs)
    if options.explain:
        known = {each.pair: each for each in listed}
        for pair, is_same in labelled.items():
            each = known.get(pair)
            if is_same != (each is not None):
                shown = f"{each.weight} {'; '.join(each.evidence)}" if each else "not listed"
                print(f"{'same' if is_same else 'different':9} {' '.join(sorted(pair))}: {shown}")
        print(Counter(each.is_certain for each in listed))
    for name, value in judge(listed, labelled, len(read_cases(options.cases))).items():
        print(f"{name}={value:.3f}")


if __name__ == "__main__":
    main()
