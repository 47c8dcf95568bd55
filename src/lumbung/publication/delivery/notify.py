"""What people are asked and notified of: editions, failures, deadlines."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from lumbung import database, registry
from lumbung.publication import office
from lumbung.publication.delivery.notices import Notice, Notifier, without_numbers
from lumbung.publication.delivery.recipients import Event, load_people, owners_of_province
from lumbung.publication.edition_id import week_of
from lumbung.publication.formats import render
from lumbung.publication.model.store import draft_files, load
from lumbung.publication.translations.formatting import INDONESIAN
from lumbung.settings import Settings
from lumbung.warehouse.raw_checkpoint import RawResult

m = INDONESIAN

WEEK = timedelta(days=7)
CHANNEL_EVENTS: Mapping[str, Event] = {
    "channel_is_fresh": "channel_late",
    "volume_is_usual": "channel_volume",
}
"""Checks of `expectations/raw.yaml` whose warning a channel's owner is notified of."""


def question(
    edition_id: str, *, settings: Settings, database_url: str, is_linked: bool = False
) -> str:
    """Return the question about a draft, as Markdown that is also readable as plain text.

    It holds the draft's main points and the results of the checkpoint.

    Args:
        edition_id: the draft.
        settings: where the draft's files are.
        database_url: the warehouse.
        is_linked: whether the reader has a link to the draft; without one the question names the
            path of the draft's files.

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
        "- "
        + m(
            "letter_checkpoint_waived",
            found=_translated(f"failed.{w.check_name}", w.check_name),
            by=w.waived_by,
            reason=w.reason,
        )
        for w in edition.waivers
    ]
    if not is_linked:
        draft = settings.home / "drafts" / edition_id / "edisi.pdf"
        lines.append(f"**{m['letter_draft']}** `{draft}` {m['letter_beside']}")
    return "\n\n".join(lines)


def reference(edition_id: str, desk: str) -> str:
    """Return the question as Airflow shows it to all its users: without the draft's content.

    Args:
        edition_id: the draft.
        desk: the address of the desk.

    """
    return m("letter_question", edition_id=edition_id, address=f"{desk}/edisi/{edition_id}")


def results(edition_id: str, *, database_url: str) -> tuple[int, list[tuple[str, str, str]]]:
    """Return what the checkpoint that a draft passed last found.

    Returns:
        how many checks were met; and of each warning what was found, what to do and the owner, in
        Indonesian. A check of the office's own has its name and the words of
        `expectations/publication.yaml`.

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
    return passed, [
        (
            title(check),
            _translated(f"remediation.{check}", remediation),
            _translated(f"owner.{owner}", owner),
        )
        for check, remediation, owner in warned
    ]


def title(check: str) -> str:
    """Return what a check found when it warns, in Indonesian; the name of an office's own check."""
    return _translated(f"warning.{check}", check)


def _translated(key: str, text: str) -> str:
    return m.text.get(key.replace(" ", "_"), text)


def ask(edition_id: str, *, notifier: Notifier, database_url: str, again: bool = False) -> None:
    """Ask the approvers for a decision: by mail with the draft's main points and its PDF.

    Args:
        edition_id: a draft that has passed the checkpoint.
        notifier: sends the question.
        database_url: the warehouse.
        again: whether it is a reminder.

    Raises:
        PublicationError: when there is no such edition.

    """
    settings, is_linked = notifier.settings, bool(notifier.desk)
    text = question(edition_id, settings=settings, database_url=database_url, is_linked=is_linked)
    text = text.replace("**", "").replace("`", "")
    draft = draft_files(edition_id, database_url=database_url).get("edisi.pdf", b"")
    content = hashlib.sha256(text.encode() + draft).hexdigest()
    notifier.send(
        Notice(
            "draft",
            f"{edition_id} {content} {again}",
            m("letter_remind" if again else "letter_ask", edition_id=edition_id),
            m("letter_waits", edition_id=edition_id),
            m["letter_answer_desk" if is_linked else "letter_answer"],
            page=f"/edisi/{edition_id}",
            since=load(edition_id, database_url=database_url).frozen_at,
            detail=text,
            attachment=(f"{edition_id}.pdf", draft) if draft else None,
        ),
        lambda people: people.approval.addresses,
    )


def remind(*, notifier: Notifier, database_url: str) -> list[str]:
    """Remind an office's approvers of every draft that has waited long, until its time limit.

    Drafts made by the command line are left out: Airflow asks nobody about them.

    Returns:
        the editions of which they were reminded.

    Raises:
        ConfigurationError, PublicationError: as `ask`.

    """
    approval = load_people(notifier.settings).approval
    with database.connect(database_url, application="lumbung review") as connection:
        waiting = [
            str(row[0])
            for row in connection.execute(
                "select edition_id from published.edition as e"
                " where office_code = %s and state = 'draft'"
                " and exists (select from published.checkpoint_pass as g"
                " where g.edition_id = e.edition_id and g.is_asked"
                " and coalesce(g.until_date, 'infinity')"
                " >= (now() at time zone 'Asia/Jakarta')::date"
                " and g.passed_at between clock_timestamp() - %s and clock_timestamp() - %s)"
                " and revision = (select max(revision) from published.edition as n"
                " where n.office_code = e.office_code and n.week_id = e.week_id)"
                " order by edition_id",
                (notifier.settings.office, approval.time_limit, approval.remind_after),
            )
        ]
    for edition_id in waiting:
        ask(edition_id, notifier=notifier, database_url=database_url, again=True)
    return waiting


def notify_owners(notice: Notice, *, notifier: Notifier, also: Sequence[str] = ()) -> None:
    """Notify the owners, and the addresses in `also`."""
    notifier.send(notice, lambda people: [*people.owners, *also])


def notify_of_failure(
    event: Event,
    task: str,
    run: str,
    reason: str,
    *,
    notifier: Notifier,
    also: Sequence[str] = (),
    page: str = "/",
) -> None:
    """Notify the owners of a task that failed, and the addresses in `also`.

    A source that is down for a night is one notice, not forty: reasons that differ in numbers only
    are the same.

    Args:
        event: what kind of task it is.
        task: what failed, as a person knows it.
        run: the task and its run in Airflow.
        reason: why, and what to do.
        notifier: sends the notice.
        also: further addresses, such as that of a channel's owner.
        page: the page of the desk; that of the channel where a pull failed.

    """
    is_pull = event == "intake"
    notify_owners(
        Notice(
            event,
            f"{task}\n{without_numbers(reason)}",
            m("letter_failed", task=task),
            m("letter_failed_pull", channel=m.channel(task), run=run, reason=reason)
            if is_pull
            else reason,
            m["letter_failed_pull_action"] if is_pull else m("letter_failed_action", run=run),
            page=page,
        ),
        notifier=notifier,
        also=also,
    )


def notify_rejection(edition_id: str, *, by: str, comment: str, notifier: Notifier) -> None:
    """Notify the owners who rejected a draft, and why."""
    notify_owners(
        Notice(
            "rejection",
            edition_id,
            m("letter_rejected", edition_id=edition_id),
            m(
                "letter_rejected_text",
                edition_id=edition_id,
                by=by,
                comment=comment or m["letter_no_comment"],
            ),
            m("letter_rejected_action", week_id=week_of(edition_id)),
            page=f"/edisi/{edition_id}",
        ),
        notifier=notifier,
    )


def notify_of_decision(
    edition_id: str, *, comment: str = "", notifier: Notifier, database_url: str
) -> None:
    """Notify the approvers, also whoever decided, of the decision on a draft.

    Args:
        edition_id: an edition that was approved or rejected.
        comment: why it was rejected.
        notifier: sends the notice.
        database_url: the warehouse.

    Raises:
        PublicationError: when there is no such edition.

    """
    decision = load(edition_id, database_url=database_url).decision
    if decision is None:
        return
    is_approved = decision.decision == "approved"
    notifier.send(
        Notice(
            "decision",
            edition_id,
            m("letter_approved" if is_approved else "letter_rejected", edition_id=edition_id),
            m(
                "letter_approved_text" if is_approved else "letter_rejected_text",
                edition_id=edition_id,
                by=decision.decided_by,
                comment=comment or m["letter_no_comment"],
            ),
            m["letter_decided_action"],
            page=f"/edisi/{edition_id}/keputusan",
            since=decision.decided_at,
            pause=WEEK,
        ),
        lambda people: people.approval.addresses,
    )


def notify_of_channels(result: RawResult, *, notifier: Notifier, database_url: str) -> None:
    """Notify owners of channels, of their offices and of the warehouse of the raw checkpoint.

    These are channels that are held back, late, or have an unusual number of deliveries. As long as
    it lasts, they are notified once a week.
    """
    with database.connect(database_url, application="lumbung holds") as connection:
        channels = {
            str(channel): (
                *(m.channel(title), str(owner)),
                [str(address), *owners_of_province(province, notifier.settings)],
            )
            for channel, title, owner, address, province in connection.execute(
                "select channel, title, owner_name, owner_email, province_code"
                " from reference.channel"
            )
        }
    for hold in result.holds:
        named, owner, addresses = channels.get(hold.channel, (hold.channel, "", []))
        notice = Notice(
            "channel_held",
            f"{hold.channel} {hold.check_name} {hold.held_at.isoformat()}",
            m("letter_held", channel=named),
            m(
                "letter_held_text",
                channel=named,
                owner=owner,
                count=m.number(hold.held_count),
                reason=hold.reason,
                check=hold.check_name,
            ),
            m["letter_held_action"],
            page=f"/kanal/{hold.channel}",
            since=hold.held_at,
            pause=WEEK,
        )
        notify_owners(notice, notifier=notifier, also=addresses)
    for warning in result.warnings:
        if (event := CHANNEL_EVENTS.get(warning.name)) is None:
            continue
        for name in sorted({str(row["channel"]) for row in warning.failing}):
            named, owner, addresses = channels.get(name, (name, "", []))
            notice = Notice(
                event,
                name,
                m(event, channel=named),
                m(f"{event}_text", channel=named, owner=owner),
                m[f"{event}_action"],
                page=f"/kanal/{name}",
                pause=WEEK,
            )
            notify_owners(notice, notifier=notifier, also=addresses)


def notify_of_review_items(count: int, text: str, *, notifier: Notifier) -> None:
    """Notify the owners of the items of the review list that wait, every morning."""
    notify_owners(
        Notice(
            "review",
            "",
            m("letter_review", count=m.number(count)),
            text,
            m["letter_review_action"],
            page="/tinjauan",
        ),
        notifier=notifier,
    )


def ending_deadlines(day: date, *, prefix: str, database_url: str) -> int:
    """Count the legal deadlines that run and end on a day or the day after; none before a build.

    Args:
        day: the day (WIB).
        prefix: what the codes of the regencies begin with; empty: those of every one.
        database_url: the warehouse.

    """
    with database.connect(database_url, application="lumbung deadlines") as connection:
        built = connection.execute("select to_regclass('marts.fct_deadline')").fetchone()
        if built == (None,):
            return 0
        row = connection.execute(
            "select count(*) from marts.fct_deadline where state_code = any(%s)"
            " and extended_due_date between %s and %s and starts_with(regency_code, %s)",
            (
                *(registry.deadline_states("running"), day, day + timedelta(days=1)),
                prefix,
            ),
        ).fetchone()
    return 0 if row is None else int(row[0])


def notify_of_deadlines(day: date, *, notifier: Notifier, database_url: str) -> bool:
    """Notify an office's leadership when its legal deadlines end on a day or the day after.

    The notice holds no number and no case: these are in the leadership sheet, which writes down who
    opens it.

    Returns:
        whether there are such deadlines.

    Raises:
        ConfigurationError: when the office's `edition.yaml` cannot be read.

    """
    prefix = office.prefix(notifier.settings)
    if not ending_deadlines(day, prefix=prefix, database_url=database_url):
        return False
    notifier.send(
        Notice(
            "deadline",
            f"{day}",
            m["letter_deadline"],
            m["letter_deadline_text"],
            m["letter_deadline_action"],
            page="/lembar",
        ),
        lambda people: people.leadership_addresses or people.approval.addresses,
    )
    return True


def notify_of_unpublished(
    week_id: str, closed: datetime, *, notifier: Notifier, database_url: str
) -> bool:
    """Notify owners and approvers when a week has no published edition.

    Args:
        week_id: the week.
        closed: the Monday, 06:00 WIB, on which its edition was due.
        notifier: sends the notice.
        database_url: the warehouse.

    Returns:
        whether the edition is missing.

    """
    if closed.date() < load_people(notifier.settings).publish_from:
        return False
    with database.connect(database_url, application="lumbung publication") as connection:
        states = {
            str(state)
            for (state,) in connection.execute(
                "select state from published.edition where office_code = %s and week_id = %s",
                (notifier.settings.office, week_id),
            )
        }
    if "published" in states:
        return False
    state = next((s for s in ("approved", "draft", "rejected") if s in states), "none")
    notifier.send(
        Notice(
            "unpublished",
            week_id,
            m("letter_unpublished", week_id=week_id),
            m(f"unpublished_{state}", week_id=week_id),
            m[f"unpublished_{state}_action"],
            page="/edisi",
            since=closed,
        ),
        lambda people: [*people.owners, *people.approval.addresses],
    )
    return True
