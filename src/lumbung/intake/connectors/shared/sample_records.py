"""The records of a sample in JSON."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import orjson

from lumbung.intake.connectors.shared.proposal import TRIED_ROWS, labels_of, unusable


def sample_records(
    sample: str, content: bytes, own: Collection[str], flatten: Callable[[dict[str, Any]], Any]
) -> tuple[list[str], list[dict[str, Any]]]:
    """The labels and rows of the longest list of objects.

    Args:
        sample: the file or address, for the message.
        content: its bytes.
        own: labels that the source's software adds.
        flatten: a record with the labels that the connector gives it.

    Raises:
        SourceError: when there is none.
    """
    rows = [flatten(row) or row for row in records(parsed(sample, content))[1][:TRIED_ROWS]]
    if not any(rows):
        raise unusable(sample, "has no list of records")
    return labels_of(rows, own), rows


def parsed(sample: str, content: bytes) -> Any:
    """A document of JSON."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise unusable(sample, "is no JSON") from error


def records(document: Any, path: str = "", depth: int = 0) -> tuple[str, list[dict[str, Any]]]:
    """The path of the longest list of objects near the top, and the list."""
    if isinstance(document, list):
        return path, [each for each in document if isinstance(each, dict)]
    best: tuple[str, list[dict[str, Any]]] = (path, [])
    if isinstance(document, dict) and depth < 4:
        for name, value in document.items():
            found = records(value, f"{path}.{name}" if path else name, depth + 1)
            if len(found[1]) > len(best[1]):
                best = found
    return best
