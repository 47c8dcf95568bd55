"""The portal's own web server: what it sends beside every page."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

from lumbung.local.portal import HEADERS, NAME, PortalServer
from lumbung.local.processes import Processes, hold_port


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a portal of one page and one table, started with the vault key at hand."""
    monkeypatch.setenv("LUMBUNG_VAULT_KEY", "rahasia")
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


def test_the_server_does_not_have_lumbungs_keys(address: str, tmp_path: Path) -> None:
    process = Processes(tmp_path / "run", tmp_path / "logs").find(NAME)
    assert process
    assert "LUMBUNG_VAULT_KEY" not in process.environ()
    assert httpx.get(address, trust_env=False).status_code == 200


@pytest.fixture
def web_server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Caddy with the configuration of Docker Compose: its address, and the folder `portals`."""
    portals = tmp_path / "home" / "portals"
    for number in (1, 2):
        (portals / str(number) / "data").mkdir(parents=True)
        (portals / str(number) / "index.html").write_text(f"<!doctype html><title>{number}</title>")
        (portals / str(number) / "data" / "angka.csv").write_text("kabupaten,laporan\n" * 1000)
    (tmp_path / "home" / "vault.key").write_text("rahasia")
    (portals / "current").symlink_to("1")
    with hold_port() as port:
        server = subprocess.Popen(
            [Path(sys.executable).with_name("caddy"), "run", "--adapter", "caddyfile",
             "--config", Path(__file__).parents[2] / "docker" / "Caddyfile"],
            env={"HOME": str(tmp_path), "PORTAL_PORT": str(port.number),
                 "PORTAL_ROOT": str(portals / "current")},
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        address = f"http://127.0.0.1:{port.number}/"
        while server.poll() is None:
            try:
                httpx.get(address, trust_env=False)
                break
            except httpx.ConnectError:
                time.sleep(0.05)
        yield address, portals
        server.terminate()
        server.wait(10)


def test_the_web_server_of_compose_serves_the_portal_alone(
    web_server: tuple[str, Path], address: str
) -> None:
    url, portals = web_server
    own = httpx.get(address, trust_env=False).headers
    for path, status in (("", 200), ("data/angka.csv", 200), ("tidak-ada.html", 404)):
        answer = httpx.get(url + path, trust_env=False)
        assert answer.status_code == status
        assert {name: answer.headers[name] for name in HEADERS} == {n: own[n] for n in HEADERS}
        assert "Server" not in answer.headers
    answer = httpx.get(f"{url}data/angka.csv", headers={"Accept-Encoding": "gzip"}, trust_env=False)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Content-Type"].startswith("text/csv")
    known = {"If-None-Match": answer.headers["ETag"], "Accept-Encoding": "gzip"}
    assert httpx.get(f"{url}data/angka.csv", headers=known, trust_env=False).status_code == 304
    assert httpx.get(f"{url}data/", trust_env=False).status_code == 404  # no list of files
    for path in ("/../../vault.key", "/%2e%2e/%2e%2e/vault.key", "/..%2f..%2fvault.key"):
        connection = HTTPConnection(url.split("/")[2])
        connection.request("GET", path)  # as it is written: httpx would leave the dots out
        reply = connection.getresponse()
        assert reply.status in (400, 404), path
        assert b"rahasia" not in reply.read()
    # a new site is served from the next request on
    (portals / ".current").symlink_to("2")
    (portals / ".current").replace(portals / "current")
    assert "<title>2<" in httpx.get(url, trust_env=False).text


def test_the_guide_gives_a_public_server_the_same_headers(address: str) -> None:
    guide = Path(__file__).parents[2] / "docs" / "how-to" / "serve-the-portal.md"
    given = dict(re.findall(r'add_header (\S+) "([^"]+)" always;', guide.read_text()))
    answer = httpx.get(address, trust_env=False)
    assert given == {name: answer.headers[name] for name in given}
    assert len(given) == 5
