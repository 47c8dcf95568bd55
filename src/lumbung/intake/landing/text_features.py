"""Storing the features of narratives in `raw.text_feature`."""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct
from typing import Any

import psycopg

from lumbung.intake import pgcopy
from lumbung.intake.channel.models import Channel
from lumbung.intake.features import (
    FIELDS,
    Features,
    TextFeatures,
    feature_version,
    project_vocabulary,
)
from lumbung.intake.landing.batch import first_record_id
from lumbung.intake.landing.landed import as_delivered, opened_if_kept
from lumbung.intake.vault import Keyring, Vault, hold_to_one_key
from lumbung.settings import Settings

TABLE = "raw.text_feature (record_id, version, tokens, villages)"

_FETCHED_ROWS = 5_000
_HEAD = Struct("!hiqiq")

_MISSING = (
    "from raw.record as r where channel = %s and not is_tombstone"
    " and record_id >= %s and record_id < %s"
    " and not exists (select from raw.text_feature as f"
    "   where f.record_id = r.record_id and f.version = %s)"
)


def feature_row(record_id: int, version: int, features: Features) -> bytes:
    """A row of `TABLE` in binary COPY format."""
    tokens, villages = features
    return b"".join((
        _HEAD.pack(4, 8, record_id, 8, version),
        pgcopy.array(pgcopy.INT8_OID, tokens, len(tokens)),
        pgcopy.array(
            pgcopy.TEXT_OID, (pgcopy.column(code.encode()) for code in villages), len(villages)
        ),
    ))  # fmt: skip


def derive_missing(
    connection: psycopg.Connection, channels: Mapping[str, Channel], settings: Settings
) -> None:
    """Derive the features that records of `raw.record` lack in the current version.

    That is every record of a channel if its field map or the seeds have changed, and otherwise
    those that were landed without features. `ops.text_feature` holds the batch up to which no
    record of a channel lacks features.

    Args:
        connection: to the warehouse, not inside a transaction.
        channels: the channels that are built.
        settings: where the seeds and the vault key are.

    Raises:
        ConfigurationError: when features are missing and this vault key is not the warehouse's.
    """
    row = connection.execute("select coalesce(max(batch_id), 0) from raw.batch").fetchone()
    assert row is not None  # noqa: S101 - an aggregate gives one row
    last_batch = int(row[0])
    derived = {
        name: (int(version), int(batch))
        for name, version, batch in connection.execute(
            "select channel, version, max_batch_id from ops.text_feature"
        )
    }
    vault: Vault | None = None
    for channel in channels.values():
        name = channel.name
        if FIELDS[0] not in channel.fields:
            continue
        vocabulary = project_vocabulary(settings.dbt_project / "seeds", channel.province)
        version = feature_version(channel, vocabulary)
        derived_version, batch = derived.get(name, (None, 0))
        after_batch = batch if derived_version == version else 0
        records = (
            name,
            first_record_id(after_batch + 1),
            first_record_id(last_batch + 1),
            version,
        )
        is_missing = connection.execute(f"select exists (select {_MISSING})", records).fetchone()
        if is_missing == (True,):
            if vault is None:
                vault = Vault.load(settings.home)
                hold_to_one_key(connection, vault)
            _derive(
                connection,
                TextFeatures(channel, vault.feature_key, vocabulary),
                Keyring(connection, vault),
                records,
            )
        connection.execute(
            "insert into ops.text_feature (channel, version, max_batch_id) values (%s, %s, %s)"
            " on conflict (channel) do update set version = excluded.version,"
            " max_batch_id = excluded.max_batch_id",
            (name, version, last_batch),
        )


def _derive(
    connection: psycopg.Connection,
    features: TextFeatures,
    keys: Keyring,
    records: tuple[Any, ...],
) -> None:
    with connection.transaction(), connection.cursor(name="narratives") as narratives:
        narratives.execute(
            "select record_id, source_id, payload, (select ciphertext from vault.identity as i"  # noqa: S608
            f"   where i.record_id = r.record_id) {_MISSING}",
            records,
        )
        while rows := narratives.fetchmany(_FETCHED_ROWS):
            pgcopy.copy_rows(
                connection.cursor(),
                TABLE,
                (
                    feature_row(record_id, features.version, found)
                    for record_id, source_id, payload, sealed in rows
                    if (
                        found := features.of_payload(
                            as_delivered(
                                payload, opened_if_kept(keys, records[0], source_id, sealed)
                            )
                        )
                    )
                    is not None
                ),
            )
