"""The kind `email`: a mailbox, over IMAP."""

from __future__ import annotations

from lumbung.intake.connectors.base import Kind
from lumbung.intake.connectors.email.config import EmailSource

KIND = Kind(
    name="email",
    config=EmailSource,
    connection="the mail server's address, login and password",
    system_labels=frozenset(
        {
            *("Pengirim", "Nama pengirim", "Kepada", "Subjek", "Tanggal surat", "Teks", "Tanda"),
            *("Lampiran", "Teks (utuh)"),
        }
    ),
    message_labels=("Pengirim", "Nama pengirim", "Kepada"),
)
