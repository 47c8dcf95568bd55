"""Delete old logs and Airflow's metadata of old runs.

Runs at 03:30 WIB. What was last written more than `LUMBUNG_LOG_DAYS` days ago (90) is deleted; the
log of a part that is longer than 20 MB begins again. Records, evidence, editions and the audit log
are never deleted.

**When it fails**, nothing else is affected; the message says what to do.
"""

from __future__ import annotations

from airflow.sdk import dag, task

from lumbung.orchestration import (
    DEFAULT_ARGS,
    START_DATE,
    cron_timetable,
    fail_without_retry,
    warehouse_address,
)
from lumbung.settings import Settings


@dag(
    doc_md=__doc__,
    schedule=cron_timetable("30 3 * * *"),
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["operation"],
)
def housekeeping() -> None:
    """Define the task `clean`; the module describes it."""

    @task
    @fail_without_retry
    def clean() -> int:
        """Delete what is old; return the number of files."""
        from datetime import UTC, datetime

        from lumbung.local import housekeeping as local
        from lumbung.local.stack import Stack

        settings = Settings.load()
        before = datetime.now(UTC) - local.retention()
        local.clean_metadata(Stack(settings).airflow(warehouse_address()), before)
        return local.clean_files(settings.home, before)

    clean()


housekeeping()
