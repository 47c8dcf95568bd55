"""No delivered value stops a build: what is too long is not read, and is listed."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from lumbung.settings import Settings
from lumbung.warehouse.build import build
from lumbung.warehouse.raw_checkpoint import check_raw
from tests.warehouse.conftest import Raw, query

HEX = random.Random(1).randbytes(6000).hex()
"""12 kB that do not compress: no index row holds them."""
DEEP = "".join(chr(point) for point in random.Random(2).choices(range(0x10000, 0x10FFFF), k=5000))
"""20 kB of characters outside the basic plane."""
TIP = {"Tanggal": "5 November 2024", "Lokasi": "Bangka", "Isu": "politik uang", "Uraian": "amplop"}
FORM = {"tanggal": "2024-11-05", "kode": "1901", "isu": "politik_uang"}

TIPS: dict[str, dict[str, Any]] = {
    "good": TIP,
    "theme of hex": TIP | {"Isu": HEX},
    "theme of planes": TIP | {"Isu": DEEP},
    "place of hex": TIP | {"Lokasi": f"Kec. Rangkui, {HEX}"},
    "place of separators": TIP | {"Lokasi": "Bangka" + " ,;/ " * 50_000},
    "place of 700 bytes": TIP | {"Lokasi": "Bangka" + " ,;/ " * 140},
    "place of 300 parts": TIP | {"Lokasi": "Bangka, " + "x, " * 300},
    "date of other digits": TIP | {"Tanggal": "٤٥٦٠٢"},
    "date of 20,000 digits": TIP | {"Tanggal": "4" * 20_000},
    "serial of 900 digits": TIP | {"Tanggal": "45602." + "9" * 900},
    "date of year 294277": TIP | {"Tanggal": "294277-01-01T00:00:00Z"},
    "date of year 9999": TIP | {"Tanggal": "9999-12-31T23:59:59Z"},
    "date of blanks": TIP | {"Tanggal": "5" + " " * 800 + "x"},
    "narrative of 1 MB": TIP | {"Uraian": "tes " * 250_000},
    "a number": TIP | {"Tanggal": 10**400, "Isu": 10**4_000},
    "nested": TIP | {"Isu": {"a": [{"b": HEX}]}, "Tanggal": [[["5 November 2024"]]]},
}
FORMS: dict[str, dict[str, Any]] = {
    "list of 100,000": FORM | {"isu": ["politik_uang"] * 100_000},
    "list of 100,000 nothings": FORM | {"isu": [None] * 100_000},
    "list of words": FORM | {"isu": "politik_uang " * 100_000},
    "list of one": FORM | {"isu": [HEX]},
    "code of hex": FORM | {"kode": HEX},
    "code of digits": FORM | {"kode": "1" * 900},
}
NUMBER = "/LP/PB/Kab/09.01/XI/2024"
ROWS: dict[str, dict[str, Any]] = {
    "good": {"Nomor": "001" + NUMBER, "Diterima": "2024-11-06", "Kab/Kota": "Bangka"},
    "words of hex": {
        "Nomor": "002" + NUMBER, "Diterima": "2024-11-06", "Kab/Kota": "Bangka",
        **dict.fromkeys(("Status", "Alasan", "Jabatan", "Jenis", "Diteruskan Ke", "Tindak Lanjut",
                         "Saat Kampanye", "Isu '23", "Kecamatan", "Desa", "Diketahui"), HEX),
    },
    "number of hex": {"Nomor": HEX, "Diterima": "2024-11-06", "Kab/Kota": "Bangka"},
    "number of digits": {
        "Nomor": "9" * 900 + NUMBER, "Diterima": "2024-11-06", "Kab/Kota": "Bangka",
    },
    "number of other digits": {
        "Nomor": "٠٠٧" + NUMBER, "Diterima": "2024-11-06", "Kab/Kota": "Bangka",
    },
    "receipt of hex": {"Nomor": "005" + NUMBER, "Diterima": HEX, "Kab/Kota": "Bangka"},
}  # fmt: skip
RECAP: dict[str, dict[str, Any]] = {
    "kind of hex": {"Tanggal": "2024-10-01", "Kode": "19.01", "Kegiatan": HEX},
    "good": {"Tanggal": "2024-10-01", "Kode": "19.01", "Kegiatan": "Nihil"},
}  # fmt: skip


@pytest.fixture(scope="module")
def url(new_warehouse: Callable[[], str], office: Settings) -> str:
    """Hostile deliveries beside good ones, through the raw checkpoint and a build."""
    url = new_warehouse()
    raw = Raw(url)
    for channel, rows in (("grup", TIPS), ("formulir", FORMS), ("buku", ROWS), ("rekap", RECAP)):
        raw.land(
            channel, list(rows.values()), ids=list(rows), received_at="2024-11-06T05:00Z",
            landed_at=datetime(2024, 11, 20, tzinfo=UTC),
        )  # fmt: skip
    check_raw(settings=office, database_url=url)
    build(settings=office, database_url=url)
    return url


def test_what_is_too_long_is_not_read_and_the_rest_counts(url: str) -> None:
    found = query(
        url,
        "select f.channel, source_id, f.regency_code, occurred_date::text, status_code,"
        " array_agg(issue_code order by issue_code) filter (where issue_code is not null)"
        " from marts.fct_report as f left join marts.bridge_report_issue using (report_id)"
        " inner join raw.record using (record_id) group by 1, 2, 3, 4, 5",
    )
    day = "2024-11-05"
    assert sorted(found, key=str) == sorted(
        [
            ("grup", "good", "19.01", day, None, ["PU"]),
            ("grup", "theme of hex", "19.01", day, None, None),
            ("grup", "theme of planes", "19.01", day, None, None),
            ("grup", "place of hex", "19.00", day, None, ["PU"]),
            ("grup", "place of separators", "19.00", day, None, ["PU"]),
            ("grup", "place of 700 bytes", "19.01", day, None, ["PU"]),
            ("grup", "place of 300 parts", "19.01", day, None, ["PU"]),
            ("grup", "date of other digits", "19.01", None, None, ["PU"]),
            ("grup", "date of 20,000 digits", "19.01", None, None, ["PU"]),
            ("grup", "serial of 900 digits", "19.01", None, None, ["PU"]),
            ("grup", "date of year 294277", "19.01", None, None, ["PU"]),
            ("grup", "date of year 9999", "19.01", None, None, ["PU"]),
            ("grup", "date of blanks", "19.01", None, None, ["PU"]),
            ("grup", "narrative of 1 MB", "19.01", day, None, ["PU"]),
            ("grup", "a number", "19.01", None, None, None),
            ("grup", "nested", "19.01", None, None, None),
            ("formulir", "list of 100,000", "19.01", day, None, None),
            ("formulir", "list of 100,000 nothings", "19.01", day, None, None),
            ("formulir", "list of words", "19.01", day, None, None),
            ("formulir", "list of one", "19.01", day, None, None),
            ("formulir", "code of hex", "19.00", day, None, ["PU"]),
            ("formulir", "code of digits", "19.00", day, None, ["PU"]),
            ("buku", "good", "19.01", None, None, None),
            ("buku", "words of hex", "19.01", None, None, None),
        ],
        key=str,
    )


def test_what_it_would_be_counted_by_excludes_a_delivery(url: str) -> None:
    found = query(
        url, "select channel, source_id, reason_code from intermediate.int_records__excluded"
    )
    assert sorted(found) == [
        ("buku", "number of digits", "unreadable_number"),
        ("buku", "number of hex", "value_too_long"),
        ("buku", "number of other digits", "unreadable_number"),
        ("buku", "receipt of hex", "value_too_long"),
        ("rekap", "kind of hex", "value_too_long"),
    ]


def test_what_is_too_long_is_listed_field_by_field(url: str) -> None:
    found = query(
        url,
        "select d.channel, d.source_id, i.detail from marts.fct_review_item as i"
        " inner join raw.record as d using (record_id) where check_code = 'value_too_long'",
    )
    words = ("status", "status_reason", "accused_role", "violation_type", "forwarded_to",
             "follow_up", "during_campaign_event", "issue", "district", "village",
             "known_date")  # fmt: skip
    assert sorted(found) == sorted(
        [
            ("grup", "theme of hex", "issue"),
            ("grup", "theme of planes", "issue"),
            ("grup", "place of hex", "regency"),
            ("grup", "place of hex", "district"),
            ("grup", "place of separators", "regency"),
            ("grup", "place of separators", "district"),
            ("grup", "date of 20,000 digits", "occurred_date"),
            ("grup", "narrative of 1 MB", "narrative"),
            ("grup", "a number", "issue"),
            ("grup", "nested", "issue"),
            ("formulir", "list of 100,000", "issue"),
            ("formulir", "list of 100,000 nothings", "issue"),
            ("formulir", "list of words", "issue"),
            ("formulir", "list of one", "issue"),
            ("formulir", "code of hex", "regency_code"),
            *(("buku", "words of hex", word) for word in words),
            ("buku", "number of hex", "not_counted"),
            ("buku", "receipt of hex", "not_counted"),
            ("rekap", "kind of hex", "not_counted"),
        ]
    )
