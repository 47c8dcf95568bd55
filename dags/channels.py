"""Report mistakes in channel files as an Airflow import error: file, line, field, remediation.

This file declares no DAG; its import error is the message. An import error only removes the DAGs of
its own file, so the channels without mistakes are still pulled.
"""

from __future__ import annotations

import runpy
from pathlib import Path

from lumbung.errors import ConfigurationError
from lumbung.intake.channel.load import load_channels
from lumbung.settings import Settings

load_channels(Settings.load().channels)
if _failed := runpy.run_path(str(Path(__file__).with_name("intake.py")))["FAILED"]:
    raise ConfigurationError(
        "no DAG can be made of " + "; ".join(f"{name}: {why}" for name, why in _failed.items()),
        where=str(Settings.load().channels),
        remediation="correct what the message names in the file of that channel",
    )
