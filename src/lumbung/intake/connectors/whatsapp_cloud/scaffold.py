"""What a sample lets propose for a channel of kind `whatsapp_cloud`."""

from __future__ import annotations

import base64
from contextlib import suppress

import orjson

from lumbung.intake.connectors.shared.proposal import ROWS, Proposal, unusable
from lumbung.intake.connectors.shared.sample_deliveries import from_messages
from lumbung.intake.connectors.whatsapp_cloud import KIND


def propose(sample: str, content: bytes) -> Proposal:
    """The template that most of the messages follow.

    Raises:
        SourceError: when the sample is not what the kind reads.
    """
    texts = [each for line in content.splitlines() for each in _bodies(line)]
    if not texts:
        texts = _bodies(content)
    if not texts:
        raise unusable(sample, "holds no message with a text")
    return from_messages(KIND, texts[:ROWS])


def _bodies(content: bytes | str) -> list[str]:
    """Texts of messages in a webhook's request, also within an archived line."""
    try:
        parts = [orjson.loads(content)]
    except orjson.JSONDecodeError:
        return []
    texts: list[str] = []
    for part in parts:
        if isinstance(part, dict):
            text = part.get("text")
            if isinstance(text, dict) and isinstance(text.get("body"), str):
                texts.append(text["body"])
            if isinstance(part.get("body_base64"), str):
                with suppress(ValueError):
                    texts += _bodies(base64.b64decode(part["body_base64"]))
            parts += part.values()
        elif isinstance(part, list):
            parts += part
        elif isinstance(part, str) and part.startswith("{"):
            texts += _bodies(part)
    return texts
