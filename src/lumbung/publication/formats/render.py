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
from lumbung.publication.model.document import Document
from lumbung.publication.model.edition import Edition
from lumbung.publication.translations.formatting import BY_LANGUAGE, messages_of

__all__ = ["TEMPLATES", "compiled", "document", "letter", "page", "render"]

TEMPLATES = Path(__file__).parents[1] / "templates"
PDF_SECONDS = 300
"""How long a PDF may take; one of an edition takes a few seconds."""
NAMES = {
    "id": ("edisi", "siaran-pers.txt"),
    "en": ("en/edition", "en/press-release.txt"),
}
"""File names by language: HTML, PDF and workbook; press summary."""

_SCREEN_ONLY = {
    *("metric", "explanation", "value", "places", "definitions"),
    *("sections", "others", "subject", "sheet", "sheet_source", "print_note"),
}
"""The fields that the PDF does not print: most of the data. The annex is on screen alone."""


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
    name, press = NAMES[edition.language]
    content = asdict(pages)
    return {
        f"{name}.pdf": _pdf(content, int(edition.frozen_at.timestamp())),
        f"{name}.html": page("edisi.html.j2", d=content),
        f"{name}.xlsx": xlsx.workbook(edition, pages),
        press: page("siaran-pers.txt.j2", d=content),
    }


def _with_root(pages: Document, root: str) -> Document:
    """Return the document with the root hash of its content among its last paragraphs."""
    said = BY_LANGUAGE[pages.language]("about_root", root=root)
    *chapters, colophon = pages.bulletin
    colophon = replace(colophon, paragraphs=[*colophon.paragraphs, said])
    return replace(pages, bulletin=[*chapters, colophon])


def letter(edition: Edition, root: str = "") -> tuple[str, str]:
    """Return the mail that summarises a published edition: its subject and its body as HTML.

    Args:
        edition: the edition.
        root: its root hash; empty where it was published before editions were signed.

    """
    pages = document(edition)
    m = messages_of(edition)
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


def _pdf(content: dict[str, Any], timestamp: int) -> bytes:
    """Compile the PDF of an edition."""
    return compiled("edisi.typ", _printable(content), timestamp)


def compiled(template: str, content: dict[str, Any], timestamp: int) -> bytes:
    """Compile a PDF in a separate process: the compiler never frees the memory of a layout.

    Args:
        template: a Typst template of `TEMPLATES`.
        content: its document.
        timestamp: the creation time in the PDF, in seconds since 1970 UTC.

    Raises:
        PublicationError: when it cannot be compiled within `PDF_SECONDS`.

    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "lumbung.publication.formats.pdf", template, str(timestamp)],
            input=json.dumps(content, ensure_ascii=False, default=str).encode(),
            capture_output=True,
            check=False,
            timeout=PDF_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise PublicationError(
            f"the PDF was not compiled within {PDF_SECONDS} s",
            where=str(TEMPLATES / template),
            remediation="end other work on this machine, then render again",
        ) from error
    if done.returncode:
        raise PublicationError(
            f"the PDF could not be compiled: {done.stderr.decode(errors='replace').strip()[-500:]}",
            where=str(TEMPLATES / template),
            remediation="correct the template, or free memory, and render again",
        )
    return done.stdout


def _printable(value: Any) -> Any:
    """Remove the fields that only HTML and the workbook use."""
    if isinstance(value, dict):
        if (count := value.get("printed")) and len(value["rows"]) > count:
            notes = [*value["notes"], value["print_note"]]
            value = value | {"rows": value["rows"][:count], "notes": notes}
        return {key: _printable(each) for key, each in value.items() if key not in _SCREEN_ONLY}
    if isinstance(value, list | tuple):
        return [_printable(each) for each in value]
    return value
