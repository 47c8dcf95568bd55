"""Publishing killed before every single line of it: the old state or the new one, never between."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from lumbung.local.postgres import EmbeddedPostgres
from lumbung.publication.editions import freezing, publishing, review
from lumbung.publication.formats import render
from lumbung.publication.proof.keys import trusted_keys
from lumbung.publication.proof.manifest import PROOF_FILES
from lumbung.publication.proof.verify import Folder, verify
from lumbung.settings import Settings
from tests.publication.conftest import Metrics, copy_of
from tests.support.edition_sample import WEEK, pass_checkpoint
from tests.support.homes import demo_home

pytestmark = pytest.mark.slow


@pytest.fixture
def publisher() -> Iterator[subprocess.Popen[str]]:
    """The process that publishes and is killed."""
    with subprocess.Popen(
        [sys.executable, Path(__file__).parents[1] / "support" / "killed_publication.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        assert process.stdin
        process.stdin.close()


def state(url: str, edition_id: str) -> tuple[str, dict[str, bytes]]:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select state from published.edition where edition_id = %s", (edition_id,)
        ).fetchone()
        assert row
        stored = connection.execute("select name, content from published.artefact").fetchall()
    return row[0], dict(stored)


def content_of(stored: dict[str, bytes]) -> dict[str, bytes]:
    return {name: content for name, content in stored.items() if name not in PROOF_FILES}


def read(folder: Path) -> dict[str, bytes]:
    return {
        f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*") if f.is_file()
    }


def test_killed_before_every_line(
    server: EmbeddedPostgres,
    filled: tuple[str, Metrics],
    url: str,
    tmp_path: Path,
    publisher: subprocess.Popen[str],
) -> None:
    assert publisher.stdin
    assert publisher.stdout
    whole = Settings(tmp_path, Path(__file__).parents[2], None)
    edition_id = freezing.freeze(WEEK, settings=whole, database_url=url)
    pass_checkpoint(url, edition_id)
    # Rendering is tried elsewhere; here three small files stand for an edition's.
    files = {"edisi.html": b"<p>1</p>", "edisi.pdf": b"%PDF", "data/angka.csv": b"a\r\n1\r\n"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "render", lambda _: files)
        review.approve(edition_id, by="demo", how="demo", database_url=url)
    pickled = tmp_path / "files"
    pickled.write_bytes(pickle.dumps(files))
    approved = url.rsplit("/", 1)[1].split("?")[0]
    outcomes = []
    status = -1
    line = 0
    while status:
        with copy_of(server, approved) as copied:
            settings = demo_home(tmp_path / f"from_{line}", tmp_path)
            folder = settings.editions / edition_id
            found = "approved"
            # While it is killed early, what it left stays for the next attempt to cope with.
            while status and found == "approved":
                line += 1
                publisher.stdin.write(f"{copied} {settings.home} {edition_id} {line} {pickled}\n")
                publisher.stdin.flush()
                status = int(publisher.stdout.readline())
                assert status in (0, -signal.SIGKILL)
                found, stored = state(copied, edition_id)
                shown = read(folder)
                outcomes.append((found, bool(shown)))
                assert content_of(stored) == (files if found == "published" else {})
                assert shown in ({}, stored)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(render, "render", lambda _: files)
                patch.setattr(publishing, "find_personal_data", lambda *_: [])
                publishing.publish(edition_id, settings=settings, database_url=copied)
            found, stored = state(copied, edition_id)
            assert (found, content_of(stored)) == ("published", files)
            assert read(folder) == stored
            proof = verify(Folder(folder), trusted_keys(settings))
            assert (proof.problems, proof.file_count) == ([], len(files))
            assert [f.name for f in settings.editions.iterdir()] == [edition_id]
    # Every step was met: before the transaction, after it, and after the folder appeared.
    assert set(outcomes) == {("approved", False), ("published", False), ("published", True)}
    assert outcomes == sorted(outcomes)
    assert outcomes.count(("approved", False)) > 20
