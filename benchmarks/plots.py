"""Draw what `costs.csv` holds: cost against volume, for landing, builds and editions.

    python -m benchmarks.plots

Each row is a measurement: the plot, what was measured, how much of it, and the seconds. The
pictures are those of docs/explanation/costs.md.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

HERE = Path(__file__).parent
PICTURES = HERE.parent / "docs" / "pictures"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 360, 64, 190, 16, 44
COLOURS = ("#0b5394", "#b45309", "#4d7c0f", "#7e22ce", "#475569")
AXES = {
    "landing": "deliveries",
    "build": "records in raw",
    "edition": "regencies",
}
"""What the volumes of a plot count."""
Line = list[tuple[float, float]]


def measured() -> dict[str, dict[str, Line]]:
    """Return the measurements: plot -> what was measured -> volumes and seconds, in order."""
    found: dict[str, dict[str, Line]] = {}
    with (HERE / "costs.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            lines = found.setdefault(row["plot"], {})
            point = float(row["volume"]), float(row["seconds"])
            lines.setdefault(row["measured"], []).append(point)
    return found


def drawn() -> dict[str, str]:
    """Return the pictures by the name of their file."""
    return {f"cost-{name}.svg": plot(AXES[name], lines) for name, lines in measured().items()}


def plot(axis: str, lines: dict[str, Line]) -> str:
    """Draw lines on two logarithmic scales, each named at its end."""
    points = [point for line in lines.values() for point in line]
    across, up = ([point[i] for point in points] for i in (0, 1))
    xs, ys = _Scale(across, LEFT, WIDTH - RIGHT), _Scale(up, HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="12" fill="#1f2937">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
    ]
    for value in _decades(across):
        x = xs(value)
        parts.append(_rule(x, TOP, x, HEIGHT - BOTTOM))
        parts.append(_text(x, HEIGHT - BOTTOM + 18, _number(value), "middle"))
    for value in _decades(up):
        y = ys(value)
        parts.append(_rule(LEFT, y, WIDTH - RIGHT, y))
        parts.append(_text(LEFT - 8, y + 4, _number(value), "end"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, axis, "middle"))
    parts.append(
        f'<text transform="translate(14 {(TOP + HEIGHT - BOTTOM) / 2:g}) rotate(-90)" '
        f'text-anchor="middle">seconds</text>'
    )
    ends = sorted((ys(line[-1][1]), name) for name, line in lines.items())
    places: dict[str, float] = {}
    for y, name in ends:  # names that would overlap move down
        places[name] = max(y, max(places.values(), default=-math.inf) + 15)
    for colour, (name, line) in zip(COLOURS, lines.items(), strict=False):
        path = " ".join(f"{xs(x):.1f},{ys(y):.1f}" for x, y in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, y in line:
            parts.append(
                f'<circle cx="{xs(x):.1f}" cy="{ys(y):.1f}" r="3.5" fill="{colour}">'
                f"<title>{escape(name)}: {x:,g} {axis}, {y:g} s</title></circle>"
            )
        parts.append(
            f'<text x="{xs(line[-1][0]) + 10:.1f}" y="{places[name] + 4:.1f}" fill="{colour}">'
            f"{escape(name)}</text>"
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


class _Scale:
    """A logarithmic scale from the decades around some values to a range of pixels."""

    def __init__(self, values: Sequence[float], first: float, last: float) -> None:
        low, *_, high = _decades(values)
        self._low, self._span = math.log10(low), math.log10(high / low)
        self._first, self._length = first, last - first

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        return self._first + self._length * (math.log10(value) - self._low) / self._span


def _decades(values: Sequence[float]) -> list[float]:
    """Return the powers of ten from below the lowest value to above the highest, at least two."""
    low = math.floor(math.log10(min(values)))
    high = max(math.ceil(math.log10(max(values))), low + 1)
    return [10.0**power for power in range(low, high + 1)]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:.1f},{y1:.1f}L{x2:.1f},{y2:.1f}" stroke="#d1d5db" fill="none"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def main() -> None:
    """Write the pictures."""
    for name, picture in drawn().items():
        (PICTURES / name).write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
