"""The files of an edition: pure, true to the frozen figures, complete in themselves."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader
from sample import CHANNELS, MISSING, WEEK, WEEKS, seed
from selectolax.lexbor import LexborHTMLParser, LexborNode

from lumbung.publication import messages as m
from lumbung.publication import render as rendering
from lumbung.publication.content import Edition

Figures = dict[tuple[str, str, str, str, str], int]


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
        done = subprocess.run(
            [sys.executable, Path(__file__).with_name("render_elsewhere.py")],
            input=pickle.dumps(drafts["person"]),
            env=os.environ | surroundings,
            cwd=folder,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        assert json.loads(done.stdout) == expected
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


def frozen(reference: str, figures: Figures) -> int | None:
    """The value of a cell's reference, by the sample's own count."""
    total = 0
    for part in reference.split():
        code, category, regency, period = part.split("/")
        key = (code, category, regency)
        if period == "to_date":
            total += figures[*key, WEEK, "to_date"]
        elif period == "difference":
            total += figures[*key, WEEK, "week"] - figures[*key, WEEKS[-2], "week"]
        else:
            total += figures[*key, {"week": WEEK, "previous": WEEKS[-2]}[period], "week"]
    return total


def read(cell: LexborNode) -> int:
    text = cell.text().replace("−", "-").replace("+", "").replace(".", "")
    return int(text)


def test_every_cell_is_the_frozen_figure(page: LexborHTMLParser, figures: Figures) -> None:
    seen = set()
    numbers = [
        cell
        for cell in page.css("td.n")
        if not cell.attributes["data-figure"].startswith(("percent", "not_counted", "district/"))  # type: ignore[union-attr]
    ]
    for cell in numbers:
        reference = cell.attributes["data-figure"] or ""
        assert read(cell) == frozen(reference, figures), reference
        seen.update(reference.split())
    assert len(numbers) > 400
    codes = {reference.split("/")[0] for reference in seen}
    assert codes == {figure for figure, *_ in figures}
    # every regency of every figure that is told by regency, this week and to date
    for row in [*seed("regency"), {"regency_code": "19"}]:
        for code, period in (
            ("suspected_violation", "week"),
            ("suspected_violation", "to_date"),
            ("tip", "difference"),
            ("prevention", "previous"),
        ):
            assert f"{code}/ALL/{row['regency_code']}/{period}" in seen


def test_no_number_without_a_figure(page: LexborHTMLParser) -> None:
    for cell in page.css("tbody td, tfoot td"):
        if re.fullmatch(r"[+−]?[\d.]+(\s?%)?|n/a", cell.text().strip()):
            assert cell.attributes.get("data-figure"), cell.html


def test_completeness_names_who_is_missing(page: LexborHTMLParser) -> None:
    names = {str(r["district_name"]) for r in seed("district") if r["district_code"] in MISSING}
    table = next(t for t in page.css("table") if "Belum menyampaikan" in t.text())
    assert all(name in table.text() for name in names)
    shares = {c.attributes["data-figure"]: c.text() for c in table.css("td[data-figure^=percent]")}
    province = "percent district_submitted/ALL/19/week district_expected/ALL/19/week"
    assert shares[province] == "94\u00a0%"
    assert "44 dari 47 kecamatan (94\u00a0%)" in page.css_first(".points").text()


def test_what_was_not_counted_is_listed(page: LexborHTMLParser) -> None:
    table = next(t for t in page.css("table") if "Penanggung jawab" in t.text())
    rows = [[c.text() for c in row.css("th, td")] for row in table.css("tbody tr")]
    titles = {channel: title for channel, _, title, _ in CHANNELS}
    owners = {channel: owner for channel, _, _, owner in CHANNELS}
    register, chat = "register_laporan", "wa_aduan"
    assert rows == [
        [titles[register], "Baris uji coba", owners[register], "0", "2"],
        [titles[register], "Tanggal tidak terbaca", owners[register], "0", "1"],
        [titles[chat], "Tanggal tidak ada di kalender", owners[chat], "0", "1"],
        [titles[chat], "Pesan biasa, bukan laporan", owners[chat], "27", "58"],
    ]


def test_page_asks_nobody_for_anything(files: dict[str, dict[str, bytes]]) -> None:
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
        assert len(html) < 300_000


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
    assert len(pictures) == 3
    for picture in pictures:
        assert picture.attributes["role"] == "img"
        assert len(picture.attributes["aria-label"] or "") > 60
        assert "axis" not in (picture.html or "").replace("role-axis", "").replace("axis-", "")


def test_tile_map_has_the_seven_and_their_counts(page: LexborHTMLParser, figures: Figures) -> None:
    picture = next(s for s in page.css("figure svg") if len(s.css("rect")) == 7)
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
        assert printed[at] == str(figures["suspected_violation", "ALL", code, WEEK, "to_date"])
        week = figures["suspected_violation", "ALL", code, WEEK, "week"]
        assert printed[at + 1] == f"pekan ini {week}"


def test_pdf_says_the_same(pdf: PdfReader, page: LexborHTMLParser, figures: Figures) -> None:
    text = " ".join(" ".join(p.extract_text() for p in pdf.pages).split())
    for title in page.css(".title, figcaption, h2, li"):
        wanted = " ".join(title.text().split())
        assert wanted.replace(" ", "") in text.replace(" ", ""), wanted
    for row in page.css("tbody tr, tfoot tr"):
        wanted = "".join(c.text() for c in row.css("th, td")).replace("\u00a0", "")
        assert re.sub(r"\s", "", wanted) in re.sub(r"\s", "", text), wanted
    total = figures["campaign_event_by_method", "TATAP_MUKA", "19", WEEK, "to_date"]
    assert total > 999
    assert m.number(total) in text


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


def test_a_week_without_anything_still_reads(drafts: dict[str, Edition]) -> None:
    """All zero, nobody delivered, no week before: every sentence has its other form."""
    edition = drafts["draft"]
    empty = dataclasses.replace(
        edition,
        figures={
            key: dataclasses.replace(value, week=0, to_date=0, previous=None)
            for key, value in edition.figures.items()
        },
        trend={("suspected_violation", "ALL"): ((WEEK, 0),)},
        not_counted=(),
    )
    artefacts = rendering.render(empty)
    text = text_of(artefacts["edisi.html"])
    assert "0 dugaan pelanggaran pekan ini" in text
    assert "n/a" in text
    assert "None" not in text
    assert "Belum ada dugaan pelanggaran" in text
    assert "Tidak ada kiriman yang dikarantina atau disisihkan." in text
    assert len(PdfReader(io.BytesIO(artefacts["edisi.pdf"])).pages) >= 3
