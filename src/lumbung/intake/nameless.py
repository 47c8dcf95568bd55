"""Rows without a source id: which of the rows that a file no longer has they may be.

A row whose number was deleted has not been withdrawn. It is recognised by its other cells, so that
a row without a number holds back one withdrawal and not those of its whole file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import orjson

_MAX_PAIRS = 1_000_000


class NamelessRow(NamedTuple):
    """A delivery that cannot be read and claims no source id.

    Attributes:
        place: its file, or its whole locator where it has none.
        cells: hashes of its public cells without key and place; None: it stands for more than one
            row, or nothing of it can be compared.
    """

    place: str
    cells: frozenset[int] | None


def cell_hashes(cells: Mapping[str, Any]) -> frozenset[int]:
    """Hashes of labels with their values."""
    return frozenset(hash((label, orjson.dumps(value))) for label, value in cells.items())


class Nameless:
    """The nameless rows of a pull."""

    def __init__(self) -> None:
        self._rows: dict[str, list[frozenset[int]]] = {}
        self._unknown: set[str] = set()

    def add(self, rows: Iterable[NamelessRow]) -> None:
        """Note those of a chunk."""
        for place, cells in rows:
            if cells:
                self._rows.setdefault(place, []).append(cells)
            else:
                self._unknown.add(place)

    def leaves_unknown(self, listing: str) -> bool:
        """Whether a listing holds something that may be any number of any rows."""
        return any(_is_in(place, listing) for place in self._unknown)

    def count(self, listing: str) -> int:
        """How many single rows without an id a listing holds."""
        return sum(len(rows) for place, rows in self._rows.items() if _is_in(place, listing))

    def held(self, listing: str, gone: Mapping[int, frozenset[int]]) -> set[int]:
        """Of the records that a listing no longer has those that its nameless rows may be.

        Each nameless row is the record that it shares most cells with, if these are more than half
        of the cells of both.

        Args:
            listing: the beginning of its locators.
            gone: record -> hashes of its public cells without key and place.
        """
        rows = [r for place, rows in self._rows.items() if _is_in(place, listing) for r in rows]
        if len(rows) * len(gone) > _MAX_PAIRS:
            return set(gone)
        pairs = sorted(
            (
                (len(row & cells) / len(row | cells), record_id, number)
                for number, row in enumerate(rows)
                for record_id, cells in gone.items()
                if 2 * len(row & cells) > len(row | cells)
            ),
            key=lambda pair: (-pair[0], pair[1], pair[2]),
        )
        held: set[int] = set()
        spent: set[int] = set()
        for _, record_id, number in pairs:
            if record_id not in held and number not in spent:
                held.add(record_id)
                spent.add(number)
        return held


def _is_in(place: str, listing: str) -> bool:
    return not listing or listing.startswith(f"{place} | ")
