"""Every command of the tutorial and the how-to guides, run as it is written.

The guides name the edition of the whole demo; the installation here is of fewer weeks, so its week
takes that one's place, and its newest revision that of the second.

CI builds the warehouse once, by `LONGEST_BUILD`, not after each command of a guide that says
so, and leaves out the blocks that call dbt or Airflow by hand: `tests/warehouse/test_tools.py` and
`tests/end_to_end/test_tools.py` try those. `LUMBUNG_GUIDES=1` runs everything. `lumbung` is the one
of `tests/support/command.py`, which starts no Python.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from lumbung.publication.model import store
from tests.end_to_end.conftest import ROOT, Installation
from tests.support import command
from tests.support.guides import commands

DOCS = ROOT / "docs"
PAGES = [
    page
    for page in (*sorted(DOCS.glob("tutorial/*.md")), *sorted(DOCS.glob("how-to/**/*.md")))
    # change the seeds of a project of their own: tests/warehouse/test_province.py
    if page.stem not in {"use-another-province", "use-several-provinces", "follow-another-election"}
]
EVERYTHING = "LUMBUNG_GUIDES" in os.environ
BUILD = re.compile(r"^lumbung build\b.*\n", re.M)
LONGEST_BUILD = "lumbung build --since 2024-10-04\n"
BY_HAND = re.compile(r"^(LUMBUNG_DEVELOPER=\w+ )?(dbt|airflow|lumbung (dbt|airflow)) ", re.M)
STARTED = "make demo DEMO=--keep\n"
"""What the fixture `installation` is the result of."""


def test_guides_have_commands_and_no_placeholders_in_them() -> None:
    written = [block for page in PAGES for block in commands(page)]
    assert written[0] == STARTED
    assert len(written) > 20
    assert LONGEST_BUILD in written
    # NAME, CHANNEL and the like belong into the text: a block is pasted
    assert [b for b in written if re.search(r"(?<![\w$\"'-])[A-Z]{4,}(?![\w=,])", b)] == []


@pytest.fixture(scope="module")
def checkout(installation: Installation) -> Iterator[Path]:
    """The installation's project as the guides see it: a checkout with its state in `.lumbung`."""
    link = installation.settings.project / ".lumbung"
    link.symlink_to(installation.settings.home)
    yield link.parent
    link.unlink()


def run(script: str, installation: Installation, checkout: Path) -> str:
    """Run a block in the checkout; what it prints."""
    database = installation.url
    ((week,),) = installation.query("select max(week_id) from published.edition")
    newest = store.newest(str(week), office="", database_url=database)
    script = script.replace("2024-W47-r2", newest).replace("2024-W47", str(week))
    programs = (command.program().parent, Path(sys.executable).parent, os.environ["PATH"])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=checkout,
        env={
            **{name: value for name, value in os.environ.items() if "AIRFLOW" not in name},
            "LUMBUNG_HOME": str(installation.settings.home),
            "LUMBUNG_PROJECT": str(checkout),
            "PATH": ":".join(map(str, programs)),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@contextmanager
def suspended(installation: Installation, component: str) -> Iterator[None]:
    """Let a process use no CPU time meanwhile; it runs, as `lumbung status` understands it."""
    process = installation.stack.processes.find(component)
    assert process
    process.suspend()
    try:
        yield
    finally:
        process.resume()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_command_runs(installation: Installation, checkout: Path) -> None:
    installation.lumbung("up")
    said = {STARTED: installation.said}
    is_built = False
    for page in PAGES:
        for block in commands(page):
            if block in said or (BY_HAND.search(block) and not EVERYTHING):
                continue
            script = block
            if BUILD.search(block) and not EVERYTHING:
                script = BUILD.sub("" if is_built else LONGEST_BUILD, block)
                is_built = True
            # A guide that writes channel files has every DAG file parsed again.
            is_start = block == "lumbung up\n"  # waits for a sign of life of every process
            with nullcontext() if is_start else suspended(installation, "dag-processor"):
                said[block] = run(script, installation, checkout)
    assert "3 read: 3 landed," in said["lumbung intake posko\nlumbung build\n"]
    assert " | baris 2" in said["lumbung trace tip/ALL/19.05/to_date@2024-W47-r2\n"]
    if EVERYTHING:
        models = said["cd dbt_project\ndbt ls --resource-type model\n"].split()
        assert "lumbung.marts.cases.fct_report" in models
    listed = said["lumbung review --check word_unknown\n"]
    assert "issue: ~" in listed
    assert "baliho roboh" not in listed
