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
    stats: Sequence[tuple[str, str, str]],
    note: str,
    region_map: str,
    map_title: str,
) -> bytes:
    """Return the picture as PNG.

    Args:
        language: `id` or `en`.
        publisher: the office.
        title: of the publication.
        subtitle: the week.
        stats: of three numbers the name, the printed value, and what it is compared with.
        note: the line at the bottom.
        region_map: the map as SVG.
        map_title: what the map shows.

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
        "map_title": map_title,
    }
    drawn: bytes = typst.compile(
        (TEMPLATES / "kartu.typ").read_bytes(),
        sys_inputs={"card": json.dumps(card)},
        ignore_system_fonts=True,
        format="png",
        ppi=72.0,
    )
    return drawn
