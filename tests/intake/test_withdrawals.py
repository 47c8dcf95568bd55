"""What a file no longer has: withdrawn when that is confirmed, and never because a file is away."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
import pytest

from lumbung.intake.landing import IntakeCounts
from tests.support.channel_samples import REGISTER, workbook

PUBLIC = {**REGISTER, "personal": [], "subject": []}
HEADER = ["Nomor", "Kab/Kota", "Uraian"]

Pull = Callable[[], IntakeCounts]
Put = Callable[..., None]


@pytest.fixture
def inbox(add_channel: Callable[..., Path]) -> Path:
    return add_channel(PUBLIC)


@pytest.fixture
def pull(pull_from: Callable[..., IntakeCounts]) -> Pull:
    return lambda: pull_from("register_contoh")


@pytest.fixture
def put(inbox: Path) -> Put:
    """Write a file, each a minute later than the one before."""
    times = iter(range(1_700_000_000, 1_800_000_000, 60))

    def act(name: str, content: bytes | str) -> None:
        file = inbox / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        os.utime(file, (next(times),) * 2)

    return act


def rows(keys: Sequence[int], **stories: str) -> str:
    """A CSV register of these numbers."""
    body = [f"{key}/LP,Bangka,{stories.get(f'n{key}', f'kejadian {key}')}" for key in keys]
    return "\n".join([",".join(HEADER), *body, ""])


def book(hidden: Sequence[str] = (), **sheets: Sequence[int]) -> bytes:
    """A workbook of sheets with these numbers."""
    return workbook(
        {
            name: [HEADER, *([f"{key}/LP", "Bangka", f"kejadian {key}"] for key in keys)]
            for name, keys in sheets.items()
        },
        hidden=hidden,
    )


def alive(db: psycopg.Connection) -> set[int]:
    """The numbers that are not withdrawn."""
    return {
        int(key.partition("/")[0])
        for (key,) in db.execute(
            "select source_id from (select distinct on (source_id) * from raw.record"
            " order by source_id, record_id desc) as latest where not is_tombstone"
        )
    }


def wait(db: psycopg.Connection, days: int) -> None:
    """Let what was missed have been missed days ago."""
    db.execute(
        "update ops.missing_record set missed_at = missed_at - make_interval(days => %s)", (days,)
    )


TEN = range(1, 11)


def test_a_file_that_is_cut_at_the_end_of_a_row_withdraws_nothing_however_often_it_is_read(
    pull: Pull, put: Put, db: psycopg.Connection
) -> None:
    put("a.csv", rows(TEN))
    pull()
    put("a.csv", rows(range(1, 8)))
    for _ in range(3):
        assert pull() == IntakeCounts(read=7, duplicate=7, missing=3)
    wait(db, 6)
    assert pull().tombstones == 0
    put("a.csv", rows(TEN))
    assert pull() == IntakeCounts(read=10, duplicate=10)
    assert db.execute("select count(*) from ops.missing_record").fetchone() == (0,)


def test_a_file_that_grows_or_is_cut_again_confirms_nothing(
    pull: Pull, put: Put, db: psycopg.Connection
) -> None:
    put("a.csv", rows(TEN))
    pull()
    for last in (7, 8, 8, 7, 9, 9):
        put("a.csv", rows(range(1, last + 1)))
        counts = pull()
        assert (counts.missing, counts.tombstones) == (10 - last, 0)
    put("a.csv", rows(TEN))
    assert pull() == IntakeCounts(read=10, duplicate=10)


def test_a_row_that_is_gone_is_withdrawn_when_the_file_comes_again_without_it(
    pull: Pull, put: Put, db: psycopg.Connection
) -> None:
    put("a.csv", rows(TEN))
    pull()
    put("a.csv", rows([1, 2, 3, 5, 6, 7, 8, 9, 10]))
    assert pull().missing == 1
    put("a.csv", rows([1, 2, 3, 5, 6, 7, 8, 9, 10], n2="diperbaiki"))
    assert pull() == IntakeCounts(read=9, landed=1, duplicate=8, tombstones=1)
    assert alive(db) == {*TEN} - {4}
    put("a.csv", rows(TEN, n2="diperbaiki"))
    assert pull() == IntakeCounts(read=10, landed=1, duplicate=9), "and it may come back"
    assert alive(db) == {*TEN}


def test_a_row_that_is_gone_from_an_unchanged_file_is_withdrawn_after_one_cadence(
    pull: Pull, put: Put, db: psycopg.Connection, add_channel: Callable[..., Path]
) -> None:
    add_channel(PUBLIC, expected_every="2 days")
    put("a.csv", rows(TEN))
    pull()
    put("a.csv", rows(range(1, 10)))
    assert pull().missing == 1
    wait(db, 1)
    assert pull().missing == 1
    wait(db, 1)
    assert pull() == IntakeCounts(read=9, duplicate=9, tombstones=1)
    assert alive(db) == {*TEN} - {10}


# -- sheets --------------------------------------------------------------------------------------


def test_a_sheet_that_is_hidden_or_renamed_withdraws_no_row(
    pull: Pull, put: Put, db: psycopg.Connection
) -> None:
    put("a.xlsx", book(Oktober=range(1, 7), November=range(7, 11)))
    pull()
    for sheets in (
        {"Okt": range(1, 7), "Nov": range(7, 11), "hidden": ["Nov"]},
        {"Okt": range(2, 7), "Nov": range(7, 11), "Lain": [1], "hidden": ["Nov", "Lain"]},
        {"Okt": range(2, 8), "Nov": range(8, 11), "X": [1]},
    ):
        put("a.xlsx", book(**sheets))
        pull()
        wait(db, 8)
        assert pull().missing == 0
        assert alive(db) == {*TEN}


def test_a_row_that_is_gone_from_a_hidden_sheet_too_is_withdrawn(
    pull: Pull, put: Put, db: psycopg.Connection
) -> None:
    put("a.xlsx", book(Oktober=range(1, 7), November=range(7, 11)))
    pull()
    put("a.xlsx", book(Oktober=range(1, 7), November=range(8, 11), hidden=["November"]))
    assert pull().missing == 1
    wait(db, 8)
    assert pull().tombstones == 1
    assert alive(db) == {*TEN} - {7}


def test_what_a_hidden_sheet_says_is_not_landed(
    pull: Pull, put: Put, db: psycopg.Connection
) -> None:
    put("a.xlsx", book(Oktober=range(1, 7), Contoh=range(7, 11), hidden=["Contoh"]))
    assert pull() == IntakeCounts(read=6, landed=6)
    assert alive(db) == {*range(1, 7)}


# -- files ---------------------------------------------------------------------------------------


def test_a_row_that_moved_to_a_file_which_is_taken_away_is_held_for_a_person(
    pull: Pull, put: Put, db: psycopg.Connection, inbox: Path
) -> None:
    put("Register.csv", rows(TEN))
    pull()
    put("Register.csv", rows(range(4, 11)))
    put("Arsip.csv", rows([1, 2, 3]))
    assert pull() == IntakeCounts(read=10, duplicate=10)
    (inbox / "Arsip.csv").unlink()
    put("Register.csv", rows(range(4, 11), n4="diperbaiki"))
    assert pull() == IntakeCounts(read=7, landed=1, duplicate=6, withheld=3)
    wait(db, 30)
    assert pull().withheld == 3
    assert alive(db) == {*TEN}
    put("Arsip.csv", rows([1, 2]))
    assert pull().missing == 1, "the file is there again and has one row less"
    wait(db, 8)
    assert pull().tombstones == 1
    assert alive(db) == {*TEN} - {3}


def test_weekly_files_that_are_taken_away_withdraw_nothing_and_hold_nothing(
    pull: Pull, put: Put, db: psycopg.Connection, inbox: Path
) -> None:
    for week, keys in ((40, range(1, 5)), (41, range(1, 8)), (42, TEN)):
        put(f"Register {week}.csv", rows(keys))
        pull()
    (inbox / "Register 40.csv").unlink()
    (inbox / "Register 41.csv").unlink()
    assert pull() == IntakeCounts(read=10, duplicate=10)
    put("Register 42.csv", rows([1, *range(3, 11)]))
    assert pull().missing == 1
    wait(db, 8)
    assert pull().tombstones == 1, "the newest of the series had it and has it no longer"
    put("Register 41.csv", rows(range(1, 8), n5="diperbaiki"))
    assert pull() == IntakeCounts(read=16, landed=1, duplicate=15)
    assert alive(db) == {*TEN} - {2}, "an older file that still has it brings nothing back"
    put("Register 43.csv", rows(TEN, n5="diperbaiki"))
    assert pull().landed == 1
    assert alive(db) == {*TEN}, "the next one of the series does"


def test_weekly_files_of_which_each_holds_its_own_rows_withdraw_nothing(
    pull: Pull, put: Put, db: psycopg.Connection, inbox: Path
) -> None:
    put("Minggu 40.csv", rows(range(1, 6)))
    pull()
    (inbox / "Minggu 40.csv").unlink()
    put("Minggu 41.csv", rows(range(6, 11)))
    pull()
    wait(db, 30)
    assert pull() == IntakeCounts(read=5, duplicate=5)
    assert alive(db) == {*TEN}


def test_a_row_that_moves_to_an_older_file_of_its_series_is_the_same_row(
    pull: Pull, put: Put, db: psycopg.Connection, inbox: Path
) -> None:
    put("Register 10.csv", rows(range(1, 6)))
    put("Register 11.csv", rows(range(6, 11)))
    pull()
    put("Register 10.csv", rows(range(1, 7)))
    put("Register 11.csv", rows(range(7, 11)))
    assert pull() == IntakeCounts(read=10, duplicate=10)
    (inbox / "Register 10.csv").unlink()
    wait(db, 8)
    assert pull() == IntakeCounts(read=4, duplicate=4, withheld=1)
    assert alive(db) == {*TEN}


def test_a_correction_that_was_taken_away_holds_no_row_that_the_register_gave_after_it(
    pull: Pull, put: Put, db: psycopg.Connection, inbox: Path
) -> None:
    put("Register.csv", rows(TEN))
    pull()
    put("Perbaikan.csv", rows([1], n1="diperbaiki"))
    pull()
    put("Register.csv", rows(TEN, n1="diperbaiki"))
    pull()
    (inbox / "Perbaikan.csv").unlink()
    put("Register.csv", rows(range(2, 11)))
    assert pull().missing == 1
    wait(db, 8)
    assert pull().tombstones == 1
    assert alive(db) == {*TEN} - {1}


def test_a_withdrawn_row_in_a_file_of_another_series_is_there_again(
    pull: Pull, put: Put, db: psycopg.Connection, inbox: Path
) -> None:
    put("Register.csv", rows(TEN))
    pull()
    put("Register.csv", rows(range(1, 10)))
    pull()
    wait(db, 8)
    pull()
    assert alive(db) == {*TEN} - {10}
    put("Pindahan.csv", rows([10]))
    assert pull().landed == 1
    assert alive(db) == {*TEN}
