"""The audit log: who decided what, when."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from lumbung import audit
from lumbung.desk.access import Person, database_url
from lumbung.desk.office import Office, RefusedError

SHOWN = 50
"""Lines of a page."""


def routes(office: Office) -> APIRouter:
    """Return the route of the log."""
    router = APIRouter()

    @router.get("/catatan")
    def log(
        request: Request,
        who: Annotated[Person, Depends(office.who)],
        before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    ) -> Response:
        if not who.may_audit:
            raise RefusedError(404, "not_found")
        found = audit.entries(database_url("auditor"), before=before, limit=SHOWN + 1)
        return office.pages.render(
            request, "audit", who, entries=found[:SHOWN], has_more=len(found) > SHOWN
        )

    return router
