"""dbt by hand: schemas of a developer's own beside the warehouse, which it never writes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest

from lumbung import database
from lumbung.local.stack import AIRFLOW_DATABASE, Stack
from lumbung.settings import Settings
from lumbung.warehouse.build import NOT_IN_AN_INCREMENT, _Run
from tests.support.command import lumbung
from tests.warehouse.conftest import PROJECT, query

BARE = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
READERS = ("staging", "intermediate", "marts", "reporting", "reference", "checks")

DEVELOPER = r"KANTOR\Ani d'Arc-2"
"""As an account may be called that a directory gives."""
DEV = "dev_kantor_ani_d_arc_2"

Dbt = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def dbt(built: str, office: Settings) -> Dbt:
    """Plain dbt with what `lumbung env` prints and nothing else.

    It runs in this process: dbt takes three seconds of CPU time to import.
    """
    database.ensure(built, AIRFLOW_DATABASE)  # as 'lumbung migrate' does
    airflow = Stack(office).airflow(built)
    airflow.folder.mkdir(parents=True, exist_ok=True)
    airflow.prepare_secrets()
    printed = lumbung(
        *("env", "--format", "json"),
        LUMBUNG_HOME=str(office.home),
        LUMBUNG_PROJECT=str(office.project),
        LUMBUNG_DATABASE_URL=built,
    )
    assert printed.returncode == 0, printed.stderr
    variables = {**json.loads(printed.stdout), "LUMBUNG_DEVELOPER": DEVELOPER}

    def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        from dbt.cli.main import dbtRunner

        said = io.StringIO()
        with (
            patch.dict(os.environ, {**BARE, **variables, **env}, clear=True),
            contextlib.redirect_stdout(said),
        ):
            outcome = dbtRunner().invoke(list(arguments))
        return subprocess.CompletedProcess(arguments, int(not outcome.success), said.getvalue())

    return run


@pytest.mark.slow
def test_ls_needs_neither_a_database_nor_an_environment(tmp_path: Path) -> None:
    project = tmp_path / "dbt_project"
    shutil.copytree(PROJECT / "dbt_project", project)
    done = subprocess.run(
        [Path(sys.executable).with_name("dbt"), "--quiet", "ls", "--output", "name",
         "--resource-type", "model"],
        cwd=project, env=BARE, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "fct_report" in done.stdout.split()


def test_what_dbt_leaves_in_its_project_is_no_reason_for_a_full_build(tmp_path: Path) -> None:
    project = tmp_path / "dbt_project"
    (project / "models").mkdir(parents=True)
    (project / "models" / "a.sql").write_text("select 1")
    before = _Run._hash(project)
    for name in ("target/manifest.json", "logs/dbt.log", ".user.yml", "profiles.yml"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("x")
    assert _Run._hash(project) == before
    (project / "models" / "a.sql").write_text("select 2")
    assert _Run._hash(project) != before


@pytest.mark.slow
def test_a_developers_build_writes_nothing_that_readers_see(
    dbt: Dbt, built: str, office: Settings
) -> None:
    relations = (
        "select nspname, relname, c.oid, relfilenode, relacl::text from pg_class as c"
        " inner join pg_namespace as n on n.oid = relnamespace where nspname = any(%s)"
        " order by nspname, relname"
    )
    before = query(built, relations, list(READERS))
    # no test of seeds that it does not load, and no word about keys of views
    first = dbt("build", "--select", "+dim_regency", "--exclude-resource-type", "unit_test")
    assert first.returncode == 0, first.stdout[-3000:]
    assert "WARNING" not in first.stdout
    for command in (
        ["build", "--exclude-resource-type", "unit_test"],  # test_models runs those
        ["run", "--select", "int_reports__located+1"],  # finds the tables of the first
        ["test", "--select", "+dim_metric_category"],
        ["docs", "generate"],
    ):
        done = dbt(*command)
        assert done.returncode == 0, done.stdout[-3000:]
        assert "Nothing to do" not in done.stdout, command
    assert query(built, relations, list(READERS)) == before
    ours, theirs = f"table {DEV}_marts.fct_report", "table marts.fct_report"
    assert query(built, theirs) != []
    assert (
        query(built, f"({ours} except all {theirs}) union all ({theirs} except all {ours})") == []
    )
    schemas = {name for (name,) in query(built, "select nspname from pg_namespace")}
    assert {f"{DEV}_{name}" for name in READERS} <= schemas
    assert query(
        built,
        f"select has_schema_privilege('analyst_province', '{DEV}_marts', 'usage'),"
        f" has_table_privilege('analyst_province', '{DEV}_marts.fct_report', 'select')",
    ) == [(False, False)]
    catalog = json.loads((office.home / "dbt" / "dev" / "catalog.json").read_text())
    assert catalog["nodes"]["model.lumbung.fct_report"]["metadata"]["schema"] == f"{DEV}_marts"


@pytest.mark.slow
def test_the_selectors_are_the_runs_of_lumbung(dbt: Dbt) -> None:
    def listed(*arguments: str) -> set[str]:
        done = dbt("--quiet", "ls", "--output", "name", *arguments)
        assert done.returncode == 0, done.stdout
        return set(done.stdout.split())

    written = ["--exclude-resource-type", "unit_test", "exposure", "source"]
    assert listed("--selector", "full") == listed(*written)
    without = [*written, "seed", "--exclude", *NOT_IN_AN_INCREMENT, "--indirect-selection", "eager"]
    assert listed("--selector", "increment") == listed(*without)
    assert {"weekly_edition", "rpt_metric", "stg_intake__records"} <= listed(
        "--selector", "edition"
    )
    assert "dim_metric" not in listed("--selector", "edition")
    assert "rpt_metric" in listed("--selector", "open_data")
    assert "fct_report" not in listed("--selector", "unit_tests")


def test_sources_have_freshness(dbt: Dbt, office: Settings) -> None:
    done = dbt("source", "freshness", "--select", "source:raw")
    assert "ERROR STALE" in done.stdout, "the record of this warehouse is of 2024"
    found = json.loads((office.home / "dbt" / "dev" / "sources.json").read_text())["results"]
    stale = {each["unique_id"].rpartition(".")[2]: each["status"] for each in found}
    assert stale == {"batch": "error", "record": "error"}


@pytest.mark.slow
def test_the_artefacts_of_the_last_build_are_what_a_change_is_compared_with(
    dbt: Dbt, office: Settings, tmp_path: Path
) -> None:
    kept = office.home / "dbt" / "artifacts"
    manifest = json.loads((kept / "manifest.json").read_text())
    assert manifest["nodes"]["model.lumbung.fct_report"]["schema"] == "marts"
    results = json.loads((kept / "run_results.json").read_text())["results"]
    assert "model.lumbung.fct_report" in {each["unique_id"] for each in results}
    catalog = json.loads((kept / "catalog.json").read_text())
    assert "register_number" in catalog["nodes"]["model.lumbung.fct_report"]["columns"]

    project = tmp_path / "dbt_project"
    shutil.copytree(PROJECT / "dbt_project", project)
    paths = {"DBT_PROJECT_DIR": str(project), "DBT_PROFILES_DIR": str(project)}
    modified = [
        "--quiet",
        "ls",
        "--output",
        "name",
        "--select",
        "state:modified",
        "--resource-type",
        "model",
    ]
    assert dbt(*modified, "--state", str(kept), **paths).stdout.split() == []
    (changed,) = project.rglob("dim_issue.sql")
    changed.write_text(changed.read_text().replace("select", "select distinct"))
    assert dbt(*modified, "--state", str(kept), **paths).stdout.split() == ["dim_issue"]
    assert dbt(*modified, **paths).stdout.split() == ["dim_issue"], "DBT_STATE says it too"

    deferred = dbt(
        *("compile", "--inline", "select 1 from {{ ref('fct_status_event') }}", "--defer"),
        LUMBUNG_DEVELOPER="budi",  # who has built nothing
    )
    assert '"marts"."fct_status_event"' in deferred.stdout, deferred.stdout


# last: for another target dbt parses the project again


@pytest.mark.parametrize("command", ["build", "run", "seed", "test"])
def test_the_warehouse_is_built_by_lumbung_alone(dbt: Dbt, built: str, command: str) -> None:
    before = query(built, "select count(*) from ops.build")
    done = dbt(command, "--target", "warehouse")
    assert done.returncode != 0
    assert f"dbt {command} would write what readers see, without the build's lock" in done.stdout
    assert "Run 'lumbung build' instead" in done.stdout
    assert query(built, "select count(*) from ops.build") == before


def test_the_warehouse_may_be_compiled_and_documented(dbt: Dbt) -> None:
    done = dbt("compile", "--target", "warehouse", "--select", "fct_report")
    assert done.returncode == 0, done.stdout[-3000:]
