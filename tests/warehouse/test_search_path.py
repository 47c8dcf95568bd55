"""Nobody gains rights by operators, aggregates or views of their own under known names."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from lumbung.warehouse import users
from lumbung.warehouse.roles import role_url
from tests.warehouse.conftest import query

OURS = "('ops', 'published', 'editions')"
"""The owner's schemas that have functions."""


@pytest.fixture
def url(database_url: str) -> Iterator[str]:
    """A migrated database with a fact of two regencies, opened to readers."""
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("select ops.make_regency_roles(array['19.01', '19.02'])")
        owner.execute("create table marts.fct_report (report_id bigint, regency_code text)")
        owner.execute("insert into marts.fct_report values (1, '19.01'), (2, '19.02')")
        owner.execute("select ops.open_to_readers('marts.fct_report')")
    yield database_url
    for user in users.users(database_url):
        users.remove(database_url, user.name, drop_tables=True)


@pytest.fixture
def analyst(url: str) -> psycopg.Connection:
    """A session of a person's own login, whose schema stands first in its search path."""
    password = users.add(url, "sari", "analyst", ["19.02"])
    session = psycopg.connect(make_conninfo(url, user="sari", password=password), autocommit=True)
    session.execute("set search_path = sari, pg_catalog")
    return session


def test_an_operator_of_ones_own_lets_nobody_explain(analyst: psycopg.Connection) -> None:
    analyst.execute(
        "create operator sari.~* (leftarg = text, rightarg = text, function = texticregexne)"
    )
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="EXPLAIN is not for a regency"):
        analyst.execute("explain analyze select from marts.fct_report")


def test_an_aggregate_of_ones_own_shows_nobody_the_whole_province(
    url: str, analyst: psycopg.Connection
) -> None:
    for signature, state, function, first in (
        ("bool_or(boolean)", "boolean", "boolor_statefunc", "true"),
        ("array_agg(text)", "text[]", "array_append", "{19.01,19.02}"),
    ):
        analyst.execute(
            f"create aggregate sari.{signature}"
            f" (sfunc = {function}, stype = {state}, initcond = '{first}')".encode()
        )
    query(url, "grant usage on schema ops to sari")
    assert analyst.execute("select ops.reads_whole_province()").fetchone() == (False,)
    assert analyst.execute("select ops.own_regencies()").fetchone() == (["19.02"],)
    assert analyst.execute("select regency_code from marts.fct_report").fetchall() == [("19.02",)]


def test_every_function_finds_its_names_by_itself(url: str) -> None:
    found = query(
        url,
        "select p.oid::regprocedure::text from pg_proc as p"
        " inner join pg_language as l on l.oid = p.prolang"
        f" where p.pronamespace::regnamespace::text in {OURS} and lanname in ('sql', 'plpgsql')"
        " and prosqlbody is null and proconfig is null",
    )
    assert found == [("ops.refuse_explain()",)], "its operator names its schema"


def test_no_view_of_the_transformer_gives_it_the_rights_of_the_owner(url: str) -> None:
    """A function with the owner's rights that reads the transformer's tables would run its code."""
    with psycopg.connect(role_url(url, "transformer"), autocommit=True) as transformer:
        transformer.execute(
            "create function intermediate.as_whom() returns text language plpgsql as"
            " $$ begin raise exception 'as %', current_user; end $$"
        )
        columns = ", ".join(
            f"null::text as {place}_{kind}"
            for place in ("village", "district", "regency")
            for kind in ("raw", "code_raw")
        )
        transformer.execute(
            "create view intermediate.int_places__resolved as select intermediate.as_whom()"
            f" as place_id, 'unresolved'::text as location_method, {columns}".encode()
        )
        transformer.execute(
            "create table intermediate.int_records__typed as select 'x'::text as place_id,"
            " null::text as channel, null::text as exclusion_code, null::date as receipt_date,"
            " null::date as landed_date"
        )
        transformer.execute(
            "create table intermediate.int_place_readings__found as select 'x'::text as place_id,"
            " null::text as district_code, null::text as regency_code"
        )
    with (
        psycopg.connect(role_url(url, "auditor")) as auditor,
        pytest.raises(psycopg.errors.RaiseException, match="as transformer"),
    ):
        auditor.execute("select * from ops.unresolved_places()")
    owned = query(
        url,
        "select proname::text, proowner::regrole::text from pg_proc"
        f" where pronamespace::regnamespace::text in {OURS} and prosecdef"
        r" and prosrc ~ '\m(staging|intermediate|checks|marts|reporting|reference)\.' order by 1",
    )
    assert owned == [("not_counted_record", "transformer"), ("unresolved_places", "transformer")]


@pytest.mark.parametrize("table", ["channel", "channel_field", "term_pseudonym"])
def test_the_transformer_puts_no_trigger_on_what_the_loader_and_the_custodian_use(
    url: str, table: str
) -> None:
    with psycopg.connect(role_url(url, "transformer")) as transformer:
        transformer.execute(
            "create function reference.as_whom() returns trigger language plpgsql as"
            " $$ begin raise exception 'as %', current_user; end $$"
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
            transformer.execute(
                f"create trigger as_whom before insert on reference.{table}"
                " for each row execute function reference.as_whom()".encode()
            )
