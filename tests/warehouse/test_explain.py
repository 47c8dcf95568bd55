"""No regency counts the rows of another one by plans, statistics or counters (ADR 18)."""

from __future__ import annotations

import re

import psycopg
import pytest

from lumbung.warehouse.roles import role_url
from tests.warehouse.conftest import query

COUNTS = {"19.01": 6000, "19.02": 3000, "19.03": 1000}


@pytest.fixture
def url(database_url: str) -> str:
    """A fact with an index and statistics, opened to readers as a build opens it."""
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("select ops.make_regency_roles(array['19.01', '19.02', '19.03'])")
        owner.execute(
            "create table marts.fct_report (report_id int primary key, regency_code text,"
            " district_code text, issue_code text)"
        )
        start = 0
        for code, count in COUNTS.items():
            owner.execute(
                "insert into marts.fct_report select n, %s, %s, case when n %% 4 = 0 then 'PU' end"
                " from generate_series(%s::int, %s::int) as n",
                (code, f"{code}.01", start, start + count - 1),
            )
            start += count
        owner.execute("create index on marts.fct_report (regency_code)")
        owner.execute("analyze marts.fct_report")
        owner.execute("select ops.open_to_readers('marts.fct_report')")
        owner.execute("analyze marts.fct_report")
    return database_url


@pytest.fixture
def analyst(url: str) -> psycopg.Connection:
    return psycopg.connect(role_url(url, "analyst_19_03"), autocommit=True)


def test_estimates_are_the_same_for_every_place(analyst: psycopg.Connection) -> None:
    """A session may print its plans without EXPLAIN."""
    seen: list[str] = []
    analyst.add_notice_handler(lambda notice: seen.append(notice.message_detail or ""))
    analyst.execute("set client_min_messages = log")
    analyst.execute("select from marts.fct_report")  # the functions' own plans are made once
    analyst.execute("set debug_print_plan = on")
    for column, ending in (("regency_code", ""), ("district_code", ".01")):
        estimates = set()
        for code in (*COUNTS, "19.99"):
            seen.clear()
            analyst.execute(
                f"select from marts.fct_report where {column} = '{code}{ending}'".encode()
            )
            found = re.findall(r"plan_rows (\d+)", " ".join(seen))
            assert found, seen
            estimates.add(tuple(found))
        assert len(estimates) == 1, (column, estimates)


@pytest.mark.parametrize(
    "statement",
    [
        "explain analyze select from marts.fct_report where regency_code = '19.01'",
        "explain (analyze) select from marts.fct_report where regency_code = '19.99'",
        "/* a */ EXPLAIN ANALYZE select from marts.fct_report",
        "select 1; explain analyze select from marts.fct_report",
        "explain select from marts.fct_report where regency_code = '19.01'",
        "explain analyze select from marts.fct_report where report_id = -1",
        "explain analyze execute prepared",
        "explain analyze select from own_view",
    ],
)
def test_explain_is_refused_whatever_it_would_find(
    url: str, analyst: psycopg.Connection, statement: str
) -> None:
    analyst.execute("set plan_cache_mode = force_generic_plan")  # planned before it is explained
    analyst.execute("prepare prepared as select from marts.fct_report where regency_code = '19.01'")
    analyst.execute("execute prepared")
    analyst.execute("create temporary view own_view as select * from marts.fct_report")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="EXPLAIN is not for a regency"):
        analyst.execute(statement.encode())
    assert query(role_url(url, "analyst_province"), "explain analyze table marts.fct_report")
    assert analyst.execute("select from pg_stats where tablename = 'fct_report'").fetchall() == []
    assert analyst.execute("select count(*) from own_view").fetchone() == (1000,)


@pytest.mark.parametrize(
    "statement",
    [
        "do $$ begin execute 'expl' || 'ain analyze table marts.fct_report'; end $$",
        "create function pg_temp.f() returns text language sql as $$ select 'x' $$",
        "select query_to_xml('expl' || 'ain analyze table marts.fct_report', true, true, '')",
        "select pg_stat_get_xact_tuples_fetched('marts.fct_report'::regclass)",
        "select pg_stat_get_tuples_fetched('marts.fct_report'::regclass)",
        "select n_live_tup, idx_tup_fetch from pg_stat_user_tables",
        "select stanumbers1 from pg_statistic",
        "load 'auto_explain'",
    ],
)
def test_no_way_around_it(analyst: psycopg.Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        analyst.execute(statement.encode())
