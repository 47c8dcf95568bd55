"""What runs, as a person sees it, starts it and stops it; where it listens."""

from __future__ import annotations

import contextlib
import signal
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from lumbung.local.airflow import COMPONENTS
from tests.end_to_end.conftest import Installation

pytestmark = pytest.mark.slow

PARTS = {"postgres", *COMPONENTS, "portal", "kobo-stand-in"}


def status(installation: Installation) -> tuple[int, dict[str, list[str]]]:
    """The exit code of `lumbung status` and its lines by their first word."""
    done = installation.lumbung("status")
    assert done.stderr == ""
    return done.returncode, {
        words[0]: words[1:] for words in map(str.split, done.stdout.splitlines())
    }


def test_taken_ports_are_left_alone_and_addresses_follow(installation: Installation) -> None:
    """8080 and 8090 are held by someone else while this installation starts."""
    airflow = installation.stack.airflow(installation.url)
    assert urlsplit(airflow.url).port != 8080
    assert airflow.environment()["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == (
        f"{airflow.url}/execution/"
    )
    assert urlsplit(str(installation.stack.portal.url)).port != 8090
    assert airflow.url in installation.said


def test_status_tells_every_part_its_log_and_the_addresses(installation: Installation) -> None:
    code, lines = status(installation)
    assert code == 0
    assert set(lines) == {"part", "Airflow", "portal", "together", *PARTS}
    for name in PARTS - {"portal"}:
        state, pid, memory, log = lines[name]
        assert state == "running"
        assert psutil.pid_exists(int(pid))
        assert int(memory) > 0
        assert Path(log).is_file()
    assert httpx.get(f"{lines['Airflow'][0]}/api/v2/version", timeout=60).status_code == 200
    assert httpx.get(lines["portal"][0], timeout=60).status_code == 200


def test_up_starts_what_is_down_and_nothing_else(installation: Installation) -> None:
    """A demo's home gets its stand-in back: without it a channel has no source."""
    processes = installation.stack.processes
    scheduler = processes.find("scheduler")
    killed = processes.find("kobo-stand-in")
    assert killed is not None
    killed.send_signal(signal.SIGKILL)
    processes.stop("portal")
    code, lines = status(installation)
    assert code == 3
    assert lines["kobo-stand-in"][0] == lines["portal"][0] == "down"
    done = installation.lumbung("up")
    assert done.returncode == 0, done.stderr
    airflow = installation.stack.airflow(installation.url)
    assert (
        f"Airflow  {airflow.url}  (user admin, password {airflow.password('admin')})" in done.stdout
    )
    assert f"portal   {installation.stack.portal.url}" in done.stdout
    assert processes.find("scheduler") == scheduler
    assert status(installation)[0] == 0


def test_everything_listens_on_loopback_only(installation: Installation) -> None:
    listening: dict[str, set[str]] = {}
    for part in installation.stack.status():
        process = psutil.Process(part.pid)
        for member in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):  # a child that has just ended
                for connection in member.net_connections("inet"):
                    if connection.status == psutil.CONN_LISTEN:
                        listening.setdefault(part.name, set()).add(connection.laddr.ip)
    assert listening.keys() == {"postgres", "api-server", "portal", "kobo-stand-in"}
    assert set.union(*listening.values()) == {"127.0.0.1"}
