"""The life of an edition: idempotent by content, append-only, one way through its states."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from lumbung.errors import CheckpointError, PublicationError, ServiceError
from lumbung.publication.checks import checkpoint
from lumbung.publication.editions import freezing, publishing, review, schedule
from lumbung.publication.formats import render
from lumbung.publication.formats.render import document
from lumbung.publication.model import store
from lumbung.publication.model.edition import MetricValue
from lumbung.settings import JAKARTA, Settings
from lumbung.warehouse.build_lock import hold_builds_off
from lumbung.warehouse.roles import role_url
from tests.publication.test_render import BOUNDARIES
from tests.support.edition_sample import DETAILS, MISSING, WEEK, pass_checkpoint

pytestmark = pytest.mark.usefixtures("paper_as_text")


def freeze(url: str, settings: Settings, week: str = WEEK) -> str:
    edition_id = freezing.freeze(week, settings=settings, database_url=url)
    pass_checkpoint(url, edition_id)
    return edition_id


def execute(url: str, statement: str, *parameters: object) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement, parameters)


def count(url: str, table: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(f"select count(*) from {table}").fetchone()
        assert row
        return int(row[0])


def test_frozen_metrics_are_those_of_the_marts(
    url: str, settings: Settings, metrics: dict[tuple[str, str, str, str, str], int]
) -> None:
    found = store.load(freeze(url, settings), database_url=url)
    before = "2024-W46"
    expected = {
        (metric, category, regency): MetricValue(
            value,
            metrics[metric, category, regency, WEEK, "to_date"],
            metrics[metric, category, regency, before, "week"],
        )
        for (metric, category, regency, week, period), value in metrics.items()
        if week == WEEK and period == "week" and (regency == "19" or metric not in DETAILS)
    }
    assert len(expected) > 300
    assert found.metrics == expected
    assert {s.district_code for s in found.submissions if not s.is_submitted} == MISSING
    assert len(found.submissions) == 47
    assert found.as_of == datetime(2024, 11, 24, 23, tzinfo=UTC)
    weeks = [week for week, _ in found.trend["suspected_violation", "ALL"]]
    assert (weeks[0], weeks[-1], len(weeks)) == ("2024-W39", WEEK, 9)
    totals = {(n.channel, n.reason_code): (n.week, n.to_date) for n in found.not_counted}
    assert totals["wa_aduan", "not_a_report"] == (27, 58)
    assert totals["register_laporan", "unreadable_date"] == (0, 1)


def test_first_week_has_no_week_before(url: str, settings: Settings) -> None:
    found = store.load(freeze(url, settings, "2024-W39"), database_url=url)
    assert found.metric("suspected_violation").previous is None


def test_contributors_are_the_facts_up_to_the_week(
    url: str, settings: Settings, metrics: dict[tuple[str, str, str, str, str], int]
) -> None:
    edition_id = freeze(url, settings, "2024-W44")
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select count(*), max(week_id) from published.metric_contributor where edition_id = %s"
            " and metric_code = 'tip'",
            (edition_id,),
        ).fetchone()
    assert row == (metrics["tip", "ALL", "19", "2024-W44", "to_date"], "2024-W44")


def test_same_content_is_the_same_edition(url: str, settings: Settings) -> None:
    first = freeze(url, settings)
    assert first == "2024-W47-r1"
    assert freeze(url, settings) == first
    assert count(url, "published.edition") == 1
    review.approve(first, by="Ketua Contoh", database_url=url)
    publishing.publish(first, settings=settings, database_url=url)
    assert freeze(url, settings) == first


@pytest.mark.parametrize(
    "statement",
    [
        "update reporting.rpt_metric set value = value + 1 where week_id = '2024-W47'"
        " and metric_code = 'tip' and regency_code in ('19', '19.01')",
        "delete from reporting.rpt_metric_contributor where ctid in"
        " (select min(ctid) from reporting.rpt_metric_contributor)",
        "update reporting.rpt_edition_name set category_name = 'Nama lain'"
        " where category_code = 'PU'",
        "update marts.fct_submission set row_count = 9 where week_id = '2024-W47'",
        "update reporting.rpt_not_counted set record_count = 99 where week_id = '2024-W41'",
    ],
)
def test_other_content_is_the_next_revision(url: str, settings: Settings, statement: str) -> None:
    first = freeze(url, settings)
    execute(url, statement)
    assert freeze(url, settings) == "2024-W47-r2"
    assert store.load(first, database_url=url).revision == 1


def test_a_rejected_draft_makes_room_for_the_next(url: str, settings: Settings) -> None:
    first = freeze(url, settings)
    review.reject(first, by="Ketua Contoh", comment="periksa Belitung", database_url=url)
    assert store.load(first, database_url=url).state == "rejected"
    assert freeze(url, settings) == "2024-W47-r2"
    with pytest.raises(PublicationError, match="rejected"):
        review.approve(first, by="Ketua Contoh", database_url=url)


def test_an_older_draft_cannot_be_approved(url: str, settings: Settings) -> None:
    first = freeze(url, settings)
    execute(url, "update reporting.rpt_not_counted set record_count = record_count + 1")
    freeze(url, settings)
    with pytest.raises(PublicationError, match="2024-W47-r2"):
        review.approve(first, by="Ketua Contoh", database_url=url)


def test_a_missed_monday_is_due_once_and_only_after_the_first_edition(
    url: str, settings: Settings
) -> None:
    def due(week: str, latest: str = "2024-W47") -> bool:
        return schedule.is_due(week, latest=latest, office="", database_url=url)

    def built(moment: str, max_batch_id: int = 9, seeds: str = "x") -> None:
        execute(
            url,
            "insert into ops.build (state, max_batch_id, inputs_hash, seeds_hash, started_at)"
            " values ('success', %s, '', %s, %s)",
            max_batch_id,
            seeds,
            moment,
        )

    built("2024-11-10T16:59:00Z")  # Sunday 23:59 WIB: W45 has not ended yet
    assert not due("2024-W44")  # an office that has never published begins with the newest week
    with pytest.raises(ServiceError, match=r"not been built with all that was landed.*W45"):
        due("2024-W45", latest="2024-W45")
    built("2024-11-10T17:00:00Z", seeds="")  # of a part: says nothing of the whole
    built("2024-11-10T17:00:00Z", max_batch_id=6)  # without the last batch of W45, which had come
    execute(url, "update raw.batch set landed_count = read_count + 1, read_count = 1")
    with pytest.raises(ServiceError, match="W45"):
        due("2024-W45", latest="2024-W45")
    built("2024-11-10T17:00:00Z", max_batch_id=7)
    assert due("2024-W45", latest="2024-W45")
    assert schedule.is_due(
        "2024-W45", latest="2024-W45", office="", database_url=role_url(url, "publisher")
    )
    first = freeze(url, settings, "2024-W44")
    assert not due("2024-W45")
    review.approve(first, by="Ketua Contoh", database_url=url)
    publishing.publish(first, settings=settings, database_url=url)
    assert not due("2024-W43")
    assert not due("2024-W44")
    assert due("2024-W45")
    with pytest.raises(ServiceError, match="W46"):  # what was known is not in the marts yet
        due("2024-W46")


@pytest.mark.parametrize("week", ["2024-W12", "2024-47", "2024-W60"])
def test_a_week_without_metrics_is_refused(url: str, settings: Settings, week: str) -> None:
    with pytest.raises(PublicationError, match="week"):
        freeze(url, settings, week)
    assert count(url, "published.edition") == 0


def test_a_week_that_has_not_ended_is_refused(url: str, settings: Settings) -> None:
    this_week = "{}-W{:02}".format(*datetime.now(JAKARTA).isocalendar())
    execute(
        url,
        "insert into reporting.rpt_metric select metric_code, category_code, regency_code, %s,"
        " period, value from reporting.rpt_metric where week_id = '2024-W39'",
        this_week,
    )
    with pytest.raises(PublicationError, match=f"has not ended.*{this_week}"):
        freeze(url, settings, this_week)
    assert count(url, "published.edition") == 0


def test_a_build_that_runs_is_waited_for(
    url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freezing, "BUILD_WAIT", "200ms")
    with psycopg.connect(url, autocommit=True) as builder:
        builder.execute("select pg_advisory_lock(hashtext('lumbung.build'))")
        with pytest.raises(ServiceError, match="has not finished within 200ms"):
            freeze(url, settings)
        builder.execute("select pg_advisory_unlock(hashtext('lumbung.build'))")
        assert freeze(url, settings) == "2024-W47-r1"
        # and where it freezes nobody builds
        hold_builds_off(builder, "200ms", command="a freeze")
        with psycopg.connect(url, autocommit=True) as other:
            tried = other.execute("select pg_try_advisory_lock(hashtext('lumbung.build'))")
            assert tried.fetchone() == (False,)


def test_the_as_of_is_the_build_s(url: str, settings: Settings) -> None:
    def built(moment: str) -> None:
        execute(
            url,
            "insert into ops.build (state, max_batch_id, inputs_hash, seeds_hash, started_at)"
            " values ('success', 9, 'x', 'x', %s)",
            moment,
        )

    built("2024-11-25T00:10:00Z")
    found = store.load(freeze(url, settings), database_url=url)
    assert found.data_at == datetime(2024, 11, 25, 0, 10, tzinfo=UTC)
    said = "Data per Senin, 25 November 2024 pukul 07.10"
    pages = document(found)
    assert any(said in " ".join(line.split()) for line in pages.meta)
    sources = [t.source for section in pages.sections for t in section.tables if t.source]
    assert len(sources) > 10
    assert all(said in " ".join(source.split()) for source in sources)
    built("2024-11-25T02:00:00Z")  # with nothing new it is the same edition
    assert freeze(url, settings) == found.edition_id


def test_an_office_with_a_map_of_its_own_and_one_language(
    url: str, settings: Settings, tmp_path: Path
) -> None:
    """Frozen with the edition: later the file may be gone."""
    own = Settings(settings.home, tmp_path / "project", None)
    shutil.copytree(settings.config, own.config)
    for name in ("dbt_project", "expectations"):
        (own.project / name).symlink_to(settings.project / name)
    office = own.config / "edition.yaml"
    office.write_text(
        office.read_text(encoding="utf-8").replace("languages: [id, en]", "languages: [id]")
        + "\nboundary_file: batas.geojson\nboundary_code: kode\n",
        encoding="utf-8",
    )
    (own.config / "batas.geojson").write_text(json.dumps(BOUNDARIES))
    execute(url, "update marts.dim_regency set tile_row = null, tile_col = null")
    edition_id = freezing.freeze(WEEK, settings=own, database_url=url)
    (own.config / "batas.geojson").unlink()
    found = store.load(edition_id, database_url=url)
    squares = {r.code: r.outline for r in found.regencies if not r.is_unknown}
    assert len(squares) == 7
    assert squares["19.01"] == (((4, 4), (54.5, 4), (54.5, 54.5), (4, 54.5), (4, 4)),)
    assert [r.outline for r in found.regencies if r.is_unknown] == [()]
    draft = review.write_draft(edition_id, settings=own, database_url=url)
    page = (own.home / "drafts" / edition_id / "edisi.html").read_text(encoding="utf-8")
    assert "M4,4 54.5,4 54.5,54.5 4,54.5 4,4Z" in page
    assert not [name for name in draft if name.startswith("en/")]
    assert checkpoint.check(edition_id, settings=own, database_url=url).failures == []


def test_an_unbuilt_warehouse_is_reported(database_url: str, settings: Settings) -> None:
    with pytest.raises(PublicationError, match="lumbung build"):
        freeze(database_url, settings)


def test_decision_names_the_bytes_reviewed(url: str, settings: Settings) -> None:
    edition_id = freeze(url, settings)
    reviewed = review.write_draft(edition_id, settings=settings, database_url=url)
    folder = settings.home / "drafts" / edition_id
    assert set(reviewed) == {f.relative_to(folder).as_posix() for f in folder.rglob("*.*")}
    assert {"edisi.html", "edisi.pdf", "edisi.xlsx", "data/angka.csv"} <= set(reviewed)
    stored = store.draft_files(edition_id, database_url=url)
    assert stored.keys() == reviewed.keys()
    for name, sha256 in reviewed.items():
        assert (folder / name).read_bytes() == stored[name]
        assert hashlib.sha256(stored[name]).hexdigest() == sha256
    with pytest.raises(PublicationError, match="reviewed"):
        review.approve(
            edition_id, by="K", reviewed=dict.fromkeys(reviewed, "0" * 64), database_url=url
        )
    assert store.load(edition_id, database_url=url).state == "draft"
    review.approve(edition_id, by="Ketua Contoh", reviewed=reviewed, database_url=url)
    decision = store.load(edition_id, database_url=url).decision
    assert decision
    assert dict(decision.reviewed) == reviewed
    review.approve(edition_id, by="Ketua Contoh", reviewed=reviewed, database_url=url)
    assert store.load(edition_id, database_url=url).decision == decision
    for decide, by in ((review.approve, "Orang Lain"), (review.reject, "Ketua Contoh")):
        with pytest.raises(PublicationError, match="approved, not draft"):
            decide(edition_id, by=by, reviewed=reviewed, database_url=url)
    with pytest.raises(PublicationError, match="approved, not draft"):
        review.write_draft(edition_id, settings=settings, database_url=url)


def test_only_what_was_reviewed_is_published(
    url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition_id = freeze(url, settings)
    reviewed = review.write_draft(edition_id, settings=settings, database_url=url)
    review.approve(edition_id, by="Ketua Contoh", reviewed=reviewed, database_url=url)
    templates = settings.home / "templates"
    shutil.copytree(render.TEMPLATES, templates)
    page = templates / "siaran-pers.txt.j2"
    page.write_text(page.read_text(encoding="utf-8") + "Satu kalimat lagi.\n", encoding="utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(render, "TEMPLATES", templates)
        render._environment.cache_clear()
        with pytest.raises(PublicationError, match="no longer renders to the files"):
            publishing.publish(edition_id, settings=settings, database_url=url)
        # What is asked about next is a draft of the new form.
        assert freeze(url, settings) == "2024-W47-r2"
    render._environment.cache_clear()
    assert count(url, "published.artefact") == 0
    publishing.publish(edition_id, settings=settings, database_url=url)
    assert store.load(edition_id, database_url=url).state == "published"


def test_an_unchecked_edition_cannot_be_approved(url: str, settings: Settings) -> None:
    edition_id = freezing.freeze(WEEK, settings=settings, database_url=url)
    with pytest.raises(PublicationError, match="has not passed the publication checkpoint"):
        review.approve(edition_id, by="Ketua Contoh", database_url=url)
    execute(
        url,
        "insert into published.approval (edition_id, decision, how, decided_by, reviewed)"
        " values (%s, 'approved', 'person', 'x', '{}')",
        edition_id,
    )
    with pytest.raises(
        psycopg.errors.RestrictViolation, match="no valid pass of the publication checkpoint"
    ):
        execute(url, "update published.edition set state = 'approved'")


def test_published_folder_and_rows_are_the_same_bytes(url: str, settings: Settings) -> None:
    edition_id = freeze(url, settings)
    with pytest.raises(PublicationError, match="approve it first"):
        publishing.publish(edition_id, settings=settings, database_url=url)
    assert not settings.editions.exists()
    review.approve(edition_id, by="demo", how="demo", database_url=url)
    paths = publishing.publish(edition_id, settings=settings, database_url=url)
    folder = settings.editions / edition_id
    assert sorted(paths) == sorted(str(f) for f in folder.rglob("*") if f.is_file())
    with psycopg.connect(url) as connection:
        stored = connection.execute(
            "select name, sha256, byte_count from published.artefact"
        ).fetchall()

    def read() -> list[tuple[str, bytes]]:
        return [(Path(p).relative_to(folder).as_posix(), Path(p).read_bytes()) for p in paths]

    on_disk = read()
    assert sorted(stored) == sorted((n, hashlib.sha256(c).hexdigest(), len(c)) for n, c in on_disk)
    (folder / "data" / "angka.csv~").write_text("somebody's own")
    assert publishing.publish(edition_id, settings=settings, database_url=url) == paths
    assert sorted(paths) == sorted(str(f) for f in folder.rglob("*") if f.is_file())
    (folder / "edisi.html").write_text("damaged")
    (folder / "edisi.pdf").unlink()
    shutil.rmtree(folder / "data")
    assert publishing.publish(edition_id, settings=settings, database_url=url) == paths
    assert read() == on_disk
    assert [p.name for p in settings.editions.iterdir()] == [edition_id]


def test_personal_data_stops_publication(url: str, settings: Settings) -> None:
    execute(
        url,
        "update reference.channel set title = 'hubungi 0812-3456-7890' where channel = 'wa_aduan'",
    )
    edition_id = freeze(url, settings)
    review.approve(edition_id, by="demo", how="demo", database_url=url)
    with pytest.raises(CheckpointError, match="a phone number"):
        publishing.publish(edition_id, settings=settings, database_url=url)
    assert store.load(edition_id, database_url=url).state == "approved"
    assert not settings.editions.exists()


def test_published_rows_never_change(url: str, settings: Settings) -> None:
    edition_id = freeze(url, settings)
    review.approve(edition_id, by="demo", how="demo", database_url=url)
    publishing.publish(edition_id, settings=settings, database_url=url)
    with psycopg.connect(url) as connection:
        tables = {
            name
            for (name,) in connection.execute(
                "select table_name from information_schema.tables where table_schema = 'published'"
            )
        }
    publisher = role_url(url, "publisher")
    assert tables == {
        "edition",
        "metric",
        "trend",
        "district_metric",
        "metric_contributor",
        "contributor_record",
        "restatement",
        "waiver",
        "submission",
        "deadline",
        "profile",
        "not_counted",
        "checkpoint_pass",
        "approval",
        "artefact",
        "edition_root",
        "mailing",
    }
    for table in sorted(tables):
        assert count(url, f"published.{table}") > 0 or table in ("restatement", "waiver", "mailing")
        for statement in (
            f"update published.{table} set edition_id = edition_id || 'x'",
            f"delete from published.{table}",
            f"truncate published.{table} cascade",
        ):
            with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
                execute(url, statement)
            if table == "edition" and statement.startswith("update"):
                continue  # its state moves on; the trigger guards the rest
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                execute(publisher, statement)


def test_an_edition_only_moves_on(url: str, settings: Settings) -> None:
    edition_id = freeze(url, settings)
    for statement, reason in (
        ("update published.edition set state = 'published'", "cannot go from draft to published"),
        ("update published.edition set state = 'approved'", "no decision"),
        ("update published.edition set as_of = as_of + interval '1 day'", "append-only"),
        ("delete from published.edition", "append-only"),
        ("truncate published.edition cascade", "append-only"),
        (
            "insert into published.artefact values ('2024-W47-r1', 'x', encode(sha256('x'), 'hex'),"
            " 1, 'x')",
            "not approved",
        ),
    ):
        with pytest.raises(psycopg.errors.RestrictViolation, match=reason):
            execute(url, statement)
    review.approve(edition_id, by="demo", how="demo", database_url=url)
    with pytest.raises(psycopg.errors.RestrictViolation, match="no artefacts"):
        execute(url, "update published.edition set state = 'published'")
    with pytest.raises(psycopg.errors.RestrictViolation, match="from approved to draft"):
        execute(url, "update published.edition set state = 'draft'")
    publishing.publish(edition_id, settings=settings, database_url=url)
    for state in ("draft", "approved", "rejected"):
        with pytest.raises(psycopg.errors.RestrictViolation, match="from published"):
            execute(url, f"update published.edition set state = '{state}'")


def test_a_metric_slipped_in_is_noticed(url: str, settings: Settings) -> None:
    edition_id = freeze(url, settings)
    execute(url, "insert into published.trend values ('2024-W47-r1', 'tip', 'ALL', '2024-W38', 5)")
    with pytest.raises(PublicationError, match="not those that were frozen"):
        store.load(edition_id, database_url=url)


def test_unknown_edition(url: str) -> None:
    with pytest.raises(PublicationError, match="no edition 2024-W01-r1"):
        store.load("2024-W01-r1", database_url=url)


@pytest.mark.parametrize(
    ("moment", "week"),
    [
        (datetime(2024, 11, 24, 23, 0, tzinfo=UTC), "2024-W47"),  # Monday 06:00 WIB
        (datetime(2024, 11, 24, 16, 59, tzinfo=UTC), "2024-W46"),  # Sunday 23:59 WIB
        (datetime(2025, 1, 6, 0, 0, tzinfo=UTC), "2025-W01"),
        (datetime(2025, 1, 4, 0, 0, tzinfo=UTC), "2024-W52"),
    ],
)
def test_week_before(moment: datetime, week: str) -> None:
    assert schedule.week_before(moment) == week
