"""One filled warehouse a session, copied for each test that changes it."""

from __future__ import annotations

import pickle
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lumbung.local.postgres import EmbeddedPostgres
from lumbung.publication.checks import pii
from lumbung.publication.editions import freezing, review
from lumbung.publication.formats import render
from lumbung.publication.model import store
from lumbung.publication.model.edition import Edition
from lumbung.settings import Settings
from tests.support import edition_sample as sample
from tests.support.builds import data_docs
from tests.support.databases import copy_database
from tests.support.homes import demo_home

Metrics = dict[tuple[str, str, str, str, str], int]


@pytest.fixture(scope="session")
def filled(server: EmbeddedPostgres, template: str) -> tuple[str, Metrics]:
    """The name of a database with the sample's marts, and the sample's own metrics."""
    name = "template_publication"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        copy_database(connection, template, name)
    return name, sample.fill(server.url(name))


@contextmanager
def copy_of(server: EmbeddedPostgres, original: str) -> Iterator[str]:
    """The URL of a copy of a database that nobody is connected to."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        copy_database(connection, original, name)
    yield server.url(name)
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f'drop database "{name}" with (force)')


@pytest.fixture
def url(server: EmbeddedPostgres, filled: tuple[str, Metrics]) -> Iterator[str]:
    """A warehouse of this test's own with the sample's marts."""
    with copy_of(server, filled[0]) as copied:
        yield copied


@pytest.fixture
def paper_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """PDFs as the text that goes to paper: compiling and reading them costs seconds a draft.

    They are real in the tests of rendering, of the checkpoint's own finds and of the demo.
    """

    def text(content: dict[str, Any], timestamp: int) -> bytes:
        return f"%PDF {timestamp} {_words(content)}".encode()

    monkeypatch.setattr(render, "_pdf", text)
    monkeypatch.setitem(pii._READERS, "pdf", bytes.decode)


@pytest.fixture(scope="package", autouse=True)
def without_data_docs() -> Iterator[None]:
    """Let checkpoints write no Data Docs: only tests of the warehouse read some."""
    with data_docs(are_written=False):
        yield


@pytest.fixture(autouse=True)
def rendered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test renders again unchanged has the bytes of before: review and approval do so often.

    That they are the same bytes is what `test_render.py` tests, without this.
    """
    localized = render._localized
    made: dict[tuple[object, ...], dict[str, bytes]] = {}

    def once(edition: Edition, root: str) -> dict[str, bytes]:
        key = (pickle.dumps(edition), root, render._pdf, render.page, render.TEMPLATES)
        if key not in made:
            made[key] = localized(edition, root)
        return made[key]

    monkeypatch.setattr(render, "_localized", once)


def _words(value: Any) -> str:
    """Every string, but the paths of pictures."""
    if isinstance(value, dict):
        return " ".join(map(_words, value.values()))
    if isinstance(value, list | tuple):
        return " ".join(map(_words, value))
    return value if isinstance(value, str) and not value.startswith("<svg") else ""


@pytest.fixture(scope="session")
def metrics(filled: tuple[str, Metrics]) -> Metrics:
    """The sample's metrics, counted by the sample."""
    return filled[1]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A LUMBUNG_HOME of this test's own."""
    return demo_home(tmp_path / "home", Path(__file__).parents[2])


@pytest.fixture(scope="session")
def drafts(
    server: EmbeddedPostgres,
    filled: tuple[str, Metrics],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Edition]:
    """The sample's week as a draft, and as approved by the demo and by a person."""
    home = demo_home(tmp_path_factory.mktemp("home"), Path(__file__).parents[2])
    found = {}
    for how, by in (("demo", "demo"), ("person", "Ketua Contoh")):
        with copy_of(server, filled[0]) as url:
            edition_id = freezing.freeze(sample.WEEK, settings=home, database_url=url)
            found["draft"] = store.load(edition_id, database_url=url)
            sample.pass_checkpoint(url, edition_id)
            review.approve(edition_id, by=by, how=how, database_url=url)  # type: ignore[arg-type]
            found[how] = store.load(edition_id, database_url=url)
    return found


@pytest.fixture(scope="session")
def portal(
    server: EmbeddedPostgres,
    filled: tuple[str, Metrics],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, Settings]]:
    """A database with published editions and a draft, and a home with the portal of them."""
    from lumbung.publication.portal import publish as public
    from tests.support import published

    home = demo_home(tmp_path_factory.mktemp("home"), Path(__file__).parents[2])
    with copy_of(server, filled[0]) as url:
        published.publish_weeks(url, home)
        public.build(settings=home, database_url=url)
        yield url, home
