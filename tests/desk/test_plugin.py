"""The desk's address without its last slash, within the API server."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

PLUGIN = Path(__file__).parents[2] / "plugins" / "lumbung_desk.py"


@pytest.mark.parametrize("root", ["", "/airflow"])
def test_the_address_without_a_slash_leads_to_the_desk(root: str) -> None:
    plugin: Any = runpy.run_path(str(PLUGIN))["LumbungDesk"]
    server = FastAPI(root_path=root)
    server.mount("/lumbung", PlainTextResponse("desk"))
    server.add_api_route("/{rest:path}", lambda: "Airflow")
    for each in plugin.fastapi_root_middlewares:  # as Airflow adds them
        server.add_middleware(each["middleware"])
    client = TestClient(server, root_path=root)
    answer = client.get(f"{root}/lumbung?lang=en", follow_redirects=False)
    assert answer.headers["location"] == f"{root}/lumbung/?lang=en"
    assert client.get(f"{root}/lumbung").text == "desk"
    assert "Airflow" in client.get(f"{root}/lumbungan").text
