"""The files of an office's project: `lumbung init` writes them, `lumbung upgrade` compares them.

An office that installs Lumbung as a package never edits inside it. Its channels, configuration, dbt
project and DAG files are in a folder of its own, with a record of what `init` or the last `upgrade`
wrote there. In a checkout the checkout itself is the project.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from lumbung.errors import ConfigurationError
from lumbung.files import write_private
from lumbung.settings import PROJECT_RECORD

PARTS = ("channels", "config", "dags", "dbt_project", "expectations", "forms", "plugins")
IGNORED = {"__pycache__", "target", "logs", ".user.yml"}
GITIGNORE = """\
.lumbung/
__pycache__/
dbt_project/target/
dbt_project/logs/
dbt_project/.user.yml
"""

State = Literal["new", "changed", "both", "deleted", "removed", "own"]
"""How a file differs from this version:

- `new`: this version added it.
- `changed`: this version changed it, the office did not.
- `both`: the office and this version changed it.
- `deleted`: the office deleted it, and this version changed it.
- `removed`: this version has it no longer, and the office did not change it.
- `own`: only the office changed or added it.
"""


@dataclass(frozen=True)
class Difference:
    """A file of the project that differs from this version's.

    Attributes:
        path: within the project.
        old: what the project has; None: it has no such file.
        new: what this version has; None: likewise.

    """

    path: str
    state: State
    old: bytes | None
    new: bytes | None

    @cached_property
    def lines(self) -> list[str]:
        """The unified diff from the project's file to this version's."""
        old, new = (
            (content or b"").decode(errors="replace").splitlines()
            for content in (self.old, self.new)
        )
        name = f"{self.path} ({VERSION})"
        return [*difflib.unified_diff(old, new, self.path, name, lineterm="")]


VERSION = version("lumbung")


def shipped() -> dict[str, bytes]:
    """Return the files of a project of this version by path: those of the package or checkout."""
    package = Path(__file__).parent / "project"
    return _read(package if package.is_dir() else Path(__file__).parents[2])


def create(folder: Path) -> int:
    """Write the files of this version into an empty folder, and return how many.

    Raises:
        ConfigurationError: when the folder holds anything but `.git`.

    """
    if folder.exists() and any(each.name != ".git" for each in folder.iterdir()):
        raise ConfigurationError(
            "the folder is not empty",
            where=str(folder),
            remediation="give an empty folder; 'lumbung upgrade' compares one that 'lumbung init'"
            " wrote",
        )
    files = shipped()
    for path, content in files.items():
        _write(folder / path, content)
    _write(folder / ".gitignore", GITIGNORE.encode())
    _record(folder, {path: _hash(content) for path, content in files.items()})
    return len(files)


def differences(folder: Path) -> list[Difference]:
    """Return the files of a project that differ from this version's, in the order of their paths.

    Raises:
        ConfigurationError: when the folder has no record of `lumbung init`.

    """
    recorded, here, there = _recorded(folder), _read(folder), shipped()
    found = []
    for path in sorted(recorded.keys() | here.keys() | there.keys()):
        old, new = here.get(path), there.get(path)
        if old != new and (state := _state(recorded.get(path), old, new)):
            found.append(Difference(path, state, old, new))
    return found


def apply(folder: Path) -> list[Path]:
    """Bring a project to this version; the office's own changes stay.

    What both have changed stays as it is, with this version's file beside it as `NAME.new`. If this
    is stopped half-way, it can run again: the record is written last.

    Returns:
        The files `NAME.new`.

    """
    beside = []
    for each in differences(folder):
        target = folder / each.path
        if each.state == "both" and each.new is not None:
            target = target.with_name(f"{target.name}.new")
            beside.append(target)
        if each.state == "removed":
            target.unlink()
        elif each.state != "own" and each.new is not None:
            _write(target, each.new)
    _record(folder, {path: _hash(content) for path, content in shipped().items()})
    return beside


def _state(recorded: str | None, old: bytes | None, new: bytes | None) -> State | None:
    """Return how two different contents came about; None where nothing is to be said."""
    is_own = old is not None and _hash(old) != recorded
    is_changed = new is not None and _hash(new) != recorded
    if old is None:
        if recorded is None:
            return "new"
        return "deleted" if is_changed else None
    if new is None:
        return "own" if is_own else "removed"
    if is_own:
        return "both" if is_changed else "own"
    return "changed"


def _read(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for part in PARTS
        for file in _files(folder / part)
    }


def _files(folder: Path) -> Iterator[Path]:
    for each in sorted(folder.iterdir()) if folder.is_dir() else ():
        if each.name in IGNORED or each.suffix in (".pyc", ".new"):
            continue
        if each.is_dir():
            yield from _files(each)
        elif each.is_file():
            yield each


def _recorded(folder: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads((folder / PROJECT_RECORD).read_bytes())["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"this is no project that 'lumbung init' wrote: {PROJECT_RECORD} cannot be read",
            where=str(folder),
            remediation="give the folder of 'lumbung init'; a checkout is upgraded with git",
        ) from error
    return found


def _record(folder: Path, hashes: Mapping[str, str]) -> None:
    content = {"version": VERSION, "files": dict(sorted(hashes.items()))}
    _write(folder / PROJECT_RECORD, (json.dumps(content, indent=1) + "\n").encode())


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, content)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
