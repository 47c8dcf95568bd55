"""Builds a portal and is killed on the way: reads `URL HOME SITE LINE` from standard input.

Like `killed_publication.py`: each request runs in a fork that ends itself, as by SIGKILL, before
the given line (counted as they are run) of `lumbung.publication.portal.publish`. SITE is the only
page's text; making the pages is pure, and tried elsewhere.
"""

from __future__ import annotations

import os
import signal
import sys
from functools import cache
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import pytest

from lumbung.publication.model import store
from lumbung.publication.model.edition import Edition
from lumbung.publication.portal import publish
from lumbung.publication.portal.published import Published, StoredFile
from lumbung.settings import Settings
from tests.support.published import LATEST

if TYPE_CHECKING:
    from _typeshed import TraceFunction


@cache
def load(url: str) -> Edition:
    """Read once, before the fork."""
    return store.load(LATEST, database_url=url)


def build(url: str, home: str, site: str, line: int) -> None:
    pages = {"index.html": site.encode(), "sub/page.html": site.encode()}
    files = StoredFile("siaran-pers.txt", 0, ""), StoredFile("data/tren.csv", 0, "")
    published = [Published(load(url), files, {})]
    patch = pytest.MonkeyPatch()
    patch.setattr(publish, "site", lambda *_, **__: pages)
    patch.setattr(publish, "_published", lambda *_: published)
    patch.setattr(publish, "require_proven", lambda *_: None)
    passed = 0

    def trace(frame: FrameType, event: str, _argument: object) -> TraceFunction | None:
        nonlocal passed
        if frame.f_code.co_filename != publish.__file__:
            return None
        if event == "line":
            passed += 1
            if passed == line:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)
    publish.build(settings=Settings(Path(home), Path(home), None), database_url=url)


for request in sys.stdin:
    url, home, site, line = request.split()
    load(url)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            build(url, home, site, int(line))
            status = 0
        finally:
            os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
