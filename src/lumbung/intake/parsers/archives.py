"""Archives that are refused before they are unpacked."""

from __future__ import annotations

import zipfile

_MAX_UNPACKED = 2 << 30
_MAX_RATIO = 200
_HARMLESS = 64 << 20


class RefusedError(Exception):
    """A file that is not read; the text of the error is a code for the parent process."""


def is_bomb(archive: zipfile.ZipFile) -> bool:
    """Whether an archive declares that it unpacks to more than any delivery holds."""
    unpacked = sum(member.file_size for member in archive.infolist())
    packed = sum(member.compress_size for member in archive.infolist())
    return unpacked > _MAX_UNPACKED or unpacked > max(_HARMLESS, _MAX_RATIO * packed)
