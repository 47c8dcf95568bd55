"""Any paged JSON API, by configuration alone, against a stand-in that pages in every style."""

from __future__ import annotations

import base64
import gzip
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from lumbung.errors import ConfigurationError, SourceError
from lumbung.intake.channel.load import load_channels
from lumbung.intake.connectors.base import Checkpoint, Item, Source, SourceConnection
from lumbung.intake.connectors.http_json import reader as http_json
from lumbung.intake.connectors.http_json import scaffold
from lumbung.intake.connectors.shared import http
from lumbung.intake.landing import IntakeCounts
from tests.support.api_server import (
    Reply,
    Request,
    Stand,
    deliveries,
    last_checkpoint,
    refusals,
    serve,
)
from tests.support.channel_samples import OWNER, channel
from tests.support.delivered import delivered
from tests.support.evidence import content_of, evidence_store

API: dict[str, Any] = {
    "name": "api_contoh",
    "title": "API contoh",
    "owner": OWNER,
    "connection": "api_contoh",
    "schedule": "0 5 * * *",
    "record_kind": "IA",
    "source": {
        "kind": "http_json",
        "path": "/v1/aduan",
        "records": "data",
        "id": "nomor",
        "received": "dibuat",
        "paging": {"style": "page", "parameter": "page", "total": "meta.total"},
    },
    "personal": ["pelapor.nama"],
    "subject": ["pelapor.nama"],
    "fields": {
        "regency": {"from": "lokasi.kabupaten"},
        "issue": {"from": "isu", "separator": ";"},
        "narrative": {"from": "uraian"},
    },
}
SINCE = {"field": "diubah", "parameter": "diubah_sejak", "overlap": "1 hour"}


def record(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "nomor": number,
        "dibuat": "2024-11-06T19:33:00+07:00",
        "diubah": "2024-11-06T19:33:00+07:00",
        "pelapor": {"nama": f"Warga {number}"},
        "lokasi": {"kabupaten": "Bangka", "titik": {"lat": -2.1, "lon": 106.1}},
        "isu": ["politik uang", "netralitas asn"],
        "uraian": f"cerita {number}",
        **changes,
    }


class Shop:
    """An API of records, two a page, in the style that a test chooses."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.style = "page"

    def __call__(self, request: Request) -> Reply:
        query = request.query
        rows = self.records
        if since := query.get("diubah_sejak"):
            after = datetime.fromisoformat(since)
            rows = [each for each in rows if datetime.fromisoformat(each["diubah"]) >= after]
        total = len(rows)
        match self.style:
            case "page":
                start = (int(query.get("page", 1)) - 1) * 2
            case "cursor":
                start = int(base64.b64decode(query["token"])) if "token" in query else 0
            case "none":
                return Reply({"data": rows, "meta": {"total": total}})
            case _:
                start = int(query.get("start", 0))
        page, end = rows[start : start + 2], start + 2
        body: dict[str, Any] = {"data": page, "meta": {"total": total}}
        headers = {"X-Total": str(total)}
        link = f"{request.path}?start={end}"
        if end < total:
            match self.style:
                case "next":
                    body["links"] = {"next": request.host + link}
                case "link_header":
                    headers["Link"] = f'<{link}>; title="x"; rel="next", </x>; rel="first"'
                case "cursor":
                    body["token"] = base64.b64encode(str(end).encode()).decode()
        if self.style == "link_header":
            return Reply(page, headers=headers)
        return Reply(body, headers=headers)


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def stand(shop: Shop) -> Iterator[Stand]:
    yield from serve(shop)


def pull(
    stand: Stand,
    tmp_path: Path,
    cursor: dict[str, Any] | None = None,
    connection: SourceConnection | None = None,
    **source: Any,
) -> list[Item]:
    return list(
        http_json.read(source_of(connection or stand.connection(), tmp_path, cursor, **source))
    )


def source_of(
    connection: SourceConnection,
    tmp_path: Path,
    cursor: dict[str, Any] | None = None,
    **source: Any,
) -> Source:
    model = channel(API, source={**API["source"], **source})
    evidence = evidence_store(tmp_path / "evidence")
    return Source(model, UPath(tmp_path), connection, evidence, lambda each: each, cursor or {})


def ids(items: list[Item]) -> list[str]:
    return [each.source_id for each in deliveries(items)]


# -- paging ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("style", "paging", "records"),
    [
        ("page", {"style": "page", "parameter": "page", "total": "meta.total"}, "data"),
        ("page", {"style": "page", "parameter": "page"}, "data"),
        ("offset", {"style": "offset", "parameter": "start", "total": "header:X-Total"}, "data"),
        ("next", {"style": "next", "next": "links.next"}, "data"),
        ("link_header", {"style": "link_header", "total": "header:X-Total"}, ""),
        ("cursor", {"style": "cursor", "next": "token", "parameter": "token"}, "data"),
        ("none", {"style": "none"}, "data"),
    ],
)
@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_every_style_gives_every_record_once(
    stand: Stand,
    shop: Shop,
    tmp_path: Path,
    style: str,
    paging: dict[str, Any],
    records: str,
    count: int,
) -> None:
    shop.style = style
    shop.records = [record(number) for number in range(1, count + 1)]
    items = pull(stand, tmp_path, paging=paging, records=records)
    assert ids(items) == [str(number) for number in range(1, count + 1)]
    is_known_whole = "total" in paging or len(stand.requests) == 1
    assert last_checkpoint(items).complete == ("" if is_known_whole else None)


class Strict:
    """An API of numbered pages, two records each, that answers 404 past the last one."""

    def __init__(self, count: int, beside: dict[str, Any], refused: int = 10**6) -> None:
        self.count, self.beside, self.refused = count, beside, refused

    def __call__(self, request: Request) -> Reply:
        page = int(request.query["page"])
        size = min(int(request.query.get("per", 2)), 3)
        numbers = range(1, self.count + 1)[(page - 1) * size : page * size]
        if (page > 1 and not numbers) or page >= self.refused:
            return Reply({"detail": "Invalid page."}, status=404)
        return Reply({"data": [record(n) for n in numbers], **self.beside})


PAGED = {"style": "page", "parameter": "page"}


@pytest.mark.parametrize(
    ("api", "paging"),
    [
        (Strict(5, {}), {}),
        (Strict(4, {"count": 4}), {}),
        (Strict(4, {"count": 4}), {"total": "count"}),
        (Strict(4, {}), {"size": 3, "size_parameter": "per"}),
        (Strict(1, {}), {"size": 3, "size_parameter": "per"}),
        (Strict(2, {"count": 2}), {}),
    ],
)
def test_404_past_the_last_page_ends_a_listing_that_is_known_to_end(
    api: Strict, paging: dict[str, Any], tmp_path: Path
) -> None:
    for stand in serve(api):
        items = pull(stand, tmp_path, paging={**PAGED, **paging})
        assert ids(items) == [str(n) for n in range(1, api.count + 1)]
        is_known_whole = "total" in paging or api.count <= 2  # one page cannot move
        assert last_checkpoint(items).complete == ("" if is_known_whole else None)


@pytest.mark.parametrize(
    ("api", "paging", "said"),
    [
        (Strict(4, {}), {}, r"page 3 is refused \(HTTP 404\), and page 2 was full \(2 records\)"),
        (Strict(2, {}), {}, "page 2 is refused .* set source.paging.total"),
        (Strict(9, {}, refused=3), {"size": 9, "size_parameter": "per"}, r"full \(3 records\)"),
        (Strict(9, {"count": 9}, refused=3), {}, "page 3 is refused"),
        (Strict(9, {"total": 9}, refused=3), {"total": "total"}, "the server refuses: HTTP 404"),
        (Strict(5, {"has_more": True}), {}, "page 3 says there is more"),
        (Strict(9, {}, refused=1), {}, "the server refuses: HTTP 404"),
    ],
)
def test_404_where_more_records_may_follow_says_what_to_set(
    api: Strict, paging: dict[str, Any], said: str, tmp_path: Path
) -> None:
    for stand in serve(api):
        with pytest.raises(SourceError, match=said):
            pull(stand, tmp_path, paging={**PAGED, **paging})


@pytest.mark.parametrize(("parameter", "is_repeated"), [("halaman", False), ("page", True)])
def test_a_page_that_comes_again_says_what_to_set(
    tmp_path: Path, parameter: str, is_repeated: bool
) -> None:
    """A parameter that the server ignores; a server that repeats its last page."""

    def app(request: Request) -> Reply:
        page = min(int(request.query.get("page", 1)), 2)
        return Reply({"data": [record(2 * page - 1), record(2 * page)]})

    for stand in serve(app):
        with pytest.raises(SourceError, match=r"correct source\.paging\.parameter.*paging\.total"):
            pull(stand, tmp_path, paging={"style": "page", "parameter": parameter})
        assert len(stand.requests) == (3 if is_repeated else 2)


def labelled(label: str, style: str = "next") -> Callable[[Request], Reply]:
    """Five records, two a page; the next page's link or token stands under a label of any form."""

    def app(request: Request) -> Reply:
        start = int(request.query.get("start", 0))
        body: dict[str, Any] = {"data": [record(n) for n in range(start, min(start + 2, 5))]}
        inner, names = body, label.split("/")
        for name in names[:-1]:
            inner = inner.setdefault(name, {})
        if start + 2 < 5:
            inner[names[-1]] = f"{request.path}?start={start + 2}" if style == "next" else start + 2
        return Reply(body)

    return app


@pytest.mark.parametrize("style", ["next", "cursor"])
@pytest.mark.parametrize(
    "label",
    ["@odata.nextLink", "meta/@odata.nextLink", "a.b/c.d/lanjutan", "links/next", "odata/nextLink"],
)
def test_a_label_with_dots_is_looked_up_whole_and_then_as_a_path(
    stand: Stand, tmp_path: Path, label: str, style: str
) -> None:
    stand.app = labelled(label, style)
    paging = {"style": style, "next": label.replace("/", ".")}
    if style == "cursor":
        paging["parameter"] = "start"
    items = pull(stand, tmp_path, paging=paging)
    assert ids(items) == ["0", "1", "2", "3", "4"]


def test_a_scaffold_made_of_a_page_reads_all_pages(stand: Stand, tmp_path: Path) -> None:
    stand.app = labelled("@odata.nextLink")
    body = stand.app(Request("GET", "/v1/aduan", {}, {}, b"", stand.connection().base_url)).body
    paging = scaffold.paging(body, "data")
    assert paging == {"style": "next", "next": "@odata.nextLink"}
    assert len(ids(pull(stand, tmp_path, paging=paging))) == 5


@pytest.mark.parametrize(
    ("label", "beside", "reported"),
    [
        ("@odata.nextlink", {"@odata.nextLink": "/v1/aduan?start=2"}, "@odata.nextLink"),
        ("links.nxt", {"links": {"next": "/v1/aduan?start=2", "prev": None}}, "links.next"),
        ("links.selanjutna", {"links": {"selanjutnya": "/v1?s=2"}}, "links.selanjutnya"),
        ("halaman.depan", {"halaman": {"dpan": "/v1?s=2"}}, "halaman.dpan"),
        ("berikut", {"has_more": True}, "has_more"),
    ],
)
def test_a_label_of_the_next_page_that_is_in_no_page_is_an_error_by_name(
    stand: Stand, tmp_path: Path, label: str, beside: dict[str, Any], reported: str
) -> None:
    stand.app = lambda _: Reply({"data": [record(1), record(2)], **beside})
    with pytest.raises(SourceError) as caught:
        pull(stand, tmp_path, paging={"style": "next", "next": label})
    assert f"there is no {label!r} in the answer, which has {reported}" in caught.value.what
    assert "set source.paging.total" in caught.value.remediation


@pytest.mark.parametrize(
    ("paging", "total", "reported"),
    [
        ({"total": "total"}, 5, "a total of 5, and 2 records"),
        ({"size": 2, "size_parameter": "limit"}, 2, "a full page of 2 records"),
        ({"size": 2, "size_parameter": "limit", "total": "total"}, 2, None),
        ({"size": 3, "size_parameter": "limit"}, 2, None),
        ({}, 2, None),
    ],
)
def test_a_first_page_without_the_label_is_the_last_unless_a_total_or_its_size_says_otherwise(
    stand: Stand, tmp_path: Path, paging: dict[str, Any], total: int, reported: str | None
) -> None:
    stand.app = lambda _: Reply(
        {
            "@odata.context": "https://api.example.id/$metadata",
            "links": {"self": "/v1/aduan", "next": None, "prev": ""},
            "data": [record(1), record(2)],
            "total": total,
            "has_more": False,
        }
    )
    paging = {"style": "next", "next": "@odata.nextLink", **paging}
    if reported is None:
        assert ids(pull(stand, tmp_path, paging=paging)) == ["1", "2"]
    else:
        with pytest.raises(SourceError, match=reported):
            pull(stand, tmp_path, paging=paging)


def test_what_came_before_a_missing_label_is_landed_and_the_cursor_stays(
    stand: Stand,
    add_channel: Callable[..., Path],
    pull_from: Callable[..., IntakeCounts],
    db: psycopg.Connection,
) -> None:
    source = {**API["source"], "paging": {"style": "next", "next": "links.nxt"}, "since": SINCE}
    add_channel(API, source=source)
    stand.app = labelled("links/next")
    with pytest.raises(SourceError, match=r"no 'links\.nxt'"):
        pull_from("api_contoh", stand.connection())
    assert db.execute("select count(*) from raw.record").fetchall() == [(2,)]
    assert db.execute("select cursor ? 'since' from ops.channel_cursor").fetchall() in (
        [],
        [(False,)],
    )


# -- a page that says there is more ----------------------------------------------------------------


NONE: dict[str, Any] = {"style": "none"}
LINKED = {"style": "next", "next": "links.next"}
NUMBERED = {"style": "page", "parameter": "page", "total": "total"}
TWO = [record(1), record(2)]
PAGE_2 = "/v1/aduan?page=2"


def one_page(*rows: dict[str, Any], headers: dict[str, str] | None = None, **beside: Any) -> Reply:
    return Reply({"data": list(rows), **beside}, headers=headers or {})


ODATA_NEXT: dict[str, Any] = {"@odata.nextLink": PAGE_2}
ODATA_COUNT: dict[str, Any] = {"@odata.count": 3}
CONTINUE: dict[str, Any] = {"continue": {"offset": 2}}
"""Contributors beside the records whose names are no keywords of Python."""


@pytest.mark.parametrize(
    ("paging", "reply", "reported"),
    [
        (NONE, one_page(*TWO, links=[{"rel": "next", "href": PAGE_2}]), "links.next"),
        (NONE, one_page(*TWO, link=[{"relation": "next", "url": PAGE_2}]), "link.next"),
        (NONE, one_page(*TWO, links=[{"rel": ["last", "Next"], "href": PAGE_2}]), "links.next"),
        (NONE, one_page(*TWO, _links={"next": {"href": PAGE_2}}), "_links.next.href"),
        (NONE, one_page(*TWO, **ODATA_NEXT), "@odata.nextLink"),
        (NONE, one_page(*TWO, meta={"cursors": {"next": "abc"}}), "meta.cursors.next"),
        (NONE, one_page(*TWO, paging={"next": {"after": "abc"}}), "paging.next.after"),
        (NONE, one_page(*TWO, meta={"page": {"nextPageToken": "abc"}}), "nextPageToken"),
        (NONE, one_page(*TWO, halaman_berikutnya=2), "halaman_berikutnya"),
        (NONE, one_page(*TWO, cursor="abc"), "cursor"),
        (NONE, one_page(*TWO, hasMore=True), "hasMore"),
        (NONE, one_page(*TWO, meta={"has_more": True}), "meta.has_more"),
        (NONE, one_page(*TWO, more=True), "more"),
        (NONE, one_page(*TWO, pageInfo={"hasNextPage": True}), "pageInfo.hasNextPage"),
        (NONE, one_page(*TWO, last=False), "last"),
        (NONE, one_page(*TWO, complete=False), "complete"),
        (NONE, one_page(*TWO, finished=False), "finished"),
        (NONE, one_page(*TWO, eof=False), "eof"),
        (NONE, one_page(*TWO, truncated=True), "truncated"),
        (NONE, one_page(*TWO, isTruncated=True, marker="abc"), "isTruncated"),
        (NONE, one_page(*TWO, exceededTransferLimit=True), "exceededTransferLimit"),
        (NONE, one_page(*TWO, **CONTINUE), "continue.offset"),
        (NONE, one_page(*TWO, next={"skip": 2}), "next.skip"),
        (NONE, one_page(*TWO, LastEvaluatedKey={"id": 2}), "LastEvaluatedKey.id"),
        (NONE, one_page(*TWO, scroll_id="abc"), "scroll_id"),
        (NONE, one_page(*TWO, bookmark="abc"), "bookmark"),
        (NONE, one_page(*TWO, meta={"remaining": 2}), "meta.remaining 2"),
        (NONE, one_page(*TWO, sisa=2), "sisa 2"),
        (NONE, one_page(*TWO, total_halaman=2), "total_halaman 2"),
        (NONE, one_page(*TWO, total=3), "total 3, and 2 records"),
        (NONE, one_page(*TWO, count="3"), "count 3, and 2 records"),
        (NONE, one_page(*TWO, meta={"total": 3}), "meta.total 3, and 2 records"),
        (NONE, one_page(*TWO, **ODATA_COUNT), "@odata.count 3, and 2 records"),
        (NONE, one_page(*TWO, headers={"X-Total-Count": "3"}), "X-Total-Count 3, and 2 records"),
        (NONE, one_page(*TWO, headers={"Content-Range": "items 0-1/3"}), "Content-Range 3, and 2"),
        (NONE, one_page(*TWO, headers={"X-Total-Pages": "3"}), "X-Total-Pages 3"),
        (NONE, one_page(*TWO, headers={"X-WP-TotalPages": "2"}), "X-WP-TotalPages 2"),
        (NONE, one_page(*TWO, total_pages=2), "total_pages 2"),
        (NONE, one_page(*TWO, headers={"Link": f"<{PAGE_2}>; Rel=Next"}), "header Link"),
        (LINKED, one_page(*TWO, links={"next": None}, total=3), "total 3, and 2 records"),
        (LINKED, one_page(*TWO, links={"next": None}, next_page=2), "next_page"),
        (
            LINKED,
            one_page(*TWO, links={"next": ""}, headers={"Link": f'<{PAGE_2}>; rel="next"'}),
            "header Link",
        ),
        ({"style": "link_header"}, one_page(*TWO, links={"next": PAGE_2}), "links.next"),
        ({"style": "link_header"}, one_page(*TWO, has_more=True), "has_more"),
        # the number of records of a page, taken for that of the listing
        (NUMBERED, one_page(*TWO, total=2, next=PAGE_2), "next"),
        (NUMBERED, one_page(*TWO, total=2, more=True), "more"),
        (
            {"style": "cursor", "parameter": "c", "next": "c"},
            one_page(*TWO, c="", hasMore=True),
            "hasMore",
        ),
    ],
)
def test_a_listing_that_says_there_is_more_where_it_ends_fails_by_name(
    stand: Stand, tmp_path: Path, paging: dict[str, Any], reply: Reply, reported: str
) -> None:
    stand.app = lambda _: reply
    with pytest.raises(SourceError, match=r"page 1 says there is more") as caught:
        pull(stand, tmp_path, paging=paging)
    assert reported in caught.value.what
    assert "set source.paging to" in caught.value.remediation


@pytest.mark.parametrize(
    "beside",
    [
        {"next": None, "previous": None, "count": 2},
        {"links": {"next": "", "self": "/v1/aduan"}, "total": 2},
        {"links": [{"rel": "self", "href": "/v1/aduan"}, {"rel": "next", "href": None}]},
        {"links": [{"rel": "first", "href": "/v1/aduan"}, {"rel": "last", "href": "/v1/aduan"}]},
        {"links": [{"rel": "next", "href": "/v1/aduan"}], "more": False},
        {"next": "/v1/aduan"},
        {"hasMore": False, "cursor": "abc", "next_cursor": "abc"},
        {"pageInfo": {"hasNextPage": False, "endCursor": "abc"}},
        {"total": 1, "meta": {"total": 2, "total_pages": 1, "last_page": 1}, "last": True},
        {"recordsTotal": 90, "recordsFiltered": 2},
        {"facets": {"lebih": {"count": 900}}, "more_info": "https://api.example.id/lain"},
        {"complete": True, "truncated": False, "remaining": 0, "rate_limit": {"remaining": 59}},
        {"next_update_at": "2024-11-07", "total_amount": 5_000_000, "totals": [9, 9]},
    ],
)
@pytest.mark.parametrize("paging", [NONE, {"style": "link_header"}])
def test_what_is_no_sign_of_more_lets_a_listing_end(
    stand: Stand, tmp_path: Path, beside: dict[str, Any], paging: dict[str, Any]
) -> None:
    stand.app = lambda _: one_page(*TWO, **beside)
    assert ids(pull(stand, tmp_path, paging=paging)) == ["1", "2"]


@pytest.mark.parametrize(
    ("beside", "headers", "ignore"),
    [
        ({"total": 500}, {}, ["total"]),
        ({"meta": {"count": 70, "total_pages": 3}}, {}, ["meta.count", "meta.total_pages"]),
        ({"more": "https://bantuan.example.id", "done": False}, {}, ["more", "done"]),
        ({}, {"X-Total-Count": "90"}, ["header:X-Total-Count"]),
        ({}, {"X-Total-Pages": "90"}, ["header:X-Total-Pages"]),
        ({}, {"Link": '</v1/lain>; rel="next"'}, ["header:Link"]),
    ],
)
def test_a_name_that_says_nothing_of_further_pages_may_be_ignored(
    stand: Stand, tmp_path: Path, beside: dict[str, Any], headers: dict[str, str], ignore: list[str]
) -> None:
    stand.app = lambda _: one_page(*TWO, **beside)._replace(headers=headers)
    with pytest.raises(SourceError, match="says there is more") as caught:
        pull(stand, tmp_path, paging=NONE)
    assert "in source.paging.ignore" in caught.value.remediation
    assert ids(pull(stand, tmp_path, paging={**NONE, "ignore": ignore})) == ["1", "2"]


def test_a_count_of_all_records_is_no_sign_of_more_among_those_that_changed(
    stand: Stand, tmp_path: Path
) -> None:
    stand.app = lambda _: one_page(*TWO, meta={"total": 900, "total_pages": 9})
    now = datetime.now(UTC).isoformat()
    cursor = {"since": "2024-11-08T03:00:00+00:00", "full_at": now}
    assert ids(pull(stand, tmp_path, cursor, since=SINCE, paging=NONE)) == ["1", "2"]
    with pytest.raises(SourceError, match=r"meta\.total 900, and 2 records"):
        pull(stand, tmp_path, since=SINCE, paging=NONE)


@pytest.mark.parametrize(
    ("first", "second", "reported"),
    [
        ({"links": {"next": PAGE_2}}, {"next_page": "/v1/aduan?page=3"}, "has next_page"),
        ({"links": {"next": PAGE_2}}, {"links": {"berikut": "/v1?p=3"}}, r"has links\.berikut"),
        ({"links": {"next": PAGE_2}}, {"has_more": True}, "has has_more"),
        ({"links": {"next": PAGE_2}, "total": 9}, {"total": 9}, "total 9, and 4 records"),
    ],
)
def test_a_label_that_changes_from_the_second_page_on_fails_by_name(
    stand: Stand, tmp_path: Path, first: Any, second: Any, reported: str
) -> None:
    pages = {"1": one_page(*TWO, **first), "2": one_page(record(3), record(4), **second)}
    stand.app = lambda request: pages[request.query.get("page", "1")]
    with pytest.raises(SourceError, match=reported):
        pull(stand, tmp_path, paging=LINKED)


def test_a_last_page_that_leaves_the_label_out_is_the_last_however_full(
    stand: Stand, tmp_path: Path
) -> None:
    pages = {"1": one_page(*TWO, links={"next": PAGE_2}), "2": one_page(record(3), record(4))}
    stand.app = lambda request: pages[request.query.get("page", "1")]
    paging = {**LINKED, "size": 2, "size_parameter": "limit"}
    assert ids(pull(stand, tmp_path, paging=paging)) == ["1", "2", "3", "4"]


@pytest.mark.parametrize("shape", ["list", "object", "text"])
def test_a_next_page_is_followed_in_every_shape_of_a_link(
    stand: Stand, tmp_path: Path, shape: str
) -> None:
    def app(request: Request) -> Reply:
        start = int(request.query.get("start", 0))
        link = f"{request.path}?start={start + 2}"
        own = {"rel": "self", "href": request.path}
        shapes: dict[str, Any] = {
            "list": [own, {"rel": "Next", "href": link}],
            "object": {"next": {"href": link}},
            "text": {"next": link},
        }
        rows = [record(n) for n in range(start, min(start + 2, 5))]
        return one_page(*rows, links=shapes[shape] if start + 2 < 5 else [own])

    stand.app = app
    assert ids(pull(stand, tmp_path, paging=LINKED)) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("relation", ["Rel=Next", 'REL="NEXT"', "rel='next'", 'rel="last next"'])
def test_a_link_header_is_followed_whatever_its_case_and_quotes(
    stand: Stand, tmp_path: Path, relation: str
) -> None:
    def app(request: Request) -> Reply:
        start = int(request.query.get("start", 0))
        headers = {"Link": f"<{request.path}?start={start + 1}>; title=x; {relation}"}
        return Reply([record(start)], headers=headers if start < 2 else {})

    stand.app = app
    paging = {"style": "link_header"}
    assert ids(pull(stand, tmp_path, paging=paging, records="")) == ["0", "1", "2"]


@pytest.mark.parametrize("paging", [LINKED, {"style": "link_header"}])
def test_a_page_that_names_itself_or_empty_pages_without_end_are_an_error(
    stand: Stand, tmp_path: Path, paging: dict[str, Any]
) -> None:
    def linked(link: str, *rows: dict[str, Any]) -> Reply:
        return one_page(*rows, links={"next": link}, headers={"Link": f"<{link}>; rel=next"})

    stand.app = lambda request: linked("/v1/aduan", *TWO)
    with pytest.raises(SourceError, match="same page again"):
        pull(stand, tmp_path, paging=paging)
    assert len(stand.requests) == 1
    stand.app = lambda request: linked(f"/v1/aduan?p={int(request.query.get('p', 1)) + 1}")
    with pytest.raises(SourceError, match="101 pages in a row have no record"):
        pull(stand, tmp_path, paging=paging)


def test_a_server_that_names_a_next_page_for_ever_ends_at_a_page_without_records(
    stand: Stand, tmp_path: Path
) -> None:
    def app(request: Request) -> Reply:
        page = int(request.query["page"])
        rows = [record(page)] if page < 3 else []
        return one_page(*rows, next=f"/v1/aduan?page={page + 1}")

    stand.app = app
    assert ids(pull(stand, tmp_path, paging={"style": "page", "parameter": "page"})) == ["1", "2"]


def test_pages_that_run_out_before_the_number_of_records_is_reached_fail(
    stand: Stand, tmp_path: Path
) -> None:
    """A server that gives no more than its first 10,000 records answers with empty pages."""
    pages = {"1": one_page(*TWO, total=5)}
    stand.app = lambda request: pages.get(request.query["page"], one_page(total=5))
    for paging in (NUMBERED, {"style": "page", "parameter": "page"}):
        with pytest.raises(SourceError, match=r"total.* 5, and 2 records"):
            pull(stand, tmp_path, paging=paging)


@given(
    st.lists(st.text("ab.", min_size=1, max_size=4), min_size=1, max_size=4),
    st.text("ab.", max_size=6),
)
def test_any_label_that_flattening_gives_is_found_again(names: list[str], noise: str) -> None:
    record: Any = "nilai"
    for name in reversed(names):
        record = {name: record, noise or "c": 1} if noise != name else {name: record}
    assert http_json._at(record, ".".join(names)) in ("nilai", 1)
    assert http_json._at({names[0]: None}, names[0]) is None


def test_parameters_and_size_go_with_every_page(stand: Stand, shop: Shop, tmp_path: Path) -> None:
    shop.records = [record(number) for number in range(1, 4)]
    paging = {**API["source"]["paging"], "size_parameter": "limit", "size": 2, "first": 1}
    pull(stand, tmp_path, paging=paging, params={"status": "semua", "arsip": True, "tahun": 2024})
    common = {"status": "semua", "arsip": "true", "tahun": "2024", "limit": "2"}
    assert [each.query for each in stand.requests] == [
        {**common, "page": "1"},
        {**common, "page": "2"},
    ]


def test_a_listing_that_shifted_between_two_pages_withdraws_nothing(
    stand: Stand, shop: Shop, tmp_path: Path
) -> None:
    shop.records = [record(number) for number in range(1, 5)]
    whole, answered = shop.records, []

    def app(request: Request) -> Reply:
        answered.append(request)
        if len(answered) == 2:
            shop.records = whole[1:]  # 1 is deleted meanwhile: 3 moves to the page before
        return shop(request)

    stand.app = app
    items = pull(stand, tmp_path, since=SINCE)
    assert ids(items) == ["1", "2", "4"]
    assert last_checkpoint(items) == Checkpoint({}, None), "read again from the start"


# -- records --------------------------------------------------------------------------------------


def test_a_record_is_flattened_and_leads_back_to_its_page(
    stand: Stand, shop: Shop, tmp_path: Path
) -> None:
    shop.records = [
        record(1, **{"lokasi.kabupaten": "lain"}, bukti=[{"nama": "a.jpg"}], kosong=None, tag=[])
    ]
    (found,) = deliveries(pull(stand, tmp_path))
    assert found.received_at == datetime(2024, 11, 6, 12, 33, tzinfo=UTC)
    assert found.locator == "record 1"
    assert found.fields == {
        "nomor": 1,
        "dibuat": "2024-11-06T19:33:00+07:00",
        "diubah": "2024-11-06T19:33:00+07:00",
        "pelapor.nama": "Warga 1",
        "lokasi.kabupaten": "Bangka",
        "lokasi.titik.lat": -2.1,
        "lokasi.titik.lon": 106.1,
        "isu": "politik uang;netralitas asn",
        "uraian": "cerita 1",
        "lokasi.kabupaten (2)": "lain",
        "bukti": [{"nama": "a.jpg"}],
        "kosong": None,
        "tag": "",
    }
    assert found.evidence is not None
    kept = content_of(evidence_store(tmp_path / "evidence"), found.evidence)
    assert json.loads(kept) == shop.records


@pytest.mark.parametrize(
    ("value", "moment", "expected"),
    [
        ("2024-11-06T12:00:00Z", {}, datetime(2024, 11, 6, 12, tzinfo=UTC)),
        ("2024-11-06T12:00:00.123+0700", {}, datetime(2024, 11, 6, 5, 0, 0, 123000, UTC)),
        ("2024-11-06 12:00:00", {}, datetime(2024, 11, 6, 5, tzinfo=UTC)),
        ("2024-11-06 12:00:00", {"timezone": "UTC"}, datetime(2024, 11, 6, 12, tzinfo=UTC)),
        (
            "06-11-2024 12.00",
            {"format": "%d-%m-%Y %H.%M", "timezone": "Asia/Makassar"},
            datetime(2024, 11, 6, 4, tzinfo=UTC),
        ),
        ("202411061930", {"format": "%Y%m%d%H%M"}, datetime(2024, 11, 6, 12, 30, tzinfo=UTC)),
        (202411061930, {"format": "%Y%m%d%H%M"}, datetime(2024, 11, 6, 12, 30, tzinfo=UTC)),
        ("1730894400", {"format": "%Y%m%d%H%M%S"}, datetime(2024, 11, 6, 12, tzinfo=UTC)),
        (1730894400, {}, datetime(2024, 11, 6, 12, tzinfo=UTC)),
        ("1730894400", {}, datetime(2024, 11, 6, 12, tzinfo=UTC)),
        (1730894400000, {}, datetime(2024, 11, 6, 12, tzinfo=UTC)),
        ("Wed, 06 Nov 2024 12:00:00 GMT", {}, datetime(2024, 11, 6, 12, tzinfo=UTC)),
    ],
)
def test_times_in_every_spelling(
    stand: Stand,
    shop: Shop,
    tmp_path: Path,
    value: object,
    moment: dict[str, Any],
    expected: datetime,
) -> None:
    shop.records = [record(1, dibuat=value)]
    items = pull(stand, tmp_path, received={"field": "dibuat", **moment})
    assert [each.received_at for each in deliveries(items)] == [expected]


@pytest.mark.parametrize(
    ("bad", "code", "known"),
    [
        ({"nomor": None, "uraian": "x"}, "required_field_missing", None),
        ({"nomor": {"a": 1}}, "required_field_missing", None),
        ("bukan catatan", "required_field_missing", None),
        (record(9, dibuat="31/02/2024"), "unreadable_date", "9"),
        (record(9, dibuat=None), "unreadable_date", "9"),
        (record(9, dibuat=1e300), "unreadable_date", "9"),
        ({**record(9), "nomor": "x" * 3000}, "unusable_source_id", None),
    ],
)
def test_a_record_that_cannot_be_read_is_quarantined_alone(
    stand: Stand, shop: Shop, tmp_path: Path, bad: Any, code: str, known: str | None
) -> None:
    shop.records = [record(1), bad]
    items = pull(stand, tmp_path)
    assert ids(items) == ["1"]
    (refused,) = refusals(items)
    assert (refused.reason_code, refused.source_id, refused.content) == (code, known, bad)


def test_of_two_records_with_one_id_the_other_is_quarantined(
    stand: Stand,
    shop: Shop,
    db: psycopg.Connection,
    add_channel: Callable[..., Path],
    pull_from: Callable[..., IntakeCounts],
) -> None:
    add_channel(API)
    shop.records = [record(1), record(2), record(3), record(1, uraian="lain"), record(2)]
    first = IntakeCounts(read=5, landed=3, duplicate=1, quarantined=1)
    assert pull_from("api_contoh", stand.connection()) == first, "2 came twice, the same"
    assert pull_from("api_contoh", stand.connection()) == IntakeCounts(read=5, duplicate=5)
    assert contents(db)["1"] == ["cerita 1"]
    reported = db.execute("select reason_code, locator from quarantine.record").fetchall()
    assert reported == [("key_repeated", "record 1")]


def test_a_record_that_is_edited_while_pages_are_read_is_no_repeated_id(
    stand: Stand, shop: Shop, tmp_path: Path
) -> None:
    now = datetime.now(UTC).isoformat()
    shop.records = [record(1), record(2), record(1, uraian="diubah", diubah=now)]
    items = pull(stand, tmp_path, since=SINCE)
    assert ids(items) == ["1", "2", "1"]
    assert refusals(items) == []


def test_a_wrong_description_is_an_error_and_no_full_quarantine(
    stand: Stand, shop: Shop, tmp_path: Path
) -> None:
    shop.records = [record(1), record(2)]
    with pytest.raises(SourceError, match="they have: nomor, dibuat") as caught:
        pull(stand, tmp_path, id="id")
    assert "Warga" not in str(caught.value)
    with pytest.raises(SourceError, match="no list of records at 'items'; the answer has: data"):
        pull(stand, tmp_path, records="items")
    paging = {**API["source"]["paging"], "total": "meta.jumlah"}
    with pytest.raises(SourceError, match=r"no number of records at 'meta\.jumlah'"):
        pull(stand, tmp_path, paging=paging)


def test_deep_nesting_is_no_crash(stand: Stand, tmp_path: Path) -> None:
    deep: Any = "dasar"
    for _ in range(400):
        deep = {"a": deep}
    stand.script = [Reply({"data": [record(1, dalam=deep)], "meta": {"total": 1}})]
    (found,) = deliveries(pull(stand, tmp_path))
    assert isinstance(found.fields["dalam" + ".a" * 20], dict)


def test_nothing_may_be_null(stand: Stand, tmp_path: Path) -> None:
    stand.script = [Reply({"data": None, "meta": {"total": 0}})]
    assert pull(stand, tmp_path) == [Checkpoint({}), Checkpoint({}, "")]


# -- what changed ---------------------------------------------------------------------------------


def test_the_next_pull_asks_with_overlap_for_what_changed(
    stand: Stand, shop: Shop, tmp_path: Path
) -> None:
    shop.records = [record(1), record(2, diubah="2024-11-08T10:00:00+07:00"), record(3)]
    items = pull(stand, tmp_path, since=SINCE)
    assert "diubah_sejak" not in stand.requests[0].query
    assert last_checkpoint(items).complete == ""
    cursor = last_checkpoint(items).cursor
    assert cursor["since"] == "2024-11-08T03:00:00+00:00"
    shop.records[0] = record(1, uraian="baru", diubah="2024-11-08T11:00:00+07:00")
    again = pull(stand, tmp_path, cursor, since=SINCE)
    assert stand.requests[-1].query["diubah_sejak"] == "2024-11-08T02:00:00Z"
    assert ids(again) == ["1", "2"]
    assert last_checkpoint(again).complete is None
    assert last_checkpoint(again).cursor["since"] == "2024-11-08T04:00:00+00:00"
    assert last_checkpoint(
        pull(stand, tmp_path, last_checkpoint(again).cursor, since=SINCE)
    ).cursor == (last_checkpoint(again).cursor)


@pytest.mark.parametrize(
    ("format", "sent"),
    [
        ("unix", "1731031200"),
        ("unix_ms", "1731031200000"),
        ("%Y-%m-%d", "2024-11-08"),
        ("%d/%m/%Y %H:%M", "08/11/2024 09:00"),
    ],
)
def test_the_parameter_in_every_spelling(
    stand: Stand, shop: Shop, tmp_path: Path, format: str, sent: str
) -> None:
    shop.style = "none"
    now = datetime.now(UTC).isoformat()
    cursor = {"since": "2024-11-08T03:00:00+00:00", "full_at": now}
    since = {"field": "diubah", "parameter": "sejak", "format": format}
    pull(stand, tmp_path, cursor, since=since, paging={"style": "none"})
    assert stand.requests[0].query["sejak"] == sent


def test_a_change_dated_into_the_future_hides_nothing(
    stand: Stand, shop: Shop, tmp_path: Path
) -> None:
    shop.records = [record(1, diubah="2099-01-01T00:00:00Z")]
    before = datetime.now(UTC)
    since = last_checkpoint(pull(stand, tmp_path, since=SINCE)).cursor["since"]
    assert before <= datetime.fromisoformat(since) <= datetime.now(UTC)


def test_everything_is_read_now_and_then(stand: Stand, shop: Shop, tmp_path: Path) -> None:
    shop.records = [record(1)]
    old = (datetime.now(UTC) - timedelta(days=8)).isoformat()
    items = pull(
        stand, tmp_path, {"since": "2024-12-01T00:00:00+00:00", "full_at": old}, since=SINCE
    )
    assert ids(items) == ["1"]
    assert last_checkpoint(items).complete == ""
    assert last_checkpoint(items).cursor["since"] == "2024-12-01T00:00:00+00:00", "never backwards"
    assert last_checkpoint(items).cursor["full_at"] > old


# -- credentials ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"style": "bearer"}, "authorization", "Bearer rahasia"),
        ({"style": "header", "name": "X-Api-Key"}, "x-api-key", "rahasia"),
        (
            {"style": "header", "name": "Authorization", "prefix": "Token"},
            "authorization",
            "Token rahasia",
        ),
        (
            {"style": "basic"},
            "authorization",
            "Basic " + base64.b64encode(b"petugas:rahasia").decode(),
        ),
    ],
)
def test_a_credential_in_a_header(
    stand: Stand,
    shop: Shop,
    tmp_path: Path,
    auth: dict[str, Any],
    header: str,
    value: str,
) -> None:
    shop.records = [record(number) for number in range(3)]
    pull(stand, tmp_path, connection=stand.connection(login="petugas"), auth=auth)
    assert [each.headers[header] for each in stand.requests] == [value, value]


def test_a_credential_in_the_query_goes_with_every_page_and_into_no_message(
    stand: Stand, shop: Shop, tmp_path: Path
) -> None:
    shop.style = "next"
    shop.records = [record(number) for number in range(3)]
    auth = {"style": "query", "name": "api_key"}
    source: dict[str, Any] = {"auth": auth, "paging": {"style": "next", "next": "links.next"}}
    pull(stand, tmp_path, **source)
    assert [each.query["api_key"] for each in stand.requests] == ["rahasia", "rahasia"]
    stand.script = [Reply(status=403)]
    with pytest.raises(SourceError) as caught:
        pull(stand, tmp_path, **source)
    assert "rahasia" not in str(caught.value)


def test_a_credential_in_the_query_is_not_logged(
    stand: Stand, shop: Shop, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shop.records = [record(1)]
    with caplog.at_level(logging.DEBUG):
        pull(stand, tmp_path, auth={"style": "query", "name": "api_key"})
    assert stand.requests[0].query["api_key"] == "rahasia"
    assert "rahasia" not in caplog.text


def test_no_credential_is_reported_before_anything_is_asked(stand: Stand, tmp_path: Path) -> None:
    connection = stand.connection(password=None)
    with pytest.raises(SourceError, match="set the password of the connection 'api_contoh'"):
        pull(stand, tmp_path, connection=connection, auth={"style": "bearer"})
    assert stand.requests == []


@pytest.mark.parametrize("host", ["", "ftp://contoh.example.id", "http://"])
def test_no_address_is_reported(stand: Stand, tmp_path: Path, host: str) -> None:
    with pytest.raises(SourceError, match="https://"):
        pull(stand, tmp_path, connection=SourceConnection(host))


# -- refusals and outages -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "remediation"),
    [
        (Reply(status=400), "documentation"),
        (Reply(status=401), "credential"),
        (Reply(status=403), "right to read"),
        (Reply(status=404), "address"),
        (Reply(status=302, headers={"Location": "/masuk"}), "API address"),
        (Reply("<html>Masuk</html>", headers={"Content-Type": "text/html"}), "API address"),
        (Reply("\n <!doctype html><p>Masuk"), "API address"),
        (Reply(status=429, headers={"Retry-After": "4000"}), "next scheduled pull"),
        (Reply({"data": [], "meta": {"total": "banyak"}}), "total"),
        (Reply([1]), "source.records"),
    ],
)
def test_a_refusal_is_reported_at_once(
    stand: Stand, tmp_path: Path, waits: list[float], reply: Reply, remediation: str
) -> None:
    stand.script = [reply]
    with pytest.raises(SourceError) as caught:
        pull(stand, tmp_path)
    assert remediation in caught.value.remediation
    assert caught.value.where == "channel api_contoh, /v1/aduan"
    assert waits == []
    assert len(stand.requests) == 1


def test_what_may_pass_is_tried_again(
    stand: Stand, shop: Shop, tmp_path: Path, waits: list[float]
) -> None:
    shop.records = [record(1)]
    stand.script = [
        Reply(status=429, headers={"Retry-After": "7"}),
        Reply(status=503, headers={"Retry-After": "Wed, 06 Nov 2024 00:00:00 -0000"}),
        Reply('{"data": [{"nomor'),
        Reply(b"rusak", headers={"Content-Encoding": "gzip"}),
    ]
    assert ids(pull(stand, tmp_path)) == ["1"]
    assert waits[0] == 7
    assert len(waits) == 4


def test_a_page_that_repeats_is_an_error_and_no_endless_pull(
    stand: Stand, shop: Shop, tmp_path: Path
) -> None:
    page = {"data": [record(1), record(2)], "meta": {"total": 9}}
    stand.app = lambda request: Reply(page)
    with pytest.raises(SourceError, match="same page again"):
        pull(stand, tmp_path)
    turn = [{"data": [record(n)], "links": {"next": f"/v1/aduan?ke={n % 2}"}} for n in range(2)]
    stand.app = lambda request: Reply(turn[int(request.query.get("ke", 0))])
    with pytest.raises(SourceError, match="same page again"):
        pull(stand, tmp_path, paging={"style": "next", "next": "links.next"})
    assert len(stand.requests) <= 5


def test_a_next_page_elsewhere_is_not_followed(stand: Stand, tmp_path: Path) -> None:
    link = "https://lain.example.org/v1/aduan?page=2"
    stand.script = [Reply({"data": [record(1)], "links": {"next": link}})]
    with pytest.raises(SourceError, match=r"another server, https://lain\.example\.org"):
        pull(stand, tmp_path, paging={"style": "next", "next": "links.next"})
    assert len(stand.requests) == 1


def test_a_page_beyond_measure_is_refused_also_when_it_is_packed(
    stand: Stand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_PAGE", 1 << 20)
    packed = gzip.compress(b" " * (2 << 20))
    stand.script = [Reply(packed, headers={"Content-Encoding": "gzip"})]
    with pytest.raises(SourceError, match="larger than 1 MB"):
        pull(stand, tmp_path)


def test_a_page_of_millions_of_tiny_values_is_refused_and_what_came_before_is_kept(
    stand: Stand, tmp_path: Path
) -> None:
    """64 MB of `{}` took 12 GB and killed the process."""
    meta = {"total": 1_500_003}
    tiny = b'{"meta": {"total": 1500003}, "data": [' + b",".join([b"{}"] * 1_500_000) + b"]}"
    stand.script = [Reply({"data": [record(1), record(2)], "meta": meta}), Reply(tiny)]
    items: list[Item] = []
    source = source_of(stand.connection(), tmp_path)
    with pytest.raises(SourceError, match="a page has more than 3,000,000 values"):
        items.extend(http_json.read(source))
    assert ids(items) == ["1", "2"]


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "zstd", "x-rahasia"])
def test_a_page_packed_twice_or_in_an_unknown_way_is_not_unpacked(
    stand: Stand, tmp_path: Path, encoding: str
) -> None:
    """64 kB that were packed twice are 64 GB."""
    packed = gzip.compress(gzip.compress(b" " * (1 << 20)))
    stand.script = [Reply(packed, headers={"Content-Encoding": encoding})]
    with pytest.raises(SourceError, match="packs its answers in a way that is not read"):
        pull(stand, tmp_path)
    assert len(stand.requests) == 1


def test_a_page_that_trickles_in_for_ever_ends_the_pull(
    stand: Stand, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_SECONDS", -1)
    shop.records = [record(1)]
    with pytest.raises(SourceError, match="the answer is not there after -1 seconds"):
        pull(stand, tmp_path)
    assert len(stand.requests) == 1


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_no_calendar_has_in_another_zone_is_none(text: str) -> None:
    assert http.received(text) is None


# -- whole pulls ----------------------------------------------------------------------------------


def contents(db: psycopg.Connection) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for key, story in delivered(
        db, "select source_id, payload ->> 'uraian' from raw.record order by record_id"
    ):
        found.setdefault(key, []).append(story)
    return found


def test_pulls_again_and_again_with_an_edit_a_deletion_and_a_withdrawal(
    stand: Stand,
    shop: Shop,
    db: psycopg.Connection,
    add_channel: Callable[..., Path],
    pull_from: Callable[..., IntakeCounts],
) -> None:
    add_channel(API, source={**API["source"], "withdrawn": "dicabut"})
    shop.records = [record(number) for number in range(1, 6)]
    to = stand.connection()
    assert pull_from("api_contoh", to) == IntakeCounts(read=5, landed=5)
    assert pull_from("api_contoh", to) == IntakeCounts(read=5, duplicate=5)
    shop.records[1] = record(2, uraian="diperbaiki")
    del shop.records[2]
    shop.records[2] = record(4, dicabut="2024-11-09")
    counts = pull_from("api_contoh", to)
    assert counts == IntakeCounts(read=3, landed=1, duplicate=2, tombstones=2)
    assert pull_from("api_contoh", to) == IntakeCounts(read=3, duplicate=3)
    shop.records[2] = record(4)
    assert pull_from("api_contoh", to) == IntakeCounts(read=4, landed=1, duplicate=3)
    assert contents(db) == {
        "1": ["cerita 1"],
        "2": ["cerita 2", "diperbaiki"],
        "3": ["cerita 3", None],
        "4": ["cerita 4", None, "cerita 4"],
        "5": ["cerita 5"],
    }


SAYS_NO: list[object] = [
    *("False", "N", "tidak", "null", " ", "0", 0, 0.0, False, None),
    *([], {}, "0000-00-00 00:00:00", "0001-01-01T00:00:00Z"),
]
SAYS_YES: list[object] = [
    *("True", "y", "dicabut", 1, True, [1], {"oleh": "Warga"}, "2024-11-09", "1"),
]


@pytest.mark.parametrize(
    ("value", "is_withdrawn"),
    [*((each, False) for each in SAYS_NO), *((each, True) for each in SAYS_YES)],
)
def test_a_sign_of_withdrawal_that_says_no_withdraws_nothing(
    stand: Stand, shop: Shop, tmp_path: Path, value: object, is_withdrawn: bool
) -> None:
    shop.records = [record(1, dicabut=value)]
    items = pull(stand, tmp_path, withdrawn="dicabut")
    withdrawn = [key for each in items if isinstance(each, Checkpoint) for key in each.withdrawn]
    assert (ids(items), withdrawn) == (([], ["1"]) if is_withdrawn else (["1"], []))


def test_an_outage_in_the_middle_leaves_the_cursor_and_the_next_pull_completes(
    stand: Stand,
    shop: Shop,
    db: psycopg.Connection,
    add_channel: Callable[..., Path],
    pull_from: Callable[..., IntakeCounts],
    waits: list[float],
) -> None:
    add_channel(API, source={**API["source"], "since": SINCE})
    shop.records = [record(number) for number in range(1, 6)]
    stand.dies_after = 1
    with pytest.raises(SourceError, match="after 6 attempts"):
        pull_from("api_contoh", stand.connection())
    assert contents(db).keys() == {"1", "2"}, "what came before stays"
    cursor = "select cursor from ops.channel_cursor"
    assert db.execute(cursor).fetchall() in ([], [({},)])
    stand.dies_after = None
    counts = pull_from("api_contoh", stand.connection())
    assert counts == IntakeCounts(read=5, landed=3, duplicate=2)
    assert db.execute(cursor).fetchone()[0]["since"] == "2024-11-06T12:33:00+00:00"  # type: ignore[index]


def test_a_source_that_shrank_to_nothing_is_an_alarm(
    stand: Stand,
    shop: Shop,
    db: psycopg.Connection,
    add_channel: Callable[..., Path],
    pull_from: Callable[..., IntakeCounts],
) -> None:
    add_channel(API)
    shop.records = [record(number) for number in range(1, 6)]
    pull_from("api_contoh", stand.connection())
    shop.records = []
    with pytest.raises(SourceError, match="of 5 deliveries the source no longer has 5"):
        pull_from("api_contoh", stand.connection())
    assert None not in [story for stories in contents(db).values() for story in stories]


# -- the channel file -----------------------------------------------------------------------------


def test_mistakes_in_the_description_are_reported_together(tmp_path: Path) -> None:
    (tmp_path / "api.yaml").write_text(
        """\
title: API
owner: {name: Kantor, email: kantor@contoh.example.id}
schedule: "0 5 * * *"
source:
  kind: http_json
  path: /v1
  id: id
  received: {field: dibuat, format: pagi}
  since: {field: diubah, overlap: sejam, parameter: sejak}
fields:
  narrative: {from: uraian}
"""
    )
    with pytest.raises(ConfigurationError) as caught:
        load_channels(tmp_path)
    assert "api.yaml:8" in str(caught.value)
    assert "api.yaml:9" in str(caught.value)
    (tmp_path / "api.yaml").write_text(
        """\
title: API
owner: {name: Kantor, email: kantor@contoh.example.id}
schedule: "0 5 * * *"
source:
  kind: http_json
  path: /v1
  id: id
  received: dibuat
  auth: {style: header}
  paging: {style: cursor, size: 5}
fields:
  narrative: {from: uraian}
"""
    )
    with pytest.raises(ConfigurationError) as caught:
        load_channels(tmp_path)
    for reported in (
        "which header",
        "the link or token",
        "has no parameter",
        "size_parameter",
        "name",
    ):
        assert reported in str(caught.value)
    assert "connection: is missing" in str(caught.value)
