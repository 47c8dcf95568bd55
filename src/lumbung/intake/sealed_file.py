"""Files that are encrypted piece by piece, so that they are written and read in little memory.

The construction is STREAM (Hoang, Reyhanitabar, Rogaway and Vizár, CRYPTO 2015), as in age: each
piece of 64 KiB is encrypted with AES-256-GCM, its nonce is its number and whether it is the last
one. So pieces cannot be changed, reordered, left out or cut off, and each can be read alone.

A file is `lumbung1`, the id of its key (8 bytes), then its pieces. No two files have the same key.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lumbung.errors import ServiceError

KEY_BYTES = 32
ID_BYTES = 8
PIECE = 1 << 16

_MAGIC = b"lumbung1"
_HEADER = len(_MAGIC) + ID_BYTES
_TAG = 16


class Writer:
    """Encrypts what is written to it; `close` writes the last piece.

    Args:
        file: receives the ciphertext.
        key_id: 8 bytes, by which the key is found.
        key: 32 bytes, of this file alone.
    """

    def __init__(self, file: BinaryIO, key_id: bytes, key: bytes) -> None:
        self._file = file
        self._cipher = AESGCM(key)
        self._number = 0
        self._rest = bytearray()
        file.write(_MAGIC + key_id)

    def write(self, content: bytes) -> None:
        """Encrypt the next bytes."""
        self._rest += content
        while len(self._rest) > PIECE:
            self._seal(bytes(self._rest[:PIECE]), is_last=False)
            del self._rest[:PIECE]

    def close(self) -> None:
        """Write the last piece; the file stays open."""
        self._seal(bytes(self._rest), is_last=True)

    def _seal(self, piece: bytes, *, is_last: bool) -> None:
        nonce = _nonce(self._number, is_last=is_last)
        self._file.write(self._cipher.encrypt(nonce, piece, None))
        self._number += 1


class _Reader(io.RawIOBase):
    """The content of a sealed file, with any piece at hand."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._path = path
        self._file = path.open("rb")
        try:
            self._cipher = AESGCM(key)
            size = os.fstat(self._file.fileno()).st_size - _HEADER
            self._last = max(-(-size // (PIECE + _TAG)), 1) - 1
            self._number, self._piece = -1, b""
            self._size = self._last * PIECE + len(self._at(self._last))  # is it cut off?
        except BaseException:
            self._file.close()
            raise
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("a position before the beginning")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        number, begin = divmod(self._position, PIECE)
        if self._position >= self._size:
            return 0
        piece = self._at(number)[begin : begin + len(buffer)]
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _at(self, number: int) -> bytes:
        if number != self._number:
            self._file.seek(_HEADER + number * (PIECE + _TAG))
            sealed = self._file.read(PIECE + _TAG)
            try:
                nonce = _nonce(number, is_last=number == self._last)
                self._piece = self._cipher.decrypt(nonce, sealed, None)
            except InvalidTag:
                raise damaged(str(self._path)) from None
            self._number = number
        return self._piece


def open_sealed(path: Path, key: bytes) -> io.BufferedReader:
    """Open a sealed file for reading from any position.

    Raises:
        ServiceError: when it was changed or cut off, or the key is not its own; here or while it is
            read.
    """
    return io.BufferedReader(_Reader(path, key), PIECE)


HEAD = _HEADER
"""How many bytes of a file `key_id` needs."""


def key_id(head: bytes) -> bytes | None:
    """The id of the key of a file that begins with these bytes; None: it is not sealed."""
    is_sealed = head.startswith(_MAGIC) and len(head) >= HEAD
    return head[len(_MAGIC) : HEAD] if is_sealed else None


def sealed_size(size: int) -> int:
    """The size of a sealed file whose content has so many bytes."""
    return _HEADER + size + _TAG * max(-(-size // PIECE), 1)


def damaged(where: str) -> ServiceError:
    """The error of a file that is not what was delivered."""
    return ServiceError(
        "a file of the evidence is not the bytes that were delivered",
        where=where,
        remediation="restore its earlier version, or a backup",
    )


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])
