"""Fixtures of the tests of intake: an empty installation, its channels, a warehouse."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from lumbung.intake import run
from lumbung.intake.connectors.base import SourceConnection
from lumbung.intake.landing import IntakeCounts
from lumbung.settings import Settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation with nothing in it."""
    monkeypatch.delenv("LUMBUNG_VAULT_KEY", raising=False)
    (tmp_path / "project" / "channels").mkdir(parents=True)
    keys = tmp_path / "home" / "keys"
    keys.mkdir(parents=True, mode=0o700)
    (keys / "vault.key").write_bytes(base64.b64encode(bytes(range(32))))  # `delivered.VAULT`
    # the seeds that the features of narratives are made with
    (tmp_path / "project" / "dbt_project").symlink_to(Path(__file__).parents[2] / "dbt_project")
    return Settings(tmp_path / "home", tmp_path / "project", None)


@pytest.fixture
def add_channel(settings: Settings) -> Callable[..., Path]:
    """Write a channel's file and make its inbox; returns the inbox."""

    def add(model: dict[str, Any], **changes: Any) -> Path:
        document = {**model, **changes}
        name = document.pop("name")
        (settings.channels / f"{name}.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
        inbox: Path = settings.inbox / name
        inbox.mkdir(parents=True, exist_ok=True)
        return inbox

    return add


@pytest.fixture
def db(database_url: str) -> Iterator[psycopg.Connection]:
    """A connection to a fresh warehouse."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that connectors asked for between two attempts; none is made."""
    asked: list[float] = []
    monkeypatch.setattr("lumbung.intake.connectors.shared.http.time.sleep", asked.append)
    return asked


@pytest.fixture
def pull_from(settings: Settings, database_url: str) -> Callable[..., IntakeCounts]:
    """A whole pull of a channel, from a server or (without one) from its inbox."""

    def act(channel: str, connection: SourceConnection | None = None) -> IntakeCounts:
        return run.pull(
            channel,
            settings=settings,
            database_url=database_url,
            connection=connection,
            run_key="uji",
        )

    return act


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An object store with the bucket `bukti`."""
    import boto3  # few tests need it

    from tests.support.object_store import object_store

    with object_store("bukti") as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield boto3.client("s3")
