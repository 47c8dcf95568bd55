"""Storing the features of narratives in `raw.text_feature`."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from struct import Struct

import psycopg

from lumbung.intake import pgcopy
from lumbung.intake.channel.models import Channel
from lumbung.intake.features import (
    FIELDS,
    Features,
    TextFeatures,
    feature_labels,
    feature_version,
    project_vocabulary,
)
from lumbung.intake.landing.batch import first_record_id
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
    from lumbung.intake.vault import Vault, hold_to_one_key

    row = connection.execute("select coalesce(max(batch_id), 0) from raw.batch").fetchone()
    assert row is not None  # noqa: S101 - an aggregate gives one row
    last_batch = int(row[0])
    derived = {
        name: (int(version), int(batch))
        for name, version, batch in connection.execute(
            "select channel, version, max_batch_id from ops.text_feature"
        )
    }
    vocabulary = project_vocabulary(settings.dbt_project / "seeds")
    key: bytes | None = None
    for channel in channels.values():
        name = channel.name
        if FIELDS[0] not in channel.fields:
            continue
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
            if key is None:
                vault = Vault.load(settings.home)
                hold_to_one_key(connection, vault)
                key = vault.feature_key
            labels = sorted(chain.from_iterable(feature_labels(channel)))
            _derive(connection, TextFeatures(channel, key, vocabulary), labels, records)
        connection.execute(
            "insert into ops.text_feature (channel, version, max_batch_id) values (%s, %s, %s)"
            " on conflict (channel) do update set version = excluded.version,"
            " max_batch_id = excluded.max_batch_id",
            (name, version, last_batch),
        )


def _derive(
    connection: psycopg.Connection,
    features: TextFeatures,
    labels: list[str],
    records: tuple[object, ...],
) -> None:
    with connection.transaction(), connection.cursor(name="narratives") as narratives:
        narratives.execute(
            "select record_id, (select jsonb_object_agg(label, payload -> label)"  # noqa: S608
            f"   from unnest(%s::text[]) as label) {_MISSING}",
            (labels, *records),
        )
        while rows := narratives.fetchmany(_FETCHED_ROWS):
            pgcopy.copy_rows(
                connection.cursor(),
                TABLE,
                (
                    feature_row(record_id, features.version, found)
                    for record_id, payload in rows
                    if (found := features.of_payload(payload)) is not None
                ),
            )
