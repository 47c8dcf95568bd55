"""A figure week by week as SVG, drawn with the page's own colours, so that it can turn dark.

360 px wide like the pictures of `charts`, and fixed in pixels for the same reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 360, 170
_TOP, _BOTTOM, _SIDE = 20, 22, 4


def columns(values: Sequence[tuple[str, str, int | None]], alt: str, *, top: int = 0) -> str:
    """One column per week, the last one accented; a week that is not known is left empty.

    Args:
        values: label beneath the column, words for the pointer, and count (None: not known).
        alt: what the picture shows, for those who do not see it.
        top: the count that fills the height where pictures share a scale; 0: the highest of these.

    """
    known = [value for _, _, value in values if value is not None]
    highest = max([1, top, *known])
    step = (WIDTH - 2 * _SIDE) / max(1, len(values))
    width = min(step * 0.74, 40)
    room = HEIGHT - _TOP - _BOTTOM
    base = HEIGHT - _BOTTOM
    every = max(1, -(-44 // int(max(1, step))))  # a label needs 44 px; the last is always there
    has_room = step >= 6.4 * len(str(highest)) + 4
    peak = known.index(max(known)) if known else -1
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="weekly" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{escape(alt)}">'
    ]
    seen = -1
    for n, (label, words, value) in enumerate(values):
        middle = _SIDE + step * (n + 0.5)
        is_last = n == len(values) - 1
        parts.append(f"<g><title>{escape(words)}</title>")
        if value is None:
            parts.append(f'<text class="quiet" x="{middle:.1f}" y="{base - 5}">–</text>')
        else:
            seen += 1
            height = room * value / highest
            parts.append(
                # the whole height answers to the pointer
                f'<rect class="reach" x="{middle - step / 2:.1f}" y="0" width="{step:.1f}" '
                f'height="{base}"/>'
                f'<rect class="{"last" if is_last else "bar"}" x="{middle - width / 2:.1f}" '
                f'y="{base - height:.1f}" width="{width:.1f}" height="{height:.1f}"/>'
            )
            if has_room or is_last or seen == peak:
                parts.append(
                    f'<text x="{middle:.1f}" y="{base - height - 5:.1f}"'
                    f"{' class=' + chr(34) + 'now' + chr(34) if is_last else ''}>{value}</text>"
                )
        if (len(values) - 1 - n) % every == 0:
            parts.append(
                f'<text class="quiet" x="{middle:.1f}" y="{HEIGHT - 6}">{escape(label)}</text>'
            )
        parts.append("</g>")
    parts.append(f'<path d="M0 {base + 0.5}H{WIDTH}"/></svg>')
    return "".join(parts)
