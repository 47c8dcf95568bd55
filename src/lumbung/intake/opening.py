"""Opening what the vault holds of a landed record, for a reason that is logged first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from lumbung import database
from lumbung.errors import ConfigurationError
from lumbung.intake.evidence import Evidence, Kept
from lumbung.intake.landing.landed import opened
from lumbung.intake.landing.pseudonyms import open_label, term_pseudonym
from lumbung.intake.sealed_file import damaged
from lumbung.intake.vault import Keyring, Vault

_BETWEEN_WORDS = re.compile(r"[;,|/\n]")


def open_record(
    database_url: str, number: int, *, by: str, reason: str, home: Path
) -> dict[str, Any]:
    """Return the narrative of a record and the words behind its other pseudonyms.

    Whoever is named in personal fields is shown with a second person's consent alone
    (`lumbung vault open`).

    Args:
        database_url: the warehouse, as its owner or `custodian`.
        number: the record, `raw.record.record_id`.
        by: the account that opens it; logged with the reason before anything is returned.
        reason: why, without the name of any person.
        home: where the vault key is (`Settings.home`).

    Raises:
        ConfigurationError: when there is no such record, or no reason.
        LumbungError: when it does not open with this key.

    """
    _require(reason)
    with database.connect(database_url, application="lumbung record reveal") as connection:
        sealed = sealed_record(connection, number)
        labels = connection.execute(
            "select jsonb_object_keys(payload) from raw.record where record_id = %s", (number,)
        ).fetchall()
        connection.execute(
            "insert into ops.opening (opened_by, record_id, reason) values (%s, %s, %s)",
            (by, number, reason.strip()),
        )
        connection.commit()  # before anything is shown
        private = opened(Keyring(connection, Vault.load(home)), *sealed)
    return {label: private[label] for (label,) in labels if label in private}


def open_labels(
    database_url: str, channel: str, *, by: str, reason: str, home: Path
) -> dict[str, str]:
    """Return the labels of a channel's source that stand behind pseudonyms in its drift notices.

    Args:
        database_url: the warehouse, as `custodian`.
        channel: the name of its records.
        by: as `open_record`.
        reason: as `open_record`.
        home: as `open_record`.

    Returns:
        pseudonym -> label.

    Raises:
        ConfigurationError: when there is no reason.

    """
    _require(reason)
    with database.connect(database_url, application="lumbung channel labels") as connection:
        rows = connection.execute(
            "select field, sealed_label from ops.drift_notice"
            " where channel = %s and sealed_label is not null order by field",
            (channel,),
        ).fetchall()
        connection.execute(
            "insert into ops.opening (opened_by, labels_of, reason) values (%s, %s, %s)",
            (by, channel, reason.strip()),
        )
        connection.commit()  # before anything is shown
        vault = Vault.load(home)
        return {field: open_label(vault, channel, sealed) for field, sealed in rows}


def _require(reason: str) -> None:
    if not reason.strip():
        raise ConfigurationError(
            "the vault is not opened without a reason",
            where="--reason",
            remediation="say what you have to decide, without anybody's name",
        )


def sealed_record(connection: psycopg.Connection, number: int) -> tuple[str, str, bytes | None]:
    """Return a record's channel and source id, and what the vault holds of it, encrypted.

    Raises:
        ConfigurationError: when there is no such record.

    """
    row = connection.execute(
        "select channel, source_id, ciphertext from raw.record"
        " left join vault.identity using (record_id) where record_id = %s",
        (number,),
    ).fetchone()
    if row is None:
        raise ConfigurationError(
            f"no record has the id {number}",
            where="raw.record",
            remediation="use a record of 'lumbung review' or 'lumbung trace'",
        )
    channel, source_id, ciphertext = row
    return channel, source_id, ciphertext


def kept_evidence(store: Evidence, sha256: str) -> Kept:
    """Return a file of the evidence, whose bytes are those that were delivered.

    Args:
        store: of the evidence.
        sha256: of the file, in hexadecimal.

    Raises:
        ConfigurationError: when there is no such file, or it was erased.
        ServiceError: when it is another one, or the object store does not answer.

    """
    digest = bytes.fromhex(sha256) if re.fullmatch("[0-9a-fA-F]{64}", sha256) else b""
    kept = store.find(digest) if digest else None
    if kept is None:
        raise ConfigurationError(
            "there is no such file, or it was erased",
            where=sha256,
            remediation="use the evidence of 'lumbung trace RECORD'",
        )
    if not store.is_whole(kept.path, digest):
        raise damaged(str(kept.path))
    return kept


def open_word(
    database_url: str, number: int, pseudonym: str, *, by: str, reason: str, home: Path
) -> str | None:
    """Return the word behind a pseudonym of a record, and nothing else of the record.

    Args and errors are those of `open_record`.

    Returns:
        the word as it was written; None where the record holds no such word.

    """
    private = open_record(database_url, number, by=by, reason=reason, home=home)
    vault = Vault.load(home)
    for text in _texts(private):
        # of a place its first word is mapped
        for word in (text, *_BETWEEN_WORDS.split(text), *text.split()[:1]):
            if term_pseudonym(vault, word) == pseudonym:
                return word.strip()
    return None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value
