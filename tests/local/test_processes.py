"""A process is found by what no clock alters, and leaves nothing behind when it was killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import psycopg
import pytest

from lumbung import database
from lumbung.errors import ServiceError
from lumbung.local import processes as local_processes
from lumbung.local.airflow import queued_too_long
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.local.processes import Processes
from tests.support.databases import fresh_database

PARENT = (
    "import subprocess, sys, pathlib\n"
    "child = subprocess.Popen(['sleep', '600'])\n"
    "pathlib.Path(sys.argv[1]).write_text(str(child.pid))\n"
    "child.wait()"
)


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    running = Processes(tmp_path / "run", tmp_path)
    yield running
    running.stop(*running.names())


def killed_parent(processes: Processes, tmp_path: Path) -> psutil.Process:
    """The child of a process that was killed."""
    written = tmp_path / "child"
    processes.spawn("scheduler", [sys.executable, "-c", PARENT, str(written)], {**os.environ})
    parent = processes.find("scheduler")
    assert parent is not None
    while not (written.exists() and written.read_text()):
        assert parent.is_running()
        time.sleep(0.01)
    child = psutil.Process(int(written.read_text()))
    parent.kill()
    parent.wait(60)
    assert child.is_running()
    return child


def has_ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_a_folder_beside_them_is_no_process(processes: Processes) -> None:
    """An earlier version kept the history of notices in `run/notified`."""
    (processes.folder / "notified").mkdir(parents=True)
    assert processes.names() == []


def test_a_step_of_the_clock_ends_no_process(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time at which a process was created is computed from that of the boot, which moves."""
    processes.spawn("scheduler", ["sleep", "600"], {**os.environ})
    found = processes.find("scheduler")
    assert found is not None
    created = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: created(self) + 2)
    again = processes.find("scheduler")
    assert again is not None
    assert again.pid == found.pid


def test_another_process_of_that_id_is_not_taken_for_it(processes: Processes) -> None:
    processes.spawn("scheduler", ["sleep", "600"], {**os.environ})
    file = processes.folder / "scheduler"
    written = file.read_text()
    file.write_text(f"{os.getpid()} {written.split()[1]}")
    assert processes.find("scheduler") is None
    file.write_text(written)


def test_what_a_killed_process_left_is_ended_by_a_stop(
    processes: Processes, tmp_path: Path
) -> None:
    child = killed_parent(processes, tmp_path)
    processes.stop("scheduler")
    assert has_ended(child)


def test_what_a_killed_process_left_is_ended_by_a_start_and_others_are_not(
    processes: Processes, tmp_path: Path
) -> None:
    child = killed_parent(processes, tmp_path)
    with subprocess.Popen(["sleep", "600"], cwd=processes.folder) as other:  # somebody's shell
        try:
            processes.spawn("scheduler", ["sleep", "600"], {**os.environ})
            assert has_ended(child)
            assert other.poll() is None
        finally:
            other.kill()


def test_a_file_of_an_earlier_boot_ends_no_process_that_now_has_its_id(
    processes: Processes,
) -> None:
    processes.spawn("api-server", ["sleep", "600"], {**os.environ})
    server = processes.find("api-server")
    assert server is not None
    boot = "00000000-0000-4000-8000-000000000000"
    (processes.folder / "scheduler").write_text(f"{server.pid} 4711@{boot}")
    processes.spawn("scheduler", ["sleep", "600"], {**os.environ})
    assert processes.find("api-server") == server


def test_a_task_that_no_worker_begins_is_found(server: EmbeddedPostgres) -> None:
    url = fresh_database(server, "template0", "queued")
    assert queued_too_long(url) == []
    with psycopg.connect(url) as connection:
        connection.execute(
            "create table task_instance"
            " (dag_id text, task_id text, state text, queued_dttm timestamptz)"
        )
        now = datetime.now(UTC)
        connection.cursor().executemany(
            "insert into task_instance values ('warehouse', %s, %s, %s)",
            [
                ("build", "queued", now - timedelta(minutes=9)),
                ("raw_checkpoint", "queued", now),
                ("old", "running", now - timedelta(minutes=9)),
            ],
        )
    assert queued_too_long(url) == ["warehouse.build"]


def test_a_server_without_free_connections_is_not_said_to_be_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object, **__: object) -> None:
        raise psycopg.OperationalError("FATAL:  sorry, too many clients already")

    monkeypatch.setattr(psycopg.Connection, "connect", full)
    with pytest.raises(ServiceError, match=r"no connection left.*end sessions") as raised:
        database.connect("postgresql://x@127.0.0.1:1/x")
    assert "lumbung up" not in str(raised.value)


def test_a_wait_for_another_command_has_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_processes, "LOCK_SECONDS", 0.1)
    lock = tmp_path / "lock"
    with (
        local_processes.prepared_alone(lock),
        pytest.raises(ServiceError, match=rf"another command prepares.*{lock}.*wait until it"),
        local_processes.prepared_alone(lock),
    ):
        pass
    with local_processes.prepared_alone(lock):
        pass
