"""Channels and workbooks that the tests of intake make their cases from."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import xlsxwriter

from lumbung.intake.contract import Channel

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
    sheets: dict[str, Sequence[Sequence[Any]]],
    *,
    merges: dict[str, Sequence[tuple[int, int, int, int]]] | None = None,
    hidden: Sequence[str] = (),
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


HEADER = [
    ["No", "Nomor", "Tanggal", "", "Pelapor", "", "Kab/Kota", "Uraian"],
    ["", "", "Diterima", "Kejadian", "Nama", "No. HP", "", ""],
]
"""A header of two rows; merge `HEADER_MERGES` moved down by the rows above it."""


def header_merges(top: int) -> list[tuple[int, int, int, int]]:
    """The merged ranges of `HEADER` where it begins in row `top` (0 first)."""
    single = [(top, column, top + 1, column) for column in (0, 1, 6, 7)]
    return [*single, (top, 2, top, 3), (top, 4, top, 5)]
