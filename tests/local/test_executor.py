"""What the workers of the scheduler begin with, and what ends its wait."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from multiprocessing import connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow import settings
from airflow.configuration import conf
from airflow.executors.local_executor import LocalExecutor
from dbt.contracts.project import Project
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from lumbung.local import executor


def test_the_packages_are_imported_before_the_workers_are_forked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    imported_at_fork: list[bool] = []
    monkeypatch.setenv("LUMBUNG_HOME", str(tmp_path))
    parsed = tmp_path / "dbt" / "target" / "partial_parse.msgpack"
    parsed.parent.mkdir(parents=True)
    parsed.write_bytes(b"half a fi")
    names = ("no_such_package", "tabnanny", "this_is_absent.too")
    monkeypatch.setattr(executor, "PRELOADED", names)
    monkeypatch.delitem(sys.modules, "tabnanny", raising=False)
    monkeypatch.setattr(
        LocalExecutor, "start", lambda _: imported_at_fork.append("tabnanny" in sys.modules)
    )
    executor.PreloadingExecutor(parallelism=1).start()
    assert imported_at_fork == [True], "and what cannot be imported or read stops nothing"
    assert Project.json_schema.cache_info().currsize, "dbt has compiled the schemas of its classes"


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    """The tables that say what the scheduler has to do."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    monkeypatch.setattr(settings, "engine", engine)
    with engine.connect() as connection:
        for table in "dag_run", "task_instance", "asset_dag_run_queue":
            connection.exec_driver_sql(f"create table {table} (id integer primary key, state text)")
        yield connection


def _started(monkeypatch: pytest.MonkeyPatch) -> executor.PreloadingExecutor:
    """An executor without workers."""
    monkeypatch.setattr(executor.PreloadingExecutor, "_check_workers", lambda _: None)
    monkeypatch.setattr(LocalExecutor, "_spawn_workers_with_gc_freeze", lambda *_: None)
    made = executor.PreloadingExecutor(parallelism=1)
    LocalExecutor.start(made)
    return made


@pytest.mark.parametrize(
    "change",
    [
        "insert into dag_run (state) values ('queued')",
        "update dag_run set state = 'queued' where id = 1",
        "update task_instance set state = 'success' where id = 1",
        "insert into asset_dag_run_queue (state) values (null)",
    ],
)
def test_the_scheduler_waits_until_it_has_work(
    metadata: Connection, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    metadata.exec_driver_sql("insert into dag_run (state) values ('success')")
    metadata.exec_driver_sql("insert into task_instance (state) values ('running')")
    pauses: list[float] = []

    def wait(_: object, seconds: float) -> list[object]:
        pauses.append(seconds)
        if len(pauses) == 3:
            metadata.exec_driver_sql(change)
        return []

    monkeypatch.setattr(executor, "wait", wait)
    waiting = _started(monkeypatch)
    waiting.heartbeat()
    assert pauses == [], "the first loop knows of no earlier answer"
    waiting.heartbeat()
    assert pauses == [executor.ASK_SECONDS] * 3


def test_a_cron_schedule_is_looked_at_within_30_seconds(
    metadata: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = _started(monkeypatch)
    waiting.heartbeat()
    now = [0.0]

    def wait(_: object, seconds: float) -> list[object]:
        now[0] += seconds
        return []

    monkeypatch.setattr(executor, "wait", wait)
    monkeypatch.setattr(executor, "time", SimpleNamespace(monotonic=lambda: now[0]))
    waiting.heartbeat()
    assert executor.IDLE_SECONDS <= now[0] < 30, "though nothing has changed"
    dead = conf.getint("scheduler", "scheduler_health_check_threshold")
    assert now[0] < dead / 2, "nor is the scheduler taken for dead"


def test_a_task_that_has_ended_is_reported_in_the_same_loop(
    metadata: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = _started(monkeypatch)
    waiting.heartbeat()
    ended: list[object] = []
    monkeypatch.setattr(
        executor.PreloadingExecutor, "change_state", lambda _, key, state: ended.append(key)
    )
    really_wait = connection.wait

    def wait(queues: Any, seconds: float) -> Any:
        waiting.result_queue.put(("a task", "success", None))
        return really_wait(queues, seconds)

    monkeypatch.setattr(executor, "wait", wait)
    waiting.heartbeat()
    assert ended == ["a task"]
