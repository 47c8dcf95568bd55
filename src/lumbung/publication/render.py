"""An edition as files: a pure function, the same edition gives the same bytes on any machine.

`writer` turns figures into sentences, tables and charts; two thin templates print that as HTML and
as PDF. No clock, no random identifier, no system font, no request to anywhere.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

from lumbung.errors import PublicationError
from lumbung.publication import opendata, workbook
from lumbung.publication.content import Edition
from lumbung.publication.messages import BY_LANGUAGE
from lumbung.publication.pages import Document
from lumbung.publication.writer import document

__all__ = ["TEMPLATES", "document", "letter", "page", "render"]

TEMPLATES = Path(__file__).parent / "templates"
NAMES = {
    "id": ("edisi", "siaran-pers.txt", "edisi-wilayah"),
    "en": ("en/edition", "en/press-release.txt", "en/edition-regencies"),
}
"""How the files of a language are called: pages and workbook, press summary, a volume of paper."""

VOLUME = 100
"""Regencies whose pages are in one PDF: the largest province has 38, the country 514."""

_NOT_ON_PAPER = {"figure", "behind", "value", "places", "definitions"}


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
        name, press, volume = NAMES[language]
        # Paper first: what is rendered afterwards is not in memory beside the compiler.
        for file, paper in _papers(pages, name, volume).items():
            result[file] = _pdf(asdict(paper), int(edition.frozen_at.timestamp()))
        content = asdict(pages)
        result |= {
            f"{name}.html": page("edisi.html.j2", d=content),
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


def _papers(pages: Document, name: str, volume: str) -> dict[str, Document]:
    """The PDFs of a language: one, or with many regencies one more for each volume of their pages.

    A file of a page for each of 514 regencies can be neither mailed nor held in memory.
    """
    own = [section for section in pages.sections if section.is_page]
    if len(own) <= VOLUME:
        return {f"{name}.pdf": pages}
    m = BY_LANGUAGE[pages.language]
    parts = [own[first : first + VOLUME] for first in range(0, len(own), VOLUME)]
    names = [f"{volume}-{number}.pdf" for number in range(1, len(parts) + 1)]
    said = m("paper_volumes", first=names[0].rpartition("/")[2], last=names[-1].rpartition("/")[2])
    whole = replace(
        pages,
        meta=[*pages.meta, said],
        sections=[section for section in pages.sections if not section.is_page],
    )
    empty = replace(pages, points=[], charts=[], glance=[])
    return {f"{name}.pdf": whole} | {
        file: replace(
            empty,
            subtitle=f"{pages.subtitle}. "
            + m("paper_volume", first=part[0].title, last=part[-1].title),
            sections=part,
        )
        for file, part in zip(names, parts, strict=True)
    }


def _pdf(content: dict[str, Any], timestamp: int) -> bytes:
    """Compile one PDF in a process of its own: the compiler keeps all that it ever laid out."""
    done = subprocess.run(
        [sys.executable, "-m", "lumbung.publication.paper", str(timestamp)],
        input=json.dumps(_on_paper(content), ensure_ascii=False, default=str).encode(),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise PublicationError(
            f"the PDF could not be made: {done.stderr.decode(errors='replace').strip()[-500:]}",
            where=str(TEMPLATES / "edisi.typ"),
            cure="correct the template, or free memory, and render again",
        )
    return done.stdout


def _on_paper(value: Any) -> Any:
    """Without what only a screen shows, which is most of it."""
    if isinstance(value, dict):
        return {key: _on_paper(each) for key, each in value.items() if key not in _NOT_ON_PAPER}
    if isinstance(value, list | tuple):
        return [_on_paper(each) for each in value]
    return value
