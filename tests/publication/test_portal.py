"""The portal holds every published edition, nothing else, and is swapped in whole."""

from __future__ import annotations

import csv
import gzip
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin
from xml.etree import ElementTree

import psycopg
import pytest
from markupsafe import escape
from selectolax.lexbor import LexborHTMLParser

from lumbung.errors import CheckpointError, ServiceError
from lumbung.publication.checks.pii import find_personal_data
from lumbung.publication.formats import render
from lumbung.publication.model.edition import Edition
from lumbung.publication.office import ReportingChannel
from lumbung.publication.portal import publish as public
from lumbung.publication.portal import themes
from lumbung.publication.portal.pages import site
from lumbung.publication.portal.site import Site
from lumbung.settings import Settings
from tests.support.edition_sample import DETAILS, NEEDS
from tests.support.published import DRAFT, EDITIONS, LATEST, publish

Portal = tuple[str, Settings]


def tree(folder: Path) -> dict[str, bytes]:
    return {
        f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*") if f.is_file()
    }


@pytest.fixture(scope="module")
def files(portal: Portal) -> dict[str, bytes]:
    return tree(portal[1].portal)


@pytest.fixture(scope="module")
def pages(files: dict[str, bytes]) -> dict[str, LexborHTMLParser]:
    """The portal's own pages; an edition's HTML artefact is not one."""
    return {
        name: LexborHTMLParser(content.decode())
        for name, content in files.items()
        if name.endswith(".html") and not name.endswith(("edisi.html", "edition.html"))
    }


def ask(url: str, query: str, *parameters: object) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode(), parameters or None).fetchall()


def test_every_published_artefact_and_no_draft(portal: Portal, files: dict[str, bytes]) -> None:
    stored = {
        f"edisi/{edition}/{name}": content
        for edition, name, content in ask(
            portal[0], "select edition_id, name, content from published.artefact"
        )
    }
    assert {name.split("/")[1] for name in stored} == set(EDITIONS)
    assert stored.items() <= files.items()
    own = set(files) - set(stored)
    assert {name.split("/")[1] for name in own if name.startswith("edisi/")} == set(EDITIONS)
    assert ask(portal[0], "select state from published.edition where edition_id = %s", DRAFT)
    assert all(DRAFT.encode() not in files[name] for name in own)
    regencies = ask(portal[0], "select regency_code from marts.dim_regency where not is_unknown")
    themes = ask(portal[0], "select issue_code from marts.dim_issue")
    assert {f"wilayah/{code}.html" for (code,) in regencies} <= own
    assert {f"tema/{code}.html" for (code,) in themes} <= own
    pages = {
        name
        for name in own
        if name.endswith((".html", ".xml", ".ics", ".png")) and name[:3] != "en/"
    }
    assert {name.removeprefix("en/") for name in own if name.startswith("en/")} == pages


def text(value: object) -> str:
    return "n/a" if value is None else f"{value:,}".replace(",", ".").replace("-", "−")


def expected(url: str) -> dict[str, str]:
    """What each reference must show, straight from the frozen rows."""
    found = {}
    for metric, category, place, week, to_date, previous in ask(
        url,
        "select metric_code, category_code, regency_code, week_value, to_date_value,"
        " previous_week_value from published.metric where edition_id = %s",
        LATEST,
    ):
        key = f"{metric}/{category}/{place}"
        found[f"{key}/week"], found[f"{key}/to_date"] = text(week), text(to_date)
        found[f"{key}/previous"] = text(previous)
        assert isinstance(week, int)
        difference = None if previous is None else week - int(str(previous))
        found[f"{key}/difference"] = ("+" if difference and difference > 0 else "") + text(
            difference
        )
    for place, district, group, value in ask(
        url,
        "select regency_code, district_code, group_code, to_date_value"
        " from published.district_metric where edition_id = %s",
        LATEST,
    ):
        found[f"district/{district or place}/{group}/weeks"] = "*" if value is None else text(value)
    for place, issue, quotient in ask(
        url,
        "select m.regency_code, m.category_code, m.to_date_value::numeric * province.to_date_value"
        " / nullif(of.to_date_value * theme.to_date_value, 0)"
        " from published.metric as m"
        " join published.metric as of on of.edition_id = m.edition_id"
        " and of.regency_code = m.regency_code and of.metric_code = 'suspected_violation'"
        " join published.metric as theme on theme.edition_id = m.edition_id"
        " and theme.regency_code = '19' and theme.category_code = m.category_code"
        " and theme.metric_code = m.metric_code"
        " join published.metric as province on province.edition_id = m.edition_id"
        " and province.regency_code = '19' and province.metric_code = 'suspected_violation'"
        " where m.edition_id = %s and m.metric_code = 'suspected_violation_by_issue'",
        LATEST,
    ):
        value = "n/a" if quotient is None else f"{quotient:.2f}".replace(".", ",")
        found[f"profile/quotient/{place}/{issue}"] = value
    for (place, issue), (done, planned, _) in NEEDS.items():
        for at, count in (("done", done), ("planned", planned), ("gap", max(0, planned - done))):
            found[f"need/{at}/{place}/{issue}"] = text(count)
    found |= {"plan/19.71/2024-11-25/2024-12-08": "7", "plan/19.02/2024-12-22/2024-12-31": "2"}
    for of, metric, category, place, old, new in ask(
        url,
        "select distinct of_edition_id, metric_code, category_code, regency_code, old_value,"
        " new_value from published.restatement join published.edition using (edition_id)"
        " where period = 'week' and state = 'published'",
    ):
        for at, value in (("old", old), ("new", new)):
            key = f"restatement/{at}/{metric}/{category}/{place}/week@{of}"
            found[key] = found.get(key, "") + f" {text(value)} "
    counted = ask(
        url,
        "select category_code || '/' || regency_code, count(*)"
        " from published.metric_contributor where edition_id = %s and metric_code = 'detail'"
        " group by 1",
        LATEST,
    )
    for key in [key.removesuffix("/week") for key in found if key.endswith("/week")]:
        parts = [n for at, n in counted if at == key or str(at).startswith(f"{key}.")]
        is_hidden = key.startswith("report_") and key.endswith(("/19.00", "/19.04"))
        found[f"{key}/weeks"] = "*" if is_hidden else text(sum(map(int, map(str, parts))))
    # What is known now, but for the draft's tip: the latest edition was frozen on this.
    for metric, category, place, week, value in ask(
        url,
        "select metric_code, category_code, regency_code, week_id, value"
        " from reporting.rpt_metric where period = 'week' and not"
        " (metric_code = 'tip' and week_id = '2024-W47')",
    ):
        found[f"{metric}/{category}/{place}/week@{week}"] = text(value)
    for place, value in ask(
        url,
        "select regency_code, week_value from published.metric"
        " where edition_id = %s and metric_code = 'tip'",
        LATEST,
    ):
        found[f"tip/ALL/{place}/week@2024-W47"] = text(value)
    return found


def test_every_number_is_one_that_an_edition_holds(
    portal: Portal, pages: dict[str, LexborHTMLParser]
) -> None:
    known = expected(portal[0])
    compared = suppressed = 0
    for name, page in pages.items():
        if name.startswith("en/"):
            continue
        for node in page.css("[data-figure]"):
            reference = str(node.attributes["data-figure"])
            shown = node.text().strip()
            if reference.startswith(("percent ", "percent/", "rate/", "vulnerability/")):
                continue
            if reference.startswith("restatement/"):
                assert f" {shown} " in known[reference], (name, reference)
            elif shown == "*" and " " in reference:
                assert "*" in [known[part] for part in reference.split()]
            elif " " in reference:  # a sum
                parts = [
                    int(known[r].replace(".", "").replace("−", "-")) for r in reference.split()
                ]
                signed = "+" if "/difference" in reference and sum(parts) > 0 else ""
                assert shown == signed + text(sum(parts)), (name, reference)
            else:
                assert shown == known[reference], (name, reference)
            compared += 1
            suppressed += shown == "*"
            if reference.startswith("district/"):
                assert name.startswith("wilayah/")
        # No number without its metric, but for sizes of files and counts of changes.
        if name not in ("arsip.html", "unduhan.html") and not name.startswith("edisi/"):
            assert not [n.text() for n in page.css("td.n:not([data-figure])") if n.text() != "n/a"]
    assert compared > 2000
    assert suppressed > 3


def test_every_page_is_light_enough_for_a_phone(files: dict[str, bytes]) -> None:
    """150 kB with its style sheet, as a server sends them compressed."""
    style = len(gzip.compress(files["portal.css"]))
    sizes = {
        name: style + len(gzip.compress(content))
        for name, content in files.items()
        if name.endswith(".html")
    }
    assert len(sizes) > 40
    assert max(sizes.values()) < 150_000, max(sizes, key=lambda name: sizes[name])


def test_english_pages_say_the_same(pages: dict[str, LexborHTMLParser]) -> None:
    """The same numbers on each page, and a way to the page in the other language."""
    english = {name: page for name, page in pages.items() if name.startswith("en/")}
    assert len(english) == len(pages) / 2
    for name, page in english.items():
        other = pages[name.removeprefix("en/")]
        spoken = [tree.css_first("html").attributes["lang"] for tree in (page, other)]
        assert spoken == ["en", "id"]
        shown = [
            [
                (n.attributes["data-figure"], re.sub(r"[.,\s\u00a0]", "", n.text()))
                for n in tree.css("[data-figure]")
            ]
            for tree in (page, other)
        ]
        assert sorted(shown[0]) == sorted(shown[1]), name
        to_other, to_english = (
            tree.css_first("nav .other a").attributes["href"] for tree in (page, other)
        )
        assert urljoin(f"/{name}", str(to_other)) == f"/{name.removeprefix('en/')}"
        assert urljoin(f"/{name.removeprefix('en/')}", str(to_english)) == f"/{name}"
        words = re.sub(r"\S+\.\w+|Bahasa Indonesia", "", page.body.text())  # type: ignore[union-attr]
        if name == "en/metode.html":
            continue  # the dictionary explains Indonesian codes
        for left in ("dugaan", "pekan", "wilayah", "Tabel data", "Saring", "menurut"):
            assert left not in words, (name, left)


def test_a_theme_is_only_alleged(pages: dict[str, LexborHTMLParser]) -> None:
    """A theme's page says so before its name; a title and a picture too."""
    page = pages["tema/PU.html"]
    assert "Dugaan pelanggaran" in page.css_first(".kicker").text()
    assert page.css_first("title").text().startswith("Dugaan pelanggaran: Politik uang")
    assert page.css_first("#tabel-wilayah").text() == "Dugaan pelanggaran bertema “Politik uang”"
    assert "Dugaan pelanggaran" in str(page.css_first("svg").attributes["aria-label"])


def test_prevention_has_a_page_and_stands_on_the_regency_s(
    pages: dict[str, LexborHTMLParser],
) -> None:
    """Theme, cases, trend, done, planned, gap and the next step."""

    def row(page: str, table: str) -> list[str]:
        return [cell.text() for cell in pages[page].css(f"[aria-labelledby={table}] tbody tr *")]

    needs = row("agenda.html", "tabel-kebutuhan")
    assert needs[:2] == ["Pangkal Pinang", "Politik uang"]
    assert needs[3].startswith("naik (")
    assert needs[4:8] == [
        *("4", "10", "6"),
        "Laksanakan patroli pengawasan dan kegiatan yang direncanakan terhadap politik uang",
    ]
    assert needs[8:16:7] == [
        "Bangka Tengah",
        "Susun pola pencegahan untuk tema menonjol ini: belum ada rencananya",
    ]
    assert row("wilayah/19.71.html", "tabel-pencegahan")[:7] == needs[1:8]
    said = [line.text() for line in pages["wilayah/19.71.html"].css("#rencana ~ ul li")]
    assert [line.split(":")[0] for line in said[:3]] == [
        *("Masalah", "Yang dilakukan", "Yang direncanakan"),
    ]
    for page in ("agenda.html", "wilayah/19.71.html"):
        notes = pages[page].css_first("main").text()
        assert "Satu peristiwa yang masuk lewat beberapa kanal dihitung pada tiap kanal." in notes


def test_each_rule_of_a_suggestion_can_be_read(
    files: dict[str, bytes], pages: dict[str, LexborHTMLParser]
) -> None:
    """What the open data name by code, with its conditions."""
    rows = pages["metode.html"].css("[aria-labelledby=tabel-aturan] tbody tr")
    rules = {row.css_first("th").text(): [cell.text() for cell in row.css("td")] for row in rows}
    assert rules["GAP_PU"] == [
        "tema: Politik uang; kasus dan informasi awal dalam empat pekan: paling sedikit 1; "
        "kegiatan yang belum terlaksana: paling sedikit 1",
        "Laksanakan patroli pengawasan dan kegiatan yang direncanakan terhadap politik uang",
    ]
    table = files[f"data/{LATEST}/kebutuhan.csv"].decode().splitlines()
    used = {row["kode_aturan"] for row in csv.DictReader(table)} - {""}
    assert len(used) == 2
    assert used < rules.keys()


def test_thousands_are_grouped_on_pictures_too(pages: dict[str, LexborHTMLParser]) -> None:
    texts = [text.text() for page in pages.values() for text in page.css(".chart text")]
    assert not [text for text in texts if re.fullmatch(r"\d{4,}", text)]


def test_a_regency_over_time_is_as_the_latest_edition_knows_it(
    portal: Portal, pages: dict[str, LexborHTMLParser]
) -> None:
    restated = ask(
        portal[0],
        "select regency_code, old_value, new_value from published.restatement"
        " where edition_id = %s and of_edition_id = '2024-W44-r1' and period = 'week'"
        " and metric_code = 'suspected_violation' and regency_code <> '19'",
        LATEST,
    )
    assert len(restated) >= 2
    for place, old, new in restated:
        rows = pages[f"wilayah/{place}.html"].css("#dugaan-pelanggaran tbody tr")
        shown = {
            row.css_first("td").attributes["data-figure"].split("@")[1]: (  # type: ignore[union-attr]
                row.css("td")[0].text(),
                row.css("td")[1].text(),
            )
            for row in rows
        }
        assert shown["2024-W44"] == (str(new), LATEST) != (str(old), LATEST)
        assert shown["2024-W46"][1] == "2024-W46-r2"
        # of the week before the first edition only that edition knows
        assert list(shown) == [f"2024-W{n}" for n in range(43, 48)]
        assert shown["2024-W43"][1] == "2024-W44-r1"


def test_archive_states_revisions_and_restatements(
    portal: Portal, pages: dict[str, LexborHTMLParser]
) -> None:
    rows = pages["arsip.html"].css("tbody tr")
    cells = {r.css("td")[0].text()[:11]: [c.text() for c in r.css("td")] for r in rows}
    assert list(cells) == EDITIONS[::-1]
    assert "diganti 2024-W46-r2" in cells["2024-W46-r1"][0]
    assert "revisi 2" in cells["2024-W46-r2"][0]
    assert cells["2024-W44-r1"][1].replace("\xa0", " ") == "24 November 2024 20.00 WIB"
    count = (
        "select count(*) from published.restatement where period <> 'to_date'"
        f" and (regency_code = '19' or metric_code not in {(*sorted(DETAILS),)}) and "
    )
    for edition in EDITIONS:
        stated = ask(portal[0], count + "not is_published and edition_id = %s", edition)[0][0]
        changed = ask(portal[0], count + "edition_id = %s and of_edition_id = %s", LATEST, edition)[
            0
        ][0]
        assert cells[edition][2:4] == [str(stated), str(changed)]
        page = pages[f"edisi/{edition}/index.html"]
        assert len(page.css("[aria-labelledby=tabel-perubahan] tbody tr")) == stated
        assert len(page.css("[aria-labelledby=tabel-kemudian] tbody tr")) == changed
    assert int(cells["2024-W44-r1"][3]) > 10
    assert "Pakai edisi 2024-W46-r2" in pages["edisi/2024-W46-r1/index.html"].text()
    press = ask(
        portal[0],
        "select convert_from(content, 'utf8') from published.artefact"
        " where edition_id = '2024-W45-r1' and name = 'siaran-pers.txt'",
    )[0][0]
    points = pages["edisi/2024-W45-r1/index.html"].css(".points li")
    assert len(points) >= 6
    assert all(f"- {point.text()}\n" in str(press) for point in points)


def test_every_link_leads_somewhere(
    files: dict[str, bytes], pages: dict[str, LexborHTMLParser]
) -> None:
    followed = 0
    for name, page in pages.items():
        assert len(page.css("h1")) == 1
        ids = [node.attributes["id"] for node in page.css("[id]")]
        assert len(ids) == len(set(ids)), name
        for node in page.css("[href], [src]"):
            link = str(node.attributes.get("href") or node.attributes.get("src"))
            if link.startswith("data:") or node.attributes.get("rel") == "canonical":
                continue  # nothing is loaded from there
            target, fragment = urldefrag(urljoin(f"http://here/{name}", link))
            if not target.startswith("http://here/"):
                assert node.tag == "a"  # nothing is loaded from elsewhere
                assert "noreferrer" in str(node.attributes["rel"])
                continue
            path = unquote(target.removeprefix("http://here/"))
            assert path in files, (name, link)
            if fragment:
                assert pages[path].css_first(f"#{fragment}"), (name, link)
            followed += 1
        assert "style" not in {key for node in page.css("*") for key in node.attributes}
    assert followed > 500


def test_feed_is_well_formed_and_complete(files: dict[str, bytes]) -> None:
    atom = "{http://www.w3.org/2005/Atom}"
    feed = ElementTree.fromstring(files["umpan.xml"])
    assert feed.tag == f"{atom}feed"
    entries = feed.findall(f"{atom}entry")
    assert [e.findtext(f"{atom}title", "").split("edisi ")[1][:-1] for e in entries] == EDITIONS[
        ::-1
    ]
    ids = [node.text for node in feed.iter(f"{atom}id")]
    assert len(set(ids)) == len(ids) == 6
    assert all(re.fullmatch(r"tag:[\w.-]+,\d{4}-\d\d-\d\d:[\w-]+", str(i)) for i in ids)
    times = [datetime.fromisoformat(str(node.text)) for node in feed.iter(f"{atom}updated")]
    assert times[0] == max(times[1:])
    assert (
        feed.attrib["{http://www.w3.org/XML/1998/namespace}base"]
        == "https://data.babel.example.id/"
    )
    for entry in entries:
        assert entry.findtext(f"{atom}summary")
        for link in entry.findall(f"{atom}link"):
            assert link.attrib["href"] in files
        enclosure = entry.find(f"{atom}link[@rel='enclosure']")
        assert enclosure is not None
        assert int(enclosure.attrib["length"]) == len(files[enclosure.attrib["href"]])


def elsewhere(portal: Portal, home: Path) -> Settings:
    """Another home that trusts the key of the published editions."""
    (home / "keys").mkdir()
    shutil.copy(portal[1].home / "keys" / "minisign.pub", home / "keys")
    return Settings(home, home, None)


def test_no_page_holds_personal_data(files: dict[str, bytes]) -> None:
    looked = [
        n for n in files if n.endswith(".html") and not n.endswith(("edisi.html", "edition.html"))
    ]
    assert len(looked) > 30
    assert [n for n in looked if find_personal_data(n, files[n])] == []


def test_a_page_with_personal_data_is_not_shown(
    portal: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = elsewhere(portal, tmp_path)
    monkeypatch.setattr(public, "site", lambda *_, **__: {"index.html": b"<p>0812-3456-7890</p>"})
    with pytest.raises(CheckpointError, match=r"index\.html holds a phone number"):
        public.build(settings=home, database_url=portal[0])
    assert not home.portal.exists()


@pytest.mark.parametrize(
    ("path", "said"), [("melapor.html", "text"), ("en/melapor.html", "text_en")]
)
def test_an_office_may_print_its_own_number_where_it_says_how_to_report(
    path: str, said: str
) -> None:
    """On that page only, and nobody else's number."""
    channel = ReportingChannel(
        name="WhatsApp 0812-3456-7890",
        text='nomor kantor 0812-3456-7890 & "aduan@babel.example.id"',
        text_en="the office's number 0812-3456-7890",
        url="https://wa.me/6281234567890",
    )
    texts = escape(f"{channel.name}\n{getattr(channel, said)}\n{channel.url}")
    page = f"<p>Cara melapor: {texts}</p>".encode()
    assert find_personal_data(path, page)
    public.refuse_personal_data({path: page}, (channel,))
    for pages in ({path: page + b" 0812-9999-8888"}, {"index.html": page}):
        with pytest.raises(CheckpointError, match="holds a phone number"):
            public.refuse_personal_data(pages, (channel,))


def test_a_second_build_elsewhere_gives_the_same_bytes(
    portal: Portal, files: dict[str, bytes], tmp_path: Path
) -> None:
    elsewhere(portal, tmp_path)
    code = (
        "import sys; from pathlib import Path; from lumbung.publication.portal import publish;"
        "from lumbung.settings import Settings;"
        "publish.build(settings=Settings(Path(sys.argv[2]), Path(sys.argv[2]), None),"
        " database_url=sys.argv[1])"
    )
    subprocess.run(
        [sys.executable, "-c", code, portal[0], str(tmp_path)],
        env=os.environ | {"TZ": "America/Lima", "PYTHONHASHSEED": "7", "LC_ALL": "C"},
        cwd=tmp_path,
        check=True,
    )
    assert tree(tmp_path / "portal") == files


def test_without_editions_the_portal_says_so() -> None:
    found = site([])
    assert set(found) == {"index.html", "portal.css", "portal.js"}
    assert "Belum ada edisi terbit" in found["index.html"].decode()


def test_the_first_edition_is_said_to_have_none_before_it(portal: Portal) -> None:
    """Nothing was compared: the pages say what the edition says."""
    with psycopg.connect(portal[0]) as connection:
        first, *_ = public._published(connection, "", portal[0])
    found = site([first])
    for name in ("index.html", f"edisi/{first.edition.edition_id}/index.html"):
        assert "Belum ada edisi sebelum ini" in found[name].decode(), name


def test_a_campaign_without_a_theme_or_an_outcome_of_a_tip_says_so(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = themes.theme_table

    def none(of: Site, home: str) -> Any:
        table, links = whole(of, home)
        rows = [[name, *(replace(c, value=0) for c in cells)] for name, *cells in table.rows]
        return replace(table, rows=rows), links

    monkeypatch.setattr(themes, "theme_table", none)
    with psycopg.connect(portal[0]) as connection:
        *earlier, latest = public._published(connection, "", portal[0])
    edition = replace(latest.edition, tip_outcomes={"LP": 0, "TM": 0})
    found = site([*earlier, replace(latest, edition=edition)])
    became = LexborHTMLParser(found["melapor.html"].decode()).css("[aria-labelledby=menjadi] dd")
    assert [node.text() for node in became[1:]] == ["0", "0"]
    section = LexborHTMLParser(found["index.html"].decode()).css_first("[aria-labelledby=tema]")
    assert section is not None
    assert "belum ada dugaan pelanggaran yang temanya" in section.text()


def test_volumes_of_an_edition_of_before_are_listed(
    url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Earlier releases parted a PDF that was too long."""
    whole = render.render

    def parted(edition: Edition) -> dict[str, bytes]:
        files = whole(edition)
        return files | {
            "edisi-bagian-02.pdf": files["edisi.pdf"],
            "en/edition-part-02.pdf": files["en/edition.pdf"],
        }

    monkeypatch.setattr(render, "render", parted)
    publish(url, settings, "2024-W47", "person")
    public.build(settings=settings, database_url=url)
    for name, said, other in (
        ("unduhan.html", "Buletin, siap cetak: bagian 2", "edisi-bagian-02.pdf"),
        ("en/unduhan.html", "Bulletin, for print: part 2", "edition-part-02.pdf"),
    ):
        page = LexborHTMLParser((settings.portal / name).read_text())
        rows = [row.text() for row in page.css("tr") if other in (row.html or "")]
        assert len(rows) == 1
        assert said in rows[0]


def test_a_folder_in_the_way_is_named(portal: Portal, tmp_path: Path) -> None:
    (tmp_path / "portal").mkdir()
    (tmp_path / "portal" / "index.html").write_text("someone's own")
    with pytest.raises(ServiceError, match="portal cannot be written"):
        public.build(settings=elsewhere(portal, tmp_path), database_url=portal[0])
    assert (tmp_path / "portal" / "index.html").read_text() == "someone's own"


@pytest.mark.slow
def test_killed_before_every_line_shows_the_old_site_or_the_new_one(
    portal: Portal, tmp_path: Path
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.killed_portal"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdin
        assert process.stdout

        def build(home: Path, site: str, line: int) -> int:
            assert process.stdin
            assert process.stdout
            process.stdin.write(f"{portal[0]} {home} {site} {line}\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        first = tmp_path / "first"
        assert build(first, "old", -1) == 0
        old = tree(first / "portal")
        assert build(first, "older", -1) == 0
        assert build(first, "old", -1) == 0
        assert len(old) == 4
        new = {name: b"new" if name.endswith(".html") else c for name, c in old.items()}
        seen = []
        status, line = -signal.SIGKILL, 0
        while status:
            line += 1
            home = tmp_path / str(line)
            shutil.copytree(first, home, symlinks=True)
            status = build(home, "new", line)
            assert status in (0, -signal.SIGKILL)
            shown = tree(home / "portal")
            assert shown in (old, new), line
            seen.append(shown == new)
            if status:
                assert build(home, "new", -1) == 0
                assert tree(home / "portal") == new
            assert {p.name for p in home.iterdir()} == {"portal", "portals"}
            left = [p.name for p in (home / "portals").iterdir() if p.name != "current"]
            assert len(left) <= 2
            assert all(name.isdigit() for name in left)
            shutil.rmtree(home)
        assert seen == sorted(seen)
        assert seen.count(False) > 30
        assert seen.count(True) > 2
        process.stdin.close()
