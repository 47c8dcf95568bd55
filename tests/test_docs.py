"""The docs: a site without a warning that loads nothing from elsewhere; what is cited exists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Route

from lumbung import reference
from lumbung.settings import Settings

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
PROJECT_PAGES = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
PRIVATE = re.compile(r"\b(?:anew|cures?|doors?|mends?|sets? apart|tells?|told)\b", re.IGNORECASE)
"""Words that once stood for an action, a checkpoint, an exclusion and a report."""
SETTINGS = Settings(ROOT / "none", ROOT, None)
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
        page.goto(ADDRESS + path)
    page.get_by_placeholder("Search").click()
    page.get_by_text("Type to start searching").wait_for()  # the index is loaded
    page.get_by_placeholder("Search").press_sequentially("quarantine")
    page.locator(".md-search-result__link", has_text="quarantine").first.wait_for()
    context.close()
    assert len(asked) > 10
    assert [url for url in asked if not url.startswith(ADDRESS)] == []


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Everything in the project that may cite a page."""
    return [
        file.read_text(encoding="utf-8")
        for folder in (
            "src",
            "dags",
            "dbt_project",
            "channels",
            "config",
            "expectations",
            "tests",
            "docs",
        )
        for file in (ROOT / folder).rglob("*")
        if "target" not in file.parts  # dbt's own, in a checkout in which somebody used it
        and file.suffix in {".py", ".sql", ".yml", ".yaml", ".csv", ".json", ".md", ".typ"}
    ] + [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md")]


def test_every_page_that_the_project_cites_exists(texts: list[str]) -> None:
    cited = {page for text in texts for page in re.findall(r"\bdocs/[\w/.-]+\.md\b", text)}
    assert len(cited) > 10
    assert [page for page in sorted(cited) if not (ROOT / page).is_file()] == []


def test_every_section_of_the_domain_that_the_project_cites_exists(texts: list[str]) -> None:
    """`domain.md 1.6`, also several: `domain.md 1.7, 2.1`; no page that is not in the project."""
    domain = (DOCS / "explanation" / "domain.md").read_text(encoding="utf-8")
    sections = set(re.findall(r"^###? (\d(?:\.\d)?)\.? ", domain, re.M))
    cited = {
        section
        for text in texts
        for found in re.findall(r"\bdomain\.md (\d(?:\.\d)?(?:, \d\.\d)*)", text)
        for section in found.split(", ")
    }
    assert len(cited) > 8
    assert cited - sections == set()
    assert [text for text in texts if re.search(r"\b(?:wire|design|style)\.m[d]\b", text)] == []


def test_the_macro_has_the_rows_of_its_seed() -> None:
    macro = ROOT / "dbt_project" / "macros" / "canonical_fields.sql"
    assert macro.read_text(encoding="utf-8") == reference.fields_macro()


def test_the_semantic_model_has_the_metrics_of_the_registry() -> None:
    file = ROOT / "dbt_project" / reference.SEMANTIC_MODELS
    assert file.read_text(encoding="utf-8") == reference.semantic_models()


def test_generated_pages_are_current() -> None:
    for name, page in reference.pages(SETTINGS).items():
        written = (DOCS / "reference" / name).read_text(encoding="utf-8")
        assert written == page, f"{name} is out of date: run python -m lumbung.reference"


def test_the_architecture_lists_the_layers_that_are_checked() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = config["tool"]["importlinter"]["contracts"]
    layers = {each["containers"][0]: each["layers"] for each in contracts if "layers" in each}

    def layers_of(package: str) -> list[set[str]]:
        return [
            found
            for layer in layers.get(package, ())
            for found in (set(re.findall(r"\w+", layer)), *layers_of(f"{package}.{layer}"))
        ]

    page = (DOCS / "explanation" / "architecture.md").read_text(encoding="utf-8")
    section = page.partition("**No import climbs.**")[2].partition("\nA new module")[0]
    _, *items = re.split(r"^ *\d+\. ", section, flags=re.M)
    assert [set(re.findall(r"`(\w+)`", item)) for item in items] == layers_of("lumbung")


def test_every_environment_variable_is_listed(texts: list[str]) -> None:
    page = (DOCS / "reference" / "environment.md").read_text(encoding="utf-8")
    read = "\n".join([*texts, (ROOT / "mkdocs.yml").read_text(encoding="utf-8")])
    used = set(re.findall(r"(?:environ(?:\.get\(|\[)\"|!ENV \[)(LUMBUNG_[A-Z_]+)", read))
    assert len(used) > 8
    assert used - set(re.findall(r"`(LUMBUNG_[A-Z_]+)`", page)) == set()


def test_what_a_page_sets_in_env_is_read_by_compose() -> None:
    read = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text("utf-8")))
    lines = [line for page in PAGES for line in page.read_text("utf-8").splitlines()]
    named = {
        name
        for line in lines
        if "`.env`" in line
        for name in re.findall(r"`([A-Z][A-Z_]+)(?:=\w+)?`", line)
    }
    assert "EXECUTOR" in named
    assert named <= read


@pytest.mark.parametrize(
    "page",
    [*PROJECT_PAGES, ROOT / "CHANGELOG.md"],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_lines_are_short_and_lists_are_lists(page: Path) -> None:
    """Prose ends at 100 characters, rows of tables at 160; a list needs a blank line before it."""
    item = re.compile(r"([-*]|\d+\.) ")
    is_code = False
    before = ""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if line.lstrip().startswith("```"):
            is_code = not is_code
        elif not is_code:
            limit = 160 if line.startswith(("|", "![")) or page.name == "CHANGELOG.md" else 100
            assert len(line) <= limit, f"line {number} has {len(line)} characters"
            if item.match(line) and not item.match(before):
                assert not re.match(r"\w", before), f"line {number}: no blank line before the list"
        before = line
    assert not is_code, "a code block is not closed"


def test_pages_use_the_terms_of_the_field() -> None:
    generated = {DOCS / "reference" / name for name in reference.pages(SETTINGS)}
    prose = {
        page: re.sub(
            r"```.*?```|`[^`]*`|\]\([^)]*\)", "", page.read_text(encoding="utf-8"), flags=re.S
        )
        for page in PROJECT_PAGES
        if page not in generated
    }
    found = {page.name: PRIVATE.findall(text) for page, text in prose.items()}
    assert {name: words for name, words in found.items() if words} == {}


def test_code_uses_the_terms_of_the_field() -> None:
    """Migrations that are landed stay as they are; a file has a method `tell`."""
    files = [
        file
        for folder in ("src", "dags", "dbt_project", "expectations", "benchmarks")
        for file in (ROOT / folder).rglob("*")
        if file.suffix in (".py", ".sql", ".yml", ".yaml")
        and file.parent.name != "migrations"
        and ".venv" not in file.parts  # of the benchmarks' peers
    ]
    assert len(files) > 500
    found = {
        file.relative_to(ROOT): PRIVATE.findall(file.read_text("utf-8").replace("tell(", ""))
        for file in files
    }
    assert {name: words for name, words in found.items() if words} == {}


def test_every_picture_of_the_desk_is_taken_by_the_script_and_shown() -> None:
    script = (ROOT / "tests" / "support" / "desk_pictures.py").read_text(encoding="utf-8")
    taken = {*re.findall(r'\.take\(page, "(\w+)"', script)}
    kept = {path.stem.removeprefix("desk-") for path in DOCS.glob("pictures/desk-*.png")}
    pages = "".join(path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md"))
    assert taken == kept == {*re.findall(r"pictures/desk-(\w+)\.png", pages)}
