"""The options of a channel of kind `form_a`."""

from __future__ import annotations

from typing import Literal

from lumbung.intake.connectors.base import SourceConfig


class FormASource(SourceConfig):
    """Formulir Model A (laporan hasil pengawasan) as docx files in a folder.

    Attributes:
        files: which files of the folder.
    """

    kind: Literal["form_a"]
    files: str = "*"
