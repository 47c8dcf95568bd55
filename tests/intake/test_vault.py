"""The vault's key and what it does; the evidence store."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import stat
from pathlib import Path

import pytest

from lumbung.errors import ConfigurationError, LumbungError, ServiceError
from lumbung.intake.erasure import add_vault_key
from lumbung.intake.vault import Vault, associate
from tests.support.evidence import content_of, evidence_store


def test_the_key_is_made_once_and_is_the_owners_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LUMBUNG_VAULT_KEY", raising=False)
    first = Vault.load(tmp_path)
    file = tmp_path / "keys" / "vault.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(base64.b64decode(file.read_bytes())) == 32
    assert Vault.load(tmp_path).fingerprint == first.fingerprint
    assert [each.name for each in file.parent.iterdir()] == ["vault.key"]


def test_the_environments_key_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMBUNG_VAULT_KEY", base64.b64encode(bytes(range(32))).decode())
    assert Vault.load(tmp_path).fingerprint == Vault(bytes(range(32))).fingerprint
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize("key", ["bukan base64!", base64.b64encode(bytes(31)).decode()])
def test_a_key_that_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("LUMBUNG_VAULT_KEY", key)
    with pytest.raises(ConfigurationError, match="32 bytes in base64"):
        Vault.load(tmp_path)


def test_what_is_sealed_opens_only_where_it_belongs_and_whole() -> None:
    vault = Vault(bytes(32))
    place = associate("kanal", "5")
    sealed = vault.seal(b"Warga Contoh", place)
    assert b"Warga" not in sealed
    assert vault.unseal(sealed, place) == b"Warga Contoh"
    for changed, where in (
        (sealed, associate("kanal", "6")),
        (sealed[:-1] + bytes([sealed[-1] ^ 1]), place),
    ):
        with pytest.raises(LumbungError, match="does not open"):
            vault.unseal(changed, where)
    with pytest.raises(LumbungError):
        Vault(bytes([1] * 32)).unseal(sealed, place)


def test_what_an_earlier_version_sealed_opens() -> None:
    sealed = "0000000000000000000000008c06d011e863d5eb867b82a2470a04356b0129731ede69e746f80fb6"
    assert (
        Vault(bytes(32)).unseal(bytes.fromhex(sealed), associate("kanal", "5")) == b"Warga Contoh"
    )


def test_after_a_rotation_former_keys_open_and_hashes_stay() -> None:
    old, new = bytes(32), bytes([7] * 32)
    before, after = Vault(old), Vault(new, old)
    place = associate("kanal", "5")
    assert after.unseal(before.seal(b"isi", place), place) == b"isi"
    assert after.unwrap(b"12345678", before.wrap(b"12345678", old)) == old
    assert not after.is_newest(before.wrap(b"12345678", old))
    assert after.is_newest(after.wrap(b"12345678", old))
    for same in ("fingerprint", "pseudonym_key", "feature_key"):
        assert getattr(after, same) == getattr(before, same)
    assert after.subject_token("Sari") == before.subject_token("Sari")
    with pytest.raises(LumbungError, match="does not open"):
        before.unseal(after.seal(b"isi", place), place)


def test_a_vault_that_was_loaded_before_a_rotation_opens_what_the_new_key_encrypts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pull that runs meanwhile goes on."""
    monkeypatch.delenv("LUMBUNG_VAULT_KEY", raising=False)
    running = Vault.load(tmp_path)
    place = b"\xff\xfe345678"
    wrapped = add_vault_key(tmp_path).wrap(place, bytes(32))
    assert running.unwrap(place, wrapped) == bytes(32)
    assert Vault.load(tmp_path).unwrap(place, running.wrap(place, bytes(32))) == bytes(32)
    with pytest.raises(LumbungError, match=r"\[the key fffe333435363738\]"):
        running.unwrap(place, Vault(bytes(32)).wrap(place, bytes(32)))


def test_a_missing_key_file_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LUMBUNG_VAULT_KEY", raising=False)
    Vault.load(tmp_path)
    file = tmp_path / "keys" / "vault.key"
    text = file.read_text()
    file.unlink()
    with pytest.raises(ConfigurationError, match="the vault key is missing"):
        Vault.load(tmp_path)
    assert not file.exists()
    monkeypatch.setenv("LUMBUNG_VAULT_KEY", text)
    Vault.load(tmp_path)


def test_hashes_are_keyed_and_no_purpose_gives_another_away() -> None:
    vault, other = Vault(bytes(32)), Vault(bytes([1] * 32))
    assert len(vault.content_hash(b"isi")) == len(vault.subject_token("isi")) == 16
    assert vault.content_hash(b"isi") != other.content_hash(b"isi")
    assert vault.content_hash(b"name:isi") != vault.subject_token("isi")
    assert vault.content_hash(b"isi") != hashlib.blake2b(b"isi", digest_size=16).digest()


def test_the_same_person_has_one_token() -> None:
    token = Vault(bytes(32)).subject_token
    assert token("0812-0000-1111") == token("+62 812 0000 1111") == token("6281200001111")
    # as WhatsApp writes it: marks of direction, spaces and hyphens that do not break
    assert token("\u202a+62\u00a0812\u20110000\u20111111\u202c") == token("081200001111")
    assert token("\u2068+62\u00a0812\u20110000\u20111111\u2069") == token("081200001111")
    assert token("0812\u20130000\u20131111") == token("081200001111")
    assert token("  Warga   CONTOH ") == token("warga contoh")
    assert token("0812-0000-1111") != token("0812-0000-1112")


def test_evidence_is_named_by_its_hash_private_and_kept_once(tmp_path: Path) -> None:
    store = evidence_store(tmp_path / "evidence")
    content = os.urandom(3_000_000)
    kept = store.keep(io.BytesIO(content))
    digest = hashlib.sha256(content).hexdigest()
    assert kept.path == tmp_path / "evidence" / digest[:2] / digest[2:]
    with kept.open("rb") as stream:
        assert (kept.size, stream.read() == content) == (3_000_000, True)
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    inode = kept.path.stat().st_ino
    assert store.keep(io.BytesIO(content)) == kept
    assert kept.path.stat().st_ino == inode
    assert [each.name for each in (tmp_path / "evidence").iterdir()] == [digest[:2]]


def test_what_a_power_cut_left_half_is_replaced(tmp_path: Path) -> None:
    kept = evidence_store(tmp_path).keep(io.BytesIO(b"isi utuh"))
    kept.path.write_bytes(b"isi")
    evidence = evidence_store(tmp_path)
    again = evidence.keep(io.BytesIO(b"isi utuh"))
    assert again.path == kept.path
    assert content_of(evidence, kept.sha256) == b"isi utuh"
    kept.path.unlink()
    with pytest.raises(ServiceError, match="could not be kept as evidence"):
        evidence.flush()


def test_a_stream_that_breaks_leaves_nothing_behind(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 0:
                raise OSError("gone")
            return super().read(1)

    with pytest.raises(LumbungError, match="could not be kept"):
        evidence_store(tmp_path).keep(Broken(b"isi"))
    assert list(tmp_path.iterdir()) == []
