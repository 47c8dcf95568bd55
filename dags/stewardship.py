"""Tell the owners every morning what waits for a person.

The list is `marts.fct_review_item` (`lumbung review`): unknown words, unresolved places,
unreadable and impossible dates, changes of status that the procedure does not know, pairs of cases
without a decision, what is in quarantine. Runs at 07:30 WIB, after the night's build. Counts per
owner and check are the task's result; with the Airflow Connection `smtp_publication` the `owners`
of `config/people.yaml` get them by mail.

**When it fails** the database is away: what waits never fails it, nor a mail that does not go out.
"""

from __future__ import annotations

from airflow.sdk import dag, task

from lumbung.orchestration import (
    DEFAULT_ARGS,
    START_DATE,
    cron_timetable,
    fail_without_retry,
    mail_server,
    warehouse_url,
)
from lumbung.settings import Settings


@dag(
    doc_md=__doc__,
    schedule=cron_timetable("30 7 * * *"),
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["warehouse"],
)
def stewardship() -> None:
    """One task: see the module."""

    @task
    @fail_without_retry
    def tell() -> dict[str, dict[str, int]]:
        """Write to the owners; the answer is counts by owner and check."""
        from lumbung import stewardship as review_list

        settings = Settings.load()
        return review_list.notify_owners(
            settings=settings,
            database_url=warehouse_url(),
            server=mail_server(),
        )

    tell()


stewardship()
