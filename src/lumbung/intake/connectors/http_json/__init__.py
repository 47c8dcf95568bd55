"""The kind `http_json`: any JSON API that lists records."""

from __future__ import annotations

from lumbung.intake.connectors.base import Kind
from lumbung.intake.connectors.http_json.config import HttpJsonSource

KIND = Kind(
    name="http_json",
    config=HttpJsonSource,
    connection="the server's address and token",
)
