"""Registers as offices keep them: found, read and cut out of what surrounds them."""

from __future__ import annotations

import csv
import io
import os
import string
import tracemalloc
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from lumbung.errors import SourceError
from lumbung.intake.connectors.base import Checkpoint, Delivery, Item, Source, Unreadable
from lumbung.intake.connectors.register.reader import read
from lumbung.intake.connectors.shared import parser_process
from lumbung.intake.vault import Vault
from tests.support.channel_samples import (
    HEADER,
    REGISTER,
    channel,
    header_merges,
    ods,
    workbook,
    xlsb,
)
from tests.support.evidence import evidence_store

AT = datetime(2024, 11, 9, 2, 0, tzinfo=UTC)
FIXTURES = Path(__file__).parent / "fixtures"
"""Made by xlwt 1.3 (BIFF8, also with the epoch 1904) and msoffcrypto-tool (agile encryption)."""
TITLE = [["BUKU REGISTER"], ["KANTOR CONTOH"], [""]]
ROW: list[Any] = [
    1,
    "001/LP",
    date(2024, 11, 6),
    "5 Nopember 2024",
    "Warga A",
    "0812",
    "Bangka",
    "Uraian a",
]


def numbered(number: int, **changes: Any) -> list[Any]:
    names = ("no", "key", "received", "occurred", "name", "phone", "place", "story")
    row = dict(zip(names, ROW, strict=True)) | {"no": number, "key": f"{number:03d}/LP"}
    return list((row | changes).values())


Reader = Callable[..., list[Item]]


@pytest.fixture
def read_files(tmp_path: Path) -> Reader:
    """Put files into an inbox and read it with a channel."""

    def act(
        files: dict[str, bytes], cursor: dict[str, Any] | None = None, **changes: Any
    ) -> list[Item]:
        inbox = tmp_path / "inbox"
        inbox.mkdir(exist_ok=True)
        for age, (name, content) in enumerate(files.items()):
            (inbox / name).write_bytes(content)
            os.utime(inbox / name, (AT.timestamp() + age, AT.timestamp() + age))
        digest = Vault(bytes(32)).content_hash
        evidence = evidence_store(tmp_path / "evidence")
        each = channel(REGISTER, **changes)
        return list(read(Source(each, UPath(inbox), None, evidence, digest, cursor or {})))

    return act


def deliveries(items: list[Item]) -> dict[str, dict[str, Any]]:
    found = [item for item in items if isinstance(item, Delivery)]
    assert len({each.source_id for each in found}) == len(found)
    return {each.source_id: each.fields for each in found}


def refused(items: list[Item]) -> list[tuple[str, str | None]]:
    return [(item.reason_code, item.locator) for item in items if isinstance(item, Unreadable)]


def text(rows: Sequence[Sequence[str]], delimiter: str = ",") -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows(rows)
    return buffer.getvalue().encode()


def sheet(*rows: list[Any]) -> dict[str, Any]:
    return {"September": [*TITLE, *HEADER, *rows]}


MERGES = {"September": header_merges(3)}
EXPECTED = {
    "No": 1,
    "Nomor": "001/LP",
    "Tanggal / Diterima": "2024-11-06",
    "Tanggal / Kejadian": "5 Nopember 2024",
    "Pelapor / Nama": "Warga A",
    "Pelapor / No. HP": "0812",
    "Kab/Kota": "Bangka",
    "Uraian": "Uraian a",
}


def test_a_merged_header_of_two_rows_is_found_by_its_labels(read_files: Reader) -> None:
    items = read_files({"a.xlsx": workbook(sheet(ROW), merges=MERGES)})
    assert len(items) == 2
    first, last = items
    assert isinstance(first, Delivery)
    assert (first.source_id, first.fields) == ("001/LP", EXPECTED)
    assert (first.received_at, first.locator) == (AT, "a.xlsx | September | baris 6")
    assert not first.is_repeat
    assert isinstance(last, Checkpoint)
    assert last.complete == "a.xlsx | "


def test_labels_match_without_regard_to_case_and_white_space(read_files: Reader) -> None:
    header = [
        ["NO", "  nomor ", "TANGGAL", "", "Pelapor", "", "KAB/KOTA", "Uraian"],
        ["", "", "Di\nterima".replace("\n", ""), "kejadian", "NAMA", "No.\nHP", "", ""],
    ]
    content = workbook({"S": [*TITLE, *header, ROW]}, merges={"S": header_merges(3)})
    assert deliveries(read_files({"a.xlsx": content})) == {"001/LP": EXPECTED}


@pytest.mark.parametrize(
    ("group", "number", "below"),
    [
        ("Tanggal", "Nomor\u200b", ""),
        ("Tanggal", "\ufeffNomor", ""),  # begins with what nobody sees
        ("\uff34anggal", "\uff2e\uff4f\uff4d\uff4f\uff52", ""),
        ("T\u0430nggal", "N\u043emor", ""),  # Cyrillic letters
        ("Tang\u00adgal", "Nomor", "\u200b"),  # below the number nothing visible
    ],
)
def test_labels_match_whatever_their_characters_look_like(
    read_files: Reader, group: str, number: str, below: str
) -> None:
    header = [
        ["No", number, group, "", "Pelapor", "", "Kab/Kota", "Uraian"],
        ["", below, "Diterima", "Kejadian", "Nama", "No. HP", "", ""],
    ]
    content = workbook({"S": [*TITLE, *header, ROW]}, merges={"S": header_merges(3)})
    assert deliveries(read_files({"a.xlsx": content})) == {"001/LP": EXPECTED}


def test_an_alias_is_kept_as_the_channel_spells_it_and_the_unknown_as_met(
    read_files: Reader,
) -> None:
    header = [["Nomor", "Kabupaten", "Uraian", "Saksi", "", "Saksi"]]
    rows = [["007/TM", "Babar", "x", "Warga S", "tanpa judul", "Warga T"]]
    items = read_files({"a.xlsx": workbook({"S": header + rows})}, personal=[], subject=[], kept=[])
    assert deliveries(items)["007/TM"] == {
        "Nomor": "007/TM",
        "Kabupaten": "Babar",
        "Uraian": "x",
        "Saksi": "Warga S",
        "Kolom E": "tanpa judul",
        "Saksi (2)": "Warga T",
    }


def test_a_case_that_is_registered_stays_the_same_case(read_files: Reader) -> None:
    """Its legal number gets Reg; a word of another key is left alone."""
    header = [["Nomor", "Kabupaten", "Uraian"]]
    rows = [["005/Reg/LP/PB/Kab/09.05/XI/2024", "Babar", "x"], ["Reg/7", "Babar", "y"]]
    items = read_files({"a.xlsx": workbook({"S": header + rows})}, personal=[], subject=[], kept=[])
    assert list(deliveries(items)) == ["005/LP/PB/Kab/09.05/XI/2024".upper(), "REG/7"]


def test_titles_beside_or_right_above_the_header_are_none_of_it(read_files: Reader) -> None:
    header = [["Nomor", "Kabupaten", "Uraian", ""]]
    rows: list[list[Any]] = [
        ["1/LP", "Bangka", "a"],
        ["Jumlah", "", "", 9],
        ["2/LP", "Bangka", "b"],
    ]
    titles = (["REGISTER"], ["", "", "", "Lampiran I"], ["", "Kabupaten", "", ""])
    for title in titles:
        content = workbook({"S": [title, *header, *rows]})
        found = deliveries(read_files({"a.xlsx": content}, personal=[], subject=[], kept=[]))
        assert found == {
            "1/LP": {"Nomor": "1/LP", "Kabupaten": "Bangka", "Uraian": "a"},
            "2/LP": {"Nomor": "2/LP", "Kabupaten": "Bangka", "Uraian": "b"},
        }


def test_a_row_that_begins_like_a_subtotal_but_has_a_key_is_a_delivery(
    read_files: Reader,
) -> None:
    rows = [["Uraian", "Nomor", "Kab/Kota"], ["a", "1/LP", "Bangka"], ["Total b", "2/LP", "Bangka"]]
    items = read_files({"a.xlsx": workbook({"S": rows})}, personal=[], subject=[], kept=[])
    assert list(deliveries(items)) == ["1/LP", "2/LP"]


FLAT = {"personal": ["Nama"], "subject": ["Nama"], "kept": []}
"""With `REGISTER`: `FIRST` below holds its key and five of its six fields."""
FIRST = ["Nomor", "Nama", "Tanggal / Diterima", "Kab/Kota", "Uraian"]
ONE = ["1/LP", "Warga A", "06/11/2024", "Bangka", "a"]
TWO = {
    "Uraian": "b",
    "Kab/Kota": "Belitung",
    "Nomor": "2/LP",
    "Nama": "Warga B",
    "Tanggal / Diterima": "07/11/2024",
}


@pytest.mark.parametrize(
    "second",
    [
        pytest.param([[*TWO], [*TWO.values()]], id="other order"),
        pytest.param([["", *TWO], ["", *TWO.values()]], id="shifted"),
        pytest.param([["", "", "", *TWO], ["", "", "", *TWO.values()]], id="shifted beyond"),
        pytest.param(
            [
                ["Uraian", "Kab/Kota", "Nomor", "Nama", "Tanggal", ""],
                ["", "", "", "", "Diterima", "Kejadian"],
                [*TWO.values()],
            ],
            id="two rows",
        ),
    ],
)
@pytest.mark.parametrize("suffix", ["xlsx", "csv"])
def test_a_second_table_is_read_under_its_own_header(
    read_files: Reader, second: list[list[str]], suffix: str
) -> None:
    rows = [FIRST, ONE, [""], ["Kabupaten lain"], *second]
    content = workbook({"S": rows}) if suffix == "xlsx" else text(rows)
    items = read_files({f"a.{suffix}": content}, **FLAT)
    assert refused(items) == []
    assert deliveries(items) == {"1/LP": dict(zip(FIRST, ONE, strict=True)), "2/LP": TWO}


# Without a gap only a repeated label shows where the next table begins.
@pytest.mark.parametrize(
    ("gap", "head"), [(0, FIRST), (1, FIRST), (2, FIRST), (1, [*TWO]), (2, [*TWO])]
)
def test_tables_abreast_are_each_read_under_their_own_header(
    read_files: Reader, gap: int, head: list[str]
) -> None:
    three = TWO | {"Nomor": "3/LP", "Kab/Kota": ""}
    apart = [""] * gap
    rows = [
        ["BUKU REGISTER"],
        [*FIRST, *apart, *head],
        [*ONE, *apart, *(TWO[label] for label in head)],
        [*[""] * len(FIRST), *apart, *(three[label] for label in head)],
    ]
    items = read_files({"a.xlsx": workbook({"S": rows})}, **FLAT)
    del three["Kab/Kota"]
    expected = {"1/LP": dict(zip(FIRST, ONE, strict=True)), "2/LP": TWO, "3/LP": three}
    assert deliveries(items) == expected
    assert refused(items) == []


def test_a_key_that_comes_again_within_one_table_does_not_cut_it(read_files: Reader) -> None:
    head = ["Nomor", "Nama", "Tanggal / Diterima", "Kab/Kota", "Uraian", "Nomor", "Isi"]
    items = read_files({"a.xlsx": workbook({"S": [head, [*ONE, "S-9", "surat"]]})}, **FLAT)
    expected = dict(zip(FIRST, ONE, strict=True)) | {"Nomor (2)": "S-9", "Isi": "surat"}
    assert deliveries(items) == {"1/LP": expected}


def test_a_table_whose_header_says_too_little_is_refused_and_its_names_stay_hidden(
    read_files: Reader,
) -> None:
    rows = [FIRST, ONE, ["Nama", "Nomor"], ["Warga B", "2/LP"], FIRST, ["3/LP", *ONE[1:]]]
    items = read_files({"a.csv": text(rows)}, **FLAT)
    assert list(deliveries(items)) == ["1/LP", "3/LP"]
    assert refused(items) == [("header_not_found", "a.csv | baris 3")]
    assert "Warga B" not in str(items)


def test_a_sparse_row_is_judged_when_the_sheet_is_known(read_files: Reader) -> None:
    rows: list[list[Any]] = [
        ["", "001/LP", "", "", "", "", "", "hanya uraian"],
        ["", "Ketua", "", "", "", "", "", "Petugas"],
        numbered(2),
        ["", "TOTAL", "", "", "", "", "", 3],
        ["", "TM-7", "", "", "", "", "", "nomor yang lain"],
        numbered(3, key="TM-8"),
    ]
    items = read_files({"a.xlsx": workbook(sheet(*rows), merges=MERGES)})
    assert sorted(deliveries(items)) == ["001/LP", "002/LP", "TM-7", "TM-8"]
    assert refused(items) == []
    items = read_files({"a.xlsx": workbook(sheet(*rows[:2]), merges=MERGES)})
    assert list(deliveries(items)) == []
    assert refused(items) == [("required_field_missing", "a.xlsx | September | baris 6")]
    (only,) = [item for item in items if isinstance(item, Unreadable)]
    assert only.source_id == "001/LP"


def test_what_is_no_delivery_is_left_out(read_files: Reader) -> None:
    rows = [
        ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)", "(7)", "(8)"],
        numbered(1),
        ["", ""],
        ["Kabupaten Bangka Barat"],
        numbered(2),
        ["Jumlah laporan", "", "", "", "", "", "", 2],
        *HEADER,
        numbered(3),
        ["", "TOTAL", "", "", "", "", "", 3],
        [""],
        ["", "Mengetahui,", "", "", "", "", "Pangkalpinang, 30 November 2024"],
        ["", "Ketua", "", "", "", "", "Petugas"],
        ["", "Warga Ketua", "", "", "", "", "NIP. 19800101 200501 1 001"],
    ]
    items = read_files({"a.xlsx": workbook(sheet(*rows), merges=MERGES)})
    assert list(deliveries(items)) == ["001/LP", "002/LP", "003/LP"]
    assert refused(items) == []


def test_a_row_that_may_be_a_delivery_is_never_dropped(read_files: Reader) -> None:
    rows = [
        numbered(1),
        [2, "002/LP"],  # a number that was reserved
        ["", "003/LP", "", "", "", "", "", "tanpa No"],
        [4, "-", "", "", "", "", "", "tanpa nomor"],
        numbered(5, key=" nihil "),
        numbered(6, key=None),
    ]
    items = read_files({"a.xlsx": workbook(sheet(*rows), merges=MERGES)})
    assert list(deliveries(items)) == ["001/LP", "002/LP", "003/LP"]
    assert refused(items) == [
        ("required_field_missing", f"a.xlsx | September | baris {row}") for row in (9, 10, 11)
    ]


def test_a_short_row_whose_number_is_spelled_otherwise_is_not_dropped(read_files: Reader) -> None:
    day = date(2024, 11, 7)
    rows = [
        numbered(1, key="001/LP/PB/Kab/09.01/XI/2024"),
        ["", "003/Reg/LP/PB/Kab/09.01/XI/2024", day, "", "", "", "Bangka"],
        ["", "004/LP/PB/Kab/09.01/XI/ 2024", day, "", "", "", "Bangka"],
        ["", "005/LP/PB/Kab/09.01.02/XI/2024", day, "", "", "", "Bangka"],
        ["", "6/2024", day, "", "", "", "Bangka"],
        ["", "Mengetahui,", "", "", "", "", "Pangkalpinang, 30 November 2024"],
    ]
    items = read_files({"a.xlsx": workbook(sheet(*rows), merges=MERGES)})
    assert list(deliveries(items)) == [
        "001/LP/PB/KAB/09.01/XI/2024",
        "003/LP/PB/KAB/09.01/XI/2024",
        "004/LP/PB/KAB/09.01/XI/2024",
        "005/LP/PB/KAB/09.01.02/XI/2024",
    ]
    assert refused(items) == [("required_field_missing", "a.xlsx | September | baris 10")]


NARROW = {
    "personal": [],
    "subject": [],
    "kept": ["No"],
    "record_kind": "IA",
    "fields": {
        "received_date": {"from": "Tanggal"},
        "regency": {"from": "Kab/Kota"},
        "issue": {"from": "Isu"},
        "narrative": {"from": "Uraian"},
    },
}
"""With `REGISTER`: tips in four or five columns, so that two filled cells may be a row."""
TIPS = ["Nomor", "Tanggal", "Kab/Kota", "Isu", "Uraian"]
TIP = ["1", "06/11/2024", "Bangka", "Politik uang", "amplop di warung"]


@pytest.mark.parametrize(
    "foot",
    [
        pytest.param(
            [
                ["Mengetahui,", "", "", "", "Pangkalpinang, 7 November 2024"],
                ["Ketua Panwascam", "", "", "", "Petugas Pencatat"],
                [""],
                [""],
                ["Budi Rekaan, S.H.", "", "", "", "SITI REKAAN"],
                ["NIP. 19800101 200501 1 001", "", "", "", "NIP. -"],
            ],
            id="two who sign",
        ),
        pytest.param(
            [
                ["Pangkal Pinang, 07 Nopember 2024"],
                ["Mengetahui :"],
                ["Ketua,"],
                [""],
                ["(Budi Rekaan)"],
                ["NIP 198001012005011001"],
            ],
            id="one who signs under the key",
        ),
        pytest.param(
            [
                ["", "Mengetahui", "Menyetujui", "", "Dibuat oleh"],
                ["", "Ketua", "Sekretaris", "", "Staf"],
                ["", "Budi Rekaan", "Siti Rekaan", "", "A. Rekaan, S.Sos., M.Si."],
            ],
            id="three who sign",
        ),
        pytest.param(
            [
                ["", "", "", "Koba, 7/11/2024", "Mengetahui,"],
                ["", "", "", "Anggota", "Plt. Koordinator Divisi HP2H"],
                ["", "", "", "ttd", "ttd"],
                ["", "", "", "______________", "......................"],
            ],
            id="nobody has signed",
        ),
    ],
)
@pytest.mark.parametrize("width", [0, 1, 4, 20])
def test_signatures_below_a_register_of_any_width_are_no_deliveries(
    read_files: Reader, foot: list[list[str]], width: int
) -> None:
    head = [*TIPS, *(f"Lain {n}" for n in range(width))]
    items = read_files({"a.xlsx": workbook({"S": [head, TIP, *foot]})}, **NARROW)
    assert list(deliveries(items)) == ["1"]
    assert refused(items) == []


def test_a_row_near_signatures_that_may_be_a_delivery_is_kept(read_files: Reader) -> None:
    opened = ["", "", "Mengetahui,", "", "Pangkalpinang, 7 November 2024"]
    rows = [
        TIPS,
        TIP,
        # no signature stands above: a place, a date and a role are the content of a tip
        ["", "", "Pangkalpinang, 7 November 2024", "Ketua", ""],
        ["", "7/11/2024", "", "Ketua", ""],
        opened,
        ["", "", "Ketua", "", "Sekretaris"],
        ["", "", "Budi Rekaan", "", "Siti Rekaan"],
        ["", "", "Bangka", "", "Politik Uang"],  # below the names: nobody's name
        ["", "", "Bangka", "Politik Uang", ""],
        ["2", "", "Belitung", "", ""],  # numbered
        ["3", *TIP[1:]],
        opened,
        ["", "8/11/2024", "Bangka", "", ""],  # in columns of its own
        ["", "", "Bangka", "", "beras 5 kg"],
        opened,
        ["nomor lain", *TIP[1:]],  # as many cells as a tip has
    ]
    items = read_files({"a.xlsx": workbook({"S": rows})}, **NARROW)
    assert list(deliveries(items)) == ["1", "2", "3", "NOMOR LAIN"]
    assert refused(items) == [
        ("required_field_missing", f"a.xlsx | S | baris {row}") for row in (3, 4, 8, 9, 13, 14)
    ]


def test_a_sheet_with_more_of_the_channel_s_columns_stands_before_a_recap(
    read_files: Reader,
) -> None:
    full = [*HEADER, ROW, numbered(2)]
    recap: list[list[Any]] = [
        ["Rekap"],
        ["Nomor", "Kab/Kota", "Uraian", "No"],
        ["001/LP", "Bangka", "ringkas", 1],
        ["003/LP", "Bangka", "hanya di rekap", 3],
    ]
    one = workbook({"Rekap": recap, "Register": full}, merges={"Register": header_merges(0)})
    two = workbook({"Register": full, "Rekap": recap}, merges={"Register": header_merges(0)})
    for content in (one, two):
        items = read_files({"a.xlsx": content})
        found = deliveries(items)
        assert found["001/LP"] == EXPECTED
        assert sorted(found) == ["001/LP", "002/LP", "003/LP"]
        assert refused(items) == [("key_repeated", "a.xlsx | Rekap | baris 3")]


@pytest.mark.parametrize("is_first", [True, False])
def test_a_recap_on_the_register_s_own_sheet_stands_behind_it(
    read_files: Reader, is_first: bool
) -> None:
    head = ["Nomor", "Tanggal / Diterima", "Kab/Kota", "Uraian", "No"]
    full = [head, ["001/LP", "06/11/2024", "Bangka", "seluruh uraian", "1"]]
    recap = [
        ["Rekap"],
        ["Nomor", "Kab/Kota", "Uraian", "No"],
        ["001/LP", "Bangka", "ringkas", "1"],
        ["003/LP", "Bangka", "hanya di rekap", "3"],
    ]
    rows = [*recap, [], *full] if is_first else [*full, [], *recap]
    items = read_files({"a.xlsx": workbook({"S": rows})})
    found = deliveries(items)
    assert {key: fields["Uraian"] for key, fields in found.items()} == {
        "001/LP": "seluruh uraian",
        "003/LP": "hanya di rekap",
    }
    row = 3 if is_first else 6
    assert refused(items) == [("key_repeated", f"a.xlsx | S | baris {row}")]


LEGAL, REGISTERED = "001/LP/PB/Kab/09.01/XI/2024", "001/Reg/LP/PB/Kab/09.01/XI/2024"


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("form", ["sheets", "sheet", "csv"])
def test_a_case_that_a_file_registers_elsewhere_is_registered(
    read_files: Reader, form: str, is_first: bool
) -> None:
    head = ["Nomor", "Tanggal / Diterima", "Kab/Kota", "Uraian", "No"]
    came = [LEGAL, "06/11/2024", "Bangka", "seluruh uraian", "1"]
    registered = [REGISTERED.replace("/Reg/", " / reg/ "), "06/11/2024", "Bangka", "", "1"]
    both = [registered, came] if is_first else [came, registered]
    other = ["002/LP/PB/Kab/09.01/XI/2024", *came[1:]]
    if form == "sheets":
        content = workbook({f"S{n}": [head, row, other] for n, row in enumerate(both)})
    elif form == "sheet":
        content = workbook({"S": [head, *both, other]})
    else:
        content = text([head, *both, other])
    name = "a.csv" if form == "csv" else "a.xlsx"
    items = read_files({name: content}, personal=[], subject=[])
    found = {each.source_id: each.fields for each in items if isinstance(each, Delivery)}
    assert found[LEGAL.upper()]["Nomor"] == "001 / reg/ LP/PB/Kab/09.01/XI/2024"
    assert found["002/LP/PB/KAB/09.01/XI/2024"]["Nomor"] == other[0]
    assert [code for code, _ in refused(items)] == ["key_repeated"]


def test_of_numbers_that_each_sheet_begins_anew_none_registers_another(read_files: Reader) -> None:
    head = ["Nomor", "Tanggal / Diterima", "Kab/Kota", "Uraian", "No"]
    rows = [[number, "06/11/2024", "Bangka", "a", "1"] for number in (LEGAL, REGISTERED)]
    content = workbook({f"S{n}": [head, row] for n, row in enumerate(rows)})
    source = {"kind": "register", "sheet_in_key": True}
    items = read_files({"a.xlsx": content}, personal=[], subject=[], source=source)
    numbers = [each.fields["Nomor"] for each in items if isinstance(each, Delivery)]
    assert numbers == [LEGAL, REGISTERED]


def test_a_repeated_key_is_a_duplicate_if_equal_and_quarantined_if_not(
    read_files: Reader,
) -> None:
    rows = [numbered(1), numbered(1), numbered(1, story="lain"), numbered(2, key="001 / lp")]
    items = read_files({"a.xlsx": workbook(sheet(*rows), merges=MERGES)})
    found = [item.source_id for item in items if isinstance(item, Delivery)]
    assert found == ["001/LP", "001/LP"]
    assert refused(items) == [
        ("key_repeated", "a.xlsx | September | baris 8"),
        ("key_repeated", "a.xlsx | September | baris 9"),
    ]
    quarantined = [item for item in items if isinstance(item, Unreadable)]
    assert {each.source_id for each in quarantined} == {"001/LP"}
    assert not any("Warga" in each.reason or "001" in each.reason for each in quarantined)


@pytest.mark.parametrize(
    "spelled",
    [
        "001/LP/PB/Kab/09.01/XI/2024\u200b",  # pasted from a chat
        "\ufeff001/LP/PB/Kab/09.01/XI/2024",
        "001/LP/PB/Kab/09.\u00a001/XI/2024",
        "001/LP/PB/Kab/09. 01/XI/2024",
        "\uff10\uff10\uff11\uff0fLP\uff0fPB/Kab/09.01/XI/2024",
        "001/LP/PB/\u041aab/09.01/XI/2024",  # a Cyrillic letter
        "001/Reg\u200b/LP/PB/Kab/09.01/XI/2024",
    ],
)
def test_a_number_is_one_key_whatever_its_characters_look_like(
    read_files: Reader, spelled: str
) -> None:
    number = "001/LP/PB/Kab/09.01/XI/2024"
    first = workbook(sheet(numbered(1, key=number)), merges=MERGES)
    second = workbook(sheet(numbered(1, key=spelled)), merges=MERGES)
    items = read_files({"a.xlsx": first, "b.xlsx": second})
    assert [each.source_id for each in items if isinstance(each, Delivery)] == [number.upper()] * 2


def test_a_row_that_is_repeated_at_another_place_of_the_list_is_a_duplicate(
    read_files: Reader,
) -> None:
    head = ["No. Urut", "Nomor", "Tanggal / Diterima", "Kab/Kota", "Uraian"]
    row = ["001/LP", "06/11/2024", "Bangka", "a"]
    content = text([head, ["1", *row], ["2", *row], ["3", *row[:3], "b"]])
    items = read_files({"a.csv": content}, personal=[], subject=[])
    assert [each.source_id for each in items if isinstance(each, Delivery)] == ["001/LP"] * 2
    assert refused(items) == [("key_repeated", "a.csv | baris 4")]


def test_merged_cells_of_the_body_count_for_each_of_their_rows(read_files: Reader) -> None:
    rows = [numbered(1), numbered(2, place=""), numbered(3, place=""), numbered(4, place="Lain")]
    merges = {"September": [*header_merges(3), (5, 6, 7, 6)]}
    found = deliveries(read_files({"a.xlsx": workbook(sheet(*rows), merges=merges)}))
    places = [fields["Kab/Kota"] for fields in found.values()]
    assert places == ["Bangka", "Bangka", "Bangka", "Lain"]


def test_sheets_hidden_ones_and_keys_per_sheet(read_files: Reader) -> None:
    sheets = {
        name: [*TITLE, *HEADER, numbered(1, story=name)]
        for name in ("September", "Oktober", "Arsip", "Awal", "Petunjuk")
    }
    merges = dict.fromkeys(sheets, header_merges(3))
    content = workbook(sheets, merges=merges, hidden=["Arsip"], very_hidden=["Awal"])
    source = {"kind": "register", "sheet_in_key": True, "skip_sheets": "petunjuk*"}
    found = deliveries(read_files({"a.xlsx": content}, source=source))
    assert {key: fields["Uraian"] for key, fields in found.items()} == {
        "September/001/LP": "September",
        "Oktober/001/LP": "Oktober",
    }
    wider = {**source, "hidden_sheets": True, "sheets": "[AO]*"}
    found = deliveries(read_files({}, source=wider))
    assert list(found) == ["Oktober/001/LP", "Arsip/001/LP", "Awal/001/LP"]


def test_dates_of_1904_numbers_and_times(read_files: Reader) -> None:
    row = numbered(1, received=datetime(2024, 11, 6, 14, 30), phone=62812, story=1.5)  # noqa: DTZ001
    for epoch in (False, True):
        content = workbook(sheet(row), merges=MERGES, options={"date_1904": epoch})
        fields = deliveries(read_files({"a.xlsx": content}))["001/LP"]
        assert fields["Tanggal / Diterima"] == "2024-11-06T14:30:00"
        assert (fields["Pelapor / No. HP"], fields["Uraian"]) == (62812, 1.5)


@pytest.mark.parametrize(("suffix", "write"), [("ods", ods), ("xlsb", xlsb)])
def test_formats_of_other_programs(
    read_files: Reader, suffix: str, write: Callable[..., bytes]
) -> None:
    rows = [["Nomor", "Uraian", "Kab/Kota", "No"], ["001/LP", "amplop & sembako", "Bangka", 1.0]]
    items = read_files({f"a.{suffix}": write(rows)}, personal=[], subject=[], kept=["No"])
    found = deliveries(items)
    assert found == {
        "001/LP": {"Nomor": "001/LP", "Uraian": "amplop & sembako", "Kab/Kota": "Bangka", "No": 1}
    }


def test_merged_cells_of_an_ods_count_for_each_of_their_rows(read_files: Reader) -> None:
    rows: list[list[Any]] = [[], [], *HEADER]
    rows += [
        [float(n), f"{n}/LP", "", "", "A", "08", "Bangka" if n == 1 else "", "x"] for n in (1, 2)
    ]
    content = ods(rows, merges=[*header_merges(2), (4, 6, 5, 6)])
    found = deliveries(read_files({"a.ods": content}))
    assert [fields["Kab/Kota"] for fields in found.values()] == ["Bangka", "Bangka"]
    assert [fields["Pelapor / No. HP"] for fields in found.values()] == ["08", "08"]


@pytest.mark.parametrize("name", ["register.xls", "register_1904.xls"])
def test_a_workbook_of_an_old_excel_with_merged_cells_and_dates(
    read_files: Reader, name: str
) -> None:
    items = read_files({name: (FIXTURES / name).read_bytes()})
    expected = {"001/LP": EXPECTED, "002/LP": EXPECTED | {"No": 2, "Nomor": "002/LP"}}
    expected["002/LP"]["Uraian"] = "Uraian b"
    assert deliveries(items) == expected
    assert refused(items) == []


def test_a_header_of_three_rows(read_files: Reader) -> None:
    rows = [
        ["Nomor", "Tempat dan waktu", "", "", "Uraian"],
        ["", "Tempat", "Waktu", "", ""],
        ["", "Kab/Kota", "Diterima", "Kejadian", ""],
        ["1/LP", "Bangka", "06/11/2024", "05/11/2024", "a"],
        ["2/LP", "Belitung", "", "", "b"],
    ]
    merges = [(0, 0, 2, 0), (0, 1, 0, 3), (1, 2, 1, 3), (0, 4, 2, 4)]
    fields = {
        "regency": {"from": "Tempat dan waktu / Tempat / Kab/Kota"},
        "received_date": {"from": "Tempat dan waktu / Waktu / Diterima"},
        "occurred_date": {"from": "Tempat dan waktu / Waktu / Kejadian"},
        "narrative": {"from": "Uraian"},
    }
    flat: dict[str, Any] = {"personal": [], "subject": [], "kept": []}
    content = workbook({"S": rows}, merges={"S": merges})
    assert deliveries(read_files({"a.xlsx": content}, fields=fields, **flat)) == {
        "1/LP": {
            "Nomor": "1/LP",
            "Tempat dan waktu / Tempat / Kab/Kota": "Bangka",
            "Tempat dan waktu / Waktu / Diterima": "06/11/2024",
            "Tempat dan waktu / Waktu / Kejadian": "05/11/2024",
            "Uraian": "a",
        },
        "2/LP": {
            "Nomor": "2/LP",
            "Tempat dan waktu / Tempat / Kab/Kota": "Belitung",
            "Uraian": "b",
        },
    }


KOBO_LABELS = ["start", "Kabupaten", "Isu/politik_uang", "Uraian", "_id", "_uuid"]
KOBO_LABELS += ["_submission_time", "_validation_status", "__version__", "_index"]
KOBO_ROW = ["2024-11-06T10:00:00+07:00", "Bangka", "1", "a", "71", "u-71"]
KOBO_ROW += ["2024-11-06T03:00:05", "", "v1", "1"]


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_an_export_of_kobo_is_a_register(read_files: Reader, suffix: str) -> None:
    sheets = {
        "form": [KOBO_LABELS, KOBO_ROW],
        "saksi": [["nama", "_parent_index"], ["Warga S", "1"]],
    }
    content = workbook(sheets) if suffix == "xlsx" else text([KOBO_LABELS, KOBO_ROW], ";")
    fields = {"regency": {"from": "Kabupaten"}, "narrative": {"from": "Uraian"}}
    plain = {"personal": [], "subject": [], "kept": [], "fields": fields, "key": "_id"}
    source = {"kind": "register", "skip_sheets": "saksi"}
    items = read_files({f"a.{suffix}": content}, **plain, source=source)
    filled = {label: cell for label, cell in zip(KOBO_LABELS, KOBO_ROW, strict=True) if cell}
    assert deliveries(items) == {"71": filled}
    assert refused(items) == []


def test_of_a_formula_the_value_and_a_number_that_excel_cut_is_no_whole_one(
    read_files: Reader,
) -> None:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        page = book.add_worksheet("S")
        page.write_row(0, 0, ["Nomor", "NIK", "Kab/Kota", "Uraian"])
        page.write_row(1, 0, ["001/LP", 1971010101010001, "Bangka"])
        page.write_formula(1, 3, '="am"&"plop"', value="amplop")
    plain = {"personal": ["NIK"], "subject": ["NIK"], "kept": []}
    (fields,) = deliveries(read_files({"a.xlsx": buffer.getvalue()}, **plain)).values()
    assert fields["Uraian"] == "amplop"
    assert isinstance(fields["NIK"], float), "it may have ended in any digit"


def test_entities_of_xml_are_not_expanded(read_files: Reader) -> None:
    doctype = b'<!DOCTYPE a [<!ENTITY b "%s">]>' % (b"lol" * 1_000)
    changed = io.BytesIO()
    good = zipfile.ZipFile(io.BytesIO(workbook(sheet(ROW), merges=MERGES)))
    with zipfile.ZipFile(changed, "w") as made:
        for name in good.namelist():
            content = good.read(name)
            if name == "xl/sharedStrings.xml":
                content = content.replace(b"<sst", doctype + b"<sst", 1)
                content = content.replace(b"Uraian a", b"&b;&b;")
            made.writestr(name, content)
    items = read_files({"a.xlsx": changed.getvalue()})
    assert "lollol" not in str(items)
    assert len(items) == 2, "the row or its file: nothing is passed over"


def test_a_table_that_begins_to_the_right_and_far_below(read_files: Reader) -> None:
    rows = [[""] * 3 + row for row in [*[[""]] * 400, *HEADER, ROW]]
    merges = {"S": [(a, b + 3, c, d + 3) for a, b, c, d in header_merges(400)]}
    assert deliveries(read_files({"a.xlsx": workbook({"S": rows}, merges=merges)})) == {
        "001/LP": EXPECTED
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_in_every_encoding_and_with_every_separator(
    read_files: Reader, encoding: str, delimiter: str
) -> None:
    lines = [
        ["Register; dari, kantor"],
        ["Nomor", "Kab/Kota", "Tanggal / Diterima", "Uraian"],
        ["001/LP", "Bangka", "06/11/2024", '"kutip; koma, é dan\nbaris baru"'],
        ["002/LP", "Bangka", "", "x"],
    ]
    text = "\r\n".join(delimiter.join(line) for line in lines)
    items = read_files({"a.csv": text.encode(encoding)}, personal=[], subject=[], kept=[])
    found = deliveries(items)
    assert found["001/LP"]["Uraian"] == "kutip; koma, é dan\nbaris baru"
    assert found["001/LP"]["Tanggal / Diterima"] == "06/11/2024"
    assert "Tanggal / Diterima" not in found["002/LP"]


def test_one_row_in_another_encoding_leaves_the_others_as_they_were(read_files: Reader) -> None:
    head = "Nomor;Kab/Kota;Uraian\r\n"
    rows = head + "".join(f"00{n}/LP;Bangka;pasar \u2013 sore\r\n" for n in range(1, 4))
    foreign = "004/LP;Bangka;caf\u00e9\r\n".encode("cp1252")
    plain: dict[str, Any] = {"personal": [], "subject": [], "kept": []}
    found = deliveries(read_files({"a.csv": rows.encode() + foreign}, **plain))
    assert [found[f"00{n}/LP"]["Uraian"] for n in range(1, 4)] == ["pasar \u2013 sore"] * 3
    assert found["004/LP"]["Uraian"] == "caf\ufffd"


def test_files_that_cannot_be_read_are_quarantined_each_as_one(read_files: Reader) -> None:
    good = workbook(sheet(ROW), merges=MERGES)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(100 << 20))
    items = read_files(
        {
            "rusak.xlsx": good[: len(good) // 2],
            "bom.xlsx": bomb.getvalue(),
            "surat.pdf": b"%PDF-1.7",
            "lain.xlsx": workbook({"Catatan": [["bukan register"]]}),
            "baik.xlsx": good,
            "~$baik.xlsx": b"lock",
            ".kirim": b"",
        }
    )
    assert refused(items) == [
        ("unreadable_file", "rusak.xlsx"),
        ("unsafe_archive", "bom.xlsx"),
        ("unreadable_file", "surat.pdf"),
        ("header_not_found", "lain.xlsx | Catatan"),
    ]
    assert list(deliveries(items)) == ["001/LP"]
    assert len({str(item.content) for item in items if isinstance(item, Unreadable)}) == 4


def test_a_cell_beyond_measure_loses_no_other_file(read_files: Reader) -> None:
    head = b"Nomor,Uraian,Kab/Kota,No\n1/LP,x,y,1\n"
    items = read_files({"besar.csv": head + b"2/LP," + b"x" * (17 << 20), "baik.csv": head})
    assert refused(items) == [("unreadable_file", "besar.csv")]
    assert list(deliveries(items)) == ["1/LP"]


BEFORE = [f"{number}/TM,Warga A,06/11/2024,Bangka,a" for number in range(1, 5)]
AFTER = ['3/LP,Warga C,08/11/2024,Bangka,"c, d"', "4/LP,Warga D,09/11/2024,Bangka,"]


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param('2/LP,"Warga B,07/11/2024,Belitung,b', id="not closed"),
        pytest.param('2/LP,Warga B,07/11/2024,Belitung,"b', id="not closed in the last cell"),
        pytest.param('2/LP,"Budi "Kancil" Santoso",07/11/2024,Belitung,b', id="within quotes"),
        pytest.param('2/LP,"Kancil" Santoso,07/11/2024,Belitung,b', id="text behind quotes"),
        pytest.param('2/LP,Warga B,07/11/2024,Belitung,"b\nlalu "c" datang\nlagi"', id="in lines"),
        pytest.param(
            '2/LP,"Warga B,07/11/2024,Belitung,b\n5/LP,Warga E",08/11/2024,Bangka,e',
            id="two that close each other",
        ),
        pytest.param(
            '2/LP,"Warga B,07/11/2024,Belitung,b\n5/LP,Warga E,08/11/2024,Bangka",e',
            id="two that make too few cells",
        ),
    ],
)
@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_broken_row_of_a_csv_file_costs_no_other_row(
    read_files: Reader, broken: str, after: int
) -> None:
    lines = [",".join(FIRST), *BEFORE, broken, *AFTER[:after], ""]
    items = read_files({"a.csv": "\n".join(lines).encode()}, **FLAT)
    is_two = "5/LP" in broken
    expected = ["1/TM", "2/TM", "3/TM", "4/TM", *["5/LP"] * is_two, *["3/LP", "4/LP"][:after]]
    assert list(deliveries(items)) == expected
    last = 6 if is_two else 6 + broken.count("\n")
    place = "baris 6" if last == 6 else f"baris 6-{last}"
    assert refused(items) == [("broken_row", f"a.csv | {place}")]
    assert "Warga" not in str([item for item in items if isinstance(item, Unreadable)])


def test_a_csv_file_that_ends_within_a_quoted_cell_is_cut_off(read_files: Reader) -> None:
    lines = [",".join(FIRST), *BEFORE, '2/LP,"Budi "K"",,,', BEFORE[0], '3/LP,"Warga C\nlagi']
    items = read_files({"a.csv": "\n".join(lines).encode()}, **FLAT)
    assert {each.source_id for each in items if isinstance(each, Delivery)} == {
        "1/TM", "2/TM", "3/TM", "4/TM"
    }  # fmt: skip
    assert refused(items) == [("cut_off", "a.csv"), ("broken_row", "a.csv | baris 6")]


def test_a_quote_within_an_unquoted_cell_is_a_part_of_it(read_files: Reader) -> None:
    lines = [",".join(FIRST), '1/LP,Budi "Kancil" Santoso,06/11/2024,Bangka,12" layar', *AFTER]
    found = deliveries(read_files({"a.csv": "\n".join(lines).encode()}, **FLAT))
    assert found["1/LP"]["Nama"] == 'Budi "Kancil" Santoso'
    assert found["1/LP"]["Uraian"] == '12" layar'
    assert list(found) == ["1/LP", "3/LP", "4/LP"]


STORIES = [
    "satu\ndua\ntiga",
    'kata "kutip"\n\nlalu, setelah itu, pulang, katanya, begitu',
    "satu, dua, tiga, empat\nlima, enam, tujuh, delapan, sembilan",
    "\n".join(f"baris {n}" for n in range(300)),
]


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("width", [2, 3, 5])
def test_a_cell_of_many_lines_is_read(read_files: Reader, delimiter: str, width: int) -> None:
    head = ["Nomor", "Uraian", "Kab/Kota", "Tanggal / Diterima", "Nama"][:width]
    rows = [
        [f"{n}/LP", story.replace(",", delimiter), "Bangka", "06/11/2024", "Warga"][:width]
        for n, story in enumerate(STORIES, 1)
    ]
    fields = {"register_number": {"from": "Nomor"}, "narrative": {"from": "Uraian"}}
    plain = {"personal": [], "subject": [], "kept": [], "fields": fields}
    items = read_files({"a.csv": text([head, *rows], delimiter)}, **plain)
    assert refused(items) == []
    assert list(deliveries(items).values()) == [dict(zip(head, row, strict=True)) for row in rows]


def test_the_broken_rows_of_a_csv_file_are_bounded(read_files: Reader) -> None:
    head = ",".join(FIRST)
    many = "\n".join([head, BEFORE[0], *['"x'] * 5_000, AFTER[0]])
    few = "\n".join([head, BEFORE[0], *['2/LP,"Budi "K" S",,,', BEFORE[1]] * 3, AFTER[0]])
    items = read_files({"banyak.csv": many.encode()}, **FLAT)
    assert list(deliveries(items)) == ["1/TM"]
    assert refused(items) == [("unreadable_file", "banyak.csv")]
    items = read_files({"banyak.csv": b"", "sedikit.csv": few.encode()}, **FLAT)
    assert {each.source_id for each in items if isinstance(each, Delivery)} == {
        "1/TM",
        "2/TM",
        "3/LP",
    }
    assert refused(items) == [("broken_row", f"sedikit.csv | baris {n}") for n in (3, 5, 7)]


def test_a_workbook_with_a_password_is_reported_as_such(read_files: Reader) -> None:
    content = (FIXTURES / "terkunci.xlsx").read_bytes()
    (item, _) = read_files({"a.xlsx": content})
    assert isinstance(item, Unreadable)
    assert item.reason_code == "unreadable_file"
    assert "kata sandi" in item.reason


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_a_cell_of_100_megabytes_ends_in_quarantine_and_in_bounds(
    tmp_path: Path, read_files: Reader, suffix: str
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    if suffix == "csv":
        with (inbox / "a.csv").open("wb") as file:
            file.write(b"Nomor,Uraian,Kab/Kota,No\n1/LP,")
            file.writelines(b"x" * (1 << 20) for _ in range(100))
    else:
        whole = zipfile.ZipFile(io.BytesIO(workbook({"S": [["Nomor"], ["1/LP"]]})))
        with zipfile.ZipFile(inbox / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as made:
            for name in whole.namelist():
                content = whole.read(name)
                if name == "xl/sharedStrings.xml":
                    content = content.replace(b"1/LP", b"x" * (100 << 20))
                made.writestr(name, content)
            del content
    tracemalloc.start()
    items = read_files({}, personal=[], subject=[])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    code = {"csv": "unreadable_file", "xlsx": "unsafe_archive"}[suffix]
    assert refused(items) == [(code, f"a.{suffix}")]
    assert peak < 80_000_000


def test_a_protected_workbook_and_others_by_other_hands(read_files: Reader, samples: Path) -> None:
    folder = samples / "xlsx"
    names = ("pass_protected.xlsx", "too_small.xls", "header-row.xlsx", "merge_cells.xls")
    items = read_files({name: (folder / name).read_bytes() for name in names})
    assert refused(items) == [
        ("unreadable_file", "pass_protected.xlsx"),
        ("unreadable_file", "too_small.xls"),
        ("header_not_found", "header-row.xlsx | Sheet1"),
        ("header_not_found", "merge_cells.xls | Sheet1"),
    ]
    reasons = [item.reason for item in items if isinstance(item, Unreadable)]
    assert "kata sandi" in reasons[0]
    assert "rusak" in reasons[1]


def test_tables_by_other_hands_are_read_by_configuration_alone(
    read_files: Reader, samples: Path
) -> None:
    plain: dict[str, Any] = {"personal": [], "subject": [], "kept": []}
    items = read_files(
        {"a.xlsx": (samples / "xlsx" / "table-multiple.xlsx").read_bytes()},
        **plain,
        key="Item",
        fields={"narrative": {"from": ["Type", "Price", "Units"]}},
        source={"kind": "register", "sheet_in_key": True},
    )
    found = {item.source_id: item.fields for item in items if isinstance(item, Delivery)}
    assert found["Sheet1/2"] == {"Item": 2, "Type": "Banana", "Quantity": 200}
    assert found["Sheet2/4"] == {"Item": 4, "Price": 0.45}
    assert len([key for key in found if key.startswith("Sheet3/")]) >= 4
    assert {code for code, _ in refused(items)} == {"key_repeated"}
    items = read_files(
        {"a.xlsx": b"", "b.xls": (samples / "xlsx" / "merge_cells.xls").read_bytes()},
        **plain,
        key="Row Merge",
        fields={"narrative": {"from": "Not Merged"}},
    )
    assert [item.source_id for item in items if isinstance(item, Delivery)] == ["COLUMN MERGE"]


def test_an_unchanged_file_is_a_repeat_and_a_changed_one_is_not(read_files: Reader) -> None:
    first = workbook(sheet(ROW), merges=MERGES)
    items = read_files({"a.xlsx": first, "b.csv": b"Nomor,Uraian,Kab/Kota,No\n1,x,y,z\n"})
    marks = [item for item in items if isinstance(item, Checkpoint)]
    cursor = marks[-1].cursor
    again = read_files({"a.xlsx": workbook(sheet(numbered(9)), merges=MERGES)}, cursor)
    repeats = {i.locator: i.is_repeat for i in again if isinstance(i, Delivery)}
    assert repeats["a.xlsx | September | baris 6"] is False
    assert "a.xlsx" not in str(cursor), "names of files may be names of people"


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    source = Source(
        channel(REGISTER),
        UPath(tmp_path / "tidak ada"),
        None,
        evidence_store(tmp_path),
        lambda each: each,
        {},
    )
    with pytest.raises(SourceError, match="folder does not exist"):
        list(read(source))


TEXT = st.text(string.ascii_letters + string.digits + " ;,.'()-/é", min_size=1, max_size=20).map(
    lambda text: f"x{text}x"
)
CELL = st.one_of(
    TEXT,
    st.integers(10, 10**9),
    st.dates(date(1990, 1, 1), date(2100, 1, 1)),
    st.none(),
)


@given(
    data=st.lists(st.tuples(CELL, CELL, CELL, CELL, CELL, TEXT), min_size=1, max_size=12),
    above=st.integers(0, 5),
    left=st.integers(0, 3),
    noise=st.lists(st.sampled_from(["blank", "subtotal", "signature", "header"]), max_size=6),
)
def test_any_register_gives_exactly_its_rows(
    read_files: Reader, data: list[tuple[Any, ...]], above: int, left: int, noise: list[str]
) -> None:
    body: list[list[Any]] = []
    layout: dict[str, list[list[Any]]] = {
        "blank": [[""]],
        "subtotal": [["Jumlah", "", "", "", "", "", "", 7]],
        "signature": [["", "Ketua,", "", "", "", "Petugas,"]],
        "header": HEADER,
    }
    for number, cells in enumerate(data, 1):
        body.append([number, f"{number:03d}/LP", *cells])
        if number <= len(noise):
            body += layout[noise[number - 1]]
    rows = [["judul"]] * above + [*HEADER, *body]
    shifted = [[""] * left + list(row) for row in rows]
    merges = {"S": [(a, b + left, c, d + left) for a, b, c, d in header_merges(above)]}
    items = read_files({"a.xlsx": workbook({"S": shifted}, merges=merges)})
    labels = list(EXPECTED)
    expected = {}
    for number, cells in enumerate(data, 1):
        values = [number, f"{number:03d}/LP", *cells]
        expected[f"{number:03d}/LP"] = {
            label: value.isoformat() if isinstance(value, date) else value
            for label, value in zip(labels, values, strict=True)
            if value is not None
        }
    assert refused(items) == []
    assert deliveries(items) == expected


@given(
    tables=st.lists(
        st.tuples(
            st.permutations(FIRST),
            st.integers(0, 4),
            st.lists(st.tuples(TEXT, TEXT, TEXT, TEXT), min_size=1, max_size=4),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_tables_in_any_order_and_place_give_each_cell_to_its_label(
    read_files: Reader, tables: list[tuple[list[str], int, list[tuple[str, ...]]]]
) -> None:
    expected: dict[str, dict[str, str]] = {}
    rows: list[list[str]] = []
    for labels, shift, body in tables:
        rows.append([*[""] * shift, *labels])
        for cells in body:
            row = dict(zip(FIRST, (f"{len(expected) + 1}/LP", *cells), strict=True))
            expected[row["Nomor"]] = row
            rows.append([*[""] * shift, *(row[label] for label in labels)])
    items = read_files({"a.csv": text(rows)}, **FLAT)
    assert refused(items) == []
    assert deliveries(items) == expected


def test_a_long_register_is_read_in_little_memory(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    with (inbox / "a.csv").open("w") as file:
        file.write("No,Nomor,Kab/Kota,Uraian\n")
        file.writelines(f"{n},{n:06d}/LP,Bangka,{'cerita ' * 160}\n" for n in range(15_000))
    each = channel(REGISTER, personal=[], subject=[])
    source = Source(each, UPath(inbox), None, evidence_store(tmp_path / "e"), lambda each: each, {})
    tracemalloc.start()
    count = sum(isinstance(item, Delivery) for item in read(source))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 15_000
    assert peak < 5_000_000, "17 MB of text went through"


# -- files that are made to exhaust a reader -------------------------------------------------------


def strays(*cells: tuple[int, int]) -> bytes:
    """A register of two sheets with a character in cells far outside of the second one's table."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        for name, rows in (("September", [1, 2, 3]), ("Oktober", [4, 5, 6])):
            made = book.add_worksheet(name)
            labels = ["No", "Nomor", "Kab/Kota", "Uraian", "Kejadian", "Pelapor"]
            for r, row in enumerate(
                [labels, *([n, f"{n}/LP", "Bangka", "a", "b", "c"] for n in rows)]
            ):
                made.write_row(r, 0, row)
            for row, column in cells if name == "Oktober" else ():
                made.write_string(row, column, "x")
    return buffer.getvalue()


PLAIN = {
    "fields": {"register_number": {"from": "Nomor"}, "regency": {"from": "Kab/Kota"}},
    "personal": ["Pelapor"],
    "subject": [],
}
LAST = (1_048_575, 16_383)


@pytest.mark.parametrize(
    "cells", [[LAST], [(1_048_575, 60)], [(1, 16_383), (2, 300), (900_000, 0), LAST]]
)
def test_a_stray_cell_far_outside_loses_no_row_of_its_register(
    read_files: Reader, cells: list[tuple[int, int]]
) -> None:
    """calamine asks for 549 GB, and Rust's allocator aborts its process."""
    files = {
        "a.xlsx": strays(*cells),
        "b.xlsx": workbook({"S": [["Nomor", "Kab/Kota"], ["9", "B"]]}),
    }
    items = read_files(files, **PLAIN)
    assert refused(items) == [("stray_cells", "a.xlsx")]
    assert set(deliveries(items)) == {*(f"{n}/LP" for n in range(1, 7)), "9"}


def test_what_exceeds_the_limits_is_quarantined_by_name(
    read_files: Reader, monkeypatch: pytest.MonkeyPatch, samples: Path
) -> None:
    good = workbook({"S": [["Nomor", "Kab/Kota"], ["9", "B"]]})
    dense = workbook(
        {"S": [["Nomor", "Kab/Kota"], *([f"{n}", "B" * 9_000] for n in range(40_000))]}
    )
    monkeypatch.setattr(parser_process, "MEMORY", 160 << 20)  # it takes 360 MB
    items = read_files({"padat.xlsx": dense, "baik.xlsx": good}, **PLAIN)
    assert refused(items) == [("too_large", "padat.xlsx")]
    assert set(deliveries(items)) == {"9"}
    monkeypatch.undo()
    monkeypatch.setattr(parser_process, "SILENCE_SECONDS", 0)
    assert refused(read_files({"padat.xlsx": dense}, **PLAIN)) == [
        ("too_large", "padat.xlsx"),
        ("too_large", "baik.xlsx"),
    ]


@pytest.mark.parametrize(
    ("count", "rows"),
    [(3_000, [["Nomor", "Kab/Kota"], ["1/LP", "Bangka"]]), (400, [["x" * 190] * 40] * 200)],
)
def test_a_small_workbook_of_many_sheets_is_quarantined_by_name(
    read_files: Reader, count: int, rows: list[list[Any]]
) -> None:
    """All of its sheets are one part: 38 kB took more than 2.5 GB of the pull's own memory."""
    with zipfile.ZipFile(io.BytesIO(workbook({"S": rows}))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheets = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="rId1"/>' for n in range(2, count))
    book = parts["xl/workbook.xml"]
    parts["xl/workbook.xml"] = book.replace(b"</sheets>", sheets.encode() + b"</sheets>")
    assert parts["xl/workbook.xml"] != book
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    assert len(buffer.getvalue()) < 60_000
    good = workbook({"S": [["Nomor", "Kab/Kota"], ["9", "B"]]})
    items = read_files({"banyak.xlsx": buffer.getvalue(), "baik.xlsx": good}, **PLAIN)
    assert refused(items) == [("too_large", "banyak.xlsx")]
    assert set(deliveries(items)) == {"9"}


def test_a_reader_that_raises_anything_is_reported_by_the_name_of_its_file(
    read_files: Reader,
) -> None:
    """calamine raises OSError of an xlsb that ends within a record."""
    whole = xlsb([["Nomor", "Kab/Kota"], ["1/LP", "Bangka"]])
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheets = [name for name in parts if "sheet" in name and name.endswith(".bin")]
    assert sheets
    files = {}
    for size in range(1, len(parts[sheets[0]]), 7):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as made:
            for name, content in parts.items():
                made.writestr(name, content[:size] if name == sheets[0] else content)
        files[f"{size:04d}.xlsb"] = buffer.getvalue()
    items = read_files({**files, "z.xlsb": whole}, **PLAIN)
    named = {
        str(item.locator).partition(" | ")[0] for item in items if not isinstance(item, Checkpoint)
    }
    assert named == {*files, "z.xlsb"}, "each file is read or reported"
    assert "1/LP" in deliveries(items)
