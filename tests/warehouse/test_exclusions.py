"""A person excludes a landed delivery and restores it; later versions follow the decision."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from lumbung.cli import app
from lumbung.cli.common import machine_account
from lumbung.errors import ConfigurationError
from lumbung.settings import Settings
from lumbung.warehouse.build import build
from lumbung.warehouse.exclusions import Decision, decide
from tests.support.homes import demo_home
from tests.warehouse.conftest import Raw, query
from tests.warehouse.test_raw_checkpoint import good

LAST = "002/LP/PB/Kab/09.01/XI/2024"


def cases(url: str) -> list[tuple[object, ...]]:
    return query(url, "select register_number, status_code from marts.fct_report order by 1")


def not_counted(url: str) -> list[tuple[object, ...]]:
    return query(
        url, "select channel, reason_code, reason, record_count from reporting.rpt_not_counted"
    )


@pytest.mark.slow
def test_an_excluded_delivery_counts_nowhere_until_it_is_restored(
    warehouse_url: str, office: Settings, tmp_path: Path
) -> None:
    """Of three excluded ones two get a new version, and one of those is restored."""
    url = warehouse_url
    raw = Raw(url)
    raw.land("buku", [good(1), good(2), good(3), good(4)])
    build(settings=office, database_url=url)
    records = [
        record_id
        for (record_id,) in query(
            url, "select record_id from raw.record where source_id >= %s order by source_id", LAST
        )
    ]
    home = demo_home(tmp_path / "demo", office.project).home  # nobody is asked for a code
    runner = CliRunner(env={"LUMBUNG_DATABASE_URL": url, "LUMBUNG_HOME": str(home)})
    for record_id in records:
        done = runner.invoke(app, ["record", "exclude", str(record_id), "--reason", "kabar bohong"])
        assert done.exit_code == 0, done.output
        assert "is excluded" in done.output
    assert not build(settings=office, database_url=url).is_full
    assert cases(url) == [("001/LP/PB/Kab/09.01/XI/2024", "diterima")]
    excluded = ("buku", "excluded_by_person", "Dikeluarkan dari hitungan oleh petugas")
    assert not_counted(url) == [(*excluded, 3)]
    assert (
        query(
            url,
            "select week_id from intermediate.int_records__excluded where record_id = any(%s)",
            records,
        )
        == [("2024-W45",)] * 3
    )

    # a new version of the source is still that delivery
    raw.land("buku", [good(2, Status="Diregistrasi"), good(3, Status="Diregistrasi")])
    assert not build(settings=office, database_url=url).is_full
    assert len(cases(url)) == 1
    assert not_counted(url) == [(*excluded, 3)]

    done = runner.invoke(app, ["record", "restore", str(records[0]), "--reason", "terbukti ada"])
    assert done.exit_code == 0, done.output
    assert not build(settings=office, database_url=url).is_full
    assert cases(url) == [
        ("001/LP/PB/Kab/09.01/XI/2024", "diterima"), (LAST, "diregistrasi"),
    ]  # fmt: skip
    assert not_counted(url) == [(*excluded, 2)]
    assert query(
        url,
        "select channel, source_id, decision_code, decided_by, reason from ops.exclusion_decision"
        " where source_id = %s order by decision_id",
        LAST,
    ) == [
        ("buku", LAST, "excluded", machine_account(), "kabar bohong"),
        ("buku", LAST, "restored", machine_account(), "terbukti ada"),
    ]


def test_only_what_was_landed_is_excluded_once_and_with_a_reason(database_url: str) -> None:
    Raw(database_url).land("buku", [good(1)])
    ((record_id,),) = query(database_url, "select record_id from raw.record")
    refused: list[tuple[int, Decision, str, str]] = [
        (record_id, "excluded", " ", "without a reason"),
        (7, "excluded", "x", "there is no record 7"),
        (record_id, "restored", "x", "is not excluded"),
    ]
    for number, decision, reason, message in refused:
        with pytest.raises(ConfigurationError, match=message):
            decide(database_url, number, decision, by="rekan", reason=reason)
    decide(database_url, record_id, "excluded", by="rekan", reason="x")
    with pytest.raises(ConfigurationError, match="is already excluded"):
        decide(database_url, record_id, "excluded", by="rekan", reason="x")


def test_of_six_who_exclude_at_once_one_is_recorded(database_url: str) -> None:
    Raw(database_url).land("buku", [good(1)])
    ((record_id,),) = query(database_url, "select record_id from raw.record")

    def exclude(number: int) -> bool:
        try:
            decide(database_url, record_id, "excluded", by=f"rekan {number}", reason="x")
        except ConfigurationError:
            return False
        return True

    with (
        psycopg.connect(database_url) as build,
        ThreadPoolExecutor(6) as pool,
    ):
        # all of them wait for a build, so they go on at the same time
        build.execute("select pg_advisory_xact_lock(hashtext('lumbung.watermark'))")
        answers = [pool.submit(exclude, number) for number in range(6)]
        waiting = (
            "select count(*) from pg_locks inner join pg_database on oid = database"
            " where datname = current_database() and locktype = 'advisory' and not granted"
        )
        while query(database_url, waiting) != [(6,)]:
            time.sleep(0.02)
        build.rollback()
    assert sorted(each.result() for each in answers) == [False] * 5 + [True]
    assert query(database_url, "select count(*) from ops.exclusion_decision") == [(1,)]
