"""Hand-made records through the whole build, held against facts worked out by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from lumbung import registry
from lumbung.settings import Settings
from lumbung.warehouse.build import BuildResult, build
from tests.warehouse.conftest import Raw, query

# As an office writes it -> the day it means; None is "cannot be read"; docs/explanation/dates.md.
DATES: dict[str, str | None] = {
    "2024-11-06": "2024-11-06",
    "2024-11-06T00:00:00": "2024-11-06",
    "2024-11-06 13:45:00": "2024-11-06",
    "2024-11-06T18:30:00Z": "2024-11-07",  # already the next day in Jakarta
    "2024-11-07T00:30:00+07:00": "2024-11-07",
    "2024-11-06 18:30:00+00:00": "2024-11-07",
    "2024-11-06 18:30:00Z": "2024-11-07",
    "2024-11-06 18:30:00 UTC": "2024-11-07",
    "2024-11-06T18:30:00+00": "2024-11-07",
    "2024-11-06T18:30:00.250Z": "2024-11-07",
    "2024-11-06 18:30:00 WIB": "2024-11-06",
    "2024-11-06 22:15-23:30": "2024-11-06",  # from ... to, no zone
    "45602": "2024-11-06",
    "45602.75": "2024-11-06",
    "Rabu, 14 Februari 2024": "2024-02-14",
    "14-02-2024": "2024-02-14",
    "14/2/24": "2024-02-14",
    "14.02.2024": "2024-02-14",
    "14 Feb 2024": "2024-02-14",
    "tgl 14 Pebruari 2024": "2024-02-14",
    "Tgl. 14 Februari 2024": "2024-02-14",
    "tanggal 14 Pebruari 2024": "2024-02-14",
    "Rabu, 6 Nopember 2024": "2024-11-06",
    "RABU, 6 NOPEMBER 2024": "2024-11-06",
    " rabu  6  nop  2024 ": "2024-11-06",
    "Jum'at, 8 November 2024": "2024-11-08",
    "Jumat 8 Nov. 2024": "2024-11-08",
    "Hari Minggu, tanggal 10 Nopember 2024": "2024-11-10",
    "6-Nov-24": "2024-11-06",
    "6 November 2024 pukul 19.33 WIB": "2024-11-06",
    "06/11/2024 19:33": "2024-11-06",
    "06/XI/2024": "2024-11-06",
    "12 s.d. 14 Februari 2024": "2024-02-12",
    "12 s/d 14 Februari 2024": "2024-02-12",
    "12-14 Februari 2024": "2024-02-12",
    "30 Oktober s.d. 2 November 2024": "2024-10-30",
    "31/12/2024": "2024-12-31",
    "29 Februari 2024": "2024-02-29",
    # not days of the calendar, or not dates
    "31 September 2024": None,
    "31/02/2024": None,
    "29 Februari 2023": None,
    "13/13/2024": None,
    "32 Oktober 2024": None,
    "0/11/2024": None,
    "Nopember 2024": None,
    "6 Nopermber 2024": "2024-11-06",
    "kemarin": None,
    "1-2-3-4": None,
    "2024": None,
    "6 November 20244": None,
}
BLANK = ["-", "nihil", "NIHIL", "Tdk Th", "0", " - ", "tidak tahu"]

# (Kab/Kota, Kecamatan) as written -> (regency, district, method)
NAMED: dict[tuple[str | None, str | None], tuple[str, str | None, str]] = {
    ("Bangka", "Sungailiat"): ("19.01", "19.01.01", "regency_name"),
    ("KAB. BANGKA BARAT", "Mentok"): ("19.05", "19.05.01", "regency_name"),
    ("Kabupaten  Bangka   Selatan", "Air Gegas"): ("19.03", "19.03.03", "regency_name"),
    ("babar", "Kec. Muntok"): ("19.05", "19.05.01", "regency_name"),
    ("Basel", "Lepar Pongok"): ("19.03", "19.03.02", "regency_name"),
    ("Pangkal Pinang", "Kecamatan Taman  Sari"): ("19.71", "19.71.02", "regency_name"),
    ("Kota Pangkalpinang", "TAMANSARI"): ("19.71", "19.71.02", "regency_name"),
    ("PGK", None): ("19.71", None, "regency_name"),
    ("Belitung Timur", "Kelapa Kampit"): ("19.06", "19.06.04", "regency_name"),
    ("Belitung", "Tanjung Pandan"): ("19.02", "19.02.01", "regency_name"),
    ("Kec. Rangkui, Pangkal Pinang", None): ("19.71", "19.71.04", "regency_name"),
    ("Kec. Sp. Teritip, Kab. Bangka Barat", "-"): ("19.05", "19.05.02", "regency_name"),
    # a regency and a district of another one: a person has to look
    ("Belitung", "Manggar"): ("19.00", None, "contradictory"),
    ("Kec. Manggar, Belitung", None): ("19.00", None, "contradictory"),
    ("Bangka", "Toboali"): ("19.00", None, "contradictory"),
    # a name that is a district elsewhere is the village where that agrees
    ("Bangka Barat", "Dendang"): ("19.05", "19.05.04", "regency_name"),
    # one regency of another province, which has a district of a name that is also here
    ("Jakarta Barat", "Taman Sari"): ("19.00", None, "contradictory"),
    ("Kab/Kota: Belitung", "kec_sijuk"): ("19.02", "19.02.04", "regency_name"),
    ("Babel", "Bangka Tengah"): ("19.04", None, "regency_name"),
    ("Babel", "19.05.01 Mentok"): ("19.05", "19.05.01", "regency_code"),
    ("Babel", "19.05.01 Toboali"): ("19.00", None, "contradictory"),
    ("depan kantor camat Koba, Bateng", None): ("19.04", "19.04.01", "regency_name"),
    ("Jl. Raya Koba - Toboali", None): ("19.00", None, "unresolved"),  # a street's name
    # 'Bangka' is no name to find in a slip of the pen; one letter makes it Bangka Barat
    ("Bangka Brat", None): ("19.05", None, "slip"),
    ("Bangka Sltn", "Air Gegas"): ("19.03", "19.03.03", "regency_name"),
    ("Bangka Utara", None): ("19.00", None, "unresolved"),
    # the word before a name decides its level
    ("Desa Dendang", None): ("19.00", None, "ambiguous"),
    ("Kec. Dendang", None): ("19.06", "19.06.03", "district_name"),
    ("Kec. Kelapa Bangka Barat", None): ("19.05", "19.05.04", "regency_name"),
    ("Bangka Barat/Selatan", None): ("19.00", None, "contradictory"),
    # a district's name stands for its regency where no regency is said
    ("Sungailiat", None): ("19.01", "19.01.01", "district_name"),
    ("-", "Mentok"): ("19.05", "19.05.01", "district_name"),
    # a code in a column for names: the two systems agree on 1901, and not on 1903 and 1905
    ("1901", None): ("19.01", None, "bare_code"),
    ("1971", None): ("19.71", None, "bare_code"),
    ("1903", None): ("19.00", None, "ambiguous"),
    ("1905", "-"): ("19.00", None, "ambiguous"),
    # with its dot it is Kemendagri's notation
    ("19.03", None): ("19.03", None, "regency_code"),
    ("1903", "Koba"): ("19.00", None, "contradictory"),  # neither of the two has a Koba
    ("1903", "Mentok"): ("19.05", "19.05.01", "district_name"),
    ("Bangka / Belitung", None): ("19.00", None, "contradictory"),
    # nothing that is known for certain
    ("Kota Bangka", None): ("19.00", None, "unresolved"),
    ("Bangka Belitung", None): ("19.00", None, "unresolved"),
    ("Prov. Kep. Bangka Belitung", None): ("19.00", None, "unresolved"),
    ("dekat pasar lama", "gang sebelah"): ("19.00", None, "unresolved"),
    ("3203", None): ("19.00", None, "unresolved"),
    (None, None): ("19.00", None, "not_said"),
}
# (channel, payload) -> (regency, district, method)
CODED: list[tuple[str, dict[str, Any], tuple[str, str | None, str]]] = [
    ("rekap", {"Kode": "19.05", "Kecamatan": "Mentok"}, ("19.05", "19.05.01", "regency_code")),
    ("rekap", {"Kode": 1905, "Kecamatan": "Jebus"}, ("19.05", "19.05.03", "regency_code")),
    ("rekap", {"Kode": 19.03, "Kecamatan": "Toboali"}, ("19.03", "19.03.01", "regency_code")),
    ("rekap", {"Kode": "1903", "Kecamatan": "Mentok"}, ("19.00", None, "contradictory")),
    ("rekap", {"Kode": "1905.0", "Kecamatan": "Jebus "}, ("19.05", "19.05.03", "regency_code")),
    ("rekap", {"Kode": "1999", "Kecamatan": "-"}, ("19.00", None, "unresolved")),
    ("formulir", {"kode": "1905", "kecamatan": "Toboali"}, ("19.03", "19.03.01", "regency_code")),
    ("formulir", {"kode": "1903", "kecamatan": "Jebus"}, ("19.05", "19.05.03", "regency_code")),
    ("formulir", {"kode": "1903", "isu": "logistik"}, ("19.05", None, "regency_code")),
    ("tanpa_skema", {"kode": "1903"}, ("19.00", None, "ambiguous")),
    ("tanpa_skema", {"kode": "1905"}, ("19.00", None, "ambiguous")),
    ("tanpa_skema", {"kode": "1904"}, ("19.04", None, "bare_code")),
    ("tanpa_skema", {"kode": "1903", "nama": "Babar"}, ("19.05", None, "regency_name")),
]


def case(number: str, received: Any = "Rabu, 6 Nopember 2024", **fields: Any) -> dict[str, Any]:
    """A row of the register, in Pangkal Pinang unless said otherwise."""
    return {"Nomor": number, "Diterima": received, "Kab/Kota": "Pangkalpinang", **fields}


@pytest.fixture(scope="module")
def url(new_warehouse: Callable[[], str]) -> str:
    """A database with everything that this module asks about."""
    url = new_warehouse()
    raw = Raw(url)
    raw.land(
        "buku",
        [
            case("001/LP/PW/Kota/09.07/XI/2024", Diketahui="30/10/2024", Kejadian="28 Okt 2024",
                 Isu="Politik uang; NETRALITAS  ASN ;politik uang", Jenis="PID, Hukum lainnya",
                 Jabatan="Kepala Dinas", Status="Diterima", Kecamatan="Rangkui",
                 Desa="Masjid Jamik"),
            # eight days after it was known, seven are allowed
            case("002/reg/lp/PW/kota/09.07/xi/2024", Diketahui="29/10/2024", Status="Kajian awal"),
            case("003/LP/PW/Kota/09.07/XI/2024", Status="Tdk diregistrasi",
                 Alasan="Syarat formil tidak terpenuhi"),
            case("004/Reg/LP/PW/Kota/09.07/XI/2024", Status="Tidak diregistrasi", Alasan="entah"),
            case("001/TM/PB/Kab/09.02/X/2024", "2024-10-30", Status="Terbukti pelanggaran",
                 Alasan="Formil", **{"Kab/Kota": "Babar", "Isu '23": "SARA",
                 "Diteruskan Ke": "Badan  Kepegawaian Negara", "Saat Kampanye": "YA",
                 "Tindak Lanjut": "Sdh ditindaklanjuti"}),
            case("002/TM/PB/Kab/09.02/X/2024", "2024-10-30", Status="status aneh",
                 **{"Kab/Kota": "Babar", "Diteruskan Ke": "entah", "Saat Kampanye": "entah"}),
            # before the campaign: a fact, in no metric
            case("001/LP/PG/Prov/09.00/IX/2024", "20 September 2024"),
            # not counted
            case("005/LP/PW/Kota/09.07/XI/2024", "31 Nopember 2024"),
            case("006/LP/PW/Kota/09.07/XI/2024", "-"),
            case("007/LP/PW/Kota/09.07/XI/2024", Uraian=" Pemeriksaan  TES "),
            case("001/PL/PB/Kab/09.05/X/2024"),
            case("008/LP/PW/Kota/09.07/XI/2024", "6 November 2042"),
            case("009/LP/PW/Kota/09.07/XI/2024", "6 November 2014"),
            # words around a test are none
            case("010/LP/PW/Kota/09.07/XI/2024", "2024-11-12",
                 Uraian="Warga protes, coba bagi-bagi uang"),
        ],
    )  # fmt: skip
    # corrected: the second version moves the case to another week and regency
    raw.land("buku", [case("011/LP/PB/Kab/09.01/XI/2024", "2024-11-06")], ids=["edit"])
    raw.land("buku", [case("011/LP/PB/Kab/09.01/XI/2024", "2024-11-13", **{"Kab/Kota": "Bangka"})],
             ids=["edit"])  # fmt: skip
    # withdrawn, and withdrawn then given again
    for row in ("gone", "back"):
        raw.land("buku", [case(f"012/LP/PB/Kab/09.01/XI/2024{row}"[:28], "2024-11-06")], ids=[row])
        raw.land("buku", [{}], ids=[row], tombstone=True)
    raw.land("buku", [case("013/TM/PB/Kab/09.01/XI/2024", "2024-11-06")], ids=["back"])
    event = {"Kegiatan": "Kampanye", "Kode": "19.05", "Kecamatan": "Mentok"}
    raw.land(
        "rekap",
        [
            event | {"Tanggal": "2024-10-01", "Pemilihan": "Pilgub", "Bentuk": "Tatap muka"},
            event | {"Tanggal": "2024-10-08", "Pemilihan": "Pilbup", "Bentuk": "Rapat umum"},
            # neither the election nor the method is known: an event all the same
            event | {"Tanggal": "2024-10-08", "Pemilihan": "-", "Bentuk": "Konser kejutan"},
            event | {"Tanggal": "31 September 2024", "Pemilihan": "Pilgub", "Bentuk": "Bazar"},
            {"Tanggal": "2024-10-02", "Kode": "1905", "Kecamatan": "Jebus",
             "Kegiatan": "pencegahan", "Bentuk": "Himbauan tertulis"},
            {"Tanggal": "2024-10-06", "Kode": "19.01", "Kecamatan": "Bakam", "Kegiatan": "NIHIL"},
        ],
    )  # fmt: skip
    tip = {"Tanggal": "5 November 2024", "Lokasi": "Kec. Rangkui, Pangkal Pinang"}
    # 23:40 UTC on Sunday is 06:40 on Monday in Jakarta: the next ISO week
    raw.land(
        "grup", [tip | {"Isu": "politik uang", "Uraian": "amplop"}], received_at="2024-11-03T23:40Z"
    )
    raw.land("grup", [{"Teks": "Selamat pagi"}, {"Teks": "Pesan ini telah dihapus"},
                      {"Teks": "tes"}, tip | {"Uraian": "coba"},
                      {"Lokasi": "-", "Uraian": "tidak jelas"}],
             received_at="2024-11-06T05:00Z")  # fmt: skip
    raw.land("formulir", [{"kode": "1905", "kecamatan": "Toboali", "tanggal": "2024-10-01",
                           "isu": "politik_uang netralitas_asn isu_baru"}],
             received_at="2024-10-06T16:59:59Z")  # fmt: skip
    # only for the spellings: they are received in the last week, IA or excluded
    spellings = [{"kode": "1902", "tanggal": text} for text in [*DATES, *BLANK]]
    raw.land("formulir", spellings, received_at="2024-11-20T05:00Z")
    named = [
        case("", "tidak ada tanggal")
        | {"Nomor": f"{n:03}/LP/PB/Kab/09.09/XI/2024", "Kab/Kota": regency, "Kecamatan": district}
        for n, (regency, district) in enumerate(NAMED, 500)
    ]
    raw.land("buku", named)
    for channel, payload, _ in CODED:
        raw.land(channel, [payload], received_at="2024-11-20T05:00Z")
    with_quarantine(url)
    return url


def with_quarantine(url: str) -> None:
    query(
        url,
        "insert into quarantine.record (channel, batch_id, content_hash, reason_code, reason,"
        " received_at, ciphertext) values"
        " ('grup', 1, '\\x01', 'unreadable_date', 'tanggal pesan tidak ada', '2024-10-01', ''),"
        " ('grup', 1, '\\x02', 'unreadable_date', 'tanggal pesan tidak ada', '2024-10-02', ''),"
        " ('buku', 1, '\\x03', 'key_repeated', 'nomor sudah dipakai', '2026-01-01', '')",
    )
    query(
        url,
        "insert into quarantine.record (channel, batch_id, content_hash, reason_code, reason,"
        " received_at, ciphertext, resolved_at)"
        " values ('grup', 1, '\\x04', 'too_large', 'selesai', '2024-10-01', '', '2024-10-03')",
    )


@pytest.fixture(scope="module")
def built(url: str, office: Settings) -> BuildResult:
    return build(settings=office, database_url=url)


@pytest.mark.usefixtures("built")
class TestReadings:
    def test_every_spelling_of_a_date(self, url: str) -> None:
        rows = query(url, "select date_raw, date_day::text from intermediate.int_dates__read")
        read = dict(rows)
        assert {text: read[text.strip()] for text in DATES} == DATES

    def test_empty_cells_say_nothing_and_are_no_bad_dates(self, url: str) -> None:
        rows = dict(query(url, "select date_raw, is_blank from intermediate.int_dates__read"))
        assert [text for text in BLANK if rows[text.strip()] is not True] == []
        assert [text for text in DATES if rows[text.strip()]] == []

    @pytest.mark.parametrize("written", NAMED, ids=str)
    def test_places_by_name(self, url: str, written: tuple[str | None, str | None]) -> None:
        rows = query(
            url,
            "select regency_code, district_code, location_method"
            " from intermediate.int_places__resolved"
            " where (regency_raw, district_raw) is not distinct from (%s, %s)"
            " and village_raw is null and regency_code_raw is null",
            *written,
        )
        assert rows == [NAMED[written]]

    @pytest.mark.parametrize("number", range(len(CODED)))
    def test_places_by_code(self, url: str, number: int) -> None:
        channel, payload, wanted = CODED[number]
        rows = query(
            url,
            "select p.regency_code, p.district_code, p.location_method"
            " from raw.record as r"
            " inner join intermediate.int_records__typed as t using (record_id)"
            " inner join intermediate.int_places__resolved as p using (place_id)"
            " where r.channel = %s and r.payload = %s::jsonb",
            channel,
            json.dumps(payload),
        )
        assert rows == [wanted]

    def test_what_is_ambiguous_has_no_confidence_and_no_regency(self, url: str) -> None:
        rows = query(
            url,
            "select distinct regency_code, location_confidence"
            " from intermediate.int_places__resolved where location_method = 'ambiguous'",
        )
        assert [(code, float(confidence)) for code, confidence in rows] == [("19.00", 0.0)]

    def test_a_village_is_found_in_its_district(self, url: str) -> None:
        rows = query(
            url,
            "select village_code from intermediate.int_reports__located"
            " where register_number = '001/LP/PW/Kota/09.07/XI/2024'",
        )
        named = query(
            url, "select village_code from reference.village where village_name = 'Masjid Jamik'"
        )
        assert rows == named
        assert len(rows) == 1


@pytest.mark.usefixtures("built")
class TestFacts:
    def test_cases(self, url: str) -> None:
        rows = query(
            url,
            "select register_number, record_kind, regency_code, district_code, week_id,"
            " stage_code, status_code, registration_outcome, non_registration_reason_code, is_late"
            " from marts.fct_report where channel = 'buku' order by register_number collate \"C\"",
        )
        city = "19.71"
        assert rows == [
            ("001/LP/PG/Prov/09.00/IX/2024", "LP", city, None, "2024-W38", "PENELITIAN", None,
             "pending", None, None),
            ("001/LP/PW/Kota/09.07/XI/2024", "LP", city, "19.71.04", "2024-W45", "KAMPANYE",
             "diterima", "pending", None, False),
            ("001/TM/PB/Kab/09.02/X/2024", "TM", "19.05", None, "2024-W44", "KAMPANYE",
             "pelanggaran", "registered", None, None),
            ("002/Reg/LP/PW/Kota/09.07/XI/2024", "LP", city, None, "2024-W45", "KAMPANYE",
             "kajian_awal", "registered", None, True),
            ("002/TM/PB/Kab/09.02/X/2024", "TM", "19.05", None, "2024-W44", "KAMPANYE",
             None, "pending", None, None),
            ("003/LP/PW/Kota/09.07/XI/2024", "LP", city, None, "2024-W45", "KAMPANYE",
             "tidak_diregistrasi", "not_registered", "FORMAL", None),
            ("004/Reg/LP/PW/Kota/09.07/XI/2024", "LP", city, None, "2024-W45", "KAMPANYE",
             "tidak_diregistrasi", "not_registered", None, None),
            ("010/LP/PW/Kota/09.07/XI/2024", "LP", city, None, "2024-W46", "KAMPANYE",
             None, "pending", None, None),
            ("011/LP/PB/Kab/09.01/XI/2024", "LP", "19.01", None, "2024-W46", "KAMPANYE",
             None, "pending", None, None),
            ("013/TM/PB/Kab/09.01/XI/2024", "TM", city, None, "2024-W45", "KAMPANYE",
             None, "pending", None, None),
        ]  # fmt: skip

    def test_dates_roles_and_ids_of_a_case(self, url: str) -> None:
        rows = query(
            url,
            "select occurred_date::text, known_date::text, received_date::text, accused_role_code,"
            " report_id = md5('buku/001/LP/PW/Kota/09.07/XI/2024'), r.source_id"
            " from marts.fct_report as f inner join raw.record as r using (record_id)"
            " where register_number = '001/LP/PW/Kota/09.07/XI/2024'",
        )
        number = "001/LP/PW/Kota/09.07/XI/2024"
        assert rows == [("2024-10-28", "2024-10-30", "2024-11-06", "ASN", True, number)]

    def test_themes_and_types_are_several_per_case(self, url: str) -> None:
        themes = query(
            url,
            "select coalesce(register_number, f.channel),"
            " array_agg(issue_code order by issue_code), sum(case_weight)"
            " from marts.bridge_report_issue inner join marts.fct_report as f using (report_id)"
            " where f.week_id <> '2024-W47' group by report_id, 1 order by 1",
        )
        assert themes == [
            ("001/LP/PW/Kota/09.07/XI/2024", ["ASN", "PU"], 1),
            ("001/TM/PB/Kab/09.02/X/2024", ["SARA"], 1),
            ("formulir", ["ASN", "PU"], 1),
            ("grup", ["PU"], 1),
        ]
        types = query(
            url, "select violation_type_code from marts.bridge_report_violation_type order by 1"
        )
        assert types == [("HKL",), ("PID",)]

    def test_tips_count_on_the_day_in_jakarta(self, url: str) -> None:
        rows = query(
            url,
            "select channel, regency_code, district_code, received_date::text, week_id,"
            " registration_outcome, occurred_date::text from marts.fct_report"
            " where record_kind = 'IA' and week_id < '2024-W47' order by 1, 4, 2",
        )
        assert rows == [
            ("formulir", "19.03", "19.03.01", "2024-10-06", "2024-W40", None, "2024-10-01"),
            ("grup", "19.71", "19.71.04", "2024-11-04", "2024-W45", None, "2024-11-05"),
            ("grup", "19.00", None, "2024-11-06", "2024-W45", None, None),
        ]

    def test_what_is_excluded_and_why(self, url: str) -> None:
        rows = query(
            url,
            "select channel, reason_code, week_id, count(*)"
            " from intermediate.int_records__excluded"
            " where source_id not like '5%%' group by 1, 2, 3 order by 1, 2, 3",
        )
        assert rows == [
            ("buku", "date_missing", None, 2),
            ("buku", "implausible_date", None, 2),
            ("buku", "test_row", "2024-W45", 1),
            ("buku", "unreadable_number", None, 1),
            ("grup", "deleted_message", "2024-W45", 1),
            ("grup", "not_a_report", "2024-W45", 2),
            ("grup", "test_row", "2024-W45", 1),
            ("rekap", "date_missing", None, 1),
            ("rekap", "unknown_kind", None, 6),
        ]

    def test_not_counted_is_quarantined_and_excluded_together(self, url: str) -> None:
        rows = query(
            url,
            "select channel, reason_code, week_id, record_count, reason"
            " from reporting.rpt_not_counted where reason_code in"
            " ('key_repeated', 'too_large', 'test_row') or channel = 'grup' order by 1, 2, 3",
        )
        assert rows == [
            ("buku", "key_repeated", None, 1, "nomor sudah dipakai"),
            ("buku", "test_row", "2024-W45", 1, "Baris uji coba"),
            ("grup", "deleted_message", "2024-W45", 1, "Pesan dihapus pengirimnya"),
            ("grup", "not_a_report", "2024-W45", 2, "Pesan biasa, bukan laporan"),
            ("grup", "test_row", "2024-W45", 1, "Baris uji coba"),
            ("grup", "unreadable_date", "2024-W40", 2, "tanggal pesan tidak ada"),
        ]

    def test_activities_and_submissions(self, url: str) -> None:
        assert query(
            url,
            "select regency_code, district_code, activity_date::text, week_id, election_code,"
            " method_code from marts.fct_supervision order by 3, 5",
        ) == [
            ("19.05", "19.05.01", "2024-10-01", "2024-W40", "PILGUB", "TATAP_MUKA"),
            ("19.05", "19.05.01", "2024-10-08", "2024-W41", "PILBUP", "RAPAT_UMUM"),
            ("19.05", "19.05.01", "2024-10-08", "2024-W41", None, None),
        ]
        assert query(
            url,
            "select regency_code, district_code, prevention_type_code from marts.fct_prevention",
        ) == [("19.05", "19.05.03", "IMBAUAN_TERTULIS")]
        delivered = query(
            url,
            "select district_code, week_id, regency_code, row_count from marts.fct_submission"
            " where is_submitted order by 1, 2",
        )
        assert delivered == [
            ("19.01.06", "2024-W40", "19.01", 1),
            ("19.05.01", "2024-W40", "19.05", 1),
            ("19.05.01", "2024-W41", "19.05", 2),
            ("19.05.03", "2024-W40", "19.05", 1),
        ]
        rests_on = query(
            url,
            "select contributor_id, count(*) from reporting.rpt_contributor_record"
            " inner join raw.record using (record_id) where position('/' in contributor_id) > 0"
            " group by 1 order by 1",
        )
        assert rests_on == [(f"{district}/{week}", rows) for district, week, _, rows in delivered]
        # nine weeks from the campaign's first (W39) to the last with data (W47), every district
        assert query(
            url, "select count(*), min(week_id), max(week_id) from marts.fct_submission"
        ) == [(47 * 9, "2024-W39", "2024-W47")]

    def test_a_regency_week_with_its_zeros(self, url: str) -> None:
        columns = (
            "laporan_count, finding_count, tip_count, suspected_violation_count, registered_count,"
            " not_registered_count, pending_count, supervision_count, prevention_count,"
            " submitted_district_count, district_count"
        )
        select = (
            f"select {columns} from marts.fct_regency_week where regency_code = %s and week_id = %s"
        )
        # 001, 002, 003, 004 and the finding 013; one tip from the group
        assert query(url, select, "19.71", "2024-W45") == [(4, 1, 1, 5, 1, 2, 2, 0, 0, 0, 7)]
        assert query(url, select, "19.05", "2024-W44") == [(0, 2, 0, 2, 1, 0, 1, 0, 0, 0, 6)]
        assert query(url, select, "19.05", "2024-W40") == [(0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 6)]
        assert query(url, select, "19.02", "2024-W43") == [(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5)]
        # before the campaign nothing is due
        assert query(url, select, "19.71", "2024-W38") == [(1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0)]


@pytest.mark.usefixtures("built")
class TestMetrics:
    def value(self, url: str, *key: str) -> int:
        rows = query(
            url,
            "select value from reporting.rpt_metric where (metric_code, category_code,"
            " regency_code, week_id, period) = (%s, %s, %s, %s, %s)",
            *key,
        )
        assert len(rows) == 1, key
        return int(rows[0][0])

    @pytest.mark.parametrize(
        ("key", "wanted"),
        [
            (("suspected_violation", "ALL", "19.71", "2024-W45", "week"), 5),
            (("suspected_violation", "ALL", "19", "2024-W45", "week"), 5),
            # W44: 2, W45: 5; the case of September is before the campaign
            (("suspected_violation", "ALL", "19", "2024-W45", "to_date"), 7),
            (("suspected_violation", "ALL", "19", "2024-W47", "to_date"), 9),
            (("suspected_violation_by_kind", "TM", "19", "2024-W47", "to_date"), 3),
            (("suspected_violation_by_issue", "PU", "19.71", "2024-W45", "week"), 1),
            (("suspected_violation_by_issue", "ASN", "19", "2024-W47", "to_date"), 1),
            (("suspected_violation_by_type", "PID", "19.71", "2024-W45", "week"), 1),
            (("suspected_violation_by_type", "SKT", "19.71", "2024-W45", "week"), 0),
            (("report_received", "LP", "19.71", "2024-W45", "week"), 4),
            (("report_registered", "LP", "19.71", "2024-W45", "week"), 1),
            (("report_not_registered", "LP", "19.71", "2024-W45", "week"), 2),
            (("report_pending", "LP", "19.71", "2024-W45", "week"), 1),
            (("report_pending", "TM", "19.05", "2024-W44", "week"), 1),
            (("report_not_registered_by_reason", "FORMAL", "19.71", "2024-W45", "week"), 1),
            (("report_not_registered_by_reason", "UNSTATED", "19.71", "2024-W45", "week"), 1),
            (("report_registered_by_result", "PROVEN", "19.05", "2024-W44", "week"), 1),
            # registered by its number, "Kajian awal" by its status
            (("report_registered_by_result", "IN_PROCESS", "19.71", "2024-W45", "week"), 1),
            (("report_forwarded_by_target", "BKN", "19.05", "2024-W44", "week"), 1),
            (("report_forwarded_by_target", "UNSTATED", "19", "2024-W47", "to_date"), 0),
            (("report_follow_up_closed_by_target", "BKN", "19", "2024-W47", "to_date"), 1),
            (("suspected_violation_by_context", "TM_IN_EVENT", "19.05", "2024-W44", "week"), 1),
            (("suspected_violation_by_context", "TM_UNKNOWN", "19.05", "2024-W44", "week"), 1),
            (
                ("suspected_violation_by_context", "LP_OUTSIDE_EVENT", "19", "2024-W47", "to_date"),
                0,
            ),
            (("report_registered_by_type", "PID", "19.71", "2024-W45", "week"), 0),
            (("prevention_by_type", "IMBAUAN_TERTULIS", "19.05", "2024-W47", "to_date"), 1),
            (("tip", "ALL", "19.00", "2024-W45", "week"), 1),
            (("tip", "ALL", "19", "2024-W45", "week"), 2),
            (("campaign_event", "ALL", "19.05", "2024-W41", "week"), 2),
            (("campaign_event_by_election", "UNSTATED", "19.05", "2024-W41", "week"), 1),
            (("campaign_event_by_method", "UNSTATED", "19", "2024-W47", "to_date"), 1),
            (("prevention_by_type", "UNSTATED", "19", "2024-W47", "to_date"), 0),
            (("campaign_event_by_election", "PILBUP", "19.05", "2024-W41", "week"), 1),
            (("campaign_event_by_method", "TATAP_MUKA", "19.05", "2024-W41", "to_date"), 1),
            (("campaign_event_by_election", "PILWAKO", "19", "2024-W47", "to_date"), 0),
            (("prevention", "ALL", "19.05", "2024-W47", "to_date"), 1),
            (("district_submitted", "ALL", "19", "2024-W40", "week"), 3),
            (("district_submitted", "ALL", "19", "2024-W47", "to_date"), 4),
            (("district_expected", "ALL", "19", "2024-W39", "week"), 47),
            (("district_expected", "ALL", "19.71", "2024-W40", "to_date"), 14),
            (("district_expected", "ALL", "19.00", "2024-W40", "week"), 0),
        ],
        ids=lambda value: "/".join(value) if isinstance(value, tuple) else str(value),
    )
    def test_by_hand(self, url: str, key: tuple[str, ...], wanted: int) -> None:
        assert self.value(url, *key) == wanted

    def test_the_grid_is_whole(self, url: str) -> None:
        # every category of the registry, 7 regencies, the unknown one and the province, 9 weeks,
        # 2 periods
        lines = {(m, code) for m in registry.metrics() for code in registry.categories(m)}
        assert (
            set(query(url, "select distinct metric_code, category_code from reporting.rpt_metric"))
            == lines
        )
        assert query(url, "select count(*) from reporting.rpt_metric") == [
            (len(lines) * 9 * 9 * 2,)
        ]

    def test_every_member_leads_to_its_record(self, url: str) -> None:
        rows = query(
            url,
            "select m.metric_code, r.channel, r.source_id from reporting.rpt_metric_contributor "
            "as m"
            " inner join marts.fct_report as f on m.contributor_id = f.report_id"
            " inner join raw.record as r on f.record_id = r.record_id"
            " where m.regency_code = '19.01' and m.week_id = '2024-W46' order by 1",
        )
        wanted = ("report_pending", "report_received", "suspected_violation")
        assert rows == [
            (metric, "buku", "edit")
            for metric in (*wanted, "suspected_violation_by_context", "suspected_violation_by_kind")
        ]
