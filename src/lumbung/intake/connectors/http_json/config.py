"""The options of a channel of kind `http_json`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from lumbung.intake.channel.types import Duration, Label, Place, StrictModel, Zone
from lumbung.intake.connectors.base import SourceConfig


def _parameters(value: object) -> object:
    """Query parameters; `page: 1` and `all: true` are sent as text."""
    if not isinstance(value, dict):
        return value
    return {
        name: str(each).lower() if isinstance(each, bool | int) else each
        for name, each in value.items()
    }


def _moment_field(value: object) -> object:
    return {"field": value} if isinstance(value, str) else value


def _moment_format(value: str) -> str:
    if value not in ("iso", "unix", "unix_ms") and "%" not in value:
        raise ValueError("write iso, unix, unix_ms or a pattern such as '%d-%m-%Y %H:%M:%S'")
    return value


class Moment(StrictModel):
    """Where a record of an API has a time.

    Attributes:
        field: its path in the record, dots between the levels.
        format: `iso`, `unix` (seconds), `unix_ms` or a strptime pattern. A value that does not fit
            the pattern is read as ISO 8601, RFC 5322 or Unix time.
        timezone: the zone of times without a zone; the channel's if left out.
    """

    field: Label
    format: Annotated[str, AfterValidator(_moment_format)] = "iso"
    timezone: Zone | None = None


class Since(Moment):
    """How an API is asked for changed records.

    Attributes:
        field: the path of the time of the last change. The next pull begins at its greatest value.
        format: how the parameter is written, and the field if it has the same format.
        parameter: the query parameter that takes the time.
        overlap: the time before the greatest value at which the next pull begins.
    """

    parameter: Label
    overlap: Duration = timedelta(hours=1)


class ApiAuth(StrictModel):
    """Where an API takes its credential, which is the connection's.

    Attributes:
        style: `none`, `bearer` (password), `basic` (login and password), `header` or `query`.
        name: the header or query parameter that takes the password.
        prefix: the text before the password in the header, for example `Token`.
    """

    style: Literal["none", "bearer", "basic", "header", "query"] = "none"
    name: Label | None = None
    prefix: str | None = None


class Paging(StrictModel):
    """How an API gives a listing page by page.

    Attributes:
        style: `none` (one page), `next` (a link in the body), `link_header`, `page` (a number),
            `offset` or `cursor` (a token in the body for the next request's parameter).
        next: the path in the body of the link (`next`) or the token (`cursor`).
        parameter: the query parameter that takes the page, offset or token.
        first: the number of the first page.
        size_parameter, size: the number of records in a page.
        total: the path in the body of the number of records, or `header:Name`. With it, a pull
            detects that records moved between two pages, and can withdraw missing records.
        ignore: paths in the body, or `header:Name`, that look like signs of further pages but are
            not: a `total` of something else, a `more` that links to a help page.
    """

    style: Literal["none", "next", "link_header", "page", "offset", "cursor"]
    next: Label | None = None
    parameter: Label | None = None
    first: int = Field(default=1, ge=0)
    size_parameter: Label | None = None
    size: int | None = Field(default=None, ge=1)
    total: Label | None = None
    ignore: tuple[Label, ...] = ()


class HttpJsonSource(SourceConfig):
    """A JSON API that gives lists of records.

    Attributes:
        path: the listing's path below the connection's address.
        records: the path of the list in the body; empty if the body is the list.
        id: the path in a record of its id, which must not change with an edit.
        received: when the source received the record.
        params: query parameters of every request for the listing.
        auth, paging, since: see their classes. Without `since`, every pull reads all records.
        withdrawn: the path of a field that has a value (or is true) in a withdrawn record.
        full_every: how often all records are read although `since` is set, to find missing ones.
        join: the separator with which a list of plain values becomes one text.
    """

    kind: Literal["http_json"]
    path: str
    records: str = ""
    id: Label
    received: Annotated[Moment, BeforeValidator(_moment_field, json_schema_input_type=str | Moment)]
    params: Annotated[
        dict[str, str],
        BeforeValidator(_parameters, json_schema_input_type=dict[str, str | int | bool]),
    ] = Field(default_factory=dict)
    auth: ApiAuth = ApiAuth()
    paging: Paging = Paging(style="none")
    since: Since | None = None
    withdrawn: Label | None = None
    full_every: Duration = timedelta(days=7)
    join: str = Field(default=";", min_length=1)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of a record's id, times and sign of withdrawal."""
        since = self.since.field if self.since else None
        return tuple(filter(None, (self.id, self.received.field, since, self.withdrawn)))

    def contradictions(self, key: Collection[str]) -> Iterator[tuple[Place, str]]:
        """Options that are missing or contradict each other."""
        paging, auth = self.paging, self.auth
        if paging.style in ("next", "cursor") and paging.next is None:
            yield ("paging",), "has no path of the link or token; add next: links.next"
        if paging.style in ("page", "offset", "cursor") and paging.parameter is None:
            yield ("paging",), f"has no parameter; add parameter: {paging.style}"
        if (paging.size is None) != (paging.size_parameter is None):
            yield ("paging",), "needs size and size_parameter together; add the other one"
        if auth.style in ("header", "query") and auth.name is None:
            yield ("auth",), f"does not say which {auth.style} takes the password; add name"

    def overlaps(self, other: SourceConfig) -> bool:
        """The same list of the same listing."""
        return (
            isinstance(other, HttpJsonSource)
            and all(
                getattr(self, option) == getattr(other, option) for option in ("records", "params")
            )
            and self.path.strip("/") == other.path.strip("/")
        )
