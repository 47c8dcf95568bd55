"""What a sample lets propose for a channel of kind `register`."""

from __future__ import annotations

from lumbung.intake.connectors.shared.proposal import (
    Key,
    Proposal,
    familiar,
    find_key,
    is_month_first,
)
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
    key = find_key(labels, every)
    if not key.labels and len(every) > len(rows):
        of_sheet = [find_key(labels, part) for each, part in found.values() if each == labels]
        if len({each.labels for each in of_sheet}) == 1 and of_sheet[0].labels:
            key = Key(of_sheet[0].labels, "differs in all rows of a sheet, and is never empty")
            source["sheet_in_key"] = True
    if is_month_first(labels, every):
        source["date_order"] = "mdy"
    return Proposal(labels, every, source, key)
