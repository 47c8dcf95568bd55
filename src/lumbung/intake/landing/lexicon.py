"""The words that name nobody: those of the seeds, of dates and of places.

A word of a declared field stays readable only if it is one of these (see `pseudonyms`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from lumbung.errors import ConfigurationError
from lumbung.intake.parsers.characters import folded

_MONTHS_AND_DAYS = (
    "januari january jan i februari pebruari february feb peb pebr febr ii maret march mar mrt iii"
    " april apr iv mei may v juni june jun vi juli july jul vii agustus august agust agst agus agu"
    " ags agt aug viii september sept sep ix oktober october okt oct x november nopember nov nop"
    " nopem novem xi desember december des dec xii senin senen sen monday mon selasa sel tuesday"
    " tue tues rabu rebo rabo rab wednesday wed kamis kemis kam thursday thu thur thurs jumat"
    " jumaat jum jum'at friday fri sabtu sab saturday sat minggu ahad min mgg sunday sun"
)
_AROUND_A_DATE = (
    "hari hr tanggal tgl tggl tg tertanggal tertgl pada pd per dari mulai sejak tahun thn th bulan"
    " bln kejadian peristiwa terjadi diterima diketahui ditemukan dilaporkan pelaporan laporan"
    " waktu date on of the pagi siang sore petang malam subuh magrib maghrib isya ashar asar zuhur"
    " dzuhur selesai wib ini di pahing pon wage kliwon legi atau or sebelum sesudah sesudahnya"
    " setelah setelahnya kecuali bukan tidak batal dibatalkan ditunda diundur ralat diralat revisi"
    " lalu kemarin besok esok lusa minus sampai hingga until to through dan serta and depan"
    " berikutnya diganti dipindah antara kurang lebih utc gmt wita wit jelang menjelang awal akhir"
    " pertengahan rencana rencananya jadwal dijadwalkan batas tenggat western indonesia time"
    " barat indochina se asia standard jakarta dengan dgn ke s d sd sekarang kini saat seterusnya"
    " pukul pkl pkul pk jam jm at setengah dini hari tengah bada ba'da bakda stlh usai sehabis"
    " habis abis selepas shalat salat sholat sekitar sekira kira sktr skitar lk am pm a p m h st nd"
    " rd th z t rumah ketua rt rw tps no nomor masa tenang kampanye"
)
_AROUND_A_PLACE = (
    "kab kabupaten kota kodya kec kecamatan kel kelurahan desa ds dusun dsn kampung kampong kp"
    " provinsi prov propinsi kepulauan pulau babel bawaslu kantor jalan jln jl rt rw tps no nomor"
    " gang gg blok lingkungan lapangan gedung pasar sekolah masjid di dan dekat depan samping"
    " belakang utara selatan barat timur tengah luar seluruh beberapa antara serta atau sampai"
    " liat sda null"
)

_OF_HEADERS = (
    "nama alamat nomor telepon telp kontak email surel nik ktp umur usia jenis kelamin pekerjaan"
    " agama pendidikan lahir warga negara catatan keterangan ket uraian kronologi peristiwa"
    " saksi pelapor terlapor korban pihak bukti lampiran foto gambar video dokumen berkas link file"
    " sumber lokasi tempat koordinat lintang bujur latitude longitude petugas pengisi pengirim"
    " penerima admin operator verifikator status tahapan tahap hasil tindak lanjut dugaan"
    " pelanggaran pasal isu kategori bentuk metode sasaran jumlah peserta kegiatan judul ringkasan"
    " tautan ulasan kolom isian pertanyaan jawaban cap versi edit tambahan lain lainnya baru nilai"
    " lama tanda tangan paraf jabatan instansi lembaga organisasi partai calon pasangan pemilihan"
    " pemilu pilkada dapil penanganan register laporan temuan name address phone number note notes"
    " comment comments title description author user version type kind photo image location form id"
    " uuid created updated modified start end device"
)

_PLACE_COLUMNS = {
    "regency": ("regency_code", "regency_name", "short_name"),
    "district": ("district_code", "district_name"),
    "village": ("village_code", "village_name"),
    "region_alias": ("region_code", "alias"),
    "outside_region": ("province_code", "outside_name"),
    "place_word": ("province_code", "word"),
}
"""Seed -> its code, which begins with the province's or is empty, and its columns with names."""

WORD = re.compile(r"[^\W\d_]+")
"""A word: letters only."""
_TYPE = re.compile("^(?:kab|kec|kel|kota|desa|prov)")  # 'kabbangkabarat'
_VOWEL = re.compile("[aeiou]")


class Lexicon:
    """The words of an installation's seeds.

    Args:
        dbt_project: the folder of the dbt project.
        province: the province whose places are known; None: all of the seeds.

    Attributes:
        terms: vocabulary -> its terms, as `term_key` spells them.
        blank: words of a cell that says nothing, spelled likewise.
        test_words: words that mark a row as a test of the system.
        longest_test_text, max_value_bytes, max_narrative_bytes: the variables of the project.

    Raises:
        ConfigurationError: when the project's file cannot be read.

    """

    def __init__(self, dbt_project: Path, province: str | None = None) -> None:
        seeds = dbt_project / "seeds"
        variables = _variables(dbt_project / "dbt_project.yml")
        self.blank = frozenset(variables["blank_words"])
        self.longest_test_text: int = variables["longest_test_text"]
        self.max_value_bytes: int = variables["max_value_bytes"]
        self.max_narrative_bytes: int = variables["max_narrative_bytes"]
        self.terms = {
            file.stem.removeprefix("map_"): frozenset(row["term"] for row in _rows(file))
            for file in sorted(seeds.glob("map_*.csv"))
        }
        tests = _rows(seeds / "test_text.csv")
        self.test_words = frozenset(row["word"] for row in tests)
        counted = [row["word"] for row in tests if int(row["weight"]) > 0]
        self._test_stems = [
            word for word in counted if not any(each in word for each in counted if each != word)
        ]
        self._test_word = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, counted))})(?![^\W\d_])")
        self._date_words = frozenset(f"{_MONTHS_AND_DAYS} {_AROUND_A_DATE}".split())
        self._label_words = frozenset(f"{_OF_HEADERS} {' '.join(self.test_words)}".split())
        self._dates_by_end = _by_end(word for word in _MONTHS_AND_DAYS.split() if len(word) >= 5)
        self._place_words = frozenset(_AROUND_A_PLACE.split()) | frozenset(
            word
            for name in _place_names(seeds, province)
            for word in [*words(name), "".join(words(name))]
        )
        self._places_by_end = _by_end(self._place_words)
        self._skeletons = {_skeleton(word) for word in self._place_words if len(word) > 4}
        self._are_places: dict[str, bool] = {}

    def has_test_word(self, text: str) -> bool:
        """Whether a cell has a word that counts as a test (the macro `test_score`)."""
        if len(text) > self.longest_test_text:
            return False
        lowered = text.lower()
        for stem in self._test_stems:  # faster than the pattern, and mostly none is there
            if stem in lowered:
                return self._test_word.search(lowered) is not None
        return False

    def is_label_word(self, word: str) -> bool:
        """Whether a word is one of headers of columns, places or dates; in lower case."""
        return word in self._label_words or word in self._place_words or word in self._date_words

    def is_date_word(self, word: str) -> bool:
        """Whether a word belongs to a date, also with a slip of the pen (`ops.read_date`)."""
        return word in self._date_words or (
            len(word) >= 4
            and any(
                _is_within(2, word, each)
                for end in (word[0], f"-{word[-1]}")
                for each in self._dates_by_end.get(end, ())
            )
        )

    def is_place(self, name: str) -> bool:
        """Whether a word is a word of the name of a region, spelled as the seeds spell it."""
        return name in self._place_words

    def is_place_word(self, word: str) -> bool:
        """Whether a word belongs to the name of a region, or resembles one that does."""
        found = self._are_places.get(word)
        if found is None:
            found = word in self._place_words or self._resembles_a_place(word)
            if len(self._are_places) < 100_000:
                self._are_places[word] = found
        return found

    def _resembles_a_place(self, word: str) -> bool:
        if len(word) < 3 or (len(word) < 6 and not _VOWEL.search(word)):
            return True  # an abbreviation: 'sgl'
        if len(word) > 3 and _skeleton(word) in self._skeletons:
            return True
        slips = 0 if len(word) < 4 else 1 if len(word) < 6 else 2 if len(word) < 9 else 3
        untyped = _TYPE.sub("", word)
        return any(
            (len(each) >= 5 and (word.startswith(each) or untyped.startswith(each)))
            or each.startswith(word)
            or _is_within(slips, word, each)
            for end in (word[:1], f"-{word[-1:]}", untyped[:1])
            for each in self._places_by_end.get(end, ())
        )


@lru_cache
def project_lexicon(dbt_project: Path, province: str | None = None) -> Lexicon:
    """The lexicon of a dbt project and province, read once in a process."""
    return Lexicon(dbt_project, province)


def words(text: str) -> list[str]:
    """The words of a text in lower case: letters only."""
    return WORD.findall(text.lower())


def term_key(text: str) -> str:
    """A word of a vocabulary as the seeds `map_*` spell it: the same as `ops.term_key`."""
    spaced = re.sub(r"(?:[^\S\x1c-\x1f]|_)+", " ", folded(text))  # the spaces of PostgreSQL
    return re.sub(" ?/ ?", "/", spaced).strip(" .,;:-")


def _variables(file: Path) -> dict[str, Any]:
    """The variables of a `dbt_project.yml`."""
    try:
        text = file.read_text(encoding="utf-8")
        variables: dict[str, Any] = yaml.load(text, yaml.CSafeLoader)["vars"]
    except (OSError, ValueError, yaml.YAMLError, TypeError, KeyError) as error:
        raise ConfigurationError(
            f"the dbt project cannot be read: {error!r}",
            where=str(file),
            remediation="restore the file from version control",
        ) from error
    return variables


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _place_names(seeds: Path, province: str | None) -> Iterable[str]:
    """Every name of a place that the seeds have for a province."""
    for seed, (code, *columns) in _PLACE_COLUMNS.items():
        for row in _rows(seeds / f"{seed}.csv"):
            if not province or not row[code] or row[code].startswith(province):
                yield from map(row.__getitem__, columns)


def _by_end(names: Iterable[str]) -> dict[str, list[str]]:
    """First letter, or a hyphen and the last one -> words: a slip leaves one of the two."""
    found: dict[str, list[str]] = {}
    for name in names:
        for end in (name[:1], f"-{name[-1:]}"):
            found.setdefault(end, []).append(name)
    return found


def _skeleton(word: str) -> str:
    return word[:1] + re.sub("[aeiou]", "", word[1:])


def _is_within(slips: int, a: str, b: str) -> bool:
    """Whether Levenshtein's distance of two words is at most so many."""
    # a letter that only one of them has costs a slip: this leaves few words to compare
    if abs(len(a) - len(b)) > slips or len({*a} - {*b}) > slips or len({*b} - {*a}) > slips:
        return False
    before = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y)))
        before = row
    return before[-1] <= slips
