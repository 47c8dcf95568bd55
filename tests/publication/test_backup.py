"""A backup is whole or no backup, and a restored home is the one that was backed up.

It stands beside the tests of the portal, whose published editions it backs up.
"""

from __future__ import annotations

import dataclasses
import errno
import io
import json
import os
import shutil
import stat
import subprocess
import traceback
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lumbung import audit, database, doctor
from lumbung.backup import dump, keys, manifest, restore, take
from lumbung.backup.take import Target
from lumbung.errors import ConfigurationError, LumbungError, ServiceError
from lumbung.intake.vault import Vault, hold_to_one_key
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.local.stack import Stack
from lumbung.locks import locked
from lumbung.publication.proof import verify
from lumbung.publication.proof.keys import trusted_keys
from lumbung.settings import Settings
from lumbung.warehouse import users
from lumbung.warehouse.roles import METADATA
from tests.support.databases import fresh_database
from tests.support.evidence import content_of, store_of
from tests.support.object_store import object_store
from tests.support.published import EDITIONS

ROOT = Path(__file__).parents[2]
LETTER = b"surat tanda terima"
DIGEST = sha256(LETTER).digest()
STORED = f"evidence/{DIGEST.hex()[:2]}/{DIGEST.hex()[2:]}"
VAULT_KEY = b64encode(bytes(range(32)))
SECRETS = {"keys/vault.key": VAULT_KEY, "airflow/passwords.json": b'{"admin": "rahasia"}'}


def tree(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def fill(home: Path) -> None:
    """Put what a home holds beside its database: secrets, evidence, an inbox, and a link."""
    for name, content in {
        **SECRETS,
        "inbox/register/pekan.csv": b"nomor,isi",
        "logs/scheduler.log": b"not backed up",
    }.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content)
    (home / "inbox" / "tautan").symlink_to(home / "keys" / "vault.key")


def add_record(url: str, settings: Settings) -> None:
    """Land one record, whose evidence is `LETTER`, under the vault key."""
    with store_of(settings, url) as store:
        store.keep(io.BytesIO(LETTER))
    with psycopg.connect(url) as connection:
        hold_to_one_key(connection, Vault(bytes(range(32))))
        connection.execute(
            "insert into raw.batch (channel, run_key, started_at, read_count, landed_count,"
            " duplicate_count, quarantined_count) values ('register', 'x', now(), 1, 1, 0, 0)"
        )
        connection.execute(
            "insert into raw.record (channel, source_id, content_hash, batch_id, received_at,"
            " evidence_sha256, payload) select 'register', '1', '\\x01', max(batch_id), now(), %s,"
            ' \'{"isi": "ya"}\' from raw.batch',
            (DIGEST,),
        )


@pytest.fixture(scope="module")
def identity(scratch: Path) -> Path:
    """The file of the private key, which an office keeps elsewhere."""
    file = scratch / "identity.txt"
    keys.create(file)
    return file


@pytest.fixture
def target(tmp_path: Path, identity: Path) -> Target:
    return Target(tmp_path / "backups", identity.read_text().split()[3], keep=2)


@pytest.fixture
def small(tmp_path: Path, database_url: str) -> tuple[Settings, str]:
    """An installation with one record and no edition."""
    database.give(database.ensure(database_url, "airflow"), METADATA)
    settings = Settings(tmp_path / "home", ROOT, None)
    fill(settings.home)
    add_record(database_url, settings)
    return settings, database_url


@pytest.fixture(scope="module")
def published(
    portal: tuple[str, Settings], server: EmbeddedPostgres, scratch: Path
) -> Iterator[tuple[Settings, str, str]]:
    """A copy of the installation with published editions, and the password of a reader's login."""
    original, before = portal
    shutil.copytree(before.home, scratch / "before", symlinks=True)
    settings = dataclasses.replace(before, home=scratch / "before")
    fill(settings.home)
    url = fresh_database(server, original.rpartition("/")[2], "before")
    with psycopg.connect(url) as connection:  # the sample's records name evidence that is nowhere
        connection.execute("set session_replication_role = replica")
        connection.execute("update raw.record set evidence_sha256 = null")
    add_record(url, settings)
    password = users.add(url, "sari_uji", "auditor")
    metadata = database.ensure(url, "airflow")
    with psycopg.connect(metadata) as connection:
        connection.execute("create table dag_of_a_test as select 'publication' as dag_id")
    database.give(metadata, METADATA)
    yield settings, url, password
    users.remove(url, "sari_uji")
    with psycopg.connect(database.ensure(url, "airflow")) as connection:
        connection.execute("drop table dag_of_a_test")


@pytest.mark.slow
def test_a_restored_home_is_the_one_that_was_backed_up(
    published: tuple[Settings, str, str], identity: Path, scratch: Path
) -> None:
    before, before_url, password = published
    folder = scratch / "backups"
    done = take.backup(
        Target(folder, identity.read_text().split()[3], 2), settings=before, database_url=before_url
    )
    assert done.damaged == []
    assert {stat.S_IMODE(each.stat().st_mode) & 0o077 for each in folder.rglob("*")} == {0}
    assert [name for name, content in tree(folder).items() if VAULT_KEY in content] == []

    proven = restore.drill(folder, settings=before, database_url=before_url)
    assert proven.editions == len(EDITIONS)
    assert not (before.home / "drill").exists()

    after = Settings(scratch / "after", ROOT, None)
    after.inbox.mkdir(mode=0o700, parents=True)  # as a container's volumes are there before
    restored = restore.restore(folder, identity, settings=after)
    assert (restored.tables, restored.editions) == (proven.tables, len(EDITIONS))
    assert restored.differing == []
    assert tree(after.editions) == tree(before.editions)
    assert tree(after.portal) == tree(before.portal)
    for name in (*SECRETS, STORED, "inbox/register/pekan.csv", "keys/minisign.key"):
        assert (after.home / name).read_bytes() == (before.home / name).read_bytes(), name
    assert not (after.home / "inbox" / "tautan").exists()
    assert not (after.home / "logs" / "scheduler.log").exists()

    stack = Stack(after)
    assert all(part.pid is None for part in stack.status())
    url = stack.start_database()
    try:
        reader = database.with_account(url, "sari_uji", password)
        with psycopg.connect(url) as connection, psycopg.connect(reader) as as_reader:
            assert connection.execute(
                "select payload, channel from raw.record where evidence_sha256 = %s", (DIGEST,)
            ).fetchall() == [({"isi": "ya"}, "register")]
            assert as_reader.execute("select count(*) from raw.batch").fetchone() == (
                *connection.execute("select count(*) from raw.batch").fetchone(),  # type: ignore[misc]
            )
        with psycopg.connect(database.ensure(url, "airflow")) as connection:
            assert connection.execute("select dag_id from dag_of_a_test").fetchone() == (
                "publication",
            )
        assert audit.verify(settings=after, database_url=url) == audit.verify(
            settings=before, database_url=before_url
        )
        with store_of(after, url) as store:
            assert content_of(store, DIGEST) == LETTER
        proofs = verify.verify_all(after.editions, trusted_keys(after))
        assert [proof.problems for proof in proofs] == [[]] * len(EDITIONS)
        assert stack.airflow(url).password("admin") == "rahasia"
    finally:
        stack.stop()


@pytest.mark.slow
def test_a_drill_names_an_edition_with_other_bytes(
    published: tuple[Settings, str, str], scratch: Path
) -> None:
    settings, url, _ = published
    changed = settings.editions / EDITIONS[0] / "edisi.html"
    content = changed.read_bytes()
    changed.write_bytes(b"x")
    try:
        with pytest.raises(ServiceError, match=f"edition {EDITIONS[0]} has other bytes"):
            restore.drill(scratch / "backups", settings=settings, database_url=url)
    finally:
        changed.write_bytes(content)
    assert not (settings.home / "drill").exists()


def test_an_office_whose_last_edition_is_old_is_named(
    portal: tuple[str, Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, demo = portal
    office = Settings(tmp_path, ROOT, None)
    assert doctor.editions(url, office) == f"the last is {EDITIONS[-1]}"
    monkeypatch.setattr(doctor, "EDITION_AGE", timedelta(0))
    assert doctor.editions(url, demo) == f"the last is {EDITIONS[-1]}", "a demo's weeks are over"
    with pytest.raises(doctor.NotWellError, match=f"{EDITIONS[-1]} of .*DAG 'publication'"):
        doctor.editions(url, office)


def test_a_killed_backup_is_no_backup_and_the_next_one_removes_it(
    small: tuple[Settings, str], target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, url = small

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(take._Files, "copy", killed)
        with pytest.raises(KeyboardInterrupt):
            take.backup(target, settings=settings, database_url=url)
    assert [path.name for path in target.folder.glob(".*.partial")] != []
    with pytest.raises(ConfigurationError, match="no backup is in this folder"):
        manifest.newest(target.folder)
    done = take.backup(target, settings=settings, database_url=url)
    assert list(target.folder.glob(".*.partial")) == []
    assert manifest.newest(target.folder) == done.folder


def test_drafts_are_not_in_a_backup(tmp_path: Path) -> None:
    home = tmp_path / "home"
    fill(home)
    (home / "inbox" / "register" / ".upload-1f").write_bytes(b"x")
    (home / "inbox" / "register" / ".draft-1f").write_bytes(b"x")
    files = take._Files(tmp_path / "backup", None)
    files.copy(home / "inbox", "inbox")
    assert [*files.hashes] == ["inbox/register/pekan.csv"]


def test_the_newest_are_kept_and_share_evidence_that_is_whole(
    small: tuple[Settings, str], target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, url = small
    names = iter(f"20241125T01000{second}Z" for second in range(9))
    monkeypatch.setattr(take, "_name", lambda: next(names))
    first, second = (
        take.backup(target, settings=settings, database_url=url).folder for _ in range(2)
    )
    assert (first / "home" / STORED).samefile(second / "home" / STORED)
    assert not (second / "home" / STORED).samefile(settings.home / STORED)
    sealed = (settings.home / STORED).read_bytes()
    assert LETTER not in sealed
    (second / "home" / STORED).write_bytes(b"bit rot")
    third = take.backup(target, settings=settings, database_url=url)
    assert (third.folder / "home" / STORED).read_bytes() == sealed
    assert manifest.backups(target.folder) == [second, third.folder]
    (settings.home / STORED).write_bytes(b"bit rot")
    fourth = take.backup(target, settings=settings, database_url=url)
    assert fourth.damaged == []
    assert (fourth.folder / "home" / STORED).read_bytes() == sealed, "that of the third"
    shutil.rmtree(target.folder)
    assert take.backup(target, settings=settings, database_url=url).damaged == [
        str(settings.home / STORED)
    ]


def test_evidence_that_another_machine_pulled_is_in_the_backup(
    small: tuple[Settings, str],
    target: Target,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings, url = small
    (settings.home / STORED).unlink()
    here = dataclasses.replace(settings, shared_evidence="s3://bukti/kantor")
    with object_store("bukti") as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with store_of(here, url, tmp_path / "other") as other:
            kept = [other.keep(io.BytesIO(each)) for each in (LETTER, b"attachment, in no row")]
            other.flush()
        done = take.backup(target, settings=here, database_url=url)
    assert done.damaged == []
    for each in kept:
        place = each.path.relative_to(tmp_path / "other")
        assert (done.folder / "home" / "evidence" / place).read_bytes() == each.path.read_bytes()


@pytest.mark.slow
def test_an_earlier_backup_follows_what_was_erased(
    small: tuple[Settings, str], target: Target, identity: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, url = small
    names = iter(f"20241125T01000{second}Z" for second in range(9))
    monkeypatch.setattr(take, "_name", lambda: next(names))
    uploaded = settings.inbox / "register" / "surat.txt"
    uploaded.write_bytes(LETTER)
    with psycopg.connect(url) as connection:
        connection.execute(
            "insert into vault.data_key (key_id, wrapped)"
            " values ('\\x01', '\\x02'), ('\\x03', '\\x04')"
        )
    first = take.backup(target, settings=settings, database_url=url).folder

    def data_keys() -> Any:
        return json.loads(keys.unseal(first / "keys.age", identity)[take.DATA_KEYS])

    before = data_keys()
    assert before["vault.data_key"] == [["01", "02"], ["03", "04"]]
    assert [row[1] for row in before["vault.evidence_key"]] == [DIGEST.hex()]
    with psycopg.connect(url) as connection:
        connection.execute("delete from vault.data_key where key_id = '\\x01'")
        connection.execute("delete from vault.evidence_key")
        connection.execute(
            "insert into ops.erasure (erased_by, reason, record_count, redacted_count,"
            " quarantine_count, evidence_count) values ('ani', 'x', 1, 0, 0, 1)"
        )
        connection.execute(
            "insert into ops.erased_evidence (sha256, erasure_id) values (%s, 1)", (DIGEST,)
        )
    (settings.home / STORED).unlink()
    uploaded.unlink()
    second = take.backup(target, settings=settings, database_url=url).folder
    assert data_keys() == {
        "vault.data_key": [["03", "04"]],
        "vault.item_key": [],
        "vault.evidence_key": [],
    }
    assert not (first / "home" / STORED).exists()
    assert [name for name in tree(first) if "/inbox/" in name] == ["home/inbox/register/pekan.csv"]
    assert manifest.verified(first).migrations == manifest.verified(second).migrations
    assert restore.drill(first, settings=settings, database_url=url).editions == 0
    with store_of(settings, url) as store:
        store.keep(io.BytesIO(LETTER))
    for each in (first, second):  # which rightly lack what was delivered again
        assert restore.drill(each, settings=settings, database_url=url).editions == 0
    third = take.backup(target, settings=settings, database_url=url).folder
    take.backup(target, settings=settings, database_url=url)
    assert (third / "home" / STORED).exists(), "a file that is delivered again is evidence again"


def test_two_backups_at_once_are_one(small: tuple[Settings, str], target: Target) -> None:
    settings, url = small
    target.folder.mkdir()
    with (
        locked(target.folder / ".lock", seconds=0, what="a test"),
        pytest.raises(ServiceError, match="another backup into this folder is running"),
    ):
        take.backup(target, settings=settings, database_url=url)
    assert [each.name for each in target.folder.iterdir()] == [".lock"]


def test_a_full_disk_is_named_and_earlier_backups_stay(
    small: tuple[Settings, str], target: Target, small_disk: Callable[[str], Path]
) -> None:
    settings, url = small
    folder = small_disk("6m")
    whole = take.backup(
        dataclasses.replace(target, folder=folder), settings=settings, database_url=url
    ).folder
    (settings.home / "inbox" / "besar").write_bytes(os.urandom(6_000_000))
    with pytest.raises(ServiceError, match=r"the disk is full.*earlier backups are whole"):
        take.backup(dataclasses.replace(target, folder=folder), settings=settings, database_url=url)
    assert manifest.backups(folder) == [whole]
    assert list(folder.glob(".*.partial")) == [], "what was written took the last space"
    manifest.verified(whole)
    with pytest.raises(ServiceError, match=r"pg_dump failed.*\[/nowhere/x\]"):
        dump.run("pg_dump", url, "--file=/nowhere/x")


def test_a_file_that_may_not_be_read_is_reported_without_its_name(
    small: tuple[Settings, str], target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, url = small

    def refuse(*_: object) -> None:
        path = str(settings.home / "inbox" / "register" / "pekan.csv")
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(take, "_write", refuse)
    with pytest.raises(ServiceError, match="PermissionError Permission denied") as caught:
        take.backup(target, settings=settings, database_url=url)
    assert caught.value.where == str(settings.home)
    assert "pekan.csv" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("key", [None, b64encode(bytes(32))])
def test_no_backup_without_the_key_of_the_vault(
    small: tuple[Settings, str], target: Target, key: bytes | None
) -> None:
    settings, url = small
    (settings.home / "keys" / "vault.key").unlink()
    if key:
        (settings.home / "keys" / "vault.key").write_bytes(key)
    with pytest.raises(ConfigurationError, match="the vault key is missing, or is not the one"):
        take.backup(target, settings=settings, database_url=url)
    assert (settings.home / "keys" / "vault.key").exists() == bool(key)
    assert manifest.backups(target.folder) == []


def test_a_backup_in_the_home_or_to_nobody_is_refused(
    small: tuple[Settings, str], target: Target
) -> None:
    settings, url = small
    for wrong, said in (
        (dataclasses.replace(target, folder=settings.home / "x"), "in the home is lost with it"),
        (dataclasses.replace(target, recipient="age1x"), "no public key"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            take.backup(wrong, settings=settings, database_url=url)


def test_no_password_is_in_an_argument(
    server: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    run = subprocess.run

    def watched(command: list[str], **given: Any) -> subprocess.CompletedProcess[str]:
        started.extend(command)
        return run(command, **given)

    monkeypatch.setattr(subprocess, "run", watched)
    dump.dump(server.url("postgres"), tmp_path / "dump")
    password = json.loads((server.folder / "server.json").read_text())["password"]
    assert "--format=custom" in started
    assert [argument for argument in started if password in argument] == []


@pytest.fixture
def whole(tmp_path: Path, identity: Path) -> Path:
    """A backup without databases, to be damaged."""
    folder = tmp_path / "20241125T010000Z"
    (folder / "home").mkdir(parents=True)
    (folder / "home" / "surat").write_bytes(LETTER)
    recipient = identity.read_text().split()[3]
    (folder / "keys.age").write_bytes(keys.seal(SECRETS, recipient))
    files = {name: sha256(content).hexdigest() for name, content in tree(folder).items()}
    manifest.Manifest("0", ["0001_raw.sql"], {}, files).write(folder)
    return folder


def edit(backup: Path, **values: object) -> None:
    file = backup / manifest.MANIFEST
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "cannot be read": lambda backup: (backup / "manifest.json").unlink(),
    "home/surat is missing": lambda backup: (backup / "home" / "surat").unlink(),
    "home/surat was changed": lambda backup: (backup / "home" / "surat").write_bytes(b"lain"),
    "home/asing is not part of it": lambda backup: (backup / "home" / "asing").symlink_to("surat"),
    "a file in home/inbox is not part of it": lambda backup: shutil.copytree(
        backup / "home", backup / "home" / "inbox"
    ),
    "its format is 2": lambda backup: edit(backup, format=2),
    "it has 9999_later.sql": lambda backup: edit(backup, migrations=["9999_later.sql"]),
}


@pytest.mark.parametrize("said", DAMAGES)
def test_a_damaged_or_newer_backup_writes_nothing(
    whole: Path, identity: Path, tmp_path: Path, said: str
) -> None:
    manifest.verified(whole)
    DAMAGES[said](whole)
    home = tmp_path / "home"
    with pytest.raises(LumbungError, match=f"{said}.*nothing was restored"):
        restore.restore(whole, identity, settings=Settings(home, ROOT, None))
    assert not home.exists()


def test_keys_open_for_their_recipient_alone(whole: Path, identity: Path, tmp_path: Path) -> None:
    assert keys.unseal(whole / "keys.age", identity) == SECRETS
    other = tmp_path / "other.txt"
    keys.create(other)
    assert stat.S_IMODE(other.stat().st_mode) == 0o600
    with pytest.raises(ConfigurationError, match="the keys of the backup do not open"):
        restore.restore(whole, other, settings=Settings(tmp_path / "home", ROOT, None))
    assert not (tmp_path / "home").exists()
    with pytest.raises(ConfigurationError, match="the file exists"):
        keys.create(other)


def test_only_an_empty_home_is_restored_into(whole: Path, identity: Path, tmp_path: Path) -> None:
    (tmp_path / "home" / "evidence" / "ab").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="the home is not empty"):
        restore.restore(whole, identity, settings=Settings(tmp_path / "home", ROOT, None))
    assert [each.name for each in (tmp_path / "home").iterdir()] == ["evidence"]


def test_a_home_whose_restore_was_killed_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "restoring").touch()
    with pytest.raises(ServiceError, match=r"a restore into this home has not ended.*delete"):
        Stack(Settings(tmp_path, ROOT, None)).start_database()
