"""What a sample lets propose for a channel of kind `sigaplapor`."""

from __future__ import annotations

import httpx

from lumbung.intake.connectors.shared.proposal import ADDRESS, Proposal
from lumbung.intake.connectors.shared.sample_deliveries import from_rows, sample_deliveries
from lumbung.intake.connectors.sigaplapor import KIND


def propose(sample: str, content: bytes) -> Proposal:
    """The columns of the list.

    Raises:
        SourceError: when the sample is not what the kind reads.
    """
    name = "daftar.html" if content.lstrip()[:1] == b"<" else None
    rows = sample_deliveries(KIND, sample, content, name=name)
    path = httpx.URL(sample).raw_path.decode().lstrip("/") if ADDRESS.match(sample) else None
    return from_rows(KIND, rows, source={} if path is None else {"path": path})
