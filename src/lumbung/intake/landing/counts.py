"""The counts of a pull: what became of each delivery."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from operator import add


@dataclass(frozen=True)
class IntakeCounts:
    """Deliveries of a batch or pull by outcome: `read == landed + duplicate + quarantined`.

    Attributes:
        read, landed, duplicate, quarantined: deliveries.
        tombstones: records that the source withdrew.
        missing: rows that are gone from a file, but are not withdrawn yet: a later reading of the
            file must confirm it.
        withheld: rows that are gone from a file, but cannot be withdrawn: a row without an id may
            be the same row, or the file that had the row last was not read.
        unsettled: files that were left for the next pull, because somebody is still writing them.
    """

    read: int = 0
    landed: int = 0
    duplicate: int = 0
    quarantined: int = 0
    tombstones: int = 0
    missing: int = 0
    withheld: int = 0
    unsettled: int = 0

    def __add__(self, other: IntakeCounts) -> IntakeCounts:
        return IntakeCounts(*map(add, astuple(self), astuple(other)))

    def __str__(self) -> str:
        withdrawn = f", {self.tombstones:,} withdrawn" if self.tombstones else ""
        return (
            f"{self.read:,} read: {self.landed:,} landed, {self.duplicate:,} duplicate,"
            f" {self.quarantined:,} quarantined{withdrawn}"
        )

    def notes(self) -> list[str]:
        """Sentences about the counts that ask for a person's attention."""
        return [
            note.format(count)
            for note, count in (
                (
                    "{} rows are gone from their file; they are withdrawn when it is sent again"
                    " without them, or after one cadence; --accept-withdrawals does so now",
                    self.missing,
                ),
                (
                    "{} rows are gone from their file and not withdrawn, because rows without a"
                    " number may be them or a file that was taken away had them last; fill in the"
                    " numbers, or use --accept-withdrawals",
                    self.withheld,
                ),
                (
                    "{} files are still being written and were left for the next pull",
                    self.unsettled,
                ),
            )
            if count
        ]
