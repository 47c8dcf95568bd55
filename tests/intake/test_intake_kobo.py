"""KoboToolbox against a stand-in: paging, edits, refusals, outages."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import psycopg
import pytest
from intake_samples import FORM, channel
from upath import UPath

from lumbung.errors import SourceError
from lumbung.intake.connectors import Delivery, Item, Mark, Source, SourceConnection, kobo
from lumbung.intake.evidence import Evidence
from lumbung.intake.landing import IntakeCounts


def submission(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "_id": number,
        "_uuid": f"u{number}",
        "meta/instanceID": f"uuid:u{number}",
        "meta/rootUuid": f"uuid:u{number}",
        "_submission_time": "2024-11-06T18:30:00",
        "kejadian/uraian": f"cerita {number}",
        "kejadian/kode_kab": "1903",
        "pemantau/nama": "Warga Contoh",
        **changes,
    }


class Server(ThreadingHTTPServer):
    """A KoboToolbox that pages two by two, or answers as `script` says first."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.rows: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.fetched: list[str] = []
        self.requests: list[dict[str, list[str]]] = []
        self.script: list[tuple[int, dict[str, str], bytes]] = []
        self.next_override: str | None = None
        self.count_override: int | None = None
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def connection(self) -> SourceConnection:
        return SourceConnection("127.0.0.1", self.server_port, "http", password="rahasia")


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        self.server.requests.append(query)
        if self.server.script:
            return self.answer(*self.server.script.pop(0))
        if self.headers["Authorization"] != "Token rahasia":
            return self.answer(401, {}, b"{}")
        if "/attachments/" in url.path:
            place = url.path.removeprefix("/api/v2/assets/aContoh/data/")
            self.server.fetched.append(place)
            content = self.server.files.get(place)
            return self.answer(404 if content is None else 200, {}, content or b"")
        if url.path != "/api/v2/assets/aContoh/data/":
            return self.answer(404, {}, b"{}")
        assert query["sort"] == ['{"_id":1}']
        start = int(query["start"][0])
        above = json.loads(query["query"][0])["_id"]["$gt"] if "query" in query else 0
        listed = [row for row in self.server.rows if row.get("_id", above + 1) > above]
        rows = listed[start : start + 2]
        following = None
        if start + 2 < len(listed):
            host = f"http://127.0.0.1:{self.server.server_port}"
            again = {**{name: values[0] for name, values in query.items()}, "start": start + 2}
            following = f"{host}{url.path}?{urlencode(again)}"
        body = {
            "count": self.server.count_override or len(listed),
            "next": self.server.next_override or following,
            "previous": None,
            "results": rows,
        }
        return self.answer(200, {"Content-Type": "application/json"}, json.dumps(body).encode())

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def stand() -> Iterator[Server]:
    with Server() as running:
        yield running
        running.shutdown()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were asked for; none is made."""
    asked: list[float] = []
    monkeypatch.setattr("lumbung.intake.connectors.http.time.sleep", asked.append)
    return asked


def pull(
    stand: Server,
    tmp_path: Path,
    cursor: dict[str, Any] | None = None,
    model: dict[str, Any] = FORM,
    **connection: Any,
) -> list[Item]:
    chosen = SourceConnection(
        **{
            "host": "127.0.0.1",
            "port": stand.server_port,
            "schema": "http",
            "password": "rahasia",
            **connection,
        }
    )
    evidence = Evidence(tmp_path / "evidence")
    source = Source(
        channel(model), UPath(tmp_path), chosen, evidence, lambda each: each, cursor or {}
    )
    return list(kobo.read(source))


def deliveries(items: list[Item]) -> list[Delivery]:
    return [item for item in items if isinstance(item, Delivery)]


def test_every_page_is_followed_and_every_row_delivered(stand: Server, tmp_path: Path) -> None:
    stand.rows = [submission(number) for number in range(1, 6)]
    items = pull(stand, tmp_path)
    assert [each.source_id for each in deliveries(items)] == ["u1", "u2", "u3", "u4", "u5"]
    first = deliveries(items)[0]
    assert first.received_at == datetime(2024, 11, 6, 18, 30, tzinfo=UTC)
    assert first.fields == stand.rows[0]
    assert first.locator == "submission 1"
    assert first.evidence is not None
    kept = json.loads(Evidence(tmp_path / "evidence").path(first.evidence).read_bytes())
    assert kept == stand.rows[:2], "a page of what the stand gave"
    marks = [item for item in items if isinstance(item, Mark)]
    assert [mark.complete for mark in marks] == [None, None, ""]
    assert marks[-1].cursor == {"key_by": "rootUuid"}
    assert stand.requests[0]["limit"] == ["1000"]


def test_an_empty_form_is_complete(stand: Server, tmp_path: Path) -> None:
    assert pull(stand, tmp_path) == [Mark({}, "")]


def test_a_listing_that_shifted_while_it_was_read_withdraws_nothing(
    stand: Server, tmp_path: Path
) -> None:
    stand.rows = [submission(number) for number in range(1, 4)]
    stand.count_override = 4
    marks = [item for item in pull(stand, tmp_path) if isinstance(item, Mark)]
    assert [mark.complete for mark in marks] == [None, None]


def test_an_edit_keeps_its_source_id(stand: Server, tmp_path: Path) -> None:
    stand.rows = [submission(1), submission(2)]
    edited = submission(2, _uuid="baru", **{"meta/instanceID": "uuid:baru"})
    edited["meta/deprecatedID"] = "uuid:u2"
    before = deliveries(pull(stand, tmp_path))
    stand.rows = [submission(1), edited]
    after = deliveries(pull(stand, tmp_path, {"key_by": "rootUuid"}))
    assert [each.source_id for each in after] == [each.source_id for each in before]


def test_a_server_without_root_uuids_keeps_its_ids_when_it_learns_them(
    stand: Server, tmp_path: Path
) -> None:
    old = submission(7)
    del old["meta/rootUuid"]
    stand.rows = [old]
    items = pull(stand, tmp_path)
    assert [each.source_id for each in deliveries(items)] == ["7"]
    cursor = items[-1].cursor  # type: ignore[union-attr]
    edited = {**submission(7), "_uuid": "baru", "meta/deprecatedID": "uuid:u7"}
    stand.rows = [edited, submission(8)]
    after = deliveries(pull(stand, tmp_path, cursor))
    assert [each.source_id for each in after] == ["7", "8"]


def test_signatures_of_links_are_no_content(stand: Server, tmp_path: Path) -> None:
    def attached(signature: str) -> dict[str, Any]:
        link = f"https://kobo.example.org/x.jpg?signature={signature}"
        return {"uid": "a1", "filename": "x.jpg", "download_url": link, "download_small_url": link}

    stand.rows = [submission(1, _attachments=[attached("satu")])]
    first = deliveries(pull(stand, tmp_path))[0].fields
    stand.rows = [submission(1, _attachments=[attached("dua")])]
    assert deliveries(pull(stand, tmp_path))[0].fields == first
    assert first["_attachments"] == [{"uid": "a1", "filename": "x.jpg", "not_kept": "missing"}]


def test_attachments_are_kept_once_and_one_that_comes_later_is_an_edit(
    stand: Server, tmp_path: Path
) -> None:
    attached = [
        {"uid": "att1", "filename": "a.jpg", "download_url": "https://lain.example.org/a.jpg"},
        {"id": 46493730, "filename": "b.jpg"},
        {"uid": "att3", "filename": "c.jpg", "is_deleted": True},
    ]
    stand.rows = [submission(1, _attachments=attached)]
    stand.files = {"1/attachments/att1/": b"gambar"}
    first = deliveries(pull(stand, tmp_path))[0].fields["_attachments"]
    digest = hashlib.sha256(b"gambar").hexdigest()
    assert first[0] == {"uid": "att1", "filename": "a.jpg", "sha256": digest, "size": 6}
    assert first[1:] == [{"id": 46493730, "filename": "b.jpg", "not_kept": "missing"}, attached[2]]
    kept = tmp_path / "evidence" / digest[:2] / digest[2:]
    assert kept.read_bytes() == b"gambar"
    stand.files["1/attachments/46493730/"] = b"kemudian"
    second = deliveries(pull(stand, tmp_path))[0].fields["_attachments"]
    assert (second[0], second[1]["size"]) == (first[0], 8)
    assert stand.fetched.count("1/attachments/att1/") == 1, "what is kept is not fetched again"
    kept.unlink()
    pull(stand, tmp_path)
    assert kept.read_bytes() == b"gambar", "what was lost is fetched anew"


def test_between_full_comparisons_only_what_is_new_is_read(stand: Server, tmp_path: Path) -> None:
    slow = {**FORM, "source": {"kind": "kobo", "asset": "aContoh", "full_every": "1 day"}}
    stand.rows = [submission(number) for number in (1, 2, 3)]
    items = pull(stand, tmp_path, model=slow)
    marks = [item for item in items if isinstance(item, Mark)]
    assert [mark.complete for mark in marks] == [None, ""]
    assert marks[-1].cursor["last"] == 3
    assert "full_at" not in marks[0].cursor, "a full comparison that broke off is begun again"
    stand.rows = [submission(1, **{"kejadian/uraian": "diubah"}), submission(3), submission(4)]
    items = pull(stand, tmp_path, marks[-1].cursor, model=slow)
    assert [each.source_id for each in deliveries(items)] == ["u4"]
    assert items[-1].complete is None, "what it did not list is not gone"  # type: ignore[union-attr]
    cursor = items[-1].cursor  # type: ignore[union-attr]
    assert cursor["last"] == 4
    late = {**cursor, "full_at": "2024-11-06T00:00:00+00:00"}
    items = pull(stand, tmp_path, late, model=slow)
    assert [each.source_id for each in deliveries(items)] == ["u1", "u3", "u4"]
    assert items[-1].complete == ""  # type: ignore[union-attr]


def test_pages_by_other_hands(stand: Server, tmp_path: Path, samples: Path) -> None:
    for number in (1, 2):
        page = json.loads((samples / "kobo" / f"data_page_{number}.json").read_bytes())
        stand.rows += page["results"]
    found = deliveries(pull(stand, tmp_path))
    assert [each.source_id for each in found] == ["124961136", "125283733", "125340283"]
    assert found[0].received_at == datetime(2021, 11, 16, 23, 46, 27, tzinfo=UTC)
    assert "download_url" not in found[0].fields["_attachments"][0]


# -- whole pulls ----------------------------------------------------------------------------------


def test_pulls_again_with_an_edit_a_review_a_deletion_and_an_outage_in_the_middle(
    stand: Server,
    db: psycopg.Connection,
    add_channel: Callable[..., Path],
    pull_from: Callable[..., IntakeCounts],
    waits: list[float],
) -> None:
    add_channel(FORM)
    stand.rows = [submission(number) for number in range(1, 8)]
    page = json.dumps({"count": 7, "next": f"{stand.connection.base_url}/x?start=2",
                       "results": stand.rows[:2]}).encode()  # fmt: skip
    stand.script = [(200, {}, page), *[(503, {}, b"")] * 6]
    with pytest.raises(SourceError, match="after 6 attempts: HTTP 503"):
        pull_from("form_contoh", stand.connection)
    assert db.execute("select count(*) from raw.record").fetchone() == (2,), (
        "what came before the outage"
    )
    assert pull_from("form_contoh", stand.connection) == IntakeCounts(read=7, landed=5, duplicate=2)
    assert pull_from("form_contoh", stand.connection) == IntakeCounts(read=7, duplicate=7)
    stand.rows[1] = submission(2, _uuid="baru", **{"kejadian/uraian": "diubah",
                                "meta/deprecatedID": "uuid:u2"})  # fmt: skip
    stand.rows[2] = submission(3, _validation_status={"uid": "validation_status_approved"})
    del stand.rows[3]
    assert pull_from("form_contoh", stand.connection) == IntakeCounts(
        read=6, landed=2, duplicate=4, tombstones=1
    )
    assert pull_from("form_contoh", stand.connection) == IntakeCounts(read=6, duplicate=6)
    rows = db.execute(
        "select source_id, payload ->> 'kejadian/uraian', is_tombstone from raw.record"
        " where batch_id in (select batch_id from raw.batch order by batch_id desc limit 4)"
        " and source_id in ('u2', 'u3', 'u4') order by record_id"
    ).fetchall()
    assert rows[-3:] == [("u2", "diubah", False), ("u3", "cerita 3", False), ("u4", None, True)]


# -- refusals and outages -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "headers", "body", "cure"),
    [
        (401, {}, b"{}", "set the token"),
        (403, {}, b"{}", "the right to view"),
        (404, {}, b"{}", "correct the asset"),
        (302, {"Location": "/login"}, b"", "API address"),
        (200, {"Content-Type": "text/html"}, b"<html>Masuk</html>", "API address"),
        (200, {}, b"[]", "API v2"),
        (200, {}, b'{"count": 1, "results": [3]}', "API v2"),
        (200, {}, b'{"count": 1, "results": [{"_id": 5}]}', "API v2"),
        (200, {}, b'{"count": 1, "results": [{"_submission_time": "2024-11-06"}]}', "API v2"),
        (429, {"Retry-After": "4000"}, b"", "next scheduled pull"),
    ],
)
def test_a_refusal_is_told_at_once_with_its_cure(
    stand: Server,
    tmp_path: Path,
    waits: list[float],
    status: int,
    headers: dict[str, str],
    body: bytes,
    cure: str,
) -> None:
    stand.script = [(status, headers, body)]
    with pytest.raises(SourceError) as caught:
        pull(stand, tmp_path)
    assert cure in caught.value.cure
    assert caught.value.where == "channel form_contoh, form aContoh"
    assert "rahasia" not in str(caught.value)
    assert waits == []
    assert len(stand.requests) == 1


def test_what_may_pass_is_tried_again_with_the_pause_that_was_asked_for(
    stand: Server, tmp_path: Path, waits: list[float]
) -> None:
    stand.rows = [submission(1)]
    stand.script = [
        (429, {"Retry-After": "7"}, b""),
        (503, {"Retry-After": "Wed, 06 Nov 2024 00:00:00 GMT"}, b""),
        (502, {}, b"<html>Bad gateway</html>"),
        (200, {}, b'{"count": 1, "results": [{"_id'),
    ]
    assert len(deliveries(pull(stand, tmp_path))) == 1
    assert waits[0] == 7
    assert len(waits) == 4
    assert all(0 < wait <= 61 for wait in waits)


def test_an_outage_that_stays_is_told(stand: Server, tmp_path: Path, waits: list[float]) -> None:
    stand.script = [(500, {}, b"")] * 20
    with pytest.raises(SourceError, match="after 6 attempts: HTTP 500"):
        pull(stand, tmp_path)
    assert len(waits) == 5


def test_nobody_there(stand: Server, tmp_path: Path, waits: list[float]) -> None:
    stand.shutdown()
    stand.server_close()
    with pytest.raises(SourceError, match="after 6 attempts: ConnectError"):
        pull(stand, tmp_path)


def test_a_next_page_elsewhere_is_not_followed(stand: Server, tmp_path: Path) -> None:
    stand.rows = [submission(1)]
    stand.next_override = "http://lain.example.org/api/v2/assets/aContoh/data/?start=2"
    with pytest.raises(SourceError, match=r"another server, http://lain\.example\.org"):
        pull(stand, tmp_path)


def test_a_page_that_repeats_is_an_error_and_no_endless_pull(stand: Server, tmp_path: Path) -> None:
    stand.rows = [submission(number) for number in range(1, 6)]
    path = f"http://127.0.0.1:{stand.server_port}/api/v2/assets/aContoh/data/"
    stand.next_override = f"{path}?sort=%7B%22_id%22:1%7D&start=2"
    with pytest.raises(SourceError, match="same page again"):
        pull(stand, tmp_path)
    assert len(stand.requests) <= 3


def test_no_connection_is_told(stand: Server, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="address or token is not known"):
        pull(stand, tmp_path, password=None)
