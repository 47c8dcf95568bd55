"""Types of the values in a channel file."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

_UNITS = {"minute": 60, "hour": 3600, "day": 86400, "week": 604800}

Place = tuple[str | int, ...]
"""Where something stands in a channel file: the names and positions that lead to it."""


def _labels(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _duration(value: object) -> object:
    match = re.fullmatch(r"(\d{1,4}) (minute|hour|day|week)s?", str(value))
    if match is None:
        raise ValueError("write it as '6 hours', '1 day' or '1 week'")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def _line(value: str) -> str:
    if not value.isprintable():
        raise ValueError("it holds a line break or a character that cannot be shown; retype it")
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError("write a zone of the IANA list, e.g. 'Asia/Jakarta'") from None
    return value


Label = Annotated[str, Field(min_length=1)]
Labels = Annotated[
    tuple[Label, ...],
    BeforeValidator(_labels, json_schema_input_type=Label | tuple[Label, ...]),
]
Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_line)]
"""Text that Airflow and the warehouse show: one line, with nothing in it that they cannot store."""
Duration = Annotated[timedelta, BeforeValidator(_duration, json_schema_input_type=str)]
Zone = Annotated[str, AfterValidator(_zone)]


class StrictModel(BaseModel):
    """A model that cannot change and refuses an option that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
