"""The options of a channel of kind `register`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import chain
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from lumbung.intake.channel.labels import normalise
from lumbung.intake.channel.types import Label, Labels, Place
from lumbung.intake.connectors.base import SourceConfig
from lumbung.intake.connectors.shared.globs import overlap


def _values(value: object) -> object:
    return [value] if isinstance(value, str) else value


Values = Annotated[
    tuple[str, ...], BeforeValidator(_values, json_schema_input_type=str | tuple[str, ...])
]
Rows = dict[Label, Values]
"""Label -> the values of which a row must have one; case and white space do not matter."""


class RegisterSource(SourceConfig):
    """Spreadsheets or CSV files in a folder.

    Attributes:
        files: which files of the folder (a glob such as `*.xlsx`).
        sheets: which sheets are read (globs).
        skip_sheets: sheets without a register, for example with instructions (globs).
        hidden_sheets: whether hidden sheets are read too.
        sheet_in_key: whether the sheet's name is a part of the key, because each sheet numbers its
            rows from 1.
        rows: label -> values: a row is read if each of these columns has one of its values (`""`:
            none); what is left out is counted, and listed by `lumbung quarantine list --resolved`.
        key_may_be_empty: label of the key -> label -> values: the rows, as for `rows`, in which it
            may be empty, e.g. the position of a row that belongs to no other one.
        date_order: how dates of mapped fields without a year in front are written: day or month
            first.
    """

    kind: Literal["register"]
    files: str = "*"
    sheets: Labels = ("*",)
    skip_sheets: Labels = ()
    hidden_sheets: bool = False
    sheet_in_key: bool = False
    rows: Rows = Field(default_factory=dict)
    key_may_be_empty: dict[Label, Rows] = Field(default_factory=dict)
    date_order: Literal["dmy", "mdy"] = "dmy"

    @property
    def labels(self) -> tuple[str, ...]:
        """The columns that say which rows are read, and which may be without a key."""
        return tuple(dict.fromkeys(chain(self.rows, *self.key_may_be_empty.values())))

    def contradictions(self, key: Collection[str]) -> Iterator[tuple[Place, str]]:
        """A column without values, which lets no row pass; an optional part of no key."""
        of_key = {normalise(label) for label in key}
        for label in self.key_may_be_empty:
            if normalise(label) not in of_key:
                yield (
                    ("key_may_be_empty", label),
                    "is no label of 'key'; add it there, or remove it",
                )
        for path, rows in (
            (("rows",), self.rows),
            *((("key_may_be_empty", label), rows) for label, rows in self.key_may_be_empty.items()),
        ):
            for label, values in rows.items():
                if not values:
                    yield (*path, label), "has no value; add one, or remove the line"

    def overlaps(self, other: SourceConfig) -> bool:
        """The same files, unless their sheets or their rows exclude each other."""
        if not isinstance(other, RegisterSource):
            return super().overlaps(other)
        theirs = _rows(other)
        return (
            super().overlaps(other)
            and any(overlap(a, b) for a in self.sheets for b in other.sheets)
            and all(values & theirs.get(label, values) for label, values in _rows(self).items())
        )


def _rows(options: RegisterSource) -> dict[str, set[str]]:
    return {normalise(label): {*map(normalise, values)} for label, values in options.rows.items()}
