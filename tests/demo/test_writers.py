"""The files of an invented world, read by other means than Lumbung's own connectors."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import zipfile
from collections import Counter
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from lumbung.demo import people, reckoning, world, writers
from lumbung.settings import JAKARTA

REGISTER = Path("register_laporan/Buku Register Laporan 2024.xlsx")
RECAP = Path("rekap_pengawasan/Rekap Pengawasan Kampanye dan Pencegahan.xlsx")
REGISTER_REVISION = Path("register_laporan/Revisi Register Laporan 2024.xlsx")
RECAP_REVISION = Path("rekap_pengawasan/Revisi Rekap Pengawasan.xlsx")
CHATS = [
    Path("wa_aduan/Chat WhatsApp dengan Posko Aduan Babel.zip"),
    Path("wa_aduan/Chat WhatsApp dengan Posko Aduan Babel (1).zip"),
]
PREVENTION = Path("form_pencegahan/Ekspor Form Pencegahan.xlsx")
PLAN = Path("rencana_pencegahan/Rencana Pencegahan 2024.csv")
FORM = Path("kobo_pemantau.json")
STAMP = re.compile(r"(\d\d/\d\d/\d\d \d\d\.\d\d) - (?:([^:\n]+): )?", re.MULTILINE)

Row = list[Any]


@pytest.fixture(scope="module", params=[1, 77])
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def inbox(seed: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inbox")
    writers.write(world.generate(seed), folder)
    return folder


@pytest.fixture(scope="module")
def truth(seed: int) -> dict[str, Any]:
    return reckoning.truth_of(world.generate(seed))


def sheets(path: Path) -> dict[str, list[Row]]:
    book = CalamineWorkbook.from_path(str(path))
    return {
        name: book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        for name in book.sheet_names
        if name in ("September", "Oktober", "November")
    }


def rows(path: Path) -> list[Row]:
    """The rows of all sheets that have a number."""
    return [row for _, row in keyed_rows(path)]


def keyed_rows(path: Path) -> list[tuple[tuple[str, str], Row]]:
    """The rows of all sheets that have a number, with sheet and number."""
    found = [
        ((name, str(row[0]).removesuffix(".0")), row)
        for name, sheet in sheets(path).items()
        for row in sheet
    ]
    return [(key, row) for key, row in found if key[1].isdigit()]


def chat(inbox: Path, number: int) -> str:
    with zipfile.ZipFile(inbox / CHATS[number]) as archive:
        texts = [name for name in archive.namelist() if name.endswith(".txt")]
        assert texts == ["Chat WhatsApp dengan Posko Aduan Babel.txt"]
        return archive.read(texts[0]).decode()


def messages(text: str) -> list[str]:
    """The messages with a sender, stamp and all."""
    starts = list(STAMP.finditer(text))
    ends = [*(match.start() for match in starts[1:]), len(text)]
    return [
        text[match.start() : end]
        for match, end in zip(starts, ends, strict=True)
        if match[2] is not None
    ]


def submissions(inbox: Path) -> list[dict[str, Any]]:
    content = json.loads((inbox / FORM).read_text(encoding="utf-8"))
    assert content["uid"] == writers.ASSET_UID
    return list(content["results"])


def test_the_same_seed_writes_the_same_bytes_in_another_process(
    inbox: Path, seed: int, truth: dict[str, Any], tmp_path: Path
) -> None:
    code = (
        "import sys; from pathlib import Path; from lumbung.demo import reckoning, world, writers;"
        f"made = world.generate({seed}); writers.write(made, Path(sys.argv[1]));"
        "truth = reckoning.truth_of(made);"
        "reckoning.write_truth(truth, Path(sys.argv[1]) / 'truth.json')"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "America/Lima", "LC_ALL": "C"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, env=environment)
    reckoning.write_truth(truth, inbox / "truth.json")
    files = {path.relative_to(inbox) for path in inbox.rglob("*") if path.is_file()}
    revisions = {REGISTER_REVISION, RECAP_REVISION}
    prevention = {PREVENTION, PLAN}
    expected = {REGISTER, RECAP, *revisions, *CHATS, FORM, *prevention, Path("truth.json")}
    assert files == expected
    for file in files:
        assert (inbox / file).read_bytes() == (tmp_path / file).read_bytes(), file


def test_what_is_there_is_not_touched_and_what_is_cut_is_replaced(tmp_path: Path) -> None:
    """A pull may run while a demo is run again; a correction stands in the file changed last."""

    def written() -> dict[Path, tuple[int, int]]:
        writers.write(made, tmp_path)
        states = {path: path.stat() for path in tmp_path.rglob("*") if path.is_file()}
        return {path: (state.st_ino, state.st_mtime_ns) for path, state in states.items()}

    made = world.generate(5, 1)
    before = written()
    whole = (tmp_path / RECAP).read_bytes()
    (tmp_path / RECAP).write_bytes(whole[:100])
    after = written()
    assert {path for path in after if after[path] != before.get(path)} == {tmp_path / RECAP}
    assert (tmp_path / RECAP).read_bytes() == whole


def test_the_register_has_the_layout_of_the_contract(inbox: Path) -> None:
    book = sheets(inbox / REGISTER)
    assert list(book) == ["September", "Oktober", "November"]
    for sheet in book.values():
        groups, columns = sheet[3], sheet[4]
        assert [" ".join(filter(None, pair)) for pair in zip(groups, columns, strict=True)] == [
            *("No", "Nomor Register", "Tanggal Diterima", "Diketahui", "Kejadian"),
            *("Pelapor Nama", "Alamat", "No. HP", "Terlapor Nama", "Jabatan"),
            *("Tempat Kejadian Kab/Kota", "Kecamatan", "Desa/Kelurahan"),
            *("Uraian", "Isu", "Jenis Pelanggaran", "Status", "Alasan"),
            *("Diteruskan Ke", "Tindak Lanjut", "Dalam Kegiatan Kampanye"),
        ]
        assert sum(str(row[0]).startswith("Jumlah") for row in sheet) == 1
        assert any(row[1] == "Mengetahui," for row in sheet)
        assert {len(row) for row in sheet} == {21}


def test_the_recap_has_the_layout_of_the_contract(inbox: Path) -> None:
    book = sheets(inbox / RECAP)
    assert list(book) == ["September", "Oktober", "November"]
    for sheet in book.values():
        groups, columns = sheet[3], sheet[4]
        assert [" ".join(filter(None, pair)) for pair in zip(groups, columns, strict=True)] == [
            *("No", "Tanggal", "Wilayah Kode Kab (Kemendagri)", "Kecamatan", "Jenis Kegiatan"),
            *("Pemilihan", "Metode / Bentuk", "Pelaksana Nama", "Jabatan", "Lokasi", "Keterangan"),
        ]
        numbers = [str(row[0]).removesuffix(".0") for row in sheet if str(row[0])[:1].isdigit()]
        assert numbers == [str(number) for number in range(1, len(numbers) + 1)]


def test_the_register_holds_what_the_truth_counts(inbox: Path, truth: dict[str, Any]) -> None:
    book = rows(inbox / REGISTER)
    counts = truth["channels"]["register_laporan"]
    assert len(book) + len(rows(inbox / REGISTER_REVISION)) == counts["read"]
    numbers = [str(row[1]).upper() for row in book]
    reports = [row for row in truth["reports"] if row["channel"] == "register_laporan"]
    for report in reports:
        assert report["register_number"].upper() in numbers
    missing = [row for row in book if row[1] in ("", "-")]
    assert len(missing) == truth["quarantine"]["register_laporan"]["required_field_missing"]
    pasted = [row for row, following in pairwise(book) if row == following]
    assert len(pasted) == counts["duplicate"]
    taken = [
        number
        for number, count in Counter(
            str(row[1]) for row in book if row not in (*missing, *pasted)
        ).items()
        if count > 1
    ]
    assert len(taken) == truth["quarantine"]["register_laporan"]["key_repeated"]
    bare = [row for row in book if row[10] == "1903"]
    unknown = [row for row in reports if row["regency_code"] == "19.00"]
    assert [row[1].upper() for row in bare] == [row["register_number"].upper() for row in unknown]
    assert {row[13] for row in book} >= {"Pemeriksaan Tes", "TES"}
    assert {row[2] for row in book} >= {"31 September 2024", "31 Nopember 2024"}


def test_the_register_is_written_as_registers_are(inbox: Path) -> None:
    book = rows(inbox / REGISTER)
    dates = [cell for row in book for cell in row[2:5]]
    assert {type(cell) for cell in dates} >= {str, date, float}
    texts = [cell for cell in dates if isinstance(cell, str)]
    for form in (
        r"(?i) ?(senin|selasa|rabu|kamis|jum'?at|sabtu|minggu|ahad), .*2024 ?",
        r"\d\d/\d\d/2024",
        r"\d{1,2}-\d{1,2}-2024",
        r"\d{1,2}/\d{1,2}/24",
        r"(?i) ?tgl  ?\d.*",
        r"(?i).*nopember.*",
        r"(?i)\d+ s[./]d\.? \d+ .*",
    ):
        assert any(re.fullmatch(form, text) for text in texts), form
    assert any(str(row[1]) != str(row[1]).upper() for row in book)
    assert {row[12] for row in book} & {"-", ""}


def test_the_recap_holds_what_the_truth_counts(inbox: Path, truth: dict[str, Any]) -> None:
    revised = dict(keyed_rows(inbox / RECAP_REVISION))
    book = list((dict(keyed_rows(inbox / RECAP)) | revised).values())
    assert len(book) + len(revised) == truth["channels"]["rekap_pengawasan"]["read"]
    spoiled = sum(truth["excluded"]["rekap_pengawasan"].values())
    campaign = Counter(
        str(row[2]).replace(".", "").strip()[:4]
        for row in book
        if row[4].strip().lower() == "kampanye"
    )
    events = Counter(row["regency_code"].replace(".", "") for row in truth["supervisions"])
    assert campaign.keys() == events.keys()
    assert sum(campaign.values()) == sum(events.values()) + spoiled
    assert sum((campaign - events).values()) == spoiled
    prevention = [row for row in book if row[4].strip().lower() == "pencegahan"]
    assert len(prevention) == sum(not row["is_form_entry"] for row in truth["preventions"])
    assert {type(row[2]) for row in book} == {str, float}
    # A merged cell shows its value in its first row only.
    assert any(row[3] == "" for row in book)
    # The recap counts days from 1904: a reader that ignores it is four years off.
    dated = [row[1] for row in book if isinstance(row[1], date)]
    assert len(dated) > 1_000
    assert min(dated) >= date(2024, 9, 23)
    assert max(dated) <= date(2024, 11, 24)
    by_day = Counter(
        cell for row in book if row[4].strip().lower() == "kampanye" for cell in [row[1]]
    )
    true = Counter(date.fromisoformat(row["activity_date"]) for row in truth["supervisions"])
    assert all(count <= true[day] + spoiled for day, count in by_day.items() if day in true)


def test_the_prevention_form_holds_what_the_truth_counts(
    inbox: Path, truth: dict[str, Any]
) -> None:
    header, *book = (
        CalamineWorkbook.from_path(str(inbox / PREVENTION)).get_sheet_by_index(0).to_python()
    )
    assert header == [
        *("No. Entri", "Tanggal Kegiatan", "Tingkat", "Instansi", "Nama Petugas", "Tahapan"),
        *("Bentuk", "Jenis", "Sasaran", "Tema", "Jumlah Peserta", "Kab/Kota", "Kecamatan"),
        *("Desa/Kelurahan", "Tempat", "Uraian Singkat", "Bukti Dukung"),
    ]
    assert len(book) == truth["channels"]["form_pencegahan"]["read"]
    entries = [row for row in truth["preventions"] if row["is_form_entry"]]
    digits = [re.sub(r"\D", "", str(row[10]).removesuffix(".0")) for row in book]
    counted = sum(row["participant_count"] is not None for row in entries)
    assert counted <= sum(map(bool, digits)) <= counted + 5  # the rows that do not count have some
    assert all(row[4].split()[-1] in people.FAMILY_NAMES for row in book)


def test_corrected_rows_come_again_in_a_later_file(inbox: Path, truth: dict[str, Any]) -> None:
    written = {row[1]: row for row in rows(inbox / REGISTER)}
    revised = [(written[row[1]], row) for row in rows(inbox / REGISTER_REVISION)]
    traced = [(old, new) for old, new in revised if "penelusuran" in old[16].lower()]
    assert len(traced) == truth["tip_outcomes"]["TM"] > 0
    for _, new in traced:  # a finding began as a tip, and was registered
        assert "/TM/" in new[1].upper()
        assert "penelusuran" not in new[16].lower()
    ((first, corrected),) = [pair for pair in revised if pair not in traced]
    assert "logistik" in first[14].lower()
    assert "logistik" not in corrected[14].lower()
    assert first[10].strip().lower() != corrected[10].strip().lower()
    (report,) = [
        row
        for row in truth["reports"]
        if (row["register_number"] or "").upper() == corrected[1].upper()
    ]
    assert "LOG" not in report["issues"]
    ((key, event),) = keyed_rows(inbox / RECAP_REVISION)
    action = dict(keyed_rows(inbox / RECAP))[key]
    assert action[4].strip().lower() == "pencegahan"
    assert event[4].strip().lower() == "kampanye"
    for book, revision in ((REGISTER, REGISTER_REVISION), (RECAP, RECAP_REVISION)):
        older, newer = ((inbox / file).stat().st_mtime_ns for file in (book, revision))
        assert older < newer  # of two files with one key the newer stands
    for file in (file for file in inbox.rglob("*") if file.is_file() and file.name != "truth.json"):
        sent = datetime.fromtimestamp(file.stat().st_mtime, JAKARTA)
        assert datetime(2024, 11, 25, 4, tzinfo=JAKARTA) <= sent, file
        assert sent < datetime(2024, 11, 25, 5, tzinfo=JAKARTA), file


def test_a_row_is_entered_weeks_after_its_receipt(inbox: Path, truth: dict[str, Any]) -> None:
    """The book is in the order of entry: a late one stands behind what came in after it."""
    received = {
        str(row["register_number"]).upper(): date.fromisoformat(row["received_date"])
        for row in truth["reports"]
        if row["channel"] == "register_laporan"
    }
    days = [
        received[str(row[1]).upper()]
        for row in rows(inbox / REGISTER)
        if str(row[1]).upper() in received
    ]
    assert any((before - day).days >= 10 for before, day in pairwise(days))


def test_photos_of_the_chat_are_in_the_export_with_media(inbox: Path) -> None:
    with zipfile.ZipFile(inbox / CHATS[0]) as first, zipfile.ZipFile(inbox / CHATS[1]) as second:
        assert len(first.namelist()) == 1
        photos = {name: second.read(name) for name in second.namelist() if name.endswith(".jpg")}
    named = re.findall(r"(IMG-\d{8}-WA\d{4}\.jpg) \(file terlampir\)", chat(inbox, 1))
    assert set(named) == photos.keys() != set()
    for photo in photos.values():
        assert (photo[:3], photo[-2:]) == (b"\xff\xd8\xff", b"\xff\xd9")
    assert len(set(photos.values())) == len(photos)


def test_the_chat_exports_overlap_as_the_truth_counts(inbox: Path, truth: dict[str, Any]) -> None:
    first, second = (messages(chat(inbox, number)) for number in (0, 1))
    counts = truth["channels"]["wa_aduan"]
    assert len(first) + len(second) == counts["read"]
    overlap = len(first) + len(second) - counts["landed"] - counts["quarantined"]
    assert overlap == counts["duplicate"]
    assert first[-overlap:] == second[:overlap]
    whole = first + second[overlap:]
    tips = [text for text in whole if re.search(r"^.{14} - [^:]+: aduan\n", text, re.IGNORECASE)]
    apart = truth["excluded"]["wa_aduan"]
    counted = [row for row in truth["reports"] if row["channel"] == "wa_aduan"]
    assert len(tips) == len(counted) + apart["test_row"]
    assert sum("Pesan ini telah dihapus" in text for text in whole) == apart["deleted_message"]
    assert sum(text.startswith("31/02/24") for text in whole) == 1
    by_minute = Counter(text.split(": ")[0] + text for text in whole)
    assert 2 in by_minute.values()
    days = Counter("20{2}-{1}-{0}".format(*text[:8].split("/")) for text in tips)
    received = Counter(row["received_date"] for row in counted)
    assert sum((days - received).values()) == apart["test_row"]
    assert not received - days


def test_tips_follow_the_template(inbox: Path) -> None:
    whole = messages(chat(inbox, 0)) + messages(chat(inbox, 1))
    for text in whole:
        if re.search(r"^.{14} - [^:]+: aduan\n", text, re.IGNORECASE):
            labels = [line.split(":")[0].strip() for line in text.splitlines()[1:5]]
            assert labels == ["Tanggal", "Lokasi", "Isu", "Uraian"]


def test_the_form_names_regencies_by_bps_and_times_in_utc(
    inbox: Path, truth: dict[str, Any]
) -> None:
    reference = Path(world.__file__).parent / "reference" / "regency.csv"
    with reference.open(encoding="utf-8") as file:
        kemendagri = {row["bps_code"]: row["code"] for row in csv.DictReader(file)}
    assert kemendagri["1903"] == "19.05"  # swapped between the two systems
    assert kemendagri["1905"] == "19.03"
    found = submissions(inbox)
    assert len(found) == truth["channels"]["kobo_pemantau"]["read"]
    tests = [row for row in found if row["kejadian/uraian"] == "tes"]
    assert len(tests) == truth["excluded"]["kobo_pemantau"]["test_row"]
    true = [row for row in truth["reports"] if row["channel"] == "kobo_pemantau"]
    assert Counter(
        kemendagri.get(row.get("kejadian/kode_kab", ""), "19.00")
        for row in found
        if row not in tests
    ) == Counter(row["regency_code"] for row in true)
    # Late on a Sunday in UTC it is Monday, another ISO week, in WIB.
    assert any(row["_submission_time"] == "2024-09-29T17:40:00" for row in found)
    monday = [row for row in true if row["received_date"] == "2024-09-30"]
    assert {row["week_id"] for row in monday} == {"2024-W40"}


def test_one_submission_was_edited(inbox: Path) -> None:
    found = submissions(inbox)
    (edited,) = (row for row in found if "meta/deprecatedID" in row)
    assert edited["meta/rootUuid"] == edited["meta/deprecatedID"]
    assert edited["meta/instanceID"] == f"uuid:{edited['_uuid']}"
    assert edited["meta/rootUuid"] != edited["meta/instanceID"]
    assert all(row["meta/rootUuid"] == f"uuid:{row['_uuid']}" for row in found if row != edited)
    assert len({row["meta/rootUuid"] for row in found}) == len(found)


def test_nobody_named_or_numbered_can_exist(inbox: Path) -> None:
    chats = chat(inbox, 0) + chat(inbox, 1)
    books = (REGISTER, RECAP, REGISTER_REVISION, RECAP_REVISION)
    cells = [str(cell) for file in books for row in rows(inbox / file) for cell in row]
    everything = "\n".join([*cells, chats, (inbox / FORM).read_text(encoding="utf-8")])
    phones = re.findall(r"(?:\+62|\b0)[ -]?8\d\d[ -]?\d{3,4}[ -]?\d{3,5}", everything)
    assert len(phones) > 40
    assert all(re.fullmatch(r"(0|\+62 )800-0000-\d{4}", phone) for phone in phones)
    book = rows(inbox / REGISTER)
    named = {row[5] for row in book} | {row[8] for row in book}
    named |= {row[7] for row in rows(inbox / RECAP)}
    named |= {row["pemantau/nama"] for row in submissions(inbox)}
    senders = {match[2] for match in STAMP.finditer(chats) if match[2]}
    named |= {sender.removeprefix("Warga ") for sender in senders if sender.startswith("Warga")}
    assert len(named) > 50
    assert all(name.split()[-1] in people.FAMILY_NAMES for name in named)
    others = {sender for sender in senders if not sender.startswith(("Warga ", "+62 800-0000-"))}
    assert others == {"Posko Aduan Babel"}


def test_a_longer_world_only_adds_rows(tmp_path: Path) -> None:
    for weeks in (3, 4):
        writers.write(world.generate(5, weeks), tmp_path / str(weeks))
    for file in (REGISTER, RECAP):
        short, longer = (sheets(tmp_path / str(weeks) / file) for weeks in (3, 4))
        for name, sheet in short.items():
            numbered = [row for row in sheet if re.match(r"\d", str(row[0]))]
            again = [row for row in longer[name] if re.match(r"\d", str(row[0]))]
            assert again[: len(numbered)] == numbered
    short_form, longer_form = (submissions(tmp_path / str(weeks)) for weeks in (3, 4))
    assert longer_form[: len(short_form)] == short_form
