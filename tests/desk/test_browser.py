"""The desk in a real browser, on a phone and a screen, light and dark, by keyboard alone.

`test_inert.py` checks every page by axe; here it checks what a person sees after an action.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Browser, Locator, Page

from lumbung.local.processes import hold_port
from lumbung.publication.delivery import notify
from tests.desk.conftest import DRAFT, OWN, PUBLISHED, Desk, add_pairs
from tests.desk.test_review_list import address as address_of
from tests.desk.test_review_list import decisions
from tests.support.post import notifier, post_office

PHONE, SCREEN = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@contextmanager
def served(desk: Desk) -> Iterator[str]:
    """The address of the desk, mounted as in Airflow's API server."""
    above = FastAPI()
    above.mount("/lumbung", desk.app)
    with hold_port(0) as port:
        number = port.number
    server = uvicorn.Server(uvicorn.Config(above, port=number, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{number}/lumbung"
    finally:
        server.should_exit = True
        thread.join(10)


def accessible(page: Page) -> None:
    for size in (PHONE, SCREEN):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert page.evaluate(wide) == 0, (page.url, size)
            # colours do not depend on the size, nor the rest on the colours
            if (size, scheme) != (PHONE, "dark"):
                only = {"runOnly": ["color-contrast"]} if scheme == "dark" else {}
                found = Axe().run(page, options=only)
                assert found.violations_count == 0, (page.url, found.generate_report())


def test_a_chair_approves_on_a_phone(desk: Desk, browser: Browser) -> None:
    phone = desk.enrol()
    with (
        served(desk) as address,
        browser.new_context(
            viewport=PHONE,  # type: ignore[arg-type]
            has_touch=True,
            extra_http_headers={"x-account": "ketua"},
        ) as window,
    ):
        page = window.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        page.goto(f"{address}/tidak-ada")
        accessible(page)
        page.goto(f"{address}/lembar")
        page.get_by_role("button", name="Buka lembar").first.tap()
        page.get_by_role("heading", name="Berakhir besok").wait_for()
        accessible(page)
        # what the mail's link opens, on a phone, where the person has logged in
        faults.clear()
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        with post_office() as post:
            way = notifier(desk.settings, post, desk.url, address)
            notify.ask(DRAFT, notifier=way, database_url=desk.url)
        body = post.got[0][1].get_body(("plain",))
        assert body is not None
        (link,) = re.findall(rf"{address}/\S+", body.get_content())
        page.goto(link)
        taps = 0

        def tap(what: Locator) -> None:
            nonlocal taps
            what.tap()
            taps += 1

        tap(page.get_by_text("Tampilkan halaman edisi di sini"))
        frame = page.frame_locator("iframe")
        assert frame.locator("p").evaluate("(e) => getComputedStyle(e).color") == "rgb(255, 0, 0)"
        assert frame.locator("html").evaluate("() => document.title") == ""
        field = page.get_by_label("Kode enam angka").first
        tap(field)
        field.fill(phone.now())
        tap(page.get_by_role("button", name="Setujui dan terbitkan"))
        page.get_by_role("heading", name="Keputusan tercatat").wait_for()
        assert taps < 6, "the draft was read, too"
        accessible(page)
        page.goto(f"{address}/edisi/{DRAFT}/keputusan?tidak_tercatat=true")
        accessible(page)
        assert desk.state() == "approved"
        # scripts of the edition's page, and those of axe in its frame
        assert [fault for fault in faults if "sandboxed" not in fault] == []


def test_a_member_rejects_by_keyboard_alone(stopped: Desk, browser: Browser) -> None:
    desk, phone = stopped, stopped.enrol("anggota")
    with (
        served(desk) as address,
        browser.new_context(extra_http_headers={"x-account": "anggota"}) as window,
    ):
        page = window.new_page()
        page.goto(f"{address}/edisi/{DRAFT}")
        page.get_by_text("Kecualikan pemeriksaan yang tidak terpenuhi").click()
        accessible(page)
        page.reload()
        page.keyboard.press("Tab")
        assert page.locator(":focus").inner_text() == "Langsung ke isi"
        summary = page.get_by_text("Tolak rancangan ini")
        for _ in range(40):
            page.keyboard.press("Tab")
            if summary.evaluate("(e) => e === document.activeElement"):
                break
        assert summary.evaluate("(e) => getComputedStyle(e).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type("periksa Belitung")
        page.keyboard.press("Tab")
        page.keyboard.type("000000")
        page.keyboard.press("Enter")
        page.get_by_text("Kode tidak diterima").wait_for()
        accessible(page)
        assert page.get_by_label("Alasan penolakan").input_value() == "periksa Belitung"
        page.get_by_label("Kode enam angka").last.focus()
        page.keyboard.type(phone.now())
        page.keyboard.press("Enter")
        page.get_by_text(f"Edisi {DRAFT} ditolak.").wait_for()
        assert page.get_by_text("periksa Belitung").is_visible()
        assert desk.state() == "rejected"


def test_a_steward_decides_ten_pairs_by_keyboard_alone(stewarded: Desk, browser: Browser) -> None:
    more = [(f"a{number:02}", f"a{number + 1:02}") for number in range(11, 25, 2)]
    add_pairs(stewarded, OWN, more, place=3)
    with (
        served(stewarded) as address,
        browser.new_context(extra_http_headers={"x-account": "sari"}) as window,
    ):
        page = window.new_page()
        page.goto(address + address_of("a1", "a2"))
        for tabs in (1, 2, 1, *[2] * 7):  # the heading has the focus, and the buttons follow
            assert page.locator(":focus").inner_text() == "Satu kejadian atau dua?"
            for _ in range(tabs):
                page.keyboard.press("Tab")
            with page.expect_navigation():
                page.keyboard.press("Enter")
        page.get_by_text("Tidak ada pasangan kasus yang menunggu keputusan.").wait_for()
        accessible(page)
        assert [row[:3] for row in decisions(stewarded)] == [
            ("a1", "a2", "same_event"),
            ("a3", "a4", "different"),
            ("a5", "a6", "same_event"),
            *((*pair, "different") for pair in more),
        ]


def test_traced_numbers_are_accessible(desk: Desk, browser: Browser) -> None:
    with (
        served(desk) as address,
        browser.new_context(extra_http_headers={"x-account": "pemeriksa"}) as window,
    ):
        page = window.new_page()
        number = f"suspected_violation_by_issue/PU/19/to_date@{PUBLISHED}"
        not_counted = f"not_counted/register_laporan/test_row/to_date@{PUBLISHED}"
        for path in (f"/telusur?angka={number}", f"/telusur?angka={not_counted}"):
            page.goto(address + path)
            accessible(page)
