"""Copies of backups mirror the folder of backups, and a copy that has a manifest is whole."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest

from lumbung.backup import manifest, remote
from lumbung.backup.manifest import Manifest
from lumbung.errors import ConfigurationError, ServiceError
from lumbung.files import FETCHED
from tests.support.object_store import object_store
from tests.support.sftp import LOGIN, Sftp

KNOWN_HOSTS = "account/.ssh/known_hosts"
FIRST, SECOND = "20261126T183000Z", "20261127T183000Z"
FILES = {"warehouse.dump": b"baris", "keys.age": b"kunci", "home/evidence/ab/cd": b"surat"}


def address(server: Sftp) -> str:
    return f"sftp://{LOGIN}@127.0.0.1:{server.port}/kantor"


def backup(folder: Path, name: str, files: dict[str, bytes]) -> None:
    """Write a backup, or write one again."""
    shutil.rmtree(folder / name, ignore_errors=True)
    for path, content in files.items():
        (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / name / path).write_bytes(content)
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    Manifest("0.2.0", [], {}, hashes).write(folder / name)


def fetched(source: str, folder: Path) -> dict[str, bytes]:
    found = remote.fetch(source, folder)
    assert manifest.verified(found).files.keys() <= {*FILES}
    return {
        path.relative_to(found).as_posix(): path.read_bytes()
        for path in found.rglob("*")
        if path.is_file() and path.name != manifest.MANIFEST
    }


def test_a_killed_restore_leaves_no_copy_behind_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in the home, not in a folder for temporary files that nobody empties."""
    home = tmp_path / "home"
    (home / FETCHED / "sisa").mkdir(parents=True)

    def fetch(source: str, folder: Path) -> Path:
        assert source == "s3://cadangan/kantor"
        assert [*folder.iterdir()] == []
        return folder / "baru"

    monkeypatch.setattr(remote, "fetch", fetch)
    with remote.fetched("s3://cadangan/kantor", home) as place:
        assert place.is_relative_to(home)
        assert place.parent.stat().st_mode & 0o777 == 0o700
    assert [*home.iterdir()] == []
    with remote.fetched(str(tmp_path), home) as place:
        assert place == tmp_path


@pytest.fixture
def sftp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sftp]:
    """A server that this account knows, and whose account has its key."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    (tmp_path / "server").mkdir()
    server = Sftp(tmp_path / "server", key)
    (tmp_path / "account" / ".ssh").mkdir(parents=True)
    key.write_private_key(tmp_path / "account" / ".ssh" / "id_ed25519")
    host_key = server.key.export_public_key().decode()
    (tmp_path / KNOWN_HOSTS).write_text(f"[127.0.0.1]:{server.port} {host_key}")
    monkeypatch.setenv("HOME", str(tmp_path / "account"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    yield server
    server.stop()


def copies_follow(folder: Path, to: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no whole backup is there"):
        remote.fetch(to, tmp_path)
    backup(folder, FIRST, FILES)
    backup(folder, SECOND, FILES)
    assert remote.mirror(folder, to, 1) == [FIRST, SECOND]
    assert remote.mirror(folder, to, 1) == []
    assert fetched(to, tmp_path / "a") == FILES
    # what was erased is erased there too
    kept = {name: content + b"!" for name, content in FILES.items() if "evidence" not in name}
    backup(folder, FIRST, kept)
    assert remote.mirror(folder, to, 1) == [FIRST]
    assert fetched(f"{to}/{FIRST}", tmp_path / "b") == kept
    place = remote._open(to)
    assert not (place / FIRST / "home/evidence/ab/cd").exists()
    # a copy that was cut off is not whole, and is written again
    (place / SECOND / manifest.MANIFEST).unlink()
    (place / SECOND / "keys.age").unlink()
    assert fetched(to, tmp_path / "c") == kept
    assert remote.mirror(folder, to, 1) == [SECOND]
    shutil.rmtree(folder / FIRST)
    assert remote.mirror(folder, to, 1) == []
    assert remote._names(remote._open(to)) == {SECOND}
    assert fetched(to, tmp_path / "d") == FILES


def test_copies_in_a_store_follow_the_folder_and_restore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with object_store("cadangan") as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        copies_follow(tmp_path / "backups", "s3://cadangan/kantor", tmp_path)


def test_copies_on_a_server_follow_the_folder_and_restore(tmp_path: Path, sftp: Sftp) -> None:
    copies_follow(tmp_path / "backups", address(sftp), tmp_path)


def test_a_folder_whose_disk_is_absent_deletes_no_copy(tmp_path: Path, sftp: Sftp) -> None:
    folder, to = tmp_path / "backups", address(sftp)
    backup(folder, FIRST, FILES)
    assert remote.mirror(folder, to, 2) == [FIRST]
    folder.rename(tmp_path / "unmounted")
    backup(folder, SECOND, FILES)
    for _ in range(2):  # the newest one is copied all the same
        with pytest.raises(ServiceError, match=rf"lacks 1 .* no copy was deleted .*{FIRST}"):
            remote.mirror(folder, to, 2)
        assert remote._names(remote._open(to)) == {FIRST, SECOND}
    shutil.rmtree(folder)
    with pytest.raises(ServiceError, match="lacks 2"):
        remote.mirror(folder, to, 2)
    (tmp_path / "unmounted").rename(folder)
    backup(folder, "20261128T183000Z", FILES)
    remote.mirror(folder, to, 2)
    assert remote._names(remote._open(to)) == {FIRST, "20261128T183000Z"}


def test_a_copy_writes_no_file_outside_of_its_folder(tmp_path: Path, sftp: Sftp) -> None:
    for name in ("../../luar", str(tmp_path / "luar")):
        backup(tmp_path / "backups", FIRST, FILES)
        Manifest("0.2.0", [], {}, {name: "0" * 64}).write(tmp_path / "backups" / FIRST)
        shutil.copytree(tmp_path / "backups", sftp.root / "kantor", dirs_exist_ok=True)
        (sftp.root / "luar").write_bytes(b"isi")
        with pytest.raises(ServiceError, match=r"^the manifest names a file outside"):
            remote.fetch(address(sftp), tmp_path / "fetched" / "a")
    assert not list(tmp_path.rglob("fetched/**/luar"))
    assert not (tmp_path / "luar").exists()


def test_other_accounts_of_the_server_cannot_read_a_copy(tmp_path: Path, sftp: Sftp) -> None:
    backup(tmp_path / "backups", FIRST, FILES)
    remote.mirror(tmp_path / "backups", address(sftp), 2)
    closed = [sftp.root / "kantor", sftp.root / "kantor" / FIRST]
    assert [path.stat().st_mode & 0o777 for path in closed] == [0o700] * 2


@pytest.mark.parametrize("is_full", [False, True])
def test_a_copy_that_a_server_cuts_off_or_has_no_room_for_is_not_whole(
    tmp_path: Path, sftp: Sftp, is_full: bool
) -> None:
    folder, to = tmp_path / "backups", address(sftp)
    large = {**FILES, "warehouse.dump": b"baris" * 1_000_000}
    backup(folder, FIRST, FILES)
    remote.mirror(folder, to, 1)
    backup(folder, SECOND, large)
    sftp.bytes_left, sftp.is_full = 2_000_000, is_full
    with pytest.raises(ServiceError, match=r"cannot be reached: .*sftp://127.0.0.1.*is whole"):
        remote.mirror(folder, to, 1)
    sftp.bytes_left = None
    assert fetched(to, tmp_path / "a") == FILES
    with pytest.raises(ServiceError, match="cannot be reached"):
        remote.fetch(f"{to}/{SECOND}", tmp_path / "b")
    assert remote.mirror(folder, to, 1) == [SECOND]
    assert fetched(to, tmp_path / "c") == large


def test_a_server_with_another_key_is_sent_nothing(tmp_path: Path, sftp: Sftp) -> None:
    backup(tmp_path / "backups", FIRST, FILES)
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    for known in (f"[127.0.0.1]:{sftp.port} {other}", ""):
        (tmp_path / KNOWN_HOSTS).write_text(known)
        with pytest.raises(ServiceError, match="HostKeyNotVerifiable"):
            remote.mirror(tmp_path / "backups", address(sftp), 2)
    assert [*sftp.root.iterdir()] == []


def test_a_store_that_does_not_answer_and_a_wrong_address_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dead(_: object) -> None:
        raise TimeoutError("timed out")

    monkeypatch.setattr(remote, "_names", dead)
    with pytest.raises(ServiceError, match=r"cannot be reached: TimeoutError.*folder is whole"):
        remote.mirror(tmp_path, "s3://cadangan/kantor", 2)
    with pytest.raises(ConfigurationError, match="s3:// and sftp:// only"):
        remote.mirror(tmp_path, "/mnt/cadangan", 2)
