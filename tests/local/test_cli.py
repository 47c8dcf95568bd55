"""What every command shares: exit codes, completion, colours, JSON."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from lumbung import errors
from lumbung.errors import LumbungError
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


def test_the_exit_code_is_that_of_the_class(tmp_path: Path) -> None:
    home = {"LUMBUNG_HOME": str(tmp_path)}
    (tmp_path / "channels").mkdir()
    (tmp_path / "channels" / "satu.yaml").write_text("title: x\n")
    assert lumbung("channel", "check", LUMBUNG_PROJECT=str(tmp_path), **home).returncode == 4
    nowhere = lumbung("db-url", LUMBUNG_DATABASE_URL="postgresql://x@127.0.0.1:1/x", **home)
    assert nowhere.returncode == 3
    assert lumbung("nothing", **home).returncode == 2


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


def test_no_color_takes_colours_away(tmp_path: Path) -> None:
    wrong = {"LUMBUNG_HOME": str(tmp_path), "LUMBUNG_DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}
    coloured = lumbung("db-url", **wrong, FORCE_COLOR="1")
    plain = lumbung("db-url", **wrong, FORCE_COLOR="1", NO_COLOR="1")
    assert "31m" in coloured.stderr
    assert "the database does not answer" in plain.stderr
    assert "31m" not in plain.stderr
