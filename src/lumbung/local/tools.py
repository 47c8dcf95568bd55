"""The environment variables with which dbt, Airflow and psql use this installation."""

from __future__ import annotations

import json
import shlex
from typing import Literal

from psycopg.conninfo import conninfo_to_dict

from lumbung.local.stack import Stack
from lumbung.warehouse import artifacts
from lumbung.warehouse.dbt_runner import dbt_variables
from lumbung.warehouse.roles import login_url

Format = Literal["shell", "dotenv", "json"]

SERVERS_ONLY = {"AIRFLOW__API__SECRET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET"}
"""Secrets of Airflow's servers, which no Airflow command needs."""

SECRETS = {
    "AIRFLOW_CONN_LUMBUNG_WAREHOUSE",
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC",
    "LUMBUNG_DATABASE_PASSWORD",
    "LUMBUNG_DATABASE_URL",
    "PGPASSWORD",
}
"""Variables that hold a password or a key."""

LIBPQ = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password"}
LIBPQ |= {"PGDATABASE": "dbname", "PGSSLMODE": "sslmode"}


def variables(stack: Stack, url: str) -> dict[str, str]:
    """Return the variables with which `dbt`, `airflow`, `psql` and `pytest` find this installation.

    dbt and psql log in as `transformer`, as builds do; Airflow as the role of its own database.

    `LUMBUNG_DATABASE_URL` is included only where it is set already. Otherwise Lumbung would treat
    the embedded server as an external one and no longer start it.

    Args:
        stack: the installation.
        url: its warehouse, as `roles.role_url` takes it.

    Raises:
        ServiceError: when Airflow was never set up.

    """
    settings = stack.settings
    login = login_url(url, "transformer")
    given = conninfo_to_dict(login)
    found = {
        **stack.airflow(url).variables(),
        **dbt_variables(login),
        "DBT_PROJECT_DIR": str(settings.dbt_project),
        "DBT_PROFILES_DIR": str(settings.dbt_project),
        # Beside the project, not in it.
        "DBT_TARGET_PATH": str(settings.home / "dbt" / "dev"),
        "DBT_LOG_PATH": str(settings.home / "dbt" / "logs"),
        # What 'state:modified' and '--defer' compare with: the last build of the warehouse.
        "DBT_STATE": str(artifacts.folder(settings)),
        **{name: str(given[part]) for name, part in LIBPQ.items() if given.get(part)},
    }
    del found["LUMBUNG_DATABASE_URL"]
    if settings.database_url is not None:
        found["LUMBUNG_DATABASE_URL"] = settings.database_url
    return {name: value for name, value in sorted(found.items()) if name not in SERVERS_ONLY}


def hide(found: dict[str, str]) -> dict[str, str]:
    """The same without what is in `SECRETS`, for a terminal that others may look at."""
    return {name: "***" if name in SECRETS else value for name, value in found.items()}


def written(found: dict[str, str], form: Format) -> str:
    """Return the variables as text.

    Args:
        found: the variables.
        form: `shell` for `eval`, `dotenv` for files such as `.env`, `json` for programs.

    """
    if form == "json":
        return json.dumps(found, indent=1)
    if form == "shell":
        return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in found.items())
    # Neither Compose nor python-dotenv substitutes variables within single quotes.
    return "\n".join(f"{name}='{_escaped(value)}'" for name, value in found.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")
