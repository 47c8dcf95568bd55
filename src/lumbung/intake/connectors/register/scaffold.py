"""What a sample lets propose for a channel of kind `register`."""

from __future__ import annotations

from lumbung.intake.connectors.shared.proposal import Proposal, familiar, guess, unique_label
from lumbung.intake.connectors.shared.sample_tables import tables


def propose(sample: str, content: bytes) -> Proposal:
    """The sheets with the most familiar header, and a key that every row has.

    Raises:
        SourceError: when the sample is not what the kind reads.
    """
    found = tables(sample, content)
    labels, rows = max(found.values(), key=lambda table: familiar(table[0]))
    source: dict[str, object] = {}
    others = [name for name, table in found.items() if table[0] != labels]
    if others:
        source["skip_sheets"] = others
    every = [row for each, part in found.values() if each == labels for row in part]
    key = next((each for each in labels if guess(each) == "register_number"), None)
    key = key or unique_label(labels, every)
    if key is None and len(every) > len(rows):
        key = unique_label(labels, rows)
        source["sheet_in_key"] = key is not None
    return Proposal(labels, rows, source, key or labels[0])
