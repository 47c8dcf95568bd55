"""What could not be read, for those who look after its channel: open, dismiss, read again."""

from collections import defaultdict
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from pydantic import Field
from starlette.responses import RedirectResponse, Response

from lumbung.desk.access import Person, database_url
from lumbung.desk.guard import Token
from lumbung.desk.office import Chosen, Office, Reason, RefusedError, reason_problem, stated
from lumbung.desk.scope import Scope, scope
from lumbung.errors import ConfigurationError
from lumbung.intake import quarantine
from lumbung.intake.channel.models import NAME
from lumbung.intake.quarantine import Group, Original, Quarantined
from lumbung.settings import Settings
from lumbung.warehouse import channels

SHOWN = 50
"""Deliveries of a page."""
DISMISSALS = 20
"""How many of the last dismissals are listed."""
LONGEST = 8_000
"""Characters of a delivery that a page shows."""
Name = Annotated[str, Path(pattern=NAME)]
Code = Annotated[str, Path(pattern=r"^[a-z_]{1,50}$")]
Number = Annotated[int, Path(ge=1, le=2**62)]
Count = Annotated[int, Query(ge=0, le=2**31)]
Picked = Annotated[list[Annotated[int, Field(ge=1, le=2**62)]] | None, Form(max_length=SHOWN)]


def count(seen: Scope) -> int:
    """Return how many deliveries wait in the channels that a person looks after."""
    found = quarantine.groups(database_url("auditor"), channels=seen.records)
    return sum(group.count for group in found)


def routes(office: Office) -> APIRouter:
    """Return the routes of quarantine."""
    router = APIRouter()
    Who = Annotated[Person, Depends(office.who)]  # noqa: N806

    def show(
        request: Request,
        who: Person,
        found: Quarantined,
        original: Original | None = None,
        problem: str = "",
    ) -> Response:
        return office.pages.render(
            request,
            "quarantined",
            who,
            status=422 if problem else 200,
            found=found,
            title=scope(who).titles.get(found.channel, found.channel),
            original=original,
            content=original.content[:LONGEST] if original else "",
            problem=problem,
        )

    @router.get("/karantina")
    def listing(
        request: Request,
        who: Who,
        closed: Count = 0,
        opened: Count = 0,
        accepted: Count = 0,
        started: Annotated[str, Query(max_length=50)] = "",
    ) -> Response:
        seen = scope(who)
        url = database_url("auditor")
        by_channel: dict[str, list[Group]] = defaultdict(list)
        for group in quarantine.groups(url, channels=seen.records):
            by_channel[group.channel].append(group)
        return office.pages.render(
            request,
            "quarantine",
            who,
            channels=by_channel,
            titles=seen.titles,
            dismissals=quarantine.dismissals(url, channels=seen.records, limit=DISMISSALS),
            closed=closed,
            opened=opened,
            accepted=accepted,
            started=seen.titles.get(started),
        )

    @router.get("/karantina/{number}")
    def one(request: Request, who: Who, number: Number) -> Response:
        return show(request, who, _find(who, number))

    @router.post("/karantina/{number}/isi")
    def reveal(
        request: Request, who: Who, number: Number, reason: Reason = "", csrf: Token = ""
    ) -> Response:
        office.tokens.verify(request, who.account, csrf)
        found = _find(who, number)
        if problem := reason_problem(reason):
            return show(request, who, found, problem=problem)
        # The opening is logged before it is shown.
        original = quarantine.open_original(
            database_url("custodian"),
            number,
            by=who.account,
            reason=reason,
            home=Settings.load().home,
        )
        return show(request, who, found, original)

    @router.get("/karantina/{channel}/{code}")
    def group(
        request: Request,
        who: Who,
        channel: Name,
        code: Code,
        after: Annotated[int, Query(ge=0, le=2**62)] = 0,
    ) -> Response:
        seen = scope(who)
        found = _group(seen, channel, code)
        if found is None:
            raise RefusedError(404, "not_found")
        return _list(request, who, seen, found, after)

    def _list(
        request: Request,
        who: Person,
        seen: Scope,
        group: Group,
        after: int = 0,
        problem: str = "",
    ) -> Response:
        # A group may have 100,000 rows. After its last row it begins again.
        found = _listed(group, after=after, limit=SHOWN + 1) or _listed(group, limit=SHOWN + 1)
        if not found:  # closed meanwhile
            raise RefusedError(404, "not_found")
        return office.pages.render(
            request,
            "quarantine_group",
            who,
            status=422 if problem else 200,
            found=found[:SHOWN],
            has_more=len(found) > SHOWN,
            count=group.count,
            open_count=group.open_count,
            last=group.last,
            after=after,
            title=seen.titles.get(group.channel, group.channel),
            is_doubtful=group.reason_code == quarantine.DOUBTFUL,
            problem=problem,
        )

    @router.post("/karantina/{channel}/{code}/tutup")
    def dismiss(
        request: Request,
        who: Who,
        channel: Name,
        code: Code,
        which: Annotated[Literal["all", "chosen"], Form()],
        last: Annotated[int, Form(ge=0, le=2**62)],
        number: Picked = None,
        after: Annotated[int, Form(ge=0, le=2**62)] = 0,
        reason: Reason = "",
        csrf: Token = "",
    ) -> Response:
        office.tokens.verify(request, who.account, csrf)
        seen = scope(who)
        found = _group(seen, channel, code)
        if found is None:
            return _back(request, closed=0)
        # What came since the page was shown stays open: nobody has seen it. An acceptance is taken
        # back only where the delivery itself is chosen.
        numbers = (
            quarantine.open_numbers(database_url("auditor"), found, last=last)
            if which == "all"
            else [each.quarantine_id for each in _listed(found, numbers=number or ())]
        )
        problem = reason_problem(reason) or ("" if numbers else "quarantine_none_chosen")
        if problem:
            return _list(request, who, seen, found, after, problem)
        done = quarantine.dismiss(database_url("loader"), numbers, by=who.account, reason=reason)
        return _back(request, closed=done)

    @router.post("/karantina/{channel}/" + quarantine.DOUBTFUL + "/terima")
    def accept(
        request: Request,
        who: Who,
        channel: Name,
        number: Picked = None,
        after: Annotated[int, Form(ge=0, le=2**62)] = 0,
        reason: Reason = "",
        csrf: Token = "",
    ) -> Response:
        office.tokens.verify(request, who.account, csrf)
        seen = scope(who)
        found = _group(seen, channel, quarantine.DOUBTFUL)
        if found is None:
            return _back(request, accepted=0)
        numbers = [each.quarantine_id for each in _listed(found, numbers=number or ())]
        problem = reason_problem(reason) or ("" if numbers else "quarantine_none_chosen")
        if problem:
            return _list(request, who, seen, found, after, problem)
        try:
            quarantine.accept(
                database_url("custodian"),
                numbers,
                by=who.account,
                reason=reason,
                home=Settings.load().home,
            )
        except ConfigurationError:
            return _list(request, who, seen, found, after, "quarantine_no_message")
        return _back(request, accepted=len(numbers))

    @router.post("/karantina/{channel}/batal")
    def reopen(
        request: Request,
        who: Who,
        channel: Name,
        at: Annotated[datetime, Form()],
        why: Chosen = "",
        csrf: Token = "",
    ) -> Response:
        office.tokens.verify(request, who.account, csrf)
        scope(who).require(channel)
        if not why:
            raise RefusedError(422, "values")
        # All: it may have been among the last ones when the page was shown.
        listed = quarantine.dismissals(database_url("auditor"), channels=[channel], limit=None)
        numbers = [number for each in listed if each.at == at for number in each.numbers]
        done = quarantine.reopen(
            database_url("loader"), numbers, by=who.account, reason=stated(why, "")
        )
        return _back(request, opened=done)

    @router.post("/karantina/{channel}/baca-ulang")
    def retry(
        request: Request, who: Who, channel: Name, why: Chosen = "", csrf: Token = ""
    ) -> Response:
        office.tokens.verify(request, who.account, csrf)
        seen = scope(who)
        name = seen.file(channel)
        if name is None:
            raise RefusedError(404, "not_found")
        if not why:
            raise RefusedError(422, "values")
        reason = stated(why, "")
        channels.record_request(
            database_url("steward"), channel, "retry", by=who.account, reason=reason
        )
        office.airflow(request).pull(name, by=who.account, from_start=True)
        return _back(request, started=channel)

    return router


def _find(who: Person, number: int) -> Quarantined:
    """Return a delivery of a channel that a person looks after; no other exists for the person."""
    for each in quarantine.listed(
        database_url("auditor"), channels=scope(who).records, numbers=[number], include_closed=True
    ):
        return each
    raise RefusedError(404, "not_found")


def _group(seen: Scope, channel: str, code: str) -> Group | None:
    """Return the open deliveries of a channel with one reason, counted; None: there are none."""
    seen.require(channel)
    found = quarantine.groups(database_url("auditor"), channels=[channel], reason_code=code)
    return found[0] if found else None


def _listed(group: Group, **given: Any) -> list[Quarantined]:
    return quarantine.listed(
        database_url("auditor"), channels=[group.channel], reason_code=group.reason_code, **given
    )


def _back(request: Request, **values: object) -> Response:
    return RedirectResponse(f"{request.scope['root_path']}/karantina?{urlencode(values)}", 303)
