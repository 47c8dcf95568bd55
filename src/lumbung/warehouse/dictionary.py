"""The data dictionary and the list of checks, as Markdown generated from the project."""

from __future__ import annotations

import csv
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from lumbung.database import MIGRATIONS

_DOC = re.compile(r"{{ doc\('(\w+)'\) }}")

LAYERS = (
    ("marts", "Marts", "Facts and dimensions as known at the last build."),
    (
        "reporting",
        "Reporting",
        "Metrics as known at the last build, from which the next edition is frozen. They are live:"
        " a past week changes when a delivery comes late or is edited. What was published is in"
        " schema `editions`.",
    ),
)


def dictionary(project: Path) -> str:
    """The dictionary as Markdown.

    Args:
        project: the dbt project's folder.

    """
    shared = _doc_blocks(project)
    lines = [
        "# Data dictionary",
        "",
        *filled(
            "Days and weeks are those of Asia/Jakarta. A column may be empty where it says so. The"
            " same texts are comments in the database (`\\d+ marts.fct_report` in psql)."
        ),
    ]
    for layer, title, introduction in LAYERS:
        lines += ["", f"## {title}", "", *filled(introduction)]
        for file in sorted((project / "models" / layer).rglob("[!_]*.yml")):
            (model,) = _read(file)["models"]
            keys = [
                ", ".join(f"`{column}`" for column in constraint["columns"])
                for constraint in model.get("constraints", [])
                if constraint["type"] == "primary_key"
            ]
            lines += ["", f"### {layer}.{model['name']}", "", *filled(model["description"])]
            lines += [f"Key: {keys[0]}." if keys else "No key.", ""]
            for column in model["columns"]:
                kinds = {constraint["type"] for constraint in column.get("constraints", [])}
                empty = "" if "not_null" in kinds else ", may be empty"
                text = _DOC.sub(lambda found: shared[found[1]], column["description"])
                lines += item(f"`{column['name']}` ({column['data_type']}{empty}): {text}")
    lines += _editions()
    lines += [
        "",
        "## Reference (seeds)",
        "",
        *filled(
            "Codes, vocabularies, limits and what others published. Every analyst may read them."
            " Join the dimension where one of the same name exists."
        ),
        "",
    ]
    for seed in _read(project / "seeds" / "_seeds.yml")["seeds"]:
        lines += item(f"`reference.{seed['name']}`: {seed['description']}")
    return "\n".join(lines) + "\n"


def _doc_blocks(project: Path) -> dict[str, str]:
    """The descriptions that columns share, by the name of the doc block."""
    text = (project / "models" / "_columns.md").read_text(encoding="utf-8")
    return dict(re.findall(r"{% docs (\w+) %}\n(.*?)\n{% enddocs %}", text, re.DOTALL))


def _editions() -> list[str]:
    """The views of schema `editions`, from their comments in the migrations; the last counts."""
    comment = re.compile(r"^comment on (?:view|column) (editions\.\S+) is '(.*)';$", re.M)
    texts: dict[str, str] = {}
    for file in sorted(MIGRATIONS.glob("*.sql")):
        texts |= comment.findall(file.read_text(encoding="utf-8"))
    lines = [
        "",
        "## Editions",
        "",
        *filled(
            "What was published, unchanged since. Drafts and rejected editions are not in it. A"
            " regency's role reads its own numbers, without those of the province."
        ),
    ]
    for name, text in texts.items():
        if name.count(".") == 1:
            lines += ["", f"### {name}", "", *filled(text), ""]
            for column, description in texts.items():
                if column.startswith(f"{name}."):
                    lines += item(f"`{column.rpartition('.')[2]}`: {description}")
    return lines


def checks(project: Path, expectations: Path) -> str:
    """Every check as Markdown: when it runs, what it stops, who owns it, and what the owner does.

    Args:
        project: the dbt project's folder.
        expectations: the folder of the suites of the two checkpoints.

    """
    lines = [
        "# Checks",
        "",
        *filled(
            "Each check has a severity, an owner and what the owner does. `fail` stops what depends"
            " on it, `warn` is shown, `review` waits for a person and stops nothing."
        ),
    ]
    with (project / "seeds" / "review_check.csv").open(encoding="utf-8", newline="") as file:
        listed = [
            (
                row["check_code"],
                row["severity"],
                row["check_name"],
                row["owner"],
                row["remediation"],
            )
            for row in csv.DictReader(file)
        ]
    sections = (
        (
            "Raw checkpoint",
            "Great Expectations, before every build, on what each channel landed since it was last"
            " built. A failure holds back that channel's new rows: readers keep its earlier rows,"
            " the other channels are built, and the edition names the held channel. The hold ends"
            " when the check passes again, or with `lumbung channel release`.",
            _suite(expectations / "raw.yaml"),
        ),
        (
            "dbt tests",
            "Inside the build, on the rows that it adds or changes, before any mart is replaced. A"
            " failure stops the build. The failing rows are in schema `checks`. Only the auditor"
            " reads that schema, because the rows hold texts of deliveries.",
            _tests(project),
        ),
        (
            "Publication checkpoint",
            "Great Expectations, before a person is asked to approve an edition. A failure stops"
            " the edition, unless somebody waives the check by name (`lumbung waive`).",
            _suite(expectations / "publication.yaml"),
        ),
        (
            "Review list",
            "Every build writes `marts.fct_review_item`. The DAG `stewardship` mails it every"
            " morning, `lumbung review` shows it. It stops nothing. An item disappears with the"
            " build after it was corrected or decided. Analysts of a regency see that regency's"
            " items.",
            listed,
        ),
    )
    for title, when, found in sections:
        lines += ["", f"## {title}", "", *filled(when), ""]
        for name, severity, of, owner, action in found:
            lines += item(f"`{name}` ({severity}; {of}; {owner}): {action}")
    return "\n".join(lines) + "\n"


def item(text: str) -> list[str]:
    """A list item of Markdown, wrapped at 100 columns."""
    code = text.split("`")  # every second piece is code, which Markdown does not interpret
    code[::2] = [piece.replace("<", "&lt;") for piece in code[::2]]
    return filled("`".join(code), "- ", "  ")


_Check = tuple[str, str, str, str, str]
"""Name, severity, what is checked, owner, and what the owner does."""


def _suite(file: Path) -> Iterator[_Check]:
    for batch in _read(file)["batches"]:
        for check in batch["checks"]:
            yield (
                check["name"],
                check["severity"],
                batch["name"],
                check["owner"],
                check["remediation"],
            )


def _tests(project: Path) -> Iterator[_Check]:
    for file in sorted(project.glob("*/**/*.yml")):
        content = _read(file)
        for node in [*content.get("seeds", []), *content.get("models", [])]:
            for test in node.get("data_tests", []):
                (stated,) = test.values()
                config = stated["config"]
                severity = {"error": "fail"}.get(found := config.get("severity", "error"), found)
                meta = config["meta"]
                yield (
                    stated["name"],
                    severity,
                    f"`{node['name']}`",
                    meta["owner"],
                    meta["remediation"],
                )


def _read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content


def filled(text: str, first: str = "", rest: str = "") -> list[str]:
    """A paragraph of Markdown, wrapped at 100 columns."""
    return textwrap.wrap(
        " ".join(text.split()),
        100,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
