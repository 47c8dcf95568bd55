"""The vault key, and what is derived from it: encryption of personal fields, and keyed hashes.

The key is 32 random bytes. It comes from the environment variable `LUMBUNG_VAULT_KEY` (base64) or
from the file `LUMBUNG_HOME/keys/vault.key`, never from the database. A separate key is derived from
it for each purpose, so a leak of one derived key does not affect the others.

Deliveries are not encrypted with the vault key. Each chunk has a random data key, which the
database holds encrypted with the vault key, and each delivery a key that is derived from the data
key. So one delivery can be destroyed (`lumbung.intake.erasure`), and a new vault key encrypts the
data keys again instead of every delivery. After such a rotation there are several vault keys,
separated by white space: the newest encrypts, and the oldest is still the key of all hashes.

**Do not lose the keys.** Without them nobody can open the vault, and deliveries that were landed
before are not recognised as duplicates. Landing refuses to write with others.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lumbung import database
from lumbung.errors import ConfigurationError, DestroyedKeyError, LumbungError
from lumbung.intake.parsers.characters import DASHES, DIRECTIONS, SPACES
from lumbung.memory import refuse_core_dumps

NONCE_BYTES = 12
ID_BYTES = 8
_OF_DATA_KEY, _OF_VAULT_KEY = b"\x01", b"\x02"
"""The first byte of a ciphertext, before the id of its key. Older ones begin with their nonce."""


class DataKey(NamedTuple):
    """The key of a chunk, from which those of its deliveries are derived.

    Attributes:
        key_id: 8 random bytes, which each ciphertext carries.
        key: 32 random bytes; the database has them encrypted (`Vault.wrap`).
    """

    key_id: bytes
    key: bytes

    @classmethod
    def new(cls) -> DataKey:
        """A random one."""
        return cls(os.urandom(ID_BYTES), os.urandom(32))

    def of(self, associated: bytes) -> bytes:
        """The key of one delivery."""
        return blake2b(associated, key=self.key, digest_size=32).digest()

    def seal(self, plain: bytes, associated: bytes) -> bytes:
        """Encrypt the private part of a delivery with AES-256-GCM.

        Args:
            plain: the content.
            associated: identifies the delivery (`associate`): the ciphertext opens for no other.

        Returns:
            1 || id of the data key || nonce || ciphertext || tag.
        """
        nonce = os.urandom(NONCE_BYTES)
        body = AESGCM(self.of(associated)).encrypt(nonce, plain, associated)
        return b"".join((_OF_DATA_KEY, self.key_id, nonce, body))


class Vault:
    """Encrypts data keys, and hashes values that are compared but not readable.

    Args:
        key: the newest vault key, 32 bytes.
        former: those before it, the oldest last.
    """

    def __init__(self, key: bytes, *former: bytes) -> None:
        self._home: Path | None = None
        self.key_id = _derive(key, b"id")[:ID_BYTES]
        self._ciphers = {
            _derive(each, b"id")[:ID_BYTES]: AESGCM(_derive(each, b"wrap"))
            for each in (key, *former)
        }
        key = (key, *former)[-1]
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
        """The vault of an installation; the first call in a new home creates the key file.

        `LUMBUNG_HOME/vault.fingerprint` says that a home had a key. It identifies the key without
        revealing it, and a backup has it.

        Raises:
            ConfigurationError: when a key is not 32 bytes in base64, or the key file of a home that
                had one is missing.
        """
        refuse_core_dumps()
        path = home / "keys" / "vault.key"
        mark = home / "vault.fingerprint"
        given = os.environ.get("LUMBUNG_VAULT_KEY")
        where = "LUMBUNG_VAULT_KEY" if given else str(path)
        if not given and mark.exists() and not path.exists():
            raise ConfigurationError(
                "the vault key is missing; no other one is made in its place",
                where=where,
                remediation="restore the key that this installation was set up with, from your copy"
                " or with 'lumbung restore'",
            )
        try:
            text = given.encode() if given else _key_file(path)
            keys = [base64.b64decode(each, validate=True) for each in text.split()]
        except binascii.Error:
            keys = []
        if not keys or any(len(key) != 32 for key in keys):
            raise ConfigurationError(
                "the vault key is not 32 bytes in base64",
                where=where,
                remediation="restore the key that this installation was set up with",
            )
        vault = cls(*keys)
        vault._home = home
        if not mark.exists():
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
            with suppress(FileExistsError):  # another process or thread was first
                descriptor = os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w") as file:
                    file.write(vault.fingerprint.hex())
        return vault

    def seal(self, plain: bytes, associated: bytes) -> bytes:
        """Encrypt with the newest vault key, by AES-256-GCM.

        Returns:
            2 || id of the vault key || nonce || ciphertext || tag.
        """
        nonce = os.urandom(NONCE_BYTES)
        body = self._ciphers[self.key_id].encrypt(nonce, plain, associated)
        return b"".join((_OF_VAULT_KEY, self.key_id, nonce, body))

    def unseal(self, sealed: bytes, associated: bytes) -> bytes:
        """Decrypt what `seal` returned, in this version or an earlier one.

        Raises:
            LumbungError: when the key or the record differs, or the ciphertext was changed.
        """
        return self._unsealed(sealed, associated, _channel(associated))

    def _unsealed(self, sealed: bytes, associated: bytes, where: str) -> bytes:
        if sealed[:1] == _OF_VAULT_KEY:
            key_id = sealed[1 : 1 + ID_BYTES]
            if key_id not in self._ciphers and self._home is not None:
                self._ciphers |= Vault.load(self._home)._ciphers  # rotated since it was loaded
            if (cipher := self._ciphers.get(key_id)) is not None:
                return _opened(cipher, sealed[1 + ID_BYTES :], associated, where)
        return _opened(self._cipher, sealed, associated, where)

    def wrap(self, key_id: bytes, key: bytes) -> bytes:
        """Encrypt a data key, or the key of a delivery or a file, for the database."""
        return self.seal(key, key_id)[1:]

    def unwrap(self, key_id: bytes, wrapped: bytes) -> bytes:
        """Decrypt what `wrap` returned.

        Raises:
            LumbungError: when no vault key opens it.
        """
        return self._unsealed(_OF_VAULT_KEY + wrapped, key_id, f"the key {key_id.hex()}")

    def is_newest(self, wrapped: bytes) -> bool:
        """Whether `wrap` used the newest vault key."""
        return wrapped[:ID_BYTES] == self.key_id

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


class Keyring:
    """Opens the private parts of deliveries with the data keys of a warehouse.

    Args:
        connection: as a role that reads `vault`.
        vault: of the installation.
    """

    def __init__(self, connection: psycopg.Connection, vault: Vault) -> None:
        self._connection = connection
        self.vault = vault
        self._known: dict[bytes, DataKey | None] = {}

    def new(self) -> DataKey:
        """Store a new data key and return it."""
        made = DataKey.new()
        self._connection.execute(ADD_DATA_KEY, (made.key_id, self.vault.wrap(*made)))
        return made

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """Decrypt what `DataKey.seal`, or an earlier version, returned.

        Raises:
            DestroyedKeyError: when the database does not have its key.
            LumbungError: when the key differs, or the ciphertext was changed.
        """
        key_id = data_key_id(sealed)
        if key_id is not None and (key := self.key(key_id, associated)) is not None:
            return _opened(AESGCM(key), sealed[1 + ID_BYTES :], associated, _channel(associated))
        try:
            # also what an earlier version wrote and happens to begin as if it named a data key
            return self.vault.unseal(sealed, associated)
        except LumbungError as error:
            if key_id is None:
                raise
            raise DestroyedKeyError(
                "a sealed field does not open: its key was destroyed",
                where=_channel(associated),
                remediation="take the delivery from its source, if it may still be used",
            ) from error

    def key(self, key_id: bytes, associated: bytes) -> bytes | None:
        """The key of a delivery; None: the database has none."""
        if key_id not in self._known:
            wrapped = self._stored("select wrapped from vault.data_key where key_id = %s", key_id)
            self._known[key_id] = (
                None if wrapped is None else DataKey(key_id, self.vault.unwrap(key_id, wrapped))
            )
        if (data_key := self._known[key_id]) is not None:
            return data_key.of(associated)
        wrapped = self._stored(
            "select wrapped from vault.item_key where key_id = %s and item = %s",
            *(key_id, item_of(associated)),
        )
        return None if wrapped is None else self.vault.unwrap(key_id, wrapped)

    def _stored(self, query: str, *values: bytes) -> bytes | None:
        row = self._connection.execute(query.encode(), values).fetchone()
        return None if row is None else bytes(row[0])


class EvidenceKeys:
    """The keys of evidence files (`vault.evidence_key`), encrypted with the vault key.

    It opens a connection when it is first used. `close` ends it.

    Args:
        url: the warehouse, as a role that reads the table, and writes it if files are kept.
        vault: of the installation.
        is_dry_run: whether new keys stay in memory.
    """

    def __init__(self, url: str, vault: Vault, *, is_dry_run: bool = False) -> None:
        self._url = url
        self._vault = vault
        self._is_dry_run = is_dry_run
        self._known: dict[bytes, bytes] = {}
        self._connection: psycopg.Connection | None = None

    def close(self) -> None:
        """End its session."""
        if self._connection is not None:
            self._connection.close()

    def add(self, key_id: bytes, sha256: bytes, key: bytes) -> None:
        """Store a key, and return when it survives a power cut."""
        if self._is_dry_run:
            self._known[key_id + sha256] = key
            return
        self._session().execute(
            "insert into vault.evidence_key (key_id, sha256, wrapped) values (%s, %s, %s)",
            (key_id, sha256, self._vault.wrap(key_id + sha256, key)),
        )

    def find(self, key_id: bytes, sha256: bytes) -> bytes | None:
        """The key of a file with this content; None: it was destroyed, or never stored.

        Raises:
            LumbungError: when no vault key opens it.
        """
        if (key := self._known.get(key_id + sha256)) is not None:
            return key
        row = (
            self._session()
            .execute(
                "select wrapped from vault.evidence_key where key_id = %s and sha256 = %s",
                (key_id, sha256),
            )
            .fetchone()
        )
        return None if row is None else self._vault.unwrap(key_id + sha256, bytes(row[0]))

    def _session(self) -> psycopg.Connection:
        if self._connection is None:
            self._connection = database.connect(self._url, application="lumbung evidence")
            self._connection.autocommit = True
        return self._connection


ERASED_EVIDENCE = (
    "select sha256 from ops.erased_evidence as e"
    " where not exists (select from vault.evidence_key as k where k.sha256 = e.sha256)"
)
"""The files that were erased, but those that were delivered again: they have a key again."""

ADD_DATA_KEY = "insert into vault.data_key (key_id, wrapped) values (%s, %s) on conflict do nothing"


def data_key_id(sealed: bytes) -> bytes | None:
    """The id of the data key that a ciphertext names; None: it is of an earlier version."""
    return sealed[1 : 1 + ID_BYTES] if sealed[:1] == _OF_DATA_KEY else None


def item_of(associated: bytes) -> bytes:
    """Identifies a delivery in `vault.item_key`."""
    return blake2b(associated, digest_size=16).digest()


def _channel(associated: bytes) -> str:
    return associated.partition(b"\0")[0].decode(errors="replace")


def _opened(cipher: AESGCM, sealed: bytes, associated: bytes, where: str) -> bytes:
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], associated)
    except InvalidTag:
        raise LumbungError(
            "a sealed field does not open",
            where=where,
            remediation="use the key it was sealed with (LUMBUNG_VAULT_KEY or keys/vault.key)",
        ) from None


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
_BETWEEN = f" \t().+-\u200b{SPACES}{DASHES}{DIRECTIONS}"
_PHONE = re.compile(rf"[\d{re.escape(_BETWEEN)}]{{8,}}")
_SEPARATORS = dict.fromkeys(map(ord, _BETWEEN))


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
