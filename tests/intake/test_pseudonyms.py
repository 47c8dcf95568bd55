"""What may name a person is stored under a pseudonym, and what a model reads is not."""

from __future__ import annotations

import base64
import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from lumbung.errors import ConfigurationError
from lumbung.intake.channel.load import read_channels
from lumbung.intake.connectors.base import Delivery, Unreadable
from lumbung.intake.landing import IntakeCounts, Landing
from lumbung.intake.landing.landed import _renew, opened, renew
from lumbung.intake.landing.lexicon import project_lexicon
from lumbung.intake.landing.pseudonyms import Pseudonyms, term_pseudonym
from lumbung.intake.opening import open_labels, open_word
from lumbung.intake.vault import Keyring
from lumbung.settings import Settings
from lumbung.warehouse.roles import role_url
from tests.support.channel_samples import channel
from tests.support.delivered import VAULT, delivered

PROJECT = Path(__file__).parents[2] / "dbt_project"
AT = datetime(2024, 11, 6, 3, tzinfo=UTC)
BOOK: dict[str, Any] = {
    "name": "buku",
    "title": "Buku",
    "owner": {"name": "Kantor Contoh", "email": "kantor@contoh.example.id"},
    "schedule": "0 5 * * *",
    "source": {"kind": "register"},
    "key": ["Nomor"],
    "personal": ["Pelapor"],
    "kept": ["Catatan"],
    "fields": {
        "register_number": {"from": "Nomor"},
        "received_date": {"from": "Diterima"},
        "regency_code": {"from": "Kode"},
        "regency": {"from": "Kabupaten"},
        "issue": {"from": "Isu", "separator": ";"},
        "status": {"from": "Status"},
        "method": {"from": "Bentuk"},
        "prevention_type": {"from": "Bentuk"},
        "venue": {"from": "Lokasi"},
        "narrative": {"from": "Uraian"},
    },
}
PSEUDONYMS = Pseudonyms(channel(BOOK), VAULT, project_lexicon(PROJECT))


def stored(label: str, value: Any) -> Any:
    return PSEUDONYMS.of_payload({label: value}).get(label, value)


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("Status", " DIREGISTRASI."),
        ("Isu", "Politik  uang; SARA"),
        ("Isu", ["politik uang", "sara"]),
        ("Bentuk", "tatap muka"),
        ("Bentuk", "himbauan tertulis"),
        ("Status", "-"),
        ("Status", "tidak ada"),
        ("Status", ""),
        ("Status", None),
        ("Nomor", "005/lp/PB/Kab/09.05 / XI/2024"),
        ("Nomor", 17),
        ("Diterima", "Kamis, 7 Nopember 2024 pukul 19.30 WIB"),
        ("Diterima", 45603.5),
        ("Kode", "19.03.01.1001"),
        ("Kode", "1903"),
        ("Kabupaten", "Kec. Toboali, Kab. Bangka Selatan"),
        ("Kabupaten", "Tobo Ali"),
        ("Kabupaten", "Tanjungpandn RT 03/05"),
        ("Lokasi", "Balai  Desa"),
        ("Uraian", "Pesan ini telah dihapus."),
    ],
)
def test_what_names_nobody_is_stored_as_it_came(label: str, value: Any) -> None:
    assert stored(label, value) == value


@pytest.mark.parametrize(
    ("label", "value", "kept"),
    [
        ("Isu", "ＰＯＬＩＴＩＫ\u3000u\u200bang; SАRА", "ＰＯＬＩＴＩＫ\u3000u\u200bang; SАRА"),
        ("Kabupaten", "Bаngkа Ｓelatan", "bangka selatan"),
        ("Diterima", "６ Ｎｏｖ\u200bember ２０２４", "6 november 2024"),
        ("Nomor", "００5/LP/PB/Kab/09.05/XI/2024", "005/lp/pb/kab/09.05/xi/2024"),
        ("Kode", "１９.03", "19.03"),
    ],
)
def test_what_only_looks_otherwise_is_no_name(label: str, value: str, kept: str) -> None:
    assert stored(label, value) == kept


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("Status", "diregistrasi oleh Sari"),
        ("Kabupaten", "Ｓａｒｉｋａｎａｒｉ, Toboali ０８１２-７７７７-０００１"),
        ("Isu", "politik uang;Sari Kanari"),
        ("Isu", ["politik uang", "Sari Kanari"]),
        ("Bentuk", "rapat dengan Sari"),
        ("Nomor", "milik Sari"),
        ("Nomor", "0812-7777-0001"),
        ("Nomor", 81277770001),
        ("Diterima", "diantar Sari 7 November 2024"),
        ("Diterima", "0812 7777 0001"),
        ("Diterima", "1971010101900001"),
        ("Kode", "081277770001"),
        ("Kode", "Sari"),
        ("Kabupaten", "rumah Sarikanari, Toboali 0812-7777-0001"),
        ("Lokasi", "Sari"),
        ("Lokasi", "di tempat Sari"),
        ("Catatan", "Sari"),
        ("Catatan", {"Sari": "Sari"}),
        ("Uraian", "Sari memberi amplop"),
        ("Uraian", ["Sari"]),
        ("Uraian", "tes dari Sari 0812-7777-0001"),
    ],
)
def test_a_name_or_a_number_of_a_person_is_not_stored(label: str, value: Any) -> None:
    text = json.dumps(stored(label, value))
    assert "sari" not in text.lower()
    assert "7777" not in text
    assert "19710101" not in text


def test_equal_words_have_equal_pseudonyms_whatever_their_spelling() -> None:
    assert stored("Status", "Sari  Kanari") == stored("Isu", "sari kanari.")
    assert stored("Status", "sari kanari") == term_pseudonym(VAULT, "sari kanari")
    assert stored("Status", "sari kanari") != stored("Status", "sari kenari")
    other = Pseudonyms(channel(BOOK), type(VAULT)(bytes(32)), project_lexicon(PROJECT))
    assert other.of_payload({"Status": "sari"})["Status"] != stored("Status", "sari")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Rumah Bapak Sari RT 03, Toboali", "rumah"),
        ("HALAMAN  MASJID Sari", "halaman masjid"),
        ("Jl. Sari no. 7", "jl"),
        ("Balai desa/kantor Sari", "balai"),
        ("Warkop, milik Sari 0812-7777-0001", "warkop"),
    ],
)
def test_of_a_place_the_words_that_say_its_kind_are_kept(written: str, kept: str) -> None:
    assert stored("Lokasi", written) == kept


def test_places_that_begin_with_the_same_unknown_word_are_mapped_by_one_decision() -> None:
    assert stored("Lokasi", "Tribun Sari") == stored("Lokasi", "tribun, milik Kanari")
    assert stored("Lokasi", "Tribun Sari") == term_pseudonym(VAULT, "tribun")
    assert stored("Lokasi", "Rumahnya Sari").startswith("~"), "no part of a word is a word"


def test_a_steward_opens_the_word_that_she_maps(
    db: psycopg.Connection, database_url: str, settings: Settings
) -> None:
    item = Delivery("1", AT, {"Nomor": "1", "Lokasi": "Tribun Sari"})
    Landing(db, channel(BOOK), VAULT, "uji").land([item])
    (number,) = db.execute("select record_id from raw.record").fetchone() or (0,)
    pseudonym, who = stored("Lokasi", "Tribun Sari"), {"by": "ani", "reason": "peta"}
    assert open_word(database_url, number, pseudonym, **who, home=settings.home) == "Tribun"


def test_of_a_narrative_only_its_beginning_can_be_compared() -> None:
    first, same, other = (stored("Uraian", text) for text in (
        "Sari memberi amplop di warung", "SARI memberi amplop di pasar", "Sari tidak memberi"
    ))  # fmt: skip
    assert first[:20] == same[:20] != other[:20]


def test_a_cell_that_says_time_and_place_keeps_the_words_of_both() -> None:
    fields = {"activity_date": {"from": "Kapan"}, "district": {"from": "Kapan"}}
    both = Pseudonyms(channel(BOOK, fields=fields), VAULT, project_lexicon(PROJECT))
    written = "Kamis, 7 November 2024, pukul 09.30 WIB di rumah Kardi, Kec. Toboali"
    (shown,) = both.of_payload({"Kapan": written}).values()
    assert "Kardi" not in shown
    before, after = written.split("Kardi")
    assert shown.startswith(before)
    assert shown.endswith(after)


def test_words_that_mark_a_test_of_the_system_stay() -> None:
    assert stored("Uraian", "tes tes 123") == "tes tes 0"
    assert stored("Nomor", "TEST/001") == "TEST/0"
    kept, unknown = stored("Uraian", "uji Sari").split()
    assert kept == "uji"
    assert unknown.isalpha()


def test_a_value_that_is_too_long_stays_too_long() -> None:
    assert len(stored("Status", "Sari " * 300)) > 1_000
    assert len(stored("Uraian", "Sari " * 300)) < 100
    assert len(stored("Uraian", "Sari " * 11_000)) > 50_000


def test_every_date_is_read_as_it_was_written(db: psycopg.Connection) -> None:
    with (Path(__file__).parents[1] / "warehouse" / "date_spellings.csv").open() as lines:
        texts = [row["text"] for row in csv.DictReader(lines)]
    assert len(texts) > 900
    changed = [(text, shown) for text in texts if (shown := stored("Diterima", text)) != text]
    assert len(changed) > 20
    for text, shown in changed:
        row = db.execute(
            "select ops.read_date(%s)::text, ops.read_date(%s)::text", (text, shown)
        ).fetchone()
        assert row is not None
        assert row[0] == row[1], text


@pytest.mark.parametrize(
    "source_id",
    [
        "17", "LP-2024/11.a 7", "005/LP/PB/Kab/09.05/XI/2024", "a1b2c3d4" * 4, "~" + "ab" * 10,
        "20241105T0800-" + "a1b2c3d4" * 4 + "-0",
        "uuid:0b7f31f0-5b0e-4f0e-9a53-0a3f1c8b7d10", "baris 12",
    ],
)  # fmt: skip
def test_an_id_that_names_nobody_stays(source_id: str) -> None:
    assert PSEUDONYMS.of_id(source_id) == source_id


@pytest.mark.parametrize(
    "source_id",
    [
        "Zqvor", "Lembar Zqvor | 17", "ZQVOR-17", "x17Zqvor", "081277770001", "0812-7777-0001",
        "a@b.id", "wamid.HBgMNjI4MTI3Nzc3MDAwMQ==", "197101011990031001",
    ],
)  # fmt: skip
def test_an_id_that_may_name_somebody_does_not_stay(source_id: str) -> None:
    stored = PSEUDONYMS.of_id(source_id)
    assert stored != source_id
    assert PSEUDONYMS.of_id(stored) == stored


@pytest.mark.parametrize(
    ("label", "stays"),
    [
        ("Nama Saksi", True), ("No. HP (2)", True), ("kejadian/keterangan", True),
        ("Catatan petugas", True), ("Zqvor Rekaan", False), ("Saksi Zqvor", False),
        ("HP 0812-7777-0001", False),
    ],
)  # fmt: skip
def test_a_label_stays_readable_if_its_words_are_those_of_headers(label: str, stays: bool) -> None:
    assert (PSEUDONYMS.of_label(label) == label) is stays


def test_labels_of_an_earlier_version_become_pseudonyms_that_a_person_can_open(
    db: psycopg.Connection, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.execute(
        "insert into ops.drift_notice (channel, field, notice, first_batch_id) values"
        " ('buku', 'Zqvor Rekaan', 'appeared', 1), ('buku', 'Saksi', 'appeared', 1),"
        " ('buku', 'Zqvor Diisi', 'changed', 1)"
    )
    with db.transaction():
        _renew(db, channel(BOOK), Keyring(db, VAULT), PSEUDONYMS)
    hidden = term_pseudonym(VAULT, "Zqvor Rekaan")
    notices = db.execute("select field from ops.drift_notice order by notice, field").fetchall()
    assert notices == [("Saksi",), (hidden,), ("Zqvor Diisi",)], "what a file declares stays"
    monkeypatch.setenv("LUMBUNG_VAULT_KEY", base64.b64encode(bytes(range(32))).decode())
    given: dict[str, Any] = {"by": "ani", "home": tmp_path}
    login = role_url(database_url, "custodian")
    with pytest.raises(ConfigurationError, match="without a reason"):
        open_labels(login, "buku", reason=" ", **given)
    found = open_labels(login, "buku", reason="kolom baru", **given)
    assert found == {hidden: "Zqvor Rekaan"}
    opening = db.execute("select opened_by, labels_of, reason from ops.opening").fetchall()
    assert opening == [("ani", "buku", "kolom baru")]


def test_a_locator_says_the_place_and_names_no_file() -> None:
    locator = PSEUDONYMS.of_locator("Buku Sari.xlsx | Lembar Sari | baris 12")
    file, sheet, row = locator.split(" | ")
    assert row == "baris 12"
    assert file.startswith("#")
    assert sheet.startswith("#")
    assert file != sheet
    assert PSEUDONYMS.of_locator("Buku Sari.xlsx | ") == f"{file} | "
    assert PSEUDONYMS.of_locator("submission 12") == "submission 12"
    for odd in ("Buku \udcff.csv | baris 1", "submission \ud800"):  # of a disk, of JSON
        assert "#" in PSEUDONYMS.of_locator(odd)


def test_what_was_landed_before_is_stored_anew_and_lands_nothing_twice(
    db: psycopg.Connection, database_url: str, settings: Settings, add_channel: Callable[..., Path]
) -> None:
    add_channel(BOOK)
    cells = {"Nomor": "1", "Status": "dibawa Sari", "Isu": "sara", "Uraian": "Sari memberi amplop"}
    item = Delivery("1", AT, {**cells, "Pelapor": "Sari"}, bytes(32), "Buku Sari.xlsx | baris 2")
    refused = Unreadable("unreadable_date", "x", {"a": "Sari"}, AT, locator="Sari.csv | baris 3")
    assert Landing(db, channel(BOOK), VAULT, "uji").land([item, refused]).landed == 1
    # as the version before wrote it
    db.execute(
        "update raw.record set payload = %s, locator = 'Buku Sari.xlsx | baris 2'", (Jsonb(cells),)
    )
    sealed = VAULT.seal(b'{"Pelapor":"Sari"}', b"buku\x001")
    db.execute("update vault.identity set ciphertext = %s", (sealed,))
    row = db.execute("select content_hash from quarantine.record").fetchone()
    assert row is not None
    content = VAULT.seal(b'{"a": "Sari"}', f"buku\0{row[0].hex()}".encode())
    db.execute(
        "update quarantine.record set locator = 'Sari.csv | baris 3', ciphertext = %s", (content,)
    )
    db.execute("update ops.pseudonym set version = 0")
    hashes = db.execute("select record_id, source_id, content_hash from raw.record").fetchall()

    channels, _ = read_channels(settings.channels)
    for _ in range(2):
        renew(database_url, channels, settings)
        shown = db.execute(
            "select r.payload::text || r.locator || q.locator from raw.record as r,"
            " quarantine.record as q"
        ).fetchone()
        assert shown is not None
        assert "Sari" not in shown[0]
        ((payload, locator),) = delivered(db, "select payload, locator from raw.record")
        assert (payload, locator) == (cells, "Buku Sari.xlsx | baris 2")
        row = db.execute("select ciphertext from vault.identity").fetchone()
        assert row is not None
        assert opened(Keyring(db, VAULT), "buku", "1", row[0])["Pelapor"] == "Sari"
    assert db.execute("select record_id, source_id, content_hash from raw.record").fetchall() == (
        hashes
    )
    again = Landing(db, channel(BOOK), VAULT, "uji").land([item, refused])
    assert again == IntakeCounts(read=2, duplicate=2)


def test_a_corrected_field_map_reads_what_was_landed_under_the_old_one(
    db: psycopg.Connection, database_url: str, settings: Settings, add_channel: Callable[..., Path]
) -> None:
    item = Delivery("1", AT, {"Nomor": "1", "Uraian": "diregistrasi"})
    Landing(db, channel(BOOK), VAULT, "uji").land([item])
    fields = {**BOOK["fields"], "status": {"from": "Uraian"}}
    del fields["narrative"]
    add_channel(BOOK, fields=fields)
    renew(database_url, read_channels(settings.channels)[0], settings)
    row = db.execute("select payload ->> 'Uraian' from raw.record").fetchone()
    assert row == ("diregistrasi",)


def test_what_a_field_map_no_longer_names_is_stored_as_what_no_field_reads(
    db: psycopg.Connection, database_url: str, settings: Settings, add_channel: Callable[..., Path]
) -> None:
    item = Delivery("1", AT, {"Nomor": "1", "Status": "Diterima", "Uraian": "amplop"})
    Landing(db, channel(BOOK), VAULT, "uji").land([item])
    add_channel(BOOK, fields={k: v for k, v in BOOK["fields"].items() if k != "status"})
    renew(database_url, read_channels(settings.channels)[0], settings)
    row = db.execute("select payload ->> 'Nomor', payload ->> 'Status' from raw.record").fetchone()
    assert row == ("1", term_pseudonym(VAULT, "Diterima"))
    add_channel(BOOK)
    renew(database_url, read_channels(settings.channels)[0], settings)
    assert db.execute("select payload ->> 'Status' from raw.record").fetchone() == ("Diterima",)
