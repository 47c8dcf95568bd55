"""KoboToolbox: the submissions of one form, through the v2 data API.

A pull reads the whole form, 1,000 submissions a request: the API has no time of the last change,
so that only a comparison shows edits and deletions. What did not change is a duplicate; an edit is
a new version; what is gone is withdrawn (where the listing did not shift meanwhile). With
`full_every` the pulls in between read what came after the greatest `_id`.

Attachments go to the evidence store, once; `_attachments` says their sha256 and size, or why not.

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
from lumbung.intake.connectors.http import Api, Listing, received
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
    cursor = dict(source.cursor)
    began = datetime.now(UTC)
    after: int | None = None
    if options.full_every is not None:
        full_at = received(cursor.get("full_at"))
        if full_at is not None and began - full_at < options.full_every:
            after = cursor.get("last")
    cures = {
        401: "set the token (password) of the connection to a valid one",
        403: "give the token's account the right to view the form's submissions",
        404: "correct the asset in the channel file, or the host of the connection",
    }
    headers = {"Authorization": f"Token {connection.password}"}
    with Api(connection, where, headers=headers, cures=cures) as api:
        for rows, is_end in _pages(api, options.asset, after):
            evidence = source.evidence.keep(BytesIO(orjson.dumps(rows))).sha256
            for row in rows:
                cursor.setdefault("key_by", "rootUuid" if "meta/rootUuid" in row else "_id")
                if row.get("_attachments"):
                    row = {**row, "_attachments": _attachments(source, api, options.asset, row)}
                yield _delivery(row, cursor["key_by"], evidence, where)
            if options.full_every is not None:
                cursor["last"] = max([cursor.get("last", 0), *(row["_id"] for row in rows)])
                if is_end and after is None:
                    cursor["full_at"] = began.isoformat()
            yield Mark(dict(cursor), "" if is_end and after is None else None)


def _pages(api: Api, asset: str, after: int | None) -> Iterator[tuple[list[dict[str, Any]], bool]]:
    """The pages of a form: rows, and whether they complete a listing that did not shift.

    Args:
        api: the server.
        asset: the form.
        after: only submissions whose `_id` is greater; all, if None.
    """
    params = {"format": "json", "sort": '{"_id":1}', "limit": str(PAGE), "start": "0"}
    if after is not None:
        params["query"] = f'{{"_id":{{"$gt":{after}}}}}'
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
    received_at = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return Delivery(key, received_at, row, evidence, f"submission {number}")


def _attachments(
    source: Source, api: Api, asset: str, row: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """A submission's attachments: kept, and without their links, whose signatures change."""
    found = []
    for each in row["_attachments"]:
        lasting = {name: value for name, value in each.items() if not name.startswith("download_")}
        number = each.get("uid") or each.get("id")
        if number is not None and not each.get("is_deleted"):
            # Its address is made here: the links may lead to another server, without the token.
            path = f"api/v2/assets/{asset}/data/{row['_id']}/attachments/{number}/"
            name = f"{api.at(path)}"
            kept = source.evidence.recall(name) or api.keep(api.at(path), source.evidence)
            if isinstance(kept, str):
                lasting["not_kept"] = kept
            else:
                source.evidence.remember(name, kept)
                lasting |= {"sha256": kept.sha256.hex(), "size": kept.size}
        found.append(lasting)
    return found
