"""Take a backup, and delete the oldest ones."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import shutil
import stat
import time
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psycopg

from lumbung import database
from lumbung.backup import dump, keys
from lumbung.backup.manifest import MANIFEST, TIME, Manifest, backups, copy, file_hash
from lumbung.errors import DISK, FULL, ConfigurationError, ServiceError, without_path
from lumbung.files import DRAFTS, FETCHED, keep_private, write_private
from lumbung.intake.evidence import Evidence
from lumbung.intake.vault import ERASED_EVIDENCE, EvidenceKeys, Vault
from lumbung.local.stack import AIRFLOW_DATABASE
from lumbung.locks import locked
from lumbung.project import IGNORED, PARTS
from lumbung.settings import Settings, number
from lumbung.warehouse.build_lock import hold_builds_off
from lumbung.warehouse.roles import METADATA, role_url

DERIVED = {
    FETCHED, "airflow", "dbt", "docs", "drill", "editions", "keys", "logins", "logs", "portal",
    "portals", "postgres", "restored", "run",
}  # fmt: skip
"""What a backup leaves out of the home: it is dumped, encrypted, or computed again."""

EVIDENCE = re.compile(r"home/evidence/([0-9a-f]{2})/([0-9a-f]{62})")
"""An evidence file in a backup; its name is its SHA-256."""

DATA_KEYS = "keys/data_keys.json"
"""The data keys of the vault among a backup's keys."""


@dataclass(frozen=True)
class Target:
    """Where backups go: folder, the recipient of the keys, how many backups are kept."""

    folder: Path
    recipient: str
    keep: int

    @classmethod
    def load(cls, folder: Path | None = None, recipient: str | None = None) -> Target:
        """Read `LUMBUNG_BACKUP`, `LUMBUNG_BACKUP_RECIPIENT` and `LUMBUNG_BACKUP_KEEP`.

        Raises:
            ConfigurationError: when a value is missing or wrong.

        """
        given = folder or os.environ.get("LUMBUNG_BACKUP")
        to = recipient or os.environ.get("LUMBUNG_BACKUP_RECIPIENT")
        for value, name in ((given, "LUMBUNG_BACKUP"), (to, "LUMBUNG_BACKUP_RECIPIENT")):
            if not value:
                raise ConfigurationError(
                    "the folder or the recipient of backups is not set",
                    where=name,
                    remediation="set it (docs/how-to/back-up-and-restore.md)",
                )
        keep = number("LUMBUNG_BACKUP_KEEP", *("7", 1, 10_000), remediation="set how many are kept")
        return cls(Path(given or "").absolute(), to or "", int(keep))


@dataclass(frozen=True)
class Backup:
    """A finished backup.

    Attributes:
        folder: where it is.
        size: of its files, in bytes.
        seconds: how long it took.
        damaged: evidence files of the home that are not what was delivered.

    """

    folder: Path
    size: int
    seconds: float
    damaged: list[str]


def backup(target: Target, *, settings: Settings, database_url: str) -> Backup:
    """Take a backup of an installation, which may run meanwhile.

    Airflow's metadata is dumped first: what Airflow calls done is then in the warehouse's dump, and
    what is missing runs again. Files are copied last: evidence is written before the row that names
    it and is never deleted, so every row's evidence is in the backup.

    Raises:
        ServiceError: when another backup into this folder is running, the folder cannot be written,
            a build does not end, or a database cannot be dumped. Earlier backups stay.
        ConfigurationError: when the recipient is wrong, the folder is in the home, the login
            `backup` may not read every row, or the vault key is missing or not the one of the
            warehouse.

    """
    if target.folder.resolve().is_relative_to(settings.home.resolve()):
        raise ConfigurationError(
            "a backup in the home is lost with it",
            where=str(target.folder),
            remediation="give a folder of another disk or machine",
        )
    secrets = keys.collect(settings)
    keys.seal(secrets, target.recipient)  # refuse a wrong recipient before anything is written
    began = time.monotonic()
    try:
        target.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        running = "another backup into this folder is running"
        with locked(target.folder / ".lock", seconds=0, what=running):
            for leftover in target.folder.glob(".*.partial"):  # of a killed backup
                shutil.rmtree(leftover)
            name = _name()
            partial = target.folder / f".{name}.partial"
            partial.mkdir(mode=0o700)
            files = _Files(partial, next(reversed(backups(target.folder)), None))
            try:
                manifest, erased = _write(files, secrets, target.recipient, settings, database_url)
                size = _finish(partial, target.folder / name, manifest)
            except Exception:
                shutil.rmtree(partial, ignore_errors=True)  # it may have filled the disk
                raise
            for earlier in backups(target.folder)[-target.keep : -1]:
                _follow(earlier, (target.folder / name / keys.NAME).read_bytes(), erased)
            for old in backups(target.folder)[: -target.keep]:
                # Renamed first: a killed deletion leaves nothing under the name of a whole backup.
                shutil.rmtree(old.rename(old.with_name(f".{old.name}.partial")))
    except OSError as error:
        is_full = error.errno in FULL
        path = Path(os.fsdecode(error.filename or target.folder))
        is_there = path.is_relative_to(target.folder)
        raise ServiceError(
            f"{DISK} ({error.strerror})"
            if is_full
            else f"the backup failed: {without_path(error)}",
            where=str(target.folder if is_there else settings.home),
            remediation="earlier backups are whole; free space there or lower LUMBUNG_BACKUP_KEEP,"
            " then back up again"
            if is_full
            else "earlier backups are whole; let this account read and write there, then back up"
            " again",
        ) from None
    return Backup(target.folder / name, size, time.monotonic() - began, files.damaged)


class _Files:
    """The files of a backup that is being written.

    Args:
        folder: of the backup.
        previous: the backup before it, with whose evidence it shares disk space; None: the first.

    """

    def __init__(self, folder: Path, previous: Path | None) -> None:
        self.folder = folder
        self.previous = previous
        self.hashes: dict[str, str] = {}
        self.damaged: list[str] = []

    def write(self, name: str, content: bytes) -> None:
        """Write a file."""
        (self.folder / name).write_bytes(content)
        self.add(name)

    def add(self, name: str) -> None:
        """Add a file that is there already."""
        self.hashes[name] = file_hash(self.folder / name)

    def copy(
        self, source: Path, name: str, *, but: Collection[str] = (), store: Evidence | None = None
    ) -> None:
        """Copy a folder without symbolic links, special files, drafts and the folders in `but`.

        Args:
            source: the folder.
            name: its name in the backup.
            but: folders in it that are left out.
            store: judges the evidence in the folder.

        """
        for root, folders, files in os.walk(source):
            if Path(root) == source:
                folders[:] = [each for each in folders if each not in but]
            place = self.folder / name / Path(root).relative_to(source)
            place.mkdir(parents=True, exist_ok=True)
            for file in files:
                if file.startswith(DRAFTS):
                    continue
                with suppress(FileNotFoundError):  # removed meanwhile
                    if stat.S_ISREG((Path(root) / file).lstat().st_mode):
                        self._copy_file(Path(root) / file, place / file, store)

    def _copy_file(self, source: Path, target: Path, store: Evidence | None) -> None:
        name = target.relative_to(self.folder).as_posix()
        digest = None
        if store and (found := EVIDENCE.fullmatch(name)):
            digest = bytes.fromhex("".join(found.groups()))
            if self.previous and store.is_whole(self.previous / name, digest, is_sealed=True):
                with suppress(OSError):  # the file system has no hard links
                    target.hardlink_to(self.previous / name)
                    self.hashes[name] = file_hash(target)
                    return
        self.hashes[name] = copy(source, target)
        if store and digest and not store.is_whole(target, digest):
            self.damaged.append(str(source))


def _name() -> str:
    return datetime.now(UTC).strftime(TIME)


def _write(
    files: _Files, secrets: dict[str, bytes], recipient: str, settings: Settings, url: str
) -> tuple[Manifest, list[str]]:
    """Write the files; return the manifest, and the evidence (SHA-256, hex) that was erased."""
    folder = files.folder
    login = role_url(url, "backup")
    metadata = role_url(database.named(url, AIRFLOW_DATABASE), METADATA)
    with database.connect(login, application="lumbung backup") as connection:
        _require_rights(connection)
        require_vault_key(connection, secrets)
    airflow = dump.dump(metadata, folder / "airflow.dump")
    with no_build(login):
        warehouse = dump.dump(login, folder / "warehouse.dump")
    files.add("airflow.dump")
    files.add("warehouse.dump")
    with database.connect(login, application="lumbung backup") as connection:
        files.write("roles.json", dump.roles(connection).encode())
        migrations = [
            name for (name,) in connection.execute("select name from ops.migration order by name")
        ]
        erased = [bytes(digest) for (digest,) in connection.execute(ERASED_EVIDENCE)]
        # attachments are in private parts, and have keys
        keyed = connection.execute("select sha256 from vault.evidence_key")
        named = {*dump.evidence(connection), *(bytes(digest) for (digest,) in keyed)} - {*erased}
    with closing(EvidenceKeys(login, Vault.load(settings.home))) as file_keys:
        store = Evidence(settings.evidence, file_keys, shared=settings.shared_evidence)
        if settings.shared_evidence:  # this machine may lack what others have pulled
            for digest in named:
                store.find(digest)
        files.copy(settings.home, "home", but=DERIVED, store=store)
    with database.connect(login, application="lumbung backup") as connection:
        # Read last, so that every ciphertext in the dump and among the files has its key.
        secrets = {**secrets, DATA_KEYS: dump.data_keys(connection)}
    files.write(keys.NAME, keys.seal(secrets, recipient))
    for name in PARTS:
        files.copy(settings.project / name, f"project/{name}", but=IGNORED)
    tables = {"warehouse": warehouse, "airflow": airflow}
    return Manifest(version("lumbung"), migrations, tables, files.hashes), [*map(bytes.hex, erased)]


def _follow(backup: Path, sealed: bytes, erased: Collection[str]) -> None:
    """Let an earlier backup follow what was erased since.

    Its keys are replaced by today's, which have all of its data keys but the destroyed ones, and
    erased evidence is removed, also where it lies in clear in an inbox. A kill in between leaves a
    backup that is not whole until the next one is taken.
    """
    try:
        manifest = Manifest(**json.loads((backup / MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return  # it is no backup, which a restore says
    for name, content in list(manifest.files.items()):
        found = EVIDENCE.fullmatch(name)
        digest = "".join(found.groups()) if found else content
        if digest in erased and (found or name.startswith("home/inbox/")):
            (backup / name).unlink(missing_ok=True)
            del manifest.files[name]
    write_private(backup / keys.NAME, sealed)
    manifest.files[keys.NAME] = file_hash(backup / keys.NAME)
    manifest.write(backup)


LOCK_WAIT = "1h"
"""How long a backup waits for a running build, whose tables come and go."""


@contextmanager
def no_build(url: str) -> Iterator[None]:
    """Hold builds back; deliveries are landed.

    Raises:
        ServiceError: when a build does not end within `LOCK_WAIT`.

    """
    with database.connect(url, application="lumbung backup") as connection:
        connection.autocommit = True
        hold_builds_off(connection, LOCK_WAIT, command="lumbung backup", is_shared=False)
        yield


def _require_rights(connection: psycopg.Connection) -> None:
    """Require that the login may read every row, which only a superuser can let it."""
    row = connection.execute(
        "select pg_has_role('pg_read_all_data', 'usage') and rolbypassrls from pg_roles"
        " where rolname = current_user"
    ).fetchone()
    if row != (True,):
        raise ConfigurationError(
            "the login backup may not read every row of the warehouse",
            where="LUMBUNG_DATABASE_URL",
            remediation="let a superuser run: grant pg_read_all_data to backup;"
            " alter role backup bypassrls",
        )


def require_vault_key(connection: psycopg.Connection, secrets: dict[str, bytes]) -> None:
    """Require the key that the warehouse was written with: with another one nothing would open."""
    written = connection.execute("select fingerprint from vault.key").fetchone()
    if written is None:
        return
    with suppress(KeyError, TypeError, binascii.Error):
        given = [
            base64.b64decode(each, validate=True) for each in secrets["keys/vault.key"].split()
        ]
        if Vault(*given).fingerprint == bytes(written[0]):
            return
    raise ConfigurationError(
        "the vault key is missing, or is not the one that the warehouse was written with",
        where="LUMBUNG_VAULT_KEY or keys/vault.key",
        remediation="restore that key first: without it the backup would not open",
    )


def _finish(partial: Path, whole: Path, manifest: Manifest) -> int:
    """Write the manifest last, give the backup its name, and return its size in bytes."""
    keep_private(partial)
    os.sync()
    manifest.write(partial)
    size = sum(file.stat().st_size for file in partial.rglob("*") if file.is_file())
    partial.rename(whole)
    os.sync()
    return size
