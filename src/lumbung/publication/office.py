"""What an edition says about the office that publishes it: `config/edition.yaml`."""

from __future__ import annotations

from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lumbung.errors import ConfigurationError
from lumbung.settings import Settings


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
            map is drawn with tiles.
        boundary_code: the property of a feature that holds the regency's Kemendagri code.

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


def load_office(settings: Settings) -> Office:
    """Read `config/edition.yaml`.

    Raises:
        ConfigurationError: when the file is absent or a value is missing, wrong or unknown.

    """
    file = settings.config / "edition.yaml"
    try:
        return Office.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise ConfigurationError(
            f"the office of the edition cannot be read: {' '.join(str(error).split())}",
            where=str(file),
            remediation="correct the file; lumbung.publication.office describes its values",
        ) from error
