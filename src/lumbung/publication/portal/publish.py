"""Build the portal from the published editions and replace the former site at once.

`site` makes the pages; `build` writes them and the stored artefacts to a new folder, then points
the portal's symbolic link to it by one rename.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg

from lumbung import database
from lumbung.errors import CheckpointError, LumbungError, ServiceError
from lumbung.publication.checks.pii import find_personal_data, personal_kinds
from lumbung.publication.checks.stored import require_proven
from lumbung.publication.formats import maps
from lumbung.publication.model.store import load
from lumbung.publication.office import ReportingChannel
from lumbung.publication.portal.pages import QUOTED, site
from lumbung.publication.portal.published import Published, StoredFile
from lumbung.publication.portal.site import REPORT
from lumbung.settings import Settings


def build(*, settings: Settings, database_url: str) -> Path:
    """Write the site of an office's published editions and publish it; return `settings.portal`.

    Of the installation's own office that path is a symbolic link to `LUMBUNG_HOME/portals/current`,
    which is a link to the newest folder beside it, so a reader sees either the former site or the
    new one, and a web server needs the folder `portals` alone. There `offices/76/current` is the
    site of another office. The former site is kept until the next build for readers who have
    opened it. When a build is killed, the next one removes what it left.

    Raises:
        PublicationError: when an edition was changed after its freeze.
        ConfigurationError: when the office's boundary file cannot be read.
        CheckpointError: when a page seems to hold personal data; the former site stays.
        ServiceError: when the folder cannot be written.

    """
    store = settings.portals
    staged = store / ".new"
    with database.connect(database_url, application="lumbung portal") as connection:
        # One build at a time, from reading to renaming, so that no older site replaces a newer one.
        connection.execute("select pg_advisory_xact_lock(hashtext('lumbung portal'))")
        require_proven(connection, settings)
        published = _published(connection, settings.office, database_url)
        polygons = maps.polygons(settings, published[-1].edition.office) if published else {}
        pages = site(published, polygons, now=database.now(connection))
        refuse_personal_data(pages, published[-1].edition.office.reporting if published else ())
        try:
            shutil.rmtree(staged, ignore_errors=True)
            for name, content in pages.items():
                _write(staged / name, content)
            for one in published:
                for file in one.files:
                    _write(
                        staged / "edisi" / one.edition.edition_id / file.name,
                        _stored(connection, one.edition.edition_id, file.name),
                    )
            _make_readable(settings, staged)
            _swap(settings.portal, store, staged)
        except OSError as error:
            raise ServiceError(
                f"the portal cannot be written: {error.strerror}",
                where=str(error.filename or store),
                remediation="free space or correct the permissions, then run 'lumbung portal'",
            ) from error
    return settings.portal


def build_all(*, settings: Settings, database_url: str) -> list[Path]:
    """Build the portal of every office; return the sites, the installation's own first.

    Raises:
        LumbungError: as `build`, of the first office of which it failed, after those of the others.

    """
    built, failed = [], None
    for office in settings.offices:
        try:
            built.append(build(settings=office, database_url=database_url))
        except LumbungError as error:
            failed = failed or error
    if failed:
        raise failed
    return built


def refuse_personal_data(
    pages: Mapping[str, bytes], reporting: Sequence[ReportingChannel] = ()
) -> None:
    """Raise a CheckpointError when a page seems to hold personal data.

    Args:
        pages: the portal's pages by path.
        reporting: how citizens can report; the phone numbers and addresses that the office gives
            there are its own, on the page about it.

    """
    from markupsafe import escape

    texts = {text for each in reporting for text in (each.name, each.text, each.text_en, each.url)}
    # as Jinja writes them; the longest first, as one may be a part of another
    own = sorted(
        (escape(text).encode() for text in texts if text and personal_kinds(text)),
        key=len,
        reverse=True,
    )
    for name, content in pages.items():
        if not name.endswith((".html", ".json", ".csv", ".txt")):
            continue
        if name.rsplit("/", 1)[-1] == REPORT[1]:
            for text in own:
                content = content.replace(text, b" ")
        for found in find_personal_data(name, content):
            raise CheckpointError(
                f"{name} holds {found}",
                where="portal",
                remediation="find the name or reason that carries it and correct it at its source",
            )


def _published(connection: psycopg.Connection, office: str, database_url: str) -> list[Published]:
    """Return every published edition of an office, by week and revision."""
    files: dict[str, list[StoredFile]] = {}
    quoted: dict[str, dict[str, bytes]] = {}
    for edition_id, name, size, sha256, content in connection.execute(
        "select edition_id, name, byte_count, sha256,"
        " case when name = any (%s) then content end"
        " from published.artefact join published.edition using (edition_id)"
        " where office_code = %s and state = 'published'"
        ' order by week_id, revision, name collate "C"',
        (list(QUOTED), office),
    ):
        files.setdefault(edition_id, []).append(StoredFile(name, size, sha256))
        quoted.setdefault(edition_id, {})
        if content is not None:
            quoted[edition_id][name] = content
    return [
        Published(load(edition_id, database_url=database_url), tuple(found), quoted[edition_id])
        for edition_id, found in files.items()
    ]


def _stored(connection: psycopg.Connection, edition_id: str, name: str) -> bytes:
    row = connection.execute(
        "select content from published.artefact where edition_id = %s and name = %s",
        (edition_id, name),
    ).fetchone()
    return row[0] if row else b""


def _write(path: Path, content: bytes) -> None:
    """Write and fsync a file, so that the new site is complete even after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _make_readable(settings: Settings, site: Path) -> None:
    """Let a web server of another account read a site, whatever the umask is."""
    above = [path for path in site.parents if path.is_relative_to(settings.at_office("").portals)]
    for path in (*above, site, *site.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _point(link: Path, target: str) -> None:
    """Make or replace a symbolic link."""
    draft = link.with_name(f".{link.name}")
    draft.unlink(missing_ok=True)
    draft.symlink_to(target)
    draft.replace(link)


def _swap(link: Path, store: Path, staged: Path) -> None:
    """Number the new site, point the links to it, and delete all but the former site."""
    current = store / "current"
    numbers = sorted(int(folder.name) for folder in store.glob("[0-9]*"))
    number = numbers[-1] + 1 if numbers else 1
    before = current.readlink().name if current.is_symlink() else ""
    staged.rename(store / str(number))
    _point(current, str(number))
    if link != current and (not link.is_symlink() or link.readlink() != Path("portals/current")):
        _point(link, "portals/current")
    for old in numbers:
        if str(old) != before:
            shutil.rmtree(store / str(old), ignore_errors=True)
