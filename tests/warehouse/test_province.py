"""Another province is seeds and two variables: docs/how-to/use-another-province.md, in small."""

from __future__ import annotations

import csv
import gzip
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lumbung.errors import ConfigurationError
from lumbung.settings import Settings
from lumbung.warehouse import regions
from lumbung.warehouse.build import build
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


def test_another_province_is_built(
    national: Path, tmp_path: Path, new_database: Callable[[], str]
) -> None:
    project = tmp_path / "project"
    shutil.copytree(PROJECT / "dbt_project", project / "dbt_project")
    (project / "channels").mkdir()
    write_channel(project / "channels" / "buku.yaml", CHANNELS["buku"])
    seeds = project / "dbt_project" / "seeds"
    for name, rows in regions.seeds("76", national).items():
        with (seeds / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
    (seeds / "region_alias.csv").write_text("alias,level,region_code\nMjm,regency,76.02\n")
    config = project / "dbt_project" / "dbt_project.yml"
    text = config.read_text()
    assert 'province_code: "19"' in text
    config.write_text(text.replace('province_code: "19"', 'province_code: "76"'))
    with (seeds / "place_word.csv").open("a", encoding="utf-8") as file:
        file.write("sulbar,province,\nsulawesi barat,province,\n")

    url = new_database()
    numbers = [f"00{n}/LP/PB/Kab/34.02/XI/2024" for n in range(1, 5)]
    places = [("Mamuju", ""), ("Mjm", ""), ("Sulawesi Barat", "Bambalamotu"), ("Bangka", "")]
    Raw(url).land("buku", [
        {"Nomor": number, "Diterima": "2024-11-06", "Kab/Kota": regency, "Kecamatan": district}
        for number, (regency, district) in zip(numbers, places, strict=True)
    ])  # fmt: skip
    build(settings=Settings(tmp_path / "home", project, None), database_url=url)
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
