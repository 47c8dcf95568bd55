"""HTML as mails and saved pages hold it, read in one go.

No tree is built: parsers that build one may take quadratic time over deep nesting (100,000 levels,
half a megabyte, hold selectolax up for two minutes), and what comes by mail may be made to nest.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

_TAG = re.compile(
    # possessive (`*+`): where a tag does not end, nothing shorter of it does
    r"""<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]*+)(?P<rest>(?:[^<>"']|"[^"<]*"|'[^'<]*')*+)>"""
    r"|<[!?][^<>]*>"
)
_ATTRIBUTE = re.compile(r"""([a-zA-Z][\w-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+)))?""")
_BLOCKS = {
    *("br", "p", "div", "tr", "li", "ul", "ol", "table", "blockquote", "hr", "pre"),
    *("h1", "h2", "h3", "h4", "h5", "h6"),
}
_UNSEEN = {"script", "style", "head", "title", "template"}


def _unescaped(text: str) -> str:
    """Entities decoded; a number of thousands of digits is none."""
    try:
        return html.unescape(text)
    except ValueError:
        return text


class Token(NamedTuple):
    """A tag, or (with an empty name) a text, entities decoded."""

    name: str
    is_end: bool
    text: str

    @property
    def attributes(self) -> dict[str, str]:
        """A tag's attributes, names in lower case."""
        return {
            found[1].casefold(): _unescaped(found[2] or found[3] or found[4] or "")
            for found in _ATTRIBUTE.finditer(self.text)
        }


def tokens(page: str) -> Iterator[Token]:
    """Tags and texts of a page in their order, without comments, scripts, styles and the head."""
    first, *others = page.split("<!--")
    page = first + "".join(each.partition("-->")[2] for each in others)
    position, unseen = 0, ""
    for tag in _TAG.finditer(page):
        if not unseen and tag.start() > position:
            yield Token("", False, _unescaped(page[position : tag.start()]))
        position = tag.end()
        name, is_end = (tag["name"] or "").casefold(), bool(tag["end"])
        if unseen:
            unseen = "" if name == unseen and is_end else unseen
        elif name in _UNSEEN and not is_end:
            unseen = name
        elif name:
            yield Token(name, is_end, tag["rest"])
    if not unseen and position < len(page):
        yield Token("", False, _unescaped(page[position:]))


def plain(page: str) -> str:
    """What a page shows, a line per block."""
    lines: list[list[str]] = [[]]
    for token in tokens(page):
        if token.name in _BLOCKS:
            lines.append([])
        else:
            lines[-1].append(
                " " if token.name in ("td", "th") else "" if token.name else token.text
            )
    return "\n".join(" ".join("".join(line).split()) for line in lines).strip()
