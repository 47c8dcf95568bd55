"""The deliveries that a connector reads from a sample."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
from upath import UPath

from lumbung.intake.channel.models import Channel
from lumbung.intake.connectors.base import Checkpoint, Delivery, Item, Kind, Source, Unreadable
from lumbung.intake.connectors.shared.proposal import ADDRESS, ROWS, Proposal, labels_of, unusable
from lumbung.intake.evidence import Evidence, MemoryKeys


def sample_deliveries(
    kind: Kind,
    sample: str,
    content: bytes,
    *,
    name: str | None = None,
    read: Callable[[Source], Iterable[Item]] | None = None,
) -> list[dict[str, Any]]:
    """The fields of what a connector reads from a file.

    Args:
        kind: of the connector.
        sample: the file or address.
        content: its bytes.
        name: of the file in the folder that the connector reads; the sample's, if left out.
        read: what reads it, if not the connector.

    Raises:
        SourceError: when it reads nothing.
    """
    model = {
        **{"name": "contoh", "title": "contoh", "schedule": "0 5 * * *"},
        **{"owner": {"name": "contoh", "email": "a@contoh.example.id"}, "connection": "contoh"},
        **{"source": {"kind": kind.name}, "fields": {"narrative": {"from": "lumbung:contoh"}}},
    }
    with tempfile.TemporaryDirectory() as folder:
        inbox, store = Path(folder) / "inbox", Evidence(Path(folder) / "evidence", MemoryKeys())
        inbox.mkdir()
        name = name or Path(httpx.URL(sample).path if ADDRESS.match(sample) else sample).name
        (inbox / (name or "contoh")).write_bytes(content)
        given = Source(
            *(Channel.model_validate(model), UPath(inbox), None, store),
            *(lambda each: sha256(each).digest()[:16], {}),
        )
        found = [each for each in (read or kind.read)(given) if not isinstance(each, Checkpoint)]
    rows = [each.fields for each in found if isinstance(each, Delivery)]
    if not rows:
        reason = next((each.reason for each in found if isinstance(each, Unreadable)), "kosong")
        raise unusable(sample, f"holds nothing that can be read: {reason}")
    return rows[:ROWS]


def from_rows(kind: Kind, rows: list[dict[str, Any]], **parts: Any) -> Proposal:
    """A proposal of the labels of rows; those with lists are left out.

    Args:
        kind: whose system labels are left out.
        rows: label -> value.
        parts: the other parts of the proposal.
    """
    labels = labels_of(rows, kind.system_labels)
    flat = [each for each in labels if not any(isinstance(row.get(each), list) for row in rows)]
    return Proposal(flat, rows, **parts)


def from_messages(kind: Kind, texts: Iterable[str]) -> Proposal:
    """A proposal of the template that most of the messages follow."""
    marker, rows = _pinned(texts)
    return from_rows(kind, rows, source={"marker": marker} if marker else {})


def _pinned(texts: Iterable[str]) -> tuple[str | None, list[dict[str, Any]]]:
    """The first line of messages that follow a template, and what stands behind their labels."""
    found: dict[str | None, list[dict[str, Any]]] = {}
    for text in texts:
        first, *lines = text.strip().split("\n")
        pairs = [line.partition(":") for line in lines]
        row = {
            " ".join(label.strip(" *_-").split()): value.strip()
            for label, colon, value in pairs
            if colon and re.fullmatch(r"[^\W\d][^\d:]{0,39}", label.strip(" *_-"))
        }
        if len(row) > 1 and ":" not in first and len(first) <= 40:
            found.setdefault(first.strip(" *_:"), []).append(row)
    return max(found.items(), key=lambda each: len(each[1]), default=(None, []))
