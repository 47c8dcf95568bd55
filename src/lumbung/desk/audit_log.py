"""The audit log: who decided what, when."""

import logging
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from lumbung import audit
from lumbung.desk.access import Person, database_url
from lumbung.desk.office import Office, RefusedError
from lumbung.errors import LumbungError, ServiceError
from lumbung.settings import Settings

log = logging.getLogger(__name__)

SHOWN = 50
"""Lines of a page."""


def routes(office: Office) -> APIRouter:
    """Return the routes of the log."""
    router = APIRouter()

    @router.get("/catatan")
    def listing(
        request: Request,
        who: Annotated[Person, Depends(office.who)],
        before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    ) -> Response:
        if not who.may_audit:
            raise RefusedError(404, "not_found")
        return show(request, who, before)

    @router.get("/catatan/periksa")
    def verify(request: Request, who: Annotated[Person, Depends(office.who)]) -> Response:
        if not who.may_audit:
            raise RefusedError(404, "not_found")
        try:
            head = audit.verify(settings=Settings.load(), database_url=database_url("auditor"))
        except ServiceError:
            raise
        except LumbungError as error:
            log.warning("%s", error)
            return show(request, who, broken=error.what)
        return show(request, who, head=head)

    def show(
        request: Request,
        who: Person,
        before: int | None = None,
        head: audit.Head | None = None,
        broken: str = "",
    ) -> Response:
        found = audit.entries(database_url("auditor"), before=before, limit=SHOWN + 1)
        return office.pages.render(
            request,
            "audit",
            who,
            entries=found[:SHOWN],
            has_more=len(found) > SHOWN,
            head=head,
            broken=broken,
        )

    return router
