"""The tables of a sample: sheets of a workbook, or a CSV file."""

from __future__ import annotations

import codecs
import csv
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lumbung.intake.connectors.shared import delimited, parser_process
from lumbung.intake.connectors.shared.cells import header_labels, is_blank
from lumbung.intake.connectors.shared.proposal import (
    ROWS,
    TRIED_CELLS,
    TRIED_ROWS,
    day_order,
    familiar,
    unusable,
)
from lumbung.intake.parsers.ods_merges import Merge

_HEADER_WITHIN = 30
_LONGEST_LABEL = 300  # characters; a question of a form may be long

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
                    cells = 0
                    for row in sheet.rows:  # all of them: the next sheet comes behind
                        if len(lines) < TRIED_ROWS and cells < TRIED_CELLS:
                            lines += [[]] * min(row, ROWS) if isinstance(row, int) else [row]
                            cells += 1 if isinstance(row, int) else len(row)
                    found[sheet.name] = _table(sample, lines, sheet.merges)
            except parser_process.ParserError as error:
                raise unusable(sample, "is no workbook that can be opened") from error
        else:
            _hold_to_text(sample, content)
            try:
                text = delimited.Text(path, lambda rows: len(_labelled(rows[:ROWS], [])[0]))
                lines, cells = [], 0
                for row in text:
                    lines.append(row)
                    cells += len(row)
                    if len(lines) >= TRIED_ROWS or cells >= TRIED_CELLS:
                        break
            except csv.Error as error:
                raise unusable(sample, f"is no CSV: {error}") from error
            found[""] = _table(sample, lines, [])
    if not any(labels for labels, _ in found.values()):
        raise unusable(sample, "has no table")
    return found


def _hold_to_text(sample: str, content: bytes) -> None:
    """Refuse what is no text: it would give labels of control characters.

    Raises:
        SourceError: saying what it is, if that is known.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return
    if content.startswith(b"SQLite format 3\0"):
        raise unusable(sample, "is an SQLite database, which the kind sql reads")
    if b"\0" in content:
        raise unusable(sample, "is no text; save it as CSV in UTF-8, or as a workbook")


def _table(sample: str, lines: Sequence[Sequence[Any]], merges: Sequence[Merge]) -> Table:
    """The table of a sheet.

    Raises:
        SourceError: when its first row is no header but a row of data.
    """
    labels, rows = _labelled(lines, merges)
    filled = [label for label in labels if label]
    values = [each for each in filled if _is_datum(each)]
    again = sum(any(row.get(each) == each for row in rows) for each in filled)
    if filled and (
        2 * len(values) >= len(filled) or (familiar(filled) == 0 and 3 * again >= len(filled))
    ):
        raise unusable(sample, "has no row of labels: its first row is one of data; add labels")
    return labels, rows


def _is_datum(label: str) -> bool:
    """Whether a label is a day, a number, an address or a whole text: nobody calls a column so."""
    text = label.strip()
    return (
        len(text) > _LONGEST_LABEL
        or bool(day_order(text))
        or bool(re.fullmatch(r"[-+]?[\d.,: ]*\d[\d.,: %]*|[^@\s]+@[^@\s]+\.\w+", text))
    )


def _labelled(lines: Sequence[Sequence[Any]], merges: Sequence[Merge]) -> Table:
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
