"""The options of a channel of kind `sql`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from lumbung.intake.channel.types import Duration, Label, Place
from lumbung.intake.connectors.base import SourceConfig


class SqlSource(SourceConfig):
    """A table or query of a database: of a connection's server, or of SQLite files in a folder.

    Attributes:
        table: the table or view, as `name` or `schema.name`.
        query: a `select` in place of a table.
        cursor: a column whose value grows whenever a row is added or changed: a time, a date or a
            whole number. Without it every pull reads all rows.
        overlap: how far below the greatest value of `cursor` the next pull begins: a duration, or
            a whole number if the column holds numbers. 1 hour or 1000 if left out.
        full_every: how often all rows are read although `cursor` is set, to find deleted rows.
        files: which files of the folder, without a connection.
    """

    kind: Literal["sql"]
    table: Label | None = None
    query: Label | None = None
    cursor: Label | None = None
    overlap: Annotated[int, Field(ge=0)] | Duration | None = None
    full_every: Duration = timedelta(days=7)
    files: str = "*"

    @property
    def labels(self) -> tuple[str, ...]:
        """The column that grows."""
        return (self.cursor,) if self.cursor else ()

    def contradictions(self, key: Collection[str]) -> Iterator[tuple[Place, str]]:
        """Neither or both of table and query; an overlap without a cursor."""
        if (self.table is None) == (self.query is None):
            yield (), "needs a table or a query; write exactly one of them"
        if self.overlap is not None and self.cursor is None:
            yield ("overlap",), "has no cursor column; name it, or remove overlap"

    def overlaps(self, other: SourceConfig) -> bool:
        """The same table or query; a name without a schema may be that of any schema."""
        if not isinstance(other, SqlSource):
            return False
        if self.table is None or other.table is None:
            return _words(self.query) == _words(other.query)
        (schema, _, name), (other_schema, _, other_name) = (
            each.casefold().rpartition(".") for each in (self.table, other.table)
        )
        return name == other_name and (schema == other_schema or "" in (schema, other_schema))


def _words(query: str | None) -> list[str]:
    return (query or "").casefold().rstrip("; ").split()
