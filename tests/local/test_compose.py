"""docker-compose.yml is more than text: Compose accepts it, and each service's command runs."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest
import yaml

from lumbung.local.postgres import EmbeddedPostgres
from lumbung.local.processes import hold_port

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services as Compose understands them; needs no Docker engine."""
    if not (program := shutil.which("docker-compose")):
        message = "docker-compose is not installed (Debian: apt-get install docker-compose)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    done = subprocess.run(
        [program, "--profile", "dev", "-f", str(ROOT / "docker-compose.yml"), "config"],
        env={**os.environ, "POSTGRES_PASSWORD": "rahasia"},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = yaml.safe_load(done.stdout)["services"]
    return found


def test_services_and_what_they_open(services: dict[str, Any]) -> None:
    assert set(services) == {
        "postgres", "init", "api-server", "scheduler", "dag-processor", "triggerer", "portal",
        "mail",
    }  # fmt: skip
    assert services["postgres"]["image"] == "postgres:18"
    published = [
        (name, port["host_ip"]) for name, it in services.items() for port in it.get("ports", [])
    ]
    assert published == [("api-server", "127.0.0.1"), ("portal", "127.0.0.1")]


def office_url(server: EmbeddedPostgres) -> str:
    """A server as an office may have it: no superuser, a password to be quoted, parameters."""
    name, password = "kantor", "r@hasia/100%:#"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        if not connection.execute("select 1 from pg_roles where rolname = %s", (name,)).fetchone():
            connection.execute(
                f"create role {name} login createdb createrole password '{password}'"
            )
            connection.execute(f"create database {name} owner {name}")
    address = server.url(name).rsplit("@", 1)[1]
    return (
        f"postgresql://{name}:{quote(password, safe='')}@{address}"
        "?sslmode=prefer&application_name=kantor"
    )


def here(value: str, server: EmbeddedPostgres, port: int, home: Path) -> str:
    """A service's setting with the compose network's names replaced by this machine's."""
    if value.startswith("postgresql://"):
        return office_url(server)
    return value.replace("api-server:8080", f"127.0.0.1:{port}")


def test_every_command_runs(
    services: dict[str, Any], server: EmbeddedPostgres, tmp_path: Path
) -> None:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        # another test's, whose owner is not the office's account
        connection.execute("drop database if exists airflow with (force)")
    ports = [hold_port() for _ in range(3)]
    port, mail_port, portal_port = (held.number for held in ports)
    running: dict[str, subprocess.Popen[bytes]] = {}

    def start(name: str) -> subprocess.Popen[bytes]:
        service = services[name]
        entrypoint = service.get("entrypoint") or [sys.executable, "-m", "lumbung.cli"]
        command = [*entrypoint, *service["command"]]
        command = [sys.executable if part == "python" else part for part in command]
        command = [part.replace("0.0.0.0:1025", f"127.0.0.1:{mail_port}") for part in command]
        environment = {
            key: here(str(value), server, port, tmp_path)
            for key, value in service["environment"].items()
        }
        environment |= {
            "LUMBUNG_HOME": str(tmp_path),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": "0",
        }
        if name == "api-server":
            assert environment["AIRFLOW__API__HOST"] == "0.0.0.0"
            environment |= {"AIRFLOW__API__HOST": "127.0.0.1", "AIRFLOW__API__PORT": str(port)}
        if name == "portal":
            assert environment["LUMBUNG_PORTAL_HOST"] == "0.0.0.0"
            environment |= {"LUMBUNG_PORTAL_HOST": "127.0.0.1"}
            environment |= {"LUMBUNG_PORTAL_PORT": str(portal_port)}
        with (tmp_path / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                command,
                env={**os.environ, **environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    try:
        assert start("init").wait(180) == 0, (tmp_path / "init.log").read_text()[-2000:]
        names = [name for name in services if name not in ("postgres", "init")]
        running = {name: start(name) for name in names}
        health: dict[str, str] = {}
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and set(health.values()) != {"healthy"}:
            time.sleep(0.5)
            for name, process in running.items():
                assert process.poll() is None, (
                    name,
                    (tmp_path / f"{name}.log").read_text()[-2000:],
                )
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/api/v2/monitor/health", timeout=5)
                answer.raise_for_status()
                health = {part: it["status"] for part, it in answer.json().items()}
            except httpx.HTTPError:
                continue
        assert health == dict.fromkeys(
            ("metadatabase", "scheduler", "triggerer", "dag_processor"), "healthy"
        )
        page = httpx.get(f"http://127.0.0.1:{portal_port}/", timeout=60)
        assert "Belum ada edisi terbit" in page.text
        with socket.create_connection(("127.0.0.1", mail_port), timeout=60) as mail:
            assert mail.recv(3) == b"220"
    finally:
        for held in ports:
            held.release()
        for process in running.values():
            os.killpg(process.pid, signal.SIGTERM)
        for process in running.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
