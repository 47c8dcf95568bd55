"""Ushahidi: the posts of a deployment, through its v5 API or from its CSV export.

A pull asks for the posts that were created, and for those that were updated, since the newest time
that was read, by the server's clock and with an overlap. These are two requests, because a post
that was never updated has no time of update. A deleted post leaves no trace, so once a day all
posts are read and compared. The labels are those of the CSV export, also for the API; survey fields
have their own labels.

A survey may hide times from some roles. The server then sends midnight, which looks like a real
time. Posts whose times are all midnight are quarantined, unless another post of the same survey
shows another time: their day may be right, but not their order.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from io import BytesIO
from typing import Any

from lumbung.intake.channel.labels import distinct, normalise
from lumbung.intake.connectors.base import (
    Checkpoint,
    Delivery,
    Item,
    Source,
    SourceConnection,
    Unreadable,
)
from lumbung.intake.connectors.shared.delimited import Table, broken_rows, refusal
from lumbung.intake.connectors.shared.files import File, Folder
from lumbung.intake.connectors.shared.http import Answer, Api, Listing, received
from lumbung.intake.connectors.ushahidi.config import UshahidiSource

PAGE = 100
"""Posts asked for at once."""
FULL_EVERY = timedelta(days=1)
"""How often all posts are read, to find deleted ones."""

ID, SURVEY = "Post ID", "Survey"
TIMES = ("Created (UTC)", "Updated (UTC)", "Post Date (UTC)")

_BASE = {
    "Survey ID": "form_id",
    "Post Status": "status",
    **dict(zip(TIMES, ("created", "updated", "post_date"), strict=True)),
    "Source": "source",
    "Data Source ID": "data_source_message_id",
    "Author ID": "user_id",
    "Author": "author_realname",
    "Author Email": "author_email",
    "Post Title": "title",
    "Unstructured Description": "content",
}
_BLURRED = (
    "blurred_time",
    "jam kiriman disamarkan; beri akun izin membaca nilai privat, atau matikan 'sembunyikan waktu'",
)


def read(source: Source) -> Iterator[Item]:
    """What is new, changed or withdrawn; a `Checkpoint` after each page or file."""
    options = source.channel.source
    assert isinstance(options, UshahidiSource)  # noqa: S101 - the kind says so
    if source.connection is None:
        # Only a file that is sent again under its name is a complete list: others may be filtered.
        yield from Folder(source, options.files).items(_export, is_listing=True)
        return
    connection = source.connection
    remediations = {
        401: "set the connection's password to a valid token (or login and password to an account)",
        403: "give the connection's account the permission to manage posts",
        404: "set the connection's host to the deployment's API address",
    }
    with Api(connection, f"channel {source.channel.name}", remediations=remediations) as api:
        token = _token(api, connection)
        api.client.headers["Authorization"] = f"Bearer {token}"
        yield from _Pull(source, options, api).items()


def _token(api: Api, connection: SourceConnection) -> str:
    if not connection.password:
        raise api.error(
            "the credential is not known",
            "set the password of the connection to a token, or login and password to an account",
        )
    if not connection.login:
        return connection.password
    extra = connection.extra
    form = {
        "grant_type": "password",
        "username": connection.login,
        "password": connection.password,
        "client_id": str(extra.get("client_id", "ushahidiui")),
        "client_secret": str(extra.get("client_secret", "")),
        "scope": str(extra.get("scope", "*")),
    }
    body = api.json(api.at("oauth/token"), form=form).body
    token = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(token, str):
        raise api.error(
            "the server gives no token",
            "set client_id and client_secret in the connection's extra to the deployment's",
        )
    return token


class _Pull:
    """One pull of the API."""

    def __init__(self, source: Source, options: UshahidiSource, api: Api) -> None:
        self._source = source
        self._options = options
        self._api = api
        self._now = datetime.now(UTC)
        self._newest: datetime | None = None

    def items(self) -> Iterator[Item]:
        cursor = self._source.cursor
        since, full_at = (received(cursor.get(name)) for name in ("since", "full_at"))
        is_full = since is None or full_at is None or self._now - full_at >= FULL_EVERY
        windows: list[dict[str, str]] = [{}]
        if since and not is_full:
            begin = (since - self._options.overlap).strftime("%Y-%m-%dT%H:%M:%SZ")
            windows = [{"created_after": begin}, {"updated_after": begin}]
        is_whole = True
        for window in windows:
            listing = Listing(self._api)
            for answer, rows in self._pages(window, listing):
                yield from self._page(answer, rows)
                yield Checkpoint(dict(cursor))
            is_whole = is_whole and listing.is_whole
        after = dict(cursor)
        if is_whole:  # a post may have moved between two pages, so the next pull reads all again
            if is_full:
                after["full_at"] = self._now.isoformat()
            reached = [each for each in (since, self._newest) if each]
            if reached:
                after["since"] = min(max(reached), self._now).isoformat()
        yield Checkpoint(after, "" if is_full and is_whole else None)

    def _pages(
        self, window: dict[str, str], listing: Listing
    ) -> Iterator[tuple[Answer, list[dict[str, Any]]]]:
        params = {"limit": str(PAGE), "orderby": "id", "order": "asc", "status": "all", **window}
        if self._options.form is not None:
            params |= {"form": str(self._options.form), "include_unstructured_posts": "false"}
        number = 1
        while True:
            url = self._api.at("api/v5/posts", {**params, "page": str(number)})
            listing.asked(url)
            answer = self._api.json(url)
            rows, total = self._rows(answer)
            listing.page([row.get("id") for row in rows], total)
            yield answer, rows
            if not rows or listing.count >= total:
                return
            number += 1

    def _rows(self, answer: Answer) -> tuple[list[dict[str, Any]], int]:
        body = answer.body
        rows = body.get("results") if isinstance(body, dict) else None
        meta = body.get("meta") if isinstance(body, dict) else None
        total = meta.get("total") if isinstance(meta, dict) else None
        if (
            not isinstance(rows, list)
            or not isinstance(total, int)
            or not all(isinstance(row, dict) and isinstance(row.get("id"), int) for row in rows)
        ):
            raise self._api.error(
                "the answer is not a page of posts (results, meta.total)",
                "set the connection's host to an Ushahidi deployment with API v5",
            )
        return rows, total

    def _page(self, answer: Answer, rows: list[dict[str, Any]]) -> Iterator[Delivery | Unreadable]:
        evidence = self._source.evidence.keep(BytesIO(answer.rows_as_kept(rows))).sha256
        names = [_BASE[label] for label in TIMES]
        sharp = _sharp((row.get("form_id"), [row.get(name) for name in names]) for row in rows)
        for row in rows:
            key, locator = str(row["id"]), f"post {row['id']}"
            moment = received(row.get("created"))
            for each in (moment, received(row.get("updated"))):
                if each is not None:
                    self._newest = max(each, self._newest or each)
            if moment is None:
                reason = "waktu dibuatnya tidak terbaca; periksa kiriman di Ushahidi"
                yield Unreadable("unreadable_date", reason, row, self._now, evidence, locator, key)
            elif row.get("form_id") not in sharp:
                yield Unreadable(*_BLURRED, row, moment, evidence, locator, key)
            else:
                yield Delivery(key, moment, labelled(row), evidence, locator)


def _export(file: File) -> Iterator[Delivery | Unreadable]:
    """The posts of one CSV export."""
    try:
        table = Table(file.content, {normalise(ID)})
        if not table.labels:
            reason = f"tidak ada kolom {ID}; unduh ulang ekspor CSV dari Ushahidi"
            yield file.unreadable("header_not_found", reason)
            return
        sharp = _sharp(
            (fields.get(SURVEY), [fields.get(label) for label in TIMES])
            for _, fields in table.rows()
        )
        for number, fields in table.rows():
            if number <= 3 and all(cell.startswith("#") for cell in fields.values()):
                continue  # the HXL tags of the columns
            yield _row(file, number, fields, sharp)
        yield from broken_rows(file, table.broken)
    except csv.Error as error:
        yield file.unreadable(*refusal(error))


def _row(
    file: File, number: int, fields: dict[str, str], sharp: set[object]
) -> Delivery | Unreadable:
    key = fields.get(ID, "").strip()
    moment = received(fields.get(TIMES[0]))
    locator = file.locator(f"baris {number}")

    def refused(code: str, reason: str) -> Unreadable:
        at = moment or file.changed_at
        return Unreadable(code, reason, fields, at, file.sha256, locator, key or None)

    if not key.isdecimal() or len(key) > 20:
        key = ""
        return refused("required_field_missing", f"baris tanpa {ID}; unduh ulang ekspornya")
    if moment is None:
        return refused("unreadable_date", f"{TIMES[0]} tidak terbaca; unduh ulang ekspornya")
    if fields.get(SURVEY) not in sharp:
        return refused(*_BLURRED)
    return Delivery(key, moment, dict(fields), file.sha256, locator, file.is_repeat)


def _sharp(posts: Iterable[tuple[object, list[Any]]]) -> set[object]:
    """The surveys with at least one post whose time is not midnight."""
    return {
        survey
        for survey, times in posts
        for moment in map(received, times)
        if moment is not None and moment.timetz().replace(tzinfo=None) != time()
    }


# -- posts to labels ------------------------------------------------------------------------------


def labelled(post: Mapping[str, Any]) -> dict[str, Any]:
    """A post's fields, with the labels of the CSV export."""
    fields: dict[str, Any] = {ID: post["id"]}
    reached: dict[str, int] = {}
    for label, name in _BASE.items():
        if post.get(name) not in (None, ""):
            fields[label] = post[name]
    metadata = post.get("metadata")
    contact = (metadata if isinstance(metadata, dict) else post).get("contact")
    if contact:
        fields["Contact"] = contact
    if categories := _plain(post.get("categories")):
        fields["Categories"] = categories
    for stage in post.get("post_content") or ():
        for field in stage.get("fields") or ():
            label = str(field.get("label") or field.get("key") or field.get("id"))
            given = field.get("value")
            value = given["value"] if isinstance(given, dict) and "value" in given else given
            if isinstance(value, dict):  # a point, or another value with parts
                for part, each in value.items():
                    _put(fields, f"{label}.{part}", each, reached)
            else:
                _put(fields, label, _plain(value), reached)
    return fields


def _put(fields: dict[str, Any], label: str, value: Any, reached: dict[str, int]) -> None:
    if value not in (None, "", [], {}):
        fields[distinct(label, fields, reached)] = value


def _plain(value: Any) -> Any:
    """Several values as one text, joined with commas as the CSV export does."""
    if not isinstance(value, list):
        return value
    return ",".join(str(_name(each)) for each in value)


def _name(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    names = (value.get(key) for key in ("tag", "name", "label", "value", "id"))
    return next((name for name in names if name not in (None, "")), "")
