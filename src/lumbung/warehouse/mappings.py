"""Words that no seed `map_<vocabulary>` has, and the codes that stewards gave them.

A build applies the decisions beside the seeds (macro `mapped_terms`); a row of a seed comes first.
"""

from __future__ import annotations

import csv
import io
import os
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from psycopg.rows import class_row

from lumbung import database, registry
from lumbung.errors import ConfigurationError
from lumbung.registry import Pair

_CODES = {"method": "campaign_method"}
"""Vocabulary -> the seed of its codes, where the two are not called alike."""
PLACE = "place"
"""The vocabulary of ways of writing a place; their terms are `int_places__resolved.place_id`."""


class Mapping(NamedTuple):
    """A word and the code that the last decision on it gave it."""

    vocabulary: str
    term: str
    code: str
    decided_by: str
    decided_at: datetime
    decision_id: int
    reason: str | None


_MAPPINGS = (
    "select vocabulary, term, code, decided_by, decided_at, decision_id, reason from ops.mapping"
    " where true"
)


def mappings(database_url: str) -> dict[tuple[str, str], Mapping]:
    """Return what is decided, by vocabulary and word, also what no build has applied yet."""
    with database.connect(database_url, application="lumbung mapping") as connection:
        found = connection.cursor(row_factory=class_row(Mapping)).execute(_MAPPINGS)
        return {(each.vocabulary, each.term): each for each in found}


def undone(database_url: str) -> set[tuple[str, str]]:
    """Return what was undone since the last build of all models began, by vocabulary and word.

    That build may have applied the decision; no item of the review list has the word until the
    next one.
    """
    with database.connect(database_url, application="lumbung mapping") as connection:
        return {
            (vocabulary, term)
            for vocabulary, term in connection.execute(
                "select vocabulary, term from (select distinct on (vocabulary, term) *"
                " from ops.mapping_decision order by vocabulary, term, decision_id desc) as last"
                " where code is null and decided_at > (select max(started_at) from ops.build"
                " where state = 'success' and seeds_hash <> '')"
            )
        }


def vocabularies() -> set[str]:
    """Return the vocabularies whose words are mapped."""
    return {field.vocabulary for field in registry.canonical_fields().values()} - {""}


def codes(vocabulary: str, term: str = "") -> dict[str, Pair]:
    """Return the codes of a vocabulary with their names; a code without names is its own name.

    Those of `PLACE` are the regencies and their districts.

    Args:
        vocabulary: of the words.
        term: one of them; a place has the regions of its own province alone.

    Raises:
        ConfigurationError: when no seed maps words of this vocabulary.

    """
    if vocabulary == PLACE:
        return {code: name for code, name in _regions().items() if code.startswith(term[:2])}
    if vocabulary not in (known := vocabularies()):
        raise ConfigurationError(
            f"there is no vocabulary {vocabulary!r}",
            where="canonical_field.csv",
            remediation=f"choose one of {', '.join(sorted(known))}",
        )
    found: dict[str, Pair] = {}
    try:
        rows = registry.seed(_CODES.get(vocabulary, vocabulary))
    except FileNotFoundError:  # kinds of records, and whether a follow-up is closed
        rows = []
    for row in rows:
        code = next(iter(row.values()))
        name = next(column for column in row if column.endswith("_name"))
        found[code] = (row[name], row[f"{name}_en"])
    for row in registry.seed(f"map_{vocabulary}"):
        found.setdefault(row["code"], (row["code"], row["code"]))
    return found


def _regions() -> dict[str, Pair]:
    found = {}
    districts: dict[str, list[dict[str, str]]] = {}
    for district in registry.seed("district"):
        districts.setdefault(district["regency_code"], []).append(district)
    for regency in registry.seed("regency"):
        if regency["is_unknown"] != "true":
            code, short = regency["regency_code"], regency["short_name"]
            found[code] = (regency["regency_name"], regency["regency_name"])
            for district in districts.get(code, ()):
                name = f"{short}: {district['district_name']}"
                found[district["district_code"]] = (name, name)
    return found


def decide(
    database_url: str,
    vocabulary: str,
    term: str,
    code: str | None,
    *,
    by: str,
    reason: str = "",
    seen: int | None = None,
) -> Mapping | None:
    """Record what a word means, or take the decision on it back; the next build applies it.

    Args:
        database_url: the warehouse, as its owner or `steward`.
        vocabulary: of the word.
        term: the word, or its pseudonym.
        code: one of `codes`; None takes the decision back.
        by: the account that decides.
        reason: why, without the name of any person.
        seen: id of the valid decision that the person saw, 0 where there was none; another one,
            however shortly before it came, is left as it is. None: whichever is valid is replaced.

    Returns:
        the decision that was left as it is; None: this one was recorded.

    Raises:
        ConfigurationError: when vocabulary or code do not exist.

    """
    if code is not None and code not in codes(vocabulary, term):
        raise ConfigurationError(
            f"{vocabulary} has no code {code!r}",
            where=f"map_{vocabulary}.csv",
            remediation=f"choose one of {', '.join(codes(vocabulary, term))}",
        )
    with database.connect(database_url, application="lumbung mapping") as connection:
        if seen is not None:
            connection.execute(
                "select pg_advisory_xact_lock(hashtext('lumbung.mapping'),"
                " hashtext(%s || '/' || ops.term_key(%s)))",
                (vocabulary, term),
            )
            standing = (
                connection.cursor(row_factory=class_row(Mapping))
                .execute(
                    f"{_MAPPINGS} and vocabulary = %s and term = ops.term_key(%s)",
                    (vocabulary, term),
                )
                .fetchone()
            )
            if standing and standing.decision_id != seen:
                return standing
        connection.execute(
            "insert into ops.mapping_decision (vocabulary, term, code, decided_by, reason)"
            " values (%s, ops.term_key(%s), %s, %s, nullif(%s, ''))",
            (vocabulary, term, code, by, reason),
        )
    return None


def export(database_url: str, seeds: Path) -> dict[str, int]:
    """Append to the seeds `map_*` the words that were decided and that they do not have.

    Args:
        database_url: the warehouse.
        seeds: the folder of the dbt project's seeds.

    Returns:
        name of the file -> number of words that were added; files that need none are left out.

    """
    written: dict[str, int] = {}
    decided = sorted(mappings(database_url).values())
    # how a place is written, with its pseudonyms, is no row of a seed
    for vocabulary in sorted({each.vocabulary for each in decided} - {PLACE}):
        file = seeds / f"map_{vocabulary}.csv"
        text = file.read_text(encoding="utf-8")
        columns, *rows = csv.reader(io.StringIO(text))
        known = {row[0] for row in rows}
        added = io.StringIO()
        writer = csv.writer(added, lineterminator="\n")
        new = [each for each in decided if each.vocabulary == vocabulary and each.term not in known]
        for each in new:
            writer.writerow([each.term, each.code, *[""] * (len(columns) - 2)])
        if new:
            draft = file.with_name(f".{file.name}.{os.getpid()}")
            draft.write_text(text.rstrip("\n") + "\n" + added.getvalue(), encoding="utf-8")
            draft.replace(file)
            written[file.name] = len(new)
    return written
