"""Small facts that stand in one place, and nowhere else."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

from lumbung.intake.connectors import KINDS
from lumbung.settings import Settings
from lumbung.warehouse import point_in_time
from tests.test_registry import literals

ROOT = Path(__file__).parents[1]


def texts(*folders: str, ending: str) -> dict[str, str]:
    """The files of folders whose names have an ending, without their comments."""
    files = {
        file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8")
        for folder in folders
        for file in sorted((ROOT / folder).rglob("*"))
        if re.search(ending, file.name) and ".venv" not in file.parts  # of the benchmarks' peers
    }
    assert len(files) > 1
    return {name: re.sub(r"(--|#).*", "", text) for name, text in files.items()}


def test_no_model_and_no_check_names_a_kind_of_channel() -> None:
    """They ask for its traits, which a sync writes into `reference.channel`."""
    kinds = re.compile(rf"""['"]({"|".join(KINDS)})['"](?!:)""")  # a hook of dbt has a key 'sql'
    files = texts("dbt_project/models", "dbt_project/macros", ending=r"\.(sql|yml)$")
    files |= texts("expectations", ending=r"\.yaml$")
    assert {name: kinds.findall(text) for name, text in files.items() if kinds.search(text)} == {}


def test_the_bits_of_a_record_id_stand_in_one_place() -> None:
    """Python's are `lumbung.intake.landing.batch.PLACE_BITS`, SQL's `ops.first_record_id`."""
    shifted = re.compile(r"(?:batch\w*|id|held\[1\]|bigint|\+ 1)\W{0,4}(?:<<|>>) *20\b")
    files = texts("dbt_project", "src", "benchmarks", "dags", ending=r"\.(sql|yml|py)$")
    files |= texts("expectations", ending=r"\.yaml$")
    assert {n for n, text in files.items() if shifted.search(text)} == {
        "src/lumbung/migrations/0060_functions.sql"
    }


def test_the_schemas_of_dbt_are_listed_in_its_project_alone() -> None:
    schemas = set(point_in_time.schemas(Settings.load()))
    layers = {folder.name for folder in (ROOT / "dbt_project" / "models").iterdir()}
    assert schemas >= {"reference", "checks"}
    assert {layer for layer in layers if not layer.startswith("_")} <= schemas
    lists = {
        name: [
            line
            for line, words in literals(ast.parse((ROOT / name).read_text(encoding="utf-8")))
            if len(words & schemas) > 2
        ]
        for name in texts("src", "dags", "benchmarks", ending=r"\.py$")
    }
    assert {name: lines for name, lines in lists.items() if lines} == {}


def test_a_description_that_columns_share_is_a_doc_block() -> None:
    written = re.compile(r'- name: (\w+)\n(?: +\w+: [^"\n]*\n)* +description: "([^{"]+)"')
    found = Counter(
        match
        for file in (ROOT / "dbt_project" / "models").rglob("*.yml")
        for match in written.findall(file.read_text(encoding="utf-8"))
    )
    assert len(found) > 300
    assert {each: count for each, count in found.items() if count > 3} == {}


def test_no_test_of_an_edition_types_a_table_of_readers() -> None:
    """Their columns are in the contracts (tests/support/contracts.py)."""
    typed = re.compile(r"create table (?:if not exists )?(?:marts|reporting)\.(\w+)")
    files = texts("tests/publication", "tests/support", ending=r"\.py$")
    assert {name: typed.findall(text) for name, text in files.items() if typed.search(text)} == {}
