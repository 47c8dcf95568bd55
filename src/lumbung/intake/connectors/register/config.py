"""The options of a channel of kind `register`."""

from __future__ import annotations

from typing import Literal

from lumbung.intake.channel.types import Labels
from lumbung.intake.connectors.base import SourceConfig


class RegisterSource(SourceConfig):
    """Spreadsheets or CSV files in a folder.

    Attributes:
        files: which files of the folder (a glob such as `*.xlsx`).
        sheets: which sheets are read (globs).
        skip_sheets: sheets without a register, for example with instructions (globs).
        hidden_sheets: whether hidden sheets are read too.
        sheet_in_key: whether the sheet's name is a part of the key, because each sheet numbers its
            rows from 1.
    """

    kind: Literal["register"]
    files: str = "*"
    sheets: Labels = ("*",)
    skip_sheets: Labels = ()
    hidden_sheets: bool = False
    sheet_in_key: bool = False
