"""What each file last gave for a row: whether a row in a file is news (`ops.file_row`).

Of several files that hold one row, the file that changed the row last decides. A weekly register
repeats each row of the week before; a correction that came in another file stands until the
register itself changes that row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import psycopg

_MAX_FILES = 10_000  # whose keys are remembered


class FileRow(NamedTuple):
    """A row as a file gives it: keys of the file and its series, hash of the row's content."""

    file_key: int
    series_key: int | None
    row_hash: int


class _Known(NamedTuple):
    """What is stored of a file's row; see the migration."""

    series_key: int | None
    row_hash: int
    record_id: int | None
    given_id: int


class FileKeys(dict[str, tuple[int, int | None]]):
    """A file's name -> the keys of the file and of its series.

    Args:
        hashed: a keyed hash, for names may be those of persons.
    """

    def __init__(self, hashed: Callable[[bytes], int]) -> None:
        super().__init__()
        self._hashed = hashed

    def __missing__(self, name: str) -> tuple[int, int | None]:
        letters = re.sub(r"[\W\d_]", "", PurePath(name).stem.casefold())
        series = self._hashed(b"series\n" + letters.encode(errors="surrogateescape"))
        keys = (
            self._hashed(b"file\n" + name.encode(errors="surrogateescape")),
            series if letters else None,
        )
        if len(self) < _MAX_FILES:
            self[name] = keys
        return keys


class FileRows:
    """What files gave for the source ids of one chunk, before it and in it."""

    def __init__(self) -> None:
        self._known: dict[str, dict[int, _Known]] = {}
        self._changed: dict[tuple[str, int], _Known] = {}

    def load(self, db: psycopg.Cursor[Any], source_ids: Collection[str]) -> None:
        """Read what is stored of some source ids."""
        db.execute(
            "select wanted.source_id, r.file_key, r.series_key, r.row_hash, r.record_id, r.given_id"
            " from unnest(%s::text[]) as wanted (source_id) cross join lateral"
            " (select * from ops.file_row as stored"
            "   where stored.source_key = hashtextextended(wanted.source_id, 0) offset 0) as r",
            (list(source_ids),),
        )
        for source_id, file_key, *known in db:
            self._known.setdefault(source_id, {})[file_key] = _Known(*known)

    def is_news(
        self, source_id: str, row: FileRow, standing: int, *, is_repeat: bool, is_known: bool
    ) -> bool:
        """Whether a row whose stored content differs from the current version replaces it.

        Args:
            source_id: the row's.
            row: the row in its file.
            standing: the record of the current version.
            is_repeat: the file's bytes have not changed.
            is_known: an earlier version had the same stored content.
        """
        known = self._known.get(source_id, {})
        own = known.get(row.file_key)
        if any(
            each.record_id == standing and (each is own or each.row_hash == row.row_hash)
            for each in known.values()
        ):
            return True  # the current version is this file's, or says the same in another split
        if own is not None:
            return not is_repeat and own.row_hash != row.row_hash
        series = [
            each
            for each in known.values()
            if row.series_key is not None and each.series_key == row.series_key
        ]
        if series and not is_repeat:
            return max(series, key=lambda each: each.given_id).row_hash != row.row_hash
        return not is_known and all(each.row_hash != row.row_hash for each in known.values())

    def give(self, source_id: str, row: FileRow, record_id: int | None, given_id: int) -> None:
        """Note what a file gives.

        Args:
            source_id: the row's.
            row: the row in its file.
            record_id: the version that says the same; None: the row was no news.
            given_id: greater than those before.
        """
        known = self._known.setdefault(source_id, {})
        own = known.get(row.file_key)
        if own is not None and own.row_hash == row.row_hash:
            if record_id is None or own.record_id == record_id:
                return
            given_id = own.given_id
        each = _Known(row.series_key, row.row_hash, record_id, given_id)
        known[row.file_key] = self._changed[source_id, row.file_key] = each

    def write(self, db: psycopg.Cursor[Any], channel: str) -> None:
        """Store what changed."""
        if not self._changed:
            return
        db.execute(
            "insert into ops.file_row (channel, source_key, file_key, series_key, row_hash,"
            " record_id, given_id)"
            # two source ids may be made to have one hash
            " select distinct on (2, 3) %s, hashtextextended(source_id, 0), file_key, series_key,"
            " row_hash, record_id, given_id"
            " from unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],"
            "   %s::bigint[])"
            "   as given (source_id, file_key, series_key, row_hash, record_id, given_id)"
            " on conflict (source_key, file_key) do update set series_key = excluded.series_key,"
            " row_hash = excluded.row_hash, record_id = excluded.record_id,"
            " given_id = excluded.given_id",
            (
                channel,
                [source_id for source_id, _ in self._changed],
                [file_key for _, file_key in self._changed],
                *(list(column) for column in zip(*self._changed.values(), strict=True)),
            ),
        )
        self._changed.clear()
