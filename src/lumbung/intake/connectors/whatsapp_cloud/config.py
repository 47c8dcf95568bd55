"""The options of a channel of kind `whatsapp_cloud`."""

from __future__ import annotations

from typing import Literal

from lumbung.intake.connectors.base import SourceConfig


class WhatsappCloudSource(SourceConfig):
    """Webhook requests of the WhatsApp Cloud API, archived in a folder.

    Attributes:
        files: which files of the folder.
        marker: the first line of a message that follows the pinned template, e.g. `ADUAN`.
    """

    kind: Literal["whatsapp_cloud"]
    files: str = "*"
    marker: str | None = None

    def overlaps(self, other: SourceConfig) -> bool:
        """Never: the connection is the secret of an app, whose requests may lie in many inboxes."""
        return False
