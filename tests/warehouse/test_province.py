"""Another province, and another election: the commands of their guides, and a build in small."""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from lumbung.errors import ConfigurationError
from lumbung.publication import office
from lumbung.publication.chapters.assemble import document
from lumbung.publication.delivery.recipients import office_of_account
from lumbung.publication.editions import freezing
from lumbung.publication.model import store
from lumbung.settings import Settings
from lumbung.warehouse import regions
from lumbung.warehouse.build import build
from tests.support.guides import commands
from tests.warehouse.conftest import CHANNELS, PROJECT, Raw, query, write_channel

NATIONAL = {
    "wilayah": {
        "76": "Sulawesi Barat", "76.01": "Kabupaten Pasangkayu", "76.02": "Kabupaten Mamuju",
        "76.01.01": "Bambalamotu", "76.02.01": "Mamuju", "19": "Kepulauan Bangka Belitung",
        "19.01": "Kabupaten Bangka", "19.01.01": "Sungailiat",
    },
    "desa": {"76.01.01.1006": "Bambalamotu", "76.02.01.2001": "Karampuang", "19.01.01.1001": "X"},
}  # fmt: skip


@pytest.fixture
def national(tmp_path: Path) -> Path:
    """A few regions in the package's own form."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name, found in NATIONAL.items():
        (folder / f"{name}.json.gz").write_bytes(gzip.compress(json.dumps(found).encode()))
    return folder


def test_no_province_is_written_into_a_model() -> None:
    files = [
        file
        for folder in ("models", "macros", "tests")
        for file in (PROJECT / "dbt_project" / folder).rglob("*.sql")
    ]
    assert len(files) > 50
    written = re.compile(r"'19(\.00)?'")
    assert [file.name for file in files if written.search(file.read_text(encoding="utf-8"))] == []


def test_the_seeds_of_a_province_are_taken_from_the_national_list(national: Path) -> None:
    found = regions.seeds("76", national)
    assert found["outside_region"][1:] == [("Bangka", "76"), ("Kepulauan Bangka Belitung", "76")]
    assert found["regency"][1:] == [
        (
            "76.00",
            "",
            "Lokasi belum diketahui",
            "Lokasi belum diketahui",
            "",
            0,
            0,
            0,
            0,
            "",
            "",
            "true",
        ),
        ("76.01", "", "Kabupaten Pasangkayu", "Pasangkayu", "kabupaten", 1, 1, 0, 0, 1, 1, "false"),
        ("76.02", "", "Kabupaten Mamuju", "Mamuju", "kabupaten", 1, 1, 0, 0, 1, 2, "false"),
    ]
    assert found["district"][1:] == [
        ("76.01.01", "76.01", "Bambalamotu", ""), ("76.02.01", "76.02", "Mamuju", ""),
    ]  # fmt: skip
    assert found["village"][1:] == [
        ("76.01.01.1006", "76.01.01", "Bambalamotu", "kelurahan"),
        ("76.02.01.2001", "76.02.01", "Karampuang", "desa"),
    ]
    for name, rows in found.items():
        with (PROJECT / "dbt_project" / "seeds" / f"{name}.csv").open(encoding="utf-8") as file:
            assert list(rows[0]) == next(csv.reader(file))
    with pytest.raises(ConfigurationError, match="no province '99'"):
        regions.seeds("99", national)


def test_a_region_that_a_seed_has_keeps_its_row(national: Path, tmp_path: Path) -> None:
    folder = tmp_path / "seeds"
    shutil.copytree(PROJECT / "dbt_project/seeds", folder)
    regions.write(["all"], folder, national)
    with (folder / "regency.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["regency_code"]: row for row in csv.DictReader(file)}
    assert {*rows} == {"19.00", "19.01", "76.00", "76.01", "76.02"}
    assert rows["19.01"]["bps_code"] == "1901"
    assert rows["19.01"]["voter_count"] == "237930"
    assert rows["76.01"]["voter_count"] == "0"
    with (folder / "outside_region.csv").open(encoding="utf-8", newline="") as file:
        outside = {(row["outside_name"], row["province_code"]) for row in csv.DictReader(file)}
    assert ("Mamuju", "19") in outside
    assert ("Mamuju", "76") not in outside


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of its own, with two channels."""
    project = tmp_path / "project"
    for name in ("config", "dbt_project"):
        shutil.copytree(PROJECT / name, project / name)
    (project / "channels").mkdir()
    for name in ("buku", "rekap"):
        write_channel(project / "channels" / f"{name}.yaml", CHANNELS[name])
    return project


def follow(guide: str, project: Path) -> None:
    """Run the commands of a guide in a project."""
    written = commands(PROJECT / "docs" / "how-to" / f"{guide}.md")
    assert written
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for block in written:
        subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=project,
            env=os.environ | {"PATH": path, "UV_OFFLINE": "1", "LUMBUNG_PROJECT": str(project)},
            check=True,
        )


@pytest.mark.slow
def test_another_province_is_built(project: Path, new_database: Callable[[], str]) -> None:
    follow("use-another-province", project)
    with (project / "dbt_project/seeds/region_alias.csv").open("a", encoding="utf-8") as file:
        file.write("Mjm,regency,76.02\n")

    url = new_database()
    numbers = [f"00{n}/LP/PB/Kab/34.02/XI/2024" for n in range(1, 5)]
    places = [("Mamuju", ""), ("Mjm", ""), ("Sulawesi Barat", "Bambalamotu"), ("Bangka", "")]
    Raw(url).land("buku", [
        {"Nomor": number, "Diterima": "2024-11-06", "Kab/Kota": regency, "Kecamatan": district}
        for number, (regency, district) in zip(numbers, places, strict=True)
    ])  # fmt: skip
    build(settings=Settings(project.parent / "home", project, None), database_url=url)
    assert query(url, "select count(*) from marts.dim_regency where not is_unknown") == [(6,)]
    assert query(
        url, "select regency_code, count(*) from marts.fct_report group by 1 order by 1"
    ) == [("76.00", 1), ("76.01", 1), ("76.02", 2)]
    assert query(
        url,
        "select regency_code, value from reporting.rpt_metric where value > 0"
        " and period = 'to_date' and metric_code = 'suspected_violation'"
        " and week_id = '2024-W45' order by 1",
    ) == [("76", 4), ("76.00", 1), ("76.01", 1), ("76.02", 2)]
    assert query(
        url,
        "select regency_code, count(*) from marts.fct_review_item"
        " where check_code = 'place_unresolved' group by 1",
    ) == [("76.00", 1)]

    # A second province, with a lower code; the channels' files do not say which one is theirs.
    with (project / "dbt_project/seeds/regency.csv").open("a", encoding="utf-8") as file:
        file.write("19.00,,Lokasi belum diketahui,Lokasi belum diketahui,,0,0,0,0,,,true\n")
    result = build(settings=Settings(project.parent / "home", project, None), database_url=url)
    assert ["province: is missing" in each for each in result.warnings] == [True, True]
    assert query(
        url, "select regency_code, count(*) from marts.fct_report group by 1 order by 1"
    ) == [("76.00", 1), ("76.01", 1), ("76.02", 2)]


@pytest.mark.slow
def test_several_provinces_are_built(project: Path, new_database: Callable[[], str]) -> None:
    follow("use-several-provinces", project)
    with (project / "dbt_project/seeds/regency.csv").open(encoding="utf-8") as file:
        rows = {row["regency_code"]: row for row in csv.DictReader(file)}
    assert len(rows) == 15
    # what the national list does not have
    assert rows["19.05"]["bps_code"] == "1903"
    assert rows["76.02"]["bps_code"] == ""
    offices = Settings(project.parent / "home", project, None).offices
    assert [office.area(each) for each in offices] == ["ID", "76"]
    assert office_of_account("ketua_sulbar", offices[0]).office == "76"

    url = new_database()
    channel = (project / "channels/buku.yaml").read_text()
    (project / "channels/buku_sulbar.yaml").write_text(channel.replace('"19"', '"76"'))
    numbers = [f"00{n}/LP/PB/Kab/34.02/XI/2024" for n in range(1, 4)]
    raw = Raw(url)
    for name in ("buku", "buku_sulbar"):
        raw.land(name, [
            {"Nomor": number, "Diterima": "2024-11-06", "Kab/Kota": place}
            for number, place in zip(numbers, ("Bangka", "Mamuju", "Sulbar"), strict=True)
        ])  # fmt: skip
    build(settings=Settings(project.parent / "home", project, None), database_url=url)
    assert query(
        url, "select regency_code, count(*) from marts.fct_report group by 1 order by 1"
    ) == [("19.00", 2), ("19.01", 1), ("76.00", 2), ("76.02", 1)]


@pytest.mark.slow
def test_the_by_election_of_2025_is_built(project: Path, new_database: Callable[[], str]) -> None:
    follow("follow-another-election", project)
    url = new_database()
    received = ["2025-07-24", "2025-07-25", "2025-08-20", "2025-08-27", "2024-11-06"]
    landing: Any = {
        "received_at": "2025-09-01T00:00:00Z",
        "landed_at": datetime(2025, 9, 1, tzinfo=UTC),
    }
    Raw(url).land("buku", [
        {"Nomor": f"00{n}/LP/PB/Kab/09.01/VIII/2025", "Diterima": day, "Kab/Kota": "Bangka"}
        for n, day in enumerate(received, 1)
    ], **landing)  # fmt: skip
    Raw(url).land("rekap", [
        {"No": 1, "Tanggal": "2025-07-26", "Kode": "19.71", "Kecamatan": "Rangkui",
         "Kegiatan": "Pengawasan kampanye", "Pemilihan": "Pilwako", "Bentuk": "Tatap muka"},
    ], **landing)  # fmt: skip
    settings = Settings(project.parent / "home", project, None)
    build(settings=settings, database_url=url)
    # of 2024: a typing error; 24 July: the day before the campaign
    assert query(
        url,
        "select reason_code, week_id, record_count from reporting.rpt_not_counted order by 1",
    ) == [("before_campaign", "2025-W30", 1), ("implausible_date", None, 1)]
    # fifteen districts of the two regencies that vote, over the five weeks of the campaign
    assert query(
        url,
        "select metric_code, regency_code, value from reporting.rpt_metric where value > 0"
        " and period = 'to_date' and category_code in ('ALL', 'PILWAKO') and week_id = '2025-W35'"
        " order by 1, 2",
    ) == [
        ("campaign_event", "19", 1),
        ("campaign_event", "19.71", 1),
        ("campaign_event_by_election", "19", 1),
        ("campaign_event_by_election", "19.71", 1),
        ("district_expected", "19", 75),
        ("district_expected", "19.01", 40),
        ("district_expected", "19.71", 35),
        ("district_submitted", "19", 1),
        ("district_submitted", "19.71", 1),
        ("suspected_violation", "19", 3),
        ("suspected_violation", "19.01", 3),
    ]
    assert query(
        url, "select received_date::text, stage_code from marts.fct_report order by 1"
    ) == [
        ("2025-07-24", "PILKADA_ULANG"),
        ("2025-07-25", "KAMPANYE"),
        ("2025-08-20", "KAMPANYE"),
        ("2025-08-27", "PUNGUT"),
    ]
    edition_id = freezing.freeze("2025-W34", settings=settings, database_url=url)
    edition = store.load(edition_id, database_url=url)
    assert edition.metric("suspected_violation").to_date == 2
    assert edition.campaign_start == date(2025, 7, 25)
    # recaps of the week; five regencies owe none
    assert "Sebanyak 0 dari 15 kecamatan menyampaikan rekap" in str(document(edition))
