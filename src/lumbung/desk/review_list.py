"""The review list: pairs of cases side by side for a steward to decide, other items by check."""

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from lumbung import registry, stewardship
from lumbung.desk import details
from lumbung.desk.access import PROVINCE_ROLE, Person, database_url
from lumbung.desk.guard import Token
from lumbung.desk.office import (
    NO_NUL,
    Chosen,
    Office,
    Reason,
    RefusedError,
    Seen,
    is_conflict,
    reason_problem,
    stated,
)
from lumbung.desk.paging import SHOWN, After, Page, key_in, page
from lumbung.desk.scope import titles
from lumbung.errors import BuildError, ConfigurationError
from lumbung.publication.office import load_office
from lumbung.settings import Settings
from lumbung.stewardship import Part, Waiting
from lumbung.warehouse import links

UNRESOLVED = "place_unresolved"
OWN_PAGES = {"word_unknown": "kata", UNRESOLVED: "tempat"}
"""Checks whose items stewards of a province decide, with the page on which they do.

Words count in every province, so that stewards of the installation's own office decide them.
"""
Case = Annotated[str, Query(max_length=500, pattern=NO_NUL)]
CaseField = Annotated[str, Form(max_length=500, pattern=NO_NUL)]
Pair = tuple[str, str]


class Decided(NamedTuple):
    """A pair and the decision on it."""

    pair: Pair
    standing: links.Standing


@dataclass(frozen=True)
class Before:
    """The pair that a steward decided, or tried to, on the page before.

    Attributes:
        is_own: whether the decision that is valid is the steward's.

    """

    one: str
    other: str
    standing: links.Standing
    is_own: bool


def warehouse(who: Person) -> str:
    """Return the warehouse for a steward's role, which sees the items of the own regency.

    Raises:
        RefusedError: when the person is no steward.
        BuildError: when nothing has been built yet, which also makes the roles of the regencies.

    """
    if not who.review_role:
        raise RefusedError(404, "not_found")
    try:
        return database_url(who.review_role)
    except ConfigurationError as error:
        raise BuildError(error.what, where=error.where, remediation=error.remediation) from error


def _area(who: Person) -> str:
    """Return the name of the regency or province that a steward looks after; empty: every one."""
    if who.is_steward_of_province and who.region_prefix:
        return load_office(Settings.load().at_office(who.office)).province
    code = who.review_role.removeprefix("analyst_").replace("_", ".")
    return next(
        (row["regency_name"] for row in registry.seed("regency") if row["regency_code"] == code),
        "" if who.review_role == PROVINCE_ROLE else code,
    )


def _pair(item_id: str) -> Pair:
    one, _, other = item_id.partition("/")
    return one, other


def queue(who: Person) -> list[Pair]:
    """Return the pairs that wait for a steward, the likeliest first; none before a build.

    A pair stays in `marts.fct_review_item` until a build applies its decision.
    """
    try:
        return _undecided(stewardship.waiting(warehouse(who)).pairs)
    except BuildError:
        return []


def _undecided(item_ids: list[str]) -> list[Pair]:
    decided = links.decisions(database_url("auditor"))
    return [pair for pair in map(_pair, item_ids) if pair not in decided]


def _decided(who: Person, decided: dict[Pair, links.Standing]) -> list[Decided]:
    """Return those of the decisions on pairs whose cases a steward sees."""
    cases = links.seen_by(warehouse(who), {case for pair in decided for case in pair})
    return [Decided(pair, standing) for pair, standing in decided.items() if cases.issuperset(pair)]


def counts(who: Person) -> tuple[int, int]:
    """Return how many pairs and how many other items wait for a steward; none before a build."""
    try:
        waiting = stewardship.waiting(warehouse(who))
    except BuildError:
        return 0, 0
    return len(_undecided(waiting.pairs)), sum(check.count for check in waiting.checks)


def routes(office: Office) -> APIRouter:
    """Return the routes of the review list."""
    router = APIRouter()
    Who = Annotated[Person, Depends(office.who)]  # noqa: N806

    @router.get("/tinjauan")
    def review(
        request: Request,
        who: Who,
        before_one: Case = "",
        before_other: Case = "",
        is_taken: bool = False,
        after_decided: After = "",
    ) -> Response:
        try:
            found: Waiting | None = stewardship.waiting(warehouse(who))
        except BuildError:
            found = None
        decided = links.decisions(database_url("auditor"))
        pairs = [*map(_pair, found.pairs if found else [])]
        return office.pages.render(
            request,
            "review",
            who,
            area=_area(who),
            own_pages={
                check: page
                for check, page in OWN_PAGES.items()
                if who.is_steward_of_warehouse
                or (who.is_steward_of_province and check == UNRESOLVED)
            },
            is_built=found is not None,
            before=_before(who, before_one, before_other) if found is not None else None,
            is_taken=is_taken,
            waiting=[pair for pair in pairs if pair not in decided],
            decided=page(
                _decided(who, decided) if found is not None else [],
                lambda each: (-each.standing.decision_id, ""),
                after_decided,
            ),
            unapplied=set(pairs),
            groups=found.checks if found else [],
            check_names=details.check_names(),
        )

    @router.get("/tinjauan/butir/{check}")
    def check(
        request: Request,
        who: Who,
        check: str,
        after: After = "",
    ) -> Response:
        names = details.check_names()
        if check not in names:
            raise RefusedError(404, "not_found")
        try:
            part = stewardship.of_check(warehouse(who), check, after=key_in(after), limit=SHOWN)
        except BuildError:
            part = Part([], 0, 0)
        if after and not part.items:  # what was older has been done meanwhile
            return RedirectResponse(f"{request.scope['root_path']}/tinjauan/butir/{check}", 303)
        if not part.items:
            raise RefusedError(404, "not_found")
        last = part.items[-1]
        is_last = part.first + len(part.items) > part.count
        following = "" if is_last else f"{last.since_date.toordinal()} {last.item_id}"
        return office.pages.render(
            request,
            "items",
            who,
            listed=Page(part.items, part.first, part.count, following),
            check=check,
            check_name=names[check],
            detail=details.detail,
            titles=titles(),
        )

    @router.get("/tinjauan/pasangan")
    def pair(
        request: Request,
        who: Who,
        one: Case,
        other: Case,
        before_one: Case = "",
        before_other: Case = "",
        is_taken: bool = False,
    ) -> Response:
        found = _read(who, one, other)
        before = _before(who, before_one, before_other)
        return show(request, who, found, before=before, is_taken=is_taken)

    def show(
        request: Request,
        who: Person,
        pair: links.Pair,
        *,
        before: Before | None = None,
        is_taken: bool = False,
        problem: str = "",
    ) -> Response:
        return office.pages.render(
            request,
            "pair",
            who,
            status=422 if problem else 200,
            pair=pair,
            count=len(queue(who)),
            before=before,
            is_taken=is_taken,
            problem=problem,
            evidence=details.evidence,
            titles=titles(),
        )

    @router.post("/tinjauan/pasangan")
    def decide(
        request: Request,
        who: Who,
        one: CaseField,
        other: CaseField,
        decision: Annotated[Literal["same_event", "different", "later", "undone"], Form()],
        csrf: Token = "",
        why: Chosen = "",
        reason: Reason = "",
        seen: Seen = 0,
    ) -> Response:
        office.tokens.verify(request, who.account, csrf)
        # Also a pair that a build has taken off the list since the page was shown is decided.
        found = _read(who, one, other)
        reason = stated(why, reason)
        # The evidence is the reason of most decisions on a pair; what is undone has one of its own.
        if problem := reason_problem(reason, is_required=decision == "undone"):
            return show(request, who, found, problem=problem)
        waiting = queue(who)
        pair = (min(one, other), max(one, other))
        values: dict[str, str] = {}
        before = {"before_one": pair[0], "before_other": pair[1]}
        if decision == "undone":
            if _record(who, pair, "undone", reason, seen):
                values = {**before, "is_taken": "1"}
            return _to_list(request, values)
        if decision != "later":
            standing = _record(who, pair, decision, reason, seen=0)
            values = before
            if is_conflict(standing and standing[:2], decision, who.account):
                values["is_taken"] = "1"
        place = waiting.index(pair) if pair in waiting else -1
        rest = waiting[place + 1 :] + (waiting[:place] if place > 0 else [])
        for following in rest:
            address = {"one": following[0], "other": following[1], **values}
            return RedirectResponse(
                f"{request.scope['root_path']}/tinjauan/pasangan?{urlencode(address)}", 303
            )
        return _to_list(request, values)

    return router


def _to_list(request: Request, values: dict[str, str]) -> Response:
    address = f"{request.scope['root_path']}/tinjauan?{urlencode(values)}"
    return RedirectResponse(address.rstrip("?"), 303)


def _before(who: Person, one: str, other: str) -> Before | None:
    # Nothing is shown of cases that the steward does not see, or that a build has taken away.
    if not one or links.seen_by(warehouse(who), {one, other}) != {one, other}:
        return None
    standing = links.standing(database_url("auditor"), one, other)
    return standing and Before(one, other, standing, is_own=standing.by == who.account)


def _read(who: Person, one: str, other: str) -> links.Pair:
    """Return a pair that the steward's role may see; any other is as if it did not exist."""
    if not who.review_role:
        raise RefusedError(404, "not_found")
    try:
        return links.read(database_url(who.review_role), one, other)
    except ConfigurationError as error:
        raise RefusedError(404, "not_found") from error


def _record(
    who: Person, pair: Pair, decision: links.Decision, reason: str, seen: int
) -> links.Standing | None:
    # The steward's own role has shown both cases.
    return links.decide(
        database_url("steward"),
        *pair,
        decision,
        by=who.account,
        note=reason.strip(),
        seen=seen,
    )
