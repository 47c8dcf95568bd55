"""Logs do not grow without end, and nothing else is deleted."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lumbung.errors import ConfigurationError
from lumbung.local import housekeeping
from lumbung.local.processes import Processes

NOW = datetime.now(UTC)
TASK = "airflow/logs/dag_id=warehouse/run_id={}/task_id=build/attempt=1.log"


def write(path: Path, age_days: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    then = (NOW - timedelta(days=age_days)).timestamp()
    for each in (path, *path.parents[:3]):
        os.utime(each, (then, then))
    return path


def test_old_logs_are_deleted_and_nothing_else(tmp_path: Path) -> None:
    home = tmp_path / "home"
    kept = [
        write(home / TASK.format("new"), 89),
        write(home / "evidence" / "ab" / "cdef", 900),
        write(home / "editions" / "2024-W47-r1" / "edisi.pdf", 900),
        write(home / "inbox" / "kanal" / "lama.log", 900),
        write(tmp_path / "lumbung-x.log", 900),
        write(home / "drafts" / "2024-W47-r1" / "edisi.pdf", 89),
    ]
    old = [
        write(home / TASK.format("old"), 91),
        write(home / "drafts" / "2024-W37-r1" / "edisi.pdf", 91),
    ]
    assert housekeeping.clean_files(home, NOW - timedelta(days=90)) == len(old)
    assert [path for path in old if path.parent.exists()] == []
    assert not old[0].parents[1].exists(), "with its empty folders"
    assert [path for path in kept if not path.exists()] == []


def test_drafts_of_killed_processes_are_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts = [
        write(tmp_path / "inbox" / "kanal" / ".upload-1f", 0),
        write(tmp_path / "inbox" / "kanal" / ".draft-1f", 0),
        write(tmp_path / "evidence" / ".draft-1f", 0),
    ]
    kept = write(tmp_path / "inbox" / "kanal" / "pekan.csv", 900)
    assert housekeeping.clean_files(tmp_path, NOW) == 0, "they may be being written"
    monkeypatch.setattr(housekeeping, "DRAFT_SECONDS", -1)
    assert housekeeping.clean_files(tmp_path, NOW) == len(drafts)
    assert [path for path in (*drafts, kept) if path.exists()] == [kept]


def test_a_long_log_begins_again_while_its_part_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "LOG_BYTES", 3)
    processes = Processes(tmp_path / "run", tmp_path / "logs")
    script = "echo before; read line < ../go; echo after"
    (tmp_path / "run").mkdir()
    os.mkfifo(tmp_path / "go")
    processes.spawn("portal", ["sh", "-c", script], {**os.environ})
    part = processes.find("portal")
    assert part is not None
    log = processes.log("portal")
    with (tmp_path / "go").open("w") as go:  # the part has opened it: "before" is written
        assert housekeeping.clean_files(tmp_path, NOW) == 1
        assert log.read_text() == ""
        go.write("\n")
    part.wait(60)
    assert log.read_text() == "after\n"
    assert log.with_name("portal.log.1").read_text() == "before\n"


def test_a_retention_below_a_week_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert housekeeping.retention() == timedelta(days=90)
    monkeypatch.setenv("LUMBUNG_LOG_DAYS", "6")
    with pytest.raises(ConfigurationError, match="'6' is not a number from 7"):
        housekeeping.retention()
