"""docker-compose.yml as Compose understands it.

`tests/end_to_end/test_workers.py` runs the command of each service.
"""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lumbung.errors import ConfigurationError
from lumbung.local.airflow import LOCAL_EXECUTOR, address
from lumbung.local.postgres import OPTIONS
from lumbung.settings import Settings, read_secrets
from tests.support.compose import compose_services

ROOT = Path(__file__).parents[2]
SECRET = re.compile(r"PASSWORD$|_KEY$|_CONN_\w+(?<!_FILE)$")
"""Variables that would hold a secret themselves."""


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return compose_services()


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


def test_postgresql_has_the_settings_of_the_embedded_server(services: dict[str, Any]) -> None:
    """Erasure and privacy rest on some of them."""
    of_the_image = {"listen_addresses", "unix_socket_directories", "timezone", "log_timezone"}
    assert services["postgres"]["command"] == [
        "postgres",
        *(f"-c{name}={value}" for name, value in OPTIONS.items() if name not in of_the_image),
    ]
    assert int(services["postgres"]["shm_size"]) >= 256 * 2**20


def test_tasks_run_in_the_scheduler_unless_workers_are_asked_for(services: dict[str, Any]) -> None:
    executor = "AIRFLOW__CORE__EXECUTOR"
    assert services["scheduler"]["environment"][executor] == LOCAL_EXECUTOR
    scaled = compose_services(EXECUTOR="CeleryExecutor")
    assert scaled["scheduler"]["environment"][executor] == "CeleryExecutor"


def test_the_example_of_env_changes_no_service() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    # An empty variable counts as one that is not set.
    assert compose_services(**example) == compose_services(**dict.fromkeys(example, ""))


def test_the_portal_has_nothing_but_its_files(services: dict[str, Any]) -> None:
    portal = services["portal"]
    mounts = portal["volumes"]
    assert {each["source"].rsplit("/", 1)[-1] for each in mounts} == {"portals", "Caddyfile"}
    assert all(each["read_only"] for each in mounts)
    assert not portal.get("secrets")
    assert set(portal["environment"].values()) == {"/tmp"}
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
