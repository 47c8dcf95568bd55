"""Ushahidi: the v5 API against a stand-in, and its CSV export from files."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import psycopg
import pytest
from upath import UPath

from lumbung.errors import SourceError
from lumbung.intake.connectors.base import Item, Source, SourceConnection
from lumbung.intake.connectors.ushahidi import reader as ushahidi
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

USHAHIDI: dict[str, Any] = {
    "name": "peta_contoh",
    "title": "Peta aduan contoh",
    "owner": OWNER,
    "schedule": "0 5 * * *",
    "record_kind": "IA",
    "source": {"kind": "ushahidi"},
    "personal": ["Nama pelapor", "Contact"],
    "subject": ["Contact"],
    "kept": ["Titik.lat", "Titik.lon", "Post Status"],
    "fields": {
        "regency": {"from": "Kabupaten"},
        "issue": {"from": "Isu", "separator": ","},
        "narrative": {"from": ["Uraian", "Unstructured Description"]},
    },
}
T0 = datetime(2024, 11, 6, 3, 0, 7, tzinfo=UTC)


def at(minutes: float) -> str:
    return (T0 + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S+0000")


def post(number: int, **changes: Any) -> dict[str, Any]:
    def field(label: str, type: str, value: Any) -> dict[str, Any]:
        wrapped = {"value": value, "value_meta": {}} if type != "tags" else {"value": value}
        return {"id": 1, "key": label.lower(), "label": label, "type": type, "value": wrapped}

    return {
        "id": number,
        "form_id": 3,
        "user_id": None,
        "type": "report",
        "title": f"Judul {number}",
        "content": f"isi {number}",
        "status": "published",
        "created": at(number),
        "updated": None,
        "post_date": at(number),
        "source": "web",
        "metadata": {"contact": "+62000000000"},
        "categories": [{"id": 4, "tag": "TPS"}],
        "allowed_privileges": ["read"],
        "post_content": [
            {
                "id": 1,
                "label": "Kejadian",
                "fields": [
                    field("Kabupaten", "varchar", "Bangka"),
                    field(
                        "Isu", "tags", [{"id": 1, "tag": "Politik uang"}, {"id": 2, "tag": "SARA"}]
                    ),
                    field("Titik", "point", {"lat": -2.1, "lon": 106.1}),
                    {"id": 9, "key": "kosong", "label": "Kosong", "type": "text", "value": None},
                ],
            },
            {
                "id": 2,
                "label": "Pelapor",
                "fields": [
                    field("Nama pelapor", "varchar", f"Warga {number}"),
                    field("Uraian", "text", f"cerita {number}"),
                    {"id": 10, "key": "uraian-2", "type": "text", "value": {"value": "lagi"}},
                ],
            },
        ],
        **changes,
    }


class Deployment:
    """An Ushahidi deployment that pages two by two."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.total_override: int | None = None

    def __call__(self, request: Request) -> Reply:
        if request.path == "/oauth/token":
            form = {k: v[0] for k, v in parse_qs(request.body.decode()).items()}
            good = form["username"] == "a@contoh.example.id" and form["password"] == "sandi"
            if form["grant_type"] == "password" and good and form["client_id"] == "klien":
                return Reply({"access_token": "rahasia", "token_type": "Bearer"})
            return Reply({"errors": [{"status": 401, "message": "salah"}]}, 401)
        if request.headers.get("authorization") != "Bearer rahasia":
            return Reply({"errors": [{"status": 401, "message": "Unauthorized"}]}, 401)
        if request.path != "/api/v5/posts":
            return Reply({"errors": [{"status": 404, "message": "tidak ada"}]}, 404)
        query = request.query
        assert (query["orderby"], query["order"], query["status"]) == ("id", "asc", "all")
        rows = sorted(self.posts, key=lambda each: each["id"])
        if "form" in query:
            rows = [each for each in rows if str(each["form_id"]) == query["form"]]
        for name in ("created", "updated"):
            if f"{name}_after" in query:
                after = datetime.fromisoformat(query[f"{name}_after"])
                rows = [
                    each
                    for each in rows
                    if each[name] and datetime.fromisoformat(each[name]) > after
                ]
        start = (int(query["page"]) - 1) * 2
        total = len(rows) if self.total_override is None else self.total_override
        page = rows[start : start + 2]
        return Reply({"count": len(page), "results": page, "links": {}, "meta": {"total": total}})


@pytest.fixture
def deployment() -> Deployment:
    return Deployment()


@pytest.fixture
def stand(deployment: Deployment) -> Iterator[Stand]:
    yield from serve(deployment)


def pull(
    connection: SourceConnection | None,
    folder: Path,
    cursor: dict[str, Any] | None = None,
    **source: Any,
) -> list[Item]:
    model = channel(USHAHIDI, source={**USHAHIDI["source"], **source})
    evidence = evidence_store(folder.parent / "evidence")
    given = Source(model, UPath(folder), connection, evidence, lambda each: each, cursor or {})
    return list(ushahidi.read(given))


def ids(items: list[Item]) -> list[str]:
    return [each.source_id for each in deliveries(items)]


# -- the API --------------------------------------------------------------------------------------


def test_every_post_in_the_labels_of_the_export(
    deployment: Deployment, stand: Stand, tmp_path: Path
) -> None:
    deployment.posts = [post(number) for number in (3, 1, 2, 5, 4)]
    items = pull(stand.connection(), tmp_path)
    assert ids(items) == ["1", "2", "3", "4", "5"]
    first = deliveries(items)[0]
    assert first.received_at == T0 + timedelta(minutes=1)
    assert first.locator == "post 1"
    assert first.fields == {
        "Post ID": 1,
        "Survey ID": 3,
        "Post Status": "published",
        "Created (UTC)": at(1),
        "Post Date (UTC)": at(1),
        "Source": "web",
        "Post Title": "Judul 1",
        "Unstructured Description": "isi 1",
        "Contact": "+62000000000",
        "Categories": "TPS",
        "Kabupaten": "Bangka",
        "Isu": "Politik uang,SARA",
        "Titik.lat": -2.1,
        "Titik.lon": 106.1,
        "Nama pelapor": "Warga 1",
        "Uraian": "cerita 1",
        "uraian-2": "lagi",
    }
    assert first.evidence is not None
    kept = content_of(evidence_store(tmp_path.parent / "evidence"), first.evidence)
    assert [each["id"] for each in json.loads(kept)] == [1, 2]
    mark = last_checkpoint(items)
    assert (mark.complete, mark.cursor["since"]) == ("", "2024-11-06T03:05:07+00:00")


def test_a_post_from_the_future_hides_none_that_comes_after_it(
    deployment: Deployment, stand: Stand, tmp_path: Path
) -> None:
    ahead = (datetime.now(UTC) + timedelta(days=40)).strftime("%Y-%m-%dT%H:%M:%S+0000")
    deployment.posts = [post(1), post(2, created=ahead)]
    mark = last_checkpoint(pull(stand.connection(), tmp_path))
    assert datetime.fromisoformat(mark.cursor["since"]) <= datetime.now(UTC)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
    deployment.posts.append(post(3, created=now))
    assert "3" in ids(pull(stand.connection(), tmp_path, mark.cursor))


def test_the_next_pull_asks_for_what_was_created_and_what_was_updated(
    deployment: Deployment, stand: Stand, tmp_path: Path
) -> None:
    deployment.posts = [post(number) for number in (1, 2, 300)]
    cursor = last_checkpoint(pull(stand.connection(), tmp_path)).cursor
    deployment.posts[0] = post(1, updated=at(310), status="archived")
    deployment.posts.append(post(305))  # never updated: only its creation has a time
    items = pull(stand.connection(), tmp_path, cursor)
    assert ids(items) == ["300", "305", "1"]
    windows = [
        {k: v for k, v in each.query.items() if k.endswith("_after")} for each in stand.requests
    ]
    begin = "2024-11-06T07:00:07Z"
    assert windows[-2:] == [{"created_after": begin}, {"updated_after": begin}]
    assert last_checkpoint(items).complete is None
    assert last_checkpoint(items).cursor["since"] == "2024-11-06T08:10:07+00:00"


def test_a_listing_that_shifted_is_read_again(
    deployment: Deployment, stand: Stand, tmp_path: Path
) -> None:
    deployment.posts = [post(number) for number in range(1, 5)]
    whole, answered = deployment.posts, []

    def app(request: Request) -> Reply:
        answered.append(request)
        if len(answered) == 2:
            deployment.posts = whole[1:]
        return deployment(request)

    stand.app = app
    items = pull(stand.connection(), tmp_path)
    assert ids(items) == ["1", "2", "4"]
    assert (last_checkpoint(items).complete, last_checkpoint(items).cursor) == (None, {})


def test_hidden_times_are_not_taken_for_true(
    deployment: Deployment, stand: Stand, tmp_path: Path
) -> None:
    blurred = "2024-11-06T00:00:00+0000"
    deployment.posts = [
        post(1, form_id=8, created=blurred, post_date=blurred),
        post(2, form_id=8, created=blurred, updated=blurred, post_date=None),
        post(3, created=blurred, post_date=blurred),  # midnight indeed: post 4 shows its survey's
        post(4),
        post(5, created="kemarin"),
    ]
    stand.app = lambda request: Reply(
        {"results": deployment.posts, "meta": {"total": len(deployment.posts)}}
    )
    items = pull(stand.connection(), tmp_path)
    assert ids(items) == ["3", "4"]
    found = [(each.source_id, each.reason_code) for each in refusals(items)]
    assert found == [("1", "blurred_time"), ("2", "blurred_time"), ("5", "unreadable_date")]


def test_one_survey_may_be_chosen(deployment: Deployment, stand: Stand, tmp_path: Path) -> None:
    deployment.posts = [post(1), post(2, form_id=9)]
    assert ids(pull(stand.connection(), tmp_path, form=9)) == ["2"]


def test_a_login_is_exchanged_for_a_token(
    deployment: Deployment, stand: Stand, tmp_path: Path
) -> None:
    deployment.posts = [post(1)]
    account = {"login": "a@contoh.example.id", "password": "sandi"}
    extra = {"client_id": "klien", "client_secret": "x"}
    assert ids(pull(stand.connection(**account, extra=extra), tmp_path)) == ["1"]
    with pytest.raises(SourceError, match="valid token") as caught:
        pull(stand.connection(**{**account, "password": "keliru"}, extra=extra), tmp_path)
    assert "keliru" not in str(caught.value)
    with pytest.raises(SourceError, match="credential is not known"):
        pull(stand.connection(password=None), tmp_path)


@pytest.mark.parametrize(
    ("reply", "remediation"),
    [
        (Reply({"errors": [{"status": 401}]}, 401), "valid token"),
        (Reply({"errors": [{"status": 403}]}, 403), "manage posts"),
        (Reply({"errors": [{"status": 404}]}, 404), "API address"),
        (Reply("<html>Peta</html>"), "API address"),
        (Reply([]), "API v5"),
        (Reply({"results": []}), "API v5"),
        (Reply({"results": [{"title": "x"}], "meta": {"total": 1}}), "API v5"),
    ],
)
def test_a_refusal_is_reported_at_once(
    stand: Stand, tmp_path: Path, waits: list[float], reply: Reply, remediation: str
) -> None:
    stand.script = [reply]
    with pytest.raises(SourceError) as caught:
        pull(stand.connection(), tmp_path)
    assert remediation in caught.value.remediation
    assert waits == []


def test_pages_without_end_end(deployment: Deployment, stand: Stand, tmp_path: Path) -> None:
    deployment.posts = [post(number) for number in range(1, 4)]
    deployment.total_override = 99
    items = pull(stand.connection(), tmp_path)
    assert (ids(items), last_checkpoint(items).complete) == (["1", "2", "3"], None)
    stand.app = lambda request: Reply({"results": [post(1)], "meta": {"total": 9}})
    with pytest.raises(SourceError, match="same page again"):
        pull(stand.connection(), tmp_path)


def current(db: psycopg.Connection) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for key, story in delivered(
        db, "select source_id, payload ->> 'Uraian' from raw.record order by record_id"
    ):
        found.setdefault(key, []).append(story)
    return found


Pull = Callable[..., IntakeCounts]
Add = Callable[..., Path]


def test_an_edit_a_deletion_and_an_outage(
    deployment: Deployment,
    stand: Stand,
    db: psycopg.Connection,
    pull_from: Pull,
    add_channel: Add,
    waits: list[float],
) -> None:
    add_channel(USHAHIDI, connection="peta")
    to = stand.connection()
    deployment.posts = [post(number) for number in range(1, 6)]
    stand.dies_after = 1
    with pytest.raises(SourceError, match="after 6 attempts"):
        pull_from("peta_contoh", to)
    assert current(db).keys() == {"1", "2"}
    assert db.execute("select cursor from ops.channel_cursor").fetchall() in ([], [({},)])
    stand.dies_after = None
    assert pull_from("peta_contoh", to) == IntakeCounts(read=5, landed=3, duplicate=2)
    assert pull_from("peta_contoh", to) == IntakeCounts(read=5, duplicate=5)
    edited = post(2, updated=at(20))
    edited["post_content"][1]["fields"][1]["value"]["value"] = "diperbaiki"
    deployment.posts[1] = edited
    del deployment.posts[3]
    counts = pull_from("peta_contoh", to)
    assert (counts.landed, counts.tombstones) == (1, 0), "a deletion leaves no trace"
    db.execute(
        "update ops.channel_cursor set cursor = jsonb_set(cursor, '{full_at}', to_jsonb(%s::text))",
        ((datetime.now(UTC) - timedelta(days=2)).isoformat(),),
    )
    assert pull_from("peta_contoh", to) == IntakeCounts(read=4, duplicate=4, tombstones=1)
    assert current(db) == {
        "1": ["cerita 1"],
        "2": ["cerita 2", "diperbaiki"],
        "3": ["cerita 3"],
        "4": ["cerita 4", None],
        "5": ["cerita 5"],
    }


# -- the CSV export -------------------------------------------------------------------------------

COLUMNS = ["Post ID", "Survey", "Post Status", "Created (UTC)", "Updated (UTC)", "Post Date (UTC)"]
COLUMNS += ["Contact ID", "Contact", "Data Source ID", "Source", "Unstructured Description"]
COLUMNS += ["Kabupaten", "Titik.lat", "Titik.lon", "Isu", "Uraian", "Tanggal survei"]
HXL = ["", "", "", "#date+created", "", "", "", "", "", "", "", "#adm2", "#geo+lat", "#geo+lon"]


def row(number: int, story: str = "", **cells: str) -> list[str]:
    values = {
        "Post ID": str(number),
        "Survey": "Aduan",
        "Created (UTC)": f"2024-11-06 03:0{number}:07",
        "Kabupaten": "Bangka",
        "Titik.lat": "-2.1",
        "Isu": "Politik uang,SARA",
        "Uraian": story or f"cerita {number}",
        **cells,
    }
    return [values.get(column, "") for column in COLUMNS]


def put(folder: Path, rows: Sequence[Sequence[str]], age: int = 0, name: str = "posts.csv") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.StringIO()
    csv.writer(buffer).writerows([COLUMNS, *rows])
    (folder / name).write_text(buffer.getvalue(), encoding="utf-8")
    os.utime(folder / name, (1_700_000_000 + age,) * 2)


@pytest.mark.parametrize("second", [[HXL], [[""] * len(COLUMNS)], [[]], []])
def test_an_export_with_its_hxl_row_and_padded_surveys(
    tmp_path: Path, second: list[list[str]]
) -> None:
    padded = row(2, Survey="Pantauan", Kabupaten="", **{"Tanggal survei": "2024-11-05"})
    put(tmp_path / "inbox", [*second, row(1), padded])
    items = pull(None, tmp_path / "inbox")
    assert ids(items) == ["1", "2"]
    one, two = deliveries(items)
    assert one.received_at == datetime(2024, 11, 6, 3, 1, 7, tzinfo=UTC)
    assert one.fields == {
        "Post ID": "1",
        "Survey": "Aduan",
        "Created (UTC)": "2024-11-06 03:01:07",
        "Kabupaten": "Bangka",
        "Titik.lat": "-2.1",
        "Isu": "Politik uang,SARA",
        "Uraian": "cerita 1",
    }
    assert "Kabupaten" not in two.fields
    assert two.fields["Tanggal survei"] == "2024-11-05"


def test_rows_of_an_export_that_cannot_be_read(tmp_path: Path) -> None:
    midnight = {"Created (UTC)": "2024-11-06 00:00:00", "Survey": "Samar"}
    rows = [row(1), row(2, **{"Post ID": ""}), row(3, **{"Created (UTC)": "kemarin"})]
    put(tmp_path / "inbox", [HXL, *rows, row(4, **midnight), row(5, **midnight)])
    items = pull(None, tmp_path / "inbox")
    assert ids(items) == ["1"]
    assert [each.reason_code for each in refusals(items)] == [
        *("required_field_missing", "unreadable_date", "blurred_time", "blurred_time"),
    ]
    (tmp_path / "inbox" / "posts.csv").write_bytes(b"Judul,Isi\n1,2\n")
    items = pull(None, tmp_path / "inbox")
    assert [each.reason_code for each in refusals(items)] == ["header_not_found"]


def test_exports_again_with_an_edit_and_a_deletion(
    tmp_path: Path, db: psycopg.Connection, pull_from: Pull, add_channel: Add
) -> None:
    inbox = add_channel(USHAHIDI)
    put(inbox, [HXL, row(1), row(2), row(3)])
    assert pull_from("peta_contoh") == IntakeCounts(read=3, landed=3)
    assert pull_from("peta_contoh") == IntakeCounts(read=3, duplicate=3)
    put(inbox, [HXL, row(1), row(3, "diperbaiki")], 1)
    assert pull_from("peta_contoh") == IntakeCounts(read=2, landed=1, duplicate=1, missing=1)
    assert pull_from("peta_contoh") == IntakeCounts(read=2, duplicate=2, missing=1)
    put(inbox, [HXL, row(5), row(1), row(3, "diperbaiki")], 2)
    assert pull_from("peta_contoh") == IntakeCounts(read=3, landed=1, duplicate=2, tombstones=1)
    put(inbox, [HXL, row(1), row(3, "diperbaiki"), row(4)], 3, "posts (1).csv")
    assert pull_from("peta_contoh") == IntakeCounts(read=6, landed=1, duplicate=5)
    assert current(db) == {
        "1": ["cerita 1"],
        "2": ["cerita 2", None],
        "3": ["cerita 3", "diperbaiki"],
        "4": ["cerita 4"],
        "5": ["cerita 5"],
    }
