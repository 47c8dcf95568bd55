"""The kind `register`: spreadsheets and CSV files in a folder."""

from __future__ import annotations

from lumbung.intake.connectors.base import Kind
from lumbung.intake.connectors.register.config import RegisterSource

KIND = Kind(
    name="register",
    config=RegisterSource,
    has_receipt_time=False,
    has_key=True,
)
