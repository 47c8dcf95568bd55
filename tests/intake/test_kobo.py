"""KoboToolbox against a stand-in: paging, edits, refusals, outages."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from upath import UPath

from lumbung.errors import SourceError
from lumbung.intake.connectors.base import Checkpoint, Item, Source
from lumbung.intake.connectors.kobo import reader as kobo
from lumbung.intake.landing import IntakeCounts
from tests.support.api_server import (
    Reply,
    Request,
    Stand,
    deliveries,
    last_checkpoint,
    refusals,
    serve,
)
from tests.support.channel_samples import FORM, channel
from tests.support.delivered import delivered
from tests.support.evidence import content_of, evidence_store


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


class Kobo:
    """A KoboToolbox with one form, two submissions a page at most."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.files: dict[str, bytes | Reply] = {}
        self.fetched: list[str] = []
        self.count: int | None = None
        self.knows_query = True

    def __call__(self, request: Request) -> Reply:
        query = request.query
        if request.headers["authorization"] != "Token rahasia":
            return Reply({}, 401)
        if "/attachments/" in request.path:
            place = request.path.removeprefix("/api/v2/assets/aContoh/data/")
            self.fetched.append(place)
            found = self.files.get(place, Reply(status=404))
            return found if isinstance(found, Reply) else Reply(found)
        if request.path != "/api/v2/assets/aContoh/data/":
            return Reply({}, 404)
        assert query["sort"] == '{"_id":1}'
        above = json.loads(query["query"])["_id"]["$gt"] if "query" in query else 0
        above = above if self.knows_query else 0
        listed = [row for row in self.rows if row.get("_id", above + 1) > above]
        start = int(query["start"])
        rows = listed[start : start + 2]
        is_last = start + 2 >= len(listed)
        # Behind a proxy its own address is often wrong.
        following = None if is_last else f"http://lain.example.org{request.path}?start={start + 2}"
        count = len(listed) if self.count is None else self.count
        return Reply({"count": count, "next": following, "previous": None, "results": rows})


@pytest.fixture
def kobo_server() -> Kobo:
    return Kobo()


@pytest.fixture
def stand(kobo_server: Kobo) -> Iterator[Stand]:
    yield from serve(kobo_server)


def pull(
    stand: Stand,
    tmp_path: Path,
    cursor: dict[str, Any] | None = None,
    model: dict[str, Any] = FORM,
    **connection: Any,
) -> list[Item]:
    evidence = evidence_store(tmp_path / "evidence")
    chosen = stand.connection(**connection)
    source = Source(
        channel(model), UPath(tmp_path), chosen, evidence, lambda each: each, cursor or {}
    )
    return list(kobo.read(source))


def test_every_page_is_followed_and_every_row_delivered(
    stand: Stand, kobo_server: Kobo, tmp_path: Path
) -> None:
    kobo_server.rows = [submission(number) for number in range(1, 6)]
    items = pull(stand, tmp_path)
    assert [each.source_id for each in deliveries(items)] == ["u1", "u2", "u3", "u4", "u5"]
    first = deliveries(items)[0]
    assert first.received_at == datetime(2024, 11, 6, 18, 30, tzinfo=UTC)
    assert first.fields == kobo_server.rows[0]
    assert first.locator == "submission 1"
    assert first.evidence is not None
    kept = json.loads(content_of(evidence_store(tmp_path / "evidence"), first.evidence))
    assert kept == kobo_server.rows[:2], "a page of what the stand gave"
    marks = [item for item in items if isinstance(item, Checkpoint)]
    assert [mark.complete for mark in marks] == [None, None, ""]
    assert marks[-1].cursor == {"key_by": "rootUuid"}
    assert stand.requests[0].query["limit"] == "1000"


def test_an_empty_form_is_complete(stand: Stand, kobo_server: Kobo, tmp_path: Path) -> None:
    assert pull(stand, tmp_path) == [Checkpoint({}, "")]


def test_a_listing_that_is_shorter_than_the_server_says_withdraws_nothing(
    stand: Stand, kobo_server: Kobo, tmp_path: Path
) -> None:
    kobo_server.rows = [submission(number) for number in range(1, 4)]
    kobo_server.count = 4
    marks = [item for item in pull(stand, tmp_path) if isinstance(item, Checkpoint)]
    assert [mark.complete for mark in marks] == [None, None, None]


def test_an_edit_keeps_its_source_id(stand: Stand, kobo_server: Kobo, tmp_path: Path) -> None:
    kobo_server.rows = [submission(1), submission(2)]
    edited = submission(2, _uuid="baru", **{"meta/instanceID": "uuid:baru"})
    edited["meta/deprecatedID"] = "uuid:u2"
    before = deliveries(pull(stand, tmp_path))
    kobo_server.rows = [submission(1), edited]
    after = deliveries(pull(stand, tmp_path, {"key_by": "rootUuid"}))
    assert [each.source_id for each in after] == [each.source_id for each in before]


def test_a_server_without_root_uuids_keeps_its_ids_when_it_learns_them(
    stand: Stand, kobo_server: Kobo, tmp_path: Path
) -> None:
    old = submission(7)
    del old["meta/rootUuid"]
    kobo_server.rows = [old]
    items = pull(stand, tmp_path)
    assert [each.source_id for each in deliveries(items)] == ["7"]
    cursor = last_checkpoint(items).cursor
    edited = {**submission(7), "_uuid": "baru", "meta/deprecatedID": "uuid:u7"}
    kobo_server.rows = [edited, submission(8)]
    after = deliveries(pull(stand, tmp_path, cursor))
    assert [each.source_id for each in after] == ["7", "8"]


def test_signatures_of_links_are_no_content(
    stand: Stand, kobo_server: Kobo, tmp_path: Path
) -> None:
    def attached(signature: str) -> dict[str, Any]:
        link = f"https://kobo.example.org/x.jpg?signature={signature}"
        return {"uid": "a1", "filename": "x.jpg", "download_url": link, "download_small_url": link}

    kobo_server.rows = [submission(1, _attachments=[attached("satu")])]
    _, _, first, evidence, *_ = deliveries(pull(stand, tmp_path))[0]
    kobo_server.rows = [submission(1, _attachments=[attached("dua")])]
    again = deliveries(pull(stand, tmp_path))[0]
    assert again.fields == first
    assert again.evidence == evidence, "nor do they make every pull's page new evidence"
    assert first["_attachments"] == [{"uid": "a1", "filename": "x.jpg", "not_kept": "missing"}]


def test_attachments_are_kept_once_and_one_that_comes_later_is_an_edit(
    stand: Stand, kobo_server: Kobo, tmp_path: Path
) -> None:
    attached: list[dict[str, Any]] = [
        {"uid": "att1", "filename": "a.jpg", "download_url": "https://lain.example.org/a.jpg"},
        {"id": 46493730, "filename": "b.jpg"},
        {"uid": "att3", "filename": "c.jpg", "is_deleted": True},
        {"uid": "att4", "filename": "d.jpg", "mimetype": "image/jpeg"},
    ]
    kobo_server.rows = [submission(1, _attachments=attached)]
    login = b"<!DOCTYPE html><title>Masuk</title>"
    kobo_server.files = {"1/attachments/att1/": b"gambar", "1/attachments/att4/": login}
    first = deliveries(pull(stand, tmp_path))[0].fields["_attachments"]
    digest = hashlib.sha256(b"gambar").hexdigest()
    assert first[0] == {
        "uid": "att1",
        "filename": "a.jpg",
        "sha256": digest,
        "size": 6,
        "type": "text/plain",
    }
    assert first[1:] == [
        {"id": 46493730, "filename": "b.jpg", "not_kept": "missing"},
        attached[2],
        {**attached[3], "not_kept": "page"},
    ]
    store = evidence_store(tmp_path / "evidence")
    assert content_of(store, bytes.fromhex(digest)) == b"gambar"
    kobo_server.files["1/attachments/46493730/"] = b"kemudian"
    second = deliveries(pull(stand, tmp_path))[0].fields["_attachments"]
    assert (second[0], second[1]["size"]) == (first[0], 8)
    assert kobo_server.fetched.count("1/attachments/att1/") == 1, (
        "what is kept is not fetched again"
    )
    (tmp_path / "evidence" / digest[:2] / digest[2:]).unlink()
    pull(stand, tmp_path)
    assert content_of(store, bytes.fromhex(digest)) == b"gambar", "what was lost is fetched again"


def test_between_full_comparisons_only_what_is_new_is_read(
    stand: Stand, kobo_server: Kobo, tmp_path: Path
) -> None:
    slow = {**FORM, "source": {"kind": "kobo", "asset": "aContoh", "full_every": "1 day"}}
    kobo_server.rows = [submission(number) for number in (1, 2, 3)]
    items = pull(stand, tmp_path, model=slow)
    marks = [item for item in items if isinstance(item, Checkpoint)]
    assert [mark.complete for mark in marks] == [None, ""]
    assert marks[-1].cursor["last"] == 3
    assert "full_at" not in marks[0].cursor, "a full comparison that broke off is begun again"
    kobo_server.rows = [
        submission(1, **{"kejadian/uraian": "diubah"}),
        submission(3),
        submission(4),
    ]
    items = pull(stand, tmp_path, marks[-1].cursor, model=slow)
    assert [each.source_id for each in deliveries(items)] == ["u4"]
    assert last_checkpoint(items).complete is None, "what it did not list is not gone"
    cursor = last_checkpoint(items).cursor
    assert cursor["last"] == 4
    late = {**cursor, "full_at": "2024-11-06T00:00:00+00:00"}
    items = pull(stand, tmp_path, late, model=slow)
    assert [each.source_id for each in deliveries(items)] == ["u1", "u3", "u4"]
    assert last_checkpoint(items).complete == ""


def test_a_submission_that_is_deleted_while_pages_are_read_hides_no_other(
    stand: Stand, kobo_server: Kobo, tmp_path: Path
) -> None:
    slow = {**FORM, "source": {"kind": "kobo", "asset": "aContoh", "full_every": "1 day"}}
    kobo_server.rows = [submission(number) for number in range(1, 6)]

    def app(request: Request) -> Reply:
        if len(stand.requests) == 2:
            del kobo_server.rows[0]  # by an offset, submission 3 would move to the page before
        return kobo_server(request)

    stand.app = app
    items = pull(stand, tmp_path, model=slow)
    assert [each.source_id for each in deliveries(items)] == ["u1", "u2", "u3", "u4", "u5"]
    assert last_checkpoint(items).cursor["last"] == 5


def test_two_submissions_with_one_root_uuid_are_two(
    stand: Stand,
    kobo_server: Kobo,
    db: psycopg.Connection,
    add_channel: Callable[..., Path],
    pull_from: Callable[..., IntakeCounts],
) -> None:
    add_channel(FORM)
    kobo_server.rows = [submission(1), submission(2), submission(9, _uuid="u1")]
    kobo_server.rows[2]["meta/rootUuid"] = "uuid:u1"
    assert pull_from("form_contoh", stand.connection()) == IntakeCounts(read=3, landed=3)
    assert pull_from("form_contoh", stand.connection()) == IntakeCounts(read=3, duplicate=3)
    rows = "select source_id, payload ->> 'kejadian/uraian' from raw.record order by record_id"
    assert delivered(db, rows) == [
        ("u1", "cerita 1"),
        ("u2", "cerita 2"),
        ("u1/9", "cerita 9"),
    ]


def test_a_submission_that_cannot_be_read_is_quarantined_alone(
    stand: Stand, kobo_server: Kobo, tmp_path: Path
) -> None:
    without_time, nameless = submission(2), submission(3)
    del without_time["_submission_time"], nameless["_id"]
    kobo_server.rows = [submission(1), without_time]
    items = pull(stand, tmp_path)
    assert [each.source_id for each in deliveries(items)] == ["u1"]
    (refused,) = refusals(items)
    assert (refused.reason_code, refused.source_id) == ("unreadable_date", "u2")
    assert refused.content == without_time
    assert last_checkpoint(items).complete == ""
    kobo_server.rows = [submission(1), nameless]
    items = pull(stand, tmp_path)
    assert [each.reason_code for each in refusals(items)] == ["required_field_missing"]


def test_an_attachment_that_cannot_be_had_stops_nothing_and_is_tried_again(
    stand: Stand,
    kobo_server: Kobo,
    tmp_path: Path,
    waits: list[float],
    caplog: pytest.LogCaptureFixture,
) -> None:
    kobo_server.rows = [
        submission(number, _attachments=[{"uid": f"a{number}", "filename": "a.jpg"}])
        for number in range(1, 7)
    ]
    broken = {f"{number}/attachments/a{number}/": Reply(status=500) for number in range(1, 6)}
    kobo_server.files = {**broken, "6/attachments/a6/": b"gambar"}

    def attached() -> list[dict[str, Any]]:
        return [each.fields["_attachments"][0] for each in deliveries(pull(stand, tmp_path))]

    with caplog.at_level(logging.WARNING):
        first = attached()
    assert [each.get("not_kept") for each in first] == [*["failed"] * 5, None]
    assert "an attachment was not kept: the server does not answer" in caplog.text
    assert "attachments/a1" not in caplog.text
    # Six attempts of three; of the others, one each: the whole store may be away.
    assert len(waits) == 3 * 5
    kobo_server.files["1/attachments/a1/"] = Reply(status=403)
    kobo_server.files["2/attachments/a2/"] = b"kemudian"
    assert [each.get("not_kept") for each in attached()][:2] == ["failed", None]
    kobo_server.files["1/attachments/a1/"] = Reply(status=401)
    with pytest.raises(SourceError, match="an attachment: "):
        pull(stand, tmp_path)


def test_pages_by_other_hands(
    stand: Stand, kobo_server: Kobo, tmp_path: Path, samples: Path
) -> None:
    for number in (1, 2):
        page = json.loads((samples / "kobo" / f"data_page_{number}.json").read_bytes())
        kobo_server.rows += page["results"]
    found = deliveries(pull(stand, tmp_path))
    assert [each.source_id for each in found] == ["124961136", "125283733", "125340283"]
    assert found[0].received_at == datetime(2021, 11, 16, 23, 46, 27, tzinfo=UTC)
    assert "download_url" not in found[0].fields["_attachments"][0]


# -- whole pulls ----------------------------------------------------------------------------------


def test_pulls_again_with_an_edit_a_review_a_deletion_and_an_outage_in_the_middle(
    stand: Stand,
    kobo_server: Kobo,
    db: psycopg.Connection,
    add_channel: Callable[..., Path],
    pull_from: Callable[..., IntakeCounts],
    waits: list[float],
) -> None:
    add_channel(FORM)
    kobo_server.rows = [submission(number) for number in range(1, 8)]
    page = {"count": 7, "next": "x", "results": kobo_server.rows[:2]}
    stand.script = [Reply(page), *[Reply(status=503)] * 6]
    with pytest.raises(SourceError, match="after 6 attempts: HTTP 503"):
        pull_from("form_contoh", stand.connection())
    assert db.execute("select count(*) from raw.record").fetchone() == (2,), (
        "what came before the outage"
    )
    assert pull_from("form_contoh", stand.connection()) == IntakeCounts(
        read=7, landed=5, duplicate=2
    )
    assert pull_from("form_contoh", stand.connection()) == IntakeCounts(read=7, duplicate=7)
    kobo_server.rows[1] = submission(2, _uuid="baru", **{"kejadian/uraian": "diubah",
                                "meta/deprecatedID": "uuid:u2"})  # fmt: skip
    kobo_server.rows[2] = submission(3, _validation_status={"uid": "validation_status_approved"})
    del kobo_server.rows[3]
    assert pull_from("form_contoh", stand.connection()) == IntakeCounts(
        read=6, landed=2, duplicate=4, tombstones=1
    )
    assert pull_from("form_contoh", stand.connection()) == IntakeCounts(read=6, duplicate=6)
    rows = delivered(
        db,
        "select source_id, payload ->> 'kejadian/uraian', is_tombstone from raw.record"
        " where batch_id in (select batch_id from raw.batch order by batch_id desc limit 4)"
        " and source_id in ('u2', 'u3', 'u4') order by record_id",
    )
    assert rows[-3:] == [("u2", "diubah", False), ("u3", "cerita 3", False), ("u4", None, True)]


# -- refusals and outages -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "remediation"),
    [
        (Reply({}, 401), "set the token"),
        (Reply({}, 403), "the right to view"),
        (Reply({}, 404), "correct the asset"),
        (Reply(status=302, headers={"Location": "/login"}), "API address"),
        (Reply("<html>Masuk</html>", headers={"Content-Type": "text/html"}), "API address"),
        (Reply([]), "API v2"),
        (Reply({"count": 1, "results": [3]}), "API v2"),
        (Reply({"count": 1, "results": [{"_submission_time": "2024-11-06"}]}), "API v2"),
        (Reply(status=429, headers={"Retry-After": "4000"}), "next scheduled pull"),
    ],
)
def test_a_refusal_is_reported_at_once_with_its_remediation(
    stand: Stand, tmp_path: Path, waits: list[float], reply: Reply, remediation: str
) -> None:
    stand.script = [reply]
    with pytest.raises(SourceError) as caught:
        pull(stand, tmp_path)
    assert remediation in caught.value.remediation
    assert caught.value.where == "channel form_contoh, form aContoh"
    assert "rahasia" not in str(caught.value)
    assert waits == []
    assert len(stand.requests) == 1


def test_what_may_pass_is_tried_again_with_the_pause_that_was_asked_for(
    stand: Stand, kobo_server: Kobo, tmp_path: Path, waits: list[float]
) -> None:
    kobo_server.rows = [submission(1)]
    stand.script = [
        Reply(status=429, headers={"Retry-After": "7"}),
        Reply(status=503, headers={"Retry-After": "Wed, 06 Nov 2024 00:00:00 GMT"}),
        Reply("<html>Bad gateway</html>", 502),
        Reply('{"count": 1, "results": [{"_id'),
    ]
    assert len(deliveries(pull(stand, tmp_path))) == 1
    assert waits[0] == 7
    assert len(waits) == 4
    assert all(0 < wait <= 61 for wait in waits)


def test_an_outage_that_stays_is_reported(stand: Stand, tmp_path: Path, waits: list[float]) -> None:
    stand.script = [Reply(status=500)] * 20
    with pytest.raises(SourceError, match="after 6 attempts: HTTP 500"):
        pull(stand, tmp_path)
    assert len(waits) == 5


def test_nobody_there(stand: Stand, tmp_path: Path, waits: list[float]) -> None:
    with pytest.raises(SourceError, match="after 6 attempts: ConnectError"):
        pull(stand, tmp_path, port=9)  # discard: nobody listens


def test_a_server_that_does_not_page_by_id_is_an_error_and_no_endless_pull(
    stand: Stand, kobo_server: Kobo, tmp_path: Path
) -> None:
    kobo_server.rows = [submission(number) for number in range(1, 6)]
    kobo_server.knows_query = False
    with pytest.raises(SourceError, match="the submissions after _id 2 in their order"):
        pull(stand, tmp_path)
    kobo_server.rows = [submission(2), submission(1)]
    with pytest.raises(SourceError, match="the submissions after _id 0 in their order"):
        pull(stand, tmp_path)
    assert len(stand.requests) == 3


def test_no_connection_is_reported(stand: Stand, kobo_server: Kobo, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="address or token is not known"):
        pull(stand, tmp_path, password=None)
