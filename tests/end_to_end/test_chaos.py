"""The whole main job is broken at a random moment in every way, and the next one recovers.

    LUMBUNG_CHAOS=12 LUMBUNG_CHAOS_SEED=1 make test TEST="tests/end_to_end/test_chaos.py -s"

The suite breaks it in a few ways only: `test_killed.py` here and in `intake` and `publication`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from lumbung import database
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.settings import Settings
from lumbung.warehouse.build import build
from tests.support.builds import artifacts
from tests.support.chaos import KINDS, Chaos

RUNS = int(os.environ.get("LUMBUNG_CHAOS", "0"))
SEED = int(os.environ.get("LUMBUNG_CHAOS_SEED", "0"))
KIND = os.environ.get("LUMBUNG_CHAOS_KIND")


@pytest.fixture(scope="module")
def chaos(small_disk: Callable[[str], Path]) -> Iterator[Chaos]:
    made = Chaos(small_disk("1500m"), small_disk)

    def template(server: EmbeddedPostgres, settings: Settings) -> None:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            for setting in ("fsync", "full_page_writes", "autovacuum"):
                connection.execute(f"alter system set {setting} = off".encode())
            connection.execute("alter system set max_wal_size = '128MB'")
            connection.execute("select pg_reload_conf()")
        url = server.ensure_database("chaos")
        database.migrate(url)
        build(settings=settings, database_url=url)
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("alter database chaos rename to template_chaos")

    with artifacts(are_kept=False):
        made.prepare(template)
        yield made
    made.server.stop()


@pytest.mark.skipif(not RUNS, reason="the long form: LUMBUNG_CHAOS=12")
@pytest.mark.timeout(3600)
def test_a_broken_job_is_recovered_by_the_next_one(chaos: Chaos) -> None:
    if KIND:
        assert KIND in KINDS
    outcomes = []
    for seed in range(SEED, SEED + RUNS):
        outcomes.append(chaos.run(seed, KIND))
        print(f"chaos: {outcomes[-1]}", flush=True)
    assert [str(outcome) for outcome in outcomes if outcome.problems] == []
