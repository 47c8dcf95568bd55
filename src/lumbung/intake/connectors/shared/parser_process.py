"""Binary files, parsed by a child process with limits of memory and time.

A file can exhaust a parser: one stray cell at the end of a sheet makes calamine ask for 549 GB, and
the Rust allocator then aborts the process. `lumbung.intake.parsers` therefore runs in a process of
its own, which a pull keeps for all of its files.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

import orjson

from lumbung.errors import ServiceError
from lumbung.intake.connectors.shared.files import Content
from lumbung.intake.evidence import Kept

MEMORY = 1 << 30
"""Bytes of address space of the child; 100,000 rows of 30 cells take a third of it."""
SECONDS = 60
"""Seconds of processor time for one file."""
SILENCE_SECONDS = 300
"""Seconds without an answer after which the child counts as stuck."""

_KILL_SECONDS = 5
_MAX_LINE = 256 << 20
_PIECE = 1 << 20


class ParserError(Exception):
    """A file that cannot be read.

    Attributes:
        code: `limits` (of memory or time), `encrypted`, `unsafe_archive`, `broken` or a code of
            the parser.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Sheet(NamedTuple):
    """A sheet of a workbook, whose rows must be read before the next sheet.

    Attributes:
        name: its name.
        merges: merged cells as (top, left), (bottom, right), from 0.
        rows: its rows; a number stands for that many blank rows.
        is_trimmed: whether cells far outside of its table were left out.
        hidden: the sheets of its workbook that were not read because they are hidden.
    """

    name: str
    merges: list[tuple[tuple[int, int], tuple[int, int]]]
    rows: Iterator[list[Any] | int]
    is_trimmed: bool
    hidden: list[str]


class Outline(NamedTuple):
    """The outline of a sheet, by which the order of the sheets is decided.

    Attributes:
        name: its name.
        merges: as in `Sheet`.
        rows: its first rows, with long cells cut.
        numbers: the registered legal numbers on it.
    """

    name: str
    merges: list[tuple[tuple[int, int], tuple[int, int]]]
    rows: list[list[Any] | int]
    numbers: list[str]


class ParserProcess:
    """The child process; it is started when it is needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def sheets(
        self,
        content: Content,
        sheets: tuple[str, ...] = ("*",),
        skip_sheets: tuple[str, ...] = (),
        *,
        hidden_sheets: bool = False,
        arrange: Callable[[list[Outline]], list[str]] | None = None,
    ) -> Iterator[Sheet]:
        """The sheets of a workbook, parsed by a new process.

        A sheet that exceeds the limits is read again without the cells far outside of its table
        (`lumbung.intake.parsers.xlsx_trim`).

        Args:
            content: the workbook.
            sheets: globs of the sheets that are read.
            skip_sheets: globs of sheets that are not read.
            hidden_sheets: whether hidden sheets are read too.
            arrange: decides the order of the sheets; by default the workbook's order.

        Raises:
            ParserError: when the file cannot be read; some rows may have been yielded before.
        """
        request = {
            "task": "workbook",
            **_opener(content),
            "sheets": sheets,
            "skip_sheets": skip_sheets,
            "hidden_sheets": hidden_sheets,
        }
        given = 0
        is_trimmed = False
        order: list[str] | None = None

        def rows(lines: Iterator[Any]) -> Iterator[list[Any] | int]:
            nonlocal given
            for line in lines:
                if isinstance(line, dict):  # the sheet's end
                    break
                yield line
            given += 1

        while True:
            try:
                if arrange and order is None:
                    outlined = self.ask({**request, "is_trimmed": is_trimmed, "is_outline": True})
                    order = arrange([Outline(*each) for each in outlined])
                lines = self.ask(
                    {**request, "behind": given, "is_trimmed": is_trimmed, "order": order}
                )
                for head in lines:
                    yield Sheet(
                        head["sheet"], head["merges"], rows(lines), is_trimmed, head["hidden"]
                    )
                break
            except ParserError as error:
                if error.code != "limits" or is_trimmed:
                    raise
                is_trimmed = True
            finally:
                self._stop()  # memory that the process keeps would count against the next file

    def document(self, content: Content, max_text: int) -> list[list[str]]:
        """The lines of a docx document, each as its cells.

        Args:
            content: the document.
            max_text: the most bytes of XML.

        Raises:
            ParserError: when it cannot be read.
        """
        request = {"task": "document", **_opener(content), "max_text": max_text}
        is_fresh = self._process is None
        try:
            return list(self.ask(request))
        except ParserError as error:
            if is_fresh or error.code != "limits":
                raise
        return list(self.ask(request))  # earlier files had taken the memory of the old process

    def chat(self, content: Content, into: Path, max_text: int) -> None:
        """Copy the text of a chat from its archive.

        Args:
            content: the archive.
            into: the file to which the text is copied; of a damaged archive, the part before the
                damage.
            max_text: the most bytes of a chat.

        Raises:
            ParserError: when it cannot be read to its end.
        """
        request = {"task": "chat", **_opener(content), "into": str(into), "max_text": max_text}
        for _ in self.ask(request):
            pass

    def ask(self, request: dict[str, Any]) -> Iterator[Any]:
        """The values with which the child answers a request, line by line.

        Raises:
            ParserError: when the file cannot be read.
            ServiceError: when no process can be started.
        """
        process = self._start()
        is_done = False
        try:
            assert process.stdin is not None  # noqa: S101 - a pipe was asked for
            try:
                process.stdin.write(orjson.dumps(request) + b"\n")
                process.stdin.flush()
            except BrokenPipeError:
                raise ParserError("limits") from None
            for line in self._lines(process):
                value = orjson.loads(line)
                if isinstance(value, dict):
                    if "end" in value:
                        is_done = True
                        return
                    if "error" in value:
                        is_done = True
                        raise ParserError(value["error"])
                yield value
        finally:
            if not is_done:  # it is stuck, or the caller does not want the rest
                self._stop()

    def _lines(self, process: subprocess.Popen[bytes]) -> Iterator[bytes]:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        descriptor = process.stdout.fileno()
        begun: list[bytes] = []
        size = 0
        while True:
            ready, _, _ = select.select([descriptor], [], [], SILENCE_SECONDS)
            piece = os.read(descriptor, _PIECE) if ready else b""
            if not piece:
                raise ParserError("limits")
            first, *others = piece.split(b"\n")
            begun.append(first)
            size += len(first)
            if size > _MAX_LINE:
                raise ParserError("limits")
            if others:
                yield b"".join(begun)
                yield from others[:-1]
                begun, size = [others[-1]], len(others[-1])

    def _start(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._stop()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-m", "lumbung.intake.parsers", f"{MEMORY}", f"{SECONDS}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # a parser's error may hold content of the file
            )
        except OSError as error:
            raise ServiceError(
                f"no process can be started to read a file: {error}",
                where="lumbung.intake.parsers",
                remediation="free memory and processes of this machine, then pull again",
            ) from error
        return self._process

    def _stop(self) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        process.kill()
        process.wait(_KILL_SECONDS)
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None  # noqa: S101 - a pipe was asked for
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def _opener(content: Content) -> dict[str, str | None]:
    """Path and key for the child, sent through its pipe: other accounts can read arguments."""
    if isinstance(content, Kept):
        return {"path": str(content.path), "key": content.key.hex() if content.key else None}
    return {"path": str(content), "key": None}
