"""Removing the cells of xlsx workbooks that are far outside of their tables.

calamine holds a sheet as one block from its first to its last cell. One stray cell at the end of a
sheet makes this block larger than any memory, even if the sheet has few cells.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import BinaryIO
from xml.parsers import expat

MAX_GAP = 1_000
"""The most blank rows inside a table; rows after a longer gap are removed."""
MAX_COLUMNS = 256

_SHEETS = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
_REFERENCE = re.compile(r"([A-Z]{1,3})\d")


def is_trimmable(file: BinaryIO) -> bool:
    """Whether a file is a workbook with sheets in XML (ECMA-376)."""
    try:
        with zipfile.ZipFile(file) as archive:
            return any(_SHEETS.fullmatch(name) for name in archive.namelist())
    except zipfile.BadZipFile:
        return False


def trimmed(file: BinaryIO) -> io.BytesIO:
    """A copy of the workbook without the rows after a long gap and the columns far to the right."""
    made = io.BytesIO()
    with zipfile.ZipFile(file) as archive, zipfile.ZipFile(made, "w") as copy:
        for member in archive.infolist():
            content = archive.read(member)
            if _SHEETS.fullmatch(member.filename):
                content = _without_strays(content)
            copy.writestr(member.filename, content, zipfile.ZIP_DEFLATED, 1)
    made.seek(0)
    return made


def _without_strays(sheet: bytes) -> bytes:
    """A sheet's XML without its stray rows and cells."""
    cuts: list[tuple[int, int]] = []
    begin: int | None = None
    is_behind = False
    row = last = column = 0
    parser = expat.ParserCreate()

    def keep_from_here() -> None:
        nonlocal begin
        if begin is not None:
            cuts.append((begin, parser.CurrentByteIndex))
            begin = None

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal begin, is_behind, row, last, column
        name = name.rpartition(":")[2]
        if name == "row" and not is_behind:
            number = attributes.get("r", "")
            row = int(number) if number.isdecimal() else row + 1
            column = 0
            if row - last > MAX_GAP:
                is_behind, begin = True, parser.CurrentByteIndex
        elif name == "c" and not is_behind:
            found = _REFERENCE.match(attributes.get("r", ""))
            column = _number(found[1]) if found else column + 1
            if column <= MAX_COLUMNS:
                last = row
                keep_from_here()
            elif begin is None:
                begin = parser.CurrentByteIndex

    def end(name: str) -> None:
        name = name.rpartition(":")[2]
        if name == "sheetData" or (name == "row" and not is_behind):
            keep_from_here()

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.Parse(sheet, True)
    position = 0
    kept: list[bytes] = []
    for first, behind in cuts:
        kept.append(sheet[position:first])
        position = behind
    return b"".join([*kept, sheet[position:]])


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
