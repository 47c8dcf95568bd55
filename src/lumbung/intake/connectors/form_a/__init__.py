"""The kind `form_a`: Formulir Model A."""

from __future__ import annotations

from lumbung.intake.connectors.base import Kind
from lumbung.intake.connectors.form_a.config import FormASource

KIND = Kind(
    name="form_a",
    config=FormASource,
    has_receipt_time=False,
)
