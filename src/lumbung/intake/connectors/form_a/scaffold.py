"""What a sample lets propose for a channel of kind `form_a`."""

from __future__ import annotations

from lumbung.intake.connectors.form_a import KIND
from lumbung.intake.connectors.shared.proposal import Proposal
from lumbung.intake.connectors.shared.sample_deliveries import from_rows, sample_deliveries


def propose(sample: str, content: bytes) -> Proposal:
    """The fields of the form.

    Raises:
        SourceError: when the sample is not what the kind reads.
    """
    return from_rows(KIND, sample_deliveries(KIND, sample, content), record_kind="LHP")
