"""Print the part of `requirements.lock` that the project needs to run, or that a package needs.

    python docker/lock_of.py            # without what only tests and docs use
    python docker/lock_of.py hatchling  # the package and what it needs

There is one lock. uv writes below each package which others need it (`# via`), so the parts follow
from it, with the same versions and hashes.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

PROJECT = "lumbung (pyproject.toml)"
PACKAGE = re.compile(r"^(?=\w)(.*?)==.*(?:\n[ ].*)*", re.M)


def part(lock: str, root: str = PROJECT) -> str:
    """Return the entries of a lock that a package or the project needs.

    Args:
        lock: what `uv pip compile --generate-hashes` wrote.
        root: a package, which is among the result, or `PROJECT`.

    """
    entries = [(found[1], found[0]) for found in PACKAGE.finditer(lock)]
    needed = {root}
    while True:
        more = {
            name
            for name, entry in entries
            if needed & set(re.findall(r"^    #(?: via)? +(\S.*)$", entry, re.M))
        } - needed
        if not more:
            return "\n".join(entry for name, entry in entries if name in needed) + "\n"
        needed |= more


if __name__ == "__main__":
    sys.stdout.write(part(Path("requirements.lock").read_text(encoding="utf-8"), *sys.argv[1:]))
