"""Channels and workbooks that the tests of intake make their cases from."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import xlsxwriter

from lumbung.intake.channel.models import Channel

OWNER = {"name": "Kantor Contoh", "email": "kantor@contoh.example.id"}

REGISTER: dict[str, Any] = {
    "name": "register_contoh",
    "title": "Register contoh",
    "owner": OWNER,
    "schedule": "0 5 * * *",
    "source": {"kind": "register"},
    "key": ["Nomor"],
    "personal": ["Pelapor / Nama", "Pelapor / No. HP"],
    "subject": ["Pelapor / No. HP", "Pelapor / Nama"],
    "kept": ["No"],
    "fields": {
        "register_number": {"from": "Nomor", "required": True},
        "received_date": {"from": "Tanggal / Diterima"},
        "occurred_date": {"from": "Tanggal / Kejadian"},
        "regency": {"from": ["Kab/Kota", "Kabupaten"]},
        "narrative": {"from": "Uraian"},
    },
}
CHAT: dict[str, Any] = {
    "name": "chat_contoh",
    "title": "Obrolan contoh",
    "owner": OWNER,
    "schedule": "0 5 * * *",
    "record_kind": "IA",
    "source": {"kind": "whatsapp", "marker": "ADUAN"},
    "personal": ["Pengirim", "Nama pelapor"],
    "subject": ["Pengirim"],
    "kept": ["Tanda"],
    "fields": {
        "occurred_date": {"from": "Tanggal"},
        "regency": {"from": "Lokasi"},
        "narrative": {"from": ["Uraian", "Teks"]},
    },
}
FORM: dict[str, Any] = {
    "name": "form_contoh",
    "title": "Formulir contoh",
    "owner": OWNER,
    "connection": "form_contoh",
    "schedule": "0 5 * * *",
    "record_kind": "IA",
    "source": {"kind": "kobo", "asset": "aContoh"},
    "personal": ["pemantau/nama"],
    "subject": ["pemantau/nama"],
    "fields": {
        "regency_code": {"from": "kejadian/kode_kab", "scheme": "bps"},
        "narrative": {"from": "kejadian/uraian"},
    },
}


def channel(model: dict[str, Any], **changes: Any) -> Channel:
    """One of the models above, changed."""
    return Channel.model_validate({**model, **changes})


def workbook(
    sheets: Mapping[str, Sequence[Sequence[Any]]],
    *,
    merges: Mapping[str, Sequence[tuple[int, int, int, int]]] | None = None,
    hidden: Sequence[str] = (),
    very_hidden: Sequence[str] = (),
    options: dict[str, Any] | None = None,
) -> bytes:
    """An xlsx of these sheets; a merged range keeps what its top-left cell holds."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, **(options or {})}) as book:
        dated = book.add_format({"num_format": "dd/mm/yyyy"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            if name in hidden:
                sheet.hide()
            if name in very_hidden:  # by a macro: no menu of Excel shows it
                sheet.very_hidden()
            for r1, c1, r2, c2 in (merges or {}).get(name, ()):
                sheet.merge_range(r1, c1, r2, c2, rows[r1][c1])
            for r, row in enumerate(rows):
                for c, cell in enumerate(row):
                    if hasattr(cell, "year"):
                        sheet.write_datetime(r, c, cell, dated)
                    elif isinstance(cell, str) and cell:
                        sheet.write_string(r, c, cell)
                    elif cell not in (None, ""):
                        sheet.write_number(r, c, cell)
    return buffer.getvalue()


def _archive(files: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return buffer.getvalue()


def ods(
    rows: Sequence[Sequence[Any]], *, merges: Sequence[tuple[int, int, int, int]] = ()
) -> bytes:
    """A sheet `S` as LibreOffice writes it (OpenDocument 1.3); rows that are empty are one."""
    spans = {(r1, c1): (r2 - r1 + 1, c2 - c1 + 1) for r1, c1, r2, c2 in merges}
    covered = {
        (r, c)
        for r1, c1, r2, c2 in merges
        for r in range(r1, r2 + 1)
        for c in range(c1, c2 + 1)
        if (r, c) != (r1, c1)
    }

    def cell(r: int, c: int, value: Any) -> str:
        if (r, c) in covered:
            return "<table:covered-table-cell/>"
        down, across = spans.get((r, c), (1, 1))
        span = f' table:number-rows-spanned="{down}" table:number-columns-spanned="{across}"'
        open = "<table:table-cell" + (span if (r, c) in spans else "")
        if isinstance(value, float):
            return f'{open} office:value-type="float" office:value="{value}"/>'
        text = f"<text:p>{escape(value)}</text:p>"
        return f'{open} office:value-type="string">{text}</table:table-cell>'

    lines, empty = [], 0
    for r, row in enumerate([*rows, ["end"]]):
        if not row:
            empty += 1
            continue
        if empty:
            lines.append(
                f'<table:table-row table:number-rows-repeated="{empty}">'
                '<table:table-cell table:number-columns-repeated="9"/></table:table-row>'
            )
            empty = 0
        if r < len(rows):
            given = "".join(cell(r, c, value) for c, value in enumerate(row))
            lines.append(f"<table:table-row>{given}</table:table-row>")
    cells = "".join(lines)
    spaces = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    body = f'<office:spreadsheet><table:table table:name="S">{cells}</table:table>'
    content = f"<office:document-content{spaces}><office:body>{body}</office:spreadsheet>"
    return _archive(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": "<manifest/>",
            "content.xml": f"{content}</office:body></office:document-content>",
        }
    )


def xlsb(rows: Sequence[Sequence[Any]]) -> bytes:
    """A sheet `S` as Excel writes it in binary ([MS-XLSB] 2.1.4: records of type, size, data)."""

    def record(kind: int, data: bytes = b"") -> bytes:
        head = b""
        for number in (kind, len(data)):  # seven bits a byte, the lowest first
            head += bytes([number & 127 | 128, number >> 7] if number > 127 else [number])
        return head + data

    def text(value: str) -> bytes:
        return struct.pack("<I", len(value)) + value.encode("utf-16-le")

    bundle = record(156, struct.pack("<II", 0, 1) + text("rId1") + text("S"))
    sheet = record(148, struct.pack("<IIII", 0, len(rows) - 1, 0, max(map(len, rows)) - 1))
    sheet += record(145)
    for number, row in enumerate(rows):
        sheet += record(0, struct.pack("<IIHBBBI", number, 0, 300, 0, 0, 0, 0))
        for column, cell in enumerate(row):
            place = struct.pack("<II", column, 0)
            if isinstance(cell, float):
                sheet += record(5, place + struct.pack("<d", cell))
            else:
                sheet += record(6, place + text(cell))
    base = "http://schemas.openxmlformats.org"
    relation = (
        f'<Relationship Id="rId1" Type="{base}/officeDocument/2006/relationships/worksheet"'
        ' Target="worksheets/sheet1.bin"/>'
    )
    return _archive(
        {
            "xl/workbook.bin": record(131) + bundle + record(144) + record(132),
            "xl/_rels/workbook.bin.rels": f'<Relationships xmlns="{base}/package/2006/'
            f'relationships">{relation}</Relationships>',
            "xl/worksheets/sheet1.bin": sheet + record(146),
        }
    )


HEADER = [
    ["No", "Nomor", "Tanggal", "", "Pelapor", "", "Kab/Kota", "Uraian"],
    ["", "", "Diterima", "Kejadian", "Nama", "No. HP", "", ""],
]
"""A header of two rows; merge `HEADER_MERGES` moved down by the rows above it."""


def header_merges(top: int) -> list[tuple[int, int, int, int]]:
    """The merged ranges of `HEADER` where it begins in row `top` (0 first)."""
    single = [(top, column, top + 1, column) for column in (0, 1, 6, 7)]
    return [*single, (top, 2, top, 3), (top, 4, top, 5)]
