"""The portal's open data: a time series over all editions, and tidy tables of each edition.

    data/deret-waktu.csv        every weekly metric of every edition, as first and as last published
    data/<edisi>/*.csv          the tables of an edition; data/terbaru/ are those of the latest
    data/excel/*.csv            the same for a spreadsheet set to Indonesian: semicolons and commas
    data/**/datapackage.json    columns, types, keys (Frictionless Data Package)
    data/terbaru/wilayah.geojson  the regencies with their metrics, where the office has boundaries
    data/edisi.json             the published editions and the addresses of their files
    data/katalog.jsonld         the catalogue (DCAT 2)
    data/metadata-statistik.json  MS-Keg, MS-Var and MS-Ind, which Satu Data requires (BPS 5/2020)

Each file of an edition as it was published is in `edisi/<edisi>/`, unchanged; editions of releases
before 0.2 have codes without their scheme and three periods in one file there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lumbung.publication.edition_id import week_of
from lumbung.publication.formats import opendata
from lumbung.publication.formats.opendata import Value, write_csv, write_json
from lumbung.publication.model.edition import Edition
from lumbung.publication.portal.published import Published
from lumbung.publication.translations.formatting import Messages, iso, messages_of

LATEST = "terbaru"
SERIES = "deret-waktu"
PACKAGE = "datapackage.json"
MAP = f"{LATEST}/wilayah.geojson"

ADDRESSES = {
    "series": f"{SERIES}.csv",
    "series_excel": f"excel/{SERIES}.csv",
    "latest": f"{LATEST}/{PACKAGE}",
    "map": MAP,
    "package": PACKAGE,
    "editions": "edisi.json",
    "catalogue": "katalog.jsonld",
    "statistics": "metadata-statistik.json",
}
"""What the page of downloads links to where it is written, within `data/`."""

_TYPES = {"text": "string", "day": "date"}
_PRIMARY = {
    "angka": ("kode_angka", "kode_kategori", "kode_kemendagri"),
    "pekan-lalu": ("kode_angka", "kode_kategori", "kode_kemendagri"),
    "kumulatif": ("kode_angka", "kode_kategori", "kode_kemendagri"),
    "tren": ("kode_angka", "kode_kategori", "pekan"),
    "wilayah": ("kode_kemendagri",),
    "kelengkapan": ("kode_kecamatan",),
    "tidak-dihitung": ("kode_kanal", "kode_alasan"),
    "rincian": ("kode_angka", "kode_kategori", "kode_kemendagri"),
    "partisipasi": ("kode_kemendagri",),
    "ikp": ("terbitan", "kode_kemendagri", "dimensi"),
    "sebelum-sesudah": ("kode_tema",),
    "tenggat": ("kode_tenggat", "kode_kemendagri", "kode_keadaan"),
    "profil": ("kode_kemendagri", "kode_tema"),
    "kebutuhan": ("kode_kemendagri", "kode_tema"),
    "sebelum-kampanye": ("kode_kemendagri", "kode_jenis"),
    SERIES: ("kode_angka", "kode_kategori", "kode_kemendagri", "pekan"),
    "definisi": ("kode_angka",),
    "kategori": ("kode_angka", "kode_kategori"),
    "edisi": ("edisi",),
}


@dataclass(frozen=True)
class Table:
    """A tidy table.

    Attributes:
        name: of the file, without its suffix.
        fields: name and type (`text`, `day`, `integer`, `number`, `boolean`) of each column.
        rows: values in the order of the fields.
        references: columns of this table and the table in which each names a row.

    """

    name: str
    fields: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[Value]]
    references: Sequence[tuple[tuple[str, ...], str]] = ()


def files(
    published: Sequence[Published], polygons: Mapping[str, Sequence[Any]]
) -> dict[str, bytes]:
    """Return the open data by path; the newest revision of the last week is `terbaru`.

    Args:
        published: editions by week and revision, at least one.
        polygons: of each regency by its code, in degrees; without any there is no map.

    """
    editions = [one.edition for one in published]
    latest = editions[-1]
    newest = [*_of(latest)]
    written = dict(_package("data", _all(editions, newest), latest, for_excel=True))
    written |= _package(f"data/{LATEST}", newest, latest, for_excel=True)
    for edition in editions:
        tables = newest if edition is latest else _of(edition)
        written |= _package(f"data/{edition.edition_id}", tables, edition)
    if polygons:
        written[f"data/{MAP}"] = _map(latest, polygons)
    written["data/edisi.json"] = write_json([_listed(one) for one in published])
    written["data/katalog.jsonld"] = write_json(catalogue(latest, newest))
    written["data/metadata-statistik.json"] = write_json(statistics(latest, newest))
    return written


def dataset(edition: Edition) -> dict[str, Any]:
    """Return the description of the time series for search engines (schema.org `Dataset`)."""
    office, base = edition.office, edition.office.portal_url or ""
    m = messages_of(edition, "id")
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": m["title"],
        "description": m["data_description"],
        "url": f"{base}unduhan.html",
        "license": office.licence_url,
        "inLanguage": list(office.languages),
        "isAccessibleForFree": True,
        "creator": {"@type": "GovernmentOrganization", "name": office.name},
        "spatialCoverage": office.province,
        "temporalCoverage": f"{edition.first_day}/{edition.sunday}",
        "dateModified": _published(edition),
        "distribution": [
            {
                "@type": "DataDownload",
                "encodingFormat": "text/csv",
                "contentUrl": f"{base}data/{SERIES}.csv",
            }
        ],
    }


def catalogue(edition: Edition, tables: Iterable[Table]) -> dict[str, Any]:
    """Return the catalogue of the portal's data in DCAT; the latest edition has these tables."""
    office, base = edition.office, edition.office.portal_url or ""
    m = messages_of(edition, "id")

    contact = {
        "@type": "vcard:Organization",
        "vcard:fn": office.contact_name,
        "vcard:hasURL": {"@id": office.contact_url},
    }

    def entry(path: str, title: str) -> dict[str, Any]:
        return {
            "@type": "dcat:Dataset",
            "dct:title": title,
            "dct:description": f"{title}. {m['data_description']}",
            "dct:identifier": f"{base}{path}",
            "dcat:contactPoint": contact,
            "dct:publisher": {"@type": "foaf:Agent", "foaf:name": office.name},
            "dct:license": {"@id": office.licence_url},
            "dct:modified": _published(edition),
            "dct:accrualPeriodicity": {
                "@id": "http://publications.europa.eu/resource/authority/frequency/WEEKLY"
            },
            "dct:spatial": office.province,
            "dcat:distribution": [
                {
                    "@type": "dcat:Distribution",
                    "dcat:downloadURL": {"@id": f"{base}{path}"},
                    "dcat:mediaType": {
                        "@id": "https://www.iana.org/assignments/media-types/text/csv"
                    },
                }
            ],
        }

    return {
        "@context": {
            "dcat": "http://www.w3.org/ns/dcat#",
            "dct": "http://purl.org/dc/terms/",
            "foaf": "http://xmlns.com/foaf/0.1/",
            "vcard": "http://www.w3.org/2006/vcard/ns#",
        },
        "@type": "dcat:Catalog",
        "dct:title": m["title"],
        "dct:description": m["data_description"],
        "dct:publisher": {"@type": "foaf:Agent", "foaf:name": office.name},
        "dcat:dataset": [
            entry(f"data/{SERIES}.csv", m[f"data_{SERIES}"]),
            *(
                entry(f"data/{LATEST}/{table.name}.csv", m[f"data_{table.name}"])
                for table in tables
            ),
        ],
    }


def statistics(edition: Edition, tables: Iterable[Table]) -> dict[str, Any]:
    """Return the metadata of the activity, variables and indicators in the terms of BPS.

    The fields are those of the forms MS-Keg, MS-Var and MS-Ind (Peraturan BPS 5/2020) for which an
    edition knows the answer; the variables are the columns of the latest edition's tables.
    """
    m, office = messages_of(edition, "id"), edition.office
    categories: dict[str, list[str]] = {}
    for (code, _), name in m.category_names(edition).items():
        categories.setdefault(code, []).append(name)
    return {
        "MS-Keg": {
            "judul_kegiatan": m["title"],
            "tahun": f"{edition.first_day.year}",
            "jenis_statistik": m["statistics_kind"],
            "cara_pengumpulan_data": m["statistics_collection"],
            "penyelenggara": office.name,
            "penanggung_jawab": office.custodian,
            "kontak": f"{office.contact_name}, {office.contact_url}",
            "tujuan": m["data_description"],
            "frekuensi": m["data_frequency"],
            "cakupan_wilayah": office.province,
            "metode": m.method(edition),
            "diseminasi": office.portal_url or office.contact_url,
        },
        "MS-Var": [
            {
                "nama_variabel": field["name"],
                "tabel": resource["name"],
                "definisi": field["description"],
                "tipe_data": field["type"],
                "referensi_waktu": m["data_zone"],
                "dapat_diakses_umum": True,
            }
            for resource in (_resource(table, m) for table in tables)
            for field in resource["schema"]["fields"]
        ],
        "MS-Ind": [
            {
                "kode": code,
                "nama_indikator": metric.name,
                "definisi": metric.definition,
                "metode_penghitungan": m["statistics_method"],
                "ukuran": m["statistics_measure"],
                "satuan": metric.unit,
                "klasifikasi_penyajian": categories.get(code, []),
                "sumber": m[metric.source],
                "indikator_komposit": False,
                "level_estimasi": m["statistics_level"],
                "dapat_diakses_umum": True,
            }
            for code, metric in m.metrics.items()
        ],
    }


def series(editions: Sequence[Edition]) -> Iterator[tuple[Value, ...]]:
    """Yield each metric, region and week once: its first and last published value.

    An edition publishes its own week, the province's earlier weeks, the week before it of each
    regency, and what it restates. Editions count in the order of their publication.
    """
    first: dict[tuple[str, str, str, str], tuple[int, str]] = {}
    last: dict[tuple[str, str, str, str], tuple[int, str]] = {}
    days: dict[str, tuple[str, str]] = {}
    for edition in sorted(editions, key=_published):
        for key, value in _weekly(edition):
            first.setdefault(key, (value, edition.edition_id))
            if key not in last or last[key][0] != value:
                last[key] = value, edition.edition_id
            if key[3] not in days:
                begin, end = edition.days_of(key[3])
                days[key[3]] = begin.isoformat(), end.isoformat()
    for key in sorted(first):
        yield (*key, *days[key[3]], *first[key], *last[key])


def _weekly(edition: Edition) -> Iterator[tuple[tuple[str, str, str, str], int]]:
    """Yield what an edition publishes about weeks: metric, category, region and week, and value."""
    weeks = edition.weeks
    for (code, category), values in edition.trend.items():
        for week, value in values:
            yield (code, category, edition.area_code, week), value
    for (code, category, region), metric in edition.metrics.items():
        if len(weeks) > 1 and metric.previous is not None:
            yield (code, category, region, weeks[-2]), metric.previous
        yield (code, category, region, edition.week_id), metric.week
    for r in edition.restatements:
        if r.period != "to_date":
            week = week_of(r.of_edition_id) if r.period == "week" else r.period
            yield (r.metric_code, r.category_code, r.regency_code, week), r.new


def _all(editions: Sequence[Edition], newest: Sequence[Table]) -> list[Table]:
    """Return the tables about all editions; `newest` are those of the latest edition."""
    latest = editions[-1]
    m, english = messages_of(latest, "id"), messages_of(latest, "en")
    revisions = {edition.week_id: edition.edition_id for edition in editions}
    names, in_english = m.category_names(latest), english.category_names(latest)
    return [
        Table(
            SERIES,
            (
                *(("kode_angka", "text"), ("kode_kategori", "text"), ("kode_kemendagri", "text")),
                *(("pekan", "text"), ("mulai", "day"), ("selesai", "day")),
                *(("nilai_pertama", "integer"), ("edisi_pertama", "text")),
                *(("nilai_terakhir", "integer"), ("edisi_terakhir", "text")),
            ),
            opendata.coded(("", "", "kode_kemendagri", *[""] * 7), series(editions)),
            (
                *((("kode_angka",), "definisi"), (("kode_kemendagri",), "wilayah")),
                *((("edisi_pertama",), "edisi"), (("edisi_terakhir",), "edisi")),
            ),
        ),
        Table(
            "definisi",
            (
                *(("kode_angka", "text"), ("nama", "text"), ("definisi", "text")),
                *(("satuan", "text"), ("nama_en", "text"), ("definisi_en", "text")),
            ),
            [
                (
                    *(code, metric.name, metric.definition, metric.unit),
                    *(english.metrics[code].name, english.metrics[code].definition),
                )
                for code, metric in m.metrics.items()
            ],
        ),
        Table(
            "kategori",
            (
                *(("kode_angka", "text"), ("kode_kategori", "text")),
                *(("kategori", "text"), ("kategori_en", "text")),
            ),
            [(*key, name, in_english[key]) for key, name in names.items()],
            ((("kode_angka",), "definisi"),),
        ),
        next(table for table in newest if table.name == "wilayah"),
        Table(
            "edisi",
            (
                *(("edisi", "text"), ("pekan", "text"), ("revisi", "integer")),
                *(("terbit", "text"), ("diganti_oleh", "text")),
            ),
            [
                (
                    *(edition.edition_id, edition.week_id, edition.revision, _published(edition)),
                    ""
                    if revisions[edition.week_id] == edition.edition_id
                    else revisions[edition.week_id],
                )
                for edition in editions
            ],
        ),
    ]


def _of(edition: Edition) -> Iterator[Table]:
    """Yield the tables of an edition; each that has regions names rows of `wilayah`."""
    for table in opendata.datasets(edition):
        has_region = table.name != "wilayah" and "kode_kemendagri" in table.columns
        references = ((("kode_kemendagri",), "wilayah"),) if has_region else ()
        yield Table(table.name, table.fields, table.rows, references)


def _map(edition: Edition, polygons: Mapping[str, Sequence[Any]]) -> bytes:
    """Return GeoJSON (RFC 7946): the regencies with the total of each metric.

    `<metric>` is the week's, `<metric>_sejak_awal` that since the campaign began.
    """
    codes = dict.fromkeys(code for code, category, _ in edition.metrics if category == "ALL")
    collection = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "MultiPolygon", "coordinates": polygons[region.code]}
                if region.code in polygons
                else None,
                "properties": {
                    "kode_kemendagri": f"kemendagri:{region.code}",
                    "wilayah": region.name,
                    "edisi": edition.edition_id,
                    "pekan": edition.week_id,
                }
                | {
                    f"{code}{suffix}": value
                    for code in codes
                    if (metric := edition.metrics.get((code, "ALL", region.code)))
                    for suffix, value in (("", metric.week), ("_sejak_awal", metric.to_date))
                },
            }
            for region in edition.regencies
        ],
    }
    return json.dumps(collection, ensure_ascii=False, separators=(",", ":")).encode()


def _package(
    folder: str, tables: Iterable[Table], edition: Edition, *, for_excel: bool = False
) -> Iterator[tuple[str, bytes]]:
    """Yield a folder's files: each table, `for_excel` in both forms, and their description."""
    office, resources, m = edition.office, [], messages_of(edition, "id")
    for table in tables:
        heads, rows = [field for field, _ in table.fields], table.rows
        yield f"{folder}/{table.name}.csv", write_csv(heads, rows)
        if for_excel:
            yield (
                f"{folder}/excel/{table.name}.csv",
                write_csv(heads, rows, for_excel=True),
            )
        resources.append(_resource(table, m))
    yield (
        f"{folder}/{PACKAGE}",
        write_json(
            {
                "profile": "tabular-data-package",
                "name": folder.replace("/", "-").lower(),
                "title": m["title"],
                "description": m["data_description"],
                "version": edition.edition_id,
                "created": _published(edition),
                "homepage": office.portal_url or office.contact_url,
                "licenses": [{"name": office.licence, "path": office.licence_url}],
                "contributors": [
                    {"title": office.name, "role": "publisher"},
                    {"title": office.custodian, "role": "maintainer"},
                ],
                "resources": resources,
            }
        ),
    )


def _resource(table: Table, m: Messages) -> dict[str, Any]:
    """Describe a table: its columns with types and meanings, its keys."""
    schema: dict[str, Any] = {
        "fields": [
            {
                "name": field,
                "type": _TYPES.get(kind, kind),
                "description": m[
                    key if (key := f"{table.name}.{field}") in m else f"column.{field}"
                ],
            }
            for field, kind in table.fields
        ],
        "missingValues": [""],
    }
    if table.name in _PRIMARY:
        schema["primaryKey"] = list(_PRIMARY[table.name])
    if table.references:
        schema["foreignKeys"] = [
            {
                "fields": list(columns),
                "reference": {"resource": other, "fields": list(_PRIMARY[other])},
            }
            for columns, other in table.references
        ]
    return {
        "profile": "tabular-data-resource",
        "name": table.name,
        "title": m[f"data_{table.name}"],
        "path": f"{table.name}.csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": schema,
    }


def _listed(one: Published) -> dict[str, Any]:
    edition = one.edition
    base = edition.office.portal_url or "../"
    return {
        "edisi": edition.edition_id,
        "pekan": edition.week_id,
        "revisi": edition.revision,
        "terbit": _published(edition),
        "halaman": f"{base}edisi/{edition.edition_id}/",
        "data": f"{base}data/{edition.edition_id}/{PACKAGE}",
        "berkas": [
            {
                "alamat": f"{base}edisi/{edition.edition_id}/{file.name}",
                "bita": file.byte_count,
                "sha256": file.sha256,
            }
            for file in one.files
        ],
    }


def _published(edition: Edition) -> str:
    """When the edition was approved, ISO 8601 in WIB."""
    return iso(edition.decision.decided_at) if edition.decision else ""
