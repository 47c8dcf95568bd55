"""The text of a docx document (Office Open XML, ECMA-376), as far as a form needs it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO

from docx.oxml import parse_xml

from lumbung.intake.parsers.archives import RefusedError, is_bomb

_MAX_RELATIONS = 1 << 20
_RELATION = re.compile(rb"<[^<>]*/officeDocument\"[^<>]*>")
_TARGET = re.compile(rb'Target="/?([^"]+)"')


def read(file: BinaryIO, max_text: int) -> Iterator[list[str]]:
    """Paragraphs (as rows of one cell) and the rows of tables, in their order.

    Args:
        file: the document.
        max_text: the most bytes of XML.

    Raises:
        RefusedError: `unsafe_archive`, `too_large`, `unusual_xml`.
    """
    with zipfile.ZipFile(file) as archive:
        if is_bomb(archive):
            raise RefusedError("unsafe_archive")
        with archive.open("_rels/.rels") as part:
            relation = _RELATION.search(part.read(_MAX_RELATIONS))
        main = _TARGET.search(relation[0]) if relation else None
        name = main[1].decode() if main else "word/document.xml"
        with archive.open(name) as part:
            content = part.read(max_text + 1)
    if len(content) > max_text:
        raise RefusedError("too_large")
    if b"<!DOCTYPE" in content.replace(b"\0", b""):  # no form has one; it may define entities
        raise RefusedError("unusual_xml")
    yield from _lines(parse_xml(content))


def _kind(element: Any) -> str:
    """An element's name without its namespace; empty for comments."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _lines(element: Any) -> Iterator[list[str]]:
    """Paragraphs (as rows of one cell) and the rows of tables in an element."""
    for child in element:
        kind = _kind(child)
        if kind == "p":
            yield from ([" ".join(line.split())] for line in _text(child).split("\n"))
        elif kind == "tr":
            yield from _row([[*_paragraphs(cell)] for cell in _cells(child)])
        elif kind not in ("del", "moveFrom", "Fallback"):
            yield from _lines(child)


def _row(cells: list[list[str]]) -> Iterator[list[str]]:
    """A table's row: one line of cells, or several if each cell holds as many lines."""
    full = [cell for cell in cells if cell]
    if len(full) == 1:
        yield from ([line] for line in full[0])
    elif len(full) > 1 and len(full[0]) > 1 and len({len(cell) for cell in full}) == 1:
        yield from map(list, zip(*full, strict=True))
    elif full:
        yield ["\n".join(cell) for cell in cells]


def _cells(row: Any) -> Iterator[Any]:
    for child in row:
        if _kind(child) == "tc":
            yield child
        elif _kind(child) not in ("del", "moveFrom"):
            yield from _cells(child)


def _paragraphs(cell: Any) -> Iterator[str]:
    """The lines of a cell that are not empty, including those of nested tables."""
    for cells in _lines(cell):
        if line := " ".join(filter(None, cells)):
            yield line


def _text(paragraph: Any) -> str:
    """The visible text of a paragraph: without deleted text, codes of fields and fallbacks."""
    parts: list[str] = []
    for child in paragraph:
        kind = _kind(child)
        if kind == "t":
            parts.append(child.text or "")
        elif kind in ("tab", "ptab"):
            parts.append("\t")
        elif kind in ("br", "cr"):
            parts.append("\n")
        elif kind == "noBreakHyphen":
            parts.append("-")
        elif kind not in ("del", "moveFrom", "Fallback", "pPr", "rPr"):
            parts.append(_text(child))
    return "".join(parts)
