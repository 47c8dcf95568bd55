"""An edition is proved from its files alone, and each kind of tampering is named."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lumbung.errors import PublicationError
from lumbung.publication.proof.manifest import Manifest
from lumbung.publication.proof.merkle import files_root, merkle_root
from lumbung.publication.proof.minisign import PublicKey, SigningKey
from lumbung.publication.proof.verify import Folder, Site, verify, verify_all

OFFICE = SigningKey(b"pejabat!", bytes(range(32)))
OTHER = SigningKey(b"orang-ln", bytes(range(1, 33)))
FIRST, SECOND, THIRD = "2024-W46-r1", "2024-W47-r1", "2024-W47-r2"
OLD = "2024-W45-r1"


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def leaf(line: str) -> bytes:
    return hashlib.sha256(b"\0" + line.encode()).digest()


def test_the_root_is_the_tree_hash_of_rfc_6962() -> None:
    a, b, c, d, e = (leaf(line) for line in "abcde")
    assert merkle_root(b"a\n") == merkle_root(b"a") == a.hex()
    assert merkle_root(b"a\nb\nc\n") == node(node(a, b), c).hex()
    expected = node(node(node(a, b), node(c, d)), e)
    assert merkle_root(b"a\nb\nc\nd\ne\n") == expected.hex()
    assert merkle_root(b"a\n\n") == node(a, leaf("")).hex()


def files(edition_id: str) -> dict[str, bytes]:
    data = json.dumps({"edisi": edition_id}).encode() + b"\n"
    return {"edisi.pdf": b"%PDF", "data.json": data, "data/angka.csv": b"nilai\r\n8\r\n"}


def write(folder: Path, contents: dict[str, bytes]) -> None:
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def sign(folder: Path, manifest: Manifest, key: SigningKey = OFFICE) -> None:
    signature = key.sign(manifest.content, f"{manifest.edition_id} {manifest.root}")
    write(
        folder,
        {
            "SHA256SUMS": manifest.content,
            "SHA256SUMS.minisig": signature.encode(),
            "minisign.pub": key.public.file_text.encode(),
        },
    )


def manifest_of(
    folder: Path, previous: tuple[str, str] | None, unsigned: dict[str, str] | None = None
) -> Manifest:
    contents = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("SHA256SUMS", "SHA256SUMS.minisig", "minisign.pub")
    }
    return Manifest.build(
        folder.name,
        hashes={name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
        previous=previous,
        unsigned=unsigned or {},
        values={"content": merkle_root(contents["data.json"])},
    )


@pytest.fixture
def editions(tmp_path: Path) -> Path:
    """One edition of an older version and a chain of three signed ones."""
    folder = tmp_path / "editions"
    write(folder / OLD, files(OLD))
    old = {name: hashlib.sha256(c).hexdigest() for name, c in files(OLD).items()}
    previous = None
    for edition_id in (FIRST, SECOND, THIRD):
        write(folder / edition_id, files(edition_id))
        unsigned = None if previous else {OLD: files_root(old)}
        manifest = manifest_of(folder / edition_id, previous, unsigned)
        sign(folder / edition_id, manifest)
        previous = (edition_id, manifest.root)
    return folder


def problems(folder: Path, trusted: list[PublicKey]) -> dict[str, list[str]]:
    return {p.edition_id: p.problems for p in verify_all(folder, trusted) if p.problems}


def test_untouched_editions_hold(editions: Path) -> None:
    assert problems(editions, [OFFICE.public]) == {}
    assert problems(editions, []) == {}
    alone = verify(Folder(editions / THIRD), [OTHER.public, OFFICE.public])
    assert (alone.problems, alone.file_count, alone.key) == ([], 3, str(OFFICE.public))
    assert alone.root == merkle_root((editions / THIRD / "SHA256SUMS").read_bytes())


def change_a_file(folder: Path) -> None:
    write(folder / SECOND, {"data/angka.csv": b"nilai\r\n6\r\n"})


def insert_a_row(folder: Path) -> None:
    with (folder / SECOND / "data" / "angka.csv").open("ab") as file:
        file.write(b"9\r\n")


def remove_a_file(folder: Path) -> None:
    (folder / SECOND / "edisi.pdf").unlink()


def add_a_file(folder: Path) -> None:
    write(folder / SECOND, {"data/lain.csv": b"x"})


def rewrite_the_manifest(folder: Path) -> None:
    """The right hashes of changed files, under the signature of the old ones."""
    insert_a_row(folder)
    manifest = Manifest((folder / SECOND / "SHA256SUMS").read_bytes())
    manifest = manifest_of(folder / SECOND, manifest.previous)
    write(folder / SECOND, {"SHA256SUMS": manifest.content})


def sign_with_another_key(folder: Path) -> None:
    insert_a_row(folder)
    manifest = Manifest((folder / SECOND / "SHA256SUMS").read_bytes())
    sign(folder / SECOND, manifest_of(folder / SECOND, manifest.previous), OTHER)


def remove_the_signature(folder: Path) -> None:
    (folder / SECOND / "SHA256SUMS.minisig").unlink()


def remove_the_proof(folder: Path) -> None:
    for name in ("SHA256SUMS", "SHA256SUMS.minisig", "minisign.pub"):
        (folder / SECOND / name).unlink()


def remove_an_edition(folder: Path) -> None:
    shutil.rmtree(folder / SECOND)


def show_another_edition(folder: Path) -> None:
    """A signed edition under the name of another one."""
    shutil.rmtree(folder / SECOND)
    shutil.copytree(folder / FIRST, folder / SECOND)


def publish_twice(folder: Path) -> None:
    """The same id with other numbers, signed with the office's key: a branch of the chain."""
    insert_a_row(folder)
    manifest = Manifest((folder / SECOND / "SHA256SUMS").read_bytes())
    sign(folder / SECOND, manifest_of(folder / SECOND, manifest.previous))


def branch(folder: Path) -> None:
    write(folder / "2024-W48-r1", files("2024-W48-r1"))
    first = Manifest((folder / FIRST / "SHA256SUMS").read_bytes())
    sign(folder / "2024-W48-r1", manifest_of(folder / "2024-W48-r1", (FIRST, first.root)))


def change_an_old_edition(folder: Path) -> None:
    write(folder / OLD, {"edisi.pdf": b"%PDF other"})


def remove_an_old_edition(folder: Path) -> None:
    shutil.rmtree(folder / OLD)


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        (change_a_file, {SECOND: "data/angka.csv is not the file that was signed"}),
        (insert_a_row, {SECOND: "data/angka.csv is not the file that was signed"}),
        (remove_a_file, {SECOND: "edisi.pdf is missing"}),
        (add_a_file, {SECOND: "data/lain.csv is not part of the edition"}),
        (
            rewrite_the_manifest,
            {SECOND: "the hashes are not those", THIRD: "follows another 2024-W47-r1"},
        ),
        (
            sign_with_another_key,
            {SECOND: "the signature is of another key", THIRD: "follows another 2024-W47-r1"},
        ),
        (remove_the_signature, {SECOND: "not signed: SHA256SUMS.minisig is missing"}),
        (
            remove_the_proof,
            {
                SECOND: "not signed, and no signed edition names its root",
                THIRD: "the edition before it, 2024-W47-r1, is missing",
            },
        ),
        (remove_an_edition, {THIRD: "the edition before it, 2024-W47-r1, is missing"}),
        (publish_twice, {THIRD: "follows another 2024-W47-r1"}),
        (branch, {"2024-W48-r1": "it follows 2024-W46-r1, and so does 2024-W47-r1"}),
        (change_an_old_edition, {OLD: "its files are not those whose root"}),
        (remove_an_old_edition, {OLD: "the edition is missing"}),
    ],
)
def test_tampering_is_named(
    editions: Path, tamper: Callable[[Path], None], expected: dict[str, str]
) -> None:
    tamper(editions)
    found = problems(editions, [OFFICE.public])
    assert found.keys() == expected.keys()
    for edition_id, sentence in expected.items():
        assert any(sentence in problem for problem in found[edition_id]), found


def test_an_edition_under_the_name_of_another_is_named(editions: Path) -> None:
    show_another_edition(editions)
    found = verify(Folder(editions / SECOND), [OFFICE.public])
    assert "these are the files of 2024-W46-r1" in found.problems


def test_a_later_format_asks_for_a_later_version(editions: Path) -> None:
    text = (editions / SECOND / "SHA256SUMS").read_bytes().replace(b"format 1", b"format 2")
    signature = OFFICE.sign(text, "x").encode()
    write(editions / SECOND, {"SHA256SUMS": text, "SHA256SUMS.minisig": signature})
    found = verify(Folder(editions / SECOND), [OFFICE.public])
    assert found.problems == ["a later version of Lumbung wrote this edition"]


def test_a_folder_without_editions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PublicationError, match="no edition is in this folder"):
        verify_all(tmp_path, [])


@pytest.fixture
def address(editions: Path) -> Iterator[str]:
    """The editions on a web server, as a portal has them."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(editions))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_an_edition_on_a_portal(editions: Path, address: str) -> None:
    for url in (f"{address}/{THIRD}", f"{address}/{THIRD}/index.html"):
        assert verify(Site(url), [OFFICE.public]).problems == []
    insert_a_row(editions)
    assert verify(Site(f"{address}/{SECOND}/"), [OFFICE.public]).problems == [
        "data/angka.csv is not the file that was signed"
    ]
    publish_twice(editions)
    assert verify(Site(f"{address}/{THIRD}/"), [OFFICE.public]).problems == [
        "it follows another 2024-W47-r1 than the one beside it"
    ]


def test_a_page_of_the_portal_is_named_as_unsigned(editions: Path, address: str) -> None:
    (editions / FIRST / "index.html").write_text("<p>99</p>")
    for proof in (
        verify(Site(f"{address}/{FIRST}/"), [OFFICE.public]),
        verify_all(editions, [OFFICE.public])[1],
    ):
        assert (proof.edition_id, proof.problems) == (FIRST, [])
        assert [note.partition(":")[0] for note in proof.notes] == [
            "index.html is a page of the portal, which no signature covers"
        ]


def command(*arguments: object, home: Path) -> subprocess.CompletedProcess[str]:
    """`lumbung verify` on a reader's machine: an empty home, no database."""
    return subprocess.run(
        [sys.executable, "-m", "lumbung.cli", "verify", *map(str, arguments)],
        env={"LUMBUNG_HOME": str(home), "PATH": "", "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_on_a_readers_machine(editions: Path, tmp_path: Path) -> None:
    home = tmp_path / "reader"
    done = command(editions / THIRD, home=home)
    assert done.returncode == 0, done.stderr
    assert f"{THIRD}  holds: 3 files, root " in done.stdout
    assert f"signed with {OFFICE.public}" in done.stdout
    assert "compare this key" in done.stdout
    done = command(editions, "--key", OFFICE.public, home=home)
    assert (done.returncode, "compare this key" in done.stdout) == (0, False)
    done = command(editions / THIRD, "--json", home=home)
    (found,) = json.loads(done.stdout)
    assert (found["edition_id"], found["problems"], found["is_trusted"]) == (THIRD, [], False)
    insert_a_row(editions)
    done = command(editions, "--json", home=home)
    assert done.returncode == PublicationError.exit_code
    differing = [each["edition_id"] for each in json.loads(done.stdout) if each["problems"]]
    assert differing == [SECOND]
    done = command(editions, home=home)
    assert done.returncode == PublicationError.exit_code
    assert "data/angka.csv is not the file that was signed" in done.stdout
    assert f"1 of 4 editions differ: {SECOND}" in done.stderr
    done = command(editions / THIRD, "--key", OTHER.public, home=home)
    assert done.returncode == PublicationError.exit_code
    assert "the signature is of another key" in done.stdout
    assert not home.exists()
