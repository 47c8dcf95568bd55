"""What Compose understands of docker-compose.yml."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

FILE = Path(__file__).parents[2] / "docker-compose.yml"


def compose_services(**variables: str) -> dict[str, Any]:
    """The services of all profiles, with variables that Compose reads; needs no Docker engine."""
    if not (program := shutil.which("docker-compose")):
        message = "docker-compose is not installed (Debian: apt-get install docker-compose)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    profiles = ("--profile", "dev", "--profile", "scale")
    done = subprocess.run(
        [program, *profiles, "-f", str(FILE), "config"],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = yaml.safe_load(done.stdout)["services"]
    return found
