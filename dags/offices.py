"""Report mistakes in an office's files as an Airflow import error: file, value, remediation.

This file declares no DAG; its import error is the message. An import error only removes the DAGs of
its own file, so the offices without mistakes still publish.
"""

from __future__ import annotations

import runpy
from pathlib import Path

from lumbung.errors import ConfigurationError
from lumbung.settings import Settings

if _failed := runpy.run_path(str(Path(__file__).with_name("publication.py")))["FAILED"]:
    raise ConfigurationError(
        "no edition can be made of " + "; ".join(_failed.values()),
        where=str(Settings.load().project / "config"),
        remediation="correct what the message names",
    )
