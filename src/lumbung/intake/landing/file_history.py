"""Which version of a row each file is at, and whether a row of a file is a change (`ops.file_row`).

People keep several files that hold the same row: weekly registers, and corrections. The file that
changed the row last decides. The versions of a row are one history, and each file is at one version
of it. A file never moves back in this history by itself:

- If a file gives the version at which it is, or a later one, nothing has changed. Anything else,
  also an earlier version, is a change of the row.
- A new file of a series (names that differ only in digits) starts at the version at which the file
  before it started, because people make the next register from a copy of the last one. That copy
  does not hold corrections which were made in an older file of the series.
- A new file of no series may repeat any version.
- A file that is older than another file of its series with the same row changes nothing.

A mapped column that appears with a value changes the row. A column that disappears does not, and
neither does a column that is not mapped.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from lumbung.intake.landing.file_rows import Cells, FileRow, packed, unpacked

if TYPE_CHECKING:
    import psycopg


class Version(NamedTuple):
    """A stored version of a record; `cells` and `split` are columns of `ops.row_version`."""

    record_id: int
    content_hash: bytes
    is_tombstone: bool
    cells: bytes | None = None
    split: int | None = None


class _Position(NamedTuple):
    """A row of `ops.file_row`: at which version of a record a file is."""

    series_key: int | None
    numbers: list[int]
    first_record_id: int
    record_id: int
    began_at: datetime
    first_given_id: int
    last_given_id: int
    cells: bytes | None


class FileHistories:
    """The positions of files in the histories of one chunk's source ids.

    Args:
        split: identifies which labels of the channel are public and which are private.
    """

    def __init__(self, split: int) -> None:
        self._split = split
        self._files: dict[str, dict[int, _Position]] = {}
        self._changed: dict[tuple[str, int], _Position] = {}
        self._versions: dict[int, Cells] = {}

    def load(self, db: psycopg.Cursor[Any], source_ids: Collection[str]) -> None:
        """Read the stored positions of some source ids."""
        db.execute(
            "select wanted.source_id, r.file_key, r.series_key, r.numbers, r.first_record_id,"
            " r.record_id, r.began_at, r.first_given_id, r.last_given_id, r.cells"
            " from unnest(%s::text[]) as wanted (source_id) cross join lateral"
            " (select * from ops.file_row as stored"
            "   where stored.source_key = hashtextextended(wanted.source_id, 0) offset 0) as r",
            (list(source_ids),),
        )
        for source_id, file_key, *given in db:
            self._files.setdefault(source_id, {})[file_key] = _Position(*given)

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
        """Whether a row of a file changes nothing; the file's new position is then noted.

        Args:
            source_id: of the row.
            row: the row.
            content_hash: of the version that would be stored.
            history: the versions of the record, at least one, the oldest first.
            given_id: greater than all before.
            is_repeat: the file's bytes have not changed.
        """
        own = self._files.get(source_id, {}).get(row.file_key)
        current = history[-1]
        is_known = is_repeat and own is not None
        if own is not None:
            if is_known and (
                own.record_id != current.record_id or content_hash == current.content_hash
            ):
                return True
            if own.cells is not None and row.equals(unpacked(own.cells)):
                return True

        def is_equal(version: Version) -> bool:
            return version.content_hash == content_hash or (
                version.cells is not None and row.equals(unpacked(version.cells))
            )

        start, is_late = (own.record_id, False) if own else self._start_in_series(source_id, row)
        found = current if is_equal(current) else None
        # A file that never gave a withdrawn row before says that the row exists.
        if found is None and (start or not current.is_tombstone):
            found = next(
                (each for each in history if each.record_id >= start and is_equal(each)), None
            )
        # An equal row may still need a new version: labels have become public or private, or the
        # file has more columns. Versions only gain columns this way, so two files with different
        # columns cannot replace each other for ever.
        if (
            found is current
            and content_hash != current.content_hash
            and (
                current.split != self._split
                or (
                    not is_repeat
                    and current.cells is not None
                    and row.extends(unpacked(current.cells))
                )
            )
        ):
            return False
        if found is not None:
            if not is_known:
                self.set_position(source_id, row, found.record_id, given_id)
            return True
        if is_late:
            self.set_position(source_id, row, start, given_id, packed(row.cells))
            return True
        return False

    def _start_in_series(self, source_id: str, row: FileRow) -> tuple[int, bool]:
        """Where the file before it in its series started, and whether a later file has the row.

        A file is later if both the numbers in its name and its time of change are greater. If they
        contradict each other (the first week of a new year, a file that was corrected before it
        was first read), the files count as unordered.
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

    def set_position(
        self,
        source_id: str,
        row: FileRow,
        record_id: int,
        given_id: int,
        cells: bytes | None = None,
    ) -> None:
        """Note at which version a file is.

        Args:
            source_id: of the row.
            row: the row.
            record_id: the version.
            given_id: greater than all before.
            cells: of the row, if they differ from those of the version.
        """
        files = self._files.setdefault(source_id, {})
        own = files.get(row.file_key)
        if own is None:
            given = _Position(
                *(row.series_key, row.numbers, record_id, record_id, row.changed_at),
                *(given_id, given_id, cells),
            )
        else:
            given = own._replace(record_id=record_id, last_given_id=given_id, cells=cells)
        if given != own:
            files[row.file_key] = self._changed[source_id, row.file_key] = given

    def add_version(self, row: FileRow, record_id: int, content_hash: bytes) -> Version:
        """Note the cells of a new version, and return the version."""
        self._versions[record_id] = row.cells
        return Version(record_id, content_hash, False, packed(row.cells), self._split)

    def write(self, db: psycopg.Cursor[Any], channel: str) -> None:
        """Store the new versions and positions."""
        if self._versions:
            db.execute(
                "insert into ops.row_version (record_id, split, cells)"
                " select record_id, %s, cells from unnest(%s::bigint[], %s::bytea[])"
                "   as new (record_id, cells)",
                (self._split, list(self._versions), [*map(packed, self._versions.values())]),
            )
        if self._changed:
            series, numbers, *rest = zip(*self._changed.values(), strict=True)
            db.execute(
                "insert into ops.file_row (channel, source_key, file_key, series_key, numbers,"
                " first_record_id, record_id, began_at, first_given_id, last_given_id, cells)"
                # somebody may construct two source ids with the same hash
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
