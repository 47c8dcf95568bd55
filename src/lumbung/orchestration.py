"""What the DAG files share: defaults of every task, the assets, and how a failure is told.

Imported by every process that parses a DAG: nothing heavy may be imported here.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset

from lumbung.intake.connectors import SourceConnection

log = logging.getLogger(__name__)

START_DATE = "2024-09-01"
"""Before the first campaign week: runs of past weeks may be backfilled from there."""

MARTS = Asset("lumbung://marts", name="marts")
"""Touched when a build of the marts succeeded."""


def raw_asset(channel: str) -> Asset:
    """The asset that is touched when a channel landed something new."""
    return Asset(f"lumbung://raw/{channel}", name=f"raw_{channel}")


def tell_failure(context: dict[str, Any]) -> None:
    """Say in one line what failed, why and where; called by Airflow after the last attempt."""
    task = context["task_instance"]
    log.error(
        "FAILED %s.%s run %s: %s", task.dag_id, task.task_id, task.run_id, context.get("exception")
    )


DEFAULT_ARGS: dict[str, Any] = {
    "owner": "lumbung",
    "retries": 2,
    # The delay before the first retry is Airflow's setting default_task_retry_delay.
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=15),
    "execution_timeout": timedelta(hours=1),
    "on_failure_callback": tell_failure,
}


def source_connection(connection_id: str | None) -> SourceConnection | None:
    """The Airflow Connection of a channel in the form that connectors take; None for a folder."""
    if connection_id is None:
        return None
    from airflow.sdk import Connection

    found = Connection.get(connection_id)
    return SourceConnection(
        host=found.host or "",
        port=found.port,
        schema=found.schema,
        login=found.login,
        password=found.password,
        extra=found.extra_dejson,
    )
