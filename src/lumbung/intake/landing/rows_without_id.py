"""Rows without a source id: which of the rows that are gone from a file they may be.

Somebody may delete the number of a row and leave the row. The row is then recognised by its other
cells: a row without a number prevents the withdrawal of one record, not of all records of its file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from lumbung.intake.channel.labels import normalise
from lumbung.intake.channel.models import Channel
from lumbung.intake.connectors.base import PLACE_LABELS

_MAX_PAIRS = 1_000_000


class RowWithoutId(NamedTuple):
    """A delivery that cannot be read and has no source id.

    Attributes:
        file: its file, or its whole locator if it has no file.
        cells: hashes of its comparable cells; None: the delivery stands for more than one row, or
            none of its cells can be compared.
    """

    file: str
    cells: frozenset[int] | None


class ComparableCells:
    """Hashes the public cells by which two rows of a channel are compared.

    The cells of the key and of the row's position are left out: a row without an id has no key, and
    the position changes when a row above is inserted or deleted.

    Args:
        channel: the channel.
        pseudonyms: label -> stored value, for what is not stored as delivered.
    """

    def __init__(
        self, channel: Channel, pseudonyms: Callable[[Mapping[str, Any]], dict[str, Any]]
    ) -> None:
        self._public = channel.public
        self._pseudonyms = pseudonyms
        self._ignored = PLACE_LABELS.union(map(normalise, channel.key))

    def of_payload(self, payload: Mapping[str, Any]) -> frozenset[int]:
        """The cells of a stored record.

        Raises:
            TypeError: for a value that JSON does not have.
        """
        return frozenset(
            hash((label, orjson.dumps(value)))
            for label, value in payload.items()
            if normalise(label) not in self._ignored
        )

    def of_row(self, content: Mapping[Any, Any]) -> frozenset[int] | None:
        """The cells of a row as delivered; None if they cannot be compared."""
        spelled = {self._public.get(normalise(str(k))): v for k, v in content.items()}
        public = {k: v for k, v in spelled.items() if k is not None}
        try:
            return self.of_payload({**public, **self._pseudonyms(public)})
        except TypeError:
            return None


class RowsWithoutId:
    """All rows without an id that a pull read."""

    def __init__(self) -> None:
        self._rows: dict[str, list[frozenset[int]]] = {}
        self._incomparable: set[str] = set()

    def add(self, rows: Iterable[RowWithoutId]) -> None:
        """Add the rows of a chunk."""
        for file, cells in rows:
            if cells:
                self._rows.setdefault(file, []).append(cells)
            else:
                self._incomparable.add(file)

    def has_incomparable(self, listing: str) -> bool:
        """Whether a listing holds a delivery that may stand for any number of any rows."""
        return any(_is_in(file, listing) for file in self._incomparable)

    def count(self, listing: str) -> int:
        """How many rows without an id a listing holds that can be compared."""
        return sum(len(rows) for file, rows in self._rows.items() if _is_in(file, listing))

    def matching(self, listing: str, missing: Mapping[int, frozenset[int]]) -> set[int]:
        """Those of a listing's missing records that its rows without an id may be.

        A row without an id is matched with the record with which it shares the most cells, if
        these are more than half of the cells of both.

        Args:
            listing: the beginning of its locators.
            missing: record -> hashes of its comparable cells.
        """
        rows = [r for file, rows in self._rows.items() if _is_in(file, listing) for r in rows]
        if len(rows) * len(missing) > _MAX_PAIRS:
            return set(missing)
        pairs = sorted(
            (
                (len(row & cells) / len(row | cells), record_id, number)
                for number, row in enumerate(rows)
                for record_id, cells in missing.items()
                if 2 * len(row & cells) > len(row | cells)
            ),
            key=lambda pair: (-pair[0], pair[1], pair[2]),
        )
        matched: set[int] = set()
        used: set[int] = set()
        for _, record_id, number in pairs:
            if record_id not in matched and number not in used:
                matched.add(record_id)
                used.add(number)
        return matched


def _is_in(file: str, listing: str) -> bool:
    return not listing or listing.startswith(f"{file} | ")
