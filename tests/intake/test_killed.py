"""The process that lands is killed (SIGKILL) at random moments: promises 1 and 2 hold.

Short in an ordinary run; with LUMBUNG_KILLS=300 in the environment it kills as often as that.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg

from tests.support.delivered import delivered
from tests.support.killed_landing import COUNT, PAGE, stream

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("LUMBUNG_KILLS", "8"))


def test_nothing_is_lost_or_counted_twice_when_the_process_is_killed(
    db: psycopg.Connection, database_url: str, tmp_path: Path
) -> None:
    kills = seed = 0
    while kills < KILLS:
        seed += 1
        chance = random.Random(seed)
        name = f"dibunuh_{seed}"
        for attempt in itertools.count():
            assert attempt < 100, "a pull has an end"
            # Early moments first, so that the tries get somewhere; the last one runs to its end.
            where = chance.choice(["time", "copy", "commit", "sent"]) if attempt < 4 else "never"
            code = land(database_url, tmp_path, name, seed, where, chance)
            if code == 0:
                break
            assert code == -signal.SIGKILL
            kills += 1
        hold_to_promises(db, name, stream(seed))


def test_a_killed_landing_shows_no_half_batch_and_a_rerun_doubles_nothing(
    db: psycopg.Connection, database_url: str, tmp_path: Path
) -> None:
    """Seen in others: half-loaded batches after a kill, every row twice after a rerun."""
    shown = (
        "select b.batch_id, b.landed_count, count(r.record_id)"
        " from raw.batch as b full join raw.record as r using (batch_id) group by 1, 2 order by 1"
    )
    chance = random.Random(0)
    code = land(database_url, tmp_path, "ulang", 0, "copy", chance)
    assert code == -signal.SIGKILL
    before = db.execute(shown).fetchall()
    assert 0 < sum(row[1] for row in before) < COUNT, "some chunks are there, and not all"
    assert all(count == reported for _, reported, count in before)
    for _ in range(2):
        assert land(database_url, tmp_path, "ulang", 0, "never", chance) == 0
        db.execute("delete from ops.channel_cursor")  # the next run reads all from the start
        rows = db.execute("select count(*), count(distinct source_id) from raw.record").fetchone()
        assert rows == (COUNT, COUNT)
        assert db.execute("select count(*) from vault.identity").fetchone() == (COUNT,)


def land(url: str, home: Path, name: str, seed: int, where: str, chance: random.Random) -> int:
    """The exit code of one pull in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "tests.support.killed_landing",
        url,
        str(home),
        name,
        str(seed),
    ]
    with subprocess.Popen(
        [*command, where, str(chance.randrange(12))], stdout=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        if where == "time":
            time.sleep(chance.random() * 0.2)
            process.kill()
        return process.wait()


def outcome(items: list[tuple[str, str | None]]) -> dict[str, str | None]:
    """What stands in the end; of a page the withdrawals come after its deliveries."""
    found: dict[str, str | None] = {}
    for start in range(0, COUNT, PAGE):
        page = [item for item in items[start : start + PAGE] if item[0] != "?"]
        found |= dict(item for item in page if item[1] is not None)
        found |= {source_id: None for source_id, content in page if content is None}
    return found


def hold_to_promises(
    db: psycopg.Connection, name: str, items: list[tuple[str, str | None]]
) -> None:
    given = {item for item in items if item[0] != "?" and item[1] is not None}
    histories: dict[str, list[str | None]] = {}
    for source_id, content in delivered(
        db,
        "select source_id, payload ->> 'kejadian/uraian' from raw.record where channel = %s"
        " order by record_id",
        name,
    ):
        histories.setdefault(source_id, []).append(content)
    stands = {key: each for key, each in outcome(items).items() if key in histories}
    assert {key: history[-1] for key, history in histories.items()} == stands
    landed_ever = {(key, each) for key, history in histories.items() for each in history if each}
    assert landed_ever == given
    for history in histories.values():
        assert all(a != b for a, b in itertools.pairwise(history)), "no copy in a row"
    counts = db.execute(
        "select (select count(*) from quarantine.record where channel = %(name)s),"
        " (select sum(landed_count)::int from raw.batch where channel = %(name)s),"
        " (select sum(quarantined_count)::int from raw.batch where channel = %(name)s),"
        " (select count(*) from raw.record left join raw.batch using (batch_id)"
        "   where raw.record.channel = %(name)s and raw.batch.batch_id is null),"
        " (select count(*) from vault.identity inner join raw.record using (record_id)"
        "   where channel = %(name)s),"
        " (select sum(tombstone_count)::int from raw.batch where channel = %(name)s),"
        " (select (cursor ->> 'at')::int from ops.channel_cursor where channel = %(name)s)",
        {"name": name},
    ).fetchone()
    landed = sum(each is not None for history in histories.values() for each in history)
    withdrawn = sum(each is None for history in histories.values() for each in history)
    unreadable = len({each for source_id, each in items if source_id == "?" and each is not None})
    assert counts is not None
    assert withdrawn > 10
    assert counts[:6] == (unreadable, landed, unreadable, 0, landed, withdrawn)
    assert counts[6] >= COUNT
