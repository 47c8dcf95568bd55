"""Published editions are signed and chained, and what was changed since is not shown."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest

from lumbung import audit
from lumbung.errors import ConfigurationError, LumbungError, PublicationError
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.publication.editions import freezing, publishing, review
from lumbung.publication.formats import render, xlsx
from lumbung.publication.model import store
from lumbung.publication.portal import publish as portal
from lumbung.publication.proof.keys import trusted_keys
from lumbung.publication.proof.manifest import PROOF_FILES, Manifest
from lumbung.publication.proof.merkle import files_root, merkle_root
from lumbung.publication.proof.minisign import SigningKey
from lumbung.publication.proof.verify import Folder, verify, verify_all
from lumbung.settings import Settings
from tests.publication.conftest import Metrics, copy_of
from tests.publication.test_restatement import change, late
from tests.support.edition_sample import pass_checkpoint
from tests.support.homes import demo_home
from tests.support.published import publish

FIRST, SECOND = "2024-W44-r1", "2024-W46-r1"


@pytest.fixture(autouse=True, scope="module")
def _small_files() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "_pdf", lambda *_: b"%PDF-1.7 (small)")
        patch.setattr(xlsx, "workbook", lambda *_: b"PK (small)")
        patch.setattr(publishing, "find_personal_data", lambda *_: [])
        yield


@dataclass
class World:
    """A warehouse with two published editions, and its home."""

    url: str
    settings: Settings

    def write(self, statement: str, *parameters: object) -> None:
        """Write as a superuser who switches the triggers off."""
        with psycopg.connect(self.url) as connection:
            connection.execute("set session_replication_role = replica")
            connection.execute(statement.encode(), parameters)

    def change_file(self, edition_id: str, name: str, content: bytes) -> None:
        """Change a stored file and its hash."""
        self.write(
            "update published.artefact set content = %s, byte_count = %s,"
            " sha256 = encode(sha256(%s), 'hex') where edition_id = %s and name = %s",
            *(content, len(content), content, edition_id, name),
        )

    def build(self) -> None:
        portal.build(settings=self.settings, database_url=self.url)


@pytest.fixture(scope="module")
def made(
    server: EmbeddedPostgres,
    filled: tuple[str, Metrics],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, Path]]:
    home = tmp_path_factory.mktemp("home")
    settings = demo_home(home, Settings.load().project)
    with copy_of(server, filled[0]) as url:
        publish(url, settings, "2024-W44", "person")
        publish(url, settings, "2024-W46", "person")
        portal.build(settings=settings, database_url=url)
        yield url.rsplit("/", 1)[1].split("?")[0], home


@pytest.fixture
def world(server: EmbeddedPostgres, made: tuple[str, Path], tmp_path: Path) -> Iterator[World]:
    home = tmp_path / "home"
    shutil.copytree(made[1], home, symlinks=True)
    with copy_of(server, made[0]) as url:
        yield World(url, Settings(home, Settings.load().project, None))


def manifest_of(world: World, edition_id: str) -> Manifest:
    return Manifest((world.settings.editions / edition_id / "SHA256SUMS").read_bytes())


def test_editions_are_signed_and_chained(world: World) -> None:
    keys = trusted_keys(world.settings)
    assert len(keys) == 1
    proofs = verify_all(world.settings.editions, keys)
    assert [(p.edition_id, p.problems) for p in proofs] == [(FIRST, []), (SECOND, [])]
    first, second = manifest_of(world, FIRST), manifest_of(world, SECOND)
    assert (first.previous, second.previous) == (None, (FIRST, first.root))
    folder = world.settings.editions / SECOND
    content = merkle_root((folder / "data.json").read_bytes())
    assert second.value("content") == content
    assert content in (folder / "edisi.html").read_text()
    assert second.value("approved").startswith("person 20")
    assert second.value("approved").endswith(" Ketua Contoh")
    shown = world.settings.portal / "edisi" / SECOND
    assert verify(Folder(shown), keys).problems == []
    assert second.root in (shown / "index.html").read_text()
    assert str(keys[0]) in (shown / "index.html").read_text()
    edition = store.load(SECOND, database_url=world.url)
    assert second.root in render.letter(edition, second.root)[1]


def insert_a_metric(world: World) -> None:
    world.write(
        "insert into published.artefact select edition_id, 'data/lain.csv', sha256, byte_count,"
        " content from published.artefact where edition_id = %s and name = 'data/angka.csv'",
        FIRST,
    )


def change_bytes_and_hash(world: World) -> None:
    world.change_file(FIRST, "data/angka.csv", b"nilai\r\n6\r\n")


def sign_with_another_key(world: World) -> None:
    change_bytes_and_hash(world)
    key = SigningKey(b"orang-ln", bytes(32))
    manifest = manifest_of(world, FIRST)
    world.change_file(FIRST, "SHA256SUMS.minisig", key.sign(manifest.content, "x").encode())
    world.change_file(FIRST, "minisign.pub", key.public.file_text.encode())


def rewrite_the_manifest(world: World) -> None:
    insert_a_metric(world)
    manifest = manifest_of(world, FIRST)
    changed = Manifest.build(
        FIRST, hashes={**manifest.files, "data/lain.csv": "0" * 64}, previous=None, unsigned={},
        values={"rows": manifest.value("rows")},
    )  # fmt: skip
    world.change_file(FIRST, "SHA256SUMS", changed.content)


def change_rows_and_hash(world: World) -> None:
    world.write(
        "update published.edition set content_hash = repeat('0', 64) where edition_id = %s", FIRST
    )


def remove_an_edition(world: World) -> None:
    world.write("update published.edition set state = 'rejected' where edition_id = %s", FIRST)


def remove_the_root(world: World) -> None:
    world.write("delete from published.edition_root where edition_id = %s", SECOND)


def change_the_root(world: World) -> None:
    world.write("update published.edition_root set root_hash = repeat('0', 64)")


@pytest.mark.parametrize(
    ("tamper", "reason"),
    [
        (insert_a_metric, r"data/lain\.csv is not the file that was signed"),
        (change_bytes_and_hash, r"data/angka\.csv is not the file that was signed"),
        (sign_with_another_key, "a key that this installation does not trust"),
        (rewrite_the_manifest, "the hashes are not those that the key RW"),
        (change_rows_and_hash, "its frozen rows were changed"),
        (remove_an_edition, "which is not the edition before it here"),
        (remove_the_root, "it is not signed, and no signed edition names its root"),
        (change_the_root, "its root is not that of its manifest"),
    ],
)
def test_what_was_changed_in_the_database_is_not_shown(
    world: World, tamper: Callable[[World], None], reason: str
) -> None:
    before = world.settings.portal.readlink()
    tamper(world)
    with pytest.raises(PublicationError, match=reason):
        world.build()
    assert world.settings.portal.readlink() == before
    shutil.rmtree(world.settings.editions / SECOND)
    with pytest.raises(PublicationError):  # nor written to its folder again
        publishing.publish(SECOND, settings=world.settings, database_url=world.url)
    assert not (world.settings.editions / SECOND).exists()


def test_a_lost_key_is_not_replaced(world: World) -> None:
    (world.settings.home / "keys" / "minisign.key").unlink()
    with pytest.raises(ConfigurationError, match="key that signed the editions before is missing"):
        publish(world.url, world.settings, "2024-W47", "person")
    with psycopg.connect(world.url) as connection:
        found = connection.execute(
            "select state from published.edition where week_id = '2024-W47'"
        ).fetchone()
    assert found == ("approved",)


def test_a_new_key_signs_beside_the_old_one(world: World) -> None:
    """Editions that a retired key signed still hold: its public half is kept."""
    keys = world.settings.home / "keys"
    (keys / "minisign.pub").rename(keys / "2024.pub")
    other = replace(world.settings, signing_key=keys / "2025.key")
    SigningKey.create(keys / "2025.key")
    publish(world.url, other, "2024-W47", "person")
    portal.build(settings=other, database_url=world.url)
    found = verify_all(other.editions, trusted_keys(other))
    assert [proof.problems for proof in found] == [[], [], []]
    assert len({proof.key for proof in found}) == 2


def test_editions_of_an_earlier_version_are_named_by_the_first_signed_one(world: World) -> None:
    world.write("delete from published.edition_root")
    world.write("delete from published.artefact where name = any (%s)", list(PROOF_FILES))
    for path in [*world.settings.editions.rglob("*"), *world.settings.portal.rglob("*")]:
        if path.name in PROOF_FILES:
            path.unlink()
    world.build()  # shown as before
    publish(world.url, world.settings, "2024-W47", "person")
    manifest = manifest_of(world, "2024-W47-r1")
    assert manifest.previous is None
    assert manifest.unsigned.keys() == {FIRST, SECOND}
    with psycopg.connect(world.url) as connection:
        stored = connection.execute(
            "select name, sha256 from published.artefact where edition_id = %s", (FIRST,)
        ).fetchall()
    assert manifest.unsigned[FIRST] == files_root(dict(stored))
    found = verify_all(world.settings.editions, trusted_keys(world.settings))
    assert [proof.problems for proof in found] == [[], [], []]
    world.build()
    world.change_file(FIRST, "data/angka.csv", b"nilai\r\n6\r\n")
    with pytest.raises(PublicationError, match="no signed edition names its root"):
        world.build()


def test_an_edition_carries_the_head_of_the_audit_log(world: World) -> None:
    head = audit.verify(settings=world.settings, database_url=world.url)
    carried = manifest_of(world, SECOND).value("audit").split(" ")
    with psycopg.connect(world.url) as connection:
        assert connection.execute(
            "select entry_hash from ops.audit_log where entry_id = %s", (int(carried[0]),)
        ).fetchone() == (carried[1],)
    assert head.entry_id == int(carried[0]) + 1  # the publication of that edition itself
    world.write("delete from ops.audit_log where entry_id >= %s", int(carried[0]))
    with pytest.raises(LumbungError, match=f"the head {carried[1]} that {SECOND} carries"):
        audit.verify(settings=world.settings, database_url=world.url)


def test_an_audit_log_that_was_written_again_is_found(world: World) -> None:
    """Another person in the first line, and every hash after it computed again."""
    with psycopg.connect(world.url) as connection:
        found = connection.execute(
            "select entry_id, line from ops.audit_log order by entry_id"
        ).fetchall()
    before = audit.FIRST
    for entry_id, line in found:
        changed = line.replace("Ketua Contoh", "Orang Lain")
        entry = audit.line_hash(before, changed)
        world.write(
            "update ops.audit_log set line = %s, previous_hash = %s, entry_hash = %s"
            " where entry_id = %s",
            *(changed, before, entry, entry_id),
        )
        before = entry
    with pytest.raises(LumbungError, match="the log was written again"):
        audit.verify(settings=world.settings, database_url=world.url)


@pytest.fixture
def older(server: EmbeddedPostgres, filled: tuple[str, Metrics], world: World) -> Iterator[World]:
    """The home of two published editions, with a database from before them."""
    with copy_of(server, filled[0]) as url:
        yield World(url, world.settings)


def freeze(world: World, week: str) -> str:
    return freezing.freeze(week, settings=world.settings, database_url=world.url)


def test_an_edition_that_the_database_does_not_know_stops_publication(older: World) -> None:
    before = older.settings.portal.readlink()
    for week in ("2024-W44", "2024-W47"):  # the same id with other numbers, or the next one
        with pytest.raises(PublicationError, match=f"{FIRST} is published, and the database does"):
            freeze(older, week)
    with pytest.raises(PublicationError, match="restore a backup of the database"):
        older.build()  # nor does the portal lose editions
    assert older.settings.portal.readlink() == before
    shutil.rmtree(older.settings.editions)
    with pytest.raises(PublicationError, match=f"{FIRST} is published, and the database does"):
        freeze(older, "2024-W47")  # the portal shows it
    # The way out of the runbook.
    older.settings.portal.unlink()
    assert freeze(older, "2024-W44") == FIRST
    review.reject(FIRST, by="Ketua Contoh", database_url=older.url)
    assert publish(older.url, older.settings, "2024-W44", "person") == "2024-W44-r2"


def test_a_draft_from_before_the_restore_is_not_published(older: World, tmp_path: Path) -> None:
    aside = replace(older.settings, home=tmp_path / "aside")
    edition_id = freezing.freeze("2024-W44", settings=aside, database_url=older.url)
    pass_checkpoint(older.url, edition_id)
    review.approve(edition_id, by="Ketua Contoh", database_url=older.url)
    with pytest.raises(PublicationError, match=f"{FIRST} is published, and the database does"):
        publishing.publish(edition_id, settings=older.settings, database_url=older.url)
    with psycopg.connect(older.url) as connection:
        assert connection.execute("select from published.edition_root").fetchall() == []


def test_another_edition_under_the_same_id_stops_publication(
    world: World, older: World, tmp_path: Path
) -> None:
    """The restored database published the edition again, where the folder was not seen."""
    other = replace(older.settings, home=tmp_path / "other")
    other.home.mkdir()
    other.demo_claim.touch()
    shutil.copytree(older.settings.home / "keys", other.home / "keys")
    change(older.url, late)
    publish(older.url, other, "2024-W44", "person")
    shutil.copytree(world.settings.editions / FIRST, other.editions / FIRST, dirs_exist_ok=True)
    with pytest.raises(PublicationError, match=f"{FIRST} is another edition than the one in the"):
        freezing.freeze("2024-W47", settings=other, database_url=older.url)
    damaged = other.editions / FIRST / "SHA256SUMS"
    damaged.write_bytes(damaged.read_bytes() + b"x")
    publishing.publish(FIRST, settings=other, database_url=older.url)  # damage is repaired
    found = verify(Folder(other.editions / FIRST), trusted_keys(other))
    assert found.problems == []
