"""Reading JSON as servers send it."""

from __future__ import annotations

import json
import math
from typing import Any

import orjson

_LONGEST = 19
"""The most digits of an integer of 64 bits."""


def parse_json(content: bytes) -> Any:
    """Parse JSON, including values that a strict parser refuses.

    A lone surrogate (half an emoji), a number beyond a double and `NaN` would make a strict parser
    refuse a whole page of deliveries. Such a number becomes text.

    Raises:
        ValueError: when it is no JSON, or nested too deeply.

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
