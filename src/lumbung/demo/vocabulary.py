"""Every word that the demo's offices and citizens write, and the code that each one means.

The seeds `map_issue`, `map_status`, `map_role`, `map_violation_type`, `region_alias` ... map these
words to codes. Each table is *code -> spellings*; case and repeated white space vary as well.
Sources of the codes: domain.md 1.7, 2.1, 2.2, 2.3 and docs/reference/metrics.md.

Besides choosing a spelling, the writers vary these:

Empty cells are written as an empty cell, `-`, `nihil`, `NIHIL` or (dates) `Tdk Th`. Each of them
means "not said", in every column; so a `-` in `Nomor Register` is a missing register number.

A merged cell counts for each of its rows (sometimes `Kecamatan` of the recap).

Dates appear as spreadsheet dates (one of the two workbooks counts from 1904), in the register also
as a serial number in the 1900 date system (45602), and as `Rabu, 6 Nopember 2024`,
`6 November 2024`, `6 Nop 2024`, `06/11/2024`, `6-11-2024`, `6/11/24`, `tgl 6 Nopember 2024`; month
and weekday names below. A range in `Tanggal / Kejadian` (`3 s.d. 5 Nopember 2024`, `3 s/d 5 ...`)
means its first day. `kemarin` in a WhatsApp tip and a date that does not exist mean "not known".
Only a date that decides the week (`Tanggal / Diterima` of the register, `Tanggal` of the recap)
excludes its row when it cannot be read.

Places: a name with or without `Kab.`, `Kab`, `Kabupaten`, `Kota`, `Kec.`, `Kecamatan` before it.
Where a text names a regency and a district outside it, the regency is used and the district is
unknown. Codes: the recap has Kemendagri's (`19.05`, also the number 19.05 and `1905`), the
observers' form has those of BPS (`1903`). A bare `1903` in a column for names is neither.

Test rows have one of `TEST_NARRATIVES` as their *whole* narrative. "Warga protes ..." and
"mencoba membagikan ..." are not tests.
"""

from __future__ import annotations

ISSUES: dict[str, tuple[str, ...]] = {
    "SARA": ("SARA", "Isu SARA", "Politisasi SARA", "Ujaran SARA"),
    "KH": ("Kampanye hitam", "Hoaks", "Fitnah", "Black campaign", "Hoax"),
    "PU": ("Politik uang", "Money politics", "Bagi-bagi uang", "Pembagian sembako"),
    "ASN": ("Netralitas ASN", "ASN tidak netral", "Ketidaknetralan ASN", "Netralitas PNS"),
    "KADES": ("Netralitas kades", "Netralitas kepala desa", "Perangkat desa tidak netral"),
    "TNIPOL": ("Netralitas TNI/Polri", "TNI/Polri tidak netral"),
    "PENY": ("Netralitas penyelenggara", "Penyelenggara tidak netral"),
    "APK": ("APK", "Alat peraga kampanye", "Perusakan APK", "APK salah tempat"),
    "FAS": ("Fasilitas pemerintah", "Kampanye di tempat ibadah", "Penggunaan fasilitas negara"),
    "ANAK": ("Pelibatan anak", "Anak dalam kampanye"),
    "DPH": ("Data pemilih", "Hak pilih"),
    "PUNGHIT": ("Pungut hitung", "Pemungutan dan penghitungan suara"),
    "LOG": ("Logistik", "Logistik pemilihan"),
    "LAIN": ("Lainnya", "Lain-lain"),
}
"""Themes in the register (separated by `;`) and in WhatsApp tips (`Isu:`, separated by `;` too)."""

KOBO_ISSUES: dict[str, str] = {
    "SARA": "isu_sara",
    "KH": "kampanye_hitam",
    "PU": "politik_uang",
    "ASN": "netralitas_asn",
    "KADES": "netralitas_kades",
    "TNIPOL": "netralitas_tni_polri",
    "PENY": "netralitas_penyelenggara",
    "APK": "alat_peraga",
    "FAS": "fasilitas_negara",
    "ANAK": "pelibatan_anak",
    "DPH": "data_pemilih",
    "PUNGHIT": "pungut_hitung",
    "LOG": "logistik",
    "LAIN": "lainnya",
}
"""Choices of the observers' form (`kejadian/isu`, separated by a space)."""

VIOLATION_TYPES: dict[str, tuple[str, ...]] = {
    "ADM": ("ADM", "Administrasi", "Pelanggaran administrasi"),
    "PID": ("PID", "Pidana", "Tindak pidana pemilihan"),
    "ETIK": ("ETIK", "Kode etik", "Kode etik penyelenggara"),
    "HKL": ("HKL", "Hukum lainnya", "Pelanggaran hukum lainnya"),
    "SKT": ("SKT", "Sengketa", "Sengketa pemilihan"),
}
"""`Jenis Pelanggaran` of the register (separated by `,`)."""

STATUSES: dict[str, tuple[str, ...]] = {
    "diterima": ("Diterima",),
    "perbaikan": ("Perbaikan", "Menunggu perbaikan", "Menunggu perbaikan (2 hari)"),
    "kajian_awal": ("Kajian awal",),
    "penelusuran": ("Penelusuran", "Penelusuran informasi awal"),
    "belum_diregistrasi": ("Belum diregistrasi", "Belum diregister"),
    "tidak_diregistrasi": ("Tidak diregistrasi", "Tidak diregister", "Tdk diregistrasi"),
    "diregistrasi": ("Diregistrasi", "Diregister"),
    "klarifikasi": ("Klarifikasi", "Tahap klarifikasi"),
    "kajian": ("Kajian", "Kajian dugaan pelanggaran"),
    "pembahasan_gakkumdu": ("Pembahasan Gakkumdu", "Pembahasan Sentra Gakkumdu"),
    "dalam_proses": ("Dalam proses", "Masih proses"),
    "pelanggaran": ("Pelanggaran", "Terbukti pelanggaran", "Terbukti"),
    "bukan_pelanggaran": ("Bukan pelanggaran", "Dihentikan"),
    "diteruskan": ("Diteruskan", "Sudah diteruskan"),
    "direkomendasikan": ("Direkomendasikan", "Rekomendasi"),
    "selesai": ("Selesai", "Tindak lanjut selesai"),
}
"""`Status` of the register; sometimes `Diteruskan ke BKN`, with an empty `Diteruskan Ke`."""

OUTCOMES: dict[str, str] = {
    "diterima": "pending",
    "perbaikan": "pending",
    "kajian_awal": "pending",
    "belum_diregistrasi": "pending",
    "tidak_diregistrasi": "not_registered",
    "diregistrasi": "registered",
    "klarifikasi": "registered",
    "kajian": "registered",
    "pembahasan_gakkumdu": "registered",
    "dalam_proses": "registered",
    "pelanggaran": "registered",
    "bukan_pelanggaran": "registered",
    "diteruskan": "registered",
    "direkomendasikan": "registered",
    "selesai": "registered",
}
"""Status code -> `registration_outcome`: received = registered + not_registered + pending."""

RESULTS: dict[str, str] = {
    "pelanggaran": "PROVEN",
    "bukan_pelanggaran": "NOT_PROVEN",
    "diteruskan": "FORWARDED",
    "direkomendasikan": "FORWARDED",
    "selesai": "CLOSED",
}
"""Status code -> result of a registered case; every other one is still IN_PROCESS."""

NON_REGISTRATION_REASONS: dict[str, tuple[str, ...]] = {
    "FORMAL": ("Tidak memenuhi syarat formal", "Syarat formil tidak terpenuhi", "Formil"),
    "MATERIEL": ("Tidak memenuhi syarat materiel", "Syarat materiil tidak terpenuhi", "Materiil"),
    "LATE": ("Lewat waktu", "Melebihi 7 hari sejak diketahui", "Daluwarsa"),
}
"""`Alasan` of the register; every other status has an empty cell there."""

FORWARDING_TARGETS: dict[str, tuple[str, ...]] = {
    "KPU": ("KPU", "KPU Kabupaten", "ke KPU", "PPK"),
    "GAKKUMDU": ("Sentra Gakkumdu", "Gakkumdu"),
    "KEPOLISIAN": ("Polres", "Penyidik", "Kepolisian"),
    "DKPP": ("DKPP", "ke DKPP"),
    "BKN": ("BKN", "Badan Kepegawaian Negara", "BKN Regional VII"),
    "PEMDA": ("Bupati", "Dinas PMD", "Camat"),
    "TNI_POLRI": ("Propam", "Komandan", "Atasan TNI/Polri"),
    "LAIN": ("Instansi lain",),
}
"""`Diteruskan Ke` of the register: to whom a case was forwarded (domain.md 1.8)."""

TARGETS_BY_ISSUE: dict[str, tuple[str, ...]] = {
    "ASN": ("BKN",),
    "KADES": ("PEMDA",),
    "TNIPOL": ("TNI_POLRI",),
    "PENY": ("DKPP",),
    "APK": ("KPU",),
    "DPH": ("KPU",),
    "FAS": ("KPU", "GAKKUMDU"),
    "ANAK": ("KPU",),
    "LOG": ("KPU",),
    "LAIN": ("LAIN",),
}
"""Where cases of a theme are forwarded; every other theme goes to Gakkumdu or the police."""

FOLLOW_UPS: dict[bool, tuple[str, ...]] = {
    True: ("Selesai", "Sudah ditindaklanjuti", "Sdh ditindaklanjuti"),
    False: ("Belum", "Menunggu jawaban", "Dalam proses"),
}
"""`Tindak Lanjut` of the register: whether the target has closed the case; often empty before."""

CONTEXTS: dict[str, tuple[str, ...]] = {
    "IN_EVENT": ("Ya", "Dalam kegiatan kampanye", "Saat kampanye"),
    "OUTSIDE_EVENT": ("Tidak", "Di luar kegiatan", "Di luar kegiatan kampanye"),
}
"""`Dalam Kegiatan Kampanye` of the register; an empty cell means unknown."""

ROLES: dict[str, tuple[str, ...]] = {
    "PASLON": ("Pasangan calon", "Paslon", "Calon wakil bupati"),
    "TIMKAM": ("Tim kampanye", "Timses", "Tim sukses", "Relawan paslon"),
    "PARPOL": ("Pengurus parpol", "Partai politik"),
    "ASN": ("ASN", "PNS", "Kepala dinas", "Camat", "Guru PNS"),
    "NON_ASN": ("Honorer", "Pegawai honorer", "Tenaga kontrak"),
    "KADES": ("Kades", "Kepala desa"),
    "PERANGKAT_DESA": ("Perangkat desa", "Sekretaris desa", "Kadus"),
    "BPD": ("BPD", "Anggota BPD"),
    "TNI": ("TNI", "Anggota TNI"),
    "POLRI": ("Polri", "Anggota Polri"),
    "KPU_KAB": ("KPU Kabupaten", "Anggota KPU"),
    "PPK": ("PPK", "Anggota PPK"),
    "PPS": ("PPS", "Anggota PPS"),
    "KPPS": ("KPPS", "Calon KPPS"),
    "MASYARAKAT": ("Masyarakat", "Warga"),
    "TIDAK_DIKETAHUI": ("Tidak diketahui", "Tdk diketahui", "Orang tidak dikenal"),
}
"""`Terlapor / Jabatan` of the register."""

ELECTIONS: dict[str, tuple[str, ...]] = {
    "PILGUB": ("Pilgub", "Gubernur", "Pemilihan Gubernur dan Wakil Gubernur"),
    "PILBUP": ("Pilbup", "Bupati", "Pemilihan Bupati dan Wakil Bupati"),
    "PILWAKO": ("Pilwako", "Walikota", "Pilwalkot", "Pemilihan Wali Kota dan Wakil Wali Kota"),
}
"""`Pemilihan` of the recap; empty on prevention and nihil rows."""

ACTIVITY_KINDS: dict[str, tuple[str, ...]] = {
    "LHP": ("Kampanye",),
    "PREV": ("Pencegahan",),
    "NIHIL": ("Nihil", "NIHIL"),
}
"""`Jenis Kegiatan` of the recap; a nihil row only says that the district had nothing to report."""

METHODS: dict[str, tuple[str, ...]] = {
    "TATAP_MUKA": ("Tatap muka", "Tatap muka dan dialog", "Pertemuan tatap muka"),
    "TERBATAS": ("Pertemuan terbatas", "Terbatas"),
    "RAPAT_UMUM": ("Rapat umum",),
    "LAIN": ("Kegiatan lain", "Kegiatan lainnya", "Jalan santai", "Bazar"),
}
"""`Metode / Bentuk` of the recap where the row is a campaign event."""

PREVENTION_TYPES: dict[str, tuple[str, ...]] = {
    "IMBAUAN_TERTULIS": ("Imbauan tertulis", "Himbauan tertulis", "Surat imbauan"),
    "IMBAUAN_LISAN": ("Imbauan lisan", "Himbauan lisan"),
    "SOSIALISASI": ("Sosialisasi", "Sosialisasi pengawasan partisipatif"),
    "KOORDINASI": ("Koordinasi", "Rapat koordinasi"),
}
"""`Metode / Bentuk` of the recap where the row is a prevention action."""

RECAP_FORMS: dict[str, str] = {
    "IMBAUAN_TERTULIS": "NASKAH_DINAS",
    "IMBAUAN_LISAN": "LAINNYA",
    "SOSIALISASI": "PENDIDIKAN",
    "KOORDINASI": "KERJA_SAMA",
}
"""The official form (domain.md 1.9) of each prevention action of the recap."""

PREVENTION_FORMS: dict[str, tuple[str, ...]] = {
    "IDENTIFIKASI_KERAWANAN": ("Identifikasi kerawanan", "Pemetaan kerawanan"),
    "PENDIDIKAN": ("Pendidikan", "Pendidikan pemilih"),
    "PARTISIPASI": ("Partisipasi masyarakat", "Pengawasan partisipatif"),
    "KERJA_SAMA": ("Kerja sama", "Kerjasama"),
    "NASKAH_DINAS": ("Naskah dinas", "Imbauan / naskah dinas"),
    "PUBLIKASI": ("Publikasi",),
    "LAINNYA": ("Kegiatan lainnya", "Lainnya"),
}
"""`Bentuk` of the Formulir Pencegahan."""

PREVENTION_KINDS: dict[str, dict[str, tuple[str, ...]]] = {
    "IDENTIFIKASI_KERAWANAN": {
        "TPS_RAWAN": ("Pemetaan TPS rawan", "TPS rawan"),
        "KOORDINASI_DATA": ("Koordinasi data",),
    },
    "PENDIDIKAN": {
        "SOSIALISASI": ("Sosialisasi tatap muka", "Sosialisasi"),
        "P2P": ("P2P", "Pendidikan pengawas partisipatif"),
    },
    "PARTISIPASI": {
        "FORUM_WARGA": ("Forum warga",),
        "KAMPUNG_PENGAWASAN": ("Kampung pengawasan", "Desa pengawasan partisipatif"),
    },
    "KERJA_SAMA": {"NOTA_KESEPAHAMAN": ("Nota kesepahaman", "MoU")},
    "NASKAH_DINAS": {
        "IMBAUAN_TERTULIS": ("Imbauan tertulis", "Surat imbauan"),
        "SURAT_PENCEGAHAN": ("Surat pencegahan",),
    },
    "PUBLIKASI": {
        "SIARAN_PERS": ("Siaran pers", "Rilis pers"),
        "KONTEN_MEDSOS": ("Konten media sosial", "Konten medsos"),
    },
    "LAINNYA": {
        "PATROLI": ("Patroli pengawasan", "Patroli"),
        "APEL_SIAGA": ("Apel siaga",),
    },
}
"""`Jenis` of the Formulir Pencegahan, by form."""

TARGET_GROUPS: dict[str, tuple[str, ...]] = {
    "PESERTA": ("Peserta pemilihan", "Pasangan calon"),
    "TIM_KAMPANYE": ("Tim kampanye", "Timses"),
    "WARGA": ("Masyarakat", "Warga"),
    "TOKOH_MASYARAKAT": ("Tokoh masyarakat",),
    "TOKOH_AGAMA": ("Tokoh agama", "Pemuka agama"),
    "LEMBAGA_ADAT": ("Lembaga adat",),
    "PEMUDA": ("Pemuda", "Mahasiswa", "Komunitas"),
    "ORMAS": ("Ormas",),
    "MEDIA": ("Media massa", "Insan pers"),
    "PEMDA": ("Pemerintah daerah", "Pemda"),
    "ASN": ("ASN", "PNS"),
    "KADES": ("Kepala desa", "Perangkat desa"),
    "KPU": ("KPU dan jajaran", "PPK"),
    "TNI_POLRI": ("TNI/Polri",),
    "PEMANTAU": ("Pemantau",),
}
"""`Sasaran` of the Formulir Pencegahan (separated by `;`)."""

OFFICE_LEVELS: dict[str, tuple[str, ...]] = {
    "KAB": ("Kabupaten/Kota", "Kab/Kota", "Bawaslu Kab/Kota"),
    "PROV": ("Provinsi", "Bawaslu Provinsi"),
}
"""`Tingkat` of the Formulir Pencegahan."""

STAGES: dict[str, tuple[str, ...]] = {
    "KAMPANYE": ("Kampanye", "Masa kampanye"),
    "PUNGUT": ("Pungut hitung", "Pemungutan suara"),
}
"""`Tahapan` of the Formulir Pencegahan."""

VENUES: dict[str, tuple[str, ...]] = {
    "BALAI": ("Balai desa", "Gedung serbaguna", "Aula Serba Contoh"),
    "IBADAH": ("Halaman masjid", "Gereja Contoh"),
    "LAPANGAN": ("Lapangan bola", "Lapangan Rekaan, dekat pantai"),
    "RUMAH": ("Rumah warga", "Rumah Bapak Contoh RT 03"),
    "WARUNG": ("Warung kopi", "Warkop Misal"),
    "PASAR": ("Pasar", "Pasar pagi"),
    "KANTOR": ("Kantor desa", "Kantor kecamatan", "Kantor Dinas Rekaan"),
    "KANTOR_PENGAWAS": ("Sekretariat Panwascam",),
    "PENDIDIKAN": ("Sekolah", "SMA Negeri Contoh"),
    "POSKO": ("Posko relawan", "Posko"),
}
"""`Lokasi` of the recap, `Tempat` of the Formulir Pencegahan: a kind of place, often its name."""

OBSERVER_ORGANISATIONS: dict[str, tuple[str, ...]] = {
    "PANTAU_REKAAN": ("Jaringan Pantau Rekaan",),
    "PENGAMAT_CONTOH": ("Simpul Pengamat Contoh",),
    "KAMPUS_MISAL": ("Kampus Misal Mengawasi",),
}
"""`pemantau/lembaga` of the observers' form: invented organisations."""

TEST_NARRATIVES: tuple[str, ...] = ("Pemeriksaan Tes", "TES", "tes", "coba", "Coba input")
"""The whole of `Uraian`, `Keterangan` or `kejadian/uraian` of a row typed to try the system."""

REGENCIES: dict[str, tuple[str, ...]] = {
    "19.01": ("Bangka", "Bangka Induk"),
    "19.02": ("Belitung",),
    "19.03": ("Bangka Selatan", "Basel"),
    "19.04": ("Bangka Tengah", "Bateng"),
    "19.05": ("Bangka Barat", "Babar"),
    "19.06": ("Belitung Timur", "Beltim"),
    "19.71": ("Pangkal Pinang", "Pangkalpinang", "PGK", "Pkl. Pinang"),
}
"""Regencies by Kemendagri code; the first may get `Kab.`, `Kabupaten` or `Kota` before it."""

DISTRICTS: dict[str, tuple[str, ...]] = {
    "19.01.07": ("Riausilip",),
    "19.01.08": ("Pudingbesar",),
    "19.02.01": ("Tanjung Pandan", "Tg. Pandan"),
    "19.02.03": ("Selatnasik",),
    "19.03.02": ("Lepar Pongok",),
    "19.03.03": ("Air Gegas",),
    "19.03.08": ("Kep. Pongok",),
    "19.04.02": ("Pangkalanbaru",),
    "19.04.03": ("Sungaiselan", "Sei Selan"),
    "19.04.04": ("Simpangkatis", "Sp. Katis"),
    "19.05.01": ("Muntok",),
    "19.05.02": ("Simpangteritip", "Sp. Teritip"),
    "19.05.06": ("Parit Tiga",),
    "19.06.06": ("Sp. Renggiang",),
    "19.06.07": ("Sp. Pesak",),
    "19.71.01": ("Bukitintan",),
    "19.71.02": ("Tamansari",),
    "19.71.03": ("Pangkalbalam",),
    "19.71.07": ("Giri Maya",),
}
"""Spellings of districts besides the official one (by Kemendagri code)."""

MONTHS: dict[int, tuple[str, ...]] = {
    9: ("September", "Sept", "Sep"),
    10: ("Oktober", "Okt"),
    11: ("November", "Nopember", "Nov", "Nop"),
    12: ("Desember", "Des"),
}
"""Months of the campaign, and of the plans for after it, as written, the full name first."""

WEEKDAYS: tuple[tuple[str, ...], ...] = (
    ("Senin",),
    ("Selasa",),
    ("Rabu",),
    ("Kamis",),
    ("Jumat", "Jum'at"),
    ("Sabtu",),
    ("Minggu", "Ahad"),
)
"""Names of the days, Monday first."""
