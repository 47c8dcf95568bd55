"""What an office had with a released version is there after the upgrade, and goes on from there.

`tests/released` holds an installation of each release, as its own code left it: a week of the
invented world that was landed, built and published.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lumbung import database
from lumbung.errors import PublicationError
from lumbung.intake.run import pull
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.publication.editions import folder, publishing
from lumbung.publication.formats import render
from lumbung.publication.model.store import load
from lumbung.publication.portal import publish as portal
from lumbung.publication.proof import verify
from lumbung.publication.proof.keys import trusted_keys
from lumbung.settings import Settings
from lumbung.warehouse.build import build
from tests.support import published, released
from tests.support.homes import demo_home
from tests.warehouse.conftest import PROJECT, query

pytestmark = pytest.mark.slow

OLD, WEEK = "2024-W39-r1", "2024-W39"
FILES = ("register_laporan", "rekap_pengawasan", "wa_aduan")
"""Channels that are read from the inbox."""

FACTS = {
    "cases": "select channel, record_kind, lower(register_number), regency_code, district_code,"
    " occurred_date, received_date, registration_outcome, status_code from marts.fct_report",
    "supervisions": "select channel, regency_code, district_code, activity_date, election_code,"
    " method_code from marts.fct_supervision",
    "preventions": "select channel, regency_code, district_code, activity_date,"
    " prevention_type_code from marts.fct_prevention",
}
"""Facts in columns that every version has."""

CURRENT = (
    "select channel, count(*) from (select distinct on (channel, source_id) * from raw.record"
    " order by channel, source_id, record_id desc) as last where not is_tombstone group by channel"
)


@dataclass
class Office:
    """An office after its upgrade.

    Attributes:
        before: its facts with the released version.
        records: its current records by channel with the released version.
        pages: the files of its edition.
        landed: how many records each channel landed when its files were read again.

    """

    settings: Settings
    url: str
    before: dict[str, Counter[tuple[Any, ...]]]
    records: dict[str, int]
    pages: dict[str, bytes]
    landed: dict[str, int]


def facts(url: str) -> dict[str, Counter[tuple[Any, ...]]]:
    return {name: Counter(query(url, statement)) for name, statement in FACTS.items()}


@pytest.fixture(
    scope="module",
    params=sorted(released.FOLDER.glob("*.tar.xz")),
    ids=lambda file: file.name.removesuffix(".tar.xz"),
)
def office(
    request: pytest.FixtureRequest, server: EmbeddedPostgres, tmp_path_factory: Any
) -> Office:
    """An office that was upgraded, has read its files again and has built."""
    place: Path = tmp_path_factory.mktemp("released")
    url = released.load(request.param, place, server, "upgraded")
    settings = demo_home(place / "home", PROJECT)
    before, records = facts(url), dict(query(url, CURRENT))
    pages = dict(query(url, "select name, content from published.artefact"))
    database.migrate(url)
    database.require_migrated(url)
    landed = {
        channel: pull(channel, settings=settings, database_url=url, run_key="after").landed
        for channel in FILES
    }
    build(settings=settings, database_url=url)
    return Office(settings, url, before, records, pages, landed)


def test_every_release_has_an_installation_here() -> None:
    log = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = set(re.findall(r"^## \[(\d+\.\d+\.\d+)\]", log, re.MULTILINE))
    assert {f.name.removesuffix(".tar.xz") for f in released.FOLDER.iterdir()} == versions


def test_files_that_were_read_before_count_once(office: Office) -> None:
    assert office.landed == dict.fromkeys(FILES, 0)
    assert dict(query(office.url, CURRENT)) == office.records
    assert sum(office.records.values()) > 100


def test_the_facts_are_the_same(office: Office) -> None:
    after = facts(office.url)
    for name, rows in office.before.items():
        assert sum(rows.values()) > 10, name
        assert after[name] - rows == Counter(), f"new {name}"
        assert rows - after[name] == Counter(), f"lost {name}"


def test_old_deliveries_are_read_by_the_new_field_map(office: Office) -> None:
    """0.2.0 stored the place of an event as a pseudonym, and the observer's organisation too."""
    for column, table in (
        ("venue_kind_code", "fct_supervision"),
        ("observer_organisation_code", "fct_report"),
    ):
        ((known,),) = query(office.url, f"select count({column}) from marts.{table}")
        assert known > 0, column


def test_models_under_old_names_are_gone(office: Office) -> None:
    names = ["mart_issue_profile", "rpt_figure", "rpt_figure_member", "mart_review_item"]
    found = query(office.url, "select relname from pg_class where relname = any (%s)", names)
    assert found == []


def test_the_edition_stays_and_the_next_one_follows_it(office: Office) -> None:
    """It was published before editions were signed: the first signed one names its root."""
    settings, url = office.settings, office.url
    publishing.publish(OLD, settings=settings, database_url=url)
    assert folder.read(settings.editions / OLD) == office.pages
    edition = load(OLD, database_url=url)
    assert edition.content_hash.encode() in office.pages["edisi.html"]
    assert edition.content_hash.encode() in render.render(edition)["edisi.html"]
    with psycopg.connect(url) as connection:
        connection.execute("update reporting.rpt_metric set value = value + 1 where value > 5")
    new = published.publish(url, settings, WEEK, "demo")
    portal.build(settings=settings, database_url=url)
    site = settings.portal / "edisi"
    proofs = verify.verify_all(settings.editions, trusted_keys(settings))
    assert [(proof.edition_id, proof.problems) for proof in proofs] == [(OLD, []), (new, [])]
    for edition_id in (OLD, new):
        shown, kept = (place / edition_id / "edisi.html" for place in (site, settings.editions))
        assert shown.read_bytes() == kept.read_bytes()


def test_a_number_that_is_changed_later_is_noticed(office: Office) -> None:
    with psycopg.connect(office.url) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(
            "update published.metric set week_value = week_value + 1 where edition_id = %s", (OLD,)
        )
    with pytest.raises(PublicationError, match="are not those that were frozen"):
        load(OLD, database_url=office.url)
