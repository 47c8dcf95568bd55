"""Keys and signatures are those of minisign 0.12: the same bytes, in both directions."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from lumbung.errors import ConfigurationError, PublicationError
from lumbung.publication.proof.minisign import PublicKey, SigningKey, key_of

# Made by `minisign -G -W` and `minisign -Sm pesan -t "edisi contoh"` of Debian's minisign 0.12.
CONTENT = b"Isi edisi contoh\n"
PUBLIC = """untrusted comment: minisign public key A9702F5986C134C9
RWTJNMGGWS9wqQjkdP5bcoa/kQvPnaY44NTLJKial5gWuRGtGpPOzlN/
"""
SIGNATURE = """untrusted comment: signature from minisign secret key
RUTJNMGGWS9wqSUyuJv3GINtSShsgppFHqFEdG0UAVaS6mFim4+Es5h58VNcNNOS0ckv5RSohNKKLfxxzQtI33elU+DT8lZeMQc=
trusted comment: edisi contoh
H8zFR9dyu89m0rzpgUA4glQIEcOUUdN1yfmQhBMcuwVUstctzouwFQpwg1Ya42JawaPKWFKBj3BH6QY8llEjAQ==
"""
KEY_ID = bytes.fromhex("c934c186592f70a9")
SEED = bytes.fromhex("882dedaf05511bb6a087dca7ff91b8a338a33a7875311de73e99948beae501ac")


def test_the_same_key_signs_the_same_bytes_as_minisign() -> None:
    key = SigningKey(KEY_ID, SEED)
    assert key.public.file_text == PUBLIC
    assert key.sign(CONTENT, "edisi contoh") == SIGNATURE


def test_a_signature_of_minisign_is_verified() -> None:
    key = PublicKey.parse(PUBLIC, "minisign.pub")
    assert PublicKey.parse(str(key), "--key") == key
    named = key_of(SIGNATURE, [SigningKey(bytes(8), SEED).public, key])
    assert named
    assert named.key_id == KEY_ID
    key.verify(CONTENT, SIGNATURE, "pesan")


@pytest.mark.parametrize(
    ("content", "signature", "reason"),
    [
        (CONTENT + b" ", SIGNATURE, "not those that the key RWTJ"),
        (CONTENT, SIGNATURE.replace("edisi contoh", "edisi lain"), "not those that the key RWTJ"),
        (CONTENT, SigningKey(bytes(8), SEED).sign(CONTENT, "x"), "of another key than RWTJ"),
        (CONTENT, SigningKey(KEY_ID, bytes(32)).sign(CONTENT, "x"), "not those that the key RWTJ"),
        (CONTENT, "", "cannot be read"),
        (CONTENT, SIGNATURE.replace("RUTJ", "R?TJ"), "cannot be read"),
    ],
)
def test_what_was_not_signed_is_refused(content: bytes, signature: str, reason: str) -> None:
    with pytest.raises(PublicationError, match=reason):
        PublicKey.parse(PUBLIC, "minisign.pub").verify(content, signature, "pesan")


def test_a_new_key_is_private_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "minisign.key"
    key = SigningKey.create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert SigningKey.create(path).public == SigningKey.read(path).public == key.public
    beside = PublicKey.parse(path.with_suffix(".pub").read_text(), "")
    beside.verify(CONTENT, key.sign(CONTENT, "x"), "")
    assert sorted(file.name for file in path.parent.iterdir()) == ["minisign.key", "minisign.pub"]


@pytest.mark.parametrize("text", ["", "RW", "RUTJNMGGWS9wqQjkdP5bcoa", SIGNATURE])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="no public key of minisign"):
        PublicKey.parse(text, "--key")


def test_a_damaged_key_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "minisign.key"
    for content in ("", "x\n", "untrusted comment: x\nRWQA\n"):
        path.write_text(content)
        with pytest.raises(ConfigurationError, match="cannot be read"):
            SigningKey.read(path)
