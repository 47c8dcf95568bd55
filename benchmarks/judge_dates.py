"""How well dates are read as people write them: `python -m benchmarks.judge_dates LIST.csv`.

A list has the columns `text`, `expected` (ISO day, empty where the text is no day), `must_read`
(false: unread is right too) and `weekday_wrong` (the text names another weekday than its day's).
The last lines are `name=value`: `date_wrong`, the number of readings other than the expected one,
and `date_recall`, the share of days that must be read and are.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

from lumbung import database
from lumbung.local.postgres import EmbeddedPostgres


class Spelling(NamedTuple):
    """A row of a list, with what was read.

    Attributes:
        text: as written.
        expected: the day it means, in ISO form; empty where it means none.
        must_read: whether leaving it unread is wrong.
        weekday_wrong: whether it names another weekday than its day's.
        read: the day that was read; empty where none was.
        is_flagged: whether its weekday was found to be wrong.
    """

    text: str
    expected: str
    must_read: bool
    weekday_wrong: bool
    read: str
    is_flagged: bool

    @property
    def is_wrong(self) -> bool:
        """Whether another day was read than the text means, or a weekday was misjudged."""
        return self.read != "" and (
            self.read != self.expected or self.is_flagged != self.weekday_wrong
        )

    @property
    def is_missed(self) -> bool:
        """Whether a day that must be read was not."""
        return self.must_read and not self.read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="the list, a CSV file")
    parser.add_argument("--database", help="URL of a database to use; otherwise a scratch one")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="lumbung-dates-"))
    folder.chmod(0o755)  # PostgreSQL's own account has to reach it
    server = None if arguments.database else EmbeddedPostgres(folder / "postgres")
    try:
        url = arguments.database
        if server:
            server.start()
            url = server.ensure_database("dates")
            database.migrate(url)
        spellings = read(arguments.file, url)
        for spelling in spellings:
            if spelling.is_wrong or spelling.is_missed:
                read_as = spelling.read or "unread"
                slip = " (weekday misjudged)" * (spelling.is_flagged != spelling.weekday_wrong)
                print(f"{spelling.text!r}: {read_as}, not {spelling.expected}{slip}")
        for name, value in _measures(spellings).items():
            print(f"{name}={value:g}")
    finally:
        if server:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def measure(path: Path, database_url: str) -> dict[str, float]:
    """Read a list by the function that the warehouse uses.

    Args:
        path: the list, a CSV file.
        database_url: a migrated database.

    Returns:
        `date_wrong`, `date_recall`.

    """
    return _measures(read(path, database_url))


def read(path: Path, database_url: str) -> list[Spelling]:
    """Every row of a list with what was read, in the order of the file."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with database.connect(database_url, application="judge dates") as connection:
        found = connection.execute(
            "select coalesce(day.date_day::text, ''), coalesce(day.is_weekday_wrong, false)"
            " from unnest(%s::text[]) with ordinality as given (written, place)"
            " cross join lateral ops.read_date(given.written) as day order by given.place",
            ([row["text"] for row in rows],),
        ).fetchall()
    return [
        Spelling(
            row["text"],
            row["expected"],
            row["must_read"] == "true",
            row["weekday_wrong"] == "true",
            *day,
        )
        for row, day in zip(rows, found, strict=True)
    ]


def _measures(spellings: list[Spelling]) -> dict[str, float]:
    must = [spelling for spelling in spellings if spelling.must_read]
    return {
        "date_wrong": float(sum(spelling.is_wrong for spelling in spellings)),
        "date_recall": 1 - sum(spelling.is_missed for spelling in must) / len(must),
    }


if __name__ == "__main__":
    main()
