"""The keys of an installation in a backup: an archive that only the recipient can open.

It is a tar file encrypted with age (https://age-encryption.org), which the program `age` opens too.
"""

from __future__ import annotations

import io
import os
import re
import tarfile
from pathlib import Path

import pyrage

from lumbung.errors import ConfigurationError
from lumbung.files import write_private
from lumbung.publication.proof.keys import key_file
from lumbung.settings import Settings

NAME = "keys.age"
MEMBER = re.compile(r"(keys|airflow)/[\w-][\w.-]*")


def create(path: Path) -> str:
    """Write a new private key (age identity) to a file, and return its recipient.

    Raises:
        ConfigurationError: when the file exists.

    """
    if path.exists():
        raise ConfigurationError(
            "the file exists", where=str(path), remediation="give the name of a new file"
        )
    identity = pyrage.x25519.Identity.generate()
    recipient = str(identity.to_public())
    write_private(path, f"# public key: {recipient}\n{identity}\n")
    return recipient


def collect(settings: Settings) -> dict[str, bytes]:
    """Return the content of every key and secret, by its path in the home."""
    signing = key_file(settings)
    found = {f"keys/{signing.name}": signing} if signing.exists() else {}
    for folder, pattern in ((settings.home / "keys", "*"), (signing.parent, "*.pub")):
        found |= {f"keys/{file.name}": file for file in folder.glob(pattern) if file.is_file()}
    for name in ("state.json", "passwords.json"):
        if (file := settings.home / "airflow" / name).exists():
            found[f"airflow/{name}"] = file
    content = {name: file.read_bytes() for name, file in found.items() if MEMBER.fullmatch(name)}
    if given := os.environ.get("LUMBUNG_VAULT_KEY"):
        content["keys/vault.key"] = given.encode()
    return content


def seal(content: dict[str, bytes], recipient: str) -> bytes:
    """Return the archive.

    Raises:
        ConfigurationError: when the recipient is no public key of age.

    """
    try:
        key = pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError as error:
        raise ConfigurationError(
            f"{recipient!r} is no public key that keys can be encrypted to",
            where="LUMBUNG_BACKUP_RECIPIENT",
            remediation="make one with 'lumbung backup-key FILE' on another machine, and give the"
            " line that begins with age1",
        ) from error
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, data in sorted(content.items()):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o600
            tar.addfile(member, io.BytesIO(data))
    return bytes(pyrage.encrypt(archive.getvalue(), [key]))


def unseal(file: Path, identity: Path) -> dict[str, bytes]:
    """Open the archive with the private key in a file.

    Raises:
        ConfigurationError: when the file holds no private key, or another one.

    """
    try:
        lines = identity.read_text(encoding="ascii").split()
        private = [
            pyrage.x25519.Identity.from_str(line)
            for line in lines
            if line.startswith("AGE-SECRET-KEY-")
        ]
        archive = pyrage.decrypt(file.read_bytes(), private)
    except (OSError, UnicodeError, pyrage.IdentityError, pyrage.DecryptError) as error:
        raise ConfigurationError(
            f"the keys of the backup do not open: {error}",
            where=str(identity),
            remediation="give the file of 'lumbung backup-key' whose public key the backup was made"
            " for",
        ) from error
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {
            member.name: opened.read()
            for member in tar
            if MEMBER.fullmatch(member.name) and (opened := tar.extractfile(member))
        }


def unpack(content: dict[str, bytes], home: Path) -> None:
    """Write the keys and secrets into a home."""
    for name, data in content.items():
        (home / name).parent.mkdir(mode=0o700, exist_ok=True)
        write_private(home / name, data)
