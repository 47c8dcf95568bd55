"""ODK Central against a stand-in: skip tokens, windows, deletions, repeats, attachments."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import psycopg
import pytest
from upath import UPath

from lumbung.errors import SourceError
from lumbung.intake.connectors.base import Item, Source, SourceConnection
from lumbung.intake.connectors.odk import reader as odk
from lumbung.intake.connectors.shared.http import Api
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
from tests.support.channel_samples import OWNER, channel
from tests.support.delivered import delivered
from tests.support.evidence import content_of, evidence_store

ODK: dict[str, Any] = {
    "name": "odk_contoh",
    "title": "ODK contoh",
    "owner": OWNER,
    "connection": "odk_contoh",
    "schedule": "0 5 * * *",
    "record_kind": "IA",
    "source": {"kind": "odk", "project": 7, "form": "form pantau/1"},
    "personal": ["pemantau/nama"],
    "subject": ["pemantau/nama"],
    "fields": {
        "regency_code": {"from": "kejadian/kode_kab", "scheme": "bps"},
        "status": {"from": "__system/reviewState"},
        "narrative": {"from": "kejadian/uraian"},
    },
}
T0 = datetime(2024, 11, 6, 3, tzinfo=UTC)


def at(minutes: float) -> str:
    return (T0 + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def at_now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def submission(number: int, **system: Any) -> dict[str, Any]:
    return {
        "__id": f"uuid:s{number}",
        "__system": {
            "submissionDate": at(number),
            "updatedAt": None,
            "deletedAt": None,
            "submitterId": "5",
            "submitterName": "Relawan Contoh",
            "attachmentsPresent": 0,
            "attachmentsExpected": 0,
            "status": None,
            "reviewState": None,
            "deviceId": "collect:contoh",
            "edits": 0,
            "formVersion": "1",
            **system,
        },
        "meta": {"instanceID": f"uuid:s{number}"},
        "pemantau": {"nama": f"Warga {number}"},
        "kejadian": {"kode_kab": "1903", "uraian": f"cerita {number}", "foto": None},
    }


class Central:
    """An ODK Central with one form, two submissions a page at most."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.repeats: dict[str, list[dict[str, Any]]] = {}  # "children/child" -> sub rows
        self.files: dict[str, dict[str, bytes | None]] = {}
        self.knows_deletion = True
        self.expands = True
        self.auth = "Bearer sesi"

    def __call__(self, request: Request) -> Reply:
        path = unquote(request.path)
        if path == "/v1/sessions" and request.method == "POST":
            good = json.loads(request.body) == {"email": "a@contoh.example.id", "password": "sandi"}
            return Reply({"token": "sesi"}) if good else Reply({"code": 401.2}, 401)
        if request.headers.get("authorization") != self.auth:
            return Reply({"code": 401.2}, 401)
        base = "/v1/projects/7/forms/form%20pantau%2F1"
        if not request.path.startswith(base):
            return Reply({"code": 404.1}, 404)
        rest = unquote(request.path.removeprefix(base))
        if found := re.fullmatch(r"/submissions/([^/]+)/attachments(?:/(.+))?", rest):
            return self.attachment(found[1], found[2])
        if rest == ".svc/Submissions":
            return self.feed(request)
        if found := re.fullmatch(r"\.svc/Submissions\('([^']+)'\)(/.+)?", rest):
            return self.single(found[1], (found[2] or "").lstrip("/"), request)
        return Reply({"code": 404.1}, 404)

    def feed(self, request: Request) -> Reply:
        query = request.query
        if unknown := set(query) - {"$top", "$skiptoken", "$filter", "$expand", "$select"}:
            return Reply({"code": 501.1, "message": str(unknown)}, 501)
        filter = query.get("$filter", "")
        if "deletedAt" in filter and not self.knows_deletion:
            return Reply({"code": 501.5}, 501)
        if "$select" in query and "$expand" in query:
            return Reply({"code": 501.11}, 501)
        rows = [
            row
            for row in self.rows
            if self.matches(row["__system"], filter)
            and ("deletedAt" in filter or not row["__system"]["deletedAt"])
        ]
        rows.sort(key=lambda row: row["__system"]["submissionDate"], reverse=True)
        if token := query.get("$skiptoken"):
            last = json.loads(base64.b64decode(token.removeprefix("01")))["instanceId"]
            (cursor,) = [row for row in self.rows if row["__id"] == last]
            before = cursor["__system"]["submissionDate"]
            rows = [row for row in rows if row["__system"]["submissionDate"] < before]
        body: dict[str, Any] = {"@odata.context": "x", "value": []}
        page = rows[: min(int(query["$top"]), 2)]
        body["value"] = [self.shown(row, query) for row in page]
        if len(rows) > len(page):
            last = base64.b64encode(json.dumps({"instanceId": page[-1]["__id"]}).encode()).decode()
            same = "&".join(f"{quote(k)}={quote(v)}" for k, v in query.items() if k != "$skiptoken")
            link = f"{request.host}{request.path}?{same}&%24skiptoken=01{quote(last)}"
            body["@odata.nextLink"] = link
        return Reply(body)

    def matches(self, system: dict[str, Any], filter: str) -> bool:
        terms = [term.split(" ge ") for term in filter.split(" or ")] if filter else []
        values = [(system[name.removeprefix("__system/")], moment) for name, moment in terms]
        return not terms or any(value is not None and value >= moment for value, moment in values)

    def shown(self, row: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
        if query.get("$select") == "__id":
            return {"__id": row["__id"]}
        shown: dict[str, Any] = json.loads(json.dumps(row))
        for path, subs in self.repeats.items():
            group, field = path.split("/")
            own = [sub for sub in subs if sub["__Submissions-id"] == row["__id"]]
            if own:
                link = f"Submissions('{quote(row['__id'])}')/{path}"
                shown.setdefault(group, {})[f"{field}@odata.navigationLink"] = link
                if self.expands and query.get("$expand") == "*":
                    shown[group][field] = own
        return shown

    def single(self, key: str, path: str, request: Request) -> Reply:
        rows = [row for row in self.rows if row["__id"] == key and not row["__system"]["deletedAt"]]
        if not rows:
            return Reply({"code": 404.1}, 404)
        if not path:
            return Reply({"value": [self.shown(rows[0], request.query)]})
        subs = [sub for sub in self.repeats[path] if sub["__Submissions-id"] == key]
        start = int(request.query.get("$skiptoken", 0))
        body: dict[str, Any] = {"value": subs[start : start + 1]}
        if start + 1 < len(subs):
            link = f"{request.host}{request.path}?%24top=1&%24skiptoken={start + 1}"
            body["@odata.nextLink"] = link
        return Reply(body)

    def attachment(self, key: str, name: str | None) -> Reply:
        files = self.files.get(key, {})
        if name is None:
            return Reply([{"name": n, "exists": c is not None} for n, c in files.items()])
        content = files.get(name)
        return Reply({}, 404) if content is None else Reply(content)


@pytest.fixture
def central() -> Central:
    return Central()


@pytest.fixture
def stand(central: Central) -> Iterator[Stand]:
    yield from serve(central)


@pytest.fixture
def to(stand: Stand) -> SourceConnection:
    return stand.connection(login="a@contoh.example.id", password="sandi")


def pull(
    connection: SourceConnection, tmp_path: Path, cursor: dict[str, Any] | None = None
) -> list[Item]:
    evidence = evidence_store(tmp_path / "evidence")
    given = Source(
        channel(ODK), UPath(tmp_path), connection, evidence, lambda each: each, cursor or {}
    )
    return list(odk.read(given))


def ids(items: list[Item]) -> list[str]:
    return [each.source_id.removeprefix("uuid:s") for each in deliveries(items)]


# -- paging and windows ---------------------------------------------------------------------------


def test_every_page_is_followed_and_every_submission_delivered(
    central: Central, stand: Stand, to: SourceConnection, tmp_path: Path
) -> None:
    central.rows = [submission(number) for number in range(1, 6)]
    items = pull(to, tmp_path)
    assert ids(items) == ["5", "4", "3", "2", "1"]
    found = deliveries(items)[-1]
    assert found.received_at == T0 + timedelta(minutes=1)
    assert found.locator == "submission uuid:s1"
    assert {k: v for k, v in found.fields.items() if not k.startswith("__system/")} == {
        "__id": "uuid:s1",
        "meta/instanceID": "uuid:s1",
        "pemantau/nama": "Warga 1",
        "kejadian/kode_kab": "1903",
        "kejadian/uraian": "cerita 1",
    }
    assert found.fields["__system/edits"] == 0
    assert "__system/updatedAt" not in found.fields, "what has no value is left out"
    mark = last_checkpoint(items)
    assert mark.complete == ""
    assert mark.cursor["since"] == "2024-11-06T03:05:00+00:00"


def test_an_empty_form_is_complete(central: Central, to: SourceConnection, tmp_path: Path) -> None:
    items = pull(to, tmp_path)
    assert (deliveries(items), last_checkpoint(items).complete) == ([], "")
    assert pull(to, tmp_path, last_checkpoint(items).cursor) != []


def test_the_next_pull_asks_with_overlap_for_what_was_submitted_or_updated(
    central: Central, stand: Stand, to: SourceConnection, tmp_path: Path
) -> None:
    central.rows = [submission(number) for number in (1, 2, 300, 400)]
    cursor = last_checkpoint(pull(to, tmp_path)).cursor
    central.rows[0] = submission(1, updatedAt=at(410), edits=1, reviewState="edited")
    central.rows.append(submission(405))
    items = pull(to, tmp_path, cursor)
    assert ids(items) == ["405", "400", "1"], "400 lies in the overlap of an hour"
    assert last_checkpoint(items).complete is None
    assert last_checkpoint(items).cursor["since"] == "2024-11-06T09:50:00+00:00"
    assert deliveries(items)[-1].received_at == T0 + timedelta(minutes=1), "an edit keeps it"


def test_a_channel_that_idled_for_a_month_compares_everything(
    central: Central, to: SourceConnection, tmp_path: Path
) -> None:
    central.rows = [submission(number) for number in (1, 2, 300)]
    cursor = last_checkpoint(pull(to, tmp_path)).cursor
    idle = {**cursor, "pulled_at": (datetime.now(UTC) - timedelta(days=30)).isoformat()}
    central.rows = [row for row in central.rows if row["__id"] != "uuid:s2"]  # purged
    items = pull(to, tmp_path, idle)
    assert ids(items) == ["300", "1"]
    assert last_checkpoint(items).complete == ""


# -- rows -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("expands", [True, False])
def test_repeats_stand_under_their_field(
    central: Central, to: SourceConnection, tmp_path: Path, expands: bool
) -> None:
    central.expands = expands
    central.rows = [submission(1), submission(2)]
    central.repeats["saksi/orang"] = [
        {"__id": "a", "__Submissions-id": "uuid:s1", "nama": "Saksi A", "umur": 40},
        {"__id": "b", "__Submissions-id": "uuid:s1", "nama": "Saksi B", "umur": None},
    ]
    two, one = deliveries(pull(to, tmp_path))
    assert one.fields["saksi/orang"] == [
        {"__id": "a", "nama": "Saksi A", "umur": 40},
        {"__id": "b", "nama": "Saksi B", "umur": None},
    ]
    assert not any("saksi" in label for label in two.fields)
    assert not any("navigationLink" in label for label in one.fields)


def test_a_geopoint_stays_whole(central: Central, to: SourceConnection, tmp_path: Path) -> None:
    point = {"type": "Point", "coordinates": [106.1, -2.1, 5], "properties": {"accuracy": 20}}
    central.rows = [{**submission(1), "lokasi": {"titik": point, "type": "desa"}}]
    (found,) = deliveries(pull(to, tmp_path))
    assert (found.fields["lokasi/titik"], found.fields["lokasi/type"]) == (point, "desa")


def test_an_encrypted_submission_is_quarantined(
    central: Central, to: SourceConnection, tmp_path: Path
) -> None:
    central.rows = [
        submission(1, status="notDecrypted", attachmentsExpected=2),
        submission(2, status="missingEncryptedFormData"),
        submission(3),
    ]
    items = pull(to, tmp_path)
    assert ids(items) == ["3"]
    assert [each.reason_code for each in refusals(items)] == ["encrypted", "encrypted"]
    assert {each.source_id for each in refusals(items)} == {"uuid:s1", "uuid:s2"}
    assert last_checkpoint(items).cursor["uploading"] == {}


def test_submissions_by_other_hands(stand: Stand, tmp_path: Path, samples: Path) -> None:
    page = json.loads((samples / "odk" / "gc_submissions.json").read_bytes())
    stand.app = lambda request: Reply({"value": []} if "deletedAt" in str(request.query) else page)
    items = pull(stand.connection(password="sesi"), tmp_path)
    found = deliveries(items)
    assert len(found) == len(page["value"])
    first = found[0]
    assert first.source_id == "uuid:06ed309e-980c-45be-b52b-c1cd143d5d2d"
    assert first.received_at == datetime(2025, 2, 12, 13, 42, 43, 273000, tzinfo=UTC)
    assert first.fields["threats"] == "land_encroachment pollution climate_change mining"
    assert "photo" not in first.fields
    point = found[1].fields["location"]
    assert point["coordinates"] == [-73.856824, 152.0195872, 41.599998]


def test_feeds_as_central_itself_is_asserted_to_give(
    stand: Stand, tmp_path: Path, samples: Path
) -> None:
    bodies = json.loads((samples / "odk" / "central_odata_expected_bodies.json").read_bytes())
    feeds = [
        each["body"]
        for each in bodies
        if all("__system" in row for row in each["body"].get("value", [{}]))
    ]
    assert len(feeds) > 15
    for feed in feeds:
        rows = feed["value"]
        own = {k: v for k, v in feed.items() if k != "@odata.nextLink"}

        def app(request: Request, own: dict[str, Any] = own) -> Reply:
            nothing = "deletedAt" in str(request.query) or "child" in request.path
            return Reply({"value": []} if nothing else own)

        stand.app = app
        items = pull(stand.connection(password="sesi"), tmp_path)
        given = [each.source_id for each in deliveries(items)]
        given += [each.source_id or "" for each in refusals(items)]
        assert sorted(map(str, given)) == sorted(row["__id"] for row in rows)


# -- attachments ----------------------------------------------------------------------------------


def test_attachments_are_kept_by_their_hash(
    central: Central, to: SourceConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Api.keep, "__defaults__", (1000,))
    central.rows = [submission(1, attachmentsPresent=2, attachmentsExpected=3)]
    photo, film = b"\xff\xd8\xff foto", b"x" * 2000
    central.files["uuid:s1"] = {"foto satu.jpg": photo, "film.mp4": film, "audio.m4a": None}
    central.files["uuid:s1"]["login.jpg"] = b"<html><title>Masuk</title></html>"
    (found,) = deliveries(pull(to, tmp_path))
    digest = hashlib.sha256(photo)
    assert found.fields["__attachments"] == [
        {"name": "audio.m4a", "not_kept": "missing"},
        {"name": "film.mp4", "not_kept": "too_large"},
        {
            "name": "foto satu.jpg",
            "sha256": digest.hexdigest(),
            "size": len(photo),
            "type": "image/jpeg",
        },
        {"name": "login.jpg", "not_kept": "page"},
    ]
    assert content_of(evidence_store(tmp_path / "evidence"), digest.digest()) == photo


def test_what_is_still_uploading_is_asked_for_again_until_it_is_there(
    central: Central, stand: Stand, to: SourceConnection, tmp_path: Path
) -> None:
    central.rows = [submission(1, attachmentsExpected=1), submission(500)]
    central.files["uuid:s1"] = {"a.jpg": None}
    cursor = last_checkpoint(pull(to, tmp_path)).cursor
    assert list(cursor["uploading"]) == ["uuid:s1"]
    # It arrives: neither time moves, and submission 1 lies far before the window.
    central.rows[0] = submission(1, attachmentsExpected=1, attachmentsPresent=1)
    central.files["uuid:s1"] = {"a.jpg": b"foto"}
    items = pull(to, tmp_path, cursor)
    assert ids(items) == ["500", "1"]
    assert "sha256" in deliveries(items)[1].fields["__attachments"][0]
    assert last_checkpoint(items).cursor["uploading"] == {}
    long_ago = (datetime.now(UTC) - timedelta(days=40)).isoformat()
    central.rows[0] = submission(1, attachmentsExpected=1)
    items = pull(to, tmp_path, {**cursor, "uploading": {"uuid:s1": long_ago}})
    assert last_checkpoint(items).cursor["uploading"] == {}, (
        "a phone that is lost is not waited for"
    )


def test_an_attachment_that_cannot_be_had_stops_nothing_and_is_asked_for_again(
    central: Central, stand: Stand, to: SourceConnection, tmp_path: Path, waits: list[float]
) -> None:
    central.rows = [submission(1, attachmentsPresent=1, attachmentsExpected=1), submission(500)]
    central.files["uuid:s1"] = {"a.jpg": b"foto"}

    def app(request: Request) -> Reply:
        return Reply(status=500) if request.path.endswith("a.jpg") else central(request)

    stand.app = app
    items = pull(to, tmp_path)
    assert ids(items) == ["500", "1"]
    assert deliveries(items)[1].fields["__attachments"] == [{"name": "a.jpg", "not_kept": "failed"}]
    cursor = last_checkpoint(items).cursor
    stand.app = central
    items = pull(to, tmp_path, cursor)
    assert ids(items) == ["500", "1"], "submission 1 lies far before the window"
    assert "sha256" in deliveries(items)[1].fields["__attachments"][0]
    assert last_checkpoint(items).cursor["uploading"] == {}


def test_more_to_watch_than_the_cursor_holds_is_said_and_reads_the_whole_form(
    central: Central,
    to: SourceConnection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(odk, "_MAX_WATCHED", 1)
    deleted = at_now()
    central.rows = [submission(n, deletedAt=deleted) for n in (1, 2)] + [submission(500)]
    cursor = last_checkpoint(pull(to, tmp_path)).cursor
    assert "2 deleted submissions" in caplog.text
    central.rows[0] = submission(1)  # restored: neither time moves
    items = pull(to, tmp_path, cursor)
    assert ids(items) == ["500", "1"]
    assert last_checkpoint(items).complete == ""
    assert last_checkpoint(items).cursor["since"], "few enough again"


@pytest.mark.parametrize("skew", [timedelta(days=-2), timedelta(days=2)])
def test_a_server_whose_clock_is_wrong_loses_nothing(
    central: Central, to: SourceConnection, tmp_path: Path, skew: timedelta
) -> None:
    def reported(minutes: float) -> str:
        moment = datetime.now(UTC) + skew + timedelta(minutes=minutes)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")

    central.rows = [submission(n, submissionDate=reported(n)) for n in (1, 2)]
    cursor = last_checkpoint(pull(to, tmp_path)).cursor
    central.rows.append(submission(3, submissionDate=reported(3)))
    central.rows[0] = submission(1, submissionDate=reported(1), updatedAt=reported(4), edits=1)
    central.rows[1]["__system"]["deletedAt"] = reported(5)
    items = pull(to, tmp_path, cursor)
    assert {"1", "3"} <= set(ids(items))
    assert last_checkpoint(items).withdrawn == ("uuid:s2",)
    # The server's clock is set right: what comes now is dated before what came before.
    central.rows.append(submission(4, submissionDate=at_now()))
    if skew > timedelta(0):
        assert "4" in ids(pull(to, tmp_path, last_checkpoint(items).cursor))


# -- whole pulls ----------------------------------------------------------------------------------


def contents(db: psycopg.Connection) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for key, story in delivered(
        db, "select source_id, payload ->> 'kejadian/uraian' from raw.record order by record_id"
    ):
        found.setdefault(key.removeprefix("uuid:s"), []).append(story)
    return found


Pull = Callable[..., IntakeCounts]
Add = Callable[..., Path]


def test_edits_reviews_deletions_and_a_restored_submission(
    central: Central,
    to: SourceConnection,
    db: psycopg.Connection,
    pull_from: Pull,
    add_channel: Add,
) -> None:
    add_channel(ODK)
    central.rows = [submission(number) for number in range(1, 6)]
    assert pull_from("odk_contoh", to) == IntakeCounts(read=5, landed=5)
    assert pull_from("odk_contoh", to) == IntakeCounts(read=5, duplicate=5)
    edited = submission(1, updatedAt=at(600), edits=1)
    edited["kejadian"]["uraian"] = "diperbaiki"
    deleted = at_now()
    central.rows[0] = edited
    central.rows[1] = submission(2, deletedAt=deleted)
    assert pull_from("odk_contoh", to) == IntakeCounts(read=4, landed=1, duplicate=3, tombstones=1)
    assert pull_from("odk_contoh", to) == IntakeCounts(read=1, duplicate=1)
    central.rows[1] = submission(2)  # restored: neither time moves
    assert pull_from("odk_contoh", to) == IntakeCounts(read=2, landed=1, duplicate=1)
    central.rows[2] = submission(3, updatedAt=at(700), reviewState="rejected")
    assert pull_from("odk_contoh", to) == IntakeCounts(read=2, landed=1, duplicate=1)
    assert contents(db) == {
        "1": ["cerita 1", "diperbaiki"],
        "2": ["cerita 2", None, "cerita 2"],
        "3": ["cerita 3", "cerita 3"],
        "4": ["cerita 4"],
        "5": ["cerita 5"],
    }
    states = "select payload ->> '__system/reviewState' from raw.record where source_id = 'uuid:s3'"
    assert delivered(db, states) == [(None,), ("rejected",)]
    assert db.execute("select count(*) from ops.drift_notice").fetchone() == (0,)


def test_an_outage_in_the_middle_leaves_the_cursor_and_the_next_pull_completes(
    central: Central,
    stand: Stand,
    to: SourceConnection,
    db: psycopg.Connection,
    pull_from: Pull,
    add_channel: Add,
    waits: list[float],
) -> None:
    add_channel(ODK)
    central.rows = [submission(number) for number in range(1, 6)]
    stand.dies_after = 2  # the session and the first page: the newest come first
    with pytest.raises(SourceError, match="after 6 attempts"):
        pull_from("odk_contoh", to)
    assert contents(db).keys() == {"5", "4"}
    assert db.execute("select cursor from ops.channel_cursor").fetchall() in ([], [({},)])
    stand.dies_after = None
    assert pull_from("odk_contoh", to) == IntakeCounts(read=5, landed=3, duplicate=2)


def test_a_purged_submission_is_withdrawn_by_comparison(
    central: Central,
    to: SourceConnection,
    db: psycopg.Connection,
    pull_from: Pull,
    add_channel: Add,
) -> None:
    add_channel(ODK)
    central.rows = [submission(number) for number in range(1, 6)]
    pull_from("odk_contoh", to)
    db.execute(
        "update ops.channel_cursor"
        " set cursor = jsonb_set(cursor, '{pulled_at}', to_jsonb(%s::text))",
        ((datetime.now(UTC) - timedelta(days=31)).isoformat(),),
    )
    del central.rows[2]
    assert pull_from("odk_contoh", to) == IntakeCounts(read=4, duplicate=4, tombstones=1)
    assert contents(db)["3"] == ["cerita 3", None]


def test_a_server_that_cannot_delete_is_read_all_the_same(
    central: Central, to: SourceConnection, tmp_path: Path
) -> None:
    central.knows_deletion = False
    central.rows = [submission(1)]
    assert ids(pull(to, tmp_path)) == ["1"]


# -- credentials, refusals ------------------------------------------------------------------------


def test_basic_and_a_ready_token(
    central: Central, stand: Stand, tmp_path: Path, to: SourceConnection
) -> None:
    central.rows = [submission(1)]
    assert ids(pull(stand.connection(password="sesi"), tmp_path)) == ["1"]
    central.auth = "Basic " + base64.b64encode(b"a@contoh.example.id:sandi").decode()
    basic = stand.connection(login="a@contoh.example.id", password="sandi", extra={"auth": "basic"})
    assert ids(pull(basic, tmp_path)) == ["1"]
    assert not any(each.path == "/v1/sessions" for each in stand.requests)


@pytest.mark.parametrize(
    ("reply", "remediation"),
    [
        (Reply({"code": 401.2}, 401), "e-mail"),
        (Reply({"code": 403.1}, 403), "Project Viewer"),
        (Reply({"code": 404.1}, 404), "project and form"),
        (Reply({"code": 501.4}, 501), "update the server"),
        (Reply({"code": 400.35}, 400), "documentation"),
        (Reply("<html>Masuk</html>", headers={"Content-Type": "text/html"}), "API address"),
        (Reply([1]), "ODK Central server"),
        (Reply({"value": [1]}), "ODK Central server"),
        (Reply({"value": [{"a": 1}]}), "ODK Central server"),
    ],
)
def test_a_refusal_is_reported_at_once(
    stand: Stand, tmp_path: Path, waits: list[float], reply: Reply, remediation: str
) -> None:
    stand.script = [reply]
    with pytest.raises(SourceError) as caught:
        pull(stand.connection(password="sesi"), tmp_path)
    assert remediation in caught.value.remediation
    assert "sesi" not in str(caught.value)
    assert waits == []


def test_a_wrong_login_is_reported(stand: Stand, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="e-mail") as caught:
        pull(stand.connection(login="lain@contoh.example.id", password="keliru"), tmp_path)
    assert "keliru" not in str(caught.value)


def test_a_feed_in_a_circle_is_an_error(
    central: Central, stand: Stand, to: SourceConnection, tmp_path: Path
) -> None:
    def app(request: Request) -> Reply:
        link = f"{request.host}{request.path}?%24skiptoken=01tetap"
        return Reply({"value": [submission(1)], "@odata.nextLink": link})

    stand.app = app
    with pytest.raises(SourceError, match="same page again"):
        pull(stand.connection(password="sesi"), tmp_path)
    assert len(stand.requests) <= 2
