"""Cells of a table: whether a cell is blank, and the labels of a header."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lumbung.intake.channel.labels import normalise


def header_labels(
    rows: list[list[Any]], top: int, across: Mapping[int, list[tuple[int, int]]]
) -> list[str]:
    """One label per column of a header of these rows: `Group / Sub`."""
    width = max(map(len, rows))
    texts = [
        [
            "" if is_blank(cell) or not normalise(str(cell)) else " ".join(str(cell).split())
            for cell in row
        ]
        + [""] * (width - len(row))
        for row in rows
    ]
    for depth, line in enumerate(texts[:-1]):
        for first, last in across.get(top + depth, ()):
            for column in range(first + 1, min(last + 1, width)):
                line[column] = line[first]
        below = texts[depth + 1]
        for column in range(1, width):  # a group's name stands over its first column only
            if not line[column] and below[column] and below[column - 1]:
                line[column] = line[column - 1]
    labels = []
    for column in range(width):
        parts = dict.fromkeys(line[column] for line in texts if line[column])
        labels.append(" / ".join(parts))
    return labels


def is_blank(cell: Any) -> bool:
    """Whether a cell holds nothing visible."""
    return cell is None or cell == "" or (isinstance(cell, str) and not cell.strip())
