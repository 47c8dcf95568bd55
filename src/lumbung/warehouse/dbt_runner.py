"""Run dbt in this process, against the warehouse.

dbt takes seconds to import, so `invoke_dbt` imports it, not this module.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from lumbung import database
from lumbung.errors import BuildError
from lumbung.memory import rare_garbage_collection
from lumbung.settings import Settings

DBT_LOCK_TIMEOUT = "1min"
"""How long a model or test waits for a lock, such as that of an auditor who reads `checks`."""

STATEMENT_TIMEOUT = "2h"
"""How long one statement of a build may run."""


def run_dbt(
    arguments: Sequence[str],
    *,
    settings: Settings,
    database_url: str,
    target: str,
    callbacks: Sequence[Callable[[Any], None]] = (),
    manifest: Any = None,
) -> list[Any]:
    """Run dbt's nodes as `invoke_dbt` does, and return their results, failed ones included."""
    result = invoke_dbt(
        arguments,
        settings=settings,
        database_url=database_url,
        target=target,
        callbacks=callbacks,
        manifest=manifest,
    )
    return of_nodes(result)


def of_nodes(result: Any) -> list[Any]:
    """The results of nodes, without those of on-run-start."""
    return [
        each
        for each in getattr(result, "results", None) or []
        if each.node.resource_type != "operation"
    ]


def invoke_dbt(
    arguments: Sequence[str],
    *,
    settings: Settings,
    database_url: str,
    target: str,
    callbacks: Sequence[Callable[[Any], None]] = (),
    manifest: Any = None,
) -> Any:
    """Run dbt in this process.

    Args:
        arguments: flags and command, `["build", "--select", "fct_report"]`.
        settings: name the project and `LUMBUNG_HOME`.
        database_url: the warehouse.
        target: folder under `LUMBUNG_HOME/dbt` for dbt's target path.
        callbacks: called with each of dbt's events.
        manifest: the result of an earlier `parse`, so that the project is not parsed again.

    Returns:
        dbt's result: the manifest of `parse`, the results of the nodes of a run.

    Raises:
        BuildError: when dbt could not run at all.

    """
    folder = settings.home / "dbt"
    with dbt_environment(database_url), rare_garbage_collection():
        from dbt.cli.main import dbtRunner
        from dbt_common.behavior_flags import BehaviorFlagRendered

        from lumbung.warehouse.dbt_sessions import kept_sessions

        # By default dbt searches the call stack for the module of each of its behavior flags, and
        # every run of a process adds a flag: 0.7 s of CPU time for the first, 4 s for the 200th.
        BehaviorFlagRendered._default_source = staticmethod(lambda: "dbt")  # type: ignore[method-assign]
        with kept_sessions():
            outcome = dbtRunner(manifest, callbacks=list(callbacks)).invoke([
                "--log-level", "none", "--log-level-file", "info",
                "--log-path", str(folder / "logs"), "--no-use-colors",
                *arguments,
                "--project-dir", str(settings.dbt_project),
                "--profiles-dir", str(settings.dbt_project),
                "--target-path", str(folder / target),
            ])  # fmt: skip
    has_results = bool(getattr(outcome.result, "results", None))
    if outcome.exception is not None or not (outcome.success or has_results):
        raise BuildError(
            f"dbt could not run: {one_line(outcome.exception or 'a model is wrong')}",
            where=str(settings.dbt_project),
            remediation=f"correct the cause, or read {folder / 'logs' / 'dbt.log'}",
        ) from outcome.exception
    return outcome.result


def raise_failed(results: Sequence[Any]) -> None:
    """Raise if a model or test failed.

    Raises:
        BuildError: with the name of the first one, its failing rows, their table and its owner.

    """
    failed = [r for r in results if str(r.status) in ("error", "fail", "runtime error")]
    if not failed:
        return
    first = failed[0]
    others = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
    skipped = sum(str(r.status) == "skipped" for r in results)
    after = f"; {skipped} nodes behind it were not run, readers keep the previous build"
    meta = first.node.config.meta
    owner = meta.get("owner", "data engineer")
    remediation = meta.get("remediation", "Correct their cause at the source or in a seed")
    if str(first.status) == "fail":
        raise BuildError(
            f"test {first.node.name} failed on {first.failures} rows{others}{after}",
            where=relation(first.node),
            remediation=f"read the failing rows there. {remediation}. Then build again (owner: "
            f"{owner})",
        )
    raise BuildError(
        f"{first.node.resource_type} {first.node.name} failed: "
        f"{one_line(first.message)}{others}{after}",
        where=f"dbt_project/{first.node.original_file_path}",
        remediation=f"correct it (owner: {owner}), then build again",
    )


def dbt_variables(database_url: str) -> dict[str, str]:
    """The environment variables of a database that `dbt_project/profiles.yml` reads."""
    parts = psycopg.conninfo.conninfo_to_dict(database.direct(database_url))
    names = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password"}
    names |= {"NAME": "dbname", "SSLMODE": "sslmode"}
    defaults = {"port": "5432", "sslmode": "prefer", "password": ""}
    return {
        f"LUMBUNG_DATABASE_{name}": str(parts.get(part) or defaults.get(part, ""))
        for name, part in names.items()
    }


@contextmanager
def dbt_environment(database_url: str) -> Iterator[None]:
    """Set the environment variables of dbt's target `warehouse` inside this block."""
    ours = dbt_variables(database_url) | {
        "DBT_TARGET": "warehouse",
        "LUMBUNG_RUNS_DBT": "1",  # macros/targets.sql
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        # Read by libpq: bounds for each statement of a model or test. A commit need not wait for
        # the disk: the commit that publishes the build writes everything before it to the disk.
        "PGOPTIONS": f"-c lock_timeout={DBT_LOCK_TIMEOUT}"
        f" -c statement_timeout={STATEMENT_TIMEOUT} -c synchronous_commit=off",
    }
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def relation(node: Any) -> str:
    """The table of a test's failing rows: `checks.<table>`."""
    return f"{node.schema}.{node.alias}"


def one_line(text: object) -> str:
    """A message of dbt or PostgreSQL without its line breaks."""
    return " ".join(str(text).split())
