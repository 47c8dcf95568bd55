"""What several commands share: the console, the option `--role`, the warehouse's address."""

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
    """Address of the warehouse, as its owner or as a role; the embedded server is started.

    Raises:
        ConfigurationError: when there is no such role.
    """
    from lumbung.local.stack import Stack
    from lumbung.warehouse.roles import role_url

    url = Stack(Settings.load()).start_database()
    return url if role is None else role_url(url, role)


def print_json(found: Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> None:
    """Print what a list or a status holds as JSON; times and other values in their text form."""
    content = found if isinstance(found, Mapping) else list(found)
    typer.echo(json.dumps(content, indent=1, ensure_ascii=False, default=str))
