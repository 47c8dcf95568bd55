"""Quarantine: deliveries that cannot be landed, kept encrypted until somebody resolves them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import psycopg

from lumbung.intake.connectors.base import FILTERED, SeenIds
from lumbung.intake.landing.batch import Batches
from lumbung.intake.landing.prepare import SealedUnreadable, serialised_unreadable
from lumbung.intake.landing.pseudonyms import HASH_DIGITS, Pseudonyms
from lumbung.intake.landing.storable import is_usable_id, storable
from lumbung.intake.vault import Vault


class Quarantine:
    """The quarantine of one channel.

    Args:
        batches: of the pull.
        vault: hashes content.
        pseudonyms: of the channel.
    """

    def __init__(self, batches: Batches, vault: Vault, pseudonyms: Pseudonyms) -> None:
        self._batches = batches
        self._channel = batches.channel
        self._vault = vault
        self._pseudonyms = pseudonyms
        self._accepted = {
            row[0]
            for row in batches.connection.execute(
                "select content_hash from quarantine.record"
                " where channel = %s and accepted_by is not null and dismissed_by is null",
                (self._channel,),
            )
        }
        self._accepted_and_read: set[bytes] = set()

    def accepts(self, content: Any) -> bool:
        """Whether a person accepted the delivery with this content, although it is doubtful."""
        content_hash = self._vault.content_hash(serialised_unreadable(content))
        if content_hash in self._accepted:
            self._accepted_and_read.add(content_hash)
        return content_hash in self._accepted

    def insert(
        self, db: psycopg.Cursor[Any], batch_id: int, unreadable: Sequence[SealedUnreadable]
    ) -> tuple[int, list[tuple[bytes, str]]]:
        """Write the unreadable deliveries of a chunk.

        A delivery that was resolved is open again. One that a person dismissed stays dismissed. One
        that the channel file leaves out is dismissed as long as the file does so.

        Returns:
            how many are new, and evidence and content hash (hex) of the others.
        """
        count = 0
        repeated: list[tuple[bytes, str]] = []
        for item, content_hash, ciphertext in unreadable:
            db.execute(
                "insert into quarantine.record as q (channel, batch_id, content_hash, reason_code,"
                " reason, received_at, evidence_sha256, locator, source_id, ciphertext,"
                " resolved_at, dismissed_by, dismissed_reason)"
                " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s,"
                "   case when %s then clock_timestamp() end, %s, %s)"
                " on conflict (channel, content_hash) do update set"
                "   resolved_at = excluded.resolved_at, dismissed_by = excluded.dismissed_by,"
                "   dismissed_reason = excluded.dismissed_reason,"
                "   reason_code = excluded.reason_code, reason = excluded.reason"
                "   where case when q.reason_code = %s"
                "     then (q.reason_code, q.reason) <> (excluded.reason_code, excluded.reason)"
                "     else q.dismissed_by is null and (q.resolved_at is not null"
                "       or (q.reason_code, q.reason) <> (excluded.reason_code, excluded.reason))"
                "     end"
                " returning xmax = 0",  # true for a row that was inserted
                (
                    self._channel,
                    batch_id,
                    content_hash,
                    item.reason_code,
                    storable(item.reason),
                    item.received_at,
                    item.evidence,
                    None if item.locator is None else storable(item.locator),
                    item.source_id if item.source_id and is_usable_id(item.source_id) else None,
                    ciphertext,
                    is_filtered := item.reason_code == FILTERED,
                    *(
                        ("channel file", "left out by the channel file")
                        if is_filtered
                        else (None, None)
                    ),
                    FILTERED,
                ),
            )
            row = db.fetchone()
            if row is not None and row[0]:
                count += 1
            elif item.evidence is not None:
                repeated.append((item.evidence, content_hash.hex()))
        return count, repeated

    def resolve_accepted(self, db: psycopg.Cursor[Any]) -> None:
        """Resolve the deliveries that a person accepted and that this pull read."""
        db.execute(
            "update quarantine.record set resolved_at = clock_timestamp()"
            " where channel = %s and content_hash = any(%s) and resolved_at is null",
            (self._channel, list(self._accepted_and_read)),
        )

    def resolve(
        self, seen: SeenIds, complete: Collection[str], still_unreadable: Collection[bytes]
    ) -> int:
        """Resolve the deliveries that this pull could read, or that are certainly gone.

        A quarantined delivery that was not quarantined again is resolved if

        - this pull met its source id,
        - a record was landed from the same place of the same bytes,
        - its listing was read in full and no longer holds it, or
        - other bytes were read under its file's name.

        Everything else stays open, for example a deleted mail or a file that was taken away:
        nobody has read it.

        Args:
            seen: every source id that this pull met.
            complete: beginnings of locators (see `Checkpoint.complete`).
            still_unreadable: content hashes of what this pull could not read.

        Returns:
            how many were resolved.

        Raises:
            LandingError: when the database refuses it.
        """
        with self._batches.transaction() as db:
            db.execute(
                "select cursor -> 'files' from ops.channel_cursor where channel = %s",
                (self._channel,),
            )
            row = db.fetchone()
            files = (row and row[0]) or {}
            db.execute(
                "select quarantine_id, source_id, coalesce(locator, ''), evidence_sha256"
                " from quarantine.record where channel = %s and resolved_at is null",
                (self._channel,),
            )
            read = [
                number
                for number, source_id, locator, evidence in db
                if (source_id is not None and source_id in seen)
                or (evidence and self._has_other_bytes(files, locator, evidence))
            ]
            db.execute(
                "update quarantine.record as q set resolved_at = clock_timestamp()"
                " where q.channel = %(channel)s and q.resolved_at is null"
                " and q.content_hash <> all(%(again)s) and (q.quarantine_id = any(%(read)s)"
                "   or exists (select from unnest(%(complete)s::text[]) as part"
                "     where starts_with(coalesce(q.locator, '') || ' | ', part))"
                "   or exists (select from raw.record as r where r.channel = q.channel"
                "     and r.locator = q.locator and r.evidence_sha256"
                "       = coalesce(q.evidence_sha256, r.evidence_sha256)))",
                {
                    "channel": self._channel,
                    "again": list(still_unreadable),
                    "read": read,
                    "complete": [self._pseudonyms.of_locator(storable(part)) for part in complete],
                },
            )
            return db.rowcount

    def _has_other_bytes(self, files: dict[str, str], locator: str, evidence: bytes) -> bool:
        """Whether a folder's cursor has other bytes under the name of the file of a locator."""
        digits = locator.removeprefix("#")
        return any(
            sha256 != evidence.hex()
            for hashed_name, sha256 in files.items()
            if len(digits) == HASH_DIGITS and hashed_name.startswith(digits)
        )
