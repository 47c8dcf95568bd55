"""The portal's open data, as a stranger's own tools read them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from frictionless import Package, system
from icalendar import Calendar
from selectolax.lexbor import LexborHTMLParser

from lumbung.publication.formats import opendata
from lumbung.publication.model.document import Table
from lumbung.publication.model.edition import Edition
from lumbung.publication.portal import archive, card, data, home, method, pages
from lumbung.publication.portal import publish as public
from lumbung.publication.portal.published import Published
from lumbung.publication.portal.site import Site
from lumbung.settings import Settings
from tests.support.edition_sample import DETAILS, seed
from tests.support.published import DRAFT, EDITIONS, LATEST

Portal = tuple[str, Settings]


@pytest.fixture(scope="module")
def folder(portal: Portal) -> Path:
    return portal[1].portal / "data"


def read(file: Path, **dialect: Any) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(file.read_text("utf-8-sig")), **dialect)]


@pytest.mark.parametrize("name", [".", "terbaru", LATEST, EDITIONS[0]])
def test_frictionless_finds_no_fault(folder: Path, name: str) -> None:
    """Types, primary keys and foreign keys hold, and every file is described."""
    with system.use_context(trusted=True):
        package = Package(str(folder / name / "datapackage.json"))
        report = package.validate()
    assert report.valid, report.flatten(["name", "rowNumber", "fieldName", "message"])[:5]
    assert {str(each.path) for each in package.resources} == {
        file.name for file in (folder / name).glob("*.csv")
    }
    assert all(field.description for each in package.resources for field in each.schema.fields)


def test_the_series_has_the_first_and_the_last_published_value(
    portal: Portal, folder: Path
) -> None:
    found = {
        (
            *(row["kode_angka"], row["kode_kategori"]),
            *(row["kode_kemendagri"].removeprefix("kemendagri:"), row["pekan"]),
        ): row
        for row in read(folder / "deret-waktu.csv")
    }
    with psycopg.connect(portal[0]) as connection:
        first = connection.execute(
            "select distinct on (metric_code, category_code, regency_code, week_id) metric_code,"
            " category_code, regency_code, week_id, week_value, edition_id"
            " from published.metric join published.edition using (edition_id)"
            " where state = 'published' and regency_code <> '19'"
            " order by 1, 2, 3, 4, revision"
        ).fetchall()
        restated = connection.execute(
            "select metric_code, category_code, regency_code, split_part(of_edition_id, '-r', 1),"
            " new_value, old_value from published.restatement"
            " where edition_id = %s and period = 'week' and regency_code <> '19'"
            " and new_value <> old_value and of_edition_id <> '2024-W46-r1'",
            (LATEST,),
        ).fetchall()
        own = connection.execute(
            "select metric_code, category_code, regency_code, week_id, week_value"
            " from published.metric join published.edition using (edition_id)"
            " where edition_id = %s",
            (LATEST,),
        ).fetchall()
    assert {key[2] for key in found if key[0] in DETAILS} == {"19"}
    for *key, value, edition in first:
        if key[0] in DETAILS:
            continue
        if key[3] == "2024-W44":  # later weeks are in the edition before too, as its "next"
            row = found[tuple(key)]
            assert (row["nilai_pertama"], row["edisi_pertama"]) == (str(value), edition)
    assert restated
    for *key, value, old in restated:
        if key[0] in DETAILS:
            continue
        row = found[tuple(key)]
        assert (row["nilai_terakhir"], row["nilai_pertama"]) == (str(value), str(old))
    for *key, value in own:
        if key[0] in DETAILS and key[2] != "19":
            continue
        assert found[tuple(key)]["nilai_terakhir"] == str(value)
    assert {row["edisi_terakhir"] for row in found.values()} <= set(EDITIONS) - {DRAFT}


def test_no_spreadsheet_makes_a_number_of_a_code(folder: Path) -> None:
    regions = read(folder / "terbaru" / "wilayah.csv")
    assert {"kemendagri:19", "kemendagri:19.00", "kemendagri:19.05"} <= {
        row["kode_kemendagri"] for row in regions
    }
    for file in folder.rglob("*.csv"):
        for row in read(file, delimiter=";" if file.parent.name == "excel" else ","):
            for name, value in row.items():
                if name.startswith("kode_") and value:
                    assert not value.replace(".", "").replace(",", "").isdigit(), (file, name)
                assert value not in ("benar", "salah", "True", "False"), (file, name)


def test_no_file_mixes_periods(folder: Path) -> None:
    week, to_date = read(folder / "terbaru/angka.csv"), read(folder / "terbaru/kumulatif.csv")
    assert {(row["mulai"], row["selesai"]) for row in week} == {("2024-11-18", "2024-11-24")}
    assert len({(row["mulai"], row["selesai"]) for row in to_date}) == 1
    assert len(week) == len(to_date) > 300


def test_the_spreadsheet_form_has_the_same_rows(folder: Path) -> None:
    for file in (folder / "terbaru").glob("*.csv"):
        excel = file.parent / "excel" / file.name
        assert excel.read_bytes().startswith(b"\xef\xbb\xbf")
        types = {
            field["name"]: field["type"]
            for each in json.loads((file.parent / "datapackage.json").read_text())["resources"]
            for field in each["schema"]["fields"]
            if each["path"] == file.name
        }
        for plain, other in zip(read(file), read(excel, delimiter=";"), strict=True):
            for name, value in plain.items():
                shown = value.replace(".", ",") if types[name] == "number" else value
                assert other[name] == shown


def test_the_list_of_editions_leads_to_every_file(portal: Portal, folder: Path) -> None:
    base = "https://data.babel.example.id/"
    editions = json.loads((folder / "edisi.json").read_text())
    assert [each["edisi"] for each in editions] == EDITIONS
    for each in editions:
        for file in each["berkas"]:
            path = portal[1].portal / file["alamat"].removeprefix(base)
            assert path.stat().st_size == file["bita"]
        assert (portal[1].portal / each["data"].removeprefix(base)).is_file()


def test_search_engines_and_catalogues_find_the_data(portal: Portal, folder: Path) -> None:
    page = LexborHTMLParser((portal[1].portal / "unduhan.html").read_text())
    node = page.css_first("script[type='application/ld+json']")
    assert node
    described = json.loads(node.text())
    assert described["@type"] == "Dataset"
    assert described["license"].startswith("https://creativecommons.org/")
    assert described["temporalCoverage"] == "2024-09-25/2024-11-24"
    catalogue = json.loads((folder / "katalog.jsonld").read_text())
    paths = [
        each["dcat:distribution"][0]["dcat:downloadURL"]["@id"]
        for each in catalogue["dcat:dataset"]
    ]
    assert len(paths) > 10
    for each in (catalogue, *catalogue["dcat:dataset"]):  # what DCAT-AP requires, and whom to ask
        assert each["dct:title"]
        assert len(each["dct:description"]) > 50
    assert [each["dct:identifier"] for each in catalogue["dcat:dataset"]] == paths
    assert all(each["dcat:contactPoint"]["vcard:fn"] for each in catalogue["dcat:dataset"])
    assert all((folder.parent / each.split("/", 3)[3]).is_file() for each in paths)


def test_satu_data_finds_the_metadata_of_bps(folder: Path) -> None:
    """As the forms of Peraturan BPS 5/2020 ask: every metric and every column is described."""
    found = json.loads((folder / "metadata-statistik.json").read_text())
    assert found["MS-Keg"]["judul_kegiatan"] == "Buletin Mingguan Pengawasan Pemilihan"
    assert found["MS-Keg"]["tahun"] == "2024"
    described = {(each["tabel"], each["nama_variabel"]) for each in found["MS-Var"]}
    assert described == {
        (file.stem, column)
        for file in (folder / "terbaru").glob("*.csv")
        for column in file.read_text().splitlines()[0].split(",")
    }
    by_code = {each["kode"]: each for each in found["MS-Ind"]}
    assert by_code.keys() == {str(row["metric_code"]) for row in seed("metric")}
    assert "Imbauan tertulis" in by_code["prevention_by_type"]["klasifikasi_penyajian"]
    empty = [each for part in ("MS-Var", "MS-Ind") for each in found[part] if "" in each.values()]
    assert empty == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("kalender.ics", "Edisi pekan 25 November–1 Desember 2024 dijadwalkan"),
        ("en/kalender.ics", "week of 25 November–1 December 2024 due"),
    ],
)
def test_calendars_announce_the_next_mondays(portal: Portal, name: str, said: str) -> None:
    calendar = Calendar.from_ical((portal[1].portal / name).read_bytes())
    events = {str(event["uid"]).split("@")[0]: event for event in calendar.walk("VEVENT")}
    assert list(events) == [*EDITIONS, *(f"2024-W{week}" for week in (48, 49, 50, 51))]
    first = events["2024-W48"]
    assert first.decoded("dtstart").isoformat() == "2024-12-01T23:00:00+00:00"
    assert said in str(first["summary"])


def test_the_first_page_says_when_the_next_edition_is_due(portal: Portal) -> None:
    page = LexborHTMLParser((portal[1].portal / "index.html").read_text())
    assert "Edisi berikutnya: Senin, 2 Desember 2024" in page.text()
    assert page.css_first("[data-after]") is None, "a demo is not late"


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_monday_that_passed_is_said_without_a_script(portal: Portal, language: str) -> None:
    with psycopg.connect(portal[0]) as connection:
        *earlier, latest = public._published(connection, "", portal[0])
    assert latest.edition.decision
    decision = replace(latest.edition.decision, how="person")
    signed = replace(latest, edition=replace(latest.edition, decision=decision))
    open_data = data.files([*earlier, signed], {})
    shown = {}
    for hour in ("2024-12-02T23:59:00+07:00", "2024-12-03T00:00:00+07:00"):
        site = Site([*earlier, signed], language, open_data, datetime.fromisoformat(hour))
        values = home.values(site, [archive.about(site, signed)])
        _, content = site.page("index.html", "index", **values)
        notice = LexborHTMLParser(content.decode()).css_first("p.late")
        assert notice is not None
        shown[hour] = "hidden" not in notice.attributes
    assert list(shown.values()) == [False, True]


@pytest.mark.parametrize("name", ["index.html", "en/index.html", "tema/PU.html"])
def test_a_link_in_a_message_shows_what_it_is(portal: Portal, name: str) -> None:
    page = LexborHTMLParser((portal[1].portal / name).read_text())
    found = {
        str(node.attributes["property"]): str(node.attributes["content"])
        for node in page.css("meta[property]")
    }
    base = "https://data.babel.example.id/"
    assert found["og:url"] == base + name.removesuffix("index.html")
    assert found["og:title"].strip(" –")
    assert len(found["og:description"]) > 20
    picture = (portal[1].portal / found["og:image"].removeprefix(base)).read_bytes()
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    size = int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])
    assert size == (int(found["og:image:width"]), int(found["og:image:height"])) == (1200, 630)
    assert len(picture) < 300_000, "WhatsApp shows no larger picture"


@pytest.mark.parametrize(
    ("folder", "name"), [("", "edisi.html"), ("en/", "en/edition.html")], ids=["id", "en"]
)
def test_each_edition_keeps_a_picture_of_its_own_numbers(
    portal: Portal, folder: str, name: str
) -> None:
    base, site = "https://data.babel.example.id/", portal[1].portal
    pictures = {}
    for each in EDITIONS:
        for path in (f"{folder}edisi/{each}/index.html", f"edisi/{each}/{name}"):
            page = LexborHTMLParser((site / path).read_text())
            node = page.css_first("meta[property='og:image']")
            assert node, path
            assert node.attributes["content"] == f"{base}{folder}kartu/{each}.png"
        pictures[each] = (site / folder / "kartu" / f"{each}.png").read_bytes()
        assert pictures[each].startswith(b"\x89PNG\r\n\x1a\n")
    assert len({*pictures.values()}) == len(EDITIONS)


def test_the_picture_of_an_edition_has_its_own_numbers(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: dict[str, Any] = {}

    def draw(**of: Any) -> bytes:
        drawn.update(of)
        return b""

    monkeypatch.setattr(card, "draw", draw)
    with psycopg.connect(portal[0]) as connection:
        published = public._published(connection, "", portal[0])
        (week,) = connection.execute(
            "select week_value from published.metric where edition_id = %s"
            " and metric_code = 'suspected_violation' and regency_code = '19'",
            (EDITIONS[0],),
        ).fetchone() or (0,)
    pages.edition_card(Site(published, "id", {}, None), published[0].edition)
    assert EDITIONS[0] in drawn["note"]
    assert drawn["stats"][0][:2] == ("Dugaan pelanggaran", str(week))


def test_the_method_has_the_rules_of_the_edition(drafts: dict[str, Edition]) -> None:
    """Not those that the office has changed since; an edition of before has none."""
    edition = drafts["demo"]

    def table(*rules: dict[str, Any]) -> Table | None:
        found = replace(edition, prevention_rules=rules)
        published = Published(found, (), opendata.files(found))
        rows: Table | None = method.values(Site([published], "id", {}, None))["suggestions"]
        return rows

    rules = {rule["rule_code"]: rule for rule in edition.prevention_rules}
    found = table(rules["GAP_PU"], rules["RISING_UNMET"] | {"suggestion": "Saran dahulu"})
    assert found is not None
    assert [[cell.text for cell in row] for row in found.rows] == [
        [
            "GAP_PU",
            "tema: Politik uang; kasus dan informasi awal dalam empat pekan: paling sedikit 1; "
            "kegiatan yang belum terlaksana: paling sedikit 1",
            "Laksanakan patroli pengawasan dan kegiatan yang direncanakan terhadap politik uang",
        ],
        [
            "RISING_UNMET",
            "kasus dan informasi awal dalam empat pekan: paling sedikit 1; tren: naik; "
            "kegiatan bertema itu dalam empat pekan: paling banyak 0",
            "Saran dahulu",
        ],
    ]
    assert table() is None


def test_citizens_find_how_to_report(portal: Portal) -> None:
    front = LexborHTMLParser((portal[1].portal / "index.html").read_text())
    assert front.css_first("nav a[href='melapor.html']")
    page = LexborHTMLParser((portal[1].portal / "melapor.html").read_text())
    names = page.css("section[aria-labelledby=saluran] dt")
    assert [node.text() for node in names] == ["SigapLapor", "WhatsApp", "Posko aduan"]
    assert "paling lama tujuh hari" in page.text()
    english = LexborHTMLParser((portal[1].portal / "en/melapor.html").read_text())
    assert "within seven days" in english.text()
    with psycopg.connect(portal[0]) as connection:
        (tips,) = connection.execute(
            "select to_date_value from published.metric where edition_id = %s"
            " and metric_code = 'tip' and regency_code = '19'",
            (LATEST,),
        ).fetchone() or (0,)
    for each, finding in ((page, "Temuan yang berawal dari"), (english, "Findings that began as")):
        became = each.css("section[aria-labelledby=menjadi] dl.facts > div")
        assert [node.css_first("dd").text() for node in became] == [str(tips), "2", "1"]
        assert became[1].css_first("dt").text().startswith(finding)
