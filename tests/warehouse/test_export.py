"""A table as a file: names beside codes, rows of the reader, nothing that is evaluated."""

from __future__ import annotations

import csv
import json
import zipfile
from datetime import date, datetime
from pathlib import Path

import psycopg
import pytest
from pyarrow import parquet
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner

from lumbung import audit, database
from lumbung.cli import app
from lumbung.errors import ConfigurationError
from lumbung.settings import JAKARTA
from lumbung.warehouse import users
from lumbung.warehouse.export import export
from lumbung.warehouse.roles import role_url
from tests.warehouse.conftest import query

FORMULAS = ["=1+1", "+62", "-1", "@x", "\tx", "\rx"]


@pytest.fixture
def url(database_url: str) -> str:
    """A migrated database with a fact and two dimensions of readers, made without dbt."""
    with psycopg.connect(database_url) as owner:
        owner.execute("select ops.make_regency_roles(array['19.01', '19.02'])")
        owner.execute("create table marts.dim_regency (regency_code text, regency_name text)")
        owner.execute("insert into marts.dim_regency values ('19.01', 'Bangka')")
        owner.execute("insert into marts.dim_regency values ('19.02', 'Belitung')")
        owner.execute(
            "create table marts.fct_report (report_id bigint primary key, regency_code text,"
            " issue_code text, received_date date, landed_at timestamptz, is_late boolean,"
            " share numeric, note text, tags text[], counts jsonb)"
        )
        for number, note in enumerate(['biasa, "kutip"', *FORMULAS]):
            owner.execute(
                "insert into marts.fct_report values (%s, '19.02', 'PU', '2024-11-05',"
                " '2024-11-05T20:00:00Z', true, -1.5, %s, '{a,=b}', '{\"a\": 2}')",
                (number, note),
            )
        owner.execute("insert into marts.fct_report (report_id, regency_code) values (9, '19.01')")
        owner.execute("insert into marts.fct_report (report_id) values (1234567890123456789)")
        for table in ("dim_regency", "fct_report"):
            owner.execute("select ops.open_to_readers(to_regclass(%s))", (f"marts.{table}",))
    return database_url


MOMENT = datetime.fromisoformat("2024-11-06T03:00:00")
"""In WIB: a spreadsheet knows no time zones."""

HEADS = ["report_id", "regency_code", "regency_name", "issue_code", "received_date", "landed_at",
         "is_late", "share", "note", "tags", "counts"]  # fmt: skip


def test_csv_has_names_and_evaluates_nothing(url: str, tmp_path: Path) -> None:
    path = tmp_path / "kasus.csv"
    assert export(role_url(url, "analyst_19_02"), "fct_report", path, by="ana") == 7
    entry = audit.entries(url)[0]
    assert (entry.event, entry.person, entry.login) == ("ops.export", "ana", "analyst_19_02")
    assert entry.content == {"table": "marts.fct_report", "row_count": 7}
    heads, *rows = csv.reader(path.open(encoding="utf-8", newline=""))
    assert heads == HEADS
    first = ["0", "19.02", "Belitung", "PU", "2024-11-05", "2024-11-06T03:00:00+07:00", "true",
             "-1.5", 'biasa, "kutip"', '["a", "=b"]', '{"a": 2}']  # fmt: skip
    assert rows[0] == first
    assert [row[8] for row in rows[1:]] == [f"'{text}" for text in FORMULAS]
    assert export(role_url(url, "analyst_province"), "marts.fct_report", path, bom=True) == 9
    assert path.read_bytes().startswith(b"\xef\xbb\xbfreport_id,")
    assert [file.name for file in tmp_path.iterdir()] == ["kasus.csv"]


def test_a_personal_login_writes_nothing_into_the_audit_log(url: str) -> None:
    """It could name anybody, and keep the log's lock."""
    before = audit.entries(url)
    with psycopg.connect(url) as session:
        session.execute("create role ana_rekaan login in role analyst_province")
        session.execute("set session authorization ana_rekaan")
        session.execute("select editions.record_export('ketua', '{\"table\": \"x\"}')")
        session.execute("reset session authorization")
        assert session.execute(
            "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"
        ).fetchone() == (0,)
        session.execute("drop role ana_rekaan")
    assert audit.entries(url) == before


def test_a_workbook_has_days_numbers_and_texts(url: str, tmp_path: Path) -> None:
    path = tmp_path / "kasus.xlsx"
    assert export(role_url(url, "analyst_province"), "fct_report", path) == 9
    heads, *rows = CalamineWorkbook.from_path(path).get_sheet_by_name("data").to_python()
    assert heads == HEADS
    assert rows[0] == [0, "19.02", "Belitung", "PU", date(2024, 11, 5),
                       MOMENT, True, -1.5, 'biasa, "kutip"',
                       '["a", "=b"]', '{"a": 2}']  # fmt: skip
    assert [row[8] for row in rows[1:5]] == FORMULAS[:4]
    assert rows[8][0] == "1234567890123456789", "a spreadsheet would round it"
    with zipfile.ZipFile(path) as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")


def test_parquet_has_types_and_codes_as_text(url: str, tmp_path: Path) -> None:
    path = tmp_path / "kasus.parquet"
    assert export(role_url(url, "analyst_province"), "fct_report", path) == 9
    table = parquet.read_table(path)
    assert table.column_names == HEADS
    assert {name: str(table.schema.field(name).type) for name in HEADS} == {
        "report_id": "int64",
        **dict.fromkeys(("regency_code", "regency_name", "issue_code", "note", "counts"), "string"),
        "received_date": "date32[day]",
        "landed_at": "timestamp[us, tz=Asia/Jakarta]",
        "is_late": "bool",
        "share": "double",
        "tags": "list<element: string>",
    }
    first, *_, last = table.to_pylist()
    assert first == {
        "report_id": 0, "regency_code": "19.02", "regency_name": "Belitung", "issue_code": "PU",
        "received_date": date(2024, 11, 5), "landed_at": MOMENT.replace(tzinfo=JAKARTA),
        "is_late": True, "share": -1.5, "note": 'biasa, "kutip"', "tags": ["a", "=b"],
        "counts": '{"a": 2}',
    }  # fmt: skip
    assert last["report_id"] == 1234567890123456789
    assert last["regency_code"] is None


def test_geojson_has_a_feature_per_row_with_its_regency(url: str, tmp_path: Path) -> None:
    path = tmp_path / "kasus.geojson"
    square = [[[[106, -2], [107, -2], [107, -1], [106, -2]]]]
    reader = role_url(url, "analyst_province")
    assert export(reader, "fct_report", path, polygons={"19.02": square}) == 9
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["type"] == "FeatureCollection"
    assert [each["type"] for each in content["features"]] == ["Feature"] * 9
    first, *_, last = content["features"]
    assert first["geometry"] == {"type": "MultiPolygon", "coordinates": square}
    assert first["properties"]["regency_code"] == "19.02"
    assert first["properties"]["received_date"] == "2024-11-05"
    assert first["properties"]["landed_at"] == "2024-11-06T03:00:00+07:00"
    assert first["properties"]["share"] == -1.5
    assert first["properties"]["counts"] == {"a": 2}
    assert last["geometry"] is None


def test_what_cannot_be_written_is_refused_and_leaves_the_file(url: str, tmp_path: Path) -> None:
    path = tmp_path / "kasus.xlsx"
    path.write_text("sebelumnya")
    reader = role_url(url, "analyst_19_02")
    with pytest.raises(ConfigurationError, match=r"no table 'lain'.*marts.dim_regency, marts.fct"):
        export(reader, "lain", path)
    with pytest.raises(ConfigurationError, match=r"no table 'raw\.record'"):
        export(reader, "raw.record", path)
    with pytest.raises(ConfigurationError, match=r"cannot be written as '.ods'"):
        export(reader, "fct_report", tmp_path / "kasus.ods")
    with pytest.raises(ConfigurationError, match="no folder"):
        export(reader, "fct_report", tmp_path / "tidak ada" / "kasus.csv")
    with pytest.raises(ConfigurationError, match=r"boundaries.*set boundary_file"):
        export(reader, "fct_report", tmp_path / "kasus.geojson")
    query(url, "update marts.fct_report set note = repeat('x', 32768) where report_id = 3")
    with pytest.raises(ConfigurationError, match=r"more than 32767 characters in note.*\.csv"):
        export(reader, "fct_report", path)
    assert path.read_text() == "sebelumnya"
    assert [file.name for file in tmp_path.iterdir()] == ["kasus.xlsx"]


def test_a_person_exports_her_own_table_with_her_login(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = users.add(url, "sari", "analyst", ["19.02"])
    try:
        sari = database.with_account(url, "sari", password)
        query(sari, "create table hitungan as select count(*) as banyak from marts.fct_report")
        monkeypatch.setenv("LUMBUNG_DATABASE_URL", sari)
        monkeypatch.setenv("LUMBUNG_HOME", str(tmp_path / "home"))
        path = tmp_path / "hitungan.csv"
        done = CliRunner().invoke(app, ["export", "sari.hitungan", str(path)])
        assert done.exit_code == 0, done.output
        assert path.read_text() == "banyak\n7\n"
        monkeypatch.setenv("LUMBUNG_DATABASE_URL", url)
        role = ["--role", "analyst_19_02"]
        done = CliRunner().invoke(app, ["export", "fct_report", str(path), *role])
        assert "7 rows in" in done.output
    finally:
        users.remove(url, "sari", drop_tables=True)
