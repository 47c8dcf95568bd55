"""Channel files: what is refused, with which words, and what reaches the warehouse."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from lumbung.errors import ConfigurationError
from lumbung.intake.channel.load import load_channels, read_channels
from lumbung.intake.channel.sync import sync
from tests.support.channel_samples import CHAT, REGISTER, channel

GOOD = """\
title: Register
owner: {name: Kantor, email: kantor@contoh.example.id}
schedule: "0 5 * * *"
source:
  kind: register
key: No
personal: [Nama]
subject: [Nama]
fields:
  received_date: {from: Tanggal, parser: date}
  issue: {from: [Isu, Masalah], separator: ";"}
"""
FORM = {
    "title": "Formulir",
    "owner": {"name": "Kantor", "email": "kantor@contoh.example.id"},
    "schedule": "0 5 * * *",
    "source": {"kind": "kobo", "asset": "aA"},
    "fields": {"narrative": {"from": "Uraian"}},
}


def mistakes(tmp_path: Path, **files: str) -> str:
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load_channels(tmp_path)
    return caught.value.what


def test_a_good_file_is_a_channel(tmp_path: Path) -> None:
    (tmp_path / "register.yaml").write_text(GOOD + "expected_every: 7 days\n")
    found = load_channels(tmp_path)["register"]
    assert (found.name, found.kind, found.timezone) == ("register", "register", "Asia/Jakarta")
    assert found.key == ("No",), "a column called No is no boolean"
    assert found.fields["issue"].labels == ("Isu", "Masalah")
    assert found.expected_every == timedelta(days=7)
    assert found.connection is None


@pytest.mark.parametrize(
    ("old", "new", "reported"),
    [
        ("title: Register\n", "", "register.yaml:1: title: is missing; add it"),
        ("key: No", "kee: No", "register.yaml:6: kee: is not known here"),
        ("kind: register", "kind: rejister", "register.yaml:4: source: kind is missing or unknown"),
        ("kind: register", "kind: kobo", "register.yaml:4: source.asset: is missing; add it"),
        (
            "kind: register",
            "kind: register\n  filse: x",
            "register.yaml:6: source.filse: is not known here",
        ),
        ("received_date:", "recieved_date:", "register.yaml:10: fields.recieved_date"),
        ("parser: date", "parser: text", "register.yaml:10: fields.received_date.parser: 'text'"),
        (', separator: ";"', "", "register.yaml:11: fields.issue: is a list; add its separator"),
        ("0 5 * * *", "daily", "register.yaml:3: schedule: 'daily' cannot be used; write five"),
        ("from: Tanggal", "from: Nama", "register.yaml:10: fields.received_date.from: 'Nama' is"),
        ("key: No", "key: nama", "register.yaml:7: personal: 'Nama' is spelled 'nama' above"),
        ("subject: [Nama]", "subject: [HP]", "register.yaml:8: subject: 'HP' is not personal"),
        ("key: No\n", "", "register.yaml:1: key: is missing"),
        ("kantor@contoh.example.id", "kantor", "register.yaml:2: owner.email: "),
        ("fields:", "title: Lagi\nfields:", "register.yaml:9: title: written twice; remove one"),
        ("source:\n", "source: [\n", "register.yaml:6: not YAML: "),
        ("fields:", "name: lain\nfields:", "register.yaml:9: name: the file's name is"),
        ("[Isu, Masalah]", "[Isu, ISU]", "register.yaml:11: fields.issue.from: "),
    ],
)
def test_a_mistake_is_reported_with_file_line_field_and_remediation(
    tmp_path: Path, old: str, new: str, reported: str
) -> None:
    assert GOOD.count(old) == 1
    assert reported in mistakes(tmp_path, register=GOOD.replace(old, new))


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        (b"title: bel\x07\n", "rusak.yaml:1: not YAML: a control character"),
        (b"title: \xff\n", "rusak.yaml:1: the file is not UTF-8"),
        (b"owner:\n  name: {{ kantor }}\n", "rusak.yaml:2: a name in braces or brackets"),
        (b"title: &diri [*diri]\n", "rusak.yaml:1: it holds itself"),
        (b"title: " + 9_000 * b"[" + 9_000 * b"]", "rusak.yaml:1: it holds itself (&, *) or nests"),
        (
            b"title: x\nkey: " + 5_000 * b"9" + b"\nekstra: 1\n",
            "rusak.yaml:3: ekstra: is not known",
        ),
        (None, "rusak.yaml:1: cannot be read: "),
    ],
)
def test_a_file_broken_in_any_way_stops_its_own_channel_alone(
    tmp_path: Path, content: bytes | None, reported: str
) -> None:
    (tmp_path / "baik.yaml").write_text(GOOD)
    broken = tmp_path / "rusak.yaml"
    if content is None:
        broken.mkdir()
    else:
        broken.write_bytes(content)
    channels, found = read_channels(tmp_path)
    assert list(channels) == ["baik"]
    assert list(found) == ["rusak"]
    assert [each for each in found["rusak"] if each.startswith(reported)]


@pytest.mark.parametrize(
    "change",
    [
        ("title: Register", f"expected_every: {'9' * 20} weeks\ntitle: Register"),
        ("title: Register", "title: Register\nexpected_every: 99999 weeks"),
        ("title: Register", f"title: {'x' * 201}"),
        ("title: Register", 'title: "\\ud800"'),
        ("kind: register", f"kind: register\n  files: '{'[' * 50_000}'"),
        (
            "title: Register",
            "a: &a [x,x,x,x,x,x,x,x,x]\n"
            + "".join(
                f"{n}: &{n} [{','.join(f'*{p}' for _ in range(9))}]\n"
                for p, n in zip("abcdefgh", "bcdefghi", strict=True)
            )
            + "title: Register",
        ),
    ],
    ids=["number", "weeks", "title", "surrogate", "glob", "aliases"],
)
def test_a_value_beyond_measure_stops_its_own_channel_alone(
    tmp_path: Path, change: tuple[str, str]
) -> None:
    (tmp_path / "baik.yaml").write_text(GOOD)
    (tmp_path / "rusak.yaml").write_text(GOOD.replace(*change))
    channels, found = read_channels(tmp_path)
    assert "baik" in channels
    assert "rusak" in found or "files" in change[1]


def test_of_two_files_with_one_name_neither_is_believed(tmp_path: Path) -> None:
    for suffix in ("yaml", "yml"):
        (tmp_path / f"register.{suffix}").write_text(GOOD)
    (tmp_path / "lain.yaml").write_text(GOOD)
    channels, found = read_channels(tmp_path)
    assert list(channels) == ["lain"]
    assert found == {"register": ["register.yml:1: a channel file ends in .yaml; rename it"]}


MATRIX = GOOD.replace("title: Register\n", "").replace(
    "source:\n  kind: register\n", "source: {kind: register, sheets: [Daftar]}\n"
)
ENTRIES = """\
matrix:
  bangka: {title: Bangka, source: {files: "*.xlsx"}}
  belitung: {title: Belitung, schedule: tiap pagi}
  basel:
    title: Bangka Selatan
    owner: {email: basel@contoh.example.id}
    connection: basel
"""


def test_a_matrix_makes_a_channel_of_each_entry_and_a_wrong_entry_stops_itself_alone(
    tmp_path: Path,
) -> None:
    (tmp_path / "buku.yaml").write_text(MATRIX + ENTRIES)
    channels, found = read_channels(tmp_path)
    assert list(channels) == ["buku_bangka", "buku_basel"]
    bangka, basel = channels.values()
    assert (bangka.name, bangka.title, bangka.key) == ("buku_bangka", "Bangka", ("No",))
    assert bangka.source.model_dump(include={"sheets", "files"}) == {
        "sheets": ("Daftar",),
        "files": "*.xlsx",
    }
    assert (basel.owner.name, basel.owner.email) == ("Kantor", "basel@contoh.example.id")
    assert basel.connection == "basel"
    assert list(found) == ["buku_belitung"]
    assert found["buku_belitung"][0].startswith("buku.yaml:12: schedule: 'tiap pagi' cannot be")


@pytest.mark.parametrize(
    ("entries", "reported"),
    [
        ("matrix: []\n", ("buku", "buku.yaml:10: matrix: is not one list of channels")),
        ("matrix: {}\n", ("buku", "buku.yaml:10: matrix: is not one list of channels")),
        ("matrix: {a: x}\n", ("buku_a", "buku.yaml:10: matrix.a: is not a channel")),
        ("matrix: {a: {}}\n", ("buku_a", "buku.yaml:10: title: is missing")),
        ("matrix: {a: {titel: x}}\n", ("buku_a", "buku.yaml:10: titel: is not known here")),
        ("matrix: {A B: {title: x}}\n", ("buku_A B", "buku.yaml:10: id: ")),
        (
            "matrix: {a: {title: x}, a: {title: y}}\n",
            ("buku_a", "buku.yaml:1: there are two channels 'buku_a'"),
        ),
    ],
)
def test_a_mistake_in_a_matrix_is_reported_with_its_line(
    tmp_path: Path, entries: str, reported: tuple[str, str]
) -> None:
    (tmp_path / "baik.yaml").write_text(GOOD)
    (tmp_path / "buku.yaml").write_text(MATRIX + entries)
    channels, found = read_channels(tmp_path)
    assert list(channels) == ["baik"]
    name, text = reported
    assert list(found) == [name]
    assert [each for each in found[name] if each.startswith(text)]


def test_all_mistakes_of_all_files_are_reported_in_one_run(tmp_path: Path) -> None:
    (tmp_path / "lain.yml").write_text(GOOD)
    reported = mistakes(
        tmp_path,
        satu=GOOD.replace("title: Register\n", "").replace("parser: date", "scheme: nasional"),
        dua="- bukan kanal\n",
    )
    assert reported.startswith("4 mistakes")
    for part in ("lain.yml:1", "satu.yaml:1: title", "satu.yaml:9: fields", "dua.yaml:1: not a"):
        assert part in reported


def test_the_channels_of_the_demo_are_as_the_architecture_says() -> None:
    channels = load_channels(Path(__file__).parents[2] / "channels")
    assert {name: each.kind for name, each in channels.items()} == {
        "form_pencegahan": "register",
        "kobo_pemantau": "kobo",
        "register_laporan": "register",
        "rekap_pengawasan": "register",
        "rencana_pencegahan": "register",
        "wa_aduan": "whatsapp",
    }
    personal = {"Pelapor / Nama", "Pelapor / Alamat", "Pelapor / No. HP", "Terlapor / Nama"}
    assert set(channels["register_laporan"].personal) == personal
    assert channels["kobo_pemantau"].fields["regency_code"].scheme == "bps"
    assert channels["rekap_pengawasan"].fields["regency_code"].scheme == "kemendagri"


def test_sync_writes_what_dbt_compiles_from_and_takes_out_what_is_gone(
    db: psycopg.Connection,
) -> None:
    first, second = channel(REGISTER), channel(CHAT)
    sync(db, {first.name: first, second.name: second})
    sync(db, {second.name: second})
    assert db.execute(
        "select channel, kind, title, owner_name, owner_email, record_kind, timezone,"
        " expected_every from reference.channel"
    ).fetchall() == [
        (
            *("chat_contoh", "whatsapp", "Obrolan contoh", "Kantor Contoh"),
            *("kantor@contoh.example.id", "IA", "Asia/Jakarta", None),
        )
    ]
    assert db.execute(
        "select field, position, source_label, parser, scheme, separator"
        " from reference.channel_field order by field, position"
    ).fetchall() == [
        ("narrative", 1, "Uraian", "text", None, None),
        ("narrative", 2, "Teks", "text", None, None),
        ("occurred_date", 1, "Tanggal", "date", None, None),
        ("regency", 1, "Lokasi", "place", None, None),
    ]


def test_sync_leaves_a_channel_whose_file_is_wrong_as_it_was(db: psycopg.Connection) -> None:
    first, second = channel(REGISTER), channel(CHAT)
    maps = "select f::text from reference.channel_field as f order by 1"
    sync(db, {first.name: first, second.name: second})
    before = db.execute(maps).fetchall()
    sync(db, {second.name: second}, [first.name])
    assert db.execute(maps).fetchall() == before
    sync(db, {first.name: first, second.name: second})
    assert db.execute(maps).fetchall() == before


SAME_SOURCE: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    (
        {"kind": "kobo", "asset": "aA"},
        {"kind": "kobo", "asset": "aA", "full_every": "2 days"},
        True,
    ),
    ({"kind": "kobo", "asset": "aA"}, {"kind": "kobo", "asset": "aB"}, False),
    (
        {"kind": "odk", "project": 7, "form": "x"},
        {"kind": "odk", "project": 7, "form": "x", "overlap": "2 hours"},
        True,
    ),
    ({"kind": "odk", "project": 7, "form": "x"}, {"kind": "odk", "project": 8, "form": "x"}, False),
    ({"kind": "ushahidi"}, {"kind": "ushahidi", "form": 3}, True),
    ({"kind": "ushahidi", "form": 2}, {"kind": "ushahidi", "form": 3}, False),
    ({"kind": "email"}, {"kind": "email", "folders": ["Arsip", "inbox"]}, True),
    ({"kind": "email"}, {"kind": "email", "folders": ["Arsip"]}, False),
    ({"kind": "sql", "table": "aduan"}, {"kind": "sql", "table": "app.Aduan"}, True),
    ({"kind": "sql", "table": "lama.aduan"}, {"kind": "sql", "table": "baru.aduan"}, False),
    ({"kind": "sql", "query": "select 1"}, {"kind": "sql", "query": "SELECT  1;"}, True),
    ({"kind": "sql", "query": "select 1"}, {"kind": "sql", "table": "aduan"}, False),
    ({"kind": "sigaplapor", "path": "/daftar"}, {"kind": "sigaplapor", "path": "daftar/"}, True),
    ({"kind": "form_csv", "path": "a.csv"}, {"kind": "form_csv", "path": "b.csv"}, False),
    ({"kind": "register"}, {"kind": "form_a", "files": "*.docx"}, True),
    ({"kind": "register", "files": "Lap*"}, {"kind": "register", "files": "*.xlsx"}, True),
    ({"kind": "register", "files": "lap?[0-4].*"}, {"kind": "register", "files": "lapX4*"}, True),
    ({"kind": "register", "files": "lap?[0-4].*"}, {"kind": "register", "files": "lapX5*"}, False),
    ({"kind": "register", "files": "lap*.xlsx"}, {"kind": "register", "files": "rekap*"}, False),
    ({"kind": "register", "files": "*.csv"}, {"kind": "whatsapp", "files": "*.zip"}, False),
    ({"kind": "register", "sheets": "Lap*"}, {"kind": "register", "sheets": "Temuan"}, False),
    (
        {"kind": "register", "rows": {"Jenis": "LP"}},
        {"kind": "register", "rows": {"JENIS": ["tm", "lp "]}},
        True,
    ),
    (
        {"kind": "register", "rows": {"Jenis": "LP"}},
        {"kind": "register", "rows": {"Jenis": "TM"}},
        False,
    ),
    ({"kind": "whatsapp_cloud"}, {"kind": "whatsapp_cloud"}, False),  # one secret, two inboxes
]


@pytest.mark.parametrize(("one", "other", "is_same"), SAME_SOURCE)
def test_two_channels_of_one_source_are_a_mistake(
    tmp_path: Path, one: dict[str, Any], other: dict[str, Any], is_same: bool
) -> None:
    for name, source in {"satu": one, "dua": other}.items():
        keyed = {"key": "No"} if source["kind"] in ("register", "sql") else {}
        document = {**FORM, **keyed, "source": source, "connection": "server"}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(document))
    (tmp_path / "lain.yaml").write_text(yaml.safe_dump({**FORM, "connection": "lain"}))
    if is_same:
        with pytest.raises(
            ConfigurationError, match="channel dua: source: reads what channel satu"
        ):
            load_channels(tmp_path)
    else:
        load_channels(tmp_path)
    assert read_channels(tmp_path)[1] == {}, "a twin stops no channel that was there before"
