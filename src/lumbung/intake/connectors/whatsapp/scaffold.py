"""What a sample lets propose for a channel of kind `whatsapp`."""

from __future__ import annotations

from lumbung.intake.connectors.shared.proposal import Proposal
from lumbung.intake.connectors.shared.sample_deliveries import from_messages, sample_deliveries
from lumbung.intake.connectors.whatsapp import KIND


def propose(sample: str, content: bytes) -> Proposal:
    """The template that most of the chat's messages follow.

    Raises:
        SourceError: when the sample is not what the kind reads.
    """
    rows = sample_deliveries(KIND, sample, content)
    return from_messages(KIND, [str(row.get("Teks") or "") for row in rows])
