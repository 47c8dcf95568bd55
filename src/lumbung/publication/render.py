"""An edition as files: a pure function, the same edition gives the same bytes on any machine.

`writer` turns figures into sentences, tables and charts; two thin templates print that as HTML and
as PDF. No clock, no random identifier, no system font, no request to anywhere.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

from lumbung.publication import opendata, workbook
from lumbung.publication.content import Edition
from lumbung.publication.messages import BY_LANGUAGE
from lumbung.publication.writer import document

__all__ = ["TEMPLATES", "document", "letter", "page", "render"]

TEMPLATES = Path(__file__).parent / "templates"
NAMES = {
    "id": ("edisi", "siaran-pers.txt"),
    "en": ("en/edition", "en/press-release.txt"),
}
"""How the files of a language are called: pages and workbook, press summary."""


def render(edition: Edition) -> dict[str, bytes]:
    """The artefacts of an edition by name: pages, workbook, press summary, open data.

    Pages, workbook and press summary in each language of the office, of the same figures; open data
    once, with a dictionary for each. Whether and how it was approved is part of the bytes: a draft
    says that it is one.
    """
    result: dict[str, bytes] = {}
    for language in edition.office.languages:
        spoken = replace(edition, language=language)
        pages = document(spoken)
        content = asdict(pages)
        name, press = NAMES[language]
        result |= {
            f"{name}.html": page("edisi.html.j2", d=content),
            f"{name}.pdf": _pdf(content, int(edition.frozen_at.timestamp())),
            f"{name}.xlsx": workbook.workbook(spoken, pages),
            press: page("siaran-pers.txt.j2", d=content),
        }
    return result | opendata.files(edition)


def letter(edition: Edition) -> tuple[str, str]:
    """The summary of a published edition for a mail: its subject and its body as HTML."""
    pages = document(edition)
    attached = BY_LANGUAGE[edition.language]["letter_attached"]
    body = page("surat.html.j2", d=asdict(pages) | {"attached": attached})
    return f"{pages.title}, {pages.subtitle}", body.decode()


def page(template: str, **values: Any) -> bytes:
    """A template of `TEMPLATES` filled, as UTF-8; a value that it lacks is an error."""
    text: str = _environment().get_template(template).render(**values)
    return text.encode("utf-8")


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
    from markupsafe import Markup, escape

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(("html.j2", "xml.j2"), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["labelled"] = lambda svg, alt: Markup(  # noqa: S704 - drawn by charts.py
        svg.replace("<svg ", f'<svg aria-label="{escape(alt)}" ', 1)
    )
    return environment


def _pdf(content: dict[str, Any], timestamp: int) -> bytes:
    import typst

    pdf: bytes = typst.compile(
        (TEMPLATES / "edisi.typ").read_bytes(),
        sys_inputs={"document": json.dumps(content, ensure_ascii=False, default=str)},
        ignore_system_fonts=True,
        format="pdf",
        pdf_standards=["ua-1"],
        timestamp=timestamp,
    )
    return pdf
