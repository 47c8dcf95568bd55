"""dbt's artefacts of the last whole build that succeeded, for `--state`, `--defer` and lineage.

`LUMBUNG_HOME/dbt/artifacts/` holds `manifest.json`, `run_results.json` and `catalog.json`.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from lumbung.settings import Settings


def folder(settings: Settings) -> Path:
    """The folder of the artefacts."""
    return settings.home / "dbt" / "artifacts"


def keep(*names: str, settings: Settings, target: str) -> None:
    """Copy files that a dbt run wrote; each file is replaced atomically.

    Args:
        names: the names of the files.
        settings: name `LUMBUNG_HOME`.
        target: the folder under `LUMBUNG_HOME/dbt` where dbt wrote them.

    """
    kept = folder(settings)
    kept.mkdir(parents=True, exist_ok=True)
    for name in names:
        draft = kept / f".{name}.{os.getpid()}"
        shutil.copyfile(settings.home / "dbt" / target / name, draft)
        draft.replace(kept / name)
