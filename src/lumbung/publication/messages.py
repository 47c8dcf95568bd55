"""Every sentence an edition prints, and how it writes numbers, dates and lists.

Indonesian, as leadership and press write it: `1.084.999`, `95 %`, decimal comma, WIB, "dugaan"
before every allegation, zero printed as 0, and `n/a` for what is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from lumbung.publication.content import Decision, Edition, Restatement
from lumbung.settings import JAKARTA

NOT_AVAILABLE = "n/a"
NBSP = "\u00a0"
MINUS = "\u2212"

DAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
MONTHS = (
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
)

TEXT = {
    "contact": "Informasi: {name}, {url}",
    "province_name": "Provinsi Kepulauan Bangka Belitung",
    "title": "Buletin Mingguan Pengawasan Pemilihan",
    "subtitle": "Pekan {week}: {range}",
    "as_of": "Keadaan data {as_of}",
    "known_now": "Memuat catatan yang diketahui sampai {frozen_at}",
    "known_then": "Disusun kemudian; hanya memuat catatan yang sudah masuk pada saat itu",
    "edition": "Edisi {edition_id}",
    "revision": "revisi {revision}",
    "page": "halaman {page} dari {pages}",
    # approval
    "status_draft": "Rancangan — belum disetujui",
    "status_rejected": "Rancangan — ditolak, tidak diterbitkan",
    "status_demo": "Disetujui otomatis oleh demo — data contoh, bukan angka resmi",
    "status_person": "Disetujui oleh {by}, {at}",
    # main points
    "points": "Ringkasan",
    "point_violation": "{value} dugaan pelanggaran pekan ini",
    "point_violation_more": "({lp} laporan dan {tm} temuan), {change}. "
    "Sejak awal masa kampanye tercatat {to_date}.",
    "point_place": "Dugaan pelanggaran terbanyak di {places}",
    "point_place_even": "Dugaan pelanggaran tercatat di {places}",
    "point_place_more": "{none}Sejak awal masa kampanye terbanyak di {places}.",
    "point_place_none": "Pekan ini tidak ada dugaan pelanggaran di {places}. ",
    "point_issue": "Dugaan tersering pekan ini bertema {issues}",
    "point_issue_more": "Satu kasus dapat memuat beberapa tema.",
    "point_issue_zero": "Tema dugaan pelanggaran pekan ini belum dicatat",
    "point_funnel": "{received} laporan diterima pekan ini",
    "point_funnel_more": "{registered} diregistrasi, {not_registered} tidak diregistrasi, "
    "{pending} belum diputuskan.",
    "point_campaign": "{value} kegiatan kampanye diawasi pekan ini",
    "point_campaign_spread": "terbanyak di {most}, paling sedikit di {least}",
    "point_other": "{prevention} tindakan pencegahan dan {tip} informasi awal pekan ini",
    "point_other_more": "Pencegahan {prevention_change}; informasi awal {tip_change}.",
    "point_complete": "{submitted} dari {expected} kecamatan ({percent}) menyampaikan rekap",
    "point_complete_all": "Semua kecamatan sudah menyampaikan.",
    "point_complete_missing": "Belum menyampaikan: {districts}. Angka kegiatan dan pencegahan "
    "pekan ini dapat bertambah.",
    # changes
    "change_up": "naik {by} dari pekan sebelumnya ({previous})",
    "change_down": "turun {by} dari pekan sebelumnya ({previous})",
    "change_same": "sama dengan pekan sebelumnya",
    "change_unknown": "tanpa pembanding dari pekan sebelumnya",
    "same_each": "masing-masing {value}",
    "of_each": "{places} ({value})",
    "all_regencies": "semua kabupaten/kota",
    "many_issues": "{count} tema (masing-masing {value})",
    # common heads
    "regency": "Kabupaten/kota",
    "province": "Provinsi",
    "this_week": "Pekan ini",
    "last_week": "Pekan lalu",
    "difference": "Selisih",
    "to_date": "Sejak awal",
    "total": "Jumlah",
    "theme": "Tema",
    "unknown_place": "Belum terpetakan",
    "unknown_head": "Belum terpe\u00adtakan",
    "table": "Tabel {number}.",
    "chart": "Gambar {number}.",
    # source line
    "source": "Sumber: {source}. Keadaan data {as_of}. Kelengkapan rekap: {submitted} dari "
    "{expected} kecamatan ({percent}).",
    "source_register": "buku register laporan dan temuan",
    "source_recap": "rekap pengawasan kampanye dan pencegahan tiap kecamatan",
    "source_tip": "pesan aduan WhatsApp dan formulir pemantau",
    "source_all": "semua kanal penerimaan",
    # completeness
    "complete_title": "Kelengkapan penyampaian",
    "complete_caption": "{submitted} dari {expected} kecamatan menyampaikan rekap pekan ini",
    "district": "Kecamatan",
    "submitted": "Menyam\u00adpaikan",
    "share": "Persen",
    "missing": "Belum menyampaikan",
    "none_missing": "—",
    "complete_note": "Kecamatan tanpa kegiatan tetap menyampaikan rekap nihil dan dihitung "
    "menyampaikan.",
    # funnel
    "funnel_title": "Registrasi laporan dan temuan",
    "funnel_caption": "Dari {received} laporan dan temuan sejak awal, {registered} diregistrasi",
    "kind": "Jenis",
    "LP": "Laporan",
    "TM": "Temuan",
    "received": "Diterima",
    "registered": "Diregis\u00adtrasi",
    "not_registered": "Tidak diregis\u00adtrasi",
    "pending": "Belum diputus\u00adkan",
    "funnel_note": "Diterima = diregistrasi + tidak diregistrasi + belum diputuskan. Status adalah "
    "status saat data dibekukan, dihitung pada pekan laporan diterima.",
    # violations
    "violation_title": "Dugaan pelanggaran menurut kabupaten/kota",
    "violation_caption": "Dugaan pelanggaran {change}",
    "map_title": "Sejak awal, dugaan pelanggaran terbanyak di {places}",
    "map_title_zero": "Belum ada dugaan pelanggaran",
    "map_tile": "pekan ini {value}",
    "map_alt": "Peta petak tujuh kabupaten/kota. Dugaan pelanggaran sejak awal (pekan ini): "
    "{values}.",
    "map_value": "{place} {to_date} ({week})",
    "map_note": "Satu petak satu kabupaten/kota, letaknya mengikuti peta. Angka besar: jumlah "
    "sejak awal; makin gelap makin banyak. Belum terpetakan: {unknown}.",
    "trend_title": "Dugaan pelanggaran pekan ini {value}, {change}",
    "trend_alt": "Diagram batang dugaan pelanggaran tiap pekan: {values}.",
    "trend_value": "pekan {week} {value}",
    "trend_note": "Tanggal di bawah batang adalah hari Senin pekan itu.",
    "issue_title": "Dugaan pelanggaran menurut tema dan jenis",
    "issue_chart": "Sejak awal, dugaan tersering bertema {issues}",
    "issue_alt": "Diagram batang dugaan pelanggaran menurut tema sejak awal: {values}.",
    "issue_caption": "Dugaan pelanggaran menurut tema; tersering pekan ini {issues}",
    "issue_caption_zero": "Dugaan pelanggaran menurut tema; pekan ini tidak ada",
    "issue_note": "Satu kasus dapat memuat beberapa tema: jumlah menurut tema tidak sama dengan "
    "jumlah kasus.",
    "matrix_week": "Tema dugaan pelanggaran menurut kabupaten/kota, pekan ini",
    "matrix_to_date": "Tema dugaan pelanggaran menurut kabupaten/kota, sejak awal",
    "matrix_rest": "Tema yang tidak ditampilkan bernilai 0 di semua kabupaten/kota.",
    "type_caption": "Dugaan pelanggaran menurut jenis",
    "type": "Jenis pelanggaran",
    "type_note": "Satu kasus dapat memuat beberapa jenis: jumlah menurut jenis tidak sama dengan "
    "jumlah kasus.",
    # waivers
    "waiver_title": "Pengecualian pemeriksaan",
    "waiver": "Pemeriksaan {check} tidak terpenuhi dan dikecualikan oleh {by} pada {at}, berlaku "
    "sampai {until}. Alasan: {reason}",
    "point_waiver": "{count} pemeriksaan mutu dikecualikan.",
    "point_waiver_more": "Alasan dan penanggung jawabnya dimuat dalam edisi ini.",
    # restatements
    "restatement_title": "Perubahan angka edisi sebelumnya",
    "restatement_none": "Tidak ada angka edisi sebelumnya yang berubah.",
    "restatement_caption": "{count} angka pekan dalam edisi sebelumnya kini berbeda",
    "restatement_caption_told": "Tidak ada perubahan baru pada angka pekan edisi sebelumnya",
    "restatement_edition": "Edisi",
    "restatement_place": "Wilayah",
    "restatement_old": "Lama",
    "restatement_new": "Baru",
    "restatement_why": "Sebab",
    "late": "masuk terlambat",
    "edited": "dikoreksi sumber",
    "withdrawn": "ditarik sumber",
    "recoded": "dikode ulang",
    "restatement_reason": "{reason} ({change})",
    "restatement_note": "Angka edisi yang sudah terbit tidak diubah. Tabel memuat angka pekan; "
    "angka sejak awal yang ikut berubah ada di data/perubahan.csv. Mengaitkan dua kasus tidak "
    "mengubah angka: setiap kasus tetap dihitung.",
    "restatement_told": "{count} perubahan sudah dimuat dalam edisi sebelum ini dan tidak diulang.",
    "restatement_rest": "{count} perubahan lain ada di data/perubahan.csv.",
    # a page per regency
    "regency_caption": "{name}: angka utama",
    "district_title": "Dugaan pelanggaran menurut kecamatan dan kelompok tema",
    "district_caption": "{name}: dugaan pelanggaran menurut kecamatan dan kelompok tema, "
    "{first}–{last}",
    "group_UANG": "Politik uang",
    "group_NETRAL": "Netralitas",
    "group_ISI": "SARA, hoaks, fitnah",
    "group_SARANA": "Alat peraga dan tempat",
    "group_LAIN": "Lainnya",
    "suppressed": "*",
    "district_note": "* = tidak diterbitkan untuk melindungi orang: jumlah di atas 0 dan di bawah "
    "{threshold}, serta jumlah lain yang dapat membukanya. Satu kasus dapat memuat beberapa tema. "
    "Tabel ini terbit sekali untuk tiap empat pekan dan tidak diubah lagi: selisih dua edisi pun "
    "tidak membuka yang disembunyikan.",
    # tips
    "tip_title": "Informasi awal",
    "tip_caption": "Informasi awal {change}",
    "tip_note": "Informasi awal belum memenuhi syarat laporan; ditelusuri dan dapat menjadi "
    "temuan. Tidak dihitung sebagai dugaan pelanggaran.",
    # campaign
    "campaign_title": "Kegiatan kampanye yang diawasi",
    "campaign_election": "Kegiatan kampanye {change}: menurut pemilihan",
    "campaign_method": "Kegiatan kampanye yang diawasi: menurut metode",
    "PILGUB": "Pilgub",
    "PILBUP": "Pilbup",
    "PILWAKO": "Pilwako",
    "TATAP_MUKA": "Tatap muka",
    "TERBATAS": "Terbatas",
    "RAPAT_UMUM": "Rapat umum",
    "LAIN": "Lainnya",
    "campaign_note": "Terbatas = pertemuan terbatas; lainnya = kegiatan lain yang tidak melanggar "
    "larangan kampanye.",
    # prevention
    "prevention_title": "Pencegahan",
    "prevention_caption": "Tindakan pencegahan {change}",
    "prevention_note": "Imbauan tertulis, imbauan lisan, sosialisasi, dan koordinasi.",
    # not counted
    "not_counted_title": "Yang tidak dihitung",
    "not_counted_caption": "{count} kiriman sejak awal tidak dihitung, {week} di antaranya pekan "
    "ini",
    "not_counted_none": "Tidak ada kiriman yang dikarantina atau disisihkan.",
    "channel": "Kanal",
    "reason": "Alasan",
    "owner": "Penanggung jawab",
    "not_counted_note": "Kiriman yang tidak terbaca dikarantina; yang bukan laporan disisihkan. "
    "Keduanya tetap tersimpan dan dapat ditelusuri.",
    # what is behind a number
    "behind": "{count} fakta: {reference}",
    "behind_sum": "jumlah dari {parts}",
    "behind_difference": "{week} pekan ini, {previous} pekan lalu",
    "definitions": "Definisi angka dan penelusurannya",
    "definitions_how": "Tahan penunjuk pada sebuah angka untuk melihat berapa fakta di baliknya "
    "dan rujukannya; perintah 'lumbung trace RUJUKAN' menampilkan catatan, kiriman, dan sidik "
    "buktinya.",
    # workbook and open data
    "sheet_contents": "Isi",
    "sheet_notes": "Catatan",
    "sheet_trend": "Tren",
    "sheet": "Tabel {number}",
    "week": "Pekan",
    "monday": "Senin",
    "figure": "Angka",
    "definition": "Definisi",
    "data_figures": "Semua angka edisi menurut wilayah, kategori, dan periode",
    "data_trend": "Angka provinsi tiap pekan sejak awal masa kampanye",
    "data_description": "Angka pengawasan pemilihan tiap pekan menurut kabupaten/kota: dugaan "
    "pelanggaran, registrasi, informasi awal, kegiatan kampanye yang diawasi, pencegahan, dan "
    "kelengkapan penyampaian. Hanya jumlah; tidak memuat data pribadi.",
    "first_day": "Hari pertama",
    "last_day": "Hari terakhir",
    "as_of_head": "Keadaan data (WIB)",
    "frozen_head": "Dibekukan (WIB)",
    "press_title": "SIARAN PERS",
    "press_draft": "RANCANGAN SIARAN PERS",
    "press_note": "Semua dugaan pelanggaran tetap dugaan sampai ada putusan.",
    "letter_attached": "Buletin lengkap terlampir sebagai PDF.",
    # method
    "method_title": "Metode dan catatan",
    "about_reviewed": "Rancangan yang diperiksa, {name} (SHA-256): {sha256}.",
}

METHOD = (
    "Pekan adalah pekan ISO, Senin sampai Minggu, waktu Indonesia Barat (WIB). Sejak awal = "
    "sejak {first}.",
    "Dugaan pelanggaran adalah laporan (LP) dan temuan (TM), dihitung pada pekan diterimanya. "
    "Semua masih dugaan sampai ada putusan.",
    "Satu kasus dapat memuat beberapa tema dan beberapa jenis pelanggaran; angka menurut tema "
    "atau jenis tidak boleh dijumlahkan menjadi jumlah kasus.",
    "“Belum terpetakan” memuat kasus yang tempatnya tidak dapat dipastikan; jumlah semua "
    "baris sama dengan angka provinsi.",
    "Kegiatan kampanye dan pencegahan bersumber dari rekap kecamatan; rekap yang belum masuk "
    "membuat angka lebih rendah dari keadaan sebenarnya.",
    "Angka 0 berarti tidak ada kejadian tercatat; n/a berarti data tidak tersedia.",
    "Angka edisi ini beku. Perubahan yang diketahui kemudian dimuat dalam edisi berikutnya.",
    "Nama pelapor, saksi, dan terlapor tidak dimuat (Perbawaslu 10/2019 jo. 1/2022 "
    "Pasal 18 ayat (2)).",
)

ABOUT = (
    "Dibekukan {frozen_at}.",
    "Sidik isi (SHA-256): {content_hash}.",
)


@dataclass(frozen=True)
class Definition:
    """What a figure counts, in the words of the edition; `source` is a key of TEXT."""

    name: str
    unit: str
    source: str
    definition: str


_REGISTER = "source_register"
_RECAP = "source_recap"
_BY_WEEK = "dihitung pada pekan diterimanya"
FIGURES = {
    "suspected_violation": Definition(
        "Dugaan pelanggaran",
        "kasus",
        _REGISTER,
        f"Laporan (LP) dan temuan (TM) dalam register, {_BY_WEEK}",
    ),
    "suspected_violation_by_kind": Definition(
        "Dugaan pelanggaran menurut asal",
        "kasus",
        _REGISTER,
        f"Laporan (LP) atau temuan (TM) dalam register, {_BY_WEEK}",
    ),
    "suspected_violation_by_issue": Definition(
        "Dugaan pelanggaran menurut tema",
        "kasus",
        _REGISTER,
        f"Laporan dan temuan yang memuat tema itu, {_BY_WEEK}; satu kasus dapat memuat beberapa "
        "tema",
    ),
    "suspected_violation_by_type": Definition(
        "Dugaan pelanggaran menurut jenis",
        "kasus",
        _REGISTER,
        f"Laporan dan temuan dengan jenis pelanggaran itu, {_BY_WEEK}; satu kasus dapat memuat "
        "beberapa jenis",
    ),
    "report_received": Definition(
        "Diterima", "kasus", _REGISTER, f"Laporan atau temuan yang diterima, {_BY_WEEK}"
    ),
    "report_registered": Definition(
        "Diregistrasi",
        "kasus",
        _REGISTER,
        f"Laporan atau temuan yang berstatus diregistrasi saat data dibekukan, {_BY_WEEK}",
    ),
    "report_not_registered": Definition(
        "Tidak diregistrasi",
        "kasus",
        _REGISTER,
        f"Laporan atau temuan yang berstatus tidak diregistrasi saat data dibekukan, {_BY_WEEK}",
    ),
    "report_pending": Definition(
        "Belum diputuskan",
        "kasus",
        _REGISTER,
        f"Laporan atau temuan yang belum diputuskan saat data dibekukan, {_BY_WEEK}",
    ),
    "tip": Definition(
        "Informasi awal",
        "informasi",
        "source_tip",
        f"Informasi awal (IA) menurut pola atau formulir, {_BY_WEEK}; bukan dugaan pelanggaran",
    ),
    "campaign_event_by_election": Definition(
        "Kegiatan kampanye yang diawasi menurut pemilihan",
        "kegiatan",
        _RECAP,
        "Kegiatan kampanye yang diawasi, dihitung pada pekan kegiatannya",
    ),
    "campaign_event_by_method": Definition(
        "Kegiatan kampanye yang diawasi menurut metode",
        "kegiatan",
        _RECAP,
        "Kegiatan kampanye yang diawasi, dihitung pada pekan kegiatannya",
    ),
    "prevention": Definition(
        "Tindakan pencegahan",
        "tindakan",
        _RECAP,
        "Imbauan tertulis, imbauan lisan, sosialisasi, dan koordinasi, dihitung pada pekan "
        "dilakukannya",
    ),
    "district_submitted": Definition(
        "Kecamatan yang menyampaikan rekap",
        "kecamatan",
        _RECAP,
        "Kecamatan dengan sedikitnya satu baris rekap untuk pekan itu, termasuk nihil; sejak awal: "
        "kecamatan-pekan",
    ),
    "district_expected": Definition(
        "Kecamatan yang wajib menyampaikan rekap",
        "kecamatan",
        _RECAP,
        "Semua kecamatan; sejak awal: kecamatan-pekan",
    ),
}
"""Every figure, in the order of docs/architecture.md."""


def category_names(edition: Edition) -> dict[tuple[str, str], str]:
    """The names of the categories, by figure code and category code."""
    names = {
        ("suspected_violation_by_issue", code): name for code, name in edition.issues.items()
    } | {
        ("suspected_violation_by_type", code): name
        for code, name in edition.violation_types.items()
    }
    return names | {
        (figure, category): TEXT[category]
        for figure, category, _ in edition.figures
        if category != "ALL" and (figure, category) not in names
    }


def status(decision: Decision | None) -> str:
    """Whether and how an edition was approved."""
    if decision is None:
        return TEXT["status_draft"]
    if decision.decision != "approved":
        return TEXT["status_rejected"]
    if decision.how == "demo":
        return TEXT["status_demo"]
    return TEXT["status_person"].format(by=decision.decided_by, at=moment(decision.decided_at))


def method(edition: Edition) -> list[str]:
    """How an edition counts, and what to mind."""
    return [text.format(first=weekday(edition.first_monday)) for text in METHOD]


def reasons(restatement: Restatement) -> str:
    """Why a figure is different: `masuk terlambat (+2), ditarik sumber (−1)`."""
    counted = {
        "late": restatement.late,
        "edited": restatement.edited,
        "withdrawn": restatement.withdrawn,
        "recoded": restatement.recoded,
    }
    return ", ".join(
        TEXT["restatement_reason"].format(reason=TEXT[name], change=signed(count))
        for name, count in counted.items()
        if count
    )


def iso(value: datetime) -> str:
    """A moment for machines, in WIB: `2024-11-25T06:00:00+07:00`."""
    return value.astimezone(JAKARTA).isoformat(timespec="seconds")


def number(value: int | None) -> str:
    """A count: `1.084.999`; None is `n/a`."""
    if value is None:
        return NOT_AVAILABLE
    return (MINUS if value < 0 else "") + f"{abs(value):,}".replace(",", ".")


def signed(value: int | None) -> str:
    """A difference: `+3`, `−2` (a true minus), `0`; None is `n/a`."""
    return ("+" if value is not None and value > 0 else "") + number(value)


def decimal(value: float, places: int = 1) -> str:
    """A measure: `1.234,5`."""
    whole, _, rest = f"{value:,.{places}f}".partition(".")
    return whole.replace(",", ".").replace("-", MINUS) + ("," + rest if rest else "")


def percent(part: int, whole: int) -> str:
    """A share in whole percent: `95 %`; 100 % and 0 % only when exact; of nothing: `n/a`."""
    if whole == 0:
        return NOT_AVAILABLE
    rounded = (200 * part + whole) // (2 * whole)
    if 0 < part < whole:
        rounded = min(max(rounded, 1), 99)
    return f"{rounded}{NBSP}%"


def day(value: date) -> str:
    """A day: `11 November 2024`."""
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def weekday(value: date) -> str:
    """A day with its name: `Senin, 11 November 2024`."""
    return f"{DAYS[value.weekday()]}, {day(value)}"


def short_day(value: date) -> str:
    """A day on a chart's axis: `11 Nov`."""
    return f"{value.day} {MONTHS[value.month - 1][:3]}"


def moment(value: datetime) -> str:
    """A moment in WIB: `Senin, 11 November 2024 pukul 06.00 WIB`.

    Args:
        value: an aware datetime of any zone.

    """
    local = value.astimezone(JAKARTA)
    return f"{weekday(local.date())} pukul {local:%H.%M}{NBSP}WIB"


def week_range(monday: date) -> str:
    """The days of a week: `18–24 November 2024`, `28 Oktober–3 November 2024`."""
    sunday = monday + timedelta(days=6)
    if monday.year != sunday.year:
        return f"{day(monday)}–{day(sunday)}"
    if monday.month != sunday.month:
        return f"{monday.day} {MONTHS[monday.month - 1]}–{day(sunday)}"
    return f"{monday.day}–{day(sunday)}"


def listing(items: Sequence[str]) -> str:
    """An enumeration: `a`, `a dan b`, `a, b, dan c`."""
    if len(items) < 3:
        return " dan ".join(items)
    return f"{', '.join(items[:-1])}, dan {items[-1]}"


def change(value: int, previous: int | None) -> str:
    """How a count moved against the week before, in words."""
    if previous is None:
        return TEXT["change_unknown"]
    if value == previous:
        return TEXT["change_same"]
    key = "change_up" if value > previous else "change_down"
    return TEXT[key].format(by=number(abs(value - previous)), previous=number(previous))


LETTER = {
    "ask": "Mohon persetujuan: edisi {edition_id}",
    "remind": "Pengingat: edisi {edition_id} menunggu persetujuan",
    "answer": "Jawaban diberikan di Airflow, halaman Required Actions.",
    "subject": "Terbitkan edisi {edition_id}?",
    "gate": "Pemeriksaan mutu:",
    "gate_passed": "{count} pemeriksaan terpenuhi.",
    "gate_warned": "Perlu perhatian: {check}. {cure} (penanggung jawab: {owner})",
    "gate_waived": "Dikecualikan oleh {by}: {check}. Alasan: {reason}",
    "draft": "Rancangan lengkap:",
    "beside": "(berkas lain di folder yang sama).",
    "comment": "Alasan, bila ditolak; disimpan bersama keputusan",
    "failed": "Gagal: {task}",
    "rejected": "Edisi {edition_id} ditolak",
    "rejected_text": "{by} menolak edisi {edition_id}: {comment}\n\nPerbaiki sebabnya, lalu "
    "jalankan DAG publication untuk pekan {week_id}: rancangan baru menjadi revisi berikutnya.",
    "no_comment": "tanpa alasan",
}
"""What those who work on an edition are told; never part of one."""
