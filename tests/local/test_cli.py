"""What every command shares: exit codes, completion, colours, JSON."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from lumbung import errors
from lumbung.cli import app, common
from lumbung.errors import ConfigurationError, LumbungError
from lumbung.intake.landing.counts import IntakeCounts
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.local.stack import Stack
from lumbung.reference import _commands
from lumbung.warehouse import roles
from tests.support.command import lumbung


def test_each_class_of_error_has_an_exit_code_of_its_own() -> None:
    classes = [
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, LumbungError)
    ]
    codes = [each.exit_code for each in classes]
    assert len(classes) >= 8
    assert len(set(codes)) == len(codes)
    assert not {0, 2} & set(codes), "success, and a wrong use of the command line"


def test_every_command_reads_its_secrets_from_files(tmp_path: Path) -> None:
    """In a container a secret is a file, for `docker compose exec` as well."""
    file = tmp_path / "url"
    given = {"LUMBUNG_HOME": str(tmp_path), "LUMBUNG_DATABASE_URL_FILE": str(file)}
    refused = lumbung("status", "--json", **given)
    assert refused.returncode == ConfigurationError.exit_code
    assert f"LUMBUNG_DATABASE_URL_FILE={file}" in refused.stderr

    file.write_text("postgresql://kantor@gudang/kantor\n")
    done = lumbung("status", "--json", **given)
    assert "postgres" not in {each["name"] for each in json.loads(done.stdout)["parts"]}


def test_every_list_and_status_can_be_json() -> None:
    group = typer.main.get_command(app)
    options = {
        name: {option for parameter in command.params for option in parameter.opts}
        for name, command in _commands(group, "lumbung")
    }
    words = ("list", "status", "review", "mail", "trace", "verify", "upgrade")
    lists = {name for name in options if name.split()[-1] in words} - {"lumbung audit verify"}
    assert len(lists) == 9
    assert [name for name in sorted(lists) if "--json" not in options[name]] == []


def test_the_exit_code_is_that_of_the_class(tmp_path: Path) -> None:
    home = {"LUMBUNG_HOME": str(tmp_path)}
    (tmp_path / "channels").mkdir()
    (tmp_path / "channels" / "satu.yaml").write_text("title: x\n")
    assert lumbung("channel", "check", LUMBUNG_PROJECT=str(tmp_path), **home).returncode == 4
    nowhere = lumbung("db-url", LUMBUNG_DATABASE_URL="postgresql://x@127.0.0.1:1/x", **home)
    assert nowhere.returncode == 3
    assert lumbung("nothing", **home).returncode == 2


@pytest.mark.parametrize(
    ("command", "variable", "value", "said"),
    [
        ("status", "LUMBUNG_SETTLE_SECONDS", "dua", "'dua' is not a number from 0 to 3600"),
        ("status", "LUMBUNG_SETTLE_SECONDS", "-1", "'-1' is not a number from 0 to 3600"),
        ("run portal", "LUMBUNG_PORTAL_PORT", "web", "'web' is not a number from 1 to 65535"),
        ("run portal", "LUMBUNG_PORTAL_PORT", "80900", "'80900' is not a number from 1 to 65535"),
        ("build", "LUMBUNG_DATABASE_URL", "ani:rahasia@pg", "address is not one of PostgreSQL"),
        ("build", "LUMBUNG_DATABASE_URL", "host=pg password=rahasia", "is not one of PostgreSQL"),
    ],
)
def test_a_wrong_variable_is_named_with_what_to_do(
    tmp_path: Path, command: str, variable: str, value: str, said: str
) -> None:
    given = {
        "LUMBUNG_HOME": str(tmp_path),
        "LUMBUNG_DATABASE_URL": "postgresql://x@127.0.0.1:1/x",
        variable: value,
    }
    done = lumbung(*command.split(), **given)
    assert done.returncode == 4, done.stderr
    assert f"{said} [{variable}]. " in done.stderr
    assert "Traceback" not in done.stderr
    assert "rahasia" not in done.stderr
    assert len(done.stderr.split("]. ")[1]) > 20, "the next step"


def test_a_table_in_a_pipe_is_not_cut() -> None:
    """As `lumbung review | grep kelurahan`, on a terminal of 80 columns or none."""
    shown = subprocess.run(
        [
            sys.executable, "-c", "from rich.table import Table\n"
            "from lumbung.cli.common import console\n"
            "console.print(Table('kata ' * 60, 'panjang ' * 20, box=None))",
        ],
        env={name: value for name, value in os.environ.items() if name != "COLUMNS"},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert shown.split() == ["kata"] * 60 + ["panjang"] * 20


def test_a_shell_completes_commands() -> None:
    program = Path(sys.executable).with_name("lumbung")
    done = subprocess.run(
        [program],
        env={
            **os.environ,
            "_LUMBUNG_COMPLETE": "complete_bash",
            "COMP_WORDS": "lumbung quarantine l",
            "COMP_CWORD": "2",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["list"], done.stderr


@pytest.mark.parametrize("login", sorted({*roles.LOGINS} - {"approver"}))
def test_the_login_of_a_service_decides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, login: str
) -> None:
    monkeypatch.setenv("LUMBUNG_HOME", str(tmp_path))
    monkeypatch.setattr(common, "warehouse_url", lambda _: f"postgresql://{login}:x@host/lumbung")
    for by in ("", "ani"):
        with pytest.raises(ConfigurationError, match=f"'{login}' is the login of a service"):
            common.decider(by, "lumbung record exclude")


def test_a_personal_login_decides_under_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMBUNG_HOME", str(tmp_path))
    monkeypatch.setattr(common, "warehouse_url", lambda _: "postgresql://ani:x@host/lumbung")
    assert common.decider("chair", "lumbung record exclude") == "ani"


def test_no_color_takes_colours_away(tmp_path: Path) -> None:
    wrong = {"LUMBUNG_HOME": str(tmp_path), "LUMBUNG_DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}
    coloured = lumbung("db-url", **wrong, FORCE_COLOR="1")
    plain = lumbung("db-url", **wrong, FORCE_COLOR="1", NO_COLOR="1")
    assert "31m" in coloured.stderr
    assert "the database does not answer" in plain.stderr
    assert "31m" not in plain.stderr


def test_no_test_reaches_the_installation_that_the_shell_names() -> None:
    """Run once more by tests/end_to_end/test_tools.py, in such a shell."""
    ours = {"AIRFLOW_HOME", "AIRFLOW__CORE__LOAD_EXAMPLES"}
    foreign = re.compile(r"AIRFLOW|DBT_|PG[A-Z]+$|LUMBUNG_(DATABASE|PROJECT)")
    assert [name for name in sorted(os.environ) if foreign.match(name) and name not in ours] == []
    assert not Path(os.environ["LUMBUNG_HOME"], "postgres").exists()


@pytest.mark.parametrize(
    ("counts", "line"),
    [
        (IntakeCounts(read=3, landed=3), "success  posko  3 read: 3 landed, 0 duplicate,"
         " 0 quarantined"),
        (IntakeCounts(1_204, 1_200, 3, 1, tombstones=2), "warn     posko  1,204 read: 1,200 landed,"
         " 3 duplicate, 1 quarantined, 2 withdrawn"),
        (IntakeCounts(read=2, duplicate=2, missing=1), "warn     posko  2 read: 0 landed,"
         " 2 duplicate, 0 quarantined"),
    ],
)  # fmt: skip
def test_a_pull_prints_its_counts_in_one_line_for_people(
    counts: IntakeCounts, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stack, "address", lambda _: "postgresql://nowhere/x")
    monkeypatch.setattr("lumbung.warehouse.roles.role_url", lambda url, _: url)
    monkeypatch.setattr("lumbung.cli.pipeline._connection", lambda *_: None)
    monkeypatch.setattr("lumbung.intake.run.pull", lambda *_, **__: counts)
    printed = CliRunner().invoke(app, ["intake", "posko"], catch_exceptions=False).output
    first, *notes = printed.splitlines()
    assert re.sub("posko +", "posko  ", first) == line
    assert len(notes) == bool(counts.missing)


@pytest.mark.parametrize("begun", [False, True], ids=["empty", "begun"])
def test_a_channel_is_proposed_where_no_database_was_set_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: bool
) -> None:
    """Also where `lumbung up` was killed after `initdb`."""

    def refuse(_: EmbeddedPostgres) -> str:
        raise AssertionError("the command started a server")

    monkeypatch.setattr(EmbeddedPostgres, "start", refuse)
    monkeypatch.delenv("LUMBUNG_DATABASE_URL", raising=False)
    monkeypatch.setenv("LUMBUNG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LUMBUNG_PROJECT", str(tmp_path))
    if begun:
        data = tmp_path / "home" / "postgres" / "data"
        data.mkdir(parents=True)
        (data / "PG_VERSION").write_text("16\n")
    (tmp_path / "channels").mkdir()
    (tmp_path / "dbt_project").symlink_to(Path(__file__).parents[2] / "dbt_project")
    sample = tmp_path / "contoh.csv"
    sample.write_text("Nomor,Uraian\n1,a\n2,b\n")
    command = ["channel", "add", "register", "posko", "--sample", str(sample)]
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "channels" / "posko.yaml").is_file()
    assert (tmp_path / "home" / "postgres").exists() is begun
