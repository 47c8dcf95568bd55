"""Ways of writing a place that the last build could not resolve, and the regions they may mean."""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple

from psycopg.rows import class_row

from lumbung import database

Method = Literal["ambiguous", "contradictory", "unresolved", "chosen"]


class Unresolved(NamedTuple):
    """A way of writing a place, in all records that have it.

    Attributes:
        written: village, district and regency as written, and codes, a text for both once; words
            that name no place are pseudonyms.
        method: `ambiguous`, `contradictory`, `unresolved`, or `chosen` where a build has applied a
            steward's choice, also one that was taken back since.
        candidates: codes of the regions that its words may mean.
        record_count: how many deliveries have it.

    """

    place_id: str
    written: str
    method: Method
    candidates: list[str]
    record_count: int
    since: date


def unresolved(database_url: str) -> list[Unresolved]:
    """Return what was not resolved; nothing before the first build.

    Args:
        database_url: the warehouse, as its owner or `auditor`.

    """
    with database.connect(database_url, application="lumbung places") as connection:
        return (
            connection.cursor(row_factory=class_row(Unresolved))
            .execute("select * from ops.unresolved_places()")
            .fetchall()
        )
