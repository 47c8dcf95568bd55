"""The portal and the edition's own page in a real browser: read, filtered, downloaded, printed.

axe examines a page of each kind, and every page with LUMBUNG_AXE=1 (about ten minutes).
"""

from __future__ import annotations

import hashlib
import io
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Response
from pypdf import PdfReader
from selectolax.lexbor import LexborHTMLParser, LexborNode

from lumbung.local.portal import NAME, PortalServer
from lumbung.local.processes import Processes
from lumbung.settings import Settings
from tests.support.edition_sample import ISSUES
from tests.support.published import EDITIONS, LATEST

PAGES = [
    "index.html",
    "wilayah.html",
    "wilayah/19.05.html",
    "tema.html",
    "tema/PU.html",
    "tren.html",
    "arsip.html",
    "edisi/2024-W46-r2/index.html",
    "unduhan.html",
    "metode.html",
    "agenda.html",
    "melapor.html",
    "en/index.html",
]
EDITION = f"edisi/{LATEST}/edisi.html"
IN_ENGLISH = "edisi/2024-W45-r1/en/edition.html"
REGENCIES = [*(f"19.0{n}" for n in range(1, 7)), "19.71"]
ALIKE = {
    "wilayah/19.05.html": [f"wilayah/{code}.html" for code in REGENCIES],
    "tema/PU.html": [f"tema/{code}.html" for code in ISSUES],
    "edisi/2024-W46-r2/index.html": [f"edisi/{each}/index.html" for each in EDITIONS],
    EDITION: [f"edisi/{each}/edisi.html" for each in EDITIONS],
}
"""A page of each kind that has several, and all of them."""
EVERY = list(
    dict.fromkeys(
        translated
        for name in [*PAGES, EDITION]
        for each in ALIKE.get(name, [name])
        for translated in (
            each,
            each.replace("edisi.html", "en/edition.html")
            if name == EDITION
            else f"en/{each.removeprefix('en/')}",
        )
    )
)
"""Every page of the portal and of its editions, in both languages."""
EXAMINED = [
    *(*PAGES, EDITION),
    # what the others do not have: a total of 0, an edition that was replaced, restatements
    *("tema/SARA.html", "edisi/2024-W46-r1/index.html", IN_ENGLISH),
]
"""What axe examines: every kind of page, and every element that a page of the sample has."""
DESKTOP, PHONE = (1280, 900), (390, 844)
LIMIT = 300_000
"""Bytes of everything a page loads, before charts (issue 5)."""


@pytest.fixture(scope="module")
def address(
    portal: tuple[str, Settings], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The portal as `lumbung up` serves it."""
    folder = tmp_path_factory.mktemp("served")
    processes = Processes(folder / "run", folder / "logs")
    server = PortalServer(portal[1].portal, processes)
    assert server.url is None
    server.start()
    server.start()  # one is enough
    found = server.url
    assert found
    yield found
    processes.stop(NAME)


def context(browser: Browser, size: tuple[int, int] = DESKTOP, **options: object) -> BrowserContext:
    return browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        accept_downloads=True,
        **options,  # type: ignore[arg-type]
    )


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A desktop's page; a script's error fails the test."""
    with context(browser) as window:
        opened = window.new_page()
        errors: list[object] = []
        opened.on("pageerror", lambda error: errors.append(error))
        opened.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        yield opened
        assert errors == []


SHORTER = """
    document.querySelectorAll("details").forEach((it) => { it.open = true; });
    document.querySelectorAll(`section:has(> h2[id^=kab-]) ~ section:has(> h2[id^=kab-]),
        .charts .series:nth-child(n+3)`).forEach((it) => it.remove());
    document.querySelectorAll("tbody").forEach((body) => {
        const seen = new Set();
        [...body.rows].forEach((row) => {
            const kinds = [...row.querySelectorAll("*")].map((it) => it.tagName + it.className);
            if (kinds.every((kind) => seen.has(kind))) row.remove();
            kinds.forEach((kind) => seen.add(kind));
        });
    });
"""
"""Unfolds all; rows, charts and regencies like those before only cost axe time (a minute)."""


OF_COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
"""The rules whose finding depends on the colour scheme."""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name == IN_ENGLISH else [])
        for name in (EVERY if os.environ.get("LUMBUNG_AXE") else EXAMINED)
    ],
)
def test_accessible_light_and_dark_on_desktop_and_phone(
    browser: Browser, address: str, name: str
) -> None:
    with context(browser) as window:
        opened = window.new_page()
        opened.goto(address + name)
        opened.evaluate(SHORTER)
        for size in (DESKTOP, PHONE):
            opened.set_viewport_size({"width": size[0], "height": size[1]})
            for scheme, only in (("light", {}), ("dark", OF_COLOURS)):
                opened.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                found = Axe().run(opened, options=only)
                assert found.violations_count == 0, (size, scheme, found.generate_report())
                assert found.response["passes"]
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert opened.evaluate(wide) == 0
        background = "getComputedStyle(document.body).backgroundColor"
        assert opened.evaluate(background) == "rgb(20, 20, 20)"


def shape(node: LexborNode) -> tuple[str, ...]:
    """An element and those around it, each with what axe's rules ask for but its text."""
    found = []
    element: LexborNode | None = node
    while element is not None and element.tag not in ("html", "-undef"):
        attributes = element.attributes
        given = "".join(f"[{name}]" for name in sorted(attributes) if name != "data-figure")
        found.append(f"{element.tag}.{attributes.get('class')}.{attributes.get('role')}{given}")
        element = element.parent
    return tuple(found)


def test_pages_that_axe_does_not_examine_are_made_as_those_that_it_does(
    portal: tuple[str, Settings],
) -> None:
    """Of one kind they have the same elements; names, ids and headings are of the page itself."""
    folder = portal[1].portal
    assert {str(path.relative_to(folder)) for path in folder.rglob("*.html")} == set(EVERY)
    pages = {name: LexborHTMLParser((folder / name).read_text("utf-8")) for name in EVERY}
    examined = {shape(node) for name in EXAMINED for node in pages[name].css("*")}
    assert len(examined) > 200
    for name, page in pages.items():
        assert {shape(node) for node in page.css("*")} <= examined, name
        is_english = name.startswith("en/") or "/en/" in name
        assert page.css_first("html").attributes["lang"] == ("en" if is_english else "id"), name
        ids = Counter(node.attributes["id"] for node in page.css("[id]"))
        assert set(ids.values()) == {1}, (name, ids.most_common(1))
        for attribute in ("aria-labelledby", "href"):
            for node in page.css(f"[{attribute}]"):
                given = str(node.attributes[attribute])
                if attribute != "href" or given.startswith("#"):
                    assert given.removeprefix("#") in ids, (name, given)
        for node in page.css("title, h1, h2, h3, h4, th, a, summary, label, svg[role=img], nav"):
            said = node.attributes.get("aria-label") or node.text()
            assert said.strip(), (name, node.html)
        levels = [int(str(node.tag)[1]) for node in page.css("h1, h2, h3, h4")]
        assert levels.count(1) == 1
        pairs = zip([0, *levels], levels, strict=False)
        assert all(level <= before + 1 for before, level in pairs), (name, levels)


@pytest.mark.parametrize("name", PAGES)
def test_small_and_without_third_parties(
    page: Page, browser: Browser, address: str, name: str
) -> None:
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(address + name, wait_until="networkidle")
    assert len(answers) == 3  # the page, one style sheet, one script
    assert all(answer.url.startswith(address) and answer.ok for answer in answers)
    assert sum(len(answer.body()) for answer in answers) < LIMIT


def test_filter_hides_what_does_not_match(page: Page, address: str) -> None:
    page.goto(address + "tren.html")
    field = page.get_by_label("Saring angka")
    rows = page.locator("table[data-filter] tbody tr:visible")
    total = rows.count()
    assert total > 30
    field.fill("tema politik uang")
    assert rows.all_inner_texts()[0].startswith("Dugaan pelanggaran menurut tema: Politik uang")
    assert rows.count() == 1
    assert page.get_by_role("status").inner_text() == f"1 dari {total} baris"
    field.fill("tidak ada yang begini")
    assert rows.count() == 0
    field.fill("")
    assert rows.count() == total
    assert page.get_by_role("status").inner_text() == ""


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_downloads_are_the_stored_bytes(
    page: Page, address: str, portal: tuple[str, Settings]
) -> None:
    with psycopg.connect(portal[0]) as connection:
        stored: dict[str, str] = dict(
            connection.execute(
                "select name, sha256 from published.artefact where edition_id = %s", (LATEST,)
            ).fetchall()
        )
    page.goto(address)
    tidy = portal[1].portal / "data" / LATEST / "angka.csv"
    wanted = {"edisi.xlsx": stored["edisi.xlsx"], "data/angka.csv": sha256_of(tidy.read_bytes())}
    for kind, name in (("XLSX", "edisi.xlsx"), ("CSV", "data/angka.csv")):
        with page.expect_download() as waiting:
            page.get_by_role("link", name=kind).click()
        assert waiting.value.suggested_filename == f"{LATEST}-{name.replace('/', '-')}"
        assert sha256_of(Path(waiting.value.path()).read_bytes()) == wanted[name]
    assert page.get_by_role("link", name="HTML").get_attribute("href") == EDITION
    page.get_by_role("link", name="English").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Week 47: 18–24 November 2024"
    page.get_by_role("link", name="Downloads").click()
    page.get_by_role("link", name="Bahasa Indonesia").click()
    shown = page.locator("table.files tbody tr").all_inner_texts()
    assert len(shown) == len(stored)
    assert all(any(sha256 in row for row in shown) for sha256 in stored.values())


def test_printed_with_its_numbers_and_without_controls(page: Page, address: str) -> None:
    page.goto(address)
    page.emulate_media(color_scheme="dark")  # paper is white all the same
    printed = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    sheet = printed.pages[0].mediabox
    assert (round(sheet.width), round(sheet.height)) in {(595, 842), (595, 841)}
    assert 1 < len(printed.pages) < 6
    text = " ".join(" ".join(p.extract_text() for p in printed.pages).split())
    assert "Angka kunci pekan ini" in text
    assert "25 September 2024" in text  # the data beneath a chart, folded on the screen
    assert "Unduhan" not in text  # the navigation
    assert "Langsung ke isi" not in text
    page.goto(address + "tren.html")
    text = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages[0].extract_text()
    assert "Saring" not in text


def test_everything_is_there_without_scripts(browser: Browser, address: str) -> None:
    with context(browser, PHONE, java_script_enabled=False) as window:
        opened = window.new_page()
        opened.goto(address + "tren.html")
        assert opened.locator("input").count() == 0
        assert opened.locator("table tbody tr:visible").count() > 30
        hidden = opened.locator("#dugaan-pelanggaran table")
        assert not hidden.is_visible()
        opened.locator("#dugaan-pelanggaran summary").click()
        assert hidden.is_visible()
        opened.get_by_role("navigation", name="Utama").get_by_role("link", name="Arsip").click()
        assert opened.get_by_role("heading", level=1).inner_text() == "Arsip edisi"


def test_usable_by_keyboard(page: Page, address: str) -> None:
    page.goto(address)
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    assert focused.inner_text() == "Langsung ke isi"
    box = focused.bounding_box()
    assert box
    assert box["x"] >= 0  # seen when focused
    assert focused.evaluate("(e) => getComputedStyle(e).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "isi"
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text().startswith("PDF")
    landmarks = [page.get_by_role(role).count() for role in ("banner", "main", "contentinfo")]  # type: ignore[arg-type]
    assert landmarks == [1, 1, 1]


@pytest.mark.parametrize(
    ("now", "is_late"), [("2024-12-02T23:59:00+07:00", False), ("2024-12-03T00:01:00+07:00", True)]
)
def test_a_monday_that_passed_is_said(
    browser: Browser, address: str, now: str, is_late: bool
) -> None:
    with context(browser) as opened:
        page = opened.new_page()
        page.clock.set_fixed_time(now)
        body = httpx.get(f"{address}index.html").text
        notice = '<p id="late" hidden data-after="2024-12-03T00:00:00+07:00">tertunda</p>'
        page.route(
            "**/index.html",
            lambda route: route.fulfill(
                body=body.replace("<footer>", f"{notice}<footer>"), content_type="text/html"
            ),
        )
        page.goto(f"{address}index.html")
        assert page.locator("#late").is_visible() == is_late
