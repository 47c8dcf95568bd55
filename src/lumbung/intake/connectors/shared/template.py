"""Messages of chats and mails that follow a template which the office has published.

A template is a marker (`ADUAN`) in the first line, if the channel has one, and then one line
`Label: value` for each label. The labels are those of the channel file.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from lumbung.intake.channel.labels import normalise
from lumbung.intake.channel.models import Channel


class ParsedMessage(NamedTuple):
    """A message, parsed by the template.

    Attributes:
        shown: the text without personal lines.
        values: label -> value.
        is_followed: whether the message follows the template: a label has a value, or there is
            text between the marker and the first label.
    """

    shown: str
    values: dict[str, str]
    is_followed: bool


class Template:
    """The labels that a message of a channel may carry.

    Args:
        channel: its public and personal labels are recognised.
        marker: the first line of a message that follows the template; None if there is no marker.
        own: labels that the connector creates; a message cannot set them.
    """

    def __init__(self, channel: Channel, marker: str | None, own: Collection[str]) -> None:
        self._marker = None if marker is None else normalise(marker)
        made = {normalise(label) for label in own}
        self._public = {k: v for k, v in channel.public.items() if k not in made}
        self._private = {k: v for k, v in channel.private.items() if k not in made}

    def read(self, text: str) -> ParsedMessage:
        """Parse a message; a line without a known label continues the value before it."""
        lines = text.split("\n")
        if self._marker is not None:
            if normalise(lines[0].strip(" *_:")) != self._marker:
                return ParsedMessage(text, {}, False)
            lines = lines[1:]
        parts: dict[str, list[str]] = {}
        personal: set[str] = set()
        current: str | None = None
        is_followed = is_personal = False
        for line in lines:
            label, colon, value = line.partition(":")
            plain = normalise(label.strip(" *_-"))
            if colon and plain in self._private:
                current, is_personal = self._private[plain], True
            elif colon and plain in self._public:
                current, is_personal = self._public[plain], False
            else:
                value = line
            if current is None:
                is_followed |= self._marker is not None and bool(line.strip())
                continue
            parts.setdefault(current, []).append(value)
            if is_personal:
                personal.add(line)
        shown = "\n".join(line for line in text.split("\n") if line not in personal)
        filled = {label: "\n".join(lines).strip() for label, lines in parts.items()}
        values = {label: value for label, value in filled.items() if value}
        return ParsedMessage(shown, values, is_followed or bool(values))
