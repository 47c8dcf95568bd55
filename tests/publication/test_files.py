"""Workbook, open data and press summary: the frozen metrics again, whole and for machines."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import json
import re
import zipfile
from datetime import date, datetime
from decimal import Decimal

import pytest
import yaml
from pypdf import PdfReader
from python_calamine import CalamineWorkbook
from selectolax.lexbor import LexborHTMLParser

from lumbung.publication.formats import opendata
from lumbung.publication.formats import render as rendering
from lumbung.publication.model.document import Section
from lumbung.publication.model.edition import Edition, Effect
from lumbung.publication.translations import formatting as m
from tests.publication.conftest import Metrics
from tests.support.edition_sample import DETAILS, MISSING, SEEDS, WEEK, WEEKS, seed

PERIODS = {
    "angka": (WEEK, "week", ("2024-11-18", "2024-11-24")),
    "pekan-lalu": (WEEKS[-2], "week", ("2024-11-11", "2024-11-17")),
    "kumulatif": (WEEK, "to_date", ("2024-09-25", "2024-11-24")),
}


@pytest.fixture(scope="module")
def files(drafts: dict[str, Edition]) -> dict[str, bytes]:
    return rendering.render(drafts["person"])


@pytest.fixture(scope="module")
def page(files: dict[str, bytes]) -> LexborHTMLParser:
    return LexborHTMLParser(files["edisi.html"].decode())


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_every_file_of_open_data_keeps_its_contract(
    files: dict[str, bytes], drafts: dict[str, Edition]
) -> None:
    """The exposures say columns, key and number of rows; the delivered files are held to them."""
    stated = yaml.safe_load((SEEDS.parent / "models" / "_exposures.yml").read_text())["exposures"]
    contracts = {
        each["config"]["meta"]["file"]: each["config"]["meta"]
        for each in stated
        if "config" in each
    }
    assert contracts.keys() == {name for name in files if name.startswith("data/")}
    edition = drafts["person"]
    counted = {
        "metrics": len(edition.metrics),
        "regions": 1 + len(seed("regency")),
        "districts": len(seed("district")),
    }
    for name, contract in contracts.items():
        found = rows(files[name])
        head = files[name].decode().splitlines()[0].split(",")
        assert head == contract["columns"], name
        keys = [tuple(row[column] for column in contract["primary_key"]) for row in found]
        assert len(set(keys)) == len(keys), name
        if "row_count" in contract:
            assert len(found) == counted[contract["row_count"]] > 5, name


def test_open_data_is_every_frozen_metric(files: dict[str, bytes], metrics: Metrics) -> None:
    bps = {str(r["regency_code"]): r["bps_code"] for r in seed("regency")} | {"19": "19"}
    for name, (week, period, days) in PERIODS.items():
        expected = {
            (code, category, f"kemendagri:{regency}"): str(
                metrics[code, category, regency, week, period]
            )
            for code, category, regency in {key[:3] for key in metrics}
            if regency == "19" or code not in DETAILS
        }
        found = rows(files[f"data/{name}.csv"])
        assert {
            (r["kode_angka"], r["kode_kategori"], r["kode_kemendagri"]): r["nilai"] for r in found
        } == expected
        assert len(found) == len(expected)
        for row in found:
            code = bps[row["kode_kemendagri"].removeprefix("kemendagri:")]
            assert row["kode_bps"] == (f"bps:{code}" if code else "")
            assert (row["mulai"], row["selesai"]) == days
    weeks = {
        (r["kode_angka"], r["kode_kategori"], r["pekan"]): r["nilai"]
        for r in rows(files["data/tren.csv"])
    }
    assert weeks == {
        (code, category, week): str(value)
        for (code, category, regency, week, period), value in metrics.items()
        if regency == "19" and period == "week"
    }
    missing = {
        r["kode_kecamatan"].removeprefix("kemendagri:")
        for r in rows(files["data/kelengkapan.csv"])
        if r["menyampaikan"] == "false"
    }
    assert missing == MISSING


def test_citizens_participation_is_of_four_weeks(
    files: dict[str, bytes], metrics: Metrics, page: LexborHTMLParser
) -> None:
    """Reports and tips by 10,000 voters; the reports of few cases would be single cases."""
    voters = {str(r["regency_code"]): int(r["voter_count"] or 0) for r in seed("regency")}
    voters["19"] = sum(voters.values())
    found = {
        row["kode_kemendagri"].removeprefix("kemendagri:"): row
        for row in rows(files["data/partisipasi.csv"])
    }
    assert found.keys() == voters.keys()
    for place, row in found.items():
        reports, tips = (
            sum(metrics[*key, place, week, "week"] for week in WEEKS[4:8])
            for key in (("report_received", "LP"), ("tip", "ALL"))
        )
        assert (row["pekan_pertama"], row["pekan_terakhir"]) == ("2024-W43", "2024-W46")
        assert row["informasi_awal"] == str(tips)
        if place in ("19.00", "19.04"):
            assert (row["laporan"], row["jumlah"], row["per_10000_pemilih"]) == ("", "", "")
            assert row["disembunyikan"] == "true"
            continue
        assert (row["laporan"], row["jumlah"]) == (str(reports), str(reports + tips))
        rate = Decimal(10_000 * (reports + tips)) / voters[place]
        assert abs(Decimal(row["per_10000_pemilih"]) - rate) <= Decimal("0.05")
    assert "Partisipasi masyarakat: laporan dan informasi awal per 10.000 pemilih" in page.text()


def test_the_index_of_vulnerability_stands_beside_the_profile(
    files: dict[str, bytes], page: LexborHTMLParser
) -> None:
    assert [tuple(row.values()) for row in rows(files["data/ikp.csv"])] == [
        ("kemendagri:19", "Seluruh dimensi", "29.89", "", "IKP contoh", "", "Contoh"),
        (
            *("kemendagri:19.71", "Partisipasi", "40.5", "Rawan tinggi", "IKP contoh"),
            *("2024-08-26", "Contoh"),
        ),
    ]
    table = next(t for t in page.css("table") if "Rawan tinggi" in t.text())
    assert [row.css("td")[0].text() for row in table.css("tbody tr")] == [
        "Seluruh dimensi",
        "Partisipasi",
    ]
    assert "IKP contoh, 26 Agustus 2024" in table.text()
    assert "skor wilayah atau dimensi lainnya tidak dimuat" in page.text()
    assert "tidak ada angka edisi ini yang dihitung darinya" in page.text()
    assert [cell.text() for cell in table.css("td.n")] == ["29,89", "40,50"]
    pdf = PdfReader(io.BytesIO(files["edisi.pdf"]))
    assert not any("Rawan tinggi" in printed.extract_text() for printed in pdf.pages)


def test_before_and_after_is_shown_with_its_uncertainty_or_not_at_all(
    drafts: dict[str, Edition],
) -> None:
    def prevention(effects: tuple[Effect, ...]) -> Section:
        document = rendering.document(dataclasses.replace(drafts["draft"], effects=effects))
        return next(section for section in document.sections if section.id == "prevention")

    none = prevention(())
    assert len(none.tables) == 1
    assert "kurang dari 5 atau kasus di kecamatannya kurang dari 10" in none.paragraphs[0]
    shown = prevention((Effect("PU", 12, Decimal("0.48"), Decimal("0.21"), Decimal("1.10")),))
    table = shown.tables[1]
    assert [cell.text for cell in table.rows[0]] == ["Politik uang", "12", "0,48", "0,21–1,10"]
    assert "bukan bukti" in table.notes[1]
    assert shown.paragraphs == []


def test_open_data_has_the_prevention_of_every_theme(files: dict[str, bytes]) -> None:
    steps = {str(r["rule_code"]): r["suggestion"] for r in seed("prevention_rule")}
    assert {
        (r["kode_kemendagri"], r["kode_tema"]): (
            *(r["kegiatan_empat_pekan"], r["direncanakan"], r["terlaksana"]),
            *(r["kurang_dari_rencana"],),
            *(r["kode_aturan"], r["langkah_berikutnya"]),
        )
        for r in rows(files["data/kebutuhan.csv"])
    } == {
        ("kemendagri:19.71", "PU"): ("4", "10", "4", "6", "GAP_PU", steps["GAP_PU"]),
        ("kemendagri:19.04", "ASN"): (
            "0",
            "0",
            "0",
            "0",
            "MARKED_UNPLANNED",
            steps["MARKED_UNPLANNED"],
        ),
        ("kemendagri:19.02", "SARA"): ("2", "2", "2", "0", "", ""),
        ("kemendagri:19.05", "PU"): ("1", "3", "1", "2", "GAP_PU", steps["GAP_PU"]),
    }


def test_the_agenda_has_the_plans_of_the_next_four_weeks(files: dict[str, bytes]) -> None:
    """Alike rows are one; what is over, later or intends nothing is left out."""
    assert [tuple(row.values()) for row in rows(files["data/agenda.csv"])] == [
        (
            *("kemendagri:19.71", "2024-11-25", "2024-12-08", "Partisipasi masyarakat", "PU"),
            *("Masyarakat dan warga;Tokoh dan pemuka agama", "7"),
        ),
        ("kemendagri:19.02", "2024-12-22", "2024-12-31", "", "", "", "2"),
    ]


def test_json_says_what_csv_says(files: dict[str, bytes]) -> None:
    whole = json.loads(files["data.json"])
    words = {True: "true", False: "false", None: ""}
    tables = [n for n in files if n.startswith("data/")]
    assert len(tables) >= 4
    for name in tables:
        table = whole[name.removeprefix("data/").removesuffix(".csv")]
        as_text = [
            {k: words[v] if v is None or isinstance(v, bool) else str(v) for k, v in row.items()}
            for row in table
        ]
        assert as_text == rows(files[name])
        assert as_text or name in ("data/perubahan.csv", "data/sebelum-sesudah.csv")
    assert isinstance(whole["angka"][0]["nilai"], int)
    assert isinstance(whole["kelengkapan"][0]["menyampaikan"], bool)


def test_dictionary_explains_every_column(files: dict[str, bytes]) -> None:
    columns = [
        (name, column)
        for name, content in files.items()
        if name.startswith("data/")
        for column in content.decode().splitlines()[0].split(",")
    ]
    for name in ("kamus-data.csv", "en/data-dictionary.csv"):
        explained = [tuple(row.values()) for row in rows(files[name])]
        assert [row[:2] for row in explained] == columns
        assert all(kind and meaning for _, _, kind, meaning in explained)


def test_metadata_is_what_satu_data_asks(files: dict[str, bytes]) -> None:
    found = json.loads(files["metadata.json"])
    assert found["produsen_data"] == "Bawaslu Provinsi Kepulauan Bangka Belitung"
    assert found["walidata"]
    assert found["kontak"]["alamat"].startswith("https://")
    assert found["lisensi"]["kode"] == "CC-BY-4.0"
    assert found["periode"] == {
        "pekan": WEEK,
        "mulai": "2024-11-18",
        "selesai": "2024-11-24",
        "sejak_awal": "2024-09-25",
    }
    assert found["keadaan_data"] == "2024-11-24T20:00:00+07:00"  # when the last batch came
    assert found["status"].startswith("Disetujui oleh Ketua Contoh")
    used = {(r["kode_angka"], r["kode_kategori"]) for r in rows(files["data/angka.csv"])}
    assert {a["kode"] for a in found["angka"]} == {code for code, _ in used}
    assert all(a["definisi"] and a["satuan"] and a["sumber"] for a in found["angka"])
    named = {(k["kode_angka"], k["kode"]) for k in found["kode_referensi"]["kategori"]}
    assert {key for key in used if key[1] != "ALL"} <= named
    assert {b["nama"]: b["sha256"] for b in found["berkas"]} == {
        name: hashlib.sha256(content).hexdigest()
        for name, content in files.items()
        if name.startswith(("data", "kamus", "en/data"))
    }


def test_workbook_has_every_table_as_numbers(
    files: dict[str, bytes], page: LexborHTMLParser
) -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(files["edisi.xlsx"]))
    tables = page.css("table")
    regencies = page.css("section[id^=kab], section:has(h2[id^=kab]) table")
    alone = {
        str(t.attributes["aria-labelledby"]).removeprefix("tabel-"): t
        for t in tables
        if "19-" not in str(t.attributes["aria-labelledby"])
    }
    shared = ("Pencegahan", "Angka utama", "Tema")  # no district has a number to print
    numbers = [name for name in book.sheet_names if name.startswith("Tabel ")]
    assert numbers == [f"Tabel {n}" for n in alone]
    assert {*book.sheet_names} - {*numbers} == {"Isi", *shared, "Tren", "Catatan"}
    together = [
        [str(cell) for cell in row]
        for name in shared
        for row in book.get_sheet_by_name(name).to_python(skip_empty_area=False)[3:]
    ]
    for table in regencies:  # each of its rows stands on the sheet of all regencies
        for row in table.css("tbody tr"):
            assert any(cells[1] == row.css_first("th").text() for cells in together)
    assert sum(len(t.css("tbody tr")) for t in regencies) <= len(together)
    compared = 0
    for number, table in alone.items():
        sheet = book.get_sheet_by_name(f"Tabel {number}").to_python(skip_empty_area=False)
        title = page.css_first(f"#tabel-{number}").text()
        assert sheet[0][0] == title
        head = table.css_first("thead tr:last-child th").text().replace("\u00ad", "")
        start = next(n for n, row in enumerate(sheet) if row[0] == head)
        for n, row in enumerate(table.css("tbody tr, tfoot tr"), start + 1):
            for column, cell in enumerate(row.css("th, td")):
                found = sheet[n][column]
                if isinstance(found, date):  # a real date, not its words
                    assert cell.text().startswith(f"{found.day} November {found.year}")
                elif "n" not in (cell.attributes.get("class") or "").split():
                    assert found == cell.text()
                elif cell.text().endswith("%"):
                    assert round(float(str(found)) * 100) == int(cell.text()[:-2])
                elif cell.text() in ("*", "–", "n/a"):
                    assert found == cell.text()
                elif "," in cell.text():
                    assert found == pytest.approx(float(cell.text().replace(",", ".")))
                else:
                    assert isinstance(found, float)
                    shown = cell.text().replace("−", "-").replace("+", "").replace(".", "")
                    assert found == int(shown)
                    compared += 1
    assert compared > 400


def test_workbook_has_dates_and_notes(files: dict[str, bytes]) -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(files["edisi.xlsx"]))
    front = book.get_sheet_by_name("Isi").to_python()
    dates = [row[1] for row in front if isinstance(row[1], (date, datetime))]
    assert dates[:2] == [date(2024, 11, 18), date(2024, 11, 24)]
    assert dates[2].isoformat() == "2024-11-24T20:00:00"
    trend = book.get_sheet_by_name("Tren").to_python(skip_empty_area=False)
    first_days = [date.fromisocalendar(2024, int(week[-2:]), 1) for week in WEEKS]
    first_days[0] = date(2024, 9, 25)  # the campaign's first day, a Wednesday
    assert [row[:2] for row in trend[3 : 3 + len(WEEKS)]] == [
        list(row) for row in zip(WEEKS, first_days, strict=True)
    ]
    assert {len(row) for row in trend} == {5}
    said = [row[0] for row in front if row[0]]
    assert (
        "Informasi: Layanan informasi publik (PPID, rekaan), https://ppid.babel.example.id" in said
    )
    assert "Edisi berikutnya: Senin, 2 Desember 2024, setelah disetujui pimpinan." in said
    assert trend[-2][0].startswith("Pekan 39 hanya mencakup 5 hari")
    assert trend[-1][0].startswith("Masa kampanye berakhir pada Sabtu, 23 November 2024")
    last = next(
        sheet
        for name in book.sheet_names
        for sheet in [book.get_sheet_by_name(name).to_python()]
        if any(row[-1] == "Rekap terakhir" and row[0] == "Kabupaten/kota" for row in sheet)
    )
    days = {row[0]: row[-1] for row in last}
    assert days["Bangka"] == days["Provinsi"] == "pekan 47"
    notes = " ".join(str(c) for row in book.get_sheet_by_name("Catatan").to_python() for c in row)
    assert all(metric.definition in notes for metric in m.INDONESIAN.metrics.values())
    assert "tetap dugaan sampai ada putusan" in notes


def test_heads_of_every_sheet_stay_in_view(files: dict[str, bytes]) -> None:
    """A frozen pane ends below the last row of heads: the first number stands beneath it."""
    with zipfile.ZipFile(io.BytesIO(files["edisi.xlsx"])) as book:
        sheets = [name for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
        assert len(sheets) > 20
        for name in sheets:
            sheet = book.read(name).decode()
            pane = re.search(r'<pane [^>]*ySplit="(\d+)"[^>]*state="frozen"', sheet)
            assert pane, name
            # a cell without a type is a number; text has one
            numbers = re.findall(r'<c r="[A-Z]+(\d+)"(?: s="\d+")?><v>', sheet)
            assert all(int(row) > int(pane[1]) for row in numbers), name


def test_the_workbook_prints_as_wide_as_a_page_with_its_heads(files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(files["edisi.xlsx"])) as book:
        sheets = [name for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
        content = [book.read(name).decode() for name in sheets]
        titles = book.read("xl/workbook.xml").decode().count("_xlnm.Print_Titles")
    tables = [sheet for sheet in content if "<tablePart " in sheet]
    assert len(tables) == titles == len(content) - 2  # the contents and the notes have no table
    for sheet in tables:
        assert 'orientation="landscape"' in sheet
        assert 'fitToPage="1"' in sheet


def test_a_sheet_of_all_regencies_states_the_province_s_completeness(
    files: dict[str, bytes], metrics: Metrics
) -> None:
    """It had the line of the first regency, and that the PDF has fewer rows."""
    done, expected = (
        metrics[code, "ALL", "19", WEEK, "week"]
        for code in ("district_submitted", "district_expected")
    )
    book = CalamineWorkbook.from_filelike(io.BytesIO(files["edisi.xlsx"]))
    for name in ("Pencegahan", "Angka utama", "Tema"):
        last = [str(row[0]) for row in book.get_sheet_by_name(name).to_python()]
        assert f"{done} dari {expected} kecamatan" in last[-1], name
        assert not any("Versi PDF" in line for line in last), name
    assert "Versi PDF" not in files["edisi.html"].decode()


def test_every_table_of_the_workbook_is_a_table_object(files: dict[str, bytes]) -> None:
    """Excel repairs a workbook in which two columns of a table object have the same head."""
    with zipfile.ZipFile(io.BytesIO(files["edisi.xlsx"])) as book:
        objects = [book.read(n).decode() for n in book.namelist() if n.startswith("xl/tables/")]
        sheets = [name for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
    assert len(objects) == len(sheets) - 2  # the contents and the notes are none
    names = [re.findall(r' name="([^"]*)"', each) for each in objects]
    assert len({found[0] for found in names}) == len(names)
    for _, *heads in names:
        assert len({head.lower() for head in heads}) == len(heads) > 1


def test_metrics_are_all_defined(metrics: Metrics) -> None:
    assert set(m.INDONESIAN.metrics) == {key[0] for key in metrics}
    assert all((SEEDS / f"{name}.csv").exists() for name in ("issue", "violation_type"))


def test_press_summary_is_the_main_points(
    files: dict[str, bytes], page: LexborHTMLParser, drafts: dict[str, Edition]
) -> None:
    text = files["siaran-pers.txt"].decode()
    assert text.startswith("SIARAN PERS\n")
    for point in page.css_first(".points").css("li"):
        assert " ".join(point.text().split()) in " ".join(text.split())
    assert "Data per Minggu, 24 November 2024 pukul 20.00" in text
    assert "Disetujui oleh Ketua Contoh" in text
    assert not [line for line in text.splitlines() if line != line.rstrip()]
    draft = rendering.render(drafts["draft"])["siaran-pers.txt"].decode()
    assert draft.startswith("RANCANGAN SIARAN PERS\n")


@pytest.mark.parametrize("text", ["=1+1", "+62 812", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_text_in_a_csv_file_is_a_formula_to_a_spreadsheet(text: str) -> None:
    content = opendata.write_csv(
        [text, "nilai"], [(text, -5), ("Bangka - Barat", -0.25), (None, None)]
    )
    assert list(csv.reader(io.StringIO(content.decode(), newline=""))) == [
        [f"'{text}", "nilai"],
        [f"'{text}", "-5"],
        ["Bangka - Barat", "-0.25"],
        ["", ""],
    ]
