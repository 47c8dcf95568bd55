"""The statements of editions: each is used, and is where an installed package reads it."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lumbung.publication.editions import freezing
from lumbung.publication.editions.queries import statement

ROOT = Path(__file__).parents[2]
EDITIONS = ROOT / "src" / "lumbung" / "publication" / "editions"
FILES = {file.stem for file in (EDITIONS / "queries").glob("*.sql")}


def test_every_statement_is_used_and_exists() -> None:
    code = "".join(file.read_text(encoding="utf-8") for file in EDITIONS.glob("*.py"))
    named = {*re.findall(r'(?:statement|query)\("(\w+)"\)', code), *freezing.READ}
    assert named == FILES
    with pytest.raises(FileNotFoundError):
        statement("not_there")


def test_statements_are_in_the_wheel(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    assert {f"lumbung/publication/editions/queries/{name}.sql" for name in FILES} <= packed
