"""An office's own folder: written by `lumbung init`, brought to another version by `upgrade`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lumbung import project
from lumbung.cli import app
from lumbung.errors import ConfigurationError

CHECKOUT = Path(__file__).parents[1]
OLD = {
    "channels/a.yaml": b"title: A\n",
    "channels/b.yaml": b"title: B\n",
    "channels/gone.yaml": b"title: gone\n",
    "dags/intake.py": b"one = 1\n",
    "dags/dropped.py": b"zero = 0\n",
    "dags/kept.py": b"kept = 0\n",
}


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of an older version, which its office has changed, and a newer version."""
    folder = tmp_path / "office"
    monkeypatch.setattr(project, "shipped", lambda: OLD)
    project.create(folder)
    (folder / "channels/a.yaml").write_bytes(b"title: mine\n")
    (folder / "channels/own.yaml").write_bytes(b"title: own\n")
    (folder / "channels/gone.yaml").unlink()
    (folder / "dags/kept.py").write_bytes(b"kept = 'mine'\n")
    new = OLD | {
        "channels/a.yaml": b"title: A2\n",
        "channels/gone.yaml": b"title: changed\n",
        "dags/intake.py": b"one = 2\n",
        "dags/added.py": b"three = 3\n",
    }
    del new["dags/dropped.py"], new["dags/kept.py"]
    monkeypatch.setattr(project, "shipped", lambda: new)
    return folder


STATES = {
    "channels/a.yaml": "both",
    "channels/gone.yaml": "deleted",
    "channels/own.yaml": "own",
    "dags/added.py": "new",
    "dags/dropped.py": "removed",
    "dags/intake.py": "changed",
    "dags/kept.py": "own",
}


def test_each_difference_says_who_made_it(office: Path) -> None:
    assert {each.path: each.state for each in project.differences(office)} == STATES


def test_an_upgrade_keeps_what_the_office_changed(office: Path) -> None:
    assert project.apply(office) == [office / "channels/a.yaml.new"]
    content = {
        file.relative_to(office).as_posix(): file.read_text()
        for file in office.rglob("*")
        if file.is_file() and file.parent != office
    }
    assert content == {
        "channels/a.yaml": "title: mine\n",
        "channels/a.yaml.new": "title: A2\n",
        "channels/b.yaml": "title: B\n",
        "channels/gone.yaml": "title: changed\n",
        "channels/own.yaml": "title: own\n",
        "dags/added.py": "three = 3\n",
        "dags/intake.py": "one = 2\n",
        "dags/kept.py": "kept = 'mine'\n",
    }
    # what the office decided once is not asked again
    assert {each.state for each in project.differences(office)} == {"own"}


def test_an_upgrade_that_was_killed_can_run_again(
    office: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """As if the process had ended."""

    def record(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(project, "_record", record)
        with pytest.raises(Killed):
            project.apply(office)
    assert project.apply(office) == [office / "channels/a.yaml.new"]
    assert (office / "channels/a.yaml").read_bytes() == b"title: mine\n"
    assert (office / "dags/intake.py").read_bytes() == b"one = 2\n"


def test_the_command_shows_differences_and_writes_nothing(office: Path) -> None:
    before = {file: file.read_bytes() for file in office.rglob("*") if file.is_file()}
    shown = CliRunner().invoke(app, ["upgrade", str(office)]).output
    assert "changed  dags/intake.py" in shown
    assert "-one = 1\n+one = 2\n" in shown
    assert "-title: mine\n+title: A2\n" in shown
    listed = json.loads(CliRunner().invoke(app, ["upgrade", str(office), "--json"]).output)
    assert {"path": "dags/intake.py", "state": "changed"} in listed
    assert {file: file.read_bytes() for file in office.rglob("*") if file.is_file()} == before


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigurationError, match="not empty"):
        project.create(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["notes.txt"]


def test_a_folder_without_a_record_is_not_upgraded(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no project that 'lumbung init' wrote"):
        project.differences(tmp_path)


def test_the_wheel_holds_a_project_and_works_in_it(tmp_path: Path) -> None:
    """Installed from its wheel, Lumbung finds the folder that the office works in."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", tmp_path],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    office = tmp_path / "office"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("LUMBUNG_")
    } | {"PYTHONPATH": str(tmp_path / "installed")}

    def lumbung(*arguments: str, folder: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "lumbung.cli", *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    refused = lumbung("channel", "check")
    assert refused.returncode == ConfigurationError.exit_code
    assert "lumbung init FOLDER" in refused.stderr
    assert lumbung("init", "office").returncode == 0
    written = {
        file.relative_to(office).as_posix()
        for part in project.PARTS
        for file in (office / part).rglob("*")
        if file.is_file()
    }
    tracked = subprocess.run(
        ["git", "ls-files", *project.PARTS],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert written == set(tracked.stdout.split())
    checked = lumbung("channel", "check", folder=office / "channels")
    assert checked.returncode == 0, checked.stderr
    assert lumbung("upgrade", folder=office).stdout == ""
