"""Withdrawals: tombstones for records that their source no longer has.

Either the source says itself that a record was withdrawn (`write_tombstones`), or a listing that
was read in full no longer holds the record (`withdraw_missing`).
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from lumbung.errors import SourceError
from lumbung.intake.channel.models import Channel
from lumbung.intake.connectors.base import FileReading, SeenIds
from lumbung.intake.landing.batch import Batches, first_record_id
from lumbung.intake.landing.counts import IntakeCounts
from lumbung.intake.landing.file_rows import FileKeys
from lumbung.intake.landing.hashes import ChannelHasher
from lumbung.intake.landing.pseudonyms import Pseudonyms
from lumbung.intake.landing.rows_without_id import ComparableCells, RowsWithoutId
from lumbung.intake.landing.storable import is_storable, storable
from lumbung.intake.landing.write import STORED_VERSIONS

_BATCH_SIZE = 5_000
_DEFAULT_CADENCE = timedelta(weeks=1)
_FETCHED_ROWS = 10_000


class Withdrawals:
    """The withdrawals of one pull of a channel.

    Args:
        batches: of the pull.
        channel: the channel.
        hasher: hashes the channel's content.
        file_keys: the keys of the channel's files.
        pseudonyms: of the channel.
    """

    def __init__(
        self,
        batches: Batches,
        channel: Channel,
        hasher: ChannelHasher,
        file_keys: FileKeys,
        pseudonyms: Pseudonyms,
    ) -> None:
        self._batches = batches
        self._channel = channel
        self._hasher = hasher
        self._file_keys = file_keys
        self._comparable = ComparableCells(channel, pseudonyms.of_payload)
        self._pseudonyms = pseudonyms

    def write_tombstones(self, source_ids: Sequence[str]) -> IntakeCounts:
        """Withdraw records of which the source itself says that they were withdrawn.

        Args:
            source_ids: ids that are not stored, or withdrawn already, are ignored.

        Raises:
            LandingError: when the database refuses it.
        """
        started = datetime.now(UTC)
        with self._batches.transaction() as db:
            db.execute(
                "select record_id from (select distinct on (r.source_id) r.record_id,"  # noqa: S608
                f"   r.is_tombstone {STORED_VERSIONS}"
                "   order by r.source_id, r.record_id desc) as latest where not is_tombstone",
                ([each for each in source_ids if is_storable(each)], self._channel.name),
            )
            return self._write_tombstones(db, [row[0] for row in db], started)

    def withdraw_missing(
        self,
        complete: Collection[str],
        seen: SeenIds,
        cursor: dict[str, Any] | None = None,
        *,
        files: Mapping[str, FileReading] | None = None,
        rows_without_id: RowsWithoutId | None = None,
        accept: bool = False,
        most: int | None = None,
    ) -> IntakeCounts:
        """Withdraw the records that complete listings no longer hold, in one transaction.

        A file may be cut off, so one reading of a file withdraws nothing. The first reading that
        misses a record notes it. A later reading withdraws the record, if every reading in between
        misses it too and

        - the file's bytes have changed, other than by going on where the earlier bytes ended, or
        - one cadence of the channel (`expected_every`, else a week) has passed.

        Several files may hold one row. A record is missing if a file held it once and no file holds
        it now. It is not withdrawn if the file that held it last was not read completely now,
        because the file was taken away or is broken.

        Args:
            complete: beginnings of locators (see `Checkpoint.complete`).
            seen: every source id that this pull met.
            cursor: where the next pull begins after the withdrawals; None: the cursor stays.
            files: the listings that are files, with the bytes that were read.
            rows_without_id: the rows without an id that this pull read.
            accept: a person confirmed the withdrawals: nothing waits for a later reading, and a
                listing may lose more than half of its records.
            most: with `accept`, how many withdrawals the person confirmed; None: any number.

        Raises:
            SourceError: when a listing lost more than half of its records, or more are missing than
                a person confirmed. A broken source is more
                likely than so many withdrawals, so nothing is withdrawn.
            LandingError: when the database refuses it.
        """
        started = datetime.now(UTC)
        rows_without_id = rows_without_id or RowsWithoutId()
        files = files or {}
        listings = [
            each
            for each in complete
            if not rows_without_id.has_incomparable(each)
            and (each in files or not rows_without_id.count(each))
        ]
        beginnings = [self._pseudonyms.of_locator(storable(each)) for each in listings]
        keys = [
            self._file_keys[each.removesuffix(" | ")].file_key if each and each in files else None
            for each in listings
        ]
        file_keys = [key for key in keys if key is not None]
        present: Counter[int] = Counter()
        missing = [array("q") for _ in listings]
        with self._batches.transaction() as db:
            for rows in self._current(beginnings, keys) if listings else ():
                present.update(row[2] for row in rows)
                for place in seen.missing([row[1] for row in rows]):
                    record_id, _, number = rows[place]
                    missing[number - 1].append(record_id)
            counts = IntakeCounts()
            due: list[int] = []
            for number, (listing, beginning, records) in enumerate(
                zip(listings, beginnings, missing, strict=True), 1
            ):
                withheld: set[int] = set()
                if not accept:
                    withheld = self._rows_without_id_match(db, rows_without_id, listing, records)
                    if file_keys:
                        withheld |= self._given_later_by_others(db, file_keys, records)
                    self._refuse_shrunk(beginning, present[number], len(records) - len(withheld))
                confirmed = self._note_missing(
                    db, beginning, records, withheld, None if accept else files.get(listing)
                )
                due += confirmed
                counts += IntakeCounts(
                    missing=len(records) - len(withheld) - len(confirmed), withheld=len(withheld)
                )
            if accept and most is not None and len(due) > most:
                raise SourceError(
                    f"the source no longer has {len(due)} deliveries, and {most} withdrawals were"
                    " accepted; none was withdrawn",
                    where=f"channel {self._channel.name}",
                    remediation="look whether the file or form is whole; where all of them were"
                    f" withdrawn indeed, accept {len(due)}",
                )
            counts += self._write_tombstones(db, due, started, file_keys, is_accepted=accept)
            if cursor is not None:
                self._batches.move_cursor(db, cursor)
            return counts

    def _refuse_shrunk(self, beginning: str, present: int, lost: int) -> None:
        """Raise if a listing lost more than half of its records.

        Raises:
            SourceError: see `withdraw_missing`.
        """
        if lost and (present - lost) * 2 < present:
            name = self._channel.name
            raise SourceError(
                f"of {present} deliveries the source no longer has {lost}; none was withdrawn",
                where=f"channel {name}, {beginning or 'all'}",
                remediation="look whether the file or form is whole, and have it sent again;"
                " where they were withdrawn indeed, run 'lumbung intake"
                f" {name} --accept-withdrawals', or trigger the channel's"
                " DAG with accept_withdrawals",
            )

    def _current(
        self, beginnings: Collection[str], file_keys: Collection[int | None]
    ) -> Iterable[list[tuple[int, str, int]]]:
        """Record id, source id and listing number (from 1) of the records that are not withdrawn.

        A row of a file belongs to the listed file that gave it last. Any other record belongs to
        the listing with which its locator begins.
        """
        with self._batches.connection.cursor(name="current", binary=True) as db:
            db.execute(
                "with listing as (select * from unnest(%(beginnings)s::text[], %(keys)s::bigint[])"
                "   with ordinality as listing (beginning, file_key, number)),"
                " given as (select distinct on (f.source_key) f.source_key, listing.number"
                "   from ops.file_row as f left join listing using (file_key)"
                "   where f.channel = %(channel)s"
                "   order by f.source_key, listing.number is null, f.last_given_id desc)"
                " select latest.record_id, latest.source_id, coalesce(given.number, part.number)"
                " from (select distinct on (source_key, source_id) record_id, source_id,"
                "   source_key, coalesce(locator, '') as locator, is_tombstone from raw.record"
                "   where channel = %(channel)s"
                "   order by source_key, source_id, record_id desc) as latest"
                " left join given using (source_key)"
                " left join lateral (select number from listing where given.source_key is null"
                "   and starts_with(latest.locator, beginning) limit 1) as part on true"
                " where not is_tombstone and coalesce(given.number, part.number) is not null",
                {
                    "channel": self._channel.name,
                    "beginnings": list(beginnings),
                    "keys": list(file_keys),
                },
            )
            while rows := db.fetchmany(_FETCHED_ROWS):
                yield rows

    def _rows_without_id_match(
        self,
        db: psycopg.Cursor[Any],
        rows_without_id: RowsWithoutId,
        listing: str,
        records: Sequence[int],
    ) -> set[int]:
        """Those of a listing's missing records that its rows without an id may be."""
        if not records or not rows_without_id.count(listing):
            return set()
        db.execute(
            "select record_id, payload from raw.record where record_id = any(%s)", (list(records),)
        )
        return rows_without_id.matching(
            listing,
            {record_id: self._comparable.of_payload(payload) for record_id, payload in db},
        )

    def _given_later_by_others(
        self, db: psycopg.Cursor[Any], file_keys: list[int], records: Sequence[int]
    ) -> set[int]:
        """Those of the missing records that a file gave later which was not read now."""
        db.execute(
            "select r.record_id from raw.record as r where r.record_id = any(%(missing)s) and"
            " (select max(f.last_given_id) from ops.file_row as f"
            "   where f.source_key = r.source_key and f.channel = %(channel)s"
            "   and f.file_key <> all(%(keys)s))"
            " > (select max(f.last_given_id) from ops.file_row as f"
            "   where f.source_key = r.source_key and f.file_key = any(%(keys)s))",
            {"missing": list(records), "channel": self._channel.name, "keys": file_keys},
        )
        return {row[0] for row in db}

    def _note_missing(
        self,
        db: psycopg.Cursor[Any],
        beginning: str,
        records: Sequence[int],
        withheld: set[int],
        reading: FileReading | None,
    ) -> list[int]:
        """Note the missing records of a listing; returns those that can be withdrawn now.

        Args:
            db: in the transaction.
            beginning: of the listing's locators.
            records: its missing records.
            withheld: those of them that are not withdrawn.
            reading: the file in which the listing was read; None: nothing must be confirmed.
        """
        due = [record_id for record_id in records if record_id not in withheld]
        if reading is not None:
            db.execute(
                "select record_id from ops.missing_record"
                " where channel = %s and listing = %s and not is_held"
                " and (missed_at <= clock_timestamp() - %s"
                "   or (evidence_sha256 is distinct from %s and not %s))",
                (
                    *(self._channel.name, beginning),
                    *(self._channel.expected_every or _DEFAULT_CADENCE, *reading),
                ),
            )
            confirmed = {row[0] for row in db}
            due = [record_id for record_id in due if record_id in confirmed]
        waiting = list({*records}.difference(due))
        db.execute(
            "delete from ops.missing_record where channel = %s and listing = %s"
            " and record_id <> all(%s::bigint[])",
            (self._channel.name, beginning, waiting),
        )
        db.execute(
            "insert into ops.missing_record (record_id, channel, listing, is_held, batch_id,"
            " evidence_sha256)"
            " select record_id, %s, %s, record_id = any(%s::bigint[]), %s, %s"
            " from unnest(%s::bigint[]) as missing (record_id)"
            " on conflict (record_id) do update set is_held = excluded.is_held,"
            " listing = excluded.listing, evidence_sha256 = excluded.evidence_sha256",
            (
                *(self._channel.name, beginning, list(withheld), self._batches.last_id),
                *(reading and reading.sha256, waiting),
            ),
        )
        return due

    def _write_tombstones(
        self,
        db: psycopg.Cursor[Any],
        records: Sequence[int],
        started: datetime,
        file_keys: Sequence[int] = (),
        *,
        is_accepted: bool = False,
    ) -> IntakeCounts:
        """Write tombstones for records, in batches.

        Args:
            db: in the transaction.
            records: the current records of their source ids.
            started: when the withdrawal was begun.
            file_keys: the files that no longer hold the records: a row that they hold again later
                is a new version.
            is_accepted: a person confirmed the withdrawals, so no check holds them back.
        """
        counts = IntakeCounts()
        for first in range(0, len(records), _BATCH_SIZE):
            db.execute(
                "select source_id from raw.record where record_id = any(%s) order by record_id",
                (list(records[first : first + _BATCH_SIZE]),),
            )
            source_ids = [row[0] for row in db]
            batch_id = self._batches.next_id(db)
            db.execute(
                "insert into raw.record (record_id, channel, source_id, content_hash,"
                " recurrence, batch_id, received_at, is_tombstone, payload)"
                " overriding system value"
                " select ops.first_record_id(%(batch)s) + place, %(channel)s, source_id, hash,"
                " coalesce((select max(r.recurrence) from raw.record as r"
                "   where r.source_key = hashtextextended(gone.source_id, 0)"
                "   and r.content_hash = gone.hash), -1) + 1, %(batch)s, %(now)s, true, '{}'"
                " from unnest(%(gone)s::text[], %(hashes)s::bytea[]) with ordinality"
                "   as gone (source_id, hash, place)",
                {
                    "channel": self._channel.name,
                    "batch": batch_id,
                    "now": started,
                    "gone": source_ids,
                    "hashes": [self._hasher.tombstone(each) for each in source_ids],
                },
            )
            if file_keys:
                db.execute(
                    "update ops.file_row as f set first_record_id = r.record_id,"
                    " record_id = r.record_id, cells = null from raw.record as r"
                    " where r.record_id > %(first)s and r.record_id <= %(first)s + %(count)s"
                    " and f.source_key = r.source_key and f.file_key = any(%(keys)s)",
                    {
                        "first": first_record_id(batch_id),
                        "count": len(source_ids),
                        "keys": list(file_keys),
                    },
                )
            batch = IntakeCounts(tombstones=len(source_ids))
            self._batches.close(db, batch_id, started, batch, None, is_accepted=is_accepted)
            counts += batch
        return counts
