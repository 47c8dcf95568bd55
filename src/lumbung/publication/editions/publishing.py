"""Publish an approved edition: store its files in the database, then write them to a folder."""

from __future__ import annotations

from lumbung import database, lineage
from lumbung.errors import CheckpointError, PublicationError
from lumbung.publication.checks.pii import find_personal_data
from lumbung.publication.checks.stored import require_known, require_proven
from lumbung.publication.editions import approver, folder, review, signing
from lumbung.publication.formats import render
from lumbung.publication.model import store
from lumbung.settings import Settings


def publish(edition_id: str, *, settings: Settings, database_url: str) -> list[str]:
    """Publish an approved edition: sign it, store its files, then write them into a folder.

    One transaction stores the root hash, the files and the new state. The folder
    `LUMBUNG_HOME/editions/<edition_id>/` is written before that transaction ends and moved into
    place after it. If the process is killed in between, the next call restores the folder from the
    stored files. A call on a published edition only restores its folder.

    Returns:
        the paths of the artefacts.

    Raises:
        PublicationError: when the edition is not approved in person, its draft no longer renders to
            the bytes that were reviewed, because Lumbung itself has changed, or the stored files
            are not those that were signed.
        CheckpointError: when personal data is found in the files to be published.
        ServiceError: when the folder cannot be written.
        ConfigurationError: when the key that signs editions is missing.

    """
    place = settings.editions / edition_id
    edition = store.load(edition_id, database_url=database_url)
    if edition.state != "published":
        store.in_state(edition, "approved")
        if not review.is_as_reviewed(edition):
            raise PublicationError(
                "the draft no longer renders to the files that were reviewed: templates or code"
                " have changed",
                where=f"edition {edition_id}",
                remediation="freeze the week again and review the new revision",
            )
        if not approver.is_in_person(edition, settings=settings, database_url=database_url):
            raise PublicationError(
                "nobody has approved this edition in person: its approval carries no valid proof",
                where=f"edition {edition_id}, published.approval",
                remediation="find who wrote the approval; freeze the week again, and let an"
                " approver decide with the code of their phone",
            )
        files = render.render(edition)
        for name, content in files.items():
            for found in find_personal_data(name, content):
                raise CheckpointError(
                    f"{name} holds {found}",
                    where=f"edition {edition_id}",
                    remediation="find the name or reason that carries it, correct it at its"
                    " source, build and freeze again",
                )
        staged = None
        with database.connect(database_url, application="lumbung publication") as connection:
            state = store.value(
                connection,
                "select state from published.edition where edition_id = %(edition)s for update",
                {"edition": edition_id},
            )
            if state == "approved":
                require_known(connection, settings)
                files |= signing.sign(connection, edition, files, settings=settings)
                staged = folder.write_staged(place, files)
                sha256 = folder.hashes(files)
                connection.cursor().executemany(
                    "insert into published.artefact (edition_id, name, sha256, byte_count, content)"
                    " values (%s, %s, %s, %s, %s)",
                    [
                        (edition_id, name, sha256[name], len(content), content)
                        for name, content in files.items()
                    ],
                )
                store.set_state(connection, edition_id, "published")
                connection.execute(
                    "delete from ops.draft_file where edition_id = %s", (edition_id,)
                )
        if staged:  # else another process was faster
            folder.move_into_place(staged, place)
            frozen = lineage.tables(database_url, "published.edition")
            written = [lineage.Dataset("file", str(place.absolute()))]
            lineage.emit([lineage.Job("publication.publish", frozen, written)])
    stored = store.artefacts(edition_id, database_url=database_url)
    if folder.read(place) != stored:
        with database.connect(database_url, application="lumbung publication") as connection:
            require_proven(connection, settings)
        folder.move_into_place(folder.write_staged(place, stored), place)
    return [str(place / name) for name in stored]
