"""The evidence store: what it keeps, how much of it, and what it says that is."""

from __future__ import annotations

import errno
import io
import traceback
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest
from upath import UPath

from lumbung.errors import ConfigurationError, ServiceError, SourceError
from lumbung.intake import evidence, run
from lumbung.intake.connectors.shared import files
from lumbung.intake.evidence import Evidence, Kept, MemoryKeys, TooLargeError
from lumbung.intake.landing import IntakeCounts
from lumbung.settings import Settings
from tests.support.channel_samples import REGISTER, workbook
from tests.support.delivered import place
from tests.support.evidence import content_of, evidence_store, store_of

PAGE = b"\n <!-- masuk -->\n<!DOCTYPE html><html><title>Masuk</title><form>...</form></html>"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(20), "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
        (b"GIF89a" + bytes(9), "image/gif"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "image/heic"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "video/mp4"),
        (b"\0\0\0\x1cftyp3gp5\0\0\0\0", "video/3gpp"),
        (b"OggS\0\x02" + bytes(9), "audio/ogg"),
        (b"%PDF-1.7\n%\xe2\xe3", "application/pdf"),
        (workbook({"S": [["x"]]}), "application/zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(9), "application/x-ole-storage"),
        (b"MZ\x90\0\x03", "application/x-executable"),
        (PAGE, "text/html"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<html xmlns='x'>", "text/html"),
        (b"<HTML>", "text/html"),
        (b"<?xml version='1.0'?><data/>", "text/xml"),
        (b"<abjad>", "text/xml"),
        (b"MZ adalah singkatan", "text/plain"),
        ("halo, café\r\n".encode(), "text/plain"),
        (b'{"error": "masuk dahulu"}', "text/plain"),
        (b"\0\x01\x02\x03", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_the_type_is_decided_by_the_bytes(tmp_path: Path, content: bytes, expected: str) -> None:
    assert evidence_store(tmp_path).keep(io.BytesIO(content)).media_type == expected


@pytest.mark.parametrize(
    ("claimed", "is_page"),
    [("image/jpeg", True), ("application/pdf", True), ("text/html", False), (None, False)],
)
def test_a_page_in_the_place_of_a_photo(tmp_path: Path, claimed: str | None, is_page: bool) -> None:
    kept = evidence_store(tmp_path).keep(io.BytesIO(PAGE))
    assert kept.is_page_for(claimed) == is_page
    photo = evidence_store(tmp_path).keep(io.BytesIO(b"\xff\xd8\xff\xe0"))
    assert not photo.is_page_for(claimed)


def test_what_goes_on_without_end_is_given_up_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "MAX_BYTES", 3 << 20)
    taken = 0

    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            nonlocal taken
            taken += size
            return bytes(size)

    with pytest.raises(TooLargeError):
        evidence_store(tmp_path).keep(Endless())
    assert taken <= 5 << 20
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == []


def test_a_file_too_large_to_be_kept_is_quarantined_and_stops_no_other(
    pull_from: Callable[..., IntakeCounts],
    db: psycopg.Connection,
    add_channel: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inbox = add_channel(REGISTER, personal=[], subject=[], kept=[])
    (inbox / "besar.csv").write_bytes(b"Nomor,Uraian,Kab/Kota\n" + b"1/LP,x,y\n" * 1000)
    (inbox / "kecil.csv").write_bytes(b"Nomor,Uraian,Kab/Kota\n2/LP,x,y\n")
    monkeypatch.setattr(evidence, "MAX_BYTES", 1000)
    assert pull_from("register_contoh") == IntakeCounts(read=2, landed=1, quarantined=1)
    assert pull_from("register_contoh") == IntakeCounts(read=2, duplicate=2)
    row = db.execute("select reason_code, locator from quarantine.record").fetchall()
    assert row == [("too_large", place("besar.csv"))]


# -- links in an inbox ----------------------------------------------------------------------------


def bytes_kept(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def test_a_link_in_an_inbox_is_quarantined_by_name_and_never_followed(
    db: psycopg.Connection,
    settings: Settings,
    add_channel: Callable[..., Path],
    pull_from: Callable[..., IntakeCounts],
) -> None:
    inbox = add_channel(REGISTER)
    (inbox / "a.csv").write_text("Nomor,Tanggal / Diterima,Kab/Kota,Uraian\n1/LP,,Bangka,x\n")
    assert pull_from("register_contoh").landed == 1, "the vault key is made"
    key = settings.home / "keys" / "vault.key"
    (inbox / "kunci.csv").symlink_to(key)
    (inbox / "hilang.csv").symlink_to(inbox / "tidak-ada")
    (inbox / "folder.csv").symlink_to(key.parent)
    counts = pull_from("register_contoh")
    assert counts == IntakeCounts(read=4, duplicate=1, quarantined=3)
    found = "select locator, reason_code, evidence_sha256 from quarantine.record order by locator"
    assert db.execute(found.encode()).fetchall() == [
        (name, "unreadable_file", None)
        for name in sorted(map(place, ("folder.csv", "hilang.csv", "kunci.csv")))
    ]
    assert key.read_bytes() not in bytes_kept(settings.evidence)
    assert pull_from("register_contoh") == IntakeCounts(read=4, duplicate=4)


def test_a_file_that_becomes_a_link_after_it_was_listed_is_not_followed(
    settings: Settings,
    add_channel: Callable[..., Path],
    pull_from: Callable[..., IntakeCounts],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inbox = add_channel(REGISTER)
    (inbox / "a.csv").write_text("Nomor,Tanggal / Diterima,Kab/Kota,Uraian\n1/LP,,Bangka,x\n")
    pull_from("register_contoh")
    key = settings.home / "keys" / "vault.key"
    seen = files._seen

    def swapped(path: UPath) -> files._Seen:
        found = seen(path)
        path.unlink()
        Path(str(path)).symlink_to(key)
        return found

    monkeypatch.setattr(files, "_seen", swapped)
    counts = pull_from("register_contoh")
    assert (counts.read, counts.quarantined) == (1, 1)
    assert key.read_bytes() not in bytes_kept(settings.evidence)


def test_a_file_that_may_not_be_read_is_reported_without_its_name(
    add_channel: Callable[..., Path],
    pull_from: Callable[..., IntakeCounts],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (add_channel(REGISTER) / "Zqvor.csv").write_text("x")

    def refuse(path: UPath) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(files, "_open", refuse)
    with pytest.raises(SourceError, match="PermissionError Permission denied") as caught:
        pull_from("register_contoh")
    assert "Zqvor" not in "".join(traceback.format_exception(caught.value))


def test_what_one_machine_keeps_another_reads(tmp_path: Path, bucket: Any) -> None:
    one, other = (
        evidence_store(tmp_path / name, shared="s3://bukti/a") for name in ("one", "other")
    )
    kept = one.keep(io.BytesIO(PAGE))
    assert other.find(kept.sha256) is None  # a row that names it is written after the flush
    one.flush()
    one.remember("foto.jpg", kept)

    found = other.recall("foto.jpg")
    assert found is not None
    assert (found.sha256, found.size) == (kept.sha256, len(PAGE))
    assert content_of(other, found.sha256) == PAGE
    assert found.path.is_relative_to(tmp_path / "other")
    assert found.path.stat().st_mode & 0o777 == 0o600
    assert other.recall("lain.jpg") is None

    (key,) = [
        item["Key"]
        for item in bucket.list_objects_v2(Bucket="bukti")["Contents"]
        if "names" not in item["Key"]
    ]
    bucket.put_object(Bucket="bukti", Key=key, Body=b"lain")
    with pytest.raises(ServiceError, match="not the bytes that were delivered"):
        evidence_store(tmp_path / "third", shared="s3://bukti/a").find(kept.sha256)
    assert not [*(tmp_path / "third").rglob("*.draft*")]


def test_an_upload_that_failed_is_made_up_for(tmp_path: Path, bucket: Any) -> None:
    missing = evidence_store(tmp_path, shared="s3://tidak-ada/a")
    missing.keep(io.BytesIO(PAGE))
    with pytest.raises(ServiceError, match="LUMBUNG_EVIDENCE"):
        missing.flush()
    again = evidence_store(tmp_path, shared="s3://bukti/a")
    kept = again.keep(io.BytesIO(PAGE))
    again.flush()
    assert evidence_store(tmp_path / "other", shared="s3://bukti/a").find(kept.sha256)
    with pytest.raises(ConfigurationError, match="s3://bucket/prefix"):
        evidence_store(tmp_path, shared="/mnt/bukti")


# -- encryption at rest ---------------------------------------------------------------------------

NAME = "Warga Rekaan Bersaksi"


def test_no_file_of_the_store_holds_what_was_delivered(
    db: psycopg.Connection,
    settings: Settings,
    add_channel: Callable[..., Path],
    pull_from: Callable[..., IntakeCounts],
    database_url: str,
) -> None:
    inbox = add_channel(REGISTER)
    text = f"Nomor,Tanggal / Diterima,Kab/Kota,Uraian\n1/LP,,Bangka,{NAME}\n".encode()
    (inbox / "a.csv").write_bytes(text)
    assert pull_from("register_contoh").landed == 1
    assert [each for each in bytes_kept(settings.evidence) if NAME.encode() in each] == []
    row = db.execute("select evidence_sha256 from raw.record").fetchone()
    assert row is not None
    with store_of(settings, database_url) as store:
        assert content_of(store, row[0]) == text
    assert pull_from("register_contoh") == IntakeCounts(read=1, duplicate=1)
    assert db.execute("select count(*) from vault.evidence_key").fetchone() == (1,), "kept once"
    dry = run.pull(
        "register_contoh", settings=settings, database_url=database_url, run_key="x", dry_run=True
    )
    assert dry == IntakeCounts(read=1, duplicate=1)
    assert db.execute("select count(*) from vault.evidence_key").fetchone() == (1,)


def test_a_file_whose_key_is_nowhere_is_kept_again(tmp_path: Path) -> None:
    """A process was killed, or the file was erased while another machine kept a copy."""
    lost = Evidence(tmp_path, MemoryKeys()).keep(io.BytesIO(PAGE))
    evidence = evidence_store(tmp_path)
    assert evidence.find(lost.sha256) is None
    assert not evidence.is_whole(lost.path, lost.sha256)
    assert evidence.keep(io.BytesIO(PAGE)).path == lost.path
    assert content_of(evidence, lost.sha256) == PAGE


@pytest.mark.parametrize("left", [b"", b"LUMBUNG", bytes(5_000)])
def test_a_damaged_file_is_not_one_in_clear(tmp_path: Path, left: bytes) -> None:
    evidence = evidence_store(tmp_path)
    kept = evidence.keep(io.BytesIO(PAGE))
    evidence.remember("foto.jpg", kept)
    kept.path.write_bytes(left)
    assert evidence.recall("foto.jpg") is None
    assert evidence.find(kept.sha256) is None
    evidence.keep(io.BytesIO(PAGE))
    assert content_of(evidence, kept.sha256) == PAGE


def test_a_file_that_is_damaged_inside_is_kept_again(tmp_path: Path) -> None:
    evidence, content = evidence_store(tmp_path), bytes(200_000)
    kept = evidence.keep(io.BytesIO(content))
    sealed = kept.path.read_bytes()
    kept.path.write_bytes(sealed[:1_000] + bytes(1_000) + sealed[2_000:])
    evidence.keep(io.BytesIO(content))
    assert content_of(evidence, kept.sha256) == content


def test_two_pulls_that_keep_the_same_bytes_at_once_read_the_same_file(tmp_path: Path) -> None:
    evidence = evidence_store(tmp_path)

    class Meanwhile(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() == 0:
                kept.append(evidence_store(tmp_path).keep(io.BytesIO(PAGE)))
            return super().read(size)

    kept: list[Kept] = []
    kept.append(evidence.keep(Meanwhile(PAGE)))
    for each in kept:
        with each.open("rb") as stream:
            assert stream.read() == PAGE


def test_a_key_is_stored_before_the_file_has_its_name(tmp_path: Path) -> None:
    class Killed(MemoryKeys):
        def add(self, key_id: bytes, sha256: bytes, key: bytes) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Evidence(tmp_path, Killed()).keep(io.BytesIO(PAGE))
    assert bytes_kept(tmp_path) == []


def in_clear(folder: Path, content: bytes) -> bytes:
    """Keep a file as an earlier version did."""
    digest = sha256(content).digest()
    path = folder / digest.hex()[:2] / digest.hex()[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return digest


def test_what_an_earlier_version_kept_is_readable_and_encrypted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = [b"surat 1", b"surat 2" * 50_000, b""]
    digests = [in_clear(tmp_path, each) for each in contents]
    damaged = tmp_path / "ab" / ("cd" * 31)
    damaged.parent.mkdir()
    damaged.write_bytes(b"rusak")
    evidence = evidence_store(tmp_path)
    evidence.remember("foto.jpg", Kept(digests[0], 7, tmp_path, None))
    assert [content_of(evidence, each) for each in digests] == contents

    keep, calls = Evidence.keep, iter(range(9))

    def killed(self: Evidence, stream: Any) -> Kept:
        if next(calls) == 1:
            raise KeyboardInterrupt
        return keep(self, stream)

    with monkeypatch.context() as patch:
        patch.setattr(Evidence, "keep", killed)
        with pytest.raises(KeyboardInterrupt):
            evidence.encrypt()
    assert [content_of(evidence, each) for each in digests] == contents
    assert evidence.encrypt() == 2
    assert evidence.encrypt() == 0
    assert [content_of(evidence_store(tmp_path), each) for each in digests] == contents
    assert not [each for each in bytes_kept(tmp_path) if b"surat" in each]
    assert damaged.read_bytes() == b"rusak"
    found = evidence.recall("foto.jpg")
    assert found is not None
    assert found.key is not None


def test_what_an_earlier_version_shared_is_encrypted_there_too(tmp_path: Path, bucket: Any) -> None:
    digest = in_clear(tmp_path / "one", b"surat")
    name = f"a/{digest.hex()[:2]}/{digest.hex()[2:]}"
    bucket.put_object(Bucket="bukti", Key=name, Body=b"surat")
    machine = evidence_store(tmp_path / "other", shared="s3://bukti/a")
    assert machine.encrypt() == 1
    assert machine.encrypt() == 0
    assert b"surat" not in bucket.get_object(Bucket="bukti", Key=name)["Body"].read()
    assert content_of(evidence_store(tmp_path / "third", shared="s3://bukti/a"), digest) == b"surat"
    # its own folder still has the file in clear
    assert evidence_store(tmp_path / "one", shared="s3://bukti/a").encrypt() == 1
