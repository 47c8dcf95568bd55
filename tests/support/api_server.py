"""A stand-in for the servers that connectors call: real HTTP on a thread, real paging by an app."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from lumbung.intake.connectors.base import Checkpoint, Delivery, Item, SourceConnection, Unreadable


class Reply(NamedTuple):
    """What an app answers; a body that is no text or bytes becomes JSON."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = {}  # noqa: RUF012


@dataclass
class Request:
    """What was asked."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    host: str


App = Callable[[Request], Reply]


@dataclass
class Stand:
    """A running server.

    Attributes:
        app: answers requests.
        requests: what was asked so far.
        script: answers to give before the app is asked.
        dies_after: from how many requests on the server hangs up without an answer.
    """

    app: App
    requests: list[Request] = field(default_factory=list)
    script: list[Reply] = field(default_factory=list)
    dies_after: int | None = None
    port: int = 0

    def connection(self, **changes: Any) -> SourceConnection:
        given = {"host": "127.0.0.1", "port": self.port, "schema": "http", "password": "rahasia"}
        return SourceConnection(**{**given, **changes})


class _Handler(BaseHTTPRequestHandler):
    stand: Stand

    def do_GET(self) -> None:
        stand = self.stand
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        length = int(self.headers.get("Content-Length") or 0)
        host = f"http://127.0.0.1:{stand.port}"
        headers = {name.casefold(): value for name, value in self.headers.items()}
        request = Request(
            self.command, url.path, query, headers, self.rfile.read(length) if length else b"", host
        )
        stand.requests.append(request)
        if stand.dies_after is not None and len(stand.requests) > stand.dies_after:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        reply = stand.script.pop(0) if stand.script else stand.app(request)
        body = reply.body
        default = "application/json"
        if isinstance(body, str):
            body = body.encode()
        elif not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.send_response(reply.status)
        for name, value in {
            "Content-Type": default,
            "Content-Length": str(len(body)),
            **reply.headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        pass


def serve(app: App) -> Iterator[Stand]:
    """Run an app until the fixture that yields from this ends."""
    stand = Stand(app)
    handler = type("Handler", (_Handler,), {"stand": stand})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        stand.port = server.server_port
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield stand
        server.shutdown()


def deliveries(items: list[Item]) -> list[Delivery]:
    return [item for item in items if isinstance(item, Delivery)]


def refusals(items: list[Item]) -> list[Unreadable]:
    return [item for item in items if isinstance(item, Unreadable)]


def last_checkpoint(items: list[Item]) -> Checkpoint:
    assert isinstance(items[-1], Checkpoint)
    return items[-1]
