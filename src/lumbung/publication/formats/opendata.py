"""An edition as open data: tables in long form, as CSV and JSON, with metadata and a dictionary.

Regions have Kemendagri and BPS codes with the scheme before them (`kemendagri:19.00`), days are ISO
8601, text is UTF-8, unknown values are empty. No file has periods that overlap.
The metadata are those that Satu Data Indonesia requires of a producer (Perpres 39/2019, articles
4-8): producer, content, time, method, codes and licence.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from lumbung.publication.chapters.handling import participants
from lumbung.publication.chapters.record import before_kinds, reason_text
from lumbung.publication.model.edition import QUOTIENT_PLACES, Edition
from lumbung.publication.model.rounding import half_up, whole_percent
from lumbung.publication.proof.merkle import merkle_root
from lumbung.publication.translations.formatting import INDONESIAN, Messages, iso, messages_of
from lumbung.warehouse.export import guarded

Value = str | int | float | bool | None
DICTIONARIES = {"id": "kamus-data.csv", "en": "en/data-dictionary.csv"}


@dataclass(frozen=True)
class Dataset:
    """A table of the open data."""

    name: str
    rows: list[tuple[Value, ...]]

    @property
    def fields(self) -> Sequence[tuple[str, str]]:
        """Name and type (`text`, `day`, `integer`, `number`, `boolean`) of its columns."""
        return _COLUMNS[self.name]

    @property
    def columns(self) -> list[str]:
        """The names of its columns."""
        return [name for name, _ in self.fields]


def files(edition: Edition) -> dict[str, bytes]:
    """Return the open data of an edition by file name.

    `data/*.csv` and `data.json` have the same content. A dictionary in each language of the office
    explains the columns. `metadata.json` describes the whole, with the sha256 of every other file.
    """
    tables = datasets(edition)
    result = {f"data/{t.name}.csv": write_csv(t.columns, t.rows) for t in tables}
    result["data.json"] = _records(edition.edition_id, tables)
    for language in edition.office.languages:
        result[DICTIONARIES[language]] = _dictionary(messages_of(edition, language))
    result["metadata.json"] = write_json(_metadata(edition, tables, result))
    return result


def content_root(edition: Edition) -> str:
    """Return the Merkle tree hash of the lines of `data.json`: of the header and each record.

    It is known before the edition is approved, so the PDF can print it.
    """
    return merkle_root(_records(edition.edition_id, datasets(edition)))


def _dictionary(m: Messages) -> bytes:
    """Return the data dictionary: the meaning of each column of each table."""
    return write_csv(
        [m["dictionary_file"], m["dictionary_column"], m["dictionary_type"], m["dictionary_means"]],
        [
            (
                f"data/{table}.csv",
                column,
                m[f"type_{kind}"],
                m[key if (key := f"{table}.{column}") in m else f"column.{column}"],
            )
            for table, columns in _COLUMNS.items()
            for column, kind in columns
        ],
    )


def datasets(edition: Edition) -> list[Dataset]:
    """Return the tables in the order of the dictionary, their rows in the order of their keys."""
    names = INDONESIAN.category_names(edition)
    places = {r.code: (r.bps_code, r.name) for r in edition.regencies}
    places[edition.area_code] = (edition.area_bps_code, edition.office.province)
    week = edition.days_of(edition.week_id)
    before = edition.monday - timedelta(days=7), edition.monday - timedelta(days=1)
    if len(edition.weeks) > 1:
        before = edition.days_of(edition.weeks[-2])
    periods: tuple[tuple[str, str, tuple[date, date]], ...] = (
        ("angka", "week", week),
        ("pekan-lalu", "previous", before),
        ("kumulatif", "to_date", (edition.first_day, week[1])),
    )
    metrics = [
        Dataset(
            name,
            [
                (
                    *(code, category, names.get((code, category), ""), regency),
                    *places.get(regency, (None, None)),  # the checkpoint reports missing places
                    *(first.isoformat(), last.isoformat(), getattr(metric, period)),
                )
                for (code, category, regency), metric in edition.metrics.items()
            ],
        )
        for name, period, (first, last) in periods
    ]
    groups = INDONESIAN.terms("issue_group")
    states = INDONESIAN.names("deadline_state")
    rules = edition.names["id"]["deadline_rule"]
    kinds = before_kinds(INDONESIAN)
    trend: list[tuple[Value, ...]] = [
        (code, category, week_id, edition.days_of(week_id)[0].isoformat(), value)
        for (code, category), values in sorted(edition.trend.items())
        for week_id, value in values
    ]
    known = [r for r in edition.regencies if not r.is_unknown]
    province = (
        *(edition.area_code, *places[edition.area_code]),
        *(sum(r.voters for r in known), sum(r.stations for r in known)),
    )
    tables = [
        *metrics,
        Dataset("tren", trend),
        Dataset(
            "wilayah",
            [
                province,
                *(
                    (
                        *(r.code, r.bps_code, r.name),
                        *((None, None) if r.is_unknown else (r.voters, r.stations)),
                    )
                    for r in edition.regencies
                ),
            ],
        ),
        Dataset(
            "kelengkapan",
            [
                (
                    *(s.district_code, s.district_name, s.regency_code, s.is_submitted),
                    s.last_week,
                )
                for s in edition.submissions
            ],
        ),
        Dataset(
            "kecamatan",
            [
                (
                    d.district_code,
                    d.district_name or INDONESIAN["unknown_place"],
                    d.regency_code,
                    d.group_code,
                    groups[d.group_code],
                    *(edition.district_weeks or ("", "")),
                    d.count,
                    d.count is None,
                )
                for d in edition.district_metrics
            ],
        ),
        Dataset(
            "rincian",
            [
                (
                    *(code, category, names.get((code, category), "")),
                    *(regency, *(edition.district_weeks or ("", ""))),
                    *(count, count is None),
                )
                for (code, category, regency), count in edition.details.items()
            ],
        ),
        Dataset("partisipasi", [*_participation(edition)]),
        Dataset(
            "ikp",
            [
                (
                    *(v.region_code, v.dimension, float(v.score), v.class_name, v.release),
                    *(v.release_date.isoformat() if v.release_date else None, v.source),
                )
                for v in edition.vulnerability
            ],
        ),
        Dataset(
            "sebelum-sesudah",
            [
                (
                    *(each.issue_code, edition.names["id"]["issue"][each.issue_code]),
                    *(each.activities, float(each.ratio), float(each.low), float(each.high)),
                )
                for each in edition.effects or ()
            ],
        ),
        Dataset(
            "tenggat",
            [
                (
                    *(d.rule_code, rules.get(d.rule_code, ""), edition.area_code),
                    *(d.state_code, states[d.state_code], d.count, d.before_campaign),
                )
                for d in edition.deadlines
            ],
        ),
        Dataset(
            "profil",
            [
                (
                    *(p.regency_code, p.issue_code, edition.names["id"]["issue"][p.issue_code]),
                    *(p.cases, p.base),
                    *(_whole(share) for share in (p.share, p.province_share)),
                    *(_rounded(p.quotient, QUOTIENT_PLACES), p.is_marked),
                    *(p.last_4, p.previous_4, INDONESIAN[p.trend_code]),
                )
                for p in edition.profiles
            ],
        ),
        Dataset(
            "kebutuhan",
            [
                (
                    *(n.regency_code, n.issue_code, edition.names["id"]["issue"][n.issue_code]),
                    *(n.cases, n.last_4, n.previous_4, INDONESIAN[n.trend_code], n.is_marked),
                    *(n.done, n.planned, n.fulfilled, n.gap, n.rule_code, n.suggestion),
                )
                for n in edition.needs
            ],
        ),
        Dataset(
            "agenda",
            [
                (
                    *(p.regency_code, p.start.isoformat(), p.end.isoformat(), p.form),
                    *(";".join(p.issue_codes), ";".join(p.groups), p.activities),
                )
                for p in edition.plans
            ],
        ),
        Dataset(
            "perubahan",
            [
                (
                    r.of_edition_id,
                    r.metric_code,
                    r.category_code,
                    r.regency_code,
                    {"week": "pekan", "to_date": "sejak_awal"}.get(r.period, r.period),
                    r.old,
                    r.new,
                    r.late,
                    r.edited,
                    r.withdrawn,
                    r.excluded,
                    r.recoded,
                    r.progressed,
                    r.published_value,
                    r.is_published,
                )
                for r in edition.restatements
            ],
        ),
        Dataset(
            "tidak-dihitung",
            [
                (
                    *(n.channel, n.channel_title, n.reason_code),
                    *(reason_text(edition, INDONESIAN, n.reason_code), n.week, n.to_date),
                )
                for n in edition.not_counted
            ],
        ),
        Dataset(
            "sebelum-kampanye",
            [
                (edition.area_code, kind, kinds[kind], count)
                for kind, count in (edition.before_campaign or {}).items()
            ],
        ),
    ]
    return [Dataset(table.name, coded(table.columns, table.rows)) for table in tables]


def coded(columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> list[tuple[Value, ...]]:
    """Return rows with the scheme before each code of a region, `kemendagri:19.00`.

    A spreadsheet would make the number 19 of `19.00`.
    """
    schemes = [_SCHEMES.get(column) for column in columns]
    return [
        tuple(
            f"{scheme}:{value}" if scheme and value else value
            for scheme, value in zip(schemes, row, strict=True)
        )
        for row in rows
    ]


_SCHEMES = {"kode_kemendagri": "kemendagri", "kode_kecamatan": "kemendagri", "kode_bps": "bps"}
"""Columns of codes of regions, and their scheme."""


def _participation(edition: Edition) -> Iterator[tuple[Value, ...]]:
    """Yield reports and tips of each regency and the province, also per 10,000 voters."""
    voters = {r.code: r.voters for r in edition.regencies}
    voters[edition.area_code] = sum(r.voters for r in edition.regencies if not r.is_unknown)
    for place in voters if edition.details and edition.district_weeks else ():
        both = participants(edition, place)
        rate = None
        if both is not None and voters[place]:
            rate = float(half_up(Fraction(10_000 * both, voters[place]), 1))
        yield (
            *(place, *(edition.district_weeks or ())),
            edition.details.get(("report_received", "LP", place)),
            edition.details.get(("tip", "ALL", place)),
            *(both, rate, both is None),
        )


_PLACE, _DISTRICT = ("kode_kemendagri", "text"), ("kode_kecamatan", "text")
_METRIC = (
    *(("kode_angka", "text"), ("kode_kategori", "text"), ("kategori", "text")),
    *(_PLACE, ("kode_bps", "text"), ("wilayah", "text")),
    *(("mulai", "day"), ("selesai", "day"), ("nilai", "integer")),
)
_COLUMNS: dict[str, tuple[tuple[str, str], ...]] = {
    "angka": _METRIC,
    "pekan-lalu": _METRIC,
    "kumulatif": _METRIC,
    "tren": (
        *(("kode_angka", "text"), ("kode_kategori", "text"), ("pekan", "text")),
        *(("mulai", "day"), ("nilai", "integer")),
    ),
    "wilayah": (
        *(_PLACE, ("kode_bps", "text"), ("wilayah", "text")),
        *(("pemilih", "integer"), ("tps", "integer")),
    ),
    "kelengkapan": (
        *(_DISTRICT, ("kecamatan", "text"), _PLACE),
        *(("menyampaikan", "boolean"), ("rekap_terakhir", "text")),
    ),
    "kecamatan": (
        *(_DISTRICT, ("kecamatan", "text"), _PLACE, ("kode_kelompok", "text")),
        *(("kelompok", "text"), ("pekan_pertama", "text"), ("pekan_terakhir", "text")),
        *(("jumlah", "integer"), ("disembunyikan", "boolean")),
    ),
    "rincian": (
        *(("kode_angka", "text"), ("kode_kategori", "text"), ("kategori", "text"), _PLACE),
        *(("pekan_pertama", "text"), ("pekan_terakhir", "text")),
        *(("jumlah", "integer"), ("disembunyikan", "boolean")),
    ),
    "partisipasi": (
        *(_PLACE, ("pekan_pertama", "text"), ("pekan_terakhir", "text")),
        *(("laporan", "integer"), ("informasi_awal", "integer"), ("jumlah", "integer")),
        *(("per_10000_pemilih", "number"), ("disembunyikan", "boolean")),
    ),
    "ikp": (
        *(_PLACE, ("dimensi", "text"), ("skor", "number"), ("kelas", "text")),
        *(("terbitan", "text"), ("tanggal_terbit", "day"), ("sumber", "text")),
    ),
    "sebelum-sesudah": (
        *(("kode_tema", "text"), ("tema", "text"), ("kegiatan", "integer")),
        *(("rasio", "number"), ("batas_bawah", "number"), ("batas_atas", "number")),
    ),
    "tenggat": (
        *(("kode_tenggat", "text"), ("tenggat", "text"), _PLACE),
        *(("kode_keadaan", "text"), ("keadaan", "text"), ("jumlah", "integer")),
        ("sebelum_kampanye", "integer"),
    ),
    "profil": (
        *(_PLACE, ("kode_tema", "text"), ("tema", "text"), ("kasus", "integer")),
        *(("semua_kasus", "integer"), ("bagian_persen", "integer")),
        *(("bagian_provinsi_persen", "integer"), ("kali_provinsi", "number")),
        ("menonjol", "boolean"),
        *(("empat_pekan", "integer"), ("empat_pekan_sebelumnya", "integer"), ("tren", "text")),
    ),
    "kebutuhan": (
        *(_PLACE, ("kode_tema", "text"), ("tema", "text"), ("kasus", "integer")),
        *(("empat_pekan", "integer"), ("empat_pekan_sebelumnya", "integer"), ("tren", "text")),
        *(("menonjol", "boolean"), ("kegiatan_empat_pekan", "integer")),
        *(("direncanakan", "integer"), ("terlaksana", "integer")),
        *(("kurang_dari_rencana", "integer"),),
        *(("kode_aturan", "text"), ("langkah_berikutnya", "text")),
    ),
    "agenda": (
        *(_PLACE, ("mulai", "day"), ("selesai", "day"), ("bentuk", "text")),
        *(("kode_tema", "text"), ("kelompok_sasaran", "text"), ("direncanakan", "integer")),
    ),
    "perubahan": (
        *(("edisi", "text"), ("kode_angka", "text"), ("kode_kategori", "text"), _PLACE),
        *(("periode", "text"), ("lama", "integer"), ("baru", "integer")),
        *(("terlambat", "integer"), ("dikoreksi", "integer"), ("ditarik", "integer")),
        *(("dikecualikan", "integer"), ("klasifikasi_diperbaiki", "integer")),
        ("perkembangan_status", "integer"),
        *(("disebut", "integer"), ("sudah_dimuat", "boolean")),
    ),
    "tidak-dihitung": (
        *(("kode_kanal", "text"), ("kanal", "text"), ("kode_alasan", "text"), ("alasan", "text")),
        *(("pekan_ini", "integer"), ("sejak_awal", "integer")),
    ),
    "sebelum-kampanye": (
        *(_PLACE, ("kode_jenis", "text"), ("jenis", "text"), ("jumlah", "integer")),
    ),
}
"""Name and type of each table's columns; titles and meanings are messages."""


def _metadata(
    edition: Edition, tables: list[Dataset], written: Mapping[str, bytes]
) -> dict[str, Any]:
    office = edition.office
    decision = edition.decision
    first, last = edition.days_of(edition.week_id)
    m, english = messages_of(edition, "id"), messages_of(edition, "en")
    in_english = english.category_names(edition)
    titles = {f"data/{t.name}.csv": m[f"data_{t.name}"] for t in tables}
    return {
        "judul": f"{m['title']}, {edition.week_id}",
        "deskripsi": m["data_description"],
        "bahasa": list(edition.office.languages),
        "produsen_data": office.name,
        "walidata": office.custodian,
        "kontak": {"nama": office.contact_name, "alamat": office.contact_url},
        "lisensi": {"kode": office.licence, "alamat": office.licence_url},
        "edisi": edition.edition_id,
        "revisi": edition.revision,
        "status": m.status(decision),
        "periode": {
            "pekan": edition.week_id,
            "mulai": first.isoformat(),
            "selesai": last.isoformat(),
            "sejak_awal": edition.first_day.isoformat(),
        },
        "keadaan_data": iso(edition.data_at),
        "data_dikunci": iso(edition.frozen_at),
        "disetujui": iso(decision.decided_at) if decision else None,
        "rancangan_diperiksa": dict(decision.reviewed) if decision else None,
        "pengecualian": [
            {
                "pemeriksaan": w.check_name,
                "oleh": w.waived_by,
                "alasan": w.reason,
                "berlaku_sampai": w.until.isoformat(),
            }
            for w in edition.waivers
        ],
        "edisi_sebelumnya": edition.previous_id,
        "frekuensi": m["data_frequency"],
        "cakupan_wilayah": {"kode_kemendagri": edition.area_code, "nama": office.province},
        "zona_waktu": m["data_zone"],
        "metode": m.method(edition),
        "angka": [
            {
                "kode": code,
                "nama": metric.name,
                "definisi": metric.definition,
                "nama_en": english.metrics[code].name,
                "definisi_en": english.metrics[code].definition,
                "satuan": metric.unit,
                "sumber": m[metric.source],
            }
            for code, metric in m.metrics.items()
        ],
        "kode_referensi": {
            "wilayah": [
                {"kode_kemendagri": r.code, "kode_bps": r.bps_code, "nama": r.name}
                for r in edition.regencies
            ],
            "kategori": [
                {
                    "kode_angka": code,
                    "kode": category,
                    "nama": name,
                    "nama_en": in_english[code, category],
                }
                for (code, category), name in m.category_names(edition).items()
            ],
        },
        "nilai_hash_isi_sha256": edition.content_hash,
        "berkas": [
            {
                "nama": name,
                "judul": titles.get(name, m["title"]),
                "bita": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
            for name, content in written.items()
        ],
    }


def _whole(percent: Fraction | None) -> int | None:
    return None if percent is None else int(whole_percent(percent))


def _rounded(value: Fraction | None, places: int) -> float | None:
    """Return the rounded number; the float's shortest form has exactly the printed digits."""
    return None if value is None else float(half_up(value, places))


def write_csv(
    heads: Sequence[str],
    rows: Sequence[Sequence[Value]],
    *,
    for_excel: bool = False,
) -> bytes:
    """Write CSV as in RFC 4180, UTF-8 without BOM.

    Texts that a spreadsheet would evaluate are `guarded`.

    Args:
        heads: the names of the columns.
        rows: the values.
        for_excel: for a spreadsheet set to Indonesian: semicolons, decimal commas and a BOM.

    """

    def cell(value: Value) -> Value:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float) and for_excel:
            return str(value).replace(".", ",")
        return guarded(value)

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n", delimiter=";" if for_excel else ",")
    writer.writerows([[cell(value) for value in row] for row in (heads, *rows)])
    return text.getvalue().encode("utf-8-sig" if for_excel else "utf-8")


def _records(edition_id: str, tables: list[Dataset]) -> bytes:
    """Write the tables as JSON, one record per line, without a second copy in memory."""
    target = io.BytesIO()
    target.write(f'{{"edisi": "{edition_id}",\n"metadata": "metadata.json"'.encode())
    for table in tables:
        columns = table.columns
        target.write(f',\n"{table.name}": ['.encode())
        for number, row in enumerate(table.rows):
            record = json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False)
            target.write(f"{',' if number else ''}\n{record}".encode())
        target.write(b"\n]")
    target.write(b"}\n")
    return target.getvalue()


def write_json(value: object) -> bytes:
    """Write indented JSON in UTF-8."""
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8")
