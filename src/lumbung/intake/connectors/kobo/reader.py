"""KoboToolbox: the submissions of one form, through the v2 data API.

The API has no time of the last change, so only a comparison finds edits and deletions. A pull
therefore reads the whole form, 1,000 submissions a request. With `full_every`, the pulls in between
read only what follows the greatest `_id`. Each request asks for what follows the last `_id`: with
an offset, a deletion during the pull would hide a submission.

Each attachment is stored once in the evidence store. `_attachments` holds its sha256 and size, or
the reason why it was not kept. Links to attachments are left out, because the server changes them.

The source id is the root uuid if the server sends it, else `_id`, which is just as stable. The
cursor remembers which of the two the first pull used: otherwise every submission would look new
after a server's upgrade. Several submissions with one root uuid get their `_id` as a suffix.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from io import BytesIO
from itertools import pairwise
from typing import Any

from lumbung.errors import SourceError
from lumbung.intake.connectors.base import Checkpoint, Delivery, Item, SeenIds, Source, Unreadable
from lumbung.intake.connectors.kobo.config import KoboSource
from lumbung.intake.connectors.shared.http import Answer, Api, received
from lumbung.intake.evidence import Kept

PAGE = 1_000
"""Submissions in a request; a server may lower it without an error."""


def read(source: Source) -> Iterator[Item]:
    """Every submission of the form, in the order of `_id`; a `Checkpoint` after each page."""
    options = source.channel.source
    assert isinstance(options, KoboSource)  # noqa: S101 - the kind says so
    where = f"channel {source.channel.name}, form {options.asset}"
    connection = source.connection
    if connection is None or not connection.password:
        raise SourceError(
            "the server's address or token is not known",
            where=where,
            remediation=f"set the connection {source.channel.connection!r} (host, and token as "
            f"password)",
        )
    cursor = dict(source.cursor)
    began = datetime.now(UTC)
    after: int | None = None
    if options.full_every is not None:
        full_at = received(cursor.get("full_at"))
        if full_at is not None and began - full_at < options.full_every:
            after = cursor.get("last")
    remediations = {
        401: "set the token (password) of the connection to a valid one",
        403: "give the token's account the right to view the form's submissions",
        404: "correct the asset in the channel file, or the host of the connection",
    }
    headers = {"Authorization": f"Token {connection.password}"}
    with Api(connection, where, headers=headers, remediations=remediations) as api:
        for answer, is_whole in _pages(api, options.asset, after):
            rows = [_without_links(row) for row in answer.body["results"]]
            evidence = source.evidence.keep(BytesIO(answer.rows_as_kept(rows))).sha256
            if rows:
                key_by = "rootUuid" if "meta/rootUuid" in rows[0] else "_id"
                cursor.setdefault("key_by", key_by)
            items = deliver(rows, cursor.get("key_by", "_id"), evidence, source.seen_ids)
            for row, item in zip(rows, items, strict=True):
                if row.get("_attachments"):
                    row["_attachments"] = _attachments(source, api, options.asset, row)
                yield item
            is_complete = is_whole and after is None
            if options.full_every is not None:
                cursor["last"] = max([cursor.get("last", 0), *_numbers(rows)])
                if is_complete:
                    cursor["full_at"] = began.isoformat()
            yield Checkpoint(dict(cursor), "" if is_complete else None)


def _pages(api: Api, asset: str, after: int | None) -> Iterator[tuple[Answer, bool]]:
    """The pages of a form, each with whether it completes a listing without gaps.

    Args:
        api: the server.
        asset: the form.
        after: only submissions whose `_id` is greater; all, if None.
    """
    params = {"format": "json", "sort": '{"_id":1}', "limit": str(PAGE), "start": "0"}
    while True:
        if after is not None:
            params["query"] = f'{{"_id":{{"$gt":{after}}}}}'
        answer = api.json(api.at(f"api/v2/assets/{asset}/data/", params))
        body = answer.body
        rows = body["results"] if _is_page(body) else []
        numbers = _numbers(rows)
        if not _is_page(body) or (rows and not numbers):
            raise api.error(
                "the answer is not a page of submissions (count, next, results with _id)",
                "set the connection's host to a KoboToolbox server with API v2",
            )
        if any(one >= other for one, other in pairwise([after or 0, *numbers])):
            raise api.error(
                f"the server does not give the submissions after _id {after or 0} in their order",
                "pull again later; inform the server's administrator if it stays",
            )
        # A missing link to the next page may be the server's mistake, so the rest is asked for.
        is_end = not rows or (not body.get("next") and body["count"] <= len(rows))
        yield answer, is_end and body["count"] == len(rows)
        if is_end:
            return
        after = numbers[-1]


def _is_page(body: Any) -> bool:
    return (
        isinstance(body, dict)
        and isinstance(body.get("count"), int)
        and isinstance(body.get("results"), list)
        and all(isinstance(row, dict) for row in body["results"])
    )


def _numbers(rows: list[dict[str, Any]]) -> list[int]:
    return [row["_id"] for row in rows if isinstance(row.get("_id"), int)]


def _without_links(row: dict[str, Any]) -> dict[str, Any]:
    """A submission without links to attachments, whose signatures change with every request."""
    attached = row.get("_attachments")
    if not attached:
        return row
    lasting = [
        {name: value for name, value in each.items() if not name.startswith("download_")}
        for each in (attached if isinstance(attached, list) else ())
        if isinstance(each, dict)
    ]
    return {**row, "_attachments": lasting}


def deliver(
    rows: list[dict[str, Any]], key_by: str, evidence: bytes, seen: SeenIds
) -> Iterator[Delivery | Unreadable]:
    """A page of submissions as deliveries; their `fields` are the rows themselves, not copies.

    Args:
        rows: as the API gives them.
        key_by: what the source id is, `rootUuid` or `_id`.
        evidence: sha256 of the page.
        seen: the source ids of this pull; those of the page are added.
    """
    is_root = key_by == "rootUuid"
    keys = [_root(row) if is_root else str(row.get("_id")) for row in rows]
    for place in seen.update(keys) if is_root else ():
        keys[place] += f"/{rows[place].get('_id')}"
    for key, row in zip(keys, rows, strict=True):
        number, submitted = row.get("_id"), row.get("_submission_time")
        moment: datetime | None
        try:  # it has no zone; giving one later takes as long as all else
            moment = datetime.fromisoformat(f"{submitted}Z")
        except ValueError:
            moment = received(submitted)
        locator = f"submission {number}"
        if moment is not None and number.__class__ is int:
            yield Delivery(key, moment, row, evidence, locator)
            continue
        code, what, known = (
            ("unreadable_date", "waktu kirimnya tidak ada atau bukan tanggal", key)
            if number.__class__ is int
            else ("required_field_missing", "isian tanpa nomor (_id)", None)
        )
        reason = f"{what}; periksa isian itu di KoboToolbox"
        yield Unreadable(code, reason, row, datetime.now(UTC), evidence, locator, known)


def _root(row: Mapping[str, Any]) -> str:
    root = row.get("meta/rootUuid") or row.get("meta/deprecatedID") or row.get("meta/instanceID")
    return str(root or row.get("_uuid")).removeprefix("uuid:")


def _attachments(
    source: Source, api: Api, asset: str, row: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """A submission's attachments, each with its sha256 or the reason why it was not kept."""
    found = []
    for each in row["_attachments"]:
        lasting = dict(each)
        number = each.get("uid") or each.get("id")
        if number is not None and not each.get("is_deleted") and "_id" in row:
            # The address is built here, because a link may lead to another server.
            path = f"api/v2/assets/{asset}/data/{row['_id']}/attachments/{number}/"
            name = f"{api.at(path)}"
            kept = source.evidence.recall(name) or api.keep(api.at(path), source.evidence)
            if isinstance(kept, Kept) and kept.is_page_for(each.get("mimetype")):
                kept = "page"
            if isinstance(kept, str):
                lasting["not_kept"] = kept
            else:
                source.evidence.remember(name, kept)
                lasting |= {"sha256": kept.sha256.hex(), "size": kept.size, "type": kept.media_type}
        found.append(lasting)
    return found
