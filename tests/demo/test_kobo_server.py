"""The stand-in for KoboToolbox, asked over HTTP as a puller asks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from lumbung.demo.kobo_server import NAME, StandIn, start
from lumbung.errors import ServiceError
from lumbung.local.airflow import AirflowClient
from lumbung.local.processes import Processes
from lumbung.settings import Settings

TOKEN = "rahasia-rekaan"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = [
        {"_id": 100 + number, "_submission_time": f"2024-11-{1 + number // 10:02d}T10:00:00"}
        for number in range(230)
    ]
    path = tmp_path / "data.json"
    path.write_text(json.dumps({"uid": "aRekaan", "results": rows}))
    return path


@pytest.fixture
def server(data: Path) -> Iterator[StandIn]:
    with StandIn(data, 0, TOKEN) as standing:
        thread = threading.Thread(target=standing.serve_forever)
        thread.start()
        yield standing
        standing.shutdown()
        thread.join()


def ask(server: StandIn, address: str = "", **query: str) -> httpx.Response:
    url = address or f"{server.address}/api/v2/assets/aRekaan/data/"
    headers = {"Authorization": f"Token {TOKEN}"}
    return httpx.get(url, params=query or None, headers=headers, trust_env=False)


def test_pages_lead_to_every_row_once_and_are_clamped(server: StandIn) -> None:
    page = ask(server, limit="1000", sort='{"_id":1}').json()
    assert (page["count"], len(page["results"]), page["previous"]) == (230, 100, None)
    ids = [row["_id"] for row in page["results"]]
    sizes = [len(ids)]
    while page["next"]:
        page = ask(server, page["next"]).json()
        sizes.append(len(page["results"]))
        ids += [row["_id"] for row in page["results"]]
    assert sizes == [100, 100, 30]
    assert ids == list(range(100, 330))
    back = ask(server, page["previous"]).json()
    assert back["results"][0]["_id"] == 200


def test_newest_first_unless_asked_otherwise(server: StandIn) -> None:
    assert [row["_id"] for row in ask(server, limit="2").json()["results"]] == [329, 328]
    ordered = ask(server, limit="2", sort='{"_id":1}').json()["results"]
    assert [row["_id"] for row in ordered] == [100, 101]


def test_a_query_compares(server: StandIn) -> None:
    page = ask(server, query='{"_id":{"$gt":327}}', sort='{"_id":1}').json()
    assert [row["_id"] for row in page["results"]] == [328, 329]
    assert (page["count"], page["next"]) == (2, None)
    since = ask(server, query='{"_submission_time":{"$gte":"2024-11-23T00:00:00"}}').json()
    assert since["count"] == 10


@pytest.mark.parametrize("header", [{}, {"Authorization": "Token salah"}])
def test_without_the_token_nothing(server: StandIn, header: dict[str, str]) -> None:
    url = f"{server.address}/api/v2/assets/aRekaan/data/"
    answer = httpx.get(url, headers=header, trust_env=False)
    assert answer.status_code == 401
    assert set(answer.json()) == {"detail"}


def test_another_form_is_not_found_and_nonsense_is_refused(server: StandIn) -> None:
    assert ask(server, f"{server.address}/api/v2/assets/aLain/data/").status_code == 404
    assert ask(server, f"{server.address}/api/v2/assets/aRekaan/data.json").status_code == 200
    assert ask(server, query="{").status_code == 400
    assert ask(server, query='{"_id":{"$where":1}}').status_code == 400


def test_an_edit_shows_at_once(server: StandIn, data: Path) -> None:
    content = json.loads(data.read_text())
    content["results"][0]["_uuid"] = "baru"
    data.write_text(json.dumps(content))
    first = ask(server, limit="1", sort='{"_id":1}').json()["results"][0]
    assert first["_uuid"] == "baru"


def test_a_port_taken_is_said(server: StandIn, data: Path) -> None:
    with pytest.raises(ServiceError, match="choose another with --port"):
        StandIn(data, server.server_port, TOKEN)


def test_it_runs_as_a_command(data: Path) -> None:
    command = [
        *(sys.executable, "-m", "lumbung.demo.kobo_server", "--data", str(data)),
        *("--port", "0", "--max-limit", "7"),
    ]
    environment = {**os.environ, "LUMBUNG_KOBO_TOKEN": TOKEN}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split()[-1]
            headers = {"Authorization": f"Token {TOKEN}"}
            url = f"{address}/api/v2/assets/aRekaan/data/"
            page = httpx.get(url, headers=headers, trust_env=False).json()
            assert len(page["results"]) == 7
            assert "limit=7" in page["next"]
        finally:
            process.terminate()


def test_its_token_is_in_no_argument_of_its_process(data: Path, tmp_path: Path) -> None:
    class Client:
        connection: dict[str, Any]

        def set_connection(self, _: str, **connection: Any) -> None:
            self.connection = connection

    settings = Settings(tmp_path / "home", tmp_path, None)
    settings.inbox.mkdir(parents=True)
    data.rename(settings.inbox / "kobo_pemantau.json")
    client, processes = Client(), Processes(tmp_path / "run", tmp_path / "logs")
    start(settings, processes, cast("AirflowClient", client))
    try:
        process = processes.find(NAME)
        assert process is not None
        token = client.connection["password"]
        assert len(token) == 40
        assert token not in " ".join(process.cmdline())
        url = f"{client.connection['host']}/api/v2/assets/aRekaan/data/"
        headers = {"Authorization": f"Token {token}"}
        page = httpx.get(url, headers=headers, trust_env=False).json()
        assert len(page["results"]) == 15
    finally:
        processes.stop(NAME)
