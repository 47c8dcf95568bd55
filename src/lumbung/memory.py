"""Memory: how often garbage is collected, and that no crash writes memory to the disk."""

from __future__ import annotations

import gc
import resource
from collections.abc import Iterator
from contextlib import contextmanager

RARELY = (50_000, 10, 10)
"""Thresholds for imports and runs of large libraries, which allocate much and free little: at
Python's own the collector takes a fifth of the CPU time of a build, and a quarter of that in which
Airflow starts. Disabling it would save little more and cost 150 MB."""


@contextmanager
def rare_garbage_collection() -> Iterator[None]:
    """Collect garbage `RARELY` inside this block."""
    before = gc.get_threshold()
    gc.set_threshold(*RARELY)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def refuse_core_dumps() -> None:
    """Let neither this process nor its children write their memory, and so keys, to the disk."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
