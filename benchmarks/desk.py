"""How fast the desk answers while a build runs and 50 people read it: `make bench-desk`.

It makes a demo in a temporary home, whose Airflow then recomputes the warehouse as often as the
reading lasts. Each person opens a page every ten seconds, as fast as 50 people read: five pages a
second, on one worker of the API server. All is on loopback.

Last lines: `first_s`, the seconds of the first four pages, which import the desk; `page_p50_ms`,
`page_p95_ms` (goal 300) and `page_max_ms` of the pages after these; `pages` (how many), `failed`
(answers that are no 200); `desk_mb` (goal 150), the memory that the API server gains by the first
four pages; `served_mb`, what it gains afterwards, by Airflow's own requests of the builds as well.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from pathlib import Path

import httpx
from rich.console import Console

from lumbung.demo.run import Demo
from lumbung.local.airflow import API_SERVER, AirflowClient
from lumbung.local.stack import Stack
from lumbung.settings import Settings

PEOPLE = 50
PAUSE = 10.0
"""Seconds from a person's page to the next one."""
PAGES = ("/lumbung/", "/lumbung/edisi", "/lumbung/edisi/{edition}", "/lumbung/lembar")


def read(
    http: httpx.Client, pages: list[str], first: float, until: float
) -> list[tuple[float, int]]:
    """Open pages in turn, as one person; return seconds and status of each."""
    time.sleep(first)
    found = []
    for number in range(10_000):
        begun = time.monotonic()
        if begun > until:
            break
        status = http.get(pages[number % len(pages)]).status_code
        seconds = time.monotonic() - begun
        found.append((seconds, status))
        time.sleep(max(0.0, PAUSE - seconds))
    return found


def build_again(client: AirflowClient, until: float) -> None:
    """Recompute the warehouse again and again."""
    while time.monotonic() < until:
        run_id = client.trigger("warehouse", {"since": "2024-09-01"})
        while client.run("warehouse", run_id)["state"] not in client.FINAL:
            time.sleep(1)


def measure(stack: Stack, seconds: float) -> list[str]:
    """Read the pages while builds run; return the lines to print."""
    airflow = stack.airflow(stack.start_database())
    edition = next(stack.settings.editions.iterdir()).name
    pages = [page.format(edition=edition) for page in PAGES]
    login = {"username": "pimpinan", "password": airflow.password("pimpinan")}
    answer = httpx.post(f"{airflow.url}/auth/token", json=login, timeout=60)
    headers = {"authorization": f"Bearer {answer.json()['access_token']}"}
    before = stack.processes.memory(API_SERVER)
    begun = time.monotonic()
    for page in pages:
        httpx.get(f"{airflow.url}{page}", headers=headers, timeout=60)
    first = time.monotonic() - begun
    opened = stack.processes.memory(API_SERVER)
    until = time.monotonic() + seconds
    builds = threading.Thread(target=build_again, args=(airflow.client(), until), daemon=True)
    builds.start()
    found: list[tuple[float, int]] = []

    def person(number: int) -> None:
        with httpx.Client(base_url=airflow.url, headers=headers, timeout=60) as http:
            found.extend(read(http, pages, PAUSE * number / PEOPLE, until))

    people = [threading.Thread(target=person, args=(number,)) for number in range(PEOPLE)]
    for each in people:
        each.start()
    for each in people:
        each.join()
    after = stack.processes.memory(API_SERVER)
    builds.join(600)
    taken = sorted(each for each, _ in found)
    return [
        f"first_s={first:.1f}",
        f"page_p50_ms={statistics.median(taken) * 1000:.0f}",
        f"page_p95_ms={taken[int(len(taken) * 0.95)] * 1000:.0f}",
        f"page_max_ms={taken[-1] * 1000:.0f}",
        f"pages={len(taken)}",
        f"failed={sum(status != 200 for _, status in found)}",
        f"desk_mb={(opened - before) / 1e6:.0f}",
        f"served_mb={(after - opened) / 1e6:.0f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="how fast the desk answers while a build runs")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--weeks", type=int, default=9)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lumbung-bench-") as folder:
        settings = Settings(Path(folder) / "home", Settings.load().project, None)
        demo = Demo(settings, Console(stderr=True), weeks=given.weeks, seed=1, keep=True)
        try:
            demo.run()
            print(*measure(demo.stack, given.seconds), sep="\n")
        finally:
            demo.stack.stop()


if __name__ == "__main__":
    main()
