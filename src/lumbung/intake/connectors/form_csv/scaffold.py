"""What a sample lets propose for a channel of kind `form_csv`."""

from __future__ import annotations

from lumbung.intake.channel.labels import normalise
from lumbung.intake.connectors.form_csv.config import FormCsvSource
from lumbung.intake.connectors.shared.proposal import Proposal, familiar, find_receipt, unusable
from lumbung.intake.connectors.shared.sample_tables import tables


def propose(sample: str, content: bytes) -> Proposal:
    """The columns of the form; the one with the time, where Google does not name it.

    Raises:
        SourceError: when the sample is not what the kind reads.
    """
    labels, rows = max(tables(sample, content).values(), key=lambda table: familiar(table[0]))
    usual = {normalise(each) for each in FormCsvSource(kind="form_csv").timestamp}
    if usual & {normalise(each) for each in labels}:
        return Proposal(labels, rows)
    stamp, note = find_receipt(labels, rows)
    if stamp is None:
        raise unusable(
            sample,
            "has no column with the time of a response: rows with a number of their own"
            " are of kind register",
        )
    return Proposal(
        [each for each in labels if each != stamp],
        rows,
        {"timestamp": stamp},
        notes={"timestamp": note},
    )
