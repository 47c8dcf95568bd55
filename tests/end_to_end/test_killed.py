"""Stopping the demo at any moment and running it again gives the same facts.

The demo of the other tests of this package was killed alone while a channel was landed, and with
everything else while dbt built (`conftest.installation`). The long form kills everything at random
moments: `LUMBUNG_DEMO_KILLS=20 make test TEST=tests/end_to_end/test_killed.py`.
Landing and publishing are killed between any two statements by tests of their own
(`tests/intake/test_killed.py`, `tests/publication/test_killed.py`).
"""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path

import psycopg
import pytest

from lumbung.demo.truth import metric_differences
from lumbung.local.stack import Stack
from lumbung.settings import Settings
from tests.end_to_end.conftest import ROOT
from tests.support.killed_demo import SECONDS, kill_everything, start_demo

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("LUMBUNG_DEMO_KILLS", "0"))
DEMO = ("--weeks", "1", "--seed", "7")


def at(home: Path) -> Settings:
    return Settings(home=home, project=ROOT, database_url=None)


def finish(settings: Settings, log: Path) -> None:
    """Run it to its end: everything is the world's, once, and everything is stopped again."""
    demo = start_demo(settings, log, *DEMO)
    assert demo.wait(SECONDS) == 0, log.read_text()[-3000:]
    stack = Stack(settings)
    assert [part.name for part in stack.status() if part.pid] == []
    truth = json.loads((settings.home / "truth.json").read_text())
    url = stack.start_database()
    try:
        assert metric_differences(truth, url) == []
        with psycopg.connect(url) as connection:
            rows = connection.execute(
                "select channel, count(*) from raw.record where not is_tombstone group by channel"
            ).fetchall()
            editions = connection.execute(
                "select count(*) from published.edition where state = 'published'"
            ).fetchone()
    finally:
        stack.stop()
    assert dict(rows) == {name: c["landed"] for name, c in truth["channels"].items()}
    assert editions == (1,)


@pytest.mark.skipif(not KILLS, reason="the long form: LUMBUNG_DEMO_KILLS=20")
@pytest.mark.timeout(3600)
def test_killed_at_random_moments_of_a_whole_demo(scratch: Path) -> None:
    log, rng = scratch / "random.log", random.Random(19)
    began = time.monotonic()
    finish(at(scratch / "unkilled"), log)
    took = time.monotonic() - began
    kills = 0
    while kills < KILLS:
        settings, after = at(scratch / f"random-{kills}"), rng.uniform(0, took)
        began = time.monotonic()
        demo = start_demo(settings, log, *DEMO)
        while demo.poll() is None and time.monotonic() - began < after:
            time.sleep(0.05)
        if demo.poll() is None:  # else it was quicker this time: not a kill, again
            kill_everything(settings, demo)
            kills += 1
            finish(settings, log)
