"""Places that were not recognised, for stewards of the province: choose the region of each."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request
from starlette.responses import RedirectResponse, Response

from lumbung.desk.access import Person, database_url
from lumbung.desk.guard import Token
from lumbung.desk.office import (
    Chosen,
    Office,
    Reason,
    RefusedError,
    Seen,
    is_conflict,
    reason_problem,
    stated,
)
from lumbung.desk.paging import After, page
from lumbung.warehouse import mappings, places
from lumbung.warehouse.mappings import PLACE
from lumbung.warehouse.places import Unresolved

LONGEST = 200
"""Characters of a place in a list."""
PlaceId = Annotated[str, Path(pattern=r"^\d\d[0-9a-f]{32}$")]


def routes(office: Office) -> APIRouter:
    """Return the routes of places."""
    router = APIRouter()
    Who = Annotated[Person, Depends(office.who)]  # noqa: N806

    @router.get("/tinjauan/tempat")
    def listing(
        request: Request, who: Who, after: After = "", after_decided: After = ""
    ) -> Response:
        found = _found(who)
        decided = mappings.mappings(database_url("auditor"))
        return office.pages.render(
            request,
            "places",
            who,
            waiting=page(
                (each for each in found.values() if (PLACE, each.place_id) not in decided),
                lambda each: (-each.record_count, each.place_id),
                after,
                lambda each: each.written[:LONGEST],
            ),
            regions=mappings.codes(PLACE),
            decided=page(
                (
                    (found[term], mapping)
                    for (vocabulary, term), mapping in decided.items()
                    if vocabulary == PLACE and term in found
                ),
                lambda each: (-each[1].decision_id, ""),
                after_decided,
                lambda each: each[0].written[:LONGEST],
            ),
            longest=LONGEST,
        )

    @router.get("/tinjauan/tempat/{place_id}")
    def one(request: Request, who: Who, place_id: PlaceId) -> Response:
        return show(request, who, _find(who, place_id))

    def show(request: Request, who: Person, place: Unresolved, problem: str = "") -> Response:
        decided = mappings.mappings(database_url("auditor")).get((PLACE, place.place_id))
        return office.pages.render(
            request,
            "place",
            who,
            status=422 if problem else 200,
            place=place,
            regions=mappings.codes(PLACE, place.place_id),
            decided=decided,
            problem=problem,
        )

    @router.post("/tinjauan/tempat/{place_id}")
    def decide(
        request: Request,
        who: Who,
        place_id: PlaceId,
        code: Annotated[str, Form(max_length=20)] = "",
        seen: Seen = 0,
        why: Chosen = "",
        reason: Reason = "",
        csrf: Token = "",
    ) -> Response:
        office.tokens.verify(request, who.account, csrf)
        place = _find(who, place_id)
        if code and code not in mappings.codes(PLACE, place_id):
            raise RefusedError(422, "values")
        reason = stated(why, reason)
        if problem := reason_problem(reason):
            return show(request, who, place, problem)
        url = database_url("steward")
        valid = mappings.decide(
            url, PLACE, place.place_id, code or None, by=who.account, reason=reason, seen=seen
        )
        if is_conflict(valid and (valid.code, valid.decided_by), code, who.account):
            return show(request, who, place, "mapping_taken")
        return RedirectResponse(f"{request.scope['root_path']}/tinjauan/tempat", 303)

    return router


def _found(who: Person) -> dict[str, Unresolved]:
    """Return the places by id; no analyst may read them, so the session is the auditor's."""
    if not who.is_steward_of_province:
        raise RefusedError(404, "not_found")
    return {
        each.place_id: each
        for each in places.unresolved(database_url("auditor"))
        if each.place_id.startswith(who.region_prefix)
    }


def _find(who: Person, place_id: str) -> Unresolved:
    """Return a place that waits; any other is as if it did not exist."""
    if place := _found(who).get(place_id):
        return place
    raise RefusedError(404, "not_found")
