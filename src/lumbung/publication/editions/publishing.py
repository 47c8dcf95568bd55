"""An approved edition becomes public: its bytes in the database, then the same as a folder."""

from __future__ import annotations

import shutil

from lumbung import database
from lumbung.errors import CheckpointError, PublicationError
from lumbung.publication.checks.pii import find_personal_data
from lumbung.publication.editions import folder, review
from lumbung.publication.formats import render
from lumbung.publication.model import store
from lumbung.settings import Settings


def publish(edition_id: str, *, settings: Settings, database_url: str) -> list[str]:
    """Publish an approved edition: its bytes into `published.artefact`, then as a folder.

    The database decides: one transaction holds the bytes and the new state, and the folder
    `LUMBUNG_HOME/editions/<edition_id>/`, complete before that transaction, appears by one rename
    after it. Killed in between, the next call restores the folder from the stored bytes; called
    on a published edition it changes nothing else.

    Returns:
        the paths of the artefacts.

    Raises:
        PublicationError: when the edition is not approved, or its draft does not render to the
            bytes any more that were reviewed (Lumbung itself has changed meanwhile).
        CheckpointError: when personal data is found in the bytes to be published.
        ServiceError: when the folder cannot be written.

    """
    place = settings.editions / edition_id
    edition = store.load(edition_id, database_url=database_url)
    if edition.state != "published":
        store.in_state(edition, "approved")
        if not review.is_as_reviewed(edition):
            raise PublicationError(
                "the draft does not render to the files any more that were reviewed: templates or"
                " code are others now",
                where=f"edition {edition_id}",
                remediation="freeze the week again: a new revision begins, to be reviewed in its "
                "new form",
            )
        files = render.render(edition)
        for name, content in files.items():
            for found in find_personal_data(name, content):
                raise CheckpointError(
                    f"{name} holds {found}",
                    where=f"edition {edition_id}",
                    remediation="find the name or reason that carries it, correct it at its "
                    "source, "
                    "build and freeze again",
                )
        beside = folder.write_beside(place, files)
        with database.connect(database_url, application="lumbung publication") as connection:
            state = store.value(
                connection,
                "select state from published.edition where edition_id = %(edition)s for update",
                {"edition": edition_id},
            )
            if state == "approved":
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
        if state == "approved":
            folder.reveal(beside, place)
        else:  # another process was faster
            shutil.rmtree(beside, ignore_errors=True)
    stored = store.artefacts(edition_id, database_url=database_url)
    if folder.read(place) != stored:
        folder.reveal(folder.write_beside(place, stored), place)
    return [str(place / name) for name in stored]
