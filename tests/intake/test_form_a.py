"""Forms A as supervisors fill them in: paragraphs, tables, several activities, or little at all."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import docx
import psycopg
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from upath import UPath

from lumbung.intake import run
from lumbung.intake.connectors.base import Delivery, Item, Source, Unreadable
from lumbung.intake.connectors.form_a import reader as form
from lumbung.intake.landing import IntakeCounts
from lumbung.intake.vault import Vault
from lumbung.settings import Settings
from tests.support.channel_samples import OWNER, channel
from tests.support.delivered import delivered
from tests.support.evidence import evidence_store

DIGEST = Vault(bytes(32)).content_hash
FORM_A: dict[str, Any] = {
    "name": "form_a_contoh",
    "title": "Formulir Model A contoh",
    "owner": OWNER,
    "schedule": "0 5 * * *",
    "record_kind": "LHP",
    "source": {"kind": "form_a"},
    "personal": [
        *("Pengawas / Nama", "Pengawas / No. HP", "Pengawas / Alamat", "Dugaan / Pelaku"),
        *("Saksi / Nama", "Saksi / Alamat", "Tanda tangan / Nama"),
    ],
    "subject": ["Pengawas / Nama"],
    "kept": ["Nomor", "Pengawas / Jabatan", "Kegiatan / Tujuan", "Kegiatan / Sasaran"],
    "fields": {
        "activity_date": {"from": "Kegiatan / Tanggal"},
        "regency": {"from": "Kegiatan / Waktu dan Tempat"},
        "method": {"from": "Kegiatan / Bentuk"},
        "narrative": {"from": ["Uraian", "Kegiatan / Uraian"]},
        "occurred_date": {"from": ["Dugaan / Tanggal", "Dugaan / Waktu Kejadian"]},
        "suspicion": {"from": "Dugaan pelanggaran"},
    },
}
NUMBER = "012/LHP/PM.00.02/K.BB-03/XI/2024"
PLACE = (
    "Rabu, 6 November 2024, pukul 09.30 WIB di Lapangan Rekaan, Kec. Rangkui, Kota Pangkalpinang"
)

LINES = f"""LAPORAN HASIL PENGAWASAN
Nomor : 012 / LHP/PM.00.02/K.BB-03/xi/2024
I. Data Pengawas Pemilihan
a. Tahapan yang diawasi : Kampanye
b. Nama : Petugas Rekaan
c. No. HP : 0812-0000-1111
d. Jabatan : PKD
e. Alamat : Jl. Rekaan No. 7
RT 03/05
II. Kegiatan Pengawasan
a. Bentuk : Tatap muka
b. Tujuan : memastikan kampanye tertib
c. Sasaran : tim kampanye
d. Waktu dan Tempat : {PLACE}
III. Uraian Singkat Hasil Pengawasan
Pada pukul 09:30 acara dimulai.
Catatan penting: tidak ada anak.
Jumlah peserta: 50 orang.
IV. Informasi Dugaan Pelanggaran
1. Peristiwa
a. Peristiwa : pembagian uang
b. Tempat Kejadian : Pasar Rekaan
c. Waktu Kejadian : 06-11-2024
d. Pelaku : Orang Rekaan
2. Saksi-saksi
a. Nama : Saksi Rekaan
b. Alamat : Jl. Saksi 1
3. Alat Bukti
Foto amplop
4. Uraian Singkat Dugaan Pelanggaran
Amplop dibagikan.
Pangkalpinang, 6 November 2024
Pengawas
(Petugas Rekaan)"""

FIELDS = {
    "Nomor": NUMBER,
    "Pengawas / Tahapan yang diawasi": "Kampanye",
    "Pengawas / Nama": "Petugas Rekaan",
    "Pengawas / No. HP": "0812-0000-1111",
    "Pengawas / Jabatan": "PKD",
    "Pengawas / Alamat": "Jl. Rekaan No. 7\nRT 03/05",
    "Kegiatan / Bentuk": "Tatap muka",
    "Kegiatan / Tujuan": "memastikan kampanye tertib",
    "Kegiatan / Sasaran": "tim kampanye",
    "Kegiatan / Waktu dan Tempat": PLACE,
    "Kegiatan / Tanggal": "6 November 2024",
    "Kegiatan": [
        {
            "Bentuk": "Tatap muka",
            "Tujuan": "memastikan kampanye tertib",
            "Sasaran": "tim kampanye",
            "Waktu dan Tempat": PLACE,
        }
    ],
    "Uraian": "Pada pukul 09:30 acara dimulai.\nCatatan penting: tidak ada anak.\n"
    "Jumlah peserta: 50 orang.",
    "Dugaan pelanggaran": "ada",
    "Dugaan / Peristiwa": "pembagian uang",
    "Dugaan / Tempat Kejadian": "Pasar Rekaan",
    "Dugaan / Waktu Kejadian": "06-11-2024",
    "Dugaan / Tanggal": "06-11-2024",
    "Dugaan / Pelaku": "Orang Rekaan",
    "Saksi / Nama": "Saksi Rekaan",
    "Saksi / Alamat": "Jl. Saksi 1",
    "Dugaan / Alat Bukti": "Foto amplop",
    "Dugaan / Uraian Singkat Dugaan Pelanggaran": "Amplop dibagikan.",
    "Tanda tangan / Tempat dan tanggal": "Pangkalpinang, 6 November 2024",
    "Tanda tangan / Nama": "Pengawas\n(Petugas Rekaan)",
}


_TEMPLATE = docx.Document()
"""Each document holds itself, with megabytes beyond Python's objects: collected late, if ever."""


def written(*parts: str | Sequence[Sequence[str]]) -> bytes:
    """A docx of paragraphs (texts) and tables (rows of cells)."""
    document = _TEMPLATE
    document.element.body.clear_content()
    for part in parts:
        if isinstance(part, str):
            for line in part.split("\n"):
                document.add_paragraph(line)
        else:
            table = document.add_table(len(part), max(map(len, part)))
            for row, cells in zip(table.rows, part, strict=True):
                for cell, text in zip(row.cells, cells, strict=False):
                    first, *others = text.split("\n")
                    cell.paragraphs[0].text = first
                    for line in others:
                        cell.add_paragraph(line)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def changed(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """A docx with another document.xml."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            new.writestr(name, change(part) if name == "word/document.xml" else part)
    return buffer.getvalue()


Reader = Callable[..., list[Item]]


@pytest.fixture
def read_files(tmp_path: Path) -> Reader:
    def act(files: dict[str, bytes], **changes: Any) -> list[Item]:
        inbox = tmp_path / "inbox"
        inbox.mkdir(exist_ok=True)
        for old in inbox.iterdir():
            old.unlink()
        for age, (name, content) in enumerate(files.items()):
            (inbox / name).write_bytes(content)
            os.utime(inbox / name, (1_700_000_000 + age,) * 2)
        store = evidence_store(tmp_path / "evidence")
        return list(
            form.read(Source(channel(FORM_A, **changes), UPath(inbox), None, store, DIGEST, {}))
        )

    return act


def refused(items: list[Item]) -> list[str]:
    return [item.reason_code for item in items if isinstance(item, Unreadable)]


def deliveries(items: list[Item]) -> list[Delivery]:
    return [item for item in items if isinstance(item, Delivery)]


def only(items: list[Item]) -> Delivery:
    assert refused(items) == []
    (found,) = deliveries(items)
    return found


def test_a_form_of_paragraphs(read_files: Reader) -> None:
    found = only(read_files({"a.docx": written(LINES)}))
    assert found.fields == FIELDS
    assert found.source_id == NUMBER


def test_the_same_form_in_tables_and_with_words_own_numbering(read_files: Reader) -> None:
    def cell_by_cell(first: str, last: str) -> list[list[str]]:
        lines = LINES.split("\n")
        rows: list[list[str]] = []
        for line in lines[lines.index(first) + 1 : lines.index(last)]:
            if line == "RT 03/05":
                rows[-1][3] += f"\n{line}"
                continue
            mark, _, rest = line.partition(" ")
            label, _, value = rest.partition(" : ")
            rows.append([mark, label, ":", value])
        return rows

    lines = LINES.split("\n")
    story = "\n".join(lines[lines.index("III. Uraian Singkat Hasil Pengawasan") + 1 :])
    story, _, rest = story.partition("IV. Informasi Dugaan Pelanggaran\n")
    document = written(
        "LAPORAN HASIL PENGAWASAN",
        [["Nomor", f": {NUMBER}"]],
        "Data Pengawas Pemilihan",
        cell_by_cell("I. Data Pengawas Pemilihan", "II. Kegiatan Pengawasan"),
        [["Kegiatan Pengawasan"]],
        [
            [label.removesuffix(" :"), value]
            for _, label, _, value in cell_by_cell(
                "II. Kegiatan Pengawasan", "III. Uraian Singkat Hasil Pengawasan"
            )
        ],
        [["Uraian Singkat Hasil Pengawasan\n" + story.rstrip("\n")]],
        [["Informasi Dugaan Pelanggaran"]],
        rest.partition("2. Saksi-saksi")[0].rstrip("\n"),
        "Saksi",
        [["No", "Nama", "Alamat"], ["1", "Saksi Rekaan", "Jl. Saksi 1"]],
        rest.partition("b. Alamat : Jl. Saksi 1\n")[2],
    )
    assert only(read_files({"a.docx": document})).fields == FIELDS


def test_labels_and_values_in_two_cells_of_many_lines(read_files: Reader) -> None:
    document = written(
        f"Nomor: {NUMBER}\nI. Data Pengawas",
        [["Nama\nJabatan", ": Petugas Rekaan\n: PKD"]],
        "II. Kegiatan Pengawasan\nBentuk: Tatap muka",
    )
    fields = only(read_files({"a.docx": document})).fields
    assert (fields["Pengawas / Nama"], fields["Pengawas / Jabatan"]) == ("Petugas Rekaan", "PKD")


def test_several_activities_are_a_list_and_the_first_has_the_labels(read_files: Reader) -> None:
    document = written(
        f"""Nomor: {NUMBER}
I. Data Pengawas
Nama: Petugas Rekaan
II. Kegiatan Pengawasan
Kegiatan 1
Bentuk: Tatap muka
Waktu dan Tempat: 6/11/2024, Kec. Rangkui
Kegiatan ke-2
Bentuk: Rapat umum
Waktu dan Tempat: 7 Nopember 2024, Kec. Gabek
Bentuk: Kegiatan lain
III. Dugaan Pelanggaran
NIHIL"""
    )
    fields = only(read_files({"a.docx": document})).fields
    assert fields["Kegiatan"] == [
        {"Bentuk": "Tatap muka", "Waktu dan Tempat": "6/11/2024, Kec. Rangkui"},
        {"Bentuk": "Rapat umum", "Waktu dan Tempat": "7 Nopember 2024, Kec. Gabek"},
        {"Bentuk": "Kegiatan lain"},
    ]
    assert (fields["Kegiatan / Bentuk"], fields["Kegiatan / Tanggal"]) == (
        "Tatap muka",
        "6/11/2024",
    )
    assert fields["Dugaan pelanggaran"] == "tidak ada"


def test_several_witnesses_stay_apart_from_the_evidence(read_files: Reader) -> None:
    witnesses = [["No.", "Nama", "Alamat"], ["1", "Saksi A", "Jl. A"], ["2", "Saksi B", ""]]
    document = written(
        f"Nomor: {NUMBER}\nIII. Dugaan Pelanggaran\nPeristiwa: x\nSaksi",
        witnesses,
        "Alat bukti: foto",
    )
    fields = only(read_files({"a.docx": document})).fields
    assert fields["Saksi / Nama"] == "Saksi A\nSaksi B"
    assert fields["Saksi / Alamat"] == "Jl. A"
    assert fields["Dugaan / Alat bukti"] == "foto"


ACTIVITY = "kegiatan kampanye pertemuan terbatas di Desa Contoh"
HELD = f"pelanggaran pemilihan baik administrasi maupun pidana dalam {ACTIVITY}"


@pytest.mark.parametrize(
    ("said", "judged"),
    [
        ("-", "tidak ada"),
        ("Nihil", "tidak ada"),
        ("Tidak ada", "tidak ada"),
        ("Tidak ditemukan pelanggaran.", "tidak ada"),
        ("", "tidak ada"),
        ("Tidak ditemukan adanya dugaan pelanggaran", "tidak ada"),
        (f"Tidak ditemukan adanya dugaan {HELD}.", "tidak ada"),
        (
            f"Berdasarkan hasil pengawasan {ACTIVITY}, tidak terdapat dugaan {HELD}",
            "tidak ada",
        ),
        (f"Pengawas tidak menemukan indikasi {HELD}", "tidak ada"),
        ("Tidak ada, namun peserta menerima amplop", "ada"),
        ("Tidak terdapat pelanggaran selain pembagian amplop", "ada"),
        (f"Tidak ada izin bagi {ACTIVITY}, dan peserta menerima amplop", "ada"),
        ("Pembagian amplop; tidak ada pelanggaran lain", "ada"),
        ("Selama kampanye terjadi pembagian amplop dan tidak ada pelanggaran alat peraga", "ada"),
        ("Selama pengawasan tidak ditemukan pelanggaran, peserta membagikan amplop", "ada"),
        ("Belum ditemukan pelaku pembagian amplop", "ada"),
    ],
)
def test_a_form_without_a_suspicion_says_so(read_files: Reader, said: str, judged: str) -> None:
    document = written(
        f"Nomor: {NUMBER}\nII. Kegiatan\nBentuk: Tatap muka\nIII. Dugaan Pelanggaran\n"
        f"1. Peristiwa\na. Peristiwa: {said}\n2. Saksi-saksi\na. Nama: -\n3. Alat Bukti\n-"
    )
    fields = only(read_files({"a.docx": document})).fields
    assert fields["Dugaan pelanggaran"] == judged


def test_of_two_labels_that_look_alike_both_are_kept(read_files: Reader) -> None:
    document = written(
        f"Nomor: {NUMBER}\nII. Kegiatan\nB\N{CYRILLIC SMALL LETTER IE}ntuk: Debat\nBentuk: Rapat"
    )
    fields = only(read_files({"a.docx": document})).fields
    assert fields["Kegiatan / Bentuk"] == "Rapat"
    assert fields["Kegiatan / B\N{CYRILLIC SMALL LETTER IE}ntuk"] == "Debat"


@pytest.mark.parametrize(
    "number",
    [
        "012/LHP/PM.00.02/K.BB-03/XI/2024",
        "Nomor: 012/LHP/PM.00.02/K.BB-03/XI/2024",
        "NOMOR 012/lhp/PM.00.02/K.BB-03/XI/2024",
        "No. : 012 /LHP / PM.00.02/K.BB-03 /XI/ 2024",
    ],
)
def test_a_number_however_it_is_written(read_files: Reader, number: str) -> None:
    found = only(read_files({"a.docx": written(f"{number}\nI. Data Pengawas\nNama: A")}))
    assert found.source_id == NUMBER


@pytest.mark.parametrize("number", ["Nomor: ___/LHP/PM.00.02/JI.34/00/2023", "Nomor:", "tanpa"])
def test_a_form_without_a_number_is_known_by_its_bytes(read_files: Reader, number: str) -> None:
    document = written(f"{number}\nI. Data Pengawas\nNama: A")
    found = only(read_files({"a.docx": document}))
    assert found.source_id == only(read_files({"lain.docx": document})).source_id
    assert (
        found.source_id
        != only(read_files({"a.docx": written(f"{number}\nI. Data Pengawas\nNama: B")})).source_id
    )


def test_content_controls_and_tracked_changes(read_files: Reader) -> None:
    document = docx.Document(io.BytesIO(written(f"Nomor: {NUMBER}\nI. Data Pengawas")))
    body = document.element.body
    space = nsdecls("w")
    for xml in (
        f"<w:sdt {space}><w:sdtContent><w:p><w:r><w:t>Nama</w:t><w:tab/><w:t>: Petugas</w:t></w:r>"
        "<w:sdt><w:sdtContent><w:r><w:t xml:space='preserve'> Rekaan</w:t></w:r></w:sdtContent>"
        "</w:sdt></w:p></w:sdtContent></w:sdt>",
        f"<w:p {space}><w:r><w:t>Jabatan: </w:t></w:r><w:del w:id='1' w:author='x'><w:r><w:delText>"
        "Ketua</w:delText><w:t>Ketua</w:t></w:r></w:del><w:ins w:id='2' w:author='x'><w:r><w:t>PKD"
        "</w:t></w:r></w:ins><w:r><w:br/><w:t>Alamat: Jl</w:t><w:noBreakHyphen/><w:t>1</w:t>"
        "</w:r></w:p>",
    ):
        body.insert(len(body) - 1, parse_xml(xml))
    buffer = io.BytesIO()
    document.save(buffer)
    fields = only(read_files({"a.docx": buffer.getvalue()})).fields
    assert fields["Pengawas / Nama"] == "Petugas Rekaan"
    assert fields["Pengawas / Jabatan"] == "PKD"
    assert fields["Pengawas / Alamat"] == "Jl-1"


def test_files_that_are_no_forms_are_quarantined_alone(
    read_files: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(form, "_MAX_TEXT", 1 << 20)
    good = written(LINES)
    entity = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "x">]><a>&b;</a>'
    deep = b"<a>" * 50_000 + b"</a>" * 50_000
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as archive:
        archive.writestr("[Content_Types].xml", "x")
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(100 << 20))
    spoiled = bytearray(good)
    spoiled[good.index(b"word/document.xml") + 200] ^= 0xFF
    files = {
        "terpotong.docx": good[: len(good) // 2],
        "terkunci.docx": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600),
        "rusak.docx": bytes(spoiled),
        "kosong.docx": b"",
        "html.docx": b"<html><form>login</form></html>",
        "lain.docx": plain.getvalue(),
        "lama.doc": b"\xd0\xcf\x11\xe0",
        "pindai.pdf": b"%PDF-1.7",
        "entitas.docx": changed(good, lambda _: entity),
        "entitas16.docx": changed(good, lambda _: entity.decode().encode("utf-16")),
        "dalam.docx": changed(good, lambda _: deep),
        "nul.docx": changed(good, lambda xml: xml.replace(b"Kampanye", b"Kam\0panye")),
        "besar.docx": changed(
            good, lambda xml: xml.replace(b"Kampanye", os.urandom(1 << 20).hex().encode())
        ),
        "bom.docx": bomb.getvalue(),
        "surat.docx": written("Kepada Yth.\nPerihal: undangan"),
        "baik.docx": good,
    }
    items = read_files(files)
    assert refused(items) == [
        *("unreadable_file",) * 8,
        *("unsafe_archive", "unsafe_archive", "unreadable_file", "unreadable_file"),
        *("too_large", "unsafe_archive", "not_a_form"),
    ]
    assert [each.source_id for each in deliveries(items)] == [NUMBER]
    reasons = [item.reason for item in items if isinstance(item, Unreadable)]
    assert not any(name in reason for name in files for reason in reasons)


def test_a_required_field_that_is_empty(read_files: Reader) -> None:
    fields = {"activity_date": {"from": "Kegiatan / Tanggal", "required": True}}
    document = written(f"Nomor: {NUMBER}\nI. Data Pengawas\nNama: A")
    items = read_files({"a.docx": document}, fields=fields)
    assert refused(items) == ["required_field_missing"]
    (bad,) = [item for item in items if isinstance(item, Unreadable)]
    assert bad.source_id == NUMBER


def test_whole_pulls_with_an_edit_a_deletion_and_an_outage(
    settings: Settings,
    database_url: str,
    db: psycopg.Connection,
    add_channel: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inbox = add_channel(FORM_A)

    def pull() -> IntakeCounts:
        return run.pull(
            "form_a_contoh", settings=settings, database_url=database_url, run_key="uji"
        )

    def put(name: str, content: bytes, age: int) -> None:
        (inbox / name).write_bytes(content)
        os.utime(inbox / name, (1_700_000_000 + age,) * 2)

    def current() -> list[Any]:
        return delivered(
            db,
            "select source_id, payload ->> 'Kegiatan / Bentuk' from raw.record where record_id in"
            " (select max(record_id) from raw.record group by source_id) order by 1",
        )

    second = LINES.replace("012", "013")
    put("a.docx", written(LINES), 0)
    put("b.docx", written(second), 1)
    put("c.docx", b"PK rusak", 2)
    take = form._Form.take
    with monkeypatch.context() as patch:
        calls = iter(range(10_000))

        def breaks(self: Any, cells: list[str]) -> None:
            if next(calls) == 30:
                raise MemoryError
            take(self, cells)

        patch.setattr(form._Form, "take", breaks)
        with pytest.raises(MemoryError):
            pull()
    first = pull()
    assert (first.read, first.quarantined) == (3, 1)
    assert first.landed + first.duplicate == 2
    assert pull() == IntakeCounts(read=3, duplicate=3)
    assert len(current()) == 2
    put("a revisi.docx", written(LINES.replace("Tatap muka", "Rapat umum")), 3)
    (inbox / "b.docx").unlink()
    assert pull() == IntakeCounts(read=3, landed=1, duplicate=2)
    assert pull() == IntakeCounts(read=3, duplicate=3)
    assert current() == [(NUMBER, "Rapat umum"), (NUMBER.replace("012", "013"), "Tatap muka")]
    stored = repr(db.execute("select payload, locator from raw.record").fetchall())
    for personal in ("Petugas", "0812", "Jl. Rekaan", "Orang Rekaan", "Saksi Rekaan"):
        assert personal not in stored


def test_a_corrected_form_without_a_number_takes_the_place_of_the_first(
    pull_from: Callable[..., IntakeCounts],
    db: psycopg.Connection,
    add_channel: Callable[..., Path],
) -> None:
    inbox = add_channel(FORM_A)

    def put(name: str, kind: str, number: str = "") -> None:
        text = LINES.replace("Nomor : 012 / LHP/PM.00.02/K.BB-03/xi/2024", number)
        (inbox / name).write_bytes(written(text.replace("Tatap muka", kind)))

    def current() -> list[str]:
        return [
            kind
            for kind, is_gone in delivered(
                db,
                "select distinct on (source_id) payload ->> 'Kegiatan / Bentuk', is_tombstone"
                " from raw.record order by source_id, record_id desc",
            )
            if not is_gone
        ]

    def pull() -> IntakeCounts:
        return pull_from("form_a_contoh")

    put("a.docx", "Tatap muka")
    put("b.docx", "Rapat umum")
    assert pull() == IntakeCounts(read=2, landed=2)
    put("a.docx", "Pertemuan terbatas")
    assert pull() == IntakeCounts(read=2, landed=1, duplicate=1, tombstones=1)
    assert pull() == IntakeCounts(read=2, duplicate=2)
    assert sorted(current()) == ["Pertemuan terbatas", "Rapat umum"]
    (inbox / "a.docx").write_bytes(b"PK rusak")
    assert pull() == IntakeCounts(read=2, duplicate=1, quarantined=1)
    assert sorted(current()) == ["Pertemuan terbatas", "Rapat umum"]
    put("a.docx", "Pertemuan terbatas", NUMBER)
    assert pull() == IntakeCounts(read=2, landed=1, duplicate=1, tombstones=1)
    assert sorted(current()) == ["Pertemuan terbatas", "Rapat umum"]
    (inbox / "c.docx").write_bytes((inbox / "b.docx").read_bytes())
    put("b.docx", "Kegiatan lain")
    assert pull() == IntakeCounts(read=3, landed=1, duplicate=2), "b.docx lives on as c.docx"
    assert sorted(current()) == ["Kegiatan lain", "Pertemuan terbatas", "Rapat umum"]
    put("a.docx", "Tatap muka", NUMBER.replace("012", "013"))
    assert pull() == IntakeCounts(read=3, landed=1, duplicate=2), "another report, no correction"
