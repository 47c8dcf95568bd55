"""Lists in pages: a page begins after the key of the last row of the page before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar
from urllib.parse import quote

from fastapi import Query

Row = TypeVar("Row")
SHOWN = 40
"""Rows of a page."""
LONGEST = 6_000
"""Bytes that the texts of a page's rows may have, written in an address."""
After = Annotated[str, Query(pattern=r"^(-?\d{1,18} [^\x00]{0,300})?$")]
"""Where a page begins: a key of `page` as text; empty: the first page."""


@dataclass(frozen=True)
class Page(Generic[Row]):
    """A part of a list.

    Attributes:
        rows: the rows of the page.
        first: the place of its first row in the list, from 1.
        count: how many rows the whole list has.
        following: where the next page begins; empty: there is none.

    """

    rows: list[Row]
    first: int
    count: int
    following: str

    @property
    def last(self) -> int:
        """The place of its last row in the list; 0 in an empty list."""
        return self.first + len(self.rows) - 1


def key_in(after: str) -> tuple[int, str]:
    """Return the key in an address; of the first page, one before every key of a day or count."""
    number, _, rest = after.partition(" ")
    return (int(number), rest) if after else (0, "")


def page(
    rows: Iterable[Row],
    key: Callable[[Row], tuple[int, str]],
    after: str,
    text: Callable[[Row], str] = lambda _: "",
) -> Page[Row]:
    """Return a page of a list, which is sorted by its key.

    Args:
        rows: the whole list.
        key: is another one for each row.
        after: the key of the row before the page; that row need not exist any more.
        text: what a row shows from outside; where it is long, the page has fewer rows.

    """
    listed = sorted(rows, key=key)
    start = sum(key(row) <= key_in(after) for row in listed) if after else 0
    shown: list[Row] = []
    size = 0
    for row in listed[start : start + SHOWN]:
        size += len(quote(text(row)))
        if shown and size > LONGEST:
            break
        shown.append(row)
    is_last = start + len(shown) == len(listed)
    following = "" if is_last else "{} {}".format(*key(shown[-1]))
    return Page(shown, start + 1, len(listed), following)
