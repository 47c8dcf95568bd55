"""What a sample lets propose for a channel of kind `kobo`."""

from __future__ import annotations

import re

from lumbung.intake.connectors.kobo import KIND
from lumbung.intake.connectors.shared.proposal import Proposal, unusable
from lumbung.intake.connectors.shared.sample_records import sample_records


def propose(sample: str, content: bytes) -> Proposal:
    """The questions of the form.

    Raises:
        SourceError: when the sample is not what the kind reads.
    """
    labels, rows = sample_records(sample, content, KIND.system_labels, dict)
    if not any("_id" in row for row in rows):
        raise unusable(sample, "holds no submission of KoboToolbox")
    asset = rows[0].get("_xform_id_string")
    is_uid = isinstance(asset, str) and re.fullmatch(r"[A-Za-z0-9]+", asset)
    source = {"asset": asset if is_uid else "aUIDdariAlamatFormulir"}
    return Proposal(labels, rows, source, separator=" ")
