"""Waivers of failing checks: a person, a reason and a last day, printed in the edition."""

from __future__ import annotations

from datetime import date, datetime

import psycopg

from lumbung import database
from lumbung.errors import PublicationError
from lumbung.publication.edition_id import office_of
from lumbung.publication.model.store import load, newest
from lumbung.settings import JAKARTA, Settings
from lumbung.warehouse import checkpoints

NEVER = {
    "artefacts_can_be_read",
    "artefacts_hold_no_personal_data",
    "every_artefact_is_there",
    "hidden_cells_cannot_be_recomputed",
    "small_cells_are_hidden",
}
"""Checks that may never be waived: they protect people, or detect missing files."""


def waive(
    check: str,
    *,
    edition_id: str,
    by: str,
    reason: str,
    until: date,
    settings: Settings,
    database_url: str,
    proof: tuple[int, int, str] | None = None,
) -> None:
    """Waive one check of the publication checkpoint for one draft.

    Render and check the draft again afterwards: the waiver is printed in it.

    Args:
        check: the name of a check of severity `fail` in `expectations/publication.yaml`.
        edition_id: a draft.
        by: who is responsible, as it will be printed.
        reason: why, as it will be printed.
        until: the last day of the waiver (WIB).
        settings: where the suite is.
        database_url: the warehouse, as its owner or as the role `approver`.
        proof: what `approver.prove` returned; None at a terminal of the server.

    Raises:
        PublicationError: when there is no such check or it may never be waived, the edition is not
            a draft or not the week's newest, a name or reason is missing, the day has passed, or
            the code was used already.

    """
    suite = checkpoints.load_suite(settings.expectations / "publication.yaml")
    known = {c.name for b in suite.batches for c in b.checks if c.severity == "fail"} - NEVER
    today = datetime.now(JAKARTA).date()
    edition = load(edition_id, database_url=database_url)
    last = newest(edition.week_id, office=office_of(edition_id), database_url=database_url)
    for is_wrong, what, remediation in (
        (check in NEVER, f"{check} may never be waived", "correct its cause"),
        (
            check not in known,
            f"the checkpoint has no check {check} that can be waived",
            f"choose one of {', '.join(sorted(known))}",
        ),
        (not by.strip(), "the waiver names nobody responsible", "give a name"),
        (not reason.strip(), "the waiver has no reason", "give one; it is printed"),
        (until < today, f"the waiver would have ended on {until}", "give a day to come"),
        (edition.state != "draft", f"the edition is {edition.state}, not draft", "waive a draft"),
        # The publication goes on with the newest revision, so the waiver would never be used.
        (
            last != edition_id,
            f"the week has a newer revision, {last}",
            f"waive a check of {last} if it is a draft",
        ),
    ):
        if is_wrong:
            raise PublicationError(what, where=f"edition {edition_id}", remediation=remediation)
    with database.connect(database_url, application="lumbung waive") as connection:
        try:
            connection.execute(
                "select published.record_waiver(%s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    *(edition_id, check, by.strip(), reason.strip(), until),
                    *(proof or (None, None, None)),
                ),
            )
        except psycopg.errors.UniqueViolation as error:
            raise PublicationError(
                "the code was used already",
                where=f"edition {edition_id}",
                remediation="wait for the next code, then waive again",
            ) from error


def waivable(edition_id: str, *, database_url: str) -> list[tuple[str, str, str]]:
    """Return the checks that stop a draft and may be waived: name, remediation and owner.

    These failed when the publication checkpoint last judged this draft.
    """
    with database.connect(database_url, application="lumbung waive") as connection:
        rows = connection.execute(
            "select distinct check_name, remediation, owner from ops.check_result"
            " where run_id = (select run_id from ops.check_result where suite = 'publication'"
            " and edition_id = %s order by checked_at desc limit 1) and severity = 'fail'"
            " and not is_passed order by check_name",
            (edition_id,),
        ).fetchall()
        waived = in_force(connection, edition_id)
    return [row for row in rows if row[0] not in NEVER and row[0] not in waived]


def in_force(connection: psycopg.Connection, edition_id: str) -> dict[str, date]:
    """Return the checks waived for an edition today (WIB), and the last day of each waiver."""
    return dict(
        connection.execute(
            "select check_name, max(until_date) from published.waiver where edition_id = %s"
            " and until_date >= (now() at time zone 'Asia/Jakarta')::date group by 1",
            (edition_id,),
        ).fetchall()
    )
