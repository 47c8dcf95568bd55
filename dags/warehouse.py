"""Check newly landed rows, then build the warehouse with them.

Runs when a channel landed something new, and daily at 05:45 WIB in case an asset event was lost.

- `raw_checkpoint` runs Great Expectations over the new rows of `raw`. Where a check of severity
  `fail` fails for a channel, that channel's new rows are held back, its owner is notified, and the
  build continues with all other channels. The owner of a channel that is late, or has an unusual
  number of deliveries, is notified too.
- `build` is one `dbt build`: models and their tests in dependency order. A failing test skips
  everything downstream. Each model's state, seconds and rows appear in the task's tab "Storage"
  while it runs.

**When it fails**, the message names the check or the model, its owner and the remediation; the
failing rows are in the schema `checks`. Clearing `build` resumes at the model that failed.

A run with `since` recomputes everything that was landed from that day on. Readers see the same rows
as before; a table that was changed by hand is corrected.
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
    ModelStates,
    cron_timetable,
    fail_without_retry,
    notifier,
    raw_asset,
    warehouse_address,
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
    default_args={**DEFAULT_ARGS, "queue": "build"},
    tags=["warehouse"],
    params={
        "since": Param(
            None,
            type=["null", "string"],
            format="date",
            description="Recompute what was landed from this day (WIB) on; empty: only new rows.",
        )
    },
)
def warehouse() -> None:
    """Define `raw_checkpoint` and `build`; the module describes them."""

    @task(pool="warehouse")
    @fail_without_retry
    def raw_checkpoint() -> dict[str, Any]:
        """Check rows landed since the last build; notify the owners of the channels concerned."""
        from lumbung.publication.delivery import notify
        from lumbung.warehouse import raw_checkpoint

        settings = Settings.load()
        result = raw_checkpoint.check_raw(settings=settings, database_url=warehouse_address())
        notify.notify_of_channels(
            result, notifier=notifier(), database_url=warehouse_url("transformer")
        )
        return result.summary()

    @task(outlets=[MARTS], retries=1, pool="warehouse")
    @fail_without_retry
    def build(
        checked: dict[str, Any],
        ti: Any = None,
        task_state_store: Any = None,
        params: Any = None,
        outlet_events: Any = None,
    ) -> dict[str, Any]:
        """Run dbt; a retry resumes at the model that failed."""
        from lumbung.warehouse import build as warehouse_build

        settings = Settings.load()
        states = ModelStates(task_state_store.set)
        try:
            result = warehouse_build.build(
                settings=settings,
                database_url=warehouse_address(),
                since=date.fromisoformat(params["since"]) if params["since"] else None,
                resume=ti.try_number > 1,
                checked=checked["judged_batch_id"],
                on_node=states,
            )
        finally:
            states.write()
        outlet_events[MARTS].extra = result.summary()
        return result.summary()

    build(raw_checkpoint())


warehouse()
