"""Delete what grows without end: logs, and Airflow's metadata of old runs.

Drafts that killed processes left are deleted too.

Records, evidence, editions and the audit log are never deleted, nor anything outside the home: in a
folder for temporary files, an installation cannot distinguish its own from those of another. dbt
rotates its own log.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lumbung.files import DRAFTS, FETCHED
from lumbung.local.airflow import Airflow
from lumbung.settings import number

LOG_BYTES = 20_000_000
"""The log of a part that is longer begins again; the former one is kept as `.1`."""

DRAFT_SECONDS = 86_400
"""A file that is being written is younger; an older one was left by a killed process."""


def retention() -> timedelta:
    """Return how long logs and metadata are kept (`LUMBUNG_LOG_DAYS`, default 90 days).

    Raises:
        ConfigurationError: when it is no number from 7 on: a week's run must be over.

    """
    days = number("LUMBUNG_LOG_DAYS", *("90", 7, 36_500), remediation="set a number of days")
    return timedelta(days=days)


def clean_files(home: Path, before: datetime) -> int:
    """Delete old logs of tasks, old drafts and what killed processes left; cut long logs.

    Args:
        home: the installation's folder.
        before: logs of tasks, and copies of editions' drafts, that were last written before this
            moment are deleted. What was published or rejected is in the database.

    Returns:
        the number of files deleted or cut.

    """
    count = 0
    logs = home / "airflow" / "logs"
    for file in [each for each in logs.rglob("*") if each.is_file()]:
        if file.lstat().st_mtime < before.timestamp():
            file.unlink()
            count += 1
            with suppress(OSError):  # not empty
                for folder in (file.parent, file.parent.parent):  # of the task, of the run
                    folder.rmdir()
    for folder in (home / "drafts").glob("*"):
        if folder.lstat().st_mtime < before.timestamp():
            shutil.rmtree(folder)
            count += 1
    fetched = home / FETCHED
    if fetched.exists() and fetched.stat().st_ctime < time.time() - DRAFT_SECONDS:
        shutil.rmtree(fetched)
        count += 1
    drafts = [
        file
        for folder in (home / "evidence", *(home / "inbox").glob("*"))
        for begin in DRAFTS
        for file in folder.glob(f"{begin}*")
    ]
    for file in drafts:
        with suppress(FileNotFoundError):  # it has its name now
            # Not when it was modified: a draft may have the time of what it is a copy of.
            if file.lstat().st_ctime < time.time() - DRAFT_SECONDS:
                file.unlink()
                count += 1
    for log in (*(home / "logs").glob("*.log"), home / "postgres" / "server.log"):
        if log.exists() and log.stat().st_size > LOG_BYTES:
            # A part appends to the file that it opened: it must be cut, not renamed.
            shutil.copyfile(log, log.with_name(f"{log.name}.1"))
            os.truncate(log, 0)
            count += 1
    return count


def clean_metadata(airflow: Airflow, before: datetime) -> None:
    """Delete Airflow's runs, tasks and events from before; the last run of each DAG stays.

    Raises:
        ServiceError: when Airflow's command fails.

    """
    moment = before.astimezone(UTC).isoformat()
    airflow.change_metadata("clean", "--yes", "--skip-archive", "--clean-before-timestamp", moment)
