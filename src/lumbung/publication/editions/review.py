"""The review of a draft: write its files, and record the decision with the files' hashes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Literal

import psycopg
from psycopg.types.json import Jsonb

from lumbung import database
from lumbung.errors import LumbungError, PublicationError
from lumbung.publication.checks import disclosure
from lumbung.publication.edition_id import of_revision, office_of, week_of
from lumbung.publication.editions import approver, folder
from lumbung.publication.editions.queries import statement
from lumbung.publication.formats import render
from lumbung.publication.model import store
from lumbung.publication.model.edition import Edition
from lumbung.publication.proof.merkle import files_root
from lumbung.settings import Settings


def draft_folder(edition_id: str, *, settings: Settings) -> Path:
    """Return the folder of a draft's files."""
    return settings.home / "drafts" / edition_id


def write_draft(edition_id: str, *, settings: Settings, database_url: str) -> dict[str, str]:
    """Render a draft for review: for the desk and the mails into the database.

    For whoever decides at a terminal there is a copy in `LUMBUNG_HOME/drafts/<edition_id>/` on this
    machine.

    Returns:
        the name of each file and its sha256: what `approve` takes as `reviewed`.

    Raises:
        PublicationError: when the edition is no draft.
        ServiceError: when the files cannot be written.

    """
    edition = store.in_state(store.load(edition_id, database_url=database_url), "draft")
    files = render.render(edition)
    with database.connect(database_url, application="lumbung publication") as connection:
        # One rendering at a time.
        state = store.value(
            connection,
            "select state from published.edition where edition_id = %(edition)s for update",
            {"edition": edition_id},
        )
        store.in_state(edition, "draft", found=state)
        connection.execute("delete from ops.draft_file where edition_id = %s", (edition_id,))
        connection.cursor().executemany(
            "insert into ops.draft_file (edition_id, name, content) values (%s, %s, %s)",
            [(edition_id, name, content) for name, content in files.items()],
        )
    place = draft_folder(edition_id, settings=settings)
    folder.move_into_place(folder.write_staged(place, files), place)
    return folder.hashes(files)


def drafted(edition_id: str, *, settings: Settings) -> dict[str, str]:
    """Return the names and sha256 of the draft's files on this machine, as `write_draft` does.

    Raises:
        PublicationError: when there are none, so that nobody can have reviewed them.

    """
    place = draft_folder(edition_id, settings=settings)
    files = folder.read(place)
    if not files:
        raise PublicationError(
            "there are no draft files of this edition, so nobody has reviewed it",
            where=str(place),
            remediation=f"draft it first: 'lumbung publish {week_of(edition_id)}'"
            + " with the --office that its id begins with" * bool(office_of(edition_id)),
        )
    return folder.hashes(files)


def approve(
    edition_id: str,
    *,
    by: str,
    database_url: str,
    how: Literal["person", "demo"] = "person",
    comment: str = "",
    reviewed: Mapping[str, str] | None = None,
) -> None:
    """Approve a draft; the decision records the sha256 of each file that was reviewed.

    It carries no proof: outside a demo's home `publish` refuses it, and `decide` is the function.
    Repeating the same decision changes nothing, so a task that was killed after it can be retried.

    Args:
        edition_id: the newest revision of its week.
        by: who decides, as it will be printed.
        database_url: the warehouse.
        how: `demo` when the demo approves by itself; the edition says so.
        comment: kept with the decision, not printed.
        reviewed: what `write_draft` returned. When given, it must equal what the draft renders to
            now, so that the approved files are those that will be published.

    Raises:
        PublicationError: when the edition is not a draft, has not passed the checkpoint, is not the
            newest revision of its week, or the reviewed files are not those it renders to.

    """
    _decide(edition_id, "approved", by, how, comment, reviewed, None, database_url)


def reject(
    edition_id: str,
    *,
    by: str,
    database_url: str,
    how: Literal["person", "demo"] = "person",
    comment: str = "",
    reviewed: Mapping[str, str] | None = None,
) -> None:
    """Reject a draft; the next freeze of the week creates a new revision. Arguments as `approve`.

    Raises:
        PublicationError: as `approve`.

    """
    _decide(edition_id, "rejected", by, how, comment, reviewed, None, database_url)


def decide(
    edition_id: str,
    decision: Literal["approved", "rejected"],
    *,
    name: str,
    by: str,
    code: str,
    reviewed: Mapping[str, str],
    settings: Settings,
    database_url: str,
    how: Literal["person", "demo"] = "person",
    comment: str = "",
    at: datetime | None = None,
) -> None:
    """Approve or reject a draft in person, with the code of the person's phone.

    When the decision is refused, the code is left for the next attempt, unless it was entered in
    Airflow, which stores it.

    Args:
        edition_id: the newest revision of its week.
        decision: the decision.
        name: who decides, a name of `approval.users` in `config/people.yaml`.
        by: that person as printed.
        code: the six digits of the authenticator app; not needed in a demo's home.
        reviewed: what `write_draft` returned.
        settings: the installation.
        database_url: the warehouse, as the role `approver`.
        how: as `approve`.
        comment: kept with the decision, not printed.
        at: when the code was entered in Airflow; None: now, and not in Airflow.

    Raises:
        CodeError: when the code is missing, wrong or used; the person can try again.
        PublicationError: as `approve`.

    """
    proof = None
    if code or not settings.demo_claim.exists():
        proof = approver.prove(
            name,
            code,
            edition_id=edition_id,
            decision=decision,
            by=by,
            root=files_root(reviewed),
            at=at,
            settings=settings,
            database_url=database_url,
        )
    try:
        _decide(edition_id, decision, by, how, comment, reviewed, proof, database_url)
    except LumbungError:
        # Airflow's database keeps the code of an answer: nobody may use it for anything else.
        if proof is not None and at is not None:
            approver.use_up(proof, database_url=database_url)
        raise


def rejection(edition_id: str, *, database_url: str) -> tuple[str, str]:
    """Return who rejected an edition, and the comment."""
    with database.connect(database_url, application="lumbung publication") as connection:
        row = connection.execute(
            "select decided_by, comment from published.approval"
            " where edition_id = %s and decision = 'rejected'",
            (edition_id,),
        ).fetchone()
    return row or ("", "")


def is_as_reviewed(edition: Edition) -> bool:
    """Return whether the files that were reviewed are those the edition's draft renders to now."""
    return edition.decision is not None and dict(edition.decision.reviewed) == _hashes(edition)


def _hashes(edition: Edition) -> dict[str, str]:
    """Return the sha256 of each file of the edition, rendered as a draft."""
    return folder.hashes(render.render(replace(edition, state="draft", decision=None)))


def _decide(
    edition_id: str,
    decision: str,
    by: str,
    how: str,
    comment: str,
    reviewed: Mapping[str, str] | None,
    proof: approver.Proof | None,
    database_url: str,
) -> None:
    edition = store.load(edition_id, database_url=database_url)
    wanted = reviewed and dict(reviewed)
    taken = edition.decision
    if (
        taken
        and (taken.decision, taken.how, taken.decided_by) == (decision, how, by)
        and wanted in (None, dict(taken.reviewed))
    ):
        return
    store.in_state(edition, "draft")
    rendered = _hashes(edition)
    if wanted not in (None, rendered):
        raise PublicationError(
            "the files that were reviewed are not what the draft renders to now",
            where=f"edition {edition_id}",
            remediation="render the draft again and review that one",
        )
    key = {"edition": edition_id}
    with database.connect(database_url, application="lumbung publication") as connection:
        # One decision at a time: two drafts may hold the same districts.
        connection.execute("lock table published.edition in share row exclusive mode")
        state, newest, is_checked = connection.execute(
            statement("decided_edition").encode(), key
        ).fetchone() or ("missing", 0, False)
        store.in_state(edition, "draft", found=state)
        if decision == "approved" and not is_checked:
            raise PublicationError(
                "the edition has not passed the publication checkpoint, or its waiver has ended",
                where=f"edition {edition_id}",
                remediation="run the checkpoint on it first",
            )
        if decision == "approved" and newest != edition.revision:
            newer = of_revision(office_of(edition_id), edition.week_id, newest)
            raise PublicationError(
                f"the week has a newer draft, revision {newest}",
                where=f"edition {edition_id}",
                remediation=f"review {newer} instead",
            )
        if decision == "approved" and store.value(
            connection,
            statement("contradicts_published_districts"),
            {**key, "more_activities": disclosure.MORE_ACTIVITIES},
        ):
            raise PublicationError(
                "another edition has published other counts of districts for some of those weeks,"
                " or another comparison of before and after: the difference between the two would"
                " disclose hidden counts",
                where=f"edition {edition_id}",
                remediation="freeze the week again; it will repeat the published counts",
            )
        try:
            connection.execute(
                "select published.record_decision(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    *(edition_id, decision, how, by, comment, Jsonb(rendered)),
                    *(proof or (None, None, None)),
                ),
            )
        except psycopg.errors.UniqueViolation as error:
            raise approver.CodeError(
                "the code was used already",
                where=f"edition {edition_id}",
                remediation="wait for the next code, then decide again",
            ) from error
        store.set_state(connection, edition_id, decision)
