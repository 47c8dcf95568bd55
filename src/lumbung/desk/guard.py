"""What every request and response passes: limits, security headers, tokens against forged forms."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Annotated

from fastapi import Form, Request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lumbung.intake import inbox

MAX_BODY = 65_536
"""Bytes of a form."""
UPLOAD = re.compile("/kanal/[a-z][a-z0-9_]{0,49}/unggah")
"""The addresses that take a file."""
MAX_UPLOAD = inbox.MAX_BYTES + MAX_BODY
"""Bytes of a form with a file."""
SESSION = "lumbung_desk"
"""The cookie that a form's token belongs to."""
TOKEN_SECONDS = 12 * 60 * 60

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": PAGE_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}


class Guard:
    """Refuses long bodies before anything reads them, and adds `HEADERS` to every response.

    Args:
        app: the application.
        refuse: returns the page that answers a body that is too long.

    """

    def __init__(self, app: ASGIApp, refuse: Callable[[Request], Response]) -> None:
        self.app = app
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        app = self.app
        most = MAX_UPLOAD if takes_file(scope) else MAX_BODY
        if "transfer-encoding" in headers or not length.isdecimal() or int(length) > most:
            app = self._refuse(Request(scope))
        await app(scope, receive, send_guarded)


def takes_file(scope: Scope) -> bool:
    """Whether an address takes a file; its route reads the form itself."""
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return UPLOAD.fullmatch(path) is not None


async def keep_typed(request: Request) -> None:
    """Keep what a form was sent with, so that a page that refuses it shows it again."""
    if request.method == "POST" and not takes_file(request.scope):
        request.state.typed = await request.form()


class ForgedFormError(Exception):
    """A form that was not sent from a page of this person's session."""


class Tokens:
    """Tokens of forms: signed, bound to the session's cookie and the account.

    Args:
        secret: signs the tokens.

    """

    def __init__(self, secret: str) -> None:
        self._serializer = URLSafeTimedSerializer(secret, salt="lumbung.desk")

    def session(self, request: Request) -> str:
        """Return the session of a request, a new one where it has none."""
        session: str = getattr(request.state, SESSION, "") or request.cookies.get(SESSION, "")
        session = session or secrets.token_urlsafe(16)
        setattr(request.state, SESSION, session)
        return session

    def make(self, request: Request, account: str) -> str:
        """Return a token for the forms of a page."""
        return self._serializer.dumps([self.session(request), account])

    def verify(self, request: Request, account: str, token: str) -> None:
        """Require that a form comes from a page of this session and account.

        Raises:
            ForgedFormError: when it does not, or the page is older than `TOKEN_SECONDS`.

        """
        try:
            found = self._serializer.loads(token, max_age=TOKEN_SECONDS)
        except BadSignature as error:
            raise ForgedFormError from error
        if not request.cookies.get(SESSION) or found != [request.cookies[SESSION], account]:
            raise ForgedFormError


Token = Annotated[str, Form(alias="csrf", max_length=1000)]
