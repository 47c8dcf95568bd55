"""MetricFlow over the semantic model of the registry gives the numbers of `rpt_metric`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lumbung.settings import Settings
from lumbung.warehouse.build import AS_READERS_SEE
from lumbung.warehouse.dbt_runner import dbt_environment, invoke_dbt
from tests.warehouse.conftest import query

ASKED = (
    "suspected_violation", "suspected_violation_by_issue", "suspected_violation_by_context",
    "report_received", "report_not_registered_by_reason", "report_registered_by_result", "tip",
    "campaign_event_by_method", "prevention", "district_submitted",
)  # fmt: skip


@pytest.fixture(scope="module")
def engine(demo: tuple[str, Settings, Any]) -> Iterator[Any]:
    """What `mf query` asks, over the tables of readers."""
    from dbt.adapters.factory import get_adapter_by_type
    from dbt_metricflow.cli.dbt_connectors.adapter_backed_client import AdapterBackedSqlClient
    from dbt_metricflow.cli.dbt_connectors.dbt_config_accessor import dbtProjectMetadata
    from metricflow.engine.metricflow_engine import MetricFlowEngine
    from metricflow_semantics.model.dbt_manifest_parser import (
        parse_manifest_from_dbt_generated_manifest,
    )
    from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

    url, settings, _ = demo
    invoke_dbt(["parse", *AS_READERS_SEE], settings=settings, database_url=url, target="mf")
    written = settings.home / "dbt" / "mf" / "semantic_manifest.json"
    manifest = parse_manifest_from_dbt_generated_manifest(written.read_text())
    with dbt_environment(url), pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBT_LOG_PATH", str(settings.home / "dbt" / "logs"))
        patch.setenv("DBT_TARGET_PATH", str(settings.home / "dbt" / "mf"))
        metadata = dbtProjectMetadata.load_from_paths(settings.dbt_project, settings.dbt_project)
        adapter = get_adapter_by_type(metadata.profile.credentials.type)
        yield MetricFlowEngine(SemanticManifestLookup(manifest), AdapterBackedSqlClient(adapter))


@pytest.mark.parametrize("metric", ASKED)
def test_a_metric_by_week_category_and_regency(
    demo: tuple[str, Settings, Any], engine: Any, metric: str
) -> None:
    from metricflow.engine.metricflow_engine import MetricFlowQueryRequest

    columns = ["metric_time__week", "contributor__category_code", "contributor__regency_code"]
    request = MetricFlowQueryRequest.create(metric_names=[metric], group_by_names=columns)
    table = engine.query(request).result_df
    named = [dict(zip(table.column_names, row, strict=True)) for row in table.rows]
    found = {
        (row[columns[0]].date(), row[columns[1]], row[columns[2]]): int(row[metric])
        for row in named
    }
    wanted = {
        tuple(key): value
        for *key, value in query(
            demo[0],
            "select week_start_date, category_code, regency_code, value from reporting.rpt_metric"
            " inner join marts.dim_week using (week_id)"
            " where metric_code = %s and period = 'week' and regency_code <> '19' and value > 0",
            metric,
        )
    }
    assert len(wanted) > 3
    assert found == wanted


def test_several_metrics_by_month(demo: tuple[str, Settings, Any], engine: Any) -> None:
    """What BI tools ask: another granularity than the week, and two metrics beside each other."""
    from metricflow.engine.metricflow_engine import MetricFlowQueryRequest

    request = MetricFlowQueryRequest.create(
        metric_names=["tip", "suspected_violation"], group_by_names=["metric_time__month"]
    )
    table = engine.query(request).result_df
    found = [
        tuple(dict(zip(table.column_names, row, strict=True))[name] for name in
              ("metric_time__month", "tip", "suspected_violation"))
        for row in table.rows
    ]  # fmt: skip
    # a week is in the month of its Monday
    wanted = query(
        demo[0],
        "select date_trunc('month', week_start_date),"
        " sum(value) filter (where metric_code = 'tip'),"
        " sum(value) filter (where metric_code = 'suspected_violation')"
        " from reporting.rpt_metric inner join marts.dim_week using (week_id)"
        " where period = 'week' and regency_code = '19'"
        " and metric_code in ('tip', 'suspected_violation') group by 1 order by 1",
    )
    assert sorted((when.date(), int(a), int(b)) for when, a, b in found) == [
        (when.date(), int(a), int(b)) for when, a, b in wanted
    ]
