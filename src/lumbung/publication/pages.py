"""What an edition prints, before it is HTML, PDF or a workbook."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Cell:
    """What a table prints.

    Attributes:
        text: as printed.
        is_number: aligned right, in tabular figures.
        figure: the frozen figures behind it, `code/category/regency/period`, joined by spaces
            where the cell is their sum; empty for labels.
        behind: what the number counts, and how to trace it; empty for labels.
        value: the number itself (a share for percents); None for labels and what is not known.

    """

    text: str
    is_number: bool = False
    figure: str = ""
    value: int | float | None = None
    behind: str = ""


@dataclass(frozen=True)
class Table:
    """A table; `groups` are heads that span columns, as (text, columns)."""

    number: int
    label: str
    caption: str
    columns: list[str]
    rows: list[list[Cell]]
    source: str
    groups: list[tuple[str, int]] = field(default_factory=list)
    total: list[Cell] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    is_text: bool = False


@dataclass(frozen=True)
class Chart:
    """A picture with a title that says what it shows."""

    number: int
    label: str
    title: str
    svg: str
    alt: str
    source: str
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Section:
    """A chapter: a heading and its tables, charts side by side first.

    Attributes:
        is_page: whether it has paper of its own.
        definitions: name and definition of each figure in its tables.

    """

    id: str
    title: str
    charts: list[Chart]
    tables: list[Table]
    paragraphs: list[str] = field(default_factory=list)
    is_page: bool = False
    definitions: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Document:
    """All that is printed, in order."""

    language: str
    publisher: str
    contact: str
    title: str
    subtitle: str
    status: str
    is_final: bool
    meta: list[str]
    points_title: str
    points: list[tuple[str, str]]
    sections: list[Section]
    press_title: str
    press_note: str
    definitions_title: str
    definitions_how: str
    footer: list[str]
    page: str
