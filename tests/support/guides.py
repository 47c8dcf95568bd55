"""The commands that the tutorial and the how-to guides show."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path


def commands(page: Path, language: str = "sh") -> list[str]:
    """The blocks of a page: those of `sh`, which a test runs wherever it is, or of `text`."""
    found = re.findall(
        rf"^( *)```{language}\n(.*?)^\1```$", page.read_text(encoding="utf-8"), re.M | re.S
    )
    return [textwrap.dedent(block) for _, block in found]
