"""Any JSON API that gives a listing page by page, described in the channel file.

Nested objects of a record become labels with dots (`lokasi.kecamatan`). A list of plain values
becomes one text; a list of objects stays a list. A pull asks for what changed since the last one,
with an overlap. From time to time, or always if the API cannot be asked for changes, it asks for
everything: records that are missing from a whole listing were withdrawn.

Two records of one listing with the same id and different content would overwrite each other in
every pull, so the second one is quarantined. If `since` shows that the record was edited while the
listing was read, the second one is an edit.

The cursor is the greatest time of change that was read. It moves only after a whole listing, and
never beyond this machine's clock, so that a record dated in the future does not hide later ones.
"""

from __future__ import annotations

import difflib
import email.utils
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import orjson

from lumbung.intake.channel.labels import distinct
from lumbung.intake.connectors.base import (
    Checkpoint,
    Delivery,
    Item,
    SeenIds,
    Source,
    SourceConnection,
    Unreadable,
)
from lumbung.intake.connectors.http_json.config import ApiAuth, HttpJsonSource, Moment, Since
from lumbung.intake.connectors.shared.http import Answer, Api, Listing

_MAX_ID = 500  # characters; PostgreSQL's keys end at 2,700 bytes
_DEEPEST = 20
_MAX_MOMENT = 200  # characters of a time
_BESIDE = 5_000  # values beside the records in which a sign of another page is searched
_MAX_NAME = 100  # characters of a name in a message
_MAX_LINKS = 100  # of a list of links
_MAX_EMPTY = 100
"""The most pages in a row that have no record and a link to the next page."""
_ABSENT = object()
_NEXT = re.compile(
    r"(?:odata|has|is|there|ada|link|url|page|halaman|tautan|token)*"
    r"(?:next|more|continuation|continue|lanjut(?:an)?|selanjutnya|berikut(?:nya)?)"
    r"(?:page|pages|halaman|link|url|uri|href|path|token|cursor|offset|start|skip|key|id|marker"
    r"|index|number|no|nomor|from|records|record|results|result|items|rows|data|available|exists)*"
    r"|(?:is)?truncated|exceededtransferlimit"
)
"""Names (as `_squashed`) whose value means that there is another page."""
_CURSOR = re.compile(r"(?:end)?cursor|scrollid|bookmark|lastevaluatedkey")
"""Names that mean so in a listing without a page label."""
_LAST = re.compile(r"(?:is)?(?:last(?:page)?|done|end|eof|finished|complete)|endofrecords")
"""Names that mean so if their value is `false`."""
_LEAVES = frozenset(
    {
        *("href", "url", "uri", "link", "token", "cursor", "after", "value", "page", "offset"),
        *("start", "skip", "id", "key"),
    }
)
"""Names inside a link or total; the name before them says what it is."""
_TOTAL = re.compile(
    r"(?:odata)?count|total|total(?:count|records|results|rows|items|elements|data|hits)"
    r"|(?:record|result|item|row|hit)s?(?:count|total)|recordsfiltered|numfound|jumlah(?:data)?"
)
_REMAINING = re.compile(r"remaining|sisa(?:data)?")
"""Names whose number counts the records that follow."""
_PAGE_COUNT = re.compile(
    r"totalpages?|pages(?:total)?|pagecount|numpages|lastpage|(?:jumlah|total)halaman"
)
_CONTAINERS = frozenset(
    {
        *("meta", "metadata", "paging", "pagination", "pager", "page", "pageinfo", "paginasi"),
        *("links", "response", "result", "results", "data", "hits", "info", "header", "total"),
    }
)
"""Names (as `_squashed`) of objects whose numbers concern the listing."""
_TOTAL_HEADERS = ("X-Total-Count", "X-Total", "X-WP-Total", "Content-Range")
_PAGE_HEADERS = ("X-Total-Pages", "X-WP-TotalPages")
"""Headers whose number counts pages."""
_IGNORE = "list a name that says nothing about further pages in source.paging.ignore"
_AGAIN = (
    "correct source.paging.parameter, which the server may ignore; where it repeats its last page"
    " instead, set source.paging.total to the number of records"
)
_NO = frozenset({"", "0", "false", "f", "no", "n", "tidak", "null", "none"})
_NO_DATE = ("0000-00-00", "0001-01-01")
"""How MySQL, and .NET and Go, write a date that was never set."""
_MILLISECONDS = 100_000_000_000  # as seconds this is the year 5138


def read(source: Source) -> Iterator[Item]:
    """The records of the listing; a `Checkpoint` after each page."""
    options = source.channel.source
    assert isinstance(options, HttpJsonSource)  # noqa: S101 - the kind says so
    where = f"channel {source.channel.name}, {options.path}"
    with _api(source, options.auth, where) as api:
        yield from _Pull(source, options, api).items()


class _Pull:
    """One pull of a listing."""

    def __init__(self, source: Source, options: HttpJsonSource, api: Api) -> None:
        self._source = source
        self._options = options
        self._api = api
        self._zone = source.channel.timezone
        self._now = datetime.now(UTC)
        self._newest: datetime | None = None
        self._contents = SeenIds()
        self._least: dict[str, int] = {}
        """Name of a total -> its smallest value in a page: records may be added during the pull."""
        self._is_full = True

    def items(self) -> Iterator[Item]:
        options, cursor = self._options, self._source.cursor
        since = options.since
        begin = datetime.fromisoformat(cursor["since"]) if "since" in cursor else None
        full_at = datetime.fromisoformat(cursor["full_at"]) if "full_at" in cursor else None
        is_full = not (since and begin and full_at) or self._now - full_at >= options.full_every
        self._is_full = is_full
        params = dict(options.params)
        if since and begin and not is_full:
            params[since.parameter] = _written(begin - since.overlap, since, self._zone)
        listing = Listing(self._api, _AGAIN) if options.paging.parameter else Listing(self._api)
        for number, (rows, kept) in enumerate(self._pages(params, listing)):
            evidence = self._source.evidence.keep(BytesIO(kept)).sha256
            withdrawn: list[str] = []
            yield from self._page(rows, evidence, withdrawn, is_first=is_full and number == 0)
            yield Checkpoint(dict(cursor), None, tuple(withdrawn))
        # without a total, nothing shows whether records moved, and another pull would not help
        is_trusted = listing.is_whole or options.paging.total is None
        after = dict(cursor)
        if since and is_trusted:
            if is_full:
                after["full_at"] = self._now.isoformat()
            reached = [each for each in (begin, self._newest) if each]
            if reached:
                after["since"] = max(reached).isoformat()
        yield Checkpoint(after, "" if is_full and listing.is_whole else None)

    def _pages(self, params: dict[str, str], listing: Listing) -> Iterator[tuple[list[Any], bytes]]:
        """The lists of records, page by page, each with the sha256 of its evidence."""
        paging = self._options.paging
        if paging.size and paging.size_parameter:
            params[paging.size_parameter] = str(paging.size)
        at: int | str | None = {"page": paging.first, "offset": 0}.get(paging.style)
        url: httpx.URL | None = self._api.at(self._options.path, params)
        empty = fullest = 0
        before: tuple[Answer, httpx.URL, list[Any], Mapping[str, int]] | None = None
        while url is not None:
            if at is not None and paging.parameter:
                url = url.copy_set_param(paging.parameter, at)
            listing.asked(url)
            may_be_over = before and paging.style == "page" and paging.total is None
            answer = self._api.json(url, nothing=(404,) if may_be_over else ())
            if before and not answer.content:
                answer, asked, rows, numbers = before
                self._expect_end(listing, rows, fullest, numbers)
                self._expect_no_more(answer, asked, rows, listing, numbers)
                return
            rows = self._rows(answer.body)
            fullest = max(fullest, len(rows))
            total = self._total(answer)
            page_hash = hash(answer.content)
            ids = [_id(row, self._options.id) or (page_hash, n) for n, row in enumerate(rows)]
            listing.page(ids, total)
            yield rows, answer.rows_as_kept(rows)
            is_over = not rows or (total is not None and listing.count >= total)
            following: str | None = None
            asked = url
            match paging.style:
                case "next":
                    following = _link(_at(answer.body, paging.next or ""))
                case "link_header":
                    following = _next_link(answer.headers)
                case "page" if not is_over:
                    at = int(at or 0) + 1
                case "offset" if not is_over:
                    at = int(at or 0) + len(rows)
                case "cursor":
                    token = _at(answer.body, paging.next or "")
                    at = str(token) if token not in (None, "", False) else None
                    is_over = at is None
                case _:
                    is_over = True
            if paging.style in ("next", "link_header"):
                url = self._api.follow(url, following) if following else None
            elif is_over:
                url = None
            numbers = self._numbers(answer, total)
            if url is None:
                self._expect_no_more(answer, asked, rows, listing, numbers)
            before = answer, asked, rows, numbers
            empty = 0 if rows else empty + 1
            if empty > _MAX_EMPTY:
                raise self._api.error(
                    f"{empty} pages in a row have no record, and each names a next one",
                    "inform the server's administrator; where it gives a page number, set"
                    " source.paging.style to page",
                )

    def _numbers(self, answer: Answer, total: int | None) -> dict[str, int]:
        """The number of records according to a page, by each name under which the page states it.

        If the channel file names a `total`, that is the only one. A number that may concern another
        listing is left out: a listing of changed records has fewer than there are in all.
        """
        if not self._is_full:
            return {}
        if total is not None:
            totals: dict[str, int | None] = {"": total}
        else:
            totals = {
                # `Content-Range: items 0-24/319`
                name: _integer(answer.headers.get(name, "").rpartition("/")[2])
                for name in _TOTAL_HEADERS
                if f"header:{name}" not in self._options.paging.ignore
            }
            for path, value in self._beside(answer):
                if _is_about_listing(path, self._options.records, _TOTAL):
                    totals[path] = _integer(value)
            if any(_squashed(path) == "recordsfiltered" for path in totals):
                totals = {p: n for p, n in totals.items() if _squashed(p) != "recordstotal"}
        for name, number in totals.items():
            if number is not None:
                self._least[name] = min(number, self._least.get(name, number))
        return self._least

    def _expect_end(
        self, listing: Listing, rows: list[Any], fullest: int, numbers: Mapping[str, int]
    ) -> None:
        """Check that HTTP 404 for a page means that the page before it was the last one.

        It does where the server gives a number of records and all of them were read, or where the
        last page has fewer records than another one. After a full page, 404 may also mean that the
        server gives no pages beyond a certain number.

        Args:
            listing: the pages before.
            rows: the records of the last page.
            fullest: the most records of a page.
            numbers: the numbers of records according to the pages.

        Raises:
            SourceError: when there may be more records.
        """
        if listing.page_count == 1:
            fullest = self._options.paging.size or 0  # the server may give fewer than asked for
        if len(rows) < fullest or listing.row_count in numbers.values():
            return
        raise self._api.error(
            f"page {listing.page_count + 1} is refused (HTTP 404), and page {listing.page_count}"
            f" was full ({len(rows)} records), so it may not be the last one",
            "set source.paging.total to where the API gives the number of records; if it gives"
            " none, set source.paging.size (with size_parameter) to another number of records a"
            " page, so that the last page is not full",
        )

    def _expect_no_more(
        self,
        answer: Answer,
        asked: httpx.URL,
        rows: list[Any],
        listing: Listing,
        numbers: Mapping[str, int],
    ) -> None:
        """Check that the last page of a listing has no sign of further records.

        A wrong `source.paging` ends a listing early. So does a label that is misspelt, or that has
        another name from the second page on.

        Raises:
            SourceError: when the page has such a sign.
        """
        paging, given = self._options.paging, listing.row_count
        beside = self._beside(answer)
        label = paging.next or ""
        is_unlabelled = paging.style in ("next", "cursor") and _find(answer.body, label) is _ABSENT
        is_first = listing.page_count == 1
        signs: list[str] = []
        for name, number in numbers.items():
            if number > given:
                what = f"{name} {number}" if name else f"a total of {number}"
                signs.append(f"{what}, and {given} records")
        size = None if paging.total else paging.size
        if is_unlabelled and is_first and size is not None and len(rows) >= size:
            signs.append(f"a full page of {len(rows)} records")
        links = [name for name, value in beside if _is_next(name, value, asked)]
        is_linked = bool(_next_link(answer.headers)) and "header:Link" not in paging.ignore
        if is_linked and paging.style != "link_header":
            links.insert(0, "header Link")
        if paging.style == "none" or (paging.style == "cursor" and is_unlabelled and is_first):
            links += [name for name, value in beside if value and _CURSOR.fullmatch(_said(name))]
        if is_unlabelled and is_first:
            links += [
                name
                for name, value in beside
                if value
                and name not in links
                and difflib.SequenceMatcher(None, _last_name(label), _last_name(name)).ratio()
                >= 0.8
            ]
        flags = [name for name, value in beside if value is True and _NEXT.fullmatch(_said(name))]
        flags += [name for name, value in beside if value is False and _LAST.fullmatch(_said(name))]
        flags += [
            f"{path} {value}"
            for path, value in beside
            if _is_about_listing(path, self._options.records, _REMAINING) and _integer(value)
        ]
        if self._is_full:
            flags += [
                f"{path} {value}"
                for path, value in beside
                if _is_about_listing(path, self._options.records, _PAGE_COUNT)
                and (_integer(value) or 0) > listing.page_count
            ]
            flags += [
                f"{name} {answer.headers[name]}"
                for name in _PAGE_HEADERS
                if f"header:{name}" not in paging.ignore
                and (_integer(answer.headers.get(name)) or 0) > listing.page_count
            ]
        # some servers always name a next page, so a page without records ends numbered pages
        is_ended = paging.style in ("page", "offset") and not rows
        is_denied = any(value is False and _NEXT.fullmatch(_said(name)) for name, value in beside)
        signs += flags if is_ended else flags + [each for each in links if not is_denied]
        if not signs:
            return
        named = ", ".join(each[-_MAX_NAME:] for each in dict.fromkeys(signs[:5]))
        if is_unlabelled:
            raise self._api.error(
                f"there is no {paging.next!r} in the answer, which has {named}",
                "correct source.paging.next in the channel file; where the API leaves it out on"
                f" the last page, set source.paging.total; {_IGNORE}",
            )
        remediation = "set source.paging to the way in which this API gives its next page"
        if links and links[0] == "header Link":
            remediation = "set source.paging to {style: link_header}"
        elif links:
            name = links[0][-_MAX_NAME:]
            remediation = f"set source.paging to {{style: next, next: {name}}}, or to style cursor"
        elif "" in numbers or any(number > given for number in numbers.values()):
            remediation += (
                "; if the number counts something else, set source.paging.total to the right one"
            )
        raise self._api.error(
            f"page {listing.page_count} says there is more ({named}), and source.paging (style"
            f" {paging.style}) ends there",
            f"{remediation}; {_IGNORE}",
        )

    def _beside(self, answer: Answer) -> list[tuple[str, Any]]:
        """Values of an answer beside its records, which may be signs of further pages."""
        ignored = self._options.paging.ignore
        found = _beside(answer.body, self._options.records)
        return [(path, value) for path, value in found if path not in ignored]

    def _rows(self, body: Any) -> list[Any]:
        path = self._options.records
        rows = _find(body, path)
        if rows is None and isinstance(body, dict):
            return []  # some servers send `"data": null` for an empty list
        if not isinstance(rows, list):
            keys = ", ".join(list(body)[:20]) if isinstance(body, dict) else type(body).__name__
            raise self._api.error(
                f"there is no list of records at {path!r}; the answer has: {keys}",
                "correct source.records in the channel file, or the connection's host",
            )
        return rows

    def _total(self, answer: Answer) -> int | None:
        path = self._options.paging.total
        if path is None:
            return None
        header = path.removeprefix("header:")
        value = answer.headers.get(header) if header != path else _at(answer.body, path)
        try:
            return int(value)
        except (TypeError, ValueError):
            raise self._api.error(
                f"there is no number of records at {path!r}",
                "correct source.paging.total in the channel file, or remove it",
            ) from None

    def _page(
        self, rows: list[Any], evidence: bytes, withdrawn: list[str], *, is_first: bool
    ) -> Iterator[Delivery | Unreadable]:
        def items() -> Iterator[Delivery | Unreadable]:
            return (self._item(row, number, evidence) for number, row in enumerate(rows, 1))

        first = next(items(), None)
        if (
            is_first
            and len(rows) > 1
            and isinstance(first, Unreadable)
            and all(isinstance(item, Unreadable) for item in items())
        ):  # the channel file is wrong, not the records
            fields = ", ".join(list(rows[0])[:20]) if isinstance(rows[0], dict) else "no fields"
            raise self._api.error(
                f"no record of a page can be read ({first.reason_code}); they have: {fields}",
                "correct source.id and source.received in the channel file",
            )
        for row, item in zip(rows, items(), strict=True):
            if isinstance(item, Delivery) and self._is_withdrawn(row):
                withdrawn.append(item.source_id)
            elif isinstance(item, Delivery) and self._is_repeated(row, item.source_id):
                reason = "nomor pengenal ini dipakai dua catatan; beri nomor sendiri di sumbernya"
                yield Unreadable("key_repeated", reason, row, self._now, *item[3:5], item.source_id)
            else:
                yield item

    def _is_repeated(self, row: Any, key: str) -> bool:
        """Whether another record of this listing has the same id, and this one is no edit of it."""
        try:
            content = orjson.dumps(row)
        except TypeError:  # nested more deeply than orjson writes
            content = repr(row).encode()
        is_other = self._contents.add(f"{key}\0{hash(content)}")
        if self._source.seen_ids.add(key) or not is_other:
            return False
        since = self._options.since
        changed = since and _read(_at(row, since.field), since, self._zone)
        return not (since and changed and changed >= self._now - since.overlap)

    def _is_withdrawn(self, row: Any) -> bool:
        path = self._options.withdrawn
        value = None if path is None else _at(row, path)
        text = str(value or "").strip().casefold()
        return text not in _NO and not text.startswith(_NO_DATE)

    def _item(self, row: Any, number: int, evidence: bytes) -> Delivery | Unreadable:
        options = self._options
        key = _id(row, options.id)
        locator = f"record {key}" if key else f"record {number} of the page"

        def refused(code: str, reason: str) -> Unreadable:
            known = key if key and len(key) <= _MAX_ID else None
            return Unreadable(code, reason, row, self._now, evidence, locator[:_MAX_ID], known)

        if key is None:
            return refused(
                "required_field_missing", "catatan tanpa nomor pengenal; lengkapi di sumbernya"
            )
        if len(key) > _MAX_ID:
            reason = "nomor pengenalnya terlalu panjang; perbaiki di sumbernya"
            return refused("unusable_source_id", reason)
        moment = _read(_at(row, options.received.field), options.received, self._zone)
        if moment is None:
            return refused(
                "unreadable_date",
                "waktu terimanya kosong atau bukan tanggal; perbaiki di sumbernya",
            )
        if options.since:
            changed = _read(_at(row, options.since.field), options.since, self._zone) or moment
            self._newest = min(max(changed, self._newest or changed), self._now)
        fields: dict[str, Any] = {}
        flatten(row, "", fields, options.join)
        return Delivery(key, moment, fields, evidence, locator)


def _api(source: Source, auth: ApiAuth, where: str) -> Api:
    """The server, with the connection's credential in the place that the API expects."""
    connection = source.connection or SourceConnection("")
    password = connection.password or ""
    login: tuple[str, str] | None = None
    headers: dict[str, str] = {}
    params: dict[str, str] = {}
    match auth.style:
        case "bearer":
            headers["Authorization"] = f"Bearer {password}"
        case "basic":
            login = (connection.login or "", password)
        case "header":
            headers[auth.name or ""] = f"{auth.prefix} {password}" if auth.prefix else password
        case "query":
            params[auth.name or ""] = password
    api = Api(connection, where, headers=headers, params=params, auth=login)
    if auth.style != "none" and not password:
        raise api.error(
            "the credential is not known",
            f"set the password of the connection {source.channel.connection!r}",
        )
    return api


# -- records --------------------------------------------------------------------------------------


def _at(value: Any, path: str) -> Any:
    """The value at a path (see `_find`); None if there is none."""
    found = _find(value, path)
    return None if found is _ABSENT else found


def _find(value: Any, path: str) -> Any:
    """The value at a path of names and list positions (`-1` is the last); `_ABSENT` if none.

    A name may contain dots (`@odata.nextLink`), so the longest existing name counts. In a list of
    links, a name is a relation: `links.next` is the link with `"rel": "next"`.
    """
    if not path:
        return value
    if isinstance(value, Mapping):
        if path in value:
            return value[path]
        head = path
        while "." in head:
            head = head.rpartition(".")[0]
            if head in value:
                found = _find(value[head], path[len(head) + 1 :])
                if found is not _ABSENT:
                    return found
    elif isinstance(value, list):
        head, _, rest = path.partition(".")
        if re.fullmatch(r"-?\d{1,6}", head) and -len(value) <= int(head) < len(value):
            return _find(value[int(head)], rest)
        for each in value[:_MAX_LINKS]:
            if head and head in _relations(each):
                return _find(each, rest)
    return _ABSENT


def _beside(body: Any, records: str) -> list[tuple[str, Any]]:
    """Path and value of everything in an answer beside its records, the outermost first.

    Of a list, only links are included, by the path under which `_find` finds them.
    """
    found: list[tuple[str, Any]] = []
    level: list[tuple[str, Any]] = [("", body)]
    for _ in range(_DEEPEST):
        inner: list[tuple[str, Any]] = []
        for path, value in level:
            prefix = f"{path}." if path else ""
            if isinstance(value, Mapping):
                inner += [(f"{prefix}{name}", each) for name, each in value.items()]
            elif isinstance(value, list):
                for each in value[:_MAX_LINKS]:
                    inner += [(f"{prefix}{name}", _link(each)) for name in _relations(each)]
            else:
                found.append((path, value))
            if len(found) + len(inner) > _BESIDE:
                break
        level = [each for each in inner if each[0] != records]
    return found


def _relations(value: Any) -> list[str]:
    """The relation of a link in a list, in lower case; empty if it is no link."""
    if not isinstance(value, Mapping):
        return []
    names = value.get("rel", value.get("relation"))
    if isinstance(names, str):
        names = names.split()
    elif not isinstance(names, list):
        names = []
    return [str(name).casefold() for name in names]


def _link(value: Any) -> str | None:
    """The address of a link, which is text or an object with `href`; None if there is none."""
    if isinstance(value, Mapping):
        value = next((value[name] for name in ("href", "url", "uri") if name in value), None)
    return str(value) if value else None


def _squashed(name: str) -> str:
    """The letters of a path's last name, in lower case."""
    return re.sub(r"[\W\d_]", "", name[-200:].rpartition(".")[2].casefold())[:60]


def _said(path: str) -> str:
    """The name that describes a path's value: its last name, or the one before `href` or so."""
    last = _squashed(path)
    return _squashed(path.rpartition(".")[0]) if last in _LEAVES and "." in path else last


def _is_next(path: str, value: Any, asked: httpx.URL) -> bool:
    """Whether a value is the link or token of another page than the requested one."""
    if not value or value is True or str(value).casefold() in ("0", "false", "null", "none"):
        return False
    if not _NEXT.fullmatch(_said(path)):
        return False
    try:
        return not isinstance(value, str) or asked.join(value) != asked
    except (httpx.InvalidURL, ValueError):
        return True


def _is_about_listing(path: str, records: str, names: re.Pattern[str]) -> bool:
    """Whether a number has such a name, at the top or in an object that concerns the listing."""
    if not names.fullmatch(_said(path)):
        return False
    parents = path.split(".")[:-1]
    around = {_squashed(name) for name in records.split(".")}
    known = _CONTAINERS | around | {"", "odata"}
    return all(_squashed(name) in known for name in parents)


def _integer(value: Any) -> int | None:
    """A value as a number of records; None if it is not one."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,15}", value.strip()):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _last_name(path: str) -> str:
    return path.rpartition(".")[2].casefold()[:60]


def _id(row: Any, path: str) -> str | None:
    """A record's id as text; None if it has none."""
    value = _at(row, path) if isinstance(row, dict) else None
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def flatten(
    row: Mapping[str, Any],
    prefix: str,
    fields: dict[str, Any],
    join: str,
    reached: dict[str, int] | None = None,
) -> None:
    """Nested objects as labels with dots; two labels that become equal get a suffix."""
    reached = {} if reached is None else reached
    for name, value in row.items():
        label = f"{prefix}{name}"
        if isinstance(value, dict) and value and label.count(".") < _DEEPEST:
            flatten(value, f"{label}.", fields, join, reached)
            continue
        if isinstance(value, list) and not any(isinstance(each, dict | list) for each in value):
            value = join.join(_text(each) for each in value if each is not None)
        fields[label if label not in fields else distinct(label, fields, reached)] = value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


# -- times ----------------------------------------------------------------------------------------


def _read(value: Any, moment: Moment, zone: str) -> datetime | None:
    """A time as an API writes it; None if there is no such time."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    found = _parsed(value, moment)
    if found is not None and found.tzinfo is None:
        found = found.replace(tzinfo=ZoneInfo(moment.timezone or zone))
    try:
        return None if found is None else found.astimezone(UTC)
    except OverflowError:  # the zone moves it before year 1 or after 9999
        return None


def _parsed(value: str | float, moment: Moment) -> datetime | None:
    text = str(value).strip()
    if len(text) > _MAX_MOMENT:
        return None
    is_number = not isinstance(value, str) or re.fullmatch(r"-?\d{9,13}(\.\d+)?", text)
    try:
        if "%" in moment.format:
            try:
                found = datetime.strptime(text, moment.format)  # noqa: DTZ007 - zone follows
                # strptime takes fewer digits than a pattern has, so Unix time may fit it, too
                if not is_number or found.strftime(moment.format) == text:
                    return found
            except ValueError:
                pass
        if not is_number:
            try:
                return datetime.fromisoformat(text)
            except ValueError:
                return email.utils.parsedate_to_datetime(text)
        number = float(value)
        seconds = number / 1000 if abs(number) >= _MILLISECONDS else number
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _written(moment: datetime, since: Since, zone: str) -> str:
    """A time as the API's parameter takes it."""
    seconds = int(moment.timestamp())
    match since.format:
        case "iso":
            return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case "unix":
            return str(seconds)
        case "unix_ms":
            return str(seconds * 1000)
    return moment.astimezone(ZoneInfo(since.timezone or zone)).strftime(since.format)


def _next_link(headers: httpx.Headers) -> str | None:
    """The address of the next page in a Link header (RFC 8288); its relations have no case."""
    for target, attributes in re.findall(r"<([^<>]*)>([^<]*)", headers.get("Link", "")):
        for attribute in attributes.split(";"):
            name, _, value = attribute.partition("=")
            relations = value.strip(" \t\"',").casefold().split()
            if name.strip().casefold() == "rel" and "next" in relations:
                return str(target)
    return None
