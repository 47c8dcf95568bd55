"""Restore a backup into an empty home, and prove by a drill that it restores."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from lumbung import database
from lumbung.backup import dump, keys
from lumbung.backup.manifest import Manifest, newest, verified
from lumbung.backup.take import DATA_KEYS
from lumbung.errors import ConfigurationError, ServiceError
from lumbung.files import FETCHED
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.local.stack import RESTORING
from lumbung.locks import locked
from lumbung.project import PARTS
from lumbung.publication.editions import folder as edition_folder
from lumbung.publication.editions import publishing
from lumbung.publication.portal import publish as portal
from lumbung.publication.proof import verify
from lumbung.publication.proof.keys import key_file, trusted_keys
from lumbung.settings import Settings
from lumbung.warehouse.roles import role_url


@dataclass(frozen=True)
class Restored:
    """What was restored: the backup, numbers of tables, files and editions, and the seconds taken.

    Attributes:
        differing: project files of the backup that the checkout has with another content, or lacks.

    """

    backup: Path
    tables: int
    files: int
    editions: int
    seconds: float
    differing: list[Path]


def restore(backup: Path, identity: Path, *, settings: Settings) -> Restored:
    """Restore a backup into an empty home, on this machine or another one.

    The office's folder of the project (`lumbung init`) is written to `LUMBUNG_HOME/restored`; the
    checkout is left as it is. What was started is stopped again.

    Args:
        backup: a backup, or the folder of several: the newest.
        identity: the file with the private key that opens the keys.
        settings: the home to restore into, and the server if it is not the embedded one.

    Raises:
        ConfigurationError: when the home or the server is not empty, the key is wrong, or a newer
            version of Lumbung wrote the backup. Nothing was written.
        ServiceError: when the backup is not whole (nothing was written), or does not restore.

    """
    began = time.monotonic()
    backup = newest(backup)
    manifest = verified(backup)
    secrets = keys.unseal(backup / keys.NAME, identity)
    data_keys = secrets.pop(DATA_KEYS, b"{}")
    marker = settings.home / RESTORING
    if any(map(_holds_something, settings.home.iterdir() if settings.home.exists() else ())):
        raise ConfigurationError(
            "the home is not empty",
            where=str(settings.home),
            remediation="set LUMBUNG_HOME to an empty folder",
        )
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    marker.touch(exist_ok=False)
    keys.unpack(secrets, settings.home)
    shutil.copytree(backup / "home", settings.home, dirs_exist_ok=True)
    server = EmbeddedPostgres(settings.home / "postgres")
    try:
        url = settings.database_url or server.start()
        _require_no_warehouse(url)
        editions = _load(backup, manifest, settings, url)
        with database.connect(url) as connection:
            dump.load_data_keys(connection, data_keys)
        portal.build_all(settings=settings, database_url=url)
    finally:
        if settings.database_url is None:
            server.stop()
    shutil.copytree(backup / "project", settings.home / "restored")
    marker.unlink()
    return _restored(backup, manifest, editions, began, _differing(settings))


def _holds_something(path: Path) -> bool:
    """Whether it is more than a copy that was fetched, or a folder that a mount made."""
    return path.name != FETCHED and not (path.is_dir() and not any(path.iterdir()))


def drill(backup: Path, *, settings: Settings, database_url: str) -> Restored:
    """Restore a backup into a scratch server, compare it, and remove it again.

    Compared are every file with the manifest, every table with what was dumped, every row's
    evidence, the key of the vault, and every edition with its signature and with this installation.
    The private key that opens the backup's keys is not needed.

    Raises:
        ServiceError: when anything differs; the message names it.

    """
    began = time.monotonic()
    backup = newest(backup)
    manifest = verified(backup)
    scratch = replace(
        settings, home=settings.home / "drill", database_url=None, signing_key=key_file(settings)
    )
    server = EmbeddedPostgres(scratch.home / "postgres")
    running = "another restore drill is running"
    with locked(settings.home / "drill.lock", seconds=0, what=running):
        _remove(server, scratch.home)
        scratch.home.mkdir(mode=0o700)
        try:
            url = server.start()
            editions = _load(backup, manifest, scratch, url)
            login = role_url(database_url, "backup")
            with database.connect(url) as connection, database.connect(login) as live:
                _compare_vault(connection, live)
                _compare_evidence(connection, live, backup)
            _compare_editions(editions, scratch, settings)
        finally:
            _remove(server, scratch.home)
    return _restored(backup, manifest, editions, began, [])


def _restored(
    backup: Path, manifest: Manifest, editions: list[str], began: float, differing: list[Path]
) -> Restored:
    tables = sum(map(len, manifest.tables.values()))
    seconds = time.monotonic() - began
    return Restored(backup, tables, len(manifest.files), len(editions), seconds, differing)


def _load(backup: Path, manifest: Manifest, settings: Settings, url: str) -> list[str]:
    """Restore the databases, migrate them to this version and write the editions' folders."""
    dump.load(backup, url, manifest.tables)
    database.migrate(url)
    with database.connect(url) as connection:
        editions = [
            edition_id
            for (edition_id,) in connection.execute(
                "select edition_id from published.edition where state = 'published' order by 1"
            )
        ]
    for edition_id in editions:
        publishing.publish(edition_id, settings=settings, database_url=url)
    return editions


def _require_no_warehouse(url: str) -> None:
    with database.connect(url) as connection:
        found = connection.execute("select to_regclass('ops.migration')").fetchone()
    if found != (None,):
        raise ConfigurationError(
            "the server has a warehouse already",
            where="LUMBUNG_DATABASE_URL",
            remediation="give the address of an empty database, and restore into an empty home",
        )


def _differing(settings: Settings) -> list[Path]:
    """Return the restored project files that the checkout lacks, or has with another content."""
    restored = settings.home / "restored"
    return [
        file
        for name in PARTS
        for file in sorted((restored / name).rglob("*"))
        if file.is_file()
        and not (
            (here := settings.project / file.relative_to(restored)).is_file()
            and here.read_bytes() == file.read_bytes()
        )
    ]


def _remove(server: EmbeddedPostgres, home: Path) -> None:
    if home.exists():
        server.stop()
        shutil.rmtree(home)


def _compare_vault(connection: psycopg.Connection, live: psycopg.Connection) -> None:
    query = "select fingerprint from vault.key"
    if connection.execute(query).fetchone() != live.execute(query).fetchone():
        raise _differs("it was written with another vault key than this warehouse")


def _compare_evidence(
    connection: psycopg.Connection, live: psycopg.Connection, backup: Path
) -> None:
    """Require the evidence of every row that was not erased since.

    Its content was compared with the manifest.
    """
    # Also what was delivered again since: a backup that was taken before rightly lacks it.
    erased = {
        bytes(digest).hex() for (digest,) in live.execute("select sha256 from ops.erased_evidence")
    }
    store = backup / "home" / "evidence"
    for sha256 in map(bytes.hex, dump.evidence(connection)):
        if sha256 not in erased and not (store / sha256[:2] / sha256[2:]).exists():
            raise _differs(f"the evidence {sha256} is missing")


def _compare_editions(editions: list[str], scratch: Settings, settings: Settings) -> None:
    for edition_id in editions:
        here = edition_folder.read(settings.editions / edition_id)
        if here != edition_folder.read(scratch.editions / edition_id):
            raise _differs(f"the edition {edition_id} has other bytes")
    proofs = verify.verify_all(scratch.editions, trusted_keys(scratch)) if editions else []
    for proof in proofs:
        for problem in proof.problems:
            raise _differs(f"the edition {proof.edition_id}: {problem}")


def _differs(what: str) -> ServiceError:
    return ServiceError(
        f"the backup differs from this installation: {what}",
        where="restore drill",
        remediation="find out which of the two is right ('lumbung verify'), then back up again",
    )
