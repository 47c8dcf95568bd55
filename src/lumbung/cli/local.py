"""Commands that start, stop and show what runs on this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lumbung.cli.common import Json, console, print_json, warehouse_address
from lumbung.errors import ConfigurationError
from lumbung.settings import Settings, number

if TYPE_CHECKING:
    from lumbung.backup.restore import Restored
    from lumbung.local.airflow import Airflow
    from lumbung.local.stack import Stack

app = typer.Typer()


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="an empty folder, or one that does not exist yet")],
) -> None:
    """Write channels, configuration, dbt project and DAG files into an office's own folder."""
    from lumbung import project

    count = project.create(folder)
    console.print(
        f"written  {count} files of version {project.VERSION}",
        f"next     cd {folder} && lumbung channel check && lumbung up",
        sep="\n",
        soft_wrap=True,
    )


@app.command()
def upgrade(
    folder: Annotated[Path, typer.Argument(help="a folder that 'lumbung init' wrote")] = Path(),
    apply: Annotated[bool, typer.Option("--apply", help="write what you did not change")] = False,
    as_json: Json = False,
) -> None:
    """Show how the files of a folder differ from this version's; the office's own changes stay."""
    from lumbung import project

    found = project.differences(folder)
    if as_json:
        if apply:
            project.apply(folder)
        print_json({"path": each.path, "state": each.state} for each in found)
        return
    for each in found:
        console.print(f"{each.state:9}{each.path}", markup=False, soft_wrap=True)
    if not apply:
        for each in found:
            if each.state != "own":
                console.print(*each.lines, sep="\n", markup=False, soft_wrap=True)
        return
    for beside in project.apply(folder):
        console.print(f"compare  {beside} with your file, then delete it", soft_wrap=True)
    console.print("next     lumbung migrate && lumbung build", soft_wrap=True)


@app.command()
def up() -> None:
    """Start PostgreSQL, Airflow and the portal; parts that already run are left alone."""
    from lumbung.local.stack import Stack

    stack = Stack(Settings.load())
    with console.status("starting PostgreSQL and Airflow (about half a minute)"):
        airflow = _start(stack)
    console.print(f"Airflow  {airflow.url}  (user admin, password {airflow.password('admin')})")
    console.print(f"portal   {stack.portal.url}")
    console.print("psql     .venv/bin/lumbung psql")
    console.print("stop     .venv/bin/lumbung down")


def _start(stack: Stack) -> Airflow:
    from lumbung.demo import kobo_server
    from lumbung.publication.portal import publish

    settings = stack.settings
    airflow = stack.start()
    if settings.demo_claim.exists():
        kobo_server.start(settings, stack.processes, airflow.client())
    if not settings.portal.exists():
        publish.build_all(settings=settings, database_url=stack.start_database())
    return airflow


@app.command()
def watch() -> None:
    """Start everything, and start again what dies, until somebody runs 'lumbung down'.

    A part is started again when it is down at two looks, half a minute apart. When this command
    itself is ended, the parts run on.
    """
    from lumbung.local import watch as watching
    from lumbung.local.stack import Stack

    stack = Stack(Settings.load())
    watching.watch(stack, lambda: _start(stack))


@app.command()
def migrate() -> None:
    """Migrate the warehouse and Airflow's metadata to this version; `up` and `demo` do it too."""
    from lumbung.local.stack import Stack

    stack = Stack(Settings.load())
    with console.status("migrating the warehouse and Airflow's metadata"):
        stack.airflow(stack.migrate()).prepare()
    console.print("the warehouse and Airflow's metadata are at this version")


@app.command()
def down() -> None:
    """Stop everything that `up` or `demo --keep` started."""
    from lumbung.local.stack import Stack

    with console.status("stopping"):
        Stack(Settings.load()).stop()
    console.print("stopped")


@app.command()
def status(as_json: Json = False) -> None:
    """Show each part's state, process id, memory and log; exits 3 when a part is down.

    It also exits 3 when tasks wait although a worker is free.
    """
    from lumbung.local.airflow import service_address
    from lumbung.local.stack import Stack

    if address := service_address():
        raise ConfigurationError(
            "another program runs the parts here, such as Docker Compose",
            where=address,
            remediation="ask that program ('docker compose ps'), or run 'lumbung doctor', which"
            " asks the parts themselves",
        )
    stack = Stack(Settings.load())
    parts = stack.status()
    logs = {
        part.name: stack.postgres.log if part.name == "postgres" else stack.processes.log(part.name)
        for part in parts
    }
    shown = {name: str(log) if log.exists() else "" for name, log in logs.items()}
    waiting = stack.queued_too_long()
    addresses = {"Airflow": stack.airflow_url, "portal": stack.portal.url}
    if as_json:
        print_json({
            "parts": [
                {"name": part.name, "pid": part.pid, "memory": part.memory, "log": shown[part.name]}
                for part in parts
            ],
            "addresses": {name.lower(): address for name, address in addresses.items()},
            "queued_too_long": waiting,
        })  # fmt: skip
    else:
        typer.echo(f"{'part':<15} {'state':<8} {'pid':>7} {'MB':>5}  log")
        for part in parts:
            state, memory = ("running", f"{part.memory / 1e6:.0f}") if part.pid else ("down", "")
            log = shown[part.name]
            typer.echo(f"{part.name:<15} {state:<8} {part.pid or '':>7} {memory:>5}  {log}")
        for name, address in addresses.items():
            if address:
                typer.echo(f"{name:<8} {address}")
        total = sum(part.memory for part in parts)
        typer.echo(f"together {total / 1e9:.2f} GB (proportional)")
        if waiting:
            typer.echo(f"no worker begins {', '.join(waiting)}: run 'lumbung up', which starts the"
                       " scheduler again")  # fmt: skip
    if waiting or not all(part.pid for part in parts):
        raise typer.Exit(3)


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check disk, permissions, parts, backups, versions, clock, keys, editions and DAGs.

    Each line says that a point is well, or what to do; exits 3 when one is not. What needs the
    database is left out while it is down.
    """
    from lumbung import doctor as checks

    found = checks.diagnose(Settings.load())
    if as_json:
        print_json({"point": each.name, "ok": each.is_ok, "said": each.said} for each in found)
    else:
        for each in found:
            typer.echo(f"{'ok' if each.is_ok else 'DO':<3} {each.name:<12} {each.said}")
    if not all(each.is_ok for each in found):
        raise typer.Exit(3)


@app.command()
def run(
    component: Annotated[str, typer.Argument(help="init, portal, worker, or a process of Airflow")],
    queues: Annotated[
        str | None, typer.Option(help="the worker's queues, separated by commas; default: all")
    ] = None,
) -> None:
    """Run one part in the foreground, for containers and service managers.

    Variables `AIRFLOW__...` that are already set take precedence over Lumbung's. The portal listens
    at `LUMBUNG_PORTAL_HOST` (127.0.0.1) and `LUMBUNG_PORTAL_PORT` (8090).
    """
    from lumbung.local import portal as local
    from lumbung.local.airflow import API_SERVER, COMPONENTS, QUEUES, worker
    from lumbung.local.stack import Stack
    from lumbung.publication.portal import publish as publication_portal

    given = {name: value for name, value in os.environ.items() if name.startswith("AIRFLOW__")}
    settings = Settings.load()
    stack = Stack(settings, given)
    if component == local.NAME:
        host = os.environ.get("LUMBUNG_PORTAL_HOST", "127.0.0.1")
        port = int(
            number(
                "LUMBUNG_PORTAL_PORT",
                *(str(local.PREFERRED_PORT), 1, 65_535),
                remediation="set the port that the portal listens at, or leave it out",
            )
        )
        os.execv(sys.executable, local.command(settings.portal, host, port))  # noqa: S606
    if component == "init":
        url = stack.migrate()
        stack.airflow(url).prepare()
        publication_portal.build_all(settings=settings, database_url=url)
        return
    parts = {**COMPONENTS, "worker": worker(queues or ",".join(QUEUES))}
    if component not in parts:
        raise typer.BadParameter(f"one of init, portal, {', '.join(parts)}")
    airflow = stack.airflow(stack.log_in())
    if component == API_SERVER:
        airflow.prepare_secrets()  # in a home that it does not share with `init`
    command = [sys.executable, "-m", *parts[component]]
    os.execve(sys.executable, command, airflow.environment())  # noqa: S606


@app.command()
def backup(
    folder: Annotated[
        Path | None, typer.Argument(help="where backups are kept; default: LUMBUNG_BACKUP")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(help="public key (age1...) that the keys are encrypted to; default:"
                     " LUMBUNG_BACKUP_RECIPIENT"),
    ] = None,
    verify: Annotated[
        bool, typer.Option(help="restore the newest backup into a scratch server and compare it")
    ] = False,
) -> None:  # fmt: skip
    """Back up databases, evidence, configuration and keys into a new folder in FOLDER.

    Everything may run meanwhile. The folder appears under its name when it is whole; the newest
    `LUMBUNG_BACKUP_KEEP` (7) are kept, and copied to `LUMBUNG_BACKUP_COPY` if it is set.
    """
    from lumbung.backup import remote, take
    from lumbung.backup import restore as restoring

    settings = Settings.load()
    if verify:
        where = folder or take.Target.load(recipient="-").folder
        with console.status("restoring into a scratch server"):
            found = restoring.drill(where, settings=settings, database_url=warehouse_address())
        console.print(f"restores {found.backup}", soft_wrap=True)
        _print_restored(found)
        return
    target = take.Target.load(folder, to)
    with console.status("backing up"):
        done = take.backup(target, settings=settings, database_url=warehouse_address())
    console.print(f"written  {done.folder}", soft_wrap=True)
    console.print(f"         {done.size / 1e6:.1f} MB in {done.seconds:.0f} s")
    for file in done.damaged:
        console.print(f"damaged  {file}: not the bytes that were delivered", soft_wrap=True)
    if copies := remote.address():
        with console.status("copying"):
            remote.mirror(target.folder, copies, target.keep)
        console.print(f"copied   {copies}", soft_wrap=True)


@app.command()
def backup_key(
    file: Annotated[Path, typer.Argument(help="new file for the private key")],
) -> None:
    """Make the key pair that backups encrypt the keys to; keep the file away from this machine."""
    from lumbung.backup import keys

    typer.echo(keys.create(file))


@app.command()
def restore(
    folder: Annotated[
        str,
        typer.Argument(help="a backup, or the folder or address of several: the newest"),
    ],
    identity: Annotated[Path, typer.Option(help="file of the private key ('backup-key')")],
) -> None:
    """Restore a backup into an empty LUMBUNG_HOME; nothing is written if it is not whole."""
    from lumbung.backup import remote
    from lumbung.backup import restore as restoring

    settings = Settings.load()
    with console.status("restoring"), remote.fetched(folder, settings.home) as place:
        found = restoring.restore(place, identity, settings=settings)
    console.print(f"restored {found.backup} into {settings.home}", soft_wrap=True)
    _print_restored(found)
    if found.differing:
        restored = settings.home / "restored"
        console.print(
            f"{len(found.differing)} files of {restored} differ from {settings.project}, such as"
            f" {found.differing[0].relative_to(restored)}; if the restored ones are right:",
            soft_wrap=True,
        )
        console.print(f"cp -r {restored}/. {settings.project}", soft_wrap=True)


def _print_restored(found: Restored) -> None:
    console.print(f"         {found.tables} tables, {found.files} files and {found.editions}"
                  f" editions in {found.seconds:.0f} s; all are as backed up")  # fmt: skip


@app.command()
def demo(
    weeks: Annotated[int, typer.Option(min=1, max=9, help="campaign weeks from 2024-W39")] = 9,
    seed: Annotated[int, typer.Option(help="random seed of the invented records")] = 1,
    keep: Annotated[bool, typer.Option(help="leave PostgreSQL and Airflow running")] = False,
) -> None:
    """Run the whole pipeline on invented records: channels, facts, checks, one weekly edition."""
    from lumbung.demo.run import Demo

    Demo(Settings.load(), console, weeks=weeks, seed=seed, keep=keep).run()
