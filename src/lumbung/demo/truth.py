"""What the warehouse holds, held against what the invented world says it must hold."""

from __future__ import annotations

from typing import Any

from lumbung import database
from lumbung.errors import BuildError

FIGURE = ("figure_code", "category_code", "regency_code", "week_id", "period", "value")


def figure_differences(truth: dict[str, Any], url: str) -> list[str]:
    """Every figure that is missing, extra or different, as one line each."""
    wanted = {tuple(row[key] for key in FIGURE[:-1]): row["value"] for row in truth["figures"]}
    with database.connect(url) as connection:
        rows = connection.execute(
            "select figure_code, category_code, regency_code, week_id, period, value"
            " from reporting.rpt_figure"
        )
        found = {tuple(key): int(value) for *key, value in rows}
    return [
        f"{'/'.join(key)}: truth {wanted.get(key)}, warehouse {found.get(key)}"
        for key in sorted(wanted.keys() | found.keys())
        if wanted.get(key) != found.get(key)
    ]


def compare(truth: dict[str, Any], url: str) -> str:
    """Say that every figure equals the truth.

    Raises:
        BuildError: naming the first figures that differ.

    """
    if differences := figure_differences(truth, url):
        raise BuildError(
            f"{len(differences)} figures differ from the invented world: {differences[:3]}",
            where="reporting.rpt_figure",
            cure="trace these figures in reporting.rpt_figure_member",
        )
    return f"all {len(truth['figures'])} figures equal the invented world's"
