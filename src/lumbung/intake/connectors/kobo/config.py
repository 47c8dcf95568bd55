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
        full_every: how often the whole form is read, which shows edits and deletions; the pulls in
            between read what is new. Every pull reads all, if it is left out.
    """

    kind: Literal["kobo"]
    asset: str = Field(pattern=r"^[A-Za-z0-9]+$")
    full_every: Duration | None = None
