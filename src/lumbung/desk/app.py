"""The desk's application: who is let in, which routes there are, and what an error looks like."""

import logging
from collections.abc import Callable
from functools import cache, partial
from typing import Annotated, Any, Protocol
from urllib.parse import quote, urlsplit

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.types import ASGIApp

from lumbung.desk import (
    audit_log,
    channels,
    data,
    editions,
    excluded,
    places,
    quarantine,
    review_list,
    sheet,
    today,
    words,
)
from lumbung.desk.access import Person, forget_logins, person
from lumbung.desk.airflow import Airflow
from lumbung.desk.guard import ForgedFormError, Guard, Tokens, keep_typed
from lumbung.desk.office import Office, RefusedError
from lumbung.desk.pages import FOLDER, Pages, airflow_root
from lumbung.errors import LumbungError, explained
from lumbung.settings import Settings

log = logging.getLogger(__name__)


class User(Protocol):
    """What Airflow knows of somebody who has logged in."""

    def get_name(self) -> str:
        """Return the account's name."""


@cache
def behind_airflow() -> ASGIApp:
    """Return the desk for the API server: users log in to Airflow, whose secret key signs."""
    from airflow.api_fastapi.core_api.security import get_user
    from airflow.configuration import conf

    def airflow(request: Request) -> Airflow:
        return Airflow(request.scope["airflow"], request)

    desk = create(get_user, secret=conf.get("api", "secret_key"), airflow=airflow)

    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        # FastAPI replaces `app` by the desk; until then it is the API server.
        await desk({**scope, "airflow": scope.get("app")}, receive, send)

    return mounted


def create(
    get_user: Callable[..., Any], *, secret: str, airflow: Callable[[Request], Airflow]
) -> ASGIApp:
    """Return the desk.

    Args:
        get_user: a FastAPI dependency that returns the `User`, or raises the HTTP errors 401 or 403
            where nobody has logged in.
        secret: signs the tokens of forms.
        airflow: returns Airflow as the person of a request may use it.

    """
    tokens = Tokens(secret)
    pages = Pages(tokens)

    def who(user: Annotated[User, Depends(get_user)]) -> Person:
        return person(user.get_name(), Settings.load())

    office = Office(who, tokens, pages, airflow)
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        dependencies=[Depends(keep_typed)],
    )
    app.include_router(today.routes(office))
    app.include_router(editions.routes(office))
    app.include_router(review_list.routes(office))
    app.include_router(words.routes(office))
    app.include_router(places.routes(office))
    app.include_router(excluded.routes(office))
    app.include_router(quarantine.routes(office))
    app.include_router(channels.routes(office))
    app.include_router(sheet.routes(office))
    app.include_router(data.routes(office))
    app.include_router(audit_log.routes(office))

    for name in ("desk.css", "desk.svg"):
        # without a login: the pages of errors need them too
        app.add_api_route(f"/{name}", partial(_static, name))

    def error_page(request: Request, status: int, reason: str) -> Response:
        return pages.render(
            request, "error", None, status=status, reason=f"error_{reason}", login=""
        )

    @app.exception_handler(HTTPException)
    def refuse(request: Request, error: HTTPException) -> Response:
        if error.status_code in (401, 403):
            if request.method not in ("GET", "HEAD"):  # what was typed must not vanish silently
                return pages.render(
                    request,
                    "error",
                    None,
                    status=401,
                    reason="error_session",
                    login=_login(request),
                )
            return RedirectResponse(_login(request), 303)
        reason = "values" if error.status_code == 400 else "not_found"
        return error_page(request, error.status_code, reason)

    @app.exception_handler(RefusedError)
    def refuse_person(request: Request, error: RefusedError) -> Response:
        return error_page(request, error.status, error.reason)

    @app.exception_handler(ForgedFormError)
    def refuse_form(request: Request, _: ForgedFormError) -> Response:
        return error_page(request, 403, "forged")

    @app.exception_handler(RequestValidationError)
    def refuse_values(request: Request, _: RequestValidationError) -> Response:
        return error_page(request, 422, "values")

    @app.exception_handler(LumbungError)
    def fail(request: Request, error: LumbungError) -> Response:
        log.error("%s", error)  # it may name places of the server, so the page does not show it
        forget_logins()  # a password may be another one now
        return error_page(request, 503, "service")

    @app.exception_handler(OSError)
    def fail_on_disk(request: Request, error: OSError) -> Response:
        return fail(request, explained(error, Settings.load().home))

    @app.exception_handler(Exception)
    def fail_unexpectedly(request: Request, _: Exception) -> Response:
        # Starlette raises the error again after this answer, so the server logs it.
        return error_page(request, 500, "service")

    return Guard(app, lambda request: error_page(request, 413, "too_long"))


def _static(name: str) -> Response:
    return FileResponse(FOLDER / name, headers={"cache-control": "max-age=300"})


def _login(request: Request) -> str:
    """Return the address of Airflow's login, which comes back to the page, or that of a form."""
    back = f"{request.scope['root_path']}/"
    page = urlsplit(request.headers.get("referer", ""))
    if request.method in ("GET", "HEAD"):
        back = request.url.path + f"?{request.url.query}" * bool(request.url.query)
    elif page.path.startswith(back) and not page.path.startswith("//"):
        back = page.path + f"?{page.query}" * bool(page.query)
    return f"{airflow_root(request)}/api/v2/auth/login?next={quote(back, safe='')}"
