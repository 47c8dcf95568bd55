"""The kind `whatsapp`: exported chats of WhatsApp."""

from __future__ import annotations

from lumbung.intake.connectors.base import Kind
from lumbung.intake.connectors.whatsapp.config import WhatsappSource

KIND = Kind(
    name="whatsapp",
    config=WhatsappSource,
    message_labels=("Pengirim",),
    has_editable_times=True,
)
