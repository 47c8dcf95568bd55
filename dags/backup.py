"""Back up every night, and prove by a restore drill that the backup restores.

Runs at 01:30 WIB. The DAG exists only where `LUMBUNG_BACKUP` names a folder for backups and
`LUMBUNG_BACKUP_RECIPIENT` the public key that the keys are encrypted to.

- `take` dumps both databases and copies the files into a new folder. The newest
  `LUMBUNG_BACKUP_KEEP` backups are kept.
- `drill` restores that backup into a scratch server, compares tables, evidence and editions, and
  removes the server.

**When it fails**, earlier backups are whole. The message names what is wrong: a full disk, a folder
that cannot be written, or what differs. What to do: `docs/how-to/back-up-and-restore.md`.
"""

from __future__ import annotations

import os
from datetime import timedelta

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
    schedule=cron_timetable("30 1 * * *"),
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    default_args={**DEFAULT_ARGS, "execution_timeout": timedelta(hours=4), "retries": 1},
    tags=["operation"],
)
def backup() -> None:
    """Define `take` and `drill`; the module describes them."""

    @task(pool="warehouse")
    @fail_without_retry
    def take() -> str:
        """Take a backup and return its folder."""
        from lumbung.backup import take as backups

        done = backups.backup(
            backups.Target.load(), settings=Settings.load(), database_url=warehouse_address()
        )
        print(f"{done.folder}: {done.size:,} bytes in {done.seconds:.0f} s")
        for file in done.damaged:
            print(f"DAMAGED {file}: not the bytes that were delivered")
        return str(done.folder)

    @task(pool="warehouse")
    @fail_without_retry
    def drill(folder: str) -> None:
        """Restore the backup into a scratch server and compare it."""
        from pathlib import Path

        from lumbung.backup import restore

        found = restore.drill(
            Path(folder), settings=Settings.load(), database_url=warehouse_address()
        )
        print(f"{found.tables} tables, {found.files} files and {found.editions} editions restore")

    @task
    @fail_without_retry
    def copy(folder: str) -> list[str]:
        """Copy the backups to `LUMBUNG_BACKUP_COPY`; return the names of those that were new."""
        from pathlib import Path

        from airflow.sdk.exceptions import AirflowSkipException

        from lumbung.backup import remote
        from lumbung.backup.take import Target

        address = remote.address()
        if address is None:
            raise AirflowSkipException("LUMBUNG_BACKUP_COPY is not set")
        return remote.mirror(Path(folder).parent, address, Target.load().keep)

    taken = take()
    drill(taken) >> copy(taken)


if os.environ.get("LUMBUNG_BACKUP"):
    backup()
