"""Pull one channel: everything since its cursor, landed exactly once.

There is one DAG per file in `channels/`. What a pull reads is either landed, a known duplicate or
quarantined; the counts are what the task returns. The asset `lumbung://raw/<channel>` is touched
only when something was landed since the warehouse last looked, so that a pull which finds nothing
does not wake it.

**When it fails** nothing of the failed chunk was kept and the cursor has not moved: correct the
cause that the message names and clear the task; whatever is read twice is counted as duplicate.
What a file no longer has is withdrawn by the second pull that misses it. When more than half of a
source is gone and that is right, trigger it with `accept_withdrawals`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import DAG, AssetAlias, Param, dag, task

from lumbung.intake.channel.load import read_channels
from lumbung.intake.channel.models import Channel
from lumbung.orchestration import (
    DEFAULT_ARGS,
    START_DATE,
    cron_timetable,
    fail_without_retry,
    pull_summary,
    raw_asset,
    source_connection,
    warehouse_url,
)
from lumbung.settings import Settings


def intake_dag(name: str, channel: Channel) -> DAG:
    """The DAG of one channel; `name` is that of its file."""
    arrival = AssetAlias(f"raw_{name}_arrival")

    @dag(
        dag_id=f"intake__{name}",
        dag_display_name=channel.title,
        description=f"{channel.source.kind} channel of {channel.owner.name}",
        doc_md=f"{__doc__}\n**Owner of the channel:** {channel.owner.name} <{channel.owner.email}>",
        schedule=cron_timetable(channel.schedule, channel.timezone),
        start_date=START_DATE,
        catchup=False,
        auto_register=False,
        max_active_runs=1,
        default_args={**DEFAULT_ARGS, "owner": channel.owner.name},
        owner_links={channel.owner.name: f"mailto:{channel.owner.email}"},
        tags=["intake", channel.source.kind],
        params={
            "accept_withdrawals": Param(
                False,
                type="boolean",
                description="at once, and even if more than half of the source is gone",
            )
        },
    )
    def intake() -> None:
        """One task: see the module."""

        @task(outlets=[arrival], pool="intake")
        @fail_without_retry
        def pull(
            outlet_events: Any = None, run_id: Any = None, params: Any = None
        ) -> dict[str, Any]:
            """Land what is new; the answer is the counts and the reasons of quarantine."""
            from lumbung.intake import run

            settings = Settings.load()
            database_url = warehouse_url()
            counts = run.pull(
                name,
                settings=settings,
                database_url=database_url,
                connection=source_connection(channel.connection),
                run_key=run_id,
                accept_withdrawals=params["accept_withdrawals"],
            )
            summary = pull_summary(channel.name, run_id, counts, database_url=database_url)
            if run.has_news(channel.name, database_url=database_url):
                outlet_events[arrival].add(raw_asset(name), extra=summary)
            return summary

        pull()

    made: DAG = intake()
    made.validate()
    return made


def intake_dags(channels: Mapping[str, Channel]) -> tuple[dict[str, DAG], dict[str, str]]:
    """The DAGs by their ids, and for each channel of which none could be made, why.

    Airflow takes every DAG of a file away when one of them raises: here none does.
    """
    made: dict[str, DAG] = {}
    failed: dict[str, str] = {}
    for name, channel in channels.items():
        try:
            made[f"intake__{name}"] = intake_dag(name, channel)
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}"
    return made, failed


# `channels.py` shows as its import error which files have mistakes and which DAGs were not made.
DAGS, FAILED = intake_dags(read_channels(Settings.load().channels)[0])
globals().update(DAGS)
