"""A whole pull: from files in an inbox to rows, and again."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lumbung import database
from lumbung.errors import ConfigurationError, ServiceError, SourceError
from lumbung.intake import run
from lumbung.intake.connectors.base import (
    Checkpoint,
    Delivery,
    Item,
    Source,
    SourceConnection,
    Unreadable,
)
from lumbung.intake.connectors.register.reader import Table
from lumbung.intake.evidence import Evidence
from lumbung.intake.landing import IntakeCounts, Landing
from lumbung.intake.landing.landed import as_delivered
from lumbung.intake.vault import Keyring, Vault, associate
from lumbung.settings import Settings
from tests.support.channel_samples import (
    CHAT,
    FORM,
    HEADER,
    REGISTER,
    channel,
    header_merges,
    workbook,
)
from tests.support.delivered import delivered, place
from tests.support.evidence import content_of, evidence_store, store_of

Pull = Callable[..., IntakeCounts]
AT = datetime(2024, 11, 6, 3, 30, tzinfo=UTC)


@pytest.fixture
def pull(settings: Settings, database_url: str) -> Pull:
    def act(channel: str, **changes: Any) -> IntakeCounts:
        given = {"settings": settings, "database_url": database_url, "run_key": "uji", **changes}
        return run.pull(channel, **given)

    return act


def register(*rows: tuple[str, str]) -> bytes:
    body = [
        [n, key, "06/11/2024", "", "Warga A", "", "Bangka", story]
        for n, (key, story) in enumerate(rows, 1)
    ]
    return workbook({"S": [*HEADER, *body]}, merges={"S": header_merges(0)})


def put(path: Path, content: bytes, age: int) -> None:
    path.write_bytes(content)
    os.utime(path, (1_700_000_000 + age,) * 2)


def wait_a_cadence(db: psycopg.Connection) -> None:
    """Let what was missed have been missed a week ago."""
    db.execute("update ops.missing_record set missed_at = missed_at - interval '8 days'")


def stories(db: psycopg.Connection) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for key, story in delivered(
        db, "select source_id, payload ->> 'Uraian' from raw.record order by record_id"
    ):
        found.setdefault(key, []).append(story)
    return found


def test_a_register_that_is_sent_again_with_edits_and_removed_rows(
    pull: Pull, db: psycopg.Connection, add_channel: Callable[..., Path]
) -> None:
    inbox = add_channel(REGISTER)
    rows = [("1/LP", "a"), ("2/LP", "b"), ("3/LP", "c"), ("4/LP", "d")]
    put(inbox / "buku.xlsx", register(*rows), 0)
    assert pull("register_contoh") == IntakeCounts(read=4, landed=4)
    assert pull("register_contoh") == IntakeCounts(read=4, duplicate=4)
    put(inbox / "buku.xlsx", register(("1/LP", "a"), ("2/LP", "B"), ("4/LP", "d")), 1)
    counts = pull("register_contoh")
    # Row 4 has another No now, which is none of it; row 3 is gone, which is confirmed later.
    assert counts == IntakeCounts(read=3, landed=1, duplicate=2, missing=1)
    wait_a_cadence(db)
    assert pull("register_contoh") == IntakeCounts(read=3, duplicate=3, tombstones=1)
    assert stories(db) == {
        "1/LP": ["a"],
        "2/LP": ["b", "B"],
        "3/LP": ["c", None],
        "4/LP": ["d"],
    }
    put(inbox / "buku.xlsx", register(*rows), 2)
    assert pull("register_contoh") == IntakeCounts(read=4, landed=2, duplicate=2)
    assert stories(db)["2/LP"] == ["b", "B", "b"]


def test_of_two_files_with_one_key_the_newer_stands_and_nothing_flaps(
    pull: Pull, db: psycopg.Connection, add_channel: Callable[..., Path]
) -> None:
    inbox = add_channel(REGISTER)
    put(inbox / "z lama.xlsx", register(("1/LP", "lama"), ("2/LP", "tetap")), 0)
    put(inbox / "a baru.xlsx", register(("1/LP", "baru"), ("2/LP", "tetap")), 1)
    assert pull("register_contoh") == IntakeCounts(read=4, landed=3, duplicate=1)
    for _ in range(2):
        assert pull("register_contoh") == IntakeCounts(read=4, duplicate=4)
    assert stories(db) == {"1/LP": ["lama", "baru"], "2/LP": ["tetap"]}
    put(inbox / "a baru.xlsx", register(("1/LP", "lama"), ("2/LP", "tetap")), 2)
    assert pull("register_contoh").landed == 1
    assert stories(db)["1/LP"] == ["lama", "baru", "lama"]


def test_a_file_that_is_gone_withdraws_nothing_but_one_that_shrank_is_an_alarm(
    pull: Pull, db: psycopg.Connection, add_channel: Callable[..., Path]
) -> None:
    inbox = add_channel(REGISTER)
    put(inbox / "a.xlsx", register(*[(f"{n}/LP", "x") for n in range(8)]), 0)
    put(inbox / "b.xlsx", register(*[(f"{n}/TM", "x") for n in range(8)]), 1)
    pull("register_contoh")
    (inbox / "a.xlsx").unlink()
    assert pull("register_contoh") == IntakeCounts(read=8, duplicate=8)
    put(inbox / "b.xlsx", register(("0/TM", "x"), ("9/TM", "baru")), 2)
    with pytest.raises(SourceError, match="of 9 deliveries the source no longer has 7"):
        pull("register_contoh")
    assert "9/TM" in stories(db), "what came is landed all the same"
    assert not any(None in history for history in stories(db).values())


def test_an_unreadable_file_withdraws_nothing(
    pull: Pull, db: psycopg.Connection, add_channel: Callable[..., Path]
) -> None:
    inbox = add_channel(REGISTER)
    whole = register(("1/LP", "a"), ("2/LP", "b"))
    put(inbox / "a.xlsx", whole, 0)
    pull("register_contoh")
    put(inbox / "a.xlsx", whole[:500], 1)
    assert pull("register_contoh") == IntakeCounts(read=1, quarantined=1)
    assert pull("register_contoh") == IntakeCounts(read=1, duplicate=1)
    put(inbox / "a.xlsx", whole, 2)
    assert pull("register_contoh") == IntakeCounts(read=2, duplicate=2)


@pytest.mark.parametrize("nik", ["1,97101E+15", "1.97101E+15", " 2E+15 "])
def test_a_number_that_a_spreadsheet_cut_makes_nobody_the_same_person(
    pull: Pull, db: psycopg.Connection, add_channel: Callable[..., Path], nik: str
) -> None:
    personal = {"personal": ["NIK", "Nama"], "subject": ["NIK", "Nama"], "kept": []}
    inbox = add_channel(REGISTER, **personal)
    rows = [f'{n}/LP;"{nik}";Warga {n};Bangka;x' for n in range(3)]
    rows += ["4/LP;1971010101010001;Warga 4;Bangka;x", "5/LP;1971010101010001;Warga V;Bangka;x"]
    put(inbox / "a.csv", "\n".join(["Nomor;NIK;Nama;Kab/Kota;Uraian", *rows]).encode(), 0)
    assert pull("register_contoh").landed == 5
    tokens: dict[str, bytes | None] = dict(
        db.execute("select source_id, subject_token from raw.record").fetchall()
    )
    assert len(set(tokens.values())) == 4
    assert tokens["4/LP"] == tokens["5/LP"] is not None
    assert None not in tokens.values(), "their names identify them"


FORM_CSV = {
    **{key: REGISTER[key] for key in ("title", "owner", "schedule")},
    "record_kind": "IA",
    "fields": {"narrative": {"from": "Uraian"}},
}


@pytest.mark.parametrize(
    ("model", "header", "rows", "nameless"),
    [
        (
            {**REGISTER, "personal": [], "subject": []},
            "Nomor,No,Kab/Kota,Uraian",
            ["1/LP,1,Bangka,a", "2/LP,2,Bangka,b", "3/LP,3,Bangka,c"],
            "-,2,Bangka,b",
        ),
        (
            {**FORM_CSV, "name": "form_contoh", "source": {"kind": "form_csv"}},
            "Cap waktu,Uraian",
            ["06/11/2024 10:00:00,a", "06/11/2024 11:00:00,b", "06/11/2024 12:00:00,c"],
            "31/02/2024 11:00:00,b",
        ),
        (
            {**FORM_CSV, "name": "peta_contoh", "source": {"kind": "ushahidi"}},
            "Post ID,Created (UTC),Uraian",
            ["1,2024-11-06 10:00:00,a", "2,2024-11-06 11:00:00,b", "3,2024-11-06 12:00:00,c"],
            "dua,2024-11-06 11:00:00,b",
        ),
    ],
    ids=["register", "form_csv", "ushahidi"],
)
def test_what_became_unreadable_and_nameless_has_not_been_withdrawn(
    pull: Pull,
    add_channel: Callable[..., Path],
    model: dict[str, Any],
    header: str,
    rows: list[str],
    nameless: str,
) -> None:
    inbox = add_channel(model)
    put(inbox / "a.csv", "\n".join([header, *rows]).encode(), 0)
    assert pull(model["name"]) == IntakeCounts(read=3, landed=3)
    put(inbox / "a.csv", "\n".join([header, rows[0], nameless]).encode(), 1)
    # the row without an id is the second one; the third is gone
    counts = IntakeCounts(read=2, duplicate=1, quarantined=1, missing=1, withheld=1)
    assert pull(model["name"]) == counts
    put(inbox / "a.csv", "\n".join([header, *rows[:2]]).encode(), 2)
    assert pull(model["name"]) == IntakeCounts(read=2, duplicate=2, tombstones=1)


def test_phone_numbers_and_codes_of_a_file_stay_as_they_are_written(
    pull: Pull, db: psycopg.Connection, settings: Settings, add_channel: Callable[..., Path]
) -> None:
    """Seen in others: `+62812...` became a number, the regency code `19.02` a decimal."""
    fields = {**REGISTER["fields"], "regency_code": {"from": "Kode", "scheme": "kemendagri"}}
    inbox = add_channel(REGISTER, fields=fields, personal=["HP"], subject=["HP"], kept=[])
    header = ["Nomor", "Kode", "HP", "Uraian", "Kab/Kota", "Tanggal / Diterima"]
    row = ["007", "19.02", "+6281200000001", "1e5", "0", "01/02/2024"]
    put(inbox / "a.csv", "\n".join([",".join(header), ",".join(row)]).encode(), 0)
    row[0] = "008"
    put(inbox / "b.xlsx", workbook({"S": [header, row]}), 1)
    assert pull("register_contoh").landed == 2
    payload = {"Kode": "19.02", "Uraian": "1e5", "Kab/Kota": "0", "Tanggal / Diterima": row[5]}
    keys = Keyring(db, Vault.load(settings.home))
    for number, source_id, stored, sealed in db.execute(
        "select record_id, source_id, payload, ciphertext from raw.record"
        " inner join vault.identity using (record_id)"
    ):
        plain = json.loads(keys.open(sealed, associate("register_contoh", source_id)))
        assert as_delivered(stored, plain) == {"Nomor": source_id, **payload}, number
        assert plain["HP"] == "+6281200000001"


def test_every_record_leads_back_to_the_bytes_it_came_from(
    pull: Pull,
    db: psycopg.Connection,
    database_url: str,
    settings: Settings,
    add_channel: Callable[..., Path],
) -> None:
    inbox = add_channel(CHAT)
    chat = b"06/11/24 19.33 - Warga A: ADUAN\nTanggal: 5/11/2024\n31/02/24 19.33 - Warga B: x\n"
    put(inbox / "a.txt", chat, 0)
    assert pull("chat_contoh") == IntakeCounts(read=2, landed=1, quarantined=1)
    for table in ("raw.record", "quarantine.record"):
        row = db.execute(f"select evidence_sha256, locator from {table}".encode()).fetchone()
        assert row is not None
        with store_of(settings, database_url) as store:
            assert content_of(store, row[0]) == chat
        assert row[1] in ("baris 1", "baris 3")
    ((payload,),) = delivered(db, "select payload from raw.record")
    assert payload == {
        "Teks": "ADUAN\nTanggal: 5/11/2024",
        "Tanda": "templat",
        "Tanggal": "5/11/2024",
    }
    assert db.execute("select count(*) from ops.drift_notice").fetchone() == (0,)


def test_a_dry_run_counts_and_leaves_nothing(
    pull: Pull, db: psycopg.Connection, settings: Settings, add_channel: Callable[..., Path]
) -> None:
    inbox = add_channel(REGISTER)
    put(inbox / "a.xlsx", register(("1/LP", "a"), ("", "tanpa nomor")), 0)
    counts = pull("register_contoh", dry_run=True)
    assert counts == IntakeCounts(read=2, landed=1, quarantined=1)
    for table in ("raw.record", "raw.batch", "vault.identity", "quarantine.record", "vault.key"):
        assert db.execute(f"select count(*) from {table}".encode()).fetchone() == (0,)
    assert not settings.evidence.exists()
    assert pull("register_contoh") == counts


def test_a_pull_that_meets_nothing_is_known_to_have_looked(
    pull: Pull, db: psycopg.Connection, add_channel: Callable[..., Path]
) -> None:
    add_channel(REGISTER)
    assert pull("register_contoh") == IntakeCounts()
    assert db.execute("select run_key, read_count from raw.batch").fetchall() == [("uji", 0)]


def test_more_than_a_chunk(
    pull: Pull,
    db: psycopg.Connection,
    add_channel: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "CHUNK_DELIVERIES", 3)
    inbox = add_channel(REGISTER)
    put(inbox / "a.xlsx", register(*[(f"{n}/LP", "x") for n in range(7)]), 0)
    assert pull("register_contoh") == IntakeCounts(read=7, landed=7)
    batches = "select read_count, cursor_after is not null from raw.batch order by batch_id"
    assert db.execute(batches.encode()).fetchall() == [(3, False), (3, False), (1, True)]


def test_a_chunk_of_long_deliveries_has_few(
    db: psycopg.Connection, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "CHUNK_BYTES", 16_000)
    long = {"pemantau/catatan": [{"bagian": "x" * 4_500}, "y" * 4_500]}
    items: list[Item] = [
        *(Delivery(f"{n}", AT, long) for n in range(5)),
        *(Delivery(f"p {n}", AT, {"kejadian/uraian": "x"}) for n in range(100)),
        Unreadable("too_large", "x", {"isi": "x" * 20_000}, AT),
        Delivery("akhir", AT, {}),
        Checkpoint({}),
    ]
    form = channel(FORM)
    vault = Vault(bytes(range(32)))
    evidence = evidence_store(settings.evidence)
    source = Source(form, settings.inbox, None, evidence, vault.content_hash, {})  # type: ignore[arg-type]
    counts, _ = run.land_all(source, Landing(db, form, vault, "uji"), items)
    assert counts == IntakeCounts(read=107, landed=106, quarantined=1)
    batches = db.execute("select read_count from raw.batch order by batch_id").fetchall()
    assert [count for (count,) in batches] == [2, 2, 102, 1]


def test_what_came_before_an_outage_is_landed(
    pull: Pull,
    db: psycopg.Connection,
    add_channel: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inbox = add_channel(REGISTER)
    put(inbox / "a.xlsx", register(("1/LP", "x"), ("2/LP", "x")), 0)
    put(inbox / "b.xlsx", register(("3/LP", "x")), 1)
    keep = Evidence.keep
    calls = iter(range(10))

    def breaks(self: Evidence, stream: Any) -> Any:
        if next(calls) == 1:
            raise SourceError("the network is down", where="uji", remediation="wait")
        return keep(self, stream)

    with monkeypatch.context() as patch:
        patch.setattr(Evidence, "keep", breaks)
        with pytest.raises(SourceError, match="the network is down"):
            pull("register_contoh")
    assert stories(db) == {"1/LP": ["x"], "2/LP": ["x"]}
    assert pull("register_contoh") == IntakeCounts(read=3, landed=1, duplicate=2)


def test_two_pulls_of_one_channel_wait_for_each_other(
    pull: Pull,
    database_url: str,
    add_channel: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inbox = add_channel(REGISTER)
    put(inbox / "a.xlsx", register(*[(f"{n}/LP", "x") for n in range(300)]), 0)
    results: list[IntakeCounts] = []
    threads = [
        threading.Thread(target=lambda: results.append(pull("register_contoh"))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(each.landed for each in results) == 300
    assert sum(each.duplicate for each in results) == 600
    with psycopg.connect(database_url) as other:
        monkeypatch.setattr(run, "LOCK_SECONDS", 1)
        other.execute(
            "select pg_advisory_lock(hashtext('lumbung.intake'), hashtext('register_contoh'))"
        )
        with pytest.raises(ServiceError, match="another pull of this channel is running"):
            pull("register_contoh")


def test_a_file_whose_name_is_no_utf8_is_read_and_its_withdrawals_are_seen(
    pull: Pull, db: psycopg.Connection, add_channel: Callable[..., Path]
) -> None:
    inbox = add_channel(REGISTER)
    file = inbox / os.fsdecode(b"buku \xe9.xlsx")
    put(file, register(("1/LP", "a"), ("2/LP", "b"), ("3/LP", "c")), 0)
    assert pull("register_contoh") == IntakeCounts(read=3, landed=3)
    put(file, register(("1/LP", "a"), ("2/LP", "b")), 1)
    assert pull("register_contoh") == IntakeCounts(read=2, duplicate=2, missing=1)
    wait_a_cadence(db)
    assert pull("register_contoh") == IntakeCounts(read=2, duplicate=2, tombstones=1)


def test_a_pull_goes_on_to_wait_for_other_locks_with_a_bound(database_url: str) -> None:
    with database.session(database_url) as db:
        run.lock(db, "buku")
        assert db.execute("show lock_timeout").fetchone() == (database.LOCK_WAIT,)


def test_a_whole_listing_that_shrank_alarms_with_every_pull_until_it_is_accepted(
    pull: Pull,
    db: psycopg.Connection,
    add_channel: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where only some pulls read everything: the cursor says that one did when it is done."""
    add_channel(FORM)
    given = [str(number) for number in range(5)]

    def read(source: Source) -> Any:
        is_full = "full_at" not in source.cursor
        for each in given if is_full else ():
            yield Delivery(each, AT, {})
        yield Checkpoint({"full_at": AT.isoformat()}, "" if is_full else None)

    monkeypatch.setattr("lumbung.intake.connectors.kobo.reader.read", read)
    assert pull("form_contoh").landed == 5
    db.execute("update ops.channel_cursor set cursor = '{}'")
    del given[1:]
    for _ in range(2):
        with pytest.raises(SourceError, match="no longer has 4"):
            pull("form_contoh")
    with pytest.raises(SourceError, match="no longer has 4 deliveries, and 3 withdrawals were"):
        pull("form_contoh", accept_withdrawals=True, most_withdrawals=3)
    counts = pull("form_contoh", accept_withdrawals=True, most_withdrawals=4)
    assert counts == IntakeCounts(read=1, duplicate=1, tombstones=4)
    assert pull("form_contoh") == IntakeCounts(), "the next full reading is due later"


def test_a_retry_after_a_crash_knows_that_its_first_attempt_landed_something(
    pull: Pull, db: psycopg.Connection, database_url: str, add_channel: Callable[..., Path]
) -> None:
    inbox = add_channel(REGISTER)

    def has_news() -> bool:
        return run.has_news("register_contoh", database_url=database_url)

    assert not has_news()
    put(inbox / "a.xlsx", register(("1/LP", "a")), 0)
    pull("register_contoh")
    assert pull("register_contoh") == IntakeCounts(read=1, duplicate=1)
    assert has_news()
    db.execute(
        "insert into ops.build (max_batch_id, inputs_hash, seeds_hash)"
        " select max(batch_id), '', '' from raw.batch"
    )
    assert not has_news()
    put(inbox / "a.xlsx", register(("1/LP", "b")), 1)
    pull("register_contoh")
    assert has_news()
    db.execute(
        "insert into ops.check_result (run_id, suite, batch, check_name, severity, is_passed,"
        " checked_count, failing_count, failing, owner, remediation)"
        " values (gen_random_uuid(), 'raw', '', '', 'fail', false, 1, 1, '[]', '', '')"
    )
    assert not has_news(), "the warehouse has looked at it, and a check stopped it"


def test_a_mistake_in_one_channel_file_stops_that_channel_alone(
    pull: Pull, settings: Settings, add_channel: Callable[..., Path]
) -> None:
    inbox = add_channel(REGISTER)
    add_channel(CHAT, schedule="tiap pagi")
    put(inbox / "a.xlsx", register(("1/LP", "a")), 0)
    assert pull("register_contoh").landed == 1
    with pytest.raises(ConfigurationError, match=r"(?s)1 mistake .*contoh\.yaml:\d+: sched"):
        pull("chat_contoh")


def test_a_channel_that_is_not_there_is_reported(
    pull: Pull, add_channel: Callable[..., Path]
) -> None:
    add_channel(REGISTER)
    with pytest.raises(ConfigurationError, match=r"no channel 'lain'.*use one of register_contoh"):
        pull("lain")


# -- of several files, the one that changed a row last decides -----------------------------------


def test_a_correction_in_another_file_stands_until_its_row_changes_in_its_own(
    pull: Pull, db: psycopg.Connection, add_channel: Callable[..., Path]
) -> None:
    inbox = add_channel(REGISTER)
    put(inbox / "buku.xlsx", register(("1/LP", "a"), ("2/LP", "b")), 0)
    pull("register_contoh")
    put(inbox / "revisi.xlsx", register(("1/LP", "A")), 1)
    pull("register_contoh")
    put(inbox / "buku.xlsx", register(("1/LP", "a"), ("2/LP", "b"), ("3/LP", "c")), 2)
    assert pull("register_contoh") == IntakeCounts(read=4, landed=1, duplicate=3)
    # A row above comes: the numbers of those below it move, and nothing else.
    put(inbox / "buku.xlsx", register(("3/LP", "c"), ("1/LP", "a"), ("2/LP", "b")), 3)
    pull("register_contoh")
    assert stories(db)["1/LP"] == ["a", "A"], "the file repeats what the correction was about"
    put(inbox / "buku.xlsx", register(("1/LP", "a2"), ("2/LP", "b"), ("3/LP", "c")), 4)
    pull("register_contoh")
    assert stories(db)["1/LP"] == ["a", "A", "a2"], "now the row itself has changed"


def test_a_file_that_takes_a_correction_over_may_change_the_row_back(
    pull: Pull, db: psycopg.Connection, add_channel: Callable[..., Path]
) -> None:
    inbox = add_channel(REGISTER)
    for age, (name, story) in enumerate(
        [("buku", "a"), ("revisi", "A"), ("buku", "A"), ("buku", "a"), ("revisi", "A")]
    ):
        put(inbox / f"{name}.xlsx", register(("1/LP", story), (f"{age}/TM", "x")), age)
        pull("register_contoh", accept_withdrawals=True)
    assert stories(db)["1/LP"] == ["a", "A", "a"]


@pytest.mark.parametrize(
    ("third", "expected"),
    [
        ("Register 6-11-2024.xlsx", ["a", "A"]),  # renamed: the next of the series `Register`
        ("Kiriman ulang.xlsx", ["a", "A"]),  # of no series: a content that was given before
        ("Revisi 2.xlsx", ["a", "A", "a"]),  # the next correction takes the first one back
    ],
)
def test_a_row_that_a_renamed_file_repeats_is_no_news(
    pull: Pull,
    db: psycopg.Connection,
    add_channel: Callable[..., Path],
    third: str,
    expected: list[str],
) -> None:
    inbox = add_channel(REGISTER)
    put(inbox / "Register 30-10-2024.xlsx", register(("1/LP", "a"), ("2/LP", "b")), 0)
    put(inbox / "Revisi 1.xlsx", register(("1/LP", "A")), 1)
    put(inbox / third, register(("1/LP", "a"), ("2/LP", "b"), ("3/LP", "c")), 2)
    pull("register_contoh")
    assert stories(db) == {"1/LP": expected, "2/LP": ["b"], "3/LP": ["c"]}


def test_a_series_of_files_may_change_a_row_and_change_it_back(
    pull: Pull, db: psycopg.Connection, add_channel: Callable[..., Path]
) -> None:
    inbox = add_channel(REGISTER)
    for week, story in enumerate(["kajian", "diregistrasi", "kajian"], 40):
        put(inbox / f"Register {week}.xlsx", register(("1/LP", story)), week)
        pull("register_contoh")
    assert stories(db)["1/LP"] == ["kajian", "diregistrasi", "kajian"]


def test_a_field_that_is_declared_later_undoes_no_correction(
    pull: Pull, db: psycopg.Connection, add_channel: Callable[..., Path]
) -> None:
    """The stored content of every row changes, and no row of a file does."""
    fields = {**REGISTER["fields"]}
    del fields["received_date"]
    inbox = add_channel(REGISTER, fields=fields)
    put(inbox / "revisi.xlsx", register(("1/LP", "A")), 1)
    put(inbox / "buku.xlsx", register(("1/LP", "a"), ("2/LP", "b")), 0)
    pull("register_contoh")
    put(inbox / "buku.xlsx", register(("1/LP", "a"), ("2/LP", "b"), ("3/LP", "c")), 2)
    pull("register_contoh")
    add_channel(REGISTER)
    assert pull("register_contoh") == IntakeCounts(read=4, landed=3, duplicate=1)
    assert stories(db)["1/LP"] == ["a", "A", "A"]
    add_channel(REGISTER, fields=fields)
    pull("register_contoh")
    assert stories(db)["1/LP"] == ["a", "A", "A", "A"]


def test_a_failure_of_a_reader_ends_no_pull(
    pull: Pull,
    db: psycopg.Connection,
    add_channel: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inbox = add_channel(REGISTER)
    put(inbox / "a.xlsx", register(("1/LP", "rahasia")), 0)
    put(inbox / "b.xlsx", register(("2/LP", "x")), 1)
    item = Table._item

    def fails(self: Table, file: Any, *rest: Any) -> Any:
        if file.name == "a.xlsx":
            raise ValueError("rahasia")
        return item(self, file, *rest)

    monkeypatch.setattr(Table, "_item", fails)
    assert pull("register_contoh") == IntakeCounts(read=2, landed=1, quarantined=1)
    reported = "select reason_code, locator, reason not like '%rahasia%' from quarantine.record"
    assert db.execute(reported.encode()).fetchall() == [("unreadable_file", place("a.xlsx"), True)]


# -- a file that somebody is still writing ---------------------------------------------------------


LINES = ["Nomor,No,Kab/Kota,Uraian", *(f"{n}/LP,{n},Bangka,kejadian {n}" for n in range(1, 11))]
WHOLE = ("\n".join(LINES) + "\n").encode()
PUBLIC: dict[str, Any] = {"personal": [], "subject": []}


@pytest.mark.parametrize("share", range(50, 100, 2))
def test_a_csv_that_is_cut_off_anywhere_withdraws_nothing_and_changes_no_row(
    pull: Pull, db: psycopg.Connection, add_channel: Callable[..., Path], share: int
) -> None:
    inbox = add_channel(REGISTER, **PUBLIC)
    put(inbox / "a.csv", WHOLE, 0)
    pull("register_contoh")
    part = WHOLE[: len(WHOLE) * share // 100]
    put(inbox / "a.csv", part, 1)
    try:
        counts = pull("register_contoh")
    except SourceError:  # less than half is there
        counts = IntakeCounts()
    is_within_a_row = not part.endswith(b"\n") and part.rpartition(b"\n")[2].count(b",") < 3
    assert counts.quarantined == is_within_a_row
    assert counts.tombstones == 0
    if is_within_a_row:
        assert (counts.landed, counts.missing) == (0, 0)
        assert pull("register_contoh").tombstones == 0, "at no later reading either"
    put(inbox / "a.csv", WHOLE, 2)
    assert pull("register_contoh").tombstones == 0
    assert db.execute("select count(*) from raw.record where is_tombstone").fetchone() == (0,)


def test_what_a_file_no_longer_has_is_withdrawn_when_a_cadence_has_gone_by(
    pull: Pull, db: psycopg.Connection, add_channel: Callable[..., Path]
) -> None:
    inbox = add_channel(REGISTER, **PUBLIC)
    put(inbox / "a.csv", WHOLE, 0)
    pull("register_contoh")
    for age in range(1, 5):  # it is missed every other time
        kept = WHOLE if age % 2 == 0 else "\n".join([*LINES[:-1], ""]).encode()
        put(inbox / "a.csv", kept, age)
        counts = pull("register_contoh")
        assert (counts.missing, counts.tombstones) == (age % 2, 0)
    put(inbox / "a.csv", "\n".join([*LINES[:-1], ""]).encode(), 5)
    assert pull("register_contoh").missing == 1
    assert pull("register_contoh").missing == 1, "the same bytes say nothing new"
    wait_a_cadence(db)
    assert pull("register_contoh") == IntakeCounts(read=9, duplicate=9, tombstones=1)
    assert pull("register_contoh") == IntakeCounts(read=9, duplicate=9)
    assert db.execute("select count(*) from ops.missing_record").fetchone() == (0,)
    assert stories(db)["10/LP"] == ["kejadian 10", None]
    put(inbox / "a.csv", "\n".join([*LINES[:-2], ""]).encode(), 6)
    counts = pull("register_contoh", accept_withdrawals=True)
    assert counts == IntakeCounts(read=8, duplicate=8, tombstones=1), "a person has looked"


def test_rows_without_a_number_hold_back_only_what_they_may_be(
    pull: Pull, db: psycopg.Connection, add_channel: Callable[..., Path]
) -> None:
    inbox = add_channel(REGISTER, **PUBLIC)
    always = "-,11,Belitung,orang tidak dikenal"
    put(inbox / "a.csv", "\n".join([*LINES, always, ""]).encode(), 0)
    pull("register_contoh")
    # 3/LP lost its number and got another word; 7/LP was deleted.
    changed = [line for line in LINES if not line.startswith(("3/LP", "7/LP"))]
    changed += ["-,3,Bangka,kejadian 3", always, ""]
    put(inbox / "a.csv", "\n".join(changed).encode(), 1)
    assert pull("register_contoh").missing == 1
    wait_a_cadence(db)
    assert pull("register_contoh").tombstones == 1
    assert pull("register_contoh").withheld == 1
    alive = {key for key, history in stories(db).items() if history[-1] is not None}
    assert alive == {f"{n}/LP" for n in range(1, 11) if n != 7}
    held = (
        "select source_id, is_held from ops.missing_record inner join raw.record using (record_id)"
    )
    assert db.execute(held.encode()).fetchall() == [("3/LP", True)]
    assert "--accept-withdrawals" in IntakeCounts(withheld=1).notes()[0]
    assert pull("register_contoh", accept_withdrawals=True).tombstones == 1


def test_a_file_is_read_when_nobody_writes_it_any_more(
    settings: Settings,
    pull: Pull,
    add_channel: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inbox = add_channel(REGISTER, **PUBLIC)
    settled = replace(settings, settle_seconds=30)
    waits: list[float] = []
    writes = [WHOLE[:400]]

    def wait(seconds: float) -> None:
        waits.append(seconds)
        for content in writes:
            (inbox / "b.csv").write_bytes(content)

    monkeypatch.setattr("lumbung.intake.connectors.shared.files.time.sleep", wait)
    put(inbox / "a.csv", "\n".join([LINES[0], *LINES[6:], ""]).encode(), 0)
    assert pull("register_contoh", settings=settled).landed == 5
    assert waits == [], "it has been there for long"
    put(inbox / "a.csv", "\n".join([LINES[0], *LINES[6:10], ""]).encode(), 0)
    (inbox / "b.csv").write_bytes(WHOLE[:200])
    counts = pull("register_contoh", settings=settled)
    assert counts == IntakeCounts(read=4, duplicate=4, unsettled=1)
    assert len(waits) == 1
    assert 25 < waits[0] <= 30
    assert "left for the next pull" in counts.notes()[0]
    writes.clear()
    (inbox / "b.csv").write_bytes(WHOLE)
    counts = pull("register_contoh", settings=settled)
    assert counts == IntakeCounts(read=14, landed=5, duplicate=9), "10/LP was in the other file"


def test_a_file_that_changes_while_it_is_read_is_left(
    settings: Settings,
    pull: Pull,
    add_channel: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inbox = add_channel(REGISTER, **PUBLIC)
    put(inbox / "a.csv", WHOLE[:400], 0)
    keep = Evidence.keep

    def grows(self: Evidence, stream: Any) -> Any:
        kept = keep(self, stream)
        put(inbox / "a.csv", WHOLE, 1)
        return kept

    settled = replace(settings, settle_seconds=2)
    with monkeypatch.context() as patch:
        patch.setattr(Evidence, "keep", grows)
        assert pull("register_contoh", settings=settled) == IntakeCounts(unsettled=1)
    assert pull("register_contoh", settings=settled) == IntakeCounts(read=10, landed=10)


def test_a_second_channel_of_one_source_lands_nothing(
    db: psycopg.Connection, pull: Pull, add_channel: Callable[..., Path]
) -> None:
    """Also by another connection to the same server, which no channel file shows."""
    add_channel(FORM, name="kembar", connection="lain")
    first, server = channel(FORM), SourceConnection("https://Kobo.example.id:443/", password="x")
    db.execute("set role loader")
    run.claim(db, first, first.source.place(server))
    run.claim(db, first, first.source.place(server))
    db.execute("reset role")
    again = SourceConnection("kobo.example.id", login="lain", password="y")
    with pytest.raises(ConfigurationError, match="channel form_contoh reads the same source"):
        pull("kembar", connection=again)
    assert db.execute("select count(*) from raw.batch").fetchone() == (0,)
    for decided, is_refused in (("retired", True), ("removed", False)):
        db.execute(
            "insert into ops.channel_decision (channel, decision_code, file_name, decided_by,"
            " reason) values ('form_contoh', %s, 'form_contoh', 'Uji', 'uji')",
            (decided,),
        )
        twin = channel(FORM, name="kembar")
        with pytest.raises(ConfigurationError) if is_refused else nullcontext():
            run.claim(db, twin, first.source.place(again))


def test_two_mailboxes_of_one_server_are_two_sources(db: psycopg.Connection) -> None:
    for name in ("satu", "dua"):
        box = channel(CHAT, name=name, source={"kind": "email"}, connection="surat")
        login = SourceConnection("imap.example.id", login=f"{name}@example.id", password="x")
        run.claim(db, box, box.source.place(login))
