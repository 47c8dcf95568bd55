"""Rows typed to try the system: excluded where their cells say so, listed where some do."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest

from lumbung.settings import Settings
from lumbung.warehouse.build import build
from tests.warehouse.conftest import PROJECT, Raw, query

TEST, NEAR, REAL = "test_row", "possible_test_row", "counted"

ROWS: list[tuple[str, dict[str, str]]] = [
    # The whole narrative is a test word, or test words among words that say nothing.
    (TEST, {"Uraian": "tes"}),
    (TEST, {"Uraian": " UJI  coba."}),
    (TEST, {"Uraian": "coba-coba"}),
    (TEST, {"Uraian": "asdf"}),
    (TEST, {"Uraian": "tes input data 123"}),
    (TEST, {"Uraian": "ini hanya uji coba sistem pelaporan, mohon abaikan"}),
    (TEST, {"Uraian": "Pemeriksaan Tes"}),
    # No narrative, and two other cells say so.
    (TEST, {"Kab/Kota": "tes", "Isu": "tes", "Status": "tes"}),
    (TEST, {"Isu": "tes", "Jabatan": "test"}),
    (TEST, {"Kab/Kota": "tes", "Isu": "coba", "Uraian": "pembagian beras di rumah warga"}),
    # One cell says so, or one and a number that people type to try a form.
    (NEAR, {"Isu": "tes"}),
    (NEAR, {"Jabatan": "uji coba"}),
    (NEAR, {"Kecamatan": "tes", "Desa": "tes", "Uraian": "pembagian beras di rumah warga"}),
    (NEAR, {"Nomor": "999/LP/PB/Kab/09.01/XI/2024", "Isu": "tes"}),
    # Words that nobody knows stand beside: the score sinks with each, and excludes no more.
    (NEAR, {"Uraian": "tes laporan ini coba dari Budi"}),
    (NEAR, {"Uraian": "tes laporan ini coba dari Budi", "Isu": "tes"}),
    (NEAR, {"Uraian": "tes laporan ini coba dari Budi", "Isu": "tes saja Budi"}),
    (NEAR, {"Uraian": "data percobaan bimtek"}),
    (NEAR, {"Isu": "tes", "Jabatan": "operator uji coba Budi"}),
    (TEST, {"Isu": "tes", "Jabatan": "uji coba", "Uraian": "tes laporan dari Budi"}),
    # The word belongs to the matter.
    (REAL, {"Uraian": "Tes CPNS diwarnai pembagian uang oleh calon"}),
    (REAL, {"Uraian": "tes CPNS"}),
    (REAL, {"Uraian": "uji coba pemungutan suara di TPS 3 tanpa saksi"}),
    (REAL, {"Uraian": "Simulasi dan uji coba Sirekap"}),
    (REAL, {"Uraian": "warga protes di depan kantor camat"}),
    (REAL, {"Uraian": "contoh surat suara dibagikan kepada pemilih"}),
    (REAL, {"Uraian": "laporan"}),
    (REAL, {"Uraian": "tes urine calon tidak diumumkan"}),
    (REAL, {"Uraian": "contoh surat suara palsu beredar"}),
    (REAL, {"Uraian": "uji publik DPS tanpa saksi"}),
    (REAL, {"Uraian": "cek kosong dibagikan timses"}),
    (REAL, {"Uraian": "coba periksa TPS 5, ada amplop"}),
    (REAL, {"Uraian": "sample beras dibagi ke warga"}),
    (REAL, {"Uraian": "camat uji kompetensi guru sambil kampanye"}),
    (REAL, {"Uraian": "percobaan suap kepada PPK"}),
    (REAL, {"Uraian": "tes wawancara KPPS dimintai uang"}),
    (REAL, {"Uraian": "dari warga: coba cek gudang sembako itu"}),
    (REAL, {"Nomor": "999/TM/PB/Kab/09.01/XI/2024", "Isu": "politik uang"}),
    (REAL, {"Desa": "RT 999", "Isu": "politik uang"}),
    (REAL, {"Isu": "politik uang", "Jabatan": "Kepala Dinas"}),
]  # fmt: skip


def rows() -> list[dict[str, str]]:
    return [
        {"Nomor": f"{n:03}/LP/PB/Kab/09.01/XI/2024", "Diterima": "2024-11-06", "Kab/Kota": "Bangka"}
        | fields
        for n, (_, fields) in enumerate(ROWS, 1)
    ]


def honest() -> list[str]:
    """Narratives of honest reports that nothing was tuned on, whole and by their beginnings."""
    file = PROJECT / "benchmarks" / "corpus" / "links_held_out.jsonl"
    texts = [orjson.loads(line)["narrative"] for line in file.read_text().splitlines()]
    return [*texts, *(" ".join(text.split()[:6]) for text in texts)]


def judged(url: str) -> dict[str, str]:
    """What became of each row by its key."""
    return dict(
        query(
            url,
            "select t.source_id, case when t.exclusion_code is not null then t.exclusion_code"
            " when exists (select from marts.fct_review_item as i"
            " where i.delivery_id = t.delivery_id and i.check_code = 'possible_test_row')"
            " then 'possible_test_row' else 'counted' end"
            " from intermediate.int_records__typed as t",
        )
    )


@pytest.fixture(scope="module")
def url(new_warehouse: Callable[[], str], office: Settings) -> str:
    url = new_warehouse()
    Raw(url).land("buku", rows(), ids=[str(n) for n in range(len(ROWS))])
    honest_rows = [{"Uraian": text, "Diterima": "2024-11-06"} for text in honest()]
    raw = Raw(url)
    raw._hashes = iter(range(5000, 9000))  # type: ignore[assignment]
    raw.land("buku", honest_rows, ids=[f"jujur {n}" for n in range(len(honest_rows))])
    build(settings=office, database_url=url)
    return url


def test_rows_are_excluded_listed_or_counted_by_all_their_cells(url: str) -> None:
    found = judged(url)
    assert [(fields, found[str(n)]) for n, (_, fields) in enumerate(ROWS)] == [
        (fields, expected) for expected, fields in ROWS
    ]


def test_no_honest_report_is_taken_for_a_test(url: str) -> None:
    found = judged(url)
    assert [
        text for n, text in enumerate(honest()) if found[f"jujur {n}"] not in (REAL, "unknown_kind")
    ] == []
    scores = query(
        url,
        "select distinct test_score from intermediate.int_records__typed"
        " where source_id like 'jujur%%'",
    )
    assert scores == [(0,)]


def test_what_is_listed_is_counted(url: str) -> None:
    assert query(
        url,
        "select count(*) from intermediate.int_records__typed"
        " where exclusion_code is null and source_id not like 'jujur%%'",
    ) == [(sum(expected != TEST for expected, _ in ROWS),)]


def test_an_increment_judges_what_was_changed(url: str, office: Settings) -> None:
    """A test row is corrected, a real one becomes a test, a listed one is cleared."""
    raw = Raw(url)
    raw._hashes = iter(range(1000, 2000))  # type: ignore[assignment]
    changed = rows()
    changed[0]["Uraian"] = "pembagian beras di rumah warga"
    changed[10]["Isu"] = "politik uang"
    changed[-1]["Uraian"] = "uji coba"
    numbers = [0, 10, len(ROWS) - 1]
    raw.land("buku", [changed[n] for n in numbers], ids=[str(n) for n in numbers])
    assert not build(settings=office, database_url=url).is_full
    after = judged(url)
    assert [after[str(n)] for n in numbers] == [REAL, REAL, TEST]
