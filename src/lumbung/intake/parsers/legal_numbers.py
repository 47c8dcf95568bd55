"""Legal numbers: `001/LP/PB/Kab/09.01/XI/2024`, of a registered case `001/Reg/LP/...`."""

from __future__ import annotations

import re

from lumbung.intake.parsers.characters import folded

LEGAL_NUMBER = re.compile(
    r"[0-9]{3,4}/(?:REG/)?(?:LP|TM)/P[LPGBW]/(?:RI|PROV|KAB|KOTA|KEC|CAM)"
    r"/[0-9]{2}\.[0-9]{2}(?:\.[0-9]{2})?/(?:I{1,3}|IV|VI{0,3}|IX|XI{0,2})/20[0-9]{2}"
)
"""A whole legal number in upper case and without white space."""
_REGISTERED = re.compile(
    r"\s{0,9}\w{1,20}\s{0,9}/\s{0,9}reg\s{0,9}/\s{0,9}(?:lp|tm)\s{0,9}/[\w\s./]{1,80}",
    re.IGNORECASE,
)


def is_registered(text: str) -> bool:
    """Whether a text is the number of a registered case, and nothing else."""
    return bool(_REGISTERED.fullmatch(folded(text)))
