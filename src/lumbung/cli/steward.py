"""Commands for data stewards: the review list, pairs of cases, excluded deliveries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table
from rich.text import Text

from lumbung.cli.common import By, Json, Role, Why, console, decider, print_json, warehouse_url
from lumbung.cli.vault import vault
from lumbung.settings import Settings

if TYPE_CHECKING:
    from lumbung.warehouse.exclusions import Decision as Exclusion
    from lumbung.warehouse.links import Decision

app = typer.Typer()
link = typer.Typer(
    no_args_is_help=True, help="Two cases that may be one event: show, decide, undo."
)

record = typer.Typer(
    no_args_is_help=True, help="A landed delivery: exclude, restore, reveal what is in the vault."
)
mapping = typer.Typer(
    no_args_is_help=True, help="Words that stewards mapped to codes: write them into the seeds."
)
audit = typer.Typer(no_args_is_help=True, help="The log of decisions, chained by hash: verify.")
app.add_typer(audit, name="audit")
app.add_typer(link, name="link")
app.add_typer(record, name="record")
app.add_typer(mapping, name="mapping")
app.add_typer(vault, name="vault")
SHOWN = 200
"""How many items `lumbung review` lists."""
RecordId = Annotated[int, typer.Argument(help="a record of 'lumbung review' or 'lumbung trace'")]


@app.command()
def review(
    regency: Annotated[str, typer.Option(help="only this regency: a code or a name")] = "",
    check: Annotated[str, typer.Option(help="only this check, such as place_unresolved")] = "",
    as_json: Json = False,
) -> None:
    """Show the items that wait for a person: unknown words, unresolved places, pairs of cases."""
    from lumbung import stewardship

    url = warehouse_url("auditor")
    waiting = stewardship.items(url, regency=regency, check=check)
    if as_json:
        print_json(item._asdict() for item in waiting)
        return
    table = Table("since", "regency", "channel", "what", "deliveries", "record", box=None)
    table.add_column("item", overflow="fold")
    remediations: dict[str, str] = {}
    pairs = []
    for item in waiting[:SHOWN]:
        if item.check_code not in remediations:
            remediations[item.check_code] = f"{item.check_code} ({item.owner}): {item.remediation}"
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
            f"  lumbung link decide {item.item_id.replace('/', ' ')} same|different",
            sep="\n", soft_wrap=True, markup=False,
        )  # fmt: skip
    for remediation in remediations.values():
        console.print(remediation, soft_wrap=True, markup=False)
    more = f", the first {SHOWN} of them are shown" if len(waiting) > SHOWN else ""
    console.print(f"{len(waiting)} items{more}")


@audit.command("verify")
def verify_audit(
    kept: Annotated[
        list[Path] | None, typer.Argument(help="files of 'anchors' that were kept elsewhere")
    ] = None,
) -> None:
    """Verify that no line of the audit log was changed, removed or inserted; print its head."""
    from lumbung import audit as log

    head = log.verify(
        settings=Settings.load(), database_url=warehouse_url("auditor"), kept=kept or ()
    )
    console.print(f"{head.entry_id} lines hold; the head is {head.entry_id} {head.entry_hash}")


@link.command()
def show(
    report: Annotated[str, typer.Argument(help="a case; an item of 'lumbung review' names both")],
    other: Annotated[str, typer.Argument(help="the other case")],
    role: Role = None,
) -> None:
    """Show two cases side by side and the evidence for one event; a role sees what it may read."""
    from lumbung.warehouse import links

    pair = links.read(warehouse_url("analyst_province", role), report, other)
    table = Table("", report, other, box=None)
    for name, *values in zip(
        links.Case._fields[1:], *(case[1:] for case in pair.cases), strict=True
    ):
        # text from outside must not control the terminal
        shown = ["" if value is None else _printable(str(value)) for value in values]
        table.add_row(name.replace("_", " "), *map(Text, shown))
    console.print(table)
    for case in pair.cases:
        console.print(f"narrative: lumbung record reveal {case.record_id} --reason '...'")
    weight = "" if pair.weight is None else f", {pair.weight} bits"
    console.print(f"{pair.state or 'not a listed pair'}{weight}", *pair.evidence, sep="\n  ")


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() or each == "\n" else " " for each in text)


@link.command()
def decide(
    report: Annotated[str, typer.Argument(help="a case; an item of 'lumbung review' names both")],
    other: Annotated[str, typer.Argument(help="the other case")],
    decision: Annotated[Literal["same", "different"], typer.Argument(help="what you found")],
    by: By = "",
    reason: Why = "",
) -> None:
    """Decide that two cases report the same event, or different ones; nothing is merged."""
    _link(report, other, "same_event" if decision == "same" else "different", by, reason)


@link.command()
def undo(
    report: Annotated[str, typer.Argument(help="a case")],
    other: Annotated[str, typer.Argument(help="the other case")],
    by: By = "",
    reason: Why = "",
) -> None:
    """Undo the decision on two cases."""
    _link(report, other, "undone", by, reason)


def _link(report: str, other: str, decision: Decision, by: str, reason: str) -> None:
    from lumbung.warehouse import links

    by = decider(by, f"link {decision} {report} {other}")
    links.decide(warehouse_url("steward"), report, other, decision, by=by, note=reason)
    console.print(f"recorded: {decision}; the next build shows it")


@record.command()
def exclude(number: RecordId, reason: Why, by: By = "") -> None:
    """Exclude every version of a delivery from all metrics; it is kept and reported as excluded."""
    _exclude(number, "excluded", reason, by)


@record.command()
def restore(number: RecordId, reason: Why, by: By = "") -> None:
    """Undo the exclusion of a delivery."""
    _exclude(number, "restored", reason, by)


@record.command()
def reveal(number: RecordId, reason: Why, by: By = "") -> None:
    """Show a record's narrative and words behind `~`; 'lumbung vault open' shows who is named.

    The reason and the person are logged before anything is shown.
    """
    from lumbung.intake import opening

    private = opening.open_record(
        warehouse_url("custodian"),
        number,
        by=decider(by, f"reveal record {number}"),
        reason=reason,
        home=Settings.load().home,
    )
    typer.echo(json.dumps(private, indent=1, ensure_ascii=False))


@mapping.command()
def export() -> None:
    """Write the words that stewards mapped at the desk into the seeds map_<vocabulary>."""
    from lumbung.warehouse import mappings

    written = mappings.export(warehouse_url("auditor"), Settings.load().dbt_project / "seeds")
    for file, count in written.items():
        console.print(f"{file}: {count} words added")
    console.print("the seeds have every word that was mapped")


def _exclude(number: int, decision: Exclusion, reason: str, by: str) -> None:
    from lumbung.warehouse import exclusions

    by = decider(by, f"record {number} {decision}")
    exclusions.decide(warehouse_url("steward"), number, decision, by=by, reason=reason)
    console.print(f"the delivery of record {number} is {decision}; the next build shows it")
