"""What owners of channels see, in a real browser: phone and screen, light and dark, keyboard."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

from lumbung.warehouse import mappings
from tests.desk.conftest import Desk, quarantine
from tests.desk.test_browser import PHONE, accessible, served
from tests.desk.test_channels import HERE
from tests.desk.test_quarantine import CODE, GROUP, OWN, state
from tests.desk.test_words import WORDS, address


def test_an_owner_dismisses_160_rows_on_a_phone(desk: Desk, browser: Browser) -> None:
    desk.execute("delete from quarantine.record")
    numbers = quarantine(desk, OWN, CODE, 160)
    with (
        served(desk) as address,
        browser.new_context(extra_http_headers={"x-account": "penangan"}) as window,
    ):
        page = window.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: faults.append(dialog.message))
        page.goto(f"{address}/karantina/{numbers[0]}")
        page.get_by_label("Alasan").fill("mencari barisnya di buku")
        page.get_by_role("button", name="Tampilkan isi").click()
        page.get_by_text("Pembukaan ini telah dicatat").wait_for()
        accessible(page)
        page.goto(address + GROUP)
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        assert page.get_by_role("checkbox").count() == 50
        page.get_by_label("Alasan").fill("coretan di samping tabel")
        page.get_by_role("button", name="Tutup semua (160)").click()
        page.get_by_text("160 kiriman ditutup").first.wait_for()
        accessible(page)
        assert [row[1:3] for row in state(desk)] == [(False, "penangan")]
        page.get_by_role("button", name="Batalkan").click()
        page.get_by_text("160 kiriman dibuka kembali").wait_for()
        assert [row[1:3] for row in state(desk)] == [(True, None)]
        assert faults == []


def test_an_owner_uploads_a_file_and_pauses_the_channel_by_keyboard(
    pulls: Desk, browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"isi")
    with (
        served(pulls) as address,
        browser.new_context(extra_http_headers={"x-account": "penangan"}) as window,
    ):
        page = window.new_page()
        faults: list[str] = []
        page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        page.goto(address + HERE)
        page.get_by_text("Angka per hari").click()
        accessible(page)
        chart = page.locator("svg.chart")
        assert chart.locator("rect").evaluate_all(
            "(all) => all.map((e) => getComputedStyle(e).fill)"
        ) == ["rgb(74, 74, 74)", "rgb(242, 147, 140)"]  # the colours of the dark theme
        page.get_by_label("Berkas", exact=True).set_input_files(tmp_path / "a.xlsx")
        page.get_by_role("button", name="Unggah").focus()
        page.keyboard.press("Enter")
        page.get_by_text("Berkas telah diterima").wait_for()
        assert (pulls.settings.inbox / OWN / "a.xlsx").read_bytes() == b"isi"
        page.get_by_role("button", name="Jeda penarikan").focus()
        page.keyboard.press("Enter")
        page.get_by_text("Penarikan dijeda.").wait_for()
        accessible(page)
        assert pulls.airflow.paused == {f"intake__{OWN}": True}
        assert faults == []


def test_a_steward_maps_a_word_by_keyboard(words: tuple[Desk, str], browser: Browser) -> None:
    desk, hidden = words
    with (
        served(desk) as server,
        browser.new_context(extra_http_headers={"x-account": "provinsi"}) as window,
    ):
        page = window.new_page()
        page.goto(server + address("issue", hidden))
        page.get_by_label("Kode").focus()
        page.keyboard.type("Politik uang")
        for _ in range(3):  # the reason, what may be added to it, the button
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url(server + WORDS)
        accessible(page)
        assert mappings.mappings(desk.url)["issue", hidden].code == "PU"
