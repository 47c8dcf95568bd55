"""Registers: workbooks (xlsx, xls, xlsb, ods) and CSV files as offices keep them.

The table is found by its header's labels, wherever it stands. A header of two or three rows gives
labels `Group / Sub`. Merged cells of the body count for each of their rows. What is not a delivery
is left out: titles, blank rows, column numbers, subtotals, banners and signatures; a row that
might be one is a delivery and, where it cannot be read, quarantined. A visible sheet that is not
empty and has no header is quarantined too: list it under `skip_sheets` if it is no register.

Memory: the rows of one sheet as calamine holds them (compact), and one row as Python objects.
"""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from fnmatch import fnmatch
from itertools import chain, islice
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import orjson
from python_calamine import CalamineSheet, PasswordError, SheetVisibleEnum, load_workbook

from lumbung.intake.connectors import Delivery, Item, Source, Unreadable
from lumbung.intake.connectors.files import File, Folder, is_bomb, text_encoding
from lumbung.intake.contract import Channel, RegisterSource, normalise

Row = Sequence[Any]
Merge = tuple[tuple[int, int], tuple[int, int]]

_WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_TEXTS = (".csv", ".tsv", ".txt")
_HEADER_ROWS = 3
_TALLEST = 10_000  # rows of a merged cell that are believed
_NOTHING = {"", "-", "--", "–", "—", ".", "nihil", "tdk th", "tidak tahu", "n/a"}
_SUBTOTAL = re.compile(r"(sub\W*|grand\s+)?(jumlah|jml|total|rekap(itulasi)?)\b", re.IGNORECASE)
csv.field_size_limit(16 << 20)


def read(source: Source) -> Iterator[Item]:
    """Every row of every file in the channel's folder, the oldest file first."""
    options = source.channel.source
    assert isinstance(options, RegisterSource)  # noqa: S101 - the kind says so
    folder = Folder(source, options.files)
    for file in folder:
        is_whole = True
        for item in read_file(source.channel, options, file):
            yield item
            is_whole = is_whole and not (isinstance(item, Unreadable) and item.is_part)
        yield folder.mark(file.locator("") if is_whole else None)


def read_file(channel: Channel, options: RegisterSource, file: File) -> Iterator[Item]:
    """Every row of one file, whatever its format."""
    table = Table(channel, options, file)
    suffix = Path(file.name).suffix.casefold()
    if suffix in _TEXTS:
        yield from _csv(table, file)
    elif suffix in _WORKBOOKS:
        yield from _workbook(table, options, file)
    else:
        reason = "jenis berkas ini bukan buku register; kirim sebagai xlsx, xls, xlsb, ods atau csv"
        yield file.unreadable("unreadable_file", reason)


def _workbook(table: Table, options: RegisterSource, file: File) -> Iterator[Item]:
    if zipfile.is_zipfile(file.path):
        with suppress(zipfile.BadZipFile), zipfile.ZipFile(file.path) as archive:
            if is_bomb(archive):
                reason = "isi berkas mengembang tidak wajar; simpan ulang dan kirim kembali"
                yield file.unreadable("unsafe_archive", reason)
                return
    try:
        with file.path.open("rb") as stream:
            workbook = load_workbook(stream)
            sheets = [
                sheet.name
                for sheet in workbook.sheets_metadata
                if (options.hidden_sheets or sheet.visible == SheetVisibleEnum.Visible)
                and _matches(sheet.name, options.sheets)
                and not _matches(sheet.name, options.skip_sheets)
            ]
            if not sheets:
                reason = "tidak ada lembar yang dibaca; periksa nama lembar di berkas kanal"
                yield file.unreadable("header_not_found", reason)
            for name in sheets:
                sheet = workbook.get_sheet_by_name(name)
                yield from table.rows(name, *cells(sheet))
    except BaseException as error:  # calamine's Rust panics are no Exceptions
        if not _is_calamines(error):
            raise
        if isinstance(error, PasswordError) or _is_encrypted(file.path):
            reason = "buku kerja dikunci kata sandi; simpan tanpa kata sandi dan kirim kembali"
        else:
            reason = "buku kerja rusak atau belum terkirim utuh; simpan ulang dan kirim kembali"
        yield file.unreadable("unreadable_file", reason)


def _is_encrypted(path: Path) -> bool:
    """Whether a file is an OLE container of an encrypted workbook ([MS-OFFCRYPTO] 2.3.4.4)."""
    if not path.stat().st_size:
        return False
    with path.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as content:
        return content.find("EncryptedPackage".encode("utf-16-le")) >= 0


def _is_calamines(error: BaseException) -> bool:
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names & {"CalamineError", "PanicException"})


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch(name.casefold(), pattern.casefold()) for pattern in patterns)


def cells(sheet: CalamineSheet) -> tuple[Iterator[Row], list[Merge]]:
    """Rows from the first one of the sheet on, and merged ranges in the rows' own columns."""
    left = sheet.start[1] if sheet.start else 0
    merges = [
        ((top, max(first - left, 0)), (bottom, last - left))
        for (top, first), (bottom, last) in sheet.merged_cell_ranges or ()
    ]
    return iter(sheet.iter_rows()), merges


def _csv(table: Table, file: File) -> Iterator[Item]:
    encoding = text_encoding(file.path)
    with file.path.open(encoding=encoding, errors="replace", newline="") as stream:
        sample = stream.read(1 << 16).splitlines(keepends=True)
    chosen = next(
        (
            delimiter
            for delimiter in ";,\t|"
            if table.find_header(list(csv.reader(sample, delimiter=delimiter)))
        ),
        ",",
    )
    try:
        with file.path.open(encoding=encoding, errors="replace", newline="") as stream:
            yield from table.rows("", csv.reader(stream, delimiter=chosen), [])
    except csv.Error:
        reason = "sebuah sel terlalu besar atau tanda kutipnya tidak ditutup; perbaiki berkasnya"
        yield file.unreadable("unreadable_file", reason)


# -- a table on a sheet ----------------------------------------------------------------------------


class Table:
    """The register of one file, sheet after sheet."""

    def __init__(self, channel: Channel, options: RegisterSource, file: File) -> None:
        self._file = file
        self._in_sheet = options.sheet_in_key
        self._spelling = {**channel.public, **channel.private}
        self._keys = channel.key
        self._wanted = [
            *({normalise(label) for label in field.labels} for field in channel.fields.values()),
            *({normalise(label)} for label in (*channel.key, *channel.kept, *channel.personal)),
        ]
        self._required = [field.labels for field in channel.fields.values() if field.required]
        self._met: dict[int, int] = {}

    def rows(self, sheet: str, rows: Iterable[Row], merges: list[Merge]) -> Iterator[Item]:
        """The deliveries of one sheet."""
        across: dict[int, list[tuple[int, int]]] = {}
        down: dict[int, list[tuple[int, int]]] = {}
        for (top, first), (bottom, last) in merges:
            if last > first:
                across.setdefault(top, []).append((first, last))
            for below in range(top + 1, min(bottom, top + _TALLEST) + 1):
                down.setdefault(below, []).append((first, top))
        header: _Header | None = None
        skip = 0
        is_empty = True
        filled_down: dict[tuple[int, int], Any] = {}
        for index, window in enumerate(_windows(rows)):
            row = window[0]
            own = [cell for cell in row if not is_blank(cell)]
            is_empty = is_empty and not own
            if skip:
                skip -= 1
                continue
            if own and (header is None or header.is_repeated(row)):
                found = self.find_header(window, index, across)
                if found:
                    header = found
                    skip = header.height - 1
                    continue
            if header is None:
                continue
            for column, top in down.get(index, ()):
                if column < len(row) and is_blank(row[column]) and (top, column) in filled_down:
                    row = [*row[:column], filled_down[top, column], *row[column + 1 :]]
            if index + 1 in down:
                for column, top in down[index + 1]:
                    if top == index and column < len(row):
                        filled_down[top, column] = row[column]
            if own:
                yield from self._row(header, sheet, index + 1, row, own)
        if header is None and not is_empty:
            labels = ", ".join(self._keys)
            yield self._file.unreadable(
                "header_not_found",
                f"tidak ada baris judul dengan kolom {labels}; samakan judul kolom dengan berkas"
                " kanal, atau sebut lembarnya di skip_sheets",
                *filter(None, (sheet,)),
            )

    def find_header(
        self,
        window: Sequence[Row],
        top: int = 0,
        across: dict[int, list[tuple[int, int]]] | None = None,
    ) -> _Header | None:
        """The header that begins in the first of these rows, or (of a sample) in any of them."""
        if across is None:
            found = (self.find_header(window[at : at + 3], 0, {}) for at in range(len(window)))
            return next(filter(None, found), None)
        best: _Header | None = None
        for height in range(1, min(_HEADER_ROWS, len(window)) + 1):
            rows = [list(row) for row in window[:height]]
            labels = header_labels(rows, top, across)
            score = self._score(labels)
            if score * 2 < len(self._wanted) or (best is not None and score <= best.score):
                continue
            if height > 1 and self._score(header_labels(rows[1:], top + 1, across)) >= score:
                continue  # the first row is a title
            best = _Header(self._spelled(labels), window[0], height, score)
        return best

    def _score(self, labels: list[str]) -> int:
        """How many of the channel's fields a header has; 0 without the key."""
        plain = {normalise(label) for label in labels if label}
        if not plain.issuperset(normalise(key) for key in self._keys):
            return 0
        return sum(not wanted.isdisjoint(plain) for wanted in self._wanted)

    def _spelled(self, labels: list[str]) -> list[str]:
        """Labels as the channel file spells them; every column gets one, and no two the same."""
        result: list[str] = []
        for column, label in enumerate(labels):
            name = self._spelling.get(normalise(label), label) or f"Kolom {_letters(column)}"
            number = 2
            unique = name
            while unique in result:
                unique = f"{name} ({number})"
                number += 1
            result.append(unique)
        return result

    def _row(
        self, header: _Header, sheet: str, number: int, row: Row, own: list[Any]
    ) -> Iterator[Item]:
        fields = {
            label: _CONVERT.get(type(cell), _same)(cell)
            for label, cell in zip(header.labels_for(row), row, strict=False)
            if not is_blank(cell)
        }
        parts = [_text(fields.get(label)) for label in self._keys]
        key = " | ".join(parts) if all(parts) else ""
        if header.is_layout(row, own, key):
            return
        file = self._file
        locator = file.locator(*filter(None, (sheet,)), f"baris {number}")
        key = re.sub(r"\s*/\s*", "/", key).upper()
        if key and self._in_sheet:
            key = f"{' '.join(sheet.split())}/{key}"
        missing = [
            labels[0]
            for labels in (*((label,) for label in self._keys), *self._required)
            if not any(_text(fields.get(label)) for label in labels)
        ]
        if missing:
            names = ", ".join(dict.fromkeys(missing))
            yield Unreadable(
                "required_field_missing",
                f"kolom {names} kosong; lengkapi dan kirim kembali berkasnya",
                fields,
                file.changed_at,
                file.sha256,
                locator,
                key or None,
            )
            return
        content = hash(orjson.dumps(fields))
        before = self._met.setdefault(hash(key), content)
        if before != content:
            yield Unreadable(
                "key_repeated",
                f"{', '.join(self._keys)} baris ini sudah dipakai baris lain yang"
                " isinya berbeda; beri nomor sendiri atau hapus salah satu",
                fields,
                file.changed_at,
                file.sha256,
                locator,
                key,
            )
            return
        yield Delivery(key, file.changed_at, fields, file.sha256, locator, file.is_repeat)


class _Header:
    """A table's header and what was learnt of its rows."""

    def __init__(self, labels: list[str], top: Row, height: int, score: int) -> None:
        self.labels = labels
        self.height = height
        self.score = score
        self._first = next(index for index, cell in enumerate(top) if not is_blank(cell))
        self._first_text = normalise(str(top[self._first]))
        self._width = len([cell for cell in labels if not cell.startswith("Kolom ")])
        self._shapes: set[str] = set()
        self._is_fresh = True

    def labels_for(self, row: Row) -> list[str]:
        """One label per cell, also right of the header."""
        for column in range(len(self.labels), len(row)):
            self.labels.append(f"Kolom {_letters(column)}")
        return self.labels

    def is_repeated(self, row: Row) -> bool:
        """Whether a row may be this header again: a further table, or a page's header."""
        cell = row[self._first] if self._first < len(row) else None
        return isinstance(cell, str) and normalise(cell) == self._first_text

    def is_layout(self, row: Row, own: list[Any], key: str) -> bool:
        """Whether a row is no delivery.

        Column numbers under the header, subtotals, banners and signatures. A row with few cells
        is a delivery if it is numbered or its key looks like the keys of full rows.
        """
        is_first, self._is_fresh = self._is_fresh, False
        if is_first and len(own) > 2 and _counts_up(own):
            return True
        shape = re.sub(r"\d+", "9", re.sub(r"[^\W\d_]+", "A", key))
        is_like_others = bool(key) and shape in self._shapes
        if isinstance(own[0], str) and _SUBTOTAL.match(own[0].strip()) and not is_like_others:
            return True
        few = 3 if self._width >= 8 else 2 if self._width >= 6 else 1
        if len(own) > few:
            if key:
                self._shapes.add(shape)
            return False
        first = row[self._first] if self._first < len(row) else None
        return not (_is_number(first) or is_like_others)


def _windows(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Each row with the two that follow it."""
    stream = iter(rows)
    window = list(islice(stream, _HEADER_ROWS - 1))
    for row in chain(stream, [None] * len(window)):
        if row is not None:
            window.append(row)
        yield window
        window = window[1:]


def header_labels(
    rows: list[list[Any]], top: int, across: dict[int, list[tuple[int, int]]]
) -> list[str]:
    """One label per column of a header of these rows: `Group / Sub`."""
    width = max(map(len, rows))
    texts = [
        ["" if is_blank(cell) else " ".join(str(cell).split()) for cell in row]
        + [""] * (width - len(row))
        for row in rows
    ]
    for depth, line in enumerate(texts[:-1]):
        for first, last in across.get(top + depth, ()):
            for column in range(first + 1, min(last + 1, width)):
                line[column] = line[first]
        below = texts[depth + 1]
        for column in range(1, width):  # a group's name stands over its first column only
            if not line[column] and below[column] and below[column - 1]:
                line[column] = line[column - 1]
    labels = []
    for column in range(width):
        parts = dict.fromkeys(line[column] for line in texts if line[column])
        labels.append(" / ".join(parts))
    return labels


def is_blank(cell: Any) -> bool:
    """Whether a cell holds nothing that can be seen."""
    return cell is None or cell == "" or (isinstance(cell, str) and not cell.strip())


def _is_number(cell: Any) -> bool:
    if isinstance(cell, float):
        return cell.is_integer()
    return isinstance(cell, str) and bool(re.fullmatch(r"\s*\d{1,6}\s*\.?\s*", cell))


def _counts_up(cells: list[Any]) -> bool:
    """`(1) (2) (3)`: the columns' numbers."""
    texts = [str(int(c)) if isinstance(c, float) else str(c).strip(" ()") for c in cells]
    return texts == [str(number) for number in range(1, len(texts) + 1)]


def _text(value: Any) -> str:
    """A value as text; empty where it says that there is none."""
    text = "" if value is None else " ".join(str(value).split())
    return "" if text.casefold() in _NOTHING else text


def _letters(column: int) -> str:
    letters = ""
    while column >= 0:
        letters = chr(ord("A") + column % 26) + letters
        column = column // 26 - 1
    return letters


def _same(cell: Any) -> Any:
    return cell


def _number(cell: float) -> int | float:
    # Excel keeps 15 digits: of a longer number (a NIK) the last ones are none of its own.
    return int(cell) if cell.is_integer() and abs(cell) < 1e15 else cell


def _moment(cell: datetime) -> str:
    return (cell.date() if cell.time() == time() else cell).isoformat()


_CONVERT: dict[type, Callable[[Any], Any]] = {
    float: _number,
    datetime: _moment,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: str,
}
