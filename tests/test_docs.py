"""The docs: a site without a warning that loads nothing from elsewhere; what is cited exists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Route

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
ADDRESS = "http://docs.example.id/"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The docs as `make docs` builds them."""
    folder = tmp_path_factory.mktemp("docs")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return folder


def test_every_page_is_in_the_site(site: Path) -> None:
    assert len(PAGES) > 30
    for page in PAGES:
        folder = page.relative_to(DOCS).with_suffix("")
        folder = folder.parent if folder.name == "index" else folder
        assert (site / folder / "index.html").is_file(), page


def test_the_site_loads_nothing_from_another_host(site: Path, browser: Browser) -> None:
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        address = urlsplit(route.request.url)
        file = site / address.path.lstrip("/")
        file = file / "index.html" if file.is_dir() else file
        if f"{address.scheme}://{address.netloc}/" == ADDRESS and file.is_file():
            route.fulfill(path=file)
        else:
            route.abort()

    context = browser.new_context()
    context.route("**/*", answer)
    page = context.new_page()
    for path in ("", "explanation/architecture/", "reference/dictionary/"):
        page.goto(ADDRESS + path, wait_until="networkidle")
    page.get_by_placeholder("Search").click()
    page.get_by_text("Type to start searching").wait_for()  # the index is loaded
    page.get_by_placeholder("Search").press_sequentially("quarantine")
    page.locator(".md-search-result__link", has_text="quarantine").first.wait_for()
    context.close()
    assert len(asked) > 10
    assert [url for url in asked if not url.startswith(ADDRESS)] == []


def test_every_page_of_the_docs_that_the_project_cites_exists() -> None:
    tracked = [
        file
        for folder in ("src", "dags", "dbt_project", "channels", "expectations", "tests", "docs")
        for file in (ROOT / folder).rglob("*")
        if file.suffix in {".py", ".sql", ".yml", ".yaml", ".csv", ".json", ".md", ".typ"}
    ]
    cited = {
        match
        for file in [*tracked, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
        for match in re.findall(r"\bdocs/[\w/.-]+\.md\b", file.read_text(encoding="utf-8"))
    }
    assert len(cited) > 10
    assert [page for page in sorted(cited) if not (ROOT / page).is_file()] == []
