"""Publish the week that ended: freeze its metrics, render, check, ask for approval, publish, mail.

The DAG `publication` is that of the installation's own office; each further office, a folder of
`config/`, has one such as `publication__76`. An office whose files are wrong has none, and
`offices.py` reports the mistake as its import error.

Runs every Monday at 06:00 WIB. Mondays that were missed are caught up when the scheduler is back,
oldest first, each for its own week. In a manual run, `week_id` chooses the week, and `as_known_at`
chooses between all that is known now and what had been landed by the week's closing.

- `freeze` copies the week's metrics into the schema `published`, where they never change. If the
  same content is already approved or published, the run completes the remaining steps and asks
  nobody again.
- `render` writes the draft's files.
- `checkpoint` runs the publication checkpoint: Great Expectations over the frozen metrics and the
  rendered files.
- `approve` waits in Airflow's "Required actions" for one of the people in `config/people.yaml`, who
  answers with the code of an authenticator app, and records the decision. They are asked by mail;
  the DAG `publication_reminder` reminds them. A wrong code is asked for again.
- `publish` signs and stores the files of an edition whose approval is proved. It reads the decision
  from the database: an answer or a task's state that was written in Airflow publishes nothing.
- `mail` sends the edition to its recipients, never twice to one address. Without the Airflow
  Connection `smtp_publication` it is skipped.
- `portal` rebuilds the public pages.

**When it fails**, is rejected or nobody answers in time, nothing was published and the previous
edition stays current. The message names the check, its owner and the remediation; the owners in
`config/people.yaml` are notified by mail. When only `mail` fails, the edition is published: clear
that task. What to do in each case: `docs/how-to/runbooks/publication.md`.
"""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import DAG, Param, dag, get_parsing_context, task
from airflow.sdk.exceptions import AirflowFailException

from lumbung.errors import ConfigurationError, LumbungError, PublicationError
from lumbung.orchestration import (
    APPROVE,
    DEFAULT_ARGS,
    REJECT,
    START_DATE,
    cron_timetable,
    desk_url,
    fail_without_retry,
    mail_server,
    notifier,
    report_failure,
    warehouse_address,
    warehouse_url,
)
from lumbung.publication.delivery.recipients import People, load_people, require_own_accounts
from lumbung.publication.edition_id import office_of
from lumbung.publication.office import area, misnamed
from lumbung.publication.translations.formatting import INDONESIAN
from lumbung.settings import JAKARTA, Settings, office_dag

REMINDER = """Remind an office's people at 08:00 WIB of deadlines that end and editions that wait.

`deadlines` notifies leadership of legal deadlines of cases that end today or tomorrow. `remind`
reminds the approvers of a draft that waits for a decision. `unpublished` notifies owners and
approvers from Tuesday on when the week that ended has no published edition, and rebuilds the
portal, whose first page then says that the edition is late.

Reminders begin `remind_after_hours` after the question and end at `time_limit_hours`, both in
`people.yaml`. This is a separate DAG because the run that asks is deferred meanwhile, and because
Airflow's deadline callbacks cannot read the mail server's Connection.

**When it fails** nothing is lost: Airflow's "Required actions" still shows the question.
"""


class Approval(HITLOperator):
    """The approval task. It fails without retry when its time limit has passed."""

    def process_trigger_event_error(self, event: dict[str, Any]) -> None:
        """Fail the task without a retry: a retry would ask the same question a second time."""
        raise AirflowFailException(
            f"nobody answered: {event['error']} Nothing was published. Start "
            f"'{self.dag_id}' again with this week."
        )

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Record the decision; return the answer without its code."""
        answer = super().execute_complete(context, event)
        pull = context["ti"].xcom_pull
        record(answer, pull(task_ids="freeze"), pull(task_ids="render"))
        answer["params_input"].pop("code", None)
        return answer


def publication_dag(office: str, people: People) -> DAG:
    """Return the DAG of an office's editions; the module describes it.

    Args:
        office: the code of the office; empty: the installation's own.
        people: the office's `people.yaml`.

    """
    # Only in a demo's home can the account `demo` approve: there the demo approves its own edition.
    demo = ["demo"] * (not office and Settings.load().demo_claim.exists())
    approvers = [*people.approval.users, *demo]

    @dag(
        dag_id=office_dag("publication", office),
        doc_md=__doc__,
        schedule=cron_timetable("0 6 * * 1"),
        start_date=pendulum.datetime(*people.publish_from.timetuple()[:3], tz=JAKARTA),
        # Every week gets an edition: after an outage Airflow runs each Monday that was missed.
        catchup=True,
        max_active_runs=1,
        auto_register=False,
        default_args={
            **DEFAULT_ARGS,
            "queue": "publication",
            "on_failure_callback": report_failure(office=office),
        },
        params={
            "week_id": Param(
                None,
                type=["null", "string"],
                pattern=r"^20\d\d-W[0-5]\d$",
                description="ISO week such as 2024-W47; empty: the week before the run",
            ),
            "as_known_at": Param(
                "now",
                enum=["now", "then"],
                description="then: only what had been landed by the Monday after the week,"
                " 06:00 WIB",
            ),
        },
        tags=["publication"],
    )
    def publication() -> None:
        """Define the tasks from `freeze` to `portal`; the module describes them."""

        # Retries for about an hour: after an outage, the warehouse may still have to be built.
        @task(retries=6, pool="warehouse")
        @fail_without_retry
        def freeze(params: Any = None, dag_run: Any = None) -> str:
            """Copy the week's metrics into the schema `published`; return the edition's id."""
            from airflow.sdk.exceptions import AirflowSkipException

            from lumbung.publication.editions import freezing, publishing, schedule
            from lumbung.publication.model import store

            settings = Settings.load().at_office(office)
            url = warehouse_url("publisher")
            week_id = params["week_id"] or schedule.week_before(dag_run.run_after)
            if dag_run.run_type == "scheduled":
                latest = schedule.week_before(pendulum.now())
                if not schedule.is_due(week_id, latest=latest, office=office, database_url=url):
                    raise AirflowSkipException(
                        f"{week_id} is published, or before the first edition"
                    )
            edition_id = freezing.freeze(
                week_id,
                settings=settings,
                database_url=warehouse_address() if params["as_known_at"] == "then" else url,
                as_known_at=params["as_known_at"],
            )
            if store.load(edition_id, database_url=url).state in ("approved", "published"):
                # A run was killed between approval and the edition's folder: write the folder now.
                publishing.publish(edition_id, settings=settings, database_url=url)
            return edition_id

        @task
        @fail_without_retry
        def render(edition_id: str) -> dict[str, str]:
            """Write the draft's files; return the sha256 of each, which the decision will name."""
            from airflow.sdk.exceptions import AirflowSkipException

            from lumbung.publication.editions import review
            from lumbung.publication.model import store

            settings = Settings.load().at_office(office)
            url = warehouse_url("publisher")
            if store.load(edition_id, database_url=url).state == "published":
                raise AirflowSkipException(f"{edition_id} is published and its metrics still hold")
            return review.write_draft(edition_id, settings=settings, database_url=url)

        @task(pool="warehouse")
        @fail_without_retry
        def checkpoint(edition_id: str) -> dict[str, Any]:
            """Check the draft and ask the approvers; return the results and the question's text."""
            from lumbung.publication.checks import checkpoint as publication_checkpoint
            from lumbung.publication.delivery import notify

            settings = Settings.load().at_office(office)
            url = warehouse_url("publisher")
            result = publication_checkpoint.check(
                edition_id, settings=settings, database_url=url, asks=True
            )
            notify.ask(edition_id, notifier=notifier(office), database_url=url)
            # Whoever logs in to Airflow reads this: it holds nothing of the draft.
            return {**result.summary(), "question": notify.reference(edition_id, desk_url())}

        # Not ApprovalOperator: on a rejection it skips `publish`, which notifies the owners.
        approve = Approval(
            task_id="approve",
            options=[APPROVE, REJECT],
            subject="Terbitkan edisi {{ ti.xcom_pull(task_ids='freeze') }}?",
            body="{{ ti.xcom_pull(task_ids='checkpoint')['question'] }}",
            # Nullable: Airflow does not submit a form in which a required text is empty.
            params={
                "code": Param(None, type=["null", "string"], description=INDONESIAN["letter_code"]),
                "comment": Param(
                    None, type=["null", "string"], description=INDONESIAN["letter_comment"]
                ),
            },
            assigned_users=[{"id": user, "name": user} for user in approvers],
            # No execution_timeout: it would end the task while it waits for an answer.
            execution_timeout=None,
            response_timeout=people.approval.time_limit,
        )

        @task
        @fail_without_retry
        def publish(edition_id: str) -> str:
            """Publish an edition whose approval is proved; skip one that was rejected."""
            from airflow.sdk.exceptions import AirflowSkipException

            from lumbung.publication.delivery import notify
            from lumbung.publication.editions import publishing, review
            from lumbung.publication.model import store

            settings = Settings.load().at_office(office)
            url = warehouse_url("publisher")
            state = store.load(edition_id, database_url=url).state
            if state == "draft":
                raise PublicationError(
                    "nobody has decided on this edition in person; what was written in Airflow does"
                    " not count",
                    where=f"edition {edition_id}",
                    remediation="find out who set the task 'approve' or its answer, then start"
                    f" '{office_dag('publication', office)}' again with this week",
                )
            if state == "rejected":
                by, comment = review.rejection(edition_id, database_url=url)
                notify.notify_rejection(
                    edition_id, by=by, comment=comment, notifier=notifier(office)
                )
                notify.notify_of_decision(
                    edition_id, comment=comment, notifier=notifier(office), database_url=url
                )
                raise AirflowSkipException(f"{edition_id} was rejected by {by}")
            if state == "approved":
                notify.notify_of_decision(edition_id, notifier=notifier(office), database_url=url)
            publishing.publish(edition_id, settings=settings, database_url=url)
            return edition_id

        # `mail` and `portal` also run after a skipped `publish`: a killed run may have left work.
        @task(retries=5, trigger_rule="none_failed")
        @fail_without_retry
        def mail(edition_id: str | None) -> list[str]:
            """Send the edition to every recipient who has not received it."""
            from airflow.sdk.exceptions import AirflowSkipException

            from lumbung.publication.delivery import smtp as mailing
            from lumbung.publication.model import store

            settings, server = Settings.load().at_office(office), mail_server()
            url = warehouse_url("publisher")
            if not edition_id or store.load(edition_id, database_url=url).state != "published":
                raise AirflowSkipException("nothing was published")
            if server is None:
                raise AirflowSkipException(
                    "the edition is published and was mailed to nobody: there is no Airflow"
                    " Connection smtp_publication"
                )
            return mailing.send(edition_id, settings=settings, database_url=url, server=server)

        @task(trigger_rule="none_failed")
        @fail_without_retry
        def portal() -> None:
            """Build the public pages from the published editions."""
            from lumbung.publication.portal import publish as publication_portal

            settings = Settings.load().at_office(office)
            url = warehouse_url("publisher")
            publication_portal.build(settings=settings, database_url=url)

        frozen = freeze()
        draft = render(frozen)
        published = publish(frozen)
        draft >> checkpoint(frozen) >> approve >> published >> [mail(frozen), portal()]

    made: DAG = publication()
    made.validate()
    return made


def record(answer: Any, edition_id: str, reviewed: dict[str, str]) -> None:
    """Record an approver's answer; a draft that was decided at a terminal meanwhile stays so.

    A missing or wrong code is an error that is retried: the question is asked again.
    """
    from lumbung.publication.editions import review
    from lumbung.publication.editions.approver import CodeError
    from lumbung.publication.model import store

    url = warehouse_url("approver")
    if store.load(edition_id, database_url=url).state != "draft":
        return
    settings = Settings.load().at_office(office_of(edition_id))
    users = load_people(settings).approval.users
    name = answer["responded_by_user"]["name"]
    given = answer.get("params_input") or {}
    try:
        review.decide(
            edition_id,
            "approved" if answer["chosen_options"] == [APPROVE] else "rejected",
            name=name,
            by=users.get(name, name),
            code=(given.get("code") or "").strip(),
            reviewed=reviewed,
            settings=settings,
            database_url=url,
            how="demo" if name == "demo" else "person",
            comment=(given.get("comment") or "").strip(),
            at=answer.get("responded_at"),
        )
    except CodeError:
        raise
    except (ConfigurationError, PublicationError) as error:
        raise AirflowFailException(str(error)) from error


def reminder_dag(office: str) -> DAG:
    """Return the DAG that reminds an office's people; `doc_md` describes it."""

    @dag(
        dag_id=office_dag("publication_reminder", office),
        doc_md=REMINDER,
        schedule=cron_timetable("0 8 * * *"),
        start_date=START_DATE,
        catchup=False,
        max_active_runs=1,
        auto_register=False,
        default_args={**DEFAULT_ARGS, "on_failure_callback": report_failure(office=office)},
        tags=["publication"],
    )
    def publication_reminder() -> None:
        """Define the tasks; `doc_md` describes them."""

        @task
        @fail_without_retry
        def deadlines() -> bool:
            """Notify leadership of deadlines that end today or tomorrow; return whether any do."""
            from lumbung import database
            from lumbung.publication.delivery import notify

            url = warehouse_url("publisher")
            with database.connect(url, application="lumbung deadlines") as connection:
                today = database.now(connection).astimezone(JAKARTA).date()
            return notify.notify_of_deadlines(today, notifier=notifier(office), database_url=url)

        @task
        @fail_without_retry
        def remind() -> list[str]:
            """Remind the approvers; return the editions that wait for a decision."""
            from lumbung.publication.delivery import notify

            return notify.remind(notifier=notifier(office), database_url=warehouse_url("publisher"))

        @task(queue="publication")  # it rebuilds the portal
        @fail_without_retry
        def unpublished() -> str:
            """Notify people and readers from Tuesday on; return the week that has no edition."""
            from lumbung.publication.delivery import notify
            from lumbung.publication.editions import schedule
            from lumbung.publication.portal import publish as publication_portal

            now = pendulum.now("Asia/Jakarta")
            week_id = schedule.week_before(now)
            closed = schedule.as_of(week_id)
            # On Monday the approvers have just been asked. A demo's records end in 2024.
            if now.date() == closed.date() or Settings.load().demo_claim.exists():
                return ""
            url = warehouse_url("publisher")
            is_missing = notify.notify_of_unpublished(
                week_id, closed, notifier=notifier(office), database_url=url
            )
            if is_missing:
                publication_portal.build(
                    settings=Settings.load().at_office(office), database_url=url
                )
            return week_id if is_missing else ""

        deadlines()
        remind()
        unpublished()

    made: DAG = publication_reminder()
    made.validate()
    return made


def office_dags() -> tuple[dict[str, DAG], dict[str, str]]:
    """Return the DAGs by id, and an error message for each office whose DAGs could not be made.

    An exception in a DAG file removes all DAGs of that file, so one office's error is caught here.
    """
    made: dict[str, DAG] = {}
    failed: dict[str, str] = {}
    needed = get_parsing_context().dag_id  # a task needs the DAGs of its own office alone
    for settings in Settings.load().offices:
        ids = [
            office_dag(name, settings.office) for name in ("publication", "publication_reminder")
        ]
        if needed and needed not in ids:
            continue
        try:
            area(settings)
            people = load_people(settings)
            require_own_accounts(people, settings)
            for each in (publication_dag(settings.office, people), reminder_dag(settings.office)):
                made[each.dag_id] = each
        except LumbungError as error:
            failed[settings.office] = str(error)
    for folder in misnamed(Settings.load()):
        failed[folder.name] = f"{folder}: the name of an office's folder is a code such as 76 or ID"
    return made, failed


# `offices.py` raises these failures as its import error.
DAGS, FAILED = office_dags()
globals().update(DAGS)
