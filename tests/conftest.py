"""Fixtures that every kind of test shares: one embedded server, a database of its own per test."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, sync_playwright
from psycopg import sql
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from lumbung import database
from lumbung.local.postgres import OPTIONS, EmbeddedPostgres
from tests.support.databases import fresh_database

# Collect garbage less often: it was a fifth of the CPU time of a build of the warehouse, and more
# of that in which pytest collects. A full collection still comes every few builds: each leaves a
# manifest of dbt, which is full of cycles.
gc.set_threshold(50_000, 10, 5)

# A shell in which `eval "$(lumbung env)"` was run names an installation: no test may reach it.
for _name in list(os.environ):
    if _name.startswith(("AIRFLOW", "DBT_", "PG", "LUMBUNG_DATABASE_")) or _name in (
        "LUMBUNG_DEVELOPER",
        "LUMBUNG_PROJECT",
    ):
        del os.environ[_name]

HOMES = Path(tempfile.mkdtemp(prefix="lumbung-homes-"))
# Airflow writes airflow.cfg when it is imported, by default in the home folder. Each worker has a
# folder of its own: two that begin at once would read each other's half-written file.
os.environ["AIRFLOW_HOME"] = str(HOMES)
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
# No test looks at the checkout's own home: it may hold a demo, whose clocks stand still.
(HOMES / "none").mkdir()
os.environ["LUMBUNG_HOME"] = str(HOMES / "none")
os.environ.setdefault("LUMBUNG_SETTLE_SECONDS", "0")  # what a test puts into an inbox is whole

# A worker has no terminal: tables keep their columns all the same.
os.environ["COLUMNS"] = "200"

settings.register_profile(
    "suite",
    max_examples=int(os.environ.get("LUMBUNG_EXAMPLES", "25")),
    derandomize="LUMBUNG_EXAMPLES" not in os.environ,  # only the long form tries others each time
    database=None,
    deadline=None,
    # a database that every example of a test uses is meant; a busy machine is no fault
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("suite")

SHARED = Path(__file__).parents[2] / "shared"
"""Samples by others, beside the checkout; absent on an ordinary machine."""


class _ByWorld(LoadScopeScheduling):
    """With several workers, what shares an installation or a world stays with one of them.

    `--dist loadgroup` would do the same, but does nothing here: xdist 3.8 writes an item's group to
    `Item._nodeid`, which pytest 9.2 does not read.
    """

    def _split_scope(self, nodeid: str) -> str:
        return _scope(nodeid)

    def _reschedule(self, node: WorkerController) -> None:
        """Give the next scope no sooner than xdist must: before the last test of this one."""
        if self._pending_of(self.assigned_work[node]) <= 1:
            super()._reschedule(node)


TOGETHER = {
    **dict.fromkeys(
        (f"end_to_end/test_{name}.py" for name in (
            "commands", "demo", "killed", "red_paths", "written_commands",
        )),
        "installation",
    ),
    **dict.fromkeys(
        (
            f"publication/test_{name}.py"
            for name in ("backup", "portal", "portal_browser", "portal_data")
        ),
        "portal",
    ),
    **dict.fromkeys(
        (f"warehouse/test_{name}.py" for name in (
            "before_campaign", "bounds", "build", "canary", "dates", "docs", "facts",
            "fresh_questions", "lineage", "links", "metricflow", "models", "nine_rows",
            "onboarding", "places", "prevention", "procedure", "published", "questions",
            "registers", "rights", "roles", "row_faults", "silent_week", "site", "test_rows",
            "tools", "worlds",
        )),
        "warehouse",
    ),
}  # fmt: skip
"""Files whose tests share what takes long to make; every other file is a scope of its own."""

LONGEST = (
    "installation",
    "end_to_end/test_workers.py",
    "warehouse",
    "portal",
    "warehouse/test_hostile.py",
    "warehouse/test_history.py",
    "warehouse/test_provinces.py",
    "warehouse/test_holds.py",
    "publication/test_warehouse.py",
    "warehouse/test_life.py",
    "warehouse/test_publish.py",
    "warehouse/test_province.py",
    "publication/test_checkpoint.py",
    "publication/test_edition.py",
    "end_to_end/test_tools.py",
    "warehouse/test_corrections.py",
    "warehouse/test_every_kind.py",
    "warehouse/test_raw_checkpoint.py",
    "local/test_failures.py",
    "desk/test_fab.py",
    "publication/test_commands.py",
    "warehouse/test_unknown_words.py",
    "warehouse/test_exclusions.py",
)
"""Scopes that begin first, in this order: what is short comes last, so that workers end together.

The first two are slow tests, and wait for Airflow as long as they compute: so three workers share
two processors.
"""


def _scope(nodeid: str) -> str:
    file = nodeid.split("::")[0].removeprefix("tests/")
    return TOGETHER.get(file, file)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {scope: place for place, scope in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(_scope(item.nodeid), len(order)))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return _ByWorld(config, log)


def pytest_collection_finish() -> None:
    """Let the garbage collector not look again at what was imported by now, and stays."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    gc.freeze()  # the process ends: pytest's last collection, and Python's, have nothing to find
    shutil.rmtree(HOMES, ignore_errors=True)


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of real payloads by others."""
    folder = SHARED / "samples"
    if not folder.is_dir():
        pytest.skip("no ../shared/samples beside this checkout: real payloads are tried only there")
    return folder


def _memory() -> str | None:
    """The folder of a file system in memory, if there is plenty; None: where `tempfile` puts files.

    PostgreSQL makes and drops a database there in a fifth of the processor time.
    """
    folder = "/dev/shm"
    plenty = psutil.virtual_memory().available > 4e9
    is_there = Path(folder).is_dir() and shutil.disk_usage(folder).free > 4e9
    return folder if plenty and is_there else None


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A folder that PostgreSQL's own account can reach as long as the session lasts.

    pytest's temporary folders cannot be: another session, as root, shuts the way to them.
    """
    folder = Path(tempfile.mkdtemp(prefix="lumbung-test-", dir=_memory()))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def small_disk() -> Iterator[Callable[[str], Path]]:
    """Give a file system of its own a size such as `24m`, now or another one later.

    Raises OSError where it holds more than the other size already.
    """
    folder = Path("/tmp") / f"lumbung-small-{os.getpid()}"
    mounted = False

    def mount(size: str) -> Path:
        nonlocal mounted
        folder.mkdir(exist_ok=True)
        options = f"size={size}" + ",remount" * mounted
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            message = f"a small file system cannot be mounted: {done.stderr.decode()}"
            if mounted:
                raise OSError(message)
            if os.environ.get("CI"):
                pytest.fail(message)
            pytest.skip(message)
        mounted = True
        return folder

    yield mount
    if mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
    if folder.exists():
        folder.rmdir()


@pytest.fixture(scope="session")
def server(scratch: Path) -> Iterator[EmbeddedPostgres]:
    """A running embedded PostgreSQL, stopped at the end of the session.

    Its data need not survive a crash of the machine, so it does not wait for the disk, and keeps
    little of its log. A password is hashed once, not 4,096 times: that is most of what it costs to
    connect, and tests connect for every query. The databases of tests are small: with a quarter of
    the shared buffers PostgreSQL took a tenth less processor time for 47 tests.
    """
    postgres = EmbeddedPostgres(scratch / "postgres")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(OPTIONS, "shared_buffers", "128MB")
        url = postgres.start()
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            connection.execute(f"alter system set {setting} = off".encode())
        connection.execute("alter system set max_wal_size = '256MB'")
        connection.execute("alter system set scram_iterations = 1")
        connection.execute("select pg_reload_conf()")
        connection.execute("set scram_iterations = 1")
        connection.execute(
            sql.SQL("alter role {} password {}").format(
                sql.Identifier(connection.info.user), sql.Literal(connection.info.password)
            )
        )
    yield postgres
    postgres.stop()


@pytest.fixture(scope="session")
def template(server: EmbeddedPostgres) -> str:
    """The name of a migrated database to copy."""
    database.migrate(server.ensure_database("template_lumbung"))
    return "template_lumbung"


@pytest.fixture
def database_url(server: EmbeddedPostgres, template: str) -> str:
    """The URL of a fresh, migrated database.

    It has the name of the one before: for another name dbt would parse the project again.
    """
    return fresh_database(server, template, "test")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium: nothing is downloaded.

    The one without a window of its own takes three fifths of the other's processor time.
    """
    program = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if not program:
        message = "Chromium is not installed (Debian: apt-get install chromium-headless-shell)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()
