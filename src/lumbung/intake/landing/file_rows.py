"""Rows of files, as hashes by which two files that hold the same row are compared.

Two rows are compared in the columns that both files have, by canonical values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import PurePath
from struct import Struct
from typing import Any, NamedTuple

from lumbung.intake.canonical import canonical
from lumbung.intake.channel.labels import MAX_REMEMBERED, normalise
from lumbung.intake.channel.models import Channel
from lumbung.intake.connectors.base import PLACE_LABELS

_MAX_CACHED = 10_000  # files, and headers
_CELL = Struct("!II")
_DATED = re.compile(r"(?<!\d)(\d{1,2})\D(\d{1,2})\D(\d{4})(?!\d)")

Cells = dict[int, int]
"""Column -> value, both as keyed hashes of 4 bytes; the value of a blank cell is 0."""
Hash = Callable[[bytes], int]
"""Computes a keyed hash of 8 bytes (`ChannelHasher.short`)."""


class _Column(NamedTuple):
    """A column of a header.

    Attributes:
        label: as the file spells it.
        key: its hash.
        is_position: whether it holds the row's position: a difference in it changes nothing.
        is_mapped: whether it is mapped to a canonical field: only then a value in a new column
            changes the row.
    """

    label: str
    key: int
    is_position: bool
    is_mapped: bool


class Headers(dict[tuple[str, ...], tuple[_Column, ...]]):
    """The labels of a header -> its columns.

    A column that is mapped to a canonical field has the same key under all labels of the field.
    """

    def __init__(self, channel: Channel, hash_of: Hash) -> None:
        super().__init__()
        self._hash_of = hash_of
        self._room = MAX_REMEMBERED
        self._fields = {
            normalise(label): name
            for name, field in reversed(channel.fields.items())
            for label in field.labels
        }
        self._positions = PLACE_LABELS.difference(map(normalise, channel.key), self._fields)

    def __missing__(self, labels: tuple[str, ...]) -> tuple[_Column, ...]:
        plain = [normalise(label) for label in labels]
        fields = [self._fields.get(each) for each in plain]
        counts: dict[str, int] = {}
        columns = []
        for label, name, field in zip(labels, plain, fields, strict=True):
            column = f"field {field}" if field and fields.count(field) == 1 else f"label {name}"
            counts[column] = counts.get(column, 0) + 1
            content = f"column\n{counts[column]} {column}"
            key = self._hash_of(content.encode(errors="surrogatepass"))
            columns.append(
                _Column(label, key & 0xFFFFFFFF, name in self._positions, field is not None)
            )
        size = sum(map(len, labels))
        if len(self) < _MAX_CACHED and size <= self._room:
            self._room -= size
            self[labels] = tuple(columns)
        return tuple(columns)


class FileRow:
    """A row of a file.

    Args:
        keys: of the file and its series.
        changed_at: when the file was changed.
        source_id: of the row.
        columns: of the file's header.
        fields: label -> value, of cells that are not blank.
        hash_of: hashes columns and values.
    """

    def __init__(
        self,
        keys: FileKey,
        changed_at: datetime,
        source_id: str,
        columns: tuple[_Column, ...],
        fields: Mapping[str, Any],
        hash_of: Hash,
    ) -> None:
        self.file_key, self.series_key, self.numbers = keys
        self.changed_at = changed_at
        self.columns = columns
        self._source_id = source_id
        self._fields = fields
        self._hash_of = hash_of

    @cached_property
    def cells(self) -> Cells:
        """Its columns and values; computed when needed, because most rows need no comparison."""
        salt = b"cell\n" + self._source_id.encode(errors="surrogatepass") + b"\n"
        cells = {}
        for label, key, *_ in self.columns:
            text = canonical(self._fields.get(label))
            value = 0
            if text:
                content = salt + key.to_bytes(4) + text.encode(errors="surrogatepass")
                value = self._hash_of(content) & 0xFFFFFFFF or 1
            cells[key] = value
        return cells

    def equals(self, cells: Cells) -> bool:
        """Whether the row equals the cells of a row that may be under another header.

        A mapped column that only this row has must be blank. A column that only the other row has,
        and any other column that only this row has, does not count.
        """
        own = self.cells
        return not any(
            own[key] != cells[key] if key in cells else own[key] and is_mapped
            for _, key, is_position, is_mapped in self.columns
            if not is_position
        )

    def extends(self, cells: Cells) -> bool:
        """Whether the row has all columns with a value in `cells`, and a value in another one."""
        own = self.cells
        return any(
            own[key] and key not in cells
            for _, key, is_position, _ in self.columns
            if not is_position
        ) and all(key in own for key, value in cells.items() if value)


class FileKey(NamedTuple):
    """Identifies a file and its series.

    Attributes:
        file_key: a hash of the file's name.
        series_key: a hash of the letters of the name, so that the files of a series share it; None
            for a name without letters.
        numbers: the numbers in the name; empty if one of them may be a telephone number.
    """

    file_key: int
    series_key: int | None
    numbers: list[int]


class FileKeys(dict[str, FileKey]):
    """A file's name -> its keys.

    Args:
        hash_of: hashes names, which may be those of persons.
    """

    def __init__(self, hash_of: Hash) -> None:
        super().__init__()
        self._hash_of = hash_of

    def __missing__(self, name: str) -> FileKey:
        stem = PurePath(name).stem.casefold()
        letters = re.sub(r"[\W\d_]", "", stem)
        series = self._hash_of(b"series\n" + letters.encode(errors="surrogatepass"))
        own = self._hash_of(b"file\n" + name.encode(errors="surrogatepass"))
        numbers = re.findall(r"\d+", _DATED.sub(r"\3-\2-\1", stem))
        # a longer number may be a telephone number
        ordered = [] if any(len(each) > 8 for each in numbers) else [int(each) for each in numbers]
        keys = FileKey(own, series if letters else None, ordered)
        if len(self) < _MAX_CACHED:
            self[name] = keys
        return keys


def packed(cells: Cells) -> bytes:
    """Cells as `ops.file_row` and `ops.row_version` store them."""
    return b"".join(_CELL.pack(key, value) for key, value in cells.items())


def unpacked(cells: bytes) -> Cells:
    """Cells that were stored by `packed`."""
    return dict(_CELL.iter_unpack(cells))
