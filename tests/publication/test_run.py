"""The tasks of the DAG `publication` by themselves: what one run leaves, the next one finishes."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from lumbung.publication.editions import publishing, review
from lumbung.publication.formats import render
from lumbung.publication.model import store
from lumbung.settings import Settings
from tests.support.edition_sample import WEEK, pass_checkpoint
from tests.support.post import Post, post_office

EDITION = f"{WEEK}-r1"
RECIPIENTS = ["ketua@babel.example.id", "humas@babel.example.id", "ppid@babel.example.id"]
FILES = {"edisi.pdf": b"%PDF-1.7", "siaran-pers.txt": b"Ringkasan.\n"}
BY_HAND = SimpleNamespace(run_type="manual")
WANTED = {"week_id": WEEK, "as_known_at": "now"}


@pytest.fixture
def post() -> Iterator[Post]:
    with post_office() as office:
        yield office


@pytest.fixture
def tasks(
    url: str, settings: Settings, post: Post, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Callable[..., Any]]:
    """What each task calls, with a mail server; rendering is tried elsewhere."""
    monkeypatch.setenv("LUMBUNG_DATABASE_URL", url)
    monkeypatch.setenv("LUMBUNG_HOME", str(settings.home))
    monkeypatch.setattr(render, "render", lambda _: {**FILES})
    monkeypatch.setattr(publishing, "find_personal_data", lambda *_: [])
    module = runpy.run_path(str(Path(__file__).parents[2] / "dags" / "publication.py"))
    dag = module["DAGS"]["publication"]
    found = {
        name: dag.get_task(name).python_callable for name in ("freeze", "render", "publish", "mail")
    }
    work = found["mail"].__wrapped__
    monkeypatch.setitem(work.__globals__, "mail_server", lambda: post.address)
    return found


def finish(tasks: dict[str, Callable[..., Any]]) -> None:
    """A run of the same week once more."""
    assert tasks["freeze"](params=WANTED, dag_run=BY_HAND) == EDITION
    with pytest.raises(AirflowSkipException, match="metrics still hold"):
        tasks["render"](EDITION)
    tasks["mail"](EDITION)


def test_killed_between_the_decision_and_the_publication(
    tasks: dict[str, Callable[..., Any]], url: str, settings: Settings, post: Post
) -> None:
    assert tasks["freeze"](params=WANTED, dag_run=BY_HAND) == EDITION
    reviewed = tasks["render"](EDITION)
    with pytest.raises(AirflowSkipException, match="nothing was published"):
        tasks["mail"](EDITION)
    pass_checkpoint(url, EDITION)
    review.approve(EDITION, by="pimpinan", reviewed=reviewed, database_url=url)
    # ... here the first run was killed
    finish(tasks)
    assert store.load(EDITION, database_url=url).state == "published"
    assert (settings.editions / EDITION / "edisi.pdf").read_bytes() == FILES["edisi.pdf"]
    assert post.addresses == RECIPIENTS
    finish(tasks)
    assert post.addresses == RECIPIENTS


def test_decided_at_a_terminal_while_the_run_waits(
    tasks: dict[str, Callable[..., Any]], url: str, settings: Settings, post: Post
) -> None:
    tasks["freeze"](params=WANTED, dag_run=BY_HAND)
    reviewed = tasks["render"](EDITION)
    pass_checkpoint(url, EDITION)
    review.approve(EDITION, by="wakil", reviewed=reviewed, database_url=url)
    publishing.publish(EDITION, settings=settings, database_url=url)
    tasks["publish"](EDITION)
    tasks["mail"](EDITION)
    assert post.addresses == RECIPIENTS
    decision = store.load(EDITION, database_url=url).decision
    assert decision is not None
    assert decision.decided_by == "wakil"


def test_a_run_that_was_not_due_mails_nothing(
    tasks: dict[str, Callable[..., Any]], post: Post
) -> None:
    with pytest.raises(AirflowSkipException, match="nothing was published"):
        tasks["mail"](None)
    assert post.got == []
