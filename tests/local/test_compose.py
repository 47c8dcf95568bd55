"""docker-compose.yml is more than text: Compose accepts it, and each service's command runs."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from base64 import b64encode
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import httpx
import psutil
import psycopg
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lumbung import database
from lumbung.errors import ConfigurationError
from lumbung.local.airflow import address
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.local.processes import hold_port
from lumbung.settings import Settings, read_secrets
from lumbung.warehouse.roles import LOGINS

ROOT = Path(__file__).parents[2]
NOT_STARTED = ("postgres", "init", "portal", "mail", "redis", "worker")
"""Other projects' programs, and what `tests/end_to_end/test_workers.py` starts."""
SECRET = re.compile(r"PASSWORD$|_KEY$|_CONN_\w+(?<!_FILE)$")
"""Variables that would hold a secret themselves."""


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services as Compose understands them; needs no Docker engine."""
    if not (program := shutil.which("docker-compose")):
        message = "docker-compose is not installed (Debian: apt-get install docker-compose)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    done = subprocess.run(
        [
            program,
            "--profile",
            "dev",
            "--profile",
            "scale",
            "-f",
            str(ROOT / "docker-compose.yml"),
            "config",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = yaml.safe_load(done.stdout)["services"]
    return found


def test_services_and_what_they_open(services: dict[str, Any]) -> None:
    assert set(services) == {
        "postgres", "init", "api-server", "scheduler", "dag-processor", "portal", "mail",
        "redis", "worker",
    }  # fmt: skip
    published = [
        (name, port["host_ip"]) for name, it in services.items() for port in it.get("ports", [])
    ]
    assert set(published) == {(name, "127.0.0.1") for name in ("api-server", "portal", "mail")}


def test_containers_have_no_rights_and_no_secret_in_a_variable(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        image = service["image"]
        assert image == "lumbung" or re.search(r":v?\d+\.\d+", image), "a version, not `latest`"
        if name not in ("init", "mail"):
            assert service["healthcheck"]["test"], name
        for variable, value in service.get("environment", {}).items():
            assert not SECRET.search(variable), variable
            assert "@" not in str(value), variable
        given = [secret["source"] for secret in service.get("secrets", [])]
        assert ("database_url" in given) == (name == "init"), "who knows the owner's password"


def test_the_portal_has_nothing_but_its_files(services: dict[str, Any]) -> None:
    portal = services["portal"]
    mounts = portal["volumes"]
    assert {each["source"].rsplit("/", 1)[-1] for each in mounts} == {"portals", "Caddyfile"}
    assert all(each["read_only"] for each in mounts)
    assert not portal.get("secrets")
    assert not portal.get("environment")
    assert [name for name, it in services.items() if "public" in it["networks"]] == ["portal"]
    assert list(portal["networks"]) == ["public"]
    written = {each["target"]: each["source"] for each in services["scheduler"]["volumes"]}
    assert written["/var/lib/lumbung/portals"] == "portals"


def test_the_dockerfile_has_no_findings() -> None:
    program = Path(sys.executable).with_name("hadolint")
    found = subprocess.run(
        [program, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout) == (0, "")


def test_the_image_has_the_packages_that_run_and_no_others() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found = runpy.run_path(str(ROOT / "docker" / "lock_of.py"))["part"](lock)
    names = {
        canonicalize_name(line.partition("==")[0])
        for line in found.splitlines()
        if line[:1].isalnum()
    }

    direct = {
        canonicalize_name(Requirement(each).name) for each in project["project"]["dependencies"]
    }
    assert direct <= names
    assert not names & {
        "hypothesis",
        "mkdocs",
        "moto",
        "mypy",
        "playwright",
        "pytest",
        "ruff",
        "uv",
    }
    needed = {
        canonicalize_name(requirement.name)
        for name in names
        for requirement in _requirements(name)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    }
    assert needed <= names | {"pip", "setuptools"}
    assert found.count("--hash=sha256:") > len(names)


def _requirements(name: str) -> list[Requirement]:
    try:
        return [Requirement(each) for each in metadata.requires(name) or ()]
    except metadata.PackageNotFoundError:  # of another platform or version of Python
        return []


def test_secrets_are_read_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "url").write_text("postgresql://kantor@localhost/kantor\n")
    (tmp_path / "empty").write_text("")
    monkeypatch.setenv("LUMBUNG_DATABASE_URL_FILE", str(tmp_path / "url"))
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_PUBLICATION_FILE", str(tmp_path / "empty"))
    monkeypatch.setenv("LUMBUNG_DATABASE_URL", "")
    read_secrets()
    assert os.environ["LUMBUNG_DATABASE_URL"] == "postgresql://kantor@localhost/kantor"
    assert "AIRFLOW_CONN_SMTP_PUBLICATION" not in os.environ
    monkeypatch.setenv("LUMBUNG_VAULT_KEY_FILE", str(tmp_path / "absent"))
    with pytest.raises(ConfigurationError, match="LUMBUNG_VAULT_KEY_FILE="):
        read_secrets()


def test_a_short_secret_of_airflow_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(tmp_path, ROOT, None)
    monkeypatch.setenv("LUMBUNG_AIRFLOW_SECRET", "x" * 31)
    with pytest.raises(ConfigurationError, match="fewer than 32"):
        address(settings)
    monkeypatch.setenv("LUMBUNG_AIRFLOW_SECRET", "x" * 32)
    assert address(settings) == "http://127.0.0.1:8080"


def office_url(server: EmbeddedPostgres) -> str:
    """A server as an office may have it: no superuser, a password to be quoted, parameters."""
    name, password = "kantor", "r@hasia/100%:#"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        if not connection.execute("select 1 from pg_roles where rolname = %s", (name,)).fetchone():
            connection.execute(
                f"create role {name} login createdb createrole password '{password}'"
            )
            connection.execute(f"create database {name} owner {name}")
            # Another account made the roles of this server.
            for role in (*LOGINS, "analyst_province"):
                connection.execute(f"grant {role} to {name} with admin option")
    address = server.url(name).rsplit("@", 1)[1]
    return (
        f"postgresql://{name}:{quote(password, safe='')}@{address}"
        "?sslmode=prefer&application_name=kantor"
    )


def here(value: str, port: int, secrets: Path, server: EmbeddedPostgres) -> str:
    """A service's setting with the compose network's names replaced by this machine's."""
    address = database.without_account(server.url("kantor"))
    return (
        value.replace("api-server:8080", f"127.0.0.1:{port}")
        .replace("/run/secrets", str(secrets))
        .replace("postgresql://postgres:5432/lumbung", address)
    )


@pytest.mark.usefixtures("template")  # its migrations make the roles of the server
def test_every_command_runs(
    services: dict[str, Any], server: EmbeddedPostgres, tmp_path: Path
) -> None:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        # another test's, whose owner is not the office's account
        connection.execute("drop database if exists airflow with (force)")
    held = hold_port()
    port = held.number
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "database_url").write_text(office_url(server) + "\n")
    (secrets / "vault_key").write_text(b64encode(bytes(32)).decode() + "\n")
    (secrets / "smtp_publication").write_text("")
    running: dict[str, subprocess.Popen[bytes]] = {}

    def start(name: str) -> subprocess.Popen[bytes]:
        service = services[name]
        command = [sys.executable, "-m", "lumbung.cli", *service["command"]]
        environment = {
            key: here(str(value), port, secrets, server)
            for key, value in service["environment"].items()
        }
        environment |= {
            "LUMBUNG_HOME": str(tmp_path),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": "0",
        }
        if name == "api-server":
            assert environment["AIRFLOW__API__HOST"] == "0.0.0.0"
            environment |= {"AIRFLOW__API__HOST": "127.0.0.1", "AIRFLOW__API__PORT": str(port)}
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
        names = [name for name in services if name not in NOT_STARTED]
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
            assert health.pop("triggerer") is None
        assert health == dict.fromkeys(("metadatabase", "scheduler", "dag_processor"), "healthy")
        for process in running.values():
            for child in psutil.Process(process.pid).children(recursive=True):
                assert "r@hasia" not in unquote(str(child.environ())), "the owner's password"
            assert "r@hasia" not in unquote(str(psutil.Process(process.pid).environ()))
        page = tmp_path / "portals" / "current" / "index.html"  # what the service `portal` serves
        assert "Belum ada edisi terbit" in page.read_text(encoding="utf-8")
        for name in ("scheduler", "dag-processor", "api-server"):
            command = services[name]["healthcheck"]["test"][1:]
            script = command[-1].replace("api-server:8080", f"127.0.0.1:{port}")
            environment = {"PART": str(services[name]["environment"].get("PART", ""))}
            assert command[:-1] == ["python", "-c"]
            subprocess.run([sys.executable, "-c", script], env=environment, check=True, timeout=30)
    finally:
        held.release()
        for process in running.values():
            os.killpg(process.pid, signal.SIGTERM)
        for process in running.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
