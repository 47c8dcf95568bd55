"""Commands for those who work on the warehouse with tools of their own."""

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
    port: Annotated[int, typer.Option(help="to serve them on; 0: a free one")] = 0,
    serve: Annotated[bool, typer.Option(help="or only write the pages")] = True,
) -> None:
    """Document the tables (dbt) and the checks (Data Docs), and serve the pages until Ctrl-C."""
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
    """Print the URL of the warehouse; the embedded server is started if need be, and stays up."""
    typer.echo(warehouse_url(role))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(context: typer.Context, role: Role = None) -> None:
    """Open psql on the warehouse (it stays up); arguments after `--` are psql's own."""
    from lumbung.local.postgres import BINARIES

    program = str(BINARIES / "psql")
    os.execv(program, [program, warehouse_url(role), *context.args])  # noqa: S606 - our own binary


@app.command()
def env(
    format: Annotated[
        Literal["shell", "dotenv", "json"], typer.Option(help="how the variables are written")
    ] = "shell",
) -> None:
    """Print what dbt, Airflow and psql need: eval "$(lumbung env)".

    Passwords and the Fernet key are among it. On a terminal they are shown as ***; in a pipe, a
    file or `eval` they are written out.
    """
    from lumbung.local import tools

    found = _variables()
    if sys.stdout.isatty():
        found = tools.hide(found)
        typer.echo('secrets are hidden on a terminal: use eval "$(lumbung env)"', err=True)
    typer.echo(tools.written(found, format))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def dbt(context: typer.Context) -> None:
    """Run dbt on this installation; arguments after `--` are dbt's own.

    Its target is `dev`, schemas of your own, unless you name another one.
    """
    _become("dbt", context.args)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def airflow(context: typer.Context) -> None:
    """Run Airflow's command line on this installation; arguments after `--` are its own."""
    _become("airflow", context.args)


def _variables() -> dict[str, str]:
    from lumbung.local import tools
    from lumbung.local.stack import Stack

    stack = Stack(Settings.load())
    return tools.variables(stack, stack.start_database())


def _become(program: str, arguments: list[str]) -> None:
    """Replace this process by a program of this environment."""
    path = str(Path(sys.executable).with_name(program))
    os.execve(path, [path, *arguments], {**os.environ, **_variables()})  # noqa: S606
