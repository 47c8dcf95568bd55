"""Publish the week that ended: freeze its figures, render, check, ask a person, publish.

Runs every Monday at 06:00 WIB; started by hand, `week_id` chooses another week. `freeze` copies the
week's figures into schema `published`, where nothing changes any more; a week whose figures are
already published ends there. `gate` is the second door (Great Expectations over the frozen
figures and the rendered pages). `approve` waits for a person of the leadership in Airflow's
"Required actions".

**When it fails** or is rejected nothing was published and the previous edition stands; the message
names the check, its owner and the cure.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pendulum
from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param, dag, task

from lumbung.orchestration import DEFAULT_ARGS, START_DATE, clock, for_good
from lumbung.settings import Settings

APPROVE, REJECT = "Approve", "Reject"


@dag(
    doc_md=__doc__,
    schedule=clock("0 6 * * 1"),
    start_date=pendulum.parse(START_DATE, tz="Asia/Jakarta"),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params={
        "week_id": Param(
            None,
            type=["null", "string"],
            pattern=r"^20\d\d-W[0-5]\d$",
            description="ISO week such as 2024-W47; empty: the week before the run",
        )
    },
    tags=["publication"],
)
def publication() -> None:
    @task
    @for_good
    def freeze(params: Any = None, dag_run: Any = None) -> str:
        from airflow.sdk.exceptions import AirflowSkipException

        from lumbung.publication import edition

        settings = Settings.load()
        url = settings.require_database_url()
        week_id = params["week_id"] or edition.week_before(dag_run.run_after)
        edition_id = edition.freeze(week_id, settings=settings, database_url=url)
        if edition.load(edition_id, database_url=url).state in ("approved", "published"):
            # Also finishes what a killed run left between its decision and its folder.
            edition.publish(edition_id, settings=settings, database_url=url)
            raise AirflowSkipException(f"{edition_id} is published and its figures still hold")
        return edition_id

    @task
    @for_good
    def render(edition_id: str) -> dict[str, str]:
        from lumbung.publication import edition

        settings = Settings.load()
        return edition.write_draft(
            edition_id, settings=settings, database_url=settings.require_database_url()
        )

    @task
    @for_good
    def gate(edition_id: str) -> dict[str, Any]:
        from lumbung.publication import gate as publication_gate

        settings = Settings.load()
        result = publication_gate.check(
            edition_id, settings=settings, database_url=settings.require_database_url()
        )
        return result.summary()

    # Not ApprovalOperator: it skips what follows a rejection and forgets who rejected.
    approve = HITLOperator(
        task_id="approve",
        options=[APPROVE, REJECT],
        subject="Terbitkan edisi {{ ti.xcom_pull(task_ids='freeze') }}?",
        body="Rancangan: {{ ti.xcom_pull(task_ids='render') }}\n\n"
        "Pemeriksaan: {{ ti.xcom_pull(task_ids='gate') }}",
        # Not execution_timeout: that one would end the waiting task itself.
        execution_timeout=None,
        response_timeout=timedelta(days=3),
    )

    @task
    @for_good
    def publish(edition_id: str, reviewed: Any, answer: Any) -> list[str]:
        """Act on the decision; a rejection is filed, so that the next draft is a new revision."""
        from airflow.sdk.exceptions import AirflowSkipException

        from lumbung.publication import edition

        settings = Settings.load()
        url = settings.require_database_url()
        decision = {**decided_by(answer), "reviewed": reviewed, "database_url": url}
        if answer["chosen_options"] != [APPROVE]:
            edition.reject(edition_id, **decision)
            raise AirflowSkipException(f"{edition_id} was rejected by {decision['by']}")
        edition.approve(edition_id, **decision)
        return edition.publish(edition_id, settings=settings, database_url=url)

    # Also after a rejection or when nothing is new: it restores what a killed run left.
    @task(trigger_rule="none_failed")
    @for_good
    def portal() -> str:
        from lumbung.publication import portal as publication_portal

        settings = Settings.load()
        url = settings.require_database_url()
        return str(publication_portal.build(settings=settings, database_url=url))

    frozen = freeze()
    draft = render(frozen)
    draft >> gate(frozen) >> approve >> publish(frozen, draft, approve.output) >> portal()


def decided_by(answer: Any) -> dict[str, Any]:
    """Who decided, and whether it was a person or the demo by itself."""
    name = answer["responded_by_user"]["name"]
    return {"by": name, "how": "demo" if name == "demo" else "person"}


publication()
