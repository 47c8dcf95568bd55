"""Try on a sample what its labels suggest: whether dates and places are such, who is exposed."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from lumbung.intake.channel.labels import normalise
from lumbung.intake.connectors.shared.proposal import ROWS, day_order, guess
from lumbung.registry import canonical_fields

_NAMES = {
    "regency": ("regency_name", "short_name"),
    "district": ("district_name",),
    "village": ("village_name",),
    "region_alias": ("alias",),
    "outside_region": ("outside_name",),
}
"""Seed -> its columns with names of places."""
_TYPES = {"kabupaten", "kab", "kota", "kecamatan", "kec", "kelurahan", "kel", "desa"}
_LONGEST = 4  # words of a place's name
_CODE = re.compile(r"\d\d(\.?\d\d){1,2}(\.?\d{4})?")
_FEW = 0.8
"""Of the values of a field so many must be readable; what people type is never all of it."""
_EVIDENCE = (
    ("e-mail addresses", re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")),
    ("phone numbers", re.compile(r"(\+|0{0,2})?(62|0)8\d{7,11}|62\d{8,12}|\+\d{9,14}")),
    ("identity numbers", re.compile(r"[1-9]\d{5}([0-2]\d|3[01]|[4-6]\d|7[01])(0\d|1[0-2])\d{6}")),
    ("account names", re.compile(r"@[\w.]{2,40}")),
)
_SHARE = 0.2
"""Of the values of a personal field so many may be evident; others are typed in another way."""


class Trial(NamedTuple):
    """What a label suggests, tried on its values.

    Attributes:
        field: the canonical field, `personal`, or None.
        note: what was found, or could not be confirmed; without any value.
        is_confirmed: whether the values say so as well.
    """

    field: str | None
    note: str = ""
    is_confirmed: bool = True


class Places:
    """The names of places in the seeds.

    Args:
        seeds: the folder of the seeds.
    """

    def __init__(self, seeds: Path) -> None:
        self._names: set[str] = set()
        for seed, columns in _NAMES.items():
            file = seeds / f"{seed}.csv"
            if file.is_file():
                with file.open(encoding="utf-8", newline="") as lines:
                    for row in csv.DictReader(lines):
                        self._names |= {_words(row[each]) for each in columns if row.get(each)}
        self._names.discard("")

    def has(self, value: str) -> bool:
        """Whether a text names a place: alone, or within a sentence."""
        words = _words(value[:200]).split()
        return any(
            " ".join(words[at : at + length]) in self._names
            for at in range(len(words))
            for length in range(1, _LONGEST + 1)
        )


def _words(text: str) -> str:
    words = re.sub(r"[^\w]+", " ", normalise(text)).split()
    return " ".join(each for each in words if each not in _TYPES)


def values_of(label: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The first filled values of a label, as text."""
    found = [row[label] for row in rows if row.get(label) not in (None, "")][:ROWS]
    return [_plain(each) for each in found]


def _plain(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value).strip()


def try_label(
    label: str, rows: Sequence[Mapping[str, Any]], places: Places, date_order: str = "dmy"
) -> Trial:
    """What a label suggests, and what its values say to it.

    A label that looks personal is personal, whatever its values are; so is one whose values are.

    Args:
        label: the source's label.
        rows: of the sample.
        places: those of the seeds.
        date_order: how the channel's dates are written: day or month first.
    """
    found = guess(label)
    values = values_of(label, rows)
    if evidence := _evidence(values):
        return Trial("personal", evidence)
    if found == "personal":
        return Trial(found, "its label says so")
    if found is None or not values:
        return Trial(found, "" if found is None or not rows else "the sample has no value of it")
    if found in ("regency", "district", "village"):
        if all(_CODE.fullmatch(each) for each in values):
            return Trial(f"{found}_code")
        return _confirmed(found, sum(map(places.has, values)), len(values), "known places", 0.5)
    if canonical_fields()[found].parser == "date":
        orders = ("ymd", "dmy", date_order)
        days = sum(day_order(each) in orders for each in values)
        return _confirmed(found, days, len(values), "dates", _FEW)
    if canonical_fields()[found].parser == "code":
        codes = sum(bool(_CODE.fullmatch(each)) for each in values)
        return _confirmed(found, codes, len(values), "codes of places", _FEW)
    return Trial(found)


def _confirmed(field: str, count: int, total: int, what: str, share: float) -> Trial:
    note = f"{count} of {total} values are {what}"
    return Trial(field, note if count < total else "", count >= share * total)


def _evidence(values: Iterable[str]) -> str:
    """What personal a fifth of the values are; empty for none."""
    texts = [re.sub(r"(?<=\d)[\s.()-]+(?=\d)", "", each) for each in values]
    for what, pattern in _EVIDENCE:
        count = sum(bool(pattern.fullmatch(each)) for each in texts)
        if count and count >= _SHARE * len(texts):
            return f"{count} of {len(texts)} values look like {what}"
    return ""
