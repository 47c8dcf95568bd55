"""Ed25519 signatures in the format of minisign (https://jedisct1.github.io/minisign/).

Keys and signatures are those that `minisign -G -W`, `minisign -S` and `minisign -V` read and write:
a signature is of the BLAKE2b-512 hash of the file, and a second one covers the trusted comment.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lumbung.errors import ConfigurationError, PublicationError

KEY_BYTES, SIGNATURE_BYTES, SECRET_KEY_BYTES = 42, 74, 158


@dataclass(frozen=True)
class PublicKey:
    """A public key; `str` gives the 56 characters that `minisign -P` takes."""

    key_id: bytes
    key: bytes

    @classmethod
    def parse(cls, text: str, where: str) -> PublicKey:
        """Read the content of a file `minisign.pub`, or its second line alone.

        Raises:
            ConfigurationError: when it is no such key.

        """
        content = _decoded(text.strip().splitlines()[-1] if text.strip() else "")
        if len(content) != KEY_BYTES or content[:2] != b"Ed":
            raise ConfigurationError(
                "this is no public key of minisign",
                where=where,
                remediation="take the line that begins with RW from the office's minisign.pub",
            )
        return cls(content[2:10], content[10:])

    def __str__(self) -> str:
        return base64.b64encode(b"Ed" + self.key_id + self.key).decode()

    @property
    def file_text(self) -> str:
        """The content of a file `minisign.pub`."""
        return f"untrusted comment: minisign public key {self.key_id[::-1].hex().upper()}\n{self}\n"

    def verify(self, content: bytes, signature: str, where: str) -> None:
        """Require that this key has signed the content.

        Raises:
            PublicationError: when the signature is of another key or of other content.

        """
        lines = signature.splitlines()
        signed = _signed(signature)
        if not signed:
            raise PublicationError(
                "the signature cannot be read",
                where=where,
                remediation="fetch the edition's files again from the office's portal",
            )
        if signed[2:10] != self.key_id:
            raise PublicationError(
                f"the signature is of another key than {self}",
                where=where,
                remediation="do not trust these files: ask the office which key is its own",
            )
        comment = lines[2].removeprefix("trusted comment: ").encode()
        try:
            key = Ed25519PublicKey.from_public_bytes(self.key)
            key.verify(signed[10:], blake2b(content).digest())
            key.verify(_decoded(lines[3]), signed[10:] + comment)
        except InvalidSignature:
            raise PublicationError(
                f"the hashes are not those that the key {self} signed",
                where=where,
                remediation="do not trust these files: fetch the edition from the office's portal",
            ) from None


class SigningKey:
    """A secret key, in the format of `minisign -G -W`: without a password.

    Args:
        key_id: 8 bytes that name the key.
        seed: the 32 bytes that the key is made from.

    """

    def __init__(self, key_id: bytes, seed: bytes) -> None:
        self._seed = seed
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.public = PublicKey(key_id, raw)

    @classmethod
    def read(cls, path: Path) -> SigningKey:
        """Read a key file.

        Raises:
            ConfigurationError: when it cannot be read, or has a password.

        """
        try:
            content = _decoded(path.read_text(encoding="ascii").strip().splitlines()[-1])
        except (OSError, UnicodeDecodeError, IndexError):
            content = b""
        if len(content) != SECRET_KEY_BYTES or content[:4] != b"Ed\0\0":
            raise ConfigurationError(
                "the key that signs editions cannot be read",
                where=str(path),
                remediation="restore the file from its backup; it is one of minisign without a"
                " password",
            )
        key = cls(content[54:62], content[62:94])
        if key.public.key != content[94:126]:
            raise ConfigurationError(
                "the key that signs editions is damaged",
                where=str(path),
                remediation="restore the file from its backup",
            )
        return key

    @classmethod
    def create(cls, path: Path) -> SigningKey:
        """Write a new key to `path` (mode 0600), and its public half beside as `minisign.pub`.

        Of two processes that create the key at once, both get the one that was first.
        """
        key = cls(secrets.token_bytes(8), secrets.token_bytes(32))
        content = b"Ed\0\0B2" + bytes(48) + key.public.key_id + key._seed + key.public.key
        text = base64.b64encode(content.ljust(SECRET_KEY_BYTES, b"\0")).decode()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"untrusted comment: minisign unencrypted secret key\n{text}\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        key = cls.read(path)
        path.with_suffix(".pub").write_text(key.public.file_text, encoding="ascii")
        return key

    def sign(self, content: bytes, comment: str) -> str:
        """Return the content of a file `.minisig`.

        Args:
            content: what is signed.
            comment: the trusted comment, one line.

        """
        signature = self._key.sign(blake2b(content).digest())
        both = self._key.sign(signature + comment.encode())
        signed = base64.b64encode(b"ED" + self.public.key_id + signature).decode()
        return (
            f"untrusted comment: signature from minisign secret key\n{signed}\n"
            f"trusted comment: {comment}\n{base64.b64encode(both).decode()}\n"
        )


def key_of(signature: str, keys: Iterable[PublicKey]) -> PublicKey | None:
    """Return the key that a signature names, None where it is not among these."""
    key_id = _signed(signature)[2:10]
    return next((key for key in keys if key.key_id == key_id), None)


def _signed(signature: str) -> bytes:
    """Return algorithm, key id and signature of the content."""
    lines = signature.splitlines()
    signed = _decoded(lines[1]) if len(lines) == 4 else b""
    return signed if len(signed) == SIGNATURE_BYTES and signed[:2] == b"ED" else b""


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
