"""Redirects of downloads: only where the channel says, without credentials, in little memory."""

from __future__ import annotations

import gzip
import socket
import threading
import traceback
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lumbung.errors import SourceError
from lumbung.intake.connectors.base import SourceConnection
from lumbung.intake.connectors.shared import http
from lumbung.intake.connectors.shared.http import Api
from lumbung.intake.evidence import Kept
from tests.support.api_server import Reply, Request, Stand, serve
from tests.support.evidence import evidence_store

PICTURE = b"\x89PNG\r\n\x1a\n gambar"


def no_answer(request: Request) -> Reply:
    return Reply(status=404)


@pytest.fixture
def stand() -> Iterator[Stand]:
    """The channel's own server."""
    yield from serve(no_answer)


@pytest.fixture
def other() -> Iterator[Stand]:
    """Another server, on another port of loopback."""
    yield from serve(lambda request: Reply(PICTURE))


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Host name -> address, for names that no name server knows."""
    known: dict[str, str] = {}
    look_up = socket.getaddrinfo

    def answer(host: Any, *rest: Any, **options: Any) -> Any:
        return look_up(known.get(host, host), *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return known


def download(stand: Stand, folder: Path, *, host: str = "127.0.0.1", **extra: Any) -> Kept | str:
    connection = stand.connection(host=host, extra=extra)
    headers = {"Authorization": "Token rahasia", "X-Api-Key": "rahasia"}
    with Api(connection, "channel uji", headers=headers, params={"kunci": "rahasia"}) as api:
        return api.download(api.at("lampiran/1"), evidence_store(folder / "evidence"), 1 << 20)


def to(address: str) -> Reply:
    return Reply(status=302, headers={"Location": address})


def test_a_redirect_within_the_server_keeps_the_credential(stand: Stand, tmp_path: Path) -> None:
    stand.script = [to("/berkas/1"), Reply(PICTURE)]
    kept = download(stand, tmp_path)
    assert isinstance(kept, Kept)
    assert kept.open("rb").read() == PICTURE
    assert stand.requests[1].path == "/berkas/1"
    assert stand.requests[1].headers["x-api-key"] == "rahasia"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "0.0.0.0"])
def test_a_redirect_to_another_server_is_refused(
    stand: Stand, other: Stand, tmp_path: Path, host: str
) -> None:
    stand.script = [to(f"http://{host}:{other.port}/keys/vault.key")]
    with pytest.raises(SourceError, match="redirects to another server") as error:
        download(stand, tmp_path)
    assert "redirect_hosts" in error.value.remediation
    assert other.requests == []
    assert len(stand.requests) == 1


def test_a_declared_server_gets_no_credential(stand: Stand, other: Stand, tmp_path: Path) -> None:
    stand.script = [to(f"http://127.0.0.1:{other.port}/berkas/1?tanda=abc")]
    kept = download(stand, tmp_path, redirect_hosts=f"files.example.org, 127.0.0.1:{other.port}")
    assert isinstance(kept, Kept)
    assert kept.open("rb").read() == PICTURE
    (asked,) = other.requests
    assert asked.query == {"tanda": "abc"}
    assert "rahasia" not in str(asked)


def test_a_declared_name_that_leads_inside_is_refused_unless_the_channel_is_inside(
    stand: Stand, other: Stand, tmp_path: Path, names: dict[str, str]
) -> None:
    """The channel's server seems to be on the internet; a declared name has a local address."""
    names |= {"api.example.org": "127.0.0.1", "files.example.org": "127.0.0.1"}
    location = f"http://files.example.org:{other.port}/berkas/1"
    hosts: dict[str, Any] = {"redirect_hosts": ["*.example.org"]}
    stand.script = [to(location)]
    assert isinstance(download(stand, tmp_path, **hosts), Kept), "the channel's own is loopback"
    assert other.requests[0].headers["host"] == f"files.example.org:{other.port}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http, "is_inside", lambda host: host != "api.example.org")
        stand.script = [to(location)]
        with pytest.raises(SourceError, match="private address"):
            download(stand, tmp_path, host="api.example.org", **hosts)
    assert len(other.requests) == 1


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        *(("127.0.0.1", True), ("10.1.2.3", True), ("192.168.0.9", True), ("172.20.0.1", True)),
        *(("169.254.169.254", True), ("0.0.0.0", True), ("::1", True), ("fe80::1", True)),
        *(
            ("fc00::1", True),
            ("::ffff:127.0.0.1", True),
            ("100.64.0.1", True),
            ("2130706433", True),
        ),
        *(("8.8.8.8", False), ("2001:4860:4860::8888", False)),
    ],
)
def test_addresses_inside(address: str, inside: bool) -> None:
    assert http.is_inside(address) is inside


def test_redirects_end(stand: Stand, tmp_path: Path) -> None:
    stand.app = lambda request: to("/lampiran/1")
    with pytest.raises(SourceError, match="page for people"):
        download(stand, tmp_path)
    assert len(stand.requests) == 6


@pytest.mark.parametrize("status", [302, 200, 404, 500])
def test_a_packed_gigabyte_is_never_in_memory(
    stand: Stand, tmp_path: Path, status: int, waits: list[float]
) -> None:
    packed = gzip.compress(bytes(256 << 20), 9)  # a gigabyte takes the same way, only longer
    headers = {"Content-Encoding": "gzip", "Location": "/berkas/1"}
    stand.app = lambda request: (
        Reply(PICTURE) if request.path == "/berkas/1" else Reply(packed, status, headers)
    )
    tracemalloc.start()
    try:
        found = download(stand, tmp_path)
    except SourceError:
        found = "failed"
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    wanted = {302: PICTURE, 200: "too_large", 404: "missing", 500: "failed"}[status]
    assert (found.open("rb").read() if isinstance(found, Kept) else found) == wanted
    assert peak < 16 << 20


def test_a_packed_page_takes_no_more_memory_than_the_largest_page(
    stand: Stand, tmp_path: Path
) -> None:
    packed = gzip.compress(b" " * (256 << 20), 9)
    stand.script = [Reply(packed, headers={"Content-Encoding": "gzip"})]
    tracemalloc.start()
    try:
        with Api(stand.connection(), "channel uji") as api:
            with pytest.raises(SourceError, match="a page is larger than 64 MB"):
                api.json(api.at("halaman"))
            _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100 << 20


def test_a_download_that_ends_within_a_packed_block_is_tried_again(
    stand: Stand, tmp_path: Path, waits: list[float]
) -> None:
    packed = gzip.compress(PICTURE)
    headers = {"Content-Encoding": "gzip"}
    stand.script = [Reply(packed[:-9], headers=headers), Reply(packed, headers=headers)]
    kept = download(stand, tmp_path)
    assert isinstance(kept, Kept)
    assert kept.open("rb").read() == PICTURE
    assert len(waits) == 1


@pytest.mark.parametrize(
    "answer",
    [b"Zqvor 0812-7777-0001\r\n\r\n", b"HTTP/1.1 200 OK\r\nZqvor 0812-7777-0001\r\n\r\n{}"],
)
def test_an_answer_that_is_no_http_is_not_in_the_error(
    answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve_all() -> None:
            for _ in range(http.ATTEMPTS):
                with server.accept()[0] as client:
                    client.recv(65_536)
                    client.sendall(answer)

        thread = threading.Thread(target=serve_all, daemon=True)
        thread.start()
        host = f"http://127.0.0.1:{server.getsockname()[1]}"
        with (
            Api(SourceConnection(host), "channel uji") as api,
            pytest.raises(SourceError, match="RemoteProtocolError") as caught,
        ):
            api.json(api.at("x"))
        thread.join(60)
    assert "Zqvor" not in "".join(traceback.format_exception(caught.value))
