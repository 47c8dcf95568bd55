"""The manifest of an edition that is being published: chained to the edition before, and signed."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg

from lumbung.publication.checks.stored import FROZEN_ROWS, Hashes, stored_hashes
from lumbung.publication.edition_id import office_of
from lumbung.publication.editions import folder
from lumbung.publication.model import store
from lumbung.publication.model.edition import Edition
from lumbung.publication.proof.keys import signing_key
from lumbung.publication.proof.manifest import MANIFEST, PUBLIC_KEY, SIGNATURE, Manifest
from lumbung.publication.proof.merkle import files_root, merkle_root
from lumbung.publication.translations.formatting import iso
from lumbung.settings import Settings


def sign(
    connection: psycopg.Connection,
    edition: Edition,
    files: Mapping[str, bytes],
    *,
    settings: Settings,
) -> dict[str, bytes]:
    """Record the root of an approved edition, in the caller's transaction.

    The edition is chained to the one that its office published before it. The first one names the
    roots of those that the office published before editions were signed.

    Returns:
        the manifest, its signature and the public key, by the names of their files.

    Raises:
        ConfigurationError: when the key that signed the editions before is missing.

    """
    office = office_of(edition.edition_id)
    # One at a time: the chain of an office has no branches.
    connection.execute("select pg_advisory_xact_lock(hashtext('lumbung.edition_root'))")
    previous: tuple[str, str] | None = connection.execute(
        "select edition_id, root_hash from published.edition_root as r"
        " where published.office_of(edition_id) = %s and not exists"
        " (select from published.edition_root as n where n.previous_edition_id = r.edition_id)",
        (office,),
    ).fetchone()
    unsigned = {} if previous else _unsigned(connection, office)
    is_signed = store.value(connection, "select true from published.edition_root limit 1", {})
    key = signing_key(settings, may_create=not is_signed)
    values = {"rows": store.value(connection, _ROWS, {"edition": edition.edition_id})}
    if "data.json" in files:
        values["content"] = merkle_root(files["data.json"])
    if decision := edition.decision:
        values["draft"] = files_root(dict(decision.reviewed))
        values["approved"] = f"{decision.how} {iso(decision.decided_at)} {decision.decided_by}"
    if head := store.value(connection, _AUDIT, {}):
        values["audit"] = head
    manifest = Manifest.build(
        edition.edition_id,
        hashes=folder.hashes(files),
        previous=previous,
        unsigned={each: files_root(hashes) for each, hashes in sorted(unsigned.items())},
        values=values,
    )
    connection.execute(
        "insert into published.edition_root (edition_id, root_hash, previous_edition_id)"
        " values (%s, %s, %s)",
        (edition.edition_id, manifest.root, previous and previous[0]),
    )
    comment = f"{edition.edition_id} {manifest.root}"
    return {
        MANIFEST: manifest.content,
        SIGNATURE: key.sign(manifest.content, comment).encode(),
        PUBLIC_KEY: key.public.file_text.encode(),
    }


def _unsigned(connection: psycopg.Connection, office: str) -> Hashes:
    """Return the hashes of what an office has published when none of its editions is signed."""
    stored = stored_hashes(connection)
    return {each: hashes for each, hashes in stored.items() if office_of(each) == office}


_AUDIT = "select entry_id || ' ' || entry_hash from ops.audit_log order by entry_id desc limit 1"
_ROWS = f"select {FROZEN_ROWS} from published.edition where edition_id = %(edition)s"  # noqa: S608
