"""Databases of tests."""

from __future__ import annotations

from typing import Any

import psycopg

from lumbung.local.postgres import EmbeddedPostgres

EMPTY = ("template0", "template1")


def fresh_database(server: EmbeddedPostgres, template: str, name: str) -> str:
    """The URL of a copy of a migrated or an empty database; one of this name is dropped."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"drop database if exists {name} with (force)".encode())
        copy_database(connection, template, name)
        if template not in EMPTY:
            # A copy has none of the database's own rights, which 'lumbung migrate' gives.
            connection.execute(f"grant create on database {name} to transformer".encode())
    return server.url(name)


def copy_database(connection: psycopg.Connection, template: str, name: str) -> None:
    """Copy a database, in autocommit, as files: faster than writing each page to the log."""
    copy = f'create database "{name}" template "{template}" strategy file_copy'
    connection.execute(copy.encode())


def the_row(cursor: psycopg.Cursor[tuple[Any, ...]]) -> tuple[Any, ...]:
    """The first row of a query that must have one."""
    row = cursor.fetchone()
    assert row is not None, "the query has no row"
    return row
