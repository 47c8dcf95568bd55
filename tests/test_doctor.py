"""`lumbung doctor` names each point that is not well, and what to do."""

from __future__ import annotations

import json
from base64 import b64encode
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from lumbung import database, doctor
from lumbung.doctor import NotWellError, diagnose
from lumbung.intake.vault import Vault, hold_to_one_key
from lumbung.local.portal import PortalServer
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.local.processes import hold_port
from lumbung.local.stack import Part, Stack
from lumbung.settings import Settings
from lumbung.warehouse.roles import METADATA, role_url
from tests.support.api_server import Reply, serve
from tests.support.command import lumbung
from tests.support.databases import fresh_database

ROOT = Path(__file__).parents[1]
KEY = bytes(range(32))


@pytest.fixture
def office(tmp_path: Path, database_url: str) -> Settings:
    """A home that is well but for its parts, backups and DAGs: none runs."""
    settings = Settings(tmp_path / "home", ROOT, database_url)
    (settings.home / "keys").mkdir(mode=0o700, parents=True)
    key = settings.home / "keys" / "vault.key"
    key.touch(mode=0o600)
    key.write_bytes(b64encode(KEY))
    with psycopg.connect(database_url) as connection:
        hold_to_one_key(connection, Vault(KEY))
    return settings


def not_well(settings: Settings) -> dict[str, str]:
    found = {each.name: each.said for each in diagnose(settings) if not each.is_ok}
    return {name: said for name, said in found.items() if name not in ("parts", "backup", "DAGs")}


def execute(settings: Settings, query: str) -> None:
    with psycopg.connect(settings.require_database_url()) as connection:
        connection.execute(query.encode())


def test_a_home_that_is_well(office: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not_well(office) == {}
    monkeypatch.setattr(doctor, "FREE_BYTES", 10**18)
    assert "free space" in not_well(office)["disk"]


def test_a_key_that_others_read(office: Settings) -> None:
    key = office.home / "keys" / "vault.key"
    key.chmod(0o644)
    assert f"other accounts may use {key}: run 'lumbung migrate'" in not_well(office)["permissions"]


def test_another_key_than_the_databases(office: Settings) -> None:
    (office.home / "keys" / "vault.key").write_bytes(b64encode(bytes(32)))
    assert "the vault key is missing, or is not the one" in not_well(office)["keys"]
    (office.home / "keys" / "vault.key").unlink()
    assert "the vault key is missing, or is not the one" in not_well(office)["keys"]
    assert not (office.home / "keys" / "vault.key").exists(), "no new one was made"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "delete from ops.migration where name = (select max(name) from ops.migration)",
            "lacks 1 migrations.*run 'lumbung migrate'",
        ),
        (
            "insert into ops.migration (name) values ('9999_later.sql')",
            "another version of Lumbung .* 9999_later.sql.*use that version or a later one",
        ),
    ],
)
def test_a_database_of_another_version(office: Settings, change: str, said: str) -> None:
    execute(office, change)
    with pytest.raises(Exception, match=said):
        doctor.versions(office.require_database_url())
    assert list(not_well(office)) == ["versions"]


def test_an_audit_log_that_was_changed(office: Settings) -> None:
    execute(office, "select ops.audit('x', 'nobody', false, '{}') from generate_series(1, 3)")
    assert not_well(office) == {}
    execute(
        office,
        "set session_replication_role = replica; delete from ops.audit_log where entry_id = 2",
    )
    assert "line 2 is missing" in not_well(office)["audit log"]


def test_a_clock_that_was_set_back(office: Settings) -> None:
    execute(
        office,
        "insert into raw.batch (channel, run_key, started_at, landed_at, read_count, landed_count,"
        " duplicate_count, quarantined_count)"
        " values ('x', 'x', now(), now() + interval '1 day', 0, 0, 0, 0)",
    )
    assert "which is to come: the clock was set back" in not_well(office)["clock"]


def test_backups_that_are_missing_or_old(tmp_path: Path) -> None:
    for folder, said in ((None, "set LUMBUNG_BACKUP"), (str(tmp_path), "has no backup")):
        with pytest.raises(NotWellError, match=said):
            doctor.last_backup(folder)
    now = datetime.now(UTC)
    (tmp_path / f"{now - timedelta(days=2):%Y%m%dT%H%M%SZ}").mkdir()
    (tmp_path / f".{now:%Y%m%dT%H%M%SZ}.partial").mkdir()
    with pytest.raises(NotWellError, match=r"the last backup is of .*DAG 'backup'"):
        doctor.last_backup(str(tmp_path))
    (tmp_path / f"{now:%Y%m%dT%H%M%SZ}").mkdir()
    assert doctor.last_backup(str(tmp_path)).startswith("2, the last of")


def test_dags_that_are_paused_or_failed_last(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "AIRFLOW_DATABASE", "doctor_airflow")
    url = fresh_database(server, "template0", "doctor_airflow")
    database.give(url, METADATA)
    with pytest.raises(NotWellError, match="Airflow was never set up"):
        doctor.dags(url)
    with psycopg.connect(role_url(url, METADATA), autocommit=True) as connection:
        connection.execute("create table dag (dag_id text, is_paused boolean, is_stale boolean)")
        connection.execute("create table dag_run (dag_id text, state text, run_after int)")
        connection.execute(
            "insert into dag values ('warehouse', false, false), ('intake__surel', false, false),"
            " ('intake__gone', true, true)"
        )
        connection.execute(
            "insert into dag_run values ('warehouse', 'failed', 1), ('warehouse', 'success', 2)"
        )
        assert doctor.dags(url) == "2, none is paused, none failed last"
        connection.execute("insert into dag_run values ('intake__surel', 'failed', 1)")
        with pytest.raises(NotWellError, match="the last run failed of intake__surel: "):
            doctor.dags(url)
        connection.execute("update dag set is_paused = true where dag_id = 'warehouse'")
        with pytest.raises(NotWellError, match="paused are warehouse: unpause in Airflow"):
            doctor.dags(url)


def test_parts_that_run_and_do_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    healthy = {"status": "healthy"}
    health: object = {"metadatabase": healthy, "scheduler": healthy, "triggerer": {"status": None}}
    running = Stack(Settings(ROOT / "no", ROOT, None))
    monkeypatch.setattr(running, "status", lambda: [Part("scheduler", 1, 0)])
    server = contextmanager(serve)(lambda _: Reply(health))
    with server as api:
        address = f"http://127.0.0.1:{api.port}"
        monkeypatch.setattr(Stack, "airflow_url", address)
        assert doctor.parts(running) == "all run and answer"
        health = {"scheduler": {"status": "unhealthy"}, "triggerer": {}}
        with pytest.raises(NotWellError, match="scheduler run and do not answer: read their logs"):
            doctor.parts(running)
        health = {"scheduler": healthy, "triggerer": {}}
        monkeypatch.setattr(PortalServer, "url", f"{address}/")
        assert doctor.parts(running) == "all run and answer"
        with hold_port() as nobody:
            monkeypatch.setattr(PortalServer, "url", f"http://127.0.0.1:{nobody.number}/")
            with pytest.raises(NotWellError, match="portal run and do not answer"):
                doctor.parts(running)
        monkeypatch.setattr(PortalServer, "url", None)
    with pytest.raises(NotWellError, match="api-server run and do not answer"):
        doctor.parts(running)


def test_parts_that_another_program_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker Compose's: this home has none of its own that could run."""
    healthy = {"status": "healthy"}
    health: object = {"scheduler": healthy, "dag_processor": healthy, "triggerer": {}}
    nothing = Stack(Settings(tmp_path, ROOT, None))
    with contextmanager(serve)(lambda _: Reply(health)) as api:
        address = f"http://localhost:{api.port}"
        url = f"{address}/execution/"
        monkeypatch.setenv("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", url)
        assert doctor.parts(nothing) == f"of Airflow all run and answer at {address}"
        health = {"scheduler": healthy, "dag_processor": {"status": None}, "triggerer": {}}
        with pytest.raises(NotWellError, match=f"dag_processor do not answer at {address}: see"):
            doctor.parts(nothing)
    done = lumbung("status", AIRFLOW__CORE__EXECUTION_API_SERVER_URL=url)
    assert done.returncode == 4
    assert f"Docker Compose [{address}]" in done.stderr


def test_a_home_where_nothing_runs_is_not_started(tmp_path: Path) -> None:
    done = lumbung("doctor", "--json", LUMBUNG_HOME=str(tmp_path / "home"))
    assert done.returncode == 3
    found = {each["point"]: each for each in json.loads(done.stdout)}
    assert list(found) == ["disk", "permissions", "parts", "backup"]
    assert found["parts"]["said"].startswith("postgres, api-server,")
    assert not (tmp_path / "home").exists()
