"""Landing: nothing is lost and nothing counted twice, whatever comes and wherever it crashes."""

from __future__ import annotations

import itertools
import json
import re
import tracemalloc
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from lumbung.errors import ConfigurationError, LandingError, SourceError
from lumbung.intake import run
from lumbung.intake.channel.models import Channel
from lumbung.intake.connectors.base import Checkpoint, Delivery, Item, SeenIds, Source, Unreadable
from lumbung.intake.landing import ORIGINAL, IntakeCounts, Landing, PreparedChunk
from lumbung.intake.landing.prepare import Preparer
from lumbung.intake.landing.pseudonyms import SOURCE_ID, open_label
from lumbung.intake.vault import Keyring, Vault, associate
from tests.support.channel_samples import FORM, channel
from tests.support.delivered import delivered
from tests.support.evidence import evidence_store

VAULT = Vault(bytes(range(32)))
AT = datetime(2024, 11, 6, 3, 30, 0, 250_000, tzinfo=UTC)


def delivery(source_id: str, content: object = "isi", **changes: Any) -> Delivery:
    fields = {
        "kejadian/uraian": content,
        "kejadian/kode_kab": "1903",
        "pemantau/nama": f"Warga {content}",
    }
    return Delivery(source_id, AT, fields)._replace(**changes)


def versions(db: psycopg.Connection, name: str) -> dict[str, list[Any]]:
    """Contents per source id in the order of landing; None for a tombstone."""
    found: dict[str, list[Any]] = {}
    for source_id, is_tombstone, payload in delivered(
        db,
        "select source_id, is_tombstone, payload from raw.record where channel = %s"
        " order by record_id",
        name,
    ):
        content = None if is_tombstone else payload["kejadian/uraian"]
        found.setdefault(source_id, []).append(content)
    return found


def one(db: psycopg.Connection, query: str, *values: Any) -> Any:
    row = db.execute(query.encode(), values).fetchone()
    assert row is not None
    return row[0] if len(row) == 1 else row


@pytest.fixture
def landing(db: psycopg.Connection) -> Landing:
    return Landing(db, channel(FORM), VAULT, "run 1")


# -- one chunk ----------------------------------------------------------------------------------


def test_a_delivery_is_split_between_raw_and_vault(
    db: psycopg.Connection, landing: Landing
) -> None:
    item = delivery("5", evidence=bytes(32), locator="submission 5")
    item.fields["KEJADIAN/Kode_Kab"] = item.fields.pop("kejadian/kode_kab")
    item.fields["kejadian/baru"] = "belum dikenal"
    item.fields["_uuid"] = "abc"
    assert landing.land([item], {"sampai": 5}) == IntakeCounts(read=1, landed=1)
    (row,) = delivered(
        db,
        "select source_id, recurrence, received_at, is_tombstone, subject_token, evidence_sha256,"
        " locator, payload, content_hash, batch_id from raw.record",
    )
    assert row[:8] == (
        *("5", 0, AT, False, VAULT.subject_token("Warga isi"), bytes(32), "submission 5"),
        {"kejadian/uraian": "isi", "kejadian/kode_kab": "1903"},
    )
    sealed = one(
        db,
        "select ciphertext from vault.identity inner join raw.record using (record_id)"
        " where (channel, source_id, content_hash, batch_id) = ('form_contoh', '5', %s, %s)",
        row[8],
        row[9],
    )
    assert json.loads(Keyring(db, VAULT).open(sealed, associate("form_contoh", "5"))) == {
        "pemantau/nama": "Warga isi",
        "kejadian/baru": "belum dikenal",
        "kejadian/uraian": "isi",
        "_uuid": "abc",
    }
    assert db.execute("select channel, field, notice from ops.drift_notice").fetchall() == [
        ("form_contoh", "kejadian/baru", "appeared")
    ]
    assert one(db, "select cursor from ops.channel_cursor") == {"sampai": 5}
    batch = "select batch_id, channel, run_key, read_count, landed_count, cursor_after"
    assert one(db, f"{batch} from raw.batch")[1:] == ("form_contoh", "run 1", 1, 1, {"sampai": 5})


def test_nothing_is_in_clear_text_that_is_not_declared(
    db: psycopg.Connection, landing: Landing
) -> None:
    landing.land([delivery("1"), Unreadable("unreadable_date", "x", {"nama": "Warga Rahasia"}, AT)])
    for table in ("raw.record", "vault.identity", "quarantine.record", "raw.batch"):
        for (text,) in db.execute(f"select t::text from {table} as t".encode()):
            plain = text.encode().hex() + text
            assert "Warga" not in plain
            assert b"Warga".hex() not in plain


def test_edits_are_versions_and_a_content_that_returns_is_one_too(
    db: psycopg.Connection, landing: Landing
) -> None:
    for content, counts in (
        ("A", IntakeCounts(read=1, landed=1)),
        ("A", IntakeCounts(read=1, duplicate=1)),
        ("B", IntakeCounts(read=1, landed=1)),
        ("A", IntakeCounts(read=1, landed=1)),
        ("A", IntakeCounts(read=1, duplicate=1)),
    ):
        assert landing.land([delivery("5", content)]) == counts
    assert versions(db, "form_contoh") == {"5": ["A", "B", "A"]}
    assert one(db, "select array_agg(recurrence order by record_id) from raw.record") == [0, 0, 1]
    assert one(db, "select count(*) from vault.identity") == 3


def test_edits_within_a_chunk(db: psycopg.Connection, landing: Landing) -> None:
    chunk = [delivery("5", content) for content in "AABABB"] + [delivery("6", "A")]
    assert landing.land(chunk) == IntakeCounts(read=7, landed=5, duplicate=2)
    assert versions(db, "form_contoh") == {"5": ["A", "B", "A", "B"], "6": ["A"]}


def test_a_change_of_a_personal_field_alone_is_a_new_version(
    db: psycopg.Connection, landing: Landing
) -> None:
    landing.land([delivery("5")])
    changed = delivery("5")
    changed.fields["pemantau/nama"] = "Warga Lain"
    assert landing.land([changed]).landed == 1
    assert one(db, "select count(distinct subject_token) from raw.record") == 2


def test_a_number_that_a_spreadsheet_cut_tells_nobody_apart(db: psycopg.Connection) -> None:
    personal = {"personal": ["NIK", "Nama"], "subject": ["NIK", "Nama"]}
    rows = [("1", 1971010101010000.0, "A"), ("2", 1971010101010000.0, "B"), ("3", 0, "A")]
    items = [Delivery(key, AT, {"NIK": nik, "Nama": name}) for key, nik, name in rows]
    Landing(db, channel(FORM, **personal), VAULT, "r").land(items)
    tokens = db.execute("select subject_token from raw.record order by source_id").fetchall()
    assert tokens[0] == tokens[2] != tokens[1]


def test_an_older_version_in_unchanged_bytes_is_no_news(
    db: psycopg.Connection, landing: Landing
) -> None:
    landing.land([delivery("5", "lama")])
    landing.land([delivery("5", "baru")])
    again = [delivery("5", "lama", is_repeat=True), delivery("5", "baru", is_repeat=True)]
    assert landing.land(again) == IntakeCounts(read=2, duplicate=2)
    assert landing.land([delivery("5", "tak dikenal", is_repeat=True)]).landed == 1
    assert versions(db, "form_contoh") == {"5": ["lama", "baru", "tak dikenal"]}


def test_a_field_declared_later_leaves_the_vault_with_the_next_pull(
    db: psycopg.Connection,
) -> None:
    item = delivery("5")
    item.fields["kejadian/kecamatan"] = "Mentok"
    Landing(db, channel(FORM), VAULT, "r").land([item])
    wider = channel(FORM, fields={**FORM["fields"], "district": {"from": "kejadian/kecamatan"}})
    assert Landing(db, wider, VAULT, "r").land([item]).landed == 1
    assert Landing(db, wider, VAULT, "r").land([item]).duplicate == 1
    payload = one(db, "select payload from raw.record order by record_id desc limit 1")
    assert payload["kejadian/kecamatan"] == "Mentok"


def test_the_unreadable_is_kept_once_and_counted(db: psycopg.Connection, landing: Landing) -> None:
    bad = Unreadable("unreadable_date", "perbaiki", {"nama": "Warga"}, AT, bytes(32), "baris 3")
    same = bad._replace(received_at=AT + timedelta(days=1), locator="baris 9")
    counts = landing.land([bad, delivery("1"), same])
    assert counts == IntakeCounts(read=3, landed=1, duplicate=1, quarantined=1)
    assert landing.land([bad]) == IntakeCounts(read=1, duplicate=1)
    row = one(
        db,
        "select reason_code, reason, received_at, evidence_sha256, locator, resolved_at,"
        " content_hash, ciphertext from quarantine.record",
    )
    assert row[:6] == ("unreadable_date", "perbaiki", AT, bytes(32), "baris 3", None)
    place = associate("form_contoh", row[6].hex())
    content, locator = Keyring(db, VAULT).open(row[7], place).split(b"\0")
    assert (json.loads(content), locator) == ({"nama": "Warga"}, b"baris 3")


def test_what_was_resolved_and_comes_back_is_open_again_with_its_reason_of_now(
    db: psycopg.Connection, landing: Landing
) -> None:
    bad = Unreadable("unreadable_date", "perbaiki", {"nama": "Warga"}, AT)
    landing.land([bad])
    db.execute("update quarantine.record set resolved_at = now()")
    counts = landing.land([bad._replace(reason_code="encrypted", reason="buka kuncinya")])
    assert counts == IntakeCounts(read=1, duplicate=1)
    rows = db.execute("select reason_code, reason, resolved_at from quarantine.record").fetchall()
    assert rows == [("encrypted", "buka kuncinya", None)]


def test_only_what_was_read_readable_or_is_gone_for_sure_is_resolved(
    db: psycopg.Connection, landing: Landing
) -> None:
    def bad(what: str, **place: Any) -> Unreadable:
        return Unreadable("unreadable_message", "x", what, AT)._replace(**place)

    one_file, other = bytes(32), bytes(31) + b"1"
    landing.land(
        [
            bad("surat yang dihapus", evidence=one_file, locator="INBOX | 1 | 7"),
            bad("berkas yang diambil", evidence=one_file, locator="c.xlsx | S | baris 2"),
            bad("catatan yang terlewat", locator="record 8", source_id="8"),
            bad("masih rusak", locator="record 7", source_id="7"),
            bad("catatan yang diperbaiki", locator="record 9", source_id="9"),
            bad("surat yang kini terbaca", evidence=other, locator="INBOX | 1 | 8"),
            bad("baris yang hilang dari berkas", evidence=one_file, locator="a.xlsx | S | baris 2"),
            bad("berkas rusak yang utuh lagi", evidence=one_file, locator="a.xlsx"),
            bad("berkas yang diganti", evidence=one_file, locator="obrolan.zip"),
            bad("berkas yang sama", evidence=one_file, locator="lain.zip"),
        ]
    )
    again = Landing(db, channel(FORM), VAULT, "run 2")
    names = {
        VAULT.content_hash(name.encode()).hex(): digest.hex()
        for name, digest in (("obrolan.zip", other), ("lain.zip", one_file))
    }
    again.land(
        [
            delivery("surat", evidence=other, locator="INBOX | 1 | 8"),
            delivery("9", locator="record 9"),
            bad("masih rusak", locator="record 7", source_id="7"),
        ],
        {"files": names},
    )
    assert again.resolve_quarantine(SeenIds("surat", "9", "7"), ["a.xlsx | "]) == 5
    open_ = "select ciphertext, content_hash from quarantine.record where resolved_at is null"
    kept = {
        json.loads(
            Keyring(db, VAULT)
            .open(sealed, associate("form_contoh", digest.hex()))
            .partition(b"\0")[0]
        )
        for sealed, digest in db.execute(open_.encode())
    }
    assert kept == {
        *("surat yang dihapus", "berkas yang diambil", "catatan yang terlewat", "masih rusak"),
        "berkas yang sama",
    }


@pytest.mark.parametrize(
    "given_text",
    [
        "a\0b",
        "a\ud800b",
        "\\u0000 ditulis orang",
        "emoji 🙏 dan NUL \0",
        10**25,
        ["x\0", {"y\0": "\udfff"}],
    ],
)
def test_text_that_jsonb_cannot_hold_is_in_the_vault_as_it_was(
    db: psycopg.Connection, landing: Landing, given_text: object
) -> None:
    assert landing.land([delivery("5", given_text)]).landed == 1
    assert landing.land([delivery("5", given_text)]).duplicate == 1
    sealed = one(db, "select ciphertext from vault.identity")
    hidden = json.loads(Keyring(db, VAULT).open(sealed, associate("form_contoh", "5")))
    assert hidden["kejadian/uraian"] == given_text


@pytest.mark.parametrize("sign", ["\0", "\ud800"])
def test_a_name_that_jsonb_cannot_hold_is_corrected_and_the_original_kept(
    db: psycopg.Connection, sign: str
) -> None:
    wider = channel(FORM, fields={**FORM["fields"], "district": {"from": "kejadian/kecamatan"}})
    item = delivery("5")
    item.fields["kejadian/kecamatan"] = f"Mentok{sign}"
    assert Landing(db, wider, VAULT, "r").land([item]).landed == 1
    assert one(db, "select payload ->> 'kejadian/kecamatan' from raw.record") == "Mentok\ufffd"
    sealed = one(db, "select ciphertext from vault.identity")
    hidden = json.loads(Keyring(db, VAULT).open(sealed, associate("form_contoh", "5")))
    assert hidden[ORIGINAL] == {"kejadian/kecamatan": f"Mentok{sign}"}


def test_of_two_labels_that_are_one_to_the_file_none_is_lost(
    db: psycopg.Connection, landing: Landing
) -> None:
    item = delivery("5")
    before = {"KEJADIAN/URAIAN": "besar", "PEMANTAU/NAMA": "Warga B"}
    after = {"Kejadian/Uraian": "campur"}
    landing.land([item._replace(fields={**before, **item.fields, **after})])
    ((payload,),) = delivered(db, "select payload from raw.record")
    assert payload == {"kejadian/uraian": "isi", "kejadian/kode_kab": "1903"}
    sealed = one(db, "select ciphertext from vault.identity")
    assert json.loads(Keyring(db, VAULT).open(sealed, associate("form_contoh", "5"))) == {
        **before,
        "kejadian/uraian": "isi",
        "pemantau/nama": "Warga isi",
        **after,
    }


def test_ids_and_labels_that_no_index_holds_do_not_stop_a_chunk(
    db: psycopg.Connection, landing: Landing
) -> None:
    long = "".join(chr(0x4E00 + n * 7 % 20_000) for n in range(3_000))
    labelled = delivery("5")
    labelled.fields[long] = "x"
    chunk = [delivery(long), labelled, delivery("é" * 1_000), delivery("é" * 1_000 + "e")]
    assert landing.land(chunk) == IntakeCounts(read=4, landed=2, quarantined=2)
    codes = one(db, "select array_agg(reason_code) from quarantine.record")
    assert codes == ["unusable_source_id"] * 2
    assert re.fullmatch("~[a-p]{12}", one(db, "select field from ops.drift_notice"))
    sealed = one(db, "select sealed_label from ops.drift_notice")
    assert open_label(VAULT, FORM["name"], sealed) == long[:500]


def test_an_id_that_may_name_somebody_is_stored_as_a_keyed_hash(
    db: psycopg.Connection, landing: Landing
) -> None:
    """Versions, tombstones and quarantine go by it; the vault has what the source gave."""
    named = "Zqvor Rekaan | 0812-7777-0001"
    unreadable = Unreadable("unreadable_date", "x", {}, AT, source_id=named)
    landing.land([delivery(named), delivery("5"), unreadable])
    landing.land([delivery(named), delivery(named, "lain")])
    landing.write_tombstones([named])
    stored = landing.stored_id(named)
    assert re.fullmatch("~[a-p]{20}", stored)
    assert versions(db, "form_contoh") == {stored: ["isi", "lain", None], "5": ["isi"]}
    assert one(db, "select source_id from quarantine.record") == stored
    sealed = one(
        db,
        "select ciphertext from vault.identity join raw.record using (record_id)"
        " where source_id = %s order by record_id limit 1",
        stored,
    )
    private = json.loads(Keyring(db, VAULT).open(sealed, associate("form_contoh", stored)))
    assert private[SOURCE_ID] == named
    assert landing.resolve_quarantine(SeenIds(stored), []) == 0  # quarantined in this pull too
    again = Landing(db, channel(FORM), VAULT, "run 2")
    assert again.land([delivery(named, "lain")]).landed == 1, "it came back"
    assert again.stored_id(stored) == stored


def test_a_channel_of_an_earlier_version_keeps_its_ids(
    db: psycopg.Connection, landing: Landing
) -> None:
    """Cases, links and published editions refer to them."""
    db.execute("update ops.pseudonym set has_keyed_ids = false")
    earlier = Landing(db, channel(FORM), VAULT, "run 1")
    earlier.land([delivery("Zqvor Rekaan")])
    assert earlier.land([delivery("Zqvor Rekaan")]).duplicate == 1
    assert [*versions(db, "form_contoh")] == ["Zqvor Rekaan"]


def test_labels_that_strangers_make_up_take_no_memory() -> None:
    preparer = Preparer(channel(FORM), VAULT, (), has_keyed_ids=True)
    tracemalloc.start()
    for number in range(1_000):
        fields = {f"{number} {'x' * 30_000}": "a"}
        delivery = Delivery(f"{number}", AT, fields, file="a.docx")
        preparer.add(PreparedChunk(), delivery)
    left, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert left < 12_000_000, "30 MB of labels went through"


def test_what_cannot_be_stored_at_all_is_quarantined(
    db: psycopg.Connection, landing: Landing
) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    nested = delivery("c")
    nested.fields["kejadian/uraian"] = deep
    chunk = [delivery("a\0b"), nested, delivery("d")]
    assert landing.land(chunk) == IntakeCounts(read=3, landed=1, quarantined=2)
    codes = one(db, "select array_agg(reason_code order by reason_code) from quarantine.record")
    assert codes == ["too_large", "unusable_source_id"]


def test_what_is_received_in_the_future_is_quarantined_alone_and_landed_when_its_time_came(
    db: psycopg.Connection, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    near = delivery("1")._replace(received_at=now + timedelta(minutes=55))
    ahead = delivery("2")._replace(received_at=now + timedelta(hours=2))
    far = delivery("3")._replace(received_at=datetime(9999, 12, 31, tzinfo=UTC))
    chunk = [near, ahead, far, delivery("4")]
    assert landing.land(chunk) == IntakeCounts(read=4, landed=2, quarantined=2)
    assert landing.land(chunk) == IntakeCounts(read=4, duplicate=4)
    assert db.execute(
        "select source_id, reason_code, received_at <= clock_timestamp()"
        " from quarantine.record order by 1"
    ).fetchall() == [("2", "implausible_date", True), ("3", "implausible_date", True)]
    assert one(db, "select count(*) from raw.record where received_at > now() + '1 hour'") == 0
    later = now + timedelta(hours=3)
    assert landing.write(prepared(landing, [ahead], later)) == IntakeCounts(read=1, landed=1)


def test_what_cannot_be_read_is_never_kept_as_received_in_the_future(
    db: psycopg.Connection, landing: Landing
) -> None:
    late = datetime(9999, 12, 31, tzinfo=UTC)
    landing.land([Unreadable("unreadable_message", "x", "isi", late)])
    assert one(db, "select received_at <= clock_timestamp() from quarantine.record")


def prepared(landing: Landing, items: list[Delivery], started: datetime) -> PreparedChunk:
    """A chunk that a pull at another time prepares."""
    chunk = PreparedChunk(started)
    for item in items:
        landing.add(chunk, item)
    return chunk


def test_another_vault_key_is_refused(db: psycopg.Connection, landing: Landing) -> None:
    landing.land([delivery("5")])
    with pytest.raises(ConfigurationError, match="another vault key"):
        Landing(db, channel(FORM), Vault(bytes(32)), "run 2")


def test_the_database_itself_refuses_counts_that_do_not_add_up(db: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="batch_adds_up"):
        db.execute(
            "insert into raw.batch (channel, run_key, started_at, read_count, landed_count,"
            " duplicate_count, quarantined_count) values ('c', 'r', now(), 3, 1, 1, 0)"
        )


def test_a_refusal_of_the_database_shows_no_row(db: psycopg.Connection, landing: Landing) -> None:
    db.execute("alter table raw.record add constraint tidak check (source_id <> 'R-77')")
    with pytest.raises(LandingError) as caught:
        landing.land([delivery("1"), delivery("R-77")], {"sampai": 9})
    assert "CheckViolation" in str(caught.value)
    assert "R-77" not in str(caught.value)
    assert one(db, "select count(*) from raw.record") == 0
    assert one(db, "select count(*) from raw.batch") == 0
    assert one(db, "select count(*) from ops.channel_cursor") == 0


# -- drift, and what belongs together ------------------------------------------------------------


def notices(db: psycopg.Connection) -> list[tuple[Any, ...]]:
    return db.execute("select field, notice from ops.drift_notice order by 1, 2").fetchall()


def test_a_mapped_field_that_changes_its_type_is_noticed(
    db: psycopg.Connection, landing: Landing
) -> None:
    landing.land([delivery("1"), delivery("2", None)])
    assert notices(db) == []
    later = Landing(db, channel(FORM), VAULT, "run 2")
    later.land([delivery("3"), delivery("4", ["satu", "dua"]), delivery("5", 7)])
    later.land([delivery("6", 8)])
    assert notices(db) == [("kejadian/uraian", "changed")]


def test_a_mapped_field_that_many_deliveries_lack_is_noticed(
    db: psycopg.Connection, landing: Landing
) -> None:
    landing.land([delivery("1")])
    few = Landing(db, channel(FORM), VAULT, "run 2")
    without = [delivery(f"a{number}") for number in range(60)]
    for each in without:
        del each.fields["kejadian/kode_kab"]
    few.land(without[:10])
    few.finish()
    assert notices(db) == [], "ten reports without it may have had no occasion"
    many = Landing(db, channel(FORM), VAULT, "run 3")
    many.land(without)
    many.finish()
    assert notices(db) == [("kejadian/kode_kab", "vanished")]


def test_every_record_has_its_batch_and_the_order_of_the_source(
    db: psycopg.Connection, landing: Landing
) -> None:
    for start in range(0, 30, 10):
        landing.land([delivery(f"{number:02}") for number in range(start, start + 10)])
    landing.withdraw_missing([""], SeenIds(*(f"{number:02}" for number in range(29))))
    rows = db.execute("select record_id, batch_id, source_id from raw.record order by 1").fetchall()
    assert [row[2] for row in rows] == [*(f"{number:02}" for number in range(30)), "29"]
    assert all(record_id >> 20 == batch_id for record_id, batch_id, _ in rows)
    batches = {row[0] for row in db.execute("select batch_id from raw.batch")}
    assert {batch_id for _, batch_id, _ in rows} == batches


def test_what_looks_like_a_number_stays_what_the_source_wrote(
    db: psycopg.Connection, landing: Landing
) -> None:
    fields = {"kejadian/kode_kab": "19.02", "kejadian/uraian": "1e5", "pemantau/nama": "+62812"}
    landing.land([Delivery("007", AT, fields)])
    (row,) = delivered(db, "select source_id, payload from raw.record")
    assert row == ("007", {"kejadian/kode_kab": "19.02", "kejadian/uraian": "1e5"})
    hidden = Keyring(db, VAULT).open(
        one(db, "select ciphertext from vault.identity"), associate("form_contoh", "007")
    )
    assert json.loads(hidden) == {"kejadian/uraian": "1e5", "pemantau/nama": "+62812"}


def test_two_channels_may_land_the_same(db: psycopg.Connection, landing: Landing) -> None:
    other = Landing(db, channel(FORM, name="kembar"), VAULT, "run 1")
    assert landing.land([delivery("1")]).landed == other.land([delivery("1")]).landed == 1
    assert landing.land([delivery("1")]).duplicate == other.land([delivery("1")]).duplicate == 1


# -- withdrawals --------------------------------------------------------------------------------


def test_what_a_complete_listing_no_longer_has_is_withdrawn(
    db: psycopg.Connection, landing: Landing
) -> None:
    landing.land([delivery(each, locator=f"a.xlsx | {each}") for each in "1234"])
    landing.land([delivery("9", locator="b.xlsx | 9")])
    assert landing.withdraw_missing(["a.xlsx | "], SeenIds("1", "2", "3")) == IntakeCounts(
        tombstones=1
    )
    assert landing.withdraw_missing(["a.xlsx | "], SeenIds("1", "2", "3")) == IntakeCounts()
    assert versions(db, "form_contoh")["4"] == ["isi", None]
    assert versions(db, "form_contoh")["9"] == ["isi"], "another file's rows are not touched"
    batch = "select read_count, landed_count, tombstone_count from raw.batch"
    assert one(db, f"{batch} order by batch_id desc limit 1") == (0, 0, 1)


def test_what_was_withdrawn_may_come_back_and_go_again(
    db: psycopg.Connection, landing: Landing
) -> None:
    everything = [delivery(each) for each in "123"]
    landing.land(everything)
    landing.withdraw_missing([""], SeenIds("1", "2"))
    assert landing.land(everything) == IntakeCounts(read=3, landed=1, duplicate=2)
    landing.withdraw_missing([""], SeenIds("1", "2"))
    assert versions(db, "form_contoh")["3"] == ["isi", None, "isi", None]


@pytest.mark.parametrize("left", ["", "1", "12"])
def test_a_source_that_shrinks_below_half_is_an_alarm(
    db: psycopg.Connection, landing: Landing, left: str
) -> None:
    landing.land([delivery(each) for each in "12345"])
    with pytest.raises(SourceError, match=f"of 5 deliveries .* no longer has {5 - len(left)}"):
        landing.withdraw_missing([""], SeenIds(*left))
    assert one(db, "select count(*) from raw.record where is_tombstone") == 0
    assert landing.withdraw_missing([""], SeenIds("1", "2", "3")).tombstones == 2


def test_a_shrink_that_somebody_accepts_is_a_withdrawal(
    db: psycopg.Connection, landing: Landing
) -> None:
    landing.land([delivery(each) for each in "12345"])
    with pytest.raises(SourceError, match="lumbung intake form_contoh --accept-withdrawals"):
        landing.withdraw_missing([""], SeenIds("1"), {"sampai": 5})
    assert one(db, "select count(*) from ops.channel_cursor") == 0, "the next pull alarms again"
    assert landing.withdraw_missing([""], SeenIds("1"), {"sampai": 5}, accept=True).tombstones == 4
    assert one(db, "select cursor from ops.channel_cursor") == {"sampai": 5}


# -- anything, with crashes ---------------------------------------------------------------------


class Crash:
    """Breaks the connection before the n-th statement, as a killed process would."""

    def __init__(self, at: int | None) -> None:
        self.left = at

    def statement(self, connection: psycopg.Connection) -> None:
        if self.left is None:
            return
        self.left -= 1
        if self.left < 0:
            connection.pgconn.finish()
            raise psycopg.OperationalError("killed")


def connect(url: str, crash: Crash) -> psycopg.Connection:
    class Cursor(psycopg.Cursor[Any]):
        def execute(self, *args: Any, **kwargs: Any) -> Any:
            crash.statement(self.connection)
            return super().execute(*args, **kwargs)

        def copy(self, *args: Any, **kwargs: Any) -> Any:
            crash.statement(self.connection)
            return super().copy(*args, **kwargs)

    class ServerCursor(psycopg.ServerCursor[Any]):
        def execute(self, *args: Any, **kwargs: Any) -> Any:
            crash.statement(self.connection)
            return super().execute(*args, **kwargs)

    connection = psycopg.connect(
        url, autocommit=True, cursor_factory=Cursor, options="-c synchronous_commit=off"
    )
    connection.server_cursor_factory = ServerCursor
    return connection


def pull(
    url: str, each: Channel, listing: list[tuple[str, str]], size: int, crash: Crash
) -> IntakeCounts:
    """What `run.pull` does with a complete listing, in chunks; an id `?` is unreadable."""
    counts = IntakeCounts()
    items = [
        Unreadable("unreadable_date", "x", content, AT)
        if source_id == "?"
        else delivery(source_id, content)
        for source_id, content in listing
    ]
    with connect(url, crash) as connection:
        landing = Landing(connection, each, VAULT, "acak")
        for number, start in enumerate(range(0, len(items), size)):
            counts += landing.land(items[start : start + size], {"bagian": number})
        return counts + landing.withdraw_missing([""], SeenIds(*{each for each, _ in listing}))


LISTINGS = st.lists(
    st.lists(st.tuples(st.sampled_from("abcd?"), st.sampled_from("XYZ")), min_size=4, max_size=12),
    min_size=1,
    max_size=4,
)


@given(
    listings=LISTINGS,
    size=st.integers(1, 6),
    crashes=st.lists(st.one_of(st.none(), st.integers(0, 30)), max_size=6),
)
def test_nothing_is_lost_or_counted_twice_wherever_it_crashes(
    db: psycopg.Connection,
    database_url: str,
    listings: list[list[tuple[str, str]]],
    size: int,
    crashes: list[int | None],
) -> None:
    each = channel(FORM, name=f"c{uuid.uuid4().hex}")
    fates: Iterator[int | None] = itertools.chain(crashes, itertools.repeat(None))
    alive: set[str] = set()
    unreadable: set[str] = set()
    delivered: set[tuple[str, str]] = set()
    for listing in listings:
        expected = {source_id: content for source_id, content in listing if source_id != "?"}
        unreadable |= {content for source_id, content in listing if source_id == "?"}
        delivered |= {pair for pair in listing if pair[0] != "?"}
        while True:
            fate = next(fates)
            try:
                pull(database_url, each, listing, size, Crash(fate))
                break
            except (LandingError, psycopg.OperationalError):
                if fate is None:
                    raise
                # The process was killed: the next pull reads the source again.
            except SourceError:  # rows are in, withdrawals refused: all stay alive
                break
        histories = versions(db, each.name)
        for source_id, content in expected.items():
            assert histories[source_id][-1] == content, "promise 1: the last delivery stands"
        alive = {source_id for source_id, history in histories.items() if history[-1] is not None}
        assert alive >= expected.keys()
    histories = versions(db, each.name)
    landed = {(key, content) for key, history in histories.items() for content in history}
    assert {pair for pair in landed if pair[1] is not None} == delivered, "promise 1"
    for history in histories.values():
        assert all(a != b for a, b in itertools.pairwise(history)), "promise 2: no copy in a row"
    assert one(db, "select count(*) from quarantine.record where channel = %s", each.name) == len(
        unreadable
    )
    totals = one(
        db,
        "select coalesce(sum(landed_count), 0)::int, coalesce(sum(tombstone_count), 0)::int,"
        " coalesce(sum(quarantined_count), 0)::int, coalesce(bool_and(read_count ="
        " landed_count + duplicate_count + quarantined_count), true) from raw.batch"
        " where channel = %s",
        each.name,
    )
    stored = one(
        db,
        "select count(*) filter (where not is_tombstone), count(*) filter (where is_tombstone)"
        " from raw.record where channel = %s",
        each.name,
    )
    assert totals == (*stored, len(unreadable), True)
    sealed = one(
        db,
        "select count(*) from vault.identity inner join raw.record using (record_id)"
        " where channel = %s",
        each.name,
    )
    assert sealed == stored[0]
    # Every content that is current, delivered once more, is a duplicate.
    last = [(key, history[-1]) for key, history in histories.items() if key in alive]
    if last:
        again = pull(database_url, each, last, size, Crash(None))
        assert again == IntakeCounts(read=len(last), duplicate=len(last))


EVENTS = st.lists(
    st.tuples(st.sampled_from("abcd?"), st.sampled_from(["X", "Y", "Z", None])), max_size=30
)


@given(
    events=EVENTS,
    page=st.integers(1, 8),
    size=st.integers(1, 6),
    crashes=st.lists(st.integers(0, 40), max_size=6),
)
def test_a_feed_is_resumed_from_its_cursor_wherever_it_crashes(
    db: psycopg.Connection,
    database_url: str,
    tmp_path: Path,
    events: list[tuple[str, str | None]],
    page: int,
    size: int,
    crashes: list[int],
) -> None:
    """A whole pull of a source that says itself what was withdrawn, and is read once only."""
    each = channel(FORM, name=f"f{uuid.uuid4().hex}")

    def read(source: Source) -> Iterator[Item]:
        for start in range(source.cursor.get("at", 0), len(events), page):
            part = events[start : start + page]
            for key, content in part:
                if content is not None and key == "?":
                    yield Unreadable("unreadable_date", "x", content, AT)
                elif content is not None:
                    yield delivery(key, content)
            withdrawn = [key for key, content in part if content is None]
            yield Checkpoint({"at": start + len(part)}, None, tuple(withdrawn))

    def pull(crash: Crash) -> IntakeCounts:
        with connect(database_url, crash) as connection:
            landing = Landing(connection, each, VAULT, "acak")
            row = connection.execute(
                "select cursor from ops.channel_cursor where channel = %s", (each.name,)
            ).fetchone()
            evidence = evidence_store(tmp_path)
            folder = UPath(tmp_path)
            cursor = row[0] if row else {}
            source = Source(each, folder, None, evidence, VAULT.content_hash, cursor)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(run, "CHUNK_DELIVERIES", size)
                return run.land_all(source, landing, read(source))[0]

    for crash in (*map(Crash, crashes), Crash(None)):
        try:
            pull(crash)
        except (LandingError, psycopg.OperationalError):
            assert crash.left is not None
    assert pull(Crash(None)) == IntakeCounts(), "the cursor is at the end"
    expected: dict[str, str | None] = {}
    for start in range(0, len(events), page):
        part = [event for event in events[start : start + page] if event[0] != "?"]
        expected |= dict(event for event in part if event[1] is not None)
        expected |= {key: None for key, content in part if content is None and key in expected}
    histories = versions(db, each.name)
    assert {key: history[-1] for key, history in histories.items()} == expected
    landed = {(key, content) for key, history in histories.items() for content in history}
    assert {pair for pair in landed if pair[1]} == {
        event for event in events if event[1] and event[0] != "?"
    }
    for history in histories.values():
        assert all(a != b for a, b in itertools.pairwise(history)), "no copy in a row"
    kept = one(db, "select count(*) from quarantine.record where channel = %s", each.name)
    assert kept == len({content for key, content in events if key == "?" and content})


def test_each_statement_of_a_pull_may_be_the_last(
    db: psycopg.Connection, database_url: str
) -> None:
    """Exhaustively, with and without conflicts: crash before statement 0, 1, 2 ... until none."""
    first = [("a", "X"), ("b", "X"), ("?", "rusak"), ("c", "X"), ("d", "X")]
    second = [("a", "Y"), ("b", "X"), ("c", "Y"), ("e", "X"), ("a", "X")]
    for at in range(200):
        each = channel(FORM, name=f"s{at}")
        crashes = 0
        for listing in (first, second):
            crash = Crash(at)
            try:
                pull(database_url, each, listing, 2, crash)
            except (LandingError, psycopg.OperationalError):
                crashes += 1
                pull(database_url, each, listing, 2, Crash(None))
        histories = versions(db, each.name)
        current = {key: history[-1] for key, history in histories.items()}
        assert current == {"a": "X", "b": "X", "c": "Y", "d": None, "e": "X"}
        assert {c for history in histories.values() for c in history} == {"X", "Y", None}
        assert one(db, "select count(*) from quarantine.record where channel = %s", each.name) == 1
        if not crashes:
            assert histories["a"] == ["X", "Y", "X"]
            assert at > 20, "the pulls have more statements than that"
            return
    pytest.fail("a pull has no end")


# -- several files that hold one row --------------------------------------------------------------


SAYINGS = st.lists(
    st.tuples(
        st.sampled_from(["Buku 1", "Buku 2", "Revisi"]),
        st.dictionaries(st.sampled_from("ab"), st.booleans(), min_size=1),  # is it changed?
    ),
    min_size=1,
    max_size=8,
)


@given(sayings=SAYINGS, crashes=st.lists(st.one_of(st.none(), st.integers(0, 12)), max_size=8))
def test_of_several_files_the_one_that_changed_a_row_last_decides(
    db: psycopg.Connection,
    database_url: str,
    sayings: list[tuple[str, dict[str, bool]]],
    crashes: list[int | None],
) -> None:
    each = channel(FORM, name=f"b{uuid.uuid4().hex}")
    fates: Iterator[int | None] = itertools.chain(crashes, itertools.repeat(None))
    stands: dict[str, str] = {}
    said: dict[tuple[str, str], str] = {}  # file or series, and source id
    for number, (file, changes) in enumerate(sayings):
        rows: dict[str, str] = {}
        for source_id, is_changed in changes.items():
            before = said.get((file, source_id), said.get((file[:4], source_id)))
            if before is None or is_changed:
                stands[source_id] = f"{number}"
            rows[source_id] = f"{number}" if before is None or is_changed else before
            said[file, source_id] = said[file[:4], source_id] = rows[source_id]
        items = [delivery(key, content, file=file) for key, content in rows.items()]
        while True:
            fate = next(fates)
            try:
                with connect(database_url, Crash(fate)) as connection:
                    landing = Landing(connection, each, VAULT, "acak")
                    for item in items:
                        landing.land([item])
                break
            except (LandingError, psycopg.OperationalError):
                assert fate is not None
    histories = versions(db, each.name)
    assert {key: history[-1] for key, history in histories.items()} == stands
    for history in histories.values():
        assert all(a != b for a, b in itertools.pairwise(history)), "no copy in a row"
