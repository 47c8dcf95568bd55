"""No vocabulary is typed again in Python: its codes are rows of a seed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lumbung import registry

ROOT = Path(__file__).parents[1]
VOCABULARIES = {
    name: set(registry.vocabulary(name)) - {"UNSTATED"}
    for name in {
        *(name for metric in registry.metrics().values() for name in metric.dimension),
        *("issue_group", "deadline_rule", "deadline_state"),
    }
} | {"metric": set(registry.metrics())}
LEAST = 3
"""So many codes of a vocabulary in one literal are a list of it. `LP` and `TM`, two, are also kinds
of record and of register number."""


def literals(tree: ast.AST) -> Iterator[tuple[int, set[str]]]:
    """The texts of each tuple, list, set and class, and the keys of each dict, with its line.

    A text may itself be a list: of words, or of SQL.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple | ast.List | ast.Set | ast.Dict):
            yield node.lineno, set(_texts(node))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, set(re.findall(r"'(\w+)'", node.value))
            if re.fullmatch(r"[\w|, ]+", node.value):
                yield node.lineno, set(re.split(r"[|, ]+", node.value))
        elif isinstance(node, ast.ClassDef):
            yield (
                node.lineno,
                {
                    each.value.value
                    for each in node.body
                    if isinstance(each, ast.Assign)
                    and isinstance(each.value, ast.Constant)
                    and isinstance(each.value.value, str)
                },
            )


def _texts(node: ast.Tuple | ast.List | ast.Set | ast.Dict) -> Iterator[str]:
    for part in node.keys if isinstance(node, ast.Dict) else node.elts:
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value
        elif isinstance(part, ast.Starred) and isinstance(part.value, ast.Tuple | ast.List):
            yield from _texts(part.value)


def lists_of_codes(source: str, *, whole: bool = False) -> list[tuple[int, str]]:
    """The line and vocabulary of each literal that lists codes of it.

    Args:
        source: a module's text.
        whole: only those that list every code.

    """
    return [
        (line, name)
        for line, texts in literals(ast.parse(source))
        for name, codes in sorted(VOCABULARIES.items())
        if len(texts & codes) >= (len(codes) if whole else LEAST) and len(codes) >= LEAST
    ]


@pytest.mark.parametrize(
    "planted",
    [
        'METHODS = ("TATAP_MUKA", "TERBATAS", "RAPAT_UMUM", "LAIN", "UNSTATED")',
        'METHODS = [*("TATAP_MUKA", "TERBATAS"), "RAPAT_UMUM"]',
        'LABELS = {"IN_EVENT": "x", "OUTSIDE_EVENT": "y", "UNKNOWN": "z"}',
        'METRICS = {"tip": 1, "prevention": 2, "campaign_event": 3}',
        'METHODS = "TATAP_MUKA TERBATAS RAPAT_UMUM".split()',
        "QUERY = \"select 1 where code in ('TATAP_MUKA', 'TERBATAS', 'RAPAT_UMUM')\"",
        'class Context(StrEnum): A = "IN_EVENT"; B = "OUTSIDE_EVENT"; C = "UNKNOWN"',
    ],
)
def test_a_planted_list_is_found(planted: str) -> None:
    assert [line for line, _ in lists_of_codes(planted)] == [1]


def test_no_module_lists_the_codes_of_a_vocabulary() -> None:
    """The demo's world is independent of the pipeline and has words of its own for each code."""
    files = [
        file
        for folder in ("src", "dags", "benchmarks")
        for file in (ROOT / folder).rglob("*.py")
        if not file.is_relative_to(ROOT / "src" / "lumbung" / "demo")
        and ".venv" not in file.parts  # of the benchmarks' peers
    ]
    assert len(files) > 80
    found = {file.relative_to(ROOT): lists_of_codes(file.read_text("utf-8")) for file in files}
    assert {file: lines for file, lines in found.items() if lines} == {}


def test_no_test_lists_a_whole_vocabulary() -> None:
    """A test may name codes that it is about, never all of them: one more would be missed."""
    files = [f for f in (ROOT / "tests").rglob("*.py") if f.parent.name != "demo"]
    assert len(files) > 80
    found = {
        file.relative_to(ROOT): lists_of_codes(file.read_text("utf-8"), whole=True)
        for file in files
    }
    assert {file: lines for file, lines in found.items() if lines} == {}
