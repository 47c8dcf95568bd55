"""Notify people every morning of review items that need them.

The items are those of `marts.fct_review_item` (`lumbung review`): unknown words, unresolved places,
unreadable and impossible dates, changes of status that the procedure does not provide for, pairs of
cases without a decision, and quarantined deliveries. Runs at 07:30 WIB, after the daily build. The
task `notify` returns the counts per owner and check; the `owners` of `config/people.yaml` receive
them.

`anchor` writes the head of the audit log to `LUMBUNG_HOME/anchors/`, a file a day to keep outside
the machine, and verifies the log (`docs/how-to/verify-the-audit-log.md`).

**When it fails**, the database cannot be reached, or the audit log does not hold: the message says
which line. Open items never fail a task, nor does a notice that cannot be sent.
"""

from __future__ import annotations

from airflow.sdk import dag, task

from lumbung.orchestration import (
    DEFAULT_ARGS,
    START_DATE,
    cron_timetable,
    fail_without_retry,
    notifier,
    warehouse_url,
)


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
    """Define `notify` and `anchor`; the module describes them."""

    @task
    @fail_without_retry
    def notify() -> dict[str, dict[str, int]]:
        """Notify the owners; return the counts by owner and check."""
        from lumbung import stewardship as review_list

        return review_list.notify_owners(notifier=notifier(), database_url=warehouse_url("auditor"))

    @task
    @fail_without_retry
    def anchor() -> str:
        """Write the head of the audit log to the day's file, print it, and verify the log."""
        from datetime import datetime

        from lumbung import audit
        from lumbung.settings import JAKARTA, Settings

        settings, url = Settings.load(), warehouse_url("auditor")
        file = audit.anchor(datetime.now(JAKARTA).date(), settings=settings, database_url=url)
        text = file.read_text(encoding="utf-8").strip()
        print(f"{file}: {text}")
        audit.verify(settings=settings, database_url=url)
        return text

    notify()
    anchor()


stewardship()
