"""What several commands share: the console, common options, the warehouse's URL."""

from __future__ import annotations

import hashlib
import json
import os
import pwd
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from lumbung.errors import ConfigurationError
from lumbung.settings import Settings

if TYPE_CHECKING:
    from lumbung.publication.editions.approver import Proof

console = Console(highlight=False)
if not console.is_terminal and "COLUMNS" not in os.environ:
    console.width = 1_000  # a pipe or file has no edge: the words of a table stay whole
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
Consent = Annotated[
    str, typer.Option(help="account of the second person, whose phone makes the one-time code")
]


By = Annotated[
    str,
    typer.Option(
        "--by",
        help="account that decides, whose phone makes the one-time code; by default this machine's",
    ),
]


def machine_account() -> str:
    """Return the account that runs this process, whatever its environment says."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run as a number without a name
        return f"uid-{os.getuid()}"


def decider(by: str, command: str, *, office: str = "") -> str:
    """Authenticate who decides by a command, before it does; return the account.

    The person enters a one-time code of the phone (`lumbung approver enrol`). Who has a login of
    the database (`lumbung user add`) was authenticated by it. A demo's home needs no code.

    Args:
        by: the account; empty: that of the machine.
        command: the command and what it decides on, without anybody's name.
        office: the office whose edition it is about; empty: the installation's own, whose people
            alone decide on records and channels at a terminal.

    Raises:
        ConfigurationError: when the office's `people.yaml` does not name the account, or the
            warehouse's URL has the login of another service.
        CodeError, LockedError: as `approver.prove`.
    """
    from psycopg.conninfo import conninfo_to_dict

    from lumbung.publication.delivery.recipients import require_account
    from lumbung.publication.editions import approver
    from lumbung.warehouse import roles

    settings, name = Settings.load().at_office(office), by or machine_account()
    if settings.demo_claim.exists():
        return name
    url = warehouse_url("approver")
    login = str(conninfo_to_dict(url)["user"])
    if login not in roles.LOGINS:
        return login
    if login != "approver":
        raise ConfigurationError(
            f"'{login}' is the login of a service, not of a person who decides",
            where="LUMBUNG_DATABASE_URL",
            remediation="use the login that 'lumbung user add' made for you, or run the command"
            " where the installation runs",
        )
    require_account(name, settings)
    code = typer.prompt(f"code on the phone of {name}, who decides", hide_input=True)
    approver.decide_at_terminal(name, code, command, settings=settings, database_url=url)
    return name


def consented(
    by: str, account: str, what: str, reason: str, *, database_url: str
) -> tuple[str, Proof | None]:
    """Ask two people for one-time codes: who decides, and a second person who consents.

    Args:
        by: as for `decider`.
        account: of the second person, a name of `approval.users`.
        what: what they decide.
        reason: why.
        database_url: the warehouse, as the role `approver`.

    Returns:
        the account of the first person, and the proof of the second; None in a demo's home, which
        needs none.

    Raises:
        ConfigurationError: as `decider`, or when the account is not that of a second person.
        CodeError, LockedError: as `approver.prove`.
    """
    from lumbung.publication.delivery.recipients import load_people
    from lumbung.publication.editions import approver

    settings = Settings.load()
    if settings.demo_claim.exists():
        return decider(by, what), None
    users = load_people(settings).approval.users
    refused = ConfigurationError(
        "a second person has to consent, whose phone is enrolled",
        where="--consent",
        remediation=f"name another one of {', '.join(users) or 'approval.users'}"
        " (config/people.yaml)",
    )
    if account not in users or account == (by or machine_account()):
        raise refused
    name = decider(by, what)
    if name == account:  # a login of the database
        raise refused
    code = typer.prompt(f"code on the phone of {account}, who consents", hide_input=True)
    return name, approver.prove(
        account, code, edition_id=what, decision="consent", by=name,
        root=hashlib.sha256(reason.strip().encode()).hexdigest(),
        settings=settings, database_url=database_url,
    )  # fmt: skip


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
