"""A real SMTP server on loopback that keeps what it takes, and can refuse or die at any step."""

from __future__ import annotations

import email
import email.policy
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, syntax

from lumbung.local.processes import hold_port
from lumbung.publication.delivery.notices import Notifier
from lumbung.publication.delivery.smtp import MailServer
from lumbung.settings import Settings
from lumbung.warehouse.roles import role_url


class Post:
    """What the server does and has got.

    Attributes:
        got: address and message of each mail it took.
        die_at: `EHLO`, `MAIL`, `RCPT`, `DATA`, `lost` (the whole message came, none was kept) or
            `kept` (it was, but the answer never left): there it cuts the connection.
        after: how many mails it takes before it dies.
        answers: what it says to an address instead of 250.

    """

    def __init__(self) -> None:
        self.got: list[tuple[str, EmailMessage]] = []
        self.die_at = ""
        self.after = 0
        self.answers: dict[str, str] = {}
        self.address = MailServer("127.0.0.1", 0, security="none")

    @property
    def addresses(self) -> list[str]:
        return [address for address, _ in self.got]

    def dies(self, server: Any, step: str) -> bool:
        if self.die_at == step and len(self.got) >= self.after:
            server.transport.abort()
            return True
        return False

    async def handle_EHLO(  # noqa: N802
        self, server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.dies(server, "EHLO")
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        self.dies(server, "MAIL")
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        self.dies(server, "RCPT")
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.dies(server, "lost"):
            return ""
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        is_dying = self.die_at == "kept" and len(self.got) >= self.after
        self.got += [(address, message) for address in envelope.rcpt_tos]
        if is_dying:
            server.transport.abort()
        return "250 taken"


class _Server(SMTP):
    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if not self.event_handler.dies(self, "DATA"):
            await super().smtp_DATA(arg)


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _Server(self.handler, hostname="mail.babel.example.id")


@contextmanager
def post_office(port: int | None = None) -> Iterator[Post]:
    """A server that listens as long as the context lasts."""
    post = Post()
    with ExitStack() as stack:
        # Asked for port 0, the controller does not say which one it took.
        number = stack.enter_context(hold_port()).number if port is None else port
        controller = _Controller(post, hostname="127.0.0.1", port=number, ready_timeout=60)
        controller.start()
    try:
        post.address = MailServer("127.0.0.1", controller.port, security="none")
        yield post
    finally:
        controller.stop()


def notifier(
    settings: Settings, post: Post | None, url: str, desk: str = "", **services: str
) -> Notifier:
    """A notifier of a mail server, None: there is none, and of services by Airflow Connection."""
    return Notifier(
        settings,
        lambda: role_url(url, "publisher"),
        lambda: post.address if post else None,
        services.__getitem__,
        desk,
    )


@contextmanager
def webhook() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """The address of a service as apprise writes it, and what it gets."""
    got: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"json://127.0.0.1:{server.server_port}/secret-token", got
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
