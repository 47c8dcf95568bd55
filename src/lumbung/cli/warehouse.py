"""Commands for people who work on the warehouse with dbt, psql or other tools."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from lumbung.cli.common import (
    Json,
    Role,
    console,
    machine_account,
    owner_url,
    print_json,
    warehouse_url,
)
from lumbung.settings import Settings

app = typer.Typer()
user = typer.Typer(
    no_args_is_help=True, help="Logins of people who read the warehouse: add, list, remove."
)
app.add_typer(user, name="user")


@app.command()
def docs(
    port: Annotated[int, typer.Option(help="port to serve them on; 0: any free port")] = 0,
    serve: Annotated[bool, typer.Option(help="serve the pages, or only write them")] = True,
) -> None:
    """Write pages about the tables (dbt) and checks (Data Docs), and serve them until Ctrl-C."""
    import webbrowser

    from lumbung.warehouse import docs as warehouse_docs

    settings = Settings.load()
    page = warehouse_docs.write(settings=settings, database_url=warehouse_url("transformer"))
    console.print(f"written  {page}", soft_wrap=True)
    if serve:
        with warehouse_docs.server(page.parent, port) as server:
            address = f"http://127.0.0.1:{server.server_port}/"
            console.print(f"served   {address}  (Ctrl-C ends it)")
            webbrowser.open(address)
            with contextlib.suppress(KeyboardInterrupt):
                server.serve_forever()


@app.command()
def db_url(role: Role = None) -> None:
    """Print the warehouse's URL; the embedded server is started if needed and keeps running.

    It is the owner's, or with `--role` that of a login which has the rights of the role only. A
    person or a BI tool gets a login of its own: `lumbung user add`.
    """
    typer.echo(_url(role))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(context: typer.Context, role: Role = None) -> None:
    """Open psql on the warehouse, which keeps running; arguments after `--` go to psql."""
    from lumbung import database
    from lumbung.local.postgres import BINARIES

    program = str(BINARIES / "psql")
    url, password = database.without_password(_url(role))
    # Every account of the machine can read the arguments of a process.
    environment = {**os.environ, "PGPASSWORD": password} if password else os.environ
    os.execve(program, [program, url, *context.args], environment)  # noqa: S606 - our own binary


@app.command()
def export(
    table: Annotated[str, typer.Argument(help="a table that readers see, such as fct_report")],
    file: Annotated[
        Path, typer.Argument(help="file to write; its ending is .csv, .xlsx, .parquet or .geojson")
    ],
    role: Role = None,
    bom: Annotated[bool, typer.Option(help="begin a CSV file with a mark, for Excel")] = False,
) -> None:
    """Write a table to a file, with names after the codes.

    Without `--role` the rows are those of the province. A person with a login sets
    `LUMBUNG_DATABASE_URL` to it, and gets the rows that it may read. Parquet needs the package
    pyarrow, GeoJSON the boundary file of `config/edition.yaml`.
    """
    from lumbung.publication.formats import maps
    from lumbung.publication.office import load_office
    from lumbung.warehouse import export as exported

    url = warehouse_url("analyst_province", role)
    polygons = None
    if file.suffix == ".geojson":
        settings = Settings.load()
        polygons = maps.polygons(settings, load_office(settings))
    with console.status(f"writing {file.name}"):
        count = exported.export(url, table, file, by=machine_account(), bom=bom, polygons=polygons)
    typer.echo(f"{count} rows in {file}")


@user.command("add")
def add_user(
    name: Annotated[str, typer.Argument(help="name of the login and of its own schema")],
    role: Annotated[
        Literal["analyst", "analyst_province", "auditor"],
        typer.Option(help="what the login reads; analyst: the rows of --regency"),
    ],
    regency: Annotated[
        list[str] | None, typer.Option(help="a regency's code such as 19.02; may be repeated")
    ] = None,
    sessions: Annotated[
        int | None,
        typer.Option(help="how many at once; a BI server needs more than a person"),
    ] = None,
) -> None:
    """Make a login with a password, which is shown once, and a schema for tables of its own."""
    from psycopg.conninfo import conninfo_to_dict

    from lumbung.warehouse import users

    url = owner_url()
    password = users.add(
        url,
        name,
        role,
        regency or [],
        sessions=users.SESSIONS if sessions is None else sessions,
    )
    server = conninfo_to_dict(url)
    typer.echo(f"login     {name}")
    typer.echo(f"password  {password}  (not shown again)")
    for part in ("host", "port", "dbname"):
        typer.echo(f"{part:<9} {server.get(part) or ''}")


@user.command("list")
def list_users(as_json: Json = False) -> None:
    """Show the logins of people: roles, open sessions, size of their own tables."""
    from lumbung.warehouse import users

    found = users.users(owner_url())
    if as_json:
        print_json(each._asdict() for each in found)
        return
    typer.echo(f"{'login':<20} {'sessions':>8} {'MB':>8}  roles")
    for each in found:
        size, open_now = f"{each.schema_bytes / 1e6:.1f}", f"{each.sessions}/{each.session_limit}"
        typer.echo(f"{each.name:<20} {open_now:>8} {size:>8}  {', '.join(each.roles)}")


@user.command("remove")
def remove_user(
    name: Annotated[str, typer.Argument(help="a login of 'lumbung user list'")],
    drop_tables: Annotated[
        bool, typer.Option(help="drop the tables and views in the login's schema too")
    ] = False,
) -> None:
    """End a login's sessions and remove it with its schema."""
    from lumbung.warehouse import users

    users.remove(owner_url(), name, drop_tables=drop_tables)
    typer.echo(f"removed {name}")


@app.command()
def env(
    format: Annotated[
        Literal["shell", "dotenv", "json"], typer.Option(help="how the variables are written")
    ] = "shell",
) -> None:
    """Print the variables that dbt, Airflow and psql need: eval "$(lumbung env)".

    dbt and psql log in as the role `transformer`; the owner is for 'lumbung psql'.
    Passwords and the Fernet key are among them. On a terminal they are shown as ***; in a pipe, a
    file or `eval` they are written in full.
    """
    from lumbung.local import tools

    found = _variables()
    if sys.stdout.isatty():
        found = tools.hide(found)
        typer.echo('secrets are hidden on a terminal: use eval "$(lumbung env)"', err=True)
    typer.echo(tools.written(found, format))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def dbt(context: typer.Context) -> None:
    """Run dbt on this installation; arguments after `--` go to dbt.

    The default target is `dev`, which builds into schemas of your own.
    """
    _exec("dbt", context.args)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def airflow(context: typer.Context) -> None:
    """Run Airflow's command line on this installation; arguments after `--` go to Airflow."""
    _exec("airflow", context.args)


def _url(role: str | None) -> str:
    """Return the owner's URL, or that of a login of a role, which may not reset it to another."""
    from lumbung.warehouse.roles import role_url

    url = owner_url()
    return url if role is None else role_url(url, role)


def _variables() -> dict[str, str]:
    from lumbung.local import tools
    from lumbung.local.stack import Stack

    stack = Stack(Settings.load())
    return tools.variables(stack, stack.address())


def _exec(program: str, arguments: list[str]) -> None:
    """Replace this process by a program of this virtual environment."""
    path = str(Path(sys.executable).with_name(program))
    os.execve(path, [path, *arguments], {**os.environ, **_variables()})  # noqa: S606
