"""The options of a channel of kind `odk`."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from lumbung.intake.channel.types import Duration, Label
from lumbung.intake.connectors.base import SourceConfig


class OdkSource(SourceConfig):
    """A form on an ODK Central server.

    Attributes:
        project: the project's number, as in its address.
        form: the form's id (`xmlFormId`).
        overlap: the time before the end of the last pull at which the next one begins.
    """

    kind: Literal["odk"]
    project: int = Field(ge=1)
    form: Label
    overlap: Duration = timedelta(hours=1)

    def overlaps(self, other: SourceConfig) -> bool:
        """The same form."""
        return isinstance(other, OdkSource) and (self.project, self.form) == (
            other.project,
            other.form,
        )
