"""The command `lumbung`, as a person runs it."""

from __future__ import annotations

import os
import subprocess
import sys


def lumbung(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lumbung.cli", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
