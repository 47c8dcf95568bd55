"""Places as they are written, each with what a careful person makes of it.

Lists a and b were invented from the domain and the reference by people who had not seen the
resolver; c was found: addresses, lists and heads of letters in public texts of others. The resolver
was not tuned on c. d was written for the rules as they are: words of type, slips of the pen,
regions elsewhere. `docs/explanation/places.md` says what was measured.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from lumbung.intake.channel.load import read_channels
from lumbung.intake.landing.pseudonyms import Pseudonyms
from lumbung.intake.vault import Vault
from lumbung.settings import Settings
from lumbung.warehouse.build import build
from tests.warehouse.conftest import Raw, query, write_channel

COLUMNS = (
    "regency_raw",
    "district_raw",
    "village_raw",
    "regency_code_raw",
    "regency_code_scheme",
)
LISTS = ("place_spellings_a.csv", "place_spellings_b.csv", "place_spellings_c.csv",
         "place_spellings_d.csv")  # fmt: skip
CODED = {"tanpa": "", "kemendagri": "kemendagri", "bps": "bps"}
"""Three channels: a code without its scheme, and one for each scheme."""


@pytest.fixture(scope="module")
def resolved(
    new_warehouse: Callable[[], str], tmp_path_factory: pytest.TempPathFactory, office: Settings
) -> list[dict[str, str]]:
    """Every row of the list with what the warehouse made of it."""
    project = tmp_path_factory.mktemp("places")
    (project / "dbt_project").symlink_to(office.dbt_project)
    (project / "expectations").symlink_to(office.expectations)
    (project / "channels").mkdir()
    for name, scheme in CODED.items():
        code = {"from": "Kode"} | ({"scheme": scheme} if scheme else {})
        write_channel(
            project / "channels" / f"{name}.yaml",
            {
                "source": {"kind": "kobo", "asset": "aRekaan"},
                "connection": "rekaan",
                "record_kind": "IA",
                "fields": {
                    "regency": {"from": "Kab"},
                    "district": {"from": "Kec"},
                    "village": {"from": "Desa"},
                    "regency_code": code,
                },
            },
        )
    url = new_warehouse()
    settings = Settings(tmp_path_factory.mktemp("home"), project, None)
    rows = []
    for name in LISTS:
        with (Path(__file__).parent / name).open(encoding="utf-8", newline="") as file:
            rows += [_row(row) | {"list": name} for row in csv.DictReader(file)]
    raw = Raw(url)
    channels, _ = read_channels(settings.channels)
    for name, scheme in CODED.items():
        chosen = [i for i, row in enumerate(rows) if row["regency_code_scheme"] == scheme]
        written = [
            {
                label: rows[i][column]
                for label, column in zip(("Kab", "Kec", "Desa", "Kode"), COLUMNS, strict=False)
                if rows[i][column]
            }
            for i in chosen
        ]
        # as they are landed: words that may name a person are replaced, and none of them is read
        of_payload = Pseudonyms(channels[name], Vault(bytes(32))).of_payload
        landed = [{**cells, **of_payload(cells)} for cells in written]
        raw.land(name, landed, ids=[str(i) for i in chosen])
    build(settings=settings, database_url=url)
    found = query(
        url,
        "select source_id::int, p.regency_code, coalesce(p.district_code, ''), p.location_method"
        " from intermediate.int_records__typed join intermediate.int_places__resolved as p"
        " using (place_id)",
    )
    assert len(found) == len(rows) > 500
    for index, regency, district, method in found:
        rows[index]["found_regency"] = "" if regency == "19.00" else regency
        rows[index]["found_district"] = district
        rows[index]["method"] = method
    return rows


def _row(row: dict[str, str]) -> dict[str, str]:
    """A row under the columns of the first lists: d has those of `benchmarks/judge_places.py`."""
    if "expected_regency" not in row:
        return row
    return {
        "regency_raw": row["regency"], "district_raw": row["district"],
        "village_raw": row["village"], "regency_code_raw": "", "regency_code_scheme": "",
        "regency_code": row["expected_regency"], "district_code": row["expected_district"],
        "why": row["why"],
    }  # fmt: skip


def test_nothing_ambiguous_is_resolved(resolved: list[dict[str, str]]) -> None:
    wrong = [
        (row["why"], row["regency_raw"], row["district_raw"], row["found_regency"])
        for row in resolved
        if row["found_regency"] not in ("", row["regency_code"])
    ]
    assert wrong == []


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    ("level", "precision", "recall"), [("regency", 1.0, 0.92), ("district", 0.97, 0.92)]
)
def test_most_spellings_are_read(
    resolved: list[dict[str, str]], name: str, level: str, precision: float, recall: float
) -> None:
    rows = [row for row in resolved if row["list"] == name]
    found = [row for row in rows if row[f"found_{level}"]]
    right = [row for row in found if row[f"found_{level}"] == row[f"{level}_code"]]
    there = [row for row in rows if row[f"{level}_code"]]
    print(f"{level}: {len(found)} found, {len(right)} right, {len(there)} there")
    assert len(right) >= precision * len(found)
    assert len(right) >= recall * len(there)
