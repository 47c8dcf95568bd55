"""The embedded PostgreSQL survives what happens to servers on desks."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import psutil
import psycopg
import pytest

from lumbung import database
from lumbung.errors import ServiceError
from lumbung.local import postgres as postgres_module
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.local.processes import hold_port


@pytest.fixture(scope="module")
def postgres(scratch: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(scratch / "embedded")
    server.start()
    yield server
    server.stop()


def killed(postgres: EmbeddedPostgres) -> None:
    process = postgres.process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait(60)


def test_killed_server_starts_again_with_its_data(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.start()) as connection:
        connection.execute("create table if not exists kept (value int)")
        connection.execute("insert into kept values (19)")
    killed(postgres)
    assert not postgres.is_running
    with psycopg.connect(postgres.start()) as connection:
        assert connection.execute("select value from kept").fetchone() == (19,)


def test_a_server_that_was_killed_and_has_not_ended_yet_is_started_again(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is there for a moment when its port takes no connection any more."""
    postgres.start()
    ending = postgres.process
    killed(postgres)
    found = iter([ending, ending])
    with monkeypatch.context() as patch:
        patch.setattr(
            EmbeddedPostgres, "is_running", property(lambda server: next(found, server.process))
        )
        with psycopg.connect(postgres.start()) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    assert next(found, None) is None

    # one that runs and listens elsewhere is no such server
    state = postgres._state()
    with hold_port() as free:
        postgres._write_state({**state, "port": str(free.number)})
    monkeypatch.setattr(postgres_module, "END_SECONDS", 0.1)
    try:
        with pytest.raises(ServiceError, match="Connection refused"):
            postgres.start()
        assert postgres.is_running
    finally:
        postgres._write_state(state)


def test_a_server_that_recovers_from_a_sessions_crash_is_waited_for(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes no connection then, for a moment or for minutes."""
    url = postgres.start()
    for _ in range(5):
        with psycopg.connect(url) as connection:
            os.kill(connection.info.backend_pid, signal.SIGKILL)
            for _ in range(20):
                assert postgres.start() == url
    answers = iter(["the database system is starting up", "the database system is shut down"])

    def ensure(url: str, name: str) -> str:
        raise ServiceError(next(answers), where=name, remediation="wait")

    monkeypatch.setattr(database, "ensure", ensure)
    with pytest.raises(ServiceError, match="is shut down"):
        postgres.start()


def test_the_servers_log_holds_no_values(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.start(), autocommit=True) as connection:
        connection.execute("create temporary table t (name text, age int check (age > 0))")
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("insert into t values ('Zqvor Rekaan', 0)")
    log = postgres.log.read_text()
    assert 'violates check constraint "t_age_check"' in log
    assert "Zqvor" not in log


def test_pid_file_that_names_another_process_is_not_believed(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    pid_file = postgres.data / "postmaster.pid"
    content = pid_file.read_text()
    killed(postgres)
    pid_file.write_text(content.replace(content.split()[0], str(os.getpid()), 1))
    with psycopg.connect(postgres.start()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_another_spelling_of_the_folder_is_the_same_server(
    postgres: EmbeddedPostgres, scratch: Path
) -> None:
    url = postgres.start()
    (scratch / "tautan").symlink_to(postgres.folder)
    for spelled in (scratch / "tautan", postgres.folder / ".." / "embedded"):
        assert EmbeddedPostgres(spelled).process == postgres.process
        assert EmbeddedPostgres(spelled).start() == url
    linked = EmbeddedPostgres(postgres.folder)
    linked.data = scratch / "tautan" / "data"
    assert linked.process == postgres.process


def test_taken_port_is_left_to_its_owner(postgres: EmbeddedPostgres) -> None:
    old = psycopg.conninfo.conninfo_to_dict(postgres.start())["port"]
    postgres.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int(str(old))))
        other.listen()
        assert psycopg.conninfo.conninfo_to_dict(postgres.start())["port"] != old
        with psycopg.connect(postgres.url()) as connection:
            assert connection.execute("select 1").fetchone() == (1,)


def test_wrong_password_is_refused(postgres: EmbeddedPostgres) -> None:
    url = psycopg.conninfo.make_conninfo(postgres.start(), password="guessed")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url)


def test_listens_on_loopback_only_and_not_as_root(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    process = postgres.process
    assert process is not None
    listening = [c for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert {c.laddr.ip for c in listening} == {"127.0.0.1"}
    assert process.uids().effective != 0
    assert (postgres.folder / "server.json").stat().st_mode & 0o077 == 0


def test_its_processes_do_not_have_lumbungs_keys(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database's owner can read them: `copy ... from program`, `pg_read_binary_file`."""
    monkeypatch.setenv("LUMBUNG_VAULT_KEY", "rahasia")
    monkeypatch.setenv("LUMBUNG_AIRFLOW_SECRET", "rahasia")
    postgres.start()
    killed(postgres)
    with psycopg.connect(postgres.start()) as connection:
        connection.execute("create temporary table environment (line text)")
        connection.execute("copy environment from program 'env'")
        lines = [row[0] for row in connection.execute("select line from environment")]
    assert [line for line in lines if line.startswith("PATH=")]
    assert not [line for line in lines if "LUMBUNG" in line or "rahasia" in line]


def test_half_made_data_folder_is_made_anew(scratch: Path) -> None:
    server = EmbeddedPostgres(scratch / "half-made")
    (server.folder / "data.new" / "base").mkdir(parents=True)
    try:
        with psycopg.connect(server.start()) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    finally:
        server.stop()


def test_two_starts_at_once_make_one_server(scratch: Path) -> None:
    servers = [EmbeddedPostgres(scratch / "twice") for _ in range(2)]
    urls: list[str] = []
    threads = [
        threading.Thread(target=lambda server=server: urls.append(server.start()))
        for server in servers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        assert len(urls) == 2
        assert len(set(urls)) == 1
    finally:
        servers[0].stop()


def test_two_starts_at_once_create_one_account(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second `useradd` would give the name another number, and the first server no files."""
    accounts: dict[str, int] = {}
    created: list[str] = []

    def getpwnam(name: str) -> SimpleNamespace:
        return SimpleNamespace(pw_uid=accounts[name])

    def useradd(command: list[str], **_: object) -> None:
        created.append(command[-1])
        time.sleep(0.3)  # `useradd` writes the file at its end
        accounts[command[-1]] = 900 + len(created)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(postgres_module, "ACCOUNTS_LOCK", scratch / "accounts.lock")
    monkeypatch.setattr(pwd, "getpwnam", getpwnam)
    monkeypatch.setattr(shutil, "which", str)
    monkeypatch.setattr(subprocess, "run", useradd)
    with ThreadPoolExecutor(3) as pool:
        users = list(pool.map(lambda _: postgres_module._system_user(), range(3)))
    assert created == ["lumbung-postgres"]
    assert {user.pw_uid for user in users if user} == {901}


def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ServiceError, match=r"cannot be written.*LUMBUNG_HOME"):
        EmbeddedPostgres(tmp_path / "file" / "postgres").start()
