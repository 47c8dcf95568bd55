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
            "Days and weeks are those of Asia/Jakarta. A column may be empty where it says so. A"
            " key of a view is not enforced. The same texts are comments in the database (`\\d+"
            " marts.fct_report` in psql)."
        ),
    ]
    for layer, title, introduction in LAYERS:
        lines += ["", f"## {title}", "", *filled(introduction)]
        for file in sorted((project / "models" / layer).rglob("[!_]*.yml")):
            (model,) = _read(file)["models"]
            view_key = model.get("config", {}).get("meta", {}).get("key")
            keys = [
                constraint["columns"]
                for constraint in model.get("constraints", [])
                if constraint["type"] == "primary_key"
            ] + ([view_key] if view_key else [])
            lines += ["", f"### {layer}.{model['name']}", "", *filled(model["description"])]
            named = ", ".join(f"`{column}`" for column in keys[0]) if keys else ""
            lines += filled(
                f"Key: {named}{', of a view' if view_key else ''}." if keys else "No key."
            )
            lines.append("")
            for column in model["columns"]:
                kinds = {constraint["type"] for constraint in column.get("constraints", [])}
                # a view has no constraints: its descriptions say where a column is null
                empty = "" if "not_null" in kinds or view_key else ", may be empty"
                text = _with_doc_blocks(column["description"], shared)
                lines += item(f"`{column['name']}` ({column['data_type']}{empty}): {text}")
    lines += _editions()
    lines += [
        "",
        "## Reference (seeds)",
        "",
        *filled(
            "Codes, vocabularies, limits and what others published. Every analyst may read them."
            " Join the dimension where one of the same name exists. [Codes](codes.md) lists the"
            " codes themselves. Analysts cannot read three further tables of the schema: `channel`,"
            " which holds the owners' mail addresses, `channel_field` and `term_pseudonym`"
            " ([rights](rights.md))."
        ),
    ]
    for seed in _read(project / "seeds" / "_seeds.yml")["seeds"]:
        lines += ["", f"### reference.{seed['name']}", ""]
        lines += [*filled(_escaped(seed["description"])), ""]
        for column in seed["columns"]:
            text = _with_doc_blocks(column["description"], shared)
            lines += item(f"`{column['name']}`: {text}")
    return "\n".join(lines) + "\n"


CODES = (
    "status", "non_registration_reason", "forwarding_target", "role", "violation_type", "issue",
    "issue_group", "campaign_context", "election", "campaign_method", "deadline_state",
    "prevention_form", "prevention_kind", "prevention_type", "target_group", "venue_kind",
    "observer_organisation", "office_level", "stage", "deadline_rule", "vulnerability_dimension",
    "exclusion_reason",
)  # fmt: skip
"""The seeds of codes with names in two languages; `category` has further vocabularies."""


def codes(project: Path) -> str:
    """The values of code columns as Markdown, from the seeds.

    Args:
        project: the dbt project's folder.

    """
    seeds = project / "seeds"
    lines = [
        "# Codes",
        "",
        *filled(
            "The values of the columns that hold codes, from the seeds of `reference`. A"
            " dimension adds `UNSTATED` where the seed has none and the source states no value."
            " The codes of the review list (`fct_review_item.check_code`) are in"
            " [checks](checks.md#review-list)."
        ),
    ]
    described = {seed["name"]: seed for seed in _read(seeds / "_seeds.yml")["seeds"]}
    for name in CODES:
        text = _escaped(described[name]["description"])
        lines += ["", f"## {name}", "", *filled(text), "", *_code_table(_rows(seeds, name))]
    vocabularies: dict[str, list[dict[str, str]]] = {}
    for row in _rows(seeds, "category"):
        vocabularies.setdefault(row.pop("vocabulary"), []).append(row)
    said = described["category"]["config"]["meta"]["vocabularies"]
    for name, rows in vocabularies.items():
        text = f"{_escaped(said[name]).strip()} Of the seed `category`."
        lines += ["", f"## {name}", "", *filled(text), "", *_code_table(rows)]
    return "\n".join(lines) + "\n"


def _rows(seeds: Path, name: str) -> list[dict[str, str]]:
    with (seeds / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _code_table(rows: list[dict[str, str]]) -> list[str]:
    """A row per code: its name in Indonesian and in English."""
    code = next(name for name in rows[0] if name.endswith("_code"))
    english = next(name for name in rows[0] if name.endswith("_en"))
    columns = code, english.removesuffix("_en"), english
    lines = (f"| `{row[columns[0]]}` | {row[columns[1]]} | {row[columns[2]]} |" for row in rows)
    # a code with several periods of validity once
    return ["| code | Indonesian | English |", "|---|---|---|", *dict.fromkeys(lines)]


def _doc_blocks(project: Path) -> dict[str, str]:
    """The descriptions that columns share, by the name of the doc block."""
    text = (project / "models" / "_columns.md").read_text(encoding="utf-8")
    return dict(re.findall(r"{% docs (\w+) %}\n(.*?)\n{% enddocs %}", text, re.DOTALL))


def _with_doc_blocks(text: str, shared: dict[str, str]) -> str:
    return _DOC.sub(lambda found: shared[found[1]], text)


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
    return filled(_escaped(text), "- ", "  ")


def _escaped(text: str) -> str:
    """A text in which Markdown reads `<` as the character; a placeholder becomes code."""
    code = text.split("`")  # every second piece is code, which Markdown does not interpret
    code[::2] = [
        "".join(
            f"`{part}`" if number % 2 else part.replace("<", "&lt;")
            for number, part in enumerate(re.split(r"(\w+_<\w+>)", piece))
        )
        for piece in code[::2]
    ]
    return "`".join(code)


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
    content: dict[str, Any] = yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
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
