"""Merged cells of OpenDocument spreadsheets (version 1.3, section 9.1), which calamine omits."""

from __future__ import annotations

import zipfile
from typing import BinaryIO
from xml.parsers import expat

Merge = tuple[tuple[int, int], tuple[int, int]]
_PIECE = 1 << 16


def merged(file: BinaryIO) -> dict[str, list[Merge]]:
    """The merged cells of each sheet as (top, left), (bottom, right), from 0.

    Raises:
        expat.ExpatError: when the content is no XML, or its entities expand too much.
        KeyError: when the archive has no content.
    """
    found: dict[str, list[Merge]] = {}
    here: list[Merge] = []
    row = column = following = 0

    def number(attributes: dict[str, str], name: str) -> int:
        text = attributes.get(f"table:number-{name}", "1")
        return max(int(text), 1) if text.isdecimal() else 1

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal here, row, column, following
        if name == "table:table":
            here = found.setdefault(attributes.get("table:name", ""), [])
            following = 0
        elif name == "table:table-row":
            row, column = following, 0
            following += number(attributes, "rows-repeated")
        elif name in ("table:table-cell", "table:covered-table-cell"):
            down = number(attributes, "rows-spanned")
            across = number(attributes, "columns-spanned")
            if down > 1 or across > 1:
                here.append(((row, column), (row + down - 1, column + across - 1)))
            column += number(attributes, "columns-repeated")

    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    with zipfile.ZipFile(file) as archive, archive.open("content.xml") as stream:
        while piece := stream.read(_PIECE):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    return found
