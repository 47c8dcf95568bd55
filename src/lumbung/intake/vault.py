"""The vault key, and what is derived from it: encryption of personal fields, and keyed hashes.

The key is 32 random bytes. It comes from the environment variable `LUMBUNG_VAULT_KEY` (base64) or
from the file `LUMBUNG_HOME/keys/vault.key`, never from the database. A separate key is derived from
it for each purpose, so a leak of one derived key does not affect the others.

**Do not lose the key.** Without it nobody can open the vault, and deliveries that were landed
before are not recognised as duplicates. Landing refuses to write with another key.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
from hashlib import blake2b
from pathlib import Path

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lumbung.errors import ConfigurationError, LumbungError

NONCE_BYTES = 12


class Vault:
    """Encrypts and decrypts personal fields, and hashes values that are compared but not readable.

    Args:
        key: 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(_derive(key, b"seal"))
        self._content = blake2b(digest_size=16, key=_derive(key, b"content"))
        self._subject = blake2b(digest_size=16, key=_derive(key, b"subject"))
        self.feature_key = _derive(key, b"feature")
        """The key of the hashes in `lumbung.intake.features`."""
        self.pseudonym_key = _derive(key, b"pseudonym")
        """The key of the hashes in `lumbung.intake.landing.pseudonyms`."""
        self.fingerprint = _derive(key, b"fingerprint")[:16]
        """Identifies the vault key without revealing it."""

    @classmethod
    def load(cls, home: Path) -> Vault:
        """The vault of an installation; the first call creates the key file.

        Raises:
            ConfigurationError: when the key is not 32 bytes in base64.
        """
        path = home / "keys" / "vault.key"
        given = os.environ.get("LUMBUNG_VAULT_KEY")
        where = "LUMBUNG_VAULT_KEY" if given else str(path)
        try:
            key = base64.b64decode(given or _key_file(path), validate=True)
        except binascii.Error:
            key = b""
        if len(key) != 32:
            raise ConfigurationError(
                "the vault key is not 32 bytes in base64",
                where=where,
                remediation="restore the key that this installation was set up with",
            )
        return cls(key)

    def seal(self, plain: bytes, associated: bytes, nonce: bytes) -> bytes:
        """Encrypt with AES-256-GCM.

        Args:
            plain: the content.
            associated: identifies its record (`associate`): the ciphertext opens for no other one.
            nonce: 12 random bytes, used once.

        Returns:
            nonce || ciphertext || tag.
        """
        return nonce + self._cipher.encrypt(nonce, plain, associated)

    def unseal(self, sealed: bytes, associated: bytes) -> bytes:
        """Decrypt what `seal` returned.

        Raises:
            LumbungError: when the key or the record differs, or the ciphertext was changed.
        """
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], associated)
        except InvalidTag:
            raise LumbungError(
                "a sealed field does not open",
                where=associated.partition(b"\0")[0].decode(),
                remediation="use the key it was sealed with (LUMBUNG_VAULT_KEY or keys/vault.key)",
            ) from None

    def content_hash(self, content: bytes) -> bytes:
        """A keyed BLAKE2b hash, 16 bytes."""
        return self.hasher(content).digest()

    def hasher(self, beginning: bytes) -> blake2b:
        """`content_hash` with its beginning done: copy it, update the copy, and take its digest."""
        state = self._content.copy()
        state.update(beginning)
        return state

    def subject_token(self, identity: str) -> bytes:
        """A keyed BLAKE2b hash (16 bytes) that is equal for equal identities of persons.

        All spellings of a phone number (`0812-...`, `+62 812 ...`) are equal. Names are compared
        without case and white space.
        """
        state = self._subject.copy()
        state.update(_same(identity).encode())
        return state.digest()


def hold_to_one_key(connection: psycopg.Connection, vault: Vault) -> None:
    """Check that a warehouse was written with this vault's key; a new warehouse takes the key.

    Raises:
        ConfigurationError: when the warehouse was written with another key.
    """
    with connection.transaction():
        connection.execute(
            "insert into vault.key (fingerprint) values (%s) on conflict do nothing",
            (vault.fingerprint,),
        )
        row = connection.execute("select fingerprint from vault.key").fetchone()
    if row is None or bytes(row[0]) != vault.fingerprint:
        raise ConfigurationError(
            "this warehouse was written with another vault key",
            where="LUMBUNG_VAULT_KEY or keys/vault.key",
            remediation="restore that key: with another one nothing landed before would be "
            "recognised",
        )


def associate(channel: str, source_id: str) -> bytes:
    """The associated data of an encrypted field: channel and source id."""
    return f"{channel}\0{source_id}".encode()


def is_cut(identity: object) -> bool:
    """Whether a spreadsheet has shortened a number, so that it identifies nobody.

    Excel keeps 15 digits, and writes a NIK (16 digits) into CSV as `1,97101E+15`.
    """
    if isinstance(identity, str):
        return "E+" in identity and _CUT.fullmatch(identity.strip()) is not None
    return isinstance(identity, float)


_CUT = re.compile(r"\d+(?:[.,]\d+)?E\+\d+")
_PHONE = re.compile(r"[\d \t\u00a0().+-]{8,}")
_SEPARATORS = dict.fromkeys(map(ord, " \t\u00a0().+-"))


def _same(identity: str) -> str:
    if identity.isdecimal() or _PHONE.fullmatch(identity):
        digits = identity if identity.isdecimal() else identity.translate(_SEPARATORS)
        if len(digits) >= 8:
            return "tel:62" + digits.removeprefix("0" if digits[0] == "0" else "62")
    return "name:" + " ".join(identity.split()).casefold()


def _derive(key: bytes, purpose: bytes) -> bytes:
    return blake2b(key=key, person=purpose.ljust(16, b"\0"), digest_size=32).digest()


def _key_file(path: Path) -> bytes:
    """The content of the key file, which is created if it does not exist.

    The new key is written to another file and then linked, so two processes that create the key at
    once agree on one key.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(32)))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes().strip()
