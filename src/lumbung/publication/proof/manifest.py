"""The file `SHA256SUMS` of an edition: its files by hash, and what the edition is bound to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

from lumbung.errors import PublicationError
from lumbung.publication.proof.merkle import file_lines, merkle_root

MANIFEST, SIGNATURE, PUBLIC_KEY = "SHA256SUMS", "SHA256SUMS.minisig", "minisign.pub"
PROOF_FILES = (MANIFEST, SIGNATURE, PUBLIC_KEY)
"""The files of an edition that prove the others; the manifest does not list them."""

_FIRST = "# lumbung edition, format "
_HEADER = re.compile(r"# ([a-z-]+): (.*)")
_FILE = re.compile(r"([0-9a-f]{64})  (.+)")


class Manifest:
    """A manifest as it was written.

    Args:
        content: the bytes of `SHA256SUMS`.
        where: what an error names as its place.

    Raises:
        PublicationError: when it is of a later format, or no manifest.

    """

    def __init__(self, content: bytes, where: str = MANIFEST) -> None:
        self.content = content
        first, *lines = content.decode(errors="replace").splitlines() or [""]
        if first != f"{_FIRST}1":
            raise PublicationError(
                "a later version of Lumbung wrote this edition"
                if first.startswith(_FIRST)
                else "this is no manifest of an edition",
                where=where,
                remediation="install the newest version of Lumbung, then verify again",
            )
        headers = [match.groups() for line in lines if (match := _HEADER.fullmatch(line))]
        self._values: dict[str, str] = {key: value for key, value in headers if key != "unsigned"}
        self.unsigned: dict[str, str] = {
            value.partition(" ")[0]: value.partition(" ")[2]
            for key, value in headers
            if key == "unsigned"
        }
        """Root by edition of those that were published before editions were signed."""
        self.files: dict[str, str] = {
            match[2]: match[1] for line in lines if (match := _FILE.fullmatch(line))
        }
        """SHA-256 (hex) by the file's name."""

    @classmethod
    def build(
        cls,
        edition_id: str,
        *,
        hashes: Mapping[str, str],
        previous: tuple[str, str] | None,
        unsigned: Mapping[str, str],
        values: Mapping[str, str],
    ) -> Manifest:
        """Make the manifest of an edition.

        Args:
            edition_id: the edition.
            hashes: SHA-256 (hex) of each file by its name.
            previous: the edition that was published before it, and its root; None: it is the first.
            unsigned: root by edition, see the attribute.
            values: further headers.

        """
        headers = [("edition", edition_id), ("previous", " ".join(previous or ("none",)))]
        headers += [("unsigned", f"{key} {root}") for key, root in unsigned.items()]
        headers += [(key, " ".join(value.split())) for key, value in values.items()]
        lines = [f"{_FIRST}1", *(f"# {key}: {value}" for key, value in headers)]
        return cls("".join(f"{line}\n" for line in [*lines, *file_lines(hashes)]).encode())

    @cached_property
    def root(self) -> str:
        """The root hash of the edition: the Merkle tree hash of the manifest's lines."""
        return merkle_root(self.content)

    @property
    def edition_id(self) -> str:
        """The edition."""
        return self.value("edition")

    @property
    def previous(self) -> tuple[str, str] | None:
        """The edition that was published before this one and its root; None: it is the first."""
        edition_id, _, root = self.value("previous").partition(" ")
        return (edition_id, root) if root else None

    def value(self, key: str) -> str:
        """Return a header's value, empty without one."""
        return self._values.get(key, "")
