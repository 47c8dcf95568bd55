"""The command `lumbung`: the functions that the DAGs call, as commands.

Each module of this package holds the commands of one audience.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from lumbung.cli import local, pipeline, publication, steward, warehouse
from lumbung.errors import ConfigurationError, LumbungError, explained
from lumbung.files import PRIVATE_UMASK
from lumbung.memory import RARELY, refuse_core_dumps
from lumbung.settings import home_folder, read_secrets

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Lumbung: a warehouse for election-supervision records.",
)
for _audience in (local, pipeline, steward, publication, warehouse):
    app.add_typer(_audience.app)


def main() -> NoReturn:
    """Run the command; print an error as one message and exit with the code of its class.

    Every command reads the secrets that `NAME_FILE` names: those of a container are files only.
    """
    os.umask(PRIVATE_UMASK)
    gc.set_threshold(*RARELY)
    refuse_core_dumps()
    try:
        read_secrets()
        app(standalone_mode=True)
    except Exception as error:
        if isinstance(error, ConfigurationError):  # perhaps there is no project, and so no home
            known: LumbungError = error
        else:
            known = explained(error, home_folder())
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            f"lumbung: {known}", style="bold red", markup=False
        )
        sys.exit(known.exit_code)
    sys.exit(0)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"lumbung {version('lumbung')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="print the version and exit"
        ),
    ] = False,
) -> None:
    """Define the options of `lumbung` itself."""
