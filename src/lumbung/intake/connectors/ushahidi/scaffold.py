"""What a sample lets propose for a channel of kind `ushahidi`."""

from __future__ import annotations

from typing import Any

from lumbung.intake.connectors.shared.proposal import Proposal
from lumbung.intake.connectors.shared.sample_deliveries import from_rows, sample_deliveries
from lumbung.intake.connectors.shared.sample_records import sample_records
from lumbung.intake.connectors.ushahidi import KIND
from lumbung.intake.connectors.ushahidi.reader import labelled


def propose(sample: str, content: bytes) -> Proposal:
    """The fields of the posts: of the API's answer, or of the CSV export.

    Raises:
        SourceError: when the sample is not what the kind reads.
    """
    if content.lstrip()[:1] not in (b"{", b"["):
        return from_rows(KIND, sample_deliveries(KIND, sample, content))
    return Proposal(*sample_records(sample, content, KIND.system_labels, _flat))


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    return labelled(row) if "id" in row else {}
