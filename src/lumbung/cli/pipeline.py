"""Commands of the pipeline: pull and build, manage channels, resolve quarantine."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from lumbung.cli.common import (
    By,
    Json,
    Role,
    Why,
    console,
    decider,
    impersonal,
    print_json,
    warehouse_address,
    warehouse_url,
)
from lumbung.errors import ConfigurationError
from lumbung.settings import Settings

if TYPE_CHECKING:
    import psycopg

    from lumbung.intake.connectors.base import SourceConnection
    from lumbung.local.stack import Stack

app = typer.Typer()
channels = typer.Typer(
    no_args_is_help=True,
    help="The intake channels: add, check, list, labels, rename, release, retire, remove, restore.",
)
quarantine = typer.Typer(
    no_args_is_help=True, help="What could not be read: list, show, retry, accept, dismiss, reopen."
)
prevention = typer.Typer(no_args_is_help=True, help="Prevention: its form, its plan, its effect.")
app.add_typer(channels, name="channel")
app.add_typer(prevention, name="prevention")
app.add_typer(quarantine, name="quarantine")
Name = Annotated[str, typer.Argument(help="the channel's name, that of its file")]


@app.command()
def intake(
    channel: str,
    dry_run: Annotated[bool, typer.Option(help="show what would be landed")] = False,
    accept_withdrawals: Annotated[
        bool,
        typer.Option(
            "--accept-withdrawals",
            help="withdraw missing rows at once, even if more than half are missing",
        ),
    ] = False,
) -> None:
    """Pull one channel, as its DAG does."""
    pull_channel(channel, "cli", dry_run=dry_run, accept_withdrawals=accept_withdrawals)


@app.command()
def build(
    full_refresh: Annotated[bool, typer.Option(help="rebuild every model from raw")] = False,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="recompute what was landed from this day on"),
    ] = None,
) -> None:
    """Check newly landed rows and build the facts, as the DAG `warehouse` does."""
    from lumbung.warehouse import build as warehouse_build
    from lumbung.warehouse import raw_checkpoint

    settings = Settings.load()
    url = warehouse_address()
    found = raw_checkpoint.check_raw(settings=settings, database_url=url)
    warehouse_build.build(
        settings=settings,
        database_url=url,
        full_refresh=full_refresh,
        since=since and since.date(),
        checked=found.judged_batch_id,
    )


@channels.command()
def check() -> None:
    """Check every channel file; the mistakes of all files are reported together."""
    from lumbung.intake.channel.load import load_channels

    found = load_channels(Settings.load().channels)
    console.print(f"{len(found)} channels, no mistake: {', '.join(found)}")


@channels.command("list")
def list_channels(as_json: Json = False) -> None:
    """Show the channels, their state, their owners and which fields drifted."""
    from lumbung import database
    from lumbung.intake.channel.load import read_channels, stopped
    from lumbung.warehouse.raw_checkpoint import open_holds

    found, mistakes = read_channels(Settings.load().channels)
    with database.connect(warehouse_url("transformer")) as db:
        notices = db.execute(
            "select channel, field, notice, noticed_at from ops.drift_notice"
            " where channel = any(%s) order by noticed_at desc, channel, field",
            ([each.name for each in found.values()],),
        ).fetchall()
        holds = open_holds(db)
        over = db.execute(
            "select s.channel, s.file_name, s.state, c.kind, s.decided_by, s.decided_at, s.reason"
            " from ops.channel_state as s left join reference.channel as c using (channel)"
            " where s.state <> 'active' order by s.file_name"
        ).fetchall()
        known = db.execute("select channel, kind from reference.channel order by channel")
        lost = [row for row in known if row[0] not in {each.name for each in found.values()}]
    ended = {row[0] for row in over}
    held = {hold.channel for hold in holds}
    if as_json:
        print_json({
            "channels": [
                {
                    **channel.model_dump(mode="json", include={"title", "schedule"}),
                    "name": name,
                    "id": channel.name,
                    "state": "held" if channel.name in held else "active",
                    "kind": channel.kind,
                    "connection": channel.connection,
                    "fields": list(channel.fields),
                    "owner": channel.owner.model_dump(mode="json"),
                }
                for name, channel in found.items()
                if channel.name not in ended
            ],
            "ended": [
                dict(zip(("id", "name", "state", "kind", "by", "at", "reason"), row, strict=True))
                for row in over
            ],
            "mistakes": stopped(mistakes),
            "holds": [str(hold) for hold in holds],
            "drift": [
                dict(zip(("channel", "field", "notice", "noticed_at"), row, strict=True))
                for row in notices
            ],
        })  # fmt: skip
        return
    table = Table(
        *("channel", "state", "kind", "pulled (cron)", "connection", "fields", "owner"), box=None
    )
    for name, channel in found.items():
        if channel.name in ended:
            continue
        table.add_row(
            name,
            "held" if channel.name in held else "active",
            channel.kind,
            channel.schedule,
            channel.connection or f"inbox/{channel.name}",
            str(len(channel.fields)),
            f"{channel.owner.name} <{channel.owner.email}>",
        )
    for name in mistakes:
        table.add_row(name, "mistaken")
    for name, kind in lost:
        if name not in ended | {*mistakes}:
            table.add_row(name, "no file", kind)
    for _, name, state, kind, *_ in over:
        table.add_row(name, state, kind)
    console.print(table)
    for _, name, state, _, by, at, reason in over:
        console.print(f"\n{name} was {state} on {at:%Y-%m-%d} by {by}: {reason}", markup=False)
    for warning in stopped(mistakes):
        console.print(f"\n{warning}", markup=False, soft_wrap=True)
    for hold in holds:
        console.print(f"\n{hold}", markup=False, soft_wrap=True)
    if notices:
        drifted = Table("channel", "field", "notice", "since", box=None)
        for channel_name, field, notice, at in notices:
            drifted.add_row(channel_name, field, notice, f"{at:%Y-%m-%d %H:%M}")
        console.print("\nFields that are not as before: declare or re-map them", drifted, sep="\n")


@channels.command()
def labels(name: Name, reason: Why, by: By = "") -> None:
    """Show the labels behind the pseudonyms of a channel's notices; it is logged first.

    A label that no channel file declares may name a person, such as "Name: ..." in a chat.
    """
    from lumbung.intake.channel.load import load_channel
    from lumbung.intake.opening import open_labels

    settings = Settings.load()
    found = open_labels(
        warehouse_url("custodian"),
        load_channel(settings.channels, name).name,
        by=decider(by, f"labels of channel {name}"),
        reason=reason,
        home=settings.home,
    )
    for pseudonym, label in found.items():
        typer.echo(f"{pseudonym}  {label}")


@channels.command()
def add(
    kind: Annotated[str, typer.Argument(help="what reads it: a kind of docs/reference/channels/")],
    name: Name,
    sample: Annotated[str, typer.Option(help="a file as the source gives it, or its address")],
) -> None:
    """Write a commented channel file; its field map is proposed from a sample."""
    from lumbung.intake import life
    from lumbung.intake.channel import scaffold
    from lumbung.local.stack import Stack

    settings = Settings.load()
    if Stack(settings).has_database:  # without one no channel has ended
        life.require_unended(name, database_url=warehouse_url("auditor"))
    seeds = settings.dbt_project / "seeds"
    path = scaffold.write(settings.channels, seeds, kind, name, sample)
    console.print(f"{path}\nLook through it, then run 'lumbung channel check'.", soft_wrap=True)


@channels.command()
def rename(
    old: Annotated[str, typer.Argument(help="the channel's name")],
    new: Annotated[str, typer.Argument(help="its new name")],
) -> None:
    """Give a channel another name; its records, its inbox and its cursor stay the same."""
    from lumbung.intake import life

    path = life.rename(
        old, new, settings=Settings.load(), database_url=warehouse_url("transformer")
    )
    console.print(f"{path}\nIts records keep the former name.", soft_wrap=True)


@channels.command()
def retire(name: Name, reason: Why, by: By = "") -> None:
    """End a channel: it is no longer pulled and needs no file; its records still count."""
    _end(name, "retired", by, reason)


@channels.command()
def remove(name: Name, reason: Why, by: By = "") -> None:
    """End a channel that was a mistake; the next build excludes its records."""
    _end(name, "removed", by, reason)


@channels.command()
def restore(name: Name, reason: Why, by: By = "") -> None:
    """Undo a retirement or a removal; the channel's file is written as it was."""
    from lumbung.intake import life

    path = life.restore(
        name,
        by=decider(by, f"channel restore {name}"),
        reason=reason,
        settings=Settings.load(),
        database_url=warehouse_url("transformer"),
    )
    console.print(f"{path}\nIt is pulled again; the next build counts its records.", soft_wrap=True)


def _end(name: str, state: Literal["retired", "removed"], by: str, reason: str) -> None:
    from lumbung.intake import life

    life.end(
        name,
        state,
        by=decider(by, f"channel {state} {name}"),
        reason=reason,
        settings=Settings.load(),
        database_url=warehouse_url("transformer"),
    )
    console.print(f"{name} is {state}; 'lumbung channel restore {name}' undoes this")


@channels.command()
def release(
    channel: Name,
    reason: Annotated[
        str,
        typer.Option(help="why its rows are right, without anybody's name", callback=impersonal),
    ],
    by: By = "",
) -> None:
    """End the hold on a channel's new rows; the next build includes them despite the checks."""
    from lumbung.intake.channel.load import name_of_records
    from lumbung.warehouse import raw_checkpoint

    url = warehouse_url("transformer")
    records = name_of_records(Settings.load().channels, channel)
    by = decider(by, f"channel release {channel}")
    count = raw_checkpoint.release(url, records, by=by, reason=reason)
    console.print(f"{channel} is released ({count} holds); the next build includes its rows")


@channels.command()
def schema() -> None:
    """Print the JSON Schema of channel files (`channels/channel.schema.json`, for editors)."""
    from lumbung.intake.channel.models import schema as text

    typer.echo(text(), nl=False)


@quarantine.command("list")
def list_quarantine(
    channel: Annotated[str | None, typer.Argument(help="one channel; all, if left out")] = None,
    resolved: Annotated[
        bool,
        typer.Option(help="also show those that are resolved, dismissed or of a removed channel"),
    ] = False,
    as_json: Json = False,
) -> None:
    """Show the deliveries that could not be read, why, and where they are."""
    from lumbung.intake import quarantine
    from lumbung.intake.channel.load import name_of_records

    channels = None
    if channel is not None:
        channels = [name_of_records(Settings.load().channels, channel)]
    found = quarantine.listed(warehouse_url("auditor"), channels=channels, include_closed=resolved)
    if as_json:
        print_json(
            {
                "id": each.quarantine_id,
                "channel": each.channel,
                "received_at": each.received_at,
                "reason_code": each.reason_code,
                "where": each.locator,
                "what_to_do": each.reason,
                "state": each.state,
            }
            for each in found
        )
        return
    table = Table("id", "channel", "received", "reason", "where", "what to do", box=None)
    for each in found:
        day = f"{each.received_at:%Y-%m-%d %H:%M}"
        state = "" if each.state == "open" else f" ({each.state})"
        shown = f"{each.reason_code}{state}"
        table.add_row(str(each.quarantine_id), each.channel, day, shown, each.locator, each.reason)
    console.print(table)


@quarantine.command()
def show(
    number: Annotated[int, typer.Argument(help="the id that 'lumbung quarantine list' shows")],
    reveal: Annotated[bool, typer.Option(help="also show the original; this is logged")] = False,
    reason: Annotated[
        str, typer.Option(help="why it is revealed, without anybody's name", callback=impersonal)
    ] = "",
    by: By = "",
) -> None:
    """Show one delivery that could not be read; content and names of files only with `--reveal`."""
    from lumbung import database
    from lumbung.intake import quarantine

    url = warehouse_url("custodian")
    with database.connect(url) as db:
        row = db.execute(
            "select channel, batch_id, reason_code, reason, received_at, locator,"
            " encode(evidence_sha256, 'hex'), resolved_at, dismissed_by, dismissed_reason,"
            " accepted_by, accepted_reason from quarantine.record where quarantine_id = %s",
            (number,),
        ).fetchone()
    if row is None:
        raise quarantine.unknown(number)
    names: tuple[str, ...] = ("channel", "batch", "reason", "what to do", "received", "where")
    names += ("evidence", "resolved", "dismissed", "why", "accepted", "why")
    for label, value in zip(names, row, strict=True):
        console.print(f"{label:11} {'' if value is None else value}", markup=False)
    if reveal:
        by = decider(by, f"reveal quarantine {number}")
        original = quarantine.open_original(
            url, number, by=by, reason=reason, home=Settings.load().home
        )
        typer.echo(f"{'in clear':11} {original.locator}")
        typer.echo(original.content)


@quarantine.command()
def retry(channel: Name) -> None:
    """Read the channel from its start after a fix; land and resolve what can be read now."""
    from lumbung import database
    from lumbung.intake.channel.load import name_of_records

    pull_channel(channel, "retry", from_start=True)
    with database.connect(warehouse_url("auditor")) as db:
        row = db.execute(
            "select count(*) filter (where resolved_at is null), count(resolved_at)"
            " from quarantine.record where channel = %s",
            (name_of_records(Settings.load().channels, channel),),
        ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate always has a row
    console.print(f"in quarantine: {row[0]} open, {row[1]} resolved")


@quarantine.command()
def accept(
    numbers: Annotated[list[int], typer.Argument(help="ids that 'lumbung quarantine list' shows")],
    reason: Annotated[
        str, typer.Option(help="why they are messages, without anybody's name", callback=impersonal)
    ],
    by: By = "",
) -> None:
    """Confirm that doubtful chat messages are messages; the next pull that reads them lands them.

    To undo this, use `dismiss` before that pull and `lumbung record exclude` after it.
    """
    from lumbung.intake import quarantine

    quarantine.accept(
        warehouse_url("custodian"),
        numbers,
        by=decider(by, f"quarantine accept {_listed(numbers)}"),
        reason=reason,
        home=Settings.load().home,
    )
    console.print("accepted; the next pull lands them, if an export in the inbox has them")


@quarantine.command()
def dismiss(
    numbers: Annotated[list[int], typer.Argument(help="ids that 'lumbung quarantine list' shows")],
    reason: Annotated[
        str,
        typer.Option(
            help="why they will never be records, without anybody's name", callback=impersonal
        ),
    ],
    by: By = "",
) -> None:
    """Close quarantined deliveries that will never be records; they are kept as they are."""
    from lumbung.intake import quarantine

    by = decider(by, f"quarantine dismiss {_listed(numbers)}")
    done = quarantine.dismiss(warehouse_url("loader"), numbers, by=by, reason=reason)
    console.print(_closed(numbers, done, "open", "dismissed"))


@quarantine.command()
def reopen(
    numbers: Annotated[
        list[int], typer.Argument(help="ids that 'lumbung quarantine list --resolved' shows")
    ],
    reason: Why,
    by: By = "",
) -> None:
    """Take a dismissal back: the deliveries are open again."""
    from lumbung.intake import quarantine

    by = decider(by, f"quarantine reopen {_listed(numbers)}")
    done = quarantine.reopen(warehouse_url("loader"), numbers, by=by, reason=reason)
    console.print(_closed(numbers, done, "dismissed", "reopened"))


def _listed(numbers: list[int]) -> str:
    return " ".join(map(str, numbers))


def _closed(numbers: list[int], done: int, before: str, after: str) -> str:
    """What was done to deliveries in quarantine.

    Raises:
        ConfigurationError: when nothing was.

    """
    if not done:
        raise ConfigurationError(
            f"no {before} delivery in quarantine has the id {', '.join(map(str, numbers))}",
            where="quarantine.record",
            remediation="use an id of 'lumbung quarantine list --resolved'",
        )
    return f"{done} of {len(numbers)} {after}; 'lumbung quarantine list --resolved' shows them"


def pull_channel(
    channel: str,
    why: str,
    *,
    dry_run: bool = False,
    from_start: bool = False,
    accept_withdrawals: bool = False,
) -> None:
    """Pull a channel as its DAG does, with its Airflow Connection."""
    from lumbung.intake import run
    from lumbung.local.stack import Stack
    from lumbung.warehouse.roles import role_url

    settings = Settings.load()
    given = {name: value for name, value in os.environ.items() if name.startswith("AIRFLOW__")}
    stack = Stack(settings, given)
    database_url = stack.address()
    counts = run.pull(
        channel,
        settings=settings,
        database_url=role_url(database_url, "loader"),
        connection=_connection(channel, stack, database_url),
        run_key=f"{why}:{os.getpid()}",
        dry_run=dry_run,
        from_start=from_start,
        accept_withdrawals=accept_withdrawals,
        inspect=show_trial if dry_run else None,
    )
    notes = counts.notes()
    state = "warn" if counts.quarantined or notes else "success"
    console.print(f"{state:8} {channel:30} {counts}", markup=False, soft_wrap=True)
    for note in notes:
        console.print(note, markup=False, soft_wrap=True)


def _connection(channel: str, stack: Stack, database_url: str) -> SourceConnection | None:
    """Return the Airflow Connection that the channel names, None when it names none."""
    from lumbung.intake.channel.load import load_channel

    found = load_channel(stack.settings.channels, channel)
    if found.connection is None:
        return None
    stack.use_airflow_connection(found.connection, database_url)
    from lumbung.orchestration import source_connection

    return source_connection(found.connection)


def show_trial(db: psycopg.Connection, before: int) -> None:
    """Print what a dry run landed after batch `before`, without personal fields."""
    records = db.execute(
        "select source_id, payload, is_tombstone from raw.record where batch_id > %s"
        " order by record_id limit 6",
        (before,),
    ).fetchall()
    table = Table("source id", "would be landed (personal fields left out)", box=None)
    for source_id, payload, is_tombstone in records[:5]:
        content = "withdrawn" if is_tombstone else json.dumps(payload, ensure_ascii=False)
        table.add_row(source_id, content)
    if len(records) > 5:
        table.add_row("...", "")
    console.print(table)
    for code, reason, count in db.execute(
        "select reason_code, reason, count(*) from quarantine.record where batch_id > %s"
        " group by 1, 2 order by 3 desc",
        (before,),
    ):
        console.print(f"quarantined {count} x {code}: {reason}", markup=False)
    for field, notice in db.execute(
        "select field, notice from ops.drift_notice where first_batch_id > %s order by 1", (before,)
    ):
        console.print(f"notice: {field} {notice}", markup=False)


# --- prevention ----------------------------------------------------------------------------------


@prevention.command()
def form(file: Annotated[Path, typer.Argument(help="the XLSX file to write")]) -> None:
    """Write the XLSForm of the Formulir Pencegahan, to be imported into KoboToolbox or ODK."""
    from lumbung.intake.forms import write_prevention_form

    write_prevention_form(file)
    console.print(f"written  {file}", soft_wrap=True)


@prevention.command()
def plan(file: Annotated[Path, typer.Argument(help="the XLSX file to write")]) -> None:
    """Write the template of a plan of prevention, read by the channel rencana_pencegahan."""
    from lumbung.intake.forms import write_plan_template

    write_plan_template(file)
    console.print(f"written  {file}", soft_wrap=True)


@prevention.command()
def effect(
    theme: Annotated[str, typer.Argument(help="code of a theme in marts.dim_issue, e.g. PU")],
    role: Role = None,
    as_json: Json = False,
) -> None:
    """Compare a theme's cases before and after activities with districts that had none."""
    from lumbung.warehouse import prevention_effect

    found = prevention_effect.measure(warehouse_url("analyst_province", role), theme)
    if as_json:
        print_json(
            {
                **found._asdict(),
                "treated": found.treated._asdict(),
                "control": found.control._asdict(),
            }
        )
        return
    if found.ratio is None:
        console.print(
            f"too few to say anything: {found.activity_count} activities with four weeks before and"
            f" after, {sum(found.treated)} cases in their districts; at least"
            f" {prevention_effect.MIN_ACTIVITIES} and {prevention_effect.MIN_CASES} are needed",
            soft_wrap=True,
        )
        return
    table = Table("", "4 weeks before", "4 weeks after", box=None)
    table.add_row("districts with an activity", *map(str, found.treated))
    table.add_row("districts without, in the same weeks", *map(str, found.control))
    console.print(table)
    console.print(
        f"ratio of the two changes: {found.ratio:.2f} (95 % interval {found.low:.2f} to"
        f" {found.high:.2f}; 1 is no difference), {found.activity_count} activities",
        f"Not proof: {prevention_effect.ASSUMPTIONS}",
        sep="\n",
        soft_wrap=True,
    )
