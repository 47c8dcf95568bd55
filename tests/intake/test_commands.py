"""`lumbung channel`, `lumbung quarantine`, `lumbung intake --dry-run`, and the editors' schema."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import docx
import jsonschema
import psycopg
import pyotp
import pytest
import yaml
from typer.testing import CliRunner

from lumbung import audit, cli
from lumbung.cli.common import machine_account
from lumbung.errors import ConfigurationError, PublicationError, ServiceError, SourceError
from lumbung.intake.channel.load import load_channels
from lumbung.intake.channel.models import schema
from lumbung.intake.connectors.shared import http
from lumbung.publication.editions import approver
from lumbung.settings import Settings
from lumbung.warehouse.roles import role_url
from tests.support.api_server import Reply, Request, serve
from tests.support.channel_samples import CHAT as GROUP
from tests.support.channel_samples import FORM, HEADER, REGISTER, header_merges, workbook
from tests.support.codes import Clock
from tests.support.delivered import delivered

PROJECT = Path(__file__).parents[2]
BROKEN = "title: x\nschedule: tiap pagi\nsource: {kind: register}\nfields: {isu: {from: Isu}}\n"


@pytest.fixture
def lumbung(
    settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """Run the command in an installation of its own; returns what it printed."""
    monkeypatch.setenv("LUMBUNG_HOME", str(settings.home))
    monkeypatch.setenv("LUMBUNG_PROJECT", str(settings.project))
    monkeypatch.setenv("LUMBUNG_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "300")
    settings.demo_claim.touch()  # nobody is asked for a code

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return run


def register(*rows: tuple[str, str]) -> bytes:
    body = [
        [n, key, "06/11/2024", "", "Warga A", "", "Bangka", story]
        for n, (key, story) in enumerate(rows, 1)
    ]
    return workbook({"S": [*HEADER, *body]}, merges={"S": header_merges(0)})


# -- channels -------------------------------------------------------------------------------------


def test_check_tells_every_mistake_of_every_file(
    lumbung: Callable[..., str], settings: Settings, add_channel: Callable[..., Path]
) -> None:
    add_channel(REGISTER)
    assert "1 channels, no mistake: register_contoh" in lumbung("channel", "check")
    for name in ("satu", "dua"):
        (settings.channels / f"{name}.yaml").write_text(BROKEN)
    with pytest.raises(ConfigurationError) as caught:
        lumbung("channel", "check")
    reported = str(caught.value)
    for name in ("satu.yaml", "dua.yaml"):
        assert f"{name}:2: schedule" in reported
        assert f"{name}:4: fields.isu" in reported
        assert f"{name}:1: owner: is missing" in reported


def test_list_shows_what_is_configured_and_which_fields_drifted(
    lumbung: Callable[..., str],
    settings: Settings,
    db: psycopg.Connection,
    add_channel: Callable[..., Path],
) -> None:
    add_channel(REGISTER)
    (settings.channels / "satu.yaml").write_text(BROKEN)
    db.execute(
        "insert into ops.drift_notice (channel, field, notice, first_batch_id)"
        " values ('register_contoh', 'Kolom Baru', 'appeared', 1), ('lain', 'Bukan', 'changed', 1)"
    )
    reported = lumbung("channel", "list")
    for each in ("register_contoh", "0 5 * * *", "inbox/register_contoh", "Kantor Contoh"):
        assert each in reported
    assert re.search(r"register_contoh +Kolom Baru +appeared", reported)
    assert "Bukan" not in reported
    assert "channel satu is not pulled" in reported
    assert "satu.yaml:2: schedule" in reported
    found = json.loads(lumbung("channel", "list", "--json"))
    (channel,) = found["channels"]
    assert (channel["name"], channel["kind"]) == ("register_contoh", "register")
    assert [each["field"] for each in found["drift"]] == ["Kolom Baru"]
    assert "satu.yaml:2: schedule" in found["mistakes"][0]


def test_the_schema_for_editors_is_current_and_every_channel_follows_it() -> None:
    file = PROJECT / "channels" / "channel.schema.json"
    assert file.read_text() == schema(), (
        "run: lumbung channel schema > channels/channel.schema.json"
    )
    rules = json.loads(schema())
    for each in sorted((PROJECT / "channels").glob("*.yaml")):
        text = each.read_text()
        assert text.startswith("# yaml-language-server: $schema=channel.schema.json\n"), each.name
        jsonschema.validate(yaml.safe_load(text), rules)
    wrong = {**yaml.safe_load(BROKEN), "owner": {"name": "A", "email": "a@b.example.id"}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, rules)


UNSEEN: list[list[Any]] = [
    ["BUKU REGISTER PENERIMAAN", "", "", "", "", "", "", ""],
    ["", "", "", "", "", "", "", ""],
    [
        "No",
        "Nomor Laporan",
        "Tgl Diterima",
        "Nama Pelapor",
        "No. HP",
        "Kab/Kota",
        "Isu",
        "Kronologi",
    ],
    [1, "001/LP/PB/Kab/09.05/XI/2024", "06/11/2024", "Warga A", "0812", "Bangka", "a; b", "x"],
    [2, "002/LP/PB/Kab/09.05/XI/2024", "07/11/2024", "Warga B", "0813", "Bangka", "a", "y"],
]
CSV = (
    "Cap waktu,Alamat Email,Nama lengkap,Kecamatan,Isu,Uraian kejadian,Warna\n"
    "06/11/2024 10:15:30,a@b.example.id,Warga A,Mentok,politik uang,Pembagian,biru\n"
)
API = {
    "meta": {"total": 1},
    "data": {
        "items": [
            {
                "uuid": "a-1",
                "created_at": "2024-11-06T10:00:00Z",
                "reporter": {"name": "Warga A", "phone": "0812"},
                "location": {"regency_code": "19.05", "district": "Mentok"},
                "category": "politik uang",
                "description": "Pembagian",
                "mood": "x",
            }
        ]
    },
}
KOBO = {
    "count": 1,
    "results": [
        {
            "_id": 1,
            "_uuid": "b",
            "_xform_id_string": "aBc123",
            "_submission_time": "2024-11-06T10:00:00",
            "pelapor/nama": "Warga A",
            "kejadian/kecamatan": "Mentok",
            "kejadian/isu": "politik_uang apk",
            "kejadian/uraian": "x",
        }
    ],
}


TIP = "ADUAN\nTanggal: 5 November 2024\nLokasi: Bangka\nIsu: politik uang\nNama pelapor: Warga A"
HOOK = {"object": "x", "entry": [{"changes": [{"value": {"messages": [{"text": {"body": TIP}}]}}]}]}
TEMPLATE = {
    "occurred_date": "Tanggal",
    "regency": "Lokasi",
    "issue": "Isu",
    "narrative": "Teks",
}
CHAT = (
    "06/11/24 19.30 - Pesan dan panggilan terenkripsi secara end-to-end.\n"
    f"06/11/24 19.33 - Warga Contoh: {TIP}\n06/11/24 19.34 - Warga Contoh: halo: semua\n"
)
ODK = {
    "value": [
        {
            "__id": "uuid:1",
            "__system": {"submissionDate": "2024-11-06T10:00:00Z"},
            "pengawas": {"nama": "Warga A"},
            "kejadian": {"kecamatan": "Mentok", "isu": "politik_uang apk", "uraian": "x"},
            "meta": {"instanceID": "uuid:1"},
        }
    ]
}
POSTS = {
    "results": [
        {
            **{"id": 1, "form_id": 3, "created": "2024-11-06T10:00:00Z", "content": "x"},
            "post_content": [
                {
                    "fields": [
                        {"label": "Kabupaten", "value": {"value": "Bangka"}},
                        {"label": "Nama pelapor", "value": {"value": "Warga A"}},
                        {"label": "Uraian", "value": {"value": "Pembagian"}},
                    ]
                }
            ],
        }
    ],
    "meta": {"total": 1},
}
POSTS_CSV = (
    "Post ID,Created (UTC),Survey,Kabupaten,Nama pelapor,Uraian\n"
    "1,2024-11-06 10:00:00,A,Bangka,Warga A,Pembagian\n"
)
PLACES = {"regency": "Kabupaten", "narrative": "Uraian"}
PUBLIC_LIST = (
    "<html><table><tr><th>No</th><th>No Laporan/Temuan</th><th>Pemeriksaan</th></tr>"
    "<tr><td>1</td><td>001/LP/PB/Kab/09.05/XI/2024</td><td>selesai</td></tr></table></html>"
)


def form_a() -> bytes:
    document = docx.Document()
    for line in (
        *("Nomor : 012/LHP/PM.00.02/K.BB-03/XI/2024", "I. Data Pengawas Pemilihan"),
        *("a. Nama : Petugas Rekaan", "b. Jabatan : PKD", "II. Kegiatan Pengawasan"),
        *("a. Bentuk : Tatap muka", "b. Waktu dan Tempat : 6 November 2024 di Bangka"),
        *("III. Uraian Singkat Hasil Pengawasan", "Acara tertib."),
        *("IV. Informasi Dugaan Pelanggaran", "a. Pelaku : Orang Rekaan"),
    ):
        document.add_paragraph(line)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("kind", "file", "content", "expected", "personal"),
    [
        (
            "register",
            "a.xlsx",
            workbook({"Lembar1": UNSEEN}),
            {
                "register_number": "Nomor Laporan",
                "received_date": "Tgl Diterima",
                "regency": "Kab/Kota",
                "issue": "Isu",
                "narrative": "Kronologi",
            },
            ["Nama Pelapor", "No. HP"],
        ),
        (
            "form_csv",
            "a.csv",
            CSV.encode(),
            {"district": "Kecamatan", "issue": "Isu", "narrative": "Uraian kejadian"},
            ["Alamat Email", "Nama lengkap"],
        ),
        (
            "http_json",
            "a.json",
            json.dumps(API).encode(),
            {
                "regency_code": "location.regency_code",
                "district": "location.district",
                "issue": "category",
                "narrative": "description",
            },
            ["reporter.name", "reporter.phone"],
        ),
        (
            "kobo",
            "a.json",
            json.dumps(KOBO).encode(),
            {
                "district": "kejadian/kecamatan",
                "issue": "kejadian/isu",
                "narrative": "kejadian/uraian",
            },
            ["pelapor/nama"],
        ),
        (
            "odk",
            "a.json",
            json.dumps(ODK).encode(),
            {
                "district": "kejadian/kecamatan",
                "issue": "kejadian/isu",
                "narrative": "kejadian/uraian",
            },
            ["pengawas/nama"],
        ),
        ("ushahidi", "a.json", json.dumps(POSTS).encode(), PLACES, ["Nama pelapor"]),
        ("ushahidi", "a.csv", POSTS_CSV.encode(), PLACES, ["Nama pelapor"]),
        ("whatsapp", "obrolan.txt", CHAT.encode(), TEMPLATE, ["Pengirim", "Nama pelapor"]),
        (
            "whatsapp_cloud",
            "a.jsonl",
            json.dumps({"headers": {}, "body": json.dumps(HOOK)}).encode(),
            TEMPLATE,
            ["Pengirim", "Nama profil", "Nama pelapor"],
        ),
        (
            "email",
            "a.eml",
            f"From: a@b.example.id\nSubject: x\n\n{TIP}\n".encode(),
            TEMPLATE,
            ["Pengirim", "Nama pengirim", "Kepada", "Nama pelapor"],
        ),
        (
            "form_csv",
            "helpdesk.csv",
            b"Dibuat;Nomor HP;Pokok Aduan;Isi\n2024-11-06 01:15:00;0812;Politik uang;x\n",
            {"issue": "Pokok Aduan", "narrative": "Isi"},
            ["Nomor HP"],
        ),
        (
            "form_a",
            "a.docx",
            form_a(),
            {
                "activity_date": "Kegiatan / Tanggal",
                "regency": "Kegiatan / Waktu dan Tempat",
                "method": "Kegiatan / Bentuk",
                "narrative": "Uraian",
                "suspicion": "Dugaan pelanggaran",
            },
            ["Pengawas / Nama", "Dugaan / Pelaku"],
        ),
        (
            "sigaplapor",
            "a.html",
            PUBLIC_LIST.encode(),
            {"register_number": "No Laporan/Temuan", "narrative": "Pemeriksaan"},
            [],
        ),
    ],
)
def test_add_proposes_a_map_from_a_sample(
    lumbung: Callable[..., str],
    settings: Settings,
    tmp_path: Path,
    kind: str,
    file: str,
    content: bytes,
    expected: dict[str, str],
    personal: list[str],
) -> None:
    sample = tmp_path / file
    sample.write_bytes(content)
    lumbung("channel", "add", kind, "baru", "--sample", str(sample))
    channel = load_channels(settings.channels)["baru"]
    assert channel.kind == kind
    assert {name: field.labels[0] for name, field in channel.fields.items()} == expected
    assert list(channel.personal) == personal
    assert set(channel.kept) <= {"Tanda"}, "what nothing is known of stays in the vault"
    assert getattr(channel.source, "marker", None) == ("ADUAN" if "Tanda" in channel.kept else None)
    jsonschema.validate(
        yaml.safe_load((settings.channels / "baru.yaml").read_text()), json.loads(schema())
    )
    with pytest.raises(ConfigurationError, match="there is a channel of that name"):
        lumbung("channel", "add", kind, "baru", "--sample", str(sample))


def test_an_unseen_register_is_onboarded_and_landed(
    lumbung: Callable[..., str], settings: Settings, db: psycopg.Connection, tmp_path: Path
) -> None:
    inbox = settings.inbox / "kantor_baru"
    inbox.mkdir(parents=True)
    (inbox / "buku.xlsx").write_bytes(workbook({"Lembar1": UNSEEN}))
    lumbung("channel", "add", "register", "kantor_baru", "--sample", str(inbox / "buku.xlsx"))
    assert "2 read: 2 landed, 0 duplicate, 0 quarantined" in lumbung("intake", "kantor_baru")
    assert db.execute("select count(*) from raw.record").fetchone() == (2,)


@pytest.mark.parametrize(
    ("kind", "content", "error"),
    [
        ("kobo", b"<html>", SourceError),
        ("register", b"", SourceError),
        ("http_json", b"[]", SourceError),
        ("whatsapp", b"", SourceError),
        ("email", b"", SourceError),
        ("form_a", b"PK", SourceError),
        ("sigaplapor", b"<html>", SourceError),
        ("odk", b'{"value": []}', SourceError),
        ("form_csv", b"ID Tiket,Isi\n1,x\n", SourceError),
        ("whatsapp_cloud", b"{}", SourceError),
        ("merpati", b"", ConfigurationError),
    ],
)
def test_add_refuses_what_it_cannot_read(
    lumbung: Callable[..., str],
    settings: Settings,
    tmp_path: Path,
    kind: str,
    content: bytes,
    error: type[Exception],
) -> None:
    (tmp_path / "contoh").write_bytes(content)
    with pytest.raises(error):
        lumbung("channel", "add", kind, "baru", "--sample", str(tmp_path / "contoh"))
    assert not list(settings.channels.iterdir())


def test_an_address_that_wants_a_credential_is_reported(lumbung: Callable[..., str]) -> None:
    with contextmanager(serve)(lambda _: Reply(status=401)) as stand:
        address = f"http://127.0.0.1:{stand.port}/v2/laporan"
        with pytest.raises(SourceError, match=r"server refuses: HTTP 401.*to a file"):
            lumbung("channel", "add", "http_json", "baru", "--sample", address)


def test_a_sample_is_fetched_with_the_limits_of_a_pull(
    lumbung: Callable[..., str], settings: Settings
) -> None:
    """Redirects stay on the server, and no answer is larger than a page of a pull."""

    def answer(request: Request) -> Reply:
        large = gzip.compress(b" " * (http.MAX_PAGE + 1), 9)
        return {
            "/pindah": Reply(status=302, headers={"Location": "/data/"}),
            "/putar": Reply(status=302, headers={"Location": "/putar"}),
            "/luar": Reply(status=302, headers={"Location": f"http://localhost:{other.port}/"}),
            "/besar": Reply(large, headers={"Content-Encoding": "gzip"}),
            "/data/": Reply(API),
        }.get(request.path, Reply(status=404))

    server = contextmanager(serve)
    with server(answer) as stand, server(lambda _: Reply(["rahasia"])) as other:
        address = f"http://127.0.0.1:{stand.port}"
        for path, reported in {
            "luar": "redirects to another server",
            "putar": "page for people",
            "besar": "larger than 64 MB",
            "entah": "nothing",
        }.items():
            with pytest.raises(SourceError, match=rf"{reported}.*to a file"):
                lumbung("channel", "add", "http_json", "baru", "--sample", f"{address}/{path}")
        assert other.requests == []
        assert not list(settings.channels.iterdir())
        lumbung("channel", "add", "http_json", "baru", "--sample", f"{address}/pindah")
    assert [request.path for request in stand.requests][-2:] == ["/pindah", "/data/"]
    assert (settings.channels / "baru.yaml").is_file()


# -- a trial, and quarantine ----------------------------------------------------------------------


def test_a_dry_run_shows_what_would_be_landed_and_nothing_personal(
    lumbung: Callable[..., str], db: psycopg.Connection, add_channel: Callable[..., Path]
) -> None:
    inbox = add_channel(REGISTER)
    (inbox / "a.xlsx").write_bytes(register(("1/LP", "Pembagian"), ("", "tanpa nomor")))
    reported = lumbung("intake", "register_contoh", "--dry-run")
    assert "1/LP" in reported
    assert "Pembagian" not in reported
    assert "quarantined 1 x required_field_missing" in reported
    assert "1 landed" in reported
    assert "Warga" not in reported
    assert db.execute("select count(*) from raw.record").fetchone() == (0,)


def test_more_than_half_is_withdrawn_when_a_person_says_so(
    lumbung: Callable[..., str], db: psycopg.Connection, add_channel: Callable[..., Path]
) -> None:
    inbox = add_channel(REGISTER)
    (inbox / "a.xlsx").write_bytes(register(*[(f"{n}/LP", "x") for n in range(5)]))
    lumbung("intake", "register_contoh")
    (inbox / "a.xlsx").write_bytes(register(("0/LP", "x")))
    with pytest.raises(SourceError) as caught:
        lumbung("intake", "register_contoh")
    assert "lumbung intake register_contoh --accept-withdrawals" in caught.value.remediation
    assert ", 4 withdrawn" in lumbung("intake", "register_contoh", "--accept-withdrawals")


def test_a_channel_with_a_server_is_pulled_with_airflows_connection(
    lumbung: Callable[..., str],
    add_channel: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_channel(FORM)
    row = {"_id": 1, "_submission_time": "2024-11-06T10:00:00", "kejadian/uraian": "x"}
    page = {"count": 1, "next": None, "results": [row]}
    with contextmanager(serve)(lambda _: Reply(page)) as stand:
        with pytest.raises(ServiceError, match="Airflow has not been set up"):
            lumbung("intake", "form_contoh")
        given = {"conn_type": "http", "host": "http://127.0.0.1", "port": stand.port}
        variable = "AIRFLOW_CONN_FORM_CONTOH"
        monkeypatch.setenv(variable, json.dumps({**given, "password": "rahasia"}))
        assert "1 read: 1 landed" in lumbung("intake", "form_contoh")
        assert "1 duplicate" in lumbung("quarantine", "retry", "form_contoh")
    assert [each.headers["authorization"] for each in stand.requests] == ["Token rahasia"] * 2


def test_an_identity_is_opened_and_exported_with_a_second_persons_code(
    lumbung: Callable[..., str],
    settings: Settings,
    db: psycopg.Connection,
    database_url: str,
    add_channel: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (add_channel(REGISTER) / "a.xlsx").write_bytes(register(("1/LP", "amplop di warung")))
    lumbung("intake", "register_contoh")
    (number,) = db.execute("select record_id from raw.record").fetchone() or (0,)
    settings.config.mkdir(exist_ok=True)
    people = (PROJECT / "config" / "people.yaml").read_text(encoding="utf-8")
    people = people.replace("stewards: {}", "stewards: {analis: province}")
    (settings.config / "people.yaml").write_text(people, encoding="utf-8")
    settings.demo_claim.unlink()
    phones = []
    for name, for_editions in (("pimpinan", True), ("analis", False)):
        address = approver.enrol(
            name, replace=False, settings=settings, database_url=database_url,
            for_editions=for_editions,
        )  # fmt: skip
        phones.append(pyotp.parse_uri(address))
    phone, own = phones
    assert isinstance(phone, pyotp.TOTP)
    assert isinstance(own, pyotp.TOTP)
    clock = Clock(monkeypatch)
    code = clock.code(phone)

    def run(answers: str, *arguments: str) -> str:
        result = CliRunner().invoke(cli.app, arguments, input=answers, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    said = ("--reason", "klarifikasi", "--by", "analis")
    opening = ("vault", "open", str(number), *said)
    for consent in ((), ("--consent", "orang lain"), ("--consent", "analis")):
        with pytest.raises(ConfigurationError, match="a second person has to consent"):
            run("123456\n", *opening, *consent)
    consent = ("--consent", "pimpinan")
    with pytest.raises(ConfigurationError, match="is nobody who decides here"):
        run(f"123456\n{code}\n", *opening[:-1], "orang lain", *consent)
    with pytest.raises(PublicationError, match="wrong or has expired"):
        run(f"000000\n{code}\n", *opening, *consent)
    with pytest.raises(PublicationError, match="wrong or has expired"):
        run(f"{clock.code(own)}\n000000\n", *opening, *consent)
    with pytest.raises(PublicationError, match="used already"):
        run(f"{clock.code(own)}\n{code}\n", *opening, *consent)
    assert db.execute("select count(*) from ops.opening").fetchone() == (0,)

    def both() -> str:
        """The next code of each."""
        return f"{clock.next_code(own)}\n{clock.code(phone)}\n"

    def prove(what: str) -> bool:
        try:
            approver.prove(
                *("pimpinan", code), edition_id=what, decision="consent", by="ani", root="x",
                settings=settings, database_url=role_url(database_url, "approver"),
            )  # fmt: skip
        except PublicationError:
            return False
        return True

    shown = run(both(), *opening, *consent)
    assert "Warga A" in shown
    logged = "select opened_by, record_id, reason, consented_by, seal <> '' from ops.opening"
    assert db.execute(logged).fetchall() == [("analis", number, "klarifikasi", "pimpinan", True)]
    lines = audit.entries(database_url, limit=2)
    assert {(line.event, line.person, line.is_proved) for line in lines} == {
        ("ops.opening", "analis", True), ("ops.terminal_decision", "analis", True),
    }  # fmt: skip
    # a code counts once
    file = settings.home / "salinan.json"
    for asked, command in (
        ("Warga A\n", ("export", str(file))),
        ("Warga A\n", ("erase",)),
        ("", ("expire", "LP", "--before", "2020-01-01")),
    ):
        codes = both()
        code = clock.code(phone)
        assert prove("x")
        with pytest.raises(PublicationError, match="used already"):
            run(f"{asked}{codes}", "vault", *command, *said, *consent)
    assert not file.exists()
    assert db.execute("select count(*) from ops.erasure").fetchone() == (0,)
    # the phone of somebody who does not approve decides at a terminal, and on no edition
    run(f"{clock.next_code(own)}\n", "record", "exclude", str(number), *said)
    assert db.execute("select decided_by from ops.exclusion_decision").fetchall() == [("analis",)]
    with pytest.raises(PublicationError, match="enrolled for commands alone"):
        approver.prove(
            *("analis", clock.code(own)), edition_id="x", decision="approved", by="x", root="x",
            settings=settings, database_url=role_url(database_url, "approver"),
        )  # fmt: skip
    # of two at once, one counts
    code = clock.next_code(phone)
    with ThreadPoolExecutor(4) as threads:
        proved = list(threads.map(prove, ["erase a person", "open record 1", "x", "x"]))
    assert proved.count(True) == 1


def test_the_evidence_is_opened_for_a_reason_that_is_logged_first(
    lumbung: Callable[..., str],
    db: psycopg.Connection,
    database_url: str,
    settings: Settings,
    add_channel: Callable[..., Path],
) -> None:
    content = register(("1/LP", "amplop di warung"))
    (add_channel(REGISTER) / "a.xlsx").write_bytes(content)
    lumbung("intake", "register_contoh")
    digest = sha256(content).hexdigest()
    file = settings.home / "salinan.xlsx"
    why = ("--reason", "memeriksa baris")
    with pytest.raises(ConfigurationError, match="no such file"):
        lumbung("vault", "evidence", "ab" * 32, str(file), *why)
    with pytest.raises(ConfigurationError, match="no such file"):
        lumbung("vault", "evidence", "../keys", str(file), *why)
    assert db.execute("select count(*) from ops.opening").fetchone() == (0,)
    lumbung("vault", "evidence", digest, str(file), *why)
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (content, 0o600)
    logged = "select encode(evidence_sha256, 'hex'), reason from ops.opening"
    assert db.execute(logged).fetchall() == [(digest, "memeriksa baris")]
    (line,) = audit.entries(database_url, limit=1)
    assert line.content["evidence_sha256"] == f"\\x{digest}"
    with pytest.raises(FileExistsError):
        lumbung("vault", "evidence", digest, str(file), *why)
    assert "0 files" in lumbung("vault", "encrypt")


def test_the_vault_is_opened_for_a_reason_that_is_logged_first(
    lumbung: Callable[..., str], db: psycopg.Connection, add_channel: Callable[..., Path]
) -> None:
    (add_channel(REGISTER) / "a.xlsx").write_bytes(register(("1/LP", "amplop di warung")))
    lumbung("intake", "register_contoh")
    (number,) = db.execute("select record_id from raw.record").fetchone() or (0,)
    with pytest.raises(ConfigurationError, match="not opened without a reason"):
        lumbung("record", "reveal", str(number), "--reason", " ")
    with pytest.raises(ConfigurationError, match="no record has the id 9"):
        lumbung("record", "reveal", "9", "--reason", "pasangan")
    for personal in ("cek 0812-7777-0001", "NIK 1971012345670001", "kata sari@contoh.example.id"):
        for command in (("record", "reveal"), ("vault", "open"), ("record", "exclude")):
            with pytest.raises(ConfigurationError, match="reasons are kept for ever"):
                lumbung(*command, str(number), "--reason", personal)
    assert db.execute("select count(*) from ops.opening").fetchone() == (0,)
    shown = json.loads(lumbung("record", "reveal", str(number), "--reason", "pasangan"))
    assert shown["Uraian"] == "amplop di warung"
    (payload,) = db.execute("select payload from raw.record").fetchone() or ({},)
    assert shown.keys() <= payload.keys()
    assert "Pelapor / Nama" not in shown, "it needs a second person: vault open"
    assert db.execute("select opened_by, record_id, reason from ops.opening").fetchall() == [
        (machine_account(), number, "pasangan")
    ]


def test_an_export_logs_the_quarantined_deliveries_that_it_opens(
    lumbung: Callable[..., str],
    db: psycopg.Connection,
    settings: Settings,
    add_channel: Callable[..., Path],
) -> None:
    (add_channel(REGISTER) / "a.xlsx").write_bytes(register(("", "laporan Warga Z")))
    lumbung("intake", "register_contoh")
    (number,) = db.execute("select quarantine_id from quarantine.record").fetchone() or (0,)
    file = settings.home / "salinan.json"
    export = ("vault", "export", str(file), "--reason", "permintaan tertulis")
    with pytest.raises(ConfigurationError, match="nothing is held on this person"):
        CliRunner().invoke(cli.app, export, input="Warga Q\n", catch_exceptions=False)
    assert not file.exists()
    done = CliRunner().invoke(cli.app, export, input="Warga Z\n", catch_exceptions=False)
    assert "0 records and 1 quarantined deliveries" in done.output
    assert "laporan Warga Z" in file.read_text()
    assert db.execute("select quarantine_id, reason from ops.opening").fetchall() == [
        (number, "permintaan tertulis")
    ]


def test_quarantine_is_listed_shown_and_closed_after_a_fix(
    lumbung: Callable[..., str], db: psycopg.Connection, add_channel: Callable[..., Path]
) -> None:
    inbox = add_channel(REGISTER)
    (inbox / "a.xlsx").write_bytes(register(("1/LP", "x"), ("", "tanpa nomor")))
    lumbung("intake", "register_contoh")
    listed = lumbung("quarantine", "list")
    assert "required_field_missing" in listed
    assert "| baris 4" in listed
    assert "a.xlsx" not in listed
    assert lumbung("quarantine", "list", "lain").count("\n") == 1
    for each in json.loads(lumbung("quarantine", "list", "--json")):
        assert each["reason_code"] in listed
        assert each["state"] == "open"
    assert json.loads(lumbung("quarantine", "list", "lain", "--json")) == []
    (number,) = db.execute("select quarantine_id from quarantine.record").fetchone() or (0,)
    reported = lumbung("quarantine", "show", str(number))
    assert "required_field_missing" in reported
    assert "tanpa nomor" not in reported
    assert db.execute("select count(*) from ops.opening").fetchone() == (0,)
    with pytest.raises(ConfigurationError, match="not opened without a reason"):
        lumbung("quarantine", "show", str(number), "--reveal")
    assert db.execute("select count(*) from ops.opening").fetchone() == (0,)
    reported = lumbung("quarantine", "show", str(number), "--reveal", "--reason", "cari nomornya")
    assert "tanpa nomor" in reported
    assert "Warga A" in reported
    assert "a.xlsx | S | baris 4" in reported
    opened: Any = db.execute("select opened_by, quarantine_id, reason from ops.opening").fetchall()
    assert opened == [(machine_account(), number, "cari nomornya")]
    with pytest.raises(ConfigurationError, match="no quarantined delivery has the id 999"):
        lumbung("quarantine", "show", "999")

    assert "1 open, 0 resolved" in lumbung("quarantine", "retry", "register_contoh")
    (inbox / "a.xlsx").write_bytes(register(("1/LP", "x"), ("2/LP", "tanpa nomor")))
    reported = lumbung("quarantine", "retry", "register_contoh")
    assert "1 landed" in reported
    assert "0 open, 1 resolved" in reported
    assert "required_field_missing" not in lumbung("quarantine", "list")
    assert "(resolved)" in lumbung("quarantine", "list", "--resolved")
    # The same mistake again is no news of the source, and open again.
    (inbox / "a.xlsx").write_bytes(register(("1/LP", "x"), ("", "tanpa nomor")))
    assert "1 open, 0 resolved" in lumbung("quarantine", "retry", "register_contoh")


def test_what_a_person_dismissed_is_open_no_more_and_kept_until_it_is_reopened(
    lumbung: Callable[..., str],
    db: psycopg.Connection,
    database_url: str,
    add_channel: Callable[..., Path],
) -> None:
    inbox = add_channel(REGISTER)
    (inbox / "a.xlsx").write_bytes(register(("1/LP", "x"), ("", "coretan"), ("", "tanpa nomor")))
    lumbung("intake", "register_contoh")
    content = "select quarantine_id, content_hash, ciphertext, reason from quarantine.record"
    kept = sorted(db.execute(content).fetchall())
    number, other = (str(row[0]) for row in kept)
    batches = db.execute("select b::text from raw.batch as b").fetchall()
    why = "coretan di luar tabel"
    with pytest.raises(ConfigurationError, match="has no reason"):
        lumbung("quarantine", "dismiss", number, "--reason", "  ")
    assert "1 of 1 dismissed" in lumbung("quarantine", "dismiss", number, "--reason", why)
    with pytest.raises(ConfigurationError, match=f"no open delivery .* id {number}"):
        lumbung("quarantine", "dismiss", number, "--reason", "lagi")
    reported = lumbung("quarantine", "show", number)
    assert machine_account() in reported
    assert why in reported
    shown = lumbung("quarantine", "show", number, "--reveal", "--reason", "periksa")
    assert "coretan" in shown

    def listed(*options: str) -> set[str]:
        return {
            line.split()[0] + " (dismissed)" * ("(dismissed)" in line)
            for line in lumbung("quarantine", "list", *options).splitlines()[1:]
        }

    assert listed() == {other}
    assert listed("--resolved") == {f"{number} (dismissed)", other}
    # neither pulls of the same rows nor another reading of them open it again
    (inbox / "b.xlsx").write_bytes(register(("2/LP", "y"), ("", "coretan")))
    assert "5 read: 1 landed, 4 duplicate, 0 quarantined" in lumbung("intake", "register_contoh")
    assert "1 open, 1 resolved" in lumbung("quarantine", "retry", "register_contoh")
    assert listed() == {other}
    assert sorted(db.execute(content).fetchall()) == kept
    assert db.execute("select b::text from raw.batch as b").fetchall()[: len(batches)] == batches
    assert db.execute(
        "select dismissed_by, dismissed_reason, resolved_at between now() - interval '1 min'"
        " and now() from quarantine.record where quarantine_id = %s",
        (number,),
    ).fetchone() == (machine_account(), why, True)

    with pytest.raises(ConfigurationError, match=f"no dismissed delivery .* id {other}"):
        lumbung("quarantine", "reopen", other, "--reason", "keliru")
    assert "1 of 2 reopened" in lumbung("quarantine", "reopen", number, other, "--reason", "keliru")
    assert listed() == {number, other}
    assert [(each.person, set(each.content)) for each in audit.entries(database_url, limit=1)] == [
        (machine_account(), {"quarantine_id", "channel", "reopened_at", "reopened_reason"})
    ]
    assert "2 open, 0 resolved" in lumbung("quarantine", "retry", "register_contoh")


def test_a_doubtful_message_that_a_person_accepts_is_landed_by_the_next_pull(
    lumbung: Callable[..., str], db: psycopg.Connection, add_channel: Callable[..., Path]
) -> None:
    inbox = add_channel(GROUP)
    chat = """06/11/24 19.30 - Warga B: satu
06/11/24 19.33 - Warga A: dua
06/11/24 19.32 - Warga B: tiga
06/11/24 19.20 - Warga B: palsu
31/02/24 19.40 - Warga B: tak bertanggal
"""
    (inbox / "a.txt").write_text(chat)
    assert "2 landed, 0 duplicate, 3 quarantined" in lumbung("intake", "chat_contoh")
    numbers = [
        str(row[0])
        for row in db.execute("select quarantine_id from quarantine.record order by quarantine_id")
    ]
    why = "dicocokkan dengan ponsel posko"
    for bad, reported in (
        ((numbers[0], "--reason", " "), "has no reason"),
        ((numbers[2], "--reason", why), f"{numbers[2]} is not a doubtful message"),
        (("999", "--reason", why), "no open delivery in quarantine has the id 999"),
    ):
        with pytest.raises(ConfigurationError, match=reported):
            lumbung("quarantine", "accept", *bad)
    assert "accepted" in lumbung("quarantine", "accept", *numbers[:2], "--reason", why)
    assert "(accepted)" in lumbung("quarantine", "list"), "open until it is landed"
    lumbung("quarantine", "dismiss", numbers[1], "--reason", "keliru diterima")
    assert "1 landed" in lumbung("intake", "chat_contoh")
    assert "0 landed" in lumbung("intake", "chat_contoh")
    landed = delivered(db, "select payload ->> 'Teks' from raw.record order by received_at")
    assert [text for (text,) in landed] == ["satu", "tiga", "dua"]
    assert why in lumbung("quarantine", "show", numbers[0])
    assert db.execute(
        "select quarantine_id, accepted_by, accepted_reason, dismissed_by from quarantine.record"
        " where resolved_at is not null order by 1"
    ).fetchall() == [
        (int(numbers[0]), machine_account(), why, None),
        (int(numbers[1]), machine_account(), why, machine_account()),
    ]
    (inbox / "b.txt").write_text(chat)
    assert "0 quarantined" in lumbung("intake", "chat_contoh")
