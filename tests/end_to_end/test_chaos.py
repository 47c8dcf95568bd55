"""The whole main job is broken at a random moment in every way, and the next one recovers.

    LUMBUNG_CHAOS=12 LUMBUNG_CHAOS_SEED=1 make test TEST="tests/end_to_end/test_chaos.py -s"
    LUMBUNG_CHAOS_AIRFLOW=12 LUMBUNG_CHAOS_SEED=1 make test TEST="tests/end_to_end/test_chaos.py -s"

The first leaves Airflow out; in the second it runs the job, and its parts are broken too. CI has
two runs of the first: everything is killed, and PostgreSQL.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from lumbung import database
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.local.stack import Stack
from lumbung.settings import Settings
from lumbung.warehouse.build import build
from tests.support.builds import artifacts
from tests.support.chaos import KINDS, Chaos
from tests.support.chaos_airflow import FAULTS, AirflowChaos

pytestmark = pytest.mark.slow

AIRFLOW_RUNS = int(os.environ.get("LUMBUNG_CHAOS_AIRFLOW", "0"))
RUNS = int(os.environ.get("LUMBUNG_CHAOS", "0" if AIRFLOW_RUNS else "2"))
SEED = int(os.environ.get("LUMBUNG_CHAOS_SEED", "1"))
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


@pytest.mark.skipif(not RUNS, reason="LUMBUNG_CHAOS_AIRFLOW is given alone")
@pytest.mark.timeout(3600)
def test_a_broken_job_is_recovered_by_the_next_one(chaos: Chaos) -> None:
    if KIND:
        assert KIND in KINDS
    outcomes = []
    for seed in range(SEED, SEED + RUNS):
        outcomes.append(chaos.run(seed, KIND))
        print(f"chaos: {outcomes[-1]}", flush=True)
    assert [str(outcome) for outcome in outcomes if outcome.problems] == []


@pytest.mark.skipif(not AIRFLOW_RUNS, reason="the long form: LUMBUNG_CHAOS_AIRFLOW=12")
@pytest.mark.timeout(4 * 3600)
def test_a_job_of_airflow_that_breaks_is_recovered_by_the_next_one(scratch: Path) -> None:
    if KIND:
        assert KIND in FAULTS
    chaos = AirflowChaos(scratch)
    outcomes = []
    try:
        with artifacts(are_kept=False):
            chaos.prepare()
        for seed in range(SEED, SEED + AIRFLOW_RUNS):
            outcomes.append(chaos.run(seed, KIND))
            print(f"chaos with Airflow: {outcomes[-1]}", flush=True)
    finally:
        Stack(chaos.settings).stop()
    assert [str(outcome) for outcome in outcomes if outcome.problems] == []
