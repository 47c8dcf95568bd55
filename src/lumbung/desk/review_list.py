"""The review list: pairs of cases side by side for a steward to decide, other items by check."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from lumbung import registry, stewardship
from lumbung.desk.access import PROVINCE_ROLE, Person, database_url
from lumbung.desk.guard import Token
from lumbung.desk.office import NO_NUL, Office, Reason, RefusedError, Seen, reason_problem
from lumbung.desk.paging import After, page
from lumbung.errors import BuildError, ConfigurationError
from lumbung.stewardship import PAIRS, Item
from lumbung.warehouse import links

OWN_PAGES = {"word_unknown": "kata", "place_unresolved": "tempat"}
"""Checks whose items stewards of the province decide, with the page on which they do."""
SHOWN = 40
"""How many items of one check a page lists."""
Case = Annotated[str, Query(max_length=500, pattern=NO_NUL)]
CaseField = Annotated[str, Form(max_length=500, pattern=NO_NUL)]
Pair = tuple[str, str]


@dataclass(frozen=True)
class Group:
    """The items of one check."""

    check_code: str
    check_name: str
    count: int
    since: date


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


def items(who: Person) -> list[Item]:
    """Return the items that a steward sees: the database role shows those of the own regency.

    Raises:
        RefusedError: when the person is no steward.
        BuildError: when nothing has been built yet, which also makes the roles of the regencies.

    """
    return stewardship.items(_url(who))


def _url(who: Person) -> str:
    """Return the warehouse for the steward's role; the errors are those of `items`."""
    if not who.review_role:
        raise RefusedError(404, "not_found")
    try:
        return database_url(who.review_role)
    except ConfigurationError as error:
        raise BuildError(error.what, where=error.where, remediation=error.remediation) from error


def _area(who: Person) -> str:
    """Return the name of the regency that a steward looks after; empty: the whole province."""
    code = who.review_role.removeprefix("analyst_").replace("_", ".")
    return next(
        (row["regency_name"] for row in registry.seed("regency") if row["regency_code"] == code),
        "" if who.review_role == PROVINCE_ROLE else code,
    )


def _pairs(items: list[Item]) -> list[str]:
    return [item.item_id for item in items if item.check_code == PAIRS]


def _pair(item_id: str) -> Pair:
    one, _, other = item_id.partition("/")
    return one, other


def queue(who: Person) -> list[Pair]:
    """Return the pairs that wait for a steward, the likeliest first; none before a build.

    A pair stays in `marts.fct_review_item` until a build applies its decision.
    """
    try:
        return _undecided(_pairs(stewardship.items(_url(who), check=PAIRS)))
    except BuildError:
        return []


def _undecided(item_ids: list[str]) -> list[Pair]:
    decided = links.decisions(database_url("auditor"))
    return [pair for pair in map(_pair, item_ids) if pair not in decided]


def _decided(who: Person, decided: dict[Pair, links.Standing]) -> list[Decided]:
    """Return those of the decisions on pairs whose cases a steward sees."""
    cases = links.seen_by(_url(who), {case for pair in decided for case in pair})
    return [Decided(pair, standing) for pair, standing in decided.items() if cases.issuperset(pair)]


def counts(who: Person) -> tuple[int, int]:
    """Return how many pairs and how many other items wait for a steward; none before a build."""
    try:
        pairs, others = stewardship.waiting(_url(who))
    except BuildError:
        return 0, 0
    return len(_undecided(pairs)), others


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
            found: list[Item] | None = items(who)
        except BuildError:
            found = None
        decided = links.decisions(database_url("auditor"))
        groups: dict[str, list[Item]] = defaultdict(list)
        for item in found or []:
            groups[item.check_code].append(item)
        groups.pop(PAIRS, None)
        pairs = [*map(_pair, _pairs(found or []))]
        return office.pages.render(
            request,
            "review",
            who,
            area=_area(who),
            own_pages=OWN_PAGES if who.review_role == PROVINCE_ROLE else {},
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
            groups=[
                Group(code, group[0].check_name, len(group), min(i.since_date for i in group))
                for code, group in groups.items()
            ],
        )

    @router.get("/tinjauan/butir/{check}")
    def check(
        request: Request,
        who: Who,
        check: str,
        mulai: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> Response:
        try:
            found = [item for item in items(who) if item.check_code == check != PAIRS]
        except BuildError:
            found = []
        if not found:
            raise RefusedError(404, "not_found")
        return office.pages.render(
            request,
            "items",
            who,
            first=found[0],
            items=found[mulai : mulai + SHOWN],
            start=mulai,
            count=len(found),
            check=check,
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
        )

    @router.post("/tinjauan/pasangan")
    def decide(
        request: Request,
        who: Who,
        one: CaseField,
        other: CaseField,
        decision: Annotated[Literal["same_event", "different", "later", "undone"], Form()],
        csrf: Token = "",
        reason: Reason = "",
        seen: Seen = 0,
    ) -> Response:
        office.tokens.verify(request, who.account, csrf)
        # Also a pair that a build has taken off the list since the page was shown is decided.
        found = _read(who, one, other)
        if problem := reason_problem(reason, is_required=False):
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
            # The same decision of the same person is a form that was sent twice.
            if standing and standing[:2] != (decision, who.account):
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
    if not one or links.seen_by(_url(who), {one, other}) != {one, other}:
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
