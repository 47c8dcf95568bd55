"""The kind `form_csv`: the responses of a form of Google Forms, as CSV."""

from __future__ import annotations

from lumbung.intake.connectors.base import Kind
from lumbung.intake.connectors.form_csv.config import FormCsvSource

KIND = Kind(
    name="form_csv",
    config=FormCsvSource,
)
