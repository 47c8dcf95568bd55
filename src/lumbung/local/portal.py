"""The portal on this machine: Python's own web server over `LUMBUNG_HOME/portal`, on loopback.

For looking at it here; others read it from any real web server (docs/how-to/serve-the-portal.md).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from lumbung.local.processes import Processes, hold_port

NAME = "portal"
PREFERRED_PORT = 8090
START_SECONDS = 30


def command(folder: Path, host: str, port: int) -> list[str]:
    """The server's command line; it follows the link to the newest site on every request."""
    return [
        *(sys.executable, "-m", "http.server", str(port)),
        *("--bind", host, "--directory", str(folder), "--protocol", "HTTP/1.1"),
    ]


class PortalServer:
    """The portal's server of one installation.

    Args:
        folder: the site, `LUMBUNG_HOME/portal`; it may appear later.
        processes: where the process is registered.

    """

    def __init__(self, folder: Path, processes: Processes) -> None:
        self.folder = folder
        self.processes = processes

    @property
    def url(self) -> str | None:
        """Its address, None while it does not run."""
        process = self.processes.find(NAME)
        return f"http://127.0.0.1:{process.cmdline()[3]}/" if process else None

    def start(self) -> None:
        """Start it on a free port, if it does not run, and wait until it listens.

        Raises:
            ServiceError: when it ends or does not listen.

        """
        if self.processes.find(NAME):
            return
        with hold_port(PREFERRED_PORT) as port:
            self.processes.spawn(
                NAME, command(self.folder, "127.0.0.1", port.number), dict(os.environ)
            )
            self.processes.wait_until_listening(NAME, port.number, START_SECONDS)
