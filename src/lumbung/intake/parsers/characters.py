"""Texts as they are compared, whatever their characters look like."""

from __future__ import annotations

import unicodedata

_LOOK_LATIN = dict(
    zip(
        "авсеһніїјкӏморѕтухαβεηικμνορτυχıɡԁԍς",  # Cyrillic and Greek
        "abcehhiijklmopstyxabehikmnoptyxigdgσ",
        strict=True,
    )
)
_INVISIBLE = (
    *(0xAD, 0x307, 0x34F, 0x61C, 0x180E, 0xFEFF),
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    *range(0xFE00, 0xFE10),
)
_FOLDED = str.maketrans(_LOOK_LATIN | {chr(code): "" for code in _INVISIBLE})


def folded(text: str) -> str:
    """A text as it is compared: the same as `ops.folded`."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", text).lower().translate(_FOLDED)
