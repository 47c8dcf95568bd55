"""Who sees and changes what at the desk, behind Airflow's FAB auth manager."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace

import httpx
import psycopg
import pytest
from airflow.api_fastapi.auth.managers.base_auth_manager import BaseAuthManager

from lumbung import database
from lumbung.local.airflow import API_SERVER, START_SECONDS, Airflow
from lumbung.local.processes import Processes, hold_port
from tests.desk.conftest import DRAFT, OTHER, OWN, PAIRS, PUBLISHED, Desk

SEEN = {
    # account: the pages that it sees, of `PAGES`
    "ketua": {"draft", "sheet"},
    "koordinator": {"sheet"},
    "sekretaris": {"draft", "sheet"},
    "sari": {"review", "own", "data", "trace"},
    "provinsi": {"review", "own", "other", "data", "trace"},
    "ana": {"data", "trace"},
    "pemeriksa": {"audit", "trace", "data"},
    "penangan": set(),
    "orang": set(),
    "insinyur": set(),
}


def pair_address(regency: str) -> str:
    one, other = PAIRS[regency][0]
    return f"/tinjauan/pasangan?one={one}&other={other}"


PAGES = {
    "draft": f"/edisi/{DRAFT}",
    "sheet": "/lembar",
    "review": "/tinjauan",
    "own": pair_address(OWN),
    "other": pair_address(OTHER),
    "trace": "/telusur",
    "data": "/data",
    "audit": "/catatan",
}
FORMS = {
    f"/edisi/{DRAFT}/keputusan": {"decision": "rejected", "root": "x", "reason": "x"},
    f"/edisi/{DRAFT}/pengecualian": {"check": "x", "until": "2099-01-01", "reason": "x"},
    f"/edisi/{DRAFT}/lanjutkan": {},
    f"/lembar/{DRAFT}": {},
    "/tinjauan/pasangan": {"one": "a1", "other": "a2", "decision": "different"},
}


@pytest.fixture
def airflow(stewarded: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Airflow]:
    """Airflow's API server with FAB; the scheduler and the others are not needed."""
    monkeypatch.setenv("LUMBUNG_AUTH", "fab")
    settings = stewarded.settings
    metadata = database.ensure(stewarded.url, f"{stewarded.url.rpartition('/')[2][:30]}_airflow")
    processes = Processes(settings.home / "run", settings.home / "logs")
    found = Airflow(settings, processes, stewarded.url, metadata, {})
    try:
        with hold_port() as port:
            found.prepare()
            found.use_port(port.number)
            found._spawn(API_SERVER)
            processes.wait_until_listening(API_SERVER, port.number, START_SECONDS)
        yield found
    finally:
        found.stop()
        name = metadata.rpartition("/")[2].partition("?")[0]
        with psycopg.connect(stewarded.url, autocommit=True) as connection:
            connection.execute(f'drop database "{name}" with (force)')


def client(airflow: Airflow, account: str) -> httpx.Client:
    """A client that has logged in as a program does."""
    given = {"username": account, "password": airflow.password(account)}
    token = httpx.post(f"{airflow.url}/auth/token", json=given, timeout=60).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=airflow.url, headers=headers, timeout=60)


def decisions(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(
            "select (select count(*) from published.approval), (select count(*) from"
            " published.waiver), (select count(*) from ops.link_decision), (select count(*) from"
            " ops.audit_log)"
        ).fetchall()


@pytest.mark.slow
def test_the_roles_behind_real_accounts(stewarded: Desk, airflow: Airflow) -> None:
    before = decisions(stewarded.url)
    for account, seen in SEEN.items():
        with client(airflow, account) as http:
            home = http.get("/lumbung/")
            assert home.status_code == 200, account
            assert http.get("/lumbung").headers["location"] == "/lumbung/"
            assert f"Masuk sebagai <bdi>{account}" in home.text or account == "ketua"
            assert http.get(f"/lumbung/edisi/{PUBLISHED}").status_code == 200
            for name, page in PAGES.items():
                expected = 200 if name in seen else 404
                assert http.get(f"/lumbung{page}").status_code == expected, (account, name)
            # an approver is no engineer
            status = http.get("/api/v2/connections").status_code
            assert status == (200 if account == "insinyur" else 403), account
            if account in ("penangan", "ketua"):
                # Airflow itself lets an owner do nothing, whatever channel it is, and an approver
                # only answer
                dag = "/api/v2/dags/intake__register_laporan"
                changes: tuple[tuple[str, str, object], ...] = (
                    ("POST", f"{dag}/dagRuns", {"logical_date": None}),
                    ("PATCH", dag, {"is_paused": True}),
                    ("DELETE", dag, None),
                )
                for method, path, body in changes:
                    assert http.request(method, path, json=body).status_code == 403, method
                answer = http.patch(
                    "/api/v2/dags/publication/dagRuns/x/taskInstances/approve/-1/hitlDetails",
                    json={"chosen_options": ["Approve"], "params_input": {}},
                )
                assert answer.status_code == (404 if account == "ketua" else 403)
            # nothing is changed without a page of one's own session, and no role gets around it
            for page, fields in FORMS.items():
                answer = http.post(f"/lumbung{page}", data=fields)
                assert answer.status_code in (403, 404), (account, page)
            if account == "sari":
                form = http.get(f"/lumbung{PAGES['own']}")
                found = re.search(r'name="csrf" value="([^"]+)"', form.text)
                assert found
                assert before == decisions(stewarded.url)
                one, other = PAIRS[OTHER][0]
                given = {"one": one, "other": other, "decision": "different", "csrf": found[1]}
                assert http.post("/lumbung/tinjauan/pasangan", data=given).status_code == 404
                assert before == decisions(stewarded.url)
                given |= dict(zip(("one", "other"), PAIRS[OWN][0], strict=True))
                assert http.post("/lumbung/tinjauan/pasangan", data=given).status_code == 303
                with psycopg.connect(stewarded.url) as connection:
                    assert connection.execute(
                        "select decided_by from ops.link_decision"
                    ).fetchall() == [("sari",)]
                before = decisions(stewarded.url)
    assert before == decisions(stewarded.url)

    # as a person does: the desk asks for the login, and is there after it
    with httpx.Client(base_url=airflow.url, follow_redirects=True, timeout=60) as http:
        login = http.get(f"/lumbung/edisi/{DRAFT}")
        assert login.url.path == "/auth/login/"
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', login.text)
        fields = {"username": "ketua", "password": airflow.password("ketua")}
        draft = http.post(str(login.url), data={**fields, "csrf_token": found[1] if found else ""})
        assert draft.url.path == f"/lumbung/edisi/{DRAFT}"
        assert "Keputusan" in draft.text
        wrong = httpx.post(
            f"{airflow.url}/auth/token",
            json={"username": "ketua", "password": "salah"},
            timeout=60,
        )
        assert wrong.status_code == 401


def test_a_task_is_answered_by_the_accounts_that_the_dag_names() -> None:
    from lumbung.local.fab import AuthManager

    answers = AuthManager.is_authorized_hitl_task
    chair, other = SimpleNamespace(username="ketua", id=1), SimpleNamespace(username="x", id=2)
    assert answers(None, assigned_users={"ketua"}, user=chair)  # type: ignore[arg-type]
    assert not answers(None, assigned_users={"ketua", "2"}, user=other)  # type: ignore[arg-type]


def test_keycloak_answers_by_account_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider is in no lock file; its base class compares ids, as Airflow's does."""
    package = "airflow.providers.keycloak.auth_manager"
    for name, given in (
        (f"{package}.keycloak_auth_manager", {"KeycloakAuthManager": BaseAuthManager}),
        (f"{package}.user", {"KeycloakAuthManagerUser": object}),
    ):
        module = ModuleType(name)
        vars(module).update(given)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delitem(sys.modules, "lumbung.local.keycloak", raising=False)
    from lumbung.local.keycloak import AuthManager

    answers = AuthManager.is_authorized_hitl_task
    chair = SimpleNamespace(get_name=lambda: "ketua", get_id=lambda: "7f3c")
    assert answers(None, assigned_users={"ketua"}, user=chair)  # type: ignore[arg-type]
    assert not answers(None, assigned_users={"7f3c"}, user=chair)  # type: ignore[arg-type]
    monkeypatch.delitem(sys.modules, "lumbung.local.keycloak")
