"""The models themselves: layers never backwards, contracts, descriptions, unit tests."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lumbung import reference, registry
from lumbung.settings import Settings
from lumbung.warehouse import publish
from lumbung.warehouse.build import build
from lumbung.warehouse.dbt_runner import dbt_environment
from tests.warehouse.conftest import PROJECT, Raw, query, write_channel

LAYERS = ["staging", "intermediate", "marts", "reporting"]
PREFIXES = {
    "staging": ("stg_",),
    "intermediate": ("int_",),
    "marts": ("dim_", "fct_", "bridge_", "agg_", "obt_"),
    "reporting": ("rpt_",),
}
# docs/reference/dictionary.md lists their columns
MARTS = {
    "dim_regency", "dim_district", "dim_date", "dim_issue", "dim_violation_type", "dim_channel",
    "fct_report", "fct_supervision", "fct_prevention", "fct_submission", "fct_regency_week",
    "bridge_report_issue", "bridge_report_violation_type",
    "dim_village", "dim_stage", "dim_status", "fct_regency_day", "fct_status_event", "fct_deadline",
    "agg_issue_profile", "fct_report_pair", "fct_review_item",
    "dim_forwarding_target", "dim_campaign_context", "dim_metric", "dim_metric_category",
    "dim_prevention_form", "dim_target_group", "dim_venue_kind", "dim_observer_organisation",
    "bridge_prevention_issue", "bridge_prevention_target_group",
    "fct_prevention_plan", "agg_prevention_need", "agg_outreach", "agg_participation",
    "agg_village_reach", "dim_prevention_rule", "dim_vulnerability_score",
    "dim_week", "dim_role", "dim_method", "dim_election", "dim_non_registration_reason",
    "dim_deadline_rule", "obt_case", "obt_case_issue", "obt_deadline", "obt_supervision",
    "obt_prevention", "obt_recap", "fct_case_lifecycle", "agg_backlog_day",
    "fct_case_version",
}  # fmt: skip
REPORTING = {
    "rpt_metric", "rpt_metric_contributor", "rpt_contributor_record", "rpt_not_counted",
    "rpt_channel_completeness", "rpt_before_campaign", "rpt_edition_contributor",
    "rpt_edition_name",
}  # fmt: skip
SEEDS = {
    "regency", "district", "village", "region_alias", "issue", "violation_type", "role", "status",
    "stage", "map_issue", "map_violation_type", "map_role", "map_status", "map_record_kind",
}  # fmt: skip


@pytest.fixture(scope="module")
def manifest(built: str, office: Settings) -> Iterator[Any]:
    from dbt.cli.main import dbtRunner

    with dbt_environment(built):
        parsed = dbtRunner().invoke(["--log-level", "none", "parse", *_options(office)])
        assert parsed.success, parsed.exception
        yield parsed.result


def _options(office: Settings) -> list[str]:
    project = str(office.dbt_project)
    target, log = office.home / "dbt" / "target", office.home / "dbt" / "logs"
    return [
        "--project-dir", project, "--profiles-dir", project,
        "--target-path", str(target), "--log-path", str(log),
    ]  # fmt: skip


def models(manifest: Any) -> dict[str, Any]:
    return {n.name: n for n in manifest.nodes.values() if n.resource_type == "model"}


def layer(node: Any) -> str:
    return str(Path(node.original_file_path).parts[1])


def test_the_models_are_those_of_the_architecture(manifest: Any) -> None:
    found = models(manifest)
    assert {name for name, node in found.items() if layer(node) == "marts"} == MARTS
    assert {name for name, node in found.items() if layer(node) == "reporting"} == REPORTING
    assert {n.name for n in manifest.nodes.values() if n.resource_type == "seed"} >= SEEDS


def test_all_about_a_model_stands_in_the_file_beside_it(manifest: Any) -> None:
    """Its description, contract, tests and unit tests; a folder per layer and one per subject."""
    for name, node in models(manifest).items():
        file = Path(node.original_file_path)
        assert len(file.parts) == 4, name
        beside = file.with_suffix(".yml").as_posix()
        assert node.patch_path == f"lumbung://{beside}"
        about = [*manifest.unit_tests.values(), *manifest.nodes.values()]
        for test in about:
            if test.resource_type == "unit_test" and test.model == name:
                assert test.original_file_path == beside, test.name
            if getattr(test, "attached_node", None) == node.unique_id:
                assert test.original_file_path == beside, test.name


def test_layers_never_go_backwards(manifest: Any) -> None:
    checked = 0
    for name, node in models(manifest).items():
        assert name.startswith(PREFIXES[layer(node)]), name
        assert node.schema.removesuffix(publish.NEXT) == layer(node)
        for parent in node.depends_on.nodes:
            kind, *_, parent_name = parent.split(".")
            if kind == "source":
                # raw itself is read by staging; the landing's counts and reasons further on
                assert parent_name != "record" or layer(node) in ("staging", "intermediate"), name
            if kind == "model":
                before = layer(manifest.nodes[parent])
                assert LAYERS.index(before) <= LAYERS.index(layer(node)), f"{parent_name} -> {name}"
                checked += 1
    assert checked > 40


def test_nothing_that_dbt_builds_is_what_readers_see(manifest: Any) -> None:
    """Every check stands before readers: only lumbung.warehouse.publish writes their tables."""
    built = [n for n in manifest.nodes.values() if n.resource_type in ("model", "seed")]
    assert {node.schema for node in built} == {
        "staging", "intermediate", "marts_next", "reporting_next", "reference_next",
    }  # fmt: skip
    published = {node.name for node in built if publish.is_published(node)}
    assert published == MARTS | REPORTING | {n.name for n in built if n.resource_type == "seed"}


def test_marts_have_contracts_owners_and_descriptions(manifest: Any) -> None:
    for name in MARTS | REPORTING:
        node = models(manifest)[name]
        assert node.config.contract.enforced, name
        assert node.config.materialized in ("table", "incremental", "view"), name
        assert node.config.meta["owner"], name
        assert len(node.description) > 20, name
        assert node.columns, name
        for column in node.columns.values():
            assert len(column.description) > 5, f"{name}.{column.name}"
            assert column.data_type, f"{name}.{column.name}"
    undescribed = [n for n, node in models(manifest).items() if not node.description]
    assert undescribed == []


def test_report_in_a_name_means_a_record_that_was_received(manifest: Any) -> None:
    """A formal report is a laporan, and what is published an edition."""
    marts = {
        name: node.columns
        for name, node in models(manifest).items()
        if layer(node) in ("marts", "reporting")
    }
    assert {name for name in marts if "report" in name} == {
        *("fct_report", "fct_report_pair", "bridge_report_issue", "bridge_report_violation_type"),
    }
    assert {column for each in marts.values() for column in each if "report" in column} == {
        *("report_id", "report_id_a", "report_id_b", "reporter_key"),
    }


def test_every_check_has_an_owner_and_a_remediation(manifest: Any) -> None:
    tests = [n for n in manifest.nodes.values() if n.resource_type == "test"]
    assert len(tests) > 10
    for test in tests:
        assert {"owner", "remediation"} <= test.config.meta.keys(), test.name
        assert len(test.config.meta["remediation"]) > 15, test.name


def test_what_is_not_for_readers_is_private(manifest: Any) -> None:
    (group,) = manifest.groups.values()
    assert group.owner.name
    for name, node in models(manifest).items():
        wanted = "public" if layer(node) in ("marts", "reporting") else "private"
        assert (node.access.value, node.group) == (wanted, group.name), name


def test_exposures_name_what_their_consumers_read(manifest: Any) -> None:
    """Found in the code and the documents; a file of open data reads what the edition froze."""
    exposures = manifest.exposures.values()
    needs = {each.name: {n.split(".", 2)[2] for n in each.depends_on.nodes} for each in exposures}
    publication = PROJECT / "src" / "lumbung" / "publication"
    sheet = publication / "delivery" / "sheet.py"
    folders = {
        "weekly_edition": [
            *(file for file in publication.rglob("*.py") if file != sheet),
            *publication.rglob("*.sql"),
            PROJECT / "src" / "lumbung" / "warehouse" / "prevention_effect.py",  # freezing calls it
        ],
        "leadership_sheet": [sheet],
        "review_list": [PROJECT / "src" / "lumbung" / "stewardship.py"],
        "twenty_questions": [PROJECT / "docs" / "how-to" / "query-the-marts.md"],
    }
    for name, files in folders.items():
        text = "\n".join(file.read_text(encoding="utf-8") for file in files)
        if name == "twenty_questions":
            text = "\n".join(re.findall(r"```sql\n(.+?)```", text, re.DOTALL))
        relations = re.findall(r"(?:from|join)\s+((?:marts|reporting|reference)\.\w+)", text)
        read = {relation.split(".")[1] for relation in relations}
        stated = {need.removeprefix("reference.") for need in needs[name]}
        assert len(read) > 1
        assert stated == read, name
        private = set(re.findall(r"(?:from|join)\s+(?:staging|intermediate)\.(\w+)", text))
        assert private == set(), name
    for name, nodes in needs.items():
        if name == "portal" or name.startswith("open_data_"):
            assert nodes <= needs["weekly_edition"], name
    assert len(needs) >= 12
    for each in exposures:
        assert each.owner.name, each.name


def test_the_database_holds_keys_not_nulls_and_comments(built: str, manifest: Any) -> None:
    keys = query(
        built,
        "select c.relname from pg_constraint as k inner join pg_class as c on k.conrelid = c.oid"
        " inner join pg_namespace as n on c.relnamespace = n.oid"
        " where k.contype = 'p' and n.nspname in ('marts', 'reporting')",
    )
    found = models(manifest).items()
    views = {name for name, node in found if node.config.meta.get("published_as") == "view"}
    keyless = {"rpt_not_counted", *views}  # it has rows whose week is not known
    assert {name for (name,) in keys} == (MARTS | REPORTING) - keyless
    bare = query(
        built,
        "select c.relname, a.attname from pg_attribute as a inner join pg_class as c"
        " on a.attrelid = c.oid inner join pg_namespace as n on c.relnamespace = n.oid"
        " where n.nspname in ('marts', 'reporting', 'reference') and c.relkind in ('r', 'v')"
        " and a.attnum > 0 and not a.attisdropped"
        " and has_table_privilege('analyst_province', c.oid, 'select')"
        " and col_description(c.oid, a.attnum) is null",
    )
    assert bare == []


def test_no_personal_field_can_reach_a_mart(built: str) -> None:
    """Readers' tables have codes, dates, counts and the legal number; no text of a report."""
    texts = query(
        built,
        "select distinct column_name from information_schema.columns"
        " where table_schema in ('marts', 'reporting') and data_type = 'text'"
        " and column_name !~ '(_code|_id|_names?|_names?_en|_kind|_type)$'",
    )
    assert {name for (name,) in texts} == {
        "channel", "register_number", "registration_outcome",
        "period", "reason", "reason_en", "legal_source", "location_method",
        "channel_a", "channel_b", "report_id_a", "report_id_b",  # of a candidate pair
        "reporter_key",  # a keyed hash
        "severity", "owner", "detail", "remediation",  # of the review list: codes, and short words
        # of dim_metric and rpt_edition_name, all from seeds
        "vocabulary", "category_label", "category_label_en",
        "definition", "definition_en", "dimension", "part_rule", "unit", "source",
        "suggestion", "suggestion_en",  # of dim_prevention_rule, from a seed
    }  # fmt: skip


def test_unit_tests_pass(built: str, office: Settings) -> None:
    from dbt.cli.main import dbtRunner

    with dbt_environment(built):
        outcome = dbtRunner().invoke(
            ["--log-level", "none", "test", "--select", "test_type:unit", *_options(office)]
        )
    assert outcome.exception is None
    results = {
        result.node.name: (str(result.status), result.message)
        for result in outcome.result
        if result.node.resource_type != "operation"
    }
    assert len(results) >= 15
    assert {name: state for name, state in results.items() if state[0] != "pass"} == {}


UNIT_TESTED_ELSEWHERE = {
    "stg_intake__records": "compiled from the channels at hand: test_a_field_map_becomes_sql",
    "rpt_metric_contributor": "the macro that int_metric_weeks__counted counts",
    "rpt_edition_contributor": "its macro in tests/publication: a deadline in each state",
    "stg_intake__status_versions": "compiled from the channels at hand: test_bounds",
    "int_place_words__split": "the lists of test_places, row by row",
    "int_place_readings__found": "the lists of test_places, row by row",
    "int_review_items__listed": "test_procedure has a delivery for each check",
}


def test_every_decision_has_a_unit_test(manifest: Any) -> None:
    """A model with a `case`, of its own or of a macro of ours, is tried row by row."""
    tested = {test.model for test in manifest.unit_tests.values()}
    ours = {m.name: m.macro_sql for m in manifest.macros.values() if m.package_name == "lumbung"}
    del ours["judged_on"]  # names an index, by which rows are found; decides nothing about them
    deciding_macros = {"no_macro_yet"}

    def decides(sql: str) -> bool:
        plain = re.sub(r"--[^\n]*|\{#.*?#\}", "", sql, flags=re.DOTALL)
        call = rf"\bcase\b|\{{\{{-?\s*({'|'.join(deciding_macros)})\("
        return re.search(call, plain) is not None

    for _ in range(3):  # a macro calls another
        deciding_macros |= {name for name, sql in ours.items() if decides(sql.split("%}", 1)[1])}
    deciding = {name for name, node in models(manifest).items() if decides(node.raw_code)}
    assert len(deciding) >= 12
    assert deciding - tested == UNIT_TESTED_ELSEWHERE.keys()


def test_a_field_map_becomes_sql(built: str, office: Settings) -> None:
    """Macros of staging over a few payloads: the first alias with something in it decides."""
    labels = [
        {"label": "Isu", "scheme": "bps", "separator": ";"},
        {"label": "Isu '23", "scheme": None, "separator": None},
    ]
    payloads: dict[str, tuple[str | None, str | None, list[str] | None]] = {
        '{"Isu": "a; b"}': ("a; b", "bps", ["a", " b"]),
        '{"Isu": " ", "Isu \'23": "a;b"}': ("a;b", None, ["a;b"]),
        '{"Isu": ["x", "y"]}': ('["x", "y"]', "bps", ["x", "y"]),
        '{"Isu": [], "Isu \'23": "z"}': ("[]", "bps", ["z"]),
        '{"Isu": 1903}': ("1903", "bps", ["1903"]),
        '{"Isu": null}': (None, None, None),
    }
    values = ", ".join(
        f"({number}, '{payload.replace(chr(39), chr(39) * 2)}'::jsonb)"
        for number, payload in enumerate(payloads)
    )
    columns = ", ".join(f"{{{{ mapped_{kind}({labels}) }}}}" for kind in ("text", "scheme", "list"))
    nothing = ", ".join(f"{{{{ mapped_{kind}([]) }}}}" for kind in ("text", "scheme", "list"))
    sql = f"select {columns}, {nothing} from (values {values}) as t (n, payload) order by n"
    from dbt.cli.main import dbtRunner

    with dbt_environment(built):
        outcome = dbtRunner().invoke(
            ["--log-level", "none", "compile", "--inline", sql, *_options(office)]
        )
    assert outcome.success, outcome.exception
    (result,) = outcome.result.results
    wanted = [(*row, None, None, None) for row in payloads.values()]
    assert query(built, result.node.compiled_code.replace("%", "%%")) == wanted


def test_a_code_that_nobody_lists_is_caught(built: str, office: Settings) -> None:
    """It would count in no metric, and no row of a mart would say so."""
    from dbt.cli.main import dbtRunner

    query(built, "insert into reference_next.map_issue values ('tema baru', 'BARU')")
    try:
        with dbt_environment(built):
            arguments = ["--log-level", "none", "test", "--select", "relationships_of_seeds"]
            outcome = dbtRunner().invoke([*arguments, *_options(office)])
        _, result = outcome.result.results  # the first one is the hook on-run-start
        assert (str(result.status), result.failures) == ("fail", 1)
        assert query(built, "select reference, code from checks.relationships_of_seeds") == [
            ("map_issue.code -> issue.issue_code", "BARU")
        ]
    finally:
        query(built, "delete from reference_next.map_issue where code = 'BARU'")


def test_no_village_is_published(built: str) -> None:
    """A village with one case is a household: it stays with those who handle the case."""
    assert (
        query(
            built,
            "select table_schema || '.' || table_name from information_schema.columns"
            " where column_name ~ 'village' and table_schema in ('reporting', 'published')",
        )
        == []
    )


def test_telemetry_is_off() -> None:
    flags = yaml.safe_load((PROJECT / "dbt_project" / "dbt_project.yml").read_text())["flags"]
    assert flags["send_anonymous_usage_stats"] is False
    assert flags["version_check"] is False


def test_dbt_finds_no_plugin_here() -> None:
    """dbt imports any top-level module named dbt_*; the project is no package."""
    assert list((PROJECT / "dbt_project").rglob("*.py")) == []
    assert list((PROJECT / "src").glob("dbt_*")) == []


def test_the_database_lists_the_categories_of_the_registry(built: str) -> None:
    """The model that makes the grid, and the module that prints it, read the same seeds."""
    rows = query(
        built,
        "select metric_code, category_code from marts.dim_metric_category"
        ' order by metric_code collate "C", sort_order',
    )
    expected = [
        (code, key) for code in sorted(registry.metrics()) for key in registry.categories(code)
    ]
    assert rows == expected


def test_an_edition_has_the_names_of_every_dimension_of_a_metric(built: str) -> None:
    rows = query(
        built,
        "select vocabulary, category_code, category_name, category_name_en, category_label,"
        " category_label_en from reporting.rpt_edition_name"
        ' order by vocabulary collate "C", sort_order, category_code',
    )
    dimensions = {
        " ".join(metric.dimension): code
        for code, metric in registry.metrics().items()
        if metric.dimension
    }
    expected = []
    for dimension in sorted(dimensions):
        if " " in dimension:
            pairs = registry.categories(dimensions[dimension])
            expected += [(dimension, code, *name, *name) for code, name in pairs.items()]
        else:
            terms = registry.vocabulary(dimension)
            expected += [(dimension, c, *term.name, *term.label) for c, term in terms.items()]
    assert [row for row in rows if row[0] in dimensions] == expected
    assert {row[0] for row in rows} - {*dimensions} == {"deadline_rule", "exclusion_reason"}


@pytest.mark.slow
def test_a_field_is_one_row_of_the_seed(
    new_database: Callable[[], str],
    office: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A day, and words of a vocabulary that exists: staging, its reading and the review follow."""
    project = tmp_path / "project"
    shutil.copytree(office.project, project)  # with the files behind its links
    with (project / "dbt_project" / "seeds" / "canonical_field.csv").open("a") as seed:
        seed.write("plenary_date,date,,LP TM,false,Day of the plenary,rapat pleno,,\n")
        seed.write("second_method,text,method,LHP,false,Another method,,activity,1\n")
    monkeypatch.setenv("LUMBUNG_PROJECT", str(project))
    registry.canonical_fields.cache_clear()
    try:
        macro = project / "dbt_project" / "macros" / "canonical_fields.sql"
        macro.write_text(reference.fields_macro(), encoding="utf-8")
        fields = {
            "received_date": {"from": "Diterima"},
            "plenary_date": {"from": "Pleno"},
            "second_method": {"from": "Cara"},
        }
        for file in (project / "channels").iterdir():
            file.unlink()
        write_channel(
            project / "channels" / "buku.yaml",
            {"source": {"kind": "register"}, "key": "Nomor", "record_kind": "TM", "fields": fields}
            | {"kept": ["Nomor"]},
        )
        url = new_database()
        rows = [
            {
                "Nomor": "1",
                "Diterima": "7/11/2024",
                "Pleno": "Jumat, 8-11-2024",
                "Cara": "entah apa",
            },
            {"Nomor": "2", "Diterima": "7/11/2024", "Pleno": "besok", "Cara": "Tatap Muka"},
        ]
        Raw(url).land("buku", rows)
        settings = Settings(tmp_path / "home", project, None)
        build(settings=settings, database_url=url)
        with dbt_environment(url):
            from dbt.cli.main import dbtRunner

            tried = dbtRunner().invoke(
                ["--log-level", "none", "test", "--select", "test_type:unit", *_options(settings)]
            )
    finally:
        registry.canonical_fields.cache_clear()
    assert {str(result.status) for result in tried.result} <= {"pass", "success"}  # of a hook
    assert query(
        url,
        "select plenary_date::text, second_method_code from intermediate.int_records__typed"
        " order by source_id",
    ) == [("2024-11-08", None), (None, "TATAP_MUKA")]
    assert query(
        url, "select check_code, detail from marts.fct_review_item order by check_code, detail"
    ) == [("date_unreadable", "plenary_date"), ("word_unknown", "method: entah apa")]
