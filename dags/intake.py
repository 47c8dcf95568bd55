"""Pull one channel: everything since its cursor, landed exactly once.

There is one DAG per channel in `channels/`. Each delivery that a pull reads is landed, counted as a
known duplicate, or quarantined; the task returns the counts. The asset `lumbung://raw/<channel>` is
updated only when something was landed since the last build of the warehouse, so a pull that finds
nothing new does not start a build.

**When it fails**, the channel's owner and the owners in `config/people.yaml` are notified by mail.
The failed chunk was rolled back and the cursor has not moved. Correct the cause that the message
names and clear the task; deliveries that are read twice are counted as duplicates. A row that
disappeared from its source is withdrawn by the second pull that does not find it. When more than
half of a source has disappeared, the pull fails; if the deletion is right, trigger the DAG with
`accept_withdrawals`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import DAG, AssetAlias, Param, dag, get_parsing_context, task

from lumbung.intake.channel.load import read_channels
from lumbung.intake.channel.models import Channel
from lumbung.orchestration import (
    DEFAULT_ARGS,
    START_DATE,
    cron_timetable,
    fail_without_retry,
    pull_summary,
    raw_asset,
    report_failure,
    source_connection,
    warehouse_url,
)
from lumbung.settings import Settings


def intake_dag(name: str, channel: Channel) -> DAG:
    """Return the DAG of one channel; `name` is the name of its file."""
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
        default_args={
            **DEFAULT_ARGS,
            "queue": "intake",
            "owner": channel.owner.name,
            "on_failure_callback": report_failure(
                channel.title, channel.owner.email, province=channel.province
            ),
        },
        owner_links={channel.owner.name: f"mailto:{channel.owner.email}"},
        tags=["intake", channel.source.kind],
        params={
            "accept_withdrawals": Param(
                False,
                type="boolean",
                description="withdraw missing rows at once, even more than half of the source",
            ),
            "most_withdrawals": Param(
                None,
                type=["null", "integer"],
                minimum=1,
                description="with accept_withdrawals: withdraw nothing where more are missing",
            ),
            "from_start": Param(
                False,
                type="boolean",
                description="read the source from its beginning, and resolve in quarantine what is"
                " read now",
            ),
        },
    )
    def intake() -> None:
        """Define the task `pull`; the module describes it."""

        @task(outlets=[arrival], pool="intake")
        @fail_without_retry
        def pull(
            outlet_events: Any = None, run_id: Any = None, params: Any = None
        ) -> dict[str, Any]:
            """Land new deliveries; return the counts and the quarantine reasons."""
            from lumbung.intake import run

            settings = Settings.load()
            database_url = warehouse_url("loader")
            counts = run.pull(
                name,
                settings=settings,
                database_url=database_url,
                connection=source_connection(channel.connection),
                run_key=run_id,
                from_start=params["from_start"],
                accept_withdrawals=params["accept_withdrawals"],
                most_withdrawals=params["most_withdrawals"],
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
    """Return the DAGs by id, and an error message for each channel whose DAG could not be made.

    An exception in a DAG file removes all DAGs of that file, so one channel's error is caught here.
    """
    made: dict[str, DAG] = {}
    failed: dict[str, str] = {}
    for name, channel in channels.items():
        try:
            made[f"intake__{name}"] = intake_dag(name, channel)
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}"
    return made, failed


CHANNELS = read_channels(Settings.load().channels)[0]
# A task needs its own DAG alone; those of hundreds of channels would take it seconds.
if needed := get_parsing_context().dag_id:
    CHANNELS = {name: each for name, each in CHANNELS.items() if f"intake__{name}" == needed}
# `channels.py` raises these failures, and mistakes in channel files, as its import error.
DAGS, FAILED = intake_dags(CHANNELS)
globals().update(DAGS)
