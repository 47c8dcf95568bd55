"""The registry of connectors: each turns a kind of source into a stream of deliveries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module

from lumbung.intake.connectors.base import Item, Source


def reader(kind: str) -> Callable[[Source], Iterator[Item]]:
    """The connector of a kind, imported when it is needed."""
    read: Callable[[Source], Iterator[Item]] = import_module(f"{__name__}.{kind}.reader").read
    return read
