"""KoboToolbox: the submissions of one form, through the v2 data API.

Every pull reads the whole form, 1,000 submissions a request: the API has no time of the last
change, so that only a comparison shows edits and deletions. What did not change is a duplicate;
an edit is a new version; what is gone is withdrawn (where the listing did not shift meanwhile).

Source id: the root uuid where the server gives it, else `_id`, which is as stable. A channel stays
with what its first pull met (the cursor remembers): a server that learns root uuids later must
not make every submission look new. Links to attachments are no content; they change by themselves.
"""

from __future__ import annotations

import email.utils
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import httpx
import orjson
import tenacity

from lumbung.errors import SourceError
from lumbung.intake.connectors import Delivery, Item, Mark, Source, SourceConnection
from lumbung.intake.contract import KoboSource

PAGE = 1_000
"""Submissions asked for at once; servers clamp it without a word."""
TIMEOUT_SECONDS = 60
ATTEMPTS = 6
MAX_WAIT_SECONDS = 300
"""The longest pause that a server's Retry-After is obeyed for."""


class _PassingError(Exception):
    """A failure that may pass: too many requests, a server error, a broken connection."""

    def __init__(self, what: str, wait: float = 0) -> None:
        super().__init__(what)
        self.wait = wait


def read(source: Source) -> Iterator[Item]:
    """Every submission of the form, in the order of `_id`; a `Mark` after each page."""
    options = source.channel.source
    assert isinstance(options, KoboSource)  # noqa: S101 - the kind says so
    where = f"channel {source.channel.name}, form {options.asset}"
    connection = source.connection
    if connection is None or not connection.password:
        raise SourceError(
            "the server's address or token is not known",
            where=where,
            cure=f"set the connection {source.channel.connection!r} (host, and token as password)",
        )
    key_by = source.cursor.get("key_by")
    count = 0
    for rows, listed in _pages(connection, options.asset, where):
        evidence = source.evidence.keep(BytesIO(orjson.dumps(rows))).sha256
        for row in rows:
            key_by = key_by or ("rootUuid" if "meta/rootUuid" in row else "_id")
            yield _delivery(row, key_by, evidence, where)
        count += len(rows)
        is_end = listed == count
        yield Mark({"key_by": key_by} if key_by else {}, "" if is_end else None)


def _pages(
    connection: SourceConnection, asset: str, where: str
) -> Iterator[tuple[list[dict[str, Any]], int]]:
    """The pages of a form: rows, and the form's count as this page tells it."""
    start = httpx.URL(connection.base_url)
    url: httpx.URL | None = start.copy_with(
        path=f"{start.path.rstrip('/')}/api/v2/assets/{asset}/data/",
        params={"format": "json", "sort": '{"_id":1}', "limit": str(PAGE), "start": "0"},
    )
    visited: set[str] = set()
    before: list[Any] = []
    headers = {"Authorization": f"Token {connection.password}", "Accept": "application/json"}
    with httpx.Client(timeout=TIMEOUT_SECONDS, headers=headers) as client:
        while url is not None:
            if (url.scheme, url.host, url.port) != (start.scheme, start.host, start.port):
                raise SourceError(
                    f"the next page would be on another server, {url.scheme}://{url.netloc.decode()}",
                    where=where,
                    cure="correct the server's own address (its administrator) or the connection's",
                )
            body = _get(client, url, where)
            rows, listed, following = body["results"], body["count"], body.get("next")
            ids = [row.get("_id") for row in rows]
            visited.add(str(url))
            if (rows and ids == before) or following in visited:
                raise SourceError(
                    "the server gives the same page again",
                    where=where,
                    cure="pull again later; tell the server's administrator if it stays",
                )
            yield rows, listed
            before = ids
            url = httpx.URL(following) if following else None


def _get(client: httpx.Client, url: httpx.URL, where: str) -> dict[str, Any]:
    """One page's body; failures that may pass are tried again, with growing pauses."""
    backoff = tenacity.wait_exponential_jitter(initial=1, max=60)

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait if isinstance(error, _PassingError) else 0
        return asked or backoff(state)

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(_PassingError),
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        wait=wait,
        sleep=lambda seconds: time.sleep(seconds),
        reraise=True,
    )
    try:
        return retrying(_get_once, client, url, where)
    except _PassingError as error:
        raise SourceError(
            f"the server does not answer as it should after {ATTEMPTS} attempts: {error}",
            where=where,
            cure="look whether the server is up and reachable, then pull again",
        ) from error


def _get_once(client: httpx.Client, url: httpx.URL, where: str) -> dict[str, Any]:
    try:
        response = client.get(url)
    except httpx.TransportError as error:
        raise _PassingError(f"{type(error).__name__} {error}".strip()) from error
    status = response.status_code
    if status == 429 or status >= 500:
        wait = _retry_after(response.headers.get("Retry-After"))
        if wait > MAX_WAIT_SECONDS:
            raise SourceError(
                f"the server asks to wait {wait:.0f} seconds (HTTP {status})",
                where=where,
                cure="let the next scheduled pull read it, or ask for a higher limit",
            )
        raise _PassingError(f"HTTP {status}", wait)
    cures = {
        401: "set the token (password) of the connection to a valid one",
        403: "give the token's account the right to view the form's submissions",
        404: "correct the asset in the channel file, or the host of the connection",
    }
    if status in cures:
        raise SourceError(f"the server refuses: HTTP {status}", where=where, cure=cures[status])
    if status != 200 or "html" in response.headers.get("Content-Type", ""):
        raise SourceError(
            f"the server answers with a page for people, not with data (HTTP {status})",
            where=where,
            cure="set the connection's host to the server's API address and its token",
        )
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError as error:
        raise _PassingError("the data is cut off or no JSON") from error
    if not (
        isinstance(body, dict)
        and isinstance(body.get("count"), int)
        and isinstance(body.get("results"), list)
        and all(isinstance(row, dict) for row in body["results"])
    ):
        raise SourceError(
            "the answer is not a page of submissions (count, next, results)",
            where=where,
            cure="set the connection's host to a KoboToolbox server with API v2",
        )
    return body


def _retry_after(value: str | None) -> float:
    """Seconds to wait as the header says (a number or a date); 0 where it says nothing."""
    if value is None:
        return 0
    if value.strip().isdecimal():
        return float(value)
    try:
        until = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return 0
    return max((until - datetime.now(UTC)).total_seconds(), 0)


def _delivery(row: dict[str, Any], key_by: str, evidence: bytes, where: str) -> Delivery:
    number = row.get("_id")
    key = str(number)
    if key_by == "rootUuid":
        root = (
            row.get("meta/rootUuid") or row.get("meta/deprecatedID") or row.get("meta/instanceID")
        )
        key = str(root or f"uuid:{row.get('_uuid')}").removeprefix("uuid:")
    try:
        moment = datetime.fromisoformat(str(row["_submission_time"]))
    except (KeyError, ValueError):
        number = None
    if number is None:
        raise SourceError(
            "a submission has no _id or no readable _submission_time",
            where=where,
            cure="set the connection's host to a KoboToolbox server with API v2",
        )
    if attachments := row.get("_attachments"):
        row = {**row, "_attachments": [_lasting(each) for each in attachments]}
    received_at = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return Delivery(key, received_at, row, evidence, f"submission {number}")


def _lasting(attachment: Mapping[str, Any]) -> dict[str, Any]:
    """An attachment without its links, whose signatures change from pull to pull."""
    return {name: value for name, value in attachment.items() if not name.startswith("download_")}
