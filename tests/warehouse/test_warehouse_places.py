"""Places as offices write them, from a list whose author has not seen the resolver.

`place_spellings.csv` was written from the rules of the domain and the reference lists alone.
`docs/places.md` says what was measured on it; the resolver was not changed to please it.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from lumbung.settings import Settings
from lumbung.warehouse.build import build
from warehouse.conftest import Raw, query, write_channel

COLUMNS = (
    "regency_raw",
    "district_raw",
    "village_raw",
    "regency_code_raw",
    "regency_code_scheme",
)
CODED = {"tanpa": "", "kemendagri": "kemendagri", "bps": "bps"}
"""Three channels: a code without its scheme, and one for each scheme."""


@pytest.fixture(scope="module")
def resolved(
    new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory, office: Settings
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
    url = new_database()
    settings = Settings(tmp_path_factory.mktemp("home"), project, None)
    with (Path(__file__).parent / "place_spellings.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    raw = Raw(url)
    for name, scheme in CODED.items():
        chosen = [i for i, row in enumerate(rows) if row["regency_code_scheme"] == scheme]
        raw.land(
            name,
            [
                {
                    label: rows[i][column]
                    for label, column in zip(("Kab", "Kec", "Desa", "Kode"), COLUMNS, strict=False)
                    if rows[i][column]
                }
                for i in chosen
            ],
            ids=[str(i) for i in chosen],
        )
    build(settings=settings, database_url=url)
    found = query(
        url,
        "select source_id::int, p.regency_code, coalesce(p.district_code, ''), p.location_method"
        " from intermediate.int_records__typed join intermediate.int_places__resolved as p"
        " using (place_id)",
    )
    assert len(found) == len(rows) > 300
    for index, regency, district, method in found:
        rows[index]["found_regency"] = "" if regency == "19.00" else regency
        rows[index]["found_district"] = district
        rows[index]["method"] = method
    return rows


def measured(rows: list[dict[str, str]], level: str) -> tuple[float, float]:
    """Precision and recall of what was resolved."""
    found = [row for row in rows if row[f"found_{level}"]]
    right = [row for row in found if row[f"found_{level}"] == row[f"{level}_code"]]
    there = [row for row in rows if row[f"{level}_code"]]
    return len(right) / len(found), len(right) / len(there)


def test_show(resolved: list[dict[str, str]]) -> None:
    for level in ("regency", "district"):
        print(level, measured(resolved, level))
    for row in resolved:
        bad = [l for l in ("regency", "district") if row[f"found_{l}"] != row[f"{l}_code"]]
        if bad:
            print(bad, {k: v for k, v in row.items() if v})
    assert False
