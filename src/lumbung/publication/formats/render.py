"""Render an edition to files. The same edition gives the same bytes on any machine.

`chapters` turns metrics into a document of sentences, tables and charts; templates print the
document as HTML and PDF. Nothing depends on the time of day, random numbers, system fonts or the
network.
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
"""File names by language: HTML, PDF and workbook; press summary; further PDF volumes."""

VOLUME = 18_000
"""Table cells in one PDF; each takes 10 KB of the compiler's memory. A province of 38 regencies has
11,500 cells, the country with 514 has 155,000, too many for one mail and for the memory."""

_SCREEN_ONLY = {"metric", "explanation", "value", "places", "definitions"}


def render(edition: Edition) -> dict[str, bytes]:
    """Return the files of an edition by name: HTML, PDF, workbook, press summary, open data.

    There is one set of files for each language of the office; the open data exist once, with a
    dictionary for each language. The files state whether and how the edition was approved; those
    of a draft say that it is a draft.
    """
    root = opendata.content_root(edition)
    result: dict[str, bytes] = {}
    for language in edition.office.languages:
        result |= _localized(replace(edition, language=language), root)
    return result | opendata.files(edition)


def _localized(edition: Edition, root: str) -> dict[str, bytes]:
    """Return the files in the edition's language; the document is freed when this returns."""
    pages = _with_root(document(edition), root)
    name, press, volume = NAMES[edition.language]
    result: dict[str, bytes] = {}
    # The PDF first, so that the other files are not in memory while the compiler runs.
    for file, document_part in _volumes(pages, name, volume).items():
        result[file] = _pdf(asdict(document_part), int(edition.frozen_at.timestamp()))
    content = asdict(pages)
    return result | {
        f"{name}.html": page("edisi.html.j2", d=content),
        f"{name}.xlsx": xlsx.workbook(edition, pages),
        press: page("siaran-pers.txt.j2", d=content),
    }


def _with_root(pages: Document, root: str) -> Document:
    """Return the document with the root hash of its content among the notes on method."""
    said = BY_LANGUAGE[pages.language]("about_root", root=root)
    return replace(
        pages,
        sections=[
            replace(section, paragraphs=[*section.paragraphs, said])
            if section.id == "metode"
            else section
            for section in pages.sections
        ],
    )


def letter(edition: Edition, root: str = "") -> tuple[str, str]:
    """Return the mail that summarises a published edition: its subject and its body as HTML.

    Args:
        edition: the edition.
        root: its root hash; empty where it was published before editions were signed.

    """
    pages = document(edition)
    m = BY_LANGUAGE[edition.language]
    proof = m("letter_root", root=root) if root else ""
    values = {"attached": m["letter_attached"], "proof": proof}
    body = page("surat.html.j2", d=asdict(pages) | values)
    return f"{pages.title}, {pages.subtitle}", body.decode()


def page(template: str, **values: Any) -> bytes:
    """Fill a template of `TEMPLATES`, as UTF-8; a missing value is an error."""
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


def _volumes(pages: Document, name: str, volume: str) -> dict[str, Document]:
    """Split the document into PDF volumes of at most `VOLUME` cells; the first has the summary."""
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
    note = m("paper_volumes", first=names[0].rpartition("/")[2], last=names[-1].rpartition("/")[2])
    empty = replace(pages, points=[], charts=[], glance=[])
    return {f"{name}.pdf": replace(pages, meta=[*pages.meta, note], sections=parts[0])} | {
        file: replace(
            empty,
            subtitle=f"{pages.subtitle}. "
            + m("paper_volume", first=part[0].title, last=part[-1].title),
            sections=part,
        )
        for file, part in zip(names, parts[1:], strict=True)
    }


def _pdf(content: dict[str, Any], timestamp: int) -> bytes:
    """Compile one PDF in a separate process: the compiler never frees the memory of a layout."""
    done = subprocess.run(
        [sys.executable, "-m", "lumbung.publication.formats.pdf", str(timestamp)],
        input=json.dumps(_printable(content), ensure_ascii=False, default=str).encode(),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise PublicationError(
            f"the PDF could not be compiled: {done.stderr.decode(errors='replace').strip()[-500:]}",
            where=str(TEMPLATES / "edisi.typ"),
            remediation="correct the template, or free memory, and render again",
        )
    return done.stdout


def _printable(value: Any) -> Any:
    """Remove the fields that only HTML and the workbook use, which are most of the data."""
    if isinstance(value, dict):
        return {key: _printable(each) for key, each in value.items() if key not in _SCREEN_ONLY}
    if isinstance(value, list | tuple):
        return [_printable(each) for each in value]
    return value
