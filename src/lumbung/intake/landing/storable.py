"""Text and JSON that PostgreSQL can store.

PostgreSQL's text and jsonb hold neither NUL characters nor lone surrogates. Both are replaced by
U+FFFD.
"""

from __future__ import annotations

import json
from typing import Any

MAX_ID_BYTES = 2_000
"""The longest source id: an index entry of PostgreSQL holds 2,700 bytes."""


def is_usable_id(source_id: str) -> bool:
    """Whether a text can be stored and indexed as a source id."""
    return is_storable(source_id) and len(source_id.encode()) <= MAX_ID_BYTES


def is_storable(text: str) -> bool:
    """Whether PostgreSQL stores a text as it is."""
    return "\0" not in text and (text.isascii() or text == storable(text))


def storable(text: str) -> str:
    """A text with U+FFFD in place of NUL characters and lone surrogates."""
    if text.isascii() and "\0" not in text:
        return text
    return (
        text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )


def storable_json(value: Any) -> Any:
    """A JSON value with every text made storable."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [storable_json(each) for each in value]
    if isinstance(value, dict):
        return {storable(str(key)): storable_json(each) for key, each in value.items()}
    return value


def ascii_json(value: Any) -> bytes:
    """JSON in ASCII, keys sorted.

    Raises:
        ValueError: for a number that JSON does not have, or a value that holds itself.
        TypeError: for a value that JSON does not have.
        RecursionError: for a value that is nested too deeply.
    """
    return json.dumps(value, sort_keys=True, allow_nan=False, separators=(",", ":")).encode()
