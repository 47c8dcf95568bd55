"""The channels, for those who look after them: what came, what is wrong, pull, pause, upload."""

import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal, get_args

import fastapi
from fastapi import APIRouter, Depends, Form, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from lumbung.desk.access import Person, database_url
from lumbung.desk.airflow import Dag
from lumbung.desk.guard import Token
from lumbung.desk.office import Chosen, Office, Reason, RefusedError, Why, reason_problem, stated
from lumbung.desk.scope import Scope, channel_files, scope
from lumbung.errors import ConfigurationError, ServiceError
from lumbung.files import versions
from lumbung.intake import forms, inbox
from lumbung.intake.channel.models import NAME, Channel
from lumbung.settings import Settings
from lumbung.warehouse import channels, raw_checkpoint
from lumbung.warehouse.channels import Day, Status

log = logging.getLogger(__name__)

SHOWN = 50
"""Notices of a page."""
HEIGHT, WIDTH, GAP = 120, 40, 8
"""Of the chart, a day and the space between two days, in units of the drawing."""
PROBLEMS: dict[type[inbox.UploadError], str] = {
    inbox.FileNameError: "upload_name",
    inbox.EmptyFileError: "upload_empty",
    inbox.TooLargeFileError: "upload_too_large",
    inbox.UnreadFileError: "upload_unread",
    inbox.FullDiskError: "upload_full",
}
Name = Annotated[str, fastapi.Path(pattern=NAME)]
Id = Annotated[int, Field(ge=0, le=2**62)]
Done = Annotated[Literal["", "pulled", "paused", "resumed", "uploaded", "released"], Query()]
FORMS = {
    "rencana-pencegahan.xlsx": forms.write_plan_template,
    "formulir-pencegahan.xlsx": forms.write_prevention_form,
}
"""Empty files that an office fills in, and what writes them."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Bar:
    """A part of the chart: so many deliveries of one kind on one day."""

    kind: str
    x: int
    y: float
    height: float


def troubled(seen: Scope) -> tuple[int, int]:
    """Return how many of the channels that a person looks after are late, and are held back."""
    found = _statuses(seen).values()
    return sum(each.is_late for each in found), sum(bool(each.holds) for each in found)


def routes(office: Office) -> APIRouter:
    """Return the routes of channels."""
    router = APIRouter()
    Who = Annotated[Person, Depends(office.who)]  # noqa: N806

    def dags(request: Request) -> dict[str, Dag] | None:
        """The DAGs of the channels; None: Airflow does not answer."""
        try:
            return office.airflow(request).channels()
        except ServiceError as error:
            log.warning("%s", error)
            return None

    @router.get("/kanal")
    def listing(request: Request, who: Who) -> Response:
        seen = scope(who)
        mistaken: list[str] = []
        if seen.is_all:
            mistaken = sorted(channel_files(Settings.load().channels)[1])
        return office.pages.render(
            request,
            "channels",
            who,
            channels=seen.files,
            statuses=_statuses(seen),
            dags=dags(request) or {},
            mistaken=mistaken,
            forms=list(FORMS),
        )

    @router.get("/kanal/{name}")
    def one(request: Request, who: Who, name: Name, done: Done = "") -> Response:
        seen = scope(who)
        if name not in seen.files and (file := seen.file(name)):  # a mail names its records
            return RedirectResponse(f"{request.scope['root_path']}/kanal/{file}", 303)
        return show(request, who, name, done=done)

    def show(
        request: Request, who: Person, name: str, *, done: str = "", problem: str = ""
    ) -> Response:
        channel = _find(who, name)
        status = _statuses(Scope({name: channel}, is_all=False))[channel.name]
        found = dags(request)
        return office.pages.render(
            request,
            "channel",
            who,
            status=422 if problem else 200,
            name=name,
            channel=channel,
            state=status,
            bars=_bars(status.days),
            most=max(day.read for day in status.days),
            width=WIDTH * len(status.days),
            height=HEIGHT,
            bar_width=WIDTH - GAP,
            drift=status.drift[:SHOWN],
            dag=None if found is None else found.get(name),
            is_answering=found is not None,
            files=inbox.pattern(channel),
            most_mb=inbox.MAX_BYTES >> 20,
            done=done,
            problem=problem,
        )

    @router.get("/kanal/formulir/{name}")
    def form(who: Who, name: Literal[*FORMS]) -> Response:  # type: ignore[valid-type]
        scope(who)
        with TemporaryDirectory() as folder:
            path = Path(folder) / name
            FORMS[name](path)
            content = path.read_bytes()
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=XLSX, headers=headers)

    @router.post("/kanal/{name}/tarik")
    def pull(
        request: Request, who: Who, name: Name, why: Chosen = "", csrf: Token = ""
    ) -> Response:
        office.tokens.verify(request, who.account, csrf)
        channel = _find(who, name)
        if not why:
            raise RefusedError(422, "values")
        _record(who, channel, "pull", stated(why, ""))
        office.airflow(request).pull(name, by=who.account)
        return _back(request, name, "pulled")

    @router.post("/kanal/{name}/penghapusan")
    def accept_withdrawals(
        request: Request,
        who: Who,
        name: Name,
        count: Annotated[int, Form(ge=1, le=10**9)],
        reason: Reason = "",
        csrf: Token = "",
    ) -> Response:
        office.tokens.verify(request, who.account, csrf)
        channel = _find(who, name)
        problem = reason_problem(reason)
        found = dags(request)
        if not problem and found and name in found and found[name].is_paused:
            problem = "channel_withdrawals_paused"  # the pull would accept what is missing then
        if problem:
            return show(request, who, name, problem=problem)
        _record(who, channel, "accept_withdrawals", reason, count)
        # A second tap withdraws nothing more: what was missing is withdrawn already.
        office.airflow(request).pull(name, by=who.account, most_withdrawals=count)
        return _back(request, name, "pulled")

    @router.post("/kanal/{name}/lepas")
    def release(
        request: Request,
        who: Who,
        name: Name,
        hold: Annotated[list[Id] | None, Form(max_length=50)] = None,
        judged: Annotated[Id, Form()] = 0,
        reason: Reason = "",
        csrf: Token = "",
    ) -> Response:
        office.tokens.verify(request, who.account, csrf)
        channel = _find(who, name)
        if problem := reason_problem(reason):
            return show(request, who, name, problem=problem)
        url, seen = database_url("steward"), (hold or [], judged)
        try:
            raw_checkpoint.release(url, channel.name, by=who.account, reason=reason, seen=seen)
        except ConfigurationError:  # somebody else has released it, or the checkpoint; or it grew
            if not raw_checkpoint.is_released(
                database_url("auditor"), hold or [], by=who.account, reason=reason
            ):  # and it is no form that was sent twice
                return show(request, who, name, problem="channel_not_held")
        return _back(request, name, "released")

    @router.post("/kanal/{name}/jeda")
    def pause(
        request: Request,
        who: Who,
        name: Name,
        is_paused: Annotated[bool, Form()],
        why: Chosen = "",
        csrf: Token = "",
    ) -> Response:
        office.tokens.verify(request, who.account, csrf)
        channel = _find(who, name)
        if not why:
            raise RefusedError(422, "values")
        _record(who, channel, "pause" if is_paused else "resume", stated(why, ""))
        office.airflow(request).pause(name, is_paused)
        return _back(request, name, "paused" if is_paused else "resumed")

    @router.post("/kanal/{name}/unggah")
    async def upload(request: Request, who: Who, name: Name) -> Response:
        # Before the body is read; a parameter with the file would be read before `who` is known.
        channel = await run_in_threadpool(_find, who, name)
        if inbox.pattern(channel) is None:
            raise RefusedError(403, "no_inbox")
        # Starlette parses any other kind of form on the event loop, however long it is.
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise RefusedError(422, "values")
        async with request.form(max_files=1, max_fields=3) as form:
            csrf, file = form.get("csrf"), form.get("file")
            office.tokens.verify(request, who.account, csrf if isinstance(csrf, str) else "")
            why = form.get("why")
            if why not in get_args(Why) or not why:
                raise RefusedError(422, "values")
            reason = stated(str(why), "")
            problem = await run_in_threadpool(_receive, file, channel, who, reason)
        if problem:
            return await run_in_threadpool(show, request, who, name, problem=problem)
        return _back(request, name, "uploaded")

    return router


def _receive(file: object, channel: Channel, who: Person, reason: str) -> str:
    """Put a file into the inbox; return the key of the text that says why it was not taken."""
    if not isinstance(file, UploadFile):
        return "upload_empty"
    try:
        inbox.receive(
            file.file,
            file.filename or "",
            channel,
            by=who.account,
            reason=reason,
            settings=Settings.load(),
            database_url=database_url("steward"),
        )
    except inbox.UploadError as error:
        return PROBLEMS[type(error)]
    return ""


def _record(who: Person, channel: Channel, asked: str, reason: str = "", count: int = 0) -> None:
    """Write into the audit log what Airflow is asked next, in the name of the desk."""
    url = database_url("steward")
    channels.record_request(url, channel.name, asked, by=who.account, reason=reason, count=count)


def _find(who: Person, name: str) -> Channel:
    """Return a channel that a person looks after; any other is as if it did not exist."""
    if channel := scope(who).files.get(name):
        return channel
    raise RefusedError(404, "not_found")


def _statuses(seen: Scope) -> dict[str, Status]:
    cadences = {each.name: each.expected_every for each in seen.files.values()}
    suite = Settings.load().expectations / "raw.yaml"
    allowed = _allowed_cadences(suite, versions([suite]))
    return channels.statuses(database_url("auditor"), cadences, allowed=allowed)


@lru_cache(maxsize=1)
def _allowed_cadences(suite: Path, _versions: object) -> float:
    return channels.allowed_cadences(suite)


def _bars(days: list[Day]) -> list[Bar]:
    """Return the chart's bars: of each day what was landed, above it duplicates and quarantine."""
    most = max(day.read for day in days) or 1
    bars = []
    for place, day in enumerate(days):
        top = float(HEIGHT)
        for kind in ("landed", "duplicate", "quarantined"):
            if count := getattr(day, kind):
                height = round(count / most * HEIGHT, 1)
                top = round(top - height, 1)
                bars.append(Bar(kind, place * WIDTH + GAP // 2, top, height))
    return bars


def _back(request: Request, name: str, done: str) -> Response:
    return RedirectResponse(f"{request.scope['root_path']}/kanal/{name}?done={done}", 303)
