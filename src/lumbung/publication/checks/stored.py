"""Whether the published editions in the database are those that were signed."""

from __future__ import annotations

from pathlib import Path

import psycopg

from lumbung.errors import PublicationError
from lumbung.publication.proof.keys import key_file, trusted_keys
from lumbung.publication.proof.manifest import MANIFEST, PROOF_FILES, SIGNATURE, Manifest
from lumbung.publication.proof.merkle import files_root
from lumbung.publication.proof.minisign import PublicKey, key_of
from lumbung.publication.proof.verify import EDITION
from lumbung.settings import Settings

Hashes = dict[str, dict[str, str]]


def stored_hashes(connection: psycopg.Connection) -> Hashes:
    """Return the SHA-256 (hex) of each stored file, by published edition and name."""
    found: Hashes = {}
    # of the bytes themselves: the column `sha256` may have been changed with them
    for edition_id, name, sha256 in connection.execute(
        "select edition_id, name, encode(sha256(content), 'hex') from published.artefact"
        " join published.edition using (edition_id) where state = 'published'"
    ):
        found.setdefault(edition_id, {})[name] = sha256
    return found


def require_known(connection: psycopg.Connection, settings: Settings) -> None:
    """Require that every edition in the folders of this installation is published in the database.

    After a restore of an older database it is not: the same edition would be published a second
    time, with other numbers. Folders are those of the editions and of the portal.

    Raises:
        PublicationError: when the database does not know an edition, or knows another one.

    """
    known: dict[str, str | None] = dict(
        connection.execute(
            "select e.edition_id, r.root_hash from published.edition as e"
            " left join published.edition_root as r using (edition_id) where e.state = 'published'"
        ).fetchall()
    )
    keys = trusted_keys(settings)
    for folder in (settings.editions, settings.portal / "edisi"):
        for place in sorted(folder.glob("*")):
            if not EDITION.fullmatch(place.name):
                continue
            if place.name not in known:
                raise _elsewhere(place, "is published, and the database does not know it")
            root = _signed_root(place, keys)
            if root and root != known[place.name]:
                raise _elsewhere(place, "is another edition than the one in the database")


def _signed_root(place: Path, keys: list[PublicKey]) -> str | None:
    """Return the root of an edition in a folder, None where it is not signed or was damaged."""
    try:
        content, signature = (place / MANIFEST).read_bytes(), (place / SIGNATURE).read_text()
        key = key_of(signature, keys)
        if key is None:
            return None
        key.verify(content, signature, str(place))
        return Manifest(content, str(place)).root
    except (OSError, ValueError, PublicationError):
        return None


def _elsewhere(place: Path, what: str) -> PublicationError:
    return PublicationError(
        f"{place.name} {what}",
        where=str(place),
        remediation="restore a backup of the database that was made after its publication; without"
        " one, see docs/how-to/runbooks/publication.md, 'The database is older than an edition'",
    )


def require_proven(connection: psycopg.Connection, settings: Settings) -> None:
    """Require that every published edition in the database is the one that was signed.

    Compared are the stored files, the hashes of the frozen rows and the chain of roots. An edition
    that was published before editions were signed is held against the root that the first signed
    edition names; as long as there is none, there is nothing to hold it against.

    Raises:
        PublicationError: when an edition is another one, or is missing; or as `require_known`.

    """
    roots: dict[str, tuple[str, str | None]] = {
        edition_id: (root, previous)
        for edition_id, root, previous in connection.execute(
            "select edition_id, r.root_hash, r.previous_edition_id from published.edition_root as r"
            " join published.edition using (edition_id) where state = 'published'"
        )
    }
    if roots:
        _require_signed(connection, roots, settings)
    require_known(connection, settings)


def _require_signed(
    connection: psycopg.Connection, roots: dict[str, tuple[str, str | None]], settings: Settings
) -> None:
    stored = stored_hashes(connection)
    rows: dict[str, str] = dict(
        connection.execute(f"select edition_id, {FROZEN_ROWS} from published.edition").fetchall()  # noqa: S608
    )
    keys = trusted_keys(settings)
    unsigned: dict[str, str] = {}
    for edition_id in roots:
        manifest = _signed_manifest(connection, edition_id, keys, settings)
        unsigned |= manifest.unsigned
        before = roots[edition_id][1]
        # one that is no longer published has no root here
        previous = (before, roots.get(before, ("",))[0]) if before else None
        for holds, what in (
            (manifest.edition_id == edition_id, f"its manifest is of {manifest.edition_id}"),
            (manifest.root == roots[edition_id][0], "its root is not that of its manifest"),
            (manifest.value("rows") == rows[edition_id], "its frozen rows were changed"),
            (
                manifest.previous == previous,
                f"it follows {' '.join(manifest.previous or ('no edition',))}, which is not the"
                " edition before it here",
            ),
            *_files(manifest, stored[edition_id]),
        ):
            if not holds:
                raise _changed(edition_id, what)
    for edition_id in stored.keys() - roots.keys():
        if unsigned.get(edition_id) != files_root(stored[edition_id]):
            raise _changed(edition_id, "it is not signed, and no signed edition names its root")
    if missing := unsigned.keys() - stored.keys():
        raise _changed(min(missing), "the first signed edition names it, and it is missing")


FROZEN_ROWS = "content_hash || ' ' || record_hash || ' ' || restatement_hash"
"""An SQL expression over `published.edition`: the header `rows` of a manifest."""


def _files(manifest: Manifest, stored: dict[str, str]) -> list[tuple[bool, str]]:
    stored = {name: sha256 for name, sha256 in stored.items() if name not in PROOF_FILES}
    return [
        (stored.get(name) == manifest.files.get(name), f"{name} is not the file that was signed")
        for name in sorted(stored.keys() | manifest.files.keys())
    ]


def _signed_manifest(
    connection: psycopg.Connection, edition_id: str, keys: list[PublicKey], settings: Settings
) -> Manifest:
    found: dict[str, bytes] = dict(
        connection.execute(
            "select name, content from published.artefact"
            " where edition_id = %s and name = any (%s)",
            (edition_id, [MANIFEST, SIGNATURE]),
        ).fetchall()
    )
    if found.keys() != {MANIFEST, SIGNATURE}:
        raise _changed(edition_id, "its signature is missing")
    signature = found[SIGNATURE].decode(errors="replace")
    key = key_of(signature, keys)
    if key is None:
        raise PublicationError(
            "the edition is signed with a key that this installation does not trust",
            where=f"edition {edition_id}",
            remediation=f"if the key is the office's own, copy its minisign.pub to"
            f" {key_file(settings).parent}; if not, find who wrote to schema published",
        )
    key.verify(found[MANIFEST], signature, f"edition {edition_id}, {SIGNATURE}")
    return Manifest(found[MANIFEST], f"edition {edition_id}, {MANIFEST}")


def _changed(edition_id: str, what: str) -> PublicationError:
    return PublicationError(
        f"the edition is not the one that was published: {what}",
        where=f"edition {edition_id}, schema published",
        remediation="find who wrote to schema published, and restore the database from a backup",
    )
