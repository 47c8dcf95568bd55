"""Legal numbers of registered cases: `001/Reg/LP/PB/Kab/09.01/XI/2024`."""

from __future__ import annotations

import re

_REGISTERED = re.compile(
    r"\s{0,9}\w{1,20}\s{0,9}/\s{0,9}reg\s{0,9}/\s{0,9}(?:lp|tm)\s{0,9}/[\w\s./]{1,80}",
    re.IGNORECASE,
)


def is_registered(text: str) -> bool:
    """Whether a text is the number of a registered case, and nothing else."""
    return bool(_REGISTERED.fullmatch(text))
