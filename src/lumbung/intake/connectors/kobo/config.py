"""The options of a channel of kind `kobo`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lumbung.intake.channel.types import Duration
from lumbung.intake.connectors.base import SourceConfig


class KoboSource(SourceConfig):
    """A form on a KoboToolbox server.

    Attributes:
        asset: the form's uid, as in its address on the server.
        full_every: how often the whole form is read, to find edits and deletions. Pulls in between
            read only new submissions. If left out, every pull reads the whole form.
    """

    kind: Literal["kobo"]
    asset: str = Field(pattern=r"^[A-Za-z0-9]+$")
    full_every: Duration | None = None

    def overlaps(self, other: SourceConfig) -> bool:
        """The same form."""
        return isinstance(other, KoboSource) and self.asset == other.asset
