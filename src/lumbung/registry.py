"""The canonical fields, metrics and vocabularies, read from dbt's seeds.

A metric is a row of the seed `metric`. Its categories are the rows of the vocabulary that it names
as its dimension (docs/explanation/adr/0014-metric-registry.md). In the database,
`int_metric_categories__listed` has the same list.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

from lumbung.settings import Settings

LANGUAGES = ("id", "en")
"""The languages of an edition, in the order of a `Pair`."""

Pair = tuple[str, str]
"""A text in Indonesian and in English."""

BY_THEME = "suspected_violation_by_issue"
BESIDE_DETAILS = ("suspected_violation", "tip")
"""Metrics that an edition repeats for the period for which it publishes details of cases."""
WHOLE = "ALL"
"""The only category of a metric without a dimension."""


@dataclass(frozen=True)
class CanonicalField:
    """A row of the seed `canonical_field`: a field that a channel file may map.

    Attributes:
        parser: how its values are parsed (docs/reference/canonical-fields.md).
        vocabulary: the seed `map_<vocabulary>` maps its words to codes; empty if there is none.
        record_kinds: the kinds of record that have the field.
        may_name_person: whether its values may name a person, so that they are never shown.
        meaning: an English sentence without its full stop.
        label_pattern: a regular expression; a source label that matches is proposed for this
            field. Empty where the field is never proposed. The first match in seed order wins.

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
        dimension: the vocabularies whose codes are its categories: every pair of codes if there are
            two, the one category `ALL` if there is none.
        whole: the metric of which it is a part; empty if there is none.
        part_rule: how its values relate to those of the whole (dbt_project/seeds/_seeds.yml).
        unit, source: keys of translations, without the prefixes `unit_` and `source_`.
        sections: ids of the document's sections that print it; `wilayah` is the page of each
            regency, `perbandingan` the table that compares with the edition before.

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

    @property
    def is_detail(self) -> bool:
        """Whether it says more of a regency's cases than how many there are of each theme."""
        return self.unit == "case" and self.code not in ("suspected_violation", BY_THEME)


@dataclass(frozen=True)
class Term:
    """The names of a code of a vocabulary; `label` is the short name for column headings."""

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
        for row in seed("canonical_field")
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
        for row in seed("metric")
    }


@cache
def vocabulary(name: str) -> dict[str, Term]:
    """The terms of a vocabulary by code, in their sort order.

    Args:
        name: a value of the column `vocabulary` of the seed `category`, else the name of a seed.
            Its first other column is the code, `<x>_code`. `<x>_name` and the optional `<x>_label`
            are its names in Indonesian; with the suffix `_en` in English.

    """
    terms = {}
    rows = [row for row in seed("category") if row.pop("vocabulary") == name] or seed(name)
    for row in sorted(rows, key=lambda row: int(row["sort_order"])):
        prefix = next(iter(row)).removesuffix("_code")
        names = row[f"{prefix}_name"], row[f"{prefix}_name_en"]
        short = row.get(f"{prefix}_label"), row.get(f"{prefix}_label_en")
        label = (short[0] or names[0], short[1] or names[1])
        terms[row[f"{prefix}_code"].upper()] = Term(names, label)
    return terms


@cache
def attribute(name: str, column: str) -> dict[str, str]:
    """Another column of a vocabulary by code, in sort order."""
    values = {next(iter(row.values())).upper(): row[column] for row in seed(name)}
    return {code: values[code] for code in vocabulary(name)}


def deadline_states(*phases: str) -> list[str]:
    """The states of deadlines in these phases (`running`, `ended`, `uncertain`), in sort order."""
    found = attribute("deadline_state", "phase")
    return [state for phase in phases for state in found if found[state] == phase]


@cache
def categories(metric: str) -> dict[str, Pair]:
    """The categories of a metric with their names, in sort order."""
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


def provinces(project: Path) -> list[str]:
    """The codes of the provinces in a project's seeds.

    Args:
        project: the folder of the project.

    Returns:
        in the order of codes; none where the folder is no project.
    """
    try:
        with (project / "dbt_project/seeds/regency.csv").open(encoding="utf-8") as file:
            return sorted({row["regency_code"][:2] for row in csv.DictReader(file)})
    except FileNotFoundError:
        return []


def seed(name: str) -> list[dict[str, str]]:
    """The rows of a seed, as texts."""
    file = Settings.load().dbt_project / "seeds" / f"{name}.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
