"""The canonical fields of intake, the metrics of an edition and their vocabularies: dbt's seeds.

A metric is a row of the seed `metric`, a category a row of the vocabulary that the metric names as
its dimension (docs/explanation/adr/0014-metric-registry.md). The database has the same list as
`int_metric_categories__listed`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from itertools import product

from lumbung.settings import Settings

LANGUAGES = ("id", "en")
"""The languages of an edition, in the order of each pair."""

Pair = tuple[str, str]
"""A text in Indonesian and in English."""

WHOLE = "ALL"
"""The one category of a metric without a dimension."""


@dataclass(frozen=True)
class CanonicalField:
    """A row of the seed `canonical_field`: what a channel file may map, and how it is read.

    Attributes:
        parser: how its values are read (docs/reference/canonical-fields.md).
        vocabulary: the seed `map_<vocabulary>` turns its words into codes; empty where none does.
        record_kinds: the kinds of record that have it.
        may_name_person: whether its values may name somebody, and are shown to nobody.
        meaning: a sentence without its full stop, in English.
        label_pattern: a regular expression for a source's labels that look like it; empty where it
            is never proposed. The first field in the order of the seed wins.

    """

    parser: str
    vocabulary: str
    record_kinds: tuple[str, ...]
    may_name_person: bool
    meaning: str
    label_pattern: str


@dataclass(frozen=True)
class Metric:
    """A row of the seed `metric`.

    Attributes:
        dimension: the vocabularies whose codes are its categories; of two every pair; none: `ALL`.
        whole: the metric that it is a part of; empty where it is none's.
        part_rule: how its numbers relate to the whole's (dbt_project/seeds/_seeds.yml).
        unit, source: keys of messages without `unit_` and `source_`.
        sections: the ids of the document's sections that print it; `wilayah`: each regency's page;
            `perbandingan`: the table against the edition before.

    """

    code: str
    name: Pair
    definition: Pair
    dimension: tuple[str, ...]
    whole: str
    part_rule: str
    unit: str
    source: str
    sections: tuple[str, ...]


@dataclass(frozen=True)
class Term:
    """A code of a vocabulary; `label` is its short name, for the head of a column."""

    name: Pair
    label: Pair


@cache
def canonical_fields() -> dict[str, CanonicalField]:
    """Every canonical field by its name, in the order of the seed."""
    return {
        row["field"]: CanonicalField(
            row["parser"],
            row["vocabulary"],
            tuple(row["record_kinds"].split()),
            row["may_name_person"] == "true",
            row["meaning"],
            row["label_pattern"],
        )
        for row in _seed("canonical_field")
    }


@cache
def metrics() -> dict[str, Metric]:
    """Every metric by its code, in the order of the seed."""
    return {
        row["metric_code"]: Metric(
            row["metric_code"],
            (row["metric_name"], row["metric_name_en"]),
            (row["definition"], row["definition_en"]),
            tuple(row["dimension"].split()),
            *(row["whole_code"], row["part_rule"], row["unit"], row["source"]),
            tuple(row["sections"].split()),
        )
        for row in _seed("metric")
    }


@cache
def vocabulary(name: str) -> dict[str, Term]:
    """The terms of a vocabulary by code, in their order.

    Args:
        name: of the seed, or in the column `vocabulary` of the seed `category`. Its first other
            column is the code, `<x>_code`; `<x>_name` and, where it has one, `<x>_label` are its
            names, each with `_en` for English.

    """
    terms = {}
    rows = [row for row in _seed("category") if row.pop("vocabulary") == name] or _seed(name)
    for row in sorted(rows, key=lambda row: int(row["sort_order"])):
        prefix = next(iter(row)).removesuffix("_code")
        names = row[f"{prefix}_name"], row[f"{prefix}_name_en"]
        short = row.get(f"{prefix}_label"), row.get(f"{prefix}_label_en")
        label = (short[0] or names[0], short[1] or names[1])
        terms[row[f"{prefix}_code"].upper()] = Term(names, label)
    return terms


@cache
def attribute(name: str, column: str) -> dict[str, str]:
    """Another column of a vocabulary by code, in their order."""
    values = {next(iter(row.values())).upper(): row[column] for row in _seed(name)}
    return {code: values[code] for code in vocabulary(name)}


def deadline_states(*phases: str) -> list[str]:
    """The states of a deadline that is `running`, has `ended` or is `uncertain`, in their order."""
    found = attribute("deadline_state", "phase")
    return [state for phase in phases for state in found if found[state] == phase]


@cache
def categories(metric: str) -> dict[str, Pair]:
    """The categories of a metric and what each is called, in their order."""
    vocabularies = [vocabulary(name) for name in metrics()[metric].dimension]
    if not vocabularies:
        return {WHOLE: ("", "")}
    if len(vocabularies) == 1:
        return {code: term.label for code, term in vocabularies[0].items()}
    return {
        f"{code}_{other_code}": (
            f"{term.name[0]}, {_lower(other.name[0])}",  # Laporan, dalam kegiatan kampanye
            f"{term.name[1]}, {_lower(other.name[1])}",
        )
        for (code, term), (other_code, other) in product(*(v.items() for v in vocabularies))
    }


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _seed(name: str) -> list[dict[str, str]]:
    file = Settings.load().dbt_project / "seeds" / f"{name}.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
