"""What an edition prints, before it is HTML, PDF or a workbook."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal


@dataclass(frozen=True)
class Cell:
    """What a table prints.

    Attributes:
        text: as printed.
        is_number: aligned right, in tabular metrics.
        metric: the frozen metrics behind it, `code/category/regency/period`, joined by spaces
            where the cell is their sum; empty for labels.
        behind: what the number counts, and how to trace it; empty for labels.
        value: the number as printed (a share for percents) or the day; None for labels and what
            is not known.
        places: its decimals.

    """

    text: str
    is_number: bool = False
    metric: str = ""
    value: int | Decimal | date | None = None
    behind: str = ""
    places: int = 0


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        groups: heads that span columns, as (text, columns).
        is_text: whether its columns hold words, and are as wide as these need.
        sheet, subject: in the workbook, tables of one sheet stand together on it, each row under
            its table's subject; empty: a sheet of its own.

    """

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
    sheet: str = ""
    subject: str = ""


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
        lead: sentences before all else.
        definitions: of each metric in its tables its name, its definition, its code and its
            categories by code.
        codes: what references are made of, by heading: code and name.

    """

    id: str
    title: str
    charts: list[Chart]
    tables: list[Table]
    paragraphs: list[str] = field(default_factory=list)
    is_page: bool = False
    definitions: list[tuple[str, str, str, list[tuple[str, str]]]] = field(default_factory=list)
    codes: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    lead: list[str] = field(default_factory=list)


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
    charts: list[Chart]
    glance: list[Table]
    contents_title: str
    sections: list[Section]
    press_title: str
    press_note: str
    definitions_title: str
    definitions_how: str
    definitions_codes: str
    definition_categories: str
    example: str
    footer: list[str]
    page: str
