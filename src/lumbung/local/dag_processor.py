"""Airflow's DAG processor, which waits while there is nothing to parse.

Airflow's own asks its database for work every second, and parses every file again each minute
because it does not know what a file reads. Lumbung's DAG files read `channels/`, `config/` and
whether the home is a demo's. They are parsed when one of these has changed.

Run as `python -m lumbung.local.dag_processor dag-processor`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from airflow.cli.commands import dag_processor_command
from airflow.dag_processing.manager import DagFileInfo, DagFileProcessorManager
from airflow.sdk import Asset

from lumbung.local.airflow_command import main
from lumbung.settings import Settings

LOOK_SECONDS = 10.0
"""How often an idle processor looks for changed files, and for requests and callbacks of Airflow.
Airflow takes it for dead after 30 s."""

RETRY = timedelta(minutes=1)
"""When a file that could not be parsed is parsed again: its parse may have been too slow once."""


class DagProcessor(DagFileProcessorManager):  # type: ignore[misc]  # Airflow has no types here
    """Parses DAG files when they, or what they read, have changed."""

    _read: frozenset[tuple[str, int, int]] | None = None

    def claim_priority_files(self) -> list[DagFileInfo]:
        """Return the files that Airflow asks for, and those that have to be parsed again."""
        found = frozenset(_inputs(Settings.load()))
        has_changed, self._read = found != (self._read or found), found
        before = datetime.now(UTC) - RETRY
        again = [
            file
            for file, stat in self._file_stats.items()
            if has_changed
            or (stat.import_errors and stat.last_finish_time and stat.last_finish_time < before)
        ]
        return [*super().claim_priority_files(), *again]

    def _service_processor_sockets(self, timeout: float | None = 1.0) -> None:
        is_idle = not self._processors and not self._file_queue
        super()._service_processor_sockets(LOOK_SECONDS if is_idle else timeout)


def _inputs(settings: Settings) -> Iterator[tuple[str, int, int]]:
    """The files that DAG files read, each with its time of change and its size."""
    folders = (settings.channels, settings.config)
    for path in (settings.demo_claim, *(each for folder in folders for each in folder.rglob("*"))):
        try:
            status = path.stat()
        except OSError:  # absent, or a link to a file that is
            continue
        yield str(path), status.st_mtime_ns, status.st_size


if __name__ == "__main__":
    dag_processor_command.DagFileProcessorManager = DagProcessor
    # With its first asset a process imports what providers have for theirs, such as boto3. Each
    # file is parsed in a process that is forked from this one.
    Asset(name="first", uri="lumbung://first")
    main()
