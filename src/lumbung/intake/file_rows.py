"""What the files of a channel say of a row, and whether it is news (`ops.file_row`).

People keep several files that may hold one row: weekly registers, and corrections. What counts is
when that row last changed. The versions of a record are therefore read as one history, and each
file as a reader of it that may be late but never goes back:

- A file's row is at one version. What it says next is that version, or a later one that says the
  same: no news. Anything else, also an earlier version, is a change of the row.
- A file of a new name continues its series (names that differ in digits only) from the version
  with which the file before it began. A correction that was made in an older file of the series
  is no part of the register that the next file is a copy of.
- A file that continues no series may repeat any version.
- A file that is older than one of its series that holds the row changes nothing.

Rows are compared in the columns that both have, by canonical values. A mapped column that appears
with a value changes the row; a column that vanishes, or one that is not mapped, does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import PurePath
from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

from lumbung.intake.canonical import canonical
from lumbung.intake.channel.labels import normalise
from lumbung.intake.channel.models import Channel
from lumbung.intake.connectors.base import PLACE_LABELS

if TYPE_CHECKING:
    import psycopg

_MAX_REMEMBERED = 10_000  # files, and headers, whose keys are remembered
_CELL = Struct("!II")
_DATED = re.compile(r"(?<!\d)(\d{1,2})\D(\d{1,2})\D(\d{4})(?!\d)")

Cells = dict[int, int]
"""Column -> value, both as keyed hashes of 4 bytes; 0 for a blank cell."""
Hash = Callable[[bytes], int]
"""A keyed hash of 8 bytes."""


class _Column(NamedTuple):
    """A column of a header: its label as met, its hash, and what a difference in it means."""

    label: str
    key: int
    is_place: bool
    is_mapped: bool


class Headers(dict[tuple[str, ...], tuple[_Column, ...]]):
    """A header's labels -> its columns.

    A column of a canonical field is that field under any of its labels.
    """

    def __init__(self, channel: Channel, hashed: Hash) -> None:
        super().__init__()
        self._hashed = hashed
        self._fields = {
            normalise(label): name
            for name, field in reversed(channel.fields.items())
            for label in field.labels
        }
        self._places = PLACE_LABELS.difference(map(normalise, channel.key), self._fields)

    def __missing__(self, labels: tuple[str, ...]) -> tuple[_Column, ...]:
        plain = [normalise(label) for label in labels]
        fields = [self._fields.get(each) for each in plain]
        met: dict[str, int] = {}
        columns = []
        for label, name, field in zip(labels, plain, fields, strict=True):
            told = f"field {field}" if field and fields.count(field) == 1 else f"label {name}"
            met[told] = met.get(told, 0) + 1
            key = self._hashed(f"column\n{met[told]} {told}".encode(errors="surrogateescape"))
            columns.append(
                _Column(label, key & 0xFFFFFFFF, name in self._places, field is not None)
            )
        if len(self) < _MAX_REMEMBERED:
            self[labels] = tuple(columns)
        return tuple(columns)


class FileRow:
    """A row as a file gives it.

    Args:
        keys: of its file and of the file's series.
        changed_at: the file's time of change.
        source_id: the row's.
        columns: of its header.
        fields: its filled cells.
        hashed: see `Hash`.
    """

    def __init__(
        self,
        keys: Keys,
        changed_at: datetime,
        source_id: str,
        columns: tuple[_Column, ...],
        fields: Mapping[str, Any],
        hashed: Hash,
    ) -> None:
        self.file_key, self.series_key, self.numbers = keys
        self.changed_at = changed_at
        self.columns = columns
        self._source_id = source_id
        self._fields = fields
        self._hashed = hashed

    @cached_property
    def cells(self) -> Cells:
        """Its columns and values; most rows are known as they are, and need none."""
        salt = b"cell\n" + self._source_id.encode(errors="surrogatepass") + b"\n"
        found = {}
        for label, key, *_ in self.columns:
            text = canonical(self._fields.get(label))
            value = 0
            if text:
                content = salt + key.to_bytes(4) + text.encode(errors="surrogatepass")
                value = self._hashed(content) & 0xFFFFFFFF or 1
            found[key] = value
        return found

    def says(self, cells: Cells) -> bool:
        """Whether it says what these cells do, which may be those of another header."""
        own = self.cells
        return not any(
            own[key] != cells[key] if key in cells else own[key] and is_mapped
            for _, key, is_place, is_mapped in self.columns
            if not is_place
        )

    def adds_to(self, cells: Cells) -> bool:
        """Whether it has all that these cells have, and a value in another column."""
        own = self.cells
        return any(
            own[key] and key not in cells for _, key, is_place, _ in self.columns if not is_place
        ) and all(key in own for key, value in cells.items() if value)


class Version(NamedTuple):
    """A stored version of a record; `cells` and `split` are those of `ops.row_version`."""

    record_id: int
    content_hash: bytes
    is_tombstone: bool
    cells: bytes | None = None
    split: int | None = None


class Keys(NamedTuple):
    """Of a file: its own key, that of its series and the numbers in its name."""

    file_key: int
    series_key: int | None
    numbers: list[int]


class _Given(NamedTuple):
    """What is stored of a file's row; see the migrations."""

    series_key: int | None
    numbers: list[int]
    first_record_id: int
    record_id: int
    began_at: datetime
    first_given_id: int
    last_given_id: int
    cells: bytes | None


class FileKeys(dict[str, Keys]):
    """A file's name -> its keys.

    Args:
        hashed: see `Hash`; names may be those of persons.
    """

    def __init__(self, hashed: Hash) -> None:
        super().__init__()
        self._hashed = hashed

    def __missing__(self, name: str) -> Keys:
        stem = PurePath(name).stem.casefold()
        letters = re.sub(r"[\W\d_]", "", stem)
        series = self._hashed(b"series\n" + letters.encode(errors="surrogateescape"))
        own = self._hashed(b"file\n" + name.encode(errors="surrogateescape"))
        numbers = re.findall(r"\d+", _DATED.sub(r"\3-\2-\1", stem))
        # a longer one may be somebody's telephone
        told = [] if any(len(each) > 8 for each in numbers) else [int(each) for each in numbers]
        keys = Keys(own, series if letters else None, told)
        if len(self) < _MAX_REMEMBERED:
            self[name] = keys
        return keys


class FileRows:
    """What files said of the source ids of one chunk, before it and in it.

    Args:
        split: says which labels of the channel are public and which private.
    """

    def __init__(self, split: int) -> None:
        self._split = split
        self._files: dict[str, dict[int, _Given]] = {}
        self._changed: dict[tuple[str, int], _Given] = {}
        self._versions: dict[int, Cells] = {}

    def load(self, db: psycopg.Cursor[Any], source_ids: Collection[str]) -> None:
        """Read what is stored of some source ids."""
        db.execute(
            "select wanted.source_id, r.file_key, r.series_key, r.numbers, r.first_record_id,"
            " r.record_id, r.began_at, r.first_given_id, r.last_given_id, r.cells"
            " from unnest(%s::text[]) as wanted (source_id) cross join lateral"
            " (select * from ops.file_row as stored"
            "   where stored.source_key = hashtextextended(wanted.source_id, 0) offset 0) as r",
            (list(source_ids),),
        )
        for source_id, file_key, *given in db:
            self._files.setdefault(source_id, {})[file_key] = _Given(*given)

    def is_repetition(
        self,
        source_id: str,
        row: FileRow,
        content_hash: bytes,
        history: Sequence[Version],
        given_id: int,
        *,
        is_repeat: bool,
    ) -> bool:
        """Whether a row says nothing new; its file's place in the history is then noted.

        Args:
            source_id: the row's.
            row: the row in its file.
            content_hash: of what would be stored of it.
            history: the versions of its record, at least one, the oldest first.
            given_id: greater than those before.
            is_repeat: the file's bytes have not changed.
        """
        own = self._files.get(source_id, {}).get(row.file_key)
        standing = history[-1]
        is_known = is_repeat and own is not None
        if own is not None:
            if is_known and (
                own.record_id != standing.record_id or content_hash == standing.content_hash
            ):
                return True
            if own.cells is not None and row.says(_unpacked(own.cells)):
                return True

        def says(version: Version) -> bool:
            return version.content_hash == content_hash or (
                version.cells is not None and row.says(_unpacked(version.cells))
            )

        start, is_late = (own.record_id, False) if own else self._series(source_id, row)
        found = standing if says(standing) else None
        # Who never told of a row that was withdrawn says that it is there.
        if found is None and (start or not standing.is_tombstone):
            found = next((each for each in history if each.record_id >= start and says(each)), None)
        # What is stored of it may change all the same. Versions only gain columns by this, so two
        # files that differ in their columns cannot take turns.
        if (
            found is standing
            and content_hash != standing.content_hash
            and (
                standing.split != self._split
                or (
                    not is_repeat
                    and standing.cells is not None
                    and row.adds_to(_unpacked(standing.cells))
                )
            )
        ):
            return False
        if found is not None:
            if not is_known:
                self.give(source_id, row, found.record_id, given_id)
            return True
        if is_late:
            self.give(source_id, row, start, given_id, _packed(row.cells))
            return True
        return False

    def _series(self, source_id: str, row: FileRow) -> tuple[int, bool]:
        """Where the file before it in its series began, and whether a later one has the row.

        A file is later if its name's numbers and its time are. Where they contradict each other (a
        new year's first week, a file that was corrected before it was first read), both count.
        """
        series = [
            each
            for key, each in self._files.get(source_id, {}).items()
            if key != row.file_key
            and row.series_key is not None
            and each.series_key == row.series_key
        ]
        later = [
            each for each in series if each.numbers > row.numbers and each.began_at > row.changed_at
        ]
        before = [
            each
            for each in series
            if each.numbers <= row.numbers and each.began_at <= row.changed_at
        ] or [each for each in series if each not in later]
        before.sort(key=lambda each: (each.began_at, each.first_given_id), reverse=True)
        last = before[:1]
        for each in before:
            if each.numbers > last[-1].numbers:
                last.append(each)
        return min((each.first_record_id for each in last), default=0), bool(later)

    def give(
        self,
        source_id: str,
        row: FileRow,
        record_id: int,
        given_id: int,
        cells: bytes | None = None,
    ) -> None:
        """Note at which version a file's row is.

        Args:
            source_id: the row's.
            row: the row in its file.
            record_id: the version that says the same.
            given_id: greater than those before.
            cells: what it says, if no version does.
        """
        files = self._files.setdefault(source_id, {})
        own = files.get(row.file_key)
        if own is None:
            given = _Given(
                *(row.series_key, row.numbers, record_id, record_id, row.changed_at),
                *(given_id, given_id, cells),
            )
        else:
            given = own._replace(record_id=record_id, last_given_id=given_id, cells=cells)
        if given != own:
            files[row.file_key] = self._changed[source_id, row.file_key] = given

    def add(self, row: FileRow, record_id: int, content_hash: bytes) -> Version:
        """Note what a new version says, and return it."""
        self._versions[record_id] = row.cells
        return Version(record_id, content_hash, False, _packed(row.cells), self._split)

    def write(self, db: psycopg.Cursor[Any], channel: str) -> None:
        """Store what changed."""
        if self._versions:
            db.execute(
                "insert into ops.row_version (record_id, split, cells)"
                " select record_id, %s, cells from unnest(%s::bigint[], %s::bytea[])"
                "   as new (record_id, cells)",
                (self._split, list(self._versions), [*map(_packed, self._versions.values())]),
            )
        if self._changed:
            series, numbers, *rest = zip(*self._changed.values(), strict=True)
            db.execute(
                "insert into ops.file_row (channel, source_key, file_key, series_key, numbers,"
                " first_record_id, record_id, began_at, first_given_id, last_given_id, cells)"
                # two source ids may be made to have one hash
                " select distinct on (2, 3) %s, hashtextextended(source_id, 0), file_key,"
                " series_key, string_to_array(numbers, ' ')::bigint[],"
                " first_record_id, record_id, began_at, first_given_id, last_given_id, cells"
                " from unnest(%s::text[], %s::bigint[], %s::bigint[], %s::text[], %s::bigint[],"
                "   %s::bigint[], %s::timestamptz[], %s::bigint[], %s::bigint[], %s::bytea[])"
                "   as given (source_id, file_key, series_key, numbers, first_record_id, record_id,"
                "   began_at, first_given_id, last_given_id, cells)"
                " on conflict (source_key, file_key) do update set record_id = excluded.record_id,"
                " last_given_id = excluded.last_given_id, cells = excluded.cells",
                (
                    channel,
                    [source_id for source_id, _ in self._changed],
                    [file_key for _, file_key in self._changed],
                    list(series),
                    [" ".join(map(str, each)) for each in numbers],
                    *map(list, rest),
                ),
            )
        self._versions.clear()
        self._changed.clear()


def _packed(cells: Cells) -> bytes:
    return b"".join(_CELL.pack(key, value) for key, value in cells.items())


def _unpacked(cells: bytes) -> Cells:
    return dict(_CELL.iter_unpack(cells))
