"""An edition as open data: tables in long form, as CSV and JSON, with metadata and a dictionary.

Codes are Kemendagri's (with BPS's beside them), days ISO 8601, text UTF-8, an unknown value empty.
Metadata as Satu Data Indonesia asks of a producer (Perpres 39/2019, articles 4-8): who, what, when,
how, in which codes, under which licence.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lumbung.publication import messages as m
from lumbung.publication.content import PROVINCE, Edition, week_start

Value = str | int | bool | None


@dataclass(frozen=True)
class Dataset:
    """A table of the open data; `columns` are name, type and meaning."""

    name: str
    title: str
    columns: list[tuple[str, str, str]]
    rows: list[tuple[Value, ...]]


def files(edition: Edition) -> dict[str, bytes]:
    """The open data of an edition by file name.

    `data/*.csv` and `data.json` say the same; `kamus-data.csv` says what each column means,
    `metadata.json` what the whole is, with the sha256 of every other file.
    """
    tables = datasets(edition)
    result = {f"data/{t.name}.csv": _csv([c[0] for c in t.columns], t.rows) for t in tables}
    result["data.json"] = _json(
        {"edisi": edition.edition_id, "metadata": "metadata.json"}
        | {
            t.name: [dict(zip((c[0] for c in t.columns), row, strict=True)) for row in t.rows]
            for t in tables
        }
    )
    result["kamus-data.csv"] = _csv(
        ["berkas", "kolom", "tipe", "arti"],
        [(f"data/{t.name}.csv", *column) for t in tables for column in t.columns],
    )
    result["metadata.json"] = _json(_metadata(edition, tables, result))
    return result


def datasets(edition: Edition) -> list[Dataset]:
    """The tables, in the order of the dictionary; rows in the order of their keys."""
    names = m.category_names(edition)
    places = {r.code: (r.bps_code, r.name) for r in edition.regencies}
    places[PROVINCE] = (PROVINCE, m.TEXT["province_name"])
    monday = edition.monday
    figures: list[tuple[Value, ...]] = []
    for (code, category, regency), figure in edition.figures.items():
        for period, value, first in (
            ("pekan", figure.week, monday),
            ("pekan_lalu", figure.previous, monday - timedelta(days=7)),
            ("sejak_awal", figure.to_date, edition.first_monday),
        ):
            last = first + timedelta(days=6) if period != "sejak_awal" else edition.sunday
            figures.append(
                (
                    code,
                    category,
                    names.get((code, category), ""),
                    regency,
                    *places.get(regency, (None, None)),  # the gate tells which
                    period,
                    first.isoformat(),
                    last.isoformat(),
                    value,
                )
            )
    trend: list[tuple[Value, ...]] = [
        (code, category, week, week_start(week).isoformat(), value)
        for (code, category), values in sorted(edition.trend.items())
        for week, value in values
    ]
    return [
        Dataset("angka", m.TEXT["data_figures"], _FIGURE_COLUMNS, figures),
        Dataset("tren", m.TEXT["data_trend"], _TREND_COLUMNS, trend),
        Dataset(
            "kelengkapan",
            m.TEXT["complete_title"],
            _SUBMISSION_COLUMNS,
            [
                (s.district_code, s.district_name, s.regency_code, s.is_submitted)
                for s in edition.submissions
            ],
        ),
        Dataset(
            "kecamatan",
            m.TEXT["district_title"],
            _DISTRICT_COLUMNS,
            [
                (
                    d.district_code,
                    d.district_name or m.TEXT["unknown_place"],
                    d.regency_code,
                    d.group_code,
                    m.TEXT[f"group_{d.group_code}"],
                    *(edition.district_weeks or ("", "")),
                    d.to_date,
                    d.to_date is None,
                )
                for d in edition.district_figures
            ],
        ),
        Dataset(
            "perubahan",
            m.TEXT["restatement_title"],
            _RESTATEMENT_COLUMNS,
            [
                (
                    r.of_edition_id,
                    r.figure_code,
                    r.category_code,
                    r.regency_code,
                    {"week": "pekan", "to_date": "sejak_awal"}[r.period],
                    r.old,
                    r.new,
                    r.late,
                    r.edited,
                    r.withdrawn,
                    r.recoded,
                    r.is_told,
                )
                for r in edition.restatements
            ],
        ),
        Dataset(
            "tidak-dihitung",
            m.TEXT["not_counted_title"],
            _NOT_COUNTED_COLUMNS,
            [
                (n.channel, n.channel_title, n.reason_code, n.reason, n.week, n.to_date)
                for n in edition.not_counted
            ],
        ),
    ]


_CODE = ("kode_angka", "teks", "Kode angka; artinya di metadata.json, bagian angka")
_CATEGORY = ("kode_kategori", "teks", "Kode kategori angka itu; ALL bila tidak dirinci")
_FIGURE_COLUMNS = [
    _CODE,
    _CATEGORY,
    ("kategori", "teks", "Nama kategori; kosong bila tidak dirinci"),
    ("kode_kemendagri", "teks", "Kode wilayah Kemendagri; 19 = provinsi, 19.00 = belum terpetakan"),
    ("kode_bps", "teks", "Kode wilayah BPS; kosong bila belum terpetakan"),
    ("wilayah", "teks", "Nama wilayah"),
    ("periode", "teks", "pekan, pekan_lalu, atau sejak_awal masa kampanye"),
    ("mulai", "tanggal", "Hari pertama periode (WIB)"),
    ("selesai", "tanggal", "Hari terakhir periode (WIB)"),
    ("nilai", "bilangan bulat", "Jumlah; 0 = tidak ada kejadian, kosong = data tidak tersedia"),
]
_TREND_COLUMNS = [
    _CODE,
    _CATEGORY,
    ("pekan", "teks", "Pekan ISO 8601, misalnya 2024-W47"),
    ("mulai", "tanggal", "Hari Senin pekan itu (WIB)"),
    ("nilai", "bilangan bulat", "Jumlah seluruh provinsi pada pekan itu"),
]
_SUBMISSION_COLUMNS = [
    ("kode_kecamatan", "teks", "Kode kecamatan Kemendagri"),
    ("kecamatan", "teks", "Nama kecamatan"),
    ("kode_kemendagri", "teks", "Kode kabupaten/kota Kemendagri"),
    ("menyampaikan", "benar/salah", "Apakah rekap pekan ini sudah diterima"),
]
_DISTRICT_COLUMNS = [
    ("kode_kecamatan", "teks", "Kode kecamatan Kemendagri; kosong bila belum terpetakan"),
    ("kecamatan", "teks", "Nama kecamatan"),
    ("kode_kemendagri", "teks", "Kode kabupaten/kota Kemendagri"),
    ("kode_kelompok", "teks", "Kode kelompok tema"),
    ("kelompok", "teks", "Nama kelompok tema"),
    ("pekan_pertama", "teks", "Pekan ISO pertama yang dihitung"),
    ("pekan_terakhir", "teks", "Pekan ISO terakhir yang dihitung"),
    (
        "jumlah",
        "bilangan bulat",
        "Dugaan pelanggaran menurut tema dalam pekan-pekan itu; satu kasus dapat memuat "
        "beberapa tema; kosong bila disembunyikan",
    ),
    ("disembunyikan", "benar/salah", "Angka kecil, atau pelengkapnya, tidak diterbitkan"),
]
_RESTATEMENT_COLUMNS = [
    ("edisi", "teks", "Edisi terbit yang angkanya berubah"),
    _CODE,
    _CATEGORY,
    ("kode_kemendagri", "teks", "Kode wilayah Kemendagri; 19 = provinsi"),
    ("periode", "teks", "pekan atau sejak_awal, dari pekan edisi itu"),
    ("lama", "bilangan bulat", "Nilai dalam edisi itu"),
    ("baru", "bilangan bulat", "Nilai sekarang"),
    ("terlambat", "bilangan bulat", "Perubahan karena kiriman yang masuk kemudian"),
    ("dikoreksi", "bilangan bulat", "Perubahan karena kiriman dikoreksi oleh sumbernya"),
    ("ditarik", "bilangan bulat", "Perubahan karena kiriman ditarik oleh sumbernya"),
    ("dikode_ulang", "bilangan bulat", "Perubahan karena pembacaan atau kode diperbaiki"),
    ("sudah_dimuat", "benar/salah", "Sudah dimuat dalam edisi pekan sebelumnya"),
]
_NOT_COUNTED_COLUMNS = [
    ("kode_kanal", "teks", "Kode kanal penerimaan"),
    ("kanal", "teks", "Nama kanal penerimaan"),
    ("kode_alasan", "teks", "Kode alasan tidak dihitung"),
    ("alasan", "teks", "Alasan tidak dihitung"),
    ("pekan_ini", "bilangan bulat", "Jumlah kiriman pekan ini"),
    ("sejak_awal", "bilangan bulat", "Jumlah kiriman sejak awal"),
]


def _metadata(
    edition: Edition, tables: list[Dataset], written: Mapping[str, bytes]
) -> dict[str, Any]:
    office = edition.office
    decision = edition.decision
    return {
        "judul": f"{m.TEXT['title']}, {edition.week_id}",
        "deskripsi": m.TEXT["data_description"],
        "bahasa": edition.language,
        "produsen_data": office.name,
        "walidata": office.custodian,
        "kontak": {"nama": office.contact_name, "alamat": office.contact_url},
        "lisensi": {"kode": office.licence, "alamat": office.licence_url},
        "edisi": edition.edition_id,
        "revisi": edition.revision,
        "status": m.status(decision),
        "periode": {
            "pekan": edition.week_id,
            "mulai": edition.monday.isoformat(),
            "selesai": edition.sunday.isoformat(),
            "sejak_awal": edition.first_monday.isoformat(),
        },
        "keadaan_data": m.iso(edition.as_of),
        "dibekukan": m.iso(edition.frozen_at),
        "disetujui": m.iso(decision.decided_at) if decision else None,
        "pengecualian": [
            {
                "pemeriksaan": w.check_name,
                "oleh": w.waived_by,
                "alasan": w.reason,
                "berlaku_sampai": w.until.isoformat(),
            }
            for w in edition.waivers
        ],
        "frekuensi": "mingguan, Senin pukul 06.00 WIB",
        "cakupan_wilayah": {"kode_kemendagri": PROVINCE, "nama": m.TEXT["province_name"]},
        "zona_waktu": "Asia/Jakarta (WIB, UTC+7)",
        "metode": m.method(edition),
        "angka": [
            {
                "kode": code,
                "nama": figure.name,
                "definisi": figure.definition,
                "satuan": figure.unit,
                "sumber": m.TEXT[figure.source],
            }
            for code, figure in m.FIGURES.items()
        ],
        "kode_referensi": {
            "wilayah": [
                {"kode_kemendagri": r.code, "kode_bps": r.bps_code, "nama": r.name}
                for r in edition.regencies
            ],
            "kategori": [
                {"kode_angka": code, "kode": category, "nama": name}
                for (code, category), name in m.category_names(edition).items()
            ],
        },
        "sidik_isi_sha256": edition.content_hash,
        "berkas": [
            {
                "nama": name,
                "judul": next(
                    (t.title for t in tables if name == f"data/{t.name}.csv"), m.TEXT["title"]
                ),
                "bita": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
            for name, content in written.items()
        ],
    }


def _csv(heads: list[str], rows: list[tuple[Value, ...]]) -> bytes:
    """RFC 4180, UTF-8 without a mark; true and false as `benar` and `salah`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(heads)
    writer.writerows([[_WORDS.get(v, v) if isinstance(v, bool) else v for v in r] for r in rows])
    return text.getvalue().encode("utf-8")


_WORDS = {True: "benar", False: "salah"}


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8")
