"""The pages that analysts read about tables and checks, as `lumbung docs` makes and serves them."""

from __future__ import annotations

import threading

import httpx

from lumbung.settings import Settings
from lumbung.warehouse import docs
from lumbung.warehouse.raw_checkpoint import check_raw


def test_documentation_is_written_and_served(built: str, office: Settings) -> None:
    check_raw(settings=office, database_url=built)
    page = docs.write(settings=office, database_url=built)
    with docs.server(page.parent) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}") as client:
            index = client.get("/").text
            tables = client.get("/dbt/index.html").text
            checks = client.get("/checks/raw/index.html").text
            outside = client.get("/../vault.key").status_code
        server.shutdown()
    assert 'href="dbt/index.html"' in index
    assert 'href="checks/raw/index.html"' in index
    assert "fct_report" in tables
    assert "raw.channels" in checks
    assert outside == 404
