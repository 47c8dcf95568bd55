"""The seven regencies of Kepulauan Bangka Belitung, their districts and villages (names and codes).

The codes are those of the Ministry of Home Affairs (Kemendagri). A regency also has its BPS code,
which can mean another regency: 19.03 is Bangka Selatan, the BPS code 1903 is Bangka Barat.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

UNKNOWN_REGENCY = "19.00"
"""The unknown member: regency of records whose place is not resolved."""
PROVINCE = "19"


@dataclass(frozen=True)
class District:
    """A kecamatan; `code` is Kemendagri's, e.g. `19.05.01`."""

    code: str
    name: str
    villages: tuple[str, ...]


@dataclass(frozen=True)
class Regency:
    """A kabupaten or kota; `name` is without that word, `code` is Kemendagri's, e.g. `19.05`."""

    code: str
    bps_code: str
    name: str
    districts: tuple[District, ...]

    @property
    def is_city(self) -> bool:
        """Whether it is a kota, which elects a walikota; a kabupaten elects a bupati."""
        return self.code >= "19.70"


@dataclass(frozen=True)
class Place:
    """Where something happened, as far as the office knows; no regency means unresolved."""

    regency: Regency | None = None
    district: District | None = None

    @property
    def regency_code(self) -> str:
        """The code that metrics are counted under."""
        return self.regency.code if self.regency else UNKNOWN_REGENCY

    @property
    def district_code(self) -> str | None:
        """The district's code, if it is known."""
        return self.district.code if self.district else None


def _rows(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / "reference" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _load() -> dict[str, Regency]:
    villages: dict[str, list[str]] = {}
    for row in _rows("village.csv"):
        villages.setdefault(row["code"][:8], []).append(row["name"])
    districts: dict[str, list[District]] = {}
    for row in _rows("district.csv"):
        district = District(row["code"], row["name"], tuple(villages[row["code"]]))
        districts.setdefault(row["code"][:5], []).append(district)
    return {
        row["code"]: Regency(
            row["code"], row["bps_code"], row["name"], tuple(districts[row["code"]])
        )
        for row in _rows("regency.csv")
    }


VILLAGE_CODES = {(row["code"][:8], row["name"]): row["code"] for row in _rows("village.csv")}
"""The code of a village by its district's code and its name."""

REGENCIES: dict[str, Regency] = _load()
"""The regencies by Kemendagri code, in the order of the codes."""
