"""What an edition says about the office that publishes it: `config/edition.yaml`.

Each further office has a folder `config/<code>/`, named by the code of the province, or of the
country, for which it publishes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lumbung.errors import ConfigurationError
from lumbung.registry import provinces
from lumbung.settings import OFFICE, Settings


class ReportingChannel(BaseModel):
    """A way in which citizens can report to the office, as the portal prints it.

    Attributes:
        name: such as an app, a post or a number.
        text: where and when it is open.
        text_en: the same in English, for offices that publish in English too.
        url: its web address; None: it has none.

    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    text: str = Field(min_length=1)
    text_en: str = ""
    url: str | None = Field(default=None, pattern=r"^https://\S+$")


class Office(BaseModel):
    """The office that publishes, as the edition and its metadata name it.

    Attributes:
        name: the producer (produsen data), as printed.
        province: the name of the province, as printed.
        custodian: the unit that keeps and releases its data (walidata).
        contact_name: the desk that answers questions; never a person.
        contact_url: the desk's web address.
        licence: SPDX identifier of the open data's licence.
        licence_url: the licence's text.
        small_cell_threshold: the lowest count above zero that is printed below regency level;
            at least 3, because with 2 a hidden 1 could be computed from a public sum. A change
            holds from the next period of districts on.
        languages: the edition's languages; files of the first are at the top of its folder.
        portal_url: the portal's public address, ending with a slash, for links in its feed;
            None: the feed's links are relative.
        reporting: how citizens can report; none: the portal has no page about it.
        boundary_file: GeoJSON of the regencies' boundaries, relative to `edition.yaml`; None: the
            map is drawn with tiles. In the country's edition, of the provinces.
        boundary_code: the property of a feature that holds the place's Kemendagri code.
        area_code: the province for which the installation's own office publishes, or `ID`, the
            country; None: the only province of the seeds. Of other offices the folder's name says
            it.

    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    province: str = Field(min_length=1)
    custodian: str = Field(min_length=1)
    contact_name: str = Field(min_length=1)
    contact_url: str = Field(pattern=r"^https://\S+$")
    licence: str = Field(min_length=1)
    licence_url: str = Field(pattern=r"^https://\S+$")
    small_cell_threshold: int = Field(ge=3)
    languages: tuple[Literal["id"]] | tuple[Literal["id"], Literal["en"]] = ("id",)
    portal_url: str | None = Field(default=None, pattern=r"^https://\S+/$")
    reporting: tuple[ReportingChannel, ...] = ()
    boundary_file: str | None = None
    boundary_code: str = "kode_kemendagri"
    area_code: str | None = Field(default=None, pattern=f"^({OFFICE.pattern})$")

    def frozen(self) -> dict[str, Any]:
        """Return what an edition keeps."""
        return self.model_dump(mode="json", exclude={"area_code"})


def area(settings: Settings) -> str:
    """Return the code of the province, or of the country, for which the office publishes.

    Raises:
        ConfigurationError: when it is not said, when the seeds have no such area, or when another
            office publishes for it.

    """
    known = areas(settings)
    load_office(settings)  # its folder and its file agree
    own = load_office(settings.at_office("")).area_code or (known[0] if len(known) == 1 else "")
    if settings.office and own == settings.office:
        raise ConfigurationError(
            f"the installation's own office publishes for {own} already",
            where=str(settings.config),
            remediation="remove this folder, or the line area_code in the file beside it",
        )
    found = settings.office or own
    if found not in known:
        raise ConfigurationError(
            f"the seeds have no area {found}"
            if found
            else "it is not said for which province, or whether for the country, the office"
            " publishes",
            where=str(settings.config if settings.office else settings.config / "edition.yaml"),
            remediation=f"{'choose' if found else 'say in area_code'} one of"
            f" {', '.join(known) or 'the provinces of the seed regency'}",
        )
    return found


def prefix(settings: Settings) -> str:
    """Return what the codes of the office's regions begin with; empty: those of every region."""
    code = settings.office or load_office(settings).area_code or ""
    return code if code and code != country(settings) else ""


def areas(settings: Settings) -> list[str]:
    """Return the codes for which offices can publish: the provinces of the seeds, and the country.

    Where the seeds have one province, it is the only area.
    """
    found = provinces(settings.project)
    return [*found, country(settings)] if len(found) > 1 else found


def misnamed(settings: Settings) -> list[Path]:
    """Return the folders with the files of an office whose name is no code."""
    found = {file.parent for file in (settings.project / "config").glob("*/people.yaml")}
    return sorted(folder for folder in found if not OFFICE.fullmatch(folder.name))


def country(settings: Settings) -> str:
    """Return the code of the country, which is a variable of the dbt project."""
    text = (settings.dbt_project / "dbt_project.yml").read_text("utf-8")
    project = yaml.load(text, yaml.CSafeLoader)
    code: str = project["vars"]["country_code"]
    return code


def load_office(settings: Settings) -> Office:
    """Read `config/edition.yaml`.

    Raises:
        ConfigurationError: when the file is absent or a value is missing, wrong or unknown.

    """
    file = settings.config / "edition.yaml"
    try:
        text = file.read_text(encoding="utf-8")
        office = Office.model_validate(yaml.load(text, yaml.CSafeLoader))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise ConfigurationError(
            f"the office of the edition cannot be read: {' '.join(str(error).split())}",
            where=str(file),
            remediation="correct the file; lumbung.publication.office describes its values",
        ) from error
    if settings.office and office.area_code not in (None, settings.office):
        raise ConfigurationError(
            f"the folder is of area {settings.office}, and its file of {office.area_code}",
            where=f"{file}, area_code",
            remediation="remove the line",
        )
    return office
