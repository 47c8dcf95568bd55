"""What several commands share: the console, common options, the warehouse's URL."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer
from rich.console import Console

from lumbung.settings import Settings

console = Console(highlight=False)
Json = Annotated[bool, typer.Option("--json", help="print JSON, for programs")]
Role = Annotated[str | None, typer.Option(help="read as this role, e.g. analyst_province")]


def warehouse_url(role: str | None = None) -> str:
    """Return the warehouse's URL, as its owner or as a role; start the embedded server if needed.

    Raises:
        ConfigurationError: when there is no such role.
    """
    from lumbung.local.stack import Stack
    from lumbung.warehouse.roles import role_url

    url = Stack(Settings.load()).start_database()
    return url if role is None else role_url(url, role)


def print_json(found: Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> None:
    """Print a status or a list as JSON; times and other such values as text."""
    content = found if isinstance(found, Mapping) else list(found)
    typer.echo(json.dumps(content, indent=1, ensure_ascii=False, default=str))
