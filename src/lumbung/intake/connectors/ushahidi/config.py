"""The options of a channel of kind `ushahidi`."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from lumbung.intake.channel.types import Duration
from lumbung.intake.connectors.base import SourceConfig


class UshahidiSource(SourceConfig):
    """The posts of an Ushahidi deployment: its v5 API, or (without a connection) its CSV export.

    Attributes:
        form: the survey's number; if left out, all surveys and posts without one (API only).
        overlap: the time before the end of the last pull at which the next one begins (API only).
        files: which files of the folder; each is an export of the same surveys.
    """

    kind: Literal["ushahidi"]
    form: int | None = Field(default=None, ge=1)
    overlap: Duration = timedelta(hours=1)
    files: str = "*"

    def overlaps(self, other: SourceConfig) -> bool:
        """The same survey, or all of them."""
        return isinstance(other, UshahidiSource) and (
            None in (self.form, other.form) or self.form == other.form
        )
