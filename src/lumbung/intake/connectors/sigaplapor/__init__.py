"""The kind `sigaplapor`: SigapLapor's public lists."""

from __future__ import annotations

from lumbung.intake.connectors.base import Kind
from lumbung.intake.connectors.sigaplapor.config import SigaplaporSource

KIND = Kind(
    name="sigaplapor",
    config=SigaplaporSource,
    connection="the site's address",
    connection_with="path",
    has_receipt_time=False,
)
