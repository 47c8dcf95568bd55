"""Check what came in, then bring the per-regency facts up to it.

Runs when any channel landed something new, and daily at 05:45 WIB so that a lost event is made
good. `raw_checkpoint` is the raw checkpoint (Great Expectations over `raw`): where a check of
severity `fail` does not hold for a channel, that channel's new rows are held back, its owner is
told once, and the build goes on with all others. `build` is one `dbt build`:
models and their tests in dependency order; a failing test stops everything that lies behind it.
Each model's state, seconds and rows appear in the task's tab "Storage" while it runs.

**When it fails** the message names the check or the model, its owner and the remediation; the
failing rows are in schema `checks`. Clearing `build` goes on at the model that failed.

A run with `since` computes anew all that was landed from that day on: what readers see is the same
rows, made good where a table was meddled with.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from airflow.sdk import AssetAny, Param, dag, task
from airflow.timetables.assets import AssetOrTimeSchedule

from lumbung.intake.channel.load import read_channels
from lumbung.orchestration import (
    DEFAULT_ARGS,
    MARTS,
    START_DATE,
    cron_timetable,
    fail_without_retry,
    mail_server,
    raw_asset,
    warehouse_url,
)
from lumbung.settings import Settings

ARRIVALS = AssetAny(*map(raw_asset, read_channels(Settings.load().channels)[0]))
DAILY = cron_timetable("45 5 * * *")  # before the Monday edition


@dag(
    doc_md=__doc__,
    schedule=AssetOrTimeSchedule(timetable=DAILY, assets=ARRIVALS) if DAILY else ARRIVALS,
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["warehouse"],
    params={
        "since": Param(
            None,
            type=["null", "string"],
            format="date",
            description="Compute anew what was landed from this day (WIB) on; empty: what is new.",
        )
    },
)
def warehouse() -> None:
    """The checkpoint, then the build: see the module."""

    @task(pool="warehouse")
    @fail_without_retry
    def raw_checkpoint() -> dict[str, Any]:
        """Check what was landed since the last build; tell whose channel is held back."""
        from lumbung import stewardship
        from lumbung.warehouse import raw_checkpoint

        settings = Settings.load()
        url = warehouse_url()
        result = raw_checkpoint.check_raw(settings=settings, database_url=url)
        stewardship.notify_of_holds(
            result.holds, settings=settings, database_url=url, server=mail_server()
        )
        return result.summary()

    @task(outlets=[MARTS], retries=1, pool="warehouse")
    @fail_without_retry
    def build(
        ti: Any = None, task_state_store: Any = None, params: Any = None, outlet_events: Any = None
    ) -> dict[str, Any]:
        """Run dbt; another attempt goes on where the one before it failed."""
        from lumbung.warehouse import build as warehouse_build

        settings = Settings.load()
        result = warehouse_build.build(
            settings=settings,
            database_url=warehouse_url(),
            since=date.fromisoformat(params["since"]) if params["since"] else None,
            resume=ti.try_number > 1,
            on_node=task_state_store.set,  # live, in the task's tab "Storage"
        )
        outlet_events[MARTS].extra = result.summary()
        return result.summary()

    raw_checkpoint() >> build()


warehouse()
