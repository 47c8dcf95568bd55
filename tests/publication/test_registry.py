"""The registry of metrics decides what an edition prints of them, and where."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import defaultdict
from dataclasses import replace

import psycopg
import pytest
from python_calamine import CalamineWorkbook

from lumbung import registry
from lumbung.publication.formats import opendata, render, xlsx
from lumbung.publication.model.document import Document, Section
from lumbung.publication.model.edition import Edition, MetricValue
from tests.support.edition_sample import DBT, seed


def printed(section: Section) -> set[str]:
    """What the numbers of a section's tables are metrics of, without the details of four weeks."""
    return {
        reference.split("/")[0]
        for table in section.tables
        for row in [*table.rows, table.total]
        for cell in row
        for reference in cell.metric.split()
        if not reference.endswith("/weeks")
    }


def sections(document: Document) -> dict[str, set[str]]:
    """The metrics of each section; `wilayah` is every regency's page."""
    found: dict[str, set[str]] = defaultdict(set)
    for section in document.sections:
        found["wilayah" if section.id.startswith("kab-") else section.id] |= printed(section)
    return found


def test_every_section_prints_the_metrics_that_the_seed_names_for_it(
    drafts: dict[str, Edition],
) -> None:
    found = sections(render.document(drafts["draft"]))
    for row in seed("metric"):
        named = set(str(row["sections"]).split()) - {"perbandingan"}
        code = str(row["metric_code"])
        if code == registry.BY_THEME:  # the profile, whose rows are themes, prints it as well
            named |= {"pencegahan", "wilayah"}
        assert named == {id_ for id_, codes in found.items() if code in codes}, code


def test_a_metric_without_a_chapter_of_its_own_is_printed_everywhere(
    drafts: dict[str, Edition], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row of the seed is enough: a table by category, or by regency where it has none."""
    draft = drafts["draft"]
    places = [*(r.code for r in draft.regencies), draft.area_code]
    new = {
        code: replace(
            registry.metrics()["prevention"],
            code=code,
            name=(f"Nama {code}", f"Name of {code}"),
            definition=(f"Arti {code}", f"Meaning of {code}"),
            dimension=dimension,
            sections=("tip",),
        )
        for code, dimension in (("visit", ()), ("visit_by_election", ("election",)))
    }
    known = registry.metrics()
    monkeypatch.setattr(registry, "metrics", lambda: known | new)
    metrics = {
        (code, category, place): MetricValue(3, 5, 2)
        for code in new
        for category in registry.categories(code)
        for place in places
    }
    edition = replace(draft, metrics=draft.metrics | metrics)

    document = render.document(edition)
    (tips,) = [section for section in document.sections if section.id == "tip"]
    by_regency, by_category = tips.tables[-2:]
    assert by_regency.caption == "Nama visit"
    assert len(by_regency.rows) == len(draft.regencies)
    names = [row["election_label"] for row in seed("election")]
    assert [row[0].text for row in by_category.rows] == names
    assert [cell.text for cell in by_category.rows[0][1:]] == ["3", "2", "+1", "5"]
    numbers = [table.number for table in document.tables]
    assert len(numbers) == len(set(numbers))
    assert ("Nama visit", "Arti visit", "visit", []) in tips.definitions

    files = opendata.files(edition)
    rows = [*csv.DictReader(io.StringIO(files["data/angka.csv"].decode()))]
    found = {row["kategori"] for row in rows if row["kode_angka"] == "visit_by_election"}
    assert found == set(names)
    codes = [row["kode"] for row in json.loads(files["metadata.json"])["angka"]]
    assert codes[-2:] == ["visit", "visit_by_election"]
    book = CalamineWorkbook.from_filelike(io.BytesIO(xlsx.workbook(edition, document)))
    sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    assert "Nama visit" in str(sheets)


def test_an_edition_frozen_before_a_category_was_listed_is_printed_without_it(
    drafts: dict[str, Edition],
) -> None:
    def heads(edition: Edition) -> set[str]:
        (campaign,) = [s for s in render.document(edition).sections if s.id == "kampanye"]
        return {head for table in campaign.tables for head in table.columns}

    draft = drafts["draft"]
    earlier = {key: metric for key, metric in draft.metrics.items() if key[1] != "TERBATAS"}
    assert heads(draft) - heads(replace(draft, metrics=earlier)) == {"Terbatas"}


def test_a_deadline_has_the_states_of_the_seed() -> None:
    rule = (DBT / "macros" / "deadlines.sql").read_text(encoding="utf-8")
    given = {*re.findall(r"'([A-Z]+(?:_[A-Z]+)?(?:_\d)?)'", rule)}
    given |= {f"DAYS_{days}" for days in range(3)}  # written with their number
    assert given == {*registry.vocabulary("deadline_state")} - {"UNCERTAIN"}


def test_the_database_accepts_every_state_of_a_deadline(url: str) -> None:
    """The migration's constraint and the seed list the same states."""
    with psycopg.connect(url) as connection:
        (constraint,) = connection.execute(
            "select pg_get_constraintdef(oid) from pg_constraint"
            " where conrelid = 'published.deadline'::regclass and contype = 'c'"
            " and pg_get_constraintdef(oid) like '%OVERDUE%'"
        ).fetchone() or ("",)
    listed = {str(row["deadline_state_code"]) for row in seed("deadline_state")}
    assert set(re.findall(r"'(\w+)'", constraint)) == listed
