"""The pictures of an edition as SVG: bars by Altair, the tile map drawn here.

Every layout is fixed in pixels (no legends, no measured text), because a layout that measures text
depends on the fonts of the machine. Titles, notes and alternative texts are the page's, not the
picture's. 360 px wide, so that 11 px labels stay readable on a phone.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from html import escape
from typing import Any

FONT = "Libertinus Serif"  # embedded in Typst; the HTML page overrides it with its own
INK, QUIET, ACCENT, MUTED = "#1a1a1a", "#555555", "#0b5394", "#9fc0de"
WIDTH = 360
SHADES = {
    1: ("#dbe8f4", INK),
    2: ("#a8c8e4", INK),
    3: ("#2f72b0", "#ffffff"),
    4: ("#083d77", "#ffffff"),
}
"""One blue from light to dark, for the colour-blind and for print; its ink has at least 4.5 : 1."""


def columns(values: Sequence[tuple[str, int]]) -> str:
    """One column per label, the last one accented, each with its value above.

    Args:
        values: labels (unique, in order) and counts.

    """
    import altair as alt

    every = -(-len(values) // 8)  # a label needs 40 px; the last column is always labelled
    labelled = [label for label, _ in values][::-1][::every]
    rows = [
        {"label": label, "value": value, "last": n == len(values)}
        for n, (label, value) in enumerate(values, 1)
    ]
    x = alt.X(
        "label:N",
        sort=[label for label, _ in values],
        axis=alt.Axis(
            title=None,
            values=labelled,
            labelAngle=0,
            labelColor=QUIET,
            labelFontSize=10,
            labelOverlap=False,
            ticks=False,
            domainColor=QUIET,
            aria=False,
        ),
        scale=alt.Scale(paddingInner=0.25, paddingOuter=0.1),
    )
    y = alt.Y("value:Q", axis=None, scale=alt.Scale(domain=[0, max([1, *(v for _, v in values)])]))
    base = alt.Chart(alt.Data(values=rows)).encode(x=x, y=y)
    bars = base.mark_bar(aria=False).encode(color=_accented("last"))
    text = base.mark_text(dy=-6, fontSize=11, color=INK, aria=False).encode(text="value:Q")
    return _svg(bars + text, 180, {"left": 8, "right": 8, "top": 20, "bottom": 22})


def bars(values: Sequence[tuple[str, int]], *, accented: int) -> str:
    """One horizontal bar per label, the first `accented` ones accented, each with its value.

    Args:
        values: labels (unique, in order; longer than 28 characters: cut) and counts.
        accented: how many of the first bars the title speaks of.

    """
    import altair as alt

    values = [(textwrap.shorten(label, 28, placeholder=" …"), n) for label, n in values]
    rows = [
        {"label": label, "value": value, "first": n < accented}
        for n, (label, value) in enumerate(values)
    ]
    y = alt.Y(
        "label:N",
        sort=[label for label, _ in values],
        axis=alt.Axis(
            title=None,
            labelColor=INK,
            labelFontSize=11,
            labelLimit=0,
            labelOverlap=False,
            ticks=False,
            domainColor=QUIET,
            aria=False,
        ),
        scale=alt.Scale(paddingInner=0.3, paddingOuter=0.1),
    )
    x = alt.X("value:Q", axis=None, scale=alt.Scale(domain=[0, max([1, *(v for _, v in values)])]))
    base = alt.Chart(alt.Data(values=rows)).encode(x=x, y=y)
    marks = base.mark_bar(aria=False).encode(color=_accented("first"))
    text = base.mark_text(align="left", dx=4, fontSize=11, color=INK, aria=False).encode(
        text="value:Q"
    )
    return _svg(marks + text, 21 * len(values), {"left": 186, "right": 30, "top": 2, "bottom": 2})


def _accented(field: str) -> Any:
    import altair as alt

    return alt.Color(
        f"{field}:N", scale=alt.Scale(domain=[True, False], range=[ACCENT, MUTED]), legend=None
    )


def _svg(chart: Any, height: int, padding: dict[str, int]) -> str:
    import altair as alt
    import vl_convert

    spec = (
        chart.properties(
            width=WIDTH - padding["left"] - padding["right"],
            height=height,
            autosize=alt.AutoSizeParams(type="none"),
            padding=padding,
        )
        .configure(font=FONT, background="white")
        .configure_view(stroke=None)
        .to_dict()
    )
    svg: str = vl_convert.vegalite_to_svg(spec)
    # The picture is described as a whole, by the page.
    return svg.replace("<svg ", '<svg role="img" ', 1).replace(
        'role="graphics-object" aria-roledescription="group mark container"', 'aria-hidden="true"'
    )


def tile_map(placed: Sequence[tuple[int, int, str, int, str]]) -> str:
    """One tile per regency, where the map has it; the more, the darker.

    Args:
        placed: tile row, tile column, name, count and a small last line of each; at least one.

    """
    top, left = min(tile[0] for tile in placed), min(tile[1] for tile in placed)
    rows = max(tile[0] for tile in placed) - top + 1
    cols = max(tile[1] for tile in placed) - left + 1
    side = min(WIDTH // cols, 76)
    margin = (WIDTH - cols * side) // 2
    most = max(1, *(tile[3] for tile in placed))
    height = rows * side
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img">'
    ]
    for row, col, name, value, line in placed:
        x, y = margin + (col - left) * side, (row - top) * side
        fill, ink = _shade(value / most)
        middle = x + side / 2
        parts.append(
            f'<rect x="{x + 1.5}" y="{y + 1.5}" width="{side - 3}" height="{side - 3}" '
            f'fill="{fill}" stroke="{ACCENT}" stroke-width="0.75"/>'
        )
        words = name.split(" ", 1)
        first = y + (11.5 if len(words) == 2 else 16)
        parts += [_text(middle, first + 9.5 * n, 9.5, ink, word) for n, word in enumerate(words)]
        parts.append(_text(middle, y + side * 0.69, 16, ink, str(value), weight="bold"))
        parts.append(_text(middle, y + side - 5, 8.5, ink, line))
    return "".join([*parts, "</svg>"])


def _text(x: float, y: float, size: float, ink: str, text: str, weight: str = "normal") -> str:
    return (
        f'<text x="{x:g}" y="{y:.1f}" font-family="{FONT}" font-size="{size}" '
        f'font-weight="{weight}" text-anchor="middle" fill="{ink}">{escape(text)}</text>'
    )


def _shade(share: float) -> tuple[str, str]:
    """A fill for a share of the highest count, in quarters, and the ink that contrasts with it."""
    return SHADES[math.ceil(4 * share)] if share else ("#ffffff", INK)
