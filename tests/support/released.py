"""Installations as released versions left them, and the command that adds the one of a release.

`LUMBUNG_HOME` holds a finished demo of one week, made by the released version:

    LUMBUNG_HOME=/tmp/released .venv/bin/lumbung demo --weeks 1 --seed 7
    LUMBUNG_HOME=/tmp/released .venv/bin/python -m tests.support.released
"""

from __future__ import annotations

import io
import json
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

import psycopg
from psycopg import sql

from lumbung.backup import dump
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.settings import Settings
from tests.support.databases import fresh_database

FOLDER = Path(__file__).parents[1] / "released"
PARTS = ("inbox", "evidence", "keys")
"""Of the home. Editions are in the database, and written from there."""

ROLES = "select json_agg(rolname) from pg_roles where not rolsuper and rolname !~ '^pg_'"


def add(home: Path, name: str) -> Path:
    """Write the installation in a home to `FOLDER`, compressed; return the file."""
    server = EmbeddedPostgres(home / "postgres")
    file = FOLDER / f"{name}.tar.xz"
    FOLDER.mkdir(exist_ok=True)
    url = server.start()
    try:
        with psycopg.connect(url) as connection:
            row = connection.execute(ROLES).fetchone()
        dumped = home / "warehouse.dump"
        # not compressed: xz does it better for all files together
        dump.run("pg_dump", url, "--format=custom", "--compress=0", f"--file={dumped}")
    finally:
        server.stop()
    with tarfile.open(file, "w:xz", preset=9) as archive:
        archive.add(dumped, "warehouse.dump")
        roles = json.dumps(row[0] if row else []).encode()
        member = tarfile.TarInfo("roles.json")
        member.size = len(roles)
        archive.addfile(member, io.BytesIO(roles))
        for part in PARTS:
            archive.add(home / part, f"home/{part}")
    dumped.unlink()
    return file


def load(file: Path, folder: Path, server: EmbeddedPostgres, database: str) -> str:
    """Unpack an installation: its home is `folder/home`; return the URL of its database."""
    with tarfile.open(file) as archive:
        archive.extractall(folder, filter="data")
    url = fresh_database(server, "template0", database)
    with psycopg.connect(url) as connection:
        known = {name for (name,) in connection.execute("select rolname from pg_roles")}
        for name in set(json.loads((folder / "roles.json").read_bytes())) - known:
            connection.execute(sql.SQL("create role {}").format(sql.Identifier(name)))
    dump.run("pg_restore", url, "--exit-on-error", str(folder / "warehouse.dump"))
    return url


if __name__ == "__main__":
    named = sys.argv[1] if len(sys.argv) > 1 else version("lumbung")
    print(add(Settings.load().home, named))
