"""What is told: the themes of incidents with their usual actors, and the talk of a chat group."""

from __future__ import annotations

from typing import NamedTuple


class Theme(NamedTuple):
    """How incidents of one theme look.

    Attributes:
        types: the violation types they may carry.
        roles: who is usually accused.
        stories: the narratives told about them.
    """

    types: tuple[str, ...]
    roles: tuple[str, ...]
    stories: tuple[str, ...]


THEMES: dict[str, Theme] = {
    "SARA": Theme(
        ("PID",),
        ("TIDAK_DIKETAHUI", "MASYARAKAT", "TIMKAM"),
        (
            "Spanduk bernada SARA terpasang di simpang jalan, warga protes kepada ketua RT.",
            "Ceramah berisi ajakan memilih berdasarkan suku direkam dan disebarkan di grup.",
        ),
    ),
    "KH": Theme(
        ("PID",),
        ("TIDAK_DIKETAHUI", "MASYARAKAT", "TIMKAM"),
        (
            "Selebaran gelap berisi fitnah terhadap salah satu paslon ditemukan di pagar rumah.",
            "Akun anonim menyebarkan kabar bohong tentang paslon nomor urut 2.",
        ),
    ),
    "PU": Theme(
        ("PID",),
        ("TIMKAM", "PASLON", "MASYARAKAT"),
        (
            "Terlapor mencoba membagikan amplop berisi uang kepada warga seusai pengajian.",
            "Sembako dengan stiker paslon dibagikan dari rumah ke rumah pada malam hari.",
            "Warga menerima kupon belanja dan diminta memilih paslon tertentu.",
        ),
    ),
    "ASN": Theme(
        ("HKL", "PID"),
        ("ASN", "ASN", "NON_ASN"),
        (
            "Terlapor hadir pada kampanye dan berfoto dengan simbol jari paslon.",
            "Pegawai membagikan ajakan memilih di grup percakapan kantor.",
        ),
    ),
    "KADES": Theme(
        ("HKL", "PID"),
        ("KADES", "PERANGKAT_DESA", "BPD"),
        (
            "Kepala desa mengarahkan warga saat pembagian bantuan.",
            "Perangkat desa memasang stiker paslon di balai desa.",
        ),
    ),
    "TNIPOL": Theme(
        ("HKL",), ("TNI", "POLRI"), ("Anggota hadir berseragam di lokasi kampanye tanpa tugas.",)
    ),
    "PENY": Theme(
        ("ETIK",),
        ("PPK", "PPS", "KPPS", "KPU_KAB"),
        ("Anggota penyelenggara terlihat ikut rapat tim pemenangan.",),
    ),
    "APK": Theme(
        ("ADM",),
        ("TIMKAM", "PARPOL", "TIDAK_DIKETAHUI"),
        (
            "Baliho dipasang pada pohon dan tiang listrik di zona terlarang.",
            "Sejumlah spanduk paslon dirusak orang tidak dikenal.",
        ),
    ),
    "FAS": Theme(
        ("ADM", "PID"),
        ("PASLON", "TIMKAM"),
        ("Kampanye dilakukan di halaman rumah ibadah seusai salat Jumat.",),
    ),
    "ANAK": Theme(
        ("ADM",), ("PASLON", "TIMKAM"), ("Anak-anak memakai atribut paslon dan diajak berjoget.",)
    ),
    "DPH": Theme(
        ("ADM",), ("PPS", "TIDAK_DIKETAHUI"), ("Warga yang sudah pindah masih tercatat di DPT.",)
    ),
    "PUNGHIT": Theme(("ADM",), ("KPPS",), ("TPS dibuka terlambat.",)),
    "LOG": Theme(("ADM",), ("PPK", "KPU_KAB"), ("Kotak logistik diterima dalam keadaan basah.",)),
    "LAIN": Theme(("SKT",), ("KPU_KAB", "TIDAK_DIKETAHUI"), ("Keberatan atas keputusan KPU.",)),
}

ORDINARY: dict[str, float] = {
    "KADES": 5,
    "FAS": 4,
    "PENY": 3,
    "ANAK": 3,
    "TNIPOL": 2,
    "DPH": 2,
    "LAIN": 2,
    "LOG": 1,
    "PU": 1,
    "APK": 1,
    "ASN": 1,
    "KH": 0.7,
    "SARA": 0.3,
}
"""How often a theme comes up where nothing marks the regency; no votes are counted yet."""

CHATTER = (
    "Selamat pagi bapak ibu semua 🙏",
    "Siap, terima kasih infonya",
    "Besok posko buka jam berapa ya?",
    "Jadwal piket: Senin sampai Jumat, 08.00 - 16.00",
    "Pak, tadi malam di dekat pasar ada yang bagi-bagi amplop, tapi saya tidak lihat siapa",
    "Mohon jangan kirim stiker di grup ini",
    "Izin bertanya, bolehkah melapor tanpa KTP?\nSaya takut diketahui tetangga",
    "Baik bu, nanti saya sampaikan ke Panwascam",
    "Hadir 🙌",
    "Terima kasih, aduan sudah kami catat dan teruskan",
    "Ada yang punya nomor Panwascam?\nTanggal 5 kemarin saya telepon tidak diangkat",
)
"""Messages that are no tips, though some come near."""

LONG_STORY = (
    "Pembagian amplop di dua tempat:\n05/10/24 sekitar jam 19.30 di lapangan\n- lalu di warung"
)
"""Lines of one message that look like the beginning of another."""
ENCRYPTED = (
    "Pesan dan panggilan terenkripsi secara end-to-end. Hanya orang di chat ini yang bisa membaca,"
    " mendengarkan, atau membagikannya. Pelajari selengkapnya."
)
DELETED = "Pesan ini telah dihapus"
OMITTED = "<Media tidak disertakan>"
TEMPLATE = (
    "Mohon aduan memakai format berikut ya:\n\nADUAN\nTanggal: (kapan)"
    "\nLokasi: (kecamatan, kab/kota)\nIsu: (misalnya politik uang)\nUraian: (apa yang terjadi)"
)
"""The pinned message with the template: it contains one, but is none."""

VENUES = ("Balai desa", "Gedung serbaguna", "Lapangan bola", "Rumah warga", "Warung kopi", "Pasar")
PREVENTION_PLACES = ("Kantor desa", "Sekretariat Panwascam", "Kantor kecamatan", "Posko relawan")
UNKNOWN_PLACES = ("dekat pasar lama", "gang sebelah sekolah", "-")
"""`Lokasi` of tips that name no place anyone could find."""
NETWORKS = ("Jaringan Pantau Rekaan", "Simpul Pengamat Contoh", "Kampus Misal Mengawasi")
"""Invented observer organisations."""
