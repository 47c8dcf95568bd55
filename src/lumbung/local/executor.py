"""Airflow's LocalExecutor, whose workers have imported what tasks need seconds to import.

The scheduler forks its workers, and each worker forks a process for each task. What the scheduler
has imported before is there in all of them, and its memory is shared. Lumbung's own modules are not
imported here: a task runs them as they are on disk.
"""

from __future__ import annotations

import importlib
import logging

from airflow.executors.local_executor import LocalExecutor

from lumbung.memory import rare_garbage_collection

PRELOADED = (
    *("dbt.cli.main", "dbt.task.build", "dbt.adapters.postgres"),
    *("great_expectations", "pandas"),
)
"""What builds and checkpoints import: 1.4 and 2.1 s of CPU time."""


class PreloadingExecutor(LocalExecutor):  # type: ignore[misc]  # Airflow has no types here
    """LocalExecutor that imports `PRELOADED` before it forks its workers."""

    def start(self) -> None:
        """Import the packages, then start the workers."""
        # It logs a line for each method that its documentation lacks.
        logging.getLogger("great_expectations").setLevel(logging.WARNING)
        with rare_garbage_collection():
            for name in PRELOADED:
                try:
                    importlib.import_module(name)
                except Exception:  # the task that needs it reports this
                    self.log.exception("%s cannot be imported", name)
        super().start()
