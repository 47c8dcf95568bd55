"""Google Forms: the responses of one form as CSV, from files in a folder or from a link.

Every export holds the whole form, so the newest one is the complete list of responses. A response
that is missing from it was withdrawn, once a later export confirms it
(`Withdrawals.withdraw_missing`): an export may be cut off. Older exports that were not read before
are landed too.

A response has no id, and a row's number is no key, because deleted rows shift the others. A
response is identified by its time and its ordinal among those of the same second, or by the
columns in `id`. An ordinal is that of the response with the same answers in the export before. An
edit changes the time and keeps the row. Without `id`, an edited response is therefore a new
delivery, and the one that stood in its row before is withdrawn at once.

Times that Forms exports have a zone (`2022/06/22 11:07:29 AM GMT+7`). Times that a linked sheet
exports have none (`27/01/2024 10.15.30`); they are in the channel's zone.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import count, pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from lumbung.errors import SourceError
from lumbung.intake.channel.labels import normalise
from lumbung.intake.connectors.base import (
    Checkpoint,
    Delivery,
    FileReading,
    Item,
    Source,
    SourceConnection,
    Unreadable,
)
from lumbung.intake.connectors.form_csv.config import FormCsvSource
from lumbung.intake.connectors.shared.delimited import Table, broken_rows, refusal
from lumbung.intake.connectors.shared.files import File, Folder, begin_alike, guarded
from lumbung.intake.connectors.shared.http import Api

_STAMP = re.compile(
    r"(\d{1,4})[/.\-](\d{1,2})[/.\-](\d{1,4})"
    r"(?:[ T,]+(\d{1,2})[.:](\d{2})(?:[.:](\d{2})(?:\.\d+)?)?)?"
    r"(?:\s*([AP])\.?\s?M\.?)?"
    r"(?:\s*(?:(?:GMT|UTC)?([+\-]\d{1,2})(?::?(\d{2}))?|([A-Z]{1,5})))?",
    re.IGNORECASE,
)
_ZONES = {
    **{"Z": 0, "UTC": 0, "GMT": 0, "WIB": 7, "WITA": 8, "WIT": 9, "SGT": 8, "JST": 9},
    **{"AST": -4, "ADT": -3, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6},
    **{"PST": -8, "PDT": -7, "CET": 1, "CEST": 2},
}
"""Hours east of Greenwich of the zone names that Google writes (Unicode CLDR, English)."""

_MAX_DOWNLOAD = 256 << 20
_MAX_PAIRS = 1_000_000
_NAMELESS = "\0"
"""The beginning of a placeholder for the source id of a response that has none."""

_Contents = dict[str, frozenset[int]]
_Ordinals = dict[str, list[int]]


class _Stamp(NamedTuple):
    """A time as written: its parts, whether the year comes first, and its zone if it has one."""

    first: int
    second: int
    third: int
    clock: timedelta
    is_year_first: bool
    zone: tzinfo | str | None


def read(source: Source) -> Iterator[Item]:
    """The responses of the exports, the newest last; a `Checkpoint` at the end."""
    options = source.channel.source
    assert isinstance(options, FormCsvSource)  # noqa: S101 - the kind says so
    if source.connection is not None:
        yield from _from_link(source, options, source.connection)
    else:
        yield from _from_folder(source, options)


def _from_folder(source: Source, options: FormCsvSource) -> Iterator[Item]:
    folder = Folder(source, options.files)
    files: list[File] = []
    for file in folder:
        if isinstance(file, Unreadable):
            yield file  # it has no id, so nothing is withdrawn
        else:
            files.append(file)
    if not files:
        if folder.unsettled:
            checkpoint = folder.checkpoint()
            yield checkpoint._replace(cursor={**source.cursor, **checkpoint.cursor})
        return
    *older, newest = files
    present = _Export(source, options, newest)
    there = present.contents()
    former = _former(source, options, newest)
    state = former.contents() if former else {}
    states = [state] if former and former.file.sha256 != newest.sha256 else []
    for file in older:
        if file.is_repeat:
            continue
        export = _Export(source, options, file, state)
        responses = state = export.contents()
        if present.is_whole and len(responses.keys() & there) * 2 < len(responses):
            raise SourceError(
                "the exports in the folder have less than half of their responses in common",
                where=f"channel {source.channel.name}, {source.folder}",
                remediation="give every form a channel of its own (source.files), or take the older"
                " export of this form out of the folder",
            )
        yield from export.items()
        states.append(responses)
    present = _Export(source, options, newest, state)
    there = present.contents()
    yield from present.items()
    checkpoint = folder.checkpoint()
    as_of = source.cursor.get("as_of")
    is_older = as_of and newest.changed_at < datetime.fromisoformat(as_of)
    if not present.is_whole or is_older or folder.unsettled:
        # This export is not the current state of the form, so nothing is known to be gone.
        yield checkpoint._replace(cursor={**source.cursor, **checkpoint.cursor})
        return
    cursor = {**checkpoint.cursor, "as_of": newest.changed_at.isoformat(), **present.known()}
    yield Checkpoint(cursor, "", _all_replaced([*states, there]), _reading(newest, former))


def _former(source: Source, options: FormCsvSource, newest: File) -> _Export | None:
    """The export that was the newest one in the last pull, with the ordinals that it had."""
    known = bytes.fromhex(source.cursor.get("newest", ""))
    kept = source.evidence.find(known) if known else None
    if kept is None:
        return None
    file = File(newest.name, kept, known, newest.changed_at, is_repeat=True)
    export = _Export(source, options, file)
    export.ordinals = source.cursor.get("ordinals", {})
    return export


def _reading(newest: File, former: _Export | None) -> FileReading:
    is_continued = (
        former is not None
        and former.file.sha256 != newest.sha256
        and begin_alike(former.file.content, newest.content)
    )
    return FileReading(newest.sha256, is_continued)


def _all_replaced(states: list[_Contents]) -> tuple[str, ...]:
    """The responses that were edited between two exports."""
    found = {each for old, new in pairwise(states) for each in _replaced(old, new)}
    return tuple(sorted(found - states[-1].keys()))


def _replaced(old: _Contents, new: _Contents) -> Iterator[str]:
    """The responses of an export that a newer export has replaced by another one in their row.

    Between two responses that both exports hold, a new response replaces the missing one with which
    it shares the most cells. A missing response without a replacement may have been cut off. A new
    response without an id replaces nothing: it may be the missing one, with its time deleted.
    """
    stayed = len(old.keys() & new.keys())
    gone, came = _gaps(old, new), _gaps(new, old)
    for place, missing in gone.items():
        fresh = came.get(place, [])
        if len(missing) * len(fresh) > _MAX_PAIRS:
            continue
        pairs = sorted(
            (-len(old[each] & new[other]), at, number)
            for at, each in enumerate(missing)
            for number, other in enumerate(fresh)
        )
        taken: set[int] = set()
        done: set[int] = set()
        for shared, at, number in pairs:
            most = max(len(old[missing[at]]), len(new[fresh[number]]))
            # without one, the file may be the export of another form
            is_likely = 2 * stayed >= len(old) or -2 * shared > most
            if is_likely and at not in done and number not in taken:
                done.add(at)
                taken.add(number)
                if _NAMELESS not in missing[at] + fresh[number]:
                    yield missing[at]


def _ordinals(former: _Contents, numbered: _Contents) -> _Ordinals:
    """The ordinals of an export's responses that keep those of the export before.

    A response keeps the ordinal of the one of its second with the same answers. Any other one takes
    the lowest ordinal that is left: its answers were corrected in the sheet, or it is new.

    Args:
        former: the contents of the export before.
        numbered: the contents of this export, whose ordinals are 0, 1, 2 and so on.
    """
    before = _by_second(former)
    found: _Ordinals = {}
    for second, responses in _by_second(numbered).items():
        left: dict[frozenset[int], list[int]] = {}
        for ordinal, cells in reversed(before.get(second, [])):
            left.setdefault(cells, []).append(ordinal)
        same = [left[cells].pop() if left.get(cells) else None for _, cells in responses]
        taken = {*same}
        free = (each for each in count() if each not in taken)
        ordinals = [next(free) if each is None else each for each in same]
        if ordinals != [*range(len(ordinals))]:
            found[second] = ordinals
    return found


def _by_second(contents: _Contents) -> dict[str, list[tuple[int, frozenset[int]]]]:
    """The responses that have an ordinal, by their second: the ordinal and the cells of each."""
    found: dict[str, list[tuple[int, frozenset[int]]]] = {}
    for key, cells in contents.items():
        if not key.startswith(_NAMELESS):
            second, _, ordinal = key.rpartition("-")
            found.setdefault(second, []).append((int(ordinal), cells))
    return found


def _gaps(these: _Contents, others: _Contents) -> dict[str | None, list[str]]:
    """The responses that only one export holds, by the last common response before them."""
    found: dict[str | None, list[str]] = {}
    place: str | None = None
    for each in these:
        if each in others:
            place = each
        else:
            found.setdefault(place, []).append(each)
    return found


def _from_link(
    source: Source, options: FormCsvSource, connection: SourceConnection
) -> Iterator[Item]:
    where = f"channel {source.channel.name}"
    share = "share the sheet with everyone who has the link, or correct the link"
    headers = {"Accept": "text/csv"}
    if connection.password:
        headers["Authorization"] = f"Bearer {connection.password}"
    with Api(
        connection,
        where,
        headers=headers,
        remediations={400: share, 401: share, 403: share},
        redirect_hosts=("*.googleusercontent.com",),  # where Google keeps exports of sheets
    ) as api:
        url = api.at(options.path) if options.path else api.start
        kept = api.download(url, source.evidence, _MAX_DOWNLOAD)
        if isinstance(kept, str):
            what = "is not there (HTTP 404)" if kept == "missing" else "is larger than 256 MB"
            raise api.error(f"the CSV {what}", share)
        if kept.media_type == "text/html":
            raise api.error("the link leads to a page for people, not to CSV", share)
        file = File("respons.csv", kept, kept.sha256, datetime.now(UTC), is_repeat=False)
        former = _former(source, options, file)
        state = former.contents() if former else {}
        export = _Export(source, options, file, state)
        for item in export.items():
            if isinstance(item, Unreadable) and item.is_part and item.reason_code != "broken_row":
                raise api.error(
                    f"what the link gives cannot be read ({item.reason_code})",
                    "correct the link, or source.timestamp in the channel file",
                )
            yield item
    states = [state, export.contents()] if former else [export.contents()]
    if not export.is_whole:
        yield Checkpoint({**source.cursor})
        return
    yield Checkpoint(export.known(), "", _all_replaced(states), _reading(file, former))


class _Export:
    """One export of the form.

    Args:
        source: of the channel.
        options: of the channel.
        file: the export.
        former: the contents of the export before, whose ordinals its responses keep.

    Attributes:
        file: the export.
        is_whole: whether `contents` could read all rows of the export.
        ordinals: the ordinals of the responses of a second, in their order, where they are not
            0, 1, 2 and so on.
    """

    def __init__(
        self, source: Source, options: FormCsvSource, file: File, former: _Contents | None = None
    ) -> None:
        self._source = source
        self._options = options
        self.file = file
        self._zone = ZoneInfo(source.channel.timezone)
        self._stamps = {normalise(label) for label in options.timestamp}
        self.is_whole = False
        self.ordinals: _Ordinals = {}
        if former and not options.id:
            self.ordinals = _ordinals(former, self.contents())

    def known(self) -> dict[str, Any]:
        """What the cursor holds of the export when it is the newest one."""
        ordinals = {"ordinals": self.ordinals} if self.ordinals else {}
        return {"newest": self.file.sha256.hex(), **ordinals}

    def contents(self) -> _Contents:
        """The source ids of the responses in their order, each with the hashes of its cells."""
        found: _Contents = {}
        self.is_whole = True
        for item in self.items():
            if isinstance(item, Unreadable) and item.is_part:
                self.is_whole = False
                continue
            fields = item.fields if isinstance(item, Delivery) else item.content
            cells = frozenset(
                hash(cell) for cell in fields.items() if normalise(cell[0]) not in self._stamps
            )
            found.setdefault(item.source_id or f"{_NAMELESS}{hash(tuple(fields.items()))}", cells)
        return found

    def items(self) -> Iterator[Delivery | Unreadable]:
        """Its responses, in its order.

        Raises:
            SourceError: when its times are written in another order than the channel says.
        """
        return guarded(self.file, self._items())

    def _items(self) -> Iterator[Delivery | Unreadable]:
        file = self.file
        try:
            table = Table(file.content, self._stamps)
            column = next((each for each in table.labels if normalise(each) in self._stamps), None)
            if column is None:
                names = ", ".join(self._options.timestamp)
                reason = (
                    f"tidak ada kolom waktu ({names}); unduh ulang respons formulir sebagai CSV"
                )
                yield file.unreadable("header_not_found", reason)
                return
            self._hold_to_order(table, column)
            counts: Counter[str] = Counter()
            contents: dict[str, int] = {}
            for number, fields in table.rows():
                yield self._item(number, fields, column, counts, contents)
            yield from broken_rows(file, table.broken)
        except csv.Error as error:
            yield file.unreadable(*refusal(error))

    def _item(
        self,
        number: int,
        fields: dict[str, str],
        column: str,
        counts: Counter[str],
        contents: dict[str, int],
    ) -> Delivery | Unreadable:
        file = self.file
        locator = file.locator(f"baris {number}")

        def refused(code: str, reason: str, key: str | None = None) -> Unreadable:
            return Unreadable(code, reason, fields, file.changed_at, file.sha256, locator, key)

        if column not in fields:
            reason = "respons tanpa waktu; isi kolom waktunya atau hapus barisnya"
            return refused("required_field_missing", reason)
        stamp = _parts(fields[column])
        moment = None if stamp is None else _moment(stamp, self._options.date_order, self._zone)
        if moment is None:
            reason = "waktu respons tidak ada di kalender atau zonanya tidak dikenal; perbaiki"
            return refused("unreadable_date", reason)
        if not self._options.id:
            second = f"{moment:%Y%m%dT%H%M%SZ}"
            ordinals = self.ordinals.get(second)
            key = f"{second}-{ordinals[counts[second]] if ordinals else counts[second]}"
            counts[second] += 1
            return Delivery(key, moment, fields, file.sha256, locator, file.is_repeat)
        named = {normalise(label): value for label, value in reversed(fields.items())}
        values = [named.get(normalise(label), "") for label in self._options.id]
        if not all(values):
            reason = f"kolom {', '.join(self._options.id)} kosong; lengkapi di lembarnya"
            return refused("required_field_missing", reason)
        # hashed, because the address of a respondent is personal
        key = self._source.digest("\0".join(map(normalise, values)).encode()).hex()
        content = hash(tuple(fields.items()))
        if contents.setdefault(key, content) != content:
            reason = f"{', '.join(self._options.id)} sudah dipakai respons lain; hapus yang lama"
            return refused("key_repeated", reason, key)
        return Delivery(key, moment, fields, file.sha256, locator, file.is_repeat)

    def _hold_to_order(self, table: Table, column: str) -> None:
        """Refuse a file if every unambiguous time contradicts the channel's date order."""
        order = self._options.date_order
        other = "mdy" if order == "dmy" else "dmy"
        signs: Counter[str] = Counter()
        with suppress(csv.Error):  # reported when the rows themselves are read
            for _, fields in table.rows():
                stamp = _parts(fields.get(column, ""))
                if stamp and not stamp.is_year_first and max(stamp.first, stamp.second) <= 31:
                    signs["dmy"] += stamp.first > 12 >= stamp.second
                    signs["mdy"] += stamp.second > 12 >= stamp.first
        if signs[other] and not signs[order]:
            raise SourceError(
                f"the times are written in the order {other}, not {order}",
                where=f"channel {self._source.channel.name}",
                remediation=f"set source.date_order to {other} in the channel file",
            )


def _parts(text: str) -> _Stamp | None:
    """A time as written, whatever the order; None if it is no time."""
    match = _STAMP.fullmatch(text.strip())
    if match is None:
        return None
    first, second, third = (int(match[n]) for n in (1, 2, 3))
    hour, minute, seconds = (int(match[n] or 0) for n in (4, 5, 6))
    half = (match[7] or "").upper()
    if minute > 59 or seconds > 59 or hour > 23 or (half and not 1 <= hour <= 12):
        return None
    if half:
        hour = hour % 12 + (12 if half == "P" else 0)
    zone: tzinfo | str | None = match[10] and match[10].upper()
    if match[8]:
        offset = timedelta(hours=abs(int(match[8])), minutes=int(match[9] or 0))
        if offset >= timedelta(hours=24):
            return None
        zone = timezone(-offset if match[8].startswith("-") else offset)
    clock = timedelta(hours=hour, minutes=minute, seconds=seconds)
    return _Stamp(first, second, third, clock, len(match[1]) == 4, zone)


def _moment(stamp: _Stamp, order: str, home: ZoneInfo) -> datetime | None:
    """The moment in UTC; None for an impossible date or an unknown zone."""
    if stamp.is_year_first:
        year, month, day = stamp.first, stamp.second, stamp.third
    elif order == "dmy":
        day, month, year = stamp.first, stamp.second, stamp.third
    else:
        month, day, year = stamp.first, stamp.second, stamp.third
    try:
        naive = datetime(year + 2000 if year < 100 else year, month, day) + stamp.clock  # noqa: DTZ001
    except ValueError:
        return None
    zone = stamp.zone or home
    if isinstance(zone, str):
        if zone == naive.replace(tzinfo=home).tzname():
            zone = home
        elif zone in _ZONES:
            zone = timezone(timedelta(hours=_ZONES[zone]))
        else:
            return None
    try:
        return naive.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return None
