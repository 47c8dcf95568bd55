"""An edition as files: a pure function, the same edition gives the same bytes on any machine.

`writer` turns metrics into sentences, tables and charts; two thin templates print that as HTML and
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
from lumbung.publication.chapters.assemble import document
from lumbung.publication.formats import opendata, xlsx
from lumbung.publication.model.document import Document, Section
from lumbung.publication.model.edition import Edition
from lumbung.publication.translations.formatting import BY_LANGUAGE

__all__ = ["TEMPLATES", "document", "letter", "page", "render"]

TEMPLATES = Path(__file__).parents[1] / "templates"
NAMES = {
    "id": ("edisi", "siaran-pers.txt", "edisi-bagian"),
    "en": ("en/edition", "en/press-release.txt", "en/edition-part"),
}
"""How the files of a language are called: pages and workbook, press summary, a volume of paper."""

VOLUME = 18_000
"""Cells in one PDF, of 10 KB of the compiler's memory each: a province of 38 regencies has 11,500,
the country of 514 has 155,000. A file of all those can be neither mailed nor held in memory."""

_NOT_ON_PAPER = {"metric", "behind", "value", "places", "definitions"}


def render(edition: Edition) -> dict[str, bytes]:
    """The artefacts of an edition by name: pages, workbook, press summary, open data.

    Pages, workbook and press summary in each language of the office, of the same metrics; open data
    once, with a dictionary for each. Whether and how it was approved is part of the bytes: a draft
    says that it is one.
    """
    result: dict[str, bytes] = {}
    for language in edition.office.languages:
        result |= _spoken(replace(edition, language=language))
    return result | opendata.files(edition)


def _spoken(edition: Edition) -> dict[str, bytes]:
    """The artefacts in the edition's language; a function, so that what they were made of ends."""
    pages = document(edition)
    name, press, volume = NAMES[edition.language]
    result: dict[str, bytes] = {}
    # Paper first: what is rendered afterwards is not in memory beside the compiler.
    for file, paper in _papers(pages, name, volume).items():
        result[file] = _pdf(asdict(paper), int(edition.frozen_at.timestamp()))
    content = asdict(pages)
    return result | {
        f"{name}.html": page("edisi.html.j2", d=content),
        f"{name}.xlsx": xlsx.workbook(edition, pages),
        press: page("siaran-pers.txt.j2", d=content),
    }


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
    """The PDFs of a language: one, or the first with the summary and more for what is too much."""
    parts: list[list[Section]] = [[]]
    room = VOLUME
    for section in pages.sections:
        cells = sum(len(row) for table in section.tables for row in table.rows)
        if cells > room and parts[-1]:
            parts.append([])
            room = VOLUME
        parts[-1].append(section)
        room -= cells
    if len(parts) == 1:
        return {f"{name}.pdf": pages}
    m = BY_LANGUAGE[pages.language]
    names = [f"{volume}-{number:02}.pdf" for number in range(2, len(parts) + 1)]
    said = m("paper_volumes", first=names[0].rpartition("/")[2], last=names[-1].rpartition("/")[2])
    empty = replace(pages, points=[], charts=[], glance=[])
    return {f"{name}.pdf": replace(pages, meta=[*pages.meta, said], sections=parts[0])} | {
        file: replace(
            empty,
            subtitle=f"{pages.subtitle}. "
            + m("paper_volume", first=part[0].title, last=part[-1].title),
            sections=part,
        )
        for file, part in zip(names, parts[1:], strict=True)
    }


def _pdf(content: dict[str, Any], timestamp: int) -> bytes:
    """Compile one PDF in a process of its own: the compiler keeps all that it ever laid out."""
    done = subprocess.run(
        [sys.executable, "-m", "lumbung.publication.formats.pdf", str(timestamp)],
        input=json.dumps(_on_paper(content), ensure_ascii=False, default=str).encode(),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise PublicationError(
            f"the PDF could not be made: {done.stderr.decode(errors='replace').strip()[-500:]}",
            where=str(TEMPLATES / "edisi.typ"),
            remediation="correct the template, or free memory, and render again",
        )
    return done.stdout


def _on_paper(value: Any) -> Any:
    """Without what only a screen shows, which is most of it."""
    if isinstance(value, dict):
        return {key: _on_paper(each) for key, each in value.items() if key not in _NOT_ON_PAPER}
    if isinstance(value, list | tuple):
        return [_on_paper(each) for each in value]
    return value
