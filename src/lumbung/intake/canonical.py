"""Values as they are compared: one form for what the formats of files write in several ways.

A typed date of a workbook is text in a CSV file, a number is written `1`, `1.0` or `1,0`, a text
may gain blanks at its end. What is stored keeps the spelling of its source.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import orjson

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            *("jan", "feb peb", "mar", "apr", "mei may", "jun", "jul", "agu ags agt aug", "sep"),
            *("okt oct", "nov nop", "des dec"),
        ),
        1,
    )
    for name in names.split()
}
_NUMBER = re.compile(r"(-?)(\d+)(?:[.,](\d+))?")
_THOUSANDS = re.compile(r"-?[1-9]\d{0,2}(?:(?:\.\d{3})+|(?:,\d{3})+)")
_DATE = re.compile(
    r"(?:[^\W\d_]+,? )?"  # a weekday
    r"(?:(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})"
    r"|(?P<d>\d{1,2})[-/. ](?P<m>\d{1,2}|[^\W\d_]{3,9})[-/. ](?P<y>\d{4}|\d{2}))"
    r"(?:[T ](?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2})(?:\.0+)?)?)?"
)
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_LONGEST = 40  # characters of a text that may be a number or a date


def canonical(value: Any) -> str:
    """A value in the form in which it is compared; empty for what says nothing.

    Days come before months, as the office writes them. `1.500` is a number of thousands.

    Args:
        value: a cell: text, number, truth value, or a list of such.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if not isinstance(value, str):
        return str(value) if isinstance(value, int) else orjson.dumps(value, repr).decode()
    text = " ".join(value.split())
    if not text or len(text) > _LONGEST or text.isalpha():
        return text
    if text[0] in "-0123456789" and (number := _number(text)) is not None:
        return number
    return _date(text) or _time(text) or text


def _number(text: str) -> str | None:
    if _THOUSANDS.fullmatch(text):
        return text.replace(".", "").replace(",", "")
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    sign, whole, decimals = match[1], match[2], (match[3] or "").rstrip("0")
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"


def _date(text: str) -> str | None:
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    month = match["month"] or match["m"]
    number = int(month) if month.isdecimal() else _MONTHS.get(month[:3].casefold(), 0)
    year = int(match["year"] or match["y"])
    try:
        day = date(year + 2000 if year < 100 else year, number, int(match["day"] or match["d"]))
    except ValueError:
        return None
    clock = ":".join(f"{int(match[part] or 0):02}" for part in ("hour", "minute", "second"))
    return f"{day}" if clock == "00:00:00" else f"{day} {clock}"


def _time(text: str) -> str | None:
    match = _TIME.fullmatch(text)
    return match and f"{int(match[1]):02}:{match[2]}:{match[3] or '00'}"
