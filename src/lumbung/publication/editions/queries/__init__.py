"""The SQL statements that freeze, compare and decide editions, one per file.

Parameters are psycopg's, such as `%(week)s`.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def statement(name: str) -> str:
    """Return the SQL of `<name>.sql`."""
    return files(__name__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
