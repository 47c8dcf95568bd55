"""PostgreSQL's binary COPY format (documentation, "COPY", section "Binary Format").

A row is its number of columns as int16, then each column as an int32 length and so many bytes. All
numbers are big-endian. A module that writes rows packs several columns with one `Struct`.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

NULL = b"\xff\xff\xff\xff"
FALSE = b"\0\0\0\x01\0"

INT8_OID = 20
TEXT_OID = 25

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_LENGTH = Struct("!i")
_INT8 = Struct("!iq")
_ARRAY = Struct("!iiiIii")
_EMPTY_ARRAY = Struct("!iiiI")


def column(content: bytes) -> bytes:
    """A column of type text or bytea, or an array's element."""
    return _LENGTH.pack(len(content)) + content


def int8(number: int) -> bytes:
    """A column of type bigint, or an array's element."""
    return _INT8.pack(8, number)


def array(oid: int, elements: Iterable[bytes], count: int) -> bytes:
    """A column of an array type.

    Args:
        oid: the type of the elements.
        elements: each as `column` or `int8` gives it.
        count: how many elements there are.
    """
    if not count:
        return _EMPTY_ARRAY.pack(12, 0, 0, oid)
    content = b"".join(elements)
    return _ARRAY.pack(20 + len(content), 1, 0, oid, count, 1) + content


def copy_rows(db: psycopg.Cursor[Any], target: str, rows: Iterable[bytes]) -> None:
    """COPY rows into a table; nothing is sent if there are none.

    Args:
        db: in a transaction.
        target: the table and its columns, `schema.table (column, ...)`.
        rows: in the binary format.
    """
    content = b"".join(rows)
    if content:
        with db.copy(f"copy {target} from stdin (format binary)") as copy:
            copy.write(_HEADER + content + _TRAILER)
