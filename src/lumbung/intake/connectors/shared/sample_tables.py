"""The tables of a sample: sheets of a workbook, or a CSV file."""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lumbung.intake.connectors.shared import delimited, parser_process
from lumbung.intake.connectors.shared.cells import header_labels, is_blank
from lumbung.intake.connectors.shared.proposal import ROWS, familiar, unusable
from lumbung.intake.parsers.ods_merges import Merge

_HEADER_WITHIN = 30

Table = tuple[list[str], list[dict[str, Any]]]
"""Labels in their order, and rows of filled cells."""


def tables(sample: str, content: bytes) -> dict[str, Table]:
    """The table of every visible sheet of a workbook, or of a CSV file, by the sheet's name."""
    found: dict[str, Table] = {}
    with tempfile.TemporaryDirectory() as folder, parser_process.ParserProcess() as child:
        path = Path(folder) / "contoh"
        path.write_bytes(content)
        if content[:2] in (b"PK", b"\xd0\xcf"):
            try:
                for sheet in child.sheets(path):
                    lines: list[list[Any]] = []
                    for row in sheet.rows:  # all of them: the next sheet comes behind
                        if len(lines) < ROWS:
                            lines += [[]] * min(row, ROWS) if isinstance(row, int) else [row]
                    found[sheet.name] = _table(lines[:ROWS], sheet.merges)
            except parser_process.ParserError as error:
                raise unusable(sample, "is no workbook that can be opened") from error
        else:
            try:
                text = delimited.Text(path, lambda rows: len(_table(rows[:ROWS], [])[0]))
            except csv.Error as error:
                raise unusable(sample, f"is no CSV: {error}") from error
            found[""] = _table(text.head[:ROWS], [])
    if not any(labels for labels, _ in found.values()):
        raise unusable(sample, "has no table")
    return found


def _table(lines: Sequence[Sequence[Any]], merges: Sequence[Merge]) -> Table:
    """The header is where most labels look familiar; a cover or a list of words has none."""
    across: dict[int, list[tuple[int, int]]] = {}
    for (top, first), (_, last) in merges:
        if last > first:
            across.setdefault(top, []).append((first, last))
    filled = [sum(not is_blank(cell) for cell in row) for row in lines]
    if max(filled, default=0) < 2:
        return [], []
    first = next(at for at, count in enumerate(filled) if count * 2 > max(filled))
    best = (0, first, 1, header_labels([list(lines[first])], first, across))
    for top in range(min(len(lines), _HEADER_WITHIN)):
        for height in (1, 2, 3):
            head = [list(row) for row in lines[top : top + height]]
            if len(head) < height or any(_is_value(cell) for row in head for cell in row):
                break
            labels = header_labels(head, top, across)
            score = familiar(labels)
            if score > best[0] or (score == best[0] and _is_title(best[3], labels)):
                best = (score, top, height, labels)
    _, top, height, labels = best
    rows = [
        {
            label: cell
            for label, cell in zip(labels, row, strict=False)
            if label and not is_blank(cell)
        }
        for row in lines[top + height :]
    ]
    known = list(dict.fromkeys(filter(None, labels)))
    return known, [row for row in rows if len(row) * 2 > len(known)]


def _is_value(cell: Any) -> bool:
    """Whether a cell is no label: a number, a date, or a text with one."""
    return not isinstance(cell, str) or bool(re.search(r"\d{3}", cell))


def _is_title(before: Sequence[str], labels: Sequence[str]) -> bool:
    """Whether the header found before begins with a title that stands over all columns."""
    return sum(map(len, filter(None, labels))) < sum(map(len, filter(None, before)))
