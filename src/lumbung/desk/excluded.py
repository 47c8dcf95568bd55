"""What no metric counts, and why; what a person excluded can be restored."""

import logging
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request
from starlette.responses import RedirectResponse, Response

from lumbung.desk.access import Person, database_url
from lumbung.desk.guard import Token
from lumbung.desk.office import Office, Reason, RefusedError, Seen, is_conflict, reason_problem
from lumbung.desk.paging import After, page
from lumbung.desk.scope import titles
from lumbung.errors import ConfigurationError
from lumbung.warehouse import exclusions

log = logging.getLogger(__name__)


def routes(office: Office) -> APIRouter:
    """Return the routes of excluded deliveries."""
    router = APIRouter()
    Who = Annotated[Person, Depends(office.who)]  # noqa: N806

    def show(
        request: Request,
        who: Person,
        problem: str = "",
        *,
        after_reason: str = "",
        after_decided: str = "",
    ) -> Response:
        # A delivery that is excluded has no regency, so no steward of one can be shown its own.
        if not who.is_steward_of_warehouse:
            raise RefusedError(404, "not_found")
        return office.pages.render(
            request,
            "excluded",
            who,
            status=422 if problem else 200,
            counts=page(
                exclusions.not_counted(database_url(who.review_role)),
                lambda each: (-each.record_count, f"{each.reason} {each.channel}"),
                after_reason,
            ),
            excluded=page(
                exclusions.excluded(database_url("auditor")),
                lambda each: (-each.decision_id, ""),
                after_decided,
                lambda each: each.reason,
            ),
            problem=problem,
            titles=titles(),
        )

    @router.get("/tinjauan/dikeluarkan")
    def listing(
        request: Request, who: Who, after_reason: After = "", after_decided: After = ""
    ) -> Response:
        return show(request, who, after_reason=after_reason, after_decided=after_decided)

    @router.post("/tinjauan/dikeluarkan")
    def exclude(
        request: Request,
        who: Who,
        number: Annotated[int, Form(ge=1, le=2**62)],
        reason: Reason = "",
        csrf: Token = "",
    ) -> Response:
        office.tokens.verify(request, who.account, csrf)
        if not who.is_steward_of_warehouse:
            raise RefusedError(404, "not_found")
        if problem := reason_problem(reason):
            return show(request, who, problem)
        url = database_url("steward")
        try:
            exclusions.decide(url, number, "excluded", by=who.account, reason=reason)
        except ConfigurationError:
            valid = [
                each
                for each in exclusions.excluded(database_url("auditor"))
                if each.record_id == number
            ]
            if not valid or is_conflict(
                (valid[0].decided_by, valid[0].reason), who.account, reason.strip()
            ):
                return show(request, who, "excluded_no_record")
        return RedirectResponse(f"{request.scope['root_path']}/tinjauan/dikeluarkan", 303)

    @router.post("/tinjauan/dikeluarkan/{number}")
    def restore(
        request: Request,
        who: Who,
        number: Annotated[int, Path(ge=1, le=2**62)],
        reason: Reason = "",
        seen: Seen = 0,
        csrf: Token = "",
    ) -> Response:
        office.tokens.verify(request, who.account, csrf)
        if not who.is_steward_of_warehouse:
            raise RefusedError(404, "not_found")
        found = {each.record_id: each for each in exclusions.excluded(database_url("auditor"))}
        problem = reason_problem(reason)
        if not problem and number in found and found[number].decision_id != seen:
            problem = "excluded_changed"
        if problem:
            before = f"{-found[number].decision_id - 1} " if number in found else ""
            return show(request, who, problem, after_decided=before)
        if number in found:
            url = database_url("steward")
            try:
                exclusions.decide(url, number, "restored", by=who.account, reason=reason)
            except ConfigurationError as error:  # somebody has just restored it
                log.info("%s", error)
        return RedirectResponse(f"{request.scope['root_path']}/tinjauan/dikeluarkan", 303)

    return router
