"""What became known after an edition shows up in the next one, with its reason."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from selectolax.lexbor import LexborHTMLParser

from lumbung.errors import CheckpointError
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.publication.chapters.assemble import document
from lumbung.publication.checks import checkpoint
from lumbung.publication.editions import freezing, publishing, review
from lumbung.publication.formats import render
from lumbung.publication.model import store
from lumbung.publication.model.edition import Edition, Restatement
from lumbung.settings import Settings
from tests.publication.conftest import Metrics, copy_of
from tests.support.edition_sample import pass_checkpoint
from tests.support.homes import demo_home

pytestmark = pytest.mark.usefixtures("paper_as_text")

OLD, NEXT, LATEST = "2024-W44", "2024-W45", "2024-W46"
MEMBER = "reporting.rpt_metric_contributor"
RECOUNT = """
    update reporting.rpt_metric as f set value = (
        select count(*) from reporting.rpt_metric_contributor as m
        where m.metric_code = f.metric_code and m.category_code = f.category_code
            and f.regency_code in (m.regency_code, '19')
            and (m.week_id = f.week_id or f.period = 'to_date' and m.week_id <= f.week_id))"""


def new_version(connection: psycopg.Connection, record_id: int, *, is_tombstone: bool) -> int:
    """The next version of a record's delivery, landed in a batch of its own."""
    row = connection.execute(
        "with b as (insert into raw.batch (channel, run_key, started_at, read_count, landed_count,"
        " duplicate_count, quarantined_count) values ('x', 'later', now(), 0, 0, 0, 0)"
        " returning batch_id)"
        " insert into raw.record (channel, source_id, content_hash, batch_id, received_at,"
        " is_tombstone, payload) select channel, source_id, 'later', b.batch_id, now(), %s, '{}'"
        " from raw.record, b where record_id = %s returning record_id",
        (is_tombstone, record_id),
    ).fetchone()
    assert row
    return int(row[0])


def case(connection: psycopg.Connection, number: int) -> tuple[str, int, str]:
    """One of the old week's cases of politik uang alone: its id, record and regency."""
    return connection.execute(
        "select r.report_id, r.record_id, r.regency_code from marts.fct_report as r"
        " where r.report_id = (select b.report_id from marts.bridge_report_issue as b"
        " where b.report_id like %s group by 1 having bool_or(b.issue_code = 'PU')"
        " and not bool_or(b.issue_code = 'APK') order by 1 offset %s limit 1)",
        (f"%-{OLD}-%", number),
    ).fetchall()[0]


EDITED, WITHDRAWN, RECODED = 0, 1, 2
"""Three different cases, so that the steps can be taken in any order."""


def late(connection: psycopg.Connection, week: str = OLD) -> None:
    row = connection.execute(
        "with b as (insert into raw.batch (channel, run_key, started_at, read_count, landed_count,"
        " duplicate_count, quarantined_count) values ('x', 'late', now(), 0, 0, 0, 0)"
        " returning batch_id)"
        " insert into raw.record (channel, source_id, content_hash, batch_id, received_at, payload)"
        " select 'register_laporan', 'new', 'new', batch_id, now(), '{}' from b returning record_id"
    ).fetchone()
    assert row
    connection.execute(
        "insert into marts.fct_report (report_id, record_kind, regency_code, week_id,"
        " accused_role_code, record_id) values ('late', 'LP', '19.05', %s, 'ASN', %s)",
        (week, row[0]),
    )
    for metric, category in (
        ("suspected_violation", "ALL"),
        ("suspected_violation_by_kind", "LP"),
        ("suspected_violation_by_context", "LP_UNKNOWN"),
        ("suspected_violation_by_issue", "KH"),
        ("report_received", "LP"),
        ("report_pending", "LP"),
    ):
        connection.execute(
            f"insert into {MEMBER} values (%s, %s, '19.05', %s, 'late')", (metric, category, week)
        )


def edit(connection: psycopg.Connection) -> None:
    contributor, record, place = case(connection, EDITED)
    assert place != "19.06"
    newer = new_version(connection, record, is_tombstone=False)
    connection.execute(
        "update marts.fct_report set record_id = %s, regency_code = '19.06', district_code = null"
        " where report_id = %s",
        (newer, contributor),
    )
    connection.execute(
        f"update {MEMBER} set regency_code = '19.06' where contributor_id = %s", (contributor,)
    )


def withdraw(connection: psycopg.Connection) -> None:
    contributor, record, _ = case(connection, WITHDRAWN)
    new_version(connection, record, is_tombstone=True)
    connection.execute("delete from marts.fct_report where report_id = %s", (contributor,))
    connection.execute(f"delete from {MEMBER} where contributor_id = %s", (contributor,))


def remap(connection: psycopg.Connection) -> None:
    contributor, _, _ = case(connection, RECODED)
    connection.execute(
        f"update {MEMBER} set category_code = 'APK' where contributor_id = %s and category_code "
        f"= 'PU'",
        (contributor,),
    )


def change(url: str, *steps: Callable[[psycopg.Connection], object]) -> None:
    with psycopg.connect(url) as connection:
        for step in steps:
            step(connection)
        connection.execute(RECOUNT)


def place_of(url: str, number: int) -> str:
    with psycopg.connect(url) as connection:
        return case(connection, number)[2]


def issue(url: str, settings: Settings, week: str) -> str:
    edition_id = freezing.freeze(week, settings=settings, database_url=url)
    pass_checkpoint(url, edition_id)
    review.approve(edition_id, by="Ketua Contoh", database_url=url)
    publishing.publish(edition_id, settings=settings, database_url=url)
    return edition_id


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key that signs the editions of every copy of the warehouse."""
    return tmp_path_factory.mktemp("keys") / "minisign.key"


@pytest.fixture
def settings(settings: Settings, key: Path) -> Settings:
    return replace(settings, signing_key=key)


@pytest.fixture(scope="module")
def issued(
    server: EmbeddedPostgres,
    filled: tuple[str, Metrics],
    key: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """The name of a database where two weeks are published."""
    with copy_of(server, filled[0]) as url:
        home = demo_home(tmp_path_factory.mktemp("home"), Settings.load().project)
        home = replace(home, signing_key=key)
        # Rendering is tried elsewhere; here two small files stand for an edition's.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(render, "render", lambda e: {"edisi.html": e.content_hash.encode()})
            issue(url, home, OLD)
            issue(url, home, NEXT)
        yield url.rsplit("/", 1)[1].split("?")[0]


@pytest.fixture
def warehouse(server: EmbeddedPostgres, issued: str) -> Iterator[str]:
    with copy_of(server, issued) as url:
        yield url


def restated(url: str, settings: Settings, week: str = LATEST) -> Edition:
    edition_id = freezing.freeze(week, settings=settings, database_url=url)
    return store.load(edition_id, database_url=url)


def of_week(found: Edition) -> dict[tuple[str, str, str], Restatement]:
    return {
        (r.metric_code, r.category_code, r.regency_code): r
        for r in found.restatements
        if r.of_edition_id == f"{OLD}-r1" and r.period == "week"
    }


def test_nothing_changed(warehouse: str, settings: Settings) -> None:
    found = restated(warehouse, settings)
    assert found.restatements == ()
    html = render.render(found)["edisi.html"].decode()
    assert "Di antara angka yang dibandingkan, tidak ada yang berubah." in html


def test_a_revision_says_what_became_of_prevention(
    warehouse: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan came in after the week's first edition: 10 activities are planned there, now 14."""
    monkeypatch.setattr(render, "render", lambda e: {"edisi.html": e.content_hash.encode()})
    issue(warehouse, settings, "2024-W47")
    with psycopg.connect(warehouse) as connection:
        connection.execute(
            "update marts.agg_prevention_need set planned_count = 14, gap_count = 10"
            " where (regency_code, issue_code) = ('19.71', 'PU')"
        )
    found = restated(warehouse, settings, "2024-W47")
    assert (found.revision, found.restatements) == (2, ())
    said = (
        "pada 1 pasangan kabupaten/kota dan tema, karena rencana atau kegiatan masuk kemudian, "
        "dikoreksi, atau klasifikasinya diperbaiki: politik uang di Pangkal Pinang (direncanakan "
        "10 menjadi 14 dan belum terlaksana 6 menjadi 10)."
    )
    printed = document(found)
    chapter = next(s for s in printed.sections if s.id == "perubahan")
    for lead in (chapter.lead, printed.bulletin[-2].lead):
        assert [sentence.endswith(said) for sentence in lead].count(True) == 1
    assert "Di antara angka yang dibandingkan, tidak ada yang berubah." in chapter.paragraphs
    first = store.load("2024-W47-r1", database_url=warehouse)
    assert not any("dari revisi sebelumnya" in s for s in document(first).bulletin[-2].lead)


def test_a_late_record(warehouse: str, settings: Settings) -> None:
    change(warehouse, late)
    found = restated(warehouse, settings)
    assert set(of_week(found)) == {
        *(
            (metric, category, place)
            for metric, category in (
                ("suspected_violation", "ALL"),
                ("suspected_violation_by_issue", "KH"),
            )
            for place in ("19", "19.05")
        ),
        # what details a case is not published by regency and week
        ("suspected_violation_by_kind", "LP", "19"),
        ("suspected_violation_by_context", "LP_UNKNOWN", "19"),
        ("report_received", "LP", "19"),
        ("report_pending", "LP", "19"),
    }
    for r in found.restatements:
        assert (r.new - r.old, r.late, r.edited, r.withdrawn, r.recoded) == (1, 1, 0, 0, 0)
        assert not r.is_published
    # the week itself, and the sums to date of both published weeks
    assert {(r.of_edition_id, r.period) for r in found.restatements} == {
        (f"{OLD}-r1", "week"),
        (f"{OLD}-r1", "to_date"),
        (f"{NEXT}-r1", "to_date"),
    }


def test_what_was_held_back_then_comes_late(warehouse: str, settings: Settings) -> None:
    """It had been landed before the edition, but its channel was held back: nobody corrected it."""
    change(warehouse, late)
    with psycopg.connect(warehouse) as connection:
        connection.execute("alter table published.edition disable trigger user")
        connection.execute(
            "update published.edition set batch_watermark = (select max(batch_id) from raw.batch),"
            " label = label || jsonb_build_object('held', jsonb_build_array(jsonb_build_object("
            "'channel', 'register_laporan', 'after_batch_id', batch_watermark)))"
        )
    found = restated(warehouse, settings)
    assert found.restatements
    for r in found.restatements:
        assert (r.new - r.old, r.late, r.edited, r.recoded) == (1, 1, 0, 0)


def test_an_edit(warehouse: str, settings: Settings) -> None:
    place = place_of(warehouse, EDITED)
    change(warehouse, edit)
    found = of_week(restated(warehouse, settings))
    assert found["suspected_violation", "ALL", place].edited == -1
    assert found["suspected_violation", "ALL", "19.06"].edited == 1
    assert ("suspected_violation", "ALL", "19") not in found
    for r in found.values():
        assert (r.late, r.edited, r.withdrawn, r.recoded) == (0, r.new - r.old, 0, 0)


def test_a_withdrawal(warehouse: str, settings: Settings) -> None:
    place = place_of(warehouse, WITHDRAWN)
    change(warehouse, withdraw)
    found = of_week(restated(warehouse, settings))
    assert {("suspected_violation", "ALL", p) for p in ("19", place)} <= set(found)
    for r in found.values():
        assert (r.new - r.old, r.late, r.edited, r.withdrawn, r.recoded) == (-1, 0, 0, -1, 0)


def test_another_coding(warehouse: str, settings: Settings) -> None:
    place = place_of(warehouse, RECODED)
    change(warehouse, remap)
    found = of_week(restated(warehouse, settings))
    assert {key: (r.new - r.old, r.recoded) for key, r in found.items()} == {
        ("suspected_violation_by_issue", category, where): (by, by)
        for category, by in (("PU", -1), ("APK", 1))
        for where in ("19", place)
    }


def test_an_exclusion_and_its_restoration(warehouse: str, settings: Settings) -> None:
    decide = (
        "insert into ops.exclusion_decision (channel, source_id, record_id, decision_code,"
        " decided_by, reason) select channel, source_id, record_id, %s, 'budi', 'percobaan'"
        " from raw.record where record_id = %s"
    )
    with psycopg.connect(warehouse) as connection:
        contributor, record, place = case(connection, WITHDRAWN)
        # an edit does not hide that the record is excluded now
        new_version(connection, record, is_tombstone=False)
        connection.execute(decide, ("excluded", record))
        counted = connection.execute(
            f"delete from {MEMBER} where contributor_id = %s returning *", (contributor,)
        ).fetchall()
        connection.execute(RECOUNT)
    found = restated(warehouse, settings)
    cases = of_week(found)
    assert {("suspected_violation", "ALL", p) for p in ("19", place)} <= set(cases)
    for r in cases.values():
        assert (r.new - r.old, r.excluded, r.edited, r.withdrawn, r.recoded) == (-1, -1, 0, 0, 0)
    assert {line[-1] for line in printed(found)} == {"catatan dikecualikan atau dipulihkan (−1)"}
    result = checkpoint.check(found.edition_id, settings=settings, database_url=warehouse)
    assert "restatements_are_explained" in {r.name for r in result.results if r.is_passed}
    issue_bare(warehouse, settings, LATEST)
    with psycopg.connect(warehouse) as connection:
        connection.execute(decide, ("restored", record))
        connection.cursor().executemany(
            f"insert into {MEMBER} values (%s, %s, %s, %s, %s)", counted
        )
        connection.execute(RECOUNT)
    back = restated(warehouse, settings, "2024-W47")
    of_latest = [r for r in back.restatements if r.of_edition_id == f"{LATEST}-r1"]
    assert of_latest
    for r in of_latest:
        assert (r.new - r.old, r.excluded, r.recoded, r.edited, r.late) == (1, 1, 0, 0, 0)


def test_restatements_without_exclusions_keep_their_hash() -> None:
    """Editions were frozen before the column of exclusions, which is the last."""
    row = ("2024-W44-r1", "tip", "ALL", "19", "week", 1, 2, 1, 0, 0, 0, False, 0, None)
    assert store.restatement_hash([(*row, 0)]) == store.digest([row])
    assert store.restatement_hash([(*row, -1)]) == store.digest([(*row, -1)])


def test_all_at_once_equals_a_diff_of_two_editions_built_apart(
    server: EmbeddedPostgres, filled: tuple[str, Metrics], warehouse: str, settings: Settings
) -> None:
    steps: list[Callable[[psycopg.Connection], object]] = [late, remap, edit]
    random.Random(3).shuffle(steps)
    change(warehouse, *steps, withdraw)
    with copy_of(server, filled[0]) as apart:  # where nothing was ever published
        change(apart, *steps, withdraw)
        expected = {}
        for week in (OLD, NEXT):
            old = store.load(f"{week}-r1", database_url=warehouse)
            new = restated(apart, settings, week)
            assert new.restatements == ()
            for key, metric in new.metrics.items():
                for period in ("week", "to_date"):
                    pair = getattr(old.metrics[key], period), getattr(metric, period)
                    if pair[0] != pair[1]:
                        expected[f"{week}-r1", *key, period] = pair
    found = restated(warehouse, settings)
    assert {
        (r.of_edition_id, r.metric_code, r.category_code, r.regency_code, r.period): (r.old, r.new)
        for r in found.restatements
    } == expected
    assert len(expected) > 20
    for r in found.restatements:
        assert r.new - r.old == r.late + r.edited + r.withdrawn + r.recoded + r.progressed
    result = checkpoint.check(found.edition_id, settings=settings, database_url=warehouse)
    assert "restatements_are_explained" in {r.name for r in result.results if r.is_passed}


def test_the_old_edition_is_untouched_and_the_table_is_printed(
    warehouse: str, settings: Settings
) -> None:
    def stored() -> list[tuple[str, str, bytes]]:
        with psycopg.connect(warehouse) as connection:
            return connection.execute(
                "select edition_id, name, content from published.artefact order by 1, 2"
            ).fetchall()

    before, old = stored(), store.load(f"{OLD}-r1", database_url=warehouse)
    assert {edition for edition, _, _ in before} == {f"{OLD}-r1", f"{NEXT}-r1"}
    change(warehouse, late, withdraw)
    found = restated(warehouse, settings)
    assert stored() == before
    assert store.load(f"{OLD}-r1", database_url=warehouse) == old
    page = LexborHTMLParser(render.render(found)["edisi.html"].decode())
    (ranked,) = page.css("section[aria-labelledby=penanganan] table")
    places = [row.css("td")[1].text() for row in ranked.css("tbody tr")]
    assert places[0] == "Provinsi"
    assert places == sorted(places, key=lambda place: place != "Provinsi")
    table = page.css_first("section[aria-labelledby=perubahan] table")
    rows = [[c.text() for c in row.css("th, td")] for row in table.css("tbody tr")]
    expected = of_week(found)["suspected_violation_by_issue", "KH", "19.05"]
    assert [
        f"{OLD}-r1",
        "Dugaan pelanggaran menurut tema: Kampanye hitam, hoaks, dan fitnah",
        "Bangka Barat",
        str(expected.old),
        str(expected.new),
        "diterima terlambat (+1)",
    ] in rows
    assert len(rows) == len(of_week(found))


def test_what_was_reported_is_reported_once(
    warehouse: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(warehouse, late)
    with monkeypatch.context() as patch:
        patch.setattr(render, "render", lambda e: {"edisi.html": e.content_hash.encode()})
        latest = issue(warehouse, settings, LATEST)
        # Publishing it makes no other edition of the same metrics.
        assert freezing.freeze(LATEST, settings=settings, database_url=warehouse) == latest
    found = restated(warehouse, settings, "2024-W47")
    assert len(of_week(found)) == 8
    assert all(r.is_published for r in found.restatements)
    html = render.render(found)["edisi.html"].decode()
    assert "Sebanyak 8 perubahan telah dimuat dalam edisi sebelum ini dan tidak diulang." in html


def test_a_revision_restates_the_one_it_replaces(warehouse: str, settings: Settings) -> None:
    change(warehouse, late)
    found = restated(warehouse, settings, NEXT)
    assert found.edition_id == f"{NEXT}-r2"
    assert f"{NEXT}-r1" in {r.of_edition_id for r in found.restatements}


def go_on(connection: psycopg.Connection) -> None:
    """A case of the old week that waited is registered now."""
    ((contributor, record),) = connection.execute(
        "select report_id, record_id from marts.fct_report where report_id = ("
        f" select min(contributor_id) from {MEMBER} where metric_code = 'report_pending'"
        " and category_code = 'LP' and week_id = %s)",
        (OLD,),
    ).fetchall()
    newer = new_version(connection, record, is_tombstone=False)
    connection.execute(
        "update marts.fct_report set record_id = %s where report_id = %s", (newer, contributor)
    )
    connection.execute(
        "insert into marts.fct_status_event (report_id, event_number, from_status_code,"
        " is_illegal, record_id) values (%s, 2, 'diterima', false, %s)",
        (contributor, newer),
    )
    connection.execute(
        f"update {MEMBER} set metric_code = 'report_registered' where contributor_id = %s"
        " and metric_code = 'report_pending'",
        (contributor,),
    )


def revoke(connection: psycopg.Connection) -> None:
    """The case that came late is gone again."""
    connection.execute("delete from marts.fct_report where report_id = 'late'")
    connection.execute(f"delete from {MEMBER} where contributor_id = 'late'")


def issue_bare(url: str, settings: Settings, week: str) -> str:
    """Publish a week whose files nobody looks at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "render", lambda e: {"edisi.html": e.content_hash.encode()})
        return issue(url, settings, week)


def printed(found: Edition) -> set[tuple[str, ...]]:
    """The lines of the table of changes."""
    (section,) = [s for s in render.document(found).sections if s.id == "perubahan"]
    return {tuple(cell.text for cell in row) for table in section.tables for row in table.rows}


CASES = "Dugaan pelanggaran"


@pytest.mark.parametrize("week", ["2024-W43", "2024-W41"])
def test_a_week_without_an_edition(warehouse: str, settings: Settings, week: str) -> None:
    """Editions begin with W44; W43 was its week before, W41 only a part of its sums and trend."""
    change(warehouse, lambda connection: late(connection, week))
    found = restated(warehouse, settings)
    by_edition = {f"{w}-r1": store.load(f"{w}-r1", database_url=warehouse) for w in (OLD, NEXT)}
    published_before = dict(by_edition[f"{NEXT}-r1"].trend["suspected_violation", "ALL"])[week]
    lines = {line for line in printed(found) if line[1].startswith(f"{CASES},")}
    why = "diterima terlambat (+1)"
    of_place = by_edition[f"{OLD}-r1"].metric("suspected_violation", "ALL", "19.05")
    assert of_place.previous is not None
    to_date = by_edition[f"{NEXT}-r1"].metric("suspected_violation", "ALL", "19.05").to_date
    province = (
        *(f"{NEXT}-r1", f"{CASES}, pekan {week}", "Provinsi"),
        *(str(published_before), str(published_before + 1), why),
    )
    place = {
        "2024-W43": (
            *(f"{OLD}-r1", f"{CASES}, pekan {week}", "Bangka Barat"),
            *(str(of_place.previous), str(of_place.previous + 1), why),
        ),
        "2024-W41": (
            *(f"{NEXT}-r1", f"{CASES}, kumulatif", "Bangka Barat"),
            *(str(to_date), str(to_date + 1), why),
        ),
    }[week]
    assert lines == {province, place}
    for r in found.restatements:
        assert (r.new - r.old, r.late) == (1, 1)
    # published once: the next edition's own trend and sums have it
    issue_bare(warehouse, settings, LATEST)
    with psycopg.connect(warehouse) as connection:
        marked = connection.execute(
            "select of_edition_id, regency_code, period from editions.restatement"
            " where is_headline and edition_id = %s and metric_code = 'suspected_violation'",
            (found.edition_id,),
        ).fetchall()
    assert sorted(marked) == sorted(
        (r.of_edition_id, r.regency_code, r.period)
        for r in found.new_restatements
        if r.metric_code == "suspected_violation"
    )
    assert len(marked) == 2
    assert restated(warehouse, settings, "2024-W47").new_restatements == []


def test_what_was_reported_and_is_as_before_again_is_reported(
    warehouse: str, settings: Settings
) -> None:
    change(warehouse, late)
    issue_bare(warehouse, settings, LATEST)
    change(warehouse, revoke)
    found = restated(warehouse, settings, "2024-W47")
    cases = of_week(found)["suspected_violation", "ALL", "19"]
    assert (cases.new, cases.published_value, cases.is_published) == (
        cases.old,
        cases.old + 1,
        False,
    )
    there = of_week(found)["suspected_violation", "ALL", "19.05"]
    line = (
        *(f"{OLD}-r1", CASES, "Bangka Barat"),
        *(str(there.old),) * 2,
        f"edisi sesudahnya menyebut {there.published_value}",
    )
    assert line in printed(found)
    result = checkpoint.check(found.edition_id, settings=settings, database_url=warehouse)
    assert result.failures == []
    issue_bare(warehouse, settings, "2024-W47")
    assert store.load("2024-W47-r1", database_url=warehouse).state == "published"


def test_a_case_that_went_on_was_not_corrected(warehouse: str, settings: Settings) -> None:
    with psycopg.connect(warehouse) as connection:
        go_on(connection)
        connection.execute(RECOUNT)
    found = restated(warehouse, settings)
    assert {key: (r.edited, r.progressed) for key, r in of_week(found).items()} == {
        (metric, "LP", "19"): (0, by)
        for metric, by in (("report_registered", 1), ("report_pending", -1))
    }
    assert {line[-1] for line in printed(found)} == {
        "perkembangan status (+1)",
        "perkembangan status (−1)",
    }
    # the same change of a case that was moved as well is a correction
    change(
        warehouse,
        lambda connection: connection.execute(
            f"update {MEMBER} set regency_code = '19.00' where contributor_id ="
            " (select report_id from marts.fct_status_event where event_number = 2)"
        ),
    )
    moved = restated(warehouse, settings).restatements
    assert moved
    assert not any(r.progressed for r in moved)


def test_a_draft_that_compared_with_other_editions_is_drafted_anew(
    warehouse: str, settings: Settings
) -> None:
    change(warehouse, late)
    first = restated(warehouse, settings, "2024-W47")
    assert restated(warehouse, settings, "2024-W47").edition_id == first.edition_id
    issue_bare(warehouse, settings, LATEST)
    second = restated(warehouse, settings, "2024-W47")
    assert (first.previous_id, second.previous_id) == (f"{NEXT}-r1", f"{LATEST}-r1")
    assert (first.edition_id, second.edition_id) == ("2024-W47-r1", "2024-W47-r2")
    assert len(first.new_restatements) == 8
    assert second.new_restatements == []


def test_a_change_that_nothing_explains_is_found(
    warehouse: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "render", lambda _: {})  # what is rendered is tried elsewhere
    with psycopg.connect(warehouse) as connection:
        connection.execute(
            "update reporting.rpt_metric set value = value + 1 where metric_code = 'tip'"
            " and week_id = %s and period = 'week' and regency_code in ('19', '19.05')",
            (OLD,),
        )
    found = restated(warehouse, settings)
    assert len(found.restatements) == 2
    with pytest.raises(CheckpointError, match="restatements_are_explained"):
        checkpoint.check(found.edition_id, settings=settings, database_url=warehouse)
