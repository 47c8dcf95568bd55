"""Commands for people who work on the warehouse with dbt, psql or other tools."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from lumbung.cli.common import Role, console, warehouse_url
from lumbung.settings import Settings

app = typer.Typer()


@app.command()
def docs(
    port: Annotated[int, typer.Option(help="port to serve them on; 0: any free port")] = 0,
    serve: Annotated[bool, typer.Option(help="serve the pages, or only write them")] = True,
) -> None:
    """Write pages about the tables (dbt) and checks (Data Docs), and serve them until Ctrl-C."""
    import webbrowser

    from lumbung.warehouse import docs as warehouse_docs

    settings = Settings.load()
    page = warehouse_docs.write(settings=settings, database_url=warehouse_url())
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
    """Print the warehouse's URL; the embedded server is started if needed and keeps running."""
    typer.echo(warehouse_url(role))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(context: typer.Context, role: Role = None) -> None:
    """Open psql on the warehouse, which keeps running; arguments after `--` go to psql."""
    from lumbung.local.postgres import BINARIES

    program = str(BINARIES / "psql")
    os.execv(program, [program, warehouse_url(role), *context.args])  # noqa: S606 - our own binary


@app.command()
def env(
    format: Annotated[
        Literal["shell", "dotenv", "json"], typer.Option(help="how the variables are written")
    ] = "shell",
) -> None:
    """Print the variables that dbt, Airflow and psql need: eval "$(lumbung env)".

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


def _variables() -> dict[str, str]:
    from lumbung.local import tools
    from lumbung.local.stack import Stack

    stack = Stack(Settings.load())
    return tools.variables(stack, stack.start_database())


def _exec(program: str, arguments: list[str]) -> None:
    """Replace this process by a program of this virtual environment."""
    path = str(Path(sys.executable).with_name(program))
    os.execve(path, [path, *arguments], {**os.environ, **_variables()})  # noqa: S606
