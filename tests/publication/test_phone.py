"""On a phone a table that is cut off shows it, without a script; on paper nothing is cut off."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from lumbung.publication.formats import render
from lumbung.publication.model.edition import Edition
from lumbung.publication.portal import pages
from lumbung.publication.portal.published import Published

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
PAGES = ["edisi.html", "index.html", "wilayah.html", "tema/PU.html", "metode.html", "arsip.html"]
PIXEL = """
    async (png) => {
        const image = new Image();
        image.src = "data:image/png;base64," + png;
        await image.decode();
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [image.width, image.height];
        const context = canvas.getContext("2d");
        context.drawImage(image, 0, 0);
        return [...context.getImageData(image.width - 2, image.height >> 1, 1, 1).data].slice(0, 3);
    }
"""
"""The colour two pixels from a picture's right edge, halfway down."""


@pytest.fixture(scope="module")
def shown(drafts: dict[str, Edition], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The edition's page and the portal of it, as files."""
    folder = tmp_path_factory.mktemp("pages")
    found = drafts["demo"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "_pdf", lambda content, timestamp: b"%PDF")
        artefacts = render.render(found)
    quoted = {name: artefacts[name] for name in pages.QUOTED if name in artefacts}
    files = pages.site([Published(found, (), quoted)])
    for name, content in (files | {"edisi.html": artefacts["edisi.html"]}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page without its script (with scripts turned off no picture can be taken of an element)."""
    with browser.new_context() as window:
        window.route("**/*.js", lambda route: route.abort())
        yield window.new_page()


@pytest.fixture
def eye(browser: Browser) -> Iterator[Page]:
    """An empty page, to look at pictures with."""
    with browser.new_context() as window:
        yield window.new_page()


def edges(page: Page, eye: Page) -> list[tuple[bool, bool]]:
    """Of the first tables whether they are wider than their place, and shaded at its edge.

    Of one that is less than 20 px wider only the edge of a cell is cut off: it is not asked.
    """
    found = []
    for region in page.locator(".scroll").all()[:8]:
        picture = base64.b64encode(region.screenshot()).decode()
        wider = region.evaluate("(it) => it.scrollWidth - it.clientWidth")
        if not 0 < wider < 20:
            found.append((wider > 0, max(eye.evaluate(PIXEL, picture)) < 215))
    return found


@pytest.mark.parametrize("name", PAGES)
def test_a_table_that_is_cut_off_shows_it_at_its_edge(
    page: Page, eye: Page, shown: Path, name: str
) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto((shown / name).as_uri())
    # their background alone, which shows through them
    for table in page.locator(".scroll table").all():
        table.evaluate("(it) => { it.style.visibility = 'hidden'; }")
    on_a_phone = edges(page, eye)
    assert on_a_phone
    assert [is_shaded for _, is_shaded in on_a_phone] == [is_wide for is_wide, _ in on_a_phone]

    for region in page.locator(".scroll").all()[:8]:
        assert region.get_attribute("tabindex") == "0"
        assert region.get_attribute("role") == "region"
        assert page.locator(f"#{region.get_attribute('aria-labelledby')}").inner_text()
        region.evaluate("(it) => { it.scrollLeft = it.scrollWidth; }")
    assert not any(is_shaded for _, is_shaded in edges(page, eye))
    for region in page.locator(".scroll").all()[:8]:
        region.evaluate("(it) => { it.scrollLeft = 0; }")
    page.emulate_media(media="print")
    assert not any(is_shaded for _, is_shaded in edges(page, eye))

    page.emulate_media(media="screen")
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    on_a_desktop = edges(page, eye)
    assert [is_shaded for _, is_shaded in on_a_desktop] == [wide for wide, _ in on_a_desktop]


def test_tables_of_both_kinds_were_looked_at(page: Page, eye: Page, shown: Path) -> None:
    """Else the test above would hold without a shade."""
    page.goto((shown / "edisi.html").as_uri())
    for size, expected in ((PHONE, True), (DESKTOP, False)):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert expected in [is_wide for is_wide, _ in edges(page, eye)]


@pytest.mark.parametrize("name", ["edisi.html", "agenda.html"])
def test_a_row_of_words_is_a_card_on_a_phone(page: Page, shown: Path, name: str) -> None:
    """No column is off the screen, and each value stands beside its head."""
    page.goto((shown / name).as_uri())
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    table = page.locator("table.cards").first
    assert table.evaluate("(it) => it.parentElement.scrollWidth <= it.parentElement.clientWidth")
    cell = table.locator("tbody td").last
    beside = cell.evaluate("(it) => getComputedStyle(it, '::before').content")
    assert beside.strip('"') == table.locator("thead th").last.text_content()
    assert table.get_by_role("row").count() == table.locator("tr").count()
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    assert cell.evaluate("(it) => getComputedStyle(it).display") == "table-cell"


def test_printed_on_a4_no_column_is_lost(page: Page, shown: Path) -> None:
    """A sheet of 210 mm with margins of 12 mm is 703 px wide."""
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 703, "height": 1000})
    page.goto((shown / "edisi.html").as_uri())
    wide = page.locator(".scroll").evaluate_all(
        "(all) => all.filter((it) => it.scrollWidth > it.clientWidth + 1).map((it) => it.innerText)"
    )
    assert wide == []


@pytest.mark.parametrize(("scheme", "sign"), [("light", -1), ("dark", 1)])
def test_more_stands_out_more_light_and_dark(
    page: Page, shown: Path, scheme: str, sign: int
) -> None:
    """The more cases, the farther a tile's colour is from the page's."""
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto((shown / "edisi.html").as_uri())
    tiles: list[list[int]] = page.locator(".map").first.evaluate(
        """(map) => [...map.querySelectorAll("g")].map((tile) => [
            +tile.querySelector("[font-weight=bold]").textContent,
            ...getComputedStyle(tile.querySelector("rect")).fill.match(/\\d+/g).map(Number),
        ])"""
    )
    shades = [sign * sum(colour) for _, *colour in sorted(tiles)]
    assert shades == sorted(shades)
    assert len(set(shades)) > 2
