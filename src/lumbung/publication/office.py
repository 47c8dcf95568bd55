"""What an edition says about the office that publishes it: `config/edition.yaml`."""

from __future__ import annotations

from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lumbung.errors import ConfigurationError
from lumbung.settings import Settings


class Office(BaseModel):
    """The producer of the data, as its metadata names it.

    Attributes:
        name: the producer (produsen data), as printed.
        province: the name of the province, as printed.
        custodian: who keeps and releases its data (walidata).
        contact_name: the desk that answers questions; never a person.
        contact_url: its address on the web.
        licence: SPDX identifier of the open data's licence.
        licence_url: the licence's text.
        small_cell_threshold: the lowest count above zero that is printed below regency level;
            with 2 a public sum could still show a hidden one.
        languages: in which an edition is written, the first one's files in its own folder.
        portal_url: where the portal is read, with a slash at its end: readers of its feed need it;
            None: the feed's links are relative to where it is.
        boundary_file: GeoJSON of the regencies' boundaries, relative to the file; None: the map
            is drawn with tiles.
        boundary_code: the property of a feature that has the regency's Kemendagri code.

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
            remediation="correct the file; lumbung.publication.office says what it holds",
        ) from error
