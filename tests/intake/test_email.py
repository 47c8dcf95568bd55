"""A mailbox on a real IMAP server: every mail once, none marked as seen, none believed blindly."""

from __future__ import annotations

import errno
import imaplib
import io
import ipaddress
import os
import re
import socket
import subprocess
import sys
import threading
import time
import traceback
import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from upath import UPath

from lumbung.errors import ConfigurationError, SourceError
from lumbung.intake import run
from lumbung.intake.channel.load import load_channels
from lumbung.intake.connectors.base import Delivery, Item, Source, SourceConnection, Unreadable
from lumbung.intake.connectors.email import reader as mail
from lumbung.intake.connectors.email.config import EmailSource
from lumbung.intake.connectors.shared.markup import plain
from lumbung.intake.connectors.shared.template import Template
from lumbung.intake.landing import IntakeCounts
from lumbung.intake.vault import Vault
from lumbung.local.processes import hold_port
from lumbung.settings import Settings
from tests.support.channel_samples import HEADER, OWNER, REGISTER, channel, header_merges, workbook
from tests.support.delivered import delivered
from tests.support.evidence import content_of, evidence_store

DIGEST = Vault(bytes(32)).content_hash
LOGIN, PASSWORD = "posko", "rahasia"
STAMP = 1_730_894_400  # 6 November 2024, 12:00 UTC

EMAIL: dict[str, Any] = {
    "name": "surel_aduan",
    "title": "Surel aduan contoh",
    "owner": OWNER,
    "connection": "surel",
    "schedule": "0 5 * * *",
    "record_kind": "IA",
    "source": {"kind": "email", "marker": "ADUAN"},
    "personal": ["Pengirim", "Nama pengirim", "Kepada", "Nama pelapor"],
    "subject": ["Pengirim"],
    "kept": ["Tanda", "Subjek"],
    "fields": {
        "occurred_date": {"from": "Tanggal"},
        "regency": {"from": "Lokasi"},
        "narrative": {"from": ["Uraian", "Teks"]},
    },
}
TIP = """ADUAN
Tanggal: 5 November 2024
Lokasi: Kec. Rangkui, Pangkal Pinang
Nama pelapor: Warga Rahasia
Uraian: dibagi di lapangan"""


# -- a server, and what lies between it and us -----------------------------------------------------


PYMAP = """import gc
from pymap.main import main
from pysasl.hashing import BuiltinHash
BuiltinHash.__init__.__kwdefaults__["rounds"] = 1
gc.disable()
main()
"""
"""The command `pymap`, but a password is hashed once: 500,000 times took most of its time.

Only a connection and its task refer to each other, so Python 3.13 would collect them as they wait.
"""


@contextmanager
def imap_server(*options: str) -> Iterator[int]:
    """The port of a running IMAP server."""
    command = [sys.executable, "-c", PYMAP, "--host", "127.0.0.1"]
    account = ["dict", "--demo-user", LOGIN, "--demo-password", PASSWORD]
    with hold_port() as held:
        process = subprocess.Popen([*command, "--port", str(held.number), *options, *account])
        try:
            _wait_for(process, held.number)
            yield held.number
        finally:
            process.kill()  # Python 3.13 would first wait for connections that nobody closed
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            imaplib.IMAP4("127.0.0.1", port).shutdown()
        except OSError:
            assert process.poll() is None, "pymap ended"
            assert time.monotonic() < deadline, "pymap does not answer"
            time.sleep(0.1)
        else:
            return


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a running IMAP server."""
    with imap_server("--no-tls") as port:
        yield port


class Mailbox:
    """One folder on the server, as its keeper sees it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.folder = f"Uji {uuid.uuid4().hex[:8]}"
        self.login()
        self.create()

    def login(self) -> None:
        self.imap = imaplib.IMAP4("127.0.0.1", self.port)
        self.imap.login(LOGIN, PASSWORD)

    def create(self, folder: str | None = None) -> None:
        assert self.imap.create(f'"{folder or self.folder}"')[0] == "OK"

    def recreate(self) -> None:
        """Delete the folder and make it again: its UIDs count from the start again."""
        before = self.validity()
        assert self.imap.delete(f'"{self.folder}"')[0] == "OK"
        self.create()
        assert self.validity() != before

    def validity(self) -> Any:
        return self.imap.status(f'"{self.folder}"', "(UIDVALIDITY)")[1]

    def put(self, *mails: bytes | EmailMessage, at: int = STAMP, flags: str = "") -> None:
        for each in mails:
            raw = each if isinstance(each, bytes) else each.as_bytes()
            stamp = imaplib.Time2Internaldate(at)
            assert self.imap.append(f'"{self.folder}"', flags, stamp, raw)[0] == "OK"

    def remove(self, text: str) -> None:
        """Delete the mails that hold a text."""
        self.imap.select(f'"{self.folder}"')
        for number in self.imap.search(None, "BODY", f'"{text}"')[1][0].split():
            self.imap.store(number, "+FLAGS", "\\Deleted")
        self.imap.expunge()
        self.imap.logout()  # the server forgets only then what was open
        self.login()

    def connection(self, port: int | None = None, **extra: Any) -> SourceConnection:
        extra = {"ssl": False, **extra}
        return SourceConnection(
            "127.0.0.1", port=port or self.port, login=LOGIN, password=PASSWORD, extra=extra
        )


@pytest.fixture
def mailbox(port: int) -> Iterator[Mailbox]:
    box = Mailbox(port)
    yield box
    box.imap.logout()


@pytest.fixture
def breaking(port: int) -> Iterator[Callable[[int], int]]:
    """A line to the server that breaks after so many bytes from it; gives its port."""
    listeners: list[socket.socket] = []

    def carry(source: socket.socket, target: socket.socket, limit: int) -> None:
        with suppress(OSError):
            while limit > 0 and (piece := source.recv(min(limit, 4096))):
                target.sendall(piece)
                limit -= len(piece)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def serve(listener: socket.socket, limit: int) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", port))
            for ends, most in (((client, server), 1 << 40), ((server, client), limit)):
                threading.Thread(target=carry, args=(*ends, most), daemon=True).start()

    def make(limit: int) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        threading.Thread(target=serve, args=(listener, limit), daemon=True).start()
        return int(listener.getsockname()[1])

    yield make
    for each in listeners:
        each.close()


def letter(text: str = "halo", **headers: str) -> EmailMessage:
    """A mail; underscores in the headers' names are hyphens."""
    message = EmailMessage()
    given = {
        "From": "Warga Rekaan <warga@contoh.example.id>",
        "To": "posko@contoh.example.id",
        "Subject": "Aduan",
        "Date": "Tue, 05 Nov 2024 08:00:00 +0700",
        "Message-ID": f"<{uuid.uuid4().hex}@contoh.example.id>",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    for name, value in given.items():
        if value:
            message[name] = value
    message.set_content(text)
    return message


def source_of(box: Mailbox, folder: Path, cursor: dict[str, Any], **changes: Any) -> Source:
    given = {"kind": "email", "marker": "ADUAN", "folders": [box.folder], **changes}
    return Source(
        channel(EMAIL, source=given),
        UPath(folder / "inbox" / "surel_aduan"),
        box.connection(),
        evidence_store(folder / "evidence"),
        DIGEST,
        cursor,
    )


@pytest.fixture
def read_mails(mailbox: Mailbox, tmp_path: Path) -> Callable[..., list[Item]]:
    """Put mails into the folder and read it with a channel."""

    def act(*mails: bytes | EmailMessage, **changes: Any) -> list[Item]:
        mailbox.put(*mails)
        return list(mail.read(source_of(mailbox, tmp_path, {}, **changes)))

    return act


Reader = Callable[..., list[Item]]


def deliveries(items: list[Item]) -> list[Delivery]:
    return [item for item in items if isinstance(item, Delivery)]


def refused(items: list[Item]) -> list[str]:
    return [item.reason_code for item in items if isinstance(item, Unreadable)]


def only(items: list[Item]) -> dict[str, Any]:
    assert refused(items) == []
    (found,) = deliveries(items)
    return found.fields


# -- what a mail says ------------------------------------------------------------------------------


def test_a_mail_of_the_template_counts_when_the_server_got_it(
    read_mails: Reader, mailbox: Mailbox
) -> None:
    text = TIP.replace("\n", "\r\n") + "\r\n-- \r\nWarga Rekaan\r\n0812-0000-1111\r\n"
    (found,) = deliveries(read_mails(letter(text, Date="Mon, 01 Jan 2001 08:00:00 +0700")))
    assert found.received_at == datetime(2024, 11, 6, 12, 0, tzinfo=UTC), "Date is only a claim"
    assert found.fields == {
        "Pengirim": "warga@contoh.example.id",
        "Nama pengirim": "Warga Rekaan",
        "Kepada": "posko@contoh.example.id",
        "Subjek": "Aduan",
        "Tanggal surat": "2001-01-01T08:00:00+07:00",
        "Teks": TIP.replace("Nama pelapor: Warga Rahasia\n", ""),
        "Teks (utuh)": text.replace("\r\n", "\n").strip(),
        "Tanda": "templat",
        "Tanggal": "5 November 2024",
        "Lokasi": "Kec. Rangkui, Pangkal Pinang",
        "Nama pelapor": "Warga Rahasia",
        "Uraian": "dibagi di lapangan",
    }
    mailbox.imap.select(f'"{mailbox.folder}"', readonly=True)
    flags = mailbox.imap.fetch("1", "(FLAGS)")[1]
    assert b"\\Seen" not in repr(flags).encode()


@pytest.mark.parametrize(
    "earlier",
    [
        "On Tue, 5 Nov 2024 at 08:00, Posko <p@x.example.id> wrote:\n> Tanggal: 1 Mei 2024",
        "Pada Sel, 5 Nov 2024 08.00 Posko menulis:\n\nTanggal: 1 Mei 2024",
        "-----Pesan Asli-----\nTanggal: 1 Mei 2024",
        "On Tue, 5 Nov 2024 at 08:00, Posko <p@x.example.id>\nwrote:\n> Tanggal: 1 Mei 2024",
        "On 05/11/2024 08:00, Posko Pengawas\nPemilihan wrote:\n\nTanggal: 1 Mei 2024",
        "Pada Sel, 5 Nov 2024 pukul 08.00 Posko\n<p@x.example.id> menulis:\n\nTanggal: 1 Mei 2024",
        f"{'_' * 32}\nDari: Posko <p@x.example.id>\nTanggal: 1 Mei 2024",
        f"{'_' * 32}\nFrom: Posko <p@x.example.id>\nTanggal: 1 Mei 2024",
    ],
)
def test_the_mail_that_is_answered_is_not_the_answer(read_mails: Reader, earlier: str) -> None:
    fields = only(read_mails(letter(f"ADUAN\nUraian: baru\n\n{earlier}")))
    assert fields["Uraian"] == "baru"
    assert "Tanggal" not in fields
    assert "1 Mei" not in fields["Teks"]
    assert "1 Mei" in fields["Teks (utuh)"]


@pytest.mark.parametrize(
    "story",
    [f"{'_' * 32}\nLokasi: Bangka", "Pada hari Senin ada edaran.\nKetua RT menulis:\npilih dia"],
)
def test_lines_of_a_story_begin_no_earlier_mail(read_mails: Reader, story: str) -> None:
    fields = only(read_mails(letter(f"ADUAN\nUraian: baru\n{story}")))
    assert fields["Teks"] == f"ADUAN\nUraian: baru\n{story}"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (
            b"From: =?utf-8?q?Siti_Rekaan_=C3=A9?= <s@x.example.id>\nSubject: =?utf-8?b?w6k=?=\n",
            ("s@x.example.id", "Siti Rekaan é", "é"),
        ),
        (
            b"From: =?gb2312?b?1tDOxA==?= <s@x.example.id>\nSubject: =?tidak-ada?q?a=E9?=\n",
            ("s@x.example.id", "中文", "aé"),
        ),
        (
            b'From: "lain@y.example.id" <s@x.example.id>\nSubject: =?utf-8?b?rusak*?= x\n',
            ("s@x.example.id", "lain@y.example.id", "=?utf-8?b?rusak*?= x"),
        ),
        (b"From: Andi\nSubject: a\n\tb\n", ("andi", None, "a b")),
        (
            "From: Café <S@x.example.id>\nSubject: aé\n".encode(),
            ("s@x.example.id", "Café", "aé"),
        ),
        (
            "From: Café <s@x.example.id>\nSubject: aé\n".encode("latin-1"),
            ("s@x.example.id", "Café", "aé"),
        ),
    ],
)
def test_names_and_subjects_as_programs_write_them(
    read_mails: Reader, head: bytes, expected: tuple[str, str | None, str]
) -> None:
    fields = only(read_mails(head.replace(b"\n", b"\r\n") + b"\r\nhalo\r\n"))
    found = (fields["Pengirim"], fields.get("Nama pengirim"), fields["Subjek"])
    assert found == expected
    assert fields["Teks"] == "halo"


@pytest.mark.parametrize(
    ("charset", "content", "expected"),
    [
        ("gb2312", "中文镕".encode("gb18030"), "中文镕"),
        ("tidak-ada", "é".encode(), "é"),
        ("utf-8", b"a\xe9", "aé"),
        ("us-ascii", "é".encode(), "é"),
        ("zlib", b"x\x9c", "xœ"),
        ("idna", b"xn--nxasmq6b", "xn--nxasmq6b"),
        ("utf-8", b"a\0b", "a\0b"),
    ],
)
def test_text_in_charsets_that_are_wrong_unknown_or_no_charset(
    read_mails: Reader, charset: str, content: bytes, expected: str
) -> None:
    import base64

    head = f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: base64\r\n"
    raw = b"From: a@b.example.id\r\n" + head.encode() + b"\r\n" + base64.b64encode(content)
    assert only(read_mails(raw))["Teks"] == expected


def test_of_alternatives_the_plain_text_and_images_are_evidence(
    read_mails: Reader, tmp_path: Path
) -> None:
    both = letter(TIP)
    both.add_alternative("<p>Versi <b>HTML</b></p>", subtype="html")
    _, html = both.iter_parts()
    assert isinstance(html, EmailMessage)
    html.add_related(b"\x89PNG", "image", "png", cid="<1>")
    (found,) = deliveries(read_mails(both))
    assert found.fields["Tanda"] == "templat"
    assert "HTML" not in found.fields["Teks"]
    ((image),) = found.fields["Lampiran"]
    assert (image["jenis"], image["ukuran"]) == ("image/png", 4)
    store = evidence_store(tmp_path / "evidence")
    assert content_of(store, bytes.fromhex(image["sha256"])) == b"\x89PNG"


def test_a_mail_in_html_alone_gives_its_lines(read_mails: Reader) -> None:
    page = (
        "<html><head><title>Judul</title><style>p {x: y}</style></head><body><!-- ADUAN -->"
        "<p><b>ADUAN</b></p><div>Tanggal:\n 5 November&nbsp;2024</div>Lokasi: <i>Bangka</i><br>"
        "Uraian: 2 &lt; 3<script>Lokasi: palsu</script></body></html>"
    )
    message = letter()
    message.set_content(page, subtype="html")
    fields = only(read_mails(message))
    assert (fields["Tanggal"], fields["Lokasi"]) == ("5 November 2024", "Bangka")
    assert fields["Uraian"] == "2 < 3"


@pytest.mark.parametrize(
    "junk", ["<", "<!--", "<a", "<div>", "<script>", "&", "<a b='", '<a b="', "<a b=c "]
)
def test_html_of_junk_takes_no_time(junk: str) -> None:
    begun = time.perf_counter()
    plain(junk * 100_000 + "akhir")
    assert time.perf_counter() - begun < 5


def test_attachments_are_kept_by_their_bytes_whatever_they_are_called(
    read_mails: Reader, tmp_path: Path
) -> None:
    message = letter()
    message.add_attachment(b"isi", "application", "octet-stream", filename="winmail.dat")
    message.add_attachment(b"isi", "application", "pdf", filename="../../naïf laporan.pdf")
    raw = message.as_bytes().replace(
        b'filename="winmail.dat"', b"filename*0*=utf-8''ber%C3%A9; filename*1*=kas.bin"
    )
    fields = only(read_mails(raw))
    assert [each["nama"] for each in fields["Lampiran"]] == [
        "berékas.bin",
        "../../naïf laporan.pdf",
    ]
    assert len({each["sha256"] for each in fields["Lampiran"]}) == 1
    assert fields["Teks"] == "halo"
    files = [each for each in (tmp_path / "evidence").rglob("*") if each.is_file()]
    assert len(files) == 2, "the mail, and what was attached twice"


def test_a_wrong_boundary_loses_no_text(read_mails: Reader) -> None:
    raw = (
        b"From: a@b.example.id\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="A"\r\n\r\n--B\r\n\r\ntetap ada\r\n--B--\r\n'
    )
    assert "tetap ada" in only(read_mails(raw))["Teks"]


# -- mails within mails ----------------------------------------------------------------------------


def test_a_forwarded_mail_is_a_delivery_of_its_own_inside_the_one_around_it(
    read_mails: Reader, mailbox: Mailbox, tmp_path: Path
) -> None:
    reports = [letter(TIP), letter(TIP.replace("lapangan", "pasar"), From="b@x.example.id")]
    nameless = letter("tanpa nomor", Message_ID="")
    outer = letter("mohon dicatat", From="petugas@kantor.example.id")
    for each in (*reports, nameless):
        outer.add_attachment(each)
    items = read_mails(outer)
    found = deliveries(items)
    assert [each.fields["Tanda"] for each in found] == ["surat", "templat", "templat", "surat"]
    assert found[1].fields["Pengirim"] == "warga@contoh.example.id"
    assert found[2].fields["Uraian"] == "dibagi di pasar"
    assert len({each.source_id for each in found}) == 4
    assert str(found[1].locator).endswith(" | surat terlampir 1")
    mailbox.put(reports[0])
    again = deliveries(list(mail.read(source_of(mailbox, tmp_path, {}))))
    assert again[4].fields == found[1].fields
    assert again[4].source_id != found[1].source_id
    assert [each.source_id for each in found[1:]] == [
        f"{found[0].source_id}-{n}" for n in (1, 2, 3)
    ]


def test_what_a_forwarded_mail_forwards_is_not_opened(read_mails: Reader) -> None:
    inner = letter("dalam")
    inner.add_attachment(letter("lebih dalam"))
    outer = letter("luar")
    outer.add_attachment(inner)
    assert [each.fields["Teks"] for each in deliveries(read_mails(outer))] == ["luar", "dalam"]


@pytest.mark.parametrize(
    "raw",
    [
        b"From: a@b.example.id\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 3000,
        b"From: a@b.example.id\r\n"
        + b"".join(
            b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n)
            for n in range(400)
        ),
        b"From: a@b.example.id\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n"
        + b"--B\r\n\r\nx\r\n" * 1000,
    ],
)
def test_a_mail_that_nests_or_splits_without_end_is_quarantined_alone(
    mailbox: Mailbox, tmp_path: Path, raw: bytes
) -> None:
    # Not through the server: this one falls over such mails itself.
    source = source_of(mailbox, tmp_path, {})
    options = source.channel.source
    assert isinstance(options, EmailSource)
    given = mail.Mail(datetime.fromtimestamp(STAMP, UTC), source.evidence.keep(io.BytesIO(raw)))
    template = Template(source.channel, "ADUAN", ())
    items = mail.deliveries(source, options, template, given, "uji")
    assert refused(list(items)) == ["unreadable_message"]
    assert items[0].evidence is not None


def test_a_mail_of_a_million_parts_takes_no_memory(mailbox: Mailbox, tmp_path: Path) -> None:
    """Inside a mail that is not opened: the parser makes an object of each part all the same."""
    parts = b"Content-Type: multipart/mixed; boundary=B\r\n\r\n" + b"--B\r\n\r\n" * 200_000
    raw = b"From: a@b.example.id\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 2 + parts
    source = source_of(mailbox, tmp_path, {})
    options = source.channel.source
    assert isinstance(options, EmailSource)
    given = mail.Mail(datetime.fromtimestamp(STAMP, UTC), source.evidence.keep(io.BytesIO(raw)))
    tracemalloc.start()
    items = mail.deliveries(source, options, Template(source.channel, "ADUAN", ()), given, "uji")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused(list(items)) == ["unreadable_message"]
    assert peak < 40_000_000


# -- what no person wrote --------------------------------------------------------------------------


BOUNCE = f"""From: Mail Delivery System <MAILER-DAEMON@contoh.example.id>
Subject: Undelivered Mail Returned to Sender
Message-ID: <b1@contoh.example.id>
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

{TIP}
--B
Content-Type: message/delivery-status

Final-Recipient: rfc822; x@y.example.id

--B
Content-Type: message/rfc822

From: posko@contoh.example.id

{TIP}
--B--
""".replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("message", "mark"),
    [
        (BOUNCE, "laporan pengiriman"),
        (
            letter(TIP, From="postmaster@x.example.id", Return_Path="<>"),
            "laporan pengiriman",
        ),
        (letter(TIP, Auto_Submitted="auto-replied (vacation)"), "balasan otomatis"),
        (letter(TIP, X_Autoreply="yes"), "balasan otomatis"),
        (letter(TIP, Precedence="auto_reply"), "balasan otomatis"),
        (letter(TIP, Subject="Balasan Otomatis: cuti"), "balasan otomatis"),
        (letter(TIP, Subject="Out of Office: cuti"), "balasan otomatis"),
    ],
)
def test_bounces_and_automatic_replies_have_nothing_that_could_count(
    read_mails: Reader, message: Any, mark: str
) -> None:
    fields = only(read_mails(message))
    assert fields["Tanda"] == mark
    assert set(fields) == {"Tanda", "Pengirim", "Nama pengirim", "Teks (utuh)"}
    assert "dibagi di lapangan" in fields["Teks (utuh)"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-generated", "From": "formulir@situs.example.id"},
        {"Subject": "Out of office hours they handed out money"},
        {"From": "postmaster@desa.example.id"},
        {"Auto_Submitted": "no"},
    ],
)
def test_a_form_on_a_site_and_a_person_are_not_automatic(
    read_mails: Reader, headers: dict[str, str]
) -> None:
    assert only(read_mails(letter(TIP, **headers)))["Tanda"] == "templat"


def test_real_mails(read_mails: Reader, samples: Path) -> None:
    files = sorted((samples / "email").glob("*.txt"))
    items = read_mails(*(each.read_bytes().replace(b"\n", b"\r\n") for each in files))
    assert refused(items) == []
    found = {
        name: [
            each
            for each in deliveries(items)
            if str(each.locator).split(" | ")[2] == str(101 + number)
        ]
        for number, name in enumerate(each.stem.removeprefix("cpython_msg_") for each in files)
    }
    assert {name: len(each) for name, each in found.items()} == {
        **dict.fromkeys(("01", "03", "05", "07", "10", "12", "15"), 1),
        "02": 6,  # a digest: each of its mails
    }
    # 01 and 03 are one mail, in two shapes.
    assert found["01"][0].source_id == found["03"][0].source_id
    assert found["01"][0].fields["Pengirim"] == "bbb@ddd.com"
    assert found["05"][0].fields["Tanda"] == "laporan pengiriman"
    (image,) = found["07"][0].fields["Lampiran"]
    assert (image["nama"], image["jenis"]) == ("dingusfish.gif", "image/gif")
    assert "¡This is a Quoted Printable encoded message!" in found["10"][0].fields["Teks"]
    assert "This is a Base64 encoded message." in found["10"][0].fields["Teks"]
    # Two boundaries with one name: the alternatives cannot be distinguished, and nothing is lost.
    assert found["15"][0].fields["Teks"] == "Some removed test. \n\nSome removed text."


# -- whole pulls -----------------------------------------------------------------------------------


Pull = Callable[..., IntakeCounts]


@pytest.fixture
def pull(
    settings: Settings, database_url: str, mailbox: Mailbox, add_channel: Callable[..., Path]
) -> Pull:
    add_channel(EMAIL, source={**EMAIL["source"], "folders": [mailbox.folder]})

    def act(port: int | None = None, **changes: Any) -> IntakeCounts:
        given: dict[str, Any] = {"connection": mailbox.connection(port), "run_key": "uji"}
        given |= {"settings": settings, "database_url": database_url, **changes}
        return run.pull("surel_aduan", **given)

    return act


def texts(db: psycopg.Connection) -> list[str]:
    rows = delivered(
        db,
        "select payload ->> 'Teks' from raw.record where record_id in"
        " (select max(record_id) from raw.record group by source_id) order by 1",
    )
    return [row[0] for row in rows]


def test_a_mail_is_read_once_and_the_last_one_is_not_read_again(
    pull: Pull, mailbox: Mailbox, db: psycopg.Connection
) -> None:
    mailbox.put(letter("satu"), letter("dua"))
    assert pull() == IntakeCounts(read=2, landed=2)
    assert pull() == IntakeCounts(), "`UID n:*` would give the last one again"
    mailbox.put(letter("tiga"))
    assert pull() == IntakeCounts(read=1, landed=1)
    assert texts(db) == ["dua", "satu", "tiga"]
    assert db.execute("select count(*) from ops.drift_notice").fetchone() == (0,)
    stored = db.execute("select payload::text || coalesce(locator, '') from raw.record").fetchall()
    assert not any("warga@" in row[0] or "Rekaan" in row[0] for row in stored)


def test_a_new_uidvalidity_reads_again_and_lands_nothing_twice(
    pull: Pull, mailbox: Mailbox, db: psycopg.Connection
) -> None:
    named, nameless = letter("satu"), letter("dua", Message_ID="")
    equal = [letter("tiga", Message_ID="<sama>"), letter("empat", Message_ID="<sama>")]
    equal[1].replace_header("Date", "Tue, 05 Nov 2024 09:00:00 +0700")
    mailbox.put(named, nameless, *equal)
    # A program may give one id to all its mails: they are landed, and the id is listed once.
    assert pull() == IntakeCounts(read=5, landed=4, quarantined=1)
    mailbox.recreate()
    moved = b"Received: from lama by baru; Wed, 06 Nov 2024 19:00:00 +0700\r\n" + named.as_bytes()
    mailbox.put(letter("lima"), *equal, nameless, moved)
    assert pull() == IntakeCounts(read=5, landed=1, duplicate=4)
    assert pull() == IntakeCounts()
    assert texts(db) == ["dua", "empat", "lima", "satu", "tiga"]
    assert db.execute("select count(*) from raw.record").fetchone() == (5,)


def test_what_is_deleted_stays_and_what_is_replaced_is_another_delivery(
    pull: Pull, mailbox: Mailbox, db: psycopg.Connection
) -> None:
    draft = letter("lama", Message_ID="<1@x.example.id>")
    final = letter("baru", Message_ID="<1@x.example.id>")
    mailbox.put(draft, letter("tetap"))
    assert pull() == IntakeCounts(read=2, landed=2)
    mailbox.remove("tetap")
    mailbox.put(final)
    assert pull() == IntakeCounts(read=2, landed=1, quarantined=1)
    assert texts(db) == ["baru", "lama", "tetap"]
    mailbox.recreate()
    mailbox.put(draft, final)
    assert pull() == IntakeCounts(read=2, duplicate=2)
    assert texts(db) == ["baru", "lama", "tetap"]


def forwarding(*inner: EmailMessage, **headers: str) -> EmailMessage:
    outer = letter("mohon dicatat", **headers)
    for each in inner:
        outer.add_attachment(each)
    return outer


HONEST = {"Message_ID": "<asli@contoh.example.id>", "Subject": "Aduan warga"}


def altered(**headers: str) -> EmailMessage:
    return letter("isi palsu", **{**HONEST, **headers})


def both(subtype: str, *texts: str, **headers: str) -> EmailMessage:
    """A mail of several plain texts; `+` before a text puts it into the part before."""
    message = letter(**{**HONEST, **headers})
    message.clear_content()
    message.make_mixed()
    for text in texts:
        part = EmailMessage()
        part.set_content(text)
        before = [*message.iter_parts()]
        if subtype == "alternative" and before:
            inner = before[-1]
            assert isinstance(inner, EmailMessage)
            inner.make_alternative()
            inner.attach(part)
        else:
            message.attach(part)
    return message


@pytest.mark.parametrize(
    ("honest", "hostile"),
    [
        (letter("asli", **HONEST), altered()),
        (letter("asli", **HONEST), altered(From="orang.lain@jahat.example.id")),
        (letter("asli", **HONEST), altered(Date="Wed, 06 Nov 2024 08:00:00 +0700")),
        (letter("asli", **HONEST), forwarding(altered())),
        (letter("asli", **HONEST), forwarding(letter("asli", **HONEST), altered())),
        (letter("asli", **HONEST), letter("asli", **{**HONEST, "Subject": "Lain"})),
        (letter("asli", **HONEST), letter("asli", **HONEST, Cc="lain@jahat.example.id")),
        (letter("asli", **HONEST), letter("asli", **HONEST, Auto_Submitted="auto-replied")),
        (letter("asli", **HONEST), letter("asli", **{**HONEST, "From": "warga@contoh.example.id"})),
        (
            forwarding(letter("asli"), **HONEST),
            forwarding(letter("asli", From="orang.lain@jahat.example.id"), **HONEST),
        ),
        (both("mixed", "asli", "dua"), both("alternative", "asli", "dua")),
    ],
)
def test_no_mail_with_a_known_message_id_alters_a_delivery(
    pull: Pull,
    mailbox: Mailbox,
    db: psycopg.Connection,
    honest: EmailMessage,
    hostile: EmailMessage,
) -> None:
    mailbox.put(honest)
    pull()
    known = "select source_id, content_hash, is_tombstone from raw.record order by record_id"
    before = db.execute(known).fetchall()
    mailbox.put(hostile)
    counts = pull()
    after = db.execute(known).fetchall()
    assert after[: len(before)] == before
    assert len({row[0] for row in after}) == len(after), "each is a delivery of its own"
    assert counts.landed == len(after) - len(before) > 0
    assert counts.quarantined == 1
    listed = db.execute("select reason_code, reason from quarantine.record").fetchall()
    assert [code for code, _ in listed] == ["key_repeated"]
    assert "@" not in listed[0][1]


def test_one_letter_in_two_folders_and_delivered_again_is_one(
    mailbox: Mailbox, pull: Pull, db: psycopg.Connection, add_channel: Callable[..., Path]
) -> None:
    copy = f"{mailbox.folder} arsip"
    mailbox.create(copy)
    folders = [mailbox.folder, copy]
    add_channel(EMAIL, source={**EMAIL["source"], "folders": folders})
    report, recoded = letter(**HONEST), letter(**HONEST)
    for each, encoding in ((report, "8bit"), (recoded, "base64")):
        each.set_content("asli é", cte=encoding)
        each.add_attachment(b"isi", "application", "pdf", filename="a.pdf")
    outer = forwarding(letter("terusan"), Message_ID="<luar@contoh.example.id>")
    mailbox.put(report, outer)
    received = b"Received: from a by b; Wed, 06 Nov 2024 19:00:00 +0700\r\nX-Spam: no\r\n"
    mailbox.put(*(received + each.as_bytes() for each in (report, outer)))
    mailbox.folder = copy
    mailbox.put(report, outer, recoded)
    counts = pull()
    assert (counts.landed, counts.quarantined) == (3, 0)
    assert texts(db) == ["asli é", "mohon dicatat", "terusan"]


def test_what_was_landed_under_ids_without_content_is_replaced_once(
    pull: Pull, mailbox: Mailbox, db: psycopg.Connection, settings: Settings
) -> None:
    mailbox.put(letter("satu", **HONEST), letter("dua", Message_ID=""))
    assert pull() == IntakeCounts(read=2, landed=2)
    former = "warga@contoh.example.id\0Tue, 05 Nov 2024 08:00:00 +0700"
    digest = Vault.load(settings.home).content_hash
    old = digest(f"{HONEST['Message_ID']}\0{former}".encode()).hex()
    found = "select record_id from raw.record where payload ->> 'Teks' = 'satu'"
    ((record_id,),) = delivered(db, found)
    db.execute("update raw.record set source_id = %s where record_id = %s", (old, record_id))
    db.execute("delete from vault.identity where record_id = %s", (record_id,))
    db.execute("update ops.channel_cursor set cursor = cursor - 'contents'")
    db.execute("delete from ops.message_key")
    assert pull() == IntakeCounts(read=2, landed=1, duplicate=1, tombstones=1)
    assert pull() == IntakeCounts()
    alive = "select source_id from raw.record group by 1 having not bool_or(is_tombstone)"
    assert len(db.execute(alive).fetchall()) == 2


def test_without_a_uidvalidity_everything_is_matched_anew(
    pull: Pull, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    response = imaplib.IMAP4.response
    monkeypatch.setattr(
        imaplib.IMAP4,
        "response",
        lambda self, code: (
            (code, [None]) if code in ("UIDVALIDITY", "UIDNEXT") else response(self, code)
        ),
    )
    mailbox.put(letter("satu"), letter("dua"))
    assert pull() == IntakeCounts(read=2, landed=2)
    assert pull() == IntakeCounts(read=2, duplicate=2)


def test_an_outage_in_the_middle_goes_on_behind_what_was_landed(
    pull: Pull,
    mailbox: Mailbox,
    breaking: Callable[[int], int],
    db: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mail, "WINDOW", 2)
    monkeypatch.setattr(mail, "TIMEOUT_SECONDS", 5)
    mailbox.put(*(letter(f"surat {n} " + "x" * 5000) for n in range(8)))
    stored = []
    for limit in (200, 20_000, 30_000):
        with pytest.raises(SourceError, match="pull again") as caught:
            pull(breaking(limit))
        assert PASSWORD not in str(caught.value)
        stored.append(len(texts(db)))
    assert stored[0] == 0 < stored[1] < stored[2] < 8
    last = pull()
    assert last.landed == 8 - stored[2]
    assert last.read < 8, "the pull began behind what was landed"
    assert pull() == IntakeCounts()
    assert len(set(texts(db))) == 8


def sent(sender: str, content: bytes, name: str = "buku.xlsx", **headers: str) -> EmailMessage:
    message = letter("terlampir", From=sender, **headers)
    message.add_attachment(content, "application", "octet-stream", filename=name)
    return message


def book(*keys: str) -> bytes:
    rows = [[1, key, "06/11/2024", "", "Warga A", "", "Bangka", f"kisah {key}"] for key in keys]
    return workbook({"S": [*HEADER, *rows]}, merges={"S": header_merges(0)})


@pytest.fixture
def register(mailbox: Mailbox, add_channel: Callable[..., Path]) -> Path:
    """The inbox of a register that the mailbox feeds."""
    trusted = ["Petugas@kantor.example.id", "@panwas.example.id"]
    source = {
        **{"kind": "email", "folders": [mailbox.folder]},
        **{"spreadsheets_to": "register_contoh", "spreadsheets_from": trusted},
    }
    add_channel(EMAIL, source=source)
    return add_channel(REGISTER, source={"kind": "register", "files": "*.xls?"})


def test_a_spreadsheet_feeds_the_register_and_a_newer_one_takes_its_place(
    pull: Pull,
    mailbox: Mailbox,
    register: Path,
    pull_from: Callable[..., IntakeCounts],
    db: psycopg.Connection,
) -> None:
    desk = "petugas@kantor.example.id"
    mailbox.put(
        sent("siapa-saja@lain.example.id", b"palsu", "palsu.xlsx"),
        sent("Kawan <x@bukanpanwas.example.id>", b"palsu", "palsu.xlsx"),
    )
    assert pull() == IntakeCounts(read=2, landed=2)
    assert list(register.iterdir()) == []
    outer = letter("teruskan", From="kec@panwas.example.id")
    outer.add_attachment(sent("siapa-saja@lain.example.id", book("8/LP"), "../../x/Buku: Nov.XLSX"))
    first = sent(desk, book("1/LP", "2/LP", "3/LP"), "Buku: Nov.XLSX")
    first.add_attachment(book("7/LP"), "application", "octet-stream", filename="Buku: Nov.XLSX")
    mailbox.put(first, outer)
    assert pull(dry_run=True).landed == 3
    assert list(register.iterdir()) == [], "a trial leaves nothing behind"
    assert pull() == IntakeCounts(read=3, landed=3)
    names = sorted(each.name for each in register.iterdir())
    assert len(names) == 3, "two of a mail, and one from another sender, all with one name"
    assert all(name.startswith("Buku_ Nov ") and name.endswith(".xlsx") for name in names)
    assert {each.stat().st_mtime for each in register.iterdir()} == {STAMP}
    assert pull_from("register_contoh") == IntakeCounts(read=5, landed=5)
    mailbox.put(sent(desk, book("1/LP", "3/LP", "4/LP"), "Buku: Nov.XLSX"), at=STAMP + 60)
    assert pull() == IntakeCounts(read=1, landed=1)
    assert sorted(each.name for each in register.iterdir()) == names
    # 2/LP is gone; 3/LP has another line, not another content
    counts = IntakeCounts(read=5, landed=1, duplicate=4, missing=1)
    assert pull_from("register_contoh") == counts
    mailbox.put(sent(desk, book("4/LP", "1/LP", "3/LP"), "Buku: Nov.XLSX"), at=STAMP + 120)
    assert pull() == IntakeCounts(read=1, landed=1)
    assert pull_from("register_contoh") == IntakeCounts(read=5, duplicate=5, tombstones=1)
    mailbox.recreate()
    mailbox.put(first)
    assert pull() == IntakeCounts(read=1, duplicate=1)
    assert pull_from("register_contoh") == IntakeCounts(read=5, duplicate=5), "an older mail again"
    received = db.execute("select received_at from raw.record where source_id = '1/LP'")
    assert received.fetchone() == (datetime.fromtimestamp(STAMP, UTC),)


def test_a_spreadsheet_that_the_register_does_not_take_is_quarantined(
    pull: Pull, mailbox: Mailbox, register: Path, db: psycopg.Connection
) -> None:
    mailbox.put(sent("kec@panwas.example.id", b"a,b", "buku.csv"))
    assert pull(dry_run=True) == IntakeCounts(read=2, landed=1, quarantined=1)
    assert pull() == IntakeCounts(read=2, landed=1, quarantined=1)
    assert list(register.iterdir()) == []
    ((code, reason),) = db.execute("select reason_code, reason from quarantine.record").fetchall()
    assert code == "unreadable_file"
    assert "register_contoh (berkas *.xls?)" in reason
    assert "buku" not in reason


def test_a_spreadsheet_that_cannot_be_written_leaves_no_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "utime", full)
    with pytest.raises(OSError, match="No space left"):
        mail._hand_over(tmp_path / "inbox" / "buku.xlsx", b"isi", datetime.now(UTC))
    assert list((tmp_path / "inbox").iterdir()) == []


# -- what can go wrong -----------------------------------------------------------------------------


def test_large_mails_and_texts_are_refused_and_kept(
    read_mails: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "MAX_PARSED", 4 << 20)
    large = letter()
    large.add_attachment(bytes(4 << 20), "application", "zip", filename="besar.zip")
    items = read_mails(large, letter("x " * (1 << 20)), letter("ya"))
    assert refused(items) == ["too_large", "too_large"]
    assert [each.fields["Teks"] for each in deliveries(items)] == ["ya"]
    bad = [item for item in items if isinstance(item, Unreadable)]
    assert bad[0].evidence is not None
    assert len(content_of(evidence_store(tmp_path / "evidence"), bad[0].evidence)) > 5 << 20


def test_a_mail_that_the_server_cannot_give_or_that_just_went_is_distinguished(
    read_mails: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = imaplib.IMAP4.uid

    def moody(self: imaplib.IMAP4, command: str, *given: str) -> Any:
        if command == "FETCH" and given[0] == "101":
            return "NO", [b"FETCH failed"]
        if command == "FETCH" and given[0] == "102":
            return "OK", [None]
        return uid(self, command, *given)

    monkeypatch.setattr(imaplib.IMAP4, "uid", moody)
    items = read_mails(letter("satu"), letter("dua"), letter("tiga"))
    assert refused(items) == ["unreadable_message"]
    assert [each.fields["Teks"] for each in deliveries(items)] == ["tiga"]


def test_an_empty_mail_and_one_of_noise_are_deliveries(read_mails: Reader) -> None:
    items = read_mails(b"\r\n", b"\x00\xff\xfe" * 1000, os.urandom(20_000))
    assert refused(items) == []
    assert len(deliveries(items)) == 3


@pytest.mark.parametrize(
    ("changes", "reported"),
    [
        ({"password": "salah"}, "refuses login and password.*app password"),
        ({"password": "sälah"}, "refuses login and password"),
        ({"port": 1}, "does not answer as it should: ConnectionRefused.*up and reachable"),
        ({"host": "tidak-ada.invalid"}, "does not answer as it should"),
        ({"password": None}, "address, login or password is not known.*connection 'surel'"),
    ],
)
def test_a_server_that_cannot_be_used_is_reported_with_a_remediation(
    mailbox: Mailbox, tmp_path: Path, changes: dict[str, Any], reported: str
) -> None:
    from dataclasses import replace

    source = source_of(mailbox, tmp_path, {})
    source = replace(source, connection=replace(mailbox.connection(), **changes))
    with pytest.raises(SourceError, match=reported) as caught:
        list(mail.read(source))
    assert "salah" not in str(caught.value)


def test_a_mail_in_the_place_of_an_answer_is_not_in_the_error() -> None:
    box = mail.Mailbox(SourceConnection("127.0.0.1"), "channel surel")
    error = imaplib.IMAP4.abort("unexpected response: b'Pelapor Zqvor\\n0812-7777-0001'")
    with (
        pytest.raises(SourceError, match="abort unexpected response: ") as caught,
        box._telling(),
    ):
        raise error
    assert "Zqvor" not in "".join(traceback.format_exception(caught.value))


def test_folders_with_spaces_and_letters_of_all_kinds(mailbox: Mailbox, tmp_path: Path) -> None:
    own = f'Aduan "é" & {uuid.uuid4().hex[:6]}'
    encoded = own.replace("&", "&-").replace("é", "&AOk-").replace('"', '\\"')
    mailbox.create(encoded)
    mailbox.put(letter("satu"))
    mailbox.folder, ordinary = encoded, mailbox.folder
    mailbox.put(letter("dua"))
    items = list(mail.read(source_of(mailbox, tmp_path, {}, folders=[ordinary, own])))
    assert [each.fields["Teks"] for each in deliveries(items)] == ["satu", "dua"]
    with pytest.raises(SourceError, match=r"no folder 'Tidak ada'.*as the mail program shows it"):
        list(mail.read(source_of(mailbox, tmp_path, {}, folders=["Tidak ada"])))


def test_starttls_with_a_certificate_of_the_office_itself(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "surat.contoh.example.id")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain, shape = serialization.NoEncryption(), serialization.PrivateFormat.PKCS8
    (tmp_path / "key.pem").write_bytes(key.private_bytes(pem, shape, plain))
    (tmp_path / "cert.pem").write_bytes(certificate.public_bytes(pem))
    ca_file = str(tmp_path / "cert.pem")
    with imap_server("--cert", ca_file, "--key", str(tmp_path / "key.pem")) as port:
        extra = {"ssl": "starttls", "ca_file": ca_file}
        given: dict[str, Any] = {"port": port, "login": LOGIN, "password": PASSWORD}
        with mail.Mailbox(SourceConnection("127.0.0.1", **given, extra=extra), "uji") as box:
            assert box.open("INBOX")[0] is not None
        extra.pop("ca_file")
        with (
            pytest.raises(SourceError, match="no safe connection to the mail server"),
            mail.Mailbox(SourceConnection("127.0.0.1", **given, extra=extra), "uji"),
        ):
            pass


def test_mistakes_about_spreadsheets_are_reported(
    settings: Settings, add_channel: Callable[..., Path]
) -> None:
    add_channel(EMAIL, source={"kind": "email", "spreadsheets_to": "tidak_ada"})
    with pytest.raises(ConfigurationError, match=r"spreadsheets_to: whose spreadsheets.*anybody"):
        load_channels(settings.channels)
    trusted = {"spreadsheets_to": "tidak_ada", "spreadsheets_from": "@x.example.id"}
    add_channel(EMAIL, source={"kind": "email", **trusted})
    with pytest.raises(ConfigurationError, match="'tidak_ada' is no register channel"):
        load_channels(settings.channels)
    trusted["spreadsheets_to"] = "register_contoh"
    add_channel(EMAIL, source={"kind": "email", **trusted})
    for given, message in (
        ({"connection": "sftp_kantor"}, "reads the folder of its connection, not its inbox"),
        ({"source": {"kind": "register", "files": "*.pdf"}}, r"takes only '\*.pdf', which no"),
    ):
        add_channel(REGISTER, **given)
        reported = rf"surel_aduan\.yaml:(\d+): source\.spreadsheets_to: 'register_contoh' {message}"
        with pytest.raises(ConfigurationError, match=reported) as failure:
            load_channels(settings.channels)
        found = re.search(reported, str(failure.value))
        assert found is not None
        lines = (settings.channels / "surel_aduan.yaml").read_text().splitlines()
        assert "spreadsheets_to: register_contoh" in lines[int(found[1]) - 1]
    for files in ("*", "Buku*.xls?", "[AB]*.csv", "[!~]*.XLSX"):
        add_channel(REGISTER, source={"kind": "register", "files": files})
        assert "surel_aduan" in load_channels(settings.channels)
    (settings.channels / "register_contoh.yaml").unlink()
    changes = {"connection": None}
    add_channel(EMAIL, **changes)
    with pytest.raises(ConfigurationError, match="connection: is missing: the mail server's"):
        load_channels(settings.channels)
