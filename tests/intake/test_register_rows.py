"""Which rows of a register are read, which may be without a part of their key, how dates stand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lumbung.intake.channel.load import read_channels
from lumbung.intake.landing import IntakeCounts
from lumbung.settings import Settings
from tests.support.channel_samples import OWNER
from tests.support.delivered import delivered, place

Add = Callable[..., Path]
Pull = Callable[..., IntakeCounts]

CHANNEL: dict[str, Any] = {
    "name": "ekspor",
    "title": "Ekspor contoh",
    "owner": OWNER,
    "schedule": "0 5 * * *",
    "record_kind": "IA",
    "source": {"kind": "register"},
    "key": ["Nomor"],
    "fields": {"received_date": {"from": "Diterima"}, "narrative": {"from": "Uraian"}},
}


def source_ids(db: psycopg.Connection) -> list[str]:
    return [
        source_id
        for (source_id,) in db.execute(
            "select source_id from (select distinct on (source_id) source_id, is_tombstone"
            " from raw.record order by source_id, record_id desc) as r where not is_tombstone"
            " order by 1"
        )
    ]


def test_rows_that_are_left_out_are_counted_and_listed(
    db: psycopg.Connection, add_channel: Add, pull_from: Pull
) -> None:
    source = {"kind": "register", "rows": {"Keadaan": ["Final", ""], "Jenis": "aduan"}}
    inbox = add_channel(CHANNEL, source=source)
    (inbox / "a.csv").write_text(
        "Nomor,Keadaan,Jenis,Diterima,Uraian\n"
        "1,Final,Aduan,6/11/2024,a\n2,konsep,aduan,6/11/2024,b\n3, FINAL ,aduan,6/11/2024,c\n"
        "4,,aduan,6/11/2024,d\n5,Final,lain,6/11/2024,e\n,konsep,aduan,6/11/2024,f\n"
    )
    counts = pull_from("ekspor")
    assert (counts.read, counts.landed, counts.quarantined) == (6, 3, 3)
    assert source_ids(db) == ["1", "3", "4"]
    assert db.execute(
        "select reason_code, locator, dismissed_by, resolved_at is not null"
        " from quarantine.record order by locator"
    ).fetchall() == [
        ("filtered", place("a.csv | baris 3"), "channel file", True),
        ("filtered", place("a.csv | baris 6"), "channel file", True),
        ("filtered", place("a.csv | baris 7"), "channel file", True),
    ]
    assert db.execute("select field from ops.drift_notice").fetchall() == []

    add_channel(CHANNEL, source={"kind": "register"})  # nothing is left out any more
    (inbox / "a.csv").write_bytes((inbox / "a.csv").read_bytes() + b"6,x,y,6/11/2024,g\n")
    pull_from("ekspor")
    assert source_ids(db) == ["1", "2", "3", "4", "5", "6"]
    assert db.execute(
        "select reason_code, locator from quarantine.record where resolved_at is null"
    ).fetchall() == [("required_field_missing", place("a.csv | baris 7"))]


def test_a_row_that_leaves_the_filter_is_withdrawn(
    db: psycopg.Connection, add_channel: Add, pull_from: Pull
) -> None:
    source = {"kind": "register", "rows": {"Keadaan": "Final"}}
    inbox = add_channel(CHANNEL, source=source)
    rows = [f"{n},Final,6/11/2024,x{n}\n" for n in range(1, 6)]
    header = "Nomor,Keadaan,Diterima,Uraian\n"
    (inbox / "a.csv").write_text(header + "".join(rows))
    pull_from("ekspor")
    rows[2] = rows[2].replace("Final", "dicabut")
    (inbox / "a.csv").write_text(header + "".join(rows))
    assert pull_from("ekspor").missing == 1
    (inbox / "a.csv").write_text(header.replace("Uraian", "URAIAN") + "".join(rows))
    assert pull_from("ekspor").tombstones == 1
    assert source_ids(db) == ["1", "2", "4", "5"]


def test_a_file_without_the_column_of_a_filter_has_no_header(
    db: psycopg.Connection, add_channel: Add, pull_from: Pull
) -> None:
    inbox = add_channel(CHANNEL, source={"kind": "register", "rows": {"Keadaan": "Final"}})
    (inbox / "a.csv").write_text("Nomor,Diterima,Uraian\n1,6/11/2024,a\n2,6/11/2024,b\n")
    pull_from("ekspor")
    assert db.execute("select reason_code from quarantine.record").fetchall() == [
        ("header_not_found",)
    ]


def test_a_key_may_be_empty_where_the_row_says_why(
    db: psycopg.Connection, add_channel: Add, pull_from: Pull
) -> None:
    """A repeat group in one sheet: the form's row has no position, its repeats have one."""
    source = {
        "kind": "register",
        "key_may_be_empty": {"Posisi": {"Jenis": "formulir"}, "Induk": {"Jenis": "formulir"}},
    }
    inbox = add_channel(CHANNEL, key=["Nomor", "Induk", "Posisi"], source=source)
    (inbox / "a.csv").write_text(
        "Nomor,Jenis,Induk,Posisi,Diterima,Uraian\n"
        "7,formulir,,,6/11/2024,a\n7,ulangan,7,1,6/11/2024,b\n7,ulangan,7,2,6/11/2024,c\n"
        "8,formulir,,,6/11/2024,d\n8,ulangan,8,,6/11/2024,e\n,formulir,,,6/11/2024,f\n"
    )
    counts = pull_from("ekspor")
    assert (counts.landed, counts.quarantined) == (4, 2)
    assert source_ids(db) == sorted(["7 |  |", "7 | 7 | 1", "7 | 7 | 2", "8 |  |"])
    assert db.execute(
        "select reason, locator from quarantine.record order by locator"
    ).fetchall() == [
        ("kolom Posisi kosong; lengkapi dan kirim kembali berkasnya", place("a.csv | baris 6")),
        (
            "kolom Nomor, Induk, Posisi kosong; lengkapi dan kirim kembali berkasnya",
            place("a.csv | baris 7"),
        ),
    ]
    assert pull_from("ekspor").landed == 0


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (
            "mdy",
            ["25/11/2024", "11/6/2024", "2024-11-06", "6 November 2024", "25.11.24", "25/11/24"],
        ),
        (
            "dmy",
            ["11/25/2024", "6/11/2024", "2024-11-06", "6 November 2024", "11.25.24", "25/11/24"],
        ),
    ],
)
def test_dates_with_the_month_first(
    db: psycopg.Connection, add_channel: Add, pull_from: Pull, order: str, expected: list[str]
) -> None:
    inbox = add_channel(CHANNEL, source={"kind": "register", "date_order": order})
    dates = ["11/25/2024", "6/11/2024", "2024-11-06", "6 November 2024", "11.25.24", "25/11/24"]
    rows = [f"{n},{day},6/11/2024 tiba\n" for n, day in enumerate(dates, 1)]
    (inbox / "a.csv").write_text("Nomor,Diterima,Uraian\n" + "".join(rows))
    assert pull_from("ekspor").landed == 6
    found = delivered(
        db, "select payload ->> 'Diterima', payload ->> 'Uraian' from raw.record order by record_id"
    )
    assert found == [(day, "6/11/2024 tiba") for day in expected]


def test_an_optional_part_of_the_key_is_part_of_the_key(
    settings: Settings, add_channel: Add
) -> None:
    for number, part in enumerate(("Nomor", " nomor ", "Nomer")):
        source = {"kind": "register", "key_may_be_empty": {part: {"Jenis": "formulir"}}}
        add_channel(CHANNEL, source=source)
        _, mistakes = read_channels(settings.channels)
        found = " ".join(mistakes.get("ekspor", []))
        assert ("source.key_may_be_empty.Nomer: is no label of 'key'" in found) is (number == 2)
        assert bool(mistakes) is (number == 2)


def test_a_column_of_a_filter_has_values(settings: Settings, add_channel: Add) -> None:
    source = {"kind": "register", "rows": {"A": []}, "key_may_be_empty": {"Nomor": {"B": []}}}
    add_channel(CHANNEL, source=source)
    _, mistakes = read_channels(settings.channels)
    reported = " ".join(mistakes["ekspor"])
    assert "source.rows.A: has no value" in reported
    assert "source.key_may_be_empty.Nomor.B: has no value" in reported
