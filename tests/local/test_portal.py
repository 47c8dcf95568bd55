"""The portal's own web server: what it sends beside every page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lumbung.local.portal import NAME, PortalServer
from lumbung.local.processes import Processes


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address of a portal of one page and one table."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("<!doctype html><title>Lumbung</title>")
    (site / "data.csv").write_text("kabupaten,laporan\n")
    processes = Processes(tmp_path / "run", tmp_path / "logs")
    server = PortalServer(site, processes)
    server.start()
    assert server.url
    yield server.url
    processes.stop(NAME)


@pytest.mark.parametrize(
    ("path", "status"), [("", 200), ("data.csv", 200), ("tidak-ada.html", 404)]
)
def test_no_answer_can_be_framed_or_sniffed_or_shown_stale(
    address: str, path: str, status: int
) -> None:
    answer = httpx.get(address + path, trust_env=False)
    assert answer.status_code == status
    assert answer.headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-cache"


def test_the_guide_gives_a_public_server_the_same_headers(address: str) -> None:
    guide = Path(__file__).parents[2] / "docs" / "how-to" / "serve-the-portal.md"
    given = dict(re.findall(r'add_header (\S+) "([^"]+)" always;', guide.read_text()))
    answer = httpx.get(address, trust_env=False)
    assert given == {name: answer.headers[name] for name in given}
    assert len(given) == 5
