"""The raw door on planted faults: each is named with channel, count, owner and cure."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from lumbung import database
from lumbung.errors import ConfigurationError, GateError
from lumbung.settings import Settings
from lumbung.warehouse import checks
from lumbung.warehouse.raw_gate import check_raw
from warehouse.conftest import CHANNELS, PROJECT, Raw, query, write_channel

GOOD = {
    "Diterima": "2024-11-06", "Diketahui": "2024-11-05", "Kejadian": "2024-11-05",
    "Kab/Kota": "Bangka", "Kecamatan": "Bakam", "Desa": "Bakam", "Isu": "Politik uang",
    "Jenis": "PID", "Jabatan": "Kades", "Status": "Diterima", "Alasan": "-", "Uraian": "x",
    "Diteruskan Ke": "BKN", "Tindak Lanjut": "belum", "Saat Kampanye": "ya",
}  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path, office: Settings) -> Settings:
    """An office with the register alone."""
    project = tmp_path / "project"
    (project / "channels").mkdir(parents=True)
    (project / "dbt_project").symlink_to(office.dbt_project)
    (project / "expectations").symlink_to(PROJECT / "expectations")
    write_channel(project / "channels" / "buku.yaml", CHANNELS["buku"])
    return Settings(tmp_path / "home", project, None)


def good(number: int, **changes: object) -> dict[str, object]:
    return {"Nomor": f"{number:03}/LP/PB/Kab/09.01/XI/2024", **GOOD, **changes}


def now() -> datetime:
    return datetime.now(UTC)


def test_good_deliveries_pass(desk: Settings, database_url: str) -> None:
    Raw(database_url).land("buku", [good(n) for n in range(1, 61)], landed_at=now())
    result = check_raw(settings=desk, database_url=database_url)
    assert [str(r) for r in result.results if not r.is_passed] == []
    assert result.summary()["failures"] == result.summary()["warnings"] == []
    assert {r.name for r in result.results} == {
        "channel_has_records", "nothing_comes_from_the_future", "channel_was_pulled",
        "channel_is_fresh", "little_is_quarantined", "required_fields_are_filled",
        "mapped_fields_occur", "words_are_known", "volume_is_usual", "dates_are_not_in_the_future",
        "fields_are_as_before",
    }  # fmt: skip
    kept = query(
        database_url,
        "select check_name, severity, is_passed, owner <> '', cure <> '' from ops.check_result"
        " where run_id = %s",
        result.run_id,
    )
    assert len(kept) == len(result.results)
    assert all(row[2:] == (True, True, True) for row in kept)
    page = result.data_docs.read_text()
    assert result.data_docs == desk.home / "docs" / "checks" / "raw" / "index.html"
    assert "raw: channels" in page or "raw.channels" in page
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"


def test_a_renamed_column_is_caught(desk: Settings, database_url: str) -> None:
    rows = [{k: v for k, v in good(n).items() if k != "Diterima" or n > 50} for n in range(1, 61)]
    Raw(database_url).land("buku", rows, landed_at=now())
    with pytest.raises(GateError) as caught:
        check_raw(settings=desk, database_url=database_url)
    message = str(caught.value)
    assert (
        "required_fields_are_filled does not hold for channel buku, field received_date" in message
    )
    assert "(1 of" in message
    assert "owner: channel owner" in message
    assert "field map" in caught.value.cure
    stored = query(
        database_url,
        "select failing_count, failing from ops.check_result where not is_passed"
        " and severity = 'fail'",
    )
    assert stored == [(1, [{"channel": "buku", "field": "received_date"}])]


def test_a_file_with_mistakes_opens_no_door_and_stops_no_other_channel(
    desk: Settings, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    required = {"received_date": {"from": "Diterima", "required": True}}
    fields = {**CHANNELS["buku"]["fields"], **required}
    write_channel(desk.channels / "buku.yaml", {**CHANNELS["buku"], "fields": fields})
    write_channel(desk.channels / "rekap.yaml", CHANNELS["rekap"])
    raw = Raw(database_url)
    raw.land("buku", [good(1)], landed_at=now())
    check_raw(settings=desk, database_url=database_url)
    assert "buku" not in capsys.readouterr().out
    (desk.channels / "buku.yaml").write_text("title: {{ judul }}\n")
    check_raw(settings=desk, database_url=database_url)
    told = capsys.readouterr().out
    assert "warn     channel buku is not pulled, and what it landed is read as before" in told
    assert "buku.yaml:1: a name in braces" in told
    # what was required is required still
    raw.land("buku", [{**good(2), "Diterima": ""}] * 9, landed_at=now())
    with pytest.raises(GateError, match=r"required_fields_are_filled .* channel buku, field rec"):
        check_raw(settings=desk, database_url=database_url)


def test_the_future_is_caught(desk: Settings, database_url: str) -> None:
    raw = Raw(database_url)
    raw.land("buku", [good(1)], landed_at=now())
    raw.land("buku", [good(2)], landed_at=now(), received_at="2199-01-01T00:00Z", ids=["x"])
    with pytest.raises(GateError, match=r"nothing_comes_from_the_future.* channel buku"):
        check_raw(settings=desk, database_url=database_url)
    # the corrected delivery replaces the wrong one
    raw.land("buku", [good(2)], landed_at=now(), ids=["x"])
    check_raw(settings=desk, database_url=database_url)


def test_a_source_that_shrinks_to_nothing_is_an_alarm(desk: Settings, database_url: str) -> None:
    raw = Raw(database_url)
    raw.land("buku", [good(1)], landed_at=now(), ids=["a"])
    check_raw(settings=desk, database_url=database_url)
    raw.land("buku", [{}], landed_at=now(), ids=["a"], tombstone=True)
    with pytest.raises(GateError, match=r"channel_has_records does not hold for channel buku"):
        check_raw(settings=desk, database_url=database_url)


def test_a_channel_that_gave_nothing_is_caught_and_a_new_one_is_waited_for(
    desk: Settings, database_url: str
) -> None:
    result = check_raw(settings=desk, database_url=database_url)
    assert [r.name for r in result.warnings] == ["channel_was_pulled"]
    Raw(database_url).land("buku", [], landed_at=now())
    with pytest.raises(GateError, match=r"channel_has_records.*owner Kantor Rekaan"):
        check_raw(settings=desk, database_url=database_url)


def test_what_is_worth_a_look_warns_and_passes(
    desk: Settings, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [good(n, Isu="bagi bagi ayam; Politik uang", Status="Diterima ya") for n in range(1, 61)]
    for row in rows:
        del row["Jabatan"]
    Raw(database_url).land("buku", rows, quarantined=20,
                           landed_at=datetime(2024, 11, 6, tzinfo=UTC))  # fmt: skip
    with psycopg.connect(database_url, autocommit=True) as db:
        db.execute(
            "insert into ops.drift_notice (channel, field, notice, first_batch_id)"
            " select channel, 'No. HP', 'appeared', batch_id from raw.batch limit 1"
        )
    result = check_raw(settings=desk, database_url=database_url)
    warned = {r.name: r for r in result.warnings}
    assert set(warned) == {
        "channel_is_fresh", "little_is_quarantined", "mapped_fields_occur", "words_are_known",
        "fields_are_as_before",
    }  # fmt: skip
    (drifted,) = warned["fields_are_as_before"].failing
    assert (drifted["channel"], drifted["owner"]) == ("buku", "Kantor Rekaan")
    assert warned["mapped_fields_occur"].failing == [{"channel": "buku", "field": "accused_role"}]
    assert warned["words_are_known"].failing == [
        {"channel": "buku", "vocabulary": "issue", "word": "bagi bagi ayam"},
        {"channel": "buku", "vocabulary": "status", "word": "diterima ya"},
    ]
    assert "bagi bagi ayam" in capsys.readouterr().out


def test_a_volume_unlike_its_history_warns(desk: Settings, database_url: str) -> None:
    raw = Raw(database_url)
    for pull, count in enumerate([20, 25, 20, 30, 25, 240]):
        rows = [good(number) for number in range(count)]
        raw.land("buku", rows, landed_at=now(), run_key=f"tarikan {pull}",
                 ids=[f"{pull}/{number}" for number in range(count)])  # fmt: skip
    assert check_raw(settings=desk, database_url=database_url).warnings == []  # 9.6 times 25
    raw.land("buku", [good(1), good(2)], landed_at=now(), run_key="tarikan 6", ids=["a", "b"])
    (warned,) = check_raw(settings=desk, database_url=database_url).warnings
    assert (warned.name, warned.failing) == (
        "volume_is_usual", [{"channel": "buku", "owner": "Kantor Rekaan"}],
    )  # fmt: skip
    raw.land("buku", [], landed_at=now(), run_key="tarikan 7", quarantined=300)
    found = check_raw(settings=desk, database_url=database_url).warnings
    assert "volume_is_usual" in {result.name for result in found}


def test_words_of_every_vocabulary_are_judged_and_nobody_is_shown(
    desk: Settings, database_url: str
) -> None:
    """Elements of a JSON array are words of their own; blank cells are none."""
    write_channel(desk.channels / "rekap.yaml", CHANNELS["rekap"])
    raw = Raw(database_url)
    raw.land("buku", [
        good(1, Isu=["Politik uang", "Netralitas ASN"], Status="kosong", Jabatan="null"),
        good(2, Isu=["politik uang", "ayam jago"], Jabatan="Kades Pak Fulan", Alasan="Bu Fulanah"),
        good(3, Isu="Fulan bin Fulan memberi amplop di balai desa", Jenis="PID, Perdata"),
    ], landed_at=now())  # fmt: skip
    raw.land("rekap", [
        {"No": "1", "Tanggal": "2024-11-06", "Kode": "19.01", "Kecamatan": "Bakam",
         "Kegiatan": "Arisan", "Pemilihan": "Pilkades", "Bentuk": "Sosialisasi", "Keterangan": "x"},
        {"No": "2", "Tanggal": "2024-11-06", "Kode": "19.01", "Kecamatan": "Bakam",
         "Kegiatan": "Nihil", "Pemilihan": "0", "Bentuk": "Tarik tambang", "Keterangan": "x"},
    ], landed_at=now())  # fmt: skip
    (warned,) = check_raw(settings=desk, database_url=database_url).warnings
    assert warned.name == "words_are_known"
    assert {tuple(row.values()) for row in warned.failing} == {
        ("buku", "issue", "ayam jago"), ("buku", "issue", "(not shown)"),
        ("buku", "role", "(not shown)"), ("buku", "non_registration_reason", "(not shown)"),
        ("buku", "violation_type", "perdata"),
        ("rekap", "record_kind", "arisan"), ("rekap", "election", "pilkades"),
        ("rekap", "method", "tarik tambang"), ("rekap", "prevention_type", "tarik tambang"),
    }  # fmt: skip


def test_what_a_channel_requires_is_judged_and_dates_to_come_warn(
    desk: Settings, database_url: str
) -> None:
    fields = {**CHANNELS["formulir"]["fields"], "district": {"from": "kecamatan", "required": True}}
    write_channel(desk.channels / "formulir.yaml", {**CHANNELS["formulir"], "fields": fields})
    raw = Raw(database_url)
    raw.land("buku", [good(1)], landed_at=now())
    given = {"tanggal": "2199-11-06", "kode": "1901", "isu": ["politik_uang"]}
    raw.land("formulir", [given], landed_at=now(), ids=["x"])
    with pytest.raises(
        GateError, match=r"required_fields_are_filled.*channel formulir, field district"
    ):
        check_raw(settings=desk, database_url=database_url)
    raw.land("formulir", [{**given, "kecamatan": "Bakam"}], landed_at=now(), ids=["x"])
    (warned,) = check_raw(settings=desk, database_url=database_url).warnings
    assert (warned.name, warned.failing) == (
        "dates_are_not_in_the_future", [{"channel": "formulir", "field": "occurred_date"}],
    )  # fmt: skip


def test_only_what_came_since_the_last_build_is_judged(desk: Settings, database_url: str) -> None:
    raw = Raw(database_url)
    raw.land("buku", [good(n, Diterima=None) for n in range(1, 11)], landed_at=now())
    with pytest.raises(GateError):
        check_raw(settings=desk, database_url=database_url)
    query(
        database_url,
        "insert into ops.build (state, max_batch_id, inputs_hash, seeds_hash)"
        " values ('success', 1, '', '')",
    )
    raw.land("buku", [good(20)], landed_at=now())
    check_raw(settings=desk, database_url=database_url)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("suite: x\nbatches: []\n", "batches"),
        ("suite: [", "cannot be read"),
        ("{batch}", "severity"),
        ("{query}", "nowhere"),
        ("{key}", "its key names"),
        ("{expectation}", "has no expect_nothing_at_all"),
        ("{arguments}", "does not take these arguments"),
        ("{column}", "could not be evaluated"),
    ],
)
def test_a_wrong_suite_is_named(
    desk: Settings, database_url: str, tmp_path: Path, text: str, told: str
) -> None:
    base = {
        "query": "select 1 as a", "key": "a", "severity": "fail",
        "expectation": "expect_column_values_to_not_be_null", "arguments": "column: a",
    }  # fmt: skip
    broken = {
        "{batch}": {"severity": "loud"},
        "{query}": {"query": "select * from nowhere"},
        "{key}": {"key": "b"},
        "{expectation}": {"expectation": "expect_nothing_at_all"},
        "{arguments}": {"arguments": "colum: a"},
        "{column}": {"arguments": "column: b"},
    }
    if text in broken:
        parts = base | broken[text]
        text = (
            "suite: x\nbatches:\n  - name: b\n    key: [{key}]\n    query: {query}\n    checks:\n"
            "      - {{name: c, expectation: {expectation}, arguments: {{{arguments}}},"
            " severity: {severity}, owner: o, cure: c}}\n"
        ).format(**parts)
    file = tmp_path / "suite.yaml"
    file.write_text(text)
    with (
        database.connect(database_url) as connection,
        pytest.raises(ConfigurationError, match=told) as caught,
    ):
        checks.run_suite(file, connection=connection, settings=desk)
    assert query(database_url, "select count(*) from ops.check_result") == [(0,)]
    assert caught.value.cure


def test_great_expectations_is_imported_only_to_judge() -> None:
    """It costs every process seconds and 240 MB."""
    done = subprocess.run(
        [sys.executable, "-c",
         "import sys; import lumbung.warehouse.raw_gate, lumbung.warehouse.build\n"
         "print([m for m in ('great_expectations', 'pandas', 'dbt') if m in sys.modules])"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
