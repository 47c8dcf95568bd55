"""The command `lumbung`: the same functions that the DAGs call, for a person at a terminal."""

from __future__ import annotations

import contextlib
import getpass
import os
import sys
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lumbung.errors import ConfigurationError, explained
from lumbung.intake import commands as intake_commands
from lumbung.settings import Settings

if TYPE_CHECKING:
    from lumbung.warehouse.exclusions import Decision as Exclusion
    from lumbung.warehouse.links import Decision

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Lumbung: a warehouse for election-supervision records.",
)
app.add_typer(intake_commands.channels, name="channel")
app.add_typer(intake_commands.quarantine, name="quarantine")
link = typer.Typer(no_args_is_help=True, help="Two cases of one event: show, decide, undo.")
app.add_typer(link, name="link")
record = typer.Typer(
    no_args_is_help=True, help="A landed delivery that must not count: exclude, restore."
)
app.add_typer(record, name="record")
console = Console(highlight=False)
SHOWN = 200
"""How many items `lumbung review` lists."""
Role = Annotated[str | None, typer.Option(help="read as this role, e.g. analyst_province")]


def main() -> NoReturn:
    """Run the command; any failure is one message and a non-zero exit."""
    try:
        app(standalone_mode=True)
    except Exception as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            f"lumbung: {explained(error, Settings.load().home)}", style="bold red", markup=False
        )
        sys.exit(1)
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


@app.command()
def up() -> None:
    """Start PostgreSQL, Airflow and the portal; what runs already is left alone."""
    from lumbung.embedded.stack import Stack
    from lumbung.publication import portal

    settings = Settings.load()
    stack = Stack(settings)
    with console.status("starting PostgreSQL and Airflow (about half a minute)"):
        airflow = stack.start()
        if not settings.portal.exists():
            portal.build(settings=settings, database_url=stack.start_database())
    console.print(f"Airflow  {airflow.url}  (user admin, password {airflow.password('admin')})")
    console.print(f"portal   {stack.portal.url}")
    console.print("psql     .venv/bin/lumbung psql")
    console.print("stop     .venv/bin/lumbung down")


@app.command()
def down() -> None:
    """Stop everything that `up` or `demo --keep` started."""
    from lumbung.embedded.stack import Stack

    with console.status("stopping"):
        Stack(Settings.load()).stop()
    console.print("stopped")


@app.command()
def status() -> None:
    """Show every part, whether it runs, its memory and its log; exits 3 when a part is down."""
    from lumbung.embedded.stack import Stack

    stack = Stack(Settings.load())
    parts = stack.status()
    typer.echo(f"{'part':<15} {'state':<8} {'pid':>7} {'MB':>5}  log")
    for part in parts:
        log = stack.postgres.log if part.name == "postgres" else stack.processes.log(part.name)
        state, memory = ("running", f"{part.memory / 1e6:.0f}") if part.pid else ("down", "")
        shown = log if log.exists() else ""
        typer.echo(f"{part.name:<15} {state:<8} {part.pid or '':>7} {memory:>5}  {shown}")
    if url := stack.airflow_url:
        typer.echo(f"Airflow  {url}")
    if url := stack.portal.url:
        typer.echo(f"portal   {url}")
    typer.echo(f"together {sum(part.memory for part in parts) / 1e9:.2f} GB (proportional)")
    if not all(part.pid for part in parts):
        raise typer.Exit(3)


@app.command()
def run(
    component: Annotated[str, typer.Argument(help="init, portal, or a process of Airflow")],
) -> None:
    """Run one part in the foreground, for containers and service managers.

    Variables `AIRFLOW__...` that are set win over Lumbung's own. The portal listens at
    `LUMBUNG_PORTAL_HOST` (127.0.0.1) and `LUMBUNG_PORTAL_PORT` (8090).
    """
    from lumbung.embedded import portal as local
    from lumbung.embedded.airflow import COMPONENTS
    from lumbung.embedded.stack import Stack
    from lumbung.publication import portal as publication_portal

    given = {name: value for name, value in os.environ.items() if name.startswith("AIRFLOW__")}
    settings = Settings.load()
    stack = Stack(settings, given)
    if component == local.NAME:
        host = os.environ.get("LUMBUNG_PORTAL_HOST", "127.0.0.1")
        port = int(os.environ.get("LUMBUNG_PORTAL_PORT", local.PREFERRED_PORT))
        os.execv(sys.executable, local.command(settings.portal, host, port))  # noqa: S606
    url = stack.start_database()
    airflow = stack.airflow(url)
    if component == "init":
        airflow.prepare()
        publication_portal.build(settings=settings, database_url=url)
        return
    if component not in COMPONENTS:
        raise typer.BadParameter(f"one of init, portal, {', '.join(COMPONENTS)}")
    command = [sys.executable, "-m", "airflow", *COMPONENTS[component]]
    os.execve(sys.executable, command, airflow.environment())  # noqa: S606


@app.command()
def demo(
    weeks: Annotated[int, typer.Option(min=1, max=9, help="campaign weeks from 2024-W39")] = 9,
    seed: Annotated[int, typer.Option(help="of the invented world")] = 1,
    keep: Annotated[bool, typer.Option(help="leave PostgreSQL and Airflow running")] = False,
) -> None:
    """Run the main job on an invented world: channels, facts, checks, one weekly edition."""
    from lumbung.demo.run import Demo

    Demo(Settings.load(), console, weeks=weeks, seed=seed, keep=keep).run()


@app.command()
def intake(
    channel: str,
    dry_run: Annotated[bool, typer.Option(help="show what would be landed")] = False,
    accept_withdrawals: Annotated[
        bool,
        typer.Option(
            "--accept-withdrawals", help="what is gone: at once, and even if it is more than half"
        ),
    ] = False,
) -> None:
    """Pull one channel, as its DAG does."""
    intake_commands.pull(channel, "cli", dry_run=dry_run, accept_withdrawals=accept_withdrawals)


@app.command()
def build(
    full_refresh: Annotated[bool, typer.Option(help="rebuild every model from raw")] = False,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="compute anew what was landed from this day on"),
    ] = None,
) -> None:
    """Check what came in and build the facts, as the DAG `warehouse` does."""
    from lumbung.embedded.stack import Stack
    from lumbung.warehouse import build as warehouse_build
    from lumbung.warehouse import raw_gate

    settings = Settings.load()
    url = Stack(settings).start_database()
    raw_gate.check_raw(settings=settings, database_url=url)
    warehouse_build.build(
        settings=settings,
        database_url=url,
        full_refresh=full_refresh,
        since=since and since.date(),
    )


@app.command()
def review(
    regency: Annotated[str, typer.Option(help="only of this one: a code or a name")] = "",
    check: Annotated[str, typer.Option(help="only of this one, such as place_unresolved")] = "",
) -> None:
    """Show what waits for a person: unknown words, unresolved places, pairs of cases ..."""
    from lumbung import stewardship
    from lumbung.embedded.stack import Stack

    url = Stack(Settings.load()).start_database()
    waiting = stewardship.items(url, regency=regency, check=check)
    table = Table("since", "regency", "channel", "what", "deliveries", "record", box=None)
    table.add_column("item", overflow="fold")
    cures: dict[str, str] = {}
    pairs = []
    for item in waiting[:SHOWN]:
        if item.check_code not in cures:
            cures[item.check_code] = f"{item.check_code} ({item.owner}): {item.cure}"
            table.add_section()
        if item.check_code == "pair_undecided":
            pairs.append(item)
            continue
        table.add_row(
            f"{item.since_date}",
            item.regency_name,
            item.channel,
            f"{item.check_code}: {item.detail}",
            str(item.record_count),
            str(item.record_id or ""),
            item.item_id,
        )
    if table.row_count:
        console.print(table)
    for item in pairs:
        verdict, *evidence = item.detail.split(", ")
        console.print(
            f"{item.since_date}  {item.regency_name}  {item.channel}  {verdict}",
            *(f"  {line}" for line in evidence),
            f"  lumbung link show {item.item_id.replace('/', ' ')}",
            f"  lumbung link decide {item.item_id.replace('/', ' ')} same|different --by NAME",
            sep="\n", soft_wrap=True, markup=False,
        )  # fmt: skip
    for cure in cures.values():
        console.print(cure, soft_wrap=True, markup=False)
    more = f", the first {SHOWN} of them are shown" if len(waiting) > SHOWN else ""
    console.print(f"{len(waiting)} items{more}")


@link.command()
def show(
    report: Annotated[str, typer.Argument(help="a case: the item of 'lumbung review' has both")],
    other: Annotated[str, typer.Argument(help="the other case")],
    role: Role = None,
) -> None:
    """Show two cases side by side, and what speaks for one event; as a role, what it may read."""
    from lumbung.warehouse import links

    pair = links.read(_url(role), report, other)
    table = Table("", report, other, box=None)
    for name, *values in zip(
        links.Case._fields[1:], *(case[1:] for case in pair.cases), strict=True
    ):
        # a stranger's text must not steer the terminal
        shown = ["" if value is None else _printable(str(value)) for value in values]
        table.add_row(name.replace("_", " "), *map(Text, shown))
    console.print(table)
    if not pair.has_narratives:
        console.print(
            "narratives are not for this role: 'lumbung trace RECORD' says where they lie"
        )
    weight = "" if pair.weight is None else f", {pair.weight} bits"
    console.print(f"{pair.state or 'no pair that is listed'}{weight}", *pair.evidence, sep="\n  ")


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() or each == "\n" else " " for each in text)


@link.command()
def decide(
    report: Annotated[str, typer.Argument(help="a case: the item of 'lumbung review' has both")],
    other: Annotated[str, typer.Argument(help="the other case")],
    decision: Annotated[Literal["same", "different"], typer.Argument(help="what you found")],
    by: Annotated[str, typer.Option(help="your name")],
    reason: Annotated[str, typer.Option(help="why, without anybody's name")] = "",
) -> None:
    """Say that two cases tell of the same event, or of different ones; nothing is merged."""
    _link(report, other, "same_event" if decision == "same" else "different", by, reason)


@link.command()
def undo(
    report: Annotated[str, typer.Argument(help="a case")],
    other: Annotated[str, typer.Argument(help="the other case")],
    by: Annotated[str, typer.Option(help="your name")],
    reason: Annotated[str, typer.Option(help="why, without anybody's name")] = "",
) -> None:
    """Take back what was decided on two cases."""
    _link(report, other, "undone", by, reason)


def _link(report: str, other: str, decision: Decision, by: str, reason: str) -> None:
    from lumbung.embedded.stack import Stack
    from lumbung.warehouse import links

    url = Stack(Settings.load()).start_database()
    links.decide(url, report, other, decision, by=by, note=reason)
    console.print(f"written down: {decision}; the next build shows it")


RecordId = Annotated[int, typer.Argument(help="a record of 'lumbung review' or 'lumbung trace'")]
Why = Annotated[str, typer.Option(help="why, without anybody's name")]


@record.command()
def exclude(number: RecordId, reason: Why) -> None:
    """Say that a delivery must not count, in whatever version; it is kept, listed and counted."""
    _exclude(number, "excluded", reason)


@record.command()
def restore(number: RecordId, reason: Why) -> None:
    """Take back that a delivery must not count."""
    _exclude(number, "restored", reason)


def _exclude(number: int, decision: Exclusion, reason: str) -> None:
    from lumbung.embedded.stack import Stack
    from lumbung.warehouse import exclusions

    url = Stack(Settings.load()).start_database()
    exclusions.decide(url, number, decision, by=getpass.getuser(), reason=reason)
    console.print(f"the delivery of record {number} is {decision}; the next build shows it")


@app.command()
def portal() -> None:
    """Build the portal again from the published editions, as the DAG `publication` does."""
    from lumbung.embedded.stack import Stack
    from lumbung.publication import portal as publication_portal

    settings = Settings.load()
    url = Stack(settings).start_database()
    folder = publication_portal.build(settings=settings, database_url=url)
    console.print(f"written  {folder / 'index.html'}", soft_wrap=True)


@app.command()
def publish(
    week: Annotated[str, typer.Argument(help="an ISO week such as 2024-W47")],
    known: Annotated[
        Literal["now", "then"],
        typer.Option(help="then: only what had been landed by the Monday after the week"),
    ] = "now",
    approve: Annotated[str, typer.Option(help="your name: publish the draft you reviewed")] = "",
    reject: Annotated[str, typer.Option(help="your name: reject the draft you reviewed")] = "",
    reason: Annotated[str, typer.Option(help="why it is rejected")] = "",
) -> None:
    """Draft and check a week's edition; then, named, approve and publish it or reject it.

    The DAG `publication` does the same and mails the edition; by hand, 'lumbung mail' follows.
    """
    from rich.markdown import Markdown

    from lumbung.embedded.stack import Stack
    from lumbung.publication import edition, gate, people, review
    from lumbung.publication import portal as publication_portal

    settings = Settings.load()
    url = Stack(settings).start_database()
    if approve or reject:
        by = people.require_approver(approve or reject, settings)
        edition_id = edition.newest(week, database_url=url)
        reviewed = edition.drafted(edition_id, settings=settings)
        if reject:
            edition.reject(edition_id, by=by, comment=reason, reviewed=reviewed, database_url=url)
            console.print(f"{edition_id} is rejected; correct the cause, then draft it again")
            return
        edition.approve(edition_id, by=by, reviewed=reviewed, database_url=url)
    else:
        edition_id = edition.freeze(week, settings=settings, database_url=url, known=known)
        if edition.load(edition_id, database_url=url).state == "draft":
            edition.write_draft(edition_id, settings=settings, database_url=url)
            gate.check(edition_id, settings=settings, database_url=url)
            console.print(
                Markdown(review.question(edition_id, settings=settings, database_url=url))
            )
            console.print(
                f"\nread the draft, then: lumbung publish {week} --approve NAME"
                f"\n                 or: lumbung publish {week} --reject NAME --reason WHY",
                markup=False,
            )
            return
    for path in edition.publish(edition_id, settings=settings, database_url=url):
        console.print(path, soft_wrap=True)
    publication_portal.build(settings=settings, database_url=url)
    console.print(f"\nmail it: lumbung mail {edition_id} --send")


@app.command()
def mail(
    edition: Annotated[str, typer.Argument(help="a published edition, such as 2024-W47-r1")],
    again: Annotated[str, typer.Option(help="an address in doubt that did not get it")] = "",
    by: Annotated[str, typer.Option(help="who says so")] = "",
    send: Annotated[bool, typer.Option("--send", help="to who has not got it")] = False,
) -> None:
    """Send an edition to its recipients, and show who was sent it; never twice to an address.

    An address in doubt is sent it once more when a person says that it did not get it.
    """
    from lumbung import database
    from lumbung.embedded.stack import Stack
    from lumbung.publication import mail as mailing

    settings = Settings.load()
    stack = Stack(settings)
    url = stack.start_database()
    if again:
        mailing.release(edition, again, by=by, database_url=url)
    if send:
        stack.let_airflow_answer(mailing.CONNECTION, url)
        from lumbung.orchestration import mail_server

        if (server := mail_server()) is None:
            raise ConfigurationError(
                "there is no mail server",
                where=f"Airflow Connection {mailing.CONNECTION}",
                cure=f"make it, or set AIRFLOW_CONN_{mailing.CONNECTION.upper()}; see"
                " docs/how-to/runbooks/publication.md",
            )
        mailing.send(edition, settings=settings, database_url=url, server=server)
    table = Table("address", "step", "when (WIB)", "said", box=None)
    with database.connect(url) as connection:
        for address, step, said, when in mailing.status(connection, edition):
            table.add_row(address, step, when, said)
    console.print(table)


@app.command()
def trace(
    reference: Annotated[
        str, typer.Argument(help="FIGURE@EDITION as the HTML edition shows it, or a record's id")
    ],
) -> None:
    """Show what is behind a published number: records, batches, and the sha256 of what came."""
    from lumbung.embedded.stack import Stack
    from lumbung.publication import trace as tracing

    url = Stack(Settings.load()).start_database()
    for line in tracing.lines(reference, database_url=url):
        typer.echo(line)


@app.command()
def waive(
    check: Annotated[str, typer.Argument(help="of expectations/publication.yaml")],
    edition: Annotated[str, typer.Option(help="a draft, such as 2024-W47-r1")],
    by: Annotated[str, typer.Option(help="who answers for it; printed")],
    reason: Annotated[str, typer.Option(help="why; printed")],
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="last day it counts")],
) -> None:
    """Let a failing check of the publication gate pass for one draft; the edition says so."""
    from lumbung.embedded.stack import Stack
    from lumbung.publication import waiver

    settings = Settings.load()
    waiver.waive(
        check,
        edition_id=edition,
        by=by,
        reason=reason,
        until=until.date(),
        settings=settings,
        database_url=Stack(settings).start_database(),
    )
    console.print(f"waived until {until:%Y-%m-%d}; render and check {edition} again")


@app.command()
def docs(
    port: Annotated[int, typer.Option(help="to serve them on; 0: a free one")] = 0,
    serve: Annotated[bool, typer.Option(help="or only write the pages")] = True,
) -> None:
    """Document the tables (dbt) and the checks (Data Docs), and serve the pages until Ctrl-C."""
    import webbrowser

    from lumbung.embedded.stack import Stack
    from lumbung.warehouse import docs as warehouse_docs

    settings = Settings.load()
    page = warehouse_docs.write(settings=settings, database_url=Stack(settings).start_database())
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
    typer.echo(_url(role))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(context: typer.Context, role: Role = None) -> None:
    """Open psql on the warehouse (it stays up); arguments after `--` are psql's own."""
    from lumbung.embedded.postgres import BINARIES

    program = str(BINARIES / "psql")
    os.execv(program, [program, _url(role), *context.args])  # noqa: S606 - our own binary


def _url(role: str | None) -> str:
    from lumbung.embedded.stack import Stack
    from lumbung.warehouse.roles import role_url

    url = Stack(Settings.load()).start_database()
    return url if role is None else role_url(url, role)


if __name__ == "__main__":
    main()
