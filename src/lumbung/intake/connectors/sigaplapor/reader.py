"""SigapLapor's public lists: read page by page from its site, or as saved pages and xlsx exports.

The list has the columns `No`, `No Laporan/Temuan` and `Pemeriksaan`. A row is identified by its
whole number, without spaces and in capitals (as in registers), because each office, kind and
election begins its own sequence. `No` is left out: it is the row's position in today's list. Test
rows are landed, and the warehouse excludes them.

If the site's list was read in full, rows that are missing from it are withdrawn. A file in the
folder withdraws nothing: it may be a single page or a filtered export.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from lumbung.errors import SourceError
from lumbung.intake.channel.labels import normalise
from lumbung.intake.channel.models import Channel
from lumbung.intake.connectors.base import Checkpoint, Delivery, Item, Source, Unreadable
from lumbung.intake.connectors.register import reader as registers
from lumbung.intake.connectors.register.config import RegisterSource
from lumbung.intake.connectors.shared.files import File, Folder, text_encoding
from lumbung.intake.connectors.shared.http import Api, Listing
from lumbung.intake.connectors.shared.markup import tokens
from lumbung.intake.connectors.shared.parser_process import ParserProcess
from lumbung.intake.connectors.sigaplapor.config import SigaplaporSource
from lumbung.intake.parsers.ods_merges import Merge

MAX_PAGE = 16 << 20
"""The largest page that is read, in bytes."""
MAX_PAGES = 10_000

_HEADER_WITHIN = 20  # rows
_MAX_SPAN = 100
_MAX_TAKEN = 100_000  # cells covered by spanning cells; only a hostile page has more
_MAX_CELLS = 2_000_000
_NEXT = {"next", "next page", "selanjutnya", "berikutnya", "lanjut", "»", "›", "next »", "next ›"}
_TOTAL = re.compile(
    r"\b(?:dari|of)\s+(?:total\s+)?([\d.,]+)\s+(?:data|entri|entries|hasil|results|baris|rows)\b",
    re.IGNORECASE,
)


class _Page(NamedTuple):
    """The tables of a page, its link to the next page, and the announced number of rows."""

    tables: list[tuple[list[list[str]], list[Merge]]]
    following: str | None
    total: int | None


def read(source: Source) -> Iterator[Item]:
    """Every row of the list: of the site if the channel has a path, else of its folder."""
    options = source.channel.source
    assert isinstance(options, SigaplaporSource)  # noqa: S101 - the kind says so
    # The same tables as in registers, found by the same labels.
    register = RegisterSource(kind="register", files=options.files)
    changes = {"key": (options.number,), "source": register}
    channel = source.channel.model_copy(update=changes)
    if options.path is not None:
        yield from _site(source, _table(channel, register), options.path, options.number)
        return

    def read_file(file: File, child: ParserProcess) -> Iterator[Item]:
        if not file.name.casefold().endswith((".html", ".htm")):
            return registers.read_file(_table(channel, register), register, file, child)
        with file.content.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
        if size > MAX_PAGE:
            reason = "halaman terlalu besar; simpan halaman daftarnya saja"
            return iter([file.unreadable("too_large", reason)])
        return _rows(_table(channel, register), options.number, file, _page(_text(file)))

    with ParserProcess() as child:
        yield from Folder(source, options.files).items(partial(read_file, child=child))


def _site(source: Source, table: registers.Table, path: str, column: str) -> Iterator[Item]:
    """Every row of the list on the site, following its links."""
    where = f"channel {source.channel.name}"
    if source.connection is None:
        remediation = f"set the connection {source.channel.connection!r} (host)"
        raise SourceError("the site's address is not known", where=where, remediation=remediation)
    with Api(source.connection, where, headers={"Accept": "text/html"}) as api:
        listing = Listing(api)
        url = api.at(path)
        for number in range(1, MAX_PAGES + 1):
            listing.asked(url)
            kept = api.download(url, source.evidence, MAX_PAGE)
            if isinstance(kept, str):
                raise api.error(
                    f"page {number} of the list cannot be had ({kept})",
                    "correct the path in the channel file; pull again if the list just changed",
                )
            now = datetime.now(UTC)
            file = File(f"halaman {number}", kept, kept.sha256, now, False)
            page = _page(_text(file))
            items = [*_rows(table, column, file, page)]
            if any(isinstance(item, Unreadable) and item.is_part for item in items):
                raise api.error(
                    f"page {number} has no list with a column {column!r}",
                    "look at the page: correct path or number in the channel file, or log in"
                    " no longer where the list is public",
                )
            listing.page(
                [item.source_id for item in items if not isinstance(item, Checkpoint)], page.total
            )
            for item in items:  # rows move from page to page, so a page is not tracked like a file
                yield item._replace(file=None) if isinstance(item, Delivery) else item
            if page.following is None:
                yield Checkpoint({}, "" if listing.is_whole else None)
                return
            yield Checkpoint({})
            url = api.follow(url, page.following)
        raise api.error(
            f"the list has more than {MAX_PAGES} pages", "narrow it by the path's query"
        )


def _table(channel: Channel, options: RegisterSource) -> registers.Table:
    """The list without the column of the row's position, which changes with every new row."""
    return registers.Table(channel, options, without={"no", "no."})


def _rows(table: registers.Table, number: str, file: File, page: _Page) -> Iterator[Item]:
    """The deliveries of a page: of its first table that is the list."""
    for rows, merges in page.tables:
        if table.fit(rows[:_HEADER_WITHIN]):
            return table.rows(file, "", rows, merges)
    reason = f"tidak ada daftar dengan kolom {number} di halaman ini; simpan ulang daftarnya"
    return iter([file.unreadable("header_not_found", reason)])


# -- pages -----------------------------------------------------------------------------------------


def _text(file: File) -> str:
    encoding = text_encoding(file.content)
    with file.content.open(encoding=encoding, errors="replace") as stream:
        return stream.read()


def _page(page: str) -> _Page:
    """A page's tables with their spans, in one pass over its tags; a nested table is separate."""
    builders: list[_Builder] = []
    done: list[_Builder] = []
    words: list[str] = []
    following: str | None = None
    link: str | None = None
    label: list[str] = []
    is_disabled = False
    for token in tokens(page):
        name, is_end = token.name, token.is_end
        if not name:
            words.append(token.text)
            label.append(token.text)
            if builders:
                builders[-1].text(token.text)
        elif name == "table":
            if is_end and builders:
                done.append(builders.pop())
            elif not is_end and len(builders) < _MAX_SPAN:
                builders.append(_Builder())
        elif name in ("tr", "td", "th") and builders:
            builders[-1].tag(name, is_end, {} if is_end else token.attributes)
        elif name == "li":
            is_disabled = not is_end and "disabled" in token.attributes.get("class", "")
        elif name == "a" and not is_end:
            attributes = token.attributes
            href = attributes.get("href", "")
            is_link = bool(href) and not href.startswith(("#", "javascript:")) and not is_disabled
            link, label = href if is_link else None, []
            is_next = attributes.get("rel") == "next" or _is_next(attributes.get("aria-label", ""))
            following = following or (link if is_next else None)
        elif name == "a":
            following = following or (link if _is_next("".join(label)) else None)
            link, label = None, []
        elif builders and name in ("br", "p", "div"):
            builders[-1].text(" ")
    found = _TOTAL.search(" ".join(" ".join(words).split()))
    total = int(re.sub(r"\D", "", found[1])) if found else None
    tables = [each.table() for each in (*done, *reversed(builders))]
    return _Page(tables, following, total)


def _is_next(label: str) -> bool:
    return normalise(label) in _NEXT


class _Builder:
    """A table while it is read."""

    def __init__(self) -> None:
        self._rows: list[list[str]] = []
        self._merges: list[Merge] = []
        self._taken: set[tuple[int, int]] = set()
        self._count = 0
        self._cell: list[str] | None = None

    def text(self, text: str) -> None:
        if self._cell is not None:
            self._cell.append(text)

    def tag(self, name: str, is_end: bool, attributes: dict[str, str]) -> None:
        self._close()
        if is_end:
            return
        if name == "tr" or not self._rows:
            self._rows.append([])
        if name != "tr":
            self._open(_span(attributes, "colspan"), _span(attributes, "rowspan"))

    def table(self) -> tuple[list[list[str]], list[Merge]]:
        """Its rows, and its merged cells as (top, left), (bottom, right)."""
        self._close()
        for top, left in self._taken:
            if top < len(self._rows):
                row = self._rows[top]
                row += [""] * (left + 1 - len(row))
        return self._rows, self._merges

    def _open(self, across: int, down: int) -> None:
        row, top = self._rows[-1], len(self._rows) - 1
        while (top, len(row)) in self._taken:
            row.append("")
        left = len(row)
        self._count += across
        if self._count > _MAX_CELLS:
            across = down = 1
        row += [""] * across
        self._cell = []
        self._place = (top, left)
        if (across > 1 or down > 1) and len(self._taken) < _MAX_TAKEN:
            self._merges.append(((top, left), (top + down - 1, left + across - 1)))
            below = range(top + 1, top + down)
            self._taken |= {(r, c) for r in below for c in range(left, left + across)}

    def _close(self) -> None:
        if self._cell is not None:
            top, left = self._place
            self._rows[top][left] = " ".join("".join(self._cell).split())
            self._cell = None


def _span(attributes: dict[str, Any], name: str) -> int:
    text = attributes.get(name, "1").strip()[:9]
    return min(max(int(text), 1), _MAX_SPAN) if text.isdecimal() else 1
