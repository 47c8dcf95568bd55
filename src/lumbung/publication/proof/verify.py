"""Verify published editions from their files: a folder, or the address of an edition."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx

from lumbung.errors import LumbungError, PublicationError, ServiceError
from lumbung.publication.edition_id import PATTERN, office_of
from lumbung.publication.proof.manifest import (
    MANIFEST,
    PROOF_FILES,
    PUBLIC_KEY,
    SIGNATURE,
    Manifest,
)
from lumbung.publication.proof.merkle import files_root, merkle_root
from lumbung.publication.proof.minisign import PublicKey, key_of

EDITION = re.compile(PATTERN)
PORTAL_PAGE = "index.html"
"""The page of the portal that lies beside an edition's files there; not part of the edition."""
TIMEOUT_SECONDS = 60


class Source(Protocol):
    """Where the files of an edition are."""

    place: str
    edition_id: str

    def read(self, name: str) -> bytes | None:
        """Return a file, None without one."""

    def names(self) -> set[str] | None:
        """Return the names of all files, None where they cannot be listed."""

    def beside(self, edition_id: str) -> Source:
        """Return where another edition would be."""


class Folder:
    """An edition in a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.place = str(path)
        self.edition_id = path.resolve().name

    def read(self, name: str) -> bytes | None:
        """Return a file of the folder."""
        path = self.path / name
        return path.read_bytes() if path.is_file() else None

    def names(self) -> set[str] | None:
        """Return the files of the folder and of those in it."""
        files = [file for file in self.path.rglob("*") if not file.is_dir()]
        return {file.relative_to(self.path).as_posix() for file in files}

    def beside(self, edition_id: str) -> Folder:
        """Return the folder beside this one."""
        return Folder(self.path.resolve().parent / edition_id)


class Site:
    """An edition on a portal, by the address of its folder or page there."""

    def __init__(self, url: str) -> None:
        self.place = url.removesuffix(PORTAL_PAGE).rstrip("/")
        self.edition_id = self.place.rpartition("/")[2]

    def read(self, name: str) -> bytes | None:
        """Fetch a file."""
        address = f"{self.place}/{name}"
        try:
            answer = httpx.get(address, timeout=TIMEOUT_SECONDS, follow_redirects=True)
            if answer.status_code in (404, 410):
                return None
            return answer.raise_for_status().content
        except httpx.HTTPError as error:
            raise ServiceError(
                f"the file cannot be fetched: {error}",
                where=address,
                remediation="check the address and the connection, then verify again",
            ) from error

    def names(self) -> set[str] | None:
        """Return None: a web server lists nothing."""
        return None

    def beside(self, edition_id: str) -> Site:
        """Return the address beside this one."""
        return Site(f"{self.place.rpartition('/')[0]}/{edition_id}")


@dataclass
class Proof:
    """What a verification found.

    Attributes:
        edition_id: the edition.
        root: its root hash.
        key: the public key that signed it.
        file_count: how many files the signature covers.
        previous: the edition before it, with its root; None: it is the first.
        problems: each difference, as a sentence without a final period.
        notes: what could not be compared.

    """

    edition_id: str
    root: str = ""
    key: str = ""
    file_count: int = 0
    previous: tuple[str, str] | None = None
    unsigned: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def verify(source: Source, trusted: Collection[PublicKey]) -> Proof:
    """Verify one edition: signature, every file, and the root of the edition before it.

    Args:
        source: where its files are.
        trusted: the office's public keys; empty: the key beside the files, which proves only that
            the files belong together until a person has compared that key.

    """
    proof = Proof(source.edition_id)
    try:
        manifest = _signed(source, trusted, proof)
    except LumbungError as error:
        if isinstance(error, ServiceError):
            raise
        proof.problems.append(error.what)
        return proof
    proof.root, proof.file_count = manifest.root, len(manifest.files)
    proof.previous, proof.unsigned = manifest.previous, manifest.unsigned
    if EDITION.fullmatch(source.edition_id) and source.edition_id != manifest.edition_id:
        proof.problems.append(f"these are the files of {manifest.edition_id}")
    proof.edition_id = manifest.edition_id
    _compare_files(source, manifest, proof)
    if manifest.previous:
        _compare_previous(source, manifest.previous, proof)
    return proof


def verify_all(folder: Path, trusted: Collection[PublicKey]) -> list[Proof]:
    """Verify every edition in a folder, and that the chain of each office has no gap or branch.

    Raises:
        PublicationError: when no edition is in it.

    """
    folders = sorted(path for path in folder.iterdir() if EDITION.fullmatch(path.name))
    if not folders:
        raise PublicationError(
            "no edition is in this folder",
            where=str(folder),
            remediation="give the folder of an edition, or one that has such folders",
        )
    signed = [path for path in folders if (path / MANIFEST).exists()]
    proofs = {path.name: verify(Folder(path), trusted) for path in signed}
    successors: dict[tuple[str, str], str] = {}
    for proof in proofs.values():
        before = proof.previous[0] if proof.previous else ""
        place = office_of(proof.edition_id), before
        if before and before not in proofs:
            proof.problems.append(f"the edition before it, {before}, is missing")
        if proof.root and place in successors:
            proof.problems.append(
                f"it follows {before or 'no edition'}, and so does {successors[place]}"
            )
        successors.setdefault(place, proof.edition_id)
        if before:  # it is compared above
            proof.notes = [note for note in proof.notes if before not in note]
    vouched = {key: root for proof in proofs.values() for key, root in proof.unsigned.items()}
    for path in folders:
        if path not in signed:
            proofs[path.name] = _unsigned(Folder(path), vouched)
    for edition_id in sorted(vouched.keys() - proofs.keys()):
        proofs[edition_id] = Proof(edition_id, problems=["the edition is missing"])
    return [proofs[edition_id] for edition_id in sorted(proofs)]


def _signed(source: Source, trusted: Collection[PublicKey], proof: Proof) -> Manifest:
    """Return the manifest after its signature was verified."""
    content, signature = source.read(MANIFEST), source.read(SIGNATURE)
    if content is None or signature is None:
        missing = MANIFEST if content is None else SIGNATURE
        raise PublicationError(
            f"it is not signed: {missing} is missing", where=source.place, remediation=""
        )
    keys = list(trusted)
    if not keys:
        beside = source.read(PUBLIC_KEY)
        if beside is None:
            raise PublicationError(
                f"{PUBLIC_KEY} is missing, and no key was given with --key",
                where=source.place,
                remediation="",
            )
        keys = [PublicKey.parse(beside.decode(errors="replace"), f"{source.place}/{PUBLIC_KEY}")]
    text = signature.decode(errors="replace")
    key = key_of(text, keys) or keys[0]
    key.verify(content, text, f"{source.place}/{SIGNATURE}")
    proof.key = str(key)
    return Manifest(content, f"{source.place}/{MANIFEST}")


def _compare_files(source: Source, manifest: Manifest, proof: Proof) -> None:
    for name, expected in manifest.files.items():
        is_inside = not name.startswith("/") and ".." not in name.split("/")
        content = source.read(name) if is_inside else None
        if content is None:
            proof.problems.append(f"{name} is missing")
        elif hashlib.sha256(content).hexdigest() != expected:
            proof.problems.append(f"{name} is not the file that was signed")
        elif name == "data.json" and merkle_root(content) != manifest.value("content"):
            proof.problems.append(f"{name} has another root than the manifest and the PDF name")
    known = {*manifest.files, *PROOF_FILES, PORTAL_PAGE}
    for name in sorted((source.names() or set()) - known):
        proof.problems.append(f"{name} is not part of the edition")
    if source.read(PORTAL_PAGE) is not None:
        proof.notes.append(
            f"{PORTAL_PAGE} is a page of the portal, which no signature covers: read the numbers in"
            " the edition's own files"
        )


def _compare_previous(source: Source, previous: tuple[str, str], proof: Proof) -> None:
    edition_id, root = previous
    content = source.beside(edition_id).read(MANIFEST)
    if content is None:
        proof.notes.append(f"{edition_id}, the edition before it, is not here: root {root}")
    elif merkle_root(content) != root:
        proof.problems.append(f"it follows another {edition_id} than the one beside it")


def _unsigned(source: Folder, vouched: dict[str, str]) -> Proof:
    """Verify an edition that was published before editions were signed."""
    proof = Proof(source.edition_id)
    names = (source.names() or set()) - {PORTAL_PAGE}
    hashes = {name: hashlib.sha256(source.read(name) or b"").hexdigest() for name in names}
    proof.file_count, proof.root = len(names), files_root(hashes)
    if source.edition_id not in vouched:
        proof.problems.append("it is not signed, and no signed edition names its root")
    elif vouched[source.edition_id] != proof.root:
        proof.problems.append("its files are not those whose root the first signed edition names")
    else:
        proof.notes.append("published before editions were signed; the first signed one names it")
    return proof
