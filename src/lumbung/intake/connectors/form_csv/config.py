"""The options of a channel of kind `form_csv`."""

from __future__ import annotations

from typing import Literal

from lumbung.intake.channel.types import Labels
from lumbung.intake.connectors.base import SourceConfig


class FormCsvSource(SourceConfig):
    """The responses of one form of Google Forms, as CSV: files in a folder, or a link.

    Attributes:
        files: which files of the folder; each is an export of the whole form.
        path: the part of the link after the connection's address, if the CSV is read from a link.
        timestamp: the column with the time of the response.
        id: columns that identify a response, also after an edit: the number of an add-on, or the
            e-mail address if a form accepts one response from each.
        date_order: the order in times that do not begin with the year: day or month first.
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

    def overlaps(self, other: SourceConfig) -> bool:
        """The same link."""
        return isinstance(other, FormCsvSource) and self.path.strip("/") == other.path.strip("/")
