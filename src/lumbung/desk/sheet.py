"""The leadership sheet on a phone: made when a person asks for it, and each opening is logged."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from lumbung.desk.access import Person, database_url
from lumbung.desk.editions import EditionId
from lumbung.desk.guard import Token
from lumbung.desk.office import Office, RefusedError
from lumbung.publication.delivery.sheet import leadership_sheet
from lumbung.publication.model import store
from lumbung.settings import Settings

SHOWN = 6
"""Editions of a page: the newest of each week."""


def routes(office: Office) -> APIRouter:
    """Return the routes of the sheet."""
    router = APIRouter()

    def reader(who: Annotated[Person, Depends(office.who)]) -> Person:
        if not who.may_open_sheet:
            raise RefusedError(404, "not_found")
        return who

    Reader = Annotated[Person, Depends(reader)]  # noqa: N806

    @router.get("/lembar")
    def sheets(request: Request, who: Reader) -> Response:
        found = store.listed(office=who.office, database_url=database_url("auditor"))
        newest = [each for each in found if each.is_newest][:SHOWN]
        return office.pages.render(request, "sheets", who, editions=newest)

    # POST: what is written down must not be opened by a link, a preview or the browser's history
    @router.post("/lembar/{edition_id}")
    def sheet(request: Request, who: Reader, edition_id: EditionId, csrf: Token = "") -> Response:
        office.tokens.verify(request, who.account, csrf)
        found = store.listed(office=who.office, database_url=database_url("auditor"))
        if all(each.edition_id != edition_id for each in found):
            raise RefusedError(404, "not_found")
        opened = leadership_sheet(
            edition_id,
            reader=who.account,
            settings=Settings.load().at_office(who.office),
            database_url=database_url("publisher"),
        )
        return office.pages.render(request, "sheet", who, sheet=opened.content)

    return router
