"""The pages that analysts read about tables and checks, as `lumbung docs` makes and serves them."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from lumbung.errors import ServiceError
from lumbung.settings import Settings
from lumbung.warehouse import docs
from lumbung.warehouse.build_lock import lock_builds
from lumbung.warehouse.raw_checkpoint import check_raw
from tests.support.builds import data_docs


def test_documentation_is_written_and_served(built: str, office: Settings) -> None:
    with data_docs(are_written=True):
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


def test_documentation_is_not_written_while_a_build_runs(
    database_url: str, tmp_path: Path, office: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(tmp_path, office.project, None)
    runs: list[list[str]] = []

    def run_dbt(arguments: list[str], **_: Any) -> None:
        with (
            psycopg.connect(database_url, autocommit=True) as build,
            pytest.raises(psycopg.errors.LockNotAvailable),
        ):
            lock_builds(build, "100ms")
        runs.append(arguments)
        (tmp_path / "dbt" / "docs").mkdir(parents=True)
        (tmp_path / "dbt" / "docs" / "static_index.html").touch()

    monkeypatch.setattr(docs, "run_dbt", run_dbt)
    monkeypatch.setattr(docs, "LOCK_WAIT", "100ms")
    with psycopg.connect(database_url, autocommit=True) as build:
        lock_builds(build, "10s")
        with pytest.raises(ServiceError, match="a build has not finished"):
            docs.write(settings=settings, database_url=database_url)
    assert runs == []
    assert docs.write(settings=settings, database_url=database_url).exists()
    assert len(runs) == 1
    with psycopg.connect(database_url, autocommit=True) as build:
        lock_builds(build, "10s")
