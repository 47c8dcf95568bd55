"""Plain Airflow, psql and pytest with what `lumbung env` prints.

In a home without a demo, where DAGs have schedules and nothing but PostgreSQL runs. dbt is tried
by tests/warehouse/test_tools.py.
"""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lumbung.local.postgres import BINARIES
from lumbung.local.stack import Stack
from lumbung.local.tools import SECRETS
from lumbung.settings import Settings
from tests.end_to_end.conftest import ROOT
from tests.support.command import lumbung

BIN = Path(sys.executable).parent
BARE = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": "/nonexistent", "COLUMNS": "200"}


@pytest.fixture(scope="module")
def home(scratch: Path) -> Iterator[Path]:
    """A home that was migrated; its server runs."""
    folder = scratch / "tools"
    settings = Settings(folder, ROOT, None)
    try:
        done = lumbung("migrate", LUMBUNG_HOME=str(folder))
        assert done.returncode == 0, done.stderr
        yield folder
    finally:
        Stack(settings).stop()


@pytest.fixture(scope="module")
def variables(home: Path) -> dict[str, str]:
    printed = lumbung("env", "--format", "json", LUMBUNG_HOME=str(home))
    assert printed.returncode == 0, printed.stderr
    found: dict[str, str] = json.loads(printed.stdout)
    return found


def run(*command: str | Path, **env: str) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env={**BARE, **env}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.mark.parametrize("form", ["shell", "dotenv"])
def test_a_shell_reads_what_is_printed(
    home: Path, variables: dict[str, str], form: str, tmp_path: Path
) -> None:
    text = lumbung("env", "--format", form, LUMBUNG_HOME=str(home)).stdout
    (tmp_path / "env").write_text(text)
    dump = f"{sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))'"
    found = json.loads(run("bash", "-ec", f"set -a; . {tmp_path / 'env'}; {dump}"))
    assert {name: found.get(name) for name in variables} == variables


def test_a_terminal_shows_no_secret(home: Path, variables: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "lumbung.cli", "env"],
        env={**os.environ, "LUMBUNG_HOME": str(home)},
        stdout=theirs,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 65536):
            shown += chunk
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert "secrets are hidden on a terminal" in done.stderr
    assert b"export DBT_PROJECT_DIR=" in shown
    held = {name: value for name, value in variables.items() if name in SECRETS}
    assert {"PGPASSWORD", "AIRFLOW__CORE__FERNET_KEY"} <= held.keys()
    assert [name for name, value in held.items() if value.encode() in shown] == []
    assert variables["PGPASSWORD"].encode() not in shown


def test_what_only_servers_need_is_not_printed(home: Path, variables: dict[str, str]) -> None:
    state = json.loads((home / "airflow" / "state.json").read_text())
    printed = "\n".join(variables.values())
    assert state["fernet_key"] in printed
    assert state["secret_key"] not in printed
    assert state["jwt_secret"] not in printed
    leaking = {name for name, value in variables.items() if variables["PGPASSWORD"] in value}
    assert leaking <= SECRETS


COMMANDS = """
import json, sys
from airflow.cli import cli_parser

parser = cli_parser.get_parser()
for command in json.loads(sys.argv[1]):
    print(f"\\n$ {' '.join(command[:2])}", flush=True)
    parsed = parser.parse_args(command)
    parsed.func(parsed)
"""
"""Airflow's commands one after the other: it takes two seconds of processor time to import."""


def airflow(*commands: str, **env: str) -> dict[str, str]:
    """What each of Airflow's commands prints, by its first two words."""
    split = json.dumps([command.split() for command in commands])
    said = run(sys.executable, "-c", COMMANDS, split, **env)
    return dict(part.split("\n", 1) for part in said.split("\n$ ")[1:])


def test_airflows_own_commands_work(home: Path, variables: dict[str, str]) -> None:
    (home / "inbox" / "register_laporan").mkdir()
    said = airflow(
        "dags reserialize",
        "dags list --output plain",
        "connections add contoh --conn-uri http://kobo.example.id",
        "connections get contoh --output json",
        "backfill create --dag-id publication --from-date 2026-11-01 --to-date 2026-11-15"
        " --dry-run",
        "pools list --output plain",
        **variables,
    )
    dags = {line.split()[0] for line in said["dags list"].splitlines() if line.split()}
    assert {"intake__register_laporan", "warehouse", "publication"} <= dags
    assert "kobo.example.id" in said["connections get"]
    planned = said["backfill create"]
    mondays = re.findall(r"2026-11-\d\d 23:00:00", planned)  # UTC: 06:00 WIB of the day after
    assert mondays == ["2026-11-01 23:00:00", "2026-11-08 23:00:00"], planned
    listed = [line.split() for line in said["pools list"].splitlines()]
    slots = {words[0]: words[1] for words in listed if len(words) > 1}
    assert (slots["intake"], slots["warehouse"]) == ("2", "1")
    # the program itself, which also runs a task
    tested = run("airflow", "dags", "test", "intake__register_laporan", **variables)
    assert "NOTHING NEW was landed: the source gave nothing" in tested


def test_the_commands_of_lumbung_pass_everything_on(home: Path) -> None:
    where = {"LUMBUNG_HOME": str(home)}
    assert run(BIN / "lumbung", "airflow", "--", "version", **where).strip().startswith("3.")
    models = run(BIN / "lumbung", "dbt", "--", "--quiet", "ls", "--select", "fct_report", **where)
    assert "fct_report" in models


def test_psql_finds_the_warehouse(variables: dict[str, str]) -> None:
    counted = run(BINARIES / "psql", "-Atc", "select count(*) from raw.batch", **variables)
    assert int(counted) >= 0


def test_pytest_works_in_such_a_shell_and_does_not_reach_the_installation(
    variables: dict[str, str],
) -> None:
    name = "tests/local/test_cli.py::test_no_test_reaches_the_installation_that_the_shell_names"
    said = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", name, **variables)
    assert "1 passed" in said
