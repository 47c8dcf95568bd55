"""Globs, as channel files write them (`fnmatch`)."""

from __future__ import annotations

import re
import string
from fnmatch import fnmatchcase

_SIGN = re.compile(r"\[!?\]?[^\]]*\]|.", re.DOTALL)
_LONGEST = 300


def overlap(one: str, other: str) -> bool:
    """Whether a name may match both globs; case does not matter.

    Of a longer glob than any name of a file it is known only whether it equals the other one.
    """
    one, other = one.casefold(), other.casefold()
    if max(len(one), len(other)) > _LONGEST:
        return one == other
    heads = [re.split(r"[*?\[]", each, maxsplit=1)[0] for each in (one, other)]
    if not heads[0].startswith(heads[1]) and not heads[1].startswith(heads[0]):
        return False  # most are distinguished by their beginnings, at little cost
    first, second = _SIGN.findall(one), _SIGN.findall(other)
    alphabet = {*string.printable, *one, *other} - set("*")
    rows = [[False] * (len(second) + 1) for _ in range(len(first) + 1)]
    rows[-1][-1] = True
    for i in range(len(first), -1, -1):
        for j in range(len(second), -1, -1):
            a, b = first[i : i + 1], second[j : j + 1]
            if a == ["*"] or b == ["*"]:
                # the star ends here, or takes one sign of the other glob
                rows[i][j] = (
                    rows[i][j]
                    or (a == ["*"] and (rows[i + 1][j] or bool(b and rows[i][j + 1])))
                    or (b == ["*"] and (rows[i][j + 1] or bool(a and rows[i + 1][j])))
                )
            elif a and b and rows[i + 1][j + 1]:
                rows[i][j] = any(fnmatchcase(c, a[0]) and fnmatchcase(c, b[0]) for c in alphabet)
    return rows[0][0]
