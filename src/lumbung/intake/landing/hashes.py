"""Keyed hashes of one channel's content.

Without the vault key, nobody can find a content by hashing guesses of it. Equal contents of two
channels have different hashes.
"""

from __future__ import annotations

from lumbung.intake.vault import Vault


class ChannelHasher:
    """Hashes the content of one channel.

    Args:
        vault: holds the key.
        channel: the channel's name.
    """

    def __init__(self, vault: Vault, channel: str) -> None:
        self._state = vault.hasher(channel.encode())

    def version(self, source_id: bytes, payload: bytes, private: bytes) -> bytes:
        """The hash of a delivery's version, 16 bytes; public and private part count apart."""
        state = self._state.copy()
        state.update(b"\n%b\n%b\n%b" % (source_id, payload, private))
        return state.digest()

    def tombstone(self, source_id: str) -> bytes:
        """The hash of a tombstone, 16 bytes."""
        state = self._state.copy()
        state.update(b"\n" + source_id.encode() + b"\ntombstone")
        return state.digest()

    def short(self, content: bytes) -> int:
        """A hash of 8 bytes, as a signed number."""
        state = self._state.copy()
        state.update(b"\n\n" + content)
        return int.from_bytes(state.digest()[:8], signed=True)
