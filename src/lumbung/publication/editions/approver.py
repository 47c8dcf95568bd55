"""Those who decide on editions prove it with a one-time code of their phone (TOTP, RFC 6238).

Whoever administers Airflow or the database alone has no code. The record of a decision carries a
keyed hash over the edition, the decision and the reviewed files, made with the phone's secret, and
`publishing.publish` verifies it. The secret is encrypted with the vault key, which is not in the
database.
"""

from __future__ import annotations

import hashlib
import hmac
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import psycopg
import pyotp

from lumbung import database
from lumbung.errors import ConfigurationError, LumbungError, PublicationError
from lumbung.intake.vault import Vault, associate
from lumbung.publication.model.edition import Edition
from lumbung.publication.proof.merkle import files_root
from lumbung.settings import Settings

ISSUER = "Lumbung"
MAX_AGE = timedelta(minutes=10)
"""How long after an answer its code may be recorded: Airflow may be slow. Migration 0072 has it."""
LIMITS = ((5, "15 minutes"), (20, "24 hours"))
"""After so many wrong codes within this time (a PostgreSQL interval), none of the person is
accepted."""


class CodeError(PublicationError):
    """The code is missing or wrong; the person can try again."""


class LockedError(PublicationError):
    """Too many wrong codes: none of the person is accepted (`LIMITS`)."""


class Proof(NamedTuple):
    """What a decision is recorded with: the phone, the code's time step, and the keyed hash."""

    enrolment_id: int
    totp_step: int
    seal: str


def enrol(
    name: str,
    *,
    replace: bool,
    settings: Settings,
    database_url: str,
    for_editions: bool = True,
) -> str:
    """Enrol the phone of a person who decides.

    Args:
        name: an account of `config/people.yaml`.
        for_editions: whether the phone decides on editions and consents, as those in
            `approval.users` do; else only its person's commands at a terminal need it.
        replace: whether an enrolled phone is replaced, which from then on makes no codes.
        settings: the installation, whose vault key encrypts the secret.
        database_url: the warehouse, as its owner.

    Returns:
        the address `otpauth://...` that an authenticator app reads.

    Raises:
        ConfigurationError: when the person has a phone and `replace` is false.

    """
    secret = pyotp.random_base32()
    vault = Vault.load(settings.home)
    with database.connect(database_url, application="lumbung approver") as connection:
        connection.execute("lock table ops.approver in share row exclusive mode")
        known = connection.execute("select from ops.approver where name = %s", (name,)).fetchone()
        if known is not None and not replace:
            raise ConfigurationError(
                f"'{name}' has a phone already",
                where="ops.approver",
                remediation="when it is lost, enrol another one with --replace",
            )
        row = connection.execute(
            "select nextval(pg_get_serial_sequence('ops.approver', 'enrolment_id'))"
        ).fetchone()
        assert row is not None  # noqa: S101 - a sequence always answers
        connection.execute(
            "insert into ops.approver (enrolment_id, name, sealed_secret)"
            " overriding system value values (%s, %s, %s)",
            (
                *(row[0], name),
                vault.seal(secret.encode(), _place(name, row[0], for_editions=for_editions)),
            ),
        )
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def prove(
    name: str,
    code: str,
    *,
    edition_id: str,
    decision: str,
    by: str,
    root: str,
    at: datetime | None = None,
    settings: Settings,
    database_url: str,
) -> Proof:
    """Verify a person's code, and bind it to a decision.

    The code counts once for all purposes. A consent, or a decision at a terminal, uses it up here,
    a decision on an edition and a waiver when the database records them
    (`published.require_new_code`).

    Args:
        name: a name of `approval.users`.
        code: six digits.
        edition_id: the edition; for `consent` and `terminal` what is decided.
        decision: `approved`, `rejected`, `consent`, or `terminal`.
        by: the person as printed.
        root: `files_root` of the reviewed files.
        at: when the code was entered, at most `MAX_AGE` ago; None: now.
        settings: the installation, whose vault key opens the secret.
        database_url: the warehouse, as the role `approver`.

    Raises:
        CodeError: when the code is missing, wrong or used, or the person has no phone enrolled.
        LockedError: after too many wrong codes.

    """
    now = _now()
    entered = min(max(at or now, now - MAX_AGE), now)
    place = edition_id if decision in ("consent", "terminal") else f"edition {edition_id}"
    with database.connect(database_url, application="lumbung approver") as connection:
        enrolment = connection.execute(
            "select enrolment_id, sealed_secret, enrolment_id = (select max(enrolled) from"
            "   (select (line::jsonb -> 'content' ->> 'enrolment_id')::bigint as enrolled"
            "   from ops.audit_log where line::jsonb @> jsonb_build_object('event',"
            "     'ops.approver', 'content', jsonb_build_object('name', name))) as logged)"
            " from ops.approver where name = %s order by enrolment_id desc limit 1",
            (name,),
        ).fetchone()
        if enrolment is None:
            raise CodeError(
                f"'{name}' has no phone enrolled, so the decision is not recorded",
                where=place,
                remediation=f"enrol it on the server: 'lumbung approver enrol {name}'",
            )
        if not enrolment[2]:
            raise CodeError(
                f"the phone of '{name}' is not the one that was enrolled last",
                where="ops.approver",
                remediation=f"find who changed it, then 'lumbung approver enrol {name} --replace'",
            )
        # One code of a person at a time, until the commit: each attempt counts those before it.
        connection.execute("select ops.lock_codes(%s)", (name,))
        for limit, period in LIMITS:
            failures = connection.execute(
                "select count(*) from ops.approver_failure as f where name = %s"
                " and failed_at > clock_timestamp() - %s::interval and not exists (select"
                "   from ops.approver_unlock as u where u.name = f.name"
                "   and u.unlocked_at >= f.failed_at)",
                (name, period),
            ).fetchone()
            if failures and failures[0] >= limit:
                raise LockedError(
                    f"{limit} wrong codes of '{name}' in {period}",
                    where=place,
                    remediation="wait that long, or have a second person consent to"
                    f" 'lumbung approver unlock {name}'; ask who tried, if it was not you",
                )
        secret = _secret(
            enrolment[1], name, enrolment[0], settings, for_editions=decision != "terminal"
        )
        step = _step(secret, code, entered)
        if step is None:
            late = None if at is None else _step(secret, code, at)
            if late is None:
                connection.execute("insert into ops.approver_failure (name) values (%s)", (name,))
            else:  # right when it was entered; Airflow's database still has it
                connection.execute(
                    "insert into ops.used_code (enrolment_id, totp_step) values (%s, %s)"
                    " on conflict do nothing",
                    (enrolment[0], late),
                )
            connection.commit()
            raise CodeError(
                "the code is missing" if not code else "the code is wrong or has expired",
                where=f"{place}, {name}",
                remediation="enter the six digits that the authenticator app shows now",
            )
        proof = Proof(enrolment[0], step, _seal(secret, edition_id, decision, by, root, step))
        if decision in ("consent", "terminal") and not _use_up(connection, proof):
            raise CodeError(
                "the code was used already",
                where=place,
                remediation="wait for the next one of the authenticator app",
            )
    return proof


def unlock(
    name: str, *, by: str, consented_by: str, reason: str, proof: Proof | None, database_url: str
) -> None:
    """Let the wrong codes of a person no longer count.

    Args:
        name: a name of `approval.users`.
        by: the account that does it.
        consented_by: the second person; empty in a demo's home.
        reason: why, without anybody's name.
        proof: this person's; None in a demo's home.
        database_url: the warehouse, as the role `approver`.

    """
    with database.connect(database_url, application="lumbung approver") as connection:
        connection.execute(
            "insert into ops.approver_unlock (name, unlocked_by, consented_by, reason,"
            " enrolment_id, totp_step, seal) values (%s, %s, nullif(%s, ''), %s, %s, %s, %s)",
            (name, by, consented_by, reason, *(proof or (None, None, None))),
        )


def decide_at_terminal(
    name: str, code: str, command: str, *, settings: Settings, database_url: str
) -> None:
    """Prove who decides by a command, and record it before the command decides.

    Args:
        name: an account whose phone is enrolled.
        code: six digits.
        command: the command and what it decides on, without anybody's name.
        settings: the installation.
        database_url: the warehouse, as the role `approver`.

    Raises:
        CodeError, LockedError: as `prove`.

    """
    proof = prove(
        name, code, edition_id=command, decision="terminal", by=name, root="",
        settings=settings, database_url=database_url,
    )  # fmt: skip
    with database.connect(database_url, application="lumbung approver") as connection:
        connection.execute(
            "insert into ops.terminal_decision (decided_by, command, enrolment_id, totp_step, seal)"
            " values (%s, %s, %s, %s, %s)",
            (name, command, *proof),
        )


def use_up(proof: Proof, *, database_url: str) -> None:
    """Use up the code of a decision that was refused; do nothing when it was used already.

    Args:
        proof: what `prove` returned.
        database_url: the warehouse, as the role `approver`.

    """
    with database.connect(database_url, application="lumbung approver") as connection:
        _use_up(connection, proof)


def _use_up(connection: psycopg.Connection, proof: Proof) -> bool:
    """Use a code up, and return whether it was unused; of several at once, one succeeds."""
    added = connection.execute(
        "insert into ops.used_code (enrolment_id, totp_step, seal) values (%s, %s, %s)"
        " on conflict do nothing",
        proof,
    )
    return added.rowcount == 1


def is_in_person(edition: Edition, *, settings: Settings, database_url: str) -> bool:
    """Return whether a person proved the decision on an edition, over the files as reviewed.

    In a demo's home, where every record is invented, no proof is needed.
    """
    if settings.demo_claim.exists():
        return True
    decision = edition.decision
    with database.connect(database_url, application="lumbung approver") as connection:
        row = connection.execute(
            "select name, sealed_secret, enrolment_id, totp_step, seal from published.approval"
            " join ops.approver as phone using (enrolment_id) where edition_id = %s"
            # not with a phone that another one had replaced by then
            " and not exists (select from ops.approver as later where later.name = phone.name"
            "   and later.enrolment_id > phone.enrolment_id"
            "   and later.enrolled_at < to_timestamp(totp_step * 30))",
            (edition.edition_id,),
        ).fetchone()
    if row is None or decision is None or decision.how != "person":
        return False
    name, sealed, enrolment_id, step, seal = row
    expected = _seal(
        _secret(sealed, name, enrolment_id, settings),
        edition.edition_id,
        decision.decision,
        decision.decided_by,
        files_root(dict(decision.reviewed)),
        step,
    )
    return hmac.compare_digest(expected, seal)


def _place(name: str, enrolment_id: int, *, for_editions: bool) -> bytes:
    """Identifies an enrolment: its secret opens under no other one, so none can be repeated."""
    use = "approver" if for_editions else "terminal"
    return associate(use, f"{name}\0{enrolment_id}")


def _secret(
    sealed: bytes, name: str, enrolment_id: int, settings: Settings, *, for_editions: bool = True
) -> str:
    """Open the secret of a phone; one for editions serves at a terminal, too."""
    vault = Vault.load(settings.home)
    for use in (True,) if for_editions else (True, False):
        with suppress(LumbungError):
            place = _place(name, enrolment_id, for_editions=use)
            return vault.unseal(bytes(sealed), place).decode()
    raise CodeError(
        f"the phone of '{name}' was enrolled for commands alone or by an earlier version, or its"
        " row was copied",
        where="ops.approver",
        remediation=f"enrol it again: 'lumbung approver enrol {name} --replace'",
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _step(secret: str, code: str, entered: datetime) -> int | None:
    """Return the time step that a code is of: this one, or the one before or after."""
    totp = pyotp.TOTP(secret)
    now = totp.timecode(entered)
    given = code.replace(" ", "")
    steps = [
        step
        for step in (now, now - 1, now + 1)
        if hmac.compare_digest(totp.generate_otp(step).encode(), given.encode())
    ]
    return steps[0] if steps else None


def _seal(secret: str, edition_id: str, decision: str, by: str, root: str, step: int) -> str:
    statement = "\n".join(("lumbung decision 1", edition_id, decision, by, root, str(step)))
    return hmac.new(secret.encode(), statement.encode(), hashlib.sha256).hexdigest()
