"""Workbooks (xlsx, xlsm, xlsb, xls, ods) as rows of JSON values."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from fnmatch import fnmatch
from typing import Any, BinaryIO

from python_calamine import CalamineSheet, PasswordError, SheetVisibleEnum, load_workbook

from lumbung.intake.parsers import ods_merges
from lumbung.intake.parsers.archives import RefusedError, is_bomb
from lumbung.intake.parsers.legal_numbers import is_registered
from lumbung.intake.parsers.ods_merges import Merge
from lumbung.intake.parsers.xlsx_trim import is_trimmable, trimmed

_OUTLINE_ROWS = 200
_PIECE = 1 << 20
_LABEL = 200
"""Characters: no label of a header is longer."""
_MAX_SHEETS = 1_000
_MAX_OUTLINES = 128 << 20
"""Bytes that all outlines of a workbook may take in the process that asked for them."""
_OBJECT = 64
"""Bytes of a value in memory, beside its characters."""


def read(
    file: BinaryIO,
    sheets: Iterable[str],
    skip_sheets: Iterable[str],
    hidden_sheets: bool,
    behind: int = 0,
    is_trimmed: bool = False,
    order: list[str] | None = None,
    is_outline: bool = False,
) -> Iterator[Any]:
    """For each sheet its name and merged cells, then its rows.

    Consecutive blank rows are given as one number, their count. Dates are ISO text.

    Args:
        file: the workbook.
        sheets: globs of the sheets that are read.
        skip_sheets: globs of sheets that are not read.
        hidden_sheets: whether hidden sheets are read too.
        behind: how many of these sheets are skipped.
        is_trimmed: whether cells far outside of the tables are left out.
        order: the names of the sheets in the order of reading; None for the workbook's order.
        is_outline: whether only an outline of each sheet is wanted: name, merged cells, first rows
            and registered legal numbers.

    Raises:
        RefusedError: `encrypted` or `unsafe_archive`; `limits` if the file cannot be trimmed, or
            if its sheets are too many or their outlines too large. A small file can have many
            large sheets: all of them may be one part of its archive.
    """
    if zipfile.is_zipfile(file):
        with suppress(zipfile.BadZipFile), zipfile.ZipFile(file) as archive:
            if is_bomb(archive):
                raise RefusedError("unsafe_archive")
    if is_trimmed and not is_trimmable(file):
        raise RefusedError("limits")
    try:
        file.seek(0)
        workbook = load_workbook(trimmed(file) if is_trimmed else file)
        found = [
            (sheet.name, hidden_sheets or sheet.visible == SheetVisibleEnum.Visible)
            for sheet in workbook.sheets_metadata
            if _matches(sheet.name, sheets) and not _matches(sheet.name, skip_sheets)
        ]
        names = [name for name, is_read in found if is_read]
        hidden = [name for name, is_read in found if not is_read]
        _limit(len(found), _MAX_SHEETS)
        outlined = 0
        merged = ods_merges.merged(file) if _is_ods(file) else {}
        for name in (order or names)[behind:]:
            sheet = workbook.get_sheet_by_name(name)
            if is_outline:
                outline = [name, _merges(sheet, merged.get(name)), *_outline(sheet)]
                outlined += _size(outline)
                _limit(outlined, _MAX_OUTLINES)
                yield outline
                continue
            merges = _merges(sheet, merged.get(name))
            yield {"sheet": name, "merges": merges, "hidden": hidden}
            yield from _rows(sheet)
            yield {"sheet_end": True}
            del sheet  # before the next one is read
    except PasswordError as error:
        raise RefusedError("encrypted") from error
    except Exception as error:
        if _is_encrypted(file):
            raise RefusedError("encrypted") from error
        raise


def _is_ods(file: BinaryIO) -> bool:
    """Whether a file is an OpenDocument; a file in the evidence store has no suffix to show it."""
    with suppress(zipfile.BadZipFile, KeyError), zipfile.ZipFile(file) as archive:
        return archive.getinfo("content.xml") is not None
    return False


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch(name.casefold(), pattern.casefold()) for pattern in patterns)


def _merges(sheet: CalamineSheet, merged: Iterable[Merge] | None) -> list[Merge]:
    """Merged ranges, with columns counted from the first one of the rows."""
    left = sheet.start[1] if sheet.start else 0
    return [
        ((top, max(first - left, 0)), (bottom, last - left))
        for (top, first), (bottom, last) in merged or sheet.merged_cell_ranges or ()
    ]


def _rows(sheet: CalamineSheet) -> Iterator[list[Any] | int]:
    """The rows of a sheet; a number stands for that many blank rows."""
    blank = 0
    for row in sheet.iter_rows():
        if row.count("") == len(row):
            blank += 1
            continue
        if blank:
            yield blank
            blank = 0
        yield row
    if blank:
        yield blank


def _outline(sheet: CalamineSheet) -> tuple[list[list[Any] | int], list[str]]:
    """The first rows of a sheet, with long cells cut, and its registered legal numbers."""
    rows: list[list[Any] | int] = []
    numbers: list[str] = []
    for row in _rows(sheet):
        if len(rows) < _OUTLINE_ROWS:
            rows.append(row if isinstance(row, int) else [_cut(cell) for cell in row])
        if not isinstance(row, int):
            numbers += [c for c in row if isinstance(c, str) and "/" in c and is_registered(c)]
    return rows, numbers


def _limit(number: int, most: int) -> None:
    if number > most:
        raise RefusedError("limits")


def _size(value: Any) -> int:
    """Bytes that a JSON value takes in memory, about."""
    if isinstance(value, str):
        return _OBJECT + len(value) if value else 8
    if isinstance(value, list | tuple):
        return _OBJECT + sum(map(_size, value))
    return _OBJECT


def _cut(cell: Any) -> Any:
    return cell[:_LABEL] if isinstance(cell, str) else cell


def _is_encrypted(file: BinaryIO) -> bool:
    """Whether a file is an OLE container of an encrypted workbook ([MS-OFFCRYPTO] 2.3.4.4)."""
    wanted = "EncryptedPackage".encode("utf-16-le")
    file.seek(0)
    end = b""
    while piece := file.read(_PIECE):
        if wanted in end + piece:
            return True
        end = piece[-len(wanted) :]
    return False
