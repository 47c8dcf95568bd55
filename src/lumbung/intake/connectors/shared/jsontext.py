"""Reading JSON as servers send it."""

from __future__ import annotations

import json
import math
from typing import Any

import orjson

_LONGEST = 19
"""Digits of an integer that 64 bits hold."""


def parse_json(content: bytes) -> Any:
    """Read JSON, also where one value in it is none that every reader takes.

    Half an emoji (a lone surrogate), a number that no double holds and `NaN` make a strict reader
    refuse all deliveries of a page for one. Such a number is kept as its text.

    Raises:
        ValueError: when it is no JSON, or nested too deep.

    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        try:
            return json.loads(content, parse_constant=str, parse_float=_finite, parse_int=_integer)
        except RecursionError as error:
            raise ValueError("nested too deep") from error


def _finite(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


def _integer(text: str) -> int | str:
    return int(text) if len(text) <= _LONGEST else text
