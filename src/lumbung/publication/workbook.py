"""An edition as a workbook: a sheet per table with real numbers and dates, contents, notes."""

from __future__ import annotations

import io
from typing import Any

from lumbung.publication import messages as m
from lumbung.publication.content import Edition, week_start
from lumbung.publication.pages import Cell, Document, Table
from lumbung.settings import JAKARTA

T = m.TEXT


def workbook(edition: Edition, document: Document) -> bytes:
    """The tables of an edition as `.xlsx`, the same bytes for the same edition.

    Numbers are numbers, days are dates, moments are dates in WIB; what is not known is the text
    `n/a`, never 0. The heads of every sheet stay in view.
    """
    import xlsxwriter

    target = io.BytesIO()
    book = xlsxwriter.Workbook(
        target,
        # No temporary files; and a text that begins with '=' or 'http' is a text.
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
    )
    book.set_properties(
        {
            "title": f"{document.title}, {document.subtitle}",
            "author": document.publisher,
            "comments": document.status,
            "created": edition.frozen_at.astimezone(JAKARTA).replace(tzinfo=None),
        }
    )
    _Writer(book, edition, document).write()
    book.close()
    return target.getvalue()


class _Writer:
    """Fills the sheets of one workbook."""

    def __init__(self, book: Any, edition: Edition, document: Document) -> None:
        self.book = book
        self.e = edition
        self.d = document
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self.text = book.add_format({"text_wrap": True, "valign": "top"})
        self.quiet = book.add_format({"font_color": "#555555"})
        self.head = book.add_format(
            {"bold": True, "text_wrap": True, "valign": "bottom", "bottom": 1, "align": "right"}
        )
        self.head_left = book.add_format({"bold": True, "valign": "bottom", "bottom": 1})
        self.group = book.add_format({"bold": True, "align": "center", "bottom": 4})
        self.day = book.add_format({"num_format": "d mmm yyyy", "align": "left"})
        self.moment = book.add_format({"num_format": "d mmm yyyy hh:mm", "align": "left"})
        self.formats = {
            (kind, is_total): book.add_format(
                {"num_format": kind, "bold": is_total, "align": "right"}
                | ({"top": 1} if is_total else {})
            )
            for kind in ("#,##0", "+#,##0;-#,##0;0", "0%")
            for is_total in (False, True)
        }
        self.label = {
            True: book.add_format({"bold": True, "top": 1}),
            False: book.add_format({"text_wrap": True, "valign": "top"}),
        }

    def write(self) -> None:
        tables = [table for section in self.d.sections for table in section.tables]
        self.contents(tables)
        for table in tables:
            self.table(table)
        self.trend()
        self.notes()

    def contents(self, tables: list[Table]) -> None:
        sheet = self.book.add_worksheet(T["sheet_contents"])
        sheet.set_column(0, 0, 22)
        sheet.set_column(1, 1, 90)
        sheet.write_string(0, 0, self.d.title, self.title)
        for row, text in enumerate([self.d.publisher, self.d.subtitle, self.d.status], 1):
            sheet.write_string(row, 0, text)
        for row, (label, value, style) in enumerate(
            (
                (T["first_day"], self.e.monday, self.day),
                (T["last_day"], self.e.sunday, self.day),
                (T["as_of_head"], _local(self.e.as_of), self.moment),
                (T["frozen_head"], _local(self.e.frozen_at), self.moment),
            ),
            5,
        ):
            sheet.write_string(row, 0, label)
            sheet.write_datetime(row, 1, value, style)
        rows = [(T["sheet"].format(number=t.number), t.caption) for t in tables]
        rows += [(T["sheet_trend"], T["data_trend"]), (T["sheet_notes"], T["method_title"])]
        for row, (name, caption) in enumerate(rows, 10):
            sheet.write_url(row, 0, f"internal:'{name}'!A1", string=name)
            sheet.write_string(row, 1, caption, self.text)
        sheet.freeze_panes(1, 0)

    def table(self, table: Table) -> None:
        sheet = self.book.add_worksheet(T["sheet"].format(number=table.number))
        sheet.write_string(0, 0, f"{table.label} {table.caption}", self.title)
        row = 2
        if table.groups:
            column = 0
            for text, span in table.groups:
                if text:
                    sheet.merge_range(row, column, row, column + span - 1, text, self.group)
                column += span
            row += 1
        sample = table.rows[0] if table.rows else table.total
        for column, head in enumerate(table.columns):
            is_number = bool(sample) and sample[column].is_number
            style = self.head if is_number else self.head_left
            sheet.write_string(row, column, head.replace("\u00ad", ""), style)
            sheet.set_column(column, column, 12 if is_number else 34)
        sheet.freeze_panes(row + 1, 1)
        for cells, is_total in [
            *((cells, False) for cells in table.rows),
            *([(table.total, True)] if table.total else []),
        ]:
            row += 1
            for column, cell in enumerate(cells):
                self.cell(sheet, row, column, cell, is_total)
        for line in [*table.notes, table.source]:
            row += 1
            sheet.write_string(row + 1, 0, line, self.quiet)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)

    def cell(self, sheet: Any, row: int, column: int, cell: Cell, is_total: bool) -> None:
        if cell.is_number and cell.value is not None:
            kind = "#,##0"
            if cell.figure.startswith("percent"):
                kind = "0%"
            elif cell.figure.endswith("/difference"):
                kind = "+#,##0;-#,##0;0"
            sheet.write_number(row, column, cell.value, self.formats[kind, is_total])
        elif cell.is_number:
            sheet.write_string(row, column, cell.text, self.formats["#,##0", is_total])
        else:
            sheet.write_string(row, column, cell.text, self.label[is_total])

    def trend(self) -> None:
        """The province's weeks: what the charts over time are drawn from."""
        sheet = self.book.add_worksheet(T["sheet_trend"])
        keys = sorted(self.e.trend)
        names = m.category_names(self.e)
        weeks = sorted({week for values in self.e.trend.values() for week, _ in values})
        sheet.write_string(0, 0, T["data_trend"], self.title)
        sheet.write_string(2, 0, T["week"], self.head_left)
        sheet.write_string(2, 1, T["monday"], self.head_left)
        sheet.set_column(0, 1, 13)
        sheet.set_column(2, 1 + len(keys), 16)
        sheet.freeze_panes(3, 2)
        for row, week in enumerate(weeks, 3):
            sheet.write_string(row, 0, week)
            sheet.write_datetime(row, 1, week_start(week), self.day)
        for column, key in enumerate(keys, 2):
            head = ": ".join(p for p in (m.FIGURES[key[0]].name, names.get(key)) if p)
            sheet.write_string(2, column, head.replace("\u00ad", ""), self.head)
            for week, value in self.e.trend[key]:
                sheet.write_number(
                    3 + weeks.index(week), column, value, self.formats["#,##0", False]
                )

    def notes(self) -> None:
        sheet = self.book.add_worksheet(T["sheet_notes"])
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 1, 100)
        sheet.write_string(0, 0, T["method_title"], self.title)
        row = 1
        method = next(s for s in self.d.sections if s.id == "metode")
        for paragraph in [*method.paragraphs, self.d.contact]:
            row += 1
            sheet.merge_range(row, 0, row, 1, paragraph, self.text)
            sheet.set_row(row, 15 * (1 + len(paragraph) // 130))
        row += 2
        sheet.write_string(row, 0, T["figure"], self.head_left)
        sheet.write_string(row, 1, T["definition"], self.head_left)
        for figure in m.FIGURES.values():
            row += 1
            sheet.write_string(row, 0, figure.name, self.bold)
            sheet.write_string(row, 1, f"{figure.definition}.", self.text)
        sheet.freeze_panes(1, 0)


def _local(value: Any) -> Any:
    """A moment as a workbook has it: WIB, without a zone."""
    return value.astimezone(JAKARTA).replace(tzinfo=None)
