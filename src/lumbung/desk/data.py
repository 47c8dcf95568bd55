"""Where a published number came from, and what the tables mean."""

import logging
from dataclasses import dataclass
from typing import Annotated

import psycopg
from fastapi import APIRouter, Depends, Form, Path, Query, Request
from starlette.responses import FileResponse, Response

from lumbung import registry
from lumbung.desk.access import Person, database_url
from lumbung.desk.editions import visible
from lumbung.desk.guard import Token
from lumbung.desk.office import NO_NUL, Office, RefusedError
from lumbung.errors import PublicationError
from lumbung.publication import trace
from lumbung.publication.trace import ChangedError, Contributor, Record, Trace
from lumbung.settings import Settings
from lumbung.warehouse import mappings

log = logging.getLogger(__name__)

SHOWN = 50
"""Contributors of a page."""
DBT = "dbt/index.html"
FileName = Annotated[str, Path(pattern=r"^[\w./-]+$", max_length=300)]
KINDS = {
    "html": "text/html; charset=utf-8",
    "css": "text/css",
    "png": "image/png",
    "svg": "image/svg+xml",
}
SCRIPTS = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval';"
    " style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none';"
    " frame-ancestors 'none'"
)
"""Of dbt's page, one file with scripts. It runs as another site: it reaches no page of the desk."""
NO_SCRIPTS = (
    "sandbox allow-same-origin; default-src 'none'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Of the Data Docs, which load style sheets and pictures of their own."""


@dataclass(frozen=True)
class Found:
    """What a reference leads to: a number with its contributors, or a record with its numbers.

    Attributes:
        contributors: those of the number that the person may see.
        counted: references of the numbers that count the record.

    """

    number: Trace | None = None
    contributors: tuple[Contributor, ...] = ()
    record: Record | None = None
    counted: tuple[str, ...] = ()


def routes(office: Office) -> APIRouter:
    """Return the routes of both subjects."""
    router = APIRouter()
    Who = Annotated[Person, Depends(office.who)]  # noqa: N806

    def show(request: Request, who: Person, wanted: str, start: int = 0) -> Response:
        found, problem, status = None, "", 404
        if wanted:
            try:
                found = _find(who, wanted)
            except ChangedError:
                log.exception("cannot trace a published number")
                problem, status = "trace_changed", 409
            except PublicationError:
                problem = "trace_none"
            except psycopg.errors.InsufficientPrivilege:
                problem = "trace_forbidden"
        return office.pages.render(
            request,
            "trace",
            who,
            status=status if problem else 200,
            wanted=wanted,
            found=found,
            problem=problem,
            start=start,
            shown=SHOWN,
            regions=_regions(),
        )

    @router.get("/telusur")
    def trace_reference(
        request: Request,
        who: Who,
        angka: Annotated[str, Query(max_length=200)] = "",
        mulai: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> Response:
        if not who.may_trace:
            raise RefusedError(404, "not_found")
        return show(request, who, angka.strip(), mulai)

    @router.post("/telusur")
    def search(
        request: Request,
        who: Who,
        angka: Annotated[str, Form(max_length=200, pattern=NO_NUL)] = "",
        csrf: Token = "",
    ) -> Response:
        # What people type may be a name. Logs have the addresses of pages, not what forms hold.
        office.tokens.verify(request, who.account, csrf)
        if not who.may_trace:
            raise RefusedError(404, "not_found")
        return show(request, who, angka.strip())

    @router.get("/data")
    def data(request: Request, who: Who) -> Response:
        if not who.may_read_data:
            raise RefusedError(404, "not_found")
        docs = Settings.load().docs
        checks = sorted(page.parent.name for page in docs.glob("checks/*/index.html"))
        return office.pages.render(
            request,
            "data",
            who,
            has_dbt=(docs / DBT).exists(),
            checks=checks if who.may_read_checks else [],
        )

    @router.get("/data/berkas/{name:path}")
    def file(who: Who, name: FileName) -> Response:
        # failing checks name rows of every regency
        if not (who.may_read_data if name == DBT else who.may_read_checks):
            raise RefusedError(404, "not_found")
        docs = Settings.load().docs.resolve()
        path = (docs / name).resolve()
        kind = KINDS.get(path.suffix[1:])
        is_listed = name == DBT or path.is_relative_to(docs / "checks")
        if kind is None or not is_listed or not path.is_file():
            raise RefusedError(404, "not_found")
        policy = SCRIPTS if name == DBT else NO_SCRIPTS
        return FileResponse(path, media_type=kind, headers={"content-security-policy": policy})

    return router


def _find(who: Person, reference: str) -> Found:
    """Return what a reference leads to; a number is the id of a record.

    The auditor's session finds the records. Of these an analyst or steward is shown those that the
    session of the own role sees in `editions.contributing_record`. Those of a regency are shown the
    numbers of that regency and of the province.

    Raises:
        ChangedError: when rows of the edition were changed after the freeze.
        PublicationError: when there is no such number or record, the edition is not published, or
            the number is of another regency than the person's.

    """
    url = database_url("auditor")
    role = who.analyst_role if not who.may_audit else ""
    seen = {each.edition_id for each in visible(who, url)}
    if reference.isdecimal() and len(reference) < 19:
        if role and not trace.is_visible(int(reference), database_url=database_url(role)):
            raise _absent(reference)
        record, counted = trace.trace_record(int(reference), database_url=url)
        return Found(
            record=record,
            counted=tuple(
                f"{trace.key(metric, category, regency)}@{edition}"
                for edition, metric, category, regency, _ in counted
                if edition in seen
            ),
        )
    if reference.rpartition("@")[2] not in seen:
        raise _absent(reference)
    number = trace.trace(reference, database_url=url)
    # The numbers of another regency are not all published: see ADR 30 and 35.
    own = who.analyst_role.removeprefix("analyst_").replace("_", ".")
    area = "" if number.metric_code == "not_counted" else number.regency_code[:5]
    if role and not who.reads_province and not (area.startswith(own) or area in ("", own[:2])):
        raise _absent(reference)
    contributors = number.contributors
    # What is not counted has no regency: it is for those who read the whole province.
    if role and not (number.metric_code == "not_counted" and who.reads_province):
        shown = trace.visible(number, database_url=database_url(role))
        contributors = tuple(each for each in contributors if each.contributor_id in shown)
    return Found(number=number, contributors=contributors)


def _regions() -> dict[str, str]:
    """Return the names of the regencies, and of the districts with their regency's, by code."""
    found = {code: name for code, (name, _) in mappings.codes(mappings.PLACE).items()}
    unknown = (row for row in registry.seed("regency") if row["regency_code"] not in found)
    return found | {row["regency_code"]: row["regency_name"] for row in unknown}


def _absent(reference: str) -> PublicationError:
    return PublicationError(
        "there is no such record or published edition",
        where=reference,
        remediation="take the reference from the edition's page",
    )
