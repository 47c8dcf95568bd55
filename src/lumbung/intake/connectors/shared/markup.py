"""HTML of mails and saved pages, read in one pass.

No tree is built, because parsers that build one may take quadratic time for deep nesting:
selectolax takes two minutes for 100,000 levels in half a megabyte. Anybody can send such a mail.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

_TAG = re.compile(
    # possessive (`*+`): if a tag does not end, no shorter match of it does
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
    """A text with its entities decoded; an entity with thousands of digits stays."""
    try:
        return html.unescape(text)
    except ValueError:
        return text


class Token(NamedTuple):
    """A tag, or a text (with an empty name) whose entities are decoded."""

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
    """The tags and texts of a page in their order, without comments, scripts, styles and head."""
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
    """The visible text of a page, one line for each block."""
    lines: list[list[str]] = [[]]
    for token in tokens(page):
        if token.name in _BLOCKS:
            lines.append([])
        else:
            lines[-1].append(
                " " if token.name in ("td", "th") else "" if token.name else token.text
            )
    return "\n".join(" ".join("".join(line).split()) for line in lines).strip()
