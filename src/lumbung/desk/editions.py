"""Editions: the list, a draft as its readers will see it, and the decision on it."""

import hashlib
import logging
import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Path, Request
from pydantic import StringConstraints
from starlette.responses import RedirectResponse, Response

from lumbung import database, orchestration, registry
from lumbung.desk.access import Person, database_url
from lumbung.desk.guard import Token
from lumbung.desk.office import LINE_ENDS, NO_NUL, Office, RefusedError, reason_problem
from lumbung.errors import PublicationError, ServiceError
from lumbung.publication.checks import waiver
from lumbung.publication.delivery import notify
from lumbung.publication.edition_id import PATTERN, office_of
from lumbung.publication.editions import approver, folder, review
from lumbung.publication.editions.approver import CodeError, LockedError
from lumbung.publication.formats import render
from lumbung.publication.model import store
from lumbung.publication.model.edition import Edition, Waiver
from lumbung.publication.model.store import Listed
from lumbung.publication.proof.merkle import files_root
from lumbung.settings import JAKARTA, Settings
from lumbung.warehouse import export

log = logging.getLogger(__name__)

EditionId = Annotated[str, Path(pattern=f"^{PATTERN}$")]
FileName = Annotated[str, Path(max_length=300, pattern=NO_NUL)]
INLINE = {
    "pdf": "application/pdf",
    "txt": "text/plain; charset=utf-8",
    "html": "text/html; charset=utf-8",
}
"""Kinds of files that the browser shows; it saves all others."""
MAIN = {
    "id": ("edisi.html", "edisi.pdf", "edisi.xlsx", "siaran-pers.txt"),
    "en": ("en/edition.html", "en/edition.pdf", "en/edition.xlsx", "en/press-release.txt"),
}
"""The files that a reader opens first, by language."""
LONGEST_WAIVER = timedelta(days=31)
Decision = Literal["approved", "rejected"]
Progress = Literal["", "waiting", "missing", "unknown"]
"""Whether a run waits for a decision that is recorded, or none does, or Airflow does not answer.

Empty: a run has received it, or nothing is left to do.
"""
OPTIONS = {"approved": orchestration.APPROVE, "rejected": orchestration.REJECT}


def visible(who: Person, url: str) -> list[Listed]:
    """Return the editions that a person may see, the newest first; some see only published ones.

    These are the editions of the own office; auditors also see what others have published.
    """
    return [
        each
        for each in store.listed(office=None if who.may_audit else who.office, database_url=url)
        if each.state == "published"
        or (who.may_read_drafts and office_of(each.edition_id) == who.office)
    ]


def _find(who: Person, edition_id: str, url: str) -> Listed:
    """Return an edition that a person may see; any other is as if it did not exist."""
    for each in visible(who, url):
        if each.edition_id == edition_id:
            return each
    raise RefusedError(404, "not_found")


def _files(edition: Listed, url: str) -> dict[str, bytes]:
    """Return an edition's files by name: as they were published, else those of the draft."""
    if edition.state == "published":
        return store.artefacts(edition.edition_id, database_url=url)
    return store.draft_files(edition.edition_id, database_url=url)


@dataclass(frozen=True)
class Shown:
    """What the page of an edition shows of its content and its files.

    Attributes:
        points: its main points, each the words that stand out and the rest.
        changes: what `_changes` returns.
        restated_count: how many numbers of earlier editions it changes.
        waivers: the waivers of its checks.
        main: the files that a reader opens first.
        files: name, size in bytes and sha256 of each file.
        file_root: what a decision names; empty without files.

    """

    points: tuple[tuple[str, str], ...]
    changes: tuple[tuple[str, int, int | None], ...]
    restated_count: int
    waivers: tuple[Waiver, ...]
    main: tuple[str, ...]
    files: tuple[tuple[str, int, str], ...]
    file_root: str


@lru_cache(maxsize=16)
def _shown(url: str, listed: Listed, _version: str) -> Shown:
    """Return what the page shows; once for each version, because it reads the whole edition."""
    edition = store.load(listed.edition_id, database_url=url)
    files = _files(listed, url)
    hashes = folder.hashes(files)
    return Shown(
        points=tuple(render.document(edition).points),
        changes=tuple(_changes(edition)),
        restated_count=len(edition.restatements),
        waivers=edition.waivers,
        main=tuple(name for name in MAIN[edition.language] if name in files),
        files=tuple((name, len(content), hashes[name]) for name, content in sorted(files.items())),
        file_root=files_root(hashes) if files else "",
    )


def _changes(edition: Edition) -> list[tuple[str, int, int | None]]:
    """Return the province's metrics that changed since the week before: code, now and before."""
    return [
        (code, value.week, value.previous)
        for (code, category, regency), value in edition.metrics.items()
        if (category, regency) == (registry.WHOLE, edition.area_code)
        and value.week != value.previous
    ]


def routes(office: Office) -> APIRouter:
    """Return the routes of editions."""
    router = APIRouter()
    Who = Annotated[Person, Depends(office.who)]  # noqa: N806

    def show(
        request: Request, who: Person, listed: Listed, problem: str = "", status: int = 200
    ) -> Response:
        url = database_url("auditor")
        shown = _shown(url, listed, store.version(listed.edition_id, database_url=url))
        return office.pages.render(
            request,
            "edition",
            who,
            status=status,
            listed=listed,
            shown=shown,
            waivable=waiver.waivable(listed.edition_id, database_url=url)
            if who.may_decide
            and listed.state == "draft"
            and listed.is_newest
            and not listed.is_checked
            else [],
            today=datetime.now(JAKARTA).date(),
            checks=notify.results(listed.edition_id, database_url=url),
            needs_code=not Settings.load().demo_claim.exists(),
            problem=problem,
        )

    @router.get("/edisi")
    def editions(request: Request, who: Who) -> Response:
        found = visible(who, database_url("auditor"))
        return office.pages.render(request, "editions", who, editions=found)

    @router.get("/edisi/{edition_id}")
    def edition(request: Request, who: Who, edition_id: EditionId) -> Response:
        return show(request, who, _find(who, edition_id, database_url("auditor")))

    @router.get("/edisi/{edition_id}/berkas/{name:path}")
    def file(who: Who, edition_id: EditionId, name: FileName) -> Response:
        url = database_url("auditor")
        listed = _find(who, edition_id, url)
        content = store.file(listed, name, database_url=url)
        if content is None:
            raise RefusedError(404, "not_found")
        if listed.state != "published":
            with database.connect(
                database_url("steward"), application="lumbung desk"
            ) as connection:
                export.record(connection, who.account, {"edition_id": edition_id, "file": name})
        return _file(edition_id, name, content)

    @router.post("/edisi/{edition_id}/keputusan")
    def decide(
        request: Request,
        who: Who,
        edition_id: EditionId,
        decision: Annotated[Decision, Form()],
        root: Annotated[str, Form(max_length=64)],
        csrf: Token = "",
        code: Annotated[str, Form(max_length=20)] = "",
        reason: Annotated[
            str, Form(), LINE_ENDS, StringConstraints(max_length=4000, pattern=NO_NUL)
        ] = "",
    ) -> Response:
        office.tokens.verify(request, who.account, csrf)
        url = database_url("auditor")
        listed = _find(who, edition_id, url)
        if not who.may_decide:
            raise RefusedError(403, "not_yours")
        if listed.state == "draft":
            if problem := _decide(who, listed, decision, root, code.strip(), reason.strip()):
                listed = _find(who, edition_id, url)
                if listed.state == "draft":
                    return show(request, who, listed, problem, 422)
            else:
                _resume(request, edition_id, decision, reason.strip())
        listed = _find(who, edition_id, url)
        stands = (listed.decision, listed.decided_by) == (decision, who.name)
        address = f"{request.scope['root_path']}/edisi/{edition_id}/keputusan"
        return RedirectResponse(address if stands else f"{address}?tidak_tercatat=true", 303)

    @router.post("/edisi/{edition_id}/pengecualian")
    def waive(
        request: Request,
        who: Who,
        edition_id: EditionId,
        check: Annotated[str, Form(max_length=100, pattern=NO_NUL)],
        until: Annotated[str, Form(max_length=20)] = "",
        csrf: Token = "",
        code: Annotated[str, Form(max_length=20)] = "",
        reason: Annotated[
            str, Form(), LINE_ENDS, StringConstraints(max_length=1000, pattern=NO_NUL)
        ] = "",
    ) -> Response:
        office.tokens.verify(request, who.account, csrf)
        listed = _find(who, edition_id, database_url("auditor"))
        if not who.may_decide:
            raise RefusedError(403, "not_yours")
        if problem := _waive(who, listed, check, until, code.strip(), reason.strip()):
            return show(request, who, listed, problem, 422)
        try:
            office.airflow(request).draft(listed.edition_id, by=who.account)
        except ServiceError as error:  # the page says whom to ask
            log.warning("%s", error)
        return RedirectResponse(f"{request.scope['root_path']}/edisi/{edition_id}", 303)

    @router.get("/edisi/{edition_id}/keputusan")
    def decided(
        request: Request,
        who: Who,
        edition_id: EditionId,
        tidak_tercatat: bool = False,
        diminta: bool = False,
    ) -> Response:
        url = database_url("auditor")
        listed = _find(who, edition_id, url)
        if listed.decision is None:
            return RedirectResponse(f"{request.scope['root_path']}/edisi/{edition_id}", 303)
        found = store.load(edition_id, database_url=url).decision
        return office.pages.render(
            request,
            "decided",
            who,
            listed=listed,
            is_other=tidak_tercatat,
            file_root=files_root(dict(found.reviewed)) if found else "",
            is_requested=diminta and listed.state == "approved",
            progress=_progress(request, listed) if who.may_decide else "",
        )

    @router.post("/edisi/{edition_id}/lanjutkan")
    def resume(request: Request, who: Who, edition_id: EditionId, csrf: Token = "") -> Response:
        office.tokens.verify(request, who.account, csrf)
        listed = _find(who, edition_id, database_url("auditor"))
        if not who.may_decide:
            raise RefusedError(403, "not_yours")
        address = f"{request.scope['root_path']}/edisi/{edition_id}/keputusan"
        if listed.state == "approved" and _progress(request, listed) == "missing":
            try:  # a run publishes what is approved, and asks nobody again
                office.airflow(request).draft(listed.edition_id, by=who.account)
            except ServiceError as error:  # the page of the decision offers to try again
                log.warning("%s", error)
            else:
                address += "?diminta=true"
        elif listed.decision is not None:
            _resume(request, edition_id, listed.decision, listed.comment or "")
        return RedirectResponse(address, 303)

    def _progress(request: Request, listed: Listed) -> Progress:
        if listed.state == "published" or not listed.is_newest:
            return ""
        airflow = office.airflow(request)
        try:
            if airflow.question(listed.edition_id):
                return "waiting"
            return "" if airflow.is_answered(listed.edition_id) else "missing"
        except ServiceError as error:
            log.warning("%s", error)
            return "unknown"

    def _resume(request: Request, edition_id: str, decision: str, comment: str) -> None:
        """Answer the task of Airflow that waits for a decision which is recorded."""
        airflow = office.airflow(request)
        try:
            if question := airflow.question(edition_id):
                airflow.answer(question, OPTIONS[decision], comment)
        except ServiceError as error:  # the page of the decision offers to try again
            log.warning("%s", error)

    return router


def _decide(
    who: Person, listed: Listed, decision: Decision, root: str, code: str, reason: str
) -> str:
    """Record a decision; return the key of the text that says why it was not, else nothing."""
    if decision == "rejected":
        if not reason:
            return "problem_reason"
        if problem := reason_problem(reason):
            return problem
    if not listed.is_newest:
        return "problem_newer"
    settings = Settings.load()
    try:
        reviewed = folder.hashes(_files(listed, database_url("auditor")))
        if files_root(reviewed) != root:
            return "problem_changed"
        review.decide(
            listed.edition_id,
            decision,
            name=who.account,
            by=who.name,
            code=code,
            reviewed=reviewed,
            settings=settings,
            database_url=database_url("approver"),
            how="demo" if who.account == "demo" else "person",
            comment=reason if decision == "rejected" else "",
        )
    except CodeError:
        return "problem_code"
    except LockedError:
        return "problem_locked"
    except PublicationError as error:
        log.warning("%s", error)
        return "problem_other"
    return ""


def _waive(who: Person, listed: Listed, check: str, day: str, code: str, reason: str) -> str:
    """Record a waiver; return the key of the text that says why it was not, else nothing."""
    if not listed.is_newest:
        return "problem_newer"
    today = datetime.now(JAKARTA).date()
    if not reason:
        return "problem_waiver_reason"
    if problem := reason_problem(reason):
        return problem
    try:
        until = date.fromisoformat(day)
    except ValueError:
        return "problem_waiver_until"
    if not today <= until <= today + LONGEST_WAIVER:
        return "problem_waiver_until"
    settings, url = Settings.load(), database_url("approver")
    proof = None
    try:
        if code or not settings.demo_claim.exists():
            proof = approver.prove(
                who.account,
                code,
                edition_id=listed.edition_id,
                decision=f"waived {check} until {until}",
                by=who.name,
                root=hashlib.sha256(reason.encode()).hexdigest(),
                settings=settings,
                database_url=url,
            )
        waiver.waive(
            check,
            edition_id=listed.edition_id,
            by=who.name,
            reason=reason,
            until=until,
            settings=settings,
            database_url=url,
            proof=proof,
        )
    except CodeError:
        return "problem_code"
    except LockedError:
        return "problem_locked"
    except PublicationError as error:
        log.warning("%s", error)
        return "problem_waiver"
    return ""


def _file(edition_id: str, name: str, content: bytes) -> Response:
    """Return a file; scripts in it do not run, and what the browser cannot show is saved."""
    kind = name.rpartition(".")[2]
    headers = {"content-security-policy": "default-src 'none'; frame-ancestors 'self'"}
    if kind == "html":
        styles = " ".join(
            f"'sha256-{b64encode(hashlib.sha256(style).digest()).decode()}'"
            for style in re.findall(rb"<style>(.*?)</style>", content, re.S)
        )
        styles = styles or "'none'"
        headers["content-security-policy"] = (
            f"sandbox; default-src 'none'; style-src {styles}; img-src data:;"
            " base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
        )
    elif kind == "pdf":  # Chromium's viewer does not start under a policy of its own
        headers["content-security-policy"] = "frame-ancestors 'self'"
    elif kind not in INLINE:
        saved = f"{edition_id}-{name.replace('/', '-')}"
        headers["content-disposition"] = f'attachment; filename="{saved}"'
    return Response(
        content, media_type=INLINE.get(kind, "application/octet-stream"), headers=headers
    )
