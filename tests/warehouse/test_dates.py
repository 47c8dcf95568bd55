"""Dates as people and machines write them, each with the day that a careful person reads.

`date_spellings.csv` is the list that the reader is tuned on; benchmarks/judge_dates.py measures it,
or another one.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from benchmarks import judge_dates
from lumbung.settings import Settings
from lumbung.warehouse.build import build
from tests.warehouse.conftest import Raw, query

LIST = Path(__file__).parent / "date_spellings.csv"


@pytest.fixture(scope="module")
def spellings(new_database: Callable[[], str]) -> list[judge_dates.Spelling]:
    return judge_dates.read(LIST, new_database())


def test_no_spelling_is_read_as_another_day(spellings: list[judge_dates.Spelling]) -> None:
    assert len(spellings) > 600
    assert [(s.text, s.read, s.expected) for s in spellings if s.is_wrong] == []


def test_every_spelling_that_any_clerk_reads_is_read(
    spellings: list[judge_dates.Spelling],
) -> None:
    assert [s.text for s in spellings if s.is_missed] == []


def test_no_text_stops_the_reader(database_url: str) -> None:
    """Texts of all signs that its patterns look for, where a digit is more than 0 to 9."""
    parts = [
        *"0123456789/-.,:()[]#@^!=_>&'|+ ", "20", "24", "11", "2024", "6 ", "[2024_11_6]", "s/d",
        "november", "Kamis", "malam", "pukul", "wib", "gmt", "+07", "am", "99999999", "é", "\u200f",
        "Ǆ", "🗓", "½", "٣", "\n", "𝟞",
    ]  # fmt: skip
    chosen = random.Random(1)
    texts = ["4٥٦٠٢", "٦/١١/٢٠٢٤", "6/١١/2024"] + [
        "".join(chosen.choices(parts, k=chosen.randrange(40))) for _ in range(1000)
    ]
    with psycopg.connect(database_url) as connection:
        (count,) = connection.execute(
            "select count(*) from unnest(%s::text[]) as text"
            " cross join lateral ops.read_date(text collate pg_unicode_fast) as day",
            (texts,),
        ).fetchone() or (0,)
    assert count == len(texts)


def test_a_wrong_weekday_is_listed_and_the_date_counts(
    warehouse_url: str, office: Settings
) -> None:
    url = warehouse_url
    row = {"Nomor": "001/LP/PB/Kab/09.01/XI/2024", "Kab/Kota": "Bangka"}
    Raw(url).land(
        "buku", [row | {"Diterima": "Rabu, 7 November 2024", "Kejadian": "Selasa 5-11-24"}]
    )
    build(settings=office, database_url=url)
    assert query(
        url, "select received_date::text, occurred_date::text, week_id from marts.fct_report"
    ) == [("2024-11-07", "2024-11-05", "2024-W45")]
    assert query(url, "select check_code, owner, detail from marts.fct_review_item") == [
        ("weekday_disagrees", "channel owner", "received_date")
    ]
