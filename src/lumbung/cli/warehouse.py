"""Commands for who reads the warehouse with tools of their own."""

from __future__ import annotations

import contextlib
import os
from typing import Annotated

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
