"""Compare the metrics of the warehouse with those that the invented world must give."""

from __future__ import annotations

from typing import Any

from lumbung import database
from lumbung.errors import BuildError

METRIC = ("metric_code", "category_code", "regency_code", "week_id", "period", "value")


def metric_differences(truth: dict[str, Any], url: str) -> list[str]:
    """One line for each metric that is missing, unexpected or different in the world's weeks.

    Whether later weeks of the campaign have begun depends on the installation's clock.
    """
    wanted = {tuple(row[key] for key in METRIC[:-1]): row["value"] for row in truth["metrics"]}
    with database.connect(url) as connection:
        rows = connection.execute(
            "select metric_code, category_code, regency_code, week_id, period, value"
            " from reporting.rpt_metric where week_id = any(%s)",
            (truth["weeks"],),
        )
        found = {tuple(key): int(value) for *key, value in rows}
    return [
        f"{'/'.join(key)}: truth {wanted.get(key)}, warehouse {found.get(key)}"
        for key in sorted(wanted.keys() | found.keys())
        if wanted.get(key) != found.get(key)
    ]


def compare(truth: dict[str, Any], url: str) -> str:
    """Require that every metric equals the truth, and return a sentence that says so.

    Raises:
        BuildError: with the first metrics that differ.

    """
    if differences := metric_differences(truth, url):
        raise BuildError(
            f"{len(differences)} metrics differ from the invented world: {differences[:3]}",
            where="reporting.rpt_metric",
            remediation="trace these metrics in reporting.rpt_metric_contributor",
        )
    return f"all {len(truth['metrics'])} metrics equal the invented world's"
