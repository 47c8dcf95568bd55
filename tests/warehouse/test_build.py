"""A build that fails stops before the readers; one that is resumed goes on where it stopped."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from lumbung.errors import BuildError, ConfigurationError
from lumbung.intake.channel.load import read_channels
from lumbung.intake.channel.sync import sync
from lumbung.intake.landing.batch import next_batch_id
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.settings import Settings
from lumbung.warehouse import build as module
from lumbung.warehouse.build import build
from lumbung.warehouse.dbt_runner import invoke_dbt
from lumbung.warehouse.inputs import Watermark, watermark
from lumbung.warehouse.point_in_time import last_known
from lumbung.warehouse.raw_checkpoint import check_raw
from tests.support.databases import fresh_database
from tests.warehouse.conftest import CHANNELS, PROJECT, REPORT, Raw, query, write_channel


def states(url: str, build_id: object) -> dict[str, str]:
    rows = query(url, "select node_name, state from ops.model_run where build_id = %s", build_id)
    return dict(rows)


def last(url: str, columns: str = "state") -> tuple[object, ...]:
    return query(url, f"select {columns} from ops.build order by build_id desc limit 1")[0]


def test_a_file_with_mistakes_takes_nothing_out_of_the_facts(
    tmp_path: Path, office: Settings, built: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(office.channels, tmp_path / "channels")
    (tmp_path / "dbt_project").symlink_to(office.dbt_project)
    (tmp_path / "channels" / "buku.yaml").write_text("title: [\n")
    result = build(settings=Settings(office.home, tmp_path, None), database_url=built)
    (warning,) = result.warnings
    assert warning.startswith("channel buku is not pulled, and what it landed is read as before")
    assert "buku.yaml:2: not YAML" in warning
    assert f"warn     {warning}" in capsys.readouterr().out
    assert not result.is_full, "its field map is the same"
    assert ("buku",) in query(built, "select channel from marts.fct_report")


def test_no_run_of_dbt_searches_the_call_stack(
    office: Settings, built: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`inspect.stack` took most of the time of a run in a process with many modules."""
    search = Mock(return_value=[])
    monkeypatch.setattr("inspect.stack", search)
    arguments = ["--no-write-json", "parse"]
    invoke_dbt(arguments, settings=office, database_url=built, target=module.TARGET)
    search.assert_not_called()


def test_a_part_built_before_the_whole_has_nothing_in_it(
    office: Settings, database_url: str
) -> None:
    Raw(database_url).land("buku", [REPORT])
    build(settings=office, database_url=database_url, select="+int_places__resolved")
    assert query(database_url, "select count(*) from intermediate.int_places__resolved") == [(0,)]
    assert last(database_url, "state, max_batch_id") == ("success", 0)


STATIC = {
    "dim_regency", "dim_district", "dim_village", "dim_issue", "dim_violation_type",
    "dim_stage", "dim_status", "dim_forwarding_target", "dim_campaign_context", "dim_metric",
    "dim_metric_category",
    "rpt_edition_name", "rpt_metric_contributor", "rpt_contributor_record",
    "rpt_edition_contributor",
    "claims_reconcile_as_stated", "relationships_of_seeds",
    "agg_backlog_day", "dim_deadline_rule", "dim_election", "dim_method",
    "dim_non_registration_reason", "dim_role", "dim_week", "fct_case_lifecycle", "obt_case",
    "obt_case_issue", "obt_deadline", "obt_prevention", "obt_recap", "obt_supervision",
    "dim_prevention_form", "dim_prevention_rule", "dim_target_group", "dim_vulnerability_score",
    "dim_observer_organisation", "dim_venue_kind",
    "int_place_names__listed", "int_metric_categories__listed", "int_region_members__listed",
    "int_edition_names__listed", "metrics_are_described",
    "metrics_have_categories",
}  # fmt: skip


def first_models(url: str) -> set[str]:
    """The models that the first build, a full one, ran."""
    rows = query(
        url,
        "select node_name from ops.model_run where resource_type = 'model' and build_id = 1",
    )
    return {name for (name,) in rows}


def models(url: str, build_id: int) -> set[str]:
    rows = query(
        url,
        "select node_name from ops.model_run where resource_type = 'model' and build_id = %s",
        build_id,
    )
    return {name for (name,) in rows}


def test_every_node_is_recorded(built: str) -> None:
    ran = query(
        built,
        "select resource_type, count(*), array_agg(distinct state order by state),"
        " bool_and(duration_seconds >= 0) from ops.model_run where build_id = 1 group by 1",
    )
    kinds = {kind: (number, found) for kind, number, found, _ in ran}
    assert kinds["model"][1] == kinds["seed"][1] == ["success"]
    assert set(kinds["test"][1]) <= {"pass", "warn"}
    assert kinds["model"][0] >= 30
    assert all(timed for *_, timed in ran)
    assert query(
        built,
        "select row_count from ops.model_run where build_id = 1 and node_name = 'dim_district'",
    ) == [(47,)]
    assert query(
        built, "select state, max_batch_id, message from ops.build where build_id = 1"
    ) == [("success", 1, None)]


def test_a_second_build_gives_the_same_and_loads_no_seed_again(
    built: str, office: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    before = query(built, "select * from reporting.rpt_metric order by 1, 2, 3, 4, 5")
    assert len(before) > 1000
    # an increment that was killed is not running any more, and with another raw not resumed
    query(
        built,
        "insert into ops.build (max_batch_id, inputs_hash, seeds_hash, since_build_id)"
        " select max_batch_id + 1, inputs_hash, seeds_hash, build_id from ops.build"
        " where state = 'success'"
        " order by build_id desc limit 1",
    )
    result = build(settings=office, database_url=built, resume=True)
    assert query(built, "select * from reporting.rpt_metric order by 1, 2, 3, 4, 5") == before
    assert models(built, result.build_id) == first_models(built) - STATIC
    assert not result.is_full
    assert "seed" not in result.counts
    assert result.summary()["build_id"] == result.build_id
    assert query(built, "select state from ops.build where build_id = %s", result.build_id - 1) == [
        ("abandoned",)
    ]
    assert re.search(r"success +publish fct_report +\d+\.\d\d s  0 rows\n", capsys.readouterr().out)


def test_a_table_of_other_columns_is_named(built: str, office: Settings) -> None:
    query(built, "alter table intermediate.int_weeks__spanned add column lain int")
    try:
        with pytest.raises(BuildError, match=r"columns of .*int_weeks__spanned.* have changed"):
            build(settings=office, database_url=built, select="int_weeks__spanned")
    finally:
        query(built, "alter table intermediate.int_weeks__spanned drop column lain")


@pytest.mark.slow
def test_an_increment_restores_views_that_a_build_of_selected_nodes_dropped(
    built: str, office: Settings
) -> None:
    view = "select to_regclass('reporting_next.rpt_metric_contributor') is not null"
    build(settings=office, database_url=built, select="fct_report")
    assert query(built, view) == [(False,)]
    result = build(settings=office, database_url=built)
    assert not result.is_full
    assert query(built, view) == [(True,)]
    assert models(built, result.build_id) == first_models(built)
    result = build(settings=office, database_url=built)
    assert models(built, result.build_id) == first_models(built) - STATIC


def test_a_build_of_selected_nodes_keeps_the_review_list(built: str, office: Settings) -> None:
    build(settings=office, database_url=built)  # an increment without changes lists no item
    item = "marts.fct_review_item where item_id = 'x'"
    query(
        built,
        "insert into marts.fct_review_item (check_code, item_id, regency_code, severity, owner,"
        " channel, detail, delivery_id, record_count, since_date, remediation) values"
        " ('word_unknown', 'x', '19.01', 'review', 'x', 'buku', 'x', 'x', 1, '2024-11-20', 'x')",
    )
    try:
        found = build(settings=office, database_url=built, select="fct_review_item").warnings
        assert [each.partition(":")[0] for each in found] == ["fct_review_item"]
        assert query(built, f"select count(*) from {item}") == [(1,)]
    finally:
        query(built, f"delete from {item}")


def test_nothing_lies_in_the_checkout(office: Settings, built: str) -> None:
    project = office.dbt_project.resolve()
    assert [
        name
        for name in ("target", "logs", ".user.yml", "dbt_packages")
        if (project / name).exists()
    ] == []
    assert (office.home / "dbt" / "target" / "partial_parse.msgpack").is_file()


def test_schemas_are_named_exactly(built: str) -> None:
    rows = query(
        built,
        "select nspname from pg_namespace where nspname !~ '^(pg|dev)_' and nspname not in"
        " ('information_schema', 'public') order by 1",
    )
    ours = {"raw", "vault", "quarantine", "ops", "reference", "published", "editions"}
    dbt = {"staging", "intermediate", "marts_next", "reporting_next", "reference_next", "checks"}
    ours |= {"marts", "reporting"}
    assert {name for (name,) in rows} == ours | dbt


def test_a_failing_test_stops_before_the_marts(built: str, office: Settings) -> None:
    shown = query(built, "select xmin::text, * from marts.fct_report")
    metrics = query(built, "select 'reporting.rpt_metric'::regclass::oid")
    before = query(built, "select max(max_batch_id) from ops.build where state = 'success'")

    # a case in another week than its day's, and one that would be counted
    query(built, "update intermediate.int_reports__located set week_id = '2024-W01'")
    raw = Raw(built)
    raw.land("buku", [{**REPORT, "Nomor": "002/LP/PB/Kab/09.01/XI/2024"}])
    with pytest.raises(BuildError) as caught:
        build(settings=office, database_url=built)
    message = str(caught.value)
    assert "test every_fact_is_in_a_week failed on 1 rows" in message
    assert "checks.every_fact_is_in_a_week" in message
    assert "readers keep the previous build" in message
    assert query(built, "select count(*) from checks.every_fact_is_in_a_week") == [(1,)]
    # what readers see is the previous build, table and rows
    assert query(built, "select xmin::text, * from marts.fct_report") == shown
    assert query(built, "select 'reporting.rpt_metric'::regclass::oid") == metrics
    failed_id, state = last(built, "build_id, state")
    assert state == "failed"
    ran = states(built, failed_id)
    assert ran["every_fact_is_in_a_week"] == "fail"
    assert query(built, "select max(max_batch_id) from ops.build where state = 'success'") == before

    # the inputs of the failed build were others, so a resumed build is a whole one
    query(built, "update ops.build set inputs_hash = 'lain' where build_id = %s", failed_id)
    raw.land("kanal_lama", [{"a": 1}, {"a": 2}])
    file = office.channels / "kanal_lama.yaml"
    kept = {"source": {"kind": "register"}, "key": "a", "fields": {"regency": {"from": "a"}}}
    write_channel(file, kept)
    try:
        result = build(settings=office, database_url=built, resume=True)
        assert models(built, result.build_id) == first_models(built)
        assert result.is_full
        assert query(built, "select count(*) from marts.fct_report") == [(len(shown) + 1,)]
        assert query(
            built,
            "select reason_code, record_count from reporting.rpt_not_counted"
            " where channel = 'kanal_lama'",
        ) == [("unknown_kind", 2)]
    finally:
        file.unlink()
        query(built, "delete from raw.record where channel = 'kanal_lama'")
        query(built, "delete from raw.batch where channel = 'kanal_lama'")


@pytest.mark.parametrize("missing", ["map_status.csv", "narrative_term.csv", "_seeds.yml"])
def test_a_seed_file_that_is_missing_is_named(tmp_path: Path, missing: str) -> None:
    shutil.copytree(PROJECT / "dbt_project" / "seeds", tmp_path / "dbt_project" / "seeds")
    file = tmp_path / "dbt_project" / "seeds" / missing
    file.unlink()
    settings = Settings(tmp_path / "home", tmp_path, None)
    for run in (build, check_raw):
        with pytest.raises(
            ConfigurationError, match=f"the seed file {missing} is missing"
        ) as caught:
            run(settings=settings, database_url="postgresql://nobody@127.0.0.1:1/none")
        assert caught.value.where == str(file)
        assert "put it back" in caught.value.remediation


def test_a_resumed_build_runs_only_what_was_left(built: str, office: Settings) -> None:
    query(built, "alter table reference_next.region_alias rename to gone")
    try:
        with pytest.raises(BuildError) as caught:
            build(settings=office, database_url=built)
    finally:
        query(built, "alter table reference_next.gone rename to region_alias")
    assert "model int_place_names__listed failed" in str(caught.value)
    assert 'relation "reference_next.region_alias" does not exist' in str(caught.value)
    assert (
        caught.value.where == "dbt_project/models/intermediate/places/int_place_names__listed.sql"
    )
    (failed_id,) = last(built, "build_id")
    failed = states(built, failed_id)
    finished = {name for name, state in failed.items() if state in ("success", "pass", "warn")}
    assert "stg_intake__records" in finished

    result = build(settings=office, database_url=built, resume=True)
    resumed = states(built, result.build_id)
    assert finished.isdisjoint(resumed)
    assert {"int_places__resolved", "places_are_sound", "fct_report", "rpt_metric"} <= set(resumed)
    assert set(resumed.values()) <= {"success", "pass", "warn"}
    # together they are one whole build
    whole = query(
        built,
        "select node_name from ops.model_run where build_id = 1 and resource_type <> 'seed'",
    )
    assert finished | set(resumed) == {name for (name,) in whole} - (
        set() if result.is_full else STATIC
    )
    assert last(built, "state, resumes_build_id") == ("success", failed_id)


def test_a_channels_owner_needs_no_full_build(built: str, office: Settings) -> None:
    with psycopg.connect(built) as connection:
        run = module._Run(connection, office, built, None)
        before = run._inputs_hash(1)
        for change, is_same in (
            (
                "update reference.channel set owner_name = 'lain',"
                " owner_email = 'lain@example.id', expected_every = '9 days'",
                True,
            ),
            ("update reference.channel set record_kind = 'PREV'", False),
            ("update reference.channel set is_message = not is_message", False),
            (
                "create or replace function ops.term_key(term text) returns text"
                " language sql immutable parallel safe return lower(term)",
                False,
            ),
        ):
            with connection.transaction(force_rollback=True):
                connection.execute(change.encode())
                assert (run._inputs_hash(1) == before) is is_same, change


def test_a_channel_that_is_added_needs_no_full_build(
    built: str, office: Settings, server: EmbeddedPostgres, tmp_path: Path
) -> None:
    url = fresh_database(server, str(conninfo_to_dict(built)["dbname"]), "test")
    project = tmp_path / "project"
    shutil.copytree(office.project, project, symlinks=True)
    write_channel(project / "channels" / "baru.yaml", {**CHANNELS["buku"], "title": "Buku baru"})
    settings = Settings(office.home, project, None)
    ((before,),) = query(url, "select count(*) from marts.fct_report where channel = 'buku'")
    with psycopg.connect(url) as connection:
        sync(connection, *read_channels(settings.channels))  # as a pull does before it lands
    Raw(url).land("baru", [{**REPORT, "Nomor": "012/LP/PB/Kab/09.01/XI/2024"}])
    assert not build(settings=settings, database_url=url).is_full
    assert query(
        url,
        "select channel_name, count(record_id) from marts.dim_channel"
        " left join marts.fct_report using (channel)"
        " where channel in ('baru', 'buku') group by 1 order by 1",  # not those of tests before
    ) == [("Buku baru", 1), ("Kanal rekaan", before)]


def test_what_was_known_at_a_moment_ends_below_what_came_later(database_url: str) -> None:
    raw = Raw(database_url)
    for day in (2, 9, 4):  # the third has the higher id, and was landed before the second
        raw.land("buku", [REPORT], landed_at=datetime(2024, 11, day, tzinfo=UTC))
    with psycopg.connect(database_url) as connection:
        known = {
            day: last_known(connection, datetime(2024, 11, day, 12, tzinfo=UTC))
            for day in (1, 5, 9)
        }
    assert known == {1: 0, 5: 1, 9: 3}


def test_only_one_build_at_a_time(
    built: str, office: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_WAIT", "200ms")
    before = last(built, "build_id")
    with psycopg.connect(built) as other:
        other.execute("select pg_advisory_lock(hashtext('lumbung.build'))")
        with pytest.raises(BuildError, match="another build has not finished"):
            build(settings=office, database_url=built)
    assert last(built, "build_id") == before


def test_a_build_waits_for_smaller_batches_and_leaves_out_later_ones(
    built: str, office: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = query(built, "select count(*) from marts.fct_report")[0][0]
    monkeypatch.setattr(module, "LOCK_WAIT", "200ms")
    raw = Raw(built)
    with psycopg.connect(built) as landing, landing.cursor(binary=True) as cursor:
        batch_id = next_batch_id(cursor, is_dry_run=False)
        # a later landing is done first: the build must not take its batch for the last one
        raw.land("buku", [{**REPORT, "Nomor": "006/LP/PB/Kab/09.01/XI/2024"}])
        with pytest.raises(BuildError, match="a landing has not committed"):
            build(settings=office, database_url=built)
    monkeypatch.undo()
    landed = query(built, "select max(batch_id) from raw.batch")[0][0]
    assert batch_id < landed

    def land_meanwhile(connection: psycopg.Connection) -> Watermark:
        seen = watermark(connection)
        raw.land("buku", [{**REPORT, "Nomor": "007/LP/PB/Kab/09.01/XI/2024"}], quarantined=1)
        return seen

    monkeypatch.setattr(module, "watermark", land_meanwhile)
    assert build(settings=office, database_url=built).max_batch_id == landed
    assert query(built, "select count(*) from marts.fct_report") == [(before + 1,)]
    monkeypatch.undo()
    assert build(settings=office, database_url=built).max_batch_id == landed + 1
    assert query(built, "select count(*) from marts.fct_report") == [(before + 2,)]


def test_a_project_that_cannot_be_parsed_is_named(
    built: str, office: Settings, tmp_path: Path
) -> None:
    broken = Settings(tmp_path / "home", tmp_path / "project", None)
    models = broken.dbt_project / "models"
    models.mkdir(parents=True)
    broken.channels.symlink_to(office.channels)
    for name in ("dbt_project.yml", "profiles.yml", "macros", "seeds"):
        (broken.dbt_project / name).symlink_to(office.dbt_project / name)
    (models / "torn.sql").write_text("select {{ ref(")
    with pytest.raises(BuildError, match=r"dbt could not run: .*torn\.sql"):
        build(settings=broken, database_url=built)
    assert last(built) == ("failed",)
