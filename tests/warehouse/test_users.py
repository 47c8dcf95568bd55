"""Logins of people: what they read, what they may make, and that none becomes the owner."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from typer.testing import CliRunner

from lumbung import database
from lumbung.cli import app
from lumbung.errors import ConfigurationError
from lumbung.warehouse import users
from lumbung.warehouse.roles import role_url
from tests.support.command import lumbung
from tests.warehouse.conftest import query

REGENCIES = {"19.01": 3, "19.02": 2, "19.06": 1}
"""Rows of each regency in the sample fact."""


@pytest.fixture
def url(database_url: str) -> Iterator[str]:
    """A migrated database with a fact and a dimension of readers, made without dbt."""
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("select ops.make_regency_roles(array['19.01', '19.02', '19.06'])")
        owner.execute("create table marts.dim_regency (regency_code text)")
        owner.execute("create table marts.fct_report (report_id bigint, regency_code text)")
        for code, count in REGENCIES.items():
            owner.execute("insert into marts.dim_regency values (%s)", (code,))
            owner.execute(
                "insert into marts.fct_report select n, %s from generate_series(1, %s) as n",
                (code, count),
            )
        for table in ("dim_regency", "fct_report"):
            owner.execute("select ops.open_to_readers(to_regclass(%s))", (f"marts.{table}",))
    yield database_url
    for user in users.users(database_url):
        users.remove(database_url, user.name, drop_tables=True)


def login(url: str, name: str, password: str) -> str:
    return make_conninfo(url, user=name, password=password)


READ = "select regency_code, count(*) from marts.fct_report group by 1 order by 1"


def test_an_analyst_of_regencies_reads_their_rows(url: str) -> None:
    sari = login(url, "sari", users.add(url, "sari", "analyst", ["19.02", "19.06"]))
    budi = login(url, "budi", users.add(url, "budi", "analyst_province"))
    assert query(sari, READ) == [("19.02", 2), ("19.06", 1)]
    assert query(budi, READ) == [*REGENCIES.items()]
    assert query(sari, "select count(*) from marts.dim_regency") == [(3,)]


def test_a_role_that_somebody_made_by_hand_reads_its_regency(url: str) -> None:
    """As before `pg_restore` into another server, which brings no roles."""
    query(url, "create role analyst_77_01 nologin noinherit")
    try:
        query(url, "insert into marts.fct_report values (1, '77.01')")
        query(url, "select ops.make_regency_roles(array['77.01'])")
        sari = login(url, "sari", users.add(url, "sari", "analyst", ["77.01"]))
        assert query(sari, READ) == [("77.01", 1)]
        users.remove(url, "sari", drop_tables=True)
    finally:
        query(url, "drop role analyst_77_01")


def test_metabase_lists_the_tables_of_a_regency(url: str) -> None:
    """As its driver asks: where the estimate of rows is denied, it finds no table at all."""
    sari = login(url, "sari", users.add(url, "sari", "analyst", ["19.02"]))
    tables = query(
        sari,
        "select c.relname, stat.n_live_tup from pg_catalog.pg_class as c"
        " inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid"
        " left join pg_stat_user_tables as stat"
        " on n.nspname = stat.schemaname and c.relname = stat.relname"
        " where n.nspname = 'marts' and c.relkind in ('r', 'p', 'v', 'f', 'm')",
    )
    assert {name for name, _ in tables} == {"dim_regency", "fct_report"}


def test_a_session_begins_with_limits_and_the_time_of_jakarta(url: str) -> None:
    password = users.add(url, "sari", "analyst", ["19.02"])
    sari = login(url, "sari", password)
    names = ("timezone", "statement_timeout", "idle_in_transaction_session_timeout")
    expected = [("Asia/Jakarta", "5min", "5min")]
    settings = "select " + ", ".join(f"current_setting('{name}')" for name in names)
    assert query(sari, settings) == expected
    assert query(role_url(url, "analyst_19_02"), settings) == expected
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(psycopg.connect(sari))
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            psycopg.connect(sari)
    metabase = login(url, "metabase", users.add(url, "metabase", "analyst_province", sessions=15))
    with ExitStack() as stack:
        for _ in range(15):
            stack.enter_context(psycopg.connect(metabase))
        assert [(each.name, each.session_limit) for each in users.users(url)] == [
            ("metabase", 15),
            ("sari", 8),
        ]
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            psycopg.connect(metabase)
    (stored,) = query(url, "select rolpassword from pg_authid where rolname = 'sari'")[0]
    assert stored.startswith("SCRAM-SHA-256$")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(login(url, "sari", password[:-1]))


@pytest.mark.parametrize("role", ["analyst_19_02", "analyst_province", "auditor", "publisher",
                                  "loader", "transformer"])  # fmt: skip
def test_no_session_of_a_role_becomes_the_owner(url: str, role: str) -> None:
    with psycopg.connect(role_url(url, role), autocommit=True) as session:
        for statement in ("set role none", "reset role", "reset session authorization"):
            session.execute(statement.encode())
            assert session.execute("select session_user::text, current_user::text").fetchone() == (
                role,
                role,
            )
        for statement in (
            "set role lumbung",
            "set session authorization lumbung",
            "alter role lumbung password 'x'",
            f"alter role {role} superuser",
            f"grant lumbung to {role}",
            "create role lain",
            "copy (select 1) to program 'id'",
            "select pg_read_file('postgresql.conf')",
            "create extension dblink",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(statement.encode())


def test_the_url_of_a_role_is_stable_and_knows_no_owner(url: str) -> None:
    first = role_url(url, "auditor")
    assert role_url(url, "auditor") == first
    parts = psycopg.conninfo.conninfo_to_dict(first)
    owner = psycopg.conninfo.conninfo_to_dict(url)
    assert parts["user"] == "auditor"
    assert parts["password"] != owner["password"]
    assert (
        parts["password"] != psycopg.conninfo.conninfo_to_dict(role_url(url, "loader"))["password"]
    )
    query(url, "alter role auditor nologin")
    assert query(role_url(url, "auditor"), "select current_user::text") == [("auditor",)]
    with_options = role_url(f"{url}?sslmode=prefer&user=lumbung", "auditor")
    assert with_options == f"{first}?sslmode=prefer"


def test_a_schema_of_her_own_is_shut_to_others(url: str) -> None:
    sari = login(url, "sari", users.add(url, "sari", "analyst", ["19.02"]))
    budi = login(url, "budi", users.add(url, "budi", "analyst_province"))
    query(sari, "create table hitungan as select count(*) as banyak from marts.fct_report")
    query(sari, "create view milik as select * from marts.fct_report")
    query(sari, "grant select on hitungan, milik to public")
    assert query(sari, "select banyak from sari.hitungan") == [(2,)]
    for statement in (
        "select * from sari.hitungan",
        "select * from sari.milik",
        "create table sari.lain ()",
        "create table marts.lain ()",
        "create table public.lain ()",
        "create schema lain",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            query(budi, statement)
    with psycopg.connect(sari) as session:  # she does not own the schema
        session.execute("grant usage on schema sari to budi")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query(budi, "select * from sari.hitungan")
    query(url, "insert into marts.fct_report values (9, '19.02'), (10, '19.01')")
    assert query(sari, "select count(*) from milik") == [(3,)]


def test_a_login_is_removed_with_its_schema_but_tables_not_by_accident(url: str) -> None:
    sari = login(url, "sari", users.add(url, "sari", "analyst", ["19.02"]))
    with psycopg.connect(sari) as session:
        session.execute("create table hitungan ()")
        session.commit()
        with pytest.raises(ConfigurationError, match=r"the schema of 'sari' holds hitungan"):
            users.remove(url, "sari")
        assert [user.sessions for user in users.users(url)] == [1]
        users.remove(url, "sari", drop_tables=True)
        with pytest.raises(psycopg.OperationalError):
            session.execute("select 1")
    assert users.users(url) == []
    assert query(url, "select to_regnamespace('sari')::text") == [(None,)]
    with pytest.raises(ConfigurationError, match="there is no login 'sari'"):
        users.remove(url, "sari")
    with pytest.raises(ConfigurationError, match="there is no login 'lumbung'"):
        users.remove(url, "lumbung")


@pytest.mark.parametrize(
    ("name", "role", "regencies", "message"),
    [
        ("Sari", "analyst_province", [], "cannot be the name"),
        ("sari; drop", "analyst_province", [], "cannot be the name"),
        ("analyst_19_02", "analyst_province", [], "cannot be the name"),
        ("pg_sari", "auditor", [], "cannot be the name"),
        ("loader", "auditor", [], "is called 'loader' already"),
        ("marts", "auditor", [], "is called 'marts' already"),
        ("sari", "analyst", [], "an analyst needs a regency"),
        ("sari", "auditor", ["19.02"], "no other role has one"),
        ("sari", "analyst", ["19.99"], "there is no regency or province '19.99'.*19.01, 19.02, "),
    ],
)
def test_a_wrong_login_is_refused(
    url: str, name: str, role: users.ReaderRole, regencies: list[str], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        users.add(url, name, role, regencies)
    assert users.users(url) == []


def test_the_commands(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMBUNG_DATABASE_URL", url)
    run = CliRunner().invoke
    made = run(app, ["user", "add", "sari", "--role", "analyst", "--regency", "19.02"])
    assert made.exit_code == 0, made.output
    found = re.search(r"^password  (\S{24})  \(not shown again\)$", made.output, re.M)
    assert found
    assert query(login(url, "sari", found[1]), READ) == [("19.02", 2)]
    listed = json.loads(run(app, ["user", "list", "--json"]).output)
    assert listed == [
        {
            "name": "sari",
            "roles": ["analyst_19_02"],
            "sessions": 0,
            "session_limit": 8,
            "schema_bytes": 0,
        }
    ]
    assert re.search(r"^sari +0/8 ", run(app, ["user", "list"]).output, re.M)
    with pytest.raises(ConfigurationError, match="cannot have 41 sessions"):
        run(
            app,
            ["user", "add", "metabase", "--role", "auditor", "--sessions", "41"],
            catch_exceptions=False,
        )
    assert run(app, ["user", "remove", "sari"]).output == "removed sari\n"
    assert json.loads(run(app, ["user", "list", "--json"]).output) == []


def test_commands_of_whoever_runs_lumbung_are_refused_to_a_reader(url: str) -> None:
    """And nobody is advised to give a reader the right to become `transformer`."""
    sari = database.with_account(url, "sari", users.add(url, "sari", "analyst", ["19.02"]))
    with pytest.raises(ConfigurationError, match=r"login of a person who reads.*whoever runs"):
        role_url(sari, "transformer")
    for command in (["migrate"], ["trace", "1"]):
        done = lumbung(*command, LUMBUNG_DATABASE_URL=sari)
        assert done.returncode == ConfigurationError.exit_code, done.stderr
        assert "account may not do this: permission denied for " in done.stderr
        (kept,) = re.findall(r"\[(.*\.log)\]", done.stderr)
        Path(kept).unlink()


def test_psql_has_no_password_among_its_arguments(url: str) -> None:
    script = r"\! tr '\0' ' ' < /proc/$PPID/cmdline"
    for role, account in ((None, "lumbung"), ("auditor", "auditor")):
        options = ["--role", role] if role else []
        done = lumbung("psql", *options, "--", "-c", script, LUMBUNG_DATABASE_URL=url)
        assert "psql" in done.stdout, done.stderr
        assert f"user={account}" in done.stdout
        for secret in (url, role_url(url, "auditor")):
            assert str(psycopg.conninfo.conninfo_to_dict(secret)["password"]) not in done.stdout


def test_an_owner_that_is_no_superuser_makes_and_removes_logins(url: str) -> None:
    """As on an office's own server: an account that may create roles."""
    query(url, "create role pemilik login createrole password 'rahasia'")
    theirs = database.with_account(url, "pemilik", "rahasia")
    try:
        query(url, f"grant create on database {psycopg.conninfo.conninfo_to_dict(url)['dbname']}"
                   " to pemilik")  # fmt: skip
        with pytest.raises(ConfigurationError, match="'pemilik' may not make this login"):
            users.add(theirs, "sari", "analyst", ["19.02"])
        query(url, "grant analyst_19_02 to pemilik with admin true, inherit false, set false")
        sari = login(url, "sari", users.add(theirs, "sari", "analyst", ["19.02"]))
        query(sari, "create table hitungan ()")
        assert query(sari, READ) == [("19.02", 2)]
        users.remove(theirs, "sari", drop_tables=True)
        assert users.users(url) == []
    finally:
        query(url, "drop owned by pemilik")
        query(url, "drop role pemilik")


def test_only_roles_of_the_warehouse_connect_to_it(url: str) -> None:
    """And to no other database of the server, Airflow's above all."""
    airflow = database.ensure(url, "airflow_of_a_test")
    database.migrate(url)
    database.deny_connections(airflow)
    query(url, "create role siapa login password 'rahasia'")
    sari = users.add(url, "sari", "analyst", ["19.02"])
    try:
        for denied in (
            login(url, "siapa", "rahasia"),
            login(airflow, "siapa", "rahasia"),
            login(airflow, "sari", sari),
        ):
            with pytest.raises(psycopg.OperationalError, match="does not have CONNECT privilege"):
                psycopg.connect(denied)
        assert query(login(url, "sari", sari), "select 1") == [(1,)]
    finally:
        query(url, "drop role siapa")
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute("drop database airflow_of_a_test")
