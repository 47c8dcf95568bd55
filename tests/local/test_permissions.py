"""What Lumbung writes is closed to other accounts of the machine, except the portal."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lumbung import cli
from lumbung.local.airflow import Airflow
from lumbung.local.processes import Processes
from lumbung.local.stack import Stack
from lumbung.publication.portal import publish
from lumbung.settings import Settings
from tests.support.evidence import evidence_store

ROOT = Path(__file__).parents[2]


@pytest.fixture
def open_umask() -> Iterator[None]:
    """A shell that leaves everything open."""
    before = os.umask(0)
    yield
    os.umask(before)


def others_may(path: Path) -> int:
    """The rights of other accounts."""
    return stat.S_IMODE(path.lstat().st_mode) & 0o077


def open_to_others(folder: Path) -> list[str]:
    found = [folder, *folder.rglob("*")]
    return [str(path) for path in found if not path.is_symlink() and others_may(path)]


def test_a_command_closes_what_it_will_write(
    open_umask: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["lumbung", "--version"])
    with pytest.raises(SystemExit):
        cli.main()
    assert os.umask(0) == 0o077


def test_a_process_in_the_background_closes_what_it_writes(
    open_umask: None, tmp_path: Path
) -> None:
    processes = Processes(tmp_path / "run", tmp_path / "logs")
    draft = tmp_path / "naskah"
    code = f"import pathlib; pathlib.Path({str(draft)!r}).write_text('x')"
    processes.spawn("uji", [sys.executable, "-c", code], {**os.environ})
    if process := processes.find("uji"):
        process.wait(60)
    assert others_may(draft) == 0
    processes.stop("uji")


def test_evidence_is_closed(open_umask: None, tmp_path: Path) -> None:
    store = evidence_store(tmp_path / "evidence")
    kept = store.keep(io.BytesIO(b"surat"))
    store.remember("lampiran 1", kept)
    assert store.recall("lampiran 1") == kept
    assert open_to_others(store.folder) == []


def test_a_start_closes_what_is_there_and_leaves_inbox_and_portal(
    open_umask: None, tmp_path: Path, database_url: str
) -> None:
    home = tmp_path / "home"
    private = [
        *("evidence/ab/cdef", "evidence/names/0123", "editions/2024-W46-r1/edisi.pdf"),
        *("drafts/2024-W47-r1/data/angka.csv", "logs/portal.log", "airflow/logs/dag/1.log"),
    ]
    public = ["portals/1/index.html", "inbox/kanal/a.xlsx"]
    for name in (*private, *public):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("x")
    outside = tmp_path / "luar"
    outside.write_text("x")
    (home / "evidence" / "tautan").symlink_to(outside)
    Stack(Settings(home, ROOT, database_url)).migrate()
    assert [name for name in private if others_may(home / name)] == []
    assert [name for name in private if others_may((home / name).parent)] == []
    assert all(others_may(home / name) for name in public)
    assert others_may(outside), "a link is not followed"


def test_the_portal_is_open_to_a_web_server(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        own = Settings(tmp_path / "offices" / "home", ROOT, None)
        for settings in (own, own.at_office("76")):
            site = settings.portals / ".new"
            publish._write(site / "edisi" / "index.html", b"x")
            publish._make_readable(settings, site)
    finally:
        os.umask(before)
    for path in own.portals.rglob("*"):
        assert others_may(path) == (0o055 if path.is_dir() else 0o044)
    assert others_may(own.portals) == 0o055
    assert others_may(own.home) == others_may(tmp_path / "offices") == 0


def test_a_task_s_log_is_closed(open_umask: None, tmp_path: Path) -> None:
    """Airflow gives its logs to everybody, whatever the umask is."""
    airflow = Airflow(Settings(tmp_path, ROOT, None), Processes(tmp_path, tmp_path), "", "", {})
    airflow.folder.mkdir(mode=0o700)
    state = dict.fromkeys(("port", "fernet_key", "secret_key", "jwt_secret"), "1")
    (airflow.folder / "state.json").write_text(json.dumps(state))
    code = "from airflow.sdk.log import init_log_file; init_log_file('dag_id=x/1.log')"
    subprocess.run([sys.executable, "-c", code], env=airflow.environment(), check=True)
    logs = airflow.folder / "logs"
    assert (logs / "dag_id=x" / "1.log").exists()
    assert [each for each in open_to_others(logs) if each != str(logs)] == []
