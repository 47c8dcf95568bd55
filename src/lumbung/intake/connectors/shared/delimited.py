"""Delimited text with a header, whatever its delimiter and encoding."""

from __future__ import annotations

import csv
import re
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from typing import TextIO

from lumbung.intake.channel.labels import distinct, normalise
from lumbung.intake.connectors.base import Unreadable
from lumbung.intake.connectors.shared.files import Content, File, text_encoding

DELIMITERS = ";,\t|"
MAX_COLUMNS = 16_384
"""The most cells of a row, as many as the largest spreadsheet has."""
MAX_LINE = 16 << 20
"""The most characters of a line, and of a cell."""

_BROKEN = "sebuah sel terlalu besar atau tanda kutipnya tidak ditutup; perbaiki berkasnya"
_CUT_OFF = "berkas terpotong di tengah baris terakhir; tunggu sampai utuh atau kirim kembali"
_BROKEN_ROW = (
    "tanda kutip pada baris ini tidak ditutup atau ada di tengah sel; tulis ganda tanda kutip di"
    " dalam sel, atau simpan ulang sebagai xlsx"
)
_MAX_BROKEN = 1_000
"""The most broken rows of a file: the end of a broken cell is searched over many lines."""
_MAX_CELL_LINES = 1_000
_MAX_CELL_SIZE = 1 << 20  # characters of a row of several lines
_HEADER_WITHIN = 20  # rows
_LOOKED_AT = 500  # rows by which the delimiter is found
_LOOKED_AT_CELLS = 100_000


class CutOffError(csv.Error):
    """A file ends in the middle of a row: it is still being written, or its transfer failed."""


class _BeyondMeasureError(csv.Error):
    """A line or row is larger than any that people write."""


def refusal(error: csv.Error) -> tuple[str, str]:
    """Error -> reason code and reason, of a file that cannot be read to its end."""
    if isinstance(error, CutOffError):
        return "cut_off", _CUT_OFF
    return "unreadable_file", _BROKEN


def broken_rows(file: File, broken: Iterable[tuple[int, int]]) -> Iterator[Unreadable]:
    """The broken rows of a file (`Text.broken`), as unreadable deliveries."""
    for first, last in broken:
        place = f"baris {first}" if first == last else f"baris {first}-{last}"
        yield file.unreadable("broken_row", _BROKEN_ROW, place)


class Text:
    """The rows of a file.

    Args:
        content: the file.
        fit: rates the first rows as they are with a delimiter. The delimiter with the highest
            rating is taken; of several, the first one in `DELIMITERS`.

    Attributes:
        head: the first rows.
        broken: first and last line (from 1) of each broken row of the last reading: a row with a
            quote that is not closed, or that stands inside a quoted cell.

    Raises:
        csv.Error: when a line or cell at the beginning is too large.
    """

    def __init__(self, content: Content, fit: Callable[[list[list[str]]], int]) -> None:
        self._content = content
        self._encoding = text_encoding(content)
        self._is_ended = True
        self.broken: list[tuple[int, int]] = []
        heads = {each: self._beginning(each) for each in DELIMITERS}
        self._delimiter = max(DELIMITERS, key=lambda each: fit(heads[each]))
        self.head = heads[self._delimiter]

    def __iter__(self) -> Iterator[list[str]]:
        """Every row, blank ones included; a broken row is given as an empty one.

        Raises:
            csv.Error: when a line or cell is too large, or too many rows are broken.
            CutOffError: at a last row without an end of line that is broken, or that has fewer
                cells than all other rows of its table.
        """
        row: list[str] | None = None
        widest = fewest = 0
        try:
            for following in self._rows():
                if row is not None:
                    if len(row) > widest:  # the rows above are a title
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
        """The rows; after the first line of a broken row, reading resumes at the next line.

        The following lines may be the rest of the broken row's cell, so they are skipped until a
        row has as many cells as the other rows.
        """
        self.broken.clear()
        widths = Counter(len(row) for row in self.head if len(row) > 1)
        usual = before = max(widths, key=widths.__getitem__, default=1)
        begin = failures = 0
        with self._content.open(encoding=self._encoding, errors="replace", newline="") as stream:
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
        """Each row; None for a row with a quote that is not closed, or inside a quoted cell."""
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
        """Whether a row of several lines is several rows, one of which opens a quote by mistake.

        If the row has as many cells as other rows, each of its lines must have as many too, and
        all lines must begin with numbers of the same shape.
        """
        if row is None:
            return False
        counts = [line.count(self._delimiter) + 1 for line in taken]
        if len(row) not in usual:
            return not usual.isdisjoint(counts[1:])
        forms = {_form(line.split(self._delimiter, 1)[0]) for line in taken}
        return {*counts} == {len(row)} and len(forms) == 1 and "9" in forms.pop()

    def _beginning(self, delimiter: str) -> list[list[str]]:
        """The first rows: at least one, and few enough for a little memory."""
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
        """The rows without checks of quotes, which all fail with the wrong delimiter."""
        csv.field_size_limit(MAX_LINE)
        with self._content.open(encoding=self._encoding, errors="replace", newline="") as stream:
            for row in csv.reader(self._lines(stream), delimiter=delimiter):
                yield row[:MAX_COLUMNS]

    def _lines(self, stream: TextIO) -> Iterator[str]:
        while line := stream.readline(MAX_LINE + 1):
            if len(line) > MAX_LINE:
                raise _BeyondMeasureError("line beyond measure")
            self._is_ended = line[-1] in "\r\n"
            yield line


class _Lines:
    """Lines for a CSV reader, which can be read again; they end if a row takes too many.

    Attributes:
        taken: the lines of the current row.
        number: of the last line taken, from 1.
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
        """Begin a row."""
        self.taken = []
        self._size = 0

    def give_back(self) -> None:
        """Let the lines after the row's first one be read again."""
        self._given_back.extendleft(reversed(self.taken[1:]))
        self.number -= len(self.taken) - 1


def _form(text: str) -> str:
    """The shape of a text: `9/A` for `12/LP`."""
    return re.sub(r"\d+", "9", re.sub(r"[^\W\d_]+", "A", text.strip(' "')))


class Table:
    """A header that has one of the wanted labels, and the rows below it.

    Args:
        content: the file.
        wanted: labels (normalised); the first row that has one of them is the header.

    Attributes:
        labels: one for each column; a repeated label is `Label (2)`, a blank one is `Kolom 3`.
            Empty if there is no header.

    Raises:
        csv.Error: when the text is no CSV.
    """

    def __init__(self, content: Content, wanted: Collection[str]) -> None:
        def header(rows: list[list[str]]) -> tuple[int, list[str]]:
            within = enumerate(rows[:_HEADER_WITHIN])
            found = (each for each in within if any(normalise(cell) in wanted for cell in each[1]))
            return next(found, (0, []))

        self._text = Text(content, lambda rows: len(header(rows)[1]))
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
        """The number of each row (from 1) and its filled cells; blank rows are left out.

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
