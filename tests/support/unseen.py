"""What three offices hand in that nobody has seen: a workbook, a CSV file and a JSON API."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import Any

import xlsxwriter

PEOPLE = ("Warga Satu", "Warga Dua", "Warga Tiga", "Warga Empat", "Warga Lima")
"""Invented names: none may be found outside the vault."""


def workbook() -> bytes:
    """A book with a cover, a sheet per month, groups of columns, merged places and a signature."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        cover = book.add_worksheet("Petunjuk")
        cover.write(0, 0, "Cara mengisi")
        cover.write(1, 0, "Isi satu baris untuk setiap laporan.")
        day = book.add_format({"num_format": "dd mmmm yyyy"})
        months: dict[str, list[list[Any]]] = {
            "Okt": [
                ["001/LP/PB/Kab/09.03/X/2024", date(2024, 10, 3), "2 Oktober 2024", PEOPLE[0],
                 "0812-0000-0001", "Bangka Selatan", "Toboali", "Money politic, SARA", "amplop"],
                ["002/LP/PB/Kab/09.03/X/2024", date(2024, 10, 4), "3/10/24", PEOPLE[1],
                 "0812-0000-0002", "Bangka Selatan", "Airgegas", "Netralitas ASN", "hadir"],
            ],
            "Nov": [
                ["003/LP/PB/Kab/09.03/XI/2024", date(2024, 11, 6), "-", PEOPLE[2],
                 "0812-0000-0003", "Bangka Selatan", "Toboali", "Money politic", "sembako"],
            ],
        }  # fmt: skip
        for name, rows in months.items():
            sheet = book.add_worksheet(name)
            sheet.merge_range(0, 1, 0, 9, "BUKU AGENDA LAPORAN DUGAAN PELANGGARAN")
            sheet.merge_range(1, 1, 1, 9, f"Bulan {name} 2024")
            top = 3
            for column, label in (
                (1, "No. Urut"), (2, "No. Agenda Laporan"), (9, "Tema"), (10, "Ringkasan"),
            ):  # fmt: skip
                sheet.merge_range(top, column, top + 1, column, label)
            for column, label, below in (
                (3, "Waktu", ("Tgl. Terima", "Tgl. Peristiwa")),
                (5, "Yang Melapor", ("Nama Lengkap", "Kontak")),
                (7, "Lokasi Peristiwa", ("Kab./Kota", "Kec.")),
            ):
                sheet.merge_range(top, column, top, column + 1, label)
                sheet.write_row(top + 1, column, below)
            for number, row in enumerate(rows):
                line = top + 2 + number
                sheet.write(line, 1, number + 1)
                for column, cell in enumerate(row, 2):
                    if isinstance(cell, date):
                        sheet.write_datetime(line, column, cell, day)
                    else:
                        sheet.write(line, column, cell)
            sheet.write(top + 2 + len(rows), 1, f"Jumlah: {len(rows)} laporan")
            sheet.write(top + 5 + len(rows), 9, "Mengetahui,")
    return buffer.getvalue()


def table() -> bytes:
    """An agency's export: a line above the header, semicolons, Windows' characters."""
    return (
        "Ekspor Portal Aduan – 30/11/2024\r\n"
        "ID Tiket;Dikirim Pada;Nama Pengadu;Nomor WA;Kabupaten/Kota;Kecamatan;Topik;Isi Aduan\r\n"
        f"T-17;06/11/2024 10:15;{PEOPLE[3]};081200000004;Kota Pangkalpinang;Rangkui;"
        'politik uang|hoaks;"Amplop; di warung – sore"\r\n'
        "T-18;07/11/2024 08:00;;;Kab. Belitung;Membalong;APK;Baliho di pohon\r\n"
    ).encode("cp1252")


RECORDS: list[dict[str, Any]] = [
    {
        "ticket": f"R{number}",
        "submitted_at": 1_730_865_600 + number,
        "sender": {"full_name": PEOPLE[4], "msisdn": f"62812000001{number}"},
        "place": {"bps_regency": regency, "sub_district": district},
        "topics": topics,
        "message": "spanduk",
        "device": {"os": "x"},
    }
    for number, regency, district, topics in (
        (1, "1903", "Mentok", ["money politic", "netralitas ASN"]),
        (2, "1904", "Koba", []),
        (3, "1905", "Toboali", ["SARA"]),
    )
]


def api(query: dict[str, str]) -> dict[str, Any]:
    """A page of two records, the next one behind a token."""
    start = int(query.get("after", 0))
    following = start + 2 if start + 2 < len(RECORDS) else None
    return {
        "ok": True,
        "payload": {"reports": RECORDS[start : start + 2], "total": len(RECORDS)},
        "paging": {"after": None if following is None else str(following)},
    }


if __name__ == "__main__":
    print(json.dumps(api({})))
