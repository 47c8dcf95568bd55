"""Google Forms: exports in every spelling, edited, shortened, sent again, by file and by link."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from upath import UPath

from lumbung.errors import SourceError
from lumbung.intake.connectors.base import Checkpoint, Item, Source, SourceConnection
from lumbung.intake.connectors.form_csv import reader as form_csv
from lumbung.intake.landing import IntakeCounts
from tests.support.api_server import Reply, Stand, deliveries, last_checkpoint, refusals, serve
from tests.support.channel_samples import OWNER, channel
from tests.support.delivered import delivered
from tests.support.evidence import evidence_store

FORM: dict[str, Any] = {
    "name": "gform_contoh",
    "title": "Formulir Google contoh",
    "owner": OWNER,
    "schedule": "0 5 * * *",
    "record_kind": "IA",
    "source": {"kind": "form_csv"},
    "personal": ["Alamat Email"],
    "subject": ["Alamat Email"],
    "fields": {
        "regency": {"from": ["Kabupaten/Kota", "Wilayah"]},
        "issue": {"from": "Isu", "separator": ", "},
        "narrative": {"from": "Uraian kejadian"},
    },
}
HEADER = ["Cap waktu", "Alamat Email", "Kabupaten/Kota", "Isu", "Uraian kejadian"]


def response(stamp: str, story: str = "cerita", who: str = "warga@contoh.example.id") -> list[str]:
    return [stamp, who, "Bangka", "politik uang, SARA", story]


def text(rows: Sequence[Sequence[str]], delimiter: str = ",") -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows(rows)
    return buffer.getvalue()


def put(folder: Path, rows: Sequence[Sequence[str]] | bytes, age: int = 0, name: str = "") -> None:
    path = folder / (name or f"Respons {age}.csv")
    path.write_bytes(rows if isinstance(rows, bytes) else text(rows).encode())
    os.utime(path, (1_700_000_000 + age,) * 2)


def pull(
    folder: Path,
    cursor: dict[str, Any] | None = None,
    connection: SourceConnection | None = None,
    **source: Any,
) -> list[Item]:
    evidence = evidence_store(folder.parent / "evidence")
    model = channel(FORM, source={**FORM["source"], **source})
    given = Source(model, UPath(folder), connection, evidence, lambda each: each[:16], cursor or {})
    return list(form_csv.read(given))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


# -- times ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2022/06/22 11:07:29 AM AST", datetime(2022, 6, 22, 15, 7, 29, tzinfo=UTC)),
        ("2024/11/06 7:33:05 PM GMT+7", datetime(2024, 11, 6, 12, 33, 5, tzinfo=UTC)),
        ("2024/11/06 12:00:00 AM GMT+7", datetime(2024, 11, 5, 17, 0, 0, tzinfo=UTC)),
        ("2024/11/06 12:00:00 PM GMT-3:30", datetime(2024, 11, 6, 15, 30, 0, tzinfo=UTC)),
        ("2024/11/06 7:33:05 PM WIB", datetime(2024, 11, 6, 12, 33, 5, tzinfo=UTC)),
        ("2024/11/06 7:33:05 PM WITA", datetime(2024, 11, 6, 11, 33, 5, tzinfo=UTC)),
        ("27/01/2024 10:15:30", datetime(2024, 1, 27, 3, 15, 30, tzinfo=UTC)),
        ("27/01/2024 10.15.30", datetime(2024, 1, 27, 3, 15, 30, tzinfo=UTC)),
        ("7/1/2024 0.05.03", datetime(2024, 1, 6, 17, 5, 3, tzinfo=UTC)),
        ("27-01-2024 10:15", datetime(2024, 1, 27, 3, 15, tzinfo=UTC)),
        ("2024-01-27 10:15:30", datetime(2024, 1, 27, 3, 15, 30, tzinfo=UTC)),
        ("2024-01-27T10:15:30.5Z", datetime(2024, 1, 27, 10, 15, 30, tzinfo=UTC)),
    ],
)
def test_times_in_both_styles(folder: Path, written: str, expected: datetime) -> None:
    put(folder, [HEADER, response(written)])
    assert [each.received_at for each in deliveries(pull(folder))] == [expected]


@pytest.mark.parametrize(
    "written",
    [
        "31/02/2024 10:15:30",
        "kemarin",
        "27/01/2024 25:00:00",
        "2024/11/06 13:00:00 PM GMT+7",
        "2024/11/06 1:00:00 PM XYZ",
        "0/0/0 1:00",
        "27/01/2024 10:15:30 +99",
    ],
)
def test_a_time_that_is_none_loses_that_row_only(folder: Path, written: str) -> None:
    put(folder, [HEADER, response(written), response("27/01/2024 10:15:30")])
    items = pull(folder)
    assert len(deliveries(items)) == 1
    (refused,) = refusals(items)
    assert (refused.reason_code, refused.locator) == ("unreadable_date", "Respons 0.csv | baris 2")
    assert last_checkpoint(items).complete == ""


def test_a_row_without_a_time_is_quarantined(folder: Path) -> None:
    put(folder, [HEADER, response(""), response("27/01/2024 10:15:30")])
    assert [each.reason_code for each in refusals(pull(folder))] == ["required_field_missing"]


def test_month_first_is_configured_and_never_guessed(folder: Path) -> None:
    put(folder, [HEADER, response("1/5/2024 10:00:00"), response("1/27/2024 10:15:30")])
    with pytest.raises(SourceError, match="date_order to mdy"):
        pull(folder)
    found = deliveries(pull(folder, date_order="mdy"))
    assert [each.received_at.date().isoformat() for each in found] == ["2024-01-05", "2024-01-27"]


# -- columns and texts ----------------------------------------------------------------------------


def test_a_response_is_its_filled_cells_by_label(folder: Path) -> None:
    header = ["Timestamp", "Alamat Email", "Saksi", "saksi", "Saksi", "", "  ", "Wilayah"]
    row = ["27/01/2024 10:15:30", "w@contoh.example.id", "A", "B", "C", "D", "", " ", "lebih"]
    put(folder, [header, row, ["", " ", "", ""], []])
    (found,) = deliveries(pull(folder))
    assert found.fields == {
        "Timestamp": "27/01/2024 10:15:30",
        "Alamat Email": "w@contoh.example.id",
        "Saksi": "A",
        "saksi": "B",
        "Saksi (2)": "C",
        "Kolom 6": "D",
        "Kolom 9": "lebih",
    }
    assert found.locator == "Respons 0.csv | baris 2"


@pytest.mark.parametrize("label", ["Cap waktu", "CAP  WAKTU", "Stempel Waktu", "Timestamp"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_every_delimiter_and_encoding(
    folder: Path, label: str, delimiter: str, encoding: str
) -> None:
    story = 'Katanya: "ambil, lalu pilih";\nbaris dua – tab\tdan é'
    content = text([[label, *HEADER[1:]], response("27/01/2024 10:15:30", story)], delimiter)
    put(folder, content.encode(encoding))
    (found,) = deliveries(pull(folder))
    assert found.fields["Uraian kejadian"] == story
    assert found.fields["Isu"] == "politik uang, SARA"


def test_a_quote_that_is_not_closed_loses_no_other_response_and_withdraws_nothing(
    folder: Path,
) -> None:
    rows = [HEADER, *(response(f"27/01/2024 10:15:{n:02}", "dua\nbaris") for n in range(6))]
    broken = '27/01/2024 11:00:00,"tak ditutup\n'
    put(folder, (text(rows[:4]) + broken + text(rows[4:])).encode())
    items = pull(folder)
    assert [each.fields["Uraian kejadian"] for each in deliveries(items)] == ["dua\nbaris"] * 6
    assert [(e.reason_code, e.locator) for e in refusals(items)] == [
        ("broken_row", "Respons 0.csv | baris 8")
    ]
    assert last_checkpoint(items).complete is None


def test_quotes_around_every_cell_are_no_trouble(folder: Path) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows([HEADER, response("27/01/2024 10:15:30")])
    put(folder, buffer.getvalue().encode())
    assert deliveries(pull(folder))[0].fields["Isu"] == "politik uang, SARA"


@pytest.mark.parametrize(
    "content", [b"", b"Nama,Umur\nA,3\n", b"<html>Masuk</html>", b"\x00\xff" * 9]
)
def test_a_file_that_is_no_export_is_quarantined(folder: Path, content: bytes) -> None:
    put(folder, content)
    items = pull(folder)
    assert [each.reason_code for each in refusals(items)] == ["header_not_found"]
    assert last_checkpoint(items).complete is None


def test_no_file_is_no_withdrawal(folder: Path) -> None:
    assert pull(folder) == []


# -- ids ------------------------------------------------------------------------------------------


def test_two_responses_of_one_second_are_two(folder: Path) -> None:
    rows = [HEADER, response("27/01/2024 10:15:30", "a"), response("27/01/2024 10:15:30", "b")]
    put(folder, rows)
    found = [each.source_id for each in deliveries(pull(folder))]
    assert found == ["20240127T031530Z-0", "20240127T031530Z-1"]


def test_a_column_that_names_a_response_keeps_it_when_its_time_changes(folder: Path) -> None:
    put(folder, [HEADER, response("27/01/2024 10:15:30", who="A@contoh.example.id")])
    before = deliveries(pull(folder, id="Alamat Email"))
    put(folder, [HEADER, response("28/01/2024 11:15:30", who="a@contoh.example.id")])
    after = deliveries(pull(folder, id="alamat email"))
    assert [each.source_id for each in after] == [each.source_id for each in before]
    assert "contoh" not in after[0].source_id
    put(folder, [HEADER, *(response(f"28/01/2024 11:15:3{n}", f"{n}") for n in range(2))])
    items = pull(folder, id="Alamat Email")
    assert [each.reason_code for each in refusals(items)] == ["key_repeated"]
    put(folder, [HEADER, response("28/01/2024 11:15:30", who="")])
    refused = refusals(pull(folder, id="Alamat Email"))
    assert [each.reason_code for each in refused] == ["required_field_missing"]


# -- whole pulls ----------------------------------------------------------------------------------


def current(db: psycopg.Connection) -> list[str]:
    """What counts now, in the order of the responses."""
    return [
        row[0]
        for row in delivered(
            db,
            "select payload ->> 'Uraian kejadian' from (select distinct on (source_id) *"
            " from raw.record order by source_id, record_id desc) as latest"
            " where not is_tombstone order by source_id",
        )
    ]


Pull = Callable[..., IntakeCounts]
Add = Callable[..., Path]


def stamps(*minutes: int) -> list[list[str]]:
    return [response(f"27/01/2024 10:{minute:02}:00", f"m{minute}") for minute in minutes]


def test_an_edit_a_deletion_and_a_renamed_question(
    pull_from: Pull, db: psycopg.Connection, add_channel: Add
) -> None:
    inbox = add_channel(FORM)
    put(inbox, [HEADER, *stamps(1, 2, 3, 4, 5)], 0)
    assert pull_from("gform_contoh") == IntakeCounts(read=5, landed=5)
    assert pull_from("gform_contoh") == IntakeCounts(read=5, duplicate=5)
    edited = response("28/01/2024 09:00:00", "m2 diperbaiki")  # keeps its row, takes a new time
    put(inbox, [HEADER, stamps(1)[0], edited, *stamps(4, 5)], 0)
    os.utime(inbox / "Respons 0.csv", (1_700_000_100,) * 2)
    counts = pull_from("gform_contoh")
    assert counts == IntakeCounts(read=4, landed=1, duplicate=3, tombstones=1, missing=1)
    assert current(db) == ["m1", "m3", "m4", "m5", "m2 diperbaiki"], "m3 may have been cut off"
    # The question was renamed: a column more, the old one stays with the old answers.
    header = [*HEADER, "Wilayah"]
    rows = [header, stamps(1)[0], edited, *stamps(4, 5)]
    put(inbox, [*rows, ["28/01/2024 10:00:00", "", "", "SARA", "baru", "Belitung"]], 200)
    counts = pull_from("gform_contoh")
    assert counts == IntakeCounts(read=5, landed=1, duplicate=4, tombstones=1)
    assert current(db) == ["m1", "m4", "m5", "m2 diperbaiki", "baru"]
    assert db.execute("select count(*) from ops.drift_notice").fetchone() == (0,)
    assert pull_from("gform_contoh") == IntakeCounts(read=5, duplicate=5)


def test_overlapping_exports_under_other_names_count_nothing_twice(
    pull_from: Pull, db: psycopg.Connection, add_channel: Add
) -> None:
    inbox = add_channel(FORM)
    edited = response("28/01/2024 09:00:00", "m2 diperbaiki")
    put(inbox, [HEADER, *stamps(1, 2, 3)], 0, "Respons.csv")
    put(inbox, [HEADER, stamps(1)[0], edited, *stamps(3, 4)], 1, "Respons (1).csv")
    counts = pull_from("gform_contoh")
    assert counts == IntakeCounts(read=7, landed=5, duplicate=2, tombstones=1)
    assert current(db) == ["m1", "m3", "m4", "m2 diperbaiki"]
    assert pull_from("gform_contoh") == IntakeCounts(read=4, duplicate=4)
    (inbox / "Respons (1).csv").unlink()
    assert pull_from("gform_contoh").tombstones == 0, "an older export takes nothing back"
    assert current(db) == ["m1", "m3", "m4", "m2 diperbaiki"]


def test_a_row_without_a_time_holds_back_no_other_response(
    pull_from: Pull, db: psycopg.Connection, add_channel: Add
) -> None:
    inbox = add_channel(FORM)
    untimed = response("", "tanpa waktu")
    put(inbox, [HEADER, *stamps(1, 2, 3, 4), untimed], 0, "Respons.csv")
    assert pull_from("gform_contoh") == IntakeCounts(read=5, landed=4, quarantined=1)
    edited = response("28/01/2024 09:00:00", "m2 diperbaiki")
    put(inbox, [HEADER, stamps(1)[0], edited, stamps(4)[0], untimed], 1, "Respons.csv")
    counts = pull_from("gform_contoh")
    assert counts == IntakeCounts(read=4, landed=1, duplicate=3, tombstones=1, missing=1)
    assert current(db) == ["m1", "m3", "m4", "m2 diperbaiki"]
    put(inbox, [HEADER, stamps(1)[0], edited, *stamps(4, 5), untimed], 2, "Respons.csv")
    counts = pull_from("gform_contoh")
    assert counts == IntakeCounts(read=5, landed=1, duplicate=4, tombstones=1)
    assert current(db) == ["m1", "m4", "m5", "m2 diperbaiki"]


def test_a_response_whose_time_was_deleted_is_not_replaced_by_the_one_below_it(
    pull_from: Pull, db: psycopg.Connection, add_channel: Add
) -> None:
    inbox = add_channel(FORM)
    put(inbox, [HEADER, *stamps(1, 2)], 0, "Respons.csv")
    pull_from("gform_contoh")
    put(inbox, [HEADER, *stamps(1), response("", "m2"), *stamps(3)], 1, "Respons.csv")
    counts = pull_from("gform_contoh")
    assert counts == IntakeCounts(read=3, landed=1, duplicate=1, quarantined=1, withheld=1)
    assert current(db) == ["m1", "m2", "m3"]


def twins(*stories: str) -> list[list[str]]:
    """Responses of one second."""
    return [response("27/01/2024 10:07:00", story) for story in stories]


def test_of_two_responses_of_one_second_one_is_edited_and_the_other_stays(
    pull_from: Pull, db: psycopg.Connection, add_channel: Add
) -> None:
    inbox = add_channel(FORM)
    put(inbox, [HEADER, *stamps(1), *twins("a", "b", "c"), *stamps(9)], 0, "Respons.csv")
    pull_from("gform_contoh")
    edited = response("28/01/2024 09:00:00", "a diperbaiki")
    rows = [HEADER, *stamps(1), edited, *twins("b", "c"), *stamps(9)]
    put(inbox, rows, 1, "Respons.csv")
    counts = pull_from("gform_contoh")
    assert counts == IntakeCounts(read=5, landed=1, duplicate=4, tombstones=1)
    assert current(db) == ["m1", "b", "c", "m9", "a diperbaiki"]
    assert pull_from("gform_contoh") == IntakeCounts(read=5, duplicate=5)
    # An older export arrives late: what it has is known, and nothing of today moves.
    put(inbox, [HEADER, *stamps(1), *twins("a", "b", "c")], -1, "Respons lama.csv")
    assert pull_from("gform_contoh").missing == 0
    assert current(db) == ["m1", "b", "c", "m9", "a diperbaiki"]
    # A cell of the last one is corrected in the sheet, and the edited one is deleted.
    put(inbox, [HEADER, *stamps(1), *twins("b", "c2"), *stamps(9)], 2, "Respons.csv")
    counts = pull_from("gform_contoh")
    assert (counts.landed, counts.missing) == (1, 1)
    # The corrected one takes the id that the edited one left, before that of "b".
    assert current(db) == ["m1", "c2", "b", "m9", "a diperbaiki"]


@pytest.mark.parametrize("cut", [3, 4, 5])
def test_an_export_that_is_cut_at_the_end_of_a_row_withdraws_nothing(
    pull_from: Pull, db: psycopg.Connection, add_channel: Add, cut: int
) -> None:
    inbox = add_channel(FORM)
    put(inbox, [HEADER, *stamps(1, 2, 3, 4, 5)], 0, "Respons.csv")
    pull_from("gform_contoh")
    edited = response("28/01/2024 09:00:00", "m2 diperbaiki")
    rows = [HEADER, stamps(1)[0], edited, *stamps(3, 4, 5)]
    put(inbox, rows[: cut + 1], 1, "Respons.csv")
    counts = pull_from("gform_contoh")
    assert (counts.tombstones, counts.missing) == (1, 5 - cut), "the edited one counts once"
    assert pull_from("gform_contoh").tombstones == 0
    assert current(db) == ["m1", "m3", "m4", "m5", "m2 diperbaiki"]
    put(inbox, rows, 2, "Respons.csv")
    assert pull_from("gform_contoh") == IntakeCounts(read=5, duplicate=5)
    assert current(db) == ["m1", "m3", "m4", "m5", "m2 diperbaiki"]


def test_what_an_export_no_longer_has_is_withdrawn_after_one_cadence(
    pull_from: Pull, db: psycopg.Connection, add_channel: Add
) -> None:
    inbox = add_channel(FORM)
    put(inbox, [HEADER, *stamps(1, 2, 3)], 0)
    pull_from("gform_contoh")
    put(inbox, [HEADER, *stamps(1, 2)], 1)
    assert pull_from("gform_contoh").missing == 1
    assert pull_from("gform_contoh").missing == 1
    db.execute("update ops.missing_record set missed_at = missed_at - interval '8 days'")
    assert pull_from("gform_contoh").tombstones == 1
    assert current(db) == ["m1", "m2"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (["m1", "m3 baru", "m4"], {"m1", "m2", "m4", "m3 baru"}),  # m2 was deleted, m3 edited
        (["m1", "m2", "m3", "m4 baru"], {"m1", "m2", "m3", "m4 baru"}),  # the last one
        (["m1 baru", "m2", "m3", "m4"], {"m1 baru", "m2", "m3", "m4"}),
        (["m4", "m3", "m2 baru", "m1"], {"m1", "m2", "m3", "m4", "m2 baru"}),  # sorted again
        (["m1", "m2", "m3", "m4", "m9"], {"m1", "m2", "m3", "m4", "m9"}),
    ],
)
def test_an_edited_response_replaces_the_one_in_whose_row_it_stands(
    pull_from: Pull, db: psycopg.Connection, add_channel: Add, order: list[str], expected: set[str]
) -> None:
    inbox = add_channel(FORM)

    def row(story: str) -> list[str]:
        minute = int(story[1])
        stamp = f"{28 if ' ' in story else 27}/01/2024 10:{minute:02}:00"
        return response(stamp, story, f"warga{minute}@contoh.example.id")

    put(inbox, [HEADER, *map(row, ["m1", "m2", "m3", "m4"])], 0)
    pull_from("gform_contoh")
    put(inbox, [HEADER, *map(row, order)], 1)
    pull_from("gform_contoh")
    assert set(current(db)) == expected


def test_the_only_response_may_be_edited_and_another_forms_export_replaces_nothing(
    pull_from: Pull, db: psycopg.Connection, add_channel: Add
) -> None:
    inbox = add_channel(FORM)
    put(inbox, [HEADER, *stamps(1)], 0, "Respons.csv")
    pull_from("gform_contoh")
    put(inbox, [HEADER, response("28/01/2024 09:00:00", "m1 diperbaiki")], 1, "Respons.csv")
    assert pull_from("gform_contoh").tombstones == 1
    assert current(db) == ["m1 diperbaiki"]
    other = [["29/01/2024 09:00:00", "x@contoh.example.id", "Belitung", "pemilih", "lain"]]
    put(inbox, [HEADER, *other], 2, "Respons.csv")
    assert pull_from("gform_contoh").tombstones == 0
    assert current(db) == ["m1 diperbaiki", "lain"]


def test_exports_of_two_forms_in_one_folder_are_reported(
    pull_from: Pull, db: psycopg.Connection, add_channel: Add
) -> None:
    inbox = add_channel(FORM)
    put(inbox, [HEADER, *stamps(1, 2, 3)], 0)
    put(inbox, [HEADER, *stamps(11, 12, 13)], 1)
    with pytest.raises(SourceError, match="a channel of its own"):
        pull_from("gform_contoh")
    assert current(db) == []


def test_an_unreadable_newest_export_leaves_what_is_there(
    pull_from: Pull, db: psycopg.Connection, add_channel: Add
) -> None:
    inbox = add_channel(FORM)
    put(inbox, [HEADER, *stamps(1, 2, 3)], 0)
    put(inbox, b"<html>Masuk</html>", 1)
    assert pull_from("gform_contoh") == IntakeCounts(read=4, landed=3, quarantined=1)
    assert current(db) == ["m1", "m2", "m3"]


# -- by link --------------------------------------------------------------------------------------


@pytest.fixture
def sheet() -> dict[str, Any]:
    return {"rows": [HEADER, *stamps(1, 2, 3)]}


@pytest.fixture
def stand(sheet: dict[str, Any]) -> Iterator[Stand]:
    def app(request: Any) -> Reply:
        if request.path == "/spreadsheets/d/abc/export" and request.query == {"format": "csv"}:
            return Reply(status=307, headers={"Location": f"{request.host}/unduh/berkas"})
        if request.path == "/unduh/berkas":
            return Reply(text(sheet["rows"]), headers={"Content-Type": "text/csv"})
        if request.path == "/masuk":
            return Reply("<!doctype html>Masuk", headers={"Content-Type": "text/html"})
        return Reply(status=404)

    yield from serve(app)


PATH = "/spreadsheets/d/abc/export?format=csv"


def test_a_link_is_followed_to_its_file_again_and_again(
    stand: Stand,
    sheet: dict[str, Any],
    pull_from: Pull,
    db: psycopg.Connection,
    add_channel: Add,
    waits: list[float],
) -> None:
    add_channel(FORM, connection="lembar", source={"kind": "form_csv", "path": PATH})
    to = stand.connection(password=None)
    assert pull_from("gform_contoh", to) == IntakeCounts(read=3, landed=3)
    assert pull_from("gform_contoh", to) == IntakeCounts(read=3, duplicate=3)
    sheet["rows"] = [HEADER, *stamps(1, 3)]
    stand.script = [
        Reply(status=503),
        Reply(text(sheet["rows"]), headers={"Content-Length": "999"}),
    ]
    stand.dies_after = len(stand.requests) + 3
    with pytest.raises(SourceError, match="after 6 attempts"):
        pull_from("gform_contoh", to)
    assert current(db) == ["m1", "m2", "m3"]
    stand.dies_after = None
    assert pull_from("gform_contoh", to) == IntakeCounts(read=2, duplicate=2, missing=1)
    sheet["rows"] = [HEADER, response("27/01/2024 10:01:00", "m1 diperbaiki"), *stamps(3)]
    assert pull_from("gform_contoh", to) == IntakeCounts(2, 1, 1, tombstones=1)
    whole = stand.connection(host=f"http://127.0.0.1:{stand.port}{PATH}", port=None, password=None)
    add_channel(FORM, connection="lembar", source={"kind": "form_csv"})
    assert pull_from("gform_contoh", whole) == IntakeCounts(read=2, duplicate=2)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=302, headers={"Location": "/masuk"}),
        Reply(status=401),
        Reply(status=403),
        Reply(status=404),
        Reply("Nama,Umur\nA,3\n"),
        Reply(""),
        Reply(text([HEADER]) + '"tak ditutup'),
    ],
)
def test_what_is_no_export_behind_a_link_is_reported(
    stand: Stand, folder: Path, waits: list[float], reply: Reply
) -> None:
    stand.script = [reply]
    with pytest.raises(SourceError, match="correct the link"):
        pull(folder, connection=stand.connection(), path=PATH)
    assert waits == []


def test_an_empty_form_is_whole(stand: Stand, sheet: dict[str, Any], folder: Path) -> None:
    sheet["rows"] = [HEADER]
    (mark,) = pull(folder, connection=stand.connection(), path=PATH)
    assert isinstance(mark, Checkpoint)
    assert (mark.complete, mark.withdrawn) == ("", ())


def test_options_that_hold_commas_stay_whole(folder: Path) -> None:
    """The form's own CSV joins with `;`: the channel's separator keeps `tunai, transfer` one."""
    row = response("2024/11/06 11:07:29 AM GMT+7")
    row[3] = "uang: tunai, transfer;SARA, agama"
    put(folder, [HEADER, row])
    (found,) = deliveries(pull(folder))
    assert found.fields["Isu"] == "uang: tunai, transfer;SARA, agama"
    assert found.fields["Isu"].split(";") == ["uang: tunai, transfer", "SARA, agama"]


def test_an_export_of_kobo_is_read_by_its_submission_time(folder: Path) -> None:
    header = ["start", "Uraian kejadian", "_id", "_uuid", "_submission_time", "_index"]
    rows = [
        ["2024-11-06T10:00:00+07:00", "a", "71", "u-71", "2024-11-06T03:00:05", "1"],
        ["2024-11-06T10:00:00+07:00", "b", "72", "u-72", "2024-11-06T03:00:05", "2"],
    ]
    named: dict[str, Any] = {"timestamp": "_submission_time", "id": "_id"}
    (folder / "k.csv").write_text(text([header, *rows], ";"))
    first = deliveries(pull(folder, **named))
    assert [each.fields["Uraian kejadian"] for each in first] == ["a", "b"]
    assert len({each.source_id for each in first}) == 2
    rows[0][1:4] = ["a, diperbaiki", "71", "u-baru"]  # an edit: another uuid
    (folder / "k.csv").write_text(text([header, rows[0]], ";"))
    (again,) = deliveries(pull(folder, **named))
    assert again.source_id == first[0].source_id
