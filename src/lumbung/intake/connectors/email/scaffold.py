"""What a sample lets propose for a channel of kind `email`."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import UTC, datetime

from lumbung.intake.connectors.base import Delivery, Item, Source
from lumbung.intake.connectors.email import KIND
from lumbung.intake.connectors.email.config import EmailSource
from lumbung.intake.connectors.email.reader import Mail, deliveries
from lumbung.intake.connectors.shared.proposal import Proposal
from lumbung.intake.connectors.shared.sample_deliveries import from_messages, sample_deliveries
from lumbung.intake.connectors.shared.template import Template


def propose(sample: str, content: bytes) -> Proposal:
    """The template that most of the mails follow.

    Raises:
        SourceError: when the sample is not what the kind reads.
    """

    def read(source: Source) -> Iterable[Item]:
        letter = Mail(datetime.now(UTC), source.evidence.keep(io.BytesIO(content)))
        template = Template(source.channel, None, ())
        options = EmailSource(kind="email")
        for item in deliveries(source, options, template, letter, "contoh"):
            if not isinstance(item, Delivery) or item.fields.get("Pengirim"):
                yield item

    rows = sample_deliveries(KIND, sample, content, read=read)
    return from_messages(KIND, [str(row.get("Teks") or "") for row in rows])
