"""The Merkle tree hash of RFC 6962, section 2.1, over the lines of a file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping


def merkle_root(content: bytes) -> str:
    """Return the Merkle tree hash (SHA-256, hex) of the lines of a text, without their ends."""
    lines = content.removesuffix(b"\n").split(b"\n")
    level = [hashlib.sha256(b"\0" + line).digest() for line in lines]
    while len(level) > 1:
        above = [
            hashlib.sha256(b"\1" + left + right).digest()
            for left, right in zip(level[::2], level[1::2], strict=False)
        ]
        level = above + level[len(above) * 2 :]  # an odd one out moves up as it is
    return level[0].hex()


def file_lines(hashes: Mapping[str, str]) -> list[str]:
    """Return the lines of `sha256sum` for files, by name in the order of code points."""
    return [f"{hashes[name]}  {name}" for name in sorted(hashes)]


def files_root(hashes: Mapping[str, str]) -> str:
    """Return the Merkle tree hash of the lines of `sha256sum` for files."""
    return merkle_root("\n".join(file_lines(hashes)).encode())
