"""Places that were not recognised, for stewards of the province: choose the region of each."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request
from starlette.responses import RedirectResponse, Response

from lumbung.desk.access import PROVINCE_ROLE, Person, database_url
from lumbung.desk.guard import Token
from lumbung.desk.office import Office, RefusedError
from lumbung.warehouse import mappings, places
from lumbung.warehouse.mappings import PLACE
from lumbung.warehouse.places import Unresolved

SHOWN = 40
"""Places of a page."""
PlaceId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


def routes(office: Office) -> APIRouter:
    """Return the routes of places."""
    router = APIRouter()
    Who = Annotated[Person, Depends(office.who)]  # noqa: N806

    @router.get("/tinjauan/tempat")
    def listing(request: Request, who: Who) -> Response:
        found = _found(who)
        decided = mappings.mappings(database_url("auditor"))
        waiting = [
            each
            for each in found.values()
            if each.method != "chosen" and (PLACE, each.place_id) not in decided
        ]
        return office.pages.render(
            request,
            "places",
            who,
            places=waiting[:SHOWN],
            count=len(waiting),
            regions=mappings.codes(PLACE),
            decided=[
                (found[term], mapping)
                for (vocabulary, term), mapping in decided.items()
                if vocabulary == PLACE and term in found
            ][:SHOWN],
        )

    @router.get("/tinjauan/tempat/{place_id}")
    def one(request: Request, who: Who, place_id: PlaceId) -> Response:
        place = _find(who, place_id)
        return office.pages.render(
            request,
            "place",
            who,
            place=place,
            regions=mappings.codes(PLACE),
            decided=mappings.mappings(database_url("auditor")).get((PLACE, place_id)),
        )

    @router.post("/tinjauan/tempat/{place_id}")
    def decide(
        request: Request,
        who: Who,
        place_id: PlaceId,
        code: Annotated[str, Form(max_length=20)] = "",
        csrf: Token = "",
    ) -> Response:
        office.tokens.verify(request, who.account, csrf)
        place = _find(who, place_id)
        if code and code not in mappings.codes(PLACE):
            raise RefusedError(422, "values")
        url = database_url("steward")
        mappings.decide(url, PLACE, place.place_id, code or None, by=who.account)
        return RedirectResponse(f"{request.scope['root_path']}/tinjauan/tempat", 303)

    return router


def _found(who: Person) -> dict[str, Unresolved]:
    """Return the places by id; no analyst may read them, so the session is the builds' own."""
    if who.review_role != PROVINCE_ROLE:
        raise RefusedError(404, "not_found")
    return {each.place_id: each for each in places.unresolved(database_url("transformer"))}


def _find(who: Person, place_id: str) -> Unresolved:
    """Return a place that waits; any other is as if it did not exist."""
    if place := _found(who).get(place_id):
        return place
    raise RefusedError(404, "not_found")
