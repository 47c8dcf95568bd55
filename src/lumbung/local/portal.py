"""The portal on this machine: a small web server of `LUMBUNG_HOME/portal`, on loopback.

It is for a look at the portal on this machine. For other readers, use a real web server
(docs/how-to/serve-the-portal.md).

    python -m lumbung.local.portal PORT HOST FOLDER
"""

from __future__ import annotations

import socket
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lumbung.local.processes import Processes, hold_port, without_secrets

NAME = "portal"
PREFERRED_PORT = 8090
START_SECONDS = 30

HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
"""Sent with every response. Each page has its own content security policy, but `frame-ancestors`
only works in a header. With `no-cache` a browser asks whether a page has changed, because a new
edition replaces all pages at once."""


def command(folder: Path, host: str, port: int) -> list[str]:
    """Return the server's command line."""
    return [sys.executable, "-m", "lumbung.local.portal", str(port), host, str(folder)]


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
        """The server's address; None while it does not run."""
        process = self.processes.find(NAME)
        return f"http://127.0.0.1:{process.cmdline()[3]}/" if process else None

    def start(self) -> None:
        """Start the server on a free port and wait until it listens; do nothing when it runs.

        Raises:
            ServiceError: when it ends or does not listen.

        """
        if self.processes.find(NAME):
            return
        with hold_port(PREFERRED_PORT) as port:
            self.processes.spawn(
                NAME, command(self.folder, "127.0.0.1", port.number), without_secrets()
            )
            self.processes.wait_until_listening(NAME, port.number, START_SECONDS)


class _Handler(SimpleHTTPRequestHandler):
    """Serves a folder. A symbolic link to the folder is resolved on every request."""

    protocol_version = "HTTP/1.1"

    def end_headers(self) -> None:
        """Add `HEADERS`, also to an error."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()


def main(port: str, host: str, folder: str) -> None:
    """Serve a folder until the process is ended."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    with Server((host, int(port)), partial(_Handler, directory=folder)) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
