"""One person is found, exported and erased; the others, counts and backups' other keys stay."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lumbung import database
from lumbung.backup import dump
from lumbung.errors import ConfigurationError, LumbungError, ServiceError
from lumbung.intake import erasure, quarantine, run
from lumbung.intake.connectors.base import Delivery, Unreadable
from lumbung.intake.evidence import Evidence
from lumbung.intake.landing import Landing, landed
from lumbung.intake.landing.landed import opened
from lumbung.intake.landing.lexicon import project_lexicon
from lumbung.intake.landing.pseudonyms import Pseudonyms, open_label, seal_label
from lumbung.intake.landing.text_features import derive_missing
from lumbung.intake.vault import Keyring, Vault, associate
from lumbung.settings import Settings
from lumbung.warehouse.roles import role_url
from tests.support.channel_samples import channel
from tests.support.delivered import VAULT
from tests.support.evidence import evidence_store

PROJECT = Path(__file__).parents[2] / "dbt_project"
AT = datetime(2024, 11, 6, 2, tzinfo=UTC)
TODAY = date(2026, 11, 27)
WHO: dict[str, Any] = {"by": "ani", "consented_by": "ketua", "reason": "permintaan tertulis"}
BOOK: dict[str, Any] = {
    "name": "buku",
    "title": "Buku rekaan",
    "owner": {"name": "Kantor Rekaan", "email": "rekaan@example.id"},
    "source": {"kind": "register"},
    "schedule": "0 5 * * *",
    "expected_every": "1 day",
    "key": "Nomor",
    "fields": {"issue": {"from": "Isu"}, "narrative": {"from": "Uraian"}},
    "personal": ["Pelapor", "HP", "Saksi"],
    "subject": ["HP", "Pelapor"],
}
SUBJECTS = {"buku": ("HP", "Pelapor")}


def delivery(number: int, name: str, phone: str, digest: bytes, **more: str) -> Delivery:
    fields = {"Nomor": str(number), "Pelapor": name, "HP": phone, "Isu": "sara", "Uraian": "x"}
    return Delivery(str(number), AT, {**fields, **more}, digest, f"baris {number}")


@pytest.fixture
def db(database_url: str) -> Iterator[psycopg.Connection]:
    """A session of the custodian, whose warehouse has two chunks."""
    with psycopg.connect(database_url) as owner:
        landing = Landing(owner, channel(BOOK), VAULT, "uji")
        files = [bytes.fromhex(digest) for digest in FILES]
        landing.land([
            delivery(1, "Sari Rekaan", "0812-0000-1111", files[0]),
            delivery(2, "Budi Contoh", "0812-0000-2222", files[1], Saksi="Ibu SARI  Rekaan"),
            delivery(3, "Tono Uji", "0812-0000-3333", files[1]),
        ])  # fmt: skip
        landing.land([
            delivery(4, "Sari R.", "+62 812 0000 1111", files[2]),
            Unreadable("unreadable_date", "x", {"a": "Sari Rekaan, 0812"}, AT),
            Unreadable("unreadable_date", "x", {"a": "Tono Uji"}, AT),
        ])  # fmt: skip
        for number, each in enumerate(files):
            key_id = bytes([number]) * 8
            owner.execute(
                "insert into vault.evidence_key values (%s, %s, %s)",
                (key_id, each, VAULT.wrap(key_id + each, bytes(32))),
            )
    with database.connect(role_url(database_url, "custodian")) as connection:
        connection.autocommit = True
        yield connection


FILES = tuple(f"{number:02}" * 32 for number in (11, 22, 33))


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    for digest in FILES:
        (tmp_path / digest[:2]).mkdir()
        (tmp_path / digest[:2] / digest[2:]).write_bytes(b"isi")
    return tmp_path


def private(db: psycopg.Connection, vault: Vault = VAULT) -> dict[str, dict[str, Any]]:
    keys = Keyring(db, vault)
    return {
        source_id: opened(keys, "buku", source_id, sealed)
        for source_id, sealed in db.execute(
            "select source_id, ciphertext from raw.record left join vault.identity"
            " using (record_id) order by source_id"
        ).fetchall()
    }


def backup_of(db: psycopg.Connection) -> list[tuple[str, bytes]]:
    """The ciphertexts of an earlier dump."""
    return [
        (source_id, bytes(sealed))
        for source_id, sealed in db.execute(
            "select source_id, ciphertext from vault.identity inner join raw.record"
            " using (record_id) order by source_id"
        )
    ]


def erase(db: psycopg.Connection, evidence: Path, identity: str) -> erasure.Erased:
    store = evidence_store(evidence)
    return erasure.erase(db, VAULT, identity, SUBJECTS, evidence=store, today=TODAY, **WHO)


def tokens(db: psycopg.Connection) -> dict[str, bytes]:
    return dict(db.execute("select source_id, subject_token from raw.record").fetchall())


def test_everything_on_a_person_is_found(db: psycopg.Connection) -> None:
    with db.transaction():
        records, quarantined = erasure.held(db, VAULT, "sari rekaan", SUBJECTS)
        by_phone, _ = erasure.held(db, VAULT, "0812 0000 1111", SUBJECTS)
    assert [(each.source_id, each.is_reporter) for each in records] == [("1", True), ("2", False)]
    assert [each.content.partition("\0")[0] for each in quarantined] == [
        '{"a": "Sari Rekaan, 0812"}'
    ]
    assert [(each.source_id, each.is_reporter) for each in by_phone] == [("1", True), ("4", True)]
    assert by_phone[0].private["Pelapor"] == "Sari Rekaan"
    with pytest.raises(ConfigurationError, match="too short"), db.transaction():
        erasure.held(db, VAULT, "Ali", SUBJECTS)


def test_a_reporter_is_erased_and_everything_else_stays(
    db: psycopg.Connection, evidence: Path
) -> None:
    before, rows = private(db), db.execute("select count(*) from raw.record").fetchone()
    old_dump = backup_of(db)
    said: list[str | None] = []
    db.add_notice_handler(lambda notice: said.append(notice.message_primary))
    done = erase(db, evidence, "+62 812-0000-1111")
    assert said == [], "PostgreSQL refuses to remove the deleted rows"
    assert (len(done.records), done.redacted, done.quarantined) == (2, [], [])
    assert private(db) == {**before, "1": {}, "4": {}}
    assert db.execute("select count(*) from raw.record").fetchone() == rows
    # still one person in the counts, whom nobody can compute
    tokens = db.execute(
        "select distinct subject_token from raw.record where source_id in ('1', '4')"
    ).fetchall()
    assert len(tokens) == 1
    assert tokens[0][0] != VAULT.subject_token("081200001111")
    # an earlier dump, with the keys that the next backup has
    keys = Keyring(db, VAULT)
    for source_id, sealed in old_dump:
        place = associate("buku", source_id)
        if source_id in ("1", "4"):
            with pytest.raises(LumbungError, match="does not open"):
                keys.open(sealed, place)
        else:
            assert json.loads(keys.open(sealed, place)) == before[source_id]
    assert done.evidence == [FILES[0], FILES[2]]
    assert [path.name for path in evidence.rglob("*") if path.is_file()] == [FILES[1][2:]]
    keyed = db.execute("select encode(sha256, 'hex') from vault.evidence_key").fetchall()
    assert keyed == [(FILES[1],)], "copies of the others do not open any more"
    lines = db.execute("select count(*) from ops.erasure").fetchone()
    assert lines == (1,)
    with pytest.raises(ConfigurationError, match="nothing is held"):
        erase(db, evidence, "081200001111")


def test_a_restored_delivery_whose_key_was_destroyed_stops_nothing(
    db: psycopg.Connection, database_url: str, evidence: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup older than an erasure brings the rows back, and the keys do not come back."""
    identities = db.execute("select record_id, ciphertext from vault.identity").fetchall()
    waiting = db.execute("select ciphertext, quarantine_id from quarantine.record").fetchall()
    erase(db, evidence, "Sari Rekaan")
    with psycopg.connect(database_url) as owner:
        owner.execute("delete from vault.identity")
        owner.cursor().executemany(
            "insert into vault.identity (record_id, ciphertext) values (%s, %s)", identities
        )
        owner.cursor().executemany(
            "update quarantine.record set ciphertext = %s, locator = 'x' where quarantine_id = %s",
            waiting,
        )
    with db.transaction():
        records, quarantined = erasure.held(db, VAULT, "Tono Uji", SUBJECTS)
    assert ([each.source_id for each in records], len(quarantined)) == (["3"], 1)
    rules = Pseudonyms(channel(BOOK), VAULT, project_lexicon(PROJECT))
    with db.transaction():
        landed._renew(db, channel(BOOK), Keyring(db, VAULT), rules)
    monkeypatch.setenv("LUMBUNG_VAULT_KEY", base64.b64encode(bytes(range(32))).decode())
    derive_missing(db, {"buku": channel(BOOK)}, Settings(evidence, PROJECT.parent, None))
    assert erase(db, evidence, "Tono Uji").records


def test_a_name_is_taken_out_of_what_others_delivered(
    db: psycopg.Connection, evidence: Path
) -> None:
    before = private(db)
    done = erase(db, evidence, "Sari Rekaan")
    assert (len(done.records), len(done.redacted), len(done.quarantined)) == (1, 1, 1)
    after = private(db)
    assert after["2"] == {**before["2"], "Saksi": "Ibu [dihapus]"}
    assert after["1"] == {}, "the reporter's own telephone number goes with the name"
    assert after["3"] == before["3"]
    left = [
        Keyring(db, VAULT).open(sealed, associate("buku", content_hash.hex()))
        for content_hash, sealed in db.execute(
            "select content_hash, ciphertext from quarantine.record order by quarantine_id"
        ).fetchall()
    ]
    assert left == [b'"[dihapus]"', b'{"a": "Tono Uji"}']


def test_nobody_reopens_an_erased_delivery(
    db: psycopg.Connection, database_url: str, evidence: Path
) -> None:
    erase(db, evidence, "Sari Rekaan")
    other, url = 0, role_url(database_url, "loader")
    erased: list[int] = []
    for number, is_erased in db.execute(
        "select quarantine_id, dismissed_by is not null from quarantine.record"
    ).fetchall():
        erased, other = ([number], other) if is_erased else (erased, number)
    quarantine.dismiss(url, [other], by="ani", reason="coretan")
    listed = quarantine.dismissals(database_url, limit=None)
    assert [each.numbers for each in listed] == [[other]]
    assert quarantine.reopen(url, [*erased, other], by="ani") == 1
    assert quarantine.reopen(url, erased, by="ani") == 0


def test_erasing_a_name_that_two_reporters_have_leaves_them_two_in_counts(
    db: psycopg.Connection, database_url: str, evidence: Path
) -> None:
    with psycopg.connect(database_url) as owner:
        namesake = delivery(5, "Sari Rekaan", "0812-0000-5555", bytes(32))
        Landing(owner, channel(BOOK), VAULT, "uji").land([namesake])
    before = tokens(db)
    erase(db, evidence, "Sari Rekaan")
    after = tokens(db)
    assert after["1"] == after["4"] != after["5"], "1 and 4 have one telephone number"
    assert not {after["1"], after["5"]} & set(before.values())
    assert (after["2"], after["3"]) == (before["2"], before["3"])


@pytest.mark.parametrize(
    ("identity", "found"),
    [
        ("Zqvor Rekaan", {"Uraian": "ADUAN\n[dihapus] membagi\n[dihapus]", "[dihapus]": "saksi"}),
        (
            "0812 7777 0001",
            {"Saksi": "[dihapus], [dihapus], [dihapus], [dihapus]", "Lain": ["HP [dihapus]"]},
        ),
    ],
)
def test_a_person_is_found_wherever_a_text_names_them(
    db: psycopg.Connection,
    database_url: str,
    evidence: Path,
    identity: str,
    found: dict[str, object],
) -> None:
    with psycopg.connect(database_url) as owner:
        fields = {
            "Nomor": "5", "HP": "0812-0000-5555", "Isu": "sara",
            "Uraian": "ADUAN\nZqvor Rekaan membagi\nZQVOR\nRekaan", "Zqvor Rekaan": "saksi",
            "Saksi": "0812/7777/0001, 0812\u20117777\u20110001, +62 (0)812-7777-0001, 81277770001",
            "Lain": ["HP 0812.7777.0001"],
        }  # fmt: skip
        Landing(owner, channel(BOOK), VAULT, "uji").land([
            Delivery("5", AT, fields, bytes(32), "baris 5"),
            Unreadable("unreadable_file", "x", {"a": "b\n0812/7777/0001"}, AT),
            Unreadable("unreadable_file", "x", {}, AT, locator="Zqvor Rekaan.xlsx"),
        ])  # fmt: skip
    done = erase(db, evidence, identity)
    labels = db.execute("select sealed_label from ops.drift_notice where field ~ '^~'").fetchall()
    assert [open_label(VAULT, "buku", sealed) for (sealed,) in labels] == [
        "Zqvor Rekaan" if identity.startswith("0812") else "[dihapus]"
    ]
    assert (len(done.redacted), len(done.quarantined)) == (1, 1)
    after = private(db)["5"]
    assert {label: after.get(label) for label in found} == found


def test_new_rules_of_pseudonyms_leave_what_was_erased_as_it_counts(
    db: psycopg.Connection, database_url: str, evidence: Path
) -> None:
    with psycopg.connect(database_url) as owner:
        word = {"Isu": "beras berbayar", "Uraian": "Zqvor Rekaan memberi amplop"}
        Landing(owner, channel(BOOK), VAULT, "uji").land([
            delivery(5, "Zqvor Rekaan", "0812-0000-5555", bytes(32), **word),
            delivery(6, "Budi", "0812-0000-6666", bytes(32), **word)._replace(
                locator="Zqvor Rekaan.xlsx | baris 6"
            ),
        ])  # fmt: skip
    rows = "select source_id, payload, locator from raw.record order by source_id"
    before = db.execute(rows).fetchall()
    erase(db, evidence, "Zqvor Rekaan")
    with db.transaction():
        pseudonyms = Pseudonyms(channel(BOOK), VAULT, project_lexicon(PROJECT))
        landed._renew(db, channel(BOOK), Keyring(db, VAULT), pseudonyms)
    assert db.execute(rows).fetchall() == before


def test_a_legal_hold_keeps_a_delivery_and_its_evidence(
    db: psycopg.Connection, evidence: Path
) -> None:
    numbers: dict[str, int] = dict(
        db.execute("select source_id, record_id from raw.record").fetchall()
    )
    erasure.hold(db, numbers["3"], date(2027, 1, 1), by="ani", reason="perkara berjalan")
    with pytest.raises(ConfigurationError, match=rf"legal hold is on record {numbers['3']}"):
        erase(db, evidence, "Tono Uji")
    assert private(db)["3"]["Pelapor"] == "Tono Uji"
    # his row is in the workbook that names her, too
    done = erase(db, evidence, "Budi Contoh")
    assert (done.evidence, done.kept_evidence) == ([], [FILES[1]])
    erasure.hold(db, numbers["3"], TODAY, by="ani", reason="perkara selesai")
    assert erase(db, evidence, "Tono Uji").evidence == [FILES[1]]
    with pytest.raises(ConfigurationError, match="no record has the id 9"):
        erasure.hold(db, 9, TODAY, by="ani", reason="x")


def test_attachments_go_with_a_delivery_unless_one_that_stays_has_them_too(
    db: psycopg.Connection, database_url: str, evidence: Path
) -> None:
    """The accused could send the photo that proves it, and ask to be erased."""
    photo, shared, scan, foreign, waiting = (f"{n:02}" * 32 for n in (44, 55, 66, 77, 88))
    attached = [
        {"filename": "KTP.jpg", "sha256": each} for each in (photo, shared, foreign, waiting)
    ]
    with psycopg.connect(database_url) as owner:
        Landing(owner, channel(BOOK), VAULT, "uji").land([
            _with(delivery(5, "Zqvor Rekaan", "0812-0000-5555", bytes(32)), _attachments=attached),
            _with(
                delivery(6, "Rina Uji", "0812-0000-6666", bytes.fromhex(foreign)), Foto=attached[1]
            ),
            delivery(7, "Tuti Uji", "0812-0000-7777", bytes(32)),
            Unreadable("unreadable_file", "x", {"file": "Zqvor Rekaan.pdf", "sha256": scan}, AT),
            Unreadable("implausible_date", "x", ["9", {"_attachments": [attached[3]]}], AT),
        ])  # fmt: skip
    for digest in (photo, shared, scan, foreign, waiting):
        (evidence / digest[:2]).mkdir()
        (evidence / digest[:2] / digest[2:]).write_bytes(b"isi")
    number = _record_id(db, "7")
    erasure.hold(db, number, date(2027, 1, 1), by="ani", reason="perkara berjalan")
    done = erase(db, evidence, "Zqvor Rekaan")
    assert (len(done.records), len(done.quarantined)) == (1, 1)
    assert (done.evidence, done.shared) == ([photo, scan], [shared, foreign, waiting])
    assert done.kept_evidence == [bytes(32).hex()], "a held delivery came from it"
    assert not (evidence / photo[:2] / photo[2:]).exists()
    assert (evidence / shared[:2] / shared[2:]).exists()
    erased = db.execute("select encode(sha256, 'hex') from ops.erased_evidence").fetchall()
    assert {digest for (digest,) in erased} == {photo, scan}, "what backups delete"


def _with(row: Delivery, **more: Any) -> Delivery:
    return row._replace(fields={**row.fields, **more})


def _record_id(db: psycopg.Connection, source_id: str) -> int:
    row = db.execute(
        "select record_id from raw.record where source_id = %s", (source_id,)
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_every_file_that_repeats_a_row_goes_with_it(
    db: psycopg.Connection, database_url: str, evidence: Path
) -> None:
    """A register of each week holds the rows of the weeks before."""
    second, third, other = (bytes([number]) * 32 for number in (1, 2, 3))
    row = delivery(1, "Sari Rekaan", "0812-0000-1111", second)
    unreadable = Unreadable("unreadable_date", "x", {"a": "Sari Rekaan, 0812"}, AT, third)
    with psycopg.connect(database_url) as owner:
        landing = Landing(owner, channel(BOOK), VAULT, "uji")
        landing.land([row, delivery(7, "Rina Uji", "0813-0000-7777", second)])
        landing.land([row._replace(evidence=third, is_outdated=True), unreadable])
        landing.land([delivery(3, "Tono Uji", "0812-0000-3333", other)])
        landing.land([delivery(3, "Tono Uji", "0812-0000-3333", bytes.fromhex(FILES[1]))])
    assert db.execute("select count(*) from ops.repeated_delivery").fetchone() == (3,), (
        "the file that a row says is not noted"
    )
    done = erase(db, evidence, "Sari Rekaan")
    assert done.evidence == sorted([second.hex(), third.hex(), *FILES[:2]])
    assert erase(db, evidence, "Tono Uji").evidence == [other.hex(), FILES[1]]


def test_nothing_is_erased_while_a_pull_runs(
    db: psycopg.Connection, database_url: str, evidence: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "PULL_WAIT", "1ms")
    before = private(db)
    with database.session(role_url(database_url, "loader")) as pull:
        run.lock(pull, "buku")
        with pytest.raises(ServiceError, match="a pull, an upload or a build is running") as error:
            erase(db, evidence, "Sari Rekaan")
        pull.execute("select pg_advisory_unlock_all()")  # closing alone frees it a moment later
    assert "channel buku" in str(error.value)
    assert private(db) == before
    assert erase(db, evidence, "Sari Rekaan").records
    with database.session(role_url(database_url, "loader")) as pull:
        run.lock(pull, "buku")  # it is given back


def test_nothing_is_erased_while_records_are_stored_by_new_rules(
    db: psycopg.Connection, database_url: str, evidence: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "PULL_WAIT", "1ms")
    before = private(db)
    with psycopg.connect(database_url) as build:  # as `landed.renew`
        build.execute("select pg_advisory_lock(hashtext('lumbung.pseudonyms'))")
        with pytest.raises(ServiceError, match="a build is running"):
            erase(db, evidence, "Sari Rekaan")
        build.execute("select pg_advisory_unlock_all()")  # closing alone frees it a moment later
    assert private(db) == before
    assert erase(db, evidence, "Sari Rekaan").records


def test_an_erasure_that_could_not_delete_a_file_is_completed_by_the_next_one(
    db: psycopg.Connection, evidence: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise ServiceError("x", where="s3://bukti", remediation="x")

    with monkeypatch.context() as patch:
        patch.setattr(Evidence, "erase", refused)
        with pytest.raises(ServiceError, match="s3://bukti"):
            erase(db, evidence, "+62 812-0000-1111")
    assert len([path for path in evidence.rglob("*") if path.is_file()]) == len(FILES)
    with pytest.raises(ConfigurationError, match="nothing is held"):
        erase(db, evidence, "+62 812-0000-1111")
    assert [path.name for path in evidence.rglob("*") if path.is_file()] == [FILES[1][2:]]


def test_destroyed_keys_are_in_no_file_of_the_server(
    db: psycopg.Connection, database_url: str, evidence: Path
) -> None:
    with psycopg.connect(database_url) as owner:
        keys = [
            bytes(wrapped)
            for (wrapped,) in owner.execute(
                "select wrapped from vault.data_key"
                " union all select wrapped from vault.evidence_key where sha256 = any(%s)",
                ([bytes.fromhex(FILES[0]), bytes.fromhex(FILES[2])],),
            )
        ]
        ((data, database_id),) = owner.execute(
            "select current_setting('data_directory'), oid from pg_database"
            " where datname = current_database()"
        ).fetchall()
        # The keys are in the tables' files then: in the log, a page may begin within one.
        owner.execute("checkpoint")
    folders = [Path(data) / "pg_wal", Path(data) / "base" / str(database_id)]

    def found() -> int:
        files = [file.read_bytes() for each in folders for file in each.iterdir() if file.is_file()]
        return sum(any(key in file for file in files) for key in keys)

    assert (len(keys), found()) == (4, 4)
    erase(db, evidence, "+62 812-0000-1111")
    assert found() == 0


def test_the_audit_log_has_the_proof_of_the_second_person(
    db: psycopg.Connection, database_url: str, evidence: Path
) -> None:
    erasure.erase(
        db, VAULT, "Tono Uji", SUBJECTS, evidence=evidence_store(evidence), today=TODAY,
        consent=(7, 59_000_000, "ab" * 32), **WHO,
    )  # fmt: skip
    with psycopg.connect(database_url) as owner:
        line = owner.execute(
            "select line::jsonb from ops.audit_log order by entry_id desc limit 1"
        ).fetchone()
    assert line is not None
    assert (line[0]["event"], line[0]["is_proved"]) == ("ops.erasure", True)
    assert line[0]["content"].items() >= {
        "consented_by": "ketua", "enrolment_id": 7, "totp_step": 59_000_000, "seal": "ab" * 32,
    }.items()  # fmt: skip


def test_what_is_older_than_its_retention_is_destroyed(
    db: psycopg.Connection, evidence: Path, database_url: str
) -> None:
    def expire(kind: str, before: date) -> int:
        done = erasure.expire(
            db, VAULT, kind, before, {"buku": "IA"}, evidence=evidence_store(evidence),
            today=TODAY, **WHO,
        )  # fmt: skip
        assert done.undecided == []
        return len(done.records)

    newest = delivery(8, "Rina Uji", "0813", bytes(32))._replace(
        received_at=datetime(2026, 11, 20, tzinfo=UTC)
    )
    repeated = delivery(4, "Sari R.", "+62 812 0000 1111", bytes(32))
    with psycopg.connect(database_url) as owner:
        Landing(owner, channel(BOOK), VAULT, "uji").land([newest, repeated])
    erasure.hold(db, _record_id(db, "3"), date(2027, 1, 1), by="ani", reason="perkara berjalan")
    assert expire("IA", date(2024, 11, 6)) == 0
    with pytest.raises(ConfigurationError, match="no channel has records of the kind TM alone"):
        expire("TM", date(2024, 11, 7))
    assert expire("IA", date(2024, 11, 7)) == 3
    assert [each for each, found in private(db).items() if found] == ["3", "8"]
    gone = db.execute("select encode(sha256, 'hex') from ops.erased_evidence order by 1").fetchall()
    assert gone == [(bytes(32).hex(),), (FILES[0],), (FILES[2],)], "the newest file repeats row 4"


def test_of_rows_that_say_their_own_kind_nothing_expires_in_silence(
    db: psycopg.Connection, evidence: Path
) -> None:
    before = private(db)

    def expire(kind: str, day: int) -> list[str]:
        done = erasure.expire(
            db, VAULT, kind, date(2024, 11, day), {"obrolan": "IA"},
            evidence=evidence_store(evidence), today=TODAY, **WHO,
        )  # fmt: skip
        return done.undecided

    with pytest.raises(ConfigurationError, match="rows of buku have kinds of their own"):
        expire("LP", 7)
    assert (expire("IA", 7), expire("IA", 6)) == (["buku"], [])
    assert private(db) == before


def test_rows_that_say_their_own_kind_expire_by_the_name_of_their_channel(
    db: psycopg.Connection, database_url: str, evidence: Path
) -> None:
    with psycopg.connect(database_url) as owner:
        others = channel({**BOOK, "name": "lain"})
        Landing(owner, others, VAULT, "uji").land([delivery(1, "Sari", "0812", bytes(32))])

    def expire(day: int) -> erasure.Erased:
        return erasure.expire(
            db, VAULT, "buku", date(2024, 11, day), {"lain": "IA"},
            evidence=evidence_store(evidence), today=TODAY, **WHO,
        )  # fmt: skip

    erasure.hold(db, _record_id(db, "3"), date(2027, 1, 1), by="ani", reason="perkara berjalan")
    assert expire(6) == erasure.Erased()
    done = expire(7)
    assert (len(done.records), done.undecided) == (3, [])
    left = db.execute(
        "select channel, source_id from raw.record inner join vault.identity using (record_id)"
        " order by 1"
    ).fetchall()
    assert left == [("buku", "3"), ("lain", "1")], "one is under legal hold"


def test_a_new_vault_key_opens_everything_and_the_old_one_nothing(
    db: psycopg.Connection, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LUMBUNG_VAULT_KEY", raising=False)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "vault.key").write_bytes(base64.b64encode(bytes(range(32))))
    before = private(db)
    # as an earlier version sealed it: nonce || ciphertext || tag
    legacy = VAULT._cipher.encrypt(bytes(12), b'{"Pelapor":"Lama"}', associate("buku", "3"))
    db.execute(
        "update vault.identity set ciphertext = %s where record_id ="
        " (select record_id from raw.record where source_id = '3')",
        (bytes(12) + legacy,),
    )
    before["3"] = {"Pelapor": "Lama"}
    erase(db, tmp_path, "0812 0000 2222")  # keys of single deliveries
    before["2"] = {}
    vault = erasure.add_vault_key(tmp_path)
    db.execute(
        "insert into ops.drift_notice (channel, field, notice, first_batch_id, sealed_label)"
        " values ('buku', '~a', 'appeared', 1, %s)",
        (seal_label(VAULT, "buku", "Zqvor"),),
    )
    # keys of delivery 1, of the second chunk and of two files, the older ciphertext, a label
    assert erasure.use_newest_key(db, vault) == 6
    assert erasure.use_newest_key(db, vault) == 0
    assert private(db, vault) == before
    with pytest.raises(LumbungError):
        private(db, VAULT)
    assert Vault.load(tmp_path).fingerprint == VAULT.fingerprint
    # a pull that began before goes on with the key that it knows
    with psycopg.connect(database_url) as owner:
        late = delivery(5, "Rina Uji", "0813", bytes(32))
        Landing(owner, channel(BOOK), VAULT, "uji").land([late])
    assert private(db, vault)["5"]["Pelapor"] == "Rina Uji"
    assert erasure.use_newest_key(db, vault) == 1


def test_a_backup_has_the_data_keys_among_its_keys(
    db: psycopg.Connection, database_url: str
) -> None:
    before = private(db)
    content = dump.data_keys(db)
    db.execute("delete from vault.data_key")
    db.execute("delete from vault.evidence_key")
    with pytest.raises(LumbungError):
        private(db)
    with psycopg.connect(database_url) as owner:
        dump.load_data_keys(owner, content)
    assert private(db) == before
