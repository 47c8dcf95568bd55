"""Questions to the approvers and notices to the owners, by Airflow and by mail."""

from __future__ import annotations

import fcntl
import hashlib
import re
import time
from collections.abc import Sequence
from datetime import timedelta

from lumbung import database
from lumbung.errors import LumbungError
from lumbung.publication.delivery import smtp
from lumbung.publication.delivery.recipients import load_people
from lumbung.publication.delivery.smtp import MailServer
from lumbung.publication.formats import render
from lumbung.publication.model.store import load
from lumbung.publication.translations.formatting import INDONESIAN
from lumbung.settings import Settings

m = INDONESIAN

PAUSE = timedelta(hours=20)
"""A task that fails again for the same reason within this time is not reported again."""


def question(edition_id: str, *, settings: Settings, database_url: str, desk: str = "") -> str:
    """Return the question about a draft, as Markdown that is also readable as plain text.

    It holds the draft's main points, the results of the checkpoint, and where the draft is.

    Args:
        edition_id: the draft.
        settings: where the draft's files are.
        database_url: the warehouse.
        desk: the address of the desk, where the draft is read and decided on; without it the path
            of the draft's files is given.

    Raises:
        PublicationError: when there is no such edition.

    """
    edition = load(edition_id, database_url=database_url)
    pages = render.document(edition)
    passed, warned = results(edition_id, database_url=database_url)
    lines = [f"**{pages.title}** — {pages.subtitle}", ". ".join([*pages.meta, pages.status]) + "."]
    lines += [f"- **{lead}** {rest}".rstrip() for lead, rest in pages.points]
    lines.append(
        f"**{m['letter_checkpoint']}** " + m("letter_checkpoint_passed", count=m.number(passed))
    )
    lines += [
        "- " + m("letter_checkpoint_warned", check=check, remediation=remediation, owner=owner)
        for check, remediation, owner in warned
    ]
    lines += [
        "- " + m("letter_checkpoint_waived", check=w.check_name, by=w.waived_by, reason=w.reason)
        for w in edition.waivers
    ]
    if desk:
        lines.append(f"**{m['letter_desk']}** {desk}/edisi/{edition_id}")
    else:
        draft = settings.home / "drafts" / edition_id / "edisi.pdf"
        lines.append(f"**{m['letter_draft']}** `{draft}` {m['letter_beside']}")
    return "\n\n".join(lines)


def results(edition_id: str, *, database_url: str) -> tuple[int, list[tuple[str, str, str]]]:
    """Return what the checkpoint that a draft passed last found.

    Returns:
        how many checks were met; and of each warning the check, the remediation and the owner.

    """
    with database.connect(database_url, application="lumbung review") as connection:
        passed, warned = connection.execute(
            "select count(*) filter (where is_passed),"
            " coalesce(jsonb_agg(jsonb_build_array(check_name, remediation, owner) order by "
            "check_name)"
            " filter (where not is_passed and severity = 'warn'), '[]') from ops.check_result"
            " where run_id = (select run_id from published.checkpoint_pass where edition_id = %s"
            " order by passed_at desc limit 1)",
            (edition_id,),
        ).fetchone() or (0, [])
    return passed, [(check, remediation, owner) for check, remediation, owner in warned]


def ask(
    edition_id: str,
    *,
    settings: Settings,
    database_url: str,
    server: MailServer,
    desk: str = "",
    again: bool = False,
) -> None:
    """Mail the question, with the draft's PDF, to the approvers.

    Args:
        edition_id: a draft that has passed the checkpoint.
        settings: where the draft and `config/people.yaml` are.
        database_url: the warehouse.
        server: the mail server.
        desk: as `question`.
        again: whether it is a reminder.

    Raises:
        ServiceError: when the mail server cannot be reached or refuses.
        ConfigurationError: when the server or `config/people.yaml` is configured wrongly.
        PublicationError: when there is no such edition.

    """
    people = load_people(settings)
    text = question(edition_id, settings=settings, database_url=database_url, desk=desk)
    draft = settings.home / "drafts" / edition_id / "edisi.pdf"
    answer = m["letter_answer_desk" if desk else "letter_answer"]
    smtp.notify(
        m("letter_remind" if again else "letter_ask", edition_id=edition_id),
        text.replace("**", "").replace("`", "") + f"\n\n{answer}",
        to=people.approval.addresses,
        sender=people.sender,
        server=server,
        attachment=(f"{edition_id}.pdf", draft.read_bytes()) if draft.exists() else None,
    )


def remind(
    *, settings: Settings, database_url: str, server: MailServer, desk: str = ""
) -> list[str]:
    """Remind the approvers of every draft that has waited long, until its time limit.

    Drafts made by the command line are left out: Airflow asks nobody about them.

    Returns:
        the editions of which they were reminded.

    Raises:
        ServiceError, ConfigurationError, PublicationError: as `ask`.

    """
    approval = load_people(settings).approval
    with database.connect(database_url, application="lumbung review") as connection:
        waiting = [
            str(row[0])
            for row in connection.execute(
                "select edition_id from published.edition as e where state = 'draft'"
                " and exists (select from published.checkpoint_pass as g"
                " where g.edition_id = e.edition_id and g.is_asked"
                " and g.passed_at between clock_timestamp() - %s and clock_timestamp() - %s)"
                " and revision = (select max(revision) from published.edition as n"
                " where n.week_id = e.week_id) order by edition_id",
                (approval.time_limit, approval.remind_after),
            )
        ]
    for edition_id in waiting:
        ask(
            edition_id,
            settings=settings,
            database_url=database_url,
            server=server,
            desk=desk,
            again=True,
        )
    return waiting


def notify_owners(
    subject: str,
    text: str,
    *,
    settings: Settings,
    server: MailServer | None,
    also: Sequence[str] = (),
) -> bool:
    """Mail a notice to the owners and to the addresses in `also`; return whether it was sent.

    A mail that cannot be sent is only printed, because Airflow shows the failure anyway. Without a
    mail server nothing is sent.
    """
    if server is None:
        return False
    try:
        people = load_people(settings)
        addresses = [*dict.fromkeys([*people.owners, *also])]
        smtp.notify(subject, text, to=addresses, sender=people.sender, server=server)
    except LumbungError as error:
        print(f"the owners could not be notified by mail: {error}")
        return False
    return True


def notify_of_failure(
    task: str,
    run: str,
    reason: str,
    *,
    settings: Settings,
    server: MailServer | None,
    also: Sequence[str] = (),
) -> None:
    """Mail a failure of a task to the owners and to the addresses in `also`.

    A task that fails again for the same reason within `PAUSE` is not reported again: a source that
    is down for a night is one mail, not forty. Reasons that differ in numbers only are the same. A
    mail that cannot be sent is only printed, and the next failure is reported. The time of the last
    mail is in a file, because the database may be what failed.

    Args:
        task: what failed, as a person knows it.
        run: the task and its run in Airflow.
        reason: why, and what to do.
        settings: where `config/people.yaml` and the home are.
        server: the mail server; None: nothing is sent.
        also: further addresses, such as that of a channel's owner.

    """
    if server is None:
        return
    folder = settings.home / "run" / "notified"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    same = re.sub(r"\d+", "", reason)
    name = hashlib.sha256(f"{task}\n{same}".encode()).hexdigest()[:32]
    with (folder / name).open("a+", encoding="ascii") as last:
        fcntl.flock(last, fcntl.LOCK_EX)
        last.seek(0)
        if time.time() - float(last.read() or 0) < PAUSE.total_seconds():
            return
        is_sent = notify_owners(
            m("letter_failed", task=task),
            f"{run}\n\n{reason}\n\n" + m("letter_failed_again", hours=PAUSE // timedelta(hours=1)),
            settings=settings,
            server=server,
            also=also,
        )
        if is_sent:
            last.truncate(0)
            last.write(str(time.time()))


def notify_rejection(
    edition_id: str, *, by: str, comment: str, settings: Settings, server: MailServer | None
) -> None:
    """Mail the owners who rejected a draft, and why."""
    notify_owners(
        m("letter_rejected", edition_id=edition_id),
        m(
            "letter_rejected_text",
            edition_id=edition_id,
            by=by,
            comment=comment or m["letter_no_comment"],
            week_id=edition_id.partition("-r")[0],
        ),
        settings=settings,
        server=server,
    )
