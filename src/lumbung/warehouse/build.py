"""Build the warehouse: one `dbt build` in this process, with each node's state in `ops.model_run`.

A build is an increment: it recomputes the rows that depend on what was landed, corrected, withdrawn
or decided since the last successful build of all models. A build is a full one if no such build
exists, if any other input has changed (project, seeds, a channel with records or the words that
stewards mapped, so that a changed map applies to every record), or if a full build was started
since and has not succeeded. Rows of a held channel (`ops.channel_hold`) are in no build until the
first one after the release.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from lumbung import database, lineage, registry
from lumbung.errors import DISK, BuildError, ConfigurationError
from lumbung.intake.features import ALGORITHM
from lumbung.intake.landing.landed import renew
from lumbung.intake.landing.text_features import derive_missing
from lumbung.settings import Settings
from lumbung.warehouse import artifacts, dbt_runner, publish
from lumbung.warehouse.build_lock import lock_builds
from lumbung.warehouse.dbt_runner import one_line
from lumbung.warehouse.inputs import Watermark, require_seeds, watermark
from lumbung.warehouse.roles import role_url

LOCK_WAIT = "10min"
"""How long a build waits for another build of the same database."""

BUILD = (
    # The manifest takes long to write, and changes only with the project (_Run._keep_artifacts).
    "--no-write-json",
    "build",
    # Unit tests are for developers who change a model, not for every build of an office.
    "--exclude-resource-type", "unit_test", "--exclude-resource-type", "exposure",
)  # fmt: skip
"""dbt's arguments for every model and test."""

TARGET = "target"
"""The folder under `LUMBUNG_HOME/dbt` where builds of the warehouse write."""

AS_READERS_SEE = ("--vars", '{"next_suffix": ""}')
"""dbt's arguments for naming the published tables instead of those in which they are built."""

STATIC = "static"
"""The tag of models that depend on seeds and channels alone; an increment does not run them."""

NOT_IN_AN_INCREMENT = (f"tag:{STATIC}", "lumbung.marts", "lumbung.reporting")
"""Nodes that an increment leaves as they are: marts are views over tables that stay."""

NO_INPUTS = {"analyses", "target", "logs", ".user.yml", "profiles.yml", "selectors.yml"}
"""Queries, what dbt writes into the project's folder, how it is run: no row depends on these."""

OnNode = Callable[[str, dict[str, Any]], None]

DONE = ("success", "pass", "warn")
"""States of a node that a resumed build does not run again."""


@dataclass(frozen=True)
class BuildResult:
    """The result of a build.

    Attributes:
        build_id: its row in `ops.build`.
        is_full: whether every model was rebuilt from raw.
        max_batch_id: the build has read every batch of `raw` up to this one.
        counts: resource type (`model`, `test`, `seed`) -> number of nodes run.
        warnings: one line per channel whose file has mistakes, per test of severity `warn` that
            found rows, and per selected node that was not published.

    """

    build_id: int
    is_full: bool
    max_batch_id: int
    counts: dict[str, int]
    warnings: list[str]

    def summary(self) -> dict[str, Any]:
        """The same as plain values, for Airflow and JSON."""
        return asdict(self)


def build(
    *,
    settings: Settings,
    database_url: str,
    select: str | None = None,
    full_refresh: bool = False,
    since: date | None = None,
    resume: bool = False,
    checked: int | None = None,
    on_node: OnNode | None = None,
) -> BuildResult:
    """Sync the channels, then run every model and test in dependency order.

    A failing test stops the build before anything is published, so readers keep the previous build.
    Failing rows stay in schema `checks`. All marts are published in one transaction
    (`lumbung.warehouse.publish`), which also records the build as successful. A channel whose file
    has mistakes is read with the last valid version of its file, and a warning names it.

    Args:
        settings: name the project and `LUMBUNG_HOME`, which holds dbt's target and log.
        database_url: the warehouse, as `roles.role_url` takes it: dbt logs in as `transformer`, and
            what the vault is needed for as `custodian`.
        select: run only these nodes, in dbt's selection syntax, without newly landed rows.
        full_refresh: load the seeds even if their files are unchanged, and rebuild every model
            from raw.
        since: an increment recomputes everything landed from this day (Asia/Jakarta) on.
        resume: if the previous build failed or was killed, and neither raw nor the project has
            changed since, run only the nodes that it had not finished.
        checked: the last batch that the raw checkpoint has judged; later ones wait for the next
            build. None: read every batch.
        on_node: called when a model, or a test that found rows, has ended, with its name and its
            state, seconds and rows.

    Raises:
        BuildError: with the first model or test that failed, the number of its failing rows and
            their table; or when another build has not finished.
        ConfigurationError: when a file of the seeds is missing, or the province of a channel.

    """
    from lumbung.intake.channel import load
    from lumbung.intake.channel.sync import sync

    require_seeds(settings)
    channels, mistakes = load.read_channels(settings.channels)
    stopped = load.stopped(mistakes)
    for warning in stopped:
        print(f"warn     {warning}")
    transformer, custodian = (role_url(database_url, role) for role in ("transformer", "custodian"))
    try:
        with (
            database.session(transformer, application="lumbung build") as connection,
            publish.Blockers(transformer) as blockers,
            _naming(blockers),
            _alone(connection),
        ):
            absent = load.without_file(sync(connection, channels, mistakes))
            _require_provinces(connection, settings)
            for warning in absent:
                print(f"warn     {warning}")
            renew(custodian, channels, settings)
            with database.session(custodian, application="lumbung features") as vault:
                derive_missing(vault, channels, settings)
            run = _Run(connection, settings, transformer, on_node)
            result = run.build(select, full_refresh, since, resume, checked)
            return replace(result, warnings=[*stopped, *absent, *result.warnings])
    except psycopg.errors.DiskFull as error:
        raise BuildError(
            f"{DISK} ({one_line(error)})",
            where="PostgreSQL",
            remediation="free disk space, then build again",
        ) from error
    except psycopg.OperationalError as error:
        raise BuildError(
            f"the database went away: {one_line(error)}",
            where="ops.build",
            remediation="start it again ('lumbung up'), then build again",
        ) from error


@contextmanager
def _alone(connection: psycopg.Connection) -> Iterator[None]:
    """Allow one build at a time in a database; the end of the connection releases the lock."""
    try:
        lock_builds(connection, LOCK_WAIT)
    except psycopg.errors.LockNotAvailable as error:
        raise BuildError(
            f"another build has not finished within {LOCK_WAIT}",
            where="ops.build",
            remediation="wait for it, or end its process, then run the same again",
        ) from error
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("select pg_advisory_unlock(hashtext('lumbung.build'))")


def _require_provinces(connection: psycopg.Connection, settings: Settings) -> None:
    """Require that the seeds have the province of every channel, also of those that have ended."""
    known = registry.provinces(settings.project)
    lost = connection.execute(
        "select channel, province_code from reference.channel where province_code <> all(%s)"
        " order by channel",
        (known,),
    ).fetchall()
    if known and lost:
        raise ConfigurationError(
            f"the seeds do not have the province of {', '.join(f'{c} ({p})' for c, p in lost)}",
            where=str(settings.dbt_project / "seeds/regency.csv"),
            remediation="put the regions of these provinces back; the records of a channel belong"
            " to one, also after it was retired",
        )


@contextmanager
def _naming(blockers: publish.Blockers) -> Iterator[None]:
    """Name the sessions that hold a lock in the error of a build that timed out waiting for it."""
    try:
        yield
    except BuildError as error:
        waited = isinstance(error.__cause__, psycopg.errors.LockNotAvailable)
        if not str(blockers) or not (waited or "lock timeout" in error.what):
            raise
        raise BuildError(
            error.what, where=f"{error.where}; held by {blockers}", remediation=error.remediation
        ) from error


class _Success(NamedTuple):
    """The row in `ops.build` that an increment continues from."""

    build_id: int
    inputs_hash: str
    seeds_hash: str
    max_batch_id: int
    max_decision_id: int
    max_exclusion_id: int
    hold_ids: list[int]


class _Run:
    """One build and its row in `ops.build`."""

    def __init__(
        self,
        connection: psycopg.Connection,
        settings: Settings,
        database_url: str,
        on_node: OnNode | None,
    ) -> None:
        self.connection = connection
        self.settings = settings
        self.database_url = database_url
        self.on_node = on_node
        self.build_id = 0
        self.manifest: Any = None
        self.result: Any = None
        self._writing = threading.Lock()  # dbt's threads report concurrently
        self._failure: Exception | None = None  # the first one of the callback
        self._mappings = 0

    def build(
        self,
        select: str | None,
        full_refresh: bool,
        since: date | None,
        resume: bool,
        checked: int | None,
    ) -> BuildResult:
        # As for dbt's sessions (dbt_environment); what is published is committed synchronously.
        self.connection.execute("set synchronous_commit = off")
        seeds = self._hash(self.settings.dbt_project / "seeds")
        self.connection.execute(
            "update ops.build set state = 'abandoned', finished_at = ops.now()"
            " where state = 'running'"  # this process holds the lock, so no other build is running
        )
        holds = self._open_holds()
        seen = watermark(self.connection)
        last = self._last_success()
        if checked is not None:
            built = last.max_batch_id if last else 0
            seen = seen._replace(max_batch_id=max(built, min(checked, seen.max_batch_id)))
        max_batch_id = seen.max_batch_id
        self._mappings = self._count_mappings()
        is_full = select is None and (full_refresh or self._must_be_full(last, holds))
        finished: list[str] = []
        resumed = None
        if resume and not full_refresh:
            inputs = self._inputs_hash(seen.max_batch_id, select)
            resumed = self._resumable(inputs, seen, holds)
        if resumed is not None:
            finished = self._finished(resumed)
        arguments = ["--select", select] if select else []
        is_increment = select is None and not is_full
        # A build of selected nodes drops the views over the tables that it builds.
        has_views = is_increment and not self._selected_since(last)
        excluded = [*finished, *NOT_IN_AN_INCREMENT] if has_views else finished
        if is_full:
            arguments.append("--full-refresh")
        if not full_refresh and last is not None and last.seeds_hash == seeds:
            arguments += ["--exclude-resource-type", "seed"]
        if excluded:
            arguments += ["--exclude", *excluded]
        # 'empty': excluding a finished model must not exclude its tests that have not run.
        # 'buildable': leave out tests that also read a later model, which may not exist yet.
        tests = "empty" if finished else "buildable" if select else "eager"
        arguments += ["--indirect-selection", tests]

        # A build of selected nodes moves no watermark and does not record the seeds as loaded.
        from_batch_id = max_batch_id
        if select is not None:
            max_batch_id = from_batch_id = 0 if last is None else last.max_batch_id
            holds = [] if last is None else last.hold_ids
        elif last is not None:
            from_batch_id = self._before(since, last.max_batch_id)
        inputs = self._inputs_hash(max_batch_id, select)
        row = self.connection.execute(
            "insert into ops.build (resumes_build_id, inputs_hash, seeds_hash, max_batch_id,"
            " max_decision_id, max_exclusion_id, hold_ids, since_build_id, since_batch_id,"
            " since_decision_id, since_exclusion_id)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning build_id",
            (
                *(resumed, inputs, "" if select else seeds, max_batch_id),
                *(seen.max_decision_id, seen.max_exclusion_id, holds),
                *(
                    (None, None, None, None)
                    if is_full or last is None
                    else (
                        *(last.build_id, from_batch_id),
                        *(last.max_decision_id, last.max_exclusion_id),
                    )
                ),
            ),
        ).fetchone()
        assert row is not None  # noqa: S101 - 'returning' of a single insert
        (self.build_id,) = row
        try:
            warnings = self._invoke(arguments)
            warnings += self._publish(is_full=is_full, is_increment=is_increment)
        except BaseException as error:
            state = "failed" if isinstance(error, BuildError) else "abandoned"
            self._finish(state, str(error) or type(error).__name__)
            raise
        if select is None:
            self._keep_artifacts(is_full)
            lineage.emit(self._lineage())
        counts = Counter(
            kind
            for (kind,) in self.connection.execute(
                "select resource_type from ops.model_run where build_id = %s", (self.build_id,)
            )
        )
        return BuildResult(self.build_id, is_full, max_batch_id, dict(counts), warnings)

    # -- dbt ---------------------------------------------------------------------------------

    def _invoke(self, arguments: list[str]) -> list[str]:
        """Run dbt and return the warnings."""
        where: dict[str, Any] = {
            "settings": self.settings, "database_url": self.database_url, "target": TARGET,
        }  # fmt: skip
        self.manifest = dbt_runner.invoke_dbt(["--no-write-json", "parse"], **where)
        self.result = dbt_runner.invoke_dbt(
            [*BUILD, *arguments], **where, callbacks=[self._on_event], manifest=self.manifest
        )
        if self._failure is not None:
            raise self._failure
        results = dbt_runner.of_nodes(self.result)
        for result in results:
            if str(result.status) == "skipped":
                self._record(result.node.unique_id, result.node.name, result.node.resource_type,
                             "skipped", None, None, "a node before it failed")  # fmt: skip
        dbt_runner.raise_failed(results)
        return [
            f"{r.node.name}: {r.failures} rows, in {dbt_runner.relation(r.node)}"
            for r in results
            if str(r.status) == "warn"
        ]

    def _keep_artifacts(self, is_full: bool) -> None:
        """Keep dbt's artefacts: of an increment run_results.json, of a full build all."""
        file = self.settings.home / "dbt" / TARGET / "run_results.json"
        self.result.write(str(file))
        artifacts.keep(file.name, settings=self.settings, target=TARGET)
        if is_full:
            where: dict[str, Any] = {
                "settings": self.settings, "database_url": self.database_url, "target": "docs",
            }  # fmt: skip
            manifest = dbt_runner.invoke_dbt(["parse", *AS_READERS_SEE], **where)
            dbt_runner.run_dbt(
                ["docs", "generate", "--no-compile", *AS_READERS_SEE], **where, manifest=manifest
            )
            names = ["manifest.json", "catalog.json"]
            artifacts.keep(*names, settings=self.settings, target="docs")

    def _lineage(self) -> Iterator[lineage.Job]:
        """Every model with what it reads; a table and that in which it is built are one."""

        def table(node_id: str) -> lineage.Dataset:
            node = self.manifest.nodes.get(node_id) or self.manifest.sources[node_id]
            name = f"{node.schema.removesuffix(publish.NEXT)}.{node.name}"
            return lineage.tables(self.database_url, name)[0]

        for node in self.manifest.nodes.values():
            if node.resource_type == "model":
                read = [table(each) for each in node.depends_on.nodes]
                yield lineage.Job(f"warehouse.{node.name}", read, [table(node.unique_id)])

    def _publish(self, *, is_full: bool, is_increment: bool) -> list[str]:
        """Publish and return warnings.

        An increment publishes every mart that is not static, another build the nodes that it, or a
        build that it resumes, has finished. A build of selected nodes does not publish the review
        list: dbt builds only the items that the last increment changed, and all others would go.
        """
        done = self._finished(self.build_id)
        is_selection = not (is_full or is_increment)
        nodes = [
            node
            for node in self.manifest.nodes.values()
            if publish.is_published(node)
            and (node.name in done or (is_increment and _follows_raw(node)))
        ]
        partial = [
            node
            for node in nodes
            if is_selection and node.config.meta.get("affected_keys") == "review"
        ]
        nodes = [node for node in nodes if node not in partial]

        def finish(published: list[publish.Published]) -> None:
            for each in published:
                if each.node.name not in done:
                    self._record(each.node.unique_id, each.node.name, "model", "success",
                                 each.seconds, each.rows, None)  # fmt: skip
                    continue
                self.connection.execute(
                    "update ops.model_run set row_count = %s"
                    " where build_id = %s and node_name = %s",
                    (each.rows, self.build_id, each.node.name),
                )
            self._finish("success", None)

        published, warnings = publish.publish(
            self.connection, nodes, is_increment=is_increment, finish=finish
        )
        for each in published:
            name = each.node.name[:79]
            print(f"success  publish {name:79} {each.seconds:6.2f} s  {each.rows:,} rows")
            if self.on_node and each.node.resource_type == "model":
                self.on_node(
                    each.node.name,
                    {"state": "success", "seconds": round(each.seconds, 2), "rows": each.rows},
                )
        warnings += [
            f"{node.name}: readers see it as before; a build without --select publishes it"
            for node in partial
        ]
        if is_full:
            publish.vacuum(self.connection, [each.node for each in published if each.rows])
        return warnings

    def _on_event(self, event: Any) -> None:
        """Report a node's start and end; after a report that failed, let no further node run.

        dbt waits for ever for a node whose `NodeStart` event raises. It takes an exception at the
        next event of a node, `LogStartLine`, for that node's failure.
        """
        if event.info.name == "LogStartLine" and self._failure is not None:
            raise self._failure
        try:
            self._report(event)
        except Exception as error:
            self._failure = self._failure or error

    def _report(self, event: Any) -> None:
        """Record a node's start and end, and print one line at its end."""
        if event.info.name not in ("NodeStart", "NodeFinished"):
            return
        node = event.data.node_info
        key = (node.unique_id, node.node_name, node.resource_type)
        if event.info.name == "NodeStart":
            self._record(*key, "running", None, None, None)
            return
        result = event.data.run_result
        state = str(node.node_status)
        if node.resource_type == "test":
            rows: int | None = result.num_failures
        else:
            affected = result.adapter_response.fields.get("rows_affected")
            # a view writes no rows and reports -1
            rows = int(affected.number_value) if affected and affected.number_value >= 0 else None
        message = None if state in ("success", "pass") else one_line(result.message)
        self._record(*key, state, result.execution_time, rows, message)
        shown = "" if rows is None else f"{rows:,} {'failing ' * (key[2] == 'test')}rows"
        if self.on_node and (node.resource_type == "model" or state not in DONE):
            with self._writing:
                self.on_node(
                    node.node_name,
                    {"state": state, "seconds": round(result.execution_time, 2), "rows": rows},
                )
        print(f"{state:8} {key[2]:6} {key[1][:80]:80} {result.execution_time:6.2f} s  {shown}")

    def _last_success(self) -> _Success | None:
        """The last successful build of all models."""
        row = self.connection.execute(
            "select build_id, inputs_hash, seeds_hash, max_batch_id, max_decision_id,"
            " max_exclusion_id, hold_ids from ops.build"
            " where state = 'success' and seeds_hash <> ''"
            " order by build_id desc limit 1"
        ).fetchone()
        return None if row is None else _Success(*row)

    def _selected_since(self, last: _Success | None) -> bool:
        """Whether selected nodes were built since the last successful build of all models."""
        row = self.connection.execute(
            "select exists (select from ops.build where build_id > %s and seeds_hash = '')",
            (last.build_id if last else 0,),
        ).fetchone()
        return row == (True,)

    def _must_be_full(self, last: _Success | None, holds: list[int]) -> bool:
        """Whether an increment would leave rows that other inputs than this build's have made.

        So do the rows of a build that failed before their channel was held.
        """
        if last is None:
            return True
        tried = self.connection.execute(
            "select since_build_id is null or not hold_ids @> %s::bigint[], inputs_hash,"
            " max_batch_id from ops.build where build_id > %s and seeds_hash <> ''",
            (holds, last.build_id),
        ).fetchall()
        return any(
            is_full or inputs_hash != self._inputs_hash(max_batch_id)
            for is_full, inputs_hash, max_batch_id in [
                (False, last.inputs_hash, last.max_batch_id),
                *tried,
            ]
        )

    def _open_holds(self) -> list[int]:
        """The holds that this build applies, whatever is released while it runs."""
        row = self.connection.execute(
            "select coalesce(array_agg(hold_id order by hold_id), '{}') from ops.channel_hold"
            " where released_at is null"
        ).fetchone()
        assert row is not None  # noqa: S101 - an aggregate gives one row
        return list(row[0])

    def _before(self, since: date | None, max_batch_id: int) -> int:
        """The last batch that this increment need not read."""
        row = self.connection.execute(
            "select least(%(last)s, (select min(batch_id) - 1 from raw.batch"
            " where (landed_at at time zone 'Asia/Jakarta')::date >= %(since)s))",
            {"last": max_batch_id, "since": since},
        ).fetchone()
        assert row is not None  # noqa: S101 - a select without from gives one row
        return int(row[0])

    # -- ops.build and ops.model_run ---------------------------------------------------------

    def _record(
        self,
        node_id: str,
        name: str,
        resource_type: str,
        state: str,
        seconds: float | None,
        rows: int | None,
        message: str | None,
    ) -> None:
        with self._writing:
            self.connection.execute(
                "insert into ops.model_run (build_id, node_id, node_name, resource_type, state,"
                " duration_seconds, row_count, message) values (%s, %s, %s, %s, %s, %s, %s, %s)"
                " on conflict (build_id, node_id) do update set state = excluded.state,"
                " duration_seconds = excluded.duration_seconds, row_count = excluded.row_count,"
                " message = excluded.message",
                (self.build_id, node_id, name, resource_type, state, seconds, rows, message),
            )

    def _finish(self, state: str, message: str | None) -> None:
        """Write the end of the build.

        A word that was decided meanwhile may have been read, and may be undone before the next
        build; so that build is a full one, whatever its inputs are.
        """
        is_same = self._count_mappings() == self._mappings
        self.connection.execute(
            "update ops.build set state = %s, message = %s, finished_at = ops.now(),"
            " inputs_hash = case when %s then inputs_hash else '' end where build_id = %s",
            (state, message, is_same, self.build_id),
        )

    def _count_mappings(self) -> int:
        """How often people have decided on a word or a place, undone decisions included."""
        row = self.connection.execute(
            "select count(decision_id) from ops.mapping_decision"
        ).fetchone()
        assert row is not None  # noqa: S101 - an aggregate gives one row
        return int(row[0])

    def _resumable(self, inputs: str, seen: Watermark, holds: list[int]) -> int | None:
        """The previous build, if it did not succeed and its inputs and the day are unchanged."""
        row = self.connection.execute(
            "select build_id from ops.build where build_id = (select max(build_id) from ops.build)"
            " and state in ('failed', 'abandoned') and inputs_hash = %s"
            " and max_batch_id = %s and max_decision_id = %s and max_exclusion_id = %s"
            " and hold_ids = %s::bigint[] and (started_at at time zone 'Asia/Jakarta')::date"
            " = (ops.now() at time zone 'Asia/Jakarta')::date",
            (inputs, *seen, holds),
        ).fetchone()
        return None if row is None else int(row[0])

    def _finished(self, build_id: int) -> list[str]:
        """The nodes finished by a build or by the builds that it resumed."""
        rows = self.connection.execute(
            "with recursive chain as ("
            " select build_id, resumes_build_id from ops.build where build_id = %s"
            " union all select b.build_id, b.resumes_build_id from ops.build as b"
            " inner join chain as c on b.build_id = c.resumes_build_id)"
            " select distinct node_name from ops.model_run inner join chain using (build_id)"
            " where state = any(%s) order by node_name",
            (build_id, list(DONE)),
        )
        return [name for (name,) in rows]

    def _inputs_hash(self, max_batch_id: int, select: str | None = None) -> str:
        """A hash of every input besides raw: project, channels, mapped words, functions, selection.

        Of the channels those that have a batch up to `max_batch_id`: others have no row, so adding
        a channel needs no full build. Of a channel only what models use: its owner, its cadence and
        what the checkpoint requires may change without one.
        """
        maps = self.connection.execute(
            "with landed as (select distinct channel from raw.batch where batch_id <= %s)"
            " select coalesce(json_agg(json_build_array(channel, kind, title, record_kind,"
            " has_receipt_time, is_message, state = 'removed', province_code) order by channel),"
            " '[]'),"
            " (select coalesce(json_agg(to_jsonb(f) - 'is_required'"
            " order by channel, field, position), '[]')"
            " from reference.channel_field as f where channel in (select channel from landed))"
            " from reference.channel where channel in (select channel from landed)",
            (max_batch_id,),
        ).fetchone()
        functions = self.connection.execute(
            "select md5(string_agg(pg_get_functiondef(oid), '' order by oid::regprocedure::text))"
            " from pg_proc where pronamespace = 'ops'::regnamespace"
        ).fetchone()
        mappings = self.connection.execute(
            "select json_agg(json_build_array(vocabulary, term, code) order by vocabulary, term)"
            " from ops.mapping"
        ).fetchone()
        inputs = [self._project, maps, mappings, functions, select, ALGORITHM]
        return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()

    @cached_property
    def _project(self) -> str:
        return self._hash(self.settings.dbt_project)

    @staticmethod
    def _hash(folder: Path) -> str:
        digest = hashlib.sha256()
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file.relative_to(folder).parts[0] not in NO_INPUTS:
                digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
                digest.update(hashlib.sha256(file.read_bytes()).digest())
        return digest.hexdigest()


def _follows_raw(node: Any) -> bool:
    """Whether the rows of a model depend on more than seeds and channels."""
    return node.resource_type == "model" and STATIC not in node.tags
