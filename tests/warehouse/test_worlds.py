"""Worlds of other seeds: facts, metrics, the edition, and which problem marks which regency.

LUMBUNG_WORLDS=3 tries three instead of the one of CI.
"""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from pypdf import PdfReader

from lumbung import registry
from lumbung.demo.truth import metric_differences
from lumbung.publication.editions import freezing
from lumbung.publication.formats import render as rendering
from lumbung.publication.model.edition import Edition
from lumbung.publication.model.store import load
from lumbung.registry import LANGUAGES
from lumbung.settings import Settings
from lumbung.warehouse.build import build
from tests.support.against_truth import (
    edition_equals_truth,
    facts_equal_truth,
    prevention_equals_truth,
)
from tests.support.evidence import content_of, store_of
from tests.warehouse.conftest import land_world, query

MARKS = {
    "19.02": {"SARA", "KH"},
    "19.04": {"ASN"},
    "19.06": {"APK"},
    "19.71": {"PU"},
}
"""lumbung.demo.world.PROFILES: what each of these regencies is known for."""


def names_what_is_missing(edition: Edition, truth: dict[str, Any]) -> None:
    """The first table has what marks these regencies: done, planned and gap of the world."""
    world = {
        (row["regency_code"], row["issue_code"]): row
        for row in truth["needs"]
        if row["week_id"] == edition.week_id
    }
    (table,) = rendering.document(edition).needs
    shown = {(row[0].text, row[1].text): [cell.text for cell in row[4:7]] for row in table.rows}
    for regency, place, issue, theme in (
        ("19.71", "Pangkal Pinang", "PU", "Politik uang"),
        ("19.04", "Bangka Tengah", "ASN", "Netralitas ASN"),
        ("19.02", "Belitung", "SARA", "Politisasi SARA"),
        ("19.02", "Belitung", "KH", "Kampanye hitam, hoaks, dan fitnah"),
    ):
        row = world[regency, issue]
        counts = [str(row[f"{name}_count"]) for name in ("done", "planned", "gap")]
        assert shown[place, theme] == counts
        assert row["gap_count"] > 0


def pages(edition: Edition) -> dict[str, int]:
    """How many pages the bulletin has in each language; the annex is none of them."""
    found = {}
    for language in LANGUAGES:
        content = rendering.document(replace(edition, language=language))
        paper = rendering._pdf(asdict(rendering._with_root(content, "f" * 64)), 0)
        found[language] = len(PdfReader(BytesIO(paper)).pages)
    return found


def test_the_demo_has_six_pages_and_names_what_is_missing(
    demo: tuple[str, Settings, dict[str, Any]],
) -> None:
    url, settings, truth = demo
    edition_id = freezing.freeze(truth["edition_week"], settings=settings, database_url=url)
    edition = load(edition_id, database_url=url)
    names_what_is_missing(edition, truth)
    assert pages(edition) == {"id": 6, "en": 6}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 2 + int(os.environ.get("LUMBUNG_WORLDS", "1"))))
def test_a_world_is_found_again(seed: int, warehouse_url: str, tmp_path: Path) -> None:
    url = warehouse_url
    settings, truth = land_world(seed, tmp_path, url)
    build(settings=settings, database_url=url)
    facts_equal_truth(url, truth)
    prevention_equals_truth(url, truth)
    assert metric_differences(truth, url) == []
    # a row of each book was corrected by a later file, and some findings of the register had been
    # traced before: both versions are kept, the later one counts
    revised = 1 + truth["tip_outcomes"]["TM"]
    assert query(
        url,
        "select channel, count(*) - count(distinct source_id) from raw.record"
        " group by channel order by channel",
    ) == [
        *(("form_pencegahan", 0), ("kobo_pemantau", 0), ("register_laporan", revised)),
        *(("rekap_pengawasan", 1), ("rencana_pencegahan", 0), ("wa_aduan", 0)),
    ]
    chats = sorted((settings.inbox / "wa_aduan").glob("*.zip"))
    with store_of(settings, url) as store:
        kept = [content_of(store, sha256(chat.read_bytes()).digest()) for chat in chats]
    names = [name for each in kept for name in ZipFile(BytesIO(each)).namelist()]
    photos = [name for name in names if name.endswith(".jpg")]
    assert len(photos) > 3
    edition_id = freezing.freeze(truth["edition_week"], settings=settings, database_url=url)
    edition_equals_truth(url, truth, edition_id)
    assert truth["tip_outcomes"]["TM"] > 0
    edition = load(edition_id, database_url=url)
    names_what_is_missing(edition, truth)
    assert set(pages(edition).values()) <= {5, 6}
    rows = query(
        url,
        "select regency_code, issue_code, is_marked, case_count, base_count, prevention_count"
        " from marts.agg_issue_profile where week_id = %s",
        truth["edition_week"],
    )
    assert len(rows) == 8 * len(registry.vocabulary("issue"))
    marked: dict[str, set[str]] = {}
    for regency, issue, is_marked, *_ in rows:
        if is_marked:
            marked.setdefault(regency, set()).add(issue)
    assert {regency: marked[regency] for regency in MARKS} == MARKS
    # the others are known for nothing of these: what happens anywhere makes up their cases
    others = {issue for r, issues in marked.items() if r not in MARKS for issue in issues}
    assert others.isdisjoint({"SARA", "KH", "ASN", "APK", "PU"})
    assert "19.00" not in marked
    assert sum(row[3] for row in rows) > 120
