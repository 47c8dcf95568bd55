"""The key that signs editions, and the public keys that this installation trusts.

The secret key is a file (`LUMBUNG_SIGNING_KEY`, by default `LUMBUNG_HOME/keys/minisign.key`), never
in the database. Every `.pub` file beside it is trusted: the public half of the key, and those of
keys that signed earlier editions.
"""

from __future__ import annotations

from pathlib import Path

from lumbung.errors import ConfigurationError
from lumbung.publication.proof.minisign import PublicKey, SigningKey
from lumbung.settings import Settings


def key_file(settings: Settings) -> Path:
    """Return the file of the secret key."""
    return settings.signing_key or settings.home / "keys" / "minisign.key"


def signing_key(settings: Settings, *, may_create: bool) -> SigningKey:
    """Return the key that signs editions.

    Args:
        settings: the installation.
        may_create: whether a missing key is created: as long as no edition has been signed.

    Raises:
        ConfigurationError: when the key is missing or cannot be read.

    """
    path = key_file(settings)
    if not path.exists():
        if not may_create:
            raise ConfigurationError(
                "the key that signed the editions before is missing",
                where=str(path),
                remediation="restore it from its backup; a new key is made with 'minisign -G -W',"
                " and readers must be given its public half",
            )
        return SigningKey.create(path)
    key = SigningKey.read(path)
    if key.public not in trusted_keys(settings):
        path.with_suffix(".pub").write_text(key.public.file_text, encoding="ascii")
    return key


def trusted_keys(settings: Settings) -> list[PublicKey]:
    """Return the public keys beside the secret key.

    Raises:
        ConfigurationError: when one of the files is no public key.

    """
    files = sorted(key_file(settings).parent.glob("*.pub"))
    return [PublicKey.parse(file.read_text(encoding="ascii"), str(file)) for file in files]
