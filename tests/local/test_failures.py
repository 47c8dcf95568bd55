"""What a person meets when the machine is not as it should be: one message with a next step."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import psycopg
import pytest
from rich.console import Console
from xlsxwriter.exceptions import FileCreateError

from lumbung.demo.run import Demo
from lumbung.errors import ConfigurationError, ServiceError, explained
from lumbung.local import portal, processes
from lumbung.local.airflow import Airflow, AirflowClient
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.local.processes import Processes, hold_port
from lumbung.local.stack import Stack
from lumbung.settings import Settings
from tests.support.api_server import Reply, serve
from tests.support.command import lumbung

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What `make` reads of a fresh clone."""
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "README.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def make(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    # as a person's shell has it: make hands its variables, TEST among them, to what it runs
    clean = {k: v for k, v in os.environ.items() if not re.match(r"MAKE|MFLAGS$|TEST$", k)}
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def old_python(path: Path) -> Path:
    """A Python that says it is 3.10."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"#!{sys.executable}\n"
        "import sys\n"
        "sys.version_info = (3, 10, 0, 'final', 0)\n"
        "exec(sys.argv[sys.argv.index('-c') + 1])\n"
    )
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("given", ["", "of 3.10"])
def test_wrong_python_is_named_before_anything_is_made(checkout: Path, given: str) -> None:
    python = str(old_python(checkout / "python")) if given else ""
    done = make(checkout, "demo", f"PYTHON={python}")
    assert done.returncode != 0
    assert f"{python or 'no Python that was found'} is not Python 3.11, 3.12 or 3.13" in done.stderr
    assert "make PYTHON=" in done.stderr
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize("of_the_system", ["of 3.10", "that fits"])
def test_the_systems_python_is_taken_or_else_one_that_fits(
    checkout: Path, of_the_system: str
) -> None:
    too_old = old_python(checkout / "bin" / "python3")
    (checkout / "bin" / "python3.12").symlink_to(sys.executable)
    system = sys.executable if of_the_system == "that fits" else str(too_old)
    done = make(
        checkout,
        "--eval=show: ; @echo $(PYTHON)",
        f"SYSTEM_PYTHON={system}",
        "show",
        PATH=f"{checkout / 'bin'}:{os.environ['PATH']}",
    )
    found = [system] if of_the_system == "that fits" else ["python3.13", "python3.12"]
    assert done.stdout.strip() in found


def test_no_network_at_install_says_so_and_leaves_no_stamp(checkout: Path) -> None:
    """An environment of another Python is made again first."""
    old_python(checkout / ".venv" / "bin" / "python")
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
    shown = subprocess.check_output([checkout / ".venv/bin/python", "-V"], text=True)
    assert shown.split()[1] == ".".join(map(str, sys.version_info[:3]))


def test_unreachable_database_names_stage_cause_and_next_step(tmp_path: Path) -> None:
    with hold_port() as port:
        done = lumbung(
            "demo",
            LUMBUNG_HOME=str(tmp_path),
            LUMBUNG_DATABASE_URL=f"postgresql://nobody:x@127.0.0.1:{port.number}/none",
        )
    assert done.returncode == 3
    message = done.stderr.strip()
    assert "stage 'PostgreSQL': the database does not answer" in message
    assert "Connection refused" in message
    assert "LUMBUNG_DATABASE_URL" in message
    assert "Traceback" not in message


@pytest.mark.slow
def test_a_full_disk_is_named_and_more_space_is_the_remediation(
    small_disk: Callable[[str], Path],
) -> None:
    """It is full while the database is made, and again while the database or Airflow is set up."""
    home = small_disk("24m")
    stack = Stack(Settings(home, ROOT, None))
    try:
        for size, stage in (("24m", "PostgreSQL"), ("56m", "(PostgreSQL|Airflow)")):
            done = lumbung("demo", LUMBUNG_HOME=str(small_disk(size)))
            assert done.returncode == 3
            assert re.search(f"stage '{stage}': the disk is full", done.stderr), done.stderr
            assert "No space left on device" in done.stderr
            assert "free disk space, then run the same again" in done.stderr
            assert [part.name for part in stack.status() if part.pid] == []
        small_disk("1g")
        stack.airflow(stack.migrate()).prepare()  # what was full goes on
    finally:
        stack.stop()


def test_demo_does_not_mix_with_another_demo_and_leaves_all_as_it_was(scratch: Path) -> None:
    home = scratch / "other-demo"
    home.mkdir()
    (home / "demo.json").write_text('{"seed": 5, "weeks": 9}')
    server = EmbeddedPostgres(home / "postgres")
    try:
        for was_running in (False, True):
            done = lumbung("demo", "--seed", "6", LUMBUNG_HOME=str(home))
            assert done.returncode == 4
            assert "holds the demo of seed 5 and 9 weeks, not of seed 6 and 9" in done.stderr
            assert "LUMBUNG_HOME" in done.stderr
            assert server.is_running == was_running
            server.start()
    finally:
        server.stop()


def demo(home: Path, url: str | None = None) -> Demo:
    settings = Settings(home=home, project=ROOT, database_url=url)
    return Demo(settings, Console(file=io.StringIO(), width=200), weeks=1, seed=1, keep=False)


def test_records_that_are_not_the_demos_are_left_alone(tmp_path: Path, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "insert into raw.batch (channel, run_key, started_at, read_count, landed_count,"
            " duplicate_count, quarantined_count) values ('surel', 'x', now(), 0, 0, 0, 0)"
        )
    with pytest.raises(
        ConfigurationError, match=r"records that are not the demo's.*LUMBUNG_DATABASE_URL"
    ):
        demo(tmp_path, database_url).run()
    assert not (tmp_path / "demo.json").exists()


def test_a_home_whose_demo_is_elsewhere_brings_none_to_another_database(
    tmp_path: Path, database_url: str
) -> None:
    (tmp_path / "demo.json").write_text('{"seed": 1, "weeks": 1}')  # in its own server
    with pytest.raises(ConfigurationError, match=r"not of seed 1 and 1 weeks in 127.*/test_"):
        demo(tmp_path, database_url)._claim_home(database_url)
    here = demo(tmp_path / "here", database_url)
    here.settings.home.mkdir()
    for _ in range(2):
        here._claim_home(database_url)


def test_a_claim_that_was_cut_off_is_written_anew(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "demo.json").touch()
    demo(tmp_path)._claim_home(database_url)
    assert json.loads((tmp_path / "demo.json").read_text()) == {"seed": 1, "weeks": 1}


FULL = OSError(errno.ENOSPC, "No space left on device", "evidence/x")


def test_any_failure_names_its_stage_and_a_failed_stop_does_not_hide_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = demo(tmp_path)

    def full() -> str:
        raise FULL

    def stuck(**_: object) -> None:
        raise ServiceError("it does not stop", where="PostgreSQL", remediation="stop it")

    monkeypatch.setattr(failing.stack, "migrate", full)
    monkeypatch.setattr(failing.stack, "stop", stuck)
    with pytest.raises(ServiceError, match=r"stage 'PostgreSQL': the disk is full.*evidence/x"):
        failing.run()
    assert "it does not stop" in failing.console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("error", "reported"),
    [
        (FULL, r"the disk is full .*\[evidence/x\]\. free disk space"),
        (FileCreateError(FULL), "the disk is full"),
        (psycopg.errors.DiskFull("could not extend file"), "the disk is full .*extend file"),
        (
            psycopg.OperationalError("server closed\nmore"),
            r"the database went away: server closed \[Postg",
        ),
        (
            psycopg.errors.InsufficientPrivilege("permission denied for schema ops"),
            r"the database.s account may not do this: permission denied for schema ops \[.*\.log\]",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), r"Permission denied \[/x\]"),
        (ZeroDivisionError("a / b"), r"unexpected ZeroDivisionError: a / b \[.*\.log\]"),
    ],
)
def test_what_others_raise_is_reported_with_a_next_step(
    error: Exception, reported: str, tmp_path: Path
) -> None:
    known = explained(error, tmp_path / "not" / "there")
    assert explained(known, tmp_path) is known
    message = str(known)
    assert re.match(reported, message), message
    assert "again" in message
    if kept := re.search(r"\[(.*\.log)\]", message):
        assert f"{type(error).__name__}: {error}" in Path(kept[1]).read_text()
        Path(kept[1]).unlink()


@pytest.mark.parametrize(
    ("error", "reported"),
    [
        (
            psycopg.errors.InvalidTextRepresentation('invalid input: "Zqvor"\nLINE 1: ...'),
            "unexpected InvalidTextRepresentation: SQLSTATE 22P02",
        ),
        (
            psycopg.errors.UniqueViolation("it is there\nDETAIL:  Key (name)=(Zqvor) exists."),
            "unexpected UniqueViolation: it is there",
        ),
    ],
)
def test_what_people_send_quotes_no_row(error: Exception, reported: str, tmp_path: Path) -> None:
    caused = ValueError()
    caused.__cause__ = error
    for each, begin in ((error, reported), (caused, "unexpected ValueError: ")):
        message = str(explained(each, tmp_path))
        kept = Path(re.findall(r"\[(.*\.log)\]", message)[0])
        said = message + kept.read_text()
        kept.unlink()
        assert message.startswith(begin)
        assert type(error).__name__ in said
        assert "Zqvor" not in said


def test_a_failure_is_reported_when_no_file_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(
        "tempfile.NamedTemporaryFile", lambda *_, **__: (tmp_path / "no" / "x").open("w")
    )
    assert "ZeroDivisionError: a / b" in str(explained(ZeroDivisionError("a / b"), tmp_path))
    waited = explained(psycopg.errors.LockNotAvailable("canceled"), tmp_path)
    assert str(waited).startswith("another session did not release a lock in time: canceled")


def test_airflow_that_does_not_answer_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lumbung.local.airflow.time.sleep", lambda _: None)
    with (
        hold_port() as port,
        pytest.raises(ServiceError, match=r"Airflow does not answer.*lumbung up"),
    ):
        AirflowClient(f"http://127.0.0.1:{port.number}", "admin", "x")


def test_a_process_whose_id_cannot_be_kept_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise FULL

    monkeypatch.setattr(processes, "write_private", full)
    before = psutil.Process().children()
    with pytest.raises(OSError, match="No space left"):
        Processes(tmp_path / "run", tmp_path).spawn("sleeper", ["sleep", "60"], {**os.environ})
    assert psutil.Process().children() == before
    assert Processes(tmp_path / "run", tmp_path).names() == []


def test_taken_port_is_left_alone() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with hold_port(taken) as port:
            assert port.number != taken
    with hold_port(taken) as port:
        assert port.number == taken


def test_a_held_port_is_given_to_its_server_and_to_nobody_else() -> None:
    with hold_port() as port:
        # another installation, which prefers the same port
        reported = subprocess.check_output(
            [sys.executable, "-c", "from lumbung.local.processes import hold_port\n"
             f"print(hold_port({port.number}).number)"], text=True,
        )  # fmt: skip
        assert int(reported) != port.number
        with socket.socket() as caller, pytest.raises(ConnectionRefusedError):
            caller.connect(("127.0.0.1", port.number))
        with HTTPServer(("127.0.0.1", port.number), BaseHTTPRequestHandler) as server:
            assert server.server_port == port.number


def test_no_free_port_that_the_system_gives_is_one_that_is_held() -> None:
    with hold_port() as port, ExitStack() as stack:
        given = set()
        for _ in range(2_000):
            other = stack.enter_context(socket.socket())
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("127.0.0.1", 0))
            given.add(other.getsockname()[1])
        assert len(given) == 2_000
        assert port.number not in given


def test_a_stranger_on_airflows_port_is_not_sent_the_password(tmp_path: Path) -> None:
    """The API server of this home ended, and a neighbour's took its port."""
    settings = Settings(tmp_path, ROOT, None)
    airflow = Airflow(settings, Processes(tmp_path / "run", tmp_path), "", "", {})
    airflow.folder.mkdir()
    (airflow.folder / "passwords.json").write_text(json.dumps({"admin": "rahasia"}))
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        stranger.setblocking(False)
        state = {"port": str(stranger.getsockname()[1])}
        (airflow.folder / "state.json").write_text(json.dumps(state))
        with pytest.raises(ServiceError, match=r"does not listen on its port.*lumbung up"):
            airflow.client()
        with pytest.raises(BlockingIOError):
            stranger.accept()


def test_a_server_that_another_program_kept_from_its_port_is_named(tmp_path: Path) -> None:
    running = Processes(tmp_path / "run", tmp_path)
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        port = stranger.getsockname()[1]
        running.spawn("portal", portal.command(tmp_path, "127.0.0.1", port), {**os.environ})
        with pytest.raises(ServiceError, match=r"portal ended unexpectedly: .*already in use"):
            running.wait_until_listening("portal", port, 60)


def test_an_api_server_without_its_database_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Airflow 3.3 answers then, which names no cause."""
    hidden = {"reason": "Database error", "statement": "hidden", "orig_error": "hidden"}
    monkeypatch.setattr("lumbung.local.airflow.time.sleep", lambda _: None)
    with contextmanager(serve)(lambda _: Reply({"detail": hidden}, 500)) as api:
        address = f"http://127.0.0.1:{api.port}"
        with pytest.raises(ServiceError, match=r"cannot use its database.*run 'lumbung up'"):
            AirflowClient(address, "admin", "x")
    with contextmanager(serve)(lambda _: Reply({"detail": "no"}, 403)) as api:
        address = f"http://127.0.0.1:{api.port}"
        with pytest.raises(ServiceError, match=r"Airflow refused: 403"):
            AirflowClient(address, "admin", "x")
