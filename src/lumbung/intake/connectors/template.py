"""Messages that follow a template that an office pinned, as chats and mails hold them.

A template is a marker (`ADUAN`) in the first line, if the channel has one, and then one label a
line, `Label: value`. Labels are those of the channel's file.
"""

from __future__ import annotations

from collections.abc import Collection

from lumbung.intake.contract import Channel, normalise


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

    def read(self, text: str) -> tuple[str, dict[str, str]]:
        """The text without personal lines, and label -> value; none if it is not followed.

        A line without a known label goes on with the value before it.
        """
        lines = text.split("\n")
        if self._marker is not None:
            if normalise(lines[0].strip(" *_:")) != self._marker:
                return text, {}
            lines = lines[1:]
        values: dict[str, list[str]] = {}
        personal: list[str] = []
        current: str | None = None
        for line in lines:
            label, colon, value = line.partition(":")
            plain = normalise(label.strip(" *_-"))
            if colon and plain in self._private:
                current = self._private[plain]
            elif colon and plain in self._public:
                current = self._public[plain]
            else:
                value = line
            if current is None:
                continue
            values.setdefault(current, []).append(value)
            if current in self._private.values():
                personal.append(line)
        shown = "\n".join(line for line in text.split("\n") if line not in personal)
        filled = {label: "\n".join(parts).strip() for label, parts in values.items()}
        return shown, {label: value for label, value in filled.items() if value}
