"""The frequency of Python's garbage collection."""

from __future__ import annotations

import gc
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
