"""Our values for Airflow's official Helm chart name what Lumbung has.

The chart is not here: CONTRIBUTING.md says how to render the values.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lumbung import database
from lumbung.local.airflow import COMPONENTS, Airflow
from lumbung.local.processes import Processes
from lumbung.settings import Settings

ROOT = Path(__file__).parents[2]
PARTS = {
    "apiServer": "api-server",
    "scheduler": "scheduler",
    "dagProcessor": "dag-processor",
}


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    loaded = yaml.safe_load((ROOT / "docker" / "helm-values.yaml").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def test_every_part_is_one_of_lumbung_run(values: dict[str, Any]) -> None:
    assert set(PARTS.values()) == set(COMPONENTS)
    assert values["triggerer"] == {"enabled": False}
    for name, part in PARTS.items():
        assert (values[name]["command"], values[name]["args"]) == (["lumbung", "run"], [part])
        # its default calls a script of Airflow's own image
        assert values[name].get("waitForMigrations", {"enabled": False}) == {"enabled": False}
        if name in ("scheduler", "dagProcessor"):
            assert values[name]["livenessProbe"]["command"][:2] == ["python", "-c"]
            assert values[name]["logGroomerSidecar"] == {"enabled": False}


def test_the_auth_manager_is_that_of_lumbung_run(values: dict[str, Any]) -> None:
    """Approvers are viewers, and only the auth managers of Lumbung let a viewer answer."""
    assert "AIRFLOW__CORE__AUTH_MANAGER" not in {each["name"] for each in values["env"]}


def test_the_guide_makes_each_secret(values: dict[str, Any]) -> None:
    guide = (ROOT / "docs" / "how-to" / "run-on-several-machines.md").read_text(encoding="utf-8")
    assert {each["secretName"] for each in values["secret"]} == {"lumbung"}
    for each in values["secret"]:
        assert f"--from-file={each['secretKey']}=" in guide, each
    named = {each["envName"] for each in values["secret"]}
    plain = {each["name"] for each in values["env"]}
    assert not named & plain
    assert {"LUMBUNG_AIRFLOW_SECRET", "LUMBUNG_VAULT_KEY"} <= named
    for each in (*values["volumes"], *values["workers"]["kubernetes"]["extraVolumes"]):
        assert f"kubectl create secret generic {each['secret']['secretName']} " in guide, each


def test_no_pod_has_the_owners_password(values: dict[str, Any]) -> None:
    plain = {each["name"]: each["value"] for each in values["env"]}
    assert not database.has_account(plain["LUMBUNG_DATABASE_URL"])
    assert values["migrateDatabaseJob"] == {"enabled": False}, "only the owner may migrate"
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (home,) = re.findall(r"LUMBUNG_HOME=(\S+)", image)
    (logins,) = (each for each in values["volumes"] if each["name"] == "logins")
    assert logins["secret"]["secretName"] == "lumbung-logins"
    mounts = {each["name"]: each["mountPath"] for each in values["volumeMounts"]}
    assert mounts["logins"] == f"{home}/logins", "where `roles.role_url` reads them"


def test_a_tasks_pod_has_what_lumbung_run_sets(values: dict[str, Any], tmp_path: Path) -> None:
    """A task's pod does not pass through `lumbung run`."""
    home = tmp_path / "home"
    settings = Settings(home, ROOT, None)
    airflow = Airflow(settings, Processes(home, home), "postgresql://h/w", "postgresql://h/a", {})
    airflow.prepare_secrets()
    expected = airflow.variables()
    task = {each["name"]: each["value"] for each in values["workers"]["kubernetes"]["env"]}
    shared = {name: value for name, value in task.items() if name != "LUMBUNG_SIGNING_KEY"}
    assert shared == {name: expected[name] for name in shared}
    plain = {each["name"] for each in values["env"]}
    image = {"LUMBUNG_HOME", "LUMBUNG_PROJECT"}
    # Airflow's own settings are in `env`, in the chart's airflow.cfg, or for its servers. The API
    # server answers tasks that ask for the Connection of the warehouse.
    others = {name for name in expected if not name.startswith("AIRFLOW_")}
    assert others - image <= plain | set(shared)


def test_only_tasks_sign_and_no_task_may_use_kubernetes(values: dict[str, Any]) -> None:
    task = values["workers"]["kubernetes"]
    (key,) = (each["value"] for each in task["env"] if each["name"] == "LUMBUNG_SIGNING_KEY")
    (mount,) = task["extraVolumeMounts"]
    assert Path(key).parent == Path(mount["mountPath"])
    assert not {"signing-key"} & {each["name"] for each in values["volumes"]}
    assert task["serviceAccount"] == {"create": True, "automountServiceAccountToken": False}


def test_pods_run_the_image_of_the_office(values: dict[str, Any]) -> None:
    assert values["images"]["pod_template"] == values["images"]["airflow"]
    uid = re.findall(r"useradd --uid (\d+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    assert [str(values["uid"])] == uid
    assert values["gid"] == values["uid"], "mounted secrets are readable by this group"
