"""Commands of the weekly edition: publish, sheet, mail, portal, verify, trace, waive."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from lumbung.cli.common import (
    By,
    Consent,
    Json,
    Why,
    consented,
    console,
    decider,
    impersonal,
    owner_url,
    print_json,
    warehouse_address,
    warehouse_url,
)
from lumbung.errors import ConfigurationError
from lumbung.publication.edition_id import office_of
from lumbung.settings import Settings

if TYPE_CHECKING:
    from lumbung.publication.proof.verify import Proof

OfficeCode = Annotated[
    str, typer.Option("--office", help="code of another office than the installation's own")
]

app = typer.Typer()
approver = typer.Typer(no_args_is_help=True, help="Phones of those who decide: enrol, unlock.")
app.add_typer(approver, name="approver")


@app.command()
def publish(
    week: Annotated[str, typer.Argument(help="an ISO week such as 2024-W47")],
    as_known_at: Annotated[
        Literal["now", "then"],
        typer.Option(help="then: only what had been landed by the Monday after the week"),
    ] = "now",
    approve: Annotated[str, typer.Option(help="your name: publish the draft you reviewed")] = "",
    reject: Annotated[str, typer.Option(help="your name: reject the draft you reviewed")] = "",
    reason: Annotated[str, typer.Option(help="why it is rejected", callback=impersonal)] = "",
    code: Annotated[
        str, typer.Option(help="the six digits of your authenticator app; asked for if left out")
    ] = "",
    office: OfficeCode = "",
) -> None:
    """Draft and check a week's edition; with `--approve` publish it, with `--reject` reject it.

    A decision needs the code of the phone that 'lumbung approver enrol' enrolled.

    The DAG `publication` also mails the edition; by hand, run 'lumbung mail' afterwards.
    """
    from rich.markdown import Markdown

    from lumbung.publication.checks import checkpoint
    from lumbung.publication.delivery import notify, recipients
    from lumbung.publication.editions import freezing, publishing, review
    from lumbung.publication.model import store
    from lumbung.publication.portal import publish as publication_portal

    settings = Settings.load().at_office(office)
    url = warehouse_url("publisher")
    if approve or reject:
        name = approve or reject
        by = recipients.require_approver(name, settings)
        edition_id = store.newest(week, office=office, database_url=url)
        if not code and not settings.demo_claim.exists():
            code = typer.prompt("code of the authenticator app")
        review.decide(
            edition_id,
            "approved" if approve else "rejected",
            name=name,
            by=by,
            code=code,
            comment=reason,
            reviewed=review.drafted(edition_id, settings=settings),
            settings=settings,
            database_url=warehouse_url("approver"),
        )
        if reject:
            console.print(f"{edition_id} is rejected; correct the cause, then draft it again")
            return
    else:
        edition_id = freezing.freeze(
            week,
            settings=settings,
            database_url=warehouse_address() if as_known_at == "then" else url,
            as_known_at=as_known_at,
        )
        if store.load(edition_id, database_url=url).state == "draft":
            review.write_draft(edition_id, settings=settings, database_url=url)
            checkpoint.check(edition_id, settings=settings, database_url=url)
            console.print(
                Markdown(notify.question(edition_id, settings=settings, database_url=url))
            )
            again = f"lumbung publish {week}" + f" --office {office}" * bool(office)
            console.print(
                f"\nread the draft, then: {again} --approve NAME"
                f"\n                 or: {again} --reject NAME --reason WHY",
                markup=False,
            )
            return
    for path in publishing.publish(edition_id, settings=settings, database_url=url):
        console.print(path, soft_wrap=True)
    publication_portal.build(settings=settings, database_url=url)
    console.print(f"\nmail it: lumbung mail {edition_id} --send")


@approver.command()
def enrol(
    name: Annotated[str, typer.Argument(help="an account of config/people.yaml that decides")],
    replace: Annotated[
        bool, typer.Option("--replace", help="the phone is lost: its codes no longer count")
    ] = False,
) -> None:
    """Enrol the phone of a person who decides, with an authenticator app (TOTP).

    The person scans the QR code. It is shown once: whoever sees it can decide in their name.
    """
    import segno

    from lumbung.publication.delivery import recipients
    from lumbung.publication.editions import approver as approvers

    settings = Settings.load()
    here = recipients.office_of_account(name, settings)
    recipients.require_account(name, here)
    address = approvers.enrol(
        name, replace=replace, settings=settings, database_url=owner_url(),
        for_editions=name in recipients.load_people(here).approval.users,
    )  # fmt: skip
    segno.make(address).terminal(compact=True)
    typer.echo(address)


@approver.command()
def unlock(
    name: Annotated[str, typer.Argument(help="a name of approval.users, locked by wrong codes")],
    reason: Why,
    consent: Consent = "",
    by: By = "",
) -> None:
    """Let a person who was locked by wrong codes decide again, with a second person's consent.

    Find out first who tried the codes. It is in the audit log.
    """
    from lumbung.publication.editions import approver as approvers

    url = warehouse_url("approver")
    if name == consent:
        raise ConfigurationError(
            "whoever is locked cannot consent",
            where="--consent",
            remediation="name another person of approval.users (config/people.yaml)",
        )
    who, proof = consented(by, consent, f"unlock {name}", reason, database_url=url)
    approvers.unlock(
        name, by=who, consented_by=consent, reason=reason, proof=proof,
        database_url=url,
    )  # fmt: skip
    console.print(f"'{name}' can decide again")


@app.command()
def sheet(
    edition: Annotated[str, typer.Argument(help="an edition, such as 2024-W47-r1")],
    reader: Annotated[
        str,
        typer.Option(help="your name in people.yaml: approval.users, leadership or sheet_readers"),
    ],
    folder: Annotated[Path, typer.Option(help="where the files are written")] = Path(),
) -> None:
    """Write the leadership sheet of an edition; each opening is in the audit log.

    The files are for their reader alone: nobody else on the machine can open them.
    """
    from lumbung.publication.delivery.sheet import leadership_sheet

    settings = Settings.load().at_office(office_of(edition))
    found = leadership_sheet(
        edition, reader=reader, settings=settings, database_url=warehouse_url("publisher")
    )
    for name, content in (("html", found.html), ("pdf", found.pdf)):
        path = folder / f"lembar-{edition}.{name}"
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_bytes(content)
        console.print(path, soft_wrap=True)


@app.command()
def mail(
    edition: Annotated[str, typer.Argument(help="a published edition, such as 2024-W47-r1")],
    again: Annotated[str, typer.Option(help="an address in doubt that did not receive it")] = "",
    by: Annotated[str, typer.Option(help="account that confirms that it was not received")] = "",
    send: Annotated[
        bool, typer.Option("--send", help="send to recipients who have not received it")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show to whom an edition was mailed; with `--send`, mail it to the others, once each.

    An address in doubt gets it again only when a person confirms that it was not received.
    """
    from lumbung import database
    from lumbung.local.stack import Stack
    from lumbung.publication.delivery import smtp as mailing
    from lumbung.publication.model import store

    settings = Settings.load().at_office(office_of(edition))
    url = warehouse_url("publisher")
    if again:
        who = decider(by, f"mail {edition} again", office=settings.office) if by.strip() else ""
        mailing.release(edition, again, by=who, database_url=url)
    if send:
        Stack(settings).use_airflow_connection(mailing.CONNECTION, warehouse_address())
        from lumbung.orchestration import mail_server

        if (server := mail_server()) is None:
            raise ConfigurationError(
                "there is no mail server",
                where=f"Airflow Connection {mailing.CONNECTION}",
                remediation=f"create it, or set AIRFLOW_CONN_{mailing.CONNECTION.upper()}; see"
                " docs/how-to/runbooks/publication.md",
            )
        mailing.send(edition, settings=settings, database_url=url, server=server)
    with database.connect(url) as connection:
        store.require(connection, edition)
        found = mailing.status(connection, edition)
    if as_json:
        print_json(dict(zip(("address", "step", "said", "at"), row, strict=True)) for row in found)
        return
    table = Table("address", "step", "when (WIB)", "said", box=None)
    for address, step, said, when in found:
        table.add_row(address, step, when, said)
    console.print(table)


@app.command()
def portal() -> None:
    """Rebuild each office's portal from its published editions, as the DAG `publication` does."""
    from lumbung.publication.portal import publish as publication_portal

    url = warehouse_url("publisher")
    for folder in publication_portal.build_all(settings=Settings.load(), database_url=url):
        console.print(f"written  {folder / 'index.html'}", soft_wrap=True)


@app.command()
def verify(
    what: Annotated[
        str,
        typer.Argument(
            help="an edition, a folder, or an edition's address on a portal; empty: every edition"
        ),
    ] = "",
    key: Annotated[
        str, typer.Option(help="the office's public key: RW..., or the file minisign.pub")
    ] = "",
    as_json: Json = False,
) -> None:
    """Verify published editions from their files alone: hashes, signature, chain.

    It needs no database. Editions of this installation are held against its own keys; elsewhere,
    give the office's key with `--key`, or compare the key that is printed with the office's.
    """
    from lumbung.errors import PublicationError
    from lumbung.publication.proof import keys
    from lumbung.publication.proof import verify as proofs
    from lumbung.publication.proof.minisign import PublicKey

    settings = Settings.load()
    folder = Path(what) if what else settings.editions
    is_own = not what or proofs.EDITION.fullmatch(what) is not None
    if is_own and what and not folder.is_dir():
        folder = settings.editions / what
    trusted = keys.trusted_keys(settings) if is_own else []
    if key:
        text = Path(key).read_text(encoding="ascii") if Path(key).is_file() else key
        trusted = [PublicKey.parse(text, "--key")]
    if (folder / "edisi").is_dir():
        folder /= "edisi"  # of a portal
    if what.startswith(("http://", "https://")):
        found = [proofs.verify(proofs.Site(what), trusted)]
    elif not folder.is_dir():
        raise PublicationError(
            "there is no such edition or folder",
            where=str(folder),
            remediation="give an edition such as 2024-W47-r1, its folder, or its address",
        )
    elif any((folder / name).exists() for name in ("metadata.json", "SHA256SUMS")):
        found = [proofs.verify(proofs.Folder(folder), trusted)]
    else:
        found = proofs.verify_all(folder, trusted)
    if as_json:
        print_json({**asdict(proof), "is_trusted": bool(trusted)} for proof in found)
    else:
        _print_proofs(found, is_trusted=bool(trusted))
    if differing := [proof.edition_id for proof in found if proof.problems]:
        raise PublicationError(
            f"{len(differing)} of {len(found)} editions differ: {', '.join(differing)}",
            where=what or str(folder),
            remediation="do not use these files; fetch the edition again from the office's portal",
        )


def _print_proofs(found: list[Proof], *, is_trusted: bool) -> None:
    for proof in found:
        state = "differs" if proof.problems else "holds"
        typer.echo(f"{proof.edition_id}  {state}: {proof.file_count} files, root {proof.root}")
        for line in (*proof.problems, *proof.notes):
            typer.echo(f"  {line}")
    signers = sorted({proof.key for proof in found if proof.key})
    for signer in signers:
        typer.echo(f"signed with {signer}")
    if signers and not is_trusted:
        typer.echo("compare this key with the one that the office has published elsewhere")


@app.command()
def trace(
    reference: Annotated[
        str, typer.Argument(help="METRIC@EDITION as the HTML edition shows it, or a record's id")
    ],
    as_json: Json = False,
) -> None:
    """Show the records, batches and evidence files (sha256) that a published number counts."""
    from lumbung.publication import trace as tracing

    url = warehouse_url("auditor")
    if as_json:
        print_json(tracing.content(reference, database_url=url))
        return
    for line in tracing.lines(reference, database_url=url):
        typer.echo(line)


@app.command()
def waive(
    check: Annotated[str, typer.Argument(help="a check of expectations/publication.yaml")],
    edition: Annotated[str, typer.Option(help="a draft, such as 2024-W47-r1")],
    by: Annotated[
        str, typer.Option(help="account of who is responsible; the edition prints name and office")
    ],
    reason: Annotated[str, typer.Option(help="why; printed in the edition", callback=impersonal)],
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="last day of the waiver")],
) -> None:
    """Waive a failing check of the publication checkpoint for one draft; the edition prints it."""
    from lumbung.publication.checks import waiver
    from lumbung.publication.delivery.recipients import load_people, require_approver

    settings = Settings.load().at_office(office_of(edition))
    if not settings.demo_claim.exists():
        require_approver(by, settings)
    name = decider(by, f"waive {check} {edition}", office=settings.office)
    waiver.waive(
        check,
        edition_id=edition,
        by=load_people(settings).approval.users.get(name, name),
        reason=reason,
        until=until.date(),
        settings=settings,
        database_url=warehouse_url("approver"),
    )
    console.print(f"waived until {until:%Y-%m-%d}; render and check {edition} again")
