"""The evidence store: what it keeps, how much of it, and what it says that is."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from upath import UPath

from lumbung.errors import ConfigurationError, ServiceError
from lumbung.intake import evidence
from lumbung.intake.connectors.shared import files
from lumbung.intake.evidence import Evidence, TooLargeError
from lumbung.intake.landing import IntakeCounts
from lumbung.settings import Settings
from tests.support.channel_samples import REGISTER, workbook
from tests.support.delivered import place

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
    assert Evidence(tmp_path).keep(io.BytesIO(content)).media_type == expected


@pytest.mark.parametrize(
    ("claimed", "is_page"),
    [("image/jpeg", True), ("application/pdf", True), ("text/html", False), (None, False)],
)
def test_a_page_in_the_place_of_a_photo(tmp_path: Path, claimed: str | None, is_page: bool) -> None:
    kept = Evidence(tmp_path).keep(io.BytesIO(PAGE))
    assert kept.is_page_for(claimed) == is_page
    photo = Evidence(tmp_path).keep(io.BytesIO(b"\xff\xd8\xff\xe0"))
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
        Evidence(tmp_path).keep(Endless())
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


def test_what_one_machine_keeps_another_reads(tmp_path: Path, bucket: Any) -> None:
    one, other = (Evidence(tmp_path / name, shared="s3://bukti/a") for name in ("one", "other"))
    kept = one.keep(io.BytesIO(PAGE))
    assert not other.path(kept.sha256).exists()  # a row that names it is written after the flush
    one.flush()
    one.remember("foto.jpg", kept)

    found = other.recall("foto.jpg")
    assert found is not None
    assert (found.sha256, found.size, found.path.read_bytes()) == (kept.sha256, len(PAGE), PAGE)
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
        Evidence(tmp_path / "third", shared="s3://bukti/a").path(kept.sha256)
    assert not [*(tmp_path / "third").rglob("*.draft*")]


def test_an_upload_that_failed_is_made_up_for(tmp_path: Path, bucket: Any) -> None:
    missing = Evidence(tmp_path, shared="s3://tidak-ada/a")
    missing.keep(io.BytesIO(PAGE))
    with pytest.raises(ServiceError, match="LUMBUNG_EVIDENCE"):
        missing.flush()
    again = Evidence(tmp_path, shared="s3://bukti/a")
    kept = again.keep(io.BytesIO(PAGE))
    again.flush()
    assert Evidence(tmp_path / "other", shared="s3://bukti/a").path(kept.sha256).exists()
    with pytest.raises(ConfigurationError, match="s3://bucket/prefix"):
        Evidence(tmp_path, shared="/mnt/bukti")
