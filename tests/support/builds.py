"""Cheaper builds of the warehouse for tests: no artefacts of dbt, a project parsed once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from lumbung.settings import Settings
from lumbung.warehouse import build as warehouse_build

KEEP = warehouse_build._Run._keep_artifacts


@contextmanager
def artifacts(*, are_kept: bool) -> Iterator[None]:
    """Whether builds keep dbt's artefacts, which are a tenth of each and more of a full one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            warehouse_build._Run, "_keep_artifacts", KEEP if are_kept else lambda *_: None
        )
        yield


@contextmanager
def parsed_once(folder: Path) -> Iterator[None]:
    """Let homes share in a folder what dbt has parsed of a project for a database's name.

    Each home would parse the whole project first, and again for another name or variable.
    """
    invoke_dbt = warehouse_build.invoke_dbt

    def shared(
        arguments: Sequence[str], *, settings: Settings, database_url: str, target: str, **more: Any
    ) -> Any:
        variables = [each for each in arguments if each.startswith("{")]  # the value of `--vars`
        key = f"{settings.dbt_project.resolve()} {database_url} {target} {variables}"
        kept = folder / sha256(key.encode()).hexdigest()
        own = settings.home / "dbt" / target / "partial_parse.msgpack"
        if kept.exists():
            own.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(kept, own)
        given = {"settings": settings, "database_url": database_url, "target": target, **more}
        try:
            return invoke_dbt(arguments, **given)
        finally:
            if own.exists():
                shutil.copyfile(own, kept)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warehouse_build, "invoke_dbt", shared)
        yield
