"""The document of an edition: what is printed, independent of HTML, PDF or XLSX."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: as printed.
        is_number: aligned right, in tabular figures.
        metric: references of the frozen metrics it prints, `code/category/regency/period`; several
            references, joined by spaces, where the cell is their sum; empty for labels.
        value: the number as printed (a share for percents) or the day; None for labels and
            unknown values.
        explanation: what the number counts and how to trace it; empty for labels.
        places: its number of decimals.

    """

    text: str
    is_number: bool = False
    metric: str = ""
    value: int | Decimal | date | None = None
    explanation: str = ""
    places: int = 0


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        groups: headings that span columns, as (text, number of columns).
        is_text: whether its columns hold text and get the width that the text needs.
        printed: how many of its rows the PDF prints; 0: all.
        print_note: what the PDF says below a table of which it prints fewer rows.
        sheet, subject: in the workbook, tables with the same `sheet` share one sheet, and each of
            their rows names its table's `subject`; empty: a sheet of its own.
        sheet_source: the line below that sheet, which has all of its tables.

    """

    number: str
    label: str
    caption: str
    columns: list[str]
    rows: list[list[Cell]]
    source: str
    groups: list[tuple[str, int]] = field(default_factory=list)
    total: list[Cell] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    is_text: bool = False
    printed: int = 0
    print_note: str = ""
    sheet: str = ""
    subject: str = ""
    sheet_source: str = ""


@dataclass(frozen=True)
class Chart:
    """A chart with a title that states its finding."""

    number: int
    label: str
    title: str
    svg: str
    alt: str
    source: str
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Section:
    """A chapter: a heading, its charts side by side, its tables and paragraphs.

    Attributes:
        lead: sentences directly below the heading.
        definitions: for each metric in its tables: name, definition, code, and categories as pairs
            of code and name.
        codes: the codes that references consist of, by heading, as pairs of code and name.

    """

    id: str
    title: str
    charts: list[Chart]
    tables: list[Table]
    paragraphs: list[str] = field(default_factory=list)
    definitions: list[tuple[str, str, str, list[tuple[str, str]]]] = field(default_factory=list)
    codes: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    lead: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Document:
    """Everything that an edition prints, in order.

    Attributes:
        points: the main points, the most important first, each as a lead and the rest.
        decisions: what must be decided, as counts.
        needs: the table of prevention by theme; empty where the edition has none.
        bulletin: the chapters of the PDF, and the first of the page on screen.
        portal, files: where the portal and the edition's files are; empty without a portal.
        card: the address of its picture on the portal; empty without a portal, and of a draft.
        others: the points after the main ones; they and `sections` are the annex, which is on
            screen and in the workbook alone.

    """

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
    decisions_title: str
    decisions: list[str]
    needs: list[Table]
    charts: list[Chart]
    glance: list[Table]
    bulletin: list[Section]
    annex_title: str
    others_title: str
    others: list[tuple[str, str]]
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
    next_edition: str
    portal: str
    files: str
    card: str

    @property
    def tables(self) -> list[Table]:
        """Every table, in the order of the page."""
        chapters = [*self.bulletin, *self.sections]
        return [*self.needs, *self.glance, *(t for chapter in chapters for t in chapter.tables)]
