"""Generate `dictionary.md` and `checks.md` of `docs/reference/` from the project.

python -m lumbung.warehouse.dictionary
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from lumbung.settings import Settings

LAYERS = (("marts", "Marts"), ("reporting", "Reporting"))


def dictionary(project: Path) -> str:
    """The dictionary as Markdown.

    Args:
        project: the dbt project's folder.

    """
    lines = [
        "# Data dictionary",
        "",
        "Made by `python -m lumbung.warehouse.dictionary` from the descriptions in `dbt_project/`;"
        " a test holds it current. Days and weeks are Asia/Jakarta. The same texts are comments"
        " in the database (`\\d+ marts.fct_report`).",
    ]
    for layer, title in LAYERS:
        lines += ["", f"## {title}"]
        for model in _read(project / "models" / layer / f"_{layer}.yml")["models"]:
            keys = [
                ", ".join(f"`{column}`" for column in constraint["columns"])
                for constraint in model.get("constraints", [])
                if constraint["type"] == "primary_key"
            ]
            lines += ["", f"### {layer}.{model['name']}", "", _cell(model["description"])]
            lines += [f"Key: {keys[0]}." if keys else "No key.", ""]
            lines += ["| column | type | empty? | meaning |", "|---|---|---|---|"]
            for column in model["columns"]:
                kinds = {constraint["type"] for constraint in column.get("constraints", [])}
                lines.append(
                    f"| `{column['name']}` | {column['data_type']} |"
                    f" {'no' if 'not_null' in kinds else 'may be'} |"
                    f" {_cell(column['description'])} |"
                )
    lines += [
        "",
        "## Reference (seeds)",
        "",
        "Codes, vocabularies, limits and what others published; every analyst may read them. Where"
        " a dimension of the same name exists, join that one.",
        "",
        "| table | meaning |",
        "|---|---|",
    ]
    lines += [
        f"| `reference.{seed['name']}` | {_cell(seed['description'])} |"
        for seed in _read(project / "seeds" / "_seeds.yml")["seeds"]
    ]
    return "\n".join(lines) + "\n"


def checks(project: Path, expectations: Path) -> str:
    """Every check as Markdown: when it runs, what it stops, who mends it, and how.

    Args:
        project: the dbt project's folder.
        expectations: the folder of the suites of the two doors.

    """
    head = ["check", "severity", "of", "owner", "what to do"]
    lines = [
        "# Checks",
        "",
        "Made by `python -m lumbung.warehouse.dictionary`; a test holds it current. `fail` stops"
        " what lies behind it (at the raw checkpoint one channel's new rows), `warn` is shown,"
        " `review` waits for a person and stops nothing.",
    ]
    doors = (
        ("raw", "At the raw checkpoint", "Before every build, on what each channel landed since"
         " it was last built. A failure holds back that channel's new rows: readers keep what it"
         " said before, the other channels are built, the edition says so. The hold ends when the"
         " check holds again, or by `lumbung channel release`."),
        ("publication", "At the publication gate", "Before a person is asked to approve. A failure"
         " stops the edition, unless somebody answers for it by name (`lumbung waive`)."),
    )  # fmt: skip
    inside = (
        "Inside the build",
        "dbt, on the rows that the build brings, before any mart is touched. A failure stops the"
        " build; the failing rows are in schema `checks`, which the auditor reads: they hold texts"
        " of deliveries.",
        _tests(project),
    )
    sections = [(title, when, _suite(expectations / f"{name}.yaml")) for name, title, when in doors]
    with (project / "seeds" / "review_check.csv").open(encoding="utf-8", newline="") as file:
        listed = [
            [
                f"`{row['check_code']}`",
                row["severity"],
                row["check_name"],
                row["owner"],
                row["cure"],
            ]
            for row in csv.DictReader(file)
        ]
    review = (
        "The review list",
        "Brought by every build as `marts.mart_review_item`, told every morning by the DAG"
        " `stewardship`, shown by `lumbung review`. It stops nothing; an item is gone with the"
        " build after it was corrected or decided. A regency's analysts see their own.",
        listed,
    )
    for title, when, rows in (sections[0], inside, sections[1], review):
        lines += ["", f"## {title}", "", when, "", f"| {' | '.join(head)} |", "|---" * 5 + "|"]
        lines += [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    return "\n".join(lines) + "\n"


def _suite(file: Path) -> Iterator[list[str]]:
    for batch in _read(file)["batches"]:
        for check in batch["checks"]:
            yield [f"`{check['name']}`", check["severity"], batch["name"],
                   check["owner"], check["cure"]]  # fmt: skip


def _tests(project: Path) -> Iterator[list[str]]:
    for file in sorted(project.glob("*/**/_*.yml")):
        content = _read(file)
        for node in [*content.get("seeds", []), *content.get("models", [])]:
            for test in node.get("data_tests", []):
                (stated,) = test.values()
                config = stated["config"]
                severity = {"error": "fail"}.get(found := config.get("severity", "error"), found)
                meta = config["meta"]
                yield [f"`{stated['name']}`", severity, f"`{node['name']}`",
                       meta["owner"], meta["cure"]]  # fmt: skip


def _read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    settings = Settings.load()
    docs = settings.project / "docs" / "reference"
    for name, text in (
        ("dictionary", dictionary(settings.dbt_project)),
        ("checks", checks(settings.dbt_project, settings.expectations)),
    ):
        (docs / f"{name}.md").write_text(text, encoding="utf-8")
