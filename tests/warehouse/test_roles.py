"""Each role reads what it must and nothing else: every forbidden read is tried."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from lumbung import database
from lumbung.cli import app
from lumbung.errors import ConfigurationError
from lumbung.settings import Settings
from lumbung.warehouse.build import build
from lumbung.warehouse.roles import LOGINS, METADATA, acting_as, role_url, write_logins
from tests.support.databases import the_row
from tests.warehouse.conftest import PROJECT, land_world, query

READERS = ["analyst_19_02", "analyst_province", "publisher", "auditor"]
FORBIDDEN = {
    "analyst_19_02": ["raw", "vault", "quarantine", "ops", "reference", "staging", "intermediate",
                      "checks", "published"],
    "analyst_province": ["raw", "vault", "quarantine", "ops", "reference", "staging",
                         "intermediate", "checks", "published"],
    "publisher": ["raw", "vault", "quarantine", "staging", "intermediate", "checks"],
    "auditor": ["vault", "staging", "intermediate"],
    "loader": ["staging", "intermediate", "marts", "reporting", "published", "checks"],
    "transformer": ["vault", "published"],
}  # fmt: skip
REFUSALS = (
    psycopg.errors.InsufficientPrivilege,
    # a view of several tables takes no row from anybody, and is no table to truncate or drop
    psycopg.errors.ObjectNotInPrerequisiteState,
    psycopg.errors.WrongObjectType,
)
Demo = tuple[str, Settings, dict[str, Any]]


def tables(url: str, *schemas: str) -> list[tuple[str, str]]:
    return query(
        url,
        "select n.nspname::text, c.relname::text from pg_class as c"
        " inner join pg_namespace as n on c.relnamespace = n.oid"
        " where c.relkind in ('r', 'p', 'v') and n.nspname = any(%s) order by 1, 2",
        list(schemas),
    )


@contextmanager
def refusing(url: str, role: str) -> Iterator[Callable[[sql.SQL | sql.Composed], bool]]:
    """Whether a statement is refused to a role; none has an effect."""
    with psycopg.connect(role_url(url, role)) as connection:

        def is_refused(statement: sql.SQL | sql.Composed) -> bool:
            try:
                with connection.transaction(force_rollback=True):
                    connection.execute(statement)
            except REFUSALS:
                return True
            return False

        yield is_refused


@pytest.mark.parametrize("role", FORBIDDEN)
def test_no_role_reads_what_is_not_for_it(demo: Demo, role: str) -> None:
    url = demo[0]
    found = tables(url, *FORBIDDEN[role])
    assert {schema for schema, _ in found} == set(FORBIDDEN[role])
    with refusing(url, role) as is_refused:
        for name in found:
            if name[0] == "reference" and not name[1].startswith("channel"):
                continue  # seeds: test_analysts_read_what_codes_mean
            read = sql.SQL("select * from {}").format(sql.Identifier(*name))
            if role == "loader" and name == ("vault", "key"):
                continue
            assert is_refused(read), name


@pytest.mark.parametrize(
    ("role", "schema", "table", "column"),
    [
        ("auditor", "raw", "record", "payload"),
        ("publisher", "raw", "record", "payload"),
        ("publisher", "raw", "record", "subject_token"),
        ("auditor", "quarantine", "record", "ciphertext"),
        ("transformer", "quarantine", "record", "ciphertext"),
        ("loader", "vault", "identity", "ciphertext"),
    ],
)
def test_no_role_reads_a_person(
    demo: Demo, role: str, schema: str, table: str, column: str
) -> None:
    read = sql.SQL("select {} from {}").format(
        sql.Identifier(column), sql.Identifier(schema, table)
    )
    with refusing(demo[0], role) as is_refused:
        assert is_refused(read)


def test_a_reporter_has_one_key_that_is_not_the_token_of_raw(demo: Demo) -> None:
    ((cases, keys, tokens, both, bare),) = query(
        demo[0],
        "select count(*), count(distinct reporter_key), count(distinct subject_token),"
        " count(distinct (reporter_key, subject_token)),"
        " count(*) filter (where reporter_key in"
        "   (encode(subject_token, 'hex'), left(encode(sha256(subject_token), 'hex'), 32)))"
        " from marts.fct_report inner join raw.record using (record_id)"
        " where reporter_key is not null or subject_token is not null",
    )
    assert cases > keys == tokens == both > 10
    assert bare == 0
    for role in ("analyst_province", "publisher", "auditor", "loader"):
        with refusing(demo[0], role) as is_refused:
            assert is_refused(sql.SQL("select salt from ops.reporter_salt"))


@pytest.mark.parametrize("role", READERS)
def test_analysts_read_what_codes_mean(demo: Demo, role: str) -> None:
    """Every seed, and only to read; channels name their owners, so they are shut.

    Only builds read which pseudonyms the words of the seeds have.
    """
    seeds = {path.stem for path in (PROJECT / "dbt_project" / "seeds").glob("*.csv")}
    found = {table for _, table in tables(demo[0], "reference")}
    assert found == seeds | {"channel", "channel_field", "term_pseudonym"}
    with (
        psycopg.connect(role_url(demo[0], role)) as connection,
        refusing(demo[0], role) as is_refused,
    ):
        for seed in seeds:
            table = sql.Identifier("reference", seed)
            read = sql.SQL("select * from {} limit 1").format(table)
            assert connection.execute(read).fetchone(), seed
            assert is_refused(sql.SQL("delete from {}").format(table)), seed


@pytest.mark.parametrize("role", READERS)
def test_readers_write_nothing(demo: Demo, role: str) -> None:
    with refusing(demo[0], role) as is_refused:
        for schema, name in tables(demo[0], "marts", "reporting"):
            table, other = sql.Identifier(schema, name), sql.Identifier(schema, name + "_2")
            for statement in ("delete from {}", "truncate {}", "drop table {}"):
                assert is_refused(sql.SQL(statement).format(table)), (statement, name)
            assert is_refused(sql.SQL("create table {} ()").format(other)), name


def test_the_province_reads_all_and_a_regency_its_own(demo: Demo) -> None:
    url = demo[0]
    own_rows = 0
    with (
        psycopg.connect(url) as owner,
        psycopg.connect(role_url(url, "analyst_province")) as province,
        psycopg.connect(role_url(url, "analyst_19_02")) as belitung,
    ):
        for name in tables(url, "marts", "reporting"):
            columns = {
                column
                for (column,) in owner.execute(
                    "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0",
                    (".".join(name),),
                )
            }
            table = sql.Identifier(*name)
            count = sql.SQL("select count(*) from {}").format(table)
            (everything,) = the_row(owner.execute(count))
            assert province.execute(count).fetchone() == (everything,), name
            if name[1].startswith("dim_"):
                assert belitung.execute(count).fetchone() == (everything,), name
            elif "regency_code" not in columns:
                assert belitung.execute(count).fetchone() == (0,), name
            else:
                own = sql.SQL("select count(*) from {} where regency_code = '19.02'").format(table)
                wanted = the_row(owner.execute(own))
                assert belitung.execute(count).fetchone() == wanted, name
                assert belitung.execute(own).fetchone() == wanted, name
                own_rows += wanted[0]
    assert own_rows > 1000


def test_a_login_that_belongs_to_two_regencies_reads_both(demo: Demo) -> None:
    """A person's own login (docs/how-to/query-the-marts.md); and one that belongs to none."""
    url = demo[0]
    logins = {"sari_rekaan": "analyst_19_02, analyst_19_06", "budi_rekaan": "analyst_regency"}
    seen = {}
    with psycopg.connect(url, autocommit=True) as owner:
        for login, roles in logins.items():
            owner.execute(f"create role {login} login password 'rekaan' in role {roles}".encode())
    try:
        for login in logins:
            own = psycopg.conninfo.make_conninfo(url, user=login, password="rekaan")
            with psycopg.connect(own) as connection:
                seen[login] = connection.execute(
                    "select array_agg(distinct regency_code order by regency_code)"
                    " from marts.fct_report"
                ).fetchone()
    finally:
        with psycopg.connect(url, autocommit=True) as owner:
            for login in logins:
                owner.execute(f"drop role {login}".encode())
    assert seen == {"sari_rekaan": (["19.02", "19.06"],), "budi_rekaan": (None,)}


def test_every_table_of_readers_is_shut_until_its_policy_opens_it(demo: Demo) -> None:
    open_tables = query(
        demo[0],
        "select relname::text from pg_class where relnamespace in"
        " ('marts'::regnamespace, 'reporting'::regnamespace) and relkind = 'r'"
        " and not relrowsecurity",
    )
    names = {name for (name,) in open_tables}
    assert len(names) >= 8
    assert {name for name in names if not name.startswith("dim_")} == set()


def test_rights_survive_the_next_build(demo: Demo) -> None:
    url, settings, _ = demo
    build(settings=settings, database_url=url, select="fct_report bridge_report_issue")
    rows = query(
        role_url(url, "analyst_19_02"),
        "select distinct regency_code from marts.fct_report"
        " inner join marts.bridge_report_issue using (report_id, regency_code)",
    )
    assert rows == [("19.02",)]


def test_an_account_that_made_the_roles_and_is_no_superuser_acts_as_them(demo: Demo) -> None:
    """As on an office's own server: an account that may create roles and give these away."""
    url = demo[0]
    query(url, "create role pembuat login password 'rahasia'")
    query(url, f"grant connect on database {url.rpartition('/')[2]} to pembuat")
    query(url, "grant execute on function pg_advisory_xact_lock(bigint) to pembuat")
    theirs = re.sub("//.*@", "//pembuat:rahasia@", url)
    try:
        query(url, "alter role auditor nologin")
        with pytest.raises(ConfigurationError, match=r"'pembuat' may not give 'auditor'"):
            role_url(theirs, "auditor")
        query(url, "alter role pembuat createrole")
        query(url, "grant auditor to pembuat with admin true, inherit false, set false")
        assert query(role_url(theirs, "auditor"), "select current_user::text") == [("auditor",)]
        assert query(theirs, "select pg_has_role('auditor', 'usage')") == [(False,)]
    finally:
        query(url, "drop owned by pembuat")
        query(url, "drop role pembuat")


def test_the_loader_lands_without_reading_identities(
    new_database: Callable[[], str], demo: Demo, tmp_path: Path
) -> None:
    """A whole pull under the rights of `loader` gives what the owner's pull gives."""
    url = new_database()
    with database.connect(role_url(url, "loader")) as connection:
        assert connection.execute(
            "select current_user::text, current_setting('timezone')"
        ).fetchone() == ("loader", "UTC")
    land_world(1, tmp_path, role_url(url, "loader"))
    counted = "select channel, sum(landed_count), sum(duplicate_count) from raw.batch group by 1"
    assert sorted(query(url, counted)) == sorted(query(demo[0], counted))
    assert query(url, "select count(*) > 100 from vault.identity") == [(True,)]


def test_the_command_reads_as_a_role(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMBUNG_DATABASE_URL", demo[0])
    said = CliRunner().invoke(app, ["db-url", "--role", "analyst_19_71"])
    assert said.exit_code == 0
    assert query(said.stdout.strip(), "select current_user::text") == [("analyst_19_71",)]
    with pytest.raises(ConfigurationError, match=r"no role 'analyst_19_99'.*analyst_19_71"):
        role_url(demo[0], "analyst_19_99")
    with pytest.raises(ConfigurationError):
        role_url(demo[0], "lumbung")


def test_no_login_becomes_the_owner_or_another_role(demo: Demo) -> None:
    for login in LOGINS:
        if login == METADATA:
            continue
        with psycopg.connect(role_url(demo[0], login), autocommit=True) as connection:
            connection.execute("reset role")
            connection.execute("set role none")
            assert connection.execute("select current_user::text").fetchone() == (login,)
            for other in ("lumbung", *LOGINS):
                if other in (login, "auditor"):
                    continue
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(f"set role {other}".encode())


def test_the_desk_takes_the_roles_of_readers_and_has_no_right_of_its_own(demo: Demo) -> None:
    desk = role_url(demo[0], "desk")
    own = "select distinct regency_code from marts.fct_report"
    assert query(acting_as(desk, "analyst_19_02"), own) == [("19.02",)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query(desk, own)
    with pytest.raises(ConfigurationError, match="no role 'analyst_19_99'"):
        acting_as(desk, "analyst_19_99")


def test_tables_that_the_owner_built_are_handed_over(new_database: Callable[[], str]) -> None:
    """As of an installation of an earlier version, and of a restored backup of one."""
    url = new_database()
    query(url, "create table marts.fct_lama as select 1 as n")
    query(url, "create view marts_next.fct_lama as select n from marts.fct_lama")
    query(url, "create table reference.lama as select 1 as n")
    database.migrate(url)
    transformer = role_url(url, "transformer")
    query(transformer, "drop table marts.fct_lama cascade")
    query(transformer, "drop table reference.lama")
    assert query(url, "select to_regclass('marts_next.fct_lama')") == [(None,)]


def test_a_process_logs_in_by_the_file_of_its_role(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the owner's password; a file that no longer opens the database is written again."""
    url = demo[0]
    write_logins(url, url, tmp_path)
    files = {path.name: path.read_text() for path in (tmp_path / "logins").iterdir()}
    assert sorted(files) == sorted(LOGINS)
    assert len(set(files.values())) == len(LOGINS)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "logins").iterdir()} == {0o600}
    monkeypatch.setenv("LUMBUNG_HOME", str(tmp_path))
    address = database.without_account(url)
    assert "lumbung:" not in address
    for role in ("loader", "transformer"):
        assert query(role_url(address, role), "select session_user::text") == [(role,)]
    who = "select session_user::text, current_user::text"
    assert query(role_url(address, "analyst_province"), who) == [("desk", "analyst_province")]
    monkeypatch.setenv("LUMBUNG_DATABASE_URL", address)
    refused = CliRunner().invoke(app, ["db-url"]).exception
    assert "only the owner of the warehouse may do this" in str(refused)
    (tmp_path / "logins" / "loader").write_text("lain")
    (tmp_path / "logins" / "backup").unlink()
    with pytest.raises(ConfigurationError, match=r"backup.*lumbung migrate"):
        role_url(address, "backup")
    write_logins(url, url, tmp_path)
    assert query(role_url(address, "loader"), "select session_user::text") == [("loader",)]
    assert query(role_url(address, "backup"), "select session_user::text") == [("backup",)]
