"""The files of an edition: pure, true to the frozen metrics, complete in themselves."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import itertools
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from pypdf import PdfReader
from pypdf._text_extraction._layout_mode import _fixed_width_page as layout
from pypdf.generic import ContentStream
from selectolax.lexbor import LexborHTMLParser, LexborNode

from lumbung import registry
from lumbung.errors import ConfigurationError
from lumbung.publication.formats import maps
from lumbung.publication.formats import render as rendering
from lumbung.publication.model.edition import Edition, Restatement, Waiver
from lumbung.publication.translations import formatting as m
from lumbung.settings import Settings
from tests.support.edition_sample import BEFORE, CHANNELS, DEADLINES, MISSING, WEEK, WEEKS, seed

CASES = ("suspected_violation", "ALL")
Metrics = dict[tuple[str, str, str, str, str], int]


@pytest.fixture
def rendered_once() -> None:
    """Here each edition is rendered as often as it is asked for."""


@pytest.fixture(scope="module")
def files(drafts: dict[str, Edition]) -> dict[str, dict[str, bytes]]:
    return {how: rendering.render(edition) for how, edition in drafts.items()}


@pytest.fixture(scope="module")
def page(files: dict[str, dict[str, bytes]]) -> LexborHTMLParser:
    return LexborHTMLParser(files["demo"]["edisi.html"].decode())


@pytest.fixture(scope="module")
def pdf(files: dict[str, dict[str, bytes]]) -> PdfReader:
    return PdfReader(io.BytesIO(files["demo"]["edisi.pdf"]))


def text_of(html: bytes) -> str:
    return " ".join(LexborHTMLParser(html.decode()).body.text(separator=" ").split())  # type: ignore[union-attr]


def test_same_bytes_in_other_places(
    drafts: dict[str, Edition], files: dict[str, dict[str, bytes]], tmp_path: Path
) -> None:
    expected = {n: hashlib.sha256(c).hexdigest() for n, c in files["person"].items()}
    assert {
        n: hashlib.sha256(c).hexdigest() for n, c in rendering.render(drafts["person"]).items()
    } == expected
    for number, surroundings in enumerate(
        (
            {"TZ": "America/St_Johns", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
            {"TZ": "Asia/Jayapura", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2", "HOME": "/"},
        )
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        # another checkout, elsewhere
        source = tmp_path / f"checkout {number}" / "src"
        shutil.copytree(
            Path(__file__).parents[2] / "src", source, ignore=shutil.ignore_patterns("__pycache__")
        )
        shutil.copytree(
            Path(__file__).parents[2] / "dbt_project" / "seeds",
            source.parent / "dbt_project" / "seeds",
        )
        done = subprocess.run(
            [sys.executable, Path(__file__).parents[1] / "support" / "render_elsewhere.py"],
            input=pickle.dumps(drafts["person"]),
            env=os.environ | surroundings | {"PYTHONPATH": str(source)},
            cwd=folder,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        assert json.loads(done.stdout) == [str(source / "lumbung" / "__init__.py"), expected]
        assert list(folder.iterdir()) == []


def test_approval_is_part_of_the_page(files: dict[str, dict[str, bytes]]) -> None:
    words = {
        "draft": "Rancangan — belum disetujui",
        "demo": "Disetujui otomatis oleh demo — data contoh, bukan angka resmi",
        "person": "Disetujui oleh Ketua Contoh, ",
    }
    for how, artefacts in files.items():
        html = text_of(artefacts["edisi.html"])
        pages = PdfReader(io.BytesIO(artefacts["edisi.pdf"])).pages
        for other, sentence in words.items():
            assert (sentence in html) == (how == other)
            for printed in pages:  # a page taken from the whole still says it
                assert (sentence in " ".join(printed.extract_text().split())) == (how == other)


NO_METRIC = (
    "percent",
    "not_counted",
    "district/",
    "deadline/",
    "profile/",
    "need/",
    "reference/",
    "rate/",
    "vulnerability/",
    "effect/",
    "before_",
)


FEW = {"19.00", "19.04"}
"""The place of two cases in four weeks is not known; 19.04 has four, the fewest of the others."""


def frozen(reference: str, metrics: Metrics) -> int | None:
    """The value of a cell's reference, by the sample's own count."""
    if reference.startswith("less "):
        parts = reference.split()[1:]
        whole, taken = parts[: len(parts) // 2], parts[len(parts) // 2 :]
        return (frozen(" ".join(whole), metrics) or 0) - (frozen(" ".join(taken), metrics) or 0)
    total = 0
    for part in reference.split():
        code, category, regency, period = part.split("/")
        key = (code, category, regency)
        if period == "weeks":  # the period of the districts' table
            total += sum(metrics[*key, week, "week"] for week in WEEKS[4:8])
        elif period == "to_date":
            total += metrics[*key, WEEK, "to_date"]
        elif period == "difference":
            total += metrics[*key, WEEK, "week"] - metrics[*key, WEEKS[-2], "week"]
        else:
            total += metrics[*key, {"week": WEEK, "previous": WEEKS[-2]}[period], "week"]
    return total


def read(cell: LexborNode) -> int:
    text = cell.text().replace("−", "-").replace("+", "").replace(".", "")
    return int(text)


def test_every_cell_is_the_frozen_metric(page: LexborHTMLParser, metrics: Metrics) -> None:
    seen = set()
    numbers = [
        cell
        for cell in page.css("td.n")
        if not (cell.attributes["data-figure"] or NO_METRIC[0]).startswith(NO_METRIC)
    ]
    hidden = set()
    for cell in numbers:
        reference = cell.attributes["data-figure"] or ""
        if cell.text() == "*":
            hidden.add(reference.split("/")[2])
            continue
        assert read(cell) == frozen(reference, metrics), reference
        seen.update(reference.removeprefix("less ").split())
    assert hidden == FEW
    assert len(numbers) > 400
    codes = {reference.split("/")[0] for reference in seen}
    assert codes == {metric for metric, *_ in metrics}
    # every regency of every metric that is published by regency, this week and to date
    for place in (*(row["regency_code"] for row in seed("regency")), "19"):
        for code, period in (
            ("suspected_violation", "week"),
            ("suspected_violation", "to_date"),
            ("tip", "difference"),
            ("prevention", "week"),
        ):
            assert f"{code}/ALL/{place}/{period}" in seen


def test_references_need_no_pointer(page: LexborHTMLParser, metrics: Metrics) -> None:
    """What a reference is made of is written out, in what opens without scripts."""
    codes = page.css_first("details#rujukan")
    parts = {node.text() for node in codes.css("code")}
    assert parts == {*{key[2] for key in metrics}, "week", "previous", "difference", "to_date"}
    seen = 0
    for section in page.css("main section"):
        said = {node.text() for node in section.css("details code")}
        for cell in section.css("td[data-figure]"):
            for reference in str(cell.attributes["data-figure"]).split():
                code, category = f"{reference}/".split("/")[:2]
                if (code, category) in {key[:2] for key in metrics}:
                    assert {code, category} - {"ALL"} <= said, reference
                    seen += 1
        if section.css("details a"):
            assert section.css_first("details a").attributes["href"] == "#rujukan"
    assert seen > 400
    assert not page.css("td[data-figure]:not([title])")


def test_no_number_without_a_metric(page: LexborHTMLParser) -> None:
    for cell in page.css("tbody td, tfoot td"):
        if re.fullmatch(r"[+−]?[\d.]+(\s?%)?|n/a", cell.text().strip()):
            assert cell.attributes.get("data-figure"), cell.html


def test_completeness_names_who_is_missing(page: LexborHTMLParser) -> None:
    names = {str(r["district_name"]) for r in seed("district") if r["district_code"] in MISSING}
    table = next(t for t in page.css("table") if "Simpang Pesak" in t.text())
    listed = [[c.text() for c in row.css("th, td")] for row in table.css("tbody tr")]
    assert {row[0] for row in listed} == names
    assert {row[0]: row[2] for row in listed} == {
        "Kepulauan Pongok": "pekan 46",
        "Parittiga": "pekan 45",
        "Simpang Pesak": "belum pernah",
    }
    table = next(t for t in page.css("table") if "Rekap terakhir" in t.text())
    shares = {c.attributes["data-figure"]: c.text() for c in table.css("td[data-figure^=percent]")}
    province = "percent district_submitted/ALL/19/week district_expected/ALL/19/week"
    assert shares[province] == "94\u00a0%"
    assert "44 dari 47 kecamatan (94\u00a0%)" in page.css(".points")[-1].text()


def test_what_was_not_counted_is_listed(page: LexborHTMLParser) -> None:
    table = next(t for t in page.css("table") if "Penanggung jawab" in t.text())
    rows = [[c.text() for c in row.css("th, td")] for row in table.css("tbody tr")]
    titles = {channel: title for channel, _, title, _ in CHANNELS}
    owners = {channel: owner for channel, _, _, owner in CHANNELS}
    register, chat = "register_laporan", "wa_aduan"
    assert rows == [
        [titles[register], BEFORE, owners[register], "0", "4"],
        [titles[register], "Baris uji coba", owners[register], "0", "2"],
        [titles[register], "Tanggal tidak terbaca", owners[register], "0", "1"],
        [titles[chat], BEFORE, owners[chat], "0", "1"],
        [titles[chat], "Alasan lain", owners[chat], "0", "1"],  # no hint for clerks is printed
        [titles[chat], "Pesan biasa, bukan laporan", owners[chat], "27", "58"],
    ]


def test_page_asks_nobody_for_anything(
    files: dict[str, dict[str, bytes]], drafts: dict[str, Edition]
) -> None:
    for artefacts in files.values():
        html = artefacts["edisi.html"].decode()
        tree = LexborHTMLParser(html)
        assert not tree.css("script, link, iframe, img, object, embed, base, form, source")
        for node in tree.css("*"):
            for name, value in node.attributes.items():
                if name in {"src", "href", "xlink:href", "srcset", "action", "poster"}:
                    assert (value or "").startswith("#"), (name, value)
                assert not name.startswith("on"), name
        styles = " ".join(node.text() for node in tree.css("style"))
        assert "url(" not in styles
        assert "@import" not in styles
        # a new theme or metric brings its own numbers
        assert len(html) < 1_300 * len(drafts["draft"].metrics)


def test_a_link_to_the_page_shows_what_it_is(page: LexborHTMLParser) -> None:
    found = {
        str(node.attributes["property"]): str(node.attributes["content"])
        for node in page.css("meta[property]")
    }
    assert found["og:title"] == (
        "Buletin Mingguan Pengawasan Pemilihan, Pekan 47: 18–24 November 2024"
    )
    assert found["og:description"].startswith("Pekan ini tercatat 14 dugaan pelanggaran (")


def test_structure_for_screen_readers(page: LexborHTMLParser) -> None:
    assert page.css_first("html").attributes["lang"] == "id"
    assert len(page.css("h1")) == 1
    for table in page.css("table"):
        heads = table.css("thead tr:last-child th")
        labelled = page.css_first(f"#{table.attributes['aria-labelledby']}")
        assert labelled.text().startswith("Tabel ")
        for row in table.css("tbody tr, tfoot tr"):
            assert len(row.css("th[scope=row]")) == 1
            assert len(row.css("th, td")) == len(heads)
    pictures = page.css("figure svg")
    assert len(pictures) == 4
    for picture in pictures:
        assert picture.attributes["role"] == "img"
        assert len(picture.attributes["aria-label"] or "") > 60
        # the pointer rests on a mark and reads it, without scripts
        marks = picture.css("rect:not(.reach)")
        assert len(picture.css("title")) == len(marks) > 6


def test_tile_map_has_the_seven_and_their_counts(page: LexborHTMLParser, metrics: Metrics) -> None:
    picture = page.css("figure svg")[0]
    printed = [t.text() for t in picture.css("text")]
    for row in seed("regency"):
        if row["tile_row"] is None:
            continue
        code = str(row["regency_code"])
        name = str(row["regency_name"]).split(" ", 1)[1].split(" ")
        start = printed.index(name[-1])
        assert printed[start + 1 - len(name) : start + 1] == name or len(name) == 1
        at = next(
            n + len(name)
            for n in range(len(printed))
            if printed[n : n + len(name)] == name and printed[n + len(name)].isdigit()
        )
        assert printed[at] == str(metrics["suspected_violation", "ALL", code, WEEK, "to_date"])
        week = metrics["suspected_violation", "ALL", code, WEEK, "week"]
        assert printed[at + 1] == f"pekan ini {week}"


def test_pdf_says_the_same(pdf: PdfReader, page: LexborHTMLParser, metrics: Metrics) -> None:
    text = " ".join(" ".join(p.extract_text() for p in pdf.pages).split())
    annex = {node.mem_id for node in page.css(".annex *")}
    assert len(annex) > 1000
    for title in page.css("h2, .title, figcaption, .points li, .prose li"):
        if title.mem_id in annex:
            continue
        wanted = " ".join(title.text().split())
        assert wanted.replace(" ", "") in text.replace(" ", ""), wanted
    for row in page.css("tbody tr, tfoot tr"):
        if row.mem_id in annex:
            continue
        wanted = "".join(c.text() for c in row.css("th, td")).replace("\u00a0", "")
        assert re.sub(r"\s", "", wanted) in re.sub(r"\s", "", text), wanted
    total = metrics["campaign_event_by_method", "TATAP_MUKA", "19", WEEK, "to_date"]
    assert total > 999
    assert m.INDONESIAN.number(total) in page.css_first(".annex").text()


def test_no_words_touch_in_the_pdf(files: dict[str, dict[str, bytes]]) -> None:
    """Runs of text on one line keep 2 pt apart, or are one run's continuation."""
    for name in ("edisi.pdf", "en/edition.pdf"):
        lines = 0
        for page in PdfReader(io.BytesIO(files["demo"][name])).pages:
            stream = ContentStream(page["/Contents"].get_object(), page.pdf, "bytes")
            fonts = page._layout_mode_fonts()
            line: dict[int, list[tuple[float, float, str]]] = {}
            for run in layout.text_show_operations(iter(stream.operations), fonts):
                if len(run["text"].strip()) > 1:  # single letters are kerned
                    at = (run["tx"], run["displaced_tx"], run["text"])
                    line.setdefault(round(run["ty"]), []).append(at)
            lines += len(line)
            for runs in map(sorted, line.values()):
                for (_, end, left), (start, _, right) in itertools.pairwise(runs):
                    assert abs(start - end) < 0.1 or start - end > 2, (name, left, right)
        assert lines > 150


@pytest.mark.parametrize(
    ("name", "press", "language", "word"),
    [
        ("edisi.html", "siaran-pers.txt", "", "dugaan"),
        ("en/edition.html", "en/press-release.txt", "_en", "alleg"),
    ],
)
def test_a_theme_is_only_alleged(
    files: dict[str, dict[str, bytes]], name: str, press: str, language: str, word: str
) -> None:
    """No sentence, title or picture names a theme without saying first that it is alleged."""
    themes = {
        str(row[column + language]).lower()
        for row in seed("issue")
        for column in ("issue_name", "issue_label")
        if row["issue_code"] != "LAIN"
    }
    page = LexborHTMLParser(files["person"][name].decode())
    said = [
        *files["person"][press].decode().splitlines(),
        *(n.text() for n in page.css("li, figcaption, .title, .under p, svg title")),
        *(str(n.attributes["aria-label"]) for n in page.css("svg")),
    ]
    found = 0
    for text in said:
        for sentence in text.lower().split(". "):
            at = min((sentence.find(theme) for theme in themes if theme in sentence), default=-1)
            if at >= 0 and not re.match(r"[\w ,/]+ \d+$", sentence):  # a bar's own label
                assert word in sentence[:at], text
                found += 1
    assert found > 10


def test_no_sentence_begins_with_a_digit(files: dict[str, dict[str, bytes]]) -> None:
    """Neither one of a paragraph, nor a caption after its label, nor one of the press text."""
    seen = 0
    for artefacts in (files["person"], files["draft"]):
        for name, press in (
            ("edisi.html", "siaran-pers.txt"),
            ("en/edition.html", "en/press-release.txt"),
        ):
            page = LexborHTMLParser(artefacts[name].decode())
            texts = [line.removeprefix("- ") for line in artefacts[press].decode().splitlines()]
            texts += [n.text() for n in page.css("h1, h2, p, li, dt, figcaption")]
            for text in texts:
                # "Tabel 3. Dugaan ...", "UU 1/2015 jo. 8/2015"
                words = re.sub(r"^\w+ [\d.]+\w? |\b(jo|No)\.", "", " ".join(text.split()))
                for sentence in re.split(r"(?<=[.!?]) ", words):
                    assert not re.match(r"[+−(“]?\d", sentence), text
                    seen += 1
    assert seen > 2000


def test_a_regency_s_tables_say_its_own_completeness(page: LexborHTMLParser) -> None:
    """Of Bangka Selatan's eight districts seven delivered; of the province's 47 all but three."""
    for identifier, said in (
        ("kab-19-03", "7 dari 8 kecamatan"),
        ("kab-19-01", "8 dari 8 kecamatan"),
        ("pelanggaran", "44 dari 47 kecamatan"),
    ):
        lines = page.css(f"[aria-labelledby={identifier}] .source")
        assert len(lines) > 1
        assert all(said in line.text() for line in lines)


def test_pdf_is_tagged_and_accessible(pdf: PdfReader, drafts: dict[str, Edition]) -> None:
    root = pdf.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]  # type: ignore[index]
    assert root["/Lang"] == "id"  # type: ignore[index]
    assert "pdfuaid" in root["/Metadata"].get_data().decode()  # type: ignore[index]
    assert pdf.metadata
    assert (
        pdf.metadata.title == "Buletin Mingguan Pengawasan Pemilihan, Pekan 47: 18–24 November 2024"
    )
    assert pdf.metadata.creation_date
    assert abs((pdf.metadata.creation_date - drafts["demo"].frozen_at).total_seconds()) < 1
    width, height = (float(v) / 72 * 25.4 for v in pdf.pages[0].mediabox[2:])
    assert (round(width), round(height)) == (210, 297)


def headings(pdf: PdfReader) -> list[str]:
    """The headings of a PDF in order, from its outline."""
    return [str(item.title) for item in pdf.outline if not isinstance(item, list)]


def test_about_six_pages_end_with_whom_to_ask(pdf: PdfReader, drafts: dict[str, Edition]) -> None:
    """Points, decisions and prevention first; then the map; half a page for each regency."""
    names = [str(r["regency_name"]) for r in seed("regency") if r["regency_code"] != "19.00"]
    assert headings(pdf) == [
        *("Pokok-pokok pekan ini", "Yang perlu diputuskan", *names),
        "Penanganan, batas waktu, dan perubahan angka",
        "Metode singkat, koreksi, dan kontak",
    ]
    assert len(pdf.pages) <= 7
    printed = [" ".join(page.extract_text().split()) for page in pdf.pages]
    assert "Tabel 1. Pencegahan yang paling mendesak" in printed[0]
    assert "Laksanakan patroli pengawasan" in printed[0]
    assert "Gambar 1. " in printed[1]
    assert "Tabel 2. " in printed[1]
    office = drafts["demo"].office
    for said in (office.contact_url, office.portal_url, office.licence_url, "Kebijakan koreksi"):
        assert said
        assert said in printed[-1]
    assert "Edisi berikutnya: Senin, 2 Desember 2024, setelah disetujui pimpinan." in printed[-1]


def test_at_most_six_main_points_the_most_important_first(drafts: dict[str, Edition]) -> None:
    """Number, what the law demands, what changed; a calm week ends with what is always said."""
    found = drafts["draft"]
    points = rendering.document(found).points
    leads = [lead for lead, _ in points]
    assert len(leads) == 6
    assert leads[0].startswith("Pekan ini tercatat")
    assert leads[1].startswith("Batas waktu penanganan menurut register: 3 terlampaui, ")
    assert points[2] == (
        "Pencegahan yang paling mendesak menurut tema dugaan:",
        "politik uang di Pangkal Pinang (dari 10 kegiatan yang direncanakan dalam empat pekan, 4 "
        "terlaksana; kegiatan bertema itu seluruhnya 4); netralitas ASN di Bangka Tengah "
        "(terlaksana 0 kegiatan bertema itu dalam empat pekan; tema itu belum direncanakan); dan "
        "politik uang di Bangka Barat (dari 3 kegiatan yang direncanakan dalam empat pekan, 1 "
        "terlaksana; kegiatan bertema itu seluruhnya 1).",
    )
    waiver = Waiver("most_districts_submitted", "Ketua Contoh", "x", found.as_of, found.sunday)
    revised = Restatement("2024-W46-r1", *CASES, "19", "week", 3, 4, 1, 0, 0, 0, False)
    urgent = dataclasses.replace(found, waivers=(waiver,), restatements=(revised,))
    leads = [lead for lead, _ in rendering.document(urgent).points]
    assert leads[2:4] == [
        "Sebanyak 1 angka dalam edisi sebelumnya kini berbeda.",
        "Sebanyak 1 pemeriksaan mutu dikecualikan.",
    ]
    calm = dataclasses.replace(
        found,
        deadlines=tuple(dataclasses.replace(d, count=0) for d in found.deadlines),
        profiles=(),
        needs=(),
        metrics={
            key: dataclasses.replace(value, previous=value.week)
            for key, value in found.metrics.items()
        },
    )
    document = rendering.document(calm)
    assert [lead for lead, _ in document.others][-3:] == [
        "Tidak ada batas waktu penanganan yang berjalan.",
        "Pekan ini tidak ada saran pencegahan menurut aturan kantor.",
        "Belum ada edisi sebelum ini, sehingga belum ada angka yang berubah.",
    ]
    jump = {("tip", "ALL", "19"): dataclasses.replace(found.metric("tip"), week=40, previous=10)}
    changed = dataclasses.replace(calm, metrics=calm.metrics | jump)
    assert "40 informasi awal" in rendering.document(changed).points[1][0]
    every = [*document.points, *document.others]
    assert len(every) == len(set(every)) == len(document.others) + 6


def test_revisions_are_ranked_the_headline_number_first(drafts: dict[str, Edition]) -> None:
    revisions = tuple(
        Restatement("2024-W46-r1", code, "ALL", place, "week", 3, new, new - 3, 0, 0, 0, False)
        for code, place, new in (
            ("tip", "19.01", 90),
            ("tip", "19", 5),
            ("prevention", "19", 8),
            ("suspected_violation", "19", 4),
        )
    )
    document = rendering.document(dataclasses.replace(drafts["draft"], restatements=revisions))
    (table,) = document.bulletin[-2].tables
    assert [(row[1].text, row[2].text) for row in table.rows] == [
        ("Dugaan pelanggaran", "Provinsi"),
        ("Tindakan pencegahan", "Provinsi"),
        ("Informasi awal", "Provinsi"),
        ("Informasi awal", "Bangka"),
    ]


def test_what_must_be_decided_is_counted(drafts: dict[str, Edition]) -> None:
    found = drafts["draft"]
    pending = sum(found.metric("report_pending", kind).to_date for kind in ("LP", "TM"))
    assert rendering.document(found).decisions == [
        "Tindak lanjut atas 8 batas waktu penanganan (menurut register 3 terlampaui dan 5 mungkin "
        "terlampaui).",
        "Penyelesaian penanganan atas 5 batas waktu yang berakhir pada 25 atau 26 November 2024.",
        f"Registrasi {pending} laporan dan temuan yang belum diputuskan.",
        "Pelaksanaan atau penjadwalan ulang pencegahan: rencana belum terpenuhi pada 2 "
        "pasangan kabupaten/kota dan tema.",
        "Penyusunan rencana pencegahan: 1 pasangan kabupaten/kota dan tema dugaan yang menonjol "
        "belum memilikinya.",
    ]


def themed(metrics: Metrics, place: str, issue: str) -> tuple[str, str]:
    """Reports and findings with a theme: since the campaign began, and of twice four weeks."""
    key = ("suspected_violation_by_issue", issue, place)
    weeks = [metrics[*key, week, "week"] for week in WEEKS]
    before, last = sum(weeks[-8:-4]), sum(weeks[-4:])
    assert metrics[*key, WEEK, "to_date"] == sum(weeks)
    return str(sum(weeks)), f"({before}\u00a0ke\u00a0{last})"


def test_prevention_stands_beside_the_cases_that_it_is_against(
    drafts: dict[str, Edition], metrics: Metrics
) -> None:
    """The marts count tips too, 12 cases (1 to 11) in the first row; no edition prints those."""
    found = drafts["draft"]
    (table,) = rendering.document(found).needs
    rows = [("19.71", "PU"), ("19.04", "ASN"), ("19.05", "PU")]
    (pu, pu_weeks), (asn, asn_weeks), (west, west_weeks) = (themed(metrics, *r) for r in rows)
    assert [[cell.text for cell in row] for row in table.rows] == [
        [
            *("Pangkal Pinang", "Politik uang", pu, f"naik {pu_weeks}", "4", "10", "6"),
            "Laksanakan patroli pengawasan dan kegiatan yang direncanakan terhadap politik uang",
        ],
        [
            *("Bangka Tengah", "Netralitas ASN", asn, f"tidak jelas berubah {asn_weeks}"),
            *("0", "0", "0"),
            "Susun pola pencegahan untuk tema menonjol ini: belum ada rencananya",
        ],
        [
            *("Bangka Barat", "Politik uang", west, f"tidak jelas berubah {west_weeks}"),
            *("1", "3", "2"),
            "Laksanakan patroli pengawasan dan kegiatan yang direncanakan terhadap politik uang",
        ],
    ]
    # a rule that the office has switched off takes away the suggestion, not the need
    needs = [dataclasses.replace(n, rule_code=None, suggestion=None) for n in found.needs]
    (table,) = rendering.document(dataclasses.replace(found, needs=tuple(needs))).needs
    assert [(row[0].text, row[7].text) for row in table.rows] == [
        *(("Pangkal Pinang", "–"), ("Bangka Tengah", "–"), ("Bangka Barat", "–")),
    ]
    early = dataclasses.replace(found, needs=())  # of an earlier release
    assert rendering.document(early).needs == []
    assert rendering.render(early)["edisi.pdf"]


def test_a_regency_keeps_to_half_a_page(drafts: dict[str, Edition]) -> None:
    """Of many themes the PDF has the five most pressing; page and workbook have all of them."""
    found = drafts["draft"]
    (need,) = (n for n in found.needs if (n.regency_code, n.issue_code) == ("19.71", "PU"))
    needs = tuple(
        dataclasses.replace(need, issue_code=issue, gap=9 - n)
        for n, issue in enumerate(found.issues)
    )
    many = dataclasses.replace(found, needs=needs)
    page = LexborHTMLParser(rendering.render(many)["edisi.html"].decode())
    rows = page.css("[aria-labelledby=ringkas-19-71] tbody tr")
    assert [row.css_first("th").text() for row in rows] == list(found.issues.values())
    content = rendering._printable(dataclasses.asdict(rendering.document(many)))
    (chapter,) = (c for c in content["bulletin"] if c["id"] == "ringkas-19-71")
    (table,) = chapter["tables"]
    assert [row[0]["text"] for row in table["rows"]] == list(found.issues.values())[:5]
    assert table["notes"] == [
        "Arti kolom: lihat catatan Tabel 1.",
        "Versi PDF memuat 5 baris teratas; semuanya ada di edisi.html dan edisi.xlsx.",
    ]


def test_tables_keep_their_numbers_from_edition_to_edition(drafts: dict[str, Edition]) -> None:
    """Also where an edition has more or fewer of them."""

    def numbers(edition: Edition) -> dict[str, str]:
        return {t.number: t.caption.split(":")[0] for t in rendering.document(edition).tables}

    found = drafts["draft"]
    revised = Restatement("2024-W46-r1", *CASES, "19", "week", 3, 4, 1, 0, 0, 0, False)
    previous = {key: value.to_date for key, value in found.metrics.items()}
    more = dataclasses.replace(
        found, restatements=(revised,), previous_id="2024-W46-r1", previous=previous
    )
    fewer = dataclasses.replace(
        found,
        needs=(),
        profiles=(),
        submissions=tuple(dataclasses.replace(s, is_submitted=True) for s in found.submissions),
    )
    some, most, least = map(numbers, (found, more, fewer))
    assert set(least) < set(some) < set(most)
    assert {key: least[key] for key in least} == {key: some[key] for key in least}
    assert {key: some[key] for key in some} == {key: most[key] for key in some}
    assert (some["3"], some["19.71b"]) == ("Dugaan pelanggaran " + some["3"][19:], "Pangkal Pinang")


def test_a_week_without_anything_still_reads(drafts: dict[str, Edition]) -> None:
    """All zero, nobody delivered, no week before: every sentence has its other form."""
    edition = drafts["draft"]
    empty = dataclasses.replace(
        edition,
        metrics={
            key: dataclasses.replace(value, week=0, to_date=0, previous=None)
            for key, value in edition.metrics.items()
        },
        trend={("suspected_violation", "ALL"): ((WEEK, 0),)},
        not_counted=(),
    )
    artefacts = rendering.render(empty)
    text = text_of(artefacts["edisi.html"])
    assert "Pekan ini tercatat 0 dugaan pelanggaran" in text
    assert "n/a" in text
    assert "None" not in text
    assert "Belum ada dugaan pelanggaran" in text
    assert "Tidak ada kiriman yang dikarantina atau disisihkan." in text
    assert len(PdfReader(io.BytesIO(artefacts["edisi.pdf"])).pages) >= 3


def test_english_says_the_same(files: dict[str, dict[str, bytes]]) -> None:
    """The same tables, cell by cell, in other words."""
    indonesian = LexborHTMLParser(files["person"]["edisi.html"].decode())
    english = LexborHTMLParser(files["person"]["en/edition.html"].decode())
    assert english.css_first("html").attributes["lang"] == "en"
    assert "Approved by Ketua Contoh, " in english.css_first(".status").text()
    cells = [page.css("td.n") for page in (indonesian, english)]
    assert len(cells[0]) == len(cells[1]) > 900
    for one, other in zip(*cells, strict=True):
        assert one.attributes["data-figure"] == other.attributes["data-figure"]
        digits = [re.sub(r"[.,\s\u00a0]", "", cell.text()) for cell in (one, other)]
        assert digits[0] == digits[1]
    words = english.body.text()  # type: ignore[union-attr]
    assert "1,084,999" in words
    assert "Neutrality of civil servants" in words
    for left in ("dugaan", "kecamatan", "pekan", "Netralitas", "Belum", "tenggat", "provinsi"):
        assert left not in re.sub(r"data/\S+", "", words), left
    pdf = PdfReader(io.BytesIO(files["person"]["en/edition.pdf"]))
    assert pdf.trailer["/Root"]["/Lang"] == "en"  # type: ignore[index]
    assert files["person"]["en/press-release.txt"].decode().startswith("PRESS RELEASE\n")


def moved(value: object) -> object:
    """The same with every code of province 19 as one of province 76."""
    if isinstance(value, str):
        return re.sub(r"^19(?=$|\.\d\d)", "76", value)
    if isinstance(value, tuple):
        return tuple(moved(each) for each in value)
    if isinstance(value, dict):
        return {moved(key): moved(each) for key, each in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: moved(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return dataclasses.replace(value, **fields)
    return value


def test_another_province_is_the_same_edition_with_its_codes(drafts: dict[str, Edition]) -> None:
    here, there = drafts["draft"], moved(drafts["draft"])
    assert isinstance(there, Edition)
    assert (here.area_code, there.area_code) == ("19", "76")
    cells = [
        LexborHTMLParser(rendering.render(edition)["edisi.html"].decode()).css("td[data-figure]")
        for edition in (here, there)
    ]
    assert len(cells[1]) > 900
    assert [cell.text() for cell in cells[0]] == [cell.text() for cell in cells[1]]
    references = [[str(c.attributes["data-figure"]) for c in found] for found in cells]
    renamed = [re.sub(r"/19(?![^/. ])", "/76", reference) for reference in references[0]]
    assert renamed == references[1]
    assert references[0] != references[1]


def test_only_the_office_decides_on_english(drafts: dict[str, Edition]) -> None:
    edition = drafts["draft"]
    office = edition.office.model_copy(update={"languages": ("id",)})
    names = rendering.render(dataclasses.replace(edition, office=office))
    assert not [name for name in names if name.startswith("en/")]


def test_deadlines_are_those_of_the_edition_s_day(page: LexborHTMLParser) -> None:
    shown = {
        cell.attributes["data-figure"]: int(cell.text())
        for cell in page.css("td[data-figure^='deadline/']")
    }
    for rule in registry.vocabulary("deadline_rule"):
        for state in registry.deadline_states("running", "ended"):
            wanted = sum(n for (r, _, s), (n, _) in DEADLINES.items() if (r, s) == (rule, state))
            assert shown[f"deadline/{rule}/19/{state}"] == wanted, (rule, state)
    point = next(li.text() for li in page.css(".points li") if "batas waktu" in li.text())
    assert point.startswith(
        "Batas waktu penanganan menurut register: 3 terlampaui, 5 mungkin terlampaui, dan 5 "
        "berakhir pada 25 atau 26 November 2024, dari 18 batas"
    )


def test_what_marks_a_regency_is_said(page: LexborHTMLParser, metrics: Metrics) -> None:
    def share(place: str, issue: str) -> Fraction:
        parts = (("suspected_violation_by_issue", issue), ("suspected_violation", "ALL"))
        cases, all_cases = (metrics[*key, place, WEEK, "to_date"] for key in parts)
        return Fraction(cases, all_cases)

    def times(place: str, issue: str) -> str:
        return f"{float(share(place, issue) / share('19', issue)):.2f}".replace(".", ",")

    asn, pu = times("19.04", "ASN"), times("19.71", "PU")
    point = next(li.text() for li in page.css(".points li") if "menonjol" in li.text())
    assert point.startswith(
        "Tema dugaan yang menonjol secara kumulatif, termasuk dalam informasi awal: "
    )
    assert (
        f"porsi tema netralitas ASN di Bangka Tengah {asn} kali porsinya di tingkat provinsi"
        in point
    )
    assert pu < "1" < asn  # reports and findings alone do not show why that theme stands out
    assert "tema politik uang di Pangkal Pinang, terutama menurut informasi awal" in point
    section = page.css_first("section[aria-labelledby=pencegahan]")
    rows = [
        [c.text() for c in row.css("th, td")] for row in section.css_first("table").css("tbody tr")
    ]
    by_place = {row[0]: row for row in rows}
    cases, weeks = themed(metrics, "19.04", "ASN")
    assert by_place["Bangka Tengah"][6] == f"tidak jelas berubah {weeks}"
    cases, weeks = themed(metrics, "19.71", "PU")
    shares = [f"{round(100 * float(share(place, 'PU')))}\u00a0%" for place in ("19.71", "19")]
    assert by_place["Pangkal Pinang"][:-1] == [
        *("Pangkal Pinang", "Politik uang", cases, *shares, pu, f"naik {weeks}")
    ]
    assert [row[0] for row in rows[2:]] == [
        *("Bangka", "Belitung", "Bangka Selatan", "Bangka Barat", "Belitung Timur")
    ]
    tiles = [t.text() for t in section.css("figure svg title")]
    assert "Pangkal Pinang: dugaan politik uang" in tiles
    assert any(tile.startswith("Bangka Tengah: dugaan") and f"{asn} ×" in tile for tile in tiles)
    assert "Bangka: tidak ada" in tiles


def test_a_theme_that_stands_out_by_tips_alone_has_no_multiple(drafts: dict[str, Edition]) -> None:
    """A share of 0,00 times the province's would contradict that the theme stands out."""
    profiles = tuple(
        dataclasses.replace(p, cases=0, share=Fraction(0), quotient=Fraction(0))
        for p in drafts["draft"].profiles
    )
    found = dataclasses.replace(drafts["draft"], profiles=profiles)
    document = rendering.document(found)
    point = next(rest for lead, rest in document.points if lead.startswith("Tema dugaan yang"))
    assert "tema politik uang di Pangkal Pinang, terutama menurut informasi awal" in point
    page = next(s for s in document.sections if s.id == "kab-19-71")
    assert any("politik uang (terutama menurut informasi awal, tren: naik)" in s for s in page.lead)
    brief = next(s for s in document.bulletin if s.id == "ringkas-19-71")
    assert "menonjol: politik uang (terutama menurut informasi awal)." in brief.lead[0]
    chart = next(s for s in document.sections if s.id == "pencegahan").charts[0]
    assert "Pangkal Pinang: dugaan politik uang" in chart.svg
    assert "×" not in chart.svg


STANDS_OUT = (
    "Tema disebut menonjol bila porsinya, dengan memperhitungkan informasi awal (IA), secara "
    "statistik lebih tinggi daripada porsinya di tingkat provinsi. Syaratnya lebih ketat bila "
    "kasusnya sedikit dan perbandingannya banyak, sehingga dari sepuluh tema yang menonjol "
    "diperkirakan kurang dari satu yang menonjol secara acak."
)


def test_the_rule_of_what_stands_out_is_one_sentence(
    files: dict[str, dict[str, bytes]], page: LexborHTMLParser
) -> None:
    artefacts = files["demo"]
    sections = {s.attributes["aria-labelledby"]: s for s in page.css("section")}
    for name in ("pencegahan", "kab-19-71", "kab-19-01"):
        notes = " ".join(sections[name].text(separator=" ").split())
        assert STANDS_OUT in notes, name
    dictionary = artefacts["kamus-data.csv"].decode()
    assert STANDS_OUT in dictionary
    # no other rule is left anywhere
    for text in (page.body.text(), dictionary):  # type: ignore[union-attr]
        assert "pasti di atas" not in text
        assert "elang 95" not in text


def test_a_regency_page_judges_as_the_mark_does(page: LexborHTMLParser) -> None:
    judged = {}
    for code in ("19-71", "19-04", "19-01"):
        (table,) = [
            table
            for table in page.css(f"section[aria-labelledby=kab-{code}] table")
            if "Menonjol" in [head.text() for head in table.css("thead th")]
        ]
        column = [head.text() for head in table.css("thead th")].index("Menonjol")
        for row in table.css("tbody tr"):
            cells = [cell.text() for cell in row.css("th, td")]
            judged[code, cells[0]] = cells[column]
    assert {key for key, word in judged.items() if word == "ya"} == {
        ("19-71", "Politik uang"),
        ("19-04", "Netralitas ASN"),
    }
    assert set(judged.values()) == {"ya", "tidak"}


def test_there_is_no_trend_before_eight_weeks(drafts: dict[str, Edition]) -> None:
    edition = drafts["draft"]
    early = dataclasses.replace(
        edition,
        profiles=tuple(
            dataclasses.replace(p, previous_4=None, trend_code="not_enough_weeks")
            for p in edition.profiles
        ),
        needs=tuple(
            dataclasses.replace(n, previous_4=None, trend_code="not_enough_weeks")
            for n in edition.needs
        ),
    )
    artefacts = rendering.render(early)
    page = LexborHTMLParser(artefacts["edisi.html"].decode())
    section = page.css_first("section[aria-labelledby=pencegahan]")
    rows = [[c.text() for c in row.css("th, td")] for row in section.css("tbody tr")]
    assert [row[6] for row in rows[:2]] == ["belum cukup pekan"] * 2
    assert "provinsi, tren: belum cukup pekan)" in text_of(artefacts["edisi.html"])
    assert "not enough weeks yet" in text_of(artefacts["en/edition.html"])
    for name in ("edisi.html", "siaran-pers.txt"):
        assert "naik (" not in artefacts[name].decode()
    profiles = list(csv.DictReader(io.StringIO(artefacts["data/profil.csv"].decode("utf-8-sig"))))
    assert {(row["empat_pekan_sebelumnya"], row["tren"]) for row in profiles} == {
        ("", "belum cukup pekan")
    }


def test_rates_per_voter_and_station(page: LexborHTMLParser, metrics: Metrics) -> None:
    shown = {
        cell.attributes["data-figure"]: (cell.text(), cell.parent.css("td")[-1].text())  # type: ignore[union-attr]
        for cell in page.css("td[data-figure^='rate/']")
    }
    for row in seed("regency"):
        code = str(row["regency_code"])
        if code == "19.00":
            continue
        key = ("suspected_violation", "ALL", code, WEEK, "to_date")
        cases, voters = metrics[key], int(row["voter_count"] or 0)
        text, flag = shown[f"rate/voters suspected_violation/ALL/{code}/to_date"]
        assert abs(float(text.replace(",", ".")) - 100_000 * cases / voters) <= 0.05
        assert flag == ("†" if cases < 20 else "")
    province = metrics["suspected_violation", "ALL", "19", WEEK, "to_date"]
    text, flag = shown["rate/stations suspected_violation/ALL/19/to_date"]
    assert (float(text.replace(",", ".")), flag) == (round(100 * province / 2197, 1), "")


def test_counts_since_the_edition_before(drafts: dict[str, Edition], metrics: Metrics) -> None:
    """Earlier + this week + other weeks = now; a metric that edition did not have is left out."""
    edition = drafts["draft"]
    assert "Belum ada edisi pekan sebelumnya yang terbit" in text_of(
        rendering.render(edition)["edisi.html"]
    )
    before = {
        (code, category, "19"): metrics[code, category, "19", WEEKS[-2], "to_date"]
        for code, category, *_ in metrics
        if code != "tip"
    }
    before["suspected_violation", "ALL", "19"] -= 3  # three came late
    later = dataclasses.replace(edition, previous_id="2024-W46-r1", previous=before)
    page = LexborHTMLParser(rendering.render(later)["edisi.html"].decode())
    cell = page.css_first("td[data-figure^='since/suspected_violation/ALL']")
    row = [c.text() for c in cell.parent.css("th, td")]  # type: ignore[union-attr]
    week = metrics["suspected_violation", "ALL", "19", WEEK, "week"]
    now = metrics["suspected_violation", "ALL", "19", WEEK, "to_date"]
    assert row == ["Dugaan pelanggaran", str(now - week - 3), str(week), "+3", str(now)]
    assert not page.css("td[data-figure^='since/tip']")
    assert len(page.css("td[data-figure^='since/other']")) == 5


BOUNDARIES = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"kode": code},
            "geometry": {
                "type": "MultiPolygon",
                "coordinates": [[[[x, 0], [x + 1, 0], [x + 1, -1], [x, -1], [x, 0]]]],
            },
        }
        for x, code in enumerate(("1901", "19.02", "19.03", "19.04", "19.05", "19.06", "19.71"))
    ],
}
"""An invented country: seven squares of a degree in a row, from west to east on the equator."""


def test_boundaries_of_the_office_are_drawn(
    drafts: dict[str, Edition], settings: Settings, tmp_path: Path
) -> None:
    project = dataclasses.replace(settings, project=tmp_path)
    project.config.mkdir()
    (project.config / "batas.geojson").write_text(json.dumps(BOUNDARIES))
    office = drafts["draft"].office.model_copy(
        update={"boundary_file": "batas.geojson", "boundary_code": "kode"}
    )
    outlines = maps.outlines(project, office)
    assert list(outlines) == ["19.01", "19.02", "19.03", "19.04", "19.05", "19.06", "19.71"]
    # 352 px for seven degrees: a square of 50.3 px, to half a pixel, from the margin of 4 px
    assert outlines["19.01"] == [[[4, 4], [54.5, 4], [54.5, 54.5], [4, 54.5], [4, 4]]]
    assert outlines["19.71"][0][1] == [356, 4]
    edition = drafts["draft"]
    drawn = dataclasses.replace(
        edition,
        regencies=tuple(
            dataclasses.replace(
                r,
                outline=tuple(tuple((x, y) for x, y in ring) for ring in outlines.get(r.code, [])),
            )
            for r in edition.regencies
        ),
    )
    page = LexborHTMLParser(rendering.render(drawn)["edisi.html"].decode())
    for picture in (page.css("figure svg")[0], page.css_first("[aria-labelledby=pencegahan] svg")):
        shapes = picture.css("path")
        assert len(shapes) == 7
        assert shapes[0].attributes["d"] == "M4,4 54.5,4 54.5,54.5 4,54.5 4,4Z"
        assert all(shape.css_first("title") for shape in shapes)
        assert "Satu petak" not in picture.parent.text()  # type: ignore[union-attr]
    darkest = max(edition.regencies, key=lambda r: edition.metric(*CASES, r.code).to_date)
    by_name = {s.css_first("title").text(): s for s in page.css("figure svg")[0].css("path")}
    shade = next(s for said, s in by_name.items() if said.startswith("Bangka Barat "))
    assert darkest.code == "19.05"
    assert shade.attributes["fill"] == "#083d77"
    assert rendering.render(drawn)["edisi.pdf"] == rendering.render(drawn)["edisi.pdf"]


@pytest.mark.parametrize(
    "content", ["{", '{"features": [{"properties": {}, "geometry": null}]}', '{"features": []}']
)
def test_a_boundary_file_that_cannot_be_drawn_is_named(
    settings: Settings, tmp_path: Path, drafts: dict[str, Edition], content: str
) -> None:
    project = dataclasses.replace(settings, project=tmp_path)
    project.config.mkdir()
    (project.config / "batas.geojson").write_text(content)
    office = drafts["draft"].office.model_copy(update={"boundary_file": "batas.geojson"})
    with pytest.raises(ConfigurationError, match="boundary file cannot be read"):
        maps.outlines(project, office)
