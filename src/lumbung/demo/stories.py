"""Texts of the demo: themes of incidents with their usual actors, and messages of a chat group."""

from __future__ import annotations

from typing import NamedTuple


class Theme(NamedTuple):
    """The incidents of one theme.

    Attributes:
        types: their possible violation types.
        roles: the roles usually accused.
        stories: events, each in the words of several people.
    """

    types: tuple[str, ...]
    roles: tuple[str, ...]
    stories: tuple[tuple[str, ...], ...]


THEMES: dict[str, Theme] = {
    "SARA": Theme(
        ("PID",),
        ("TIDAK_DIKETAHUI", "MASYARAKAT", "TIMKAM"),
        (
            (
                "Spanduk bernada SARA terpasang di simpang jalan, warga protes kepada ketua RT.",
                "Di perempatan ade sepanduk isi e nyinggung suku, orang kampung protes ke pak RT.",
                "Ditemukan kain rentang bermuatan ujaran kebencian terhadap etnis tertentu "
                "di persimpangan; penduduk telah mengadu kepada ketua rukun tetangga.",
                "Min, banner nyerempet suku dipasang di simpang, urang rame marah ke ketua RT.",
            ),
            (
                "Ceramah berisi ajakan memilih berdasarkan suku direkam dan disebarkan di grup.",
                "Penceramah menyampaikan seruan agar memilih yang satu suku, rekamannya "
                "beredar di grup percakapan.",
                "Ustad e ngomong di mimbar suruh milih urang kite bai, videonya la "
                "diteruskan di grup WA.",
                "Khotbah yang mengarahkan jemaah kepada calon dari etnis sendiri diunggah ke "
                "grup WhatsApp.",
            ),
        ),
    ),
    "KH": Theme(
        ("PID",),
        ("TIDAK_DIKETAHUI", "MASYARAKAT", "TIMKAM"),
        (
            (
                "Selebaran gelap berisi fitnah terhadap salah satu paslon ditemukan di pagar "
                "rumah.",
                "Kertas tanpa nama yang menjelekkan calon diselip di pagar rumah-rumah.",
                "Pagi tadik nemu pamflet ngate2 paslon di pagar, dak tau sape yang naruh.",
                "Terdapat brosur tanpa identitas pencetak yang memuat tuduhan keji kepada "
                "kandidat, diletakkan pada pagar kediaman warga.",
            ),
            (
                "Akun anonim menyebarkan kabar bohong tentang paslon nomor urut 2.",
                "Ada akun bodong nyebar hoaks soal calon nomor 2.",
                "Pemilik akun palsu mengunggah berita yang tidak benar mengenai pasangan "
                "nomor urut dua.",
                "Postingan akun palsu tu fitnah gale isi e, yang diserang paslon 02.",
            ),
        ),
    ),
    "PU": Theme(
        ("PID",),
        ("TIMKAM", "PASLON", "MASYARAKAT"),
        (
            (
                "Terlapor mencoba membagikan amplop berisi uang kepada warga seusai pengajian.",
                "Abis yasinan ade yang ngasih amplop ke ibu2, isi e duit.",
                "Selesai majelis taklim, jemaah diberi amplop uang oleh seseorang.",
                "Pulang ngaji kami disodori duit dalam amplop, ku tolak bang.",
            ),
            (
                "Sembako dengan stiker paslon dibagikan dari rumah ke rumah pada malam hari.",
                "Malem2 ade yang keliling ngantar beras same minyak, di kantong e ade stiker "
                "calon.",
                "Paket bahan pokok bergambar stiker pasangan calon diantarkan ke rumah warga "
                "pada waktu malam.",
                "Tim calon ngetuk pintu malam hari kasih sembako yang ditempeli stiker.",
            ),
            (
                "Warga menerima kupon belanja dan diminta memilih paslon tertentu.",
                "Kami dikasih voucher belanja, syarat e harus nyoblos calon itu.",
                "Terdapat pembagian kupon untuk ditukar di toko disertai ajakan memilih "
                "kandidat tertentu.",
                "Dapet kupon belanjaan dari tim, pesan e jangan lupa coblos calon die.",
            ),
        ),
    ),
    "ASN": Theme(
        ("HKL", "PID"),
        ("ASN", "ASN", "NON_ASN"),
        (
            (
                "Terlapor hadir pada kampanye dan berfoto dengan simbol jari paslon.",
                "Yang bersangkutan datang ke kampanye lalu berswafoto mengacungkan jari.",
                "PNS tu ikut kampanye, foto pulak angkat jari nomor calon.",
                "Seorang pegawai negeri tampak di tengah rapat umum dan berpose dengan "
                "isyarat jari pasangan calon.",
            ),
            (
                "Pegawai membagikan ajakan memilih di grup percakapan kantor.",
                "Di grup WA kantor ada pegawai nyuruh dukung calon.",
                "Seorang ASN meneruskan pesan ajakan memilih ke grup WhatsApp dinas.",
                "Orang kantor ngirim pesan suruh pilih paslon di grup kerja.",
            ),
        ),
    ),
    "KADES": Theme(
        ("HKL", "PID"),
        ("KADES", "PERANGKAT_DESA", "BPD"),
        (
            (
                "Kepala desa mengarahkan warga saat pembagian bantuan.",
                "Pak kades ngomong waktu bagi bansos, suruh milih calon die.",
                "Pada penyerahan bantuan sosial, kades menyampaikan arahan agar penerima "
                "memilih calon tertentu.",
                "Pas nerima BLT kami diarahkan kepala desa milih siapa.",
            ),
            (
                "Perangkat desa memasang stiker paslon di balai desa.",
                "Kaur desa nempel stiker calon di kantor desa.",
                "Stiker pasangan calon ditempelkan aparat desa pada dinding balai desa.",
                "Di balai desa kami staf desa nempeli gambar calon, ade stiker e di pintu.",
            ),
        ),
    ),
    "TNIPOL": Theme(
        ("HKL",),
        ("TNI", "POLRI"),
        (
            (
                "Anggota hadir berseragam di lokasi kampanye tanpa tugas.",
                "Ade aparat bebaju dinas nonton kampanye padahal dak tugas.",
                "Seorang anggota tampak berseragam dinas dalam kampanye di luar penugasan.",
                "Anggota pakai seragam datang ke acara kampanye calon, bukan lagi jaga.",
            ),
        ),
    ),
    "PENY": Theme(
        ("ETIK",),
        ("PPK", "PPS", "KPPS", "KPU_KAB"),
        (
            (
                "Anggota penyelenggara terlihat ikut rapat tim pemenangan.",
                "Petugas pemilihan kedapatan duduk di pertemuan tim sukses.",
                "Panitia tu ikut kumpul same timses di posko.",
                "Terlapor sebagai penyelenggara menghadiri konsolidasi tim kampanye.",
            ),
        ),
    ),
    "APK": Theme(
        ("ADM",),
        ("TIMKAM", "PARPOL", "TIDAK_DIKETAHUI"),
        (
            (
                "Baliho dipasang pada pohon dan tiang listrik di zona terlarang.",
                "Gambar calon dipaku di pohon, di tiang listrik ge ade, padahal dak boleh.",
                "Alat peraga berupa baliho terikat pada tiang PLN dan batang pohon di lokasi "
                "yang dilarang.",
                "Baleho calon nempel di tiang listrik same pohon pinggir jalan.",
            ),
            (
                "Sejumlah spanduk paslon dirusak orang tidak dikenal.",
                "Spanduk calon banyak yang sobek, dak tau siape yang ngerusak.",
                "Beberapa banner pasangan calon dirobek oleh pelaku yang tidak dikenal.",
                "Malam tadi spanduk kami dicabik orang, lapor pak.",
            ),
        ),
    ),
    "FAS": Theme(
        ("ADM", "PID"),
        ("PASLON", "TIMKAM"),
        (
            (
                "Kampanye dilakukan di halaman rumah ibadah seusai salat Jumat.",
                "Abis jumatan calon ngomong program di halaman masjid.",
                "Setelah salat Jumat pasangan calon berorasi di pekarangan masjid.",
                "Selesai Jumatan ada tim calon bagi kartu nama di depan masjid.",
            ),
        ),
    ),
    "ANAK": Theme(
        ("ADM",),
        ("PASLON", "TIMKAM"),
        (
            (
                "Anak-anak memakai atribut paslon dan diajak berjoget.",
                "Budak2 kecik disuruh joget pakai kaos calon.",
                "Sejumlah pelajar mengenakan kaus pasangan calon dan menari di panggung kampanye.",
                "Anak sekolah diajak bejoget, bajunya gambar paslon.",
            ),
        ),
    ),
    "DPH": Theme(
        ("ADM",),
        ("PPS", "TIDAK_DIKETAHUI"),
        (
            (
                "Warga yang sudah pindah masih tercatat di DPT.",
                "Tetangga la pindah rumah tapi nama e masih di daftar pemilih.",
                "Pemilih yang telah berganti domisili tetap terdaftar dalam daftar pemilih tetap.",
                "Nama orang yang pindah kok agik ade di DPT?",
            ),
        ),
    ),
    "PUNGHIT": Theme(
        ("ADM",),
        ("KPPS",),
        (
            (
                "TPS dibuka terlambat.",
                "TPS kami telat buka.",
                "Pemungutan suara di TPS dimulai melewati waktu.",
                "Tempat nyoblos molor bukanya.",
            ),
        ),
    ),
    "LOG": Theme(
        ("ADM",),
        ("PPK", "KPU_KAB"),
        (
            (
                "Kotak logistik diterima dalam keadaan basah.",
                "Kardus kotak suara basah kena hujan pas datang.",
                "Logistik tiba dengan kotak yang lembap akibat kehujanan.",
                "Kotak suara e basah gale waktu sampai.",
            ),
        ),
    ),
    "LAIN": Theme(
        ("SKT",),
        ("KPU_KAB", "TIDAK_DIKETAHUI"),
        (
            (
                "Keberatan atas keputusan KPU.",
                "Kami tidak menerima keputusan KPU.",
                "Protes ke KPU soal penetapan.",
                "Pemohon mengajukan keberatan terhadap penetapan KPU.",
            ),
        ),
    ),
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
"""Weight of each theme among ordinary incidents; none about counting, as no vote is cast yet."""

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
"""Messages that are not tips, though some resemble one."""

LONG_STORY = (
    "Pembagian amplop di dua tempat:\n05/10/24 sekitar jam 19.30 di lapangan\n- lalu di warung"
)
"""A message some of whose lines look like the start of another message."""
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
"""The pinned message: it contains the template of a tip, but is not a tip."""

PREVENTION_NOTES = (
    "Peserta diajak melapor bila melihat dugaan pelanggaran.",
    "Materi tentang larangan dalam kampanye dibagikan dan dibahas.",
    "Diserahkan kepada penerima dengan tanda terima.",
    "Berjalan tertib, daftar hadir terlampir.",
)
UNKNOWN_PLACES = ("dekat pasar lama", "gang sebelah sekolah", "-")
"""`Lokasi` of tips that name no identifiable place."""
