"""Check an installation, and say for each point that it is well or what to do.

Nothing is started and nothing is changed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg

from lumbung import audit, database
from lumbung.backup import keys
from lumbung.backup.manifest import TIME, backups
from lumbung.backup.take import require_vault_key
from lumbung.errors import explained
from lumbung.files import PRIVATE_UMASK
from lumbung.local.airflow import service_address, unhealthy_parts
from lumbung.local.stack import AIRFLOW_DATABASE, NOT_CLOSED, Stack
from lumbung.publication.checks.stored import require_proven
from lumbung.settings import Settings, office_dag
from lumbung.warehouse.roles import METADATA, role_url

FREE_BYTES = 2_000_000_000
"""With less free space, a build or a backup may fill the disk."""
BACKUP_AGE = timedelta(hours=36)
"""A nightly backup that is older was missed."""
EDITION_AGE = timedelta(days=8)
CLOCK_SECONDS = 60


@dataclass(frozen=True)
class Finding:
    """One point: its name, whether it is well, and what was found or what to do."""

    name: str
    is_ok: bool
    said: str


def diagnose(settings: Settings) -> list[Finding]:
    """Check every point; a check that fails itself is a finding."""
    stack = Stack(settings)
    points: dict[str, Callable[[], str]] = {
        "disk": lambda: disk(settings.home),
        "permissions": lambda: permissions(settings.home),
        "parts": lambda: parts(stack),
        "backup": lambda: last_backup(os.environ.get("LUMBUNG_BACKUP")),
    }
    url = settings.database_url
    if url is None and stack.postgres.is_running:
        url = stack.for_roles(stack.postgres.url())
    if url is not None:
        points |= {
            "versions": lambda: versions(url),
            "clock": lambda: clock(url),
            "keys": lambda: secret_keys(url, settings),
            "audit log": lambda: audit_log(url, settings),
            "editions": lambda: editions(url, settings),
            "DAGs": lambda: dags(url),
        }
    return [_finding(name, check, settings.home) for name, check in points.items()]


class NotWellError(Exception):
    """A point that is not well; the message says what to do."""


def _finding(name: str, check: Callable[[], str], home: Path) -> Finding:
    try:
        return Finding(name, True, check())
    except NotWellError as error:
        return Finding(name, False, str(error))
    except Exception as error:
        return Finding(name, False, str(explained(error, home)))


def disk(home: Path) -> str:
    """Require free space for a build and a backup."""
    place = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(place).free
    if free < FREE_BYTES:
        raise NotWellError(
            f"{free / 1e9:.1f} GB are free at {place}: free space up to {FREE_BYTES / 1e9:.0f} GB"
        )
    return f"{free / 1e9:.0f} GB free"


def permissions(home: Path) -> str:
    """Require that other accounts read no secret file and no folder that holds records."""
    secret = [
        *(home / "keys").glob("*.key"),
        *(home / "airflow" / name for name in ("state.json", "passwords.json")),
        home / "postgres" / "server.json",
    ]
    closed = [path for path in home.glob("*") if path.name not in NOT_CLOSED]
    found = [
        path
        for path in (*secret, *closed)
        if path.exists() and not path.is_symlink() and path.stat().st_mode & PRIVATE_UMASK
    ]
    if found:
        raise NotWellError(
            f"other accounts may use {', '.join(map(str, found))}: run 'lumbung migrate', which"
            " closes the home"
        )
    return "secrets and records are closed to other accounts"


def parts(stack: Stack) -> str:
    """Require that every part runs, answers and begins its tasks."""
    if address := service_address():
        if silent := unhealthy_parts(address):
            raise NotWellError(
                f"{', '.join(silent)} do not answer at {address}: see with 'docker compose ps', or"
                " with what else runs them, and read their logs there"
            )
        return f"of Airflow all run and answer at {address}"
    if down := [part.name for part in stack.status() if part.pid is None]:
        raise NotWellError(f"{', '.join(down)} do not run: run 'lumbung up'")
    silent = unhealthy_parts(stack.airflow_url) if stack.airflow_url else []
    if stack.portal.url and not _answers(stack.portal.url):
        silent.append("portal")
    if silent:
        raise NotWellError(
            f"{', '.join(silent)} run and do not answer: read their logs, then run 'lumbung down'"
            " and 'lumbung up'"
        )
    if waiting := stack.queued_too_long():
        raise NotWellError(f"no worker begins {', '.join(waiting)}: run 'lumbung up'")
    return "all run and answer"


def _answers(address: str) -> bool:
    try:
        httpx.get(address, timeout=5)
    except httpx.HTTPError:
        return False
    return True


def last_backup(folder: str | None) -> str:
    """Require a whole backup that is not too old."""
    if not folder:
        raise NotWellError(
            "no backups are made: set LUMBUNG_BACKUP (docs/how-to/back-up-and-restore.md)"
        )
    found = backups(Path(folder))
    if not found:
        raise NotWellError(f"{folder} has no backup: run 'lumbung backup', or unpause DAG 'backup'")
    taken = datetime.strptime(found[-1].name, TIME).replace(tzinfo=UTC)
    if datetime.now(UTC) - taken > BACKUP_AGE:
        raise NotWellError(
            f"the last backup is of {taken:%Y-%m-%d %H:%M} UTC: look at the DAG 'backup' in Airflow"
        )
    return f"{len(found)}, the last of {taken:%Y-%m-%d %H:%M} UTC"


def versions(url: str) -> str:
    """Require that the database has exactly the migrations of this version."""
    # A database without migrations has no roles.
    login = url if database.has_account(url) else role_url(url, "transformer")
    database.require_migrated(login)
    with database.connect(login) as connection:
        return f"PostgreSQL {connection.info.server_version // 10_000}, migrated"


def clock(url: str) -> str:
    """Require that this machine, the database and what was landed agree about the time."""
    with database.connect(role_url(url, "auditor")) as connection:
        row = connection.execute(
            "select clock_timestamp(), (select max(landed_at) from raw.batch)"
        ).fetchone()
    assert row is not None  # noqa: S101 - a select without from gives one row
    now = datetime.now(UTC)
    difference = abs((row[0] - now).total_seconds())
    if difference > CLOCK_SECONDS:
        raise NotWellError(
            f"this machine and the database differ by {difference:.0f} s: set both by NTP"
        )
    if row[1] and row[1] > now + timedelta(seconds=CLOCK_SECONDS):
        raise NotWellError(
            f"something was landed at {row[1]:%Y-%m-%d %H:%M} UTC, which is to come: the clock was"
            " set back, or was wrong then; set it by NTP"
        )
    return "agrees with the database"


def secret_keys(url: str, settings: Settings) -> str:
    """Require the key of the vault, and keys that fit the signed editions."""
    with database.connect(role_url(url, "custodian")) as connection:
        require_vault_key(connection, keys.collect(settings))
    with database.connect(role_url(url, "auditor")) as connection:
        require_proven(connection, settings)
    return "fit the database"


def audit_log(url: str, settings: Settings) -> str:
    """Require that no line of the audit log was changed, removed or inserted."""
    head = audit.verify(settings=settings, database_url=role_url(url, "auditor"))
    return f"holds, {head.entry_id} lines"


def editions(url: str, settings: Settings) -> str:
    """Require that every office which has published did so in the last week."""
    with database.connect(role_url(url, "auditor")) as connection:
        rows = connection.execute(
            "select distinct on (office_code) edition_id, decided_at, office_code"
            " from published.edition inner join published.approval using (edition_id)"
            " where state = 'published' and office_code = any(%s)"
            " order by office_code, decided_at desc",
            ([office.office for office in settings.offices],),
        ).fetchall()
    for edition_id, decided_at, office in rows:
        is_late = datetime.now(UTC) - decided_at > EDITION_AGE
        if is_late and not settings.demo_claim.exists():
            raise NotWellError(
                f"the last one is {edition_id} of {decided_at:%Y-%m-%d}: look at the DAG"
                f" '{office_dag('publication', office)}' (docs/how-to/runbooks/publication.md)"
            )
    if not rows:
        return "none was published yet"
    return f"the last is {' and '.join(edition_id for edition_id, *_ in rows)}"


def dags(url: str) -> str:
    """Require that no DAG is paused or has failed last, a channel's included."""
    found = list(_dags(role_url(database.named(url, AIRFLOW_DATABASE), METADATA)))
    if paused := [dag_id for dag_id, is_paused, _ in found if is_paused]:
        raise NotWellError(
            f"paused are {', '.join(paused)}: unpause in Airflow what should run; after a loss of"
            " Airflow's metadata all are paused"
        )
    if failed := [dag_id for dag_id, _, state in found if state == "failed"]:
        raise NotWellError(
            f"the last run failed of {', '.join(failed)}: read its log in Airflow"
            " (docs/how-to/runbooks/index.md)"
        )
    return f"{len(found)}, none is paused, none failed last"


def _dags(metadata_url: str) -> Iterator[tuple[str, bool, str | None]]:
    """Yield each DAG, whether it is paused, and the state of its last run."""
    with database.connect(metadata_url) as connection:
        try:
            yield from connection.execute(
                "select dag_id, is_paused, (select state from dag_run as r"
                " where r.dag_id = d.dag_id order by run_after desc limit 1)"
                " from dag as d where not is_stale order by dag_id"
            )
        except psycopg.errors.UndefinedTable as error:
            raise NotWellError("Airflow was never set up: run 'lumbung up'") from error
