"""Background processes that outlive the command that started them, tracked by process id."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

import psutil

from lumbung.errors import ServiceError
from lumbung.files import PRIVATE_UMASK, write_private
from lumbung.locks import locked

LOCK_SECONDS = 900
"""How long a command waits for another one that prepares the same folder."""


KILL_SECONDS = 5
"""How long a killed process may take to end."""


PASSED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH")


def without_secrets() -> dict[str, str]:
    """Return the environment of a server that reads no settings of Lumbung: none of its keys.

    Whoever may read files or run programs as that server's account can read its environment.
    """
    return {name: os.environ[name] for name in PASSED if name in os.environ}


def prepared_alone(lock: Path) -> AbstractContextManager[None]:
    """Let one command at a time prepare a folder; `lock` is a file in it.

    Raises:
        ServiceError: when another command has not ended within `LOCK_SECONDS`.
        OSError: when the file cannot be created.

    """
    return locked(lock, seconds=LOCK_SECONDS, what="another command prepares this folder")


class HeldPort:
    """A TCP port on loopback, reserved for a server until that server listens on it.

    The port is bound but does not listen. Linux then does not assign it to programs that ask for
    any free port, refuses connections to it, and still lets a server with SO_REUSEADDR (all of ours
    set it) bind it and listen. SO_REUSEADDR would also let another installation hold the same port;
    a socket in the abstract namespace, named after the port, prevents that. Both sockets close when
    this process ends.

    Attributes:
        number: the port.

    """

    def __init__(self, preferred: int) -> None:
        """Hold a port.

        Args:
            preferred: hold exactly this port; 0: any free one.

        Raises:
            OSError: when another process listens on it or holds it.

        """
        self._sockets = contextlib.ExitStack()
        try:
            bound = self._sockets.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(("127.0.0.1", preferred))
            self.number = int(bound.getsockname()[1])
            name = self._sockets.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            name.bind(f"\0lumbung-port-{self.number}")
        except BaseException:
            self._sockets.close()
            raise

    def release(self) -> None:
        """Release the port."""
        self._sockets.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def hold_port(preferred: int | None = None) -> HeldPort:
    """Hold a TCP port on loopback: the preferred one if it is free, else any.

    Raises:
        ServiceError: when no port is free.

    """
    for port in (preferred, 0) if preferred else (0,):
        with contextlib.suppress(OSError):
            return HeldPort(port)
    raise ServiceError(
        "no free TCP port on loopback",
        where="127.0.0.1",
        remediation="stop a program that holds many ports",
    )


class Processes:
    """The background processes of one installation.

    Args:
        folder: holds a file per process with its id and start time.
        logs: holds a log per process.

    """

    def __init__(self, folder: Path, logs: Path) -> None:
        self.folder = folder
        self.logs = logs

    def spawn(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        """Start a process in its own session and append its output to its log.

        When its id cannot be written to the folder, the process is killed: no command could find
        it later.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        _kill(self._orphans(name))
        with self.log(name).open("ab") as log:
            process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.folder, start_new_session=True, umask=PRIVATE_UMASK,
            )  # fmt: skip
        try:
            write_private(self.folder / name, f"{process.pid} {_started(process.pid)}")
        except BaseException:
            process.kill()
            process.wait(KILL_SECONDS)
            raise

    def names(self) -> list[str]:
        """Return the names of processes that were started and not stopped, alive or not."""
        files = (path for path in self.folder.glob("[!.]*") if path.is_file())
        return sorted(path.name for path in files)

    def find(self, name: str) -> psutil.Process | None:
        """Return the live process of that name; None also when its id was reused by another."""
        try:
            pid, started = (self.folder / name).read_text().split()
            process = psutil.Process(int(pid))
            alive = process.status() != psutil.STATUS_ZOMBIE
            if alive and _started(int(pid)) == started:
                return process
        except (OSError, ValueError, psutil.Error):
            pass
        return None

    def require(self, name: str) -> None:
        """Raise when the process of that name is not alive.

        Raises:
            ServiceError: with the last line of its log when it is not.

        """
        if self.find(name) is None:
            raise ServiceError(
                f"{name} ended unexpectedly: {self._last_line(name)}",
                where=str(self.log(name)),
                remediation="read that log; run 'lumbung down' and the same command again",
            )

    def is_listening(self, name: str, port: int) -> bool:
        """Return whether the process or one of its children listens on the port.

        Passwords are sent only after this check: when the process has ended, another program may
        have taken its port.
        """
        process = self.find(name)
        family: list[psutil.Process] = []
        with contextlib.suppress(psutil.Error):
            family = [process, *process.children(recursive=True)] if process else []
        for relative in family:
            with contextlib.suppress(psutil.Error):  # a child that has just ended
                for each in relative.net_connections("tcp"):
                    if each.status == psutil.CONN_LISTEN and each.laddr.port == port:
                        return True
        return False

    def wait_until_listening(self, name: str, port: int, seconds: float) -> None:
        """Wait until a process listens on its port.

        Raises:
            ServiceError: when it ends, or does not listen in time.

        """
        deadline = time.monotonic() + seconds
        while not self.is_listening(name, port):
            self.require(name)
            if time.monotonic() > deadline:
                raise ServiceError(
                    f"{name} does not listen on port {port} after {seconds:.0f} s",
                    where=str(self.log(name)),
                    remediation="read that log; run 'lumbung down' and the same command again",
                )
            time.sleep(0.1)

    def stop(self, *names: str, grace_seconds: float = 20) -> None:
        """Terminate processes and their children; kill those still alive after the grace period.

        What a process left behind that was killed before is killed too.
        """
        family = []
        for name in names:
            if root := self.find(name):
                with contextlib.suppress(psutil.NoSuchProcess):
                    family += [root, *root.children(recursive=True)]
                    root.terminate()
        psutil.wait_procs(family, timeout=grace_seconds)
        _kill([*family, *(orphan for name in names for orphan in self._orphans(name))])
        for name in names:
            (self.folder / name).unlink(missing_ok=True)

    def _orphans(self, name: str) -> list[psutil.Process]:
        """Return what is left of a process: those of its session that work in its folder.

        A process id is not used again while its session has members: the leader of that session has
        ended or is the process that was started. Another leader means a file of an earlier boot.
        """
        try:
            pid, started = (self.folder / name).read_text().split()
            session = int(pid)
        except (OSError, ValueError):
            return []
        with contextlib.suppress(OSError, psutil.Error):  # the leader has ended
            if _started(session) != started:
                return []
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if os.getsid(process.pid) == session and self.folder.samefile(process.cwd()):
                    found.append(process)
        return found

    def memory(self, name: str) -> int:
        """Return the proportional memory in bytes of a process and its children, 0 if not alive."""
        return family_memory(self.find(name))

    def log(self, name: str) -> Path:
        """Return the path of a process's log."""
        return self.logs / f"{name}.log"

    def _last_line(self, name: str) -> str:
        try:
            text = self.log(name).read_text(errors="replace")
        except OSError:
            text = ""
        lines = [line for line in text.splitlines() if line.strip()]
        return lines[-1][:300] if lines else "its log is empty"


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=KILL_SECONDS)


def _started(pid: int) -> str:
    """Return when a process was started in a form that a change of the clock does not alter.

    Linux counts ticks since boot. A process id is used again, also with the same ticks after a
    reboot, but not within one boot.

    Raises:
        OSError: when there is no such process.

    """
    proc = Path("/proc")
    if not (proc / "self" / "stat").exists():  # not Linux
        return f"{psutil.Process(pid).create_time():.0f}"
    fields = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
    boot = (proc / "sys" / "kernel" / "random" / "boot_id").read_text().strip()
    return f"{fields[19]}@{boot}"


def family_memory(process: psutil.Process | None) -> int:
    """Return the memory in bytes of a process and its children; processes that ended count 0.

    On Linux this is the proportional set size, which divides shared pages among their users;
    elsewhere the resident set size.
    """
    total = 0
    try:
        family = [process, *process.children(recursive=True)] if process else []
    except psutil.Error:
        return 0
    for relative in family:
        try:
            full = relative.memory_full_info()
        except psutil.Error:
            continue
        total += int(getattr(full, "pss", full.rss))
    return total
