"""Delimited text with a header: CSV by exports of forms, whatever its delimiter and encoding."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

from lumbung.intake.connectors.files import text_encoding
from lumbung.intake.contract import normalise

DELIMITERS = ",;\t|"
_HEADER_WITHIN = 20  # rows
_MAX_CELL = 16 << 20


class Table:
    """A header that has one of the wanted labels, and the rows below it.

    Args:
        path: the file.
        wanted: labels (normalised) of which the header has one.

    Attributes:
        labels: one a column; a label that comes again is `Label (2)`, one without is `Kolom 3`.
            Empty where no header was found.

    Raises:
        csv.Error: when the text is no CSV.
    """

    def __init__(self, path: Path, wanted: Collection[str]) -> None:
        self._path = path
        self._encoding = text_encoding(path)
        self._delimiter = DELIMITERS[0]
        self._top = 0
        self.labels: list[str] = []
        for delimiter in DELIMITERS:
            rows = self._read(delimiter, strict=False)  # with the wrong one every quote is amiss
            for number, row in enumerate(islice(rows, _HEADER_WITHIN)):
                if any(normalise(cell) in wanted for cell in row) and len(row) > len(self.labels):
                    self._delimiter, self._top, self.labels = delimiter, number, row
                    break
        self.labels = _unique(self.labels)

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Row number (1 first, as rows of CSV count) and the filled cells; blank rows left out.

        Raises:
            csv.Error: when a quote is not closed or a cell is beyond measure.
        """
        # strict: a quote that is not closed would otherwise swallow the rows that follow.
        for number, row in enumerate(self._read(self._delimiter, strict=True), 1):
            if number <= self._top + 1:
                continue
            for column in range(len(self.labels), len(row)):
                self.labels.append(f"Kolom {column + 1}")
            filled = {
                label: cell
                for label, cell in zip(self.labels, row, strict=False)
                if cell and not cell.isspace()
            }
            if filled:
                yield number, filled

    def _read(self, delimiter: str, *, strict: bool) -> Iterator[list[str]]:
        csv.field_size_limit(_MAX_CELL)
        with self._path.open(encoding=self._encoding, errors="replace", newline="") as stream:
            yield from csv.reader(stream, delimiter=delimiter, strict=strict)


def _unique(labels: list[str]) -> list[str]:
    met: set[str] = set()
    unique = []
    for column, label in enumerate(labels, 1):
        base = " ".join(label.split()) or f"Kolom {column}"
        name, ordinal = base, 1
        while normalise(name) in met:
            ordinal += 1
            name = f"{base} ({ordinal})"
        met.add(normalise(name))
        unique.append(name)
    return unique
