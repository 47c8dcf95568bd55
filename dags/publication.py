"""Publish the week that ended: freeze its metrics, render, check, ask a person, publish, mail.

Runs every Monday at 06:00 WIB; a Monday that was missed is made good when the scheduler is back,
the oldest first, each with its own week. Started by hand, `week_id` chooses a week, and
`as_known_at` whether the edition has all that is known now or what had been landed then. `freeze`
copies the week's metrics into schema `published`, where nothing changes any more; where they are
published or approved already, the run finishes what was left and asks nobody again. `checkpoint` is
the publication checkpoint (Great Expectations over the frozen metrics and the rendered pages).
`approve` waits for
one of the people in `config/people.yaml` in Airflow's "Required actions"; they are asked by mail,
and reminded by `publication_reminder`.
`mail` sends the published edition to its recipients, never twice to one address; without the
Airflow Connection `smtp_publication` it is skipped.

**When it fails**, is rejected or nobody answers in time, nothing was published and the previous
edition stands; the message names the check, its owner and the remediation, and the owners in
`config/people.yaml` are told. When `mail` fails the edition is published: clear that task.
What to do in each case: `docs/how-to/runbooks/publication.md`.
"""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param, dag, task
from airflow.sdk.exceptions import AirflowFailException

from lumbung.errors import LumbungError
from lumbung.orchestration import (
    DEFAULT_ARGS,
    START_DATE,
    cron_timetable,
    fail_without_retry,
    mail_server,
    publisher_url,
    tell_publication_failure,
    warehouse_url,
)
from lumbung.publication.delivery.recipients import load_people
from lumbung.publication.translations.formatting import INDONESIAN
from lumbung.settings import JAKARTA, Settings

APPROVE, REJECT = "Approve", "Reject"

PEOPLE = load_people(Settings.load())
APPROVAL = PEOPLE.approval
# In a demo's home the demo approves by itself; nowhere else can it.
APPROVERS = [*APPROVAL.users] + ["demo"] * Settings.load().demo_claim.exists()


class Approval(HITLOperator):
    """The question; when the time is over it fails for good instead of asking anew."""

    def process_trigger_event_error(self, event: dict[str, Any]) -> None:
        """Fail the task without another attempt."""
        raise AirflowFailException(
            f"nobody answered: {event['error']} Nothing was published. Start 'publication' again "
            "with this week."
        )


@dag(
    doc_md=__doc__,
    schedule=cron_timetable("0 6 * * 1"),
    start_date=pendulum.datetime(*PEOPLE.publish_from.timetuple()[:3], tz=JAKARTA),
    # Every week gets its edition: after an outage Airflow runs each Monday since the last one.
    catchup=True,
    max_active_runs=1,
    default_args={**DEFAULT_ARGS, "on_failure_callback": tell_publication_failure},
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
            description="then: only what had been landed by the Monday after the week, 06:00 WIB",
        ),
    },
    tags=["publication"],
)
def publication() -> None:
    """From metrics to a published edition: see the module."""

    # Tries for about an hour: after an outage the warehouse is built while this waits.
    @task(retries=6, pool="warehouse")
    @fail_without_retry
    def freeze(params: Any = None, dag_run: Any = None) -> str:
        """Copy the week's metrics to where nothing changes any more; the answer is the edition."""
        from airflow.sdk.exceptions import AirflowSkipException

        from lumbung.publication.editions import freezing, publishing, schedule
        from lumbung.publication.model import store

        settings = Settings.load()
        # What was known then is built, beside the marts, by the owner of the warehouse.
        is_then = params["as_known_at"] == "then"
        url = warehouse_url() if is_then else publisher_url()
        week_id = params["week_id"] or schedule.week_before(dag_run.run_after)
        if dag_run.run_type == "scheduled":
            latest = schedule.week_before(pendulum.now())
            if not schedule.is_due(week_id, latest=latest, database_url=url):
                raise AirflowSkipException(f"{week_id} is published, or before the first edition")
        edition_id = freezing.freeze(
            week_id, settings=settings, database_url=url, as_known_at=params["as_known_at"]
        )
        if store.load(edition_id, database_url=url).state in ("approved", "published"):
            # What a killed run left between its decision and its folder; `mail` does the rest.
            publishing.publish(edition_id, settings=settings, database_url=url)
        return edition_id

    @task
    @fail_without_retry
    def render(edition_id: str) -> dict[str, str]:
        """Write the draft's files; the answer holds their sha256, which the decision names."""
        from airflow.sdk.exceptions import AirflowSkipException

        from lumbung.publication.editions import review
        from lumbung.publication.model import store

        settings = Settings.load()
        url = publisher_url()
        if store.load(edition_id, database_url=url).state == "published":
            raise AirflowSkipException(f"{edition_id} is published and its metrics still hold")
        return review.write_draft(edition_id, settings=settings, database_url=url)

    @task(pool="warehouse")
    @fail_without_retry
    def checkpoint(edition_id: str) -> dict[str, Any]:
        """Judge the draft; the answer holds what `approve` asks."""
        from lumbung.publication.checks import checkpoint as publication_checkpoint
        from lumbung.publication.delivery import notify

        settings = Settings.load()
        url = publisher_url()
        result = publication_checkpoint.check(
            edition_id, settings=settings, database_url=url, asks=True
        )
        if server := mail_server():
            try:
                notify.ask(edition_id, settings=settings, database_url=url, server=server)
            except LumbungError as error:  # the question stands in Airflow all the same
                print(f"those who approve could not be asked by mail: {error}")
        text = notify.question(edition_id, settings=settings, database_url=url)
        return {**result.summary(), "question": text}

    # Not ApprovalOperator: it skips what follows a rejection and forgets who rejected.
    approve = Approval(
        task_id="approve",
        options=[APPROVE, REJECT],
        subject="Terbitkan edisi {{ ti.xcom_pull(task_ids='freeze') }}?",
        body="{{ ti.xcom_pull(task_ids='checkpoint')['question'] }}",
        # Nullable: a required text would keep Airflow's form from being sent until it is filled.
        params={
            "comment": Param(
                None, type=["null", "string"], description=INDONESIAN["letter_comment"]
            )
        },
        assigned_users=[{"id": user, "name": user} for user in APPROVERS],
        # Not execution_timeout: that one would end the waiting task itself.
        execution_timeout=None,
        response_timeout=APPROVAL.time_limit,
    )

    @task
    @fail_without_retry
    def publish(edition_id: str, reviewed: Any, answer: Any) -> list[str]:
        """Act on the decision; a rejection is filed, so that the next draft is a new revision."""
        from airflow.sdk.exceptions import AirflowSkipException

        from lumbung.publication.delivery import notify
        from lumbung.publication.editions import publishing, review
        from lumbung.publication.model import store

        settings = Settings.load()
        url = publisher_url()
        decision = {**decided_by(answer), "reviewed": reviewed, "database_url": url}
        if answer["chosen_options"] != [APPROVE]:
            review.reject(edition_id, **decision)
            notify.tell_rejection(
                edition_id,
                by=decision["by"],
                comment=decision["comment"],
                settings=settings,
                server=mail_server(),
            )
            raise AirflowSkipException(f"{edition_id} was rejected by {decision['by']}")
        if store.load(edition_id, database_url=url).state == "draft":
            review.approve(edition_id, **decision)  # else somebody did so at a terminal
        return publishing.publish(edition_id, settings=settings, database_url=url)

    # This and `portal` also run when nothing is new: they finish what a killed run left.
    @task(retries=5, trigger_rule="none_failed")
    @fail_without_retry
    def mail(edition_id: str | None) -> list[str]:
        """Send the edition to every recipient who has not got it."""
        from airflow.sdk.exceptions import AirflowSkipException

        from lumbung.publication.delivery import smtp as mailing
        from lumbung.publication.model import store

        settings, server = Settings.load(), mail_server()
        url = publisher_url()
        if not edition_id or store.load(edition_id, database_url=url).state != "published":
            raise AirflowSkipException("nothing was published")
        if server is None:
            raise AirflowSkipException(
                "the edition is published and was mailed to nobody: there is no Airflow Connection"
                " smtp_publication"
            )
        return mailing.send(edition_id, settings=settings, database_url=url, server=server)

    @task(trigger_rule="none_failed")
    @fail_without_retry
    def portal() -> str:
        """Build the public's pages from what is published."""
        from lumbung.publication.portal import publish as publication_portal

        settings = Settings.load()
        url = publisher_url()
        return str(publication_portal.build(settings=settings, database_url=url))

    frozen = freeze()
    draft = render(frozen)
    published = publish(frozen, draft, approve.output)
    draft >> checkpoint(frozen) >> approve >> published >> [mail(frozen), portal()]


def decided_by(answer: Any) -> dict[str, Any]:
    """Who decided, by name and office, why, and whether it was a person or the demo by itself."""
    name = answer["responded_by_user"]["name"]
    return {
        "by": APPROVAL.users.get(name, name),
        "how": "demo" if name == "demo" else "person",
        "comment": ((answer.get("params_input") or {}).get("comment") or "").strip(),
    }


@dag(
    doc_md="""Remind those who approve, every morning at 08:00 WIB, of a draft that still waits.

    From `remind_after_hours` until `time_limit_hours` in `config/people.yaml`. A DAG of its
    own, because the run that asks is parked meanwhile, and because what Airflow calls at a deadline
    may not read the Connection of the mail server.

    **When it fails** nothing is lost: the question stands in Airflow's "Required actions".""",
    schedule=cron_timetable("0 8 * * *"),
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["publication"],
)
def publication_reminder() -> None:
    """One task: see the DAG's own words."""

    @task
    @fail_without_retry
    def remind() -> list[str]:
        """Write to those who approve; the answer is the editions that wait."""
        from airflow.sdk.exceptions import AirflowSkipException

        from lumbung.publication.delivery import notify

        settings, server = Settings.load(), mail_server()
        if server is None:
            raise AirflowSkipException("there is no Airflow Connection smtp_publication")
        url = publisher_url()
        return notify.remind(settings=settings, database_url=url, server=server)

    remind()


publication()
publication_reminder()
