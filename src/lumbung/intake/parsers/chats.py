"""Copying the text of a chat from an export's archive to a file of the parent process."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from lumbung.intake.parsers.archives import RefusedError, is_bomb

_CHAT_FILE = re.compile(r"_chat\.txt|(?:chat whatsapp|whatsapp chat).*\.txt", re.IGNORECASE)
_PIECE = 1 << 16


def read(file: BinaryIO, into: str, max_text: int) -> Iterator[str]:
    """Copy the chat's text; of a damaged archive, the part before the damage.

    Args:
        file: the archive.
        into: the file to which the text is copied.
        max_text: the most bytes of a chat.

    Raises:
        RefusedError: `unsafe_archive`, `not_a_chat`, `too_large`.
    """
    with zipfile.ZipFile(file) as archive:
        names = [name.replace("\\", "/") for name in archive.namelist()]
        if is_bomb(archive) or any(n.startswith("/") or ".." in n.split("/") for n in names):
            raise RefusedError("unsafe_archive")
        texts = [name for name in archive.namelist() if name.casefold().endswith(".txt")]
        chats = [name for name in texts if _CHAT_FILE.fullmatch(PurePosixPath(name).name)] or texts
        if len(chats) != 1:
            raise RefusedError("not_a_chat")
        with archive.open(chats[0]) as text, Path(into).open("wb") as copy:
            while piece := text.read(_PIECE):
                copy.write(piece)
                if copy.tell() > max_text:
                    raise RefusedError("too_large")
    yield chats[0]
