"""OpenLineage's events lead from a channel over raw and the marts to a published edition."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lumbung import lineage
from lumbung.intake.run import pull
from lumbung.local.airflow import Airflow
from lumbung.local.processes import Processes
from lumbung.publication.editions import freezing, publishing, review
from lumbung.publication.formats import render, xlsx
from lumbung.settings import Settings
from lumbung.warehouse.build import build
from tests.support.edition_sample import pass_checkpoint
from tests.support.homes import demo_home
from tests.warehouse.conftest import PROJECT

REGISTER = """Nomor,Diterima,Diketahui,Kejadian,Kab/Kota,Kecamatan,Desa,Isu,Jenis,Jabatan,Status
001/LP/PB/Kab/09.01/XI/2024,2024-11-06,2024-11-05,2024-11-05,Bangka,Sungailiat,,Politik uang,,,
"""


def reads(file: Path) -> set[str]:
    """The names of what a model's file reads, whether or not it is an increment."""
    text = re.sub(
        r"{% if is_increment.*?{% (else|endif) %}", "", file.read_text("utf-8"), flags=re.S
    )
    return set(re.findall(r"(?:\bref\('|\bsource\('(?!previous)\w+', ')(\w+)'", text))


def test_the_events_lead_from_a_channel_to_an_edition(
    warehouse_url: str, office: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = tmp_path / "lineage.jsonl"
    monkeypatch.setenv("LUMBUNG_LINEAGE", str(events))
    monkeypatch.setattr(render, "_pdf", lambda *_: b"%PDF-1.7 (not drawn)")
    monkeypatch.setattr(xlsx, "workbook", lambda *_: b"PK (not drawn)")
    monkeypatch.setattr(publishing, "find_personal_data", lambda *_: [])
    settings = demo_home(tmp_path / "home", office.project)
    where: Any = {"settings": settings, "database_url": warehouse_url}
    inbox = settings.inbox / "buku"
    inbox.mkdir(parents=True)
    (inbox / "buku.csv").write_text(REGISTER)

    tried = pull("buku", **where, run_key="test", dry_run=True)
    assert tried.landed == 1, tried
    assert not events.exists()
    assert pull("buku", **where, run_key="test").landed == 1
    build(**where)
    edition_id = freezing.freeze("2024-W45", **where)
    pass_checkpoint(warehouse_url, edition_id)
    review.approve(edition_id, by="demo", how="demo", database_url=warehouse_url)
    publishing.publish(edition_id, **where)

    found = [json.loads(line) for line in events.read_text().splitlines()]
    assert {each["eventType"] for each in found} == {"COMPLETE"}
    jobs = {
        each["job"]["name"]: (
            {(one["namespace"], one["name"]) for one in each["inputs"]},
            {(one["namespace"], one["name"]) for one in each["outputs"]},
        )
        for each in found
    }
    assert len(jobs) == len(found)
    assert {each["job"]["namespace"] for each in found} == {"lumbung"}

    # every model, and what its file names: nothing is in between, and nothing is missing
    database = re.fullmatch(r"postgresql://[^@]*@([^/]+)/(\w+).*", warehouse_url)
    assert database is not None
    for model in (PROJECT / "dbt_project" / "models").rglob("*.sql"):
        inputs, outputs = jobs[f"warehouse.{model.stem}"]
        assert {namespace for namespace, _ in inputs | outputs} == {f"postgres://{database[1]}"}
        assert {name.rsplit(".", 1)[1] for _, name in inputs} >= reads(model)
        layer = model.relative_to(PROJECT / "dbt_project" / "models").parts[0]
        assert {name for _, name in outputs} == {f"{database[2]}.{layer}.{model.stem}"}
    written = set().union(*(outputs for _, outputs in jobs.values()))
    seeds = {file.stem for file in (PROJECT / "dbt_project" / "seeds").glob("*.csv")}
    kept = {"reference.channel", "reference.channel_field", "reference.term_pseudonym"}
    for inputs, _ in jobs.values():
        for dataset in inputs - written:
            schema, name = dataset[1].rsplit(".", 2)[-2:]
            assert (
                dataset == ("lumbung", "channel.buku")
                or name in seeds
                or f"{schema}.{name}" in kept
                or schema == "ops"
            ), dataset

    # from the channel every step on, to the edition's folder
    follows: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for inputs, outputs in jobs.values():
        for one in inputs:
            follows[one] |= outputs
    reached = {("lumbung", "channel.buku")}
    while more := set().union(*(follows[one] for one in reached)) - reached:
        reached |= more
    assert ("file", str(settings.editions / edition_id)) in reached
    for table in ("raw.record", "staging.stg_intake__records", "marts.fct_report",
                  "reporting.rpt_metric", "published.edition"):  # fmt: skip
        assert (f"postgres://{database[1]}", f"{database[2]}.{table}") in reached


def test_lineage_that_cannot_be_written_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setenv("LUMBUNG_LINEAGE", str(tmp_path / "absent" / "lineage.jsonl"))
    lineage.emit([lineage.Job("intake.buku", [], [])])
    assert "no lineage was written to LUMBUNG_LINEAGE" in caplog.text


def test_in_a_task_the_task_is_the_parent_of_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from airflow import sdk
    from airflow.providers.openlineage.plugins import macros

    events = tmp_path / "lineage.jsonl"
    monkeypatch.setenv("LUMBUNG_LINEAGE", str(events))
    monkeypatch.setenv("AIRFLOW__OPENLINEAGE__NAMESPACE", "lumbung")
    lineage.emit([lineage.Job("intake.buku", [], [])])
    task = SimpleNamespace(dag_id="intake__buku", task_id="pull")
    run_id = "0193b5c2-5a0e-7000-8000-000000000001"
    monkeypatch.setattr(sdk, "get_current_context", lambda: {"ti": task})
    monkeypatch.setattr(macros, "lineage_run_id", lambda _: run_id)
    lineage.emit([lineage.Job("intake.buku", [], [])])
    alone, within = (json.loads(line) for line in events.read_text().splitlines())
    assert "parent" not in alone["run"]["facets"]
    parent = within["run"]["facets"]["parent"]
    assert parent["run"]["runId"] == run_id
    assert (parent["job"]["namespace"], parent["job"]["name"]) == ("lumbung", "intake__buku.pull")


def test_airflow_s_provider_gets_the_same_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, processes = "postgresql://kantor@db/lumbung", Processes(tmp_path, tmp_path)
    airflow = Airflow(Settings(tmp_path, PROJECT, None), processes, url, url, {})
    airflow.prepare_secrets()
    assert airflow.variables()["AIRFLOW__OPENLINEAGE__DISABLED"] == "True"
    monkeypatch.setenv("LUMBUNG_LINEAGE", "http://marquez:5000")
    found = airflow.variables()
    assert found["AIRFLOW__OPENLINEAGE__DISABLED"] == "False"
    assert json.loads(found["AIRFLOW__OPENLINEAGE__TRANSPORT"]) == {
        "type": "http",
        "url": "http://marquez:5000",
    }
