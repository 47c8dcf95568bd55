"""What a sample lets propose for a channel of kind `sql`."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from lumbung.intake.connectors.shared.proposal import (
    TRIED_CELLS,
    TRIED_ROWS,
    Key,
    Proposal,
    familiar,
    find_key,
    unusable,
)
from lumbung.intake.connectors.shared.sample_tables import tables
from lumbung.intake.connectors.sql.reader import SQLITE


def propose(sample: str, content: bytes) -> Proposal:
    """The table with the most familiar columns: of an SQLite file, or an export of a server's.

    Raises:
        SourceError: when the sample is neither.
    """
    if content.startswith(SQLITE):
        name, labels, rows, primary = max(
            _tables(sample, content), key=lambda each: familiar(each.labels)
        )
        key = Key(primary, "the primary key") if primary else find_key(labels, rows)
        comments: tuple[str, ...] = ()
    else:
        labels, rows = max(tables(sample, content).values(), key=lambda found: familiar(found[0]))
        name, key = "nama_tabel", find_key(labels, rows)
        comments = ("# a server: name an Airflow Connection above, as `connection: basis_data`",)
    return Proposal(labels, rows, {"table": name}, key, comments=comments)


class _Table(NamedTuple):
    """A table of an SQLite file; `key` is its primary key, if it has one."""

    name: str
    labels: list[str]
    rows: list[dict[str, Any]]
    key: tuple[str, ...]


def _tables(sample: str, content: bytes) -> list[_Table]:
    found = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "contoh.sqlite"
        path.write_bytes(content)
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as opened:
                opened.execute("pragma trusted_schema = off")
                names = opened.execute(
                    "select name from sqlite_schema where type in ('table', 'view')"
                    " and name not like 'sqlite~_%' escape '~' order by rowid"
                ).fetchall()
                for (name,) in names:
                    quoted = name.replace('"', '""')
                    cursor = opened.execute(f'select * from "{quoted}" limit {TRIED_ROWS}')  # noqa: S608 - quoted
                    labels = [each[0] for each in cursor.description]
                    rows = [
                        {
                            label: cell
                            for label, cell in zip(labels, row, strict=True)
                            if cell is not None
                        }
                        for row in islice(cursor, TRIED_CELLS // len(labels))
                    ]
                    columns = opened.execute(f'pragma table_info("{quoted}")')
                    keys = sorted((each[5], each[1]) for each in columns if each[5])
                    found.append(_Table(name, labels, rows, tuple(key for _, key in keys)))
        except sqlite3.Error as error:
            raise unusable(sample, f"is no SQLite file that can be read: {error}") from error
    if not found:
        raise unusable(sample, "has no table")
    return found
