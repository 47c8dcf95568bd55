"""The child process, which parses one file per request with limits of memory and processor time.

A request is a line of JSON on standard input. The answer is lines of JSON on standard output: the
parser's values, then `{"end": true}` or `{"error": code}`. A file that exceeds a limit ends the
process; the parent starts a new one for the next file.

Arguments: bytes of address space, and seconds of processor time for each file.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import orjson

from lumbung.intake.parsers.archives import RefusedError

_PIECE = 1 << 16
_FLAGS = orjson.OPT_PASSTHROUGH_DATETIME


def main() -> None:
    """Answer requests until there are no more."""
    memory, seconds = map(int, sys.argv[1:])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    output = sys.stdout.buffer
    for line in sys.stdin.buffer:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        used = int(usage.ru_utime + usage.ru_stime)
        resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, resource.RLIM_INFINITY))
        try:
            _answer(orjson.loads(line))
        except MemoryError:
            output.write(b'{"error":"limits"}\n')
        except BaseException as error:
            code = str(error) if isinstance(error, RefusedError) else "broken"
            output.write(orjson.dumps({"error": code}) + b"\n")
        output.flush()


def _answer(request: dict[str, Any]) -> None:
    write = sys.stdout.buffer.write
    lines: list[bytes] = []
    size = 0
    for value in _read(**request):
        line = orjson.dumps(value, _as_text, _FLAGS)
        lines.append(line)
        size += len(line)
        if size > _PIECE or isinstance(value, dict):  # the next value may end the process
            write(b"\n".join(lines) + b"\n")
            sys.stdout.buffer.flush()
            lines, size = [], 0
    write(b"\n".join([*lines, b'{"end":true}']) + b"\n")


def _read(task: str, path: str, key: str | None, **options: Any) -> Iterator[Any]:
    from lumbung.intake.sealed_file import open_sealed

    with open_sealed(Path(path), bytes.fromhex(key)) if key else Path(path).open("rb") as stream:
        if task == "workbook":
            from lumbung.intake.parsers import workbooks

            yield from workbooks.read(stream, **options)
        elif task == "chat":
            from lumbung.intake.parsers import chats

            yield from chats.read(stream, **options)
        else:
            from lumbung.intake.parsers import documents

            yield from documents.read(stream, **options)


def _as_text(cell: Any) -> str:
    """A value that JSON does not have, as text."""
    if isinstance(cell, datetime):
        return (cell.date() if cell.time() == time() else cell).isoformat()
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


if __name__ == "__main__":
    main()
