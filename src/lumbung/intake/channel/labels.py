"""Labels of a source: how they are compared, and distinguished."""

from __future__ import annotations

from collections.abc import Container

from lumbung.intake.parsers.characters import folded

MAX_REMEMBERED = 4_000_000
"""Characters of labels that a pull remembers: whoever sends a delivery may make up its labels."""


def normalise(label: str) -> str:
    """The form in which labels are compared.

    Case, the amount of white space, and invisible, full-width or look-alike characters do not
    matter.
    """
    return " ".join(folded(label).split())


def distinct(label: str, taken: Container[str], reached: dict[str, int] | None = None) -> str:
    """A label that is not taken: itself, or `Label (2)`, `Label (3)` ...

    Args:
        label: the label.
        taken: those that cannot be given any more.
        reached: how far each label was counted. A source may repeat one label without end, and
            counting from 2 each time would take quadratic time.
    """
    reached = {} if reached is None else reached
    name, ordinal = label, reached.get(label, 1)
    while name in taken:
        ordinal += 1
        name = f"{label} ({ordinal})"
    reached[label] = ordinal
    return name
