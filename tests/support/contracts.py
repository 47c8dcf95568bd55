"""The tables that readers see, empty, as the contracts of dbt's models describe them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import psycopg
import yaml

MODELS = Path(__file__).parents[2] / "dbt_project" / "models"


def create_tables(connection: psycopg.Connection, *, without: Collection[str] = ()) -> None:
    """Create the tables of marts and reporting with their columns, types and primary keys.

    Other columns may be null, so that a test fills those that it is about.

    Args:
        connection: of a migrated database.
        without: models that the caller makes itself.

    """
    for layer in ("marts", "reporting"):
        connection.execute(f"create schema if not exists {layer}".encode())
        for file in sorted((MODELS / layer).rglob("[!_]*.yml")):
            for model in yaml.safe_load(file.read_text(encoding="utf-8"))["models"]:
                if model["name"] in without:
                    continue
                parts = [f"{each['name']} {each['data_type']}" for each in model["columns"]]
                parts += [
                    f"primary key ({', '.join(each['columns'])})"
                    for each in model.get("constraints", [])
                    if each["type"] == "primary_key"
                ]
                connection.execute(
                    f"create table {layer}.{model['name']} ({', '.join(parts)})".encode()
                )
