"""Encrypted files: read from any place in little memory, and nothing of them can be changed."""

from __future__ import annotations

import io
import os
import random
from pathlib import Path

import pytest

from lumbung.errors import ServiceError
from lumbung.intake.sealed_file import PIECE, Writer, key_id, open_sealed, sealed_size

KEY, KEY_ID = bytes(range(32)), b"12345678"


def sealed(path: Path, content: bytes) -> Path:
    with path.open("wb") as file:
        writer = Writer(file, KEY_ID, KEY)
        for start in range(0, len(content), 50_000):
            writer.write(content[start : start + 50_000])
        writer.close()
    return path


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 200_000])
def test_what_was_written_is_read_from_any_place(tmp_path: Path, size: int) -> None:
    content = random.Random(size).randbytes(size)
    path = sealed(tmp_path / "a", content)
    assert path.stat().st_size == sealed_size(size)
    assert key_id(path.read_bytes()) == KEY_ID
    assert size < 100 or content[:100] not in path.read_bytes()
    with open_sealed(path, KEY) as stream, io.BytesIO(content) as plain:
        for place, length in ((0, -1), (size // 2, 10), (size, 5), (size + 9, 5), (1, PIECE)):
            assert stream.seek(place) == plain.seek(place)
            assert stream.read(length) == plain.read(length)
        assert stream.seek(0, os.SEEK_END) == size


def test_what_was_changed_cut_off_or_exchanged_does_not_open(tmp_path: Path) -> None:
    path = sealed(tmp_path / "a", bytes(3 * PIECE))
    whole = path.read_bytes()
    piece = PIECE + 16
    head, pieces = whole[:16], [whole[16 + n * piece : 16 + (n + 1) * piece] for n in range(3)]
    forged = {
        "a bit": whole[:100] + bytes([whole[100] ^ 1]) + whole[101:],
        "cut off at a piece": head + pieces[0] + pieces[1],
        "cut off within one": whole[:-1],
        "empty": head,
        "other order": head + pieces[1] + pieces[0] + pieces[2],
        "longer": whole + pieces[2],
    }
    for what, content in forged.items():
        path.write_bytes(content)
        with pytest.raises(ServiceError, match="not the bytes that were delivered"):  # noqa: PT012
            with open_sealed(path, KEY) as stream:
                stream.read()
            pytest.fail(what)
    path.write_bytes(whole)
    with pytest.raises(ServiceError):
        open_sealed(path, bytes(32))
