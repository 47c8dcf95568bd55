"""Foreign binary files, read by a child process with limits of memory and time.

A file may be made to exhaust a parser: one stray cell at the end of a sheet asks calamine for
549 GB, and the Rust allocator then aborts its process. The parsers of `lumbung.intake.foreign`
therefore run in a process of their own, which a pull keeps for all of its files.
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

MEMORY = 1 << 30
"""Bytes of address space that a child may use: 100,000 rows of 30 cells take a third of it."""
SECONDS = 60
"""Of processor time that it may use for one file."""
SILENCE_SECONDS = 300
"""How long it may say nothing: what it reads for longer is stuck."""

_MAX_LINE = 256 << 20
_PIECE = 1 << 20


class ForeignError(Exception):
    """A file that cannot be read.

    Attributes:
        code: `limits` (of memory or time), `encrypted`, `unsafe_archive`, `broken` or a code that
            the parser gives.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Sheet(NamedTuple):
    """A sheet of a workbook: its rows must be taken before the next sheet.

    Attributes:
        name: its name.
        merges: merged cells as (top, left), (bottom, right), from 0.
        rows: its rows; a number stands for so many blank ones.
        is_trimmed: whether cells far outside of its table were left out.
        hidden: the sheets of its workbook that are hidden and therefore not read.
    """

    name: str
    merges: list[tuple[tuple[int, int], tuple[int, int]]]
    rows: Iterator[list[Any] | int]
    is_trimmed: bool
    hidden: list[str]


class Outline(NamedTuple):
    """What is looked at of a sheet before any sheet is read.

    Attributes:
        name: its name.
        merges: as in `Sheet`.
        rows: its first rows, long cells cut.
        numbers: the registered legal numbers on it.
    """

    name: str
    merges: list[tuple[tuple[int, int], tuple[int, int]]]
    rows: list[list[Any] | int]
    numbers: list[str]


class Child:
    """The process that reads; it is started when it is needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def sheets(
        self,
        path: Path,
        sheets: tuple[str, ...] = ("*",),
        skip_sheets: tuple[str, ...] = (),
        *,
        hidden_sheets: bool = False,
        arrange: Callable[[list[Outline]], list[str]] | None = None,
    ) -> Iterator[Sheet]:
        """The sheets of a workbook, read by a process of its own (which starts in 40 ms).

        A sheet that exceeds the limits is read once more without the cells that lie far outside of
        its table (`lumbung.intake.foreign.trimmed`).

        Args:
            path: the workbook.
            sheets: globs of the sheets that are read.
            skip_sheets: globs of those of them that are not.
            hidden_sheets: whether hidden sheets are read too.
            arrange: tells the order in which the sheets are read; by default their own.

        Raises:
            ForeignError: when the file cannot be read, also after some of its rows.
        """
        request = {
            "task": "workbook",
            "path": str(path),
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
            except ForeignError as error:
                if error.code != "limits" or is_trimmed:
                    raise
                is_trimmed = True
            finally:
                self._stop()  # memory that it has not given back counts against the next file

    def document(self, path: Path, max_text: int) -> list[list[str]]:
        """The lines of a docx document, each as its cells.

        Args:
            path: the document.
            max_text: bytes of XML that are read.

        Raises:
            ForeignError: when it cannot be read.
        """
        request = {"task": "document", "path": str(path), "max_text": max_text}
        is_fresh = self._process is None
        try:
            return list(self.ask(request))
        except ForeignError as error:
            if is_fresh or error.code != "limits":
                raise
        return list(self.ask(request))  # what was read before had taken memory

    def chat(self, path: Path, into: Path, max_text: int) -> None:
        """Copy the text of a chat out of its archive.

        Args:
            path: the archive.
            into: the file that takes the text; of a damaged archive what comes before the damage.
            max_text: bytes that a chat may have.

        Raises:
            ForeignError: when it cannot be read to its end.
        """
        request = {"task": "chat", "path": str(path), "into": str(into), "max_text": max_text}
        for _ in self.ask(request):
            pass

    def ask(self, request: dict[str, Any]) -> Iterator[Any]:
        """What the child answers to a request, line by line.

        Raises:
            ForeignError: when the file cannot be read.
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
                raise ForeignError("limits") from None
            for line in self._lines(process):
                value = orjson.loads(line)
                if isinstance(value, dict):
                    if "end" in value:
                        is_done = True
                        return
                    if "error" in value:
                        is_done = True
                        raise ForeignError(value["error"])
                yield value
        finally:
            if not is_done:  # it is stuck, or nobody waits for the rest
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
                raise ForeignError("limits")
            first, *others = piece.split(b"\n")
            begun.append(first)
            size += len(first)
            if size > _MAX_LINE:
                raise ForeignError("limits")
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
                [sys.executable, "-I", "-m", "lumbung.intake.foreign", f"{MEMORY}", f"{SECONDS}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # a parser's last words may hold what it read
            )
        except OSError as error:
            raise ServiceError(
                f"no process can be started to read a file: {error}",
                where="lumbung.intake.foreign",
                remediation="free memory and processes of this machine, then pull again",
            ) from error
        return self._process

    def _stop(self) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None  # noqa: S101 - a pipe was asked for
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
