"""The options of a channel of kind `email`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, PrivateAttr

from lumbung.intake.channel.types import Labels, Place
from lumbung.intake.connectors.base import SourceConfig, SourceConnection
from lumbung.intake.connectors.register.config import RegisterSource

if TYPE_CHECKING:
    from lumbung.intake.channel.models import Channel

SPREADSHEETS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".csv")
"""Suffixes of attachments that may be handed to a register channel."""


class EmailSource(SourceConfig):
    """Folders of a mailbox, read over IMAP.

    Attributes:
        folders: the mailbox's folders, as a mail program names them.
        marker: the first line of a mail that follows the pinned template, e.g. `ADUAN`.
        spreadsheets_to: the register channel into whose inbox attached spreadsheets go.
        spreadsheets_from: the senders of such spreadsheets: addresses, or `@host` for a whole host.
    """

    kind: Literal["email"]
    folders: Labels = Field(default=("INBOX",), min_length=1)
    marker: str | None = None
    spreadsheets_to: str | None = None
    spreadsheets_from: Labels = ()
    _taken: str = PrivateAttr("*")

    @property
    def taken(self) -> str:
        """The files that the register channel reads (a glob)."""
        return self._taken

    def feed(self, register: RegisterSource) -> str | None:
        """Learn which files the register channel reads; returns what prevents the hand-over."""
        self._taken = register.files
        name = Path(re.sub(r"\[(.)[^\[\]]*\]", r"\1", register.files)).stem
        name = name.replace("*", "x").replace("?", "x")
        if not any(self.takes(f"{name}{suffix}") for suffix in SPREADSHEETS):
            return f"takes only {register.files!r}, which no spreadsheet is; widen its source.files"
        return None

    def takes(self, name: str) -> bool:
        """Whether the register channel reads a file of this name."""
        return fnmatch(name.casefold(), self._taken.casefold())

    def place(self, connection: SourceConnection) -> str:
        """Each account is a mailbox of its own."""
        return f"{connection.place} {(connection.login or '').casefold()}"

    def overlaps(self, other: SourceConfig) -> bool:
        """One folder of the mailbox."""
        return isinstance(other, EmailSource) and not {*map(str.casefold, self.folders)}.isdisjoint(
            map(str.casefold, other.folders)
        )

    def contradictions(self, key: Collection[str]) -> Iterator[tuple[Place, str]]:
        """A missing `spreadsheets_from`: the mailbox would accept spreadsheets from anybody."""
        if self.spreadsheets_to and not self.spreadsheets_from:
            remediation = "add spreadsheets_from, or anybody's mail feeds the register"
            yield ("spreadsheets_to",), f"whose spreadsheets it takes is not said; {remediation}"

    def contradictions_among(
        self, channels: Mapping[str, Channel], mistaken: Collection[str]
    ) -> Iterator[tuple[Place, str]]:
        """What is wrong with the channel in `spreadsheets_to`; learns which files it reads."""
        name = self.spreadsheets_to
        if not name:
            return
        place = ("spreadsheets_to",)
        target = channels.get(name)
        if target is None and name in mistaken:
            yield place, f"{name!r} has mistakes of its own; correct {name}.yaml"
        elif target is None or not isinstance(target.source, RegisterSource):
            remediation = "write the name of one that can be read"
            yield place, f"{name!r} is no register channel; {remediation}"
        elif target.connection is not None:
            yield (
                place,
                f"{name!r} reads the folder of its connection, not its inbox; remove its"
                " connection, or name a channel without one",
            )
        elif target.name != name:
            yield place, f"the inbox of {name!r} is {target.name!r}; write that"
        elif wrong := self.feed(target.source):
            yield place, f"{name!r} {wrong}"
