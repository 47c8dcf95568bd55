"""Nobody is readable: invented names and numbers go through the whole job, then all is searched.

Each name begins with `Zqvor` and each phone number with 0812-7777, in every field and place of
every kind of channel. They may be found in the vault, in the content of quarantined deliveries and
in the evidence, and nowhere else: in no other table, no file, no log and no argument of a process.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import re
import sqlite3
import subprocess
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lumbung.demo.kobo_server import StandIn
from lumbung.intake import inbox
from lumbung.intake.channel.load import load_channel
from lumbung.intake.connectors import KINDS
from lumbung.intake.connectors.base import SourceConnection
from lumbung.intake.evidence import Evidence
from lumbung.intake.run import pull
from lumbung.orchestration import pull_summary
from lumbung.publication.checks import checkpoint
from lumbung.publication.checks.pii import _pdf_text
from lumbung.publication.editions import freezing, publishing, review
from lumbung.publication.portal import publish as portal
from lumbung.registry import canonical_fields
from lumbung.settings import Settings
from lumbung.stewardship import items
from lumbung.warehouse.build import build
from lumbung.warehouse.raw_checkpoint import check_raw
from lumbung.warehouse.roles import role_url
from tests.intake import test_email as email
from tests.intake import test_form_a as form_a
from tests.intake import test_odk as odk
from tests.intake import test_ushahidi as ushahidi
from tests.intake import test_whatsapp_cloud as cloud
from tests.support.api_server import Reply, serve
from tests.support.builds import artifacts, data_docs
from tests.support.channel_samples import workbook
from tests.support.homes import demo_home
from tests.warehouse.conftest import PROJECT, query, write_channel

WEEK = "2024-W47"
PHONE = "0812-7777-0001"
CANARY = re.compile(r"zqvor|0?812.?7777", re.IGNORECASE)


def name(place: str) -> str:
    """A name as a person writes it into a cell."""
    return f"Zqvor{place.replace('_', '')}"


# Every canonical field under one label, with a value that is as it should be.
CELLS: dict[str, tuple[str, str]] = {
    "register_number": ("Nomor", ""),
    "received_date": ("Diterima", "2024-11-19"),
    "known_date": ("Diketahui", "18 November 2024"),
    "occurred_date": ("Kejadian", "17/11/2024"),
    "activity_date": ("Tanggal Kegiatan", "2024-11-19"),
    "period_date": ("Pekan", "2024-11-19"),
    "regency_code": ("Kode Kab", "19.03"),
    "district_code": ("Kode Kec", "19.03.01"),
    "village_code": ("Kode Desa", "19.03.01.1001"),
    "regency": ("Kabupaten", "Bangka Selatan"),
    "district": ("Kecamatan", "Toboali"),
    "village": ("Desa", "Teladan"),
    "violation_type": ("Jenis", "administrasi"),
    "issue": ("Isu", "politik uang"),
    "accused_role": ("Jabatan", "kepala desa"),
    "status_reason": ("Alasan", "syarat formal"),
    "forwarded_to": ("Diteruskan", "KPU"),
    "follow_up": ("Tindak Lanjut", "sudah"),
    "during_campaign_event": ("Saat Kampanye", "tidak"),
    "observer_organisation": ("Lembaga Pemantau", "kipp"),
    "status": ("Status", "diregistrasi"),
    "suspicion": ("Dugaan", "ada"),
    "election": ("Pemilihan", "pilgub"),
    "record_kind": ("Ragam", "laporan"),
    "activity_kind": ("Kegiatan", ""),
    "prevention_type": ("Bentuk", "imbauan tertulis"),
    "method": ("Metode", "tatap muka"),
    "prevention_form": ("Bentuk Pencegahan", "pendidikan"),
    "prevention_kind": ("Jenis Pencegahan", "sosialisasi"),
    "target_group": ("Sasaran", "pemuda"),
    "participants": ("Peserta", "100 orang"),
    "activity_stage": ("Tahapan", "kampanye"),
    "office_level": ("Tingkat", "provinsi"),
    "plan_start_date": ("Mulai", "2024-11-01"),
    "plan_end_date": ("Selesai", "2024-11-30"),
    "planned_activities": ("Rencana Kegiatan", "5 kali"),
    "planned_participants": ("Rencana Peserta", "200"),
    "venue": ("Tempat", "masjid"),
    "narrative": ("Uraian", "amplop di warung"),
}
LABELS = {field: label for field, (label, _) in CELLS.items()}


def mapped(*left_out: str) -> dict[str, dict[str, str]]:
    """The field map of a channel that has every canonical field but some."""
    return {
        field: {"from": label}
        | ({"separator": ";"} if canonical_fields()[field].parser == "list" else {})
        for field, label in LABELS.items()
        if field not in left_out
    }


def rows() -> list[dict[str, str]]:
    """Rows that are right but for one cell, which holds a name, or a name with a phone number."""
    whole = dict(CELLS.values())
    written: list[dict[str, str]] = []
    for field, label in LABELS.items():
        for content in (name(field), f"{whole[label]} Pak {name(field)}, {PHONE}"):
            number = f"{len(written) + 1:03}/LP/PB/Kab/09.03/XI/2024"
            written.append(whole | {"Nomor": number, label: content})
    whole["Nomor"] = "900/LP/PB/Kab/09.03/XI/2024"
    return [
        {**each, "Pelapor": name("pelapor"), "Catatan": name("catatan"), name("kolom"): "x"}
        for each in [*written, whole]
    ]


ROWS = rows()
EVERY = {label: f"{name(field)} {PHONE}" for field, label in LABELS.items()}
"""A row whose every declared cell holds a name."""
PRIVATE = {"Pelapor": name("pelapor"), "Catatan": name("takdikenal"), name("kolom"): "x"}
MESSAGE = "\n".join(
    [
        "ADUAN",
        "Kejadian: 17/11/2024",
        f"Kabupaten: Bangka, rumah {name('alamat')}",
        f"Isu: politik uang; {name('isupesan')}",
        f"Uraian: {name('uraianpesan')} {PHONE}",
        f"Saksi: {name('saksi')}",
        f"lalu {name('baris')} datang",
        f"{name('label')}: hadir",
        f"Pelapor: {name('pelaporpesan')}",
    ]
)
CHAT = f"Selamat malam, saya {name('obrolan')} {PHONE}"
MESSAGE_FIELDS = {
    "occurred_date": {"from": "Kejadian"},
    "regency": {"from": "Kabupaten"},
    "issue": {"from": "Isu", "separator": ";"},
    "narrative": {"from": ["Uraian", "Teks"]},
}
TABLE = {"personal": ["Pelapor"], "subject": ["Pelapor"]}

CHANNELS: dict[str, dict[str, Any]] = {
    "register": {
        **TABLE,
        "source": {"kind": "register", "sheet_in_key": True},
        "key": "Nomor",
        "fields": mapped("activity_kind"),
    },
    "form_csv": {
        **TABLE,
        "source": {"kind": "form_csv", "id": "Nomor"},
        "fields": mapped("activity_kind"),
    },
    "http_json": {
        **TABLE,
        "source": {
            "kind": "http_json",
            "path": "laporan",
            "id": "Nomor",
            "received": {"field": "Waktu", "format": "iso"},
        },
        "fields": mapped("activity_kind"),
    },
    "sql": {
        **TABLE,
        "source": {"kind": "sql", "table": "aduan"},
        "key": "Nomor",
        "fields": mapped("activity_kind"),
    },
    "kobo": {
        **TABLE,
        "source": {"kind": "kobo", "asset": "aKanari"},
        "fields": mapped("activity_kind"),
    },
    "odk": {
        **TABLE,
        "source": {"kind": "odk", "project": 7, "form": "form pantau/1"},
        "fields": mapped("activity_kind"),
    },
    "ushahidi": {**TABLE, "source": {"kind": "ushahidi"}, "fields": mapped("activity_kind")},
    "sigaplapor": {
        **TABLE,
        "source": {"kind": "sigaplapor"},
        "fields": {**mapped("activity_kind"), "register_number": {"from": "No Laporan/Temuan"}},
    },
    "form_a": {
        "source": {"kind": "form_a"},
        "record_kind": "LHP",
        "fields": {
            "activity_date": {"from": "Kegiatan / Tanggal"},
            "regency": {"from": "Kegiatan / Waktu dan Tempat"},
            "election": {"from": "Kegiatan / Pemilihan"},
            "method": {"from": "Kegiatan / Bentuk"},
            "suspicion": {"from": "Dugaan Pelanggaran"},
            "narrative": {"from": "Uraian"},
        },
    },
    "whatsapp": {
        **TABLE,
        "source": {"kind": "whatsapp", "marker": "ADUAN"},
        "fields": MESSAGE_FIELDS,
    },
    "whatsapp_cloud": {
        **TABLE,
        "source": {"kind": "whatsapp_cloud", "marker": "ADUAN"},
        "fields": MESSAGE_FIELDS,
    },
    "email": {**TABLE, "source": {"kind": "email", "marker": "ADUAN"}, "fields": MESSAGE_FIELDS},
}
IS_TIP = {"whatsapp", "whatsapp_cloud", "email"}
CONNECTED = {"http_json", "kobo", "odk", "ushahidi", "whatsapp_cloud", "email"}


def sheet(cells: list[dict[str, str]]) -> list[list[str]]:
    head = [*LABELS.values(), "Pelapor", "Catatan", name("kolom")]
    return [head, *([row.get(label, "") for label in head] for row in cells)]


def attached(text: str, **headers: str) -> EmailMessage:
    """A mail with a photo."""
    mail = email.letter(text, **headers)
    photo = b"\xff\xd8\xff" + name("foto").encode()
    mail.add_attachment(photo, "image", "jpeg", filename=f"KTP {name('lampiran')}.jpg")
    return mail


@contextmanager
def sources(inbox: Path) -> Iterator[dict[str, SourceConnection | None]]:
    """Everything that the channels read: files in the inbox, servers on this machine."""
    for channel in CHANNELS:
        (inbox / channel).mkdir(parents=True)
    broken = [{**ROWS[-1], "Nomor": ""}, {**ROWS[-1], "Nomor": name("nomor")}, {**EVERY, **PRIVATE}]
    book = workbook({name("lembar"): sheet([*ROWS, *broken])})
    (inbox / "register" / f"Buku {name('berkas')}.xlsx").write_bytes(book)
    (inbox / "register" / f"{name('rusak')}.xlsx").write_bytes(f"bukan {name('isi')}".encode())

    with (inbox / "form_csv" / f"Respons {name('respons')}.csv").open("w", newline="") as file:
        head, *lines = sheet([*ROWS[::9], *broken])
        csv.writer(file).writerows(
            [
                ["Cap waktu", *head],
                *(["20/11/2024 10.00.00", *each] for each in lines),
                [f"besok {name('waktu')}", *lines[0]],
            ]
        )
    with closing(sqlite3.connect(inbox / "sql" / f"{name('basis')}.db")) as made:
        head, *lines = sheet([*ROWS[::9], *broken])
        columns = ", ".join(f'"{label}" text' for label in head)
        made.execute(f"create table aduan ({columns})")
        made.executemany(f"insert into aduan values ({', '.join('?' * len(head))})", lines)
        made.commit()
    head, *lines = sheet([ROWS[-1], EVERY | PRIVATE])
    export = [
        ["No", "No Laporan/Temuan", *head[1:]],
        *([str(n), *each] for n, each in enumerate(lines, 1)),
    ]
    (inbox / "sigaplapor" / f"ekspor {name('sigap')}.xlsx").write_bytes(
        workbook({name("daftar"): export})
    )
    form = "\n".join(
        [
            "LAPORAN HASIL PENGAWASAN",
            "Nomor : 001/LHP/PM.00.02/K.BB-03/XI/2024",
            "I. Data Pengawas Pemilihan",
            f"a. Nama : {name('pengawas')}",
            "II. Kegiatan Pengawasan",
            f"a. Bentuk : {name('bentuk')}",
            f"b. Pemilihan : {name('pilihan')}",
            f"c. Waktu dan Tempat : 19 November 2024 di rumah {name('rumah')}, Toboali",
            "III. Uraian Singkat Hasil Pengawasan",
            f"{name('hasil')} hadir, {PHONE}.",
        ]
    )
    (inbox / "form_a" / f"{name('formulir')}.docx").write_bytes(form_a.written(form))
    (inbox / "form_a" / f"{name('kosong')}.docx").write_bytes(form_a.written(name("bukanformulir")))
    chat = (
        "".join(
            f"[20/11/24 10.{minute:02}.00] {name('pengirim')}: {text}\n"
            for minute, text in enumerate((MESSAGE, CHAT, "Pesan ini telah dihapus"))
        )
        + f"[45/11/24 10.00.00] {name('salah')}: {name('tanggalsalah')}\n"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"Chat WhatsApp dengan {name('kontak')}.txt", chat)
    (inbox / "whatsapp" / f"Chat {name('arsip')}.zip").write_bytes(buffer.getvalue())
    contacts = [{"profile": {"name": name("profil")}, "wa_id": cloud.NUMBER}]
    requests = [
        cloud.line(
            cloud.body(cloud.message(f"wamid.{n}", text, at=cloud.NOON + n), contacts=contacts)
        )
        for n, text in enumerate((MESSAGE, CHAT))
    ]
    requests.append(cloud.line(cloud.body(cloud.message("wamid.9", CHAT)), "sha256=00"))
    (inbox / "whatsapp_cloud" / f"{name('kiriman')}.jsonl").write_bytes(b"".join(requests))

    records = [{**EVERY, **PRIVATE}, {**ROWS[-1], **PRIVATE}, {**ROWS[-1], "Nomor": ""}]
    listing = [{**each, "Waktu": "2024-11-20T10:00:00+07:00"} for each in records]
    central = odk.Central()
    for number, each in enumerate(records):
        central.rows.append(
            {**odk.submission(number, submissionDate="2024-11-20T03:00:00.000Z"), **each}
        )
        central.rows[-1]["__system"]["submitterName"] = name("relawan")
    deployment = ushahidi.Deployment()
    at = "2024-11-20T03:00:00+0000"
    for number, each in enumerate(records, 1):
        content = [
            {
                "id": 1,
                "label": "Kejadian",
                "fields": [
                    {"id": 1, "label": label, "type": "varchar", "value": {"value": value}}
                    for label, value in each.items()
                    if value
                ],
            }
        ]
        deployment.posts.append(
            ushahidi.post(
                number,
                created=at,
                post_date=at,
                post_content=content,
                title=name("judul"),
                content=name("isi"),
            )
        )
    submissions = [
        {
            **each,
            "_id": n,
            "_uuid": f"u{n}",
            "_submission_time": "2024-11-20T03:00:00",
            "_submitted_by": name("pengisi"),
            "meta/instanceID": f"uuid:u{n}",
            "_attachments": [],
        }
        for n, each in enumerate(records, 1)
    ]
    kobo_file = inbox / "kobo.json"
    kobo_file.write_text(json.dumps({"uid": "aKanari", "results": submissions}))

    with email.imap_server("--no-tls") as port:
        box = email.Mailbox(port)
        for text in (MESSAGE, CHAT):
            box.put(
                attached(
                    text,
                    From=f"{name('surat')} <{name('alamatsurel')}@contoh.example.id>",
                    Subject=f"Aduan {name('perihal')}",
                    Message_ID=f"<{name('idsurat')}{len(text)}@contoh.example.id>",
                )
            )
        box.put(b"\xff\xfe" + name("rusaksurat").encode())
        box.imap.logout()
        CHANNELS["email"]["source"]["folders"] = [box.folder]
        with (
            contextmanager(serve)(lambda request: Reply(listing)) as api,
            contextmanager(serve)(central) as odk_stand,
            contextmanager(serve)(deployment) as map_stand,
            StandIn(kobo_file, 0, "rahasia") as kobo,
        ):
            threading.Thread(target=kobo.serve_forever, daemon=True).start()
            yield {
                "email": box.connection(),
                "http_json": api.connection(),
                "odk": odk_stand.connection(login="a@contoh.example.id", password="sandi"),
                "ushahidi": map_stand.connection(),
                "kobo": SourceConnection(kobo.address, password="rahasia"),
                "whatsapp_cloud": cloud.CONNECTION,
            }
            kobo.shutdown()


class Job:
    """One run of the whole job, and what it left behind."""

    def __init__(self, url: str, settings: Settings, temporary: Path) -> None:
        self.url, self.settings, self.temporary = url, settings, temporary
        self.output = io.StringIO()
        self.returned: list[Any] = []
        self.processes: list[str] = []
        self.counts: dict[str, Any] = {}
        self.edition = ""

    def upload(self) -> None:
        """At the desk, where machines share no disk."""
        inbox.receive(
            io.BytesIO(workbook({name("lembar"): sheet(ROWS[:1])})),
            f"Buku {name('unggahan')}.xlsx",
            load_channel(self.settings.channels, "register"),
            by="penangan",
            settings=replace(self.settings, shared_evidence="s3://bukti"),
            database_url=role_url(self.url, "steward"),
        )

    def run(self) -> None:
        """Intake, raw checkpoint, build, edition, publication checkpoint, publication, portal."""
        given: dict[str, Any] = {"settings": self.settings, "database_url": self.url}
        with sources(self.settings.inbox) as connections:
            for channel, document in CHANNELS.items():
                more = {"record_kind": "IA"} if channel in IS_TIP else {}
                if channel in CONNECTED:
                    more["connection"] = channel
                write_channel(self.settings.channels / f"{channel}.yaml", {**document, **more})
            for channel in CHANNELS:
                for attempt in ("satu", "dua"):
                    counts = pull(
                        channel, connection=connections.get(channel), run_key=attempt, **given
                    )
                    self.counts.setdefault(channel, counts)
                    self.returned.append(
                        pull_summary(channel, attempt, counts, database_url=self.url)
                    )
            self.upload()
        self.returned.append(check_raw(**given).summary())
        self.returned.append(build(**given).summary())
        self.returned += [each._asdict() for each in items(self.url)]
        self.edition = freezing.freeze(WEEK, **given)
        drafted = review.write_draft(self.edition, **given)
        self.returned.append(drafted)
        self.returned.append(checkpoint.check(self.edition, **given).summary())
        review.approve(self.edition, by="demo", how="demo", reviewed=drafted, database_url=self.url)
        self.returned.append(publishing.publish(self.edition, **given))
        self.returned.append(str(portal.build(**given)))


@pytest.fixture(scope="module")
def job(new_warehouse: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Job:
    project = tmp_path_factory.mktemp("canary")
    for each in ("config", "dbt_project", "expectations"):
        (project / each).symlink_to(PROJECT / each)
    (project / "channels").mkdir()
    settings = demo_home(tmp_path_factory.mktemp("home"), project)
    done = Job(new_warehouse(), settings, tmp_path_factory.mktemp("temporary"))
    handler = logging.StreamHandler(done.output)
    started = subprocess.Popen.__init__

    def note(self: Any, args: Any, *others: Any, **options: Any) -> None:
        environment = options.get("env") or {}
        done.processes += [
            repr(args),
            repr({k: v for k, v in environment.items() if k not in os.environ}),
        ]
        started(self, args, *others, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess.Popen, "__init__", note)
        patch.setattr(tempfile, "tempdir", str(done.temporary))
        patch.setenv("TMPDIR", str(done.temporary))
        patch.setattr(inbox, "Evidence", lambda folder, keys, shared: Evidence(folder, keys))
        logging.getLogger().addHandler(handler)
        level = logging.getLogger().level
        logging.getLogger().setLevel(logging.DEBUG)
        try:
            output = redirect_stdout(done.output), redirect_stderr(done.output)
            with output[0], output[1], artifacts(are_kept=True), data_docs(are_written=True):
                done.run()
        finally:
            logging.getLogger().setLevel(level)
            logging.getLogger().removeHandler(handler)
    return done


def tables(url: str) -> dict[str, int]:
    """schema.table.column -> rows that hold a canary, of all but what is encrypted."""
    columns = query(
        url,
        "select c.table_schema, c.table_name, c.column_name, c.data_type"
        " from information_schema.columns as c inner join information_schema.tables as t"
        " using (table_schema, table_name)"
        " where (t.table_type = 'BASE TABLE' or t.table_schema = 'marts')"
        " and c.table_schema not in ('pg_catalog', 'information_schema')"
        " union all select n.nspname, r.relname, a.attname, format_type(a.atttypid, null)"
        " from pg_attribute as a inner join pg_class as r on r.oid = a.attrelid"
        " inner join pg_namespace as n on n.oid = r.relnamespace"
        " where r.relkind = 'm' and a.attnum > 0",
    )
    assert len(columns) > 400
    found = {}
    with psycopg.connect(url) as connection:
        for schema, table, column, kind in columns:
            text = f"encode(\"{column}\", 'escape')" if kind == "bytea" else f'"{column}"::text'
            row = connection.execute(
                f'select count(*) from "{schema}"."{table}" where {text} ~* %s'.encode(),
                (CANARY.pattern,),
            ).fetchone()
            assert row is not None
            if row[0]:
                found[f"{schema}.{table}.{column}"] = row[0]
    return found


def texts(path: Path) -> Iterator[str]:
    """What a file says, also where it is packed."""
    content = path.read_bytes()
    yield content.decode("utf-8", "replace")
    if content[:2] == b"PK":
        with zipfile.ZipFile(path) as archive:
            for each in archive.namelist():
                yield each
                yield archive.read(each).decode("utf-8", "replace")
    if content[:4] == b"%PDF":
        yield _pdf_text(content)


def test_every_kind_of_channel_and_every_canonical_field_holds_names(job: Job) -> None:
    assert {each["source"]["kind"] for each in CHANNELS.values()} == set(KINDS)
    assert set(LABELS) == set(canonical_fields())
    for channel, counts in job.counts.items():
        assert counts.landed, channel
    assert sum(counts.quarantined for counts in job.counts.values()) >= 8
    vault = query(job.url, "select count(*) from vault.identity")
    assert vault[0][0] > 60


def test_no_table_holds_a_name(job: Job) -> None:
    found = tables(job.url)
    assert found == {}
    replaced = query(
        job.url, "select channel from ops.drift_notice where starts_with(field, '~') group by 1"
    )
    assert {"register", "form_csv", "whatsapp"} <= {channel for (channel,) in replaced}
    uploads = query(job.url, "select count(*) from ops.inbox_file")
    assert uploads == [(1,)]
    keyed = query(
        job.url, "select distinct channel from raw.record where starts_with(source_id, '~')"
    )
    assert ("register",) in keyed


def test_nothing_that_was_printed_logged_or_returned_holds_a_name(job: Job) -> None:
    said = [line for line in job.output.getvalue().splitlines() if CANARY.search(line)]
    assert not said, said[:20]
    handed_on = [each for each in job.returned if CANARY.search(json.dumps(each, default=str))]
    assert not handed_on, handed_on[:20]


def test_no_file_holds_a_name(job: Job) -> None:
    """dbt's artefacts and logs, Data Docs, drafts, editions and the portal."""
    left = {"inbox"}
    searched, found = 0, []
    for path in sorted(job.settings.home.rglob("*")):
        place = path.relative_to(job.settings.home)
        if place.parts[0] in left:
            continue
        searched += 1
        if CANARY.search(str(place)) or (
            path.is_file() and any(CANARY.search(each) for each in texts(path))
        ):
            found.append(str(place))
    assert searched > 50
    assert not found
    for suite in ("raw", "publication"):
        assert len([*(job.settings.docs / "checks" / suite).rglob("*.html")]) > 5
    assert any((job.settings.home / "dbt").rglob("run_results.json"))


def test_no_process_is_given_a_name_and_no_temporary_file_is_left(job: Job) -> None:
    assert any("lumbung.intake.parsers" in each for each in job.processes)
    assert not [each for each in job.processes if CANARY.search(each)]
    assert [str(each) for each in job.temporary.rglob("*")] == []
