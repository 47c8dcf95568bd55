"""What a sample lets propose for a channel of kind `odk`."""

from __future__ import annotations

import re
from typing import Any

import httpx

from lumbung.intake.connectors.odk import KIND
from lumbung.intake.connectors.odk.reader import flatten
from lumbung.intake.connectors.shared.proposal import ADDRESS, Proposal, unusable
from lumbung.intake.connectors.shared.sample_records import sample_records


def propose(sample: str, content: bytes) -> Proposal:
    """The questions of the form.

    Raises:
        SourceError: when the sample is not what the kind reads.
    """
    labels, rows = sample_records(sample, content, KIND.system_labels, _flat)
    if not any("__id" in row for row in rows):
        raise unusable(sample, "holds no submission of ODK Central")
    path = httpx.URL(sample).path if ADDRESS.match(sample) else ""
    feed = re.search(r"/projects/(\d+)/forms/([^/]+)\.svc", path)
    source = {
        "project": int(feed[1]) if feed else 1,
        "form": feed[2] if feed else "idFormulirPadaAlamatnya",
    }
    labels = [each for each in labels if not each.startswith("@odata.")]
    return Proposal(labels, rows, source, separator=" ")


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    flatten(row, "", fields)
    return fields
