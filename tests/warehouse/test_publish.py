"""Readers and builds never wait for each other, and readers see one whole build or another."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from lumbung.errors import BuildError
from lumbung.settings import Settings
from lumbung.warehouse import publish as module
from lumbung.warehouse.build import BuildResult, build
from lumbung.warehouse.roles import role_url
from tests.warehouse.conftest import PROJECT, REPORT, Raw, query

IS_LONG = "LUMBUNG_READERS" in os.environ
READERS = int(os.environ.get("LUMBUNG_READERS", "20"))
# Without a pause, readers take half of the processor; in the long form, a person's dashboard.
PAUSE = 1 if IS_LONG else 0.1
SCHEMAS = ("marts", "reporting", "reference")
Rows = dict[str, list[tuple[Any, ...]]]
COUNTS = (
    "select count(*) from marts.fct_report",
    "select sum(laporan_count) from marts.fct_regency_week",
    "select sum(laporan_count) from marts.fct_regency_day",
)
AT_ONCE = f"select ({COUNTS[0]}), ({COUNTS[1]}), ({COUNTS[2]})"
READER = f"""
import json, sys, threading, time, psycopg
done, seen, seconds = threading.Event(), [], []
threading.Thread(target=lambda: (sys.stdin.read(), done.set())).start()
with psycopg.connect(sys.argv[1]) as connection:
    connection.execute("set lock_timeout = '200ms'")
    connection.commit()
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    while not done.wait({PAUSE}):
        began = time.perf_counter()
        at_once = connection.execute("{AT_ONCE}").fetchone()
        seconds.append(time.perf_counter() - began)
        connection.commit()
        seen.append(at_once)
        seen.append([connection.execute(count).fetchone()[0] for count in {COUNTS!r}])
        connection.commit()
print(json.dumps([seen, seconds], default=int))
"""
"""A reader of the long form, in a process of its own: it does not wait for the build's Python."""


def rows_of(connection: psycopg.Connection) -> Rows:
    """All rows of everything that readers see."""
    names = connection.execute(
        "select format('%%I.%%I', nspname, relname) from pg_class"
        " inner join pg_namespace as n on n.oid = relnamespace"
        " where nspname = any(%s) and relkind in ('r', 'v') order by 1",
        (list(SCHEMAS),),
    ).fetchall()
    return {
        name: sorted(
            connection.execute(f"select {name.split('.')[1]}::text from {name}".encode()).fetchall()
        )
        for (name,) in names
    }


def land(url: str, first: int, count: int) -> None:
    """Cases of a day each, in two regencies."""
    Raw(url).land(
        "buku",
        [
            {
                **REPORT,
                "Nomor": f"{number:03}/LP/PB/Kab/09.01/XI/2024",
                "Diterima": f"2024-11-{1 + number % 20:02}",
                "Kab/Kota": "Bangka" if number % 2 else "Belitung",
                "Isu": "politik uang",
            }
            for number in range(first, first + count)
        ],
    )


@dataclass
class Watched:
    """What was seen of a warehouse while it was built twice under the eyes of readers.

    Attributes:
        states: of an idle transaction, after each build.
        held: what a snapshot saw, before the builds and after each.
        read: what a new session saw, before the builds and after each.
        counts: what many readers counted meanwhile in three marts that must agree.
    """

    url: str
    results: list[BuildResult]
    states: list[str]
    held: list[Rows]
    read: list[Rows]
    counts: set[Any]


@contextmanager
def counting(url: str, when: str) -> Iterator[set[Any]]:
    """Let readers count, each in one statement and in one snapshot, what must be equal.

    They are threads, in the long form processes; then it prints how long their statements took.
    """
    seen: set[Any] = set()
    if IS_LONG:
        with counting_elsewhere(url, when, seen):
            yield seen
        return
    done = threading.Event()
    errors: list[BaseException] = []

    def read() -> None:
        try:
            with psycopg.connect(url) as connection:
                connection.execute("set lock_timeout = '200ms'")
                connection.commit()
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                while not done.wait(PAUSE):
                    at_once = connection.execute(AT_ONCE.encode()).fetchone()
                    connection.commit()
                    one_by_one = tuple(
                        connection.execute(count.encode()).fetchone()[0]  # type: ignore[index]
                        for count in COUNTS
                    )
                    connection.commit()
                    seen.update((at_once, one_by_one))
        except BaseException as error:
            errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    try:
        yield seen
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert errors == []


@contextmanager
def counting_elsewhere(url: str, when: str, seen: set[Any]) -> Iterator[None]:
    """Let processes count; what they saw goes into `seen`."""
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(READERS)
    ]
    time.sleep(READERS / 4)  # they start first: that is no part of what is measured
    try:
        yield
    finally:
        for reader in readers:
            assert reader.stdin is not None
            reader.stdin.close()
        printed = [reader.stdout.read() for reader in readers if reader.stdout is not None]
        for reader in readers:
            reader.wait()
    assert [reader.returncode for reader in readers] == [0] * READERS
    seconds = []
    for found, took in map(json.loads, printed):
        seen.update(map(tuple, found))
        seconds += took[READERS // 4 :]
    cuts = statistics.quantiles(seconds, n=100)
    times = ", ".join(f"p{n} {cuts[n - 1] * 1000:.1f} ms" for n in (50, 99))
    print(f"{READERS} readers {when}: {len(seconds)} statements, {times}")


@pytest.fixture(scope="module")
def watched(new_warehouse: Callable[[], str], office: Settings) -> Iterator[Watched]:
    """An increment and a full build, with transactions open that have read every mart."""
    url = new_warehouse()
    land(url, 1, 10)
    build(settings=office, database_url=url)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("create schema meja")
        owner.execute("create role ana")
        owner.execute("grant usage on schema marts to ana")
        owner.execute("grant select on marts.fct_report, reporting.rpt_metric to ana")
        owner.execute("create view meja.ringkas as select * from marts.fct_report")
    with (
        psycopg.connect(url) as idle,
        psycopg.connect(url) as snapshot,
        psycopg.connect(url, autocommit=True) as owner,
    ):
        rows_of(idle)
        snapshot.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        found = Watched(url, [], [], [rows_of(snapshot)], [rows_of(owner)], set())
        land(url, 11, 5)
        reader_url = role_url(url, "analyst_province")
        if IS_LONG:
            with counting(reader_url, "without a build"):
                time.sleep(30)
        with counting(reader_url, "during builds") as found.counts:
            for full_refresh in (False, True):
                found.results.append(
                    build(settings=office, database_url=url, full_refresh=full_refresh)
                )
                found.held.append(rows_of(snapshot))
                with psycopg.connect(url, options="-c lock_timeout=100ms") as reader:
                    found.read.append(rows_of(reader))
                found.states += [
                    state
                    for (state,) in owner.execute(
                        "select state from pg_stat_activity where pid = %s",
                        (idle.info.backend_pid,),
                    )
                ]
        yield found
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("drop owned by ana cascade")
        owner.execute("drop role ana")


@pytest.mark.slow
def test_an_idle_transaction_stops_no_build_and_no_reader(watched: Watched) -> None:
    assert [result.is_full for result in watched.results] == [False, True]
    assert watched.states == ["idle in transaction"] * 2
    before, after, _ = (len(rows["marts.fct_report"]) for rows in watched.read)
    assert (before, after) == (10, 15)


@pytest.mark.slow
def test_a_snapshot_keeps_its_rows_through_builds(watched: Watched) -> None:
    assert watched.held == [watched.read[0]] * 3
    assert sum(map(len, watched.held[0].values())) > 15_000


@pytest.mark.slow
def test_an_increment_gives_what_a_full_build_gives(watched: Watched) -> None:
    _, increment, full = watched.read
    assert {name for name in full if increment[name] != full[name]} == set()
    assert {name for name in full if watched.read[0][name] != full[name]} >= {
        "marts.fct_report", "marts.bridge_report_issue", "marts.fct_deadline",
        "marts.fct_regency_day", "marts.fct_regency_week", "reporting.rpt_metric",
        "reporting.rpt_metric_contributor",
    }  # fmt: skip


@pytest.mark.slow
def test_views_and_grants_of_others_survive_builds(watched: Watched) -> None:
    assert query(watched.url, "select count(*) from meja.ringkas") == [(15,)]
    with psycopg.connect(watched.url) as connection:
        connection.execute("set role ana")
        assert connection.execute("select count(*) from marts.fct_report").fetchone() == (0,), (
            "the policies still hold"
        )


@pytest.mark.slow
def test_readers_never_see_marts_disagree(watched: Watched) -> None:
    assert watched.counts == {(10, 10, 10), (15, 15, 15)}


KILLED = """
import os, signal, sys
from pathlib import Path
from lumbung.settings import Settings
from lumbung.warehouse import publish
from lumbung.warehouse.build import build

write = publish._Table.write
done = []

def killed(table, *given):
    rows = write(table, *given)
    done.append(table.node.name)
    if {"fct_report", "fct_regency_day"} <= set(done):
        os.kill(os.getpid(), signal.SIGKILL)
    return rows

publish._Table.write = killed
home, project, url = sys.argv[1:]
build(settings=Settings(Path(home), Path(project), None), database_url=url)
"""


@pytest.mark.slow
def test_a_build_killed_while_it_publishes_shows_nothing(
    watched: Watched, office: Settings
) -> None:
    before = query(watched.url, "select report_id from marts.fct_report order by 1")
    with psycopg.connect(watched.url) as connection:
        shown = rows_of(connection)
    land(watched.url, 301, 4)
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(office.home), str(office.project), watched.url],
        check=False, capture_output=True, cwd=PROJECT,
    )  # fmt: skip
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    with psycopg.connect(watched.url) as connection:
        assert rows_of(connection) == shown
    assert query(watched.url, "select state from ops.build order by build_id desc limit 1") == [
        ("running",)
    ]
    build(settings=office, database_url=watched.url, resume=True)
    assert len(query(watched.url, "select 1 from marts.fct_report")) == len(before) + 4
    assert query(watched.url, "select sum(laporan_count) from marts.fct_regency_day") == [
        (len(before) + 4,)
    ]


# -- one mart, made by hand ------------------------------------------------------------------


@pytest.fixture(scope="module")
def empty(new_database: Callable[[], str]) -> str:
    return new_database()


@pytest.fixture
def warehouse(empty: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute(
            "create table marts_next.fct_coba (id int, name text, regency_code text)"
        )
        connection.execute(
            "insert into marts_next.fct_coba values (1, 'satu', '19.01'), (2, 'dua', null)"
        )
        yield connection
        for name in ("marts.fct_coba", "marts_next.fct_coba"):
            connection.execute(f"drop table if exists {name} cascade".encode())


def node(**columns: str) -> Any:
    """A mart as dbt's manifest has it; its key is the first column."""
    constraint = SimpleNamespace(type="not_null")
    return SimpleNamespace(
        unique_id="model.lumbung.fct_coba", name="fct_coba", alias="fct_coba",
        schema="marts_next", resource_type="model",
        description="Percobaan.",
        constraints=[SimpleNamespace(type="primary_key", columns=[next(iter(columns))])],
        config=SimpleNamespace(meta={"indexes": ["(regency_code)"]}),
        columns={
            name: SimpleNamespace(
                description=f"Kolom {name}.", constraints=[constraint] if kind else []
            )
            for name, kind in columns.items()
        },
    )  # fmt: skip


COBA = {"id": "not_null", "name": "", "regency_code": ""}


def published(connection: psycopg.Connection, **columns: str) -> tuple[int, list[str]]:
    """Rows that changed, and notices."""
    found, notices = module.publish(
        connection, [node(**(columns or COBA))], is_increment=False, finish=lambda _: None
    )
    return found[0].rows, notices


def test_a_new_mart_is_made_with_its_keys_and_readers(warehouse: psycopg.Connection) -> None:
    assert published(warehouse) == (2, [])
    assert published(warehouse) == (0, [])
    definitions = warehouse.execute(
        "select regexp_replace(indexdef, '.* USING ', '') from pg_indexes"
        " where schemaname = 'marts' and tablename = 'fct_coba' order by 1"
    ).fetchall()
    assert definitions == [("btree (id)",), ("btree (regency_code)",)]
    assert warehouse.execute(
        "select obj_description('marts.fct_coba'::regclass),"
        " col_description('marts.fct_coba'::regclass, 2),"
        " has_table_privilege('analyst_province', 'marts.fct_coba', 'select')"
    ).fetchone() == ("Percobaan.", "Kolom name.", True)
    with pytest.raises(psycopg.errors.NotNullViolation):
        warehouse.execute("insert into marts.fct_coba values (null)")


def test_rows_that_did_not_change_are_left_alone(warehouse: psycopg.Connection) -> None:
    published(warehouse)
    warehouse.execute("insert into marts_next.fct_coba values (3)")
    warehouse.execute("update marts_next.fct_coba set name = 'baru' where id = 2")
    before = warehouse.execute("select xmin::text from marts.fct_coba where id = 1").fetchone()
    assert published(warehouse) == (2, [])
    warehouse.execute("delete from marts_next.fct_coba where id = 2")
    assert published(warehouse) == (1, [])
    assert warehouse.execute("select id, xmin::text from marts.fct_coba where id = 1").fetchone()
    assert (
        warehouse.execute("select xmin::text from marts.fct_coba where id = 1").fetchone() == before
    )
    assert warehouse.execute("select id from marts.fct_coba order by 1").fetchall() == [(1,), (3,)]


def test_a_foreign_key_of_others_survives_and_names_what_it_holds(
    warehouse: psycopg.Connection,
) -> None:
    published(warehouse)
    warehouse.execute("create table public.catatan (id int references marts.fct_coba)")
    try:
        warehouse.execute("insert into public.catatan values (2)")
        warehouse.execute("update marts_next.fct_coba set name = 'baru'")
        assert published(warehouse) == (2, [])
        warehouse.execute("delete from marts_next.fct_coba where id = 2")
        with pytest.raises(BuildError, match=r'Key \(id\)=\(2\).*table "catatan"'):
            published(warehouse)
        assert warehouse.execute("select count(*) from marts.fct_coba").fetchone() == (2,)
    finally:
        warehouse.execute("drop table public.catatan")


def test_another_shape_keeps_the_table_and_names_what_goes(warehouse: psycopg.Connection) -> None:
    published(warehouse)
    table = warehouse.execute("select 'marts.fct_coba'::regclass::oid").fetchone()
    warehouse.execute("create view public.tetap as select id, regency_code from marts.fct_coba")
    warehouse.execute("create view public.hilang as select name from marts.fct_coba")
    warehouse.execute("alter table marts_next.fct_coba drop column name")
    warehouse.execute("alter table marts_next.fct_coba add column value bigint default 7")
    changed = published(warehouse, id="not_null", regency_code="", value="not_null")
    assert changed == (2, ["drop cascades to view hilang"])
    assert warehouse.execute("select 'marts.fct_coba'::regclass::oid").fetchone() == table
    assert warehouse.execute("select * from marts.fct_coba where id = 1").fetchall() == [
        (1, "19.01", 7)
    ]
    assert warehouse.execute("select count(*) from public.tetap").fetchone() == (2,)


@contextmanager
def reading(url: str) -> Iterator[str]:
    """An idle transaction that has read the mart; its pid and user."""
    with psycopg.connect(url, application_name="meja ana") as reader:
        reader.execute("select from marts.fct_coba").fetchall()
        yield f"pid {reader.info.backend_pid} (user {reader.info.user}, application meja ana"


def test_who_holds_a_mart_that_must_change_is_named(
    warehouse: psycopg.Connection, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ATTEMPTS", 2)
    monkeypatch.setattr(module, "SECONDS_BETWEEN_ATTEMPTS", 0)
    published(warehouse)
    warehouse.execute("set application_name = 'lumbung build'")
    warehouse.execute("alter table marts_next.fct_coba add column value bigint")
    with reading(empty) as reader, module.Blockers(empty) as blockers:
        with pytest.raises(BuildError, match="another session holds one"):
            published(warehouse, **COBA, value="")
        assert str(blockers).startswith(f"{reader}, query began 20")
        with psycopg.connect(empty, options="-c lock_timeout=100ms") as other:
            assert other.execute("select count(*) from marts.fct_coba").fetchone() == (2,)
    assert published(warehouse, **COBA, value="") == (0, [])
