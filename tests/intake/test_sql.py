"""Databases: PostgreSQL, MariaDB and SQLite files, read whole and in part, changed and deleted."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pymysql
import pytest
from psycopg.conninfo import conninfo_to_dict
from upath import UPath

from lumbung.errors import ConfigurationError, SourceError
from lumbung.intake.channel import scaffold
from lumbung.intake.channel.load import load_channels, read_channels
from lumbung.intake.connectors.base import Item, Source, SourceConnection
from lumbung.intake.connectors.sql import reader
from lumbung.intake.landing import IntakeCounts
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.settings import JAKARTA, Settings
from tests.support.api_server import deliveries, last_checkpoint, refusals
from tests.support.channel_samples import OWNER, channel
from tests.support.evidence import content_of, evidence_store

REPORTS: dict[str, Any] = {
    "name": "basis_contoh",
    "title": "Basis data contoh",
    "owner": OWNER,
    "connection": "basis",
    "schedule": "0 5 * * *",
    "record_kind": "IA",
    "source": {"kind": "sql", "table": "aduan"},
    "key": ["id"],
    "personal": ["pelapor"],
    "subject": ["pelapor"],
    "fields": {"received_date": {"from": "dibuat"}, "narrative": {"from": "uraian"}},
}
SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"
FIELDS = [each.name for each in fields(SourceConnection)]
TABLE = (
    "create table aduan (id int primary key, dibuat date, diubah timestamp null default null,"
    " uraian text, pelapor varchar(100), nilai decimal(10, 2))"
)


class Database(NamedTuple):
    """A server's database: how the connector reaches it, and how a test changes it."""

    connection: SourceConnection
    run: Callable[[str], None]

    def insert(self, number: int, changed: str | None, story: str = "cerita") -> None:
        reported = "null" if changed is None else f"'{changed}'"
        self.run(
            f"insert into aduan values ({number}, '2024-11-06', {reported}, '{story}', 'Warga',"
            " 1.50)"
        )


@pytest.fixture(scope="module")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a MariaDB of Debian's package."""
    program = shutil.which("mariadbd")
    if not program:
        message = "MariaDB is not installed (Debian: apt-get install mariadb-server-core)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    home = tmp_path_factory.mktemp("mariadb")
    (home / "data").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    started = subprocess.Popen(
        [
            *(program, "--no-defaults", "--skip-grant-tables", f"--datadir={home / 'data'}"),
            *(f"--port={port}", "--bind-address=127.0.0.1", f"--socket={home / 'sock'}"),
            *(f"--pid-file={home / 'pid'}", *(["--user=root"] if os.getuid() == 0 else [])),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(started, port)
        yield port
    finally:
        started.terminate()
        started.wait(60)


def _wait(started: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + 120
    while True:
        try:
            pymysql.connect(host="127.0.0.1", port=port, user="root").close()
            return
        except pymysql.err.OperationalError:
            if started.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.2)


def _postgres(server: EmbeddedPostgres) -> Database:
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute("drop database if exists basis_contoh with (force)")
        admin.execute("create database basis_contoh")
    url = server.url("basis_contoh")
    given = conninfo_to_dict(url)

    def run(statement: str) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement.encode())

    return Database(
        SourceConnection(
            host=str(given["host"]),
            port=int(str(given["port"])),
            schema="basis_contoh",
            login=str(given["user"]),
            password=str(given["password"]),
            conn_type="postgres",
        ),
        run,
    )


def _mariadb(port: int) -> Database:
    def run(statement: str, database: str | None = "basis_contoh") -> None:
        with (
            closing(
                pymysql.connect(
                    host="127.0.0.1", port=port, user="root", database=database, autocommit=True
                )
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)

    run("drop database if exists basis_contoh", None)
    run("create database basis_contoh character set utf8mb4", None)
    connection = SourceConnection(
        host="127.0.0.1", port=port, schema="basis_contoh", login="root", conn_type="mysql"
    )
    return Database(connection, run)


@pytest.fixture(params=["postgres", "mariadb"])
def database(request: pytest.FixtureRequest) -> Database:
    if request.param == "postgres":
        made = _postgres(request.getfixturevalue("server"))
    else:
        made = _mariadb(request.getfixturevalue("mariadb"))
    made.run(TABLE)
    return made


def pull(
    tmp_path: Path,
    connection: SourceConnection | None,
    cursor: dict[str, Any] | None = None,
    *,
    model: dict[str, Any] | None = None,
    cursor_column: str | None = None,
    **source: Any,
) -> list[Item]:
    changed = {**REPORTS, **(model or {})}
    changed["source"] = {**changed["source"], "cursor": cursor_column, **source}
    changed["source"] = {name: each for name, each in changed["source"].items() if each is not None}
    inbox = tmp_path / "inbox"
    inbox.mkdir(exist_ok=True)
    given = Source(
        *(channel(changed), UPath(inbox), connection, evidence_store(tmp_path / "evidence")),
        *(lambda each: each[:16], cursor or {}),
    )
    return list(reader.read(given))


def ids(items: list[Item]) -> list[str]:
    return [each.source_id for each in deliveries(items)]


# -- servers ---------------------------------------------------------------------------------------


def test_every_row_comes_with_its_values_as_json(tmp_path: Path, database: Database) -> None:
    database.insert(2, "2024-11-06 10:15:30", "dua: 50% – 100 €")
    database.insert(1, None)
    items = pull(tmp_path, database.connection)
    first, second = deliveries(items)
    assert (first.source_id, second.source_id) == ("1", "2")
    assert "diubah" not in first.fields
    assert second.fields == {
        "id": 2,
        "dibuat": "2024-11-06",
        "diubah": "2024-11-06T10:15:30",
        "uraian": "dua: 50% – 100 €",
        "pelapor": "Warga",
        "nilai": "1.50",
    }
    assert first.labels == ("id", "dibuat", "diubah", "uraian", "pelapor", "nilai")
    assert first.evidence == second.evidence
    assert first.evidence is not None
    kept = content_of(evidence_store(tmp_path / "evidence"), first.evidence)
    assert b'"uraian":"cerita"' in kept
    assert last_checkpoint(items)[:2] == ({}, "")


def test_a_query_may_hold_colons_percents_and_a_semicolon(
    tmp_path: Path, database: Database
) -> None:
    for number in (1, 2):
        database.insert(number, "2024-11-06 10:15:30", f"waktu :jam {number}0%")
    query = "select id as nomor, uraian from aduan where uraian like '%:jam 2%' ;\n"
    (found,) = deliveries(
        pull(tmp_path, database.connection, model={"key": ["NOMOR"]}, table=None, query=query)
    )
    assert (found.source_id, found.fields["uraian"]) == ("2", "waktu :jam 20%")


def test_a_pull_reads_what_changed_and_what_has_no_time(tmp_path: Path, database: Database) -> None:
    database.insert(1, "2024-11-06 08:00:00")
    database.insert(2, "2024-11-06 09:30:00")
    database.insert(3, "2024-11-06 10:00:00")
    items = pull(tmp_path, database.connection, cursor_column="diubah")
    assert ids(items) == ["1", "2", "3"]
    mark = last_checkpoint(items)
    assert mark.complete == ""
    database.insert(4, None)
    database.insert(5, "2024-11-06 11:00:00")
    later = pull(tmp_path, database.connection, mark.cursor, cursor_column="diubah")
    assert ids(later) == ["2", "3", "4", "5"], "an hour of overlap"
    assert last_checkpoint(later).complete is None
    narrow = last_checkpoint(later).cursor
    again = pull(tmp_path, database.connection, narrow, cursor_column="diubah", overlap="1 minute")
    assert ids(again) == ["4", "5"]


def test_numbers_may_grow_instead_of_times(tmp_path: Path, database: Database) -> None:
    for number in (1, 2, 3):
        database.insert(number, None)
    mark = last_checkpoint(pull(tmp_path, database.connection, cursor_column="id"))
    assert mark.cursor["since"]["value"] == 3
    found = pull(tmp_path, database.connection, mark.cursor, cursor_column="id", overlap=1)
    assert ids(found) == ["2", "3"]
    found = pull(tmp_path, database.connection, mark.cursor, cursor_column="id")
    assert ids(found) == ["1", "2", "3"], "1000 of overlap"


def test_a_time_in_the_future_hides_nothing(tmp_path: Path, database: Database) -> None:
    database.insert(1, "2037-01-01 00:00:00")
    mark = last_checkpoint(pull(tmp_path, database.connection, cursor_column="diubah"))
    stored = datetime.fromisoformat(mark.cursor["since"]["value"])
    assert stored.replace(tzinfo=JAKARTA) <= datetime.now(JAKARTA)
    database.insert(2, f"{datetime.now(UTC) + timedelta(hours=8):%Y-%m-%d %H:%M:%S}")
    found = pull(tmp_path, database.connection, mark.cursor, cursor_column="diubah")
    assert ids(found) == ["1", "2"]


NOW = datetime(2024, 11, 6, 18, 30, tzinfo=UTC)  # the 7th in Jakarta


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (date(2037, 1, 1), "2024-11-07"),
        (date(2024, 11, 7), "2024-11-07"),
        (datetime(2037, 1, 1), "2024-11-07T01:30:00"),  # noqa: DTZ001
        (datetime(2037, 1, 1, tzinfo=UTC), "2024-11-06T18:30:00+00:00"),
        (datetime(2024, 11, 7, 1), "2024-11-07T01:00:00"),  # noqa: DTZ001
        ("2037-01-01", "2024-11-07"),
        ("2037-01-01 00:00:00", "2024-11-07 01:30:00"),
        ("2037-01-01T00:00:00+07:00", "2024-11-07T01:30:00+07:00"),
        ("2024-11-06T18:00:00Z", "2024-11-06T18:00:00Z"),
        (7, 7),
    ],
)
def test_a_value_in_the_future_is_stored_as_the_present(
    tmp_path: Path, value: object, stored: object
) -> None:
    evidence = evidence_store(tmp_path / "evidence")
    source = Source(channel(REPORTS), UPath(tmp_path), None, evidence, lambda each: each, {})
    greatest = reader._Greatest({})
    greatest.note(value, "uji")
    assert greatest.kept(source, NOW)["value"] == stored


def test_all_rows_are_read_when_it_is_time_or_the_cursor_is_another(
    tmp_path: Path, database: Database
) -> None:
    database.insert(1, "2024-11-06 08:00:00")
    database.insert(2, "2024-11-06 18:00:00")
    mark = last_checkpoint(pull(tmp_path, database.connection, cursor_column="diubah"))
    in_part = pull(tmp_path, database.connection, mark.cursor, cursor_column="diubah")
    assert ids(in_part) == ["2"]
    eight_days_ago = datetime.now(UTC) - timedelta(days=8)
    due = {**mark.cursor, "full_at": eight_days_ago.isoformat()}
    whole = pull(tmp_path, database.connection, due, cursor_column="diubah")
    assert (ids(whole), last_checkpoint(whole).complete) == (["1", "2"], "")
    other = pull(tmp_path, database.connection, mark.cursor, cursor_column="id")
    assert (ids(other), last_checkpoint(other).complete) == (["1", "2"], "")


def test_deleted_rows_are_withdrawn_and_changed_ones_are_new_versions(
    pull_from: Callable[..., IntakeCounts],
    add_channel: Callable[..., Path],
    db: psycopg.Connection,
    database: Database,
) -> None:
    add_channel(REPORTS, source={**REPORTS["source"], "cursor": "diubah", "full_every": "1 hour"})
    for number in range(5):
        database.insert(number, "2024-11-06 08:00:00")
    assert pull_from("basis_contoh", database.connection).landed == 5
    database.run("delete from aduan where id = 4")
    database.run("update aduan set uraian = 'lain', diubah = '2024-11-06 09:00:00' where id = 0")
    counts = pull_from("basis_contoh", database.connection)
    assert (counts.landed, counts.tombstones) == (1, 0), "read in part"
    db.execute(
        "update ops.channel_cursor set cursor ="
        " jsonb_set(cursor, '{full_at}', '\"2024-11-06T00:00:00+00:00\"')"
    )
    counts = pull_from("basis_contoh", database.connection)
    assert (counts.landed, counts.tombstones) == (0, 1)
    rows = db.execute(
        "select source_id, payload ? 'pelapor', is_tombstone from raw.record order by record_id"
    ).fetchall()
    assert rows[-1] == ("4", False, True)
    assert not any(is_open for _, is_open, _ in rows), "the reporter is in the vault"


def test_rows_without_a_key_or_with_the_key_of_another_are_quarantined(
    tmp_path: Path, database: Database
) -> None:
    for number, story in ((1, "a"), (2, "a"), (3, "b")):
        database.insert(number, None, story)
    database.run("update aduan set uraian = null where id = 3")
    items = pull(tmp_path, database.connection, model={"key": ["uraian"]})
    assert ids(items) == ["a"]
    assert sorted((each.reason_code, each.source_id) for each in refusals(items)) == [
        ("key_repeated", "a"),
        ("required_field_missing", None),
    ]
    several = pull(tmp_path, database.connection, model={"key": ["pelapor", "id"]})
    assert ids(several) == ['["Warga","1"]', '["Warga","2"]', '["Warga","3"]']


def test_an_empty_required_field_is_quarantined_under_its_id(
    tmp_path: Path, database: Database
) -> None:
    database.insert(1, None, "  ")
    mapped = {**REPORTS["fields"], "narrative": {"from": "URAIAN", "required": True}}
    (refused,) = refusals(pull(tmp_path, database.connection, model={"fields": mapped}))
    assert (refused.reason_code, refused.source_id) == ("required_field_missing", "1")


@pytest.mark.parametrize(
    ("source", "model", "reported"),
    [
        ({"table": "tidak_ada"}, {}, "cannot be read"),
        ({"table": None, "query": "delete from aduan"}, {}, "cannot be read"),
        ({}, {"key": ["nomor"]}, "no column 'nomor'; there are id, dibuat"),
        ({"cursor_column": "berubah"}, {}, "no column 'berubah'"),
        ({"cursor_column": "uraian"}, {}, "neither times, nor dates, nor whole numbers"),
    ],
)
def test_a_wrong_channel_file_fails_with_what_to_correct(
    tmp_path: Path, database: Database, source: dict[str, Any], model: dict[str, Any], reported: str
) -> None:
    database.insert(1, None)
    with pytest.raises(SourceError, match=reported):
        pull(tmp_path, database.connection, model=model, **source)


def test_an_overlap_that_does_not_fit_the_column_fails(tmp_path: Path, database: Database) -> None:
    database.insert(1, "2024-11-06 08:00:00")
    mark = last_checkpoint(pull(tmp_path, database.connection, cursor_column="diubah"))
    with pytest.raises(SourceError, match="overlap do not fit"):
        pull(tmp_path, database.connection, mark.cursor, cursor_column="diubah", overlap=5)


def test_nothing_is_written_to_the_database(tmp_path: Path, server: EmbeddedPostgres) -> None:
    made = _postgres(server)
    made.run(TABLE)
    made.run(
        "create function jejak() returns int language sql as"
        " 'insert into aduan (id) values (99) returning id'"
    )
    with pytest.raises(SourceError, match="ReadOnlySqlTransaction 25006"):
        pull(tmp_path, made.connection, table=None, query="select jejak() as id")


def test_a_value_that_a_query_cannot_cast_is_not_in_the_error(
    tmp_path: Path, server: EmbeddedPostgres
) -> None:
    made = _postgres(server)
    made.run(TABLE)
    made.insert(1, None, "Zqvor 0812-7777-0001")
    with pytest.raises(SourceError, match="InvalidTextRepresentation 22P02") as caught:
        pull(tmp_path, made.connection, table=None, query="select id, uraian::int from aduan")
    assert "Zqvor" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "changes",
    [{"port": 1}, {"schema": "tidak_ada"}, {"conn_type": "tidak_dikenal"}, {"conn_type": None}],
)
def test_a_server_that_does_not_answer_fails_without_its_password(
    tmp_path: Path, server: EmbeddedPostgres, changes: dict[str, Any]
) -> None:
    given = _postgres(server).connection
    values = {name: getattr(given, name) for name in FIELDS}
    with pytest.raises(SourceError) as caught:
        pull(tmp_path, SourceConnection(**{**values, **changes}))
    assert given.password is not None
    assert given.password not in str(caught.value)


@pytest.mark.parametrize(
    ("database", "slow"),
    [("postgres", "pg_sleep(30)"), ("mariadb", "sleep(30)")],
    indirect=["database"],
)
def test_a_query_that_does_not_end_fails(
    tmp_path: Path, database: Database, slow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.insert(1, None)
    monkeypatch.setattr(reader, "MAX_SECONDS", 1)
    query = f"select id, uraian, {slow} as tidur from aduan"
    with pytest.raises(SourceError, match=r"cannot be read: .*(57014|2013)"):
        pull(tmp_path, database.connection, table=None, query=query)


def test_an_option_that_the_driver_does_not_know_fails(tmp_path: Path, database: Database) -> None:
    values = {name: getattr(database.connection, name) for name in FIELDS}
    with pytest.raises(SourceError, match="tidak_dikenal"):
        pull(tmp_path, SourceConnection(**{**values, "extra": {"tidak_dikenal": 1}}))


def test_types_that_json_does_not_have_become_text_or_evidence(
    tmp_path: Path, server: EmbeddedPostgres
) -> None:
    made = _postgres(server)
    query = (
        "select 1 as id, 9223372036854775808::numeric as besar, true as ya, '12:30'::time as jam,"
        " '2024-11-06 10:00+07'::timestamptz as saat, decode('00ff', 'hex') as kode,"
        " decode(repeat('41', 65), 'hex') as berkas, '{\"a\": [1, null]}'::jsonb as isi,"
        " 'nan'::float8 as bukan, array['x', 'y'] as daftar"
    )
    (found,) = deliveries(pull(tmp_path, made.connection, table=None, query=query))
    values = dict(found.fields)
    document = values.pop("berkas")
    assert document["size"] == 65
    kept = content_of(evidence_store(tmp_path / "evidence"), bytes.fromhex(document["sha256"]))
    assert kept == b"A" * 65
    assert datetime.fromisoformat(values.pop("saat")) == datetime(2024, 11, 6, 3, tzinfo=UTC)
    assert values == {
        "id": 1,
        "besar": "9223372036854775808",
        "ya": True,
        "jam": "12:30:00",
        "kode": "00ff",
        "isi": {"a": [1, None]},
        "bukan": "nan",
        "daftar": ["x", "y"],
    }


# -- SQLite files ----------------------------------------------------------------------------------


def sqlite_file(path: Path, *rows: tuple[Any, ...], table: str = "aduan") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as made:
        made.execute(
            f"create table {table} (id integer primary key, dibuat text, uraian text, pelapor text)"
        )
        made.executemany(f"insert into {table} values (?, ?, ?, ?)", rows)
        made.commit()
    return path


ROWS = [(number, "2024-11-06", f"cerita {number}", "Warga") for number in range(5)]


def test_a_file_is_a_listing_of_its_own(tmp_path: Path) -> None:
    sqlite_file(tmp_path / "inbox" / "aduan.db", *ROWS[:2])
    items = pull(tmp_path, None)
    first, second = deliveries(items)
    assert (first.source_id, first.file, first.locator) == (
        "0",
        "aduan.db",
        "aduan.db | baris 1",
    )
    assert second.fields == {
        "id": 1,
        "dibuat": "2024-11-06",
        "uraian": "cerita 1",
        "pelapor": "Warga",
    }
    assert first.received_at <= datetime.now(UTC)
    mark = last_checkpoint(items)
    assert mark.complete is not None
    assert mark.complete.startswith("aduan.db")
    (again, _) = deliveries(pull(tmp_path, None, mark.cursor))
    assert again.is_repeat


def test_no_copy_in_clear_has_a_name_while_rows_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    sqlite_file(tmp_path / "inbox" / "aduan.db", *ROWS)
    made = reader._Relation.of
    found: list[Path] = []

    def watched(*given: Any) -> Any:
        found.extend(path for path in (tmp_path / "tmp").rglob("*") if path.is_file())
        return made(*given)

    monkeypatch.setattr(reader._Relation, "of", watched)
    assert len(deliveries(pull(tmp_path, None))) == len(ROWS)
    assert found == []


def test_files_that_cannot_be_read_are_quarantined_and_withdraw_nothing(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    sqlite_file(inbox / "baik.db", ROWS[0])
    whole = sqlite_file(tmp_path / "utuh.db", *ROWS).read_bytes()
    (inbox / "bukan.db").write_bytes(b"id;uraian\n1;x\n")
    (inbox / "rusak.db").write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    sqlite_file(inbox / "lain.db", ROWS[0], table="lain")
    items = pull(tmp_path, None)
    assert ids(items) == ["0"]
    assert {each.locator: each.reason_code for each in refusals(items)} == {
        "bukan.db": "unreadable_file",
        "rusak.db": "unreadable_file",
        "lain.db": "unreadable_file",
    }
    assert all(each.is_part for each in refusals(items))
    (unknown,) = refusals(pull(tmp_path, None, model={"key": ["nomor"]}, files="baik.db"))
    assert unknown.reason_code == "header_not_found"


@pytest.mark.parametrize(
    "view",
    [
        "select regexp('a', 'a') as id",
        "with recursive n(id) as (select 1 union all select id + 1 from n) select id from n",
        # a gigabyte, or hours, in one instruction
        "select 1 as id, zeroblob(1000000000) as isi",
        "select 1 as id, isi from (select printf('%1000000000s', 'x') as isi)",
        "with c(id) as (select length(hex(zeroblob(1000000000)))) select id from c",
        f"select 1 as id where printf('%.3000c', 'a') like '{'%a' * 40}%b'",
        "with recursive n(id, isi) as (select 1, 'x' union all select id + 1, isi || isi from n)"
        " select id, isi from n",
    ],
    ids=["function", "endless", "blob", "text", "within", "pattern", "doubled"],
)
def test_a_view_that_calls_functions_or_never_ends_is_quarantined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    monkeypatch.setattr(reader, "MAX_STEPS", 5)
    path = sqlite_file(tmp_path / "inbox" / "jebakan.db", ROWS[0])
    with closing(sqlite3.connect(path)) as made:
        made.execute(f"create view jebakan as {view}")
        made.commit()
    items = pull(tmp_path, None, table="jebakan")
    (refused,) = refusals(items)
    assert refused.reason_code == "unreadable_file"
    assert len(ids(items)) < 100


def test_a_column_that_is_computed_when_it_is_read_is_quarantined(tmp_path: Path) -> None:
    path = sqlite_file(tmp_path / "inbox" / "jebakan.db", ROWS[0])
    with closing(sqlite3.connect(path)) as made:
        made.execute("create table jebakan (id, isi as (id like '%a%a%a%b') virtual)")
        made.commit()
    (refused,) = refusals(pull(tmp_path, None))
    assert refused.reason_code == "unreadable_file"


def test_a_view_may_compute_dates_and_a_query_of_the_channel_anything(tmp_path: Path) -> None:
    path = sqlite_file(tmp_path / "inbox" / "baik.db", ROWS[0], ROWS[1])
    with closing(sqlite3.connect(path)) as made:
        made.execute(
            "create view lihat as select id, date('2024-11-06', '+1 day') as hari from aduan"
        )
        made.commit()
    items = deliveries(pull(tmp_path, None, table="lihat"))
    assert [each.fields["hari"] for each in items] == ["2024-11-07"] * 2
    query = "with pilih as (select id, printf('%05d', id) as kode from aduan) select * from pilih"
    items = deliveries(pull(tmp_path, None, table=None, query=query))
    assert [each.fields["kode"] for each in items] == ["00000", "00001"]


def test_rows_of_files_are_landed_changed_and_withdrawn(
    pull_from: Callable[..., IntakeCounts], add_channel: Callable[..., Path]
) -> None:
    inbox = add_channel({**REPORTS, "connection": None})
    path = sqlite_file(inbox / "aduan.db", *ROWS)
    os.utime(path, (1_700_000_000,) * 2)
    assert pull_from("basis_contoh").landed == 5
    path = sqlite_file(inbox / "aduan.db", (0, "2024-11-06", "lain", "Warga"), *ROWS[1:4])
    os.utime(path, (1_700_000_100,) * 2)
    counts = pull_from("basis_contoh")
    assert (counts.landed, counts.tombstones) == (1, 0)
    path = sqlite_file(inbox / "aduan.db", (0, "2024-11-06", "lagi", "Warga"), *ROWS[1:4])
    os.utime(path, (1_700_000_200,) * 2)
    counts = pull_from("basis_contoh")
    assert (counts.landed, counts.tombstones) == (1, 1), "a second file misses it too"


# -- channel files ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "reported"),
    [
        ("kind: sql", "source: needs a table or a query"),
        ("kind: sql\n  table: a\n  query: select 1", "source: needs a table or a query"),
        ("kind: sql\n  table: a\n  overlap: 5", "source.overlap: has no cursor column"),
        ("kind: sql\n  table: a\n  cursor: b\n  overlap: lama", "source.overlap"),
    ],
)
def test_options_that_contradict_are_reported(tmp_path: Path, options: str, reported: str) -> None:
    (tmp_path / "basis.yaml").write_text(
        "title: x\nowner: {name: x, email: a@contoh.example.id}\nschedule: '0 5 * * *'\n"
        f"source:\n  {options}\nkey: id\nfields: {{narrative: {{from: x}}}}\n"
    )
    _, mistakes = read_channels(tmp_path)
    assert any(reported in each for each in mistakes["basis"])


def test_add_proposes_a_table_and_a_key(tmp_path: Path, settings: Settings) -> None:
    path = sqlite_file(tmp_path / "aduan.db", *ROWS)
    with closing(sqlite3.connect(path)) as made:
        made.execute("create table pengaturan (nama text, isi text)")
        made.commit()
    scaffold.write(settings.channels, SEEDS, "sql", "basis", str(path))
    (settings.channels / "ekspor.csv").write_text("nomor,uraian\n1,a\n2,b\n")
    scaffold.write(settings.channels, SEEDS, "sql", "server", str(settings.channels / "ekspor.csv"))
    found = load_channels(settings.channels)
    assert found["basis"].source.model_dump()["table"] == "aduan"
    assert found["basis"].key == ("id",)
    assert "pelapor" in found["basis"].personal
    assert found["server"].key == ("nomor",)
    assert "connection: basis_data" in (settings.channels / "server.yaml").read_text()


@pytest.mark.parametrize("content", [reader.SQLITE + b"\0" * 5_000, b"", b"\0\xff" * 100])
def test_add_refuses_what_it_cannot_read(
    tmp_path: Path, settings: Settings, content: bytes
) -> None:
    path = tmp_path / "rusak.db"
    path.write_bytes(content)
    with pytest.raises((SourceError, ConfigurationError)):
        scaffold.write(settings.channels, SEEDS, "sql", "basis", str(path))
    assert not (settings.channels / "basis.yaml").exists()
