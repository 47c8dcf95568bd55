"""Builds a portal and is killed on the way: reads `URL HOME SITE LINE` from standard input.

Like `killed.py`: each request runs in a fork that ends itself, as by SIGKILL, before the given line
(counted as they are run) of `lumbung.publication.portal`. SITE is the only page's text; making the
pages is pure, and tried elsewhere.
"""

import os
import signal
import sys
from functools import cache
from pathlib import Path

from published import LATEST

from lumbung.publication import edition, portal
from lumbung.publication.content import Edition
from lumbung.settings import Settings


@cache
def load(url: str) -> Edition:
    """Read once, before the fork."""
    return edition.load(LATEST, database_url=url)


def build(url: str, home: str, site: str, line: int) -> None:
    portal.site = lambda _: {"index.html": site.encode(), "sub/page.html": site.encode()}
    whole = load(url)
    files = (portal.StoredFile("siaran-pers.txt", 0, ""), portal.StoredFile("data/tren.csv", 0, ""))
    portal._published = lambda *_: [portal.Published(whole, files, {})]
    passed = 0

    def trace(frame, event, _argument):
        nonlocal passed
        if frame.f_code.co_filename != portal.__file__:
            return None
        if event == "line":
            passed += 1
            if passed == line:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)
    portal.build(settings=Settings(Path(home), Path(home), None), database_url=url)


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
