"""Write the files that the offices of an invented world deliver, in their native formats.

The same world gives the same bytes. docs/reference/demo.md describes the layouts;
`lumbung.demo.clerks` varies the spellings.
"""

from __future__ import annotations

import csv
import filecmp
import json
import os
import random
import uuid
import zipfile
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import xlsxwriter

from lumbung.demo import vocabulary
from lumbung.demo.clerks import Cell, Clerk
from lumbung.demo.facts import (
    COUNTED,
    DUPLICATE,
    Activity,
    Case,
    Message,
    Prevention,
    Submission,
    Tip,
    week_of,
)
from lumbung.demo.people import invent
from lumbung.demo.world import World

PIXEL = b64decode(
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////"
    "////////////////////////////wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA="
) + bytes.fromhex("ffd9")
"""A JPEG of one pixel."""
ASSET_UID = "aPemantauRekaan2024"
"""The observers' form on the KoboToolbox server."""
REGISTER_FILE = "Buku Register Laporan 2024.xlsx"
RECAP_FILE = "Rekap Pengawasan Kampanye dan Pencegahan.xlsx"
REGISTER_REVISION = "Revisi Register Laporan 2024.xlsx"
RECAP_REVISION = "Revisi Rekap Pengawasan.xlsx"
"""Corrected rows, in files sent later: the newer file prevails."""
CHAT_NAME = "Chat WhatsApp dengan Posko Aduan Babel"
PREVENTION_FILE = "Ekspor Form Pencegahan.xlsx"
PLAN_FILE = "Rencana Pencegahan 2024.csv"
KOBO_FILE = "kobo_pemantau.json"

OFFICE = "BADAN PENGAWAS PEMILIHAN UMUM PROVINSI KEPULAUAN BANGKA BELITUNG (DATA REKAAN)"
WRITTEN_AT = datetime(2024, 9, 23, 8, 0)  # noqa: DTZ001 -- a workbook property has no time zone
SENT_HOUR = 4
"""The hour (WIB) of the Monday after the last week at which the files were sent, as the time of
their last change says; the edition is due at six."""
SHEETS = {9: "September", 10: "Oktober", 11: "November"}

Row = list[Cell]
Revised = list[tuple[str, Row]]
"""Corrected rows by the sheet that they stand on."""
Header = Sequence[tuple[str, Sequence[str]]]
"""Groups and their columns; a group without columns is one column whose header is two rows high."""


def write(world: World, inbox: Path) -> None:
    """Write the deliveries of every channel of the world.

    A file that is there with the same bytes is left alone, and any other appears whole: a pull may
    run meanwhile, and of two files with one row, the time of change decides which one prevails.

    Args:
        world: the world.
        inbox: the folder of inboxes; receives one folder per channel and, beside them, the data
            that `lumbung.demo.kobo_server` serves.

    """
    inbox.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".", dir=inbox) as folder:
        drafts = Path(folder)
        for path in _written(world, drafts):
            target = inbox / path.relative_to(drafts)
            target.parent.mkdir(exist_ok=True)
            if not (target.exists() and filecmp.cmp(path, target, shallow=False)):
                path.replace(target)


def _written(world: World, inbox: Path) -> list[Path]:
    """Write all files; they are returned in the order in which they were sent, a minute apart."""
    for channel in (
        *("register_laporan", "rekap_pengawasan", "wa_aduan"),
        *("form_pencegahan", "rencana_pencegahan"),
    ):
        (inbox / channel).mkdir()
    _write_register(world, inbox / "register_laporan")
    _write_recap(world, inbox / "rekap_pengawasan")
    _write_preventions(world, inbox / "form_pencegahan" / PREVENTION_FILE)
    _write_plans(world, inbox / "rencana_pencegahan" / PLAN_FILE)
    _write_chats(world, inbox / "wa_aduan")
    _write_form(world, inbox / KOBO_FILE)
    files = [path for path in inbox.rglob("*") if path.is_file()]
    files.sort(key=lambda path: (path.stat().st_mtime_ns, path.name))
    for number, path in enumerate(files):
        sent = (world.ended_at + timedelta(hours=SENT_HOUR, minutes=number)).timestamp()
        os.utime(path, (sent, sent))
    return files


# --- spreadsheets ----------------------------------------------------------------------------

REGISTER_HEADER: Header = (
    ("No", ()),
    ("Nomor Register", ()),
    ("Tanggal", ("Diterima", "Diketahui", "Kejadian")),
    ("Pelapor", ("Nama", "Alamat", "No. HP")),
    ("Terlapor", ("Nama", "Jabatan")),
    ("Tempat Kejadian", ("Kab/Kota", "Kecamatan", "Desa/Kelurahan")),
    ("Uraian", ()),
    ("Isu", ()),
    ("Jenis Pelanggaran", ()),
    ("Status", ()),
    ("Alasan", ()),
    ("Diteruskan Ke", ()),
    ("Tindak Lanjut", ()),
    ("Dalam Kegiatan Kampanye", ()),
)
RECAP_HEADER: Header = (
    ("No", ()),
    ("Tanggal", ()),
    ("Wilayah", ("Kode Kab (Kemendagri)", "Kecamatan")),
    ("Jenis Kegiatan", ()),
    ("Pemilihan", ()),
    ("Metode / Bentuk", ()),
    ("Pelaksana", ("Nama", "Jabatan")),
    ("Lokasi", ()),
    ("Keterangan", ()),
)
DISTRICT_COLUMN = 3


def _write_register(world: World, folder: Path) -> None:
    """The desk's book: a sheet per month, and a hidden sheet with the choices of a column."""
    clerk, handler = Clerk(f"{world.seed}/desk"), Clerk(f"{world.seed}/desk/handling")
    reviser = Clerk(f"{world.seed}/desk/revision")
    revised: Revised = []
    with xlsxwriter.Workbook(str(folder / REGISTER_FILE)) as book:
        book.set_properties({"created": WRITTEN_AT})
        for month, cases in _by_month(world.register, lambda case: case.entered):
            sheet = _Sheet(book, SHEETS[month], REGISTER_HEADER)
            sheet.title(
                "BUKU REGISTER LAPORAN DAN TEMUAN", OFFICE, f"BULAN {SHEETS[month].upper()} 2024"
            )
            sheet.header()
            number, cells = 0, []
            for case in cases:
                if case.fate != DUPLICATE:  # a row pasted twice keeps its number
                    number += 1
                    cells = _case_cells(clerk, handler, case.first or case, number)
                if case.first:
                    row = _case_cells(reviser, reviser, case, number)
                    revised.append((SHEETS[month], row))
                sheet.row(cells)
                if number % 12 == 0:
                    sheet.blank()
            kinds = [case.kind for case in cases]
            reports, findings = kinds.count("LP"), kinds.count("TM")
            sheet.subtotal(f"Jumlah Laporan: {reports}, Jumlah Temuan: {findings}", len(cases))
            sheet.signature(clerk)
        hidden = book.add_worksheet("Daftar Pilihan")
        hidden.very_hidden()
        for position, status in enumerate(vocabulary.STATUSES):
            hidden.write(position, 0, status)
    _write_revision(folder / REGISTER_REVISION, {}, REGISTER_HEADER, revised)


def _write_revision(path: Path, options: dict[str, Any], header: Header, rows: Revised) -> None:
    """Only the corrected rows, with their sheets and numbers; no file if there are none."""
    if not rows:
        return
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"created": WRITTEN_AT})
        for name, same_sheet in groupby(rows, lambda row: row[0]):
            sheet = _Sheet(book, name, header)
            sheet.title("REVISI", OFFICE, f"LEMBAR {name.upper()}")
            sheet.header()
            for _, cells in same_sheet:
                sheet.row(cells)


def _case_cells(clerk: Clerk, handler: Clerk, case: Case, number: int) -> Row:
    place = case.incident.place
    district = place.district
    village = clerk.rng.choice(district.villages) if district else None
    is_vague = clerk.rng.random() < 0.2
    values: dict[str, Cell] = {
        "No": clerk.number(number),
        "Nomor Register": case.number or None,
        "Diterima": clerk.date_cell(case.received),
        "Diketahui": clerk.date_cell(case.known),
        "Kejadian": clerk.odd_date_cell(case.occurred),
        "Pelapor": case.reporter.name,
        "Alamat": case.reporter.address,
        "No. HP": case.reporter.phone,
        "Terlapor": case.accused.name,
        "Jabatan": clerk.word(vocabulary.ROLES, case.incident.role),
        "Kab/Kota": clerk.regency(place.regency) if place.regency else None,
        "Kecamatan": clerk.district(district) if district else None,
        "Desa/Kelurahan": clerk.nothing() if is_vague or village is None else village,
        "Uraian": case.narrative,
        "Isu": clerk.words(vocabulary.ISSUES, case.incident.issues, "; "),
        "Jenis Pelanggaran": clerk.words(vocabulary.VIOLATION_TYPES, case.types, ", "),
        "Status": clerk.word(vocabulary.STATUSES, case.status),
        "Alasan": clerk.word(vocabulary.NON_REGISTRATION_REASONS, case.reason)
        if case.reason
        else clerk.nothing(),
        "Diteruskan Ke": handler.word(vocabulary.FORWARDING_TARGETS, case.target)
        if case.target
        else handler.nothing(),
        "Tindak Lanjut": _follow_up(handler, case),
        "Dalam Kegiatan Kampanye": handler.word(vocabulary.CONTEXTS, case.context)
        if case.context
        else handler.nothing(),
    }
    return list((values | dict(case.written)).values())


def _follow_up(clerk: Clerk, case: Case) -> Cell:
    """What became of a forwarded case; the status `selesai` also says that it is closed."""
    must_say_closed = case.is_closed and case.status != "selesai"
    if must_say_closed or (case.is_forwarded and clerk.rng.random() < 0.5):
        return clerk.cased(clerk.rng.choice(vocabulary.FOLLOW_UPS[case.is_closed]))
    return clerk.nothing()


def _write_recap(world: World, folder: Path) -> None:
    """The districts' recap, a workbook with the 1904 date system."""
    clerk, reviser = Clerk(f"{world.seed}/recap"), Clerk(f"{world.seed}/recap/revision")
    venues = Clerk(f"{world.seed}/recap/venues")
    revised: Revised = []
    options = {"date_1904": True}
    with xlsxwriter.Workbook(str(folder / RECAP_FILE), options) as book:
        book.set_properties({"created": WRITTEN_AT})
        for month, rows in _by_month(world.recap, lambda row: row.entered):
            sheet = _Sheet(book, SHEETS[month], RECAP_HEADER)
            sheet.title("REKAP PENGAWASAN KAMPANYE DAN PENCEGAHAN", OFFICE)
            sheet.title(f"PEMILIHAN TAHUN 2024 - {SHEETS[month].upper()}")
            sheet.header()
            number = 0
            for week, delivered in groupby(rows, lambda row: week_of(row.entered)):
                began = number
                for _, same_district in groupby(delivered, lambda row: row.district.code):
                    block = list(same_district)
                    for row in block:
                        number += 1
                        sheet.row(_activity_cells(clerk, venues, row.first or row, number))
                        if row.first:
                            cells = _activity_cells(reviser, venues, row, number)
                            revised.append((SHEETS[month], cells))
                    if len(block) > 1 and clerk.rng.random() < 0.2:
                        sheet.merge_down(DISTRICT_COLUMN, len(block), block[0].district.name)
                sheet.subtotal(f"Jumlah minggu {int(week[-2:])}", number - began)
            sheet.signature(clerk)
    _write_revision(folder / RECAP_REVISION, options, RECAP_HEADER, revised)


def _activity_cells(clerk: Clerk, venues: Clerk, row: Activity, number: int) -> Row:
    code: tuple[Cell, ...] = (row.regency.code, float(row.regency.code), _undotted(row))
    tables = {"LHP": vocabulary.METHODS, "PREV": vocabulary.PREVENTION_TYPES}
    values: dict[str, Cell] = {
        "No": clerk.number(number),
        "Tanggal": clerk.date_cell(row.day),
        "Kode": clerk.rng.choices(code, (8, 1, 1))[0],
        "Kecamatan": clerk.district(row.district),
        "Jenis": clerk.word(vocabulary.ACTIVITY_KINDS, row.kind),
        "Pemilihan": clerk.word(vocabulary.ELECTIONS, row.election)
        if row.election
        else clerk.nothing(),
        "Bentuk": clerk.word(tables[row.kind], row.code) if row.code else clerk.nothing(),
        "Nama": row.officer.name,
        "Jabatan": "Panwaslu Kecamatan",
        "Lokasi": venues.word(vocabulary.VENUES, row.venue) if row.venue else venues.nothing(),
        "Keterangan": row.note or clerk.nothing(),
    }
    return list((values | dict(row.written)).values())


def _undotted(row: Activity) -> str:
    return row.regency.code.replace(".", "")


PREVENTION_COLUMNS = (
    *("No. Entri", "Tanggal Kegiatan", "Tingkat", "Instansi", "Nama Petugas", "Tahapan", "Bentuk"),
    *("Jenis", "Sasaran", "Tema", "Jumlah Peserta", "Kab/Kota", "Kecamatan", "Desa/Kelurahan"),
    *("Tempat", "Uraian Singkat", "Bukti Dukung"),
)


def _write_preventions(world: World, path: Path) -> None:
    """The export of the Formulir Pencegahan: one sheet, its header in the first row."""
    clerk, venues = Clerk(f"{world.seed}/prevention"), Clerk(f"{world.seed}/prevention/venues")
    with xlsxwriter.Workbook(str(path)) as book:
        book.set_properties({"created": WRITTEN_AT})
        sheet = _Sheet(book, "Form Pencegahan", [(name, ()) for name in PREVENTION_COLUMNS])
        sheet.row(list(PREVENTION_COLUMNS))
        cells: Row = []
        for entry in world.preventions:
            if entry.fate != DUPLICATE:  # an entry pasted twice has the same cells
                cells = _prevention_cells(clerk, venues, entry)
            sheet.row(cells)


def _prevention_cells(clerk: Clerk, venues: Clerk, entry: Prevention) -> Row:
    place = entry.place
    office = f"Bawaslu {place.regency.name}" if place.regency else "Bawaslu Provinsi"
    kinds = vocabulary.PREVENTION_KINDS.get(entry.form or "", {})
    values: dict[str, Cell] = {
        "No": entry.number or None,
        "Tanggal": clerk.date_cell(entry.day),
        "Tingkat": clerk.word(vocabulary.OFFICE_LEVELS, entry.level),
        "Instansi": office,
        "Nama": entry.officer.name,
        "Tahapan": clerk.word(vocabulary.STAGES, entry.stage) if entry.stage else clerk.nothing(),
        "Bentuk": clerk.word(vocabulary.PREVENTION_FORMS, entry.form)
        if entry.form
        else clerk.nothing(),
        "Jenis": clerk.word(kinds, entry.kind) if entry.kind else clerk.nothing(),
        "Sasaran": clerk.words(vocabulary.TARGET_GROUPS, entry.targets, "; "),
        "Tema": clerk.words(vocabulary.ISSUES, entry.issues, "; "),
        "Peserta": _participants(clerk, entry.participants),
        "Kab/Kota": clerk.regency(place.regency) if place.regency else clerk.nothing(),
        "Kecamatan": clerk.district(place.district) if place.district else clerk.nothing(),
        "Desa": entry.village or clerk.nothing(),
        "Tempat": venues.word(vocabulary.VENUES, entry.venue) if entry.venue else venues.nothing(),
        "Uraian": entry.note,
        "Bukti": f"https://drive.example.id/{clerk.rng.getrandbits(48):012x}",
    }
    return list((values | dict(entry.written)).values())


def _participants(clerk: Clerk, count: int | None) -> Cell:
    """A number, sometimes with a word beside it."""
    if count is None:
        return clerk.nothing()
    return clerk.rng.choice((count, count, count, f"{count} orang", f"± {count} peserta"))


PLAN_COLUMNS = (
    *("No", "Kab/Kota", "Tema", "Bentuk", "Sasaran", "Mulai", "Selesai", "Jumlah Kegiatan"),
    *("Jumlah Peserta", "Penanggung Jawab", "Keterangan"),
)


def _write_plans(world: World, path: Path) -> None:
    """The plan of prevention as CSV, in the columns of the template."""
    clerk = Clerk(f"{world.seed}/plan")
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(PLAN_COLUMNS)
        for number, plan in enumerate(world.plans, 1):
            out.writerow(
                (
                    number,
                    clerk.regency(plan.regency),
                    clerk.words(vocabulary.ISSUES, plan.issues, "; "),
                    clerk.word(vocabulary.PREVENTION_FORMS, plan.form),
                    clerk.words(vocabulary.TARGET_GROUPS, plan.targets, "; "),
                    clerk.date_text(plan.start),
                    clerk.date_text(plan.end),
                    plan.activities,
                    plan.participants,
                    clerk.word(vocabulary.OFFICE_LEVELS, "KAB"),
                    clerk.nothing(),
                )
            )


def _by_month(
    rows: Sequence[Any], entered: Callable[[Any], date]
) -> Iterable[tuple[int, list[Any]]]:
    """The rows of each sheet: those entered in its month, in their order."""
    for month in SHEETS:
        if inside := [row for row in rows if entered(row).month == month]:
            yield month, inside


class _Sheet:
    """A sheet that is filled from top to bottom in the layout of an office."""

    def __init__(self, book: xlsxwriter.Workbook, name: str, header: Header) -> None:
        self.sheet = book.add_worksheet(name)
        self.groups = header
        self.width = sum(len(columns) or 1 for _, columns in header)
        self.bold = book.add_format({"bold": True, "align": "center", "border": 1})
        self.dated = book.add_format({"num_format": "dd/mm/yyyy"})
        self.at = 0

    def title(self, *lines: str) -> None:
        """Lines merged across the whole width."""
        for line in lines:
            self.sheet.merge_range(self.at, 0, self.at, self.width - 1, line, self.bold)
            self.at += 1

    def header(self) -> None:
        """Two header rows: groups above their columns; single columns span both rows."""
        column = 0
        for group, columns in self.groups:
            if not columns:
                self.sheet.merge_range(self.at, column, self.at + 1, column, group, self.bold)
            else:
                last = column + len(columns) - 1
                self.sheet.merge_range(self.at, column, self.at, last, group, self.bold)
                self.sheet.write_row(self.at + 1, column, columns, self.bold)
            column += len(columns) or 1
        self.at += 2

    def row(self, cells: Row) -> None:
        """A row; texts are written as texts, whatever they look like."""
        for column, cell in enumerate(cells):
            if isinstance(cell, date):
                self.sheet.write_datetime(self.at, column, cell, self.dated)
            elif isinstance(cell, str):
                self.sheet.write_string(self.at, column, cell)
            elif cell is not None:
                self.sheet.write_number(self.at, column, cell)
        self.at += 1

    def merge_down(self, column: int, count: int, text: str) -> None:
        """Merge a column's cells of the last rows into one; it counts for each of these rows."""
        self.sheet.merge_range(self.at - count, column, self.at - 1, column, text, self.bold)

    def blank(self) -> None:
        """An empty row."""
        self.at += 1

    def subtotal(self, label: str, count: int) -> None:
        """A row with the sum of the rows above, in merged cells."""
        self.sheet.merge_range(self.at, 0, self.at, self.width - 2, label, self.bold)
        self.sheet.write_number(self.at, self.width - 1, count)
        self.at += 1

    def signature(self, clerk: Clerk) -> None:
        """An empty row, then the signatures on the left and on the right."""
        right = self.width - 3
        for left, text in (
            ("", ""),
            ("Mengetahui,", "Pangkalpinang, akhir bulan"),
            ("Koordinator Divisi", "Petugas Register,"),
            ("", ""),
            (invent(clerk.rng).name, invent(clerk.rng).name),
        ):
            if text:
                self.sheet.write_string(self.at, 1, left)
                self.sheet.write_string(self.at, right, text)
            self.at += 1


# --- WhatsApp --------------------------------------------------------------------------------


def _write_chats(world: World, folder: Path) -> None:
    """Two exports of an Indonesian Android phone: times in minutes, no time zone, no ids."""
    lines = [_line(world.seed, position, message) for position, message in enumerate(world.chat)]
    for number, part in enumerate(world.chat_exports):
        suffix = f" ({number})" if number else ""
        with zipfile.ZipFile(folder / f"{CHAT_NAME}{suffix}.zip", "w") as archive:
            entry = zipfile.ZipInfo(f"{CHAT_NAME}.txt", world.chat[part][-1].at.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # the same bytes on every system
            archive.writestr(entry, "\n".join(lines[part]) + "\n")
            if number:  # the second export includes media
                for name in dict.fromkeys(_photos(world.chat[part])):
                    archive.writestr(zipfile.ZipInfo(name, entry.date_time), _picture(name))


def _photos(messages: Iterable[Message]) -> Iterable[str]:
    """The names of the files attached to the messages."""
    for message in messages:
        name, attached, _ = message.text.removeprefix("\u200e").partition(" (file terlampir)")
        if attached:
            yield name


def _picture(name: str) -> bytes:
    """A JPEG of one pixel with its name as comment, so that no two are the same."""
    comment = name.encode()
    length = (len(comment) + 2).to_bytes(2)
    return PIXEL[:2] + b"\xff\xfe" + length + comment + PIXEL[2:]


def _line(seed: int, position: int, message: Message) -> str:
    """A message as exported, possibly of several lines."""
    stamp = message.written.get("stamp", f"{message.at:%d/%m/%y %H.%M}")
    clerk = Clerk(f"{seed}/chat/{position}")
    text = _template(clerk, message.tip, message.written) if message.tip else message.text
    if message.tip and message.fate == COUNTED and clerk.rng.random() < 0.05:
        text += " <Pesan ini telah diedit>"
    return f"{stamp} - {message.sender}: {text}" if message.sender else f"{stamp} - {text}"


def _template(clerk: Clerk, tip: Tip, written: Mapping[str, str]) -> str:
    fields = {
        "Tanggal": clerk.date_text(tip.occurred).strip() if tip.occurred else "-",
        "Lokasi": clerk.location(tip.place),
        "Isu": str(clerk.words(vocabulary.ISSUES, tip.incident.issues, "; ")).strip(),
        "Uraian": tip.narrative,
    } | dict(written)
    colon = clerk.rng.choice((": ", ": ", ": ", " : "))
    first = clerk.rng.choice(("ADUAN", "ADUAN", "ADUAN", "Aduan"))
    return "\n".join((first, *(f"{name}{colon}{value}" for name, value in fields.items())))


# --- the observers' form ---------------------------------------------------------------------


def _write_form(world: World, path: Path) -> None:
    """The data of the stand-in: the form's uid and its submissions in the format of KoboToolbox."""
    rows = [
        _submission(world.seed, position, submission)
        for position, submission in enumerate(world.submissions)
    ]
    text = json.dumps({"uid": ASSET_UID, "results": rows}, ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def _submission(seed: int, position: int, submission: Submission) -> Mapping[str, Any]:
    """A row of the API, v2: answers are texts, an unanswered question has no key."""
    clerk = Clerk(f"{seed}/form/{position}")
    tip, place = submission.tip, submission.tip.place
    root, current = (_uuid(clerk.rng) for _ in range(2))
    started = submission.at - timedelta(minutes=clerk.rng.randint(3, 15))
    answers = {
        "pemantau/nama": submission.observer.name,
        "pemantau/lembaga": (
            Clerk(f"{seed}/form/{position}/lembaga").word(
                vocabulary.OBSERVER_ORGANISATIONS, submission.organisation
            )
            if submission.organisation
            else None
        ),
        "kejadian/tanggal": tip.occurred.isoformat() if tip.occurred else None,
        "kejadian/kode_kab": place.regency.bps_code if place.regency else None,
        "kejadian/kecamatan": clerk.district(place.district) if place.district else None,
        "kejadian/isu": " ".join(vocabulary.KOBO_ISSUES[issue] for issue in tip.incident.issues),
        "kejadian/uraian": tip.narrative,
    }
    edit = {"meta/deprecatedID": f"uuid:{root}"} if submission.is_edited else {}
    instance = current if submission.is_edited else root
    return {
        "_id": 480_000_000 + 37 * position,
        "formhub/uuid": _uuid(random.Random(ASSET_UID)).replace("-", ""),  # noqa: S311
        "start": started.isoformat(timespec="milliseconds"),
        "end": submission.at.isoformat(timespec="milliseconds"),
        "today": f"{submission.at:%Y-%m-%d}",
        "username": "pemantau_rekaan",
        "deviceid": f"collect:{clerk.rng.getrandbits(64):016x}",
        **{key: answer for key, answer in answers.items() if answer},
        "__version__": "vPemantauRekaan1",
        "meta/instanceID": f"uuid:{instance}",
        **edit,
        "meta/rootUuid": f"uuid:{root}",
        "_xform_id_string": ASSET_UID,
        "_uuid": instance,
        "_attachments": [],
        "_status": "submitted_via_web",
        "_geolocation": [None, None],
        "_submission_time": f"{submission.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}",
        "_tags": [],
        "_notes": [],
        "_validation_status": {},
        "_submitted_by": None,
    }


def _uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))
