"""Migrations: applied once whoever comes first, never edited, required by what only reads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from lumbung import database
from lumbung.errors import ConfigurationError, ServiceError
from lumbung.local.postgres import EmbeddedPostgres
from tests.support.databases import fresh_database

FILES = sorted(file.name for file in database.MIGRATIONS.glob("*.sql"))


@pytest.fixture
def empty(server: EmbeddedPostgres) -> str:
    """The URL of a database without anything."""
    return fresh_database(server, "template1", "empty")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Write a migration of a version of our own."""
    monkeypatch.setattr(database, "MIGRATIONS", tmp_path)

    def write(name: str, sql: str) -> Path:
        (tmp_path / name).write_text(sql)
        return tmp_path / name

    return write


def test_three_that_come_first_at_once_apply_each_migration_once(empty: str) -> None:
    together = threading.Barrier(3)

    def migrate() -> list[str]:
        together.wait()
        return database.migrate(empty)

    with ThreadPoolExecutor(3) as pool:
        applied = [job.result() for job in [pool.submit(migrate) for _ in range(3)]]
    assert sorted(applied, key=len) == [[], [], FILES]


def test_a_database_that_cannot_hold_every_name_is_refused(server: EmbeddedPostgres) -> None:
    url = server.url("ascii")
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("drop database if exists ascii")
        connection.execute(
            "create database ascii encoding 'SQL_ASCII' locale 'C' template template0"
        )
    with pytest.raises(ConfigurationError, match=r"its encoding is SQL_ASCII.*database ascii"):
        database.migrate(url)


def test_a_failed_migration_keeps_those_before_it(
    empty: str, folder: Callable[[str, str], Path]
) -> None:
    folder("0001_a.sql", "create table a (n integer)")
    wrong = folder("0002_b.sql", "create table b (n nothing)")
    with pytest.raises(psycopg.errors.UndefinedObject):
        database.migrate(empty)
    wrong.write_text("create table b (n integer)")
    assert database.migrate(empty) == ["0002_b.sql"]


def test_an_edited_migration_is_refused_before_anything_is_applied(
    empty: str, folder: Callable[[str, str], Path]
) -> None:
    file = folder("0001_a.sql", "create table a (n integer)")
    assert database.migrate(empty) == ["0001_a.sql"]
    file.write_text("create table a (n bigint)")
    folder("0002_b.sql", "create table b (n integer)")
    for refuse in (database.migrate, database.require_migrated):
        with pytest.raises(ConfigurationError, match=r"edited after it was applied .*0001_a\.sql"):
            refuse(empty)
    with psycopg.connect(empty) as connection:
        assert connection.execute("select to_regclass('b')").fetchone() == (None,)


def test_a_database_of_an_earlier_version_gets_hashes(
    empty: str, folder: Callable[[str, str], Path]
) -> None:
    file = folder("0001_a.sql", "create table a (n integer)")
    with psycopg.connect(empty) as connection:
        connection.execute("create schema ops")
        connection.execute(
            "create table ops.migration"
            " (name text primary key, applied_at timestamptz not null default clock_timestamp())"
        )
        connection.execute("insert into ops.migration (name) values ('0001_a.sql')")
    database.require_migrated(empty)
    assert database.migrate(empty) == []
    file.write_text("create table a (n bigint)")
    with pytest.raises(ConfigurationError, match="edited"):
        database.require_migrated(empty)


def test_a_database_of_a_later_version_is_refused(
    empty: str, folder: Callable[[str, str], Path]
) -> None:
    folder("0001_a.sql", "create table a (n integer)")
    later = folder("0002_b.sql", "create table b (n integer)")
    database.migrate(empty)
    later.unlink()
    for refuse in (database.migrate, database.require_migrated):
        with pytest.raises(ConfigurationError, match=r"another version .*0002_b\.sql"):
            refuse(empty)


def test_what_only_reads_requires_the_migrations_and_applies_none(empty: str) -> None:
    with pytest.raises(ServiceError, match=r"lacks \d+ migrations.*run 'lumbung migrate'"):
        database.require_migrated(empty)
    with psycopg.connect(empty) as connection:
        assert connection.execute("select to_regnamespace('ops')").fetchone() == (None,)
    database.migrate(empty)
    database.require_migrated(empty)
