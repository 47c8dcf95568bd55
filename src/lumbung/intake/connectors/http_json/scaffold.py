"""What a sample lets propose for a channel of kind `http_json`."""

from __future__ import annotations

import re
from typing import Any

import httpx

from lumbung.intake.channel.labels import normalise
from lumbung.intake.connectors.http_json.reader import flatten
from lumbung.intake.connectors.shared.proposal import (
    ADDRESS,
    Proposal,
    find_key,
    find_receipt,
)
from lumbung.intake.connectors.shared.sample_records import parsed, records, sample_records


def propose(sample: str, content: bytes) -> Proposal:
    """The longest list of records, what identifies and dates one, and how pages are asked for.

    Raises:
        SourceError: when the sample is not what the kind reads.
    """
    labels, rows = sample_records(sample, content, (), _flat)
    document = parsed(sample, content)
    at = records(document)[0]
    url = httpx.URL(sample) if ADDRESS.match(sample) else None
    key = find_key(labels, rows, together=False)
    record_id = (*key.labels, *labels)[0]
    received, dated = find_receipt(labels, rows, epoch=True)
    received = received or labels[0]
    return Proposal(
        [
            each
            for each in labels
            if each not in (record_id, received) and not each.startswith("@odata.")
        ],
        rows,
        {
            "path": url.raw_path.decode().lstrip("/") if url else "isi/alamat/daftar",
            "records": at,
            "id": record_id,
            "received": received,
            "paging": paging(document, at),
        },
        notes={
            "id": key.note,
            "received": dated,
            "paging": "how the next page is asked for: docs/reference/channels/http_json.md",
        },
        comments=("# auth: {style: header, name: X-Api-Key} # else a bearer token",),
    )


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    flatten(row, "", fields, ";")
    return fields


def paging(document: Any, records: str) -> dict[str, Any]:
    """How the API seems to give its pages, from what stands beside the records."""
    beside: dict[str, Any] = {}

    def note(value: Any, path: str) -> None:
        if isinstance(value, dict) and path.count(".") < 4:
            for name, each in value.items():
                note(each, f"{path}.{name}" if path else name)
        elif path != records:
            beside[path] = value

    note(document, "")
    last = {path: normalise(path.rpartition(".")[2]) for path in beside}
    total = next((p for p, n in last.items() if n in ("total", "count", "total_count")), None)
    counted = {"total": total} if total and isinstance(beside[total], int) else {}
    for path, name in last.items():
        if (
            "next" in path
            and isinstance(beside[path], str)
            and re.match(r"https?:|/|\?", beside[path])
        ):
            return {"style": "next", "next": path, **counted}
        if re.search(r"cursor|token|after|^next", name) and isinstance(beside[path], str | int):
            parameter = name.removeprefix("next_")
            return {"style": "cursor", "next": path, "parameter": parameter, **counted}
    for name in last.values():
        if name in ("page", "current_page", "last_page", "total_pages", "pages"):
            return {"style": "page", "parameter": "page", **counted}
        if name in ("offset", "start", "skip"):
            return {"style": "offset", "parameter": name, **counted}
    return {"style": "none", **counted}
