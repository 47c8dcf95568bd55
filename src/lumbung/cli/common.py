"""What several commands share: the console, common options, the warehouse's URL."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer
from rich.console import Console

from lumbung.errors import ConfigurationError
from lumbung.settings import Settings

console = Console(highlight=False)
Json = Annotated[bool, typer.Option("--json", help="print JSON, for programs")]
Role = Annotated[str | None, typer.Option(help="read as this role, e.g. analyst_province")]


def impersonal(reason: str) -> str:
    """Return a reason, which decisions and the audit log keep for ever.

    Raises:
        ConfigurationError: when it has a telephone number, NIK or the like of a person.
    """
    from lumbung.publication.checks.pii import personal_kinds

    if kinds := personal_kinds(reason or ""):
        raise ConfigurationError(
            f"the reason looks as if it had {', '.join(kinds)}; reasons are kept for ever",
            where="--reason",
            remediation="say why without anybody's name or number; name a record by its id",
        )
    return reason


Why = Annotated[str, typer.Option(help="why, without anybody's name", callback=impersonal)]


def owner_url() -> str:
    """Return the warehouse's URL as its owner; start the embedded server if needed.

    Raises:
        ConfigurationError: when no account is given.
    """
    from lumbung import database
    from lumbung.local.stack import Stack

    url = Stack(Settings.load()).start_database()
    if not database.has_account(url):
        raise ConfigurationError(
            "only the owner of the warehouse may do this, and no account is given",
            where="LUMBUNG_DATABASE_URL",
            remediation="give the owner's URL, with its password, to this command",
        )
    return url


def warehouse_address() -> str:
    """Return the warehouse's URL as `roles.role_url` takes it; start the embedded server."""
    from lumbung.local.stack import Stack

    return Stack(Settings.load()).address()


def warehouse_url(login: str, role: str | None = None) -> str:
    """Return the warehouse's URL for the login of a command; start the embedded server if needed.

    Args:
        login: one of `roles.LOGINS`, or a reader. A person's own login in `LUMBUNG_DATABASE_URL`
            stays what it is.
        role: what the person asked for with `--role`.

    Raises:
        ConfigurationError: when there is no such role.
    """
    from lumbung.warehouse import roles

    url = warehouse_address()
    return roles.role_url(url, role) if role else roles.login_url(url, login)


def print_json(found: Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> None:
    """Print a status or a list as JSON; times and other such values as text."""
    content = found if isinstance(found, Mapping) else list(found)
    typer.echo(json.dumps(content, indent=1, ensure_ascii=False, default=str))
