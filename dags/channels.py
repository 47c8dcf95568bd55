"""Let Airflow show what is wrong with the channel files: file, line, field and cure.

It declares no DAG: its import error is the message. The channels whose files are right are pulled
all the same.
"""

from __future__ import annotations

from lumbung.intake.contract import load_channels
from lumbung.settings import Settings

load_channels(Settings.load().channels)
