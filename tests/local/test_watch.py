"""Whatever dies is started again, and what somebody stopped stays so."""

from __future__ import annotations

import errno
from pathlib import Path

import psycopg
import pytest

from lumbung.errors import ServiceError
from lumbung.local.airflow import COMPONENTS, Airflow
from lumbung.local.portal import PortalServer
from lumbung.local.stack import Part, Stack
from lumbung.local.watch import watch
from lumbung.settings import Settings

ROOT = Path(__file__).parents[2]
UP, DOWN = 4711, None


def test_a_part_that_stays_down_is_started_until_all_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = Stack(Settings(tmp_path, ROOT, None))
    starts: list[int] = []
    # what each look finds: the scheduler's process, and tasks that wait
    looks = [(UP, []), (DOWN, []), (UP, []), (DOWN, []), (DOWN, []), (UP, ["warehouse.build"])]
    looks += [(UP, ["warehouse.build"]), (UP, [])]
    seen = iter(looks)
    found: list[tuple[int | None, list[str]]] = []

    def start() -> None:
        starts.append(len(found))
        if len(starts) == 1:
            raise ServiceError("no", where="here", remediation="wait")

    def status(_: Stack) -> list[Part]:
        found.append(next(seen))
        return [Part("scheduler", found[-1][0], 0)]

    monkeypatch.setattr(Stack, "status", status)
    monkeypatch.setattr(Stack, "queued_too_long", lambda _: found[-1][1])
    monkeypatch.setattr(
        "lumbung.local.processes.Processes.names",
        lambda _: ["scheduler"] if len(found) < len(looks) else [],
    )
    watch(stack, start, pause=0)
    # at the beginning until it succeeds, then after looks 5 and 7
    assert starts == [0, 0, 5, 7]
    said = capsys.readouterr().out
    assert "no [here]. wait." in said
    assert "down: scheduler; starting" in said
    assert "down: warehouse.build; starting" in said
    assert said.strip().endswith("stopped by 'lumbung down'")


def test_no_error_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = Stack(Settings(tmp_path, ROOT, None))
    failing = iter([OSError(errno.EACCES, "no entry"), None])
    looks = iter([psycopg.OperationalError("terminating connection"), None])
    looked: list[Exception | None] = []

    def start() -> None:
        if error := next(failing):
            raise error

    def queued_too_long(_: Stack) -> list[str]:
        looked.append(next(looks))
        if looked[-1]:
            raise looked[-1]
        return []

    monkeypatch.setattr(Stack, "status", lambda _: [])
    monkeypatch.setattr(Stack, "queued_too_long", queued_too_long)
    monkeypatch.setattr(
        "lumbung.local.processes.Processes.names",
        lambda _: ["scheduler"] if len(looked) < 2 else [],
    )
    watch(stack, start, pause=0)
    said = capsys.readouterr().out
    assert "no entry" in said
    assert "the database went away: terminating connection" in said
    assert said.strip().endswith("stopped by 'lumbung down'")


def test_of_two_commands_that_start_everything_one_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Stack(Settings(tmp_path, ROOT, None))
    started: list[str] = []
    monkeypatch.setattr("lumbung.local.processes.LOCK_SECONDS", 0)
    monkeypatch.setattr(Stack, "migrate", lambda _: "")
    monkeypatch.setattr(Stack, "airflow", lambda *_: None)

    def start(_: PortalServer) -> None:
        started.append("portal")
        with pytest.raises(ServiceError, match="another command prepares this folder"):
            Stack(stack.settings).start()
        raise InterruptedError

    monkeypatch.setattr(PortalServer, "start", start)
    for _ in range(2):
        with pytest.raises(InterruptedError):
            stack.start()
    assert started == ["portal"] * 2
    assert stack.processes.names() == [], "the lock is no process"


def test_a_part_that_ran_before_and_ends_meanwhile_is_started_again_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a scheduler that still runs when its database comes back, and ends of its absence."""
    stack = Stack(Settings(tmp_path, ROOT, None))
    url = "postgresql://lumbung@127.0.0.1:1/lumbung"
    airflow = Airflow(stack.settings, stack.processes, url, url, {})
    airflow.prepare_secrets()
    alive = set(COMPONENTS)
    starts: list[set[str]] = []

    def start_components() -> None:
        starts.append(set(COMPONENTS) - alive)
        alive.update(COMPONENTS)

    def unhealthy(_: str) -> list[str]:
        alive.discard("scheduler")  # a moment after each look
        return ["scheduler"]

    def require(name: str) -> None:
        if name not in alive:
            raise ServiceError(f"{name} ended unexpectedly", where="log", remediation="read it")

    monkeypatch.setattr(airflow.processes, "find", lambda name: name in alive or None)
    monkeypatch.setattr(airflow.processes, "require", require)
    monkeypatch.setattr(airflow.processes, "stop", lambda *_: None)
    for name in ("prepare", "_follow_database"):
        monkeypatch.setattr(airflow, name, lambda: None)
    monkeypatch.setattr(airflow, "_start_components", start_components)
    monkeypatch.setattr("lumbung.local.airflow.queued_too_long", lambda _: [])
    monkeypatch.setattr("lumbung.local.airflow.unhealthy_parts", unhealthy)
    monkeypatch.setattr("lumbung.local.airflow.time.sleep", lambda _: None)
    with pytest.raises(ServiceError, match="scheduler ended unexpectedly"):
        airflow.start()
    assert starts == [set(), {"scheduler"}]
