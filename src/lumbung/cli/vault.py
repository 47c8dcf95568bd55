"""Commands for the vault: open one identity, export and erase a person, holds, a new key.

Names and telephone numbers are asked for, so that they are in no process's arguments.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lumbung.cli.common import By, Consent, Why, consented, console, decider, warehouse_url
from lumbung.errors import ConfigurationError
from lumbung.settings import JAKARTA, Settings

if TYPE_CHECKING:
    import psycopg

    from lumbung.intake.erasure import Erased, Subjects
    from lumbung.intake.evidence import Evidence
    from lumbung.intake.vault import Vault
    from lumbung.publication.editions.approver import Proof

vault = typer.Typer(
    no_args_is_help=True, help="Personal data: open one identity, export, erase, hold, new key."
)
RecordId = Annotated[int, typer.Argument(help="a record of 'lumbung review' or 'lumbung trace'")]
Day = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="YYYY-MM-DD")]


@vault.command("open")
def open_identity(number: RecordId, reason: Why, consent: Consent = "", by: By = "") -> None:
    """Show all that a record holds in the vault, with a second person's consent.

    Both and the reason are logged before anything is shown. A demo's home needs no consent.
    """
    from lumbung.intake.landing.landed import opened
    from lumbung.intake.opening import sealed_record
    from lumbung.intake.vault import Keyring

    with _custodian(reason) as (db, keys):
        sealed = sealed_record(db, number)
        two = _consent(by, consent, f"open record {number}", reason)
        _log(db, [(number, None)], reason, consent, *two)
        private = opened(Keyring(db, keys), *sealed)
    typer.echo(json.dumps(private, indent=1, ensure_ascii=False))


@vault.command()
def export(
    file: Annotated[Path, typer.Argument(help="the new file that only this account can read")],
    reason: Why,
    consent: Consent = "",
    by: By = "",
) -> None:
    """Write all that is held on one person to a file, as JSON: for that person."""
    from lumbung.files import write_private
    from lumbung.intake.erasure import held, nothing_held

    identity = typer.prompt("name or telephone number")
    with _custodian(reason) as (db, keys):
        with db.transaction():
            records, quarantined = held(db, keys, identity, _subjects())
        opened: list[tuple[int | None, int | None]] = [
            *((each.record_id, None) for each in records),
            *((None, each.quarantine_id) for each in quarantined),
        ]
        _log(db, opened, reason, consent, *_consent(by, consent, "export a person", reason))
    if not opened:
        raise nothing_held()
    content = {
        "records": [
            {
                "record": each.record_id,
                "channel": each.channel,
                "received": each.received_at.isoformat(),
                "delivered by this person": each.is_reporter,
                "content": {**each.payload, **each.private},
                "evidence": each.evidence,
            }
            for each in records
        ],
        "quarantined": [
            {"channel": each.channel, "content": each.content, "evidence": each.evidence}
            for each in quarantined
        ],
    }
    write_private(file.absolute(), json.dumps(content, indent=1, ensure_ascii=False))
    console.print(
        f"{len(records)} records and {len(quarantined)} quarantined deliveries are in {file};"
        " contents of others' records name others: read it before you hand it over",
        soft_wrap=True,
    )


@vault.command()
def erase(reason: Why, consent: Consent = "", by: By = "") -> None:
    """Erase one person from vault, quarantine and evidence; records and editions stay.

    Remove the person from the source first. Backups follow with the next 'lumbung backup'.
    """
    from lumbung.intake import erasure

    identity = typer.prompt("name or telephone number")
    with _custodian(reason) as (db, keys), _evidence(keys) as store:
        who, proof = _consent(by, consent, "erase a person", reason)
        done = erasure.erase(
            db, keys, identity, _subjects(),
            by=who, consented_by=consent, consent=proof, reason=reason.strip(),
            evidence=store, today=datetime.now(JAKARTA).date(),
        )  # fmt: skip
    _say(done)


@vault.command()
def expire(
    what: Annotated[
        str, typer.Argument(help="a record kind (IA, LHP, PREV or PLAN), or a channel")
    ],
    before: Day,
    reason: Why,
    consent: Consent = "",
    by: By = "",
) -> None:
    """Destroy the private parts of records that were received before a day (WIB).

    They are those of one kind, or all of one channel. A channel whose rows say their own kind
    expires by its name alone. What is under legal hold stays. Backups follow with the next 'lumbung
    backup'.
    """
    from lumbung.intake import erasure

    with _custodian(reason) as (db, keys), _evidence(keys) as store:
        who, proof = _consent(by, consent, f"expire {what} before {before:%Y-%m-%d}", reason)
        names, kinds = _names_and_kinds()
        done = erasure.expire(
            db, keys, names.get(what, what), before.date(), kinds,
            by=who, consented_by=consent, consent=proof, reason=reason.strip(),
            evidence=store, today=datetime.now(JAKARTA).date(),
        )  # fmt: skip
    _say(done)


@vault.command()
def evidence(
    sha256: Annotated[str, typer.Argument(help="of the file, in hexadecimal")],
    file: Annotated[Path, typer.Argument(help="the new file that only this account can read")],
    reason: Why,
    consent: Consent = "",
    by: By = "",
) -> None:
    """Write a file of the evidence in clear, with a second person's consent.

    Both and the reason are logged before anything is written. A demo's home needs no consent.
    """
    from lumbung.files import PRIVATE_UMASK
    from lumbung.intake.opening import kept_evidence

    with _custodian(reason) as (db, keys), _evidence(keys) as store:
        kept = kept_evidence(store, sha256)
        who, proof = _consent(by, consent, f"open evidence {sha256}", reason)
        db.execute(
            "insert into ops.opening (opened_by, evidence_sha256, reason, consented_by,"
            " enrolment_id, totp_step, seal) values (%s, %s, %s, nullif(%s, ''), %s, %s, %s)",
            (who, kept.sha256, reason.strip(), consent, *(proof or (None,) * 3)),
        )
        os.umask(PRIVATE_UMASK)
        with kept.open("rb") as stream, file.open("xb") as copy:
            shutil.copyfileobj(stream, copy, 1 << 20)
    console.print(f"{kept.size:,} bytes ({kept.media_type}) are in {file}", soft_wrap=True)


@vault.command()
def encrypt() -> None:
    """Encrypt the evidence that an earlier version kept in clear; 'lumbung migrate' does it too.

    Run it once on each machine, and where LUMBUNG_EVIDENCE is set. A call that was killed can be
    repeated.
    """
    from lumbung.intake.erasure import encrypt_evidence

    count = encrypt_evidence(Settings.load(), warehouse_url("custodian"))
    console.print(f"{count} files of evidence were encrypted; take a backup", soft_wrap=True)


@vault.command()
def hold(number: RecordId, until: Day, reason: Why, by: By = "") -> None:
    """Hold a delivery back from erasure until a day; a day in the past lifts the hold."""
    from lumbung.intake import erasure

    with _custodian(reason) as (db, _):
        by = decider(by, f"hold record {number} until {until:%Y-%m-%d}")
        erasure.hold(db, number, until.date(), by=by, reason=reason.strip())
    console.print(f"the delivery of record {number} is held until {until:%Y-%m-%d}")


@vault.command()
def rotate(
    use_newest: Annotated[
        bool, typer.Option(help="make no key: encrypt with the newest one that is there")
    ] = False,
) -> None:
    """Make a new vault key, and encrypt all data keys with it; pulls may run meanwhile.

    Run it again with --use-newest when the pulls that were running have ended.
    """
    from lumbung.intake import erasure

    settings = Settings.load()
    with _custodian("rotate") as (db, keys):
        if not use_newest:
            keys = erasure.add_vault_key(settings.home)
        count = erasure.use_newest_key(db, keys)
    console.print(
        f"{count} keys and ciphertexts were encrypted with the newest vault key; keep a copy of"
        " keys/vault.key elsewhere, and take a backup",
        soft_wrap=True,
    )


@contextmanager
def _custodian(reason: str) -> Iterator[tuple[psycopg.Connection, Vault]]:
    """A session of the role `custodian`, in autocommit, and the vault."""
    from lumbung import database
    from lumbung.intake.vault import Vault

    if not reason.strip():
        raise ConfigurationError(
            "the vault is not opened without a reason",
            where="--reason",
            remediation="say what you have to decide, without anybody's name",
        )
    with database.session(warehouse_url("custodian"), application="lumbung vault") as db:
        yield db, Vault.load(Settings.load().home)


def _consent(by: str, account: str, what: str, reason: str) -> tuple[str, Proof | None]:
    """Ask two people for a one-time code: `consented`."""
    return consented(by, account, what, reason, database_url=warehouse_url("approver"))


def _log(
    db: psycopg.Connection,
    opened: list[tuple[int | None, int | None]],
    reason: str,
    consent: str,
    by: str,
    proof: Proof | None,
) -> None:
    """Log who opens what, before anything is shown; a code counts once.

    `opened` has a record's id, or the id of a delivery in quarantine, for each.
    """
    with db.transaction():
        for place, (record, quarantined) in enumerate(opened):
            db.execute(
                "insert into ops.opening (opened_by, record_id, quarantine_id, reason,"
                " consented_by, enrolment_id, totp_step, seal)"
                " values (%s, %s, %s, %s, nullif(%s, ''), %s, %s, %s)",
                (
                    *(by, record, quarantined, reason.strip(), consent),
                    *(proof if proof and not place else (None, None, None)),
                ),
            )


def _subjects() -> Subjects:
    from lumbung.intake.channel.load import read_channels

    channels, _ = read_channels(Settings.load().channels)
    return {channel.name: channel.subject for channel in channels.values()}


def _names_and_kinds() -> tuple[dict[str, str], dict[str, str]]:
    """The name of a channel's records by that of its file, and the kind of all rows of a channel.

    Of the kinds, those of channels whose rows do not say another one: a row is an LP or TM by its
    register number alone.
    """
    from lumbung.intake.channel.load import read_channels

    channels, _ = read_channels(Settings.load().channels)
    names = {name: each.name for name, each in channels.items()}
    return names, {
        each.name: each.record_kind
        for each in channels.values()
        if each.record_kind
        and each.record_kind not in ("LP", "TM")
        and not {"record_kind", "activity_kind", "register_number"} & each.fields.keys()
    }


@contextmanager
def _evidence(keys: Vault) -> Iterator[Evidence]:
    from lumbung.intake.evidence import Evidence
    from lumbung.intake.vault import EvidenceKeys

    settings = Settings.load()
    with closing(EvidenceKeys(warehouse_url("custodian"), keys)) as file_keys:
        yield Evidence(settings.evidence, file_keys, shared=settings.shared_evidence)


def _say(done: Erased) -> None:
    console.print(
        f"erased: {len(done.records)} records, {len(done.quarantined)} quarantined deliveries,"
        f" {len(done.evidence)} files of evidence; taken out of {len(done.redacted)} records of"
        " others",
        soft_wrap=True,
    )
    for digest in done.kept_evidence:
        console.print(f"kept     evidence {digest}: a delivery in it is under legal hold")
    for digest in done.shared:
        console.print(f"kept     attachment {digest}: a delivery that stays has it, too")
    for name in done.undecided:
        console.print(
            f"kept     channel {name}: each of its rows has a kind of its own; it expires by name",
            soft_wrap=True,
        )
    console.print("next     lumbung backup, which destroys the keys in earlier backups as well")
