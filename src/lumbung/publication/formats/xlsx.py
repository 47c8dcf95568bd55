"""An edition as a workbook: a sheet per table with real numbers and dates, contents, notes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from typing import Any

from lumbung.publication.model.document import Cell, Document, Table
from lumbung.publication.model.edition import Edition
from lumbung.publication.translations.formatting import messages_of
from lumbung.settings import JAKARTA


def workbook(edition: Edition, document: Document) -> bytes:
    """Return the tables of an edition as `.xlsx`, the same bytes for the same edition.

    Numbers are numbers, days are dates, moments are dates in WIB; unknown values are the text
    `n/a`, never 0. The headings of every sheet are frozen.
    """
    import xlsxwriter

    target = io.BytesIO()
    book = xlsxwriter.Workbook(
        target,
        # No temporary files; texts that begin with '=' or 'http' stay texts.
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
        self.m = messages_of(edition)
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
        self.moment = book.add_format({"num_format": "d mmm yyyy hh:mm", "align": "left"})
        self.formats = {
            (kind, is_total): book.add_format(
                {"num_format": kind, "bold": is_total, "align": "right"}
                | ({"top": 1} if is_total else {})
            )
            for kind in ("#,##0", "+#,##0;-#,##0;0", "0%", "#,##0.0", "#,##0.00")
            for is_total in (False, True)
        }
        self.days = {
            is_total: book.add_format(
                {"num_format": "d mmm yyyy", "align": "left"}
                | ({"bold": True, "top": 1} if is_total else {})
            )
            for is_total in (False, True)
        }
        self.label = {
            True: book.add_format({"bold": True, "top": 1}),
            False: book.add_format({"text_wrap": True, "valign": "top"}),
        }

    def write(self) -> None:
        """Write the sheets in order: contents, tables, shared sheets, trend, notes."""
        tables = self.d.tables
        self.contents(tables)
        for number, table in enumerate(tables):
            if not table.sheet:
                self.table(table)
            elif table.sheet not in {before.sheet for before in tables[:number]}:
                self.together([t for t in tables if t.sheet == table.sheet])
        self.trend()
        self.notes()

    def contents(self, tables: list[Table]) -> None:
        """Write title, status, contact, next edition, week and as-of (WIB); link each sheet."""
        sheet = self.book.add_worksheet(self.m["sheet_contents"])
        sheet.set_column(0, 0, 22)
        sheet.set_column(1, 1, 90)
        sheet.write_string(0, 0, self.d.title, self.title)
        d = self.d
        said = [d.publisher, d.subtitle, d.status, d.contact, d.next_edition]
        for row, text in enumerate(said, 1):
            sheet.write_string(row, 0, text)
        first, last = self.e.days_of(self.e.week_id)
        for row, (label, value, style) in enumerate(
            (
                (self.m["first_day"], first, self.days[False]),
                (self.m["last_day"], last, self.days[False]),
                (self.m["as_of_head"], _local(self.e.data_at), self.moment),
                (self.m["frozen_head"], _local(self.e.frozen_at), self.moment),
            ),
            7,
        ):
            sheet.write_string(row, 0, label)
            sheet.write_datetime(row, 1, value, style)
        names: dict[str, str] = {}
        for t in tables:
            names.setdefault(
                self.sheet_of(t), self.m[f"sheet_{t.sheet}_title"] if t.sheet else t.caption
            )
        rows = [*names.items()]
        rows += [
            (self.m["sheet_trend"], self.m["data_tren"]),
            (self.m["sheet_notes"], self.m["method_title"]),
        ]
        for row, (name, caption) in enumerate(rows, 12):
            sheet.write_url(row, 0, f"internal:'{name}'!A1", string=name)
            sheet.write_string(row, 1, caption, self.text)
        sheet.freeze_panes(1, 0)

    def table(self, table: Table) -> None:
        """Write a table on a sheet of its own."""
        sheet = self.book.add_worksheet(self.sheet_of(table))
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
        are_numbers = [bool(sample) and cell.is_number for cell in sample]
        for column, is_number in enumerate(are_numbers):
            sheet.set_column(column, column, 12 if is_number else 34)
        heads = _unique_heads(table)
        self.object(sheet, row, f"tabel_{table.number}", heads, are_numbers, len(table.rows))
        _print_on_paper(sheet, row)
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

    def sheet_of(self, table: Table) -> str:
        """Return the name of a table's sheet."""
        if table.sheet:
            return self.m[f"sheet_{table.sheet}"]
        return self.m("sheet", number=table.number)

    def together(self, tables: list[Table]) -> None:
        """Write tables of the same columns on one sheet; each row names its table's subject."""
        sheet = self.book.add_worksheet(self.sheet_of(tables[0]))
        sheet.write_string(0, 0, self.m[f"sheet_{tables[0].sheet}_title"], self.title)
        heads = [self.m["regency"], *tables[0].columns]
        are_numbers = [False, *(cell.is_number for cell in tables[0].rows[0])]
        for column, is_number in enumerate(are_numbers):
            sheet.set_column(column, column, 14 if is_number else 30)
        count = sum(len(table.rows) for table in tables)
        self.object(sheet, 2, f"lembar_{tables[0].sheet}", heads, are_numbers, count)
        _print_on_paper(sheet, 2)
        sheet.freeze_panes(3, 2)
        row = 2
        for table in tables:
            for cells in table.rows:
                row += 1
                for column, cell in enumerate([Cell(table.subject), *cells]):
                    self.cell(sheet, row, column, cell, False)
        for line in [*dict.fromkeys(n for t in tables for n in t.notes), tables[0].sheet_source]:
            row += 1
            sheet.write_string(row + 1, 0, line, self.quiet)

    def object(
        self,
        sheet: Any,
        row: int,
        name: str,
        heads: Sequence[str],
        are_numbers: Sequence[bool],
        count: int,
    ) -> None:
        """Make a table object of the heads in a row and the `count` rows below them."""
        clean = [head.replace("\u00ad", "") for head in heads]
        styles = [self.head if is_number else self.head_left for is_number in are_numbers]
        for column, (head, style) in enumerate(zip(clean, styles, strict=True)):
            sheet.write_string(row, column, head, style)
        if count:
            columns = [
                {"header": head, "header_format": style}
                for head, style in zip(clean, styles, strict=True)
            ]
            sheet.add_table(
                *(row, 0, row + count, len(clean) - 1),
                {"name": name.replace(".", "_"), "columns": columns, "style": None},
            )

    def cell(self, sheet: Any, row: int, column: int, cell: Cell, is_total: bool) -> None:
        """Write a number as number, a day as date, anything else as text."""
        if isinstance(cell.value, date):
            sheet.write_datetime(row, column, cell.value, self.days[is_total])
        elif cell.is_number and cell.value is not None:
            kind = "#,##0"
            if cell.metric.startswith("percent"):
                kind = "0%"
            elif cell.places:
                kind = f"#,##0.{'0' * cell.places}"
            elif cell.metric.endswith("/difference") or cell.metric.startswith("since/other"):
                kind = "+#,##0;-#,##0;0"
            sheet.write_number(row, column, cell.value, self.formats[kind, is_total])
        elif cell.is_number:
            sheet.write_string(row, column, cell.text, self.formats["#,##0", is_total])
        else:
            sheet.write_string(row, column, cell.text, self.label[is_total])

    def trend(self) -> None:
        """Write the province's weekly values, a row for each metric, category and week."""
        sheet = self.book.add_worksheet(self.m["sheet_trend"])
        names = self.m.category_names(self.e)
        heads = [self.m[key] for key in ("week", "first_day", "metric", "category", "value")]
        sheet.write_string(0, 0, self.m["data_tren"], self.title)
        sheet.set_column(0, 1, 13)
        sheet.set_column(2, 3, 40)
        _print_on_paper(sheet, 2)
        sheet.freeze_panes(3, 0)
        row = 2
        for (metric, category), values in sorted(self.e.trend.items()):
            texts = self.m.metrics[metric].name, names.get((metric, category), "")
            for week, value in values:
                row += 1
                sheet.write_string(row, 0, week)
                sheet.write_datetime(row, 1, self.e.days_of(week)[0], self.days[False])
                for column, text in enumerate(texts, 2):
                    sheet.write_string(row, column, text.replace("\u00ad", ""))
                sheet.write_number(row, 4, value, self.formats["#,##0", False])
        self.object(sheet, 2, "tren", heads, [False] * 4 + [True], row - 2)
        for sentence in self.m.short_weeks(self.e, self.e.weeks):
            row += 1
            sheet.write_string(row + 1, 0, sentence, self.quiet)

    def notes(self) -> None:
        """Write the method, and the definition of each metric."""
        sheet = self.book.add_worksheet(self.m["sheet_notes"])
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 1, 100)
        sheet.write_string(0, 0, self.m["method_title"], self.title)
        row = 1
        method = next(s for s in self.d.sections if s.id == "metode")
        for paragraph in [*method.paragraphs, self.d.contact]:
            row += 1
            sheet.merge_range(row, 0, row, 1, paragraph, self.text)
            sheet.set_row(row, 15 * (1 + len(paragraph) // 130))
        row += 2
        sheet.write_string(row, 0, self.m["metric"], self.head_left)
        sheet.write_string(row, 1, self.m["definition"], self.head_left)
        for metric in self.m.metrics.values():
            row += 1
            sheet.write_string(row, 0, metric.name, self.bold)
            sheet.write_string(row, 1, f"{metric.definition}.", self.text)
        sheet.freeze_panes(1, 0)


def _print_on_paper(sheet: Any, head_row: int) -> None:
    """Set a sheet up for A4 landscape, as wide as a page, its heads on each page."""
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(head_row)


def _unique_heads(table: Table) -> list[str]:
    """Return the heads of a table's columns; repeated ones with the heading that spans them."""
    spanning = [text for text, span in table.groups for _ in range(span)] or [""] * len(
        table.columns
    )
    repeated = {head for head in table.columns if table.columns.count(head) > 1}
    return [
        f"{group}: {head}" if group and head in repeated else head
        for group, head in zip(spanning, table.columns, strict=True)
    ]


def _local(value: Any) -> Any:
    """Return a moment in WIB without a time zone, as workbooks require."""
    return value.astimezone(JAKARTA).replace(tzinfo=None)
