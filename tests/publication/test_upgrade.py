"""Editions frozen by version 0.1 are read as they were, after the migration to today's names."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import psycopg
import pytest

from lumbung import database
from lumbung.errors import PublicationError
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.publication.formats import render
from lumbung.publication.model.store import load

FROZEN = Path(__file__).parent / "fixtures" / "editions_0.1.json.gz"
"""Schema `published` with two editions of the invented sample, as version 0.1 froze them."""

LAST_OF_0_1 = "0054_quarantine_accepted.sql"


@pytest.fixture
def upgraded(server: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A warehouse of version 0.1 with editions and marts, migrated."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("drop database if exists test_upgrade with (force)")
    url = server.ensure_database("test_upgrade")
    for file in database.MIGRATIONS.glob("*.sql"):
        if file.name <= LAST_OF_0_1:
            shutil.copy(file, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", tmp_path)
        database.migrate(url)
    frozen = json.loads(gzip.decompress(FROZEN.read_bytes()))
    with psycopg.connect(url) as connection:
        connection.execute("set session_replication_role = replica")  # rows as they stood
        for table, (columns, rows) in frozen.items():
            copied = f"copy published.{table} ({', '.join(columns)}) from stdin"
            with connection.cursor().copy(copied.encode()) as copy:
                copy.write(rows)
        connection.execute("create table marts.mart_issue_profile (case_count bigint)")
        connection.execute("create view reporting.rpt_figure as table marts.mart_issue_profile")
    database.migrate(url)
    return url


def test_editions_keep_hash_and_pages(upgraded: str) -> None:
    for edition_id in ("2024-W45-r1", "2024-W47-r1"):
        files = render.render(load(edition_id, database_url=upgraded))
        assert b"Bangka Barat" in files["edisi.html"]
        edition = load(edition_id, database_url=upgraded)
        assert edition.content_hash.encode() in files["edisi.html"]
        assert {"exclusion_reason", "non_registration_reason"} <= edition.names["id"].keys()


def test_a_changed_number_is_still_noticed(upgraded: str) -> None:
    with psycopg.connect(upgraded) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(
            "update published.metric set week_value = week_value + 1"
            " where (edition_id, metric_code, category_code, regency_code)"
            " = ('2024-W47-r1', 'suspected_violation', 'ALL', '19')"
        )
    with pytest.raises(PublicationError, match="are not those that were frozen"):
        load("2024-W47-r1", database_url=upgraded)


def test_models_under_old_names_are_dropped(upgraded: str) -> None:
    with psycopg.connect(upgraded) as connection:
        left = connection.execute(
            "select relname from pg_class where relname in ('mart_issue_profile', 'rpt_figure')"
        ).fetchall()
    assert left == []
