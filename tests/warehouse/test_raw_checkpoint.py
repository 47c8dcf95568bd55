"""Planted faults at the raw checkpoint: each is named with channel, owner and remediation."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from lumbung import database
from lumbung.errors import ConfigurationError, SourceError
from lumbung.intake import run
from lumbung.intake.landing import IntakeCounts
from lumbung.settings import Settings
from lumbung.warehouse import checkpoints
from lumbung.warehouse.raw_checkpoint import RawResult, check_raw, release
from tests.support.builds import data_docs
from tests.warehouse.conftest import CHANNELS, PROJECT, Raw, query, write_channel

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
    for name in ("config", "expectations"):
        (project / name).symlink_to(PROJECT / name)
    write_channel(project / "channels" / "buku.yaml", CHANNELS["buku"])
    return Settings(tmp_path / "home", project, None)


def good(number: int, **changes: object) -> dict[str, object]:
    return {"Nomor": f"{number:03}/LP/PB/Kab/09.01/XI/2024", **GOOD, **changes}


def now() -> datetime:
    return datetime.now(UTC)


def test_good_deliveries_pass(desk: Settings, database_url: str) -> None:
    Raw(database_url).land("buku", [good(n) for n in range(1, 61)], landed_at=now())
    with data_docs(are_written=True):
        result = check_raw(settings=desk, database_url=database_url)
    assert [str(r) for r in result.results if not r.is_passed] == []
    assert result.summary()["failures"] == result.summary()["warnings"] == []
    assert {r.name for r in result.results} == {
        "channel_has_records", "nothing_comes_from_the_future", "channel_was_pulled",
        "channel_is_fresh", "little_is_quarantined", "fields_are_filled_as_before",
        "channel_keeps_its_records", "channel_clock_is_right",
        "mapped_fields_occur", "volume_is_usual", "dates_are_not_in_the_future",
        "fields_are_as_before", "channel_has_its_file", "keys_are_not_used_again",
    }  # fmt: skip
    kept = query(
        database_url,
        "select check_name, severity, is_passed, owner <> '', remediation <> '' from "
        "ops.check_result"
        " where run_id = %s",
        result.run_id,
    )
    assert len(kept) == len(result.results)
    assert all(row[2:] == (True, True, True) for row in kept)
    page = result.data_docs.read_text()
    assert result.data_docs == desk.home / "docs" / "checks" / "raw" / "index.html"
    assert "raw: channels" in page or "raw.channels" in page
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"


def mark_built(url: str) -> None:
    """As a build of everything does that respects the open holds."""
    query(
        url,
        "insert into ops.build (state, max_batch_id, hold_ids, inputs_hash, seeds_hash)"
        " select 'success', coalesce(max(batch_id), 0), (select coalesce(array_agg(hold_id), '{}')"
        " from ops.channel_hold where released_at is null), 'x', 'x' from raw.batch",
    )


def held(result: RawResult) -> list[tuple[str, str]]:
    return [(hold.channel, hold.check_name) for hold in result.holds]


def test_a_renamed_column_holds_its_channel_and_no_other(
    desk: Settings, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_channel(desk.channels / "rekap.yaml", CHANNELS["rekap"])
    raw = Raw(database_url)
    raw.land("buku", [good(n) for n in range(1, 61)], landed_at=now())
    mark_built(database_url)
    raw.land("buku", [good(n, Diterima=None) for n in range(61, 81)], landed_at=now())
    raw.land("rekap", [{"No": "1", "Tanggal": "2024-11-06", "Kegiatan": "Nihil"}], landed_at=now())
    result = check_raw(settings=desk, database_url=database_url)
    assert held(result) == [("buku", "fields_are_filled_as_before")]
    assert (result.holds[0].held_count, result.holds[0].is_new) == (20, True)
    output = capsys.readouterr().out
    assert "held     channel buku: 20 deliveries are held back since" in output
    assert "field map" in output
    assert "(owner: channel owner)" in output
    assert "channel buku: 20 deliveries" in result.summary()["held"][0]
    assert query(
        database_url,
        "select failing_count, failing from ops.check_result where not is_passed"
        " and severity = 'fail'",
    ) == [(1, [{"channel": "buku", "field": "received_date"}])]
    assert query(
        database_url,
        "select channel, after_batch_id, judged_batch_id, split_part(reason, ' ', 1), released_at"
        " from ops.channel_hold",
    ) == [("buku", 1, 3, "kolom", None)]
    # noticed once, and still there
    again = check_raw(settings=desk, database_url=database_url)
    assert [hold.is_new for hold in again.holds] == [False]


def test_a_channel_is_judged_by_its_own_history(desk: Settings, database_url: str) -> None:
    """Tips without a number are as ever; where most rows had one, none has is another layout."""
    raw = Raw(database_url)
    tips = [good(n) | {"Nomor": None} for n in range(40)]
    raw.land("buku", tips, landed_at=now(), ids=[f"a{n}" for n in range(40)])
    assert held(check_raw(settings=desk, database_url=database_url)) == []  # its first pull
    mark_built(database_url)
    raw.land("buku", tips, landed_at=now(), ids=[f"b{n}" for n in range(40)])
    assert held(check_raw(settings=desk, database_url=database_url)) == []
    mark_built(database_url)
    raw.land("buku", [good(n) for n in range(80)], landed_at=now())
    mark_built(database_url)
    # of 160 rows 80 had a number: 18 would say 9, of which nothing is concluded; 20 say ten
    raw.land("buku", tips[:18], landed_at=now(), ids=[f"c{n}" for n in range(18)])
    assert held(check_raw(settings=desk, database_url=database_url)) == []
    raw.land("buku", tips[:2], landed_at=now(), ids=["d0", "d1"])
    assert held(check_raw(settings=desk, database_url=database_url)) == [
        ("buku", "fields_are_filled_as_before")
    ]


def test_numbers_that_begin_anew_hold_their_channel(desk: Settings, database_url: str) -> None:
    """A file that numbers other rows from 1 on would replace those of the file before it."""
    raw = Raw(database_url)
    raw.land("buku", [good(n, Uraian=f"Kasus {n}") for n in range(1, 6)], landed_at=now())
    mark_built(database_url)
    others = [good(n, Diterima="13/11/2024", Uraian=f"Lain {n}") for n in range(1, 4)]
    raw.land("buku", [*others[:2], good(8)], landed_at=now())
    assert held(check_raw(settings=desk, database_url=database_url)) == []
    raw.land("buku", others[2:], landed_at=now())
    result = check_raw(settings=desk, database_url=database_url)
    assert held(result) == [("buku", "keys_are_not_used_again")]
    # another key makes them other deliveries, and a person accepted that the former ids are gone
    raw.land(
        "buku", [{}] * 3, landed_at=now(), ids=[str(o["Nomor"]) for o in others], tombstone=True
    )
    assert held(check_raw(settings=desk, database_url=database_url)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"Diterima": "13/11/2024"},
        {"Uraian": "Ditulis ulang"},
        {"Diterima": "Rabu, 6 November 2024", "Uraian": "Ditulis ulang"},
        {"Diterima": "06/11/24", "Uraian": "Ditulis ulang"},
        {"Diterima": "", "Uraian": "Ditulis ulang"},
        {"Diterima": "13/11/2024", "Uraian": ""},
    ],
)
def test_corrected_rows_use_no_number_again(
    desk: Settings, database_url: str, changes: dict[str, str]
) -> None:
    raw = Raw(database_url)
    raw.land("buku", [good(n) for n in range(1, 9)], landed_at=now())
    mark_built(database_url)
    raw.land("buku", [good(n, **changes) for n in range(1, 9)], landed_at=now())
    assert held(check_raw(settings=desk, database_url=database_url)) == []


def test_a_handful_of_empty_cells_holds_nothing(desk: Settings, database_url: str) -> None:
    raw = Raw(database_url)
    raw.land("buku", [good(n) for n in range(1, 61)], landed_at=now())
    mark_built(database_url)
    empty = {"Kab/Kota": "", "Diterima": None}
    raw.land("buku", [good(n, **empty) for n in range(61, 70)], landed_at=now())
    assert held(check_raw(settings=desk, database_url=database_url)) == []


def test_empty_forms_of_strangers_hold_nobodys_back(desk: Settings, database_url: str) -> None:
    write_channel(desk.channels / "formulir.yaml", CHANNELS["formulir"])
    raw = Raw(database_url)
    filled = [{"kode": "1901", "tanggal": "2024-11-06"} for _ in range(30)]
    raw.land("formulir", filled, landed_at=now(), ids=[f"a{n}" for n in range(30)])
    mark_built(database_url)
    empty = [{"isu": "x"} for _ in range(40)]
    raw.land("formulir", empty, landed_at=now(), ids=[f"b{n}" for n in range(40)])
    raw.land("formulir", filled[:1], landed_at=now(), ids=["c"])
    assert held(check_raw(settings=desk, database_url=database_url)) == []
    mark_built(database_url)
    # nobody's form has it any more: the question was renamed
    raw.land("formulir", empty[:30], landed_at=now(), ids=[f"d{n}" for n in range(30)])
    assert held(check_raw(settings=desk, database_url=database_url)) == [
        ("formulir", "fields_are_filled_as_before")
    ]


def test_dates_typed_into_a_chat_hold_nobodys_back(desk: Settings, database_url: str) -> None:
    """Lines of the future are in quarantine, and the chat's other messages count."""
    write_channel(desk.channels / "grup.yaml", CHANNELS["grup"])
    raw = Raw(database_url)
    honest = [{"Lokasi": "Bangka"} for _ in range(15)]
    raw.land("grup", honest, landed_at=now(), ids=[f"a{n}" for n in range(15)], quarantined=60)
    query(
        database_url,
        "insert into quarantine.record (channel, batch_id, content_hash, reason_code, reason,"
        " received_at, ciphertext) select 'grup', max(batch_id), decode(md5(n::text), 'hex'),"
        " 'implausible_date', 'x', now(), '' from raw.batch, generate_series(1, 60) as n"
        " group by n",
    )
    assert held(check_raw(settings=desk, database_url=database_url)) == []


def test_a_hold_ends_when_the_source_corrects_its_rows(
    desk: Settings, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = Raw(database_url)
    raw.land("buku", [good(n) for n in range(1, 61)], landed_at=now())
    mark_built(database_url)
    raw.land("buku", [good(n, Diterima=None) for n in range(61, 81)], landed_at=now())
    check_raw(settings=desk, database_url=database_url)
    mark_built(database_url)  # of the others
    raw.land("buku", [good(81)], landed_at=now())
    assert held(check_raw(settings=desk, database_url=database_url)) != []
    raw.land("buku", [good(n) for n in range(61, 81)], landed_at=now())
    result = check_raw(settings=desk, database_url=database_url)
    assert (held(result), result.released) == ([], ("buku",))
    assert "released channel buku" in capsys.readouterr().out
    assert query(
        database_url,
        "select released_at > held_at, released_by, release_reason from ops.channel_hold",
    ) == [(True, None, None)]


def test_a_person_releases_a_channel_and_what_was_accepted_is_its_history(
    desk: Settings, database_url: str
) -> None:
    raw = Raw(database_url)
    raw.land("buku", [good(n) for n in range(1, 61)], landed_at=now())
    mark_built(database_url)
    raw.land("buku", [good(n, Diterima=None) for n in range(61, 81)], landed_at=now())
    check_raw(settings=desk, database_url=database_url)
    with pytest.raises(ConfigurationError, match="without a reason"):
        release(database_url, "buku", by="rekan", reason=" ")
    with pytest.raises(ConfigurationError, match="channel rekap is not held"):
        release(database_url, "rekap", by="rekan", reason="benar")
    # what came after the judgement is not accepted with it
    raw.land("buku", [good(n, **{"Kab/Kota": None}) for n in range(81, 101)], landed_at=now())
    assert release(database_url, "buku", by="rekan", reason="formulir baru") == 1
    assert query(
        database_url,
        "select released_by, release_reason, judged_batch_id from ops.channel_hold",
    ) == [("rekan", "formulir baru", 2)]
    result = check_raw(settings=desk, database_url=database_url)
    assert result.failures[0].failing == [{"channel": "buku", "field": "regency"}]
    assert query(database_url, "select after_batch_id from ops.channel_hold where hold_id = 2") == [
        (2,)
    ]
    release(database_url, "buku", by="rekan", reason="benar")
    mark_built(database_url)
    raw.land("buku", [good(n, **{"Kab/Kota": None}) for n in range(101, 121)], landed_at=now())
    assert held(check_raw(settings=desk, database_url=database_url)) == []


def test_a_file_with_mistakes_opens_no_checkpoint_and_stops_no_other_channel(
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
    output = capsys.readouterr().out
    assert "warn     channel buku is not pulled, and what it landed is read as before" in output
    assert "buku.yaml:1: a name in braces" in output
    # what was judged is judged still
    raw.land("buku", [good(n) for n in range(2, 30)], landed_at=now())
    mark_built(database_url)
    raw.land("buku", [good(n, Diterima="") for n in range(30, 50)], landed_at=now())
    (failure,) = check_raw(settings=desk, database_url=database_url).failures
    assert failure.failing == [{"channel": "buku", "field": "received_date"}]


def test_a_wrong_clock_holds_its_channel_and_a_forged_date_nothing(
    desk: Settings, database_url: str
) -> None:
    raw = Raw(database_url)
    raw.land("buku", [good(n) for n in range(1, 21)], landed_at=now())
    raw.land("buku", [good(21)], landed_at=now(), received_at="2199-01-01T00:00Z")
    result = check_raw(settings=desk, database_url=database_url)
    assert held(result) == []
    assert [r.name for r in result.warnings] == ["nothing_comes_from_the_future"]
    late = [good(n) for n in range(22, 28)]
    raw.land("buku", late, landed_at=now(), received_at="2199-01-01T00:00Z")
    assert held(check_raw(settings=desk, database_url=database_url)) == [
        ("buku", "channel_clock_is_right")  # seven of 27
    ]
    raw.land("buku", late, landed_at=now())  # the corrected deliveries replace the wrong ones
    assert held(check_raw(settings=desk, database_url=database_url)) == []
    # landing quarantines what comes from the future: of 27 + 7 deliveries more than a fifth
    raw.land("buku", [], landed_at=now(), quarantined=7)
    query(
        database_url,
        "insert into quarantine.record (channel, batch_id, content_hash, reason_code, reason,"
        " received_at, ciphertext) select 'buku', max(batch_id), decode(md5(n::text), 'hex'),"
        " 'implausible_date', 'x', now(), '' from raw.batch, generate_series(1, 7) as n group by n",
    )
    assert held(check_raw(settings=desk, database_url=database_url)) == [
        ("buku", "channel_clock_is_right")
    ]


def test_a_channel_that_loses_most_of_its_records_is_held(
    desk: Settings, database_url: str
) -> None:
    raw = Raw(database_url)
    ids = [f"a{n}" for n in range(20)]
    raw.land("buku", [good(n) for n in range(20)], landed_at=now(), ids=ids)
    mark_built(database_url)
    raw.land("buku", [{}] * 10, landed_at=now(), ids=ids[:10], tombstone=True)
    assert held(check_raw(settings=desk, database_url=database_url)) == []
    raw.land("buku", [{}], landed_at=now(), ids=ids[10:11], tombstone=True)
    assert held(check_raw(settings=desk, database_url=database_url)) == [
        ("buku", "channel_keeps_its_records")
    ]


def test_withdrawals_that_a_person_accepted_hold_no_channel(
    desk: Settings, database_url: str
) -> None:
    inbox = desk.inbox / "buku"
    inbox.mkdir(parents=True)

    def deliver(count: int, *, accept_withdrawals: bool = False) -> IntakeCounts:
        lines = [[*good(1)], *([str(cell) for cell in good(n).values()] for n in range(count)), []]
        (inbox / "buku.csv").write_text("\n".join(map(";".join, lines)))
        return run.pull(
            "buku", settings=desk, database_url=database_url, run_key="uji",
            accept_withdrawals=accept_withdrawals,
        )  # fmt: skip

    assert deliver(40).landed == 40
    mark_built(database_url)
    with pytest.raises(SourceError, match="no longer has 30"):
        deliver(10)
    assert deliver(10, accept_withdrawals=True).tombstones == 30
    assert held(check_raw(settings=desk, database_url=database_url)) == []


def test_a_channel_that_gave_nothing_stops_nobody(desk: Settings, database_url: str) -> None:
    result = check_raw(settings=desk, database_url=database_url)
    assert [r.name for r in result.warnings] == ["channel_was_pulled"]
    Raw(database_url).land("buku", [], landed_at=now(), quarantined=1)
    result = check_raw(settings=desk, database_url=database_url)
    assert held(result) == []
    assert "channel_has_records" in {r.name for r in result.warnings}


def test_what_is_worth_a_look_warns_and_passes(
    desk: Settings, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [good(n) for n in range(1, 61)]
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
        "channel_is_fresh", "little_is_quarantined", "mapped_fields_occur", "fields_are_as_before",
    }  # fmt: skip
    (drifted,) = warned["fields_are_as_before"].failing
    assert (drifted["channel"], drifted["owner"]) == ("buku", "Kantor Rekaan")
    assert warned["mapped_fields_occur"].failing == [{"channel": "buku", "field": "accused_role"}]
    assert "fields_are_as_before" in capsys.readouterr().out


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


def test_a_channel_whose_file_is_lost_is_held(desk: Settings, database_url: str) -> None:
    write_channel(desk.channels / "grup.yaml", CHANNELS["grup"])
    raw = Raw(database_url)
    raw.land("buku", [good(n) for n in range(3)], landed_at=now())
    check_raw(settings=desk, database_url=database_url)
    mark_built(database_url)
    (desk.channels / "grup.yaml").unlink()  # it has landed nothing
    file = desk.channels / "buku.yaml"
    content = file.read_text()
    file.unlink()
    raw.land("buku", [good(9)], landed_at=now())
    result = check_raw(settings=desk, database_url=database_url)
    assert held(result) == [("buku", "channel_has_its_file")]
    assert "put the channel's file back" in result.failures[0].remediation.casefold()
    assert query(database_url, "select channel from reference.channel") == [("buku",)]
    file.write_text(content)
    result = check_raw(settings=desk, database_url=database_url)
    assert (held(result), result.released) == ([], ("buku",))


def test_what_a_channel_requires_is_judged_and_dates_to_come_warn(
    desk: Settings, database_url: str
) -> None:
    fields = {**CHANNELS["formulir"]["fields"], "district": {"from": "kecamatan", "required": True}}
    write_channel(desk.channels / "formulir.yaml", {**CHANNELS["formulir"], "fields": fields})
    raw = Raw(database_url)
    raw.land("buku", [good(1)], landed_at=now())
    given = {"tanggal": "2024-11-06", "kode": "1901", "isu": ["politik_uang"]}
    raw.land("formulir", [{**given, "kecamatan": "Bakam"}] * 12, landed_at=now())
    mark_built(database_url)
    raw.land("formulir", [given] * 12, landed_at=now(), ids=[f"x{n}" for n in range(12)])
    (failure,) = check_raw(settings=desk, database_url=database_url).failures
    assert failure.failing == [{"channel": "formulir", "field": "district"}]
    raw.land("formulir", [{**given, "tanggal": "2199-11-06"}], landed_at=now())
    (warned,) = check_raw(settings=desk, database_url=database_url).warnings
    assert (warned.name, warned.failing) == (
        "dates_are_not_in_the_future", [{"channel": "formulir", "field": "occurred_date"}],
    )  # fmt: skip


def test_a_check_that_holds_channels_says_which_and_why(
    desk: Settings, database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "suites"
    folder.mkdir()
    text = (PROJECT / "expectations" / "raw.yaml").read_text()
    (desk.project / "expectations").unlink()
    (desk.project / "expectations").symlink_to(folder)
    for wrong in (text.replace("        reason: kolom yang", "        remediation_id: kolom yang"),
                  text.replace("        reason: kolom yang biasanya terisi kini kosong,"
                               " mungkin kepala kolomnya berubah\n", "")):  # fmt: skip
        (folder / "raw.yaml").write_text(wrong)
        with pytest.raises(ConfigurationError):
            check_raw(settings=desk, database_url=database_url)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("suite: x\nbatches: []\n", "batches"),
        ("suite: [", "cannot be read"),
        ("{batch}", "severity"),
        ("{query}", "nowhere"),
        ("{key}", "a column of its key"),
        ("{expectation}", "has no expect_nothing_at_all"),
        ("{arguments}", "does not take these arguments"),
        ("{column}", "could not be evaluated"),
    ],
)
def test_a_wrong_suite_is_named(
    desk: Settings, database_url: str, tmp_path: Path, text: str, message: str
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
            " severity: {severity}, owner: o, remediation: c}}\n"
        ).format(**parts)
    file = tmp_path / "suite.yaml"
    file.write_text(text)
    with (
        database.connect(database_url) as connection,
        pytest.raises(ConfigurationError, match=message) as caught,
    ):
        checkpoints.run_suite(file, connection=connection, settings=desk)
    assert query(database_url, "select count(*) from ops.check_result") == [(0,)]
    assert caught.value.remediation


def test_great_expectations_is_imported_only_to_judge() -> None:
    """It costs every process seconds and 240 MB."""
    done = subprocess.run(
        [sys.executable, "-c",
         "import sys; import lumbung.warehouse.raw_checkpoint, lumbung.warehouse.build\n"
         "print([m for m in ('great_expectations', 'pandas', 'dbt') if m in sys.modules])"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
