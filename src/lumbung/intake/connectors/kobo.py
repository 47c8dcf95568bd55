"""KoboToolbox: the submissions of one form, through the v2 data API.

Every pull reads the whole form, 1,000 submissions a request: the API has no time of the last
change, so that only a comparison shows edits and deletions. What did not change is a duplicate;
an edit is a new version; what is gone is withdrawn (where the listing did not shift meanwhile).

Source id: the root uuid where the server gives it, else `_id`, which is as stable. A channel stays
with what its first pull met (the cursor remembers): a server that learns root uuids later must
not make every submission look new. Links to attachments are no content; they change by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import httpx
import orjson

from lumbung.errors import SourceError
from lumbung.intake.connectors import Delivery, Item, Mark, Source
from lumbung.intake.connectors.http import Api, Listing
from lumbung.intake.contract import KoboSource

PAGE = 1_000
"""Submissions asked for at once; servers clamp it without a word."""


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
    cures = {
        401: "set the token (password) of the connection to a valid one",
        403: "give the token's account the right to view the form's submissions",
        404: "correct the asset in the channel file, or the host of the connection",
    }
    headers = {"Authorization": f"Token {connection.password}"}
    with Api(connection, where, headers=headers, cures=cures) as api:
        for rows, is_end in _pages(api, options.asset):
            evidence = source.evidence.keep(BytesIO(orjson.dumps(rows))).sha256
            for row in rows:
                key_by = key_by or ("rootUuid" if "meta/rootUuid" in row else "_id")
                yield _delivery(row, key_by, evidence, where)
            yield Mark({"key_by": key_by} if key_by else {}, "" if is_end else None)


def _pages(api: Api, asset: str) -> Iterator[tuple[list[dict[str, Any]], bool]]:
    """The pages of a form: rows, and whether they complete a listing that did not shift."""
    params = {"format": "json", "sort": '{"_id":1}', "limit": str(PAGE), "start": "0"}
    url: httpx.URL | None = api.at(f"api/v2/assets/{asset}/data/", params)
    listing = Listing(api)
    while url is not None:
        listing.asked(url)
        body = api.json(url).body
        if not _is_page(body):
            raise api.error(
                "the answer is not a page of submissions (count, next, results)",
                "set the connection's host to a KoboToolbox server with API v2",
            )
        rows, following = body["results"], body.get("next")
        listing.page([row.get("_id") for row in rows], body["count"])
        url = api.follow(url, following) if following else None
        yield rows, url is None and listing.is_whole


def _is_page(body: Any) -> bool:
    return (
        isinstance(body, dict)
        and isinstance(body.get("count"), int)
        and isinstance(body.get("results"), list)
        and all(isinstance(row, dict) for row in body["results"])
    )


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
