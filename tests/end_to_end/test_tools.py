"""Commands around the database, and plain Airflow, psql and pytest with what `lumbung env` prints.

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

import psycopg
import pytest

from lumbung.local.postgres import BINARIES
from lumbung.local.stack import Stack
from lumbung.local.tools import SECRETS
from lumbung.settings import Settings
from tests.end_to_end.conftest import ROOT
from tests.support.command import lumbung

pytestmark = pytest.mark.slow

BIN = Path(sys.executable).parent
BARE = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": "/nonexistent", "COLUMNS": "200"}


@pytest.fixture(scope="module")
def home(scratch: Path) -> Iterator[Path]:
    """A home that was migrated; its server runs."""
    folder = scratch / "tools"
    settings = Settings(folder, ROOT, None)
    try:
        refused = lumbung("psql", LUMBUNG_HOME=str(folder))
        assert refused.returncode == 3
        assert "run 'lumbung migrate'" in refused.stderr
        done = lumbung("migrate", LUMBUNG_HOME=str(folder))
        assert done.returncode == 0, done.stderr
        yield folder
    finally:
        Stack(settings).stop()


def test_psql_and_db_url_start_a_stopped_server_and_down_stops_it(home: Path) -> None:
    settings = Settings(home, ROOT, None)
    server, where = Stack(settings).postgres, {"LUMBUNG_HOME": str(home)}
    assert lumbung("down", **where).stdout == "stopped\n"
    assert not server.is_running
    done = lumbung("psql", "--", "-Atc", "select count(*) from raw.batch", **where)
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
    assert server.is_running
    status = lumbung("status", **where)
    assert status.returncode == 3
    (postgres,) = (x for x in status.stdout.splitlines() if x.startswith("postgres "))
    assert postgres.split()[1] == "running"
    assert postgres.split()[-1] == str(server.log)
    (scheduler,) = (x for x in status.stdout.splitlines() if x.startswith("scheduler "))
    assert scheduler.split() == ["scheduler", "down"], "no log is named that does not exist"
    listed = lumbung("status", "--json", **where)
    assert listed.returncode == 3
    parts = {part["name"]: part for part in json.loads(listed.stdout)["parts"]}
    assert server.process
    assert parts["postgres"]["pid"] == server.process.pid
    assert parts["scheduler"] == {"name": "scheduler", "pid": None, "memory": 0, "log": ""}
    assert lumbung("down", **where).stdout == "stopped\n"
    assert not server.is_running
    url = lumbung("db-url", **where).stdout.strip()
    with psycopg.connect(url) as connection:
        assert connection.execute("select count(*) from raw.batch").fetchone() == (0,)
    assert settings.inbox.stat().st_mode & 0o077 == 0
    as_auditor = lumbung("db-url", "--role", "auditor", **where).stdout.strip()
    with psycopg.connect(as_auditor) as connection:
        assert connection.execute("select session_user::text").fetchone() == ("auditor",)
    for name in ("airflow", "postgres", "template1"):
        elsewhere = psycopg.conninfo.make_conninfo(as_auditor, dbname=name)
        with pytest.raises(psycopg.OperationalError, match="does not have CONNECT privilege"):
            psycopg.connect(elsewhere)


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
    assert variables["PGUSER"] == variables["LUMBUNG_DATABASE_USER"] == "transformer"
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
        "dags test intake__register_laporan",
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
    assert "NOTHING NEW was landed: the source gave nothing" in said["dags test"]


def test_the_commands_of_lumbung_pass_everything_on(home: Path) -> None:
    where = {"LUMBUNG_HOME": str(home)}
    assert run(BIN / "lumbung", "airflow", "--", "version", **where).strip().startswith("3.")
    tried = run(BIN / "lumbung", "dbt", "--", "debug", **where)  # reads no model
    assert "All checks passed!" in tried


def test_psql_finds_the_warehouse(variables: dict[str, str]) -> None:
    counted = run(BINARIES / "psql", "-Atc", "select count(*) from raw.batch", **variables)
    assert int(counted) >= 0


def test_pytest_works_in_such_a_shell_and_does_not_reach_the_installation(
    variables: dict[str, str],
) -> None:
    name = "tests/local/test_cli.py::test_no_test_reaches_the_installation_that_the_shell_names"
    said = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", name, **variables)
    assert "1 passed" in said
