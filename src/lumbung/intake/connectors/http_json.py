"""Any JSON API that gives a listing page by page, described in the channel file.

A record's nested objects become labels with dots (`lokasi.kecamatan`), lists of plain values one
text, lists of objects stay lists. Every pull asks for what changed since the last one (with an
overlap), and now and then, or always where the API cannot tell, for everything: what a whole
listing no longer has was withdrawn.

A record whose id came before in the same listing, with other content, is quarantined: two records
with one id would overwrite each other with every pull. Where `since` tells that it was edited while
the listing was read, it is what it says.

The cursor is the greatest time of change met. It moves only when a listing came to its end, and
never ahead of the clock here: a record dated into the future must not hide what follows it.
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

from lumbung.intake.connectors import (
    Delivery,
    Item,
    Mark,
    Met,
    Source,
    SourceConnection,
    Unreadable,
)
from lumbung.intake.connectors.http import Answer, Api, Listing
from lumbung.intake.contract import ApiAuth, HttpJsonSource, Moment, Since, distinct

_MAX_ID = 500  # characters; PostgreSQL's keys end at 2,700 bytes
_DEEPEST = 20
_MAX_MOMENT = 200  # characters of a time
_BESIDE = 200  # values beside the records that are looked through for a sign of another page
_ABSENT = object()
_NEXT = {
    "next": re.compile(r"next|more|continu|lanjut|berikut"),
    "cursor": re.compile(r"next|more|continu|lanjut|berikut|cursor"),
}
"""What a name says, in lower case, whose value means that there is another page."""
_MILLISECONDS = 100_000_000_000  # as seconds this is the year 5138


def read(source: Source) -> Iterator[Item]:
    """The records of the listing; a `Mark` after each page."""
    options = source.channel.source
    assert isinstance(options, HttpJsonSource)  # noqa: S101 - the kind says so
    where = f"channel {source.channel.name}, {options.path}"
    with _api(source, options.auth, where) as api:
        yield from _Reading(source, options, api).items()


class _Reading:
    """One pull of a listing."""

    def __init__(self, source: Source, options: HttpJsonSource, api: Api) -> None:
        self._source = source
        self._options = options
        self._api = api
        self._zone = source.channel.timezone
        self._now = datetime.now(UTC)
        self._newest: datetime | None = None
        self._contents = Met()

    def items(self) -> Iterator[Item]:
        options, cursor = self._options, self._source.cursor
        since = options.since
        begin = datetime.fromisoformat(cursor["since"]) if "since" in cursor else None
        full_at = datetime.fromisoformat(cursor["full_at"]) if "full_at" in cursor else None
        is_full = not (since and begin and full_at) or self._now - full_at >= options.full_every
        params = dict(options.params)
        if since and begin and not is_full:
            params[since.parameter] = _written(begin - since.overlap, since, self._zone)
        listing = Listing(self._api)
        for number, (rows, kept) in enumerate(self._pages(params, listing)):
            evidence = self._source.evidence.keep(BytesIO(kept)).sha256
            withdrawn: list[str] = []
            yield from self._page(rows, evidence, withdrawn, is_first=is_full and number == 0)
            yield Mark(dict(cursor), None, tuple(withdrawn))
        # Without a total nothing can show that a listing shifted, and waiting would not help.
        is_trusted = listing.is_whole or options.paging.total is None
        after = dict(cursor)
        if since and is_trusted:
            if is_full:
                after["full_at"] = self._now.isoformat()
            reached = [each for each in (begin, self._newest) if each]
            if reached:
                after["since"] = max(reached).isoformat()
        yield Mark(after, "" if is_full and listing.is_whole else None)

    def _pages(self, params: dict[str, str], listing: Listing) -> Iterator[tuple[list[Any], bytes]]:
        """The lists of records, page by page, each also as evidence."""
        paging = self._options.paging
        if paging.size and paging.size_parameter:
            params[paging.size_parameter] = str(paging.size)
        at: int | str | None = {"page": paging.first, "offset": 0}.get(paging.style)
        url: httpx.URL | None = self._api.at(self._options.path, params)
        while url is not None:
            if at is not None and paging.parameter:
                url = url.copy_set_param(paging.parameter, at)
            listing.asked(url)
            answer = self._api.json(url)
            rows = self._rows(answer.body)
            total = self._total(answer)
            nameless = hash(answer.content)
            ids = [_id(row, self._options.id) or (nameless, n) for n, row in enumerate(rows)]
            listing.page(ids, total)
            yield rows, answer.rows_as_kept(rows)
            is_over = not rows or (total is not None and listing.count >= total)
            following: str | None = None
            if paging.style in _NEXT and _find(answer.body, paging.next or "") is _ABSENT:
                if listing.page_count == 1 and not is_over:
                    self._expect_no_more(answer.body, rows, total)
                break
            match paging.style:
                case "next":
                    link = _at(answer.body, paging.next or "")
                    following = str(link) if link else None
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

    def _expect_no_more(self, body: Any, rows: list[Any], total: int | None) -> None:
        """Judge a first page without the label of the next one.

        Many APIs leave the label out on a last page, and a first page may be the last. A misspelt
        label looks the same, so that every other sign of a second page is looked for.

        Raises:
            SourceError: when there seems to be one.
        """
        paging = self._options.paging
        label = _last_name(paging.next or "")
        signs = [
            name
            for name, value in _beside(body, self._options.records)
            if value
            and (
                _NEXT[paging.style].search(name.casefold())
                or difflib.SequenceMatcher(None, label, _last_name(name)).ratio() >= 0.8
            )
        ]
        if total is not None:
            sign = f"a total of {total}, and {len(rows)} records"
        elif paging.size is not None and len(rows) >= paging.size:
            sign = f"a full page of {len(rows)} records"
        elif signs:
            sign = ", ".join(signs[:5])
        else:
            return
        raise self._api.error(
            f"there is no {paging.next!r} in the answer, which has {sign}",
            "correct source.paging.next in the channel file; where the API leaves it out on the"
            " last page, set source.paging.total",
        )

    def _rows(self, body: Any) -> list[Any]:
        path = self._options.records
        rows = _find(body, path)
        if rows is None and isinstance(body, dict):
            return []  # `"data": null` is how some say that there is nothing
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
        items = [self._item(row, number, evidence) for number, row in enumerate(rows, 1)]
        refused = [item for item in items if isinstance(item, Unreadable)]
        if is_first and 1 < len(rows) == len(refused):  # the description is wrong, not the records
            fields = ", ".join(list(rows[0])[:20]) if isinstance(rows[0], dict) else "no fields"
            raise self._api.error(
                f"no record of a page can be read ({refused[0].reason_code}); they have: {fields}",
                "correct source.id and source.received in the channel file",
            )
        for row, item in zip(rows, items, strict=True):
            if isinstance(item, Delivery) and self._is_withdrawn(row):
                withdrawn.append(item.source_id)
            elif isinstance(item, Delivery) and self._is_repeated(row, item.source_id):
                reason = "nomor pengenal ini dipakai dua catatan; beri nomor sendiri di sumbernya"
                yield Unreadable("key_repeated", reason, row, self._now, *item[3:5], item.source_id)
            else:
                yield item

    def _is_repeated(self, row: Any, key: str) -> bool:
        """Whether another record of this listing had the id, and this one is no edit of it."""
        try:
            content = orjson.dumps(row)
        except TypeError:  # nested deeper than it writes
            content = repr(row).encode()
        is_other = self._contents.add(f"{key}\0{hash(content)}")
        if self._source.met.add(key) or not is_other:
            return False
        since = self._options.since
        changed = since and _read(_at(row, since.field), since, self._zone)
        return not (since and changed and changed >= self._now - since.overlap)

    def _is_withdrawn(self, row: Any) -> bool:
        path = self._options.withdrawn
        return path is not None and _at(row, path) not in (None, False, 0, "", "0", "false")

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
    """The server, with the connection's credential where the API takes it."""
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
    """What is at a path (see `_find`); None if nothing is."""
    found = _find(value, path)
    return None if found is _ABSENT else found


def _find(value: Any, path: str) -> Any:
    """What is at a path: names, and positions of a list (`-1` is the last); `_ABSENT` if nothing.

    A name may hold dots itself (`@odata.nextLink`): the longest name that is there counts.
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
    return _ABSENT


def _beside(body: Any, records: str) -> list[tuple[str, Any]]:
    """Path and value of what an answer holds beside its records."""
    found: list[tuple[str, Any]] = []

    def note(value: Any, path: str) -> None:
        if path == records or len(found) >= _BESIDE:
            return
        if isinstance(value, dict) and path.count(".") < _DEEPEST:
            for name, each in value.items():
                note(each, f"{path}.{name}" if path else name)
        elif not isinstance(value, dict | list):
            found.append((path, value))

    if isinstance(body, dict):
        for name, each in body.items():
            note(each, name)
    return found


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
    """Nested objects to labels with dots; two labels that become one are told apart."""
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
    """A time as an API writes it; None if it is none that the calendar has."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    found = _parsed(value, moment)
    if found is not None and found.tzinfo is None:
        found = found.replace(tzinfo=ZoneInfo(moment.timezone or zone))
    try:
        return None if found is None else found.astimezone(UTC)
    except OverflowError:  # the year 1 or 9999, moved by its zone
        return None


def _parsed(value: str | float, moment: Moment) -> datetime | None:
    try:
        if isinstance(value, str) and not re.fullmatch(r"-?\d{9,13}(\.\d+)?", value.strip()):
            text = value.strip()
            if len(text) > _MAX_MOMENT:
                return None
            if "%" in moment.format:
                try:
                    return datetime.strptime(text, moment.format)  # noqa: DTZ007 - zone follows
                except ValueError:
                    pass
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
    """The address of the next page in a Link header (RFC 8288)."""
    for target, attributes in re.findall(r"<([^<>]*)>([^<]*)", headers.get("Link", "")):
        for attribute in attributes.split(";"):
            name, _, value = attribute.partition("=")
            if name.strip().casefold() == "rel" and "next" in value.strip(' \t",').split():
                return str(target)
    return None
