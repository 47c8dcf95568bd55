"""Stores of evidence, whose keys every store of a test process shares or a warehouse has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from lumbung.intake.evidence import Evidence, MemoryKeys
from lumbung.intake.vault import EvidenceKeys, Vault
from lumbung.settings import Settings
from lumbung.warehouse.roles import role_url

KEYS = MemoryKeys()


def evidence_store(folder: Path, **more: Any) -> Evidence:
    """A store whose files any other one of these opens."""
    return Evidence(folder, KEYS, **more)


@contextmanager
def store_of(
    settings: Settings, database_url: str, folder: Path | None = None
) -> Iterator[Evidence]:
    """The store of an installation, or another machine's."""
    login = role_url(database_url, "custodian")
    with closing(EvidenceKeys(login, Vault.load(settings.home))) as keys:
        yield Evidence(folder or settings.evidence, keys, shared=settings.shared_evidence)


def content_of(evidence: Evidence, digest: bytes | None) -> bytes:
    """The bytes of a file."""
    kept = evidence.find(digest or b"")
    assert kept is not None
    with kept.open("rb") as stream:
        return stream.read()
