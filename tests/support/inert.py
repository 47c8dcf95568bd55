"""Whether texts from outside do nothing on a page of the desk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Page

from lumbung.desk.pages import FOLDER

PHONE = {"width": 390, "height": 844}
VOID = {"meta", "link", "input", "rect", "line"}
"""Elements of the templates that have no end tag; `rect` and `line` are closed at once."""
BIDI = {*"\u200e\u200f\u061c", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
"""Characters that change the direction of what follows them."""
ISOLATED = {"bdi", "textarea", "option"}
"""Elements out of which no change of direction reaches."""
ADDRESSES = {"href", "src", "action", "formaction"}
_SOURCE = re.sub(
    r"\{[{%].*?[%}]\}",
    " ",
    "".join(file.read_text() for file in sorted(FOLDER.glob("templates/*.j2"))),
    flags=re.DOTALL,
)
TAGS = {*re.findall(r"<([a-z0-9]+)", _SOURCE), "bdi"}
ATTRIBUTES = {
    *re.findall(r'[\s"]([a-z0-9-]+)="', _SOURCE),
    *("required", "checked", "selected", "open", "readonly", "autofocus"),
    *("x", "y", "width", "height", "viewbox", "preserveaspectratio"),
}


class Reader(HTMLParser):
    """Collects what is on a page and in none of the templates.

    Attributes:
        faults: what was found, as a person reads it.

    """

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.faults.append(f"element {tag}")
        for name, value in attrs:
            if name not in ATTRIBUTES:
                self.faults.append(f"attribute {name} of {tag}")
            if name in ADDRESSES and not re.match(r"/(?!/)|#", value or ""):
                self.faults.append(f"address {value}")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"end of {tag}")

    def handle_data(self, data: str) -> None:
        if BIDI & {*data} and not ISOLATED & {*self._open}:
            self.faults.append(f"direction of {data[:60]!r} in {self._open}")


def faults(page: str) -> list[str]:
    """What a page has that none of the templates has, and directions that are not isolated."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader.faults


@contextmanager
def watched(window: BrowserContext) -> Iterator[tuple[Page, list[str]]]:
    """A page of a phone's size, and what scripts did in it or would have done."""
    page = window.new_page()
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    done: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        done.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.on("pageerror", lambda error: done.append(str(error)))

    def note(message: ConsoleMessage) -> None:
        # the frame with an edition's file runs no script and says so
        if message.type == "error" and "sandboxed" not in message.text:
            done.append(message.text)

    page.on("console", note)
    yield page, done
    page.close()


def overflow(page: Page) -> int:
    """By how many pixels a page is wider than the screen."""
    found = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return int(found)
