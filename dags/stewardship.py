"""Notify the owners every morning of the review items that wait for a person.

The items are those of `marts.fct_review_item` (`lumbung review`): unknown words, unresolved places,
unreadable and impossible dates, changes of status that the procedure does not provide for, pairs of
cases without a decision, and quarantined deliveries. Runs at 07:30 WIB, after the daily build. The
task returns the counts per owner and check. With the Airflow Connection `smtp_publication`, the
`owners` of `config/people.yaml` receive them by mail.

**When it fails**, the database cannot be reached. Open items never fail the task, nor does a mail
that cannot be sent.
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
    """Define the task `notify`; the module describes it."""

    @task
    @fail_without_retry
    def notify() -> dict[str, dict[str, int]]:
        """Mail the owners; return the counts by owner and check."""
        from lumbung import stewardship as review_list

        settings = Settings.load()
        return review_list.notify_owners(
            settings=settings,
            database_url=warehouse_url(),
            server=mail_server(),
        )

    notify()


stewardship()
