"""Copies of backups mirror the folder of backups, and a copy that has a manifest is whole."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from lumbung.backup import manifest, remote
from lumbung.backup.manifest import Manifest
from lumbung.errors import ConfigurationError, ServiceError
from lumbung.files import FETCHED
from tests.support.object_store import object_store

FIRST, SECOND = "20261126T183000Z", "20261127T183000Z"
FILES = {"warehouse.dump": b"baris", "keys.age": b"kunci", "home/evidence/ab/cd": b"surat"}


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


def test_copies_follow_the_folder_and_restore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, to = tmp_path / "backups", "s3://cadangan/kantor"
    with object_store("cadangan") as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(ConfigurationError, match="no whole backup is there"):
            remote.fetch(to, tmp_path)
        backup(folder, FIRST, FILES)
        backup(folder, SECOND, FILES)
        assert remote.mirror(folder, to) == [FIRST, SECOND]
        assert remote.mirror(folder, to) == []
        assert fetched(to, tmp_path / "a") == FILES
        # what was erased is erased there too
        kept = {name: content + b"!" for name, content in FILES.items() if "evidence" not in name}
        backup(folder, FIRST, kept)
        assert remote.mirror(folder, to) == [FIRST]
        assert fetched(f"{to}/{FIRST}", tmp_path / "b") == kept
        place = remote._open(to)
        assert not (place / FIRST / "home/evidence/ab/cd").exists()
        # a copy that was cut off is not whole, and is written again
        (place / SECOND / manifest.MANIFEST).unlink()
        (place / SECOND / "keys.age").unlink()
        assert fetched(to, tmp_path / "c") == kept
        assert remote.mirror(folder, to) == [SECOND]
        shutil.rmtree(folder / FIRST)
        assert remote.mirror(folder, to) == []
        assert remote._names(remote._open(to)) == {SECOND}
        assert fetched(to, tmp_path / "d") == FILES


def test_a_store_that_does_not_answer_and_a_wrong_address_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dead(_: object) -> None:
        raise TimeoutError("timed out")

    monkeypatch.setattr(remote, "_names", dead)
    with pytest.raises(ServiceError, match=r"cannot be reached: TimeoutError.*folder is whole"):
        remote.mirror(tmp_path, "s3://cadangan/kantor")
    with pytest.raises(ConfigurationError, match="s3:// and sftp:// only"):
        remote.mirror(tmp_path, "/mnt/cadangan")
