"""What looks like personal data in bytes that are about to leave the house.

A second net, not the first: no personal field reaches the marts. Names cannot be recognised this
way; numbers and addresses that identify a person can.
"""

from __future__ import annotations

import io
import re

PATTERNS = {
    "a phone number": re.compile(
        r"(?<![\d.,])(?:\+62[ .-]?8\d{1,2}[ .-]?\d{3,4}[ .-]?\d{2,5}|628\d{8,11}"
        r"|08\d{1,2}[ .-]?\d{3,4}[ .-]?\d{3,5})(?!\d)"
    ),
    "a NIK (16 digits)": re.compile(r"(?<!\w)\d{16}(?!\w)"),
    "a NIP (18 digits)": re.compile(r"(?<!\w)(?:\d{18}|\d{8} \d{6} [12] \d{3})(?!\w)"),
    "an e-mail address": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
}


def find_personal_data(name: str, content: bytes) -> list[str]:
    """What an artefact's text seems to hold, such as `a phone number`; empty when nothing does.

    Args:
        name: the artefact's name; its ending says how it is read (`.html`, `.pdf`).
        content: its bytes.

    Raises:
        ValueError: when the bytes are not a readable document of that kind.

    """
    text = _READERS[name.rsplit(".", 1)[-1]](content)
    if not text.strip():
        raise ValueError(f"{name} has no text")
    return [kind for kind, pattern in PATTERNS.items() if pattern.search(text)]


def _html_text(content: bytes) -> str:
    from selectolax.lexbor import LexborHTMLParser

    # Path data of charts is digits, not text; everything else a browser or reader sees counts.
    tree = LexborHTMLParser(content.decode("utf-8"))
    pieces = [tree.text(separator="\n")]
    for node in tree.css("*"):
        pieces += [
            value or ""
            for key, value in node.attributes.items()
            if key not in {"d", "transform", "points", "viewbox"}
        ]
    return "\n".join(pieces)


def _pdf_text(content: bytes) -> str:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(content))
        return "\n".join(
            [page.extract_text() for page in reader.pages]
            + [str(value) for value in (reader.metadata or {}).values()]
        )
    except PyPdfError as error:
        raise ValueError(str(error)) from error


_READERS = {"html": _html_text, "pdf": _pdf_text}
