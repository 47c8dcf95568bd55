"""A channel that is held back keeps what readers have of it; every other one goes on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lumbung.cli import app
from lumbung.cli.common import machine_account
from lumbung.publication.delivery import notify
from lumbung.settings import Settings
from lumbung.warehouse.build import build
from lumbung.warehouse.point_in_time import as_known_at
from lumbung.warehouse.raw_checkpoint import check_raw, release
from tests.support.homes import demo_home
from tests.support.post import notifier, post_office
from tests.warehouse.conftest import CHANNELS, Raw, query, write_channel
from tests.warehouse.test_history import differences, rows_of_readers
from tests.warehouse.test_raw_checkpoint import good, mark_built, now

pytestmark = pytest.mark.usefixtures("one_day")

TIP = {"Tanggal": "2024-11-05", "Lokasi": "Bangka", "Isu": "politik uang", "Uraian": "beras"}


def counted(url: str, schema: str = "marts") -> dict[str, int]:
    """Cases of each channel."""
    return dict(query(url, f"select channel, count(*) from {schema}.fct_report group by 1"))


def statuses(url: str) -> dict[str, int]:
    return dict(
        query(
            url,
            "select status_code, count(*) from marts.fct_report where channel = 'buku' group by 1",
        )
    )


@pytest.mark.slow
def test_a_held_channel_keeps_its_state_and_the_others_go_on(
    warehouse_url: str, office: Settings
) -> None:
    """Thirty cases; then a layout without a date, a correction, a withdrawal, and tips."""
    url = warehouse_url
    raw = Raw(url)
    raw.land("buku", [good(n) for n in range(1, 31)], landed_at=now())
    raw.land("grup", [TIP], landed_at=now())
    check_raw(settings=office, database_url=url)
    build(settings=office, database_url=url)
    assert counted(url) == {"buku": 30, "grup": 1}

    raw.land("buku", [good(n, Diterima=None) for n in range(31, 51)], landed_at=now())
    corrected = good(1, Status="Diregistrasi")
    raw.land("buku", [corrected], landed_at=now())
    raw.land("buku", [{}], landed_at=now(), ids=[str(good(2)["Nomor"])], tombstone=True)
    raw.land("grup", [TIP, TIP], landed_at=now())
    (hold,) = check_raw(settings=office, database_url=url).holds
    assert (hold.channel, hold.held_count) == ("buku", 22)
    assert not build(settings=office, database_url=url).is_full
    assert counted(url) == {"buku": 30, "grup": 3}
    assert statuses(url) == {"diterima": 30}
    assert query(
        url,
        "select channel, is_held, held_record_count,"
        " held_since_date = (select (held_at at time zone 'Asia/Jakarta')::date"
        "  from ops.channel_hold), split_part(reason, ' ', 1), split_part(reason_en, ' ', 2)"
        " from reporting.rpt_channel_completeness where channel in ('buku', 'grup') order by 1",
    ) == [("buku", True, 22, True, "kolom", "column"), ("grup", False, 0, None, None, None)]
    assert query(
        url,
        "select channel, detail, record_count, severity, owner from marts.fct_review_item"
        " where check_code = 'channel_held'",
    ) == [("buku", "fields_are_filled_as_before", 22, "warn", "channel owner")]

    # still held, and more is landed
    raw.land("buku", [good(51)], landed_at=now())
    raw.land("grup", [TIP], landed_at=now())
    assert [h.channel for h in check_raw(settings=office, database_url=url).holds] == ["buku"]
    build(settings=office, database_url=url)
    assert counted(url) == {"buku": 30, "grup": 4}

    # the office corrects its layout: all that was held comes
    raw.land("buku", [good(n) for n in range(31, 51)], landed_at=now())
    while_held_at = datetime.now(UTC)
    assert check_raw(settings=office, database_url=url).released == ("buku",)
    assert not build(settings=office, database_url=url).is_full
    assert counted(url) == {"buku": 50, "grup": 4}
    assert statuses(url) == {"diterima": 49, "diregistrasi": 1}
    assert query(
        url, "select count(*) from reporting.rpt_channel_completeness where is_held"
    ) == query(url, "select count(*) from marts.fct_review_item where check_code = 'channel_held'")

    # what was known before the release is what readers had then
    with as_known_at(while_held_at, settings=office, database_url=url):
        assert counted(url, "marts_point_in_time") == {"buku": 30, "grup": 4}


@pytest.mark.slow
def test_a_channel_whose_file_is_lost_keeps_its_state_and_the_others_go_on(
    warehouse_url: str, office: Settings, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    (project / "channels").mkdir(parents=True)
    for name in ("config", "dbt_project", "expectations"):
        (project / name).symlink_to((office.project / name).resolve())
    for name in ("buku", "grup"):
        write_channel(project / "channels" / f"{name}.yaml", CHANNELS[name])
    settings = Settings(tmp_path / "home", project, None)
    url = warehouse_url
    raw = Raw(url)
    raw.land("buku", [good(n) for n in range(1, 4)], landed_at=now())
    raw.land("grup", [TIP], landed_at=now())
    check_raw(settings=settings, database_url=url)
    build(settings=settings, database_url=url)
    raw.land("buku", [good(4)], landed_at=now())
    raw.land("grup", [TIP, TIP], landed_at=now())
    # lost before any checkpoint knew it: nothing of it can be read
    raw.land("kanal_lama", [{"a": 1}], landed_at=now())
    (project / "channels" / "buku.yaml").unlink()
    check_raw(settings=settings, database_url=url)
    result = build(settings=settings, database_url=url)
    assert not result.is_full
    assert [line.split(":")[0] for line in result.warnings] == [
        "channel buku has no file", "channel kanal_lama has no file"
    ]  # fmt: skip
    assert counted(url) == {"buku": 3, "grup": 3}
    assert query(
        url,
        "select channel, is_held, held_record_count, reason, reason_en"
        " from reporting.rpt_channel_completeness where is_held",
    ) == [("buku", True, 1, "berkas kanalnya tidak ada lagi", "its channel file is missing")]
    while_held = rows_of_readers(url)
    build(settings=settings, database_url=url, full_refresh=True)
    assert differences(while_held, rows_of_readers(url)) == {}

    write_channel(project / "channels" / "buku.yaml", CHANNELS["buku"])
    assert check_raw(settings=settings, database_url=url).released == ("buku",)
    build(settings=settings, database_url=url)
    assert counted(url) == {"buku": 4, "grup": 3}


@pytest.mark.slow
def test_what_a_person_released_is_built(warehouse_url: str, office: Settings) -> None:
    """Rows without a date are excluded one by one then, as of any channel."""
    url = warehouse_url
    raw = Raw(url)
    raw.land("buku", [good(n) for n in range(1, 31)], landed_at=now())
    build(settings=office, database_url=url)
    raw.land("buku", [good(n, Diterima=None) for n in range(31, 51)], landed_at=now())
    raw.land("buku", [good(51)], landed_at=now())
    check_raw(settings=office, database_url=url)
    release(url, "buku", by="rekan", reason="register tanpa tanggal terima")
    assert check_raw(settings=office, database_url=url).holds == ()
    build(settings=office, database_url=url)
    assert counted(url) == {"buku": 31}
    assert query(url, "select reason_code, record_count from reporting.rpt_not_counted") == [
        ("date_missing", 20)
    ]


def test_the_owner_of_a_held_channel_is_notified_once(
    database_url: str, office: Settings, tmp_path: Path
) -> None:
    raw = Raw(database_url)
    raw.land("buku", [good(n) for n in range(1, 31)], landed_at=now())
    mark_built(database_url)
    raw.land("buku", [good(n, Diterima=None) for n in range(31, 51)], landed_at=now())
    with post_office() as post:
        for _ in range(2):
            result = check_raw(settings=office, database_url=database_url)
            way = notifier(office, post, database_url)
            notify.notify_of_channels(result, notifier=way, database_url=database_url)
    assert sorted(address for address, _ in post.got) == [
        "data@babel.example.id", "rekaan@example.id",
    ]  # fmt: skip
    mail = post.got[0][1]
    assert mail["Subject"] == "Kanal rekaan: kiriman barunya ditahan"
    text = mail.get_content()
    assert "20 kiriman baru" in text
    assert "kolom yang biasanya terisi kini kosong" in text
    assert "pilih Akhiri penahanan di halaman kanal" in text
    assert "lumbung channel" not in text

    home = demo_home(tmp_path / "demo", office.project).home  # nobody is asked for a code
    runner = CliRunner(
        env={
            "LUMBUNG_DATABASE_URL": database_url,
            "LUMBUNG_PROJECT": str(office.project),
            "LUMBUNG_HOME": str(home),
        }
    )
    listed = runner.invoke(app, ["channel", "list"])
    assert "channel buku: 20 deliveries are held back since" in listed.output
    done = runner.invoke(app, ["channel", "release", "buku", "--reason", "formulir baru"])
    assert done.exit_code == 0, done.output
    assert "buku is released" in done.output
    assert "held back" not in runner.invoke(app, ["channel", "list"]).output
    assert query(database_url, "select released_by, release_reason from ops.channel_hold") == [
        (machine_account(), "formulir baru")
    ]
