"""From delivered files to restatements, with the real intake, warehouse and checkpoint."""

from __future__ import annotations

import csv
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pypdf import PdfReader

from lumbung.demo import world, writers
from lumbung.intake import run
from lumbung.publication import trace
from lumbung.publication.checks import checkpoint
from lumbung.publication.editions import freezing, publishing, review
from lumbung.publication.model import store
from lumbung.settings import Settings
from lumbung.warehouse.build import build
from lumbung.warehouse.roles import role_url
from tests.support.builds import artifacts, folder_of_all_workers, parsed_once
from tests.support.evidence import content_of, store_of
from tests.support.homes import demo_home

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[2]
OLD, NEW = "2024-W40", "2024-W41"
CHANNELS = ("register_laporan", "rekap_pengawasan", "wa_aduan")

NEXT_VERSION = """
    with current as (
        select distinct on (source_id) * from raw.record where channel = 'register_laporan'
        order by source_id, record_id desc
    ),
    chosen as (select c.* from current as c where c.record_id = %(record)s),
    batch as (
        insert into raw.batch (channel, run_key, started_at, read_count, landed_count,
            duplicate_count, quarantined_count) values ('register_laporan', 'later', now(), 1, 1, 0, 0)
        returning batch_id
    )
    insert into raw.record (record_id, channel, source_id, content_hash, batch_id, received_at,
        is_tombstone, payload)
    overriding system value -- landing takes its numbers in blocks
    select ops.first_record_id(batch.batch_id), channel, source_id || %(suffix)s, '\\x01', batch.batch_id, received_at, %(gone)s,
        payload || %(change)s::jsonb
    from chosen, batch"""  # noqa: E501


@pytest.fixture(autouse=True)
def cheaper_builds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    parsed = folder_of_all_workers(tmp_path_factory, "parsed")
    with artifacts(are_kept=False), parsed_once(parsed):
        yield


@pytest.fixture
def office(tmp_path: Path) -> Settings:
    """A project of its own, so that a vocabulary can be corrected, and three invented weeks."""
    project = tmp_path / "project"
    for name in ("channels", "config", "dbt_project", "expectations"):
        shutil.copytree(
            PROJECT / name, project / name, ignore=shutil.ignore_patterns("target", "logs")
        )
    settings = demo_home(tmp_path / "home", project)
    writers.write(world.generate(5, 3), settings.inbox)
    return settings


def metrics(edition_id: str, url: str) -> dict[tuple[str, ...], tuple[int, int]]:
    found = store.load(edition_id, database_url=url).metrics
    return {key: (metric.week, metric.to_date) for key, metric in found.items()}


def marts(url: str) -> list[tuple[object, ...]]:
    """The physical tables of the schemas that dbt fills, and the builds: changed by any build."""
    with psycopg.connect(url) as connection:
        return connection.execute(
            "select nspname::text, relname::text, relfilenode::bigint from pg_class"
            " join pg_namespace as n on n.oid = relnamespace"
            " where nspname ~ '^(staging|intermediate|marts|reporting|reference|checks)'"
            " union all select 'ops', state, build_id from ops.build order by 1, 2, 3"
        ).fetchall()


def test_records_become_restatements(database_url: str, office: Settings) -> None:
    for channel in CHANNELS:
        run.pull(channel, settings=office, database_url=database_url, run_key="first")
    with psycopg.connect(database_url) as connection:  # before the Monday after the week
        connection.execute("update raw.batch set landed_at = '2024-10-06'")
    build(settings=office, database_url=database_url)
    publisher = role_url(database_url, "publisher")  # who may read no payload and no identity
    first = freezing.freeze(OLD, settings=office, database_url=publisher)
    checkpoint.check(first, settings=office, database_url=publisher)
    approver = role_url(database_url, "approver")
    review.approve(first, by="Ketua Contoh", database_url=approver)
    publishing.publish(first, settings=office, database_url=publisher)

    reference = f"suspected_violation/ALL/19@{first}"
    contributors = trace.trace(reference, database_url=database_url).contributors
    assert len(contributors) >= 3
    for contributor in contributors:
        (record,) = contributor.records
        assert (record.channel, record.now) == ("register_laporan", "current")
        evidence = record.evidence_sha256 or ""
        with store_of(office, database_url) as files:
            kept = content_of(files, bytes.fromhex(evidence))
        assert hashlib.sha256(kept).hexdigest() == evidence
    running = trace.trace(
        f"deadline/ALL/19/running@{first}", database_url=database_url
    ).contributors
    late = trace.trace(f"deadline/ALL/19/OVERDUE@{first}", database_url=database_url).contributors
    assert {contributor.contributor_id for contributor in late} < {
        contributor.contributor_id for contributor in running
    }
    assert all(contributor.records for contributor in running)
    districts = trace.trace(f"district_submitted/ALL/19@{first}", database_url=database_url)
    assert all(contributor.records for contributor in districts.contributors)
    # Of every number that is no metric too; what is hidden has none.
    reported = store.load(first, database_url=database_url)
    references = [
        *(f"profile/cases/{p.regency_code}/{p.issue_code}" for p in reported.profiles if p.cases),
        *{f"profile/prevention/{p.regency_code}" for p in reported.profiles},
        *(f"not_counted/{n.channel}/{n.reason_code}/to_date" for n in reported.not_counted),
        *(f"not_counted/{n.channel}/{n.reason_code}/week" for n in reported.not_counted),
    ]
    assert {r.split("/")[0] for r in references} == {"profile", "not_counted"}
    for number in references:
        traced = trace.trace(f"{number}@{first}", database_url=database_url)
        assert len(traced.contributors) == traced.value, number
        assert all(contributor.records for contributor in traced.contributors)

    ids = [contributor.records[0].record_id for contributor in contributors]
    with psycopg.connect(database_url) as connection:
        for record_id, suffix, gone, change in (
            (ids[0], "", True, "{}"),
            (ids[1], "", False, '{"Isu": "Logistik"}'),
            (ids[2], "-late", False, '{"Nomor Register": "999/LP/PB/Kab/09.05/IX/2024"}'),
        ):
            landed = connection.execute(
                NEXT_VERSION.encode(),
                {"record": record_id, "suffix": suffix, "gone": gone, "change": change},
            )
            assert landed.rowcount == 1

    # A second edition of the week, of what had been landed by its Monday: the late record, the edit
    # and the withdrawal are not in it, and what analysts read is not touched.
    before = marts(database_url)
    then = freezing.freeze(OLD, settings=office, database_url=database_url, as_known_at="then")
    assert marts(database_url) == before
    assert then == f"{OLD}-r2"
    assert metrics(then, database_url) == metrics(first, database_url)
    editions = [store.load(e, database_url=database_url) for e in (first, then)]
    assert [e.as_known_at for e in editions] == ["now", "then"]
    assert editions[1].data_at == editions[1].as_of
    assert editions[0].content_hash != editions[1].content_hash
    draft = review.write_draft(then, settings=office, database_url=publisher)
    sentence = "hanya mencakup data yang telah diterima hingga saat itu"
    page = PdfReader(review.draft_folder(then, settings=office) / "edisi.pdf").pages[0]
    assert sentence in " ".join(page.extract_text().split())
    checkpoint.check(then, settings=office, database_url=publisher)
    review.approve(then, by="Ketua Contoh", reviewed=draft, database_url=approver)
    publishing.publish(then, settings=office, database_url=publisher)

    with psycopg.connect(database_url) as connection:  # the week after has come to its end as well
        connection.execute("update raw.batch set landed_at = now()")
    # A vocabulary is corrected: what was read as politik uang is alat peraga now.
    seed = office.dbt_project / "seeds" / "map_issue.csv"
    with seed.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    with seed.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["APK" if v == "PU" else v for v in row] for row in rows])
    build(settings=office, database_url=database_url)

    # Between what was known then and what is known now lie exactly the restatements.
    now = freezing.freeze(OLD, settings=office, database_url=publisher)
    old_metrics, new_metrics = metrics(then, database_url), metrics(now, database_url)
    restated = store.load(now, database_url=publisher).restatements
    assert {
        (r.metric_code, r.category_code, r.regency_code, r.period): (r.old, r.new)
        for r in restated
        if r.of_edition_id == then and r.period in ("week", "to_date")
    } == {
        (*key, period): (old, new)
        for key in old_metrics
        for period, old, new in zip(
            ("week", "to_date"), old_metrics[key], new_metrics[key], strict=True
        )
        if old != new
    }
    assert len(restated) > 10
    # The week before has no edition: it is compared as the edition restated it, coded again.
    trends = [store.load(e, database_url=publisher).trend for e in (then, now)]
    assert {
        (r.metric_code, r.category_code): (r.old, r.new)
        for r in restated
        if r.period == "2024-W39" and r.regency_code == "19"
    } == {
        key: (old, new)
        for key in trends[0]
        for old, new in [[dict(trend[key])["2024-W39"] for trend in trends]]
        if old != new
    }
    assert any(r.period == "2024-W39" and r.recoded for r in restated)

    second = freezing.freeze(NEW, settings=office, database_url=publisher)
    found = [
        r
        for r in store.load(second, database_url=publisher).restatements
        if r.period == "week" and r.of_edition_id == then
    ]
    province = {(r.metric_code, r.category_code): r for r in found if r.regency_code == "19"}
    assert ("suspected_violation", "ALL") not in province  # one went, one came
    assert province["suspected_violation_by_issue", "LOG"].edited == 1
    assert province["suspected_violation_by_issue", "PU"].recoded < 0
    assert province["suspected_violation_by_issue", "APK"].recoded > 0
    cases = [r for r in found if r.metric_code == "suspected_violation"]
    assert sorted((r.late, r.withdrawn) for r in cases) == [(0, -1), (1, 0)]
    for r in found:
        assert r.new - r.old == r.late + r.edited + r.withdrawn + r.recoded + r.progressed
    result = checkpoint.check(second, settings=office, database_url=publisher)
    assert result.failures == []
    old = trace.trace(reference, database_url=database_url)
    assert [m.contributor_id for m in old.contributors] == [m.contributor_id for m in contributors]
    states = {m.records[0].record_id: m.records[0].now for m in old.contributors}
    assert (states[ids[0]], states[ids[1]], states[ids[2]]) == ("withdrawn", "edited", "current")
