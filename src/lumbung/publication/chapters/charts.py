"""The charts of an edition as SVG.

Every layout is fixed in pixels and measures no text, because text widths depend on the fonts of a
machine. Titles, notes and alternative texts belong to the page; the `title` of a mark is its
tooltip. Charts are 360 px wide, so that 11 px labels stay readable on a phone. Bars and columns
have classes with which a style sheet adapts their colours to a dark page; maps keep their colours.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

FONT = "Libertinus Serif"  # embedded in Typst; the HTML page overrides it with its own
INK, QUIET, ACCENT, MUTED = "#1a1a1a", "#555555", "#0b5394", "#9fc0de"
WIDTH = 360
SHADES = {
    1: ("#dbe8f4", INK),
    2: ("#a8c8e4", INK),
    3: ("#2f72b0", "#ffffff"),
    4: ("#083d77", "#ffffff"),
}
"""One hue from light to dark, suited to colour blindness and print, each with a text colour of a
contrast of at least 4.5 : 1."""


class Bar(NamedTuple):
    """A bar: its label (unique in the chart), its count, the count as text, and a description.

    A count of None is unknown: the bar's position stays empty.
    """

    label: str
    value: int | None
    text: str
    description: str


def columns(values: Sequence[Bar], *, top: int = 0) -> str:
    """Draw a column per label, the last one accented, with the values above where they fit.

    Args:
        values: in order; at least the last and the highest have their value above.
        top: the count of the full height, where charts share a scale; 0: the highest value.

    """
    above, height, foot, side = 20, 150, 22, 4
    base = above + height
    step = (WIDTH - 2 * side) / max(1, len(values))
    width = min(step * 0.74, 40)
    most = max([1, top, *(bar.value for bar in values if bar.value is not None)])
    every = max(1, math.ceil(44 / step))  # a label needs 44 px; the last column is always labelled
    is_roomy = step >= 6.4 * max((len(bar.text) for bar in values), default=0) + 4
    peak = max(range(len(values)), key=lambda n: values[n].value or 0, default=0)
    parts = [_open(base + foot, "chart")]
    for n, bar in enumerate(values):
        is_last = n == len(values) - 1
        middle = side + step * (n + 0.5)
        tall = height * (bar.value or 0) / most
        parts.append(
            f"<g><title>{escape(bar.description)}</title>"
            # the tooltip appears on the whole height
            f'<rect class="reach" x="{middle - step / 2:.1f}" y="0" width="{step:.1f}" '
            f'height="{base}" fill="none" pointer-events="all"/>'
        )
        if bar.value is None:
            parts.append(_text(middle, base - 5, 10, QUIET, "–"))
        else:
            parts.append(_rect(middle - width / 2, base - tall, width, tall, is_last))
            if is_roomy or is_last or n == peak:
                weight = "bold" if is_last else "normal"
                parts.append(_text(middle, base - tall - 5, 11, INK, bar.text, weight=weight))
        if (len(values) - 1 - n) % every == 0:
            parts.append(_text(middle, base + 15, 10, QUIET, bar.label))
        parts.append("</g>")
    parts.append(_line(0, base + 0.5, WIDTH, base + 0.5))
    return "".join([*parts, "</svg>"])


def bars(values: Sequence[Bar], *, accented: int) -> str:
    """Draw a horizontal bar per label, the first `accented` ones accented, each with its value.

    Args:
        values: in order; a label longer than 28 characters is cut.
        accented: how many of the first bars the title speaks of.

    """
    step, left, right = 21, 180, 42
    most = max([1, *(bar.value or 0 for bar in values)])
    parts = [_open(step * len(values) + 4, "chart")]
    for n, bar in enumerate(values):
        y = 2 + step * n
        wide = (WIDTH - left - right) * (bar.value or 0) / most
        label = textwrap.shorten(bar.label, 28, placeholder=" …")
        parts.append(f"<g><title>{escape(bar.description)}</title>")
        parts.append(_rect(left, y + 3, wide, step - 6, n < accented))
        parts.append(_text(left - 6, y + 14.5, 11, INK, label, anchor="end"))
        parts.append(_text(left + wide + 4, y + 14.5, 11, INK, bar.text, anchor="start") + "</g>")
    parts.append(_line(left, 2, left, 2 + step * len(values)))
    return "".join([*parts, "</svg>"])


def _rect(x: float, y: float, width: float, height: float, is_accented: bool) -> str:
    name, fill = ("now", ACCENT) if is_accented else ("bar", MUTED)
    return (
        f'<rect class="{name}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'fill="{fill}"/>'
    )


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:g},{y1:g}L{x2:g},{y2:g}" fill="none" stroke="{QUIET}"/>'


@dataclass(frozen=True)
class Place:
    """A regency on a map.

    Attributes:
        row, col: its tile; None: no tile.
        outline: its boundary in pixels of a map `WIDTH` wide; empty: unknown.
        share: its shade, from 0 (white) to 1 (darkest).
        text: a number or a few words inside it; `line` is printed smaller below.
        description: the tooltip.

    """

    name: str
    row: int | None
    col: int | None
    outline: tuple[tuple[tuple[float, float], ...], ...]
    share: float
    text: str
    line: str
    description: str


def is_outlined(places: Sequence[Place]) -> bool:
    """Return whether the map is drawn with boundaries."""
    return any(place.outline for place in places)


def region_map(places: Sequence[Place]) -> str:
    """Draw the regencies by their boundaries if any is known, else as tiles.

    Texts are printed inside while they fit: up to twenty boundaries, tiles of at least 44 px; in
    smaller tiles the number alone.
    """
    if is_outlined(places):
        return _choropleth([place for place in places if place.outline])
    return _tiles([place for place in places if place.row is not None and place.col is not None])


def _choropleth(places: Sequence[Place]) -> str:
    bottom = max(y for place in places for ring in place.outline for _, y in ring)
    height = math.ceil(bottom) + 4
    parts = [_open(height)]
    for place in places:
        fill, _ = _shade(place.share)
        path = "".join(f"M{' '.join(f'{x:g},{y:g}' for x, y in ring)}Z" for ring in place.outline)
        parts.append(
            f'<path d="{path}" fill="{fill}" stroke="{ACCENT}" stroke-width="0.75">'
            f"<title>{escape(place.description)}</title></path>"
        )
    if len(places) <= 20:
        for place in places:
            x, y = _middle(place.outline)
            parts.append(_text(x, y - 6, 9, INK, place.name, halo=True))
            parts.append(_text(x, y + 6, 11, INK, place.text, weight="bold", halo=True))
            parts.append(_text(x, y + 15, 8, INK, place.line, halo=True))
    return "".join([*parts, "</svg>"])


def _middle(outline: Sequence[Sequence[tuple[float, float]]]) -> tuple[float, float]:
    """Return the centroid of the largest ring."""
    best = (0.0, 0.0, 0.0)
    for ring in outline:
        area = x = y = 0.0
        for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True):
            cross = x1 * y2 - x2 * y1
            area += cross
            x += (x1 + x2) * cross
            y += (y1 + y2) * cross
        if abs(area) > best[0]:
            best = (abs(area), x / (3 * area), y / (3 * area))
    return min(max(best[1], 34.0), WIDTH - 34.0), best[2]


def _tiles(places: Sequence[Place]) -> str:
    cells = [(place, place.row or 0, place.col or 0) for place in places]
    top, left = min((c[1] for c in cells), default=0), min((c[2] for c in cells), default=0)
    rows = max((c[1] for c in cells), default=0) - top + 1
    cols = max((c[2] for c in cells), default=0) - left + 1
    side = min(WIDTH / cols, 76)
    gap = min(1.5, side / 10)
    margin = (WIDTH - cols * side) / 2
    parts = [_open(math.ceil(rows * side))]
    for place, row, col in cells:
        x, y = margin + (col - left) * side, (row - top) * side
        fill, ink = _shade(place.share)
        parts.append(
            f'<g><title>{escape(place.description)}</title><rect x="{x + gap:g}" y="{y + gap:g}" '
            f'width="{side - 2 * gap:g}" height="{side - 2 * gap:g}" '
            f'fill="{fill}" stroke="{ACCENT}" stroke-width="0.75"/>'
        )
        if side >= 44:
            middle = x + side / 2
            name = textwrap.wrap(place.name, 11, max_lines=3, placeholder="…")
            first = y + (16 if len(name) == 1 else 12)
            parts += [_text(middle, first + 9.5 * n, 9.5, ink, t) for n, t in enumerate(name)]
            if len(place.text) <= 5:
                parts.append(_text(middle, y + side * 0.69, 16, ink, place.text, weight="bold"))
            else:
                words = textwrap.wrap(place.text, 11, max_lines=2, placeholder="…")
                first = y + side * (0.66 if len(words) == 1 else 0.58)
                parts += [
                    _text(middle, first + 10.5 * n, 10, ink, text, weight="bold")
                    for n, text in enumerate(words)
                ]
            parts.append(_text(middle, y + side - 5, 8.5, ink, place.line))
        elif side >= 18 and len(place.text) <= 4:
            parts.append(_text(x + side / 2, y + side / 2 + 3, 9, ink, place.text))
        parts.append("</g>")
    return "".join([*parts, "</svg>"])


def _open(height: int, name: str = "map") -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{name}" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img">'
    )


def _text(
    x: float,
    y: float,
    size: float,
    ink: str,
    text: str,
    *,
    weight: str = "normal",
    anchor: str = "middle",
    halo: bool = False,
) -> str:
    around = ' stroke="#ffffff" stroke-width="2.5" paint-order="stroke"' if halo else ""
    around += ' class="quiet"' if ink == QUIET else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-family="{FONT}" font-size="{size:g}" '
        f'font-weight="{weight}" text-anchor="{anchor}" fill="{ink}"{around}>{escape(text)}</text>'
    )


def _shade(share: float) -> tuple[str, str]:
    """Return the fill of a share of the highest value, in quarters, and its text colour."""
    return SHADES[min(4, math.ceil(4 * share))] if share else ("#ffffff", INK)
