"""Channels are renamed, retired, removed and restored: increments equal full builds after each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lumbung.intake import life
from lumbung.settings import Settings
from lumbung.warehouse.build import build
from lumbung.warehouse.raw_checkpoint import check_raw
from tests.warehouse.conftest import CHANNELS, Raw, query, write_channel
from tests.warehouse.test_exclusions import not_counted
from tests.warehouse.test_history import differences, rows_of_readers
from tests.warehouse.test_holds import TIP, counted
from tests.warehouse.test_raw_checkpoint import good, now

pytestmark = pytest.mark.slow


def both_builds_agree(url: str, settings: Settings) -> None:
    found = rows_of_readers(url)
    assert build(settings=settings, database_url=url, full_refresh=True).is_full
    assert differences(found, rows_of_readers(url)) == {}


def test_the_facts_follow_the_life_of_a_channel(
    new_warehouse: Callable[[], str], office: Settings, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    (project / "channels").mkdir(parents=True)
    for name in ("dbt_project", "expectations"):
        (project / name).symlink_to((office.project / name).resolve())
    for name in ("buku", "grup"):
        write_channel(project / "channels" / f"{name}.yaml", CHANNELS[name])
    settings = Settings(tmp_path / "home", project, None)
    url = new_warehouse()
    raw = Raw(url)
    given: dict[str, Any] = {"settings": settings, "database_url": url}
    why: dict[str, Any] = {"by": "Rekan Rekaan", "reason": "rekaan"}
    raw.land("buku", [good(n) for n in range(1, 4)], landed_at=now())
    raw.land("grup", [TIP, TIP], landed_at=now())
    build(**given)
    assert counted(url) == {"buku": 3, "grup": 2}

    life.rename("buku", "buku_baru", **given)
    raw.land("buku", [good(4)], landed_at=now())
    life.end("grup", "retired", **why, **given)
    raw.land("buku", [good(5)], landed_at=now())
    assert check_raw(**given).holds == ()
    result = build(**given)
    assert (result.is_full, result.warnings) == (False, [])
    assert counted(url) == {"buku": 5, "grup": 2}
    assert query(url, "select channel from marts.dim_channel order by 1") == [("buku",), ("grup",)]
    both_builds_agree(url, settings)

    listed = (
        "select check_code, detail, record_count from marts.fct_review_item where channel = 'buku'"
        " order by 1"
    )
    held = (
        "select is_held, held_record_count from reporting.rpt_channel_completeness"
        " where channel = 'buku'"
    )
    query(
        url,
        "insert into ops.channel_hold (channel, check_name, after_batch_id, judged_batch_id,"
        " reason, reason_en) select 'buku', 'uji', max(batch_id), max(batch_id), 'x', 'x'"
        " from raw.batch",
    )
    query(
        url,
        "insert into quarantine.record (channel, batch_id, content_hash, reason_code, reason,"
        " received_at, ciphertext) select 'buku', max(batch_id), '', 'unreadable_date', 'x', now(),"
        " '' from raw.batch",
    )
    raw.land("buku", [good(6)], landed_at=now())
    assert not build(**given).is_full
    assert {
        ("channel_held", "uji", 1), ("delivery_quarantined", "unreadable_date", 1)
    } < {*query(url, listed)}  # fmt: skip
    assert query(url, held) == [(True, 1)]
    before = rows_of_readers(url)

    life.end("buku_baru", "removed", **why, **given)
    assert check_raw(**given).holds == ()
    assert build(**given).is_full
    assert (query(url, listed), query(url, held)) == ([], [(False, 0)])
    assert counted(url) == {"grup": 2}
    assert not_counted(url) == [
        ("buku", "excluded_by_person", "Dikeluarkan dari hitungan oleh petugas", 5),
        ("buku", "unreadable_date", "x", 1),
    ]
    life.restore("grup", **why, **given)
    raw.land("grup", [TIP], landed_at=now(), ids=["lagi"])
    assert not build(**given).is_full
    assert counted(url) == {"grup": 3}

    raw.land("grup", [{}], landed_at=now(), ids=["lagi"], tombstone=True)
    life.restore("buku_baru", **why, **given)
    assert build(**given).is_full
    changed = differences(before, rows_of_readers(url))
    assert changed.keys() <= {"reporting.rpt_channel_completeness"}, changed
