"""The commands that the tutorial and the how-to guides show."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path


def commands(page: Path) -> list[str]:
    """The `sh` blocks of a page."""
    found = re.findall(r"^( *)```sh\n(.*?)^\1```$", page.read_text(encoding="utf-8"), re.M | re.S)
    return [textwrap.dedent(block) for _, block in found]
