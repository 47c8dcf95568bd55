"""Publishes and is killed on the way: reads `URL HOME EDITION LINE FILES` from standard input.

Each request runs in a fork that ends itself, as by SIGKILL, before the given line (counted as they
are run) of publishing and of writing its folder; the exit status is printed. FILES is a pickle of
the rendered files: rendering is pure, and tried elsewhere.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import pytest

from lumbung.publication.editions import folder, publishing
from lumbung.publication.formats import render
from lumbung.settings import Settings

if TYPE_CHECKING:
    from _typeshed import TraceFunction


def publish(url: str, home: str, edition_id: str, line: int, files: dict[str, bytes]) -> None:
    patch = pytest.MonkeyPatch()
    patch.setattr(render, "render", lambda _: files)
    # Reading a PDF under a tracer takes seconds.
    patch.setattr(publishing, "find_personal_data", lambda *_: [])
    passed = 0

    def trace(frame: FrameType, event: str, _argument: object) -> TraceFunction | None:
        nonlocal passed
        if frame.f_code.co_filename not in (publishing.__file__, folder.__file__):
            return None
        if event == "line":
            passed += 1
            if passed == line:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    settings = Settings(Path(home), Path(home), None)
    sys.settrace(trace)
    publishing.publish(edition_id, settings=settings, database_url=url)


for request in sys.stdin:
    url, home, edition_id, line, pickled = request.split()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            files = pickle.loads(Path(pickled).read_bytes())
            publish(url, home, edition_id, int(line), files)
            status = 0
        finally:
            os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
