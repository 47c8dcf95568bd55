"""The options of a channel of kind `register`."""

from __future__ import annotations

from typing import Literal

from lumbung.intake.channel.types import Labels
from lumbung.intake.connectors.base import SourceConfig


class RegisterSource(SourceConfig):
    """Spreadsheets or CSV files in a folder.

    Attributes:
        files: which files of the folder (a glob such as `*.xlsx`).
        sheets: which sheets (globs); every other one is not read.
        skip_sheets: sheets that hold no register, e.g. instructions (globs).
        hidden_sheets: whether hidden sheets are read too.
        sheet_in_key: whether the sheet's name is a part of the key, where rows are numbered anew
            in each sheet.
    """

    kind: Literal["register"]
    files: str = "*"
    sheets: Labels = ("*",)
    skip_sheets: Labels = ()
    hidden_sheets: bool = False
    sheet_in_key: bool = False
