"""The options of a channel of kind `sigaplapor`."""

from __future__ import annotations

from typing import Literal

from lumbung.intake.channel.types import Label
from lumbung.intake.connectors.base import SourceConfig


class SigaplaporSource(SourceConfig):
    """SigapLapor's public lists, from its site or as saved pages and exports in a folder.

    Attributes:
        path: the list's address below the connection's host; none for the folder.
        files: which files of the folder.
        number: the label of the register number.
    """

    kind: Literal["sigaplapor"]
    path: str | None = None
    files: str = "*"
    number: Label = "No Laporan/Temuan"

    def overlaps(self, other: SourceConfig) -> bool:
        """The same list."""
        return isinstance(other, SigaplaporSource) and _path(self) == _path(other)


def _path(options: SigaplaporSource) -> str:
    return (options.path or "").strip("/")
