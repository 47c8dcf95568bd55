"""The documentation's pictures of the desk: `python -m tests.support.desk_pictures`.

It makes a demo in a temporary home, in which the last edition waits for its approver, and an office
with people of every kind. What the pictures show as decided is decided on the pages. This takes
five minutes and needs Chromium.
"""

import shutil
import tempfile
from pathlib import Path

import httpx
import psycopg
import pyotp
import yaml
from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console

from lumbung import project
from lumbung.demo.run import RUN_SECONDS, Demo
from lumbung.local.airflow import Airflow, AirflowClient
from lumbung.publication.editions import approver
from lumbung.publication.model import store
from lumbung.settings import Settings
from lumbung.warehouse import docs

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
PUBLISHED = "2024-W46"
WEEKS = 9
"""Of the demo: its last week is the one after `PUBLISHED`."""
PEOPLE = {
    "stewards": {"tono": "province"},
    "channel_owners": {"penangan": "penanganan@babel.example.id"},
    "analysts": {"analis": "province"},
    "auditors": ["pemeriksa"],
}


class Office(Demo):
    """A demo that publishes the edition of the week before, and leaves the last one waiting."""

    def _publish(self, airflow: Airflow, client: AirflowClient, url: str, week_id: str) -> str:
        published = super()._publish(airflow, client, url, PUBLISHED)
        run_id = client.trigger("publication", {"week_id": week_id})
        for states in client.follow("publication", run_id, RUN_SECONDS):
            if states.get("approve") in ("awaiting_input", "deferred"):
                break
        return published


class Desk:
    """The desk of the office, as each of its people sees it.

    Args:
        office: the demo, which has run.
        browser: takes the pictures.

    """

    def __init__(self, office: Office, browser: Browser) -> None:
        self.office = office
        self.browser = browser
        self.url = office.stack.start_database()
        self.airflow = office.stack.airflow(self.url)

    def open(self, account: str, path: str, width: int, height: int) -> Page:
        """Log in, and open a page in a window of this size."""
        given = {"username": account, "password": self.airflow.password(account)}
        answer = httpx.post(f"{self.airflow.url}/auth/token", json=given, timeout=60)
        window = self.browser.new_context(
            viewport={"width": width, "height": height},
            locale="id-ID",
            extra_http_headers={"authorization": f"Bearer {answer.json()['access_token']}"},
        )
        page = window.new_page()
        page.goto(self.address(path))
        return page

    def address(self, path: str) -> str:
        return f"{self.airflow.url}/lumbung{path}"

    @property
    def draft(self) -> str:
        """The edition that waits."""
        (draft,) = (e for e in store.listed(office="", database_url=self.url) if e.state == "draft")
        return draft.edition_id

    def enrol(self) -> pyotp.TOTP:
        """The phone of the approver."""
        found = pyotp.parse_uri(
            approver.enrol(
                "pimpinan", replace=False, settings=self.office.settings, database_url=self.url
            )
        )
        assert isinstance(found, pyotp.TOTP)
        return found

    def phone(self, account: str, path: str, height: int = 844) -> Page:
        return self.open(account, path, 390, height)

    def screen(self, account: str, path: str, height: int = 800) -> Page:
        return self.open(account, path, 1100, height)

    def take(self, page: Page, name: str, target: str = "") -> None:
        """Write a picture of what the window shows, scrolled to an element, without a focus."""
        if target:
            page.locator(target).evaluate("(element) => element.scrollIntoView()")
        page.screenshot(path=PICTURES / f"desk-{name}.png")


def prepare(folder: Path) -> Office:
    """Make the demo of an office with all its people, and leave its pages running."""
    project.create(folder / "project")
    people = folder / "project" / "config" / "people.yaml"
    people.write_text(yaml.safe_dump({**yaml.safe_load(people.read_text()), **PEOPLE}))
    settings = Settings(folder / "home", folder / "project", None)
    office = Office(settings, Console(stderr=True), weeks=WEEKS, seed=1, keep=True)
    office.run()
    # From here on it is an office: approvers need a code. Airflow must not read the DAG files
    # again, whose schedules are of today.
    office.stack.processes.stop("scheduler", "dag-processor")
    settings.demo_claim.unlink()
    with psycopg.connect(office.stack.postgres.url("airflow")) as connection:
        connection.execute(
            "update dag set next_dagrun_create_after = '2024-11-26 05:00+07'"
            " where starts_with(dag_id, 'intake__')"
        )
    docs.write(settings=settings, database_url=office.stack.start_database())
    return office


def take_all(desk: Desk, phone: pyotp.TOTP) -> None:
    """Take the pictures in the order of an ordinary Monday."""
    page = desk.phone("pimpinan", "/", 780)
    desk.take(page, "today")
    page.get_by_role("link", name="Buka rancangan").click()
    page.set_viewport_size({"width": 390, "height": 844})
    desk.take(page, "edition")
    desk.take(page, "approve", "#keputusan")

    page = desk.phone("tono", "/tinjauan")
    page.get_by_role("link", name="Mulai memutuskan").click()
    page.set_viewport_size({"width": 390, "height": 1480})
    desk.take(page, "pair")
    page.get_by_role("button", name="Kejadian yang sama").click()
    page.set_viewport_size({"width": 390, "height": 1180})
    page.goto(desk.address("/tinjauan"))
    desk.take(page, "review")
    page.goto(desk.address("/tinjauan/kata"))
    page.locator("ul.rows a").first.click()
    desk.take(page, "word")
    page.get_by_label("Kode").select_option(index=1)
    page.get_by_role("button", name="Petakan").click()
    desk.take(page, "words")
    page.goto(desk.address("/tinjauan/tempat"))
    page.locator("ul.rows a").first.click()
    desk.take(page, "place")
    page.get_by_label("Wilayah", exact=True).select_option(index=1)
    page.get_by_role("button", name="Pilih", exact=True).click()
    desk.take(page, "places")
    page.goto(desk.address("/tinjauan/dikeluarkan"))
    desk.take(page, "excluded")

    page = desk.screen("tono", "/kanal")
    desk.take(page, "channels")
    page = desk.phone("penangan", "/kanal/register_laporan", 1340)
    desk.take(page, "channel")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(desk.address("/karantina"))
    desk.take(page, "quarantine")
    page.set_viewport_size({"width": 390, "height": 1100})
    page.locator("ul.rows a").first.click()
    desk.take(page, "dismiss")

    page = desk.phone("pimpinan", f"/edisi/{desk.draft}")
    page.get_by_label("Kode enam angka").first.fill(phone.now())
    page.get_by_role("button", name="Setujui dan terbitkan").click()
    page.get_by_role("heading", name="Keputusan tercatat").wait_for()
    desk.take(page, "decision")

    number = f"suspected_violation/ALL/19@{PUBLISHED}-r1"
    page = desk.screen("pemeriksa", f"/telusur?angka={number}", 900)
    desk.take(page, "trace")
    page = desk.screen("analis", "/data")
    desk.take(page, "data")
    page = desk.screen("pemeriksa", "/catatan", 900)
    desk.take(page, "log")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="lumbung-desk-") as folder:
        office = prepare(Path(folder))
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=shutil.which("chromium"), args=["--no-sandbox", "--lang=id"]
                )
                desk = Desk(office, browser)
                take_all(desk, desk.enrol())
                browser.close()
        finally:
            office.stack.stop()


if __name__ == "__main__":
    main()
