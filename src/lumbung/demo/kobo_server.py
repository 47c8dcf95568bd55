"""A stand-in for KoboToolbox's API v2, on the loopback interface only.

It serves the submissions of one form as an older server does: newest first unless the request has
a `sort`, and no page longer than its maximum, whatever the `limit`. Clients must follow `next`.

    export LUMBUNG_KOBO_TOKEN=rahasia
    python -m lumbung.demo.kobo_server --data kobo_pemantau.json --port 8123

The token comes from the environment, because every account of the machine can read the arguments
of a process.
"""

from __future__ import annotations

import argparse
import hmac
import json
import os
import re
import secrets
import sys
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from lumbung.errors import ServiceError
from lumbung.local.processes import Processes, hold_port
from lumbung.settings import Settings

if TYPE_CHECKING:
    from lumbung.local.airflow import AirflowClient

NAME = "kobo-stand-in"
"""Name of its process in a demo's home."""

TOKEN = "LUMBUNG_KOBO_TOKEN"  # noqa: S105 - the name of a variable
"""The environment variable that holds the token."""

START_SECONDS = 60

Row = dict[str, Any]
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda value, bound: value > bound,
    "$gte": lambda value, bound: value >= bound,
    "$lt": lambda value, bound: value < bound,
    "$lte": lambda value, bound: value <= bound,
}


class StandIn(ThreadingHTTPServer):
    """Serves `/api/v2/assets/<uid>/data/` from a file that is read at every request.

    Args:
        data: the file `{"uid": ..., "results": [...]}` that `lumbung.demo.writers` writes.
        port: TCP port on 127.0.0.1; 0 takes a free one (see `address`).
        token: the token that `Authorization: Token ...` must hold.
        max_limit: the maximum length of a page; a larger `limit` is reduced silently.

    Raises:
        ServiceError: when the port is taken.

    """

    daemon_threads = True

    def __init__(self, data: Path, port: int, token: str, *, max_limit: int = 100) -> None:
        self.data, self.token, self.max_limit = data, token, max_limit
        self._parsed: tuple[tuple[int, int], Row] | None = None
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise ServiceError(
                f"the stand-in of KoboToolbox cannot listen: {error.strerror}",
                where=f"127.0.0.1:{port}",
                remediation="free the port or choose another with --port",
            ) from error

    @property
    def address(self) -> str:
        """The base URL, without a trailing slash."""
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, url: str, authorization: str | None) -> tuple[int, Row]:
        """The status and body for a GET of `url` (path and query)."""
        if authorization is None:
            return 401, {"detail": "Authentication credentials were not provided."}
        if not hmac.compare_digest(authorization.encode(), f"Token {self.token}".encode()):
            return 401, {"detail": "Invalid token."}
        content = self._content()
        path, query = urlsplit(url).path, dict(parse_qsl(urlsplit(url).query))
        if not re.fullmatch(rf"/api/v2/assets/{content['uid']}/data(/|\.json)?", path):
            return 404, {"detail": "Not found."}
        try:
            rows = _selected(content["results"], query)
            start, limit = int(query.get("start", 0)), int(query.get("limit", self.max_limit))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return 400, {"detail": f"The query cannot be understood: {error}"}
        limit = min(max(limit, 1), self.max_limit)

        def page(first: int) -> str:
            changed = query | {"limit": str(limit), "start": str(first)}
            return f"{self.address}{path}?{urlencode(changed)}"

        return 200, {
            "count": len(rows),
            "next": page(start + limit) if start + limit < len(rows) else None,
            "previous": page(max(start - limit, 0)) if start > 0 else None,
            "results": rows[start : start + limit],
        }

    def _content(self) -> Row:
        """The file's content, parsed once as long as the file stays as it is."""
        found = self.data.stat()
        version = found.st_mtime_ns, found.st_size
        if self._parsed is None or self._parsed[0] != version:
            self._parsed = version, json.loads(self.data.read_text(encoding="utf-8"))
        return self._parsed[1]


def _selected(rows: list[Row], query: Mapping[str, str]) -> list[Row]:
    """The rows that match all comparisons of `query`, in the order of `sort`."""
    for field, condition in json.loads(query.get("query", "{}")).items():
        tests = condition if isinstance(condition, dict) else {"$gte": condition, "$lte": condition}
        for operator, bound in tests.items():
            rows = [row for row in rows if OPERATORS[operator](row[field], bound)]
    for field, direction in reversed(json.loads(query.get("sort", '{"_id": -1}')).items()):
        rows = sorted(rows, key=itemgetter(field), reverse=direction == -1)
    return rows


class _Handler(BaseHTTPRequestHandler):
    server: StandIn

    def do_GET(self) -> None:
        """Answer with JSON."""
        status, content = self.server.answer(self.path, self.headers.get("Authorization"))
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the log of the client suffices."""


def start(settings: Settings, processes: Processes, client: AirflowClient) -> None:
    """Serve the demo's inbox in the background and set the address in Airflow, unless it runs."""
    if processes.find(NAME):
        return
    token = secrets.token_hex(20)
    with hold_port() as port:
        # Airflow first: a kill in between leaves no server whose address Airflow lacks.
        client.set_connection(
            "kobo_pemantau", conn_type="http", host=f"http://127.0.0.1:{port.number}",
            password=token,
        )  # fmt: skip
        processes.spawn(
            NAME,
            [
                sys.executable, "-m", "lumbung.demo.kobo_server",
                "--data", str(settings.inbox / "kobo_pemantau.json"),
                "--port", str(port.number),
                "--max-limit", "15",  # fewer than there are, so that intake must page
            ],
            {"PATH": "", TOKEN: token},
        )  # fmt: skip
        processes.wait_until_listening(NAME, port.number, START_SECONDS)


def main() -> None:
    """Serve until the process is stopped."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--max-limit", type=int, default=100)
    options = parser.parse_args()
    token = os.environ[TOKEN]
    with StandIn(options.data, options.port, token, max_limit=options.max_limit) as server:
        print(f"KoboToolbox stand-in at {server.address}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
