"""Input that is made to exhaust a reader: each reader takes steps in proportion to its input.

The inputs are so large that a reader of quadratic time would take hours; nothing is timed.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lumbung.intake.connectors.base import Delivery, Item, Unreadable
from lumbung.intake.connectors.form_a import reader as form_a
from lumbung.intake.connectors.register import reader as registers
from lumbung.intake.connectors.register.config import RegisterSource
from lumbung.intake.connectors.shared import delimited, markup
from lumbung.intake.connectors.shared.files import File
from lumbung.intake.connectors.shared.parser_process import ParserProcess
from lumbung.intake.connectors.shared.template import Template
from lumbung.intake.connectors.sigaplapor import reader as sigaplapor
from tests.support.channel_samples import REGISTER, channel

MANY = 150_000
WIDE = 16_000
AT = datetime(2024, 11, 9, tzinfo=UTC)


def table(**changes: Any) -> registers.Table:
    return registers.Table(channel(REGISTER, **changes), RegisterSource(kind="register"))


def read(path: Path, content: str) -> list[Item]:
    path.write_text(content)
    with ParserProcess() as child:
        file = File(path.name, path, bytes(32), AT, False)
        options = RegisterSource(kind="register")
        return [*registers.read_file(table(), options, file, child)]


HEADER = "Nomor,Tanggal / Diterima,Kab/Kota,Uraian\n"


@pytest.mark.parametrize(
    "cell",
    [
        "1" + " " * MANY + "x",
        " " * MANY + "x",
        "JUMLAH" + " " * MANY + "x",
        "/ " * MANY,
        "1" * MANY,
    ],
)
def test_cells_of_a_register(tmp_path: Path, cell: str) -> None:
    items = read(tmp_path / "a.csv", f"{HEADER}1/LP,,Bangka,x\n{cell},,,\n2/LP,,Bangka,{cell}\n")
    assert {"1/LP", "2/LP"} <= {item.source_id for item in items}  # type: ignore[union-attr]


def test_a_header_that_repeats_a_label_over_all_columns(tmp_path: Path) -> None:
    row = "1/LP,,Bangka,x," + "," * (WIDE - 5)
    for label in ("Isu", "Nomor"):
        header = ",".join([HEADER.strip(), *[label] * (WIDE - 4)])
        items = read(tmp_path / "a.csv", f"{header}\n{row}\n")
        assert [item.source_id for item in items] == ["1/LP"]  # type: ignore[union-attr]
    found = delimited.Table(tmp_path / "a.csv", {"nomor"})
    assert len({*found.labels}) == WIDE


def test_a_row_of_more_cells_than_any_sheet_has(tmp_path: Path) -> None:
    items = read(tmp_path / "a.csv", f"{HEADER}1/LP,,Bangka,x\n2/LP{',' * MANY}x\n")
    assert [item.source_id for item in items] == ["1/LP", None]  # type: ignore[union-attr]
    assert isinstance(items[-1], Unreadable)


def test_merged_cells_without_number() -> None:
    rows = [
        ["Nomor", "Tanggal / Diterima", "Kab/Kota", "Uraian"],
        *([f"{n}/LP", "", "", "x"] for n in range(200)),
    ]
    merges = [((1, 2), (1_000_000, 3)) for _ in range(100_000)]
    merges += [((0, 0), (0, 16_000)) for _ in range(100_000)]
    file = File("a.xlsx", Path("a.xlsx"), bytes(32), AT, False)
    items = [*table().rows(file, "S", rows, merges)]
    assert len(items) == 200


def test_blank_rows_without_number() -> None:
    row = ["1/LP", "", "Bangka", "x"]
    rows: list[Any] = [HEADER.strip().split(","), 1 << 60, row]
    file = File("a.xlsx", Path("a.xlsx"), bytes(32), AT, False)
    (item,) = table().rows(file, "S", rows, [])
    assert isinstance(item, Delivery)
    assert item.locator == f"a.xlsx | S | baris {(1 << 60) + 2}"


@pytest.mark.parametrize(
    "page",
    [
        "<" + "a" * MANY,
        "<a " + "b=" * MANY,
        "<a " + '"' * (MANY + 1),
        "<a" * MANY,
        "<!--" * MANY,
        "<!" * MANY,
        "x</a>" * MANY,
        "&#" + "9" * MANY + ";",
        "<table>" * MANY,
        "<td colspan=100>" * MANY,
        "<a b" + " " * MANY + ">",
        "dari " * MANY,
        "dari " + "1" * MANY,
    ],
    ids=range(13),
)
def test_pages(page: str) -> None:
    assert isinstance(markup.plain(page), str)
    assert sigaplapor._page(page).following is None


def test_a_message_of_nothing_but_labels() -> None:
    template = Template(channel(REGISTER), None, ())
    text = "\n".join(f"Pelapor / Nama: warga {n}" for n in range(MANY // 10))
    assert template.read(text).shown == ""


LINES = [
    "1" + "/LHP" * MANY,
    "1/LHP" + "/A" * MANY,
    "1" + " " * MANY + "x",
    "I" + " " * MANY + "x",
    "a" + " " * MANY + "x",
    "(1." + " " * MANY,
    "A" * MANY + ",",
    "Toboali," + " " * MANY + "x",
    "Toboali, 6 nov" + "e" * MANY,
    "Toboali, 6 November 2024" + " " * MANY + "x",
    "kegiatan pengawasan pemil" + "u" * MANY + "x",
    "uraian hasil" + " hasil kegiatan" * MANY + "x",
    "Nama" + " " * MANY + ":" + " " * MANY,
    "Uraian" + " :" * MANY,
    "1 " * MANY,
]


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
@pytest.mark.parametrize("section", ["", "II. KEGIATAN", "III. DUGAAN PELANGGARAN", "SAKSI-SAKSI"])
def test_lines_of_a_form(section: str, line: str) -> None:
    form = form_a._Form(channel({**REGISTER, "key": [], "source": {"kind": "form_a"}}))
    for cells in ([section], [line], [line, line], [f"Nama: {line}"]):
        form.take(cells)
    assert isinstance(form.fields(), dict)


def test_no_pattern_here_has_a_repetition_within_a_repetition() -> None:
    """`(a*)*` backtracks exponentially; what these modules repeat is one class or possessive."""
    modules = (registers, delimited, form_a, markup, sigaplapor)
    nested = re.compile(r"[*+]\)[*+](?!\+)")
    for module in modules:
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                assert not nested.search(value.pattern), f"{module.__name__}.{name}"
