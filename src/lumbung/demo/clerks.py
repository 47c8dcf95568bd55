"""Write the same fact in varying spellings, as clerks and citizens do.

A `Clerk` never changes the meaning; the spellings are those of `lumbung.demo.vocabulary`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, timedelta

from lumbung.demo import vocabulary
from lumbung.demo.regions import District, Place, Regency

Cell = str | int | float | date | None
"""The content of a cell; a date is a spreadsheet date."""

SERIAL_ZERO = date(1899, 12, 30)
"""Day 0 of a workbook with the 1900 date system, valid for days since March 1900."""
EMPTY: tuple[Cell, ...] = (None, "-", "nihil", "NIHIL")


class Clerk:
    """One writer; equal seeds and equal calls give equal texts."""

    def __init__(self, seed: str) -> None:
        self.rng = random.Random(seed)  # noqa: S311 -- spellings, not secrets

    def nothing(self) -> Cell:
        """One of the ways to leave a cell without a value."""
        return self.rng.choices(EMPTY, (5, 4, 1, 1))[0]

    def word(self, spellings: Mapping[str, tuple[str, ...]], code: str) -> str:
        """A spelling of a code."""
        return self.cased(self.rng.choice(spellings[code]))

    def words(
        self, spellings: Mapping[str, tuple[str, ...]], codes: tuple[str, ...], separator: str
    ) -> Cell:
        """Several codes in one cell."""
        if not codes:
            return self.nothing()
        return separator.join(self.word(spellings, code) for code in codes)

    def cased(self, text: str) -> str:
        """The text, sometimes in upper case, in lower case or with extra spaces."""
        chance = self.rng.random()
        if chance < 0.06:
            return text.upper()
        if chance < 0.12:
            return text.lower()
        if chance < 0.15:
            return f" {text.replace(' ', '  ')} "
        return text

    def regency(self, regency: Regency) -> str:
        """The name of a regency, in full or short, with or without Kabupaten or Kota."""
        name = self.rng.choice((*vocabulary.REGENCIES[regency.code], regency.name))
        if name == regency.name:
            prefixes = ("Kota ",) if regency.is_city else ("Kab. ", "Kabupaten ", "Kab ")
            name = self.rng.choice(("", *prefixes)) + name
        return self.cased(name)

    def district(self, district: District) -> str:
        """The name of a district, official or colloquial."""
        name = self.rng.choice((district.name, *vocabulary.DISTRICTS.get(district.code, ())))
        return self.cased(self.rng.choice(("", "", "", "Kec. ", "Kecamatan ")) + name)

    def location(self, place: Place) -> str:
        """A place in one line, as the WhatsApp template requests it."""
        if place.regency is None:
            return "-"
        regency = self.regency(place.regency).strip()
        if place.district is None:
            return regency
        name = self.rng.choice(
            (place.district.name, *vocabulary.DISTRICTS.get(place.district.code, ()))
        )
        return f"Kec. {name}, {regency}"

    def date_text(self, day: date) -> str:
        """A date in words or digits, as written in registers and messages."""
        weekday = self.rng.choice(vocabulary.WEEKDAYS[day.weekday()])
        month = self.rng.choice(vocabulary.MONTHS[day.month])
        full = self.rng.choice([name for name in vocabulary.MONTHS[day.month] if len(name) > 4])
        return self.cased(
            self.rng.choice(
                (
                    f"{weekday}, {day.day} {full} {day.year}",
                    f"{day.day} {full} {day.year}",
                    f"{day.day} {month} {day.year}",
                    f"{day:%d/%m/%Y}",
                    f"{day.day}-{day.month}-{day.year}",
                    f"{day.day}/{day.month}/{day:%y}",
                    f"tgl {day.day} {full} {day.year}",
                )
            )
        )

    def date_cell(self, day: date | None) -> Cell:
        """A date in a cell: a spreadsheet date or a text."""
        if day is None:
            return self.rng.choice((self.nothing(), "Tdk Th"))
        return day if self.rng.random() < 0.6 else self.date_text(day)

    def odd_date_cell(self, day: date | None) -> Cell:
        """As `date_cell`, but sometimes a serial number, or a range that starts on the day."""
        chance = self.rng.random()
        if day is not None and chance < 0.1:
            return (day - SERIAL_ZERO).days
        if day is not None and chance < 0.2 and (day + timedelta(days=2)).month == day.month:
            until = self.rng.choice(("s.d.", "s/d"))
            month = self.rng.choice(vocabulary.MONTHS[day.month][:2])
            return f"{day.day} {until} {day.day + 2} {month} {day.year}"
        return self.date_cell(day)

    def number(self, value: int) -> Cell:
        """A number, sometimes as text."""
        return str(value) if self.rng.random() < 0.1 else value
