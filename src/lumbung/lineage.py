"""Lineage as OpenLineage events: which job read which data sets and wrote which.

`LUMBUNG_LINEAGE` says where events go: a file, to which each is appended as a line of JSON, or the
address of a server such as Marquez. Without it nothing is emitted. The package comes with the extra
`lineage`.

Tables have the names of OpenLineage's convention: namespace `postgres://host:port`, name
`database.schema.table`. A channel's source is `channel.<name>` in the namespace `lumbung`, and a
published edition is its folder in the namespace `file`.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

log = logging.getLogger(__name__)

NAMESPACE = "lumbung"
"""Of jobs, and of channels' sources."""

PRODUCER = "urn:lumbung"


class Dataset(NamedTuple):
    """A data set by OpenLineage's two names."""

    namespace: str
    name: str


class Job(NamedTuple):
    """A job that ended, with what it read and wrote."""

    name: str
    inputs: list[Dataset]
    outputs: list[Dataset]


def transport() -> dict[str, Any] | None:
    """Where events go, as OpenLineage's clients are configured; None: nowhere."""
    target = os.environ.get("LUMBUNG_LINEAGE")
    if not target:
        return None
    if target.startswith(("http://", "https://")):
        return {"type": "http", "url": target}
    return {"type": "file", "log_file_path": str(Path(target).absolute()), "append": True}


def source(channel: str) -> Dataset:
    """The source of a channel."""
    return Dataset(NAMESPACE, f"channel.{channel}")


def tables(database_url: str, *names: str) -> list[Dataset]:
    """Tables of the warehouse, each given as `schema.table`."""
    from psycopg.conninfo import conninfo_to_dict

    where = conninfo_to_dict(database_url)
    namespace = f"postgres://{where.get('host', 'localhost')}:{where.get('port', 5432)}"
    return [Dataset(namespace, f"{where.get('dbname')}.{name}") for name in names]


def _parent() -> dict[str, Any]:
    """Return the facet that names Airflow's task as the parent of a run; empty outside a task."""
    if "airflow.sdk" not in sys.modules:
        return {}
    from airflow import sdk

    try:
        task = sdk.get_current_context()["ti"]
    except RuntimeError:
        return {}
    from airflow.providers.openlineage.plugins import macros
    from openlineage.client.facet_v2 import parent_run

    run = parent_run.Run(macros.lineage_run_id(task))
    job = parent_run.Job(macros.lineage_job_namespace(), macros.lineage_job_name(task))
    return {"parent": parent_run.ParentRunFacet(run, job)}


def emit(jobs: Iterable[Job]) -> None:
    """Emit an event for each job that ended now; a failure is logged and stops nothing."""
    target = transport()
    if target is None:
        return
    try:
        from openlineage.client import OpenLineageClient
        from openlineage.client import event_v2 as openlineage

        client = OpenLineageClient(config={"transport": target})
        now, parent = datetime.now(UTC).isoformat(), _parent()
        for job in jobs:
            client.emit(
                openlineage.RunEvent(
                    eventTime=now,
                    eventType=openlineage.RunState.COMPLETE,
                    run=openlineage.Run(str(uuid4()), dict(parent)),
                    job=openlineage.Job(NAMESPACE, job.name),
                    inputs=[openlineage.InputDataset(*each) for each in job.inputs],
                    outputs=[openlineage.OutputDataset(*each) for each in job.outputs],
                    producer=PRODUCER,
                )
            )
        client.close()
    except Exception as error:  # lineage never fails the job that it describes
        log.warning("no lineage was written to LUMBUNG_LINEAGE: %s", error)
