"""Delimited text with a header, whatever its delimiter and encoding."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import TextIO

from lumbung.intake.connectors.files import text_encoding
from lumbung.intake.contract import distinct, normalise

DELIMITERS = ";,\t|"
MAX_COLUMNS = 16_384
"""Cells of a row: no spreadsheet has more."""
MAX_LINE = 16 << 20
"""Characters of the longest line, and of the longest cell, that is read."""

_BROKEN = "sebuah sel terlalu besar atau tanda kutipnya tidak ditutup; perbaiki berkasnya"
_CUT_OFF = "berkas terpotong di tengah baris terakhir; tunggu sampai utuh atau kirim kembali"
_HEADER_WITHIN = 20  # rows
_LOOKED_AT = 500  # rows, to tell the delimiter
_LOOKED_AT_CELLS = 100_000


class CutOffError(csv.Error):
    """A file ends within a row: somebody is still writing it, or its transfer was interrupted."""


def refusal(error: csv.Error) -> tuple[str, str]:
    """Reason code and reason of a file that cannot be read to its end."""
    if isinstance(error, CutOffError):
        return "cut_off", _CUT_OFF
    return "unreadable_file", _BROKEN


class Text:
    """The rows of a file.

    Args:
        path: the file.
        fit: how well rows from its beginning look when they are cut at a delimiter; the best fit
            tells the delimiter, the first one of `DELIMITERS` among equals.

    Attributes:
        head: the rows at its beginning.

    Raises:
        csv.Error: when a line or cell at its beginning is beyond measure.
    """

    def __init__(self, path: Path, fit: Callable[[list[list[str]]], int]) -> None:
        self._path = path
        self._encoding = text_encoding(path)
        self._is_ended = True
        # not strict: with the wrong delimiter every quote is amiss
        heads = {each: self._beginning(each) for each in DELIMITERS}
        self._delimiter = max(DELIMITERS, key=lambda each: fit(heads[each]))
        self.head = heads[self._delimiter]

    def __iter__(self) -> Iterator[list[str]]:
        """Every row, also empty ones.

        Raises:
            csv.Error: when a quote is not closed, or a line or cell is beyond measure.
            CutOffError: in place of a last row that has fewer cells than all rows of its table and
                no end of line.
        """
        row: list[str] | None = None
        widest = fewest = 0
        try:
            # strict: a quote that is not closed would otherwise swallow the rows that follow
            for following in self._read(self._delimiter, True):
                if row is not None:
                    if len(row) > widest:  # what stands above is a title
                        widest = fewest = len(row)
                    elif row and len(row) < fewest:
                        fewest = len(row)
                    yield row
                row = following
        except csv.Error:
            if row is not None:
                yield row
            raise
        if row is not None:
            if len(row) < fewest and not self._is_ended:
                raise CutOffError("the last row is cut off")
            yield row

    def _beginning(self, delimiter: str) -> list[list[str]]:
        """The first rows: at least one, and no more than a little memory holds."""
        rows: list[list[str]] = []
        cells = size = 0
        for row in islice(self._read(delimiter, False), _LOOKED_AT):
            rows.append(row)
            cells += len(row)
            size += sum(map(len, row))
            if cells > _LOOKED_AT_CELLS or size > MAX_LINE:
                break
        return rows

    def _read(self, delimiter: str, is_strict: bool) -> Iterator[list[str]]:
        csv.field_size_limit(MAX_LINE)
        with self._path.open(encoding=self._encoding, errors="replace", newline="") as stream:
            for row in csv.reader(self._lines(stream), delimiter=delimiter, strict=is_strict):
                if len(row) > MAX_COLUMNS:
                    if is_strict and any(row[MAX_COLUMNS:]):
                        raise csv.Error("row beyond measure")
                    row = row[:MAX_COLUMNS]
                yield row

    def _lines(self, stream: TextIO) -> Iterator[str]:
        while line := stream.readline(MAX_LINE + 1):
            if len(line) > MAX_LINE:
                raise csv.Error("line beyond measure")
            self._is_ended = line[-1] in "\r\n"
            yield line


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
        def header(rows: list[list[str]]) -> tuple[int, list[str]]:
            within = enumerate(rows[:_HEADER_WITHIN])
            found = (each for each in within if any(normalise(cell) in wanted for cell in each[1]))
            return next(found, (0, []))

        self._text = Text(path, lambda rows: len(header(rows)[1]))
        self._top, cells = header(self._text.head)
        self.labels: list[str] = []
        taken: set[str] = set()
        reached: dict[str, int] = {}
        for column, cell in enumerate(cells, 1):
            label = " ".join(cell.split()) or f"Kolom {column}"
            self.labels.append(distinct(label, taken, reached))
            taken.add(self.labels[-1])

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Row number (1 first, as rows of CSV count) and the filled cells; blank rows left out.

        Raises:
            csv.Error: as `Text` does.
        """
        for number, row in enumerate(self._text, 1):
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
