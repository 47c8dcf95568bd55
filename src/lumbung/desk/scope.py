"""The channels that a person looks after."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from lumbung.desk.access import Person
from lumbung.desk.office import RefusedError
from lumbung.files import versions
from lumbung.intake.channel.load import read_channels
from lumbung.intake.channel.models import Channel
from lumbung.settings import Settings


@dataclass(frozen=True)
class Scope:
    """The channels that a person looks after: their owner's, their province's, or all.

    Attributes:
        files: the channels whose files are right, by the name of the file.
        is_all: whether the person also sees what channels without a file have left.

    """

    files: dict[str, Channel]
    is_all: bool

    @property
    def records(self) -> list[str] | None:
        """The names under which the channels' records are kept; None: of every channel."""
        return None if self.is_all else [channel.name for channel in self.files.values()]

    @property
    def titles(self) -> dict[str, str]:
        """What people call the channels, by the name of their records."""
        return {channel.name: channel.title for channel in self.files.values()}

    def file(self, record_name: str) -> str | None:
        """Return the name of the file of a channel, None where it has none."""
        return next((name for name, each in self.files.items() if each.name == record_name), None)

    def require(self, record_name: str) -> None:
        """Treat a channel that the person does not look after as if it did not exist."""
        if not self.is_all and record_name not in self.titles:
            raise RefusedError(404, "not_found")


def channel_files(folder: Path) -> tuple[dict[str, Channel], dict[str, list[str]]]:
    """Return what `read_channels` does, without reading files again that have not changed."""
    return _channel_files(folder, versions(folder.glob("*.y*ml")))


@lru_cache(maxsize=1)
def _channel_files(
    folder: Path, _versions: object
) -> tuple[dict[str, Channel], dict[str, list[str]]]:
    return read_channels(folder)


def titles() -> dict[str, str]:
    """Return what people call the channels that have a file, by the name of their records."""
    return {each.name: each.title for each in channel_files(Settings.load().channels)[0].values()}


def scope(who: Person) -> Scope:
    """Return the channels that a person looks after.

    Raises:
        RefusedError: when the person looks after none.

    """
    if not who.may_see_channels:
        raise RefusedError(404, "not_found")
    channels, _ = channel_files(Settings.load().channels)
    if who.sees_every_channel:
        return Scope(channels, is_all=True)
    own = {
        name: each
        for name, each in channels.items()
        if (each.province or "").startswith(who.region_prefix)
        and (who.is_steward_of_province or each.owner.email.casefold() == who.owner_address)
    }
    return Scope(own, is_all=False)
