"""The facts of the invented world: what each row of each channel means, free of any spelling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, NamedTuple

from lumbung.demo import vocabulary
from lumbung.demo.people import Person
from lumbung.demo.regions import District, Place, Regency


class Fate(NamedTuple):
    """What must become of a delivery; a landed one with a reason is excluded, not counted."""

    landing: Literal["landed", "duplicate", "quarantined"]
    reason_code: str | None = None


COUNTED = Fate("landed")
DUPLICATE = Fate("duplicate")


def excluded(reason_code: str) -> Fate:
    """Landed, never counted, listed in the edition."""
    return Fate("landed", reason_code)


def quarantined(reason_code: str) -> Fate:
    """Not readable as what it claims to be; kept for its owner."""
    return Fate("quarantined", reason_code)


@dataclass(frozen=True)
class Incident:
    """Something that happened, whoever tells of it.

    Attributes:
        story: what happened, in the words of several people.
    """

    place: Place
    issues: tuple[str, ...]
    role: str
    story: tuple[str, ...]

    def told(self, day: date, teller: int) -> str:
        """The words of one who tells of it on a day; three tellers of two days find other words."""
        return self.story[(day.toordinal() + teller) % len(self.story)]


@dataclass(frozen=True)
class Case:
    """A row of the desk register: a report (LP) or a finding (TM).

    Attributes:
        entered: when the clerk wrote the row; decides its sheet and its place in the book.
        number: the legal number, empty where the clerk left it out.
        target: to whom it was forwarded; None where it was not, or nobody wrote it down.
        is_closed: whether those have done with it.
        context: during or outside a campaign event; None where nobody wrote it down.
        first: the row as the book has it, where the office corrected it by another file.
        written: texts that stand in place of what would be written, by column.
    """

    entered: date
    number: str
    kind: Literal["LP", "TM"]
    incident: Incident
    received: date
    known: date | None
    occurred: date | None
    types: tuple[str, ...]
    status: str
    reason: str | None
    reporter: Person
    accused: Person
    narrative: str
    target: str | None = None
    is_closed: bool = False
    context: str | None = None
    first: Case | None = None
    fate: Fate = COUNTED
    written: Mapping[str, str] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        """`registered`, `not_registered` or `pending`."""
        return vocabulary.OUTCOMES[self.status]

    @property
    def is_forwarded(self) -> bool:
        """Whether anything says that it was forwarded."""
        return bool(self.target) or vocabulary.RESULTS.get(self.status) == "FORWARDED"


@dataclass(frozen=True)
class Activity:
    """A row of the recap: a campaign event (LHP), a prevention action (PREV), or nothing (NIHIL).

    Attributes:
        entered: when the district sent it in; usually the day itself.
        code: of the election and the method of an event, or of the type of a prevention action.
        first: the row as the recap has it, where the office corrected it by another file.
    """

    entered: date
    day: date
    regency: Regency
    district: District
    kind: Literal["LHP", "PREV", "NIHIL"]
    election: str | None
    code: str | None
    officer: Person
    venue: str
    note: str = ""
    first: Activity | None = None
    fate: Fate = COUNTED
    written: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Tip:
    """What a citizen or an observer tells of an incident (IA); `place` is what they say of it."""

    incident: Incident
    place: Place
    occurred: date | None
    narrative: str


@dataclass(frozen=True)
class Message:
    """A message of the chat group; without a sender it is a notice of WhatsApp's.

    Attributes:
        at: the minute, in WIB.
        text: what it says, empty where it is a tip, which follows the template.
        written: texts in place of a line of the template, or of the time (`stamp`).
    """

    at: datetime
    sender: str | None
    text: str
    fate: Fate = COUNTED
    tip: Tip | None = None
    written: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Submission:
    """A submission to the observers' form; an edited one shows its last version."""

    at: datetime
    observer: Person
    network: str
    tip: Tip
    fate: Fate = COUNTED
    is_edited: bool = False


def week_of(day: date) -> str:
    """The ISO week of a day, `2024-W45`."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"
