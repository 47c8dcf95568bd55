"""Several offices of one installation: whose files are read, and whose area each publishes for."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from lumbung.desk.access import person
from lumbung.errors import ConfigurationError
from lumbung.local.airflow import accounts
from lumbung.publication import office
from lumbung.publication.delivery.recipients import (
    load_people,
    office_of_account,
    owners_of_province,
    require_account,
    require_own_accounts,
)
from lumbung.publication.edition_id import of_revision, office_of, week_of
from lumbung.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A project of the provinces 19 and 76, with offices for 76 and for the country."""
    seeds = tmp_path / "dbt_project" / "seeds"
    seeds.mkdir(parents=True)
    shutil.copy(ROOT / "dbt_project" / "dbt_project.yml", seeds.parent)
    with (seeds / "regency.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["regency_code"], ["19.01"], ["76.01"]])
    made = Settings(tmp_path / "home", tmp_path, None)
    for code in ("", "76", "ID"):
        write(made.at_office(code))
    (tmp_path / "config" / "peta").mkdir()
    return made


def write(
    settings: Settings, people: dict[str, Any] | None = None, edition: dict[str, Any] | None = None
) -> None:
    """Write the files of an office, whose one account is `ketua` and its code."""
    settings.config.mkdir(parents=True, exist_ok=True)
    for name, changes in (
        ("people.yaml", {"approval": _approval(f"ketua{settings.office}"), "sheet_readers": {},
                         **(people or {})}),
        ("edition.yaml", edition or {}),
    ):  # fmt: skip
        found = yaml.safe_load((ROOT / "config" / name).read_text(encoding="utf-8"))
        (settings.config / name).write_text(yaml.safe_dump({**found, **changes}))


def _approval(account: str) -> dict[str, Any]:
    return {
        "users": {account: "Ketua (rekaan)"}, "addresses": ["ketua@contoh.example"],
        "remind_after_hours": 20, "time_limit_hours": 72,
    }  # fmt: skip


def test_offices_are_the_folders_whose_name_is_a_code(settings: Settings) -> None:
    assert [each.office for each in settings.offices] == ["", "76", "ID"]
    assert settings.offices[1].config == settings.project / "config" / "76"
    assert Settings(settings.home, ROOT, None).offices == [Settings(settings.home, ROOT, None)]


@pytest.mark.parametrize(
    ("edition_id", "code", "week"),
    [("2024-W47-r1", "", "2024-W47"), ("76-2024-W47-r12", "76", "2024-W47"),
     ("ID-2025-W01-r1", "ID", "2025-W01")],
)  # fmt: skip
def test_an_edition_names_its_office_and_week(edition_id: str, code: str, week: str) -> None:
    assert (office_of(edition_id), week_of(edition_id)) == (code, week)
    assert of_revision(code, week, int(edition_id.rpartition("r")[2])) == edition_id


def test_an_office_publishes_for_the_area_of_its_folder(settings: Settings) -> None:
    assert [office.area(each) for each in settings.offices[1:]] == ["76", "ID"]
    with pytest.raises(ConfigurationError, match="one of 19, 76, ID"):
        office.area(settings)
    write(settings, edition={"area_code": "19"})
    assert [office.area(each) for each in settings.offices] == ["19", "76", "ID"]
    assert [office.prefix(each) for each in settings.offices] == ["19", "76", ""]


def test_no_area_has_two_offices_and_none_is_outside_the_seeds(settings: Settings) -> None:
    write(settings, edition={"area_code": "76"})
    with pytest.raises(ConfigurationError, match="own office publishes for 76 already"):
        office.area(settings.at_office("76"))
    write(settings.at_office("31"))
    with pytest.raises(ConfigurationError, match="the seeds have no area 31"):
        office.area(settings.at_office("31"))
    write(settings.at_office("ID"), edition={"area_code": "76"})
    with pytest.raises(ConfigurationError, match="folder is of area ID, and its file of 76"):
        office.area(settings.at_office("ID"))


def test_an_account_belongs_to_the_office_that_names_it(settings: Settings) -> None:
    found = {name: office_of_account(name, settings).office for name in ("ketua", "ketua76", "x")}
    assert found == {"ketua": "", "ketua76": "76", "x": ""}
    require_account("ketua76", settings.at_office("76"))
    with pytest.raises(ConfigurationError, match="'ketua76' is nobody who decides here"):
        require_account("ketua76", settings)  # a terminal decides on records of every province
    write(settings.at_office("ID"), {"viewers": ["ketua76"]})
    with pytest.raises(ConfigurationError, match="two offices name the account 'ketua76'"):
        office_of_account("ketua76", settings)
    for code in ("76", "ID"):
        with pytest.raises(ConfigurationError, match="two offices name the account 'ketua76'"):
            require_own_accounts(load_people(settings.at_office(code)), settings.at_office(code))
    require_own_accounts(load_people(settings), settings)


def test_a_file_that_cannot_be_read_stops_its_own_people_alone(settings: Settings) -> None:
    (settings.at_office("76").config / "people.yaml").write_text("sender: [")
    assert office_of_account("ketuaID", settings).office == "ID"
    assert office_of_account("ketua76", settings).office == ""  # where nobody names it
    assert {"ketua", "ketuaID"} <= accounts(settings).keys()
    assert "ketua76" not in accounts(settings)
    (settings.config / "people.yaml").write_text("sender: [")
    with pytest.raises(ConfigurationError, match=r"config/people\.yaml"):
        accounts(settings)


@pytest.mark.parametrize(
    ("people", "refused"),
    [
        ({"auditors": ["a"]}, "audits the installation"),
        ({"engineers": ["a"]}, "audits the installation"),
        ({"stewards": {"a": "19.01"}}, "the regency 19.01 of 'a' is not one of the office"),
        ({"analysts": {"a": "19.01"}}, "the regency 19.01 of 'a' is not one of the office"),
    ],
)
def test_an_office_gives_nobody_what_is_of_another_one(
    settings: Settings, people: dict[str, Any], refused: str
) -> None:
    write(settings.at_office("76"), people)
    with pytest.raises(ConfigurationError, match=refused):
        load_people(settings.at_office("76"))
    write(settings, people)
    load_people(settings)


def test_the_owners_of_an_office_are_known_by_its_province(settings: Settings) -> None:
    write(settings.at_office("76"), {"owners": ["data@sulbar.example"]})
    found = {code: owners_of_province(code, settings) for code in ("76", "19", "", None)}
    assert found == {"76": ["data@sulbar.example"], "19": [], "": [], None: []}
    (settings.at_office("76").config / "people.yaml").write_text("sender: [")
    assert owners_of_province("76", settings) == []


def test_a_broken_edition_file_does_not_close_the_desk(settings: Settings) -> None:
    (settings.config / "edition.yaml").write_text("name: [")
    assert person("ketua", settings).may_decide
    assert person("ketua76", settings).area_prefix == "76"


def test_the_countrys_stewards_are_not_those_of_the_warehouse(settings: Settings) -> None:
    """They read every row; what counts in every province is decided by the own office."""
    write(settings.at_office("ID"), {"stewards": {"a": "province"}})
    write(settings, {"stewards": {"b": "province"}})
    country, own = person("a", settings), person("b", settings)
    assert (country.review_role, own.review_role) == ("analyst_province", "analyst_province")
    assert (own.is_steward_of_warehouse, own.sees_every_channel, own.may_read_checks) == (True,) * 3
    assert (country.is_steward_of_warehouse, country.sees_every_channel) == (False, False)
    assert (country.may_see_channels, country.may_read_checks) == (False, False)
    assert not country.is_steward_of_province


def test_the_countrys_office_has_stewards_of_every_regency(settings: Settings) -> None:
    write(settings.at_office("ID"), {"stewards": {"a": "19.01", "b": "province"}})
    assert load_people(settings.at_office("ID")).stewards == {"a": "19.01", "b": "province"}
