"""What a build reads from its own row and from those before, without running dbt."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from lumbung.settings import Settings
from lumbung.warehouse import build as module
from lumbung.warehouse.inputs import Watermark
from tests.warehouse.conftest import REPORT, Raw, query

SEEN = Watermark(0, 0, 0)


@pytest.fixture
def run(database_url: str, office: Settings) -> Iterator[module._Run]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield module._Run(connection, office, database_url, None)


def written(run: module._Run, state: str, **columns: object) -> int:
    """Write the row of an earlier build of this project; return its id."""
    values = {
        **{"state": state, "max_batch_id": 0, "max_decision_id": 0, "max_exclusion_id": 0},
        **{"inputs_hash": run._inputs_hash(0), "seeds_hash": "seeds", "hold_ids": []},
        **columns,
    }
    row = run.connection.execute(
        f"insert into ops.build ({', '.join(values)})"
        f" values ({', '.join(['%s'] * len(values))}) returning build_id".encode(),
        [*values.values()],
    ).fetchone()
    assert row
    return int(row[0])


def test_a_hold_after_a_failed_increment_makes_a_full_build(run: module._Run) -> None:
    """Its tables have the rows that are now held back."""
    since = written(run, "success")
    last = run._last_success()
    assert not run._must_be_full(last, [])
    assert not run._must_be_full(last, [7])
    written(run, "failed", since_build_id=since)
    assert not run._must_be_full(last, [])
    assert run._must_be_full(last, [7])
    # one that failed while the channel was held has none of them
    query(run.database_url, "update ops.build set hold_ids = '{7,8}' where state = 'failed'")
    assert not run._must_be_full(last, [7])


def test_a_build_of_yesterday_is_not_resumed(run: module._Run) -> None:
    """What it finished has yesterday's weeks and deadlines."""
    failed = written(run, "failed")
    inputs = run._inputs_hash(0)
    assert run._resumable(inputs, SEEN, []) == failed
    query(run.database_url, "update ops.build set started_at = started_at - interval '1 day'")
    assert run._resumable(inputs, SEEN, []) is None


def test_a_word_decided_and_undone_beside_a_build_makes_a_full_build(run: module._Run) -> None:
    decide = (
        "insert into ops.mapping_decision (vocabulary, term, code, decided_by)"
        " values ('issue', 'kata', %s, 'ani')"
    )
    query(run.database_url, decide, "PU")
    query(run.database_url, decide, None)
    run._mappings = run._count_mappings()
    run.build_id = written(run, "running")
    run._finish("success", None)
    assert not run._must_be_full(run._last_success(), [])
    run.build_id = written(run, "running")
    query(run.database_url, decide, "PU")  # a model reads it
    run._finish("success", None)
    query(run.database_url, decide, None)
    assert run._must_be_full(run._last_success(), [])


@pytest.mark.parametrize(
    ("built", "checked", "read"),
    [(None, 1, 1), (None, None, 2), (None, 5, 2), (2, 1, 2)],
    ids=["checked", "unchecked", "of-later", "built-before"],
)
def test_what_lands_after_the_checkpoint_waits_for_the_next(
    run: module._Run,
    monkeypatch: pytest.MonkeyPatch,
    built: int | None,
    checked: int | None,
    read: int,
) -> None:
    raw = Raw(run.database_url)
    for number in ("001", "002"):
        raw.land("buku", [{**REPORT, "Nomor": f"{number}/LP/PB/Kab/09.01/XI/2024"}])
    if built is not None:
        written(run, "success", max_batch_id=built)
    for name, result in (("_invoke", []), ("_publish", []), ("_keep_artifacts", None)):
        monkeypatch.setattr(module._Run, name, lambda *_, found=result, **__: found)
    monkeypatch.setattr(module._Run, "_lineage", lambda _: [])
    assert run.build(None, False, None, False, checked).max_batch_id == read
    assert query(run.database_url, "select max_batch_id from ops.build where build_id = %s",
                 run.build_id) == [(read,)]  # fmt: skip
