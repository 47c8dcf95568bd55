"""The demo: intake, build and publication of an invented world, all run by Airflow's scheduler."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from lumbung import database
from lumbung.demo import kobo_server, reckoning, writers
from lumbung.demo import truth as comparison
from lumbung.demo import world as invented
from lumbung.errors import ConfigurationError, PublicationError, ServiceError, explained
from lumbung.files import write_private
from lumbung.local.airflow import Airflow, AirflowClient
from lumbung.local.stack import Stack
from lumbung.settings import JAKARTA, Settings

CHANNELS = (
    *("rekap_pengawasan", "form_pencegahan", "rencana_pencegahan"),
    *("wa_aduan", "kobo_pemantau", "register_laporan"),
)
"""Pulled in this order; the asset of the last channel triggers the DAG `warehouse`."""

RUN_SECONDS = 900
OPENING = 5
"""The hour (WIB) at which the demo's clock begins, one before the edition is due."""


class Demo:
    """One demonstration.

    Args:
        settings: the installation; its home must be empty or hold the same demo.
        console: shows the progress.
        weeks: number of campaign weeks, from 2024-W39; the demo publishes the last one.
        seed: seed of the world; the same seed writes the same files.
        keep: leave everything running at the end.

    """

    def __init__(
        self, settings: Settings, console: Console, *, weeks: int, seed: int, keep: bool
    ) -> None:
        self.settings = settings
        self.console = console
        self.weeks, self.seed, self.keep = weeks, seed, keep
        self.stack = Stack(settings)
        self.stages: dict[str, float] = {}
        self._stage = ""

    def run(self) -> None:
        """Run every stage; a second run completes an interrupted one.

        Unless `keep` is set, services that this run started are stopped at the end.

        Raises:
            LumbungError: with the stage, the cause and the next step.

        """
        before = {part.name for part in self.stack.status() if part.pid}
        try:
            try:
                self._run()
            except Exception as error:
                known = explained(error, self.settings.home)
                raise type(known)(
                    f"stage '{self._stage}': {known.what}",
                    where=known.where,
                    remediation=known.remediation,
                ) from error
        except BaseException:
            try:
                self._stop(before)
            except Exception as error:  # report the first failure
                self.console.print(f"not stopped: {error}", markup=False, soft_wrap=True)
            raise
        self._stop(before)
        self._show_next_steps()

    def _stop(self, but: set[str]) -> None:
        if not self.keep:
            with self.console.status("stopping what the demo started"):
                self.stack.stop(but=but)

    def _run(self) -> None:
        with self._staged("PostgreSQL") as note:
            url = self.stack.migrate()
            self._claim_home(url)
            note.append("18, embedded" if self.settings.database_url is None else "yours")
        with self._staged("invented world") as note:
            world = invented.generate(self.seed, self.weeks)
            self._set_clock(url)
            writers.write(world, self.settings.inbox)
            truth = reckoning.truth_of(world)
            reckoning.write_truth(truth, self.settings.home / "truth.json")
            note.append(
                f"seed {self.seed}, weeks {truth['weeks'][0]} to {truth['edition_week']}, "
                f"{len(truth['reports'])} reports, {len(truth['supervisions'])} campaign events"
            )
        with self._staged("Airflow") as note:
            airflow = self.stack.start()
            client = airflow.client()
            kobo_server.start(self.settings, self.stack.processes, client)
            self._wait_for_dags(client)
            memory = sum(part.memory for part in self.stack.status())
            note.append(f"{airflow.url}, {memory / 1e9:.2f} GB with PostgreSQL")
        before_intake = _Moment.at(url)
        with self._staged("intake") as note:
            counts = self._pull_channels(client, url)
            note.append(
                f"{sum(row['read'] for row in counts.values())} deliveries read, "
                f"{sum(row['landed'] for row in counts.values())} landed"
            )
        with self._staged("warehouse") as note:
            self._build(client, url)
            note.append(before_intake.built(url))
        with self._staged("publication") as note:
            edition_id = self._publish(airflow, client, url, truth["edition_week"])
            note += [edition_id, before_intake.checked(url, "publication") or "nothing new"]
        with self._staged("truth") as note:
            note.append(comparison.compare(truth, url))
        self._show_counts(counts)
        self._show_artefacts(edition_id)

    # -- stages ------------------------------------------------------------------------------

    def _claim_home(self, url: str) -> None:
        """Refuse a home or database that holds other records or another demo."""
        claim = self.settings.demo_claim
        wanted: dict[str, Any] = {"seed": self.seed, "weeks": self.weeks}
        where, remediation = str(self.settings.home), "set LUMBUNG_HOME to an empty folder"
        with database.connect(url) as connection:
            row = connection.execute("select exists (select from raw.batch)").fetchone()
            if self.settings.database_url is not None:  # a later run must use the same database
                server = connection.info
                where = f"{server.host}:{server.port}/{server.dbname}"
                remediation = "name an empty database in LUMBUNG_DATABASE_URL"
                wanted["database"] = where
        try:
            found = json.loads(claim.read_text())
        except (OSError, ValueError):
            found = None
        if found == wanted:
            return
        if found is not None:
            raise ConfigurationError(
                f"this home holds the demo of {_described(found)}, not of {_described(wanted)}",
                where=str(self.settings.home),
                remediation="set LUMBUNG_HOME to another folder, or run 'lumbung down' and "
                "remove it",
            )
        if row == (True,):
            raise ConfigurationError(
                "the database holds records that are not the demo's",
                where=where,
                remediation=f"{remediation} for the demo",
            )
        write_private(claim, json.dumps(wanted))

    def _set_clock(self, url: str) -> None:
        """Let the installation's clock begin at 05:00 on the Monday on which the edition is due.

        An interrupted demo has set it before, and goes on with it.
        """
        monday = invented.week_start(self.weeks)
        opening = datetime(monday.year, monday.month, monday.day, OPENING, tzinfo=JAKARTA)
        with database.connect(url) as connection:
            connection.execute(
                "insert into ops.clock (behind) values (make_interval(secs => %s))"
                " on conflict do nothing",
                ((datetime.now(UTC) - opening).total_seconds(),),
            )

    def _wait_for_dags(self, client: AirflowClient) -> None:
        wanted = {f"intake__{channel}" for channel in CHANNELS} | {"warehouse", "publication"}
        deadline = time.monotonic() + 120
        while not wanted <= client.dag_ids():
            if errors := client.import_errors():
                raise ServiceError(
                    errors[0], where="dags/", remediation="correct the file it names"
                )
            if time.monotonic() > deadline:
                raise ServiceError(
                    f"Airflow has not parsed {sorted(wanted - client.dag_ids())}",
                    where=str(self.stack.processes.log("dag-processor")),
                    remediation="read that log",
                )
            time.sleep(0.5)

    def _pull_channels(self, client: AirflowClient, url: str) -> dict[str, dict[str, int]]:
        # The warehouse is paused until the last channel, whose asset triggers one run.
        client.pause("warehouse")
        before = _last_batch(url)
        for group in (CHANNELS[:-1], CHANNELS[-1:]):
            if group == CHANNELS[-1:]:
                client.unpause("warehouse")
            runs = []
            for channel in group:
                client.unpause(f"intake__{channel}")
                runs.append((f"intake__{channel}", client.trigger(f"intake__{channel}")))
            for dag_id, run_id in runs:
                self._follow(client, dag_id, run_id)
        return _channel_counts(url, before)

    def _build(self, client: AirflowClient, url: str) -> None:
        """Wait until a build has read every batch; trigger one if an asset event was lost."""
        client.unpause("warehouse")
        grace = time.monotonic() + 10
        while True:
            active = [r for r in client.runs("warehouse") if r["state"] in ("queued", "running")]
            if active:
                self._follow(client, "warehouse", active[0]["dag_run_id"])
            elif _built_batch(url) >= _last_batch(url, landed=True):
                return
            elif time.monotonic() > grace:
                self._follow(client, "warehouse", client.trigger("warehouse"))
            else:
                time.sleep(0.5)

    def _publish(self, airflow: Airflow, client: AirflowClient, url: str, week_id: str) -> str:
        client.unpause("publication")
        for run in client.runs("publication"):  # left waiting by an interrupted demo
            if run["state"] in ("queued", "running"):
                self._approve(airflow, client, run["dag_run_id"])
        self._approve(airflow, client, client.trigger("publication", {"week_id": week_id}))
        with database.connect(url) as connection:
            row = connection.execute(
                "select edition_id from published.edition where office_code = '' and week_id = %s"
                " and state = 'published' order by revision desc limit 1",
                (week_id,),
            ).fetchone()
        if row is None:
            raise PublicationError(
                f"no edition of {week_id} was published",
                where="published.edition",
                remediation="look at the run in Airflow",
            )
        return str(row[0])

    def _approve(self, airflow: Airflow, client: AirflowClient, run_id: str) -> None:
        def answer(states: dict[str, str | None]) -> None:
            if states.get("approve") in ("awaiting_input", "deferred"):
                airflow.client("demo").respond("publication", run_id, "approve", "Approve")

        self._follow(client, "publication", run_id, answer)

    # -- the parts ---------------------------------------------------------------------------

    def _follow(self, client: AirflowClient, dag_id: str, run_id: str, react: Any = None) -> None:
        """Show the state of a run's tasks until the run ends.

        Raises:
            ServiceError: with the message of the failed task.

        """
        with self.console.status(dag_id) as status:
            for states in client.follow(dag_id, run_id, RUN_SECONDS):
                shown = "  ".join(f"{task} {state or '...'}" for task, state in states.items())
                status.update(f"{dag_id}: {shown}")
                if react is not None:
                    react(states)
        if client.run(dag_id, run_id)["state"] != "success":
            failed = [t for t, state in client.tasks(dag_id, run_id).items() if state == "failed"]
            raise ServiceError(
                client.reason(dag_id, run_id, failed[0]) if failed else "the run failed",
                where=f"{dag_id}.{failed[0] if failed else run_id}",
                remediation="correct the cause, then run the same command again",
            )

    @contextmanager
    def _staged(self, name: str) -> Iterator[list[str]]:
        self._stage = name
        note: list[str] = []
        began = time.monotonic()
        with self.console.status(name):
            yield note
        self.stages[name] = time.monotonic() - began
        number = f"[{len(self.stages)}/7]"
        self.console.print(
            f"{number} {name:<15} {self.stages[name]:6.1f} s  {'; '.join(note)}",
            markup=False,
            soft_wrap=True,
        )

    def _show_counts(self, counts: dict[str, dict[str, int]]) -> None:
        table = Table(box=None, title="Intake", title_justify="left", pad_edge=False)
        table.add_column("channel")
        for name in ("read", "landed", "duplicate", "quarantined"):
            table.add_column(name, justify="right")
        total = dict.fromkeys(("read", "landed", "duplicate", "quarantined"), 0)
        for channel in CHANNELS:
            row = counts[channel]
            table.add_row(channel, *(str(row[name]) for name in total))
            total = {name: total[name] + row[name] for name in total}
        table.add_section()
        table.add_row("together", *map(str, total.values()))
        self.console.print("", table)
        self.console.print("read = landed + duplicate + quarantined, in every batch")

    def _show_artefacts(self, edition_id: str) -> None:
        folder = self.settings.editions / edition_id
        self.console.print(f"\nEdition {edition_id}")
        for name in ("edisi.pdf", "edisi.html"):
            self.console.print(f"  {_shown(folder / name)}", soft_wrap=True)

    def _show_next_steps(self) -> None:
        self.console.print("\nGo on")
        if url := self.stack.airflow_url:
            password = self.stack.airflow(self.stack.start_database()).password("admin")
            self.console.print(f"  Airflow  {url}  (user admin, password {password})")
            self.console.print(f"  portal   {self.stack.portal.url}")
            self.console.print("  stop     .venv/bin/lumbung down")
        else:
            self.console.print("  Airflow  .venv/bin/lumbung up    (prints address and password)")
            self.console.print(f"  portal   {_shown(self.settings.portal / 'index.html')}")
        self.console.print("  psql     .venv/bin/lumbung psql")


@dataclass(frozen=True)
class _Moment:
    """The last build and check result at a moment, to find later ones."""

    build_id: int
    check_result_id: int

    @classmethod
    def at(cls, url: str) -> _Moment:
        return cls(
            _number(url, "select max(build_id) from ops.build where state = 'success'"),
            _number(url, "select max(check_result_id) from ops.check_result"),
        )

    def built(self, url: str) -> str:
        """A summary of the last build since that moment."""
        build_id = _Moment.at(url).build_id
        if build_id == self.build_id:
            return f"nothing new since build {build_id}"
        ran = f"from ops.model_run where build_id = {build_id} and resource_type"
        models = _number(url, f"select count(*) {ran} = 'model'")
        tests = _number(url, f"select count(*) {ran} = 'test'")
        passed = f"{models} models and {tests} tests passed"
        return ", ".join(filter(None, (passed, self.checked(url, "raw"))))

    def checked(self, url: str, suite: str) -> str:
        """A summary of a checkpoint's last run since that moment, empty if there is none."""
        last = (
            "from ops.check_result where run_id = (select run_id from ops.check_result"  # noqa: S608
            f" where suite = '{suite}' and check_result_id > {self.check_result_id}"
            " order by check_result_id desc limit 1)"
        )
        if not (checks := _number(url, f"select count(*) {last}")):
            return ""
        warned = _number(url, f"select count(*) {last} and not is_passed")
        return f"{checks - warned} checks passed" + f", {warned} warned" * bool(warned)


def _described(claim: dict[str, Any]) -> str:
    """The seed, weeks and database of a demo in words."""
    place = f" in {claim['database']}" if "database" in claim else ""
    return f"seed {claim.get('seed')} and {claim.get('weeks')} weeks{place}"


def _shown(path: Path) -> str:
    """A path, relative to the working folder if it lies in it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _number(url: str, query: str) -> int:
    with database.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def _last_batch(url: str, *, landed: bool = False) -> int:
    condition = "where landed_count > 0 or tombstone_count > 0" if landed else ""
    return _number(url, f"select max(batch_id) from raw.batch {condition}")  # noqa: S608


def _built_batch(url: str) -> int:
    return _number(url, "select max(max_batch_id) from ops.build where state = 'success'")


def _channel_counts(url: str, after_batch: int) -> dict[str, dict[str, int]]:
    """Deliveries read, landed, duplicate and quarantined per channel, in batches after one."""
    names = ("read", "landed", "duplicate", "quarantined")
    counts = {channel: dict.fromkeys(names, 0) for channel in CHANNELS}
    with database.connect(url) as connection:
        rows = connection.execute(
            "select channel, sum(read_count)::bigint, sum(landed_count)::bigint,"
            " sum(duplicate_count)::bigint, sum(quarantined_count)::bigint"
            " from raw.batch where batch_id > %s group by channel",
            (after_batch,),
        )
        for channel, *values in rows:
            counts[channel] = dict(zip(names, values, strict=True))
    return counts
