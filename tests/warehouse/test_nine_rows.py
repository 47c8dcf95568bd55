"""A register as a clerk keeps it goes from its YAML to an edition; every row is accounted for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import yaml

from lumbung.intake.run import pull
from lumbung.publication.checks import checkpoint
from lumbung.publication.editions import freezing, publishing, review
from lumbung.publication.model import store
from lumbung.settings import Settings
from lumbung.warehouse import raw_checkpoint
from lumbung.warehouse.build import build
from tests.support.channel_samples import workbook
from tests.support.homes import demo_home
from tests.warehouse.conftest import PROJECT, query

CHANNEL = """\
title: Buku register Panwascam
owner: {name: Kantor Rekaan, email: rekaan@example.id}
schedule: "0 5 * * *"
expected_every: 1 day
record_kind: IA
source: {kind: register}
key: "No"
kept: ["No"]
personal: [Pelapor]
subject: [Pelapor]
fields:
  register_number: {from: Nomor Register}
  received_date: {from: Diterima}
  occurred_date: {from: Kejadian}
  regency: {from: Kab/Kota}
  district: {from: Kecamatan}
  issue: {from: Isu, separator: ";"}
  status: {from: Status}
  narrative: {from: Uraian}
"""
HEADER = ["No", "Nomor Register", "Diterima", "Kejadian", "Pelapor", "Kab/Kota", "Kecamatan", "Isu",
          "Status", "Uraian"]  # fmt: skip
ROWS = [
    [1, "001/LP/PB/Kab/09.04/XI/2024", date(2024, 11, 4), "3/11/2024", "Warga Rekaan",
     "Bangka Tengah", "Koba", "Netralitas ASN", "Diterima", "Lurah hadir di kampanye"],
    [2, "002/Reg/LP/PB/Kab/09.04/XI/2024", "Selasa, 5 November 2024", "-", "Warga Rekaan",
     "Kab. Bangka Tengah", "Namang", "Politik uang", "Kajian awal", "Amplop di warung"],
    [3, "", "6 Nov 2024 malam", "6/11/2024", "", "Pangkalpinang", "Rangkui", "Politik uang", "",
     "Pembagian beras"],
    [4, "-", "-", "7/11/2024", "", "Pangkalpinang", "Rangkui", "Politik uang", "",
     "Pembagian kaus"],
    [1, "001/LP/PB/Kab/09.04/XI/2024", date(2024, 11, 4), "3/11/2024", "Warga Rekaan",
     "Bangka Tengah", "Koba", "Netralitas ASN", "Diterima", "Lurah hadir di kampanye"],
    [5, "003/LP/PB/Kab/09.04/XI/2024", "31/11/2024", "-", "Warga Rekaan", "Bangka Tengah", "Koba",
     "APK", "Diterima", "Baliho di pohon"],
    [6, "004/TM/PB/Kab/09.04/XI/2024", "8-11-2024", "7-11-2024", "", "1903", "", "SARA",
     "Diregistrasi", "Selebaran di masjid"],
    [7, "999/LP/PB/Kab/09.04/XI/2024", "8/11/2024", "-", "tes", "tes", "tes", "tes", "tes",
     "tes tes"],
    [8, "005/reg/tm/pb/kab/09.04/xi/2024", "9 Nopember 2024", "8 Nopember 2024", "", "Bateng",
     "Lubuk Besar", "Netralitas ASN", "Kajian awal", "Camat memberi sambutan"],
]  # fmt: skip
FOOT = [["JUMLAH", "9 laporan"], [], ["", "", "", "", "", "", "", "", "Mengetahui,"],
        ["", "", "", "", "", "", "", "", "Ketua Panwascam"],
        ["Mengetahui,", "", "Koordinator", "", "Sekretaris", "", "Koba, 10 November 2024"],
        ["Ketua", "", "Anggota", "", "Kepala Sekretariat", "", "Petugas"],
        ["Budi Rekaan, S.H.", "", "Siti Rekaan", "", "A. Rekaan", "", "Dewi Rekaan"],
        ["NIP. 19800101 200501 1 001", "", "NIP. -", "", "NIP. -", "", "NIP. -"]]  # fmt: skip
RECAP: list[list[str | int]] = [["Rekap per bulan"], ["Bulan", "Jumlah"], ["November", 9]]
SHORT: list[list[str | int]] = [["No", "Nomor Register", "Diterima", "Kab/Kota", "Isu"],
         [1, "001/Reg/LP/PB/Kab/09.04/XI/2024", "4/11/2024", "Bangka Tengah", "ASN"]]  # fmt: skip
"""A recap that stands before the register: only it says that the first case is registered."""


@pytest.fixture(scope="module")
def desk(
    new_warehouse: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Settings]:
    """The register was pulled, checked and built."""
    project = tmp_path_factory.mktemp("nine")
    for name in ("config", "dbt_project", "expectations"):
        (project / name).symlink_to(PROJECT / name)
    (project / "channels").mkdir()
    (project / "channels" / "buku.yaml").write_text(CHANNEL)
    assert yaml.safe_load(CHANNEL)["key"] == "No"
    settings = demo_home(tmp_path_factory.mktemp("home"), project)
    inbox: Path = settings.inbox / "buku"
    inbox.mkdir(parents=True)
    title = [["BUKU REGISTER LAPORAN"], ["Panwascam Rekaan, 2024"], []]
    (inbox / "Register.xlsx").write_bytes(
        workbook(
            {"Ringkas": SHORT, "Register": [*title, HEADER, *ROWS, *FOOT], "Rekap": RECAP},
        )
    )
    url = new_warehouse()
    counts = pull("buku", settings=settings, database_url=url, run_key="uji")
    # beside the nine: the short recap's row and the recap's sheet, which has no such header
    assert (counts.read, counts.landed, counts.duplicate, counts.quarantined) == (11, 8, 1, 2)
    raw_checkpoint.check_raw(settings=settings, database_url=url)
    build(settings=settings, database_url=url)
    return url, settings


def test_each_row_is_a_case_or_says_why_it_is_none(desk: tuple[str, Settings]) -> None:
    cases = query(
        desk[0],
        "select register_number, record_kind, regency_code, district_code, received_date::text,"
        " registration_outcome from marts.fct_report order by received_date, register_number",
    )
    assert cases == [
        ("001/Reg/LP/PB/Kab/09.04/XI/2024", "LP", "19.04", "19.04.01", "2024-11-04", "registered"),
        ("002/Reg/LP/PB/Kab/09.04/XI/2024", "LP", "19.04", "19.04.05", "2024-11-05", "registered"),
        (None, "IA", "19.71", "19.71.04", "2024-11-06", None),
        ("004/TM/PB/Kab/09.04/XI/2024", "TM", "19.00", None, "2024-11-08", "registered"),
        ("005/Reg/TM/PB/Kab/09.04/XI/2024", "TM", "19.04", "19.04.06", "2024-11-09", "registered"),
    ]
    excluded = query(
        desk[0],
        "select reason_code, record_count, week_id from reporting.rpt_not_counted order by 1",
    )
    assert excluded == [
        ("date_missing", 2, None),
        ("header_not_found", 1, None),
        ("key_repeated", 1, None),
        ("test_row", 1, "2024-W45"),
    ]


def test_registered_cases_have_their_deadline(desk: tuple[str, Settings]) -> None:
    """Three are registered by `Reg` in their number, one by its status."""
    deadlines = query(
        desk[0],
        "select f.register_number from marts.fct_deadline as d"
        " inner join marts.fct_report as f using (report_id)"
        " where d.rule_code like 'PENANGANAN%%' order by 1",
    )
    numbers = ("001/Reg/LP/PB/Kab/09.04/XI/2024", "002/Reg/LP/PB/Kab/09.04/XI/2024",
               "004/TM/PB/Kab/09.04/XI/2024",
               "005/Reg/TM/PB/Kab/09.04/XI/2024")  # fmt: skip
    assert [number for (number,) in deadlines] == [*numbers]


def test_its_week_is_published(desk: tuple[str, Settings]) -> None:
    url, settings = desk
    draft = freezing.freeze("2024-W45", settings=settings, database_url=url)
    reviewed = review.write_draft(draft, settings=settings, database_url=url)
    checkpoint.check(draft, settings=settings, database_url=url)
    review.approve(draft, by="Uji", how="person", reviewed=reviewed, database_url=url)
    assert publishing.publish(draft, settings=settings, database_url=url)
    metrics = store.load(draft, database_url=url).metrics
    assert metrics["suspected_violation", "ALL", "19"].week == 4
    assert metrics["tip", "ALL", "19"].week == 1
