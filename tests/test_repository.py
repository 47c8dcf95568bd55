"""What is committed: a lock that installs exactly what was tried, and nothing of one machine."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from typer.testing import CliRunner

from lumbung.cli import app
from tests.local.test_failures import make

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def locked() -> dict[str, list[str]]:
    """The locked versions of every package: more than one where they differ by Python."""
    found: dict[str, list[str]] = {}
    for entry in re.split(r"\n(?=[A-Za-z0-9])", (ROOT / "requirements.lock").read_text())[1:]:
        match = re.match(r"([a-z0-9.-]+)==(\S+)( ; .+)? \\\n", entry)
        assert match, f"not a pinned version: {entry[:80]}"
        assert re.search(r"^    --hash=sha256:[0-9a-f]{64}", entry, re.M), f"no hash: {entry[:80]}"
        found.setdefault(match[1], []).append(match[2])
    assert len(found) > 200
    return found


def direct() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    lines = project["project"]["dependencies"] + groups["dev"] + groups["docs"]
    assert len(lines) == len(set(lines)), "listed twice"
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("requirement", direct(), ids=lambda requirement: requirement.name)
def test_every_dependency_is_bounded_and_locked_within_its_bounds(
    requirement: Requirement, locked: dict[str, list[str]]
) -> None:
    assert any(bound.operator == "<" for bound in requirement.specifier), "no upper bound"
    versions = locked[canonicalize_name(requirement.name)]
    assert all(requirement.specifier.contains(version) for version in versions), versions


def test_lock_names_no_index() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"https?://|--(extra-)?index|--find-links", lock)


def test_no_file_names_an_index_or_a_place_on_one_machine() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone: what is committed is not known")
    tracked = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT).decode().split("\0")
    files = [ROOT / name for name in tracked if name and (ROOT / name).is_file()]
    assert len(files) > 200
    unwanted = re.compile(
        r"pypi\.(?:org|python)|(?<!127\.0\.0\.1:9)/simpl[e]\b|/wor[k]/|/hom[e]/\w|/roo[t]/|/tmp/w[t]\b"
    )
    found = [
        f"{file.relative_to(ROOT)}: {match[0]}"
        for file in files
        if (match := unwanted.search(file.read_text(encoding="utf-8", errors="ignore")))
    ]
    assert found == []


def test_docker_copies_what_there_is() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.M)
    sources = " ".join(copied).split()
    assert {".", "requirements.lock"} < set(sources)
    assert [source for source in sources if not (ROOT / source).exists()] == []


def test_version_is_that_of_pyproject_and_of_the_newest_release() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    said = CliRunner().invoke(app, ["--version"])
    assert (said.exit_code, said.output) == (0, f"lumbung {version}\n")
    assert CliRunner().invoke(app, ["status", "--help"]).exit_code == 0
    released = re.findall(r"^## \[(\d.*?)\]", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert released[0] == version


def test_metadata_and_readme_name_the_same_licence() -> None:
    licence = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"].get("license")
    assert licence == "Apache-2.0"
    assert f"`{licence}`" in (ROOT / "README.md").read_text()


def test_changelog_keeps_its_form() -> None:
    head, *versions = re.split(r"^## ", (ROOT / "CHANGELOG.md").read_text(), flags=re.M)
    assert head.startswith("# Changelog\n")
    assert versions[0].startswith("[Unreleased]")
    kinds = {"Data changes", "Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    for version in versions:
        headings = re.findall(r"^### (.+)", version, re.M)
        assert headings[0] == "Data changes"
        assert len(headings) == len(set(headings))
        assert set(headings) <= kinds
        assert re.match(r"\[(Unreleased\]|\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d)\n", version)


def test_pre_commit_runs_what_make_lint_runs_and_downloads_nothing() -> None:
    (recipe,) = re.findall(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.M)
    linted = set(re.findall(r"\$\(BIN\)/([\w-]+(?: [a-z]+)?)", recipe))
    assert {"ruff check", "ruff format", "mypy", "lint-imports", "sqlfluff lint"} <= linted
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert local["repo"] == "local"
    assert {hook["language"] for hook in local["hooks"]} == {"system"}
    hooked = {
        match[1]
        for hook in local["hooks"]
        if (match := re.match(r"\.venv/bin/([\w-]+(?: [a-z]+)?)", hook["entry"]))
    }
    assert hooked == linted


def test_ci_runs_slow_tests_and_make_test_alone_does_not() -> None:
    def run(*arguments: str) -> str:
        made = make(ROOT, "--dry-run", "--always-make", "test", *arguments)
        assert made.returncode == 0, made.stderr
        return made.stdout.splitlines()[-1].partition(" -m pytest ")[2]

    assert run().endswith(' -m "not slow"')
    assert run("TEST=tests/intake -x").endswith(" tests/intake -x")
    assert "make test TEST=tests" in (ROOT / ".ci/run").read_text().splitlines()
