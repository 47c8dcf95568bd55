"""What a person meets when the machine is not as it should be: one message with a next step."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lumbung.embedded.postgres import free_port

ROOT = Path(__file__).parents[2]


def lumbung(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lumbung.cli", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What `make` reads of a fresh clone."""
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "README.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def make(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_wrong_python_is_named_before_anything_is_made(checkout: Path) -> None:
    done = make(checkout, "demo", "PYTHON=")
    assert done.returncode != 0
    assert "no Python 3.11, 3.12 or 3.13" in done.stderr
    assert "make PYTHON=" in done.stderr
    assert not (checkout / ".venv").exists()


def test_no_network_at_install_says_so_and_leaves_no_stamp(checkout: Path) -> None:
    nowhere = "http://127.0.0.1:9/simple"
    done = make(
        checkout,
        "demo",
        f"PYTHON={sys.executable}",
        PIP_INDEX_URL=nowhere,
        PIP_NO_CACHE_DIR="1",
        PIP_RETRIES="0",
        PIP_FIND_LINKS="",
        UV_DEFAULT_INDEX=nowhere,
    )
    assert done.returncode != 0
    assert "the packages could not be installed" in done.stderr
    assert "run the same command again" in done.stderr
    assert not (checkout / ".venv" / ".synced").exists()


def test_unreachable_database_names_stage_cause_and_next_step(tmp_path: Path) -> None:
    done = lumbung(
        "demo",
        LUMBUNG_HOME=str(tmp_path),
        LUMBUNG_DATABASE_URL=f"postgresql://nobody:x@127.0.0.1:{free_port()}/none",
    )
    assert done.returncode == 1
    message = done.stderr.strip()
    assert "stage 'PostgreSQL': the database does not answer" in message
    assert "Connection refused" in message
    assert "LUMBUNG_DATABASE_URL" in message
    assert "Traceback" not in message


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 24 MB: too small for a database."""
    folder = Path("/tmp") / f"lumbung-small-{os.getpid()}"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        folder.rmdir()
        if os.environ.get("CI"):
            pytest.fail(f"a small file system cannot be mounted: {mounted.stderr.decode()}")
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()


def test_full_disk_is_named(small_disk: Path) -> None:
    done = lumbung("demo", LUMBUNG_HOME=str(small_disk))
    assert done.returncode == 1
    assert "stage 'PostgreSQL'" in done.stderr
    assert "No space left on device" in done.stderr
    assert "free disk space" in done.stderr


def test_demo_does_not_mix_with_another_demo(tmp_path: Path, scratch: Path) -> None:
    home = scratch / "other-demo"
    (home).mkdir()
    (home / "demo.json").write_text('{"seed": 5, "weeks": 9}')
    done = lumbung("demo", "--seed", "6", LUMBUNG_HOME=str(home))
    assert done.returncode == 1
    assert "holds the demo of {'seed': 5, 'weeks': 9}" in done.stderr
    assert "LUMBUNG_HOME" in done.stderr


def test_taken_port_is_left_alone() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        assert free_port(taken) != taken
    assert free_port(taken) == taken
