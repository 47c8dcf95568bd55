"""The picture that a message shows for a link to the portal (Open Graph)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from lumbung.publication.formats.render import TEMPLATES

WIDTH, HEIGHT = 1200, 630
"""Pixels; the size that WhatsApp and others ask for."""


def draw(
    *,
    language: str,
    publisher: str,
    title: str,
    subtitle: str,
    stats: Sequence[tuple[str, str]],
    note: str,
    region_map: str,
) -> bytes:
    """Return the picture as PNG.

    Args:
        language: `id` or `en`.
        publisher: the office.
        title: of the publication.
        subtitle: the week.
        stats: name and printed value of three numbers.
        note: the line at the bottom.
        region_map: the map as SVG.

    """
    import typst

    card = {
        "language": language,
        "publisher": publisher,
        "title": title,
        "subtitle": subtitle,
        "stats": stats,
        "note": note,
        "map": region_map,
    }
    drawn: bytes = typst.compile(
        (TEMPLATES / "kartu.typ").read_bytes(),
        sys_inputs={"card": json.dumps(card)},
        ignore_system_fonts=True,
        format="png",
        ppi=72.0,
    )
    return drawn
