"""A file that a person uploads comes into the inbox whole, under a safe name, and replaces nothing
that was not read."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.types.json import Jsonb

from lumbung import audit, database
from lumbung.errors import ServiceError
from lumbung.intake import inbox, run
from lumbung.intake.channel.load import load_channel
from lumbung.intake.channel.models import Channel
from lumbung.intake.landing import IntakeCounts
from lumbung.intake.vault import EvidenceKeys, Vault
from lumbung.locks import locked
from lumbung.settings import Settings
from lumbung.warehouse.roles import role_url
from tests.support.channel_samples import FORM, HEADER, REGISTER, header_merges, workbook
from tests.support.databases import the_row

Upload = Callable[..., str]


@pytest.fixture
def upload(
    settings: Settings, database_url: str, add_channel: Callable[..., Path]
) -> Callable[..., str]:
    add_channel(REGISTER)

    def act(name: str, content: bytes, channel: str = REGISTER["name"]) -> str:
        return inbox.receive(
            io.BytesIO(content),
            name,
            load_channel(settings.channels, channel),
            by="penangan",
            settings=settings,
            database_url=database_url,
        )

    return act


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Register Laporan.xlsx", "Register Laporan.xlsx"),
        ("../../keys/vault.key", "vault.key"),
        (r"C:\Users\ani\..\a.xlsx", "a.xlsx"),
        ("/etc/passwd", "passwd"),
        (".upload-1.xlsx", "upload-1.xlsx"),
        ("~$buka.xlsx", "buka.xlsx"),
        ("a\u202exslx\x00.\u200bxlsx", "axslx.xlsx"),
        ("dua\n baris\t.xlsx", "dua baris.xlsx"),
        ("..", ""),
        ("", ""),
        ("e\u0301.csv", "é.csv"),
        ("x" * 500 + ".xlsx", "x" * 115 + ".xlsx"),
        ("a." + "x" * 500, ""),
        ("é" * 100 + ".csv", "é" * 58 + ".csv"),
    ],
)
def test_names_are_safe(given: str, kept: str) -> None:
    assert inbox.safe_name(given) == kept
    assert len(kept.encode()) <= inbox.MAX_NAME


def test_a_file_is_private_whole_and_in_the_audit_log(
    upload: Upload, settings: Settings, database_url: str
) -> None:
    folder = settings.inbox / REGISTER["name"]
    assert upload("../a.xlsx", b"isi") == "a.xlsx"
    assert [path.name for path in folder.iterdir()] == ["a.xlsx"]
    assert (folder / "a.xlsx").read_bytes() == b"isi"
    assert (folder / "a.xlsx").stat().st_mode & 0o777 == 0o600
    (entry,) = audit.entries(database_url)
    assert (entry.event, entry.person) == ("ops.upload", "penangan")
    assert entry.content == {
        "channel": REGISTER["name"],
        "bytes": 3,
        "sha256": hashlib.sha256(b"isi").hexdigest(),
    }


def test_a_file_that_waits_is_never_replaced_and_one_that_was_read_is(
    upload: Upload,
    settings: Settings,
    db: psycopg.Connection,
    pull_from: Callable[..., IntakeCounts],
) -> None:
    file = settings.inbox / REGISTER["name"] / "a.xlsx"
    rows = [[1, "1/LP", "06/11/2024", "", "Warga A", "", "Bangka", "x"]]
    first = workbook({"S": [*HEADER, *rows]}, merges={"S": header_merges(0)})
    upload("a.xlsx", first)
    upload("a.xlsx", first)  # the same again
    with pytest.raises(inbox.UnreadFileError):
        upload("a.xlsx", b"lain")
    assert file.read_bytes() == first
    assert pull_from(REGISTER["name"]).landed == 1
    upload("a.xlsx", b"lain")
    assert file.read_bytes() == b"lain"
    assert [path.name for path in file.parent.iterdir()] == ["a.xlsx"]
    # nobody's file is read or replaced through a link
    file.unlink()
    file.symlink_to(settings.home / "keys" / "vault.key")
    with pytest.raises(inbox.UnreadFileError):
        upload("a.xlsx", b"lain")
    assert file.is_symlink()
    assert db.execute("select count(*) from ops.audit_log").fetchone() == (3,)


def test_neither_a_full_disk_nor_a_stuck_upload_leaves_anything(
    upload: Upload, settings: Settings, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = settings.inbox / REGISTER["name"]
    monkeypatch.setattr(inbox, "LOCK_SECONDS", 0.1)
    with locked(folder, seconds=0, what=""), pytest.raises(ServiceError, match="another upload"):
        upload("a.xlsx", b"isi")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(inbox.FullDiskError, match="disk is full"):
        upload("a.xlsx", b"isi")
    assert [*folder.iterdir()] == []
    assert db.execute("select count(*) from ops.audit_log").fetchone() == (0,)


def test_what_is_refused_leaves_nothing(
    upload: Upload,
    settings: Settings,
    db: psycopg.Connection,
    add_channel: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_channel(FORM)
    add_channel({**REGISTER, "name": "lembar"}, source={"kind": "register", "files": "*.XLSX"})
    monkeypatch.setattr(inbox, "MAX_BYTES", 5)
    for error, given in (
        (inbox.NoInboxError, ("a.xlsx", b"isi", FORM["name"])),
        (inbox.FileNameError, ("..", b"isi")),
        (inbox.FileNameError, ("a.exe", b"isi", "lembar")),
        (inbox.EmptyFileError, ("a.xlsx", b"")),
        (inbox.TooLargeFileError, ("a.xlsx", b"123456")),
    ):
        with pytest.raises(error):
            upload(*given)
    upload("b.Xlsx", b"12345", "lembar")
    for channel, files in ((REGISTER["name"], []), ("lembar", ["b.Xlsx"])):
        assert [each.name for each in (settings.inbox / channel).iterdir()] == files
    assert db.execute("select count(*) from ops.audit_log").fetchone() == (1,)


def test_a_file_reaches_a_machine_that_shares_no_disk(
    settings: Settings,
    database_url: str,
    add_channel: Callable[..., Path],
    tmp_path: Path,
    bucket: object,
) -> None:
    folder = add_channel(REGISTER)
    settings = replace(settings, shared_evidence="s3://bukti/a")
    channel = load_channel(settings.channels, REGISTER["name"])
    worker = replace(settings, home=tmp_path / "worker")
    there = worker.inbox / REGISTER["name"] / "a.xlsx"

    def act(content: bytes) -> None:
        inbox.receive(
            io.BytesIO(content),
            "a.xlsx",
            channel,
            by="penangan",
            settings=settings,
            database_url=role_url(database_url, "steward"),
        )

    vault = Vault.load(settings.home)
    keys = EvidenceKeys(role_url(database_url, "loader"), vault)
    first = workbook({"S": [*HEADER]})
    act(first)
    with closing(keys), psycopg.connect(database_url, autocommit=True) as connection:
        inbox.fetch(connection, channel, worker, keys, vault)
        assert there.read_bytes() == first
        assert there.stat().st_mode & 0o777 == 0o600
        (uploaded_at,) = the_row(connection.execute("select uploaded_at from ops.inbox_file"))
        assert there.stat().st_mtime == pytest.approx(uploaded_at.timestamp(), abs=1e-3)
        with pytest.raises(inbox.UnreadFileError):  # the other machine has not read the first
            act(b"lain")
        connection.execute(
            "insert into ops.channel_cursor (channel, cursor, batch_id) values (%s, %s, 0)",
            (channel.name, Jsonb({"files": {"x": hashlib.sha256(first).hexdigest()}})),
        )
        act(b"lain")
        before = there.stat().st_mtime
        inbox.fetch(connection, channel, worker, keys, vault)
        assert there.read_bytes() == b"lain"
        assert there.stat().st_mtime > before
        connection.execute("delete from ops.channel_cursor")
    assert [*folder.iterdir()] == []  # the desk's own machine may not be the one that pulls
    counts = run.pull(channel.name, settings=settings, database_url=database_url, run_key="uji")
    assert counts.quarantined == 1  # it was fetched and read; it is no workbook
    assert [*folder.iterdir()] == [folder / "a.xlsx"]


def test_the_name_of_an_upload_is_encrypted_also_where_an_earlier_version_kept_it(
    settings: Settings, database_url: str, add_channel: Callable[..., Path], bucket: object
) -> None:
    """The name of a chat's export is that of a person."""
    add_channel(REGISTER)
    settings = replace(settings, shared_evidence="s3://bukti/b")
    channel = load_channel(settings.channels, REGISTER["name"])
    vault = Vault.load(settings.home)
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("alter table ops.inbox_file drop constraint name_is_sealed")
        owner.execute(
            "insert into ops.inbox_file (channel, name, sha256, uploaded_by)"
            " values (%s, 'Zqvor Lama.xlsx', %s, 'ani')",
            (channel.name, bytes(32)),
        )
        with database.session(role_url(database_url, "custodian")) as custodian:
            assert inbox.seal_names(custodian, vault) == 1
            assert inbox.seal_names(custodian, vault) == 0
        with pytest.raises(inbox.UnreadFileError):  # it is the name of the older upload
            _receive(b"lain", "Zqvor Lama.xlsx", channel, settings, database_url)
        _receive(b"isi", "Zqvor Baru.xlsx", channel, settings, database_url)
        rows = owner.execute(
            "select f::text, encode(sealed_name, 'escape') from ops.inbox_file as f"
        ).fetchall()
        assert len(rows) == 2
        assert "Zqvor" not in repr(rows)
        with closing(EvidenceKeys(role_url(database_url, "loader"), vault)) as keys:
            inbox.fetch(owner, channel, settings, keys, vault)
    assert [each.name for each in (settings.inbox / channel.name).iterdir()] == ["Zqvor Baru.xlsx"]


def _receive(
    content: bytes, name: str, channel: Channel, settings: Settings, database_url: str
) -> None:
    inbox.receive(
        io.BytesIO(content), name, channel, by="penangan", settings=settings,
        database_url=role_url(database_url, "steward"),
    )  # fmt: skip
