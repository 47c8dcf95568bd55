"""Messages that follow a template that an office pinned, as chats and mails hold them.

A template is a marker (`ADUAN`) in the first line, if the channel has one, and then one label a
line, `Label: value`. Labels are those of the channel's file.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from lumbung.intake.channel.labels import normalise
from lumbung.intake.channel.models import Channel


class Reading(NamedTuple):
    """What a template's eye sees in a message.

    Attributes:
        shown: the text without personal lines.
        values: label -> value.
        is_followed: whether the message is one of the template: a label has a value or, below the
            marker, something is written before the first label.
    """

    shown: str
    values: dict[str, str]
    is_followed: bool


class Template:
    """The labels that a message of a channel may carry.

    Args:
        channel: its public and personal labels are looked for.
        marker: the first line of a message that follows the template; None: there is none.
        own: labels that the connector makes itself; a message cannot set them.
    """

    def __init__(self, channel: Channel, marker: str | None, own: Collection[str]) -> None:
        self._marker = None if marker is None else normalise(marker)
        made = {normalise(label) for label in own}
        self._public = {k: v for k, v in channel.public.items() if k not in made}
        self._private = {k: v for k, v in channel.private.items() if k not in made}

    def read(self, text: str) -> Reading:
        """A message's values; a line without a known label goes on with the value before it."""
        lines = text.split("\n")
        if self._marker is not None:
            if normalise(lines[0].strip(" *_:")) != self._marker:
                return Reading(text, {}, False)
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
        return Reading(shown, values, is_followed or bool(values))
