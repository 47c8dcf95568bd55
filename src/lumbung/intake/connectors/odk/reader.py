"""ODK Central: the submissions of one form, through its OData feed.

A pull asks for what was submitted or updated since the newest time that was read, by the server's
clock and with an overlap. Three changes do not affect these times and are handled separately:

- Deletions. The server lists deleted submissions for 30 days and then purges them. After a longer
  pause, a pull reads the whole form and compares.
- Restored submissions. A submission that has left the list of deleted ones is asked for by its id.
- Missing attachments. A submission whose attachments were still uploading, or could not be
  downloaded, is asked for again for 30 days.

If the cursor would have to hold too many of these, the next pull reads the whole form.

The source id is `__id`, which stays the same after an edit. Groups become `group/field`, repeats
become a list under their path, and attachments a list under `__attachments` with name, sha256, size
and type. Labels without a value are left out.
"""

from __future__ import annotations

import logging
import mimetypes
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import quote

import httpx

from lumbung.intake.connectors.base import (
    Checkpoint,
    Delivery,
    Item,
    Source,
    SourceConnection,
    Unreadable,
)
from lumbung.intake.connectors.odk.config import OdkSource
from lumbung.intake.connectors.shared.http import Answer, Api, Listing, received
from lumbung.intake.evidence import Kept

log = logging.getLogger(__name__)

PAGE = 250
"""Submissions asked for at once."""
ATTACHMENTS = "__attachments"

_LINK = "@odata.navigationLink"
_PURGE = timedelta(days=31)  # Central purges by calendar days, after 30
_IDLE = timedelta(days=29)
_MAX_WATCHED = 500  # ids of each sort in the cursor; most of them cost a request in every pull
_GEOMETRIES = ("Point", "LineString", "Polygon")


def read(source: Source) -> Iterator[Item]:
    """What is new, changed or withdrawn; a `Checkpoint` after each page."""
    options = source.channel.source
    assert isinstance(options, OdkSource)  # noqa: S101 - the kind says so
    connection = source.connection or SourceConnection("")
    where = f"channel {source.channel.name}, form {options.form}"
    basic = str(connection.extra.get("auth", "")).casefold() == "basic"
    login = (connection.login or "", connection.password or "")
    remediations = {
        401: "set login (e-mail) and password of the connection to those of a Central web user",
        403: "give the connection's account the role Project Viewer in the project",
        404: "correct project and form in the channel file, or the host of the connection",
        501: "update the server: this version of ODK Central does not know a part of the query",
    }
    with Api(connection, where, auth=login if basic else None, remediations=remediations) as api:
        if not connection.password:
            raise api.error(
                "the credential is not known",
                f"set login and password of the connection {source.channel.connection!r}",
            )
        if not basic:
            token = _session(api, *login) if connection.login else connection.password
            api.client.headers["Authorization"] = f"Bearer {token}"
        yield from _Pull(source, options, api).items()


def _session(api: Api, login: str, password: str) -> str:
    body = api.json(api.at("v1/sessions"), post={"email": login, "password": password}).body
    token = body.get("token") if isinstance(body, dict) else None
    if not isinstance(token, str):
        raise api.error(
            "the server gives no session", "set the connection's host to an ODK Central server"
        )
    return token


class _Pull:
    """One pull of a form."""

    def __init__(self, source: Source, options: OdkSource, api: Api) -> None:
        form = f"v1/projects/{options.project}/forms/{quote(options.form, safe='')}"
        self._source = source
        self._options = options
        self._api = api
        self._form = form
        self._now = datetime.now(UTC)
        self._newest: datetime | None = None
        self._uploading: dict[str, str] = {}

    def items(self) -> Iterator[Item]:
        cursor = self._source.cursor
        before = {key: received(cursor[key]) for key in ("since", "pulled_at") if key in cursor}
        since, pulled_at = before.get("since"), before.get("pulled_at")
        is_full = since is None or pulled_at is None or self._now - pulled_at > _IDLE
        self._newest = since
        params = {"$top": str(PAGE), "$expand": "*"}
        if since and not is_full:
            begin = _instant(since - self._options.overlap)
            params["$filter"] = (
                f"__system/submissionDate ge {begin} or __system/updatedAt ge {begin}"
            )
        seen = self._source.seen_ids
        for answer, rows in self._pages(params):
            for item in self._page(answer, rows):
                seen.add(item.source_id or "")
                yield item
            yield Checkpoint(dict(cursor))
        trash = self._trash()
        again = [*cursor.get("uploading", {}), *(set(cursor.get("trash", ())) - set(trash))]
        for key in again:
            if key not in seen and key not in trash:
                yield from self._one(key)
        watched = self._watched(cursor.get("uploading", {}))
        after: dict[str, Any] = {
            "pulled_at": self._now.isoformat(),
            "trash": trash[:_MAX_WATCHED],
            "uploading": dict(list(watched.items())[:_MAX_WATCHED]),
        }
        if max(len(trash), len(watched)) <= _MAX_WATCHED:
            if self._newest:
                after["since"] = min(self._newest, self._now).isoformat()
        else:
            log.warning(
                "channel %s: %d deleted submissions and %d without their attachments are more than"
                " %d: the next pull reads the whole form",
                *(self._source.channel.name, len(trash), len(watched), _MAX_WATCHED),
            )
        yield Checkpoint(after, "" if is_full else None, tuple(trash))

    def _watched(self, before: Mapping[str, str]) -> dict[str, str]:
        """The submissions to ask for again: id -> since when, the oldest first."""
        watched = sorted((before.get(key, at), key) for key, at in self._uploading.items())
        oldest = (self._now - _PURGE).isoformat()
        return {key: at for at, key in watched if at > oldest}

    def _pages(self, params: dict[str, str]) -> Iterator[tuple[Answer, list[dict[str, Any]]]]:
        listing = Listing(self._api)
        url: httpx.URL | None = self._api.at(f"{self._form}.svc/Submissions", params)
        while url is not None:
            listing.asked(url)
            answer = self._api.json(url)
            rows, url = self._rows(answer, url)
            listing.page([row.get("__id") for row in rows])
            yield answer, rows

    def _rows(
        self, answer: Answer, url: httpx.URL
    ) -> tuple[list[dict[str, Any]], httpx.URL | None]:
        """The rows of a page and the address of the next one."""
        body = answer.body
        rows = body.get("value") if isinstance(body, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise self._api.error(
                "the answer is not a page of an OData feed (value)",
                "set the connection's host to an ODK Central server",
            )
        link = body.get("@odata.nextLink")
        return rows, self._api.follow(url, str(link)) if link else None

    def _page(self, answer: Answer, rows: list[dict[str, Any]]) -> Iterator[Delivery | Unreadable]:
        evidence = self._source.evidence.keep(BytesIO(answer.rows_as_kept(rows))).sha256
        for row in rows:
            if not _system(row).get("deletedAt"):
                yield self._item(row, evidence)

    def _one(self, key: str) -> Iterator[Item]:
        """A submission by its id, if it exists."""
        name = quote(key.replace("'", "''"), safe="")
        url = self._api.at(f"{self._form}.svc/Submissions('{name}')", {"$expand": "*"})
        answer = self._api.json(url, nothing=(404,))
        if answer.body is not None:
            yield from self._page(answer, self._rows(answer, url)[0])

    def _trash(self) -> list[str]:
        """The ids of deleted submissions that are not purged; none if the server cannot delete."""
        begin = _instant(self._now - _PURGE)
        params = {"$top": "1000", "$filter": f"__system/deletedAt ge {begin}", "$select": "__id"}
        ids: list[str] = []
        listing = Listing(self._api)
        url: httpx.URL | None = self._api.at(f"{self._form}.svc/Submissions", params)
        while url is not None:
            listing.asked(url)
            answer = self._api.json(url, nothing=(501,))
            if answer.body is None:
                return []
            rows, url = self._rows(answer, url)
            found = [str(row["__id"]) for row in rows if row.get("__id")]
            listing.page(found)
            ids += found
        return ids

    def _item(self, row: dict[str, Any], evidence: bytes) -> Delivery | Unreadable:
        system = _system(row)
        key = row.get("__id")
        moment = received(system.get("submissionDate"))
        if not isinstance(key, str) or not key:
            raise self._api.error(
                "a submission has no __id",
                "set the connection's host to an ODK Central server",
            )
        locator = f"submission {key}"

        def refused(code: str, reason: str) -> Unreadable:
            return Unreadable(code, reason, row, moment or self._now, evidence, locator, key)

        if moment is None:
            return refused("unreadable_date", "waktu kirimnya tidak ada; periksa di ODK Central")
        for time in (moment, received(system.get("updatedAt"))):
            if time is not None:
                self._newest = max(time, self._newest or time)
        if system.get("status") is not None:
            reason = "isian terenkripsi dan tidak dapat dibaca; kirim tanpa enkripsi formulir"
            return refused("encrypted", reason)
        expected, present = (
            int(system.get(name) or 0) for name in ("attachmentsExpected", "attachmentsPresent")
        )
        if present < expected:
            self._uploading[key] = self._now.isoformat()
        fields: dict[str, Any] = {}
        flatten(self._complete(row, self._api.at(f"{self._form}.svc/")), "", fields)
        if expected or present:
            fields[ATTACHMENTS] = attached = self._attachments(key)
            if any(each.get("not_kept") == "failed" for each in attached):
                self._uploading[key] = self._now.isoformat()
        return Delivery(key, moment, fields, evidence, locator)

    def _complete(self, row: Mapping[str, Any], base: httpx.URL) -> dict[str, Any]:
        """A row with its repeats, which are fetched if the server did not include them."""
        whole: dict[str, Any] = {}
        for name, value in row.items():
            if name.endswith(_LINK):
                field = name.removesuffix(_LINK)
                if field not in row:
                    whole[field] = self._repeats(self._api.follow(base, str(value)), base)
            elif name.startswith("__") and name.endswith("-id"):
                continue  # the parent's id, in a row of a repeat
            elif isinstance(value, list):
                whole[name] = [
                    self._complete(each, base) if isinstance(each, dict) else each for each in value
                ]
            elif isinstance(value, dict) and not _is_geometry(value):
                whole[name] = self._complete(value, base)
            else:
                whole[name] = value
        return whole

    def _repeats(self, url: httpx.URL, base: httpx.URL) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        listing = Listing(self._api)
        following: httpx.URL | None = url.copy_merge_params({"$top": "1000"})
        while following is not None:
            listing.asked(following)
            rows, following = self._rows(self._api.json(following), following)
            found += [self._complete(row, base) for row in rows]
        return found

    def _attachments(self, key: str) -> list[dict[str, Any]]:
        """A submission's attachments, each with its sha256 or the reason why it was not kept."""
        folder = f"{self._form}/submissions/{quote(key, safe='')}/attachments"
        listed = self._api.json(self._api.at(folder), nothing=(404,)).body
        found: list[dict[str, Any]] = []
        for each in listed if isinstance(listed, list) else ():
            name = str(each.get("name"))
            kept: Any = "missing"
            if each.get("exists"):
                url = self._api.at(f"{folder}/{quote(name, safe='')}")
                kept = self._api.keep(url, self._source.evidence)
            if isinstance(kept, Kept) and kept.is_page_for(mimetypes.guess_type(name)[0]):
                kept = "page"
            known: dict[str, Any] = {"not_kept": kept}
            if isinstance(kept, Kept):
                known = {"sha256": kept.sha256.hex(), "size": kept.size, "type": kept.media_type}
            found.append({"name": name, **known})
        return sorted(found, key=lambda each: str(each["name"]))


def _system(row: Mapping[str, Any]) -> Mapping[str, Any]:
    system = row.get("__system")
    return system if isinstance(system, dict) else {}


def _is_geometry(value: Mapping[str, Any]) -> bool:
    """GeoJSON, whose coordinates are longitude, latitude, altitude."""
    return value.get("type") in _GEOMETRIES and isinstance(value.get("coordinates"), list)


def flatten(row: Mapping[str, Any], prefix: str, fields: dict[str, Any]) -> None:
    """Groups as labels `group/field`; labels without a value are left out."""
    for name, value in row.items():
        if isinstance(value, dict) and not _is_geometry(value):
            flatten(value, f"{prefix}{name}/", fields)
        elif value is not None:
            fields[f"{prefix}{name}"] = value


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
