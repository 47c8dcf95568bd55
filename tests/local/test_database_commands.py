"""The commands around the database, and what Airflow gets."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

from lumbung import database
from lumbung.local.airflow import Airflow, accounts
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.local.processes import Processes
from lumbung.local.simple import AuthManager
from lumbung.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("given", "beside"),
    [
        ("", ""),
        (
            "?sslmode=prefer&application_name=uji%20coba",
            "?sslmode=prefer&application_name=uji%20coba",
        ),
    ],
)
def test_a_database_beside_another_differs_in_its_name_alone(
    server: EmbeddedPostgres, given: str, beside: str
) -> None:
    url = server.url("postgres")
    found = database.ensure(url + given, "sebelah")
    assert found == url.removesuffix("postgres") + "sebelah" + beside
    with psycopg.connect(found) as connection:
        assert connection.info.dbname == "sebelah"
    assert database.ensure(url + given, "sebelah") == found


def test_a_url_without_host_or_account_stays_one(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = psycopg.conninfo.conninfo_to_dict(server.url("postgres"))
    for name in ("host", "port", "user", "password"):
        monkeypatch.setenv(f"PG{name.upper()}", str(info[name]))
    assert database.ensure("postgresql:///postgres", "sebelah") == "postgresql:///sebelah"


@pytest.fixture
def airflow(tmp_path: Path) -> Airflow:
    """One that has its secrets and no process."""
    settings = Settings(home=tmp_path, project=ROOT, database_url=None)
    url = "postgresql://a:r%40hasia%2F@host:5433/airflow?sslmode=require&application_name=x"
    made = Airflow(settings, Processes(tmp_path / "run", tmp_path), url, url, {})
    made.folder.mkdir()
    made.prepare_secrets()
    return made


def test_metadata_url_for_both_drivers(airflow: Airflow) -> None:
    environment = airflow.environment()
    rest = "a:r%40hasia%2F@host:5433/airflow"
    assert environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == (
        f"postgresql+psycopg2://{rest}?sslmode=require&application_name=x"
    )
    assert environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"] == (
        f"postgresql+asyncpg://{rest}?ssl=require"
    )


def test_components_that_know_another_port_of_the_database_are_stopped(
    airflow: Airflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[int] = []
    monkeypatch.setattr(Airflow, "stop", lambda each: stopped.append(each is airflow))
    before = airflow.environment()
    airflow._follow_database()
    airflow._follow_database()
    assert stopped == []
    airflow._metadata_url = airflow._metadata_url.replace("5433", "5434")
    airflow._follow_database()
    airflow._follow_database()
    assert stopped == [True]
    after = airflow.environment()
    assert {name for name in before if before[name] != after[name]} == {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC",
    }  # fmt: skip


def test_accounts_are_those_who_approve_and_only_a_demo_approves_by_itself(
    airflow: Airflow, tmp_path: Path
) -> None:
    assert accounts(airflow.settings) == {
        "admin": "admin",
        "koordinator": "viewer",
        "pimpinan": "approver",
    }
    kept = airflow.password("pimpinan")
    project = tmp_path / "project"
    (project / "config").mkdir(parents=True)
    people = (ROOT / "config" / "people.yaml").read_text()
    assert people.count("users: {pimpinan:") == 1
    (project / "config" / "people.yaml").write_text(
        people.replace("users: {pimpinan:", "users: {ketua: Ketua, pimpinan:").replace(
            "channel_owners: {}", "channel_owners: {penangan: a@babel.example.id}"
        )
        + "\nleadership: [anggota]\n"
    )
    airflow.settings = Settings(home=tmp_path, project=project, database_url=None)
    airflow.settings.demo_claim.touch()
    airflow.prepare_secrets()
    users = airflow.environment()["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"].split(",")
    assert sorted(users) == [
        "admin:admin",
        "anggota:viewer",
        "demo:viewer",
        "ketua:viewer",
        "koordinator:viewer",
        "penangan:viewer",
        "pimpinan:viewer",
    ]
    assert airflow.password("pimpinan") == kept
    assert airflow.password("ketua") != airflow.password("demo")


def test_no_tool_sends_telemetry(airflow: Airflow) -> None:
    """Airflow, dbt and Great Expectations each by a variable of its own, and two common ones."""
    environment = airflow.environment()
    names = ("AIRFLOW__USAGE_DATA_COLLECTION__ENABLED", "DBT_SEND_ANONYMOUS_USAGE_STATS")
    for name in (*names, "GX_ANALYTICS_ENABLED", "SCARF_ANALYTICS"):
        assert environment[name].lower() == "false", name
    assert environment["DO_NOT_TRACK"] == "1"


def test_the_simple_auth_manager_lets_an_approver_only_answer() -> None:
    manager = AuthManager()
    chair = SimpleAuthManagerUser(username="ketua", role="viewer")
    for method in ("POST", "PUT", "DELETE"):
        assert not manager.is_authorized_dag(method=method, user=chair)
        for entity in (DagAccessEntity.RUN, DagAccessEntity.TASK_INSTANCE, DagAccessEntity.XCOM):
            assert not manager.is_authorized_dag(method=method, user=chair, access_entity=entity)
        assert not manager.is_authorized_connection(method=method, user=chair)
    answers = {"user": chair, "access_entity": DagAccessEntity.HITL_DETAIL}
    assert manager.is_authorized_dag(method="PUT", **answers)
    assert not manager.is_authorized_hitl_task(assigned_users={"anggota"}, user=chair)
