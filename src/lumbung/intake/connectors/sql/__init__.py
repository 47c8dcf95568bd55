"""The kind `sql`: a table or query of a database, or of SQLite files in a folder."""

from __future__ import annotations

from lumbung.intake.connectors.base import Kind
from lumbung.intake.connectors.sql.config import SqlSource

KIND = Kind(name="sql", config=SqlSource, has_receipt_time=False, has_key=True)
