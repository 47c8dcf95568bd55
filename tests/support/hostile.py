"""What strangers send: hostile values, and hostile deliveries of every kind of channel.

Good deliveries lie between them. Each says which fact it must become; its narrative holds a marker
that no hostile text has. Everything is drawn from a seeded generator: a failure can be repeated.
"""

from __future__ import annotations

import json
import random
import sqlite3
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from lumbung.settings import JAKARTA
from tests.intake import test_email as email
from tests.intake import test_form_a as form_a
from tests.intake import test_form_csv as form_csv
from tests.intake import test_http_json as http_json
from tests.intake import test_odk as odk
from tests.intake import test_ushahidi as ushahidi
from tests.intake import test_whatsapp_cloud as cloud
from tests.support.channel_samples import workbook

MARKER = "kiriman baik nomor"
"""In the narrative of every good delivery, and of no other."""

FIELDS = {
    "occurred_date": "Kejadian",
    "known_date": "Diketahui",
    "regency": "Kab/Kota",
    "district": "Kecamatan",
    "village": "Desa",
    "issue": "Isu",
    "violation_type": "Jenis",
    "accused_role": "Jabatan",
    "status": "Status",
    "status_reason": "Alasan",
    "forwarded_to": "Diteruskan Ke",
    "follow_up": "Tindak Lanjut",
    "during_campaign_event": "Saat Kampanye",
    "election": "Pemilihan",
    "method": "Bentuk",
    "prevention_type": "Pencegahan",
    "activity_kind": "Kegiatan",
    "narrative": "Uraian",
}
"""Every field that a tip's channel may map, and its label in all of these sources."""

PLACES = [
    ("19.01", "Bangka", "19.01.01", "Sungailiat"),
    ("19.02", "Belitung", "19.02.01", "Tanjungpandan"),
    ("19.03", "Bangka Selatan", "19.03.01", "Toboali"),
    ("19.71", "Pangkalpinang", "19.71.04", "Rangkui"),
]
MONTHS = {10: "Oktober", 11: "November"}


@dataclass(frozen=True)
class Good:
    """A good delivery and the fact that it must become."""

    number: int
    day: date
    regency_code: str
    regency: str
    district_code: str
    district: str

    @property
    def moment(self) -> datetime:
        """When its channel received it: noon of its day in Jakarta."""
        noon = datetime(self.day.year, self.day.month, self.day.day, 12, tzinfo=JAKARTA)
        return noon + timedelta(seconds=self.number)

    @property
    def fields(self) -> dict[str, str]:
        """Its content, by the labels of `FIELDS`."""
        return {
            "Kejadian": f"{self.day.day} {MONTHS[self.day.month]} {self.day.year}",
            "Kab/Kota": self.regency,
            "Kecamatan": self.district,
            "Isu": "politik uang",
            "Uraian": f"{MARKER} {self.number}.",
        }

    @property
    def fact(self) -> tuple[str, str, str, str]:
        """Marker, day, regency and district as `marts.fct_report` has them."""
        return f"{MARKER} {self.number}.", str(self.day), self.regency_code, self.district_code


@dataclass(frozen=True)
class Hostile(Good):
    """A delivery that follows the template, with a text in the place of a word of a vocabulary."""

    text: str = ""

    @property
    def fields(self) -> dict[str, str]:
        """Its content, by the labels of `FIELDS`."""
        return {**super().fields, "Isu": self.text, "Bentuk": self.text, "Uraian": "isi biasa"}


def good_deliveries(count: int) -> list[Good]:
    """Good deliveries of October and November 2024, in the order in which they came."""
    return [
        Good(number, date(2024, 10, 7) + timedelta(days=number), *PLACES[number % len(PLACES)])
        for number in range(count)
    ]


# -- hostile values --------------------------------------------------------------------------------

TEXTS: list[Callable[[random.Random], str]] = [
    lambda r: r.randbytes(6_000).hex(),
    lambda r: "9" * r.choice([5, 20, 400, 20_000]),
    lambda r: "-" * r.choice([1, 3, 50_000]),
    lambda r: r.choice(["a", "Bangka" + "a"]) * r.choice([130, 256, 900, 2_700, 70_000]),
    lambda r: "Bangk" + "a" * r.choice([60, 249, 260, 900]),
    lambda r: "x" * r.choice([10, 10_000]) + "\U0001f4a3" * 3_000,
    lambda r: "".join(map(chr, r.choices(range(1, 0x2FFF), k=200))),
    lambda r: "".join(map(chr, r.choices([0, 1, 8, 0xB, 0x1B, 0x7F, 0xFFFE, 0xD800], k=20))),
    lambda r: "\u202e" + "gnau kitilop" + "\u2066\u200b" * 40,
    lambda r: "é" + "\u0301" * r.choice([50, 9_000]),
    lambda r: " " * r.choice([1, 60_000]) + "!",
    lambda r: "' or 1=1; drop table raw.record; --",
    lambda r: "{{ 7 * 7 }}{% for x in y %}${7*7}<%= 7 %>",
    lambda r: "<script>alert(1)</script><img src=x onerror=alert(2)>",
    lambda r: r.choice(["=cmd|' /C calc'!A0", "+1+1", "@SUM(A1)", '=HYPERLINK("http://x")']),
    lambda r: r.choice(["../../etc/passwd", "\\\\host\\share", "file:///etc/passwd", "%s%n%x"]),
    lambda r: r.choice(["31/02/2024", "00/00/0000", "9999-12-31", "2029-01-01", "-4712-01-01"]),
    lambda r: f"{r.choice(['9' * 20_000, '0' * 4_000, '1'])}/{'1' * 4_000}/2024",
    lambda r: r.choice(["2024-11-06T99:99:99Z", "294277-01-01T00:00:00Z", "24:61 WIB", "1e400"]),
    lambda r: f"{'1' * r.choice([8, 9, 30])} November {'2' * r.choice([4, 5, 300])}",
    lambda r: r.choice(["1903", "19.99", "19.03.99.9999", "0" * 300, "１９０３"]),
    lambda r: r.choice(["Jumlah", "TOTAL", "Nihil", "tes", "-", "NULL", "nan", "Infinity"]),
    lambda r: f"{'9' * 300}/Reg/LP/PB/Kab/09.01/XI/{'2' * 300}",
    lambda r: f"001/LP/PB/Kab/09.01/{'I' * 4_000}/2024",
    lambda r: ";".join(["politik uang"] * r.choice([3, 5_000])),
    lambda r: ";".join(r.randbytes(8).hex() for _ in range(r.choice([3, 2_000]))),
    lambda r: "06/11/2029 19.33 - Pengawas: ADUAN\nLokasi: Bangka",
    lambda r: "\n".join(["[06/11/2024, 19.33.05] Ketua: ADUAN"] * 200),
    lambda r: "\n" * r.choice([2, 30_000]),
    lambda r: "<" * 20_000 + "diedit>" + "(" * 5_000,
    lambda r: "Kec. " * 4_000 + "Bangka",
    lambda r: "senin " * 8_000,
    lambda r: r.choice(
        ["٠٦/١١/٢٠٢٤", "６ November ２０２４", "6\u200b/11/2024", "²/¹¹/2024", "-5 orang"]
    ),
    lambda r: unicodedata.normalize(r.choice(["NFD", "NFKD"]), "Désa Bángka\u00a0Sélatan, ﬁtnah"),
]
"""Texts for any field that a stranger fills."""


def text(r: random.Random) -> str:
    """One hostile text."""
    return r.choice(TEXTS)(r)


def short(r: random.Random) -> str:
    """A hostile text that a cell of a spreadsheet can hold."""
    return "".join(c for c in text(r)[:30_000] if c >= " " and not "\ud800" <= c <= "\udfff")


def value(r: random.Random, depth: int = 0) -> Any:
    """A hostile JSON value."""
    simple: list[Callable[[], Any]] = [
        lambda: text(r),
        lambda: r.choice([None, True, False, 0, -1, 1e308, 5e-324, 2**63, 10**300]),
        lambda: [text(r) for _ in range(3)],
        lambda: {text(r)[:300]: text(r)},
        lambda: ["x"] * 20_000,
        lambda: json.loads("[" * 200 + "]" * 200),
    ]
    if depth < 2:
        simple.append(lambda: [value(r, depth + 1)])
    return r.choice(simple)()


def record(r: random.Random, of: Callable[[random.Random], Any] = value) -> dict[str, Any]:
    """Fields of a hostile delivery: some good words among what is hostile."""
    plausible = {**good_deliveries(1)[0].fields, "Uraian": "isi biasa"}
    made = {label: plausible.get(label, "") for label in FIELDS.values() if r.random() < 0.7}
    for label in r.sample([*FIELDS.values()], r.randint(1, 6)):
        made[label] = of(r)
    if r.random() < 0.1:
        made[short(r)[:200] or "?"] = of(r)
    return made


def garbage(r: random.Random, whole: bytes) -> bytes:
    """A file that is cut, changed or no such file."""
    match r.randrange(5):
        case 0:
            return whole[: r.randrange(len(whole))]
        case 1:
            at = r.randrange(len(whole))
            return whole[:at] + r.randbytes(40) + whole[at + 40 :]
        case 2:
            return r.randbytes(r.choice([0, 1, 2_000]))
        case 3:
            return b"PK\x03\x04" + r.randbytes(300)
        case _:
            buffer = BytesIO()
            with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("../../x", b"0" * 1_000_000)
                archive.writestr("xl/workbook.xml", b"<" * 100_000)
            return buffer.getvalue()


# -- a sender a kind: writes good and hostile deliveries, says how many of them a pull must read ---

COLUMNS = ["Nomor", "Diterima", *FIELDS.values()]
PART = 500
"""Deliveries in one file: a reader of workbooks has too little memory for thousands."""
HEAD = 8 << 20
"""Bytes of a file that broken copies are made of."""


def parts(rows: list[Any]) -> Iterator[list[Any]]:
    """The rows of each file."""
    return (rows[first : first + PART] for first in range(0, len(rows), PART))


def register(r: random.Random, count: int, goods: list[Good], inbox: Path) -> int:
    """Tables with hostile cells among good rows, and files that are none."""
    rows: list[list[Any]] = [
        [f"{good.number:03}/LP/PB/Kab/09.01/XI/2024", good.day]
        + [good.fields.get(label, "") for label in FIELDS.values()]
        for good in goods
    ]
    for number in range(count):
        made = record(r, short)
        key = r.choice([f"{number + 200:03}/TM/PB/Kab/09.01/XI/2024", f"kunci {number}"])
        received = r.choice(["2024-11-06", short(r), ""])
        rows.insert(
            r.randrange(len(rows) + 1),
            [key, received, *(made.get(label, "") for label in FIELDS.values())],
        )
    books = [workbook({"Data": [COLUMNS, *part]}) for part in parts(rows)]
    for number, book in enumerate(books):
        (inbox / f"buku {number}.xlsx").write_bytes(book)
    for number in range(count // 20):
        name = f"rusak {number}{r.choice(['.xlsx', '.xls', '.xlsb', '.ods', '.csv'])}"
        (inbox / name).write_bytes(garbage(r, books[0]))
    return len(rows)


def form(r: random.Random, count: int, goods: list[Good], inbox: Path) -> int:
    """A form's responses, hostile answers among good ones, and files that are none."""
    labels = [*FIELDS.values()]
    rows = [
        [f"{good.moment:%d/%m/%Y %H.%M.%S}", *(good.fields.get(label, "") for label in labels)]
        for good in goods
    ]
    for number in range(count):
        made = record(r, short)
        stamp = f"{date(2024, 11, 1) + timedelta(days=number % 20):%d/%m/%Y} 08.{number % 60:02}.00"
        rows.append([stamp, *(made.get(label, "") for label in labels)])
    content = form_csv.text([["Cap waktu", *labels], *rows]).encode()
    form_csv.put(inbox, content, name="Respons.csv")
    for number in range(count // 20):
        form_csv.put(inbox, garbage(r, content[:HEAD]), name=f"rusak {number}.csv")
    return len(rows)


def message(fields: dict[str, Any]) -> str:
    """A tip of a chat or mail that follows the template."""
    return "\n".join(
        ["ADUAN", *(f"{label}: {reported}" for label, reported in fields.items() if reported)]
    )


def chat(r: random.Random, count: int, goods: list[Good], inbox: Path) -> int:
    """An export of a group in which hostile members write; in the order of time."""
    lines = [(good.moment, "Warga", message(good.fields)) for good in goods]
    start = goods[0].moment
    for number in range(count):
        at = start + timedelta(minutes=37 * number % 40_000)
        sent = message(record(r, text)) if r.random() < 0.7 else text(r)
        lines.append((at, r.choice(["Iseng", "+62 811-0000-0000", short(r)[:30] or "?"]), sent))
    lines.sort(key=lambda line: line[0])
    exports = [
        "\n".join(f"{at:%d/%m/%y %H.%M} - {who}: {sent}" for at, who, sent in part)
        for part in parts(lines)
    ]
    for number, body in enumerate(exports):
        (inbox / f"obrolan {number}.txt").write_bytes(body.encode("utf-8", "replace"))
    content = exports[0].encode("utf-8", "replace")[:HEAD]
    for number in range(count // 20):
        (inbox / f"rusak {number}.zip").write_bytes(garbage(r, content))
    return 0  # a hostile text may hold lines that look like messages, or no line at all


def requests(r: random.Random, count: int, goods: list[Good], inbox: Path) -> int:
    """Requests of the WhatsApp Cloud API, signed as Meta signs them."""
    sent = [
        cloud.body(cloud.message(f"wamid.baik{good.number}", message(good.fields),
                                 at=int(good.moment.timestamp())))
        for good in goods
    ]  # fmt: skip
    for number in range(count):
        reported = cloud.message(f"wamid.{number}", message(record(r, text)))
        if r.random() < 0.2:
            reported[r.choice(["text", "type", "timestamp", "from", "context"])] = value(r)
        sent.append(cloud.body(reported))
    # lone surrogates as escapes, which JSON allows and UTF-8 does not
    whole = (json.loads(each.decode("utf-8", "surrogatepass")) for each in sent)
    lines = [cloud.line(json.dumps(each).encode()) for each in whole]
    (inbox / "kiriman.jsonl").write_bytes(b"".join(lines))
    return len(sent)


def forms_a(r: random.Random, count: int, goods: list[Good], inbox: Path) -> int:
    """Forms A with hostile paragraphs, and files that are none."""
    for good in goods:
        place = f"Kec. {good.district}, {good.regency}"
        lines = [
            "LAPORAN HASIL PENGAWASAN", f"Nomor : {good.number:03}/LHP/PM.00.02/K.BB-03/XI/2024",
            "II. Kegiatan Pengawasan", f"a. Bentuk : {good.fields.get('Bentuk', 'tatap muka')}",
            f"c. Waktu dan Tempat : {good.fields['Kejadian']}, pukul 09.30 WIB, {place}",
            "III. Uraian Singkat Hasil Pengawasan", good.fields["Uraian"],
        ]  # fmt: skip
        (inbox / f"baik {good.number}.docx").write_bytes(form_a.written("\n".join(lines)))
    for number in range(count):
        lines = [
            "LAPORAN HASIL PENGAWASAN", f"Nomor : {short(r)[:500]}", "II. Kegiatan Pengawasan",
            f"a. Bentuk : {short(r)}", f"c. Waktu dan Tempat : {short(r)}",
            "III. Uraian Singkat Hasil Pengawasan", short(r),
        ]  # fmt: skip
        content = form_a.written("\n".join(line.replace("\ufffe", "") for line in lines))
        if r.random() < 0.3:
            content = garbage(r, content)
        (inbox / f"{number:05}.docx").write_bytes(content)
    return len(goods) + count


def public_list(r: random.Random, count: int, goods: list[Good], inbox: Path) -> int:
    """An export of SigapLapor with hostile cells."""
    labels = [*FIELDS.values()]
    rows: list[list[Any]] = [
        [number, f"{good.number:03}/LP/PB/Kab/09.01/X/2024", good.day]
        + [good.fields.get(label, "") for label in labels]
        for number, good in enumerate(goods, 1)
    ]
    for number in range(count):
        made = record(r, short)
        rows.append(
            [len(rows) + 1, f"{number:03}/TM/PB/Kab/09.02/XI/2024",
             r.choice(["2024-11-06", short(r), ""]), *(made.get(label, "") for label in labels)]
        )  # fmt: skip
    head = ["No", "No Laporan/Temuan", "Diterima", *labels]
    for number, part in enumerate(parts(rows)):
        (inbox / f"ekspor {number}.xlsx").write_bytes(workbook({"Data": [head, *part]}))
    return len(rows)


def database(r: random.Random, count: int, goods: list[Good], inbox: Path) -> int:
    """An SQLite file with values of every type in any column, and files that are none.

    One holds a view of the table's name that never ends.
    """
    marks = ", ".join("?" * len(COLUMNS))
    names = ", ".join(f'"{label}"' for label in COLUMNS)
    rows: list[list[Any]] = [
        [f"baik {good.number}", f"{good.day}", *map(good.fields.get, FIELDS.values())]
        for good in goods
    ]

    def cell(r: random.Random) -> Any:
        numbers = (0, -(2**63), 1e308, float("inf"))
        blob = text(r).encode("utf-8", "replace")[:40_000]
        return r.choice([short(r), blob, r.randbytes(90), None, "2024-11-06", *numbers])

    for number in range(count):
        made = record(r, cell)
        key = f"n{number}" if r.random() < 0.8 else cell(r)
        received = "2024-11-06" if r.random() < 0.8 else cell(r)
        rows.append([key, received, *(made.get(label) for label in FIELDS.values())])
    path = inbox / "aduan.db"
    with closing(sqlite3.connect(path)) as written:
        written.execute(f"create table aduan ({names})")
        written.executemany(f"insert into aduan values ({marks})", rows)
        written.execute("update aduan set Uraian = cast(Uraian as text) where rowid % 9 = 0")
        written.commit()
    with closing(sqlite3.connect(inbox / "tanpa akhir.db")) as endless:
        endless.execute(
            "create view aduan as with recursive n(Nomor) as"
            " (select 1 union all select Nomor + 1 from n) select Nomor from n"
        )
        endless.commit()
    with path.open("rb") as stream:
        content = stream.read(HEAD)
    for number in range(count // 20):
        (inbox / f"rusak {number}.db").write_bytes(garbage(r, content))
    return len(rows)


def submissions(r: random.Random, count: int, goods: list[Good]) -> list[dict[str, Any]]:
    """Rows of KoboToolbox."""
    rows = [
        {"_id": good.number + 1, "_uuid": f"baik-{good.number}",
         "_submission_time": f"{good.moment - timedelta(hours=7):%Y-%m-%dT%H:%M:%S}",
         **good.fields}
        for good in goods
    ]  # fmt: skip
    for number in range(count):
        rows.append(
            {"_id": 1_000 + number, "_uuid": f"u{number}",
             "_submission_time": "2024-11-06T05:00:00", **record(r)}
        )  # fmt: skip
    return rows


def central(r: random.Random, count: int, goods: list[Good]) -> odk.Central:
    """An ODK Central whose form's group `k` holds the fields."""
    made = odk.Central()
    reported: list[tuple[datetime, dict[str, Any]]] = [(good.moment, good.fields) for good in goods]
    start = goods[-1].moment + timedelta(days=1)
    reported += [(start + timedelta(minutes=number), record(r)) for number in range(count)]
    for number, (at, fields) in enumerate(reported):
        stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        made.rows.append({**odk.submission(number, submissionDate=stamp), "k": fields})
    return made


def deployment(r: random.Random, count: int, goods: list[Good]) -> ushahidi.Deployment:
    """An Ushahidi deployment whose survey has the fields."""
    made = ushahidi.Deployment()
    reported: list[tuple[datetime, dict[str, Any]]] = [(good.moment, good.fields) for good in goods]
    reported += [(goods[0].moment, record(r)) for _ in range(count)]
    for number, (at, fields) in enumerate(reported, 1):
        stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
        content = [
            {"id": 1, "label": label, "type": "varchar", "value": {"value": answer}}
            for label, answer in fields.items()
        ]
        made.posts.append(
            ushahidi.post(
                number, created=stamp, post_date=stamp,
                post_content=[{"id": 1, "label": "Kejadian", "fields": content}],
            )
        )  # fmt: skip
    return made


def shop(r: random.Random, count: int, goods: list[Good]) -> http_json.Shop:
    """A JSON API."""
    made = http_json.Shop()
    made.records = [
        {"nomor": f"baik {good.number}", "dibuat": good.moment.isoformat(), **good.fields}
        for good in goods
    ]
    for number in range(count):
        key: Any = f"n{number}" if r.random() < 0.8 else value(r)
        received = "2024-11-06T19:33:00+07:00" if r.random() < 0.8 else value(r)
        made.records.append({"nomor": key, "dibuat": received, **record(r)})
    return made


def mails(r: random.Random, count: int, goods: list[Good], box: email.Mailbox) -> int:
    """A mailbox: tips by the template, and mails that are none."""
    for good in goods:
        box.put(email.letter(message(good.fields)), at=int(good.moment.timestamp()))
    for _ in range(count):
        if r.random() < 0.7:
            body = message(record(r, text)).encode("utf-8", "replace").decode().replace("\0", "")
            raw = email.letter(body.replace("\r", "")).as_bytes()
        else:
            raw = r.choice([
                b"From: x\r\n\r\n" + text(r).encode("utf-8", "replace"),
                b"Content-Type: multipart/mixed; boundary=\"" + b"b" * 3_000 + b"\"\r\n\r\n--b\r\n",
                b"Subject: =?utf-8?B?" + b"A" * 20_000 + b"?=\r\nDate: x\r\n\r\nADUAN\r\nIsu: x",
                b"Received: x\r\n" * 3_000 + b"\r\nADUAN",
                r.randbytes(500),
            ])  # fmt: skip
        box.put(raw.replace(b"\0", b" "))
    return len(goods) + count
