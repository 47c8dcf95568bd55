"""Drift notices: fields that appeared, vanished or changed their type at the source."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import psycopg

from lumbung.intake.landing.prepare import PreparedChunk
from lumbung.intake.landing.pseudonyms import seal_label
from lumbung.intake.vault import Vault

_MIN_DELIVERIES = 50
"""A field that is missing from fewer deliveries has not vanished: it may have been left empty."""


class Drift:
    """The fields of a channel and their types, and the notices about them.

    Args:
        connection: to the warehouse.
        channel: the channel's name.
        vault: encrypts labels that may name a person.

    Attributes:
        known_types: (field, JSON type) of declared fields that were met before.
        delivery_count: deliveries that this pull read.
    """

    def __init__(self, connection: psycopg.Connection, channel: str, vault: Vault) -> None:
        self._channel = channel
        self._vault = vault
        self.delivery_count = 0
        self.known_types: set[tuple[str, str]] = {
            (field, json_type)
            for field, json_type in connection.execute(
                "select field, json_type from ops.field_type where channel = %s", (channel,)
            )
        }

    def note_chunk(self, db: psycopg.Cursor[Any], batch_id: int, chunk: PreparedChunk) -> None:
        """Note the labels that are not declared, and declared fields that changed their type."""
        notices: list[tuple[str, str, bytes | None]] = [
            (
                field,
                "appeared",
                None if field == label else seal_label(self._vault, self._channel, label),
            )
            for field, label in sorted(chunk.new_labels)
        ]
        new_types = sorted(chunk.new_types - self.known_types)
        if new_types:
            known = {field for field, _ in self.known_types}
            notices += [(field, "changed", None) for field, _ in new_types if field in known]
            db.execute(
                "insert into ops.field_type (channel, field, json_type, first_batch_id)"
                " select %s, field, json_type, %s from unnest(%s::text[], %s::text[])"
                " as new (field, json_type) on conflict do nothing",
                (
                    *(self._channel, batch_id),
                    *([field for field, _ in new_types], [kind for _, kind in new_types]),
                ),
            )
            self.known_types |= chunk.new_types
        if notices:
            db.execute(
                "insert into ops.drift_notice"
                " (channel, field, notice, sealed_label, first_batch_id)"
                " select %s, field, notice, sealed_label, %s"
                " from unnest(%s::text[], %s::text[], %s::bytea[])"
                " as new (field, notice, sealed_label) on conflict do nothing",
                (self._channel, batch_id, *map(list, zip(*notices, strict=True))),
            )

    def note_vanished(self, db: psycopg.Cursor[Any], seen_labels: Collection[str]) -> None:
        """Note the fields that earlier pulls had and no delivery of this pull has.

        Args:
            db: in a transaction.
            seen_labels: the declared labels that this pull met.
        """
        if self.delivery_count < _MIN_DELIVERIES:
            return
        db.execute(
            "insert into ops.drift_notice (channel, field, notice, first_batch_id)"
            " select %(channel)s, field, 'vanished',"
            "   (select max(batch_id) from raw.batch where channel = %(channel)s)"
            " from unnest(%(fields)s::text[]) as field on conflict do nothing",
            {
                "channel": self._channel,
                "fields": sorted({field for field, _ in self.known_types}.difference(seen_labels)),
            },
        )
