"""Several files that hold one row: the one that changed the row last decides, in every order."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lumbung.intake.canonical import canonical
from lumbung.intake.channel.models import Channel
from lumbung.intake.connectors.base import Delivery
from lumbung.intake.landing import IntakeCounts, Landing
from lumbung.intake.landing.landed import opened
from lumbung.intake.vault import Keyring, Vault
from tests.support.channel_samples import REGISTER, channel, workbook
from tests.support.delivered import delivered

VAULT = Vault(bytes(range(32)))
AT = datetime(2024, 11, 6, 3, 30, tzinfo=UTC)
PUBLIC = {**REGISTER, "personal": [], "subject": []}


def delivery(file: str, story: str, hour: int = 0, **more: Any) -> Delivery:
    """The row 1/LP in a file that was changed at an hour."""
    cells = {"Nomor": "1/LP", "Kab/Kota": "Bangka", "Uraian": story, **more}
    filled = {label: value for label, value in cells.items() if value not in (None, "")}
    at = AT + timedelta(hours=hour)
    return Delivery("1/LP", at, filled, file=f"{file}.xlsx", labels=tuple(cells))


def stories(db: psycopg.Connection, name: str, source_id: str = "1/LP") -> list[Any]:
    """What was landed of a row, in its order."""
    return [
        story
        for (story,) in delivered(
            db,
            "select payload ->> 'Uraian' from raw.record where channel = %s and source_id = %s"
            " order by record_id",
            name,
            source_id,
        )
    ]


def land(db: psycopg.Connection, deliveries: Sequence[Delivery], model: Channel) -> None:
    """Each in a pull of its own."""
    for each in deliveries:
        Landing(db, model, VAULT, "uji").land([each])


# -- every order of weekly files, corrections and corrections of these ---------------------------


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("1a 2a 1A 3a", "aA"),  # an older file is corrected in place, the next repeats the newest
        ("1a 2a 1A 3A 4a", "aAa"),  # the register took the correction over, then took it back
        ("1a 2a 1A 3B", "aAB"),
        ("1a 2a 2A 3a", "aA"),  # the newest file is corrected, the register does not know it
        ("1a 2a 2A 3A", "aA"),
        ("1a 2a 2A 3a 4a 5b", "aAb"),
        ("1a 1A 1B 2A", "aAB"),  # a correction of a correction: the copy was made between them
        ("1a 1A 1B 2B 3A", "aABA"),
        ("1a 1A 1a 2a", "aAa"),  # taken back where it was made
        ("1a 1A 1a 2A", "aAa"),
        ("1a 2b 1A 3b", "abA"),
        ("1k 2d 3k", "kdk"),  # the register itself changes a row and changes it back
        ("1a R1A 2A 3A", "aA"),  # the same correction arrives in two files
        ("1a R1A R2B 2A", "aAB"),  # and late in the second, when it was corrected itself
        ("1a R1A R2B 1A 2A", "aAB"),
        ("1a R1A 1A 2A 3a", "aAa"),
        ("1a R1A 2a R1A 3a", "aA"),
        ("1a R1A R1a 2A", "aAa"),  # a late copy of what was taken back
    ],
)
def test_of_weekly_files_and_corrections_the_last_change_of_the_row_stands(
    db: psycopg.Connection, said: str, expected: str
) -> None:
    model = channel(PUBLIC)
    given = [
        delivery(f"{'Revisi' if each[0] == 'R' else 'Register'} {each[-2]}", each[-1], hour)
        for hour, each in enumerate(said.split())
    ]
    land(db, given, model)
    assert "".join(stories(db, model.name)) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        # file, its hour, what it says; in the order of arrival
        ([("Register 1", 0, "a"), ("Register 3", 9, "A"), ("Register 2", 5, "a")], "aA"),
        ([("Register 1", 0, "a"), ("Register 3", 9, "A"), ("Register 2", 5, "b")], "aA"),
        # a sender's clock is late: the name says that the file is the next one
        ([("Register 1", 5, "a"), ("Register 2", 0, "b")], "ab"),
        # a new year's first week
        ([("Register 52", 0, "a"), ("Register 1", 9, "b"), ("Register 2", 19, "a")], "aba"),
        # it was corrected before it was read for the first time
        (
            [
                *(("Register 2", 2, "a"), ("Register 3", 3, "a"), ("Register 1", 4, "A")),
                ("Register 4", 5, "a"),
            ],
            "aA",
        ),
        (
            [
                *(("Buku 23-10-2024", 1, "a"), ("Buku 6-11-2024", 9, "A")),
                ("Buku 30-10-2024", 5, "b"),
            ],
            "aA",
        ),
        # of one time and another telephone each: in the order of arrival
        ([("Buku 628112345678", 9, "a"), ("Buku 628112345670", 9, "b")], "ab"),
    ],
)
def test_files_that_arrive_out_of_order_undo_nothing(
    db: psycopg.Connection, said: list[tuple[str, int, str]], expected: str
) -> None:
    model = channel(PUBLIC)
    late = [delivery(file, story, hour) for file, hour, story in said]
    land(db, late, model)
    land(db, [late[-1]], model)  # and once more
    assert "".join(stories(db, model.name)) == expected


# -- columns that come and go --------------------------------------------------------------------


def test_a_column_that_is_not_mapped_undoes_no_correction(db: psycopg.Connection) -> None:
    model = channel(PUBLIC)
    more = {"Paraf": "tt", "Kolom F": "x"}
    given = [delivery("Register 1", "a"), delivery("Revisi", "A", 1)]
    land(db, [*given, delivery("Register 1", "a", 2, **more)], model)
    land(db, [delivery("Register 2", "a", 3, **more)], model)
    assert stories(db, model.name) == ["a", "A"]
    land(db, [delivery("Register 2", "b", 4, **more)], model)
    assert stories(db, model.name) == ["a", "A", "b"]


def test_a_mapped_column_changes_a_row_where_it_has_a_value(db: psycopg.Connection) -> None:
    model = channel(PUBLIC)
    given = [delivery("Register 1", "a"), delivery("Revisi", "A", 1)]
    empty: dict[str, Any] = {"Tanggal / Kejadian": ""}
    land(db, [*given, delivery("Register 1", "a", 2, **empty)], model)
    assert stories(db, model.name) == ["a", "A"]
    land(db, [delivery("Register 1", "a", 3, **{"Tanggal / Kejadian": "5/11/2024"})], model)
    assert stories(db, model.name) == ["a", "A", "a"]


def test_a_column_that_vanishes_changes_no_row_and_a_cell_that_is_emptied_does(
    db: psycopg.Connection,
) -> None:
    model = channel(PUBLIC)
    dated: dict[str, Any] = {"Tanggal / Kejadian": "5/11/2024"}
    land(db, [delivery("Register 1", "a", **dated), delivery("Register 1", "a", 1)], model)
    assert stories(db, model.name) == ["a"], "the date that was known stays"
    land(db, [delivery("Revisi", "A", 2, **dated), delivery("Register 1", "a", 3, **dated)], model)
    assert stories(db, model.name) == ["a", "A"]
    land(db, [delivery("Register 1", "a", 4, **{"Tanggal / Kejadian": None})], model)
    assert stories(db, model.name) == ["a", "A", "a"]


def test_a_column_that_is_called_by_its_other_name_is_the_same(db: psycopg.Connection) -> None:
    model = channel(PUBLIC)
    renamed = delivery("Register 2", "a", 2)
    fields = {{"Kab/Kota": "Kabupaten"}.get(k, k): v for k, v in renamed.fields.items()}
    renamed = renamed._replace(fields=fields, labels=tuple(fields))
    land(db, [delivery("Register 1", "a"), delivery("Revisi", "A", 1), renamed], model)
    assert stories(db, model.name) == ["a", "A"]
    other = renamed._replace(fields={**fields, "Kabupaten": "Belitung"})
    land(db, [other], model)
    assert stories(db, model.name) == ["a", "A", "a"]


def test_what_an_undeclared_column_holds_is_kept_with_the_row_that_stands(
    db: psycopg.Connection,
) -> None:
    model = channel(PUBLIC)
    first = delivery("Register 1", "a")
    second = delivery("Register 1", "a", 1, Paraf="tt")
    land(db, [first, second, second], model)
    assert stories(db, model.name) == ["a", "a"]
    rows = db.execute(
        "select source_id, ciphertext from raw.record left join vault.identity using (record_id)"
        " order by record_id"
    ).fetchall()
    assert [opened(Keyring(db, VAULT), model.name, *row).get("Paraf") for row in rows] == [
        None,
        "tt",
    ]


# -- the same values in another format -----------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((1, 1.0, "1", "1.0", "1,0", " 1 "), "1"),
        ((1.5, "1.5", "1,5", "1,50"), "1.5"),
        ((1500000, 1500000.0, "1.500.000", "1,500,000"), "1500000"),
        ((None, "", "  ", "\u00a0"), ""),
        (("a  b\r\nc ", "a b\nc"), "a b c"),
        (
            (
                *("2024-11-06", "2024-11-06T00:00:00", "2024-11-06 00:00:00", "06/11/2024"),
                *("6/11/24", "06-11-2024", "6.11.2024", "6 Nov 2024", "06 November 2024"),
                *("6-Nop-24", "Rabu, 6 November 2024", "06/11/2024 00.00"),
            ),
            "2024-11-06",
        ),
        (("2024-11-06T10:30:00", "06/11/2024 10.30", "6/11/2024 10:30:00"), "2024-11-06 10:30:00"),
        (("10:30", "10:30:00"), "10:30:00"),
        ((True, "TRUE"), "TRUE"),
        ((0.1, "0.1", "0,1"), "0.1"),
    ],
)
def test_values_that_formats_write_in_several_ways_are_compared_as_one(
    values: Sequence[Any], expected: str
) -> None:
    assert {canonical(value) for value in values} == {expected}


def test_values_that_differ_are_compared_as_different() -> None:
    values = ["007", "7", "0812", "812", "31/02/2024", "6/11/2024", "11/6/2024", "19.03.01"]
    values += ["19.03", "1903", "Kajian awal", "kajian awal", "-", "nihil", "1/LP/2024", "12:61x"]
    assert len({canonical(value) for value in values}) == len(values)


def test_a_file_that_becomes_csv_makes_no_version_and_undoes_no_correction(
    pull_from: Callable[..., IntakeCounts],
    db: psycopg.Connection,
    add_channel: Callable[..., Path],
) -> None:
    inbox = add_channel(PUBLIC)
    header = ["Nomor", "Tanggal Diterima", "Kab/Kota", "Uraian"]
    fields = {**REGISTER["fields"], "received_date": {"from": "Tanggal Diterima"}}
    add_channel(PUBLIC, fields=fields)
    (inbox / "buku.xlsx").write_bytes(
        workbook(
            {
                "S": [
                    header,
                    [1, date(2024, 11, 6), "Bangka ", "warung  kopi"],
                    [2, date(2024, 11, 7), "Bangka", "b"],
                ]
            }
        )
    )
    assert pull_from("register_contoh").landed == 2
    (inbox / "revisi.csv").write_text("Nomor,Tanggal Diterima,Kab/Kota,Uraian\n2,,Bangka,B\n")
    assert pull_from("register_contoh").landed == 1
    (inbox / "buku.xlsx").unlink()
    rows = ["Nomor;Tanggal Diterima;Kab/Kota;Uraian"]
    rows += ["1;06/11/2024;Bangka;warung kopi ", "2;7-11-2024;Bangka;b", ""]
    (inbox / "buku.csv").write_text("\n".join(rows))
    assert pull_from("register_contoh") == IntakeCounts(read=3, duplicate=3)
    kept = "select payload ->> 'Tanggal Diterima', payload ->> 'Uraian' from raw.record"
    assert delivered(db, f"{kept} where source_id = '1'") == [("2024-11-06", "warung  kopi")], (
        "what is kept is what the first file wrote"
    )
    assert stories(db, "register_contoh", "2") == ["b", "B"]


# -- any order, against a model of the truth ------------------------------------------------------


ROWS = [f"{number}/LP" for number in range(1, 4)]


@dataclass
class Office:
    """An office that keeps a register, sends a copy each week and corrects what it has sent.

    Contents are never used twice, so what stands is what was changed last.
    """

    chance: random.Random
    master: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ROWS, 0))
    truth: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ROWS, 0))
    sent: dict[str, dict[str, int]] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    edited: set[str] = field(default_factory=set)
    week: int = 0
    clock: int = 0
    count: int = 0

    def new(self) -> int:
        self.count += 1
        return self.count

    def send(self, file: str, *, may_lack: bool = False) -> list[Delivery]:
        """A file's rows, in any order and format, with columns that come and go."""
        self.clock += 1
        self.times[file] = self.clock
        rows = [*self.sent[file].items()]
        self.chance.shuffle(rows)
        labels = ["Nomor", "No", "Kab/Kota", "Uraian", "Tanggal / Diterima"]
        labels += ["Tanggal / Kejadian"] if not may_lack or self.chance.random() < 0.5 else []
        labels += self.chance.choice([[], ["Paraf"], ["Paraf", "Kolom G"]])
        found = []
        for place, (key, number) in enumerate(rows, 1):
            day = date(2024, 11, 6) + timedelta(days=number)
            cells: dict[str, Any] = {
                "Nomor": key,
                "No": place,
                "Kab/Kota": self.chance.choice(["Bangka", "Bangka "]),
                "Uraian": self.chance.choice([number, float(number), f"{number}", f"{number},0"]),
                "Tanggal / Diterima": self.chance.choice([f"{day}", f"{day:%d/%m/%Y}"]),
                "Tanggal / Kejadian": f"{day:%d-%m-%Y}",
                "Paraf": f"paraf {number}",
            }
            fields = {label: cells[label] for label in labels if label in cells}
            at = AT + timedelta(hours=self.times[file])
            found.append(Delivery(key, at, fields, file=file, labels=tuple(labels)))
        return found

    def act(self, kind: str) -> list[Delivery]:
        """One thing that happens; the rows that arrive."""
        key = self.chance.choice(ROWS)
        file = self.chance.choice([*self.sent]) if self.sent else "Register 0.xlsx"
        if kind == "edit":
            self.master[key] = self.new()
            self.edited.add(key)
        elif kind == "adopt":
            self.master[key] = self.truth[key]
            self.edited.discard(key)
        elif kind == "resend" and self.sent:
            return self.send(file, may_lack=True)
        elif kind == "correct" and self.sent:
            key = self.chance.choice([*self.sent[file]])
            self.sent[file][key] = self.truth[key] = self.new()
            return self.send(file)
        elif kind == "take over" and self.sent:
            key = self.chance.choice([*self.sent[file]])
            self.sent[file][key] = self.truth[key]
            return self.send(file)
        elif kind == "revise":
            file = f"Perbaikan {uuid.uuid4().hex}.xlsx"
            self.truth[key] = self.new()
            self.sent[file] = {key: self.truth[key]}
            return self.send(file)
        elif kind in ("week", "weeks swapped"):
            copies: list[list[Delivery]] = []
            for _ in range(1 + (kind != "week")):
                self.week += 1
                file = f"Register {self.week}.xlsx"
                self.sent[file] = {**self.master}
                copies.insert(0, self.send(file))
                if kind != "week" and len(copies) == 1:
                    self.master[key] = self.new()
                    self.edited.add(key)
            for each in self.edited:
                self.truth[each] = self.master[each]
            self.edited.clear()
            return [row for copy in copies for row in copy]
        return []


KINDS = ["edit", "adopt", "resend", "correct", "take over", "revise", "week", "weeks swapped"]


@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=3, max_size=14),
    seed=st.integers(0, 2**32),
    size=st.integers(1, 5),
)
@example(kinds=["revise", "take over"], seed=319, size=1)  # with a column that the revision lacks
def test_whatever_is_sent_in_whatever_order_the_last_change_of_each_row_stands(
    db: psycopg.Connection, kinds: list[str], seed: int, size: int
) -> None:
    model = channel(PUBLIC, name=f"b{uuid.uuid4().hex}")
    office = Office(random.Random(seed))
    for kind in ["week", *kinds]:
        rows = office.act(kind)
        landing = Landing(db, model, VAULT, "acak")
        for first in range(0, len(rows), size):
            landing.land(rows[first : first + size])
        again = Landing(db, model, VAULT, "acak")
        assert again.land(rows).landed == 0, "what is read again is no news"
        standing = {
            key: canonical(story)
            for key, story in delivered(
                db,
                "select distinct on (source_id) source_id, payload ->> 'Uraian' from raw.record"
                " where channel = %s order by source_id, record_id desc",
                model.name,
            )
        }
        assert standing == {key: f"{number}" for key, number in office.truth.items()}
