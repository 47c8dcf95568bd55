"""The functions that dbt and Python call (migration 0060)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from lumbung.intake.landing.batch import PLACE_BITS, first_record_id
from lumbung.intake.landing.lexicon import term_key
from lumbung.intake.parsers.characters import folded
from lumbung.settings import JAKARTA
from lumbung.warehouse import channels
from tests.warehouse.conftest import query


@pytest.fixture(scope="module")
def url(new_database: Callable[[], str]) -> str:
    return new_database()


def test_python_and_sql_agree_on_the_ids_of_a_batch(url: str) -> None:
    assert query(
        url, "select ops.first_record_id(n) from unnest('{0,7,4398046511104}'::bigint[]) n"
    ) == [(first_record_id(batch_id),) for batch_id in (0, 7, 4398046511104)]
    assert first_record_id(7) + (1 << PLACE_BITS) == first_record_id(8)


def test_a_caller_lends_them_no_search_path_and_no_rights(url: str) -> None:
    """A body of SQL is bound when the function is made; one of PL/pgSQL is read when it runs."""
    found = query(
        url,
        "select proname, provolatile::text, proparallel::text, prosecdef,"
        " prosqlbody is not null or proconfig::text ~ 'search_path' from pg_proc"
        " where pronamespace = 'ops'::regnamespace and proname in"
        " ('first_record_id', 'folded', 'term_key', 'names_nobody', 'read_date') order by 1",
    )
    assert found == [
        (name, "i", "s", False, True)
        for name in ("first_record_id", "folded", "names_nobody", "read_date", "term_key")
    ]


@pytest.mark.parametrize(
    "call",
    [
        "ops.first_record_id(batch_id)",
        "ops.folded(run_key)",
        "ops.term_key(run_key)",
        "ops.names_nobody(run_key)",
    ],
)
def test_what_is_asked_of_every_row_is_inlined(url: str, call: str) -> None:
    with psycopg.connect(url) as connection:
        plan = connection.execute(f"explain (verbose) select {call} from raw.batch".encode())
        assert "ops." not in "".join(line for (line,) in plan)


def test_a_word_is_spelled_as_in_the_seeds(url: str) -> None:
    words = ["Politik  UANG ", " isu_sara", "PKD / Panwascam;", "ada - ", None]
    assert query(url, "select ops.term_key(w) from unnest(%s::text[]) as w", words) == [
        ("politik uang",), ("isu sara",), ("pkd/panwascam",), ("ada",), (None,),
    ]  # fmt: skip


def test_python_and_sql_fold_every_character_alike(url: str) -> None:
    """Of each that Unicode 14 names, which is Python's; but PostgreSQL's letters are its own."""
    written = [
        f"A{chr(code)}b{chr(code)}"
        for code in range(1, 0x30000)
        if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co")
    ]
    found = query(
        url, "select w, ops.folded(w), ops.term_key(w) from unnest(%s::text[]) as w", written
    )
    assert len(found) > 100_000
    unlike = {w: f for w, f, key in found if (f, key) != (folded(w), term_key(w))}
    assert unlike == {}


def test_a_word_is_read_whatever_its_characters_look_like(url: str) -> None:
    for written in (
        "ｐｏｌｉｔｉｋ\u3000ＵＡＮＧ",
        "poli\u200btik u\u00adang\ufeff",
        "pоlitik uаng",
    ):
        assert term_key(written) == "politik uang"
        assert query(url, "select ops.term_key(%s)", written) == [("politik uang",)]


def test_a_word_that_may_name_somebody_is_not_shown(url: str) -> None:
    shown = {
        "lain lain": True, "masih kami pelajari dulu": False, "pak anu": False, "hj. siti": False,
        "0812345": False, "a@b": False, "x" * 41: False, "bupati": True, "mendaftar": True,
    }  # fmt: skip
    found = query(url, "select w, ops.names_nobody(w) from unnest(%s::text[]) as w", list(shown))
    assert dict(found) == shown


def test_an_installation_has_one_clock(new_database: Callable[[], str]) -> None:
    """A demo lands files of 2024: its channels are as fresh as they were then."""
    url = new_database()
    write = (
        "insert into raw.batch (channel, run_key, started_at, read_count, landed_count,"
        " duplicate_count, quarantined_count) values ('wa', 'a', now(), 1, 1, 0, 0)"
        " returning landed_at"
    )
    decide = (
        "ops.link_decision (report_id_a, report_id_b, decision_code, decided_by)"
        " values ('a', 'b', 'different', 'x')",
        "ops.exclusion_decision (channel, source_id, record_id, decision_code, decided_by, reason)"
        " values ('wa', '1', 1, 'excluded', 'x', 'x')",
        "ops.mapping_decision (vocabulary, term, code, decided_by)"
        " values ('issue', 'x', 'PU', 'x')",
        "ops.channel_decision (channel, decision_code, file_name, decided_by, reason)"
        " values ('wa', 'retired', 'wa', 'x', 'x')",
    )
    with psycopg.connect(url, autocommit=True) as connection:
        assert query(url, "select abs(extract(epoch from ops.now() - now())) < 60") == [(True,)]
        connection.execute("insert into ops.clock (behind) values (interval '700 days')")
        ((landed_at,),) = connection.execute(write).fetchall()
        decided = [
            connection.execute(f"insert into {text} returning decided_at".encode()).fetchone()
            for text in decide
        ]
        real = datetime.now(UTC)
    for at in (landed_at, *(row[0] for row in decided if row)):
        assert timedelta(days=699) < real - at < timedelta(days=701)
    assert len(decided) == 4
    found = channels.statuses(url, {"wa": timedelta(days=1)}, allowed=2)["wa"]
    assert (found.is_late, found.days[-1].landed) == (False, 1)
    assert found.days[-1].day == landed_at.astimezone(JAKARTA).date()
