"""Splitting a delivery's fields into the public payload and the private part.

A label that the channel file does not declare counts as personal, so it is private.
"""

from __future__ import annotations

from typing import NamedTuple

from lumbung.intake.channel.labels import MAX_REMEMBERED, normalise
from lumbung.intake.channel.models import Channel
from lumbung.intake.landing.storable import storable

_MAX_CACHED = 10_000
"""Labels, and combinations of labels, that are remembered."""
_MAX_LABEL = 500
"""Characters of a label in a drift notice: an index entry holds 2,700 bytes."""


class Split(NamedTuple):
    """How a delivery with certain labels is split.

    Each pair is a label as delivered, and its spelling in the channel file. A label in neither part
    is private and keeps its spelling.

    Attributes:
        public: labels that go to the payload.
        renamed: private labels whose spelling in the channel file differs.
    """

    public: tuple[tuple[str, str], ...]
    renamed: tuple[tuple[str, str], ...]


class Splits(dict[tuple[str, ...], Split]):
    """The labels of a delivery -> their split, computed once for each combination of labels.

    Attributes:
        new_labels: labels that the channel file does not declare, since the caller last emptied it.
        seen: public labels, in the channel file's spelling, that at least one delivery had.
    """

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._declared = {**channel.private, **channel.public}
        self._public = set(channel.public.values())
        self._technical = channel.technical
        self._spellings: dict[str, str | None] = {}
        self._room = MAX_REMEMBERED
        self.new_labels: set[str] = set()
        self.seen: set[str] = set()

    def __missing__(self, labels: tuple[str, ...]) -> Split:
        # Two labels of a delivery may be one label of the channel file (`Isu`, `ISU`). The one in
        # the file's own spelling counts, else the first. The other one is private.
        sources: dict[str, str] = {}
        for label in labels:
            spelling = self._spelling(label)
            if spelling is not None and (spelling == label or spelling not in sources):
                sources[spelling] = label
        self.seen |= sources.keys() & self._public
        split = Split(
            tuple((label, name) for name, label in sources.items() if name in self._public),
            tuple(
                (label, name)
                for name, label in sources.items()
                if name not in self._public and name != label
            ),
        )
        if len(self) < _MAX_CACHED and self._has_room(sum(map(len, labels))):
            self[labels] = split
        return split

    def _spelling(self, label: str) -> str | None:
        """The channel file's spelling of a label; None: the file does not declare the label."""
        if label in self._spellings:
            return self._spellings[label]
        normalised = normalise(label)
        spelling = self._declared.get(normalised)
        if len(self._spellings) < _MAX_CACHED and self._has_room(len(label)):
            self._spellings[label] = spelling
            if spelling is None and normalised not in self._technical:
                self.new_labels.add(storable(label[:_MAX_LABEL]))
        return spelling

    def _has_room(self, size: int) -> bool:
        """Take room for so many characters, if there is any."""
        has_room = size <= self._room
        self._room -= size if has_room else 0
        return has_room
