"""The data dictionary, `docs/dictionary.md`, from the descriptions in the dbt project.

python -m lumbung.warehouse.dictionary
"""

from __future__ import annotations

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
    lines += ["", "## Reference (seeds)", "", "| table | meaning |", "|---|---|"]
    lines += [
        f"| `reference.{seed['name']}` | {_cell(seed['description'])} |"
        for seed in _read(project / "seeds" / "_seeds.yml")["seeds"]
    ]
    return "\n".join(lines) + "\n"


def _read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    settings = Settings.load()
    target = settings.project / "docs" / "dictionary.md"
    target.write_text(dictionary(settings.dbt_project), encoding="utf-8")
