"""The registry of kinds: whole packages, cheap to read, named nowhere else."""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from lumbung.errors import ConfigurationError
from lumbung.intake import connectors
from lumbung.intake.connectors import KINDS

ROOT = Path(__file__).parents[2]
SOURCES = [
    *sorted((ROOT / "dags").glob("*.py")),
    *(
        path
        for path in sorted((ROOT / "src" / "lumbung").rglob("*.py"))
        if not path.is_relative_to(ROOT / "src" / "lumbung" / "intake" / "connectors")
        and not path.is_relative_to(ROOT / "src" / "lumbung" / "demo")
    ),
]


def named_kinds(text: str) -> Iterator[str]:
    """The kinds that code names: a text that is a kind's name, or a module of a kind."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value in KINDS:
                yield node.value
            yield from (kind for kind in KINDS if f"kind: {kind}" in node.value)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            modules = [each.name for each in node.names]
            if isinstance(node, ast.ImportFrom):
                modules = [f"{node.module}.{each}" for each in modules]
            parts = [module.split(".") for module in modules]
            yield from (
                each[3]
                for each in parts
                if each[1:3] == ["intake", "connectors"] and each[3:4] and each[3] in KINDS
            )


def test_every_kind_is_registered_whole() -> None:
    packages = {
        module.name
        for module in pkgutil.iter_modules(connectors.__path__)
        if module.ispkg and module.name != "shared"
    }
    assert set(KINDS) == packages
    for name, kind in KINDS.items():
        assert kind.name == name
        assert get_args(kind.config.model_fields["kind"].annotation) == (name,)
        assert callable(kind.read)
        assert callable(kind.propose)


def test_only_the_connectors_name_a_kind() -> None:
    assert len(SOURCES) > 50
    found = {path.name: set(named_kinds(path.read_text())) for path in SOURCES}
    assert {name: kinds for name, kinds in found.items() if kinds} == {}


@pytest.mark.parametrize(
    "line",
    [
        'if channel.kind == "kobo": pass',
        "from lumbung.intake.connectors.kobo import reader",
        "from lumbung.intake.connectors import kobo",
        "import lumbung.intake.connectors.kobo.reader",
        'text = f"write kind: kobo, {name}"',
    ],
)
def test_a_line_that_names_a_kind_is_found(line: str) -> None:
    assert set(named_kinds(line)) == {"kobo"}


def test_an_unknown_kind_is_reported_with_those_that_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"no kind of channel 'kobbo'.*kobo"):
        connectors.kind("kobbo")


def test_reading_channel_files_imports_no_reader() -> None:
    """Airflow reads them whenever it parses the DAGs."""
    code = (
        "import sys; from lumbung.intake.channel.load import load_channels;"
        "from pathlib import Path; assert load_channels(Path(sys.argv[1]));"
        "print(*(m for m in sys.modules if m[:7] == 'lumbung'"
        " and m.endswith(('.reader', '.scaffold')) or m in ('httpx', 'upath', 'sqlalchemy')))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "channels")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == ""
