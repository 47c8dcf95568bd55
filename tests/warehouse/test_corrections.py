"""Weekly registers with corrections and withdrawals, from the inbox to the facts."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from lumbung.intake import run
from lumbung.settings import Settings
from lumbung.warehouse.build import build
from tests.warehouse.conftest import CHANNELS, query, write_channel

pytestmark = pytest.mark.slow

A, B, C, D = (f"00{n}/LP/PB/Kab/09.01/XI/2024" for n in (1, 2, 3, 4))
HEADER = ["No", "Nomor", "Diterima", "Kab/Kota", "Isu", "Status", "Jenis", "Uraian"]


def case(number: str, regency: str = "Bangka", status: str = "Kajian awal") -> list[Any]:
    return [number, date(2024, 11, 5), regency, "Politik uang", status, "PID", "amplop"]


def workbook(*cases: list[Any]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        dated = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write_row(0, 0, HEADER)
        for place, row in enumerate(cases, 1):
            sheet.write_row(place, 0, [place, row[0]])
            sheet.write_datetime(place, 2, row[1], dated)
            sheet.write_row(place, 3, row[2:])
    return buffer.getvalue()


def text(*cases: list[Any]) -> bytes:
    """As the office's program saves it, with a column more."""
    lines = [[*HEADER, "Paraf"]]
    for place, (number, day, *rest) in enumerate(cases, 1):
        lines.append([f"{place}", number, f"{day:%d/%m/%Y}", *rest, "tt"])
    return "\n".join([*map(";".join, lines), ""]).encode()


def test_corrections_and_withdrawals_reach_the_facts(
    new_warehouse: Callable[[], str], tmp_path: Path, office: Settings
) -> None:
    url = new_warehouse()
    project = tmp_path / "project"
    (project / "channels").mkdir(parents=True)
    for name in ("config", "dbt_project", "expectations"):
        (project / name).symlink_to((office.project / name).resolve())
    document = {**CHANNELS["buku"], "kept": ["No"]}
    write_channel(project / "channels" / "buku.yaml", document)
    settings = Settings(tmp_path / "home", project, None)
    inbox = settings.inbox / "buku"
    inbox.mkdir(parents=True)
    clock = iter(range(1_730_800_000, 1_740_000_000, 3_600))

    def deliver(name: str, content: bytes) -> run.IntakeCounts:
        (inbox / name).write_bytes(content)
        os.utime(inbox / name, (next(clock),) * 2)
        return run.pull("buku", settings=settings, database_url=url, run_key=f"{next(clock)}")

    def built() -> dict[str, tuple[str, str]]:
        build(settings=settings, database_url=url)
        return {
            number[:3]: (regency, status)
            for number, regency, status in query(
                url,
                "select register_number, regency_code, status_code from marts.fct_report",
            )
        }

    deliver("Register 1.xlsx", workbook(case(A), case(B), case(C)))
    assert built() == dict.fromkeys(("001", "002", "003"), ("19.01", "kajian_awal"))
    deliver("Register 2.xlsx", workbook(case(A), case(B), case(C)))
    deliver("Register 1.xlsx", workbook(case(A, "Belitung"), case(B), case(C)))
    assert built()["001"] == ("19.02", "kajian_awal")
    third = deliver("Register 3.csv", text(case(C), case(A), case(B, status="Diterima"), case(D)))
    assert third.landed == 2 + 1, "B and D, and C with what its new column holds"
    assert built() == {
        "001": ("19.02", "kajian_awal"),
        "002": ("19.01", "diterima"),
        "003": ("19.01", "kajian_awal"),
        "004": ("19.01", "kajian_awal"),
    }
    (inbox / "Register 1.xlsx").unlink()
    (inbox / "Register 2.xlsx").unlink()
    rest = [case(A), case(B, status="Diterima")]
    assert deliver("Register 3.csv", text(*rest, case(D))).missing == 1
    assert query(url, "select count(*) from raw.record where is_tombstone") == [(0,)]
    assert deliver("Register 3.csv", text(*rest, case(D, "Belitung"))).tombstones == 1
    assert built() == {
        "001": ("19.02", "kajian_awal"),
        "002": ("19.01", "diterima"),
        "004": ("19.02", "kajian_awal"),
    }
