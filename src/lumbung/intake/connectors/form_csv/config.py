"""The options of a channel of kind `form_csv`."""

from __future__ import annotations

from typing import Literal

from lumbung.intake.channel.types import Labels
from lumbung.intake.connectors.base import SourceConfig


class FormCsvSource(SourceConfig):
    """The responses of one form of Google Forms, as CSV: files in a folder, or a link.

    Attributes:
        files: which files of the folder; each is an export of the whole form.
        path: what follows the connection's address, where the CSV is read from a link.
        timestamp: the column with the time of the response.
        id: columns that name a response for good, also when it is edited (a number of an add-on, or
            the address where a form takes one response from each).
        date_order: how times without a year in front are written: day or month first.
    """

    kind: Literal["form_csv"]
    files: str = "*"
    path: str = ""
    timestamp: Labels = ("Cap waktu", "Stempel waktu", "Timestamp")
    id: Labels = ()
    date_order: Literal["dmy", "mdy"] = "dmy"

    @property
    def labels(self) -> tuple[str, ...]:
        """The columns of the time and of the id."""
        return (*self.timestamp, *self.id)
