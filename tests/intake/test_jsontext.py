"""JSON that a strict reader refuses whole for one value in it."""

from __future__ import annotations

from typing import Any

import pytest

from lumbung.intake.connectors.shared.jsontext import parse_json


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"a": "\\ud83d", "b": 1}', {"a": "\ud83d", "b": 1}),
        (b'{"a": 1e400, "b": -1e999}', {"a": "1e400", "b": "-1e999"}),
        (b'{"a": NaN, "b": -Infinity}', {"a": "NaN", "b": "-Infinity"}),
        (b"[" + b"9" * 5_000 + b", 12]", None),
        (b'{"a": 1.5, "b": "x"}', {"a": 1.5, "b": "x"}),
    ],
)
def test_one_strange_value_leaves_the_others(content: bytes, expected: Any) -> None:
    assert parse_json(content) == (["9" * 5_000, 12] if expected is None else expected)


@pytest.mark.parametrize("content", [b"", b"{", b"<html>", b"\xff\xfe", b"[" * 200_000])
def test_what_is_no_json_is_reported_as_such(content: bytes) -> None:
    with pytest.raises(ValueError):
        parse_json(content)
