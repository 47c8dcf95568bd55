"""Delimited text with a header, whatever its delimiter and encoding."""

from __future__ import annotations

import csv
import re
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TextIO

from lumbung.intake.channel.labels import distinct, normalise
from lumbung.intake.connectors.base import Unreadable
from lumbung.intake.connectors.shared.files import File, text_encoding

DELIMITERS = ";,\t|"
MAX_COLUMNS = 16_384
"""Cells of a row: no spreadsheet has more."""
MAX_LINE = 16 << 20
"""Characters of the longest line, and of the longest cell, that is read."""

_BROKEN = "sebuah sel terlalu besar atau tanda kutipnya tidak ditutup; perbaiki berkasnya"
_CUT_OFF = "berkas terpotong di tengah baris terakhir; tunggu sampai utuh atau kirim kembali"
_BROKEN_ROW = (
    "tanda kutip pada baris ini tidak ditutup atau ada di tengah sel; tulis ganda tanda kutip di"
    " dalam sel, atau simpan ulang sebagai xlsx"
)
_MAX_BROKEN = 1_000
"""Broken rows of a file: each may be looked for an end of its cell over many lines."""
_MAX_CELL_LINES = 1_000
_MAX_CELL_SIZE = 1 << 20  # characters of a row of several lines
_HEADER_WITHIN = 20  # rows
_LOOKED_AT = 500  # rows, to tell the delimiter
_LOOKED_AT_CELLS = 100_000


class CutOffError(csv.Error):
    """A file ends within a row: somebody is still writing it, or its transfer was interrupted."""


class _BeyondMeasureError(csv.Error):
    """A line or row that is larger than any that people make."""


def refusal(error: csv.Error) -> tuple[str, str]:
    """Reason code and reason of a file that cannot be read to its end."""
    if isinstance(error, CutOffError):
        return "cut_off", _CUT_OFF
    return "unreadable_file", _BROKEN


def broken_rows(file: File, broken: Iterable[tuple[int, int]]) -> Iterator[Unreadable]:
    """What could not be read of a file, as deliveries: `broken` of its text or table."""
    for first, last in broken:
        place = f"baris {first}" if first == last else f"baris {first}-{last}"
        yield file.unreadable("broken_row", _BROKEN_ROW, place)


class Text:
    """The rows of a file.

    Args:
        path: the file.
        fit: how well rows from its beginning look when they are cut at a delimiter; the best fit
            tells the delimiter, the first one of `DELIMITERS` among equals.

    Attributes:
        head: the rows at its beginning.
        broken: the first and last lines, from 1, of what was broken when the rows were last read:
            a quote is not closed, or stands within a quoted cell.

    Raises:
        csv.Error: when a line or cell at its beginning is beyond measure.
    """

    def __init__(self, path: Path, fit: Callable[[list[list[str]]], int]) -> None:
        self._path = path
        self._encoding = text_encoding(path)
        self._is_ended = True
        self.broken: list[tuple[int, int]] = []
        heads = {each: self._beginning(each) for each in DELIMITERS}
        self._delimiter = max(DELIMITERS, key=lambda each: fit(heads[each]))
        self.head = heads[self._delimiter]

    def __iter__(self) -> Iterator[list[str]]:
        """Every row, also empty ones; one empty row in place of lines that are broken.

        Raises:
            csv.Error: when a line or cell is beyond measure, or too many rows are broken.
            CutOffError: in place of a last row that is broken or has fewer cells than all rows of
                its table, and that has no end of line.
        """
        row: list[str] | None = None
        widest = fewest = 0
        try:
            for following in self._rows():
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
                if not row and self.broken:
                    self.broken.pop()
                raise CutOffError("the last row is cut off")
            yield row

    def _rows(self) -> Iterator[list[str]]:
        """The rows; of a broken one its first line is passed over, and the next line begins anew.

        What follows it is passed over too, until a row has as many cells as others: it may be the
        rest of the broken row's cell.
        """
        self.broken.clear()
        widths = Counter(len(row) for row in self.head if len(row) > 1)
        usual = before = max(widths, key=widths.__getitem__, default=1)
        begin = failures = 0
        with self._path.open(encoding=self._encoding, errors="replace", newline="") as stream:
            lines = _Lines(self._lines(stream))
            for row in self._strictly(lines):
                if len(lines.taken) > 1 and self._has_swallowed(row, lines.taken, {usual, before}):
                    row = None
                if row is None:
                    failures += 1
                    if failures > _MAX_BROKEN:
                        raise csv.Error("too many broken rows")
                    lines.give_back()
                    begin = begin or lines.number
                    continue
                if begin and len(row) not in (usual, before):
                    continue
                if begin:
                    self.broken.append((begin, lines.number - len(lines.taken)))
                    begin = 0
                    yield []
                before = len(row) if len(row) > 1 else before
                yield row
            if begin:
                self.broken.append((begin, lines.number))
                yield []

    def _strictly(self, lines: _Lines) -> Iterator[list[str] | None]:
        """Each row, None where a quote is not closed, or stands within a quoted cell."""
        csv.field_size_limit(MAX_LINE)
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        while True:
            lines.begin()
            try:
                row = next(reader)
            except StopIteration:
                return
            except _BeyondMeasureError:
                raise
            except csv.Error:
                yield None
                continue
            if any(row[MAX_COLUMNS:]):
                raise _BeyondMeasureError("row beyond measure")
            yield row[:MAX_COLUMNS]

    def _has_swallowed(self, row: list[str] | None, taken: list[str], usual: set[int]) -> bool:
        """Whether a row of several lines is several rows, of which one opens a quote by mistake.

        With as many cells as others it is only if each of its lines has as many, and begins with
        a number of one form.
        """
        if row is None:
            return False
        counts = [line.count(self._delimiter) + 1 for line in taken]
        if len(row) not in usual:
            return not usual.isdisjoint(counts[1:])
        forms = {_form(line.split(self._delimiter, 1)[0]) for line in taken}
        return {*counts} == {len(row)} and len(forms) == 1 and "9" in forms.pop()

    def _beginning(self, delimiter: str) -> list[list[str]]:
        """The first rows: at least one, and no more than a little memory holds."""
        rows: list[list[str]] = []
        cells = size = 0
        for row in islice(self._leniently(delimiter), _LOOKED_AT):
            rows.append(row)
            cells += len(row)
            size += sum(map(len, row))
            if cells > _LOOKED_AT_CELLS or size > MAX_LINE:
                break
        return rows

    def _leniently(self, delimiter: str) -> Iterator[list[str]]:
        """The rows whatever their quotes: with the wrong delimiter every quote is amiss."""
        csv.field_size_limit(MAX_LINE)
        with self._path.open(encoding=self._encoding, errors="replace", newline="") as stream:
            for row in csv.reader(self._lines(stream), delimiter=delimiter):
                yield row[:MAX_COLUMNS]

    def _lines(self, stream: TextIO) -> Iterator[str]:
        while line := stream.readline(MAX_LINE + 1):
            if len(line) > MAX_LINE:
                raise _BeyondMeasureError("line beyond measure")
            self._is_ended = line[-1] in "\r\n"
            yield line


class _Lines:
    """Lines for a reader, which can be given back; they end where a row takes too many.

    Attributes:
        taken: those of the row that is read.
        number: of the last one taken, from 1.
    """

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._given_back: deque[str] = deque()
        self._size = 0
        self.taken: list[str] = []
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.taken and (len(self.taken) > _MAX_CELL_LINES or self._size > _MAX_CELL_SIZE):
            raise StopIteration
        line = self._given_back.popleft() if self._given_back else next(self._lines)
        self.taken.append(line)
        self._size += len(line)
        self.number += 1
        return line

    def begin(self) -> None:
        """A row begins."""
        self.taken = []
        self._size = 0

    def give_back(self) -> None:
        """Take the lines behind the first one again."""
        self._given_back.extendleft(reversed(self.taken[1:]))
        self.number -= len(self.taken) - 1


def _form(text: str) -> str:
    """What a text looks like: `9/A` for `12/LP`."""
    return re.sub(r"\d+", "9", re.sub(r"[^\W\d_]+", "A", text.strip(' "')))


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

    @property
    def broken(self) -> list[tuple[int, int]]:
        """As `Text.broken`."""
        return self._text.broken

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
