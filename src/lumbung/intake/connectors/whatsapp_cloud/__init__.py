"""The kind `whatsapp_cloud`: the WhatsApp Cloud API."""

from __future__ import annotations

from lumbung.intake.connectors.base import Kind
from lumbung.intake.connectors.whatsapp_cloud.config import WhatsappCloudSource

KIND = Kind(
    name="whatsapp_cloud",
    config=WhatsappCloudSource,
    connection="the app secret that requests are signed with",
    system_labels=frozenset(
        {"Pengirim", "Nama profil", "Teks", "Tanda", "Jenis", "Media", "Pesan (utuh)"}
    ),
    message_labels=("Pengirim", "Nama profil"),
)
