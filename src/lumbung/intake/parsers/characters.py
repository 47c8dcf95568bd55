"""Texts as they are compared, whatever their characters look like."""

from __future__ import annotations

import unicodedata

DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
"""Characters that look like a hyphen."""
SPACES = "\u00a0\u2007\u202f"
"""Spaces at which no line breaks. WhatsApp writes them, and such hyphens, in telephone numbers."""
DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Invisible characters that change the direction of what follows them."""

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
