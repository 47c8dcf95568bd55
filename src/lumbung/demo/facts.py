"""The facts of the invented world: what each row of each channel means, without its spelling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, NamedTuple

from lumbung.demo import vocabulary
from lumbung.demo.people import Person
from lumbung.demo.regions import District, Place, Regency


class Fate(NamedTuple):
    """The expected outcome of a delivery; a landed delivery with a reason is excluded."""

    landing: Literal["landed", "duplicate", "quarantined"]
    reason_code: str | None = None


COUNTED = Fate("landed")
DUPLICATE = Fate("duplicate")


def excluded(reason_code: str) -> Fate:
    """Landed but never counted; the edition lists it."""
    return Fate("landed", reason_code)


def quarantined(reason_code: str) -> Fate:
    """Unreadable; kept in quarantine for the channel's owner."""
    return Fate("quarantined", reason_code)


@dataclass(frozen=True)
class Incident:
    """An event that one or several people report.

    Attributes:
        story: the event in the words of several people.
    """

    place: Place
    issues: tuple[str, ...]
    role: str
    story: tuple[str, ...]

    def narrative(self, day: date, narrator: int) -> str:
        """The words of a narrator on a day; other narrators and other days get other words."""
        return self.story[(day.toordinal() + narrator) % len(self.story)]


@dataclass(frozen=True)
class Case:
    """A row of the desk register: a report (LP) or a finding (TM).

    Attributes:
        entered: when the clerk wrote the row; determines its sheet and its position.
        number: the legal number, empty where the clerk omitted it.
        target: where it was forwarded; None where it was not forwarded or no target was recorded.
        is_closed: whether the target has closed the case.
        context: during or outside a campaign event; None where it was not recorded.
        first: the row in the book before the office corrected it in another file.
        written: texts that replace the regular ones, by column.
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
        """Whether its target or its status says that it was forwarded."""
        return bool(self.target) or vocabulary.RESULTS.get(self.status) == "FORWARDED"


@dataclass(frozen=True)
class Activity:
    """A row of the recap: a campaign event (LHP), a prevention action (PREV), or nothing (NIHIL).

    Attributes:
        entered: when the district submitted it; usually `day`.
        code: method of a campaign event, or type of a prevention action.
        venue: kind of place; None where the row states none.
        first: the row in the recap before the office corrected it in another file.
    """

    entered: date
    day: date
    regency: Regency
    district: District
    kind: Literal["LHP", "PREV", "NIHIL"]
    election: str | None
    code: str | None
    officer: Person
    venue: str | None
    note: str = ""
    first: Activity | None = None
    fate: Fate = COUNTED
    written: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Prevention:
    """An entry of the Formulir Pencegahan, by an office of a regency or of the province.

    Attributes:
        entered: when the office filled in the form.
        number: the entry's number, empty where the export has none.
        village: the name of a village of the place's district.
        form, kind: None where the office left them out; the kind belongs to a form.
        targets: the groups that it addressed.
        participants: None where the office did not count any.
        venue: kind of place; None where the office stated none.
        written: texts that replace the regular ones, by column.
    """

    entered: date
    number: str
    day: date
    level: Literal["KAB", "PROV"]
    place: Place
    village: str | None
    officer: Person
    form: str | None
    kind: str | None
    targets: tuple[str, ...]
    issues: tuple[str, ...]
    stage: str | None
    participants: int | None
    venue: str | None
    note: str
    fate: Fate = COUNTED
    written: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """A row of the plan of prevention: what a regency's office intends in a period.

    Attributes:
        issues, targets: empty where the plan is for any theme or group.
    """

    entered: date
    regency: Regency
    issues: tuple[str, ...]
    form: str
    targets: tuple[str, ...]
    start: date
    end: date
    activities: int
    participants: int


@dataclass(frozen=True)
class Tip:
    """What a citizen or an observer reports of an incident (IA); `place` is the place they give."""

    incident: Incident
    place: Place
    occurred: date | None
    narrative: str


@dataclass(frozen=True)
class Message:
    """A message of the chat group; a message without a sender is a system message of WhatsApp.

    Attributes:
        at: the minute, in WIB.
        text: the text; empty for a tip, whose text follows the template.
        written: texts that replace a line of the template, or the time (`stamp`).
    """

    at: datetime
    sender: str | None
    text: str
    fate: Fate = COUNTED
    tip: Tip | None = None
    written: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Submission:
    """A submission to the observers' form; an edited one is its last version.

    Attributes:
        organisation: of the observer; None where the form states none.
    """

    at: datetime
    observer: Person
    organisation: str | None
    tip: Tip
    fate: Fate = COUNTED
    is_edited: bool = False


def week_of(day: date) -> str:
    """The ISO week of a day, `2024-W45`."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"
