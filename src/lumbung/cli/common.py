"""What several commands share: the console, the option `--role`, the warehouse's address."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from lumbung.settings import Settings

console = Console(highlight=False)
Role = Annotated[str | None, typer.Option(help="read as this role, e.g. analyst_province")]


def warehouse_url(role: str | None = None) -> str:
    """Address of the warehouse, as its owner or as a role; the embedded server is started.

    Raises:
        ConfigurationError: when there is no such role.
    """
    from lumbung.local.stack import Stack
    from lumbung.warehouse.roles import role_url

    url = Stack(Settings.load()).start_database()
    return url if role is None else role_url(url, role)
