"""The guides for Docker Compose, followed as they are written, and a week's work in the containers.

    LUMBUNG_DOCKER=1 make test TEST="tests/end_to_end/test_docker.py"

It needs a Docker engine with Compose, and the account root. Where the base images cannot be pulled
it builds stand-ins (`tests/support/images.py`). It takes about ten minutes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pytest

from lumbung.demo import reckoning, writers
from lumbung.demo import world as invented
from lumbung.demo.run import CHANNELS
from lumbung.local.airflow import AirflowClient
from lumbung.local.processes import hold_port
from tests.support import images
from tests.support.against_truth import facts_equal_truth
from tests.support.guides import commands

ROOT = Path(__file__).parents[2]
GUIDES = ROOT / "docs" / "how-to"
TOKEN = "rahasia"
KOBO_PORT = 8123
PATIENCE_SECONDS = 600

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("LUMBUNG_DOCKER" not in os.environ, reason="the long form: LUMBUNG_DOCKER"),
    pytest.mark.timeout(3600),
]


@dataclass
class Office:
    """A folder with the checkout's files, in which the guides are followed.

    Attributes:
        folder: the checkout.
        airflow: Airflow's address.
        portal: the portal's.

    """

    folder: Path
    airflow: str
    portal: str

    def run(self, command: str) -> str:
        """Run commands of a guide as root, which needs no `sudo`; return what they print."""
        done = subprocess.run(
            ["bash", "-euc", command.replace("sudo ", "")],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def compose(self, arguments: str) -> str:
        return self.run(f"docker compose --profile scale {arguments}")

    def set(self, name: str, value: str) -> None:
        """Set a variable in `.env`, as an office edits it."""
        file = self.folder / ".env"
        text, count = re.subn(rf"(?m)^{name}=.*$", f"{name}={value}", file.read_text())
        assert count == 1
        file.write_text(text)

    def wait_until_healthy(self, count: int) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            lines = self.compose("ps --format json").splitlines()
            found = {each["Name"]: each["Health"] for each in map(json.loads, lines)}
            if len(found) == count and set(found.values()) == {"healthy"}:
                return
            time.sleep(2)
        pytest.fail(f"{found}\n{self.compose('logs --tail 20')}")

    def database_url(self) -> str:
        """The warehouse as its owner, from this machine."""
        container = self.compose("ps --quiet postgres").strip()
        place = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        address = self.run(f"docker inspect --format '{place}' {container}").strip()
        written = (self.folder / "secrets" / "database_url").read_text().strip()
        return written.replace("@postgres:", f"@{address}:")

    def passwords(self) -> dict[str, str]:
        block = next(each for each in commands(GUIDES / "run-with-docker.md", "text")
                     if "passwords.json" in each)  # fmt: skip
        found: dict[str, str] = json.loads(self.run(block.replace("exec ", "exec -T ")))
        return found


def _prepared(folder: Path, name: str) -> Office:
    """A checkout in which the guide was followed up to the start."""
    listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True)
    for file in filter(None, listed.split("\0")):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, folder / file)
    with hold_port() as airflow, hold_port() as portal:
        ports = {"AIRFLOW_PORT": airflow.number, "PORTAL_PORT": portal.number}
    addresses = [f"http://127.0.0.1:{port}" for port in ports.values()]
    made = Office(folder, *addresses)
    for block in commands(GUIDES / "run-with-docker.md", "text")[:3]:
        made.run(block)
    made.set("COMPOSE_PROJECT_NAME", name)
    for variable, port in ports.items():
        made.set(variable, str(port))
    return made


@contextmanager
def _removed_at_the_end(office: Office) -> Iterator[Office]:
    try:
        yield office
    finally:
        print(office.compose("logs --no-color --tail 20"))
        office.compose("down --volumes --timeout 30")
        office.run(". ./.env && docker image rm --force $COMPOSE_PROJECT_NAME")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The containers of the guide, started by its commands."""
    print("stand-ins:", images.provide())
    with _removed_at_the_end(_prepared(tmp_path_factory.mktemp("office"), "lumbung-test")) as made:
        made.run(commands(GUIDES / "run-with-docker.md", "text")[3])
        made.wait_until_healthy(5)
        yield made


@pytest.fixture(scope="module")
def truth(office: Office) -> dict[str, Any]:
    """What the deliveries in the office's inbox must become."""
    world = invented.generate(11, 4)
    writers.write(world, office.folder / "inbox")
    office.run("sudo chown --recursive 10001 inbox")
    found: dict[str, Any] = reckoning.truth_of(world)
    return found


def test_a_week_in_containers(office: Office, truth: dict[str, Any], tmp_path: Path) -> None:
    """Deliveries become facts in the scheduler; workers publish what the chair has approved."""
    *_, unpause, key_pair, back_up, restore, _ = commands(GUIDES / "run-with-docker.md", "text")
    scale, pools, stop_workers, *_ = commands(GUIDES / "run-on-several-machines.md", "text")
    passwords = office.passwords()
    client = AirflowClient(office.airflow, "admin", passwords["admin"])
    _pull(office, client, unpause)
    facts_equal_truth(office.database_url(), truth)

    office.set("EXECUTOR", "CeleryExecutor")
    office.run(scale)
    office.wait_until_healthy(9)
    office.run(pools.replace("exec ", "exec -T "))
    edition = _publish(office, passwords, str(truth["edition_week"]))
    assert edition in httpx.get(office.portal).text
    assert "holds" in office.compose(f"run --rm -T init verify {edition}")

    office.run(key_pair.replace("run --rm", "run --rm -T"))
    office.set("LUMBUNG_BACKUP_RECIPIENT", (office.folder / "penerima.txt").read_text().strip())
    office.run(stop_workers)
    office.run(scale)
    office.wait_until_healthy(9)
    said = office.run(back_up.replace("exec ", "exec -T "))
    assert "and 1 editions" in said
    assert "all are as backed up" in said
    said = office.compose("exec -T api-server lumbung doctor || true")
    assert "ok  parts        of Airflow all run and answer" in said
    office.compose("stop --timeout 60")
    _restore(office, tmp_path / "restored", restore, truth)


def _restore(office: Office, folder: Path, commands_of_guide: str, truth: dict[str, Any]) -> None:
    """Restore into a second installation, whose facts are the truth, too."""
    with _removed_at_the_end(_prepared(folder, "lumbung-test-restored")) as restored:
        shutil.copy(office.folder / "secrets" / "vault_key", folder / "secrets")
        shutil.copytree(office.folder / "backups", folder / "backups", dirs_exist_ok=True)
        restored.run("sudo chown --recursive 10001 backups")
        restored.run(commands_of_guide.replace("run --rm", "run --rm -T"))
        (folder / "backups" / "kunci-cadangan.txt").unlink()
        restored.run(commands(GUIDES / "run-with-docker.md", "text")[3])
        restored.wait_until_healthy(5)
        facts_equal_truth(restored.database_url(), truth)
        assert "holds" in restored.compose("run --rm -T init verify")
        assert str(truth["edition_week"]) in httpx.get(restored.portal).text


def _pull(office: Office, client: AirflowClient, unpause: str) -> None:
    """Pull every channel once and wait for the builds that follow."""
    office.compose(
        f"exec -T --detach --env LUMBUNG_KOBO_TOKEN={TOKEN} scheduler python -m"
        f" lumbung.demo.kobo_server --data /var/lib/lumbung/inbox/{writers.KOBO_FILE}"
        f" --port {KOBO_PORT}"
    )
    connection = {"conn_type": "http", "host": f"http://127.0.0.1:{KOBO_PORT}", "password": TOKEN}
    office.compose(
        "exec -T api-server lumbung airflow -- connections add kobo_pemantau --conn-json"
        f" '{json.dumps(connection)}'"
    )
    wanted = {*(f"intake__{channel}" for channel in CHANNELS), "warehouse", "publication"}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not wanted <= client.dag_ids():
        assert time.monotonic() < deadline, client.dag_ids()
        time.sleep(2)
    office.run(unpause.replace("exec ", "exec -T "))
    for channel in CHANNELS:
        run_id = client.trigger(f"intake__{channel}")
        for _ in client.follow(f"intake__{channel}", run_id, PATIENCE_SECONDS):
            pass
        assert client.tasks(f"intake__{channel}", run_id) == {"pull": "success"}
    run_id = client.trigger("warehouse")
    for _ in client.follow("warehouse", run_id, PATIENCE_SECONDS):
        pass
    assert set(client.tasks("warehouse", run_id).values()) == {"success"}


def _publish(office: Office, passwords: dict[str, str], week: str) -> str:
    """Draft the week's edition, approve it at the desk as the chair does; return its id."""
    client = AirflowClient(office.airflow, "admin", passwords["admin"])
    printed = office.compose("run --rm -T init approver enrol pimpinan")
    secret = parse_qs(urlsplit(re.findall(r"otpauth://\S+", printed)[0]).query)["secret"][0]
    run = client.call(
        "POST",
        "/dags/publication/dagRuns",
        json={"logical_date": None, "conf": {"week_id": week, "as_known_at": "now"}},
    )
    run_id = run["dag_run_id"]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while client.tasks("publication", run_id).get("approve") != "awaiting_input":
        assert time.monotonic() < deadline, client.tasks("publication", run_id)
        time.sleep(2)
    desk = httpx.Client(base_url=office.airflow, follow_redirects=True, timeout=60)
    page = desk.get("/lumbung/")
    token = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)[0]
    account = {"username": "pimpinan", "password": passwords["pimpinan"], "csrf_token": token}
    page = desk.post(str(page.url), data=account)
    address = re.findall(rf'href="(/lumbung/edisi/{week}-r\d+)"', page.text)[0]
    page = desk.get(address)
    (form,) = (each for each in re.findall(r"<form.*?</form>", page.text, re.S)
               if "Setujui" in each)  # fmt: skip
    fields = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', form))
    fields.update(re.findall(r'<button[^>]*name="([^"]+)"[^>]*value="([^"]*)"', form))
    fields[re.findall(r'name="(code[^"]*)"', form)[0]] = pyotp.TOTP(secret).now()
    (target,) = re.findall(r'action="([^"]*)"', form)
    page = desk.post(target, data=fields, headers={"Origin": office.airflow})
    assert "Keputusan tercatat" in page.text, page.text[-2000:]
    for _ in client.follow("publication", run_id, PATIENCE_SECONDS):
        pass
    states = client.tasks("publication", run_id)
    assert states.pop("mail") == "skipped"
    assert set(states.values()) == {"success"}
    return str(address).rsplit("/", 1)[-1]
