"""The options of a channel of kind `whatsapp`."""

from __future__ import annotations

from typing import Literal

from lumbung.intake.connectors.base import SourceConfig


class WhatsappSource(SourceConfig):
    """Exports of one chat (zip or txt) in a folder.

    Attributes:
        files: which files of the folder.
        marker: the first line of a message that follows the pinned template, e.g. `ADUAN`.
        date_order: how the exporting phone writes dates: day first (Indonesia) or month first.
    """

    kind: Literal["whatsapp"]
    files: str = "*"
    marker: str | None = None
    date_order: Literal["dmy", "mdy"] = "dmy"
