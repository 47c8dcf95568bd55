"""Cheaper builds and checks for tests: a project parsed once, nothing made that nobody reads."""

from __future__ import annotations

import fcntl
import functools
import os
import pickle
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from lumbung.settings import Settings
from lumbung.warehouse import build as warehouse_build
from lumbung.warehouse import checkpoints, dbt_runner

KEEP = warehouse_build._Run._keep_artifacts
WRITE_DOCS = checkpoints._write_docs
INVOKE_DBT = dbt_runner.invoke_dbt
CHECKOUT = Path(__file__).parents[2] / "dbt_project"


@contextmanager
def artifacts(*, are_kept: bool) -> Iterator[None]:
    """Whether builds keep dbt's artefacts, which are a tenth of each and more of a full one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            warehouse_build._Run, "_keep_artifacts", KEEP if are_kept else lambda *_: None
        )
        yield


@contextmanager
def data_docs(*, are_written: bool) -> Iterator[None]:
    """Whether checkpoints write the pages of Data Docs, which are a third of their time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "_write_docs", WRITE_DOCS if are_written else lambda _: None)
        yield


def folder_of_all_workers(factory: pytest.TempPathFactory, name: str) -> Path:
    """A folder that the workers of one run of pytest share."""
    own = factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    folder.mkdir(exist_ok=True)
    return folder


@contextmanager
def parsed_once(folder: Path) -> Iterator[None]:
    """Let homes share in a folder what dbt has parsed of the project for a database's name.

    Each home would parse the whole project first, and again for another name, variable or server.
    A copy of the project begins with what was parsed of the checkout: dbt parses what differs.
    Builds of a process by the checkout copy the manifest of the first.
    """
    accepts: list[bool] = []
    manifests: dict[Path, bytes] = {}

    def shared(
        arguments: Sequence[str], *, settings: Settings, database_url: str, target: str, **more: Any
    ) -> Any:
        given = {"settings": settings, "database_url": database_url, "target": target, **more}
        if more.get("manifest") is not None:
            return INVOKE_DBT(arguments, **given)
        variables = [each for each in arguments if each.startswith("{")]  # the value of `--vars`
        database = str(conninfo_to_dict(database_url)["dbname"])
        kept = folder / sha256(f"{database} {variables}".encode()).hexdigest()
        own = settings.home / "dbt" / target / "partial_parse.msgpack"
        is_checkout = settings.dbt_project.resolve() == CHECKOUT
        is_build = is_checkout and list(arguments) == ["--no-write-json", "parse"]
        if is_build and kept in manifests:
            return _manifest(manifests[kept])
        with ExitStack() as stack:
            if is_checkout and not kept.exists():  # one worker parses, the others wait for it
                lock = stack.enter_context(kept.with_suffix(".lock").open("w"))
                fcntl.flock(lock, fcntl.LOCK_EX)
            if kept.exists() and (is_checkout or not own.exists()):
                own.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(kept, own)
            if not accepts:  # not before: dbt takes seconds to import
                _accept_any_server(patch)
                _compile_templates_once(patch)
                _find_the_same_once(patch)
                _build_no_unread_events(patch)
                _make_one_empty_table(patch)
                _make_contexts_faster(patch)
                _write_no_sql(patch)
                accepts.append(True)
            result = INVOKE_DBT(arguments, **given)
            if is_checkout and not kept.exists():
                made = kept.with_suffix(".made")
                shutil.copyfile(own, made)
                made.replace(kept)
            if is_build:
                manifests[kept] = _parsed(result)  # a build changes its manifest
            return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dbt_runner, "invoke_dbt", shared)
        yield


def _parsed(manifest: Any) -> bytes:
    """What was parsed, without the indexes that dbt makes of it."""
    names = [field.name for field in fields(manifest) if field.init and field.name[0] != "_"]
    return pickle.dumps({name: getattr(manifest, name) for name in names})


def _manifest(parsed: bytes) -> Any:
    """A manifest with the fields of `_parsed`."""
    from dbt.contracts.graph.manifest import Manifest

    return Manifest(**pickle.loads(parsed))


def _accept_any_server(patch: pytest.MonkeyPatch) -> None:
    """Let dbt use what was parsed for a database and schema of these names on another server."""
    from dbt.artifacts.resources import FileHash
    from dbt.parser.manifest import ManifestLoader

    check = ManifestLoader.build_manifest_state_check

    def checked(loader: ManifestLoader) -> Any:
        state, credentials = check(loader), loader.root_project.credentials
        named = f"{credentials.database}.{credentials.schema}"
        state.profile_hash = FileHash.from_contents(named)
        return state

    patch.setattr(ManifestLoader, "build_manifest_state_check", checked)


def _compile_templates_once(patch: pytest.MonkeyPatch) -> None:
    """Let the builds of a process share the code of templates: each would compile them again."""
    from dbt_common.clients.jinja import MacroFuzzEnvironment

    compile_one = MacroFuzzEnvironment.compile
    codes: dict[Any, Any] = {}

    def compiled(environment: Any, source: Any, *more: Any, **named: Any) -> Any:
        key = (type(environment), tuple(environment.extensions), source, more, tuple(named.items()))
        if key not in codes:
            codes[key] = compile_one(environment, source, *more, **named)
        return codes[key]

    patch.setattr(MacroFuzzEnvironment, "compile", compiled)


def _find_the_same_once(patch: pytest.MonkeyPatch) -> None:
    """Spare what each run of dbt finds out again, and a summary of the graph that nobody reads.

    No plugin of dbt is installed, and no variable of a test's environment is a secret of dbt's.
    """
    from dbt.compilation import Linker
    from dbt.plugins.manager import PluginManager
    from dbt_common.clients import agate_helper
    from dbt_common.events import functions

    types = functools.cache(agate_helper.build_type_tester)

    def typed(text_columns: Iterable[str], string_null_values: Iterable[str] = ("null", "")) -> Any:
        return types(frozenset(text_columns), tuple(string_null_values))

    patch.setattr(agate_helper, "build_type_tester", typed)
    patch.setattr(PluginManager, "get_prefixed_modules", dict)
    patch.setattr(functions, "env_secrets", list)
    patch.setattr(Linker, "get_graph_summary", lambda *_: {})


def _build_no_unread_events(patch: pytest.MonkeyPatch) -> None:
    """Spare dbt's events for debugging, an eighth of an increment; `build` reads two of them.

    The log holds what is of level `info` and above.
    """
    from dbt_common.events.base_types import BaseEvent, DebugLevel
    from dbt_common.events.event_manager import EventManager

    make, fire = BaseEvent.__init__, EventManager.fire_event

    def is_unread(event: BaseEvent) -> bool:
        is_read = type(event).__name__ in ("NodeStart", "NodeFinished")
        return isinstance(event, DebugLevel) and not is_read

    def made(event: BaseEvent, *values: Any, **named: Any) -> None:
        if not is_unread(event):
            make(event, *values, **named)

    def fired(manager: EventManager, e: BaseEvent, *more: Any, **named: Any) -> None:
        if not is_unread(e):
            fire(manager, e, *more, **named)

    patch.setattr(BaseEvent, "__init__", made)
    patch.setattr(EventManager, "fire_event", fired)


def _make_one_empty_table(patch: pytest.MonkeyPatch) -> None:
    """Spare the table without rows that dbt makes for each statement: nothing changes it."""
    from dbt_common.clients import agate_helper

    empty = agate_helper.empty_table()  # type: ignore[no-untyped-call]  # dbt has no types here
    patch.setattr(agate_helper, "empty_table", lambda: empty)


def _make_contexts_faster(patch: pytest.MonkeyPatch) -> None:
    """Make the context of a node in fewer steps: dbt makes an object of each macro for it."""
    from dbt.clients.jinja import MacroGenerator
    from dbt.context.configured import ConfiguredContext
    from dbt.context.macros import MacroNamespace, MacroNamespaceBuilder
    from dbt.context.manifest import ManifestContext

    fill = ManifestContext.to_dict

    def made(
        macro: Any, called: Any, context: Any = None, node: Any = None, stack: Any = None
    ) -> None:
        macro.macro, macro.context, macro.node, macro.stack = called, context, node, stack

    def built(
        builder: MacroNamespaceBuilder, macros: dict[str, dict[str, Any]], context: dict[str, Any]
    ) -> MacroNamespace:
        node, stack, inner = builder.node, builder.thread_ctx, builder.internal_package_names_order
        by_package = {
            package: {name: MacroGenerator(each, context, node, stack) for name, each in of.items()}
            for package, of in macros.items()
        }
        of_dbt: dict[str, Any] = {}
        for package in reversed(inner):
            of_dbt |= by_package.pop(package, {})
        return MacroNamespace(
            global_namespace=by_package.get(builder.root_package, {}),
            local_namespace=by_package.get(builder.search_package, {}),
            global_project_namespace=of_dbt,
            packages=by_package,
        )

    def filled(context: ManifestContext) -> dict[str, Any]:
        if not isinstance(context.namespace, MacroNamespace):
            return fill(context)  # type: ignore[no-any-return]  # dbt has no types here
        names: dict[str, Any] = ConfiguredContext.to_dict(context)
        for each in reversed([*context.namespace._search_order()]):
            names.update(each)
        return names

    patch.setattr(MacroGenerator, "__init__", made)
    patch.setattr(MacroNamespaceBuilder, "build_namespace", built)
    patch.setattr(ManifestContext, "to_dict", filled)


def _write_no_sql(patch: pytest.MonkeyPatch) -> None:
    """Spare the two files that dbt writes of each node for people to read."""
    from dbt.contracts.graph.nodes import ParsedNode

    patch.setattr(ParsedNode, "write_node", lambda *_: None)
